/*
 * See audit_rows_kit.h.
 */
#include "audit_rows_kit.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "soap/xml.h"

#define XMLLINT      "/usr/bin/xmllint"
#define SCHEMA       "ihe/schema/dicom2017c.xsd"
#define MESSAGES_MAX 64
#define ROOM         ((size_t)4 * 1024 * 1024)
#define TIME_US      INT64_C(1795343400250000)
#define TIME_TEXT    "2026-11-22T10:30:00.250Z"

static struct {
    const struct scene *scene;
    struct buf wanted; /* the file */
    struct buf got;    /* rows since rows_begin */
    char files[MESSAGES_MAX][PATH_MAX];
    size_t files_n;
    size_t compared;
} rows;

/* ---- one element as a line ---- */

static void
put(struct span text)
{
    struct diag diag = {0};

    if (!is_ok(buf_append(&rows.got, text, &diag))) { /* asserts are slow in such numbers */
        CU_FAIL("no room for the rows");
    }
}

static void
put_cstr(const char *text)
{
    put(span_of_cstr(text));
}

/* "ParticipantObjectTypeCode" as "TypeCode". */
static const char *
short_name(const char *name)
{
    static const char *const prefixes[] = {"ParticipantObject", "NetworkAccessPoint", "AuditSource",
                                           "AuditEnterprise", "Event"};

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        const size_t n = strlen(prefixes[i]);

        if (strncmp(name, prefixes[i], n) == 0 && name[n] != '\0' && strcmp(name, "EventID") != 0) {
            return i == 1 ? name + strlen("NetworkAccess") : name + n;
        }
    }
    return name;
}

static void
put_decoded(struct span base64)
{
    struct diag diag = {0};
    struct buf bytes;

    buf_init(&bytes, ROOM);
    CHECK_OK(&diag, base64_decode(base64, &bytes, &diag));
    put(buf_span(&bytes));
    buf_done(&bytes);
}

/* A query is the bytes that went over the wire, or that a local system sent. */
static bool
was_sent(struct span query)
{
    for (size_t i = 0; i < rows.scene->questions_n; i++) {
        if (span_find(buf_span(&rows.scene->questions[i].body), query) != SPAN_MISSING) {
            return true;
        }
    }
    return false;
}

static void
put_query(struct span base64)
{
    struct diag diag = {0};
    struct buf bytes;

    buf_init(&bytes, ROOM);
    CHECK_OK(&diag, base64_decode(base64, &bytes, &diag));
    const struct span query = buf_span(&bytes);
    size_t n = 0;

    while (n < query.n && strchr(" >/", query.p[n]) == NULL) {
        n++;
    }
    put_cstr(" Query=");
    put(span_slice(query, 0, n));
    put_cstr(was_sent(query) ? ">, as it was sent" : ">");
    buf_done(&bytes);
}

static bool
is_code(const xmlNode *node)
{
    return xml_attr_text(node, "csd-code").n > 0;
}

static void
put_code(const xmlNode *node)
{
    const struct span display = xml_attr_text(node, "displayName");

    put(xml_attr_text(node, "csd-code"));
    put_cstr("^");
    put(xml_attr_text(node, "codeSystemName"));
    put_cstr("^");
    put(xml_attr_text(node, "originalText"));
    if (display.n > 0 && !span_eq(display, xml_attr_text(node, "originalText"))) {
        put_cstr("^");
        put(display);
    }
}

static void
put_child(const xmlNode *node, struct arena *arena)
{
    const char *name = (const char *)node->name;
    struct diag diag = {0};
    struct span text = SPAN_EMPTY;

    CHECK_OK(&diag, xml_text(node, ERR_MESSAGE_CONTENT, arena, &diag, &text));
    if (strcmp(name, "ParticipantObjectQuery") == 0) {
        put_query(text);
        return;
    }
    put_cstr(" ");
    if (strcmp(name, "ParticipantObjectDetail") == 0) {
        put_cstr("Detail(");
        put(xml_attr_text(node, "type"));
        put_cstr(")=");
        put_decoded(xml_attr_text(node, "value"));
        return;
    }
    put_cstr(short_name(name));
    put_cstr("=");
    if (is_code(node)) {
        put_code(node);
    } else {
        put_cstr("'");
        put(text);
        put_cstr("'");
    }
}

