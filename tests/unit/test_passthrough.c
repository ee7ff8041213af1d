/*
 * Objects that are passed on: what another registry wrote comes out as it went in, unknown slots,
 * classifications, attributes and namespaces included; home and patient id are changed in record
 * and text alike; what other readers would read differently is dropped. Each way of reading, as one
 * tree and in pieces.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "soap/envelope.h"
#include "soap/regrep.h"
#include "soap/xca.h"
#include "tests/unit/answer_dump.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

#define ENVELOPE(objects)                                                                          \
    "<s:Envelope xmlns:s='" NS_SOAP12 "' xmlns:unused='urn:unused'><s:Body><q:AdhocQueryResponse " \
    "xmlns:q='" NS_QUERY "' xmlns:f='urn:foreign' status='urn:x:ResponseStatusType:Success'>"      \
    "<m:RegistryObjectList xmlns:m='" NS_RIM "' xmlns='" NS_RIM "'>" objects                       \
    "</m:RegistryObjectList></q:AdhocQueryResponse></s:Body></s:Envelope>"

#define UNIQUE        "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"
#define PATIENT       "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
#define SENSITIVE     "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f"
#define SET_ID        "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8"
#define SET_PATIENT   "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446"
#define SLOT(name, x) "<Slot name='" name "'><ValueList>" x "</ValueList></Slot>"
#define V(x)          "<Value>" x "</Value>"
#define ID(scheme, value)                                                                          \
    "<ExternalIdentifier id='i' registryObject='d' identificationScheme='" scheme                  \
    "' value='" value "'/>"

static const struct query_reading as_it_is;

/* Both ways of reading; they must agree. */
static struct status
read_both(struct span envelope, const struct query_reading *reading, struct arena *arena,
          struct diag *diag, struct query_answer *ret_answer)
{
    struct status st = OK;
    struct buf dumps[2];
    for (size_t way = 0; way < 2; way++) {
        struct message_limits limits = message_limits_answer();
        struct message *message = NULL;
        diag_clear(diag);
        buf_init(&dumps[way], ANSWER_DUMP_MAX);
        st = way == 0 ? OK : query_answer_pieces_as(reading, arena, arena, diag, &limits.pieces);
        if (is_ok(st)) {
            st = message_read(envelope, SPAN(SOAP_CONTENT_TYPE), &limits, arena, diag, &message);
        }
        if (is_ok(st)) {
            st = query_answer_read_as(message, reading, arena, diag, ret_answer);
        }
        if (is_ok(st)) {
            answer_dump(ret_answer, &dumps[way]);
        }
    }
    CU_ASSERT(span_eq(buf_span(&dumps[0]), buf_span(&dumps[1])));
    if (!span_eq(buf_span(&dumps[0]), buf_span(&dumps[1]))) {
        printf("--- tree\n%.*s\n--- pieces\n%.*s\n", SPAN_PRINT(buf_span(&dumps[0])),
               SPAN_PRINT(buf_span(&dumps[1])));
    }
    buf_done(&dumps[0]);
    buf_done(&dumps[1]);
    return st;
}

static struct span
write_again(const struct query_answer *answer, struct arena *arena)
{
    struct diag diag = {0};
    struct buf out;
    struct span text = SPAN_EMPTY;
    buf_init(&out, (size_t)16 * 1024 * 1024);
    CHECK_OK(&diag, query_answer_write(answer, arena, &out, &diag));
    CHECK_OK(&diag, arena_dup(arena, buf_span(&out), &diag, &text));
    buf_done(&out);
    return text;
}

static bool
holds(struct span text, const char *part)
{
    const bool is_there = span_find(text, span_of_cstr(part)) != SPAN_MISSING;
    if (!is_there) {
        printf("      no %s in\n      %.*s\n", part, SPAN_PRINT(text));
    }
    return is_there;
}

/* ---- nothing is lost ---- */

#define RICH                                                                                       \
    "<m:ExtrinsicObject f:note='a&amp;b' id='urn:uuid:1' home='urn:oid:2.999.2' objectType='x' "   \
    "isOpaque='false' contentVersionInfo='3'><!-- gone --><m:Slot name='urn:other' "               \
    "slotType='t'><ValueList><Value> 1 "                                                           \
    "</Value><Value><![CDATA[<2>]]></Value></ValueList></m:Slot>"                                  \
    "<Name><LocalizedString xml:lang='de-CH' charset='UTF-8' value='Brief'/>"                      \
    "<LocalizedString xml:lang='fr' value='Lettre'/></Name><VersionInfo versionName='7'/>"         \
    "<Classification id='c' classifiedObject='urn:uuid:1' "                                        \
    "classificationScheme='urn:uuid:unknown' "                                                     \
    "nodeRepresentation='n'><Slot name='codingScheme'><ValueList><Value>2.999</Value></ValueList>" \
    "</Slot></Classification><f:extension f:kind='f:odd'><f:inner>text</f:inner></f:extension>"    \
    "</m:ExtrinsicObject>"

