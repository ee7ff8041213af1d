/*
 * Answers of ITI-47, ITI-45 and ITI-56, and acknowledgements: what was read, written by us and read
 * again, says the same.
 *
 * Input: the payload of an answer to query 2.999.5, q1, about patient 2.999.3, 1; its element says
 * which reader takes it.
 */
#include "fuzz/fuzz.h"
#include "fuzz/message_of.h"
#include "soap/mcci.h"
#include "soap/pdq.h"
#include "soap/pix.h"
#include "soap/plq.h"

static const struct ident query_id = {.root = {"2.999.5", 7}, .extension = {"q1", 2}};
static const struct ident asked = {.root = {"2.999.3", 7}, .extension = {"1", 1}};

static void
check_same_demographics(const struct xcpd_answer *a, const struct xcpd_answer *b)
{
    FUZZ_MUST(a->result == b->result, "result %d, again %d", a->result, b->result);
    FUZZ_MUST(a->result != XCPD_MATCH || a->matches.n == b->matches.n, "%zu matches, again %zu",
              a->matches.n, b->matches.n);
    for (size_t i = 0; a->result == XCPD_MATCH && i < a->matches.n; i++) {
        const struct xcpd_match *const one = &a->matches.items[i];
        const struct xcpd_match *const other = &b->matches.items[i];
        FUZZ_MUST(one->own_ids == other->own_ids && one->patient.ids.n == other->patient.ids.n &&
                      one->missing_domains.n == other->missing_domains.n,
                  "other ids");
        FUZZ_MUST(one->patient.deceased == other->patient.deceased &&
                      one->patient.multiple_birth == other->patient.multiple_birth &&
                      one->patient.mothers_maiden_names.n ==
                          other->patient.mothers_maiden_names.n &&
                      span_eq(one->patient.deceased_time, other->patient.deceased_time),
                  "another person");
    }
}

static void
check_demographics(const struct message *message, struct arena *arena, struct buf *out)
{
    const struct xcpd_query query = {.id = {.root = SPAN("2.999.1")}, .query_id = query_id};
    struct diag diag = {0};
    struct xcpd_answer answer;
    struct xcpd_answer again;
    const struct status st = pdq_answer_read(message, &query_id, arena, &diag, &answer);
    fuzz_check_refusal(st, &diag);
    if (!is_ok(st) || answer.result == XCPD_AMBIGUOUS) {
        return;
    }
    FUZZ_MUST(is_ok(pdq_answer_write(&query, &answer, SPAN("2.999.2"), 0, out, &diag)), "%s",
              diag.text);
    FUZZ_MUST(
        is_ok(pdq_answer_read(message_again(out, true, arena), &query_id, arena, &diag, &again)),
        "%s", diag.text);
    check_same_demographics(&answer, &again);
}

static void
check_reference(const struct message *message, struct arena *arena, struct buf *out)
{
    const struct pix_query query = {
        .id = {.root = SPAN("2.999.1")}, .query_id = query_id, .patient = asked};
    struct diag diag = {0};
    struct pix_answer answer;
    struct pix_answer again;
    const struct status st = pix_answer_read(message, &query, arena, &diag, &answer);
    fuzz_check_refusal(st, &diag);
    if (!is_ok(st) || answer.result == PIX_UNKNOWN_SOURCE) {
        return;
    }
    FUZZ_MUST(is_ok(pix_answer_write(&query, &answer, SPAN("2.999.2"), 0, out, &diag)), "%s",
              diag.text);
    FUZZ_MUST(is_ok(pix_answer_read(message_again(out, true, arena), &query, arena, &diag, &again)),
              "%s", diag.text);
    FUZZ_MUST(answer.result == again.result && answer.ids.n == again.ids.n,
              "result %d with %zu ids, again %d with %zu", answer.result, answer.ids.n,
              again.result, again.ids.n);
    for (size_t i = 0; i < answer.ids.n; i++) {
        FUZZ_MUST(ident_eq(&answer.ids.items[i], &again.ids.items[i]), "another id");
        FUZZ_MUST(!ident_eq(&answer.ids.items[i], &asked), "the id that was asked about");
    }
}

static void
check_locations(const struct message *message, struct arena *arena, struct buf *out)
{
    struct diag diag = {0};
    struct plq_location_list locations;
    struct plq_location_list again;
    const struct status st = plq_answer_read(message, &asked, arena, &diag, &locations);
    fuzz_check_refusal(st, &diag);
    if (!is_ok(st)) {
        return;
    }
    FUZZ_MUST(is_ok(plq_answer_write(&asked, &locations, out, &diag)), "%s", diag.text);
    FUZZ_MUST(is_ok(plq_answer_read(message_again(out, true, arena), &asked, arena, &diag, &again)),
              "%s", diag.text);
    FUZZ_MUST(locations.n == again.n, "%zu locations, again %zu", locations.n, again.n);
    for (size_t i = 0; i < locations.n; i++) {
        FUZZ_MUST(span_eq(locations.items[i].home, again.items[i].home) &&
                      ident_eq(&locations.items[i].patient, &again.items[i].patient),
                  "another location");
    }
}

static void
check_acknowledgement(const struct message *message, struct arena *arena, struct buf *out)
{
    struct diag diag = {0};
    struct mcci mcci;
    struct mcci again;
    const struct status st = mcci_read(message, NULL, arena, &diag, &mcci);
    fuzz_check_refusal(st, &diag);
    if (!is_ok(st)) {
        return;
    }
    mcci.sender_home = SPAN("2.999.2");
    mcci.said.target = query_id;
    FUZZ_MUST(is_ok(mcci_write(&mcci, out, &diag)), "%s", diag.text);
    FUZZ_MUST(is_ok(mcci_read(message_again(out, true, arena), &query_id, arena, &diag, &again)),
              "%s", diag.text);
    FUZZ_MUST(span_eq(mcci.said.type_code, again.said.type_code) &&
                  mcci.said.details.n == again.said.details.n,
              "another acknowledgement\n%.*s", SPAN_PRINT(buf_span(out)));
}

static void
check_message(const struct message *message, struct arena *arena)
{
    const struct span name = message_payload_name(message);
    struct buf out;
    buf_init(&out, (size_t)4 * 1024 * 1024);
    if (span_starts_with(name, SPAN("MCCI"))) {
        check_acknowledgement(message, arena, &out);
    } else if (span_eq_cstr(name, "PRPA_IN201310UV02")) {
        check_reference(message, arena, &out);
    } else if (span_starts_with(name, SPAN("PatientLocation"))) {
        check_locations(message, arena, &out);
    } else {
        check_demographics(message, arena, &out);
    }
    buf_done(&out);
}

MESSAGE_TARGET(true, check_message)
