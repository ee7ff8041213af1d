/*
 * Partners as they are: each row is a dialect that was sampled from real networks, or a combination
 * of such, and the profiles that reach it. With them a person is discovered, nobody is nobody, and
 * her documents are found and retrieved. Without one of them the step that it is for fails, for the
 * reason that the partner gives.
 */
#include <stdio.h>
#include <string.h>

#include "dialect_kit.h"

#define PROFILES_MAX 5

/* Without profile <profile> (an index), or with <instead> of it, that step fails and says this. */
struct bite {
    size_t profile;
    const char *instead;
    enum dialect_step step;
    const char *because;
};

struct dialect {
    const char *name;
    uint64_t traits;
    const char *profiles[PROFILES_MAX];
    struct bite bites[PROFILES_MAX];
    size_t questions; /* with the profiles, in a gather; 0: three */
};

static const struct dialect dialects[] = {
    {"one document in one retrieve",
     TRAIT(ONE_DOCUMENT),
     {"one-document-per-retrieve"},
     {{0, NULL, STEP_RETRIEVE, "one document at a time"}},
     2 + DIALECT_DOCUMENTS},
    {"five documents in one retrieve",
     TRAIT(FIVE_DOCUMENTS),
     {"{documents-per-retrieve: 5}"},
     {{0, NULL, STEP_RETRIEVE, "five documents at a time"},
      {0, "{documents-per-retrieve: 6}", STEP_RETRIEVE, "five documents at a time"}},
     2 + 2},
    {"SHA-1 only",
     TRAIT(SHA1),
     {"{sha1-until: DAY}"},
     {{0, NULL, STEP_DISCOVER, "knows SHA-1 only"},
      {0, "{sha1-until: 2020-01-31}", STEP_DISCOVER, "knows SHA-1 only"}},
     0},
    {"SHA-512 only", TRAIT(SHA512), {"sha512"}, {{0, NULL, STEP_DISCOVER, "wants SHA-512"}}, 0},
    {"a range of times is required",
     TRAIT(CREATION_RANGE),
     {"date-range-required"},
     {{0, NULL, STEP_QUERY, "a range of creation times is required"},
      {0, "service-range-required", STEP_QUERY, "a range of creation times is required"}},
     0},
    {"a range of service times is required",
     TRAIT(SERVICE_RANGE),
     {"service-range-required"},
     {{0, NULL, STEP_QUERY, "a range of service times is required"}},
     0},
    {"documents by urn:uuid:, upper case in the metadata",
     TRAIT(URN_IDS),
     {"urn-prefix"},
     {{0, NULL, STEP_RETRIEVE, "no document of that name"}},
     0},
    {"the gateway's own OID in the body",
     TRAIT(SENDER_COMMUNITY),
     {"own-oid-as-sender"},
     {{0, "asker-as-sender", STEP_DISCOVER, "the sender is not the gateway"}},
     0},
    {"the initiator's OID in the body",
     TRAIT(SENDER_ASKER),
     {"asker-as-sender"},
     {{0, NULL, STEP_DISCOVER, "the sender is not the initiator"}},
     0},
    {"a hub's OID as the receiver",
     TRAIT(RECEIVER_HUB),
     {"{hub-as-receiver: 2.999.99}"},
     {{0, NULL, STEP_DISCOVER, "the receiver is not this hub"}},
     0},
    {"no prefix in discovery",
     TRAIT(DEFAULT_NAMESPACE),
     {"default-namespace"},
     {{0, "prefixed-namespace", STEP_DISCOVER, "reads no prefixes"}},
     0},
    {"prefixes in discovery",
     TRAIT(PREFIXED_NAMESPACE),
     {"prefixed-namespace"},
     {{0, NULL, STEP_DISCOVER, "reads prefixes only"}},
     0},
    {"bearer assertions only",
     TRAIT(BEARER),
     {"bearer"},
     {{0, NULL, STEP_DISCOVER, "knows bearer assertions only"}},
     0},
    {"attributes of 2010",
     TRAIT(ATTRIBUTES_2010),
     {"xspa-2010"},
     {{0, NULL, STEP_DISCOVER, "does not know an attribute"}},
     0},
    {"retrieves as plain SOAP",
     TRAIT(NO_MTOM),
     {"plain-soap-retrieve"},
     {{0, NULL, STEP_RETRIEVE, "HTTP 415"}},
     0},
    {"slow answers",
     TRAIT(SLOW),
     {"slow-answers"},
     {{0, NULL, STEP_DISCOVER, "PARTNER_TIMEOUT"}},
     0},
    {"connections that fail now and then",
     TRAIT(FAILS_FIRST),
     {"second-attempt"},
     {{0, NULL, STEP_DISCOVER, "PARTNER_UNREACHABLE"}},
     6},
    {"empty answers now and then",
     TRAIT(EMPTY_FIRST),
     {"second-attempt"},
     {{0, NULL, STEP_DISCOVER, "with an empty body"}},
     6},
    {"busy now and then",
     TRAIT(BUSY_FIRST),
     {"second-attempt"},
     {{0, NULL, STEP_DISCOVER, "HTTP 503"}},
     6},
    {"nobody is an empty body",
     TRAIT(EMPTY_NOBODY),
     {"empty-answers"},
     {{0, NULL, STEP_NOBODY, "with an empty body"}},
     0},
    /* combinations, with answers that are packed as they come */
    {"a national hub: ranges, its own OID, slow, LF in MIME",
     TRAIT(CREATION_RANGE) | TRAIT(RECEIVER_HUB) | TRAIT(SLOW) | TRAIT(LF),
     {"date-range-required", "{hub-as-receiver: 2.999.99}", "slow-answers"},
     {{0, NULL, STEP_QUERY, "a range of creation times"},
      {1, NULL, STEP_DISCOVER, "the receiver is not this hub"},
      {2, NULL, STEP_DISCOVER, "PARTNER_TIMEOUT"}},
     0},
    {"a record locator: one document, urn ids, parts without types",
     TRAIT(ONE_DOCUMENT) | TRAIT(URN_IDS) | TRAIT(NO_TYPES),
     {"one-document-per-retrieve", "urn-prefix"},
     {{0, NULL, STEP_RETRIEVE, "one document at a time"},
      {1, NULL, STEP_RETRIEVE, "no document of that name"}},
     2 + DIALECT_DOCUMENTS},
    {"an old gateway: SHA-1, attributes of 2010, documents inline in a bare root",
     TRAIT(SHA1) | TRAIT(ATTRIBUTES_2010) | TRAIT(NO_PACKAGE),
     {"{sha1-until: DAY}", "xspa-2010"},
     {{0, NULL, STEP_DISCOVER, "knows SHA-1 only"},
      {1, NULL, STEP_DISCOVER, "does not know an attribute"}},
     0},
    {"a small vendor: no prefixes, bearer, plain retrieves, answers without MTOM",
     TRAIT(DEFAULT_NAMESPACE) | TRAIT(BEARER) | TRAIT(NO_MTOM) | TRAIT(INLINE_SOAP),
     {"default-namespace", "bearer", "plain-soap-retrieve"},
     {{0, "prefixed-namespace", STEP_DISCOVER, "reads no prefixes"},
      {1, NULL, STEP_DISCOVER, "knows bearer assertions only"},
      {2, NULL, STEP_RETRIEVE, "HTTP 415"}},
     0},
    {"a shaky one: fails first, one document, initiator's OID, LF and no types",
     TRAIT(FAILS_FIRST) | TRAIT(ONE_DOCUMENT) | TRAIT(SENDER_ASKER) | TRAIT(LF) | TRAIT(NO_TYPES),
     {"second-attempt", "one-document-per-retrieve", "asker-as-sender"},
     {{0, NULL, STEP_DISCOVER, "PARTNER_UNREACHABLE"},
      {1, NULL, STEP_RETRIEVE, "one document at a time"},
      {2, NULL, STEP_DISCOVER, "the sender is not the initiator"}},
     4 + 1 + DIALECT_DOCUMENTS},
};

