/*
 * The reader of assertions behind a valid signature: the assertion of a message is changed
 * (edits.h) and then signed again, so that only the rules of SAML and XUA stand between the change
 * and the facts. What is accepted must have the form that its users rely on, and be read the same
 * twice.
 *
 * Input: two bytes that choose what is relaxed and which message, then edits.
 */
#include "base/ids.h"
#include "fuzz/edits.h"
#include "fuzz/fuzz.h"
#include "fuzz/signable.h"
#include "unit/saml_compare.h"
#include "unit/soap_kit.h"

enum { MESSAGES = 3 };

static struct arena *messages_arena;
static xmlDoc *trees[MESSAGES];

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    kit_init();
    messages_arena = fuzz_arena();
    for (size_t i = 0; i < MESSAGES; i++) {
        struct assertion_order order = kit_order(KIT_EC);
        struct span policy = SPAN("urn:oid:2.999.7.1");
        order.style.is_bearer = i == 1;
        order.style.has_authz_decision = i == 2;
        order.delegator = i == 2 ? SPAN("urn:oid:2.999.1.4") : SPAN_EMPTY;
        order.id_token = i == 0 ? SPAN("e30.e30.AA") : SPAN_EMPTY;
        order.acp = i == 2 ? (struct span_list){&policy, 1, 1} : (struct span_list){NULL, 0, 0};
        order.iacp = order.acp;
        trees[i] = kit_open(kit_message(&order, messages_arena));
    }
    return 0;
}

/* ---- what facts must be like ---- */

static bool
is_digits(struct span text)
{
    uint64_t value;
    return span_to_u64(text, UINT64_MAX, &value);
}

static void
check_facts(const struct saml_facts *said, const struct security_rules *rules)
{
    struct span oid;
    const bool may_lack_role = (rules->relaxed & DIALECT_BIT(RELAX_ROLE)) != 0;
    FUZZ_MUST(said->key != NULL && said->assertion_id.n > 0, "nobody's assertion");
    FUZZ_MUST((said->omitted & ~rules->relaxed) == 0, "omitted what may not be");
    FUZZ_MUST(said->home_community.n == 0 || oid_is_valid(said->home_community),
              "homeCommunityId is no OID");
    FUZZ_MUST(said->home_community.n > 0, "no homeCommunityId");
    FUZZ_MUST(said->purpose.value.n > 0, "no purpose of use");
    FUZZ_MUST(said->role.value.n > 0 || may_lack_role, "no role");
    FUZZ_MUST(said->npi.n == 0 || (said->npi.n == 10 && is_digits(said->npi)), "an NPI of %zu",
              said->npi.n);
    FUZZ_MUST(said->not_before_us <= rules->now_us + rules->clock_skew_us, "not yet valid");
    FUZZ_MUST(said->not_on_or_after_us > rules->now_us - rules->clock_skew_us, "over");
    FUZZ_MUST(said->timestamp_created_us < said->timestamp_expires_us, "an empty Timestamp");
    FUZZ_MUST(said->id_token.n <= SAML_ID_TOKEN_MAX, "a long token");
    FUZZ_MUST(!said->is_holder_of_key || said->timestamp_signature.n > 0, "who holds the key?");
    for (size_t i = 0; i < said->acp.n; i++) {
        FUZZ_MUST(home_community_oid(said->acp.items[i], &oid), "a policy is no OID");
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct span input = span_of((const char *)bytes, n);
    struct kit_rules kit;
    kit_rules_init(&kit);
    kit.rules.relaxed = fuzz_take_u16(&input) & (DIALECT_BIT(RELAX_COUNT) - 1);
    kit.rules.community = "2.999.1";
    const uint8_t how = fuzz_take_u8(&input);
    kit.rules.may_use_bearer = (how & 0x80) != 0;
    xmlDoc *const doc = xmlCopyDoc(trees[how % MESSAGES], 1);
    FUZZ_MUST(doc != NULL, "no memory for a tree");
    const struct edit_scene scene = {doc, kit_at(doc, "Header/Security/Assertion"), trees,
                                     MESSAGES};
    edits_apply(&scene, input);
    if (may_sign_again(doc)) {
        struct arena *const arena = fuzz_arena();
        struct diag diag = {0};
        struct saml_facts said, again;
        kit_resign(doc, KIT_EC);
        const struct span xml = edits_serialise(doc, arena);
        const struct status st = kit_verify(xml, &kit.rules, arena, &diag, &said);
        fuzz_check_refusal(st, &diag);
        if (is_ok(st)) {
            check_facts(&said, &kit.rules);
            FUZZ_MUST(is_ok(kit_verify(xml, &kit.rules, arena, &diag, &again)), "%s", diag.text);
            FUZZ_MUST(saml_difference(&said, &again) == NULL, "read as something else");
        }
        arena_free(arena);
    }
    xmlFreeDoc(doc);
    return 0;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t max, unsigned seed)
{
    return edits_mutate(bytes, n, max, 3, seed);
}
