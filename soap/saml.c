/*
 * What a verified assertion says. Called after security_verify, and only with what it gave out:
 * there is no other way to a SAML fact. Spans point into the tree or the arena.
 */
#include "base/ids.h"
#include "soap/namespaces.h"
#include "soap/samlname.h"
#include "soap/samlrules.h"
#include "soap/view.h"

/* Attribute names: ITI TF-2 3.40.4.1.2; the names of the eHealth Exchange beside IHE's. */
#define XSPA      "urn:oasis:names:tc:xspa:1.0:subject:"
#define HCID_IHE  "urn:ihe:iti:xca:2010:homeCommunityId"
#define HCID_NHIN "urn:nhin:names:saml:homeCommunityId"
#define ROLE      "urn:oasis:names:tc:xacml:2.0:subject:role"
#define ACP       "urn:ihe:iti:xua:2012:acp"
#define IACP      "urn:ihe:iti:bppc:2007:docid"

struct reader {
    const xmlNode *assertion;
    struct arena *arena;
    struct diag *diag;
};

/* ---- attributes ---- */

/* The next AttributeValue of that name, over all statements and repetitions; NULL at the end. */
static const xmlNode *
next_value(const xmlNode *assertion, const char *name, const xmlNode *after)
{
    const xmlNode *value = xml_next_named(after, NS_SAML2, "AttributeValue");
    const xmlNode *attribute = after == NULL ? NULL : after->parent;
    const xmlNode *statement =
        after == NULL ? xml_child(assertion, NS_SAML2, "AttributeStatement") : attribute->parent;
    if (after == NULL) {
        attribute = xml_child(statement, NS_SAML2, "Attribute");
    } else if (value == NULL) {
        attribute = xml_next_named(attribute, NS_SAML2, "Attribute");
    }
    while (value == NULL && statement != NULL) {
        for (; value == NULL && attribute != NULL;
             attribute = xml_next_named(attribute, NS_SAML2, "Attribute")) {
            if (span_eq_cstr(xml_attr_text(attribute, "Name"), name)) {
                value = xml_child(attribute, NS_SAML2, "AttributeValue");
            }
        }
        statement = xml_next_named(statement, NS_SAML2, "AttributeStatement");
        attribute = xml_child(statement, NS_SAML2, "Attribute");
    }
    return value;
}

static struct status
missing(const struct reader *reader, const char *name)
{
    return FAIL(reader->diag, ERR_SAML_ATTRIBUTE, "the assertion lacks the attribute %s", name);
}

/* All text values that are not empty. */
static struct status
read_texts(const struct reader *reader, const char *name, struct span_list *list)
{
    const xmlNode *value = NULL;
    while ((value = next_value(reader->assertion, name, value)) != NULL) {
        struct span text;
        TRY(xml_text_trimmed(value, ERR_SAML_ATTRIBUTE, reader->arena, reader->diag, &text));
        if (text.n > 0) {
            TRY(ARENA_PUSH(reader->arena, reader->diag, list, text));
        }
    }
    return OK;
}

enum repeat { REPEAT_FIRST, REPEAT_EQUAL };

/* Several values: what describes a person may be repeated and the first counts; what decides
 * something must be one and the same. Empty when absent. */
static struct status
read_text(const struct reader *reader, const char *name, enum repeat repeat, struct span *ret_text)
{
    struct span_list list = {NULL, 0, 0};
    TRY(read_texts(reader, name, &list));
    for (size_t i = 1; repeat == REPEAT_EQUAL && i < list.n; i++) {
        if (!span_eq(list.items[i], list.items[0])) {
            return FAIL(reader->diag, ERR_SAML_ATTRIBUTE,
                        "the attribute %s has several values that differ", name);
        }
    }
    *ret_text = list.n > 0 ? list.items[0] : SPAN_EMPTY;
    return OK;
}

static struct status
read_required(const struct reader *reader, const char *name, enum repeat repeat,
              struct span *ret_text)
{
    TRY(read_text(reader, name, repeat, ret_text));
    return ret_text->n > 0 ? OK : missing(reader, name);
}

/* ---- coded values: <Role xmlns="urn:hl7-org:v3" code codeSystem displayName/> ---- */

