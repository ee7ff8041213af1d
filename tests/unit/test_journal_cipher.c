/*
 * The journal encrypted at rest: nothing stands in the clear, keys come and go between runs, nobody
 * needs one to verify, and what was changed is not shown.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/chain.h"
#include "base/mem.h"
#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

/* Key <number>: each byte is its number. */
static struct journal_key
key_of(unsigned number)
{
    char text[2 * JOURNAL_KEY_BYTES + 1];
    struct journal_key key = {{0}, {0}};
    struct diag diag = {0};
    for (size_t i = 0; i < JOURNAL_KEY_BYTES; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", number & 0xff);
    }
    CHECK_OK(&diag, journal_key_read(span_of_cstr(text), &diag, &key));
    return key;
}

/* ---- journals: runs with one key or another ---- */

enum { CLEAR = 0, KEYS = 3 }; /* a run's key, or none */

struct ring {
    struct journal_key items[KEYS];
    struct journal_keys keys;
    struct journal_place place;
};

/* All keys; <writing> is the first, or nothing is encrypted. */
static void
make_ring(struct ring *ring, const char *dir, unsigned writing)
{
    size_t n = 0;
    if (writing != CLEAR) {
        ring->items[n++] = key_of(writing);
    }
    for (unsigned i = 1; i <= KEYS; i++) {
        if (i != writing) {
            ring->items[n++] = key_of(i);
        }
    }
    ring->keys = (struct journal_keys){ring->items, n, writing != CLEAR};
    ring->place = (struct journal_place){dir, &ring->keys};
}

static struct journal *
open_with(const char *dir, unsigned writing)
{
    struct ring ring;
    struct journal *journal = NULL;
    struct diag diag = {0};
    make_ring(&ring, dir, writing);
    CU_ASSERT_FATAL(CHECK_OK(&diag, journal_open_sized(&ring.place, "serve", clock_system(),
                                                       KIT_SIZES, &diag, &journal)));
    return journal;
}

static void
run(const char *dir, unsigned writing, uint64_t from, uint64_t to)
{
    struct journal *journal = open_with(dir, writing);
    kit_fill(journal, from, to);
    journal_close(journal);
}

struct read {
    uint64_t n;
    bool is_right; /* each is the event with the number of its sequence */
};

static bool
check_record(void *arg, const struct journal_record *record)
{
    struct read *read = arg;
    char wanted[64];
    (void)snprintf(wanted, sizeof(wanted), "\"query_id\":\"%" PRIu64 "\"", record->sequence);
    read->is_right =
        read->is_right && span_find(record->payload, span_of_cstr(wanted)) != SPAN_MISSING;
    read->n++;
    return true;
}

/* Everybody who has the keys reads all <n>; who has none verifies them. */
static void
check_all(const char *dir, uint64_t n)
{
    struct ring ring;
    struct read read = {.is_right = true};
    struct diag diag = {0};
    make_ring(&ring, dir, CLEAR);
    CHECK_OK(&diag, journal_read(&ring.place, check_record, &read, &diag));
    CU_ASSERT_EQUAL(read.n, n);
    CU_ASSERT_TRUE(read.is_right);
    kit_check_whole(dir, n);
}

/* The heads of a chain's segments, "1" plain and "k" with the key's number, in order. */
static void
describe_segments(const char *dir, char *text, size_t size)
{
    char folder[PATH_MAX];
    struct segment_list list = {0};
    struct diag diag = {0};
    size_t used = 0;
    kit_join(folder, dir, "serve");
    CHECK_OK(&diag, segment_list_read(folder, &diag, &list));
    text[0] = '\0';
    for (size_t i = 0; i < list.n && used < size; i++) {
        struct segment segment;
        unsigned number = CLEAR;
        if (!CHECK_OK(&diag,
                      segment_open(folder, "serve", list.items[i], false, &diag, &segment))) {
            break;
        }
        for (unsigned key = 1; segment.head.is_encrypted && key <= KEYS; key++) {
            const struct journal_key one = key_of(key);
            number = memcmp(one.id, segment.head.key_id, sizeof(one.id)) == 0 ? key : number;
        }
        CU_ASSERT_EQUAL(segment.head.is_encrypted, number != CLEAR);
        used += (size_t)snprintf(text + used, size - used, "%u", number);
        segment_close(&segment);
    }
    segment_list_done(&list);
}

static void
check_segments(const char *dir, const char *wanted)
{
    char text[64];
    describe_segments(dir, text, sizeof(text));
    if (strcmp(text, wanted) != 0) {
        printf("\n    segments %s, wanted %s\n", text, wanted);
        CU_FAIL("other segments");
    }
}

