/*
 * Memory of a parse: trees of every size are what was written, they do not disturb each other, and
 * nothing of a parse that failed stays with libxml2. With AddressSanitizer all of it is the heap's.
 */
#include <stdio.h>
#include <string.h>

#include <libxml/catalog.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include "base/mem.h"
#include "soap/xml.h"
#include "tests/unit/unit.h"

#define XML_BYTES ((size_t)1024 * 1024)

static const xmlNode *
parse(struct span xml, struct arena *arena)
{
    const struct message_limits limits = message_limits_answer();
    struct diag diag = {.code = ERR_NONE};
    xmlDoc *doc = NULL;
    return CHECK_OK(&diag, xml_parse(xml, &limits, arena, &diag, &doc)) ? xml_root(doc) : NULL;
}

static struct arena *
new_arena(void)
{
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
    return arena;
}

/* <r><e n="0">text</e>...</r>; the text has references, so that libxml2 puts it together. */
static void
write_elements(struct buf *xml, size_t n, size_t references)
{
    struct diag diag = {.code = ERR_NONE};
    CHECK_OK(&diag, buf_append_cstr(xml, "<r>", &diag));
    for (size_t i = 0; i < n; i++) {
        CHECK_OK(&diag, buf_printf(xml, &diag, "<e n=\"%zu\">", i));
        for (size_t k = 0; k < references; k++) {
            CHECK_OK(&diag, buf_append_cstr(xml, "x&amp;", &diag));
        }
        CHECK_OK(&diag, buf_append_cstr(xml, "</e>", &diag));
    }
    CHECK_OK(&diag, buf_append_cstr(xml, "</r>", &diag));
}

static void
check_elements(const xmlNode *root, size_t n, size_t references)
{
    size_t seen = 0;
    size_t wrong = 0;
    char number[32];
    for (const xmlNode *e = xml_first(root); e != NULL; e = xml_next(e)) {
        const char *const text = e->children == NULL ? "" : (const char *)e->children->content;
        (void)snprintf(number, sizeof(number), "%zu", seen++);
        wrong += span_eq_cstr(xml_attr_text(e, "n"), number) ? 0 : 1;
        wrong += strlen(text) == 2 * references && (references == 0 || text[1] == '&') ? 0 : 1;
    }
    CU_ASSERT_EQUAL(seen, n);
    CU_ASSERT_EQUAL(wrong, 0);
}

/* ---- failures first ---- */

static void
test_nothing_of_a_failure_stays(void)
{
    static const struct {
        const char *xml;
        enum err error;
    } rows[] = {
        {"<a><b></a></b>", ERR_XML_SYNTAX},
        {"<p:a/>", ERR_XML_SYNTAX},
        {"<a b=\"1\" b=\"2\"/>", ERR_XML_SYNTAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *const arena = new_arena();
        const struct message_limits limits = message_limits_answer();
        struct diag diag = {.code = ERR_NONE};
        xmlDoc *doc = NULL;
        CHECK_ERR(&diag, rows[i].error,
                  xml_parse(span_of_cstr(rows[i].xml), &limits, arena, &diag, &doc));
        CU_ASSERT_PTR_NULL(xmlGetLastError()); /* its text would point into what goes now */
        arena_free(arena);
    }
}

/* libxml2 would read catalogs of the machine, and keep them. */
static void
test_catalogs_stay_unread(void)
{
    const struct span xml =
        SPAN("<?oasis-xml-catalog catalog=\"file:///nowhere/catalog.xml\"?><a><b/></a>");
    struct arena *const arena = new_arena();
    CU_ASSERT_EQUAL(xmlCatalogGetDefaults(), XML_CATA_ALLOW_NONE);
    CU_ASSERT_PTR_NOT_NULL(xml_first(parse(xml, arena)));
    arena_free(arena);
}

/* ---- trees ---- */

static void
test_trees_of_all_sizes(void)
{
    static const struct {
        size_t elements, references;
    } rows[] = {{0, 0}, {1, 1}, {40, 3}, {3, 1500}, {2, 20000}, {5000, 1}, {900, 30}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *const arena = new_arena();
        CLEANUP(buf_done) struct buf xml;
        buf_init(&xml, XML_BYTES);
        write_elements(&xml, rows[i].elements, rows[i].references);
        check_elements(parse(buf_span(&xml), arena), rows[i].elements, rows[i].references);
        arena_free(arena);
    }
}

static void
test_trees_live_side_by_side(void)
{
    enum { TREES = 6 };
    struct arena *arenas[TREES];
    const xmlNode *roots[TREES];
    for (size_t i = 0; i < TREES; i++) {
        CLEANUP(buf_done) struct buf xml;
        buf_init(&xml, XML_BYTES);
        write_elements(&xml, 100 * (i + 1), i);
        arenas[i] = new_arena();
        roots[i] = parse(buf_span(&xml), arenas[i]);
    }
    for (size_t i = 0; i < TREES; i += 2) {
        arena_free(arenas[i]);
    }
    for (size_t i = 1; i < TREES; i += 2) {
        check_elements(roots[i], 100 * (i + 1), i);
        arena_free(arenas[i]);
    }
}

/* What libxml2 adds to a tree later comes from the heap, and what it changes goes there. */
static void
test_a_tree_takes_pieces_of_the_heap(void)
{
    struct arena *const arena = new_arena();
    const xmlNode *const root = parse(SPAN("<r><e n=\"0\">xx</e><f>yy</f></r>"), arena);
    xmlNode *const e = (xmlNode *)xml_first(root);
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    CU_ASSERT_PTR_NOT_NULL(xmlAddID(NULL, e->doc, (const xmlChar *)"0", e->properties));
    CU_ASSERT_PTR_EQUAL(xmlGetID(e->doc, (const xmlChar *)"0"), e->properties);
    for (size_t i = 0; i < 3000; i++) {
        xmlNodeAddContent(e, (const xmlChar *)"z");
    }
    CU_ASSERT_EQUAL(strlen((const char *)e->children->content), 3002);
    xmlNode *const f = (xmlNode *)xml_next(e);
    xmlUnlinkNode(f);
    xmlFreeNode(f);
    CU_ASSERT_PTR_NULL(xml_next(e));
    arena_free(arena);
}

static const struct unit_test tests[] = {
    {"nothing of a failure stays", test_nothing_of_a_failure_stays},
    {"catalogs stay unread", test_catalogs_stay_unread},
    {"trees of all sizes", test_trees_of_all_sizes},
    {"trees live side by side", test_trees_live_side_by_side},
    {"a tree takes pieces of the heap", test_a_tree_takes_pieces_of_the_heap},
};
UNIT_MAIN("xml_memory", tests)
