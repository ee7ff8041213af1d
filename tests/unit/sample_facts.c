/*
 * Facts of the messages of transactions: XCPD and PDQ, stored queries, retrieves (see the header).
 * Used by test_samples; everything lives in its arena and buffer.
 */
#include "tests/unit/sample_facts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "soap/pdq.h"
#include "soap/pix.h"
#include "soap/plq.h"
#include "soap/xca.h"
#include "soap/xcpd.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

#define LINE_MAX_BYTES 16384

void
sample_fact(struct buf *out, const char *key, const char *format, ...)
{
    static char text[LINE_MAX_BYTES];
    struct diag diag = {0};
    va_list arguments;

    va_start(arguments, format);
    const int n = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    CU_ASSERT_FATAL(n >= 0 && (size_t)n < sizeof(text));
    CHECK_OK(&diag, buf_printf(out, &diag, "%s:", key));
    char *rest = NULL;
    for (char *word = strtok_r(text, " \t\r\n", &rest); word != NULL;
         word = strtok_r(NULL, " \t\r\n", &rest)) {
        CHECK_OK(&diag, buf_printf(out, &diag, " %s", word));
    }
    CHECK_OK(&diag, buf_append_char(out, '\n', &diag));
}

static void
fact_span(struct buf *out, const char *key, struct span value)
{
    sample_fact(out, key, "%.*s", SPAN_PRINT(value));
}

static void
fact_ident(struct buf *out, const char *key, const struct ident *id)
{
    sample_fact(out, key, "%.*s:%.*s", SPAN_PRINT(id->root), SPAN_PRINT(id->extension));
}

/* ---- patients ---- */

static void
facts_person(const struct patient *patient, bool ids_first, struct buf *out)
{
    for (size_t i = 0; ids_first && i < patient->ids.n; i++) {
        fact_ident(out, "id", &patient->ids.items[i]);
    }
    for (size_t i = 0; i < patient->names.n; i++) {
        const struct person_name *name = &patient->names.items[i];
        char text[1024] = "";
        size_t n = 0;

        for (size_t k = 0; k < name->given.n; k++) {
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%.*s+",
                                  SPAN_PRINT(name->given.items[k]));
            CU_ASSERT_FATAL(n < sizeof(text));
        }
        sample_fact(out, "name", "%s%.*s", text, SPAN_PRINT(name->family));
    }
    fact_span(out, "birth", patient->birth_time);
    fact_span(out, "sex", patient->sex);
    for (size_t i = 0; !ids_first && i < patient->ids.n; i++) {
        fact_ident(out, "id", &patient->ids.items[i]);
    }
}

struct reading {
    const struct message *message;
    struct span query_id;
    struct arena *arena;
    struct buf *out;
    struct diag diag;
};

static struct status
facts_patient_query(struct reading *reading)
{
    struct buf *out = reading->out;
    struct xcpd_query query;

    if (!is_ok(xcpd_query_read(reading->message, reading->arena, &reading->diag, &query))) {
        diag_clear(&reading->diag); /* ITI-47 asks for more, and about less */
        TRY(pdq_query_read(reading->message, reading->arena, &reading->diag, &query));
    }
    fact_ident(out, "message", &query.id);
    fact_ident(out, "query", &query.query_id);
    fact_span(out, "sender", query.sender_home);
    fact_span(out, "receiver", query.receiver_home);
    facts_person(&query.subject, false, out);
    sample_fact(out, "addresses", "%zu", query.subject.addresses.n);
    for (size_t i = 0; i < query.reverse_authorities.n; i++) {
        fact_span(out, "asks back", query.reverse_authorities.items[i]);
    }
    if (query.minimum_degree > 0) {
        sample_fact(out, "degree", "%u", query.minimum_degree);
    }
    if (query.is_deferred) {
        fact_span(out, "respond to", query.respond_to);
    }
    for (size_t i = 0; i < query.domains.n; i++) {
        fact_span(out, "domain", query.domains.items[i].root);
    }
    return OK;
}

static struct status
facts_patient_answer(struct reading *reading)
{
    static const char *const results[] = {
        [XCPD_MATCH] = "match",
        [XCPD_AMBIGUOUS] = "ambiguous",
        [XCPD_NONE] = "none",
        [XCPD_ERROR] = "error",
    };
    const size_t colon = span_find(reading->query_id, SPAN(":"));
    const struct ident id = {
        .root = span_slice(reading->query_id, 0, colon),
        .extension = span_slice(reading->query_id, colon + 1, SIZE_MAX),
    };
    struct buf *out = reading->out;
    struct xcpd_answer answer;

    TRY(xcpd_answer_read(reading->message, &id, reading->arena, &reading->diag, &answer));
    fact_ident(out, "query", &id);
    sample_fact(out, "result", "%s", results[answer.result]);
    sample_fact(out, "matches", "%zu", answer.matches.n);
    for (size_t i = 0; i < answer.matches.n; i++) {
        facts_person(&answer.matches.items[i].patient, true, out);
        fact_span(out, "home", answer.matches.items[i].home);
        sample_fact(out, "degree", "%d", answer.matches.items[i].degree);
    }
    return OK;
}

