/*
 * One message's keys: new and remembered, or refused. Called by the store's engine on the threads
 * of its calls; the table, the files and what is below the lock in struct replay_memory belong to
 * whoever holds the lock.
 */
#include "store/replay_memory.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "base/datetime.h"
#include "base/mem.h"
#include "store/replay_table.h"

static_assert(REPLAY_OWNER_BYTES == REPLAY_ID_BYTES, "an owner's id is written as it is");
static_assert(REPLAY_KEYS_MAX == REPLAY_LEFT_MAX + 1, "what a message may leave of a segment");
static_assert(REPLAY_APPEND_MAX == REPLAY_KEYS_MAX + REPLAY_MOVE_STEPS, "one write a message");

struct replay_memory {
    const struct clock *clock;
    pthread_mutex_t lock;
    struct replay_table *table;
    struct replay_files *files;
    int64_t lost_us;
    bool is_damaged;    /* until it begins */
    uint32_t move_last; /* keys in segments up to this one are being written anew; 0: none are */
    uint32_t move_at;   /* how far that went */
};

/* ---- opening ---- */

static void
segment_needs_less(void *arg, uint32_t segment)
{
    struct replay_memory *memory = arg;

    replay_files_gone(memory->files, segment);
}

struct status
replay_memory_open(const char *folder, const struct clock *clock, struct diag *diag,
                   struct replay_memory **ret_memory)
{
    struct replay_memory *memory = mem_alloc(sizeof(*memory));

    if (memory == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the replay memory");
    }
    memory->clock = clock;
    (void)pthread_mutex_init(&memory->lock, NULL);
    struct status st = replay_files_open(folder, diag, &memory->files);

    if (is_ok(st)) {
        st = replay_table_new(segment_needs_less, memory, diag, &memory->table);
    }
    if (!is_ok(st)) {
        replay_memory_close(memory);
        return st;
    }
    *ret_memory = memory;
    return OK;
}

void
replay_memory_close(struct replay_memory *memory)
{
    if (memory != NULL) {
        replay_table_free(memory->table);
        replay_files_close(memory->files);
        (void)pthread_mutex_destroy(&memory->lock);
        mem_free(memory);
    }
}

/* ---- what was remembered before ---- */

struct reading {
    struct replay_memory *memory;
    int64_t now_us;
};

/* A key that was written anew is there twice: the later record counts. */
static struct status
take_record(void *arg, const struct replay_record *record, uint32_t segment, struct diag *diag,
            bool *ret_is_needed)
{
    const struct reading *reading = arg;
    struct replay_table *table = reading->memory->table;
    uint32_t owner = 0;
    int64_t until_us = 0;

    if (record->until_us <= reading->now_us) {
        *ret_is_needed = false;
        return OK;
    }
    TRY(replay_table_owner(table, record->owner, diag, &owner));
    TRY(replay_table_reserve(table, 1, diag));
    if (replay_table_find(table, owner, record->digest, &until_us) && until_us > record->until_us) {
        *ret_is_needed = false;
        return OK;
    }
    replay_table_put(table, owner, record->digest, record->until_us, segment);
    *ret_is_needed = true;
    return OK;
}

struct status
replay_memory_load(struct replay_memory *memory, const uint8_t id[REPLAY_ID_BYTES], bool is_new,
                   struct diag *diag, bool *ret_is_lost)
{
    struct reading reading = {memory, clock_wall_us(memory->clock)};
    struct replay_found found = {0};

    TRY(replay_files_load(memory->files, id, take_record, &reading, diag, &found));
    memory->is_damaged = found.is_damaged;
    *ret_is_lost = found.is_damaged || (found.segments == 0 && !is_new);
    return OK;
}

/* ---- writing anew ----
 * A key that is remembered for long keeps a whole segment. When too much of the files is not
 * needed, each call copies a few of the keys that are in old segments, until nothing in those is
 * needed. */

struct moving {
    struct replay_record records[REPLAY_APPEND_MAX]; /* those of a message first */
    uint32_t slots[REPLAY_APPEND_MAX];
    size_t n, new_n;
};

static void
begin_moving(struct replay_memory *memory)
{
    const uint64_t keys = replay_table_count(memory->table);
    const uint32_t youngest = replay_files_youngest(memory->files);

    if (memory->move_last == 0 &&
        replay_files_records(memory->files) > 2 * (keys + REPLAY_SEGMENT_RECORDS)) {
        memory->move_last = youngest - 1;
        memory->move_at = 0;
    }
}

