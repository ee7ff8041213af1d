/*
 * An emulated partner: a whole node, with real messages, keys and codecs, behind a front that wants
 * and answers what partners of that kind are known to want and answer. "red" is the node under
 * test, whose file for "green" names profiles; green accepts everything that a real partner of any
 * kind would, so that what is refused is refused by the front alone, for its reason.
 */
#ifndef DIALECT_KIT_H
#define DIALECT_KIT_H

#include "scene_kit.h"

/* What the front wants, and how it answers. */
enum dialect_trait {
    TRAIT_ONE_DOCUMENT,       /* at most one document in a retrieve */
    TRAIT_FIVE_DOCUMENTS,     /* at most five */
    TRAIT_CREATION_RANGE,     /* FindDocuments with a range of creation times */
    TRAIT_SERVICE_RANGE,      /* FindDocuments with a range of service times */
    TRAIT_URN_IDS,            /* documents by urn:uuid:, in lower case; its metadata has UUIDs */
    TRAIT_DEFAULT_NAMESPACE,  /* ITI-55 without prefixes */
    TRAIT_PREFIXED_NAMESPACE, /* ITI-55 with prefixes */
    TRAIT_SENDER_COMMUNITY,   /* sender of ITI-55: the gateway */
    TRAIT_SENDER_ASKER,       /* the organization that asks */
    TRAIT_RECEIVER_HUB,       /* receiver of ITI-55: a hub's OID */
    TRAIT_BEARER,             /* bearer assertions only */
    TRAIT_SHA1,               /* SHA-1 signatures only */
    TRAIT_SHA512,             /* SHA-512 signatures only */
    TRAIT_NO_MTOM,            /* reads no package */
    TRAIT_SLOW,               /* answers after 45 s, retrieves after 100 s */
    TRAIT_FAILS_FIRST,        /* the first of each kind of question: the connection is refused */
    TRAIT_EMPTY_FIRST,        /* the same: HTTP 200 and no body */
    TRAIT_BUSY_FIRST,         /* the same: HTTP 503 and HTML */
    TRAIT_EMPTY_NOBODY,       /* "nobody" is HTTP 200 and no body */
    TRAIT_ATTRIBUTES_2010,    /* knows homeCommunityId by NHIN's name only */
    /* how its answers are packed: read without any profile */
    TRAIT_LF,          /* LF for CRLF in MIME */
    TRAIT_NO_TYPES,    /* parts without Content-Type */
    TRAIT_NO_PACKAGE,  /* says multipart/related, and is the root part alone, documents inline */
    TRAIT_INLINE_SOAP, /* application/soap+xml, documents inline */
    TRAIT_COUNT
};
#define TRAIT(name) ((uint64_t)1 << (TRAIT_##name))

enum dialect_step { STEP_NONE, STEP_DISCOVER, STEP_NOBODY, STEP_QUERY, STEP_RETRIEVE };
const char *dialect_step_name(enum dialect_step step);

#define DIALECT_DOCUMENTS 7 /* that green has of Isabella */

/* Opens red and green. */
void dialect_open(struct scene *scene);
void dialect_close(struct scene *scene);
/* A node's file for a partner names these profiles ("" for none; "DAY" is one that is to come), and
 * the node has its configuration loaded from the files. Fails the test when it is refused. */
void dialect_use(struct scene *scene, const char *node, const char *partner, const char *profiles);

/* The same; green accepts only what its file allows. */
void dialect_use_strictly(struct scene *scene, const char *node, const char *partner,
                          const char *profiles);
/* The same with another `tls` in that file: "names: [server.example]". */
void dialect_use_tls(struct scene *scene, const char *node, const char *partner, const char *tls,
                     const char *profiles);

/* From now on answers come over a wire of the test's: false when none came, and then *ret_error and
 * ret_why say what red's engine said. NULL: as in a scene. */
struct dialect_wire {
    bool (*carry)(void *arg, const struct scene_question *question, int http_status,
                  const char *content_type, struct span answer, enum err *ret_error,
                  char ret_why[512]);
    void *arg;
};
void dialect_set_wire(const struct dialect_wire *wire);

/* What came of it. */
struct dialect_outcome {
    enum dialect_step failed; /* the first step that did not succeed; STEP_NONE: all did */
    char why[2048];           /* what red knows about it: the error's name, its text, the words of
                                 the partner */
    size_t questions;         /* that red asked green */
};
/* Isabella is discovered, her documents are found and retrieved, each with its bytes; and somebody
 * whom green does not know is nobody. */
void dialect_run(struct scene *scene, uint64_t traits, struct dialect_outcome *ret_outcome);

#endif
