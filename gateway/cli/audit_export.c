/*
 * `isthmus audit export` below its options. Called by cmd_audit.c on the program's thread.
 * Everything is written under another name first (PATH.tmp-PROCESS, in the same folder), synced,
 * and given its name at the end, when it is recorded that it was made; so a failure leaves nothing
 * behind.
 */
#include "cli/audit_export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/proof.h"
#include "base/datetime.h"
#include "base/jsonw.h"
#include "base/mem.h"

#define PROOF_ROOM    ((size_t)32 * 1024 * 1024)
#define MANIFEST_ROOM ((size_t)1024 * 1024)
#define ERRNO_TEXT    64

struct work {
    const struct audit_view *view;
    const struct audit_export *export;
    struct audit_search search;
    char made[PATH_MAX];    /* what is being made: a file, or a folder */
    char records[PATH_MAX]; /* the file of the records */
    FILE *out;
    FILE *proofs; /* NULL: none are wanted */
    struct journal_prover *prover;
    uint64_t written, unproven;
    struct diag why_unproven; /* of the first */
    struct diag diag;
};

/* ---- files ---- */

static struct status
failed(struct work *work, const char *what, const char *path)
{
    char why[ERRNO_TEXT];

    return FAIL(&work->diag, ERR_IO, "%s %s: %s", what, path, strerror_r(errno, why, sizeof(why)));
}

static struct status
join_path(struct work *work, char to[PATH_MAX], const char *folder, const char *name)
{
    if (snprintf(to, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX) {
        return FAIL(&work->diag, ERR_IO, "the path of the export is too long");
    }
    return OK;
}

static struct status
create_file(struct work *work, const char *path, FILE **ret_file)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *file = fd == -1 ? NULL : fdopen(fd, "w");

    if (file == NULL) {
        const struct status st = failed(work, "cannot make", path);
        if (fd != -1) {
            (void)close(fd);
        }
        return st;
    }
    *ret_file = file;
    return OK;
}

/* Its content survives a crash before it gets its name. */
static struct status
finish_file(struct work *work, FILE **file, const char *path)
{
    FILE *const open_file = *file;
    const bool is_synced = fflush(open_file) == 0 && fsync(fileno(open_file)) == 0;

    *file = NULL;
    if (fclose(open_file) != 0 || !is_synced) {
        return failed(work, "cannot write", path);
    }
    return OK;
}

static struct status
sync_folder_of(struct work *work, const char *path)
{
    char copy[PATH_MAX];

    (void)snprintf(copy, sizeof(copy), "%s", path);
    const int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_synced = fd != -1 && fsync(fd) == 0;
    if (fd != -1) {
        (void)close(fd);
    }
    return is_synced ? OK : failed(work, "cannot sync the folder of", path);
}

/* ---- beginning ---- */

static struct status
check_target(struct work *work)
{
    struct stat info;
    const char *const path = work->export->path;
    const char *const form = work->export->is_proven ? "folder" : "file";

    if (lstat(path, &info) != 0) {
        return errno == ENOENT ? OK : failed(work, "cannot look at", path);
    }
    if (!work->export->is_proven && work->export->is_forced && S_ISREG(info.st_mode)) {
        return OK;
    }
    return FAIL(&work->diag, ERR_IO, "%s is there already; name a %s that is not%s", path, form,
                S_ISREG(info.st_mode) && !work->export->is_proven ? ", or say --force" : "");
}

static struct status
begin_folder(struct work *work)
{
    char proofs[PATH_MAX];

    if (mkdir(work->made, 0700) != 0) {
        return failed(work, "cannot make", work->made);
    }
    TRY(join_path(work, work->records, work->made, audit_export_name(work->export->form)));
    TRY(join_path(work, proofs, work->made, AUDIT_EXPORT_PROOFS));
    TRY(create_file(work, proofs, &work->proofs));
    return journal_prover_open(&work->view->place, &work->diag, &work->prover);
}

static struct status
begin(struct work *work)
{
    const char *const path = work->export->path;

    TRY(check_target(work));
    if (snprintf(work->made, sizeof(work->made), "%s.tmp-%ld", path, (long)getpid()) >= PATH_MAX) {
        work->made[0] = '\0';
        return FAIL(&work->diag, ERR_IO, "the path of the export is too long");
    }
    memcpy(work->records, work->made, sizeof(work->records));
    if (work->export->is_proven) {
        TRY(begin_folder(work));
    }
    return create_file(work, work->records, &work->out);
}

/* ---- records ---- */

static struct status
write_proof(struct work *work, const struct journal_record *record, struct diag *diag)
{
    CLEANUP(buf_done) struct buf proof;
    struct diag why = {0};

    buf_init_secret(&proof, PROOF_ROOM);
    const struct status st =
        journal_prover_write(work->prover, record->chain, record->sequence, &proof, &why);
    if (st.code == ERR_JOURNAL) { /* nothing that is signed covers it yet */
        work->why_unproven = work->unproven++ == 0 ? why : work->why_unproven;
        return OK;
    }
    if (!is_ok(st)) {
        return FAIL(diag, st.code, "%s", why.text);
    }
    TRY(buf_append_cstr(&proof, "\n", diag));
    return fwrite(proof.p, 1, proof.n, work->proofs) == proof.n
               ? OK
               : FAIL(diag, ERR_IO, "cannot write the proofs");
}

static struct status
render(const struct audit_writing *writing, const struct journal_record *record, struct buf *out,
       struct diag *diag)
{
    struct work *const work = writing->form;

    TRY(audit_export_record(work->export->form, &work->view->source, record, out, diag));
    return work->proofs == NULL ? OK : write_proof(work, record, diag);
}

static struct status
put(struct work *work, const char *text)
{
    return fputs(text, work->out) >= 0 ? OK : failed(work, "cannot write", work->records);
}