static struct status
facts_reference_query(struct reading *reading)
{
    struct pix_query query;

    TRY(pix_query_read(reading->message, reading->arena, &reading->diag, &query));
    fact_ident(reading->out, "message", &query.id);
    fact_ident(reading->out, "query", &query.query_id);
    fact_ident(reading->out, "id", &query.patient);
    for (size_t i = 0; i < query.sources.n; i++) {
        fact_span(reading->out, "domain", query.sources.items[i].root);
    }
    return OK;
}

static struct status
facts_reference_answer(struct reading *reading)
{
    static const char *const results[] = {
        [PIX_FOUND] = "match",          [PIX_NONE] = "none",   [PIX_UNKNOWN_PATIENT] = "error",
        [PIX_UNKNOWN_SOURCE] = "error", [PIX_ERROR] = "error",
    };
    const size_t colon = span_find(reading->query_id, SPAN(":"));
    const struct pix_query query = {
        .query_id = {.root = span_slice(reading->query_id, 0, colon),
                     .extension = span_slice(reading->query_id, colon + 1, SIZE_MAX)}};
    struct pix_answer answer;

    TRY(pix_answer_read(reading->message, &query, reading->arena, &reading->diag, &answer));
    fact_ident(reading->out, "query", &query.query_id);
    sample_fact(reading->out, "result", "%s", results[answer.result]);
    for (size_t i = 0; i < answer.ids.n; i++) {
        fact_ident(reading->out, "id", &answer.ids.items[i]);
    }
    return OK;
}

static struct status
facts_location_query(struct reading *reading)
{
    struct ident patient;

    TRY(plq_query_read(reading->message, reading->arena, &reading->diag, &patient));
    fact_ident(reading->out, "id", &patient);
    return OK;
}

/* The answer says itself whom it was asked about. */
static struct status
facts_location_answer(struct reading *reading)
{
    const xmlNode *first = xml_first(message_payload(reading->message));
    const xmlNode *asked = xml_child(first, NS_XCPD, "RequestedPatientId");
    const struct ident patient = {.root = xml_attr_text(asked, "root"),
                                  .extension = xml_attr_text(asked, "extension")};
    struct plq_location_list locations;

    TRY(plq_answer_read(reading->message, &patient, reading->arena, &reading->diag, &locations));
    for (size_t i = 0; i < locations.n; i++) {
        fact_span(reading->out, "home", locations.items[i].home);
        fact_ident(reading->out, "id", &locations.items[i].patient);
    }
    return OK;
}

/* ---- documents ---- */

static struct status
facts_query(struct reading *reading)
{
    struct buf *out = reading->out;
    struct stored_query query;

    TRY(stored_query_read(reading->message, reading->arena, &reading->diag, &query));
    fact_span(out, "query", query.id);
    fact_span(out, "home", query.home);
    sample_fact(out, "return", "%s", query.wants_leaf_class ? "LeafClass" : "ObjectRef");
    for (size_t i = 0; i < query.params.n; i++) {
        const struct query_param *param = &query.params.items[i];
        struct span values = SPAN_EMPTY;
        char name[200];

        (void)snprintf(name, sizeof(name), "%.*s", SPAN_PRINT(param->name));
        for (size_t k = 0; k < param->values.n; k++) {
            TRY(arena_printf(reading->arena, &reading->diag, &values, "%.*s%s%.*s",
                             SPAN_PRINT(values), k > 0 ? "|" : "",
                             SPAN_PRINT(param->values.items[k])));
        }
        fact_span(out, name, values);
    }
    return OK;
}

static void
facts_status(enum registry_status status, const struct registry_error_list *errors, struct buf *out)
{
    static const char *const names[] = {
        [REGISTRY_SUCCESS] = "Success",
        [REGISTRY_PARTIAL_SUCCESS] = "PartialSuccess",
        [REGISTRY_FAILURE] = "Failure",
    };

    sample_fact(out, "status", "%s", names[status]);
    for (size_t i = 0; i < errors->n; i++) {
        const struct registry_error *error = &errors->items[i];

        sample_fact(out, error->is_warning ? "warning" : "error", "%.*s %.*s",
                    SPAN_PRINT(error->code), SPAN_PRINT(error->location));
    }
}

