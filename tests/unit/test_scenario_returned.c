/*
 * Whom communities return is held against whom we asked for: what contradicts is shown and
 * recorded, and nothing goes on with it. And several communities that answer through one partner.
 */
#include <string.h>

#include "base/mem.h"
#include "cli/answers.h"
#include "scene_kit.h"

static struct scene scene; /* large; one at a time */

static struct place *
red(void)
{
    return scene_place(&scene, "red");
}

static bool
is_recorded(const char *why)
{
    for (size_t i = 0; scene_event(red(), i) != NULL; i++) {
        const struct scene_event *event = scene_event(red(), i);

        if (event->type == AUDIT_ITI_55 && event->phase == AUDIT_OUTCOME &&
            event->outcome == AUDIT_MINOR && strcmp(event->partner, "green") == 0) {
            return strstr(event->reason, why) != NULL;
        }
    }
    return false;
}

static void
check_shown(struct asking *asking, const char *rule, const char *why)
{
    struct answers answers;
    struct diag diag = {0};
    struct buf out;

    buf_init(&out, (size_t)256 * 1024);
    CHECK_OK(&diag, answers_collect(asking, &diag, &answers));
    CHECK_OK(&diag, answers_write_json(&answers, &out, &diag));
    CHECK_OK(&diag, buf_append_char(&out, '\0', &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr((const char *)out.p, "\"status\": \"quarantined\""));
    CU_ASSERT_PTR_NOT_NULL(strstr((const char *)out.p, "\"quarantined\": ["));
    CU_ASSERT_PTR_NOT_NULL(strstr((const char *)out.p, rule));
    buf_done(&out);
    buf_init(&out, (size_t)256 * 1024);
    CHECK_OK(&diag, answers_write_text(&answers, &out, &diag));
    CHECK_OK(&diag, buf_append_char(&out, '\0', &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr((const char *)out.p, "quarantined"));
    CU_ASSERT_PTR_NOT_NULL(strstr((const char *)out.p, why));
    buf_done(&out);
}

/* Three partners are asked, and in green's answer each <from> is <to>: green's leg. */
static const struct leg *
ask_forged(const struct asking_order *order, const char *from, const char *to,
           struct asking **ret_asking)
{
    const struct leg *leg;

    kit_open_three(&scene);
    scene_ask(red(), order, ret_asking);
    scene_deliver_forged(&scene, kit_question_to(&scene, "green"), from, to);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(*ret_asking);
    leg = kit_leg_of(*ret_asking, 0, "green");
    CU_ASSERT_PTR_NOT_NULL_FATAL(leg);
    return leg;
}

/* REQ: ITI55-returned-compared */
static void
test_who_contradicts_the_question_is_set_aside(void)
{
    static const struct {
        const char *from, *to, *rule, *why;
    } rows[] = {
        {"19470501", "19620101", "\"BIRTH_DATE\"", "the birth date differs"},
        {"19470501", "19470105", "\"BIRTH_DATE_MISWRITTEN\"", "day and month exchanged"},
        {"code=\"F\"", "code=\"M\"", "\"SEX\"", "the sex differs"},
        {">Isabella<", ">Myra<", "\"FIRST_GIVEN_NAME\"", "the first given name differs"},
        {">Jones<", ">Brown<", "\"FAMILY_NAME_CHANGED\"", "only the family name differs"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
        struct asking *asking = NULL;
        const struct leg *const leg = ask_forged(&order, rows[i].from, rows[i].to, &asking);
        CU_ASSERT_EQUAL(leg->state, LEG_ANSWERED);
        CU_ASSERT_EQUAL(leg->matches.n, 0);
        CU_ASSERT_EQUAL_FATAL(leg->quarantined.n, 1);
        CU_ASSERT_PTR_NULL(kit_leg_of(asking, 1, "green")); /* nobody asked for his documents */
        CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 0);
        CU_ASSERT_EQUAL(kit_documents_from(asking, "blue"), 1);
        CU_ASSERT(is_recorded(rows[i].why));
        check_shown(asking, rows[i].rule, rows[i].why);
        asking_free(asking);
        scene_close(&scene);
    }
}

/* What says less than the question does not contradict it. */
static void
test_who_says_less_is_used(void)
{
    static const struct {
        const char *from, *to;
    } rows[] = {
        {"<birthTime value=\"19470501\"", "<birthTime nullFlavor=\"UNK\""},
        {"<administrativeGenderCode code=\"F\"", "<administrativeGenderCode nullFlavor=\"UNK\""},
        {">Isabella<", ">I<"},
        {">Jones<", ">Jones-Brown<"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
        struct asking *asking = NULL;
        const struct leg *const leg = ask_forged(&order, rows[i].from, rows[i].to, &asking);
        CU_ASSERT_EQUAL(leg->matches.n, 1);
        CU_ASSERT_EQUAL(leg->quarantined.n, 0);
        CU_ASSERT_EQUAL(leg->diag.code, ERR_NONE);
        asking_free(asking);
        scene_close(&scene);
    }
}

static void
append(struct buf *out, struct span text)
{
    struct diag diag = {0};

    CHECK_OK(&diag, buf_append(out, text, &diag));
}

/* <text>, in which each <from> is <to>. */
static void
append_replaced(struct span text, struct span from, struct span to, struct buf *out)
{
    for (size_t at = span_find(text, from); at != SPAN_MISSING; at = span_find(text, from)) {
        append(out, span_slice(text, 0, at));
        append(out, to);
        text = span_slice(text, at + from.n, text.n);
    }
    append(out, text);
}

/* The answer with its match repeated for two more communities, each with an id of its own. */
static void
with_three_communities(struct span text, struct buf *out)
{
    static const char *const more[] = {"root=\"2.999.2.7\"", "root=\"2.999.2.8\""};
    const size_t start = span_find(text, SPAN("<subject "));
    const size_t end = span_find(text, SPAN("</subject>")) + strlen("</subject>");

    CU_ASSERT_NOT_EQUAL_FATAL(start, SPAN_MISSING);
    append(out, span_slice(text, 0, end));
    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        append_replaced(span_slice(text, start, end - start), SPAN("root=\"2.999.2\""),
                        span_of_cstr(more[i]), out);
    }
    append(out, span_slice(text, end, text.n));
}

static bool
has_leg_to(const struct asking *asking, int round, const char *community)
{
    for (size_t i = 0; i < asking->legs[round].n; i++) {
        const struct leg *leg = &asking->legs[round].items[i];

        if (leg->partner != NULL && strcmp(leg->partner->id, "green") == 0 &&
            span_eq_cstr(leg->community, community)) {
            return true;
        }
    }
    return false;
}

/* REQ: ITI55-answering-community */
static void
test_three_communities_answer_through_one_partner(void)
{
    static const char *const three[] = {"2.999.2", "2.999.2.7", "2.999.2.8"};
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    const struct scene_reply *reply;
    struct asking *asking = NULL;
    struct partner *record;
    struct buf all;

    kit_open_three(&scene);
    record = (struct partner *)config_partner_of_community(red()->config, SPAN("2.999.2"));
    record->communities = (struct config_strings){three, ARRAY_LEN(three)};
    buf_init(&all, (size_t)1024 * 1024);
    scene_ask(red(), &order, &asking);
    reply = kit_answer_of_green(&scene);
    with_three_communities(span_of(reply->text, reply->n), &all);
    scene_answer(&scene, kit_question_to(&scene, "green"), 200, reply->content_type,
                 buf_span(&all));
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 3);
    for (size_t i = 0; i < ARRAY_LEN(three); i++) {
        CU_ASSERT(!has_leg_to(asking, 0, three[i]) || i == 0); /* one question for all of them */
        CU_ASSERT(has_leg_to(asking, 1, three[i]));            /* documents: each community */
    }
    CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 2); /* the other two are not green's */
    buf_done(&all);
    asking_free(asking);
    scene_close(&scene);
}

static const struct unit_test tests[] = {
    {"who contradicts the question is set aside", test_who_contradicts_the_question_is_set_aside},
    {"who says less is used", test_who_says_less_is_used},
    {"three communities answer through one partner",
     test_three_communities_answer_through_one_partner},
};

UNIT_MAIN("scenario-returned", tests)
