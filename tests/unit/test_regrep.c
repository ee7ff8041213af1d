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

#include "soap/regrep.h"
#include "soap/regrep_payload.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

#define DUMP_MAX ((size_t)8 * 1024 * 1024)

/* One fact: "name=value", with the value's length so that nothing can be run together. */
static void
dump(struct buf *out, const char *name, struct span value)
{
    struct diag diag;
    diag_clear(&diag);
    CHECK_OK(&diag, buf_printf(out, &diag, "%s=%zu:%.*s\n", name, value.n, SPAN_PRINT(value)));
}

/* ---- what gSOAP read ---- */

static void
dump_slots(struct buf *out, const struct rim_slot_list *slots)
{
    for (size_t i = 0; i < slots->n; i++) {
        dump(out, "slot", slots->items[i].name);
        for (size_t k = 0; k < slots->items[i].values.n; k++) {
            dump(out, "value", slots->items[i].values.items[k]);
        }
    }
}

static void
dump_response(struct buf *out, const struct rs_response *response)
{
    dump(out, "status", response->status);
    dump(out, "highestSeverity", response->highest_severity);
    for (size_t i = 0; i < response->errors.n; i++) {
        dump(out, "errorCode", response->errors.items[i].code);
        dump(out, "codeContext", response->errors.items[i].context);
        dump(out, "location", response->errors.items[i].location);
        dump(out, "severity", response->errors.items[i].severity);
    }
}

static void
dump_object(struct buf *out, const struct rim_object *object)
{
    dump(out, "id", object->id);
    dump(out, "home", object->home);
    dump(out, "lid", object->lid);
    dump(out, "objectType", object->object_type);
    dump(out, "status", object->status);
    dump(out, "mimeType", object->mime_type);
    dump(out, "Name", object->name);
    dump(out, "Description", object->description);
    dump_slots(out, &object->slots);
    for (size_t i = 0; i < object->classifications.n; i++) {
        const struct rim_classification *c = &object->classifications.items[i];
        dump(out, "id", c->id);
        dump(out, "classificationScheme", c->scheme);
        dump(out, "classifiedObject", c->object);
        dump(out, "nodeRepresentation", c->node);
        dump(out, "Name", c->name);
        dump_slots(out, &c->slots);
    }
    for (size_t i = 0; i < object->identifiers.n; i++) {
        const struct rim_identifier *e = &object->identifiers.items[i];
        dump(out, "id", e->id);
        dump(out, "registryObject", e->object);
        dump(out, "identificationScheme", e->scheme);
        dump(out, "value", e->value);
        dump(out, "Name", e->name);
    }
}

static void
dump_documents(struct buf *out, const struct xdsb_document_list *list, bool is_answer)
{
    for (size_t i = 0; i < list->n; i++) {
        dump(out, "HomeCommunityId", list->items[i].home);
        dump(out, "RepositoryUniqueId", list->items[i].repository);
        dump(out, "DocumentUniqueId", list->items[i].unique_id);
        if (is_answer) {
            dump(out, "mimeType", list->items[i].mime_type);
        }
    }
}

