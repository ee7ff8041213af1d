/*
 * Makes UUIDs and OIDs and checks the syntax of those that come. Called by the codecs, the store
 * and the audit; any thread. Random bytes come from the kernel only.
 */
#include "base/ids.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/digest.h"

#define UUID_BYTES 16

/* RFC 9562 section 4: the version is in the upper half of byte 6, the variant in byte 8. */
static void
write_uuid(const uint8_t bytes[UUID_BYTES], unsigned version, char ret_uuid[UUID_TEXT])
{
    static const size_t group_bytes[] = {4, 2, 2, 2, 6};
    uint8_t marked[UUID_BYTES];
    memcpy(marked, bytes, UUID_BYTES);
    marked[6] = (uint8_t)((marked[6] & 0x0FU) | version << 4);
    marked[8] = (uint8_t)((marked[8] & 0x3FU) | 0x80U);
    const uint8_t *from = marked;
    char *to = ret_uuid;
    for (size_t i = 0; i < ARRAY_LEN(group_bytes); i++) {
        if (i > 0) {
            *to++ = '-';
        }
        hex_encode(from, group_bytes[i], to);
        from += group_bytes[i];
        to += 2 * group_bytes[i];
    }
}

/* A message needs several, and asking the kernel costs more than writing them: each thread takes
 * bytes for a few. A process that was forked must not give out what its parent does. */
struct supply {
    uint8_t bytes[16 * UUID_BYTES]; /* up to 256 bytes come whole or not at all (getrandom(2)) */
    size_t left;
    unsigned forks; /* of the process, when they were taken */
};
static _Thread_local struct supply supply;
static atomic_uint forks;
static pthread_once_t watch_once = PTHREAD_ONCE_INIT;

static void
count_fork(void)
{
    (void)atomic_fetch_add(&forks, 1);
}

static void
watch_forks(void)
{
    if (pthread_atfork(NULL, NULL, count_fork) != 0) {
        abort(); /* no memory for a pointer; the same UUID twice would be worse */
    }
}

static void
fill_supply(unsigned now)
{
    ssize_t got = 0;
    do {
        got = getrandom(supply.bytes, sizeof(supply.bytes), 0);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof(supply.bytes)) {
        abort();
    }
    supply.left = sizeof(supply.bytes);
    supply.forks = now;
}

void
uuid_new(char ret_uuid[UUID_TEXT])
{
    (void)pthread_once(&watch_once, watch_forks);
    const unsigned now = atomic_load_explicit(&forks, memory_order_relaxed);
    if (supply.left == 0 || supply.forks != now) {
        fill_supply(now);
    }
    supply.left -= UUID_BYTES;
    uint8_t *const bytes = supply.bytes + supply.left;
    write_uuid(bytes, 4, ret_uuid);
    memset(bytes, 0, UUID_BYTES);
}

void
uuid_from_digest(const uint8_t digest[16], char ret_uuid[UUID_TEXT])
{
    write_uuid(digest, 8, ret_uuid);
}

static bool
is_hyphen_place(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

static bool
read_uuid(struct span uuid, uint8_t ret_bytes[UUID_BYTES])
{
    char hex[2 * UUID_BYTES];
    size_t n = 0;
    if (uuid.n != UUID_TEXT - 1) {
        return false;
    }
    for (size_t i = 0; i < uuid.n; i++) {
        if (is_hyphen_place(i) != (uuid.p[i] == '-')) {
            return false;
        }
        if (uuid.p[i] != '-') {
            hex[n++] = uuid.p[i];
        }
    }
    return hex_decode(span_of(hex, n), ret_bytes, UUID_BYTES);
}

bool
uuid_is_valid(struct span uuid)
{
    uint8_t bytes[UUID_BYTES];
    return read_uuid(uuid, bytes);
}

/* Divide the big-endian number by ten, in place; the remainder is its last decimal digit. */
static unsigned
divide_by_ten(uint8_t number[UUID_BYTES])
{
    unsigned rest = 0;
    for (size_t i = 0; i < UUID_BYTES; i++) {
        const unsigned part = rest << 8 | number[i];
        number[i] = (uint8_t)(part / 10);
        rest = part % 10;
    }
    return rest;
}

void
oid_from_uuid(const char uuid[UUID_TEXT], char ret_oid[OID_TEXT])
{
    enum { DIGITS_MAX = 39 }; /* of 2^128 - 1 */
    uint8_t number[UUID_BYTES];
    char digits[DIGITS_MAX];
    size_t first = DIGITS_MAX;
    if (!read_uuid(span_of_cstr(uuid), number)) {
        abort(); /* the contract: only a UUID that we made */
    }
    for (size_t i = 0; i < DIGITS_MAX; i++) {
        digits[DIGITS_MAX - 1 - i] = (char)('0' + divide_by_ten(number));
        if (digits[DIGITS_MAX - 1 - i] != '0') {
            first = DIGITS_MAX - 1 - i;
        }
    }
    if (first == DIGITS_MAX) {
        first--; /* the nil UUID is the digit 0 */
    }
    (void)snprintf(ret_oid, OID_TEXT, "2.25.%.*s", (int)(DIGITS_MAX - first), digits + first);
}

bool
oid_is_valid(struct span oid)
{
    struct span rest = oid;
    struct span arc;
    size_t arcs = 0;
    if (oid.n == 0 || oid.n > OID_TEXT - 1) {
        return false;
    }
    while (span_split(&rest, '.', &arc)) {
        if (arc.n == 0 || (arc.n > 1 && arc.p[0] == '0')) {
            return false;
        }
        for (size_t i = 0; i < arc.n; i++) {
            if (arc.p[i] < '0' || arc.p[i] > '9') {
                return false;
            }
        }
        if (arcs == 0 && (arc.n != 1 || arc.p[0] > '2')) {
            return false;
        }
        arcs++;
    }
    return arcs >= 2;
}

/* REQ: ITI38-home-syntax */
bool
home_community_oid(struct span text, struct span *ret_oid)
{
    const struct span prefix = SPAN("urn:oid:");
    struct span oid = text;
    /* RFC 8141 section 3.1: "urn" and the namespace compare without case. */
    if (span_eq_nocase(span_slice(text, 0, prefix.n), prefix)) {
        oid = span_slice(text, prefix.n, text.n);
    }
    if (!oid_is_valid(oid)) {
        return false;
    }
    *ret_oid = oid;
    return true;
}

bool
npi_is_valid(struct span text)
{
    int sum = 24; /* of the prefix 80840 */
    if (text.n != 10) {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        const int digit = text.p[i] - '0';
        if (digit < 0 || digit > 9) {
            return false;
        }
        const int doubled = 2 * digit > 9 ? 2 * digit - 9 : 2 * digit;
        sum += i % 2 == 0 ? doubled : digit;
    }
    return sum % 10 == 0;
}