static bool
file_has(const char *path, const char *text)
{
    struct buf bytes;
    struct diag diag = {0};
    buf_init(&bytes, 1024 * 1024);
    CHECK_OK(&diag, buf_read_file(&bytes, path, &diag));
    const bool has = span_find(buf_span(&bytes), span_of_cstr(text)) != SPAN_MISSING;
    buf_done(&bytes);
    return has;
}

static void
test_nothing_in_the_clear(void)
{
    char dir[PATH_MAX];
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("clear"));
    run(dir, CLEAR, 1, 3);
    CU_ASSERT_TRUE(file_has(kit_last_segment(dir, "serve"), "query_id"));
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("secret"));
    struct journal *journal = open_with(dir, 1);
    kit_fill(journal, 1, 3);
    CU_ASSERT_FALSE(file_has(kit_last_segment(dir, "serve"), "query_id"));
    CU_ASSERT_FALSE(file_has(kit_last_segment(dir, "serve"), "xxxx"));
    check_all(dir, 3); /* beside the writer */
    journal_close(journal);
    CU_ASSERT_FALSE(file_has(kit_last_segment(dir, "serve"), "query_id"));
    check_all(dir, 3);
}

/* Switched on, off, and to other keys between runs: what is old stays readable. */
static void
test_keys_come_and_go(void)
{
    static const struct {
        unsigned keys[8];
        size_t n;
        const char *segments;
    } rows[] = {
        {{CLEAR, CLEAR}, 2, "0"}, {{1, 1, 1}, 3, "1"},
        {{CLEAR, 1}, 2, "01"},    {{1, CLEAR}, 2, "10"},
        {{1, 2}, 2, "12"},        {{CLEAR, 1, 1, 2, CLEAR, CLEAR, 2, 1}, 8, "012021"},
    };
    for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
        char dir[PATH_MAX];
        char name[32];
        kit_disk_reset();
        (void)snprintf(name, sizeof(name), "turns-%zu", row);
        (void)snprintf(dir, sizeof(dir), "%s", kit_folder(name));
        for (uint64_t i = 0; i < rows[row].n; i++) {
            run(dir, rows[row].keys[i], 3 * i + 1, 3 * i + 3);
        }
        check_segments(dir, rows[row].segments);
        check_all(dir, 3 * rows[row].n);
    }
}

/* A run that writes nothing leaves a segment that the next one replaces; who follows goes on. */
static void
test_empty_segments(void)
{
    static const unsigned others[] = {CLEAR, 2};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        for (uint64_t before = 0; before <= 2; before += 2) {
            char dir[PATH_MAX];
            char name[32];
            struct ring ring;
            struct chain *follower = NULL;
            struct diag diag = {0};
            bool has = true;
            kit_disk_reset();
            (void)snprintf(name, sizeof(name), "empty-%zu-%" PRIu64, i, before);
            (void)snprintf(dir, sizeof(dir), "%s", kit_folder(name));
            make_ring(&ring, dir, CLEAR);
            if (before > 0) {
                run(dir, 3, 1, before);
            }
            journal_close(open_with(dir, 1));
            CHECK_OK(&diag, chain_open(&ring.place, "serve", before + 1, &diag, &follower));
            CHECK_OK(&diag, chain_next(follower, &diag, &has));
            CU_ASSERT_FALSE(has);
            struct journal *journal = open_with(dir, others[i]);
            kit_fill(journal, before + 1, before + 4);
            for (uint64_t n = before + 1; n <= before + 4; n++) {
                struct span payload;
                CHECK_OK(&diag, chain_next(follower, &diag, &has));
                CU_ASSERT_TRUE(has);
                CHECK_OK(&diag, chain_payload(follower, &diag, &payload));
                CU_ASSERT_EQUAL(follower->head.sequence, n);
            }
            chain_close(follower);
            journal_close(journal);
            check_segments(dir, before > 0 ? (i == 0 ? "30" : "32") : (i == 0 ? "0" : "2"));
            check_all(dir, before + 4);
        }
    }
}

/* ---- keys that are missing ---- */

static bool
refuse_record(void *arg, const struct journal_record *record)
{
    (void)record;
    *(bool *)arg = true;
    return true;
}

static void
check_unreadable(const struct journal_place *place, unsigned missing)
{
    const struct journal_key key = key_of(missing);
    char id[JOURNAL_KEY_ID_HEX];
    struct diag diag = {0};
    bool was_shown = false;
    hex_encode(key.id, sizeof(key.id), id);
    CHECK_ERR(&diag, ERR_JOURNAL, journal_read(place, refuse_record, &was_shown, &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, id));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "chain serve, record 1"));
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_JOURNAL,
              journal_find(place, "serve", 2, refuse_record, &was_shown, &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, id));
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_JOURNAL,
              journal_read_chain(place, "serve", 1, refuse_record, &was_shown, &diag));
    CU_ASSERT_FALSE(was_shown);
}

