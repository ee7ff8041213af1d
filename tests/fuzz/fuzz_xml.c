/*
 * Pre-scan, parse and walk. What was parsed, serialised and parsed again must be the same tree of
 * names, attributes and texts, and must hold nothing that is forbidden.
 *
 * Input: an XML document.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "soap/prescan.h"
#include "soap/security.h"
#include "soap/xml.h"

#define DUMP_MAX ((size_t)16 * 1024 * 1024)

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct diag diag = {0};
    (void)argc;
    (void)argv;
    FUZZ_MUST(is_ok(soap_library_init(&diag)), "%s", diag.text);
    return 0;
}

static void
dump(struct buf *out, const char *name, struct span value)
{
    struct diag diag = {0};
    FUZZ_MUST(is_ok(buf_printf(out, &diag, "%s %zu ", name, value.n)) &&
                  is_ok(buf_append(out, value, &diag)) && is_ok(buf_append_char(out, '\n', &diag)),
              "%s", diag.text);
}

/* The texts of an element's own children, comments and instructions left out. */
static void
dump_text(struct buf *out, const xmlNode *node)
{
    struct diag diag = {0};
    struct buf text;
    buf_init(&text, DUMP_MAX);
    for (const xmlNode *child = node->children; child != NULL; child = child->next) {
        FUZZ_MUST(child->type != XML_ENTITY_REF_NODE && child->type != XML_DTD_NODE &&
                      child->type != XML_CDATA_SECTION_NODE,
                  "a node of type %d", child->type);
        if (child->type == XML_TEXT_NODE) {
            FUZZ_MUST(is_ok(buf_append_cstr(&text, (const char *)child->content, &diag)), "%s",
                      diag.text);
        }
    }
    dump(out, "text", buf_span(&text));
    buf_done(&text);
}

static size_t
dump_tree(const xmlDoc *doc, struct buf *out)
{
    const xmlNode *const root = xml_root(doc);
    size_t elements = 0;
    buf_init(out, DUMP_MAX);
    FUZZ_MUST(root != NULL && doc->intSubset == NULL, "no root, or a DTD");
    for (const xmlNode *node = root; node != NULL; node = xml_walk(node, root)) {
        elements++;
        dump(out, "namespace", xml_namespace(node));
        dump(out, "element", xml_local_name(node));
        for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
            dump(out, "namespace",
                 span_of_cstr(attr->ns == NULL ? "" : (const char *)attr->ns->href));
            dump(out, "attribute", span_of_cstr((const char *)attr->name));
            dump(out, "value", xml_attr_value(attr));
        }
        dump_text(out, node);
    }
    return elements;
}

static void
check_again(const xmlDoc *doc, const struct buf *dumped, struct arena *arena)
{
    const struct message_limits limits = message_limits_answer();
    struct diag diag = {0};
    struct buf text, dumped_again;
    xmlDoc *again = NULL;
    buf_init(&text, DUMP_MAX);
    FUZZ_MUST(is_ok(xml_serialise(xml_root(doc), &text, &diag)), "%s", diag.text);
    const struct status st = xml_parse(buf_span(&text), &limits, arena, &diag, &again);
    /* All namespaces in scope are declared anew: the limits may be met then. */
    if (!is_ok(st)) {
        FUZZ_MUST(st.code == ERR_LIMIT_XML, "%s: %s\n%.*s", err_name(st.code), diag.text,
                  SPAN_PRINT(buf_span(&text)));
    } else {
        (void)dump_tree(again, &dumped_again);
        FUZZ_MUST(span_eq(buf_span(dumped), buf_span(&dumped_again)),
                  "another tree\n%.*s\nagain\n%.*s", SPAN_PRINT(buf_span(dumped)),
                  SPAN_PRINT(buf_span(&dumped_again)));
        buf_done(&dumped_again);
    }
    buf_done(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const struct message_limits limits = message_limits_request((size_t)1024 * 1024);
    const struct span xml = span_of((const char *)bytes, n);
    struct arena *const arena = fuzz_arena();
    struct diag diag = {0}, scan_diag = {0};
    struct prescan_counts counts = {.elements = 0};
    xmlDoc *doc = NULL;
    const struct status scanned = prescan(xml, &limits, &scan_diag, &counts);
    const struct status st = xml_parse(xml, &limits, arena, &diag, &doc);
    fuzz_check_refusal(scanned, &scan_diag);
    fuzz_check_refusal(st, &diag);
    FUZZ_MUST(!is_ok(st) || is_ok(scanned), "parsed what the pre-scan refuses");
    if (is_ok(st)) {
        struct buf dumped;
        const size_t elements = dump_tree(doc, &dumped);
        FUZZ_MUST(elements == counts.elements, "%zu elements, the pre-scan saw %zu", elements,
                  counts.elements);
        check_again(doc, &dumped, arena);
        buf_done(&dumped);
    }
    arena_free(arena);
    return 0;
}
