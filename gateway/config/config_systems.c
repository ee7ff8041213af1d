/*
 * Reads `systems:`, the local systems that ask through this node, and who of them asks on a local
 * listener without TLS (`listen: local: system:`). Called while the configuration loads, after
 * listen: and asserts:.
 */
#include <string.h>

#include "config/config_reader.h"

static const char *const names[] = {"certificate_names", "asserts", "asserts_for_all"};

struct system_list {
    struct config_system *items;
    size_t n, capacity;
};

/* ---- one entry ---- */

static struct status
read_certificate_names(struct config_reader *reader, struct yaml_node *entry,
                       struct config_system *system)
{
    struct yaml_node *list = yaml_get(entry, "certificate_names");
    struct config_string_list found = {0};

    if (!config_is_list(reader, list, "a list of names such as [ehr.example.org]")) {
        return OK;
    }
    for (const struct yaml_node *item = list->children; item != NULL; item = item->next) {
        TRY(config_add_tls_name(reader, item, &found));
    }
    system->certificate_names = (struct config_strings){found.items, found.n};
    return OK;
}

/* What the entry leaves out is the node's. What describes one thing comes from one place: a role
 * with its text, a purpose with its code system, a person with the person's NPI. */
static void
inherit(const struct config_asserts *node, struct config_asserts *asserts)
{
    if (asserts->organization == NULL && asserts->organization_id == NULL) {
        asserts->organization = node->organization;
        asserts->organization_id = node->organization_id;
    }
    if (asserts->role == NULL) {
        asserts->role = node->role;
        asserts->role_display =
            asserts->role_display == NULL ? node->role_display : asserts->role_display;
    }
    if (asserts->purpose == NULL) {
        asserts->purpose = node->purpose;
        asserts->purpose_system =
            asserts->purpose_system == NULL ? node->purpose_system : asserts->purpose_system;
    } else if (asserts->purpose_system == NULL) {
        asserts->purpose_system = POLICY_PURPOSE_SYSTEM_TEFCA;
    }
    if (asserts->user == NULL) {
        asserts->user = node->user;
        asserts->npi = asserts->npi == NULL ? node->npi : asserts->npi;
    }
}

static void
check_complete(struct config_reader *reader, const struct yaml_node *entry,
               const struct config_asserts *asserts)
{
    const struct {
        const char *key, *value;
    } needed[] = {
        {"user", asserts->user},
        {"role", asserts->role},
        {"purpose", asserts->purpose},
        {"organization", asserts->organization},
        {"organization_id", asserts->organization_id},
    };

    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        if (needed[i].value == NULL) {
            yaml_report_add(reader->report, entry->file, entry->key_line, entry->key_column,
                            "system '%.*s' can assert no %s: set it in its asserts, or in the "
                            "node's; nothing is invented",
                            SPAN_PRINT(entry->key), needed[i].key);
        }
    }
}

static struct status
read_system(struct config_reader *reader, struct yaml_node *section, struct yaml_node *child,
            struct system_list *systems)
{
    static const char *const answers[] = {"false", "true"};
    struct config_system system = {.name = child->key.p};
    size_t is_for_all = false;

    if (!config_is_name(child->key)) {
        yaml_report_add(
            reader->report, child->file, child->key_line, child->key_column,
            "'%.*s' is no name; expected lower-case letters, digits, '-' and '_', at most %d",
            SPAN_PRINT(child->key), CONFIG_NAME_MAX);
        return OK;
    }
    struct yaml_node *entry = config_section(reader, section, system.name, names, ARRAY_LEN(names));

    if (entry == NULL) {
        return OK;
    }
    TRY(config_claim(reader, CONFIG_CLAIM_ID, system.name, entry));
    TRY(read_certificate_names(reader, entry, &system));
    config_take_asserts(reader, entry, &system.asserts);
    inherit(&reader->config->asserts, &system.asserts);
    check_complete(reader, entry, &system.asserts);
    (void)config_choice(reader, yaml_get(entry, "asserts_for_all"), answers, ARRAY_LEN(answers),
                        &is_for_all);
    system.asserts_for_all = is_for_all != 0;
    return ARENA_PUSH(reader->arena, reader->diag, systems, system);
}

/* ---- all of them ---- */

/* Without TLS nobody can show who he is, so the configuration says who it is: one system. */
static void
find_local_system(struct config_reader *reader, struct yaml_node *root)
{
    struct yaml_node *local = yaml_get(yaml_get(root, "listen"), "local");
    struct yaml_node *node = yaml_get(local, "system");
    struct config *config = reader->config;

    if (node == NULL || !config->local.is_set) {
        return;
    }
    if (config->local.credential != NULL) {
        yaml_error(reader->report, node,
                   "'system' is for a local listener without TLS; with TLS the client's "
                   "certificate says who asks: remove it, and give the system certificate_names");
        return;
    }
    for (size_t i = 0; node->kind == YAML_SCALAR && i < config->systems_n; i++) {
        if (span_eq_cstr(node->scalar, config->systems[i].name)) {
            config->local_system = &config->systems[i];
            return;
        }
    }
    config_expected(reader, node, "the name of an entry of systems");
}

struct status
config_read_systems(struct config_reader *reader, struct yaml_node *root)
{
    struct yaml_node *section = yaml_get(root, "systems");
    struct system_list systems = {0};

    if (section != NULL && section->kind != YAML_MAPPING) {
        config_expected(reader, section, "a mapping of names to local systems");
        section = NULL;
    }
    for (struct yaml_node *child = section == NULL ? NULL : section->children; child != NULL;
         child = child->next) {
        TRY(read_system(reader, section, child, &systems));
    }
    reader->config->systems = systems.items;
    reader->config->systems_n = systems.n;
    find_local_system(reader, root);
    return OK;
}
