/*
 * Whom a round asks: from the order, or from what the round before found; and what the last round
 * brought. Called by asking.c's steps; pure but for the arena.
 */
#include <string.h>

#include "base/ids.h"
#include "base/mem.h"
#include "txn/asking.h"
#include "txn/sources.h"

bool
rounds_want(const struct asking *asking, struct span community)
{
    const struct span_list *to = &asking->order.to;

    if (to->n == 0) {
        return true;
    }
    for (size_t i = 0; i < to->n; i++) {
        if (span_eq(to->items[i], community)) {
            return true;
        }
    }
    return false;
}

static enum soap_transaction
mode_of(const struct asking *asking, enum soap_transaction transaction,
        const struct partner *partner)
{
    return transaction == SOAP_ITI_55 && asking->order.is_deferred && partner->is_deferred &&
                   asking->node->store != NULL && asking->node->config->base_url != NULL
               ? SOAP_ITI_55_DEFERRED
               : transaction;
}

/* One discovery reaches all communities that a partner speaks for; a query is about one. Partners
 * that do not offer the transaction are asked only when the order names them, and fail then. */
static struct status
plan_partner(struct asking *asking, enum soap_transaction transaction,
             const struct partner *partner)
{
    const enum soap_transaction mode = mode_of(asking, transaction, partner);
    struct leg *leg;

    if (asking->order.to.n == 0 && leg_url(partner, transaction) == NULL) {
        return OK;
    }
    for (size_t i = 0; i < partner->communities.n; i++) {
        const struct span community = span_of_cstr(partner->communities.items[i]);

        if (!rounds_want(asking, community)) {
            continue;
        }
        TRY(asking_add_leg(asking, mode, partner, community, &leg));
        leg->patient_id = asking->order.patient_id;
        if (transaction == SOAP_ITI_55) {
            break;
        }
    }
    return OK;
}

/* A leg to our own store, to every source and to every partner that the order wants. Who is known
 * in ITI-55 is our own store's to say. */
static struct status
plan_everyone(struct asking *asking, enum soap_transaction transaction)
{
    const struct config *config = asking->node->config;
    const struct span own = span_of_cstr(config->community);
    struct leg *leg;

    if (asking->node->store != NULL && rounds_want(asking, own) &&
        (config->asks_store || transaction == SOAP_ITI_55)) {
        TRY(asking_add_leg(asking, transaction, NULL, own, &leg));
        leg->patient_id = asking->order.patient_id;
    }
    if (transaction == SOAP_ITI_38) {
        TRY(sources_plan_query(asking, &asking->order.patient_id, NULL));
    }
    for (size_t i = 0; i < config->partners_n && !asking->order.is_own_only; i++) {
        TRY(plan_partner(asking, transaction, &config->partners[i]));
    }
    return OK;
}

/* Several candidates in one community: which of them is meant is not ours to guess. */
static bool
is_only_match(const struct leg *found, size_t at)
{
    for (size_t i = 0; i < found->matches.n; i++) {
        if (i != at && span_eq(found->matches.items[i].home, found->matches.items[at].home)) {
            return false;
        }
    }
    return true;
}

static struct status
plan_query_of_matches(struct asking *asking)
{
    const struct leg_list *discovered = &asking->legs[0];

    for (size_t i = 0; i < discovered->n; i++) {
        const struct leg *found = &discovered->items[i];

        for (size_t m = 0; m < found->matches.n; m++) {
            const struct xcpd_match *match = &found->matches.items[m];
            struct leg *leg;

            if (found->state != LEG_ANSWERED || match->patient.ids.n == 0 ||
                !is_only_match(found, m)) {
                continue;
            }
            if (found->partner == NULL) {
                TRY(sources_plan_query(asking, &match->patient.ids.items[0], &match->patient));
            }
            if (found->partner == NULL && !asking->node->config->asks_store) {
                continue;
            }
            TRY(asking_add_leg(asking, SOAP_ITI_38, found->partner, match->home, &leg));
            leg->patient_id = match->patient.ids.items[0];
            leg->patient = match->patient;
        }
    }
    return OK;
}

/* Documents that one question names at most: what comes back must fit one answer. */
#define REFS_PER_LEG ((size_t)256)

static size_t
refs_per_leg(const struct partner *partner)
{
    return partner == NULL || partner->limits.documents == 0 ? REFS_PER_LEG
                                                             : partner->limits.documents;
}

/* Where a document is asked for. */
struct place {
    const struct partner *partner;              /* NULL: our own store */
    const struct config_repository *repository; /* of a source */
    struct span community;
    const struct diag *why; /* it is not asked for, because; NULL: it is */
};

