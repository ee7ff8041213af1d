/*
 * Where a journal is, and what opens it: everything that writes or reads one is told so.
 *
 * Owner: the caller; it outlives what was opened with it. Thread: any (it is only read).
 */
#ifndef AUDIT_PLACE_H
#define AUDIT_PLACE_H

struct journal_keys;

struct journal_place {
    const char *dir;                 /* the chains' folder */
    const struct journal_keys *keys; /* of encrypted segments; NULL: none are known */
};
/* A place without keys, for one call. */
#define JOURNAL_AT(folder) (&(struct journal_place){.dir = (folder)})

#endif
