/*
 * How the nodes of scene.h come to be: configurations, keys and stores, made by the program's own
 * init. Used by scenario tests only.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "scene.h"
#include "store/replay.h"

#define CLI_ARGUMENT(text) (char *)(uintptr_t)(text)

static void
init_node(const char *dir, const char *name, size_t number)
{
    char target[512], oid[32], urn[64], address[64], url[64], ca[512];
    char *argv[] = {
        CLI_ARGUMENT("init"),
        target,
        CLI_ARGUMENT("--dev-pki"),
        CLI_ARGUMENT("--key"),
        CLI_ARGUMENT("p256"),
        CLI_ARGUMENT("--ca"),
        ca,
        CLI_ARGUMENT("--community"),
        oid,
        CLI_ARGUMENT("--name"),
        CLI_ARGUMENT(name),
        CLI_ARGUMENT("--id"),
        CLI_ARGUMENT(name),
        CLI_ARGUMENT("--listen"),
        address,
        CLI_ARGUMENT("--url"),
        url,
        CLI_ARGUMENT("--organization"),
        CLI_ARGUMENT(name),
        CLI_ARGUMENT("--organization-id"),
        urn,
        CLI_ARGUMENT("--user"),
        CLI_ARGUMENT("Dr. Ada Example"),
        CLI_ARGUMENT("--role"),
        CLI_ARGUMENT("112247003"),
        CLI_ARGUMENT("--purpose"),
        CLI_ARGUMENT("T-TREAT"),
    };

    snprintf(target, sizeof(target), "%s/%s", dir, name);
    snprintf(oid, sizeof(oid), "2.999.%zu", number);
    snprintf(urn, sizeof(urn), "urn:oid:%s", oid);
    snprintf(address, sizeof(address), "127.0.0.1:%zu", 8440 + number);
    snprintf(url, sizeof(url), "https://127.0.0.1:%zu", 8440 + number);
    snprintf(ca, sizeof(ca), "%s/ca", dir);
    fflush(stdout);
    const int out = dup(STDOUT_FILENO);
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const int silenced = dup2(null, STDOUT_FILENO);
    const int exit_code = cmd_init((int)ARRAY_LEN(argv), argv);
    fflush(stdout);
    CU_ASSERT(dup2(out, STDOUT_FILENO) != -1 && silenced != -1);
    close(out);
    close(null);
    CU_ASSERT_EQUAL_FATAL(exit_code, CLI_DONE);
}

static void
exchange_cards(const char *dir, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            char command[2048];

            if (i == j) {
                continue;
            }
            snprintf(command, sizeof(command), "cp %s/%s/card/* %s/%s/partners.d/", dir, names[i],
                     dir, names[j]);
            CU_ASSERT_EQUAL_FATAL(system(command), 0);
        }
    }
}

static void
init_library_once(void)
{
    static bool is_ready;
    struct diag diag = {0};

    if (!is_ready) {
        is_ready = true;
        CHECK_OK(&diag, soap_library_init(&diag));
        CU_ASSERT_EQUAL(atexit(soap_library_done), 0);
    }
}

static struct node *
take_node(void *arg)
{
    return &((struct place *)arg)->node;
}

static void
give_node(void *arg, struct node *node)
{
    CU_ASSERT_PTR_EQUAL(node, &((struct place *)arg)->node);
}

static void
open_place(struct scene *scene, struct place *place, const char *dir, const char *name)
{
    struct scene_out *out = &scene->outs[place - scene->places];
    struct yaml_report report;
    struct diag diag = {0};
    char path[512];
    bool is_lossy = false;
    struct store_options options;

    snprintf(path, sizeof(path), "%s/%s/isthmus.yaml", dir, name);
    yaml_report_init(&report);
    if (!CHECK_OK(&diag, config_load(path, clock_system(), &report, &diag, &place->config))) {
        fprintf(stderr, "%.*s", SPAN_PRINT(buf_span(&report.text)));
    }
    yaml_report_done(&report);
    CU_ASSERT_PTR_NOT_NULL_FATAL(place->config);
    options = (struct store_options){
        .path = place->config->store_path,
        .community = place->config->community,
        .patient_authority = place->config->patient_authority,
        .repository = place->config->repository,
        .clock = &scene->clock.clock,
    };
    CHECK_OK(&diag, store_open(&options, &diag, &place->store));
    CHECK_OK(&diag, replay_start(place->store, SCENE_BOOT_ID, &diag, &is_lossy));
    place->scene = scene;
    place->name = name;
    scene_connect(place, out);
    place->node = (struct node){.config = place->config,
                                .clock = &scene->clock.clock,
                                .store = place->store,
                                .audit = &place->sink.sink,
                                .out = &out->out,
                                .runner = scene->runner,
                                .outbox = &place->outbox,
                                .waiting = &place->waiting,
                                .continued = &place->continued};
    outbox_init(&place->outbox, take_node, give_node, place);
    waiting_init(&place->waiting);
    continued_init(&place->continued);
}

void
scene_open(struct scene *scene, const char *const *names, size_t n)
{
    static int serial;
    struct diag diag = {0};
    char dir[300];

    memset(scene, 0, sizeof(*scene));
    scene->allocations_left = UINT64_MAX;
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, 2);
    init_library_once();
    fake_clock_init(&scene->clock, clock_wall_us(clock_system()));
    CHECK_OK(&diag, runner_new(&scene->clock.clock, 0, &diag, &scene->runner));
    snprintf(dir, sizeof(dir), "%s/scene-%d", unit_temp_dir(), serial++);
    scene->places_n = n;
    for (size_t i = 0; i < n; i++) {
        init_node(dir, names[i], i + 1);
    }
    exchange_cards(dir, names, n);
    for (size_t i = 0; i < n; i++) {
        open_place(scene, &scene->places[i], dir, names[i]);
    }
}
