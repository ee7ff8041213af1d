/*
 * Our own assertions, Timestamps and Security headers, as US networks send them (the shape is in
 * security.h's sources: ITI TF-2 3.40; WSS SAML token profile 1.1). Called by the asking side of a
 * transaction; output goes to the caller's buffer or arena.
 */
#include <string.h>

#include "base/clock.h"
#include "base/datetime.h"
#include "base/ids.h"
#include "base/mem.h"
#include "soap/dsig_sign.h"
#include "soap/keyinfo.h"
#include "soap/namespaces.h"
#include "soap/samlname.h"
#include "soap/samlrules.h"
#include "soap/security.h"

#define ASSERTION_BYTES_MAX ((size_t)256 * 1024)
#define KEYINFO_BYTES_MAX   ((size_t)32 * 1024)
/* Receivers refuse an assertion that begins a moment ahead of their clock. */
#define BEGINS_BEFORE_US (5 * US_PER_S)

#define XSPA               "urn:oasis:names:tc:xspa:1.0:subject:"
#define NAME_FORMAT_URI    "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
#define SNOMED_CT          "2.16.840.1.113883.6.96"
#define SAML_TOKEN_PROFILE "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#"

/* An id for XML: it must not begin with a digit. */
#define ID_TEXT (UUID_TEXT + 1)

static void
new_id(char ret_id[ID_TEXT])
{
    ret_id[0] = '_';
    uuid_new(ret_id + 1);
}

static void
write_instant_attr(struct xmlw *w, const char *name, int64_t us)
{
    char text[DATETIME_MAX];
    datetime_write_xs(us, text);
    xmlw_attr_cstr(w, name, text);
}

static void
write_instant(struct xmlw *w, const char *qname, int64_t us)
{
    char text[DATETIME_MAX];
    datetime_write_xs(us, text);
    xmlw_element(w, qname, span_of_cstr(text));
}

/* ---- attributes ---- */

static void
start_attribute(struct xmlw *w, const char *name)
{
    xmlw_start(w, "saml2:Attribute");
    xmlw_attr_cstr(w, "Name", name);
    xmlw_attr_cstr(w, "NameFormat", NAME_FORMAT_URI);
    xmlw_start(w, "saml2:AttributeValue");
}

static void
end_attribute(struct xmlw *w)
{
    xmlw_end(w);
    xmlw_end(w);
}

static void
write_text_attribute(struct xmlw *w, const char *name, struct span value)
{
    if (value.n > 0) {
        start_attribute(w, name);
        xmlw_text(w, value);
        end_attribute(w);
    }
}

struct coded {
    const char *element, *code, *system, *system_name, *display;
};

/* HL7 CE in the default namespace, so that the type's name needs no prefix. */
static void
write_coded_attribute(struct xmlw *w, const char *name, const struct coded *coded)
{
    start_attribute(w, name);
    xmlw_start(w, coded->element);
    xmlw_attr_cstr(w, "xmlns", NS_HL7);
    xmlw_attr_cstr(w, "xmlns:xsi", NS_XSI);
    xmlw_attr_cstr(w, "xsi:type", "CE");
    xmlw_attr_cstr(w, "code", coded->code);
    xmlw_attr_cstr(w, "codeSystem", coded->system);
    if (coded->system_name != NULL) {
        xmlw_attr_cstr(w, "codeSystemName", coded->system_name);
    }
    if (coded->display != NULL) {
        xmlw_attr_cstr(w, "displayName", coded->display);
    }
    xmlw_end(w);
    end_attribute(w);
}

