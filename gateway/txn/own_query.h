/*
 * A stored query asked of our own store, and what of its answer may be shown to who asks. Called by
 * the Responding Gateway (iti38.c) and by a leg to our own store; on the thread that has the
 * transaction. Everything lives in the arena of own_query_ask.
 *
 * Rules are about DocumentEntries. One that may not be shown is as if it were not there: it is not
 * found, nothing is found through its id, and no Association names it. A SubmissionSet or Folder
 * has no confidentiality of its own and is shown, without it, to who may open the patient's record,
 * when it has anything else to show: one that has documents (a set also through its Folders), all
 * of them withheld, is hidden, too, because its title, author, time and codes speak of them. One
 * that never had a document hides nothing and is shown.
 */
#ifndef TXN_OWN_QUERY_H
#define TXN_OWN_QUERY_H

#include "store/registry.h"

/* Who asks. */
struct own_reader {
    bool (*may_show)(const void *arg, const struct document_entry *entry);
    bool (*may_open)(const void *arg, struct span patient_id); /* CX of ours */
    const void *arg;
    bool is_one_record; /* may_open refuses all patients but one */
};

enum own_stage { OWN_NAMED, OWN_ASKED, OWN_MEMBERS, OWN_AROUND, OWN_DONE };

/* A package that has documents: may one of them be shown? */
struct own_member {
    struct span package;
    bool has_shown;
};
struct own_member_list {
    struct own_member *items;
    size_t n, capacity;
};

struct own_query {
    struct store_question asks; /* less what may not be seen */
    struct own_reader reader;
    bool is_begun;
    enum own_stage stage; /* what the store is asked now */
    struct span_list hidden, beside;
    struct span_list ends; /* of associations, of objects that were not found */
    struct own_member_list packages;
    struct registry_objects found;
};

void own_query_init(struct own_query *query, const struct store_question *question,
                    const struct own_reader *reader);
/* Waiting as with store_ask: ANSWER_LATER means that the same call is to be repeated. */
MUST_CHECK struct status own_query_ask(struct own_query *query, struct store *store,
                                       struct park *park, struct arena *arena, struct diag *diag,
                                       enum answer *ret_answer,
                                       struct registry_objects *ret_objects);

#endif
