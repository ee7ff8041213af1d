/*
 * Stored queries: the value encoding, what is refused, what is written (valid by the schemas and
 * read back), the parameters' rules, and the queries of other systems.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "soap/xca.h"
#include "soap/xca_value.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

/* Values as "a|b|c" for comparing; "*" before them when it is a list. */
static struct span
join(const struct span_list *values, bool is_multiple, struct arena *arena)
{
    struct diag diag;
    struct span text = is_multiple ? SPAN("*") : SPAN_EMPTY;
    diag_clear(&diag);
    for (size_t i = 0; i < values->n; i++) {
        CHECK_OK(&diag, arena_printf(arena, &diag, &text, "%.*s%s%.*s", SPAN_PRINT(text),
                                     i > 0 ? "|" : "", SPAN_PRINT(values->items[i])));
    }
    return text;
}

static struct status
read_values(const char *const texts[3], struct arena *arena, struct diag *diag,
            struct query_param *ret_param)
{
    struct span values[3];
    struct rim_slot slot = {.name = SPAN("$XDSDocumentEntryClassCode"),
                            .values = {.items = values}};
    for (size_t i = 0; i < 3 && texts[i] != NULL; i++) {
        values[slot.values.n++] = span_of_cstr(texts[i]);
    }
    diag_clear(diag);
    return query_values_read(&slot, arena, diag, ret_param);
}

static void
test_values_refused(void)
{
    static const char *const rows[] = {
        "'open",
        "'open''",
        "'a'b",
        "'a''",
        "a'b",
        "it's",
        "('a'",
        "('a','b'",
        "('a',)",
        "(,'a')",
        "('a' 'b')",
        "('a')b",
        "('a'))",
        "('a',('b'))",
        "('a'",
        "'a','b'",
        "(a'b)",
        "('a);drop",
        "'593603^^^&2.16.756&ISO''%20and%20611%3d611--%20",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct query_param param;
        const char *const texts[3] = {rows[i]};
        if (!CHECK_ERR(&diag, ERR_MESSAGE_CONTENT, read_values(texts, arena, &diag, &param))) {
            printf("      %s\n", rows[i]);
        }
        /* The complaint names the parameter and never the value. */
        CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "$XDSDocumentEntryClassCode"));
        CU_ASSERT_PTR_NULL(strstr(diag.text, "593603"));
        arena_free(arena);
    }
}

static void
test_values(void)
{
    static const struct {
        const char *texts[3];
        const char *want;
    } rows[] = {
        {{"'a'"}, "a"},
        {{" 'a' "}, "a"},
        {{"''"}, ""},
        {{"'it''s'"}, "it's"},
        {{"''''"}, "'"},
        {{"'a,b(c)'"}, "a,b(c)"},
        {{"20221016161616"}, "20221016161616"},
        {{"'20221015151515'"}, "20221015151515"},
        {{"id^^^&2.999&ISO"}, "id^^^&2.999&ISO"},
        {{"('a')"}, "*a"},
        {{"('a','b')"}, "*a|b"},
        {{"( 'a' ,\n\n  'b' )"}, "*a|b"},
        {{"( ' a' , 'b ')"}, "* a|b "},
        {{"(1,2)"}, "*1|2"},
        {{"()"}, "*"},
        {{"('it''s','(b)')"}, "*it's|(b)"},
        {{"('a')", "('b')", "('c','d')"}, "*a|b|c|d"},
        {{"'a'", "'b'"}, "*a|b"},
        {{"('a')", "", " "}, "*a"},
        {{NULL}, ""},
        {{""}, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct query_param param;
        if (CHECK_OK(&diag, read_values(rows[i].texts, arena, &diag, &param))) {
            CHECK_SPAN(join(&param.values, param.is_multiple, arena), rows[i].want);
        }
        arena_free(arena);
    }
}

static void
test_values_written(void)
{
    struct span one[] = {SPAN("it's")};
    struct span two[] = {SPAN("a"), SPAN("b'c")};
    static const char text100[] =
        "0123456789012345678901234567890123456789012345678901234567890123456789"
        "012345678901234567890123456789";
    struct span many[] = {SPAN(text100), SPAN(text100), SPAN(text100), SPAN("x")};
    const struct {
        struct query_param param;
        const char *values[3];
    } rows[] = {
        {{.name = SPAN("$x"), .values = {one, 1, 0}}, {"'it''s'"}},
        {{.name = SPAN("$x"), .values = {one, 1, 0}, .is_multiple = true}, {"('it''s')"}},
        {{.name = SPAN("$x"), .values = {two, 2, 0}}, {"('a','b''c')"}},
        {{.name = SPAN("$XDSDocumentEntryCreationTimeFrom"), .values = {two, 1, 0}}, {"a"}},
        {{.name = SPAN("$XDSDocumentEntryServiceStopTimeTo"), .values = {two, 1, 0}}, {"a"}},
        {{.name = SPAN("$x"), .is_multiple = true}, {"()"}},
        {{.name = SPAN("$x")}, {NULL}},
    };
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct rim_slot slot;
    diag_clear(&diag);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_OK(&diag, query_values_write(&rows[i].param, arena, &diag, &slot));
        CU_ASSERT_EQUAL(slot.values.n, rows[i].values[0] == NULL ? 0U : 1U);
        CHECK_SPAN(slot.values.n == 0 ? SPAN_EMPTY : slot.values.items[0], rows[i].values[0]);
    }
    /* A list is broken before a Value gets longer than the schema allows. */
    const struct query_param list = {.name = SPAN("$x"), .values = {many, 4, 0}};
    struct query_param got;
    CHECK_OK(&diag, query_values_write(&list, arena, &diag, &slot));
    CU_ASSERT_EQUAL_FATAL(slot.values.n, 2);
    CU_ASSERT(slot.values.items[0].n <= RIM_VALUE_MAX);
    CHECK_OK(&diag, query_values_read(&slot, arena, &diag, &got));
    CU_ASSERT_EQUAL(got.values.n, 4);
    CHECK_SPAN(got.values.items[2], text100);
    arena_free(arena);
}

