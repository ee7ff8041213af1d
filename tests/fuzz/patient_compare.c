/*
 * Compares patients (see the header).
 */
#include "fuzz/patient_compare.h"

static bool
same_texts(const struct span_list *a, const struct span_list *b)
{
    bool is_same = a->n == b->n;
    for (size_t i = 0; is_same && i < a->n; i++) {
        is_same = span_eq(a->items[i], b->items[i]);
    }
    return is_same;
}

const char *
name_difference(const struct person_name *a, const struct person_name *b)
{
    if (!span_eq(a->family, b->family)) {
        return "family name";
    }
    if (!same_texts(&a->given, &b->given)) {
        return "given names";
    }
    return span_eq(a->prefix, b->prefix) && span_eq(a->suffix, b->suffix) ? NULL
                                                                          : "prefix or suffix";
}

static const char *
names_difference(const struct name_list *a, const struct name_list *b)
{
    const char *difference = a->n == b->n ? NULL : "number of names";
    for (size_t i = 0; difference == NULL && i < a->n; i++) {
        difference = name_difference(&a->items[i], &b->items[i]);
    }
    return difference;
}

static bool
same_address(const struct address *a, const struct address *b)
{
    return same_texts(&a->street, &b->street) && span_eq(a->city, b->city) &&
           span_eq(a->state, b->state) && span_eq(a->postal_code, b->postal_code) &&
           span_eq(a->country, b->country);
}

static const char *
contacts_difference(const struct patient *a, const struct patient *b)
{
    if (a->addresses.n != b->addresses.n || a->telecoms.n != b->telecoms.n) {
        return "number of addresses or telecoms";
    }
    for (size_t i = 0; i < a->addresses.n; i++) {
        if (!same_address(&a->addresses.items[i], &b->addresses.items[i])) {
            return "address";
        }
    }
    for (size_t i = 0; i < a->telecoms.n; i++) {
        if (!span_eq(a->telecoms.items[i].value, b->telecoms.items[i].value)) {
            return "telecom";
        }
    }
    return NULL;
}

/* What only a question has. */
static const char *
sought_difference(const struct patient *a, const struct patient *b)
{
    const struct time_range *const one = &a->birth_range;
    const struct time_range *const other = &b->birth_range;
    if (!span_eq(one->low, other->low) || !span_eq(one->high, other->high) ||
        (one->low.n > 0 && one->is_low_excluded != other->is_low_excluded) ||
        (one->high.n > 0 && one->is_high_excluded != other->is_high_excluded)) {
        return "range of birth times";
    }
    if (!same_texts(&a->birth_place_names, &b->birth_place_names) ||
        a->birth_place_addresses.n != b->birth_place_addresses.n) {
        return "birth place";
    }
    return a->care_providers.n == b->care_providers.n
               ? names_difference(&a->mothers_maiden_names, &b->mothers_maiden_names)
               : "number of care providers";
}

const char *
patient_difference(const struct patient *a, const struct patient *b)
{
    if (!span_eq(a->birth_time, b->birth_time)) {
        return "birth time";
    }
    if (!span_eq(a->sex, b->sex)) {
        return "sex";
    }
    if (a->ids.n != b->ids.n) {
        return "number of ids";
    }
    for (size_t i = 0; i < a->ids.n; i++) {
        if (!ident_eq(&a->ids.items[i], &b->ids.items[i])) {
            return "id";
        }
    }
    const char *difference = names_difference(&a->names, &b->names);
    difference = difference == NULL ? contacts_difference(a, b) : difference;
    return difference == NULL ? sought_difference(a, b) : difference;
}
