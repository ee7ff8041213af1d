/*
 * The objects of the answers to a stored query, and the references: each once, in the order of the
 * plan, kind by kind.
 * Called by merge_query, on the thread that has the transaction; lists live in the merge's arena,
 * texts are the legs'.
 */
#include <stdlib.h>

#include "txn/merge_parts.h"

/* What all kinds of objects are to the merge. */
struct kind {
    size_t (*count)(const struct registry_objects *objects);
    /* keys: the same in equal objects */
    void (*keys)(const struct registry_objects *objects, size_t i, struct span keys[4]);
    struct status (*give)(struct merge_errors *errors, const struct leg *leg, size_t i,
                          struct registry_objects *objects);
};

/* Our own store's objects come without one when it was made so; partners' have one. */
static struct status
complete_home(struct merge_errors *errors, const struct leg *leg, struct span *home)
{
    return home->n > 0 ? OK
                       : arena_printf(errors->merge->arena, errors->diag, home, "urn:oid:%.*s",
                                      SPAN_PRINT(leg->community));
}

/* ---- DocumentEntries ---- */

static size_t
count_documents(const struct registry_objects *objects)
{
    return objects->documents.n;
}

static void
keys_of_document(const struct registry_objects *objects, size_t i, struct span keys[4])
{
    const struct document_entry *entry = &objects->documents.items[i];

    keys[0] = entry->home;
    keys[1] = entry->repository;
    keys[2] = entry->unique_id;
    keys[3] = entry->entry_uuid;
}

static struct status
give_document(struct merge_errors *errors, const struct leg *leg, size_t i,
              struct registry_objects *objects)
{
    struct document_entry given = leg->objects.documents.items[i];

    TRY(complete_home(errors, leg, &given.home));
    return ARENA_PUSH(errors->merge->arena, errors->diag, &objects->documents, given);
}

/* ---- SubmissionSets ---- */

static size_t
count_submission_sets(const struct registry_objects *objects)
{
    return objects->submission_sets.n;
}

static void
keys_of_submission_set(const struct registry_objects *objects, size_t i, struct span keys[4])
{
    const struct submission_set *set = &objects->submission_sets.items[i];

    keys[0] = set->home;
    keys[1] = set->entry_uuid;
    keys[2] = set->unique_id;
}

static struct status
give_submission_set(struct merge_errors *errors, const struct leg *leg, size_t i,
                    struct registry_objects *objects)
{
    struct submission_set given = leg->objects.submission_sets.items[i];

    TRY(complete_home(errors, leg, &given.home));
    return ARENA_PUSH(errors->merge->arena, errors->diag, &objects->submission_sets, given);
}

/* ---- Folders ---- */

static size_t
count_folders(const struct registry_objects *objects)
{
    return objects->folders.n;
}

static void
keys_of_folder(const struct registry_objects *objects, size_t i, struct span keys[4])
{
    const struct folder *folder = &objects->folders.items[i];

    keys[0] = folder->home;
    keys[1] = folder->entry_uuid;
    keys[2] = folder->unique_id;
}

static struct status
give_folder(struct merge_errors *errors, const struct leg *leg, size_t i,
            struct registry_objects *objects)
{
    struct folder given = leg->objects.folders.items[i];

    TRY(complete_home(errors, leg, &given.home));
    return ARENA_PUSH(errors->merge->arena, errors->diag, &objects->folders, given);
}

/* ---- Associations ---- */

static size_t
count_associations(const struct registry_objects *objects)
{
    return objects->associations.n;
}

static void
keys_of_association(const struct registry_objects *objects, size_t i, struct span keys[4])
{
    const struct association *association = &objects->associations.items[i];

    keys[0] = association->home;
    keys[1] = association->entry_uuid;
    keys[2] = association->source;
    keys[3] = association->target;
}

static struct status
give_association(struct merge_errors *errors, const struct leg *leg, size_t i,
                 struct registry_objects *objects)
{
    struct association given = leg->objects.associations.items[i];

    TRY(complete_home(errors, leg, &given.home));
    return ARENA_PUSH(errors->merge->arena, errors->diag, &objects->associations, given);
}