static void
put_element(const xmlNode *node, struct arena *arena)
{
    static const char *const names[][2] = {{"EventIdentification", "event "},
                                           {"ActiveParticipant", "who   "},
                                           {"AuditSourceIdentification", "source"},
                                           {"ParticipantObjectIdentification", "object"}};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (span_eq_cstr(xml_local_name(node), names[i][0])) {
            put_cstr(names[i][1]);
        }
    }
    for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
        const char *name = (const char *)attr->name;

        if (strcmp(name, "EventDateTime") == 0) {
            CHECK_SPAN(xml_attr_value(attr), TIME_TEXT);
            continue;
        }
        put_cstr(" ");
        put_cstr(short_name(name));
        put_cstr("=");
        put(xml_attr_value(attr));
    }
    for (const xmlNode *child = xml_first(node); child != NULL; child = xml_next(child)) {
        put_child(child, arena);
    }
    put_cstr("\n");
}

/* ---- what is new in each run ---- */

static size_t
uuid_at(struct span text)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t i = 0;

    while (form[i] != '\0' && i < text.n &&
           (form[i] == '-' ? text.p[i] == '-' : strchr("0123456789abcdef", text.p[i]) != NULL)) {
        i++;
    }
    return form[i] == '\0' ? i : 0;
}

static size_t
oid_at(struct span text)
{
    size_t n = strlen("2.25.");

    if (!span_starts_with(text, SPAN("2.25."))) {
        return 0;
    }
    while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9') {
        n++;
    }
    return n;
}

static void
make_stable(struct buf *text)
{
    const struct span all = buf_span(text);
    struct diag diag = {0};
    struct status st = OK;
    struct buf stable;
    size_t from = 0, at = 0;

    buf_init(&stable, ROOM);
    while (at < all.n && is_ok(st)) {
        const struct span rest = span_slice(all, at, all.n - at);
        const size_t uuid = uuid_at(rest), n = uuid > 0 ? uuid : oid_at(rest);

        if (n > 0) {
            st = buf_append(&stable, span_slice(all, from, at - from), &diag);
            st = is_ok(st) ? buf_append_cstr(&stable, uuid > 0 ? "{uuid}" : "{oid}", &diag) : st;
            from = at + n;
        }
        at += n > 0 ? n : 1;
    }
    CHECK_OK(&diag, st);
    CHECK_OK(&diag, buf_append(&stable, span_slice(all, from, all.n - from), &diag));
    buf_done(text);
    *text = stable;
}

/* ---- messages ---- */

static const struct place *
place_of(const struct scene_sink *sink)
{
    for (size_t i = 0; rows.scene != NULL && i < rows.scene->places_n; i++) {
        if (&rows.scene->places[i].sink == sink) {
            return &rows.scene->places[i];
        }
    }
    return NULL;
}

static void
keep_file(struct span xml)
{
    CU_ASSERT_FATAL(rows.files_n < MESSAGES_MAX);
    char *path = rows.files[rows.files_n];

    (void)snprintf(path, sizeof(rows.files[0]), "%s/row-%zu.xml", unit_temp_dir(), rows.files_n);
    rows.files_n++;
    FILE *file = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(xml.p, 1, xml.n, file), xml.n);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void
put_message(const struct place *place, const struct audit_event *event, struct span xml)
{
    const struct message_limits limits = message_limits_answer();
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag = {0};
    xmlDoc *doc = NULL;

    CHECK_OK(&diag, xml_parse(xml, &limits, arena, &diag, &doc));
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    put_cstr("-- ");
    put_cstr(place->name);
    put_cstr(event->phase == AUDIT_INTENT ? ", intent\n" : "\n");
    for (const xmlNode *node = xml_first(xml_root(doc)); node != NULL; node = xml_next(node)) {
        put_element(node, arena);
    }
    arena_free(arena);
}

/* What the journal adds is the same each time. */
static void
take_event(const struct scene_sink *sink, const struct audit_event *event)
{
    const struct place *place = place_of(sink);
    struct audit_event whole = *event;
    struct diag diag = {0};
    struct buf xml;

    if (place == NULL) {
        return;
    }
    whole.time_us = TIME_US;
    whole.process_id = 4711;
    const struct audit_source source = {place->name, place->config->community};

    buf_init(&xml, ROOM);
    CHECK_OK(&diag, audit_message_write(&whole, &source, &xml, &diag));
    keep_file(buf_span(&xml));
    put_message(place, event, buf_span(&xml));
    buf_done(&xml);
}

/* ---- DICOM's schema, once for all messages of a scenario ---- */

static void
run_xmllint(const char *schema, const char *log)
{
    const char *argv[MESSAGES_MAX + 6] = {"xmllint", "--nonet", "--noout", "--schema", schema};
    const int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    for (size_t i = 0; i < rows.files_n; i++) {
        argv[5 + i] = rows.files[i];
    }
    if (fd != -1) {
        (void)dup2(fd, STDOUT_FILENO);
        (void)dup2(fd, STDERR_FILENO);
    }
    (void)execv(XMLLINT, (char *const *)(uintptr_t)argv);
    _exit(127);
}

