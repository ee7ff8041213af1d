/*
 * Runs `isthmus decode` in a child, and makes messages for it: a network of three nodes whose
 * messages are kept as they are sent.
 */
#include "decode_kit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"

#define ARGUMENTS_MAX 16
#define OUTPUT_MAX    ((size_t)4 * 1024 * 1024)
#define SECONDS_MAX   60

struct decode_net decode_net;

/* ---- running it ---- */

static const char *
path_of(const char *name)
{
    struct diag diag = {0};
    struct span path = SPAN_EMPTY;

    CHECK_OK(&diag, arena_printf(decode_net.arena, &diag, &path, "%s/%s", unit_temp_dir(), name));
    return path.p;
}

static struct span
take_file(const char *name)
{
    struct diag diag = {0};
    struct span copy = SPAN_EMPTY;
    struct buf text;

    buf_init(&text, OUTPUT_MAX);
    CHECK_OK(&diag, buf_read_file(&text, path_of(name), &diag));
    CHECK_OK(&diag, arena_dup(decode_net.arena, buf_span(&text), &diag, &copy));
    buf_done(&text);
    return copy;
}

static void
in_child(int argc, char **argv)
{
    if (freopen(path_of("out"), "w", stdout) == NULL ||
        freopen(path_of("err"), "w", stderr) == NULL) {
        _exit(99);
    }
    (void)alarm(SECONDS_MAX);
    const int code = cmd_decode(argc, argv);
    (void)fflush(stdout);
    (void)fflush(stderr);
    _exit(code);
}

/* `isthmus decode <words>`; "CONFIG" stands for green's configuration, "FILE" for <file>. */
struct decode_run_result
decode_run(const char *file, const char *words)
{
    char line[1024];
    char *argv[ARGUMENTS_MAX + 1] = {"decode"};
    char *rest = NULL;
    struct decode_run_result run = {0};
    int status = 0;
    int argc = 1;

    (void)snprintf(line, sizeof(line), "FILE %s", words);
    for (char *word = strtok_r(line, " ", &rest); word != NULL && argc < ARGUMENTS_MAX;
         word = strtok_r(NULL, " ", &rest)) {
        argv[argc++] = strcmp(word, "CONFIG") == 0 ? decode_net.config
                       : strcmp(word, "FILE") == 0 ? (char *)file
                                                   : word;
    }
    (void)fflush(stdout);
    (void)fflush(stderr);
    const pid_t child = fork();
    CU_ASSERT_FATAL(child != -1);
    if (child == 0) {
        in_child(argc, argv);
    }
    CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
    run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    run.out = take_file("out");
    run.err = take_file("err");
    return run;
}

static bool
says(const struct decode_run_result *run, const char *text)
{
    return span_find(run->out, span_of_cstr(text)) != SPAN_MISSING;
}

bool
decode_check_says(const char *what, const struct decode_run_result *run, const char *text,
                  bool is_wanted)
{
    const bool is_good = says(run, text) == is_wanted;

    CU_ASSERT(is_good);
    if (!is_good) {
        printf("%s: '%s' is %s in:\n%.*s\n%.*s\n", what, text, is_wanted ? "missing" : "wrongly",
               SPAN_PRINT(run->out), SPAN_PRINT(run->err));
    }
    return is_good;
}

/* ---- files ---- */

const char *
decode_write_file(const char *name, struct span bytes)
{
    const char *const path = path_of(name);
    FILE *const file = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(bytes.n == 0 ? 0 : fwrite(bytes.p, 1, bytes.n, file), bytes.n);
    CU_ASSERT_EQUAL(fclose(file), 0);
    return path;
}

struct span
decode_text(const char *format, ...)
{
    struct diag diag = {0};
    struct span copy = SPAN_EMPTY;
    char *bytes = NULL;
    va_list arguments;

    va_start(arguments, format);
    const int n = vasprintf(&bytes, format, arguments);
    va_end(arguments);
    CU_ASSERT_FATAL(n >= 0);
    CHECK_OK(&diag, arena_dup(decode_net.arena, span_of(bytes, (size_t)n), &diag, &copy));
    free(bytes);
    return copy;
}

const char *
decode_write_request(const char *name, const struct decode_sent *request, struct span body)
{
    return decode_write_file(
        name, decode_text("POST %.*s HTTP/1.1\r\nHost: green.example\r\nContent-Type: %.*s\r\n"
                          "Content-Length: %zu\r\n\r\n%.*s",
                          SPAN_PRINT(request->path), SPAN_PRINT(request->content_type), body.n,
                          SPAN_PRINT(body)));
}

/* ---- the network ---- */

struct span
decode_keep(struct span bytes)
{
    struct diag diag = {0};
    struct span copy = SPAN_EMPTY;

    CHECK_OK(&diag, arena_dup(decode_net.arena, bytes, &diag, &copy));
    return copy;
}

