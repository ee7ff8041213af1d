/*
 * One message is accepted once: what counts as the same message, per partner; that a refusal later
 * does not un-remember, that a restart does not forget, and that a flood is bounded and logged.
 */
#include <string.h>

#include "base/datetime.h"
#include "scene_kit.h"
#include "soap/sign.h"
#include "store/replay.h"

static struct scene scene; /* large; one at a time */

static struct place *
green(void)
{
    return scene_place(&scene, "green");
}

/* Green's record of red. */
static struct partner *
red_record(void)
{
    return (struct partner *)config_partner_of_community(green()->config, SPAN("2.999.1"));
}

struct message_copy {
    struct asking *asking;
    struct scene_question *question;
    struct buf body;
};

/* A genuine question of red to green, not delivered; bearer where red's record of green says so. */
static void
make_message(struct message_copy *copy, bool is_bearer)
{
    const struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    struct place *red = scene_place(&scene, "red");
    struct partner *record =
        (struct partner *)config_partner_of_community(red->config, SPAN("2.999.2"));
    struct diag diag = {0};

    record->writes.is_bearer = is_bearer;
    copy->asking = NULL;
    scene_ask(red, &order, &copy->asking);
    copy->question = &scene.questions[kit_question_to(&scene, "green")];
    buf_init(&copy->body, (size_t)1024 * 1024);
    CHECK_OK(&diag, buf_append(&copy->body, buf_span(&copy->question->body), &diag));
}

static void
free_message(struct message_copy *copy)
{
    buf_done(&copy->body);
    fake_clock_advance(&scene.clock, 30 * US_PER_S);
    scene_run(&scene);
    asking_free(copy->asking);
}

/* Another MessageID: nobody signs it. */
static void
change_message_id(struct message_copy *copy)
{
    const struct span body = buf_span(&copy->body);
    const size_t header = span_find(body, SPAN("MessageID"));
    const struct span rest = span_slice(body, header, body.n);
    const size_t at = header + span_find(rest, SPAN("urn:uuid:")) + strlen("urn:uuid:");

    CU_ASSERT_NOT_EQUAL_FATAL(header, SPAN_MISSING);
    copy->body.p[at] = copy->body.p[at] == 'f' ? '0' : (char)(copy->body.p[at] + 1);
    if (copy->body.p[at] == ':') {
        copy->body.p[at] = 'a';
    }
}

/* <why> NULL: it must be accepted. */
static void
send_copy(const struct message_copy *copy, const char *why)
{
    static struct scene_reply reply;
    const char *reason;

    scene_send(&scene, green(), scene_place(&scene, "red")->config->node->leaf, "/xcpd",
               copy->question->content_type, buf_span(&copy->body), &reply);
    CU_ASSERT(reply.is_here);
    CU_ASSERT_EQUAL(reply.http_status == 200, why == NULL);
    CU_ASSERT_EQUAL(strstr(reply.text, "Isabella") != NULL, why == NULL);
    reason = scene_event(green(), 0)->reason;
    if (why != NULL && strstr(reason, why) == NULL) {
        printf("\n    wanted a refusal by '%s', the record says: %s\n", why, reason);
        CU_FAIL("refused for another reason");
    }
    CU_ASSERT(why == NULL || scene_event(green(), 0)->type == AUDIT_AUTHENTICATION_FAILURE);
}

