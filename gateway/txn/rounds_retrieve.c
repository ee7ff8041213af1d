/*
 * The round that retrieves: which documents are asked for, where, and what they brought. Called by
 * rounds.c and asking.c's steps; pure but for the arena. A question may name thousands: nothing
 * here looks at all of them for each of them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/mem.h"
#include "txn/behind.h"
#include "txn/merge_parts.h"
#include "txn/sources.h"

/* ---- whom it asks ---- */

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

struct wanted {
    struct place place;
    struct document_ref ref;
    const struct patient *patient; /* whose it is, when we know */
};

/* What is wanted, in the order of the plan; and the same by name, to find what is wanted twice. */
struct wanted_list {
    struct wanted *items;
    size_t n, capacity;
    struct merge_item_list by_name;
};

/* Legs that have room, one for each place at most. */
struct open_legs {
    size_t *items; /* of the round */
    size_t n, capacity;
};

static struct merge_item
item_of(const struct partner *partner, const struct document_ref *ref, size_t at, size_t index)
{
    const struct span who = partner == NULL ? SPAN_EMPTY : span_of_cstr(partner->id);

    return (struct merge_item){
        .keys = {who, ref->home, ref->repository, ref->unique_id}, .at = at, .index = index};
}

static struct status
want(struct asking *asking, struct wanted_list *list, const struct wanted *wanted)
{
    struct txn *txn = &asking->txn;
    const struct merge_item item = item_of(wanted->place.partner, &wanted->ref, list->n, 0);

    TRY(ARENA_PUSH(txn->arena, &txn->diag, &list->by_name, item));
    return ARENA_PUSH(txn->arena, &txn->diag, list, *wanted);
}

static bool
has_room_for(const struct leg *leg, const struct place *place)
{
    const enum err code = place->why == NULL ? ERR_NONE : place->why->code;

    return leg->partner == place->partner && leg->repository == place->repository &&
           span_eq(leg->community, place->community) && leg->diag.code == code;
}

/* The open leg for that place; the number of open ones when there is none. */
/* REQ: ITI39-split */
static size_t
find_open(const struct asking *asking, const struct open_legs *open, const struct place *place)
{
    size_t i = 0;

    while (i < open->n &&
           !has_room_for(&asking->legs[asking->round].items[open->items[i]], place)) {
        i++;
    }
    return i;
}

static struct status
open_leg(struct asking *asking, const struct wanted *wanted, struct open_legs *open)
{
    const struct place *place = &wanted->place;
    const bool is_source = place->partner != NULL && place->partner->source != NULL &&
                           !partner_is_behind(place->partner);
    struct txn *txn = &asking->txn;
    struct leg *leg;

    TRY(asking_add_leg(asking, is_source ? SOAP_ITI_43 : SOAP_ITI_39, place->partner,
                       place->community, &leg));
    leg->repository = place->repository;
    if (place->why != NULL) {
        leg->diag = *place->why;
    }
    if (wanted->patient != NULL) {
        leg->patient = *wanted->patient;
    }
    return ARENA_PUSH(txn->arena, &txn->diag, open, asking->legs[asking->round].n - 1);
}

static struct status
plan_document(struct asking *asking, const struct wanted *wanted, struct open_legs *open)
{
    struct txn *txn = &asking->txn;
    const size_t at = find_open(asking, open, &wanted->place);
    struct leg *leg;

    if (at == open->n) {
        TRY(open_leg(asking, wanted, open));
    }
    leg = &asking->legs[asking->round].items[open->items[at]];
    TRY(ARENA_PUSH(txn->arena, &txn->diag, &leg->refs, wanted->ref));
    if (leg->refs.n >= refs_per_leg(leg->partner)) {
        open->items[at] = open->items[--open->n];
    }
    return OK;
}

