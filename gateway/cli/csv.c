/*
 * Fields of CSV. Called by what `isthmus audit` writes for spreadsheets; owns nothing.
 */
#include "cli/csv.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define FIELD_ROOM ((size_t)32 * 1024 * 1024)

/* Spreadsheets look past blanks in front. */
static bool
looks_like_formula(struct span text)
{
    size_t i = 0;

    while (i < text.n && text.p[i] == ' ') {
        i++;
    }
    return i < text.n && strchr("=+-@\t\r", text.p[i]) != NULL;
}

struct status
csv_field(struct buf *out, struct span text, bool is_last, struct diag *diag)
{
    CLEANUP(buf_done) struct buf plain;

    buf_init_secret(&plain, FIELD_ROOM);
    TRY(text_show(text, &plain, diag));
    TRY(buf_append_cstr(out, looks_like_formula(buf_span(&plain)) ? "\"'" : "\"", diag));
    for (size_t i = 0; i < plain.n; i++) {
        TRY(buf_append_cstr(out, plain.p[i] == '"' ? "\"" : "", diag));
        TRY(buf_append_char(out, plain.p[i], diag));
    }
    return buf_append_cstr(out, is_last ? "\"\r\n" : "\",", diag);
}
