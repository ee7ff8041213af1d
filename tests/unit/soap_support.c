/*
 * Helpers of the codec tests (see the header). xmllint runs as a child with a time limit of its
 * own; files lie in unit_temp_dir.
 */
#include "tests/unit/soap_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soap/envelope.h"
#include "tests/unit/unit.h"

#define XMLLINT   "/usr/bin/xmllint"
#define LIMIT_S   60
#define BYTES_MAX ((size_t)64 * 1024 * 1024)

struct status
support_envelope(struct span xml, struct arena *arena, struct diag *diag,
                 struct message **ret_message)
{
    const struct message_limits limits = message_limits_answer();
    struct span copy;
    TRY(arena_dup(arena, xml, diag, &copy));
    return message_read(copy, SPAN(SOAP_CONTENT_TYPE), &limits, arena, diag, ret_message);
}

struct status
support_message(struct span payload, struct arena *arena, struct diag *diag,
                struct message **ret_message)
{
    const struct envelope_request request = {
        .action = SPAN("urn:test"),
        .to = SPAN("https://test"),
        .message_id = SPAN("urn:uuid:00000000-0000-4000-8000-000000000001"),
        .payload = payload,
    };
    struct buf out;
    buf_init(&out, BYTES_MAX);
    struct status st = envelope_write_request(&request, &out, diag);
    if (is_ok(st)) {
        st = support_envelope(buf_span(&out), arena, diag, ret_message);
    }
    buf_done(&out);
    return st;
}

bool
support_data(const char *relative, struct arena *arena, struct span *ret_content)
{
    struct diag diag;
    struct buf file;
    diag_clear(&diag);
    buf_init(&file, BYTES_MAX);
    const char *path = unit_data_path(relative);
    const bool is_there = path != NULL && is_ok(buf_read_file(&file, path, &diag)) &&
                          is_ok(arena_dup(arena, buf_span(&file), &diag, ret_content));
    buf_done(&file);
    return is_there;
}

/* Without "<?xml ... ?>", so that an envelope can stand around it. */
static struct span
without_declaration(struct span xml)
{
    struct span text = span_trim(xml);
    const size_t end = span_find(text, SPAN("?>"));
    if (span_starts_with(text, SPAN("<?xml")) && end != SPAN_MISSING) {
        text = span_trim(span_slice(text, end + 2, text.n));
    }
    return text;
}

struct status
support_any(struct span xml, struct arena *arena, struct diag *diag, struct message **ret_message,
            bool *ret_is_envelope)
{
    *ret_is_envelope = span_find(xml, SPAN(":Envelope")) != SPAN_MISSING;
    return *ret_is_envelope ? support_envelope(xml, arena, diag, ret_message)
                            : support_message(without_declaration(xml), arena, diag, ret_message);
}

bool
support_sample(const char *relative, struct arena *arena, struct message **ret_message)
{
    struct diag diag;
    struct span file;
    diag_clear(&diag);
    if (!support_data(relative, arena, &file)) {
        return false;
    }
    bool is_envelope = false;
    const struct status st = support_any(file, arena, &diag, ret_message, &is_envelope);
    CHECK_OK(&diag, st);
    if (!is_ok(st)) {
        printf("      %s\n", relative);
    }
    return is_ok(st);
}

struct span
support_replace(struct arena *arena, struct span text, const char *from, const char *to)
{
    struct diag diag;
    struct buf out;
    struct span result = text;
    struct span rest = text;
    diag_clear(&diag);
    buf_init(&out, BYTES_MAX);
    size_t at = span_find(rest, span_of_cstr(from));
    while (at != SPAN_MISSING && is_ok(buf_append(&out, span_slice(rest, 0, at), &diag)) &&
           is_ok(buf_append_cstr(&out, to, &diag))) {
        rest = span_slice(rest, at + strlen(from), rest.n);
        at = span_find(rest, span_of_cstr(from));
    }
    if (!is_ok(buf_append(&out, rest, &diag)) ||
        !is_ok(arena_dup(arena, buf_span(&out), &diag, &result))) {
        CU_FAIL("replacing text");
    }
    buf_done(&out);
    return result;
}

/* The exit status of xmllint, or -1; what it prints goes to <log>. */
static int
run_xmllint(const char *schema, const char *file, const char *log)
{
    (void)fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        (void)alarm(LIMIT_S);
        if (freopen(log, "w", stderr) != NULL) {
            (void)execl(XMLLINT, XMLLINT, "--noout", "--nonet", "--huge", "--schema", schema, file,
                        (char *)NULL);
        }
        _exit(127);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        return -1;
    }
    return WEXITSTATUS(status);
}

