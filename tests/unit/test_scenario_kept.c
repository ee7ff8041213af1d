/*
 * What is submitted is answered, whole: a partner's ITI-80 and the ITI-38 that follows, compared in
 * canonical form with what was sent and what the registry puts in. And what a community may replace
 * of it. Fake clock, no sockets.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "local_kit.h"
#include "soap/c14n.h"
#include "soap/regrep.h"

#define URN(text)        "urn:uuid:" text
#define SET_AND_CONTENTS URN("e8e3cb2c-e39c-46b9-99e4-c12f57260b83")
#define SET_UNIQUE       "2.999.80.1"
#define FOLDER_UNIQUE    "2.999.80.2"
#define DOCUMENT_UNIQUE  "2.999.80.3"
#define MEMBER           "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
#define SOURCE_ID        "S-7^^^&amp;2.999.88&amp;ISO"
#define BYTES_BASE64     "PENsaW5pY2FsRG9jdW1lbnQ+a2VwdDwvQ2xpbmljYWxEb2N1bWVudD4="

static struct scene scene; /* large; one at a time */
static struct scene_reply reply;
static struct arena *arena;
static struct scene_stored of_green;

static struct place *
green(void)
{
    return scene_place(&scene, "green");
}

static void
open_all(void)
{
    arena = kit_open_green(&scene);
    of_green =
        kit_add(green(), "Isabella", "N", "<ClinicalDocument>green's own</ClinicalDocument>");
    scene_forget(&scene);
}

static void
close_all(void)
{
    kit_close_green(&scene, arena);
}

/* ---- texts: what is sent and what is wanted differ in what stands in the places ---- */

#define SLOT(name, values) "<r:Slot name='" name "'><r:ValueList>" values "</r:ValueList></r:Slot>"
#define V(value)           "<r:Value>" value "</r:Value>"
#define CODE(id, scheme, code)                                                                     \
    "<r:Classification id='" URN(                                                                  \
        "00000000-0000-4000-8000-0000000000" id) "' classifiedObject='@ID@' "                      \
                                                 "classificationScheme='" scheme                   \
                                                 "' nodeRepresentation='" code                     \
                                                 "'>" SLOT("codingScheme",                         \
                                                           V("2.999.9")) "</r:Classification>"
#define IDENTIFIER(id, scheme, value, name)                                                        \
    "<r:ExternalIdentifier id='" URN(                                                              \
        "00000000-0000-4000-8000-0000000000" id) "' registryObject='@ID@' "                        \
                                                 "identificationScheme='" scheme "' value='" value \
                                                 "'>"                                              \
                                                 "<r:Name><r:LocalizedString value='" name         \
                                                 "'/></r:Name></r:ExternalIdentifier>"
#define NAMESPACES "xmlns:r='" NS_RIM "' xmlns:f='urn:foreign' "

