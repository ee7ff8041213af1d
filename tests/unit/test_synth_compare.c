/*
 * The comparer: a right answer has no difference, and each kind of difference that is planted in
 * one is found, alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tests/synth/compare.h"
#include "tests/unit/synth_network.h"

static json_t *
text_of(struct span text)
{
    return json_stringn(text.p == NULL ? "" : text.p, text.n);
}

/* The file that has these bytes first among what is listed. */
static struct span
first_with(json_t *documents, struct span sha256)
{
    json_t *item;
    size_t i;

    json_array_foreach(documents, i, item)
    {
        if (span_eq_cstr(sha256, json_string_value(json_object_get(item, "sha256")))) {
            return span_of_cstr(json_string_value(json_object_get(item, "file")));
        }
    }
    return SPAN_EMPTY;
}

static void
add_document(json_t *documents, const struct truth_community *community,
             const struct truth_document *document)
{
    const struct span first = first_with(documents, document->sha256);
    json_t *item = json_object();
    char unique_id[64];

    (void)snprintf(unique_id, sizeof(unique_id), "2.999.77.%zu", json_array_size(documents) + 1);
    json_object_set_new(item, "file", text_of(document->files.items[0]));
    json_object_set_new(item, "community", text_of(community->oid));
    json_object_set_new(item, "repository", json_string("2.999.9"));
    json_object_set_new(item, "unique_id", json_string(unique_id));
    json_object_set_new(item, "title", text_of(document->title));
    json_object_set_new(item, "type", text_of(document->type));
    json_object_set_new(item, "size", json_integer((json_int_t)document->bytes));
    json_object_set_new(item, "sha256", text_of(document->sha256));
    json_object_set_new(item, "duplicate_of", text_of(first));
    json_array_append_new(documents, item);
}

/* What a gather that makes no mistake would write; the documents are the network's own files. */
static json_t *
right_index(const struct truth *truth, const struct truth_question *question, bool has_own,
            const char *withheld)
{
    json_t *index = json_object(), *communities = json_array(), *documents = json_array();

    for (size_t i = 0; i < question->expected.n; i++) {
        const struct truth_expected *expected = &question->expected.items[i];
        const struct truth_community *community = &truth->communities.items[expected->community];
        json_t *item = json_object();

        if (expected->community == question->asker && !has_own) {
            json_decref(item);
            continue;
        }
        json_object_set_new(item, "community", text_of(community->oid));
        json_object_set_new(item, "status", json_string(rules_answer_name(expected->answer)));
        json_array_append_new(communities, item);
        for (size_t j = 0; j < expected->documents.n; j++) {
            const struct truth_document *document = &expected->documents.items[j];

            if (!span_eq_cstr(document->confidentiality, withheld)) {
                add_document(documents, community, document);
            }
        }
    }
    json_object_set_new(index, "asked", text_of(truth->communities.items[question->asker].oid));
    json_object_set_new(index, "failed_partners", json_integer(0));
    json_object_set_new(index, "communities", communities);
    json_object_set_new(index, "documents", documents);
    return index;
}

/* Compares an index (and frees it); what was printed is in *ret_text. */
static struct compare_result
compare_index(json_t *index, const char *question, const char *withhold, struct span *ret_text)
{
    struct diag diag = {0};
    struct span truth_path = SPAN_EMPTY;
    struct compare_result result = {.differences = SIZE_MAX};
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    CHECK_OK(&diag,
             arena_printf(network_arena(), &diag, &truth_path, "%s/truth.json", network_path()));
    CU_ASSERT_EQUAL(json_dump_file(index, network_temp("index.json"), 0), 0);
    json_decref(index);
    const struct compare_options options = {.truth = truth_path.p,
                                            .index = network_temp("index.json"),
                                            .documents = network_path(),
                                            .question = span_of_cstr(question),
                                            .withhold = span_of_cstr(withhold)};

    CHECK_OK(&diag, compare(&options, out, &diag, &result));
    (void)fclose(out);
    CHECK_OK(&diag, arena_dup(network_arena(), span_of(text, n), &diag, ret_text));
    free(text); /* open_memstream's own */
    return result;
}

