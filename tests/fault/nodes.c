/*
 * Family "kills-node": a whole `isthmus serve` gets SIGKILL while many local systems ask it and it
 * asks partners, or while it starts; the next one goes on. The clients keep the MessageIDs whose
 * answers began to arrive, simulated partners (tests/bench/partner) those of the questions that
 * came. In the end the journal must have an outcome for each of the former and an intent for each
 * of the latter. Called by fault.c on the main thread; clients have threads of their own.
 */
#include "tests/fault/nodes.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "audit/verify.h"
#include "base/mem.h"
#include "soap/envelope.h"
#include "tests/bench/partner.h"
#include "tests/bench/requests.h"
#include "tests/fault/medium.h"

#define CLIENTS       12
#define PARTNERS      3
#define ID_BYTES      45 /* urn:uuid:... */
#define IDS_LIMIT     ((size_t)256 * 1024 * 1024)
#define MESSAGE_LIMIT ((size_t)1024 * 1024)
#define EVENT_ROOM    ((size_t)64 * 1024 * 1024)
#define PATIENT       SPAN("7^^^&2.999.100.1.1&ISO")
#define START_S       60
#define END_S         60
#define SOCKET_S      20

/* ---- sets of MessageIDs: 45 bytes each, without anything between ---- */

struct ids {
    struct buf bytes;
};

static size_t
ids_n(const struct ids *ids)
{
    return ids->bytes.n / ID_BYTES;
}

static int
compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, ID_BYTES);
}

static struct status
ids_add(struct ids *ids, struct span id, struct diag *diag)
{
    return id.n == ID_BYTES ? buf_append(&ids->bytes, id, diag)
                            : FAIL(diag, ERR_INTERNAL, "a MessageID of %zu bytes", id.n);
}

static void
ids_sort(struct ids *ids)
{
    if (ids_n(ids) > 1) {
        qsort(ids->bytes.p, ids_n(ids), ID_BYTES, compare_ids);
    }
}

/* Those of <wanted> that <there> has not. Both sorted. */
static size_t
ids_missing(const struct ids *wanted, const struct ids *there, const char *what,
            struct tally *tally)
{
    size_t missing = 0;
    for (size_t i = 0; i < ids_n(wanted); i++) {
        const char *const id = wanted->bytes.p + i * ID_BYTES;
        if (ids_n(there) == 0 ||
            bsearch(id, there->bytes.p, ids_n(there), ID_BYTES, compare_ids) == NULL) {
            missing++;
            tally_problem(tally, "%s: %.*s", what, ID_BYTES, id);
        }
    }
    return missing;
}

static size_t
ids_twice(const struct ids *ids)
{
    size_t n = 0;
    for (size_t i = 1; i < ids_n(ids); i++) {
        const char *const id = ids->bytes.p + i * ID_BYTES;
        n += memcmp(id - ID_BYTES, id, ID_BYTES) == 0 ? 1 : 0;
    }
    return n;
}

/* ---- clients ---- */

struct client {
    const struct nodes_plan *plan;
    const atomic_bool *is_over;
    atomic_size_t *answers; /* of all clients */
    struct ids answered;
    struct span homes[PARTNERS];
    char names[PARTNERS][48];
    size_t n;
    struct diag diag;
};

static void
wait_us(uint64_t us)
{
    const struct timespec time = {(time_t)(us / 1000000), (long)(us % 1000000 * 1000)};
    (void)nanosleep(&time, NULL);
}

static int
connect_to(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = SOCKET_S};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
        return fd;
    }
    (void)close(fd);
    return -1;
}

static struct span
message_id_of(struct span request)
{
    const size_t name = span_find(request, SPAN("MessageID"));
    const struct span rest = span_slice(request, name == SPAN_MISSING ? request.n : name, SIZE_MAX);
    return span_slice(rest, span_find(rest, SPAN("urn:uuid:")), ID_BYTES);
}

