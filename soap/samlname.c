/*
 * Syntax of names in assertions. Called by saml.c. A value that does not have the syntax of its
 * format is not a name that policies or audit records could rely on.
 */
#include "soap/samlname.h"

#include <string.h>

#define FORMAT_11 "urn:oasis:names:tc:SAML:1.1:nameid-format:"
#define FORMAT_20 "urn:oasis:names:tc:SAML:2.0:nameid-format:"

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- distinguished names (RFC 2253 section 3) ---- */

/* attributeType: a keyword or an OID. */
static bool
take_type(struct span *in)
{
    size_t n = 0;
    while (n < in->n &&
           (is_letter(in->p[n]) || is_digit(in->p[n]) || in->p[n] == '-' || in->p[n] == '.')) {
        n++;
    }
    struct span type;
    (void)span_take(in, n, &type);
    return n > 0 && (is_letter(type.p[0]) || is_digit(type.p[0]));
}

/* Up to an unescaped separator. Quoted strings and backslash escapes as the RFC has them. */
static bool
take_dn_value(struct span *in)
{
    bool is_quoted = false;
    size_t n = 0;
    for (; n < in->n; n++) {
        const char c = in->p[n];
        if (c == '\\') {
            if (n + 1 == in->n) {
                return false;
            }
            n++;
        } else if (c == '"') {
            is_quoted = !is_quoted;
        } else if (!is_quoted && strchr(",+;", c) != NULL) {
            break;
        } else if (!is_quoted && (c == '<' || c == '>')) {
            return false;
        }
    }
    struct span value;
    (void)span_take(in, n, &value);
    return !is_quoted && span_trim(value).n > 0;
}

/* RFC 2253 string of a distinguished name, with at least one attribute. */
static bool
is_dn(struct span text)
{
    struct span in = span_trim(text);
    for (;;) {
        struct span part;
        in = span_trim(in);
        if (!take_type(&in)) {
            return false;
        }
        in = span_trim(in);
        if (!span_take(&in, 1, &part) || part.p[0] != '=' || !take_dn_value(&in)) {
            return false;
        }
        if (!span_take(&in, 1, &part)) {
            return true;
        }
    }
}

/* ---- the others ---- */

/* local@domain (RFC 5322 addr-spec without comments and quotes). */
static bool
is_email(struct span text)
{
    const size_t at = span_find_char(text, '@');
    if (at == SPAN_MISSING || at == 0 || at + 1 == text.n ||
        span_find_char(span_slice(text, at + 1, SIZE_MAX), '@') != SPAN_MISSING) {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] <= ' ' || strchr("<>()[],;:\\\"", text.p[i]) != NULL) {
            return false;
        }
    }
    return true;
}

/* DOMAIN\user; the domain may be left out (SAML core 8.3.4). */
static bool
is_windows(struct span text)
{
    const size_t slash = span_find_char(text, '\\');
    const struct span user = slash == SPAN_MISSING ? text : span_slice(text, slash + 1, SIZE_MAX);
    return user.n > 0 && slash != 0 && span_find_char(user, '\\') == SPAN_MISSING;
}

static bool
is_any(struct span text)
{
    return text.n > 0;
}

/* An entity is a URI of at most 1024 characters (SAML core 8.3.6). */
static bool
is_entity(struct span text)
{
    return text.n > 0 && text.n <= 1024 && span_find_char(text, ':') != SPAN_MISSING;
}

static const struct format {
    const char *uri;
    bool (*is_valid)(struct span value);
    unsigned uses; /* bits of enum saml_name_use */
    bool may_be_qualified;
} formats[] = {
    {SAML_X509_SUBJECT, is_dn, 7U, true},
    {FORMAT_11 "emailAddress", is_email, 7U, true},
    {FORMAT_11 "WindowsDomainQualifiedName", is_windows, 7U, true},
    {FORMAT_20 "entity", is_entity, 1U << SAML_NAME_ISSUER, false},
    {FORMAT_20 "persistent", is_any, 1U << SAML_NAME_BEARER, true},
    {FORMAT_20 "transient", is_any, 1U << SAML_NAME_BEARER, true},
    {FORMAT_11 "unspecified", is_any, 1U << SAML_NAME_BEARER, true},
};

static bool
is_qualified(const xmlNode *node)
{
    struct span ignored;
    return xml_attr(node, NULL, "NameQualifier", &ignored) ||
           xml_attr(node, NULL, "SPNameQualifier", &ignored) ||
           xml_attr(node, NULL, "SPProvidedID", &ignored);
}

static const struct format *
find_format(struct span uri, enum saml_name_use use)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (span_eq_cstr(uri, formats[i].uri) && (formats[i].uses & (1U << use)) != 0) {
            return &formats[i];
        }
    }
    return NULL;
}

static bool
has_syntax(const struct saml_reader *reader, const struct format *format, struct span value)
{
    return format->is_valid(value) ||
           (value.n > 0 && saml_may_omit(reader->relaxed, RELAX_NAME_SYNTAX, reader->omitted));
}

struct status
saml_name_check(const struct saml_reader *reader, const xmlNode *node, struct span value,
                enum saml_name_use use, enum err code)
{
    struct span uri = SPAN(FORMAT_11 "unspecified");
    const bool has_format = xml_attr(node, NULL, "Format", &uri);
    const struct format *const format = find_format(uri, use);
    if (!has_format && use == SAML_NAME_ISSUER && value.n > 0 &&
        saml_may_omit(reader->relaxed, RELAX_ISSUER_FORMAT, reader->omitted)) {
        return OK;
    }
    if (format == NULL || !has_syntax(reader, format, value) ||
        (!format->may_be_qualified && is_qualified(node))) {
        return FAIL(reader->diag, code,
                    "<%s>: its Format '%.*s' is not accepted here, or its value is not of that "
                    "format",
                    (const char *)node->name, SPAN_PRINT(span_slice(uri, 0, 80)));
    }
    return OK;
}