/* A query that is passed on says what it said, also in parameters that nobody here knows. */
static void
test_values_passed_on(void)
{
    static const struct {
        const char *texts[4], *want;
    } rows[] = {
        {{"12"}, "12"},
        {{"'12'"}, "'12'"},
        {{"1.5"}, "1.5"},
        {{"(1,2)"}, "(1,2)"},
        {{"('1','2')"}, "('1','2')"},
        {{"(1,'2')"}, "('1','2')"},
        {{"(1)", "(2)"}, "(1,2)"},
        {{"2.999.1"}, "'2.999.1'"},
        {{"soon"}, "'soon'"},
        {{"."}, "'.'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct query_param param;
        struct rim_slot slot;
        diag_clear(&diag);
        CHECK_OK(&diag, read_values(rows[i].texts, arena, &diag, &param));
        CHECK_OK(&diag, query_values_write(&param, arena, &diag, &slot));
        CU_ASSERT_EQUAL_FATAL(slot.values.n, 1);
        CHECK_SPAN(slot.values.items[0], rows[i].want);
        arena_free(arena);
    }
}

/* ---- messages ---- */

#define QUERY_TOP(attrs, option)                                                                   \
    "<q:AdhocQueryRequest xmlns:q='" NS_QUERY "' xmlns='" NS_RIM "'>" option "<AdhocQuery " attrs  \
    ">"
#define QUERY_END               "</AdhocQuery></q:AdhocQueryRequest>"
#define QUERY(attrs, option, x) QUERY_TOP(attrs, option) x QUERY_END
#define LEAF                    "<q:ResponseOption returnType='LeafClass'/>"
#define ID                      "id='" XCA_FIND_DOCUMENTS "'"
#define QUERY_START             QUERY_TOP(ID, LEAF)
#define SLOT(name, value)                                                                          \
    "<Slot name='" name "'><ValueList><Value>" value "</Value></ValueList></Slot>"

static struct status
read_query(const char *xml, struct arena *arena, struct diag *diag, struct stored_query *ret_query)
{
    struct message *message = NULL;
    diag_clear(diag);
    if (!CHECK_OK(diag, support_message(span_of_cstr(xml), arena, diag, &message))) {
        return (struct status){ERR_INTERNAL};
    }
    return stored_query_read(message, arena, diag, ret_query);
}

static void
test_queries_refused(void)
{
    static const struct {
        const char *xml;
        enum err want;
    } rows[] = {
        {"<x/>", ERR_MESSAGE_CONTENT},
        {"<AdhocQueryRequest/>", ERR_MESSAGE_CONTENT},
        {"<RetrieveDocumentSetRequest xmlns='" NS_XDSB "'/>", ERR_MESSAGE_CONTENT},
        {"<q:AdhocQueryRequest xmlns:q='" NS_QUERY "'>" LEAF "</q:AdhocQueryRequest>",
         ERR_MESSAGE_CONTENT},
        {QUERY(ID, "", ""), ERR_MESSAGE_CONTENT},
        {QUERY("", LEAF, ""), ERR_MESSAGE_CONTENT},
        {QUERY("id=' '", LEAF, ""), ERR_MESSAGE_CONTENT},
        {QUERY(ID, "<q:ResponseOption/>", ""), ERR_MESSAGE_CONTENT},
        {QUERY(ID, "<q:ResponseOption returnType='RegistryObject'/>", ""), ERR_MESSAGE_CONTENT},
        {QUERY(ID, "<q:ResponseOption returnType='LeafClassWithRepositoryItem'/>", ""),
         ERR_MESSAGE_CONTENT},
        {QUERY(ID, LEAF LEAF, ""), ERR_MESSAGE_CONTENT},
        {QUERY(ID, LEAF, SLOT("$a", "'open")), ERR_MESSAGE_CONTENT},
        {QUERY(ID, LEAF, SLOT("$a", "'1'<!-- -->")), ERR_MESSAGE_CONTENT},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct stored_query query = {.id = SPAN("untouched")};
        if (!CHECK_ERR(&diag, rows[i].want, read_query(rows[i].xml, arena, &diag, &query))) {
            printf("      %s\n", rows[i].xml);
        }
        CHECK_SPAN(query.id, "untouched");
        arena_free(arena);
    }
}

/* What one query may ask for: at the limit, and one more. */
static void
test_queries_bounded(void)
{
    static char value[100];
    const struct {
        const char *before, *piece, *after;
        size_t most;
    } rows[] = {
        {"", SLOT("$x", "'1'"), "", XCA_PARAMS_MAX},
        {"<Slot name='$x'><ValueList>", "<Value>('1')</Value>", "</ValueList></Slot>",
         XCA_VALUES_MAX},
        {"<Slot name='$x'><ValueList><Value>('1'", ",'2'", ")</Value></ValueList></Slot>",
         XCA_VALUES_MAX - 1},
        {SLOT("$y", "('a','b')") "<Slot name='$x'><ValueList><Value>(0", ",1",
         ")</Value></ValueList></Slot>", XCA_VALUES_MAX - 3},
        /* what it costs follows from its bytes, and not from their square */
        {"<Slot name='$x'><ValueList><Value>('1'", value, ")</Value></ValueList></Slot>",
         XCA_VALUES_MAX - 1},
    };
    (void)snprintf(value, sizeof(value), ",'%0*d'", (int)sizeof(value) - 4, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t more = 0; more < 2; more++) {
            struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
            struct diag diag = {0};
            struct stored_query query;
            CLEANUP(buf_done) struct buf xml;
            buf_init(&xml, (size_t)1024 * 1024);
            CHECK_OK(&diag, buf_append_cstr(&xml, QUERY_START, &diag));
            CHECK_OK(&diag, buf_append_cstr(&xml, rows[i].before, &diag));
            for (size_t n = 0; n < rows[i].most + more; n++) {
                CHECK_OK(&diag, buf_append_cstr(&xml, rows[i].piece, &diag));
            }
            CHECK_OK(&diag, buf_append_cstr(&xml, rows[i].after, &diag));
            CHECK_OK(&diag, buf_append(&xml, span_of(QUERY_END, sizeof(QUERY_END)), &diag));
            if (!CHECK_ERR(&diag, more == 0 ? ERR_NONE : ERR_LIMIT_ITEMS,
                           read_query(xml.p, arena, &diag, &query))) {
                printf("      row %zu, %zu\n", i, rows[i].most + more);
            }
            arena_free(arena);
        }
    }
}