static struct status
read_code(const struct reader *reader, const char *name, const xmlNode *value,
          const char *const elements[2], struct code *ret_code)
{
    const xmlNode *const coded = xml_first(value);
    const bool is_coded =
        (xml_is(coded, NS_HL7, elements[0]) || xml_is(coded, NS_HL7, elements[1])) &&
        xml_next(coded) == NULL && xml_has_element_content(value);
    struct code code = {
        .value = span_trim(xml_attr_text(coded, "code")),
        .scheme = span_trim(xml_attr_text(coded, "codeSystem")),
        .display = span_trim(xml_attr_text(coded, "displayName")),
    };
    if (!is_coded || code.value.n == 0 || !oid_is_valid(code.scheme)) {
        return FAIL(reader->diag, ERR_SAML_ATTRIBUTE,
                    "the attribute %s must hold <%s xmlns=\"%s\"> with code and codeSystem", name,
                    elements[0], NS_HL7);
    }
    *ret_code = code;
    return OK;
}

static struct status
read_role(const struct reader *reader, struct code *ret_role)
{
    static const char *const elements[2] = {"Role", "Role"};
    const xmlNode *const value = next_value(reader->assertion, ROLE, NULL);
    return value == NULL ? missing(reader, ROLE)
                         : read_code(reader, ROLE, value, elements, ret_role);
}

/* Exactly one: the purpose decides, so there is nothing to choose from and no default. Old senders
 * write PurposeForUse. */
static struct status
read_purpose(const struct reader *reader, struct code *ret_purpose)
{
    static const char *const elements[2] = {"PurposeOfUse", "PurposeForUse"};
    const char *const name = XSPA "purposeofuse";
    const xmlNode *const value = next_value(reader->assertion, name, NULL);
    if (value == NULL) {
        return missing(reader, name);
    }
    if (next_value(reader->assertion, name, value) != NULL) {
        return FAIL(reader->diag, ERR_SAML_ATTRIBUTE,
                    "the assertion names several purposes of use");
    }
    return read_code(reader, name, value, elements, ret_purpose);
}

/* ---- homeCommunityId ---- */

static struct status
read_community_named(const struct reader *reader, const char *name, struct span *ret_oid)
{
    struct span text;
    TRY(read_text(reader, name, REPEAT_EQUAL, &text));
    *ret_oid = SPAN_EMPTY;
    if (text.n > 0 && !home_community_oid(text, ret_oid)) {
        return FAIL(reader->diag, ERR_SAML_ATTRIBUTE, "%s must be urn:oid:<OID>, got '%.*s'", name,
                    SPAN_PRINT(span_slice(text, 0, 80)));
    }
    return OK;
}

static struct status
read_community(const struct reader *reader, struct span *ret_oid)
{
    struct span ihe;
    struct span nhin;
    TRY(read_community_named(reader, HCID_IHE, &ihe));
    TRY(read_community_named(reader, HCID_NHIN, &nhin));
    if (ihe.n > 0 && nhin.n > 0 && !span_eq(ihe, nhin)) {
        return FAIL(reader->diag, ERR_SAML_ATTRIBUTE,
                    "the two homeCommunityId attributes differ: '%.*s' and '%.*s'", SPAN_PRINT(ihe),
                    SPAN_PRINT(nhin));
    }
    *ret_oid = ihe.n > 0 ? ihe : nhin;
    return ret_oid->n > 0 ? OK : missing(reader, HCID_IHE);
}

/* ---- Issuer, Subject, AuthnStatement ---- */

static struct status
read_issuer(const struct reader *reader, struct saml_facts *facts)
{
    const xmlNode *issuer = NULL;
    TRY(xml_child_one(reader->assertion, NS_SAML2, "Issuer", ERR_SAML_ISSUER, reader->diag,
                      &issuer));
    TRY(xml_text_trimmed(issuer, ERR_SAML_ISSUER, reader->arena, reader->diag, &facts->issuer));
    facts->issuer_format = xml_attr_text(issuer, "Format");
    return saml_name_check(issuer, facts->issuer, SAML_NAME_ISSUER, ERR_SAML_ISSUER, reader->diag);
}

