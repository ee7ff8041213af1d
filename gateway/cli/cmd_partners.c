/*
 * `isthmus partners`: who they are, as the configuration knows them, and with --probe whether they
 * are there. Runs on the program's main thread.
 */
#include <stdio.h>

#include "base/datetime.h"
#include "certs/crl_held.h"
#include "certs/expiry.h"
#include "cli/cli.h"
#include "cli/reach.h"
#include "cli/show.h"

#define JSON_MAX ((size_t)64 * 1024 * 1024)

static const char *path;
static bool is_json, probes, lists_profiles;

static const struct cli_option options[] = {
    {"c", "FILE", "the configuration", &path, NULL, NULL},
    {"probe", NULL, "connect to each and prove it; asks nothing", NULL, NULL, &probes},
    {"profiles", NULL, "list the profiles that are shipped, and nothing else", NULL, NULL,
     &lists_profiles},
    {"json", NULL, "print JSON", NULL, NULL, &is_json},
};

static const struct cli_command command = {
    .name = "partners",
    .usage = "-c FILE [--probe] [--json] | --profiles",
    .text =
        "Prints every partner of the configuration: its communities, endpoints, how its TLS\n"
        "certificate is recognised, until when its signing certificates are valid, and what is\n"
        "relaxed for it and by which profile; and the node's sources. With --probe it connects to "
        "every host and port "
        "of theirs at once, "
        "proves\n"
        "that the partner answers there and takes our certificate, and prints address, TLS "
        "version,\n"
        "suite, the certificate's end and the time of the handshake, or why not.\n"
        "Exit codes: 0 done, 1 the configuration has mistakes or no probe was good, 2 usage, 3 "
        "some\n"
        "probes failed.",
    .options = options,
    .options_n = ARRAY_LEN(options),
};

static const char *
fault_status_name(const struct partner *partner)
{
    return partner->fault_status == PARTNER_FAULT_STATUS_SOAP12 ? "soap12" : "500";
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
print_outbound(const struct partner *partner)
{
    const struct partner_limits *limits = &partner->limits;

    printf("  %-12s %zu connections, %zu questions; left alone after %zu failures for %lld to %lld "
           "ms\n",
           "limits", limits->connections, limits->requests, limits->failures,
           (long long)(limits->pause_us / US_PER_MS),
           (long long)(limits->longest_pause_us / US_PER_MS));
    if (limits->documents > 0) {
        printf("  %-12s at most %zu documents in one retrieve\n", "", limits->documents);
    }
    if (limits->attempts > 1) {
        printf("  %-12s asked up to %zu times when it gives no answer\n", "", limits->attempts);
    }
    if (partner->proxy_url != NULL) {
        printf("  %-12s %s\n", "proxy", partner->proxy_url);
    }
}

static void
print_replies(const struct partner *partner)
{
    const struct partner_replies *replies = &partner->replies;
    const bool is_offered = replies->asynchronous.n > 0 || replies->deferred_url != NULL;

    for (size_t i = 0; i < replies->asynchronous.n; i++) {
        printf("  %-12s asynchronous ones to %s\n", i == 0 ? "answers" : "",
               replies->asynchronous.items[i]);
    }
    if (replies->deferred_url != NULL) {
        printf("  %-12s deferred ones to %s\n", replies->asynchronous.n == 0 ? "answers" : "",
               replies->deferred_url);
    }
    if (is_offered) {
        printf("  %-12s at most %zu wait, for at most %lld s\n", "", replies->queue,
               (long long)(replies->age_us / US_PER_S));
    }
    if (partner->is_asynchronous || partner->is_deferred) {
        printf("  %-12s %s%s%s\n", "is asked", partner->is_asynchronous ? "asynchronously" : "",
               partner->is_asynchronous && partner->is_deferred ? ", " : "",
               partner->is_deferred ? "deferred where wanted" : "");
    }
}

static void
print_times(const struct partner *partner)
{
    printf("  %-12s %lld ms", "timeout", (long long)(partner->timeout_us / US_PER_MS));
    if (partner->discovery_timeout_us != partner->timeout_us ||
        partner->query_timeout_us != partner->timeout_us ||
        partner->retrieve_timeout_us != partner->timeout_us) {
        printf("; discovery %lld ms, query %lld ms, retrieve %lld ms",
               (long long)(partner->discovery_timeout_us / US_PER_MS),
               (long long)(partner->query_timeout_us / US_PER_MS),
               (long long)(partner->retrieve_timeout_us / US_PER_MS));
    }
    putchar('\n');
}

static void
print_partner(const struct partner *partner, const struct reach *reach, int64_t now_us)
{
    printf("%s  %s\n  %-12s ", partner->id, partner->name, "communities");
    show_strings(&partner->communities);
    print_endpoint("xcpd", partner->xcpd_url);
    print_endpoint("query", partner->query_url);
    print_endpoint("retrieve", partner->retrieve_url);
    print_endpoint("xcdr", partner->xcdr_url);
    print_identity(partner);
    print_signing(partner, now_us);
    print_times(partner);
    print_outbound(partner);
    print_replies(partner);
    if (partner->fault_status != PARTNER_FAULT_STATUS_500) {
        printf("  %-12s %s\n", "fault_status", fault_status_name(partner));
    }
    if (partner->is_assertion_once) {
        printf("  %-12s once\n", "assertions");
    }
    show_style(partner);
    show_profiles(partner);
    print_relaxations(partner, now_us);
    if (reach != NULL) {
        reach_print(reach, partner, now_us);
    }
    putchar('\n');
}

static void
print_partners(const struct config *config, const struct reach *reach, int64_t now_us)
{
    for (size_t i = 0; i < config->partners_n; i++) {
        print_partner(&config->partners[i], reach, now_us);
    }
    show_sources(config, reach, now_us);
    printf("%zu partner%s\n", config->partners_n, config->partners_n == 1 ? "" : "s");
    if (reach != NULL) {
        const struct reach_place *places = NULL;

        printf("%zu of %zu probes failed\n", reach_failed(reach), reach_places(reach, &places));
    }
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
    jsonw_key_text(json, "xcdr", span_of_cstr(partner->xcdr_url));
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
    jsonw_key_bool(json, "bearer", partner->may_use_bearer);
    jsonw_key_text(json, "replay",
                   partner->replay == PARTNER_REPLAY_MESSAGEID ? SPAN("messageid")
                                                               : SPAN("timestamp"));
    jsonw_key_text(json, "assertions", partner->is_assertion_once ? SPAN("once") : SPAN("reused"));
    show_strings_json(json, "delegators", &partner->delegators);
    jsonw_key_text(json, "fault_status", span_of_cstr(fault_status_name(partner)));
    show_style_json(json, partner);
    show_profiles_json(json, partner);
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
write_replies(struct jsonw *json, const struct partner *partner)
{
    jsonw_key(json, "replies");
    jsonw_object(json);
    show_strings_json(json, "asynchronous", &partner->replies.asynchronous);
    jsonw_key_text(json, "deferred", span_of_cstr(partner->replies.deferred_url));
    jsonw_key_int(json, "queue", (int64_t)partner->replies.queue);
    jsonw_key_int(json, "age_s", partner->replies.age_us / US_PER_S);
    jsonw_close(json);
    jsonw_key_bool(json, "asynchronous", partner->is_asynchronous);
    jsonw_key_bool(json, "deferred", partner->is_deferred);
}

static void
write_outbound(struct jsonw *json, const struct partner *partner)
{
    static const char *const addresses[] = {[PARTNER_ADDRESSES_PUBLIC] = "public",
                                            [PARTNER_ADDRESSES_PRIVATE] = "private",
                                            [PARTNER_ADDRESSES_LOCAL] = "local"};
    const struct partner_limits *limits = &partner->limits;

    jsonw_key_text(json, "addresses", span_of_cstr(addresses[partner->addresses]));
    jsonw_key_text(json, "proxy", span_of_cstr(partner->proxy_url));
    jsonw_key(json, "limits");
    jsonw_object(json);
    jsonw_key_int(json, "connections", (int64_t)limits->connections);
    jsonw_key_int(json, "requests", (int64_t)limits->requests);
    jsonw_key_int(json, "failures", (int64_t)limits->failures);
    jsonw_key_int(json, "pause_ms", limits->pause_us / US_PER_MS);
    jsonw_key_int(json, "longest_pause_ms", limits->longest_pause_us / US_PER_MS);
    jsonw_key_int(json, "attempts", (int64_t)limits->attempts);
    if (limits->documents > 0) {
        jsonw_key_int(json, "documents_per_request", (int64_t)limits->documents);
    }
    jsonw_close(json);
}

static void
write_partner(struct jsonw *json, const struct partner *partner, const struct reach *reach,
              int64_t now_us)
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
    jsonw_key_int(json, "discovery_timeout_ms", partner->discovery_timeout_us / US_PER_MS);
    jsonw_key_int(json, "query_timeout_ms", partner->query_timeout_us / US_PER_MS);
    jsonw_key_int(json, "retrieve_timeout_ms", partner->retrieve_timeout_us / US_PER_MS);
    write_outbound(json, partner);
    write_replies(json, partner);
    if (reach != NULL) {
        reach_write(reach, partner, json);
    }
    jsonw_close(json);
}

static bool
print_json(const struct config *config, const struct reach *reach, int64_t now_us)
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
        write_partner(&json, &config->partners[i], reach, now_us);
    }
    jsonw_close(&json);
    show_sources_json(&json, config, reach);
    jsonw_close(&json);
    const bool is_printed = show_json(&command, &json, &text, &diag);

    buf_done(&text);
    return is_printed;
}

