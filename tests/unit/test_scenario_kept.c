/*
 * What is submitted is answered, whole: a partner's ITI-80 and the ITI-38 that follows, compared in
 * canonical form with what was sent and what the registry puts in. And what a community may replace
 * of it. Fake clock, no sockets.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "soap/c14n.h"
#include "submission_kit.h"

#define SET_AND_CONTENTS URN("e8e3cb2c-e39c-46b9-99e4-c12f57260b83")
#define SET_UNIQUE       "2.999.80.1"
#define FOLDER_UNIQUE    "2.999.80.2"
#define DOCUMENT_UNIQUE  "2.999.80.3"

/* ---- texts: what is sent and what is wanted differ in what stands in the places ---- */

/* clang-format off */
#define ENTRY                                                                                      \
    "<r:ExtrinsicObject " NAMESPACES "f:note='a&amp;b' id='@ID@' @REGISTRY@ mimeType='text/xml' "  \
    "objectType='" DOCUMENT_STABLE "' isOpaque='false'>"                                           \
    "<r:Slot name='urn:other' slotType='t'><r:ValueList>" V(" 1 ") V("&lt;2&gt;")                  \
    "</r:ValueList></r:Slot>" SLOT("creationTime", V("20260102")) SLOT("languageCode", V("en"))    \
    SLOT("sourcePatientId", V("@SOURCE@"))                                                         \
    SLOT("sourcePatientInfo", "@PID3@" V("PID-5|Jones^Isabella")) "@SLOTS@"                        \
    "<r:Name><r:LocalizedString xml:lang='de-CH' charset='UTF-8' value='Brief'/>"                  \
    "<r:LocalizedString xml:lang='fr' value='Lettre'/></r:Name>"                                   \
    "<r:Description><r:LocalizedString xml:lang='fr' value='deux'/></r:Description>"               \
    "<r:VersionInfo versionName='@VERSION@' comment='mine'/>"                                      \
    CODE("01", "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a", "c")                               \
    CODE("02", "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f", "N")                               \
    CODE("03", "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d", "f")                               \
    CODE("04", "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1", "h")                               \
    CODE("05", "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead", "p")                               \
    CODE("06", "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983", "t")                               \
    CODE("07", "urn:uuid:0f0f0f0f-0000-4000-8000-00000000000f", "foreign")                         \
    IDENTIFIER("08", "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427", "@PATIENT@",                 \
               "XDSDocumentEntry.patientId")                                                       \
    IDENTIFIER("09", "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab", DOCUMENT_UNIQUE,             \
               "XDSDocumentEntry.uniqueId")                                                        \
    IDENTIFIER("10", "urn:uuid:0f0f0f0f-0000-4000-8000-000000000010", "accession 7", "foreign")    \
    "<f:extension f:kind='f:odd'><f:inner>text</f:inner></f:extension></r:ExtrinsicObject>"
#define SET                                                                                        \
    "<r:RegistryPackage " NAMESPACES "id='@ID@' @REGISTRY@ @TYPE@>"                                \
    SLOT("submissionTime", V("20260102030405")) SLOT("urn:more", V("kept"))                        \
    CODE("11", "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500", "c")                               \
    CODE("12", "urn:uuid:0f0f0f0f-0000-4000-8000-000000000012", "foreign") "@BESIDE@"              \
    IDENTIFIER("13", "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446", "@PATIENT@",                 \
               "XDSSubmissionSet.patientId")                                                       \
    IDENTIFIER("14", "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832", "2.999.88",                  \
               "XDSSubmissionSet.sourceId")                                                        \
    IDENTIFIER("15", "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8", SET_UNIQUE,                  \
               "XDSSubmissionSet.uniqueId") "</r:RegistryPackage>"
#define SET_CLASS                                                                                  \
    "<r:Classification " NAMESPACES "id='" URN("00000000-0000-4000-8000-000000000016")             \
    "' classifiedObject='@ID@' classificationNode='" SUBMISSION_SET_NODE "' f:note='beside'/>"
#define FOLDER                                                                                     \
    "<r:RegistryPackage " NAMESPACES "id='@ID@' @REGISTRY@ @TYPE@>@SLOTS@"                         \
    "<r:Name><r:LocalizedString xml:lang='en' value='F'/>"                                         \
    "<r:LocalizedString xml:lang='it' value='Cartella'/></r:Name>"                                 \
    "<r:Classification id='" URN("00000000-0000-4000-8000-000000000017")                           \
    "' classifiedObject='@ID@' classificationNode='" FOLDER_NODE "'/>"                             \
    CODE("18", "urn:uuid:1ba97051-7806-41a8-a48b-8fce7af683c5", "f")                               \
    IDENTIFIER("19", "urn:uuid:f64ffdf0-4b97-4e06-b79f-a52b38ec2f8a", "@PATIENT@",                 \
               "XDSFolder.patientId")                                                              \
    IDENTIFIER("20", "urn:uuid:75df8f67-9973-4fbe-a900-df66cefecc5a", FOLDER_UNIQUE,               \
               "XDSFolder.uniqueId") "</r:RegistryPackage>"
