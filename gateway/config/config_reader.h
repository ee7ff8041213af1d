/*
 * What the files that read the configuration share: the reader's state and the readers of single
 * values. Internal to config/.
 *
 * A wrong value is reported and reading goes on; a struct status fails only for what ends loading
 * (memory). Every reader of a value takes a node that may be NULL (the key is absent): then the
 * result keeps its default. Scalars lie NUL-terminated in the arena that also holds the result, so
 * they are not copied. Thread: the one that loads.
 */
#ifndef CONFIG_CONFIG_READER_H
#define CONFIG_CONFIG_READER_H

#include "base/yaml.h"
#include "config/config.h"

#define CONFIG_NAME_MAX 32

enum config_claim_kind {
    CONFIG_CLAIM_ID,
    CONFIG_CLAIM_COMMUNITY,
    CONFIG_CLAIM_TLS_NAME,
    CONFIG_CLAIM_TLS_CERTIFICATE,
    CONFIG_CLAIM_SIGNING,
    CONFIG_CLAIM_REPOSITORY
};

/* Something that only one partner (or we) may have; found twice, both places are reported. */
struct config_claim {
    enum config_claim_kind kind;
    const char *text;
    const struct yaml_node *at;
    size_t order;
};

struct config_claims {
    struct config_claim *items;
    size_t n, capacity;
};

struct config_credential_list {
    struct config_credential *items; /* .credential is NULL when it could not be loaded */
    size_t n, capacity;
};

struct config_trust_list {
    struct config_trust *items;
    size_t n, capacity;
};

struct config_partner_list {
    struct partner *items;
    size_t n, capacity;
};

struct config_string_list {
    const char **items;
    size_t n, capacity;
};

struct config_profile; /* profiles.h */
struct config_profile_list {
    struct config_profile *items;
    size_t n, capacity;
};

struct config_reader {
    struct yaml_report *report;
    struct diag *diag; /* of what ends loading */
    struct arena *arena;
    int64_t now_us;
    struct config *config; /* what is being made */
    struct config_credential_list credentials;
    struct config_trust_list trusts;
    struct config_string_list credential_names, trust_names; /* of the two lists above, in order */
    struct config_partner_list partners;
    struct config_claims claims;
    struct config_profile_list profiles; /* that were read so far */
};

/* ---- nodes (config_value.c) ---- */

/* "timeout: expected a time such as 20s, got 'soon'". */
void config_expected(struct config_reader *reader, const struct yaml_node *node, const char *what);
/* The value of a key that must be there; its absence is reported at the mapping. */
struct yaml_node *config_need(struct config_reader *reader, struct yaml_node *mapping,
                              const char *key);
/* The mapping under <key> with no other keys than <names>; NULL when absent or no mapping. */
struct yaml_node *config_section(struct config_reader *reader, struct yaml_node *parent,
                                 const char *key, const char *const *names, size_t n);
/* As config_section; its absence is reported. */
struct yaml_node *config_need_section(struct config_reader *reader, struct yaml_node *parent,
                                      const char *key, const char *const *names, size_t n);
/* Is the node a list (an absent one is none)? Anything else is reported. */
bool config_is_list(struct config_reader *reader, const struct yaml_node *node, const char *what);

/* ---- values (config_value.c, config_address.c) ---- */

/* True, and *ret_text set, when the node is text; an empty one is reported. */
bool config_text(struct config_reader *reader, const struct yaml_node *node, const char *what,
                 const char **ret_text);
/* A bare OID; "urn:oid:" before it is dropped. */
void config_oid(struct config_reader *reader, const struct yaml_node *node, const char **ret_oid);
/* Lower-case letters, digits, '-' and '_', at most CONFIG_NAME_MAX; <text> may be a key. */
bool config_is_name(struct span text);
void config_duration(struct config_reader *reader, const struct yaml_node *node, int64_t least_us,
                     int64_t most_us, int64_t *ret_us);
void config_size(struct config_reader *reader, const struct yaml_node *node, size_t least,
                 size_t most, size_t *ret_bytes);
void config_count(struct config_reader *reader, const struct yaml_node *node, size_t least,
                  size_t most, size_t *ret_count);
/* The index of the word among <names>; false when absent or wrong. */
bool config_choice(struct config_reader *reader, const struct yaml_node *node,
                   const char *const *names, size_t n, size_t *ret_index);
/* A path relative to the node's file. The file need not exist. */
MUST_CHECK struct status config_path(struct config_reader *reader, const struct yaml_node *node,
                                     const char **ret_path);
