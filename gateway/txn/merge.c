/*
 * What all merges share, and the merge of ITI-38. Called by the asking's steps (merge_add) and by
 * whoever started the asking, on the thread that has the transaction. Owns nothing: see the header.
 */
#include "txn/merge.h"

#include <assert.h>
#include <stdlib.h>

#include "txn/iti39.h"
#include "txn/merge_parts.h"

struct status
merge_new(struct arena *arena, enum soap_transaction transaction, struct leg *legs, size_t n,
          struct diag *diag, struct merge **ret_merge)
{
    struct merge *merge;
    void *memory;

    TRY(arena_alloc(arena, sizeof(*merge) + n * sizeof(merge->is_over[0]), diag, &memory));
    merge = memory;
    merge->arena = arena;
    merge->transaction = transaction;
    merge->legs = legs;
    merge->progress.legs = n;
    *ret_merge = merge;
    return OK;
}

bool
merge_is_usable(const struct merge *merge, size_t at)
{
    return merge->is_over[at] && merge->legs[at].state == LEG_ANSWERED;
}

void
merge_add(struct merge *merge, size_t at)
{
    struct merge_progress *progress = &merge->progress;
    const struct leg *leg = &merge->legs[at];

    assert(at < progress->legs && !merge->is_over[at]);
    merge->is_over[at] = true;
    progress->over++;
    if (merge_is_usable(merge, at)) {
        progress->answered++;
        progress->items += leg->objects.documents.n + leg->objects.submission_sets.n +
                           leg->objects.folders.n + leg->references.n + leg->retrieved.n +
                           leg->matches.n;
    }
}

struct merge_progress
merge_progress(const struct merge *merge)
{
    return merge->progress;
}

/* ---- items ---- */

static int
compare_keys(const struct merge_item *a, const struct merge_item *b)
{
    for (size_t i = 0; i < ARRAY_LEN(a->keys); i++) {
        const int order = span_compare(a->keys[i], b->keys[i]);

        if (order != 0) {
            return order;
        }
    }
    return 0;
}

static int
compare_items(const void *a, const void *b)
{
    const struct merge_item *one = a, *other = b;
    const int order = compare_keys(one, other);

    if (order != 0) {
        return order;
    }
    if (one->at != other->at) {
        return one->at < other->at ? -1 : 1;
    }
    return one->index < other->index ? -1 : one->index > other->index ? 1 : 0;
}

void
merge_sort(struct merge_item_list *list)
{
    if (list->n > 1) {
        qsort(list->items, list->n, sizeof(list->items[0]), compare_items);
    }
}

