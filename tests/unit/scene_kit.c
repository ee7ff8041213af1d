/*
 * Documents, signed requests with any payload, and answers read back: what scenario tests share.
 */
#include "scene_kit.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/yaml.h"
#include "soap/envelope.h"
#include "store/store_engine.h"

#define COPY_TEXT(to, span) snprintf((to), sizeof(to), "%.*s", SPAN_PRINT(span))

/* ---- documents ---- */

static struct status
find_stored(struct place *place, struct span unique_id, struct arena *arena, struct diag *diag,
            struct scene_stored *ret_stored)
{
    struct span ids[1] = {unique_id};
    const struct span_list by_id = {ids, 1, 1}, none = {0};
    struct document_list found = {0};
    enum answer answer;

    TRY(store_get_documents(place->store, &none, &by_id, NULL, arena, diag, &answer, &found));
    CU_ASSERT_EQUAL_FATAL(found.n, 1);
    COPY_TEXT(ret_stored->unique_id, found.items[0].unique_id);
    COPY_TEXT(ret_stored->entry_uuid, found.items[0].entry_uuid);
    COPY_TEXT(ret_stored->patient_id, found.items[0].patient_id);
    return OK;
}

void
scene_add_marked_document(struct place *place, const struct patient *patient,
                          const char *confidentiality, const char *bytes,
                          struct scene_stored *ret_stored)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct code marked[1] = {{span_of_cstr(confidentiality), SPAN("2.16.840.1.113883.5.25"),
                              span_of_cstr(confidentiality)}};
    const struct document_entry entry = {
        .mime_type = SPAN("text/xml"),
        .title = SPAN("Summary"),
        .creation_time = SPAN("20260102030405"),
        .language = SPAN("en-US"),
        .type_code = {SPAN("34133-9"), SPAN("2.16.840.1.113883.6.1"), SPAN("Summary")},
        .class_code = {SPAN("34133-9"), SPAN("2.16.840.1.113883.6.1"), SPAN("Summary")},
        .format_code = {SPAN("urn:hl7-org:sdwg:ccda-structuredBody:2.1"),
                        SPAN("1.3.6.1.4.1.19376.1.2.3"), SPAN("C-CDA")},
        .facility_type = {SPAN("385432009"), SPAN("2.16.840.1.113883.6.96"), SPAN("N/A")},
        .practice_setting = {SPAN("385432009"), SPAN("2.16.840.1.113883.6.96"), SPAN("N/A")},
        .confidentiality = {marked, 1, 1},
    };
    const struct store_document document = {patient, &entry, .bytes = span_of_cstr(bytes)};
    struct store_put_result result;
    struct diag diag = {0};

    CHECK_OK(&diag, store_put_document(place->store, &document, arena, &diag, &result));
    CHECK_OK(&diag, find_stored(place, result.unique_id, arena, &diag, ret_stored));
    arena_free(arena);
}

void
scene_add_document(struct place *place, const char *family, const char *given,
                   const char *birth_date, const char *sex, const char *bytes)
{
    struct span given_names[1] = {span_of_cstr(given)};
    struct person_name name[1] = {{.family = span_of_cstr(family), .given = {given_names, 1, 1}}};
    const struct patient patient = {
        .names = {name, 1, 1}, .birth_time = span_of_cstr(birth_date), .sex = span_of_cstr(sex)};
    struct scene_stored stored;

    scene_add_marked_document(place, &patient, "N", bytes, &stored);
}

struct scene_stored
kit_add(struct place *place, const char *given, const char *confidentiality, const char *bytes)
{
    struct span given_names[1] = {span_of_cstr(given)};
    struct person_name name[1] = {{.family = SPAN("Jones"), .given = {given_names, 1, 1}}};
    const struct patient patient = {
        .names = {name, 1, 1}, .birth_time = SPAN("19470501"), .sex = SPAN("F")};
    struct scene_stored stored = {0};

    scene_add_marked_document(place, &patient, confidentiality, bytes, &stored);
    return stored;
}

void
kit_open_three(struct scene *scene)
{
    static const char *const three[] = {"red", "green", "blue"};

    scene_open(scene, three, 3);
    scene_add_document(scene_place(scene, "red"), ISABELLA,
                       "<ClinicalDocument>red</ClinicalDocument>");
    scene_add_document(scene_place(scene, "green"), ISABELLA,
                       "<ClinicalDocument>shared</ClinicalDocument>");
    scene_add_document(scene_place(scene, "green"), ISABELLA,
                       "<ClinicalDocument>green</ClinicalDocument>");
    scene_add_document(scene_place(scene, "blue"), ISABELLA,
                       "<ClinicalDocument>shared</ClinicalDocument>");
    scene_add_document(scene_place(scene, "blue"), "Jones", "Myra", "19470501", "F",
                       "<ClinicalDocument>myra</ClinicalDocument>");
}

