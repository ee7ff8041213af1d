/*
 * Judges what `isthmus init` was asked for and settles what follows from it: label, URL, names in
 * the certificate. Called by cmd_init.c before anything is written.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/init.h"
#include "config/config.h"

#define NAME_BYTES_MAX 64 /* an organisation's name in a certificate */

static bool
complain(const struct cli_command *command, const char *option, const char *value,
         const char *expected)
{
    cli_complain(command, "--%s '%s': expected %s", option, value, expected);
    return false;
}

/* One line of text that YAML and a certificate can hold. */
static bool
check_text(const struct cli_command *command, const char *option, const char *text)
{
    if (text == NULL) {
        return true;
    }
    bool is_good = text[0] != '\0' && text_is_utf8(span_of_cstr(text));

    for (const char *p = text; *p != '\0'; p++) {
        is_good = is_good && (unsigned char)*p >= 0x20 && *p != 0x7f;
    }
    return (is_good && strlen(text) <= 256) ||
           complain(command, option, text, "one line of UTF-8 text, at most 256 bytes");
}

static bool
is_label(const char *text, size_t most)
{
    const size_t n = strlen(text);

    return n > 0 && n <= most && text[0] != '-' && text[0] != '_' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") == n;
}

/* "Red HIE" becomes "red-hie". */
static void
label_of_name(const char *name, char ret_label[INIT_ID_MAX + 1])
{
    size_t n = 0;

    for (const char *p = name; *p != '\0' && n < INIT_ID_MAX; p++) {
        const char c = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;

        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            ret_label[n++] = c;
        } else if (n > 0 && ret_label[n - 1] != '-') {
            ret_label[n++] = '-';
        }
    }
    while (n > 0 && ret_label[n - 1] == '-') {
        n--;
    }
    ret_label[n] = '\0';
}

/* The host of "host:port", without brackets; false when it is no numeric address with a port. */
static bool
numeric_host(const char *text, char ret_host[INET6_ADDRSTRLEN])
{
    const char *colon = strrchr(text, ':');
    unsigned char bytes[sizeof(struct in6_addr)];
    uint64_t port = 0;

    if (colon == NULL || !span_to_u64(span_of_cstr(colon + 1), UINT16_MAX, &port) || port == 0) {
        return false;
    }
    struct span host = span_of(text, (size_t)(colon - text));
    const bool is_bracketed = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';

    if (is_bracketed) {
        host = span_slice(host, 1, host.n - 2);
    }
    if (host.n >= INET6_ADDRSTRLEN) {
        return false;
    }
    memcpy(ret_host, host.p, host.n);
    ret_host[host.n] = '\0';
    return inet_pton(is_bracketed ? AF_INET6 : AF_INET, ret_host, bytes) == 1;
}

static bool
check_address(const struct cli_command *command, const char *option, const char *text)
{
    char host[INET6_ADDRSTRLEN];

    return numeric_host(text, host) ||
           (strncmp(text, "unix:/", 6) == 0 && strcmp(option, "listen") != 0) ||
           complain(command, option, text, "a numeric address with a port such as 127.0.0.1:8443");
}

