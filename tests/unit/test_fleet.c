/*
 * All repositories of a node: what a reload adds, takes away and changes, with real sockets; how
 * they go, as the admin listener asks.
 */
#include "audit/fleet.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "config_world.h"
#include "tests/unit/collector_kit.h"
#include "tests/unit/ship_kit.h"
#include "unit.h"

static struct collector first;
static struct collector second;

static const struct config *
load_line(const char *repositories)
{
    struct loaded loaded;
    char line[1024];
    (void)snprintf(line, sizeof(line), "audit: {journal: var/audit, repositories: [%s]}",
                   repositories);
    write_blue(0, NULL);
    write_gold(0, NULL);
    write_main(15, line);
    load(&loaded);
    CHECK_OK(&loaded.diag, loaded.status);
    CU_ASSERT_PTR_NOT_NULL_FATAL(loaded.config);
    const struct config *config = config_ref(loaded.config);
    unload(&loaded);
    return config;
}

static void
set(struct fleet *fleet, const char *a, uint16_t a_port, const char *b, uint16_t b_port)
{
    struct diag diag = {0};
    char text[512];
    (void)snprintf(text, sizeof(text),
                   "{syslog-udp: '127.0.0.1:%u', name: %s}, {syslog-udp: '127.0.0.1:%u', name: %s}",
                   (unsigned)a_port, a, (unsigned)b_port, b);
    const struct config *config = load_line(text);
    CHECK_OK(&diag, fleet_set(fleet, config, &diag));
    config_unref(config);
}

static void
check_names(struct fleet *fleet, const char *a, const char *b)
{
    struct ship_state states[CONFIG_AUDIT_MAX];
    CU_ASSERT_EQUAL_FATAL(fleet_read(fleet, states), 2);
    CU_ASSERT_STRING_EQUAL(states[0].name, a);
    CU_ASSERT_STRING_EQUAL(states[1].name, b);
    CU_ASSERT_STRING_EQUAL(states[0].kind, "syslog-udp");
}

/* Of both: where a record goes that is appended while a sender is replaced is open. */
static bool
wait_for_both(unsigned messages)
{
    unsigned looks = 0;
    while (atomic_load(&first.messages) + atomic_load(&second.messages) < messages) {
        if (!unit_wait(&looks)) {
            return false;
        }
    }
    return true;
}

static bool
says(struct collector *collector, unsigned index, const char *what)
{
    return span_find(collector_message(collector, index), span_of_cstr(what)) != SPAN_MISSING;
}

static void
test_reloads(void)
{
    struct fleet *fleet = NULL;
    struct diag diag = {0};
    char dir[PATH_MAX];
    (void)signal(SIGPIPE, SIG_IGN);
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("reloads"));
    struct journal *journal = kit_open(dir, KIT_SIZES);
    const struct journal_place place = {.dir = dir};
    const struct fleet_options options = {
        .place = &place, .clock = clock_system(), .journal = journal};
    collector_start(&first);
    collector_start(&second);
    CHECK_OK(&diag, fleet_new(&options, &diag, &fleet));
    kit_fill(journal, 1, 2);
    set(fleet, "a", first.port, "b", first.port);
    check_names(fleet, "a", "b");
    CU_ASSERT_TRUE(collector_wait(&first, 4));
    /* b is taken away; c begins with the first record; a goes on where it was, somewhere else */
    set(fleet, "c", second.port, "a", second.port);
    check_names(fleet, "c", "a");
    kit_fill(journal, 3, 3);
    CU_ASSERT_TRUE(wait_for_both(4 + 3 + 1));
    /* b is back, and has missed the third only */
    set(fleet, "b", first.port, "a", second.port);
    CU_ASSERT_TRUE(wait_for_both(9));
    CU_ASSERT_TRUE(says(&first, atomic_load(&first.messages) - 1, " serve-3 "));
    fleet_stop(fleet, clock_mono_us(clock_system()) + UNIT_PATIENCE_S * US_PER_S);
    CU_ASSERT_EQUAL(fleet_read(fleet, (struct ship_state[CONFIG_AUDIT_MAX]){{.name = ""}}), 0);
    fleet_free(fleet);
    journal_close(journal);
    CU_ASSERT_EQUAL(atomic_load(&first.messages) + atomic_load(&second.messages), 9);
    collector_stop(&first);
    collector_stop(&second);
    collector_done(&first);
    collector_done(&second);
}

static const struct unit_test tests[] = {
    {"make files and certificates", test_make_world},
    {"reloads", test_reloads},
};

UNIT_MAIN("fleet", tests)
