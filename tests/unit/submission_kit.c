/*
 * See the header. One thread; one scene at a time.
 */
#include "submission_kit.h"

#include <stdio.h>
#include <string.h>

struct scene scene;
struct scene_reply reply;
struct arena *kept_arena;
struct scene_stored of_green;

struct place *
kept_green(void)
{
    return scene_place(&scene, "green");
}

void
kept_open(void)
{
    kept_arena = kit_open_green(&scene);
    of_green =
        kit_add(kept_green(), "Isabella", "N", "<ClinicalDocument>green's own</ClinicalDocument>");
    scene_forget(&scene);
}

void
kept_close(void)
{
    kit_close_green(&scene, kept_arena);
}

/* The places of a text filled in; NULL ends them. What has no row is left out. */
struct span
kept_fill(const char *text, const struct place_text *places)
{
    struct span rest = span_of_cstr(text), filled = SPAN_EMPTY;
    struct diag diag = {0};
    struct buf out;
    size_t at;

    buf_init(&out, (size_t)16 * 1024 * 1024);
    while ((at = span_find_char(rest, '@')) != SPAN_MISSING) {
        const struct span name_on = span_slice(rest, at + 1, SIZE_MAX);
        const struct span name = span_slice(name_on, 0, span_find_char(name_on, '@'));

        CHECK_OK(&diag, buf_append(&out, span_slice(rest, 0, at), &diag));
        for (const struct place_text *place = places; place->name != NULL; place++) {
            if (span_eq_cstr(name, place->name)) {
                CHECK_OK(&diag, buf_append(&out, place->text, &diag));
            }
        }
        rest = span_slice(name_on, name.n + 1, SIZE_MAX);
    }
    CHECK_OK(&diag, buf_append(&out, rest, &diag));
    CHECK_OK(&diag, arena_dup(kept_arena, buf_span(&out), &diag, &filled));
    buf_done(&out);
    return filled;
}

struct span
kept_format(const char *text, struct span a, struct span b)
{
    const struct place_text places[] = {{"A", a}, {"B", b}, {NULL, SPAN_EMPTY}};

    return kept_fill(text, places);
}

/* A CX in an attribute. */
struct span
kept_escape(struct span cx)
{
    struct span text = SPAN_EMPTY;
    struct diag diag = {0};
    struct buf out;

    buf_init(&out, 1000);
    for (size_t i = 0; i < cx.n; i++) {
        CHECK_OK(&diag, cx.p[i] == '&' ? buf_append_cstr(&out, "&amp;", &diag)
                                       : buf_append_char(&out, cx.p[i], &diag));
    }
    CHECK_OK(&diag, arena_dup(kept_arena, buf_span(&out), &diag, &text));
    buf_done(&out);
    return text;
}

/* ---- sending and asking ---- */

void
kept_send(const char *from, struct span payload)
{
    const struct kit_request sent = {.transaction = SOAP_ITI_80, .from = from, .payload = payload};

    kit_send(&scene, &sent, &reply);
    CU_ASSERT_FATAL(reply.is_here);
}

void
kept_check_reply(const char *part)
{
    if (strstr(reply.text, part) == NULL) {
        printf("      wanted %s in %s\n", part, reply.text);
        CU_FAIL("another answer");
    }
}

struct query_answer
kept_ask(const char *query_id, const char *name, struct span value)
{
    struct query_param params[1] = {
        {.name = span_of_cstr(name), .values = {&value, 1, 1}, .is_multiple = true}};
    const struct stored_query query = {.id = span_of_cstr(query_id),
                                       .home = SPAN(GREEN),
                                       .wants_leaf_class = true,
                                       .params = {params, 1, 1}};
    struct query_answer got = {.status = REGISTRY_FAILURE};

    params[0].is_multiple = strstr(name, "SubmissionSet") == NULL;
    kit_send_query(&scene, &query, &reply);
    kit_read_query_answer(&reply, kept_arena, &got);
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    return got;
}

struct document_entry
kept_entry(const char *unique_id)
{
    const struct query_answer got =
        kept_ask(XCA_GET_DOCUMENTS, "$XDSDocumentEntryUniqueId", span_of_cstr(unique_id));

    CU_ASSERT_EQUAL_FATAL(got.objects.documents.n, 1);
    return got.objects.documents.items[0];
}