/* The rest of an answer whose first bytes have come; false: the connection is of no more use. */
static bool
read_rest(int fd, struct buf *answer)
{
    struct diag diag = {0};
    for (;;) {
        const struct span all = buf_span(answer);
        const size_t end = span_find(all, SPAN("\r\n\r\n"));
        const size_t at = span_find(all, SPAN("Content-Length: "));
        if (end != SPAN_MISSING && at < end) {
            const struct span rest = span_slice(all, at + 16, SIZE_MAX);
            uint64_t n = 0;
            if (!span_to_u64(span_slice(rest, 0, span_find_char(rest, '\r')), IDS_LIMIT, &n)) {
                return false;
            }
            if (all.n >= end + 4 + n) {
                return true;
            }
        }
        char *room = NULL;
        if (!is_ok(buf_reserve(answer, 65536, &diag, &room))) {
            return false;
        }
        const ssize_t got = recv(fd, room, 65536, 0);
        if (got <= 0) {
            return false;
        }
        answer->n += (size_t)got;
    }
}

/* One question. An answer counts from its first bytes on, when its status says that it is one. */
static bool
ask(struct client *client, int fd, struct buf *request, struct buf *answer)
{
    const struct span home = client->homes[client->n++ % PARTNERS];
    const struct span_list targets = {(struct span *)&home, 1, 1};
    char *room = NULL;
    buf_reset(request);
    buf_reset(answer);
    if (!is_ok(request_write_local_query(&targets, PATIENT, request, &client->diag)) ||
        !is_ok(buf_reserve(answer, 65536, &client->diag, &room))) {
        return false;
    }
    if (send(fd, request->p, request->n, MSG_NOSIGNAL) != (ssize_t)request->n) {
        return false;
    }
    const ssize_t got = recv(fd, room, 65536, 0);
    if (got <= 0) {
        return false;
    }
    answer->n = (size_t)got;
    if (span_starts_with(buf_span(answer), SPAN("HTTP/1.1 200"))) {
        atomic_fetch_add(client->answers, 1);
        if (!is_ok(ids_add(&client->answered, message_id_of(buf_span(request)), &client->diag))) {
            return false;
        }
    }
    return read_rest(fd, answer);
}

static void *
run_client(void *arg)
{
    struct client *const client = arg;
    struct buf request;
    struct buf answer;
    int fd = -1;
    buf_init(&request, MESSAGE_LIMIT);
    buf_init(&answer, MESSAGE_LIMIT);
    while (!atomic_load(client->is_over) && client->diag.code == ERR_NONE) {
        fd = fd == -1 ? connect_to(client->plan->port) : fd;
        if (fd == -1) {
            wait_us(3000); /* it is down */
        } else if (!ask(client, fd, &request, &answer)) {
            (void)close(fd);
            fd = -1;
        }
    }
    if (fd != -1) {
        (void)close(fd);
    }
    buf_done(&request);
    buf_done(&answer);
    return NULL;
}

/* ---- the node ---- */

static pid_t
start_node(const struct nodes_plan *plan)
{
    (void)fflush(NULL);
    const int log = open(plan->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const pid_t child = fork();
    if (child == 0) { /* of a process with threads: nothing that takes a lock */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(log, STDERR_FILENO);
        (void)execl(plan->program, plan->program, "serve", "-c", plan->config, (char *)NULL);
        _exit(127);
    }
    (void)close(log);
    return child;
}

static bool
has_ended(pid_t child)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == child;
}

/* Until it answers; false: it does not, or has ended. */
static bool
await_answer(pid_t child, const atomic_size_t *answers, size_t before)
{
    for (int i = 0; i < START_S * 1000; i++) {
        if (atomic_load(answers) > before) {
            return true;
        }
        if (has_ended(child)) {
            return false;
        }
        wait_us(1000);
    }
    return false;
}