static void
test_nothing_is_lost(void)
{
    static const char *const parts[] = {
        "<m:ExtrinsicObject ",
        " xmlns:f=\"urn:foreign\"",
        " xmlns:m=\"" NS_RIM "\"",
        " xmlns=\"" NS_RIM "\"",
        "f:note=\"a&amp;b\"",
        "isOpaque=\"false\"",
        "contentVersionInfo=\"3\"",
        "<m:Slot name=\"urn:other\" slotType=\"t\"><ValueList><Value> 1 </Value>"
        "<Value>&lt;2&gt;</Value></ValueList></m:Slot>",
        "<LocalizedString xml:lang=\"de-CH\" charset=\"UTF-8\" value=\"Brief\"></LocalizedString>"
        "<LocalizedString xml:lang=\"fr\" value=\"Lettre\"></LocalizedString>",
        "<VersionInfo versionName=\"7\"></VersionInfo>",
        "classificationScheme=\"urn:uuid:unknown\" nodeRepresentation=\"n\"",
        "<f:extension f:kind=\"f:odd\"><f:inner>text</f:inner></f:extension>",
    };
    static const char xml[] = ENVELOPE(RICH "<Organization id='o'><f:x/></Organization>");
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag = {0};
    struct query_answer answer = {.dropped = 7};
    CHECK_OK(&diag, read_both(SPAN(xml), &as_it_is, arena, &diag, &answer));
    CU_ASSERT_EQUAL(answer.dropped, 0);
    CU_ASSERT_EQUAL_FATAL(answer.objects.documents.n, 1);
    CU_ASSERT_EQUAL_FATAL(answer.objects.others.n, 1);
    const struct document_entry *entry = &answer.objects.documents.items[0];
    CU_ASSERT_EQUAL_FATAL(entry->extra.n, 1);
    CHECK_SPAN(entry->extra.items[0].name, "urn:other");
    CU_ASSERT_EQUAL_FATAL(entry->extra.items[0].values.n, 2);
    CHECK_SPAN(entry->extra.items[0].values.items[0], " 1 ");
    const struct span written = write_again(&answer, arena);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        CU_ASSERT(holds(written, parts[i]));
    }
    CU_ASSERT(span_find(written, SPAN("<!--")) == SPAN_MISSING);
    CU_ASSERT(holds(written, "<Organization "));
    /* And once more: what was written is read as the same texts. */
    struct message *message = NULL;
    struct query_answer again;
    if (CHECK_OK(&diag, support_message(written, arena, &diag, &message)) &&
        CHECK_OK(&diag, query_answer_read(message, arena, &diag, &again))) {
        CU_ASSERT_EQUAL_FATAL(again.objects.documents.n, 1);
        CU_ASSERT(holds(again.objects.documents.items[0].xml, parts[11]));
    }
    arena_free(arena);
}

/* ---- home ---- */