/* Reads with gSOAP what the payload is and writes it out. */
static struct status
dump_by_gsoap(const xmlNode *payload, struct arena *arena, struct diag *diag, struct buf *out)
{
    const struct regrep_reader reader = {.arena = arena, .diag = diag, .code = ERR_MESSAGE_CONTENT};
    struct document_node_list nodes;
    struct regrep_query query = {.id = SPAN_EMPTY};
    struct regrep_answer answer = {.refs = {.items = NULL}};
    struct xdsb_document_list requests = {.items = NULL};
    struct xdsb_answer retrieved = {.documents = {.items = NULL}};
    struct buf xml;
    buf_init(&xml, REGREP_PAYLOAD_MAX);
    struct status st = regrep_payload_write(payload, reader.code, arena, &xml, diag, &nodes);
    if (is_ok(st) && xml_is(payload, NS_QUERY, "AdhocQueryRequest")) {
        st = regrep_read_query(&reader, buf_span(&xml), &query);
        dump(out, "returnType", query.return_type);
        dump(out, "id", query.id);
        dump(out, "home", query.home);
        dump_slots(out, &query.slots);
    } else if (is_ok(st) && xml_is(payload, NS_QUERY, "AdhocQueryResponse")) {
        st = regrep_read_answer(&reader, buf_span(&xml), &answer);
        dump_response(out, &answer.response);
        for (size_t i = 0; i < answer.objects.n; i++) {
            dump_object(out, &answer.objects.items[i]);
        }
        for (size_t i = 0; i < answer.refs.n; i++) {
            dump(out, "id", answer.refs.items[i].id);
            dump(out, "home", answer.refs.items[i].home);
        }
    } else if (is_ok(st) && xml_is(payload, NS_XDSB, "RetrieveDocumentSetRequest")) {
        st = regrep_read_retrieve(&reader, buf_span(&xml), &requests);
        dump_documents(out, &requests, false);
    } else if (is_ok(st)) {
        st = regrep_read_retrieved(&reader, buf_span(&xml), &retrieved);
        dump_response(out, &retrieved.response);
        dump_documents(out, &retrieved.documents, true);
    }
    buf_done(&xml);
    return st;
}

/* ---- what the tree says ---- */

static struct span
content(const xmlNode *node)
{
    static char text[100000];
    xmlChar *all = node == NULL ? NULL : xmlNodeGetContent(node);
    const size_t n = all == NULL ? 0 : strlen((const char *)all);
    CU_ASSERT_FATAL(n < sizeof(text));
    if (n > 0) {
        memcpy(text, all, n);
    }
    xmlFree(all);
    return span_of(text, n);
}

static void
walk_attrs(struct buf *out, const xmlNode *node, const char *const *names)
{
    for (; *names != NULL; names++) {
        dump(out, *names, xml_attr_text(node, *names));
    }
}

static void
walk_slots(struct buf *out, const xmlNode *parent)
{
    for (const xmlNode *slot = xml_child(parent, NS_RIM, "Slot"); slot != NULL;
         slot = xml_next_named(slot, NS_RIM, "Slot")) {
        const xmlNode *list = xml_child(slot, NS_RIM, "ValueList");
        dump(out, "slot", xml_attr_text(slot, "name"));
        for (const xmlNode *value = xml_child(list, NS_RIM, "Value"); value != NULL;
             value = xml_next_named(value, NS_RIM, "Value")) {
            dump(out, "value", content(value));
        }
    }
}

static void
walk_string(struct buf *out, const xmlNode *parent, const char *name)
{
    const xmlNode *string = xml_child(xml_child(parent, NS_RIM, name), NS_RIM, "LocalizedString");
    dump(out, name, xml_attr_text(string, "value"));
}

static void
walk_response(struct buf *out, const xmlNode *node)
{
    static const char *const error_attrs[] = {"errorCode", "codeContext", "location", "severity",
                                              NULL};
    const xmlNode *list = xml_child(node, NS_RS, "RegistryErrorList");
    dump(out, "status", xml_attr_text(node, "status"));
    dump(out, "highestSeverity", xml_attr_text(list, "highestSeverity"));
    for (const xmlNode *error = xml_child(list, NS_RS, "RegistryError"); error != NULL;
         error = xml_next_named(error, NS_RS, "RegistryError")) {
        walk_attrs(out, error, error_attrs);
    }
}

