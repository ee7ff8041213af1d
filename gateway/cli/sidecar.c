/*
 * Reads sidecars for `isthmus import`, on its thread. Errors are collected, so that an operator
 * mends a file once.
 */
#include "cli/sidecar.h"

#include "base/datetime.h"
#include "base/ids.h"

struct reader {
    struct arena *arena;
    struct diag *diag;
    struct yaml_report *report;
    const char *file;
    struct status status; /* the first failure of memory; the report has the others */
};

static void
note(struct reader *r, struct status st)
{
    if (is_ok(r->status)) {
        r->status = st;
    }
}

#define PUSH(r, list, item) note((r), ARENA_PUSH((r)->arena, (r)->diag, (list), (item)))

/* ---- kinds of values ---- */

static void
missing(struct reader *r, const struct yaml_node *mapping, const char *key, const char *what)
{
    if (mapping == NULL) {
        yaml_report_add(r->report, r->file, 1, 1, "'%s' is missing: %s", key, what);
    } else {
        yaml_error(r->report, mapping, "'%s' is missing: %s", key, what);
    }
}

static struct span
scalar(struct reader *r, struct yaml_node *node, const char *what)
{
    if (node == NULL) {
        return SPAN_EMPTY;
    }
    if (node->kind != YAML_SCALAR) {
        yaml_error(r->report, node, "expected %s", what);
        return SPAN_EMPTY;
    }
    return node->scalar;
}

/* <what>: what is expected there, for the complaint; a required one must not be empty. */
static struct span
text(struct reader *r, struct yaml_node *mapping, const char *key, const char *what)
{
    return scalar(r, yaml_get(mapping, key), what);
}

static struct span
required_text(struct reader *r, struct yaml_node *mapping, const char *key, const char *what)
{
    struct yaml_node *node = yaml_get(mapping, key);

    if (node == NULL || (node->kind == YAML_SCALAR && node->scalar.n == 0)) {
        missing(r, mapping, key, what);
        return SPAN_EMPTY;
    }
    return scalar(r, node, what);
}

static struct yaml_node *
mapping_of(struct reader *r, struct yaml_node *node, const char *const *keys, size_t keys_n)
{
    if (node != NULL && node->kind != YAML_MAPPING) {
        yaml_error(r->report, node, "expected a mapping with the key '%s'", keys[0]);
        return NULL;
    }
    yaml_check_keys(r->report, node, keys, keys_n);
    return node;
}

/* The first item of a sequence under <key>; NULL when absent. */
static struct yaml_node *
items_of(struct reader *r, struct yaml_node *mapping, const char *key)
{
    struct yaml_node *node = yaml_get(mapping, key);

    if (node != NULL && node->kind != YAML_SEQUENCE) {
        yaml_error(r->report, node, "expected a list");
        return NULL;
    }
    return node == NULL ? NULL : node->children;
}

static void
texts(struct reader *r, struct yaml_node *mapping, const char *key, struct span_list *list)
{
    for (struct yaml_node *item = items_of(r, mapping, key); item != NULL; item = item->next) {
        const struct span value = scalar(r, item, "a text");

        if (value.n > 0) {
            PUSH(r, list, value);
        }
    }
}

/* ---- patient ---- */

static const char *const name_keys[] = {"family", "given", "prefix", "suffix", "use"};
static const char *const id_keys[] = {"root", "extension", "authority"};
static const char *const address_keys[] = {"street",      "city",    "state",
                                           "postal_code", "country", "use"};
static const char *const telecom_keys[] = {"value", "use"};
static const char *const mother_keys[] = {"family", "given"};
static const char *const code_keys[] = {"code", "system", "display"};
static const char *const patient_keys[] = {"names",
                                           "birth_date",
                                           "sex",
                                           "ids",
                                           "addresses",
                                           "telecoms",
                                           "mothers_maiden_names",
                                           "birth_places",
                                           "birth_addresses",
                                           "care_providers",
                                           "deceased",
                                           "deceased_time",
                                           "multiple_birth",
                                           "birth_order",
                                           "marital_status",
                                           "races",
                                           "ethnicities",
                                           "languages"};

