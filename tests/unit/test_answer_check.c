/*
 * Is this the answer to our question? Every other answer is refused, also one whose Security header
 * confirms the signature of another request of ours; a partner that sends less is not refused for
 * what it leaves out. Then what our own answers carry, read back by the same rules.
 */
#include <stdio.h>
#include <string.h>

#include "soap/envelope.h"
#include "tests/unit/soap_kit.h"

#define ASKED   "urn:uuid:11111111-1111-4111-8111-111111111111"
#define ANOTHER "urn:uuid:22222222-2222-4222-8222-222222222222"
#define ACTION  "urn:hl7-org:v3:PRPA_IN201306UV02:CrossGatewayPatientDiscovery"
#define PAYLOAD "<PRPA_IN201306UV02 xmlns=\"urn:hl7-org:v3\"/>"
#define RELATES "<a:RelatesTo>" ASKED "</a:RelatesTo>"
#define SECURITY(attributes, children)                                                             \
    "<w:Security xmlns:w=\"" NS_WSSE "\" xmlns:v=\"" NS_WSSE11 "\" xmlns:u=\"" NS_WSU              \
    "\" " attributes ">" children "</w:Security>"
#define TIMESTAMP(created, expires) "<u:Timestamp>" created expires "</u:Timestamp>"
#define CREATED(time)               "<u:Created>" time "</u:Created>"
#define EXPIRES(time)               "<u:Expires>" time "</u:Expires>"
/* @ stands for our signature's value. */
#define CONFIRM(value) "<v:SignatureConfirmation Value=\"" value "\"/>"
#define NOW            "2027-01-15T08:00:00Z"

static struct span
our_signature(enum kit_who who, struct arena *arena)
{
    struct signed_timestamp timestamp;
    struct diag diag;
    diag_clear(&diag);
    CHECK_OK(&diag, timestamp_sign(kit_credential(who), DIALECT_SHA256, KIT_NOW_US, KIT_LIFE_US,
                                   arena, &diag, &timestamp));
    return timestamp.signature_value;
}

static struct status
check_xml(struct span xml, const struct answer_check *check, struct arena *arena, struct diag *diag)
{
    const struct message_limits limits = message_limits_answer();
    struct message *message = NULL;
    TRY(message_read(xml, SPAN("application/soap+xml"), &limits, arena, diag, &message));
    return message_check_answer(message, check, arena, diag);
}

static struct answer_check
our_question(enum kit_who who, struct span signature)
{
    return (struct answer_check){
        .transaction = SOAP_ITI_55,
        .request_message_id = SPAN(ASKED),
        .request_signature = signature,
        .signer = kit_credential(who),
        .now_us = KIT_NOW_US,
        .clock_skew_us = KIT_SKEW_US,
    };
}

/* An answer with these header blocks behind the Action; '@' becomes <signature>. */
static struct span
answer_of(const char *action, const char *blocks, const char *payload, struct span signature,
          struct arena *arena)
{
    struct diag diag;
    struct span xml;
    const struct span text = span_of_cstr(blocks);
    const size_t at = span_find_char(text, '@');
    diag_clear(&diag);
    CHECK_OK(&diag,
             arena_printf(
                 arena, &diag, &xml,
                 "<s:Envelope xmlns:s=\"" NS_SOAP12 "\" xmlns:a=\"" NS_WSA
                 "\"><s:Header><a:Action>%s</a:Action>%.*s%.*s%.*s</s:Header>"
                 "<s:Body>%s</s:Body></s:Envelope>",
                 action, SPAN_PRINT(span_slice(text, 0, at)),
                 SPAN_PRINT(at == SPAN_MISSING ? SPAN_EMPTY : signature),
                 SPAN_PRINT(at == SPAN_MISSING ? SPAN_EMPTY : span_slice(text, at + 1, SIZE_MAX)),
                 payload));
    return xml;
}

