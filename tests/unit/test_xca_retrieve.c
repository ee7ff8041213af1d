/*
 * ITI-39: questions and answers, documents as MIME parts and inline, what is refused of XOP, and
 * the messages of other systems.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "soap/envelope.h"
#include "soap/regrep.h"
#include "soap/xca.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

/* ---- questions ---- */

#define REQUEST(x)                                                                                 \
    "<RetrieveDocumentSetRequest xmlns='" NS_XDSB "'>" x "</RetrieveDocumentSetRequest>"
#define ASK(x) "<DocumentRequest>" x "</DocumentRequest>"
#define REPO   "<RepositoryUniqueId>2.999.7</RepositoryUniqueId>"
#define DOC    "<DocumentUniqueId>2.999.8</DocumentUniqueId>"

static void
test_questions_refused(void)
{
    static const struct {
        const char *xml;
        enum err want;
    } rows[] = {
        {"<x/>", ERR_MESSAGE_CONTENT},
        {"<RetrieveDocumentSetRequest/>", ERR_MESSAGE_CONTENT},
        {REQUEST(""), ERR_MESSAGE_CONTENT},
        {REQUEST(ASK("")), ERR_MESSAGE_CONTENT},
        {REQUEST(ASK(REPO)), ERR_MESSAGE_CONTENT},
        {REQUEST(ASK(DOC)), ERR_MESSAGE_CONTENT},
        {REQUEST(ASK(REPO DOC) ASK(REPO)), ERR_MESSAGE_CONTENT},
        {REQUEST(ASK(REPO "<DocumentUniqueId> </DocumentUniqueId>")), ERR_MESSAGE_CONTENT},
        {REQUEST(ASK(REPO REPO DOC)), ERR_MESSAGE_CONTENT},
        {REQUEST(ASK(REPO DOC DOC)), ERR_MESSAGE_CONTENT},
        {REQUEST(ASK("<HomeCommunityId/><HomeCommunityId/>" REPO DOC)), ERR_MESSAGE_CONTENT},
        {REQUEST(ASK(REPO "<DocumentUniqueId>2.<b/>9</DocumentUniqueId>")), ERR_MESSAGE_CONTENT},
        {REQUEST(ASK(REPO DOC "<i:Include xmlns:i='" NS_XOP "' href='cid:a'/>")), ERR_XOP},
        {REQUEST(ASK(REPO "<DocumentUniqueId xmlns='urn:other'>1</DocumentUniqueId>")),
         ERR_MESSAGE_CONTENT},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        struct document_ref_list refs = {.n = 77};
        diag_clear(&diag);
        CHECK_OK(&diag, support_message(span_of_cstr(rows[i].xml), arena, &diag, &message));
        if (message != NULL &&
            !CHECK_ERR(&diag, rows[i].want, retrieve_query_read(message, arena, &diag, &refs))) {
            printf("      %s\n", rows[i].xml);
        }
        CU_ASSERT_EQUAL(refs.n, 77);
        arena_free(arena);
    }
}

/* As many documents as one request may name, and one more. */
static void
test_questions_bounded(void)
{
    for (size_t n = XCA_REQUESTS_MAX; n <= XCA_REQUESTS_MAX + 1; n++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag = {0};
        struct message *message = NULL;
        struct document_ref_list refs = {.items = NULL};
        CLEANUP(buf_done) struct buf xml;
        buf_init(&xml, (size_t)1024 * 1024);
        CHECK_OK(&diag,
                 buf_append_cstr(&xml, "<RetrieveDocumentSetRequest xmlns='" NS_XDSB "'>", &diag));
        for (size_t i = 0; i < n; i++) {
            CHECK_OK(&diag, buf_append_cstr(&xml, ASK(REPO DOC), &diag));
        }
        CHECK_OK(&diag, buf_append_cstr(&xml, "</RetrieveDocumentSetRequest>", &diag));
        CHECK_OK(&diag, support_message(buf_span(&xml), arena, &diag, &message));
        CHECK_ERR(&diag, n > XCA_REQUESTS_MAX ? ERR_LIMIT_ITEMS : ERR_NONE,
                  retrieve_query_read(message, arena, &diag, &refs));
        CU_ASSERT(refs.n == (n > XCA_REQUESTS_MAX ? 0 : n));
        arena_free(arena);
    }
}

