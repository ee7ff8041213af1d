/*
 * A supplier of demographics (ITI-47) and a manager of cross-references (ITI-45), of `sources:`.
 * They have no documents: they say who somebody is, and by which ids he is known. Called by
 * config_sources.c while the configuration loads.
 */
#include "config/config_source.h"

#define REMEMBER_DEFAULT_US (3600 * US_PER_S)
#define REMEMBER_MIN_US     US_PER_S
#define REMEMBER_MAX_US     (30 * 24 * 3600 * US_PER_S)

/* `remember: never`, or how long. */
static void
read_remember(struct config_reader *reader, const struct yaml_node *node, int64_t *ret_us)
{
    *ret_us = REMEMBER_DEFAULT_US;
    if (node != NULL && node->kind == YAML_SCALAR && span_eq_cstr(node->scalar, "never")) {
        *ret_us = 0;
        return;
    }
    config_duration(reader, node, REMEMBER_MIN_US, REMEMBER_MAX_US, ret_us);
}

static struct status
read_pdq(struct config_reader *reader, struct yaml_node *entry, struct config_source *source,
         struct partner *partner)
{
    if (yaml_get(entry, "patient_authority") == NULL) {
        source->patient_authority = NULL; /* nobody says that it knows people by our ids */
    }
    config_source_url(reader, config_need(reader, entry, "url"), partner, &source->supplier_url);
    return OK;
}

static struct status
read_pix(struct config_reader *reader, struct yaml_node *entry, struct config_source *source,
         struct partner *partner)
{
    config_source_url(reader, config_need(reader, entry, "url"), partner, &source->supplier_url);
    read_remember(reader, yaml_get(entry, "remember"), &source->remember_us);
    return OK;
}

static const char *const pdq_keys[] = {"url"};
static const char *const pix_keys[] = {"url", "remember"};

const struct config_source_engine config_source_pdq = {"pdq", pdq_keys, ARRAY_LEN(pdq_keys), false,
                                                       read_pdq};
const struct config_source_engine config_source_pix = {"pix", pix_keys, ARRAY_LEN(pix_keys), false,
                                                       read_pix};
