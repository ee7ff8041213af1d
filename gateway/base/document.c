/*
 * The rules of documentUniqueId. Called by whoever reads a document's own id or is told one; any
 * thread.
 */
#include "base/document.h"

#include "base/ids.h"
#include "base/text.h"

#define UNIQUE_ID_BYTES     128
#define UNIQUE_ID_EXTENSION 16 /* characters, not bytes */

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