static const struct {
    const char *name, *action, *blocks, *payload;
    enum err want;
} answers[] = {
    {"nothing but what must be", ACTION, RELATES, PAYLOAD, ERR_NONE},
    {"several relations", ACTION, "<a:RelatesTo>" ANOTHER "</a:RelatesTo>" RELATES, PAYLOAD,
     ERR_NONE},
    {"no relation", ACTION, "", PAYLOAD, ERR_PARTNER_ANSWER},
    {"to another request", ACTION, "<a:RelatesTo>" ANOTHER "</a:RelatesTo>", PAYLOAD,
     ERR_PARTNER_ANSWER},
    {"another relation", ACTION,
     "<a:RelatesTo RelationshipType=\"urn:other\">" ASKED "</a:RelatesTo>", PAYLOAD,
     ERR_PARTNER_ANSWER},
    {"another action", "urn:ihe:iti:2007:CrossGatewayQueryResponse", RELATES, PAYLOAD,
     ERR_PARTNER_ANSWER},
    {"another payload", ACTION, RELATES, "<PRPA_IN201305UV02 xmlns=\"urn:hl7-org:v3\"/>",
     ERR_PARTNER_ANSWER},
    {"a fault", ACTION, RELATES,
     "<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text xml:lang=\"en\">x"
     "</s:Text></s:Reason></s:Fault>",
     ERR_SOAP_FAULT},
    {"a mandatory block that we do not know", ACTION,
     RELATES "<x xmlns=\"urn:x\" s:mustUnderstand=\"1\"/>", PAYLOAD, ERR_SOAP_MUST_UNDERSTAND},
    {"two Actions", ACTION, RELATES "<a:Action>" ACTION "</a:Action>", PAYLOAD, ERR_WSA_HEADER},
    /* Security */
    {"mandatory Security", ACTION, RELATES SECURITY("s:mustUnderstand=\"1\"", ""), PAYLOAD,
     ERR_NONE},
    {"as CXF answers", ACTION,
     RELATES SECURITY("s:mustUnderstand=\"true\"",
                      TIMESTAMP(CREATED(NOW), EXPIRES("2027-01-15T08:05:00Z")) CONFIRM("@")),
     PAYLOAD, ERR_NONE},
    {"two Security headers", ACTION, RELATES SECURITY("", "") SECURITY("", ""), PAYLOAD,
     ERR_PARTNER_ANSWER},
    {"one of them for somebody else", ACTION,
     RELATES SECURITY("s:role=\"urn:other\"", CONFIRM("AAAA")) SECURITY("", CONFIRM("@")), PAYLOAD,
     ERR_NONE},
    {"the confirmation of another signature", ACTION, RELATES SECURITY("", CONFIRM("AAAA")),
     PAYLOAD, ERR_PARTNER_ANSWER},
    {"a confirmation of nothing", ACTION, RELATES SECURITY("", CONFIRM("")), PAYLOAD,
     ERR_PARTNER_ANSWER},
    {"a confirmation without value", ACTION, RELATES SECURITY("", "<v:SignatureConfirmation/>"),
     PAYLOAD, ERR_PARTNER_ANSWER},
    {"a confirmation that is no base64", ACTION, RELATES SECURITY("", CONFIRM("%@")), PAYLOAD,
     ERR_PARTNER_ANSWER},
    {"ours among others", ACTION, RELATES SECURITY("", CONFIRM("AAAA") CONFIRM("@")), PAYLOAD,
     ERR_NONE},
    {"ours with white space", ACTION, RELATES SECURITY("", CONFIRM("&#10; @ ")), PAYLOAD, ERR_NONE},
    {"a Timestamp of now", ACTION, RELATES SECURITY("", TIMESTAMP(CREATED(NOW), "")), PAYLOAD,
     ERR_NONE},
    {"ahead, tolerated", ACTION,
     RELATES SECURITY("", TIMESTAMP(CREATED("2027-01-15T08:01:00Z"), "")), PAYLOAD, ERR_NONE},
    {"ahead", ACTION, RELATES SECURITY("", TIMESTAMP(CREATED("2027-01-15T08:01:01Z"), "")), PAYLOAD,
     ERR_PARTNER_ANSWER},
    {"over, tolerated", ACTION,
     RELATES SECURITY("", TIMESTAMP("", EXPIRES("2027-01-15T07:59:00.001Z"))), PAYLOAD, ERR_NONE},
    {"over", ACTION, RELATES SECURITY("", TIMESTAMP("", EXPIRES("2027-01-15T07:59:00Z"))), PAYLOAD,
     ERR_PARTNER_ANSWER},
    {"expires before it is created", ACTION,
     RELATES SECURITY("",
                      TIMESTAMP(CREATED("2027-01-15T08:00:10Z"), EXPIRES("2027-01-15T08:00:09Z"))),
     PAYLOAD, ERR_PARTNER_ANSWER},
    {"no zone", ACTION, RELATES SECURITY("", TIMESTAMP(CREATED("2027-01-15T08:00:00"), "")),
     PAYLOAD, ERR_PARTNER_ANSWER},
    {"two Created", ACTION, RELATES SECURITY("", TIMESTAMP(CREATED(NOW), CREATED(NOW))), PAYLOAD,
     ERR_PARTNER_ANSWER},
    {"two Timestamps", ACTION,
     RELATES SECURITY("", TIMESTAMP(CREATED(NOW), "") TIMESTAMP(CREATED(NOW), "")), PAYLOAD,
     ERR_PARTNER_ANSWER},
};