/* A bool that says whether an item is right; wrong ones are reported and left out. */
typedef bool config_item_check(struct config_reader *reader, const struct yaml_node *item);
MUST_CHECK struct status config_text_list(struct config_reader *reader,
                                          const struct yaml_node *list, const char *what,
                                          config_item_check *check,
                                          struct config_strings *ret_strings);

MUST_CHECK struct status config_address(struct config_reader *reader, const struct yaml_node *node,
                                        struct config_address *ret_address);
/* "host:port" or "[address]:port", a name or a numeric address; both or nothing is set. */
MUST_CHECK struct status config_host_port(struct config_reader *reader,
                                          const struct yaml_node *node, const char **ret_host,
                                          uint16_t *ret_port);
bool config_is_loopback(const struct config_address *address);
bool config_is_wildcard(const struct config_address *address); /* 0.0.0.0, [::] */
/* https://host[:port][/path] as written. */
void config_url(struct config_reader *reader, const struct yaml_node *node, const char **ret_url);
/* The same with http:// on this machine: a numeric loopback address, or localhost. */
void config_loopback_url(struct config_reader *reader, const struct yaml_node *node,
                         const char **ret_url);
/* The host of an URL that was accepted, without the brackets of an IPv6 address. */
struct span config_host_of_url(const char *url);
/* http://host:port, as written. */
void config_proxy_url(struct config_reader *reader, const struct yaml_node *node,
                      const char **ret_url);
/* https://host[:port], a slash at the end dropped. */
MUST_CHECK struct status config_base_url(struct config_reader *reader, const struct yaml_node *node,
                                         const char **ret_url);

/* ---- files (config_files.c) ---- */

/* The files that a list of paths and glob patterns names, each pattern's in order of their names.
 */
struct config_file {
    const char *path;
    const struct yaml_node *at; /* where it is listed */
};
struct config_file_list {
    struct config_file *items;
    size_t n, capacity;
};
MUST_CHECK struct status config_files(struct config_reader *reader, const struct yaml_node *list,
                                      struct config_file_list *ret_files);
/* The same, where a single path may stand for the list. */
MUST_CHECK struct status config_files_or_one(struct config_reader *reader,
                                             const struct yaml_node *node,
                                             struct config_file_list *ret_files);
/* A listed file could not be read. Mistakes in it were reported at their places; a file that is not
 * there or too large is reported here, where it is listed; only what ends loading is passed on. */
MUST_CHECK struct status config_file_failure(struct config_reader *reader,
                                             const struct config_file *file, struct status st,
                                             const struct diag *reason);

/* ---- parts ---- */

/* credentials: and trust: (config_credentials.c). Before everything that refers to them. */
MUST_CHECK struct status config_read_credentials(struct config_reader *reader,
                                                 struct yaml_node *root);
MUST_CHECK struct status config_read_trust(struct config_reader *reader, struct yaml_node *root);
/* fetch_hosts, ocsp, crl_urls, crl_refresh of an entry of trust: (config_ocsp.c). */
MUST_CHECK struct status config_read_status(struct config_reader *reader, struct yaml_node *node,
                                            struct config_trust *entry);
/* The lists of crl_urls that have been fetched, for making the store; all or none. */
MUST_CHECK struct status config_take_lists(struct config_reader *reader, struct config_trust *entry,
                                           struct trust_sources *sources);
/* By name; NULL when absent, unknown (reported) or not loaded (reported before). */
const struct credential *config_find_credential(struct config_reader *reader,
                                                const struct yaml_node *name);
const struct trust *config_find_trust(struct config_reader *reader, const struct yaml_node *name);
MUST_CHECK struct status config_load_certificate(struct config_reader *reader,
                                                 const struct yaml_node *at, const char *path,
                                                 struct certificate **ret_certificate);

/* listen: (config_listen.c). */
MUST_CHECK struct status config_read_listen(struct config_reader *reader, struct yaml_node *root);
/* asserts: (config_asserts.c). */
void config_read_asserts(struct config_reader *reader, struct yaml_node *root);
/* The section asserts: of <parent>; what is absent stays as it is. */
void config_take_asserts(struct config_reader *reader, struct yaml_node *parent,
                         struct config_asserts *asserts);
/* systems:, after asserts: (config_systems.c). */
MUST_CHECK struct status config_read_systems(struct config_reader *reader, struct yaml_node *root);
/* The section assertions: of a system's entry; absent: *ret_assertions stays as it is. */
MUST_CHECK struct status config_read_assertions(struct config_reader *reader,
                                                struct yaml_node *entry,
                                                const struct config_assertions **ret_assertions);
