/*
 * The lists of hosts that may be asked in plain http, read the same way by the configuration (is
 * what the operator writes consistent?) and by the fetcher (may this be asked?). Pure.
 */
#include "certs/fetch.h"

/* Where the port's digits begin; item.n when there is no port. */
static size_t
find_port(struct span item)
{
    size_t at = item.n;

    while (at > 0 && item.p[at - 1] >= '0' && item.p[at - 1] <= '9') {
        at--;
    }
    return at > 1 && at < item.n && item.p[at - 1] == ':' ? at : item.n;
}

static void
split_host(struct span item, struct span *ret_host, struct span *ret_port)
{
    const size_t at = find_port(item);

    *ret_host = at == item.n ? item : span_slice(item, 0, at - 1);
    *ret_port = at == item.n ? SPAN("80") : span_slice(item, at, item.n);
}

static bool
is_host(struct span host)
{
    const bool is_bracketed = host.n > 3 && host.p[0] == '[' && host.p[host.n - 1] == ']';

    for (size_t i = 0; i < host.n; i++) {
        const char c = host.p[i];
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '.' || c == '-';
        const bool is_edge = i == 0 || i + 1 == host.n;

        if (!is_plain && !(is_bracketed && (is_edge || c == ':'))) {
            return false;
        }
    }
    return host.n > 0 && host.n < 256;
}

bool
fetch_host_is_good(struct span item)
{
    struct span host, port;
    uint64_t number = 0;

    split_host(item, &host, &port);
    return is_host(host) && span_to_u64(port, 65535, &number) && number > 0;
}

bool
fetch_host_is_listed(const struct fetch_hosts *hosts, struct span host, struct span port)
{
    for (size_t i = 0; i < hosts->n; i++) {
        struct span item_host, item_port;

        split_host(span_of_cstr(hosts->items[i]), &item_host, &item_port);
        if (span_eq_nocase(item_host, host) && span_eq(item_port, port)) {
            return true;
        }
    }
    return false;
}

bool
fetch_url_split(struct span url, struct span *ret_host, struct span *ret_port)
{
    const struct span rest = span_slice(url, 7, url.n);
    size_t end = 0;

    for (size_t i = 0; i < url.n; i++) {
        if (url.p[i] <= 0x20 || url.p[i] >= 0x7f || url.p[i] == '\\' || url.p[i] == '@') {
            return false;
        }
    }
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '#') {
        end++;
    }
    const struct span authority = span_slice(rest, 0, end);

    if (!span_starts_with(url, SPAN("http://")) || !fetch_host_is_good(authority)) {
        return false;
    }
    split_host(authority, ret_host, ret_port);
    return true;
}