static void
test_question_round_trip(void)
{
    struct document_ref items[] = {
        {.home = SPAN("urn:oid:2.999.2"), .repository = SPAN("2.999.7"), .unique_id = SPAN("1")},
        {.repository = SPAN("2.999.7"), .unique_id = SPAN("2.999.8^<x>")},
    };
    const struct document_ref_list refs = {.items = items, .n = 2};
    struct document_ref_list got = {.items = NULL};
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct buf out;
    struct message *message = NULL;
    buf_init(&out, 10000);
    diag_clear(&diag);
    CHECK_OK(&diag, retrieve_query_write(&refs, arena, &out, &diag));
    support_check_xdsb(buf_span(&out));
    CHECK_OK(&diag, support_message(buf_span(&out), arena, &diag, &message));
    CHECK_OK(&diag, retrieve_query_read(message, arena, &diag, &got));
    CU_ASSERT_EQUAL_FATAL(got.n, 2);
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT(span_eq(got.items[i].home, items[i].home));
        CU_ASSERT(span_eq(got.items[i].repository, items[i].repository));
        CU_ASSERT(span_eq(got.items[i].unique_id, items[i].unique_id));
    }
    buf_done(&out);
    arena_free(arena);
}

/* ---- answers in MIME ---- */

#define ANSWER(x)                                                                                  \
    "<RetrieveDocumentSetResponse xmlns='" NS_XDSB "' xmlns:i='" NS_XOP "'>"                       \
    "<RegistryResponse xmlns='" NS_RS                                                              \
    "' status='urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success'/>" x                    \
    "</RetrieveDocumentSetResponse>"
#define GOT(x)                                                                                     \
    "<DocumentResponse>" REPO DOC "<mimeType>text/plain</mimeType>" x "</DocumentResponse>"
#define INCLUDE(id) "<i:Include href='" id "'/>"
#define BYTES(x)    "<Document>" x "</Document>"

/* The answer as MTOM with the parts "a@x" ("first"), "b%c" ("second") and "" is never one. */
static struct status
read_packed(const char *payload, struct arena *arena, struct diag *diag,
            struct retrieve_answer *ret_answer)
{
    static const char *const ids[] = {"a@x", "b%c"};
    static const char *const contents[] = {"first", "second"};
    struct body bodies[2];
    struct mtom_part parts[2];
    struct buf envelope, packed;
    struct message *message = NULL;
    struct span kept = SPAN_EMPTY;
    char type[512];
    const struct envelope_answer answer = {.action = SPAN("urn:test"),
                                           .payload = span_of_cstr(payload)};
    const struct message_limits limits = message_limits_answer();
    diag_clear(diag);
    buf_init(&envelope, 1000000);
    buf_init(&packed, 1000000);
    for (size_t i = 0; i < 2; i++) {
        struct buf content;
        buf_init(&content, 100);
        CHECK_OK(diag, buf_append_cstr(&content, contents[i], diag));
        body_from_buf(&bodies[i], &content);
        parts[i] = (struct mtom_part){.content_id = span_of_cstr(ids[i]),
                                      .mime_type = SPAN("text/plain"),
                                      .body = &bodies[i]};
    }
    CHECK_OK(diag, envelope_write_answer(&answer, &envelope, diag));
    CHECK_OK(diag, mtom_write(buf_span(&envelope), parts, 2, SPAN_EMPTY, &packed, diag, type));
    CHECK_OK(diag, arena_dup(arena, buf_span(&packed), diag, &kept));
    CHECK_OK(diag, message_read(kept, span_of_cstr(type), &limits, arena, diag, &message));
    for (size_t i = 0; i < 2; i++) {
        body_done(&bodies[i]);
    }
    buf_done(&envelope);
    buf_done(&packed);
    return message == NULL ? (struct status){ERR_INTERNAL}
                           : retrieve_answer_read(message, arena, diag, ret_answer);
}

