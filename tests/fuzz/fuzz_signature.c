/*
 * Genuinely signed messages, changed as trees (edits.h), with parts of other genuine messages and
 * of an attacker's own: a message is refused, or says exactly what one of the partner's messages
 * said. Anything else is a forgery.
 *
 * Input: one byte that chooses the message and the rules, then edits. Keys and messages are made
 * when the process starts.
 */
#include "fuzz/edits.h"
#include "fuzz/fuzz.h"
#include "unit/saml_compare.h"
#include "unit/soap_kit.h"

enum { GENUINE = 5, FORGED = 1, MESSAGES = GENUINE + FORGED };

static struct arena *messages_arena;
static struct span messages[MESSAGES];
static xmlDoc *trees[MESSAGES];
static struct saml_facts facts[GENUINE];
static const enum kit_who signers[MESSAGES] = {KIT_RSA, KIT_EC,  KIT_EC384,
                                               KIT_EC,  KIT_RSA, KIT_OTHER};
static struct kit_rules strict_rules, bearer_rules;

/* Each message says something else, in every fact that can differ. */
static struct assertion_order
order_of(size_t i)
{
    struct assertion_order order = kit_order(signers[i]);
    static const char *const subjects[] = {"Ada", "Bo", "Cleo", "Dan", "Eve", "Mallory"};
    static const char *const purposes[] = {"T-TREAT", "T-TRTMNT", "T-PYMNT",
                                           "T-HCO",   "T-PH",     "T-IAS"};
    static const char *const npis[] = {"1234567893", NULL,         "1000000004",
                                       "1111111112", "2222222228", "1999999992"};
    order.subject_id = subjects[i];
    order.purpose = purposes[i];
    order.npi = npis[i];
    order.now_us += (int64_t)i * 1000000;
    order.style.digest = signers[i] == KIT_EC384 ? DIALECT_SHA384 : DIALECT_SHA256;
    order.style.is_bearer = i == 3;
    order.style.has_authz_decision = i == 4;
    order.style.is_subject_id_basic = i == 1;
    order.organization_id = i == MESSAGES - 1 ? "urn:oid:2.999.66" : order.organization_id;
    order.delegator = i == 2 ? SPAN("urn:oid:2.999.1.4") : SPAN_EMPTY;
    return order;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    kit_init();
    messages_arena = fuzz_arena();
    kit_rules_init(&strict_rules);
    kit_rules_init(&bearer_rules);
    strict_rules.rules.now_us += (int64_t)MESSAGES * 1000000;
    bearer_rules.rules.now_us = strict_rules.rules.now_us;
    bearer_rules.rules.may_use_bearer = true;
    for (size_t i = 0; i < MESSAGES; i++) {
        const struct assertion_order order = order_of(i);
        struct diag diag = {0};
        messages[i] = kit_message(&order, messages_arena);
        trees[i] = kit_open(messages[i]);
        if (i < GENUINE) {
            FUZZ_MUST(is_ok(kit_verify(messages[i], &bearer_rules.rules, messages_arena, &diag,
                                       &facts[i])),
                      "message %zu: %s", i, diag.text);
        }
    }
    return 0;
}

/* Which of the messages did this assertion come from, and its Timestamp? */
static void
judge(const struct saml_facts *said, struct span xml)
{
    const char *difference = "?";
    size_t i = 0, t = 0;
    while (i < GENUINE && (difference = saml_difference(said, &facts[i])) != NULL) {
        i++;
    }
    FUZZ_MUST(i < GENUINE, "no partner's assertion says this (%s)\n%.*s", difference,
              SPAN_PRINT(xml));
    if (!said->is_holder_of_key && said->timestamp_signature.n == 0) {
        return; /* bearer: nobody signed the Timestamp */
    }
    while (t < GENUINE && (difference = timestamp_difference(said, &facts[t])) != NULL) {
        t++;
    }
    FUZZ_MUST(t < GENUINE, "no partner's Timestamp says this (%s)\n%.*s", difference,
              SPAN_PRINT(xml));
    FUZZ_MUST(!said->is_holder_of_key || signers[t] == signers[i],
              "the holder of another key signed the Timestamp\n%.*s", SPAN_PRINT(xml));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct span input = span_of((const char *)bytes, n);
    const uint8_t how = fuzz_take_u8(&input);
    const size_t i = how % GENUINE;
    const bool is_strict = (how & 0x80) != 0;
    struct arena *const arena = fuzz_arena();
    struct diag diag = {0};
    struct saml_facts said;
    xmlDoc *const doc = xmlCopyDoc(trees[i], 1);
    FUZZ_MUST(doc != NULL, "no memory for a tree");
    const struct edit_scene scene = {doc, xmlDocGetRootElement(doc), trees, MESSAGES};
    edits_apply(&scene, input);
    const struct span xml = edits_serialise(doc, arena);
    const struct status st =
        kit_verify(xml, is_strict ? &strict_rules.rules : &bearer_rules.rules, arena, &diag, &said);
    fuzz_check_refusal(st, &diag);
    if (is_ok(st)) {
        FUZZ_MUST(!is_strict || said.is_holder_of_key, "a bearer where none may be");
        judge(&said, xml);
    } else if (input.n == 0) {
        FUZZ_MUST(is_strict && i == 3, "a genuine message is refused: %s", diag.text);
    }
    xmlFreeDoc(doc);
    arena_free(arena);
    return 0;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t max, unsigned seed)
{
    return edits_mutate(bytes, n, max, 1, seed);
}
