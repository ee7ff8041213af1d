/*
 * Writes signed requests with the product's own writers: what a partner of the same software would
 * send. Used by load.c; signing runs on threads of its own, one a core, before anything is
 * measured.
 */
#include "tests/bench/requests.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ids.h"
#include "base/mem.h"
#include "soap/envelope.h"
#include "soap/security.h"
#include "soap/xcpd.h"

#define MESSAGE_LIMIT ((size_t)1024 * 1024)
#define THREADS_MAX   16

/* ---- the asker ---- */

static struct status
load_config(const char *path, struct diag *diag, const struct config **ret_config)
{
    struct yaml_report report;
    yaml_report_init(&report);
    const struct status st = config_load(path, clock_system(), &report, diag, ret_config);
    if (!is_ok(st) && report.errors > 0) {
        fprintf(stderr, "%.*s", SPAN_PRINT(buf_span(&report.text)));
    }
    yaml_report_done(&report);
    return st;
}

static struct status
set_who(struct asker *asker, struct diag *diag)
{
    struct person_name name = {.family = SPAN("Ibarra")};
    TRY(ARENA_PUSH(asker->arena, diag, &name.given, SPAN("Nuria")));
    TRY(ARENA_PUSH(asker->arena, diag, &asker->who.names, name));
    asker->who.birth_time = SPAN("19700102");
    asker->who.sex = SPAN("F");
    return OK;
}

struct status
asker_open(struct asker *asker, const char *config_path, const char *partner_id, struct diag *diag)
{
    *asker = (struct asker){.arena = arena_new(ARENA_LIMIT_DEFAULT)};
    if (asker->arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of the asker");
    }
    TRY(load_config(config_path, diag, &asker->config));
    for (size_t i = 0; i < asker->config->partners_n; i++) {
        if (strcmp(asker->config->partners[i].id, partner_id) == 0) {
            asker->partner = &asker->config->partners[i];
        }
    }
    if (asker->partner == NULL) {
        return FAIL(diag, ERR_CONFIG, "%s knows no partner '%s'", config_path, partner_id);
    }
    return set_who(asker, diag);
}

void
asker_done(struct asker *asker)
{
    arena_free(asker->arena);
    config_unref(asker->config);
    *asker = (struct asker){0};
}

static const char *
url_of(const struct asker *asker, enum soap_transaction transaction)
{
    switch (transaction) {
    case SOAP_ITI_55:
        return asker->partner->xcpd_url;
    case SOAP_ITI_38:
        return asker->partner->query_url;
    case SOAP_ITI_39:
        return asker->partner->retrieve_url;
    case SOAP_ITI_18:
    case SOAP_ITI_43:
    case SOAP_ITI_41:
    case SOAP_ITI_80:
    case SOAP_ITI_55_DEFERRED:
    case SOAP_ITI_56:
    case SOAP_ITI_55_RESPONSE:
    case SOAP_ITI_47:
    case SOAP_ITI_47_CONTINUE:
    case SOAP_ITI_47_CANCEL:
    case SOAP_ITI_45:
    case SOAP_TRANSACTION_COUNT:
        break;
    }
    return NULL;
}

/* ---- one request ---- */

static struct status
write_discovery(const struct asker *asker, const char *uuid, struct arena *arena, struct buf *out,
                struct diag *diag)
{
    char oid[OID_TEXT];
    struct span query_xml;
    oid_from_uuid(uuid, oid);
    const struct xcpd_query query = {
        .id = {.root = span_of_cstr(oid)},
        .query_id = {.root = span_of_cstr(oid), .extension = SPAN("1")},
        .sender_home = span_of_cstr(asker->config->community),
        .receiver_home = span_of_cstr(asker->partner->communities.items[0]),
        .creation_us = clock_wall_us(clock_system()),
        .subject = asker->who,
    };
    return xcpd_query_write(&query, arena, out, diag, &query_xml);
}

static struct status
write_query(const struct asker *asker, struct arena *arena, struct buf *out, struct diag *diag)
{
    struct span patient = asker->patient_id;
    struct span status = SPAN(DOCUMENT_APPROVED);
    struct span home;
    struct span query_xml;
    struct query_param params[] = {
        {.name = SPAN("$XDSDocumentEntryPatientId"), .values = {&patient, 1, 1}},
        {.name = SPAN("$XDSDocumentEntryStatus"), .values = {&status, 1, 1}, .is_multiple = true},
    };
    TRY(arena_printf(arena, diag, &home, "urn:oid:%s", asker->partner->communities.items[0]));
    const struct stored_query query = {
        .id = SPAN(XCA_FIND_DOCUMENTS),
        .home = home,
        .wants_leaf_class = true,
        .params = {params, ARRAY_LEN(params), ARRAY_LEN(params)},
    };
    return stored_query_write(&query, arena, out, diag, &query_xml);
}

