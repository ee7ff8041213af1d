/* The XML and JSON writers: what they refuse, what they escape, and that readers read it back. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/jsonw.h"
#include "base/xmlw.h"
#include "tests/unit/unit.h"

struct bench {
    struct diag diag;
    struct buf out;
    struct xmlw xml;
    struct jsonw json;
};

static void
bench_init(struct bench *b, size_t limit, bool is_indented)
{
    diag_clear(&b->diag);
    buf_init(&b->out, limit);
    xmlw_init(&b->xml, &b->out, &b->diag);
    jsonw_init(&b->json, &b->out, is_indented, &b->diag);
}

static void
test_xml_content_refused(void)
{
    static const struct span texts[] = {
        {"a\0b", 3},         {"\x01", 1},     {"\x1f", 1},         {"\x0b", 1},
        {"\xff", 1},         {"\xc0\x80", 2}, {"\xed\xa0\x80", 3}, {"\xef\xbf\xbe", 3},
        {"\xef\xbf\xbf", 3}, {"ok\xc3", 3},   {"\x1b[31m", 5},     {"\xf4\x90\x80\x80", 4},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        for (int is_attribute = 0; is_attribute <= 1; is_attribute++) {
            struct bench b;
            bench_init(&b, 1000, false);
            xmlw_start(&b.xml, "a");
            if (is_attribute == 1) {
                xmlw_attr(&b.xml, "b", texts[i]);
            } else {
                xmlw_text(&b.xml, texts[i]);
            }
            const size_t n = b.out.n;
            xmlw_text_cstr(&b.xml, "later");
            xmlw_end(&b.xml);
            CU_ASSERT_EQUAL(b.out.n, n); /* sticky: nothing more is written */
            CHECK_ERR(&b.diag, ERR_MESSAGE_CONTENT, xmlw_finish(&b.xml));
            CU_ASSERT(strstr(b.diag.text, "<a>") != NULL);
            buf_done(&b.out);
        }
    }
}

static void
test_xml_misuse(void)
{
    struct bench b;
    bench_init(&b, 1000, false);
    xmlw_start(&b.xml, "open");
    CHECK_ERR(&b.diag, ERR_INTERNAL, xmlw_finish(&b.xml));
    buf_done(&b.out);
    bench_init(&b, 1000, false);
    xmlw_end(&b.xml);
    CHECK_ERR(&b.diag, ERR_INTERNAL, xmlw_finish(&b.xml));
    buf_done(&b.out);
    bench_init(&b, 1000, false);
    xmlw_start(&b.xml, "a");
    xmlw_text_cstr(&b.xml, "");
    xmlw_attr_cstr(&b.xml, "late", "x");
    xmlw_end(&b.xml);
    CHECK_ERR(&b.diag, ERR_INTERNAL, xmlw_finish(&b.xml));
    buf_done(&b.out);
    bench_init(&b, 1000, false);
    for (int i = 0; i < XMLW_DEPTH_MAX + 1; i++) {
        xmlw_start(&b.xml, "a");
    }
    for (int i = 0; i < XMLW_DEPTH_MAX + 1; i++) {
        xmlw_end(&b.xml);
    }
    CHECK_ERR(&b.diag, ERR_INTERNAL, xmlw_finish(&b.xml));
    buf_done(&b.out);
    bench_init(&b, 5, false);
    xmlw_element(&b.xml, "abc", SPAN("too long for the buffer"));
    CHECK_ERR(&b.diag, ERR_LIMIT_BUFFER, xmlw_finish(&b.xml));
    buf_done(&b.out);
}

static void
test_xml_written(void)
{
    struct bench b;
    bench_init(&b, 1000, false);
    xmlw_declaration(&b.xml);
    xmlw_start(&b.xml, "s:a");
    xmlw_attr(&b.xml, "x", SPAN("<>&\"'\t\n\r\xC3\xA9"));
    xmlw_attr(&b.xml, "y", SPAN_EMPTY);
    xmlw_text(&b.xml, SPAN("<>&\"'\t\n\r]]>\xF0\x9F\x98\x80"));
    xmlw_element(&b.xml, "b", SPAN_EMPTY);
    xmlw_raw(&b.xml, SPAN("<c/>"));
    xmlw_start(&b.xml, "d");
    xmlw_raw(&b.xml, SPAN("&amp;"));
    xmlw_end(&b.xml);
    xmlw_end(&b.xml);
    CHECK_OK(&b.diag, xmlw_finish(&b.xml));
    CHECK_SPAN(buf_span(&b.out),
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
               "<s:a x=\"&lt;>&amp;&quot;'&#x9;&#xA;&#xD;\xC3\xA9\" y=\"\">"
               "&lt;&gt;&amp;\"'\t\n&#xD;]]&gt;\xF0\x9F\x98\x80<b></b><c/><d>&amp;</d></s:a>");
    buf_done(&b.out);
}

