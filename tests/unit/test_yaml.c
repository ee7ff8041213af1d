/*
 * The YAML reader's promises: what it refuses and with which line, what it keeps, and where things
 * are.
 */
#include <stdio.h>
#include <string.h>

#include "base/yaml.h"
#include "unit.h"

struct loaded {
    struct arena *arena;
    struct yaml_report report;
    struct diag diag;
    struct yaml_node *root;
    struct status status;
    char path[512];
};

static void
load(struct loaded *loaded, struct span text)
{
    memset(loaded, 0, sizeof(*loaded));
    snprintf(loaded->path, sizeof(loaded->path), "%s/t.yaml", unit_temp_dir());
    FILE *file = fopen(loaded->path, "wb");

    CU_ASSERT_FATAL(file != NULL);
    CU_ASSERT_FATAL(fwrite(text.p, 1, text.n, file) == text.n);
    CU_ASSERT_FATAL(fclose(file) == 0);
    loaded->arena = arena_new(ARENA_LIMIT_DEFAULT);
    CU_ASSERT_FATAL(loaded->arena != NULL);
    yaml_report_init(&loaded->report);
    loaded->status =
        yaml_read_file(loaded->path, loaded->arena, &loaded->report, &loaded->diag, &loaded->root);
}

static void
unload(struct loaded *loaded)
{
    yaml_report_done(&loaded->report);
    arena_free(loaded->arena);
}

/* The report without the folder before each "t.yaml". */
static void
short_report(const struct loaded *loaded, char *ret_text, size_t size)
{
    const size_t folder = strlen(loaded->path) - strlen("t.yaml");
    const char *p = loaded->report.text.p == NULL ? "" : loaded->report.text.p;
    size_t n = 0;

    while (*p != '\0' && n + 1 < size) {
        if (strncmp(p, loaded->path, folder) == 0) {
            p += folder;
        } else {
            ret_text[n++] = *p++;
        }
    }
    ret_text[n] = '\0';
}

static void
check_report(const char *what, const struct loaded *loaded, const char *want)
{
    char got[8192];

    short_report(loaded, got, sizeof(got));
    if (strcmp(got, want) != 0) {
        fprintf(stderr, "%s\n--- wanted\n%s--- got\n%s", what, want, got);
        CU_FAIL("another report");
    }
}

/* ---- what is refused ---- */

struct refusal {
    const char *text;
    enum err code; /* ERR_NONE: read on, the report says it */
    const char *report;
};

