/*
 * What an engine of the store implements: store.c checks arguments and calls through this table, so
 * that a second engine is one more table. The functions keep the promises of the functions of
 * store.h, registry.h, replay.h, jobs.h and pending.h with the same names. Thread: any.
 */
#ifndef STORE_STORE_ENGINE_H
#define STORE_STORE_ENGINE_H

#include <stdatomic.h>

#include "store/correlation.h"
#include "store/jobs.h"
#include "store/pending.h"
#include "store/registry.h"
#include "store/replay.h"

/* jobs.h */
struct jobs_engine {
    struct status (*put)(struct store *store, const struct job *job, size_t most, int64_t lease_us,
                         struct park *park, struct diag *diag, enum answer *ret_answer,
                         int64_t *ret_id);
    struct status (*take)(struct store *store, int64_t now_us, int64_t lease_us, size_t most,
                          struct arena *arena, struct diag *diag, struct job_list *ret_jobs);
    struct status (*read)(struct store *store, int64_t id, struct arena *arena, struct diag *diag,
                          struct job *ret_job, bool *ret_is_there);
    struct status (*done)(struct store *store, int64_t id, struct park *park, struct diag *diag,
                          enum answer *ret_answer);
    struct status (*retry)(struct store *store, int64_t id, int64_t due_us, struct park *park,
                           struct diag *diag, enum answer *ret_answer);
    struct status (*start)(struct store *store, struct diag *diag);
    struct status (*count)(struct store *store, struct span partner, struct diag *diag,
                           struct job_counts *ret_counts);
};

/* pending.h */
struct pending_engine {
    struct status (*put)(struct store *store, const struct pending *questions, size_t n,
                         struct park *park, struct diag *diag, enum answer *ret_answer);
    struct status (*find)(struct store *store, struct span message_id, struct span partner,
                          int64_t now_us, struct arena *arena, struct park *park, struct diag *diag,
                          enum answer *ret_answer, struct pending *ret_pending);
    struct status (*take)(struct store *store, const struct pending_answer *answer,
                          struct park *park, struct diag *diag, enum answer *ret_answer,
                          bool *ret_is_copy);
    struct status (*fetch)(struct store *store, struct span message_id, struct arena *arena,
                           struct diag *diag, struct buf *answer, struct pending *ret_pending);
    struct status (*claim)(struct store *store, struct span message_id, struct park *park,
                           struct diag *diag, enum answer *ret_answer);
    struct status (*drop)(struct store *store, const struct span *message_ids, size_t n,
                          struct park *park, struct diag *diag, enum answer *ret_answer);
    struct status (*list)(struct store *store, int64_t now_us, struct arena *arena,
                          struct diag *diag, struct pending_list *ret_list);
    struct status (*expire)(struct store *store, int64_t now_us, struct diag *diag,
                            uint64_t *ret_unanswered);
    struct status (*count)(struct store *store, struct span partner, struct diag *diag,
                           uint64_t *ret_waiting);
};

struct store_engine {
    const char *name;
    struct status (*open)(const struct store_options *options, struct diag *diag,
                          struct store **ret_store);
    void (*close)(struct store *store);
    struct status (*put_document)(struct store *store, const struct store_document *document,
                                  struct arena *arena, struct diag *diag,
                                  struct store_put_result *ret_result);
    struct status (*match_patient)(struct store *store, const struct patient *query,
                                   struct park *park, struct arena *arena, struct diag *diag,
                                   enum answer *ret_answer, struct store_match_result *ret_result);
    struct status (*knows_patient)(struct store *store, const struct ident *id, struct park *park,
                                   struct diag *diag, enum answer *ret_answer, bool *ret_known);
    struct status (*learn_person)(struct store *store, const struct store_person *person,
                                  struct park *park, struct arena *arena, struct diag *diag,
                                  enum answer *ret_answer, enum store_learned *ret_learned);
    struct status (*ask)(struct store *store, const struct store_question *question,
                         struct park *park, struct arena *arena, struct diag *diag,
                         enum answer *ret_answer, struct registry_objects *ret_objects);
    struct status (*members)(struct store *store, const struct span_list *entry_uuids,
                             struct park *park, struct arena *arena, struct diag *diag,
                             enum answer *ret_answer, struct store_member_list *ret_members);
    struct status (*submit)(struct store *store, const struct store_submission *submission,
                            struct park *park, struct arena *arena, struct diag *diag,
                            enum answer *ret_answer, struct store_submitted *ret_submitted);
    struct status (*patient_ids)(struct store *store, const struct ident *id, struct park *park,
                                 struct arena *arena, struct diag *diag, enum answer *ret_answer,
                                 struct ident_list *ret_ids);
    struct status (*retrieve)(struct store *store, const struct document_ref *ref,
                              struct park *park, struct arena *arena, struct diag *diag,
                              enum answer *ret_answer, struct document_entry *ret_entry,
                              struct body *ret_body);
    struct status (*remember)(struct store *store, const struct replay_message *message,
                              struct park *park, struct diag *diag, enum answer *ret_answer,
                              struct replay_result *ret_result);
    struct status (*replay_start)(struct store *store, const char *boot_id, struct diag *diag,
                                  bool *ret_is_lossy);
    struct status (*replay_stop)(struct store *store, struct diag *diag);
    struct status (*learn_correlations)(struct store *store, const struct correlation *correlations,
                                        size_t n, struct park *park, struct diag *diag,
                                        enum answer *ret_answer);
    struct status (*find_correlation)(struct store *store, const struct correlation_key *key,
                                      struct park *park, struct arena *arena, struct diag *diag,
                                      enum answer *ret_answer, bool *ret_is_known,
                                      struct correlation *ret_found);
    struct status (*correlated_ids)(struct store *store, const struct ident *local,
                                    struct park *park, struct arena *arena, struct diag *diag,
                                    enum answer *ret_answer,
                                    struct correlation_match_list *ret_matches);
    struct status (*forget_correlations)(struct store *store, const struct correlation_forget *what,
                                         struct diag *diag, uint64_t *ret_forgotten);
    struct status (*count)(struct store *store, struct diag *diag, struct store_counts *ret_counts);
    const struct jobs_engine *jobs;
    const struct pending_engine *pending;
};

#define STORE_VISITS 72 /* as many workers as there may be, and a few */

/* The first member of every engine's store. */
struct store {
    const struct store_engine *engine;
    _Atomic int64_t visits[STORE_VISITS]; /* mono: since when a call is in it; 0: none */
};

/* A call on its way through the engine, to the end of its block. (visit.c) */
struct store_visit {
    _Atomic int64_t *since_us; /* NULL: nobody looks at it */
};
struct store_visit store_visit_begin(struct store *store);
void store_visit_end(struct store_visit *visit);
#define STORE_VISIT(store)                                                                         \
    CLEANUP(store_visit_end)                                                                       \
    __attribute__((unused)) struct store_visit visit = store_visit_begin(store)

extern const struct store_engine store_engine_sqlite;

#endif
