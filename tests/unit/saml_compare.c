/*
 * Compares saml_facts (see the header). Every member of the struct must be here: one that is left
 * out could be forged unseen.
 */
#include "tests/unit/saml_compare.h"

static bool
same_code(const struct code *a, const struct code *b)
{
    return span_eq(a->value, b->value) && span_eq(a->scheme, b->scheme) &&
           span_eq(a->display, b->display);
}

static bool
same_list(const struct span_list *a, const struct span_list *b)
{
    bool is_same = a->n == b->n;
    for (size_t i = 0; is_same && i < a->n; i++) {
        is_same = span_eq(a->items[i], b->items[i]);
    }
    return is_same;
}

static bool
same_idents(const struct ident_list *a, const struct ident_list *b)
{
    bool is_same = a->n == b->n;
    for (size_t i = 0; is_same && i < a->n; i++) {
        is_same = ident_eq(&a->items[i], &b->items[i]) &&
                  span_eq(a->items[i].authority, b->items[i].authority);
    }
    return is_same;
}

const char *
saml_difference(const struct saml_facts *a, const struct saml_facts *b)
{
    const struct {
        const char *name;
        bool is_same;
    } rows[] = {
        {"key", a->key == b->key},
        {"omitted", a->omitted == b->omitted},
        {"has_sha1", a->has_sha1 == b->has_sha1},
        {"is_one_time", a->is_one_time == b->is_one_time},
        {"assertion_id", span_eq(a->assertion_id, b->assertion_id)},
        {"issuer", span_eq(a->issuer, b->issuer)},
        {"issuer_format", span_eq(a->issuer_format, b->issuer_format)},
        {"name_id", span_eq(a->name_id, b->name_id)},
        {"name_id_format", span_eq(a->name_id_format, b->name_id_format)},
        {"name_id_provided", span_eq(a->name_id_provided, b->name_id_provided)},
        {"is_holder_of_key", a->is_holder_of_key == b->is_holder_of_key},
        {"not_before_us", a->not_before_us == b->not_before_us},
        {"not_on_or_after_us", a->not_on_or_after_us == b->not_on_or_after_us},
        {"authn_instant_us", a->authn_instant_us == b->authn_instant_us},
        {"subject_id", span_eq(a->subject_id, b->subject_id)},
        {"organization", span_eq(a->organization, b->organization)},
        {"organization_id", span_eq(a->organization_id, b->organization_id)},
        {"home_community", span_eq(a->home_community, b->home_community)},
        {"role", same_code(&a->role, &b->role)},
        {"purpose", same_code(&a->purpose, &b->purpose)},
        {"npi", span_eq(a->npi, b->npi)},
        {"provider_ids", same_idents(&a->provider_ids, &b->provider_ids)},
        {"resource_id", span_eq(a->resource_id, b->resource_id)},
        {"acp", same_list(&a->acp, &b->acp)},
        {"iacp", same_list(&a->iacp, &b->iacp)},
        {"delegator", span_eq(a->delegator, b->delegator)},
        {"jurisdiction", span_eq(a->jurisdiction, b->jurisdiction)},
        {"id_token", span_eq(a->id_token, b->id_token)},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!rows[i].is_same) {
            return rows[i].name;
        }
    }
    return NULL;
}

const char *
timestamp_difference(const struct saml_facts *a, const struct saml_facts *b)
{
    if (!span_eq(a->timestamp_signature, b->timestamp_signature)) {
        return "timestamp_signature";
    }
    if (a->timestamp_created_us != b->timestamp_created_us) {
        return "timestamp_created_us";
    }
    return a->timestamp_expires_us != b->timestamp_expires_us ? "timestamp_expires_us" : NULL;
}
