/*
 * What is refused before libxml2 sees it, by error name and at the exact limit; and that pre-scan
 * and parser agree about where markup is.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libxml/parser.h>

#include "base/buf.h"
#include "soap/prescan.h"
#include "soap/security.h"
#include "soap/xml.h"
#include "tests/unit/unit.h"

static const struct message_limits small = {
    .root_part_bytes = 4000,
    .nodes = 10,
    .depth = 5,
    .attributes = 3,
    .start_tag_bytes = 60,
};

static struct status
scan(struct span xml, struct diag *diag)
{
    struct prescan_counts counts;
    diag_clear(diag);
    return prescan(xml, &small, diag, &counts);
}

/* ---- syntax ---- */

static void
test_refused(void)
{
    static const struct {
        const char *xml;
        enum err want;
    } rows[] = {
        {"", ERR_XML_SYNTAX},
        {" ", ERR_XML_SYNTAX},
        {"text", ERR_XML_SYNTAX},
        {"<a>", ERR_XML_SYNTAX},
        {"</a>", ERR_XML_SYNTAX},
        {"<a/><b/>", ERR_XML_SYNTAX},
        {"<a></a></a>", ERR_XML_SYNTAX},
        {"<a/>text", ERR_XML_SYNTAX},
        {"<a/>&amp;", ERR_XML_SYNTAX},
        {"<a><</a>", ERR_XML_SYNTAX},
        {"<a>< b/></a>", ERR_XML_SYNTAX},
        {"<a>&</a>", ERR_XML_SYNTAX},
        {"<a>&x;</a>", ERR_XML_SYNTAX},
        {"<a>&nbsp;</a>", ERR_XML_SYNTAX},
        {"<a>&#;</a>", ERR_XML_SYNTAX},
        {"<a>&#x;</a>", ERR_XML_SYNTAX},
        {"<a>&#xg;</a>", ERR_XML_SYNTAX},
        {"<a>&#1x;</a>", ERR_XML_SYNTAX},
        {"<a>&#00000000000000000065;</a>", ERR_XML_SYNTAX},
        {"<a b=\"&x;\"/>", ERR_XML_SYNTAX},
        {"<a b=\"<\"/>", ERR_XML_SYNTAX},
        {"<a b=\"/>", ERR_XML_SYNTAX},
        {"<a b='\">", ERR_XML_SYNTAX},
        {"<a <b/>", ERR_XML_SYNTAX},
        {"<a / >", ERR_XML_SYNTAX},
        {"<a /b=\"\">", ERR_XML_SYNTAX},
        {"<a></a <b/>>", ERR_XML_SYNTAX},
        {"<a", ERR_XML_SYNTAX},
        {"<a></a", ERR_XML_SYNTAX},
        {"<a><!-- ", ERR_XML_SYNTAX},
        {"<a><!-- -- --></a>", ERR_XML_SYNTAX},
        {"<a><!-- ---></a>", ERR_XML_SYNTAX},
        {"<a><![CDATA[ ]]", ERR_XML_SYNTAX},
        {"<![CDATA[]]><a/>", ERR_XML_SYNTAX},
        {"<a/><![CDATA[]]>", ERR_XML_SYNTAX},
        {"<a><?", ERR_XML_SYNTAX},
        {"<a><? x?></a>", ERR_XML_SYNTAX},
        {"<a><?x></a>", ERR_XML_SYNTAX},
        {"<?xml version=\"1.1\"?><a/>", ERR_XML_SYNTAX},
        {"<?xml version=\"1.0\"encoding=\"UTF-8\"?><a/>", ERR_XML_SYNTAX},
        {"<?xml encoding=\"UTF-8\"?><a/>", ERR_XML_SYNTAX},
        {"<?xml version=\"1.0\" x=\"y\"?><a/>", ERR_XML_SYNTAX},
        {"<?xml version='1.0\"?><a/>", ERR_XML_SYNTAX},
        {"<?xml version=\"1.0\"", ERR_XML_SYNTAX},
        {"<a>\x01</a>", ERR_XML_SYNTAX},
        {"<a>\xEF\xBF\xBE</a>", ERR_XML_SYNTAX},
        {"<!DOCTYPE a><a/>", ERR_XML_DTD},
        {"<!doctype a><a/>", ERR_XML_DTD},
        {"<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY b \"c\">]><a/>", ERR_XML_DTD},
        {"<!-- x --><!DOCTYPE a><a/>", ERR_XML_DTD},
        {"<a><!ENTITY b \"c\"></a>", ERR_XML_DTD},
        {"<a><!ELEMENT a ANY></a>", ERR_XML_DTD},
        {"<a><![INCLUDE[<b/>]]></a>", ERR_XML_DTD},
        {"<a><![cdata[x]]></a>", ERR_XML_DTD},
        {"<a><!></a>", ERR_XML_DTD},
        {"<a><!- x --></a>", ERR_XML_DTD},
        {"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>", ERR_XML_ENCODING},
        {"<?xml version=\"1.0\" encoding='UTF-16'?><a/>", ERR_XML_ENCODING},
        {"<?xml version=\"1.0\" encoding=\"UTF-7\"?><a/>", ERR_XML_ENCODING},
        {"\xFF\xFE<", ERR_XML_ENCODING},
        {"<a>\xE9</a>", ERR_XML_ENCODING},
        {"<a>\xC0\x80</a>", ERR_XML_ENCODING},
        {"<a>\xED\xA0\x80</a>", ERR_XML_ENCODING},
        {"<a>\xF4\x90\x80\x80</a>", ERR_XML_ENCODING},
        {"Lo\xA7\x94", ERR_XML_ENCODING}, /* <?xml in EBCDIC */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag;
        if (!CHECK_ERR(&diag, rows[i].want, scan(span_of_cstr(rows[i].xml), &diag))) {
            printf("      %s\n", rows[i].xml);
        }
    }
    struct diag diag;
    CHECK_ERR(&diag, ERR_XML_ENCODING, scan(span_of("<a>\0</a>", 8), &diag));
    CHECK_ERR(&diag, ERR_XML_ENCODING, scan(span_of("<\0a\0/\0>\0", 8), &diag));
}

