/* See ocsp_kit.h. */
#include "tests/unit/ocsp_kit.h"

#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "certs/issue.h"
#include "tests/unit/unit.h"

static ASN1_TIME *
time_from_now(int64_t s)
{
    return s == 0 ? NULL : ASN1_GENERALIZEDTIME_set(NULL, time(NULL) + (time_t)s);
}

static const EVP_MD *
digest_or(const char *name, const EVP_MD *otherwise)
{
    return name == NULL ? otherwise : EVP_get_digestbyname(name);
}

static bool
add_entry(OCSP_BASICRESP *basic, const struct ocsp_answer *answer, int status)
{
    OCSP_CERTID *id =
        OCSP_cert_to_id(digest_or(answer->id_digest, EVP_sha1()), answer->about, answer->issuer);
    ASN1_TIME *this_update = ASN1_GENERALIZEDTIME_set(NULL, time(NULL) + (time_t)answer->this_s);
    ASN1_TIME *next_update = time_from_now(answer->next_s);
    ASN1_TIME *revoked = status == V_OCSP_CERTSTATUS_REVOKED ? time_from_now(-HOUR_S) : NULL;
    const bool is_added =
        id != NULL && OCSP_basic_add1_status(basic, id, status, OCSP_REVOKED_STATUS_KEYCOMPROMISE,
                                             revoked, this_update, next_update) != NULL;

    OCSP_CERTID_free(id);
    ASN1_TIME_free(this_update);
    ASN1_TIME_free(next_update);
    ASN1_TIME_free(revoked);
    return is_added;
}

static bool
add_nonce(OCSP_BASICRESP *basic, const struct ocsp_answer *answer, struct span request)
{
    const unsigned char *p = (const unsigned char *)request.p;
    OCSP_REQUEST *asked = request.n == 0 ? NULL : d2i_OCSP_REQUEST(NULL, &p, (long)request.n);
    bool is_good = true;

    if (answer->has_wrong_nonce) {
        is_good = OCSP_basic_add1_nonce(basic, NULL, -1) == 1;
    } else if (answer->has_nonce) {
        is_good = asked != NULL && OCSP_copy_nonce(basic, asked) == 1;
    }
    OCSP_REQUEST_free(asked);
    return is_good;
}

/* An extension that nobody knows, and that must be known: of the answer, or of its first entry. */
static bool
add_critical(OCSP_BASICRESP *basic, bool is_of_entry)
{
    ASN1_OBJECT *id = OBJ_txt2obj("2.999.77", 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, id, 1, value);
    const bool is_added =
        extension != NULL &&
        (is_of_entry ? OCSP_SINGLERESP_add_ext(OCSP_resp_get0(basic, 0), extension, -1)
                     : OCSP_BASICRESP_add_ext(basic, extension, -1)) == 1;

    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(id);
    return is_added;
}

static bool
fill(OCSP_BASICRESP *basic, const struct ocsp_answer *answer, struct span request)
{
    const unsigned long flags =
        (answer->is_bare ? OCSP_NOCERTS : 0UL) | (answer->is_by_key ? OCSP_RESPID_KEY : 0UL);

    if (!add_entry(basic, answer, answer->status) || !add_nonce(basic, answer, request) ||
        (answer->is_also_revoked && !add_entry(basic, answer, V_OCSP_CERTSTATUS_REVOKED)) ||
        (answer->has_critical && !add_critical(basic, false)) ||
        (answer->has_critical_entry && !add_critical(basic, true)) ||
        OCSP_basic_sign(basic, answer->signer, answer->signer_key,
                        digest_or(answer->digest, EVP_sha256()), NULL, flags) != 1) {
        return false;
    }
    if (answer->is_damaged) {
        /* the last byte: of an integer or a number, never of the encoding */
        ASN1_OCTET_STRING *signature = (ASN1_OCTET_STRING *)OCSP_resp_get0_signature(basic);
        ((unsigned char *)ASN1_STRING_get0_data(signature))[ASN1_STRING_length(signature) - 1] ^= 1;
    }
    return true;
}

static bool
write_response(int outcome, OCSP_BASICRESP *basic, struct buf *out)
{
    struct diag diag = {0};
    OCSP_RESPONSE *response = OCSP_response_create(outcome, basic);
    unsigned char *der = NULL;
    const int n = response == NULL ? -1 : i2d_OCSP_RESPONSE(response, &der);
    const bool is_written =
        n > 0 && is_ok(buf_append(out, span_of((const char *)der, (size_t)n), &diag));

    OPENSSL_free(der);
    OCSP_RESPONSE_free(response);
    return is_written;
}

bool
ocsp_make(const struct ocsp_answer *answer, struct span request, struct buf *out)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    const bool is_made = basic != NULL && fill(basic, answer, request) &&
                         write_response(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic, out);

    OCSP_BASICRESP_free(basic);
    return is_made;
}

bool
ocsp_make_error(int outcome, struct buf *out)
{
    return write_response(outcome, NULL, out);
}

/* ---- certificates ---- */

static bool
add_extension(X509 *x509, int nid, const char *prefix, const char *value)
{
    char text[512];
    X509V3_CTX context;

    if (value == NULL) {
        return true;
    }
    snprintf(text, sizeof(text), "%s%s", prefix, value);
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, text);
    const bool is_added = extension != NULL && X509_add_ext(x509, extension, -1) == 1;

    X509_EXTENSION_free(extension);
    return is_added;
}

X509 *
odd_issue(const struct odd_certificate *odd, X509 *issuer, EVP_PKEY *issuer_key, EVP_PKEY **ret_key)
{
    struct diag diag = {0};
    const struct issue_request request = {.kind = odd->is_ca ? ISSUE_CA : ISSUE_SIGNING,
                                          .organization = "Odd",
                                          .common_name = odd->name,
                                          .hosts = &odd->host,
                                          .hosts_n = odd->host == NULL ? 0 : 1,
                                          .not_before_us = odd->from_us,
                                          .not_after_us = odd->until_us,
                                          .digest = "SHA256"};
    X509 *x509 = NULL;

    if (!CHECK_OK(&diag, issue_key(odd->key == NULL ? "ec:P-256" : odd->key, &diag, ret_key))) {
        return NULL;
    }
    issuer_key = issuer == NULL ? *ret_key : issuer_key;
    if (!CHECK_OK(&diag, issue_certificate(&request, *ret_key, issuer, issuer_key, &diag, &x509))) {
        return NULL;
    }
    /* Signed anew with what issue.c does not write. */
    CU_ASSERT_FATAL(add_extension(x509, NID_ext_key_usage, "", odd->usage) &&
                    add_extension(x509, NID_info_access, "OCSP;URI:", odd->url) &&
                    add_extension(x509, NID_tlsfeature, "", odd->feature) &&
                    X509_sign(x509, issuer_key, EVP_sha256()) > 0);
    return x509;
}
