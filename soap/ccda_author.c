/*
 * Authors, the legal authenticator and the patient of a C-CDA header in the HL7 v2 spellings of XDS
 * metadata (XCN, XON, XTN, PID fields; ITI TF-3 4.2.3.1.4). Called by ccda.c within one ccda_read.
 */
#include "soap/ccda_parts.h"

#include "base/ids.h"

#define NPI_ROOT "2.16.840.1.113883.4.6"

/* The id by which others know this person: the national provider id, else the first in an OID. */
static struct ident
provider_id(struct ccda_reader *r, const xmlNode *assigned)
{
    struct ident best = {SPAN_EMPTY, SPAN_EMPTY, SPAN_EMPTY};

    for (const xmlNode *node = ccda_child(assigned, "id"); node != NULL; node = ccda_next(node)) {
        const struct ident id = {ccda_attribute(r, node, "root"),
                                 ccda_attribute(r, node, "extension"), SPAN_EMPTY};
        const bool is_npi = span_eq(id.root, SPAN(NPI_ROOT));

        if (id.extension.n > 0 && oid_is_valid(id.root) && (best.root.n == 0 || is_npi)) {
            best = id;
            if (is_npi) {
                break;
            }
        }
    }
    return best;
}

/* HL7 v2.5.1 chapter 2.6: separators at the end stand for nothing. */
static struct span
without_last_separators(struct span field)
{
    while (field.n > 0 && field.p[field.n - 1] == '^') {
        field.n--;
    }
    return field;
}

static struct span
given_at(const struct person_name *name, size_t i)
{
    return i < name->given.n ? name->given.items[i] : SPAN_EMPTY;
}

/* id^family^given^second^suffix^prefix^^^&root&ISO */
static struct span
write_xcn(struct ccda_reader *r, const struct ident *id, const struct person_name *name)
{
    const struct span family = ccda_escape(r, name->family);
    const struct span given = ccda_escape(r, given_at(name, 0));
    const struct span second = ccda_escape(r, given_at(name, 1));
    const struct span suffix = ccda_escape(r, name->suffix);
    const struct span prefix = ccda_escape(r, name->prefix);
    const struct span extension = ccda_escape(r, id->extension);

    if (extension.n == 0) {
        return without_last_separators(
            ccda_printf(r, "^%.*s^%.*s^%.*s^%.*s^%.*s", SPAN_PRINT(family), SPAN_PRINT(given),
                        SPAN_PRINT(second), SPAN_PRINT(suffix), SPAN_PRINT(prefix)));
    }
    return ccda_printf(r, "%.*s^%.*s^%.*s^%.*s^%.*s^%.*s^^^&%.*s&ISO", SPAN_PRINT(extension),
                       SPAN_PRINT(family), SPAN_PRINT(given), SPAN_PRINT(second),
                       SPAN_PRINT(suffix), SPAN_PRINT(prefix), SPAN_PRINT(id->root));
}

/* A person's XCN; empty without a name. */
static struct span
read_person(struct ccda_reader *r, const xmlNode *assigned)
{
    struct name_list names = {0};
    const xmlNode *name = ccda_path(assigned, "assignedPerson", "name", NULL);

    if (name != NULL) {
        ccda_names(r, name, &names);
    }
    if (names.n == 0 && ccda_text(r, name).n > 0) {
        const struct person_name unparted = {.family = ccda_text(r, name)};

        CCDA_PUSH(r, &names, unparted); /* a name written as one text */
    }
    if (names.n == 0) {
        return SPAN_EMPTY;
    }
    const struct ident id = provider_id(r, assigned);

    return write_xcn(r, &id, &names.items[0]);
}

/* A machine is an author by its name (ITI TF-3 4.2.3.2.1.4: "a human or machine"). */
static struct span
read_device(struct ccda_reader *r, const xmlNode *assigned)
{
    const xmlNode *device = ccda_child(assigned, "assignedAuthoringDevice");
    struct span name = ccda_child_text(r, device, "softwareName");

    if (name.n == 0) {
        name = ccda_child_text(r, device, "manufacturerModelName");
    }
    name = ccda_escape(r, name);
    return name.n == 0 ? name : ccda_printf(r, "^%.*s", SPAN_PRINT(name));
}

/* name^^^^^^^^^OID, or name^^^^^&root&ISO^^^^extension; empty without a name. */
static struct span
read_organization(struct ccda_reader *r, const xmlNode *organization)
{
    const struct span name = ccda_escape(r, ccda_child_text(r, organization, "name"));
    const xmlNode *node = ccda_child(organization, "id");

    if (name.n == 0) {
        return SPAN_EMPTY;
    }
    for (; node != NULL; node = ccda_next(node)) {
        const struct span root = ccda_attribute(r, node, "root");
        const struct span extension = ccda_escape(r, ccda_attribute(r, node, "extension"));

        if (oid_is_valid(root)) {
            return extension.n == 0
                       ? ccda_printf(r, "%.*s^^^^^^^^^%.*s", SPAN_PRINT(name), SPAN_PRINT(root))
                       : ccda_printf(r, "%.*s^^^^^&%.*s&ISO^^^^%.*s", SPAN_PRINT(name),
                                     SPAN_PRINT(root), SPAN_PRINT(extension));
        }
    }
    return name;
}

