/*
 * `isthmus partners`: who they are, as the configuration knows them. Asks nobody. Runs on the
 * program's main thread.
 */
#include <stdio.h>

#include "base/datetime.h"
#include "certs/expiry.h"
#include "cli/cli.h"
#include "cli/show.h"

#define JSON_MAX ((size_t)64 * 1024 * 1024)

static const char *path;
static bool is_json;

static const struct cli_option options[] = {
    {"c", "FILE", "the configuration", &path, NULL, NULL},
    {"json", NULL, "print JSON", NULL, NULL, &is_json},
};

static const struct cli_command command = {
    .name = "partners",
    .usage = "-c FILE [--json]",
    .text =
        "Prints every partner of the configuration: its communities, endpoints, how its TLS\n"
        "certificate is recognised, until when its signing certificates are valid, and what is\n"
        "relaxed for it.\n"
        "Exit codes: 0 done, 1 the configuration has mistakes, 2 usage.",
    .options = options,
    .options_n = ARRAY_LEN(options),
};

static const char *
fault_status_name(const struct partner *partner)
{
    return partner->fault_status == PARTNER_FAULT_STATUS_SOAP12 ? "soap12" : "500";
}

/* How our messages to it are written; is_set: not as by default. */
struct style_row {
    const char *key, *value;
    bool is_set;
};

static const char *
digest_name(enum dialect_digest digest)
{
    static const char *const names[] = {[DIALECT_SHA256] = "sha256",
                                        [DIALECT_SHA384] = "sha384",
                                        [DIALECT_SHA512] = "sha512",
                                        [DIALECT_SHA1] = "sha1"};

    return names[digest];
}

static const char *
community_name(enum dialect_community community)
{
    static const char *const names[] = {[DIALECT_COMMUNITY_BOTH] = "both",
                                        [DIALECT_COMMUNITY_IHE] = "ihe",
                                        [DIALECT_COMMUNITY_NHIN] = "nhin"};

    return names[community];
}

#define STYLE_ROWS 7

static void
list_style(const struct partner *partner, struct style_row ret_rows[STYLE_ROWS])
{
    const struct dialect_style *writes = &partner->writes;
    const struct style_row rows[STYLE_ROWS] = {
        {"confirmation", writes->is_bearer ? "bearer" : "holder-of-key", writes->is_bearer},
        {"digest", digest_name(writes->digest), writes->digest != DIALECT_SHA256},
        {"subject_id_format", writes->is_subject_id_basic ? "basic" : "uri",
         writes->is_subject_id_basic},
        {"home_community", community_name(writes->community),
         writes->community != DIALECT_COMMUNITY_BOTH},
        {"npi_2_0", writes->has_npi_2_0 ? "yes" : "no", writes->has_npi_2_0},
        {"authz_decision", writes->has_authz_decision ? "yes" : "no", writes->has_authz_decision},
        {"legacy_renegotiation", partner->may_connect_legacy ? "yes" : "no",
         partner->may_connect_legacy},
    };

    for (size_t i = 0; i < STYLE_ROWS; i++) {
        ret_rows[i] = rows[i];
    }
}

/* ---- for people ---- */

static void
print_endpoint(const char *name, const char *url)
{
    printf("  %-12s %s\n", name, url == NULL ? "-" : url);
}

static void
print_identity(const struct partner *partner)
{
    if (partner->identity == PARTNER_IDENTITY_SAN) {
        printf("  %-12s certificate with the name ", "tls");
        show_strings(&partner->tls_names);
        return;
    }
    for (size_t i = 0; i < partner->tls_sha256.n; i++) {
        printf("  %-12s certificate with SHA-256 %s\n", i == 0 ? "tls" : "",
               partner->tls_sha256.items[i]);
    }
}

