/*
 * A whole request against a real configuration (proof_take, as the Responding Gateway runs it).
 * Blue's genuine requests are changed as trees (edits.h); gold is a partner, too, and so is the TLS
 * identity that sends them. What is accepted was sent and signed by blue and says what it said;
 * bytes that nobody signed are never accepted.
 *
 * Input: three bytes (transaction; who sends; path and kind of body), then edits, or the body.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/edits.h"
#include "fuzz/fuzz.h"
#include "soap/envelope.h"
#include "txn/proof.h"
#include "unit/config_world.h"
#include "unit/saml_compare.h"
#include "unit/unit.h"

#define RAW 0x80 /* of the third byte: the body as it is */

/* What the corpus counts by: ITI-55, ITI-38, ITI-39. */
#define TRANSACTIONS (SOAP_ITI_39 + 1)

enum sender { BLUE, GOLD, GREEN, NOBODY, SENDERS };

static struct loaded loaded;
static struct arena *world_arena;
static struct certificate *peers[SENDERS];
static struct credential *signers[2];
/* By transaction and signer: blue's, and gold's that says it were blue. */
static xmlDoc *trees[2 * TRANSACTIONS];
static struct saml_facts facts[TRANSACTIONS];

static const char *const payloads[TRANSACTIONS] = {
    [SOAP_ITI_55] = "<PRPA_IN201305UV02 xmlns=\"urn:hl7-org:v3\"><id root=\"2.999.2\"/>"
                    "</PRPA_IN201305UV02>",
    [SOAP_ITI_38] = "<q:AdhocQueryRequest "
                    "xmlns:q=\"urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0\"/>",
    [SOAP_ITI_39] = "<RetrieveDocumentSetRequest xmlns=\"urn:ihe:iti:xds-b:2007\"/>",
};

static struct span
make_request(enum soap_transaction transaction, const struct credential *signer)
{
    const struct soap_transaction_row *const row = soap_transaction(transaction);
    struct diag diag = {0};
    struct span url = SPAN_EMPTY, xml = SPAN_EMPTY;
    struct signed_timestamp timestamp;
    struct buf security, out;
    buf_init(&security, (size_t)64 * 1024);
    buf_init(&out, (size_t)64 * 1024);
    CHECK_OK(&diag,
             arena_printf(world_arena, &diag, &url, "%s%s", loaded.config->base_url, row->path));
    const struct assertion_order order = {
        .signer = signer,
        .now_us = world.now_us,
        .lifetime_us = INT64_C(300) * US_PER_S,
        .audience = url.p,
        .subject_id = "Ada Lee",
        .organization = "Blue HIE",
        .organization_id = "urn:oid:2.999.2",
        .home_community = "2.999.2",
        .role = "112247003",
        .role_display = "Medical doctor",
        .purpose = "T-TREAT",
        .purpose_system = POLICY_PURPOSE_SYSTEM_TEFCA,
    };
    CHECK_OK(&diag, timestamp_sign(signer, order.style.digest, order.now_us, order.lifetime_us,
                                   world_arena, &diag, &timestamp));
    CHECK_OK(&diag, security_write(&order, &timestamp, &security, &diag));
    const struct envelope_request request = {
        .action = span_of_cstr(row->request_action),
        .to = url,
        .message_id = SPAN("urn:uuid:00000000-0000-4000-8000-000000000001"),
        .security = buf_span(&security),
        .payload = span_of_cstr(payloads[transaction]),
    };
    CHECK_OK(&diag, envelope_write_request(&request, &out, &diag));
    CHECK_OK(&diag, arena_dup(world_arena, buf_span(&out), &diag, &xml));
    buf_done(&security);
    buf_done(&out);
    return xml;
}

static struct status
take(struct span path, enum sender sender, struct span body, struct arena *arena,
     struct proof *proof)
{
    const struct proof_request request = {
        .path = path, .content_type = SPAN(SOAP_CONTENT_TYPE), .body = body, .peer = peers[sender]};
    struct diag diag = {0};
    const struct status st =
        proof_take(proof, loaded.config, &request, world.now_us + US_PER_S, arena, &diag);
    fuzz_check_refusal(st, &diag);
    return st;
}

static struct credential *
load_signer(const char *certificate, const char *key)
{
    struct diag diag = {0};
    struct credential *credential = NULL;
    CHECK_OK(&diag,
             credential_load(path_of(certificate), path_of(key), world.now_us, &diag, &credential));
    return credential;
}

/* A configuration is held by a pointer into its memory, which leak checkers cannot tell from a lost
 * one. */