/* In a place: @NAME@. */
#define ENTRY                                                                                      \
    "<r:ExtrinsicObject " NAMESPACES "f:note='a&amp;b' id='@ID@' @REGISTRY@ mimeType='text/xml' "  \
    "objectType='" DOCUMENT_STABLE "' isOpaque='false'>"                                           \
    "<r:Slot name='urn:other' slotType='t'><r:ValueList>" V(" 1 ") V(                              \
        "&lt;2&gt;") "</r:ValueList></r:Slot>" SLOT("creationTime", V("20260102"))                 \
        SLOT("languageCode", V("en")) SLOT("sourcePatientId", V("@SOURCE@")) SLOT(                 \
            "sourcePatientInfo",                                                                   \
            "@PID3@" V(                                                                            \
                "PID-5|Jones^Isabella")) "@SLOTS@"                                                 \
                                         "<r:Name><r:LocalizedString xml:lang='de-CH' "            \
                                         "charset='UTF-8' value='Brief'/>"                         \
                                         "<r:LocalizedString xml:lang='fr' "                       \
                                         "value='Lettre'/></r:Name>"                               \
                                         "<r:Description><r:LocalizedString xml:lang='fr' "        \
                                         "value='deux'/></r:Description>"                          \
                                         "<r:VersionInfo versionName='@VERSION@' "                 \
                                         "comment='mine'/>" CODE(                                  \
                                             "01",                                                 \
                                             "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a",      \
                                             "c") CODE("02",                                       \
                                                       "urn:uuid:f4f85eac-e6cb-4883-b524-"         \
                                                       "f2705394840f",                             \
                                                       "N") CODE("03",                             \
                                                                 "urn:uuid:a09d5840-386c-46f2-"    \
                                                                 "b5ad-9c3699a4309d",              \
                                                                 "f") CODE("04",                   \
                                                                           "urn:uuid:f33fb8ac-"    \
                                                                           "18af-42cc-ae0e-"       \
                                                                           "ed0b0bdb91e1",         \
                                                                           "h")                    \
                                             CODE("05",                                            \
                                                  "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead", \
                                                  "p") CODE("06",                                  \
                                                            "urn:uuid:f0306f51-975f-434e-a61c-"    \
                                                            "c59651d33983",                        \
                                                            "t") CODE("07",                        \
                                                                      "urn:uuid:0f0f0f0f-0000-"    \
                                                                      "4000-8000-00000000000f",    \
                                                                      "foreign")                   \
                                                 IDENTIFIER("08",                                  \
                                                            "urn:uuid:58a6f841-87b3-4a3e-92fd-"    \
                                                            "a8ffeff98427",                        \
                                                            "@PATIENT@",                           \
                                                            "XDSDocumentEntry.patientId")          \
                                                     IDENTIFIER("09",                              \
                                                                "urn:uuid:2e82c1f6-a085-4c72-"     \
                                                                "9da3-8640a32e42ab",               \
                                                                DOCUMENT_UNIQUE,                   \
                                                                "XDSDocumentEntry.uniqueId")       \
                                                         IDENTIFIER(                               \
                                                             "10",                                 \
                                                             "urn:uuid:0f0f0f0f-0000-4000-8000-"   \
                                                             "000000000010",                       \
                                                             "accession 7",                        \
                                                             "foreign") "<f:extension "            \
                                                                        "f:kind='f:odd'><f:inner>" \
                                                                        "text</f:inner></"         \
                                                                        "f:extension></"           \
                                                                        "r:ExtrinsicObject>"
#define SET                                                                                        \
    "<r:RegistryPackage " NAMESPACES "id='@ID@' @REGISTRY@ @TYPE@>" SLOT(                          \
        "submissionTime", V("20260102030405")) SLOT("urn:more", V("kept"))                         \
        CODE("11", "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500", "c")                           \
            CODE("12", "urn:uuid:0f0f0f0f-0000-4000-8000-000000000012",                            \
                 "foreign") "@BESIDE@" IDENTIFIER("13",                                            \
                                                  "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446", \
                                                  "@PATIENT@", "XDSSubmissionSet.patientId")       \
                IDENTIFIER("14", "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832", "2.999.88",      \
                           "XDSSubmissionSet.sourceId")                                            \
                    IDENTIFIER("15", "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8", SET_UNIQUE,  \
                               "XDSSubmissionSet.uniqueId") "</r:RegistryPackage>"
#define SET_CLASS                                                                                  \
    "<r:Classification " NAMESPACES                                                                \
    "id='" URN("00000000-0000-4000-8000-000000000016") "' classifiedObject='@ID@' "                \
                                                       "classificationNode='" SUBMISSION_SET_NODE  \
                                                       "' f:note='beside'/>"