static void
test_answers(void)
{
    for (size_t i = 0; i < 2 * ARRAY_LEN(answers); i++) {
        const enum kit_who who = i % 2 == 0 ? KIT_RSA : KIT_EC;
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        const struct span signature = our_signature(who, arena);
        const struct answer_check check = our_question(who, signature);
        diag_clear(&diag);
        if (!CHECK_ERR(&diag, answers[i / 2].want,
                       check_xml(answer_of(answers[i / 2].action, answers[i / 2].blocks,
                                           answers[i / 2].payload, signature, arena),
                                 &check, arena, &diag))) {
            printf("      in: %s\n", answers[i / 2].name);
        }
        arena_free(arena);
    }
}

/* Two questions at a time; each answer confirms the other's signature and relates to this one. */
static void
test_swapped(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    const struct span mine = our_signature(KIT_RSA, arena);
    const struct span other = our_signature(KIT_RSA, arena);
    const struct answer_check check = our_question(KIT_RSA, mine);
    const char *const blocks = RELATES SECURITY("", CONFIRM("@"));
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_PARTNER_ANSWER,
              check_xml(answer_of(ACTION, blocks, PAYLOAD, other, arena), &check, arena, &diag));
    diag_clear(&diag);
    CHECK_OK(&diag,
             check_xml(answer_of(ACTION, blocks, PAYLOAD, mine, arena), &check, arena, &diag));
    arena_free(arena);
}

/* Bearer: nothing of ours was signed, so there is nothing to compare a confirmation with. */
static void
test_bearer(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct answer_check check = our_question(KIT_RSA, SPAN_EMPTY);
    check.signer = NULL;
    diag_clear(&diag);
    CHECK_OK(&diag, check_xml(answer_of(ACTION, RELATES SECURITY("", CONFIRM("AAAA")), PAYLOAD,
                                        SPAN_EMPTY, arena),
                              &check, arena, &diag));
    arena_free(arena);
}

/* ---- our own answers ---- */

static void
write_answer(struct span signature, struct buf *out)
{
    const struct envelope_answer answer = {
        .action = SPAN(ACTION),
        .relates_to = SPAN(ASKED),
        .message_id = SPAN(ANOTHER),
        .payload = SPAN(PAYLOAD),
        .request_signature = signature,
        .now_us = KIT_NOW_US,
    };
    struct diag diag;
    diag_clear(&diag);
    CHECK_OK(&diag, envelope_write_answer(&answer, out, &diag));
}

static void
test_ours(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct buf out;
    const struct span mine = our_signature(KIT_EC, arena);
    struct answer_check check = our_question(KIT_EC, mine);
    buf_init(&out, 100000);
    diag_clear(&diag);
    write_answer(mine, &out);
    CU_ASSERT(span_find(buf_span(&out), mine) != SPAN_MISSING);
    CHECK_OK(&diag, check_xml(buf_span(&out), &check, arena, &diag));
    check.now_us = KIT_NOW_US + INT64_C(360) * 1000000 + 1;
    CHECK_ERR(&diag, ERR_PARTNER_ANSWER, check_xml(buf_span(&out), &check, arena, &diag));
    buf_reset(&out);
    write_answer(SPAN_EMPTY, &out);
    CU_ASSERT(span_find(buf_span(&out), SPAN("Security")) == SPAN_MISSING);
    diag_clear(&diag);
    CHECK_OK(&diag, check_xml(buf_span(&out), &check, arena, &diag));
    buf_done(&out);
    arena_free(arena);
}

static struct span tortured, tortured_signature;

static struct status
check_once(struct diag *diag)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct answer_check check = our_question(KIT_EC, tortured_signature);
    const struct status st = arena == NULL ? FAIL(diag, ERR_NO_MEMORY, "arena")
                                           : check_xml(tortured, &check, arena, diag);
    arena_free(arena);
    return st;
}

static void
test_torture(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct buf out;
    buf_init(&out, 100000);
    tortured_signature = our_signature(KIT_EC, arena);
    write_answer(tortured_signature, &out);
    tortured = buf_span(&out);
    unit_torture(check_once);
    buf_done(&out);
    arena_free(arena);
}

static const struct unit_test tests[] = {
    /* REQ: WS-relates-to, ITI40-security-answer */
    {"answers, right and wrong", test_answers},
    {"answers of two requests swapped", test_swapped},
    {"bearer", test_bearer},
    {"our own answers", test_ours},
    {"out of memory", test_torture},
};

int
main(void)
{
    kit_init();
    const int rc = unit_main("answer_check", tests, ARRAY_LEN(tests));
    kit_done();
    return rc;
}