#define ASSOCIATION                                                                                \
    "<r:Association " NAMESPACES "f:why='x' id='@ID@' @REGISTRY@ @TYPE@ associationType='" MEMBER  \
    "' sourceObject='@FROM@' targetObject='@TO@'>" SLOT("SubmissionSetStatus", V("Original"))      \
    SLOT("urn:more", V("kept")) "</r:Association>"
/* clang-format on */

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
    if (CHECK_OK(&diag, xml_parse(xml, &limits, kept_arena, &diag, &doc))) {
        static const struct c14n_prefixes none;
        const struct c14n c14n = {
            .top = xml_root(doc), .inclusive = &none, .take = take_canonical, .arg = &out};

        CU_ASSERT(c14n_write(&c14n));
    }
    CHECK_OK(&diag, arena_dup(kept_arena, buf_span(&out), &diag, &text));
    buf_done(&out);
    return text;
}

static void
check_kept(const char *what, struct span got, const char *text, const struct place_text *places)
{
    const struct span is = canonical(got), wanted = canonical(kept_fill(text, places));

    if (!span_eq(is, wanted)) {
        printf("      %s: wanted\n      %.*s\n      got\n      %.*s\n", what, SPAN_PRINT(wanted),
               SPAN_PRINT(is));
        CU_FAIL("something was lost or changed");
    }
}

static void
send_objects(const char *from, struct span objects)
{
    const struct place_text places[] = {
        {"OBJECTS", objects}, {"DOCUMENT", SPAN("doc")}, {NULL, SPAN_EMPTY}};

    kept_send(from, kept_fill(SUBMISSION, places));
    CU_ASSERT_EQUAL(reply.http_status, 200);
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
        {"PATIENT", kept_escape(span_of_cstr(of_green.patient_id))},
        {NULL, SPAN_EMPTY}};
    const struct place_text of_set[] = {{"ID", SPAN("set")},
                                        {"PATIENT", kept_escape(span_of_cstr(of_green.patient_id))},
                                        {NULL, SPAN_EMPTY}};
    const struct place_text of_folder[] = {
        {"ID", SPAN("folder")},
        {"SLOTS", SPAN(SLOT("lastUpdateTime", V("1999")))},
        {"PATIENT", kept_escape(span_of_cstr(of_green.patient_id))},
        {NULL, SPAN_EMPTY}};
    const struct place_text of_association[] = {
        {"ID", SPAN("a1")}, {"FROM", SPAN("set")}, {"TO", SPAN("doc")}, {NULL, SPAN_EMPTY}};
    const struct span objects = kept_format(
        "@A@@B@" PLAIN_ASSOCIATION("a2", "set", "folder") PLAIN_ASSOCIATION("a3", "folder", "doc"),
        kept_format("@A@@B@", kept_fill(ENTRY, of_document), kept_fill(SET, of_set)),
        kept_format("@A@@B@", kept_fill(FOLDER, of_folder),
                    kept_format("@A@@B@", kept_fill(SET_CLASS, of_set),
                                kept_fill(ASSOCIATION, of_association))));

    send_objects(NULL, objects);
    kept_check_reply("ResponseStatusType:Success");
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
        kept_ask(SET_AND_CONTENTS, "$XDSSubmissionSetUniqueId", SPAN(SET_UNIQUE));

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
        {"REGISTRY", kept_format(REGISTERED, entry->entry_uuid, document_status)},
        {"SOURCE", kept_escape(patient)},
        {"SLOTS", kept_format(SLOT("size", V("41")) SLOT("hash", V("@A@"))
                                  SLOT("repositoryUniqueId", V("@B@")),
                              entry->hash, span_of_cstr(kept_green()->config->repository))},
        {"VERSION", SPAN("1")},
        {"PATIENT", kept_escape(patient)},
        {NULL, SPAN_EMPTY}};
    check_kept("DocumentEntry", entry->xml, ENTRY, of_document);
    const struct place_text of_set[] = {
        {"ID", set->entry_uuid},
        {"REGISTRY", kept_format(REGISTERED, set->entry_uuid, approved)},
        {"TYPE", SPAN(TYPE_OF("RegistryPackage"))},
        {"PATIENT", kept_escape(patient)},
        {NULL, SPAN_EMPTY}};
    const struct place_text beside[] = {
        {"BESIDE", kept_fill(SET_CLASS, of_set)}, {"ID", SPAN("@ID@")},
        {"REGISTRY", SPAN("@REGISTRY@")},         {"TYPE", SPAN("@TYPE@")},
        {"PATIENT", SPAN("@PATIENT@")},           {NULL, SPAN_EMPTY}};
    check_kept("SubmissionSet", set->xml, kept_fill(SET, beside).p, of_set);
    const struct place_text of_folder[] = {
        {"ID", folder->entry_uuid},
        {"REGISTRY", kept_format(REGISTERED, folder->entry_uuid, approved)},
        {"TYPE", SPAN(TYPE_OF("RegistryPackage"))},
        {"SLOTS",
         kept_format("<rim:Slot xmlns:rim='" NS_RIM "' name='lastUpdateTime'><rim:ValueList>"
                     "<rim:Value>@A@</rim:Value></rim:ValueList></rim:Slot>",
                     folder->last_update, SPAN_EMPTY)},
        {"PATIENT", kept_escape(patient)},
        {NULL, SPAN_EMPTY}};
    CU_ASSERT_EQUAL(folder->last_update.n, 14);
    check_kept("Folder", folder->xml, FOLDER, of_folder);
    const struct place_text of_association[] = {
        {"ID", member->entry_uuid},
        {"REGISTRY", kept_format("home='" GREEN "' status='@A@'", approved, SPAN_EMPTY)},
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
    kept_open();
    submit_rich();
    check_rich(SPAN(DOCUMENT_APPROVED));
    kept_close();
}