static struct status
write_payload(const struct asker *asker, enum soap_transaction transaction, const char *uuid,
              struct arena *arena, struct buf *out, struct diag *diag)
{
    struct document_ref wanted = asker->wanted;
    const struct document_ref_list refs = {&wanted, 1, 1};
    switch (transaction) {
    case SOAP_ITI_55:
        return write_discovery(asker, uuid, arena, out, diag);
    case SOAP_ITI_38:
        return write_query(asker, arena, out, diag);
    case SOAP_ITI_39:
        return retrieve_query_write(&refs, arena, out, diag);
    case SOAP_ITI_18:
    case SOAP_ITI_43:
    case SOAP_ITI_41:
    case SOAP_ITI_80:
    case SOAP_ITI_55_DEFERRED:
    case SOAP_ITI_56:
    case SOAP_ITI_55_RESPONSE:
    case SOAP_ITI_47:
    case SOAP_ITI_47_CONTINUE:
    case SOAP_ITI_47_CANCEL:
    case SOAP_ITI_45:
    case SOAP_TRANSACTION_COUNT:
        break;
    }
    return FAIL(diag, ERR_INTERNAL, "no such transaction");
}

static struct status
write_security(const struct asker *asker, const char *url, struct arena *arena, struct buf *out,
               struct diag *diag)
{
    const struct config_asserts *const says = &asker->config->asserts;
    const struct assertion_order order = {
        .signer = asker->config->signing,
        .now_us = clock_wall_us(clock_system()),
        .lifetime_us = REQUESTS_LIFE_US,
        .audience = url,
        .subject_id = says->user,
        .organization = says->organization,
        .organization_id = says->organization_id,
        .home_community = asker->config->community,
        .role = says->role,
        .role_display = says->role_display,
        .purpose = says->purpose,
        .purpose_system = says->purpose_system,
        .npi = says->npi,
        .style = asker->partner->writes,
    };
    struct signed_timestamp timestamp;
    TRY(timestamp_sign(order.signer, order.style.digest, order.now_us, order.lifetime_us, arena,
                       diag, &timestamp));
    return security_write(&order, &timestamp, out, diag);
}

/* The authority of "https://host:port/path". */
static struct span
host_of(const char *url)
{
    const struct span rest = span_slice(span_of_cstr(url), strlen("https://"), SIZE_MAX);
    return span_slice(rest, 0, span_find_char(rest, '/'));
}

static struct status
write_http(struct span host, const char *path, struct span content_type, struct span body,
           struct buf *out, struct diag *diag)
{
    TRY(buf_printf(out, diag,
                   "POST %s HTTP/1.1\r\nHost: %.*s\r\nContent-Type: %.*s\r\n"
                   "Content-Length: %zu\r\n\r\n",
                   path, SPAN_PRINT(host), SPAN_PRINT(content_type), body.n));
    return buf_append(out, body, diag);
}

/* The envelope, packed as its transaction wants it, in an HTTP request. */
static struct status
pack(const struct envelope_request *request, const struct soap_transaction_row *row,
     struct span host, const char *path, struct buf *out, struct diag *diag)
{
    CLEANUP(buf_done) struct buf envelope;
    CLEANUP(buf_done) struct buf package;
    char content_type[512];
    buf_init(&envelope, MESSAGE_LIMIT);
    buf_init(&package, MESSAGE_LIMIT);
    TRY(envelope_write_request(request, &envelope, diag));
    if (row->is_mtom) {
        TRY(mtom_write(buf_span(&envelope), NULL, 0, request->action, &package, diag,
                       content_type));
        return write_http(host, path, span_of_cstr(content_type), buf_span(&package), out, diag);
    }
    (void)snprintf(content_type, sizeof(content_type), "%s; action=\"%s\"", SOAP_CONTENT_TYPE,
                   row->request_action);
    return write_http(host, path, span_of_cstr(content_type), buf_span(&envelope), out, diag);
}

static void
new_message_id(char ret_uuid[UUID_TEXT], char ret_id[sizeof("urn:uuid:") + UUID_TEXT])
{
    uuid_new(ret_uuid);
    (void)snprintf(ret_id, sizeof("urn:uuid:") + UUID_TEXT, "urn:uuid:%s", ret_uuid);
}

