/*
 * The splitter of multipart bodies: what two readers could see differently is refused.
 */
#include <stdio.h>
#include <string.h>

#include "soap/message_internal.h"
#include "tests/unit/unit.h"

#define TYPE(boundary)                                                                             \
    "multipart/related; type=\"application/xop+xml\"; start=\"<root@x>\"; "                        \
    "start-info=\"application/soap+xml\"; boundary=\"" boundary "\""
#define ROOT_HEAD                                                                                  \
    "Content-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\n"          \
    "Content-Transfer-Encoding: binary\r\nContent-ID: <root@x>\r\n\r\n"
#define ENVELOPE                                                                                   \
    "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><x/></s:Body>"        \
    "</s:Envelope>"
#define PART(id, content) "Content-Type: text/plain\r\nContent-ID: <" id ">\r\n\r\n" content

/* The bytes of a part that is not the root; false when there is none. */
static bool
part_bytes(const struct message *message, struct span content_id, struct span *ret_content)
{
    const struct mime_part *const part = mime_part_find(&message->mime, content_id);
    if (part == NULL || part == &message->mime.parts.items[message->mime.root]) {
        return false;
    }
    *ret_content =
        span_slice(buf_span(&message->source.memory), (size_t)part->offset, (size_t)part->size);
    return true;
}

static struct status
read_mtom(const char *body, size_t n, const char *type, bool is_lenient, struct arena *arena,
          struct diag *diag, struct message **ret_message)
{
    struct message_limits limits =
        is_lenient ? message_limits_answer() : message_limits_request(100000);
    limits.parts = 4;
    diag_clear(diag);
    return message_read(span_of(body, n), span_of_cstr(type), &limits, arena, diag, ret_message);
}

struct row {
    const char *type, *body;
    enum err strict, lenient;
};

static void
run(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (int is_lenient = 0; is_lenient < 2; is_lenient++) {
            struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
            struct diag diag;
            struct message *message = NULL;
            const enum err want = is_lenient ? rows[i].lenient : rows[i].strict;
            if (!CHECK_ERR(&diag, want,
                           read_mtom(rows[i].body, strlen(rows[i].body), rows[i].type, is_lenient,
                                     arena, &diag, &message))) {
                printf("      row %zu, lenient %d:\n%s\n", i, is_lenient, rows[i].body);
            }
            CU_ASSERT(want != ERR_NONE || message_is_mtom(message));
            arena_free(arena);
        }
    }
}

static const struct row frame_rows[] = {
    /* as it should be */
    {TYPE("b"), "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b--", ERR_NONE, ERR_NONE},
    {TYPE("b"), "\r\n--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b--\r\n", ERR_NONE, ERR_NONE},
    {TYPE("b"), "--b \t\r\n" ROOT_HEAD ENVELOPE "\r\n--b-- \r\n", ERR_NONE, ERR_NONE},
    {TYPE("b"), "--b\r\n" PART("a", "") "\r\n--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b--", ERR_NONE,
     ERR_NONE},
    {TYPE("b c'()+_,-./:=?"), "--b c'()+_,-./:=?\r\n" ROOT_HEAD ENVELOPE "\r\n--b c'()+_,-./:=?--",
     ERR_NONE, ERR_NONE},
    {TYPE("b"),
     "--b\r\nContent-Type: application/xop+xml;\r\n\tcharset=utf-8;\r\n type="
     "\"application/soap+xml\"\r\ncontent-id: <root@x>\r\n\r\n" ENVELOPE "\r\n--b--",
     ERR_NONE, ERR_NONE},
    /* text around the parts */
    {TYPE("b"), "preamble\r\n--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b--", ERR_MIME, ERR_NONE},
    {TYPE("b"), "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b--\r\nepilogue", ERR_MIME, ERR_NONE},
    {TYPE("b"), "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b--\r\n--b\r\n", ERR_MIME, ERR_NONE},
    /* ends */
    {TYPE("b"), "", ERR_MIME, ERR_MIME},
    {TYPE("b"), "--b", ERR_MIME, ERR_MIME},
    {TYPE("b"), "--b--", ERR_MIME, ERR_MIME},
    {"multipart/related; boundary=b; type=\"application/xop+xml\"", "--b--", ERR_MIME, ERR_MIME},
    {TYPE("b"), "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--bc\r\n", ERR_MIME, ERR_MIME},
    {TYPE("b"), "--b\r\n" ROOT_HEAD ENVELOPE, ERR_MIME, ERR_MIME},
    {TYPE("b"), "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b", ERR_MIME, ERR_MIME},
    {TYPE("b"), "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b\r\n", ERR_MIME, ERR_MIME},
    {TYPE("b"), "--b\r\n" ROOT_HEAD ENVELOPE "--b--", ERR_MIME, ERR_MIME},
    /* bare LF, and lines that begin like a boundary */
    {TYPE("b"), "--b\n" ROOT_HEAD ENVELOPE "\r\n--b--", ERR_MIME, ERR_NONE},
    {TYPE("b"), "--b\r\n" ROOT_HEAD ENVELOPE "\n--b--", ERR_MIME, ERR_NONE},
    {TYPE("b"), "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b--\n", ERR_MIME, ERR_NONE},
    {TYPE("b"), "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--bc\r\n\r\n--b--", ERR_MIME, ERR_XML_SYNTAX},
    {TYPE("b"), "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b\r\n" PART("a", "x\r\n--bb\r\ny") "\r\n--b--",
     ERR_MIME, ERR_NONE},
    {TYPE("b"),
     "--b\r\nContent-ID: <root@x>\nContent-Type: application/xop+xml;"
     "type=\"application/soap+xml\"\r\n\r\n" ENVELOPE "\r\n--b--",
     ERR_MIME, ERR_NONE},
    /* the boundary itself */
    {"multipart/related; type=\"application/xop+xml\"", "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b--",
     ERR_MIME, ERR_MIME},
    {TYPE(""), "--\r\n" ROOT_HEAD ENVELOPE "\r\n----", ERR_MIME, ERR_MIME},
    {TYPE("b "), "--b \r\n" ROOT_HEAD ENVELOPE "\r\n--b --", ERR_MIME, ERR_MIME},
    {TYPE("b*"), "--b*\r\n" ROOT_HEAD ENVELOPE "\r\n--b*--", ERR_MIME, ERR_MIME},
    {TYPE("0123456789012345678901234567890123456789012345678901234567890123456789a"), "x", ERR_MIME,
     ERR_MIME},
    {TYPE("b") "; boundary=c", "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b--", ERR_MIME, ERR_MIME},
    {"multipart/related; boundary=\"b", "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b--", ERR_MIME,
     ERR_MIME},
};

