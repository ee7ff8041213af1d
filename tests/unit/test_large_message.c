/* Messages in files: parts that share the file, documents inline that leave the root part, and what
 * is refused there by the same names as in memory. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/spool.h"
#include "soap/envelope.h"
#include "soap/message_internal.h"
#include "soap/mime.h"
#include "soap/namespaces.h"
#include "soap/regrep.h"
#include "soap/xca.h"
#include "tests/unit/unit.h"

#define KB ((size_t)1024)
#define MB (KB * 1024)

#define SOAP "<s:Envelope xmlns:s='" NS_SOAP12 "'>"
#define START                                                                                      \
    "<s:Body><RetrieveDocumentSetResponse xmlns='" NS_XDSB "' xmlns:x='" NS_XDSB                   \
    "' xmlns:i='" NS_XOP "'><RegistryResponse xmlns='" NS_RS                                       \
    "' status='urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success'/>"
#define GOT                                                                                        \
    "<DocumentResponse><RepositoryUniqueId>2.999.7</RepositoryUniqueId>"                           \
    "<DocumentUniqueId>2.999.8</DocumentUniqueId><mimeType>text/plain</mimeType>"
#define END "</RetrieveDocumentSetResponse></s:Body></s:Envelope>"

struct world {
    struct spool *spool;
    struct arena *arena;
    struct diag diag;
    struct buf xml;
    struct body body;
};

static void
world_init(struct world *world)
{
    char path[512];
    *world = (struct world){.arena = arena_new(ARENA_LIMIT_DEFAULT)};
    (void)snprintf(path, sizeof(path), "%s/spool", unit_temp_dir());
    CHECK_OK(&world->diag, spool_new(path, 200 * MB, 64 * KB, &world->diag, &world->spool));
    buf_init(&world->xml, 100 * MB);
    body_init(&world->body);
}

static void
world_done(struct world *world)
{
    arena_free(world->arena);
    body_done(&world->body);
    buf_done(&world->xml);
    CU_ASSERT_EQUAL(spool_used(world->spool), 0);
    spool_unref(world->spool);
}

static void
put(struct world *world, const char *text)
{
    CHECK_OK(&world->diag, buf_append_cstr(&world->xml, text, &world->diag));
}

static char
byte_at(size_t i)
{
    return (char)((i * 2654435761U) >> 11);
}

/* Base64 of <n> bytes of the pattern, with <ending> after each 76 characters. */
static void
put_base64(struct world *world, size_t n, const char *ending)
{
    char line[57];
    for (size_t at = 0; at < n; at += sizeof(line)) {
        const size_t step = n - at < sizeof(line) ? n - at : sizeof(line);
        for (size_t i = 0; i < step; i++) {
            line[i] = byte_at(at + i);
        }
        CHECK_OK(&world->diag, base64_encode(span_of(line, step), &world->xml, &world->diag));
        put(world, ending);
    }
}

/* What was put becomes a body in a file. */
static void
close_file(struct world *world)
{
    struct sink sink;
    sink_init(&sink, world->spool, UINT64_MAX);
    CHECK_OK(&world->diag, sink_append(&sink, buf_span(&world->xml), &world->diag));
    CHECK_OK(&world->diag, sink_finish(&sink, &world->diag, &world->body));
    sink_done(&sink);
}

static struct status
read_answer(struct world *world, const char *type, struct retrieve_answer *ret_answer)
{
    struct message_limits limits = message_limits_answer();
    struct message *message = NULL;
    limits.root_part_bytes = MB;
    diag_clear(&world->diag);
    TRY(message_read_body(&world->body, span_of_cstr(type), &limits, world->spool, world->arena,
                          &world->diag, &message));
    return retrieve_answer_read(message, world->arena, &world->diag, ret_answer);
}

static void
check_pattern(const struct body *body, size_t n)
{
    struct diag diag;
    char bytes[4096];
    uint64_t at = 0;
    size_t got = 0, wrong = 0;
    diag_clear(&diag);
    CU_ASSERT_EQUAL(body->size, n);
    do {
        CHECK_OK(&diag, body_read(body, at, bytes, sizeof(bytes), &diag, &got));
        for (size_t i = 0; i < got; i++) {
            wrong += bytes[i] != byte_at((size_t)at + i) ? 1 : 0;
        }
        at += got;
    } while (got > 0);
    CU_ASSERT_EQUAL(wrong, 0);
}