static void
print_signing(const struct partner *partner, int64_t now_us)
{
    char text[SHOW_DATE_MAX];

    for (size_t i = 0; i < partner->signing_n; i++) {
        show_expiry(partner->signing[i]->not_after_us, now_us, text);
        const int64_t until_us = partner->signing[i]->not_after_us;
        const bool is_due = expiry_judge(EXPIRY_CERTIFICATE, until_us, now_us).level != EXPIRY_FAR;

        printf("  %-12s %s, %s%s\n", i == 0 ? "signing" : "", partner->signing[i]->subject, text,
               is_due ? "; warning: it needs a new one" : "");
    }
    for (size_t i = 0; i < partner->withheld_n; i++) {
        printf("  %-12s WARNING: not believed: %s\n", partner->signing_n + i == 0 ? "signing" : "",
               partner->withheld[i].why);
    }
    if (partner->signing_n == 0) {
        printf("  %-12s WARNING: no certificate counts: its messages are refused\n",
               partner->withheld_n == 0 ? "signing" : "");
    }
    if (partner->issuers.n > 0) {
        printf("  %-12s ", "issuers");
        show_strings(&partner->issuers);
    }
}

static void
print_style(const struct partner *partner)
{
    struct style_row rows[STYLE_ROWS];
    const char *separator = "";

    list_style(partner, rows);
    printf("  %-12s ", "writes");
    for (size_t i = 0; i < STYLE_ROWS; i++) {
        if (rows[i].is_set) {
            printf("%s%s %s", separator, rows[i].key, rows[i].value);
            separator = ", ";
        }
    }
    printf("%s\n", separator[0] == '\0' ? "as the specification says" : "");
}

static void
print_relaxations(const struct partner *partner, int64_t now_us)
{
    struct show_relaxations relaxed;

    show_collect_relaxations(partner, now_us, &relaxed);
    for (size_t i = 0; i < relaxed.n; i++) {
        printf("  %-12s %s%s\n", i == 0 ? "relaxed" : "",
               relaxed.items[i].is_warning ? "WARNING: " : "", relaxed.items[i].text);
    }
    if (relaxed.n == 0) {
        printf("  %-12s nothing\n", "relaxed");
    }
}

static void
print_partner(const struct partner *partner, int64_t now_us)
{
    printf("%s  %s\n  %-12s ", partner->id, partner->name, "communities");
    show_strings(&partner->communities);
    print_endpoint("xcpd", partner->xcpd_url);
    print_endpoint("query", partner->query_url);
    print_endpoint("retrieve", partner->retrieve_url);
    print_identity(partner);
    print_signing(partner, now_us);
    printf("  %-12s %lld ms\n", "timeout", (long long)(partner->timeout_us / US_PER_MS));
    if (partner->fault_status != PARTNER_FAULT_STATUS_500) {
        printf("  %-12s %s\n", "fault_status", fault_status_name(partner));
    }
    if (partner->is_assertion_once) {
        printf("  %-12s once\n", "assertions");
    }
    print_style(partner);
    print_relaxations(partner, now_us);
    putchar('\n');
}

static void
print_partners(const struct config *config, int64_t now_us)
{
    for (size_t i = 0; i < config->partners_n; i++) {
        print_partner(&config->partners[i], now_us);
    }
    printf("%zu partner%s\n", config->partners_n, config->partners_n == 1 ? "" : "s");
}

/* ---- for programs ---- */

static void
write_endpoints(struct jsonw *json, const struct partner *partner)
{
    jsonw_key(json, "endpoints");
    jsonw_object(json);
    jsonw_key_text(json, "xcpd", span_of_cstr(partner->xcpd_url));
    jsonw_key_text(json, "query", span_of_cstr(partner->query_url));
    jsonw_key_text(json, "retrieve", span_of_cstr(partner->retrieve_url));
    jsonw_close(json);
}

static void
write_signing(struct jsonw *json, const struct partner *partner, int64_t now_us)
{
    jsonw_key(json, "signing");
    jsonw_array(json);
    for (size_t i = 0; i < partner->signing_n; i++) {
        jsonw_object(json);
        show_certificate_json(json, partner->signing[i], now_us);
        jsonw_close(json);
    }
    jsonw_close(json);
    jsonw_key(json, "withheld");
    jsonw_array(json);
    for (size_t i = 0; i < partner->withheld_n; i++) {
        jsonw_object(json);
        show_certificate_json(json, partner->withheld[i].certificate, now_us);
        jsonw_key_text(json, "why", span_of_cstr(partner->withheld[i].why));
        jsonw_close(json);
    }
    jsonw_close(json);
    show_strings_json(json, "issuers", &partner->issuers);
}