static void
test_query_params(void)
{
    static const char xml[] =
        QUERY(ID " home='urn:oid:2.999.2'", LEAF,
              SLOT("$one", "'1'") SLOT("$list", "('a','b')") SLOT("$single", "('s')")
                  SLOT("$twice", "'1'") SLOT("$twice", "'2'") SLOT("$empty", "()")
                      SLOT("$targetCommunityIdList", ""));
    static const struct {
        const char *name;
        bool is_required;
        enum err one, many;
        const char *want_one, *want_many;
    } rows[] = {
        {"$one", true, ERR_NONE, ERR_NONE, "1", "1"},
        {"$list", true, ERR_QUERY_PARAM_NUMBER, ERR_NONE, "", "a|b"},
        {"$single", true, ERR_NONE, ERR_NONE, "s", "s"},
        {"$twice", true, ERR_QUERY_PARAM_NUMBER, ERR_QUERY_PARAM_NUMBER, "", ""},
        {"$empty", true, ERR_QUERY_PARAM_MISSING, ERR_QUERY_PARAM_MISSING, "", ""},
        {"$empty", false, ERR_NONE, ERR_NONE, "", ""},
        {"$absent", true, ERR_QUERY_PARAM_MISSING, ERR_QUERY_PARAM_MISSING, "", ""},
        {"$absent", false, ERR_NONE, ERR_NONE, "", ""},
        {"$targetCommunityIdList", false, ERR_NONE, ERR_NONE, "", ""},
        {"$ONE", false, ERR_NONE, ERR_NONE, "", ""},
    };
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct stored_query query;
    CHECK_OK(&diag, read_query(xml, arena, &diag, &query));
    CHECK_SPAN(query.home, "urn:oid:2.999.2");
    CU_ASSERT_EQUAL(query.params.n, 7);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span one = SPAN_EMPTY;
        struct span_list many = {.items = NULL};
        diag_clear(&diag);
        CHECK_ERR(&diag, rows[i].one,
                  query_param_one(&query, rows[i].name, rows[i].is_required, &diag, &one));
        CHECK_SPAN(one, rows[i].want_one);
        diag_clear(&diag);
        CHECK_ERR(&diag, rows[i].many,
                  query_param_many(&query, rows[i].name, rows[i].is_required, &diag, &many));
        CHECK_SPAN(join(&many, false, arena), rows[i].want_many);
    }
    arena_free(arena);
}