/* ---- inline ---- */

static void
test_inline(void)
{
    static const struct {
        const char *before, *ending, *after;
        size_t n;
        enum body_kind want;
    } rows[] = {
        {"<Document>", "", "</Document>", 3 * MB, BODY_FILE},
        {"<x:Document a='>' b=\"/>\">", "\r\n", "</x:Document>", 3 * MB + 1, BODY_FILE},
        {"<Document >\n\t", "&#13;\n", " </Document >", 2 * MB + 2, BODY_FILE},
        {"<Document>", "&#xD;&#xA;", "</Document>", 2 * MB, BODY_FILE},
        {"<!-- <Document> --><Document>", "\n", "</Document><!--x-->", 2 * MB, BODY_FILE},
        {"<y><![CDATA[<Document>]]></y><Document>", "\n", "</Document>", 2 * MB, BODY_FILE},
        {"<Document/><x/><Document>", "\n", "</Document>", 60 * KB, BODY_MEMORY},
        {"<Document>", "\n", "</Document>", 5000, BODY_MEMORY},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world world;
        struct retrieve_answer answer = {.documents = {.items = NULL}};
        world_init(&world);
        put(&world, SOAP START);
        if (i == 6) { /* a document before it that has nothing, and what is no document of ours */
            put(&world, GOT "<Document/></DocumentResponse>");
        }
        put(&world, GOT);
        put(&world, i == 6 ? "<Document>" : rows[i].before);
        put_base64(&world, rows[i].n, rows[i].ending);
        put(&world, rows[i].after);
        put(&world, "</DocumentResponse>" END);
        for (size_t pad = 0; world.xml.n <= 64 * KB && pad < 1000; pad++) {
            put(&world, "<!-- so that it is long enough to be in a file: ................. -->");
        }
        close_file(&world);
        CU_ASSERT_EQUAL(world.body.kind, BODY_FILE);
        if (CHECK_OK(&world.diag, read_answer(&world, "application/soap+xml", &answer))) {
            const size_t last = answer.documents.n - 1;
            CU_ASSERT_EQUAL(answer.documents.n, i == 6 ? 2 : 1);
            CU_ASSERT_EQUAL(answer.documents.items[last].body.kind, rows[i].want);
            check_pattern(&answer.documents.items[last].body, rows[i].n);
        }
        retrieve_answer_done(&answer);
        world_done(&world);
    }
}

static void
test_inline_refused(void)
{
    static const struct {
        const char *before, *after;
        enum err want;
    } rows[] = {
        {"", "*</Document></DocumentResponse>" END, ERR_PARTNER_ANSWER},
        {"", "=</Document></DocumentResponse>" END, ERR_PARTNER_ANSWER},
        {"", "A</Document></DocumentResponse>" END, ERR_PARTNER_ANSWER},
        {"", "AA==AAAA</Document></DocumentResponse>" END, ERR_PARTNER_ANSWER},
        {"", "&amp;</Document></DocumentResponse>" END, ERR_PARTNER_ANSWER},
        {"", "&#13</Document></DocumentResponse>" END, ERR_PARTNER_ANSWER},
        {"", "<x/></Document></DocumentResponse>" END, ERR_XOP},
        {"", "<!-- c -->AAAA</Document></DocumentResponse>" END, ERR_PARTNER_ANSWER},
        {"", "<![CDATA[AAAA]]></Document></DocumentResponse>" END, ERR_PARTNER_ANSWER},
        {"", "<i:Include href='cid:a'/></Document></DocumentResponse>" END, ERR_XOP},
        {"", "", ERR_XML_SYNTAX},
        {"", "</Document>", ERR_XML_SYNTAX},
        {"<![CDATA[A]]>", "</Document></DocumentResponse>" END, ERR_LIMIT_XML},
        {"&lt;", "</Document></DocumentResponse>" END, ERR_LIMIT_XML},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world world;
        struct retrieve_answer answer = {.documents = {.items = NULL}};
        world_init(&world);
        put(&world, SOAP START GOT "<Document>");
        put(&world, rows[i].before);
        put_base64(&world, 2 * MB + 1, ""); /* whole groups */
        put(&world, rows[i].after);
        close_file(&world);
        if (!CHECK_ERR(&world.diag, rows[i].want,
                       read_answer(&world, "application/soap+xml", &answer))) {
            printf("      row %zu\n", i);
        }
        retrieve_answer_done(&answer);
        world_done(&world);
    }
}