static void
test_answers_refused(void)
{
    static const struct {
        const char *xml;
        enum err want;
    } rows[] = {
        {"<x/>", ERR_PARTNER_ANSWER},
        {"<RetrieveDocumentSetResponse xmlns='" NS_XDSB "'/>", ERR_PARTNER_ANSWER},
        {"<RetrieveDocumentSetResponse xmlns='" NS_XDSB "'><RegistryResponse xmlns='" NS_RS
         "'/></RetrieveDocumentSetResponse>",
         ERR_PARTNER_ANSWER},
        {ANSWER(GOT("")), ERR_PARTNER_ANSWER},
        {ANSWER("<DocumentResponse>" REPO BYTES("") "</DocumentResponse>"), ERR_PARTNER_ANSWER},
        {ANSWER(GOT(BYTES("") BYTES(""))), ERR_PARTNER_ANSWER},
        {ANSWER(GOT(BYTES("not base64!"))), ERR_PARTNER_ANSWER},
        {ANSWER(GOT(BYTES("AAA"))), ERR_PARTNER_ANSWER},
        {ANSWER(GOT(BYTES("AA<!-- -->AA"))), ERR_PARTNER_ANSWER},
        {ANSWER(GOT(BYTES("<x xmlns=''/>"))), ERR_XOP},
        {ANSWER(GOT(BYTES("<Include href='cid:a@x'/>"))), ERR_XOP},
        {ANSWER(GOT(BYTES("<i:include href='cid:a@x'/>"))), ERR_XOP},
        {ANSWER(GOT(BYTES(INCLUDE("cid:a@x") INCLUDE("cid:b%25c")))), ERR_XOP},
        {ANSWER(GOT(BYTES("AAAA" INCLUDE("cid:a@x")))), ERR_XOP},
        {ANSWER(GOT(BYTES(INCLUDE("cid:a@x") "AAAA"))), ERR_XOP},
        {ANSWER(GOT(BYTES("<i:Include href='cid:a@x'>x</i:Include>"))), ERR_XOP},
        {ANSWER(GOT(BYTES("<i:Include href='cid:a@x'><y/></i:Include>"))), ERR_XOP},
        {ANSWER(GOT(BYTES("<i:Include/>"))), ERR_XOP},
        {ANSWER(GOT(BYTES(INCLUDE("")))), ERR_XOP},
        {ANSWER(GOT(BYTES(INCLUDE("cid:")))), ERR_XOP},
        {ANSWER(GOT(BYTES(INCLUDE("cid:nobody@x")))), ERR_XOP},
        {ANSWER(GOT(BYTES(INCLUDE("a@x")))), ERR_XOP},
        {ANSWER(GOT(BYTES(INCLUDE("cid:b%c")))), ERR_XOP},
        {ANSWER(GOT(BYTES(INCLUDE("http://127.0.0.1/a")))), ERR_XOP},
        {ANSWER(GOT(BYTES(INCLUDE("file:///etc/passwd")))), ERR_XOP},
        /* one part for two documents */
        {ANSWER(GOT(BYTES(INCLUDE("cid:a@x"))) GOT(BYTES(INCLUDE("cid:a@x")))), ERR_XOP},
        {ANSWER(GOT(BYTES(INCLUDE("cid:a@x"))) GOT(BYTES(INCLUDE("cid:%61@x")))), ERR_XOP},
        /* elsewhere than in a Document */
        {ANSWER(GOT(INCLUDE("cid:a@x"))), ERR_XOP},
        {ANSWER(INCLUDE("cid:a@x")), ERR_XOP},
        {ANSWER("<DocumentResponse>" REPO "<DocumentUniqueId>" INCLUDE(
             "cid:a@x") "</DocumentUniqueId>" BYTES("") "</DocumentResponse>"),
         ERR_XOP},
        /* the first is fine and must be given back */
        {ANSWER(GOT(BYTES(INCLUDE("cid:a@x"))) GOT(BYTES("!"))), ERR_PARTNER_ANSWER},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct retrieve_answer answer = {.documents = {.n = 77}};
        if (!CHECK_ERR(&diag, rows[i].want, read_packed(rows[i].xml, arena, &diag, &answer))) {
            printf("      %s\n", rows[i].xml);
        }
        CU_ASSERT_EQUAL(answer.documents.n, 77);
        arena_free(arena);
    }
}

