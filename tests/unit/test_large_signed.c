/*
 * Signed requests in files that hold a large document inline as base64: below the cap of the XML
 * part they are read as they came; above it the document leaves the tree, which only what nobody
 * signed may do; and a signature over the Body is refused by its name whatever the size.
 */
#include <stdio.h>
#include <string.h>

#include "base/spool.h"
#include "soap/regrep.h"
#include "soap/xop.h"
#include "tests/unit/soap_kit.h"

#define KB        ((size_t)1024)
#define MB        (KB * 1024)
#define SECURITY  "Header/Security"
#define SIGNATURE SECURITY "/Signature"
#define REFERENCE SIGNATURE "/SignedInfo/Reference"
#define BODY_ID   "body-1"

enum covered { COVERS_TIMESTAMP, COVERS_BODY, COVERS_BOTH };

static char
byte_at(size_t i)
{
    return (char)((i * 2654435761U) >> 11);
}

/* ---- the request ---- */

static void
add_document(xmlDoc *doc, size_t n)
{
    struct diag diag = {.code = ERR_NONE};
    struct buf bytes, text;
    buf_init(&bytes, MB);
    buf_init(&text, 2 * MB);
    for (size_t i = 0; i < n; i++) {
        CHECK_OK(&diag, buf_append_char(&bytes, byte_at(i), &diag));
    }
    CHECK_OK(&diag, base64_encode(buf_span(&bytes), &text, &diag));
    CHECK_OK(&diag, buf_append_char(&text, '\0', &diag));
    xmlNode *const payload = xmlFirstElementChild(kit_at(doc, "Body"));
    (void)xmlNewChild(payload, xmlNewNs(payload, (const xmlChar *)NS_XDSB, (const xmlChar *)"x"),
                      (const xmlChar *)"Document", (const xmlChar *)buf_span(&text).p);
    buf_done(&bytes);
    buf_done(&text);
}

/* As a partner would who signs the Body, alone or beside the Timestamp: every digest is right. */
static void
sign_body(xmlDoc *doc, enum covered covered)
{
    const struct kit_signing how = {.key = kit_credential(KIT_RSA)->key, .digest = "SHA256"};
    xmlNode *const body = kit_at(doc, "Body");
    xmlNode *const reference = kit_at(doc, REFERENCE);
    xmlChar *const timestamp_uri = xmlGetNoNsProp(reference, (const xmlChar *)"URI");
    (void)xmlNewNsProp(body, xmlNewNs(body, (const xmlChar *)NS_WSU, (const xmlChar *)"wsu"),
                       (const xmlChar *)"Id", (const xmlChar *)BODY_ID);
    kit_set(reference, "URI", "#" BODY_ID);
    kit_sign(kit_at(doc, SIGNATURE), body, &how);
    if (covered == COVERS_BOTH) {
        (void)xmlAddNextSibling(reference, xmlCopyNode(reference, 1));
        kit_set(reference, "URI", (const char *)timestamp_uri);
        kit_sign(kit_at(doc, SIGNATURE), kit_at(doc, SECURITY "/Timestamp"), &how);
    }
    xmlFree(timestamp_uri);
}

static struct span
write_request(enum covered covered, size_t document_n, struct arena *arena)
{
    xmlDoc *const doc = kit_genuine(KIT_RSA);
    add_document(doc, document_n);
    if (covered != COVERS_TIMESTAMP) {
        sign_body(doc, covered);
    }
    return kit_close(doc, arena);
}

/* ---- what becomes of it ---- */

