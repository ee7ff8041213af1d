/*
 * The next segment of a chain that is being written: its head, its key. Called by recovery before
 * the journal thread exists, then by the journal thread alone.
 */
#include <string.h>

#include <openssl/rand.h>

#include "audit/journal_state.h"

/* A salt of its own, so that no two segments share a key. */
static struct status
encrypt_head(const struct journal *journal, struct segment_head *head, struct diag *diag)
{
    head->is_encrypted = true;
    memcpy(head->key_id, journal->key.id, JOURNAL_KEY_ID_BYTES);
    if (RAND_bytes(head->salt, sizeof(head->salt)) != 1) {
        return FAIL(diag, ERR_CRYPTO, "OpenSSL has no random bytes for a segment's key");
    }
    return OK;
}

/* Out of the reserve when the disk is full: what is in flight must still be recorded. */
static struct status
create(struct journal *journal, const struct segment_head *head, bool is_replacing,
       struct diag *diag, struct segment *ret_segment)
{
    const struct segment_making plainly = {.may_replace = is_replacing};
    const struct segment_making reserved = {.may_replace = is_replacing, .from = SEGMENT_RESERVE};
    const struct segment_making prepared = {.may_replace = is_replacing, .from = SEGMENT_PREPARED};
    struct diag why = {0};
    bool is_full = false;
    journal->ahead = 0;
    if (journal_take_prepared(journal, head->size)) {
        journal->ahead = head->size;
        return segment_create(journal->folder, head, prepared, diag, &is_full, ret_segment);
    }
    const struct status st =
        segment_create(journal->folder, head, plainly, &why, &is_full, ret_segment);
    if (is_ok(st)) {
        return OK;
    }
    if (!is_full || !journal_give_up_reserve(journal)) {
        return FAIL(diag, st.code, "%s", why.text);
    }
    return segment_create(journal->folder, head, reserved, diag, &is_full, ret_segment);
}

struct status
journal_next_segment(struct journal *journal, uint64_t first, size_t need, bool is_replacing,
                     struct diag *diag)
{
    struct segment next;
    const uint64_t least = SEGMENT_HEAD_MAX + (uint64_t)need + 1;
    struct segment_head head = {
        .first_sequence = first,
        .created_us = clock_wall_us(journal->clock),
        .size = journal->sizes.segment_bytes > least ? journal->sizes.segment_bytes : least,
    };
    memcpy(head.previous, journal->previous, SHA256_BYTES);
    memcpy(head.chain, journal->chain, sizeof(head.chain));
    if (journal->cipher != NULL) {
        TRY(encrypt_head(journal, &head, diag));
        TRY(cipher_start(journal->cipher, &journal->key, head.salt, journal->chain, diag));
    }
    TRY(create(journal, &head, is_replacing, diag, &next));
    segment_protect(&journal->segment);
    segment_close(&journal->segment);
    journal->segment = next;
    journal->offset = segment_head_bytes(&head);
    journal->linked_end = journal->offset;
    return OK;
}
