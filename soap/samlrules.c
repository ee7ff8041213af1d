/*
 * The conditions under which an assertion counts. Called by security_verify; reads the tree only.
 * Each rule is a function of its own. How the subject is confirmed is in samlconfirm.c.
 */
#include "soap/samlrules.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/datetime.h"

static struct status
bad_shape(struct diag *diag, const xmlNode *at, const char *what)
{
    return FAIL(diag, ERR_SAML_STRUCTURE, "line %ld, <%s>: %s", xmlGetLineNo(at),
                (const char *)at->name, what);
}

struct status
saml_instant(const xmlNode *node, const char *name, bool is_required, enum err code,
             struct diag *diag, int64_t *ret_us, bool *ret_is_there)
{
    struct span text;
    const bool is_there = xml_attr(node, NULL, name, &text);
    if (!is_there && !is_required) {
        *ret_is_there = false;
        return OK;
    }
    if (!is_there || !datetime_read_xs(span_trim(text), ret_us)) {
        return FAIL(diag, code, "line %ld, <%s>: %s must be a time with a zone", xmlGetLineNo(node),
                    (const char *)node->name, name);
    }
    *ret_is_there = true;
    return OK;
}

/* ---- shape ---- */

static struct status
check_version(const xmlNode *assertion, struct diag *diag)
{
    return span_eq(xml_attr_text(assertion, "Version"), SPAN("2.0"))
               ? OK
               : bad_shape(diag, assertion, "Version must be 2.0");
}

static struct status
check_id(const xmlNode *assertion, struct diag *diag)
{
    return sig_is_ncname(xml_attr_text(assertion, "ID"))
               ? OK
               : bad_shape(diag, assertion, "ID must be an XML name, such as _<uuid>");
}

static struct status
check_issue_instant(const xmlNode *assertion, const struct security_rules *rules, struct diag *diag)
{
    int64_t issued_us = 0;
    bool is_there = false;
    TRY(saml_instant(assertion, "IssueInstant", true, ERR_SAML_STRUCTURE, diag, &issued_us,
                     &is_there));
    if (issued_us > rules->now_us + rules->clock_skew_us) {
        return FAIL(diag, ERR_SAML_CONDITIONS,
                    "the assertion's IssueInstant is %" PRId64 " s ahead of our clock",
                    (issued_us - rules->now_us) / US_PER_S);
    }
    return OK;
}

/* Schema order of saml:AssertionType. What is not here (unknown statements) is not understood and
 * therefore refused. */
static const struct {
    const char *ns, *name;
    bool is_required;
} children[] = {
    {NS_SAML2, "Issuer", true},
    {NS_DS, "Signature", false}, /* its absence has an error of its own */
    {NS_SAML2, "Subject", true},
    {NS_SAML2, "Conditions", true},
    {NS_SAML2, "Advice", false}, /* may be ignored (SAML core 2.6.1), and is never read */
};

static bool
is_statement(const xmlNode *node)
{
    return xml_is(node, NS_SAML2, "AuthnStatement") ||
           xml_is(node, NS_SAML2, "AttributeStatement") ||
           xml_is(node, NS_SAML2, "AuthzDecisionStatement");
}

static struct status
check_children(const xmlNode *assertion, struct diag *diag)
{
    const xmlNode *child = xml_first(assertion);
    if (!xml_has_element_content(assertion)) {
        return bad_shape(diag, assertion, "text between the child elements");
    }
    for (size_t i = 0; i < ARRAY_LEN(children); i++) {
        const bool is_there = xml_is(child, children[i].ns, children[i].name);
        if (!is_there && children[i].is_required) {
            return FAIL(diag, ERR_SAML_STRUCTURE,
                        "line %ld: the assertion must have <%s> here, got <%.*s>",
                        xmlGetLineNo(assertion), children[i].name,
                        SPAN_PRINT(span_slice(xml_local_name(child), 0, 60)));
        }
        child = is_there ? xml_next(child) : child;
    }
    while (is_statement(child)) {
        child = xml_next(child);
    }
    return child == NULL ? OK : bad_shape(diag, child, "an element that is not understood here");
}

/* Attributes hold values and nothing else, so that every reader finds the same ones. What is
 * encrypted cannot be read, and is therefore an unknown attribute. */
static struct status
check_attribute(const xmlNode *attribute, struct diag *diag)
{
    if (xml_is(attribute, NS_SAML2, "EncryptedAttribute")) {
        return OK;
    }
    if (!xml_is(attribute, NS_SAML2, "Attribute") || xml_attr_text(attribute, "Name").n == 0 ||
        !xml_has_element_content(attribute)) {
        return bad_shape(diag, attribute, "an Attribute with a Name is expected");
    }
    for (const xmlNode *value = xml_first(attribute); value != NULL; value = xml_next(value)) {
        if (!xml_is(value, NS_SAML2, "AttributeValue")) {
            return bad_shape(diag, value, "an AttributeValue is expected");
        }
    }
    return OK;
}

