/*
 * ITI-39 Cross Gateway Retrieve, both sides. The responder asks the store document by document,
 * answers what it may and gives one error per document that it may not. Runs on workers; document
 * bytes are owned by the answer and released with the arena. Source: ITI TF-2 3.39 and 3.43.
 */
#include "txn/iti39.h"

#include <stdio.h>

#include "soap/envelope.h"
#include "txn/brokered.h"
#include "txn/dialect_ask.h"

/* Bytes of documents in one answer that are in memory; what goes beyond is an error per document.
 * The answer is packed from them, so its own limit is twice as high. Those in files are not copied:
 * limits.documents is theirs. */
#define DOCUMENTS_LIMIT (INBOUND_ANSWER_LIMIT / 2)

struct iti39_work {
    struct document_ref_list refs; /* each once */
    size_t at;
    struct retrieve_answer answer;
    uint64_t bytes;  /* of the answer's documents ... */
    uint64_t memory; /* ... of them: in memory */
    struct document_ref_list given, failed;
    struct span_list owners;        /* of <given>, one each: the patient (CX); empty: not known */
    struct document_ref_list homed; /* brokered: <refs> that name a community */
};

static void
release_answer(void *answer)
{
    retrieve_answer_done(answer);
}

/* ---- Responding Gateway ---- */

/* A document that is asked for twice is given once: a small request must not become an answer of
 * any size. */
/* REQ: ITI39-order */
static struct status
take_each_once(struct inbound *in, const struct document_ref_list *asked,
               struct document_ref_list *refs)
{
    for (size_t i = 0; i < asked->n; i++) {
        if (!document_ref_is_among(&asked->items[i], refs)) {
            TRY(ARENA_PUSH(in->txn.arena, &in->txn.diag, refs, asked->items[i]));
        }
    }
    return OK;
}

static enum txn_verdict
read_query(struct inbound *in)
{
    struct txn *txn = &in->txn;
    struct document_ref_list asked = {0};
    struct iti39_work *work;

    TXN_TRY(ARENA_NEW(txn->arena, &txn->diag, &work));
    TXN_TRY(retrieve_query_read(in->proof.message, txn->arena, &txn->diag, &asked));
    TXN_TRY(take_each_once(in, &asked, &work->refs));
    TXN_TRY(arena_defer(txn->arena, release_answer, &work->answer, &txn->diag));
    in->event.documents = work->refs;
    in->work = work;
    return TXN_DONE;
}

/* REQ: ITI38-home-accepted, ITI39-home-required, ITI39-home-unknown */
static struct status
check_home(struct inbound *in, const struct document_ref *ref, struct diag *diag)
{
    struct span oid;

    if (ref->home.n == 0) {
        return FAIL(diag, ERR_MISSING_COMMUNITY, "the DocumentRequest has no HomeCommunityId");
    }
    if (!home_community_oid(ref->home, &oid) || !span_eq_cstr(oid, in->node->config->community)) {
        return FAIL(diag, ERR_UNKNOWN_COMMUNITY, "the DocumentRequest is for '%.*s', not '%s'",
                    SPAN_PRINT(ref->home), in->node->config->community);
    }
    return OK;
}

/* May these bytes be in the answer? */
static struct status
check_document(struct inbound *in, const struct iti39_work *work,
               const struct document_entry *entry, const struct body *body, struct diag *diag)
{
    const uint64_t limit = in->node->config->documents_limit;

    if (!inbound_may_open(in, entry->patient_id)) {
        return FAIL(diag, ERR_UNKNOWN_DOCUMENT, "withheld: not of the id_token's individual");
    }
    if (!inbound_may_disclose(in, entry)) {
        return FAIL(diag, ERR_UNKNOWN_DOCUMENT, "withheld: rule '%s'", in->decision.rule);
    }
    if (body_memory(body) > DOCUMENTS_LIMIT - work->memory || work->bytes > limit ||
        body->size > limit - work->bytes) {
        return FAIL(
            diag, ERR_LIMIT_BUFFER,
            "one answer has at most %llu bytes of documents (limits.documents), %zu of them "
            "in memory",
            (unsigned long long)limit, DOCUMENTS_LIMIT);
    }
    return OK;
}

/* What an on-demand document gives is a snapshot, which is registered under a name of its own (ITI
 * TF-2 3.43.4.2.2). */
