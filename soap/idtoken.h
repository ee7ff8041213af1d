/*
 * The id_token that comes with a request for individual access (T-IAS): a credential service
 * provider says who the individual is, signed (OpenID Connect Core 2; TEFCA IAS Provider
 * Requirements SOP 4.9). What it says is compared with what the request asks for. Pure; everything
 * lives in the arena. Thread: any.
 */
#ifndef SOAP_IDTOKEN_H
#define SOAP_IDTOKEN_H

#include "base/patient.h"
#include "certs/jwks.h"

#define IDTOKEN_TEXT_MAX      256 /* bytes of one claim */
#define IDTOKEN_AUDIENCES_MAX 16
#define IDTOKEN_ADDRESSES_MAX 8 /* the current one included */

struct idtoken_rules {
    const struct jwks_issuer *issuers; /* the only ones that are believed */
    size_t issuers_n;
    struct span community; /* OID of the community that asks: the audience */
    int64_t now_us;        /* wall */
    int64_t clock_skew_us;
    int64_t max_age_us; /* since iat */
};

struct idtoken_claims {
    struct span issuer;
    struct span token_id; /* jti */
    int64_t issued_us, expires_us;
    /* One name (given: given_name, then middle_name), birth_time of eight digits, sex M, F or
     * empty, addresses (the current one first), telecoms. */
    struct patient patient;
};

/* <text> is the compact JWS of the SAML attribute urn:ietf:params:oauth:token-type:id_token.
 * ERR_IDTOKEN_MISSING when it is empty; what jws_read and jws_verify refuse; then
 *   ERR_IDTOKEN_ISSUER    signed by another issuer's key than iss says
 *   ERR_IDTOKEN_AUDIENCE  aud does not contain urn:oid:<community>
 *   ERR_IDTOKEN_TIME      exp is over, iat is in the future or too old, nbf is not reached
 *   ERR_IDTOKEN_CLAIM     a claim is missing or not what it must be: iss, aud, exp, iat, jti,
 *                         given_name, family_name, birthdate (a full date), address with
 *                         street_address, locality, regionality (or region) and postal_code, email
 *                         or phone_number
 * Other claims are ignored. */
MUST_CHECK struct status idtoken_verify(struct span text, const struct idtoken_rules *rules,
                                        struct arena *arena, struct diag *diag,
                                        struct idtoken_claims *ret_claims);

/* Does the query ask for the individual of the token? Compared folded (base/text.h): every name of
 * the query (family name, first given name; further ones may be absent, not differ), the birth
 * date, which must be full, the sex where both give one, and of every address street, city, state
 * and postal code where both have them: with the current or a historical address of the token.
 * ERR_IDTOKEN_CONTRADICTION names what differs or is missing, never the values. */
MUST_CHECK struct status idtoken_compare(const struct idtoken_claims *claims,
                                         const struct patient *query, struct arena *arena,
                                         struct diag *diag);

#endif
