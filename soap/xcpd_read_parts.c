/*
 * Reads the HL7 V3 pieces that the XCPD question and answer share. Called by xcpd_query_read.c and
 * xcpd_answer_read.c; any thread; facts are copied to the reader's arena. Lenient where partners
 * differ and nothing is lost: prefixes, the order of parts, nullFlavor for "absent", several
 * family parts, street names instead of address lines.
 */
#include <string.h>

#include "base/datetime.h"
#include "base/ids.h"
#include "soap/xcpd_parts.h"

const xmlNode *
xcpd_child(const xmlNode *parent, const char *name)
{
    return xml_child(parent, NS_HL7, name);
}

const xmlNode *
xcpd_next(const xmlNode *node, const char *name)
{
    return xml_next_named(node, NS_HL7, name);
}

struct status
xcpd_child_optional(const struct xcpd_reader *reader, const xmlNode *parent, const char *name,
                    const xmlNode **ret_child)
{
    return xml_child_optional(parent, NS_HL7, name, reader->code, reader->diag, ret_child);
}

struct status
xcpd_child_one(const struct xcpd_reader *reader, const xmlNode *parent, const char *name,
               const xmlNode **ret_child)
{
    return xml_child_one(parent, NS_HL7, name, reader->code, reader->diag, ret_child);
}

struct span
xcpd_attr(const xmlNode *node, const char *name)
{
    if (node == NULL || xml_attr_text(node, "nullFlavor").n > 0) {
        return SPAN_EMPTY;
    }
    return span_trim(xml_attr_text(node, name));
}

/* A copy in the arena; the empty span stays empty. */
static struct status
keep(const struct xcpd_reader *reader, struct span text, struct span *ret_copy)
{
    if (text.n == 0) {
        *ret_copy = SPAN_EMPTY;
        return OK;
    }
    return arena_dup(reader->arena, text, reader->diag, ret_copy);
}

struct status
xcpd_read_ident(const struct xcpd_reader *reader, const xmlNode *node, struct ident *ret_id)
{
    struct ident id = {.root = SPAN_EMPTY};
    TRY(keep(reader, xcpd_attr(node, "root"), &id.root));
    TRY(keep(reader, xcpd_attr(node, "extension"), &id.extension));
    TRY(keep(reader, xcpd_attr(node, "assigningAuthorityName"), &id.authority));
    *ret_id = id;
    return OK;
}

struct status
xcpd_add_ident(const struct xcpd_reader *reader, const xmlNode *node, struct ident_list *ids)
{
    struct ident id;
    TRY(xcpd_read_ident(reader, node, &id));
    return id.root.n == 0 ? OK : ARENA_PUSH(reader->arena, reader->diag, ids, id);
}

/* Text of a name or address part, trimmed; empty when it is null. */
static struct status
read_part(const struct xcpd_reader *reader, const xmlNode *node, struct span *ret_text)
{
    struct span text = SPAN_EMPTY;
    if (xml_attr_text(node, "nullFlavor").n == 0) {
        TRY(xml_text_trimmed(node, reader->code, reader->arena, reader->diag, &text));
    }
    return keep(reader, text, ret_text);
}

/* Further parts of one kind are joined by one space. */
static struct status
join_part(const struct xcpd_reader *reader, struct span text, struct span *joined)
{
    if (text.n == 0 || joined->n == 0) {
        *joined = text.n == 0 ? *joined : text;
        return OK;
    }
    return arena_printf(reader->arena, reader->diag, joined, "%.*s %.*s", SPAN_PRINT(*joined),
                        SPAN_PRINT(text));
}

static struct status
add_text(const struct xcpd_reader *reader, struct span text, struct span_list *list)
{
    return text.n == 0 ? OK : ARENA_PUSH(reader->arena, reader->diag, list, text);
}

static struct status
read_name_part(const struct xcpd_reader *reader, const xmlNode *part, struct person_name *name)
{
    struct span text;
    struct span *single = NULL;
    if (xml_is(part, NS_HL7, "family")) {
        single = &name->family;
    } else if (xml_is(part, NS_HL7, "prefix")) {
        single = &name->prefix;
    } else if (xml_is(part, NS_HL7, "suffix")) {
        single = &name->suffix;
    } else if (!xml_is(part, NS_HL7, "given")) {
        return OK;
    }
    TRY(read_part(reader, part, &text));
    return single == NULL ? add_text(reader, text, &name->given) : join_part(reader, text, single);
}

struct status
xcpd_add_name(const struct xcpd_reader *reader, const xmlNode *node, struct name_list *names)
{
    struct person_name name = {.family = SPAN_EMPTY};
    if (xml_attr_text(node, "nullFlavor").n > 0) {
        return OK;
    }
    TRY(keep(reader, xcpd_attr(node, "use"), &name.use));
    for (const xmlNode *part = xml_first(node); part != NULL; part = xml_next(part)) {
        TRY(read_name_part(reader, part, &name));
    }
    return xcpd_name_is_usable(&name) ? ARENA_PUSH(reader->arena, reader->diag, names, name) : OK;
}

