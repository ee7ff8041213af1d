/*
 * `isthmus check`: reads the configuration as `isthmus serve` would and says every mistake, or what
 * it means; with --connect, whether the partners are there. Opens no other socket and no database.
 * Runs on the program's main thread.
 */
#include <stdio.h>
#include <string.h>

#include "base/datetime.h"
#include "certs/crl_held.h"
#include "cli/cli.h"
#include "cli/reach.h"
#include "cli/show.h"
#include "config/config_expiry.h"
#include "out/crl_feed.h"

#define JSON_MAX      ((size_t)64 * 1024 * 1024)
#define HOST_MAX      256
#define FETCH_WAIT_US (30 * US_PER_S)
#define NOTES_MAX     64
#define NOTE_TEXT_MAX 512

static const char *path;
static bool is_json, connects;

static const struct cli_option options[] = {
    {"c", "FILE", "the configuration", &path, NULL, NULL},
    {"connect", NULL, "connect to every partner, too; asks nothing", NULL, NULL, &connects},
    {"json", NULL, "print JSON", NULL, NULL, &is_json},
};

static const struct cli_command command = {
    .name = "check",
    .usage = "-c FILE [--connect] [--json]",
    .text =
        "Reads FILE and the partner and policy files that it names, loads keys, certificates and\n"
        "revocation lists, and prints every mistake as file:line:column, or what it found.\n"
        "With --connect a partner that cannot be reached, or is not who its file says, or refuses\n"
        "our certificate, is a mistake as well.\n"
        "Exit codes: 0 good, 1 at least one mistake, 2 usage.",
    .options = options,
    .options_n = ARRAY_LEN(options),
};

/* Not wrong, but worth a look. */
struct notes {
    char items[NOTES_MAX][NOTE_TEXT_MAX];
    size_t n;
};

static void note(struct notes *notes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
note(struct notes *notes, const char *format, ...)
{
    va_list arguments;

    if (notes->n == NOTES_MAX) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(notes->items[notes->n++], NOTE_TEXT_MAX, format, arguments);
    va_end(arguments);
}

/* ---- notes ---- */

struct expiry_notes {
    struct notes *notes;
    int64_t now_us;
};

static void
note_expiry(void *arg, const struct config_expiry *found)
{
    const struct expiry_notes *to = arg;
    char text[EXPIRY_TEXT_MAX];

    expiry_write(found->until_us, to->now_us, text);
    note(to->notes, "%s '%s'%s%s: %s", found->what, found->name,
         found->subject[0] == '\0' ? "" : ", ", found->subject, text);
}

/* The host of https://host[:port]. */
static struct span
host_of(const char *url)
{
    struct span rest = span_slice(span_of_cstr(url), strlen("https://"), SIZE_MAX);
    size_t n = 0;

    if (rest.n > 0 && rest.p[0] == '[') {
        rest = span_slice(rest, 1, rest.n);
        n = span_find_char(rest, ']');
    } else {
        n = span_find_char(rest, ':');
    }
    return n == SPAN_MISSING ? rest : span_slice(rest, 0, n);
}

static void
note_listener(struct notes *notes, const struct config *config)
{
    const struct credential *credential = config->network.credential;

    if (!config->network.is_set) {
        note(notes, "no network listener: partners cannot ask this node");
        return;
    }
    if (!certificate_names(credential->leaf, host_of(config->base_url))) {
        note(notes,
             "the TLS certificate has no name '%.*s' (listen.network.url): partners that check the "
             "name will refuse it",
             SPAN_PRINT(host_of(config->base_url)));
    }
}

/* A local listener that refuses everybody, and a system whose users are taken for one. */
static void
note_systems(struct notes *notes, const struct config *config)
{
    bool has_names = false;

    for (size_t i = 0; i < config->systems_n; i++) {
        has_names = has_names || config->systems[i].certificate_names.n > 0;
        if (config->systems[i].asserts_for_all) {
            note(notes,
                 "system '%s': what its messages say about who asks is not read "
                 "(asserts_for_all)",
                 config->systems[i].name);
        }
    }
    if (config->local.is_set && config->local.credential == NULL && config->local_system == NULL) {
        note(notes, "the local listener refuses everybody: listen.local.system does not say who "
                    "asks there");
    } else if (config->local.is_set && config->local.credential != NULL && !has_names) {
        note(notes, "the local listener refuses everybody: no entry of systems has "
                    "certificate_names");
    }
}

/* What weakens the trust in one partner for everybody, as `isthmus partners` says it. */
static void
note_relaxations(struct notes *notes, const struct partner *partner, int64_t now_us)
{
    struct show_relaxations relaxed;

    show_collect_relaxations(partner, now_us, &relaxed);
    for (size_t i = 0; i < relaxed.n; i++) {
        if (relaxed.items[i].is_warning) {
            note(notes, "partner '%s': %s", partner->id, relaxed.items[i].text);
        }
    }
}

/* Its own time is of no use where who asks gives up before. */
static void
note_times(struct notes *notes, const struct config *config, const struct partner *partner)
{
    const int64_t times[] = {partner->timeout_us, partner->discovery_timeout_us,
                             partner->query_timeout_us, partner->retrieve_timeout_us};
    int64_t longest_us = 0;

    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        longest_us = times[i] > longest_us ? times[i] : longest_us;
    }
    if (longest_us > config->timeout_us) {
        note(notes,
             "partner '%s': may take %lld s, but a transaction ends after %lld s (limits.timeout)",
             partner->id, (long long)(longest_us / US_PER_S),
             (long long)(config->timeout_us / US_PER_S));
    }
}