static void
print_file(const char *path)
{
    char line[1024];
    FILE *in = fopen(path, "r");
    while (in != NULL && fgets(line, sizeof(line), in) != NULL) {
        printf("      %s", line);
    }
    if (in != NULL) {
        (void)fclose(in);
    }
}

static bool
write_file(const char *path, struct span content)
{
    FILE *file = fopen(path, "w");
    const bool is_written = file != NULL && fwrite(content.p, 1, content.n, file) == content.n;
    return file != NULL && fclose(file) == 0 && is_written;
}

static bool
check_with(const char *schema_path, struct span xml)
{
    char path[4096];
    char log[4200];
    if (access(XMLLINT, X_OK) != 0) {
        unit_not_run("no %s (Debian package libxml2-utils)", XMLLINT);
        return true;
    }
    (void)snprintf(path, sizeof(path), "%s/made.xml", unit_temp_dir());
    (void)snprintf(log, sizeof(log), "%s.log", path);
    const int result = write_file(path, xml) ? run_xmllint(schema_path, path, log) : -1;
    CU_ASSERT_EQUAL(result, 0);
    if (result != 0) {
        print_file(log);
        printf("      %.*s\n", (int)(xml.n < 3000 ? xml.n : 3000), xml.p);
    }
    return result == 0;
}

bool
support_check_schema(const char *schema, struct span xml)
{
    const char *schema_path = unit_data_path(schema);
    return schema_path == NULL || check_with(schema_path, xml);
}

/* Copies one schema file to the temporary folder, without what stands from <from> to <to>. */
static bool
copy_schema(const char *name, const char *const cuts[][2], size_t cuts_n)
{
    char path[4096];
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct span text = SPAN_EMPTY;
    diag_clear(&diag);
    (void)snprintf(path, sizeof(path), "%s%s", XDS_SCHEMA(""), name);
    bool is_there = support_data(path, arena, &text);
    for (size_t i = 0; is_there && i < cuts_n; i++) {
        const size_t at = span_find(text, span_of_cstr(cuts[i][0]));
        const struct span rest = span_slice(text, at, text.n);
        const size_t end = span_find(rest, span_of_cstr(cuts[i][1]));
        CU_ASSERT_FATAL(at != SPAN_MISSING && end != SPAN_MISSING);
        CHECK_OK(&diag,
                 arena_printf(arena, &diag, &text, "%.*s%.*s", (int)at, text.p,
                              SPAN_PRINT(span_slice(rest, end + strlen(cuts[i][1]), rest.n))));
    }
    (void)snprintf(path, sizeof(path), "%s/schema/%s", unit_temp_dir(), name);
    is_there = is_there && write_file(path, text);
    arena_free(arena);
    return is_there;
}

bool
support_check_xdsb(struct span xml)
{
    /* rim.xsd imports one element of XDS.b from a file of its own (XCF), and libxml2 takes one file
     * per namespace: without that element IHEXDSB.xsd cannot be used. */
    static const char *const rim_cuts[][2] = {
        {"<import namespace=\"urn:ihe:iti:xds-b:2007\"", "/>"},
        {"<element maxOccurs=\"1\" minOccurs=\"0\" ref=\"xdsext:Document\"", "/>"},
    };
    static const char *const others[] = {"ebRS30/rs.xsd", "ebRS30/lcm.xsd", "ebRS30/query.xsd",
                                         "IHE/IHEXDSB.xsd", "xml.xsd"};
    char path[4096];
    static const char *const folders[] = {"", "/ebRS30", "/IHE"};
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        (void)snprintf(path, sizeof(path), "%s/schema%s", unit_temp_dir(), folders[i]);
        (void)mkdir(path, 0700);
    }
    if (!copy_schema("ebRS30/rim.xsd", rim_cuts, ARRAY_LEN(rim_cuts))) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        CU_ASSERT(copy_schema(others[i], NULL, 0));
    }
    (void)snprintf(path, sizeof(path), "%s/schema/IHE/IHEXDSB.xsd", unit_temp_dir());
    return check_with(path, xml);
}

bool
support_read_written(const char *schema, const struct buf *payload, struct arena *arena,
                     struct message **ret_message)
{
    struct diag diag;
    diag_clear(&diag);
    return support_check_schema(schema, buf_span(payload)) &&
           CHECK_OK(&diag, support_message(buf_span(payload), arena, &diag, ret_message));
}