static struct scene scene; /* large; one at a time */

/* The dialect's profiles, but for that of the bite (NULL: all). */
static void
list_profiles(const struct dialect *dialect, const struct bite *bite, char ret_list[512])
{
    size_t used = 0;

    ret_list[0] = '\0';
    for (size_t i = 0; i < PROFILES_MAX && dialect->profiles[i] != NULL; i++) {
        const char *profile = dialect->profiles[i];

        if (bite != NULL && bite->profile == i) {
            profile = bite->instead;
        }
        if (profile != NULL) {
            used += (size_t)snprintf(ret_list + used, 512 - used, "%s%s", used == 0 ? "" : ", ",
                                     profile);
        }
    }
}

static void
run(const struct dialect *dialect, const struct bite *bite, struct dialect_outcome *outcome)
{
    char list[512];

    list_profiles(dialect, bite, list);
    dialect_use(&scene, "red", "green", list);
    dialect_run(&scene, dialect->traits, outcome);
}

static void
complain(const struct dialect *dialect, const struct bite *bite,
         const struct dialect_outcome *outcome)
{
    fprintf(stderr, "dialect '%s'%s%s: failed at %s: %s\n", dialect->name,
            bite == NULL ? "" : " without ", bite == NULL ? "" : dialect->profiles[bite->profile],
            dialect_step_name(outcome->failed), outcome->why);
}