static void
test_what_is_the_same_message(void)
{
    static const struct {
        enum partner_replay replay;
        bool is_once, is_bearer;
        const char *with_new_message_id; /* the reason, NULL: accepted */
    } rows[] = {
        {PARTNER_REPLAY_TIMESTAMP, false, false, "Timestamp signature a second time"},
        {PARTNER_REPLAY_TIMESTAMP, true, false, "Timestamp signature a second time"},
        {PARTNER_REPLAY_MESSAGEID, false, false, NULL},
        {PARTNER_REPLAY_MESSAGEID, true, false, "assertion a second time"},
        {PARTNER_REPLAY_TIMESTAMP, false, true, "assertion a second time"},
        {PARTNER_REPLAY_MESSAGEID, false, true, "assertion a second time"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct message_copy copy;

        kit_open_three(&scene);
        red_record()->replay = rows[i].replay;
        red_record()->is_assertion_once = rows[i].is_once;
        red_record()->may_use_bearer = true;
        make_message(&copy, rows[i].is_bearer);
        send_copy(&copy, NULL);
        send_copy(&copy, "wsa:MessageID a second time");
        change_message_id(&copy);
        send_copy(&copy, rows[i].with_new_message_id);
        free_message(&copy);
        scene_close(&scene);
    }
}

/* What red wrote, with OneTimeUse among the assertion's Conditions, and signed by red again. Red
 * writes in canonical form, so its bytes are what is digested. */
static void
make_one_time(struct message_copy *copy)
{
    static const char one_time[] = "<saml2:OneTimeUse></saml2:OneTimeUse>";
    const struct span body = buf_span(&copy->body);
    const size_t start = span_find(body, SPAN("<saml2:Assertion "));
    const size_t to = span_find(body, SPAN("</saml2:Assertion>")) + strlen("</saml2:Assertion>");
    const struct span assertion = span_slice(body, start, to - start);
    const size_t signature = span_find(assertion, SPAN("<ds:Signature "));
    const size_t info = span_find(assertion, SPAN("<ds:SignedInfo"));
    const size_t key_info = span_find(assertion, SPAN("<ds:KeyInfo"));
    const size_t rest = span_find(assertion, SPAN("</ds:Signature>")) + strlen("</ds:Signature>");
    const size_t end = span_find(assertion, SPAN("</saml2:Conditions>"));
    const size_t id = span_find(assertion, SPAN(" ID=\"")) + strlen(" ID=\"");
    const struct span from_id = span_slice(assertion, id, assertion.n);
    const struct sign_order order = {
        .signer = scene_place(&scene, "red")->config->signing,
        .id = span_slice(from_id, 0, span_find_char(from_id, '"')),
        .is_enveloped = true,
    };
    struct diag diag = {0};
    struct buf after, signed_info, value, made;

    CU_ASSERT_FATAL(start < to && to <= body.n && signature < info && info < key_info &&
                    key_info < rest && rest < end && end < assertion.n);
    buf_init(&after, (size_t)64 * 1024);
    buf_init(&signed_info, (size_t)64 * 1024);
    buf_init(&value, (size_t)64 * 1024);
    buf_init(&made, (size_t)1024 * 1024);
    CHECK_OK(&diag, buf_append(&after, span_slice(assertion, rest, end - rest), &diag));
    CHECK_OK(&diag, buf_append_cstr(&after, one_time, &diag));
    CHECK_OK(&diag, buf_append(&after, span_slice(assertion, end, assertion.n), &diag));
    CHECK_OK(&diag, sign_canonical(&order, span_slice(assertion, 0, signature), buf_span(&after),
                                   &signed_info, &value, &diag));
    const struct span pieces[] = {
        span_slice(body, 0, start + info),
        buf_span(&signed_info),
        SPAN("<ds:SignatureValue>"),
        buf_span(&value),
        SPAN("</ds:SignatureValue>"),
        span_slice(assertion, key_info, rest - key_info),
        buf_span(&after),
        span_slice(body, to, body.n),
    };
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        CHECK_OK(&diag, buf_append(&made, pieces[i], &diag));
    }
    buf_done(&copy->body);
    copy->body = made;
    buf_done(&after);
    buf_done(&signed_info);
    buf_done(&value);
}

/* An assertion for one use is counted, though the partner's file says nothing of it. */
static void
test_one_time_use(void)
{
    struct message_copy copy;

    kit_open_three(&scene);
    red_record()->replay = PARTNER_REPLAY_MESSAGEID;
    make_message(&copy, false);
    make_one_time(&copy);
    send_copy(&copy, NULL);
    change_message_id(&copy);
    send_copy(&copy, "assertion a second time");
    free_message(&copy);
    scene_close(&scene);
}

static void
test_two_messages_are_two(void)
{
    struct message_copy first, second;

    kit_open_three(&scene);
    red_record()->is_assertion_once = true;
    make_message(&first, false);
    send_copy(&first, NULL);
    free_message(&first);
    make_message(&second, false);
    send_copy(&second, NULL);
    free_message(&second);
    scene_close(&scene);
}

