/*
 * A participant's gateway behind us, of `sources:`: it is asked as a partner is, over TLS and with
 * an assertion, and has communities of its own. Called by config_sources.c while the configuration
 * loads.
 */
#include "config/config_source.h"

/* What a registry may do without: a gateway is asked as a partner is. */
static void
refuse_weaker(struct config_reader *reader, struct yaml_node *entry, const struct partner *partner)
{
    const struct yaml_node *security = yaml_get(entry, "security");

    if (partner->is_plain) {
        yaml_error(reader->report, yaml_get(entry, "tls"),
                   "a gateway is asked over TLS only; remove 'tls: none'");
    }
    if (security != NULL) {
        yaml_report_add(reader->report, security->file, security->key_line, security->key_column,
                        "'security' has no effect with engine 'gateway', which is always asked "
                        "with an assertion; remove it");
    }
}

static struct status
read_gateway(struct config_reader *reader, struct yaml_node *entry, struct config_source *source,
             struct partner *partner)
{
    static const char *const homes[] = {"own", "asker"};
    size_t home = 0;

    refuse_weaker(reader, entry, partner);
    /* It is somebody else: none of its communities is ours, a partner's or another source's. */
    TRY(config_communities(reader, entry, &partner->communities));
    if (partner->communities.n > 0) {
        source->community = partner->communities.items[0];
    }
    config_url(reader, config_need(reader, entry, "xcpd"), &partner->xcpd_url);
    config_url(reader, config_need(reader, entry, "query"), &partner->query_url);
    config_url(reader, config_need(reader, entry, "retrieve"), &partner->retrieve_url);
    if (yaml_get(entry, "patient_authority") == NULL) {
        source->patient_authority = NULL; /* its ids may be of any authority but ours */
    }
    (void)config_choice(reader, yaml_get(entry, "asserts_home"), homes, ARRAY_LEN(homes), &home);
    source->asserts_asker = home == 1;
    return OK;
}

static const char *const own_keys[] = {"communities", "xcpd", "query", "retrieve", "asserts_home"};

const struct config_source_engine config_source_gateway = {"gateway", own_keys, ARRAY_LEN(own_keys),
                                                           true, read_gateway};
