/*
 * The canonicaliser of the profile engine against libxml2's, byte for byte: each element of each
 * document, with each of several lists of inclusive prefixes, whole and with each of its children
 * left out. Then what it must not claim to know.
 */
#include <stdio.h>
#include <string.h>

#include <libxml/c14n.h>
#include <libxml/uri.h>

#include "soap/c14n.h"
#include "tests/unit/soap_kit.h"

#define BYTES_MAX ((size_t)16 * 1024 * 1024)

/* ---- ours ---- */

static bool
take(void *arg, struct span bytes)
{
    struct buf *const out = arg;
    struct diag unused;
    diag_clear(&unused);
    return is_ok(buf_append(out, bytes, &unused));
}

static bool
canonical(const xmlNode *top, const xmlNode *without, const struct c14n_prefixes *inclusive,
          struct buf *out)
{
    const struct c14n c14n = {
        .top = top, .without = without, .inclusive = inclusive, .take = take, .arg = out};
    buf_init(out, BYTES_MAX);
    return c14n_write(&c14n);
}

/* ---- libxml2's ---- */

/* False when it refuses. */
static bool
canonical_libxml2(const xmlNode *top, const xmlNode *without, const struct c14n_prefixes *inclusive,
                  struct buf *out)
{
    struct diag diag;
    struct kit_subtree subtree = {top, without};
    xmlChar *prefixes[C14N_PREFIXES_MAX + 1] = {NULL};
    xmlOutputBuffer *const written = xmlAllocOutputBuffer(NULL);
    diag_clear(&diag);
    buf_init(out, BYTES_MAX);
    for (size_t i = 0; i < inclusive->n; i++) {
        prefixes[i] = (xmlChar *)(inclusive->items[i] == NULL ? "#default" : inclusive->items[i]);
    }
    const bool is_good = xmlC14NExecute(top->doc, kit_is_visible, &subtree, XML_C14N_EXCLUSIVE_1_0,
                                        inclusive->n == 0 ? NULL : prefixes, 0, written) >= 0;
    const struct span bytes =
        span_of((const char *)xmlOutputBufferGetContent(written), xmlOutputBufferGetSize(written));
    CHECK_OK(&diag, buf_append(out, bytes, &diag));
    (void)xmlOutputBufferClose(written);
    return is_good;
}

/* ---- both ---- */

static size_t compared;

static bool
check_same(const char *name, const xmlNode *top, const xmlNode *without,
           const struct c14n_prefixes *inclusive)
{
    struct buf ours;
    struct buf theirs;
    const bool is_known = canonical(top, without, inclusive, &ours);
    const bool is_good = canonical_libxml2(top, without, inclusive, &theirs);
    const bool is_same = is_known && is_good && span_eq(buf_span(&ours), buf_span(&theirs));
    if (!is_same) {
        printf("%s, <%s>, %zu prefixes: %s\n  ours:    %.*s\n  libxml2: %.*s\n", name,
               (const char *)top->name, inclusive->n, is_known ? "differs" : "not known",
               SPAN_PRINT(buf_span(&ours)), SPAN_PRINT(buf_span(&theirs)));
    }
    CU_ASSERT(is_same);
    compared++;
    buf_done(&ours);
    buf_done(&theirs);
    return is_same;
}

static const char *const lists[] = {"",   "a",          "#default",       "b a", "xml", "nobody",
                                    "xs", "#default a", "a b #default c", "c b"};

static void
read_list(const char *text, struct c14n_prefixes *prefixes)
{
    prefixes->n = 0;
    CU_ASSERT_FATAL(text[0] == '\0' || c14n_read_prefixes(span_of_cstr(text), prefixes));
}

static bool
check_element(const char *name, const xmlNode *top)
{
    bool is_same = true;
    for (size_t i = 0; is_same && i < ARRAY_LEN(lists); i++) {
        struct c14n_prefixes inclusive;
        read_list(lists[i], &inclusive);
        is_same = check_same(name, top, NULL, &inclusive);
        const xmlNode *child = xml_first(top);
        for (; is_same && child != NULL; child = xml_next(child)) {
            is_same = check_same(name, top, child, &inclusive);
        }
    }
    return is_same;
}

static struct message_limits
wide_limits(void)
{
    struct message_limits limits = message_limits_answer();
    limits.depth = 1000;
    limits.attributes = 1000;
    limits.start_tag_bytes = 64 * 1024;
    return limits;
}