static void
test_frame(void)
{
    run(frame_rows, ARRAY_LEN(frame_rows));
}

#define XOP_TYPE "Content-Type: application/xop+xml; type=\"application/soap+xml\"\r\n"
#define REST     "\r\n" ENVELOPE "\r\n--b--"

static const struct row part_rows[] = {
    /* types */
    {"multipart/related; boundary=b; start=\"<root@x>\"", "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b--",
     ERR_HTTP_MEDIA_TYPE, ERR_NONE},
    {"multipart/related; boundary=b; type=\"text/xml\"", "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b--",
     ERR_HTTP_MEDIA_TYPE, ERR_NONE},
    {"multipart/related; boundary=b; type=application/xop+xml; start-info=\"text/xml\"",
     "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b--", ERR_HTTP_MEDIA_TYPE, ERR_NONE},
    {"multipart/mixed; boundary=b", "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b--", ERR_HTTP_MEDIA_TYPE,
     ERR_HTTP_MEDIA_TYPE},
    {TYPE("b"), "--b\r\nContent-ID: <root@x>\r\n" REST, ERR_MIME, ERR_NONE},
    {TYPE("b"), "--b\r\nContent-Type: text/plain\r\nContent-ID: <root@x>\r\n" REST,
     ERR_HTTP_MEDIA_TYPE, ERR_NONE},
    {TYPE("b"),
     "--b\r\nContent-Type: application/xop+xml; charset=utf-16; type=\"application/soap+xml\"\r\n"
     "Content-ID: <root@x>\r\n" REST,
     ERR_XML_ENCODING, ERR_XML_ENCODING},
    /* start */
    {TYPE("b"), "--b\r\n" XOP_TYPE "Content-ID: <other@x>\r\n" REST, ERR_MIME, ERR_MIME},
    {"multipart/related; boundary=b; type=\"application/xop+xml\"", "--b\r\n" XOP_TYPE REST,
     ERR_NONE, ERR_NONE},
    {"multipart/related; boundary=b; type=\"application/xop+xml\"; start=root@x",
     "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b--", ERR_NONE, ERR_NONE},
    /* Content-ID */
    {TYPE("b"), "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b--", ERR_MIME,
     ERR_MIME},
    {TYPE("b"),
     "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--", ERR_MIME,
     ERR_MIME},
    {TYPE("b"),
     "--b\r\n" ROOT_HEAD ENVELOPE
     "\r\n--b\r\nContent-Type: text/plain\r\nContent-ID: a\r\n\r\nx\r\n--b--",
     ERR_MIME, ERR_NONE},
    {TYPE("b"), "--b\r\n" XOP_TYPE "Content-ID: <root@x>\r\nContent-ID: <b@x>\r\n" REST, ERR_MIME,
     ERR_MIME},
    {TYPE("b"), "--b\r\n" XOP_TYPE XOP_TYPE "Content-ID: <root@x>\r\n" REST, ERR_MIME, ERR_MIME},
    /* transfer encodings */
    {TYPE("b"),
     "--b\r\n" XOP_TYPE "Content-ID: <root@x>\r\n"
     "Content-Transfer-Encoding: base64\r\n" REST,
     ERR_MIME, ERR_MIME},
    {TYPE("b"),
     "--b\r\n" XOP_TYPE "Content-ID: <root@x>\r\n"
     "Content-Transfer-Encoding: quoted-printable\r\n" REST,
     ERR_MIME, ERR_MIME},
    {TYPE("b"),
     "--b\r\n" XOP_TYPE "Content-ID: <root@x>\r\n"
     "Content-Transfer-Encoding: 8BIT\r\n" REST,
     ERR_NONE, ERR_NONE},
    /* headers */
    {TYPE("b"), "--b\r\nno colon\r\n" XOP_TYPE "Content-ID: <root@x>\r\n" REST, ERR_MIME, ERR_MIME},
    {TYPE("b"), "--b\r\nX Y: z\r\n" XOP_TYPE "Content-ID: <root@x>\r\n" REST, ERR_MIME, ERR_MIME},
    {TYPE("b"), "--b\r\nX: \x01\r\n" XOP_TYPE "Content-ID: <root@x>\r\n" REST, ERR_MIME, ERR_MIME},
    {TYPE("b"), "--b\r\nX: \x80\r\n" XOP_TYPE "Content-ID: <root@x>\r\n" REST, ERR_MIME, ERR_MIME},
    {TYPE("b"), "--b\r\nword\r\n" XOP_TYPE "Content-ID: <root@x>\r\n" REST, ERR_MIME, ERR_MIME},
    {TYPE("b"), "--b\r\nX: a\rb\r\n" XOP_TYPE "Content-ID: <root@x>\r\n" REST, ERR_MIME, ERR_MIME},
    {TYPE("b"), "--b\r\nX: y\r\n" XOP_TYPE "Content-ID: <root@x>\r\n" REST, ERR_NONE, ERR_NONE},
    /* five parts, and four are allowed */
    {TYPE("b"),
     "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b\r\n" PART("1", "") "\r\n--b\r\n" PART(
         "2", "") "\r\n--b\r\n" PART("3", "") "\r\n--b--",
     ERR_NONE, ERR_NONE},
    {TYPE("b"),
     "--b\r\n" ROOT_HEAD ENVELOPE "\r\n--b\r\n" PART("1", "") "\r\n--b\r\n" PART(
         "2", "") "\r\n--b\r\n" PART("3", "") "\r\n--b\r\n" PART("4", "") "\r\n--b--",
     ERR_MIME, ERR_MIME},
};