static void
test_a_refusal_later_does_not_unremember(void)
{
    struct message_copy copy;
    static struct scene_reply reply;

    kit_open_three(&scene);
    kit_set_policy(green(), NULL); /* no rule: all is denied */
    make_message(&copy, false);
    scene_send(&scene, green(), scene_place(&scene, "red")->config->node->leaf, "/xcpd",
               copy.question->content_type, buf_span(&copy.body), &reply);
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(green(), 0)->reason, "POLICY_DENIED"));
    kit_restore_policy(green());
    send_copy(&copy, "wsa:MessageID a second time");
    free_message(&copy);
    scene_close(&scene);
}

/* A message that proves nothing must not spend the genuine one's keys. */
static void
test_a_forgery_spends_nothing(void)
{
    struct message_copy copy;
    static struct scene_reply reply;
    const struct certificate *blue;

    kit_open_three(&scene);
    blue = scene_place(&scene, "blue")->config->node->leaf;
    make_message(&copy, false);
    scene_send(&scene, green(), blue, "/xcpd", copy.question->content_type, buf_span(&copy.body),
               &reply);
    CU_ASSERT_NOT_EQUAL(reply.http_status, 200);
    send_copy(&copy, NULL);
    free_message(&copy);
    scene_close(&scene);
}

static void
reopen_store(struct place *place)
{
    const struct store_options options = {
        .path = place->config->store_path,
        .community = place->config->community,
        .patient_authority = place->config->patient_authority,
        .repository = place->config->repository,
        .clock = &scene.clock.clock,
    };
    struct diag diag = {0};

    store_close(place->store);
    place->store = NULL;
    CHECK_OK(&diag, store_open(&options, &diag, &place->store));
    place->node.store = place->store;
}

static void
test_a_restart_does_not_forget(void)
{
    struct message_copy copy;
    struct diag diag = {0};
    bool is_lossy = true;

    kit_open_three(&scene);
    make_message(&copy, false);
    send_copy(&copy, NULL);
    reopen_store(green()); /* as after kill -9: nobody said goodbye */
    CHECK_OK(&diag, replay_start(green()->store, SCENE_BOOT_ID, &diag, &is_lossy));
    CU_ASSERT_FALSE(is_lossy);
    send_copy(&copy, "wsa:MessageID a second time");
    free_message(&copy);
    scene_close(&scene);
}

/* The machine went down: what it may have forgotten is refused, new messages are not. */
static void
test_a_lost_machine_refuses_old_messages(void)
{
    struct message_copy before, after;
    struct diag diag = {0};
    bool is_lossy = false;

    kit_open_three(&scene);
    make_message(&before, false); /* never delivered: green cannot know that */
    reopen_store(green());
    fake_clock_advance(&scene.clock, 1 * US_PER_S);
    CHECK_OK(&diag, replay_start(green()->store, "another run", &diag, &is_lossy));
    CU_ASSERT(is_lossy);
    send_copy(&before, "its machine had stopped without warning");
    free_message(&before);
    fake_clock_advance(&scene.clock, 61 * US_PER_S);
    make_message(&after, false);
    send_copy(&after, NULL);
    free_message(&after);
    scene_close(&scene);
}

/* Another time in the element <what> of the Timestamp. */
static void
write_time(struct message_copy *copy, const char *what, int64_t us)
{
    const struct span body = buf_span(&copy->body);
    const size_t at = span_find(body, span_of_cstr(what));
    char text[DATETIME_MAX];

    CU_ASSERT_NOT_EQUAL_FATAL(at, SPAN_MISSING);
    datetime_write_xs(us, text);
    CU_ASSERT_FATAL(body.p[at + strlen(what) + strlen(text)] == '<');
    memcpy(copy->body.p + at + strlen(what), text, strlen(text));
}

/* The time in the element <what> of the Timestamp. */
static int64_t
read_time(const struct message_copy *copy, const char *what)
{
    const struct span body = buf_span(&copy->body);
    const size_t at = span_find(body, span_of_cstr(what)) + strlen(what);
    const struct span rest = span_slice(body, at, body.n);
    int64_t us = 0;

    CU_ASSERT_FATAL(datetime_read_xs(span_slice(rest, 0, span_find_char(rest, '<')), &us));
    return us;
}

