/*
 * Reads `systems:`, the local systems that ask through this node, and who of them asks on a local
 * listener without TLS (`listen: local: system:`). Called while the configuration loads, after
 * listen: and asserts:.
 */
#include <string.h>

#include "config/config_reader.h"

static const char *const names[] = {"certificate_names",  "asserts",         "assertions",
                                    "requires_assertion", "asserts_for_all", "demographics"};

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
               const struct config_system *system)
{
    const struct config_asserts *asserts = &system->asserts;
    const struct config_assertions *assertions = system->assertions;
    const uint32_t relaxed = assertions == NULL ? 0 : assertions->relaxed;
    const struct {
        const char *key, *value;
        bool may_be_omitted;
    } needed[] = {
        {"user", asserts->user, relaxed & DIALECT_BIT(RELAX_SUBJECT_ID)},
        {"role", asserts->role, relaxed & DIALECT_BIT(RELAX_ROLE)},
        {"purpose", asserts->purpose, assertions != NULL && assertions->may_omit_purpose},
        {"organization", asserts->organization, relaxed & DIALECT_BIT(RELAX_ORGANIZATION)},
        {"organization_id", asserts->organization_id, relaxed & DIALECT_BIT(RELAX_ORGANIZATION_ID)},
    };

    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        if (needed[i].value == NULL && (!system->requires_assertion || needed[i].may_be_omitted)) {
            yaml_report_add(reader->report, entry->file, entry->key_line, entry->key_column,
                            "system '%.*s' can assert no %s: set it in its asserts, or in the "
                            "node's; nothing is invented",
                            SPAN_PRINT(entry->key), needed[i].key);
        }
    }
}

static bool
read_true(struct config_reader *reader, struct yaml_node *entry, const char *key)
{
    static const char *const answers[] = {"false", "true"};
    size_t which = 0;

    (void)config_choice(reader, yaml_get(entry, key), answers, ARRAY_LEN(answers), &which);
    return which != 0;
}

/* Whom its demographics queries (ITI-47) reach. */
static void
read_demographics(struct config_reader *reader, struct yaml_node *entry,
                  struct config_system *system)
{
    static const char *const from[] = {"own", "partners"};
    size_t which = 0;

    (void)config_choice(reader, yaml_get(entry, "demographics"), from, ARRAY_LEN(from), &which);
    system->asks_partners_47 = which == 1;
}

/* Whether its assertions are read, needed, or passed over: not two of these. */
static void
read_switches(struct config_reader *reader, struct yaml_node *entry, struct config_system *system)
{
    struct yaml_node *has_assertions = yaml_get(entry, "assertions");

    system->asserts_for_all = read_true(reader, entry, "asserts_for_all");
    system->requires_assertion = read_true(reader, entry, "requires_assertion");
    if (system->asserts_for_all && has_assertions != NULL) {
        yaml_error(reader->report, yaml_get(entry, "asserts_for_all"),
                   "asserts_for_all passes over what 'assertions' reads; remove one of them");
    }
    if (system->requires_assertion && has_assertions == NULL) {
        yaml_error(reader->report, yaml_get(entry, "requires_assertion"),
                   "requires_assertion needs 'assertions', which says whose are believed");
    }
}

static struct status
read_system(struct config_reader *reader, struct yaml_node *section, struct yaml_node *child,
            struct system_list *systems)
{
    struct config_system system = {.name = child->key.p};

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
    TRY(config_read_assertions(reader, entry, &system.assertions));
    read_switches(reader, entry, &system);
    read_demographics(reader, entry, &system);
    check_complete(reader, entry, &system);
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
