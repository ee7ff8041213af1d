/*
 * Whether a message is the answer to our question: to this one, of the partner's making, and of
 * now. Called by the asking side for each answer, before anything of it is read; it owns nothing.
 * The partner's identity is TLS's; what WS-Security adds here is that the answer belongs to this
 * request and not to another one of ours.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "base/datetime.h"
#include "certs/credential.h"
#include "soap/message_internal.h"
#include "soap/sigvalue.h"

static struct status
bad_answer(struct diag *diag, const struct answer_check *check, const char *what)
{
    return FAIL(diag, ERR_PARTNER_ANSWER, "%s: the answer's %s",
                soap_transaction(check->transaction)->name, what);
}

/* ---- what it is, and to what ---- */

static struct status
check_is_no_fault(const struct message *message, const struct answer_check *check,
                  struct diag *diag)
{
    struct span code;
    struct span reason;
    if (!message->is_fault) {
        return OK;
    }
    message_fault(message, &code, &reason);
    return FAIL(diag, ERR_SOAP_FAULT, "%s: the partner answered with the SOAP fault '%.*s'",
                soap_transaction(check->transaction)->name, SPAN_PRINT(span_slice(code, 0, 80)));
}

static struct status
check_payload(const struct message *message, const struct soap_transaction_row *row,
              struct diag *diag)
{
    if (!xml_is(message->payload, row->response_namespace, row->response_payload)) {
        return FAIL(diag, ERR_PARTNER_ANSWER, "%s: the answer holds <%.*s>; expected <%s>",
                    row->name, SPAN_PRINT(span_slice(message_payload_name(message), 0, 60)),
                    row->response_payload);
    }
    return OK;
}

static struct status
check_action(const struct message *message, const struct soap_transaction_row *row,
             struct diag *diag)
{
    if (!span_eq_cstr(message->addressing.action, row->response_action)) {
        return FAIL(diag, ERR_PARTNER_ANSWER, "%s: the answer's wsa:Action is '%.*s'; expected %s",
                    row->name, SPAN_PRINT(span_slice(message->addressing.action, 0, 120)),
                    row->response_action);
    }
    return OK;
}

/* REQ: WS-relates-to */
static struct status
check_relates_to(const struct message *message, const struct answer_check *check, struct diag *diag)
{
    for (size_t i = 0; check->request_message_id.n > 0 && i < message->relates_to.n; i++) {
        if (span_eq(message->relates_to.items[i], check->request_message_id)) {
            return OK;
        }
    }
    return FAIL(diag, ERR_PARTNER_ANSWER,
                "%s: the answer's wsa:RelatesTo does not name our request %.*s",
                soap_transaction(check->transaction)->name,
                SPAN_PRINT(span_slice(check->request_message_id, 0, 60)));
}

/* ---- its Security header ---- */

static struct status
find_security(const struct message *message, const struct answer_check *check, struct diag *diag,
              const xmlNode **ret_security)
{
    const xmlNode *block = xml_child(message->header, NS_WSSE, "Security");
    const xmlNode *found = NULL;
    for (; block != NULL; block = xml_next_named(block, NS_WSSE, "Security")) {
        if (found != NULL && message_block_is_for_us(block)) {
            return bad_answer(diag, check, "header has two wsse:Security blocks for us");
        }
        found = message_block_is_for_us(block) ? block : found;
    }
    *ret_security = found;
    return OK;
}

/* False when the child is not there. */
static struct status
read_time(const xmlNode *timestamp, const char *name, struct arena *arena, struct diag *diag,
          int64_t *ret_us, bool *ret_is_there)
{
    const xmlNode *node = NULL;
    struct span text;
    TRY(xml_child_optional(timestamp, NS_WSU, name, ERR_PARTNER_ANSWER, diag, &node));
    TRY(xml_text_trimmed(node, ERR_PARTNER_ANSWER, arena, diag, &text));
    if (node != NULL && !datetime_read_xs(text, ret_us)) {
        return FAIL(diag, ERR_PARTNER_ANSWER, "the answer's wsu:%s must be a time with a zone",
                    name);
    }
    *ret_is_there = node != NULL;
    return OK;
}