static void
check_bite(const struct dialect *dialect, const struct bite *bite)
{
    struct dialect_outcome outcome;

    run(dialect, bite, &outcome);
    if (outcome.failed != bite->step || strstr(outcome.why, bite->because) == NULL) {
        complain(dialect, bite, &outcome);
        CU_FAIL("not the failure that is wanted");
    }
}

static void
test_with_their_profiles(void)
{
    CU_ASSERT(ARRAY_LEN(dialects) >= 20);
    dialect_open(&scene);
    for (size_t i = 0; i < ARRAY_LEN(dialects); i++) {
        const struct dialect *dialect = &dialects[i];
        struct dialect_outcome outcome;

        run(dialect, NULL, &outcome);
        if (outcome.failed != STEP_NONE) {
            complain(dialect, NULL, &outcome);
            CU_FAIL("a dialect is not reached");
        }
        CU_ASSERT_EQUAL(outcome.questions, dialect->questions == 0 ? 3 : dialect->questions);
    }
    dialect_close(&scene);
}

/* Every profile of every dialect is needed. */
static void
test_without_one_of_them(void)
{
    dialect_open(&scene);
    for (size_t i = 0; i < ARRAY_LEN(dialects); i++) {
        uint64_t bitten = 0, named = 0;

        for (size_t b = 0; b < PROFILES_MAX && dialects[i].bites[b].step != STEP_NONE; b++) {
            check_bite(&dialects[i], &dialects[i].bites[b]);
            bitten |= (uint64_t)1 << dialects[i].bites[b].profile;
        }
        for (size_t p = 0; p < PROFILES_MAX && dialects[i].profiles[p] != NULL; p++) {
            named |= (uint64_t)1 << p;
        }
        CU_ASSERT_EQUAL(bitten, named);
    }
    dialect_close(&scene);
}

/* And no trait of the emulator goes unused. */
static void
test_every_trait(void)
{
    uint64_t seen = 0;

    for (size_t i = 0; i < ARRAY_LEN(dialects); i++) {
        seen |= dialects[i].traits;
    }
    CU_ASSERT_EQUAL(seen, ((uint64_t)1 << TRAIT_COUNT) - 1);
}

/* ---- questions that are passed on ---- */

static bool
says(const struct buf *message, const char *text)
{
    return span_find(buf_span(message), span_of_cstr(text)) != SPAN_MISSING;
}

#define NO_TIME "TimeFrom"

