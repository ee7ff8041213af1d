/*
 * Reads `tls` of a partner's file: how its certificate is recognised, and what its server may lack.
 * Called by config_partner.c while the configuration loads.
 */
#include <ctype.h>
#include <string.h>

#include "base/ids.h"
#include "config/config_reader.h"

#define TLS_NAME_MAX 253

/* ---- who it is ---- */

/* Compared with a certificate's names byte by byte, in lower case: "*.x" means exactly that name.
 */
struct status
config_tls_name(struct config_reader *reader, const struct yaml_node *item, const char **ret_name)
{
    static const char what[] = "a DNS name or an address as in the certificate";
    const char *text = NULL;
    char lower[TLS_NAME_MAX + 1];
    struct span copy;

    if (!config_text(reader, item, what, &text)) {
        return OK;
    }
    if (item->scalar.n > TLS_NAME_MAX) {
        config_expected(reader, item, what);
        return OK;
    }
    for (size_t i = 0; i < item->scalar.n; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr("-._:*", text[i]) == NULL) {
            config_expected(reader, item, what);
            return OK;
        }
        lower[i] = (char)tolower((unsigned char)text[i]);
    }
    TRY(arena_dup(reader->arena, span_of(lower, item->scalar.n), reader->diag, &copy));
    *ret_name = copy.p;
    return OK;
}

struct status
config_add_tls_name(struct config_reader *reader, const struct yaml_node *item,
                    struct config_string_list *names)
{
    const char *name = NULL;

    TRY(config_tls_name(reader, item, &name));
    if (name == NULL) {
        return OK;
    }
    TRY(config_claim(reader, CONFIG_CLAIM_TLS_NAME, name, item));
    return ARENA_PUSH(reader->arena, reader->diag, names, name);
}

static struct status
read_tls_names(struct config_reader *reader, struct yaml_node *tls, struct partner *partner)
{
    struct yaml_node *list = config_need(reader, tls, "names");
    struct config_string_list names = {0};

    if (!config_is_list(reader, list, "a list of names such as [gateway.blue.example]")) {
        return OK;
    }
    if (list->children == NULL) {
        yaml_error(reader->report, list, "names: expected at least one name");
    }
    for (const struct yaml_node *item = list->children; item != NULL; item = item->next) {
        TRY(config_add_tls_name(reader, item, &names));
    }
    partner->tls_names.items = names.items;
    partner->tls_names.n = names.n;
    return OK;
}

static struct status
add_pin(struct config_reader *reader, const char *sha256, const struct yaml_node *item,
        struct config_string_list *pins)
{
    TRY(config_claim(reader, CONFIG_CLAIM_TLS_CERTIFICATE, sha256, item));
    return ARENA_PUSH(reader->arena, reader->diag, pins, sha256);
}

/* As openssl prints it, too: upper case, colons between the bytes. */
static struct status
add_sha256(struct config_reader *reader, const struct yaml_node *item,
           struct config_string_list *pins)
{
    static const char what[] = "the SHA-256 of a certificate, 64 hexadecimal digits";
    const char *text = NULL;
    char hex[SHA256_HEX];
    uint8_t bytes[SHA256_BYTES];
    size_t n = 0;
    struct span copy;

    if (!config_text(reader, item, what, &text)) {
        return OK;
    }
    for (size_t i = 0; i < item->scalar.n && n < sizeof(hex); i++) {
        if (text[i] != ':' || i % 3 != 2) {
            hex[n++] = text[i];
        }
    }
    if (!hex_decode(span_of(hex, n), bytes, sizeof(bytes))) {
        config_expected(reader, item, what);
        return OK;
    }
    hex_encode(bytes, sizeof(bytes), hex);
    TRY(arena_dup(reader->arena, span_of_cstr(hex), reader->diag, &copy));
    return add_pin(reader, copy.p, item, pins);
}

static struct status
add_pinned_file(struct config_reader *reader, const struct yaml_node *item,
                struct config_string_list *pins)
{
    const char *path = NULL;
    struct certificate *certificate = NULL;