static const struct refusal refusals[] = {
    /* anchors, aliases, tags: named, at their place, all at once */
    {"a: &x 1\nb: *x\nc: !!str 4\n", ERR_NONE,
     "t.yaml:1:7: error: anchor '&x' is not allowed; write each value where it is used\n"
     "t.yaml:2:4: error: alias '*x' is not allowed; write each value where it is used\n"
     "t.yaml:3:10: error: a tag is not allowed; remove the '!' before this value\n"},
    {"a: *nowhere\n", ERR_NONE,
     "t.yaml:1:4: error: alias '*nowhere' is not allowed; write each value where it is used\n"},
    {"a: &m {b: 1}\nc: &s [1]\n", ERR_NONE,
     "t.yaml:1:7: error: anchor '&m' is not allowed; write each value where it is used\n"
     "t.yaml:2:7: error: anchor '&s' is not allowed; write each value where it is used\n"},
    {"&k a: 1\n!t b: 2\n", ERR_NONE,
     "t.yaml:1:4: error: anchor '&k' is not allowed; write each value where it is used\n"
     "t.yaml:2:4: error: a tag is not allowed; remove the '!' before this value\n"},
    {"&r\na: 1\n", ERR_NONE,
     "t.yaml:2:1: error: anchor '&r' is not allowed; write each value where it is used\n"},
    /* duplicate keys: both places */
    {"a: 1\nb: 2\na: 3\n", ERR_NONE, "t.yaml:3:1: error: 'a' is already set at t.yaml:1:1\n"},
    {"x: {a: 1, b: 2, \"a\": 3, a: 4}\n", ERR_NONE,
     "t.yaml:1:17: error: 'a' is already set at t.yaml:1:5\n"
     "t.yaml:1:25: error: 'a' is already set at t.yaml:1:5\n"},
    /* keys that are no text */
    {"? [a, b]\n: 1\n", ERR_NONE, "t.yaml:1:3: error: a key must be text\n"},
    {"x: 1\n: 2\n", ERR_NONE, "t.yaml:1:4: error: a key must be text\n"},
    {"{a: 1}: 2\n", ERR_NONE, "t.yaml:1:1: error: a key must be text\n"},
    /* several documents */
    {"a: 1\n---\nb: 2\n", ERR_NONE,
     "t.yaml:3:1: error: a second document; one file holds one document\n"},
    {"---\na: 1\n...\nb: 2\n", ERR_NONE,
     "t.yaml:4:1: error: a second document; one file holds one document\n"},
    /* control characters that an escape hides */
    {"a: \"x\\0y\"\nb: \"\\e[2J\"\n", ERR_NONE,
     "t.yaml:1:4: error: control character 0x00 is not allowed\n"
     "t.yaml:2:4: error: control character 0x1b is not allowed\n"},
    /* syntax: one error, and the end */
    {"a: [1, 2\n", ERR_CONFIG_SYNTAX,
     "t.yaml:2:1: error: YAML syntax: flow sequence without a closing bracket\n"},
    {"a: 1\nb\nc: 3\n", ERR_CONFIG_SYNTAX,
     "t.yaml:2:1: error: YAML syntax: could not find expected ':'\n"},
    {"a: \"x\n", ERR_CONFIG_SYNTAX,
     "t.yaml:1:5: error: YAML syntax: double-quoted scalar without closing quote\n"},
    {"a: 1\n\tb: 2\n", ERR_CONFIG_SYNTAX,
     "t.yaml:1:4: error: YAML syntax: invalid multiline plain key\n"},
    {"a: b: c\n", ERR_CONFIG_SYNTAX,
     "t.yaml:1:5: error: YAML syntax: invalid nested block mapping on the same line\n"},
    {"a: @x\n", ERR_CONFIG_SYNTAX,
     "t.yaml:1:4: error: YAML syntax: plain scalar cannot start with '@'\n"},
    {"%YAML 3.0\n---\na: 1\n", ERR_CONFIG_SYNTAX, "t.yaml:1:1: error: this is not YAML 1.2\n"},
    /* errors before a syntax error stay */
    {"a: *x\nb: ]\n", ERR_CONFIG_SYNTAX,
     "t.yaml:1:4: error: alias '*x' is not allowed; write each value where it is used\n"
     "t.yaml:2:4: error: YAML syntax: flow sequence with invalid extra closing bracket\n"},
    /* the root */
    {"just text\n", ERR_CONFIG_SYNTAX, "t.yaml:1:1: error: expected 'key: value' pairs\n"},
    {"- a\n- b\n", ERR_CONFIG_SYNTAX, "t.yaml:1:1: error: expected 'key: value' pairs\n"},
    /* bytes that libfyaml would take for nothing */
    {"a: 1\nb: \xff\xfe\n", ERR_CONFIG_SYNTAX,
     "t.yaml:2:4: error: byte 0xff is not UTF-8; save the file as UTF-8\n"},
    {"\xc3\xa9: \xc3\n", ERR_CONFIG_SYNTAX,
     "t.yaml:1:4: error: byte 0xc3 is not UTF-8; save the file as UTF-8\n"},
    {"a: \xed\xa0\x80\n", ERR_CONFIG_SYNTAX,
     "t.yaml:1:4: error: byte 0xed is not UTF-8; save the file as UTF-8\n"},
    {"a: x\x01y\n", ERR_CONFIG_SYNTAX,
     "t.yaml:1:5: error: control character 0x01 is not allowed\n"},
};

static void
test_refusals(void)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        struct loaded loaded;

        load(&loaded, span_of_cstr(refusals[i].text));
        CHECK_ERR(&loaded.diag, refusals[i].code, loaded.status);
        check_report(refusals[i].text, &loaded, refusals[i].report);
        unload(&loaded);
    }
}

static void
test_nul_byte(void)
{
    struct loaded loaded;

    load(&loaded, SPAN("a: x\0y\nb: 1\n"));
    CHECK_ERR(&loaded.diag, ERR_CONFIG_SYNTAX, loaded.status);
    check_report("NUL", &loaded, "t.yaml:1:5: error: control character 0x00 is not allowed\n");
    unload(&loaded);
}

static void
test_missing_file(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct yaml_report report;
    struct diag diag = {0};
    struct yaml_node *root = NULL;

    yaml_report_init(&report);
    CHECK_ERR(&diag, ERR_IO, yaml_read_file("/nonexistent/x.yaml", arena, &report, &diag, &root));
    CU_ASSERT(report.errors == 0);
    CU_ASSERT(root == NULL);
    yaml_report_done(&report);
    arena_free(arena);
}

