/*
 * The audit journal after damage: a genuine chain of records whose file was changed. Every record
 * that a reader still gives is one that was written, in order, from the first on; and a journal
 * that opens has cut nothing but the end.
 *
 * Input: one byte (closed properly or killed, and whether the next writer opens it), then two bytes
 * for the length that is cut off the end, then changes: two bytes where, one byte what.
 */
#include <stdio.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "unit/journal_kit.h"

#define WITH_WRITER 2

static struct kit_image images[2];
static struct seen {
    char hashes[KIT_RECORDS][SHA256_HEX];
    size_t n;
} genuine[2];

static bool
keep(void *arg, const struct journal_record *record)
{
    struct seen *const seen = arg;
    FUZZ_MUST(seen->n < KIT_RECORDS, "more records than were written");
    FUZZ_MUST(record->sequence == seen->n + 1, "record %zu has the number %llu", seen->n + 1,
              (unsigned long long)record->sequence);
    memcpy(seen->hashes[seen->n++], record->hash, SHA256_HEX);
    return true;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct diag diag = {0};
    (void)argc;
    (void)argv;
    kit_image_make(&images[0], "killed", false);
    kit_image_make(&images[1], "closed", true);
    for (size_t i = 0; i < ARRAY_LEN(images); i++) {
        genuine[i].n = 0;
        FUZZ_MUST(is_ok(journal_read(JOURNAL_AT(images[i].dir), keep, &genuine[i], &diag)), "%s",
                  diag.text);
        FUZZ_MUST(genuine[i].n == KIT_RECORDS, "%zu records", genuine[i].n);
    }
    return 0;
}

/* Damage is ERR_JOURNAL, and said. */
static void
check_refusal(struct status st, const struct diag *diag)
{
    FUZZ_MUST(is_ok(st) || (st.code == ERR_JOURNAL && diag->text[0] != '\0'), "%s: %s",
              err_name(st.code), diag->text);
}

/* What the readers give is the beginning of what was written. */
static size_t
read_all(const struct kit_image *image)
{
    struct diag diag = {0};
    struct seen seen = {.n = 0};
    check_refusal(journal_read(JOURNAL_AT(image->dir), keep, &seen, &diag), &diag);
    for (size_t i = 0; i < seen.n; i++) {
        FUZZ_MUST(memcmp(seen.hashes[i], genuine[image - images].hashes[i], SHA256_HEX) == 0,
                  "record %zu was never written so", i + 1);
    }
    const struct kit_verdict verdict = kit_verify(image->dir);
    FUZZ_MUST(verdict.records == seen.n || verdict.has_problem, "read %zu, verified %llu", seen.n,
              (unsigned long long)verdict.records);
    return seen.n;
}

static void
open_and_close(const struct kit_image *image)
{
    struct diag diag = {0};
    struct journal *journal = NULL;
    const size_t before = read_all(image);
    const struct status st =
        journal_open(JOURNAL_AT(image->dir), "serve", clock_system(), &diag, &journal);
    check_refusal(st, &diag);
    if (is_ok(st)) {
        journal_close(journal);
        FUZZ_MUST(read_all(image) == before, "opening it changed its records");
    }
}

static void
damage(const struct kit_image *image, struct span input)
{
    char bytes[65536];
    const size_t whole = image->bytes.n < sizeof(bytes) ? image->bytes.n : sizeof(bytes);
    memcpy(bytes, image->bytes.p, whole);
    const size_t cut = fuzz_take_u16(&input);
    const size_t n = cut < whole ? whole - cut : whole;
    while (input.n >= 3) {
        const size_t at = fuzz_take_u16(&input) % n;
        bytes[at] = (char)fuzz_take_u8(&input);
    }
    kit_write_file(image->path, span_of(bytes, n));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct span input = span_of((const char *)bytes, n);
    const uint8_t how = fuzz_take_u8(&input);
    const struct kit_image *const image = &images[how & 1];
    damage(image, input);
    if ((how & WITH_WRITER) != 0) {
        open_and_close(image);
    } else {
        (void)read_all(image);
    }
    return 0;
}