static bool
is_wildcard(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

/* Cuts the host out of https://host[:port]; false when it is no such URL. */
static bool
url_host(const char *url, char *ret_host, size_t size)
{
    if (strncmp(url, "https://", 8) != 0) {
        return false;
    }
    const char *host = url + 8;
    const bool is_bracketed = host[0] == '[';
    const size_t n = is_bracketed ? strcspn(host, "]") : strcspn(host, ":");
    const char *rest = host + n + (is_bracketed && host[n] == ']' ? 1 : 0);
    uint64_t port = 0;

    if (is_bracketed) {
        host++;
    }
    const size_t host_n = is_bracketed ? n - 1 : n;

    if (host_n == 0 || host_n >= size ||
        (*rest != '\0' &&
         (*rest != ':' || !span_to_u64(span_of_cstr(rest + 1), UINT16_MAX, &port) || port == 0))) {
        return false;
    }
    memcpy(ret_host, host, host_n);
    ret_host[host_n] = '\0';
    return strspn(ret_host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:") ==
           host_n;
}

static bool
is_numeric(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static bool
check_host(const struct cli_command *command, const char *host)
{
    const size_t n = strlen(host);

    return (n > 0 && n <= 253 && host[0] != '.' && host[0] != '-' && !is_numeric(host) &&
            strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
                n) ||
           complain(command, "host", host, "a DNS name");
}

/* How partners reach the node, and what its certificate must say for it. */
static bool
settle_addresses(const struct cli_command *command, struct init_plan *plan)
{
    if (!numeric_host(plan->listen, plan->listen_host) ||
        (plan->local != NULL && !check_address(command, "local", plan->local)) ||
        (plan->admin != NULL && !check_address(command, "admin", plan->admin))) {
        return check_address(command, "listen", plan->listen) && false;
    }
    if (plan->url == NULL && is_wildcard(plan->listen_host) && plan->host == NULL) {
        cli_complain(command,
                     "--listen '%s' does not say how partners reach this node; add --url "
                     "https://HOST:PORT or --host NAME",
                     plan->listen);
        return false;
    }
    if (plan->url == NULL && is_wildcard(plan->listen_host)) {
        snprintf(plan->url_room, sizeof(plan->url_room), "https://%s%s", plan->host,
                 strrchr(plan->listen, ':'));
        plan->url = plan->url_room;
    } else if (plan->url == NULL) {
        snprintf(plan->url_room, sizeof(plan->url_room), "https://%s", plan->listen);
        plan->url = plan->url_room;
    }
    if (!url_host(plan->url, plan->reached, sizeof(plan->reached))) {
        return complain(command, "url", plan->url, "https://HOST[:PORT] without a path");
    }
    plan->address = is_numeric(plan->reached)        ? plan->reached
                    : is_wildcard(plan->listen_host) ? NULL
                                                     : plan->listen_host;
    if (plan->host == NULL &&
        (is_numeric(plan->reached) || strcmp(plan->reached, "localhost") == 0)) {
        snprintf(plan->default_host, sizeof(plan->default_host), "%s.localhost", plan->id);
        plan->host = plan->default_host;
    } else if (plan->host == NULL) {
        plan->host = plan->reached;
    }
    return check_host(command, plan->host);
}

static bool
settle_identity(const struct cli_command *command, struct init_plan *plan)
{
    struct span oid;

    if (plan->community == NULL || plan->name == NULL) {
        cli_complain(command, "--community OID and --name NAME are required");
        return false;
    }
    if (!home_community_oid(span_of_cstr(plan->community), &oid) || oid.n + 3 > sizeof(plan->oid)) {
        return complain(command, "community", plan->community,
                        "an OID such as 2.999.1, at most 62 characters");
    }
    snprintf(plan->oid, sizeof(plan->oid), "%.*s", SPAN_PRINT(oid));
    plan->community = plan->oid;
    if (strlen(plan->name) > NAME_BYTES_MAX) {
        return complain(command, "name", plan->name, "at most 64 bytes");
    }
    if (plan->id == NULL) {
        label_of_name(plan->name, plan->label);
        plan->id = plan->label;
    }
    if (!is_label(plan->id, INIT_ID_MAX)) {
        return complain(command, "id", plan->id,
                        "lower-case letters, digits, '-' and '_', at most 32");
    }
    return true;
}

static bool
settle_pki(const struct cli_command *command, struct init_plan *plan)
{
    plan->has_pki = plan->has_pki || plan->ca_dir != NULL;
    plan->key = DEVPKI_RSA_2048;
    if (plan->key_text == NULL) {
        return true;
    }
    if (!plan->has_pki) {
        cli_complain(command, "--key is for development certificates; add --dev-pki");
        return false;
    }
    if (strcmp(plan->key_text, "p256") == 0) {
        plan->key = DEVPKI_P256;
        return true;
    }
    return strcmp(plan->key_text, "rsa2048") == 0 ||
           complain(command, "key", plan->key_text, "rsa2048 or p256");
}

static bool
check_asserts(const struct cli_command *command, const struct init_plan *plan)
{
    const struct {
        const char *option, *value;
        bool (*is_good)(struct span);
        const char *expected;
    } rows[] = {
        {"organization-id", plan->organization_id, config_is_organization_id,
         "urn:oid:OID or a URL"},
        {"role", plan->role, config_is_code, "a code"},
        {"purpose", plan->purpose, config_is_code, "a code such as T-TREAT"},
        {"npi", plan->npi, config_is_npi, "ten digits with a valid check digit"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].value != NULL && !rows[i].is_good(span_of_cstr(rows[i].value))) {
            return complain(command, rows[i].option, rows[i].value, rows[i].expected);
        }
    }
    return check_text(command, "organization", plan->organization) &&
           check_text(command, "user", plan->user) &&
           check_text(command, "role-display", plan->role_display);
}

bool
init_settle(const struct cli_command *command, const struct cli_values *rest,
            struct init_plan *plan)
{
    if (rest->n != 1) {
        cli_complain(command, "say one folder: isthmus init %s", command->usage);
        return false;
    }
    plan->dir = rest->items[0];
    plan->listen = plan->listen == NULL ? "127.0.0.1:8443" : plan->listen;
    plan->policy = plan->policy == NULL ? "tefca" : plan->policy;
    return check_text(command, "name", plan->name) && check_asserts(command, plan) &&
           settle_identity(command, plan) && settle_pki(command, plan) &&
           settle_addresses(command, plan) &&
           (is_label(plan->policy, 64) ||
            complain(command, "policy", plan->policy, "a name such as tefca"));
}
