/*
 * The profile engine beside xmlsec (engines.h): it knows all that our kit signs, knows which shapes
 * it must leave to xmlsec, and both say and digest the same. Rows name what the profile engine must
 * say of the assertion's signature, and how the whole message ends.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "engines.h"
#include "tests/unit/soap_expect.h"

#define SECURITY   "Header/Security"
#define TIMESTAMP  SECURITY "/Timestamp"
#define ASSERTION  SECURITY "/Assertion"
#define SIGNATURE  ASSERTION "/Signature"
#define INFO       SIGNATURE "/SignedInfo"
#define REFERENCE  INFO "/Reference"
#define TRANSFORMS REFERENCE "/Transforms"
#define C14N       "http://www.w3.org/2001/10/xml-exc-c14n#"
#define LIST(text) "<ec:InclusiveNamespaces xmlns:ec=\"" C14N "\" PrefixList=\"" text "\"/>"

#define BOTH(list)                                                                                 \
    "<ds:Transforms xmlns:ds=\"" NS_DS "\"><ds:Transform Algorithm=\"" NS_DS                       \
    "enveloped-signature\"/><ds:Transform Algorithm=\"" C14N "\">" list                            \
    "</ds:Transform></ds:Transforms>"

static struct kit_rules kit;

/* ---- all that the kit signs ---- */

static const struct {
    enum kit_who who;
    enum dialect_digest digest;
    bool is_known;
} methods[] = {
    {KIT_RSA, DIALECT_SHA256, true},   {KIT_RSA, DIALECT_SHA384, true},
    {KIT_RSA, DIALECT_SHA512, true},   {KIT_RSA, DIALECT_SHA1, false},
    {KIT_EC, DIALECT_SHA256, true},    {KIT_EC, DIALECT_SHA384, true},
    {KIT_EC, DIALECT_SHA512, true},    {KIT_EC, DIALECT_SHA1, false},
    {KIT_EC384, DIALECT_SHA256, true}, {KIT_EC384, DIALECT_SHA384, true},
    {KIT_EC384, DIALECT_SHA512, true}, {KIT_EC384, DIALECT_SHA1, false},
};

static void
check_style(size_t row, unsigned bits)
{
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    static struct span acp[] = {{"urn:oid:2.999.10", 16}};
    struct assertion_order order = kit_order(methods[row].who);
    struct diag diag;
    struct saml_facts facts;
    order.acp = (struct span_list){acp, 1, 1};
    order.sha1_until_us = KIT_NOW_US + 1;
    order.style = (struct dialect_style){
        .is_bearer = (bits & 1) != 0,
        .digest = methods[row].digest,
        .is_subject_id_basic = (bits & 2) != 0,
        .community = (enum dialect_community)(bits % 3),
        .has_npi_2_0 = (bits & 4) != 0,
        .has_authz_decision = (bits & 8) != 0,
    };
    kit.rules.may_use_bearer = order.style.is_bearer;
    kit.rules.sha1_until_us = kit.rules.now_us + 1;
    engines_reset();
    CHECK_OK(&diag, kit_verify(kit_message(&order, arena), &kit.rules, arena, &diag, &facts));
    CU_ASSERT_EQUAL(engines.jobs, order.style.is_bearer ? 1 : 2);
    CU_ASSERT_EQUAL(engines.known, methods[row].is_known ? engines.jobs : 0);
    CU_ASSERT(!methods[row].is_known || engines.bytes > 3000);
    CU_ASSERT_STRING_EQUAL(engines.difference, "");
    arena_free(arena);
}

static void
test_styles(void)
{
    for (size_t row = 0; row < ARRAY_LEN(methods); row++) {
        for (unsigned bits = 0; bits < 16; bits++) {
            check_style(row, bits);
        }
    }
    kit_rules_init(&kit);
}

/* ---- shapes ---- */

