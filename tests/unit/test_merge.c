/*
 * The merge of an asking's legs, rule by rule (ITI TF-2 3.38.4.1.3, 3.39.4.1.3, 3.55.4.2.3; ITI
 * TF-3 4.2.4.2): each case gives legs and the one answer that they must become, as text; every
 * order in which the legs can end must give the same.
 */
#include <stdio.h>
#include <string.h>

#include "merge_kit.h"

static const char *const statuses[] = {"Success", "PartialSuccess", "Failure"};
static const char *const results[] = {"MATCH", "AMBIGUOUS", "NONE", "ERROR"};

static void
say_objects(struct text *text, const struct registry_objects *objects)
{
    for (size_t i = 0; i < objects->submission_sets.n; i++) {
        const struct submission_set *set = &objects->submission_sets.items[i];

        say(text, "set %.*s %.*s %.*s from %.*s\n", SPAN_PRINT(set->home),
            SPAN_PRINT(set->unique_id), SPAN_PRINT(set->entry_uuid), SPAN_PRINT(set->title));
    }
    for (size_t i = 0; i < objects->folders.n; i++) {
        const struct folder *folder = &objects->folders.items[i];

        say(text, "folder %.*s %.*s %.*s from %.*s\n", SPAN_PRINT(folder->home),
            SPAN_PRINT(folder->unique_id), SPAN_PRINT(folder->entry_uuid),
            SPAN_PRINT(folder->title));
    }
    for (size_t i = 0; i < objects->associations.n; i++) {
        const struct association *association = &objects->associations.items[i];

        say(text, "association %.*s %.*s %.*s %.*s from %.*s\n", SPAN_PRINT(association->home),
            SPAN_PRINT(association->source), SPAN_PRINT(association->target),
            SPAN_PRINT(association->entry_uuid), SPAN_PRINT(association->type));
    }
    for (size_t i = 0; i < objects->others.n; i++) {
        say(text, "other %.*s\n", SPAN_PRINT(objects->others.items[i]));
    }
}

static void
say_query(struct text *text, struct merge *merge)
{
    struct query_answer answer = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, merge_query(merge, &diag, &answer));
    say(text, "%s\n", statuses[answer.status]);
    say_errors(text, &answer.errors);
    for (size_t i = 0; i < answer.objects.documents.n; i++) {
        const struct document_entry *entry = &answer.objects.documents.items[i];

        say(text, "%.*s %.*s %.*s %.*s from %.*s\n", SPAN_PRINT(entry->home),
            SPAN_PRINT(entry->repository), SPAN_PRINT(entry->unique_id),
            SPAN_PRINT(entry->entry_uuid), SPAN_PRINT(entry->title));
    }
    say_objects(text, &answer.objects);
}

static const char *const *asked_texts; /* of say_retrieve; NULL at the end */
static enum merge_location asked_location;

static void
say_retrieve(struct text *text, struct merge *merge)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct document_ref_list asked = {0};
    struct retrieve_answer answer = {0};
    struct diag diag = {0};

    for (size_t i = 0; asked_texts[i] != NULL; i++) {
        struct span rest = span_of_cstr(asked_texts[i]);

        CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &asked, ref_of(&rest)));
    }
    CHECK_OK(&diag, merge_retrieve(merge, &asked, asked_location, &diag, &answer));
    say(text, "%s\n", statuses[answer.status]);
    say_errors(text, &answer.errors);
    for (size_t i = 0; i < answer.documents.n; i++) {
        say(text, "%.*s from %.*s\n", SPAN_PRINT(answer.documents.items[i].ref.unique_id),
            SPAN_PRINT(answer.documents.items[i].mime_type));
    }
    retrieve_answer_done(&answer);
    arena_free(arena);
}

