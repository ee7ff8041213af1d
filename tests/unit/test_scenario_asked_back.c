/*
 * What our questions say besides whom they seek (how long they may be kept, how sure a match must
 * be, that we may be asked back), and what becomes of a partner's: it is reached by its own id when
 * we ask about the same patient, where it, and our configuration, allow that.
 */
#include <string.h>

#include "base/mem.h"
#include "scene_kit.h"
#include "store/correlation.h"

#define HOUR_US ((int64_t)3600 * US_PER_S)
#define RED_ID  "R-17"

static struct scene scene; /* large; one at a time */

static struct config_discovery *
discovery_of(const char *place)
{
    return &((struct config *)scene_place(&scene, place)->config)->discovery;
}

/* Red's questions may be kept and asked back by; green and red keep what they may. */
static void
open_agreed(void)
{
    kit_open_three(&scene);
    discovery_of("red")->time_to_live_us = HOUR_US;
    discovery_of("red")->may_be_asked_back = true;
    discovery_of("red")->remember_us = HOUR_US;
    discovery_of("green")->remember_us = 2 * HOUR_US;
}

/* An order for Isabella by red's id of her, which lives as long as the next one. */
static struct asking_order
order_with_id(struct ident *id)
{
    struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);

    order.who.ids = (struct ident_list){id, 1, 1};
    return order;
}

static struct ident
red_id(void)
{
    return (struct ident){span_of_cstr(scene_place(&scene, "red")->config->patient_authority),
                          SPAN(RED_ID), SPAN_EMPTY};
}

