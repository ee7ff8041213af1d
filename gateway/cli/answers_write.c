/*
 * Answers as JSON, as a table for people, and as a folder of documents with both. Called by the
 * asking commands after answers_collect.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/answers.h"

#include "base/mem.h"
#include "base/text.h"

#define INDEX_LIMIT ((size_t)64 * 1024 * 1024)
#define INDEX_NAME  "index.json"

/* ---- JSON ---- */

static void
write_patient(struct jsonw *w, const struct patient *patient)
{
    jsonw_key(w, "patient");
    jsonw_object(w);
    if (patient->names.n > 0) {
        const struct person_name *name = &patient->names.items[0];

        jsonw_key_text(w, "family", name->family);
        jsonw_key(w, "given");
        jsonw_array(w);
        for (size_t i = 0; i < name->given.n; i++) {
            jsonw_string(w, name->given.items[i]);
        }
        jsonw_close(w);
    }
    jsonw_key_text(w, "birth_date", patient->birth_time);
    jsonw_key_text(w, "sex", patient->sex);
    jsonw_close(w);
}

static void
write_row(struct jsonw *w, const struct answer_row *row)
{
    jsonw_object(w);
    jsonw_key_text(w, "community", row->community);
    jsonw_key(w, "partner");
    jsonw_string(w, span_of_cstr(row->partner));
    jsonw_key_text(w, "name", span_of_cstr(row->name));
    jsonw_key_text(w, "status", span_of_cstr(row->status));
    jsonw_key(w, "patient_id");
    jsonw_string(w, row->patient_id);
    jsonw_key_bool(w, "remembered", row->is_remembered);
    jsonw_key_int(w, "documents", (int64_t)row->documents);
    jsonw_key_text(w, "collect", span_of_cstr(row->collect));
    jsonw_key(w, "error");
    jsonw_string(w, row->error);
    jsonw_key_int(w, "milliseconds", row->elapsed_us / US_PER_MS);
    jsonw_close(w);
}

static void
write_entry(struct jsonw *w, const struct document_entry *entry)
{
    jsonw_key_text(w, "title", entry->title);
    jsonw_key_text(w, "type", entry->type_code.value);
    jsonw_key_text(w, "type_name", entry->type_code.display);
    jsonw_key_text(w, "format", entry->format_code.value);
    jsonw_key_text(w, "created", entry->creation_time);
    jsonw_key_text(w, "entry_uuid", entry->entry_uuid);
}

static struct span
bare_oid(struct span home)
{
    struct span oid;

    return home_community_oid(home, &oid) ? oid : home;
}

static const char *
file_of(const struct answers *answers, size_t i)
{
    return answers->files == NULL || i == SIZE_MAX ? "" : answers->files[i];
}

static void
write_document(struct jsonw *w, const struct answers *answers, size_t i)
{
    const struct asking_document *document = &answers->asking->documents.items[i];

    jsonw_object(w);
    jsonw_key_text(w, "file", span_of_cstr(file_of(answers, i)));
    jsonw_key_text(w, "community", bare_oid(document->ref.home));
    jsonw_key_text(w, "repository", document->ref.repository);
    jsonw_key_text(w, "unique_id", document->ref.unique_id);
    write_entry(w, &document->entry);
    jsonw_key_text(w, "mime_type", document->mime_type);
    jsonw_key_int(w, "size", (int64_t)document->body.size);
    jsonw_key_text(w, "sha256", span_of_cstr(document->sha256));
    jsonw_key(w, "duplicate_of");
    jsonw_string(w, span_of_cstr(file_of(answers, document->duplicate_of)));
    jsonw_key_bool(w, "is_hash_wrong", document->is_hash_wrong);
    jsonw_close(w);
}

/* A query's answer: what could be fetched. */
static void
write_found(struct jsonw *w, const struct leg_list *legs)
{
    for (size_t i = 0; i < legs->n; i++) {
        for (size_t d = 0; d < legs->items[i].objects.documents.n; d++) {
            const struct document_entry *entry = &legs->items[i].objects.documents.items[d];

            jsonw_object(w);
            jsonw_key_text(w, "community", bare_oid(entry->home));
            jsonw_key_text(w, "repository", entry->repository);
            jsonw_key_text(w, "unique_id", entry->unique_id);
            write_entry(w, entry);
            jsonw_key_text(w, "mime_type", entry->mime_type);
            jsonw_key_int(w, "size", (int64_t)entry->size);
            jsonw_key_text(w, "sha1", entry->hash);
            jsonw_close(w);
        }
    }
}

