/*
 * What the tests of ITI-47, ITI-45 and ITI-56 share (people_kit.h).
 */
#include "people_kit.h"

#include <string.h>

#include "store/correlation.h"

struct people people;

struct place *
people_red(void)
{
    return scene_place(&people.scene, "red");
}

struct config *
people_config(void)
{
    return (struct config *)people_red()->config;
}

/* ---- who is there: five called Jones and one Smith-Nowak in red, with hospital numbers ---- */

static void
add_person(const struct person_row *row)
{
    struct span given[1] = {span_of_cstr(row->given)};
    struct person_name names[1] = {{.family = span_of_cstr(row->family), .given = {given, 1, 1}}};
    struct ident ids[1] = {{SPAN(PEOPLE_MRN), span_of_cstr(row->mrn), SPAN_EMPTY}};
    struct telecom telecoms[1] = {{.value = span_of_cstr(row->telecom)}};
    struct address addresses[1] = {{.city = span_of_cstr(row->city)}};
    const struct patient patient = {
        .ids = {ids, 1, 1},
        .names = {names, 1, 1},
        .birth_time = span_of_cstr(row->birth),
        .sex = span_of_cstr(row->sex),
        .telecoms = {telecoms, 1, 1},
        .addresses = {addresses, 1, 1},
    };
    struct scene_stored stored;

    scene_add_marked_document(people_red(), &patient, "N", row->mrn, &stored);
}

void
people_open(void)
{
    static const struct person_row rows[] = {
        {"Jones", "Anna Maria", "19800102", "F", "m-1", "tel:+1-555-0101", "Springfield"},
        {"Jones", "Bert", "19810203", "M", "m-2", "tel:+1-555-0102", "Springfield"},
        {"Jones", "Carl", "19820304", "M", "m-3", "tel:+1-555-0103", "Shelbyville"},
        {"Jones", "Dora", "19830405", "F", "m-4", "tel:+1-555-0104", "Shelbyville"},
        {"Smith-Nowak", "Eve", "19840506", "F", "m-5", "tel:+1-555-0105", "Springfield"},
    };

    people.ehr = local_kit_open(&people.scene);
    people.arena = arena_new(4 * ARENA_LIMIT_DEFAULT);
    CU_ASSERT_PTR_NOT_NULL_FATAL(people.arena);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        add_person(&rows[i]);
    }
    buf_init(&people.whole, (size_t)4 * 1024 * 1024);
    people.reply.whole = &people.whole;
}

void
people_close(void)
{
    buf_done(&people.whole);
    people.reply.whole = NULL;
    arena_free(people.arena);
    local_kit_close(&people.scene);
}

/* ---- questions ---- */

static struct span
text_of(const char *text)
{
    return text == NULL ? SPAN_EMPTY : span_of_cstr(text);
}

static void
fill(const struct question *q, struct xcpd_query *query)
{
    static struct span given[1];
    static struct person_name names[1];
    static struct ident ids[1];
    static struct telecom telecoms[1];
    static struct address addresses[1];
    static struct hl7_domain domains[1];
    const size_t has_name = q->family != NULL || q->given != NULL ? 1 : 0;

    given[0] = text_of(q->given);
    names[0] = (struct person_name){.family = text_of(q->family),
                                    .given = {given, q->given == NULL ? 0 : 1, 1},
                                    .use = text_of(q->use)};
    ids[0] = (struct ident){text_of(q->id_root), text_of(q->id), SPAN_EMPTY};
    telecoms[0].value = text_of(q->telecom);
    addresses[0] = (struct address){.city = text_of(q->city)};
    domains[0] = (struct hl7_domain){.root = text_of(q->domain), .element = 1, .value = 1};
    *query = (struct xcpd_query){
        .id = {.root = SPAN(PEOPLE_QUERY), .extension = SPAN("message")},
        .query_id = {.root = SPAN(PEOPLE_QUERY),
                     .extension = text_of(q->query_id == NULL ? "7" : q->query_id)},
        .sender_home = SPAN("2.999.1"),
        .receiver_home = text_of(q->receiver),
        .creation_us = clock_wall_us(&people.scene.clock.clock),
        .subject = {.names = {names, has_name, 1},
                    .ids = {ids, q->id == NULL ? 0 : 1, 1},
                    .birth_time = text_of(q->birth),
                    .sex = text_of(q->sex),
                    .telecoms = {telecoms, q->telecom == NULL ? 0 : 1, 1},
                    .addresses = {addresses, q->city == NULL ? 0 : 1, 1}},
        .domains = {domains, q->domain == NULL ? 0 : 1, 1},
        .initial_quantity = q->most,
    };
}