static void
check_document(const struct message *message, size_t n, struct arena *arena)
{
    struct diag diag = {.code = ERR_NONE};
    struct xop_used_list used = {.items = NULL};
    struct body document;
    struct buf bytes;
    struct span got = SPAN_EMPTY;
    size_t wrong = 0;
    const xmlNode *const node = xml_child(message->payload, NS_XDSB, "Document");
    body_init(&document);
    buf_init(&bytes, MB);
    CHECK_OK(&diag, xop_read(message, node, ERR_MESSAGE_CONTENT, arena, &diag, &used, &document));
    CHECK_OK(&diag, body_span(&document, &bytes, &diag, &got));
    CU_ASSERT_EQUAL_FATAL(got.n, n);
    for (size_t i = 0; i < n; i++) {
        wrong += got.p[i] != byte_at(i) ? 1 : 0;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    buf_done(&bytes);
    body_done(&document);
}

struct row {
    const char *name;
    enum covered covered;
    size_t document_n, limit;
    bool has_spool;
    enum err want;
    size_t moved;
    const char *said;
};

static struct status
read_and_verify(const struct row *row, const struct body *body, struct spool *spool,
                struct arena *arena, struct diag *diag, struct message **ret_message)
{
    const struct message_limits limits = message_limits_request(row->limit);
    const struct verified_view *view = NULL;
    struct kit_rules kit;
    kit_rules_init(&kit);
    TRY(message_read_body(body, SPAN("application/soap+xml"), &limits,
                          row->has_spool ? spool : NULL, arena, diag, ret_message));
    return security_verify(*ret_message, &kit.rules, arena, diag, &view);
}

static void
check_row(const struct row *row, struct spool *spool)
{
    struct diag diag = {.code = ERR_NONE};
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct message *message = NULL;
    struct body body;
    struct sink sink;
    const struct span xml = write_request(row->covered, row->document_n, arena);
    body_init(&body);
    sink_init(&sink, spool, UINT64_MAX);
    CHECK_OK(&diag, sink_append(&sink, xml, &diag));
    CHECK_OK(&diag, sink_finish(&sink, &diag, &body));
    CU_ASSERT_EQUAL(body.kind, xml.n > 64 * KB ? BODY_FILE : BODY_MEMORY);
    if (!CHECK_ERR(&diag, row->want, read_and_verify(row, &body, spool, arena, &diag, &message)) ||
        strstr(diag.text, row->said) == NULL) {
        printf("\n    %s: %s", row->name, diag.text);
        CU_FAIL("another reason");
    }
    CU_ASSERT_EQUAL(message == NULL, row->want == ERR_LIMIT_XML);
    CU_ASSERT(message == NULL || message->inlines.n == row->moved);
    if (row->want == ERR_NONE) {
        check_document(message, row->document_n, arena);
    }
    arena_free(arena);
    body_done(&body);
    sink_done(&sink);
    CU_ASSERT_EQUAL(spool_used(spool), 0);
}

#define BODY_SAID "is another element, and not to its <Timestamp>"
#define BOTH_SAID "2 References; exactly one is required"

static void
test_signed_requests(void)
{
    static const struct row rows[] = {
        {"in memory", COVERS_TIMESTAMP, 300 * KB, MB, true, ERR_NONE, 0, ""},
        {"above the cap", COVERS_TIMESTAMP, 300 * KB, 256 * KB, true, ERR_NONE, 1, ""},
        {"no spool", COVERS_TIMESTAMP, 300 * KB, 256 * KB, false, ERR_LIMIT_XML, 0,
         "at most 262144 are accepted"},
        {"Body, small", COVERS_BODY, KB, MB, true, ERR_SIG_WRAPPED, 0, BODY_SAID},
        {"Body, in memory", COVERS_BODY, 300 * KB, MB, true, ERR_SIG_WRAPPED, 0, BODY_SAID},
        {"Body, above the cap", COVERS_BODY, 300 * KB, 256 * KB, true, ERR_SIG_WRAPPED, 1,
         BODY_SAID},
        {"both, small", COVERS_BOTH, KB, MB, true, ERR_SIG_REFERENCE, 0, BOTH_SAID},
        {"both, in memory", COVERS_BOTH, 300 * KB, MB, true, ERR_SIG_REFERENCE, 0, BOTH_SAID},
        {"both, above the cap", COVERS_BOTH, 300 * KB, 256 * KB, true, ERR_SIG_REFERENCE, 1,
         BOTH_SAID},
    };
    struct diag diag = {.code = ERR_NONE};
    struct spool *spool = NULL;
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/spool", unit_temp_dir());
    CHECK_OK(&diag, spool_new(path, 20 * MB, 64 * KB, &diag, &spool));
    kit_init();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check_row(&rows[i], spool);
    }
    kit_done();
    spool_unref(spool);
}

static const struct unit_test tests[] = {
    {"signed requests with a large document inline", test_signed_requests},
};
UNIT_MAIN("large_signed", tests)