static struct status
check_attribute_statements(const xmlNode *assertion, struct diag *diag)
{
    const xmlNode *statement = xml_child(assertion, NS_SAML2, "AttributeStatement");
    for (; statement != NULL;
         statement = xml_next_named(statement, NS_SAML2, "AttributeStatement")) {
        if (!xml_has_element_content(statement)) {
            return bad_shape(diag, statement, "text between the attributes");
        }
        for (const xmlNode *child = xml_first(statement); child != NULL; child = xml_next(child)) {
            TRY(check_attribute(child, diag));
        }
    }
    return OK;
}

struct status
saml_check_shape(const xmlNode *assertion, const struct security_rules *rules, struct diag *diag)
{
    TRY(check_version(assertion, diag));
    TRY(check_id(assertion, diag));
    TRY(check_issue_instant(assertion, rules, diag));
    TRY(check_children(assertion, diag));
    return check_attribute_statements(assertion, diag);
}

/* ---- time ---- */

struct status
saml_check_window(const xmlNode *node, const struct security_rules *rules, enum err code,
                  struct diag *diag, struct saml_window *ret_window)
{
    struct saml_window window = {0, 0, false, false};
    TRY(saml_instant(node, "NotBefore", false, code, diag, &window.from_us, &window.has_from));
    TRY(saml_instant(node, "NotOnOrAfter", false, code, diag, &window.to_us, &window.has_to));
    if (window.has_from && window.from_us > rules->now_us + rules->clock_skew_us) {
        return FAIL(diag, code, "<%s>: NotBefore is %" PRId64 " s ahead of our clock",
                    (const char *)node->name, (window.from_us - rules->now_us) / US_PER_S);
    }
    if (window.has_to && window.to_us <= rules->now_us - rules->clock_skew_us) {
        return FAIL(diag, code, "<%s>: NotOnOrAfter was %" PRId64 " s ago",
                    (const char *)node->name, (rules->now_us - window.to_us) / US_PER_S);
    }
    if (window.has_from && window.has_to && window.to_us <= window.from_us) {
        return FAIL(diag, code, "<%s>: NotOnOrAfter is not after NotBefore",
                    (const char *)node->name);
    }
    *ret_window = window;
    return OK;
}

struct status
saml_check_lifetime(const xmlNode *node, int64_t from_us, int64_t to_us,
                    const struct security_rules *rules, enum err code, struct diag *diag)
{
    if (to_us - from_us > rules->max_lifetime_us) {
        return FAIL(diag, code, "<%s>: valid for %" PRId64 " s; at most %" PRId64 " are accepted",
                    (const char *)node->name, (to_us - from_us) / US_PER_S,
                    rules->max_lifetime_us / US_PER_S);
    }
    return OK;
}

/* Conditions must say from when to when. Without NotBefore, where that is relaxed, the assertion
 * begins when it was issued: else it could live for ever. */
/* REQ: ITI40-conditions */
static struct status
check_validity(const xmlNode *conditions, const struct security_rules *rules, struct diag *diag,
               struct verified_view *view)
{
    struct saml_window window;
    int64_t issued_us = 0;
    bool is_there = false;
    TRY(saml_check_window(conditions, rules, ERR_SAML_CONDITIONS, diag, &window));
    TRY(saml_instant(view->assertion, "IssueInstant", true, ERR_SAML_STRUCTURE, diag, &issued_us,
                     &is_there));
    if (!window.has_to ||
        (!window.has_from && !saml_may_omit(view->relaxed, RELAX_NOT_BEFORE, &view->omitted))) {
        return FAIL(diag, ERR_SAML_CONDITIONS, "the assertion's Conditions have no %s",
                    window.has_to ? "NotBefore" : "NotOnOrAfter");
    }
    if (issued_us > window.to_us + rules->clock_skew_us) {
        return FAIL(diag, ERR_SAML_CONDITIONS,
                    "the assertion was issued %" PRId64 " s after the end of its validity",
                    (issued_us - window.to_us) / US_PER_S);
    }
    view->not_before_us = window.has_from ? window.from_us : issued_us;
    view->not_on_or_after_us = window.to_us;
    return saml_check_lifetime(conditions, view->not_before_us, window.to_us, rules,
                               ERR_SAML_CONDITIONS, diag);
}

/* ---- audience ---- */

