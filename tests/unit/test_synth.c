/*
 * The generator: same seed, same bytes; every case comes out as planned; what lies in the files is
 * what the truth says (read back with an XML parser). And the truth about real documents.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "tests/synth/popular.h"
#include "tests/unit/synth_network.h"

static void
read_file(const char *dir, struct span name, struct span *ret_bytes)
{
    struct diag diag = {0};
    struct span path = SPAN_EMPTY;
    struct buf bytes;

    buf_init(&bytes, (size_t)16 * 1024 * 1024);
    CHECK_OK(&diag, arena_printf(network_arena(), &diag, &path, "%s/%.*s", dir, SPAN_PRINT(name)));
    CHECK_OK(&diag, buf_read_file(&bytes, path.p, &diag));
    CHECK_OK(&diag, arena_dup(network_arena(), buf_span(&bytes), &diag, ret_bytes));
    buf_done(&bytes);
}

/* ---- generate ---- */

static void
test_wrong_options(void)
{
    static const struct {
        const char *communities, *text;
    } rows[] = {
        {"red,green,blue", "3 communities; the hard cases need at least 5"},
        {"", "a name is small letters"},
        {"red,green,blue,amber,red", "'red' is named twice"},
        {"red,green,blue,amber,../x", "'../x'"},
        {"red,green,blue,amber,Violet", "'Violet'"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag = {0};

        CHECK_ERR(&diag, ERR_USAGE,
                  network_make(1, network_temp("wrong"), rows[i].communities, 0, &diag));
        CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, rows[i].text));
    }
}

static void
test_old_folder_is_refused(void)
{
    struct diag diag = {0};

    CHECK_ERR(&diag, ERR_IO, network_make(7, network_path(), NETWORK_COMMUNITIES, 5, &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "/red"));
}

/* The truth names every file by its bytes' digest, so equal truths are equal networks; the files
 * themselves are held against it below. */
static void
test_same_seed_same_bytes(void)
{
    struct diag diag = {0};
    struct span first, again, other;

    CHECK_OK(&diag, network_make(7, network_temp("again"), NETWORK_COMMUNITIES, 5, &diag));
    CHECK_OK(&diag, network_make(8, network_temp("other"), NETWORK_COMMUNITIES, 5, &diag));
    read_file(network_path(), SPAN("truth.json"), &first);
    read_file(network_temp("again"), SPAN("truth.json"), &again);
    read_file(network_temp("other"), SPAN("truth.json"), &other);
    CU_ASSERT_TRUE(span_eq(first, again));
    CU_ASSERT_FALSE(span_eq(first, other));

    struct truth truth;

    network_read_truth(network_path(), &truth);
    for (size_t i = 0; i < truth.questions.n; i++) {
        const struct truth_question *question = &truth.questions.items[i];

        for (size_t j = 0; j < question->expected.n; j++) {
            for (size_t k = 0; k < question->expected.items[j].documents.n; k++) {
                const struct truth_document *document =
                    &question->expected.items[j].documents.items[k];

                for (size_t l = 0; l < document->files.n; l++) {
                    char sha256[SHA256_HEX];
                    struct span one, two;

                    read_file(network_path(), document->files.items[l], &one);
                    read_file(network_temp("again"), document->files.items[l], &two);
                    CU_ASSERT_TRUE(span_eq(one, two));
                    CHECK_OK(&diag, digest_sha256_hex(one, &diag, sha256));
                    CHECK_SPAN(document->sha256, sha256);
                    CU_ASSERT_TRUE(one.n >= 8192 && one.n <= 61440);
                }
            }
        }
    }
}

/* Many seeds: every case comes out as it was planned, which generate() checks by the rules. */
static void
test_many_seeds(void)
{
    for (uint64_t seed = 100; seed < 108; seed++) {
        struct diag diag = {0};
        char name[32];

        (void)snprintf(name, sizeof(name), "seed-%d", (int)seed);
        CHECK_OK(&diag, network_make(seed, network_temp(name), "a,b,c,d,e,f,g", 3, &diag));
    }
}

