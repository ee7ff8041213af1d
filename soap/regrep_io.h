/*
 * Inside soap/ only: one use of gSOAP, from bytes or to a buffer, without its sockets, and the
 * texts that go in and out of its records. Knows gSOAP's runtime and none of the generated types.
 */
#ifndef SOAP_REGREP_IO_H
#define SOAP_REGREP_IO_H

#include "base/arena.h"
#include "soap/regrep.h"

struct soap;

/* One reading or writing: fill in <in> or <out>, and <diag>; then call_begin, and call_end in any
 * case. */
struct regrep_call {
    struct span in;
    struct buf *out;
    struct diag *diag;
    struct soap *soap;    /* this thread's; set by regrep_call_begin */
    struct status status; /* why the buffer took no more */
};
/* ERR_NO_MEMORY. */
MUST_CHECK struct status regrep_call_begin(struct regrep_call *call);
/* Gives back all that gSOAP allocated since the beginning; nothing of it may be used any more. */
void regrep_call_end(struct regrep_call *call);

/* The failure that gSOAP reports, as <code> or ERR_NO_MEMORY. */
struct status regrep_call_read_failed(const struct regrep_call *call, enum err code,
                                      const char *element);
/* The failure of the buffer, or else of gSOAP. */
struct status regrep_call_write_failed(const struct regrep_call *call, const char *element);

/* ---- reading: texts to the reader's arena ---- */

struct regrep_kept {
    const char *from; /* NULL: absent */
    struct span *to;
};
MUST_CHECK struct status regrep_keep(const struct regrep_reader *reader, const char *text,
                                     struct span *ret_text);
MUST_CHECK struct status regrep_keep_all(const struct regrep_reader *reader,
                                         const struct regrep_kept *pairs, size_t n);
/* REGREP_KEEP(reader, {from, &to}, ...) */
#define REGREP_KEEP(reader, ...)                                                                   \
    regrep_keep_all((reader), (const struct regrep_kept[]){__VA_ARGS__},                           \
                    ARRAY_LEN(((const struct regrep_kept[]){__VA_ARGS__})))

/* The body of a function that reads one element of <type> and hands it to <keep_call>, which sees
 * it as <record>. */
#define REGREP_READ(reader, xml, type, element, keep_call)                                         \
    struct regrep_call call = {.in = (xml), .diag = (reader)->diag};                               \
    struct type record;                                                                            \
    struct status st = regrep_call_begin(&call);                                                   \
    if (is_ok(st)) {                                                                               \
        soap_default_##type(call.soap, &record);                                                   \
        st = soap_begin_recv(call.soap) != SOAP_OK ||                                              \
                     soap_get_##type(call.soap, &record, (element), NULL) == NULL ||               \
                     soap_end_recv(call.soap) != SOAP_OK                                           \
                 ? regrep_call_read_failed(&call, (reader)->code, (element))                       \
                 : (keep_call);                                                                    \
    }                                                                                              \
    regrep_call_end(&call);                                                                        \
    return st

/* ---- writing: records in gSOAP's memory; failures are sticky ---- */

struct regrep_writer {
    struct regrep_call call;
    struct status status;
};
/* Room for <n> zeroed records that lives until the call ends; NULL when n is 0 or on failure. */
void *regrep_room(struct regrep_writer *w, size_t n, size_t size);
/* A copy with a NUL. What XML 1.0 cannot hold is ERR_MESSAGE_CONTENT: gSOAP would write it. */
char *regrep_required(struct regrep_writer *w, struct span text);
char *regrep_optional(struct regrep_writer *w, struct span text); /* NULL when empty */

/* The body of a function that writes one element of <type>; <fill> makes the members of <record>,
 * with <w>. */
#define REGREP_WRITE(to, to_diag, type, element, fill)                                             \
    struct regrep_writer w = {.call = {.out = (to), .diag = (to_diag)}};                           \
    struct type record;                                                                            \
    w.status = regrep_call_begin(&w.call);                                                         \
    if (is_ok(w.status)) {                                                                         \
        soap_default_##type(w.call.soap, &record);                                                 \
        fill;                                                                                      \
    }                                                                                              \
    if (is_ok(w.status) && (soap_begin_send(w.call.soap) != SOAP_OK ||                             \
                            soap_put_##type(w.call.soap, &record, (element), NULL) != SOAP_OK ||   \
                            soap_end_send(w.call.soap) != SOAP_OK)) {                              \
        w.status = regrep_call_write_failed(&w.call, (element));                                   \
    }                                                                                              \
    regrep_call_end(&w.call);                                                                      \
    return w.status

#endif