static void
test_right_answers_have_no_difference(void)
{
    struct truth truth;

    network_read_truth(network_path(), &truth);
    for (size_t i = 0; i < truth.questions.n; i++) {
        const struct truth_question *question = &truth.questions.items[i];
        struct compare_result result;
        struct span text;
        char number[24];

        (void)snprintf(number, sizeof(number), "%zu", i);
        result = compare_index(right_index(&truth, question, false, "R"), number, "R,X", &text);
        CU_ASSERT_EQUAL(result.differences, 0);
        CHECK_SPAN(text, "");
        result = compare_index(right_index(&truth, question, true, "-"), number, "", &text);
        CU_ASSERT_EQUAL(result.differences, 0);
        CHECK_SPAN(text, "");
    }
}

static void
test_summary(void)
{
    struct truth truth;
    struct span text;

    network_read_truth(network_path(), &truth);
    const struct truth_question *question = network_question(&truth, "scattered");
    const struct compare_result all =
        compare_index(right_index(&truth, question, false, "-"), "scattered", "", &text);
    const struct compare_result kept =
        compare_index(right_index(&truth, question, true, "R"), "scattered", "R", &text);

    CU_ASSERT_EQUAL(all.matches, 3);
    CU_ASSERT_EQUAL(all.documents, 3 + 3 + 5);
    CU_ASSERT_EQUAL(all.duplicates, 1);
    CU_ASSERT_EQUAL(kept.matches, 4);
    CU_ASSERT_EQUAL(kept.documents, 1 + 3 + 3 + 4);
    CU_ASSERT_EQUAL(kept.duplicates, 1);
}

/* ---- planted differences ---- */

static json_t *
community_with(json_t *index, const char *status)
{
    json_t *list = json_object_get(index, "communities"), *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "status")), status) == 0) {
            return item;
        }
    }
    return NULL;
}

static json_t *
documents_of(json_t *index)
{
    return json_object_get(index, "documents");
}

/* Some document that is no duplicate and has none. */
static json_t *
lone_document(json_t *index, size_t which)
{
    json_t *item, *other;
    size_t i, j;

    json_array_foreach(documents_of(index), i, item)
    {
        size_t same = 0;

        json_array_foreach(documents_of(index), j, other)
        {
            same += json_equal(json_object_get(item, "sha256"), json_object_get(other, "sha256"))
                        ? 1u
                        : 0u;
        }
        if (same == 1 && which-- == 0) {
            return item;
        }
    }
    return NULL;
}

static json_t *
duplicate(json_t *index)
{
    json_t *item;
    size_t i;

    json_array_foreach(documents_of(index), i, item)
    {
        if (json_string_length(json_object_get(item, "duplicate_of")) > 0) {
            return item;
        }
    }
    return NULL;
}

static void
remove_document(json_t *index, const json_t *document)
{
    json_t *item;
    size_t i;

    json_array_foreach(documents_of(index), i, item)
    {
        if (item == document) {
            json_array_remove(documents_of(index), i);
            return;
        }
    }
}

static void
plant_missing_match(json_t *index)
{
    json_object_set_new(community_with(index, "match"), "status", json_string("no-match"));
}

static void
plant_unexpected_match(json_t *index)
{
    json_object_set_new(community_with(index, "no-match"), "status", json_string("match"));
}

static void
plant_failed(json_t *index)
{
    json_t *community = community_with(index, "no-match");

    json_object_set_new(community, "status", json_string("failed"));
    json_object_set_new(community, "error", json_string("connection refused"));
    json_object_set_new(index, "failed_partners", json_integer(1));
}

static void
plant_wrong_count_of_failed(json_t *index)
{
    json_object_set_new(index, "failed_partners", json_integer(1));
}

static void
plant_missing_community(json_t *index)
{
    json_t *list = json_object_get(index, "communities");
    json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (item == community_with(index, "no-match")) {
            json_array_remove(list, i);
            return;
        }
    }
}

static void
plant_unknown_community(json_t *index)
{
    json_array_append_new(json_object_get(index, "communities"),
                          json_pack("{s:s, s:s}", "community", "2.999.77", "status", "no-match"));
}