/* A name of a TLS certificate, in lower case; claimed for one partner or system. */
MUST_CHECK struct status config_add_tls_name(struct config_reader *reader,
                                             const struct yaml_node *item,
                                             struct config_string_list *names);
/* The same, not claimed; NULL when it is none (reported). */
MUST_CHECK struct status config_tls_name(struct config_reader *reader, const struct yaml_node *item,
                                         const char **ret_name);
/* id_tokens: (config_idtokens.c). */
MUST_CHECK struct status config_read_recipients(struct config_reader *reader,
                                                struct yaml_node *root);
MUST_CHECK struct status config_read_id_tokens(struct config_reader *reader,
                                               struct yaml_node *root);
/* The network listeners' part of limits: (config_limits.c). */
void config_read_enough(struct config_reader *reader, const struct yaml_node *node,
                        struct config_enough *ret_enough);
void config_read_discovery(struct config_reader *reader, struct yaml_node *root);
void config_read_continued(struct config_reader *reader, struct yaml_node *limits);
void config_read_edge(struct config_reader *reader, struct yaml_node *limits);
/* outbound: of the main file, and limits, proxy, addresses of a partner's (config_outbound.c). */
void config_read_outbound(struct config_reader *reader, struct yaml_node *root);
/* <partner>->addresses is the default. */
void config_read_reach(struct config_reader *reader, struct yaml_node *root,
                       struct partner *partner);
/* replies, asynchronous, deferred of a partner's file, after listen: and asserts:
 * (config_replies.c). */
MUST_CHECK struct status config_read_replies(struct config_reader *reader, struct yaml_node *root,
                                             struct partner *partner);
/* sources: (config_sources.c). After partners:. */
MUST_CHECK struct status config_read_sources(struct config_reader *reader, struct yaml_node *root);
/* One partner file (config_partner.c). */
MUST_CHECK struct status config_read_partner(struct config_reader *reader,
                                             const struct config_file *file);
/* profiles: of the main file, a folder of the operator's own; before partners: (profiles.c). */
MUST_CHECK struct status config_read_profiles(struct config_reader *reader, struct yaml_node *root);
/* What the profiles that a partner's file names set joins its tree (profiles_apply.c). */
MUST_CHECK struct status config_apply_profiles(struct config_reader *reader, struct yaml_node *root,
                                               struct partner *partner);
/* tls: (config_tls.c). */
MUST_CHECK struct status config_read_tls(struct config_reader *reader, struct yaml_node *root,
                                         struct partner *partner);
/* writes: (config_writes.c). */
void config_read_writes(struct config_reader *reader, struct yaml_node *root,
                        struct partner *partner);
/* What was agreed with it beyond its identity (config_agreements.c). */
MUST_CHECK struct status config_read_agreements(struct config_reader *reader,
                                                struct yaml_node *root, struct partner *partner);
/* audit: repositories (config_repositories.c). After credentials:, trust: and listen:. */
MUST_CHECK struct status config_read_repositories(struct config_reader *reader,
                                                  struct yaml_node *audit);
/* Of `audit:` checkpoints, retention, archive (config_seal.c). After credentials: and trust:. */
MUST_CHECK struct status config_read_seal(struct config_reader *reader, struct yaml_node *audit);
/* spool: (config_spool.c). After store:. */
/* Of `audit:` what concerns the journal's writing (config_journal.c). */
MUST_CHECK struct status config_read_journal(struct config_reader *reader, struct yaml_node *audit);
MUST_CHECK struct status config_read_spool(struct config_reader *reader, struct yaml_node *root);
/* The folder that <path> lies in must exist: reported at <node>. */
MUST_CHECK struct status config_check_parent(struct config_reader *reader,
                                             const struct yaml_node *node, const char *path);
/* Everything in the main file, and the files that it names (config_schema.c). */
MUST_CHECK struct status config_read_root(struct config_reader *reader, struct yaml_node *root);

/* `communities` of a partner or a gateway behind us: OIDs that nobody else claims; nothing when it
 * is no list (config_partner.c). */
MUST_CHECK struct status config_communities(struct config_reader *reader, struct yaml_node *root,
                                            struct config_strings *ret_communities);

/* Claims (config_claims.c). */
MUST_CHECK struct status config_claim(struct config_reader *reader, enum config_claim_kind kind,
                                      const char *text, const struct yaml_node *at);
void config_check_claims(struct config_reader *reader);

#endif