static bool
is_planned(const struct asking *asking, const struct partner *partner,
           const struct document_ref *ref)
{
    const struct leg_list *legs = &asking->legs[asking->round];

    for (size_t i = 0; i < legs->n; i++) {
        const struct leg *leg = &legs->items[i];

        if (leg->partner == partner && document_ref_is_among(ref, &leg->refs)) {
            return true;
        }
    }
    return false;
}

/* The leg of this round for that place that has room; NULL when there is none. */
/* REQ: ITI39-split */
static struct leg *
leg_with_room(struct asking *asking, const struct place *place)
{
    const enum err code = place->why == NULL ? ERR_NONE : place->why->code;
    struct leg_list *legs = &asking->legs[asking->round];

    for (size_t i = 0; i < legs->n; i++) {
        struct leg *leg = &legs->items[i];

        if (leg->partner == place->partner && leg->repository == place->repository &&
            span_eq(leg->community, place->community) && leg->diag.code == code &&
            leg->refs.n < refs_per_leg(place->partner)) {
            return leg;
        }
    }
    return NULL;
}

static struct status
add_retrieve_leg(struct asking *asking, const struct place *place, struct leg **ret_leg)
{
    const bool is_source = place->partner != NULL && place->partner->source != NULL;
    struct leg *leg;

    TRY(asking_add_leg(asking, is_source ? SOAP_ITI_43 : SOAP_ITI_39, place->partner,
                       place->community, &leg));
    leg->repository = place->repository;
    if (place->why != NULL) {
        leg->diag = *place->why;
    }
    *ret_leg = leg;
    return OK;
}

/* Each document is asked for once. <patient>: whose it is, when we know. */
/* REQ: ITI39-several, ITI43-routing */
static struct status
plan_document(struct asking *asking, const struct place *place, const struct patient *patient,
              const struct document_ref *ref)
{
    struct txn *txn = &asking->txn;
    struct leg *leg;

    if (is_planned(asking, place->partner, ref)) {
        return OK;
    }
    leg = leg_with_room(asking, place);
    if (leg == NULL) {
        TRY(add_retrieve_leg(asking, place, &leg));
        if (patient != NULL) {
            leg->patient = *patient;
        }
    }
    return ARENA_PUSH(txn->arena, &txn->diag, &leg->refs, *ref);
}

static struct status
plan_retrieve_of_entries(struct asking *asking)
{
    const struct leg_list *queried = &asking->legs[1];

    for (size_t i = 0; i < queried->n; i++) {
        const struct leg *found = &queried->items[i];
        struct place place = {.partner = found->partner, .community = found->community};

        for (size_t d = 0; found->state == LEG_ANSWERED && d < found->objects.documents.n; d++) {
            const struct document_entry *entry = &found->objects.documents.items[d];
            const struct document_ref ref = {entry->home, entry->repository, entry->unique_id};

            if (found->partner != NULL && found->partner->source != NULL) {
                place.repository =
                    config_source_repository(found->partner->source, entry->repository);
            }
            TRY(plan_document(asking, &place, &found->patient, &ref));
        }
    }
    return OK;
}

/* Which of our sources: the embedded store for what no other has, when it is one. */
static void
place_own(const struct asking *asking, const struct document_ref *ref, struct diag *why,
          struct place *place)
{
    const struct config *config = asking->node->config;
    const struct config_source *source = config_source_of_repository(config, ref->repository);

    if (source != NULL && span_eq_cstr(place->community, source->community)) {
        place->partner = source->partner;
        place->repository = config_source_repository(source, ref->repository);
        place->why = sources_judge(asking, ref, source, why);
    } else if (!span_eq_cstr(place->community, config->community) || !config->asks_store ||
               asking->node->store == NULL) {
        (void)FAIL(why, ERR_UNKNOWN_REPOSITORY, "no source of the community has the repository");
        place->why = why;
    }
}

/* asking_start has seen to it that each home is ours or a partner's. */
static struct status
plan_retrieve_of_order(struct asking *asking)
{
    const struct config *config = asking->node->config;

    for (size_t i = 0; i < asking->order.documents.n; i++) {
        const struct document_ref *ref = &asking->order.documents.items[i];
        struct place place = {0};
        struct diag why = {0};

        (void)home_community_oid(ref->home, &place.community);
        if (config_is_own_community(config, place.community)) {
            place_own(asking, ref, &why, &place);
        } else {
            place.partner = config_partner_of_community(config, place.community);
        }
        TRY(plan_document(asking, &place, NULL, ref));
    }
    return OK;
}

/* asking_new has seen to it that there is one community: a partner's, or that of our store. */
static struct status
plan_provide(struct asking *asking)
{
    const struct span community = asking->order.to.items[0];
    struct leg *leg;

    return asking_add_leg(asking, SOAP_ITI_80,
                          config_partner_of_community(asking->node->config, community), community,
                          &leg);
}

