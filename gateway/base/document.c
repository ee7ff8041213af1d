/*
 * The rules of documentUniqueId. Called by whoever reads a document's own id or is told one; any
 * thread.
 */
#include "base/document.h"

#include <ctype.h>

#include "base/ids.h"
#include "base/text.h"

#define UNIQUE_ID_BYTES     128
#define UNIQUE_ID_EXTENSION 16 /* characters, not bytes */
#define URN_UUID            "urn:uuid:"

/* REQ: META-unique-id */
bool
document_unique_id_is_legal(struct span unique_id)
{
    struct span rest = unique_id;
    struct span root;
    size_t characters = 0;

    if (unique_id.n > UNIQUE_ID_BYTES || !span_split(&rest, '^', &root) || !oid_is_valid(root)) {
        return false;
    }
    if (root.n == unique_id.n) {
        return true; /* the OID alone */
    }
    if (rest.n == 0 || !text_is_utf8(rest) || span_trim(rest).n != rest.n) {
        return false;
    }
    for (size_t i = 0; i < rest.n; i++) {
        const unsigned char c = (unsigned char)rest.p[i];

        if (c < 0x20 || c == 0x7F || c == '^') {
            return false;
        }
        characters += (c & 0xC0U) != 0x80U ? 1 : 0; /* bytes 10xxxxxx continue a character */
    }
    return characters <= UNIQUE_ID_EXTENSION;
}

bool
document_ref_eq(const struct document_ref *a, const struct document_ref *b)
{
    return span_eq(a->unique_id, b->unique_id) && span_eq(a->repository, b->repository) &&
           span_eq(a->home, b->home);
}

bool
document_ref_is_among(const struct document_ref *ref, const struct document_ref_list *refs)
{
    for (size_t i = 0; i < refs->n; i++) {
        if (document_ref_eq(&refs->items[i], ref)) {
            return true;
        }
    }
    return false;
}

struct status
document_id_with_urn(struct span unique_id, struct arena *arena, struct diag *diag,
                     struct span *ret_id)
{
    char lower[UUID_TEXT];

    if (!uuid_is_valid(unique_id) || unique_id.n >= sizeof(lower)) {
        *ret_id = unique_id;
        return OK;
    }
    for (size_t i = 0; i < unique_id.n; i++) {
        lower[i] = (char)tolower((unsigned char)unique_id.p[i]);
    }
    return arena_printf(arena, diag, ret_id, URN_UUID "%.*s", (int)unique_id.n, lower);
}

struct span
document_id_without_urn(struct span unique_id)
{
    const size_t n = sizeof(URN_UUID) - 1;
    const struct span rest = span_slice(unique_id, n, unique_id.n);

    return span_starts_with(unique_id, SPAN(URN_UUID)) && uuid_is_valid(rest) ? rest : unique_id;
}