/* REQ: ITI39-on-demand, ITI39-snapshot */
static void
take_entry(struct retrieved_document *document, const struct document_entry *entry)
{
    document->mime_type = entry->mime_type;
    document->patient_id = entry->patient_id;
    if (!span_eq(entry->unique_id, document->ref.unique_id)) {
        document->new_unique_id = entry->unique_id;
        document->new_repository = document->ref.repository;
    }
}

/* One document; on failure *document holds no bytes. */
/* REQ: ITI39-retrieve */
static struct status
fetch(struct inbound *in, const struct iti39_work *work, const struct document_ref *ref,
      struct diag *diag, enum answer *ret_answer, struct retrieved_document *document)
{
    struct document_entry entry = {0};
    struct status st;

    if (txn_is_overdue(&in->txn)) {
        return FAIL(diag, ERR_DEADLINE, "the time of this request is over");
    }
    TRY(check_home(in, ref, diag));
    TRY(store_retrieve(in->node->store, ref, &in->txn.park, in->txn.arena, diag, ret_answer, &entry,
                       &document->body));
    if (*ret_answer == ANSWER_LATER) {
        return OK;
    }
    st = check_document(in, work, &entry, &document->body, diag);
    if (!is_ok(st)) {
        body_done(&document->body);
        body_init(&document->body);
        return st;
    }
    document->ref = *ref;
    take_entry(document, &entry);
    return OK;
}

/* Codes of a registry have a twin for repositories (ITI TF-3 Table 4.2.4.1-2). */
struct span
iti39_error_code(enum err code)
{
    static const char *const twins[][2] = {
        {"", "XDSRepositoryError"},
        {"XDSRegistryError", "XDSRepositoryError"},
        {"XDSRegistryBusy", "XDSRepositoryBusy"},
        {"XDSRegistryOutOfResources", "XDSRepositoryOutOfResources"},
    };
    const struct span ihe = span_of_cstr(err_ihe_code(code));

    for (size_t i = 0; i < ARRAY_LEN(twins); i++) {
        if (span_eq_cstr(ihe, twins[i][0])) {
            return span_of_cstr(twins[i][1]);
        }
    }
    return ihe;
}

/* ITI TF-2 3.43.4.2.2 and 3.39.4.2: the location is our community and, where it is about one, the
 * document. */
/* REQ: ITI39-error-location */
static struct status
add_error(struct inbound *in, struct retrieve_answer *answer, struct span unique_id, enum err code)
{
    struct txn *txn = &in->txn;
    struct registry_error error = {.code = iti39_error_code(code),
                                   .context = span_of_cstr(err_public_text(code))};

    TRY(arena_printf(txn->arena, &txn->diag, &error.location, "urn:oid:%s%s%.*s",
                     in->node->config->community, unique_id.n > 0 ? " " : "",
                     SPAN_PRINT(unique_id)));
    return ARENA_PUSH(txn->arena, &txn->diag, &answer->errors, error);
}

static struct status
note_failed(struct inbound *in, struct iti39_work *work, const struct document_ref *ref,
            const struct diag *why)
{
    struct txn *txn = &in->txn;

    if (in->shortfall.code == ERR_NONE) {
        in->shortfall = *why;
    }
    TRY(add_error(in, &work->answer, ref->unique_id, why->code));
    return ARENA_PUSH(txn->arena, &txn->diag, &work->failed, *ref);
}

/* Takes the document's bytes, also on failure. */
/* REQ: ITI39-ids-echoed */
static struct status
note_given(struct inbound *in, struct iti39_work *work, struct retrieved_document *document)
{
    struct txn *txn = &in->txn;
    const struct status st = ARENA_PUSH(txn->arena, &txn->diag, &work->answer.documents, *document);

    if (!is_ok(st)) {
        body_done(&document->body);
        return st;
    }
    work->bytes += document->body.size;
    work->memory += body_memory(&document->body);
    TRY(ARENA_PUSH(txn->arena, &txn->diag, &in->owners, document->patient_id));
    return ARENA_PUSH(txn->arena, &txn->diag, &work->given, document->ref);
}

static enum txn_verdict
fetch_next(struct inbound *in, struct iti39_work *work)
{
    struct txn *txn = &in->txn;
    const struct document_ref *ref = &work->refs.items[work->at];
    struct retrieved_document document = {0};
    struct diag why = {0};
    enum answer answer = ANSWER_NOW;
    enum txn_verdict verdict;
    struct status st;

    body_init(&document.body);
    txn_expect(txn);
    st = fetch(in, work, ref, &why, &answer, &document);
    verdict = txn_settle(txn, st, answer);
    if (verdict == TXN_WAIT) {
        return TXN_WAIT;
    }
    work->at++;
    TXN_TRY(verdict == TXN_DONE ? note_given(in, work, &document)
                                : note_failed(in, work, ref, &why));
    return TXN_DONE;
}