static void
test_accepted(void)
{
    static const char *const rows[] = {
        "<a/>",
        " \n<a/> \n",
        "\xEF\xBB\xBF<a/>",
        "\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8' standalone='no' ?><a/>",
        "<?xml version = \"1.0\"?><a/>",
        "<?xml-stylesheet href=\"x\"?><a/>",
        "<a b=\">\" c='/>'>]]<d/></a>",
        "<a><![CDATA[<!DOCTYPE x><b></a>]]></a>",
        "<a><![CDATA[]]]]><![CDATA[>]]></a>",
        "<a><!-- <!DOCTYPE x> <b> & ' \" --></a>",
        "<a><?p <!DOCTYPE x> <b> & ?></a>",
        "<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;</a>",
        "<_a:b xmlns:_a='urn:x' _a:c=\"'\"></_a:b>",
        "<a><b\n\t c = 'd'\n/></a >",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag;
        if (!CHECK_OK(&diag, scan(span_of_cstr(rows[i]), &diag))) {
            printf("      %s\n", rows[i]);
        }
    }
}

/* ---- limits: at the limit, and one more ---- */

static void
repeat(struct buf *out, const char *before, const char *piece, size_t n, const char *after)
{
    struct diag diag;
    diag_clear(&diag);
    buf_init(out, (size_t)64 * 1024 * 1024);
    CHECK_OK(&diag, buf_append_cstr(out, before, &diag));
    bool is_good = true;
    for (size_t i = 0; i < n; i++) {
        is_good = is_good && is_ok(buf_append_cstr(out, piece, &diag));
    }
    CU_ASSERT_FATAL(is_good);
    CHECK_OK(&diag, buf_append_cstr(out, after, &diag));
}

