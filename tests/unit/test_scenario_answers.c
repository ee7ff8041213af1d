/*
 * What a partner's answer may do to us: answers are not signed, so a partner (or its own partners)
 * may say anything. Each thing costs its own leg at most, is named to the user, and is recorded.
 */
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "scene_kit.h"
#include "soap/envelope.h"

static struct scene scene; /* large; one at a time */

static struct place *
red(void)
{
    return scene_place(&scene, "red");
}

static size_t
questions_to(const char *partner)
{
    size_t n = 0;

    for (size_t i = 0; i < scene.questions_n; i++) {
        n += strcmp(scene.questions[i].to->id, partner) == 0 ? 1 : 0;
    }
    return n;
}

/* Red gathers; green's answer number <round> is forged on the way, all others are genuine. */
static struct asking *
gather_with_forged(int round, const char *from, const char *to)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    struct asking *asking;

    scene_ask(red(), &order, &asking);
    for (int i = 0; i < round; i++) {
        scene_deliver_all(&scene, "green");
        scene_deliver(&scene, kit_question_to(&scene, "green"));
    }
    scene_deliver_forged(&scene, kit_question_to(&scene, "green"), from, to);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->txn.diag.code, ERR_NONE); /* whatever green says, the others count */
    CU_ASSERT_EQUAL(kit_documents_from(asking, "blue"), 1);
    return asking;
}

/* ---- ITI-55 ---- */

static void
test_an_unusable_patient_id_costs_one_leg(void)
{
    static const char *const roots[] = {"root=\"not-an-oid\"", "root=\"2.999.2.1\" bad=\"\""};
    struct asking *asking;

    for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
        kit_open_three(&scene);
        if (i == 0) {
            asking = gather_with_forged(0, "root=\"2.999.2.1\"", roots[i]);
        } else { /* an id that CX cannot hold */
            asking = gather_with_forged(0, "root=\"2.999.2.1\" extension=\"",
                                        "root=\"2.999.2.1\" extension=\"a&amp;b^c");
        }
        CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 0);
        CU_ASSERT_EQUAL(asking_failed(asking), 1);
        CU_ASSERT_EQUAL(questions_to("green"), 1); /* not asked about an id that means nothing */
        asking_free(asking);
        scene_close(&scene);
    }
}

static void
test_a_foreign_community_is_dropped_and_recorded(void)
{
    static const char *const homes[] = {"root=\"2.999.1\"", "root=\"2.999.3\"",
                                        "root=\"2.999.404\""};
    const struct leg *leg;
    struct asking *asking;

    for (size_t i = 0; i < ARRAY_LEN(homes); i++) {
        kit_open_three(&scene);
        asking = gather_with_forged(0, "root=\"2.999.2\"", homes[i]);
        leg = kit_leg_of(asking, 0, "green");
        CU_ASSERT_PTR_NOT_NULL_FATAL(leg);
        CU_ASSERT_EQUAL(leg->matches.n, 0);
        CU_ASSERT_EQUAL(leg->dropped, 1);
        CU_ASSERT_EQUAL(leg->diag.code, ERR_PARTNER_ANSWER); /* the user is told */
        CU_ASSERT_EQUAL(asking_failed(asking), 1);
        CU_ASSERT_EQUAL(questions_to("green"), 1);
        CU_ASSERT_EQUAL(questions_to("blue"), 3);
        CU_ASSERT_EQUAL(
            scene_count_events(red(), AUDIT_ITI_55, AUDIT_INITIATING, AUDIT_OUTCOME, false), 1);
        asking_free(asking);
        scene_close(&scene);
    }
}

/* <text> with what stands from <start> up to and with <end> written <times> times. */
static struct span
repeated(const struct scene_reply *reply, const char *start, const char *end, size_t times,
         struct buf *out)
{
    const struct span text = span_of(reply->text, reply->n);
    const size_t from = span_find(text, span_of_cstr(start));
    const size_t length =
        span_find(span_slice(text, from, text.n), span_of_cstr(end)) + strlen(end);
    struct diag diag = {0};