static void
check_document(const char *name, struct span xml, size_t elements_max)
{
    struct arena *const arena = arena_new(BYTES_MAX);
    const struct message_limits limits = wide_limits();
    struct diag diag;
    xmlDoc *doc = NULL;
    size_t n = 0;
    if (CHECK_OK(&diag, xml_parse(xml, &limits, arena, &diag, &doc))) {
        const xmlNode *const root = xml_root(doc);
        for (const xmlNode *node = root; node != NULL && n < elements_max;
             node = xml_walk(node, root)) {
            n = check_element(name, node) ? n + 1 : elements_max;
        }
    }
    arena_free(arena);
}

static const struct {
    const char *name, *xml;
} documents[] = {
    {"one element", "<a/>"},
    {"attributes in order",
     "<r z='1' a='2' xmlns:b='urn:1' xmlns:a='urn:2' a:z='3' b:a='4' b:b='5' a:a='6'/>"},
    {"attributes by namespace, not by prefix",
     "<r xmlns:z='urn:a' xmlns:a='urn:z' a:x='1' z:x='2'><q a:x='1' z:x='2'/></r>"},
    {"one namespace, two prefixes",
     "<a:r xmlns:a='urn:1' xmlns:b='urn:1'><b:q/><a:q b:x='1'/><b:q a:x='1'/></a:r>"},
    {"attributes of xml:",
     "<r xml:lang='en' xml:space='preserve' b='1' xmlns:y='urn:y' y:a='2' xmlns:i='http://zzz/' "
     "i:a='3'><q xml:id='x1' a='1'/></r>"},
    {"an element of xml:", "<r><xml:q xml:a='1'/></r>"},
    {"namespaces not used", "<r xmlns:a='urn:a' xmlns:b='urn:b'><q><b:s/></q></r>"},
    {"declared twice",
     "<a:r xmlns:a='urn:a'><a:q xmlns:a='urn:a'><a:s xmlns:a='urn:a'/></a:q></a:r>"},
    {"declared anew, and back",
     "<a:r xmlns:a='urn:1'><a:q xmlns:a='urn:2'><a:s xmlns:a='urn:1'/><a:t/></a:q><a:u/></a:r>"},
    {"declared anew, not used",
     "<a:r xmlns:a='urn:1'><q xmlns:a='urn:2'><s xmlns:a='urn:1'><a:t/></s></q><a:u/></a:r>"},
    {"default namespace", "<r xmlns='urn:d'><q><s xmlns='urn:e'/></q></r>"},
    {"default undeclared", "<r xmlns='urn:d'><q xmlns=''><s/><t xmlns='urn:d'><u/></t></q></r>"},
    {"default undeclared where there is none", "<r xmlns=''><q xmlns=''/></r>"},
    {"default undeclared below a prefix",
     "<a:r xmlns:a='urn:a' xmlns='urn:d'><q xmlns=''><a:s/></q><a:q><t/></a:q></a:r>"},
    {"default undeclared twice", "<r xmlns='urn:d'><q xmlns=''><s xmlns=''/></q></r>"},
    {"default between prefixes",
     "<r xmlns='urn:d' xmlns:a='urn:a'><a:q><s/><a:t><u xmlns='urn:e'><a:v/></u></a:t></a:q></r>"},
    {"default not used above",
     "<a:r xmlns:a='urn:a' xmlns='urn:d'><a:q xmlns=''><s/></a:q><a:q><s/></a:q></a:r>"},
    {"default used by nobody", "<a:r xmlns:a='urn:a' xmlns='urn:d'><a:q/></a:r>"},
    {"prefixes in the order of their names",
     "<z:r xmlns:z='urn:1' xmlns:b='urn:2' xmlns:a='urn:3' xmlns='urn:4' a:x='1' b:x='2'/>"},
    {"prefixes that begin alike",
     "<ab:r xmlns:ab='urn:1' xmlns:a='urn:2' xmlns:abc='urn:3' a:x='1' abc:x='2'/>"},
    {"prefixes of capitals",
     "<Z:r xmlns:Z='urn:1' xmlns:a='urn:2' xmlns:_='urn:3' a:x='1' _:x='2'/>"},
    {"text", "<r>a &amp; b &lt; c > d ]]&gt; \" ' \t\n&#13; &#9;&#10;</r>"},
    {"text with line ends", "<r>a\r\nb\rc\nd&#13;&#10;e</r>"},
    {"attribute values",
     "<r a='&quot;&apos;&lt;>&amp;' b='&#9;&#10;&#13;' c=' x\ty\nz ' d='' e=\"'\"/>"},
    {"CDATA sections", "<r><![CDATA[<a>&amp;]]>x<![CDATA[]]><![CDATA[]]]]><![CDATA[>]]>\r\n</r>"},
    {"instructions", "<?p q?><r><?a?><?b  c d ?><?e &#13;<>&?><q/><?z\r\n y?></r><?after x?>"},
    {"comments", "<!--1--><r><!--2-->a<!--3-->b<q><!--&<--></q></r><!--4-->"},
    {"other scripts",
     "<r \xC3\xA4='\xE2\x82\xAC'>\xF0\x9F\x98\x80<\xC3\xA5:q xmlns:\xC3\xA5='urn:x'/></r>"},
    {"references to characters", "<r a='&#x20AC;'>&#x1F600;&#65;</r>"},
    {"mixed", "<r>a<b>c<d/>e</b>f<g/>h</r>"},
    {"white space", "<r>\n  <a>\n\t<b/>\n  </a>\n</r>"},
    {"prefixes in values only",
     "<a:r xmlns:a='urn:a' xmlns:xs='urn:xs' xmlns:xsi='urn:xsi'><a:v xsi:type='xs:string'>1</a:v>"
     "<a:v xmlns:xs='urn:other' xsi:type='xs:string'>1</a:v></a:r>"},
    {"inclusive, declared anew",
     "<r xmlns:a='urn:1' xmlns:b='urn:2'><q xmlns:a='urn:3'><s xmlns:a='urn:1'><a:t/></s></q></r>"},
    {"inclusive and used", "<a:r xmlns:a='urn:1' xmlns:b='urn:2'><b:q a:x='1'><a:s xmlns:b='urn:3' "
                           "b:y='2'/></b:q></a:r>"},
    {"inclusive, first below",
     "<r><q xmlns:a='urn:1'><s><a:t/></s></q><q xmlns:b='urn:1'><b:t a='1'/></q></r>"},
    {"names of namespaces",
     "<r xmlns:a='http://www.w3.org/2000/09/xmldsig#' "
     "xmlns:b='urn:oasis:names:tc:SAML:2.0:assertion' "
     "xmlns:c='https://h/a/b-c_d~e.f' xmlns:d='x:y' xmlns:e='http://h' xmlns:f='http://h#'>"
     "<a:q/><b:q/><c:q/><d:q/><e:q/><f:q/></r>"},
};

