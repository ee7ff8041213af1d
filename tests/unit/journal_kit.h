/*
 * What the tests of the journal share: a disk whose calls can be watched and made to fail, and
 * small events with a number. The kit defines pwrite and fdatasync, so the library's calls land
 * here. Thread: any.
 */
#ifndef JOURNAL_KIT_H
#define JOURNAL_KIT_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "audit/journal_state.h"

/* ---- the disk ---- */
struct kit_disk {
    atomic_ullong written;    /* highest sequence that a pwrite took */
    atomic_ullong synced;     /* highest that was written before an fdatasync that has returned */
    atomic_uint fdatasyncs;   /* calls */
    atomic_uint pwrites;      /* calls */
    atomic_int sync_delay_us; /* each fdatasync takes at least so long */
    atomic_int fail_sync_at;  /* the so-manieth call from now fails with EIO; 0: none */
    atomic_int fail_write_at; /* the same for pwrite */
    atomic_int cut_write;     /* pwrite takes at most so many bytes; 0: all */
    atomic_bool is_hanging;   /* fdatasync waits until this is false again */
    /* What a test that keeps its own copy of the disk wants to see; may be NULL. */
    void (*on_write)(int fd, const void *bytes, size_t n, off_t offset);
    void (*on_sync)(int fd);
    void (*on_read)(off_t offset); /* after a pread */
};
extern struct kit_disk kit_disk;
void kit_disk_reset(void);

/* ---- parks that can be waited for ---- */
struct kit_claim {
    struct park park; /* first member */
    struct journal_ticket ticket;
    unsigned long long synced_at_wake; /* kit_disk.synced when the wake came */
    atomic_bool is_woken;
    atomic_uint wakes;
    unsigned order; /* among all wakes since kit_disk_reset */
};
void kit_claim_init(struct kit_claim *claim);
void kit_claim_wait(struct kit_claim *claim); /* else the test ends */

/* An event whose query_id is <number>, with <padding> bytes of query. */
struct audit_event kit_event(char number[24], uint64_t value, struct span padding);
struct span kit_padding(size_t n); /* at most 64 KiB of 'x' */

/* A folder of its own under the test's temporary one. */
const char *kit_folder(const char *name);
/* <dir>/<chain>/<first>.seg of the chain's last segment, in a static buffer. */
const char *kit_last_segment(const char *dir, const char *chain);

/* Number of records that journal_read gives, with the status of it. */
struct kit_count {
    uint64_t records;
    uint64_t last_sequence;
    int64_t last_time_us;
    bool is_in_order; /* of time */
};
struct status kit_count_records(const char *dir, struct diag *diag, struct kit_count *ret_count);

/* ---- chains and their files ---- */
#define KIT_SIZES ((struct journal_sizes){16384, 1024 * 1024, 0, false})
enum { KIT_RECORDS = 8 };

struct journal *kit_open(const char *dir, struct journal_sizes sizes); /* chain "serve" */
struct journal *kit_open_ruled(const char *dir, struct journal_sizes sizes,
                               struct journal_rules rules);
struct journal_condition kit_look(struct journal *journal);
struct status kit_append(struct journal *journal, uint64_t value, size_t padding,
                         struct kit_claim *claim, struct diag *diag);
struct status kit_append_wait(struct journal *journal, uint64_t value, size_t padding,
                              struct diag *diag);
/* Appends and waits: events with the numbers <from> to <to>. */
void kit_fill(struct journal *journal, uint64_t from, uint64_t to);
void kit_join(char to[PATH_MAX], const char *folder, const char *name);
void kit_write_file(const char *path, struct span bytes);

/* A chain of KIT_RECORDS records, each durable before the next, and its only file. */
struct kit_image {
    char dir[PATH_MAX];
    char path[PATH_MAX]; /* of its only segment */
    struct buf bytes;
    uint64_t offsets[KIT_RECORDS + 1]; /* of the records, and of the end */
};

/* <is_closed>: ended properly, else as kill -9 leaves it. */
void kit_image_make(struct kit_image *image, const char *name, bool is_closed);

/* What journal_verify says of the only chain of a folder. */
struct kit_verdict {
    int chains;
    uint64_t records;
    bool is_torn;
    bool has_problem;
    char problem[DIAG_TEXT_MAX];
};

struct kit_verdict kit_verify(const char *dir);
void kit_check_whole(const char *dir, uint64_t records);
/* The next writer refuses and names the chain. */
void kit_check_refused(const char *dir);
/* The next writer finds <records>, and one more makes a whole chain. */
void kit_check_recovers(const char *dir, uint64_t records);

#endif