static struct status
facts_query_answer(struct reading *reading)
{
    struct buf *out = reading->out;
    struct query_answer answer;

    TRY(query_answer_read(reading->message, reading->arena, &reading->diag, &answer));
    CU_ASSERT_EQUAL(answer.dropped, 0);
    facts_status(answer.status, &answer.errors, out);
    for (size_t i = 0; i < answer.objects.documents.n; i++) {
        const struct document_entry *entry = &answer.objects.documents.items[i];
        char size[24] = "";

        if (entry->has_size) {
            (void)snprintf(size, sizeof(size), "%llu", (unsigned long long)entry->size);
        }
        sample_fact(out, "document", "%.*s %.*s %.*s %.*s %s", SPAN_PRINT(entry->unique_id),
                    SPAN_PRINT(entry->mime_type), SPAN_PRINT(entry->repository),
                    SPAN_PRINT(entry->creation_time), size);
    }
    sample_fact(out, "sets and folders", "%zu",
                answer.objects.submission_sets.n + answer.objects.folders.n);
    sample_fact(out, "associations", "%zu", answer.objects.associations.n);
    sample_fact(out, "references", "%zu", answer.refs.n);
    return OK;
}

static struct status
facts_retrieve(struct reading *reading)
{
    struct document_ref_list refs;

    TRY(retrieve_query_read(reading->message, reading->arena, &reading->diag, &refs));
    for (size_t i = 0; i < refs.n; i++) {
        sample_fact(reading->out, "document", "%.*s %.*s %.*s", SPAN_PRINT(refs.items[i].home),
                    SPAN_PRINT(refs.items[i].repository), SPAN_PRINT(refs.items[i].unique_id));
    }
    return OK;
}

static void
fact_document(const struct retrieved_document *document, struct reading *reading)
{
    char hex[SHA1_HEX];
    struct buf scratch;
    struct span content = SPAN_EMPTY;

    buf_init(&scratch, (size_t)16 * 1024 * 1024);
    CHECK_OK(&reading->diag, body_span(&document->body, &scratch, &reading->diag, &content));
    CHECK_OK(&reading->diag, digest_sha1_hex(content, &reading->diag, hex));
    sample_fact(reading->out, "document", "%.*s %.*s %.*s %.*s %zu %s",
                SPAN_PRINT(document->ref.home), SPAN_PRINT(document->ref.repository),
                SPAN_PRINT(document->ref.unique_id), SPAN_PRINT(document->mime_type), content.n,
                hex);
    buf_done(&scratch);
}

static struct status
facts_retrieve_answer(struct reading *reading)
{
    struct retrieve_answer answer;

    TRY(retrieve_answer_read(reading->message, reading->arena, &reading->diag, &answer));
    facts_status(answer.status, &answer.errors, reading->out);
    for (size_t i = 0; i < answer.documents.n; i++) {
        fact_document(&answer.documents.items[i], reading);
    }
    retrieve_answer_done(&answer);
    return OK;
}

/* ---- any message ---- */

/* No reader of ours: what a transaction says of it. */
static struct status
refuse(struct reading *reading)
{
    enum soap_transaction transaction = SOAP_TRANSACTION_COUNT;

    return message_transaction(reading->message, SPAN("/"), &reading->diag, &transaction);
}

static const struct {
    const char *payload;
    struct status (*read)(struct reading *reading);
} readers[] = {
    {"PRPA_IN201305UV02", facts_patient_query},
    {"PRPA_IN201306UV02", facts_patient_answer},
    {"PRPA_IN201309UV02", facts_reference_query},
    {"PRPA_IN201310UV02", facts_reference_answer},
    {"PatientLocationQueryRequest", facts_location_query},
    {"PatientLocationQueryResponse", facts_location_answer},
    {"AdhocQueryRequest", facts_query},
    {"AdhocQueryResponse", facts_query_answer},
    {"RetrieveDocumentSetRequest", facts_retrieve},
    {"RetrieveDocumentSetResponse", facts_retrieve_answer},
};

static struct status
read_payload(struct reading *reading)
{
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        if (span_eq_cstr(message_payload_name(reading->message), readers[i].payload)) {
            return readers[i].read(reading);
        }
    }
    return refuse(reading);
}

/* The payload's place is the root, or the Body of the envelope that the root is. */
static void
facts_shape(const struct message *message, bool is_envelope, struct buf *out)
{
    const struct addressing *addressing = message_addressing(message);
    const struct {
        const char *key;
        struct span value;
    } headers[] = {{"action", addressing->action},
                   {"message id", addressing->message_id},
                   {"relates to", addressing->relates_to}};

    fact_span(out, "kind", message_payload_name(message));
    for (size_t i = 0; is_envelope && i < ARRAY_LEN(headers); i++) {
        if (headers[i].value.n > 0) {
            fact_span(out, headers[i].key, headers[i].value);
        }
    }
}

void
sample_facts(struct span file, struct span query_id, struct arena *arena, struct buf *out)
{
    struct reading reading = {.query_id = query_id, .arena = arena, .out = out};
    struct message *message = NULL;
    bool is_envelope = false;
    struct status st = support_any(file, arena, &reading.diag, &message, &is_envelope);

    if (is_ok(st)) {
        reading.message = message;
        facts_shape(message, is_envelope, out);
        st = read_payload(&reading);
    }
    if (!is_ok(st)) {
        sample_fact(out, "refused", "%s", err_name(st.code));
    }
}
