/*
 * Contents of documents: their digests, and large ones as files beside the database. For the SQLite
 * engine only; every function runs on the thread of one store call.
 */
#ifndef STORE_SQLITE_FILES_H
#define STORE_SQLITE_FILES_H

#include <limits.h>

#include "base/digest.h"
#include "store/sqlite.h"

#define SQLITE_FILE_LEAST                                                                          \
    ((uint64_t)256 * 1024) /* bytes of a content that is not kept in a row                         \
                            */

struct sqlite_content {
    uint8_t sha256[SHA256_BYTES];
    char sha1[SHA1_HEX];
    uint64_t size;
    bool is_file; /* too large for a row */
    /* of a file */
    int fd; /* -1: none */
    char path[PATH_MAX];
    bool is_published;
};

/* Before the write transaction: digests, and the synced copy of a large one. Also after a failure:
 * sqlite_content_done. */
MUST_CHECK struct status sqlite_content_prepare(const struct sqlite_store *store,
                                                const struct body *body, struct diag *diag,
                                                struct sqlite_content *ret_content);
/* Inside the write transaction: is there an entry with these bytes? It has them then; they are kept
 * once. To be asked before the new entry has its row. */
MUST_CHECK struct status sqlite_content_find(struct db_conn *conn,
                                             const uint8_t sha256[SHA256_BYTES], struct diag *diag,
                                             bool *ret_is_known);
/* Inside the write transaction, for the first entry with these bytes: publishes the file, or writes
 * them into a row. ERR_STORE when the body has become another. */
MUST_CHECK struct status sqlite_content_put(const struct sqlite_store *store, struct db_conn *conn,
                                            int64_t row, const struct body *body,
                                            struct sqlite_content *content, struct diag *diag);
/* After it. */
void sqlite_content_done(struct sqlite_content *content, bool is_committed);

/* A published one, to be read; its digest is checked while it is. ERR_STORE when it is missing or
 * has another size. */
MUST_CHECK struct status sqlite_content_open(const struct sqlite_store *store,
                                             const uint8_t sha256[SHA256_BYTES], uint64_t size,
                                             struct diag *diag, struct body *ret_body);

/* Did a store call that ended in the middle leave something? One is at work, perhaps. */
bool sqlite_files_are_left(const struct sqlite_store *store);
/* Inside a write transaction: clears away files that no row needs. */
MUST_CHECK struct status sqlite_files_clear(const struct sqlite_store *store, struct db_conn *conn,
                                            struct diag *diag);

#endif