/* ---- with other sources than the store ---- */

/* What names no community is answered here; what names another's, by the merge. */
static struct status
take_own(struct inbound *in, struct iti39_work *work, const struct document_ref *ref,
         struct document_ref_list *own)
{
    struct txn *txn = &in->txn;
    struct diag why = {0};
    struct span oid;

    if (ref->home.n == 0) {
        (void)check_home(in, ref, &why);
        return note_failed(in, work, ref, &why);
    }
    TRY(ARENA_PUSH(txn->arena, &txn->diag, &work->homed, *ref));
    if (home_community_oid(ref->home, &oid) && config_is_own_community(in->node->config, oid) &&
        brokered_may_see(in, oid)) {
        return ARENA_PUSH(txn->arena, &txn->diag, own, *ref);
    }
    return OK;
}

static struct status
begin_brokered(struct inbound *in, struct iti39_work *work)
{
    struct document_ref_list own = {0};
    struct brokered *brokered;

    for (size_t i = 0; i < work->refs.n; i++) {
        TRY(take_own(in, work, &work->refs.items[i], &own));
    }
    TRY(brokered_begin(in, &brokered));
    brokered->order.goal = ASKING_RETRIEVE;
    brokered->order.documents = own;
    return OK;
}

static enum txn_verdict
ask_sources(struct inbound *in, struct iti39_work *work)
{
    if (in->brokered == NULL) {
        TXN_TRY(begin_brokered(in, work));
    }
    return brokered_ask(in->brokered);
}

/* The merged lists live as long as the asking; the bytes are ours to release. */
static struct status
take_merged(struct inbound *in, struct iti39_work *work)
{
    struct awaited *awaited = &in->brokered->awaited;
    struct txn *txn = &in->txn;
    struct retrieve_answer merged;
    struct document_ref_list came = {0};
    struct status st = OK;

    TRY(merge_retrieve(asking_merged(awaited->asking), &work->homed, MERGE_LOCATION_FULL,
                       &txn->diag, &merged));
    for (size_t i = 0; i < merged.documents.n; i++) {
        struct retrieved_document *document = &merged.documents.items[i];
        const size_t given = work->answer.documents.n;

        if (document->patient_id.n == 0) {
            document->patient_id = asking_owner_of(awaited->asking, &document->ref);
        }
        st = is_ok(st) ? ARENA_PUSH(txn->arena, &txn->diag, &came, document->ref) : st;
        st = is_ok(st) ? note_given(in, work, document) : st;
        if (work->answer.documents.n > given) {
            body_init(&document->body); /* the answer's now */
        }
    }
    retrieve_answer_done(&merged);
    TRY(st);
    brokered_own_errors(&merged.errors, "XDSRepositoryError");
    for (size_t i = 0; i < merged.errors.n; i++) {
        TRY(ARENA_PUSH(txn->arena, &txn->diag, &work->answer.errors, merged.errors.items[i]));
    }
    for (size_t i = 0; i < work->homed.n; i++) {
        if (!document_ref_is_among(&work->homed.items[i], &came)) {
            TRY(ARENA_PUSH(txn->arena, &txn->diag, &work->failed, work->homed.items[i]));
        }
    }
    return OK;
}

/* Why the first document did not come: the leg's reason, or that nobody was asked for it. */
static void
note_reason(struct inbound *in, const struct iti39_work *work)
{
    const struct leg_list *legs = &in->brokered->awaited.asking->legs[2];

    for (size_t i = 0; i < legs->n && in->shortfall.code == ERR_NONE; i++) {
        in->shortfall = legs->items[i].diag;
    }
    if (in->shortfall.code == ERR_NONE && work->failed.n > 0) {
        (void)FAIL(&in->shortfall, ERR_UNKNOWN_COMMUNITY,
                   "the DocumentRequest is for no community of this node");
    }
}

static enum txn_verdict
fetch_all(struct inbound *in)
{
    struct iti39_work *work = in->work;

    if (brokered_is_needed(in)) {
        return ask_sources(in, work);
    }
    if (txn_is_due(&in->txn)) {
        return TXN_WAIT;
    }
    while (work->at < work->refs.n) {
        const enum txn_verdict verdict = fetch_next(in, work);

        if (verdict != TXN_DONE) {
            return verdict;
        }
    }
    return TXN_DONE;
}

