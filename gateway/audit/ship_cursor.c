/*
 * Cursors of destinations as files. Called by shipping threads for their own destination, and by
 * whoever wants to know what has been delivered; the caller owns the cursor.
 */
#include "audit/ship_cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/segment.h"
#include "base/mem.h"

#define FIRST_LINE     "isthmus-delivered 1"
#define FILE_BYTES_MAX ((size_t)1024 * 1024)
#define FOLDER_MODE    0700
#define FILE_MODE      0600

/* ---- in memory ---- */

const struct ship_mark *
ship_cursor_of(const struct ship_cursor *cursor, const char *chain)
{
    for (size_t i = 0; i < cursor->n; i++) {
        if (strcmp(cursor->items[i].chain, chain) == 0) {
            return &cursor->items[i];
        }
    }
    return NULL;
}

static struct status
add(struct ship_cursor *cursor, const struct ship_mark *mark, struct diag *diag)
{
    if (cursor->n == cursor->capacity) {
        const size_t wanted = cursor->capacity == 0 ? 8 : cursor->capacity * 2;
        struct ship_mark *items = mem_resize(cursor->items, wanted * sizeof(*items));
        if (items == NULL) {
            return FAIL(diag, ERR_NO_MEMORY, "no memory for the cursor of %zu chains", wanted);
        }
        cursor->items = items;
        cursor->capacity = wanted;
    }
    cursor->items[cursor->n++] = *mark;
    return OK;
}

struct status
ship_cursor_set(struct ship_cursor *cursor, const struct ship_mark *mark, struct diag *diag)
{
    for (size_t i = 0; i < cursor->n; i++) {
        if (strcmp(cursor->items[i].chain, mark->chain) == 0) {
            cursor->items[i] = *mark;
            return OK;
        }
    }
    return add(cursor, mark, diag);
}

void
ship_cursor_done(struct ship_cursor *cursor)
{
    mem_free(cursor->items);
    *cursor = (struct ship_cursor){NULL, 0, 0};
}

/* ---- the file ---- */

static struct status
folder_of(char to[PATH_MAX], const char *dir, struct diag *diag)
{
    return journal_path(to, dir, SHIP_CURSOR_FOLDER, diag);
}

static struct status
file_of(char to[PATH_MAX], const char *dir, const char *destination, struct diag *diag)
{
    char folder[PATH_MAX];
    TRY(folder_of(folder, dir, diag));
    return journal_path(to, folder, destination, diag);
}

static bool
read_mark(struct span line, struct ship_mark *ret_mark)
{
    struct span chain, sequence;
    uint8_t hash[SHA256_BYTES];
    if (!span_split(&line, ' ', &chain) || !span_split(&line, ' ', &sequence) || chain.n == 0 ||
        chain.n > JOURNAL_CHAIN_MAX || !span_to_u64(sequence, UINT64_MAX, &ret_mark->sequence) ||
        !hex_decode(line, hash, sizeof(hash))) {
        return false;
    }
    (void)snprintf(ret_mark->chain, sizeof(ret_mark->chain), "%.*s", SPAN_PRINT(chain));
    hex_encode(hash, sizeof(hash), ret_mark->hash);
    return true;
}

static struct status
read_lines(struct span text, const char *path, struct diag *diag, struct ship_cursor *cursor)
{
    struct span line;
    int number = 1;
    bool is_good = span_ends_with(text, SPAN("\n")) && span_split(&text, '\n', &line) &&
                   span_eq_cstr(line, FIRST_LINE);
    while (is_good && text.n > 0 && span_split(&text, '\n', &line)) {
        struct ship_mark mark;
        number++;
        is_good = read_mark(line, &mark) && ship_cursor_of(cursor, mark.chain) == NULL;
        if (is_good) {
            TRY(add(cursor, &mark, diag));
        }
    }
    if (!is_good) {
        return FAIL(diag, ERR_JOURNAL,
                    "%s, line %d: expected '" FIRST_LINE "' and then a chain, a sequence and a "
                    "hash per line; what was delivered is not known",
                    path, number);
    }
    return OK;
}

struct status
ship_cursor_load(const char *dir, const char *destination, struct diag *diag,
                 struct ship_cursor *cursor)
{
    char path[PATH_MAX];
    struct buf text;
    struct diag why = {0};
    TRY(file_of(path, dir, destination, diag));
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return OK;
    }
    buf_init(&text, FILE_BYTES_MAX);
    struct status st = buf_read_file(&text, path, &why);
    if (is_ok(st)) {
        st = read_lines(buf_span(&text), path, diag, cursor);
    } else {
        st = FAIL(diag, st.code == ERR_NO_MEMORY ? ERR_NO_MEMORY : ERR_JOURNAL, "%s", why.text);
    }
    buf_done(&text);
    if (!is_ok(st)) {
        ship_cursor_done(cursor);
    }
    return st;
}

static struct status
write_lines(const struct ship_cursor *cursor, struct buf *text, struct diag *diag)
{
    TRY(buf_append_cstr(text, FIRST_LINE "\n", diag));
    for (size_t i = 0; i < cursor->n; i++) {
        const struct ship_mark *mark = &cursor->items[i];
        TRY(buf_printf(text, diag, "%s %" PRIu64 " %s\n", mark->chain, mark->sequence, mark->hash));
    }
    return OK;
}

static struct status
write_file(const char *path, struct span text, struct diag *diag)
{
    char why[64];
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    if (fd == -1) {
        return FAIL(diag, ERR_JOURNAL, "cannot make %s: %s", path, journal_errno(why));
    }
    const ssize_t n = write(fd, text.p, text.n);
    const bool is_whole = n >= 0 && (size_t)n == text.n && fsync(fd) == 0;
    const struct status st =
        is_whole ? OK
                 : FAIL(diag, ERR_JOURNAL, "cannot write %zu bytes to %s: %s", text.n, path,
                        n >= 0 && (size_t)n < text.n ? "no room" : journal_errno(why));
    (void)close(fd);
    return st;
}

static struct status
put_in_place(const char *dir, const char *destination, struct span text, struct diag *diag)
{
    char folder[PATH_MAX];
    char path[PATH_MAX];
    char made[PATH_MAX];
    char why[64];
    TRY(folder_of(folder, dir, diag));
    TRY(file_of(path, dir, destination, diag));
    if (snprintf(made, sizeof(made), "%s.tmp", path) >= (int)sizeof(made)) {
        return FAIL(diag, ERR_JOURNAL, "the path of %s is too long", path);
    }
    if (mkdir(folder, FOLDER_MODE) == 0) {
        TRY(journal_sync_folder(dir, diag));
    } else if (errno != EEXIST) {
        return FAIL(diag, ERR_JOURNAL, "cannot make %s: %s", folder, journal_errno(why));
    }
    TRY(write_file(made, text, diag));
    if (rename(made, path) != 0) {
        return FAIL(diag, ERR_JOURNAL, "cannot rename %s: %s", made, journal_errno(why));
    }
    return journal_sync_folder(folder, diag);
}

struct status
ship_cursor_store(const char *dir, const char *destination, const struct ship_cursor *cursor,
                  struct diag *diag)
{
    struct buf text;
    buf_init(&text, FILE_BYTES_MAX);
    struct status st = write_lines(cursor, &text, diag);
    if (is_ok(st)) {
        st = put_in_place(dir, destination, buf_span(&text), diag);
    }
    buf_done(&text);
    return st;
}
