/*
 * What all fuzz targets share. A target is one file fuzz_<name>.c with LLVMFuzzerTestOneInput; it
 * is linked with libFuzzer (configure --enable-fuzzing, clang) or with replay.c, which runs the
 * inputs of tests/fuzz/corpus/<name>. An input must never reach abort: a promise that is broken
 * ends the process through FUZZ_MUST. Thread: one.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "base/arena.h"
#include "base/buf.h"

/* ---- what libFuzzer calls (each target defines the first; the others are optional) ---- */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t max, unsigned seed);

/* A promise of the code under test. The text says what was expected and what came. */
#define FUZZ_MUST(claim, ...)                                                                      \
    do {                                                                                           \
        if (!(claim)) {                                                                            \
            fuzz_broken(__FILE__, __LINE__, #claim, __VA_ARGS__);                                  \
        }                                                                                          \
    } while (0)
_Noreturn void fuzz_broken(const char *file, int line, const char *claim, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Small enough that an input which makes the code hoard memory is refused, as in the gateway. */
struct arena *fuzz_arena(void);
/* Every refusal must be recorded, and none may say that it is our fault or that memory is short. */
void fuzz_check_refusal(struct status st, const struct diag *diag);

/* An input that is cut into parts: numbers from the front. 0 when there is nothing left. */
uint8_t fuzz_take_u8(struct span *input);
uint16_t fuzz_take_u16(struct span *input);

/* A reproducible sequence of pseudo-random numbers, for mutators. */
struct fuzz_random {
    uint64_t state;
};
struct fuzz_random fuzz_random_of(unsigned seed);
uint32_t fuzz_random_below(struct fuzz_random *random, uint32_t below);

#endif