static void
check_body(const struct body *body, const char *want)
{
    struct diag diag;
    struct buf scratch;
    struct span bytes = SPAN_EMPTY;
    diag_clear(&diag);
    buf_init(&scratch, 100000);
    CHECK_OK(&diag, body_span(body, &scratch, &diag, &bytes));
    CHECK_SPAN(bytes, want);
    buf_done(&scratch);
}

static void
test_answers_read(void)
{
    static const struct {
        const char *xml;
        const char *contents[2];
    } rows[] = {
        {ANSWER(""), {NULL}},
        {ANSWER(GOT(BYTES(INCLUDE("cid:a@x")))), {"first"}},
        {ANSWER(GOT(BYTES(INCLUDE("CID:a%40x")))), {"first"}},
        {ANSWER(GOT(BYTES("\n   " INCLUDE(" cid:b%25c ") "\n"))), {"second"}},
        {ANSWER(GOT(BYTES("<i:Include href='cid:a@x'> </i:Include>"))), {"first"}},
        {ANSWER(GOT(BYTES(INCLUDE("cid:b%25c"))) GOT(BYTES(INCLUDE("cid:a@x")))),
         {"second", "first"}},
        {ANSWER(GOT(BYTES("aW5saW5l"))), {"inline"}},
        {ANSWER(GOT(BYTES(" aW5s\n aW5l\n"))), {"inline"}},
        {ANSWER(GOT(BYTES(""))), {""}},
        {ANSWER(GOT(BYTES("aW5saW5l")) GOT(BYTES(INCLUDE("cid:a@x")))), {"inline", "first"}},
        /* another order, and what we do not read */
        {ANSWER("<DocumentResponse>" BYTES(INCLUDE(
             "cid:a@x")) "<mimeType> text/plain </mimeType>"
                         "<NewDocumentUniqueId>1</NewDocumentUniqueId><x xmlns='urn:x'>y</x>" DOC
                             REPO "</DocumentResponse>"),
         {"first"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct retrieve_answer answer = {.documents = {.items = NULL}};
        if (CHECK_OK(&diag, read_packed(rows[i].xml, arena, &diag, &answer))) {
            const size_t n = rows[i].contents[0] == NULL ? 0 : rows[i].contents[1] == NULL ? 1 : 2;
            CU_ASSERT_EQUAL_FATAL(answer.documents.n, n);
            for (size_t k = 0; k < n; k++) {
                check_body(&answer.documents.items[k].body, rows[i].contents[k]);
                CHECK_SPAN(answer.documents.items[k].mime_type, "text/plain");
                CHECK_SPAN(answer.documents.items[k].ref.unique_id, "2.999.8");
                CHECK_SPAN(answer.documents.items[k].ref.repository, "2.999.7");
                CHECK_SPAN(answer.documents.items[k].ref.home, "");
            }
        }
        retrieve_answer_done(&answer);
        retrieve_answer_done(&answer); /* twice is fine */
        arena_free(arena);
    }
}

/* ---- what we write, packed and unpacked ---- */

static struct retrieved_document
make_document(const char *unique_id, const char *bytes, size_t n)
{
    struct diag diag;
    struct buf content;
    struct retrieved_document document = {
        .ref = {.home = SPAN("urn:oid:2.999.2"),
                .repository = SPAN("2.999.7"),
                .unique_id = span_of_cstr(unique_id)},
        .mime_type = SPAN("application/pdf"),
    };
    diag_clear(&diag);
    buf_init(&content, 1000000);
    CHECK_OK(&diag, buf_append(&content, span_of(bytes, n), &diag));
    body_from_buf(&document.body, &content);
    return document;
}

static struct span
pack(struct retrieve_answer *answer, struct arena *arena, char type[512])
{
    struct diag diag;
    struct buf payload, envelope, packed;
    struct span kept = SPAN_EMPTY;
    struct mtom_part parts[2];
    diag_clear(&diag);
    buf_init(&payload, 100000);
    buf_init(&envelope, 100000);
    buf_init(&packed, 1000000);
    CHECK_OK(&diag, retrieve_answer_write(answer, arena, &payload, &diag));
    for (size_t i = 0; i < answer->documents.n; i++) {
        const struct retrieved_document *document = &answer->documents.items[i];
        parts[i] = (struct mtom_part){.content_id = document->content_id,
                                      .mime_type = document->mime_type,
                                      .body = &document->body};
        CU_ASSERT(span_find(buf_span(&payload), SPAN("<xdsb:Document><xop:Include ")) !=
                  SPAN_MISSING);
    }
    CU_ASSERT(span_find(buf_span(&payload), SPAN("> <")) == SPAN_MISSING);
    const struct envelope_answer out = {.action = SPAN("urn:a"), .payload = buf_span(&payload)};
    CHECK_OK(&diag, envelope_write_answer(&out, &envelope, &diag));
    CHECK_OK(&diag, mtom_write(buf_span(&envelope), parts, answer->documents.n, SPAN("urn:a"),
                               &packed, &diag, type));
    CHECK_OK(&diag, arena_dup(arena, buf_span(&packed), &diag, &kept));
    /* The schema knows base64 only; what XOP means is the bytes in place of the Include. */
    struct span plain = buf_span(&payload);
    for (size_t at = span_find(plain, SPAN("<xop:Include ")); at != SPAN_MISSING;
         at = span_find(plain, SPAN("<xop:Include "))) {
        const size_t end = span_find(plain, SPAN("</xop:Include>")) + strlen("</xop:Include>");
        CHECK_OK(&diag, arena_printf(arena, &diag, &plain, "%.*sAAAA%.*s", (int)at, plain.p,
                                     (int)(plain.n - end), plain.p + end));
    }
    support_check_xdsb(plain);
    buf_done(&payload);
    buf_done(&envelope);
    buf_done(&packed);
    return kept;
}

static void
test_answer_round_trip(void)
{
    static char every[256 * 16];
    for (size_t i = 0; i < sizeof(every); i++) {
        every[i] = (char)i;
    }
    struct registry_error errors[] = {{.code = SPAN("XDSDocumentUniqueIdError"),
                                       .context = SPAN("gone"),
                                       .location = SPAN("urn:oid:2.999.2 2.999.9")}};
    for (size_t n = 0; n <= 2; n++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        char type[512];
        const struct message_limits limits = message_limits_answer();
        struct retrieved_document documents[2] = {
            make_document("2.999.8^<1>", every, sizeof(every)), make_document("2.999.8.2", "", 0)};
        struct retrieve_answer got = {.documents = {.items = NULL}};
        struct retrieve_answer answer = {
            .status = n == 0 ? REGISTRY_FAILURE : REGISTRY_PARTIAL_SUCCESS,
            .errors = {.items = errors, .n = n == 2 ? 0U : 1U},
            .documents = {.items = documents, .n = n},
        };
        diag_clear(&diag);
        const struct span packed = pack(&answer, arena, type);
        CHECK_OK(&diag, message_read(packed, span_of_cstr(type), &limits, arena, &diag, &message));
        CHECK_OK(&diag, retrieve_answer_read(message, arena, &diag, &got));
        CU_ASSERT_EQUAL(got.status, answer.status);
        CU_ASSERT_EQUAL(got.errors.n, answer.errors.n);
        CU_ASSERT_EQUAL_FATAL(got.documents.n, n);
        for (size_t i = 0; i < n; i++) {
            const struct retrieved_document *a = &got.documents.items[i];
            CU_ASSERT(span_eq(a->ref.home, documents[i].ref.home));
            CU_ASSERT(span_eq(a->ref.repository, documents[i].ref.repository));
            CU_ASSERT(span_eq(a->ref.unique_id, documents[i].ref.unique_id));
            CU_ASSERT(span_eq(a->mime_type, documents[i].mime_type));
            CU_ASSERT(span_eq(buf_span(&a->body.memory), buf_span(&documents[i].body.memory)));
        }
        retrieve_answer_done(&got);
        body_done(&documents[0].body);
        body_done(&documents[1].body);
        arena_free(arena);
    }
}

/* ---- messages of other systems ---- */

static void
test_samples(void)
{
    static const struct {
        const char *file;
        size_t n;
        const char *home, *repository, *unique_id; /* of the last */
    } rows[] = {
        {"ihe/samples/epr-by-example/ITI-43_request_raw.xml", 1,
         "urn:oid:1.3.6.1.4.1.21367.2017.2.6.19", "1.3.6.1.4.1.21367.2017.2.3.54",
         "1.3.6.1.4.1.21367.2017.2.1.75.20200922130227623"},
        {"ihe/samples/sds-ehdsi/xca__retrieve__request-ep.xml", 1, "", "1.2.208.176.7.2.3",
         "1.2.208.176.7.2.3^507397226156101L3"},
        {"ihe/testkit/nist-toolkit/xca-tests/12308__retrieve.xml", 2, "$home$", "$repositoryuid$",
         "$docuid2$"},
        {"ihe/testkit/nist-toolkit/xca-tests/12313__query.xml", 2, "$home$", "$repositoryuid$",
         "$docuid2$"},
        {"ihe/testkit/nist-toolkit/xca-tests/12312__missing_home__query.xml", 1, "",
         "$repositoryuid$", "$docuid$"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        struct document_ref_list refs = {.items = NULL};
        diag_clear(&diag);
        if (support_sample(rows[i].file, arena, &message) &&
            CHECK_OK(&diag, retrieve_query_read(message, arena, &diag, &refs))) {
            CU_ASSERT_EQUAL_FATAL(refs.n, rows[i].n);
            CHECK_SPAN(refs.items[refs.n - 1].home, rows[i].home);
            CHECK_SPAN(refs.items[refs.n - 1].repository, rows[i].repository);
            CHECK_SPAN(refs.items[refs.n - 1].unique_id, rows[i].unique_id);
        }
        arena_free(arena);
    }
}

/* A recorded answer whose attachment was not recorded: as it is, and with the Include as base64. */
static void
test_sample_answer(void)
{
    static const char include[] = "<xop:Include href=\"cid:"
                                  "72f7c587daaacb8b81212de4e80e442e5f43394482e12edd@apache.org\"/>";
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct span file = SPAN_EMPTY;
    struct message *message = NULL;
    struct retrieve_answer answer = {.documents = {.items = NULL}};
    diag_clear(&diag);
    if (support_data("ihe/samples/epr-by-example/ITI-43_response_raw.xml", arena, &file)) {
        CHECK_OK(&diag, support_envelope(file, arena, &diag, &message));
        CHECK_ERR(&diag, ERR_XOP, retrieve_answer_read(message, arena, &diag, &answer));
        diag_clear(&diag);
        file = support_replace(arena, file, include, "aW5saW5l");
        CHECK_OK(&diag, support_envelope(file, arena, &diag, &message));
        CHECK_OK(&diag, retrieve_answer_read(message, arena, &diag, &answer));
        CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
        CU_ASSERT_EQUAL_FATAL(answer.documents.n, 1);
        check_body(&answer.documents.items[0].body, "inline");
        CHECK_SPAN(answer.documents.items[0].mime_type, "application/pdf");
        CHECK_SPAN(answer.documents.items[0].ref.home, "urn:oid:1.3.6.1.4.1.21367.2017.2.6.19");
        retrieve_answer_done(&answer);
    }
    arena_free(arena);
}

static const struct unit_test tests[] = {
    {"questions that are refused", test_questions_refused},
    {"questions for too many documents", test_questions_bounded},
    /* REQ: MTOM-dangling */
    {"answers that are refused", test_answers_refused},
    /* REQ: ITI39-request-order */
    {"a question comes back", test_question_round_trip},
    /* REQ: MTOM-inline */
    {"documents as parts and inline", test_answers_read},
    /* REQ: MTOM-bytes */
    {"an answer comes back byte for byte", test_answer_round_trip},
    {"questions of other systems", test_samples},
    {"an answer of another system", test_sample_answer},
};
UNIT_MAIN("xca_retrieve", tests)
