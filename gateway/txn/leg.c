/*
 * One leg of a fan-out: its signed message, and what comes back. Called by asking.c's steps on a
 * worker. A leg's failure is its own: it is recorded in leg->diag and never ends the transaction.
 */
#include <stdio.h>
#include <string.h>

#include "base/ids.h"
#include "base/mem.h"
#include "soap/envelope.h"
#include "txn/behind.h"
#include "txn/disclosure.h"
#include "txn/iti38.h"
#include "txn/iti39.h"
#include "txn/iti55.h"
#include "txn/iti56.h"
#include "txn/iti80.h"
#include "txn/sources.h"
#include "txn/suppliers.h"

#define PAYLOAD_LIMIT ((size_t)4 * 1024 * 1024)
#define MESSAGE_LIMIT ((size_t)8 * 1024 * 1024)
#define PACKAGE_LIMIT                                                                              \
    ((size_t)512 * 1024 * 1024) /* with documents, as far as they are in memory                    \
                                 */
#define SAID_MAX ((size_t)300)  /* bytes of its own words */

const struct leg_kind leg_kinds[SOAP_TRANSACTION_COUNT] = {
    [SOAP_ITI_55] = {iti55_ask, iti55_answer, iti55_ask_store, AUDIT_ITI_55},
    [SOAP_ITI_55_DEFERRED] = {iti55_ask, iti55_acknowledged, NULL, AUDIT_ITI_55},
    [SOAP_ITI_38] = {iti38_ask, iti38_answer, iti38_ask_store, AUDIT_ITI_38},
    [SOAP_ITI_39] = {iti39_ask, iti39_answer, iti39_ask_store, AUDIT_ITI_39},
    [SOAP_ITI_80] = {iti80_ask, iti80_answer, iti80_ask_store, AUDIT_ITI_80},
    [SOAP_ITI_56] = {iti56_ask, iti56_answer, NULL, AUDIT_ITI_56},
    [SOAP_ITI_18] = {source_ask, iti38_answer, NULL, AUDIT_ITI_18},
    [SOAP_ITI_43] = {source_ask_documents, iti39_answer, NULL, AUDIT_ITI_43},
    [SOAP_ITI_45] = {supplier_ask_ids, supplier_answer_ids, NULL, AUDIT_ITI_45},
    [SOAP_ITI_47] = {supplier_ask_people, supplier_answer_people, NULL, AUDIT_ITI_47},
};

bool
leg_is_query(const struct leg *leg)
{
    return leg->transaction == SOAP_ITI_38 || leg->transaction == SOAP_ITI_18;
}

bool
leg_is_retrieve(const struct leg *leg)
{
    return leg->transaction == SOAP_ITI_39 || leg->transaction == SOAP_ITI_43;
}

bool
leg_has_security(const struct leg *leg)
{
    return leg->partner->source == NULL || leg->partner->source->wants_assertion;
}

