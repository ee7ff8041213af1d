/*
 * The program of tests/fault/run: one family of faults a call, one row at the end.
 *   fault FAMILY --dir DIR [--count N] [--seconds N] [--seed N] [--json]
 *   fault kills-node ... --program ISTHMUS --config FILE --journal DIR --log FILE --questions FILE
 * --port LOCAL Exit code 0: nothing was lost; 1: something was; 2: it could not be tried.
 */
#include "tests/fault/nodes.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "soap/security.h"

static struct nodes_plan nodes;

static struct status
run_nodes(const struct fault_plan *plan, struct diag *diag, struct tally *tally)
{
    return nodes.program == NULL || nodes.config == NULL || nodes.journal == NULL ||
                   nodes.log == NULL || nodes.questions == NULL || nodes.port == 0
               ? FAIL(diag, ERR_CONFIG,
                      "it wants to know program, config, journal, log, questions and port")
               : fault_nodes(plan, &nodes, diag, tally);
}

struct family {
    const char *name;
    struct status (*run)(const struct fault_plan *plan, struct diag *diag, struct tally *tally);
    const char *unit; /* of what was tried */
};

static const struct family families[] = {
    {"kills-journal", fault_kills, "kills"},   {"states", fault_states, "states"},
    {"errors", fault_errors, "failing calls"}, {"damage", fault_damage, "damaged files"},
    {"kills-node", run_nodes, "kills"},
};

static const struct family *
find_family(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        if (strcmp(families[i].name, name) == 0) {
            return &families[i];
        }
    }
    return NULL;
}

/* What went wrong in a way that has no count of its own is a promise that was not kept, too. */
static void
settle(struct tally *tally, const struct fault_plan *plan)
{
    if (tally->tried == 0) {
        tally_problem(tally, "nothing was tried (seed %" PRIu64 ")", plan->seed);
    }
    if (tally->problems > 0 && tally->lost == 0 && tally->duplicates == 0) {
        tally->lost = tally->problems;
    }
}

static void
show(const struct family *family, const struct fault_plan *plan, const struct tally *tally,
     bool is_json, double seconds)
{
    if (is_json) {
        printf("{\"name\": \"%s\", \"tried\": %" PRIu64 ", \"lost\": %" PRIu64
               ", \"duplicates\": %" PRIu64 ", \"unaudited_answers\": %" PRIu64
               ", \"unaudited_questions\": %" PRIu64 "}\n",
               family->name, tally->tried, tally->lost, tally->duplicates, tally->unaudited_answers,
               tally->unaudited_questions);
    } else {
        printf("%s %s: %" PRIu64 " %s, %" PRIu64 " lost, %" PRIu64 " duplicates, %" PRIu64
               " unaudited answers, %" PRIu64 " unaudited questions (%" PRIu64
               " records acknowledged, seed %" PRIu64 ", %.0f s)%s\n",
               tally->problems == 0 ? "ok" : "not ok", family->name, tally->tried, family->unit,
               tally->lost, tally->duplicates, tally->unaudited_answers, tally->unaudited_questions,
               tally->acknowledged, plan->seed, seconds,
               !fault_has_time(plan) ? " ended by --seconds" : "");
    }
    if (tally->remark[0] != '\0' && !is_json) {
        printf("    %s\n", tally->remark);
    }
    for (size_t i = 0; i < tally->problems && i < TALLY_SHOWN; i++) {
        fprintf(is_json ? stderr : stdout, "    %s: %s\n", family->name, tally->shown[i]);
    }
    if (tally->problems > TALLY_SHOWN) {
        fprintf(is_json ? stderr : stdout, "    %s: %" PRIu64 " problems in all\n", family->name,
                tally->problems);
    }
    (void)fflush(stdout);
}

static int
usage(void)
{
    (void)fputs("usage: fault FAMILY --dir DIR [--count N] [--seconds N] [--seed N] [--json]\n",
                stderr);
    return 2;
}

static bool
take_text(const char *option, const char *value, struct fault_plan *plan)
{
    const struct {
        const char *option;
        const char **text;
    } texts[] = {{"--dir", &plan->dir},       {"--program", &nodes.program},
                 {"--config", &nodes.config}, {"--journal", &nodes.journal},
                 {"--log", &nodes.log},       {"--questions", &nodes.questions}};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (strcmp(option, texts[i].option) == 0) {
            *texts[i].text = value;
            return true;
        }
    }
    return false;
}

static bool
take_option(const char *option, const char *value, struct fault_plan *plan, uint64_t *seconds)
{
    uint64_t port = 0;
    uint64_t *const number = strcmp(option, "--count") == 0     ? &plan->count
                             : strcmp(option, "--seconds") == 0 ? seconds
                             : strcmp(option, "--seed") == 0    ? &plan->seed
                             : strcmp(option, "--port") == 0    ? &port
                                                                : NULL;
    if (take_text(option, value, plan)) {
        return true;
    }
    if (number == NULL || !span_to_u64(span_of_cstr(value), UINT32_MAX, number)) {
        return false;
    }
    nodes.port = port > 0 ? (uint16_t)port : nodes.port;
    return true;
}

int
main(int argc, char **argv)
{
    const struct family *const family = argc < 2 ? NULL : find_family(argv[1]);
    struct fault_plan plan = {.seed = 1};
    struct tally tally = {0};
    struct diag diag = {0};
    uint64_t seconds = 600;
    bool is_json = false;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            is_json = true;
        } else if (i + 1 >= argc || !take_option(argv[i], argv[i + 1], &plan, &seconds)) {
            return usage();
        } else {
            i++;
        }
    }
    if (family == NULL || plan.dir == NULL) {
        return usage();
    }
    const int64_t began_us = clock_mono_us(clock_system());
    plan.until_us = began_us + (int64_t)seconds * US_PER_S;
    /* What a node would log of a failing disk is expected here. */
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, open("/dev/null", O_WRONLY | O_CLOEXEC));
    struct status st = soap_library_init(&diag);
    if (is_ok(st)) {
        st = family->run(&plan, &diag, &tally);
    }
    if (!is_ok(st)) {
        fprintf(stderr, "fault %s: %s\n", family->name, diag.text);
        return 2;
    }
    settle(&tally, &plan);
    show(family, &plan, &tally, is_json,
         (double)(clock_mono_us(clock_system()) - began_us) / US_PER_S);
    return tally.problems == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
