/*
 * Inside soap/ only: one use of gSOAP, from bytes or to a buffer, without its sockets. Knows
 * gSOAP's runtime (stdsoap2.h) and none of the generated types.
 */
#ifndef SOAP_REGREP_IO_H
#define SOAP_REGREP_IO_H

#include "base/buf.h"

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

#endif
