/*
 * What the scenario tests of local systems share.
 */
#include "local_kit.h"

#include <stdio.h>
#include <string.h>

#include "soap/envelope.h"

#define LOCAL_QUERY_ID "2.999.55"

static struct config_system system_of_red[1];

struct config_system *
local_kit_open(struct scene *scene)
{
    struct config *config;

    kit_open_three(scene);
    config = (struct config *)scene_place(scene, "red")->config;
    system_of_red[0] = (struct config_system){.name = "ehr", .asserts = config->asserts};
    system_of_red[0].asserts.user = "Ehr User";
    system_of_red[0].asserts.npi = NULL;
    config->systems = system_of_red;
    config->systems_n = 1;
    config->local_system = &system_of_red[0];
    return &system_of_red[0];
}

void
local_kit_close(struct scene *scene)
{
    scene_close(scene);
}

/* ---- requests ---- */

static struct status
write_envelope(const struct local_request *request, struct buf *envelope, struct diag *diag)
{
    char uuid[UUID_TEXT], message_id[64];
    struct envelope_request parts = {
        .action = span_of_cstr(soap_transaction(request->transaction)->request_action),
        .to = SPAN("http://anything.example/"),
        .security = request->security,
        .payload = request->payload,
    };

    uuid_new(uuid);
    snprintf(message_id, sizeof(message_id), "urn:uuid:%s", uuid);
    parts.message_id = span_of_cstr(message_id);
    return envelope_write_request(&parts, envelope, diag);
}

void
local_send(struct scene *scene, const struct local_request *request, struct scene_reply *reply)
{
    struct place *to = request->to == NULL ? scene_place(scene, "red") : request->to;
    const struct soap_transaction_row *row = soap_transaction(request->transaction);
    const char *path = request->path == NULL ? row->local_path : request->path;
    char content_type[512] = SOAP_CONTENT_TYPE;
    struct diag diag = {0};
    struct buf envelope, package;

    buf_init(&envelope, (size_t)4 * 1024 * 1024);
    buf_init(&package, (size_t)4 * 1024 * 1024);
    CHECK_OK(&diag, write_envelope(request, &envelope, &diag));
    if (row->is_mtom) {
        CHECK_OK(&diag,
                 mtom_write(buf_span(&envelope), request->parts, request->parts_n,
                            span_of_cstr(row->request_action), &package, &diag, content_type));
    }
    scene_send_local(scene, to, request->peer, path, content_type,
                     row->is_mtom ? buf_span(&package) : buf_span(&envelope), reply);
    buf_done(&envelope);
    buf_done(&package);
}

static void
send_stored(struct scene *scene, enum soap_transaction transaction, struct place *to,
            const struct stored_query *query, struct scene_reply *reply)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct local_request request = {.transaction = transaction, .to = to};
    struct diag diag = {0};
    struct span query_xml;
    struct buf payload;

    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, stored_query_write(query, arena, &payload, &diag, &query_xml));
    request.payload = buf_span(&payload);
    local_send(scene, &request, reply);
    buf_done(&payload);
    arena_free(arena);
}

void
local_send_stored(struct scene *scene, const struct stored_query *query, struct scene_reply *reply)
{
    send_stored(scene, SOAP_ITI_38, NULL, query, reply);
}

void
local_send_registry(struct scene *scene, const struct stored_query *query,
                    struct scene_reply *reply)
{
    send_stored(scene, SOAP_ITI_18, NULL, query, reply);
}

void
local_send_query(struct scene *scene, const char *patient_id, const char *home,
                 struct scene_reply *reply)
{
    local_send_query_to(scene, NULL, patient_id, home, reply);
}

static void
send_find(struct scene *scene, enum soap_transaction transaction, struct place *to,
          const char *patient_id, const char *home, struct scene_reply *reply)
{
    struct span patient[1] = {span_of_cstr(patient_id)}, status[1] = {SPAN(DOCUMENT_APPROVED)};
    struct query_param params[2] = {
        {SPAN("$XDSDocumentEntryPatientId"), {patient, 1, 1}, .is_multiple = false},
        {SPAN("$XDSDocumentEntryStatus"), {status, 1, 1}, .is_multiple = true},
    };
    const struct stored_query query = {
        .id = SPAN(XCA_FIND_DOCUMENTS),
        .home = home == NULL ? SPAN_EMPTY : span_of_cstr(home),
        .wants_leaf_class = true,
        .params = {params, 2, 2},
    };

    send_stored(scene, transaction, to, &query, reply);
}