/* ---- the command ---- */

static int
exit_code_of(const struct reach *reach)
{
    const struct reach_place *places = NULL;
    const size_t n = reach == NULL ? 0 : reach_places(reach, &places);
    const size_t failed = reach == NULL ? 0 : reach_failed(reach);

    return failed == 0 ? CLI_DONE : failed < n ? CLI_PARTIAL : CLI_FAILED;
}

static int
show(const struct config *config)
{
    const int64_t now_us = clock_wall_us(clock_system());
    struct reach *reach = NULL;
    struct diag diag = {0};

    if (probes && !is_ok(reach_ask(config, &diag, &reach))) {
        cli_error(&command, &diag);
        return CLI_FAILED;
    }
    int exit_code = exit_code_of(reach);

    if (!is_json) {
        print_partners(config, reach, now_us);
    } else if (!print_json(config, reach, now_us)) {
        exit_code = CLI_FAILED;
    }
    reach_free(reach);
    return exit_code;
}

int
cmd_partners(int argc, char **argv)
{
    struct cli_values rest;
    int exit_code = CLI_DONE;

    path = NULL;
    is_json = probes = lists_profiles = false;
    if (!cli_parse(&command, argc, argv, &rest, &exit_code)) {
        return exit_code;
    }
    if (rest.n > 0) {
        cli_complain(&command, "expected: isthmus partners %s", command.usage);
        return CLI_USAGE;
    }
    if (lists_profiles) {
        show_shipped_profiles();
        return CLI_DONE;
    }
    const struct config *config =
        probes ? cli_config_online(&command, path) : cli_config(&command, path);

    if (config == NULL) {
        return path == NULL ? CLI_USAGE : CLI_FAILED;
    }
    exit_code = show(config);
    config_unref(config);
    crl_held_clear();
    return exit_code;
}
