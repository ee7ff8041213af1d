/*
 * Exports of the journal: what stands in them, in every form; that they appear whole or not at all,
 * for their owner alone, and over nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "cli/audit_access.h"
#include "cli/audit_export.h"
#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

#define XMLLINT   "/usr/bin/xmllint"
#define SCHEMA    "ihe/schema/dicom2017c.xsd"
#define START     INT64_C(1795343400250000)
#define TEXT_ROOM ((size_t)16 * 1024 * 1024)
enum { RECORDS = 300 };

static const struct cli_command command = {.name = "audit test", .usage = "-c FILE"};

/* ---- a journal, and a folder to export into ---- */

struct scene {
    char dir[PATH_MAX], folder[PATH_MAX], path[PATH_MAX];
    struct audit_view view;
    struct audit_access access;
    struct audit_index_query query;
};

static void
fill(const char *dir, int n)
{
    struct journal *journal = kit_open(dir, KIT_SIZES);

    for (int i = 0; i < n; i++) {
        struct span patient = SPAN("1^^^&2.999.1&ISO");
        struct document_ref document = {.unique_id = SPAN("2.999.7.1"),
                                        .repository = SPAN("2.999.2.2")};
        struct diag diag = {0};
        const struct audit_event event = {
            .type = i % 2 == 0 ? AUDIT_ITI_39 : AUDIT_ITI_38,
            .side = AUDIT_RESPONDING,
            .phase = AUDIT_OUTCOME,
            .time_us = START + i,
            .transaction_id = SPAN("t-1"),
            .user_id = SPAN("Ada \"the first\", <clerk>\n"),
            .organization = SPAN("=HYPERLINK(\"http://2.999/\")"),
            .role = {SPAN("-1+1"), SPAN("2.999.9"), SPAN("@SUM")},
            .source_id = SPAN("\t=1"),
            .destination_id = SPAN("https://red.example/"),
            .purpose = {SPAN("T-TREAT"), SPAN("2.999.9"), SPAN("Treatment")},
            .query_id = SPAN("q-1"),
            .query = SPAN("<q/>"),
            .patients = {&patient, 1, 1},
            .documents = {&document, i % 2 == 0 ? 1 : 0, 1},
        };
        CHECK_OK(&diag, journal_append_wait(journal, &event, &diag));
    }
    journal_close(journal);
}

static void
begin(struct scene *scene, const char *name, int n)
{
    char folder[64];

    kit_disk_reset();
    *scene = (struct scene){0};
    (void)snprintf(scene->dir, sizeof(scene->dir), "%s", kit_folder(name));
    (void)snprintf(folder, sizeof(folder), "%s-out", name);
    (void)snprintf(scene->folder, sizeof(scene->folder), "%s", kit_folder(folder));
    CU_ASSERT_TRUE(mkdir(scene->folder, 0700) == 0 || errno == EEXIST);
    kit_join(scene->path, scene->folder, "export");
    fill(scene->dir, n);
    scene->query = (struct audit_index_query){
        .outcome = -1, .outcome_most = -1, .since_us = INT64_MIN, .until_us = INT64_MAX};
    scene->view = (struct audit_view){.command = &command,
                                      .place = {.dir = scene->dir},
                                      .source = {"Red HIE", "2.999.1"},
                                      .out = tmpfile(),
                                      .access = &scene->access};
    scene->access = (struct audit_access){
        .command = &command, .place = &scene->view.place, .community = "2.999.1", .verb = "export"};
    CU_ASSERT_PTR_NOT_NULL_FATAL(scene->view.out);
}

static struct buf text; /* what was exported last */

static void
end(struct scene *scene)
{
    buf_done(&text);
    (void)fclose(scene->view.out);
}

static enum cli_exit
export_as(const struct scene *scene, enum audit_export_form form, bool is_forced)
{
    const struct audit_export export = {
        .path = scene->path, .form = form, .is_forced = is_forced, .asked = "everything"};

    return audit_export(&scene->view, &scene->query, &export);
}

/* How many names there are in the folder: nothing half made is left behind. */
static int
names_in(const char *folder)
{
    DIR *dir = opendir(folder);
    int n = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        n += entry->d_name[0] == '.' ? 0 : 1;
    }
    (void)closedir(dir);
    return n;
}

static const char *
read_export(const struct scene *scene)
{
    struct diag diag = {0};

    buf_done(&text);
    buf_init(&text, TEXT_ROOM);
    CHECK_OK(&diag, buf_read_file(&text, scene->path, &diag));
    return text.p == NULL ? "" : text.p;
}