/* Each document is asked for once, the first time that the plan wants it. */
/* REQ: ITI39-several, ITI43-routing */
static struct status
plan_wanted(struct asking *asking, struct wanted_list *list)
{
    struct txn *txn = &asking->txn;
    struct open_legs open = {0};
    bool *is_again;

    TRY(ARENA_ARRAY(txn->arena, list->n + 1, &txn->diag, &is_again));
    merge_sort(&list->by_name);
    for (size_t i = 1; i < list->by_name.n; i++) {
        is_again[list->by_name.items[i].at] =
            merge_same_keys(&list->by_name.items[i - 1], &list->by_name.items[i]);
    }
    for (size_t i = 0; i < list->n; i++) {
        if (!is_again[i]) {
            TRY(plan_document(asking, &list->items[i], &open));
        }
    }
    return OK;
}

static struct status
want_entries(struct asking *asking, struct wanted_list *list)
{
    const struct leg_list *queried = &asking->legs[1];

    for (size_t i = 0; i < queried->n; i++) {
        const struct leg *found = &queried->items[i];
        struct wanted wanted = {
            .place = {.partner = found->partner, .community = found->community},
            .patient = &found->patient,
        };

        for (size_t d = 0; found->state == LEG_ANSWERED && d < found->objects.documents.n; d++) {
            const struct document_entry *entry = &found->objects.documents.items[d];

            wanted.ref = (struct document_ref){entry->home, entry->repository, entry->unique_id};
            if (found->partner != NULL && found->partner->source != NULL) {
                wanted.place.repository =
                    config_source_repository(found->partner->source, entry->repository);
            }
            TRY(want(asking, list, &wanted));
        }
    }
    return OK;
}

/* REQ: DOWN-retrieve-routing */
/* Which of our sources: the embedded store for what no other has, when it is one. <why>: room for
 * a reason. */
static void
place_own(const struct asking *asking, const struct document_ref *ref, struct diag *why,
          struct place *place)
{
    const struct config *config = asking->node->config;
    const struct config_source *source = config_source_of_repository(config, ref->repository);
    const struct partner *gateway = config_gateway_of_community(config, place->community);

    if (gateway != NULL) {
        place->partner = gateway;
        place->why = behind_may_ask(asking, gateway, place->community, why)
                         ? sources_judge(asking, ref, gateway->source, why)
                         : why;
    } else if (source != NULL && span_eq_cstr(place->community, source->community)) {
        place->partner = source->partner;
        place->repository = config_source_repository(source, ref->repository);
        place->why = sources_judge(asking, ref, source, why);
    } else if (!span_eq_cstr(place->community, config->community) || !config->asks_store ||
               asking->node->store == NULL) {
        (void)FAIL(why, ERR_UNKNOWN_REPOSITORY, "no source of the community has the repository");
        place->why = why;
    }
}

static struct status
want_own(struct asking *asking, struct wanted *wanted)
{
    struct txn *txn = &asking->txn;
    struct diag why = {0};
    struct diag *kept;

    place_own(asking, &wanted->ref, &why, &wanted->place);
    if (wanted->place.why == &why) {
        TRY(ARENA_NEW(txn->arena, &txn->diag, &kept));
        *kept = why;
        wanted->place.why = kept;
    }
    return OK;
}

/* asking_start has seen to it that each home is ours or a partner's. */
static struct status
want_order(struct asking *asking, struct wanted_list *list)
{
    const struct config *config = asking->node->config;

    for (size_t i = 0; i < asking->order.documents.n; i++) {
        struct wanted wanted = {.ref = asking->order.documents.items[i]};
        struct span *community = &wanted.place.community;

        (void)home_community_oid(wanted.ref.home, community);
        if (config_is_own_community(config, *community)) {
            TRY(want_own(asking, &wanted));
        } else {
            wanted.place.partner = config_partner_of_community(config, *community);
        }
        TRY(want(asking, list, &wanted));
    }
    return OK;
}