static void
test_parts(void)
{
    run(part_rows, ARRAY_LEN(part_rows));
}

static void
test_header_limits(void)
{
    for (int i = 0; i < 4; i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        struct buf body;
        diag_clear(&diag);
        buf_init(&body, 100000);
        CHECK_OK(&diag, buf_append_cstr(&body, "--b\r\n", &diag));
        const int headers = i == 0 ? 29 : i == 1 ? 40 : 1;
        for (int n = 0; n < headers; n++) {
            CHECK_OK(&diag, buf_printf(&body, &diag, "X-%d: %*s\r\n", n,
                                       i < 2    ? 1
                                       : i == 2 ? 7000
                                                : 9000,
                                       "y"));
        }
        CHECK_OK(&diag, buf_append_cstr(&body, ROOT_HEAD ENVELOPE "\r\n--b--", &diag));
        CHECK_ERR(&diag, i % 2 == 0 ? ERR_NONE : ERR_MIME,
                  read_mtom(body.p, body.n, TYPE("b"), false, arena, &diag, &message));
        buf_done(&body);
        arena_free(arena);
    }
}

/* ---- looking parts up ---- */

static void
test_lookup(void)
{
    static const struct {
        const char *href;
        enum err want;
        const char *content;
    } rows[] = {
        {"cid:a%40x", ERR_NONE, "first\r\n"},
        {"CID:a@x", ERR_NONE, "first\r\n"},
        {" cid:%61@x\n", ERR_NONE, "first\r\n"},
        {"cid:b", ERR_NONE, ""},
        {"cid:A@x", ERR_XOP, NULL},
        {"cid:", ERR_XOP, NULL},
        {"cid:a@x%", ERR_XOP, NULL},
        {"cid:a@x%4", ERR_XOP, NULL},
        {"cid:%zz", ERR_XOP, NULL},
        {"cid:%2e%2e", ERR_XOP, NULL},
        {"cid:root@x", ERR_XOP, NULL}, /* the message itself */
        {"a@x", ERR_XOP, NULL},
        {"mid:a@x", ERR_XOP, NULL},
        {"http://127.0.0.1/a@x", ERR_XOP, NULL},
        {"file:///etc/passwd", ERR_XOP, NULL},
        {"", ERR_XOP, NULL},
    };
    static const char body[] =
        "--b\r\n" ROOT_HEAD ENVELOPE
        "\r\n--b\r\n" PART("a@x", "first\r\n") "\r\n--b\r\n" PART("b", "") "\r\n--b--\r\n";
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct message *message = NULL;
    struct span content;
    CHECK_OK(&diag, read_mtom(body, sizeof(body) - 1, TYPE("b"), false, arena, &diag, &message));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct mime_part *part = NULL;
        diag_clear(&diag);
        if (!CHECK_ERR(
                &diag, rows[i].want,
                message_part_by_href(message, span_of_cstr(rows[i].href), arena, &diag, &part))) {
            printf("      %s\n", rows[i].href);
        }
        if (part != NULL) {
            CHECK_SPAN(span_slice(buf_span(&message->source.memory), (size_t)part->offset,
                                  (size_t)part->size),
                       rows[i].content);
        }
    }
    CU_ASSERT(part_bytes(message, SPAN("a@x"), &content) && content.n == 7);
    CU_ASSERT(!part_bytes(message, SPAN("root@x"), &content));
    CU_ASSERT(!part_bytes(message, SPAN(""), &content));
    arena_free(arena);
}