#define FOLDER                                                                                     \
    "<r:RegistryPackage " NAMESPACES "id='@ID@' @REGISTRY@ @TYPE@>@SLOTS@"                         \
    "<r:Name><r:LocalizedString xml:lang='en' value='F'/>"                                         \
    "<r:LocalizedString xml:lang='it' value='Cartella'/></r:Name>"                                 \
    "<r:Classification id='" URN(                                                                  \
        "00000000-0000-4000-8000-000000000017") "' classifiedObject='@ID@' "                       \
                                                "classificationNode='" FOLDER_NODE "'/>" CODE(     \
                                                    "18",                                          \
                                                    "urn:uuid:1ba97051-7806-41a8-a48b-"            \
                                                    "8fce7af683c5",                                \
                                                    "f") IDENTIFIER("19",                          \
                                                                    "urn:uuid:f64ffdf0-4b97-4e06-" \
                                                                    "b79f-a52b38ec2f8a",           \
                                                                    "@PATIENT@",                   \
                                                                    "XDSFolder.patientId")         \
                                                    IDENTIFIER(                                    \
                                                        "20",                                      \
                                                        "urn:uuid:75df8f67-9973-4fbe-a900-"        \
                                                        "df66cefecc5a",                            \
                                                        FOLDER_UNIQUE,                             \
                                                        "XDSFolder.uniqueId") "</"                 \
                                                                              "r:RegistryPackage>"
#define ASSOCIATION                                                                                \
    "<r:Association " NAMESPACES "f:why='x' id='@ID@' @REGISTRY@ @TYPE@ associationType='" MEMBER  \
    "' sourceObject='@FROM@' targetObject='@TO@'>" SLOT("SubmissionSetStatus", V("Original"))      \
        SLOT("urn:more", V("kept")) "</r:Association>"
#define PLAIN_ASSOCIATION(id, from, to)                                                            \
    "<r:Association " NAMESPACES "id='" id "' associationType='" MEMBER "' sourceObject='" from    \
    "' targetObject='" to "'/>"

struct place_text {
    const char *name;
    struct span text;
};

/* The places of a text filled in; NULL ends them. What has no row is left out. */
static struct span
fill(const char *text, const struct place_text *places)
{
    struct span rest = span_of_cstr(text), filled = SPAN_EMPTY;
    struct diag diag = {0};
    struct buf out;
    size_t at;

    buf_init(&out, (size_t)1024 * 1024);
    while ((at = span_find_char(rest, '@')) != SPAN_MISSING) {
        const struct span name_on = span_slice(rest, at + 1, SIZE_MAX);
        const struct span name = span_slice(name_on, 0, span_find_char(name_on, '@'));

        CHECK_OK(&diag, buf_append(&out, span_slice(rest, 0, at), &diag));
        for (const struct place_text *place = places; place->name != NULL; place++) {
            if (span_eq_cstr(name, place->name)) {
                CHECK_OK(&diag, buf_append(&out, place->text, &diag));
            }
        }
        rest = span_slice(name_on, name.n + 1, SIZE_MAX);
    }
    CHECK_OK(&diag, buf_append(&out, rest, &diag));
    CHECK_OK(&diag, arena_dup(arena, buf_span(&out), &diag, &filled));
    buf_done(&out);
    return filled;
}

static struct span
format(const char *text, struct span a, struct span b)
{
    const struct place_text places[] = {{"A", a}, {"B", b}, {NULL, SPAN_EMPTY}};

    return fill(text, places);
}

/* A CX in an attribute. */
static struct span
escaped(struct span cx)
{
    struct span text = SPAN_EMPTY;
    struct diag diag = {0};
    struct buf out;

    buf_init(&out, 1000);
    for (size_t i = 0; i < cx.n; i++) {
        CHECK_OK(&diag, cx.p[i] == '&' ? buf_append_cstr(&out, "&amp;", &diag)
                                       : buf_append_char(&out, cx.p[i], &diag));
    }
    CHECK_OK(&diag, arena_dup(arena, buf_span(&out), &diag, &text));
    buf_done(&out);
    return text;
}

static bool
take_canonical(void *arg, struct span bytes)
{
    struct diag diag = {0};

    return is_ok(buf_append(arg, bytes, &diag));
}