static void
say_discovery(struct text *text, struct merge *merge)
{
    struct registry_error_list errors = {0};
    struct xcpd_answer answer = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, merge_discovery(merge, &diag, &answer, &errors));
    say(text, "%s", results[answer.result]);
    for (size_t i = 0; i < answer.issues.n; i++) {
        say(text, " %.*s", SPAN_PRINT(answer.issues.items[i]));
    }
    say(text, "\n");
    for (size_t i = 0; i < answer.matches.n; i++) {
        const struct xcpd_match *match = &answer.matches.items[i];

        say(text, "%.*s %.*s\n", SPAN_PRINT(match->home),
            SPAN_PRINT(match->patient.ids.items[0].extension));
    }
    say_errors(text, &errors);
}
/* ---- ITI-38 ---- */

#define HERE(oid, unique) "urn:oid:" oid " 2.999.7 " unique " urn:uuid:" unique

static const struct {
    struct leg_text legs[LEGS_MAX];
    const char *want;
} query_cases[] = {
    /* nobody to ask */
    {{{0}}, "Failure\n"},
    /* all failures: no content, one error for each */
    {{{.community = "2.999.1", .state = LEG_FAILED, .failure = ERR_PARTNER_TIMEOUT},
      {.community = "2.999.2", .state = LEG_FAILED, .failure = ERR_PARTNER_UNREACHABLE},
      {.community = "2.999.3", .state = LEG_FAILED, .failure = ERR_SOAP_FAULT},
      {.community = "2.999.4", .state = LEG_DENIED, .failure = ERR_POLICY_DENIED},
      {.community = "2.999.5", .state = LEG_FAILED, .failure = ERR_CONFIG}},
     "Failure\n"
     "XDSUnavailableCommunity [urn:oid:2.999.1] the community did not answer in time\n"
     "XDSUnavailableCommunity [urn:oid:2.999.2] the community could not be reached\n"
     "XDSRegistryError [urn:oid:2.999.3] the partner answered with a fault\n"
     "XDSRegistryError [urn:oid:2.999.4] the policy of this community does not allow this\n"
     "XDSUnavailableCommunity [urn:oid:2.999.5] the gateway is not configured for this\n"},
    /* a Failure with its own reasons, where they come from, beside nothing: PartialSuccess */
    {{{.community = "2.999.1",
       .state = LEG_FAILED,
       .failure = ERR_PARTNER_REFUSED,
       .status = REGISTRY_FAILURE,
       .errors = {"XDSRegistryBusy - later please", "!XDSx urn:oid:2.999.1 w",
                  "XDSy urn:oid:2.999.11 near", "- 2.999.1/db bare"}},
      {.community = "2.999.2", .state = LEG_ANSWERED}},
     "PartialSuccess\n"
     "XDSRegistryBusy [urn:oid:2.999.1] later please\n"
     "!XDSx [urn:oid:2.999.1] w\n"
     "XDSy [urn:oid:2.999.1 urn:oid:2.999.11] near\n"
     "XDSRegistryError [2.999.1/db] bare\n"},
    /* an unknown patient is an answer without documents */
    {{{.community = "2.999.1",
       .state = LEG_ANSWERED,
       .status = REGISTRY_FAILURE,
       .errors = {"XDSUnknownPatientId urn:oid:2.999.1 who"}},
      {.community = "2.999.2", .state = LEG_ANSWERED, .items = {HERE("2.999.2", "2.999.8.1")}}},
     "Success\n"
     "urn:oid:2.999.2 2.999.7 2.999.8.1 urn:uuid:2.999.8.1 from 2.999.2\n"},
    /* in part, with a reason and without; warnings alone change nothing */
    {{{.community = "2.999.1",
       .state = LEG_ANSWERED,
       .failure = ERR_PARTNER_REFUSED,
       .status = REGISTRY_PARTIAL_SUCCESS,
       .errors = {"!XDSw - w"},
       .items = {HERE("2.999.1", "2.999.8.2")}}},
     "PartialSuccess\n"
     "!XDSw [urn:oid:2.999.1] w\n"
     "XDSRegistryError [urn:oid:2.999.1] the community answered in part, and did not say why\n"
     "urn:oid:2.999.1 2.999.7 2.999.8.2 urn:uuid:2.999.8.2 from 2.999.1\n"},
    {{{.community = "2.999.1",
       .state = LEG_ANSWERED,
       .errors = {"!XDSw - w"},
       .items = {HERE("2.999.1", "2.999.8.2")}},
      {.community = "2.999.2",
       .state = LEG_FAILED,
       .failure = ERR_PARTNER_TIMEOUT,
       .abandoned = LEG_ABANDONED_ENOUGH}},
     "Success\n"
     "!XDSw [urn:oid:2.999.1] w\n"
     "!XDSUnavailableCommunity [urn:oid:2.999.2] not waited for: enough communities had "
     "answered\n"
     "urn:oid:2.999.1 2.999.7 2.999.8.2 urn:uuid:2.999.8.2 from 2.999.1\n"},
    /* what could not be used: a warning; without homeCommunityId: an error of its own */
    {{{.community = "2.999.1", .state = LEG_ANSWERED, .dropped = 3, .homeless = 1},
      {.community = "2.999.2", .state = LEG_ANSWERED, .dropped = 1}},
     "PartialSuccess\n"
     "XDSMissingHomeCommunityId [urn:oid:2.999.1] 1 entry without homeCommunityId\n"
     "!XDSRegistryError [urn:oid:2.999.1] 2 items of the community's answer could not be used\n"
     "!XDSRegistryError [urn:oid:2.999.2] 1 item of the community's answer could not be "
     "used\n"},
    /* the plan's order; what is there twice once; the same document under two ids twice; a
     * home for an entry of ours that has none */
    {{{.community = "2.999.2",
       .state = LEG_ANSWERED,
       .items = {HERE("2.999.2", "2.999.8.9"), HERE("2.999.2", "2.999.8.1"),
                 HERE("2.999.2", "2.999.8.9"), "urn:oid:2.999.2 2.999.7 2.999.8.9 urn:uuid:b"}},
      {.community = "2.999.1",
       .state = LEG_ANSWERED,
       .is_own = true,
       .items = {"- 2.999.7 2.999.8.9 urn:uuid:c", HERE("2.999.2", "2.999.8.1")}}},
     "Success\n"
     "urn:oid:2.999.2 2.999.7 2.999.8.9 urn:uuid:2.999.8.9 from 2.999.2\n"
     "urn:oid:2.999.2 2.999.7 2.999.8.1 urn:uuid:2.999.8.1 from 2.999.2\n"
     "urn:oid:2.999.2 2.999.7 2.999.8.9 urn:uuid:b from 2.999.2\n"
     "urn:oid:2.999.1 2.999.7 2.999.8.9 urn:uuid:c from 2.999.1\n"},
    /* every kind of object once, kind by kind; the same id in another community is another one */
    {{{.community = "2.999.2",
       .state = LEG_ANSWERED,
       .items = {"association urn:oid:2.999.2 urn:uuid:s urn:uuid:d urn:uuid:a",
                 "set urn:oid:2.999.2 2.999.8.1 urn:uuid:s",
                 "folder urn:oid:2.999.2 2.999.8.2 urn:uuid:f", "other <x/>",
                 HERE("2.999.2", "2.999.8.1")}},
      {.community = "2.999.3",
       .state = LEG_ANSWERED,
       .items = {"set urn:oid:2.999.2 2.999.8.1 urn:uuid:s",
                 "set urn:oid:2.999.3 2.999.8.1 urn:uuid:s",
                 "association urn:oid:2.999.2 urn:uuid:s urn:uuid:d urn:uuid:a",
                 "folder urn:oid:2.999.2 2.999.8.2 urn:uuid:f", "other <x/>"}},
      {.community = "2.999.4",
       .state = LEG_FAILED,
       .failure = ERR_PARTNER_TIMEOUT,
       .items = {"set urn:oid:2.999.4 2.999.8.1 urn:uuid:s", "other <y/>"}},
      {.community = "2.999.1",
       .state = LEG_ANSWERED,
       .is_own = true,
       .items = {"set - 2.999.8.3 urn:uuid:t", "folder - 2.999.8.4 urn:uuid:g", "other <z/>",
                 "association - urn:uuid:t urn:uuid:e urn:uuid:b"}}},
     "PartialSuccess\n"
     "XDSUnavailableCommunity [urn:oid:2.999.4] the community did not answer in time\n"
     "urn:oid:2.999.2 2.999.7 2.999.8.1 urn:uuid:2.999.8.1 from 2.999.2\n"
     "set urn:oid:2.999.2 2.999.8.1 urn:uuid:s from 2.999.2\n"
     "set urn:oid:2.999.3 2.999.8.1 urn:uuid:s from 2.999.3\n"
     "set urn:oid:2.999.1 2.999.8.3 urn:uuid:t from 2.999.1\n"
     "folder urn:oid:2.999.2 2.999.8.2 urn:uuid:f from 2.999.2\n"
     "folder urn:oid:2.999.1 2.999.8.4 urn:uuid:g from 2.999.1\n"
     "association urn:oid:2.999.2 urn:uuid:s urn:uuid:d urn:uuid:a from 2.999.2\n"
     "association urn:oid:2.999.1 urn:uuid:t urn:uuid:e urn:uuid:b from 2.999.1\n"
     "other <x/>\n"
     "other <z/>\n"},
};

