/*
 * Import: files and folders into a store. What a file says of itself comes from its C-CDA header,
 * or from a YAML sidecar (<file>.yaml), which wins when it is there. Each document goes in whole or
 * not at all; a refused one does not stop the others, a failing store stops everything.
 * Thread: the command's.
 */
#ifndef CLI_IMPORT_H
#define CLI_IMPORT_H

#include "store/store.h"

enum import_outcome { IMPORT_NEW, IMPORT_KNOWN, IMPORT_REFUSED };

/* What became of one file. Everything lives until the listener returns. */
struct import_file {
    const char *path;
    enum import_outcome outcome;
    struct span unique_id;  /* as registered */
    struct span patient_id; /* CX */
    bool is_new_patient;
    bool is_unique_id_made;
    struct span_list assumed; /* metadata that got a default */
    struct span reason;       /* IMPORT_REFUSED: why; for a sidecar several lines */
};

struct import_summary {
    size_t files; /* found */
    size_t new_documents, known_documents, refused;
    size_t new_patients, made_ids;
};

struct import_listener {
    void (*on_start)(struct import_listener *listener, const char *path, size_t number,
                     size_t total); /* before a file is read; may be NULL */
    void (*on_file)(struct import_listener *listener, const struct import_file *file);
};

/* Files in the order of <paths>; those within a folder by name, its sub-folders included, without
 * hidden ones and sidecars. *ret_summary counts what was done, also when the store failed. */
MUST_CHECK struct status import_paths(struct store *store, const char *const *paths, size_t n,
                                      struct import_listener *listener, struct diag *diag,
                                      struct import_summary *ret_summary);

/* What a document says of itself, from its header or its sidecar. */
struct import_description {
    struct patient patient;
    struct document_entry entry;
    struct span header_id;
    struct span_list assumed;
};

/* Its metadata, and its bytes: what is described by its own header is read whole for that, what a
 * sidecar describes stays in its file. Refuses what an import refuses; <ret_reason> is set when
 * that takes several lines. *ret_body must be empty, and is the caller's also on failure; texts
 * live as long as it and the arena. */
MUST_CHECK struct status import_describe(const char *path, struct arena *arena, struct diag *diag,
                                         struct import_description *description,
                                         struct body *ret_body, struct span *ret_reason);

#endif
