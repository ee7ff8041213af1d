/*
 * Questions of ITI-47, ITI-45 and ITI-56: what was read, written by us and read again, asks the
 * same.
 *
 * Input: the payload; its element says which reader takes it.
 */
#include "fuzz/fuzz.h"
#include "fuzz/message_of.h"
#include "fuzz/patient_compare.h"
#include "soap/pdq.h"
#include "soap/pix.h"
#include "soap/plq.h"

static void
check_same_domains(const struct hl7_domain_list *a, const struct hl7_domain_list *b)
{
    FUZZ_MUST(a->n == b->n, "%zu domains, again %zu", a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        FUZZ_MUST(span_eq(a->items[i].root, b->items[i].root), "another domain");
    }
}

static void
check_demographics(const struct message *message, struct arena *arena, struct buf *out)
{
    struct diag diag = {0};
    struct xcpd_query query;
    struct xcpd_query again;
    struct span asked = SPAN_EMPTY;
    struct status st = pdq_query_read(message, arena, &diag, &query);
    fuzz_check_refusal(st, &diag);
    if (!is_ok(st)) {
        return;
    }
    st = pdq_query_write(&query, arena, out, &diag, &asked);
    fuzz_check_refusal(st, &diag);
    if (!is_ok(st)) {
        FUZZ_MUST(query.sender_home.n == 0 && query.sender_device.root.n == 0,
                  "cannot be asked again: %s", diag.text);
        return;
    }
    FUZZ_MUST(is_ok(pdq_query_read(message_again(out, false, arena), arena, &diag, &again)),
              "%s\n%.*s", diag.text, SPAN_PRINT(buf_span(out)));
    const char *const difference = patient_difference(&query.subject, &again.subject);
    FUZZ_MUST(difference == NULL, "another %s\n%.*s", difference, SPAN_PRINT(buf_span(out)));
    check_same_domains(&query.domains, &again.domains);
    FUZZ_MUST(ident_eq(&query.query_id, &again.query_id) &&
                  query.initial_quantity == again.initial_quantity,
              "another question\n%.*s", SPAN_PRINT(buf_span(out)));
}

static void
check_continuation(const struct message *message, struct arena *arena, struct buf *out)
{
    struct diag diag = {0};
    struct pdq_continuation continuation;
    struct pdq_continuation again;
    const struct status st = pdq_continuation_read(message, arena, &diag, &continuation);
    fuzz_check_refusal(st, &diag);
    if (!is_ok(st)) {
        return;
    }
    FUZZ_MUST(is_ok(pdq_continuation_write(&continuation, out, &diag)), "%s", diag.text);
    FUZZ_MUST(is_ok(pdq_continuation_read(message_again(out, false, arena), arena, &diag, &again)),
              "%s", diag.text);
    FUZZ_MUST(ident_eq(&continuation.query_id, &again.query_id) &&
                  continuation.is_cancel == again.is_cancel && continuation.start == again.start &&
                  continuation.quantity == again.quantity,
              "another continuation\n%.*s", SPAN_PRINT(buf_span(out)));
}

static void
check_reference(const struct message *message, struct arena *arena, struct buf *out)
{
    struct diag diag = {0};
    struct pix_query query;
    struct pix_query again;
    struct span asked = SPAN_EMPTY;
    const struct status st = pix_query_read(message, arena, &diag, &query);
    fuzz_check_refusal(st, &diag);
    if (!is_ok(st)) {
        return;
    }
    FUZZ_MUST(is_ok(pix_query_write(&query, arena, out, &diag, &asked)), "%s", diag.text);
    FUZZ_MUST(is_ok(pix_query_read(message_again(out, false, arena), arena, &diag, &again)), "%s",
              diag.text);
    check_same_domains(&query.sources, &again.sources);
    FUZZ_MUST(ident_eq(&query.query_id, &again.query_id) &&
                  ident_eq(&query.patient, &again.patient),
              "another question\n%.*s", SPAN_PRINT(buf_span(out)));
}

static void
check_location(const struct message *message, struct arena *arena, struct buf *out)
{
    struct diag diag = {0};
    struct ident patient;
    struct ident again;
    const struct status st = plq_query_read(message, arena, &diag, &patient);
    fuzz_check_refusal(st, &diag);
    if (!is_ok(st)) {
        return;
    }
    FUZZ_MUST(is_ok(plq_query_write(&patient, out, &diag)), "%s", diag.text);
    FUZZ_MUST(is_ok(plq_query_read(message_again(out, false, arena), arena, &diag, &again)), "%s",
              diag.text);
    FUZZ_MUST(ident_eq(&patient, &again), "another patient");
}

static void
check_message(const struct message *message, struct arena *arena)
{
    const struct span name = message_payload_name(message);
    struct buf out;
    buf_init(&out, (size_t)1024 * 1024);
    if (span_starts_with(name, SPAN("QUQI"))) {
        check_continuation(message, arena, &out);
    } else if (span_eq_cstr(name, "PRPA_IN201309UV02")) {
        check_reference(message, arena, &out);
    } else if (span_starts_with(name, SPAN("PatientLocation"))) {
        check_location(message, arena, &out);
    } else {
        check_demographics(message, arena, &out);
    }
    buf_done(&out);
}

MESSAGE_TARGET(false, check_message)