static int
count_of(const char *where, const char *what)
{
    int n = 0;

    for (const char *at = where; (at = strstr(at, what)) != NULL; at++) {
        n++;
    }
    return n;
}

/* ---- tests ---- */

static void
test_nothing_is_replaced(void)
{
    struct scene scene;
    struct stat info;

    begin(&scene, "replaced", 3);
    kit_write_file(scene.path, SPAN("somebody's letter"));
    CU_ASSERT_EQUAL(export_as(&scene, AUDIT_EXPORT_JSON, false), CLI_FAILED);
    CU_ASSERT_STRING_EQUAL(read_export(&scene), "somebody's letter");
    CU_ASSERT_EQUAL(names_in(scene.folder), 1);
    CU_ASSERT_EQUAL(export_as(&scene, AUDIT_EXPORT_JSON, true), CLI_DONE);
    CU_ASSERT_EQUAL(count_of(read_export(&scene), "\"hash\""), 3);
    CU_ASSERT_EQUAL(stat(scene.path, &info), 0);
    CU_ASSERT_EQUAL(info.st_mode & 0777, 0600);
    CU_ASSERT_EQUAL(unlink(scene.path), 0);
    CU_ASSERT_EQUAL(mkdir(scene.path, 0700), 0);
    CU_ASSERT_EQUAL(export_as(&scene, AUDIT_EXPORT_JSON, true), CLI_FAILED); /* a folder */
    CU_ASSERT_EQUAL(rmdir(scene.path), 0);
    CU_ASSERT_EQUAL(symlink("elsewhere", scene.path), 0);
    CU_ASSERT_EQUAL(export_as(&scene, AUDIT_EXPORT_JSON, true), CLI_FAILED);
    CU_ASSERT_EQUAL(names_in(scene.folder), 1); /* the link alone */
    end(&scene);
}

/* That it was made is recorded before it has its name. */
static void
test_nothing_without_a_record(void)
{
    struct scene scene;

    begin(&scene, "unrecorded", 3);
    scene.view.is_encrypted = true; /* no index: the disk fails the journal alone */
    atomic_store(&kit_disk.fail_sync_at, 1);
    CU_ASSERT_EQUAL(export_as(&scene, AUDIT_EXPORT_JSON, false), CLI_FAILED);
    CU_ASSERT_EQUAL(names_in(scene.folder), 0);
    kit_disk_reset();
    kit_join(scene.path, scene.folder, "missing/export");
    CU_ASSERT_EQUAL(export_as(&scene, AUDIT_EXPORT_JSON, false), CLI_FAILED);
    CU_ASSERT_EQUAL(names_in(scene.folder), 0);
    end(&scene);
}

/* What can still be proven is exported; that it is not all is said by the exit code. */
static void
test_damage(void)
{
    struct scene scene;
    struct buf bytes;
    struct diag diag = {0};

    begin(&scene, "damage", 3);
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s", kit_last_segment(scene.dir, "serve"));
    buf_init(&bytes, TEXT_ROOM);
    CHECK_OK(&diag, buf_read_file(&bytes, path, &diag));
    bytes.p[bytes.n - 20] ^= 1; /* in the last record of a finished file */
    kit_write_file(path, buf_span(&bytes));
    buf_done(&bytes);
    CU_ASSERT_EQUAL(export_as(&scene, AUDIT_EXPORT_JSON, false), CLI_FAILED);
    CU_ASSERT_EQUAL(count_of(read_export(&scene), "\"hash\""), 2);
    end(&scene);
}

static void
test_json(void)
{
    struct scene scene;
    int n = 0;

    begin(&scene, "json", RECORDS);
    CU_ASSERT_EQUAL(export_as(&scene, AUDIT_EXPORT_JSON, false), CLI_DONE);
    struct span rest = span_of_cstr(read_export(&scene));
    for (struct span line; span_split(&rest, '\n', &line) && line.n > 0; n++) {
        json_t *record = json_loadb(line.p, line.n, 0, NULL);
        char name[64];

        (void)snprintf(name, sizeof(name), "serve/%d", n + 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(record);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(record, "record")), name);
        CU_ASSERT_EQUAL(json_string_length(json_object_get(record, "hash")), 64);
        CU_ASSERT_TRUE(json_is_object(json_object_get(record, "event")));
        json_decref(record);
    }
    CU_ASSERT_EQUAL(n, RECORDS);
    end(&scene);
}