static void
test_documents(void)
{
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        check_document(documents[i].name, span_of_cstr(documents[i].xml), SIZE_MAX);
    }
    printf("%zu pairs of canonical forms compared\n", compared);
    CU_ASSERT(compared > 1000);
}

/* ---- long ones ---- */

/* @ stands for the number. */
static void
append(struct buf *out, const char *text, size_t number)
{
    struct diag diag;
    diag_clear(&diag);
    for (; *text != '\0'; text++) {
        if (*text == '@') {
            CHECK_OK(&diag, buf_printf(out, &diag, "%zu", number));
        } else {
            CHECK_OK(&diag, buf_append_char(out, *text, &diag));
        }
    }
}

/* Blocks of every kind cross the edges of the writer's block. */
static void
test_blocks(void)
{
    for (size_t shift = 0; shift < 40; shift++) {
        struct buf xml;
        buf_init(&xml, BYTES_MAX);
        append(&xml, "<a:r xmlns:a='urn:a'><q>", 0);
        for (size_t i = 0; i < 4050 + shift; i++) {
            append(&xml, "x", i);
        }
        append(&xml, "&amp;<a:s b='1&lt;2'/>&#13;</q><t>", 0);
        for (size_t i = 0; i < 9000; i++) {
            append(&xml, i % 97 == 0 ? "&lt;" : "y", i);
        }
        append(&xml, "</t></a:r>", 0);
        check_document("blocks", buf_span(&xml), 1);
        buf_done(&xml);
    }
}

