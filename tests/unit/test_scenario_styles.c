/*
 * Each partner gets our messages as its file wants them, within one fan-out: confirmation, digest,
 * names of attributes. SHA-1 ends on its day, whatever the file wants.
 */
#include <string.h>

#include "scene_kit.h"

static struct scene scene; /* large; one at a time */

static struct place *
red(void)
{
    return scene_place(&scene, "red");
}

static struct partner *
record_of(const char *at, struct span community)
{
    return (struct partner *)config_partner_of_community(scene_place(&scene, at)->config,
                                                         community);
}

static struct span
question_to(const char *partner)
{
    return buf_span(&scene.questions[kit_question_to(&scene, partner)].body);
}

static bool
says(struct span message, const char *text)
{
    return span_find(message, span_of_cstr(text)) != SPAN_MISSING;
}

struct row {
    struct dialect_style style;
    int64_t sha1_days; /* from now; 0: no date in the file */
    const char *has, *lacks;
};

/* A red that writes to green so, and a green that reads it with the relaxations that it needs. */
static void
check_style(const struct row *row)
{
    const struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    struct asking *asking = NULL;
    struct partner *green, *red_at_green;

    kit_open_three(&scene);
    green = record_of("red", SPAN("2.999.2"));
    red_at_green = record_of("green", SPAN("2.999.1"));
    green->writes = row->style;
    if (row->sha1_days != 0) {
        green->sha1_until_us =
            clock_wall_us(&scene.clock.clock) + row->sha1_days * 24 * 3600 * US_PER_S;
        red_at_green->sha1_until_us = green->sha1_until_us;
    }
    red_at_green->may_use_bearer = row->style.is_bearer;
    scene_ask(red(), &order, &asking);
    CU_ASSERT(says(question_to("green"), row->has));
    CU_ASSERT_FALSE(says(question_to("green"), row->lacks));
    CU_ASSERT(says(question_to("blue"), "ecdsa-sha256")); /* the others' are as ever */
    CU_ASSERT(says(question_to("blue"), "cm:holder-of-key"));
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 1);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "blue")->matches.n, 1);
    CU_ASSERT_EQUAL(asking_failed(asking), 0);
    asking_free(asking);
    scene_close(&scene);
}

static void
test_partners_get_what_they_want(void)
{
    static const struct row rows[] = {
        {{.digest = DIALECT_SHA256}, 0, "ecdsa-sha256", "ecdsa-sha384"},
        {{.digest = DIALECT_SHA384}, 0, "ecdsa-sha384", "ecdsa-sha256"},
        {{.digest = DIALECT_SHA512}, 0, "xmlenc#sha512", "ecdsa-sha256"},
        {{.digest = DIALECT_SHA1}, 10, "ecdsa-sha1", "ecdsa-sha256"},
        {{.digest = DIALECT_SHA1}, -1, "ecdsa-sha256", "ecdsa-sha1"},
        {{.digest = DIALECT_SHA1}, 0, "ecdsa-sha256", "ecdsa-sha1"},
        {{.is_bearer = true}, 0, "cm:bearer", "cm:holder-of-key"},
        {{.community = DIALECT_COMMUNITY_IHE},
         0,
         "urn:ihe:iti:xca:2010:homeCommunityId",
         "urn:nhin:names:saml:homeCommunityId"},
        {{.community = DIALECT_COMMUNITY_NHIN},
         0,
         "urn:nhin:names:saml:homeCommunityId",
         "urn:ihe:iti:xca:2010:homeCommunityId"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check_style(&rows[i]);
    }
}

/* One Timestamp is signed for all partners with the same digest, and one more for each other. */
static void
test_one_timestamp_for_each_digest(void)
{
    const struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);

    for (int i = 0; i < 2; i++) {
        struct asking *asking = NULL;

        kit_open_three(&scene);
        if (i == 1) {
            record_of("red", SPAN("2.999.2"))->writes.digest = DIALECT_SHA512;
        }
        scene_ask(red(), &order, &asking);
        CU_ASSERT_EQUAL(says(question_to("green"), "xmlenc#sha512"), i == 1);
        scene_deliver_all(&scene, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
        CU_ASSERT_EQUAL(span_eq(kit_leg_of(asking, 0, "green")->signature,
                                kit_leg_of(asking, 0, "blue")->signature),
                        i == 0);
        asking_free(asking);
        scene_close(&scene);
    }
}

static const struct unit_test tests[] = {
    {"partners get what they want", test_partners_get_what_they_want},
    {"one Timestamp for each digest", test_one_timestamp_for_each_digest},
};
UNIT_MAIN("scenario-styles", tests)
