/*
 * Random changes of genuine messages, with a fixed seed: bytes flipped, cut, doubled, exchanged
 * with those of an attacker's message; elements copied and moved within and between messages. The
 * oracle: refused, or exactly the facts that were signed. And no change may crash, hang or leave a
 * refusal without a reason.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/saml_compare.h"
#include "tests/unit/soap_kit.h"

#define BYTE_ROUNDS 14000
#define TREE_ROUNDS 6000

static uint64_t state = UINT64_C(0x9E3779B97F4A7C15);

static size_t
next_random(size_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state >> 11) % below;
}

struct source {
    struct arena *arena;
    struct kit_rules kit;
    struct span victim, attacker;
    struct saml_facts facts;
};

static void
setup(struct source *source)
{
    struct diag diag;
    struct assertion_order order = kit_order(KIT_RSA);
    source->arena = arena_new(ARENA_LIMIT_DEFAULT);
    kit_rules_init(&source->kit);
    source->victim = kit_message(&order, source->arena);
    order = kit_order(KIT_OTHER);
    order.subject_id = "evil";
    order.home_community = "2.999.666";
    order.purpose = "T-EVIL";
    source->attacker = kit_message(&order, source->arena);
    CHECK_OK(&diag,
             kit_verify(source->victim, &source->kit.rules, source->arena, &diag, &source->facts));
}

/* 1 when the change was accepted (and harmless). */
static size_t
judge(const struct source *source, struct span xml, size_t round)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct saml_facts facts;
    const struct status st = kit_verify(xml, &source->kit.rules, arena, &diag, &facts);
    const bool is_good = is_ok(st) ? saml_difference(&facts, &source->facts) == NULL &&
                                         timestamp_difference(&facts, &source->facts) == NULL
                                   : diag.code == st.code && diag.text[0] != 0;
    if (!is_good) {
        printf("\n      round %zu: %s %s\n%.*s\n", round, err_name(st.code), diag.text,
               SPAN_PRINT(xml));
        CU_FAIL("accepted with other facts, or refused without a reason");
    }
    arena_free(arena);
    return is_ok(st) ? 1 : 0;
}

/* ---- bytes ---- */

/* A place that matters: at or behind a '<', '"' or '=' more often than anywhere. */
static size_t
pick_place(const char *p, size_t n)
{
    size_t at = next_random(n);
    if (next_random(2) == 0) {
        const char *const found = memchr(p + at, "<\"=>"[next_random(4)], n - at);
        at = found == NULL ? at : (size_t)(found - p) + next_random(2);
    }
    return at < n ? at : n - 1;
}

static size_t
mutate_bytes(char *p, size_t n, size_t room, struct span other)
{
    static const char bytes[] = "<>\"'=&;/?!- \t\n:aAZ09#_\x00\xC3\xFF";
    const size_t at = pick_place(p, n);
    const size_t length = 1 + next_random(next_random(3) == 0 ? 400 : 8);
    const size_t from = pick_place(p, n);
    size_t count = length;
    switch (next_random(6)) {
    case 0: /* flip a bit */
        p[at] = (char)(p[at] ^ (1 << next_random(8)));
        return n;
    case 1: /* another byte */
        p[at] = bytes[next_random(sizeof(bytes) - 1)];
        return n;
    case 2: /* cut */
        count = count < n - at ? count : n - at - 1;
        memmove(p + at, p + at + count, n - at - count);
        return n - count;
    case 3: /* double or move a piece */
        count = count < n - from ? count : n - from;
        count = count < room - n ? count : room - n;
        {
            char piece[512];
            memcpy(piece, p + from, count);
            memmove(p + at + count, p + at, n - at);
            memcpy(p + at, piece, count);
        }
        return n + count;
    case 4: /* overwrite with the attacker's bytes of the same place */
        count = count < n - at ? count : n - at;
        if (at + count <= other.n) {
            memcpy(p + at, other.p + at, count);
        }
        return n;
    default: /* insert a byte */
        if (n < room) {
            memmove(p + at + 1, p + at, n - at);
            p[at] = bytes[next_random(sizeof(bytes) - 1)];
            return n + 1;
        }
        return n;
    }
}