static struct status
read_address_part(const struct xcpd_reader *reader, const xmlNode *part, struct address *address)
{
    static const char *const street_parts[] = {"streetAddressLine", "streetName", "houseNumber"};
    struct span text;
    TRY(read_part(reader, part, &text));
    for (size_t i = 0; i < ARRAY_LEN(street_parts); i++) {
        if (xml_is(part, NS_HL7, street_parts[i])) {
            return add_text(reader, text, &address->street);
        }
    }
    if (xml_is(part, NS_HL7, "city")) {
        return join_part(reader, text, &address->city);
    }
    if (xml_is(part, NS_HL7, "state")) {
        return join_part(reader, text, &address->state);
    }
    if (xml_is(part, NS_HL7, "postalCode")) {
        return join_part(reader, text, &address->postal_code);
    }
    if (xml_is(part, NS_HL7, "country")) {
        return join_part(reader, text, &address->country);
    }
    return OK;
}

struct status
xcpd_add_address(const struct xcpd_reader *reader, const xmlNode *node,
                 struct address_list *addresses)
{
    struct address address = {.city = SPAN_EMPTY};
    if (xml_attr_text(node, "nullFlavor").n > 0) {
        return OK;
    }
    TRY(keep(reader, xcpd_attr(node, "use"), &address.use));
    for (const xmlNode *part = xml_first(node); part != NULL; part = xml_next(part)) {
        /* useablePeriod has elements of its own; the others hold text. */
        if (xml_first(part) == NULL) {
            TRY(read_address_part(reader, part, &address));
        }
    }
    const bool says_something = address.street.n > 0 || address.city.n > 0 || address.state.n > 0 ||
                                address.postal_code.n > 0 || address.country.n > 0;
    return says_something ? ARENA_PUSH(reader->arena, reader->diag, addresses, address) : OK;
}

struct status
xcpd_add_telecom(const struct xcpd_reader *reader, const xmlNode *node,
                 struct telecom_list *telecoms)
{
    struct telecom telecom = {.value = SPAN_EMPTY};
    TRY(keep(reader, xcpd_attr(node, "value"), &telecom.value));
    TRY(keep(reader, xcpd_attr(node, "use"), &telecom.use));
    return telecom.value.n == 0 ? OK : ARENA_PUSH(reader->arena, reader->diag, telecoms, telecom);
}

struct status
xcpd_read_birth_time(const struct xcpd_reader *reader, const xmlNode *node, struct span *ret_time)
{
    struct span time = xcpd_attr(node, "value");
    if (time.n == 0) {
        /* A range of days is a question about several people: not usable as a birth date. */
        const struct span low = xcpd_attr(xcpd_child(node, "low"), "value");
        const struct span high = xcpd_attr(xcpd_child(node, "high"), "value");
        const bool is_one_day =
            low.n >= 8 && high.n >= 8 && span_eq(span_slice(low, 0, 8), span_slice(high, 0, 8));
        time = is_one_day ? span_slice(low, 0, 8) : SPAN_EMPTY;
    }
    int64_t us = 0;
    if (time.n > 0 && !datetime_read_hl7(time, &us, NULL)) {
        if (!reader->is_lenient) {
            return FAIL(reader->diag, reader->code,
                        "a birth time of %zu bytes is not an HL7 time (YYYYMMDD[...])", time.n);
        }
        time = SPAN_EMPTY;
    }
    return keep(reader, time, ret_time);
}

struct span
xcpd_read_sex(const xmlNode *node)
{
    const struct span code = xcpd_attr(node, "code");
    if (span_eq_cstr(code, "M")) {
        return SPAN("M");
    }
    if (span_eq_cstr(code, "F")) {
        return SPAN("F");
    }
    return span_eq_cstr(code, "UN") ? SPAN("UN") : SPAN_EMPTY;
}

struct status
xcpd_read_home(const struct xcpd_reader *reader, const xmlNode *message, const char *party,
               struct span *ret_home)
{
    static const char *const path[] = {"device", "asAgent", "representedOrganization", "id"};
    const xmlNode *node = NULL;
    TRY(xcpd_child_optional(reader, message, party, &node));
    for (size_t i = 0; i < ARRAY_LEN(path) && node != NULL; i++) {
        TRY(xcpd_child_optional(reader, node, path[i], &node));
    }
    const struct span root = xcpd_attr(node, "root");
    struct span oid = SPAN_EMPTY;
    if (root.n > 0 && !home_community_oid(root, &oid)) {
        return FAIL(reader->diag, reader->code,
                    "%s/device/asAgent/representedOrganization/id@root is not an OID (%zu bytes)",
                    party, root.n);
    }
    return keep(reader, oid, ret_home);
}
