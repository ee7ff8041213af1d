/*
 * What an OCSP answer proves: the answers of an honest authority, and every way to pretend.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "certs/ocsp.h"
#include "certs_world.h"
#include "tests/unit/ocsp_kit.h"
#include "unit.h"

/* Who may sign in these tests. */
enum signer {
    BY_ISSUER,
    BY_DELEGATE,       /* certified by the issuer for it */
    BY_NO_USAGE,       /* certified by the issuer, for something else */
    BY_TLS_USAGE,      /* ... for servers */
    BY_EXPIRED,        /* was a delegate until yesterday */
    BY_REVOKED,        /* a delegate on the issuer's revocation list */
    BY_OTHER_ISSUER,   /* another authority */
    BY_OTHER_DELEGATE, /* another authority's delegate */
    BY_NAMESAKE,       /* another authority of the issuer's name */
    BY_SUBJECT,        /* the certificate itself */
    BY_AUTHORITY,      /* certified for it, but its key signs certificates only */
    SIGNERS
};

static struct {
    X509 *x509;
    EVP_PKEY *key;
} signers[SIGNERS];
static struct ocsp_subject subject;
static X509 *sibling; /* another certificate of the issuer */
static struct trust *revoking_trust;

static void
make_signer(enum signer who, const struct odd_certificate *odd, X509 *issuer, EVP_PKEY *issuer_key)
{
    signers[who].x509 = odd_issue(odd, issuer, issuer_key, &signers[who].key);
    CU_ASSERT_FATAL(signers[who].x509 != NULL);
}

static void
write_crl(const char *name, X509 *revoked)
{
    struct diag diag = {0};
    X509_CRL *crl = NULL;
    BIO *bio = BIO_new_file(path_of(name), "w");

    CU_ASSERT_FATAL(bio != NULL);
    CHECK_OK(&diag, issue_crl(world.ca, world.ca_key, NULL, revoked, world.now_us,
                              world.now_us + DAY_US, &diag, &crl));
    CU_ASSERT(PEM_write_bio_X509_CRL(bio, crl) == 1);
    X509_CRL_free(crl);
    BIO_free(bio);
}

static void
test_make_signers(void)
{
    struct diag diag = {0};
    const int64_t from = world.now_us - DAY_US, until = world.now_us + DAY_US;
    const struct odd_certificate delegate = {
        .name = "Responder", .usage = "OCSPSigning", .from_us = from, .until_us = until};
    struct odd_certificate odd = delegate;

    signers[BY_ISSUER].x509 = world.ca;
    signers[BY_ISSUER].key = world.ca_key;
    make_signer(BY_DELEGATE, &odd, world.ca, world.ca_key);
    odd.name = "Revoked responder";
    make_signer(BY_REVOKED, &odd, world.ca, world.ca_key);
    odd.usage = NULL;
    make_signer(BY_NO_USAGE, &odd, world.ca, world.ca_key);
    odd.usage = "serverAuth,clientAuth";
    make_signer(BY_TLS_USAGE, &odd, world.ca, world.ca_key);
    odd = delegate;
    odd.from_us = world.now_us - 10 * DAY_US;
    odd.until_us = world.now_us - DAY_US;
    make_signer(BY_EXPIRED, &odd, world.ca, world.ca_key);
    odd = delegate;
    odd.is_ca = true;
    make_signer(BY_AUTHORITY, &odd, world.ca, world.ca_key);
    const struct odd_certificate authority = {
        .name = "Authority", .is_ca = true, .from_us = from, .until_us = until};
    make_signer(BY_OTHER_ISSUER, &authority, NULL, NULL);
    make_signer(BY_OTHER_DELEGATE, &delegate, signers[BY_OTHER_ISSUER].x509,
                signers[BY_OTHER_ISSUER].key);
    make_signer(BY_NAMESAKE, &authority, NULL, NULL);
    CU_ASSERT(X509_set_subject_name(signers[BY_NAMESAKE].x509, X509_get_subject_name(world.ca)) ==
              1);
    CU_ASSERT(X509_set_issuer_name(signers[BY_NAMESAKE].x509, X509_get_subject_name(world.ca)) ==
              1);
    CU_ASSERT(X509_sign(signers[BY_NAMESAKE].x509, signers[BY_NAMESAKE].key, EVP_sha256()) > 0);
    signers[BY_SUBJECT].x509 = world.blue->leaf->x509;
    signers[BY_SUBJECT].key = world.blue->key;
    subject = (struct ocsp_subject){world.blue->leaf->x509, world.ca};
    sibling = world.red->leaf->x509;
    write_crl("revoked-responder.pem", signers[BY_REVOKED].x509);
    CHECK_OK(&diag, trust_load(path_of("ca/ca.pem"), path_of("revoked-responder.pem"), &diag,
                               &revoking_trust));
}