static void
test_query(void)
{
    for (size_t i = 0; i < ARRAY_LEN(query_cases); i++) {
        merge_kit_check(SOAP_ITI_38, query_cases[i].legs, say_query, query_cases[i].want);
    }
}

/* Asked before everybody has ended: who has not did not answer in time. */
static void
test_query_before_the_end(void)
{
    static const struct leg_text texts[LEGS_MAX] = {
        {.community = "2.999.1", .state = LEG_ANSWERED, .items = {HERE("2.999.1", "2.999.8.1")}},
        {.community = "2.999.2", .state = LEG_ANSWERED, .items = {HERE("2.999.2", "2.999.8.2")}},
        {.community = "2.999.3", .state = LEG_ASKED}};
    struct text text = {.n = 0};
    struct merge_progress progress;
    struct world world;
    struct merge *merge = NULL;
    struct diag diag = {0};

    merge_kit_world(&world, SOAP_ITI_38, texts);
    CHECK_OK(&diag, merge_new(world.arena, SOAP_ITI_38, world.legs, world.n, &diag, &merge));
    merge_add(merge, 1);
    progress = merge_progress(merge);
    CU_ASSERT(progress.legs == 3 && progress.over == 1);
    CU_ASSERT(progress.answered == 1 && progress.items == 1);
    say_query(&text, merge);
    CU_ASSERT_STRING_EQUAL(
        text.bytes,
        "PartialSuccess\n"
        "XDSUnavailableCommunity [urn:oid:2.999.1] the community did not answer in time\n"
        "XDSUnavailableCommunity [urn:oid:2.999.3] the community did not answer in time\n"
        "urn:oid:2.999.2 2.999.7 2.999.8.2 urn:uuid:2.999.8.2 from 2.999.2\n");
    arena_free(world.arena);
}