static void
json_key_outside(struct jsonw *w)
{
    jsonw_key(w, "k");
}
static void
json_key_in_array(struct jsonw *w)
{
    jsonw_array(w);
    jsonw_key(w, "k");
}
static void
json_two_keys(struct jsonw *w)
{
    jsonw_object(w);
    jsonw_key(w, "k");
    jsonw_key(w, "k");
}
static void
json_no_key(struct jsonw *w)
{
    jsonw_object(w);
    jsonw_int(w, 1);
    jsonw_close(w);
}
static void
json_no_value(struct jsonw *w)
{
    jsonw_object(w);
    jsonw_key(w, "k");
    jsonw_close(w);
}
static void
json_two_values(struct jsonw *w)
{
    jsonw_bool(w, false);
    jsonw_bool(w, true);
}
static void
json_open(struct jsonw *w)
{
    jsonw_array(w);
}
static void
json_empty(struct jsonw *w)
{
    (void)w;
}
static void
json_closed_twice(struct jsonw *w)
{
    jsonw_array(w);
    jsonw_close(w);
    jsonw_close(w);
}
static void
json_too_deep(struct jsonw *w)
{
    for (int i = 0; i < JSONW_DEPTH_MAX; i++) {
        jsonw_array(w);
    }
    for (int i = 0; i < JSONW_DEPTH_MAX; i++) {
        jsonw_close(w);
    }
}
static void
test_json_misuse(void)
{
    static void (*const writes[])(struct jsonw *) = {
        json_key_outside, json_key_in_array, json_two_keys, json_no_key,       json_no_value,
        json_two_values,  json_open,         json_empty,    json_closed_twice, json_too_deep,
    };
    for (size_t i = 0; i < ARRAY_LEN(writes); i++) {
        struct bench b;
        bench_init(&b, 1000, false);
        writes[i](&b.json);
        CHECK_ERR(&b.diag, ERR_INTERNAL, jsonw_finish(&b.json));
        buf_done(&b.out);
    }
    struct bench b;
    bench_init(&b, 4, false);
    jsonw_string(&b.json, SPAN("too long"));
    CHECK_ERR(&b.diag, ERR_LIMIT_BUFFER, jsonw_finish(&b.json));
    buf_done(&b.out);
}

static void
write_sample(struct jsonw *w)
{
    jsonw_object(w);
    jsonw_key_text(w, "absent", SPAN_EMPTY);
    jsonw_key_text(w, "text", SPAN("x"));
    jsonw_key_int(w, "int", INT64_MIN);
    jsonw_key(w, "list");
    jsonw_array(w);
    jsonw_int(w, -5);
    jsonw_int(w, 0);
    jsonw_int(w, INT64_MAX);
    jsonw_bool(w, false);
    jsonw_bool(w, true);
    jsonw_close(w);
    jsonw_key(w, "empty");
    jsonw_object(w);
    jsonw_close(w);
    jsonw_close(w);
}

static void
test_json_written(void)
{
    struct bench b;
    bench_init(&b, 1000, false);
    write_sample(&b.json);
    CHECK_OK(&b.diag, jsonw_finish(&b.json));
    CHECK_SPAN(buf_span(&b.out), "{\"text\":\"x\",\"int\":-9223372036854775808,\"list\":[-5,0,"
                                 "9223372036854775807,false,true],\"empty\":{}}");
    buf_done(&b.out);
    bench_init(&b, 1000, true);
    write_sample(&b.json);
    CHECK_OK(&b.diag, jsonw_finish(&b.json));
    CHECK_SPAN(buf_span(&b.out), "{\n  \"text\": \"x\",\n  \"int\": -9223372036854775808,\n"
                                 "  \"list\": [\n    -5,\n    0,\n"
                                 "    9223372036854775807,\n    false,\n    true\n  ],\n"
                                 "  \"empty\": {}\n}");
    buf_done(&b.out);
}

