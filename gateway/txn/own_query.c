/*
 * What our own store answers to a stored query, less what may not be shown. Called by the steps of
 * iti38.c and by legs to our own store, on workers; it owns nothing, and is asked again from where
 * it stood when the store answers later.
 */
#include "txn/own_query.h"

#include <stdlib.h>

struct worker {
    struct own_query *query;
    struct store *store;
    struct park *park;
    struct arena *arena;
    struct diag *diag;
};

void
own_query_init(struct own_query *query, const struct store_question *question,
               const struct own_reader *reader)
{
    *query = (struct own_query){.asks = *question, .reader = *reader, .is_begun = true};
}

/* ---- sets of ids ---- */

static int
compare_ids(const void *a, const void *b)
{
    return span_compare(*(const struct span *)a, *(const struct span *)b);
}

static void
sort_ids(struct span_list *ids)
{
    if (ids->n > 1) {
        qsort(ids->items, ids->n, sizeof(ids->items[0]), compare_ids);
    }
}

/* <ids> is sorted. */
static bool
has_id(const struct span_list *ids, struct span id)
{
    return ids->n > 0 &&
           bsearch(&id, ids->items, ids->n, sizeof(ids->items[0]), compare_ids) != NULL;
}

/* ---- what may be shown ---- */

static bool
may_show(const struct own_query *query, const struct document_entry *entry)
{
    return query->reader.may_open(query->reader.arg, entry->patient_id) &&
           query->reader.may_show(query->reader.arg, entry);
}

static struct status
note_id(struct worker *worker, struct span_list *ids, struct span id)
{
    return ARENA_PUSH(worker->arena, worker->diag, ids, id);
}

static struct status
hide_documents(struct worker *worker, struct document_list *documents)
{
    struct own_query *query = worker->query;
    size_t kept = 0;

    for (size_t i = 0; i < documents->n; i++) {
        if (may_show(query, &documents->items[i])) {
            documents->items[kept++] = documents->items[i];
        } else {
            TRY(note_id(worker, &query->hidden, documents->items[i].entry_uuid));
        }
    }
    documents->n = kept;
    return OK;
}

/* ---- packages ---- */

static int
compare_members(const void *a, const void *b)
{
    return span_compare(((const struct own_member *)a)->package,
                        ((const struct own_member *)b)->package);
}

/* Of each package, whether it has a document that may be shown; ordered by package. */
static struct status
judge_members(struct worker *worker, const struct store_member_list *members)
{
    struct own_query *query = worker->query;

    for (size_t i = 0; i < members->n; i++) {
        const struct store_member *member = &members->items[i];
        struct own_member *last =
            query->packages.n == 0 ? NULL : &query->packages.items[query->packages.n - 1];
        const bool is_shown = may_show(query, &member->entry);

        if (last == NULL || !span_eq(last->package, member->package)) {
            struct own_member one = {.has_shown = is_shown};

            TRY(arena_dup(worker->arena, member->package, worker->diag, &one.package));
            TRY(ARENA_PUSH(worker->arena, worker->diag, &query->packages, one));
        } else {
            last->has_shown |= is_shown;
        }
    }
    if (query->packages.n > 1) {
        qsort(query->packages.items, query->packages.n, sizeof(query->packages.items[0]),
              compare_members);
    }
    return OK;
}

/* A package that has documents, none of which may be shown: its title, author and codes would tell
 * of them. One without documents hides nothing. */
static bool
is_hollow(const struct own_query *query, struct span entry_uuid)
{
    const struct own_member wanted = {.package = entry_uuid};
    const struct own_member *found =
        query->packages.n == 0 ? NULL
                               : bsearch(&wanted, query->packages.items, query->packages.n,
                                         sizeof(query->packages.items[0]), compare_members);

    return found != NULL && !found->has_shown;
}

static bool
may_show_package(const struct own_query *query, struct span patient_id, struct span entry_uuid)
{
    return query->reader.may_open(query->reader.arg, patient_id) && !is_hollow(query, entry_uuid);
}

static struct status
hide_sets(struct worker *worker, struct submission_set_list *sets)
{
    struct own_query *query = worker->query;
    size_t kept = 0;

    for (size_t i = 0; i < sets->n; i++) {
        if (may_show_package(query, sets->items[i].patient_id, sets->items[i].entry_uuid)) {
            sets->items[kept++] = sets->items[i];
        } else {
            TRY(note_id(worker, &query->hidden, sets->items[i].entry_uuid));
        }
    }
    sets->n = kept;
    return OK;
}

