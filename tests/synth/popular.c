/*
 * Reads every document of a corpus, groups the documents of each folder by the stated rules, picks
 * the patient and writes the truth. Called by synth.c.
 */
#include "tests/synth/popular.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/patient.h"
#include "tests/synth/ccda_read.h"
#include "tests/synth/spelling.h"
#include "tests/synth/truth.h"

#define CORPUS_ARENA_BYTES ((size_t)512 * 1024 * 1024)
#define DOCUMENT_MAX_BYTES ((size_t)64 * 1024 * 1024)
#define COMMUNITIES_MAX    256

struct corpus {
    const struct popular_options *options;
    struct arena *arena;
    struct diag *diag;
    FILE *notes;
    struct truth truth;
    struct truth_items items[COMMUNITIES_MAX];
    TRUTH_LIST(struct truth_question) candidates; /* as written, one per file and name */
};

/* ---- reading ---- */

static int
is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* The entries of a folder that are folders or are not, in the order of their names. */
static struct status
list_folder(struct corpus *corpus, const char *path, bool is_folder, struct span_list *ret_names)
{
    struct dirent **entries = NULL;
    const int n = scandir(path, &entries, is_visible, by_name);
    struct status st = OK;

    if (n < 0) {
        return FAIL(corpus->diag, ERR_IO, "%s: %s", path, strerror(errno));
    }
    for (int i = 0; i < n; i++) {
        struct span full, name;
        struct stat info;

        if (is_ok(st)) {
            st =
                arena_printf(corpus->arena, corpus->diag, &full, "%s/%s", path, entries[i]->d_name);
        }
        if (is_ok(st) && stat(full.p, &info) == 0 && S_ISDIR(info.st_mode) == is_folder) {
            st = arena_dup(corpus->arena, span_of_cstr(entries[i]->d_name), corpus->diag, &name);
            if (is_ok(st)) {
                st = ARENA_PUSH(corpus->arena, corpus->diag, ret_names, name);
            }
        }
        free(entries[i]); /* scandir's own */
    }
    free(entries);
    return st;
}

/* Every name of the document is somebody whom one could ask for. */
static struct status
add_candidates(struct corpus *corpus, const struct rules_subject *subject)
{
    for (size_t i = 0; i < subject->names_n; i++) {
        struct truth_question question = {.name = SPAN("popular"),
                                          .who = subject->names[i],
                                          .birth = span_slice(subject->birth, 0, 8),
                                          .sex = subject->sex};

        if (question.who.given_n > 0) {
            question.who.given_n = 1;
            TRY(ARENA_PUSH(corpus->arena, corpus->diag, &corpus->candidates, question));
        }
    }
    return OK;
}

static struct status
add_document(struct corpus *corpus, size_t community, struct span path, struct span bytes)
{
    struct truth_item item = {.path = path};
    struct diag unread = {0};
    struct ccda_facts facts;
    char sha256[SHA256_HEX];

    if (!is_ok(ccda_read(bytes, path.p, corpus->arena, &unread, &facts))) {
        fprintf(corpus->notes, "note: left out: %s\n", unread.text);
        return OK;
    }
    TRY(add_candidates(corpus, &facts.subject));
    item.subject = facts.subject;
    item.document.bytes = bytes.n;
    item.document.confidentiality = facts.confidentiality;
    TRY(rules_prepare(corpus->arena, &item.subject, corpus->diag));
    TRY(digest_sha256_hex(bytes, corpus->diag, sha256));
    TRY(arena_dup(corpus->arena, span_of_cstr(sha256), corpus->diag, &item.document.sha256));
    return ARENA_PUSH(corpus->arena, corpus->diag, &corpus->items[community], item);
}

static struct status
read_file(struct corpus *corpus, size_t community, struct span folder, struct span name)
{
    struct span path, full;
    struct buf bytes;

    TRY(arena_printf(corpus->arena, corpus->diag, &path, "%.*s/%.*s", SPAN_PRINT(folder),
                     SPAN_PRINT(name)));
    TRY(arena_printf(corpus->arena, corpus->diag, &full, "%s/%.*s", corpus->options->dir,
                     SPAN_PRINT(path)));
    buf_init(&bytes, DOCUMENT_MAX_BYTES);
    struct status st = buf_read_file(&bytes, full.p, corpus->diag);

    if (is_ok(st)) {
        st = add_document(corpus, community, path, buf_span(&bytes));
    }
    buf_done(&bytes);
    return st;
}

