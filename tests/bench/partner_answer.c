/*
 * What simulated partners say, by our own codecs. Answers to ITI-38 and ITI-39 are made once and
 * get the ids of their request when they are sent; those to ITI-55 echo the query and are made each
 * time. Called by partner.c.
 */
#include "tests/bench/partner.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/ids.h"
#include "base/mem.h"
#include "soap/envelope.h"
#include "soap/xca.h"
#include "soap/xcpd.h"

#define MESSAGE_LIMIT ((size_t)64 * 1024 * 1024)
#define INLINE_MAX    UINT64_C(1048576)
#define MARK_RELATES  "urn:uuid:00000000-0000-4000-8000-00000000aaaa"
#define MARK_MESSAGE  "urn:uuid:00000000-0000-4000-8000-00000000bbbb"
#define MARK_DOCUMENT "[the document's bytes stand here]"

static struct code
code_of(const char *value, const char *scheme, const char *display)
{
    return (struct code){span_of_cstr(value), span_of_cstr(scheme), span_of_cstr(display)};
}

/* The i-th document of a partner, with the metadata that a C-CDA has. */
static struct status
make_entry(size_t number, size_t i, uint64_t bytes, struct arena *arena, struct diag *diag,
           struct document_entry *ret_entry)
{
    char uuid[UUID_TEXT];
    struct author author = {.person = SPAN("^Example^Ada^^^^"),
                            .institution = SPAN("Example Hospital^^^^^^^^^2.999.98")};
    struct document_entry entry = {
        .mime_type = SPAN("text/xml"),
        .object_type = SPAN(DOCUMENT_STABLE),
        .status = SPAN(DOCUMENT_APPROVED),
        .title = SPAN("Summary of episode note"),
        .creation_time = SPAN("20260301120000"),
        .service_start = SPAN("20260301110000"),
        .service_stop = SPAN("20260301120000"),
        .language = SPAN("en-US"),
        .hash = SPAN("da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        .size = bytes,
        .has_size = true,
        .class_code = code_of("34133-9", "2.16.840.1.113883.6.1", "Summary of episode note"),
        .type_code = code_of("34133-9", "2.16.840.1.113883.6.1", "Summary of episode note"),
        .format_code = code_of("urn:hl7-org:sdwg:ccda-structuredBody:2.1",
                               "1.3.6.1.4.1.19376.1.2.3", "C-CDA 2.1"),
        .facility_type = DOCUMENT_ANY_FACILITY,
        .practice_setting = DOCUMENT_ANY_PRACTICE,
    };
    uuid_new(uuid);
    TRY(arena_printf(arena, diag, &entry.entry_uuid, "urn:uuid:%s", uuid));
    TRY(arena_printf(arena, diag, &entry.unique_id, PARTNER_OID_ROOT ".%zu.77.%zu", number, i + 1));
    TRY(arena_printf(arena, diag, &entry.home, "urn:oid:" PARTNER_OID_ROOT ".%zu", number));
    TRY(arena_printf(arena, diag, &entry.repository, PARTNER_OID_ROOT ".%zu.2", number));
    TRY(arena_printf(arena, diag, &entry.patient_id, "7^^^&" PARTNER_OID_ROOT ".%zu.1&ISO",
                     number));
    entry.source_patient_id = entry.patient_id;
    TRY(ARENA_PUSH(arena, diag, &entry.confidentiality,
                   code_of("N", "2.16.840.1.113883.5.25", "Normal")));
    TRY(ARENA_PUSH(arena, diag, &entry.authors, author));
    *ret_entry = entry;
    return OK;
}

static struct status
write_query_answer(size_t number, const struct partner_terms *terms, struct arena *arena,
                   struct buf *out, struct diag *diag)
{
    struct query_answer answer = {.status = REGISTRY_SUCCESS};
    for (size_t i = 0; i < terms->documents; i++) {
        struct document_entry entry;
        TRY(make_entry(number, i, terms->bytes, arena, diag, &entry));
        TRY(ARENA_PUSH(arena, diag, &answer.objects.documents, entry));
    }
    return query_answer_write(&answer, arena, out, diag);
}

static struct status
write_envelope(struct span action, struct span payload, struct buf *out, struct diag *diag)
{
    const struct envelope_answer answer = {.action = action,
                                           .relates_to = SPAN(MARK_RELATES),
                                           .message_id = SPAN(MARK_MESSAGE),
                                           .payload = payload};
    return envelope_write_answer(&answer, out, diag);
}

static struct status
fill_document(uint64_t bytes, struct body *ret_body, struct diag *diag)
{
    struct buf content;
    buf_init(&content, (size_t)INLINE_MAX + 128);
    if (bytes > INLINE_MAX) {
        TRY(buf_append(&content, SPAN(MARK_DOCUMENT), diag));
    }
    while (bytes <= INLINE_MAX && content.n < bytes) {
        const struct span line = SPAN("Nothing to report on this line of a simulated document.\n");
        TRY(buf_append(&content, span_slice(line, 0, (size_t)bytes - content.n), diag));
    }
    body_from_buf(ret_body, &content);
    return OK;
}

/* The package around the document that everybody gets. */
static struct status
write_retrieve_package(size_t number, const struct partner_terms *terms, struct arena *arena,
                       struct buf *out, struct diag *diag, char ret_content_type[512])
{
    const struct soap_transaction_row *const row = soap_transaction(SOAP_ITI_39);
    struct document_entry entry;
    struct retrieved_document document = {.mime_type = SPAN("text/xml")};
    struct retrieve_answer answer = {.status = REGISTRY_SUCCESS};
    CLEANUP(buf_done) struct buf payload;
    CLEANUP(buf_done) struct buf envelope;
    buf_init(&payload, MESSAGE_LIMIT);
    buf_init(&envelope, MESSAGE_LIMIT);
    TRY(make_entry(number, 0, terms->bytes, arena, diag, &entry));
    document.ref = (struct document_ref){entry.home, entry.repository, entry.unique_id};
    TRY(fill_document(terms->bytes, &document.body, diag));
    TRY(ARENA_PUSH(arena, diag, &answer.documents, document));
    TRY(retrieve_answer_write(&answer, arena, &payload, diag));
    TRY(write_envelope(span_of_cstr(row->response_action), buf_span(&payload), &envelope, diag));
    const struct mtom_part part = {.content_id = answer.documents.items[0].content_id,
                                   .mime_type = document.mime_type,
                                   .body = &answer.documents.items[0].body};
    TRY(mtom_write(buf_span(&envelope), &part, 1, span_of_cstr(row->response_action), out, diag,
                   ret_content_type));
    retrieve_answer_done(&answer);
    return OK;
}

static struct status
write_body(size_t number, enum soap_transaction transaction, const struct partner_terms *terms,
           struct arena *arena, struct buf *out, struct diag *diag, char ret_content_type[512])
{
    CLEANUP(buf_done) struct buf payload;
    buf_init(&payload, MESSAGE_LIMIT);
    if (transaction == SOAP_ITI_39) {
        return write_retrieve_package(number, terms, arena, out, diag, ret_content_type);
    }
    TRY(write_query_answer(number, terms, arena, &payload, diag));
    (void)snprintf(ret_content_type, 512, "%s", SOAP_CONTENT_TYPE);
    return write_envelope(span_of_cstr(soap_transaction(transaction)->response_action),
                          buf_span(&payload), out, diag);
}

struct status
partner_answer_make(size_t number, enum soap_transaction transaction,
                    const struct partner_terms *terms, struct arena *arena, struct diag *diag,
                    struct partner_answer *ret_answer)
{
    struct partner_answer answer = {.after = SPAN_EMPTY};
    struct span all;
    struct buf body;
    buf_init(&body, MESSAGE_LIMIT);
    struct status st =
        write_body(number, transaction, terms, arena, &body, diag, answer.content_type);
    if (is_ok(st)) {
        st = arena_dup(arena, buf_span(&body), diag, &all);
    }
    buf_done(&body);
    TRY(st);
    const size_t document_at = span_find(all, SPAN(MARK_DOCUMENT));
    answer.before = all;
    if (document_at != SPAN_MISSING) {
        answer.before = span_slice(all, 0, document_at);
        answer.after = span_slice(all, document_at + strlen(MARK_DOCUMENT), SIZE_MAX);
        answer.document_bytes = terms->bytes;
    }
    answer.relates_at = span_find(answer.before, SPAN(MARK_RELATES));
    answer.message_at = span_find(answer.before, SPAN(MARK_MESSAGE));
    if (answer.relates_at == SPAN_MISSING || answer.message_at == SPAN_MISSING) {
        return FAIL(diag, ERR_INTERNAL, "an answer without its MessageIDs");
    }
    *ret_answer = answer;
    return OK;
}

/* ---- ITI-55 ---- */

static struct status
discover(size_t number, const struct message *message, struct arena *arena, struct buf *out,
         struct diag *diag)
{
    CLEANUP(buf_done) struct buf payload;
    struct xcpd_query query;
    struct xcpd_answer answer = {.result = XCPD_MATCH};
    struct xcpd_match match = {.degree = 100};
    struct ident id = {.extension = SPAN("7")};
    struct span home;
    char uuid[UUID_TEXT];
    char message_id[sizeof("urn:uuid:") + UUID_TEXT];
    buf_init(&payload, MESSAGE_LIMIT);
    TRY(xcpd_query_read(message, arena, diag, &query));
    TRY(arena_printf(arena, diag, &home, PARTNER_OID_ROOT ".%zu", number));
    TRY(arena_printf(arena, diag, &id.root, PARTNER_OID_ROOT ".%zu.1", number));
    match.patient = query.subject;
    match.patient.ids = (struct ident_list){0};
    match.home = home;
    TRY(ARENA_PUSH(arena, diag, &match.patient.ids, id));
    TRY(ARENA_PUSH(arena, diag, &answer.matches, match));
    TRY(xcpd_answer_write(&query, &answer, home, clock_wall_us(clock_system()), &payload, diag));
    uuid_new(uuid);
    (void)snprintf(message_id, sizeof(message_id), "urn:uuid:%s", uuid);
    const struct envelope_answer envelope = {
        .action = span_of_cstr(soap_transaction(SOAP_ITI_55)->response_action),
        .relates_to = message_addressing(message)->message_id,
        .message_id = span_of_cstr(message_id),
        .payload = buf_span(&payload),
    };
    return envelope_write_answer(&envelope, out, diag);
}

struct status
partner_discovery(size_t number, struct span request, struct span content_type, struct buf *out,
                  struct diag *diag)
{
    const struct message_limits limits = message_limits_request((size_t)INLINE_MAX);
    struct message *message = NULL;
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of an answer");
    }
    struct status st = message_read(request, content_type, &limits, arena, diag, &message);
    if (is_ok(st)) {
        st = discover(number, message, arena, out, diag);
    }
    arena_free(arena);
    return st;
}
