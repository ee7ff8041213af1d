/*
 * The two engines of soap/dsig.h, and the two canonicalisers, on messages that are changed as trees
 * (edits.h): on every input both must say the same of each signature that reaches the arithmetic
 * and must have digested the same bytes, and what our canonicaliser writes of any element must be
 * what libxml2 writes.
 *
 * Input: four bytes (which message, and whether it is signed again behind the edits; which element;
 * what is left out of it; which inclusive prefixes), then edits.
 */
#include <string.h>

#include <libxml/c14n.h>

#include "engines.h"
#include "fuzz/edits.h"
#include "fuzz/fuzz.h"
#include "fuzz/signable.h"
#include "soap/c14n.h"
#include "soap/sigrules.h"
#include "unit/soap_kit.h"

#define EXC_C14N  "http://www.w3.org/2001/10/xml-exc-c14n#"
#define HEAD      4
#define BYTES_MAX ((size_t)8 * 1024 * 1024)

enum { MESSAGES = 4 };

static struct arena *messages_arena;
static xmlDoc *trees[MESSAGES];
static struct kit_rules kit;
static const enum kit_who signers[MESSAGES] = {KIT_RSA, KIT_EC, KIT_EC384, KIT_EC};

static const char *const lists[] = {
    "", "xs", "#default", "saml2 ds", "env xs #default wsse", "nobody", "xml", "a b c d e",
};

/* ---- messages ---- */

/* InclusiveNamespaces in the methods of the assertion's signature, as some senders write them. */
static void
add_prefixes(xmlDoc *doc, const char *path, const char *list)
{
    xmlNode *const node =
        kit_fragment(doc, "<ec:InclusiveNamespaces xmlns:ec=\"" EXC_C14N "\" PrefixList=\"\"/>");
    kit_set(node, "PrefixList", list);
    (void)xmlAddChild(xmlLastElementChild(kit_at(doc, path)), node);
}

static xmlDoc *
message_tree(size_t i)
{
    const char *const info = "Header/Security/Assertion/Signature/SignedInfo";
    struct assertion_order order = kit_order(signers[i]);
    struct span policy = SPAN("urn:oid:2.999.7.1");
    order.style.has_authz_decision = i == 2;
    order.acp = i == 2 ? (struct span_list){&policy, 1, 1} : (struct span_list){NULL, 0, 0};
    xmlDoc *const doc = kit_open(kit_message(&order, messages_arena));
    if (i == 1 || i == 3) {
        add_prefixes(doc, "Header/Security/Assertion/Signature/SignedInfo/Reference/Transforms",
                     i == 1 ? "xs" : "#default env");
    }
    if (i == 3) {
        xmlNode *const list = kit_fragment(doc, "<ec:InclusiveNamespaces xmlns:ec=\"" EXC_C14N
                                                "\" PrefixList=\"ds #default\"/>");
        (void)xmlAddChild(xmlFirstElementChild(kit_at(doc, info)), list);
    }
    kit_resign(doc, signers[i]);
    return doc;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    kit_init();
    kit_rules_init(&kit);
    kit.rules.may_use_bearer = true;
    messages_arena = fuzz_arena();
    for (size_t i = 0; i < MESSAGES; i++) {
        trees[i] = message_tree(i);
    }
    return 0;
}

/* ---- canonical forms ---- */

static bool
take(void *arg, struct span bytes)
{
    struct buf *const out = arg;
    struct diag unused = {0};
    return is_ok(buf_append(out, bytes, &unused));
}

