/*
 * Reads `asserts:`, what our own assertions say about who asks and why. Nothing has a default but
 * the code system of purposes: what is missing must come from the command line or is an error
 * there.
 */
#include <string.h>

#include "base/ids.h"
#include "config/config_reader.h"

#define TEXT_MAX 256

static const char *const names[] = {
    "organization", "organization_id", "user",           "role",
    "role_display", "purpose",         "purpose_system", "npi",
};

static void
read_line(struct config_reader *reader, const struct yaml_node *node, const char **ret_text)
{
    const char *text = NULL;

    if (!config_text(reader, node, "text", &text)) {
        return;
    }
    if (node->scalar.n > TEXT_MAX || strpbrk(text, "\r\n\t") != NULL) {
        yaml_error(reader->report, node, "%.*s: expected one line of at most %d bytes",
                   SPAN_PRINT(node->key), TEXT_MAX);
        return;
    }
    *ret_text = text;
}

bool
config_is_code(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] <= ' ' || text.p[i] >= 0x7f) {
            return false;
        }
    }
    return text.n > 0 && text.n <= TEXT_MAX;
}

/* ITI TF-2 3.40, subject:organization-id. */
bool
config_is_organization_id(struct span text)
{
    struct span oid;

    if (span_starts_with(text, SPAN("urn:oid:"))) {
        return home_community_oid(text, &oid);
    }
    return config_is_code(text) &&
           (span_starts_with(text, SPAN("https://")) || span_starts_with(text, SPAN("http://")));
}

bool
config_is_npi(struct span text)
{
    return npi_is_valid(text);
}

static void
read_checked(struct config_reader *reader, const struct yaml_node *node,
             bool (*is_good)(struct span), const char *what, const char **ret_text)
{
    const char *text = NULL;

    if (!config_text(reader, node, what, &text)) {
        return;
    }
    if (!is_good(node->scalar)) {
        config_expected(reader, node, what);
        return;
    }
    *ret_text = text;
}

void
config_take_asserts(struct config_reader *reader, struct yaml_node *parent,
                    struct config_asserts *asserts)
{
    struct yaml_node *node = config_section(reader, parent, "asserts", names, ARRAY_LEN(names));

    read_line(reader, yaml_get(node, "organization"), &asserts->organization);
    read_checked(reader, yaml_get(node, "organization_id"), config_is_organization_id,
                 "urn:oid:OID or a URL", &asserts->organization_id);
    read_line(reader, yaml_get(node, "user"), &asserts->user);
    read_checked(reader, yaml_get(node, "role"), config_is_code, "a code", &asserts->role);
    read_line(reader, yaml_get(node, "role_display"), &asserts->role_display);
    read_checked(reader, yaml_get(node, "purpose"), config_is_code, "a code such as T-TREAT",
                 &asserts->purpose);
    config_oid(reader, yaml_get(node, "purpose_system"), &asserts->purpose_system);
    read_checked(reader, yaml_get(node, "npi"), config_is_npi,
                 "ten digits with a valid check digit", &asserts->npi);
}

void
config_read_asserts(struct config_reader *reader, struct yaml_node *root)
{
    reader->config->asserts.purpose_system = POLICY_PURPOSE_SYSTEM_TEFCA;
    config_take_asserts(reader, root, &reader->config->asserts);
}
