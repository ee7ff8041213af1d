/*
 * What a FHIR repository answers, to one AuditEvent and to a batch. Only a batch-response with an
 * entry for each record is believed, only 2xx is taken, and no word of the answer but FHIR's own
 * gets further.
 *
 * Input: one byte (how many were asked; 0: one resource), two bytes (the status), then the body.
 */
#include <string.h>

#include <jansson.h>

#include "audit/fhir_answer.h"
#include "fuzz/fuzz.h"

#define ASKED_MAX 8

static void
check_answer(const struct fhir_answer *answer)
{
    const bool is_good = answer->status >= 200 && answer->status <= 299;
    FUZZ_MUST((answer->verdict == FHIR_TAKEN) == is_good, "%d is verdict %d", answer->status,
              (int)answer->verdict);
    FUZZ_MUST(answer->verdict != FHIR_REFUSED || answer->status >= 400, "%d is a refusal",
              answer->status);
    FUZZ_MUST(strspn(answer->issue, "abcdefghijklmnopqrstuvwxyz-") == strlen(answer->issue),
              "an issue '%s'", answer->issue);
}

/* The JSON library of the product, but with our own way to the members. */
static void
check_batch(struct span body, size_t n)
{
    struct fhir_answer answers[ASKED_MAX] = {0};
    struct diag diag = {0};
    const struct status st = fhir_read_batch(body, n, &diag, answers);
    fuzz_check_refusal(st, &diag);
    if (!is_ok(st)) {
        return;
    }
    json_auto_t *root = json_loadb(body.p, body.n, 0, NULL);
    const json_t *entries = json_object_get(root, "entry");
    FUZZ_MUST(json_array_size(entries) == n, "%zu entries for %zu", json_array_size(entries), n);
    for (size_t i = 0; i < n; i++) {
        char status[4] = {(char)('0' + answers[i].status / 100),
                          (char)('0' + answers[i].status / 10 % 10),
                          (char)('0' + answers[i].status % 10), '\0'};
        const char *said = NULL;
        FUZZ_MUST(json_unpack(json_array_get(entries, i), "{s:{s:s}}", "response", "status",
                              &said) == 0 &&
                      strncmp(said, status, 3) == 0,
                  "entry %zu is said to be %s", i, status);
        check_answer(&answers[i]);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct span input = span_of((const char *)bytes, n);
    const size_t asked = fuzz_take_u8(&input) % (ASKED_MAX + 1);
    const int status = 100 + fuzz_take_u16(&input) % 500;
    struct fhir_answer answer = {0};
    if (asked > 0) {
        check_batch(input, asked);
    } else {
        fhir_read_one(status, input, &answer);
        FUZZ_MUST(answer.status == status, "%d for %d", answer.status, status);
        check_answer(&answer);
    }
    return 0;
}