static void
test_free_signers(void)
{
    for (size_t i = BY_DELEGATE; i < SIGNERS; i++) {
        if (i != BY_SUBJECT) {
            X509_free(signers[i].x509);
            EVP_PKEY_free(signers[i].key);
        }
    }
    trust_free(revoking_trust);
}

/* ---- honest and dishonest answers ---- */

struct row {
    const char *name;
    enum signer by;
    enum err want;
    const char *said; /* of a refusal */
    enum status_verdict verdict;
    struct ocsp_answer answer; /* members that differ from a good answer */
};

#define REVOKED V_OCSP_CERTSTATUS_REVOKED
#define UNKNOWN V_OCSP_CERTSTATUS_UNKNOWN

/* clang-format off */
static const struct row rows[] = {
    {"another authority's", BY_OTHER_ISSUER, ERR_OCSP, "did not certify", 0, {.this_s = 0}},
    {"another authority's, bare", BY_OTHER_ISSUER, ERR_OCSP, "neither", 0, {.is_bare = true}},
    {"another authority's delegate", BY_OTHER_DELEGATE, ERR_OCSP, "did not certify", 0, {.this_s = 0}},
    {"a namesake of the issuer", BY_NAMESAKE, ERR_OCSP, "signature is wrong", 0, {.this_s = 0}},
    {"a namesake of the issuer, by key", BY_NAMESAKE, ERR_OCSP, "did not certify", 0, {.is_by_key = true}},
    {"the certificate vouches for itself", BY_SUBJECT, ERR_OCSP, "OCSPSigning", 0, {.this_s = 0}},
    {"a responder without usage", BY_NO_USAGE, ERR_OCSP, "OCSPSigning", 0, {.this_s = 0}},
    {"a responder with another usage", BY_TLS_USAGE, ERR_OCSP, "OCSPSigning", 0, {.this_s = 0}},
    {"an expired responder", BY_EXPIRED, ERR_OCSP, "expired", 0, {.this_s = 0}},
    {"a revoked responder", BY_REVOKED, ERR_OCSP, "revoked", 0, {.this_s = 0}},
    {"a delegate, bare", BY_DELEGATE, ERR_OCSP, "neither", 0, {.is_bare = true}},
    {"damaged", BY_ISSUER, ERR_OCSP, "signature is wrong", 0, {.is_damaged = true}},
    {"damaged, delegate", BY_DELEGATE, ERR_OCSP, "signature is wrong", 0, {.is_damaged = true}},
    {"SHA-1", BY_ISSUER, ERR_OCSP, "expected a signature with SHA-256", 0, {.digest = "SHA1"}},
    {"ended", BY_ISSUER, ERR_OCSP, "expired; nextUpdate", 0, {.this_s = -2 * HOUR_S, .next_s = -HOUR_S}},
    {"ended, delegate", BY_DELEGATE, ERR_OCSP, "expired; nextUpdate", 0, {.this_s = -2 * HOUR_S, .next_s = -300}},
    {"revoked once, but the answer is old", BY_ISSUER, ERR_OCSP, "expired", 0,
     {.status = REVOKED, .this_s = -2 * HOUR_S, .next_s = -HOUR_S}},
    {"too old, though still current", BY_ISSUER, ERR_OCSP, "max_age", 0, {.this_s = -30 * HOUR_S, .next_s = 30 * HOUR_S}},
    {"too old, without end", BY_ISSUER, ERR_OCSP, "max_age", 0, {.this_s = -30 * HOUR_S, .next_s = 0}},
    {"of the future", BY_ISSUER, ERR_OCSP, "not yet valid", 0, {.this_s = HOUR_S, .next_s = 2 * HOUR_S}},
    {"ends before it begins", BY_ISSUER, ERR_OCSP, "nextUpdate is no time after", 0, {.this_s = -10, .next_s = -20}},
    {"another nonce", BY_ISSUER, ERR_OCSP, "nonce", 0, {.has_wrong_nonce = true}},
    {"a responder whose key may not sign", BY_AUTHORITY, ERR_OCSP, "key usage", 0, {.this_s = 0}},
    {"a critical extension of its entry", BY_ISSUER, ERR_OCSP, "critical", 0, {.has_critical_entry = true}},
    {"a critical extension", BY_ISSUER, ERR_OCSP, "critical", 0, {.has_critical = true}},
    /* benign twins */
    {"good", BY_ISSUER, ERR_NONE, "", STATUS_GOOD, {.has_nonce = true}},
    {"good, bare, by key", BY_ISSUER, ERR_NONE, "", STATUS_GOOD, {.is_bare = true, .is_by_key = true}},
    {"good, without nonce", BY_ISSUER, ERR_NONE, "", STATUS_GOOD, {.this_s = 0}},
    {"good, delegate", BY_DELEGATE, ERR_NONE, "", STATUS_GOOD, {.has_nonce = true}},
    {"good, delegate by key", BY_DELEGATE, ERR_NONE, "", STATUS_GOOD, {.is_by_key = true}},
    {"good, SHA-384", BY_DELEGATE, ERR_NONE, "", STATUS_GOOD, {.digest = "SHA384", .id_digest = "SHA256"}},
    {"good, within the skew", BY_ISSUER, ERR_NONE, "", STATUS_GOOD, {.this_s = 30, .next_s = HOUR_S}},
    {"good, just ended", BY_ISSUER, ERR_NONE, "", STATUS_GOOD, {.this_s = -HOUR_S, .next_s = -30}},
    {"good, without end", BY_ISSUER, ERR_NONE, "", STATUS_GOOD, {.this_s = -HOUR_S, .next_s = 0}},
    {"revoked", BY_ISSUER, ERR_NONE, "", STATUS_REVOKED, {.status = REVOKED}},
    {"revoked, delegate", BY_DELEGATE, ERR_NONE, "", STATUS_REVOKED, {.status = REVOKED, .has_nonce = true}},
    {"good, and revoked as well", BY_ISSUER, ERR_NONE, "", STATUS_REVOKED, {.is_also_revoked = true}},
    {"unknown", BY_ISSUER, ERR_NONE, "", STATUS_UNKNOWN, {.status = UNKNOWN}},
};
/* clang-format on */