static void
test_bytes(void)
{
    struct source source;
    setup(&source);
    const size_t room = source.victim.n + 4096;
    char *const copy = malloc(room);
    CU_ASSERT_FATAL(copy != NULL);
    size_t accepted = 0;
    for (size_t round = 0; round < BYTE_ROUNDS; round++) {
        size_t n = source.victim.n;
        memcpy(copy, source.victim.p, n);
        for (size_t changes = 1 + next_random(3); changes > 0; changes--) {
            n = mutate_bytes(copy, n, room, source.attacker);
        }
        accepted += judge(&source, span_of(copy, n), round);
    }
    printf("%zu of %d harmless ", accepted, BYTE_ROUNDS);
    CU_ASSERT(accepted > 0 && accepted < BYTE_ROUNDS / 2);
    free(copy);
    arena_free(source.arena);
}

/* ---- trees ---- */

static xmlNode *
pick_element(xmlDoc *doc)
{
    const xmlNode *const root = xmlDocGetRootElement(doc);
    size_t n = 0;
    for (const xmlNode *node = root; node != NULL; node = xml_walk(node, root)) {
        n++;
    }
    size_t left = next_random(n);
    const xmlNode *node = root;
    while (left-- > 0) {
        node = xml_walk(node, root);
    }
    return (xmlNode *)node;
}

static void
put(xmlNode *place, xmlNode *node)
{
    const bool is_root = place->parent == NULL || place->parent->type != XML_ELEMENT_NODE;
    switch (is_root ? 0 : next_random(4)) {
    case 0:
        (void)xmlAddChild(place, node);
        break;
    case 1:
        (void)xmlAddNextSibling(place, node);
        break;
    case 2:
        (void)xmlAddPrevSibling(place, node);
        break;
    default:
        (void)xmlReplaceNode(place, node);
        xmlFreeNode(place);
        break;
    }
}

static void
mutate_tree(xmlDoc *doc, xmlDoc *other)
{
    xmlNode *const place = pick_element(doc);
    xmlNode *const from = pick_element(next_random(2) == 0 ? doc : other);
    if (next_random(6) == 0 && place->parent->type == XML_ELEMENT_NODE) {
        xmlUnlinkNode(place);
        xmlFreeNode(place);
        return;
    }
    if (next_random(6) == 0 && place->properties != NULL && from->properties != NULL) {
        const struct span value = xml_attr_value(from->properties);
        xmlChar *const text = xmlStrndup((const xmlChar *)value.p, (int)value.n);
        (void)xmlSetNsProp(place, place->properties->ns, place->properties->name, text);
        xmlFree(text);
        return;
    }
    put(place, xmlDocCopyNode(from, doc, 1));
}

static void
test_trees(void)
{
    struct source source;
    setup(&source);
    xmlDoc *const victim = kit_open(source.victim);
    xmlDoc *const attacker = kit_open(source.attacker);
    size_t accepted = 0;
    for (size_t round = 0; round < TREE_ROUNDS; round++) {
        struct arena *arena = arena_new((size_t)64 * 1024 * 1024);
        xmlDoc *const doc = xmlCopyDoc(victim, 1);
        for (size_t changes = 1 + next_random(3); changes > 0; changes--) {
            mutate_tree(doc, attacker);
        }
        accepted += judge(&source, kit_close(doc, arena), round);
        arena_free(arena);
    }
    printf("%zu of %d harmless ", accepted, TREE_ROUNDS);
    CU_ASSERT(accepted > 0 && accepted < TREE_ROUNDS / 2);
    xmlFreeDoc(victim);
    xmlFreeDoc(attacker);
    arena_free(source.arena);
}

static const struct unit_test tests[] = {
    {"bytes", test_bytes},
    {"trees", test_trees},
};

int
main(void)
{
    kit_init();
    const int rc = unit_main("mutation", tests, ARRAY_LEN(tests));
    kit_done();
    return rc;
}