void
people_send_payload(enum soap_transaction transaction, struct span payload)
{
    const struct local_request request = {.transaction = transaction, .payload = payload};

    buf_reset(&people.whole);
    local_send(&people.scene, &request, &people.reply);
}

void
people_send_question(const struct question *q)
{
    struct xcpd_query query;
    struct diag diag = {0};
    struct span query_xml;
    struct buf payload;

    fill(q, &query);
    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, pdq_query_write(&query, people.arena, &payload, &diag, &query_xml));
    people_send_payload(SOAP_ITI_47, buf_span(&payload));
    buf_done(&payload);
}

const struct message *
people_read_message(void)
{
    const struct message_limits limits = message_limits_answer();
    struct message *message = NULL;
    struct diag diag = {0};

    CU_ASSERT_FATAL(people.reply.is_here);
    CU_ASSERT_EQUAL(people.reply.http_status, 200);
    CHECK_OK(&diag, message_read(buf_span(&people.whole), span_of_cstr(people.reply.content_type),
                                 &limits, people.arena, &diag, &message));
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    return message;
}

struct xcpd_answer
people_read_answer(const char *query_id)
{
    const struct ident id = {.root = SPAN(PEOPLE_QUERY), .extension = span_of_cstr(query_id)};
    struct xcpd_answer answer = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, pdq_answer_read(people_read_message(), &id, people.arena, &diag, &answer));
    return answer;
}

/* Refused inside the protocol; a record says why. */
void
people_check_refused(enum err cause, const char *code)
{
    const struct xcpd_answer answer = people_read_answer("7");

    CU_ASSERT_EQUAL(people.reply.cause, cause);
    CU_ASSERT_EQUAL(answer.result, XCPD_ERROR);
    CU_ASSERT_EQUAL(answer.matches.n, 0);
    CU_ASSERT_FATAL(answer.details.n >= 1);
    CHECK_SPAN(answer.details.items[0].code.value, code);
    CU_ASSERT_EQUAL(scene_event(people_red(), 0)->type, AUDIT_ITI_47);
    CU_ASSERT_NOT_EQUAL(scene_event(people_red(), 0)->outcome, AUDIT_SUCCESS);
    CU_ASSERT(strncmp(scene_event(people_red(), 0)->reason, err_name(cause),
                      strlen(err_name(cause))) == 0);
}

/* ---- what partners told ---- */

struct config_discovery *
people_discovery(const char *place)
{
    return &((struct config *)scene_place(&people.scene, place)->config)->discovery;
}

void
people_learn(struct store *store, const struct ident *local, const char *partner,
             const char *community, const char *root, const char *extension, int64_t for_us)
{
    const int64_t now_us = clock_wall_us(&people.scene.clock.clock);
    struct ident ids[1] = {{span_of_cstr(root), span_of_cstr(extension), SPAN_EMPTY}};
    struct correlation_match matches[1] = {
        {.community = span_of_cstr(community), .patient = {.ids = {ids, 1, 1}}, .degree = 90}};
    struct correlation correlation = {
        .key = {.local = *local, .asked = span_of_cstr(community)},
        .partner = span_of_cstr(partner),
        .matches = {matches, 1, 1},
        .learned_us = now_us,
        .until_us = now_us + for_us,
    };
    enum answer answer = ANSWER_NOW;
    struct diag diag = {0};

    memset(correlation.key.question, 'a', SHA256_HEX - 1);
    CHECK_OK(&diag, store_learn_correlations(store, &correlation, 1, NULL, &diag, &answer));
}