static void
test_home(void)
{
    static const struct {
        const char *attributes, *reading, *record, *want;
    } rows[] = {
        /* read without, with ours; given by the reading; given by the record when it is written */
        {"id='d'", "", "urn:oid:2.999.3", " home=\"urn:oid:2.999.3\""},
        {"home='' id='d'", "", "urn:oid:2.999.3", " home=\"urn:oid:2.999.3\""},
        {"home='urn:oid:2.999.2' id='d'", "", "urn:oid:2.999.3", " home=\"urn:oid:2.999.3\""},
        {"id='d' home='urn:oid:2.999.2'", "", "", " home=\"urn:oid:2.999.2\""},
        {"id='d' home='urn:oid:2.999.2'", "urn:oid:2.999.4", "", " home=\"urn:oid:2.999.2\""},
        {"id='d'", "urn:oid:2.999.4", "", " home=\"urn:oid:2.999.4\""},
        {"home='  ' id='d'", "urn:oid:2.999.4", "", " home=\"urn:oid:2.999.4\""},
        {"f:a='x > home=&quot;y&quot;' id='d'", "", "urn:oid:2.999.3", " home=\"urn:oid:2.999.3\""},
        {"name='home=\"urn:oid:2.999.9\"' id='d'", "", "urn:oid:2.999.3",
         " home=\"urn:oid:2.999.3\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag = {0};
        struct span xml;
        struct query_answer answer, again;
        const struct query_reading reading = {.home = span_of_cstr(rows[i].reading)};
        CHECK_OK(&diag, arena_printf(arena, &diag, &xml, ENVELOPE("<ExtrinsicObject %s/>"),
                                     rows[i].attributes));
        CHECK_OK(&diag, read_both(xml, &reading, arena, &diag, &answer));
        CU_ASSERT_EQUAL_FATAL(answer.objects.documents.n, 1);
        if (rows[i].record[0] != '\0') {
            answer.objects.documents.items[0].home = span_of_cstr(rows[i].record);
        }
        const struct span home = answer.objects.documents.items[0].home;
        const struct span written = write_again(&answer, arena);
        CU_ASSERT(holds(written, rows[i].want));
        struct message *message = NULL;
        if (CHECK_OK(&diag, support_message(written, arena, &diag, &message)) &&
            CHECK_OK(&diag, query_answer_read(message, arena, &diag, &again))) {
            CU_ASSERT_EQUAL_FATAL(again.objects.documents.n, 1);
            CU_ASSERT(span_eq(again.objects.documents.items[0].home, home));
        }
        arena_free(arena);
    }
}

/* ---- the patient's other id ---- */

#define SOURCE_ID "S1^^^&amp;2.999.9&amp;ISO"
#define TWO_IDS                                                                                    \
    "<ExtrinsicObject id='d' home='h'>" ID(UNIQUE, SOURCE_ID)                                      \
        ID(PATIENT, " " SOURCE_ID " ") "</ExtrinsicObject>"
#define SUBMISSION_SET                                                                             \
    "<RegistryPackage id='s' home='h'>" ID(SET_ID, "1.2")                                          \
        ID(SET_PATIENT, SOURCE_ID) "</RegistryPackage>"
#define OTHER_PATIENT                                                                              \
    "<ExtrinsicObject id='e' home='h'>" SLOT("sourcePatientId", V(SOURCE_ID))                      \
        ID(PATIENT, "S2^^^&amp;2.999.9&amp;ISO") "</ExtrinsicObject>"

static void
test_patient(void)
{
    static const char xml[] = ENVELOPE(TWO_IDS SUBMISSION_SET OTHER_PATIENT);
    const struct query_reading reading = {.patient_from = SPAN("S1^^^&2.999.9&ISO"),
                                          .patient_to = SPAN("P1^^^&2.999.1&ISO")};
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag = {0};
    struct query_answer answer;
    CHECK_OK(&diag, read_both(SPAN(xml), &reading, arena, &diag, &answer));
    CU_ASSERT_EQUAL_FATAL(answer.objects.documents.n, 2);
    CU_ASSERT_EQUAL_FATAL(answer.objects.submission_sets.n, 1);
    const struct document_entry *entries = answer.objects.documents.items;
    CHECK_SPAN(entries[0].patient_id, "P1^^^&2.999.1&ISO");
    CHECK_SPAN(entries[0].unique_id, "S1^^^&2.999.9&ISO");
    CU_ASSERT(holds(entries[0].xml, "value=\"P1^^^&amp;2.999.1&amp;ISO\""));
    CU_ASSERT(holds(entries[0].xml, "value=\"S1^^^&amp;2.999.9&amp;ISO\""));
    CHECK_SPAN(answer.objects.submission_sets.items[0].patient_id, "P1^^^&2.999.1&ISO");
    CU_ASSERT(holds(answer.objects.submission_sets.items[0].xml, "P1^^^"));
    CHECK_SPAN(entries[1].patient_id, "S2^^^&2.999.9&ISO");
    CHECK_SPAN(entries[1].source_patient_id, "S1^^^&2.999.9&ISO");
    CU_ASSERT(span_find(entries[1].xml, SPAN("P1^^^")) == SPAN_MISSING);
    arena_free(arena);
}

/* ---- what others would read differently ---- */

#define HOLDS(x) "<ExtrinsicObject id='d' home='h'>" x "</ExtrinsicObject>"

static const struct {
    const char *object;
    size_t kept, dropped;
} smuggled[] = {
    {"<ExtrinsicObject id='d' home='h' m:home='urn:oid:2.999.9'/>", 0, 1},
    {"<ExtrinsicObject id='d' home='h' f:home='urn:oid:2.999.9'/>", 0, 1},
    {"<ExtrinsicObject id='d' home='h' m:id='e'/>", 0, 1},
    {"<ExtrinsicObject id='d' home='h' xml:id='e'/>", 0, 1},
    {HOLDS("<ExtrinsicObject id='e'/>"), 0, 1},
    {HOLDS("<f:x><ExtrinsicObject id='e'/></f:x>"), 0, 1},
    {HOLDS("<RegistryObjectList><ObjectRef id='e'/></RegistryObjectList>"), 0, 1},
    {HOLDS(ID(UNIQUE, "1") ID(UNIQUE, "2")), 0, 1},
    {HOLDS(ID(PATIENT, "1") ID(PATIENT, "2")), 0, 1},
    {HOLDS(SLOT("repositoryUniqueId", V("1") V("2"))), 0, 1},
    {HOLDS(SLOT("repositoryUniqueId", V("1")) SLOT("repositoryUniqueId", V("2"))), 0, 1},
    {HOLDS("<f:ExternalIdentifier identificationScheme='" UNIQUE "' value='2'/>"), 0, 1},
    {HOLDS("<Slot xmlns='' name='repositoryUniqueId'/>"), 0, 1},
    {HOLDS("<f:x xmlns:xsi='" NS_XSI "' xsi:nil='true'/>"), 0, 1},
    {HOLDS("<f:x><i:Include xmlns:i='" NS_XOP "' href='cid:a'/></f:x>"), 0, 1},
    {HOLDS("<w:Security xmlns:w='" NS_WSSE "'/>"), 0, 1},
    {HOLDS("<f:x xmlns:u='" NS_WSU "' u:Id='TS-1'/>"), 0, 1},
    {HOLDS("<s:Body/>"), 0, 1},
    {"<Organization id='o'><ExtrinsicObject id='e'/></Organization>", 0, 1},
    {"<Classification id='c' classifiedObject='d' f:id='x'/>", 0, 1},
    /* the same twice is nothing else */
    {HOLDS(ID(UNIQUE, "1") ID(UNIQUE, "1")), 1, 0},
    {HOLDS(SLOT("repositoryUniqueId", V("1") V(" 1 "))), 1, 0},
    {HOLDS(SLOT("sourcePatientInfo", V("1")) SLOT("sourcePatientInfo", V("2"))), 1, 0},
    {"<ExtrinsicObject id='d' home='h' xml:lang='en' f:other='x'/>", 1, 0},
    /* not an object of a registry: passed over */
    {"<f:x><ExtrinsicObject id='e'/></f:x>", 0, 0},
};

static void
test_smuggled(void)
{
    for (size_t i = 0; i < ARRAY_LEN(smuggled); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag = {0};
        struct span xml;
        struct query_answer answer = {.dropped = 0};
        CHECK_OK(&diag, arena_printf(arena, &diag, &xml,
                                     ENVELOPE("%s<ExtrinsicObject id='last' home='h'/>"),
                                     smuggled[i].object));
        CHECK_OK(&diag, read_both(xml, &as_it_is, arena, &diag, &answer));
        const bool is_right = answer.objects.documents.n == smuggled[i].kept + 1 &&
                              answer.dropped == smuggled[i].dropped && answer.objects.others.n == 0;
        CU_ASSERT(is_right);
        if (!is_right) {
            printf("      %zu kept, %zu dropped: %s\n", answer.objects.documents.n - 1,
                   answer.dropped, smuggled[i].object);
        }
        arena_free(arena);
    }
}

#define BESIDE(id)                                                                                 \
    "<Classification id='c' classifiedObject='" id "' classificationScheme='" SENSITIVE            \
    "' nodeRepresentation='V'>" SLOT(                                                              \
        "codingScheme", V("2.16.840.1.113883.5.25")) "<Name><LocalizedString value='very "         \
                                                     "restricted'/></Name></Classification>"

/* A confidentiality code beside its document counts, and is written with it. */
static void
test_classified_beside(void)
{
    static const char xml[] =
        ENVELOPE(BESIDE(" d ") "<ExtrinsicObject id='d' home='h'/>"
                               "<ExtrinsicObject id='e' home='h'/>" BESIDE("nobody"));
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag = {0};
    struct query_answer answer;
    CHECK_OK(&diag, read_both(SPAN(xml), &as_it_is, arena, &diag, &answer));
    CU_ASSERT_EQUAL_FATAL(answer.objects.documents.n, 2);
    const struct document_entry *entries = answer.objects.documents.items;
    CU_ASSERT_EQUAL_FATAL(entries[0].confidentiality.n, 1);
    CHECK_SPAN(entries[0].confidentiality.items[0].value, "V");
    CHECK_SPAN(entries[0].confidentiality.items[0].scheme, "2.16.840.1.113883.5.25");
    CU_ASSERT_EQUAL(entries[0].xml.n, 0);
    CU_ASSERT_EQUAL(entries[1].confidentiality.n, 0);
    CU_ASSERT(entries[1].xml.n > 0);
    CU_ASSERT(holds(write_again(&answer, arena), "nodeRepresentation=\"V\""));
    arena_free(arena);
}

static const struct unit_test tests[] = {
    {"what others would read differently is dropped", test_smuggled},
    /* REQ: ITI38-lossless */
    {"nothing is lost", test_nothing_is_lost},
    {"home is made sure of", test_home},
    {"the patient's other id", test_patient},
    {"a classification beside its object", test_classified_beside},
};
UNIT_MAIN("passthrough", tests)
