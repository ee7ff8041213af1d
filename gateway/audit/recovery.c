/*
 * Taking over a chain: folders, the lock, and the state in which the last writer left the last
 * segment. Called by journal_open on the program's thread, before the journal thread exists.
 */
#include "audit/journal_state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/chain.h"

#define FOLDER_MODE 0700
#define FILE_MODE   0600
#define LOCK_NAME   "lock"

/* ---- folders and the lock ---- */

static struct status
sync_parent(const char *path, struct diag *diag)
{
    char parent[PATH_MAX];
    (void)snprintf(parent, sizeof(parent), "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash == NULL) {
        return journal_sync_folder(".", diag);
    }
    slash[slash == parent ? 1 : 0] = '\0';
    return journal_sync_folder(parent, diag);
}

static struct status
make_folder(const char *path, struct diag *diag)
{
    char why[64];
    if (mkdir(path, FOLDER_MODE) == 0) {
        return sync_parent(path, diag);
    }
    if (errno != EEXIST) {
        return FAIL(diag, ERR_JOURNAL, "cannot make the folder %s: %s", path, journal_errno(why));
    }
    return OK;
}

/* <dir> with its missing parents, as an operator would expect of "var/audit". */
static struct status
make_folders(const char *dir, struct diag *diag)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s", dir) >= (int)sizeof(path)) {
        return FAIL(diag, ERR_JOURNAL, "the path of the journal is longer than %d bytes",
                    PATH_MAX - 1);
    }
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        TRY(make_folder(path, diag));
        *slash = '/';
    }
    return make_folder(path, diag);
}

static struct status
say_held(const struct journal *journal, const char *path, struct diag *diag)
{
    char holder[32] = "";
    const ssize_t n = pread(journal->lock_fd, holder, sizeof(holder) - 1, 0);
    holder[n > 0 ? n : 0] = '\0';
    uint64_t process = 0;
    const bool is_known =
        span_to_u64(span_trim(span_of_cstr(holder)), INT32_MAX, &process) && process > 0;
    char name[48] = "another process";
    if (is_known) {
        (void)snprintf(name, sizeof(name), "process %" PRIu64, process);
    }
    return FAIL(diag, ERR_JOURNAL,
                "%s writes this chain already (lock %s); a chain has one writer: stop it, or give "
                "this node a journal of its own",
                name, path);
}

/* Who holds the lock, for the message of whoever comes second; nothing depends on it. */
static void
note_holder(const struct journal *journal)
{
    char text[32];
    const int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    const bool is_noted =
        ftruncate(journal->lock_fd, 0) == 0 && pwrite(journal->lock_fd, text, (size_t)n, 0) == n;
    (void)is_noted;
}

struct status
journal_lock(struct journal *journal, const char *dir, struct diag *diag, bool *ret_is_held)
{
    char path[PATH_MAX];
    char why[64];
    *ret_is_held = false;
    TRY(make_folders(dir, diag));
    TRY(make_folder(journal->folder, diag));
    TRY(sync_parent(journal->folder, diag)); /* who made it may have ended before its sync */
    TRY(journal_path(path, journal->folder, LOCK_NAME, diag));
    journal->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (journal->lock_fd == -1) {
        return FAIL(diag, ERR_JOURNAL, "cannot open the lock %s: %s", path, journal_errno(why));
    }
    if (flock(journal->lock_fd, LOCK_EX | LOCK_NB) == 0) {
        note_holder(journal);
        return OK;
    }
    if (errno != EWOULDBLOCK) {
        return FAIL(diag, ERR_JOURNAL, "cannot lock %s: %s", path, journal_errno(why));
    }
    *ret_is_held = true;
    return say_held(journal, path, diag);
}

/* ---- the last segment ---- */

static struct status
begin_chain(struct journal *journal, struct diag *diag)
{
    TRY(journal_next_segment(journal, JOURNAL_FIRST_NUMBER, 0, false, diag));
    journal->next_sequence = JOURNAL_FIRST_NUMBER;
    journal->durable = JOURNAL_FIRST_NUMBER - 1;
    return OK;
}

/* Where the records begin that no later one calls durable. */
static struct status
find_unproven(const struct journal_place *place, const struct chain *end, uint64_t first,
              struct diag *diag, uint64_t *ret_offset)
{
    struct chain *chain = NULL;
    const uint64_t from = end->head.durable + 1 > first ? end->head.durable + 1 : first;
    TRY(chain_open(place, end->name, from, diag, &chain));
    *ret_offset = chain->offset;
    chain_close(chain);
    return OK;
}

static struct status
walk(struct chain *chain, struct diag *diag)
{
    bool has = true;
    while (has) {
        TRY(chain_next(chain, diag, &has));
    }
    return OK;
}

/* May more records stand in it? Those of one segment have one key, or none. */
static bool
suits(const struct journal *journal, const struct segment_head *head)
{
    if (journal->cipher == NULL || !head->is_encrypted) {
        return journal->cipher == NULL && !head->is_encrypted;
    }
    return memcmp(head->key_id, journal->key.id, JOURNAL_KEY_ID_BYTES) == 0;
}

static struct status
go_on_in(struct journal *journal, const struct chain *end, struct diag *diag)
{
    TRY(segment_clear_tail(&journal->segment, end->offset, diag));
    journal->offset = end->offset;
    journal->linked_end = end->offset;
    if (journal->cipher != NULL) {
        return cipher_start(journal->cipher, &journal->key, journal->segment.head.salt,
                            journal->chain, diag);
    }
    return OK;
}

/* <end> stands behind the last good record of the last segment, which begins with <first>. */
static struct status
take_over(struct journal *journal, const struct journal_place *place, const struct chain *end,
          uint64_t first, struct diag *diag)
{
    uint64_t unproven = end->offset;
    if (end->sequence > first) {
        TRY(find_unproven(place, end, first, diag, &unproven));
    }
    TRY(journal_sync_folder(journal->folder, diag)); /* the segment's name may be in memory only */
    TRY(segment_open(journal->folder, journal->chain, first, true, diag, &journal->segment));
    TRY(segment_rewrite(&journal->segment, unproven, end->offset, diag));
    memcpy(journal->previous, end->previous, SHA256_BYTES);
    if (suits(journal, &journal->segment.head)) {
        TRY(go_on_in(journal, end, diag));
    } else {
        TRY(segment_finish(&journal->segment, end->offset, diag));
        TRY(journal_next_segment(journal, end->sequence, 0, end->sequence == first, diag));
    }
    journal->next_sequence = end->sequence;
    journal->durable = end->sequence - 1;
    return OK;
}

static struct status
continue_chain(struct journal *journal, const struct journal_place *place, uint64_t first,
               struct diag *diag)
{
    struct chain *chain = NULL;
    TRY(chain_open(place, journal->chain, first, diag, &chain));
    struct status st = walk(chain, diag);
    if (is_ok(st)) {
        st = take_over(journal, place, chain, first, diag);
    }
    chain_close(chain);
    return st;
}

struct status
journal_recover(struct journal *journal, const struct journal_place *place, struct diag *diag)
{
    struct segment_list list;
    TRY(segment_list_read(journal->folder, diag, &list));
    const uint64_t last = list.n == 0 ? 0 : list.items[list.n - 1];
    segment_list_done(&list);
    return last == 0 ? begin_chain(journal, diag) : continue_chain(journal, place, last, diag);
}