static void
plant_missing_document(json_t *index)
{
    remove_document(index, lone_document(index, 0));
}

static void
plant_document_twice(json_t *index)
{
    json_t *document = lone_document(index, 0), *again = json_deep_copy(document);

    json_object_set(again, "duplicate_of", json_object_get(document, "file"));
    json_object_set_new(again, "unique_id", json_string("2.999.77.99"));
    json_array_append_new(documents_of(index), again);
}

/* Somebody else's: right in itself, wrong here. */
static void
plant_unexpected_document(json_t *index)
{
    struct truth truth;

    network_read_truth(network_path(), &truth);
    const struct truth_expected *expected =
        &network_question(&truth, "everywhere")->expected.items[0];

    add_document(documents_of(index), &truth.communities.items[expected->community],
                 &expected->documents.items[0]);
    /* Under a community that is in the index, whoever asks. */
    json_object_set(json_array_get(documents_of(index), json_array_size(documents_of(index)) - 1),
                    "community", json_object_get(community_with(index, "no-match"), "community"));
}

static void
plant_wrong_bytes(json_t *index)
{
    json_object_set(lone_document(index, 0), "file",
                    json_object_get(lone_document(index, 1), "file"));
}

static void
plant_missing_file(json_t *index)
{
    json_object_set_new(lone_document(index, 0), "file", json_string("red/none.xml"));
}

static void
plant_no_file(json_t *index)
{
    json_object_set_new(lone_document(index, 0), "file", json_string(""));
}

static void
plant_wrong_size(json_t *index)
{
    json_object_set_new(lone_document(index, 0), "size", json_integer(1));
}

static void
plant_wrong_type(json_t *index)
{
    json_object_set_new(lone_document(index, 0), "type", json_string("00000-0"));
}

static void
plant_wrong_title(json_t *index)
{
    json_object_set_new(lone_document(index, 0), "title", json_string("Another title"));
}

static void
plant_same_unique_id(json_t *index)
{
    json_t *one = lone_document(index, 0), *other = NULL;

    for (size_t i = 1; other == NULL || !json_equal(json_object_get(one, "community"),
                                                    json_object_get(other, "community"));
         i++) {
        other = lone_document(index, i);
        CU_ASSERT_PTR_NOT_NULL_FATAL(other);
    }
    json_object_set(other, "unique_id", json_object_get(one, "unique_id"));
}

static void
plant_unmarked_duplicate(json_t *index)
{
    json_object_set_new(duplicate(index), "duplicate_of", json_string(""));
}

static void
plant_duplicate_of_other(json_t *index)
{
    json_object_set(duplicate(index), "duplicate_of",
                    json_object_get(lone_document(index, 0), "file"));
}

static void
plant_duplicate_of_nothing(json_t *index)
{
    json_object_set_new(lone_document(index, 0), "duplicate_of", json_string("red/none.xml"));
}

static const struct {
    const char *name;
    void (*plant)(json_t *index);
    const char *text;
    size_t differences;
} plants[] = {
    {"missing match", plant_missing_match, "expected match, got no-match", 1},
    {"unexpected match", plant_unexpected_match, "expected no-match, got match", 1},
    {"failed", plant_failed, "expected no-match, got failed: connection refused", 1},
    {"count of failed", plant_wrong_count_of_failed, "failed_partners is 1, but 0", 1},
    {"missing community", plant_missing_community, "is listed 0 times, expected once", 1},
    {"unknown community", plant_unknown_community, "2.999.77 is not in the truth", 1},
    {"missing document", plant_missing_document, "is missing", 1},
    {"document twice", plant_document_twice, "is listed 2 times, expected once", 1},
    {"unexpected document", plant_unexpected_document, "is not expected", 1},
    {"wrong bytes", plant_wrong_bytes, "the bytes have sha256", 1},
    {"missing file", plant_missing_file, "red/none.xml", 1},
    {"no file", plant_no_file, "has no file", 1},
    {"wrong size", plant_wrong_size, "size is 1, expected", 2}, /* against truth and file */
    {"wrong type", plant_wrong_type, "type is '00000-0', expected", 1},
    {"wrong title", plant_wrong_title, "title is 'Another title', expected", 1},
    {"same unique id", plant_same_unique_id, "have the same unique_id", 1},
    {"unmarked duplicate", plant_unmarked_duplicate, "is not marked as its duplicate", 1},
    {"duplicate of other", plant_duplicate_of_other, "is marked as duplicate of", 1},
    {"duplicate of nothing", plant_duplicate_of_nothing, "no first one is listed", 1},
};

