/*
 * Keys of the journal as text and by name. Called when a configuration is loaded, and by whoever
 * opens encrypted segments; owns nothing.
 */
#include "base/journal_keys.h"

#include <string.h>

#include "base/digest.h"
#include "base/mem.h"

#define KEY_ID_LABEL "isthmus audit key id\n"
#define KEY_TEXT_MAX 256 /* bytes of a decoded text; more is no key */

static struct status
name_key(struct journal_key *key, struct diag *diag)
{
    uint8_t bytes[sizeof(KEY_ID_LABEL) - 1 + JOURNAL_KEY_BYTES];
    uint8_t digest[SHA256_BYTES];

    memcpy(bytes, KEY_ID_LABEL, sizeof(KEY_ID_LABEL) - 1);
    memcpy(bytes + sizeof(KEY_ID_LABEL) - 1, key->secret, JOURNAL_KEY_BYTES);
    const struct status st =
        digest_sha256(span_of((const char *)bytes, sizeof(bytes)), diag, digest);
    mem_wipe(bytes, sizeof(bytes));
    TRY(st);
    memcpy(key->id, digest, JOURNAL_KEY_ID_BYTES);
    return OK;
}

static bool
read_secret(struct span text, uint8_t secret[JOURNAL_KEY_BYTES])
{
    uint8_t bytes[KEY_TEXT_MAX];
    size_t n = 0;

    if (hex_decode(text, secret, JOURNAL_KEY_BYTES)) {
        return true;
    }
    const bool is_key =
        base64_decode_into(text, bytes, sizeof(bytes), &n) && n == JOURNAL_KEY_BYTES;
    if (is_key) {
        memcpy(secret, bytes, JOURNAL_KEY_BYTES);
    }
    mem_wipe(bytes, sizeof(bytes));
    return is_key;
}

struct status
journal_key_read(struct span text, struct diag *diag, struct journal_key *ret_key)
{
    struct journal_key key;
    struct status st = OK;

    if (!read_secret(span_trim(text), key.secret)) {
        st = FAIL(diag, ERR_CREDENTIAL,
                  "expected a key of %d bytes as %d hexadecimal digits or base64, got %zu "
                  "characters of something else; make one with: openssl rand -base64 %d",
                  JOURNAL_KEY_BYTES, 2 * JOURNAL_KEY_BYTES, span_trim(text).n, JOURNAL_KEY_BYTES);
    } else {
        st = name_key(&key, diag);
    }
    if (is_ok(st)) {
        *ret_key = key;
    }
    mem_wipe(&key, sizeof(key));
    return st;
}

const struct journal_key *
journal_keys_find(const struct journal_keys *keys, const uint8_t id[JOURNAL_KEY_ID_BYTES])
{
    for (size_t i = 0; keys != NULL && i < keys->n; i++) {
        if (memcmp(keys->items[i].id, id, JOURNAL_KEY_ID_BYTES) == 0) {
            return &keys->items[i];
        }
    }
    return NULL;
}

const struct journal_key *
journal_keys_writing(const struct journal_keys *keys)
{
    return keys != NULL && keys->is_writing ? &keys->items[0] : NULL;
}