static struct status
write_records(struct work *work, const struct audit_index_query *query)
{
    const struct audit_writing writing = {render, work->view, work};

    TRY(put(work, audit_export_head(work->export->form)));
    TRY(audit_search_write_all(&work->search, query, &writing, work->out, &work->diag,
                               &work->written));
    TRY(put(work, audit_export_foot(work->export->form)));
    return finish_file(work, &work->out, work->records);
}

/* ---- the folder's other files ---- */

static struct status
describe(struct work *work, const struct audit_index_query *query, struct buf *text)
{
    struct jsonw w;
    char time[DATETIME_MAX];

    jsonw_init(&w, text, true, &work->diag);
    jsonw_object(&w);
    jsonw_key_text(&w, "format", SPAN("isthmus-audit-export-1"));
    jsonw_key_text(&w, "community", span_of_cstr(work->view->source.enterprise_site));
    datetime_write_xs(clock_wall_us(clock_system()), time);
    jsonw_key_text(&w, "made", span_of_cstr(time));
    jsonw_key_text(&w, "asked", span_of_cstr(work->export->asked));
    jsonw_key(&w, "patients");
    jsonw_array(&w);
    for (size_t i = 0; i < query->patients.n; i++) {
        jsonw_string(&w, query->patients.items[i]);
    }
    jsonw_close(&w);
    jsonw_key_text(&w, "records_file", span_of_cstr(audit_export_name(work->export->form)));
    jsonw_key_text(&w, "proofs_file", SPAN(AUDIT_EXPORT_PROOFS));
    jsonw_key_int(&w, "records", (int64_t)work->written);
    jsonw_key_int(&w, "without_proof", (int64_t)work->unproven);
    jsonw_close(&w);
    TRY(jsonw_finish(&w));
    return buf_append_cstr(text, "\n", &work->diag);
}

static struct status
write_manifest(struct work *work, const struct audit_index_query *query)
{
    CLEANUP(buf_done) struct buf text;
    char path[PATH_MAX];
    FILE *file = NULL;

    buf_init_secret(&text, MANIFEST_ROOM);
    TRY(describe(work, query, &text));
    TRY(join_path(work, path, work->made, AUDIT_EXPORT_MANIFEST));
    TRY(create_file(work, path, &file));
    const bool is_written = fwrite(text.p, 1, text.n, file) == text.n;
    TRY(finish_file(work, &file, path));
    return is_written ? OK : failed(work, "cannot write", path);
}

static struct status
finish_folder(struct work *work, const struct audit_index_query *query)
{
    TRY(finish_file(work, &work->proofs, AUDIT_EXPORT_PROOFS));
    TRY(write_manifest(work, query));
    return sync_folder_of(work, work->records);
}

/* ---- ending ---- */

/* A link never replaces what is there, a folder's rename neither. */
static struct status
publish(struct work *work)
{
    const char *const path = work->export->path;
    const bool may_replace = work->export->is_proven || work->export->is_forced;

    if (may_replace ? rename(work->made, path) != 0 : link(work->made, path) != 0) {
        return failed(work, "cannot make", path);
    }
    if (!may_replace) {
        (void)unlink(work->made);
    }
    work->made[0] = '\0';
    return sync_folder_of(work, path);
}

static void
remove_name(const char *folder, const char *name)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/%s", folder, name) < PATH_MAX) {
        (void)unlink(path);
    }
}

/* Whatever was not published goes. */
static void
clean_up(struct work *work)
{
    if (work->out != NULL) {
        (void)fclose(work->out);
    }
    if (work->proofs != NULL) {
        (void)fclose(work->proofs);
    }
    journal_prover_close(work->prover);
    audit_search_close(&work->search);
    if (work->made[0] == '\0') {
        return;
    }
    if (work->export->is_proven) {
        remove_name(work->made, audit_export_name(work->export->form));
        remove_name(work->made, AUDIT_EXPORT_PROOFS);
        remove_name(work->made, AUDIT_EXPORT_MANIFEST);
        (void)rmdir(work->made);
    } else {
        (void)unlink(work->made);
    }
}

static struct status
make(struct work *work, const struct audit_index_query *query)
{
    TRY(begin(work));
    TRY(audit_search_open(work->view, &work->diag, &work->search));
    TRY(write_records(work, query));
    if (work->proofs != NULL) {
        TRY(finish_folder(work, query));
    }
    TRY(audit_view_admit(work->view, work->written, &work->diag));
    return publish(work);
}

static enum cli_exit
tell(const struct work *work)
{
    const bool is_json = work->view->form == AUDIT_FORM_JSON;
    const int n = fprintf(work->view->out,
                          is_json ? "{\"records\":%" PRIu64 ",\"without_proof\":%" PRIu64 "}\n"
                                  : "%" PRIu64 " records written\n",
                          work->written, work->unproven);

    if (work->unproven > 0) {
        cli_complain(work->view->command,
                     "%" PRIu64 " of them have no proof yet, because no signed checkpoint covers "
                     "them; the first: %s",
                     work->unproven, work->why_unproven.text);
    }
    if (n < 0 || work->search.has_failed) {
        return CLI_FAILED;
    }
    return work->unproven > 0 ? CLI_PARTIAL : CLI_DONE;
}

enum cli_exit
audit_export(const struct audit_view *view, const struct audit_index_query *query,
             const struct audit_export *export)
{
    struct work work = {.view = view, .export = export};
    const struct status st = make(&work, query);

    if (!is_ok(st)) {
        cli_error(view->command, &work.diag);
    }
    const enum cli_exit exit_code = is_ok(st) ? tell(&work) : CLI_FAILED;
    clean_up(&work);
    return exit_code;
}