bool
saml_is_ours(struct span uri, const struct security_rules *rules)
{
    for (size_t i = 0; i < rules->audiences_n; i++) {
        if (span_eq_cstr(uri, rules->audiences[i])) {
            return true;
        }
    }
    return false;
}

/* Within a restriction one Audience suffices (SAML core 2.5.1.4). */
static struct status
check_restriction(const xmlNode *restriction, const struct security_rules *rules,
                  struct arena *arena, struct diag *diag)
{
    const xmlNode *audience = xml_first(restriction);
    struct span uri = SPAN_EMPTY;
    bool is_good = false;
    for (; audience != NULL; audience = xml_next(audience)) {
        if (!xml_is(audience, NS_SAML2, "Audience")) {
            return FAIL(diag, ERR_SAML_AUDIENCE, "<AudienceRestriction> must hold <Audience> only");
        }
        TRY(xml_text_trimmed(audience, ERR_SAML_AUDIENCE, arena, diag, &uri));
        is_good = is_good || saml_is_ours(uri, rules);
    }
    if (!is_good) {
        return FAIL(diag, ERR_SAML_AUDIENCE,
                    "the assertion is for '%.*s'; none of our addresses is named",
                    SPAN_PRINT(span_slice(uri, 0, 200)));
    }
    return OK;
}

/* All restrictions must be met, and there must be one. */
/* REQ: ITI40-audience */
static struct status
check_audience(const xmlNode *conditions, const struct security_rules *rules, struct arena *arena,
               struct diag *diag, struct verified_view *view)
{
    const xmlNode *restriction = xml_child(conditions, NS_SAML2, "AudienceRestriction");
    if (restriction == NULL && !saml_may_omit(view->relaxed, RELAX_AUDIENCE, &view->omitted)) {
        return FAIL(diag, ERR_SAML_AUDIENCE, "the assertion has no AudienceRestriction");
    }
    for (; restriction != NULL;
         restriction = xml_next_named(restriction, NS_SAML2, "AudienceRestriction")) {
        TRY(check_restriction(restriction, rules, arena, diag));
    }
    return OK;
}

/* A condition that is not understood makes the assertion worthless (SAML core 2.5.1).
 * ProxyRestriction is about assertions that others might make of this one: we make none. */
static struct status
check_condition_kinds(const xmlNode *conditions, struct diag *diag, struct verified_view *view)
{
    if (!xml_has_element_content(conditions)) {
        return bad_shape(diag, conditions, "text between the conditions");
    }
    for (const xmlNode *child = xml_first(conditions); child != NULL; child = xml_next(child)) {
        const bool is_one_time = xml_is(child, NS_SAML2, "OneTimeUse");
        if (!is_one_time && !xml_is(child, NS_SAML2, "AudienceRestriction") &&
            !xml_is(child, NS_SAML2, "ProxyRestriction")) {
            return FAIL(diag, ERR_SAML_CONDITIONS, "the condition <%.*s> is not understood",
                        SPAN_PRINT(span_slice(xml_local_name(child), 0, 60)));
        }
        view->is_one_time = view->is_one_time || is_one_time;
    }
    return OK;
}

/* ---- authentication ---- */

static struct status
check_authn_instants(const xmlNode *statement, const struct security_rules *rules,
                     struct diag *diag, int64_t *ret_at_us)
{
    int64_t at_us = 0;
    int64_t end_us = 0;
    bool is_there = false;
    bool has_end = false;
    TRY(saml_instant(statement, "AuthnInstant", true, ERR_SAML_AUTHN, diag, &at_us, &is_there));
    TRY(saml_instant(statement, "SessionNotOnOrAfter", false, ERR_SAML_AUTHN, diag, &end_us,
                     &has_end));
    if (at_us > rules->now_us + rules->clock_skew_us) {
        return FAIL(diag, ERR_SAML_AUTHN, "the user's authentication is in the future");
    }
    if (has_end && end_us <= rules->now_us - rules->clock_skew_us) {
        return FAIL(diag, ERR_SAML_AUTHN, "the session of the user's authentication has ended");
    }
    *ret_at_us = at_us;
    return OK;
}

/* SAML's own classes (saml-authn-context-2.0-os, section 3.4), behind "...:ac:classes:". */
static const char *const authn_classes[] = {
    "InternetProtocol",
    "InternetProtocolPassword",
    "Kerberos",
    "MobileOneFactorUnregistered",
    "MobileTwoFactorUnregistered",
    "MobileOneFactorContract",
    "MobileTwoFactorContract",
    "Password",
    "PasswordProtectedTransport",
    "PreviousSession",
    "X509",
    "PGP",
    "SPKI",
    "XMLDSig",
    "Smartcard",
    "SmartcardPKI",
    "SoftwarePKI",
    "Telephony",
    "NomadTelephony",
    "PersonalTelephony",
    "AuthenticatedTelephony",
    "SecureRemotePassword",
    "TLSClient",
    "TimeSyncToken",
    "unspecified",
};