enum after { KEEP, RESIGN };
static const struct row {
    const char *name;
    enum after signing;
    enum profile_verdict verdict;
    enum err want;
    struct kit_edit edits[2];
} rows[] = {
    {"as it came", KEEP, PROFILE_RIGHT, ERR_NONE, {{0}}},
    {"signed by libxml2", RESIGN, PROFILE_RIGHT, ERR_NONE, {{0}}},
    /* wrong */
    {"another name",
     KEEP,
     PROFILE_WRONG,
     ERR_SIG_INVALID,
     {{KIT_TEXT, ASSERTION "/Subject/NameID", NULL, "CN=evil"}}},
    {"another attribute",
     KEEP,
     PROFILE_WRONG,
     ERR_SIG_INVALID,
     {{KIT_ATTRIBUTE, ASSERTION "/AttributeStatement/Attribute", "FriendlyName", "x"}}},
    {"a SignedInfo that says more",
     KEEP,
     PROFILE_WRONG,
     ERR_SIG_INVALID,
     {{KIT_ATTRIBUTE, INFO, "Id", "x"}}},
    {"another digest",
     KEEP,
     PROFILE_WRONG,
     ERR_SIG_INVALID,
     {{KIT_TEXT, REFERENCE "/DigestValue", NULL, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}},
    /* inclusive prefixes */
    {"inclusive prefixes of SignedInfo",
     RESIGN,
     PROFILE_RIGHT,
     ERR_NONE,
     {{KIT_APPEND, INFO "/CanonicalizationMethod", NULL, LIST("env wsse xs ds nobody")}}},
    {"inclusive prefixes of the assertion",
     RESIGN,
     PROFILE_RIGHT,
     ERR_NONE,
     {{KIT_REPLACE, TRANSFORMS, NULL, BOTH(LIST("xs env #default ds"))}}},
    {"inclusive prefixes of both",
     RESIGN,
     PROFILE_RIGHT,
     ERR_NONE,
     {{KIT_REPLACE, TRANSFORMS, NULL, BOTH(LIST("#default"))},
      {KIT_APPEND, INFO "/CanonicalizationMethod", NULL, LIST("xs saml2")}}},
    {"other inclusive prefixes",
     KEEP,
     PROFILE_WRONG,
     ERR_SIG_INVALID,
     {{KIT_REPLACE, TRANSFORMS, NULL, BOTH(LIST("xs"))}}},
    {"inclusive default",
     KEEP,
     PROFILE_WRONG,
     ERR_SIG_INVALID,
     {{KIT_APPEND, INFO "/CanonicalizationMethod", NULL, LIST("#default")}}},
    {"two blanks in the list",
     KEEP,
     PROFILE_NOT_MINE,
     ERR_SIG_INVALID,
     {{KIT_APPEND, INFO "/CanonicalizationMethod", NULL, LIST("a  b")}}},
    {"a tab in the list",
     KEEP,
     PROFILE_NOT_MINE,
     ERR_SIG_INVALID,
     {{KIT_APPEND, INFO "/CanonicalizationMethod", NULL, LIST("a&#9;b")}}},
    {"an empty list",
     RESIGN,
     PROFILE_NOT_MINE,
     ERR_NONE,
     {{KIT_APPEND, INFO "/CanonicalizationMethod", NULL, LIST("")}}},
    {"a list without PrefixList",
     RESIGN,
     PROFILE_NOT_MINE,
     ERR_SIG_INVALID,
     {{KIT_APPEND, INFO "/CanonicalizationMethod", NULL,
       "<ec:InclusiveNamespaces xmlns:ec=\"" C14N "\"/>"}}},
    {"another attribute beside PrefixList",
     KEEP,
     PROFILE_NOT_MINE,
     ERR_SIG_INVALID,
     {{KIT_APPEND, INFO "/CanonicalizationMethod", NULL,
       "<ec:InclusiveNamespaces xmlns:ec=\"" C14N "\" x=\"1\" PrefixList=\"a\"/>"}}},
    {"another attribute instead of PrefixList",
     RESIGN,
     PROFILE_NOT_MINE,
     ERR_SIG_INVALID,
     {{KIT_APPEND, INFO "/CanonicalizationMethod", NULL,
       "<ec:InclusiveNamespaces xmlns:ec=\"" C14N "\" x=\"nobody\"/>"}}},
    {"PrefixList of another namespace",
     RESIGN,
     PROFILE_NOT_MINE,
     ERR_NONE,
     {{KIT_APPEND, INFO "/CanonicalizationMethod", NULL,
       "<ec:InclusiveNamespaces xmlns:ec=\"" C14N "\" ec:PrefixList=\"nobody\"/>"}}},
    /* attributes that readers may take for each other */
    {"two Algorithms of a method",
     KEEP,
     PROFILE_NOT_MINE,
     ERR_SIG_INVALID,
     {{KIT_ATTRIBUTE, INFO "/SignatureMethod", "Other", "x"}}},
    {"two attributes of c14n",
     RESIGN,
     PROFILE_NOT_MINE,
     ERR_NONE,
     {{KIT_ATTRIBUTE, INFO "/CanonicalizationMethod", "Other", "x"}}},
    {"two attributes of a transform",
     RESIGN,
     PROFILE_NOT_MINE,
     ERR_NONE,
     {{KIT_ATTRIBUTE, TRANSFORMS "/Transform", "Other", "x"}}},
    {"two attributes of a digest",
     RESIGN,
     PROFILE_NOT_MINE,
     ERR_NONE,
     {{KIT_ATTRIBUTE, REFERENCE "/DigestMethod", "Other", "x"}}},
    {"a Reference with an Id",
     RESIGN,
     PROFILE_NOT_MINE,
     ERR_NONE,
     {{KIT_ATTRIBUTE, REFERENCE, "Id", "r1"}}},
    {"a SignedInfo with an Id",
     RESIGN,
     PROFILE_RIGHT,
     ERR_NONE,
     {{KIT_ATTRIBUTE, INFO, "Id", "i1"}}},
    {"a Signature with an Id",
     RESIGN,
     PROFILE_RIGHT,
     ERR_NONE,
     {{KIT_ATTRIBUTE, SIGNATURE, "Id", "s1"}}},
    /* values */
    {"white space in values",
     RESIGN,
     PROFILE_RIGHT,
     ERR_NONE,
     {{KIT_APPEND, SIGNATURE "/KeyInfo", NULL, " \n "}}},
    {"a value that is cut",
     KEEP,
     PROFILE_NOT_MINE,
     ERR_SIG_INVALID,
     {{KIT_TEXT, SIGNATURE "/SignatureValue", NULL, "AAAA"}}},
    {"a value that is no base64",
     KEEP,
     PROFILE_NOT_MINE,
     ERR_SIG_INVALID,
     {{KIT_TEXT, SIGNATURE "/SignatureValue", NULL, "A*AA"}}},
    /* names of namespaces, wherever xmlsec sees them */
    {"not plain in the assertion",
     RESIGN,
     PROFILE_NOT_MINE,
     ERR_NONE,
     {{KIT_ATTRIBUTE, ASSERTION "/Issuer", "xmlns:x", "http://h:80/?a"}}},
    {"not plain around it",
     KEEP,
     PROFILE_NOT_MINE,
     ERR_NONE,
     {{KIT_ATTRIBUTE, "Header", "xmlns:x", "http://h:80/?a"}}},
    {"not plain in KeyInfo",
     KEEP,
     PROFILE_NOT_MINE,
     ERR_NONE,
     {{KIT_APPEND, SIGNATURE "/KeyInfo", NULL,
       "<ds:KeyName xmlns:ds=\"" NS_DS "\" xmlns:x=\"http://h:80/?a\">k</ds:KeyName>"}}},
};

static void
check_row(const struct row *row)
{
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct saml_facts facts;
    xmlDoc *const doc = kit_genuine(KIT_RSA);
    for (size_t i = 0; i < ARRAY_LEN(row->edits); i++) {
        kit_apply(doc, &row->edits[i]);
    }
    if (row->signing == RESIGN) {
        kit_resign(doc, KIT_RSA);
    }
    engines_reset();
    const struct status st = kit_verify(kit_close(doc, arena), &kit.rules, arena, &diag, &facts);
    if (st.code != row->want || engines.jobs == 0 || engines.verdicts[0] != row->verdict ||
        engines.difference[0] != '\0') {
        printf("%s: wanted %d and %s, got %d and %s (%s)\n", row->name, (int)row->verdict,
               err_name(row->want), (int)engines.verdicts[0], err_name(st.code),
               engines.difference);
        CU_FAIL("another verdict");
    }
    arena_free(arena);
}

static void
test_rows(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check_row(&rows[i]);
    }
}

