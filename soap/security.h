/*
 * WS-Security with SAML 2.0 (ITI-40; IHE XUA as US networks send it: a Timestamp, a
 * signed assertion, holder-of-key signature over the Timestamp, or bearer).
 *
 * Reading: security_verify proves and returns an opaque view; SAML facts can be read from a view
 * only, so unsigned data cannot reach a decision: the call does not compile. The key is always one
 * that the caller registered for the partner; KeyInfo is a hint for which of them. Writing:
 * assertions and Timestamps of ours.
 */
#ifndef SOAP_SECURITY_H
#define SOAP_SECURITY_H

#include "base/dialect.h"
#include "base/document.h" /* struct code */
#include "certs/credential.h"
#include "soap/message.h"

struct verified_view; /* the nodes that were signed; made only by sigverify.c; lives in the arena */

/* What must hold for one partner's message. */
struct security_rules {
    int64_t now_us;                  /* wall */
    int64_t clock_skew_us;           /* tolerance for Created, Expires, NotBefore, NotOnOrAfter */
    int64_t max_lifetime_us;         /* of the Timestamp and the assertion's Conditions */
    struct certificate *const *keys; /* registered signing certificates of the partner */
    size_t keys_n;
    size_t holders_n; /* the last of <keys>: they confirm (holder-of-key), and sign no assertion */
    bool may_use_bearer;     /* else holder-of-key is required */
    bool may_omit_timestamp; /* of a bearer assertion without a signature over it */
    bool may_omit_purpose;   /* the assertion's purpose of use: facts.purpose is empty then */
    bool uses_reference;     /* xmlsec computes all signatures (signatures: reference) */
    uint32_t relaxed;        /* set of enum dialect_relaxation */
    int64_t sha1_until_us;   /* wall; SHA-1 signatures and digests are accepted before; 0: never */
    const char *community; /* bare OID of the partner itself: what an absent homeCommunityId stands
                              for where that is relaxed; NULL: nothing */
    const char *const *audiences; /* our registered URLs and community: one must be named */
    size_t audiences_n;
    const char *const *authn_contexts; /* classes that are accepted beside those of SAML itself */
    size_t authn_contexts_n;
};

/* Header to view. The message must have exactly one wsse:Security for us, with one Timestamp that
 * is valid now (or none, where rules allow that) and one assertion (no other anywhere, but the
 * evidence of a consent inside of it), whose enveloped signature is by one of <keys>.
 * Holder-of-key: the signature over the Timestamp is by a key that the confirmation names. Bearer,
 * where allowed and no holder-of-key confirmation is there: a signature over the Timestamp may be
 * absent; when there is one it must be right. Only Timestamp and assertion are signed, as these
 * networks do: addressing and Body rest on TLS. All ERR_WSS_*, ERR_SIG_*, ERR_SAML_* of err_table.h
 * come from here and from saml_read, and what message_check_headers refuses. <keys>: at most 16,
 * and those whose certificates are not valid now do not count.
 *
 * What is there and ignored: Advice, ProxyRestriction, SubjectLocality, unknown attributes, further
 * confirmations beside holder-of-key. Nothing of it can become a fact. */
MUST_CHECK struct status security_verify(const struct message *message,
                                         const struct security_rules *rules, struct arena *arena,
                                         struct diag *diag, const struct verified_view **ret_view);