struct status
rounds_plan_retrieve(struct asking *asking)
{
    struct wanted_list list = {0};

    TRY(asking->order.goal == ASKING_GATHER ? want_entries(asking, &list)
                                            : want_order(asking, &list));
    return plan_wanted(asking, &list);
}

/* ---- what came ---- */

/* The entries that the round before found, by the partner and name that they are asked for by. */
static struct status
list_entries(struct asking *asking, struct merge_item_list *list)
{
    struct txn *txn = &asking->txn;

    for (size_t i = 0; i < asking->legs[1].n; i++) {
        const struct leg *queried = &asking->legs[1].items[i];

        for (size_t d = 0; d < queried->objects.documents.n; d++) {
            const struct document_entry *entry = &queried->objects.documents.items[d];
            const struct document_ref ref = {entry->home, entry->repository, entry->unique_id};

            TRY(ARENA_PUSH(txn->arena, &txn->diag, list, item_of(queried->partner, &ref, i, d)));
        }
    }
    merge_sort(list);
    return OK;
}

/* Of several with that name the first of the plan; NULL: none. */
static const struct document_entry *
entry_of(const struct asking *asking, const struct merge_item_list *entries, const struct leg *leg,
         const struct document_ref *ref)
{
    const struct merge_item wanted = item_of(leg->partner, ref, 0, 0);
    const struct merge_item *found = merge_find(entries, &wanted);

    return found == NULL ? NULL
                         : &asking->legs[1].items[found->at].objects.documents.items[found->index];
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

static int
compare_bytes(const void *a, const void *b)
{
    const struct asking_document *one = *(struct asking_document *const *)a;
    const struct asking_document *other = *(struct asking_document *const *)b;
    const int order = strcmp(one->sha256, other->sha256);

    return order != 0 ? order : one < other ? -1 : one > other ? 1 : 0;
}

/* Of documents with equal bytes, all but the first are duplicates of that one. */
static struct status
find_duplicates(struct asking *asking)
{
    struct txn *txn = &asking->txn;
    struct asking_document_list *documents = &asking->documents;
    struct asking_document **sorted;

    TRY(ARENA_ARRAY(txn->arena, documents->n + 1, &txn->diag, &sorted));
    for (size_t i = 0; i < documents->n; i++) {
        documents->items[i].duplicate_of = SIZE_MAX;
        sorted[i] = &documents->items[i];
    }
    qsort(sorted, documents->n, sizeof(sorted[0]), compare_bytes);
    for (size_t i = 1, first = 0; i < documents->n; i++) {
        if (strcmp(sorted[first]->sha256, sorted[i]->sha256) != 0) {
            first = i;
        } else {
            sorted[i]->duplicate_of = (size_t)(sorted[first] - documents->items);
        }
    }
    return OK;
}

static struct status
collect(struct asking *asking, const struct merge_item_list *entries, struct leg *leg,
        struct retrieved_document *retrieved)
{
    struct txn *txn = &asking->txn;
    struct asking_document document = {
        .ref = retrieved->ref, .mime_type = retrieved->mime_type, .partner = leg->partner};
    const struct document_entry *entry = entry_of(asking, entries, leg, &retrieved->ref);

    if (entry != NULL) {
        document.entry = *entry;
    }
    document.body = retrieved->body;
    TRY(digest_document(asking, &document));
    TRY(ARENA_PUSH(txn->arena, &txn->diag, &asking->documents, document));
    body_init(&retrieved->body); /* the collection owns it now */
    return OK;
}

struct status
rounds_collect(struct asking *asking)
{
    struct leg_list *legs = &asking->legs[2];
    struct merge_item_list entries = {0};

    TRY(list_entries(asking, &entries));
    for (size_t i = 0; i < legs->n; i++) {
        for (size_t d = 0; legs->items[i].state == LEG_ANSWERED && d < legs->items[i].retrieved.n;
             d++) {
            TRY(collect(asking, &entries, &legs->items[i], &legs->items[i].retrieved.items[d]));
        }
    }
    return find_duplicates(asking);
}