static void
test_too_large_file(void)
{
    static char text[2 * 1024 * 1024];
    struct loaded loaded;

    memset(text, '#', sizeof(text));
    load(&loaded, span_of(text, sizeof(text)));
    CHECK_ERR(&loaded.diag, ERR_LIMIT_BUFFER, loaded.status);
    unload(&loaded);
}

/* Depth is bounded in both styles, whatever the file's size. */
static void
test_depth(void)
{
    static char text[400 * 1024];
    struct loaded loaded;
    size_t n = 0;

    for (int i = 0; i < 500; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%*sa:\n", i, "");
    }
    load(&loaded, span_of(text, n));
    CHECK_ERR(&loaded.diag, ERR_CONFIG_SYNTAX, loaded.status);
    CU_ASSERT(strstr(loaded.report.text.p, "nested deeper than 32 levels") != NULL);
    unload(&loaded);

    memcpy(text, "a: ", 3);
    memset(text + 3, '[', 300 * 1024);
    load(&loaded, span_of(text, 300 * 1024));
    CHECK_ERR(&loaded.diag, ERR_CONFIG_SYNTAX, loaded.status);
    CU_ASSERT(loaded.report.errors == 1);
    unload(&loaded);
}

/* Fifty are printed, all are counted. */
static void
test_many_errors(void)
{
    char text[4096] = "";
    struct loaded loaded;
    size_t n = 0;

    for (int i = 0; i < 70; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "k%d: *x\n", i);
    }
    load(&loaded, span_of(text, n));
    CHECK_OK(&loaded.diag, loaded.status);
    CU_ASSERT(loaded.report.errors == 70);
    CU_ASSERT(strstr(loaded.report.text.p, "t.yaml:50:") != NULL);
    CU_ASSERT(strstr(loaded.report.text.p, "t.yaml:51:") == NULL);
    unload(&loaded);
}

/* A value cannot forge a second line of the report. */
static void
test_report_line(void)
{
    struct yaml_report report;

    yaml_report_init(&report);
    yaml_report_add(&report, "f", 1, 2, "%s", "a\nf:1:1: error: \x1b[2J");
    CHECK_SPAN(buf_span(&report.text), "f:1:2: error: a?f:1:1: error: ?[2J\n");
    yaml_report_done(&report);
}

/* ---- what is kept ---- */

/* A tree as text: kind, key, scalar, place of each node. */
static void
dump(const struct yaml_node *node, char *out, size_t size)
{
    char *end = out + strlen(out);
    const size_t room = size - strlen(out);

    snprintf(end, room, "%.*s%s@%d:%d", SPAN_PRINT(node->key), node->key.n > 0 ? "=" : "",
             node->line, node->column);
    if (node->kind == YAML_SCALAR) {
        end = out + strlen(out);
        snprintf(end, size - strlen(out), "'%.*s' ", SPAN_PRINT(node->scalar));
        return;
    }
    strncat(out, node->kind == YAML_MAPPING ? "{ " : "[ ", size - strlen(out) - 1);
    for (const struct yaml_node *child = node->children; child != NULL; child = child->next) {
        dump(child, out, size);
    }
    strncat(out, node->kind == YAML_MAPPING ? "} " : "] ", size - strlen(out) - 1);
}

struct kept {
    const char *text;
    const char *tree;
};

