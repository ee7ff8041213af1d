/*
 * Answers of ITI-38: every piece of metadata comes back, the schema holds, and the answers of other
 * systems say what is known of them.
 */
#include <stdio.h>
#include <string.h>

#include "soap/regrep.h"
#include "soap/xca.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

#define ANSWER(attrs, x)                                                                           \
    "<AdhocQueryResponse xmlns='" NS_QUERY "' xmlns:r='" NS_RIM "' xmlns:rs='" NS_RS "' " attrs    \
    ">" x "</AdhocQueryResponse>"
#define SUCCESS "status='urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success'"
#define LIST(x) "<r:RegistryObjectList>" x "</r:RegistryObjectList>"

static struct status
read_answer(const char *xml, struct arena *arena, struct diag *diag,
            struct query_answer *ret_answer)
{
    struct message *message = NULL;
    diag_clear(diag);
    if (!CHECK_OK(diag, support_message(span_of_cstr(xml), arena, diag, &message))) {
        return (struct status){ERR_INTERNAL};
    }
    return query_answer_read(message, arena, diag, ret_answer);
}

static void
test_refused(void)
{
    static const struct {
        const char *xml;
        enum err want;
    } rows[] = {
        {"<x/>", ERR_PARTNER_ANSWER},
        {"<AdhocQueryResponse/>", ERR_PARTNER_ANSWER},
        {"<AdhocQueryRequest xmlns='" NS_QUERY "'/>", ERR_PARTNER_ANSWER},
        {ANSWER("", LIST("")), ERR_PARTNER_ANSWER},
        {ANSWER("status=''", LIST("")), ERR_PARTNER_ANSWER},
        {ANSWER("status='Success'", LIST("")), ERR_PARTNER_ANSWER},
        {ANSWER("status='urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Unavailable'",
                LIST("")),
         ERR_PARTNER_ANSWER},
        {ANSWER(SUCCESS, LIST("") LIST("")), ERR_PARTNER_ANSWER},
        {ANSWER(SUCCESS, LIST("<r:ExtrinsicObject id='1'>x<r:Name/></r:ExtrinsicObject>")),
         ERR_PARTNER_ANSWER},
        {ANSWER(SUCCESS, LIST("<r:ExtrinsicObject id='1'><r:Name/><r:Name/></r:ExtrinsicObject>")),
         ERR_PARTNER_ANSWER},
        {ANSWER(SUCCESS, LIST("<i:Include xmlns:i='" NS_XOP "' href='cid:a'/>")), ERR_XOP},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct query_answer answer = {.status = REGISTRY_PARTIAL_SUCCESS};
        if (!CHECK_ERR(&diag, rows[i].want, read_answer(rows[i].xml, arena, &diag, &answer))) {
            printf("      %s\n", rows[i].xml);
        }
        CU_ASSERT_EQUAL(answer.status, REGISTRY_PARTIAL_SUCCESS);
        arena_free(arena);
    }
}