/* Three of four under load, the fourth while it starts. */
static void
kill_once(const struct nodes_plan *plan, const atomic_size_t *answers, uint64_t *random,
          struct tally *tally)
{
    const size_t before = atomic_load(answers);
    const bool is_early = random_below(random, 4) == 0;
    const uint64_t delay_us = random_below(random, is_early ? 300000 : 120000);
    int status = 0;
    const pid_t child = start_node(plan);
    if (child < 0) {
        tally_problem(tally, "no process for a node");
        return;
    }
    if (!is_early && !await_answer(child, answers, before)) {
        tally_problem(tally, "kill %" PRIu64 ": the node gave no answer (%s)", tally->tried,
                      plan->log);
    }
    wait_us(delay_us);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
        tally_problem(tally, "kill %" PRIu64 ": the node ended by itself (status %d, %s)",
                      tally->tried, status, plan->log);
    }
    tally->tried++;
}

/* The last one starts, answers, and ends in order. */
static void
end_in_order(const struct nodes_plan *plan, const atomic_size_t *answers, atomic_bool *is_over,
             struct tally *tally)
{
    int status = 0;
    const size_t before = atomic_load(answers);
    const pid_t child = start_node(plan);
    if (child < 0 || !await_answer(child, answers, before)) {
        tally_problem(tally, "behind the last kill the node gives no answer (%s)", plan->log);
    }
    atomic_store(is_over, true);
    if (child < 0) {
        return;
    }
    (void)kill(child, SIGTERM);
    for (int i = 0; i < END_S * 100 && !has_ended(child); i++) {
        wait_us(10000);
    }
    (void)kill(child, SIGKILL);
    (void)waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        tally_problem(tally, "the last node did not end in order (status %d)", status);
    }
}

/* ---- the journal ---- */

struct journal_ids {
    struct ids intents, asked; /* questions that left: their intents, their outcomes */
    struct ids answered;       /* outcomes of what was asked of us */
    uint64_t unknown, records;
    struct diag diag;
};

static struct status
note_event(struct journal_ids *ids, const struct audit_event *event)
{
    ids->records++;
    ids->unknown += span_starts_with(event->outcome_text, SPAN("outcome unknown")) ? 1 : 0;
    if (event->type != AUDIT_ITI_38 && event->type != AUDIT_ITI_18) {
        return OK;
    }
    if (event->side == AUDIT_RESPONDING) {
        return event->phase == AUDIT_OUTCOME
                   ? ids_add(&ids->answered, event->message_id, &ids->diag)
                   : OK;
    }
    return ids_add(event->phase == AUDIT_INTENT ? &ids->intents : &ids->asked, event->message_id,
                   &ids->diag);
}

static bool
take_record(void *arg, const struct journal_record *record)
{
    struct journal_ids *const ids = arg;
    struct audit_event event;
    struct arena *const arena = arena_new(EVENT_ROOM);
    if (arena == NULL) {
        (void)FAIL(&ids->diag, ERR_NO_MEMORY, "no memory for a record");
        return false;
    }
    struct status st = audit_event_decode(record->payload, arena, &ids->diag, &event);
    if (is_ok(st)) {
        st = note_event(ids, &event);
    }
    arena_free(arena);
    return is_ok(st);
}

static void
take_report(void *arg, const struct journal_chain_report *report)
{
    if (report->problem != NULL) {
        tally_problem(arg, "the journal does not verify: %s", report->problem);
    }
}

/* What simulated partners wrote: one MessageID a line. */
static struct status
read_questions(const char *path, struct ids *ids, struct diag *diag)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, IDS_LIMIT);
    TRY(buf_read_file(&text, path, diag));
    struct span rest = buf_span(&text);
    struct span line;
    while (span_split(&rest, '\n', &line)) {
        if (line.n > 0) {
            TRY(ids_add(ids, line, diag));
        }
    }
    return OK;
}