static void
note_withheld(struct notes *notes, const struct partner *partner)
{
    for (size_t i = 0; i < partner->withheld_n; i++) {
        note(notes, "warning: partner '%s': signing certificate not believed: %s%s", partner->id,
             partner->withheld[i].why,
             partner->signing_n == 0 ? "; it has no other: its messages are refused" : "");
    }
}

static void
collect_notes(struct notes *notes, const struct config *config, int64_t now_us)
{
    note_listener(notes, config);
    note_systems(notes, config);
    (void)config_expiry_walk(config, now_us, note_expiry, &(struct expiry_notes){notes, now_us});
    if (config->partner_trust != NULL && !trust_checks_crl(config->partner_trust)) {
        note(notes, "trust 'partners' has no crl: revoked certificates are believed");
    }
    for (size_t i = 0; i < config->partners_n; i++) {
        note_withheld(notes, &config->partners[i]);
        note_relaxations(notes, &config->partners[i], now_us);
        note_times(notes, config, &config->partners[i]);
    }
    if (config->partners_n == 0) {
        note(notes, "no partners");
    }
    if (policy_rule_count(config->policy) == 0) {
        note(notes, "no policy rules: everything is denied");
    }
}

/* ---- for people ---- */

static void
print_listener(const char *name, const struct config_listener *listener)
{
    if (listener->is_set) {
        printf("  %-10s %s%s\n", name, listener->address.text,
               listener->credential == NULL ? "" : " (TLS with client certificates)");
    }
}

static void
print_credentials(const struct config *config, int64_t now_us)
{
    char text[SHOW_DATE_MAX];

    printf("credentials\n");
    for (size_t i = 0; i < config->credentials_n; i++) {
        const struct certificate *leaf = config->credentials[i].credential->leaf;

        show_expiry(leaf->not_after_us, now_us, text);
        printf("  %-10s %s, %s, key: %s\n", config->credentials[i].name, leaf->subject, text,
               show_key_source(config->credentials[i].source));
    }
}

static void
print_trusts(const struct config *config, int64_t now_us)
{
    char text[SHOW_DATE_MAX];

    printf("trust\n");
    for (size_t i = 0; i < config->trusts_n; i++) {
        const struct config_trust *entry = &config->trusts[i];
        const size_t n = trust_anchors(entry->trust);

        printf("  %-10s %zu anchor%s, ", entry->name, n, n == 1 ? "" : "s");
        if (!trust_checks_crl(entry->trust)) {
            printf("no revocation lists\n");
        } else {
            show_expiry(trust_crl_next_update_us(entry->trust), now_us, text);
            printf("revocation lists %s\n", text);
        }
        show_trust_sources(entry);
    }
}

static size_t
failures_of(const struct reach *reach)
{
    return reach == NULL ? 0 : reach_failed(reach);
}

static void
print_summary(const struct config *config, const struct reach *reach, const struct notes *notes,
              int64_t now_us)
{
    printf("%s: %s\n", config->path,
           failures_of(reach) == 0 ? "good" : "not every partner can be reached");
    printf("community\n  %s %s\n", config->community, config->community_name);
    printf("listeners\n");
    print_listener("network", &config->network);
    print_listener("local", &config->local);
    print_listener("admin", &config->admin);
    print_credentials(config, now_us);
    print_trusts(config, now_us);
    show_proof(config);
    printf("partners\n");
    for (size_t i = 0; i < config->partners_n; i++) {
        printf("  %-10s ", config->partners[i].id);
        show_strings(&config->partners[i].communities);
        if (reach != NULL) {
            reach_print(reach, &config->partners[i], now_us);
        }
    }
    printf("sources\n");
    for (size_t i = 0; i < config->sources_n; i++) {
        printf("  %-10s %s\n", config->sources[i].name, config->sources[i].community);
        if (reach != NULL && config->sources[i].partner != NULL) {
            reach_print(reach, config->sources[i].partner, now_us);
        }
    }
    show_audit(config);
    printf("policy\n  %zu rule%s\n", policy_rule_count(config->policy),
           policy_rule_count(config->policy) == 1 ? "" : "s");
    for (size_t i = 0; i < notes->n; i++) {
        printf("note: %s\n", notes->items[i]);
    }
}