static void
test_limits(void)
{
    static const struct {
        const char *before, *piece, *after;
        size_t most;
    } rows[] = {
        {"", "<a>", "", 5},            /* depth (not closed: syntax, not limit) */
        {"<a>", "<b/>", "</a>", 9},    /* elements */
        {"<a>", "<!---->", "</a>", 9}, /* comments are nodes, too */
        {"<a>", "<![CDATA[]]>", "</a>", 9},
        {"<a>", "<?p?>", "</a>", 9},
        {"<a>", "x<b/>", "</a>", 4},      /* texts */
        {"<a>", "<b c='d'/>", "</a>", 3}, /* attributes count twice */
        {"<a>", "<b xmlns='urn:d'/>", "</a>", 3},
        {"<a ", "b=\"\" ", "/>", 3},     /* attributes of one element */
        {"<a ", "xmlns:b='' ", "/>", 3}, /* declarations */
        {"<a b='", "x", "'/>", 51},      /* one long value */
        {"<a", " ", "/>", 56},           /* a long tag without any */
        {"<a>", "x", "</a>", 3993},      /* bytes */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t more = 0; more < 2; more++) {
            struct buf xml;
            struct diag diag;
            repeat(&xml, rows[i].before, rows[i].piece, rows[i].most + more, rows[i].after);
            const enum err want = more == 1 ? ERR_LIMIT_XML : i == 0 ? ERR_XML_SYNTAX : ERR_NONE;
            if (!CHECK_ERR(&diag, want, scan(buf_span(&xml), &diag))) {
                printf("      %.*s\n", SPAN_PRINT(buf_span(&xml)));
            }
            buf_done(&xml);
        }
    }
}

/* Documents that cost libxml2 seconds: refused in the time of one look. */
static void
test_hostile_cost(void)
{
    static const struct {
        const char *before, *piece, *after;
        size_t n;
    } rows[] = {
        {"<a ", "b=\"\" ", "/>", 120000},
        {"<a ", "xmlns:b='x' ", "/>", 40000},
        {"", "<a>", "", 300000},
        {"<a>", "<b/>", "</a>", 200000},
        {"<a>", "&amp;", "</a>", 190000},
        {"<a>", "<!---->", "</a>", 140000},
        {"<a>", "]]>", "</a>", 300000},
        {"<a b='", "'", "/>", 900000},
        {"<a>", "<![CDATA[", "</a>", 100000},
        {"<a>", "<!--", "</a>", 200000},
        {"<a>", "<?x", "</a>", 200000},
    };
    const struct message_limits limits = message_limits_request((size_t)1024 * 1024);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf xml;
        struct diag diag;
        struct prescan_counts counts;
        struct timespec from;
        struct timespec to;
        diag_clear(&diag);
        repeat(&xml, rows[i].before, rows[i].piece, rows[i].n, rows[i].after);
        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
        const struct status st = prescan(buf_span(&xml), &limits, &diag, &counts);
        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
        const double ms =
            (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
        if (ms >
            2000) { /* a few ms of the processor; what looks back at each piece takes minutes */
            printf("\n      row %zu took %.1f ms\n", i, ms);
        }
        CU_ASSERT(ms <= 2000 && st.code == diag.code);
        buf_done(&xml);
    }
}

/* ---- pre-scan and parser agree ---- */

static size_t
count_elements(const xmlDoc *doc)
{
    size_t n = 0;
    const xmlNode *const root = xml_root(doc);
    for (const xmlNode *node = root; node != NULL; node = xml_walk(node, root)) {
        n++;
    }
    return n;
}

static uint32_t seed = 1;

static uint32_t
next_random(uint32_t below)
{
    seed = seed * UINT32_C(1664525) + UINT32_C(1013904223);
    return (seed >> 8) % below;
}

/* Random strings of markup: whatever both accept has the same number of elements, and libxml2 sees
 * no DTD in anything that the pre-scan passed. */
static void
test_agreement(void)
{
    static const char *const pieces[] = {
        "<a>",         "</a>", "<a/>",   "<a b='>'>",
        "<a b=\"'\">", "<!--", "-->",    "<![CDATA[",
        "]]>",         "<?p ", "?>",     "&amp;",
        "&#65;",       "x",    " ",      "'",
        "\"",          ">",    "<",      "/",
        "<!",          "[",    "<a b='", "'/>",
        "\xC3\xA5",    "--",   "]]",     "<p:a xmlns:p='urn:p'/>",
        "\r\n",        "&",
    };
    size_t accepted = 0;
    for (int round = 0; round < 100000; round++) {
        char xml[256] = "<a>";
        size_t n = 3;
        const uint32_t parts = 1 + next_random(8);
        for (uint32_t i = 0; i < parts; i++) {
            const char *const piece = pieces[next_random(ARRAY_LEN(pieces))];
            memcpy(xml + n, piece, strlen(piece));
            n += strlen(piece);
        }
        memcpy(xml + n, "</a>", 4);
        n += 4;
        struct diag diag;
        struct prescan_counts counts;
        diag_clear(&diag);
        const struct message_limits limits = message_limits_request(1000);
        if (!is_ok(prescan(span_of(xml, n), &limits, &diag, &counts))) {
            continue;
        }
        xmlDoc *const doc = xmlReadMemory(xml, (int)n, NULL, NULL, XML_PARSE_NONET);
        if (doc != NULL) {
            accepted++;
            if (count_elements(doc) != counts.elements || doc->intSubset != NULL) {
                CU_FAIL("pre-scan and parser disagree");
                printf("\n      %.*s\n", (int)n, xml);
            }
            xmlFreeDoc(doc);
        }
    }
    CU_ASSERT(accepted > 1000);
}