/* ---- one job ---- */

/* The assertion's signature in a message of <who> with <digest>; all in the arena but the key. */
static void
open_job(enum kit_who who, enum dialect_digest digest, struct arena *arena,
         struct dsig_job *ret_job)
{
    const struct message_limits limits = message_limits_request((size_t)1024 * 1024);
    struct assertion_order order = kit_order(who);
    struct diag diag;
    xmlDoc *doc = NULL;
    order.style.digest = digest;
    CHECK_OK(&diag, xml_parse(kit_message(&order, arena), &limits, arena, &diag, &doc));
    xmlNode *const assertion = kit_at(doc, ASSERTION);
    xmlAttr *const id = xmlHasProp(assertion, (const xmlChar *)"ID");
    CU_ASSERT_FATAL(id != NULL);
    CU_ASSERT_FATAL(xmlAddID(NULL, doc, id->children->content, id) != NULL);
    *ret_job = (struct dsig_job){.signature = kit_at(doc, SIGNATURE),
                                 .target = assertion,
                                 .id = id,
                                 .key = kit_credential(who)->key};
}

static void
check_job(const struct dsig_job *job, enum profile_verdict want)
{
    struct diag diag;
    diag_clear(&diag);
    engines_reset();
    const struct status st = engines_compare(job, &diag);
    CU_ASSERT_EQUAL(engines.verdicts[0], want);
    CU_ASSERT_STRING_EQUAL(engines.difference, "");
    CU_ASSERT(want == PROFILE_NOT_MINE || is_ok(st) == (want == PROFILE_RIGHT));
    ERR_clear_error(); /* of xmlsec */
    CU_ASSERT_EQUAL(profile_verify(job), want);
    CU_ASSERT_EQUAL(ERR_peek_error(), 0);
}