static void
read_name(struct reader *r, struct yaml_node *node, struct name_list *names)
{
    struct yaml_node *mapping = mapping_of(r, node, name_keys, ARRAY_LEN(name_keys));
    struct person_name name = {
        .family = required_text(r, mapping, "family", "a family name"),
        .prefix = text(r, mapping, "prefix", "a text"),
        .suffix = text(r, mapping, "suffix", "a text"),
        .use = text(r, mapping, "use", "a text"),
    };

    texts(r, mapping, "given", &name.given);
    if (mapping != NULL && name.given.n == 0) {
        missing(r, mapping, "given", "a list of given names, the first one first");
    }
    PUSH(r, names, name);
}

static void
read_id(struct reader *r, struct yaml_node *node, struct ident_list *ids)
{
    struct yaml_node *mapping = mapping_of(r, node, id_keys, ARRAY_LEN(id_keys));
    const struct ident id = {required_text(r, mapping, "root", "an OID"),
                             required_text(r, mapping, "extension", "the id within the root"),
                             text(r, mapping, "authority", "a text")};

    if (id.root.n > 0 && !oid_is_valid(id.root)) {
        yaml_error(r->report, yaml_get(mapping, "root"), "'%.*s' is no OID", SPAN_PRINT(id.root));
    }
    PUSH(r, ids, id);
}

static void
read_address(struct reader *r, struct yaml_node *node, struct address_list *addresses)
{
    struct yaml_node *mapping = mapping_of(r, node, address_keys, ARRAY_LEN(address_keys));
    struct address address = {
        .city = text(r, mapping, "city", "a text"),
        .state = text(r, mapping, "state", "a text"),
        .postal_code = text(r, mapping, "postal_code", "a text"),
        .country = text(r, mapping, "country", "a text"),
        .use = text(r, mapping, "use", "a text"),
    };

    texts(r, mapping, "street", &address.street);
    PUSH(r, addresses, address);
}

static void
read_telecom(struct reader *r, struct yaml_node *node, struct telecom_list *telecoms)
{
    struct yaml_node *mapping = mapping_of(r, node, telecom_keys, ARRAY_LEN(telecom_keys));
    const struct telecom telecom = {
        required_text(r, mapping, "value", "a URL such as tel:+15550100"),
        text(r, mapping, "use", "a text")};

    PUSH(r, telecoms, telecom);
}

/* 1947-05-01 or 19470501. */
static struct span
read_birth_date(struct reader *r, struct yaml_node *mapping)
{
    struct span date = required_text(r, mapping, "birth_date", "YYYY-MM-DD");
    struct span year, month, rest = date;
    int64_t time_us = 0;
    int digits = 0;

    if (date.n == 10 && span_split(&rest, '-', &year) && span_split(&rest, '-', &month)) {
        note(r, arena_printf(r->arena, r->diag, &date, "%.*s%.*s%.*s", SPAN_PRINT(year),
                             SPAN_PRINT(month), SPAN_PRINT(rest)));
    }
    if (date.n > 0 && (date.n != 8 || !datetime_read_hl7(date, &time_us, &digits))) {
        yaml_error(r->report, yaml_get(mapping, "birth_date"),
                   "expected a date written YYYY-MM-DD");
    }
    return date;
}

static struct span
read_sex(struct reader *r, struct yaml_node *mapping)
{
    const struct span sex = text(r, mapping, "sex", "F, M or UN");

    if (sex.n > 0 && !span_eq(sex, SPAN("F")) && !span_eq(sex, SPAN("M")) &&
        !span_eq(sex, SPAN("UN"))) {
        yaml_error(r->report, yaml_get(mapping, "sex"),
                   "expected F, M or UN; leave it out when it is not known");
    }
    return sex;
}

