/*
 * Our own Timestamps and Security headers, as US networks send them (ITI TF-2 3.40; WSS SAML token
 * profile 1.1). Called by the asking side of a transaction; output goes to the caller's buffer or
 * arena.
 */
#include "base/datetime.h"
#include "base/mem.h"
#include "soap/namespaces.h"
#include "soap/saml_write.h"
#include "soap/sign.h"

#define TIMESTAMP_BYTES_MAX ((size_t)32 * 1024)
#define ASSERTION_BYTES_MAX ((size_t)256 * 1024)
#define SAML_TOKEN_PROFILE  "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#"

/* ---- the Timestamp ---- */

static void
write_instant(struct xmlw *w, const char *qname, int64_t us)
{
    char text[DATETIME_MAX];
    datetime_write_xs(us, text);
    xmlw_element(w, qname, span_of_cstr(text));
}

static struct status
write_timestamp(const char *id, int64_t now_us, int64_t lifetime_us, struct buf *out,
                struct diag *diag)
{
    struct xmlw w;
    xmlw_init(&w, out, diag);
    xmlw_start(&w, "wsu:Timestamp");
    xmlw_attr_cstr(&w, "xmlns:wsu", NS_WSU);
    xmlw_attr_cstr(&w, "wsu:Id", id);
    write_instant(&w, "wsu:Created", now_us);
    write_instant(&w, "wsu:Expires", now_us + lifetime_us);
    xmlw_end(&w);
    return xmlw_finish(&w);
}

struct status
timestamp_sign(const struct credential *signer, enum dialect_digest digest, int64_t now_us,
               int64_t lifetime_us, struct arena *arena, struct diag *diag,
               struct signed_timestamp *ret_timestamp)
{
    CLEANUP(buf_done) struct buf xml;
    CLEANUP(buf_done) struct buf info;
    CLEANUP(buf_done) struct buf value;
    char id[SAML_ID_TEXT];
    struct signed_timestamp result = {.digest = digest};
    buf_init(&xml, TIMESTAMP_BYTES_MAX);
    buf_init(&info, TIMESTAMP_BYTES_MAX);
    buf_init(&value, TIMESTAMP_BYTES_MAX);
    saml_new_id(id);
    const struct sign_order order = {signer, digest, span_of_cstr(id), false};
    TRY(write_timestamp(id, now_us, lifetime_us, &xml, diag));
    TRY(sign_canonical(&order, buf_span(&xml), SPAN_EMPTY, &info, &value, diag));
    TRY(arena_dup(arena, buf_span(&xml), diag, &result.timestamp_xml));
    TRY(arena_dup(arena, buf_span(&info), diag, &result.signed_info_xml));
    TRY(arena_dup(arena, buf_span(&value), diag, &result.signature_value));
    *ret_timestamp = result;
    return OK;
}

/* ---- what an order must say ---- */

/* Nothing is invented: what the receiver must be told has to be there. */
static struct status
check_required(const struct assertion_order *order, struct diag *diag)
{
    const struct {
        const char *name, *value;
    } required[] = {
        {"audience", order->audience},
        {"subject_id", order->subject_id},
        {"organization", order->organization},
        {"organization_id", order->organization_id},
        {"home_community", order->home_community},
        {"role", order->role},
        {"purpose", order->purpose},
        {"purpose_system", order->purpose_system},
    };
    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        if (required[i].value == NULL || required[i].value[0] == '\0') {
            return FAIL(diag, ERR_CONFIG, "an assertion needs %s, and it is not given",
                        required[i].name);
        }
    }
    if (!oid_is_valid(span_of_cstr(order->home_community)) ||
        !oid_is_valid(span_of_cstr(order->purpose_system))) {
        return FAIL(diag, ERR_CONFIG, "an assertion needs OIDs: home_community, purpose_system");
    }
    return OK;
}

static struct status
check_consents(const struct span_list *policies, struct diag *diag)
{
    for (size_t i = 0; i < policies->n; i++) {
        struct span oid;
        if (!span_starts_with(policies->items[i], SPAN("urn:oid:")) ||
            !home_community_oid(policies->items[i], &oid)) {
            return FAIL(diag, ERR_CONFIG, "an assertion needs consents as urn:oid:<OID>");
        }
    }
    return OK;
}

/* The end date is the partner's file's; a signature of ours that others can forge must not go on.
 */
static struct status
check_sha1(const struct assertion_order *order, struct diag *diag)
{
    if (order->style.digest == DIALECT_SHA1 && order->now_us >= order->sha1_until_us) {
        return FAIL(diag, ERR_CONFIG,
                    "SHA-1 is wanted, and sha1_until of the partner's file is over or not given");
    }
    return OK;
}

static struct status
check_order(const struct assertion_order *order, const struct signed_timestamp *timestamp,
            struct diag *diag)
{
    TRY(check_required(order, diag));
    TRY(check_consents(&order->acp, diag));
    TRY(check_consents(&order->iacp, diag));
    TRY(check_sha1(order, diag));
    if (!order->style.is_bearer && order->style.digest != timestamp->digest) {
        return FAIL(diag, ERR_INTERNAL, "the Timestamp was signed with another digest");
    }
    return OK;
}

/* ---- the header ---- */

/* KeyInfo points to the assertion, whose confirmation has the key (WSS SAML token profile 3.4). */
static void
write_message_signature(struct xmlw *w, const struct signed_timestamp *timestamp, const char *id)
{
    xmlw_start(w, "ds:Signature");
    xmlw_attr_cstr(w, "xmlns:ds", NS_DS);
    xmlw_raw(w, timestamp->signed_info_xml);
    xmlw_element(w, "ds:SignatureValue", timestamp->signature_value);
    xmlw_start(w, "ds:KeyInfo");
    xmlw_start(w, "wsse:SecurityTokenReference");
    xmlw_attr_cstr(w, "xmlns:wsse11", NS_WSSE11);
    xmlw_attr_cstr(w, "wsse11:TokenType", SAML_TOKEN_PROFILE "SAMLV2.0");
    xmlw_start(w, "wsse:KeyIdentifier");
    xmlw_attr_cstr(w, "ValueType", SAML_TOKEN_PROFILE "SAMLID");
    xmlw_text_cstr(w, id);
    xmlw_end(w);
    xmlw_end(w);
    xmlw_end(w);
    xmlw_end(w);
}

struct status
security_write(const struct assertion_order *order, const struct signed_timestamp *timestamp,
               struct buf *out, struct diag *diag)
{
    CLEANUP(buf_done) struct buf assertion;
    char id[SAML_ID_TEXT];
    struct xmlw w;
    buf_init(&assertion, ASSERTION_BYTES_MAX);
    TRY(check_order(order, timestamp, diag));
    saml_new_id(id);
    TRY(saml_write_assertion(order, id, &assertion, diag));
    xmlw_init(&w, out, diag);
    xmlw_start(&w, "wsse:Security");
    xmlw_attr_cstr(&w, "xmlns:wsse", NS_WSSE);
    xmlw_attr_cstr(&w, "xmlns:soap", NS_SOAP12);
    xmlw_attr_cstr(&w, "soap:mustUnderstand", "1");
    xmlw_raw(&w, timestamp->timestamp_xml);
    xmlw_raw(&w, buf_span(&assertion));
    if (!order->style.is_bearer) {
        write_message_signature(&w, timestamp, id);
    }
    xmlw_end(&w);
    return xmlw_finish(&w);
}
