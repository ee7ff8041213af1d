/*
 * Which key: what a message brings never counts, what is registered does. Then the replay key of a
 * signature, several threads at once, and failing allocations.
 */
#include <pthread.h>
#include <stdio.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "tests/unit/soap_expect.h"

#define SECURITY    "Header/Security"
#define ASSERTION   SECURITY "/Assertion"
#define SIGNATURE   ASSERTION "/Signature"
#define INFO        SIGNATURE "/SignedInfo"
#define REFERENCE   INFO "/Reference"
#define KEY_INFO    SIGNATURE "/KeyInfo"
#define NAME_ID     ASSERTION "/Subject/NameID"
#define MESSAGE_SIG SECURITY "/Signature"
#define MORE        "http://www.w3.org/2001/04/xmldsig-more#"
#define DS(name)    "<ds:" name " xmlns:ds=\"" NS_DS "\""

/* ---- keys ---- */

static void
sign_both(xmlDoc *doc, EVP_PKEY *key, const char *digest, const char *mac_key)
{
    const struct kit_signing how = {key, digest, "SHA256", mac_key};
    kit_sign(kit_at(doc, SIGNATURE), kit_at(doc, ASSERTION), &how);
}

static void
remove_key_info(xmlDoc *doc)
{
    const struct kit_edit edit = {KIT_REMOVE, KEY_INFO, NULL, NULL};
    kit_apply(doc, &edit);
}

/* KeyInfo of another credential's message, and its confirmation's when <is_confirmed>. */
static void
borrow_key_info(xmlDoc *doc, enum kit_who who, bool is_confirmed)
{
    static const char *const paths[] = {KEY_INFO, ASSERTION "/Subject/SubjectConfirmation/"
                                                            "SubjectConfirmationData/KeyInfo"};
    xmlDoc *const other = kit_genuine(who);
    for (size_t i = 0; i < (is_confirmed ? 2U : 1U); i++) {
        xmlNode *const copy = xmlDocCopyNode(kit_at(other, paths[i]), doc, 1);
        xmlNode *const old = kit_at(doc, paths[i]);
        (void)xmlReplaceNode(old, copy);
        xmlFreeNode(old);
    }
    xmlFreeDoc(other);
}

static void
test_keys(void)
{
    struct kit_rules kit;
    kit_rules_init(&kit);
    EVP_PKEY *const mine = kit_credential(KIT_RSA)->key;
    EVP_PKEY *const other = kit_credential(KIT_OTHER)->key;

    xmlDoc *doc = kit_genuine(KIT_OTHER);
    kit_check_signed("another partner's message", doc, &kit.rules, ERR_SIG_NO_TRUST);

    doc = kit_genuine(KIT_RSA);
    borrow_key_info(doc, KIT_OTHER, false);
    sign_both(doc, other, "SHA256", NULL);
    kit_check_signed("the attacker's key in KeyInfo", doc, &kit.rules, ERR_SIG_NO_TRUST);

    doc = kit_genuine(KIT_RSA);
    borrow_key_info(doc, KIT_OTHER, false);
    const struct kit_edit no_certificate = {KIT_REMOVE, KEY_INFO "/X509Data", NULL, NULL};
    kit_apply(doc, &no_certificate);
    sign_both(doc, other, "SHA256", NULL);
    kit_check_signed("the attacker's KeyValue only", doc, &kit.rules, ERR_SIG_NO_TRUST);

    doc = kit_genuine(KIT_RSA);
    remove_key_info(doc);
    sign_both(doc, other, "SHA256", NULL);
    kit_check_signed("the attacker's key without KeyInfo", doc, &kit.rules, ERR_SIG_NO_TRUST);

    doc = kit_genuine(KIT_RSA);
    remove_key_info(doc);
    kit_check_signed("our key without KeyInfo", doc, &kit.rules, ERR_SIG_NO_TRUST);

    kit.rules.relaxed = DIALECT_BIT(RELAX_KEY_INFO);
    doc = kit_genuine(KIT_RSA);
    remove_key_info(doc);
    kit_check_signed("our key without KeyInfo, relaxed", doc, &kit.rules, ERR_NONE);
    doc = kit_genuine(KIT_RSA);
    remove_key_info(doc);
    sign_both(doc, other, "SHA256", NULL);
    kit_check_signed("the attacker's key without KeyInfo, relaxed", doc, &kit.rules,
                     ERR_SIG_INVALID);
    kit.rules.relaxed = 0;

    doc = kit_genuine(KIT_RSA);
    sign_both(doc, other, "SHA256", NULL);
    kit_check_signed("the victim's KeyInfo, the attacker's signature", doc, &kit.rules,
                     ERR_SIG_INVALID);

    doc = kit_genuine(KIT_RSA);
    borrow_key_info(doc, KIT_RENEWED, false);
    kit_check_signed("a renewed certificate of the same key", doc, &kit.rules, ERR_NONE);

    doc = kit_genuine(KIT_RSA);
    kit_set(kit_at(doc, INFO "/SignatureMethod"), "Algorithm", MORE "rsa-sha512");
    sign_both(doc, mine, "SHA512", NULL);
    kit_check_signed("RSA-SHA512", doc, &kit.rules, ERR_NONE);

    doc = kit_genuine(KIT_RSA);
    kit_set(kit_at(doc, INFO "/SignatureMethod"), "Algorithm", NS_DS "rsa-sha1");
    sign_both(doc, mine, "SHA1", NULL);
    kit_check_signed("a right RSA-SHA1 signature", doc, &kit.rules, ERR_SIG_ALGORITHM);

    /* The classic confusion: a MAC keyed with the text of the public key. */
    doc = kit_genuine(KIT_RSA);
    kit_set(kit_at(doc, INFO "/SignatureMethod"), "Algorithm", MORE "hmac-sha256");
    sign_both(doc, NULL, "SHA256", "-----BEGIN PUBLIC KEY-----");
    kit_check_signed("HMAC with a public key", doc, &kit.rules, ERR_SIG_ALGORITHM);

    kit.keys[3] = kit_credential(KIT_OTHER)->leaf;
    kit.rules.keys_n = 0;
    kit_check_signed("no key registered", kit_genuine(KIT_RSA), &kit.rules, ERR_SIG_NO_TRUST);
    kit.rules.keys_n = 4;
    kit_check_signed("a fourth key registered", kit_genuine(KIT_RSA), &kit.rules, ERR_NONE);
}

