/*
 * Resolves the content of a Document element. Called by xca_retrieve.c on the thread that owns the
 * message. What is in memory is copied once, out of the message's body, because the answer outlives
 * it; what is in a file shares it.
 */
#include "soap/xop.h"

#include "base/digest.h"
#include "soap/regrep.h"

static struct status
use_once(const struct mime_part *part, struct arena *arena, struct diag *diag,
         struct xop_used_list *used)
{
    for (size_t i = 0; i < used->n; i++) {
        if (used->items[i] == part) {
            return FAIL(diag, ERR_XOP, "two Documents name the part '%.*s'; expected one",
                        SPAN_PRINT(span_slice(part->content_id, 0, 100)));
        }
    }
    return ARENA_PUSH(arena, diag, used, part);
}

static struct status
read_include(const struct message *message, const xmlNode *document, const xmlNode *include,
             struct arena *arena, struct diag *diag, struct xop_used_list *used,
             struct body *ret_body)
{
    const struct mime_part *part = NULL;
    struct span inner = SPAN_EMPTY;
    if (!xml_is(include, NS_XOP, "Include") || xml_next(include) != NULL ||
        !xml_has_element_content(document)) {
        return FAIL(diag, ERR_XOP, "Document holds <%.*s> or more; expected one xop:Include",
                    SPAN_PRINT(xml_local_name(include)));
    }
    if (xml_first(include) == NULL) {
        TRY(xml_text(include, ERR_XOP, arena, diag, &inner));
    }
    if (xml_first(include) != NULL || !xml_is_blank(inner)) {
        return FAIL(diag, ERR_XOP, "xop:Include is not empty");
    }
    TRY(message_part_by_href(message, xml_attr_text(include, "href"), arena, diag, &part));
    TRY(use_once(part, arena, diag, used));
    return body_slice(&message->source, part->offset, part->size, diag, ret_body);
}

static struct status
read_inline(const struct message *message, const xmlNode *document, enum err code,
            struct arena *arena, struct diag *diag, struct body *ret_body)
{
    struct span text = SPAN_EMPTY;
    struct buf bytes;
    TRY(xml_text(document, code, arena, diag, &text));
    const struct body *const moved = inline_documents_find(&message->inlines, text);
    if (moved != NULL) {
        return body_slice(moved, 0, moved->size, diag, ret_body);
    }
    buf_init_secret(&bytes, text.n);
    struct diag why;
    diag_clear(&why);
    const struct status st = base64_decode(text, &bytes, &why);
    if (!is_ok(st)) {
        buf_done(&bytes);
        return FAIL(diag, st.code == ERR_MESSAGE_CONTENT ? code : st.code, "Document: %s",
                    why.text);
    }
    body_from_buf(ret_body, &bytes);
    return OK;
}

struct status
xop_read(const struct message *message, const xmlNode *document, enum err code, struct arena *arena,
         struct diag *diag, struct xop_used_list *used, struct body *ret_body)
{
    const xmlNode *include = xml_first(document);
    return include != NULL ? read_include(message, document, include, arena, diag, used, ret_body)
                           : read_inline(message, document, code, arena, diag, ret_body);
}
