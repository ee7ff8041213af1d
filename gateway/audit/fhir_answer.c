/*
 * Reads a FHIR repository's answers (see fhir_answer.h). Called by the feed on its thread. What
 * comes is foreign: sizes are capped by the client, jansson bounds the depth.
 */
#include "audit/fhir_answer.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

static json_t *
read_json(struct span body)
{
    json_error_t ignored;
    return json_loadb(body.p == NULL ? "" : body.p, body.n, 0, &ignored);
}

static bool
is_resource(const json_t *object, const char *type)
{
    const char *got = json_string_value(json_object_get(object, "resourceType"));
    return got != NULL && strcmp(got, type) == 0;
}

/* Words such as "invalid", "code-invalid" and nothing else: texts may hold what we sent. */
static void
read_issue(const json_t *outcome, char ret_issue[FHIR_ISSUE_MAX])
{
    const json_t *issue = json_array_get(json_object_get(outcome, "issue"), 0);
    const char *code = json_string_value(json_object_get(issue, "code"));
    ret_issue[0] = '\0';
    if (code != NULL && strlen(code) < FHIR_ISSUE_MAX &&
        strspn(code, "abcdefghijklmnopqrstuvwxyz-") == strlen(code)) {
        (void)snprintf(ret_issue, FHIR_ISSUE_MAX, "%s", code);
    }
}

static enum fhir_verdict
verdict_of(int status, bool is_fhir)
{
    if (status >= 200 && status <= 299) {
        return FHIR_TAKEN;
    }
    switch (status) {
    case 409: /* conflict */
    case 412: /* precondition failed */
    case 413: /* too large: it stays so */
    case 422: /* rules of the resource or the business */
        return FHIR_REFUSED;
    case 400:
        return is_fhir ? FHIR_REFUSED : FHIR_LATER;
    default:
        return FHIR_LATER;
    }
}

static void
judge(int status, const json_t *outcome, bool is_fhir, struct fhir_answer *ret_answer)
{
    ret_answer->status = status;
    ret_answer->verdict = verdict_of(status, is_fhir);
    read_issue(outcome, ret_answer->issue);
}

void
fhir_read_one(int status, struct span body, struct fhir_answer *ret_answer)
{
    json_t *root = read_json(body);
    judge(status, root, is_resource(root, "OperationOutcome"), ret_answer);
    json_decref(root);
}

/* "201 Created": three digits, then nothing or a blank. */
static bool
read_status(const json_t *response, int *ret_status)
{
    const char *text = json_string_value(json_object_get(response, "status"));
    uint64_t status = 0;
    if (text == NULL || strlen(text) < 3 || (text[3] != '\0' && text[3] != ' ') ||
        !span_to_u64(span_of(text, 3), 599, &status) || status < 100) {
        return false;
    }
    *ret_status = (int)status;
    return true;
}

static struct status
read_entries(const json_t *root, size_t n, struct diag *diag, struct fhir_answer *ret_answers)
{
    const json_t *entries = json_object_get(root, "entry");
    const char *type = json_string_value(json_object_get(root, "type"));
    if (!is_resource(root, "Bundle") || type == NULL || strcmp(type, "batch-response") != 0) {
        return FAIL(diag, ERR_PARTNER_ANSWER,
                    "expected a Bundle of type batch-response for a batch of %zu, got something "
                    "else; is the URL the base of a FHIR server?",
                    n);
    }
    if (json_array_size(entries) != n) {
        return FAIL(diag, ERR_PARTNER_ANSWER,
                    "expected %zu entries in the answer to a batch of %zu, got %zu", n, n,
                    json_array_size(entries));
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *response = json_object_get(json_array_get(entries, i), "response");
        int status = 0;
        if (!read_status(response, &status)) {
            return FAIL(diag, ERR_PARTNER_ANSWER,
                        "entry %zu of the answer to a batch of %zu has no HTTP status", i + 1, n);
        }
        judge(status, json_object_get(response, "outcome"), true, &ret_answers[i]);
    }
    return OK;
}

struct status
fhir_read_batch(struct span body, size_t n, struct diag *diag, struct fhir_answer *ret_answers)
{
    json_t *root = read_json(body);
    const struct status st = read_entries(root, n, diag, ret_answers);
    json_decref(root);
    return st;
}