    CU_ASSERT_NOT_EQUAL_FATAL(from, SPAN_MISSING);
    buf_reset(out);
    CHECK_OK(&diag, buf_append(out, span_slice(text, 0, from), &diag));
    for (size_t i = 0; i < times; i++) {
        CHECK_OK(&diag, buf_append(out, span_slice(text, from, length), &diag));
    }
    CHECK_OK(&diag, buf_append(out, span_slice(text, from + length, text.n), &diag));
    return buf_span(out);
}

static void
test_two_matches_in_one_community_are_not_guessed(void)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    const struct scene_reply *reply;
    struct asking *asking;
    struct buf twice;

    kit_open_three(&scene);
    buf_init(&twice, (size_t)1024 * 1024);
    scene_ask(red(), &order, &asking);
    reply = kit_answer_of_green(&scene);
    scene_answer(&scene, kit_question_to(&scene, "green"), 200, reply->content_type,
                 repeated(reply, "<subject ", "</subject>", 2, &twice));
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 2);
    CU_ASSERT_EQUAL(questions_to("green"), 1);
    CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 0);
    CU_ASSERT_EQUAL(kit_documents_from(asking, "blue"), 1);
    buf_done(&twice);
    asking_free(asking);
    scene_close(&scene);
}

/* ---- ITI-38 ---- */

static void
test_entries_of_foreign_communities_are_dropped(void)
{
    static const char *const homes[] = {"home=\"urn:oid:2.999.3\"", "home=\"urn:oid:2.999.1\"",
                                        "home=\"\"", ""};
    const struct leg *leg;
    struct asking *asking;

    for (size_t i = 0; i < ARRAY_LEN(homes); i++) {
        kit_open_three(&scene);
        asking = gather_with_forged(1, "home=\"urn:oid:2.999.2\"", homes[i]);
        leg = kit_leg_of(asking, 1, "green");
        CU_ASSERT_PTR_NOT_NULL_FATAL(leg);
        CU_ASSERT_EQUAL(leg->objects.documents.n, 0);
        CU_ASSERT_EQUAL(leg->dropped, 2);
        CU_ASSERT_EQUAL(leg->diag.code, ERR_PARTNER_ANSWER);
        CU_ASSERT_EQUAL(asking_failed(asking), 1);
        CU_ASSERT_EQUAL(questions_to("green"), 2);
        CU_ASSERT_EQUAL(
            scene_count_events(red(), AUDIT_ITI_38, AUDIT_INITIATING, AUDIT_OUTCOME, false), 1);
        asking_free(asking);
        scene_close(&scene);
    }
}

/* The same document named a hundred times is asked for once. */
static void
test_an_entry_named_often_is_asked_for_once(void)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    const struct scene_reply *reply;
    struct asking *asking;
    struct buf often;

    kit_open_three(&scene);
    buf_init(&often, (size_t)4 * 1024 * 1024);
    scene_ask(red(), &order, &asking);
    scene_deliver(&scene, kit_question_to(&scene, "green"));
    scene_deliver_all(&scene, "green");
    reply = kit_answer_of_green(&scene);
    scene_answer(&scene, kit_question_to(&scene, "green"), 200, reply->content_type,
                 repeated(reply, "<rim:ExtrinsicObject", "</rim:ExtrinsicObject>", 100, &often));
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 2, "green")->refs.n, 2);
    CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 2);
    buf_done(&often);
    asking_free(asking);
    scene_close(&scene);
}

#define RS_ERROR(code)                                                                             \
    "<rs:RegistryErrorList xmlns:rs=\"urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0\">"               \
    "<rs:RegistryError errorCode=\"" code "\" codeContext=\"sub-network\" "                        \
    "severity=\"urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error\"/>"                       \
    "</rs:RegistryErrorList><rim:RegistryObjectList"
#define STATUS_SUCCESS "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"