static struct status
group_folder(struct corpus *corpus, size_t community)
{
    struct truth_items *items = &corpus->items[community];
    struct rules_subject *subjects = NULL;
    size_t *persons = NULL;
    bool is_clear = true;

    TRY(ARENA_ARRAY(corpus->arena, items->n + 1, corpus->diag, &subjects));
    TRY(ARENA_ARRAY(corpus->arena, items->n + 1, corpus->diag, &persons));
    for (size_t i = 0; i < items->n; i++) {
        subjects[i] = items->items[i].subject;
    }
    TRY(rules_group(corpus->arena, subjects, items->n, corpus->diag, persons, &is_clear));
    for (size_t i = 0; i < items->n; i++) {
        items->items[i].person = persons[i];
    }
    if (!is_clear) {
        fprintf(corpus->notes, "note: %.*s: the rules do not settle who is who\n",
                SPAN_PRINT(corpus->truth.communities.items[community].name));
    }
    return OK;
}

static struct status
read_folder(struct corpus *corpus, struct span folder)
{
    const size_t index = corpus->truth.communities.n;
    struct truth_community community = {.name = folder};
    struct span_list names = {0};
    struct span path;

    if (index == COMMUNITIES_MAX) {
        return FAIL(corpus->diag, ERR_USAGE, "%s: more than %d folders", corpus->options->dir,
                    COMMUNITIES_MAX);
    }
    TRY(arena_printf(corpus->arena, corpus->diag, &community.oid, "2.999.%zu", index + 1));
    TRY(arena_printf(corpus->arena, corpus->diag, &path, "%s/%.*s", corpus->options->dir,
                     SPAN_PRINT(folder)));
    TRY(list_folder(corpus, path.p, false, &names));
    for (size_t i = 0; i < names.n; i++) {
        TRY(read_file(corpus, index, folder, names.items[i]));
    }
    community.files = corpus->items[index].n;
    TRY(ARENA_PUSH(corpus->arena, corpus->diag, &corpus->truth.communities, community));
    return group_folder(corpus, index);
}

static struct status
read_corpus(struct corpus *corpus)
{
    struct span_list folders = {0};

    TRY(list_folder(corpus, corpus->options->dir, true, &folders));
    for (size_t i = 0; i < folders.n; i++) {
        TRY(read_folder(corpus, folders.items[i]));
    }
    if (corpus->truth.communities.n == 0) {
        return FAIL(corpus->diag, ERR_USAGE, "%s: no sub-folders; expected one per community",
                    corpus->options->dir);
    }
    return OK;
}

/* ---- choosing ---- */

/* Demographics as one text that is equal for equal ones, and orders candidates. */
static struct status
key_of(struct corpus *corpus, const struct truth_question *question, struct span *ret_key)
{
    struct span family, given;

    TRY(spelling_fold(corpus->arena, question->who.family, corpus->diag, &family));
    TRY(spelling_fold(corpus->arena, question->who.given[0], corpus->diag, &given));
    return arena_printf(corpus->arena, corpus->diag, ret_key, "%.*s,%.*s,%.*s,%.*s",
                        SPAN_PRINT(family), SPAN_PRINT(given), SPAN_PRINT(question->birth),
                        SPAN_PRINT(question->sex));
}

/* In how many folders somebody with just these demographics occurs. */
static size_t
count_folders(const struct corpus *corpus, const struct rules_subject *subject)
{
    size_t folders = 0;

    for (size_t i = 0; i < corpus->truth.communities.n; i++) {
        bool occurs = false;

        for (size_t j = 0; j < corpus->items[i].n; j++) {
            const struct rules_subject *other = &corpus->items[i].items[j].subject;

            occurs = occurs || (span_eq(other->sex, subject->sex) && rules_agree(other, subject));
        }
        folders += occurs ? 1 : 0;
    }
    return folders;
}