/* Well-formed for libxml2 alone, and still refused: what its own check leaves open. */
static void
test_parse(void)
{
    static const struct {
        const char *xml;
        enum err want;
    } rows[] = {
        {"<a:b/>", ERR_XML_SYNTAX},
        {"<a b:c=''/>", ERR_XML_SYNTAX},
        {"<a b='1' b='2'/>", ERR_XML_SYNTAX},
        {"<a xmlns:p='urn:x' xmlns:q='urn:x' p:b='1' q:b='2'/>", ERR_XML_SYNTAX},
        {"<a xmlns:p=''/>", ERR_XML_SYNTAX},
        {"<a xmlns:p='urn:x?b=1&amp;c=2'/>", ERR_XML_SYNTAX}, /* libxml2 misreads it */
        {"<a><b xmlns='urn:x&#38;'/></a>", ERR_XML_SYNTAX},
        {"<a></b>", ERR_XML_SYNTAX},
        {"<a>&#0;</a>", ERR_XML_SYNTAX},
        {"<a>&#xFFFE;</a>", ERR_XML_SYNTAX},
        {"<a>\xEF\xBF\xBF</a>", ERR_XML_SYNTAX},
        {"<a>]]></a>", ERR_XML_SYNTAX},
        {"<a b=c/>", ERR_XML_SYNTAX},
        {"<a b='1'c='2'/>", ERR_XML_SYNTAX},
        {"<a><?xml version='1.0'?></a>", ERR_XML_SYNTAX},
        {"<a xmlns='urn:x' xmlns:p='urn:p' p:b='&amp;&lt;&#10;'>t&gt;<![CDATA[<]]></a>", ERR_NONE},
    };
    const struct message_limits limits = message_limits_request(1000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        xmlDoc *doc = NULL;
        diag_clear(&diag);
        if (!CHECK_ERR(&diag, rows[i].want,
                       xml_parse(span_of_cstr(rows[i].xml), &limits, arena, &diag, &doc))) {
            printf("      %s\n", rows[i].xml);
        }
        if (rows[i].want == ERR_NONE) {
            struct span value;
            CU_ASSERT(xml_attr(xml_root(doc), "urn:p", "b", &value));
            CHECK_SPAN(value, "&<\n");
            CHECK_OK(&diag, xml_text(xml_root(doc), ERR_MESSAGE_CONTENT, arena, &diag, &value));
            CHECK_SPAN(value, "t><");
        }
        arena_free(arena);
    }
}

/* ---- real files ---- */

static const struct message_limits wide = {
    .root_part_bytes = (size_t)64 * 1024 * 1024,
    .nodes = 4000000,
    .depth = 200,
    .attributes = 64,
    .start_tag_bytes = (size_t)16 * 1024,
};
static size_t corpus_files, corpus_accepted;

/* Whatever libxml2 accepts without a document type, so do we, with as many elements. */
static int
check_file(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)where;
    const struct span name = span_of_cstr(path);
    if (type != FTW_F || info->st_size == 0 || !span_ends_with(name, SPAN(".xml"))) {
        return 0;
    }
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct buf bytes;
    xmlDoc *doc = NULL;
    diag_clear(&diag);
    buf_init(&bytes, (size_t)64 * 1024 * 1024);
    CHECK_OK(&diag, buf_read_file(&bytes, path, &diag));
    const struct status st = xml_parse(buf_span(&bytes), &wide, arena, &diag, &doc);
    xmlDoc *const other = xmlReadMemory(bytes.p, (int)bytes.n, NULL, NULL, XML_PARSE_NONET);
    const bool is_expected = other != NULL && other->intSubset == NULL;
    if (is_ok(st) != is_expected || (is_expected && count_elements(doc) != count_elements(other))) {
        CU_FAIL("a real file is read differently");
        printf("\n      %s: %s\n", path, diag.text);
    }
    corpus_files++;
    corpus_accepted += is_ok(st) ? 1 : 0;
    xmlFreeDoc(other);
    buf_done(&bytes);
    arena_free(arena);
    return 0;
}