static struct status
write_message(const struct asker *asker, enum soap_transaction transaction, struct arena *arena,
              struct buf *out, struct diag *diag)
{
    const struct soap_transaction_row *const row = soap_transaction(transaction);
    const char *const url = url_of(asker, transaction);
    const struct span host = host_of(url);
    CLEANUP(buf_done) struct buf payload;
    CLEANUP(buf_done) struct buf security;
    char uuid[UUID_TEXT];
    char message_id[sizeof("urn:uuid:") + UUID_TEXT];

    buf_init(&payload, MESSAGE_LIMIT);
    buf_init(&security, MESSAGE_LIMIT);
    new_message_id(uuid, message_id);
    TRY(write_payload(asker, transaction, uuid, arena, &payload, diag));
    TRY(write_security(asker, url, arena, &security, diag));
    const struct envelope_request request = {
        .action = span_of_cstr(row->request_action),
        .to = span_of_cstr(url),
        .message_id = span_of_cstr(message_id),
        .security = buf_span(&security),
        .payload = buf_span(&payload),
    };
    return pack(&request, row, host, host.p + host.n, out, diag);
}

struct status
request_write(const struct asker *asker, enum soap_transaction transaction, struct buf *out,
              struct diag *diag)
{
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of a request");
    }
    const struct status st = write_message(asker, transaction, arena, out, diag);
    arena_free(arena);
    return st;
}

/* ---- of a local system ---- */

static struct status
write_local(enum soap_transaction transaction, const char *path, struct span payload,
            struct buf *out, struct diag *diag)
{
    const struct soap_transaction_row *const row = soap_transaction(transaction);
    char uuid[UUID_TEXT];
    char message_id[sizeof("urn:uuid:") + UUID_TEXT];
    new_message_id(uuid, message_id);
    const struct envelope_request request = {
        .action = span_of_cstr(row->request_action),
        .to = SPAN("http://localhost/"),
        .message_id = span_of_cstr(message_id),
        .payload = payload,
    };
    return pack(&request, row, SPAN("localhost"), path, out, diag);
}

static struct status
write_local_query(const struct span_list *targets, struct span patient_id, struct arena *arena,
                  struct buf *payload, struct diag *diag)
{
    struct span status = SPAN(DOCUMENT_APPROVED);
    struct span query_xml;
    struct query_param params[] = {
        {.name = SPAN("$XDSDocumentEntryPatientId"), .values = {&patient_id, 1, 1}},
        {.name = SPAN("$XDSDocumentEntryStatus"), .values = {&status, 1, 1}, .is_multiple = true},
        {.name = SPAN("$targetCommunityIdList"), .values = *targets, .is_multiple = true},
    };
    const size_t n = ARRAY_LEN(params) - (targets->n > 1 ? 0 : 1);
    const struct stored_query query = {
        .id = SPAN(XCA_FIND_DOCUMENTS),
        .home = targets->n == 1 ? targets->items[0] : SPAN_EMPTY,
        .wants_leaf_class = true,
        .params = {params, n, n},
    };
    return stored_query_write(&query, arena, payload, diag, &query_xml);
}

struct status
request_write_local_query(const struct span_list *targets, struct span patient_id, struct buf *out,
                          struct diag *diag)
{
    CLEANUP(buf_done) struct buf payload;
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    buf_init(&payload, MESSAGE_LIMIT);
    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of a request");
    }
    struct status st = write_local_query(targets, patient_id, arena, &payload, diag);
    if (is_ok(st)) {
        st = write_local(SOAP_ITI_38, "/registry", buf_span(&payload), out, diag);
    }
    arena_free(arena);
    return st;
}

struct status
request_write_local_retrieve(const struct document_ref *wanted, struct buf *out, struct diag *diag)
{
    CLEANUP(buf_done) struct buf payload;
    struct document_ref ref = *wanted;
    const struct document_ref_list refs = {&ref, 1, 1};
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    buf_init(&payload, MESSAGE_LIMIT);
    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of a request");
    }
    struct status st = retrieve_query_write(&refs, arena, &payload, diag);
    if (is_ok(st)) {
        st = write_local(SOAP_ITI_39, "/repository", buf_span(&payload), out, diag);
    }
    arena_free(arena);
    return st;
}

/* ---- many ---- */

struct signing {
    const struct asker *asker;
    enum soap_transaction transaction;
    struct buf *items;
    size_t from, step, n;
    struct diag diag;
};

