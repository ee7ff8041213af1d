/*
 * Every message of other systems in the test data (ihe/samples, ihe/testkit) is read, and what our
 * readers find is what another reader found (tests/samples: a block of facts for each). What is
 * refused is refused by the name that stands there, with the reason. A sample without facts, and
 * facts without a sample, are failures.
 */
#include <ftw.h>
#include <stdio.h>
#include <string.h>

#include "soap/security.h"
#include "tests/unit/sample_facts.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

#define FACTS_MAX   ((size_t)4 * 1024 * 1024)
#define SAMPLES_MAX 1000
#define PATH_BYTES  200

static const char *const collections[] = {"epr-by-example", "ipf", "ipf-hl7v3", "sds-ehdsi",
                                          "nist-toolkit"};

/* ---- the samples ---- */

static char paths[SAMPLES_MAX][PATH_BYTES]; /* from "samples/" or "testkit/" on */
static size_t paths_n;
static size_t prefix_n;

static int
note_path(const char *path, const struct stat *info, int type, struct FTW *where)
{
    const struct span name = span_of_cstr(path);

    (void)info;
    (void)where;
    if (type == FTW_F &&
        (span_ends_with(name, SPAN(".xml")) || span_ends_with(name, SPAN("body.txt")))) {
        if (paths_n == SAMPLES_MAX) {
            return 1;
        }
        (void)snprintf(paths[paths_n++], PATH_BYTES, "%s", path + prefix_n);
    }
    return 0;
}

/* False without data. */
static bool
find_samples(void)
{
    static const char *const folders[] = {"ihe/samples", "ihe/testkit"};

    paths_n = 0;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        const char *folder = unit_data_path(folders[i]);

        if (folder == NULL) {
            return false;
        }
        prefix_n = strlen(folder) - strlen(strchr(folders[i], '/') + 1);
        CU_ASSERT_EQUAL(nftw(folder, note_path, 16, FTW_PHYS), 0);
    }
    CU_ASSERT(paths_n > 0);
    return true;
}

/* ---- the facts ---- */

/* All of a collection's file, in the arena. */
static struct span
read_facts(const char *collection, struct arena *arena)
{
    struct diag diag = {0};
    struct span text = SPAN_EMPTY;
    char relative[100];
    struct buf file;

    (void)snprintf(relative, sizeof(relative), "tests/samples/%s.facts", collection);
    const char *path = unit_source_path(relative);
    buf_init(&file, FACTS_MAX);
    if (path != NULL && CHECK_OK(&diag, buf_read_file(&file, path, &diag))) {
        CHECK_OK(&diag, arena_dup(arena, buf_span(&file), &diag, &text));
    }
    buf_done(&file);
    return text;
}

/* The block of a sample, without its first line; the empty span when there is none. */
static struct span
block_of(struct span facts, const char *path)
{
    char first[PATH_BYTES + 4];

    (void)snprintf(first, sizeof(first), "\n[%s]\n", path);
    const size_t at = span_find(facts, span_of_cstr(first));
    if (at == SPAN_MISSING) {
        return SPAN_EMPTY;
    }
    const struct span rest = span_slice(facts, at + strlen(first), SIZE_MAX);
    const size_t end = span_find(rest, SPAN("\n["));
    return span_slice(rest, 0, end == SPAN_MISSING ? rest.n : end + 1);
}

/* The value of its first line with this key. */
static struct span
value_of(struct span block, const char *key)
{
    char first[100];

    (void)snprintf(first, sizeof(first), "\n%s: ", key);
    const size_t at = span_find(block, span_of_cstr(first));
    if (at == SPAN_MISSING) {
        return SPAN_EMPTY;
    }
    const struct span rest = span_slice(block, at + strlen(first), SIZE_MAX);
    return span_slice(rest, 0, span_find(rest, SPAN("\n")));
}

static bool
is_kind(struct span block, const char *kind)
{
    char line[100];

    (void)snprintf(line, sizeof(line), "kind: %s\n", kind);
    return span_starts_with(block, span_of_cstr(line));
}

/* The facts without what is for people: empty lines and reasons, which a refusal must have. */
static void
strip(struct span block, struct buf *out)
{
    struct diag diag = {0};
    struct span rest = block;

    CU_ASSERT(value_of(block, "refused").n == 0 || value_of(block, "why").n > 0);
    while (rest.n > 0) {
        const size_t end = span_find(rest, SPAN("\n"));
        const struct span line = span_slice(rest, 0, end == SPAN_MISSING ? rest.n : end + 1);

        rest = span_slice(rest, line.n, SIZE_MAX);
        if (line.n > 1 && !span_starts_with(line, SPAN("why: "))) {
            CHECK_OK(&diag, buf_append(out, line, &diag));
        }
    }
}

/* ---- the comparison ---- */