static const struct kit_attack key_info_rows[] = {
    {"RetrievalMethod",
     KIT_KEEP,
     ERR_SIG_STRUCTURE,
     {KIT_APPEND, KEY_INFO, NULL, DS("RetrievalMethod") " URI=\"http://127.0.0.1:9/\"/>"},
     {KIT_APPEND, KEY_INFO, NULL, DS("KeyName") ">any</ds:KeyName>"}},
    {"EncryptedKey",
     KIT_KEEP,
     ERR_SIG_STRUCTURE,
     {KIT_APPEND, KEY_INFO, NULL,
      "<x:EncryptedKey xmlns:x=\"http://www.w3.org/2001/04/xmlenc#\"/>"},
     {0}},
    {"no Modulus",
     KIT_KEEP,
     ERR_SIG_STRUCTURE,
     {KIT_REMOVE, KEY_INFO "/KeyValue/RSAKeyValue/Modulus", NULL, NULL},
     {0}},
    {"no Exponent",
     KIT_KEEP,
     ERR_SIG_STRUCTURE,
     {KIT_REMOVE, KEY_INFO "/KeyValue/RSAKeyValue/Exponent", NULL, NULL},
     {0}},
    {"empty KeyValue",
     KIT_KEEP,
     ERR_SIG_STRUCTURE,
     {KIT_REMOVE, KEY_INFO "/KeyValue/RSAKeyValue", NULL, NULL},
     {0}},
    {"other Exponent",
     KIT_KEEP,
     ERR_SIG_NO_TRUST,
     {KIT_TEXT, KEY_INFO "/KeyValue/RSAKeyValue/Exponent", NULL, "Aw=="},
     {KIT_TEXT, KEY_INFO "/KeyValue/RSAKeyValue/Exponent", NULL, " AAEA\nAQ== "}},
    {"other Modulus",
     KIT_KEEP,
     ERR_SIG_NO_TRUST,
     {KIT_TEXT, KEY_INFO "/KeyValue/RSAKeyValue/Modulus", NULL, "wwww"},
     {0}},
    {"certificate not base64",
     KIT_KEEP,
     ERR_SIG_STRUCTURE,
     {KIT_TEXT, KEY_INFO "/X509Data/X509Certificate", NULL, "%"},
     {0}},
    {"certificate is none",
     KIT_KEEP,
     ERR_SIG_STRUCTURE,
     {KIT_TEXT, KEY_INFO "/X509Data/X509Certificate", NULL, "AAAA"},
     {KIT_REMOVE, KEY_INFO "/X509Data/X509Certificate", NULL, NULL}},
    {"DSA key",
     KIT_KEEP,
     ERR_SIG_NO_TRUST,
     {KIT_REPLACE, KEY_INFO "/KeyValue/RSAKeyValue", NULL, DS("DSAKeyValue") "/>"},
     {KIT_REMOVE, KEY_INFO "/KeyValue", NULL, NULL}},
    {"confirmation without a key",
     KIT_RESIGN,
     ERR_SAML_CONFIRMATION,
     {KIT_REMOVE, ASSERTION "/Subject/SubjectConfirmation/SubjectConfirmationData/KeyInfo", NULL,
      NULL},
     {KIT_REMOVE, ASSERTION "/Subject/SubjectConfirmation/SubjectConfirmationData/KeyInfo/KeyValue",
      NULL, NULL}},
    {"confirmation by key name only",
     KIT_RESIGN,
     ERR_SAML_CONFIRMATION,
     {KIT_REPLACE, ASSERTION "/Subject/SubjectConfirmation/SubjectConfirmationData/KeyInfo", NULL,
      DS("KeyInfo") "><ds:KeyName>red</ds:KeyName></ds:KeyInfo>"},
     {KIT_REMOVE, ASSERTION "/Subject/SubjectConfirmation/SubjectConfirmationData/KeyInfo/X509Data",
      NULL, NULL}},
    {"confirmation with a damaged key",
     KIT_RESIGN,
     ERR_SAML_CONFIRMATION,
     {KIT_TEXT,
      ASSERTION "/Subject/SubjectConfirmation/SubjectConfirmationData/KeyInfo/X509Data/"
                "X509Certificate",
      NULL, "AAAA"},
     {0}},
};

