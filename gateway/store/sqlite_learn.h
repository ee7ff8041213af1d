/*
 * People of suppliers in the SQLite engine (sqlite_learn.c): one function, within a write
 * transaction. Thread: the store call's.
 */
#ifndef STORE_SQLITE_LEARN_H
#define STORE_SQLITE_LEARN_H

#include "store/sqlite.h"

MUST_CHECK struct status sqlite_person_learn(struct sqlite_store *store, struct db_conn *conn,
                                             const struct store_person *person, struct arena *arena,
                                             struct diag *diag, enum store_learned *ret_learned);

#endif
