/*
 * What trust rests on, for `isthmus check`: where revocation is learnt, who is asked, where our
 * keys are, whose word about individuals counts, how long a session may be resumed. Called on the
 * program's main thread; owns nothing.
 */
#include <stdio.h>

#include "certs/tls.h"
#include "cli/show.h"

static const char *
ocsp_name(enum status_mode mode)
{
    static const char *const names[] = {
        [STATUS_OFF] = "off", [STATUS_SOFT] = "soft", [STATUS_HARD] = "hard"};

    return names[mode];
}

static struct config_strings
hosts_of(const struct config_trust *entry)
{
    return (struct config_strings){entry->status.hosts.items, entry->status.hosts.n};
}

const char *
show_key_source(enum config_key_source source)
{
    static const char *const names[] = {[CONFIG_KEY_FILE] = "file",
                                        [CONFIG_KEY_ENCRYPTED] = "encrypted file",
                                        [CONFIG_KEY_TOKEN] = "pkcs11"};

    return names[source];
}

/* ---- for people ---- */

static void
print_list(const char *what, const struct config_strings *strings)
{
    if (strings->n > 0) {
        printf("  %-10s %s ", "", what);
        show_strings(strings);
    }
}

void
show_trust_sources(const struct config_trust *entry)
{
    const struct config_strings hosts = hosts_of(entry);

    print_list("lists from files", &entry->crl_paths);
    print_list("lists fetched from", &entry->crl_urls);
    if (entry->status.mode == STATUS_OFF) {
        printf("  %-10s OCSP off\n", "");
    } else {
        printf("  %-10s OCSP %s, responder %s\n", "", ocsp_name(entry->status.mode),
               entry->status.responder == NULL ? "as each certificate names it"
                                               : entry->status.responder);
    }
    print_list("may fetch from", &hosts);
}

void
show_proof(const struct config *config)
{
    printf("individuals\n");
    for (size_t i = 0; i < config->id_token_issuers_n; i++) {
        printf("  id_tokens of %s\n", config->id_token_issuers[i].issuer);
    }
    if (config->id_token_issuers_n == 0) {
        printf("  no id_token issuer is believed\n");
    }
    if (!config->needs_id_token) {
        printf("  WARNING: requests for individual access may come without an id_token\n");
    }
    printf("sessions\n  TLS resumed for at most %d s, within one generation of trust\n",
           TLS_SESSION_LIFE_S);
}

/* ---- for programs ---- */

void
show_trust_sources_json(struct jsonw *json, const struct config_trust *entry)
{
    const struct config_strings hosts = hosts_of(entry);

    show_strings_json(json, "crl_files", &entry->crl_paths);
    show_strings_json(json, "crl_urls", &entry->crl_urls);
    jsonw_key_text(json, "ocsp", span_of_cstr(ocsp_name(entry->status.mode)));
    jsonw_key_text(json, "ocsp_responder", span_of_cstr(entry->status.responder));
    show_strings_json(json, "fetch_hosts", &hosts);
}

void
show_proof_json(struct jsonw *json, const struct config *config)
{
    jsonw_key(json, "id_token_issuers");
    jsonw_array(json);
    for (size_t i = 0; i < config->id_token_issuers_n; i++) {
        jsonw_string(json, span_of_cstr(config->id_token_issuers[i].issuer));
    }
    jsonw_close(json);
    jsonw_key_bool(json, "id_tokens_required", config->needs_id_token);
    jsonw_key_int(json, "tls_session_s", TLS_SESSION_LIFE_S);
}
