/*
 * The configuration: one YAML file (and the partner and policy files that it names) read into one
 * immutable struct, keys, trust stores and rules included. Built once by config_load, shared by
 * reference, freed with the last reference. The shape is described for operators in
 * gateway/config/README.md. Paths in a file are relative to that file. Thread: any may read.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/clock.h"
#include "base/dialect.h"
#include "base/journal_keys.h"
#include "base/log.h"
#include "base/spool.h"
#include "base/yaml.h"
#include "certs/credential.h"
#include "certs/jwks.h"
#include "certs/status.h"
#include "certs/trust.h"
#include "policies/policy.h"

/* A fixed list of NUL-terminated strings in the configuration's arena. */
struct config_strings {
    const char *const *items;
    size_t n;
};

struct config_address {
    const char *host; /* numeric address, or "unix:/path" */
    uint16_t port;
    const char *text; /* as written, for messages */
};

/* Where a private key is: a PEM file, one behind a passphrase, a PKCS#11 token. */
enum config_key_source { CONFIG_KEY_FILE, CONFIG_KEY_ENCRYPTED, CONFIG_KEY_TOKEN };

/* A named credential of `credentials:`, for summaries and expiry. */
struct config_credential {
    enum config_key_source source;
    const char *name;
    const struct credential *credential;
};

/* A named trust store of `trust:`. */
struct config_trust {
    const char *name;
    struct config_strings crl_paths; /* empty: no revocation lists from files */
    const struct trust *trust;
    struct status_settings status;  /* `fetch_hosts` and `ocsp` */
    struct config_strings crl_urls; /* fetched by certs/crl_feed.h */
    int64_t crl_refresh_us;
    bool awaits_crl; /* not all of them have come: nobody is trusted yet, no signing certificate is
                        registered */
};

struct config_listener {
    bool is_set;
    struct config_address address;
    const struct credential *credential; /* NULL: no TLS (loopback or unix socket only) */
    const struct trust *trust;
};

/* What our own assertions say. Every member may be absent (NULL); the command line may give it. */
struct config_asserts {
    const char *organization;
    const char *organization_id; /* urn:oid:... */
    const char *user;            /* subject-id: a person's name in plain text */
    const char *role;            /* SNOMED CT code */
    const char *role_display;
    const char *purpose;        /* e.g. T-TREAT */
    const char *purpose_system; /* OID; default POLICY_PURPOSE_SYSTEM_TEFCA */
    const char *npi;
};

/* Whose assertions about its users a local system may bring (ITI-40): `assertions:` of its entry.
 */
struct config_assertions {
    struct certificate *const *keys; /* of the issuers, then of those who only hold (holder-of-key)
                                      */
    size_t keys_n, holders_n;
    struct config_strings issuers;   /* SAML Issuers; empty: the key's subject DN */
    struct config_strings audiences; /* at least one; for http(s) the listener's paths below, too */
    bool may_use_bearer;
    uint32_t relaxed; /* may_omit: set of enum dialect_relaxation; what an assertion leaves out of
                         who asks is the entry's */
    bool may_omit_purpose;
};

/* A local system that asks through this node: `systems:`. */
/* Answers of ITI-47 that are given in parts. */
struct config_continued {
    size_t queries;  /* limits: continued_queries, open at a time for each local system */
    size_t bytes;    /* limits: continued, of all of them */
    int64_t time_us; /* limits: continued_time, until the rest is forgotten */
};

struct config_system {
    const char *name; /* label: log, audit */
    /* Its TLS client certificate on the local listener carries one of these, lower case; none: it
     * is known by `listen: local: system:` only. */
    struct config_strings certificate_names;
    /* Who asks, where a message does not say it: complete, what the entry leaves out is `asserts:`.
     */
    struct config_asserts asserts;
    const struct config_assertions *assertions; /* NULL: none are read */
    bool requires_assertion; /* without one it is refused; <asserts> is complete only as far as
                                assertions may omit */
    bool asks_partners_47;   /* demographics: partners: its ITI-47 is asked of partners, too */
    bool asserts_for_all;    /* holds for its users, whatever a Security header of a message says */
};