struct status
iti39_add_parts(struct inbound *in, const struct retrieve_answer *answer)
{
    struct txn *txn = &in->txn;
    struct mtom_part *parts;

    TRY(ARENA_ARRAY(txn->arena, answer->documents.n + 1, &txn->diag, &parts));
    for (size_t i = 0; i < answer->documents.n; i++) {
        const struct retrieved_document *document = &answer->documents.items[i];

        parts[i] = (struct mtom_part){document->content_id, document->mime_type, &document->body};
    }
    in->parts = parts;
    in->parts_n = answer->documents.n;
    return OK;
}

/* Success and failure are separate events (ITI TF-2 3.43.5.1). */
static struct status
note_documents(struct inbound *in, const struct iti39_work *work)
{
    struct txn *txn = &in->txn;
    struct audit_event *failure;

    in->outcomes[0].documents = work->given;
    if (work->failed.n == 0) {
        return OK;
    }
    failure = work->given.n == 0 ? &in->outcomes[0] : &in->outcomes[in->outcomes_n++];
    *failure = in->event;
    failure->documents = work->failed;
    failure->outcome = records_outcome(in->shortfall.code);
    return arena_printf(txn->arena, &txn->diag, &failure->outcome_text,
                        "%zu of %zu documents not given, the first because %s: %s", work->failed.n,
                        work->refs.n, err_name(in->shortfall.code), in->shortfall.text);
}

/* For partners whose stack takes the location of an ITI-39 error for a homeCommunityId and nothing
 * else: the document's uniqueId moves into the codeContext. */
static struct status
shorten_location(struct inbound *in, struct registry_error *error)
{
    struct span rest = error->location, community;

    if (!span_split(&rest, ' ', &community) || rest.n == 0) {
        return OK;
    }
    error->location = community;
    return arena_printf(in->txn.arena, &in->txn.diag, &error->context, "%.*s: %.*s",
                        SPAN_PRINT(error->context), SPAN_PRINT(rest));
}

static struct status
shorten_locations(struct inbound *in, struct registry_error_list *errors)
{
    if (in->proof.partner == NULL || !in->proof.partner->wants_short_location) {
        return OK;
    }
    for (size_t i = 0; i < errors->n; i++) {
        TRY(shorten_location(in, &errors->items[i]));
    }
    return OK;
}

/* REQ: ITI39-partial-success */
static enum txn_verdict
write_answer(struct inbound *in)
{
    struct txn *txn = &in->txn;
    struct iti39_work *work = in->work;
    if (in->brokered != NULL) {
        TXN_TRY(take_merged(in, work));
        note_reason(in, work);
    }
    work->answer.status = work->failed.n == 0             ? REGISTRY_SUCCESS
                          : work->answer.documents.n == 0 ? REGISTRY_FAILURE
                                                          : REGISTRY_PARTIAL_SUCCESS;
    TXN_TRY(shorten_locations(in, &work->answer.errors));
    TXN_TRY(retrieve_answer_write(&work->answer, txn->arena, &in->payload, &txn->diag));
    TXN_TRY(iti39_add_parts(in, &work->answer));
    TXN_TRY(note_documents(in, work));
    return TXN_DONE;
}

static struct status
refuse(struct inbound *in, enum err code)
{
    struct txn *txn = &in->txn;
    struct retrieve_answer answer = {.status = REGISTRY_FAILURE};

    TRY(add_error(in, &answer, SPAN_EMPTY, code));
    return retrieve_answer_write(&answer, txn->arena, &in->payload, &txn->diag);
}

const struct responder iti39_responder = {AUDIT_ITI_39, read_query, fetch_all, write_answer,
                                          refuse};

/* ---- Initiating Gateway ---- */

static bool
is_same_community(struct span a, struct span b)
{
    struct span oid_a, oid_b;

    return home_community_oid(a, &oid_a) && home_community_oid(b, &oid_b) && span_eq(oid_a, oid_b);
}

/* What we asked for under the name that a document came with: NULL when nothing. A home that is
 * there must be the one that was asked (ITI TF-2 3.43.5: answers echo the request). */
static const struct document_ref *
asked_as(const struct leg *leg, const struct document_ref *came)
{
    for (size_t i = 0; i < leg->refs.n; i++) {
        const struct document_ref *asked = &leg->refs.items[i];

        if (dialect_is_same_id(leg, asked->unique_id, came->unique_id) &&
            span_eq(asked->repository, came->repository) &&
            (came->home.n == 0 || is_same_community(asked->home, came->home))) {
            return asked;
        }
    }
    return NULL;
}

