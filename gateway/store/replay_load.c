/*
 * Reading the segments of the replay memory when a node starts, and their form. Called by
 * replay_memory.c on the thread that starts the node. What cannot be read is passed over and
 * reported: the rest is still good for refusing.
 *
 *   header:  "ISTHRPL1", the memory's id (16), the segment's number (4), zeros
 *   record:  digest (32), owner (16), until (8), zeros (4), CRC-32C (4)
 *
 * Numbers are little-endian. A record's check goes over the header, the record's index (4) and the
 * first 60 bytes.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/replay_segment.h"

#define MAGIC       "ISTHRPL1"
#define ID_AT       8
#define NUMBER_AT   24
#define OWNER_AT    32
#define UNTIL_AT    48
#define ZEROS_AT    56
#define CHECK_AT    60
#define BLOCKS_READ 256 /* at a time */

/* ---- form ---- */

static void
write_number(uint64_t number, size_t n, uint8_t *ret_bytes)
{
    for (size_t i = 0; i < n; i++) {
        ret_bytes[i] = (uint8_t)(number >> (8 * i));
    }
}

static uint64_t
read_number(const uint8_t *bytes, size_t n)
{
    uint64_t number = 0;

    for (size_t i = 0; i < n; i++) {
        number |= (uint64_t)bytes[i] << (8 * i);
    }
    return number;
}

void
replay_write_header(const uint8_t id[REPLAY_ID_BYTES], uint32_t number,
                    uint8_t ret_bytes[REPLAY_BLOCK])
{
    memset(ret_bytes, 0, REPLAY_BLOCK);
    memcpy(ret_bytes, MAGIC, sizeof(MAGIC) - 1);
    memcpy(ret_bytes + ID_AT, id, REPLAY_ID_BYTES);
    write_number(number, sizeof(number), ret_bytes + NUMBER_AT);
}

uint32_t
replay_seed(const uint8_t id[REPLAY_ID_BYTES], uint32_t number)
{
    uint8_t header[REPLAY_BLOCK];

    replay_write_header(id, number, header);
    return crc32c(0, header, sizeof(header));
}

static uint32_t
check_of(uint32_t seed, uint32_t index, const uint8_t bytes[REPLAY_BLOCK])
{
    uint8_t at[sizeof(index)];

    write_number(index, sizeof(at), at);
    return crc32c(crc32c(seed, at, sizeof(at)), bytes, CHECK_AT);
}

void
replay_write_record(uint32_t seed, uint32_t index, const struct replay_record *record,
                    uint8_t ret_bytes[REPLAY_BLOCK])
{
    memcpy(ret_bytes, record->digest, sizeof(record->digest));
    memcpy(ret_bytes + OWNER_AT, record->owner, sizeof(record->owner));
    write_number((uint64_t)record->until_us, sizeof(uint64_t), ret_bytes + UNTIL_AT);
    memset(ret_bytes + ZEROS_AT, 0, CHECK_AT - ZEROS_AT);
    write_number(check_of(seed, index, ret_bytes), sizeof(uint32_t), ret_bytes + CHECK_AT);
}

static bool
read_record(uint32_t seed, uint32_t index, const uint8_t bytes[REPLAY_BLOCK],
            struct replay_record *ret_record)
{
    if (read_number(bytes + CHECK_AT, sizeof(uint32_t)) != check_of(seed, index, bytes)) {
        return false;
    }
    memcpy(ret_record->digest, bytes, sizeof(ret_record->digest));
    memcpy(ret_record->owner, bytes + OWNER_AT, sizeof(ret_record->owner));
    ret_record->until_us = (int64_t)read_number(bytes + UNTIL_AT, sizeof(uint64_t));
    return true;
}

/* ---- one segment ---- */

struct load {
    struct replay_files *files;
    replay_take_fn *take;
    void *arg;
    struct diag *diag;
    struct replay_found found;
};

static struct status
take_block(struct load *load, struct replay_segment *segment, const uint8_t bytes[REPLAY_BLOCK])
{
    struct replay_record record;
    bool is_needed = false;

    if (!read_record(segment->seed, segment->records++, bytes, &record)) {
        load->found.is_damaged = true;
        return OK;
    }
    TRY(load->take(load->arg, &record, segment->number, load->diag, &is_needed));
    /* The segment is the list's last: what the record takes the place of may be in it, too. */
    segment->needed += is_needed ? 1 : 0;
    return OK;
}

/* As many bytes as there are up to <n>; fewer only at the end of the file. */
static struct status
read_bytes(const struct load *load, int fd, const char *name, off_t at, size_t n, uint8_t *bytes,
           size_t *ret_n)
{
    size_t got = 0;

    while (got < n) {
        const ssize_t piece = pread(fd, bytes + got, n - got, at + (off_t)got);

        if (piece == -1 && errno != EINTR) {
            return replay_failed(load->files, "read", name, errno, load->diag);
        }
        if (piece == 0) {
            break;
        }
        got += piece == -1 ? 0 : (size_t)piece;
    }
    *ret_n = got;
    return OK;
}

