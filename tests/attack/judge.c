/*
 * Judges messages as the gateway would, in process: proof_take, which is what the Responding
 * Gateway runs, and then the codec of the payload.
 *
 *   judge CONFIG [--one-engine] < manifest
 *
 * The manifest has one JSON object a line: id, path, content_type, body (file), peer (PEM file of
 * the TLS client certificate; absent: none), now_us (wall time; absent: the system's). With
 * "answer" (what our question was) the message is judged as the answer to it, with "system" (the
 * name of one in CONFIG) as a local system's, which brings an assertion. Each line is judged in a
 * child of its own, so that a crash or an endless loop is that line's result. The first line that
 * has "warm" is run in this process before, so that what libraries set up once is nobody's cost.
 * Answers one JSON object a line: id, verdict (accepted, refused, crashed, timed-out), error, text,
 * cpu_us, memory_peak, memory_left, engines, facts. The program has one thread.
 *
 * Each signature that reaches the arithmetic is then computed by both engines of soap/dsig.h
 * (--one-engine: it is not), and what they said and digested is compared: "engines" has how many
 * signatures there were, how many of them the profile engine knew, the bytes that both digested,
 * and the first difference.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "attack/answers.h"
#include "attack/facts.h"
#include "attack/memory.h"
#include "base/clock.h"
#include "base/mem.h"
#include "txn/local.h"
#include "unit/engines.h"

#define LINE_MAX_BYTES ((size_t)64 * 1024)
#define FILE_MAX_BYTES ((size_t)80 * 1024 * 1024)
#define JSON_MAX_BYTES ((size_t)64 * 1024 * 1024)
#define SECONDS_MAX    60

struct task {
    const char *id;
    struct span path, content_type;
    struct buf body;
    struct certificate *peer;
    int64_t now_us;
    bool is_answer;
    struct answer_order order;
    const char *system; /* "": a partner's message */
};

static bool has_one_engine;

struct verdict {
    struct proof proof;
    const struct facts_payload *payload;
    const struct answer_facts *answer;
    struct diag diag;
    int64_t cpu_us;
    size_t memory_peak, memory_left;
};

/* What an XSLT transform needs first: if a message gets here, that is the finding. */
void *xsltParseStylesheetDoc(void *doc);
void *
xsltParseStylesheetDoc(void *doc)
{
    (void)doc;
    abort();
}

/* ---- one message ---- */

static int64_t
cpu_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

/* As a request on the local listener: the same message, other rules. */
static struct status
judge_local(const struct config *config, const struct task *task, struct arena *arena,
            struct verdict *verdict)
{
    static struct partner named; /* for the facts */
    const struct body body = body_over(buf_span(&task->body));
    struct proof *const proof = &verdict->proof;
    struct local_proof local = {.config = config, .path = task->path, .now_us = task->now_us};
    for (size_t i = 0; i < config->systems_n; i++) {
        if (strcmp(config->systems[i].name, task->system) == 0) {
            local.system = &config->systems[i];
        }
    }
    if (local.system == NULL || local.system->assertions == NULL) {
        return FAIL(&verdict->diag, ERR_USAGE, "no system '%s' that brings assertions",
                    task->system);
    }
    named.id = local.system->name;
    *proof = (struct proof){.partner = &named};
    TRY(proof_message(proof, config, NULL, &body, task->content_type, arena, &verdict->diag));
    TRY(message_transaction(proof->message, task->path, &verdict->diag, &proof->transaction));
    if (!message_has_security(proof->message)) {
        return FAIL(&verdict->diag, ERR_WSS_MISSING, "no Security header"); /* local_who */
    }
    local.message = proof->message;
    TRY(local_prove(&local, arena, &verdict->diag, &proof->saml));
    return facts_read_payload(proof, arena, &verdict->diag, &verdict->payload);
}

static struct status
judge(const struct config *config, const struct task *task, struct arena *arena,
      struct verdict *verdict)
{
    const struct proof_request request = {.path = task->path,
                                          .content_type = task->content_type,
                                          .body = buf_span(&task->body),
                                          .peer = task->peer};
    if (task->is_answer) {
        return answer_judge(config, &task->order, buf_span(&task->body), task->content_type,
                            task->now_us, arena, &verdict->diag, &verdict->answer);
    }
    if (task->system[0] != '\0') {
        return judge_local(config, task, arena, verdict);
    }
    TRY(proof_take(&verdict->proof, config, &request, task->now_us, arena, &verdict->diag));
    return facts_read_payload(&verdict->proof, arena, &verdict->diag, &verdict->payload);
}

static void
write_engines(struct jsonw *w)
{
    if (has_one_engine) {
        return;
    }
    jsonw_key(w, "engines");
    jsonw_object(w);
    jsonw_key_int(w, "signatures", (int64_t)engines.jobs);
    jsonw_key_int(w, "known", (int64_t)engines.known);
    jsonw_key_int(w, "bytes", (int64_t)engines.bytes);
    jsonw_key_text(w, "difference", span_of_cstr(engines.difference));
    jsonw_close(w);
}

