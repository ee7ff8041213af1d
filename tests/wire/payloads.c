/*
 * Linked into tests of codecs: every payload that a writer writes is kept, whoever asks for it. The
 * linker sends their calls through here (--wrap, PAYLOADS_WRAPPED in tests/local.mk).
 */
#include "soap/pdq.h"
#include "soap/pix.h"
#include "soap/plq.h"
#include "soap/xca.h"
#include "soap/xcpd.h"
#include "soap/xdr.h"
#include "tests/wire/keep.h"

/* WRITER(name, PARAMETERS, ARGUMENTS): ld's names for the two sides of a wrapped function. */
/* clang-format off */
#define WRITER(name, PARAMETERS, ARGUMENTS)                                                        \
    struct status __real_##name PARAMETERS;                                                        \
    struct status __wrap_##name PARAMETERS;                                                        \
    struct status                                                                                  \
    __wrap_##name PARAMETERS                                                                       \
    {                                                                                              \
        const size_t before = out->n;                                                              \
        const struct status st = __real_##name ARGUMENTS;                                          \
        if (is_ok(st)) {                                                                           \
            keep_text(KEEP_PAYLOAD, "application/xml",                                             \
                      span_slice(buf_span(out), before, out->n - before));                         \
        }                                                                                          \
        return st;                                                                                 \
    }

WRITER(stored_query_write,
       (const struct stored_query *query, struct arena *arena, struct buf *out, struct diag *diag,
        struct span *ret_query_xml),
       (query, arena, out, diag, ret_query_xml))
WRITER(query_answer_write,
       (const struct query_answer *answer, struct arena *arena, struct buf *out, struct diag *diag),
       (answer, arena, out, diag))
WRITER(retrieve_query_write,
       (const struct document_ref_list *refs, struct arena *arena, struct buf *out,
        struct diag *diag),
       (refs, arena, out, diag))
WRITER(retrieve_answer_write,
       (struct retrieve_answer *answer, struct arena *arena, struct buf *out, struct diag *diag),
       (answer, arena, out, diag))
WRITER(provide_request_write,
       (struct provide_request *request, struct arena *arena, struct buf *out, struct diag *diag),
       (request, arena, out, diag))
WRITER(registry_response_write,
       (const struct registry_response *response, struct buf *out, struct diag *diag),
       (response, out, diag))
WRITER(pdq_query_write,
       (const struct xcpd_query *query, struct arena *arena, struct buf *out, struct diag *diag,
        struct span *ret_query_xml),
       (query, arena, out, diag, ret_query_xml))
WRITER(pdq_answer_write,
       (const struct xcpd_query *query, const struct xcpd_answer *answer, struct span home,
        int64_t now_us, struct buf *out, struct diag *diag),
       (query, answer, home, now_us, out, diag))
WRITER(pdq_continuation_write,
       (const struct pdq_continuation *continuation, struct buf *out, struct diag *diag),
       (continuation, out, diag))
WRITER(pix_query_write,
       (const struct pix_query *query, struct arena *arena, struct buf *out, struct diag *diag,
        struct span *ret_query_xml),
       (query, arena, out, diag, ret_query_xml))
WRITER(pix_answer_write,
       (const struct pix_query *query, const struct pix_answer *answer, struct span home,
        int64_t now_us, struct buf *out, struct diag *diag),
       (query, answer, home, now_us, out, diag))
WRITER(plq_query_write,
       (const struct ident *patient, struct buf *out, struct diag *diag),
       (patient, out, diag))
WRITER(plq_answer_write,
       (const struct ident *patient, const struct plq_location_list *locations, struct buf *out,
        struct diag *diag),
       (patient, locations, out, diag))
WRITER(xcpd_query_write,
       (const struct xcpd_query *query, struct arena *arena, struct buf *out, struct diag *diag,
        struct span *ret_query_xml),
       (query, arena, out, diag, ret_query_xml))
WRITER(xcpd_answer_write,
       (const struct xcpd_query *query, const struct xcpd_answer *answer, struct span home,
        int64_t now_us, struct buf *out, struct diag *diag),
       (query, answer, home, now_us, out, diag))
