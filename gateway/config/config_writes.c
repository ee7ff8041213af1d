/*
 * Reads `writes` of a partner's file: how it wants our own messages. Called by config_agreements.c
 * while the configuration loads.
 */
#include "config/config_reader.h"

static const char *const no_yes[] = {"no", "yes"};

static bool
read_yes(struct config_reader *reader, struct yaml_node *section, const char *key)
{
    size_t which = 0;

    (void)config_choice(reader, yaml_get(section, key), no_yes, ARRAY_LEN(no_yes), &which);
    return which == 1;
}

static size_t
read_word(struct config_reader *reader, struct yaml_node *section, const char *key,
          const char *const *names, size_t n)
{
    size_t which = 0;

    (void)config_choice(reader, yaml_get(section, key), names, n, &which);
    return which;
}

/* What is not about the assertion. */
static void
read_form(struct config_reader *reader, struct yaml_node *node, struct dialect_form *form)
{
    static const char *const ranges[] = {"none", "creation", "service"};
    static const char *const ids[] = {"as-is", "urn-uuid"};
    static const char *const namespaces[] = {"default", "prefixed"};
    static const char *const packages[] = {"mtom", "soap"};
    static const char *const senders[] = {"community", "organization"};

    form->range =
        (enum dialect_range)read_word(reader, node, "date_range", ranges, ARRAY_LEN(ranges));
    form->has_urn_ids = read_word(reader, node, "document_id", ids, ARRAY_LEN(ids)) == 1;
    form->is_prefixed =
        read_word(reader, node, "hl7_namespace", namespaces, ARRAY_LEN(namespaces)) == 1;
    form->is_plain_retrieve =
        read_word(reader, node, "retrieve", packages, ARRAY_LEN(packages)) == 1;
    form->is_sender_organization =
        read_word(reader, node, "sender", senders, ARRAY_LEN(senders)) == 1;
    config_oid(reader, yaml_get(node, "receiver"), &form->receiver);
}

void
config_read_writes(struct config_reader *reader, struct yaml_node *root, struct partner *partner)
{
    static const char *const names[] = {
        "confirmation", "digest",         "subject_id_format", "home_community",
        "npi_2_0",      "authz_decision", "error_location",    "legacy_renegotiation",
        "date_range",   "document_id",    "hl7_namespace",     "retrieve",
        "sender",       "receiver"};
    static const char *const confirmations[] = {"holder-of-key", "bearer"};
    static const char *const digests[] = {"sha256", "sha384", "sha512", "sha1"};
    static const char *const formats[] = {"uri", "basic"};
    static const char *const communities[] = {"both", "ihe", "nhin"};
    static const char *const locations[] = {"both", "community"};
    struct yaml_node *node = config_section(reader, root, "writes", names, ARRAY_LEN(names));
    struct dialect_style *writes = &partner->writes;

    writes->is_bearer =
        read_word(reader, node, "confirmation", confirmations, ARRAY_LEN(confirmations)) == 1;
    writes->digest =
        (enum dialect_digest)read_word(reader, node, "digest", digests, ARRAY_LEN(digests));
    writes->is_subject_id_basic =
        read_word(reader, node, "subject_id_format", formats, ARRAY_LEN(formats)) == 1;
    writes->community = (enum dialect_community)read_word(reader, node, "home_community",
                                                          communities, ARRAY_LEN(communities));
    writes->has_npi_2_0 = read_yes(reader, node, "npi_2_0");
    writes->has_authz_decision = read_yes(reader, node, "authz_decision");
    partner->wants_short_location =
        read_word(reader, node, "error_location", locations, ARRAY_LEN(locations)) == 1;
    partner->may_connect_legacy = read_yes(reader, node, "legacy_renegotiation");
    read_form(reader, node, &partner->form);
    if (writes->digest == DIALECT_SHA1 && yaml_get(root, "sha1_until") == NULL) {
        yaml_error(reader->report, yaml_get(node, "digest"),
                   "digest: 'sha1' needs an end; add 'sha1_until: YYYY-MM-DD' to the partner's "
                   "file");
    }
}
