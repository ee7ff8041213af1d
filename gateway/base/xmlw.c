/*
 * The XML writer. Called by the codecs and the audit; one thread at a time. It owns nothing: bytes
 * go to the caller's buffer, element names are literals of the program. Text and attributes are
 * escaped as Canonical XML 1.0 section 2.3 writes them.
 */
#include "base/xmlw.h"

#include "base/text.h"

void
xmlw_init(struct xmlw *w, struct buf *out, struct diag *diag)
{
    *w = (struct xmlw){.out = out, .diag = diag, .status = OK};
}

void
xmlw_init_sink(struct xmlw *w, struct xmlw_sink *sink, struct diag *diag)
{
    *w = (struct xmlw){.sink = sink, .diag = diag, .status = OK};
}

/* Bytes; a sink is told parts instead. */
static void
put(struct xmlw *w, struct span bytes)
{
    if (is_ok(w->status) && w->sink == NULL) {
        w->status = buf_append(w->out, bytes, w->diag);
    }
}

static void
put_cstr(struct xmlw *w, const char *s)
{
    put(w, span_of_cstr(s));
}

static void
close_tag(struct xmlw *w)
{
    if (w->is_tag_open) {
        put(w, SPAN(">"));
        w->is_tag_open = false;
    }
}

void
xmlw_declaration(struct xmlw *w)
{
    put(w, SPAN("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"));
}

static void
put_name(struct xmlw *w, const char *qname)
{
    if (w->prefix != NULL && span_find_char(span_of_cstr(qname), ':') == SPAN_MISSING) {
        put_cstr(w, w->prefix);
        put(w, SPAN(":"));
    }
    put_cstr(w, qname);
}

void
xmlw_start(struct xmlw *w, const char *qname)
{
    close_tag(w);
    if (w->depth == XMLW_DEPTH_MAX) {
        if (is_ok(w->status)) {
            w->status = FAIL(w->diag, ERR_INTERNAL, "XML writer: <%s> is nested deeper than %d",
                             qname, XMLW_DEPTH_MAX);
        }
        return;
    }
    put(w, SPAN("<"));
    put_name(w, qname);
    w->open[w->depth++] = qname;
    w->is_tag_open = true;
    if (w->sink != NULL && is_ok(w->status)) {
        w->status = w->sink->start(w->sink, qname, w->diag);
    }
}

void
xmlw_end(struct xmlw *w)
{
    close_tag(w);
    if (w->depth == 0) {
        if (is_ok(w->status)) {
            w->status = FAIL(w->diag, ERR_INTERNAL, "XML writer: no element is open");
        }
        return;
    }
    w->depth--;
    put(w, SPAN("</"));
    put_name(w, w->open[w->depth]);
    put(w, SPAN(">"));
    if (w->sink != NULL && is_ok(w->status)) {
        w->status = w->sink->end(w->sink, w->diag);
    }
}

/* XML 1.0 section 2.2, production Char. */
static bool
is_xml_char(uint32_t c)
{
    return c != TEXT_MALFORMED && (c >= 0x20 || c == '\t' || c == '\n' || c == '\r') &&
           c != 0xFFFE && c != 0xFFFF;
}

/* The reference that stands for <c>, or the empty span when it stands for itself. */
static struct span
reference_of(uint32_t c, bool is_attribute)
{
    switch (c) {
    case '&':
        return SPAN("&amp;");
    case '<':
        return SPAN("&lt;");
    case '\r':
        return SPAN("&#xD;");
    case '>':
        return is_attribute ? SPAN_EMPTY : SPAN("&gt;");
    case '"':
        return is_attribute ? SPAN("&quot;") : SPAN_EMPTY;
    case '\t':
        return is_attribute ? SPAN("&#x9;") : SPAN_EMPTY;
    case '\n':
        return is_attribute ? SPAN("&#xA;") : SPAN_EMPTY;
    default:
        return SPAN_EMPTY;
    }
}

/* ASCII that stands for itself everywhere: nearly all of every text. */
static bool
is_plain(char c)
{
    return c >= 0x20 && (unsigned char)c < 0x80 && c != '&' && c != '<' && c != '>' && c != '"';
}

/* Runs of characters that stand for themselves are appended at once. */
static void
put_escaped(struct xmlw *w, struct span text, bool is_attribute)
{
    struct span rest = text;
    const char *plain = text.p;
    uint32_t c = 0;
    while (is_ok(w->status)) {
        while (rest.n > 0 && is_plain(*rest.p)) {
            rest.p++;
            rest.n--;
        }
        const char *at = rest.p;
        const bool has_more = text_take_char(&rest, &c);
        if (has_more && !is_xml_char(c)) {
            w->status = FAIL(w->diag, ERR_MESSAGE_CONTENT,
                             "byte %zu of a value for <%s> is not UTF-8 text that XML 1.0 can hold",
                             (size_t)(at - text.p) + 1, w->depth > 0 ? w->open[w->depth - 1] : "");
            return;
        }
        const struct span reference = has_more ? reference_of(c, is_attribute) : SPAN_EMPTY;
        if (has_more && reference.n == 0) {
            continue;
        }
        if (at != plain) {
            put(w, span_of(plain, (size_t)(at - plain)));
        }
        if (!has_more) {
            return;
        }
        put(w, reference);
        plain = rest.p;
    }
}

void
xmlw_attr(struct xmlw *w, const char *qname, struct span value)
{
    if (!w->is_tag_open) {
        if (is_ok(w->status)) {
            w->status = FAIL(w->diag, ERR_INTERNAL,
                             "XML writer: attribute %s comes after the start tag", qname);
        }
        return;
    }
    if (w->sink != NULL) {
        if (is_ok(w->status)) {
            w->status = w->sink->attr(w->sink, qname, value, w->diag);
        }
        return;
    }
    put(w, SPAN(" "));
    put_cstr(w, qname);
    put(w, SPAN("=\""));
    put_escaped(w, value, true);
    put(w, SPAN("\""));
}

void
xmlw_attr_cstr(struct xmlw *w, const char *qname, const char *value)
{
    xmlw_attr(w, qname, span_of_cstr(value));
}

void
xmlw_text(struct xmlw *w, struct span text)
{
    close_tag(w);
    if (w->sink == NULL) {
        put_escaped(w, text, false);
    } else if (is_ok(w->status)) {
        w->status = w->sink->text(w->sink, text, w->diag);
    }
}

void
xmlw_text_cstr(struct xmlw *w, const char *text)
{
    xmlw_text(w, span_of_cstr(text));
}

void
xmlw_element(struct xmlw *w, const char *qname, struct span text)
{
    xmlw_start(w, qname);
    xmlw_text(w, text);
    xmlw_end(w);
}

void
xmlw_raw(struct xmlw *w, struct span xml)
{
    close_tag(w);
    if (w->sink != NULL && is_ok(w->status)) {
        w->status = FAIL(w->diag, ERR_INTERNAL, "XML writer: raw XML cannot be told to a sink");
    }
    put(w, xml);
}

struct status
xmlw_finish(struct xmlw *w)
{
    if (is_ok(w->status) && w->depth > 0) {
        w->status =
            FAIL(w->diag, ERR_INTERNAL, "XML writer: <%s> is still open", w->open[w->depth - 1]);
    }
    return w->status;
}