/* What the first question must have, or the demonstration would show nothing. */
static void
test_first_question_is_rich(void)
{
    struct truth truth;
    size_t answers[3] = {0}, documents = 0, restricted = 0, twice = 0, elsewhere = 0;

    network_read_truth(network_path(), &truth);
    const struct truth_question *question = network_question(&truth, "0");

    for (size_t i = 0; i < question->expected.n; i++) {
        const struct truth_expected *expected = &question->expected.items[i];

        answers[expected->answer]++;
        for (size_t j = 0; j < expected->documents.n; j++) {
            const struct truth_document *document = &expected->documents.items[j];

            documents++;
            restricted += span_eq_cstr(document->confidentiality, "R") ? 1 : 0;
            twice += document->files.n == 2 ? 1 : 0;
            for (size_t k = 0; k < i; k++) {
                for (size_t l = 0; l < question->expected.items[k].documents.n; l++) {
                    elsewhere += span_eq(question->expected.items[k].documents.items[l].sha256,
                                         document->sha256)
                                     ? 1
                                     : 0;
                }
            }
        }
    }
    CHECK_SPAN(question->name, "scattered");
    CU_ASSERT_EQUAL(answers[RULES_MATCH], 4);
    CU_ASSERT_EQUAL(answers[RULES_NO_MATCH], 1);
    CU_ASSERT_EQUAL(documents, 1 + 3 + 3 + 5);
    CU_ASSERT_EQUAL(restricted, 1);
    CU_ASSERT_EQUAL(twice, 1);
    CU_ASSERT_EQUAL(elsewhere, 1);
}

/* ---- popular ---- */

static const struct truth_expected *
expected_of(const struct truth *truth, const struct truth_question *question, struct span name)
{
    for (size_t i = 0; i < question->expected.n; i++) {
        const struct truth_expected *expected = &question->expected.items[i];

        if (span_eq(truth->communities.items[expected->community].name, name)) {
            return expected;
        }
    }
    return NULL;
}

static void
check_same_expected(const struct truth *a, const struct truth_question *one, const struct truth *b,
                    const struct truth_question *two)
{
    for (size_t i = 0; i < one->expected.n; i++) {
        const struct truth_expected *want = &one->expected.items[i];
        const struct truth_expected *got =
            expected_of(b, two, a->communities.items[want->community].name);

        CU_ASSERT_PTR_NOT_NULL_FATAL(got);
        CU_ASSERT_EQUAL(got->answer, want->answer);
        CU_ASSERT_EQUAL(got->documents.n, want->documents.n);
        for (size_t j = 0; j < want->documents.n; j++) {
            bool is_there = false;

            for (size_t k = 0; k < got->documents.n; k++) {
                is_there = is_there || (span_eq(got->documents.items[k].sha256,
                                                want->documents.items[j].sha256) &&
                                        span_eq(got->documents.items[k].confidentiality,
                                                want->documents.items[j].confidentiality));
            }
            CU_ASSERT_TRUE(is_there);
        }
    }
}

/* The truth was made from the world in memory. What an XML parser reads from the files must give
 * the same answers, or the documents do not say what the truth thinks. */
static void
test_files_say_the_truth(void)
{
    struct truth truth;
    FILE *nowhere = fopen("/dev/null", "w");
    size_t asked = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(nowhere);
    network_read_truth(network_path(), &truth);
    for (size_t i = 0; i < truth.questions.n; i++) {
        const struct truth_question *question = &truth.questions.items[i];
        struct popular_options options = {.dir = network_path(),
                                          .truth = network_temp("read.json")};
        struct truth read;
        struct diag diag = {0};

        if (question->who.given_n > 1) {
            continue;
        }
        CHECK_OK(&diag,
                 arena_printf(network_arena(), &diag, &options.patient, "%.*s,%.*s,%.*s,%.*s",
                              SPAN_PRINT(question->who.family), SPAN_PRINT(question->who.given[0]),
                              SPAN_PRINT(question->birth), SPAN_PRINT(question->sex)));
        CHECK_OK(&diag, popular(&options, nowhere, nowhere, &diag));
        CHECK_OK(&diag, truth_read(options.truth, network_arena(), &diag, &read));
        check_same_expected(&truth, question, &read, &read.questions.items[0]);
        asked++;
    }
    CU_ASSERT_EQUAL(asked, truth.questions.n - 1);
    (void)fclose(nowhere);
}

