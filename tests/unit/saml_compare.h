/*
 * Equality of what an assertion and a Timestamp say, member by member: the oracle of the
 * tests and fuzzers that change signed messages. Thread: any.
 */
#ifndef UNIT_SAML_COMPARE_H
#define UNIT_SAML_COMPARE_H

#include "soap/security.h"

/* The name of the first member that differs, or NULL. */
const char *saml_difference(const struct saml_facts *a, const struct saml_facts *b);
/* The same for what the Timestamp and its signature say. */
const char *timestamp_difference(const struct saml_facts *a, const struct saml_facts *b);

#endif