/* Takes the bytes of a document that was asked for and has not come yet; its name is ours. */
/* REQ: ITI38-delayed-assembly */
static struct status
take_document(struct asking *asking, struct leg *leg, struct retrieved_document *document)
{
    const struct document_ref *asked = asked_as(leg, &document->ref);
    struct retrieved_document taken = *document;

    if (document->ref.home.n > 0 && !leg_may_name(asking, leg, document->ref.home)) {
        return OK;
    }
    if (asked == NULL) {
        leg_drop(asking, leg, "gave a document that was not asked for");
        return OK;
    }
    if (leg_has_document(leg, asked)) {
        leg_drop(asking, leg, "gave a document twice");
        return OK;
    }
    taken.ref = *asked;
    TRY(ARENA_PUSH(leg->arena, &leg->diag, &leg->retrieved, taken));
    body_init(&document->body); /* the leg's now */
    return OK;
}

/* Are all documents here? If not, why: the first RegistryError, or what we did not use. */
/* REQ: ITI39-complete */
static struct status
check_complete(struct leg *leg)
{
    struct span code;

    if (leg->retrieved.n == leg->refs.n) {
        return OK;
    }
    TRY(leg_first_error(leg, &code));
    if (leg->dropped > 0) {
        code = span_of_cstr(leg->dropped_why);
    }
    (void)FAIL(&leg->diag, ERR_PARTNER_REFUSED, "%s gave %zu of %zu documents: %.*s",
               leg->partner == NULL ? "our own store" : leg->partner->id, leg->retrieved.n,
               leg->refs.n, SPAN_PRINT(code));
    return leg->retrieved.n == 0 ? (struct status){leg->diag.code} : OK;
}

struct status
iti39_answer(struct asking *asking, struct leg *leg, const struct message *message)
{
    struct retrieve_answer *answer;

    TRY(ARENA_NEW(leg->arena, &leg->diag, &answer));
    TRY(retrieve_answer_read(message, leg->arena, &leg->diag, answer));
    TRY(arena_defer(leg->arena, release_answer, answer, &leg->diag));
    leg->status = answer->status;
    leg->errors = answer->errors;
    for (size_t i = 0; i < answer->documents.n; i++) {
        TRY(take_document(asking, leg, &answer->documents.items[i]));
    }
    return check_complete(leg);
}

/* One document of our own store; a failure is that document's. */
static struct status
fetch_own(struct asking *asking, struct leg *leg, enum answer *ret_answer,
          struct retrieved_document *document, struct diag *why)
{
    struct document_entry entry = {0};

    TRY(store_retrieve(asking->node->store, &document->ref, &asking->txn.park, leg->arena, why,
                       ret_answer, &entry, &document->body));
    if (*ret_answer == ANSWER_NOW && !leg_may_disclose(asking, leg, &entry.confidentiality)) {
        body_done(&document->body);
        return FAIL(why, ERR_UNKNOWN_DOCUMENT, "withheld: rule '%s'", leg->decision.rule);
    }
    if (*ret_answer == ANSWER_NOW && !leg_may_open(asking, entry.patient_id)) {
        body_done(&document->body);
        return FAIL(why, ERR_UNKNOWN_DOCUMENT, "withheld: not of the id_token's individual");
    }
    take_entry(document, &entry);
    return OK;
}

struct status
iti39_ask_store(struct asking *asking, struct leg *leg, enum answer *ret_answer)
{
    while (leg->at < leg->refs.n) {
        struct retrieved_document document = {.ref = leg->refs.items[leg->at]};
        struct registry_error error = {.code = SPAN_EMPTY};
        struct diag why = {0};
        struct status st;

        body_init(&document.body);
        st = fetch_own(asking, leg, ret_answer, &document, &why);
        if (is_ok(st) && *ret_answer == ANSWER_LATER) {
            return OK;
        }
        leg->at++;
        if (is_ok(st)) {
            st = ARENA_PUSH(leg->arena, &leg->diag, &leg->retrieved, document);
            if (!is_ok(st)) {
                body_done(&document.body);
                return st;
            }
            continue;
        }
        error.code = iti39_error_code(why.code);
        error.location = document.ref.unique_id;
        TRY(arena_dup(leg->arena, span_of_cstr(why.text), &leg->diag, &error.context));
        TRY(ARENA_PUSH(leg->arena, &leg->diag, &leg->errors, error));
    }
    return check_complete(leg);
}
