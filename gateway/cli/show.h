/*
 * Pieces of output that several subcommands share. Internal to cli/. Thread: the program's main
 * one.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "base/jsonw.h"
#include "certs/certificate.h"
#include "config/config.h"

#define SHOW_DATE_MAX 48

/* "until 2027-11-24 (729 days)", "ended 2026-01-01" */
void show_expiry(int64_t not_after_us, int64_t now_us, char ret_text[SHOW_DATE_MAX]);
/* Whole days until then; negative when it is over. */
int64_t show_days(int64_t until_us, int64_t now_us);
/* subject, sha256, not_after, days: as members of the open object. */
void show_certificate_json(struct jsonw *json, const struct certificate *certificate,
                           int64_t now_us);
/* An array of strings under <key>. */
void show_strings_json(struct jsonw *json, const char *key, const struct config_strings *strings);
/* "a, b, c" and a line's end on standard output. */
void show_strings(const struct config_strings *strings);
/* What differs from the strictest way for this partner, in words. */
#define SHOW_RELAXATION_MAX  512 /* bytes of one; delegators beyond are counted */
#define SHOW_RELAXATIONS_MAX (RELAX_COUNT + 12)
struct show_relaxation {
    char name[32]; /* the key of its file, or the name in may_omit */
    char text[SHOW_RELAXATION_MAX];
    bool is_warning; /* weakens what others rely on */
};
struct show_relaxations {
    struct show_relaxation items[SHOW_RELAXATIONS_MAX];
    size_t n;
};
void show_collect_relaxations(const struct partner *partner, int64_t now_us,
                              struct show_relaxations *ret_relaxations);

/* How our messages to it are written: a line, or a member of the open object (show_style.c). */
void show_style(const struct partner *partner);
void show_style_json(struct jsonw *json, const struct partner *partner);
/* The profiles that its file names, and what they set: the same. */
void show_profiles(const struct partner *partner);
void show_profiles_json(struct jsonw *json, const struct partner *partner);
void show_shipped_profiles(void);

/* "file", "encrypted file", "pkcs11" */
const char *show_key_source(enum config_key_source source);
/* What revocation of an entry of trust: is learnt from (show_trust.c): lines, or members of the
 * open object. */
void show_trust_sources(const struct config_trust *entry);
void show_trust_sources_json(struct jsonw *json, const struct config_trust *entry);
/* Issuers of id_tokens and TLS sessions: the same. */
void show_proof(const struct config *config);
void show_proof_json(struct jsonw *json, const struct config *config);

/* `sources:`, with their probes (NULL: none): blocks of lines, or a member of the open object
 * (show_sources.c). */
struct reach;
void show_sources(const struct config *config, const struct reach *reach, int64_t now_us);
void show_sources_json(struct jsonw *json, const struct config *config, const struct reach *reach);

/* `audit:` as lines, or a member of the open object (show_audit.c). */
void show_audit(const struct config *config);
void show_audit_json(struct jsonw *json, const struct config *config);

/* Prints the finished JSON text and a line's end; complains on standard error when it failed. */
struct cli_command;
bool show_json(const struct cli_command *command, struct jsonw *json, struct buf *text,
               const struct diag *diag);

#endif