static struct status
read_header(struct load *load, uint32_t number, int fd, const char *name)
{
    uint8_t want[REPLAY_BLOCK], got[REPLAY_BLOCK];
    size_t n = 0;

    replay_write_header(load->files->id, number, want);
    TRY(read_bytes(load, fd, name, 0, sizeof(got), got, &n));
    if (n != sizeof(got) || memcmp(got, want, sizeof(got)) != 0) {
        load->found.is_damaged = true;
    }
    return OK;
}

static struct status
read_records(struct load *load, size_t index, int fd, const char *name)
{
    uint8_t bytes[BLOCKS_READ * REPLAY_BLOCK];
    size_t n = sizeof(bytes);

    for (off_t at = REPLAY_BLOCK; n == sizeof(bytes); at += (off_t)n) {
        TRY(read_bytes(load, fd, name, at, sizeof(bytes), bytes, &n));
        for (size_t i = 0; i + REPLAY_BLOCK <= n; i += REPLAY_BLOCK) {
            TRY(take_block(load, &load->files->segments[index], bytes + i));
        }
        if (n % REPLAY_BLOCK != 0) {
            load->found.is_damaged = true;
        }
    }
    return OK;
}

static struct status
read_segment(struct load *load, uint32_t number, bool is_last)
{
    const struct replay_segment segment = {
        .number = number, .is_dirty = true, .seed = replay_seed(load->files->id, number)};
    char name[REPLAY_NAME_MAX];

    replay_segment_name(number, name);
    const int fd = openat(load->files->folder_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (fd == -1) {
        return replay_failed(load->files, "open", name, errno, load->diag);
    }
    struct status st = replay_segments_add(load->files, &segment, load->diag);
    const size_t index = load->files->n - 1;

    if (is_ok(st)) {
        st = read_header(load, number, fd, name);
    }
    if (is_ok(st)) {
        st = read_records(load, index, fd, name);
    }
    if (is_ok(st) && is_last) {
        load->files->fd = fd; /* more comes behind */
        return OK;
    }
    (void)close(fd);
    return st;
}

/* All but the last are full but for what a message did not fit in. */
static void
check_length(struct load *load, const struct replay_segment *segment, bool is_last)
{
    if (segment->records > REPLAY_SEGMENT_RECORDS ||
        (!is_last && segment->records + REPLAY_LEFT_MAX < REPLAY_SEGMENT_RECORDS)) {
        load->found.is_damaged = true;
    }
}

/* ---- all of them ---- */

struct numbers {
    uint32_t *items;
    size_t n, capacity;
};

static struct status
note_number(struct numbers *numbers, uint32_t number, struct diag *diag)
{
    if (numbers->n == numbers->capacity) {
        const size_t capacity = numbers->capacity == 0 ? 64 : 2 * numbers->capacity;
        uint32_t *items = mem_resize(numbers->items, capacity * sizeof(*items));

        if (items == NULL) {
            return FAIL(diag, ERR_NO_MEMORY, "no memory for the files of the replay memory");
        }
        numbers->items = items;
        numbers->capacity = capacity;
    }
    numbers->items[numbers->n++] = number;
    return OK;
}

static void
free_numbers(struct numbers *numbers)
{
    mem_free(numbers->items);
}

/* False for what is no segment. */
static bool
number_of(const char *name, uint32_t *ret_number)
{
    const struct span text = span_of_cstr(name);
    char again[REPLAY_NAME_MAX];
    uint64_t number = 0;

    if (!span_to_u64(span_slice(text, 0, 10), UINT32_MAX, &number) || number == 0) {
        return false;
    }
    replay_segment_name((uint32_t)number, again);
    *ret_number = (uint32_t)number;
    return span_eq_cstr(text, again);
}

static struct status
list_segments(const struct replay_files *files, struct diag *diag, struct numbers *ret_numbers)
{
    DIR *dir = opendir(files->folder);
    struct status st = OK;
    uint32_t number = 0;

    if (dir == NULL) {
        return replay_failed(files, "read", "", errno, diag);
    }
    for (const struct dirent *entry = readdir(dir); is_ok(st) && entry != NULL;
         entry = readdir(dir)) {
        if (number_of(entry->d_name, &number)) {
            st = note_number(ret_numbers, number, diag);
        }
    }
    (void)closedir(dir);
    return st;
}

static int
compare_numbers(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

struct status
replay_files_load(struct replay_files *files, const uint8_t id[REPLAY_ID_BYTES],
                  replay_take_fn *take, void *arg, struct diag *diag,
                  struct replay_found *ret_found)
{
    CLEANUP(free_numbers) struct numbers numbers = {0};
    struct load load = {.files = files, .take = take, .arg = arg, .diag = diag};

    assert(files->n == 0);
    memcpy(files->id, id, REPLAY_ID_BYTES);
    TRY(list_segments(files, diag, &numbers));
    if (numbers.n > 0) {
        qsort(numbers.items, numbers.n, sizeof(*numbers.items), compare_numbers);
    }
    for (size_t i = 0; i < numbers.n; i++) {
        const bool is_last = i + 1 == numbers.n;

        TRY(read_segment(&load, numbers.items[i], is_last));
        check_length(&load, &files->segments[i], is_last);
        files->records += files->segments[i].records;
    }
    files->may_drop = true;
    load.found.segments = numbers.n;
    *ret_found = load.found;
    return OK;
}