static struct span
canonical(struct span xml)
{
    const struct message_limits limits = message_limits_answer();
    struct span text = SPAN_EMPTY;
    struct diag diag = {0};
    xmlDoc *doc = NULL;
    struct buf out;

    buf_init(&out, (size_t)1024 * 1024);
    if (CHECK_OK(&diag, xml_parse(xml, &limits, arena, &diag, &doc))) {
        static const struct c14n_prefixes none;
        const struct c14n c14n = {
            .top = xml_root(doc), .inclusive = &none, .take = take_canonical, .arg = &out};

        CU_ASSERT(c14n_write(&c14n));
    }
    CHECK_OK(&diag, arena_dup(arena, buf_span(&out), &diag, &text));
    buf_done(&out);
    return text;
}

static void
check_kept(const char *what, struct span got, const char *text, const struct place_text *places)
{
    const struct span is = canonical(got), wanted = canonical(fill(text, places));

    if (!span_eq(is, wanted)) {
        printf("      %s: wanted\n      %.*s\n      got\n      %.*s\n", what, SPAN_PRINT(wanted),
               SPAN_PRINT(is));
        CU_FAIL("something was lost or changed");
    }
}

/* ---- sending and asking ---- */

/* From a partner to green; the answer is in <reply>. */
static void
send_objects(const char *from, struct span objects, const char *document_id)
{
    const struct place_text places[] = {
        {"OBJECTS", objects}, {"ID", span_of_cstr(document_id)}, {NULL, SPAN_EMPTY}};
    const struct span payload =
        fill("<x:ProvideAndRegisterDocumentSetRequest xmlns:x='" NS_XDSB "' xmlns:l='" NS_LCM "' "
             "xmlns:r='" NS_RIM "'><l:SubmitObjectsRequest><r:RegistryObjectList>@OBJECTS@"
             "</r:RegistryObjectList></l:SubmitObjectsRequest><x:Document id='@ID@'>" BYTES_BASE64
             "</x:Document></x:ProvideAndRegisterDocumentSetRequest>",
             places);
    const struct kit_request sent = {.transaction = SOAP_ITI_80, .from = from, .payload = payload};

    kit_send(&scene, &sent, &reply);
    CU_ASSERT_FATAL(reply.is_here);
    CU_ASSERT_EQUAL(reply.http_status, 200);
}

static void
check_reply(const char *part)
{
    if (strstr(reply.text, part) == NULL) {
        printf("      wanted %s in %s\n", part, reply.text);
        CU_FAIL("another answer");
    }
}

/* What green answers to a stored query with one parameter. */
static struct query_answer
ask(const char *query_id, const char *name, struct span value)
{
    struct query_param params[1] = {
        {.name = span_of_cstr(name), .values = {&value, 1, 1}, .is_multiple = true}};
    const struct stored_query query = {.id = span_of_cstr(query_id),
                                       .home = SPAN(GREEN),
                                       .wants_leaf_class = true,
                                       .params = {params, 1, 1}};
    struct query_answer got = {.status = REGISTRY_FAILURE};

    params[0].is_multiple = strstr(name, "SubmissionSet") == NULL;
    kit_send_query(&scene, &query, &reply);
    kit_read_query_answer(&reply, arena, &got);
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    return got;
}

/* ---- nothing is lost ---- */

static void
submit_rich(void)
{
    const struct place_text of_document[] = {
        {"ID", SPAN("doc")},
        {"SOURCE", SPAN(SOURCE_ID)},
        {"PID3", SPAN(V("PID-3|" SOURCE_ID))},
        {"VERSION", SPAN("-1")},
        {"PATIENT", escaped(span_of_cstr(of_green.patient_id))},
        {NULL, SPAN_EMPTY}};
    const struct place_text of_set[] = {{"ID", SPAN("set")},
                                        {"PATIENT", escaped(span_of_cstr(of_green.patient_id))},
                                        {NULL, SPAN_EMPTY}};
    const struct place_text of_folder[] = {{"ID", SPAN("folder")},
                                           {"SLOTS", SPAN(SLOT("lastUpdateTime", V("1999")))},
                                           {"PATIENT", escaped(span_of_cstr(of_green.patient_id))},
                                           {NULL, SPAN_EMPTY}};
    const struct place_text of_association[] = {
        {"ID", SPAN("a1")}, {"FROM", SPAN("set")}, {"TO", SPAN("doc")}, {NULL, SPAN_EMPTY}};
    const struct span objects = format(
        "@A@@B@" PLAIN_ASSOCIATION("a2", "set", "folder") PLAIN_ASSOCIATION("a3", "folder", "doc"),
        format("@A@@B@", fill(ENTRY, of_document), fill(SET, of_set)),
        format("@A@@B@", fill(FOLDER, of_folder),
               format("@A@@B@", fill(SET_CLASS, of_set), fill(ASSOCIATION, of_association))));

    send_objects(NULL, objects, "doc");
    check_reply("ResponseStatusType:Success");
}