static void
write_agreements(struct jsonw *json, const struct partner *partner)
{
    struct style_row rows[STYLE_ROWS];

    jsonw_key_bool(json, "bearer", partner->may_use_bearer);
    jsonw_key_text(json, "replay",
                   partner->replay == PARTNER_REPLAY_MESSAGEID ? SPAN("messageid")
                                                               : SPAN("timestamp"));
    jsonw_key_text(json, "assertions", partner->is_assertion_once ? SPAN("once") : SPAN("reused"));
    show_strings_json(json, "delegators", &partner->delegators);
    jsonw_key_text(json, "fault_status", span_of_cstr(fault_status_name(partner)));
    list_style(partner, rows);
    jsonw_key(json, "writes");
    jsonw_object(json);
    for (size_t i = 0; i < STYLE_ROWS; i++) {
        jsonw_key_text(json, rows[i].key, span_of_cstr(rows[i].value));
    }
    jsonw_close(json);
}

static void
write_relaxations(struct jsonw *json, const struct partner *partner, int64_t now_us)
{
    struct show_relaxations relaxed;
    char text[DATETIME_MAX];

    if (partner->sha1_until_us != 0) {
        datetime_write_xs(partner->sha1_until_us, text);
        jsonw_key_text(json, "sha1_until", span_of_cstr(text));
        jsonw_key_bool(json, "sha1", partner_may_sha1(partner, now_us));
    }
    show_collect_relaxations(partner, now_us, &relaxed);
    jsonw_key(json, "relaxed");
    jsonw_array(json);
    for (size_t i = 0; i < relaxed.n; i++) {
        jsonw_object(json);
        jsonw_key_text(json, "name", span_of_cstr(relaxed.items[i].name));
        jsonw_key_text(json, "meaning", span_of_cstr(relaxed.items[i].text));
        jsonw_key_bool(json, "warning", relaxed.items[i].is_warning);
        jsonw_close(json);
    }
    jsonw_close(json);
}

static void
write_partner(struct jsonw *json, const struct partner *partner, int64_t now_us)
{
    const bool is_san = partner->identity == PARTNER_IDENTITY_SAN;

    jsonw_object(json);
    jsonw_key_text(json, "id", span_of_cstr(partner->id));
    jsonw_key_text(json, "name", span_of_cstr(partner->name));
    jsonw_key_text(json, "file", span_of_cstr(partner->path));
    show_strings_json(json, "communities", &partner->communities);
    write_endpoints(json, partner);
    jsonw_key(json, "tls");
    jsonw_object(json);
    jsonw_key_text(json, "identity", is_san ? SPAN("san") : SPAN("certificate"));
    show_strings_json(json, is_san ? "names" : "sha256",
                      is_san ? &partner->tls_names : &partner->tls_sha256);
    jsonw_close(json);
    write_signing(json, partner, now_us);
    write_agreements(json, partner);
    write_relaxations(json, partner, now_us);
    jsonw_key_int(json, "timeout_ms", partner->timeout_us / US_PER_MS);
    jsonw_close(json);
}

static bool
print_json(const struct config *config, int64_t now_us)
{
    struct diag diag = {0};
    struct jsonw json;
    struct buf text;

    buf_init(&text, JSON_MAX);
    jsonw_init(&json, &text, true, &diag);
    jsonw_object(&json);
    jsonw_key(&json, "partners");
    jsonw_array(&json);
    for (size_t i = 0; i < config->partners_n; i++) {
        write_partner(&json, &config->partners[i], now_us);
    }
    jsonw_close(&json);
    jsonw_close(&json);
    const bool is_printed = show_json(&command, &json, &text, &diag);

    buf_done(&text);
    return is_printed;
}

/* ---- the command ---- */

int
cmd_partners(int argc, char **argv)
{
    struct cli_values rest;
    int exit_code = CLI_DONE;

    path = NULL;
    is_json = false;
    if (!cli_parse(&command, argc, argv, &rest, &exit_code)) {
        return exit_code;
    }
    if (rest.n > 0) {
        cli_complain(&command, "expected: isthmus partners %s", command.usage);
        return CLI_USAGE;
    }
    const struct config *config = cli_config(&command, path);

    if (config == NULL) {
        return path == NULL ? CLI_USAGE : CLI_FAILED;
    }
    const int64_t now_us = clock_wall_us(clock_system());

    if (is_json) {
        exit_code = print_json(config, now_us) ? CLI_DONE : CLI_FAILED;
    } else {
        print_partners(config, now_us);
    }
    config_unref(config);
    return exit_code;
}
