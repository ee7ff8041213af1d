/*
 * The forms of a token reference that partners send, and no other: whoever follows a reference that
 * we do not understand might verify with another token than we. Called by security.c; owns nothing.
 */
#include "soap/tokenref.h"

#define SAML_PROFILE "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#"
#define X509_PROFILE                                                                               \
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#"
#define WSS11_PROFILE "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#"

static struct status
bad_reference(struct diag *diag, const xmlNode *at, const char *what)
{
    return FAIL(diag, ERR_SIG_STRUCTURE, "line %ld, <%.*s>: %s", xmlGetLineNo(at),
                SPAN_PRINT(span_slice(xml_local_name(at), 0, 60)), what);
}

static struct status
other_token(struct diag *diag, const xmlNode *at)
{
    return FAIL(diag, ERR_SIG_REFERENCE,
                "line %ld: the message's signature names another token than the assertion that is "
                "there",
                xmlGetLineNo(at));
}

static struct span
without_hash(struct span uri)
{
    return uri.n > 0 && uri.p[0] == '#' ? span_slice(uri, 1, SIZE_MAX) : uri;
}

/* wsse11:TokenType says what the reference leads to, and only SAML 2.0 does. */
static struct status
check_token_type(const xmlNode *reference, struct diag *diag)
{
    struct span type;
    if (xml_attr(reference, NS_WSSE11, "TokenType", &type) &&
        !span_eq(span_trim(type), SPAN(SAML_PROFILE "SAMLV2.0"))) {
        return other_token(diag, reference);
    }
    return OK;
}

static struct status
check_identifier(const xmlNode *reference, const xmlNode *identifier, const xmlNode *assertion,
                 struct arena *arena, struct diag *diag)
{
    static const char *const x509[] = {X509_PROFILE "X509v3",
                                       X509_PROFILE "X509SubjectKeyIdentifier",
                                       WSS11_PROFILE "ThumbprintSHA1"};
    const struct span type = span_trim(xml_attr_text(identifier, "ValueType"));
    struct span id;
    for (size_t i = 0; i < ARRAY_LEN(x509); i++) {
        if (span_eq_cstr(type, x509[i])) {
            return OK;
        }
    }
    if (!span_eq(type, SPAN(SAML_PROFILE "SAMLID"))) {
        return bad_reference(diag, identifier, "its ValueType is not accepted");
    }
    TRY(check_token_type(reference, diag));
    TRY(xml_text_trimmed(identifier, ERR_SIG_REFERENCE, arena, diag, &id));
    return span_eq(without_hash(id), xml_attr_text(assertion, "ID"))
               ? OK
               : other_token(diag, identifier);
}

static struct status
check_direct(const xmlNode *reference, const xmlNode *direct, const xmlNode *assertion,
             const xmlNode *token, struct diag *diag)
{
    const struct span uri = xml_attr_text(direct, "URI");
    const struct span type = span_trim(xml_attr_text(direct, "ValueType"));
    struct span id = SPAN_EMPTY;
    if (uri.n < 2 || uri.p[0] != '#') {
        return other_token(diag, direct);
    }
    if (token != NULL && xml_attr(token, NS_WSU, "Id", &id) && span_eq(without_hash(uri), id)) {
        return OK;
    }
    if (!span_eq(without_hash(uri), xml_attr_text(assertion, "ID")) ||
        (type.n > 0 && !span_eq(type, SPAN(SAML_PROFILE "SAMLV2.0")))) {
        return other_token(diag, direct);
    }
    return check_token_type(reference, diag);
}

struct status
tokenref_check(const xmlNode *signature, const xmlNode *assertion, const xmlNode *token,
               struct arena *arena, struct diag *diag)
{
    const xmlNode *const key_info = xml_child(signature, NS_DS, "KeyInfo");
    const xmlNode *const reference = xml_child(key_info, NS_WSSE, "SecurityTokenReference");
    const xmlNode *const child = xml_first(reference);
    if (reference == NULL) {
        return OK;
    }
    if (xml_count(key_info, NS_WSSE, "SecurityTokenReference") != 1) {
        return bad_reference(diag, key_info, "two SecurityTokenReferences");
    }
    if (child == NULL || xml_next(child) != NULL || !xml_has_element_content(reference)) {
        return bad_reference(diag, reference, "must hold exactly one element");
    }
    if (xml_is(child, NS_WSSE, "KeyIdentifier")) {
        return check_identifier(reference, child, assertion, arena, diag);
    }
    if (xml_is(child, NS_WSSE, "Reference")) {
        return check_direct(reference, child, assertion, token, diag);
    }
    /* Issuer and serial number: names nothing here. Embedded would bring a second token. */
    return xml_is(child, NS_DS, "X509Data")
               ? OK
               : bad_reference(diag, child, "this form is not accepted");
}
