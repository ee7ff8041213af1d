/*
 * Reads addresses to listen on and https URLs. Called by the files that know the shape, on the
 * loading thread.
 */
#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

#include "config/config_reader.h"

#define ADDRESS_WHAT                                                                               \
    "a numeric address with a port such as 127.0.0.1:8080 or [::1]:8080, or unix:/path"
#define URL_WHAT      "https://host[:port]/path"
#define HOST_WHAT     "host:port such as arr.example:6514"
#define PROXY_WHAT    "http://host:port"
#define LOOPBACK_WHAT "http://127.0.0.1:port/path or the like on this machine, as 'tls: none' says"
#define BASE_WHAT     "https://host[:port] without a path"

/* ---- addresses ---- */

static bool
is_numeric(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* "host:port" or "[host]:port" into its parts. */
static bool
split_address(struct span text, struct span *ret_host, uint16_t *ret_port)
{
    size_t colon = text.n;
    uint64_t port = 0;

    while (colon > 0 && text.p[colon - 1] != ':') {
        colon--;
    }
    if (colon == 0 || !span_to_u64(span_slice(text, colon, text.n), UINT16_MAX, &port) ||
        port == 0) {
        return false;
    }
    struct span host = span_slice(text, 0, colon - 1);
    const bool is_bracketed = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';

    if (is_bracketed) {
        host = span_slice(host, 1, host.n - 2);
    }
    if ((span_find_char(host, ':') != SPAN_MISSING) != is_bracketed) {
        return false;
    }
    *ret_host = host;
    *ret_port = (uint16_t)port;
    return true;
}

static struct status
read_unix(struct config_reader *reader, const struct yaml_node *node,
          struct config_address *ret_address)
{
    const struct span path = span_slice(node->scalar, strlen("unix:"), node->scalar.n);

    if (path.n == 0 || path.p[0] != '/') {
        config_expected(reader, node, ADDRESS_WHAT);
        return OK;
    }
    if (path.n >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
        yaml_error(reader->report, node, "socket path of %zu bytes; the system allows %zu", path.n,
                   sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
        return OK;
    }
    *ret_address = (struct config_address){.host = node->scalar.p, .text = node->scalar.p};
    return OK;
}

struct status
config_address(struct config_reader *reader, const struct yaml_node *node,
               struct config_address *ret_address)
{
    const char *text = NULL;
    struct span host, copy;
    uint16_t port = 0;

    if (!config_text(reader, node, ADDRESS_WHAT, &text)) {
        return OK;
    }
    if (span_starts_with(node->scalar, SPAN("unix:"))) {
        return read_unix(reader, node, ret_address);
    }
    if (!split_address(node->scalar, &host, &port)) {
        config_expected(reader, node, ADDRESS_WHAT);
        return OK;
    }
    TRY(arena_dup(reader->arena, host, reader->diag, &copy));
    if (!is_numeric(copy.p)) {
        config_expected(reader, node, ADDRESS_WHAT);
        return OK;
    }
    *ret_address = (struct config_address){.host = copy.p, .port = port, .text = text};
    return OK;
}

bool
config_is_loopback(const struct config_address *address)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (strncmp(address->host, "unix:", 5) == 0) {
        return true;
    }
    if (inet_pton(AF_INET, address->host, &v4) == 1) {
        return (ntohl(v4.s_addr) >> 24) == 127;
    }
    return inet_pton(AF_INET6, address->host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool
config_is_wildcard(const struct config_address *address)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, address->host, &v4) == 1) {
        return v4.s_addr == htonl(INADDR_ANY);
    }
    return inet_pton(AF_INET6, address->host, &v6) == 1 && IN6_IS_ADDR_UNSPECIFIED(&v6);
}

/* ---- URLs ---- */

static bool
is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
}

static bool
is_host(struct span host)
{
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
        char text[INET6_ADDRSTRLEN] = "";
        struct in6_addr address;

        if (host.n - 2 >= sizeof(text)) {
            return false;
        }
        memcpy(text, host.p + 1, host.n - 2);
        return inet_pton(AF_INET6, text, &address) == 1;
    }
    for (size_t i = 0; i < host.n; i++) {
        if (!is_name_char(host.p[i])) {
            return false;
        }
    }
    return host.n > 0 && host.n <= 253 && host.p[0] != '.' && host.p[0] != '-';
}

struct status
config_host_port(struct config_reader *reader, const struct yaml_node *node, const char **ret_host,
                 uint16_t *ret_port)
{
    const char *text = NULL;
    struct span host, copy;
    uint16_t port = 0;

    if (!config_text(reader, node, HOST_WHAT, &text)) {
        return OK;
    }
    if (!split_address(node->scalar, &host, &port)) {
        config_expected(reader, node, HOST_WHAT);
        return OK;
    }
    TRY(arena_dup(reader->arena, host, reader->diag, &copy));
    if (!is_numeric(copy.p) && !is_host(copy)) {
        config_expected(reader, node, HOST_WHAT);
        return OK;
    }
    *ret_host = copy.p;
    *ret_port = port;
    return OK;
}