static struct status
write_verdict(const struct task *task, struct verdict *verdict, bool is_accepted,
              struct arena *arena, struct diag *diag)
{
    CLEANUP(buf_done) struct buf json;
    struct jsonw w;
    buf_init(&json, JSON_MAX_BYTES);
    jsonw_init(&w, &json, false, diag);
    jsonw_object(&w);
    jsonw_key_text(&w, "id", span_of_cstr(task->id));
    jsonw_key_text(&w, "verdict", is_accepted ? SPAN("accepted") : SPAN("refused"));
    jsonw_key_text(&w, "error", span_of_cstr(err_name(verdict->diag.code)));
    jsonw_key_text(&w, "class", span_of_cstr(err_class_name(err_class(verdict->diag.code))));
    jsonw_key_text(&w, "text", span_of_cstr(verdict->diag.text));
    jsonw_key_int(&w, "cpu_us", verdict->cpu_us);
    jsonw_key_int(&w, "memory_peak", (int64_t)verdict->memory_peak);
    jsonw_key_int(&w, "memory_left", (int64_t)verdict->memory_left);
    write_engines(&w);
    if (is_accepted && task->is_answer) {
        answer_write(&w, verdict->answer, arena, diag);
    } else if (is_accepted) {
        facts_write(&w, &verdict->proof, verdict->payload, arena, diag);
    }
    jsonw_close(&w);
    TRY(jsonw_finish(&w));
    TRY(buf_append(&json, SPAN("\n"), diag));
    return fwrite(json.p, 1, json.n, stdout) == json.n && fflush(stdout) == 0
               ? OK
               : FAIL(diag, ERR_IO, "writing the verdict: %s", strerror(errno));
}

static struct status
measure(const struct config *config, const struct task *task, struct verdict *verdict,
        bool *ret_is_accepted, struct diag *diag)
{
    memory_mark();
    const int64_t started_us = cpu_us();
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "an arena");
    }
    *ret_is_accepted = is_ok(judge(config, task, arena, verdict));
    verdict->cpu_us = cpu_us() - started_us;
    arena_free(arena);
    verdict->memory_left = memory_held();
    verdict->memory_peak = memory_peak();
    return OK;
}

/* The cost is that of the gateway's own work, without what a child pays once for sharing its
 * parent's pages: the lesser of two runs. The engines are compared, and
 * the facts are written, from a third. */
static struct status
run_task(const struct config *config, const struct task *task, bool is_shown, struct diag *diag)
{
    struct verdict first = {0};
    struct verdict verdict = {0};
    engines_reset();
    engines.is_idle = true;
    bool is_accepted = false;
    TRY(measure(config, task, &first, &is_accepted, diag));
    if (!is_shown) {
        return OK;
    }
    TRY(measure(config, task, &verdict, &is_accepted, diag));
    verdict.cpu_us = verdict.cpu_us < first.cpu_us ? verdict.cpu_us : first.cpu_us;
    verdict.memory_peak =
        verdict.memory_peak > first.memory_peak ? verdict.memory_peak : first.memory_peak;
    verdict.memory_left =
        verdict.memory_left > first.memory_left ? verdict.memory_left : first.memory_left;
    struct arena *const arena = arena_new(JSON_MAX_BYTES);
    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "an arena");
    }
    if (is_accepted || !has_one_engine) {
        diag_clear(&verdict.diag);
        engines.is_idle = has_one_engine;
        is_accepted = is_ok(judge(config, task, arena, &verdict));
    }
    const struct status st = write_verdict(task, &verdict, is_accepted, arena, diag);
    arena_free(arena);
    return st;
}

/* ---- the manifest ---- */

static struct status
read_file(const char *path, struct buf *out, struct diag *diag)
{
    char block[64 * 1024];
    FILE *const file = fopen(path, "rb");
    struct status st = OK;
    if (file == NULL) {
        return FAIL(diag, ERR_IO, "%s: %s", path, strerror(errno));
    }
    for (size_t n; is_ok(st) && (n = fread(block, 1, sizeof(block), file)) > 0;) {
        st = buf_append(out, span_of(block, n), diag);
    }
    fclose(file);
    return st;
}

static const char *
text_of(const json_t *line, const char *name)
{
    const json_t *const value = json_object_get(line, name);
    return json_is_string(value) ? json_string_value(value) : "";
}