/* What answers brought and nobody gets to see, by the partner that sent it. */
static void
write_dropped(struct jsonw *w, const struct asking *asking)
{
    jsonw_key(w, "dropped");
    jsonw_array(w);
    for (size_t r = 0; r < ASKING_ROUNDS; r++) {
        for (size_t i = 0; i < asking->legs[r].n; i++) {
            const struct leg *leg = &asking->legs[r].items[i];

            if (leg->dropped == 0) {
                continue;
            }
            jsonw_object(w);
            jsonw_key_text(w, "partner", span_of_cstr(leg->partner->id));
            jsonw_key_text(w, "transaction",
                           span_of_cstr(soap_transaction(leg->transaction)->name));
            jsonw_key_int(w, "count", (int64_t)leg->dropped);
            jsonw_key_int(w, "foreign", (int64_t)leg->dropped_foreign);
            jsonw_key_text(w, "why", span_of_cstr(leg->dropped_why));
            jsonw_close(w);
        }
    }
    jsonw_close(w);
}

/* Whom communities returned that contradict the question; nothing went on with them. */
static void
write_quarantined(struct jsonw *w, const struct leg_list *legs)
{
    jsonw_key(w, "quarantined");
    jsonw_array(w);
    for (size_t i = 0; i < legs->n; i++) {
        for (size_t k = 0; k < legs->items[i].quarantined.n; k++) {
            const struct leg_quarantined *one = &legs->items[i].quarantined.items[k];
            const struct ident *id = &one->match.patient.ids.items[0];

            jsonw_object(w);
            jsonw_key_text(w, "partner", span_of_cstr(legs->items[i].partner->id));
            jsonw_key_text(w, "community", one->match.home);
            jsonw_key_text(w, "rule", span_of_cstr(match_rule_name(one->rule)));
            jsonw_key_text(w, "why", span_of_cstr(match_rule_text(one->rule)));
            jsonw_key_text(w, "id_root", id->root);
            jsonw_key_text(w, "id_extension", id->extension);
            write_patient(w, &one->match.patient);
            jsonw_close(w);
        }
    }
    jsonw_close(w);
}

struct status
answers_write_json(const struct answers *answers, struct buf *out, struct diag *diag)
{
    const struct asking *asking = answers->asking;
    struct jsonw w;

    jsonw_init(&w, out, true, diag);
    jsonw_object(&w);
    if (asking->order.who.names.n > 0) {
        write_patient(&w, &asking->order.who);
    }
    jsonw_key_text(&w, "asked", span_of_cstr(asking->node->config->community));
    jsonw_key(&w, "communities");
    jsonw_array(&w);
    for (size_t i = 0; i < answers->rows.n; i++) {
        write_row(&w, &answers->rows.items[i]);
    }
    jsonw_close(&w);
    jsonw_key(&w, "documents");
    jsonw_array(&w);
    if (asking->order.goal == ASKING_QUERY) {
        write_found(&w, &asking->legs[1]);
    } else {
        for (size_t i = 0; i < asking->documents.n; i++) {
            write_document(&w, answers, i);
        }
    }
    jsonw_close(&w);
    write_dropped(&w, asking);
    write_quarantined(&w, &asking->legs[0]);
    jsonw_key_int(&w, "failed_partners", answers->failed_partners);
    jsonw_key_int(&w, "audit_records", asking->records_n);
    jsonw_close(&w);
    TRY(jsonw_finish(&w));
    return buf_append_char(out, '\n', diag);
}

/* ---- text ---- */

/* Text from elsewhere, made safe for a terminal, and padded to a column. */
static struct status
put_cell(struct buf *out, struct span text, size_t width, struct diag *diag)
{
    const size_t before = out->n;
    size_t columns;

    TRY(text_show(text, out, diag));
    columns = text_columns(span_of(out->p + before, out->n - before));
    for (size_t i = columns; i < width; i++) {
        TRY(buf_append_char(out, ' ', diag));
    }
    return buf_append_cstr(out, "  ", diag);
}

static size_t
wider(size_t width, struct span text)
{
    const size_t columns = text_columns(text);

    return columns > width ? columns : width;
}

static struct status
end_line(struct buf *out, struct diag *diag)
{
    while (out->n > 0 && out->p[out->n - 1] == ' ') {
        out->n--;
    }
    return buf_append_char(out, '\n', diag);
}

static const char *
command_of(const struct answers *answers)
{
    const enum asking_goal goal = answers->asking->order.goal;

    return goal == ASKING_QUERY ? "query" : goal == ASKING_RETRIEVE ? "retrieve" : "discover";
}