static void
test_statuses(void)
{
    static const struct {
        const char *xml;
        enum registry_status want;
        size_t errors;
    } rows[] = {
        {ANSWER(SUCCESS, LIST("")), REGISTRY_SUCCESS, 0},
        {ANSWER("status=' urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure '", ""),
         REGISTRY_FAILURE, 0},
        {ANSWER("status='urn:ihe:iti:2007:ResponseStatusType:PartialSuccess'", LIST("")),
         REGISTRY_PARTIAL_SUCCESS, 0},
        {ANSWER("status='urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:PartialSuccess'",
                "<rs:RegistryErrorList><rs:RegistryError errorCode='e' codeContext='c'/>"
                "</rs:RegistryErrorList>"),
         REGISTRY_PARTIAL_SUCCESS, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct query_answer answer;
        if (CHECK_OK(&diag, read_answer(rows[i].xml, arena, &diag, &answer))) {
            CU_ASSERT_EQUAL(answer.status, rows[i].want);
            CU_ASSERT_EQUAL_FATAL(answer.errors.n, rows[i].errors);
            /* No severity means Error (rs.xsd). */
            CU_ASSERT(answer.errors.n == 0 || !answer.errors.items[0].is_warning);
        }
        arena_free(arena);
    }
}

/* ---- every piece of metadata ---- */

static struct code confidentiality[] = {{.value = {"N", 1}, .scheme = {"2.16", 4}},
                                        {.value = {"R", 1}}};
static struct code events[] = {{.value = {"e<1>", 4}, .display = {"E & E", 5}}};
static struct span references[] = {{"ref1^^^&2.999&ISO^urn:x", 23}, {"ref2", 4}};
static struct span source_info[] = {{"PID-3|1^^^&2.999&ISO", 20}, {"PID-5|Lee^Ann", 13}};
static struct author authors[] = {
    {.person = {"1^Mustermann^Max^^^Dr.^^^&2.999&ISO", 35}, .institution = {"Clinic", 6}},
    {.role = {"HCP", 3}, .specialty = {"1050", 4}, .telecom = {"^^Internet^a@example.org", 24}},
};

static struct document_entry
full_entry(void)
{
    return (struct document_entry){
        .entry_uuid = SPAN("urn:uuid:11111111-1111-4111-8111-111111111111"),
        .unique_id = SPAN("2.999.1.2.3^ext"),
        .home = SPAN("urn:oid:2.999.2"),
        .repository = SPAN("2.999.2.7"),
        .patient_id = SPAN("P'1^^^&2.999.1&ISO"),
        .mime_type = SPAN("text/xml"),
        .object_type = SPAN(DOCUMENT_STABLE),
        .status = SPAN(DOCUMENT_APPROVED),
        .title = SPAN("R\xc3\xa9sum\xc3\xa9 <of> \"care\" &\tmore"),
        .comments = SPAN("line\nbreak"),
        .creation_time = SPAN("20250102030405"),
        .service_start = SPAN("20250101"),
        .service_stop = SPAN("2025"),
        .language = SPAN("en-US"),
        .hash = SPAN("da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        .size = 18446744073,
        .has_size = true,
        .uri = SPAN("file:///a%20b"),
        .legal_authenticator = SPAN("^Legal^Eve"),
        .source_patient_id = SPAN("S1^^^&2.999.9&ISO"),
        .source_patient_info = {.items = source_info, .n = 2},
        .class_code = {.value = SPAN("34133-9"),
                       .scheme = SPAN("2.16.840.1.113883.6.1"),
                       .display = SPAN("Summary")},
        .type_code = {.value = SPAN("t"), .scheme = SPAN("2.999.11")},
        .format_code = {.value = SPAN("urn:ihe:pcc:xphr:2007"), .scheme = SPAN("2.999.12")},
        .facility_type = {.value = SPAN("f"), .scheme = SPAN("2.999.13"), .display = SPAN("F")},
        .practice_setting = {.value = SPAN("p"), .scheme = SPAN("2.999.14"), .display = SPAN("P")},
        .confidentiality = {.items = confidentiality, .n = 2},
        .event_codes = {.items = events, .n = 1},
        .authors = {.items = authors, .n = 2},
        .reference_ids = {.items = references, .n = 2},
    };
}

static void
check_code(const struct code *got, const struct code *want)
{
    CU_ASSERT(span_eq(got->value, want->value));
    CU_ASSERT(span_eq(got->scheme, want->scheme));
    CU_ASSERT(span_eq(got->display, want->display));
}

static void
check_codes(const struct code_list *got, const struct code_list *want)
{
    CU_ASSERT_EQUAL_FATAL(got->n, want->n);
    for (size_t i = 0; i < want->n; i++) {
        check_code(&got->items[i], &want->items[i]);
    }
}

static void
check_spans(const struct span_list *got, const struct span_list *want)
{
    CU_ASSERT_EQUAL_FATAL(got->n, want->n);
    for (size_t i = 0; i < want->n; i++) {
        CU_ASSERT(span_eq(got->items[i], want->items[i]));
    }
}

static void
check_entry(const struct document_entry *got, const struct document_entry *want)
{
    const struct span pairs[][2] = {
        {got->entry_uuid, want->entry_uuid},
        {got->unique_id, want->unique_id},
        {got->home, want->home},
        {got->repository, want->repository},
        {got->patient_id, want->patient_id},
        {got->mime_type, want->mime_type},
        {got->object_type, want->object_type},
        {got->status, want->status},
        {got->title, want->title},
        {got->comments, want->comments},
        {got->creation_time, want->creation_time},
        {got->service_start, want->service_start},
        {got->service_stop, want->service_stop},
        {got->language, want->language},
        {got->hash, want->hash},
        {got->uri, want->uri},
        {got->legal_authenticator, want->legal_authenticator},
        {got->source_patient_id, want->source_patient_id},
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        if (!span_eq(pairs[i][0], pairs[i][1])) {
            CU_FAIL("metadata changed on the way");
            printf("      %zu: '%.*s', not '%.*s'\n", i, SPAN_PRINT(pairs[i][0]),
                   SPAN_PRINT(pairs[i][1]));
        }
    }
    CU_ASSERT_EQUAL(got->has_size, want->has_size);
    CU_ASSERT_EQUAL(got->size, want->size);
    check_code(&got->class_code, &want->class_code);
    check_code(&got->type_code, &want->type_code);
    check_code(&got->format_code, &want->format_code);
    check_code(&got->facility_type, &want->facility_type);
    check_code(&got->practice_setting, &want->practice_setting);
    check_codes(&got->confidentiality, &want->confidentiality);
    check_codes(&got->event_codes, &want->event_codes);
    check_spans(&got->reference_ids, &want->reference_ids);
    check_spans(&got->source_patient_info, &want->source_patient_info);
    CU_ASSERT_EQUAL_FATAL(got->authors.n, want->authors.n);
    for (size_t i = 0; i < want->authors.n; i++) {
        CU_ASSERT(span_eq(got->authors.items[i].person, want->authors.items[i].person));
        CU_ASSERT(span_eq(got->authors.items[i].institution, want->authors.items[i].institution));
        CU_ASSERT(span_eq(got->authors.items[i].role, want->authors.items[i].role));
        CU_ASSERT(span_eq(got->authors.items[i].specialty, want->authors.items[i].specialty));
        CU_ASSERT(span_eq(got->authors.items[i].telecom, want->authors.items[i].telecom));
    }
}

/* Writes, validates and reads back. */
static void
round_trip(const struct query_answer *answer, struct arena *arena, struct query_answer *ret_got)
{
    struct diag diag;
    struct buf out;
    struct message *message = NULL;
    buf_init(&out, 16 * 1024 * 1024);
    diag_clear(&diag);
    CHECK_OK(&diag, query_answer_write(answer, arena, &out, &diag));
    support_check_schema(XDS_SCHEMA("ebRS30/query.xsd"), buf_span(&out));
    CU_ASSERT(span_find(buf_span(&out), SPAN("<rim:RegistryObjectList ")) != SPAN_MISSING);
    CHECK_OK(&diag, support_message(buf_span(&out), arena, &diag, &message));
    CHECK_OK(&diag, query_answer_read(message, arena, &diag, ret_got));
    buf_done(&out);
}

static void
test_documents_round_trip(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct query_answer got = {.status = REGISTRY_FAILURE};
    struct document_entry entries[2] = {full_entry()};
    entries[1] = (struct document_entry){
        .entry_uuid = SPAN("urn:uuid:22222222-2222-4222-8222-222222222222"),
        .home = SPAN("urn:oid:2.999.2"),
    };
    const struct query_answer answer = {.status = REGISTRY_SUCCESS,
                                        .objects.documents = {.items = entries, .n = 2}};
    round_trip(&answer, arena, &got);
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(got.refs.n, 0);
    CU_ASSERT_EQUAL_FATAL(got.objects.documents.n, 2);
    check_entry(&got.objects.documents.items[0], &entries[0]);
    check_entry(&got.objects.documents.items[1], &entries[1]);
    arena_free(arena);
}

/* The names on the wire, from ITI TF-3 4.2.3.2 and 4.2.5.2 and not from the tables of the codec. */
static void
test_names_on_the_wire(void)
{
    static const char *const slots[] = {
        "repositoryUniqueId",
        "creationTime",
        "serviceStartTime",
        "serviceStopTime",
        "languageCode",
        "hash",
        "size",
        "URI",
        "legalAuthenticator",
        "sourcePatientId",
        "sourcePatientInfo",
        "urn:ihe:iti:xds:2013:referenceIdList",
        "authorPerson",
        "authorInstitution",
        "authorRole",
        "authorSpecialty",
        "authorTelecommunication",
        "codingScheme",
    };
    static const char *const codes[][2] = {
        {"41a5887f-8865-4c09-adf7-e362475b143a", "34133-9"},
        {"f0306f51-975f-434e-a61c-c59651d33983", "t"},
        {"a09d5840-386c-46f2-b5ad-9c3699a4309d", "urn:ihe:pcc:xphr:2007"},
        {"f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1", "f"},
        {"cccf5598-8b07-4b77-a05e-ae952c785ead", "p"},
        {"f4f85eac-e6cb-4883-b524-f2705394840f", "N"},
        {"2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4", "e<1>"},
        {"93606bcf-9494-43ec-9b4e-a7748d1a838d", ""},
    };
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct buf out;
    struct message *message = NULL;
    struct document_entry entry = full_entry();
    const struct query_answer answer = {.objects.documents = {.items = &entry, .n = 1}};
    buf_init(&out, 100000);
    diag_clear(&diag);
    CHECK_OK(&diag, query_answer_write(&answer, arena, &out, &diag));
    CHECK_OK(&diag, support_message(buf_span(&out), arena, &diag, &message));
    for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
        struct span text = SPAN_EMPTY;
        CHECK_OK(&diag, arena_printf(arena, &diag, &text, "<rim:Slot name=\"%s\">", slots[i]));
        CU_ASSERT(span_find(buf_span(&out), text) != SPAN_MISSING);
    }
    const xmlNode *object = xml_first(xml_first(message_payload(message)));
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct span scheme = SPAN_EMPTY;
        CHECK_OK(&diag, arena_printf(arena, &diag, &scheme, "urn:uuid:%s", codes[i][0]));
        const xmlNode *c = xml_child(object, NS_RIM, "Classification");
        while (c != NULL && !span_eq(xml_attr_text(c, "classificationScheme"), scheme)) {
            c = xml_next_named(c, NS_RIM, "Classification");
        }
        CHECK_SPAN(xml_attr_text(c, "nodeRepresentation"), codes[i][1]);
        CU_ASSERT(span_eq(xml_attr_text(c, "classifiedObject"), entry.entry_uuid));
    }
    const xmlNode *id = xml_child(object, NS_RIM, "ExternalIdentifier");
    CHECK_SPAN(xml_attr_text(id, "identificationScheme"),
               "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427");
    CHECK_SPAN(xml_attr_text(id, "value"), "P'1^^^&2.999.1&ISO");
    id = xml_next_named(id, NS_RIM, "ExternalIdentifier");
    CHECK_SPAN(xml_attr_text(id, "identificationScheme"),
               "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab");
    CHECK_SPAN(xml_attr_text(id, "value"), "2.999.1.2.3^ext");
    buf_done(&out);
    arena_free(arena);
}