struct arena *
kit_open_green(struct scene *scene)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);

    CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
    kit_open_three(scene);
    return arena;
}

void
kit_close_green(struct scene *scene, struct arena *arena)
{
    arena_free(arena);
    scene_close(scene);
}

/* ---- requests ---- */

static struct status
write_envelope(struct place *from, const struct kit_request *request, const char *url,
               struct arena *arena, struct buf *envelope, struct diag *diag)
{
    const struct config *config = from->config;
    const struct config_asserts *asserts = &config->asserts;
    const int64_t now_us = clock_wall_us(from->node.clock);
    const struct assertion_order assertion = {
        .signer = config->signing,
        .now_us = now_us,
        .lifetime_us = 60 * US_PER_S,
        .audience = url,
        .subject_id = asserts->user,
        .organization = asserts->organization,
        .organization_id = asserts->organization_id,
        .home_community = config->community,
        .role = asserts->role,
        .role_display = asserts->role_display,
        .purpose = request->purpose == NULL ? asserts->purpose : request->purpose,
        .delegator = request->delegator,
        .purpose_system = asserts->purpose_system,
        .style.is_bearer = request->is_bearer,
        .id_token = request->id_token,
    };
    struct signed_timestamp timestamp;
    CLEANUP(buf_done) struct buf security;
    struct span message_id;
    char uuid[UUID_TEXT];

    uuid_new(uuid);
    buf_init(&security, (size_t)1024 * 1024);
    TRY(timestamp_sign(config->signing, DIALECT_SHA256, now_us, 60 * US_PER_S, arena, diag,
                       &timestamp));
    TRY(security_write(&assertion, &timestamp, &security, diag));
    TRY(arena_printf(arena, diag, &message_id, "urn:uuid:%s", uuid));
    const struct envelope_request parts = {
        .action = span_of_cstr(soap_transaction(request->transaction)->request_action),
        .to = span_of_cstr(url),
        .message_id = message_id,
        .security = buf_span(&security),
        .payload = request->payload,
    };
    return envelope_write_request(&parts, envelope, diag);
}

void
kit_send(struct scene *scene, const struct kit_request *request, struct scene_reply *reply)
{
    struct place *from = scene_place(scene, request->from == NULL ? "red" : request->from);
    struct place *to = scene_place(scene, "green");
    const struct soap_transaction_row *row = soap_transaction(request->transaction);
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    char content_type[512] = SOAP_CONTENT_TYPE;
    struct diag diag = {0};
    struct buf envelope, package;
    char url[256];

    snprintf(url, sizeof(url), "%s%s", to->config->base_url, row->path);
    buf_init(&envelope, (size_t)4 * 1024 * 1024);
    buf_init(&package, (size_t)4 * 1024 * 1024);
    CHECK_OK(&diag, write_envelope(from, request, url, arena, &envelope, &diag));
    if (request->edit != NULL) {
        const struct span edited = request->edit(request->edit_arg, buf_span(&envelope), arena);

        buf_reset(&envelope);
        CHECK_OK(&diag, buf_append(&envelope, edited, &diag));
    }
    if (row->is_mtom) {
        CHECK_OK(&diag, mtom_write(buf_span(&envelope), NULL, 0, span_of_cstr(row->request_action),
                                   &package, &diag, content_type));
    }
    scene_send(scene, to, from->config->node->leaf, row->path, content_type,
               row->is_mtom ? buf_span(&package) : buf_span(&envelope), reply);
    buf_done(&envelope);
    buf_done(&package);
    arena_free(arena);
}

static const char *common_purpose;
static struct span common_id_token;

void
kit_set_purpose(const char *purpose, struct span id_token)
{
    common_purpose = purpose;
    common_id_token = id_token;
}

void
kit_send_query(struct scene *scene, const struct stored_query *query, struct scene_reply *reply)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct kit_request request = {
        .transaction = SOAP_ITI_38, .purpose = common_purpose, .id_token = common_id_token};
    struct diag diag = {0};
    struct buf payload;
    struct span query_xml;

    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, stored_query_write(query, arena, &payload, &diag, &query_xml));
    request.payload = buf_span(&payload);
    kit_send(scene, &request, reply);
    buf_done(&payload);
    arena_free(arena);
}

void
kit_send_retrieve(struct scene *scene, const struct document_ref_list *refs,
                  struct scene_reply *reply)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct kit_request request = {
        .transaction = SOAP_ITI_39, .purpose = common_purpose, .id_token = common_id_token};
    struct diag diag = {0};
    struct buf payload;

    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, retrieve_query_write(refs, arena, &payload, &diag));
    request.payload = buf_span(&payload);
    kit_send(scene, &request, reply);
    buf_done(&payload);
    arena_free(arena);
}

