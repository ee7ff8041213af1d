/* What the tests of the registry share: a store with two patients, and submissions in a few lines.
 * One thread. */
#ifndef REGISTRY_KIT_H
#define REGISTRY_KIT_H

#include "store/registry.h"
#include "tests/unit/store_fixture.h"

struct shelf {
    char path[512];
    struct store *store;
    struct arena *arena;
    struct span ann, bob;            /* CX of ours */
    struct ident ann_id, ann_source; /* ours; the source's, 2.999.5:17 */
};
void kit_open(struct shelf *shelf);
void kit_close(struct shelf *shelf);
void kit_reopen(struct shelf *shelf);
/* A number that SQL reads from the store's file. */
long kit_number(const struct shelf *shelf, const char *sql);
/* Rows of the registry's tables, of all of them together. */
long kit_rows(const struct shelf *shelf);
void kit_sql(const char *path, const char *sql);
/* A store of schema version 4, as SQL text makes it, with one patient ("old-patient") and one
 * document (uniqueId 2.999.7.4, bytes "old bytes"). */
void kit_make_version_4(const char *path);

#define KIT_DOCUMENTS 12
struct kit {
    struct shelf *shelf;
    struct registry_objects objects;
    struct submitted_document documents[KIT_DOCUMENTS];
    struct body bodies[KIT_DOCUMENTS];
    size_t documents_n;
    enum store_patients patients;
    const char *sender; /* another community; "": one without a name; NULL: a system of ours */
    struct status (*write_texts)(const struct registry_objects *submitted,
                                 struct registry_objects *registered, struct arena *arena,
                                 struct diag *diag);
};
/* A SubmissionSet "set" of ann's with a new uniqueId. */
void kit_begin(struct kit *kit, struct shelf *shelf);
struct submission_set *kit_set(struct kit *kit);
/* A complete entry and its bytes (NULL: none), a member of the set. */
struct document_entry *kit_document(struct kit *kit, const char *id, const char *unique_id,
                                    const char *bytes);
struct folder *kit_folder(struct kit *kit, const char *id, const char *unique_id);
struct association *kit_associate(struct kit *kit, const char *type, const char *source,
                                  const char *target);
struct store_submitted kit_submit(struct kit *kit);
/* All was stored; its objects. */
struct registry_objects kit_store(struct kit *kit);
/* Refused with exactly this code among the errors and <context> in that error's text; no row was
 * made. */
void kit_refused(struct kit *kit, const char *code, const char *context);
/* One document of one submission: its entryUUID. */
const char *kit_put(struct shelf *shelf, const char *unique_id, const char *bytes);

/* What is retrieved for one uniqueId: under which, and the bytes. */
void kit_expect_bytes(struct shelf *shelf, const char *unique_id, const char *want_id,
                      const char *bytes);
/* A shelf with documents in several states. */
struct kit_known {
    struct shelf shelf;
    const char *old, *gone; /* entryUUIDs: in force, deprecated */
    const char *demand;     /* on-demand */
    const char *folder;     /* of ann's, with <old> */
    const char *of_bob, *folder_of_bob;
};
void kit_open_known(struct kit_known *known);

struct span kit_span(struct shelf *shelf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
