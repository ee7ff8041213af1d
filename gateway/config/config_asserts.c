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

static void
read_code(struct config_reader *reader, const struct yaml_node *node, const char *what,
          const char **ret_code)
{
    const char *text = NULL;

    if (!config_text(reader, node, what, &text)) {
        return;
    }
    for (size_t i = 0; i < node->scalar.n; i++) {
        if (text[i] <= ' ' || text[i] >= 0x7f) {
            config_expected(reader, node, what);
            return;
        }
    }
    *ret_code = text;
}

/* "urn:oid:" and an OID, or a URL (ITI TF-2 3.40, subject:organization-id). */
static void
read_organization_id(struct config_reader *reader, const struct yaml_node *node,
                     const char **ret_id)
{
    static const char what[] = "urn:oid:OID or a URL";
    const char *text = NULL;
    struct span oid;

    read_code(reader, node, what, &text);
    if (text == NULL) {
        return;
    }
    const bool is_oid =
        span_starts_with(node->scalar, SPAN("urn:oid:")) && home_community_oid(node->scalar, &oid);

    if (!is_oid && !span_starts_with(node->scalar, SPAN("https://")) &&
        !span_starts_with(node->scalar, SPAN("http://"))) {
        config_expected(reader, node, what);
        return;
    }
    *ret_id = text;
}

/* ISO/IEC 7812 over "80840" and the ten digits: the United States' health identifiers. */
static bool
is_npi(struct span text)
{
    int sum = 24; /* of the prefix 80840 */

    if (text.n != 10) {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        const int digit = text.p[i] - '0';

        if (digit < 0 || digit > 9) {
            return false;
        }
        const int doubled = 2 * digit > 9 ? 2 * digit - 9 : 2 * digit;

        sum += i % 2 == 0 ? doubled : digit;
    }
    return sum % 10 == 0;
}

static void
read_npi(struct config_reader *reader, const struct yaml_node *node, const char **ret_npi)
{
    static const char what[] = "ten digits with a valid check digit";
    const char *text = NULL;

    if (!config_text(reader, node, what, &text)) {
        return;
    }
    if (!is_npi(node->scalar)) {
        config_expected(reader, node, what);
        return;
    }
    *ret_npi = text;
}

void
config_read_asserts(struct config_reader *reader, struct yaml_node *root)
{
    struct yaml_node *node = config_section(reader, root, "asserts", names, ARRAY_LEN(names));
    struct config_asserts *asserts = &reader->config->asserts;

    asserts->purpose_system = POLICY_PURPOSE_SYSTEM_TEFCA;
    read_line(reader, yaml_get(node, "organization"), &asserts->organization);
    read_organization_id(reader, yaml_get(node, "organization_id"), &asserts->organization_id);
    read_line(reader, yaml_get(node, "user"), &asserts->user);
    read_code(reader, yaml_get(node, "role"), "a code", &asserts->role);
    read_line(reader, yaml_get(node, "role_display"), &asserts->role_display);
    read_code(reader, yaml_get(node, "purpose"), "a code such as T-TREAT", &asserts->purpose);
    config_oid(reader, yaml_get(node, "purpose_system"), &asserts->purpose_system);
    read_npi(reader, yaml_get(node, "npi"), &asserts->npi);
}