/* ---- answers ---- */

static struct status
read_message(const struct scene_reply *reply, struct arena *arena, struct diag *diag,
             struct message **ret_message)
{
    const struct message_limits limits = message_limits_answer();

    return message_read(span_of(reply->text, reply->n), span_of_cstr(reply->content_type), &limits,
                        arena, diag, ret_message);
}

void
kit_read_query_answer(const struct scene_reply *reply, struct arena *arena,
                      struct query_answer *ret_answer)
{
    struct message *message = NULL;
    struct diag diag = {0};

    memset(ret_answer, 0, sizeof(*ret_answer));
    CU_ASSERT_EQUAL(reply->http_status, 200);
    if (CHECK_OK(&diag, read_message(reply, arena, &diag, &message))) {
        CHECK_OK(&diag, query_answer_read(message, arena, &diag, ret_answer));
    }
}

void
kit_read_retrieve_answer(const struct scene_reply *reply, struct arena *arena,
                         struct retrieve_answer *ret_answer)
{
    struct message *message = NULL;
    struct diag diag = {0};

    memset(ret_answer, 0, sizeof(*ret_answer));
    CU_ASSERT_EQUAL(reply->http_status, 200);
    if (CHECK_OK(&diag, read_message(reply, arena, &diag, &message))) {
        CHECK_OK(&diag, retrieve_answer_read(message, arena, &diag, ret_answer));
    }
}

/* ---- questions and legs ---- */

size_t
kit_question_to(const struct scene *scene, const char *partner)
{
    for (size_t i = scene->questions_n; i > 0; i--) {
        if (strcmp(scene->questions[i - 1].to->id, partner) == 0) {
            return i - 1;
        }
    }
    return SIZE_MAX;
}

const struct leg *
kit_leg_of(const struct asking *asking, int round, const char *partner)
{
    for (size_t i = 0; i < asking->legs[round].n; i++) {
        const struct leg *leg = &asking->legs[round].items[i];

        if (leg->partner != NULL && strcmp(leg->partner->id, partner) == 0) {
            return leg;
        }
    }
    return NULL;
}

size_t
kit_documents_from(const struct asking *asking, const char *partner)
{
    size_t n = 0;

    for (size_t i = 0; i < asking->documents.n; i++) {
        const struct partner *from = asking->documents.items[i].partner;

        n += from != NULL && strcmp(from->id, partner) == 0 ? 1 : 0;
    }
    return n;
}

const struct scene_reply *
kit_answer_of_green(struct scene *scene)
{
    static struct scene_reply reply;
    const struct scene_question *question = &scene->questions[kit_question_to(scene, "green")];
    struct place *green = scene_place(scene, "green");

    scene_send(scene, green, question->from->config->node->leaf,
               question->url + strlen(green->config->base_url), question->content_type,
               buf_span(&question->body), &reply);
    CU_ASSERT_EQUAL(reply.http_status, 200);
    return &reply;
}

/* ---- a store that answers later ---- */

struct slow_store {
    struct store store; /* first member */
    struct store *inner;
    struct park *parked;
    bool is_ready; /* the call after the wake is answered */
};

static struct slow_store slow_stores[SCENE_PLACES];

/* True when the call is to be answered now. */
static bool
is_slow_ready(struct store *store, struct park *park, enum answer *ret_answer)
{
    struct slow_store *slow = (struct slow_store *)store;

    CU_ASSERT_PTR_NULL(slow->parked);
    if (slow->is_ready) {
        slow->is_ready = false;
        return true;
    }
    slow->parked = park;
    *ret_answer = ANSWER_LATER;
    return false;
}

#define INNER(store) (((struct slow_store *)(store))->inner)

static struct status
slow_match(struct store *store, const struct patient *query, struct park *park, struct arena *arena,
           struct diag *diag, enum answer *ret_answer, struct store_match_result *ret_result)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_match_patient(INNER(store), query, park, arena, diag, ret_answer, ret_result)
               : OK;
}

static struct status
slow_knows(struct store *store, const struct ident *id, struct park *park, struct diag *diag,
           enum answer *ret_answer, bool *ret_known)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_knows_patient(INNER(store), id, park, diag, ret_answer, ret_known)
               : OK;
}

static struct status
slow_ask(struct store *store, const struct store_question *question, struct park *park,
         struct arena *arena, struct diag *diag, enum answer *ret_answer,
         struct registry_objects *ret_objects)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_ask(INNER(store), question, park, arena, diag, ret_answer, ret_objects)
               : OK;
}

static struct status
slow_members(struct store *store, const struct span_list *entry_uuids, struct park *park,
             struct arena *arena, struct diag *diag, enum answer *ret_answer,
             struct store_member_list *ret_members)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_members(INNER(store), entry_uuids, park, arena, diag, ret_answer,
                               ret_members)
               : OK;
}