/* ---- for programs ---- */

static void
write_listener(struct jsonw *json, const char *name, const struct config_listener *listener)
{
    if (listener->is_set) {
        jsonw_key(json, name);
        jsonw_object(json);
        jsonw_key_text(json, "address", span_of_cstr(listener->address.text));
        jsonw_key_bool(json, "tls", listener->credential != NULL);
        jsonw_close(json);
    }
}

static void
write_credentials(struct jsonw *json, const struct config *config, int64_t now_us)
{
    jsonw_key(json, "credentials");
    jsonw_array(json);
    for (size_t i = 0; i < config->credentials_n; i++) {
        jsonw_object(json);
        jsonw_key_text(json, "name", span_of_cstr(config->credentials[i].name));
        show_certificate_json(json, config->credentials[i].credential->leaf, now_us);
        jsonw_key_text(json, "key", span_of_cstr(show_key_source(config->credentials[i].source)));
        jsonw_close(json);
    }
    jsonw_close(json);
}

static void
write_trusts(struct jsonw *json, const struct config *config)
{
    char text[DATETIME_MAX];

    jsonw_key(json, "trust");
    jsonw_array(json);
    for (size_t i = 0; i < config->trusts_n; i++) {
        const struct config_trust *entry = &config->trusts[i];

        jsonw_object(json);
        jsonw_key_text(json, "name", span_of_cstr(entry->name));
        jsonw_key_int(json, "anchors", (int64_t)trust_anchors(entry->trust));
        if (trust_checks_crl(entry->trust)) {
            datetime_write_xs(trust_crl_next_update_us(entry->trust), text);
            jsonw_key_text(json, "crl_next_update", span_of_cstr(text));
        }
        show_trust_sources_json(json, entry);
        jsonw_close(json);
    }
    jsonw_close(json);
}

static void
write_partners(struct jsonw *json, const struct config *config, const struct reach *reach)
{
    jsonw_key(json, "partners");
    jsonw_array(json);
    for (size_t i = 0; i < config->partners_n; i++) {
        jsonw_object(json);
        jsonw_key_text(json, "id", span_of_cstr(config->partners[i].id));
        show_strings_json(json, "communities", &config->partners[i].communities);
        if (reach != NULL) {
            reach_write(reach, &config->partners[i], json);
        }
        jsonw_close(json);
    }
    jsonw_close(json);
}

static void
write_summary(struct jsonw *json, const struct config *config, const struct reach *reach,
              const struct notes *notes, int64_t now_us)
{
    jsonw_key(json, "community");
    jsonw_object(json);
    jsonw_key_text(json, "id", span_of_cstr(config->community));
    jsonw_key_text(json, "name", span_of_cstr(config->community_name));
    jsonw_close(json);
    jsonw_key(json, "listeners");
    jsonw_object(json);
    write_listener(json, "network", &config->network);
    write_listener(json, "local", &config->local);
    write_listener(json, "admin", &config->admin);
    jsonw_close(json);
    write_credentials(json, config, now_us);
    write_trusts(json, config);
    show_proof_json(json, config);
    write_partners(json, config, reach);
    show_audit_json(json, config);
    jsonw_key_int(json, "rules", (int64_t)policy_rule_count(config->policy));
    jsonw_key(json, "notes");
    jsonw_array(json);
    for (size_t i = 0; i < notes->n; i++) {
        jsonw_string(json, span_of_cstr(notes->items[i]));
    }
    jsonw_close(json);
}

/* "file:line:column: error: text"; a file's name may hold colons, the numbers do not. */
static void
write_error(struct jsonw *json, struct span line)
{
    const struct span mark = SPAN(": error: ");
    const size_t at = span_find(line, mark);
    uint64_t numbers[2] = {0};
    struct span place = at == SPAN_MISSING ? SPAN_EMPTY : span_slice(line, 0, at);

    for (int i = 1; i >= 0 && place.n > 0; i--) {
        size_t colon = place.n;

        while (colon > 0 && place.p[colon - 1] != ':') {
            colon--;
        }
        if (colon == 0 || !span_to_u64(span_slice(place, colon, place.n), INT32_MAX, &numbers[i])) {
            break;
        }
        place = span_slice(place, 0, colon - 1);
    }
    jsonw_object(json);
    jsonw_key_text(json, "file", place);
    jsonw_key_int(json, "line", (int64_t)numbers[0]);
    jsonw_key_int(json, "column", (int64_t)numbers[1]);
    jsonw_key_text(json, "text", at == SPAN_MISSING ? line : span_slice(line, at + mark.n, line.n));
    jsonw_close(json);
}