enum partner_identity { PARTNER_IDENTITY_SAN, PARTNER_IDENTITY_CERTIFICATE };
/* timestamp: MessageID and the Timestamp's signature are accepted once, each; messageid: it shares
 * a Timestamp among messages, so only the first counts. */
enum partner_replay { PARTNER_REPLAY_TIMESTAMP, PARTNER_REPLAY_MESSAGEID };
enum partner_fault_status { PARTNER_FAULT_STATUS_500, PARTNER_FAULT_STATUS_SOAP12 };

/* A signing certificate of a partner's file that is not registered now, because it is revoked or
 * has no chain to the anchors: the partner proves nothing with it, and the node runs on. */
struct partner_withheld {
    const struct certificate *certificate;
    const char *why;
};

/* How much one partner is asked at a time, and when it is left alone. */
struct partner_limits {
    size_t connections;       /* to it at once; each carries one question */
    size_t requests;          /* to it at once, those that wait for a connection included */
    size_t failures;          /* in a row, until it is left alone for a while: */
    int64_t pause_us;         /* at first; then twice as long each time, */
    int64_t longest_pause_us; /* but no longer than this */
    size_t documents;         /* asked for in one retrieve; 0: as many as we ask anybody for */
    size_t attempts;          /* of a question that brings no answer; 1: it is asked once */
};
void config_outbound_default(struct partner_limits *ret_limits);

/* Where and how its answers leave that are not given at once. */
struct partner_replies {
    struct config_strings asynchronous; /* https: its endpoints for answers of WS-Addressing's
                                           asynchronous exchange; empty: not offered to it */
    const char *deferred_url; /* https: for answers to deferred ITI-55; NULL: not offered */
    size_t queue;             /* answers to it that may wait */
    int64_t age_us;           /* how long an answer may take, in either direction */
};

/* Where the names of its URLs may lead; what an URL names by its address is meant. */
enum partner_addresses {
    PARTNER_ADDRESSES_PUBLIC,
    PARTNER_ADDRESSES_PRIVATE, /* private networks, too (VPN) */
    PARTNER_ADDRESSES_LOCAL    /* this machine, too (test bed) */
};

/* A profile that its file names (profiles.h), and one value that it set there. */
struct partner_profile {
    const char *name;
    const char *about;     /* whom it is for */
    const char *parameter; /* its value; NULL: it takes none */
};
struct partner_setting {
    const char *key;   /* "writes.digest" */
    const char *value; /* as written; of a list one of its items */
    const struct partner_profile *profile;
};

/* One community (or network) that we talk to: partners.d/<id>.yaml. Or a source, as the outbound
 * engine sees it: then only what reaching it takes is set. */
