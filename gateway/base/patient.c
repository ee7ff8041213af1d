/*
 * Identifiers in their CX spelling and deep copies of patients. Called by the codecs, the merge and
 * the store; the thread that owns the arena. Texts of failures never hold an identifier of a
 * person.
 */
#include "base/patient.h"

#include <string.h>

#include "base/ids.h"

/* HL7 v2 delimiters and its escape character: an id that holds one cannot be spelled in CX here. */
static bool
has_delimiter(struct span text)
{
    static const char delimiters[] = "|^~\\&";
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7F ||
            span_find_char(SPAN(delimiters), text.p[i]) != SPAN_MISSING) {
            return true;
        }
    }
    return false;
}

struct status
ident_write_cx(struct arena *arena, const struct ident *id, struct diag *diag, struct span *ret_cx)
{
    if (id->extension.n == 0 || has_delimiter(id->extension)) {
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "an id for CX must have an extension without HL7 delimiters (| ^ ~ \\ &) and "
                    "control characters; this one has %zu bytes",
                    id->extension.n);
    }
    if (!oid_is_valid(id->root)) {
        return FAIL(diag, ERR_MESSAGE_CONTENT, "an id for CX must have an OID as its root");
    }
    return arena_printf(arena, diag, ret_cx, "%.*s^^^&%.*s&ISO", SPAN_PRINT(id->extension),
                        SPAN_PRINT(id->root));
}

/* The <n>-th part (from 0), empty when there are fewer. */
static struct span
part_of(struct span text, char separator, size_t n)
{
    struct span part = SPAN_EMPTY;
    for (size_t i = 0; i <= n; i++) {
        if (!span_split(&text, separator, &part)) {
            return SPAN_EMPTY;
        }
    }
    return part;
}

struct status
ident_read_cx(struct span cx, struct diag *diag, struct ident *ret_id)
{
    const struct span extension = part_of(cx, '^', 0);
    const struct span authority = part_of(cx, '^', 3);
    const struct span root = part_of(authority, '&', 1);
    const struct span type = part_of(authority, '&', 2);
    if (span_find_char(cx, '~') != SPAN_MISSING) {
        return FAIL(diag, ERR_MESSAGE_CONTENT, "one CX (id^^^&OID&ISO) expected, but it repeats");
    }
    if (extension.n == 0 || has_delimiter(extension)) {
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "CX (id^^^&OID&ISO) must start with an id without HL7 delimiters and escapes");
    }
    if (!span_eq(type, SPAN("ISO")) || !oid_is_valid(root)) {
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "the assigning authority of CX (id^^^&OID&ISO) must be an OID of type ISO");
    }
    *ret_id = (struct ident){root, extension, part_of(authority, '&', 0)};
    return OK;
}

bool
ident_eq(const struct ident *a, const struct ident *b)
{
    return span_eq(a->root, b->root) && span_eq(a->extension, b->extension);
}

bool
ident_list_has(const struct ident_list *ids, const struct ident *id)
{
    for (size_t i = 0; i < ids->n; i++) {
        if (ident_eq(&ids->items[i], id)) {
            return true;
        }
    }
    return false;
}