static void
test_errors_and_refs_round_trip(void)
{
    struct document_ref refs[] = {
        {.home = SPAN("urn:oid:2.999.2"), .unique_id = SPAN("urn:uuid:1")},
        {.home = SPAN("urn:oid:2.999.3"), .unique_id = SPAN("urn:uuid:2")}};
    struct registry_error errors[] = {
        {.code = SPAN("XDSUnavailableCommunity"),
         .context = SPAN("no <answer>"),
         .location = SPAN("urn:oid:2.999.4")},
        {.code = SPAN("XDSExtraMetadataNotSaved"), .is_warning = true}};
    for (int status = REGISTRY_SUCCESS; status <= REGISTRY_FAILURE; status++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct query_answer got = {.status = REGISTRY_FAILURE};
        struct query_answer answer = {.status = (enum registry_status)status};
        if (status == REGISTRY_PARTIAL_SUCCESS) {
            answer.refs = (struct document_ref_list){.items = refs, .n = 2};
            answer.errors = (struct registry_error_list){.items = errors, .n = 2};
        } else if (status == REGISTRY_SUCCESS) {
            answer.errors = (struct registry_error_list){.items = errors + 1, .n = 1};
        }
        round_trip(&answer, arena, &got);
        CU_ASSERT_EQUAL((int)got.status, status);
        CU_ASSERT_EQUAL_FATAL(got.refs.n, answer.refs.n);
        for (size_t i = 0; i < answer.refs.n; i++) {
            CU_ASSERT(span_eq(got.refs.items[i].unique_id, refs[i].unique_id));
            CU_ASSERT(span_eq(got.refs.items[i].home, refs[i].home));
        }
        CU_ASSERT_EQUAL_FATAL(got.errors.n, answer.errors.n);
        for (size_t i = 0; i < answer.errors.n; i++) {
            CU_ASSERT(span_eq(got.errors.items[i].code, answer.errors.items[i].code));
            CU_ASSERT(span_eq(got.errors.items[i].context, answer.errors.items[i].context));
            CU_ASSERT(span_eq(got.errors.items[i].location, answer.errors.items[i].location));
            CU_ASSERT_EQUAL(got.errors.items[i].is_warning, answer.errors.items[i].is_warning);
        }
        arena_free(arena);
    }
}