struct partner {
    const char *id;                     /* short label: log, audit, policy */
    const char *path;                   /* its file */
    const struct config_source *source; /* NULL: it is a partner */
    const char *name;
    struct config_strings communities; /* homeCommunityIds that it speaks for, bare OIDs; the first
                                          is its own */
    const char *xcpd_url, *query_url, *retrieve_url, *xcdr_url; /* https; NULL: not offered */
    enum partner_identity identity;
    struct config_strings tls_names;    /* identity san: its certificate must carry one of these */
    struct config_strings tls_sha256;   /* identity certificate: pinned, lower-case hexadecimal */
    struct certificate *const *signing; /* registered keys for assertions and Timestamps */
    size_t signing_n;
    const struct partner_withheld *withheld; /* listed like those of <signing>, but not believed */
    size_t withheld_n;
    const struct config_strings *key_issuers; /* SAML Issuers of each of <signing>; empty: <issuers>
                                                 count. NULL: none has its own */
    struct config_strings issuers; /* of keys without their own; empty: the key's subject DN */
    bool may_use_bearer;           /* confirmation: [holder-of-key, bearer] */
    uint32_t relaxed;              /* may_omit: set of enum dialect_relaxation */
    int64_t sha1_until_us;         /* wall; 0: never */
    struct dialect_style writes;   /* how it wants our assertions */
    struct dialect_form form;      /* and the rest of our messages */
    bool is_server_pinned;         /* identity certificate: its server needs no chain beside it */
    bool has_legacy_suites;        /* its server's TLS knows none of the suites of today */
    bool may_connect_legacy;       /* its server's TLS knows no secure renegotiation (RFC 5746) */
    bool wants_short_location;     /* of errors in our ITI-39 answers: the community alone */
    enum partner_replay replay;
    bool is_assertion_once;           /* its assertions are accepted once, OneTimeUse or not */
    struct config_strings delegators; /* QueryAuthGrantor values that it may ask for */
    enum partner_fault_status fault_status;
    int64_t timeout_us; /* cap on one exchange with it, but for these */
    int64_t discovery_timeout_us, query_timeout_us, retrieve_timeout_us; /* 0: timeout_us */
    struct partner_limits limits;
    struct partner_replies replies;
    bool is_asynchronous;  /* we ask it so: its answers come to our /deferred */
    bool is_deferred;      /* ITI-55 may be answered later, in either direction */
    const char *proxy_url; /* http://host:port, asked to CONNECT; NULL: none */
    enum partner_addresses addresses;
    const struct credential *credential;    /* what we show it, */
    const struct trust *trust;              /* and who vouches for its server */
    bool is_plain;                          /* a source on this machine without TLS: http:// */
    const struct partner_profile *profiles; /* that its file names, in that order */
    size_t profiles_n;
    const struct partner_setting *settings; /* what they set */
    size_t settings_n;
};
/* Which profile set that key to <value> (NULL: to anything)? NULL: none; its file did, or it is the
 * default. */
const char *partner_profile_of(const struct partner *partner, const char *key, const char *value);

/* A repository of an external source. */
struct config_repository {
    const char *id; /* repositoryUniqueId, bare OID */
    const char *url;
};

enum config_engine {
    CONFIG_ENGINE_XDS,      /* a document registry with its repositories */
    CONFIG_ENGINE_EMBEDDED, /* our own store */
    CONFIG_ENGINE_PDQ,      /* a supplier of demographics: knows people, has no documents */
    CONFIG_ENGINE_PIX,      /* a manager of cross-references: knows ids, has no documents */
    CONFIG_ENGINE_GATEWAY   /* a participant's gateway behind us, asked ITI-55, ITI-38, ITI-39 */
};

/* Where documents and people of this node come from: `sources:`. */
struct config_source {
    const char *name; /* label: log, audit */
    enum config_engine engine;
    bool is_embedded;         /* our own store; of the rest only <community> is set then */
    const char *community;    /* whose documents it has, bare OID; ours unless it has its own. Of a
                                 gateway: its first; all are in <partner>, and where it is */
    const char *supplier_url; /* PDQ, PIX */
    int64_t remember_us;      /* PIX: how long its answers are kept; 0: never */
    const char *registry_url; /* XDS */
    const struct config_repository *repositories;
    size_t repositories_n;
    const char *patient_authority; /* of the patient ids that it knows; PDQ, gateway: may be NULL */
    bool asserts_asker;   /* gateway: our assertions name the asker's community, not ours */
    bool wants_assertion; /* security: assertion */
    const struct partner *partner; /* for the outbound engine */
};

/* limits: of the network listeners. Times are from the first to the last byte. */
struct config_edge {
    size_t connections; /* in all */
    size_t connections_per_address;
    size_t connections_per_partner;
    size_t requests_per_partner; /* being received or answered at a time */
    size_t failures_per_minute;  /* refused signatures, assertions and the like of one partner; then
                                    its requests are refused before that work */
    size_t requests;             /* of the whole node at a time; default by the machine's memory */
    size_t held_bytes;           /* of messages in memory, of the whole node; the same */
    size_t rate_bytes;           /* least bytes per second of a request's body and of a reader */
    int64_t handshake_us;
    int64_t status_us; /* until the status of a client's certificate is known */
    int64_t head_us;   /* of a request */
    int64_t idle_us;
    int64_t request_us; /* head and body */
    int64_t answer_us;
    int64_t connection_us; /* an older connection closes after its current answer */
    int64_t queue_us;      /* work may wait so long for a worker; then new requests are refused */
    int64_t drain_us;      /* what is in work may take so long when the node stops */
};
void config_edge_default(struct config_edge *ret_edge);

