/*
 * Holds the index of a gather, and the files that it names, against the truth. Called by synth.c.
 * Every difference is printed and counted; nothing stops at the first.
 */
#include "tests/synth/compare.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/digest.h"
#include "tests/synth/json_read.h"
#include "tests/synth/truth.h"

#define COMPARE_ARENA_BYTES ((size_t)256 * 1024 * 1024)
#define DOCUMENT_MAX_BYTES  ((size_t)64 * 1024 * 1024)

struct index_community {
    struct span oid, status, error;
};

struct index_document {
    struct span file, community, repository, unique_id, title, type, sha256, duplicate_of;
    uint64_t size;
};

struct index {
    struct span asked;
    uint64_t failed_partners;
    TRUTH_LIST(struct index_community) communities;
    TRUTH_LIST(struct index_document) documents;
};

struct comparison {
    const struct compare_options *options;
    struct truth truth;
    const struct truth_question *question;
    struct index index;
    struct arena *arena;
    struct diag *diag;
    FILE *out;
    struct compare_result result;
};

static void differ(struct comparison *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
differ(struct comparison *c, const char *format, ...)
{
    va_list arguments;

    c->result.differences++;
    fputs("difference: ", c->out);
    va_start(arguments, format);
    vfprintf(c->out, format, arguments);
    va_end(arguments);
    fputc('\n', c->out);
}

/* ---- the index ---- */

static struct status
read_community(const struct json_file *file, const json_t *object, struct index *index)
{
    struct index_community community = {0};

    TRY(json_take_text(file, object, "community", false, &community.oid));
    TRY(json_take_text(file, object, "status", false, &community.status));
    TRY(json_take_text(file, object, "error", true, &community.error));
    return ARENA_PUSH(file->arena, file->diag, &index->communities, community);
}

static struct status
read_document(const struct json_file *file, const json_t *object, struct index *index)
{
    struct index_document document = {0};

    TRY(json_take_text(file, object, "file", true, &document.file));
    TRY(json_take_text(file, object, "community", false, &document.community));
    TRY(json_take_text(file, object, "repository", false, &document.repository));
    TRY(json_take_text(file, object, "unique_id", false, &document.unique_id));
    TRY(json_take_text(file, object, "title", true, &document.title));
    TRY(json_take_text(file, object, "type", true, &document.type));
    TRY(json_take_text(file, object, "sha256", false, &document.sha256));
    TRY(json_take_text(file, object, "duplicate_of", true, &document.duplicate_of));
    TRY(json_take_number(file, object, "size", &document.size));
    return ARENA_PUSH(file->arena, file->diag, &index->documents, document);
}

static struct status
read_members(const struct json_file *file, struct index *index)
{
    json_t *list, *item;
    size_t i;

    TRY(json_take_text(file, file->root, "asked", false, &index->asked));
    TRY(json_take_number(file, file->root, "failed_partners", &index->failed_partners));
    TRY(json_take_array(file, file->root, "communities", &list));
    json_array_foreach(list, i, item)
    {
        TRY(read_community(file, item, index));
    }
    TRY(json_take_array(file, file->root, "documents", &list));
    json_array_foreach(list, i, item)
    {
        TRY(read_document(file, item, index));
    }
    return OK;
}

static struct status
read_index(struct comparison *c)
{
    struct json_file file;
    struct status st = json_file_open(&file, c->options->index, c->arena, c->diag);

    if (is_ok(st)) {
        st = read_members(&file, &c->index);
    }
    json_file_done(&file);
    return st;
}

/* ---- communities ---- */

static const struct truth_community *
community_of(const struct comparison *c, const struct truth_expected *expected)
{
    return &c->truth.communities.items[expected->community];
}

static size_t
listed(const struct comparison *c, struct span oid, const struct index_community **ret_listed)
{
    size_t n = 0;

    for (size_t i = 0; i < c->index.communities.n; i++) {
        if (span_eq(c->index.communities.items[i].oid, oid)) {
            *ret_listed = &c->index.communities.items[i];
            n++;
        }
    }
    return n;
}

/* Whether the index must hold this community's documents. */
static bool
is_compared(const struct comparison *c, const struct truth_expected *expected)
{
    const struct index_community *community = NULL;
    const struct span oid = community_of(c, expected)->oid;

    return !span_eq(oid, c->index.asked) || listed(c, oid, &community) > 0;
}

/* A community where several people fit asks for what would tell them apart, and says that it has
 * nobody when nothing would (ITI TF-2 3.55.4.2.3); either way it names none of them. */
static bool
is_answer(struct span got, enum rules_answer expected)
{
    return span_eq_cstr(got, rules_answer_name(expected)) ||
           (expected == RULES_AMBIGUOUS && span_eq_cstr(got, rules_answer_name(RULES_NO_MATCH)));
}

static void
compare_community(struct comparison *c, const struct truth_expected *expected)
{
    const struct truth_community *community = community_of(c, expected);
    const struct index_community *got = NULL;
    const size_t n = listed(c, community->oid, &got);

    if (n != 1) {
        differ(c, "community %.*s (%.*s) is listed %zu times, expected once",
               SPAN_PRINT(community->oid), SPAN_PRINT(community->name), n);
    }
    if (n > 0 && !is_answer(got->status, expected->answer)) {
        differ(c, "community %.*s (%.*s): expected %s, got %.*s%s%.*s", SPAN_PRINT(community->oid),
               SPAN_PRINT(community->name), rules_answer_name(expected->answer),
               SPAN_PRINT(got->status), got->error.n > 0 ? ": " : "", SPAN_PRINT(got->error));
    }
}

static bool
is_in_truth(const struct comparison *c, struct span oid)
{
    for (size_t i = 0; i < c->truth.communities.n; i++) {
        if (span_eq(c->truth.communities.items[i].oid, oid)) {
            return true;
        }
    }
    return false;
}

static void
compare_communities(struct comparison *c)
{
    size_t failed = 0;

    for (size_t i = 0; i < c->question->expected.n; i++) {
        const struct truth_expected *expected = &c->question->expected.items[i];

        if (is_compared(c, expected)) {
            compare_community(c, expected);
        }
    }
    for (size_t i = 0; i < c->index.communities.n; i++) {
        const struct index_community *community = &c->index.communities.items[i];

        failed += span_eq_cstr(community->status, "failed") ? 1 : 0;
        if (!is_in_truth(c, community->oid)) {
            differ(c, "community %.*s is not in the truth", SPAN_PRINT(community->oid));
        }
    }
    if (failed != c->index.failed_partners) {
        differ(c, "failed_partners is %" PRIu64 ", but %zu communities are listed as failed",
               c->index.failed_partners, failed);
    }
}

/* ---- documents ---- */

static bool
is_withheld(const struct comparison *c, const struct truth_document *document)
{
    struct span codes = c->options->withhold, code;

    while (document->confidentiality.n > 0 && codes.n > 0 && span_split(&codes, ',', &code)) {
        if (span_eq(code, document->confidentiality)) {
            return true;
        }
    }
    return false;
}

static void
compare_metadata(struct comparison *c, const struct truth_document *want,
                 const struct index_document *got)
{
    if (want->type.n > 0 && !span_eq(want->type, got->type)) {
        differ(c, "%.*s: type is '%.*s', expected '%.*s'", SPAN_PRINT(got->file),
               SPAN_PRINT(got->type), SPAN_PRINT(want->type));
    }
    if (want->title.n > 0 && !span_eq(want->title, got->title)) {
        differ(c, "%.*s: title is '%.*s', expected '%.*s'", SPAN_PRINT(got->file),
               SPAN_PRINT(got->title), SPAN_PRINT(want->title));
    }
    if (want->bytes != got->size) {
        differ(c, "%.*s: size is %" PRIu64 ", expected %" PRIu64, SPAN_PRINT(got->file), got->size,
               want->bytes);
    }
}

static void
compare_document(struct comparison *c, const struct truth_community *community,
                 const struct truth_document *want)
{
    const struct span origin = want->files.n > 0 ? want->files.items[0] : SPAN_EMPTY;
    size_t n = 0;

    for (size_t i = 0; i < c->index.documents.n; i++) {
        const struct index_document *got = &c->index.documents.items[i];

        if (span_eq(got->community, community->oid) && span_eq(got->sha256, want->sha256)) {
            n++;
            compare_metadata(c, want, got);
        }
    }
    if (is_withheld(c, want)) {
        if (n > 0) {
            differ(c, "%.*s has confidentiality %.*s and must be withheld, but was given out",
                   SPAN_PRINT(origin), SPAN_PRINT(want->confidentiality));
        }
    } else if (n == 0) {
        differ(c, "document %.*s (sha256 %.12s...) of community %.*s is missing",
               SPAN_PRINT(origin), want->sha256.p, SPAN_PRINT(community->oid));
    } else if (n > 1) {
        differ(c, "document %.*s of community %.*s is listed %zu times, expected once",
               SPAN_PRINT(origin), SPAN_PRINT(community->oid), n);
    }
}

static bool
is_expected(const struct comparison *c, const struct index_document *got)
{
    for (size_t i = 0; i < c->question->expected.n; i++) {
        const struct truth_expected *expected = &c->question->expected.items[i];

        for (size_t j = 0; j < expected->documents.n; j++) {
            if (span_eq(community_of(c, expected)->oid, got->community) &&
                span_eq(expected->documents.items[j].sha256, got->sha256)) {
                return true;
            }
        }
    }
    return false;
}

/* The file's own bytes: an index can say anything. */
static void
check_bytes(struct comparison *c, const struct index_document *got)
{
    char sha256[SHA256_HEX];
    struct diag diag = {0};
    struct span path;
    struct buf bytes;

    buf_init(&bytes, DOCUMENT_MAX_BYTES);
    struct status st = arena_printf(c->arena, &diag, &path, "%s/%.*s", c->options->documents,
                                    SPAN_PRINT(got->file));
    if (is_ok(st)) {
        st = buf_read_file(&bytes, path.p, &diag);
    }
    if (is_ok(st)) {
        st = digest_sha256_hex(buf_span(&bytes), &diag, sha256);
    }
    if (!is_ok(st)) {
        differ(c, "%.*s: %s", SPAN_PRINT(got->file), diag.text);
    } else if (!span_eq_cstr(got->sha256, sha256)) {
        differ(c, "%.*s: the bytes have sha256 %s, the index says %.*s", SPAN_PRINT(got->file),
               sha256, SPAN_PRINT(got->sha256));
    } else if (bytes.n != got->size) {
        differ(c, "%.*s: the file has %zu bytes, the index says %" PRIu64, SPAN_PRINT(got->file),
               bytes.n, got->size);
    }
    buf_done(&bytes);
}

/* Of equal documents one is first, and all others name it. */
static void
check_duplicate(struct comparison *c, size_t index)
{
    const struct index_document *got = &c->index.documents.items[index];
    const struct index_document *first = NULL;
    size_t firsts = 0;

    for (size_t i = 0; i < c->index.documents.n; i++) {
        const struct index_document *other = &c->index.documents.items[i];

        if (span_eq(other->sha256, got->sha256) && other->duplicate_of.n == 0) {
            first = firsts == 0 ? other : first;
            firsts++;
        }
    }
    if (firsts == 0) {
        differ(c, "%.*s is marked as duplicate of '%.*s', but no first one is listed",
               SPAN_PRINT(got->file), SPAN_PRINT(got->duplicate_of));
    } else if (got->duplicate_of.n == 0 && first != got) {
        differ(c, "%.*s has the bytes of %.*s and is not marked as its duplicate",
               SPAN_PRINT(got->file), SPAN_PRINT(first->file));
    } else if (got->duplicate_of.n > 0 && !span_eq(got->duplicate_of, first->file)) {
        differ(c, "%.*s is marked as duplicate of %.*s, expected %.*s", SPAN_PRINT(got->file),
               SPAN_PRINT(got->duplicate_of), SPAN_PRINT(first->file));
    }
}

static void
check_unique_id(struct comparison *c, size_t index)
{
    const struct index_document *got = &c->index.documents.items[index];

    for (size_t i = 0; i < index; i++) {
        const struct index_document *other = &c->index.documents.items[i];

        if (span_eq(other->community, got->community) &&
            span_eq(other->repository, got->repository) &&
            span_eq(other->unique_id, got->unique_id)) {
            differ(c, "%.*s and %.*s have the same unique_id %.*s in community %.*s",
                   SPAN_PRINT(other->file), SPAN_PRINT(got->file), SPAN_PRINT(got->unique_id),
                   SPAN_PRINT(got->community));
        }
    }
}

static void
compare_documents(struct comparison *c)
{
    for (size_t i = 0; i < c->question->expected.n; i++) {
        const struct truth_expected *expected = &c->question->expected.items[i];

        for (size_t j = 0; j < expected->documents.n && is_compared(c, expected); j++) {
            compare_document(c, community_of(c, expected), &expected->documents.items[j]);
        }
    }
    for (size_t i = 0; i < c->index.documents.n; i++) {
        const struct index_document *got = &c->index.documents.items[i];
        const struct index_community *community = NULL;

        if (!is_expected(c, got) || listed(c, got->community, &community) == 0) {
            differ(c, "%.*s (sha256 %.12s...) of community %.*s is not expected",
                   SPAN_PRINT(got->file), got->sha256.p, SPAN_PRINT(got->community));
        }
        if (got->file.n > 0) {
            check_bytes(c, got);
        } else if (got->duplicate_of.n == 0) {
            differ(c, "a document of community %.*s has no file", SPAN_PRINT(got->community));
        }
        check_duplicate(c, i);
        check_unique_id(c, i);
    }
}

/* ---- what the truth wants, for the summary ---- */

static bool
came_before(const struct comparison *c, size_t community, struct span sha256)
{
    for (size_t i = 0; i < community; i++) {
        const struct truth_expected *expected = &c->question->expected.items[i];

        for (size_t j = 0; j < expected->documents.n && is_compared(c, expected); j++) {
            if (span_eq(expected->documents.items[j].sha256, sha256)) {
                return true;
            }
        }
    }
    return false;
}

static void
count_wanted(struct comparison *c)
{
    for (size_t i = 0; i < c->question->expected.n; i++) {
        const struct truth_expected *expected = &c->question->expected.items[i];

        if (!is_compared(c, expected)) {
            continue;
        }
        c->result.matches += expected->answer == RULES_MATCH ? 1 : 0;
        for (size_t j = 0; j < expected->documents.n; j++) {
            const struct truth_document *document = &expected->documents.items[j];

            if (!is_withheld(c, document)) {
                c->result.documents++;
                c->result.duplicates += came_before(c, i, document->sha256) ? 1 : 0;
            }
        }
    }
}

/* ---- */

static bool
is_question(const struct truth_question *question, size_t number, struct span text)
{
    uint64_t wanted;

    return span_eq(question->name, text) ||
           (span_to_u64(text, SIZE_MAX, &wanted) && wanted == number);
}

struct status
compare_find_question(const struct truth *truth, struct span question, struct diag *diag,
                      const struct truth_question **ret_question)
{
    for (size_t i = 0; i < truth->questions.n; i++) {
        if (question.n == 0 || is_question(&truth->questions.items[i], i, question)) {
            *ret_question = &truth->questions.items[i];
            return OK;
        }
    }
    return FAIL(diag, ERR_NOT_FOUND,
                "no question '%.*s' in the truth; say its case, or 0 to %zu (synth person --list)",
                SPAN_PRINT(question), truth->questions.n == 0 ? 0 : truth->questions.n - 1);
}

static struct status
run(struct comparison *c)
{
    TRY(truth_read(c->options->truth, c->arena, c->diag, &c->truth));
    TRY(compare_find_question(&c->truth, c->options->question, c->diag, &c->question));
    TRY(read_index(c));
    compare_communities(c);
    compare_documents(c);
    count_wanted(c);
    return OK;
}

struct status
compare(const struct compare_options *options, FILE *out, struct diag *diag,
        struct compare_result *ret_result)
{
    struct comparison c = {.options = options, .diag = diag, .out = out};

    c.arena = arena_new(COMPARE_ARENA_BYTES);
    if (c.arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to compare");
    }
    const struct status st = run(&c);

    arena_free(c.arena);
    if (is_ok(st)) {
        *ret_result = c.result;
    }
    return st;
}