static void
give_back(void)
{
    for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
        xmlFreeDoc(trees[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(signers); i++) {
        credential_free(signers[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
        certificate_free(peers[i]);
    }
    unload(&loaded);
    arena_free(world_arena);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const files[] = {"blue/node.pem", "gold/node.pem", "green/node.pem"};
    struct diag diag = {0};
    (void)argc;
    (void)argv;
    CHECK_OK(&diag, soap_library_init(&diag));
    world_arena = fuzz_arena();
    FUZZ_MUST(atexit(give_back) == 0, "no memory for the end");
    test_make_world();
    write_main(0, NULL);
    write_blue(0, NULL);
    write_gold(0, NULL);
    load(&loaded);
    CHECK_OK(&loaded.diag, loaded.status);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        CHECK_OK(&diag, certificate_from_file(path_of(files[i]), &diag, &peers[i]));
    }
    signers[0] = load_signer("blue/signing.pem", "blue/signing.key");
    signers[1] = load_signer("gold/signing.pem", "gold/signing.key");
    for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
        const enum soap_transaction transaction = (enum soap_transaction)(i % TRANSACTIONS);
        const struct span xml = make_request(transaction, signers[i / TRANSACTIONS]);
        trees[i] = xmlReadMemory(xml.p, (int)xml.n, NULL, NULL, XML_PARSE_NONET);
        FUZZ_MUST(trees[i] != NULL, "what we write is no XML");
        if (i < TRANSACTIONS) {
            struct proof proof;
            const struct span path = span_of_cstr(soap_transaction(transaction)->path);
            FUZZ_MUST(is_ok(take(path, BLUE, xml, world_arena, &proof)), "a genuine request");
            facts[i] = proof.saml;
        }
    }
    return 0;
}

static void
check_accepted(const struct proof *proof, enum sender sender, struct span path, struct span body)
{
    const char *difference = "?";
    const char *const own_path = soap_transaction(proof->transaction)->path;
    FUZZ_MUST(proof->is_proven && proof->is_routed && proof->partner != NULL, "half a proof");
    FUZZ_MUST(sender == BLUE && strcmp(proof->partner->id, "blue") == 0, "sent by %s",
              proof->partner->id);
    FUZZ_MUST(span_eq_cstr(path, own_path), "%.*s on the path of %s", SPAN_PRINT(path), own_path);
    for (size_t i = 0; difference != NULL && i < TRANSACTIONS; i++) {
        difference = saml_difference(&proof->saml, &facts[i]);
        if (difference == NULL) {
            /* Each endpoint is an audience of this node, so any of them may be named. */
            difference = timestamp_difference(&proof->saml, &facts[i]);
            for (size_t k = 0; difference != NULL && k < TRANSACTIONS; k++) {
                difference = timestamp_difference(&proof->saml, &facts[k]);
            }
        }
    }
    FUZZ_MUST(difference == NULL, "blue never said this (%s)\n%.*s", difference, SPAN_PRINT(body));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct span input = span_of((const char *)bytes, n);
    const size_t which = fuzz_take_u8(&input) % ARRAY_LEN(trees);
    const enum sender sender = (enum sender)(fuzz_take_u8(&input) % SENDERS);
    const uint8_t how = fuzz_take_u8(&input);
    const enum soap_transaction at = (enum soap_transaction)(how % TRANSACTIONS);
    const struct span path = span_of_cstr(soap_transaction(at)->path);
    struct arena *const arena = fuzz_arena();
    struct proof proof;
    if ((how & RAW) != 0) {
        FUZZ_MUST(!is_ok(take(path, sender, input, arena, &proof)), "accepted, and nobody signed");
    } else {
        xmlDoc *const doc = xmlCopyDoc(trees[which], 1);
        FUZZ_MUST(doc != NULL, "no memory for a tree");
        const struct edit_scene scene = {doc, xmlDocGetRootElement(doc), trees, ARRAY_LEN(trees)};
        edits_apply(&scene, input);
        const struct span body = edits_serialise(doc, arena);
        const bool is_genuine = input.n == 0 && sender == BLUE && which == (size_t)at;
        const struct status st = take(path, sender, body, arena, &proof);
        FUZZ_MUST(is_ok(st) || !is_genuine, "a genuine request is refused: %s", err_name(st.code));
        if (is_ok(st)) {
            check_accepted(&proof, sender, path, body);
        }
        xmlFreeDoc(doc);
    }
    arena_free(arena);
    return 0;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t max, unsigned seed)
{
    if (n > 3 && (bytes[2] & RAW) != 0) {
        return 3 + edits_mutate_xml(bytes + 3, n - 3, max - 3, seed);
    }
    return edits_mutate(bytes, n, max, 3, seed);
}