/* Some of what lies behind the community answered: its documents count, and the rest is named. */
static void
test_a_partial_answer_is_used_and_named(void)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    const struct scene_reply *reply;
    const struct leg *leg;
    struct asking *asking;
    struct buf partial;
    struct diag diag = {0};
    struct span text, rest;
    size_t at;

    kit_open_three(&scene);
    buf_init(&partial, (size_t)1024 * 1024);
    scene_ask(red(), &order, &asking);
    scene_deliver(&scene, kit_question_to(&scene, "green"));
    scene_deliver_all(&scene, "green");
    reply = kit_answer_of_green(&scene);
    text = span_of(reply->text, reply->n);
    at = span_find(text, SPAN(STATUS_SUCCESS));
    CU_ASSERT_NOT_EQUAL_FATAL(at, SPAN_MISSING);
    CHECK_OK(&diag, buf_append(&partial, span_slice(text, 0, at), &diag));
    CHECK_OK(&diag, buf_append_cstr(&partial, "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess",
                                    &diag));
    rest = span_slice(text, at + strlen(STATUS_SUCCESS), text.n);
    at = span_find(rest, SPAN("<rim:RegistryObjectList"));
    CU_ASSERT_NOT_EQUAL_FATAL(at, SPAN_MISSING);
    CHECK_OK(&diag, buf_append(&partial, span_slice(rest, 0, at), &diag));
    CHECK_OK(&diag, buf_append_cstr(&partial, RS_ERROR("XDSRegistryBusy"), &diag));
    CHECK_OK(&diag,
             buf_append(&partial, span_slice(rest, at + strlen("<rim:RegistryObjectList"), rest.n),
                        &diag));
    scene_answer(&scene, kit_question_to(&scene, "green"), 200, reply->content_type,
                 buf_span(&partial));
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    leg = kit_leg_of(asking, 1, "green");
    CU_ASSERT_EQUAL(leg->state, LEG_ANSWERED);
    CU_ASSERT_EQUAL(leg->objects.documents.n, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(leg->diag.text, "XDSRegistryBusy"));
    CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 2);
    CU_ASSERT_EQUAL(asking_failed(asking), 1);
    /* success and failure apart: green's two, and blue's one success */
    CU_ASSERT_EQUAL(scene_count_events(red(), AUDIT_ITI_38, AUDIT_INITIATING, AUDIT_OUTCOME, false),
                    1);
    CU_ASSERT_EQUAL(scene_count_events(red(), AUDIT_ITI_38, AUDIT_INITIATING, AUDIT_OUTCOME, true),
                    2);
    buf_done(&partial);
    asking_free(asking);
    scene_close(&scene);
}

/* ITI TF-2 3.38.4.1.3: a community that does not know the id has no documents; that is an answer.
 */
static void
test_an_unknown_patient_is_an_answer(void)
{
    struct asking_order order = scene_order(ASKING_QUERY, ISABELLA);
    struct asking *asking;

    kit_open_three(&scene);
    order.patient_id = (struct ident){SPAN("2.999.2.1"), SPAN("404"), SPAN_EMPTY};
    scene_ask(red(), &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking_failed(asking), 0);
    CU_ASSERT_EQUAL(asking_answered(asking), 3);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 1, "green")->status, REGISTRY_FAILURE);
    /* the registry failed, and the record says so */
    CU_ASSERT_EQUAL(scene_count_events(red(), AUDIT_ITI_38, AUDIT_INITIATING, AUDIT_OUTCOME, false),
                    2);
    asking_free(asking);
    scene_close(&scene);
}

/* ---- ITI-39 ---- */

static void
test_documents_belong_to_the_community_that_was_asked(void)
{
    static const char *const homes[] = {"HomeCommunityId>urn:oid:2.999.3<",
                                        "HomeCommunityId>urn:oid:2.999.1<",
                                        "HomeCommunityId>../../etc<"};
    struct asking *asking;

    for (size_t i = 0; i < ARRAY_LEN(homes); i++) {
        kit_open_three(&scene);
        asking = gather_with_forged(2, "HomeCommunityId>urn:oid:2.999.2<", homes[i]);
        CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 0);
        CU_ASSERT_EQUAL(kit_leg_of(asking, 2, "green")->dropped, 2);
        CU_ASSERT_EQUAL(asking_failed(asking), 1);
        asking_free(asking);
        scene_close(&scene);
    }
}

