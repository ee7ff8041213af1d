/*
 * Messages of soap_kit and how verifying them must end: <want> is the code of the refusal, or
 * ERR_NONE. Where it ends otherwise the test has failed, and says <name>. Each function serialises
 * and frees <doc>.
 */
#ifndef SOAP_EXPECT_H
#define SOAP_EXPECT_H

#include "tests/unit/soap_kit.h"

/* Did it end as wanted? The facts of what was accepted live in <arena>. */
bool kit_expect(const char *name, xmlDoc *doc, const struct security_rules *rules, enum err want,
                struct arena *arena, struct saml_facts *ret_facts);
void kit_check(const char *name, xmlDoc *doc, const struct security_rules *rules, enum err want);
/* And what was accepted says what KIT_RSA's genuine message says. */
void kit_check_signed(const char *name, xmlDoc *doc, const struct security_rules *rules,
                      enum err want);

/* An attack on a genuine message, and a harmless change at the same place, which must pass: a
 * verifier that refuses everything would pass the first half only. */
enum kit_after { KIT_KEEP, KIT_RESIGN };
struct kit_attack {
    const char *name;
    enum kit_after signing;
    enum err want;
    struct kit_edit attack, twin;
};
/* With kit_rules_init's rules. */
void kit_run(const struct kit_attack *rows, size_t n);

#endif
