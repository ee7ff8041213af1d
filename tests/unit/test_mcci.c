/*
 * MCCI_IN000002UV01: what is refused, what is written is valid and comes back.
 */
#include <stdio.h>

#include "base/clock.h"
#include "soap/mcci.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

#define NOW_US    (INT64_C(1763807400) * US_PER_S) /* 2025-11-22T10:30:00Z */
#define MCCI(x)   "<MCCI_IN000002UV01 xmlns='urn:hl7-org:v3'>" x "</MCCI_IN000002UV01>"
#define M_ID      "<id root='2.999.2' extension='a'/>"
#define M_ACK(x)  "<acknowledgement>" x "</acknowledgement>"
#define M_TYPE(x) "<typeCode code='" x "'/>"
#define M_TARGET  "<targetMessage><id root='2.999.1' extension='m1'/></targetMessage>"

static const struct ident asked = {.root = {"2.999.1", 7}, .extension = {"m1", 2}};

static struct status
read(const char *xml, const struct ident *of, struct arena *arena, struct diag *diag,
     struct mcci *ret_mcci)
{
    struct message *message = NULL;
    diag_clear(diag);
    if (!CHECK_OK(diag, support_message(span_of_cstr(xml), arena, diag, &message))) {
        return (struct status){ERR_INTERNAL};
    }
    return mcci_read(message, of, arena, diag, ret_mcci);
}

static void
test_refused(void)
{
    static const char *const rows[] = {
        "<x/>",
        "<MCCI_IN000002UV01/>",
        MCCI(""),
        MCCI(M_ID),
        MCCI(M_ACK(M_TYPE("CA"))),
        MCCI(M_ID M_ID M_ACK(M_TYPE("CA"))),
        MCCI(M_ID M_ACK("")),
        MCCI(M_ID M_ACK("<typeCode nullFlavor='NI'/>")),
        MCCI(M_ID M_ACK(M_TYPE("CA")) M_ACK(M_TYPE("CA"))),
        MCCI(M_ID M_ACK(M_TYPE("CA") "<targetMessage><id root='2.999.9'/></targetMessage>")),
        MCCI(M_ID M_ACK(M_TYPE("AE") "<acknowledgementDetail><location>a<!-- -->b</location>"
                                     "</acknowledgementDetail>")),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct mcci mcci;
        if (!CHECK_ERR(&diag, ERR_PARTNER_ANSWER, read(rows[i], &asked, arena, &diag, &mcci))) {
            printf("      %s\n", rows[i]);
        }
        arena_free(arena);
    }
}

static void
test_read(void)
{
    static const struct {
        const char *xml, *type, *code, *text;
        bool is_error;
    } rows[] = {
        {MCCI(M_ID M_ACK(M_TYPE("CA") M_TARGET)), "CA", "", "", false},
        {MCCI(M_ID M_ACK(M_TYPE("AA"))), "AA", "", "", false},
        {MCCI(M_ID "<acknowledgement typeCode='CA'/>"), "CA", "", "", false},
        {MCCI(M_ID M_ACK(M_TYPE("CE") M_TARGET)), "CE", "", "", true},
        {MCCI(M_ID M_ACK(M_TYPE("CR") M_TARGET)), "CR", "", "", true},
        {MCCI(M_ID M_ACK(M_TYPE("AR") M_TARGET)), "AR", "", "", true},
        {MCCI(M_ID M_ACK(M_TYPE("AE") M_TARGET "<acknowledgementDetail typeCode='E'>"
                                               "<code code='NS250' displayName='no such mode'/>"
                                               "<text> later </text></acknowledgementDetail>")),
         "AE", "NS250", "later", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct mcci mcci;
        if (CHECK_OK(&diag, read(rows[i].xml, &asked, arena, &diag, &mcci))) {
            CHECK_SPAN(mcci.id.extension, "a");
            CHECK_SPAN(mcci.said.type_code, rows[i].type);
            CU_ASSERT_EQUAL(hl7_is_error(mcci.said.type_code), rows[i].is_error);
            CU_ASSERT_EQUAL_FATAL(mcci.said.details.n, rows[i].code[0] == '\0' ? 0 : 1);
            if (mcci.said.details.n > 0) {
                CHECK_SPAN(mcci.said.details.items[0].code.value, rows[i].code);
                CHECK_SPAN(mcci.said.details.items[0].text, rows[i].text);
            }
        }
        arena_free(arena);
    }
}

static void
test_not_written(void)
{
    const struct mcci good = {.sender_home = SPAN("2.999.2"),
                              .said = {.type_code = SPAN(MCCI_ACCEPT), .target = asked}};
    struct mcci rows[] = {good, good, good};
    rows[0].sender_home = SPAN_EMPTY;
    rows[1].said.type_code = SPAN_EMPTY;
    rows[2].said.target.root = SPAN_EMPTY;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag;
        struct buf out;
        diag_clear(&diag);
        buf_init(&out, 100000);
        CHECK_ERR(&diag, ERR_INTERNAL, mcci_write(&rows[i], &out, &diag));
        CU_ASSERT_EQUAL(out.n, 0);
        buf_done(&out);
    }
}

static void
test_written(void)
{
    for (int i = 0; i < 2; i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct buf out;
        struct message *message = NULL;
        struct mcci got;
        struct mcci mcci = {.sender_home = SPAN("2.999.2"),
                            .receiver_home = SPAN("2.999.1"),
                            .receiver_device = {.root = SPAN("2.999.1.77")},
                            .creation_us = NOW_US,
                            .said = {.type_code = SPAN(MCCI_ACCEPT)}};
        diag_clear(&diag);
        buf_init(&out, 100000);
        if (i == 1) {
            CHECK_OK(&diag, mcci_unsupported_mode(arena, &diag, &mcci.said));
        }
        mcci.said.target = asked;
        CHECK_OK(&diag, mcci_write(&mcci, &out, &diag));
        support_check_schema(HL7_SCHEMA("MCCI_IN000002UV01"), buf_span(&out));
        CHECK_OK(&diag, support_message(buf_span(&out), arena, &diag, &message));
        if (CHECK_OK(&diag, mcci_read(message, &asked, arena, &diag, &got))) {
            CHECK_SPAN(got.id.root, "2.999.2");
            CHECK_SPAN(got.sender_home, "2.999.2");
            CHECK_SPAN(got.receiver_home, "2.999.1");
            CHECK_SPAN(got.receiver_device.root, "2.999.1.77");
            CU_ASSERT_EQUAL(got.creation_us, NOW_US);
            CHECK_SPAN(got.said.type_code, i == 0 ? "CA" : "AE");
            CU_ASSERT_EQUAL_FATAL(got.said.details.n, (size_t)i);
        }
        if (i == 1) {
            CHECK_SPAN(got.said.details.items[0].code.value, "NS250");
            CHECK_SPAN(got.said.details.items[0].code.display, "Unsupported processing mode");
        }
        buf_done(&out);
        arena_free(arena);
    }
}

static const struct unit_test tests[] = {
    {"acknowledgements that are refused", test_refused},
    {"acknowledgements that are not written", test_not_written},
    {"acknowledgements as others write them", test_read},
    /* REQ: ITI55-deferred-acknowledgement, ITI55-deferred-refused */
    {"acknowledgements come back", test_written},
};
UNIT_MAIN("mcci", tests)
