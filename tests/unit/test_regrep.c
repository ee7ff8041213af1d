/*
 * The differential check: what gSOAP reads of a message equals what a plain walk over the libxml2
 * tree reads, for every sample of other systems and for messages that were made to confuse it. Both
 * sides are written out as text and compared. Also: gSOAP's state after failures, in threads, and
 * at its limits.
 */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "soap/regrep_object.h"
#include "tests/unit/regrep_dump.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

/* ---- the comparison ---- */

static bool
check_same(const struct message *message, struct arena *arena, const char *what)
{
    struct diag diag;
    struct buf gsoap, walk;
    diag_clear(&diag);
    buf_init(&gsoap, DUMP_MAX);
    buf_init(&walk, DUMP_MAX);
    CHECK_OK(&diag, dump_by_gsoap(message_payload(message), arena, &diag, &gsoap));
    dump_by_walk(message_payload(message), &walk);
    const bool is_same = span_eq(buf_span(&gsoap), buf_span(&walk)) && walk.n > 0;
    CU_ASSERT(is_same);
    if (!is_same) {
        printf("      %s\n--- gSOAP\n%.*s\n--- tree\n%.*s\n", what, SPAN_PRINT(buf_span(&gsoap)),
               SPAN_PRINT(buf_span(&walk)));
    }
    buf_done(&gsoap);
    buf_done(&walk);
    return is_same;
}

static void
test_samples(void)
{
    static const char *const files[] = {
        "ihe/samples/ipf/iti18request.xml",
        "ihe/samples/ipf/iti51request.xml",
        "ihe/samples/epr-by-example/ITI-18_request_raw.xml",
        "ihe/samples/epr-by-example/ITI-18_response_raw.xml",
        "ihe/samples/epr-by-example/ITI-43_request_raw.xml",
        "ihe/samples/epr-by-example/ITI-43_response_raw.xml",
        "ihe/samples/sds-ehdsi/xca__query__request-ep.xml",
        "ihe/samples/sds-ehdsi/xca__query__request-ps.xml",
        "ihe/samples/sds-ehdsi/xca__retrieve__request-ep.xml",
        "ihe/samples/sds-ehdsi/xca__retrieve__request-ps.xml",
        "ihe/testkit/nist-toolkit/utilities__FindDocuments__XCA__query.xml",
        "ihe/testkit/nist-toolkit/utilities__FindDocumentsByRefId__XCA__query.xml",
        "ihe/testkit/nist-toolkit/utilities__GetAll__XCA__query.xml",
    };
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct message *message = NULL;
        if (support_sample(files[i], arena, &message)) {
            (void)check_same(message, arena, files[i]);
        }
        arena_free(arena);
    }
}

/* Every message body of the test kit: files whose name says query or retrieve. */
static void
test_testkit(void)
{
    const char *folder = unit_data_path("ihe/testkit/nist-toolkit/xca-tests");
    DIR *dir = folder == NULL ? NULL : opendir(folder);
    size_t n = 0;
    for (struct dirent *entry = dir == NULL ? NULL : readdir(dir); entry != NULL;
         entry = readdir(dir)) {
        char file[1024];
        const struct span name = span_of_cstr(entry->d_name);
        if (!span_ends_with(name, SPAN(".xml")) || span_ends_with(name, SPAN("testplan.xml"))) {
            continue;
        }
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct message *message = NULL;
        (void)snprintf(file, sizeof(file), "ihe/testkit/nist-toolkit/xca-tests/%.200s",
                       entry->d_name);
        if (support_sample(file, arena, &message) && check_same(message, arena, file)) {
            n++;
        }
        arena_free(arena);
    }
    if (dir != NULL) {
        (void)closedir(dir);
        CU_ASSERT(n > 90);
    }
}

/* ---- made to confuse ---- */

#define Q(attrs, x)                                                                                \
    "<q:AdhocQueryRequest xmlns:q='" NS_QUERY "' xmlns='" NS_RIM "' xmlns:f='urn:f' "              \
    "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>"                                       \
    "<q:ResponseOption returnType='LeafClass'/><AdhocQuery id='urn:uuid:1' " attrs ">" x           \
    "</AdhocQuery></q:AdhocQueryRequest>"
#define S(name, x) "<Slot name='" name "'><ValueList>" x "</ValueList></Slot>"
#define V(x)       "<Value>" x "</Value>"