/* limits.enough: when the rest of the communities asked is not waited for any more: so many, or
 * this share of them, have answered, if only "nothing". Both 0: all are waited for. */
struct config_enough {
    size_t answers;
    unsigned percent;
};

/* discovery: what a partner is told when several people agree with his question, and how long what
 * communities know of people is remembered. */
enum config_several {
    CONFIG_SEVERAL_ASK,  /* nobody; asked for what would tell them apart (ITI TF-2 3.55.4.2.3) */
    CONFIG_SEVERAL_NONE, /* nobody */
    CONFIG_SEVERAL_LIST  /* all of them, each with its degree of match */
};
struct config_discovery {
    enum config_several several;
    int64_t time_to_live_us; /* told to partners: how long our answers may be kept; 0: not at all */
    int64_t remember_us;     /* partners' answers, at most, and no longer than they say; 0: never */
    size_t minimum_degree;  /* asked of partners: how sure a match must be, 1 to 100; 0: not said */
    bool may_be_asked_back; /* questions with an id of ours say that we may be asked by it */
};

/* recipients: the organizations that a community takes documents for. */
struct config_recipient {
    const char *organization; /* an OID; or, with '*' at its end, what it begins with */
    const char *community;    /* ours, or a partner's; bare OID */
};

/* spool: where large messages wait. */
struct config_spool {
    const char *path; /* a folder, made when missing; default: spool, beside the store */
    bool is_default;  /* it was not set */
    uint64_t limit;   /* bytes of all messages in it */
    size_t threshold; /* bytes that a message may have without it */
};

/* audit.checkpoints: who signs where the journal stands, and how often. */
struct config_checkpoints {
    const struct credential *credential; /* NULL: nobody */
    const struct trust *trust;           /* who else may have signed, before; NULL: nobody */
    int64_t every_us;                    /* a checkpoint at least so often, or after so many */
    size_t records;                      /* records, if there is anything new */
};

/* Where audit records are shipped to: an entry of `audit.repositories`. */
enum config_audit_kind { CONFIG_AUDIT_SYSLOG_TLS, CONFIG_AUDIT_SYSLOG_UDP, CONFIG_AUDIT_FHIR };

#define CONFIG_AUDIT_MAX 16 /* repositories */

struct config_audit_repository {
    const char *name; /* cursor, log, metrics */
    enum config_audit_kind kind;
    const char *host;                    /* name or numeric address; of FHIR: the URL's */
    uint16_t port;                       /* of syslog */
    const char *url;                     /* of FHIR, else NULL */
    const struct trust *trust;           /* NULL with UDP */
    const struct credential *credential; /* NULL with UDP */
    const char *certificate_name;        /* what its certificate must be for; default host */
    bool is_put;           /* FHIR: under ids of ours (PUT), not the repository's (POST) */
    int64_t resend_age_us; /* of syslog: what is younger, or among the last so many bytes, */
    size_t resend_bytes;   /* is sent again after a break */
    int64_t alarm_us;      /* without progress for so long it counts as lost */
    int64_t timeout_us;    /* of one connect or send */
};

/* audit: of the journal's writing. */
struct config_audit {
    struct journal_keys keys;    /* encryption; n 0: nothing is or was encrypted */
    bool is_degrading;           /* on_unavailable: degrade */
    unsigned disk_limit_percent; /* fuller than that: not ready */
    int64_t wait_us;             /* for the disk, at most */
};

