/* Identifiers: what is not an OID, a UUID or a community, and what we make ourselves. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ids.h"
#include "tests/unit/unit.h"

#define ARC_60 "123456789012345678901234567890123456789012345678901234567890"

static void
test_oids_refused(void)
{
    static const char *const texts[] = {
        "",       "2",     "2.",   ".2",   "2..999",        "2.999.",          ".",
        "3.1",    "10.1",  "02.1", "2.01", "2.00",          "2.999.1a",        "2.999 ",
        " 2.999", "2,999", "2.-1", "2.+1", "urn:oid:2.999", "2." ARC_60 "123", "2.\xD9\xA1",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (oid_is_valid(span_of_cstr(texts[i]))) {
            printf("\n    taken for an OID: '%s'\n", texts[i]);
            CU_FAIL("taken for an OID");
        }
    }
    CU_ASSERT(!oid_is_valid(SPAN("2.999\0")));
    CU_ASSERT(!oid_is_valid(SPAN_EMPTY));
}

static void
test_oids_accepted(void)
{
    static const char *const texts[] = {"0.0", "1.2", "2.999", "2.999.0.1", "2." ARC_60 "12"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CU_ASSERT(oid_is_valid(span_of_cstr(texts[i])));
    }
}

static void
test_communities(void)
{
    static const char *const refused[] = {
        "",
        "urn:oid:",
        "urn:oid:3.1",
        "urn:oid",
        "oid:2.999",
        "urn:oid:urn:oid:2.999",
        "urn:uuid:2.999",
        "urn:oid: 2.999",
        "urn:oid:2.999\n",
        "urn:oid:2.999.1234567890.1234567890.1234567890.1234567890.1234567890.1234", /* 65 */
    };
    struct span oid = SPAN("old");
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        CU_ASSERT(!home_community_oid(span_of_cstr(refused[i]), &oid));
        CHECK_SPAN(oid, "old");
    }
    CU_ASSERT(home_community_oid(SPAN("urn:oid:2.999.1"), &oid));
    CHECK_SPAN(oid, "2.999.1");
    CU_ASSERT(home_community_oid(
        SPAN("urn:oid:2.999.1234567890.1234567890.1234567890.1234567890.1234567890.123"), &oid));
    CU_ASSERT_EQUAL(oid.n, 64);
    CU_ASSERT(home_community_oid(SPAN("URN:OID:2.999.2"), &oid));
    CHECK_SPAN(oid, "2.999.2");
    CU_ASSERT(home_community_oid(SPAN("2.999.3"), &oid));
    CHECK_SPAN(oid, "2.999.3");
}

static void
test_uuids_refused(void)
{
    static const char *const texts[] = {
        "",
        "f81d4fae-7dec-41d0-a765-00a0c91e6bf",
        "f81d4fae-7dec-41d0-a765-00a0c91e6bf67",
        "f81d4fae-7dec-41d0-a765-00a0c91e6bfg",
        "f81d4fae07dec-41d0-a765-00a0c91e6bf6",
        "f81d4fa-e7dec-41d0-a765-00a0c91e6bf6",
        "f81d4fae-7dec-41d0-a765-00a0c91e-bf6",
        "{81d4fae-7dec-41d0-a765-00a0c91e6bf}",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CU_ASSERT(!uuid_is_valid(span_of_cstr(texts[i])));
    }
    CU_ASSERT(uuid_is_valid(SPAN("f81d4fae-7dec-41d0-a765-00a0c91e6bf6")));
    CU_ASSERT(uuid_is_valid(SPAN("F81D4FAE-7DEC-41D0-A765-00A0C91E6BF6")));
}

static void
test_uuids_made(void)
{
    static const uint8_t ones[16] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                     0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    static const uint8_t zeros[16] = {0};
    char uuid[UUID_TEXT];
    char before[UUID_TEXT] = "";
    for (int i = 0; i < 1000; i++) {
        uuid_new(uuid);
        CU_ASSERT(uuid_is_valid(span_of_cstr(uuid)));
        CU_ASSERT_EQUAL(uuid[14], '4');
        CU_ASSERT(strchr("89ab", uuid[19]) != NULL);
        CU_ASSERT(strcmp(uuid, before) != 0);
        memcpy(before, uuid, sizeof(before));
    }
    uuid_from_digest(ones, uuid);
    CU_ASSERT_STRING_EQUAL(uuid, "ffffffff-ffff-8fff-bfff-ffffffffffff");
    uuid_from_digest(zeros, uuid);
    CU_ASSERT_STRING_EQUAL(uuid, "00000000-0000-8000-8000-000000000000");
}

/* Random bytes are taken ahead: a child must not give out those of its parent. */
static void
test_uuids_of_a_fork(void)
{
    enum { EACH = 40 };
    char ours[EACH][UUID_TEXT];
    char theirs[EACH][UUID_TEXT];
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    uuid_new(ours[0]);
    const pid_t child = fork();
    for (size_t i = 0; i < EACH; i++) {
        uuid_new(child == 0 ? theirs[i] : ours[i]);
    }
    if (child == 0) {
        const ssize_t written = write(ends[1], theirs, sizeof(theirs));
        _exit(written == (ssize_t)sizeof(theirs) ? 0 : 1);
    }
    CU_ASSERT_FATAL(child > 0);
    CU_ASSERT_EQUAL(read(ends[0], theirs, sizeof(theirs)), (ssize_t)sizeof(theirs));
    CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
    for (size_t i = 0; i < EACH * EACH; i++) {
        CU_ASSERT(strcmp(ours[i / EACH], theirs[i % EACH]) != 0);
    }
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void
test_oid_from_uuid(void)
{
    static const struct {
        const char *uuid, *oid;
    } cases[] = {
        /* the example of ITU-T X.667 */
        {"f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "2.25.329800735698586629295641978511506172918"},
        {"00000000-0000-0000-0000-000000000000", "2.25.0"},
        {"00000000-0000-0000-0000-00000000000a", "2.25.10"},
        {"ffffffff-ffff-ffff-ffff-ffffffffffff", "2.25.340282366920938463463374607431768211455"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char oid[OID_TEXT];
        oid_from_uuid(cases[i].uuid, oid);
        CU_ASSERT_STRING_EQUAL(oid, cases[i].oid);
        CU_ASSERT(oid_is_valid(span_of_cstr(oid)));
    }
}

static const struct unit_test tests[] = {
    {"OIDs that are refused", test_oids_refused},
    {"UUIDs that are refused", test_uuids_refused},
    /* REQ: ITI38-home-syntax */
    {"communities", test_communities},
    {"OIDs that are accepted", test_oids_accepted},
    {"UUIDs that we make", test_uuids_made},
    {"UUIDs of a process that was forked", test_uuids_of_a_fork},
    {"an OID from a UUID", test_oid_from_uuid},
};
UNIT_MAIN("ids", tests)
