/*
 * Gateways of participants behind us, asked when a partner asks us: discovery, routing by home, one
 * answer of several communities, failures, and what our policy hides.
 */
#include <stdio.h>
#include <string.h>

#include "behind_kit.h"
#include "txn/behind.h"

/* ---- ITI-55 ---- */

/* REQ: DOWN-discovery, DOWN-ids-unchanged, DOWN-one-match */
static void
test_discovery_reaches_participants(void)
{
    static const char *const communities[] = {"2.999.2", "2.999.3", "2.999.4"};
    const struct scene_event *event;
    struct asking *asking;
    size_t question;

    behind_open(BEHIND_BOTH);
    asking = behind_discover(NULL);
    CU_ASSERT_EQUAL(behind_leg(asking)->state, LEG_ANSWERED);
    CU_ASSERT_EQUAL(behind_leg(asking)->diag.code, ERR_NONE);
    CU_ASSERT_EQUAL(behind_leg(asking)->matches.n, 3);
    for (size_t i = 0; i < ARRAY_LEN(communities); i++) {
        const struct xcpd_match *match = behind_match(asking, communities[i]);
        char cx[128];
        struct diag diag = {0};
        struct span written = SPAN_EMPTY;

        CU_ASSERT_PTR_NOT_NULL_FATAL(match);
        CHECK_OK(&diag,
                 ident_write_cx(behind_arena, &match->patient.ids.items[0], &diag, &written));
        snprintf(cx, sizeof(cx), "%s", behind_isabella[i + 1].patient_id);
        CHECK_SPAN(written, cx);
    }
    asking_free(asking);
    /* what a participant is asked: by us, for the asker's purpose and user, and where it has been
     */
    question = kit_question_to(&behind_scene, "blue");
    CU_ASSERT_FATAL(question != SIZE_MAX);
    CU_ASSERT(behind_question_has(question, "Dr. Ada Example"));
    CU_ASSERT(behind_question_has(question, "T-TREAT"));
    CU_ASSERT(behind_question_has(question, ">2.999.1 2.999.2</down:Passed>"));
    CU_ASSERT(!behind_question_has(kit_question_to(&behind_scene, "green"), "Passed"));
    event = scene_event(behind_place("blue"), 0);
    CU_ASSERT_STRING_EQUAL(event->partner, "green");
    CU_ASSERT_STRING_EQUAL(event->purpose, "T-TREAT");
    CU_ASSERT_STRING_EQUAL(event->community, "2.999.2");
    /* the record: each participant's question, and the one answer */
    CU_ASSERT_EQUAL(scene_count_events(behind_place("green"), AUDIT_ITI_55, AUDIT_INITIATING,
                                       AUDIT_INTENT, true),
                    2);
    CU_ASSERT_EQUAL(scene_count_events(behind_place("green"), AUDIT_ITI_55, AUDIT_INITIATING,
                                       AUDIT_OUTCOME, true),
                    2);
    CU_ASSERT_EQUAL(scene_count_events(behind_place("green"), AUDIT_ITI_55, AUDIT_RESPONDING,
                                       AUDIT_OUTCOME, true),
                    1);
    CU_ASSERT_EQUAL(scene_event(behind_place("green"), 0)->patients_n, 3);
    behind_close();
}

/* REQ: DOWN-partial */
static void
test_a_silent_participant_costs_itself(void)
{
    struct asking *asking;

    behind_open(BEHIND_BOTH);
    asking = behind_discover("gold");
    CU_ASSERT_EQUAL(behind_leg(asking)->state, LEG_ANSWERED);
    CU_ASSERT_EQUAL(behind_leg(asking)->matches.n, 2);
    CU_ASSERT_PTR_NOT_NULL(behind_match(asking, "2.999.3"));
    CU_ASSERT_EQUAL(behind_leg(asking)->kept_us, 0); /* somebody is missing */
    asking_free(asking);
    CU_ASSERT_EQUAL(scene_count_events(behind_place("green"), AUDIT_ITI_55, AUDIT_RESPONDING,
                                       AUDIT_OUTCOME, true),
                    1);
    CU_ASSERT_EQUAL(scene_count_events(behind_place("green"), AUDIT_ITI_55, AUDIT_RESPONDING,
                                       AUDIT_OUTCOME, false),
                    1);
    behind_close();
}

static const struct unit_test tests[] = {
    {"discovery reaches participants", test_discovery_reaches_participants},
    {"a silent participant costs itself", test_a_silent_participant_costs_itself},
};

UNIT_MAIN("behind", tests)