static void
test_corpus(void)
{
    static const char *const folders[] = {"ccda", "ihe/samples"};
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        const char *const path = unit_data_path(folders[i]);
        if (path == NULL) {
            return;
        }
        CU_ASSERT(nftw(path, check_file, 16, FTW_PHYS) == 0);
    }
    printf("%zu of %zu files ", corpus_accepted, corpus_files);
    CU_ASSERT(corpus_accepted > 100);
}

/* ---- serialising ---- */

static void
test_serialise(void)
{
    static const struct {
        const char *xml, *want; /* of the first <x:b> or <b> below the root */
    } rows[] = {
        {"<a xmlns='urn:d' xmlns:p='urn:p'><b p:c=\"1\" type='p:q'>t</b></a>",
         "<b xmlns=\"urn:d\" xmlns:p=\"urn:p\" p:c=\"1\" type=\"p:q\">t</b>"},
        {"<a xmlns='urn:d' xmlns:p='urn:p'><b xmlns='' xmlns:p='urn:q'><p:c/></b></a>",
         "<b xmlns=\"\" xmlns:p=\"urn:q\"><p:c></p:c></b>"},
        {"<a xmlns=''><b>&amp;&lt;&gt;&#13;\"<c d='&quot;&lt;&#9;&#10;&#13;&amp;>'/></b></a>",
         "<b>&amp;&lt;&gt;&#xD;\"<c d=\"&quot;&lt;&#x9;&#xA;&#xD;&amp;>\"></c></b>"},
        {"<a><b>x<!-- c --><?p q?>y<c><d/><e>f</e></c>z</b></a>",
         "<b>xy<c><d></d><e>f</e></c>z</b>"},
        {"<a xml:lang='de'><b xml:space='preserve'> <c/> </b></a>",
         "<b xml:space=\"preserve\"> <c></c> </b>"},
    };
    const struct message_limits limits = message_limits_request(1000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct buf out;
        xmlDoc *doc = NULL;
        diag_clear(&diag);
        buf_init(&out, 1000);
        CHECK_OK(&diag, xml_parse(span_of_cstr(rows[i].xml), &limits, arena, &diag, &doc));
        CHECK_OK(&diag, xml_serialise(xml_first(xml_root(doc)), &out, &diag));
        CHECK_SPAN(buf_span(&out), rows[i].want);
        CHECK_OK(&diag, xml_parse(buf_span(&out), &limits, arena, &diag, &doc));
        buf_done(&out);
        arena_free(arena);
    }
}

static struct status
parse_and_serialise(struct diag *diag)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct message_limits limits = message_limits_request(1000);
    xmlDoc *doc = NULL;
    struct buf out;
    buf_init(&out, 1000);
    struct status st = arena == NULL ? FAIL(diag, ERR_NO_MEMORY, "arena")
                                     : xml_parse(SPAN("<a>x<b/></a>"), &limits, arena, diag, &doc);
    if (is_ok(st)) {
        st = xml_serialise(xml_root(doc), &out, diag);
    }
    buf_done(&out);
    arena_free(arena);
    return st;
}

static void
test_torture(void)
{
    unit_torture(parse_and_serialise);
}

static const struct unit_test tests[] = {
    /* REQ: WS-no-dtd */
    {"refused, by error name", test_refused},
    {"accepted", test_accepted},
    {"limits, at and one above", test_limits},
    {"hostile documents cost little", test_hostile_cost},
    {"pre-scan and parser agree", test_agreement},
    {"what the parser adds", test_parse},
    {"real files", test_corpus},
    {"subtrees that stand alone", test_serialise},
    {"out of memory", test_torture},
};

int
main(void)
{
    struct diag diag;
    diag_clear(&diag);
    if (!is_ok(soap_library_init(&diag))) {
        (void)fprintf(stderr, "%s\n", diag.text);
        return EXIT_FAILURE;
    }
    xmlSetGenericErrorFunc(NULL, NULL);
    const int rc = unit_main("prescan", tests, ARRAY_LEN(tests));
    soap_library_done();
    return rc;
}
