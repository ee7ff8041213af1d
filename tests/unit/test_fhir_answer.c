/*
 * What a FHIR repository says to AuditEvents: which statuses mean what, and answers that are none.
 */
#include "audit/fhir_answer.h"

#include <stdio.h>

#include "tests/unit/unit.h"

#define OUTCOME                                                                                    \
    "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"error\",\"code\":"          \
    "\"required\"}]}"

static void
test_answers_refused(void)
{
    static const char *const texts[] = {
        "",
        "x",
        "[]",
        "{}",
        "{\"resourceType\":\"Bundle\"}",
        "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{},{}]}",
        "{\"resourceType\":\"Bundle\",\"type\":\"batch-response\"}",
        "{\"resourceType\":\"Bundle\",\"type\":\"batch-response\",\"entry\":[{\"response\":"
        "{\"status\":\"201\"}}]}",
        "{\"resourceType\":\"Bundle\",\"type\":\"batch-response\",\"entry\":[{\"response\":"
        "{\"status\":\"201\"}},{\"response\":{\"status\":\"201\"}},{\"response\":{\"status\":"
        "\"201\"}}]}",
        "{\"resourceType\":\"Bundle\",\"type\":\"batch-response\",\"entry\":[{\"response\":"
        "{\"status\":\"201\"}},{}]}",
        "{\"resourceType\":\"Bundle\",\"type\":\"batch-response\",\"entry\":[{\"response\":"
        "{\"status\":\"201\"}},{\"response\":{\"status\":201}}]}",
        "{\"resourceType\":\"Bundle\",\"type\":\"batch-response\",\"entry\":[{\"response\":"
        "{\"status\":\"201\"}},{\"response\":{\"status\":\"2010\"}}]}",
        "{\"resourceType\":\"Bundle\",\"type\":\"batch-response\",\"entry\":[{\"response\":"
        "{\"status\":\"201\"}},{\"response\":{\"status\":\"20\"}}]}",
        "{\"resourceType\":\"Bundle\",\"type\":\"batch-response\",\"entry\":[{\"response\":"
        "{\"status\":\"201\"}},{\"response\":{\"status\":\"099 x\"}}]}",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct diag diag = {0};
        struct fhir_answer answers[3] = {0};
        if (!CHECK_ERR(&diag, ERR_PARTNER_ANSWER,
                       fhir_read_batch(span_of_cstr(texts[i]), 2, &diag, answers))) {
            printf("  row %zu\n", i);
        }
    }
}

static void
test_verdicts(void)
{
    static const struct {
        int status;
        const char *body;
        enum fhir_verdict want;
        const char *issue;
    } cases[] = {
        {200, "", FHIR_TAKEN, ""},
        {201, OUTCOME, FHIR_TAKEN, "required"},
        {204, "", FHIR_TAKEN, ""},
        {199, "", FHIR_LATER, ""},
        {301, "", FHIR_LATER, ""},
        {400, "<html/>", FHIR_LATER, ""},
        {400, "{}", FHIR_LATER, ""},
        {400, OUTCOME, FHIR_REFUSED, "required"},
        {400,
         "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"code\":\"the patient's name\"}]}",
         FHIR_REFUSED, ""},
        {401, OUTCOME, FHIR_LATER, "required"},
        {403, OUTCOME, FHIR_LATER, "required"},
        {404, OUTCOME, FHIR_LATER, "required"},
        {408, "", FHIR_LATER, ""},
        {409, "", FHIR_REFUSED, ""},
        {412, "", FHIR_REFUSED, ""},
        {413, "", FHIR_REFUSED, ""},
        {415, "", FHIR_LATER, ""},
        {422, OUTCOME, FHIR_REFUSED, "required"},
        {429, "", FHIR_LATER, ""},
        {500, OUTCOME, FHIR_LATER, "required"},
        {503, "", FHIR_LATER, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fhir_answer answer = {0};
        fhir_read_one(cases[i].status, span_of_cstr(cases[i].body), &answer);
        if (answer.verdict != cases[i].want) {
            printf("\n    status %d, '%s'", cases[i].status, cases[i].body);
            CU_FAIL("another verdict");
        }
        CHECK_SPAN(span_of_cstr(answer.issue), cases[i].issue);
    }
}

static const struct unit_test tests[] = {
    {"answers that are none", test_answers_refused},
    {"what a status means", test_verdicts},
};
UNIT_MAIN("fhir answer", tests)