/* ---- ITI-39 ---- */

#define REF(oid, unique) "urn:oid:" oid " 2.999.7 " unique

static void
test_retrieve(void)
{
    static const struct {
        const char *asked[6];
        struct leg_text legs[LEGS_MAX];
        const char *want;
    } cases[] = {
        /* the order is the question's, and twice is once */
        {{REF("2.999.2", "2.999.8.4"), REF("2.999.1", "2.999.8.1"), REF("2.999.2", "2.999.8.3"),
          REF("2.999.1", "2.999.8.1")},
         {{.community = "2.999.1",
           .state = LEG_ANSWERED,
           .refs = {REF("2.999.1", "2.999.8.1")},
           .items = {REF("2.999.1", "2.999.8.1")}},
          {.community = "2.999.2",
           .state = LEG_ANSWERED,
           .refs = {REF("2.999.2", "2.999.8.3"), REF("2.999.2", "2.999.8.4")},
           .items = {REF("2.999.2", "2.999.8.3"), REF("2.999.2", "2.999.8.4")}}},
         "Success\n2.999.8.4 from 2.999.2\n2.999.8.1 from 2.999.1\n2.999.8.3 from 2.999.2\n"},
        /* one error for each that did not come: with the partner's reason, without, of nobody */
        {{REF("2.999.1", "2.999.8.1"), REF("2.999.1", "2.999.8.2"), REF("2.999.1", "2.999.8.3"),
          REF("2.999.2", "2.999.8.4"), REF("2.999.3", "2.999.8.5")},
         {{.community = "2.999.1",
           .state = LEG_ANSWERED,
           .status = REGISTRY_PARTIAL_SUCCESS,
           .failure = ERR_PARTNER_REFUSED,
           .refs = {REF("2.999.1", "2.999.8.1"), REF("2.999.1", "2.999.8.2"),
                    REF("2.999.1", "2.999.8.3")},
           .errors = {"XDSRepositoryBusy urn:oid:2.999.1/2.999.8.2 later", "!XDSw - w",
                      "XDSother 12.999.8.1 no"},
           .items = {REF("2.999.1", "2.999.8.3")}},
          {.community = "2.999.2",
           .state = LEG_FAILED,
           .failure = ERR_PARTNER_TIMEOUT,
           .refs = {REF("2.999.2", "2.999.8.4")}}},
         "PartialSuccess\n"
         "XDSDocumentUniqueIdError [urn:oid:2.999.1 2.999.8.1] the document is not available\n"
         "XDSRepositoryBusy [urn:oid:2.999.1 2.999.8.2] later\n"
         "XDSUnavailableCommunity [urn:oid:2.999.2 2.999.8.4] the community did not answer in "
         "time\n"
         "XDSUnknownCommunity [urn:oid:2.999.3 2.999.8.5] the homeCommunityId is not served "
         "here\n"
         "!XDSw [urn:oid:2.999.1] w\n"
         "2.999.8.3 from 2.999.1\n"},
        /* nothing came: Failure. Our own store does not say why it keeps a document back */
        {{REF("2.999.1", "2.999.8.1"), REF("2.999.2", "2.999.8.2"), REF("2.999.3", "2.999.8.3")},
         {{.community = "2.999.1",
           .state = LEG_FAILED,
           .failure = ERR_PARTNER_REFUSED,
           .is_own = true,
           .errors = {"XDSDocumentUniqueIdError 2.999.8.1 withheld: a rule"},
           .refs = {REF("2.999.1", "2.999.8.1")}},
          {.community = "2.999.2",
           .state = LEG_FAILED,
           .failure = ERR_PARTNER_REFUSED,
           .refs = {REF("2.999.2", "2.999.8.2")}},
          {.community = "2.999.3",
           .state = LEG_FAILED,
           .failure = ERR_NO_MEMORY,
           .refs = {REF("2.999.3", "2.999.8.3")}}},
         "Failure\n"
         "XDSDocumentUniqueIdError [urn:oid:2.999.1 2.999.8.1] the document is not available\n"
         "XDSRepositoryError [urn:oid:2.999.2 2.999.8.2] the community refused the request\n"
         "XDSRepositoryOutOfResources [urn:oid:2.999.3 2.999.8.3] out of resources\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        asked_texts = cases[i].asked;
        merge_kit_check(SOAP_ITI_39, cases[i].legs, say_retrieve, cases[i].want);
    }
}

/* To a consumer of ITI-43 the community is no part of a document's location. */
static void
test_retrieve_without_communities(void)
{
    static const char *const asked[] = {REF("2.999.1", "2.999.8.1"), REF("2.999.1", "2.999.8.2"),
                                        REF("2.999.3", "2.999.8.5"), NULL};
    static const struct leg_text legs[LEGS_MAX] = {
        {.community = "2.999.1",
         .state = LEG_ANSWERED,
         .status = REGISTRY_PARTIAL_SUCCESS,
         .dropped = 1,
         .refs = {REF("2.999.1", "2.999.8.1"), REF("2.999.1", "2.999.8.2")},
         .errors = {"XDSRepositoryBusy urn:oid:2.999.1/2.999.8.2 later",
                    "!XDSold urn:oid:2.999.1/2.999.8.1 w", "!XDSw 2.999.8.1 w"},
         .items = {REF("2.999.1", "2.999.8.1")}}};

    asked_texts = asked;
    asked_location = MERGE_LOCATION_DOCUMENT;
    merge_kit_check(
        SOAP_ITI_39, legs, say_retrieve,
        "PartialSuccess\n"
        "XDSRepositoryBusy [2.999.8.2] later\n"
        "XDSUnknownCommunity [2.999.8.5] the homeCommunityId is not served here\n"
        "!XDSold [2.999.8.1] w\n"
        "!XDSw [2.999.8.1] w\n"
        "!XDSRepositoryError [urn:oid:2.999.1] 1 item of the community's answer could not "
        "be used\n"
        "2.999.8.1 from 2.999.1\n");
    asked_location = MERGE_LOCATION_FULL;
}

/* ---- ITI-55 ---- */

static void
test_discovery(void)
{
    static const struct {
        struct leg_text legs[LEGS_MAX];
        const char *want;
    } cases[] = {
        {{{.community = "2.999.1", .state = LEG_FAILED, .failure = ERR_PARTNER_TIMEOUT},
          {.community = "2.999.2", .state = LEG_FAILED, .failure = ERR_PARTNER_REFUSED}},
         "ERROR AnswerNotAvailable\n"
         "XDSUnavailableCommunity [urn:oid:2.999.1] the community did not answer in time\n"
         "XDSRegistryError [urn:oid:2.999.2] the community refused the request\n"},
        {{{.community = "2.999.1", .state = LEG_FAILED, .failure = ERR_PARTNER_TIMEOUT},
          {.community = "2.999.2", .state = LEG_ANSWERED, .result = XCPD_NONE}},
         "NONE\n"
         "XDSUnavailableCommunity [urn:oid:2.999.1] the community did not answer in time\n"},
        {{{.community = "2.999.1", .state = LEG_ANSWERED, .result = XCPD_AMBIGUOUS},
          {.community = "2.999.2", .state = LEG_ANSWERED, .result = XCPD_NONE}},
         "AMBIGUOUS\n"},
        /* one for each community, by its degree, whoever speaks for it; equal ones: none */
        {{{.community = "2.999.2",
           .state = LEG_ANSWERED,
           .result = XCPD_MATCH,
           .items = {"2.999.2 2.999.9 a 70", "urn:oid:2.999.2 2.999.9 b 90", "2.999.3 2.999.9 c 80",
                     "2.999.3 2.999.9 d 80"}},
          {.community = "2.999.1",
           .state = LEG_ANSWERED,
           .result = XCPD_MATCH,
           .items = {"2.999.1 2.999.9 e 50", "2.999.1 2.999.9 e 50"}}},
         "MATCH\n2.999.1 e\n2.999.2 b\n"},
        {{{.community = "2.999.3",
           .state = LEG_ANSWERED,
           .result = XCPD_MATCH,
           .items = {"2.999.3 2.999.9 c 80", "2.999.3 2.999.9 d 80"}}},
         "AMBIGUOUS\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        merge_kit_check(SOAP_ITI_55, cases[i].legs, say_discovery, cases[i].want);
    }
}

static const struct unit_test tests[] = {
    /* REQ: SQ-status, ITI38-missing-home-reported, MERGE-partial-success, MERGE-all-failed */
    /* REQ: MERGE-unknown-patient-dropped, MERGE-unavailable, MERGE-errors-passed */
    {"ITI-38: status, errors, entries", test_query},
    {"ITI-38: asked before the end", test_query_before_the_end},
    /* REQ: ITI39-order, ITI39-complete, ITI39-warning */
    {"ITI-39: the order of the question, one error a document", test_retrieve},
    {"ITI-43: locations without communities", test_retrieve_without_communities},
    {"ITI-55: one match a community", test_discovery},
};
UNIT_MAIN("merge", tests)