static const struct ocsp_rules *
rules_of(const struct trust *trust)
{
    static struct ocsp_rules rules;

    rules = (struct ocsp_rules){.now_us = clock_wall_us(clock_system()),
                                .skew_us = 60 * US_PER_S,
                                .max_age_us = 24 * HOUR_S * US_PER_S,
                                .store = trust_store(trust)};
    return &rules;
}

static void
judge_row(const struct row *row, bool is_stapled)
{
    struct diag diag = {0}, setup = {0};
    struct ocsp_answer answer = row->answer;
    struct ocsp_result result = {.verdict = STATUS_UNKNOWN};
    struct buf request, response;

    buf_init(&request, 4096);
    buf_init(&response, FETCH_OCSP_MAX);
    answer.about = subject.certificate;
    answer.issuer = subject.issuer;
    answer.signer = signers[row->by].x509;
    answer.signer_key = signers[row->by].key;
    if (answer.this_s == 0 && answer.next_s == 0) {
        answer.next_s = HOUR_S;
    }
    CHECK_OK(&setup, ocsp_write_request(&subject, &request, &setup));
    CU_ASSERT_FATAL(ocsp_make(&answer, buf_span(&request), &response));
    const bool is_wanted =
        CHECK_ERR(&diag, row->want,
                  ocsp_judge(&subject,
                             rules_of(row->by == BY_REVOKED ? revoking_trust : world.trust),
                             is_stapled ? SPAN_EMPTY : buf_span(&request), buf_span(&response),
                             &diag, &result)) &&
        strstr(diag.text, row->said) != NULL &&
        (row->want != ERR_NONE || result.verdict == row->verdict);

    if (!is_wanted) {
        printf("\n    in '%s': verdict %d, %s", row->name, result.verdict, diag.text);
        CU_FAIL("another verdict");
    }
    if (is_wanted && row->want == ERR_NONE && row->verdict == STATUS_REVOKED) {
        CU_ASSERT_STRING_EQUAL(result.reason, "keyCompromise");
        CU_ASSERT(result.revoked_us < world.now_us);
    }
    buf_done(&request);
    buf_done(&response);
}

