/*
 * Runs both engines over one signature. Called by the linker's wrapper of dsig_verify (tests,
 * attacks) and by the fuzz target.
 */
#include "engines.h"

#include <stdio.h>
#include <string.h>

#define DIGESTED_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct engines engines;

void
engines_reset(void)
{
    memset(&engines, 0, sizeof(engines));
}

static void
differs(const char *how, size_t ours, size_t theirs)
{
    if (engines.difference[0] == '\0') {
        (void)snprintf(engines.difference, sizeof(engines.difference),
                       "signature %zu: %s: profile %zu, reference %zu", engines.jobs, how, ours,
                       theirs);
    }
}

static void
compare_bytes(const char *what, const struct buf *ours, const struct buf *theirs)
{
    /* The reference stops at the first thing that is wrong. */
    if (theirs->n > 0) {
        engines.bytes += theirs->n;
        if (!span_eq(buf_span(ours), buf_span(theirs))) {
            differs(what, ours->n, theirs->n);
        }
    }
}

static void
compare(enum profile_verdict verdict, bool is_right, const struct dsig_digested *ours,
        const struct dsig_digested *theirs)
{
    if (engines.jobs < ENGINES_SEEN_MAX) {
        engines.verdicts[engines.jobs] = verdict;
    }
    engines.jobs++;
    if (verdict == PROFILE_NOT_MINE) {
        return;
    }
    engines.known++;
    compare_bytes("bytes of what is signed", &ours->target, &theirs->target);
    compare_bytes("bytes of SignedInfo", &ours->info, &theirs->info);
    if ((verdict == PROFILE_RIGHT) != is_right) {
        differs("verdict", verdict == PROFILE_RIGHT, is_right);
    }
    if (is_right && (theirs->target.n == 0 || theirs->info.n == 0)) {
        differs("the reference digested nothing", ours->target.n, theirs->target.n);
    }
}

static void
digested_init(struct dsig_digested *digested)
{
    buf_init(&digested->target, DIGESTED_BYTES_MAX);
    buf_init(&digested->info, DIGESTED_BYTES_MAX);
}

static void
digested_done(struct dsig_digested *digested)
{
    buf_done(&digested->target);
    buf_done(&digested->info);
}

struct status __real_dsig_verify(const struct dsig_job *job, struct diag *diag);
struct status __wrap_dsig_verify(const struct dsig_job *job, struct diag *diag);

struct status
engines_compare(const struct dsig_job *job, struct diag *diag)
{
    struct dsig_digested ours;
    struct dsig_digested theirs;
    struct dsig_job by_profile = *job;
    struct dsig_job by_reference = *job;
    digested_init(&ours);
    digested_init(&theirs);
    by_profile.digested = &ours;
    by_reference.digested = &theirs;
    by_reference.engine = DSIG_REFERENCE;
    const enum profile_verdict verdict = profile_verify(&by_profile);
    const struct status st = __real_dsig_verify(&by_reference, diag);
    compare(verdict, is_ok(st), &ours, &theirs);
    digested_done(&ours);
    digested_done(&theirs);
    return st;
}

/* What the caller gets is what it would have got. */
struct status
__wrap_dsig_verify(const struct dsig_job *job, struct diag *diag)
{
    struct diag unused;
    if (engines.is_idle) {
        return __real_dsig_verify(job, diag);
    }
    diag_clear(&unused);
    const struct status reference = engines_compare(job, &unused);
    const struct status st = __real_dsig_verify(job, diag);
    if (is_ok(st) != is_ok(reference)) {
        differs("what dsig_verify says", is_ok(st), is_ok(reference));
    }
    return st;
}