/* Fills up <moving> with keys to move, at most <room> records in all. */
static void
collect_moves(struct replay_memory *memory, size_t room, struct moving *moving)
{
    size_t steps = REPLAY_MOVE_STEPS;
    struct replay_seen seen;

    while (moving->n < room &&
           replay_table_next(memory->table, memory->move_last, &memory->move_at, &steps, &seen)) {
        struct replay_record *record = &moving->records[moving->n];

        memcpy(record->digest, seen.digest, sizeof(record->digest));
        memcpy(record->owner, seen.owner_id, sizeof(record->owner));
        record->until_us = seen.until_us;
        moving->slots[moving->n++] = seen.slot;
    }
    if (moving->n < room && steps > 0) {
        memory->move_last = 0; /* that was all */
    }
}

/* Writes them, and says so in the table; nothing has changed when that fails. */
static struct status
write_records(struct replay_memory *memory, const struct moving *moving, struct diag *diag)
{
    TRY(replay_files_append(memory->files, moving->records, moving->n, diag));
    for (size_t i = moving->new_n; i < moving->n; i++) {
        replay_table_move(memory->table, moving->slots[i], replay_files_youngest(memory->files));
    }
    return OK;
}

/* All keys into new segments, before the first message: what is damaged goes. */
static struct status
write_all_anew(struct replay_memory *memory, struct diag *diag)
{
    TRY(replay_files_renew(memory->files, diag));
    memory->move_last = replay_files_youngest(memory->files) - 1;
    memory->move_at = 0;
    while (memory->move_last != 0) {
        struct moving moving = {.n = 0};
        size_t room = 0;

        TRY(replay_files_make_room(memory->files, 1, diag, &room));
        collect_moves(memory, room < REPLAY_APPEND_MAX ? room : REPLAY_APPEND_MAX, &moving);
        if (moving.n > 0) {
            TRY(write_records(memory, &moving, diag));
        }
    }
    while (replay_files_drop(memory->files)) {
    }
    memory->is_damaged = false;
    return OK;
}

struct status
replay_memory_begin(struct replay_memory *memory, int64_t lost_us, struct diag *diag)
{
    memory->lost_us = lost_us;
    if (memory->is_damaged) {
        return write_all_anew(memory, diag);
    }
    return replay_files_segments(memory->files) > 0 ? OK : replay_files_renew(memory->files, diag);
}

/* ---- remembering ---- */

struct names {
    uint8_t owner[SHA256_BYTES];                    /* its first bytes are the owner's id */
    uint8_t digests[REPLAY_KEYS_MAX][SHA256_BYTES]; /* of one length, whatever a partner sends */
};

static struct status
name_keys(const struct replay_message *message, struct diag *diag, struct names *ret_names)
{
    uint8_t bytes[1 + SHA256_BYTES];

    TRY(digest_sha256(span_of_cstr(message->partner), diag, ret_names->owner));
    for (size_t i = 0; i < message->keys_n; i++) {
        bytes[0] = (uint8_t)message->keys[i].kind;
        TRY(digest_sha256(message->keys[i].value, diag, bytes + 1));
        TRY(digest_sha256(span_of((const char *)bytes, sizeof(bytes)), diag,
                          ret_names->digests[i]));
    }
    return OK;
}

static struct status
check_loss(const struct replay_memory *memory, const struct replay_message *message,
           struct diag *diag)
{
    char text[DATETIME_MAX];

    if (memory->lost_us == 0 || message->created_us >= memory->lost_us + message->skew_us) {
        return OK;
    }
    datetime_write_xs(memory->lost_us, text);
    return FAIL(diag, ERR_REPLAY,
                "partner '%s': the message was created before this node started at %s after its "
                "machine had stopped without warning, or its replay memory had been damaged, so "
                "that nobody knows whether it came before; it must be sent anew",
                message->partner, text);
}

/* It waited for us, and its keys would be forgotten at once: a second copy that waited beside it
 * would pass, too. */
static struct status
check_in_time(const struct replay_message *message, int64_t now_us, struct diag *diag)
{
    for (size_t i = 0; i < message->keys_n; i++) {
        if (message->keys[i].until_us <= now_us) {
            return FAIL(diag, ERR_REPLAY,
                        "partner '%s': the time of its message ended while it waited for the "
                        "replay memory; it must be sent anew",
                        message->partner);
        }
    }
    return OK;
}

