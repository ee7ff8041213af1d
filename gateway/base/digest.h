/*
 * Digests and encodings: what the store, the journal and the signatures share. Thread: any.
 * The digests are OpenSSL's; CRC-32C is the Castagnoli polynomial (RFC 3720 B.4).
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdint.h>

#include "base/buf.h"

#define SHA256_BYTES 32
#define SHA256_HEX   65 /* NUL included */
#define SHA1_HEX     41

MUST_CHECK struct status digest_sha256(struct span bytes, struct diag *diag,
                                       uint8_t ret_digest[SHA256_BYTES]);
MUST_CHECK struct status digest_sha256_hex(struct span bytes, struct diag *diag,
                                           char ret_hex[SHA256_HEX]);
MUST_CHECK struct status digest_sha1_hex(struct span bytes, struct diag *diag,
                                         char ret_hex[SHA1_HEX]);

/* The same for bytes that come piece by piece. One thread at a time. */
enum digest_kind { DIGEST_SHA256, DIGEST_SHA1 };
#define DIGEST_MAX SHA256_BYTES /* bytes of the longest */
struct digest_stream;
MUST_CHECK struct status digest_stream_new(enum digest_kind kind, struct diag *diag,
                                           struct digest_stream **ret_stream);
MUST_CHECK struct status digest_stream_add(struct digest_stream *stream, struct span bytes,
                                           struct diag *diag);
/* What has been added; then the stream is as new. */
MUST_CHECK struct status digest_stream_end(struct digest_stream *stream, struct diag *diag,
                                           uint8_t ret_digest[DIGEST_MAX]);
/* The same in hexadecimal digits. */
MUST_CHECK struct status digest_stream_end_hex(struct digest_stream *stream, struct diag *diag,
                                               char ret_hex[SHA256_HEX]);
void digest_stream_free(struct digest_stream *stream);    /* NULL is fine */
void digest_stream_free_p(struct digest_stream **stream); /* for CLEANUP */

uint32_t crc32c(uint32_t start, const void *bytes, size_t n); /* start: 0, or the value so far */
/* The same without the processor's instruction: what other machines run, and what tests compare. */
uint32_t crc32c_portable(uint32_t start, const void *bytes, size_t n);

void hex_encode(const uint8_t *bytes, size_t n, char *ret_hex); /* 2n + 1 bytes, lower case */
bool hex_decode(struct span hex, uint8_t *ret_bytes, size_t n); /* exactly n bytes, any case */

MUST_CHECK struct status base64_encode(struct span bytes, struct buf *out, struct diag *diag);
/* XML white space is skipped; any other foreign character, bad padding or set bits after the last
 * byte are ERR_MESSAGE_CONTENT. */
MUST_CHECK struct status base64_decode(struct span text, struct buf *out, struct diag *diag);
/* The same language, into room for <size> bytes; false when it is another or too long, and the room
 * may be partly written then. */
bool base64_decode_into(struct span text, uint8_t *ret_bytes, size_t size, size_t *ret_n);
/* base64url as JWS writes it (RFC 7515 section 2): no padding, no white space, no set bits after
 * the last byte; false for anything else. <ret_bytes> has room for <size> bytes and may be partly
 * written when the answer is false; BASE64URL_ROOM(text.n) is always enough. */
#define BASE64URL_ROOM(n) ((n) / 4 * 3 + 3)
bool base64url_decode(struct span text, uint8_t *ret_bytes, size_t size, size_t *ret_n);

#endif