static const char *const confusing[] = {
    Q("f:home='urn:oid:2.999.666'", ""),
    Q("f:home='urn:oid:2.999.666' home='urn:oid:2.999'", ""),
    Q("f:id='x' xsi:nil='true' xsi:type='f:other'", S("a", V("b"))),
    Q("href='#x'", S("a", V("b"))),
    Q("", "<Slot name='a' id='x'><ValueList><Value href='#x'>1</Value></ValueList></Slot>"
          "<Slot name='b' href='#x'><ValueList/></Slot>"),
    Q("", "<Slot name='a' id='x'><ValueList/></Slot><Slot name='b' id='x'><ValueList/></Slot>"),
    Q("", "<Slot name='a' xsi:nil='true'><ValueList>" V("1") "</ValueList></Slot>"),
    Q("", "<f:Slot name='f'/>" S("a", "<f:Value>f</f:Value>" V("1"))),
    Q("", "<Slot xmlns='' name='f'/>" S("a", V("1") "<Value xmlns=''>f</Value>")),
    Q("", "<f:x><Slot name='inner'/></f:x>" S("a", V("1"))),
    Q("", S("a", "<Value xsi:type='f:t'>1</Value>" V("") V(" x ") V("&#9;\n&#13;"))),
    Q("", S("a", V("&lt;Value>&amp;amp;]]&gt;") V("<![CDATA[<Value>1</Value>]]>"))),
    Q("", S("", V("1")) "<Slot><ValueList/></Slot><Slot name='no list'/>"),
    Q("", "<!-- c -->" S("a", "<!-- <Value>no</Value> -->" V("1"))),
    Q("", S("\xf0\x9f\x98\x80\xc3\xa9", V("\xe6\x9d\x8e &#x1F600; &#xE9;"))),
    Q("", S("a", V("1")) "<VersionInfo/><Name/>" S("b", V("2"))),
    Q("xml:lang='en'", S("a", V("1"))),
    /* other prefixes, also those that gSOAP's table gives other namespaces */
    "<rim:AdhocQueryRequest xmlns:rim='" NS_QUERY "' xmlns:query='" NS_RIM
    "'><rim:ResponseOption returnType='ObjectRef'/><query:AdhocQuery id='1' home='2'>"
    "<query:Slot name='a'><query:ValueList><query:Value>1</query:Value></query:ValueList>"
    "</query:Slot></query:AdhocQuery></rim:AdhocQueryRequest>",
    "<AdhocQueryRequest xmlns='" NS_QUERY "'><ResponseOption returnType='LeafClass'/>"
    "<AdhocQuery id='not rim'/><AdhocQuery xmlns='" NS_RIM "' id='rim'/></AdhocQueryRequest>",
    /* two kinds in turn, unknown ones between */
    "<AdhocQueryResponse xmlns='" NS_QUERY "' status='s'><RegistryObjectList xmlns='" NS_RIM
    "'><ObjectRef id='1'/><ExtrinsicObject id='2'/><Association id='3'/><ObjectRef id='4'/>"
    "<RegistryPackage id='5'><Slot name='x'/></RegistryPackage><ExtrinsicObject id='6'>"
    "<Description/><Name><LocalizedString/><LocalizedString value='second'/></Name>"
    "</ExtrinsicObject></RegistryObjectList></AdhocQueryResponse>",
    "<AdhocQueryResponse xmlns='" NS_QUERY "' status='s'><RegistryObjectList xmlns='" NS_RIM
    "' xmlns:x='" NS_XDSB "'><ExtrinsicObject id='1'><x:Document>AAAA</x:Document>"
    "</ExtrinsicObject><x:Document/></RegistryObjectList></AdhocQueryResponse>",
    "<AdhocQueryResponse xmlns='" NS_QUERY "' status='s'><RegistryErrorList xmlns='" NS_RS
    "' highestSeverity='h'><RegistryError errorCode='a' codeContext='b'>text</RegistryError>"
    "<RegistryError/></RegistryErrorList></AdhocQueryResponse>",
    /* every kind, mixed; a package in a package; what is nested is not ours */
    "<AdhocQueryResponse xmlns='" NS_QUERY "' status='s'><RegistryObjectList xmlns='" NS_RIM
    "'><Association id='a' associationType='t' sourceObject='s' targetObject='u'><Slot "
    "name='x'>"
    "<ValueList><Value>v</Value></ValueList></Slot></Association><Classification id='c' "
    "classifiedObject='p' classificationNode='n'/><RegistryPackage id='p' home='h'><Name>"
    "<LocalizedString value='N'/></Name><Classification id='i' classificationNode='m' "
    "classifiedObject='p'><Slot name='y'/></Classification><ExternalIdentifier id='e' "
    "value='v'/><RegistryObjectList><ExtrinsicObject id='z'/></RegistryObjectList>"
    "</RegistryPackage><Organization id='o'/><Association id='b'/></RegistryObjectList>"
    "</AdhocQueryResponse>",
    "<x:RetrieveDocumentSetResponse xmlns:x='" NS_XDSB "' xmlns:r='" NS_RS
    "'><r:RegistryResponse status='s'/><x:DocumentResponse><x:NewDocumentUniqueId>n"
    "</x:NewDocumentUniqueId><x:NewRepositoryUniqueId>r</x:NewRepositoryUniqueId>"
    "</x:DocumentResponse></x:RetrieveDocumentSetResponse>",
    "<ProvideAndRegisterDocumentSetRequest xmlns='" NS_XDSB "'><Document id='d1'>AAAA</Document>"
    "<l:SubmitObjectsRequest xmlns:l='" NS_LCM "' comment='c'><r:RequestSlotList xmlns:r='" NS_RS
    "' xmlns='" NS_RIM "'><Slot name='n'><ValueList><Value>v</Value></ValueList></Slot>"
    "</r:RequestSlotList><RegistryObjectList xmlns='" NS_RIM "'><ExtrinsicObject id='d1'/>"
    "<RegistryPackage id='s'/></RegistryObjectList></l:SubmitObjectsRequest>"
    "<Document xmlns='urn:f' id='not ours'/><Document id='d2'/><Document/>"
    "</ProvideAndRegisterDocumentSetRequest>",
    "<r:RegistryResponse xmlns:r='" NS_RS "' status='s'><r:ResponseSlotList/>"
    "<r:RegistryErrorList><r:RegistryError errorCode='e' codeContext='c' location='l' "
    "severity='x'/></r:RegistryErrorList></r:RegistryResponse>",
    "<x:RetrieveDocumentSetResponse xmlns:x='" NS_XDSB "' xmlns:r='" NS_RS
    "'><r:RegistryResponse status='s'/><x:DocumentResponse><x:mimeType>m</x:mimeType>"
    "<x:Document>AAAA</x:Document><x:DocumentUniqueId> u </x:DocumentUniqueId>"
    "</x:DocumentResponse><x:DocumentResponse/></x:RetrieveDocumentSetResponse>",
};

