/*
 * The conditions under which an assertion counts. Called by security_verify; reads the tree only.
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

/* Schema order of saml:AssertionType; what is not here (Advice, EncryptedID, unknown statements) is
 * not understood and therefore refused. */
static const struct {
    const char *ns, *name;
    bool is_required;
} children[] = {
    {NS_SAML2, "Issuer", true},
    {NS_DS, "Signature", false}, /* its absence has an error of its own */
    {NS_SAML2, "Subject", true},
    {NS_SAML2, "Conditions", true},
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

struct status
saml_check_shape(const xmlNode *assertion, const struct security_rules *rules, struct diag *diag)
{
    int64_t issued_us = 0;
    bool is_there = false;
    if (!span_eq(xml_attr_text(assertion, "Version"), SPAN("2.0"))) {
        return bad_shape(diag, assertion, "Version must be 2.0");
    }
    if (!sig_is_ncname(xml_attr_text(assertion, "ID"))) {
        return bad_shape(diag, assertion, "ID must be an XML name, such as _<uuid>");
    }
    TRY(saml_instant(assertion, "IssueInstant", true, ERR_SAML_STRUCTURE, diag, &issued_us,
                     &is_there));
    if (issued_us > rules->now_us + rules->clock_skew_us) {
        return FAIL(diag, ERR_SAML_CONDITIONS,
                    "the assertion's IssueInstant is %" PRId64 " s ahead of our clock",
                    (issued_us - rules->now_us) / US_PER_S);
    }
    return check_children(assertion, diag);
}

/* ---- time ---- */

/* NotBefore <= now < NotOnOrAfter, each with the clocks' tolerance; absent ones are not checked. */
static struct status
check_window(const xmlNode *node, const struct security_rules *rules, bool is_required,
             enum err code, struct diag *diag)
{
    int64_t from_us = 0;
    int64_t to_us = 0;
    bool has_from = false;
    bool has_to = false;
    TRY(saml_instant(node, "NotBefore", is_required, code, diag, &from_us, &has_from));
    TRY(saml_instant(node, "NotOnOrAfter", is_required, code, diag, &to_us, &has_to));
    if (has_from && from_us > rules->now_us + rules->clock_skew_us) {
        return FAIL(diag, code, "<%s>: NotBefore is %" PRId64 " s ahead of our clock",
                    (const char *)node->name, (from_us - rules->now_us) / US_PER_S);
    }
    if (has_to && to_us <= rules->now_us - rules->clock_skew_us) {
        return FAIL(diag, code, "<%s>: NotOnOrAfter was %" PRId64 " s ago",
                    (const char *)node->name, (rules->now_us - to_us) / US_PER_S);
    }
    if (has_from && has_to && (to_us <= from_us || to_us - from_us > rules->max_lifetime_us)) {
        return FAIL(diag, code, "<%s>: valid for %" PRId64 " s; at most %" PRId64 " are accepted",
                    (const char *)node->name, (to_us - from_us) / US_PER_S,
                    rules->max_lifetime_us / US_PER_S);
    }
    return OK;
}

/* ---- audience ---- */

static bool
is_ours(struct span uri, const struct security_rules *rules)
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
        is_good = is_good || is_ours(uri, rules);
    }
    if (!is_good) {
        return FAIL(diag, ERR_SAML_AUDIENCE,
                    "the assertion is for '%.*s'; none of our addresses is named",
                    SPAN_PRINT(span_slice(uri, 0, 200)));
    }
    return OK;
}

/* All restrictions must be met, and there must be one. A condition that is not understood makes the
 * assertion worthless (SAML core 2.5.1). */
static struct status
check_audience(const xmlNode *conditions, const struct security_rules *rules, struct arena *arena,
               struct diag *diag)
{
    size_t restrictions = 0;
    for (const xmlNode *child = xml_first(conditions); child != NULL; child = xml_next(child)) {
        if (xml_is(child, NS_SAML2, "AudienceRestriction")) {
            restrictions++;
            TRY(check_restriction(child, rules, arena, diag));
        } else if (!xml_is(child, NS_SAML2, "OneTimeUse") &&
                   !xml_is(child, NS_SAML2, "ProxyRestriction")) {
            return FAIL(diag, ERR_SAML_CONDITIONS, "the condition <%.*s> is not understood",
                        SPAN_PRINT(span_slice(xml_local_name(child), 0, 60)));
        }
    }
    return restrictions > 0
               ? OK
               : FAIL(diag, ERR_SAML_AUDIENCE, "the assertion has no AudienceRestriction");
}

/* ---- authentication ---- */

static struct status
check_authn(const xmlNode *statement, const struct security_rules *rules, struct arena *arena,
            struct diag *diag)
{
    int64_t at_us = 0;
    int64_t end_us = 0;
    bool is_there = false;
    bool has_end = false;
    const xmlNode *context = NULL;
    struct span class = SPAN_EMPTY;
    TRY(saml_instant(statement, "AuthnInstant", true, ERR_SAML_AUTHN, diag, &at_us, &is_there));
    TRY(saml_instant(statement, "SessionNotOnOrAfter", false, ERR_SAML_AUTHN, diag, &end_us,
                     &has_end));
    if (at_us > rules->now_us + rules->clock_skew_us ||
        (has_end && end_us <= rules->now_us - rules->clock_skew_us)) {
        return FAIL(diag, ERR_SAML_AUTHN,
                    "the user's authentication is in the future or its session has ended");
    }
    TRY(xml_child_one(statement, NS_SAML2, "AuthnContext", ERR_SAML_AUTHN, diag, &context));
    const xmlNode *const reference = xml_child(context, NS_SAML2, "AuthnContextClassRef") != NULL
                                         ? xml_child(context, NS_SAML2, "AuthnContextClassRef")
                                         : xml_child(context, NS_SAML2, "AuthnContextDeclRef");
    TRY(xml_text_trimmed(reference, ERR_SAML_AUTHN, arena, diag, &class));
    return span_find_char(class, ':') != SPAN_MISSING
               ? OK
               : FAIL(diag, ERR_SAML_AUTHN,
                      "AuthnContext must name a class or declaration by its URI");
}

