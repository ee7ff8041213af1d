/*
 * The program's log: one line per event, JSON or text, to standard error.
 *
 * Libraries (base to txn's codecs) do not log; what ends a transaction, a connection, an outbound
 * call or the program does. The event name is a stable identifier ("txn-done"), tested and
 * documented. Values are escaped, so no peer can forge a line. No patient data and no secret may be
 * logged: the field kinds below say what a value is, and there is none for such data.
 * Thread: any; a line is written with one write(2).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/diag.h"
#include "base/span.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

enum log_kind { LOG_KIND_TEXT, LOG_KIND_NUMBER, LOG_KIND_DIAG };

struct log_field {
    const char *name;
    enum log_kind kind;
    struct span text;
    int64_t number;
    const struct diag *diag;
};

#define LOG_ID(name, cstr)   ((struct log_field){(name), LOG_KIND_TEXT, span_of_cstr(cstr), 0, NULL})
#define LOG_SPAN(name, span) ((struct log_field){(name), LOG_KIND_TEXT, (span), 0, NULL})
#define LOG_INT(name, value)                                                                       \
    ((struct log_field){(name), LOG_KIND_NUMBER, SPAN_EMPTY, (value), NULL})
/* Writes error=<NAME> detail=<text> at=<file:line>. */
#define LOG_DIAG(diag) ((struct log_field){"error", LOG_KIND_DIAG, SPAN_EMPTY, 0, (diag)})

void log_configure(enum log_level least, enum log_format format, int fd);
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n);

#define LOG_EVENT(level, event, ...)                                                               \
    log_write((level), (event), (const struct log_field[]){__VA_ARGS__},                           \
              ARRAY_LEN(((const struct log_field[]){__VA_ARGS__})))

#endif