/* <n> of them are known, one more is not: but what is known is right. */
static void
check_limit(const char *name, const char *before, const char *each, const char *after, size_t n,
            bool is_known)
{
    struct arena *const arena = arena_new(BYTES_MAX);
    struct message_limits limits = wide_limits();
    const struct c14n_prefixes nothing = {.n = 0};
    struct diag diag;
    struct buf xml;
    struct buf ours;
    struct buf theirs;
    xmlDoc *doc = NULL;
    buf_init(&xml, BYTES_MAX);
    append(&xml, before, 0);
    for (size_t i = 0; i < n; i++) {
        append(&xml, each, i);
    }
    append(&xml, after, 0);
    for (size_t i = 0; each[0] == '<' && i < n; i++) {
        append(&xml, "</n@:q>", n - 1 - i);
    }
    append(&xml, "</r>", 0);
    if (CHECK_OK(&diag, xml_parse(buf_span(&xml), &limits, arena, &diag, &doc))) {
        const bool was_known = canonical(xml_root(doc), NULL, &nothing, &ours);
        if (was_known != is_known) {
            printf("%s: %zu: known %d\n", name, n, was_known);
        }
        CU_ASSERT_EQUAL(was_known, is_known);
        CU_ASSERT(canonical_libxml2(xml_root(doc), NULL, &nothing, &theirs));
        CU_ASSERT(!is_known || span_eq(buf_span(&ours), buf_span(&theirs)));
        buf_done(&ours);
        buf_done(&theirs);
    }
    buf_done(&xml);
    arena_free(arena);
}

static void
test_limits(void)
{
    check_limit("attributes", "<r", " a@='1'", ">", 256, true);
    check_limit("attributes", "<r", " a@='1'", ">", 257, false);
    check_limit("levels", "<r>", "<n@:q xmlns:n@='urn:x'>", "", 255, true);
    check_limit("levels", "<r>", "<n@:q xmlns:n@='urn:x'>", "", 256, false);
    check_limit("namespaces", "<r xmlns:z='urn:z' z:x='1'>",
                "<n@:q xmlns:n@='urn:x' xmlns:z='urn:y' z:x='1'>", "", 127, true);
    check_limit("namespaces", "<r xmlns:z='urn:z' z:x='1'>",
                "<n@:q xmlns:n@='urn:x' xmlns:m='urn:m' m:x='1'>", "", 254, true);
    check_limit("namespaces", "<r xmlns:z='urn:z' z:x='1' xmlns:y='urn:y' y:x='1'>",
                "<n@:q xmlns:n@='urn:x' xmlns:m='urn:m' m:x='1'>", "", 254, false);
}

/* ---- messages ---- */

static void
test_messages(void)
{
    static const enum kit_who signers[] = {KIT_RSA, KIT_EC, KIT_EC384};
    for (size_t i = 0; i < ARRAY_LEN(signers); i++) {
        struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct assertion_order order = kit_order(signers[i]);
        order.style.has_authz_decision = true;
        check_document("a message", kit_message(&order, arena), SIZE_MAX);
        arena_free(arena);
    }
}

/* ---- what is not known ---- */

static const char *const unknown[] = {
    "<r xmlns:a='urn:a\"b' a:x='1'/>",
    "<r xmlns:a='urn:a b' a:x='1'/>",
    "<r xmlns:a='urn:a&lt;b' a:x='1'/>",
    "<r xmlns:a='http://h:80/a' a:x='1'/>",
    "<r xmlns:a='http://[::1]/a' a:x='1'/>",
    "<r xmlns:a='relative' a:x='1'/>",
    "<r xmlns:a='/absolute/path'/>",
    "<r xmlns:a='urn:a&#10;b'/>",
    "<r xmlns:a='a~b'/>",
    "<r xmlns:a='urn:'/>",
    "<r xmlns:a='http://'/>",
    "<r xmlns:a='http:///a'/>",
    "<r xmlns:a='urn:a#b#c'/>",
    "<r xmlns:a='urn:a%20b'/>",
    "<r xmlns:a='1urn:a'/>",
    "<r xmlns:a='urn:a?b'/>",
    "<r xmlns='urn:\xC3\xA4'/>",
    "<r><q xmlns:a='#here'/></r>",
};

static void
test_unknown(void)
{
    const struct c14n_prefixes nothing = {.n = 0};
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
        struct buf out;
        xmlDoc *const doc = xmlReadDoc((const xmlChar *)unknown[i], NULL, NULL, 0);
        CU_ASSERT_FATAL(doc != NULL);
        const bool is_known = canonical(xml_root(doc), NULL, &nothing, &out);
        if (is_known) {
            printf("known: %s\n", unknown[i]);
        }
        CU_ASSERT(!is_known);
        buf_done(&out);
        xmlFreeDoc(doc);
    }
}

