/*
 * The merge of ITI-39: what came, in the order of the question, and one error for each document
 * that did not. Called by whoever started the asking, when it is over; the bytes move from the legs
 * to the answer.
 */
#include <string.h>

#include "base/ids.h"
#include "base/mem.h"
#include "txn/iti39.h"
#include "txn/merge_parts.h"

struct finder {
    struct merge_errors errors;
    struct merge_item_list asked; /* what the legs asked for, sorted */
};

static struct merge_item
item_of(const struct document_ref *ref, size_t at, size_t index)
{
    return (struct merge_item){
        .keys = {ref->home, ref->repository, ref->unique_id}, .at = at, .index = index};
}

static struct status
list_asked(struct finder *finder)
{
    const struct merge *merge = finder->errors.merge;

    for (size_t at = 0; at < merge->progress.legs; at++) {
        const struct document_ref_list *refs = &merge->legs[at].refs;

        for (size_t i = 0; i < refs->n; i++) {
            TRY(ARENA_PUSH(merge->arena, finder->errors.diag, &finder->asked,
                           item_of(&refs->items[i], at, i)));
        }
    }
    merge_sort(&finder->asked);
    return OK;
}

/* The leg that asked for it; NULL: none did. */
static struct merge_item *
find_asked(const struct finder *finder, const struct document_ref *ref)
{
    const struct merge_item wanted = item_of(ref, 0, 0);

    return merge_find(&finder->asked, &wanted);
}

static struct retrieved_document *
find_came(const struct leg *leg, const struct document_ref *ref)
{
    for (size_t i = 0; i < leg->retrieved.n; i++) {
        if (document_ref_eq(&leg->retrieved.items[i].ref, ref)) {
            return &leg->retrieved.items[i];
        }
    }
    return NULL;
}

/* The bare OID of a home, or what stands there. */
static struct span
community_of(const struct document_ref *ref)
{
    struct span oid;

    return home_community_oid(ref->home, &oid) ? oid : ref->home;
}

/* Does a location end with this document, as a word of its own? */
static bool
names_document(struct span location, struct span unique_id)
{
    const size_t before = location.n - unique_id.n;

    return span_ends_with(location, unique_id) &&
           (before == 0 || strchr("0123456789.", location.p[before - 1]) == NULL);
}

/* What the partner says of this document: the error whose location names it. */
static const struct registry_error *
find_error(const struct leg *leg, struct span unique_id)
{
    for (size_t i = 0; i < leg->errors.n; i++) {
        const struct span location = span_trim(leg->errors.items[i].location);

        if (!leg->errors.items[i].is_warning && names_document(location, unique_id)) {
            return &leg->errors.items[i];
        }
    }
    return NULL;
}

/* The answer came without it: as the partner says it, or that it is not there. */
/* REQ: ITI39-complete */
static struct status
note_withheld(struct finder *finder, const struct leg *leg, const struct document_ref *ref)
{
    const struct registry_error *error = find_error(leg, ref->unique_id);
    struct span code = SPAN("XDSDocumentUniqueIdError");
    struct span context = span_of_cstr(err_public_text(ERR_UNKNOWN_DOCUMENT));

    if (error != NULL && error->code.n > 0) {
        code = error->code;
        context = leg->partner == NULL ? context : error->context;
    }
    return merge_add_error(&finder->errors, code, context, community_of(ref), ref->unique_id,
                           false);
}

static struct status
note_missing(struct finder *finder, const struct merge_item *asked, const struct document_ref *ref)
{
    const struct merge *merge = finder->errors.merge;
    const struct leg *leg;
    struct span code, context;

    if (asked == NULL) {
        return merge_add_error(&finder->errors, SPAN("XDSUnknownCommunity"),
                               span_of_cstr(err_public_text(ERR_UNKNOWN_COMMUNITY)),
                               community_of(ref), ref->unique_id, false);
    }
    leg = &merge->legs[asked->at];
    if (merge->is_over[asked->at] && (leg->state == LEG_ANSWERED || merge_has_own_error(leg))) {
        return note_withheld(finder, leg, ref);
    }
    merge_failure(merge, asked->at, &code, &context);
    return merge_add_error(&finder->errors, code, context, community_of(ref), ref->unique_id,
                           false);
}

static struct status
give(struct finder *finder, const struct merge_item *asked, const struct document_ref *ref,
     struct retrieve_answer *answer)
{
    struct merge *merge = finder->errors.merge;
    struct retrieved_document *came = NULL;
    struct retrieved_document given;

    if (asked != NULL && merge_is_usable(merge, asked->at)) {
        came = find_came(&merge->legs[asked->at], ref);
    }
    if (came == NULL) {
        return note_missing(finder, asked, ref);
    }
    given = *came;
    given.ref = *ref;
    TRY(ARENA_PUSH(merge->arena, finder->errors.diag, &answer->documents, given));
    body_init(&came->body); /* the answer's now */
    return OK;
}

/* A question names a document once: the second time is passed over. */
static bool
is_first_time(struct merge_item *asked)
{
    const bool is_first = asked == NULL || !asked->is_used;

    if (asked != NULL) {
        asked->is_used = true;
    }
    return is_first;
}

/* REQ: ITI39-warning */
static struct status
pass_warnings(struct finder *finder, const struct leg *leg)
{
    for (size_t i = 0; i < leg->errors.n; i++) {
        if (leg->errors.items[i].is_warning) {
            TRY(merge_pass_error(&finder->errors, leg, &leg->errors.items[i]));
        }
    }
    return merge_add_dropped(&finder->errors, leg);
}

static struct status
give_all(struct finder *finder, const struct document_ref_list *asked,
         struct retrieve_answer *answer)
{
    const struct merge *merge = finder->errors.merge;

    TRY(list_asked(finder));
    for (size_t i = 0; i < asked->n; i++) {
        struct merge_item *item = find_asked(finder, &asked->items[i]);

        if (is_first_time(item)) {
            TRY(give(finder, item, &asked->items[i], answer));
        }
    }
    for (size_t at = 0; at < merge->progress.legs; at++) {
        if (merge_is_usable(merge, at)) {
            TRY(pass_warnings(finder, &merge->legs[at]));
        }
    }
    return OK;
}

/* REQ: ITI39-order */
struct status
merge_retrieve(struct merge *merge, const struct document_ref_list *asked,
               enum merge_location location, struct diag *diag, struct retrieve_answer *ret_answer)
{
    struct finder finder = {.errors = {.merge = merge, .diag = diag, .location = location}};
    struct retrieve_answer answer = {.status = REGISTRY_FAILURE};
    const struct status st = give_all(&finder, asked, &answer);

    if (!is_ok(st)) {
        retrieve_answer_done(&answer);
        return st;
    }
    finder.errors.answered = answer.documents.n; /* a document is what counts here */
    answer.status = merge_status(&finder.errors);
    answer.errors = finder.errors.list;
    *ret_answer = answer;
    return OK;
}