static void
write_attributes(struct xmlw *w, const struct assertion_order *order)
{
    char community[OID_URN];
    const struct coded role = {"Role", order->role, SNOMED_CT, "SNOMED_CT", order->role_display};
    const struct coded purpose = {"PurposeOfUse", order->purpose, order->purpose_system, NULL,
                                  NULL};
    (void)snprintf(community, sizeof(community), "urn:oid:%s", order->home_community);
    xmlw_start(w, "saml2:AttributeStatement");
    write_text_attribute(w, XSPA "subject-id", span_of_cstr(order->subject_id));
    write_text_attribute(w, XSPA "organization", span_of_cstr(order->organization));
    write_text_attribute(w, XSPA "organization-id", span_of_cstr(order->organization_id));
    write_text_attribute(w, "urn:ihe:iti:xca:2010:homeCommunityId", span_of_cstr(community));
    write_text_attribute(w, "urn:nhin:names:saml:homeCommunityId", span_of_cstr(community));
    write_coded_attribute(w, "urn:oasis:names:tc:xacml:2.0:subject:role", &role);
    write_coded_attribute(w, XSPA "purposeofuse", &purpose);
    write_text_attribute(w, XSPA "npi", span_of_cstr(order->npi));
    write_text_attribute(w, "urn:oasis:names:tc:xacml:2.0:resource:resource-id",
                         order->resource_id);
    write_text_attribute(w, "urn:ietf:params:oauth:token-type:id_token", order->id_token);
    xmlw_end(w);
}

/* ---- the assertion ---- */

static void
write_name(struct xmlw *w, const char *qname, const char *subject)
{
    xmlw_start(w, qname);
    xmlw_attr_cstr(w, "Format", SAML_X509_SUBJECT);
    xmlw_text_cstr(w, subject);
    xmlw_end(w);
}

static void
write_subject(struct xmlw *w, const struct assertion_order *order, struct span key_info)
{
    xmlw_start(w, "saml2:Subject");
    write_name(w, "saml2:NameID", order->signer->leaf->subject);
    xmlw_start(w, "saml2:SubjectConfirmation");
    xmlw_attr_cstr(w, "Method", order->is_bearer ? SAML_BEARER : SAML_HOLDER_OF_KEY);
    xmlw_start(w, "saml2:SubjectConfirmationData");
    if (order->is_bearer) {
        write_instant_attr(w, "NotOnOrAfter", order->now_us + order->lifetime_us);
        xmlw_attr_cstr(w, "Recipient", order->audience);
    } else {
        xmlw_raw(w, key_info);
    }
    xmlw_end(w);
    xmlw_end(w);
    xmlw_end(w);
}

static void
write_conditions(struct xmlw *w, const struct assertion_order *order)
{
    xmlw_start(w, "saml2:Conditions");
    write_instant_attr(w, "NotBefore", order->now_us - BEGINS_BEFORE_US);
    write_instant_attr(w, "NotOnOrAfter", order->now_us - BEGINS_BEFORE_US + order->lifetime_us);
    xmlw_start(w, "saml2:AudienceRestriction");
    xmlw_element(w, "saml2:Audience", span_of_cstr(order->audience));
    xmlw_end(w);
    xmlw_end(w);
}

static void
write_authn(struct xmlw *w, const struct assertion_order *order, const char *id)
{
    xmlw_start(w, "saml2:AuthnStatement");
    write_instant_attr(w, "AuthnInstant", order->now_us - BEGINS_BEFORE_US);
    xmlw_attr_cstr(w, "SessionIndex", id);
    xmlw_start(w, "saml2:AuthnContext");
    xmlw_element(w, "saml2:AuthnContextClassRef",
                 SPAN("urn:oasis:names:tc:SAML:2.0:ac:classes:X509"));
    xmlw_end(w);
    xmlw_end(w);
}

static struct status
write_assertion(const struct assertion_order *order, const char *id, struct span key_info,
                struct buf *out, struct diag *diag)
{
    struct xmlw w;
    xmlw_init(&w, out, diag);
    xmlw_start(&w, "saml2:Assertion");
    xmlw_attr_cstr(&w, "xmlns:saml2", NS_SAML2);
    xmlw_attr_cstr(&w, "ID", id);
    write_instant_attr(&w, "IssueInstant", order->now_us);
    xmlw_attr_cstr(&w, "Version", "2.0");
    write_name(&w, "saml2:Issuer", order->signer->leaf->subject);
    dsig_write_template(&w, order->signer, span_of_cstr(id), true, key_info);
    write_subject(&w, order, key_info);
    write_conditions(&w, order);
    write_authn(&w, order, id);
    write_attributes(&w, order);
    xmlw_end(&w);
    return xmlw_finish(&w);
}