    TRY(config_path(reader, item, &path));
    if (path == NULL) {
        return OK;
    }
    TRY(config_load_certificate(reader, item, path, &certificate));
    return certificate == NULL ? OK : add_pin(reader, certificate->sha256, item, pins);
}

static struct status
read_tls_pins(struct config_reader *reader, struct yaml_node *tls, struct partner *partner)
{
    struct yaml_node *sha256 = yaml_get(tls, "sha256");
    struct yaml_node *files = yaml_get(tls, "certificates");
    struct config_string_list pins = {0};

    if ((sha256 == NULL || sha256->children == NULL) &&
        (files == NULL || files->children == NULL)) {
        yaml_error(reader->report, tls,
                   "tls: identity 'certificate' needs 'sha256' or 'certificates'");
    }
    if (config_is_list(reader, sha256, "a list of SHA-256 fingerprints")) {
        for (const struct yaml_node *item = sha256->children; item != NULL; item = item->next) {
            TRY(add_sha256(reader, item, &pins));
        }
    }
    if (config_is_list(reader, files, "a list of certificate files")) {
        for (const struct yaml_node *item = files->children; item != NULL; item = item->next) {
            TRY(add_pinned_file(reader, item, &pins));
        }
    }
    partner->tls_sha256.items = pins.items;
    partner->tls_sha256.n = pins.n;
    return OK;
}

/* A list of the identity that was not chosen would be ignored: say so instead. */
static void
refuse_key(struct config_reader *reader, struct yaml_node *tls, const char *key,
           const char *identity)
{
    const struct yaml_node *node = yaml_get(tls, key);

    if (node != NULL) {
        yaml_report_add(reader->report, node->file, node->key_line, node->key_column,
                        "'%s' has no effect with identity '%s'; remove it or change 'identity'",
                        key, identity);
    }
}

/* ---- what its server may lack ---- */

/* Pins in place of a chain: nothing else says who the server is, so they must be there. */
static void
read_server(struct config_reader *reader, struct yaml_node *tls, struct partner *partner)
{
    static const char *const chains[] = {"proven", "pinned"};
    static const char *const suites[] = {"modern", "legacy"};
    struct yaml_node *chain = yaml_get(tls, "server_chain");
    size_t is_pinned = 0, is_legacy = 0;

    (void)config_choice(reader, chain, chains, ARRAY_LEN(chains), &is_pinned);
    (void)config_choice(reader, yaml_get(tls, "suites"), suites, ARRAY_LEN(suites), &is_legacy);
    partner->is_server_pinned = is_pinned == 1;
    partner->has_legacy_suites = is_legacy == 1;
    if (partner->is_server_pinned && partner->identity != PARTNER_IDENTITY_CERTIFICATE) {
        yaml_error(reader->report, chain,
                   "server_chain: 'pinned' trusts the certificates that are listed and no other; "
                   "add 'identity: certificate' and 'sha256' or 'certificates'");
    }
}

struct status
config_read_tls(struct config_reader *reader, struct yaml_node *root, struct partner *partner)
{
    static const char *const names[] = {"identity",     "names",        "sha256",
                                        "certificates", "server_chain", "suites"};
    static const char *const identities[] = {"san", "certificate"};
    struct yaml_node *tls = config_need_section(reader, root, "tls", names, ARRAY_LEN(names));
    size_t identity = PARTNER_IDENTITY_SAN;

    if (tls == NULL) {
        return OK;
    }
    struct yaml_node *chosen = yaml_get(tls, "identity");

    if (!config_choice(reader, chosen, identities, ARRAY_LEN(identities), &identity) &&
        chosen != NULL) {
        return OK;
    }
    partner->identity = (enum partner_identity)identity;
    read_server(reader, tls, partner);
    if (partner->identity == PARTNER_IDENTITY_SAN) {
        refuse_key(reader, tls, "sha256", "san");
        refuse_key(reader, tls, "certificates", "san");
        return read_tls_names(reader, tls, partner);
    }
    refuse_key(reader, tls, "names", "certificate");
    return read_tls_pins(reader, tls, partner);
}