/* Green is asked as it always is, but the bytes both ways are kept. */
static void
deliver(size_t i)
{
    static struct scene_reply reply;
    const struct scene_question *const question = &decode_net.scene.questions[i];
    struct place *const green = scene_place(&decode_net.scene, "green");
    const struct span path = span_of_cstr(question->url + strlen(green->config->base_url));
    enum soap_transaction at = 0;

    while (at < DECODE_TRANSACTIONS && !span_eq_cstr(path, soap_transaction(at)->path)) {
        at++;
    }
    if (strcmp(question->to->id, "green") != 0 || at == DECODE_TRANSACTIONS ||
        decode_net.sent[at].is_there) {
        scene_deliver(&decode_net.scene, i);
        return;
    }
    struct decode_sent *const sent = &decode_net.sent[at];
    *sent = (struct decode_sent){.body = decode_keep(buf_span(&question->body)),
                                 .path = decode_keep(path),
                                 .content_type = decode_keep(span_of_cstr(question->content_type)),
                                 .is_there = true};
    scene_send(&decode_net.scene, green, question->from->config->node->leaf, sent->path.p,
               sent->content_type.p, sent->body, &reply);
    sent->answer = decode_keep(span_of(reply.text, reply.n));
    sent->answer_type = decode_keep(span_of_cstr(reply.content_type));
    scene_answer(&decode_net.scene, i, reply.http_status, reply.content_type, sent->answer);
}

void
decode_open(void)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    struct asking *asking = NULL;

    decode_net.arena = arena_new((size_t)1024 * 1024 * 1024);
    kit_open_three(&decode_net.scene);
    struct place *const green = scene_place(&decode_net.scene, "green");
    (void)snprintf(decode_net.config, sizeof(decode_net.config), "%s", green->config->path);
    scene_ask(scene_place(&decode_net.scene, "red"), &order, &asking);
    scene_run(&decode_net.scene);
    for (size_t i = 0; i < decode_net.scene.questions_n; i++) {
        deliver(i);
        scene_run(&decode_net.scene);
    }
    for (size_t i = 0; i < DECODE_TRANSACTIONS; i++) {
        CU_ASSERT_TRUE_FATAL(decode_net.sent[i].is_there);
    }
    asking_free(asking);
}

/* ---- what it says ---- */

const char *
decode_json_text(const json_t *object, const char *name)
{
    const char *const found = json_string_value(json_object_get(object, name));

    return found == NULL ? "" : found;
}

/* The first refusal among the checks, in order. */
static const char *
first_refusal(const json_t *root)
{
    size_t i;
    json_t *row;

    json_array_foreach(json_object_get(root, "checks"), i, row)
    {
        if (strcmp(decode_json_text(row, "verdict"), "refused") == 0) {
            return decode_json_text(row, "error");
        }
    }
    return "";
}

bool
decode_agrees(const json_t *root)
{
    const json_t *const verdict = json_object_get(root, "verdict");

    return strcmp(decode_json_text(verdict, "error"), first_refusal(root)) == 0;
}

json_t *
decode_load(const struct decode_run_result *run)
{
    json_error_t error;
    json_t *const root = json_loadb(run->out.p, run->out.n, JSON_REJECT_DUPLICATES, &error);

    CU_ASSERT_PTR_NOT_NULL(root);
    if (root == NULL) {
        printf("%s, line %d:\n%.*s\n%.*s\n", error.text, error.line, SPAN_PRINT(run->out),
               SPAN_PRINT(run->err));
    }
    return root;
}

/* The verdict, and that the rows agree with it. */
void
decode_check_verdict(const char *what, const char *file, const char *words, const char *error)
{
    char more[512];

    (void)snprintf(more, sizeof(more), "-c CONFIG --json %s", words);
    const struct decode_run_result run = decode_run(file, more);
    json_auto_t *root = decode_load(&run);
    const json_t *const verdict = json_object_get(root, "verdict");

    CU_ASSERT_EQUAL(run.exit_code, CLI_DONE);
    CU_ASSERT_STRING_EQUAL(decode_json_text(verdict, "verdict"),
                           error[0] == '\0' ? "accepted" : "refused");
    CU_ASSERT_STRING_EQUAL(decode_json_text(verdict, "error"), error);
    CU_ASSERT_STRING_EQUAL(first_refusal(root), error);
    if (strcmp(decode_json_text(verdict, "error"), error) != 0 ||
        strcmp(first_refusal(root), error) != 0) {
        printf("%s: wanted '%s', rows '%s':\n%.*s\n", what, error, first_refusal(root),
               SPAN_PRINT(run.out));
    }
}

void
decode_close(void)
{
    scene_close(&decode_net.scene);
    arena_free(decode_net.arena);
}
