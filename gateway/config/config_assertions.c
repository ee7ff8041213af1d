/*
 * Reads `assertions:` of a local system: whose assertions about its users are believed (ITI-40),
 * for whom they must be made, and what they may leave to the system's entry. Called by
 * config_systems.c on the loading thread.
 */
#include <string.h>

#include "config/config_reader.h"

#define KEYS_MAX 16 /* soap/keyinfo.h */

struct certificates {
    struct certificate **items;
    size_t n, capacity;
};

/* What may be absent. An AudienceRestriction may not (ITI TF-2 3.40.4.1.2), nor may somebody choose
 * among several purposes; the community is ours where the assertion names none. */
static const struct {
    const char *name;
    uint32_t relaxed;
} omissible[] = {
    {"authn-statement", DIALECT_BIT(RELAX_AUTHN_STATEMENT)},
    {"not-before", DIALECT_BIT(RELAX_NOT_BEFORE)},
    {"issuer-format", DIALECT_BIT(RELAX_ISSUER_FORMAT)},
    {"name-syntax", DIALECT_BIT(RELAX_NAME_SYNTAX)},
    {"key-info", DIALECT_BIT(RELAX_KEY_INFO)},
    {"subject-id", DIALECT_BIT(RELAX_SUBJECT_ID)},
    {"organization", DIALECT_BIT(RELAX_ORGANIZATION) | DIALECT_BIT(RELAX_ORGANIZATION_ID)},
    {"role", DIALECT_BIT(RELAX_ROLE)},
    {"purpose", 0}, /* partners may never omit it, so it is no relaxation of theirs */
};

static void
read_may_omit(struct config_reader *reader, struct yaml_node *section,
              struct config_assertions *assertions)
{
    struct yaml_node *list = yaml_get(section, "may_omit");
    const char *names[ARRAY_LEN(omissible)];

    assertions->relaxed = DIALECT_BIT(RELAX_HOME_COMMUNITY);
    for (size_t i = 0; i < ARRAY_LEN(omissible); i++) {
        names[i] = omissible[i].name;
    }
    if (!config_is_list(reader, list, "a list such as [role, purpose]")) {
        return;
    }
    for (const struct yaml_node *item = list->children; item != NULL; item = item->next) {
        size_t which = 0;

        if (config_choice(reader, item, names, ARRAY_LEN(names), &which)) {
            assertions->relaxed |= omissible[which].relaxed;
            assertions->may_omit_purpose =
                assertions->may_omit_purpose || omissible[which].relaxed == 0;
        }
    }
}

static void
read_confirmation(struct config_reader *reader, struct yaml_node *section,
                  struct config_assertions *assertions)
{
    static const char *const names[] = {"holder-of-key", "bearer"};
    struct yaml_node *list = yaml_get(section, "confirmation");

    assertions->may_use_bearer = list == NULL;
    if (!config_is_list(reader, list, "a list such as [bearer]")) {
        return;
    }
    for (const struct yaml_node *item = list->children; item != NULL; item = item->next) {
        size_t which = 0;

        if (config_choice(reader, item, names, ARRAY_LEN(names), &which)) {
            assertions->may_use_bearer = assertions->may_use_bearer || which == 1;
        }
    }
    if (list->children == NULL) {
        yaml_error(reader->report, list,
                   "confirmation: expected at least one of holder-of-key, bearer");
    }
}

static bool
check_audience(struct config_reader *reader, const struct yaml_node *item)
{
    if (!config_is_code(item->scalar) || span_find_char(item->scalar, ':') == SPAN_MISSING) {
        config_expected(reader, item, "a URI such as https://gateway.example:9443");
        return false;
    }
    return true;
}

static struct status
add_certificate(struct config_reader *reader, const struct yaml_node *item,
                struct certificates *found)
{
    const char *path = NULL;
    struct certificate *certificate = NULL;
    struct diag reason = {0};

    TRY(config_path(reader, item, &path));
    if (path == NULL) {
        return OK;
    }
    TRY(config_load_certificate(reader, item, path, &certificate));
    if (certificate == NULL) {
        return OK;
    }
    if (!is_ok(trust_check_signing_form(certificate, &reason))) {
        yaml_error(reader->report, item, "%s: cannot sign for a system: %s", path, reason.text);
        return OK;
    }
    return ARENA_PUSH(reader->arena, reader->diag, found, certificate);
}

/* They are believed because they are listed here: a hospital's token service has no place in the
 * networks' trust stores. */
static struct status
read_certificates(struct config_reader *reader, const struct yaml_node *list,
                  struct certificates *found)
{
    if (!config_is_list(reader, list, "a list of certificate files")) {
        return OK;
    }
    if (list->children == NULL) {
        yaml_error(reader->report, list, "%.*s: expected at least one file", SPAN_PRINT(list->key));
    }
    for (const struct yaml_node *item = list->children; item != NULL; item = item->next) {
        TRY(add_certificate(reader, item, found));
    }
    return OK;
}

static struct status
read_keys(struct config_reader *reader, struct yaml_node *section,
          struct config_assertions *assertions)
{
    struct certificates found = {0};
    size_t issuers_n;

    TRY(read_certificates(reader, config_need(reader, section, "certificates"), &found));
    issuers_n = found.n;
    TRY(read_certificates(reader, yaml_get(section, "holders"), &found));
    if (found.n > KEYS_MAX) {
        yaml_error(reader->report, section, "%zu certificates and holders; at most %d are accepted",
                   found.n, KEYS_MAX);
        return OK;
    }
    assertions->keys = found.items;
    assertions->keys_n = found.n;
    assertions->holders_n = found.n - issuers_n;
    return OK;
}

struct status
config_read_assertions(struct config_reader *reader, struct yaml_node *entry,
                       const struct config_assertions **ret_assertions)
{
    static const char *const names[] = {"certificates", "holders",      "issuers",
                                        "audiences",    "confirmation", "may_omit"};
    struct yaml_node *section =
        config_section(reader, entry, "assertions", names, ARRAY_LEN(names));
    struct config_assertions *assertions;
    const struct yaml_node *audiences;

    if (section == NULL) {
        return OK;
    }
    TRY(ARENA_NEW(reader->arena, reader->diag, &assertions));
    TRY(read_keys(reader, section, assertions));
    TRY(config_text_list(reader, yaml_get(section, "issuers"), "text", NULL, &assertions->issuers));
    audiences = config_need(reader, section, "audiences");
    TRY(config_text_list(reader, audiences, "URIs", check_audience, &assertions->audiences));
    if (audiences != NULL && audiences->kind == YAML_SEQUENCE && audiences->children == NULL) {
        yaml_error(reader->report, audiences, "audiences: expected at least one URI");
    }
    read_confirmation(reader, section, assertions);
    read_may_omit(reader, section, assertions);
    *ret_assertions = assertions;
    return OK;
}