/* ---- Content-Type ---- */

static void
test_content_type(void)
{
    static const struct {
        const char *text;
        enum err want;
        const char *media, *name, *value;
    } rows[] = {
        {"a/b", ERR_NONE, "a/b", "x", ""},
        {" a/b ; ", ERR_NONE, "a/b", "x", ""},
        {"a/b;x=y", ERR_NONE, "a/b", "X", "y"},
        {"a/b; X = \"y;z\\\"\\\\\" ;q=r", ERR_NONE, "a/b", "x", "y;z\"\\"},
        {"a/b; x=\"\"", ERR_NONE, "a/b", "x", ""},
        {"a/b; x=c/d+e", ERR_NONE, "a/b", "x", "c/d+e"},
        {"", ERR_MIME, NULL, NULL, NULL},
        {"a", ERR_MIME, NULL, NULL, NULL},
        {"a/", ERR_MIME, NULL, NULL, NULL},
        {"/b", ERR_MIME, NULL, NULL, NULL},
        {"a/b c", ERR_MIME, NULL, NULL, NULL},
        {"a/b; x", ERR_MIME, NULL, NULL, NULL},
        {"a/b; x=", ERR_MIME, NULL, NULL, NULL},
        {"a/b; =y", ERR_MIME, NULL, NULL, NULL},
        {"a/b; x=y; X=z", ERR_MIME, NULL, NULL, NULL},
        {"a/b; x=\"y", ERR_MIME, NULL, NULL, NULL},
        {"a/b; x=\"y\\", ERR_MIME, NULL, NULL, NULL},
        {"a/b; x=\"y\"z", ERR_MIME, NULL, NULL, NULL},
        {"a/b; x=\"\x01\"", ERR_MIME, NULL, NULL, NULL},
        {"a/b;a=1;b=1;c=1;d=1;e=1;f=1;g=1;h=1;i=1;j=1;k=1;l=1;m=1;n=1;o=1;p=1;q=1", ERR_MIME, NULL,
         NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct content_type type;
        diag_clear(&diag);
        if (!CHECK_ERR(&diag, rows[i].want,
                       content_type_read(span_of_cstr(rows[i].text), arena, &diag, &type))) {
            printf("      %s\n", rows[i].text);
        } else if (rows[i].want == ERR_NONE) {
            CHECK_SPAN(type.media, rows[i].media);
            CHECK_SPAN(content_type_param(&type, rows[i].name), rows[i].value);
        }
        arena_free(arena);
    }
}

static const struct unit_test tests[] = {
    {"boundaries", test_frame},
    {"parts and their headers", test_parts},
    {"limits of part headers", test_header_limits},
    /* REQ: MTOM-include, MTOM-lenient, MTOM-dangling */
    {"parts by Content-ID and href", test_lookup},
    {"Content-Type", test_content_type},
};
UNIT_MAIN("mime", tests)