static void
test_missing_keys(void)
{
    char dir[PATH_MAX];
    struct ring ring;
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("missing"));
    run(dir, 1, 1, 3);
    check_unreadable(JOURNAL_AT(dir), 1);
    make_ring(&ring, dir, 2);
    ring.keys.n = 1;
    check_unreadable(&ring.place, 1);
    kit_check_whole(dir, 3);
    /* A key that calls itself by another's name opens nothing. */
    memcpy(ring.items[0].id, key_of(1).id, JOURNAL_KEY_ID_BYTES);
    struct diag diag = {0};
    bool was_shown = false;
    CHECK_ERR(&diag, ERR_JOURNAL, journal_read(&ring.place, refuse_record, &was_shown, &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "decrypted"));
    CU_ASSERT_FALSE(was_shown);
    check_all(dir, 3);
}

/* ---- what a crash leaves ---- */

static void
read_nonce(const char *path, uint64_t sequence, uint8_t nonce[CIPHER_NONCE_BYTES])
{
    struct buf bytes;
    struct diag diag = {0};
    size_t at = SEGMENT_HEAD_MAX;
    struct record_head head = {0};
    buf_init(&bytes, 1024 * 1024);
    CHECK_OK(&diag, buf_read_file(&bytes, path, &diag));
    while (record_check(span_slice(buf_span(&bytes), at, bytes.n), &head) == RECORD_GOOD &&
           head.sequence != sequence) {
        at += RECORD_HEAD_BYTES + (size_t)head.length;
    }
    CU_ASSERT_EQUAL_FATAL(head.sequence, sequence);
    memcpy(nonce, bytes.p + at + RECORD_HEAD_BYTES, CIPHER_NONCE_BYTES);
    buf_done(&bytes);
}

/* The last record is torn off and written again, into the same segment, with the same sequence:
 * under another nonce, or whoever has both files could read them. */
static void
test_no_nonce_twice(void)
{
    char dir[PATH_MAX];
    char path[PATH_MAX];
    uint8_t nonces[4][CIPHER_NONCE_BYTES];
    struct buf bytes;
    struct diag diag = {0};
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("nonces"));
    struct journal *journal = open_with(dir, 1);
    kit_fill(journal, 1, 3);
    (void)snprintf(path, sizeof(path), "%s", kit_last_segment(dir, "serve"));
    buf_init(&bytes, 1024 * 1024);
    CHECK_OK(&diag, buf_read_file(&bytes, path, &diag)); /* as kill -9 leaves it */
    journal_close(journal);
    kit_write_file(path, buf_span(&bytes));
    read_nonce(path, 1, nonces[0]);
    read_nonce(path, 2, nonces[1]);
    read_nonce(path, 3, nonces[2]);
    struct record_head head;
    size_t at = SEGMENT_HEAD_MAX;
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(record_check(span_slice(buf_span(&bytes), at, bytes.n), &head),
                        RECORD_GOOD);
        at += RECORD_HEAD_BYTES + (size_t)head.length;
    }
    memset(bytes.p + at + 200, 0, bytes.n - at - 200); /* inside record 3 */
    kit_write_file(path, buf_span(&bytes));
    buf_done(&bytes);
    run(dir, 1, 3, 3);
    check_segments(dir, "1");
    read_nonce(path, 3, nonces[3]);
    for (size_t a = 0; a < ARRAY_LEN(nonces); a++) {
        for (size_t b = 0; b < a; b++) {
            CU_ASSERT_NOT_EQUAL(memcmp(nonces[a], nonces[b], CIPHER_NONCE_BYTES), 0);
        }
    }
    check_all(dir, 3);
}

/* Each segment of a run has a salt, and so a key, of its own. */
static void
test_segments_differ(void)
{
    char dir[PATH_MAX];
    char folder[PATH_MAX];
    struct segment_list list = {0};
    uint8_t salts[64][SEGMENT_SALT_BYTES];
    struct diag diag = {0};
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("salts"));
    struct journal *journal = open_with(dir, 1);
    for (uint64_t i = 1; i <= 60; i++) {
        CHECK_OK(&diag, kit_append_wait(journal, i, 1500, &diag));
    }
    journal_close(journal);
    check_all(dir, 60);
    kit_join(folder, dir, "serve");
    CHECK_OK(&diag, segment_list_read(folder, &diag, &list));
    CU_ASSERT_TRUE_FATAL(list.n > 3 && list.n <= ARRAY_LEN(salts));
    for (size_t i = 0; i < list.n; i++) {
        struct segment segment;
        CU_ASSERT_FATAL(
            CHECK_OK(&diag, segment_open(folder, "serve", list.items[i], false, &diag, &segment)));
        memcpy(salts[i], segment.head.salt, sizeof(salts[i]));
        segment_close(&segment);
        for (size_t before = 0; before < i; before++) {
            CU_ASSERT_NOT_EQUAL(memcmp(salts[i], salts[before], sizeof(salts[i])), 0);
        }
    }
    segment_list_done(&list);
}