/* An HL7 time (YYYYMMDDHHMMSS and zone) becomes DTM, in UTC. */
static struct span
read_time(struct reader *r, struct yaml_node *mapping, const char *key, struct span value)
{
    char dtm[15];
    struct span copy = SPAN_EMPTY;

    if (value.n == 0) {
        return SPAN_EMPTY;
    }
    if (!datetime_hl7_to_dtm(value, dtm)) {
        yaml_error(r->report, yaml_get(mapping, key),
                   "expected a time written YYYYMMDD[HHMM[SS]] and a zone such as -0500");
        return SPAN_EMPTY;
    }
    note(r, arena_dup(r->arena, span_of_cstr(dtm), r->diag, &copy));
    return copy;
}

static struct code
read_code_node(struct reader *r, struct yaml_node *node)
{
    struct yaml_node *mapping = mapping_of(r, node, code_keys, ARRAY_LEN(code_keys));
    struct code code = {required_text(r, mapping, "code", "a code"),
                        required_text(r, mapping, "system", "the OID of its code system"),
                        text(r, mapping, "display", "a text")};

    if (code.display.n == 0) {
        code.display = code.value;
    }
    return code;
}

static void
read_mother(struct reader *r, struct yaml_node *node, struct name_list *names)
{
    struct yaml_node *mapping = mapping_of(r, node, mother_keys, ARRAY_LEN(mother_keys));
    struct person_name name = {
        .family = required_text(r, mapping, "family", "the family name before any marriage")};

    texts(r, mapping, "given", &name.given);
    PUSH(r, names, name);
}

static enum patient_flag
read_flag(struct reader *r, struct yaml_node *mapping, const char *key)
{
    const struct span value = text(r, mapping, key, "true or false");

    if (span_eq_cstr(value, "true")) {
        return PATIENT_YES;
    }
    if (value.n > 0 && !span_eq_cstr(value, "false")) {
        yaml_error(r->report, yaml_get(mapping, key),
                   "expected true or false; leave it out when it is not known");
    }
    return value.n > 0 ? PATIENT_NO : PATIENT_UNSAID;
}

/* The time of a death and a place in the order of births say the rest. */
static void
read_births_and_deaths(struct reader *r, struct yaml_node *mapping, struct patient *patient)
{
    const struct span order = text(r, mapping, "birth_order", "1 for the first");
    uint64_t number = 0;

    patient->deceased = read_flag(r, mapping, "deceased");
    patient->deceased_time = read_time(r, mapping, "deceased_time",
                                       text(r, mapping, "deceased_time", "the time of death"));
    patient->multiple_birth = read_flag(r, mapping, "multiple_birth");
    if (order.n > 0 && (!span_to_u64(order, PATIENT_BIRTH_ORDER_MAX, &number) || number == 0)) {
        yaml_error(r->report, yaml_get(mapping, "birth_order"), "expected a number from 1 to %d",
                   PATIENT_BIRTH_ORDER_MAX);
    }
    patient->birth_order = (unsigned)number;
    if (patient->deceased_time.n > 0) {
        if (patient->deceased == PATIENT_NO) {
            yaml_error(r->report, yaml_get(mapping, "deceased_time"),
                       "a time of death of somebody who is said to live");
        }
        patient->deceased = PATIENT_YES;
    }
    if (patient->birth_order > 0) {
        if (patient->multiple_birth == PATIENT_NO) {
            yaml_error(r->report, yaml_get(mapping, "birth_order"),
                       "an order of birth of somebody who was born alone");
        }
        patient->multiple_birth = PATIENT_YES;
    }
}

static void
read_codes(struct reader *r, struct yaml_node *mapping, const char *key, struct code_list *codes)
{
    for (struct yaml_node *item = items_of(r, mapping, key); item != NULL; item = item->next) {
        PUSH(r, codes, read_code_node(r, item));
    }
}