const char *
leg_url(const struct partner *partner, enum soap_transaction transaction)
{
    switch (transaction) {
    case SOAP_ITI_55:
    case SOAP_ITI_55_DEFERRED:
    case SOAP_ITI_56:
        return partner->xcpd_url;
    case SOAP_ITI_38:
        return partner->query_url;
    case SOAP_ITI_39:
        return partner->retrieve_url;
    case SOAP_ITI_80:
        return partner->xcdr_url;
    case SOAP_ITI_18:
    case SOAP_ITI_43:
    case SOAP_ITI_41:
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

int64_t
leg_lifetime_us(const struct asking *asking)
{
    const struct config *config = asking->node->config;
    const int64_t wanted_us = asking->order.timeout_us + config->clock_skew_us;

    return wanted_us < config->max_lifetime_us ? wanted_us : config->max_lifetime_us;
}

void
leg_fail(struct leg *leg, enum err code, const char *detail)
{
    leg->state = LEG_FAILED;
    (void)FAIL(&leg->diag, code, "%s: %s",
               leg->partner == NULL ? "our own store" : leg->partner->id, detail);
}

struct dialect_style
leg_style(const struct asking *asking, const struct leg *leg)
{
    struct dialect_style style = leg->partner->writes;

    if (style.digest == DIALECT_SHA1 &&
        !partner_may_sha1(leg->partner, clock_wall_us(asking->node->clock))) {
        style.digest = DIALECT_SHA256; /* its time is over: `isthmus check` says so */
    }
    return style;
}

static void
free_arena(void *arena)
{
    arena_free(*(struct arena **)arena);
}

struct status
leg_arena(struct asking *asking, struct leg *leg)
{
    struct arena **arena;

    if (leg->arena != NULL) {
        return OK;
    }
    TRY(ARENA_NEW(asking->txn.arena, &leg->diag, &arena));
    TRY(arena_defer(asking->txn.arena, free_arena, arena, &leg->diag));
    *arena = arena_new(asking->node->config->facts_limit);
    if (*arena == NULL) {
        return FAIL(&leg->diag, ERR_NO_MEMORY, "memory for an answer");
    }
    leg->arena = *arena;
    leg->arena_owner = arena;
    return OK;
}

bool
leg_may_disclose(const struct asking *asking, const struct leg *leg,
                 const struct code_list *confidentiality)
{
    return disclosure_is_allowed(asking->node->config->policy, &leg->facts, &leg->decision,
                                 confidentiality);
}

bool
leg_may_open(const struct asking *asking, struct span patient_id)
{
    const struct asking_order *order = &asking->order;

    return order->may_open == NULL || order->may_open(order->may_open_arg, patient_id);
}

struct status
leg_note_said(struct leg *leg, struct span said)
{
    if (said.n == 0 || leg->said.n > 0) {
        return OK;
    }
    return arena_dup(leg->arena, span_slice(said, 0, SAID_MAX), &leg->diag, &leg->said);
}

struct status
leg_first_error(struct leg *leg, struct span *ret_code)
{
    for (size_t i = 0; i < leg->errors.n; i++) {
        const struct registry_error *error = &leg->errors.items[i];

        if (!error->is_warning) {
            *ret_code = span_slice(error->code, 0, LEG_CODE_MAX);
            return leg_note_said(leg, error->context);
        }
    }
    *ret_code = SPAN("no RegistryError given");
    return OK;
}

bool
leg_has_document(const struct leg *leg, const struct document_ref *ref)
{
    for (size_t i = 0; i < leg->retrieved.n; i++) {
        if (document_ref_eq(&leg->retrieved.items[i].ref, ref)) {
            return true;
        }
    }
    return false;
}

/* ---- asking ---- */

static struct status
note_intent(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    const struct asking_order *order = &asking->order;
    const struct config *config = asking->node->config;
    const struct span signer = span_of_cstr(config->signing->leaf->subject);
    struct audit_event *event = &leg->event;

    event->type =
        leg->partner == NULL ? AUDIT_LOCAL_ACCESS : leg_kinds[leg->transaction].audit_type;
    event->side = AUDIT_INITIATING;
    event->phase = AUDIT_INTENT;
    event->transaction_id = span_of_cstr(txn->id);
    event->message_id = span_of_cstr(leg->message_id);
    event->partner = leg->partner == NULL ? SPAN_EMPTY : span_of_cstr(leg->partner->id);
    event->destination_id = leg->url == NULL ? SPAN_EMPTY : span_of_cstr(leg->url);
    event->user_id = span_of_cstr(order->user);
    event->role.value = span_of_cstr(order->role);
    event->role.scheme = SPAN("2.16.840.1.113883.6.96");
    event->role.display = span_of_cstr(order->role_display);
    event->organization = span_of_cstr(order->organization);
    event->delegator = order->delegator;
    event->purpose.value = span_of_cstr(order->purpose);
    event->purpose.scheme = span_of_cstr(order->purpose_system);
    event->community = leg->community;
    /* wsa:ReplyTo, where it says something (ITI TF-2 3.55.5.1.1) */
    TRY(arena_printf(txn->arena, &leg->diag, &event->source_id, "%s%s%s",
                     config->base_url == NULL ? "urn:oid:" : "",
                     config->base_url == NULL ? config->community : config->base_url,
                     asking_is_answered_later(asking, leg) ? SOAP_REPLY_PATH : ""));
    if (leg->partner == NULL) { /* the store is in the node */
        event->destination_id = event->source_id;
    }
    return records_user_name(txn->arena, SPAN_EMPTY, signer, signer, &leg->diag, &event->user_name);
}

static struct status
note_patient(struct asking *asking, struct leg *leg, struct span cx)
{
    return cx.n == 0 ? OK : ARENA_PUSH(asking->txn.arena, &leg->diag, &leg->event.patients, cx);
}

/* By which ids we know whom a discovery describes. The AuditMessage of ITI-55 has no patient on
 * this side (ITI TF-2 3.55.5.1.1); whoever searches the journal, or accounts for disclosures, has.
 */
static struct status
note_described(struct asking *asking, struct leg *leg)
{
    const struct ident_list *ids = &asking->order.who.ids;

    for (size_t i = 0; i < ids->n; i++) {
        struct diag ignored = {0};
        struct span cx = SPAN_EMPTY;

        if (is_ok(ident_write_cx(asking->txn.arena, &ids->items[i], &ignored, &cx))) {
            TRY(note_patient(asking, leg, cx));
        }
    }
    return note_patient(asking, leg, asking->order.resource_id);
}

/* Whose documents, and which, the question is about. */
static struct status
note_subject(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    const struct ident *id = NULL;
    struct span cx;

    leg->event.documents = leg_is_retrieve(leg) ? leg->refs : (struct document_ref_list){0};
    if (leg->transaction == SOAP_ITI_80) {
        return provide_note(asking->order.provide, txn->arena, &leg->diag, &leg->event);
    }
    if (leg_kinds[leg->transaction].audit_type == AUDIT_ITI_55 && leg->partner != NULL) {
        return note_described(asking, leg);
    }
    if (leg_is_query(leg) && leg->refs.n == 0 &&
        (asking->order.query == NULL || leg->patient_id.root.n > 0)) {
        id = &leg->patient_id;
    } else if (leg->transaction == SOAP_ITI_45 || leg->transaction == SOAP_ITI_56) {
        id = &leg->patient_id;
    } else if (leg_is_retrieve(leg) && leg->patient.ids.n > 0) {
        id = &leg->patient.ids.items[0]; /* known when the round before found the patient */
    }
    if (id == NULL) {
        return OK;
    }
    if (!is_ok(ident_write_cx(txn->arena, id, &leg->diag, &cx))) {
        diag_prefix(&leg->diag, "the patient id of this community cannot be asked about");
        return (struct status){leg->diag.code};
    }
    return note_patient(asking, leg, cx);
}

/* What goes into our own store is registered there, not sent; a supplier is asked in the course of
 * what we are asked. */
static enum soap_transaction
policy_transaction(const struct asking *asking, const struct leg *leg)
{
    if (leg->transaction == SOAP_ITI_80 && leg->partner == NULL) {
        return SOAP_ITI_41;
    }
    if (leg->transaction == SOAP_ITI_47 ||
        (leg->transaction == SOAP_ITI_55 && leg->partner == NULL)) {
        return asking->order.is_search ? SOAP_ITI_47 : SOAP_ITI_55;
    }
    return leg_is_query(leg) || leg->transaction == SOAP_ITI_45 ? SOAP_ITI_38
           : leg_is_retrieve(leg)                               ? SOAP_ITI_39
                                                                : leg->transaction;
}

static void
decide(struct asking *asking, struct leg *leg)
{
    const struct asking_order *order = &asking->order;
    const bool is_own = leg->partner == NULL || leg->partner->source != NULL;

    if (order->facts != NULL) {
        leg->facts = *order->facts;
        leg->decision = *order->decision;
        behind_decide(asking, leg);
        records_note_decision(&leg->event, &leg->decision);
        return;
    }
    /* A source's documents are ours, by whichever transaction they come to us. */
    leg->facts = (struct policy_facts){
        .transaction = span_of_cstr(soap_transaction(policy_transaction(asking, leg))->name),
        .direction = is_own ? SPAN("local") : SPAN("outbound"),
        .partner = is_own ? SPAN_EMPTY : span_of_cstr(leg->partner->id),
        .community = leg->community,
        .asked = leg_is_behind(leg) ? leg->community : SPAN_EMPTY,
        .purpose = span_of_cstr(order->purpose),
        .purpose_system = span_of_cstr(order->purpose_system),
        .role = span_of_cstr(order->role),
        .delegator = order->delegator,
        .system = is_own && order->system != NULL ? span_of_cstr(order->system) : SPAN_EMPTY,
    };
    leg->decision = policy_decide(asking->node->config->policy, &leg->facts);
    records_note_decision(&leg->event, &leg->decision);
    if (leg->decision.verdict != POLICY_PERMIT) {
        leg->state = LEG_DENIED;
        (void)FAIL(&leg->diag, ERR_POLICY_DENIED, "our own policy, rule '%s': %s",
                   leg->decision.rule, leg->decision.reason);
    }
}

void
leg_renew_id(struct leg *leg, char ret_uuid[UUID_TEXT])
{
    uuid_new(ret_uuid);
    snprintf(leg->message_id, sizeof(leg->message_id), "urn:uuid:%s", ret_uuid);
}

static struct status
prepare(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    char uuid[UUID_TEXT], oid[OID_TEXT];

    if (leg->collected == NULL) {
        leg_renew_id(leg, uuid);
    } else {
        uuid_new(uuid);
    }
    oid_from_uuid(uuid, oid);
    leg->url = leg->partner == NULL ? NULL
               : leg->partner->source != NULL && !leg_is_behind(leg)
                   ? source_url(leg)
                   : leg_url(leg->partner, leg->transaction);
    TRY(arena_dup(txn->arena, span_of_cstr(oid), &leg->diag, &leg->message_uuid_oid));
    TRY(note_intent(asking, leg));
    TRY(note_subject(asking, leg));
    if (leg->diag.code != ERR_NONE) { /* the plan says why it is not asked */
        return (struct status){leg->diag.code};
    }
    if (leg->partner == NULL || leg->is_moot || leg->collected != NULL) {
        return OK;
    }
    if (leg->url == NULL) {
        return FAIL(&leg->diag, ERR_CONFIG, "%s gives no endpoint for %s", leg->partner->path,
                    soap_transaction(leg->transaction)->name);
    }
    return leg_kinds[leg->transaction].ask(asking, leg);
}

void
leg_prepare(struct asking *asking, struct leg *leg)
{
    buf_init_secret(&leg->payload, PAYLOAD_LIMIT);
    if (!is_ok(prepare(asking, leg))) {
        leg->state = LEG_FAILED;
        return;
    }
    decide(asking, leg);
    if (leg->is_moot && leg->state == LEG_PLANNED) {
        leg->state = LEG_ANSWERED;
    }
}

/* A partner's assertion may lack what was agreed on; nothing is invented. */
static struct status
check_asker(const struct asking_order *order, struct diag *diag, const char *id)
{
    return order->user != NULL && order->role != NULL && order->purpose != NULL &&
                   order->organization != NULL && order->organization_id != NULL
               ? OK
               : FAIL(diag, ERR_CONFIG,
                      "source '%s' wants an assertion, and the asker's own says no user, role, "
                      "purpose or organization",
                      id);
}

/* REQ: ITI40-sent */
static struct status
write_security(struct asking *asking, struct leg *leg, const struct signed_timestamp *timestamp,
               struct buf *out)
{
    const struct asking_order *order = &asking->order;
    const struct config *config = asking->node->config;

    TRY(check_asker(order, &leg->diag, leg->partner->id));

    const struct assertion_order assertion = {
        .signer = config->signing,
        .now_us = clock_wall_us(asking->node->clock),
        .lifetime_us = leg_lifetime_us(asking),
        .audience = leg->url,
        .subject_id = order->user,
        .organization = order->organization,
        .organization_id = order->organization_id,
        .home_community = behind_home(asking, leg),
        .role = order->role,
        .role_display = order->role_display,
        .purpose = order->purpose,
        .purpose_system = order->purpose_system,
        .npi = order->npi,
        .resource_id = order->resource_id,
        .acp = order->acp,
        .iacp = order->iacp,
        .delegator = order->delegator,
        .id_token = order->id_token,
        .style = leg_style(asking, leg),
        .sha1_until_us = leg->partner->sha1_until_us,
    };

    leg->signature = assertion.style.is_bearer ? SPAN_EMPTY : timestamp->signature_value;

    return security_write(&assertion, timestamp, out, &leg->diag);
}

static struct status
pack(struct leg *leg, struct buf *envelope, struct out_request *request)
{
    const struct soap_transaction_row *row = soap_transaction(leg->transaction);

    if (row->is_mtom &&
        !(leg->transaction == SOAP_ITI_39 && leg->partner->form.is_plain_retrieve)) {
        return mtom_pack(buf_span(envelope), leg->parts, leg->parts_n,
                         span_of_cstr(row->request_action), PACKAGE_LIMIT, &leg->diag,
                         request->content_type, &request->body);
    }
    body_from_buf(&request->body, envelope);
    snprintf(request->content_type, sizeof(request->content_type), "%s; action=\"%s\"",
             SOAP_CONTENT_TYPE, row->request_action);
    return OK;
}

static int64_t
timeout_us(const struct leg *leg)
{
    const struct partner *partner = leg->partner;

    return leg_is_query(leg)      ? partner->query_timeout_us
           : leg_is_retrieve(leg) ? partner->retrieve_timeout_us
           : leg->transaction == SOAP_ITI_55 || leg->transaction == SOAP_ITI_55_DEFERRED
               ? partner->discovery_timeout_us
               : 0;
}

/* Documents may be large, and then wait in the spool; what is read as one tree may not. */
static void
set_limits(const struct asking *asking, const struct leg *leg, struct out_request *request)
{
    const struct node *node = asking->node;

    if (!leg_is_retrieve(leg)) {
        request->answer_limit = LEG_TREE_LIMIT;
        return;
    }
    request->spool = node->spool;
    request->answer_limit = node->spool == NULL ? LEG_ANSWER_LIMIT : node->config->documents_limit;
}

struct status
leg_write(struct asking *asking, struct leg *leg, const struct signed_timestamp *timestamp,
          struct out_request *ret_request)
{
    CLEANUP(buf_done) struct buf security;
    CLEANUP(buf_done) struct buf envelope;
    struct out_request request;
    struct envelope_request parts = {
        .action = span_of_cstr(soap_transaction(leg->transaction)->request_action),
        .to = span_of_cstr(leg->url),
        .message_id = span_of_cstr(leg->message_id),
        .reply_to = leg->reply_to,
        .payload = buf_span(&leg->payload),
        .time_to_live_us = leg->may_keep_us,
    };

    buf_init_secret(&security, MESSAGE_LIMIT);
    buf_init_secret(&envelope, MESSAGE_LIMIT);
    if (leg_is_behind(leg)) {
        TRY(behind_list_passed(asking, &leg->diag, &parts.passed));
    }
    if (leg_has_security(leg)) {
        TRY(write_security(asking, leg, timestamp, &security));
    }
    parts.security = buf_span(&security);
    TRY(envelope_write_request(&parts, &envelope, &leg->diag));
    out_request_init(&request);
    TRY(pack(leg, &envelope, &request));
    request.config = asking->node->config;
    request.partner = leg->partner;
    request.url = leg->url;
    request.deadline_us = asking->txn.deadline_us;
    request.timeout_us = timeout_us(leg);
    set_limits(asking, leg, &request);
    /* Other kept connections may be closed as well; and nobody could say whether documents that
     * went into one were taken. */
    request.is_fresh = leg->is_again || leg->transaction == SOAP_ITI_80 || leg->later != NULL;
    *ret_request = request;
    return OK;
}

/* ---- our own store ---- */

enum answer
leg_ask_store(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    enum answer answer = ANSWER_NOW;
    enum txn_verdict verdict;
    struct status st;

    if (leg->asked_us == 0) {
        leg->asked_us = clock_mono_us(asking->node->clock);
    }
    st = leg_arena(asking, leg);
    txn_expect(txn);
    if (is_ok(st)) {
        st = leg_kinds[leg->transaction].ask_store(asking, leg, &answer);
    }
    verdict = txn_settle(txn, st, answer);
    if (verdict == TXN_WAIT) {
        return ANSWER_LATER;
    }
    leg->state = verdict == TXN_DONE ? LEG_ANSWERED : LEG_FAILED;
    leg->elapsed_us = clock_mono_us(asking->node->clock) - leg->asked_us;
    return ANSWER_NOW;
}