/* A message is acceptable until Expires and the clock's skew, so that long it is remembered. */
static void
test_what_comes_late_is_remembered(void)
{
    struct message_copy copy;

    kit_open_three(&scene);
    make_message(&copy, false);
    CU_ASSERT_EQUAL_FATAL(green()->config->clock_skew_us, 60 * US_PER_S);
    fake_clock_advance(&scene.clock, read_time(&copy, "<wsu:Expires>") + 50 * US_PER_S -
                                         clock_wall_us(&scene.clock.clock));
    send_copy(&copy, NULL);
    send_copy(&copy, "wsa:MessageID a second time");
    free_message(&copy);
    scene_close(&scene);
}

/* Nobody signs a bearer's Timestamp: what made its message new is over sooner than its assertion,
 * which is remembered as long as it is valid. */
static void
test_an_assertion_is_remembered_while_it_is_valid(void)
{
    struct message_copy copy;
    int64_t created_us;

    kit_open_three(&scene);
    red_record()->may_use_bearer = true;
    make_message(&copy, true);
    created_us = read_time(&copy, "<wsu:Created>");
    write_time(&copy, "<wsu:Expires>", created_us + 5 * US_PER_S);
    send_copy(&copy, NULL);
    fake_clock_advance(&scene.clock, 68 * US_PER_S); /* skew, margin, and a little more */
    write_time(&copy, "<wsu:Created>", created_us + 68 * US_PER_S);
    write_time(&copy, "<wsu:Expires>", created_us + 98 * US_PER_S);
    change_message_id(&copy);
    send_copy(&copy, "assertion a second time");
    free_message(&copy);
    scene_close(&scene);
}

/* A bearer's assertion may have been accepted before the machine went down. Nobody signs the
 * message around it, so a fresh Timestamp does not make it new. */
static void
test_a_fresh_timestamp_does_not_renew_a_bearer(void)
{
    struct message_copy before, after;
    struct diag diag = {0};
    bool is_lossy = false;

    kit_open_three(&scene);
    red_record()->may_use_bearer = true;
    make_message(&before, true);
    reopen_store(green());
    CHECK_OK(&diag, replay_start(green()->store, "another run", &diag, &is_lossy));
    CU_ASSERT(is_lossy);
    fake_clock_advance(&scene.clock, 62 * US_PER_S);
    write_time(&before, "<wsu:Created>", scene.clock.wall_us);
    write_time(&before, "<wsu:Expires>", scene.clock.wall_us + 60 * US_PER_S);
    send_copy(&before, "its machine had stopped without warning");
    free_message(&before);
    fake_clock_advance(&scene.clock, 6 * US_PER_S);
    make_message(&after, true);
    send_copy(&after, NULL);
    free_message(&after);
    scene_close(&scene);
}

/* What red has too many of goes at red's cost: its newest message is still known. */
static void
test_a_flood_is_bounded(void)
{
    struct message_copy copies[4];

    kit_open_three(&scene);
    ((struct config *)green()->config)->replay_keys = 4; /* two messages */
    for (size_t i = 0; i < ARRAY_LEN(copies); i++) {
        make_message(&copies[i], false);
        send_copy(&copies[i], NULL);
        send_copy(&copies[i], "wsa:MessageID a second time");
        fake_clock_advance(&scene.clock, US_PER_S);
    }
    send_copy(&copies[2], "wsa:MessageID a second time");
    send_copy(&copies[0], NULL); /* pushed out by red's own later ones */
    for (size_t i = 0; i < ARRAY_LEN(copies); i++) {
        free_message(&copies[i]);
    }
    scene_close(&scene);
}

static const struct unit_test tests[] = {
    {"what is the same message", test_what_is_the_same_message},
    {"an assertion for one use", test_one_time_use},
    {"two messages are two", test_two_messages_are_two},
    {"what comes late is remembered", test_what_comes_late_is_remembered},
    {"an assertion is remembered while it is valid",
     test_an_assertion_is_remembered_while_it_is_valid},
    {"a refusal later does not un-remember", test_a_refusal_later_does_not_unremember},
    {"a forgery spends nothing", test_a_forgery_spends_nothing},
    {"a restart does not forget", test_a_restart_does_not_forget},
    {"a lost machine refuses old messages", test_a_lost_machine_refuses_old_messages},
    {"a fresh Timestamp does not renew a bearer's assertion",
     test_a_fresh_timestamp_does_not_renew_a_bearer},
    {"a flood is bounded", test_a_flood_is_bounded},
};
UNIT_MAIN("scenario-replay", tests)
