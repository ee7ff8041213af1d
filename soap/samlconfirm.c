/*
 * How the sender of a message proves that the assertion in it is about him (SAML core 2.4.1).
 * Called by security_verify, after the assertion's signature; reads the tree only.
 */
#include "soap/samlrules.h"

/* ---- the Subject ---- */

/* SAML core 2.4.1: NameID (encrypted ones and other ids cannot be read), then confirmations. */
/* REQ: ITI40-subject */
static struct status
check_subject(const xmlNode *subject, struct diag *diag)
{
    const xmlNode *child = xml_first(subject);
    if (!xml_has_element_content(subject) || !xml_is(child, NS_SAML2, "NameID")) {
        return FAIL(diag, ERR_SAML_SUBJECT, "line %ld: the Subject must begin with a NameID",
                    xmlGetLineNo(subject));
    }
    for (child = xml_next(child); child != NULL; child = xml_next(child)) {
        if (!xml_is(child, NS_SAML2, "SubjectConfirmation")) {
            return FAIL(diag, ERR_SAML_SUBJECT, "line %ld: <%.*s> is not accepted after the NameID",
                        xmlGetLineNo(child), SPAN_PRINT(span_slice(xml_local_name(child), 0, 60)));
        }
    }
    return OK;
}

/* SAML core 2.4.1.1: Method is required, of every confirmation. */
static struct status
check_methods(const xmlNode *subject, struct diag *diag)
{
    const xmlNode *confirmation = xml_child(subject, NS_SAML2, "SubjectConfirmation");
    for (; confirmation != NULL;
         confirmation = xml_next_named(confirmation, NS_SAML2, "SubjectConfirmation")) {
        if (span_find_char(xml_attr_text(confirmation, "Method"), ':') == SPAN_MISSING) {
            return FAIL(diag, ERR_SAML_CONFIRMATION,
                        "line %ld: the confirmation has no Method, or one that is no URI",
                        xmlGetLineNo(confirmation));
        }
    }
    return OK;
}

/* ---- SubjectConfirmationData ---- */

static struct status
check_recipient(const xmlNode *data, const struct security_rules *rules, struct diag *diag)
{
    struct span recipient;
    if (xml_attr(data, NULL, "Recipient", &recipient) && !saml_is_ours(recipient, rules)) {
        return FAIL(diag, ERR_SAML_CONFIRMATION,
                    "the confirmation's Recipient is '%.*s', and not one of our addresses",
                    SPAN_PRINT(span_slice(recipient, 0, 200)));
    }
    return OK;
}

static struct status
check_confirmation_data(const xmlNode *data, const struct security_rules *rules, struct diag *diag)
{
    struct saml_window window;
    TRY(saml_check_window(data, rules, ERR_SAML_CONFIRMATION, diag, &window));
    if (window.has_from && window.has_to) {
        TRY(saml_check_lifetime(data, window.from_us, window.to_us, rules, ERR_SAML_CONFIRMATION,
                                diag));
    }
    return check_recipient(data, rules, diag);
}

/* ---- the methods ---- */

/* The registered keys that one holder-of-key confirmation names. */
/* REQ: ITI40-holder-of-key */
static struct status
read_holder_of_key(const xmlNode *confirmation, const struct security_rules *rules,
                   struct diag *diag, uint32_t *ret_keys)
{
    const xmlNode *data = NULL;
    TRY(xml_child_one(confirmation, NS_SAML2, "SubjectConfirmationData", ERR_SAML_CONFIRMATION,
                      diag, &data));
    TRY(check_confirmation_data(data, rules, diag));
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

/* REQ: ITI40-bearer */
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
            TRY(check_confirmation_data(data, rules, diag));
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

/* The keys that all holder-of-key confirmations of the subject name together; none when there is no
 * such confirmation. */
static struct status
read_holders(const xmlNode *subject, const struct security_rules *rules, struct diag *diag,
             uint32_t *ret_keys)
{
    const xmlNode *confirmation = xml_child(subject, NS_SAML2, "SubjectConfirmation");
    uint32_t keys = 0;
    for (; confirmation != NULL;
         confirmation = xml_next_named(confirmation, NS_SAML2, "SubjectConfirmation")) {
        if (span_eq(xml_attr_text(confirmation, "Method"), SPAN(SAML_HOLDER_OF_KEY))) {
            uint32_t named = 0;
            TRY(read_holder_of_key(confirmation, rules, diag, &named));
            keys |= named;
        }
    }
    *ret_keys = keys;
    return OK;
}

struct status
saml_check_confirmation(const struct verified_view *view, const struct security_rules *rules,
                        struct diag *diag, bool *ret_is_holder_of_key, uint32_t *ret_keys)
{
    const xmlNode *subject = NULL;
    uint32_t keys = 0;
    TRY(xml_child_one(view->assertion, NS_SAML2, "Subject", ERR_SAML_SUBJECT, diag, &subject));
    TRY(check_subject(subject, diag));
    TRY(check_methods(subject, diag));
    TRY(read_holders(subject, rules, diag, &keys));
    if (keys == 0) {
        TRY(check_bearer(subject, rules, diag));
    }
    *ret_is_holder_of_key = keys != 0;
    *ret_keys = keys;
    return OK;
}
