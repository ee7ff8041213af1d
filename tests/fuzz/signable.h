/*
 * Whether kit_resign (unit/soap_kit.h) can sign a message that was changed. Thread: one.
 */
#ifndef FUZZ_SIGNABLE_H
#define FUZZ_SIGNABLE_H

#include <stdbool.h>

#include <libxml/tree.h>

/* The assertion and the signatures have their parts, and libxml2 can write the assertion. */
bool may_sign_again(xmlDoc *doc);

#endif