/* Networks test that an invented class is refused; others than SAML's are configured. */
static struct status
check_authn_class(const xmlNode *reference, const struct security_rules *rules, struct arena *arena,
                  struct diag *diag)
{
    const struct span prefix = SPAN("urn:oasis:names:tc:SAML:2.0:ac:classes:");
    struct span uri = SPAN_EMPTY;
    TRY(xml_text_trimmed(reference, ERR_SAML_AUTHN, arena, diag, &uri));
    for (size_t i = 0; span_starts_with(uri, prefix) && i < ARRAY_LEN(authn_classes); i++) {
        if (span_eq_cstr(span_slice(uri, prefix.n, SIZE_MAX), authn_classes[i])) {
            return OK;
        }
    }
    for (size_t i = 0; i < rules->authn_contexts_n; i++) {
        if (span_eq_cstr(uri, rules->authn_contexts[i])) {
            return OK;
        }
    }
    return FAIL(diag, ERR_SAML_AUTHN,
                "AuthnContextClassRef '%.*s' is none of SAML's classes; others must be listed in "
                "security.authn_contexts",
                SPAN_PRINT(span_slice(uri, 0, 120)));
}

/* A declaration is its issuer's own: any URI. */
static struct status
check_authn_declaration(const xmlNode *reference, struct arena *arena, struct diag *diag)
{
    struct span uri = SPAN_EMPTY;
    TRY(xml_text_trimmed(reference, ERR_SAML_AUTHN, arena, diag, &uri));
    const size_t colon = span_find_char(uri, ':');
    return colon != SPAN_MISSING && colon > 0 && colon + 1 < uri.n
               ? OK
               : FAIL(diag, ERR_SAML_AUTHN, "AuthnContextDeclRef must be a URI");
}

/* REQ: ITI40-authn */
static struct status
check_authn_context(const xmlNode *statement, const struct security_rules *rules,
                    struct arena *arena, struct diag *diag)
{
    const xmlNode *context = NULL;
    const xmlNode *class = NULL;
    const xmlNode *declaration = NULL;
    TRY(xml_child_one(statement, NS_SAML2, "AuthnContext", ERR_SAML_AUTHN, diag, &context));
    TRY(xml_child_optional(context, NS_SAML2, "AuthnContextClassRef", ERR_SAML_AUTHN, diag,
                           &class));
    TRY(xml_child_optional(context, NS_SAML2, "AuthnContextDeclRef", ERR_SAML_AUTHN, diag,
                           &declaration));
    if (class == NULL && declaration == NULL) {
        return FAIL(diag, ERR_SAML_AUTHN,
                    "AuthnContext must name a class or declaration by its URI");
    }
    if (class != NULL) {
        TRY(check_authn_class(class, rules, arena, diag));
    }
    return declaration == NULL ? OK : check_authn_declaration(declaration, arena, diag);
}

/* Several are fine, and each must be right; the first is the one that counts. */
static struct status
check_authn_statements(const struct security_rules *rules, struct arena *arena, struct diag *diag,
                       struct verified_view *view)
{
    const xmlNode *statement = xml_child(view->assertion, NS_SAML2, "AuthnStatement");
    bool is_first = true;
    if (statement == NULL && !saml_may_omit(view->relaxed, RELAX_AUTHN_STATEMENT, &view->omitted)) {
        return FAIL(diag, ERR_SAML_AUTHN, "the assertion has no AuthnStatement");
    }
    for (; statement != NULL; statement = xml_next_named(statement, NS_SAML2, "AuthnStatement")) {
        int64_t at_us = 0;
        TRY(check_authn_instants(statement, rules, diag, &at_us));
        TRY(check_authn_context(statement, rules, arena, diag));
        view->authn_instant_us = is_first ? at_us : view->authn_instant_us;
        is_first = false;
    }
    return OK;
}

struct status
saml_check_conditions(struct verified_view *view, const struct security_rules *rules,
                      struct arena *arena, struct diag *diag)
{
    const xmlNode *conditions = NULL;
    TRY(xml_child_one(view->assertion, NS_SAML2, "Conditions", ERR_SAML_CONDITIONS, diag,
                      &conditions));
    TRY(check_validity(conditions, rules, diag, view));
    TRY(check_condition_kinds(conditions, diag, view));
    TRY(check_audience(conditions, rules, arena, diag, view));
    return check_authn_statements(rules, arena, diag, view);
}