static void
test_keys(void)
{
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct dsig_job rsa;
    struct dsig_job rsa384;
    struct dsig_job ec;
    open_job(KIT_RSA, DIALECT_SHA256, arena, &rsa);
    open_job(KIT_RSA, DIALECT_SHA384, arena, &rsa384);
    open_job(KIT_EC, DIALECT_SHA256, arena, &ec);
    for (size_t i = 0; i < 3; i++) {
        check_job(&rsa, PROFILE_RIGHT);
        check_job(&rsa384, PROFILE_RIGHT); /* one key, another digest */
        check_job(&ec, PROFILE_RIGHT);
    }
    rsa.key = kit_credential(KIT_OTHER)->key;
    check_job(&rsa, PROFILE_WRONG);
    rsa.key = kit_credential(KIT_EC)->key; /* another kind, another size */
    check_job(&rsa, PROFILE_NOT_MINE);
    rsa.key = kit_credential(KIT_WEAK)->key;
    check_job(&rsa, PROFILE_NOT_MINE);
    ec.key = kit_credential(KIT_EC384)->key;
    check_job(&ec, PROFILE_NOT_MINE);
    arena_free(arena);
}

/* More keys than a thread keeps. */
static void
test_many_keys(void)
{
    static EVP_PKEY *keys[300];
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct dsig_job job;
    static const struct {
        enum kit_who who;
        enum profile_verdict verdict;
    } kinds[] = {{KIT_RSA, PROFILE_RIGHT}, {KIT_OTHER, PROFILE_WRONG}, {KIT_EC, PROFILE_NOT_MINE}};
    open_job(KIT_RSA, DIALECT_SHA256, arena, &job);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        keys[i] = EVP_PKEY_dup(kit_credential(kinds[i % ARRAY_LEN(kinds)].who)->key);
        CU_ASSERT_FATAL(keys[i] != NULL);
    }
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
            job.key = keys[i];
            CU_ASSERT_EQUAL(profile_verify(&job), kinds[i % ARRAY_LEN(kinds)].verdict);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        EVP_PKEY_free(keys[i]);
    }
    arena_free(arena);
}