/* XTN: ^^Internet^mail, or ^use^PH and the number as written in component 12. */
static struct span
read_telecom(struct ccda_reader *r, const xmlNode *assigned)
{
    const xmlNode *node = ccda_child(assigned, "telecom");
    struct span value = ccda_attribute(r, node, "value");
    const struct span use = ccda_attribute(r, node, "use");
    const char *v2_use = span_eq(use, SPAN("WP")) ? "WPN" : span_eq(use, SPAN("HP")) ? "PRN" : "";

    if (span_starts_with(value, SPAN("mailto:"))) {
        value = ccda_escape(r, span_slice(value, 7, value.n));
        return ccda_printf(r, "^^Internet^%.*s", SPAN_PRINT(value));
    }
    if (span_starts_with(value, SPAN("tel:"))) {
        value = span_slice(value, 4, value.n);
    }
    value = ccda_escape(r, span_trim(value));
    return value.n == 0 ? value : ccda_printf(r, "^%s^PH^^^^^^^^^%.*s", v2_use, SPAN_PRINT(value));
}

void
ccda_authors(struct ccda_reader *r, const xmlNode *root, struct document_entry *entry)
{
    const xmlNode *custodian =
        ccda_path(root, "custodian", "assignedCustodian", "representedCustodianOrganization", NULL);
    const struct span keeper = read_organization(r, custodian);

    for (const xmlNode *node = ccda_child(root, "author"); node != NULL; node = ccda_next(node)) {
        const xmlNode *assigned = ccda_child(node, "assignedAuthor");
        struct author author = {
            .person = read_person(r, assigned),
            .institution = read_organization(r, ccda_child(assigned, "representedOrganization")),
            .role = ccda_attribute(r, ccda_child(node, "functionCode"), "displayName"),
            .specialty = ccda_attribute(r, ccda_child(assigned, "code"), "displayName"),
            .telecom = read_telecom(r, assigned),
        };

        if (author.person.n == 0) {
            author.person = read_device(r, assigned);
        }
        if (author.institution.n == 0) {
            author.institution = keeper; /* who keeps the document is whom they wrote it for */
        }
        if (author.person.n > 0 || author.institution.n > 0) {
            CCDA_PUSH(r, &entry->authors, author);
        }
    }
}

struct span
ccda_legal_authenticator(struct ccda_reader *r, const xmlNode *root)
{
    return read_person(r, ccda_path(root, "legalAuthenticator", "assignedEntity", NULL));
}

/* ---- the patient as the document had him (ITI TF-3 4.2.3.2.23) ---- */

static struct span
write_name(struct ccda_reader *r, const struct person_name *name)
{
    const struct span family = ccda_escape(r, name->family);
    const struct span given = ccda_escape(r, given_at(name, 0));
    const struct span second = ccda_escape(r, given_at(name, 1));
    const struct span suffix = ccda_escape(r, name->suffix);
    const struct span prefix = ccda_escape(r, name->prefix);

    return without_last_separators(
        ccda_printf(r, "PID-5|%.*s^%.*s^%.*s^%.*s^%.*s", SPAN_PRINT(family), SPAN_PRINT(given),
                    SPAN_PRINT(second), SPAN_PRINT(suffix), SPAN_PRINT(prefix)));
}

static struct span
write_address(struct ccda_reader *r, const struct address *address)
{
    const struct span street =
        ccda_escape(r, address->street.n > 0 ? address->street.items[0] : SPAN_EMPTY);
    const struct span other =
        ccda_escape(r, address->street.n > 1 ? address->street.items[1] : SPAN_EMPTY);
    const struct span city = ccda_escape(r, address->city);
    const struct span state = ccda_escape(r, address->state);
    const struct span postal_code = ccda_escape(r, address->postal_code);
    const struct span country = ccda_escape(r, address->country);

    return without_last_separators(ccda_printf(
        r, "PID-11|%.*s^%.*s^%.*s^%.*s^%.*s^%.*s", SPAN_PRINT(street), SPAN_PRINT(other),
        SPAN_PRINT(city), SPAN_PRINT(state), SPAN_PRINT(postal_code), SPAN_PRINT(country)));
}

/* No PID-3: the ids of the source are not given out. */
void
ccda_source_patient_info(struct ccda_reader *r, const struct patient *patient,
                         struct span_list *fields)
{
    const struct span birth_date = span_slice(patient->birth_time, 0, 8);

    if (patient->names.n > 0) {
        CCDA_PUSH(r, fields, write_name(r, &patient->names.items[0]));
    }
    if (birth_date.n > 0) {
        CCDA_PUSH(r, fields, ccda_printf(r, "PID-7|%.*s", SPAN_PRINT(birth_date)));
    }
    if (patient->sex.n > 0) {
        CCDA_PUSH(r, fields, ccda_printf(r, "PID-8|%.*s", SPAN_PRINT(patient->sex)));
    }
    if (patient->addresses.n > 0) {
        CCDA_PUSH(r, fields, write_address(r, &patient->addresses.items[0]));
    }
}
