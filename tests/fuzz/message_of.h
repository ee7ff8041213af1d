/*
 * For the targets of message codecs: the input as a message. Thread: one.
 */
#ifndef FUZZ_MESSAGE_OF_H
#define FUZZ_MESSAGE_OF_H

#include "fuzz/fuzz.h"
#include "soap/message_internal.h"

/* Start libxml2 and xmlsec; for LLVMFuzzerInitialize. */
void message_library_init(void);
/* <payload> in an envelope of ours, read by the rules of requests or of answers; NULL when it is
 * refused. Comments and prefixes of the payload stay as they are. */
struct message *message_of(struct span payload, bool is_answer, struct arena *arena);
/* One input: <check> gets the message, unless it is refused. 0, for LLVMFuzzerTestOneInput. */
int message_each(const uint8_t *bytes, size_t n, bool is_answer,
                 void (*check)(const struct message *message, struct arena *arena));

#endif
