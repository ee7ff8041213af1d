/*
 * Records of a registry to the content of a RegistryObjectList (see xca_objects.h). Called by the
 * writers of answers and submissions; any thread; owns nothing. An object that has its text is
 * written from it, whatever it holds; only its home is made sure of.
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
put_home(struct span home, struct buf *out, struct diag *diag)
{
    struct buf escaped;
    struct xmlw w;
    buf_init(&escaped, home.n * 6 + 64);
    xmlw_init(&w, &escaped, diag);
    xmlw_start(&w, "x");
    xmlw_attr(&w, "home", home);
    xmlw_end(&w);
    struct status st = xmlw_finish(&w);
    if (is_ok(st)) { /* <x home="..."></x> */
        st = buf_append(out, span_slice(buf_span(&escaped), 2, escaped.n - 2 - sizeof("></x>") + 1),
                        diag);
    }
    buf_done(&escaped);
    return st;
}

/* <home> empty: as it is. */
static struct status
put_text(struct span xml, struct span home, struct buf *out, struct diag *diag)
{
    const size_t name = span_find_char(xml, ' ');
    const size_t end = span_find_char(xml, '>');
    const size_t cut = name < end ? name : end; /* SPAN_MISSING is the greatest */
    struct span in, attribute, value;
    if (!span_starts_with(xml, SPAN("<")) || end == SPAN_MISSING || cut < 2) {
        return no_element(diag);
    }
    in = span_slice(xml, cut, SIZE_MAX);
    while (home.n > 0 && take_attribute(&in, &attribute, &value)) {
        if (span_eq_cstr(attribute, "home")) {
            TRY(buf_append(out, span_slice(xml, 0, (size_t)(attribute.p - xml.p) - 1), diag));
            TRY(put_home(home, out, diag));
            return buf_append(out, in, diag);
        }
    }
    if (home.n == 0) {
        return buf_append(out, xml, diag);
    }
    const size_t at = cut == end && xml.p[end - 1] == '/' ? end - 1 : cut;
    TRY(buf_append(out, span_slice(xml, 0, at), diag));
    TRY(put_home(home, out, diag));
    return buf_append(out, span_slice(xml, at, SIZE_MAX), diag);
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
        return put_text(*xml, *home, w->out, w->diag);
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
    for (size_t i = 0; i < texts->n; i++) {
        TRY(put_text(texts->items[i], SPAN_EMPTY, out, diag));
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
