/*
 * The master keys of an encrypted journal (audit/cipher.h): read by the configuration, used by
 * audit/.
 *
 * Owner: whoever made the list; keys are wiped when it goes. Thread: any (it is only read).
 */
#ifndef BASE_JOURNAL_KEYS_H
#define BASE_JOURNAL_KEYS_H

#include <stdint.h>

#include "base/diag.h"
#include "base/span.h"

#define JOURNAL_KEY_BYTES    32
#define JOURNAL_KEY_ID_BYTES 8
#define JOURNAL_KEY_ID_HEX   (2 * JOURNAL_KEY_ID_BYTES + 1) /* NUL included */

/* A master key, and what segments call it. */
struct journal_key {
    uint8_t secret[JOURNAL_KEY_BYTES];
    uint8_t id[JOURNAL_KEY_ID_BYTES]; /* SHA-256 of a label and the key, its first bytes */
};
struct journal_keys {
    struct journal_key *items;
    size_t n;
    bool
        is_writing; /* items[0] encrypts what is written; else everything is written in the clear */
};

/* <text>: 32 bytes as 64 hexadecimal digits or base64, with white space around. ERR_CREDENTIAL,
 * which does not quote it. */
MUST_CHECK struct status journal_key_read(struct span text, struct diag *diag,
                                          struct journal_key *ret_key);
/* NULL is an empty list. NULL: it is not there. */
const struct journal_key *journal_keys_find(const struct journal_keys *keys,
                                            const uint8_t id[JOURNAL_KEY_ID_BYTES]);
/* The one that encrypts; NULL: none does. */
const struct journal_key *journal_keys_writing(const struct journal_keys *keys);

#endif
