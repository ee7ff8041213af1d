/*
 * What the files of the audit search index share; nobody else includes this.
 */
#ifndef STORE_AUDIT_INDEX_FILE_H
#define STORE_AUDIT_INDEX_FILE_H

#include "store/audit_index.h"
#include "store/db.h"

struct audit_index {
    struct db *db;
    struct db_conn *conn;
    int lock; /* shared: whoever takes the file away waits until nobody uses it */
};

#endif