static struct status
read_task(const json_t *line, struct task *task, struct diag *diag)
{
    const char *const peer = text_of(line, "peer");
    const json_t *const now = json_object_get(line, "now_us");
    task->id = text_of(line, "id");
    task->system = text_of(line, "system");
    task->path = span_of_cstr(text_of(line, "path"));
    task->content_type = span_of_cstr(text_of(line, "content_type"));
    const json_t *const answer = json_object_get(line, "answer");
    task->is_answer = answer != NULL;
    task->order = (struct answer_order){
        .transaction = text_of(answer, "transaction"),
        .message_id = span_of_cstr(text_of(answer, "message_id")),
        .signature = span_of_cstr(text_of(answer, "signature")),
        .query_root = span_of_cstr(text_of(answer, "query_root")),
        .query_extension = span_of_cstr(text_of(answer, "query_extension")),
    };
    task->now_us = json_is_integer(now) ? json_integer_value(now) : clock_wall_us(clock_system());
    TRY(read_file(text_of(line, "body"), &task->body, diag));
    return peer[0] == '\0' ? OK : certificate_from_file(peer, diag, &task->peer);
}

static struct status
take_line(const struct config *config, const json_t *line, bool is_shown, struct diag *diag)
{
    struct task task = {0};
    buf_init(&task.body, FILE_MAX_BYTES);
    struct status st = read_task(line, &task, diag);
    if (is_ok(st)) {
        st = run_task(config, &task, is_shown, diag);
    }
    certificate_free(task.peer);
    buf_done(&task.body);
    return st;
}

/* ---- a child for each ---- */

static void
child(const struct config *config, const json_t *line)
{
    struct diag diag = {0};
    (void)alarm(SECONDS_MAX);
    if (!is_ok(take_line(config, line, true, &diag))) {
        fprintf(stderr, "judge: %s: %s\n", text_of(line, "id"), diag.text);
        _exit(3);
    }
    _exit(0);
}

static struct status
report_end(const json_t *line, int how, struct diag *diag)
{
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0) {
        return OK;
    }
    if (WIFEXITED(how) && WEXITSTATUS(how) == 3) {
        return FAIL(diag, ERR_IO, "a case could not be read");
    }
    const bool is_late = WIFSIGNALED(how) && WTERMSIG(how) == SIGALRM;
    printf("{\"id\":\"%s\",\"verdict\":\"%s\",\"error\":\"%s\",\"text\":\"%s %d\"}\n",
           text_of(line, "id"), is_late ? "timed-out" : "crashed", is_late ? "TIME" : "CRASH",
           WIFSIGNALED(how) ? "signal" : "exit code",
           WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
    fflush(stdout);
    return OK;
}

static struct status
judge_apart(const struct config *config, const json_t *line, struct diag *diag)
{
    int how = 0;
    const pid_t pid = fork();
    if (pid == 0) {
        child(config, line);
    }
    if (pid == -1) {
        return FAIL(diag, ERR_IO, "fork: %s", strerror(errno));
    }
    while (waitpid(pid, &how, 0) == -1) {
        if (errno != EINTR) {
            return FAIL(diag, ERR_IO, "waitpid: %s", strerror(errno));
        }
    }
    return report_end(line, how, diag);
}

static struct status
read_manifest(const struct config *config, struct diag *diag)
{
    static char text[LINE_MAX_BYTES];
    bool is_warm = false;
    struct status st = OK;
    for (int number = 1; is_ok(st) && fgets(text, sizeof(text), stdin) != NULL; number++) {
        json_error_t error;
        json_t *const line = json_loads(text, 0, &error);
        if (line == NULL) {
            return FAIL(diag, ERR_USAGE, "line %d of the manifest: %s", number, error.text);
        }
        if (!is_warm && json_is_true(json_object_get(line, "warm"))) {
            is_warm = true;
            st = take_line(config, line, false, diag);
        }
        if (is_ok(st)) {
            st = judge_apart(config, line, diag);
        }
        json_decref(line);
    }
    return st;
}

static struct status
run(const char *path, struct diag *diag)
{
    const struct config *config = NULL;
    struct yaml_report report;
    TRY(soap_library_init(diag));
    yaml_report_init(&report);
    struct status st = config_load(path, clock_system(), &report, diag, &config);
    if (report.text.n > 0) {
        fprintf(stderr, "%.*s", SPAN_PRINT(buf_span(&report.text)));
    }
    yaml_report_done(&report);
    if (is_ok(st)) {
        printf("{\"memory_method\":\"%s\"}\n", memory_method());
        fflush(stdout);
        st = read_manifest(config, diag);
    }
    config_unref(config);
    soap_library_done();
    return st;
}

int
main(int argc, char **argv)
{
    struct diag diag = {0};
    memory_init();
    has_one_engine = argc == 3 && strcmp(argv[2], "--one-engine") == 0;
    if (argc != 2 && !has_one_engine) {
        fprintf(stderr, "usage: judge CONFIG [--one-engine] < manifest\n");
        return 2;
    }
    if (!is_ok(run(argv[1], &diag))) {
        fprintf(stderr, "judge: %s\n", diag.text);
        return 1;
    }
    return 0;
}