static void
test_documents_that_were_not_asked_for_are_dropped(void)
{
    const struct leg *leg;
    struct asking *asking;

    kit_open_three(&scene);
    asking =
        gather_with_forged(2, "RepositoryUniqueId>2.999.2.2<", "RepositoryUniqueId>2.999.3.2<");
    leg = kit_leg_of(asking, 2, "green");
    CU_ASSERT_EQUAL(leg->dropped, 2);
    CU_ASSERT_EQUAL(leg->state, LEG_FAILED);
    CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 0);
    CU_ASSERT_EQUAL(scene_event(red(), 0)->type == AUDIT_ITI_39 ||
                        scene_event(red(), 1)->type == AUDIT_ITI_39,
                    true);
    asking_free(asking);
    scene_close(&scene);
}

/* What red asked green for in its newest question. */
static struct document_ref_list
refs_asked(struct arena *arena, struct span *ret_message_id)
{
    const struct scene_question *question = &scene.questions[kit_question_to(&scene, "green")];
    const struct message_limits limits = message_limits_request((size_t)1024 * 1024);
    struct document_ref_list refs = {0};
    struct message *message = NULL;
    struct diag diag = {0};

    CHECK_OK(&diag, message_read(buf_span(&question->body), span_of_cstr(question->content_type),
                                 &limits, arena, &diag, &message));
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    CHECK_OK(&diag, retrieve_query_read(message, arena, &diag, &refs));
    *ret_message_id = message_addressing(message)->message_id;
    return refs;
}

/* Green answers with documents of these names and contents. */
static void
answer_documents(struct arena *arena, const struct document_ref *refs, const char *const *contents,
                 size_t n, struct span relates_to)
{
    struct retrieved_document documents[4] = {{.mime_type = SPAN("text/xml")}};
    struct retrieve_answer answer = {.status = REGISTRY_SUCCESS, .documents = {documents, n, n}};
    struct envelope_answer envelope = {
        .action = SPAN("urn:ihe:iti:2007:CrossGatewayRetrieveResponse"),
        .message_id = SPAN("urn:uuid:00000000-0000-4000-8000-000000000001"),
        .relates_to = relates_to};
    struct buf payload, text, package;
    struct mtom_part parts[4];
    struct diag diag = {0};
    char content_type[512];

    buf_init(&payload, 65536);
    buf_init(&text, 65536);
    buf_init(&package, 65536);
    for (size_t i = 0; i < n; i++) {
        struct buf content;

        buf_init(&content, 100);
        CHECK_OK(&diag, buf_append_cstr(&content, contents[i], &diag));
        documents[i] = (struct retrieved_document){.ref = refs[i], .mime_type = SPAN("text/xml")};
        body_from_buf(&documents[i].body, &content);
    }
    CHECK_OK(&diag, retrieve_answer_write(&answer, arena, &payload, &diag));
    for (size_t i = 0; i < n; i++) {
        parts[i] =
            (struct mtom_part){documents[i].content_id, documents[i].mime_type, &documents[i].body};
    }
    envelope.payload = buf_span(&payload);
    CHECK_OK(&diag, envelope_write_answer(&envelope, &text, &diag));
    CHECK_OK(&diag,
             mtom_write(buf_span(&text), parts, n, envelope.action, &package, &diag, content_type));
    scene_answer(&scene, kit_question_to(&scene, "green"), 200, content_type, buf_span(&package));
    for (size_t i = 0; i < n; i++) {
        body_done(&documents[i].body);
    }
    buf_done(&payload);
    buf_done(&text);
    buf_done(&package);
}