static void
test_confusing(void)
{
    for (size_t i = 0; i < ARRAY_LEN(confusing); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        diag_clear(&diag);
        if (CHECK_OK(&diag, support_message(span_of_cstr(confusing[i]), arena, &diag, &message))) {
            (void)check_same(message, arena, confusing[i]);
        }
        arena_free(arena);
    }
}

static void
test_refused(void)
{
    static const struct {
        const char *xml;
        enum err want;
    } rows[] = {
        {"<x/>", ERR_MESSAGE_CONTENT},
        {Q("", S("a", V("1")) "text"), ERR_MESSAGE_CONTENT},
        {Q("", S("a", V("1") "text")), ERR_MESSAGE_CONTENT},
        {Q("", S("a", V("1<!-- -->2"))), ERR_MESSAGE_CONTENT},
        {Q("", S("a", V("1<f:x/>2"))), ERR_MESSAGE_CONTENT},
        {Q("", "<Slot name='a'><ValueList/><ValueList/></Slot>"), ERR_MESSAGE_CONTENT},
        {Q("", "<i:Include xmlns:i='" NS_XOP "' href='cid:1'/>"), ERR_XOP},
        {Q("", S("a", "<Value><i:Include xmlns:i='" NS_XOP "' href='cid:1'/></Value>")), ERR_XOP},
        {"<AdhocQueryRequest xmlns='" NS_QUERY "'/>", ERR_MESSAGE_CONTENT},
        {"<AdhocQueryRequest xmlns='" NS_QUERY "'><ResponseOption/></AdhocQueryRequest>",
         ERR_MESSAGE_CONTENT},
        {"<AdhocQueryRequest xmlns='" NS_QUERY "'><ResponseOption/><AdhocQuery xmlns='" NS_RIM
         "'/><AdhocQuery xmlns='" NS_RIM "'/></AdhocQueryRequest>",
         ERR_MESSAGE_CONTENT},
        {"<RetrieveDocumentSetResponse xmlns='" NS_XDSB "'/>", ERR_MESSAGE_CONTENT},
        {"<ProvideAndRegisterDocumentSetRequest xmlns='" NS_XDSB "'/>", ERR_MESSAGE_CONTENT},
        {"<ProvideAndRegisterDocumentSetRequest xmlns='" NS_XDSB
         "'><SubmitObjectsRequest xmlns='" NS_LCM "'/></ProvideAndRegisterDocumentSetRequest>",
         ERR_MESSAGE_CONTENT},
        {"<ProvideAndRegisterDocumentSetRequest xmlns='" NS_XDSB
         "'><SubmitObjectsRequest xmlns='" NS_LCM "'><RegistryObjectList xmlns='" NS_RIM
         "'/></SubmitObjectsRequest>"
         "<SubmitObjectsRequest xmlns='" NS_LCM "'><RegistryObjectList xmlns='" NS_RIM
         "'/></SubmitObjectsRequest></ProvideAndRegisterDocumentSetRequest>",
         ERR_MESSAGE_CONTENT},
        {"<RetrieveDocumentSetResponse xmlns='" NS_XDSB "'><DocumentResponse><Document/><Document/>"
         "</DocumentResponse></RetrieveDocumentSetResponse>",
         ERR_MESSAGE_CONTENT},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        struct buf out;
        buf_init(&out, DUMP_MAX);
        diag_clear(&diag);
        CHECK_OK(&diag, support_message(span_of_cstr(rows[i].xml), arena, &diag, &message));
        if (message != NULL &&
            !CHECK_ERR(&diag, rows[i].want,
                       dump_by_gsoap(message_payload(message), arena, &diag, &out))) {
            printf("      %s\n", rows[i].xml);
        }
        buf_done(&out);
        arena_free(arena);
    }
}

