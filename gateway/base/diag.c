/*
 * Records the first failure of a piece of work. Called through FAIL by the lowest function that
 * understands what went wrong; the diag belongs to the calling thread. Nothing is allocated: the
 * failure may be that there is no memory.
 */
#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define CUT_MARK "..."

void
diag_clear(struct diag *diag)
{
    diag->code = ERR_NONE;
    diag->line = 0;
    diag->file = NULL;
    diag->text[0] = '\0';
}

/* End the text with "..." without leaving half a UTF-8 character before it. */
static void
mark_cut(char text[DIAG_TEXT_MAX])
{
    size_t end = DIAG_TEXT_MAX - sizeof(CUT_MARK);
    while (end > 0 && ((unsigned char)text[end] & 0xC0U) == 0x80U) {
        end--;
    }
    memcpy(text + end, CUT_MARK, sizeof(CUT_MARK));
}

/* Each character that must not be shown becomes '?', in place. */
static void
hide_harmful(char text[DIAG_TEXT_MAX])
{
    struct span rest = span_of_cstr(text);
    const char *at = text;
    char *to = text;
    uint32_t c = 0;
    while (text_take_char(&rest, &c)) {
        const size_t n = (size_t)(rest.p - at);
        if (text_is_harmless(c)) {
            memmove(to, at, n);
            to += n;
        } else {
            *to++ = '?';
        }
        at = rest.p;
    }
    *to = '\0';
}

__attribute__((format(printf, 2, 0))) static void
write_text(char text[DIAG_TEXT_MAX], const char *format, va_list args)
{
    const int n = vsnprintf(text, DIAG_TEXT_MAX, format, args);
    if (n < 0) {
        memcpy(text, "?", sizeof("?"));
    } else if (n >= DIAG_TEXT_MAX) {
        mark_cut(text);
    }
    hide_harmful(text);
}

struct status
diag_fail(struct diag *diag, enum err code, const char *file, int line, const char *format, ...)
{
    if (diag != NULL && diag->code == ERR_NONE) {
        va_list args;
        va_start(args, format);
        write_text(diag->text, format, args);
        va_end(args);
        diag->code = code;
        diag->file = file;
        diag->line = line;
    }
    return (struct status){code};
}

void
diag_prefix(struct diag *diag, const char *format, ...)
{
    char prefix[DIAG_TEXT_MAX];
    char text[DIAG_TEXT_MAX];
    if (diag == NULL || diag->code == ERR_NONE) {
        return;
    }
    va_list args;
    va_start(args, format);
    write_text(prefix, format, args);
    va_end(args);
    memcpy(text, diag->text, sizeof(text));
    const int n = snprintf(diag->text, sizeof(diag->text), "%s: %s", prefix, text);
    if (n >= DIAG_TEXT_MAX) {
        mark_cut(diag->text);
    }
}