static void
test_planted_differences(void)
{
    struct truth truth;

    network_read_truth(network_path(), &truth);
    for (size_t i = 0; i < ARRAY_LEN(plants); i++) {
        json_t *index = right_index(&truth, network_question(&truth, "scattered"), false, "-");
        struct span text;

        plants[i].plant(index);
        const struct compare_result result = compare_index(index, "scattered", "", &text);
        const bool is_good = result.differences == plants[i].differences &&
                             span_find(text, span_of_cstr(plants[i].text)) != SPAN_MISSING;

        if (!is_good) {
            printf("\n    planted '%s': wanted %zu differences with '%s', got %zu:\n%.*s",
                   plants[i].name, plants[i].differences, plants[i].text, result.differences,
                   SPAN_PRINT(text));
        }
        CU_ASSERT(is_good);
    }
}

static void
test_withheld_document(void)
{
    struct truth truth;
    struct span text;

    network_read_truth(network_path(), &truth);
    const struct truth_question *question = network_question(&truth, "scattered");
    const struct compare_result given =
        compare_index(right_index(&truth, question, false, "-"), "scattered", "V,R", &text);

    CU_ASSERT_EQUAL(given.differences, 1);
    CU_ASSERT_NOT_EQUAL(span_find(text, SPAN("must be withheld, but was given out")), SPAN_MISSING);
    const struct compare_result kept =
        compare_index(right_index(&truth, question, false, "R"), "scattered", "", &text);

    CU_ASSERT_EQUAL(kept.differences, 1);
    CU_ASSERT_NOT_EQUAL(span_find(text, SPAN("is missing")), SPAN_MISSING);
}

static void
test_unreadable_index(void)
{
    static const struct {
        const char *text;
        enum err want;
    } rows[] = {
        {"{", ERR_IO},
        {"[]", ERR_MESSAGE_CONTENT},
        {"{\"asked\": \"2.999.1\"}", ERR_MESSAGE_CONTENT},
        {"{\"asked\": \"2.999.1\", \"failed_partners\": -1}", ERR_MESSAGE_CONTENT},
        {"{\"asked\": \"2.999.1\", \"failed_partners\": 0, \"communities\": [{}], \"documents\": "
         "[]}",
         ERR_MESSAGE_CONTENT},
    };
    struct diag diag = {0};
    struct span truth_path = SPAN_EMPTY;

    CHECK_OK(&diag,
             arena_printf(network_arena(), &diag, &truth_path, "%s/truth.json", network_path()));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct compare_options options = {
            .truth = truth_path.p, .index = network_temp("bad.json"), .documents = network_path()};
        struct compare_result result;

        diag_clear(&diag);
        CHECK_OK(&diag, truth_write_file(options.index, false, span_of_cstr(rows[i].text), &diag));
        CHECK_ERR(&diag, rows[i].want, compare(&options, stdout, &diag, &result));
    }
}

static void
test_unknown_question(void)
{
    static const char *const names[] = {"nobody", "999", "-1"};
    struct truth truth;

    network_read_truth(network_path(), &truth);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct truth_question *question = NULL;
        struct diag diag = {0};

        CHECK_ERR(&diag, ERR_NOT_FOUND,
                  compare_find_question(&truth, span_of_cstr(names[i]), &diag, &question));
    }
}

static const struct unit_test tests[] = {
    {"right answers have no difference", test_right_answers_have_no_difference},
    {"summary", test_summary},
    {"planted differences", test_planted_differences},
    {"withheld document", test_withheld_document},
    {"unreadable index", test_unreadable_index},
    {"unknown question", test_unknown_question},
};

int
main(void)
{
    return network_main("synth_compare", tests, ARRAY_LEN(tests));
}