static void
walk_object(struct buf *out, const xmlNode *object)
{
    static const char *const object_attrs[] = {"id",     "home",     "lid", "objectType",
                                               "status", "mimeType", NULL};
    static const char *const code_attrs[] = {"id", "classificationScheme", "classifiedObject",
                                             "nodeRepresentation", NULL};
    static const char *const id_attrs[] = {"id", "registryObject", "identificationScheme", "value",
                                           NULL};
    walk_attrs(out, object, object_attrs);
    walk_string(out, object, "Name");
    walk_string(out, object, "Description");
    walk_slots(out, object);
    for (const xmlNode *c = xml_child(object, NS_RIM, "Classification"); c != NULL;
         c = xml_next_named(c, NS_RIM, "Classification")) {
        walk_attrs(out, c, code_attrs);
        walk_string(out, c, "Name");
        walk_slots(out, c);
    }
    for (const xmlNode *e = xml_child(object, NS_RIM, "ExternalIdentifier"); e != NULL;
         e = xml_next_named(e, NS_RIM, "ExternalIdentifier")) {
        walk_attrs(out, e, id_attrs);
        walk_string(out, e, "Name");
    }
}

static void
walk_documents(struct buf *out, const xmlNode *payload, const char *name, bool is_answer)
{
    static const char *const parts[] = {"HomeCommunityId", "RepositoryUniqueId", "DocumentUniqueId",
                                        "mimeType"};
    for (const xmlNode *node = xml_child(payload, NS_XDSB, name); node != NULL;
         node = xml_next_named(node, NS_XDSB, name)) {
        for (size_t i = 0; i < (is_answer ? 4U : 3U); i++) {
            dump(out, parts[i], content(xml_child(node, NS_XDSB, parts[i])));
        }
    }
}

static void
dump_by_walk(const xmlNode *payload, struct buf *out)
{
    static const char *const query_attrs[] = {"id", "home", NULL};
    if (xml_is(payload, NS_QUERY, "AdhocQueryRequest")) {
        const xmlNode *query = xml_child(payload, NS_RIM, "AdhocQuery");
        dump(out, "returnType",
             xml_attr_text(xml_child(payload, NS_QUERY, "ResponseOption"), "returnType"));
        walk_attrs(out, query, query_attrs);
        walk_slots(out, query);
    } else if (xml_is(payload, NS_QUERY, "AdhocQueryResponse")) {
        const xmlNode *list = xml_child(payload, NS_RIM, "RegistryObjectList");
        walk_response(out, payload);
        for (const xmlNode *object = xml_child(list, NS_RIM, "ExtrinsicObject"); object != NULL;
             object = xml_next_named(object, NS_RIM, "ExtrinsicObject")) {
            walk_object(out, object);
        }
        for (const xmlNode *ref = xml_child(list, NS_RIM, "ObjectRef"); ref != NULL;
             ref = xml_next_named(ref, NS_RIM, "ObjectRef")) {
            walk_attrs(out, ref, query_attrs);
        }
    } else if (xml_is(payload, NS_XDSB, "RetrieveDocumentSetRequest")) {
        walk_documents(out, payload, "DocumentRequest", false);
    } else {
        walk_response(out, xml_child(payload, NS_RS, "RegistryResponse"));
        walk_documents(out, payload, "DocumentResponse", true);
    }
}

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

static void
test_confusing(void)
{
    static const char *const rows[] = {
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
        "<AdhocQueryResponse xmlns='" NS_QUERY "' status='s'><RegistryErrorList xmlns='" NS_RS
        "' highestSeverity='h'><RegistryError errorCode='a' codeContext='b'>text</RegistryError>"
        "<RegistryError/></RegistryErrorList></AdhocQueryResponse>",
        "<x:RetrieveDocumentSetResponse xmlns:x='" NS_XDSB "' xmlns:r='" NS_RS
        "'><r:RegistryResponse status='s'/><x:DocumentResponse><x:mimeType>m</x:mimeType>"
        "<x:Document>AAAA</x:Document><x:DocumentUniqueId> u </x:DocumentUniqueId>"
        "</x:DocumentResponse><x:DocumentResponse/></x:RetrieveDocumentSetResponse>",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        diag_clear(&diag);
        if (CHECK_OK(&diag, support_message(span_of_cstr(rows[i]), arena, &diag, &message))) {
            (void)check_same(message, arena, rows[i]);
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
    {"one struct soap per thread", test_threads},
};
UNIT_MAIN("regrep", tests)
