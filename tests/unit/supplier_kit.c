/*
 * See supplier_kit.h. Everything read or made lives in the scene's arena.
 */
#include "supplier_kit.h"

#include <string.h>

#include "base/mem.h"

#define QUERY_ID "2.999.1.98"

/* ---- red ---- */

void
supplier_discover_patient(const struct patient *who, struct scene_reply *reply)
{
    const struct xcpd_query query = {
        .id = {.root = SPAN("2.999.1.99")},
        .query_id = {.root = SPAN(QUERY_ID), .extension = SPAN("1")},
        .sender_home = SPAN("2.999.1"),
        .receiver_home = SPAN("2.999.2"),
        .creation_us = clock_wall_us(&sources_scene.clock.clock),
        .subject = *who,
    };
    struct kit_request request = {.transaction = SOAP_ITI_55};
    struct diag diag = {0};
    struct span query_xml;
    struct buf payload;

    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, xcpd_query_write(&query, sources_arena, &payload, &diag, &query_xml));
    request.payload = buf_span(&payload);
    kit_send(&sources_scene, &request, reply);
    buf_done(&payload);
}

void
supplier_discover(const char *family, const char *given, const char *birth_date, const char *sex,
                  struct scene_reply *reply)
{
    const struct asking_order order = scene_order(ASKING_DISCOVER, family, given, birth_date, sex);

    supplier_discover_patient(&order.who, reply);
}

static struct message *
read_message(struct span bytes, const char *content_type)
{
    const struct message_limits limits = message_limits_answer();
    struct message *message = NULL;
    struct diag diag = {0};

    CHECK_OK(&diag, message_read(bytes, span_of_cstr(content_type), &limits, sources_arena, &diag,
                                 &message));
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    return message;
}

struct xcpd_answer
supplier_discovered(const struct scene_reply *reply)
{
    const struct ident query_id = {.root = SPAN(QUERY_ID), .extension = SPAN("1")};
    struct xcpd_answer answer = {0};
    struct diag diag = {0};
    struct span copy;

    CU_ASSERT_FATAL(reply->is_here);
    CU_ASSERT_EQUAL(reply->http_status, 200);
    CHECK_OK(&diag, arena_dup(sources_arena, span_of(reply->text, reply->n), &diag, &copy));
    CHECK_OK(&diag, xcpd_answer_read(read_message(copy, reply->content_type), &query_id,
                                     sources_arena, &diag, &answer));
    return answer;
}

/* ---- suppliers of demographics ---- */

static struct message *
question_to(const char *source, enum soap_transaction transaction)
{
    const size_t i = sources_question(source);
    const struct scene_question *question = &sources_scene.questions[i];

    CU_ASSERT(!question->is_answered);
    CU_ASSERT(sources_was_asked(i, soap_transaction(transaction)->request_action));
    return read_message(buf_span(&question->body), question->content_type);
}

struct xcpd_query
supplier_asked(const char *source)
{
    struct xcpd_query query = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, pdq_query_read(question_to(source, SOAP_ITI_47), sources_arena, &diag, &query));
    return query;
}

static struct xcpd_match
match_of(const struct supplied *person)
{
    struct xcpd_match match = {.degree = 100, .own_ids = 1};
    struct person_name name = {.family = span_of_cstr(person->family)};
    const struct ident own = {.root = SPAN(MPI), .extension = span_of_cstr(person->id)};
    struct diag diag = {0};

    CHECK_OK(&diag, ARENA_PUSH(sources_arena, &diag, &name.given, span_of_cstr(person->given)));
    CHECK_OK(&diag, ARENA_PUSH(sources_arena, &diag, &match.patient.names, name));
    CHECK_OK(&diag, ARENA_PUSH(sources_arena, &diag, &match.patient.ids, own));
    if (person->hospital_id != NULL) {
        const struct ident other = {.root = SPAN("2.999.77"),
                                    .extension = span_of_cstr(person->hospital_id)};

        CHECK_OK(&diag, ARENA_PUSH(sources_arena, &diag, &match.patient.ids, other));
    }
    if (person->city != NULL) {
        struct address address = {.city = span_of_cstr(person->city)};

        CHECK_OK(&diag, ARENA_PUSH(sources_arena, &diag, &address.street, SPAN("1 Main St")));
        CHECK_OK(&diag, ARENA_PUSH(sources_arena, &diag, &match.patient.addresses, address));
    }
    match.patient.birth_time = span_of_cstr(person->birth_date);
    match.patient.sex = span_of_cstr(person->sex);
    return match;
}

static void
answer_query(const char *source, const struct xcpd_answer *answer)
{
    const struct xcpd_query query = supplier_asked(source);
    struct diag diag = {0};
    struct buf payload;

    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, pdq_answer_write(&query, answer, SPAN("2.999.2"), 0, &payload, &diag));
    sources_answer_payload(sources_question(source), SOAP_ITI_47, &payload);
    buf_done(&payload);
}

void
supplier_answer(const char *source, const struct supplied *people, size_t n, unsigned left)
{
    struct xcpd_answer answer = {.result = n > 0 ? XCPD_MATCH : XCPD_NONE};
    struct diag diag = {0};

    for (size_t i = 0; i < n; i++) {
        CHECK_OK(&diag, ARENA_PUSH(sources_arena, &diag, &answer.matches, match_of(&people[i])));
    }
    answer.quantities.is_known = left > 0;
    answer.quantities.total = (unsigned)n + left;
    answer.quantities.current = (unsigned)n;
    answer.quantities.remaining = left;
    answer_query(source, &answer);
}

void
supplier_refuse(const char *source)
{
    const struct xcpd_answer answer = {.result = XCPD_ERROR,
                                       .error_text = SPAN("the patient index is being rebuilt")};

    answer_query(source, &answer);
}

/* ---- managers of cross-references ---- */

struct pix_query
supplier_asked_ids(const char *source)
{
    struct pix_query query = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, pix_query_read(question_to(source, SOAP_ITI_45), sources_arena, &diag, &query));
    return query;
}

void
supplier_say_ids(const char *source, const struct pix_answer *answer)
{
    const struct pix_query query = supplier_asked_ids(source);
    struct diag diag = {0};
    struct buf payload;

    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, pix_answer_write(&query, answer, SPAN("2.999.2"), 0, &payload, &diag));
    sources_answer_payload(sources_question(source), SOAP_ITI_45, &payload);
    buf_done(&payload);
}

void
supplier_give_ids(const char *source, const char *const *ids, size_t n)
{
    struct pix_answer answer = {.result = n > 0 ? PIX_FOUND : PIX_NONE};
    struct diag diag = {0};

    for (size_t i = 0; i < n; i++) {
        struct span rest = span_of_cstr(ids[i]);
        struct ident id = {0};

        (void)span_split(&rest, ' ', &id.root);
        id.extension = rest;
        CHECK_OK(&diag, ARENA_PUSH(sources_arena, &diag, &answer.ids, id));
    }
    supplier_say_ids(source, &answer);
}
