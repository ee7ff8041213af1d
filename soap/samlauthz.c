/*
 * Authorization decisions inside an assertion, as members of the eHealth Exchange send the consent
 * of a patient (spec of 2010; SAML core 2.7.4). Called by security_verify, after the assertion's
 * signature; reads the tree only. We decide by our own policy: a statement that holds can add the
 * names of consents to the facts and nothing else, and one that does not hold refuses the message.
 */
#include "soap/samlrules.h"

static struct status
bad_statement(struct diag *diag, const xmlNode *at, const char *what)
{
    return FAIL(diag, ERR_SAML_AUTHZ, "line %ld, <%.*s>: %s", xmlGetLineNo(at),
                SPAN_PRINT(span_slice(xml_local_name(at), 0, 60)), what);
}

/* Schema order: one Action or more, at most one Evidence. */
static struct status
check_order(const xmlNode *statement, struct diag *diag, const xmlNode **ret_evidence)
{
    const xmlNode *child = xml_first(statement);
    const xmlNode *evidence = NULL;
    if (!xml_has_element_content(statement) || !xml_is(child, NS_SAML2, "Action")) {
        return bad_statement(diag, statement, "an Action is expected first");
    }
    while (xml_is(child, NS_SAML2, "Action")) {
        child = xml_next(child);
    }
    if (xml_is(child, NS_SAML2, "Evidence")) {
        evidence = child;
        child = xml_next(child);
    }
    if (child != NULL) {
        return bad_statement(diag, child, "an element that has no place here");
    }
    *ret_evidence = evidence;
    return OK;
}

static struct status
check_resource(const xmlNode *statement, struct diag *diag)
{
    struct span resource;
    return xml_attr(statement, NULL, "Resource", &resource)
               ? OK
               : bad_statement(diag, statement, "Resource is missing");
}

static struct status
check_decision(const xmlNode *statement, struct diag *diag)
{
    return span_eq(xml_attr_text(statement, "Decision"), SPAN("Permit"))
               ? OK
               : bad_statement(diag, statement, "the decision is not Permit");
}

static struct status
check_evidence_assertion(const xmlNode *assertion, const struct security_rules *rules,
                         struct diag *diag)
{
    const xmlNode *conditions = NULL;
    struct saml_window window;
    if (!span_eq(xml_attr_text(assertion, "Version"), SPAN("2.0")) ||
        !xml_is(xml_first(assertion), NS_SAML2, "Issuer")) {
        return bad_statement(diag, assertion, "the evidence is not an assertion of SAML 2.0");
    }
    TRY(xml_child_optional(assertion, NS_SAML2, "Conditions", ERR_SAML_AUTHZ, diag, &conditions));
    return conditions == NULL ? OK
                              : saml_check_window(conditions, rules, ERR_SAML_AUTHZ, diag, &window);
}

/* Assertions that stand here; what is elsewhere or encrypted is no evidence. */
static struct status
check_evidence(const xmlNode *evidence, const struct security_rules *rules, struct diag *diag)
{
    const xmlNode *child = xml_first(evidence);
    if (child == NULL || !xml_has_element_content(evidence)) {
        return bad_statement(diag, evidence, "an Assertion is expected");
    }
    for (; child != NULL; child = xml_next(child)) {
        if (!xml_is(child, NS_SAML2, "Assertion")) {
            return bad_statement(diag, child, "only an Assertion is accepted as evidence");
        }
        TRY(check_evidence_assertion(child, rules, diag));
    }
    return OK;
}

/* REQ: ITI40-consent */
struct status
saml_check_authz(const struct verified_view *view, const struct security_rules *rules,
                 struct diag *diag)
{
    const xmlNode *statement = xml_child(view->assertion, NS_SAML2, "AuthzDecisionStatement");
    for (; statement != NULL;
         statement = xml_next_named(statement, NS_SAML2, "AuthzDecisionStatement")) {
        const xmlNode *evidence = NULL;
        TRY(check_order(statement, diag, &evidence));
        TRY(check_resource(statement, diag));
        TRY(check_decision(statement, diag));
        if (evidence != NULL) {
            TRY(check_evidence(evidence, rules, diag));
        }
    }
    return OK;
}