/* gSOAP itself refuses: broken text (never ours), another element, too deep. Good texts in between
 * show that nothing of a failure is left. */
static void
test_broken_text(void)
{
    static char deep[100 * 8];
    static const char good[] = "<AdhocQueryRequest xmlns='" NS_QUERY "'><ResponseOption "
                               "returnType='x'/><AdhocQuery xmlns='" NS_RIM "' id='i'/>"
                               "</AdhocQueryRequest>";
    for (size_t i = 0; i < 100; i++) {
        memcpy(deep + i * 3, "<a>", 3);
        memcpy(deep + 300 + i * 4, "</a>", 4);
    }
    const struct span rows[] = {
        SPAN(""),
        SPAN("<AdhocQueryRequest xmlns='" NS_QUERY "'><ResponseOption"),
        SPAN("<AdhocQueryRequest xmlns='" NS_QUERY "'></AdhocQueryResponse>"),
        SPAN("<AdhocQueryResponse xmlns='" NS_QUERY "'/>"),
        SPAN("<AdhocQueryRequest/>"),
        span_of(deep, 700),
    };
    for (size_t i = 0; i < 3 * ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct regrep_query query = {.id = SPAN_EMPTY};
        const struct regrep_reader reader = {
            .arena = arena, .diag = &diag, .code = ERR_PARTNER_ANSWER};
        diag_clear(&diag);
        CHECK_ERR(&diag, ERR_PARTNER_ANSWER,
                  regrep_read_query(&reader, rows[i % ARRAY_LEN(rows)], &query));
        diag_clear(&diag);
        CHECK_OK(&diag, regrep_read_query(&reader, SPAN(good), &query));
        CHECK_SPAN(query.id, "i");
        arena_free(arena);
    }
}