/* Every row has the head's columns, and none begins as a formula does. */
static void
test_csv(void)
{
    struct scene scene;

    begin(&scene, "csv", 4);
    CU_ASSERT_EQUAL(export_as(&scene, AUDIT_EXPORT_CSV, false), CLI_DONE);
    const char *const got = read_export(&scene);
    const char *const head_end = strstr(got, "\r\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(head_end);
    int columns = 1;
    for (const char *at = got; at < head_end; at++) {
        columns += *at == ',' ? 1 : 0;
    }
    CU_ASSERT_EQUAL(count_of(got, "\r\n"), 1 + 4);
    CU_ASSERT_EQUAL(count_of(head_end, "\",\""), 4 * (columns - 1));
    CU_ASSERT_EQUAL(count_of(got, ",\"="), 0);
    CU_ASSERT_EQUAL(count_of(got, ",\"-"), 0);
    CU_ASSERT_EQUAL(count_of(got, ",\"'=HYPERLINK(\"\"http://2.999/\"\")\","), 4);
    CU_ASSERT_EQUAL(count_of(got, ",\"'-1+1\","), 4);
    CU_ASSERT_EQUAL(count_of(got, ",\"' =1\","), 4); /* the tab is shown as a blank */
    CU_ASSERT_EQUAL(count_of(got, "\"Ada \"\"the first\"\", <clerk> \""), 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "\r\n\"serve/1\",\""));
    end(&scene);
}

static void
test_fhir(void)
{
    struct scene scene;

    begin(&scene, "fhir", 4);
    CU_ASSERT_EQUAL(export_as(&scene, AUDIT_EXPORT_FHIR, false), CLI_DONE);
    struct span rest = span_of_cstr(read_export(&scene));
    int n = 0;
    for (struct span line; span_split(&rest, '\n', &line) && line.n > 0; n++) {
        json_t *resource = json_loadb(line.p, line.n, 0, NULL);

        CU_ASSERT_PTR_NOT_NULL_FATAL(resource);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(resource, "resourceType")),
                               "AuditEvent");
        CU_ASSERT_EQUAL(json_string_length(json_object_get(resource, "id")), 36);
        json_decref(resource);
    }
    CU_ASSERT_EQUAL(n, 4);
    end(&scene);
}

/* ---- XML ---- */

static int
run_xmllint(const char *schema, const char *file)
{
    const pid_t child = fork();
    int how = -1;

    CU_ASSERT_FATAL(child != -1);
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL) {
            _exit(3);
        }
        if (schema == NULL) {
            (void)execl(XMLLINT, "xmllint", "--nonet", "--noout", file, (char *)NULL);
        } else {
            (void)execl(XMLLINT, "xmllint", "--nonet", "--noout", "--schema", schema, file,
                        (char *)NULL);
        }
        _exit(3);
    }
    (void)waitpid(child, &how, 0);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

/* REQ: ITI20-schema */
static void
test_xml(void)
{
    struct scene scene;
    char message[PATH_MAX];
    int n = 0;

    begin(&scene, "xml", 4);
    CU_ASSERT_EQUAL(export_as(&scene, AUDIT_EXPORT_XML, false), CLI_DONE);
    struct span rest = span_of_cstr(read_export(&scene));
    CU_ASSERT_EQUAL(run_xmllint(NULL, scene.path), 0); /* one document */
    CU_ASSERT_EQUAL(count_of(rest.p, "<?xml"), 1);
    CU_ASSERT_EQUAL(count_of(rest.p, " sha256=\""), 4);
    kit_join(message, scene.folder, "message.xml");
    const char *const schema = unit_data_path(SCHEMA);
    if (schema == NULL) {
        end(&scene);
        return;
    }
    for (size_t at; (at = span_find(rest, SPAN("<AuditMessage>"))) != SPAN_MISSING; n++) {
        rest = span_slice(rest, at, rest.n - at);
        const size_t ends = span_find(rest, SPAN("</AuditMessage>")) + strlen("</AuditMessage>");
        kit_write_file(message, span_slice(rest, 0, ends));
        CU_ASSERT_EQUAL(run_xmllint(schema, message), 0);
        rest = span_slice(rest, ends, rest.n - ends);
    }
    CU_ASSERT_EQUAL(n, 4);
    end(&scene);
}

static const struct unit_test tests[] = {
    {"nothing is replaced", test_nothing_is_replaced},
    {"nothing is made without a record of it", test_nothing_without_a_record},
    {"a damaged chain", test_damage},
    {"JSON", test_json},
    {"CSV", test_csv},
    {"FHIR", test_fhir},
    {"AuditMessages", test_xml},
};
UNIT_MAIN("audit export", tests)