enum soap_transaction
rounds_transaction(const struct asking *asking)
{
    static const enum soap_transaction by_round[ASKING_ROUNDS] = {SOAP_ITI_55, SOAP_ITI_38,
                                                                  SOAP_ITI_39, SOAP_ITI_80};

    return by_round[asking->round];
}

struct status
rounds_plan(struct asking *asking)
{
    const bool is_gather = asking->order.goal == ASKING_GATHER;

    switch (asking->round) {
    case 0:
        return asking->order.collect.n > 0 ? asking_plan_collect(asking)
                                           : plan_everyone(asking, SOAP_ITI_55);
    case 1:
        return is_gather                               ? plan_query_of_matches(asking)
               : asking->order.goal == ASKING_RETRIEVE ? sources_plan_metadata(asking)
                                                       : plan_everyone(asking, SOAP_ITI_38);
    case 3:
        return plan_provide(asking);
    default:
        return is_gather ? plan_retrieve_of_entries(asking) : plan_retrieve_of_order(asking);
    }
}

/* ---- what came ---- */

static const struct document_entry *
entry_of(const struct asking *asking, const struct leg *leg, const struct document_ref *ref)
{
    for (size_t i = 0; i < asking->legs[1].n; i++) {
        const struct leg *queried = &asking->legs[1].items[i];

        for (size_t d = 0; queried->partner == leg->partner && d < queried->objects.documents.n;
             d++) {
            const struct document_entry *entry = &queried->objects.documents.items[d];

            if (span_eq(entry->unique_id, ref->unique_id) &&
                span_eq(entry->repository, ref->repository) && span_eq(entry->home, ref->home)) {
                return entry;
            }
        }
    }
    return NULL;
}

/* SHA-1 of no bytes: what metadata says of a document that is made when it is retrieved (ITI
 * TF-2 3.38.4.1.3, Delayed Document Assembly); no claim about its bytes. */
#define HASH_OF_NOTHING "da39a3ee5e6b4b0d3255bfef95601890afd80709"

struct digests {
    struct digest_stream *sha256, *sha1; /* sha1 NULL: its hash says nothing */
};

static struct status
digest_piece(void *arg, struct span piece, struct diag *diag)
{
    const struct digests *digests = arg;

    TRY(digest_stream_add(digests->sha256, piece, diag));
    return digests->sha1 == NULL ? OK : digest_stream_add(digests->sha1, piece, diag);
}

static struct status
digest_document(struct asking *asking, struct asking_document *document)
{
    struct diag *diag = &asking->txn.diag;
    CLEANUP(digest_stream_free_p) struct digest_stream *sha256 = NULL;
    CLEANUP(digest_stream_free_p) struct digest_stream *sha1 = NULL;
    const struct span hash = document->entry.hash;
    struct digests digests;
    char hex[SHA256_HEX];

    TRY(digest_stream_new(DIGEST_SHA256, diag, &sha256));
    if (hash.n > 0 && !span_eq_nocase(hash, SPAN(HASH_OF_NOTHING))) {
        TRY(digest_stream_new(DIGEST_SHA1, diag, &sha1));
    }
    digests = (struct digests){sha256, sha1};
    TRY(body_each(&document->body, digest_piece, &digests, diag));
    TRY(digest_stream_end_hex(sha256, diag, document->sha256));
    if (sha1 != NULL) {
        TRY(digest_stream_end_hex(sha1, diag, hex));
        document->is_hash_wrong = !span_eq_nocase(hash, span_of_cstr(hex));
    }
    return OK;
}

static size_t
first_with_equal_bytes(const struct asking *asking, const char *sha256)
{
    for (size_t i = 0; i < asking->documents.n; i++) {
        if (strcmp(asking->documents.items[i].sha256, sha256) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static struct status
collect(struct asking *asking, struct leg *leg, struct retrieved_document *retrieved)
{
    struct txn *txn = &asking->txn;
    struct asking_document document = {
        .ref = retrieved->ref, .mime_type = retrieved->mime_type, .partner = leg->partner};
    const struct document_entry *entry = entry_of(asking, leg, &retrieved->ref);

    if (entry != NULL) {
        document.entry = *entry;
    }
    document.body = retrieved->body;
    TRY(digest_document(asking, &document));
    document.duplicate_of = first_with_equal_bytes(asking, document.sha256);
    TRY(ARENA_PUSH(txn->arena, &txn->diag, &asking->documents, document));
    body_init(&retrieved->body); /* the collection owns it now */
    return OK;
}

struct status
rounds_collect(struct asking *asking)
{
    struct leg_list *legs = &asking->legs[2];

    for (size_t i = 0; i < legs->n; i++) {
        for (size_t d = 0; legs->items[i].state == LEG_ANSWERED && d < legs->items[i].retrieved.n;
             d++) {
            TRY(collect(asking, &legs->items[i], &legs->items[i].retrieved.items[d]));
        }
    }
    return OK;
}