static void
test_key_info(void)
{
    kit_run(key_info_rows, ARRAY_LEN(key_info_rows));
}

static void
test_weak_key(void)
{
    struct kit_rules kit;
    kit_rules_init(&kit);
    kit.keys[0] = kit_credential(KIT_WEAK)->leaf;
    kit_check_signed("RSA-1024", kit_genuine(KIT_WEAK), &kit.rules, ERR_SIG_ALGORITHM);
    kit.keys[0] = kit_credential(KIT_RSA)->leaf;
    kit_check_signed("RSA-2048", kit_genuine(KIT_RSA), &kit.rules, ERR_NONE);
}

/* The kit's certificates are valid for a day around its now; the message moves along. */
static void
test_certificate_times(void)
{
    static const struct {
        int64_t move_s;
        enum err want;
    } rows[] = {
        {0, ERR_NONE},
        {86398, ERR_NONE},
        {86400, ERR_SIG_NO_TRUST}, /* at not_after, and no tolerance */
        {-86400 - 60, ERR_NONE},   /* the clocks' tolerance before not_before */
        {-86400 - 63, ERR_SIG_NO_TRUST},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct kit_rules kit;
        struct saml_facts facts;
        struct assertion_order order = kit_order(KIT_RSA);
        kit_rules_init(&kit);
        order.now_us += rows[i].move_s * 1000000;
        kit.rules.now_us += rows[i].move_s * 1000000;
        CHECK_ERR(&diag, rows[i].want,
                  kit_verify(kit_message(&order, arena), &kit.rules, arena, &diag, &facts));
        arena_free(arena);
    }
}

/* ---- the replay key ---- */

static void
replay_key(xmlDoc *doc, struct arena *arena, struct span *ret_key)
{
    struct diag diag;
    struct kit_rules kit;
    struct saml_facts facts = {.is_holder_of_key = false};
    kit_rules_init(&kit);
    CHECK_OK(&diag, kit_verify(kit_close(doc, arena), &kit.rules, arena, &diag, &facts));
    *ret_key = facts.timestamp_signature;
}

/* White space, and (r, n - s) instead of (r, s), make another text and no other signature. */
static void
test_replay_key(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    for (int who = KIT_RSA; who <= KIT_EC384; who++) {
        EVP_PKEY *const key = kit_credential((enum kit_who)who)->key;
        xmlDoc *const doc = kit_genuine((enum kit_who)who);
        xmlDoc *const spaced = xmlCopyDoc(doc, 1);
        xmlDoc *const mirrored = xmlCopyDoc(doc, 1);
        struct span first;
        struct span second;
        const struct kit_edit blank = {KIT_APPEND, MESSAGE_SIG "/SignatureValue", NULL, " \n "};
        kit_apply(spaced, &blank);
        xmlNode *const value = kit_at(mirrored, MESSAGE_SIG "/SignatureValue");
        xmlChar *const text = xmlNodeGetContent(value);
        replay_key(doc, arena, &first);
        replay_key(spaced, arena, &second);
        CU_ASSERT(first.n > 40 && span_eq(first, second));
        if (EVP_PKEY_is_a(key, "EC")) {
            struct diag diag;
            struct buf bytes;
            struct buf encoded;
            BIGNUM *order = NULL;
            diag_clear(&diag);
            buf_init(&bytes, 1024);
            buf_init(&encoded, 1024);
            CHECK_OK(&diag, base64_decode(span_of_cstr((const char *)text), &bytes, &diag));
            const int half = (int)bytes.n / 2;
            unsigned char *const s = (unsigned char *)bytes.p + half;
            BIGNUM *const number = BN_bin2bn(s, half, NULL);
            CU_ASSERT(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_ORDER, &order) == 1);
            CU_ASSERT(BN_sub(number, order, number) == 1 && BN_bn2binpad(number, s, half) == half);
            CHECK_OK(&diag, base64_encode(buf_span(&bytes), &encoded, &diag));
            xmlNodeSetContent(value, (const xmlChar *)encoded.p);
            replay_key(mirrored, arena, &second);
            CU_ASSERT(span_eq(first, second));
            BN_free(number);
            BN_free(order);
            buf_done(&bytes);
            buf_done(&encoded);
        } else {
            xmlFreeDoc(mirrored);
        }
        xmlFree(text);
    }
    arena_free(arena);
}

