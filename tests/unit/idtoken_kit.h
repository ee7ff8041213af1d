/*
 * What the tests of id_tokens share: a good payload, edits of it, issuers with their keys.
 */
#ifndef IDTOKEN_KIT_H
#define IDTOKEN_KIT_H

#include "soap/idtoken.h"
#include "tests/unit/jwt_kit.h"

#define TOKEN_NOW_US INT64_C(1800000000000000) /* 2027-01-15T08:00:00Z */
#define TOKEN_HEADER "{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":\"JWT\"}"

/* Isabella Jones, for community 2.999.7, valid at TOKEN_NOW_US, issued by https://idp.example. */
extern const char token_good[];
extern struct arena *token_arena;

/* Keys and issuers, as the first test of a program: https://idp.example has "r" (JWT_RSA) and "e"
 * (JWT_EC); https://other.example has "o" and "r" (both JWT_RSA_OTHER). */
void token_begin(void);
void token_end(void);
struct idtoken_rules token_rules(void);

/* The good payload with one member (dots lead inside) set to a JSON text, or removed (NULL); ""
 * changes nothing. To be freed. */
char *token_edit(const char *path, const char *value);
/* The same for community 2.999.1 as of <now_us>, in token_arena. */
const char *token_for_red(int64_t now_us, const char *path, const char *value);
/* Signs the payload and verifies the token by token_rules. */
struct status token_verify(const char *header, const char *payload, enum jwt_who who,
                           struct diag *diag, struct idtoken_claims *ret_claims);

#endif