/* A stand-in that a partner writes itself is base64 that is wrong. */
static void
test_forged_stand_in(void)
{
    struct world world;
    struct retrieve_answer answer = {.documents = {.items = NULL}};
    world_init(&world);
    put(&world, SOAP START GOT "<Document>");
    put_base64(&world, MB, "");
    put(&world,
        "</Document></DocumentResponse>" GOT
        "<Document>00000000-0000-4000-8000-000000000000#0</Document></DocumentResponse>" END);
    close_file(&world);
    CHECK_ERR(&world.diag, ERR_PARTNER_ANSWER,
              read_answer(&world, "application/soap+xml", &answer));
    world_done(&world);
}

/* The same bytes as a request: moved only when they could not be parsed as they are, because a
 * signature over the Body is over what came. */
static void
test_requests_move_at_need(void)
{
    static const struct {
        size_t limit;
        bool has_spool;
        enum err want;
        size_t moved;
    } rows[] = {
        {MB, false, ERR_LIMIT_XML, 0},
        {MB, true, ERR_NONE, 1},
        {4 * MB, true, ERR_NONE, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world world;
        struct message *message = NULL;
        const struct message_limits limits = message_limits_request(rows[i].limit);
        world_init(&world);
        put(&world, SOAP START GOT "<Document>");
        put_base64(&world, 2 * MB, "");
        put(&world, "</Document></DocumentResponse>" END);
        close_file(&world);
        CHECK_ERR(&world.diag, rows[i].want,
                  message_read_body(&world.body, SPAN("application/soap+xml"), &limits,
                                    rows[i].has_spool ? world.spool : NULL, world.arena,
                                    &world.diag, &message));
        CU_ASSERT((message == NULL) == (rows[i].want != ERR_NONE));
        CU_ASSERT(message == NULL || message->inlines.n == rows[i].moved);
        world_done(&world);
    }
}

static void
test_spool_full(void)
{
    struct world world;
    struct retrieve_answer answer = {.documents = {.items = NULL}};
    struct spool *small = NULL;
    struct spool *whole;
    char path[512];
    world_init(&world);
    put(&world, SOAP START GOT "<Document>");
    put_base64(&world, 3 * MB, "");
    put(&world, "</Document></DocumentResponse>" END);
    close_file(&world);
    whole = world.spool;
    (void)snprintf(path, sizeof(path), "%s/spool", unit_temp_dir());
    CHECK_OK(&world.diag, spool_new(path, 2 * MB, 64 * KB, &world.diag, &small));
    world.spool = small;
    CHECK_ERR(&world.diag, ERR_SPOOL_FULL, read_answer(&world, "application/soap+xml", &answer));
    CU_ASSERT_EQUAL(spool_used(small), 0);
    world.spool = whole;
    spool_unref(small);
    world_done(&world);
}

/* ---- parts ---- */

#define TYPE                                                                                       \
    "multipart/related; boundary=b; type=\"application/xop+xml\"; start=\"<r>\"; "                 \
    "start-info=\"application/soap+xml\""

static void
put_package(struct world *world, size_t n, const char *line_end)
{
    static const char *const heads[] = {
        "--b", "Content-Type: application/xop+xml; type=\"application/soap+xml\"",
        "Content-ID: <r>", ""};
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        put(world, heads[i]);
        put(world, line_end);
    }
    put(world,
        SOAP START GOT "<Document><i:Include href='cid:a'/></Document></DocumentResponse>" END);
    put(world, line_end);
    put(world, "--b");
    put(world, line_end);
    put(world, "Content-ID: <a>");
    put(world, line_end);
    put(world, line_end);
    for (size_t i = 0; i < n; i++) {
        const char c = byte_at(i);
        CHECK_OK(&world->diag, buf_append_char(&world->xml, c, &world->diag));
    }
    put(world, line_end);
    put(world, "--b--");
    put(world, line_end);
}