static const struct association *
member_of_set(const struct query_answer *got, struct span document)
{
    for (size_t i = 0; i < got->objects.associations.n; i++) {
        const struct association *a = &got->objects.associations.items[i];

        if (span_eq(a->target, document) && a->submission_set_status.n > 0) {
            return a;
        }
    }
    return NULL;
}

#define TYPE_OF(kind)                                                                              \
    "objectType='urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:" kind "'"
#define REGISTERED "lid='@A@' home='" GREEN "' status='@B@'"

static void
check_rich(struct span document_status)
{
    const struct span approved = SPAN(DOCUMENT_APPROVED),
                      patient = span_of_cstr(of_green.patient_id);
    const struct query_answer got =
        ask(SET_AND_CONTENTS, "$XDSSubmissionSetUniqueId", SPAN(SET_UNIQUE));

    CU_ASSERT_EQUAL_FATAL(got.objects.documents.n, 1);
    CU_ASSERT_EQUAL_FATAL(got.objects.submission_sets.n, 1);
    CU_ASSERT_EQUAL_FATAL(got.objects.folders.n, 1);
    const struct document_entry *entry = &got.objects.documents.items[0];
    const struct submission_set *set = &got.objects.submission_sets.items[0];
    const struct folder *folder = &got.objects.folders.items[0];
    const struct association *member = member_of_set(&got, entry->entry_uuid);

    CU_ASSERT_PTR_NOT_NULL_FATAL(member);
    CU_ASSERT_EQUAL(entry->size, strlen("<ClinicalDocument>kept</ClinicalDocument>"));
    CU_ASSERT(span_starts_with(entry->entry_uuid, SPAN("urn:uuid:")));
    const struct place_text of_document[] = {
        {"ID", entry->entry_uuid},
        {"REGISTRY", format(REGISTERED, entry->entry_uuid, document_status)},
        {"SOURCE", escaped(patient)},
        {"SLOTS",
         format(SLOT("size", V("41")) SLOT("hash", V("@A@")) SLOT("repositoryUniqueId", V("@B@")),
                entry->hash, span_of_cstr(green()->config->repository))},
        {"VERSION", SPAN("1")},
        {"PATIENT", escaped(patient)},
        {NULL, SPAN_EMPTY}};
    check_kept("DocumentEntry", entry->xml, ENTRY, of_document);
    const struct place_text of_set[] = {{"ID", set->entry_uuid},
                                        {"REGISTRY", format(REGISTERED, set->entry_uuid, approved)},
                                        {"TYPE", SPAN(TYPE_OF("RegistryPackage"))},
                                        {"PATIENT", escaped(patient)},
                                        {NULL, SPAN_EMPTY}};
    const struct place_text beside[] = {
        {"BESIDE", fill(SET_CLASS, of_set)}, {"ID", SPAN("@ID@")},
        {"REGISTRY", SPAN("@REGISTRY@")},    {"TYPE", SPAN("@TYPE@")},
        {"PATIENT", SPAN("@PATIENT@")},      {NULL, SPAN_EMPTY}};
    check_kept("SubmissionSet", set->xml, fill(SET, beside).p, of_set);
    const struct place_text of_folder[] = {
        {"ID", folder->entry_uuid},
        {"REGISTRY", format(REGISTERED, folder->entry_uuid, approved)},
        {"TYPE", SPAN(TYPE_OF("RegistryPackage"))},
        {"SLOTS", format("<rim:Slot xmlns:rim='" NS_RIM "' name='lastUpdateTime'><rim:ValueList>"
                         "<rim:Value>@A@</rim:Value></rim:ValueList></rim:Slot>",
                         folder->last_update, SPAN_EMPTY)},
        {"PATIENT", escaped(patient)},
        {NULL, SPAN_EMPTY}};
    CU_ASSERT_EQUAL(folder->last_update.n, 14);
    check_kept("Folder", folder->xml, FOLDER, of_folder);
    const struct place_text of_association[] = {
        {"ID", member->entry_uuid},
        {"REGISTRY", format("home='" GREEN "' status='@A@'", approved, SPAN_EMPTY)},
        {"TYPE", SPAN(TYPE_OF("Association"))},
        {"FROM", set->entry_uuid},
        {"TO", entry->entry_uuid},
        {NULL, SPAN_EMPTY}};
    check_kept("Association", member->xml, ASSOCIATION, of_association);
    CU_ASSERT(strstr(reply.text, "S-7^^^") == NULL); /* the source's id stays with the source */
    CU_ASSERT(strstr(reply.text, "PID-3") == NULL);
}