static void
test_query_round_trip(void)
{
    struct span patient[] = {SPAN("P'1^^^&2.999.1&ISO")};
    struct span status[] = {SPAN(DOCUMENT_APPROVED), SPAN(DOCUMENT_DEPRECATED)};
    struct span time[] = {SPAN("20250101")};
    struct span text[] = {SPAN("<&\xc3\xa9\">")};
    struct query_param params[] = {
        {.name = SPAN("$XDSDocumentEntryPatientId"), .values = {patient, 1, 0}},
        {.name = SPAN("$XDSDocumentEntryStatus"), .values = {status, 2, 0}, .is_multiple = true},
        {.name = SPAN("$XDSDocumentEntryCreationTimeFrom"), .values = {time, 1, 0}},
        {.name = SPAN("$XDSDocumentEntryEventCodeList"), .values = {text, 1, 0}},
        {.name = SPAN("$XDSDocumentEntryEventCodeList"), .values = {patient, 1, 0}},
    };
    for (int is_leaf = 0; is_leaf < 2; is_leaf++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct buf out;
        struct span sent = SPAN_EMPTY;
        struct message *message = NULL;
        struct stored_query got = {.id = SPAN_EMPTY};
        const struct stored_query query = {
            .id = SPAN(XCA_FIND_DOCUMENTS),
            .home = is_leaf != 0 ? SPAN("urn:oid:2.999.2") : SPAN_EMPTY,
            .wants_leaf_class = is_leaf != 0,
            .params = {.items = params, .n = ARRAY_LEN(params)},
        };
        buf_init(&out, 100000);
        diag_clear(&diag);
        CHECK_OK(&diag, stored_query_write(&query, arena, &out, &diag, &sent));
        CU_ASSERT(span_eq(sent, buf_span(&out)));
        support_check_schema(XDS_SCHEMA("ebRS30/query.xsd"), buf_span(&out));
        CU_ASSERT(span_find(sent, SPAN(">20250101<")) != SPAN_MISSING);
        CHECK_OK(&diag, support_message(buf_span(&out), arena, &diag, &message));
        CHECK_OK(&diag, stored_query_read(message, arena, &diag, &got));
        CHECK_SPAN(got.id, XCA_FIND_DOCUMENTS);
        CU_ASSERT(span_eq(got.home, query.home));
        CU_ASSERT_EQUAL(got.wants_leaf_class, query.wants_leaf_class);
        CU_ASSERT_EQUAL_FATAL(got.params.n, ARRAY_LEN(params));
        for (size_t i = 0; i < ARRAY_LEN(params); i++) {
            CU_ASSERT(span_eq(got.params.items[i].name, params[i].name));
            CU_ASSERT_EQUAL(got.params.items[i].is_multiple, params[i].is_multiple);
            CU_ASSERT(span_eq(join(&got.params.items[i].values, false, arena),
                              join(&params[i].values, false, arena)));
        }
        buf_done(&out);
        arena_free(arena);
    }
}

/* ---- queries of other systems ---- */