static const struct kept kept[] = {
    {"", "@1:1{ } "},
    {"# nothing but a comment\n", "@1:1{ } "},
    {"---\n", "@1:1{ } "},
    {"---\n...\n", "@1:1{ } "},
    /* scalars are text */
    {"a: 2.999.1\nb: yes\nc: 0x10\nd: 1e3\ne: ~\nf: null\ng: 007\nh: 2026-01-01\n",
     "@1:1{ a=@1:4'2.999.1' b=@2:4'yes' c=@3:4'0x10' d=@4:4'1e3' e=@5:4'~' f=@6:4'null' "
     "g=@7:4'007' h=@8:4'2026-01-01' } "},
    /* a key without value stands where its key stands */
    {"a:\nb: \"\"\nc: ''\n", "@1:1{ a=@1:1'' b=@2:4'' c=@3:4'' } "},
    /* collections stand where their key stands */
    {"a:\n    b: 1\n    c: [x, y]\nd:\n- e\n- f: 1\n  g: 2\n",
     "@1:1{ a=@1:1{ b=@2:8'1' c=@3:5[ @3:9'x' @3:12'y' ] } d=@4:1[ @5:3'e' @6:3{ f=@6:6'1' "
     "g=@7:6'2' } ] } "},
    /* quotes, comments, text that looks like something else */
    {"a: \"x # y\" # z\nb: 'it''s'\nc: http://h:8/p\nd: x#y\ne: \"a\\nb\\u00e9\"\n",
     "@1:1{ a=@1:4'x # y' b=@2:4'it's' c=@3:4'http://h:8/p' d=@4:4'x#y' e=@5:4'a\nb\xc3\xa9' } "},
    /* columns count characters; CRLF and a byte order mark are no text */
    {"\xc3\xa9: {\xc3\xbc: \"\xc3\xb6\", x: y}\n", "@1:1{ \xc3\xa9=@1:1{ \xc3\xbc=@1:8'\xc3\xb6' "
                                                   "x=@1:16'y' } } "},
    {"a: 1\r\nb: 2\r\n", "@1:1{ a=@1:4'1' b=@2:4'2' } "},
    {"\xef\xbb\xbf"
     "a: 1\n",
     "@1:1{ a=@1:4'1' } "},
    /* block text; JSON's layout; a merge key is a key like any other */
    {"a: |\n  x\n  y\nb: >-\n  q\n  r\n", "@1:1{ a=@2:1'x\ny\n' b=@5:1'q r' } "},
    {"{\n\"a\": [\n1,\n2\n]\n}\n", "@1:1{ a=@2:1[ @3:1'1' @4:1'2' ] } "},
    {"<<: {a: 1}\n", "@1:1{ <<=@1:1{ a=@1:9'1' } } "},
};

static void
test_kept(void)
{
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        struct loaded loaded;
        char tree[2048] = "";

        load(&loaded, span_of_cstr(kept[i].text));
        CHECK_OK(&loaded.diag, loaded.status);
        check_report(kept[i].text, &loaded, "");
        if (loaded.root != NULL) {
            dump(loaded.root, tree, sizeof(tree));
        }
        CHECK_SPAN(span_of_cstr(tree), kept[i].tree);
        unload(&loaded);
    }
}

/* The first of two values with one key is the one that counts; what is refused is not said twice.
 */
static void
test_refused_nodes(void)
{
    struct loaded loaded;

    load(&loaded, SPAN("a: 1\na: 2\nb: *x\n"));
    CHECK_OK(&loaded.diag, loaded.status);
    CU_ASSERT_FATAL(loaded.root != NULL);
    CHECK_SPAN(yaml_get(loaded.root, "a")->scalar, "1");
    const int before = loaded.report.errors;

    yaml_error(&loaded.report, yaml_get(loaded.root, "b"), "expected a number");
    CU_ASSERT(loaded.report.errors == before);
    yaml_error(&loaded.report, yaml_get(loaded.root, "a"), "expected a letter");
    CU_ASSERT(loaded.report.errors == before + 1);
    unload(&loaded);
}

/* ---- keys ---- */

static void
test_keys(void)
{
    static const char *const names[] = {"endpoint", "timeout", "id"};
    struct loaded loaded;

    load(&loaded, SPAN("endpont: x\nid: 1\nx:\n  y: 1\nTimeout: 2\nif: 3\n"));
    CHECK_OK(&loaded.diag, loaded.status);
    yaml_check_keys(&loaded.report, loaded.root, names, ARRAY_LEN(names));
    check_report("keys", &loaded,
                 "t.yaml:1:1: error: unknown key 'endpont'; did you mean 'endpoint'?\n"
                 "t.yaml:3:1: error: unknown key 'x'; expected one of: endpoint, timeout, id\n"
                 "t.yaml:5:1: error: unknown key 'Timeout'; did you mean 'timeout'?\n"
                 "t.yaml:6:1: error: unknown key 'if'; did you mean 'id'?\n");
    yaml_check_keys(&loaded.report, NULL, names, ARRAY_LEN(names));
    CU_ASSERT(yaml_get(NULL, "id") == NULL);
    CU_ASSERT(yaml_get(loaded.root, "missing") == NULL);
    CU_ASSERT(yaml_get(yaml_get(loaded.root, "id"), "id") == NULL);
    CU_ASSERT(yaml_get(loaded.root, "id")->is_known);
    unload(&loaded);
}

static const struct unit_test tests[] = {
    {"refusals", test_refusals},
    {"nul byte", test_nul_byte},
    {"missing file", test_missing_file},
    {"too large file", test_too_large_file},
    {"depth", test_depth},
    {"many errors", test_many_errors},
    {"report line", test_report_line},
    {"kept", test_kept},
    {"refused nodes", test_refused_nodes},
    {"keys", test_keys},
};

UNIT_MAIN("yaml", tests)