static void
test_parts_share_the_file(void)
{
    static const char *const line_ends[] = {"\r\n", "\n"};
    static const size_t sizes[] = {2 * MB, 64 * KB + 1, 64 * KB * 2 - 500, 3 * 64 * KB};
    for (size_t i = 0; i < ARRAY_LEN(line_ends) * ARRAY_LEN(sizes); i++) {
        struct world world;
        struct retrieve_answer answer = {.documents = {.items = NULL}};
        const size_t n = sizes[i / 2];
        world_init(&world);
        put_package(&world, n, line_ends[i % 2]);
        close_file(&world);
        const uint64_t used = spool_used(world.spool);
        if (CHECK_OK(&world.diag, read_answer(&world, TYPE, &answer))) {
            CU_ASSERT_EQUAL_FATAL(answer.documents.n, 1);
            CU_ASSERT_EQUAL(answer.documents.items[0].body.kind, BODY_FILE);
            CU_ASSERT_EQUAL(spool_used(world.spool), used); /* no copy */
            body_done(&world.body);                         /* the document keeps the file */
            check_pattern(&answer.documents.items[0].body, n);
        }
        retrieve_answer_done(&answer);
        world_done(&world);
    }
}

/* ---- packing ---- */

static void
test_packing_copies_no_file(void)
{
    struct world world;
    struct body bodies[3], package;
    struct mtom_part parts[3];
    struct buf whole, scratch;
    struct span all = SPAN_EMPTY;
    char type[512];
    world_init(&world);
    buf_init(&whole, 10 * MB);
    buf_init(&scratch, 10 * MB);
    for (size_t i = 0; i < 3; i++) {
        static const size_t sizes[] = {MB, 100, MB + 1};
        static const char *const ids[] = {"one@x", "two@x", "three@x"};
        buf_reset(&world.xml);
        for (size_t k = 0; k < sizes[i]; k++) {
            CHECK_OK(&world.diag, buf_append_char(&world.xml, byte_at(k), &world.diag));
        }
        close_file(&world);
        body_move(&bodies[i], &world.body);
        parts[i] = (struct mtom_part){span_of_cstr(ids[i]), SPAN("a/b"), &bodies[i]};
    }
    if (CHECK_OK(&world.diag, mtom_pack(SPAN("<a/>"), parts, 3, SPAN("urn:a"), 10 * KB, &world.diag,
                                        type, &package))) {
        CU_ASSERT_EQUAL(package.kind, BODY_LIST);
        CU_ASSERT(body_memory(&package) < 2 * KB);
        for (size_t i = 0; i < 3; i++) {
            body_done(&bodies[i]);
        }
        CHECK_OK(&world.diag, body_span(&package, &scratch, &world.diag, &all));
        struct content_type read;
        const struct message_limits limits = message_limits_request(MB);
        struct mime mime = {.root = 9};
        CHECK_OK(&world.diag,
                 content_type_read(span_of_cstr(type), world.arena, &world.diag, &read));
        /* over the list itself, which is neither memory nor one file */
        CHECK_OK(&world.diag,
                 mime_split(&package, &read, &limits, world.arena, &world.diag, &mime));
        CU_ASSERT(mime.parts.n == 4 && mime.root == 0);
        CU_ASSERT(mime.parts.items[1].size == MB && mime.parts.items[3].size == MB + 1);
        CU_ASSERT(all.p[mime.parts.items[3].offset + MB] == byte_at(MB));
        body_done(&package);
    }
    buf_done(&whole);
    buf_done(&scratch);
    world_done(&world);
}

static const struct unit_test tests[] = {
    {"inline documents of every spelling", test_inline},
    {"inline documents that are refused", test_inline_refused},
    {"a stand-in of a partner's", test_forged_stand_in},
    {"requests move only what could not be parsed", test_requests_move_at_need},
    {"a spool that is full", test_spool_full},
    {"parts share the file", test_parts_share_the_file},
    {"packing copies no file", test_packing_copies_no_file},
};
UNIT_MAIN("large_message", tests)
