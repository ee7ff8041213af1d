/*
 * The certificates that the tests of certs/ share: red (RSA) and blue (P-256) under one authority,
 * green under another, one revoked, one expired. Made once per program, in its folder.
 */
#ifndef CERTS_WORLD_H
#define CERTS_WORLD_H

#include <sys/types.h>

#include "base/clock.h"
#include "certs/credential.h"
#include "certs/issue.h"
#include "certs/trust.h"

#define DAY_US  (INT64_C(86400) * US_PER_S)
#define YEAR_US (365 * DAY_US)

struct certs_world {
    char dir[256];
    int64_t now_us;
    struct credential *red, *blue, *green, *gone, *expired;
    struct trust *trust;       /* the authority, with its revocation list */
    struct trust *plain_trust; /* ... without */
    struct trust *other_trust; /* the other authority */
    EVP_PKEY *ca_key;
    X509 *ca;
};
extern struct certs_world world;

/* The first and the last test of a suite. */
void test_make_world(void);
void test_free_world(void);

/* <name> in the world's folder; a few of the results are valid at a time. */
const char *path_of(const char *name);
void write_file(const char *name, const char *text, mode_t mode); /* there */
struct credential *load_node(const char *node, const char *name, int64_t now_us);
struct certificate *load_certificate(const char *name);
/* A certificate that the authority should never have issued; the caller owns both results. */
X509 *issue_odd(const char *key_type, enum issue_kind kind, const char *digest, int64_t from_us,
                int64_t until_us, EVP_PKEY **ret_key);

#endif