static void
test_json_escaped(void)
{
    static const struct {
        struct span text;
        const char *want;
    } cases[] = {
        {{"", 0}, "\"\""},
        {{"\"\\/", 3}, "\"\\\"\\\\/\""},
        {{"\b\f\n\r\t", 5}, "\"\\b\\f\\n\\r\\t\""},
        {{"a\0b", 3}, "\"a\\u0000b\""},
        {{"\x1b\x7f", 2}, "\"\\u001b\\u007f\""},
        {{"\xC2\x85\xE2\x80\xA8\xE2\x80\xA9", 8}, "\"\\u0085\\u2028\\u2029\""},
        {{"\xFF\xC3", 2}, "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {{"\xED\xA0\x80", 3}, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {{"\xC3\xA9\xF0\x9F\x98\x80", 6}, "\"\xC3\xA9\xF0\x9F\x98\x80\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b;
        bench_init(&b, 1000, false);
        jsonw_string(&b.json, cases[i].text);
        CHECK_OK(&b.diag, jsonw_finish(&b.json));
        CHECK_SPAN(buf_span(&b.out), cases[i].want);
        buf_done(&b.out);
    }
}

/* Every byte after every byte, as key and as value: another program's reader takes it. */
static void
test_json_always_valid(void)
{
    for (unsigned first = 1; first < 256; first++) {
        struct bench b;
        bench_init(&b, 100000, first % 2 == 0);
        jsonw_object(&b.json);
        for (unsigned second = 1; second < 256; second++) {
            const char bytes[] = {(char)first, (char)second, '\0'};
            jsonw_key(&b.json, bytes);
            jsonw_string(&b.json, span_of(bytes, 2));
        }
        jsonw_close(&b.json);
        CHECK_OK(&b.diag, jsonw_finish(&b.json));
        json_error_t error;
        json_t *json = json_loadb(b.out.p, b.out.n, 0, &error);
        if (json == NULL) {
            printf("\n    first byte %02x: %s\n", first, error.text);
        }
        CU_ASSERT_PTR_NOT_NULL(json);
        json_decref(json);
        buf_done(&b.out);
    }
}

static struct status
run_torture(struct diag *diag)
{
    struct buf out;
    struct jsonw json;
    struct xmlw xml;
    buf_init(&out, 100000);
    jsonw_init(&json, &out, true, diag);
    jsonw_array(&json);
    for (int i = 0; i < 100; i++) {
        write_sample(&json);
    }
    jsonw_close(&json);
    struct status st = jsonw_finish(&json);
    if (is_ok(st)) {
        buf_done(&out);
        xmlw_init(&xml, &out, diag);
        xmlw_start(&xml, "list");
        for (int i = 0; i < 100; i++) {
            xmlw_element(&xml, "item", SPAN("a<b"));
        }
        xmlw_end(&xml);
        st = xmlw_finish(&xml);
    }
    buf_done(&out);
    return st;
}

static void
test_torture(void)
{
    unit_torture(run_torture);
}

/* What one byte becomes does not depend on where it stands: texts are looked at eight at a time. */
static void
check_byte_at(char byte, struct span alone, size_t at)
{
    static const char filler[] = "zzzzzzzzzzzzzzzzzzz";
    char text[sizeof(filler)];
    char want[200];
    struct bench b;
    const int rest = (int)(sizeof(filler) - 2 - at);
    memcpy(text, filler, sizeof(filler));
    text[at] = byte;
    (void)snprintf(want, sizeof(want), "\"%.*s%.*s%.*s\"", (int)at, filler, SPAN_PRINT(alone), rest,
                   filler);
    bench_init(&b, 200, false);
    jsonw_string(&b.json, span_of(text, sizeof(filler) - 1));
    CHECK_OK(&b.diag, jsonw_finish(&b.json));
    CHECK_SPAN(buf_span(&b.out), want);
    buf_done(&b.out);
    if (byte == '\0') { /* ends a key */
        return;
    }
    bench_init(&b, 200, false);
    jsonw_object(&b.json);
    jsonw_key_bool(&b.json, text, true);
    jsonw_key_bool(&b.json, text, false);
    jsonw_close(&b.json);
    CHECK_OK(&b.diag, jsonw_finish(&b.json));
    CU_ASSERT(span_starts_with(span_slice(buf_span(&b.out), 1, SIZE_MAX), span_of_cstr(want)));
    CU_ASSERT_EQUAL(b.out.n, 2 * strlen(want) + strlen("{:true,:false}"));
    buf_done(&b.out);
}

static void
test_json_each_byte_anywhere(void)
{
    for (int c = 0; c < 256; c++) {
        const char byte = (char)c;
        struct bench b;
        bench_init(&b, 100, false);
        jsonw_string(&b.json, span_of(&byte, 1));
        CHECK_OK(&b.diag, jsonw_finish(&b.json));
        for (size_t at = 0; at < 19; at++) {
            check_byte_at(byte, span_slice(buf_span(&b.out), 1, b.out.n - 2), at);
        }
        buf_done(&b.out);
    }
}

static void
test_json_numbers(void)
{
    static const struct {
        int64_t value;
        const char *want;
    } rows[] = {{0, "0"},
                {7, "7"},
                {-1, "-1"},
                {10, "10"},
                {-1200, "-1200"},
                {INT64_MAX, "9223372036854775807"},
                {INT64_MIN, "-9223372036854775808"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b;
        bench_init(&b, 100, false);
        jsonw_int(&b.json, rows[i].value);
        CHECK_OK(&b.diag, jsonw_finish(&b.json));
        CHECK_SPAN(buf_span(&b.out), rows[i].want);
        buf_done(&b.out);
    }
}

static const struct unit_test tests[] = {
    {"XML: content that is refused", test_xml_content_refused},
    {"XML: misuse", test_xml_misuse},
    {"JSON: misuse", test_json_misuse},
    {"every failing allocation", test_torture},
    {"XML: written", test_xml_written},
    {"JSON: written", test_json_written},
    {"JSON: escaped", test_json_escaped},
    {"JSON: always valid", test_json_always_valid},
    {"JSON: each byte anywhere", test_json_each_byte_anywhere},
    {"JSON: numbers", test_json_numbers},
};
UNIT_MAIN("writers", tests)