static void
ask_and_free(const char *place, const struct asking_order *order)
{
    struct asking *asking = NULL;

    scene_ask(scene_place(&scene, place), order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    asking_free(asking);
}

/* The id by which green's own store knows Isabella. */
static struct ident
green_id(char ret_extension[64])
{
    const struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    struct asking *asking = NULL;
    const struct leg_list *legs;
    struct ident id = {0};

    scene_ask(scene_place(&scene, "green"), &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    legs = &asking->legs[0];
    for (size_t i = 0; i < legs->n; i++) {
        if (legs->items[i].partner == NULL && legs->items[i].matches.n == 1) {
            id = legs->items[i].matches.items[0].patient.ids.items[0];
        }
    }
    CU_ASSERT_FATAL(id.extension.n > 0 && id.extension.n < 64);
    snprintf(ret_extension, 64, "%.*s", SPAN_PRINT(id.extension));
    id.extension = span_of_cstr(ret_extension);
    id.root = span_of_cstr(scene_place(&scene, "green")->config->patient_authority);
    asking_free(asking);
    return id;
}

static bool
says(size_t question, const char *text)
{
    return span_find(buf_span(&scene.questions[question].body), span_of_cstr(text)) != SPAN_MISSING;
}

/* ---- what we say ---- */

/* REQ: ITI55-time-to-live, ITI55-query-reverse */
static void
test_what_questions_say(void)
{
    static const struct {
        const char *name;
        int64_t ttl_us;
        bool may_be_asked_back, has_id, has_foreign_id;
        size_t degree;
        bool says_ttl, says_back;
    } rows[] = {
        {"nothing configured", 0, false, true, false, 0, false, false},
        {"no id", HOUR_US, true, false, false, 0, true, false},
        {"another's id", HOUR_US, true, true, true, 0, true, false},
        {"not to be asked back", HOUR_US, false, true, false, 80, true, false},
        {"all", HOUR_US, true, true, false, 100, true, true},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ident id;
        struct asking_order order;
        struct asking *asking = NULL;
        char degree[64];
        size_t question;

        kit_open_three(&scene);
        discovery_of("red")->time_to_live_us = rows[i].ttl_us;
        discovery_of("red")->may_be_asked_back = rows[i].may_be_asked_back;
        discovery_of("red")->minimum_degree = rows[i].degree;
        id = red_id();
        id.root = rows[i].has_foreign_id ? SPAN("2.999.77") : id.root;
        order = rows[i].has_id ? order_with_id(&id) : scene_order(ASKING_DISCOVER, ISABELLA);
        scene_ask(scene_place(&scene, "red"), &order, &asking);
        question = kit_question_to(&scene, "green");
        CU_ASSERT_EQUAL(says(question, "CorrelationTimeToLive"), rows[i].says_ttl);
        CU_ASSERT_EQUAL(says(question, "authorOrPerformer"), rows[i].says_back);
        CU_ASSERT_EQUAL(says(question, "minimumDegreeMatch"), rows[i].degree > 0);
        snprintf(degree, sizeof(degree), "xsi:type=\"INT\" value=\"%zu\"", rows[i].degree);
        CU_ASSERT_EQUAL(says(question, degree), rows[i].degree > 0);
        scene_deliver_all(&scene, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
        asking_free(asking);
        scene_close(&scene);
    }
}

/* ---- what is kept of a partner's question ---- */

static size_t
known_to_green(const struct ident *id)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct correlation_match_list ids = {0};
    enum answer answer;
    struct diag diag = {0};

    CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
    CHECK_OK(&diag, store_correlated_ids(scene_place(&scene, "green")->store, id, NULL, arena,
                                         &diag, &answer, &ids));
    for (size_t i = 0; i < ids.n; i++) {
        CHECK_SPAN(ids.items[i].community, "2.999.1");
        CHECK_SPAN(ids.items[i].patient.ids.items[0].extension, RED_ID);
    }
    arena_free(arena);
    return ids.n;
}

/* REQ: ITI55-kept-no-longer */
static void
test_nothing_is_kept_without_leave(void)
{
    static const struct {
        int64_t told_us, remember_us;
        bool may_be_asked_back, is_known;
        size_t kept;
    } rows[] = {
        {0, HOUR_US, true, true, 0},        /* red does not allow it */
        {HOUR_US, 0, true, true, 0},        /* green does not want it */
        {HOUR_US, HOUR_US, false, true, 0}, /* nobody is to be asked back */
        {HOUR_US, HOUR_US, true, false, 0}, /* green knows nobody of that name */
        {HOUR_US, 2 * HOUR_US, true, true, 1},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char extension[64];
        struct ident green, id;
        struct asking_order order;

        open_agreed();
        green = green_id(extension);
        discovery_of("red")->time_to_live_us = rows[i].told_us;
        discovery_of("red")->may_be_asked_back = rows[i].may_be_asked_back;
        discovery_of("green")->remember_us = rows[i].remember_us;
        id = red_id();
        order = order_with_id(&id);
        if (!rows[i].is_known) {
            order.who.birth_time = SPAN("19310203");
        }
        ask_and_free("red", &order);
        CU_ASSERT_EQUAL(known_to_green(&green), rows[i].kept);
        fake_clock_advance(&scene.clock, HOUR_US);
        CU_ASSERT_EQUAL(known_to_green(&green), 0);
        scene_close(&scene);
    }
}

/* ---- how it is used ---- */

static size_t
questions_to(const char *partner, size_t since)
{
    size_t n = 0;

    for (size_t i = since; i < scene.questions_n; i++) {
        n += strcmp(scene.questions[i].to->id, partner) == 0 ? 1 : 0;
    }
    return n;
}

/* Red is not asked who she is: it said so. */
static void
test_who_asked_us_need_not_be_asked(void)
{
    char extension[64];
    struct ident green, id;
    struct asking_order order;
    struct asking *asking = NULL;
    const struct leg *leg;
    size_t since;

    open_agreed();
    green = green_id(extension);
    id = red_id();
    order = order_with_id(&id);
    ask_and_free("red", &order);
    since = scene.questions_n;
    order = order_with_id(&green);
    scene_ask(scene_place(&scene, "green"), &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(questions_to("red", since), 0);
    CU_ASSERT_EQUAL(questions_to("blue", since), 1);
    leg = kit_leg_of(asking, 0, "red");
    CU_ASSERT_PTR_NOT_NULL_FATAL(leg);
    CU_ASSERT(leg->is_remembered && leg->matches.n == 1);
    CHECK_SPAN(leg->matches.items[0].patient.ids.items[0].extension, RED_ID);
    asking_free(asking);
    /* whom red described is another than the one who is asked for now */
    asking = NULL;
    order.who.birth_time = SPAN("19310203");
    scene_ask(scene_place(&scene, "green"), &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    leg = kit_leg_of(asking, 0, "red");
    CU_ASSERT_PTR_NOT_NULL_FATAL(leg);
    CU_ASSERT_EQUAL(leg->matches.n, 0);
    asking_free(asking);
    scene_close(&scene);
}

/* By green's id of her red is asked with red's, and blue, which said nothing, is not asked. */
/* REQ: ITI55-asked-back */
static void
test_documents_are_asked_for_by_its_id(void)
{
    char extension[64];
    struct ident green, id;
    struct asking_order order;
    struct span blue[] = {SPAN("2.999.3")};
    size_t since;

    open_agreed();
    green = green_id(extension);
    order = (struct asking_order){.goal = ASKING_QUERY, .timeout_us = 20 * US_PER_S};
    order.patient_id = green;
    since = scene.questions_n;
    ask_and_free("green", &order); /* nobody is known yet: everybody is asked by green's id */
    CU_ASSERT_EQUAL(questions_to("red", since), 1);
    CU_ASSERT_EQUAL(questions_to("blue", since), 1);
    CU_ASSERT(says(kit_question_to(&scene, "red"), extension));
    id = red_id();
    const struct asking_order asks = order_with_id(&id);

    ask_and_free("red", &asks);
    since = scene.questions_n;
    ask_and_free("green", &order);
    CU_ASSERT_EQUAL(questions_to("red", since), 1);
    CU_ASSERT_EQUAL(questions_to("blue", since), 0);
    CU_ASSERT(says(kit_question_to(&scene, "red"), RED_ID "^^^&amp;2.999.1"));
    CU_ASSERT_FALSE(says(kit_question_to(&scene, "red"), extension));
    since = scene.questions_n;
    order.to = (struct span_list){blue, 1, 1}; /* unless it is named */
    ask_and_free("green", &order);
    CU_ASSERT_EQUAL(questions_to("blue", since), 1);
    order.to.n = 0;
    discovery_of("green")->remember_us = 0; /* switched off: counts at once */
    since = scene.questions_n;
    ask_and_free("green", &order);
    CU_ASSERT_EQUAL(questions_to("blue", since), 1);
    CU_ASSERT(says(kit_question_to(&scene, "red"), extension));
    scene_close(&scene);
}

/* A store that answers later parks who learns and who looks up. */
static void
test_slow_store(void)
{
    char extension[64];
    struct ident green, id;
    struct asking_order order;
    struct asking *asking = NULL;
    size_t since;

    open_agreed();
    green = green_id(extension);
    id = red_id();
    order = order_with_id(&id);
    kit_slow_store(scene_place(&scene, "green"));
    scene_ask(scene_place(&scene, "red"), &order, &asking);
    scene_deliver(&scene, kit_question_to(&scene, "green"));
    kit_wake_store_all(scene_place(&scene, "green"));
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    asking_free(asking);
    asking = NULL;
    since = scene.questions_n;
    order = (struct asking_order){
        .goal = ASKING_QUERY, .timeout_us = 20 * US_PER_S, .patient_id = green};
    scene_ask(scene_place(&scene, "green"), &order, &asking);
    kit_wake_store_all(scene_place(&scene, "green"));
    CU_ASSERT_EQUAL(questions_to("red", since), 1);
    CU_ASSERT_EQUAL(questions_to("blue", since), 0);
    scene_deliver_all(&scene, NULL);
    kit_wake_store_all(scene_place(&scene, "green"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    asking_free(asking);
    scene_close(&scene);
}

static const struct unit_test tests[] = {
    {"what questions say", test_what_questions_say},
    {"nothing is kept without leave", test_nothing_is_kept_without_leave},
    {"who asked us need not be asked", test_who_asked_us_need_not_be_asked},
    {"documents are asked for by its id", test_documents_are_asked_for_by_its_id},
    {"a slow store", test_slow_store},
};

UNIT_MAIN("scenario-asked-back", tests)
