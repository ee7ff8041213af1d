/*
 * Finds and reads attribute values. Called by saml.c for each fact, with nothing but verified
 * nodes; spans point into the tree or the arena.
 */
#include "soap/saml_attributes.h"

#include "base/ids.h"
#include "soap/namespaces.h"

#define VALUES_MAX 64 /* of one attribute: each is compared with those before */

struct status
saml_read_names(struct saml_reader *reader)
{
    struct saml_names *const names = &reader->names;
    const xmlNode *statement = xml_child(reader->assertion, NS_SAML2, "AttributeStatement");
    names->n = 0;
    for (; statement != NULL;
         statement = xml_next_named(statement, NS_SAML2, "AttributeStatement")) {
        const xmlNode *attribute = xml_child(statement, NS_SAML2, "Attribute");
        for (; attribute != NULL; attribute = xml_next_named(attribute, NS_SAML2, "Attribute")) {
            const struct saml_name name = {xml_attr_text(attribute, "Name"), attribute};
            TRY(ARENA_PUSH(reader->arena, reader->diag, names, name));
        }
    }
    return OK;
}

/* REQ: ITI40-repeated, ITI40-unknown-ignored */
const xmlNode *
saml_next_value(const struct saml_reader *reader, const char *name, const xmlNode *after)
{
    const struct saml_names *const names = &reader->names;
    const struct span wanted = span_of_cstr(name);
    const xmlNode *value = xml_next_named(after, NS_SAML2, "AttributeValue");
    size_t i = 0;
    if (after != NULL) {
        while (i < names->n && names->items[i].attribute != after->parent) {
            i++;
        }
        i++;
    }
    for (; value == NULL && i < names->n; i++) {
        if (span_eq(names->items[i].name, wanted)) {
            value = xml_child(names->items[i].attribute, NS_SAML2, "AttributeValue");
        }
    }
    return value;
}

struct status
saml_attribute_missing(const struct saml_reader *reader, const char *name)
{
    return FAIL(reader->diag, ERR_SAML_ATTRIBUTE, "the assertion lacks the attribute %s", name);
}

static bool
is_listed(const struct span_list *list, struct span text)
{
    for (size_t i = 0; i < list->n; i++) {
        if (span_eq(list->items[i], text)) {
            return true;
        }
    }
    return false;
}

struct status
saml_read_texts(const struct saml_reader *reader, const char *name, struct span_list *list)
{
    const xmlNode *value = NULL;
    while ((value = saml_next_value(reader, name, value)) != NULL) {
        struct span text;
        TRY(xml_text_trimmed(value, ERR_SAML_ATTRIBUTE, reader->arena, reader->diag, &text));
        if (text.n > 0 && !is_listed(list, text)) {
            if (list->n == VALUES_MAX) {
                return FAIL(reader->diag, ERR_SAML_ATTRIBUTE,
                            "the attribute %s has more than %d values that differ", name,
                            VALUES_MAX);
            }
            TRY(ARENA_PUSH(reader->arena, reader->diag, list, text));
        }
    }
    return OK;
}

struct status
saml_read_text(const struct saml_reader *reader, const char *name, enum saml_repeat repeat,
               struct span *ret_text)
{
    struct span_list list = {NULL, 0, 0};
    TRY(saml_read_texts(reader, name, &list));
    if (repeat == SAML_REPEAT_EQUAL && list.n > 1) {
        return FAIL(reader->diag, ERR_SAML_ATTRIBUTE,
                    "the attribute %s has several values that differ", name);
    }
    *ret_text = list.n > 0 ? list.items[0] : SPAN_EMPTY;
    return OK;
}

struct status
saml_read_required(const struct saml_reader *reader, const char *name, enum saml_repeat repeat,
                   enum dialect_relaxation relaxation, struct span *ret_text)
{
    TRY(saml_read_text(reader, name, repeat, ret_text));
    return ret_text->n > 0 || saml_may_omit(reader->relaxed, relaxation, reader->omitted)
               ? OK
               : saml_attribute_missing(reader, name);
}

/* xsi:type, when there is one, must be HL7's <type>. Only the local part: senders declare prefixes
 * that lead elsewhere, and the element's name has said what it is. */
static bool
has_type(const xmlNode *node, const char *type)
{
    struct span name;
    if (!xml_attr(node, NS_XSI, "type", &name)) {
        return true;
    }
    name = span_trim(name);
    const size_t colon = span_find_char(name, ':');
    return span_eq_cstr(colon == SPAN_MISSING ? name : span_slice(name, colon + 1, SIZE_MAX), type);
}

/* A value with a null flavour says that there is none. */
static bool
is_typed_value(const xmlNode *value, const xmlNode *typed, const char *type)
{
    struct span ignored;
    return typed != NULL && xml_next(typed) == NULL && xml_has_element_content(value) &&
           has_type(typed, type) && !xml_attr(typed, NULL, "nullFlavor", &ignored);
}

struct status
saml_read_code(const struct saml_reader *reader, const char *name, const xmlNode *value,
               const char *const elements[2], struct code *ret_code)
{
    const xmlNode *const coded = xml_first(value);
    const bool is_coded =
        (xml_is(coded, NS_HL7, elements[0]) || xml_is(coded, NS_HL7, elements[1])) &&
        is_typed_value(value, coded, "CE");
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

struct status
saml_read_ident(const struct saml_reader *reader, const char *name, const xmlNode *value,
                struct ident *ret_ident)
{
    const xmlNode *const id = xml_first(value);
    const struct ident ident = {
        .root = span_trim(xml_attr_text(id, "root")),
        .extension = span_trim(xml_attr_text(id, "extension")),
        .authority = span_trim(xml_attr_text(id, "assigningAuthorityName")),
    };
    if (!xml_is(id, NS_HL7, "id") || !is_typed_value(value, id, "II") ||
        !oid_is_valid(ident.root)) {
        return FAIL(reader->diag, ERR_SAML_ATTRIBUTE,
                    "the attribute %s must hold <id xmlns=\"%s\"> with an OID as root", name,
                    NS_HL7);
    }
    *ret_ident = ident;
    return OK;
}
