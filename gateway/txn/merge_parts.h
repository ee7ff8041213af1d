/*
 * What the three merges share. Inside txn/merge*.c only, but for the lists of named things, which
 * rounds_retrieve.c sorts, too.
 */
#ifndef TXN_MERGE_PARTS_H
#define TXN_MERGE_PARTS_H

#include "txn/asking.h"

struct merge {
    struct arena *arena;
    enum soap_transaction transaction;
    struct merge_progress progress;
    struct leg *legs; /* in the order of the plan */
    bool is_over[];   /* of each */
};

/* An item of a leg, by which items are sorted and found: the plan's order decides between equal
 * ones. */
struct merge_item {
    struct span keys[4];
    size_t at, index; /* of the leg, of the item in it */
    bool is_used;
};
struct merge_item_list {
    struct merge_item *items;
    size_t n, capacity;
};
void merge_sort(struct merge_item_list *list); /* by keys, then by the plan */
/* The first with the keys of <wanted>, in a list that is sorted; NULL: none. */
struct merge_item *merge_find(const struct merge_item_list *list, const struct merge_item *wanted);
bool merge_same_keys(const struct merge_item *a, const struct merge_item *b);

struct merge_errors {
    struct merge *merge;
    struct diag *diag;
    struct registry_error_list list;
    size_t answered; /* legs whose answer can be used */
    enum merge_location location;
};
/* <community>: a bare OID. <rest> of the location may be empty. */
MUST_CHECK struct status merge_add_error(struct merge_errors *errors, struct span code,
                                         struct span context, struct span community,
                                         struct span rest, bool is_warning);
/* One of a partner's own errors, its location completed. */
MUST_CHECK struct status merge_pass_error(struct merge_errors *errors, const struct leg *leg,
                                          const struct registry_error *error);
/* What was not used of an answer, as a warning. */
MUST_CHECK struct status merge_add_dropped(struct merge_errors *errors, const struct leg *leg);
/* Did the partner itself say why (an error, that is not the unknown patient)? */
bool merge_has_own_error(const struct leg *leg);
/* IHE's code and a public text for a leg without an answer. */
void merge_failure(const struct merge *merge, size_t at, struct span *ret_code,
                   struct span *ret_context);
/* What the legs of ITI-38 brought, in the order of the plan, each object once (merge_objects.c). */
MUST_CHECK struct status merge_objects(struct merge_errors *errors,
                                       struct registry_objects *objects);
/* The references that they brought, in the same way. */
MUST_CHECK struct status merge_references(struct merge_errors *errors,
                                          struct document_ref_list *refs);
bool merge_is_usable(const struct merge *merge, size_t at); /* over, and answered */
enum registry_status merge_status(const struct merge_errors *errors);

#endif
