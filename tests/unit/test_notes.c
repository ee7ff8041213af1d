/*
 * Notes: the same tree as text and as JSON, what is private, and want of memory at every point.
 */
#include <string.h>

#include <jansson.h>

#include "base/notes.h"
#include "unit.h"

static void
fill(struct notes *notes)
{
    struct note *const section = note_object(notes, &notes->top, "file");
    struct note *const list = note_list(notes, section, "parts");

    note_cstr(notes, section, "kind", "a\nrequest\x1b[2J");
    note_text(notes, section, "left_out", SPAN_EMPTY);
    note_int(notes, section, "body_bytes", -12);
    note_bool(notes, section, "is_good", true);
    note_private(notes, section, "name", SPAN("In\xc3\xa9s"));
    note_word(notes, section, "words", SPAN("one"));
    note_word(notes, section, "words", SPAN("two"));
    for (int i = 0; i < 2; i++) {
        struct note *const item = note_object(notes, list, NULL);

        note_printf(notes, item, "id", "part %d", i);
        note_int(notes, item, "size", i);
    }
    struct note *const rows = note_list(notes, &notes->top, "checks");
    struct note *const row = note_row(notes, rows);
    note_cstr(notes, row, "verdict", "refused");
    note_cstr(notes, row, "check", "Timestamp");
    note_cstr(notes, row, "error", "WSS_EXPIRED");
    note_cstr(notes, row, "reason", "too old");
    note_bool(notes, row, "decides", true);
    (void)note_list(notes, &notes->top, "signatures");
}

static const char text_wanted[] = "file\n"
                                  "  parts\n"
                                  "    - id                 part 0\n"
                                  "      size               0\n"
                                  "    - id                 part 1\n"
                                  "      size               1\n"
                                  "  kind               a request?[2J\n"
                                  "  body bytes         -12\n"
                                  "  is good            yes\n"
                                  "  name               [redacted 4 characters]\n"
                                  "  words              one, two\n"
                                  "\n"
                                  "checks\n"
                                  "  refused     Timestamp                 WSS_EXPIRED, too old, "
                                  "decides yes\n"
                                  "\n"
                                  "signatures: none\n";

static void
test_text(void)
{
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag = {0};
    struct notes notes;
    struct buf out;

    buf_init(&out, 65536);
    notes_init(&notes, arena, false, &diag);
    fill(&notes);
    CHECK_OK(&diag, notes_write_text(&notes, &out, &diag));
    CHECK_SPAN(buf_span(&out), text_wanted);
    buf_done(&out);
    arena_free(arena);
}

static void
test_json_says_the_same(void)
{
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag = {0};
    struct notes notes;
    struct buf out;

    buf_init(&out, 65536);
    notes_init(&notes, arena, true, &diag);
    fill(&notes);
    CHECK_OK(&diag, notes_write_json(&notes, &out, &diag));
    json_t *const root = json_loadb(out.p, out.n, JSON_REJECT_DUPLICATES, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    json_t *const file = json_object_get(root, "file");
    json_t *const row = json_array_get(json_object_get(root, "checks"), 0);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(file, "kind")), "a\nrequest\x1b[2J");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(file, "name")), "In\xc3\xa9s");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(file, "body_bytes")), -12);
    CU_ASSERT(json_is_true(json_object_get(file, "is_good")));
    CU_ASSERT_EQUAL(json_array_size(json_object_get(file, "parts")), 2);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(row, "error")), "WSS_EXPIRED");
    CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "signatures")), 0);
    json_decref(root);
    buf_done(&out);
    arena_free(arena);
}

/* What is private is not even in the tree. */
static void
test_private_text_is_not_kept(void)
{
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag = {0};
    struct notes notes;

    notes_init(&notes, arena, false, &diag);
    note_private(&notes, &notes.top, "name", SPAN("secret"));
    note_private(&notes, &notes.top, "one", SPAN("x"));
    note_private(&notes, &notes.top, "none", SPAN_EMPTY);
    CHECK_SPAN(notes.top.first->text, "[redacted 6 characters]");
    CHECK_SPAN(notes.top.first->next->text, "[redacted 1 character]");
    CU_ASSERT_PTR_NULL(notes.top.first->next->next);
    arena_free(arena);
}

static struct status
write_both(struct diag *diag)
{
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct notes notes;
    struct buf text;
    struct buf json;

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of the test");
    }
    buf_init(&text, 65536);
    buf_init(&json, 65536);
    notes_init(&notes, arena, false, diag);
    fill(&notes);
    struct status st = notes_write_text(&notes, &text, diag);
    if (is_ok(st)) {
        st = notes_write_json(&notes, &json, diag);
    }
    buf_done(&text);
    buf_done(&json);
    arena_free(arena);
    return st;
}

static void
test_want_of_memory(void)
{
    unit_torture(write_both);
}

static const struct unit_test tests[] = {
    {"text", test_text},
    {"json_says_the_same", test_json_says_the_same},
    {"private_text_is_not_kept", test_private_text_is_not_kept},
    {"want_of_memory", test_want_of_memory},
};
UNIT_MAIN("notes", tests)
