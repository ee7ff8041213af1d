/*
 * What a verified assertion says. Called after security_verify, and only with what it gave out:
 * there is no other way to a SAML fact. Spans point into the tree or the arena.
 */
#include "base/ids.h"
#include "soap/namespaces.h"
#include "soap/saml_attributes.h"
#include "soap/saml_names.h"
#include "soap/samlname.h"

#define NPI_ROOT "2.16.840.1.113883.4.6"

/* ---- role and purpose: <Role xmlns="urn:hl7-org:v3" code codeSystem displayName/> ---- */

static struct status
read_role(const struct saml_reader *reader, struct code *ret_role)
{
    static const char *const elements[2] = {"Role", "Role"};
    const xmlNode *const value = saml_next_value(reader, SAML_ROLE, NULL);
    if (value == NULL) {
        return saml_may_omit(reader->relaxed, RELAX_ROLE, reader->omitted)
                   ? OK
                   : saml_attribute_missing(reader, SAML_ROLE);
    }
    return saml_read_code(reader, SAML_ROLE, value, elements, ret_role);
}

/* Exactly one: the purpose decides, so there is nothing to choose from and no default, unless the
 * rules name one for who asks. Old senders
 * write PurposeForUse. */
static struct status
read_purpose(const struct saml_reader *reader, struct code *ret_purpose)
{
    static const char *const elements[2] = {"PurposeOfUse", "PurposeForUse"};
    const xmlNode *const value = saml_next_value(reader, SAML_PURPOSE, NULL);
    if (value == NULL) {
        return reader->may_omit_purpose ? OK : saml_attribute_missing(reader, SAML_PURPOSE);
    }
    if (saml_next_value(reader, SAML_PURPOSE, value) != NULL &&
        !saml_may_omit(reader->relaxed, RELAX_SECOND_PURPOSE, reader->omitted)) {
        return FAIL(reader->diag, ERR_SAML_ATTRIBUTE,
                    "the assertion names several purposes of use");
    }
    return saml_read_code(reader, SAML_PURPOSE, value, elements, ret_purpose);
}

/* ---- homeCommunityId ---- */

static struct status
read_community_named(const struct saml_reader *reader, const char *name, struct span *ret_oid)
{
    struct span text;
    TRY(saml_read_text(reader, name, SAML_REPEAT_EQUAL, &text));
    *ret_oid = SPAN_EMPTY;
    if (text.n > 0 && !home_community_oid(text, ret_oid)) {
        return FAIL(reader->diag, ERR_SAML_ATTRIBUTE, "%s must be urn:oid:<OID>, got '%.*s'", name,
                    SPAN_PRINT(span_slice(text, 0, 80)));
    }
    return OK;
}

static struct status
read_community(const struct saml_reader *reader, const char *own, struct span *ret_oid)
{
    struct span ihe;
    struct span nhin;
    TRY(read_community_named(reader, SAML_COMMUNITY_IHE, &ihe));
    TRY(read_community_named(reader, SAML_COMMUNITY_NHIN, &nhin));
    if (ihe.n > 0 && nhin.n > 0 && !span_eq(ihe, nhin)) {
        return FAIL(reader->diag, ERR_SAML_ATTRIBUTE,
                    "the two homeCommunityId attributes differ: '%.*s' and '%.*s'", SPAN_PRINT(ihe),
                    SPAN_PRINT(nhin));
    }
    *ret_oid = ihe.n > 0 ? ihe : nhin;
    if (ret_oid->n == 0 && own != NULL &&
        saml_may_omit(reader->relaxed, RELAX_HOME_COMMUNITY, reader->omitted)) {
        *ret_oid = span_of_cstr(own);
    }
    return ret_oid->n > 0 ? OK : saml_attribute_missing(reader, SAML_COMMUNITY_IHE);
}

/* ---- identifiers ---- */

/* Two versions of the profile name it differently; both may be there, and must agree. */
static struct status
read_npi(const struct saml_reader *reader, struct span *ret_npi)
{
    struct span npi;
    struct span other;
    TRY(saml_read_text(reader, SAML_NPI_1_0, SAML_REPEAT_EQUAL, &npi));
    TRY(saml_read_text(reader, SAML_NPI_2_0, SAML_REPEAT_EQUAL, &other));
    if (npi.n > 0 && other.n > 0 && !span_eq(npi, other)) {
        return FAIL(reader->diag, ERR_SAML_ATTRIBUTE, "the two npi attributes differ");
    }
    npi = npi.n > 0 ? npi : other;
    if (npi.n > 0 && !npi_is_valid(npi)) {
        return FAIL(reader->diag, ERR_SAML_ATTRIBUTE,
                    "npi must be ten digits with a valid check digit, got '%.*s'",
                    SPAN_PRINT(span_slice(npi, 0, 40)));
    }
    *ret_npi = npi;
    return OK;
}