/* A key that has expired but was not removed yet may come again. */
static struct status
check_new(const struct replay_memory *memory, const struct replay_message *message,
          const struct names *names, uint32_t owner, int64_t now_us, struct diag *diag)
{
    for (size_t i = 0; i < message->keys_n; i++) {
        int64_t until_us = 0;

        if (replay_table_find(memory->table, owner, names->digests[i], &until_us) &&
            until_us > now_us) {
            return FAIL(diag, ERR_REPLAY, "partner '%s' sent its %s a second time",
                        message->partner, replay_kind_name(message->keys[i].kind));
        }
    }
    return OK;
}

static struct status
write_keys(struct replay_memory *memory, const struct replay_message *message,
           const struct names *names, struct diag *diag)
{
    struct moving moving;
    size_t room = 0;

    moving.n = moving.new_n = message->keys_n;
    for (size_t i = 0; i < message->keys_n; i++) {
        struct replay_record *record = &moving.records[i];

        memcpy(record->digest, names->digests[i], sizeof(record->digest));
        memcpy(record->owner, names->owner, sizeof(record->owner));
        record->until_us = message->keys[i].until_us;
    }
    TRY(replay_files_make_room(memory->files, message->keys_n, diag, &room));
    begin_moving(memory);
    if (memory->move_last != 0) {
        collect_moves(memory, room < REPLAY_APPEND_MAX ? room : REPLAY_APPEND_MAX, &moving);
    }
    return write_records(memory, &moving, diag);
}

/* A partner that has more than it may loses its own, never those that come just now: the oldest
 * message must not make room for itself. */
static size_t
evict(struct replay_memory *memory, const struct replay_message *message, uint32_t owner,
      int64_t now_us)
{
    const size_t keys = replay_table_owner_count(memory->table, owner) + message->keys_n;
    const size_t too_many = keys > message->keys_max ? keys - message->keys_max : 0;

    return replay_table_evict(memory->table, owner, now_us,
                              too_many < REPLAY_EVICT_MAX ? too_many : REPLAY_EVICT_MAX);
}

/* Everything that can fail comes before the table changes. */
static struct status
remember(struct replay_memory *memory, const struct replay_message *message,
         const struct names *names, struct diag *diag, struct replay_result *ret_result)
{
    const int64_t now_us = clock_wall_us(memory->clock); /* not earlier: others had the lock */
    uint32_t owner = 0;

    TRY(check_in_time(message, now_us, diag));
    TRY(check_loss(memory, message, diag));
    replay_table_forget(memory->table, now_us, REPLAY_FORGET_MAX);
    TRY(replay_table_owner(memory->table, names->owner, diag, &owner));
    TRY(check_new(memory, message, names, owner, now_us, diag));
    TRY(replay_table_reserve(memory->table, message->keys_n, diag));
    TRY(write_keys(memory, message, names, diag));
    ret_result->evicted = evict(memory, message, owner, now_us);
    for (size_t i = 0; i < message->keys_n; i++) {
        replay_table_put(memory->table, owner, names->digests[i], message->keys[i].until_us,
                         replay_files_youngest(memory->files));
    }
    (void)replay_files_drop(memory->files);
    return OK;
}

struct status
replay_memory_remember(struct replay_memory *memory, const struct replay_message *message,
                       struct diag *diag, struct replay_result *ret_result)
{
    struct names names;

    TRY(name_keys(message, diag, &names));
    (void)pthread_mutex_lock(&memory->lock);
    const struct status st = remember(memory, message, &names, diag, ret_result);

    (void)pthread_mutex_unlock(&memory->lock);
    return st;
}

struct status
replay_memory_sync(struct replay_memory *memory, struct diag *diag)
{
    (void)pthread_mutex_lock(&memory->lock);
    const struct status st = replay_files_sync(memory->files, diag);

    (void)pthread_mutex_unlock(&memory->lock);
    return st;
}

struct replay_memory_counts
replay_memory_count(struct replay_memory *memory)
{
    (void)pthread_mutex_lock(&memory->lock);
    const struct replay_memory_counts counts = {replay_table_count(memory->table),
                                                replay_files_segments(memory->files),
                                                replay_files_records(memory->files)};

    (void)pthread_mutex_unlock(&memory->lock);
    return counts;
}