/* Foreign Classifications, ExternalIdentifiers, languages, namespaces: nobody here knows what they
 * are, and whoever asks gets them. */
static void
test_nothing_is_lost(void)
{
    open_all();
    submit_rich();
    check_rich(SPAN(DOCUMENT_APPROVED));
    close_all();
}

/* ---- what a community may replace ---- */

#define OTHER_ENTRY                                                                                \
    "<r:ExtrinsicObject id='doc' mimeType='text/xml' objectType='" DOCUMENT_STABLE                 \
    "'>" SLOT("creationTime", V("20260103")) SLOT("languageCode", V("en")) SLOT("sourcePatientId", \
                                                                                V(SOURCE_ID))      \
        CODE("31", "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a",                                \
             "c") CODE("32", "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f", "N")                 \
            CODE("33", "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d", "f")                       \
                CODE("34", "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1", "h")                   \
                    CODE("35", "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead", "p")               \
                        CODE("36", "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983", "t")           \
                            IDENTIFIER("37", "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427",      \
                                       "@PATIENT@", "p")                                           \
                                IDENTIFIER("38", "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab",  \
                                           "2.999.81.@N@", "u") "</r:ExtrinsicObject>"
#define OTHER_SET                                                                                  \
    "<r:RegistryPackage id='set'>" SLOT(                                                           \
        "submissionTime",                                                                          \
        V("20260103030405")) "<r:Classification id='c1' classifiedObject='set' "                   \
                             "classificationNode='" SUBMISSION_SET_NODE "'/>" CODE(                \
                                 "41", "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500",            \
                                 "c") IDENTIFIER("43",                                             \
                                                 "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446",  \
                                                 "@PATIENT@",                                      \
                                                 "p") IDENTIFIER("44",                             \
                                                                 "urn:uuid:554ac39e-e3fe-47fe-"    \
                                                                 "b233-965d2a147832",              \
                                                                 "2.999.88", "s")                  \
                                 IDENTIFIER(                                                       \
                                     "45", "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8",        \
                                     "2.999.82.@N@",                                               \
                                     "u") "</r:RegistryPackage>" PLAIN_ASSOCIATION("a1", "set",    \
                                                                                   "doc") "<r:"    \
                                                                                          "Associ" \
                                                                                          "ation " \
                                                                                          "id='"   \
                                                                                          "a2' "   \
                                                                                          "associ" \
                                                                                          "ationT" \
                                                                                          "ype='@" \
                                                                                          "RELATI" \
                                                                                          "ON@' "  \
                                                                                          "source" \
                                                                                          "Object" \
                                                                                          "='doc'" \
                                                                                          " targe" \
                                                                                          "tObjec" \
                                                                                          "t='@"   \
                                                                                          "TO@'/>"

