/*
 * What an asking command shows and writes: tables that a partner's bytes cannot forge, JSON that
 * parses, names of files that contain nothing from the wire, and nothing that failed left out.
 */
#include <dirent.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cli/answers.h"
#include "scene_kit.h"

static struct scene scene; /* large; one at a time */

/* Red asks; green's answer number <round> is forged (not when <from> is NULL). */
static struct asking *
ask_with_forged(enum asking_goal goal, int round, const char *from, const char *to)
{
    struct asking_order order = scene_order(goal, ISABELLA);
    struct scene_stored stored = {"", "", ""};
    struct asking *asking;
    struct diag diag = {0};

    kit_open_three(&scene);
    if (goal == ASKING_QUERY) {
        stored = kit_add(scene_place(&scene, "green"), "Isabella", "N", "<ClinicalDocument/>");
        CHECK_OK(&diag, ident_read_cx(span_of_cstr(stored.patient_id), &diag, &order.patient_id));
    }
    scene_ask(scene_place(&scene, "red"), &order, &asking);
    for (int i = 0; i < round; i++) {
        scene_deliver_all(&scene, "green");
        scene_deliver(&scene, kit_question_to(&scene, "green"));
    }
    if (from != NULL) {
        scene_deliver_forged(&scene, kit_question_to(&scene, "green"), from, to);
    }
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->txn.diag.code, ERR_NONE);
    return asking;
}

static void
done(struct asking *asking)
{
    asking_free(asking);
    scene_close(&scene);
}

static const char *
text_of(struct asking *asking, struct buf *out)
{
    struct answers answers;
    struct diag diag = {0};

    buf_init(out, (size_t)1024 * 1024);
    CHECK_OK(&diag, answers_collect(asking, &diag, &answers));
    CHECK_OK(&diag, answers_write_text(&answers, out, &diag));
    CHECK_OK(&diag, buf_append_char(out, '\0', &diag));
    return out->p;
}

static json_t *
json_of(struct asking *asking)
{
    struct answers answers;
    struct diag diag = {0};
    json_error_t error;
    struct buf out;
    json_t *json;

    buf_init(&out, (size_t)1024 * 1024);
    CHECK_OK(&diag, answers_collect(asking, &diag, &answers));
    CHECK_OK(&diag, answers_write_json(&answers, &out, &diag));
    json = json_loadb(out.p, out.n, JSON_REJECT_DUPLICATES, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    buf_done(&out);
    return json;
}

static json_t *
row_of(const json_t *json, const char *partner)
{
    const json_t *rows = json_object_get(json, "communities");

    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);

        if (strcmp(json_string_value(json_object_get(row, "partner")), partner) == 0) {
            return row;
        }
    }
    CU_FAIL_FATAL("no such row");
    return NULL;
}

static void
check_row(const json_t *json, const char *partner, const char *status, int documents,
          const char *error)
{
    const json_t *row = row_of(json, partner);
    const char *got = json_string_value(json_object_get(row, "error"));

    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(row, "status")), status);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(row, "documents")), documents);
    if (error == NULL ? got[0] != '\0' : strstr(got, error) == NULL) {
        printf("\n    row of %s: wanted '%s', got '%s'\n", partner, error == NULL ? "" : error,
               got);
        CU_FAIL("another error was expected");
    }
}

static size_t
lines_of(const char *text)
{
    size_t n = 0;

    for (const char *p = text; *p != '\0'; p++) {
        n += *p == '\n' ? 1 : 0;
    }
    return n;
}

/* ---- tables ---- */

static void
test_discovery_shows_the_ids_that_query_takes(void)
{
    struct asking *asking = ask_with_forged(ASKING_DISCOVER, 0, NULL, NULL);
    const struct leg_list *legs = &asking->legs[0];
    struct buf out;
    const char *text = text_of(asking, &out);

    for (size_t i = 0; i < legs->n; i++) {
        char cx[200];

        snprintf(cx, sizeof(cx), "%.*s^^^&%.*s&ISO",
                 SPAN_PRINT(legs->items[i].matches.items[0].patient.ids.items[0].extension),
                 SPAN_PRINT(legs->items[i].matches.items[0].patient.ids.items[0].root));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, cx));
    }
    CU_ASSERT_PTR_NULL(strstr(text, "DOCUMENTS"));
    buf_done(&out);
    done(asking);
}