static struct status
put_rows(const struct answers *answers, struct buf *out, struct diag *diag)
{
    const enum asking_goal goal = answers->asking->order.goal;
    const bool is_discovery = goal == ASKING_DISCOVER || goal == ASKING_LOCATE;
    size_t name = strlen("COMMUNITY"), oid = strlen("ID");

    for (size_t i = 0; i < answers->rows.n; i++) {
        name = wider(name, span_of_cstr(answers->rows.items[i].name));
        oid = wider(oid, answers->rows.items[i].community);
    }
    TRY(put_cell(out, SPAN("COMMUNITY"), name, diag));
    TRY(put_cell(out, SPAN("ID"), oid, diag));
    TRY(buf_append_cstr(
        out, is_discovery ? "ANSWER        TIME  PATIENT\n" : "ANSWER     DOCUMENTS     TIME\n",
        diag));
    for (size_t i = 0; i < answers->rows.n; i++) {
        const struct answer_row *row = &answers->rows.items[i];

        TRY(put_cell(out, span_of_cstr(row->name), name, diag));
        TRY(put_cell(out, row->community, oid, diag));
        TRY(is_discovery ? buf_printf(out, diag, "%-9s  ", row->status)
                         : buf_printf(out, diag, "%-9s  %9zu  ", row->status, row->documents));
        TRY(buf_printf(out, diag, "%4lld ms  ", (long long)(row->elapsed_us / US_PER_MS)));
        if (is_discovery && row->patient_id.n > 0) {
            TRY(put_cell(out, row->patient_id, 0, diag));
        }
        if (row->collect != NULL) {
            TRY(buf_printf(out, diag, "answers later: isthmus %s --collect %s  ",
                           command_of(answers), row->collect));
        }
        TRY(text_show(row->error, out, diag));
        TRY(end_line(out, diag));
    }
    return OK;
}

static struct status
put_date(struct buf *out, struct span dtm, struct diag *diag)
{
    uint64_t digits;

    if (dtm.n < 8 || !span_to_u64(span_slice(dtm, 0, 8), UINT64_MAX, &digits)) {
        return put_cell(out, dtm, 10, diag);
    }
    return buf_printf(out, diag, "%.4s-%.2s-%.2s  ", dtm.p, dtm.p + 4, dtm.p + 6);
}

static struct span
title_of(const struct document_entry *entry)
{
    if (entry->title.n > 0) {
        return entry->title;
    }
    return entry->type_code.display.n > 0 ? entry->type_code.display : entry->unique_id;
}

static struct status
put_document(const struct answers *answers, size_t i, struct buf *out, struct diag *diag)
{
    const struct asking_document *document = &answers->asking->documents.items[i];

    TRY(put_date(out, document->entry.creation_time, diag));
    TRY(put_cell(out, bare_oid(document->ref.home), 12, diag));
    TRY(put_cell(out, title_of(&document->entry), 36, diag));
    TRY(buf_printf(out, diag, "%8llu B  %s", (unsigned long long)document->body.size,
                   file_of(answers, i)));
    if (document->duplicate_of != SIZE_MAX) {
        TRY(buf_printf(out, diag, "  (same bytes as %s)",
                       file_of(answers, document->duplicate_of)));
    }
    if (document->is_hash_wrong) {
        TRY(buf_append_cstr(out, "  WARNING: not the bytes that its metadata's hash names", diag));
    }
    return buf_append_char(out, '\n', diag);
}

static struct status
put_found(const struct answers *answers, struct buf *out, struct diag *diag)
{
    const struct leg_list *legs = &answers->asking->legs[1];

    for (size_t i = 0; i < legs->n; i++) {
        for (size_t d = 0; d < legs->items[i].objects.documents.n; d++) {
            const struct document_entry *entry = &legs->items[i].objects.documents.items[d];

            TRY(put_date(out, entry->creation_time, diag));
            TRY(put_cell(out, title_of(entry), 36, diag));
            TRY(buf_printf(out, diag, "%8llu B  ", (unsigned long long)entry->size));
            TRY(text_show(bare_oid(entry->home), out, diag));
            TRY(buf_append_char(out, '/', diag));
            TRY(text_show(entry->repository, out, diag));
            TRY(buf_append_char(out, '/', diag));
            TRY(text_show(entry->unique_id, out, diag));
            TRY(buf_append_char(out, '\n', diag));
        }
    }
    return OK;
}

struct status
answers_write_text(const struct answers *answers, struct buf *out, struct diag *diag)
{
    TRY(put_rows(answers, out, diag));
    if (answers->asking->order.goal == ASKING_QUERY) {
        TRY(buf_append_char(out, '\n', diag));
        return put_found(answers, out, diag);
    }
    if (answers->documents > 0) {
        TRY(buf_append_cstr(out, "\nCREATED     COMMUNITY     DOCUMENT\n", diag));
    }
    for (size_t i = 0; i < answers->documents; i++) {
        TRY(put_document(answers, i, out, diag));
    }
    return OK;
}

/* ---- folder ---- */

/* <dir>/<name>; ERR_IO when that is longer than a path may be. */
static struct status
join(const char *dir, const char *name, struct diag *diag, char ret_path[PATH_MAX])
{
    const int n = snprintf(ret_path, PATH_MAX, "%s/%s", dir, name);

    if (n < 0 || n >= PATH_MAX) {
        return FAIL(diag, ERR_IO, "the path of %s in the folder of -o is too long", name);
    }
    return OK;
}

