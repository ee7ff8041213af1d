/*
 * Where audit records are kept and sent, for `isthmus check`. Runs on the program's main thread.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/digest.h"
#include "cli/show.h"

#define DAY_US (INT64_C(24) * 3600 * US_PER_S)

static const char *const kinds[] = {
    [CONFIG_AUDIT_SYSLOG_TLS] = "syslog-tls",
    [CONFIG_AUDIT_SYSLOG_UDP] = "syslog-udp",
    [CONFIG_AUDIT_FHIR] = "fhir",
};

/* "arr.example:6514", "[2001:db8::1]:514", or the URL. */
static void
write_address(const struct config_audit_repository *repository, char ret_text[512])
{
    const bool has_colon = span_find_char(span_of_cstr(repository->host), ':') != SPAN_MISSING;

    if (repository->url != NULL) {
        snprintf(ret_text, 512, "%s", repository->url);
    } else {
        snprintf(ret_text, 512, "%s%s%s:%u", has_colon ? "[" : "", repository->host,
                 has_colon ? "]" : "", (unsigned)repository->port);
    }
}

/* "" when records stand in the clear. */
static void
write_key_id(const struct config *config, char ret_hex[JOURNAL_KEY_ID_HEX])
{
    const struct journal_key *key = journal_keys_writing(&config->audit.keys);

    ret_hex[0] = '\0';
    if (key != NULL) {
        hex_encode(key->id, JOURNAL_KEY_ID_BYTES, ret_hex);
    }
}

/* What the journal does with records: who signs, how long they stay, what a bad disk means. */
static void
show_journal(const struct config *config)
{
    const struct config_checkpoints *checkpoints = &config->checkpoints;
    char key[JOURNAL_KEY_ID_HEX];

    write_key_id(config, key);
    printf("  %-10s %s, %s%s\n", "journal", config->journal_dir,
           key[0] == '\0' ? "in the clear" : "encrypted with key ", key);
    if (checkpoints->credential == NULL) {
        printf("  %-10s by nobody: what is cut off at its end does not show\n", "signed");
    } else {
        printf("  %-10s by %s, every %" PRId64 " s or %zu records\n", "signed",
               checkpoints->credential->leaf->subject, checkpoints->every_us / US_PER_S,
               checkpoints->records);
    }
    if (config->retention_us == 0) {
        printf("  %-10s for ever\n", "kept");
    } else {
        printf("  %-10s for %" PRId64 " days, then %s%s\n", "kept", config->retention_us / DAY_US,
               config->archive == NULL ? "deleted" : "moved to ",
               config->archive == NULL ? "" : config->archive);
    }
    printf("  %-10s %s; not ready from %u %% on\n", "disk",
           config->audit.is_degrading ? "goes on without records when it fails"
                                      : "nothing is asked or answered when it fails",
           config->audit.disk_limit_percent);
}

static void
show_journal_json(struct jsonw *json, const struct config *config)
{
    const struct credential *signer = config->checkpoints.credential;
    char key[JOURNAL_KEY_ID_HEX];

    write_key_id(config, key);
    jsonw_key_text(json, "journal", span_of_cstr(config->journal_dir));
    jsonw_key_text(json, "encryption_key", span_of_cstr(key));
    jsonw_key_text(json, "signed_by", span_of_cstr(signer == NULL ? "" : signer->leaf->subject));
    jsonw_key_int(json, "retention_days", config->retention_us / DAY_US);
    jsonw_key_text(json, "archive", span_of_cstr(config->archive == NULL ? "" : config->archive));
    jsonw_key_text(json, "on_unavailable",
                   span_of_cstr(config->audit.is_degrading ? "degrade" : "refuse"));
}

void
show_audit(const struct config *config)
{
    char address[512];

    printf("audit\n");
    show_journal(config);
    for (size_t i = 0; i < config->audit_repositories_n; i++) {
        const struct config_audit_repository *repository = &config->audit_repositories[i];

        write_address(repository, address);
        printf("  %-10s %s %s", repository->name, kinds[repository->kind], address);
        if (repository->trust != NULL) {
            printf(", certificate for %s", repository->certificate_name);
        }
        printf(", alarm after %" PRId64 " s\n", repository->alarm_us / US_PER_S);
    }
}

void
show_audit_json(struct jsonw *json, const struct config *config)
{
    char address[512];

    jsonw_key(json, "audit");
    jsonw_object(json);
    show_journal_json(json, config);
    jsonw_key(json, "repositories");
    jsonw_array(json);
    for (size_t i = 0; i < config->audit_repositories_n; i++) {
        const struct config_audit_repository *repository = &config->audit_repositories[i];

        write_address(repository, address);
        jsonw_object(json);
        jsonw_key_text(json, "name", span_of_cstr(repository->name));
        jsonw_key_text(json, "kind", span_of_cstr(kinds[repository->kind]));
        jsonw_key_text(json, "address", span_of_cstr(address));
        jsonw_key_int(json, "alarm_ms", repository->alarm_us / US_PER_MS);
        jsonw_close(json);
    }
    jsonw_close(json);
    jsonw_close(json);
}