/* The id that xmlsec would find is another element's, or none's. */
static void
test_ids(void)
{
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct dsig_job job;
    struct dsig_job other;
    open_job(KIT_RSA, DIALECT_SHA256, arena, &job);
    open_job(KIT_RSA, DIALECT_SHA256, arena, &other);
    const xmlAttr *const id = job.id;
    job.id = other.id;
    check_job(&job, PROFILE_NOT_MINE);
    job.id = id;
    CU_ASSERT_EQUAL(xmlRemoveID(job.target->doc, (xmlAttr *)id), 0);
    check_job(&job, PROFILE_NOT_MINE);
    arena_free(arena);
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 200 };

struct worker {
    pthread_t thread;
    struct arena *arena;
    struct dsig_job jobs[2];
    size_t right;
};

static void *
work(void *arg)
{
    struct worker *const worker = arg;
    for (size_t i = 0; i < ROUNDS; i++) {
        worker->right += profile_verify(&worker->jobs[i % 2]) == PROFILE_RIGHT ? 1 : 0;
    }
    return NULL;
}

/* Each has its own tree, all have the same keys. */
static void
test_threads(void)
{
    static struct worker workers[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        workers[i].arena = arena_new(ARENA_LIMIT_DEFAULT);
        open_job(KIT_RSA, DIALECT_SHA256, workers[i].arena, &workers[i].jobs[0]);
        open_job(KIT_EC384, DIALECT_SHA384, workers[i].arena, &workers[i].jobs[1]);
    }
    for (size_t i = 0; i < THREADS; i++) {
        CU_ASSERT_FATAL(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        CU_ASSERT(pthread_join(workers[i].thread, NULL) == 0);
        CU_ASSERT_EQUAL(workers[i].right, ROUNDS);
        arena_free(workers[i].arena);
    }
}

/* ---- the choice ---- */

/* What signs with SHA-512 is known; asked for the reference, xmlsec says the same. */
static void
test_reference(void)
{
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct saml_facts facts;
    const struct assertion_order order = kit_order(KIT_RSA);
    const struct span xml = kit_message(&order, arena);
    xmlDoc *const doc = kit_open(xml);
    const struct kit_edit edit = {KIT_TEXT, ASSERTION "/Subject/NameID", NULL, "CN=evil"};
    kit_apply(doc, &edit);
    const struct span wrong = kit_close(doc, arena);
    for (int uses_reference = 0; uses_reference < 2; uses_reference++) {
        struct kit_rules rules;
        kit_rules_init(&rules);
        rules.rules.uses_reference = uses_reference != 0;
        CHECK_OK(&diag, kit_verify(xml, &rules.rules, arena, &diag, &facts));
        CHECK_ERR(&diag, ERR_SIG_INVALID, kit_verify(wrong, &rules.rules, arena, &diag, &facts));
        /* Only xmlsec complains in its own words. */
        CU_ASSERT_EQUAL(span_find(span_of_cstr(diag.text), SPAN("xmlSec")) != SPAN_MISSING,
                        uses_reference != 0);
    }
    arena_free(arena);
}

int
main(void)
{
    static const struct unit_test tests[] = {
        {"styles", test_styles},
        {"shapes", test_rows},
        {"keys", test_keys},
        {"more keys than are kept", test_many_keys},
        {"ids", test_ids},
        {"threads", test_threads},
        {"the reference alone", test_reference},
    };
    kit_init();
    kit_rules_init(&kit);
    const int result = unit_main("profile", tests, ARRAY_LEN(tests));
    kit_done();
    return result;
}