/* What a local system asks for itself stays as it is: its own range, queries that have none, and
 * ids that are no UUIDs. */
static void
test_questions_that_are_passed_on(void)
{
    struct span day[] = {SPAN("20200101")};
    struct span ids[] = {SPAN("2.999.5"), SPAN("AAAAAAAA-0000-4000-8000-00000000000A")};
    const struct {
        const char *query, *param;
        struct span_list values;
        const char *has, *lacks;
    } rows[] = {
        {XCA_FIND_DOCUMENTS,
         "$XDSDocumentEntryAuthorPerson",
         {day, 1, 1},
         ">19000101000000<",
         "ServiceStart"},
        {XCA_FIND_DOCUMENTS,
         "$XDSDocumentEntryCreationTimeFrom",
         {day, 1, 1},
         ">20200101<",
         "TimeTo"},
        {XCA_FIND_DOCUMENTS,
         "$XDSDocumentEntryServiceStartTimeTo",
         {day, 1, 1},
         ">20200101<",
         NO_TIME},
        {"urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4",
         "$XDSDocumentEntryUniqueId",
         {ids, 2, 2},
         "'urn:uuid:aaaaaaaa-0000-4000-8000-00000000000a'",
         NO_TIME},
        {"urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4",
         "$XDSDocumentEntryUniqueId",
         {ids, 2, 2},
         "'2.999.5'",
         "AAAAAAAA"},
    };

    dialect_open(&scene);
    dialect_use(&scene, "red", "green", "date-range-required, urn-prefix");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct query_param param = {.name = span_of_cstr(rows[i].param),
                                    .is_multiple = rows[i].values.n > 1,
                                    .values = rows[i].values};
        struct stored_query query = {.id = span_of_cstr(rows[i].query), .params = {&param, 1, 1}};
        struct asking_order order = {
            .goal = ASKING_QUERY, .query = &query, .timeout_us = 20 * US_PER_S};
        struct asking *asking = NULL;

        scene_ask(scene_place(&scene, "red"), &order, &asking);
        CU_ASSERT_EQUAL_FATAL(scene.questions_n, 1);
        CU_ASSERT(says(&scene.questions[0].body, rows[i].has));
        CU_ASSERT_FALSE(says(&scene.questions[0].body, rows[i].lacks));
        CU_ASSERT_EQUAL(param.values.items,
                        rows[i].values.items); /* the asker's own is untouched */
        scene_fail(&scene, 0, ERR_PARTNER_UNREACHABLE);
        CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
        asking_free(asking);
        scene_forget(&scene);
    }
    dialect_close(&scene);
}

/* A partner that may say "nothing" with no bytes has not given what was asked for by name. */
static void
test_an_empty_answer_is_no_document(void)
{
    struct document_ref ref = {SPAN("urn:oid:2.999.2"), SPAN("2.999.2.2"), SPAN("2.999.5")};
    const struct asking_order order = {
        .goal = ASKING_RETRIEVE, .documents = {&ref, 1, 1}, .timeout_us = 20 * US_PER_S};
    struct asking *asking = NULL;

    dialect_open(&scene);
    dialect_use(&scene, "red", "green", "empty-answers");
    scene_ask(scene_place(&scene, "red"), &order, &asking);
    CU_ASSERT_EQUAL_FATAL(scene.questions_n, 1);
    scene_answer(&scene, 0, 200, "", SPAN_EMPTY);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 2, "green")->state, LEG_FAILED);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 2, "green")->diag.code, ERR_PARTNER_ANSWER);
    asking_free(asking);
    dialect_close(&scene);
}

static const struct unit_test tests[] = {
    {"every dialect is reached with its profiles", test_with_their_profiles},
    {"and is not without any one of them, for its reason", test_without_one_of_them},
    {"questions that are passed on keep what they say", test_questions_that_are_passed_on},
    {"an empty answer is no document", test_an_empty_answer_is_no_document},
    {"every trait of the emulator is some dialect's", test_every_trait},
};
UNIT_MAIN("dialects", tests)