static void
test_a_query_counts_what_it_found(void)
{
    struct asking *asking = ask_with_forged(ASKING_QUERY, 0, NULL, NULL);
    json_t *json = json_of(asking);

    check_row(json, "green", "answered", 3, NULL);
    check_row(json, "blue", "answered", 0, NULL);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(json, "documents")), 3);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json, "failed_partners")), 0);
    json_decref(json);
    done(asking);
}

static void
test_text_from_the_wire_cannot_forge_the_table(void)
{
    static const struct {
        int round;
        const char *from, *to;
    } rows[] = {
        {1, "value=\"Summary\"",
         "value=\"\xC2\x9B"
         "2J\xE2\x80\xAEyrammuS&#10;red HIE 2.999.1\""},
        {1, ">20260102030405<",
         ">2026&#10;102\xC2\x9B"
         "030405<"},
        {1, ">20260102030405<", ">20<"},
        {0, "extension=\"",
         "extension=\"x\xC2\x9B"
         "2J"},
    };
    struct asking *asking;
    json_t *json;
    struct buf out;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *text;
        size_t plain_lines;

        asking = ask_with_forged(ASKING_GATHER, 0, NULL, NULL);
        plain_lines = lines_of(text_of(asking, &out));
        buf_done(&out);
        done(asking);
        asking = ask_with_forged(ASKING_GATHER, rows[i].round, rows[i].from, rows[i].to);
        text = text_of(asking, &out);
        CU_ASSERT_PTR_NULL(strstr(text, "\xC2\x9B"));
        CU_ASSERT_PTR_NULL(strstr(text, "\xE2\x80\xAE"));
        CU_ASSERT(lines_of(text) <= plain_lines);
        json = json_of(asking);
        json_decref(json);
        buf_done(&out);
        done(asking);
    }
}

static void
test_names_of_found_documents_stay_on_their_line(void)
{
    struct asking *asking = ask_with_forged(ASKING_QUERY, 0, "value=\"2.25.",
                                            "value=\"2&#10;\xC2\x9B"
                                            "2J.25.");
    struct buf out;
    const char *text = text_of(asking, &out);

    CU_ASSERT_PTR_NULL(strstr(text, "\xC2\x9B"));
    CU_ASSERT_EQUAL(lines_of(text), 1 + 3 + 1 + 3); /* head, communities, blank, documents */
    buf_done(&out);
    done(asking);
}

/* ---- nothing that failed is left out ---- */

static void
test_what_is_lacking_is_said(void)
{
    static const struct {
        int round;
        const char *from, *to, *status, *error;
        int documents;
    } rows[] = {
        {0, "root=\"2.999.2.1\"", "root=\"nobody\"", "match", "cannot be asked about", 0},
        {0, "root=\"2.999.2\"", "root=\"2.999.3\"", "no-match",
         "2.999.3, which is listed under partner 'blue'", 0},
        {0, "RelatesTo>urn:uuid:", "RelatesTo>urn:uuid:f", "failed", "RelatesTo", 0},
        {1, "home=\"urn:oid:2.999.2\"", "", "match", "named no homeCommunityId", 0},
        {2, "HomeCommunityId>urn:oid:2.999.2<", "HomeCommunityId>x<", "match", "0 of 2 documents",
         0},
    };
    struct asking *asking;
    json_t *json;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        asking = ask_with_forged(ASKING_GATHER, rows[i].round, rows[i].from, rows[i].to);
        json = json_of(asking);
        check_row(json, "green", rows[i].status, rows[i].documents, rows[i].error);
        check_row(json, "blue", "match", 1, NULL);
        CU_ASSERT_EQUAL(json_integer_value(json_object_get(json, "failed_partners")), 1);
        json_decref(json);
        done(asking);
    }
}