/* Trees that no parse of ours makes. */
static void
check_node_unknown(xmlNode *node)
{
    const struct c14n_prefixes nothing = {.n = 0};
    struct buf out;
    xmlDoc *const doc = xmlReadDoc((const xmlChar *)"<r><q/>text</r>", NULL, NULL, 0);
    CU_ASSERT_FATAL(doc != NULL && node != NULL);
    xmlNode *const root = xmlDocGetRootElement(doc);
    CU_ASSERT(canonical(root, NULL, &nothing, &out));
    buf_done(&out);
    (void)xmlAddChild(root, node);
    CU_ASSERT(!canonical(root, NULL, &nothing, &out));
    buf_done(&out);
    CU_ASSERT(!canonical(node, NULL, &nothing, &out)); /* no element */
    buf_done(&out);
    xmlFreeDoc(doc);
}

static void
test_unknown_nodes(void)
{
    const struct c14n_prefixes nothing = {.n = 0};
    struct buf out;
    check_node_unknown(xmlNewCDataBlock(NULL, (const xmlChar *)"a", 1));
    check_node_unknown(xmlNewReference(NULL, (const xmlChar *)"amp"));
    xmlDoc *const doc = xmlReadDoc((const xmlChar *)"<r a='1'/>", NULL, NULL, 0);
    xmlNode *const root = xmlDocGetRootElement(doc);
    (void)xmlAddChild((xmlNode *)root->properties, xmlNewReference(doc, (const xmlChar *)"amp"));
    CU_ASSERT(!canonical(root, NULL, &nothing, &out));
    buf_done(&out);
    CU_ASSERT(!canonical(root, root, &nothing, &out)); /* nothing would be left */
    buf_done(&out);
    xmlFreeDoc(doc);
}

/* A parse makes line feeds of them, and knows no references in an instruction. */
static void
test_instructions(void)
{
    const struct c14n_prefixes nothing = {.n = 0};
    xmlDoc *const doc = xmlReadDoc((const xmlChar *)"<r/>", NULL, NULL, 0);
    xmlNode *const root = xmlDocGetRootElement(doc);
    (void)xmlAddChild(root, xmlNewDocPI(doc, (const xmlChar *)"p", (const xmlChar *)"a\r<&b"));
    (void)xmlAddChild(root, xmlNewDocPI(doc, (const xmlChar *)"q", (const xmlChar *)""));
    CU_ASSERT(check_same("instructions", root, NULL, &nothing));
    xmlFreeDoc(doc);
}

/* A default namespace that was written and is not in scope: only in trees made by hand, where an
 * attribute without a prefix has a namespace. */
static void
test_lost_default(void)
{
    const struct c14n_prefixes nothing = {.n = 0};
    struct buf out;
    xmlDoc *const doc = xmlReadDoc((const xmlChar *)"<r a='1'><q/></r>", NULL, NULL, 0);
    xmlNode *const root = xmlDocGetRootElement(doc);
    xmlNs ns = {.type = XML_NAMESPACE_DECL, .href = (const xmlChar *)"urn:d"};
    root->properties->ns = &ns;
    CU_ASSERT(!canonical(root, NULL, &nothing, &out));
    buf_done(&out);
    root->properties->ns = NULL;
    CU_ASSERT(canonical(root, NULL, &nothing, &out));
    buf_done(&out);
    xmlFreeDoc(doc);
}

static size_t takes;

static bool
take_once(void *arg, struct span bytes)
{
    (void)arg;
    (void)bytes;
    return takes++ == 0;
}

/* Who takes the bytes may fail, and is not asked again. */
static void
test_taker_fails(void)
{
    struct buf xml;
    struct arena *const arena = arena_new(BYTES_MAX);
    const struct message_limits limits = wide_limits();
    const struct c14n_prefixes nothing = {.n = 0};
    struct diag diag;
    xmlDoc *doc = NULL;
    buf_init(&xml, BYTES_MAX);
    append(&xml, "<r>", 0);
    for (size_t i = 0; i < 3000; i++) {
        append(&xml, "<abcdef/>", i);
    }
    append(&xml, "</r>", 0);
    CHECK_OK(&diag, xml_parse(buf_span(&xml), &limits, arena, &diag, &doc));
    const struct c14n c14n = {.top = xml_root(doc), .inclusive = &nothing, .take = take_once};
    takes = 0;
    CU_ASSERT(!c14n_write(&c14n));
    CU_ASSERT_EQUAL(takes, 2);
    arena_free(arena);
    buf_done(&xml);
}