static void
test_sample_queries(void)
{
    static const struct {
        const char *file;
        enum err want;
        const char *id, *home;
        bool is_leaf;
        size_t params;
        const char *name, *values; /* of one parameter */
    } rows[] = {
        /* an open quote: somebody's SQL after the patient id */
        {"ihe/samples/ipf/iti18request.xml", ERR_MESSAGE_CONTENT, "", "", false, 0, "", ""},
        {"ihe/samples/ipf/iti51request.xml", ERR_NONE,
         "urn:uuid:3d1bdb10-39a2-11de-89c2-2f44d94eaa9f", "", true, 2, "$XDSDocumentEntryPatientId",
         "* 1^^^&1.2.3.4&ISO|2^^^&1.2.3.4&ISO"},
        {"ihe/samples/epr-by-example/ITI-18_request_raw.xml", ERR_NONE, XCA_FIND_DOCUMENTS, "",
         false, 2, "$XDSDocumentEntryPatientId",
         "7e1c6e78-58f1-4a43-ae88-0d5a5c4ab43e^^^&1.3.6.1.4.1.21367.2017.2.5.45&ISO"},
        {"ihe/samples/sds-ehdsi/xca__query__request-ep.xml", ERR_NONE, XCA_FIND_DOCUMENTS, "", true,
         3, "$XDSDocumentEntryClassCode", "*57833-6^^2.16.840.1.113883.6.1"},
        {"ihe/samples/sds-ehdsi/xca__query__request-ps.xml", ERR_NONE, XCA_FIND_DOCUMENTS, "", true,
         3, "$XDSDocumentEntryClassCode", "*60591-5^^2.16.840.1.113883.6.1"},
        {"ihe/testkit/nist-toolkit/xca-tests/12307__query.xml", ERR_NONE, XCA_GET_DOCUMENTS,
         "$home", true, 1, "$XDSDocumentEntryEntryUUID", "*$doc_uuid_1$|$doc_uuid_2$"},
        {"ihe/testkit/nist-toolkit/xca-tests/15829__finddocs__query.xml", ERR_NONE,
         XCA_FIND_DOCUMENTS, "$home$", true, 3, "$XDSDocumentEntryStatus",
         "*" DOCUMENT_APPROVED "|" DOCUMENT_DEPRECATED},
        {"ihe/testkit/nist-toolkit/utilities__FindDocumentsByRefId__XCA__query.xml", ERR_NONE,
         "urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492", "$home$", false, 3,
         "$XDSDocumentEntryReferenceIdList", "*$refId0$|$refId1$|$refId2$"},
        /* a text to be filled in stands where the return type does */
        {"ihe/testkit/nist-toolkit/utilities__GetAll__XCA__query.xml", ERR_MESSAGE_CONTENT, "", "",
         false, 0, "", ""},
        {"ihe/testkit/nist-toolkit/xca-tests/12308__retrieve.xml", ERR_MESSAGE_CONTENT, "", "",
         false, 0, "", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        struct stored_query query = {.id = SPAN_EMPTY};
        diag_clear(&diag);
        if (support_sample(rows[i].file, arena, &message) &&
            CHECK_ERR(&diag, rows[i].want, stored_query_read(message, arena, &diag, &query)) &&
            rows[i].want == ERR_NONE) {
            bool is_found = false;
            CHECK_SPAN(query.id, rows[i].id);
            CHECK_SPAN(query.home, rows[i].home);
            CU_ASSERT_EQUAL(query.wants_leaf_class, rows[i].is_leaf);
            CU_ASSERT_EQUAL(query.params.n, rows[i].params);
            for (size_t k = 0; k < query.params.n; k++) {
                const struct query_param *param = &query.params.items[k];
                if (span_eq_cstr(param->name, rows[i].name)) {
                    is_found = true;
                    CHECK_SPAN(join(&param->values, param->is_multiple, arena), rows[i].values);
                }
            }
            CU_ASSERT(is_found);
            CU_ASSERT(span_find(query.query_xml, SPAN("AdhocQuery")) != SPAN_MISSING);
        }
        arena_free(arena);
    }
}

static const struct unit_test tests[] = {
    /* REQ: SQ-values-malformed */
    {"values that are refused", test_values_refused},
    {"queries that are refused", test_queries_refused},
    {"queries that ask for too much at once", test_queries_bounded},
    /* REQ: SQ-values-quoted, SQ-values-list */
    {"values as they are written in the field", test_values},
    /* REQ: SQ-values-quoted */
    {"values as we write them", test_values_written},
    {"values passed on", test_values_passed_on},
    /* REQ: SQ-values-list, SQ-repeated-refused */
    {"required, single and repeated parameters", test_query_params},
    {"a query comes back", test_query_round_trip},
    {"queries of other systems", test_sample_queries},
};
UNIT_MAIN("xca", tests)
