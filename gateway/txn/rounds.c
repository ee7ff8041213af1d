/*
 * Whom a round asks: from the order, or from what the round before found; and what the last round
 * brought. Called by asking.c's steps; pure but for the arena.
 */
#include <string.h>

#include "base/ids.h"
#include "base/mem.h"
#include "txn/asking.h"

static bool
is_wanted(const struct asking *asking, struct span community)
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

/* One discovery reaches all communities that a partner speaks for; a query is about one. Partners
 * that do not offer the transaction are asked only when the order names them, and fail then. */
static struct status
plan_partner(struct asking *asking, enum soap_transaction transaction,
             const struct partner *partner)
{
    struct leg *leg;

    if (asking->order.to.n == 0 && leg_url(partner, transaction) == NULL) {
        return OK;
    }
    for (size_t i = 0; i < partner->communities.n; i++) {
        const struct span community = span_of_cstr(partner->communities.items[i]);

        if (!is_wanted(asking, community)) {
            continue;
        }
        TRY(asking_add_leg(asking, transaction, partner, community, &leg));
        leg->patient_id = asking->order.patient_id;
        if (transaction == SOAP_ITI_55) {
            break;
        }
    }
    return OK;
}

/* A leg to our own store and to every partner that the order wants. */
static struct status
plan_everyone(struct asking *asking, enum soap_transaction transaction)
{
    const struct config *config = asking->node->config;
    const struct span own = span_of_cstr(config->community);
    struct leg *leg;

    if (asking->node->store != NULL && is_wanted(asking, own)) {
        TRY(asking_add_leg(asking, transaction, NULL, own, &leg));
        leg->patient_id = asking->order.patient_id;
    }
    for (size_t i = 0; i < config->partners_n; i++) {
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

/* The leg of this round that asks <partner> for documents of <community> and has room; NULL when
 * there is none. */
static struct leg *
leg_with_room(struct asking *asking, const struct partner *partner, struct span community)
{
    struct leg_list *legs = &asking->legs[asking->round];

    for (size_t i = 0; i < legs->n; i++) {
        struct leg *leg = &legs->items[i];

        if (leg->partner == partner && span_eq(leg->community, community) &&
            leg->refs.n < refs_per_leg(partner)) {
            return leg;
        }
    }
    return NULL;
}

/* Each document is asked for once. <patient>: whose it is, when we know. */
static struct status
plan_document(struct asking *asking, const struct partner *partner, struct span community,
              const struct patient *patient, const struct document_ref *ref)
{
    struct txn *txn = &asking->txn;
    struct leg *leg;

    if (is_planned(asking, partner, ref)) {
        return OK;
    }
    leg = leg_with_room(asking, partner, community);
    if (leg == NULL) {
        TRY(asking_add_leg(asking, SOAP_ITI_39, partner, community, &leg));
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

        for (size_t d = 0; found->state == LEG_ANSWERED && d < found->objects.documents.n; d++) {
            const struct document_entry *entry = &found->objects.documents.items[d];
            const struct document_ref ref = {entry->home, entry->repository, entry->unique_id};

            TRY(plan_document(asking, found->partner, found->community, &found->patient, &ref));
        }
    }
    return OK;
}

/* asking_start has seen to it that each home is ours or a partner's. */
static struct status
plan_retrieve_of_order(struct asking *asking)
{
    const struct config *config = asking->node->config;

    for (size_t i = 0; i < asking->order.documents.n; i++) {
        const struct document_ref *ref = &asking->order.documents.items[i];
        struct span oid = SPAN_EMPTY;

        (void)home_community_oid(ref->home, &oid);
        TRY(plan_document(asking, config_partner_of_community(config, oid), oid, NULL, ref));
    }
    return OK;
}

/* asking_new has seen to it that there is one community, and that it is ours or a partner's. */
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
        return plan_everyone(asking, SOAP_ITI_55);
    case 1:
        return is_gather ? plan_query_of_matches(asking) : plan_everyone(asking, SOAP_ITI_38);
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