/* The first is taken; whatever comes under the same name afterwards is not. */
static void
test_a_document_that_comes_twice_is_taken_once(void)
{
    static const char *const contents[] = {"<first/>", "<first/>", "<forged/>"};
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    struct document_ref_list asked;
    struct document_ref refs[3];
    struct arena *arena;
    struct asking *asking;
    struct span message_id;

    kit_open_three(&scene);
    arena = arena_new(ARENA_LIMIT_DEFAULT);
    scene_ask(red(), &order, &asking);
    for (int i = 0; i < 2; i++) {
        scene_deliver_all(&scene, "green");
        scene_deliver(&scene, kit_question_to(&scene, "green"));
    }
    scene_deliver_all(&scene, "green");
    asked = refs_asked(arena, &message_id);
    CU_ASSERT_EQUAL_FATAL(asked.n, 2);
    for (size_t i = 0; i < 3; i++) {
        refs[i] = asked.items[i % 2];
    }
    answer_documents(arena, refs, contents, 3, message_id);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 2, "green")->retrieved.n, 2);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 2, "green")->dropped, 1);
    for (size_t i = 0; i < asking->documents.n; i++) {
        const struct asking_document *document = &asking->documents.items[i];

        if (document->partner != NULL && strcmp(document->partner->id, "green") == 0) {
            CU_ASSERT_EQUAL(document->body.size, strlen("<first/>"));
            CU_ASSERT(document->is_hash_wrong); /* not the bytes that the registry's hash names */
        }
    }
    asking_free(asking);
    arena_free(arena);
    scene_close(&scene);
}

/* Delayed Document Assembly: that hash says "not made yet" (ITI TF-2 3.38.4.1.3), nothing about
 * bytes. */
static void
test_the_hash_of_nothing_is_no_claim(void)
{
    static const char *const bytes[] = {"<ClinicalDocument>shared</ClinicalDocument>",
                                        "<ClinicalDocument>green</ClinicalDocument>"};
    char sha1[SHA1_HEX];
    struct asking *asking;
    struct diag diag = {0};
    size_t wrong;

    for (int i = 0; i < 2; i++) {
        kit_open_three(&scene);
        CHECK_OK(&diag, digest_sha1_hex(span_of_cstr(bytes[i]), &diag, sha1));
        asking = gather_with_forged(1, sha1,
                                    i == 0 ? "da39a3ee5e6b4b0d3255bfef95601890afd80709"
                                           : "da39a3ee5e6b4b0d3255bfef95601890afd80700");
        wrong = 0;
        for (size_t d = 0; d < asking->documents.n; d++) {
            wrong += asking->documents.items[d].is_hash_wrong ? 1 : 0;
        }
        CU_ASSERT_EQUAL(wrong, i == 0 ? 0 : 1);
        asking_free(asking);
        scene_close(&scene);
    }
}

static const struct unit_test tests[] = {
    /* REQ: ITI38-delayed-assembly */
    {"the hash of nothing is no claim", test_the_hash_of_nothing_is_no_claim},
    {"an unusable patient id costs one leg", test_an_unusable_patient_id_costs_one_leg},
    {"a foreign community is dropped and recorded",
     test_a_foreign_community_is_dropped_and_recorded},
    {"two matches in one community are not guessed",
     test_two_matches_in_one_community_are_not_guessed},
    /* REQ: MERGE-only-own */
    {"entries of foreign communities are dropped", test_entries_of_foreign_communities_are_dropped},
    {"an entry named often is asked for once", test_an_entry_named_often_is_asked_for_once},
    /* REQ: ITI20-split */
    {"a partial answer is used and named", test_a_partial_answer_is_used_and_named},
    /* REQ: MERGE-unknown-patient-dropped */
    {"an unknown patient is an answer", test_an_unknown_patient_is_an_answer},
    {"documents belong to the community that was asked",
     test_documents_belong_to_the_community_that_was_asked},
    /* REQ: ITI39-complete */
    {"documents that were not asked for are dropped",
     test_documents_that_were_not_asked_for_are_dropped},
    {"a document that comes twice is taken once", test_a_document_that_comes_twice_is_taken_once},
};
UNIT_MAIN("scenario-answers", tests)