static struct status
choose_most_popular(struct corpus *corpus, struct truth_question *ret_question)
{
    struct span best_key = SPAN_EMPTY;
    size_t most = 0;

    for (size_t i = 0; i < corpus->candidates.n; i++) {
        const struct truth_question *candidate = &corpus->candidates.items[i];
        struct rules_subject subject = {
            .names_n = 1, .birth = candidate->birth, .sex = candidate->sex};
        struct span key;

        subject.names[0] = candidate->who;
        TRY(rules_prepare(corpus->arena, &subject, corpus->diag));
        TRY(key_of(corpus, candidate, &key));
        const size_t n = count_folders(corpus, &subject);

        if (n > most || (n == most && n > 0 && span_compare(key, best_key) < 0)) {
            most = n;
            best_key = key;
            *ret_question = *candidate;
        }
    }
    if (most == 0) {
        return FAIL(corpus->diag, ERR_NOT_FOUND, "%s: no document with a patient",
                    corpus->options->dir);
    }
    return OK;
}

static struct status
read_patient(struct corpus *corpus, struct truth_question *ret_question)
{
    struct span text = corpus->options->patient;
    struct truth_question question = {.name = SPAN("popular")};
    struct span extra;

    question.who.given_n = 1;
    if (!span_split(&text, ',', &question.who.family) ||
        !span_split(&text, ',', &question.who.given[0]) ||
        !span_split(&text, ',', &question.birth) || !span_split(&text, ',', &question.sex) ||
        span_split(&text, ',', &extra) || question.birth.n != 8) {
        return FAIL(corpus->diag, ERR_USAGE,
                    "--patient must be FAMILY,GIVEN,BIRTHDATE,SEX with a birth date of 8 digits");
    }
    *ret_question = question;
    return OK;
}

static struct status
choose_asker(struct corpus *corpus, struct truth_question *question)
{
    const struct span wanted = corpus->options->asker;

    question->asker = 0;
    for (size_t i = corpus->truth.communities.n; i > 0; i--) {
        const bool is_wanted = wanted.n > 0
                                   ? span_eq(corpus->truth.communities.items[i - 1].name, wanted)
                                   : question->expected.items[i - 1].answer == RULES_NO_MATCH;

        if (is_wanted) {
            question->asker = i - 1;
        }
    }
    if (wanted.n > 0 && !span_eq(corpus->truth.communities.items[question->asker].name, wanted)) {
        return FAIL(corpus->diag, ERR_USAGE, "--asker %.*s: no such folder", SPAN_PRINT(wanted));
    }
    return OK;
}

static struct status
answer(struct corpus *corpus, struct truth_question *question)
{
    for (size_t i = 0; i < corpus->truth.communities.n; i++) {
        struct truth_expected expected;

        TRY(truth_expect(&corpus->items[i], i, question, corpus->arena, corpus->diag, &expected));
        TRY(ARENA_PUSH(corpus->arena, corpus->diag, &question->expected, expected));
    }
    return choose_asker(corpus, question);
}

static struct status
run(struct corpus *corpus, FILE *out)
{
    struct truth_question question;

    TRY(read_corpus(corpus));
    if (corpus->options->patient.n > 0) {
        TRY(read_patient(corpus, &question));
    } else {
        TRY(choose_most_popular(corpus, &question));
    }
    TRY(answer(corpus, &question));
    corpus->truth.source = SPAN("popular");
    TRY(ARENA_PUSH(corpus->arena, corpus->diag, &corpus->truth.questions, question));
    fprintf(out, "%.*s,%.*s,%.*s,%.*s\n", SPAN_PRINT(question.who.family),
            SPAN_PRINT(question.who.given[0]), SPAN_PRINT(question.birth),
            SPAN_PRINT(question.sex));
    return corpus->options->truth == NULL
               ? OK
               : truth_write(&corpus->truth, corpus->options->truth, corpus->diag);
}

struct status
popular(const struct popular_options *options, FILE *out, FILE *notes, struct diag *diag)
{
    struct arena *arena = arena_new(CORPUS_ARENA_BYTES);
    struct corpus *corpus = NULL;

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the corpus");
    }
    struct status st = ARENA_NEW(arena, diag, &corpus);

    if (is_ok(st)) {
        corpus->options = options;
        corpus->arena = arena;
        corpus->diag = diag;
        corpus->notes = notes;
        st = run(corpus, out);
    }
    arena_free(arena);
    return st;
}