static void
check_schema(const char *scenario)
{
    const char *schema = unit_data_path(SCHEMA);
    char log[PATH_MAX];
    int status = -1;

    if (access(XMLLINT, X_OK) != 0 || schema == NULL || rows.files_n == 0) {
        return;
    }
    (void)snprintf(log, sizeof(log), "%s/xmllint.log", unit_temp_dir());
    fflush(stdout);
    const pid_t child = fork();

    if (child == 0) {
        run_xmllint(schema, log);
    }
    CU_ASSERT_FATAL(child > 0);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        struct diag diag = {0};
        struct buf text;

        buf_init(&text, ROOM);
        CHECK_OK(&diag, buf_read_file(&text, log, &diag));
        printf("\n    '%s' is not valid DICOM\n%.*s\n", scenario, SPAN_PRINT(buf_span(&text)));
        buf_done(&text);
        CU_FAIL("against the schema");
    }
}

/* ---- scenarios ---- */

void
rows_open(const char *file)
{
    char path[PATH_MAX];
    struct diag diag = {0};

    (void)snprintf(path, sizeof(path), "tests/unit/%s", file);
    buf_init(&rows.wanted, ROOM);
    buf_init(&rows.got, ROOM);
    if (!is_ok(buf_read_file(&rows.wanted, unit_source_path(path), &diag))) {
        printf("%s: %s\n", path, diag.text);
    }
    rows.compared = 0;
    scene_watcher = take_event;
}

static size_t
count_scenarios(void)
{
    struct span rest = buf_span(&rows.wanted), line;
    size_t n = 0;

    while (span_split(&rest, '\n', &line)) {
        n += span_starts_with(line, SPAN("== ")) ? 1 : 0;
    }
    return n;
}

bool
rows_close(void)
{
    const size_t n = count_scenarios();

    if (rows.compared != n) {
        printf("\n%zu scenarios were compared, the file has %zu\n", rows.compared, n);
    }
    scene_watcher = NULL;
    buf_done(&rows.wanted);
    buf_done(&rows.got);
    return rows.compared == n;
}

void
rows_begin(const struct scene *scene)
{
    rows.scene = scene;
    rows.files_n = 0;
    buf_reset(&rows.got);
}

/* The file's lines of a scenario, without remarks. */
static bool
find_wanted(const char *scenario, struct buf *wanted)
{
    struct span rest = buf_span(&rows.wanted), line;
    struct diag diag = {0};
    bool is_there = false, is_found = false;

    while (span_split(&rest, '\n', &line)) {
        if (span_starts_with(line, SPAN("== "))) {
            is_there = span_eq_cstr(span_slice(line, 3, line.n - 3), scenario);
            is_found = is_found || is_there;
        } else if (is_there && line.n > 0 && line.p[0] != '#') {
            CHECK_OK(&diag, buf_printf(wanted, &diag, "%.*s\n", SPAN_PRINT(line)));
        }
    }
    return is_found;
}

static void
show_difference(struct span got, struct span wanted)
{
    struct span got_line = SPAN_EMPTY, wanted_line = SPAN_EMPTY;

    for (size_t i = 1; got.n > 0 || wanted.n > 0; i++) {
        const bool has_got = span_split(&got, '\n', &got_line);
        const bool has_wanted = span_split(&wanted, '\n', &wanted_line);

        if (!has_got && !has_wanted) {
            return;
        }
        if (!has_got || !has_wanted || !span_eq(got_line, wanted_line)) {
            printf("      line %zu\n      got    %.*s\n      wanted %.*s\n", i,
                   SPAN_PRINT(has_got ? got_line : SPAN("(nothing)")),
                   SPAN_PRINT(has_wanted ? wanted_line : SPAN("(nothing)")));
        }
    }
}

void
rows_check(const char *scenario)
{
    const char *dump = getenv("ISTHMUS_SHOW_ROWS");
    struct buf wanted;

    make_stable(&rows.got);
    buf_init(&wanted, ROOM);
    if (dump != NULL) {
        printf("\n== %s\n%.*s", scenario, SPAN_PRINT(buf_span(&rows.got)));
    }
    if (!find_wanted(scenario, &wanted)) {
        printf("\n    no scenario '%s' in the file\n", scenario);
        CU_FAIL("no such scenario");
    } else if (!span_eq(buf_span(&rows.got), buf_span(&wanted))) {
        printf("\n    '%s'\n", scenario);
        show_difference(buf_span(&rows.got), buf_span(&wanted));
        CU_FAIL("other rows");
    }
    rows.compared++;
    buf_done(&wanted);
    check_schema(scenario);
    rows_begin(rows.scene);
}