static void
read_sample(const char *path, struct span block, struct arena *arena, struct buf *out)
{
    char relative[PATH_BYTES + 8];
    struct span file = SPAN_EMPTY;

    (void)snprintf(relative, sizeof(relative), "ihe/%.*s", PATH_BYTES, path);
    CU_ASSERT_FATAL(support_data(relative, arena, &file));
    if (is_kind(block, "AuditMessage")) {
        sample_audit(file, arena, out);
        return;
    }
    sample_facts(file, value_of(block, "query"), arena, out);
    sample_assertions(file, arena, out);
}

static bool
check_sample(const char *path, struct span block)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct buf wanted, got;

    buf_init(&wanted, FACTS_MAX);
    buf_init(&got, FACTS_MAX);
    strip(block, &wanted);
    read_sample(path, block, arena, &got);
    const bool is_same = wanted.n > 0 && span_eq(buf_span(&wanted), buf_span(&got));
    CU_ASSERT(is_same);
    if (!is_same) {
        printf("\n    %s\n--- wanted\n%.*s--- got\n%.*s", path, SPAN_PRINT(buf_span(&wanted)),
               SPAN_PRINT(buf_span(&got)));
    }
    buf_done(&wanted);
    buf_done(&got);
    arena_free(arena);
    return is_same;
}

static void
check_collection(const char *collection)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    char middle[64];
    size_t n = 0;

    if (!find_samples()) {
        arena_free(arena);
        return;
    }
    (void)snprintf(middle, sizeof(middle), "/%s/", collection);
    const struct span facts = read_facts(collection, arena);
    for (size_t i = 0; i < paths_n; i++) {
        if (span_find(span_of_cstr(paths[i]), span_of_cstr(middle)) != SPAN_MISSING) {
            n += check_sample(paths[i], block_of(facts, paths[i])) ? 1 : 0;
        }
    }
    printf("(%zu read) ", n);
    CU_ASSERT(n > 0);
    arena_free(arena);
}

#define COLLECTION(function, name)                                                                 \
    static void function(void)                                                                     \
    {                                                                                              \
        check_collection(name);                                                                    \
    }
COLLECTION(test_epr, "epr-by-example")
COLLECTION(test_ipf, "ipf")
COLLECTION(test_ipf_hl7v3, "ipf-hl7v3")
COLLECTION(test_ehdsi, "sds-ehdsi")
COLLECTION(test_nist, "nist-toolkit")

/* Both ways: the walk finds new samples, this finds facts of what has gone, and collections that
 * nobody reads. */
static void
test_nothing_is_left_out(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    size_t found = 0, blocks = 0;

    if (find_samples()) {
        for (size_t c = 0; c < ARRAY_LEN(collections); c++) {
            const struct span facts = read_facts(collections[c], arena);
            struct span rest = facts;
            size_t at;

            while ((at = span_find(rest, SPAN("\n["))) != SPAN_MISSING) {
                blocks++;
                rest = span_slice(rest, at + 2, SIZE_MAX);
            }
            for (size_t i = 0; i < paths_n; i++) {
                found += block_of(facts, paths[i]).n > 0 ? 1 : 0;
            }
        }
        CU_ASSERT_EQUAL(found, paths_n);
        CU_ASSERT_EQUAL(blocks, paths_n);
    }
    arena_free(arena);
}

/* The comparison sees a wrong fact, a missing and a further one. */
static void
test_wrong_facts_are_seen(void)
{
    static const char sample[] = "\n[samples/a.xml]\nkind: x\nid: 1\n\n[samples/b.xml]\nkind: y\n";
    const struct span facts = span_of_cstr(sample);

    CHECK_SPAN(block_of(facts, "samples/a.xml"), "kind: x\nid: 1\n\n");
    CHECK_SPAN(block_of(facts, "samples/b.xml"), "kind: y\n");
    CU_ASSERT_EQUAL(block_of(facts, "samples/c.xml").n, 0);
    CHECK_SPAN(value_of(block_of(facts, "samples/a.xml"), "id"), "1");
    CU_ASSERT_EQUAL(value_of(block_of(facts, "samples/b.xml"), "id").n, 0);
}

static const struct unit_test tests[] = {
    {"blocks of facts are told apart", test_wrong_facts_are_seen},
    {"every sample has facts, all facts have a sample", test_nothing_is_left_out},
    {"EPR by example: ITI-18, 43, 47, assertions of seven roles, audit records", test_epr},
    {"IPF: XCPD, PDQ, stored queries, audit records, assertions", test_ipf},
    {"IPF's HL7 V3", test_ipf_hl7v3},
    {"eHDSI: XCA, XCPD, assertions", test_ehdsi},
    {"NIST's toolkit: queries, retrieves, XCPD", test_nist},
};

int
main(void)
{
    struct diag diag = {0};

    if (!is_ok(soap_library_init(&diag))) {
        return 1;
    }
    const int result = unit_main("samples", tests, ARRAY_LEN(tests));
    soap_library_done();
    return result;
}