static struct status
make_folder(const char *path, struct diag *diag)
{
    if (mkdir(path, 0700) == -1 && errno != EEXIST) {
        return FAIL(diag, ERR_IO, "cannot make the folder %s: %s", path, strerror(errno));
    }
    return OK;
}

struct output {
    const char *path;
    int fd;
};

static struct status
write_piece(void *arg, struct span piece, struct diag *diag)
{
    const struct output *output = arg;
    struct span left = piece;

    while (left.n > 0) {
        const ssize_t n = write(output->fd, left.p, left.n);

        if (n == -1) {
            return FAIL(diag, ERR_IO, "cannot write %s: %s", output->path, strerror(errno));
        }
        left = span_slice(left, (size_t)n, left.n);
    }
    return OK;
}

static struct status
write_file(const char *path, const struct body *body, struct diag *diag)
{
    struct output output = {path, open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};

    if (output.fd == -1) {
        return FAIL(diag, ERR_IO, "cannot write %s: %s", path, strerror(errno));
    }
    const struct status st = body_each(body, write_piece, &output, diag);

    if (close(output.fd) == -1 && is_ok(st)) {
        return FAIL(diag, ERR_IO, "cannot write %s: %s", path, strerror(errno));
    }
    return st;
}

static const char *
suffix_of(struct span mime_type)
{
    static const struct {
        const char *mime_type, *suffix;
    } rows[] = {{"text/xml", "xml"},        {"application/xml", "xml"},
                {"application/pdf", "pdf"}, {"text/plain", "txt"},
                {"image/jpeg", "jpg"},      {"image/png", "png"},
                {"text/html", "html"},      {"application/hl7-cda+xml", "xml"}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (span_eq_cstr(mime_type, rows[i].mime_type)) {
            return rows[i].suffix;
        }
    }
    return "bin";
}

/* The community is one that we asked, an OID; number and digest are ours. */
static struct status
name_document(const struct answers *answers, size_t i, struct diag *diag, const char **ret_name)
{
    const struct asking_document *document = &answers->asking->documents.items[i];
    struct span oid, name;

    if (!home_community_oid(document->ref.home, &oid)) {
        return FAIL(diag, ERR_INTERNAL, "a document without a homeCommunityId was collected");
    }
    TRY(arena_printf(answers->asking->txn.arena, diag, &name, "documents/%.*s/%03zu-%.12s.%s",
                     SPAN_PRINT(oid), i + 1, document->sha256, suffix_of(document->mime_type)));
    *ret_name = name.p;
    return OK;
}

static struct status
write_one(const struct answers *answers, const char *dir, size_t i, struct diag *diag)
{
    const struct asking_document *document = &answers->asking->documents.items[i];
    char path[PATH_MAX];
    char *slash;

    TRY(join(dir, answers->files[i], diag, path));
    slash = strrchr(path, '/');
    *slash = '\0';
    TRY(make_folder(path, diag));
    *slash = '/';
    return write_file(path, &document->body, diag);
}

static struct status
write_index(const struct answers *answers, const char *dir, const char *name,
            struct status (*write)(const struct answers *, struct buf *, struct diag *),
            struct diag *diag)
{
    CLEANUP(buf_done) struct buf text;
    char path[PATH_MAX];

    buf_init_secret(&text, INDEX_LIMIT);
    TRY(write(answers, &text, diag));
    TRY(join(dir, name, diag, path));
    const struct body body = body_over(buf_span(&text));

    return write_file(path, &body, diag);
}

struct status
answers_prepare_folder(const char *dir, struct diag *diag)
{
    char path[PATH_MAX];

    TRY(make_folder(dir, diag));
    TRY(join(dir, INDEX_NAME, diag, path));
    if (access(path, F_OK) == 0) {
        return FAIL(diag, ERR_IO,
                    "%s holds the documents of an earlier answer; say another folder, so that "
                    "documents of different people never lie together",
                    dir);
    }
    TRY(join(dir, "documents", diag, path));
    return make_folder(path, diag);
}

struct status
answers_write_folder(struct answers *answers, const char *dir, struct diag *diag)
{
    const char **files;

    TRY(ARENA_ARRAY(answers->asking->txn.arena, answers->documents + 1, diag, &files));
    for (size_t i = 0; i < answers->documents; i++) {
        TRY(name_document(answers, i, diag, &files[i]));
    }
    answers->files = files;
    for (size_t i = 0; i < answers->documents; i++) {
        TRY(write_one(answers, dir, i, diag));
    }
    TRY(write_index(answers, dir, INDEX_NAME, answers_write_json, diag));
    return write_index(answers, dir, "index.txt", answers_write_text, diag);
}
