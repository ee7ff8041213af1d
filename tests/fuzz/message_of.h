/*
 * For the targets of message codecs: the input as a message. Thread: one.
 */
#ifndef FUZZ_MESSAGE_OF_H
#define FUZZ_MESSAGE_OF_H

#include "fuzz/edits.h"
#include "fuzz/fuzz.h"
#include "soap/message_internal.h"

/* Start libxml2 and xmlsec; for LLVMFuzzerInitialize. */
void message_library_init(void);
/* <payload> in an envelope of ours, read by the rules of requests or of answers; NULL when it is
 * refused. Comments and prefixes of the payload stay as they are. */
struct message *message_of(struct span payload, bool is_answer, struct arena *arena);
/* What our codec has written, as it is read again; that it is no message is a failure. */
struct message *message_again(const struct buf *out, bool is_answer, struct arena *arena);
/* One input: <check> gets the message, unless it is refused. 0, for LLVMFuzzerTestOneInput. */
int message_each(const uint8_t *bytes, size_t n, bool is_answer,
                 void (*check)(const struct message *message, struct arena *arena));

/* The target of a codec that reads payloads: each input that is a message goes to
 * <check>(message, arena). libFuzzer's entries. */
/* clang-format off */
#define MESSAGE_TARGET(is_answer, check)                                                           \
    int                                                                                            \
    LLVMFuzzerInitialize(int *argc, char ***argv)                                                  \
    {                                                                                              \
        (void)argc;                                                                                \
        (void)argv;                                                                                \
        message_library_init();                                                                    \
        return 0;                                                                                  \
    }                                                                                              \
                                                                                                   \
    int                                                                                            \
    LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)                                         \
    {                                                                                              \
        return message_each(bytes, n, is_answer, check);                                           \
    }                                                                                              \
                                                                                                   \
    size_t                                                                                         \
    LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t max, unsigned seed)                   \
    {                                                                                              \
        return edits_mutate_xml(bytes, n, max, seed);                                              \
    }
/* clang-format on */

#endif