static void *
sign_share(void *arg)
{
    struct signing *const signing = arg;
    for (size_t i = signing->from; i < signing->n; i += signing->step) {
        buf_init(&signing->items[i], MESSAGE_LIMIT);
        if (!is_ok(request_write(signing->asker, signing->transaction, &signing->items[i],
                                 &signing->diag))) {
            break;
        }
    }
    return NULL;
}

static size_t
core_count(void)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (size_t)cores;
}

struct status
request_pool_fill(struct request_pool *pool, const struct asker *asker,
                  enum soap_transaction transaction, size_t n, struct diag *diag)
{
    static struct signing shares[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    const size_t threads_n = core_count();
    size_t started = 0;

    *pool = (struct request_pool){.items = mem_alloc(n * sizeof(*pool->items)), .n = n};
    if (pool->items == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory for %zu requests", n);
    }
    for (; started < threads_n; started++) {
        shares[started] = (struct signing){
            .asker = asker,
            .transaction = transaction,
            .items = pool->items,
            .from = started,
            .step = threads_n,
            .n = n,
        };
        if (pthread_create(&threads[started], NULL, sign_share, &shares[started]) != 0) {
            (void)FAIL(diag, ERR_NO_MEMORY, "no thread to sign with");
            break;
        }
    }
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
        if (shares[i].diag.code != ERR_NONE && diag->code == ERR_NONE) {
            *diag = shares[i].diag;
        }
    }
    return (struct status){diag->code};
}

void
request_pool_done(struct request_pool *pool)
{
    for (size_t i = 0; i < pool->n; i++) {
        buf_done(&pool->items[i]);
    }
    mem_free(pool->items);
    *pool = (struct request_pool){0};
}

/* ---- answers ---- */

struct span
request_wanted_mark(enum soap_transaction transaction)
{
    return transaction == SOAP_ITI_55 ? SPAN("<queryResponseCode code=\"OK\"")
                                      : SPAN("ResponseStatusType:Success\"");
}

/* The id that the partner gives the patient, wherever in the answer: its own authority's first. */
static struct status
learn_patient(struct asker *asker, const struct message *message, struct span answer,
              struct diag *diag)
{
    struct xcpd_answer read;
    struct ident query_id = {.extension = SPAN("1")};
    const size_t at = span_find(answer, SPAN("<queryId "));
    const struct span rest = span_slice(answer, at == SPAN_MISSING ? answer.n : at, SIZE_MAX);
    const size_t root = span_find(rest, SPAN("root=\""));
    if (root == SPAN_MISSING) {
        return FAIL(diag, ERR_PARTNER_ANSWER, "the answer has no queryId");
    }
    query_id.root = span_slice(rest, root + strlen("root=\""), SIZE_MAX);
    query_id.root = span_slice(query_id.root, 0, span_find_char(query_id.root, '"'));
    TRY(xcpd_answer_read(message, &query_id, asker->arena, diag, &read));
    if (read.matches.n != 1) {
        return FAIL(diag, ERR_PARTNER_ANSWER, "expected one match, got %zu", read.matches.n);
    }
    return ident_write_cx(asker->arena, &read.matches.items[0].patient.ids.items[0], diag,
                          &asker->patient_id);
}

static struct status
learn_document(struct asker *asker, const struct message *message, uint64_t most_bytes,
               struct diag *diag)
{
    struct query_answer read;
    TRY(query_answer_read(message, asker->arena, diag, &read));
    for (size_t i = 0; i < read.objects.documents.n; i++) {
        const struct document_entry *const entry = &read.objects.documents.items[i];
        if (entry->size > asker->wanted_bytes && entry->size <= most_bytes) {
            asker->wanted = (struct document_ref){entry->home, entry->repository, entry->unique_id};
            asker->wanted_mime = entry->mime_type;
            asker->wanted_bytes = entry->size;
        }
    }
    return asker->wanted_bytes > 0
               ? OK
               : FAIL(diag, ERR_PARTNER_ANSWER, "no document of at most %llu bytes among %zu",
                      (unsigned long long)most_bytes, read.objects.documents.n);
}

struct status
asker_learn(struct asker *asker, enum soap_transaction transaction, struct span answer,
            struct span content_type, uint64_t most_bytes, struct diag *diag)
{
    const struct message_limits limits = message_limits_answer();
    struct message *message = NULL;
    struct span kept;
    TRY(arena_dup(asker->arena, answer, diag, &kept));
    TRY(message_read(kept, content_type, &limits, asker->arena, diag, &message));
    if (transaction == SOAP_ITI_55) {
        return learn_patient(asker, message, kept, diag);
    }
    return learn_document(asker, message, most_bytes, diag);
}