static void
test_rows(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        judge_row(&rows[i], false);
        if (!rows[i].answer.has_wrong_nonce) {
            judge_row(&rows[i], true); /* the same when nothing was asked: a nonce counts not */
        }
    }
}

/* ---- about somebody else ---- */

static enum err
judge_about(X509 *about, X509 *issuer, char *ret_text)
{
    struct diag diag = {0};
    struct ocsp_result result;
    struct buf response;
    const struct ocsp_answer answer = {.about = about,
                                       .issuer = issuer,
                                       .signer = world.ca,
                                       .signer_key = world.ca_key,
                                       .next_s = HOUR_S};

    buf_init(&response, FETCH_OCSP_MAX);
    CU_ASSERT_FATAL(ocsp_make(&answer, SPAN_EMPTY, &response));
    const struct status st = ocsp_judge(&subject, rules_of(world.trust), SPAN_EMPTY,
                                        buf_span(&response), &diag, &result);

    snprintf(ret_text, DIAG_TEXT_MAX, "%s", diag.text);
    buf_done(&response);
    return st.code;
}

static void
test_another_subject(void)
{
    char text[DIAG_TEXT_MAX];

    CU_ASSERT_EQUAL(judge_about(sibling, world.ca, text), ERR_OCSP);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "not about the one in question"));
    /* the same serial number, of another issuer */
    CU_ASSERT_EQUAL(judge_about(subject.certificate, signers[BY_OTHER_ISSUER].x509, text),
                    ERR_OCSP);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "not about the one in question"));
    CU_ASSERT_EQUAL(judge_about(subject.certificate, world.ca, text), ERR_NONE);
}

/* Produced after our now, though its thisUpdate is before: its clock or ours is wrong. */
static void
test_produced(void)
{
    struct diag diag = {0};
    struct ocsp_result result;
    struct buf response;
    struct ocsp_rules rules = *rules_of(world.trust);
    const struct ocsp_answer answer = {.about = subject.certificate,
                                       .issuer = world.ca,
                                       .signer = world.ca,
                                       .signer_key = world.ca_key,
                                       .this_s = -2 * HOUR_S,
                                       .next_s = HOUR_S};

    buf_init(&response, FETCH_OCSP_MAX);
    CU_ASSERT_FATAL(ocsp_make(&answer, SPAN_EMPTY, &response));
    CHECK_OK(&diag, ocsp_judge(&subject, &rules, SPAN_EMPTY, buf_span(&response), &diag, &result));
    rules.now_us -= HOUR_S * US_PER_S;
    CHECK_ERR(&diag, ERR_OCSP,
              ocsp_judge(&subject, &rules, SPAN_EMPTY, buf_span(&response), &diag, &result));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "producedAt"));
    buf_done(&response);
}