static void
ask_and_die(const char *dir)
{
    int status = 0;
    const pid_t child = fork();
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        struct journal *journal = open_with(dir, 1);
        char number[24];
        struct audit_event event = kit_event(number, 1, SPAN("<patient/>"));
        struct diag diag = {0};
        event.side = AUDIT_INITIATING;
        event.phase = AUDIT_INTENT;
        event.transaction_id = SPAN("t1");
        if (!is_ok(journal_append_wait(journal, &event, &diag))) {
            _exit(1);
        }
        (void)raise(SIGKILL);
    }
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE_FATAL(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static struct status
end_intents(const char *dir, unsigned writing, size_t keys_n, struct diag *diag, size_t *ret_n)
{
    struct ring ring;
    struct journal *journal = NULL;
    make_ring(&ring, dir, writing);
    ring.keys.n = keys_n;
    TRY(journal_open_sized(&ring.place, "serve", clock_system(), KIT_SIZES, diag, &journal));
    const struct status st =
        journal_end_intents(journal, &ring.place, 3600 * US_PER_S, diag, ret_n);
    journal_close(journal);
    return st;
}

/* A question whose process was killed is ended by whoever has its key, and by nobody else. */
static void
test_intents_are_ended(void)
{
    char dir[PATH_MAX];
    struct diag diag = {0};
    size_t n = 0;
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("intents"));
    ask_and_die(dir);
    CHECK_ERR(&diag, ERR_JOURNAL, end_intents(dir, 2, 1, &diag, &n));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "old_keys"));
    diag_clear(&diag);
    CHECK_OK(&diag, end_intents(dir, 2, KEYS, &diag, &n));
    CU_ASSERT_EQUAL(n, 1);
    CHECK_OK(&diag, end_intents(dir, 2, KEYS, &diag, &n));
    CU_ASSERT_EQUAL(n, 0);
    check_segments(dir, "12");
    kit_check_whole(dir, 2);
}

/* ---- limits ---- */

static void
check_large_records(const char *name, unsigned writing)
{
    char dir[PATH_MAX];
    struct diag diag = {0};
    char number[24];
    const size_t sizes[] = {RECORD_PAYLOAD_MAX - 2048, RECORD_PAYLOAD_MAX};
    char *large = mem_alloc(RECORD_PAYLOAD_MAX);
    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    memset(large, 'q', RECORD_PAYLOAD_MAX);
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder(name));
    struct ring ring;
    struct journal *journal = NULL;
    make_ring(&ring, dir, writing);
    CU_ASSERT_FATAL(CHECK_OK(
        &diag, journal_open_sized(&ring.place, "serve", clock_system(),
                                  (struct journal_sizes){16384, 2 * RECORD_PAYLOAD_MAX, 0, false},
                                  &diag, &journal)));
    const struct audit_event fits = kit_event(number, 1, span_of(large, sizes[0]));
    const struct audit_event too_large = kit_event(number, 1, span_of(large, sizes[1]));
    CHECK_ERR(&diag, ERR_LIMIT_BUFFER, journal_append_wait(journal, &too_large, &diag));
    diag_clear(&diag);
    CHECK_OK(&diag, journal_append_wait(journal, &fits, &diag));
    kit_fill(journal, 2, 3);
    journal_close(journal);
    mem_free(large);
    check_all(dir, 3);
}

/* The very first one may be larger than its segment was to be. */
static void
test_large_records(void)
{
    check_large_records("large-clear", CLEAR);
    check_large_records("large", 1);
}

static const struct unit_test tests[] = {
    {"nothing stands in the clear", test_nothing_in_the_clear},
    {"keys that are missing are named", test_missing_keys},
    {"on, off and other keys between runs", test_keys_come_and_go},
    {"segments in which nothing was written", test_empty_segments},
    {"no nonce is used twice", test_no_nonce_twice},
    {"each segment has a key of its own", test_segments_differ},
    {"open questions are ended with the key", test_intents_are_ended},
    {"the largest records", test_large_records},
};
UNIT_MAIN("journal cipher", tests)