/* A place that cannot be reached, as an error of the file that names it. */
static void
write_unreached(struct jsonw *json, const struct reach *reach)
{
    const struct reach_place *places = NULL;
    const size_t n = reach == NULL ? 0 : reach_places(reach, &places);

    for (size_t i = 0; i < n; i++) {
        if (places[i].answer.error != ERR_NONE) {
            jsonw_object(json);
            jsonw_key_text(json, "file", span_of_cstr(places[i].partner->path));
            jsonw_key_text(json, "error", span_of_cstr(err_name(places[i].answer.error)));
            jsonw_key_text(json, "text", span_of_cstr(places[i].answer.detail));
            jsonw_close(json);
        }
    }
}

static void
write_errors(struct jsonw *json, const struct yaml_report *report, const struct reach *reach,
             const struct diag *reason)
{
    struct span rest = buf_span(&report->text), line;

    jsonw_key(json, "errors");
    jsonw_array(json);
    while (span_split(&rest, '\n', &line)) {
        if (line.n > 0) {
            write_error(json, line);
        }
    }
    if (report->errors == 0 && reason->code != ERR_NONE) { /* the file itself cannot be read */
        jsonw_object(json);
        jsonw_key_text(json, "text", span_of_cstr(reason->text));
        jsonw_close(json);
    }
    write_unreached(json, reach);
    jsonw_close(json);
    jsonw_key_int(json, "error_count",
                  (report->errors > 0 ? report->errors : reason->code != ERR_NONE) +
                      (int64_t)failures_of(reach));
}

static bool
print_json(const struct config *config, const struct reach *reach, const struct notes *notes,
           int64_t now_us, const struct yaml_report *report, const struct diag *reason)
{
    struct diag diag = {0};
    struct jsonw json;
    struct buf text;

    buf_init(&text, JSON_MAX);
    jsonw_init(&json, &text, true, &diag);
    jsonw_object(&json);
    jsonw_key_bool(&json, "good", config != NULL && failures_of(reach) == 0);
    jsonw_key_text(&json, "file", span_of_cstr(path));
    if (config != NULL) {
        write_summary(&json, config, reach, notes, now_us);
    }
    write_errors(&json, report, reach, reason);
    jsonw_close(&json);
    const bool is_printed = show_json(&command, &json, &text, &diag);

    buf_done(&text);
    return is_printed;
}

/* ---- the command ---- */

static bool
print_result(const struct config *config, const struct reach *reach,
             const struct yaml_report *report, const struct diag *reason)
{
    const int64_t now_us = clock_wall_us(clock_system());
    static struct notes notes;

    notes.n = 0;
    if (config != NULL) {
        collect_notes(&notes, config, now_us);
    }
    if (is_json) {
        return print_json(config, reach, &notes, now_us, report, reason);
    }
    if (config != NULL) {
        print_summary(config, reach, &notes, now_us);
        return true;
    }
    fprintf(stderr, "%.*s", SPAN_PRINT(buf_span(&report->text)));
    cli_error(&command, reason);
    return true;
}

/* Revocation lists that are to be fetched are fetched first when partners will be judged by them.
 */
static struct status
load(struct yaml_report *report, struct diag *diag, const struct config **ret_config)
{
    TRY(config_load(path, clock_system(), report, diag, ret_config));
    if (!connects || !config_awaits_crl(*ret_config) ||
        !crl_feed_once(*ret_config, clock_system(), FETCH_WAIT_US)) {
        return OK;
    }
    config_unref(*ret_config);
    *ret_config = NULL;
    return config_load(path, clock_system(), report, diag, ret_config);
}

static int
check(void)
{
    struct yaml_report report;
    struct diag diag = {0};
    const struct config *config = NULL;
    struct reach *reach = NULL;

    yaml_report_init(&report);
    struct status st = load(&report, &diag, &config);

    if (is_ok(st) && connects) {
        st = reach_ask(config, &diag, &reach);
    }
    const bool is_printed = print_result(is_ok(st) ? config : NULL, reach, &report, &diag);
    const bool is_good = is_ok(st) && failures_of(reach) == 0;

    yaml_report_done(&report);
    reach_free(reach);
    config_unref(config);
    crl_held_clear();
    return is_good && is_printed ? CLI_DONE : CLI_FAILED;
}

int
cmd_check(int argc, char **argv)
{
    struct cli_values rest;
    int exit_code = CLI_DONE;

    path = NULL;
    is_json = connects = false;
    if (!cli_parse(&command, argc, argv, &rest, &exit_code)) {
        return exit_code;
    }
    if (path == NULL || rest.n > 0) {
        cli_complain(&command, "expected: isthmus check %s", command.usage);
        return CLI_USAGE;
    }
    return check();
}
