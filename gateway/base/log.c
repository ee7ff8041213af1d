/*
 * Writes the program's log. Called where transactions, connections, outbound calls and the program
 * end, any thread. A line is built on the stack (the failure may be that there is no memory) and
 * written with one write(2); it is never longer than what the kernel writes to a pipe in one piece.
 * Values that are too long are cut, fields that do not fit are left out and the line says so.
 */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/datetime.h"
#include "base/text.h"

#define LINE_BYTES  PIPE_BUF
#define TAIL_BYTES  16  /* room for: ,"cut":true}\n */
#define VALUE_BYTES 512 /* of one escaped value: no peer can push the others out of the line */

static _Atomic int log_least = LOG_LEVEL_INFO;
static _Atomic int log_form = LOG_FORMAT_TEXT;
static _Atomic int log_fd = STDERR_FILENO;

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_ERROR] = "error",
};

struct line {
    char p[LINE_BYTES];
    size_t n;
    bool is_json;
    bool is_full; /* the field being written does not fit */
    bool is_cut;  /* some field was left out */
};

void
log_configure(enum log_level least, enum log_format format, int fd)
{
    atomic_store(&log_least, (int)least);
    atomic_store(&log_form, (int)format);
    atomic_store(&log_fd, fd);
}

static void
put(struct line *line, const char *p, size_t n)
{
    if (n > LINE_BYTES - TAIL_BYTES - line->n) {
        line->is_full = true;
    } else {
        memcpy(line->p + line->n, p, n);
        line->n += n;
    }
}

static void
put_cstr(struct line *line, const char *s)
{
    put(line, s, strlen(s));
}

/* A peer's bytes must not shape what the operator sees. */
static bool
is_escaped(uint32_t c)
{
    return !text_is_harmless(c) || c == '"' || c == '\\';
}

/* Writes the escape of the character that starts at <at>; returns its length. */
static size_t
write_escape(bool is_json, uint32_t c, const char *at, char ret_text[8])
{
    int n = 0;
    if (c == '"' || c == '\\') {
        n = snprintf(ret_text, 8, "\\%c", (int)c);
    } else if (c == TEXT_MALFORMED && is_json) {
        n = snprintf(ret_text, 8, "\\ufffd");
    } else if (c == TEXT_MALFORMED) {
        n = snprintf(ret_text, 8, "\\x%02x", (unsigned)(unsigned char)*at);
    } else {
        n = snprintf(ret_text, 8, "\\u%04" PRIx32, c & 0xFFFFU);
    }
    return (size_t)n;
}

static void
put_escaped(struct line *line, struct span text)
{
    const size_t start = line->n;
    uint32_t c = 0;
    for (;;) {
        const char *at = text.p;
        char escape[8];
        if (!text_take_char(&text, &c)) {
            return;
        }
        if (line->n - start > VALUE_BYTES) {
            put_cstr(line, "...");
            return;
        }
        if (is_escaped(c)) {
            put(line, escape, write_escape(line->is_json, c, at, escape));
        } else {
            put(line, at, (size_t)(text.p - at));
        }
    }
}

/* In text lines only: may the value stand without quotes? */
static bool
is_plain(struct span text)
{
    uint32_t c = 0;
    if (text.n == 0) {
        return false;
    }
    while (text_take_char(&text, &c)) {
        if (c == ' ' || c == 0xA0 || is_escaped(c)) {
            return false;
        }
    }
    return true;
}

static void
put_name(struct line *line, const char *name)
{
    put_cstr(line, line->is_json ? ",\"" : " ");
    put_cstr(line, name);
    put_cstr(line, line->is_json ? "\":" : "=");
}

static void
put_text(struct line *line, const char *name, struct span text)
{
    const bool is_quoted = line->is_json || !is_plain(text);
    put_name(line, name);
    if (is_quoted) {
        put_cstr(line, "\"");
    }
    put_escaped(line, text);
    if (is_quoted) {
        put_cstr(line, "\"");
    }
}

static void
put_number(struct line *line, const char *name, int64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, number);
    put_name(line, name);
    put_cstr(line, text);
}

/* The last two parts of a source path: the same wherever the program was built. */
static const char *
short_path(const char *file)
{
    const char *start = file;
    const char *before = file;
    for (const char *c = file; *c != '\0'; c++) {
        if (*c == '/') {
            start = before;
            before = c + 1;
        }
    }
    return start;
}

static void
put_diag(struct line *line, const char *name, const struct diag *diag)
{
    char at[128];
    if (diag == NULL || diag->code == ERR_NONE) {
        return;
    }
    (void)snprintf(at, sizeof(at), "%s:%d", short_path(diag->file == NULL ? "" : diag->file),
                   diag->line);
    put_text(line, name, span_of_cstr(err_name(diag->code)));
    put_text(line, "detail", span_of_cstr(diag->text));
    put_text(line, "at", span_of_cstr(at));
}

static void
put_field(struct line *line, const struct log_field *field)
{
    const size_t before = line->n;
    switch (field->kind) {
    case LOG_KIND_TEXT:
        put_text(line, field->name, field->text);
        break;
    case LOG_KIND_NUMBER:
        put_number(line, field->name, field->number);
        break;
    case LOG_KIND_DIAG:
        put_diag(line, field->name, field->diag);
        break;
    }
    if (line->is_full) {
        line->n = before; /* whole fields only: the line stays readable */
        line->is_full = false;
        line->is_cut = true;
    }
}

static void
put_head(struct line *line, enum log_level level, const char *event)
{
    char time[DATETIME_MAX];
    datetime_write_xs(clock_wall_us(clock_system()), time);
    put_cstr(line, line->is_json ? "{\"time\":\"" : "");
    put_cstr(line, time);
    put_cstr(line, line->is_json ? "\",\"level\":\"" : " ");
    put_cstr(line, level_names[level]);
    put_cstr(line, line->is_json ? "\",\"event\":\"" : " ");
    put_cstr(line, event);
    put_cstr(line, line->is_json ? "\"" : "");
}

static void
put_tail(struct line *line)
{
    const char *tail = line->is_json ? (line->is_cut ? ",\"cut\":true}\n" : "}\n")
                                     : (line->is_cut ? " cut=true\n" : "\n");
    const size_t n = strlen(tail);
    memcpy(line->p + line->n, tail, n);
    line->n += n;
}

void
log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
    if ((int)level < atomic_load(&log_least)) {
        return;
    }
    const int saved_errno = errno; /* who logs a failure may still want to read it */
    struct line line;
    line.n = 0;
    line.is_json = atomic_load(&log_form) == LOG_FORMAT_JSON;
    line.is_full = false;
    line.is_cut = false;
    put_head(&line, level, event);
    for (size_t i = 0; i < n; i++) {
        put_field(&line, &fields[i]);
    }
    put_tail(&line);
    ssize_t written = 0;
    do {
        written = write(atomic_load(&log_fd), line.p, line.n);
    } while (written < 0 && errno == EINTR);
    errno = saved_errno; /* a log that cannot be written has nobody to be told */
}
