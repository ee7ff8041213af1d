/*
 * What one partner may leave out of its messages, and how it wants ours: data of its file, not code
 * paths. Read by config/, applied by soap/. Everything is off by default, and `isthmus partners`
 * shows what is on. Thread: any.
 */
#ifndef BASE_DIALECT_H
#define BASE_DIALECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* DIALECT_TABLE(X) expands X(name, text in the file, what it means). */
/* clang-format off */
#define DIALECT_TABLE(X) \
    X(AUTHN_STATEMENT, "authn-statement", "assertions without AuthnStatement") \
    X(AUDIENCE,        "audience",        "assertions without AudienceRestriction") \
    X(NOT_BEFORE,      "not-before",      "Conditions without NotBefore") \
    X(ISSUER_FORMAT,   "issuer-format",   "Issuers without Format") \
    X(NAME_SYNTAX,     "name-syntax",     "Issuers and NameIDs that do not have the syntax of their Format") \
    X(SUBJECT_ID,      "subject-id",      "no subject-id attribute") \
    X(ORGANIZATION,    "organization",    "no organization attribute") \
    X(ORGANIZATION_ID, "organization-id", "no organization-id attribute") \
    X(HOME_COMMUNITY,  "home-community",  "no homeCommunityId attribute: the partner's own is taken") \
    X(ROLE,            "role",            "no role attribute") \
    X(SECOND_PURPOSE,  "second-purpose",  "several purposes of use: the first counts") \
    X(KEY_INFO,        "key-info",        "assertion signatures whose KeyInfo names no key") \
    X(ANSWER,          "answer",          "HTTP 200 without a body: nobody, or no documents") \
    X(PACKAGE,         "package",         "requests with LF for CRLF in MIME, parts without types, or no package")
/* clang-format on */

enum dialect_relaxation {
#define DIALECT_ENUM(name, text, meaning) RELAX_##name,
    DIALECT_TABLE(DIALECT_ENUM)
#undef DIALECT_ENUM
        RELAX_COUNT
};

/* A set of relaxations is a uint32_t: bit i is enum dialect_relaxation i. */

#define DIALECT_BIT(relaxation) ((uint32_t)1 << (relaxation))

const char *dialect_name(enum dialect_relaxation relaxation);
const char *dialect_meaning(enum dialect_relaxation relaxation);
/* false: no such name. */
bool dialect_find(struct span name, enum dialect_relaxation *ret_relaxation);

/* How our own assertions and signatures to one partner are made. */
enum dialect_digest {
    DIALECT_SHA256,
    DIALECT_SHA384,
    DIALECT_SHA512,
    DIALECT_SHA1,
    DIALECT_DIGEST_COUNT
};
enum dialect_community { DIALECT_COMMUNITY_BOTH, DIALECT_COMMUNITY_IHE, DIALECT_COMMUNITY_NHIN };
struct dialect_style {
    bool is_bearer;                   /* bearer confirmation, no message signature */
    enum dialect_digest digest;       /* of signatures and references; SHA1: see sha1_until */
    bool is_subject_id_basic;         /* NameFormat basic on subject-id, else uri */
    enum dialect_community community; /* which homeCommunityId attribute names are written */
    bool has_npi_2_0;                 /* NPI as urn:oasis:names:tc:xspa:2.0:subject:npi, too */
    bool has_authz_decision;          /* consent also as AuthzDecisionStatement (spec of 2010) */
};

/* How the rest of our messages to one partner is made. */
enum dialect_range { DIALECT_RANGE_NONE, DIALECT_RANGE_CREATION, DIALECT_RANGE_SERVICE };
struct dialect_form {
    enum dialect_range range;    /* of times in FindDocuments that has none */
    bool has_urn_ids;            /* uniqueIds that are UUIDs: urn:uuid: before them in questions */
    bool is_prefixed;            /* the HL7 V3 namespace of ITI-55 has a prefix */
    bool is_plain_retrieve;      /* ITI-39 leaves as SOAP, not as MTOM */
    bool is_sender_organization; /* sender of ITI-55: the organization that asks */
    const char *receiver;        /* of ITI-55, bare OID; NULL: the community that is asked */
};

#endif
