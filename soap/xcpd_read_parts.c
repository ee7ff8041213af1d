/*
 * Reads the HL7 V3 pieces that the XCPD question and answer share. Called by the readers of ITI-55,
 * 47 and 45; any thread; facts are copied to the reader's arena. Lenient where partners differ and
 * nothing is lost: prefixes, the order of parts, nullFlavor for "absent", several family parts,
 * street names instead of address lines.
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

struct status
xcpd_keep(const struct xcpd_reader *reader, struct span text, struct span *ret_copy)
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
    TRY(xcpd_keep(reader, xcpd_attr(node, "root"), &id.root));
    TRY(xcpd_keep(reader, xcpd_attr(node, "extension"), &id.extension));
    TRY(xcpd_keep(reader, xcpd_attr(node, "assigningAuthorityName"), &id.authority));
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

struct status
xcpd_read_part(const struct xcpd_reader *reader, const xmlNode *node, struct span *ret_text)
{
    struct span text = SPAN_EMPTY;
    if (xml_attr_text(node, "nullFlavor").n == 0) {
        TRY(xml_text_trimmed(node, reader->code, reader->arena, reader->diag, &text));
    }
    return xcpd_keep(reader, text, ret_text);
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
    TRY(xcpd_read_part(reader, part, &text));
    return single == NULL ? add_text(reader, text, &name->given) : join_part(reader, text, single);
}

struct status
xcpd_add_name(const struct xcpd_reader *reader, const xmlNode *node, struct name_list *names)
{
    struct person_name name = {.family = SPAN_EMPTY};
    if (xml_attr_text(node, "nullFlavor").n > 0) {
        return OK;
    }
    TRY(xcpd_keep(reader, xcpd_attr(node, "use"), &name.use));
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
    TRY(xcpd_read_part(reader, part, &text));
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
    TRY(xcpd_keep(reader, xcpd_attr(node, "use"), &address.use));
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
    TRY(xcpd_keep(reader, xcpd_attr(node, "value"), &telecom.value));
    TRY(xcpd_keep(reader, xcpd_attr(node, "use"), &telecom.use));
    return telecom.value.n == 0 ? OK : ARENA_PUSH(reader->arena, reader->diag, telecoms, telecom);
}

struct status
xcpd_read_code(const struct xcpd_reader *reader, const xmlNode *node, struct code *ret_code)
{
    struct code code = {.value = SPAN_EMPTY};
    TRY(xcpd_keep(reader, xcpd_attr(node, "code"), &code.value));
    if (code.value.n > 0) {
        TRY(xcpd_keep(reader, xcpd_attr(node, "codeSystem"), &code.scheme));
        TRY(xcpd_keep(reader, xcpd_attr(node, "displayName"), &code.display));
    }
    *ret_code = code;
    return OK;
}

bool
xcpd_read_number(const xmlNode *node, unsigned *ret_number)
{
    uint64_t number = 0;
    if (!span_to_u64(xcpd_attr(node, "value"), 1000000, &number)) {
        return false;
    }
    *ret_number = (unsigned)number;
    return true;
}

/* ---- times ---- */

struct status
xcpd_read_time(const struct xcpd_reader *reader, const xmlNode *node, struct span *ret_time)
{
    struct span time = xcpd_attr(node, "value");
    int64_t us = 0;
    if (time.n > 0 && !datetime_read_hl7(time, &us, NULL)) {
        if (!reader->is_lenient) {
            return FAIL(reader->diag, reader->code,
                        "<%.*s>: a time of %zu bytes is not an HL7 time (YYYYMMDD[...])",
                        SPAN_PRINT(span_slice(xml_local_name(node), 0, 40)), time.n);
        }
        time = SPAN_EMPTY;
    }
    return xcpd_keep(reader, time, ret_time);
}

/* As far as both say it, at most to the day: digits compare as the times do. */
static bool
is_after(struct span a, struct span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    n = n < 8 ? n : 8;
    return span_compare(span_slice(a, 0, n), span_slice(b, 0, n)) > 0;
}

static bool
is_one_day(const struct time_range *range)
{
    return range->low.n >= 8 && range->high.n >= 8 && !range->is_low_excluded &&
           !range->is_high_excluded &&
           span_eq(span_slice(range->low, 0, 8), span_slice(range->high, 0, 8));
}

static struct status
read_range(const struct xcpd_reader *reader, const xmlNode *node, struct time_range *range)
{
    const xmlNode *const low = xcpd_child(node, "low");
    const xmlNode *const high = xcpd_child(node, "high");
    if (xcpd_child(node, "width") != NULL) {
        return FAIL(reader->diag, reader->code,
                    "a birth time is given by its width; expected a value, or low and high");
    }
    TRY(xcpd_read_time(reader, low, &range->low));
    TRY(xcpd_read_time(reader, high, &range->high));
    range->is_low_excluded = span_eq_cstr(xcpd_attr(low, "inclusive"), "false");
    range->is_high_excluded = span_eq_cstr(xcpd_attr(high, "inclusive"), "false");
    if (range->low.n > 0 && range->high.n > 0 && is_after(range->low, range->high)) {
        return FAIL(reader->diag, reader->code,
                    "a birth time's high end lies before its low end; expected low before high");
    }
    return OK;
}

/* REQ: ITI55-query-birth-time */
struct status
xcpd_read_birth(const struct xcpd_reader *reader, const xmlNode *node, struct patient *subject)
{
    struct time_range range = {.low = SPAN_EMPTY};
    struct span time = SPAN_EMPTY;
    if (node == NULL || xml_attr_text(node, "nullFlavor").n > 0) {
        return OK;
    }
    TRY(xcpd_read_time(reader, node, &time));
    if (time.n == 0) {
        TRY(read_range(reader, node, &range));
    }
    if (time.n == 0 && range.low.n == 0 && range.high.n == 0) {
        TRY(xcpd_read_time(reader, xcpd_child(node, "center"), &time));
    }
    if (is_one_day(&range)) {
        time = span_slice(range.low, 0, 8);
        range = (struct time_range){.low = SPAN_EMPTY};
    }
    subject->birth_time = time;
    subject->birth_range = range;
    return OK;
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
