/*
 * The partner simulator: `partner make` writes certificates and records, `partner serve` answers on
 * one port a partner until it is told to end. Started by tests/bench/run, which reads "ready". One
 * thread on libevent; all memory lives until the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include <event2/event.h>

#include "base/clock.h"
#include "certs/tls.h"
#include "soap/security.h"
#include "tests/bench/partner_server.h"

static struct partner_plan plan = {.key = "rsa:2048", .count = 1};
static struct simulation simulation = {
    .terms = {.documents = 5, .bytes = 4096},
    .latency = {.kind = LATENCY_FIXED, .median_us = 0, .most_us = 60 * US_PER_S},
    .questions_fd = -1,
};

/* ---- latencies ---- */

static double
uniform(void)
{
    return ((double)random() + 1) / ((double)RAND_MAX + 2);
}

int64_t
latency_draw(const struct latency *latency)
{
    double us = (double)latency->median_us;
    if (latency->kind == LATENCY_LOGNORMAL) {
        /* Box and Muller */
        const double normal = sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
        us *= exp(latency->sigma * normal);
    }
    return us > (double)latency->most_us ? latency->most_us : (int64_t)us;
}

/* fixed:MS or lognormal:MS:SIGMA[:MOST_MS] */
static bool
take_latency(const char *text)
{
    struct latency *const latency = &simulation.latency;
    char *at = NULL;
    if (strncmp(text, "fixed:", 6) == 0) {
        latency->kind = LATENCY_FIXED;
        latency->median_us = (int64_t)(strtod(text + 6, &at) * 1000);
        return *at == '\0';
    }
    if (strncmp(text, "lognormal:", 10) != 0) {
        return false;
    }
    latency->kind = LATENCY_LOGNORMAL;
    latency->median_us = (int64_t)(strtod(text + 10, &at) * 1000);
    if (*at != ':') {
        return false;
    }
    latency->sigma = strtod(at + 1, &at);
    if (*at == ':') {
        latency->most_us = (int64_t)(strtod(at + 1, &at) * 1000);
    }
    return *at == '\0';
}

/* ---- options ---- */

/* NUMBER=MODE */
static bool
take_mode(const char *text)
{
    static const char *const names[] = {
        [MODE_GOOD] = "good",       [MODE_SILENT] = "silent", [MODE_SLOW] = "slow",
        [MODE_ENDLESS] = "endless", [MODE_RESET] = "reset",   [MODE_EXPIRED] = "expired",
        [MODE_DROP] = "drop",
    };
    char *at = NULL;
    const unsigned long number = strtoul(text, &at, 10);
    if (number < 1 || number > PARTNERS_MAX || *at != '=') {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(at + 1, names[i]) == 0) {
            simulation.modes[number] = (enum mode)i;
            return true;
        }
    }
    return false;
}

static bool
take_text(const char *option, const char *value)
{
    const struct {
        const char *option;
        const char **text;
    } texts[] = {{"--sim", &plan.sim_dir},
                 {"--records", &plan.records_dir},
                 {"--ca", &plan.ca_dir},
                 {"--key", &plan.key}};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (strcmp(option, texts[i].option) == 0) {
            *texts[i].text = value;
            return true;
        }
    }
    return false;
}

static bool
take_option(const char *option, const char *value)
{
    uint64_t number = 0;
    if (take_text(option, value)) {
        return true;
    }
    if (strcmp(option, "--latency") == 0) {
        return take_latency(value);
    }
    if (strcmp(option, "--mode") == 0) {
        return take_mode(value);
    }
    if (strcmp(option, "--questions") == 0) {
        simulation.questions_fd = open(value, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        return simulation.questions_fd != -1;
    }
    if (!span_to_u64(span_of_cstr(value), INT64_MAX, &number)) {
        return false;
    }
    if (strcmp(option, "--count") == 0 && number <= PARTNERS_MAX) {
        plan.count = (size_t)number;
    } else if (strcmp(option, "--port") == 0 && number <= UINT16_MAX) {
        plan.first_port = (uint16_t)number;
    } else if (strcmp(option, "--documents") == 0) {
        simulation.terms.documents = (size_t)number;
    } else if (strcmp(option, "--bytes") == 0) {
        simulation.terms.bytes = number;
    } else {
        return false;
    }
    return true;
}

/* ---- the program ---- */

static struct status
serve(struct diag *diag)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)signal(SIGPIPE, SIG_IGN);
    simulation.base = event_base_new();
    simulation.arena = arena_new((size_t)1024 * 1024 * 1024);
    if (simulation.base == NULL || simulation.arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of the simulation");
    }
    TRY(partner_listen(&simulation, &plan, diag));
    puts("ready");
    (void)fflush(stdout);
    (void)event_base_dispatch(simulation.base);
    return FAIL(diag, ERR_INTERNAL, "the loop ended");
}

static int
usage(void)
{
    (void)fputs("usage: partner make --sim DIR --records DIR --ca DIR --count N --port FIRST\n"
                "                    [--key rsa:2048|ec:P-256]\n"
                "       partner serve --sim DIR --ca DIR --count N --port FIRST\n"
                "                    [--latency fixed:MS|lognormal:MS:SIGMA[:MOST_MS]]\n"
                "                    [--documents N] [--bytes N] [--questions FILE]\n"
                "                    [--mode NUMBER=silent|slow|endless|reset|expired|drop]...\n",
                stderr);
    return 2;
}

int
main(int argc, char **argv)
{
    struct diag diag = {.code = ERR_NONE};
    for (int i = 2; i < argc; i += 2) {
        if (i + 1 >= argc || !take_option(argv[i], argv[i + 1])) {
            return usage();
        }
    }
    if (argc < 2 || plan.sim_dir == NULL || plan.ca_dir == NULL || plan.first_port == 0) {
        return usage();
    }
    struct status st = tls_start_library(&diag);
    if (is_ok(st)) {
        st = soap_library_init(&diag);
    }
    if (is_ok(st) && strcmp(argv[1], "make") == 0 && plan.records_dir != NULL) {
        st = partner_make(&plan, &diag);
    } else if (is_ok(st) && strcmp(argv[1], "serve") == 0) {
        st = serve(&diag);
    } else if (is_ok(st)) {
        return usage();
    }
    if (!is_ok(st)) {
        fprintf(stderr, "partner: %s\n", diag.text);
    }
    return is_ok(st) ? EXIT_SUCCESS : EXIT_FAILURE;
}