/* ---- PrefixList ---- */

static const struct {
    const char *list;
    bool is_known;
    size_t n;
} prefix_lists[] = {
    {"", false, 0},     {" ", false, 0},     {"a", true, 1},        {"a b", true, 2},
    {"a  b", false, 0}, {" a", false, 0},    {"a ", false, 0},      {"a\tb", false, 0},
    {"a\nb", false, 0}, {"a b\r", false, 0}, {"#default", true, 1}, {"a #default b", true, 3},
};

static void
test_prefix_lists(void)
{
    struct c14n_prefixes prefixes;
    char longest[600] = "a";
    for (size_t i = 0; i < ARRAY_LEN(prefix_lists); i++) {
        const bool is_known = c14n_read_prefixes(span_of_cstr(prefix_lists[i].list), &prefixes);
        CU_ASSERT_EQUAL(is_known, prefix_lists[i].is_known);
        CU_ASSERT(!is_known || prefixes.n == prefix_lists[i].n);
    }
    CU_ASSERT(c14n_read_prefixes(SPAN("a #default b"), &prefixes) && prefixes.items[1] == NULL);
    CU_ASSERT(strcmp(prefixes.items[0], "a") == 0 && strcmp(prefixes.items[2], "b") == 0);
    for (size_t i = 1; i < C14N_PREFIXES_MAX; i++) {
        (void)strncat(longest, " a", sizeof(longest) - strlen(longest) - 1);
    }
    CU_ASSERT(c14n_read_prefixes(span_of_cstr(longest), &prefixes));
    (void)strncat(longest, " a", sizeof(longest) - strlen(longest) - 1);
    CU_ASSERT(!c14n_read_prefixes(span_of_cstr(longest), &prefixes));
    memset(longest, 'a', sizeof(longest));
    CU_ASSERT(c14n_read_prefixes(span_of(longest, 511), &prefixes));
    CU_ASSERT(!c14n_read_prefixes(span_of(longest, 512), &prefixes));
}

/* ---- names of namespaces: whatever is plain, libxml2 takes as an absolute URI ---- */

static bool
is_uri_with_scheme(const char *name)
{
    xmlURI *const uri = xmlParseURI(name);
    const bool is_good = uri != NULL && uri->scheme != NULL;
    xmlFreeURI(uri);
    return is_good;
}

static void
test_plain_names(void)
{
    static const char alphabet[] = "a1:/#.-_~+%?[]@ \"&";
    char name[8] = "";
    size_t plain = 0;
    uint64_t state = 1;
    for (size_t round = 0; round < 400000; round++) {
        size_t n = round % 3 == 0 ? 2 : 0; /* "a:" */
        memcpy(name, "a:", 2);
        for (; n < 1 + round % 7; n++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407U;
            name[n] = alphabet[(state >> 33) % (sizeof(alphabet) - 1)];
        }
        name[n] = '\0';
        xmlNs ns = {.type = XML_NAMESPACE_DECL, .href = (const xmlChar *)name};
        const xmlNode node = {.type = XML_ELEMENT_NODE, .nsDef = &ns};
        if (c14n_has_plain_names(&node)) {
            plain++;
            if (!is_uri_with_scheme(name)) {
                printf("plain, and no URI: %s\n", name);
                CU_FAIL("a name that libxml2 refuses");
            }
        }
    }
    CU_ASSERT(plain > 1000);
}

int
main(void)
{
    static const struct unit_test tests[] = {
        {"documents", test_documents},
        {"blocks", test_blocks},
        {"limits", test_limits},
        {"messages", test_messages},
        {"unknown names of namespaces", test_unknown},
        {"unknown nodes", test_unknown_nodes},
        {"a default namespace that is lost", test_lost_default},
        {"instructions", test_instructions},
        {"who takes the bytes fails", test_taker_fails},
        {"lists of prefixes", test_prefix_lists},
        {"plain names", test_plain_names},
    };
    kit_init();
    const int result = unit_main("c14n", tests, ARRAY_LEN(tests));
    kit_done();
    return result;
}