static struct status
slow_retrieve(struct store *store, const struct document_ref *ref, struct park *park,
              struct arena *arena, struct diag *diag, enum answer *ret_answer,
              struct document_entry *ret_entry, struct body *ret_body)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_retrieve(INNER(store), ref, park, arena, diag, ret_answer, ret_entry,
                                ret_body)
               : OK;
}

static struct status
slow_remember(struct store *store, const struct replay_message *message, struct park *park,
              struct diag *diag, enum answer *ret_answer, struct replay_result *ret_result)
{
    return is_slow_ready(store, park, ret_answer)
               ? replay_remember(INNER(store), message, park, diag, ret_answer, ret_result)
               : OK;
}

static struct status
slow_learn(struct store *store, const struct correlation *correlations, size_t n, struct park *park,
           struct diag *diag, enum answer *ret_answer)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_learn_correlations(INNER(store), correlations, n, park, diag, ret_answer)
               : OK;
}

static struct status
slow_find_correlation(struct store *store, const struct correlation_key *key, struct park *park,
                      struct arena *arena, struct diag *diag, enum answer *ret_answer,
                      bool *ret_is_known, struct correlation *ret_found)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_find_correlation(INNER(store), key, park, arena, diag, ret_answer,
                                        ret_is_known, ret_found)
               : OK;
}

static struct status
slow_correlated(struct store *store, const struct ident *local, struct park *park,
                struct arena *arena, struct diag *diag, enum answer *ret_answer,
                struct correlation_match_list *ret_matches)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_correlated_ids(INNER(store), local, park, arena, diag, ret_answer,
                                      ret_matches)
               : OK;
}

static struct status
slow_claim(struct store *store, struct span message_id, struct park *park, struct diag *diag,
           enum answer *ret_answer)
{
    return is_slow_ready(store, park, ret_answer)
               ? pending_claim(INNER(store), message_id, park, diag, ret_answer)
               : OK;
}

static struct status
slow_fetch(struct store *store, struct span message_id, struct arena *arena, struct diag *diag,
           struct buf *answer, struct pending *ret_pending)
{
    return pending_fetch(INNER(store), message_id, arena, diag, answer, ret_pending);
}

void
kit_slow_store(struct place *place)
{
    static const struct pending_engine awaited = {.fetch = slow_fetch, .claim = slow_claim};
    static const struct store_engine engine = {.name = "slow",
                                               .pending = &awaited,
                                               .learn_correlations = slow_learn,
                                               .find_correlation = slow_find_correlation,
                                               .correlated_ids = slow_correlated,
                                               .match_patient = slow_match,
                                               .knows_patient = slow_knows,
                                               .ask = slow_ask,
                                               .members = slow_members,
                                               .retrieve = slow_retrieve,
                                               .remember = slow_remember};
    struct slow_store *slow = &slow_stores[place - place->scene->places];

    *slow = (struct slow_store){{.engine = &engine}, place->store, NULL, false};
    place->node.store = &slow->store;
}

bool
kit_wake_store(struct place *place)
{
    struct slow_store *slow = &slow_stores[place - place->scene->places];
    struct park *park = slow->parked;

    if (park == NULL) {
        return false;
    }
    slow->parked = NULL;
    slow->is_ready = true;
    park_wake(park);
    scene_run(place->scene);
    slow->is_ready = false; /* it need not ask again */
    return true;
}

void
kit_wake_store_all(struct place *place)
{
    int wakes = 0;

    while (kit_wake_store(place)) {
        CU_ASSERT_FATAL(++wakes < 100);
    }
}

/* ---- policy ---- */

static const struct policy *own_policies[SCENE_PLACES];

static void
load_rules(struct policy *policy, const char *text)
{
    struct yaml_report report;
    struct diag diag = {0};
    char path[512];
    FILE *file;

    snprintf(path, sizeof(path), "%s/policy.yaml", unit_temp_dir());
    file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT(fputs(text, file) >= 0);
    fclose(file);
    yaml_report_init(&report);
    CHECK_OK(&diag, policy_load(policy, path, &report, &diag));
    yaml_report_done(&report);
}

void
kit_set_policy(struct place *place, const char *text)
{
    struct config *config = (struct config *)place->config;
    struct policy *policy = policy_new();

    CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
    if (text != NULL) {
        load_rules(policy, text);
    }
    own_policies[place - place->scene->places] = config->policy;
    config->policy = policy;
}

void
kit_restore_policy(struct place *place)
{
    struct config *config = (struct config *)place->config;

    policy_free((struct policy *)config->policy);
    config->policy = own_policies[place - place->scene->places];
}

/* ---- what came ---- */
