/*
 * Whom a round asks: from the order, or from what the round before found; and what the last round
 * brought. Called by asking.c's steps; pure but for the arena.
 */
#include <string.h>

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

/* The first community of a partner that the order wants; empty when none. */
static struct span
wanted_community(const struct asking *asking, const struct partner *partner)
{
    for (size_t i = 0; i < partner->communities.n; i++) {
        const struct span community = span_of_cstr(partner->communities.items[i]);

        if (is_wanted(asking, community)) {
            return community;
        }
    }
    return SPAN_EMPTY;
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
        const struct span community = wanted_community(asking, &config->partners[i]);

        if (community.n == 0) {
            continue;
        }
        TRY(asking_add_leg(asking, transaction, &config->partners[i], community, &leg));
        leg->patient_id = asking->order.patient_id;
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

static struct status
plan_retrieve_of_entries(struct asking *asking)
{
    struct txn *txn = &asking->txn;
    const struct leg_list *queried = &asking->legs[1];

    for (size_t i = 0; i < queried->n; i++) {
        const struct leg *found = &queried->items[i];
        struct leg *leg;

        if (found->state != LEG_ANSWERED || found->documents.n == 0) {
            continue;
        }
        TRY(asking_add_leg(asking, SOAP_ITI_39, found->partner, found->community, &leg));
        leg->patient = found->patient;
        for (size_t d = 0; d < found->documents.n; d++) {
            const struct document_entry *entry = &found->documents.items[d];
            const struct document_ref ref = {entry->home, entry->repository, entry->unique_id};

            TRY(ARENA_PUSH(txn->arena, &txn->diag, &leg->refs, ref));
        }
    }
    return OK;
}

static struct status
leg_for_community(struct asking *asking, struct span oid, struct leg **ret_leg)
{
    struct leg_list *legs = &asking->legs[asking->round];
    const struct partner *partner = config_partner_of_community(asking->node->config, oid);

    for (size_t i = 0; i < legs->n; i++) {
        if (legs->items[i].partner == partner) {
            *ret_leg = &legs->items[i];
            return OK;
        }
    }
    if (partner == NULL && !span_eq_cstr(oid, asking->node->config->community)) {
        return FAIL(&asking->txn.diag, ERR_USAGE,
                    "community '%.*s' is neither ours nor a partner's; isthmus partners lists them",
                    SPAN_PRINT(oid));
    }
    return asking_add_leg(asking, SOAP_ITI_39, partner, oid, ret_leg);
}

static struct status
plan_retrieve_of_order(struct asking *asking)
{
    struct txn *txn = &asking->txn;

    for (size_t i = 0; i < asking->order.documents.n; i++) {
        const struct document_ref *ref = &asking->order.documents.items[i];
        struct leg *leg;
        struct span oid;

        if (!home_community_oid(ref->home, &oid)) {
            return FAIL(&txn->diag, ERR_USAGE, "'%.*s' is not a homeCommunityId",
                        SPAN_PRINT(ref->home));
        }
        TRY(leg_for_community(asking, oid, &leg));
        TRY(ARENA_PUSH(txn->arena, &txn->diag, &leg->refs, *ref));
    }
    return OK;
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

        for (size_t d = 0; queried->partner == leg->partner && d < queried->documents.n; d++) {
            const struct document_entry *entry = &queried->documents.items[d];

            if (span_eq(entry->unique_id, ref->unique_id) &&
                span_eq(entry->repository, ref->repository)) {
                return entry;
            }
        }
    }
    return NULL;
}

static struct status
digest_document(struct asking *asking, struct asking_document *document)
{
    struct diag *diag = &asking->txn.diag;
    CLEANUP(buf_done) struct buf scratch;
    char sha1[SHA1_HEX];
    struct span bytes;

    buf_init_secret(&scratch, (size_t)document->body.size + 1);
    TRY(body_span(&document->body, &scratch, diag, &bytes));
    TRY(digest_sha256_hex(bytes, diag, document->sha256));
    if (document->entry.hash.n > 0) {
        TRY(digest_sha1_hex(bytes, diag, sha1));
        document->is_hash_wrong = !span_eq_nocase(document->entry.hash, span_of_cstr(sha1));
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
    if (document.ref.home.n == 0) {
        TRY(arena_printf(txn->arena, &txn->diag, &document.ref.home, "urn:oid:%.*s",
                         SPAN_PRINT(leg->community)));
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
        for (size_t d = 0; d < legs->items[i].retrieved.n; d++) {
            TRY(collect(asking, &legs->items[i], &legs->items[i].retrieved.items[d]));
        }
    }
    return OK;
}