static struct status
hide_folders(struct worker *worker, struct folder_list *folders)
{
    struct own_query *query = worker->query;
    size_t kept = 0;

    for (size_t i = 0; i < folders->n; i++) {
        if (may_show_package(query, folders->items[i].patient_id, folders->items[i].entry_uuid)) {
            folders->items[kept++] = folders->items[i];
        } else {
            TRY(note_id(worker, &query->hidden, folders->items[i].entry_uuid));
        }
    }
    folders->n = kept;
    return OK;
}

/* The ids of what is shown, sorted: one of them makes an association somebody's own. */
static struct status
list_shown(struct worker *worker, struct span_list *shown)
{
    const struct registry_objects *found = &worker->query->found;

    for (size_t i = 0; i < worker->query->beside.n; i++) {
        TRY(note_id(worker, shown, worker->query->beside.items[i]));
    }
    for (size_t i = 0; i < found->documents.n; i++) {
        TRY(note_id(worker, shown, found->documents.items[i].entry_uuid));
    }
    for (size_t i = 0; i < found->submission_sets.n; i++) {
        TRY(note_id(worker, shown, found->submission_sets.items[i].entry_uuid));
    }
    for (size_t i = 0; i < found->folders.n; i++) {
        TRY(note_id(worker, shown, found->folders.items[i].entry_uuid));
    }
    sort_ids(shown);
    return OK;
}

static bool
is_hidden(const struct own_query *query, const struct span_list *shown,
          const struct association *association)
{
    if (has_id(&query->hidden, association->source) ||
        has_id(&query->hidden, association->target)) {
        return true;
    }
    return query->reader.is_one_record && !has_id(shown, association->source) &&
           !has_id(shown, association->target);
}

/* Those that may not be shown go; their ids are hidden, too. */
static struct status
hide_once(struct worker *worker, const struct span_list *shown)
{
    struct own_query *query = worker->query;
    struct association_list *associations = &query->found.associations;
    struct span_list gone = {0};
    size_t kept = 0;

    for (size_t i = 0; i < associations->n; i++) {
        if (is_hidden(query, shown, &associations->items[i])) {
            TRY(note_id(worker, &gone, associations->items[i].entry_uuid));
        } else {
            associations->items[kept++] = associations->items[i];
        }
    }
    associations->n = kept;
    for (size_t i = 0; i < gone.n; i++) {
        TRY(note_id(worker, &query->hidden, gone.items[i]));
    }
    sort_ids(&query->hidden);
    return OK;
}

/* An association may be the member of a set: with it go those that name it. */
static struct status
hide_associations(struct worker *worker)
{
    struct own_query *query = worker->query;
    struct span_list shown = {0};
    size_t before;

    TRY(list_shown(worker, &shown));
    sort_ids(&query->hidden);
    do {
        before = query->found.associations.n;
        TRY(hide_once(worker, &shown));
    } while (query->found.associations.n < before);
    return OK;
}

/* ---- stages ---- */

static struct status
get_documents(struct worker *worker, const struct span_list *entry_uuids,
              const struct span_list *unique_ids, enum answer *ret_answer,
              struct document_list *ret_documents)
{
    const struct store_question question = {
        .kind = STORE_GET_DOCUMENTS, .entry_uuids = *entry_uuids, .unique_ids = *unique_ids};
    struct registry_objects objects = {0};

    TRY(store_ask(worker->store, &question, worker->park, worker->arena, worker->diag, ret_answer,
                  &objects));
    *ret_documents = objects.documents;
    return OK;
}

/* Does the query find things through the ids of documents? */
static bool
asks_through_documents(const struct store_question *question)
{
    switch (question->kind) {
    case STORE_GET_ASSOCIATIONS:
    case STORE_GET_DOCUMENTS_AND_ASSOCIATIONS:
    case STORE_GET_SUBMISSION_SETS:
    case STORE_GET_FOLDERS_FOR_DOCUMENT:
    case STORE_GET_RELATED_DOCUMENTS:
        return true;
    default:
        return false;
    }
}

static struct status
drop_ids(struct worker *worker, const struct span_list *dropped, struct span_list *ids)
{
    struct span_list kept = {0};

    for (size_t i = 0; i < ids->n; i++) {
        if (!has_id(dropped, ids->items[i])) {
            TRY(note_id(worker, &kept, ids->items[i]));
        }
    }
    *ids = kept;
    return OK;
}

/* Documents that the question names and that may not be shown are not asked about. */
static struct status
ask_named(struct worker *worker, enum answer *ret_answer)
{
    struct own_query *query = worker->query;
    struct document_list named = {0};
    struct span_list uuids = {0}, unique_ids = {0};

    if (!asks_through_documents(&query->asks)) {
        return OK;
    }
    TRY(get_documents(worker, &query->asks.entry_uuids, &query->asks.unique_ids, ret_answer,
                      &named));
    for (size_t i = 0; *ret_answer == ANSWER_NOW && i < named.n; i++) {
        if (!may_show(query, &named.items[i])) {
            TRY(note_id(worker, &uuids, named.items[i].entry_uuid));
            TRY(note_id(worker, &unique_ids, named.items[i].unique_id));
        }
    }
    sort_ids(&uuids);
    sort_ids(&unique_ids);
    TRY(drop_ids(worker, &uuids, &query->asks.entry_uuids));
    return drop_ids(worker, &unique_ids, &query->asks.unique_ids);
}