/* What XML cannot hold, and a buffer that is too small; then again a good one. */
static void
test_not_written(void)
{
    static const struct {
        const char *id;
        size_t limit;
        enum err want;
    } rows[] = {
        {"a\x01", 1000, ERR_MESSAGE_CONTENT},
        {"\xff", 1000, ERR_MESSAGE_CONTENT},
        {"\xc0\x80", 1000, ERR_MESSAGE_CONTENT},
        {"\xed\xa0\x80", 1000, ERR_MESSAGE_CONTENT},
        {"\xef\xbf\xbe", 1000, ERR_MESSAGE_CONTENT},
        {"a", 100, ERR_LIMIT_BUFFER},
        {"a", 1000, ERR_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct regrep_query query = {.id = span_of_cstr(rows[i].id)};
        struct diag diag;
        struct buf out;
        buf_init(&out, rows[i].limit);
        diag_clear(&diag);
        CHECK_ERR(&diag, rows[i].want, regrep_write_query(&query, &out, &diag));
        buf_done(&out);
    }
}

/* Texts far beyond what the schema allows come back whole: neither side of gSOAP cuts them. */
static void
test_long_texts(void)
{
    static char text[300000];
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = "abc<&>\"'\n\t"[i % 10];
    }
    const struct span whole = span_of(text, sizeof(text));
    struct span values[] = {whole};
    struct rim_slot slots[] = {{.name = whole, .values = {values, 1, 0}}};
    const struct regrep_query query = {.id = whole, .home = whole, .slots = {slots, 1, 0}};
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct regrep_query got = {.id = SPAN_EMPTY};
    const struct regrep_reader reader = {.arena = arena, .diag = &diag, .code = ERR_PARTNER_ANSWER};
    struct buf out;
    buf_init(&out, DUMP_MAX);
    diag_clear(&diag);
    CHECK_OK(&diag, regrep_write_query(&query, &out, &diag));
    CHECK_OK(&diag, regrep_read_query(&reader, buf_span(&out), &got));
    CU_ASSERT(span_eq(got.id, whole));
    CU_ASSERT(span_eq(got.home, whole));
    CU_ASSERT_EQUAL_FATAL(got.slots.n, 1);
    CU_ASSERT(span_eq(got.slots.items[0].name, whole));
    CU_ASSERT(span_eq(got.slots.items[0].values.items[0], whole));
    buf_done(&out);
    arena_free(arena);
}

/* ---- objects that are written without gSOAP ---- */

#define ODD SPAN("\xc3\xa9 <a>&amp;'\"\t\r\n]]>")

static struct span odd_values[] = {{"a<b>&\"'\t\r\n ", 11}, {"", 0}, {"\xf0\x9f\x98\x80", 4}};
static struct rim_slot full_slots[] = {
    {.name = {"s", 1}, .values = {odd_values, 3, 0}},
    {.name = {"", 0}, .values = {NULL, 0, 0}},
};
static struct rim_classification full_codes[] = {
    {.id = {"c1", 2},
     .scheme = {"s<", 2},
     .object = {"o", 1},
     .node = {"n\"", 2},
     .name = {"N&", 2}},
    {.slots = {full_slots, 2, 0}},
    {.class_node = {"urn:uuid:n", 10}, .object = {"o", 1}, .id = {"c3", 2}},
};
static struct rim_identifier full_identifiers[] = {
    {.id = {"i", 1}, .object = {"o", 1}, .scheme = {"s", 1}, .value = {"v\r", 2}, .name = {">", 1}},
    {.value = {"", 0}},
};

static struct rim_object
full_object(void)
{
    return (struct rim_object){
        .id = SPAN("urn:uuid:1"),
        .home = SPAN("urn:oid:2.999.1"),
        .lid = SPAN("l"),
        .object_type = SPAN("t"),
        .status = ODD,
        .mime_type = SPAN("text/xml"),
        .name = ODD,
        .description = SPAN("d"),
        .slots = {full_slots, 2, 0},
        .classifications = {full_codes, 3, 0},
        .identifiers = {full_identifiers, 2, 0},
    };
}

/* What gSOAP writes inside of the list. */
static struct status
write_by_gsoap(enum rim_kind kind, const struct rim_object *object, struct buf *out,
               struct diag *diag)
{
    struct rim_object copy = *object;
    const struct rim_object_list one = {&copy, 1, 0};
    struct regrep_answer answer = {.list = {.refs = {.items = NULL}}};
    struct buf message;
    *(kind == RIM_DOCUMENT  ? &answer.list.documents
      : kind == RIM_PACKAGE ? &answer.list.packages
                            : &answer.list.associations) = one;
    buf_init(&message, DUMP_MAX);
    struct status st = regrep_write_answer(&answer, &message, diag);
    if (is_ok(st)) {
        static const char mark[] = "<rim:RegistryObjectList xmlns:rim=\"" NS_RIM "\">";
        const struct span all = buf_span(&message);
        const size_t from = span_find(all, SPAN(mark));
        const size_t to = span_find(all, SPAN("</rim:RegistryObjectList>"));
        CU_ASSERT_FATAL(from != SPAN_MISSING && to != SPAN_MISSING);
        st = buf_append(out, span_slice(all, from + sizeof(mark) - 1, to - from - sizeof(mark) + 1),
                        diag);
    }
    buf_done(&message);
    return st;
}

