/*
 * Works out and writes the truth. Called by generate.c and popular.c.
 */
#include "tests/synth/truth.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/jsonw.h"

#define TRUTH_MAX_BYTES ((size_t)64 * 1024 * 1024)

static struct status
add_document(struct truth_expected *expected, const struct truth_item *item, struct arena *arena,
             struct diag *diag)
{
    for (size_t i = 0; i < expected->documents.n; i++) {
        struct truth_document *known = &expected->documents.items[i];

        if (span_eq(known->sha256, item->document.sha256)) {
            return ARENA_PUSH(arena, diag, &known->files, item->path);
        }
    }
    TRY(ARENA_PUSH(arena, diag, &expected->documents, item->document));
    return ARENA_PUSH(arena, diag, &expected->documents.items[expected->documents.n - 1].files,
                      item->path);
}

static struct status
subject_of(const struct truth_question *question, struct arena *arena, struct diag *diag,
           struct rules_subject *ret_subject)
{
    struct rules_subject subject = {.names_n = 1, .birth = question->birth, .sex = question->sex};

    subject.names[0] = question->who;
    TRY(rules_prepare(arena, &subject, diag));
    *ret_subject = subject;
    return OK;
}

struct status
truth_expect(const struct truth_items *items, size_t community,
             const struct truth_question *question, struct arena *arena, struct diag *diag,
             struct truth_expected *ret_expected)
{
    struct truth_expected expected = {.community = community};
    struct rules_subject asked;
    struct rules_subject *subjects = NULL;
    size_t *persons = NULL;
    size_t person = SIZE_MAX;

    TRY(subject_of(question, arena, diag, &asked));
    TRY(ARENA_ARRAY(arena, items->n + 1, diag, &subjects));
    TRY(ARENA_ARRAY(arena, items->n + 1, diag, &persons));
    for (size_t i = 0; i < items->n; i++) {
        subjects[i] = items->items[i].subject;
        persons[i] = items->items[i].person;
    }
    expected.answer = rules_ask(&asked, subjects, persons, items->n, &person);
    for (size_t i = 0; i < items->n && expected.answer == RULES_MATCH; i++) {
        if (persons[i] == person) {
            TRY(add_document(&expected, &items->items[i], arena, diag));
        }
    }
    *ret_expected = expected;
    return OK;
}

static void
write_document(struct jsonw *w, const struct truth_document *document)
{
    jsonw_object(w);
    jsonw_key_text(w, "sha256", document->sha256);
    jsonw_key_int(w, "bytes", (int64_t)document->bytes);
    jsonw_key_text(w, "type", document->type);
    jsonw_key_text(w, "title", document->title);
    jsonw_key_text(w, "confidentiality", document->confidentiality);
    jsonw_key(w, "files");
    jsonw_array(w);
    for (size_t i = 0; i < document->files.n; i++) {
        jsonw_string(w, document->files.items[i]);
    }
    jsonw_close(w);
    jsonw_close(w);
}

static void
write_expected(struct jsonw *w, const struct truth *truth, const struct truth_expected *expected)
{
    const struct truth_community *community = &truth->communities.items[expected->community];

    jsonw_object(w);
    jsonw_key_text(w, "community", community->oid);
    jsonw_key_text(w, "name", community->name);
    jsonw_key_text(w, "status", span_of_cstr(rules_answer_name(expected->answer)));
    jsonw_key(w, "documents");
    jsonw_array(w);
    for (size_t i = 0; i < expected->documents.n; i++) {
        write_document(w, &expected->documents.items[i]);
    }
    jsonw_close(w);
    jsonw_close(w);
}

static void
write_question(struct jsonw *w, const struct truth *truth, const struct truth_question *question)
{
    const struct truth_community *asker = &truth->communities.items[question->asker];

    jsonw_object(w);
    jsonw_key_text(w, "case", question->name);
    jsonw_key_text(w, "note", question->note);
    jsonw_key_text(w, "asker", asker->oid);
    jsonw_key_text(w, "asker_name", asker->name);
    jsonw_key_text(w, "family", question->who.family);
    jsonw_key(w, "given");
    jsonw_array(w);
    for (size_t i = 0; i < question->who.given_n; i++) {
        jsonw_string(w, question->who.given[i]);
    }
    jsonw_close(w);
    jsonw_key_text(w, "birth_date", question->birth);
    jsonw_key_text(w, "sex", question->sex);
    jsonw_key(w, "expected");
    jsonw_array(w);
    for (size_t i = 0; i < question->expected.n; i++) {
        write_expected(w, truth, &question->expected.items[i]);
    }
    jsonw_close(w);
    jsonw_close(w);
}

static struct status
write_json(const struct truth *truth, struct buf *out, struct diag *diag)
{
    struct jsonw w;

    jsonw_init(&w, out, true, diag);
    jsonw_object(&w);
    jsonw_key_text(&w, "format", SPAN(TRUTH_FORMAT));
    jsonw_key_text(&w, "source", truth->source);
    jsonw_key_int(&w, "seed", (int64_t)truth->seed);
    jsonw_key(&w, "communities");
    jsonw_array(&w);
    for (size_t i = 0; i < truth->communities.n; i++) {
        jsonw_object(&w);
        jsonw_key_text(&w, "name", truth->communities.items[i].name);
        jsonw_key_text(&w, "id", truth->communities.items[i].oid);
        jsonw_key_int(&w, "files", (int64_t)truth->communities.items[i].files);
        jsonw_close(&w);
    }
    jsonw_close(&w);
    jsonw_key(&w, "questions");
    jsonw_array(&w);
    for (size_t i = 0; i < truth->questions.n; i++) {
        write_question(&w, truth, &truth->questions.items[i]);
    }
    jsonw_close(&w);
    jsonw_close(&w);
    TRY(jsonw_finish(&w));
    return buf_append_char(out, '\n', diag);
}

struct status
truth_write_file(const char *path, bool is_new, struct span content, struct diag *diag)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (is_new ? O_EXCL : O_TRUNC), 0644);

    if (fd == -1) {
        return FAIL(diag, ERR_IO, "%s: cannot be made: %s", path, strerror(errno));
    }
    while (content.n > 0) {
        const ssize_t written = write(fd, content.p, content.n);

        if (written == -1 && errno != EINTR) {
            const struct status failed =
                FAIL(diag, ERR_IO, "%s: cannot be written: %s", path, strerror(errno));

            close(fd);
            return failed;
        }
        content = span_slice(content, written < 0 ? 0 : (size_t)written, content.n);
    }
    if (close(fd) == -1) {
        return FAIL(diag, ERR_IO, "%s: cannot be closed: %s", path, strerror(errno));
    }
    return OK;
}

struct status
truth_write(const struct truth *truth, const char *path, struct diag *diag)
{
    struct buf out;

    buf_init(&out, TRUTH_MAX_BYTES);
    struct status st = write_json(truth, &out, diag);

    if (is_ok(st)) {
        st = truth_write_file(path, false, buf_span(&out), diag);
    }
    buf_done(&out);
    return st;
}