/* ---- what nobody here knows ---- */

static size_t
count_others(const struct registry_objects *objects)
{
    return objects->others.n;
}

static void
keys_of_other(const struct registry_objects *objects, size_t i, struct span keys[4])
{
    keys[0] = objects->others.items[i];
}

static struct status
give_other(struct merge_errors *errors, const struct leg *leg, size_t i,
           struct registry_objects *objects)
{
    return ARENA_PUSH(errors->merge->arena, errors->diag, &objects->others,
                      leg->objects.others.items[i]);
}

/* ---- all of them ---- */

static const struct kind kinds[] = {
    {count_documents, keys_of_document, give_document},
    {count_submission_sets, keys_of_submission_set, give_submission_set},
    {count_folders, keys_of_folder, give_folder},
    {count_associations, keys_of_association, give_association},
    {count_others, keys_of_other, give_other},
};

static int
compare_places(const void *a, const void *b)
{
    const struct merge_item *one = a, *other = b;

    if (one->at != other->at) {
        return one->at < other->at ? -1 : 1;
    }
    return one->index < other->index ? -1 : one->index > other->index ? 1 : 0;
}

/* Of equal ones, which sorting puts side by side, the first is used. */
static void
choose_first(struct merge_item_list *list)
{
    merge_sort(list);
    for (size_t i = 0; i < list->n; i++) {
        list->items[i].is_used = i == 0 || !merge_same_keys(&list->items[i - 1], &list->items[i]);
    }
    if (list->n > 1) {
        qsort(list->items, list->n, sizeof(list->items[0]), compare_places);
    }
}

/* Every object that came. */
static struct status
list_items(struct merge_errors *errors, const struct kind *kind, struct merge_item_list *list)
{
    const struct merge *merge = errors->merge;

    for (size_t at = 0; at < merge->progress.legs; at++) {
        const struct registry_objects *objects = &merge->legs[at].objects;
        const size_t n = merge_is_usable(merge, at) ? kind->count(objects) : 0;

        for (size_t i = 0; i < n; i++) {
            struct merge_item item = {.at = at, .index = i};

            kind->keys(objects, i, item.keys);
            TRY(ARENA_PUSH(merge->arena, errors->diag, list, item));
        }
    }
    choose_first(list);
    return OK;
}

static struct status
give_kind(struct merge_errors *errors, const struct kind *kind, struct registry_objects *objects)
{
    struct merge_item_list list = {0};

    TRY(list_items(errors, kind, &list));
    for (size_t i = 0; i < list.n; i++) {
        const struct merge_item *item = &list.items[i];

        if (item->is_used) {
            TRY(kind->give(errors, &errors->merge->legs[item->at], item->index, objects));
        }
    }
    return OK;
}

struct status
merge_objects(struct merge_errors *errors, struct registry_objects *objects)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        TRY(give_kind(errors, &kinds[i], objects));
    }
    return OK;
}

static struct status
list_references(struct merge_errors *errors, struct merge_item_list *list)
{
    const struct merge *merge = errors->merge;

    for (size_t at = 0; at < merge->progress.legs; at++) {
        const struct document_ref_list *refs = &merge->legs[at].references;

        for (size_t i = 0; merge_is_usable(merge, at) && i < refs->n; i++) {
            const struct merge_item item = {
                .keys = {refs->items[i].home, refs->items[i].unique_id}, .at = at, .index = i};

            TRY(ARENA_PUSH(merge->arena, errors->diag, list, item));
        }
    }
    choose_first(list);
    return OK;
}

struct status
merge_references(struct merge_errors *errors, struct document_ref_list *refs)
{
    const struct merge *merge = errors->merge;
    struct merge_item_list list = {0};

    TRY(list_references(errors, &list));
    for (size_t i = 0; i < list.n; i++) {
        const struct merge_item *item = &list.items[i];

        if (item->is_used) {
            TRY(ARENA_PUSH(merge->arena, errors->diag, refs,
                           merge->legs[item->at].references.items[item->index]));
        }
    }
    return OK;
}
