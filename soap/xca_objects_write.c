/*
 * Records of a registry to the content of a RegistryObjectList (see xca_objects.h). Called by the
 * writers of answers and submissions; any thread; owns nothing. An object that has its text is
 * written from it, whatever it holds; only its home is made sure of, and, in an answer, what a text
 * of our own store (rim_register.h) leaves out because it changes.
 */
#include "soap/xca_objects.h"

#include "base/xmlw.h"

/* ---- a text with its home ---- */

static struct status
no_element(struct diag *diag)
{
    return FAIL(diag, ERR_INTERNAL, "the text of a registry object is no element");
}

/* In a start tag, before an attribute: its name, and its value with the quotes. False at the end.
 */
static bool
take_attribute(struct span *in, struct span *ret_name, struct span *ret_value)
{
    const struct span rest = span_trim(*in);
    const size_t equals = span_find_char(rest, '=');
    const size_t end = span_find_char(rest, '>');
    if (equals == SPAN_MISSING || (end != SPAN_MISSING && end < equals)) {
        return false;
    }
    const struct span value = span_trim(span_slice(rest, equals + 1, SIZE_MAX));
    const size_t close =
        value.n == 0 ? SPAN_MISSING : span_find_char(span_slice(value, 1, SIZE_MAX), value.p[0]);
    if (close == SPAN_MISSING || (value.p[0] != '"' && value.p[0] != '\'')) {
        return false;
    }
    *ret_name = span_trim(span_slice(rest, 0, equals));
    *ret_value = span_slice(value, 0, close + 2);
    *in = span_slice(value, close + 2, SIZE_MAX);
    return true;
}

static struct status
put_attribute(const char *name, struct span value, struct buf *out, struct diag *diag)
{
    struct buf escaped;
    struct xmlw w;
    buf_init(&escaped, value.n * 6 + 64);
    xmlw_init(&w, &escaped, diag);
    xmlw_start(&w, "x");
    xmlw_attr(&w, name, value);
    xmlw_end(&w);
    struct status st = xmlw_finish(&w);
    if (is_ok(st)) { /* <x name="..."></x> */
        st = buf_append(out, span_slice(buf_span(&escaped), 2, escaped.n - 2 - sizeof("></x>") + 1),
                        diag);
    }
    buf_done(&escaped);
    return st;
}

/* What a text gets that it may lack. */
struct addition {
    struct span home;        /* in the place of its own; empty: as it is */
    struct span status;      /* where it has none; empty: none */
    struct span last_update; /* a slot, where it has none; empty: none */
};

/* The start tag of an element: its end is where attributes can follow. */
struct start_tag {
    struct span home; /* the attribute with its name; empty: it has none */
    bool has_status;
    size_t name_end, end; /* offsets: behind the element's name; of the tag's '>' */
    bool is_empty;        /* ends with "/>" */
};

static struct status
read_start_tag(struct span xml, struct diag *diag, struct start_tag *ret_tag)
{
    const size_t name = span_find_char(xml, ' ');
    size_t end = span_find_char(xml, '>');
    struct start_tag tag = {.name_end = name < end ? name : end}; /* MISSING is the greatest */
    struct span in, attribute, value;
    if (!span_starts_with(xml, SPAN("<")) || end == SPAN_MISSING || tag.name_end < 2) {
        return no_element(diag);
    }
    if (tag.name_end == end && xml.p[end - 1] == '/') {
        tag.name_end--;
    }
    in = span_slice(xml, tag.name_end, SIZE_MAX);
    while (take_attribute(&in, &attribute, &value)) {
        tag.has_status |= span_eq_cstr(attribute, "status");
        if (span_eq_cstr(attribute, "home")) {
            tag.home = span_of(attribute.p, (size_t)(value.p + value.n - attribute.p));
        }
    }
    end = span_find_char(in, '>');
    if (end == SPAN_MISSING) {
        return no_element(diag);
    }
    tag.end = (size_t)(in.p - xml.p) + end;
    tag.is_empty = xml.p[tag.end - 1] == '/';
    *ret_tag = tag;
    return OK;
}

/* As the first child: slots are first (rim.xsd). */
static struct status
put_last_update(struct span time, struct buf *out, struct diag *diag)
{
    struct xmlw w;
    xmlw_init(&w, out, diag);
    xmlw_start(&w, "rim:Slot");
    xmlw_attr(&w, "xmlns:rim", SPAN(NS_RIM));
    xmlw_attr(&w, "name", SPAN("lastUpdateTime"));
    xmlw_start(&w, "rim:ValueList");
    xmlw_element(&w, "rim:Value", time);
    xmlw_end(&w);
    xmlw_end(&w);
    return xmlw_finish(&w);
}

static struct status
put_start_tag(struct span xml, const struct start_tag *tag, const struct addition *addition,
              struct buf *out, struct diag *diag)
{
    const size_t stop = tag->is_empty ? tag->end - 1 : tag->end;
    size_t from = 0;
    if (addition->home.n > 0 && tag->home.n > 0) {
        const size_t at = (size_t)(tag->home.p - xml.p);
        TRY(buf_append(out, span_slice(xml, 0, at - 1), diag));
        TRY(put_attribute("home", addition->home, out, diag));
        from = at + tag->home.n;
    } else {
        TRY(buf_append(out, span_slice(xml, 0, tag->name_end), diag));
        from = tag->name_end;
        if (addition->home.n > 0) {
            TRY(put_attribute("home", addition->home, out, diag));
        }
    }
    TRY(buf_append(out, span_slice(xml, from, stop - from), diag));
    return addition->status.n > 0 && !tag->has_status
               ? put_attribute("status", addition->status, out, diag)
               : OK;
}