/* Without ids it would be another question. */
static bool
asks_nothing(const struct own_query *query)
{
    return asks_through_documents(&query->asks) && query->asks.entry_uuids.n == 0 &&
           query->asks.unique_ids.n == 0;
}

static struct status
note_end(struct worker *worker, const struct span_list *found, struct span id)
{
    return has_id(found, id) ? OK : note_id(worker, &worker->query->ends, id);
}

static struct status
ask_question(struct worker *worker, enum answer *ret_answer)
{
    struct own_query *query = worker->query;
    struct registry_objects *found = &query->found;
    struct span_list ids = {0};

    if (asks_nothing(query)) {
        return OK;
    }
    TRY(store_ask(worker->store, &query->asks, worker->park, worker->arena, worker->diag,
                  ret_answer, found));
    if (*ret_answer == ANSWER_LATER) {
        return OK;
    }
    TRY(list_shown(worker, &ids)); /* nothing is hidden yet */
    for (size_t i = 0; i < found->associations.n; i++) {
        TRY(note_end(worker, &ids, found->associations.items[i].source));
        TRY(note_end(worker, &ids, found->associations.items[i].target));
    }
    return hide_documents(worker, &found->documents);
}

/* What was found, and what associations name beside it: ids of packages among them have members. */
static struct status
list_packages(struct worker *worker, struct span_list *ids)
{
    const struct own_query *query = worker->query;

    for (size_t i = 0; i < query->found.submission_sets.n; i++) {
        TRY(note_id(worker, ids, query->found.submission_sets.items[i].entry_uuid));
    }
    for (size_t i = 0; i < query->found.folders.n; i++) {
        TRY(note_id(worker, ids, query->found.folders.items[i].entry_uuid));
    }
    for (size_t i = 0; i < query->ends.n; i++) {
        TRY(note_id(worker, ids, query->ends.items[i]));
    }
    sort_ids(ids);
    return OK;
}

/* REQ: SQ-withheld-packages */
static struct status
ask_members(struct worker *worker, enum answer *ret_answer)
{
    struct own_query *query = worker->query;
    struct store_member_list members = {0};
    struct span_list ids = {0};

    TRY(list_packages(worker, &ids));
    if (ids.n > 0) {
        TRY(store_members(worker->store, &ids, worker->park, worker->arena, worker->diag,
                          ret_answer, &members));
    }
    if (*ret_answer == ANSWER_LATER) {
        return OK;
    }
    TRY(judge_members(worker, &members));
    for (size_t i = 0; i < ids.n; i++) {
        if (is_hollow(query, ids.items[i])) {
            TRY(note_id(worker, &query->hidden, ids.items[i]));
        }
    }
    TRY(hide_sets(worker, &query->found.submission_sets));
    return hide_folders(worker, &query->found.folders);
}

/* The documents that associations name beside those that were found: may they be known? */
static struct status
ask_around(struct worker *worker, enum answer *ret_answer)
{
    struct own_query *query = worker->query;
    static const struct span_list none = {0};
    struct document_list around = {0};

    if (query->ends.n > 0) {
        TRY(get_documents(worker, &query->ends, &none, ret_answer, &around));
    }
    if (*ret_answer == ANSWER_LATER) {
        return OK;
    }
    TRY(hide_documents(worker, &around));
    for (size_t i = 0; i < around.n; i++) {
        TRY(note_id(worker, &query->beside, around.items[i].entry_uuid));
    }
    return hide_associations(worker);
}

struct status
own_query_ask(struct own_query *query, struct store *store, struct park *park, struct arena *arena,
              struct diag *diag, enum answer *ret_answer, struct registry_objects *ret_objects)
{
    static struct status (*const stages[OWN_DONE])(struct worker *,
                                                   enum answer *) = {[OWN_NAMED] = ask_named,
                                                                     [OWN_ASKED] = ask_question,
                                                                     [OWN_MEMBERS] = ask_members,
                                                                     [OWN_AROUND] = ask_around};
    struct worker worker = {query, store, park, arena, diag};

    while (query->stage < OWN_DONE) {
        *ret_answer = ANSWER_NOW;
        TRY(stages[query->stage](&worker, ret_answer));
        if (*ret_answer == ANSWER_LATER) {
            return OK;
        }
        query->stage++;
    }
    *ret_answer = ANSWER_NOW;
    *ret_objects = query->found;
    return OK;
}