static void
test_objects_written(void)
{
    struct rim_object rows[16];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        rows[i] = full_object();
    }
    rows[1] = (struct rim_object){.id = SPAN("only")};
    rows[2] = (struct rim_object){.home = SPAN_EMPTY};
    rows[3].slots.n = 0;
    rows[4].classifications.n = 1;
    rows[5].identifiers.n = 0;
    rows[6].name = SPAN_EMPTY;
    rows[7].description = SPAN_EMPTY;
    rows[8].lid = SPAN_EMPTY;
    rows[9].association_type = SPAN("a<");
    rows[9].source = SPAN("s");
    rows[10].target = SPAN("t");
    rows[11].home = SPAN("\x01");
    rows[12].name = SPAN("a\xff");
    rows[13].mime_type = SPAN("\xed\xa0\x80");
    rows[14].id = SPAN("\xef\xbf\xbe");
    rows[15].target = SPAN("\xc0\x80");
    for (size_t n = 0; n < 3 * ARRAY_LEN(rows); n++) {
        const enum rim_kind kind = (enum rim_kind)(n % 3);
        const size_t i = n / 3;
        struct diag diag;
        struct buf gsoap, own;
        buf_init(&gsoap, DUMP_MAX);
        buf_init(&own, DUMP_MAX);
        const enum err want = i < 11 ? ERR_NONE : ERR_MESSAGE_CONTENT;
        diag_clear(&diag);
        CHECK_ERR(&diag, want, write_by_gsoap(kind, &rows[i], &gsoap, &diag));
        diag_clear(&diag);
        CHECK_ERR(&diag, want, regrep_object_write(kind, &rows[i], &own, &diag));
        const bool is_same =
            want != ERR_NONE || (gsoap.n > 0 && span_eq(buf_span(&gsoap), buf_span(&own)));
        CU_ASSERT(is_same);
        if (!is_same) {
            printf("      row %zu\n--- gSOAP\n%.*s\n--- own\n%.*s\n", i,
                   SPAN_PRINT(buf_span(&gsoap)), SPAN_PRINT(buf_span(&own)));
        }
        buf_done(&gsoap);
        buf_done(&own);
    }
}

/* Each thread writes and reads its own values many times. */
static void *
work(void *number)
{
    size_t wrong = 0;
    for (int i = 0; i < 200; i++) {
        char id[32];
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct buf out;
        struct regrep_query got = {.id = SPAN_EMPTY};
        const struct regrep_reader reader = {
            .arena = arena, .diag = &diag, .code = ERR_MESSAGE_CONTENT};
        (void)snprintf(id, sizeof(id), "%d-%d", *(const int *)number, i);
        const struct regrep_query query = {.id = span_of_cstr(id), .return_type = SPAN("x")};
        buf_init(&out, 10000);
        diag_clear(&diag);
        const bool is_right = is_ok(regrep_write_query(&query, &out, &diag)) &&
                              is_ok(regrep_read_query(&reader, buf_span(&out), &got)) &&
                              span_eq_cstr(got.id, id);
        wrong += is_right ? 0 : 1;
        buf_done(&out);
        arena_free(arena);
    }
    return wrong == 0 ? number : NULL;
}

static void
test_threads(void)
{
    pthread_t threads[4];
    int numbers[4] = {0, 1, 2, 3};
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, work, &numbers[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *result = NULL;
        CU_ASSERT_EQUAL(pthread_join(threads[i], &result), 0);
        CU_ASSERT_PTR_EQUAL(result, &numbers[i]);
    }
}

static const struct unit_test tests[] = {
    {"payloads that are refused", test_refused},
    {"text that gSOAP refuses leaves nothing behind", test_broken_text},
    {"records that are not written", test_not_written},
    {"samples of other systems: gSOAP reads what the tree says", test_samples},
    {"the whole test kit: the same", test_testkit},
    {"messages made to confuse: the same", test_confusing},
    {"long texts come back whole", test_long_texts},
    {"objects are written as gSOAP writes them", test_objects_written},
    {"one struct soap per thread", test_threads},
};
UNIT_MAIN("regrep", tests)