struct config {
    const char *path;
    uint64_t generation;   /* of trust: 1, 2, ... over all configurations of this process */
    const char *community; /* our own homeCommunityId, bare OID */
    const char *community_name;
    const char
        *patient_authority; /* assigning authority of the ids we give out; default <community>.1 */
    const char *repository; /* repositoryUniqueId of the embedded store; default <community>.2 */
    struct config_listener network, local, admin;
    const char *base_url; /* how partners reach us (audiences): https://host:port, no slash at the
                             end; NULL without a network listener */
    struct config_asserts asserts;
    const struct config_recipient *recipients;
    size_t recipients_n;
    const struct config_system *systems;
    size_t systems_n;
    const struct config_system *local_system; /* who asks on a local listener without TLS; NULL:
                                                 nobody */
    const struct credential *signing;
    const struct credential *node; /* TLS of outbound connections */
    const struct trust *partner_trust;
    const struct trust *signing_trust; /* anchors of signing certificates; default partner_trust */
    const struct config_credential *credentials; /* all of them, node and signing included */
    size_t credentials_n;
    const struct config_trust *trusts;
    size_t trusts_n;
    const struct partner *partners; /* in the order of `partners:`, a pattern's files by name */
    size_t partners_n;
    size_t reached_n;                    /* behind the partners in the same array: the sources' */
    const struct config_source *sources; /* in the order of the file; without any: our own store */
    size_t sources_n;
    bool asks_store;                            /* our own store is among them */
    const struct jwks_issuer *id_token_issuers; /* id_tokens: of individuals (T-IAS) */
    size_t id_token_issuers_n;
    const char *store_path; /* SQLite file */
    const char *journal_dir;
    const struct config_audit_repository *audit_repositories; /* in the order of the file */
    size_t audit_repositories_n;
    struct config_audit audit;
    struct config_checkpoints checkpoints;
    int64_t retention_us; /* audit.retention of the journal; 0: for ever */
    const char *archive;  /* audit.archive: where old segments go; NULL: they are deleted */
    struct config_spool spool;
    const struct policy *policy;
    int64_t clock_skew_us;   /* security: clock_skew, default 60 s */
    int64_t max_lifetime_us; /* security: max_lifetime of Timestamps and assertions, default 1 h */
    struct config_strings authn_contexts; /* security: AuthnContextClassRefs beside SAML's own */
    bool needs_clock;                     /* security: clock_sync_required, for readiness */
    bool needs_id_token;                  /* security: id_tokens_required, default true */
    bool uses_reference;                  /* security: signatures, default profile */
    int64_t id_token_max_age_us; /* security: id_token_max_age since its iat, default 1 h */
    int64_t timeout_us;          /* limits: timeout, the default deadline of a transaction */
    size_t body_limit;           /* limits: body, bytes of a request */
    size_t root_part_limit;      /* limits: root_part, bytes of the SOAP part of a request */
    struct config_edge edge;
    struct partner_limits outbound; /* outbound: of partners without limits of their own */
    struct config_enough enough;
    struct config_discovery discovery;
    size_t answers_limit;   /* limits: answers, bytes that all answers of one transaction hold */
    size_t facts_limit;     /* limits: answer_facts, bytes that is read of one answer */
    size_t documents_limit; /* limits: documents, bytes of one answer that carries documents; what
                               is not in the spool counts for answers_limit as well */
    struct config_continued continued;
    size_t replay_keys; /* limits: replay_keys, remembered at most for each partner */
    enum log_level log_level;
    enum log_format log_format;
};

/* All errors are in <report>, each with file:line:column; ERR_CONFIG when there was one, ERR_IO
 * when <path> itself cannot be read. The result starts with one reference. */
MUST_CHECK struct status config_load(const char *path, const struct clock *clock,
                                     struct yaml_report *report, struct diag *diag,
                                     const struct config **ret_config);
/* Opens the spool of `spool:`. ERR_IO, ERR_CONFIG: see base/spool.h; when its place is only a
 * default, a caller may do without. */
MUST_CHECK struct status config_open_spool(const struct config *config, struct diag *diag,
                                           struct spool **ret_spool);