/* What a question may say of somebody besides, and what is for people only. */
static void
read_details(struct reader *r, struct yaml_node *mapping, struct patient *patient)
{
    struct yaml_node *item = items_of(r, mapping, "mothers_maiden_names");
    struct span_list languages = {0};

    for (; item != NULL; item = item->next) {
        read_mother(r, item, &patient->mothers_maiden_names);
    }
    texts(r, mapping, "birth_places", &patient->birth_place_names);
    for (item = items_of(r, mapping, "birth_addresses"); item != NULL; item = item->next) {
        read_address(r, item, &patient->birth_place_addresses);
    }
    for (item = items_of(r, mapping, "care_providers"); item != NULL; item = item->next) {
        read_id(r, item, &patient->care_providers);
    }
    read_births_and_deaths(r, mapping, patient);
    if (yaml_get(mapping, "marital_status") != NULL) {
        patient->marital_status = read_code_node(r, yaml_get(mapping, "marital_status"));
    }
    read_codes(r, mapping, "races", &patient->races);
    read_codes(r, mapping, "ethnicities", &patient->ethnicities);
    texts(r, mapping, "languages", &languages);
    for (size_t i = 0; i < languages.n; i++) {
        const struct code language = {.value = languages.items[i]};

        PUSH(r, &patient->languages, language);
    }
}

static void
read_patient(struct reader *r, struct yaml_node *root, struct patient *patient)
{
    struct yaml_node *mapping =
        mapping_of(r, yaml_get(root, "patient"), patient_keys, ARRAY_LEN(patient_keys));
    struct yaml_node *item = NULL;

    if (mapping == NULL) {
        if (yaml_get(root, "patient") == NULL) {
            missing(r, NULL, "patient", "names, birth_date, sex, ids of the person");
        }
        return;
    }
    for (item = items_of(r, mapping, "names"); item != NULL; item = item->next) {
        read_name(r, item, &patient->names);
    }
    if (patient->names.n == 0) {
        missing(r, mapping, "names", "a list of names with family and given");
    }
    patient->birth_time = read_birth_date(r, mapping);
    patient->sex = read_sex(r, mapping);
    for (item = items_of(r, mapping, "ids"); item != NULL; item = item->next) {
        read_id(r, item, &patient->ids);
    }
    for (item = items_of(r, mapping, "addresses"); item != NULL; item = item->next) {
        read_address(r, item, &patient->addresses);
    }
    for (item = items_of(r, mapping, "telecoms"); item != NULL; item = item->next) {
        read_telecom(r, item, &patient->telecoms);
    }
    read_details(r, mapping, patient);
}

/* ---- document ---- */

static const char *const author_keys[] = {"person", "institution", "role", "specialty", "telecom"};
static const char *const document_keys[] = {
    "unique_id",    "mime_type", "title",   "comments",       "creation_time", "service_start",
    "service_stop", "language",  "type",    "class",          "format",        "facility",
    "practice",     "events",    "authors", "confidentiality"};

static struct code
read_code(struct reader *r, struct yaml_node *mapping, const char *key, struct code otherwise)
{
    struct yaml_node *node = yaml_get(mapping, key);

    return node == NULL ? otherwise : read_code_node(r, node);
}

static struct code
read_required_code(struct reader *r, struct yaml_node *mapping, const char *key, const char *what)
{
    const struct code none = {SPAN_EMPTY, SPAN_EMPTY, SPAN_EMPTY};

    if (yaml_get(mapping, key) == NULL) {
        missing(r, mapping, key, what);
    }
    return read_code(r, mapping, key, none);
}