/* WSS 1.1 section 10: Created and Expires may each be absent. */
/* REQ: ITI40-security-answer */
static struct status
check_timestamp(const xmlNode *security, const struct answer_check *check, struct arena *arena,
                struct diag *diag)
{
    const xmlNode *timestamp = NULL;
    int64_t created_us = 0;
    int64_t expires_us = 0;
    bool has_created = false;
    bool has_expires = false;
    TRY(xml_child_optional(security, NS_WSU, "Timestamp", ERR_PARTNER_ANSWER, diag, &timestamp));
    if (timestamp == NULL) {
        return OK;
    }
    TRY(read_time(timestamp, "Created", arena, diag, &created_us, &has_created));
    TRY(read_time(timestamp, "Expires", arena, diag, &expires_us, &has_expires));
    if (has_created && created_us > check->now_us + check->clock_skew_us) {
        return FAIL(diag, ERR_PARTNER_ANSWER,
                    "the answer's Timestamp is %" PRId64 " s ahead of our clock; check both clocks",
                    (created_us - check->now_us) / US_PER_S);
    }
    if (has_expires && expires_us <= check->now_us - check->clock_skew_us) {
        return FAIL(diag, ERR_PARTNER_ANSWER,
                    "the answer's Timestamp expired %" PRId64 " s ago; check both clocks",
                    (check->now_us - expires_us) / US_PER_S);
    }
    return has_created && has_expires && expires_us <= created_us
               ? bad_answer(diag, check, "Timestamp expires before it is created")
               : OK;
}

/* White space and the choice between s and n - s are nobody's signature. */
static struct status
is_our_signature(struct span value, struct span ours, const struct answer_check *check,
                 struct arena *arena, struct diag *diag, bool *ret_is_ours)
{
    struct diag why;
    struct span normal;
    diag_clear(&why);
    const struct status st = sig_value_normalise(value, check->signer->key, arena, &why, &normal);
    if (!is_ok(st) && st.code != ERR_SIG_INVALID) {
        return FAIL(diag, st.code, "%s", why.text);
    }
    *ret_is_ours = is_ok(st) && span_eq(normal, ours);
    return OK;
}

/* WSS 1.1 section 8.5.2. A request without a signature of its own (bearer) has nothing to be
 * confirmed; receivers then give back the value of the assertion's signature, or none. */
/* REQ: ITI40-security-answer */
static struct status
check_confirmations(const xmlNode *security, const struct answer_check *check, struct arena *arena,
                    struct diag *diag)
{
    const xmlNode *confirmation = xml_child(security, NS_WSSE11, "SignatureConfirmation");
    struct span ours;
    bool is_ours = false;
    if (confirmation == NULL || check->request_signature.n == 0) {
        return OK;
    }
    TRY(sig_value_normalise(check->request_signature, check->signer->key, arena, diag, &ours));
    for (; confirmation != NULL && !is_ours;
         confirmation = xml_next_named(confirmation, NS_WSSE11, "SignatureConfirmation")) {
        TRY(is_our_signature(xml_attr_text(confirmation, "Value"), ours, check, arena, diag,
                             &is_ours));
    }
    return is_ours
               ? OK
               : bad_answer(diag, check, "SignatureConfirmation is of another request than ours");
}

struct status
message_check_answer(const struct message *message, const struct answer_check *check,
                     struct arena *arena, struct diag *diag)
{
    const struct soap_transaction_row *const row = soap_transaction(check->transaction);
    const xmlNode *security = NULL;
    TRY(message_check_headers(message, diag));
    TRY(check_is_no_fault(message, check, diag));
    TRY(check_payload(message, row, diag));
    TRY(check_action(message, row, diag));
    TRY(check_relates_to(message, check, diag));
    TRY(find_security(message, check, diag, &security));
    TRY(check_timestamp(security, check, arena, diag));
    return check_confirmations(security, check, arena, diag);
}