/* ---- threads and memory ---- */

#define THREADS 4
#define ROUNDS  40

/* Half of the messages are refused inside of the libraries: what they complain about must stay with
 * the thread and off standard error. */
static void *
verify_in_thread(void *data)
{
    const struct span *const messages = data;
    struct kit_rules kit;
    size_t wrong = 0;
    kit_rules_init(&kit);
    for (int i = 0; i < ROUNDS; i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct saml_facts facts;
        const struct status st = kit_verify(messages[i % 2], &kit.rules, arena, &diag, &facts);
        wrong += st.code == (i % 2 == 0 ? ERR_NONE : ERR_SIG_INVALID) ? 0 : 1;
        arena_free(arena);
    }
    return wrong == 0 ? NULL : data;
}

static void
test_threads(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct kit_edit edit = {KIT_TEXT, NAME_ID, NULL, "CN=evil"};
    xmlDoc *const good = kit_genuine(KIT_RSA);
    xmlDoc *const bad = kit_genuine(KIT_EC);
    kit_apply(bad, &edit);
    struct span messages[2] = {kit_close(good, arena), kit_close(bad, arena)};
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, verify_in_thread, messages) == 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *result = messages;
        CU_ASSERT(pthread_join(threads[i], &result) == 0 && result == NULL);
    }
    arena_free(arena);
}

static struct span tortured;

static struct status
verify_once(struct diag *diag)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct kit_rules kit;
    struct saml_facts facts;
    kit_rules_init(&kit);
    const struct status st = arena == NULL ? FAIL(diag, ERR_NO_MEMORY, "arena")
                                           : kit_verify(tortured, &kit.rules, arena, diag, &facts);
    arena_free(arena);
    return st;
}

/* With everything that an assertion of ours may have. */
static struct assertion_order
full_order(void)
{
    static struct span acp[] = {{"urn:oid:2.999.10", 16}};
    struct assertion_order order = kit_order(KIT_EC);
    order.acp = order.iacp = (struct span_list){acp, 1, 1};
    order.delegator = SPAN("Organization/7");
    order.id_token = SPAN("a.b.c");
    order.style.has_authz_decision = true;
    order.style.has_npi_2_0 = true;
    return order;
}

static struct status
write_once(struct diag *diag)
{
    const struct assertion_order order = full_order();
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct signed_timestamp timestamp;
    struct buf out;
    buf_init(&out, 100000);
    struct status st = arena == NULL ? FAIL(diag, ERR_NO_MEMORY, "arena")
                                     : timestamp_sign(order.signer, DIALECT_SHA256, KIT_NOW_US,
                                                      KIT_LIFE_US, arena, diag, &timestamp);
    if (is_ok(st)) {
        st = security_write(&order, &timestamp, &out, diag);
    }
    buf_done(&out);
    arena_free(arena);
    return st;
}

static void
test_torture(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct assertion_order order = full_order();
    tortured = kit_message(&order, arena);
    unit_torture(verify_once);
    unit_torture(write_once);
    arena_free(arena);
}

static const struct unit_test tests[] = {
    {"keys", test_keys},
    {"what KeyInfo may hold", test_key_info},
    {"weak keys", test_weak_key},
    {"certificates that are not valid now", test_certificate_times},
    {"one replay key for one signature", test_replay_key},
    {"four threads at once", test_threads},
    {"out of memory", test_torture},
};

int
main(void)
{
    kit_init();
    const int rc = unit_main("sigkeys", tests, ARRAY_LEN(tests));
    kit_done();
    return rc;
}
