/*
 * The XCPD answer: what was read, written by us and read again, gives the same people of the same
 * communities.
 *
 * Input: the payload, PRPA_IN201306UV02, of a partner; it answers the query 2.999.5.
 */
#include "fuzz/fuzz.h"
#include "fuzz/message_of.h"
#include "fuzz/patient_compare.h"
#include "soap/xcpd.h"

static const struct ident query_id = {.root = {"2.999.5", 7}, .extension = {"q1", 2}};

static void
check_same(const struct xcpd_answer *answer, const struct xcpd_answer *again)
{
    FUZZ_MUST(again->result == answer->result, "result %d, again %d", answer->result,
              again->result);
    FUZZ_MUST(answer->result != XCPD_MATCH || answer->matches.n == again->matches.n,
              "%zu matches, again %zu", answer->matches.n, again->matches.n);
    for (size_t i = 0; answer->result == XCPD_MATCH && i < answer->matches.n; i++) {
        const struct xcpd_match *const a = &answer->matches.items[i];
        const struct xcpd_match *const b = &again->matches.items[i];
        FUZZ_MUST(a->patient.ids.n > 0 && b->patient.ids.n > 0 &&
                      ident_eq(&a->patient.ids.items[0], &b->patient.ids.items[0]),
                  "another id");
        FUZZ_MUST(span_eq(b->home, a->home.n == 0 ? SPAN("2.999.2") : a->home),
                  "another community");
        FUZZ_MUST(span_eq(a->patient.birth_time, b->patient.birth_time) &&
                      span_eq(a->patient.sex, b->patient.sex),
                  "another person");
    }
}

static void
check_again(const struct xcpd_answer *answer, struct arena *arena)
{
    const struct xcpd_query question = {.id = {.root = SPAN("2.999.1")},
                                        .query_id = query_id,
                                        .sender_home = SPAN("2.999.1"),
                                        .query_xml = SPAN_EMPTY};
    struct diag diag = {0};
    struct xcpd_answer again;
    struct buf out;
    buf_init(&out, (size_t)4 * 1024 * 1024);
    FUZZ_MUST(is_ok(xcpd_answer_write(&question, answer, SPAN("2.999.2"), 0, &out, &diag)), "%s",
              diag.text);
    const struct message *const message = message_of(buf_span(&out), true, arena);
    FUZZ_MUST(message != NULL, "what we write is no payload");
    FUZZ_MUST(is_ok(xcpd_answer_read(message, &query_id, arena, &diag, &again)), "%s\n%.*s",
              diag.text, SPAN_PRINT(buf_span(&out)));
    check_same(answer, &again);
    buf_done(&out);
}

static void
check_message(const struct message *message, struct arena *arena)
{
    struct diag diag = {0};
    struct xcpd_answer answer;
    const struct status st = xcpd_answer_read(message, &query_id, arena, &diag, &answer);
    fuzz_check_refusal(st, &diag);
    if (is_ok(st)) {
        check_again(&answer, arena);
    }
}

MESSAGE_TARGET(true, check_message)
