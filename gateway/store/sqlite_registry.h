/*
 * SubmissionSets, Folders and Associations as rows, and what is found by whom. For the SQLite
 * engine only; every function runs within the transaction of one store call, on its thread; the
 * arena owns what is read.
 */
#ifndef STORE_SQLITE_REGISTRY_H
#define STORE_SQLITE_REGISTRY_H

#include "store/registry.h"
#include "store/sqlite.h"

/* The numbers are in the file: never change. */
enum sqlite_package_kind { SQLITE_PACKAGE_SET = 1, SQLITE_PACKAGE_FOLDER = 2 };

/* ---- sqlite_packages.c: writing; ids are UUIDs, times are DTM, both were checked ---- */
MUST_CHECK struct status sqlite_set_insert(struct db_conn *conn, const struct submission_set *set,
                                           int64_t patient, int64_t now_us, struct diag *diag);
MUST_CHECK struct status sqlite_folder_insert(struct db_conn *conn, const struct folder *folder,
                                              int64_t patient, int64_t now_us, struct diag *diag);
MUST_CHECK struct status sqlite_association_insert(struct db_conn *conn,
                                                   const struct association *association,
                                                   int64_t now_us, struct diag *diag);
/* "urn:uuid:..." of a new UUID. */
MUST_CHECK struct status sqlite_uuid_make(struct arena *arena, struct diag *diag,
                                          struct span *ret_uuid);

/* ---- sqlite_packages.c: reading ---- */
/* How packages are found; empty lists and times do not restrict. */
struct sqlite_package_filter {
    struct ident patient_id;
    struct span_list status, source_ids;
    struct span from, to; /* DTM */
    struct span author;   /* LIKE */
    const struct code_list *codes;
    size_t codes_n; /* AND of ORs */
};
/* One of the two lists is filled, by <kind>. */
struct sqlite_packages {
    struct submission_set_list sets;
    struct folder_list folders;
};
MUST_CHECK struct status sqlite_find_packages(struct sqlite_store *store, struct db_conn *conn,
                                              enum sqlite_package_kind kind,
                                              const struct sqlite_package_filter *filter,
                                              struct arena *arena, struct diag *diag,
                                              struct sqlite_packages *packages);
/* By entryUUIDs or by uniqueIds, whichever list is not empty. */
MUST_CHECK struct status
sqlite_get_packages(struct sqlite_store *store, struct db_conn *conn, enum sqlite_package_kind kind,
                    const struct span_list *entry_uuids, const struct span_list *unique_ids,
                    struct arena *arena, struct diag *diag, struct sqlite_packages *packages);

/* ---- sqlite_associations.c ---- */
enum sqlite_end { SQLITE_END_SELF, SQLITE_END_SOURCE, SQLITE_END_TARGET, SQLITE_END_EITHER };
/* Associations that have one of <uuids> there (SELF: as their own); <types> empty: of any type.
 * Appended to the list, in the order in which they were registered. */
MUST_CHECK struct status sqlite_get_associations(struct sqlite_store *store, struct db_conn *conn,
                                                 enum sqlite_end end, const struct span_list *uuids,
                                                 const struct span_list *types, struct arena *arena,
                                                 struct diag *diag,
                                                 struct association_list *associations);

/* Of the document ?1: itself, its transforms and addenda, and theirs, which are deprecated with it
 * (ITI TF-3 4.2.2.2). */
#define SQLITE_GOES_WITH                                                                           \
    "WITH RECURSIVE old(uuid) AS (SELECT ?1 UNION"                                                 \
    " SELECT a.source FROM old JOIN associations AS a ON a.target = old.uuid"                      \
    " AND a.type IN ('" ASSOCIATION_APPEND "', '" ASSOCIATION_TRANSFORM "'))"

/* ---- sqlite_members.c ---- */
MUST_CHECK struct status sqlite_members(struct sqlite_store *store, struct db_conn *conn,
                                        const struct span_list *entry_uuids, struct arena *arena,
                                        struct diag *diag, struct store_member_list *members);

/* ---- sqlite_ask.c ---- */
MUST_CHECK struct status sqlite_ask(struct sqlite_store *store, struct db_conn *conn,
                                    const struct store_question *question, struct arena *arena,
                                    struct diag *diag, struct registry_objects *ret_objects);

#endif
