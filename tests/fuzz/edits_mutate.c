/*
 * The mutators of edits.h. Called by libFuzzer only.
 */
#include "fuzz/edits_parts.h"

#include <string.h>

#include <libxml/parser.h>

/* libFuzzer's own; not there in a replay, which never mutates. */
extern size_t LLVMFuzzerMutate(uint8_t *bytes, size_t n, size_t max) __attribute__((weak));

static void
random_record(struct fuzz_random *random, uint8_t record[EDIT_BYTES])
{
    for (size_t i = 0; i < EDIT_BYTES; i++) {
        record[i] = (uint8_t)fuzz_random_below(random, 256);
    }
    record[0] = (uint8_t)fuzz_random_below(random, EDIT_KINDS);
    if (fuzz_random_below(random, 4) == 0) { /* few parts at a time, often instead of ours */
        const uint32_t one = fuzz_random_below(random, 8), two = fuzz_random_below(random, 8);
        record[0] = EDIT_PARTS;
        record[5] = (uint8_t)(1U << one | 1U << two);
        record[7] = fuzz_random_below(random, 2) == 0 ? 4 : record[7];
    }
    record[2] = record[4] = 0; /* few trees have more than 256 elements */
}

size_t
edits_mutate(uint8_t *bytes, size_t n, size_t max, size_t head, unsigned seed)
{
    struct fuzz_random random = fuzz_random_of(seed);
    if (max < head + EDIT_BYTES) {
        return n < max ? n : max;
    }
    if (n < head) {
        memset(bytes + n, 0, head - n);
        n = head;
    }
    size_t records = (n - head) / EDIT_BYTES;
    uint8_t *const first = bytes + head;
    const size_t room = (max - head) / EDIT_BYTES;
    const size_t at = fuzz_random_below(&random, (uint32_t)records + 1);
    const size_t victim = records == 0 ? 0 : at % records;
    switch (records == 0 ? 0 : fuzz_random_below(&random, 6)) {
    case 0: /* one more */
    case 1:
        if (records < room && records < EDITS_MAX) {
            memmove(first + (at + 1) * EDIT_BYTES, first + at * EDIT_BYTES,
                    (records - at) * EDIT_BYTES);
            random_record(&random, first + at * EDIT_BYTES);
            records++;
        }
        break;
    case 2: /* one less */
        memmove(first + victim * EDIT_BYTES, first + (victim + 1) * EDIT_BYTES,
                (records - victim - 1) * EDIT_BYTES);
        records--;
        break;
    case 3: /* another one */
        random_record(&random, first + victim * EDIT_BYTES);
        break;
    default: { /* one byte of one */
        const uint32_t which = fuzz_random_below(&random, EDIT_BYTES);
        uint8_t *const byte = first + victim * EDIT_BYTES + which;
        *byte = fuzz_random_below(&random, 2) == 0
                    ? (uint8_t)fuzz_random_below(&random, 256)
                    : (uint8_t)(*byte + fuzz_random_below(&random, 5) - 2);
        break;
    }
    }
    if (head > 0 && fuzz_random_below(&random, 8) == 0) {
        bytes[fuzz_random_below(&random, (uint32_t)head)] =
            (uint8_t)fuzz_random_below(&random, 256);
    }
    return head + records * EDIT_BYTES;
}

/* Some edits of the input as a tree; false when it is none, or became too long. */
static bool
mutate_tree(uint8_t *bytes, size_t max, struct fuzz_random *random, size_t *n)
{
    xmlDoc *const doc = xmlReadMemory((const char *)bytes, (int)*n, NULL, NULL,
                                      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    uint8_t records[3 * EDIT_BYTES];
    struct arena *const arena = fuzz_arena();
    bool is_done = false;
    if (doc != NULL && xmlDocGetRootElement(doc) != NULL) {
        const size_t count = 1 + fuzz_random_below(random, 3);
        const struct edit_scene scene = {doc, xmlDocGetRootElement(doc), &doc, 1};
        for (size_t i = 0; i < count; i++) {
            random_record(random, records + i * EDIT_BYTES);
        }
        edits_apply(&scene, span_of((const char *)records, count * EDIT_BYTES));
        const struct span xml = edits_serialise(doc, arena);
        is_done = xml.n > 0 && xml.n <= max;
        if (is_done) {
            memcpy(bytes, xml.p, xml.n);
            *n = xml.n;
        }
    }
    xmlFreeDoc(doc);
    arena_free(arena);
    return is_done;
}

size_t
edits_mutate_xml(uint8_t *bytes, size_t n, size_t max, unsigned seed)
{
    struct fuzz_random random = fuzz_random_of(seed);
    if (fuzz_random_below(&random, 3) > 0 && mutate_tree(bytes, max, &random, &n)) {
        return n;
    }
    return LLVMFuzzerMutate(bytes, n, max);
}