/* highestSeverity: Error as soon as one is, else Warning; schema order: errors before objects. */
static void
test_severity(void)
{
    struct registry_error errors[] = {{.code = SPAN("a"), .is_warning = true},
                                      {.code = SPAN("b"), .is_warning = false}};
    for (size_t n = 1; n <= 2; n++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct buf out;
        const struct query_answer answer = {.errors = {.items = errors, .n = n}};
        buf_init(&out, 10000);
        diag_clear(&diag);
        CHECK_OK(&diag, query_answer_write(&answer, arena, &out, &diag));
        CU_ASSERT(span_find(buf_span(&out),
                            n == 1 ? SPAN("highestSeverity=\"urn:oasis:names:tc:ebxml-regrep:"
                                          "ErrorSeverityType:Warning\"")
                                   : SPAN("highestSeverity=\"urn:oasis:names:tc:ebxml-regrep:"
                                          "ErrorSeverityType:Error\"")) != SPAN_MISSING);
        CU_ASSERT(span_find(buf_span(&out), SPAN("RegistryErrorList")) <
                  span_find(buf_span(&out), SPAN("RegistryObjectList")));
        buf_done(&out);
        arena_free(arena);
    }
}

static void
test_not_written(void)
{
    struct document_entry entries[4] = {full_entry(), full_entry(), full_entry(), full_entry()};
    struct document_ref no_home = {.unique_id = SPAN("urn:uuid:1")};
    entries[0].home = SPAN_EMPTY;
    entries[1].entry_uuid = SPAN_EMPTY;
    entries[2].title = SPAN("\x02");
    entries[3].source_patient_id = SPAN("\xff");
    const struct {
        struct query_answer answer;
        enum err want;
    } rows[] = {
        {{.objects.documents = {.items = &entries[0], .n = 1}}, ERR_INTERNAL},
        {{.objects.documents = {.items = &entries[1], .n = 1}}, ERR_INTERNAL},
        {{.objects.documents = {.items = &entries[2], .n = 1}}, ERR_MESSAGE_CONTENT},
        {{.objects.documents = {.items = &entries[3], .n = 1}}, ERR_MESSAGE_CONTENT},
        {{.refs = {.items = &no_home, .n = 1}}, ERR_INTERNAL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct buf out;
        buf_init(&out, 100000);
        diag_clear(&diag);
        CHECK_ERR(&diag, rows[i].want, query_answer_write(&rows[i].answer, arena, &out, &diag));
        buf_done(&out);
        arena_free(arena);
    }
}

/* Hundreds of entries: time and memory stay proportional. */
static void
test_many(void)
{
    enum { MANY = 500 };
    static struct document_entry entries[MANY];
    struct arena *arena = arena_new((size_t)512 * 1024 * 1024);
    struct query_answer got = {.status = REGISTRY_FAILURE};
    for (size_t i = 0; i < MANY; i++) {
        entries[i] = full_entry();
    }
    const struct query_answer answer = {.status = REGISTRY_SUCCESS,
                                        .objects.documents = {.items = entries, .n = MANY}};
    round_trip(&answer, arena, &got);
    CU_ASSERT_EQUAL_FATAL(got.objects.documents.n, MANY);
    check_entry(&got.objects.documents.items[MANY - 1], &entries[0]);
    arena_free(arena);
}

static void
test_sample(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct message *message = NULL;
    struct query_answer answer;
    diag_clear(&diag);
    if (support_sample("ihe/samples/epr-by-example/ITI-18_response_raw.xml", arena, &message) &&
        CHECK_OK(&diag, query_answer_read(message, arena, &diag, &answer))) {
        CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
        CU_ASSERT_EQUAL_FATAL(answer.objects.documents.n, 1);
        const struct document_entry *entry = &answer.objects.documents.items[0];
        CHECK_SPAN(entry->entry_uuid, "urn:uuid:1415538d-41bc-41b2-9ae6-8b785f7f3aa6");
        CHECK_SPAN(entry->home, "urn:oid:1.1.4567334.1.6");
        CHECK_SPAN(entry->unique_id, "2.25.306443472873218838784535217290635593269");
        CHECK_SPAN(entry->patient_id, "CHPAM3946^^^&1.3.6.1.4.1.12559.11.20.1&ISO");
        CHECK_SPAN(entry->repository, "1.1.4567332.1.75");
        CHECK_SPAN(entry->mime_type, "application/fhir+json");
        CHECK_SPAN(entry->title, "Vaccination - FSME-Immun 0.25 ml Junior");
        CHECK_SPAN(entry->hash, "a72f1824ea1d57af00faf5dd5ccb9aea0b0ce390");
        CHECK_SPAN(entry->creation_time, "20231219095121");
        CHECK_SPAN(entry->format_code.value,
                   "urn:che:epr:ch-vacd:immunization-administration:2022");
        CHECK_SPAN(entry->class_code.scheme, "2.16.840.1.113883.6.96");
        CHECK_SPAN(entry->type_code.display, "Immunization Record (record artifact)");
        CU_ASSERT(entry->has_size);
        CU_ASSERT_EQUAL(entry->size, 5375);
        CU_ASSERT_EQUAL_FATAL(entry->authors.n, 1);
        CHECK_SPAN(entry->authors.items[0].person, "^Max^Mustermann^^^Dr.Med");
        CU_ASSERT_EQUAL_FATAL(entry->confidentiality.n, 1);
        CHECK_SPAN(entry->confidentiality.items[0].value, "17621005");
    }
    arena_free(arena);
}

static const struct unit_test tests[] = {
    {"answers that are refused", test_refused},
    {"answers that are not written", test_not_written},
    {"statuses as partners write them", test_statuses},
    /* REQ: SQ-leaf-class, META-entry, META-author */
    {"all metadata comes back", test_documents_round_trip},
    /* REQ: META-codes, META-identifiers */
    {"names and codes on the wire", test_names_on_the_wire},
    /* REQ: SQ-object-ref */
    {"errors and ObjectRefs come back", test_errors_and_refs_round_trip},
    /* REQ: SQ-answer-order, SQ-error-attributes */
    {"the highest severity, and the order", test_severity},
    {"five hundred entries", test_many},
    {"an answer of another system", test_sample},
};
UNIT_MAIN("xca_answer", tests)