static void
read_author(struct reader *r, struct yaml_node *node, struct author_list *authors)
{
    struct yaml_node *mapping = mapping_of(r, node, author_keys, ARRAY_LEN(author_keys));
    const struct author author = {
        .person = text(r, mapping, "person", "XCN, such as ^Seven^Henry"),
        .institution = text(r, mapping, "institution", "XON, such as Good Health Clinic"),
        .role = text(r, mapping, "role", "a text"),
        .specialty = text(r, mapping, "specialty", "a text"),
        .telecom = text(r, mapping, "telecom", "XTN"),
    };

    PUSH(r, authors, author);
}

static void
read_codes_and_authors(struct reader *r, struct yaml_node *mapping, struct document_entry *entry)
{
    struct yaml_node *item = NULL;

    entry->type_code = read_required_code(r, mapping, "type",
                                          "code and system of the kind of "
                                          "document, best from LOINC");
    entry->class_code = read_code(r, mapping, "class", entry->type_code);
    entry->format_code = read_code(r, mapping, "format", DOCUMENT_ANY_FORMAT);
    entry->facility_type = read_code(r, mapping, "facility", DOCUMENT_ANY_FACILITY);
    entry->practice_setting = read_code(r, mapping, "practice", DOCUMENT_ANY_PRACTICE);
    PUSH(r, &entry->confidentiality,
         read_required_code(r, mapping, "confidentiality",
                            "code and system, such as N in 2.16.840.1.113883.5.25"));
    for (item = items_of(r, mapping, "events"); item != NULL; item = item->next) {
        PUSH(r, &entry->event_codes, read_code_node(r, item));
    }
    for (item = items_of(r, mapping, "authors"); item != NULL; item = item->next) {
        read_author(r, item, &entry->authors);
    }
}

static void
read_document(struct reader *r, struct yaml_node *root, struct sidecar *sidecar)
{
    struct yaml_node *mapping =
        mapping_of(r, yaml_get(root, "document"), document_keys, ARRAY_LEN(document_keys));
    struct document_entry *entry = &sidecar->entry;

    if (mapping == NULL) {
        if (yaml_get(root, "document") == NULL) {
            missing(r, NULL, "document", "mime_type, creation_time, type, confidentiality");
        }
        return;
    }
    sidecar->header_id = text(r, mapping, "unique_id", "an OID, or OID^extension");
    if (document_unique_id_is_legal(sidecar->header_id)) {
        entry->unique_id = sidecar->header_id;
    }
    entry->mime_type = required_text(r, mapping, "mime_type", "such as application/pdf");
    entry->title = text(r, mapping, "title", "a text");
    entry->comments = text(r, mapping, "comments", "a text");
    entry->creation_time =
        read_time(r, mapping, "creation_time",
                  required_text(r, mapping, "creation_time", "when the document was made"));
    entry->service_start =
        read_time(r, mapping, "service_start", text(r, mapping, "service_start", "a time"));
    entry->service_stop =
        read_time(r, mapping, "service_stop", text(r, mapping, "service_stop", "a time"));
    entry->language = text(r, mapping, "language", "such as en-US");
    if (entry->language.n == 0) {
        entry->language = DOCUMENT_ANY_LANGUAGE;
    }
    read_codes_and_authors(r, mapping, entry);
    if (entry->title.n == 0) {
        entry->title = entry->type_code.display;
    }
}

struct status
sidecar_read(const char *path, struct arena *arena, struct yaml_report *report, struct diag *diag,
             struct sidecar *ret_sidecar)
{
    static const char *const root_keys[] = {"patient", "document"};
    struct reader r = {arena, diag, report, path, OK};
    struct sidecar sidecar = {0};
    struct yaml_node *root = NULL;

    TRY(yaml_read_file(path, arena, report, diag, &root));
    yaml_check_keys(report, root, root_keys, ARRAY_LEN(root_keys));
    read_patient(&r, root, &sidecar.patient);
    read_document(&r, root, &sidecar);
    TRY(r.status);
    if (report->errors > 0) {
        return FAIL(diag, ERR_DOCUMENT, "%s has %d errors", path, report->errors);
    }
    *ret_sidecar = sidecar;
    return OK;
}
