/*
 * What the tests of messages and signatures share: signing credentials made on the spot, whole
 * messages written by our writer, rules to verify them, and a second signer that shares nothing
 * with the product's (libxml2's canonicaliser and OpenSSL), so that a test can sign what our writer
 * never would.
 */
#ifndef SOAP_KIT_H
#define SOAP_KIT_H

#include "base/digest.h"
#include "soap/message_internal.h"
#include "soap/security.h"
#include "tests/unit/unit.h"

#define KIT_NOW_US   INT64_C(1800000000000000) /* 2027-01-15T08:00:00Z */
#define KIT_SKEW_US  (INT64_C(60) * 1000000)
#define KIT_LIFE_US  (INT64_C(1200) * 1000000)
#define KIT_AUDIENCE "https://blue.example/xcpd"
#define KIT_PAYLOAD                                                                                \
    "<PRPA_IN201305UV02 xmlns=\"urn:hl7-org:v3\" ITSVersion=\"XML_1.0\"><id root=\"2.999.1\"/>"    \
    "</PRPA_IN201305UV02>"

/* ---- credentials: live until kit_done ---- */
enum kit_who { KIT_RSA, KIT_EC, KIT_EC384, KIT_RENEWED, KIT_OTHER, KIT_WEAK, KIT_WHO_COUNT };
/* RENEWED: another certificate for RSA's key. OTHER: another partner's RSA key. WEAK: RSA-1024. */
const struct credential *kit_credential(enum kit_who who);
void kit_init(void); /* also soap_library_init */
void kit_done(void);

/* ---- messages ---- */
struct assertion_order kit_order(enum kit_who signer);
/* An ITI-55 request with the order's Security header, in the arena. */
struct span kit_message(const struct assertion_order *order, struct arena *arena);
/* The same around any Security header and payload. */
struct span kit_envelope(struct span security, const char *payload, struct arena *arena);

struct kit_rules {
    struct security_rules rules;
    struct certificate *keys[4];
    const char *audiences[2];
};
/* RSA, EC, EC384 registered; holder-of-key required. */
void kit_rules_init(struct kit_rules *kit);
/* message_read, security_verify, saml_read. */
struct status kit_verify(struct span xml, const struct security_rules *rules, struct arena *arena,
                         struct diag *diag, struct saml_facts *ret_facts);

/* ---- editing a message as a tree (libxml2's own, apart from the product's parse) ---- */
xmlDoc *kit_open(struct span xml);
xmlDoc *kit_genuine(enum kit_who signer);                /* kit_message of kit_order, opened */
struct span kit_close(xmlDoc *doc, struct arena *arena); /* serialises and frees */
/* By local names from the Envelope: "Header/Security/Assertion"; aborts when it is not there. */
xmlNode *kit_at(xmlDoc *doc, const char *path);
/* Parses <xml> and gives its element, to be put into <doc>; namespaces are its own. */
xmlNode *kit_fragment(xmlDoc *doc, const char *xml);
void kit_set(xmlNode *node, const char *attribute, const char *value); /* of any namespace */
/* Removes the assertion's attributes of this Name. */
void kit_remove_attribute(xmlDoc *doc, const char *name);

/* One change as data; a path is as in kit_at. */
enum kit_op {
    KIT_NOTHING,
    KIT_ATTRIBUTE, /* set <name> to <value>, or remove it (NULL) */
    KIT_TEXT,      /* replace the content by text */
    KIT_REMOVE,    /* the element */
    KIT_APPEND,    /* the XML <value> as last child; text when it does not begin with '<' */
    KIT_BEFORE,    /* the XML <value> before the element */
    KIT_REPLACE    /* the element by the XML <value> */
};
struct kit_edit {
    enum kit_op op;
    const char *path, *name, *value;
};
void kit_apply(xmlDoc *doc, const struct kit_edit *edit);

/* ---- the second signer ---- */
struct kit_signing {
    EVP_PKEY *key;
    const char *digest;           /* of the signature, OpenSSL's name: "SHA256" */
    const char *reference_digest; /* NULL: the same */
    const char *mac_key;          /* HMAC instead of a signature */
};
/* Fills DigestValue and SignatureValue of <signature> over <target> (without the signature when it
 * is inside). The URIs in SignedInfo are left as they are, and its lists of inclusive prefixes are
 * followed. */
void kit_sign(xmlNode *signature, xmlNode *target, const struct kit_signing *how);
/* Signs assertion and Timestamp again with the credential that made them. */
void kit_resign(xmlDoc *doc, enum kit_who who);
/* Which nodes are part of a subtree without one of its own: for xmlC14NExecute, whose data is a
 * struct kit_subtree. */
struct kit_subtree {
    const xmlNode *top, *without; /* NULL: all of it */
};
bool kit_is_inside(const xmlNode *node, const xmlNode *ancestor);
int kit_is_visible(void *data, xmlNode *node, xmlNode *parent);
/* Exclusive canonical form of a subtree, allocated by libxml2. */
xmlChar *kit_canonical(xmlNode *top, xmlNode *without, int *ret_n);

#endif