static bool
is_authority(struct span authority)
{
    const size_t bracket = span_find_char(authority, ']');
    const size_t from = bracket == SPAN_MISSING ? 0 : bracket;
    const size_t colon = span_find_char(span_slice(authority, from, authority.n), ':');
    uint64_t port = 0;

    if (colon == SPAN_MISSING) {
        return is_host(authority);
    }
    return is_host(span_slice(authority, 0, from + colon)) &&
           span_to_u64(span_slice(authority, from + colon + 1, authority.n), UINT16_MAX, &port) &&
           port > 0;
}

/* Visible ASCII without what RFC 3986 excludes, and without a fragment. */
static bool
is_path(struct span path)
{
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] <= ' ' || path.p[i] >= 0x7f || strchr("\"<>\\^`{|}#", path.p[i]) != NULL) {
            return false;
        }
    }
    return true;
}

/* False, and reported, when it is no https URL; else what follows the authority. */
static bool
check_url(struct config_reader *reader, const struct yaml_node *node, const char *what,
          struct span *ret_path)
{
    const char *text = NULL;

    if (!config_text(reader, node, what, &text)) {
        return false;
    }
    if (span_starts_with(node->scalar, SPAN("http://"))) {
        yaml_error(reader->report, node, "%.*s: '%s' is not encrypted; expected %s",
                   SPAN_PRINT(node->key), text, what);
        return false;
    }
    const struct span rest = span_slice(node->scalar, strlen("https://"), node->scalar.n);
    const size_t slash = span_find_char(rest, '/');
    const size_t authority_n = slash == SPAN_MISSING ? rest.n : slash;

    *ret_path = span_slice(rest, authority_n, rest.n);
    if (!span_starts_with(node->scalar, SPAN("https://")) ||
        !is_authority(span_slice(rest, 0, authority_n)) || !is_path(*ret_path)) {
        config_expected(reader, node, what);
        return false;
    }
    return true;
}

void
config_url(struct config_reader *reader, const struct yaml_node *node, const char **ret_url)
{
    struct span path;

    if (check_url(reader, node, URL_WHAT, &path)) {
        *ret_url = node->scalar.p;
    }
}

static bool
is_loopback_host(struct span host)
{
    char text[INET6_ADDRSTRLEN] = "";
    const struct config_address address = {.host = text};

    if (span_eq_cstr(host, "localhost")) {
        return true;
    }
    if (host.n >= sizeof(text)) {
        return false;
    }
    memcpy(text, host.p, host.n);
    return is_numeric(text) && config_is_loopback(&address);
}

void
config_loopback_url(struct config_reader *reader, const struct yaml_node *node,
                    const char **ret_url)
{
    const char *text = NULL;

    if (!config_text(reader, node, LOOPBACK_WHAT, &text)) {
        return;
    }
    const struct span rest = span_slice(node->scalar, strlen("http://"), node->scalar.n);
    const size_t slash = span_find_char(rest, '/');
    const size_t authority_n = slash == SPAN_MISSING ? rest.n : slash;

    if (!span_starts_with(node->scalar, SPAN("http://")) ||
        !is_authority(span_slice(rest, 0, authority_n)) ||
        !is_path(span_slice(rest, authority_n, rest.n)) ||
        !is_loopback_host(config_host_of_url(text))) {
        config_expected(reader, node, LOOPBACK_WHAT);
        return;
    }
    *ret_url = text;
}

struct span
config_host_of_url(const char *url)
{
    const struct span text = span_of_cstr(url);
    const size_t colon = span_find_char(text, ':');
    const struct span rest = span_slice(text, colon + strlen("://"), text.n);
    const bool is_bracketed = rest.n > 0 && rest.p[0] == '[';
    size_t n = is_bracketed ? 1 : 0;

    while (n < rest.n && (is_bracketed ? rest.p[n] != ']' : rest.p[n] != ':') && rest.p[n] != '/') {
        n++;
    }
    return is_bracketed ? span_slice(rest, 1, n - 1) : span_slice(rest, 0, n);
}

/* Without a path, and with a port: proxies have no usual one. */
void
config_proxy_url(struct config_reader *reader, const struct yaml_node *node, const char **ret_url)
{
    const char *text = NULL;

    if (!config_text(reader, node, PROXY_WHAT, &text)) {
        return;
    }
    const struct span authority = span_slice(node->scalar, strlen("http://"), node->scalar.n);
    const size_t bracket = span_find_char(authority, ']');
    const struct span tail =
        span_slice(authority, bracket == SPAN_MISSING ? 0 : bracket, authority.n);

    if (!span_starts_with(node->scalar, SPAN("http://")) ||
        span_find_char(tail, ':') == SPAN_MISSING || !is_authority(authority)) {
        config_expected(reader, node, PROXY_WHAT);
        return;
    }
    *ret_url = text;
}

struct status
config_base_url(struct config_reader *reader, const struct yaml_node *node, const char **ret_url)
{
    struct span path, copy;

    if (!check_url(reader, node, BASE_WHAT, &path)) {
        return OK;
    }
    if (path.n > 1) {
        config_expected(reader, node, BASE_WHAT);
        return OK;
    }
    TRY(arena_dup(reader->arena, span_slice(node->scalar, 0, node->scalar.n - path.n), reader->diag,
                  &copy));
    *ret_url = copy.p;
    return OK;
}