static struct status
compare(const struct nodes_plan *plan, struct ids *answers, struct diag *diag, struct tally *tally)
{
    struct journal_ids there = {0};
    struct ids questions = {0};
    struct ids *const all[] = {&there.intents, &there.asked, &there.answered, &questions};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        buf_init(&all[i]->bytes, IDS_LIMIT);
    }
    struct status st = journal_read(JOURNAL_AT(plan->journal), take_record, &there, diag);
    if (is_ok(st) && there.diag.code != ERR_NONE) {
        st = FAIL(diag, there.diag.code, "%s", there.diag.text);
    }
    if (is_ok(st)) {
        const struct verify_rules rules = {.against = NULL};
        st = journal_verify(JOURNAL_AT(plan->journal), &rules, take_report, tally, diag);
    }
    if (is_ok(st)) {
        st = read_questions(plan->questions, &questions, diag);
    }
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        ids_sort(all[i]);
    }
    ids_sort(answers);
    if (is_ok(st)) {
        tally->unaudited_answers =
            ids_missing(answers, &there.answered, "an answer left without its record", tally);
        tally->unaudited_questions =
            ids_missing(&questions, &there.intents, "a question left without its intent", tally);
        tally->lost = ids_missing(&there.intents, &there.asked, "an intent has no outcome", tally);
        tally->duplicates = ids_twice(&there.answered) + ids_twice(&there.asked);
        tally->acknowledged = there.records;
        (void)snprintf(
            tally->remark, sizeof(tally->remark),
            "%zu answers arrived, %zu questions came to partners; of %zu intents %" PRIu64
            " ended as \"outcome unknown\"",
            ids_n(answers), ids_n(&questions), ids_n(&there.intents), there.unknown);
    }
    if (tally->duplicates > 0) {
        tally_problem(tally, "%" PRIu64 " outcomes are there twice", tally->duplicates);
    }
    if (is_ok(st) && (ids_n(answers) == 0 || ids_n(&questions) == 0)) {
        tally_problem(tally, "no answer arrived, or no question came to a partner");
    }
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        buf_done(&all[i]->bytes);
    }
    return st;
}

/* ---- all of it ---- */

static void
client_init(struct client *client, const struct nodes_plan *plan, size_t number,
            const atomic_bool *is_over, atomic_size_t *answers)
{
    *client = (struct client){.plan = plan, .is_over = is_over, .answers = answers, .n = number};
    buf_init(&client->answered.bytes, IDS_LIMIT);
    for (size_t i = 0; i < PARTNERS; i++) {
        const int n = snprintf(client->names[i], sizeof(client->names[i]),
                               "urn:oid:" PARTNER_OID_ROOT ".%zu", i + 1);
        client->homes[i] = span_of(client->names[i], (size_t)n);
    }
}

struct status
fault_nodes(const struct fault_plan *plan, const struct nodes_plan *nodes, struct diag *diag,
            struct tally *tally)
{
    static struct client clients[CLIENTS];
    pthread_t threads[CLIENTS];
    atomic_bool is_over = false;
    atomic_size_t answers = 0;
    uint64_t random = plan->seed * 2 + 1;
    struct ids answered = {0};
    size_t started = 0;
    buf_init(&answered.bytes, IDS_LIMIT);
    for (; started < CLIENTS; started++) {
        client_init(&clients[started], nodes, started, &is_over, &answers);
        if (pthread_create(&threads[started], NULL, run_client, &clients[started]) != 0) {
            (void)FAIL(diag, ERR_NO_MEMORY, "no thread for a client");
            break;
        }
    }
    while (started == CLIENTS && tally->tried < plan->count && fault_has_time(plan) &&
           tally->problems == 0) {
        kill_once(nodes, &answers, &random, tally);
    }
    end_in_order(nodes, &answers, &is_over, tally);
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
        if (clients[i].diag.code != ERR_NONE && diag->code == ERR_NONE) {
            *diag = clients[i].diag;
        }
        struct diag ignored = {0};
        if (!is_ok(buf_append(&answered.bytes, buf_span(&clients[i].answered.bytes), &ignored))) {
            (void)FAIL(diag, ERR_NO_MEMORY, "no memory for what was answered");
        }
        buf_done(&clients[i].answered.bytes);
    }
    struct status st = (struct status){diag->code};
    if (is_ok(st)) {
        st = compare(nodes, &answered, diag, tally);
    }
    buf_done(&answered.bytes);
    return st;
}