/* Nothing is invented: what the receiver must be told has to be there. */
static struct status
check_order(const struct assertion_order *order, struct diag *diag)
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
sign_assertion(const struct assertion_order *order, const char *id, struct arena *arena,
               struct buf *out, struct diag *diag)
{
    CLEANUP(buf_done) struct buf plain;
    CLEANUP(buf_done) struct buf key_info;
    struct xmlw w;
    xmlDoc *doc = NULL;
    buf_init(&plain, ASSERTION_BYTES_MAX);
    buf_init(&key_info, KEYINFO_BYTES_MAX);
    xmlw_init(&w, &key_info, diag);
    TRY(keyinfo_write(&w, order->signer, diag));
    TRY(xmlw_finish(&w));
    TRY(write_assertion(order, id, buf_span(&key_info), &plain, diag));
    TRY(dsig_sign(buf_span(&plain), order->signer, "ID", arena, diag, &doc));
    return xml_serialise(xml_root(doc), out, diag);
}

/* ---- the Timestamp ---- */

struct status
timestamp_sign(const struct credential *signer, int64_t now_us, int64_t lifetime_us,
               struct arena *arena, struct diag *diag, struct signed_timestamp *ret_timestamp)
{
    CLEANUP(buf_done) struct buf plain;
    CLEANUP(buf_done) struct buf part;
    char id[ID_TEXT];
    struct xmlw w;
    xmlDoc *doc = NULL;
    struct signed_timestamp result;
    buf_init(&plain, KEYINFO_BYTES_MAX);
    buf_init(&part, KEYINFO_BYTES_MAX);
    new_id(id);
    xmlw_init(&w, &plain, diag);
    xmlw_start(&w, "both");
    xmlw_start(&w, "wsu:Timestamp");
    xmlw_attr_cstr(&w, "xmlns:wsu", NS_WSU);
    xmlw_attr_cstr(&w, "wsu:Id", id);
    write_instant(&w, "wsu:Created", now_us);
    write_instant(&w, "wsu:Expires", now_us + lifetime_us);
    xmlw_end(&w);
    dsig_write_template(&w, signer, span_of_cstr(id), false, SPAN_EMPTY);
    xmlw_end(&w);
    TRY(xmlw_finish(&w));
    TRY(dsig_sign(buf_span(&plain), signer, "Id", arena, diag, &doc));
    const xmlNode *const timestamp = xml_child(xml_root(doc), NS_WSU, "Timestamp");
    const xmlNode *const signature = xml_next(timestamp);
    TRY(xml_serialise(timestamp, &part, diag));
    TRY(arena_dup(arena, buf_span(&part), diag, &result.timestamp_xml));
    buf_reset(&part);
    TRY(xml_serialise(xml_first(signature), &part, diag));
    TRY(arena_dup(arena, buf_span(&part), diag, &result.signed_info_xml));
    TRY(xml_text_trimmed(xml_child(signature, NS_DS, "SignatureValue"), ERR_INTERNAL, arena, diag,
                         &result.signature_value));
    *ret_timestamp = result;
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

static struct status
write_security(const struct assertion_order *order, const struct signed_timestamp *timestamp,
               struct arena *arena, struct buf *out, struct diag *diag)
{
    CLEANUP(buf_done) struct buf assertion;
    char id[ID_TEXT];
    struct xmlw w;
    buf_init(&assertion, ASSERTION_BYTES_MAX);
    new_id(id);
    TRY(sign_assertion(order, id, arena, &assertion, diag));
    xmlw_init(&w, out, diag);
    xmlw_start(&w, "wsse:Security");
    xmlw_attr_cstr(&w, "xmlns:wsse", NS_WSSE);
    xmlw_attr_cstr(&w, "xmlns:soap", NS_SOAP12);
    xmlw_attr_cstr(&w, "soap:mustUnderstand", "1");
    xmlw_raw(&w, timestamp->timestamp_xml);
    xmlw_raw(&w, buf_span(&assertion));
    if (!order->is_bearer) {
        write_message_signature(&w, timestamp, id);
    }
    xmlw_end(&w);
    return xmlw_finish(&w);
}

struct status
security_write(const struct assertion_order *order, const struct signed_timestamp *timestamp,
               struct buf *out, struct diag *diag)
{
    TRY(check_order(order, diag));
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the tree of an assertion");
    }
    const struct status st = write_security(order, timestamp, arena, out, diag);
    arena_free(arena);
    return st;
}