void
local_send_query_to(struct scene *scene, struct place *to, const char *patient_id, const char *home,
                    struct scene_reply *reply)
{
    send_find(scene, SOAP_ITI_38, to, patient_id, home, reply);
}

void
local_send_registry_find(struct scene *scene, const char *patient_id, const char *home,
                         struct scene_reply *reply)
{
    send_find(scene, SOAP_ITI_18, NULL, patient_id, home, reply);
}

static void
send_refs(struct scene *scene, enum soap_transaction transaction, const struct document_ref *refs,
          size_t n, struct scene_reply *reply)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct local_request request = {.transaction = transaction};
    struct document_ref_list list = {0};
    struct diag diag = {0};
    struct buf payload;

    for (size_t i = 0; i < n; i++) {
        CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &list, refs[i]));
    }
    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, retrieve_query_write(&list, arena, &payload, &diag));
    request.payload = buf_span(&payload);
    local_send(scene, &request, reply);
    buf_done(&payload);
    arena_free(arena);
}

void
local_send_retrieve(struct scene *scene, const struct document_ref *refs, size_t n,
                    struct scene_reply *reply)
{
    send_refs(scene, SOAP_ITI_39, refs, n, reply);
}

void
local_send_repository(struct scene *scene, const struct document_ref *refs, size_t n,
                      struct scene_reply *reply)
{
    send_refs(scene, SOAP_ITI_43, refs, n, reply);
}

void
local_send_discovery(struct scene *scene, struct span receiver, struct scene_reply *reply)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct local_request request = {.transaction = SOAP_ITI_55};
    const struct xcpd_query query = {
        .id = {.root = SPAN(LOCAL_QUERY_ID)},
        .query_id = {.root = SPAN(LOCAL_QUERY_ID), .extension = SPAN("7")},
        .sender_home = SPAN("2.999.1"),
        .receiver_home = receiver,
        .creation_us = clock_wall_us(&scene->clock.clock),
        .subject = scene_order(ASKING_DISCOVER, ISABELLA).who,
    };
    struct diag diag = {0};
    struct span query_xml;
    struct buf payload;

    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, xcpd_query_write(&query, arena, &payload, &diag, &query_xml));
    request.payload = buf_span(&payload);
    local_send(scene, &request, reply);
    buf_done(&payload);
    arena_free(arena);
}

void
local_leave(struct scene *scene, struct scene_reply *reply)
{
    void (*const on_gone)(void *arg) = reply->on_gone;

    CU_ASSERT_PTR_NOT_NULL_FATAL(on_gone);
    reply->on_gone = NULL;
    on_gone(reply->gone_arg);
    scene_run(scene);
}

/* ---- answers ---- */

void
local_read_discovery(const struct scene_reply *reply, struct arena *arena,
                     struct xcpd_answer *ret_answer)
{
    const struct message_limits limits = message_limits_answer();
    const struct ident query_id = {.root = SPAN(LOCAL_QUERY_ID), .extension = SPAN("7")};
    struct message *message = NULL;
    struct diag diag = {0};

    memset(ret_answer, 0, sizeof(*ret_answer));
    CU_ASSERT_EQUAL(reply->http_status, 200);
    if (CHECK_OK(&diag,
                 message_read(span_of(reply->text, reply->n), span_of_cstr(reply->content_type),
                              &limits, arena, &diag, &message))) {
        CHECK_OK(&diag, xcpd_answer_read(message, &query_id, arena, &diag, ret_answer));
    }
}

const struct registry_error *
local_error_of(const struct registry_error_list *errors, const char *community)
{
    const struct registry_error *found = NULL;

    for (size_t i = 0; i < errors->n; i++) {
        if (span_starts_with(errors->items[i].location, span_of_cstr(community))) {
            if (found != NULL) {
                return NULL;
            }
            found = &errors->items[i];
        }
    }
    return found;
}