static void
ask_corpus(const char *patient, const char *want, struct truth *ret_truth)
{
    const struct popular_options options = {.dir = unit_data_path("ccda"),
                                            .patient = span_of_cstr(patient),
                                            .truth = network_temp("corpus.json")};
    char line[256] = "", notes[256] = "";
    FILE *out = fmemopen(line, sizeof(line), "w");
    FILE *noted = fmemopen(notes, sizeof(notes), "w");
    struct diag diag = {0};

    CHECK_OK(&diag, popular(&options, out, noted, &diag));
    (void)fclose(out);
    (void)fclose(noted);
    CU_ASSERT_STRING_EQUAL(line, want);
    CU_ASSERT_STRING_EQUAL(notes, "");
    CHECK_OK(&diag, truth_read(options.truth, network_arena(), &diag, ret_truth));
}

struct corpus_row {
    const char *folder;
    enum rules_answer answer;
    size_t documents;
};

static void
check_corpus(const struct truth *truth, const struct corpus_row *rows, size_t n)
{
    size_t matches = 0;

    for (size_t i = 0; i < truth->communities.n; i++) {
        matches += truth->questions.items[0].expected.items[i].answer != RULES_NO_MATCH ? 1 : 0;
    }
    CU_ASSERT_EQUAL(matches, n);
    for (size_t i = 0; i < n; i++) {
        const struct truth_expected *expected =
            expected_of(truth, &truth->questions.items[0], span_of_cstr(rows[i].folder));

        CU_ASSERT_PTR_NOT_NULL_FATAL(expected);
        CU_ASSERT_EQUAL(expected->answer, rows[i].answer);
        CU_ASSERT_EQUAL(expected->documents.n, rows[i].documents);
    }
}

static void
test_corpus(void)
{
    static const struct corpus_row isabella[] = {
        {"allscripts", RULES_MATCH, 2},     {"greenway", RULES_MATCH, 2},
        {"nextgen", RULES_MATCH, 1},        {"nist", RULES_MATCH, 1},
        {"practicefusion", RULES_MATCH, 1},
    };
    /* Greenway gave two numbers of one authority to two records of Adam. */
    static const struct corpus_row adam[] = {
        {"allscripts", RULES_MATCH, 3},
        {"greenway", RULES_AMBIGUOUS, 0},
        {"practicefusion", RULES_MATCH, 1},
    };
    static const struct corpus_row older_adam[] = {{"hl7", RULES_MATCH, 9}};
    struct truth truth;

    if (unit_data_path("ccda") == NULL) {
        return;
    }
    ask_corpus("", "Jones,Isabella,19470501,F\n", &truth);
    check_corpus(&truth, isabella, ARRAY_LEN(isabella));
    CHECK_SPAN(truth.communities.items[truth.questions.items[0].asker].name, "cerner");
    const struct truth_expected *nist =
        expected_of(&truth, &truth.questions.items[0], SPAN("nist"));

    CHECK_SPAN(nist->documents.items[0].files.items[0], "nist/CCDA_CCD_b1_InPatient_v2.xml");
    ask_corpus("Everyman,Adam,19621022,M", "Everyman,Adam,19621022,M\n", &truth);
    check_corpus(&truth, adam, ARRAY_LEN(adam));
    ask_corpus("EVERYMAN,adam,19541125,M", "EVERYMAN,adam,19541125,M\n", &truth);
    check_corpus(&truth, older_adam, ARRAY_LEN(older_adam));
}

static void
test_popular_refuses(void)
{
    static const char *const patients[] = {"Jones", "Jones,Ann,1947,F", "Jones,Ann,19470501,F,x"};
    struct diag diag = {0};

    for (size_t i = 0; i < ARRAY_LEN(patients); i++) {
        const struct popular_options options = {.dir = network_path(),
                                                .patient = span_of_cstr(patients[i])};

        diag_clear(&diag);
        CHECK_ERR(&diag, ERR_USAGE, popular(&options, stdout, stdout, &diag));
    }
    const struct popular_options nowhere = {.dir = "/nonexistent"};

    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_IO, popular(&nowhere, stdout, stdout, &diag));
}

static const struct unit_test tests[] = {
    {"wrong options", test_wrong_options},
    {"an old folder is refused", test_old_folder_is_refused},
    {"same seed, same bytes; another seed, others", test_same_seed_same_bytes},
    {"many seeds", test_many_seeds},
    {"the first question is rich", test_first_question_is_rich},
    {"the files say the truth", test_files_say_the_truth},
    {"popular refuses", test_popular_refuses},
    {"real documents", test_corpus},
};

int
main(void)
{
    return network_main("synth", tests, ARRAY_LEN(tests));
}
