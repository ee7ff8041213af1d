/*
 * Verifying with an expectation: see the header. Called by the tests of signatures and assertions,
 * one thread; the facts die with the arena in which they were read.
 */
#include "tests/unit/soap_expect.h"

#include <stdio.h>

bool
kit_expect(const char *name, xmlDoc *doc, const struct security_rules *rules, enum err want,
           struct arena *arena, struct saml_facts *ret_facts)
{
    struct diag diag;
    const struct status st = kit_verify(kit_close(doc, arena), rules, arena, &diag, ret_facts);
    const bool is_good = CHECK_ERR(&diag, want, st);
    if (!is_good) {
        printf("      in: %s\n", name);
    }
    return is_good;
}

void
kit_check(const char *name, xmlDoc *doc, const struct security_rules *rules, enum err want)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct saml_facts facts;
    (void)kit_expect(name, doc, rules, want, arena, &facts);
    arena_free(arena);
}

void
kit_check_signed(const char *name, xmlDoc *doc, const struct security_rules *rules, enum err want)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct saml_facts facts;
    if (kit_expect(name, doc, rules, want, arena, &facts) && want == ERR_NONE) {
        CHECK_SPAN(facts.name_id, "CN=red signing,O=Isthmus Test");
        CHECK_SPAN(facts.home_community, "2.999.1");
        CHECK_SPAN(facts.subject_id, "Dr. \xC3\x85sa & Co <1>");
    }
    arena_free(arena);
}

void
kit_run(const struct kit_attack *rows, size_t n)
{
    struct kit_rules kit;
    kit_rules_init(&kit);
    for (size_t i = 0; i < n; i++) {
        for (int is_twin = 0; is_twin < 2; is_twin++) {
            xmlDoc *const doc = kit_genuine(KIT_RSA);
            kit_apply(doc, is_twin ? &rows[i].twin : &rows[i].attack);
            if (rows[i].signing == KIT_RESIGN) {
                kit_resign(doc, KIT_RSA);
            }
            kit_check_signed(rows[i].name, doc, &kit.rules, is_twin ? ERR_NONE : rows[i].want);
        }
    }
}
