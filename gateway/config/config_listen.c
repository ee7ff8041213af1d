/*
 * Reads `listen:`. The network listener is always mutual TLS; the local and admin ones leave the
 * machine only with it. Called while the configuration loads, after credentials and trust.
 */
#include <stdio.h>
#include <string.h>

#include "config/config_reader.h"

static const char *const listener_names[] = {"address", "credential", "trust"};
static const char *const local_names[] = {"address", "credential", "trust", "system"};
static const char *const network_names[] = {"address", "credential", "trust", "url"};

static struct status
read_listener(struct config_reader *reader, struct yaml_node *node,
              struct config_listener *listener)
{
    struct yaml_node *credential = yaml_get(node, "credential");
    struct yaml_node *trust = yaml_get(node, "trust");

    TRY(config_address(reader, config_need(reader, node, "address"), &listener->address));
    listener->credential = config_find_credential(reader, credential);
    listener->trust = config_find_trust(reader, trust);
    listener->is_set = listener->address.host != NULL;
    if (credential != NULL && trust == NULL) {
        yaml_error(reader->report, node,
                   "'%.*s' has a credential but no 'trust'; say whose certificates may connect",
                   SPAN_PRINT(node->key));
    }
    if (credential == NULL && trust != NULL) {
        yaml_error(reader->report, node,
                   "'%.*s' has 'trust' but no 'credential'; without TLS nobody shows a certificate",
                   SPAN_PRINT(node->key));
    }
    return OK;
}

/* ---- network ---- */

static bool
is_on_unix_socket(const struct config_address *address)
{
    return strncmp(address->host, "unix:", 5) == 0;
}

/* Audiences are made of it, so a guess that no partner uses would refuse every message. */
static struct status
default_base_url(struct config_reader *reader, const struct yaml_node *address)
{
    const struct config_address *at = &reader->config->network.address;
    struct span url;

    if (at->host == NULL) {
        return OK;
    }
    if (config_is_wildcard(at)) {
        yaml_error(reader->report, address,
                   "address '%s' does not say how partners reach this node; add url: "
                   "https://HOST:%u",
                   at->text, at->port);
        return OK;
    }
    TRY(arena_printf(reader->arena, reader->diag, &url, "https://%s", at->text));
    reader->config->base_url = url.p;
    return OK;
}

static struct status
read_network(struct config_reader *reader, struct yaml_node *listen)
{
    struct yaml_node *node =
        config_section(reader, listen, "network", network_names, ARRAY_LEN(network_names));
    struct config_listener *listener = &reader->config->network;

    if (node == NULL) {
        return OK;
    }
    if (yaml_get(node, "credential") == NULL && yaml_get(node, "trust") == NULL) {
        (void)config_need(reader, node, "credential");
        (void)config_need(reader, node, "trust");
    }
    TRY(read_listener(reader, node, listener));
    struct yaml_node *address = yaml_get(node, "address");
    struct yaml_node *url = yaml_get(node, "url");

    if (listener->is_set && is_on_unix_socket(&listener->address)) {
        config_expected(reader, address,
                        "an address that partners can reach, such as 0.0.0.0:8443");
        return OK;
    }
    return url != NULL ? config_base_url(reader, url, &reader->config->base_url)
                       : default_base_url(reader, address);
}

/* ---- local, admin ---- */

static struct status
read_inner(struct config_reader *reader, struct yaml_node *listen, const char *key,
           const char *const *names, size_t names_n, struct config_listener *listener)
{
    struct yaml_node *node = config_section(reader, listen, key, names, names_n);

    if (node == NULL) {
        return OK;
    }
    TRY(read_listener(reader, node, listener));
    if (listener->is_set && !config_is_loopback(&listener->address) &&
        yaml_get(node, "credential") == NULL && yaml_get(node, "trust") == NULL) {
        yaml_error(reader->report, yaml_get(node, "address"),
                   "address '%s' leaves this machine without TLS; use 127.0.0.1, [::1] or a unix "
                   "socket, or add 'credential' and 'trust'",
                   listener->address.text);
    }
    return OK;
}

static void
check_shared(struct config_reader *reader, struct yaml_node *listen)
{
    const struct {
        const char *key;
        const struct config_listener *listener;
    } all[] = {{"network", &reader->config->network},
               {"local", &reader->config->local},
               {"admin", &reader->config->admin}};

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        for (size_t j = 0; j < i; j++) {
            const struct config_address *a = &all[i].listener->address;
            const struct config_address *b = &all[j].listener->address;

            if (a->host != NULL && b->host != NULL && strcmp(a->host, b->host) == 0 &&
                a->port == b->port) {
                yaml_error(reader->report, yaml_get(yaml_get(listen, all[i].key), "address"),
                           "address '%s' is the address of '%s' already", a->text, all[j].key);
            }
        }
    }
}

struct status
config_read_listen(struct config_reader *reader, struct yaml_node *root)
{
    static const char *const names[] = {"network", "local", "admin"};
    struct yaml_node *listen = config_section(reader, root, "listen", names, ARRAY_LEN(names));

    TRY(read_network(reader, listen));
    TRY(read_inner(reader, listen, "local", local_names, ARRAY_LEN(local_names),
                   &reader->config->local));
    TRY(read_inner(reader, listen, "admin", listener_names, ARRAY_LEN(listener_names),
                   &reader->config->admin));
    check_shared(reader, listen);
    return OK;
}
