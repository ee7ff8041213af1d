/*
 * Where audit records are kept and sent, for `isthmus check`. Runs on the program's main thread.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/show.h"

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

void
show_audit(const struct config *config)
{
    char address[512];

    printf("audit\n  %-10s %s\n", "journal", config->journal_dir);
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
    jsonw_key_text(json, "journal", span_of_cstr(config->journal_dir));
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
