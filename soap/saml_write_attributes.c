/*
 * What our assertions say about the asker: attributes, and consents in both of their forms. Called
 * by saml_write.c; output goes to the caller's writer.
 */
#include <stdio.h>

#include "soap/namespaces.h"
#include "soap/saml_names.h"
#include "soap/saml_write.h"

#define SNOMED_CT    "2.16.840.1.113883.6.96"
#define ACTION_RWEDC "urn:oasis:names:tc:SAML:1.0:action:rwedc"

/* ---- attributes ---- */

static void
start_attribute(struct xmlw *w, const char *name, const char *format)
{
    xmlw_start(w, "saml2:Attribute");
    xmlw_attr_cstr(w, "Name", name);
    xmlw_attr_cstr(w, "NameFormat", format);
    xmlw_start(w, "saml2:AttributeValue");
}

static void
end_attribute(struct xmlw *w)
{
    xmlw_end(w);
    xmlw_end(w);
}

static void
write_text_as(struct xmlw *w, const char *name, const char *format, struct span value)
{
    if (value.n > 0) {
        start_attribute(w, name, format);
        xmlw_text(w, value);
        end_attribute(w);
    }
}

static void
write_text(struct xmlw *w, const char *name, struct span value)
{
    write_text_as(w, name, SAML_NAME_FORMAT_URI, value);
}

/* One Attribute with a value for each. */
static void
write_texts(struct xmlw *w, const char *name, const char *format, const struct span_list *values)
{
    if (values->n == 0) {
        return;
    }
    xmlw_start(w, "saml2:Attribute");
    xmlw_attr_cstr(w, "Name", name);
    xmlw_attr_cstr(w, "NameFormat", format);
    for (size_t i = 0; i < values->n; i++) {
        xmlw_element(w, "saml2:AttributeValue", values->items[i]);
    }
    xmlw_end(w);
}

struct coded {
    const char *element, *code, *system, *system_name, *display;
};

/* HL7 CE in the default namespace, so that the type's name needs no prefix. */
static void
write_coded(struct xmlw *w, const char *name, const struct coded *coded)
{
    start_attribute(w, name, SAML_NAME_FORMAT_URI);
    xmlw_start(w, coded->element);
    xmlw_attr_cstr(w, "xmlns", NS_HL7);
    xmlw_attr_cstr(w, "xmlns:xsi", NS_XSI);
    xmlw_attr_cstr(w, "code", coded->code);
    xmlw_attr_cstr(w, "codeSystem", coded->system);
    if (coded->system_name != NULL) {
        xmlw_attr_cstr(w, "codeSystemName", coded->system_name);
    }
    if (coded->display != NULL) {
        xmlw_attr_cstr(w, "displayName", coded->display);
    }
    xmlw_attr_cstr(w, "xsi:type", "CE");
    xmlw_end(w);
    end_attribute(w);
}

static void
write_community(struct xmlw *w, const struct assertion_order *order)
{
    char community[OID_URN];
    (void)snprintf(community, sizeof(community), "urn:oid:%s", order->home_community);
    if (order->style.community != DIALECT_COMMUNITY_NHIN) {
        write_text(w, SAML_COMMUNITY_IHE, span_of_cstr(community));
    }
    if (order->style.community != DIALECT_COMMUNITY_IHE) {
        write_text(w, SAML_COMMUNITY_NHIN, span_of_cstr(community));
    }
}

static void
write_attributes(struct xmlw *w, const struct assertion_order *order)
{
    const struct dialect_style *const style = &order->style;
    const struct coded role = {"Role", order->role, SNOMED_CT, "SNOMED_CT", order->role_display};
    const struct coded purpose = {"PurposeOfUse", order->purpose, order->purpose_system, NULL,
                                  NULL};
    xmlw_start(w, "saml2:AttributeStatement");
    write_text_as(w, SAML_SUBJECT_ID,
                  style->is_subject_id_basic ? SAML_NAME_FORMAT_BASIC : SAML_NAME_FORMAT_URI,
                  span_of_cstr(order->subject_id));
    write_text(w, SAML_ORGANIZATION, span_of_cstr(order->organization));
    write_text(w, SAML_ORGANIZATION_ID, span_of_cstr(order->organization_id));
    write_community(w, order);
    write_coded(w, SAML_ROLE, &role);
    write_coded(w, SAML_PURPOSE, &purpose);
    write_text(w, SAML_NPI_1_0, span_of_cstr(order->npi));
    if (style->has_npi_2_0) {
        write_text(w, SAML_NPI_2_0, span_of_cstr(order->npi));
    }
    write_text(w, SAML_RESOURCE_ID, order->resource_id);
    write_texts(w, SAML_ACP, SAML_NAME_FORMAT_URI, &order->acp);
    write_texts(w, SAML_IACP, SAML_NAME_FORMAT_URI, &order->iacp);
    write_text(w, SAML_DELEGATOR, order->delegator);
    write_text(w, SAML_ID_TOKEN, order->id_token);
    xmlw_end(w);
}

/* ---- consents as members of the eHealth Exchange read them (spec of 2010) ---- */

static void
write_evidence(struct xmlw *w, const struct assertion_order *order)
{
    char id[SAML_ID_TEXT];
    saml_new_id(id);
    xmlw_start(w, "saml2:Evidence");
    xmlw_start(w, "saml2:Assertion");
    xmlw_attr_cstr(w, "ID", id);
    saml_write_instant_attr(w, "IssueInstant", order->now_us);
    xmlw_attr_cstr(w, "Version", "2.0");
    saml_write_name(w, "saml2:Issuer", order->signer->leaf->subject);
    xmlw_start(w, "saml2:Conditions");
    saml_write_instant_attr(w, "NotBefore", order->now_us - SAML_BEGINS_BEFORE_US);
    saml_write_instant_attr(w, "NotOnOrAfter",
                            order->now_us - SAML_BEGINS_BEFORE_US + order->lifetime_us);
    xmlw_end(w);
    xmlw_start(w, "saml2:AttributeStatement");
    write_texts(w, SAML_ACP_EVIDENCE, SAML_NAME_FORMAT_NHIN, &order->acp);
    write_texts(w, SAML_IACP_EVIDENCE, SAML_NAME_FORMAT_NHIN, &order->iacp);
    xmlw_end(w);
    xmlw_end(w);
    xmlw_end(w);
}

static void
write_authz(struct xmlw *w, const struct assertion_order *order)
{
    xmlw_start(w, "saml2:AuthzDecisionStatement");
    xmlw_attr_cstr(w, "Decision", "Permit");
    xmlw_attr_cstr(w, "Resource", order->audience);
    xmlw_start(w, "saml2:Action");
    xmlw_attr_cstr(w, "Namespace", ACTION_RWEDC);
    xmlw_text_cstr(w, "Execute");
    xmlw_end(w);
    write_evidence(w, order);
    xmlw_end(w);
}

void
saml_write_statements(struct xmlw *w, const struct assertion_order *order)
{
    write_attributes(w, order);
    if (order->style.has_authz_decision && order->acp.n + order->iacp.n > 0) {
        write_authz(w, order);
    }
}
