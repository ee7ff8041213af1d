/*
 * Our own assertions, as US networks send them (ITI TF-2 3.40; WSS SAML token profile 1.1). Called
 * by security_write; output goes to the caller's buffer. Everything is written in exclusive
 * canonical form, so that what is written is what is signed.
 */
#include "soap/saml_write.h"

#include "base/datetime.h"
#include "base/mem.h"
#include "soap/keyinfo.h"
#include "soap/namespaces.h"
#include "soap/samlname.h"
#include "soap/samlrules.h"
#include "soap/sign.h"

#define ASSERTION_BYTES_MAX ((size_t)256 * 1024)
#define KEYINFO_BYTES_MAX   ((size_t)32 * 1024)

void
saml_new_id(char ret_id[SAML_ID_TEXT])
{
    ret_id[0] = '_';
    uuid_new(ret_id + 1);
}

void
saml_write_instant_attr(struct xmlw *w, const char *name, int64_t us)
{
    char text[DATETIME_MAX];
    datetime_write_xs(us, text);
    xmlw_attr_cstr(w, name, text);
}

void
saml_write_name(struct xmlw *w, const char *qname, const char *subject)
{
    xmlw_start(w, qname);
    xmlw_attr_cstr(w, "Format", SAML_X509_SUBJECT);
    xmlw_text_cstr(w, subject);
    xmlw_end(w);
}

/* ---- parts ---- */

static void
write_subject(struct xmlw *w, const struct assertion_order *order, struct span key_info)
{
    const bool is_bearer = order->style.is_bearer;
    xmlw_start(w, "saml2:Subject");
    saml_write_name(w, "saml2:NameID", order->signer->leaf->subject);
    xmlw_start(w, "saml2:SubjectConfirmation");
    xmlw_attr_cstr(w, "Method", is_bearer ? SAML_BEARER : SAML_HOLDER_OF_KEY);
    xmlw_start(w, "saml2:SubjectConfirmationData");
    if (is_bearer) {
        saml_write_instant_attr(w, "NotOnOrAfter", order->now_us + order->lifetime_us);
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
    saml_write_instant_attr(w, "NotBefore", order->now_us - SAML_BEGINS_BEFORE_US);
    saml_write_instant_attr(w, "NotOnOrAfter",
                            order->now_us - SAML_BEGINS_BEFORE_US + order->lifetime_us);
    xmlw_start(w, "saml2:AudienceRestriction");
    xmlw_element(w, "saml2:Audience", span_of_cstr(order->audience));
    xmlw_end(w);
    xmlw_end(w);
}

static void
write_authn(struct xmlw *w, const struct assertion_order *order, const char *id)
{
    xmlw_start(w, "saml2:AuthnStatement");
    saml_write_instant_attr(w, "AuthnInstant", order->now_us - SAML_BEGINS_BEFORE_US);
    xmlw_attr_cstr(w, "SessionIndex", id);
    xmlw_start(w, "saml2:AuthnContext");
    xmlw_element(w, "saml2:AuthnContextClassRef",
                 SPAN("urn:oasis:names:tc:SAML:2.0:ac:classes:X509"));
    xmlw_end(w);
    xmlw_end(w);
}

/* ---- the assertion ---- */

/* Without its signature; *ret_split is where that belongs, behind the Issuer. */
static struct status
write_plain(const struct assertion_order *order, const char *id, struct span key_info,
            struct buf *out, struct diag *diag, size_t *ret_split)
{
    struct xmlw w;
    xmlw_init(&w, out, diag);
    xmlw_start(&w, "saml2:Assertion");
    xmlw_attr_cstr(&w, "xmlns:saml2", NS_SAML2);
    xmlw_attr_cstr(&w, "ID", id);
    saml_write_instant_attr(&w, "IssueInstant", order->now_us);
    xmlw_attr_cstr(&w, "Version", "2.0");
    saml_write_name(&w, "saml2:Issuer", order->signer->leaf->subject);
    *ret_split = out->n;
    write_subject(&w, order, key_info);
    write_conditions(&w, order);
    write_authn(&w, order, id);
    saml_write_statements(&w, order);
    xmlw_end(&w);
    return xmlw_finish(&w);
}

static struct status
write_signature(const struct assertion_order *order, const char *id, struct span before,
                struct span after, struct span key_info, struct xmlw *w)
{
    const struct sign_order sign = {order->signer, order->style.digest, span_of_cstr(id), true};
    CLEANUP(buf_done) struct buf info;
    CLEANUP(buf_done) struct buf value;
    buf_init(&info, KEYINFO_BYTES_MAX);
    buf_init(&value, KEYINFO_BYTES_MAX);
    TRY(sign_canonical(&sign, before, after, &info, &value, w->diag));
    xmlw_start(w, "ds:Signature");
    xmlw_attr_cstr(w, "xmlns:ds", NS_DS);
    xmlw_raw(w, buf_span(&info));
    xmlw_element(w, "ds:SignatureValue", buf_span(&value));
    xmlw_raw(w, key_info);
    xmlw_end(w);
    return OK;
}

/* REQ: ITI40-sent */
struct status
saml_write_assertion(const struct assertion_order *order, const char *id, struct buf *out,
                     struct diag *diag)
{
    CLEANUP(buf_done) struct buf plain;
    CLEANUP(buf_done) struct buf key_info;
    struct xmlw w;
    size_t split = 0;
    buf_init(&plain, ASSERTION_BYTES_MAX);
    buf_init(&key_info, KEYINFO_BYTES_MAX);
    xmlw_init(&w, &key_info, diag);
    TRY(keyinfo_write(&w, order->signer, diag));
    TRY(xmlw_finish(&w));
    TRY(write_plain(order, id, buf_span(&key_info), &plain, diag, &split));
    const struct span before = span_slice(buf_span(&plain), 0, split);
    const struct span after = span_slice(buf_span(&plain), split, SIZE_MAX);
    xmlw_init(&w, out, diag);
    xmlw_raw(&w, before);
    TRY(write_signature(order, id, before, after, buf_span(&key_info), &w));
    xmlw_raw(&w, after);
    return xmlw_finish(&w);
}
