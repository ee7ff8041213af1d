/*
 * Packs an envelope and its attachments as MTOM: multipart/related with application/xop+xml as its
 * root (SOAP MTOM 1.0 section 3; XOP section 4; ITI TF-2 3.43.5.1). Called by whoever sends ITI-39;
 * any thread. Either all bytes are copied into one buffer, or documents that
 * are in files stay there and the package is a list of bodies. The boundary and the root's
 * Content-ID hold a fresh UUID each, so no document can contain them.
 */
#include <stdio.h>

#include "base/ids.h"
#include "base/mem.h"
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

/* A package in the making: bytes go to <text>; a document in a file ends it and is a segment of its
 * own, when there may be segments. */
struct packer {
    struct buf *text;
    struct body *segments; /* NULL: everything is copied */
    size_t n;
    struct diag *diag;
};

static struct status
copy_piece(void *arg, struct span piece, struct diag *diag)
{
    return buf_append(arg, piece, diag);
}

static void
end_text(struct packer *packer)
{
    if (packer->text->n > 0) {
        body_from_buf(&packer->segments[packer->n++], packer->text);
    }
}

static struct status
append_body(struct packer *packer, const struct body *body)
{
    if (packer->segments == NULL || body->kind != BODY_FILE) {
        return body_each(body, copy_piece, packer->text, packer->diag);
    }
    end_text(packer);
    TRY(body_slice(body, 0, body->size, packer->diag, &packer->segments[packer->n]));
    packer->n++;
    return OK;
}

static struct status
append_part(struct packer *packer, const struct mtom_part *part, const char *boundary)
{
    if (!is_quotable(part->content_id)) {
        return FAIL(packer->diag, ERR_INTERNAL,
                    "a Content-ID of %zu bytes cannot stand in a header", part->content_id.n);
    }
    const struct span type = is_header_text(part->mime_type) ? part->mime_type : SPAN(DEFAULT_TYPE);
    TRY(buf_printf(packer->text, packer->diag,
                   "\r\n--%s\r\nContent-Type: %.*s\r\nContent-Transfer-Encoding: binary\r\n"
                   "Content-ID: <%.*s>\r\n\r\n",
                   boundary, SPAN_PRINT(type), SPAN_PRINT(part->content_id)));
    return append_body(packer, part->body);
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

static struct status
pack(struct packer *packer, struct span envelope, const struct mtom_part *parts, size_t n,
     struct span action, char ret_content_type[CONTENT_TYPE_MAX])
{
    char boundary[sizeof("isthmus-") + UUID_TEXT] = "isthmus-";
    char root[UUID_TEXT + sizeof("@isthmus")];
    char root_uuid[UUID_TEXT];
    uuid_new(boundary + sizeof("isthmus-") - 1);
    uuid_new(root_uuid);
    (void)snprintf(root, sizeof(root), "%s@isthmus", root_uuid);

    TRY(buf_printf(packer->text, packer->diag,
                   "--%s\r\nContent-Type: application/xop+xml; charset=UTF-8; "
                   "type=\"application/soap+xml\"\r\nContent-Transfer-Encoding: binary\r\n"
                   "Content-ID: <%s>\r\n\r\n",
                   boundary, root));
    TRY(buf_append(packer->text, envelope, packer->diag));
    for (size_t i = 0; i < n; i++) {
        TRY(append_part(packer, &parts[i], boundary));
    }
    TRY(buf_printf(packer->text, packer->diag, "\r\n--%s--\r\n", boundary));
    return write_content_type(boundary, root, action, packer->diag, ret_content_type);
}

struct status
mtom_write(struct span envelope, const struct mtom_part *parts, size_t n, struct span action,
           struct buf *out, struct diag *diag, char ret_content_type[CONTENT_TYPE_MAX])
{
    struct packer packer = {.text = out, .diag = diag};
    return pack(&packer, envelope, parts, n, action, ret_content_type);
}

/* REQ: MTOM-package, MTOM-root */
struct status
mtom_pack(struct span envelope, const struct mtom_part *parts, size_t n, struct span action,
          size_t limit_bytes, struct diag *diag, char ret_content_type[CONTENT_TYPE_MAX],
          struct body *ret_body)
{
    struct buf text;
    struct packer packer = {.text = &text, .diag = diag};
    packer.segments = mem_alloc((2 * n + 1) * sizeof(*packer.segments));
    if (packer.segments == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for an answer of %zu documents", n);
    }
    buf_init_secret(&text, limit_bytes);
    struct status st = pack(&packer, envelope, parts, n, action, ret_content_type);
    if (is_ok(st)) {
        end_text(&packer);
    }
    if (is_ok(st) && packer.n == 1) { /* nothing in files */
        body_move(ret_body, &packer.segments[0]);
    } else if (is_ok(st)) {
        st = body_from_list(ret_body, packer.segments, packer.n, diag);
    } else {
        for (size_t i = 0; i < packer.n; i++) {
            body_done(&packer.segments[i]);
        }
    }
    buf_done(&text);
    mem_free(packer.segments);
    return st;
}