/* ---- what a community may replace ---- */

#define RELATION                                                                                   \
    "<r:Association id='a2' associationType='@RELATION@' sourceObject='doc' targetObject='@TO@'/>"

static int sent_n;

/* One document of a partner's that relates to a stored one. */
static void
send_related(const char *from, const char *relation, struct span to)
{
    char number[16];

    (void)snprintf(number, sizeof(number), "%d", ++sent_n);
    const struct place_text places[] = {{"PATIENT", kept_escape(span_of_cstr(of_green.patient_id))},
                                        {"N", span_of_cstr(number)},
                                        {"ID", SPAN("x")},
                                        {"RELATION", span_of_cstr(relation)},
                                        {"TO", to},
                                        {NULL, SPAN_EMPTY}};

    send_objects(from, kept_format("@A@@B@", kept_fill(SMALL_ENTRY, places),
                                   kept_fill(SMALL_SET RELATION, places)));
}

#define REFUSED "\"PartialReplaceContentNotProcessed\""

/* REQ: ITI80-replace-own */
static void
test_its_own_and_nothing_else(void)
{
    static const char *const replacing[] = {ASSOCIATION_REPLACE, ASSOCIATION_TRANSFORM_REPLACE};

    kept_open();
    submit_rich();
    const struct span own = kept_entry(DOCUMENT_UNIQUE).entry_uuid;

    for (size_t i = 0; i < ARRAY_LEN(replacing); i++) {
        send_related("blue", replacing[i], own); /* another community's */
        kept_check_reply(REFUSED);
        send_related(NULL, replacing[i], span_of_cstr(of_green.entry_uuid)); /* green's */
        kept_check_reply(REFUSED);
        send_related(NULL, replacing[i], SPAN(URN("11111111-1111-4111-8111-111111111111")));
        kept_check_reply(REFUSED); /* nobody's: the same words */
    }
    CHECK_SPAN(kept_entry(DOCUMENT_UNIQUE).status, DOCUMENT_APPROVED);
    CHECK_SPAN(kept_entry(of_green.unique_id).status, DOCUMENT_APPROVED);
    send_related(NULL, ASSOCIATION_REPLACE, own);
    kept_check_reply("ResponseStatusType:Success");
    CHECK_SPAN(kept_entry(DOCUMENT_UNIQUE).status, DOCUMENT_DEPRECATED);
    check_rich(SPAN(DOCUMENT_DEPRECATED)); /* the rest of its text is as before */
    kept_close();
}

/* An addendum of somebody else would be deprecated with it. */
static void
test_not_what_others_added_to(void)
{
    kept_open();
    submit_rich();
    const struct span own = kept_entry(DOCUMENT_UNIQUE).entry_uuid;

    send_related(NULL, ASSOCIATION_APPEND, own); /* its own addendum goes along */
    kept_check_reply("ResponseStatusType:Success");
    send_related("blue", ASSOCIATION_APPEND, own);
    kept_check_reply("ResponseStatusType:Success");
    send_related(NULL, ASSOCIATION_REPLACE, own);
    kept_check_reply(REFUSED);
    CHECK_SPAN(kept_entry(DOCUMENT_UNIQUE).status, DOCUMENT_APPROVED);
    kept_close();
}

static const struct unit_test tests[] = {
    /* REQ: ITI41-registry-attributes */
    {"nothing is lost", test_nothing_is_lost},
    {"a community replaces its own and nothing else", test_its_own_and_nothing_else},
    {"a community does not replace what others added to", test_not_what_others_added_to},
};

UNIT_MAIN("kept", tests)