/* An issuer, however trusted, whose key is none that we compute with. */
static void
test_odd_key(void)
{
    static const char *const keys[] = {"ec:P-521", "ec:P-384"};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct diag diag = {0};
        struct ocsp_result result;
        struct buf response;
        EVP_PKEY *issuer_key = NULL, *key = NULL;
        struct odd_certificate odd = {.key = keys[i],
                                      .name = "Issuer",
                                      .is_ca = true,
                                      .from_us = world.now_us,
                                      .until_us = world.now_us + DAY_US};
        X509 *issuer = odd_issue(&odd, NULL, NULL, &issuer_key);

        odd = (struct odd_certificate){
            .name = "Leaf", .from_us = world.now_us, .until_us = world.now_us + DAY_US};
        X509 *leaf = odd_issue(&odd, issuer, issuer_key, &key);
        const struct ocsp_subject other = {leaf, issuer};
        const struct ocsp_answer answer = {.about = leaf,
                                           .issuer = issuer,
                                           .signer = issuer,
                                           .signer_key = issuer_key,
                                           .next_s = HOUR_S};

        buf_init(&response, FETCH_OCSP_MAX);
        CU_ASSERT_FATAL(ocsp_make(&answer, SPAN_EMPTY, &response));
        CHECK_ERR(&diag, i == 0 ? ERR_OCSP : ERR_NONE,
                  ocsp_judge(&other, rules_of(world.trust), SPAN_EMPTY, buf_span(&response), &diag,
                             &result));
        CU_ASSERT(i == 1 || strstr(diag.text, "not used here") != NULL);
        buf_done(&response);
        X509_free(leaf);
        X509_free(issuer);
        EVP_PKEY_free(issuer_key);
        EVP_PKEY_free(key);
    }
}

/* ---- no answer, or bytes that are none ---- */

static void
refuse_bytes(const char *name, struct span bytes, const char *said)
{
    struct diag diag = {0};
    struct ocsp_result result = {.until_us = 77};

    if (!CHECK_ERR(
            &diag, ERR_OCSP,
            ocsp_judge(&subject, rules_of(world.trust), SPAN_EMPTY, bytes, &diag, &result)) ||
        strstr(diag.text, said) == NULL) {
        printf("\n    in '%s': %s", name, diag.text);
        CU_FAIL("another refusal");
    }
    CU_ASSERT_EQUAL(result.until_us, 77);
}

static void
test_outcomes(void)
{
    static const struct {
        int outcome;
        const char *said;
    } outcomes[] = {{OCSP_RESPONSE_STATUS_MALFORMEDREQUEST, "malformedrequest"},
                    {OCSP_RESPONSE_STATUS_INTERNALERROR, "internalerror"},
                    {OCSP_RESPONSE_STATUS_TRYLATER, "trylater"},
                    {OCSP_RESPONSE_STATUS_SIGREQUIRED, "sigrequired"},
                    {OCSP_RESPONSE_STATUS_UNAUTHORIZED, "unauthorized"}};

    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        struct buf bytes;

        buf_init(&bytes, 4096);
        CU_ASSERT_FATAL(ocsp_make_error(outcomes[i].outcome, &bytes));
        refuse_bytes(outcomes[i].said, buf_span(&bytes), outcomes[i].said);
        buf_done(&bytes);
    }
    /* "successful" without a content */
    refuse_bytes("hollow", SPAN("\x30\x03\x0a\x01\x00"), "basic response");
}

/* A good answer, cut at every length, with a byte behind it, and blown up. */
static void
test_damaged_bytes(void)
{
    struct diag diag = {0};
    struct buf response;
    const struct ocsp_answer answer = {.about = subject.certificate,
                                       .issuer = world.ca,
                                       .signer = signers[BY_DELEGATE].x509,
                                       .signer_key = signers[BY_DELEGATE].key,
                                       .next_s = HOUR_S};

    buf_init(&response, (size_t)2 * 1024 * 1024);
    CU_ASSERT_FATAL(ocsp_make(&answer, SPAN_EMPTY, &response));
    for (size_t n = 0; n < response.n; n++) {
        refuse_bytes("cut", span_of(response.p, n), "OCSP response: ");
    }
    CHECK_OK(&diag, buf_append_char(&response, '\0', &diag));
    refuse_bytes("longer", buf_span(&response), "more bytes behind it");
    while (response.n < (size_t)1024 * 1024) {
        CHECK_OK(&diag, buf_append_cstr(&response, "................................", &diag));
    }
    refuse_bytes("1 MB", buf_span(&response), "expected 1 to 65536 bytes, got 1048");
    refuse_bytes("text", SPAN("<html>404</html>"), "not one");
    buf_done(&response);
}