/* An NPI among the provider's identifiers is the same one as in npi. */
static struct status
read_provider_ids(const struct saml_reader *reader, struct span npi, struct ident_list *list)
{
    const xmlNode *value = NULL;
    while ((value = saml_next_value(reader, SAML_PROVIDER_ID, value)) != NULL) {
        struct ident ident;
        TRY(saml_read_ident(reader, SAML_PROVIDER_ID, value, &ident));
        if (npi.n > 0 && span_eq(ident.root, SPAN(NPI_ROOT)) && !span_eq(ident.extension, npi)) {
            return FAIL(reader->diag, ERR_SAML_ATTRIBUTE,
                        "provider-identifier has another NPI than the attribute npi");
        }
        TRY(ARENA_PUSH(reader->arena, reader->diag, list, ident));
    }
    return OK;
}

static struct status
read_resource_id(const struct saml_reader *reader, struct span *ret_cx)
{
    struct ident ignored;
    struct diag why;
    struct span text;
    diag_clear(&why);
    TRY(saml_read_text(reader, SAML_RESOURCE_ID, SAML_REPEAT_EQUAL, &text));
    if (text.n > 0 && !is_ok(ident_read_cx(text, &why, &ignored))) {
        return FAIL(reader->diag, ERR_SAML_ATTRIBUTE,
                    "resource-id must be a patient id of the form id^^^&OID&ISO");
    }
    *ret_cx = text;
    return OK;
}

/* ---- Issuer, Subject ---- */

static struct status
read_issuer(const struct saml_reader *reader, struct saml_facts *facts)
{
    const xmlNode *issuer = NULL;
    TRY(xml_child_one(reader->assertion, NS_SAML2, "Issuer", ERR_SAML_ISSUER, reader->diag,
                      &issuer));
    TRY(xml_text_trimmed(issuer, ERR_SAML_ISSUER, reader->arena, reader->diag, &facts->issuer));
    facts->issuer_format = xml_attr_text(issuer, "Format");
    return saml_name_check(reader, issuer, facts->issuer, SAML_NAME_ISSUER, ERR_SAML_ISSUER);
}

static struct status
read_name_id(const struct saml_reader *reader, bool is_holder_of_key, struct saml_facts *facts)
{
    const xmlNode *const subject = xml_child(reader->assertion, NS_SAML2, "Subject");
    const xmlNode *name_id = NULL;
    TRY(xml_child_one(subject, NS_SAML2, "NameID", ERR_SAML_SUBJECT, reader->diag, &name_id));
    TRY(xml_text_trimmed(name_id, ERR_SAML_SUBJECT, reader->arena, reader->diag, &facts->name_id));
    facts->name_id_format = xml_attr_text(name_id, "Format");
    facts->name_id_provided = xml_attr_text(name_id, "SPProvidedID");
    return saml_name_check(reader, name_id, facts->name_id,
                           is_holder_of_key ? SAML_NAME_HOLDER : SAML_NAME_BEARER,
                           ERR_SAML_SUBJECT);
}

/* ---- consents, delegation, individuals ---- */

static struct status
check_policies(const struct saml_reader *reader, const char *name, const struct span_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct span policy = list->items[i];
        struct span oid;
        if (!span_starts_with(policy, SPAN("urn:oid:")) || !home_community_oid(policy, &oid)) {
            return FAIL(reader->diag, ERR_SAML_ATTRIBUTE, "%s must be urn:oid:<OID>, got '%.*s'",
                        name, SPAN_PRINT(span_slice(policy, 0, 80)));
        }
    }
    return OK;
}

/* IHE's attributes, and those of the evidence in AuthzDecisionStatements, which saml_check_authz
 * has checked. */
/* REQ: ITI40-consent */
static struct status
read_consent(const struct saml_reader *reader, const char *name, const char *evidence_name,
             struct span_list *list)
{
    TRY(saml_read_texts(reader, name, list));
    const xmlNode *statement = xml_child(reader->assertion, NS_SAML2, "AuthzDecisionStatement");
    for (; statement != NULL;
         statement = xml_next_named(statement, NS_SAML2, "AuthzDecisionStatement")) {
        const xmlNode *const evidence = xml_child(statement, NS_SAML2, "Evidence");
        struct saml_reader inner = *reader;
        for (inner.assertion = xml_child(evidence, NS_SAML2, "Assertion"); inner.assertion != NULL;
             inner.assertion = xml_next_named(inner.assertion, NS_SAML2, "Assertion")) {
            inner.names = (struct saml_names){NULL, 0, 0};
            TRY(saml_read_names(&inner));
            TRY(saml_read_texts(&inner, evidence_name, list));
        }
    }
    return check_policies(reader, name, list);
}

/* The one sample that is published gives the name format as name, and the name as friendly name;
 * other senders may have read the text instead. */
