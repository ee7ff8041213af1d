/*
 * What may not be known of an answer's objects: documents that are not given (another patient's,
 * another community's, withheld by our rules), and what names them. An Association that has one of
 * them at an end goes, and an object of a kind that nobody here knows whose text has one of their
 * ids anywhere. Lists live in the leg's arena. Thread: that of the asking.
 */
#ifndef TXN_WITHHELD_H
#define TXN_WITHHELD_H

#include "txn/asking.h"

/* A set of ids is a list; entryUUIDs with or without urn:uuid:, in any case. It is asked after it
 * was sorted. */
MUST_CHECK struct status withheld_add(struct span_list *withheld, struct span id,
                                      struct arena *arena, struct diag *diag);
MUST_CHECK struct status withheld_add_all(struct span_list *withheld, const struct span_list *ids,
                                          struct arena *arena, struct diag *diag);
void withheld_sort(struct span_list *withheld);
bool withheld_has(const struct span_list *withheld, struct span id);
/* Does the text have one of the ids in it, as a word of its own? */
bool withheld_is_named(const struct span_list *withheld, struct span text);

/* The ids of a document that is not given. */
MUST_CHECK struct status withheld_add_document(struct span_list *withheld,
                                               const struct document_entry *entry,
                                               struct arena *arena, struct diag *diag);
/* Takes out of <objects> the Associations that have one of them at an end, again and again, because
 * an Association may be the end of another, and the objects of unknown kinds that name one. */
MUST_CHECK struct status withheld_take_along(struct span_list *withheld, struct arena *arena,
                                             struct diag *diag, struct registry_objects *objects);

/* May an object of an unknown kind be given? Every home attribute in it, and every value of a slot
 * homeCommunityId, must be of a community that the leg's partner may name (leg_may_name). */
bool withheld_may_take_other(const struct asking *asking, struct leg *leg, struct span text);

#endif
