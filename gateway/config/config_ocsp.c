/*
 * Reads what `trust.NAME` says about asking: which hosts may be asked in plain http, whether and
 * how the status of certificates is asked for (OCSP), and where revocation lists are fetched.
 * Called by config_credentials.c for each entry, on the loading thread. Everything that is named
 * here must be among `fetch_hosts`, so that a mistake shows now and not in the first handshake.
 */
#include "certs/crl_held.h"
#include "config/config_reader.h"

#define HOUR_US (3600 * US_PER_S)

static const struct fetch_hosts *
hosts_of(const struct config_trust *entry)
{
    return &entry->status.hosts;
}

static bool
check_host(struct config_reader *reader, const struct yaml_node *item)
{
    if (!fetch_host_is_good(item->scalar)) {
        config_expected(reader, item, "a host such as ocsp.example, with a port unless it is 80");
        return false;
    }
    return true;
}

/* False when it is absent or wrong. */
static bool
check_url(struct config_reader *reader, const struct yaml_node *node,
          const struct config_trust *entry)
{
    static const char what[] = "http://host[:port][/path]";
    const char *text = NULL;
    struct span host, port;

    if (!config_text(reader, node, what, &text)) {
        return false;
    }
    if (!fetch_url_split(node->scalar, &host, &port)) {
        config_expected(reader, node, what);
        return false;
    }
    if (!fetch_host_is_listed(hosts_of(entry), host, port)) {
        yaml_error(reader->report, node,
                   "host '%.*s%s%.*s' is not in 'fetch_hosts' of this trust; add it there",
                   SPAN_PRINT(host), span_eq_cstr(port, "80") ? "" : ":",
                   SPAN_PRINT(span_eq_cstr(port, "80") ? SPAN_EMPTY : port));
        return false;
    }
    return true;
}

static struct status
read_hosts(struct config_reader *reader, struct yaml_node *node, struct config_trust *entry)
{
    struct config_strings hosts = {0};

    TRY(config_text_list(reader, yaml_get(node, "fetch_hosts"), "hosts such as ocsp.example",
                         check_host, &hosts));
    entry->status.hosts = (struct fetch_hosts){hosts.items, hosts.n};
    return OK;
}

static void
read_ocsp(struct config_reader *reader, struct yaml_node *node, struct config_trust *entry)
{
    static const char *const names[] = {"mode", "responder", "max_age", "timeout", "cache"};
    static const char *const modes[] = {"off", "soft", "hard"};
    struct yaml_node *section = config_section(reader, node, "ocsp", names, ARRAY_LEN(names));
    struct status_settings *settings = &entry->status;
    size_t mode = STATUS_OFF;

    settings->max_age_us = 240 * HOUR_US;
    settings->timeout_us = 5 * US_PER_S;
    settings->cache_us = HOUR_US;
    if (section == NULL) {
        return;
    }
    (void)config_choice(reader, config_need(reader, section, "mode"), modes, ARRAY_LEN(modes),
                        &mode);
    settings->mode = (enum status_mode)mode;
    config_duration(reader, yaml_get(section, "max_age"), 60 * US_PER_S, 9600 * HOUR_US,
                    &settings->max_age_us);
    config_duration(reader, yaml_get(section, "timeout"), 100 * US_PER_MS, 60 * US_PER_S,
                    &settings->timeout_us);
    config_duration(reader, yaml_get(section, "cache"), 60 * US_PER_S, 24 * HOUR_US,
                    &settings->cache_us);
    const struct yaml_node *responder = yaml_get(section, "responder");

    if (check_url(reader, responder, entry)) {
        settings->responder = responder->scalar.p;
    }
    if (settings->mode != STATUS_OFF && settings->hosts.n == 0) {
        yaml_error(reader->report, section,
                   "ocsp: nobody may be asked; list the responders' hosts in 'fetch_hosts'");
    }
}

static struct status
read_crl_urls(struct config_reader *reader, struct yaml_node *node, struct config_trust *entry)
{
    const struct yaml_node *list = yaml_get(node, "crl_urls");
    struct config_string_list urls = {0};

    entry->crl_refresh_us = HOUR_US;
    config_duration(reader, yaml_get(node, "crl_refresh"), 60 * US_PER_S, 24 * HOUR_US,
                    &entry->crl_refresh_us);
    if (!config_is_list(reader, list, "a list of http://host[:port][/path]")) {
        return OK;
    }
    for (const struct yaml_node *item = list->children; item != NULL; item = item->next) {
        if (check_url(reader, item, entry)) {
            TRY(ARENA_PUSH(reader->arena, reader->diag, &urls, item->scalar.p));
        }
    }
    entry->crl_urls = (struct config_strings){urls.items, urls.n};
    return OK;
}

struct status
config_read_status(struct config_reader *reader, struct yaml_node *node, struct config_trust *entry)
{
    TRY(read_hosts(reader, node, entry));
    read_ocsp(reader, node, entry);
    return read_crl_urls(reader, node, entry);
}

/* ---- what has been fetched ---- */

static void
drop_held(void *held)
{
    crl_held_drop(held);
}

struct status
config_take_lists(struct config_reader *reader, struct config_trust *entry,
                  struct trust_sources *sources)
{
    const size_t n = entry->crl_urls.n;
    struct span *lists = NULL;
    size_t held_n = 0;

    if (n == 0) {
        return OK;
    }
    TRY(ARENA_ARRAY(reader->arena, n, reader->diag, &lists));
    for (size_t i = 0; i < n; i++) {
        const struct crl_held *held = crl_held_take(entry->crl_urls.items[i]);

        if (held != NULL) {
            TRY(arena_defer(reader->arena, drop_held, (void *)held, reader->diag));
            lists[held_n++] = crl_held_bytes(held);
        }
    }
    sources->must_have_crl = true;
    entry->awaits_crl = held_n < n;
    if (!entry->awaits_crl) {
        sources->crl_bytes = lists;
        sources->crl_bytes_n = n;
    }
    return OK;
}