struct status
saml_check_conditions(const struct verified_view *view, const struct security_rules *rules,
                      struct arena *arena, struct diag *diag)
{
    const xmlNode *conditions = NULL;
    const xmlNode *statement = xml_child(view->assertion, NS_SAML2, "AuthnStatement");
    TRY(xml_child_one(view->assertion, NS_SAML2, "Conditions", ERR_SAML_CONDITIONS, diag,
                      &conditions));
    TRY(check_window(conditions, rules, true, ERR_SAML_CONDITIONS, diag));
    TRY(check_audience(conditions, rules, arena, diag));
    if (statement == NULL) {
        return FAIL(diag, ERR_SAML_AUTHN, "the assertion has no AuthnStatement");
    }
    for (; statement != NULL; statement = xml_next_named(statement, NS_SAML2, "AuthnStatement")) {
        TRY(check_authn(statement, rules, arena, diag));
    }
    return OK;
}

/* ---- confirmation ---- */

static struct status
check_data(const xmlNode *data, const struct security_rules *rules, struct diag *diag)
{
    struct span recipient;
    TRY(check_window(data, rules, false, ERR_SAML_CONFIRMATION, diag));
    if (xml_attr(data, NULL, "Recipient", &recipient) && !is_ours(recipient, rules)) {
        return FAIL(diag, ERR_SAML_CONFIRMATION,
                    "the confirmation's Recipient is '%.*s', and not one of our addresses",
                    SPAN_PRINT(span_slice(recipient, 0, 200)));
    }
    return OK;
}

/* The registered keys that one holder-of-key confirmation names. */
static struct status
read_holder_of_key(const xmlNode *confirmation, const struct security_rules *rules,
                   struct diag *diag, uint32_t *ret_keys)
{
    const xmlNode *data = NULL;
    TRY(xml_child_one(confirmation, NS_SAML2, "SubjectConfirmationData", ERR_SAML_CONFIRMATION,
                      diag, &data));
    TRY(check_data(data, rules, diag));
    uint32_t named = 0;
    const xmlNode *key_info = xml_child(data, NS_DS, "KeyInfo");
    for (; key_info != NULL; key_info = xml_next_named(key_info, NS_DS, "KeyInfo")) {
        struct key_hint hint;
        struct diag why;
        diag_clear(&why);
        const struct status st = keyinfo_read(key_info, rules->keys, rules->keys_n, &why, &hint);
        if (!is_ok(st)) {
            return FAIL(diag, st.code == ERR_SIG_STRUCTURE ? ERR_SAML_CONFIRMATION : st.code,
                        "holder-of-key: %s", why.text);
        }
        named |= hint.is_given ? hint.keys : 0;
    }
    if (named == 0) {
        return FAIL(diag, ERR_SAML_CONFIRMATION,
                    "line %ld: the holder-of-key confirmation names no key that is registered for "
                    "this partner",
                    xmlGetLineNo(confirmation));
    }
    *ret_keys = named;
    return OK;
}

static struct status
check_bearer(const xmlNode *subject, const struct security_rules *rules, struct diag *diag)
{
    const xmlNode *confirmation = xml_child(subject, NS_SAML2, "SubjectConfirmation");
    bool is_bearer = false;
    for (; confirmation != NULL;
         confirmation = xml_next_named(confirmation, NS_SAML2, "SubjectConfirmation")) {
        if (span_eq(xml_attr_text(confirmation, "Method"), SPAN(SAML_BEARER))) {
            const xmlNode *data = NULL;
            TRY(xml_child_optional(confirmation, NS_SAML2, "SubjectConfirmationData",
                                   ERR_SAML_CONFIRMATION, diag, &data));
            TRY(check_data(data, rules, diag));
            is_bearer = true;
        }
    }
    if (!is_bearer || !rules->may_use_bearer) {
        return FAIL(diag, ERR_SAML_CONFIRMATION,
                    "holder-of-key is required%s, and the assertion has no such confirmation",
                    rules->may_use_bearer ? " (or bearer)" : " of this partner");
    }
    return OK;
}

struct status
saml_check_confirmation(const struct verified_view *view, const struct security_rules *rules,
                        struct diag *diag, bool *ret_is_holder_of_key, uint32_t *ret_keys)
{
    const xmlNode *subject = NULL;
    uint32_t keys = 0;
    TRY(xml_child_one(view->assertion, NS_SAML2, "Subject", ERR_SAML_SUBJECT, diag, &subject));
    const xmlNode *confirmation = xml_child(subject, NS_SAML2, "SubjectConfirmation");
    for (; confirmation != NULL;
         confirmation = xml_next_named(confirmation, NS_SAML2, "SubjectConfirmation")) {
        if (span_eq(xml_attr_text(confirmation, "Method"), SPAN(SAML_HOLDER_OF_KEY))) {
            uint32_t named = 0;
            TRY(read_holder_of_key(confirmation, rules, diag, &named));
            keys |= named;
        }
    }
    if (keys == 0) {
        TRY(check_bearer(subject, rules, diag));
    }
    *ret_is_holder_of_key = keys != 0;
    *ret_keys = keys;
    return OK;
}
