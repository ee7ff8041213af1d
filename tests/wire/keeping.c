/*
 * Linked into tests/wire/isthmus, the program with one thing more: what it writes is kept. The
 * linker sends the calls of the writers (envelope.h, event.h) through here (--wrap); only the
 * program calls them there, so all that passes is what it sends. Any thread.
 */
#include "soap/envelope.h"
#include "tests/wire/keep.h"

/* WRITER(name, kind, PARAMETERS, ARGUMENTS): ld's names for the two sides of a wrapped function. */
/* clang-format off */
#define WRITER(name, kind, PARAMETERS, ARGUMENTS)                                                  \
    struct status __real_##name PARAMETERS;                                                        \
    struct status __wrap_##name PARAMETERS;                                                        \
    struct status                                                                                  \
    __wrap_##name PARAMETERS                                                                       \
    {                                                                                              \
        const size_t before = out->n;                                                              \
        const struct status st = __real_##name ARGUMENTS;                                          \
        if (is_ok(st)) {                                                                           \
            keep_text(kind, SOAP_CONTENT_TYPE, span_slice(buf_span(out), before, SIZE_MAX));        \
        }                                                                                          \
        return st;                                                                                 \
    }

WRITER(envelope_write_request, KEEP_REQUEST,
       (const struct envelope_request *request, struct buf *out, struct diag *diag),
       (request, out, diag))
WRITER(envelope_write_answer, KEEP_ANSWER,
       (const struct envelope_answer *answer, struct buf *out, struct diag *diag),
       (answer, out, diag))
WRITER(envelope_write_fault, KEEP_ANSWER,
       (enum err code, struct span relates_to, struct span transaction_id, struct buf *out,
        struct diag *diag),
       (code, relates_to, transaction_id, out, diag))
WRITER(envelope_write_refusal, KEEP_ANSWER,
       (enum err code, const struct message *request, struct span transaction_id,
        struct buf *out, struct diag *diag),
       (code, request, transaction_id, out, diag))

/* clang-format on */
struct status __real_audit_event_encode(const struct audit_event *event, struct buf *out,
                                        struct diag *diag);
struct status __wrap_audit_event_encode(const struct audit_event *event, struct buf *out,
                                        struct diag *diag);

struct status
__wrap_audit_event_encode(const struct audit_event *event, struct buf *out, struct diag *diag)
{
    keep_audit(event);
    return __real_audit_event_encode(event, out, diag);
}