static void
test_the_partners_own_words_reach_the_user(void)
{
    static const char *const fault =
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><s:Fault>"
        "<s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text xml:lang=\"en\">index "
        "under maintenance</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>";
    const struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    struct asking *asking;
    json_t *json;

    kit_open_three(&scene);
    scene_ask(scene_place(&scene, "red"), &order, &asking);
    scene_answer(&scene, kit_question_to(&scene, "green"), 500, "application/soap+xml",
                 span_of_cstr(fault));
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    json = json_of(asking);
    check_row(json, "green", "failed", 0, "it said: index under maintenance");
    json_decref(json);
    done(asking);
}

/* ---- the folder ---- */

static size_t
files_in(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    size_t n = 0;

    if (dir == NULL) {
        return 0;
    }
    while ((entry = readdir(dir)) != NULL) {
        n += entry->d_name[0] == '.' ? 0 : 1;
    }
    closedir(dir);
    return n;
}

static void
test_documents_lie_where_the_index_says(void)
{
    struct asking *asking =
        ask_with_forged(ASKING_GATHER, 1, "value=\"Summary\"", "value=\"../../../etc/x\"");
    struct answers answers;
    struct diag diag = {0};
    char dir[300], path[400];
    const json_t *documents;
    json_error_t error;
    json_t *json;

    snprintf(dir, sizeof(dir), "%s/gathered", unit_temp_dir());
    CHECK_OK(&diag, answers_prepare_folder(dir, &diag));
    CHECK_OK(&diag, answers_collect(asking, &diag, &answers));
    CHECK_OK(&diag, answers_write_folder(&answers, dir, &diag));
    snprintf(path, sizeof(path), "%s/index.json", dir);
    json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    documents = json_object_get(json, "documents");
    CU_ASSERT_EQUAL(json_array_size(documents), 4);
    for (size_t i = 0; i < json_array_size(documents); i++) {
        const json_t *document = json_array_get(documents, i);
        struct stat found;

        snprintf(path, sizeof(path), "%s/%s", dir,
                 json_string_value(json_object_get(document, "file")));
        CU_ASSERT_EQUAL_FATAL(stat(path, &found), 0);
        CU_ASSERT_EQUAL(found.st_mode & 0777, 0600);
        CU_ASSERT_EQUAL(found.st_size, json_integer_value(json_object_get(document, "size")));
    }
    snprintf(path, sizeof(path), "%s/documents", dir);
    CU_ASSERT_EQUAL(files_in(path), 3); /* a folder per community */
    snprintf(path, sizeof(path), "%s/documents/2.999.2", dir);
    CU_ASSERT_EQUAL(files_in(path), 2);
    CU_ASSERT_EQUAL(files_in(dir), 3); /* documents, index.json, index.txt */
    /* documents of different people never lie together */
    CHECK_ERR(&diag, ERR_IO, answers_prepare_folder(dir, &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "say another folder"));
    json_decref(json);
    done(asking);
}

static void
test_a_folder_that_cannot_be_is_refused(void)
{
    static char name[5000];
    struct diag diag = {0};
    char path[400];

    memset(name, 'x', sizeof(name) - 1);
    CHECK_ERR(&diag, ERR_IO, answers_prepare_folder(name, &diag));
    diag_clear(&diag);
    snprintf(path, sizeof(path), "%s/missing/folder", unit_temp_dir());
    CHECK_ERR(&diag, ERR_IO, answers_prepare_folder(path, &diag));
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_IO, answers_prepare_folder("/dev/null", &diag));
}

static const struct unit_test tests[] = {
    {"text from the wire cannot forge the table", test_text_from_the_wire_cannot_forge_the_table},
    {"names of found documents stay on their line",
     test_names_of_found_documents_stay_on_their_line},
    {"what is lacking is said", test_what_is_lacking_is_said},
    {"the partner's own words reach the user", test_the_partners_own_words_reach_the_user},
    {"a folder that cannot be is refused", test_a_folder_that_cannot_be_is_refused},
    {"documents lie where the index says", test_documents_lie_where_the_index_says},
    {"discovery shows the ids that query takes", test_discovery_shows_the_ids_that_query_takes},
    {"a query counts what it found", test_a_query_counts_what_it_found},
};
UNIT_MAIN("answers", tests)