struct merge_item *
merge_find(const struct merge_item_list *list, const struct merge_item *wanted)
{
    size_t from = 0, to = list->n;

    while (from < to) {
        const size_t middle = from + (to - from) / 2;

        if (compare_keys(&list->items[middle], wanted) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from < list->n && merge_same_keys(&list->items[from], wanted) ? &list->items[from]
                                                                         : NULL;
}

bool
merge_same_keys(const struct merge_item *a, const struct merge_item *b)
{
    return compare_keys(a, b) == 0;
}

/* ---- errors ---- */

struct status
merge_add_error(struct merge_errors *errors, struct span code, struct span context,
                struct span community, struct span rest, bool is_warning)
{
    struct arena *arena = errors->merge->arena;
    struct registry_error error = {
        .code = code, .context = context, .location = rest, .is_warning = is_warning};

    if (rest.n == 0 || errors->location == MERGE_LOCATION_FULL) {
        TRY(arena_printf(arena, errors->diag, &error.location, "urn:oid:%.*s%s%.*s",
                         SPAN_PRINT(community), rest.n == 0 ? "" : " ", SPAN_PRINT(rest)));
    }
    return ARENA_PUSH(arena, errors->diag, &errors->list, error);
}

/* A location that begins with this community, as itself or as urn:oid, and what follows it. */
static bool
names_community(struct span location, struct span community, struct span *ret_rest)
{
    static const char urn[] = "urn:oid:";
    struct span rest = location;

    if (span_starts_with(rest, SPAN(urn))) {
        rest = span_slice(rest, sizeof(urn) - 1, rest.n);
    }
    if (!span_starts_with(rest, community)) {
        return false;
    }
    rest = span_slice(rest, community.n, rest.n);
    if (rest.n > 0 && (rest.p[0] == '.' || (rest.p[0] >= '0' && rest.p[0] <= '9'))) {
        return false;
    }
    *ret_rest = span_trim(span_slice(rest, rest.n > 0 && rest.p[0] == '/' ? 1 : 0, rest.n));
    return true;
}

/* REQ: MERGE-errors-passed */
struct status
merge_pass_error(struct merge_errors *errors, const struct leg *leg,
                 const struct registry_error *error)
{
    const struct span last_resort =
        leg_is_retrieve(leg) ? SPAN("XDSRepositoryError") : SPAN("XDSRegistryError");
    const struct span code = error->code.n == 0 ? last_resort : error->code;
    const struct span location = span_trim(error->location);
    struct registry_error passed = *error;
    struct span rest = location;

    if (!names_community(location, leg->community, &rest) ||
        errors->location == MERGE_LOCATION_DOCUMENT) {
        return merge_add_error(errors, code, error->context, leg->community, rest,
                               error->is_warning);
    }
    passed.code = code;
    passed.location = location;
    return ARENA_PUSH(errors->merge->arena, errors->diag, &errors->list, passed);
}

/* REQ: MERGE-unknown-patient-dropped */
static bool
is_unknown_patient(const struct registry_error *error)
{
    return span_eq_cstr(error->code, "XDSUnknownPatientId");
}

bool
merge_has_own_error(const struct leg *leg)
{
    for (size_t i = 0; i < leg->errors.n; i++) {
        if (!leg->errors.items[i].is_warning && !is_unknown_patient(&leg->errors.items[i])) {
            return true;
        }
    }
    return false;
}

static struct span
last_resort_of(const struct merge *merge)
{
    return merge->transaction == SOAP_ITI_39 ? SPAN("XDSRepositoryError")
                                             : SPAN("XDSRegistryError");
}

/* REQ: MERGE-unavailable */
void
merge_failure(const struct merge *merge, size_t at, struct span *ret_code, struct span *ret_context)
{
    const struct leg *leg = &merge->legs[at];
    const enum err code = merge->is_over[at] ? leg->diag.code : ERR_PARTNER_TIMEOUT;
    const bool is_source =
        leg->partner != NULL && leg->partner->source != NULL && !partner_is_behind(leg->partner);

    *ret_context = span_of_cstr(err_public_text(code));
    if (leg->abandoned == LEG_ABANDONED_ENOUGH) {
        *ret_code = SPAN("XDSUnavailableCommunity");
        *ret_context = SPAN("not waited for: enough communities had answered");
    } else if (err_class(code) == ERR_CLASS_CONFIG) { /* no endpoint: it cannot be asked */
        *ret_code = SPAN("XDSUnavailableCommunity");
    } else if (merge->transaction == SOAP_ITI_39) {
        *ret_code = iti39_error_code(code);
    } else {
        *ret_code = span_of_cstr(err_ihe_code(code));
    }
    if (ret_code->n == 0 || (is_source && span_eq_cstr(*ret_code, "XDSUnavailableCommunity"))) {
        *ret_code = last_resort_of(merge);
    }
    if (is_source && err_class(code) == ERR_CLASS_PARTNER) {
        *ret_context = SPAN("a registry or repository of this community gave no answer");
    }
}

struct status
merge_add_dropped(struct merge_errors *errors, const struct leg *leg)
{
    struct arena *arena = errors->merge->arena;
    const unsigned others = leg->dropped - leg->dropped_homeless;
    struct span text;

    if (leg->dropped_homeless > 0) {
        TRY(arena_printf(arena, errors->diag, &text, "%u entr%s without homeCommunityId%s%.*s",
                         leg->dropped_homeless, leg->dropped_homeless == 1 ? "y" : "ies",
                         leg->first_homeless.n == 0 ? "" : ", the first ",
                         SPAN_PRINT(leg->first_homeless)));
        TRY(merge_add_error(errors, SPAN("XDSMissingHomeCommunityId"), text, leg->community,
                            SPAN_EMPTY, false));
    }
    if (others > 0) {
        TRY(arena_printf(arena, errors->diag, &text,
                         "%u item%s of the community's answer could not be used", others,
                         others == 1 ? "" : "s"));
        TRY(merge_add_error(errors, last_resort_of(errors->merge), text, leg->community, SPAN_EMPTY,
                            true));
    }
    return OK;
}

/* REQ: SQ-status, MERGE-partial-success, MERGE-all-failed */
enum registry_status
merge_status(const struct merge_errors *errors)
{
    for (size_t i = 0; i < errors->list.n; i++) {
        if (!errors->list.items[i].is_warning) {
            return errors->answered > 0 ? REGISTRY_PARTIAL_SUCCESS : REGISTRY_FAILURE;
        }
    }
    return errors->answered > 0 ? REGISTRY_SUCCESS : REGISTRY_FAILURE;
}

/* ---- ITI-38 ---- */

static struct status
pass_errors(struct merge_errors *errors, const struct leg *leg)
{
    for (size_t i = 0; i < leg->errors.n; i++) {
        if (!is_unknown_patient(&leg->errors.items[i])) {
            TRY(merge_pass_error(errors, leg, &leg->errors.items[i]));
        }
    }
    return OK;
}

static struct status
add_answered(struct merge_errors *errors, const struct leg *leg)
{
    errors->answered++;
    TRY(pass_errors(errors, leg));
    if (leg->status == REGISTRY_PARTIAL_SUCCESS && !merge_has_own_error(leg)) {
        TRY(merge_add_error(errors, SPAN("XDSRegistryError"),
                            SPAN("the community answered in part, and did not say why"),
                            leg->community, SPAN_EMPTY, false));
    }
    return merge_add_dropped(errors, leg);
}

static struct status
add_failed(struct merge_errors *errors, size_t at)
{
    const struct leg *leg = &errors->merge->legs[at];
    struct span code, context;

    if (errors->merge->is_over[at] && merge_has_own_error(leg)) {
        return pass_errors(errors, leg);
    }
    merge_failure(errors->merge, at, &code, &context);
    return merge_add_error(errors, code, context, leg->community, SPAN_EMPTY,
                           leg->abandoned == LEG_ABANDONED_ENOUGH);
}

struct status
merge_query(struct merge *merge, struct diag *diag, struct query_answer *ret_answer)
{
    struct merge_errors errors = {.merge = merge, .diag = diag};
    struct query_answer answer = {.status = REGISTRY_FAILURE};

    for (size_t at = 0; at < merge->progress.legs; at++) {
        TRY(merge_is_usable(merge, at) ? add_answered(&errors, &merge->legs[at])
                                       : add_failed(&errors, at));
    }
    answer.status = merge_status(&errors);
    if (answer.status != REGISTRY_FAILURE) {
        TRY(merge_objects(&errors, &answer.objects));
        TRY(merge_references(&errors, &answer.refs));
    }
    answer.errors = errors.list;
    *ret_answer = answer;
    return OK;
}
