/*
 * Family "kills-journal": a process with many writing threads is killed (SIGKILL) at a random
 * moment, while it opens the journal, recovers it or writes; the next one takes the chain over and
 * is killed, too. What was acknowledged stands in shared memory. Called by fault.c on the main
 * thread; nothing is watched: files, syncs and kills are real.
 */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "audit/journal.h"
#include "tests/fault/fault.h"
#include "tests/fault/medium.h"

#define THREADS     8
#define KILLS_EACH  12 /* of one chain */
#define CLAIMS_MAX  ((size_t)1 << 18)
#define START_MS    30000 /* for a process to write its first record */
#define ENDS_ITSELF 3

static const struct work_terms terms = {.sizes = {65536, 1024 * 1024, 16384, true}};

/* Between the processes. A claim counts when its number is set, which is written last. */
struct shared {
    atomic_ullong next; /* transaction */
    atomic_size_t claims_n;
    struct {
        atomic_bool is_set;
        struct claim claim;
    } claims[CLAIMS_MAX];
};

static void
claim(void *arg, struct claim claim)
{
    struct shared *const shared = arg;
    const size_t at = atomic_fetch_add(&shared->claims_n, 1);
    if (at >= CLAIMS_MAX) {
        _exit(ENDS_ITSELF);
    }
    shared->claims[at].claim = claim;
    atomic_store(&shared->claims[at].is_set, true);
}

static void *
run_until_killed(void *arg)
{
    struct worker *const worker = arg;
    (void)worker_run(worker);
    fprintf(stderr, "a writer ended: %s\n", worker->diag.text);
    _exit(ENDS_ITSELF);
}

static void
be_victim(const char *dir, struct shared *shared, uint64_t seed)
{
    static struct worker workers[THREADS];
    struct journal *journal = NULL;
    struct diag diag = {0};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!is_ok(work_open(dir, &terms, &diag, &journal))) {
        fprintf(stderr, "the next process cannot open: %s\n", diag.text);
        _exit(ENDS_ITSELF);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_t thread;
        worker_init(&workers[i], journal, &shared->next, seed + i);
        workers[i].acknowledge = claim;
        workers[i].arg = shared;
        if (pthread_create(&thread, NULL, run_until_killed, &workers[i]) != 0) {
            _exit(ENDS_ITSELF);
        }
    }
    for (;;) {
        (void)pause();
    }
}

static void
wait_us(uint64_t us)
{
    const struct timespec time = {(time_t)(us / 1000000), (long)(us % 1000000 * 1000)};
    (void)nanosleep(&time, NULL);
}

/* Waits until the child writes; false: it did not in all that time, or has ended. */
static bool
await_writing(pid_t child, const struct shared *shared, size_t before)
{
    for (int i = 0; i < START_MS * 5; i++) {
        siginfo_t info = {0};
        if (atomic_load(&shared->claims_n) > before) {
            return true;
        }
        if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid == child) {
            return false;
        }
        wait_us(200);
    }
    return false;
}

/* Three of four under load, the fourth while it opens and recovers. */
static void
kill_once(const char *dir, struct shared *shared, uint64_t *random, struct tally *tally)
{
    const size_t before = atomic_load(&shared->claims_n);
    const uint64_t seed = random_next(random);
    const bool is_early = random_below(random, 4) == 0;
    const uint64_t delay_us = random_below(random, is_early ? 6000 : 15000);
    int status = 0;
    (void)fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        be_victim(dir, shared, seed);
    }
    if (child < 0) {
        tally_problem(tally, "no process to be killed");
        return;
    }
    if (!is_early && !await_writing(child, shared, before)) {
        tally_problem(tally, "kill %" PRIu64 ": the process wrote nothing", tally->tried);
    }
    wait_us(delay_us);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
        tally_problem(tally, "kill %" PRIu64 ": the process ended by itself (status %d)",
                      tally->tried, status);
    }
    tally->tried++;
}

static struct status
take_claims(const struct shared *shared, size_t *taken, struct ledger *ledger, struct diag *diag)
{
    const size_t n = atomic_load(&shared->claims_n);
    for (; *taken < n && *taken < CLAIMS_MAX; (*taken)++) {
        if (atomic_load(&shared->claims[*taken].is_set)) {
            TRY(ledger_add(ledger, shared->claims[*taken].claim, diag));
        }
    }
    return OK;
}

static struct status
run_chain(const struct fault_plan *plan, const char *dir, struct shared *shared, uint64_t *random,
          struct diag *diag, struct tally *tally)
{
    struct ledger ledger = {0};
    struct journal *journal = NULL;
    size_t taken = 0;
    struct status st = OK;
    char where[100];
    for (int i = 0;
         i < KILLS_EACH && is_ok(st) && tally->tried < plan->count && fault_has_time(plan); i++) {
        kill_once(dir, shared, random, tally);
        (void)snprintf(where, sizeof(where), "kill %" PRIu64, tally->tried);
        st = take_claims(shared, &taken, &ledger, diag);
        if (ledger.n > 0 || access(dir, F_OK) == 0) { /* it may have come to nothing at all */
            work_check(dir, &ledger, false, where, tally);
        }
    }
    if (is_ok(st)) {
        struct diag why = {0};
        if (is_ok(work_open(dir, &terms, &why, &journal))) {
            journal_close(journal);
            work_check(dir, &ledger, true, "behind the last kill", tally);
        } else {
            tally->lost += ledger.n;
            tally_problem(tally, "kill %" PRIu64 ": no recovery: %s", tally->tried, why.text);
        }
    }
    tally->acknowledged += ledger.n;
    ledger_done(&ledger);
    return st;
}

struct status
fault_kills(const struct fault_plan *plan, struct diag *diag, struct tally *tally)
{
    uint64_t random = plan->seed * 2 + 1;
    struct status st = OK;
    char dir[PATH_MAX];
    struct shared *const shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                                       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (shared == MAP_FAILED) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to share");
    }
    (void)snprintf(dir, sizeof(dir), "%.2000s/chain", plan->dir);
    while (is_ok(st) && tally->tried < plan->count && fault_has_time(plan)) {
        memset(shared->claims, 0, sizeof(shared->claims[0]) * atomic_load(&shared->claims_n));
        atomic_store(&shared->claims_n, 0);
        atomic_store(&shared->next, 1);
        st = run_chain(plan, dir, shared, &random, diag, tally);
        if (is_ok(st)) {
            st = image_remove(dir, diag);
        }
    }
    (void)munmap(shared, sizeof(*shared));
    return st;
}