static void
compare_with_libxml2(const struct c14n *c14n, const struct buf *ours)
{
    struct kit_subtree subtree = {c14n->top, c14n->without};
    xmlChar *prefixes[C14N_PREFIXES_MAX + 1] = {NULL};
    xmlOutputBuffer *const out = xmlAllocOutputBuffer(NULL);
    for (size_t i = 0; i < c14n->inclusive->n; i++) {
        const char *const prefix = c14n->inclusive->items[i];
        prefixes[i] = (xmlChar *)(prefix == NULL ? "#default" : prefix);
    }
    const int n = xmlC14NExecute(c14n->top->doc, kit_is_visible, &subtree, XML_C14N_EXCLUSIVE_1_0,
                                 c14n->inclusive->n == 0 ? NULL : prefixes, 0, out);
    const struct span theirs =
        span_of((const char *)xmlOutputBufferGetContent(out), xmlOutputBufferGetSize(out));
    FUZZ_MUST(n >= 0, "libxml2 refuses what we write:\n%.*s", SPAN_PRINT(buf_span(ours)));
    FUZZ_MUST(span_eq(buf_span(ours), theirs), "ours:\n%.*s\nlibxml2's:\n%.*s",
              SPAN_PRINT(buf_span(ours)), SPAN_PRINT(theirs));
    (void)xmlOutputBufferClose(out);
}

static const xmlNode *
element_number(const xmlNode *top, size_t number)
{
    const xmlNode *node = top;
    for (size_t i = 0; i < number && node != NULL; i++) {
        node = xml_walk(node, top);
    }
    return node == NULL ? top : node;
}

static void
check_canonical(struct span xml, const uint8_t choice[HEAD], struct arena *arena)
{
    const struct message_limits limits = message_limits_request((size_t)1024 * 1024);
    struct c14n_prefixes inclusive = {.n = 0};
    struct diag diag = {0};
    struct buf ours;
    xmlDoc *doc = NULL;
    /* libxml2 fails for a relative namespace anywhere in the document, and security_verify asks
     * first whether there is one. */
    if (!is_ok(xml_parse(xml, &limits, arena, &diag, &doc)) ||
        !is_ok(sig_check_document(xml_root(doc), arena, &diag))) {
        return;
    }
    const xmlNode *const top = element_number(xml_root(doc), choice[1]);
    const xmlNode *without = choice[2] == 0 ? NULL : element_number(top, choice[2]);
    const char *const list = lists[choice[3] % ARRAY_LEN(lists)];
    FUZZ_MUST(list[0] == '\0' || c14n_read_prefixes(span_of_cstr(list), &inclusive), "%s", list);
    without = without == top ? NULL : without;
    buf_init(&ours, BYTES_MAX);
    const struct c14n c14n = {
        .top = top, .without = without, .inclusive = &inclusive, .take = take, .arg = &ours};
    if (c14n_write(&c14n)) {
        compare_with_libxml2(&c14n, &ours);
    }
    buf_done(&ours);
}

/* ---- verdicts ---- */

static void
check_verdict(struct span xml, bool is_unchanged, struct arena *arena)
{
    struct diag diag = {0};
    struct saml_facts said;
    engines_reset();
    const struct status st = kit_verify(xml, &kit.rules, arena, &diag, &said);
    fuzz_check_refusal(st, &diag);
    FUZZ_MUST(engines.difference[0] == '\0', "%s\n%.*s", engines.difference, SPAN_PRINT(xml));
    FUZZ_MUST(!is_unchanged || (is_ok(st) && engines.known == 2), "%zu known of %zu, %s",
              engines.known, engines.jobs, diag.text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct span input = span_of((const char *)bytes, n);
    uint8_t choice[HEAD];
    for (size_t i = 0; i < HEAD; i++) {
        choice[i] = fuzz_take_u8(&input);
    }
    const size_t i = choice[0] % MESSAGES;
    const bool is_signed_again = (choice[0] & 0x80) != 0;
    struct arena *const arena = fuzz_arena();
    xmlDoc *const doc = xmlCopyDoc(trees[i], 1);
    FUZZ_MUST(doc != NULL, "no memory for a tree");
    const struct edit_scene scene = {
        doc, is_signed_again ? kit_at(doc, "Header/Security/Assertion") : xmlDocGetRootElement(doc),
        trees, MESSAGES};
    edits_apply(&scene, input);
    if (is_signed_again && may_sign_again(doc)) {
        kit_resign(doc, signers[i]);
    }
    const struct span xml = edits_serialise(doc, arena);
    check_canonical(xml, choice, arena);
    check_verdict(xml, input.n < EDIT_BYTES, arena);
    xmlFreeDoc(doc);
    arena_free(arena);
    return 0;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t max, unsigned seed)
{
    return edits_mutate(bytes, n, max, HEAD, seed);
}