/* What the assertion says (ITI TF-2 3.40; attribute names in 3.40.4.1.2). Absent: empty. */
struct saml_facts {
    const struct certificate *key; /* the registered one that signed the assertion */
    uint32_t omitted; /* set of enum dialect_relaxation: what was accepted only because of them */
    bool has_sha1;    /* accepted only because of sha1_until_us: say so loudly */
    bool is_one_time; /* OneTimeUse: the assertion must not be accepted a second time */
    struct span assertion_id;
    struct span issuer;
    struct span issuer_format;
    struct span name_id;
    struct span name_id_format;
    struct span name_id_provided; /* SPProvidedID: the alias of the audit's UserName */
    bool is_holder_of_key;
    /* Without NotBefore that is IssueInstant; without AuthnStatement its instant is 0; of several
     * statements the first counts, and all were checked. */
    int64_t not_before_us, not_on_or_after_us, authn_instant_us;
    int64_t timestamp_created_us, timestamp_expires_us; /* 0 without a Timestamp */
    /* Replay key: the SignatureValue over the Timestamp in its one normal form (sigvalue.h), never
     * the text of the message, which anybody can spell in other ways. Empty with bearer and no
     * signature. */
    struct span timestamp_signature;
    struct span timestamp_signature_sent; /* as it came, for the SignatureConfirmation */
    struct span subject_id;               /* the human's name */
    struct span organization, organization_id;
    struct span
        home_community; /* OID, bare; both attribute names, which must agree when both are there */
    struct code role;
    struct code purpose;            /* exactly one */
    struct span npi;                /* with check digit; both attribute names, which must agree */
    struct ident_list provider_ids; /* provider-identifier */
    struct span resource_id;        /* CX */
    /* Access consent policies, urn:oid:...: of IHE's attributes and of the evidence in
     * AuthzDecisionStatements, each once. */
    struct span_list acp, iacp;
    struct span delegator;    /* QueryAuthGrantor: for whom the partner asks as a delegate */
    struct span jurisdiction; /* PHAJurisdiction */
    struct span id_token;     /* compact JWS as it came, at most SAML_ID_TOKEN_MAX; not verified */
};
#define SAML_ID_TOKEN_MAX ((size_t)16 * 1024)
/* Required: subject-id, organization, organization-id, homeCommunityId, role, purposeofuse
 * (ERR_SAML_ATTRIBUTE names the missing one). Repeated attributes: of subject-id, organization and
 * role the first counts; organization-id, homeCommunityId, npi, resource-id, delegator,
 * jurisdiction and id_token must be the same each time; a second purpose is refused. What rules
 * relax is in dialect.h. Issuer and NameID must have the syntax of their Format (samlname.h):
 * ERR_SAML_ISSUER, ERR_SAML_SUBJECT. */
MUST_CHECK struct status saml_read(const struct verified_view *view, struct arena *arena,
                                   struct diag *diag, struct saml_facts *ret_facts);

/* From now on the facts' texts are copies in <arena>: the message may go. On failure some are. */
MUST_CHECK struct status saml_keep(struct saml_facts *facts, struct arena *arena,
                                   struct diag *diag);

/* ---- writing ---- */
/* <style> is what the partner wants (dialect.h): bearer, the digest, names of attributes. SHA-1
 * only before <sha1_until_us> (wall; 0: never), else ERR_CONFIG. */
struct assertion_order {
    const struct credential *signer; /* RSA or EC */
    int64_t now_us;
    int64_t lifetime_us;
    const char *audience; /* the target's endpoint URL: the only Audience */
    const char *subject_id, *organization, *organization_id; /* required */
    const char *home_community;           /* bare OID; both attribute names are written */
    const char *role, *role_display;      /* SNOMED CT; code required */
    const char *purpose, *purpose_system; /* required */
    const char *npi;                      /* may be NULL */
    struct span resource_id;              /* CX, may be empty */
    struct span_list acp, iacp;           /* urn:oid:...; ERR_CONFIG when they are not */
    struct span delegator;                /* QueryAuthGrantor, may be empty */
    struct span id_token;                 /* compact JWS, may be empty */
    struct dialect_style style;
    int64_t sha1_until_us;
};
/* A Timestamp that is signed once and shared by all messages of one fan-out whose partners want the
 * same digest (never sent twice to the same endpoint). */
struct signed_timestamp {
    struct span
        timestamp_xml; /* wsu:Timestamp, with its namespaces, as it must stand in the header */
    struct span signed_info_xml; /* ds:SignedInfo of the message signature */
    struct span signature_value; /* base64 */
    enum dialect_digest digest;
};
MUST_CHECK struct status timestamp_sign(const struct credential *signer, enum dialect_digest digest,
                                        int64_t now_us, int64_t lifetime_us, struct arena *arena,
                                        struct diag *diag, struct signed_timestamp *ret_timestamp);
/* The whole wsse:Security element for one target: shared Timestamp, its own assertion, the message
 * signature whose KeyInfo names that assertion. Bearer: no message signature. ERR_INTERNAL when the
 * Timestamp was signed with another digest than <style> says. */
MUST_CHECK struct status security_write(const struct assertion_order *order,
                                        const struct signed_timestamp *timestamp, struct buf *out,
                                        struct diag *diag);

/* Once per process, before threads and before any other call into soap/: libxml2 and xmlsec set up
 * with everything optional switched off; what they complain about never reaches standard error. */
MUST_CHECK struct status soap_library_init(struct diag *diag);
void soap_library_done(void);

#endif