static struct status
read_jurisdiction(const struct saml_reader *reader, struct span *ret_text)
{
    struct span found = SPAN_EMPTY;
    const xmlNode *value = NULL;
    TRY(saml_read_text(reader, SAML_JURISDICTION, SAML_REPEAT_EQUAL, &found));
    while ((value = saml_next_value(reader, SAML_NAME_FORMAT_BASIC, value)) != NULL) {
        struct span text;
        if (!span_eq(xml_attr_text(value->parent, "FriendlyName"), SPAN(SAML_JURISDICTION))) {
            continue;
        }
        TRY(xml_text_trimmed(value, ERR_SAML_ATTRIBUTE, reader->arena, reader->diag, &text));
        if (found.n > 0 && !span_eq(found, text)) {
            return FAIL(reader->diag, ERR_SAML_ATTRIBUTE,
                        "the attribute " SAML_JURISDICTION " has several values that differ");
        }
        found = text;
    }
    *ret_text = found;
    return OK;
}

/* Whoever says that he asks as a delegate must say for whom. */
static struct status
read_delegator(const struct saml_reader *reader, struct span *ret_text)
{
    TRY(saml_read_text(reader, SAML_DELEGATOR, SAML_REPEAT_EQUAL, ret_text));
    if (ret_text->n == 0 && saml_next_value(reader, SAML_DELEGATOR, NULL) != NULL) {
        return FAIL(reader->diag, ERR_SAML_ATTRIBUTE, "the attribute " SAML_DELEGATOR " is empty");
    }
    return OK;
}

/* Not looked into: whoever needs it verifies it first. */
static struct status
read_id_token(const struct saml_reader *reader, struct span *ret_token)
{
    TRY(saml_read_text(reader, SAML_ID_TOKEN, SAML_REPEAT_EQUAL, ret_token));
    if (ret_token->n > SAML_ID_TOKEN_MAX) {
        return FAIL(reader->diag, ERR_SAML_ATTRIBUTE, "an id_token of %zu bytes; at most %zu",
                    ret_token->n, SAML_ID_TOKEN_MAX);
    }
    return OK;
}

/* ---- all together ---- */

/* REQ: ITI40-attributes */
static struct status
read_required(const struct saml_reader *reader, struct saml_facts *facts)
{
    TRY(saml_read_required(reader, SAML_SUBJECT_ID, SAML_REPEAT_FIRST, RELAX_SUBJECT_ID,
                           &facts->subject_id));
    TRY(saml_read_required(reader, SAML_ORGANIZATION, SAML_REPEAT_FIRST, RELAX_ORGANIZATION,
                           &facts->organization));
    TRY(saml_read_required(reader, SAML_ORGANIZATION_ID, SAML_REPEAT_EQUAL, RELAX_ORGANIZATION_ID,
                           &facts->organization_id));
    TRY(read_role(reader, &facts->role));
    return read_purpose(reader, &facts->purpose);
}

static struct status
read_optional(const struct saml_reader *reader, struct saml_facts *facts)
{
    TRY(read_npi(reader, &facts->npi));
    TRY(read_provider_ids(reader, facts->npi, &facts->provider_ids));
    TRY(read_resource_id(reader, &facts->resource_id));
    TRY(read_consent(reader, SAML_ACP, SAML_ACP_EVIDENCE, &facts->acp));
    TRY(read_consent(reader, SAML_IACP, SAML_IACP_EVIDENCE, &facts->iacp));
    TRY(read_delegator(reader, &facts->delegator));
    TRY(read_jurisdiction(reader, &facts->jurisdiction));
    return read_id_token(reader, &facts->id_token);
}

struct status
saml_read(const struct verified_view *view, struct arena *arena, struct diag *diag,
          struct saml_facts *ret_facts)
{
    uint32_t omitted = view->omitted;
    struct saml_reader reader = {.assertion = view->assertion,
                                 .relaxed = view->relaxed,
                                 .may_omit_purpose = view->may_omit_purpose,
                                 .omitted = &omitted,
                                 .arena = arena,
                                 .diag = diag};
    struct saml_facts facts = {
        .key = view->assertion_key,
        .has_sha1 = view->has_sha1,
        .is_one_time = view->is_one_time,
        .assertion_id = xml_attr_text(view->assertion, "ID"),
        .is_holder_of_key = view->is_holder_of_key,
        .not_before_us = view->not_before_us,
        .not_on_or_after_us = view->not_on_or_after_us,
        .authn_instant_us = view->authn_instant_us,
        .timestamp_created_us = view->created_us,
        .timestamp_expires_us = view->expires_us,
        .timestamp_signature = view->timestamp_signature,
        .timestamp_signature_sent = view->timestamp_signature_sent,
    };
    TRY(saml_read_names(&reader));
    TRY(read_issuer(&reader, &facts));
    TRY(read_name_id(&reader, view->is_holder_of_key, &facts));
    TRY(read_required(&reader, &facts));
    TRY(read_community(&reader, view->community, &facts.home_community));
    TRY(read_optional(&reader, &facts));
    facts.omitted = omitted;
    *ret_facts = facts;
    return OK;
}
