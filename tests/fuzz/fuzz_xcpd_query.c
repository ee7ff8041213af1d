/*
 * The XCPD question: what was read, written by us and read again, asks for the same person.
 *
 * Input: the payload, PRPA_IN201305UV02.
 */
#include "fuzz/fuzz.h"
#include "fuzz/message_of.h"
#include "fuzz/patient_compare.h"
#include "soap/xcpd.h"

static void
check_again(const struct xcpd_query *query, struct arena *arena)
{
    struct diag diag = {0};
    struct xcpd_query again;
    struct span asked = SPAN_EMPTY;
    struct buf out;
    buf_init(&out, (size_t)1024 * 1024);
    const struct status st = xcpd_query_write(query, arena, &out, &diag, &asked);
    fuzz_check_refusal(st, &diag);
    if (!is_ok(st)) {
        FUZZ_MUST(query->sender_home.n == 0, "cannot be asked again: %s", diag.text);
    } else {
        const struct message *const message = message_of(buf_span(&out), false, arena);
        FUZZ_MUST(message != NULL, "what we write is no payload");
        FUZZ_MUST(is_ok(xcpd_query_read(message, arena, &diag, &again)), "%s", diag.text);
        const char *difference = patient_difference(&query->subject, &again.subject);
        FUZZ_MUST(difference == NULL, "another %s\n%.*s", difference, SPAN_PRINT(buf_span(&out)));
        FUZZ_MUST(query->is_deferred == again.is_deferred &&
                      query->minimum_degree == again.minimum_degree &&
                      query->reverse_authorities.n == again.reverse_authorities.n,
                  "another mode");
        FUZZ_MUST(ident_eq(&query->query_id, &again.query_id) &&
                      span_eq(query->sender_home, again.sender_home) &&
                      span_eq(query->receiver_home, again.receiver_home),
                  "another question\n%.*s", SPAN_PRINT(buf_span(&out)));
    }
    buf_done(&out);
}

static void
check_message(const struct message *message, struct arena *arena)
{
    struct diag diag = {0};
    struct xcpd_query query;
    const struct status st = xcpd_query_read(message, arena, &diag, &query);
    fuzz_check_refusal(st, &diag);
    if (is_ok(st)) {
        FUZZ_MUST(query.query_xml.n > 0, "nothing to echo");
        check_again(&query, arena);
    }
}

MESSAGE_TARGET(false, check_message)
