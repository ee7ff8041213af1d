/*
 * Packs an envelope and its attachments as MTOM: multipart/related with application/xop+xml as its
 * root (SOAP MTOM 1.0 section 3; XOP section 4; ITI TF-2 3.43.5.1). Called by whoever sends ITI-39;
 * any thread; bytes are copied into the caller's buffer. The boundary and the root's Content-ID
 * hold a fresh UUID each, so no document can contain them.
 */
#include <stdio.h>

#include "base/ids.h"
#include "soap/envelope.h"

#define CONTENT_TYPE_MAX 512
#define DEFAULT_TYPE     "application/octet-stream"

/* Printable ASCII: a value from the store or a peer must never end a header line. */
static bool
is_header_text(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < ' ' || text.p[i] > '~') {
            return false;
        }
    }
    return text.n > 0;
}

/* The same without what would end or escape a quoted string or a Content-ID. */
static bool
is_quotable(struct span text)
{
    return is_header_text(text) && span_find_char(text, '"') == SPAN_MISSING &&
           span_find_char(text, '\\') == SPAN_MISSING &&
           span_find_char(text, '<') == SPAN_MISSING && span_find_char(text, '>') == SPAN_MISSING;
}

static struct status
append_body(const struct body *body, struct buf *out, struct diag *diag)
{
    uint64_t offset = 0;
    while (offset < body->size) {
        char *room = NULL;
        const uint64_t rest = body->size - offset;
        const size_t step = rest < 65536 ? (size_t)rest : 65536;
        size_t got = 0;
        TRY(buf_reserve(out, step, diag, &room));
        TRY(body_read(body, offset, room, step, diag, &got));
        if (got == 0) {
            return FAIL(diag, ERR_IO, "a document ended after %llu of %llu bytes",
                        (unsigned long long)offset, (unsigned long long)body->size);
        }
        out->n += got;
        offset += got;
    }
    return OK;
}

static struct status
append_part(const struct mtom_part *part, const char *boundary, struct buf *out, struct diag *diag)
{
    if (!is_quotable(part->content_id)) {
        return FAIL(diag, ERR_INTERNAL, "a Content-ID of %zu bytes cannot stand in a header",
                    part->content_id.n);
    }
    const struct span type = is_header_text(part->mime_type) ? part->mime_type : SPAN(DEFAULT_TYPE);
    TRY(buf_printf(out, diag,
                   "\r\n--%s\r\nContent-Type: %.*s\r\nContent-Transfer-Encoding: binary\r\n"
                   "Content-ID: <%.*s>\r\n\r\n",
                   boundary, SPAN_PRINT(type), SPAN_PRINT(part->content_id)));
    return append_body(part->body, out, diag);
}

static struct status
write_content_type(const char *boundary, const char *root, struct span action, struct diag *diag,
                   char ret_content_type[CONTENT_TYPE_MAX])
{
    if (action.n > 0 && !is_quotable(action)) {
        return FAIL(diag, ERR_INTERNAL, "an action of %zu bytes cannot stand in a header",
                    action.n);
    }
    char text[CONTENT_TYPE_MAX];
    const int n = snprintf(text, sizeof(text),
                           "multipart/related; boundary=\"%s\"; type=\"application/xop+xml\"; "
                           "start=\"<%s>\"; start-info=\"application/soap+xml\"%s%.*s%s",
                           boundary, root, action.n > 0 ? "; action=\"" : "", SPAN_PRINT(action),
                           action.n > 0 ? "\"" : "");
    if (n < 0 || (size_t)n >= sizeof(text)) {
        return FAIL(diag, ERR_INTERNAL, "an action of %zu bytes is too long for a header",
                    action.n);
    }
    for (int i = 0; i <= n; i++) {
        ret_content_type[i] = text[i];
    }
    return OK;
}

struct status
mtom_write(struct span envelope, const struct mtom_part *parts, size_t n, struct span action,
           struct buf *out, struct diag *diag, char ret_content_type[CONTENT_TYPE_MAX])
{
    char boundary[sizeof("isthmus-") + UUID_TEXT] = "isthmus-";
    char root[UUID_TEXT + sizeof("@isthmus")];
    char root_uuid[UUID_TEXT];
    uuid_new(boundary + sizeof("isthmus-") - 1);
    uuid_new(root_uuid);
    (void)snprintf(root, sizeof(root), "%s@isthmus", root_uuid);

    TRY(buf_printf(out, diag,
                   "--%s\r\nContent-Type: application/xop+xml; charset=UTF-8; "
                   "type=\"application/soap+xml\"\r\nContent-Transfer-Encoding: binary\r\n"
                   "Content-ID: <%s>\r\n\r\n",
                   boundary, root));
    TRY(buf_append(out, envelope, diag));
    for (size_t i = 0; i < n; i++) {
        TRY(append_part(&parts[i], boundary, out, diag));
    }
    TRY(buf_printf(out, diag, "\r\n--%s--\r\n", boundary));
    return write_content_type(boundary, root, action, diag, ret_content_type);
}