static struct status
read_name_id(const struct reader *reader, bool is_holder_of_key, struct saml_facts *facts)
{
    const xmlNode *const subject = xml_child(reader->assertion, NS_SAML2, "Subject");
    const xmlNode *name_id = NULL;
    TRY(xml_child_one(subject, NS_SAML2, "NameID", ERR_SAML_SUBJECT, reader->diag, &name_id));
    TRY(xml_text_trimmed(name_id, ERR_SAML_SUBJECT, reader->arena, reader->diag, &facts->name_id));
    facts->name_id_format = xml_attr_text(name_id, "Format");
    facts->name_id_provided = xml_attr_text(name_id, "SPProvidedID");
    return saml_name_check(name_id, facts->name_id,
                           is_holder_of_key ? SAML_NAME_HOLDER : SAML_NAME_BEARER, ERR_SAML_SUBJECT,
                           reader->diag);
}

/* security_verify has checked them; here they are read. */
static struct status
read_times(const struct reader *reader, struct saml_facts *facts)
{
    const xmlNode *const conditions = xml_child(reader->assertion, NS_SAML2, "Conditions");
    const xmlNode *const authn = xml_child(reader->assertion, NS_SAML2, "AuthnStatement");
    bool is_there = false;
    TRY(saml_instant(conditions, "NotBefore", true, ERR_SAML_CONDITIONS, reader->diag,
                     &facts->not_before_us, &is_there));
    TRY(saml_instant(conditions, "NotOnOrAfter", true, ERR_SAML_CONDITIONS, reader->diag,
                     &facts->not_on_or_after_us, &is_there));
    return saml_instant(authn, "AuthnInstant", true, ERR_SAML_AUTHN, reader->diag,
                        &facts->authn_instant_us, &is_there);
}

/* ---- access consent policies ---- */

/* IHE's attributes, and those of the evidence in an AuthzDecisionStatement (eHealth Exchange). */
static struct status
read_consent(const struct reader *reader, const char *name, const char *evidence_name,
             struct span_list *list)
{
    TRY(read_texts(reader, name, list));
    const xmlNode *statement = xml_child(reader->assertion, NS_SAML2, "AuthzDecisionStatement");
    for (; statement != NULL;
         statement = xml_next_named(statement, NS_SAML2, "AuthzDecisionStatement")) {
        struct reader inner = *reader;
        inner.assertion =
            xml_child(xml_child(statement, NS_SAML2, "Evidence"), NS_SAML2, "Assertion");
        TRY(read_texts(&inner, evidence_name, list));
    }
    return OK;
}

static struct status
read_attributes(const struct reader *reader, struct saml_facts *facts)
{
    TRY(read_required(reader, XSPA "subject-id", REPEAT_FIRST, &facts->subject_id));
    TRY(read_required(reader, XSPA "organization", REPEAT_FIRST, &facts->organization));
    TRY(read_required(reader, XSPA "organization-id", REPEAT_EQUAL, &facts->organization_id));
    TRY(read_community(reader, &facts->home_community));
    TRY(read_role(reader, &facts->role));
    TRY(read_purpose(reader, &facts->purpose));
    TRY(read_text(reader, XSPA "npi", REPEAT_EQUAL, &facts->npi));
    if (facts->npi.n == 0) {
        TRY(read_text(reader, "urn:oasis:names:tc:xspa:2.0:subject:npi", REPEAT_EQUAL,
                      &facts->npi));
    }
    TRY(read_text(reader, "urn:oasis:names:tc:xacml:2.0:resource:resource-id", REPEAT_EQUAL,
                  &facts->resource_id));
    TRY(read_consent(reader, ACP, "AccessConsentPolicy", &facts->acp));
    return read_consent(reader, IACP, "InstanceAccessConsentPolicy", &facts->iacp);
}

struct status
saml_read(const struct verified_view *view, struct arena *arena, struct diag *diag,
          struct saml_facts *ret_facts)
{
    const struct reader reader = {view->assertion, arena, diag};
    struct saml_facts facts = {
        .assertion_id = xml_attr_text(view->assertion, "ID"),
        .key = view->assertion_key,
        .is_holder_of_key = view->is_holder_of_key,
        .timestamp_created_us = view->created_us,
        .timestamp_expires_us = view->expires_us,
        .timestamp_signature = view->timestamp_signature,
    };
    TRY(read_issuer(&reader, &facts));
    TRY(read_name_id(&reader, view->is_holder_of_key, &facts));
    TRY(read_times(&reader, &facts));
    TRY(read_attributes(&reader, &facts));
    *ret_facts = facts;
    return OK;
}