static int sent_n;

/* One document of a partner's that relates to a stored one. */
static void
send_related(const char *from, const char *relation, struct span to)
{
    char number[16];

    (void)snprintf(number, sizeof(number), "%d", ++sent_n);
    const struct place_text places[] = {{"PATIENT", escaped(span_of_cstr(of_green.patient_id))},
                                        {"N", span_of_cstr(number)},
                                        {"ID", SPAN("x")},
                                        {"RELATION", span_of_cstr(relation)},
                                        {"TO", to},
                                        {NULL, SPAN_EMPTY}};

    send_objects(from, format("@A@@B@", fill(OTHER_ENTRY, places), fill(OTHER_SET, places)), "doc");
}

static struct span
uuid_of(const char *unique_id)
{
    const struct query_answer got =
        ask(XCA_GET_DOCUMENTS, "$XDSDocumentEntryUniqueId", span_of_cstr(unique_id));

    CU_ASSERT_EQUAL_FATAL(got.objects.documents.n, 1);
    return got.objects.documents.items[0].entry_uuid;
}

static struct span
status_of(const char *unique_id)
{
    const struct query_answer got =
        ask(XCA_GET_DOCUMENTS, "$XDSDocumentEntryUniqueId", span_of_cstr(unique_id));

    CU_ASSERT_EQUAL_FATAL(got.objects.documents.n, 1);
    return got.objects.documents.items[0].status;
}

#define REFUSED "\"PartialReplaceContentNotProcessed\""

/* REQ: ITI80-replace-own */
static void
test_its_own_and_nothing_else(void)
{
    static const char *const replacing[] = {ASSOCIATION_REPLACE, ASSOCIATION_TRANSFORM_REPLACE};

    open_all();
    submit_rich();
    const struct span own = uuid_of(DOCUMENT_UNIQUE);

    for (size_t i = 0; i < ARRAY_LEN(replacing); i++) {
        send_related("blue", replacing[i], own); /* another community's */
        check_reply(REFUSED);
        send_related(NULL, replacing[i], span_of_cstr(of_green.entry_uuid)); /* green's */
        check_reply(REFUSED);
        send_related(NULL, replacing[i], SPAN(URN("11111111-1111-4111-8111-111111111111")));
        check_reply(REFUSED); /* nobody's: the same words */
    }
    CHECK_SPAN(status_of(DOCUMENT_UNIQUE), DOCUMENT_APPROVED);
    CHECK_SPAN(status_of(of_green.unique_id), DOCUMENT_APPROVED);
    send_related(NULL, ASSOCIATION_REPLACE, own);
    check_reply("ResponseStatusType:Success");
    CHECK_SPAN(status_of(DOCUMENT_UNIQUE), DOCUMENT_DEPRECATED);
    check_rich(SPAN(DOCUMENT_DEPRECATED)); /* the rest of its text is as before */
    close_all();
}

/* An addendum of somebody else would be deprecated with it. */
static void
test_not_what_others_added_to(void)
{
    open_all();
    submit_rich();
    const struct span own = uuid_of(DOCUMENT_UNIQUE);

    send_related(NULL, ASSOCIATION_APPEND, own); /* its own addendum goes along */
    check_reply("ResponseStatusType:Success");
    send_related("blue", ASSOCIATION_APPEND, own);
    check_reply("ResponseStatusType:Success");
    send_related(NULL, ASSOCIATION_REPLACE, own);
    check_reply(REFUSED);
    CHECK_SPAN(status_of(DOCUMENT_UNIQUE), DOCUMENT_APPROVED);
    close_all();
}

static const struct unit_test tests[] = {
    /* REQ: ITI41-registry-attributes */
    {"nothing is lost", test_nothing_is_lost},
    {"a community replaces its own and nothing else", test_its_own_and_nothing_else},
    {"a community does not replace what others added to", test_not_what_others_added_to},
};

UNIT_MAIN("kept", tests)