/* Every byte of a good answer changed in turn: never good for another reason, never a crash. */
static void
test_flipped_bytes(void)
{
    struct buf response;
    size_t accepted = 0;
    const struct ocsp_answer answer = {.about = subject.certificate,
                                       .issuer = world.ca,
                                       .signer = world.ca,
                                       .signer_key = world.ca_key,
                                       .status = REVOKED,
                                       .next_s = HOUR_S,
                                       .is_bare = true};

    buf_init(&response, FETCH_OCSP_MAX);
    CU_ASSERT_FATAL(ocsp_make(&answer, SPAN_EMPTY, &response));
    for (size_t i = 0; i < response.n; i++) {
        struct diag diag = {0};
        struct ocsp_result result = {.verdict = STATUS_GOOD};

        response.p[i] = (char)(response.p[i] ^ 0x41);
        if (is_ok(ocsp_judge(&subject, rules_of(world.trust), SPAN_EMPTY, buf_span(&response),
                             &diag, &result))) {
            accepted++; /* what the signature does not cover, such as an algorithm's NULL */
            CU_ASSERT_EQUAL(result.verdict, STATUS_REVOKED);
        }
        response.p[i] = (char)(response.p[i] ^ 0x41);
    }
    CU_ASSERT(accepted < 4);
    buf_done(&response);
}

/* ---- the question ---- */

static void
test_responder_url(void)
{
    static const struct {
        const char *url;
        bool is_found;
    } urls[] = {{"http://ocsp.example/x", true},
                {"HTTP://ocsp.example", true},
                {"https://ocsp.example/", false},
                {"ldap://ocsp.example/", false},
                {NULL, false}};

    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        const struct odd_certificate odd = {.name = "Leaf",
                                            .url = urls[i].url,
                                            .from_us = world.now_us,
                                            .until_us = world.now_us + DAY_US};
        EVP_PKEY *key = NULL;
        X509 *x509 = odd_issue(&odd, world.ca, world.ca_key, &key);
        char url[OCSP_URL_MAX] = "";

        CU_ASSERT_FATAL(x509 != NULL);
        CU_ASSERT_EQUAL(ocsp_responder_of(x509, url), urls[i].is_found);
        CU_ASSERT(!urls[i].is_found || strcmp(url, urls[i].url) == 0);
        X509_free(x509);
        EVP_PKEY_free(key);
    }
}

/* Two questions about one certificate differ by their nonce. */
static void
test_request(void)
{
    struct diag diag = {0};
    struct buf one, two;

    buf_init(&one, 4096);
    buf_init(&two, 4096);
    CHECK_OK(&diag, ocsp_write_request(&subject, &one, &diag));
    CHECK_OK(&diag, ocsp_write_request(&subject, &two, &diag));
    CU_ASSERT(one.n == two.n && !span_eq(buf_span(&one), buf_span(&two)));
    buf_done(&one);
    buf_init(&one, 10);
    CHECK_ERR(&diag, ERR_LIMIT_BUFFER, ocsp_write_request(&subject, &one, &diag));
    buf_done(&one);
    buf_done(&two);
}

static const struct unit_test tests[] = {
    {"the world", test_make_world},
    {"its responders", test_make_signers},
    {"who may sign, and when an answer holds", test_rows},
    {"an answer about another certificate is none", test_another_subject},
    {"an answer from the future", test_produced},
    {"an issuer with a key that is not used here", test_odd_key},
    {"a responder that gives no answer", test_outcomes},
    {"cut, longer, 1 MB", test_damaged_bytes},
    {"no changed byte makes a revoked certificate good", test_flipped_bytes},
    {"the responder that a certificate names", test_responder_url},
    {"each question has a nonce of its own", test_request},
    {"away with the responders", test_free_signers},
    {"away with the world", test_free_world},
};

UNIT_MAIN("ocsp", tests)
