/*
 * People in a C-CDA header: the patient of recordTarget with every name, id, address and telecom.
 * Called by ccda.c within one ccda_read.
 */
#include "soap/ccda_parts.h"

/* PN.qualifier is a set of codes separated by spaces. */
static bool
has_qualifier(struct ccda_reader *r, const xmlNode *part, const char *code)
{
    struct span rest = ccda_attribute(r, part, "qualifier");
    struct span word;

    while (rest.n > 0 && span_split(&rest, ' ', &word)) {
        if (span_eq_cstr(word, code)) {
            return true;
        }
    }
    return false;
}

static struct span
join(struct ccda_reader *r, struct span a, struct span b)
{
    if (a.n == 0 || b.n == 0) {
        return a.n == 0 ? b : a;
    }
    return ccda_printf(r, "%.*s %.*s", SPAN_PRINT(a), SPAN_PRINT(b));
}

/* All parts of this name that have (or have not) the qualifier, joined by a space. */
static struct span
parts(struct ccda_reader *r, const xmlNode *name, const char *part, const char *qualifier,
      bool is_wanted)
{
    struct span joined = SPAN_EMPTY;

    for (const xmlNode *node = ccda_child(name, part); node != NULL; node = ccda_next(node)) {
        if (has_qualifier(r, node, qualifier) == is_wanted) {
            joined = join(r, joined, ccda_text(r, node));
        }
    }
    return joined;
}

static void
given_names(struct ccda_reader *r, const xmlNode *name, bool is_called, struct span_list *given)
{
    for (const xmlNode *node = ccda_child(name, "given"); node != NULL; node = ccda_next(node)) {
        const struct span text = ccda_text(r, node);

        if (text.n > 0 && has_qualifier(r, node, "CL") == is_called) {
            CCDA_PUSH(r, given, text);
        }
    }
}

void
ccda_given_names(struct ccda_reader *r, const xmlNode *name, struct span_list *given)
{
    given_names(r, name, false, given);
}

struct span
ccda_birth_family(struct ccda_reader *r, const xmlNode *name)
{
    return parts(r, name, "family", "BR", true);
}

/* One element may hold two names: the family name at birth (qualifier BR) beside the present one,
 * and what somebody is called (CL) beside the given names. Each becomes a name of its own, so that
 * "Eve Betterhalf (Everywoman)" is found under both, and "Frankie" is no second given name. The use
 * is that of the present name: neither of the others is said to be the legal one. */
void
ccda_names(struct ccda_reader *r, const xmlNode *name, struct name_list *names)
{
    struct person_name person = {
        .family = parts(r, name, "family", "BR", false),
        .prefix = parts(r, name, "prefix", "", false),
        .suffix = parts(r, name, "suffix", "", false),
        .use = ccda_attribute(r, name, "use"),
    };
    struct span birth_family = ccda_birth_family(r, name);
    struct span_list called = {0};

    given_names(r, name, false, &person.given);
    given_names(r, name, true, &called);
    if (person.family.n == 0) {
        person.family = birth_family;
        birth_family = SPAN_EMPTY;
    }
    if (person.given.n == 0) {
        person.given = called;
        called.n = 0;
    }
    if (person.family.n == 0 && person.given.n == 0) {
        return;
    }
    CCDA_PUSH(r, names, person);
    if (birth_family.n > 0) {
        struct person_name at_birth = person;

        at_birth.family = birth_family;
        at_birth.use = SPAN_EMPTY;
        CCDA_PUSH(r, names, at_birth);
    }
    if (called.n > 0) {
        struct person_name by_call = person;

        by_call.given = called;
        by_call.use = SPAN_EMPTY;
        CCDA_PUSH(r, names, by_call);
    }
}

void
ccda_ids(struct ccda_reader *r, const xmlNode *parent, struct ident_list *ids)
{
    for (const xmlNode *node = ccda_child(parent, "id"); node != NULL; node = ccda_next(node)) {
        const struct ident id = {ccda_attribute(r, node, "root"),
                                 ccda_attribute(r, node, "extension"),
                                 ccda_attribute(r, node, "assigningAuthorityName")};

        if (id.root.n > 0 && !ident_list_has(ids, &id)) {
            CCDA_PUSH(r, ids, id);
        }
    }
}

static void
read_address(struct ccda_reader *r, const xmlNode *node, struct address_list *addresses)
{
    struct address address = {
        .city = ccda_child_text(r, node, "city"),
        .state = ccda_child_text(r, node, "state"),
        .postal_code = ccda_child_text(r, node, "postalCode"),
        .country = ccda_child_text(r, node, "country"),
        .use = ccda_attribute(r, node, "use"),
    };
    const xmlNode *line = ccda_child(node, "streetAddressLine");

    for (; line != NULL; line = ccda_next(line)) {
        const struct span text = ccda_text(r, line);

        if (text.n > 0) {
            CCDA_PUSH(r, &address.street, text);
        }
    }
    if (address.street.n > 0 || address.city.n > 0 || address.state.n > 0 ||
        address.postal_code.n > 0 || address.country.n > 0) {
        CCDA_PUSH(r, addresses, address);
    }
}

void
ccda_addresses(struct ccda_reader *r, const xmlNode *parent, struct address_list *addresses)
{
    for (const xmlNode *node = ccda_child(parent, "addr"); node != NULL; node = ccda_next(node)) {
        read_address(r, node, addresses);
    }
}

static void
read_telecoms(struct ccda_reader *r, const xmlNode *role, struct telecom_list *telecoms)
{
    for (const xmlNode *node = ccda_child(role, "telecom"); node != NULL; node = ccda_next(node)) {
        const struct telecom telecom = {ccda_attribute(r, node, "value"),
                                        ccda_attribute(r, node, "use")};

        if (telecom.value.n > 0) {
            CCDA_PUSH(r, telecoms, telecom);
        }
    }
}

/* HL7 AdministrativeGender has three codes; what else systems write there says nothing. */
static struct span
read_sex(struct ccda_reader *r, const xmlNode *person)
{
    static const char *const codes[] = {"M", "F", "UN"};
    const struct span code =
        ccda_attribute(r, ccda_child(person, "administrativeGenderCode"), "code");

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (span_eq_nocase(code, span_of_cstr(codes[i]))) {
            return span_of_cstr(codes[i]);
        }
    }
    return SPAN_EMPTY;
}

void
ccda_patient(struct ccda_reader *r, const xmlNode *patient_role, struct patient *patient)
{
    const xmlNode *person = ccda_child(patient_role, "patient");

    for (const xmlNode *name = ccda_child(person, "name"); name != NULL; name = ccda_next(name)) {
        ccda_names(r, name, &patient->names);
    }
    ccda_ids(r, patient_role, &patient->ids);
    patient->birth_time = ccda_attribute(r, ccda_child(person, "birthTime"), "value");
    patient->sex = read_sex(r, person);
    ccda_addresses(r, patient_role, &patient->addresses);
    read_telecoms(r, patient_role, &patient->telecoms);
}