const struct config *config_ref(const struct config *config);
void config_unref(const struct config *config); /* NULL is fine */

/* Has a file of a trust store (anchors, revocation lists) changed since it was read? Then the
 * configuration is to be loaded anew. One stat a file: for a timer. */
bool config_trust_has_changed(const struct config *config);

/* A time as the configuration writes it (20s, 500ms, 1m, 1h), for command lines; false when it is
 * not one, or nought. */
bool config_read_duration(struct span text, int64_t *ret_us);

/* Does a trust store wait for its first fetched revocation lists (out/crl_feed.h)? */
bool config_awaits_crl(const struct config *config);
/* Are there lists to be fetched at all? */
bool config_fetches_crl(const struct config *config);

/* The entry of `trust:` that this store belongs to; NULL when it is none of this configuration. */
const struct config_trust *config_trust_of(const struct config *config, const struct trust *trust);

/* The one partner whose record lists this TLS certificate; ERR_PEER_UNKNOWN when none does, or when
 * its names belong to several. That the certificate is proven is the handshake's to say. */
MUST_CHECK struct status config_partner_of_peer(const struct config *config,
                                                const struct certificate *peer, struct diag *diag,
                                                const struct partner **ret_partner);
/* The local system that asks: by its certificate, or without one (NULL) as the configuration says
 * for the local listener. ERR_SYSTEM_UNKNOWN. */
MUST_CHECK struct status config_system_of_peer(const struct config *config,
                                               const struct certificate *peer, struct diag *diag,
                                               const struct config_system **ret_system);
/* The partner that speaks for a community (bare OID), or NULL. */
const struct partner *config_partner_of_community(const struct config *config, struct span oid);
/* By the id of its record; NULL: none is called so. */
const struct partner *config_partner_of_id(const struct config *config, struct span id);
/* The community (bare OID) that takes documents for an organization (its OID, or that of the
 * authority that numbers it), by the first entry of `recipients:` that has it; NULL: none. */
const char *config_community_of_recipient(const struct config *config, struct span organization);
bool partner_speaks_for(const struct partner *partner, struct span oid);
/* Is it our community (bare OID), or that of a source of ours? The node answers for those. */
bool config_is_own_community(const struct config *config, struct span oid);
/* Is there a source of documents beside our own store? */
bool config_has_external(const struct config *config);
/* Is this entry of config->partners the gateway of a participant behind us? */
bool partner_is_behind(const struct partner *partner);
/* The participant behind us with that community (bare OID), or NULL. */
const struct partner *config_gateway_of_community(const struct config *config, struct span oid);
bool config_has_engine(const struct config *config, enum config_engine engine);
/* The external source with that repositoryUniqueId, or NULL; ours is in config->repository. */
const struct config_source *config_source_of_repository(const struct config *config,
                                                        struct span repository);
/* The repository of that id, or NULL. */
const struct config_repository *config_source_repository(const struct config_source *source,
                                                         struct span id);
/* May <key>, one of <signing>, sign an assertion of this Issuer? Of several keys, each signs for
 * its own. */
bool partner_key_issues(const struct partner *partner, const struct certificate *key,
                        struct span issuer);
/* May <key> sign an assertion of this Issuer? */
bool config_assertions_issue(const struct config_assertions *assertions,
                             const struct certificate *key, struct span issuer);
/* Is <url> one that is registered for the partner's asynchronous answers, letter by letter? */
bool partner_takes_replies(const struct partner *partner, struct span url);
/* Are SHA-1 signatures of this partner accepted, and ours made with it if it wants that? */
bool partner_may_sha1(const struct partner *partner, int64_t now_us);

/* What `asserts:` accepts, for options that mean the same: "urn:oid:OID" or a URL; a code (visible
 * ASCII without blanks); ten digits with the check digit of a National Provider Identifier. */
bool config_is_organization_id(struct span text);
bool config_is_code(struct span text);
bool config_is_npi(struct span text);

#endif