static struct status
put_text(struct span xml, const struct addition *addition, struct buf *out, struct diag *diag)
{
    struct start_tag tag = {.name_end = 0};
    TRY(read_start_tag(xml, diag, &tag));
    TRY(put_start_tag(xml, &tag, addition, out, diag));
    if (addition->last_update.n > 0 && !tag.is_empty &&
        span_find(xml, SPAN("\"lastUpdateTime\"")) == SPAN_MISSING) {
        TRY(buf_append_char(out, '>', diag));
        TRY(put_last_update(addition->last_update, out, diag));
        return buf_append(out, span_slice(xml, tag.end + 1, SIZE_MAX), diag);
    }
    return buf_append(out, span_slice(xml, tag.is_empty ? tag.end - 1 : tag.end, SIZE_MAX), diag);
}

/* ---- records ---- */

struct list_writer {
    bool is_answer;
    struct arena *scratch;
    struct buf *out;
    struct diag *diag;
};

static struct status
check(const struct list_writer *w, const struct rim_layout *layout, const struct rim_object *object)
{
    const char *const missing = object->id.n == 0                     ? "id"
                                : w->is_answer && object->home.n == 0 ? "homeCommunityId"
                                                                      : NULL;
    if (missing != NULL) {
        return FAIL(w->diag, ERR_INTERNAL, "a %s has no %s", layout->what, missing);
    }
    if (layout->kind == RIM_ASSOCIATION &&
        (object->association_type.n == 0 || object->source.n == 0 || object->target.n == 0)) {
        return FAIL(w->diag, ERR_INTERNAL, "an Association has no type, source or target");
    }
    return OK;
}

static const struct span *
status_of(const struct rim_layout *layout, const void *record)
{
    return layout == &rim_document         ? &((const struct document_entry *)record)->status
           : layout == &rim_submission_set ? &((const struct submission_set *)record)->status
           : layout == &rim_folder         ? &((const struct folder *)record)->status
                                           : &((const struct association *)record)->status;
}

static struct status
put_record(const struct list_writer *w, const struct rim_layout *layout, const void *record)
{
    const struct span *const xml = rim_member(record, layout->xml);
    const struct span *const home = rim_member(record, layout->home);
    struct rim_object object;
    if (xml->n > 0) {
        if (w->is_answer && home->n == 0 && layout != &rim_association) {
            return FAIL(w->diag, ERR_INTERNAL, "a %s has no homeCommunityId", layout->what);
        }
        const struct addition addition = {
            .home = *home,
            .status = w->is_answer ? *status_of(layout, record) : SPAN_EMPTY,
            .last_update =
                layout == &rim_folder ? ((const struct folder *)record)->last_update : SPAN_EMPTY};
        return put_text(*xml, &addition, w->out, w->diag);
    }
    TRY(rim_from_record(layout, record, w->scratch, w->diag, &object));
    TRY(check(w, layout, &object));
    if (w->is_answer && object.lid.n == 0 && layout != &rim_association) {
        object.lid = object.id;
    }
    return regrep_object_write(layout->kind, &object, w->out, w->diag);
}

static struct status
put_texts(const struct span_list *texts, struct buf *out, struct diag *diag)
{
    const struct addition as_it_is = {.home = SPAN_EMPTY};
    for (size_t i = 0; i < texts->n; i++) {
        TRY(put_text(texts->items[i], &as_it_is, out, diag));
    }
    return OK;
}

/* REQ: SQ-leaf-class */
struct status
objects_write(const struct registry_objects *objects, bool is_answer, struct arena *scratch,
              struct buf *out, struct diag *diag)
{
    const struct list_writer w = {is_answer, scratch, out, diag};
    for (size_t i = 0; i < objects->documents.n; i++) {
        TRY(put_record(&w, &rim_document, &objects->documents.items[i]));
    }
    for (size_t i = 0; i < objects->submission_sets.n; i++) {
        TRY(put_record(&w, &rim_submission_set, &objects->submission_sets.items[i]));
    }
    for (size_t i = 0; i < objects->folders.n; i++) {
        TRY(put_record(&w, &rim_folder, &objects->folders.items[i]));
    }
    for (size_t i = 0; i < objects->associations.n; i++) {
        TRY(put_record(&w, &rim_association, &objects->associations.items[i]));
    }
    TRY(put_texts(&objects->others, out, diag));
    return put_texts(&objects->classifications, out, diag);
}

/* No value can hold the mark, since '<' is escaped. */
struct status
objects_split(struct span message, struct diag *diag, struct span *ret_head, struct span *ret_tail)
{
    static const char mark[] = "<rim:RegistryObjectList xmlns:rim=\"" NS_RIM "\">";
    const size_t at = span_find(message, SPAN(mark));
    if (at == SPAN_MISSING) {
        return FAIL(diag, ERR_INTERNAL, "a message without a RegistryObjectList");
    }
    *ret_head = span_slice(message, 0, at + sizeof(mark) - 1);
    *ret_tail = span_slice(message, at + sizeof(mark) - 1, SIZE_MAX);
    return OK;
}
