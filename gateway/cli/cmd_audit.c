/*
 * `isthmus audit VERB`: what was chosen, read and handed on. Called by main.c on the program's only
 * thread; the options and their help are in audit_choices.c, the work in audit_view.c,
 * audit_look.c, audit_show.c and audit_export.c.
 */
#include "cli/cli.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "cli/audit_access.h"
#include "cli/audit_choices.h"
#include "cli/audit_disclosure.h"
#include "cli/audit_export.h"
#include "cli/audit_people.h"
#include "cli/audit_search.h"
#include "cli/audit_text.h"
#include "cli/audit_verify.h"
#include "cli/journal.h"
#include "config/config.h"

#define FOLLOW_MS       200
#define DISCLOSURES_MAX AUDIT_TAIL_MAX
#define YEAR_US         (INT64_C(366) * 24 * 3600 * US_PER_S)
#define ARENA_ROOM      ((size_t)16 * 1024 * 1024)
#define ASKED_ROOM      ((size_t)64 * 1024)

/* ---- one run of a verb ---- */

struct run {
    const struct config *config;
    struct audit_view view;
    struct audit_access access;
    struct journal_rules rules; /* of the chain that says who read */
    struct cli_values rest;     /* arguments that are no options */
    struct arena *arena;
    struct buf asked; /* the filters in words */
};

static bool
read_count(const struct audit_view *view, uint64_t *count)
{
    if (audit_choices.count == NULL ||
        span_to_u64(span_of_cstr(audit_choices.count), AUDIT_TAIL_MAX, count)) {
        return true;
    }
    cli_complain(view->command, "-n '%s' is not a number from 0 to %d", audit_choices.count,
                 AUDIT_TAIL_MAX);
    return false;
}

static bool
expect_no_more(const struct run *run)
{
    if (run->rest.n > 0) {
        cli_complain(run->view.command, "'%s' is not expected here", run->rest.items[0]);
    }
    return run->rest.n == 0;
}

/* ---- what is searched for ---- */

/* What the filter's options mean; with --same-person, the other ids that the store knows are asked
 * for, too. */
static bool
read_filter(struct audit_view *view, const struct config *config, int64_t since_us,
            struct arena *arena, struct audit_index_query *query)
{
    const struct audit_filter_options *const filter = &audit_choices.filter;

    if (!audit_filter_read(view->command, filter, since_us, clock_wall_us(clock_system()), arena,
                           query)) {
        return false;
    }
    return !filter->is_same_person ||
           audit_people_add(view->command, config, arena, &query->patients);
}

static bool
read_after(const struct audit_view *view, struct audit_index_place *after)
{
    const char *const text = audit_choices.after;

    if (text == NULL || audit_text_read_record(text, after->chain, &after->sequence)) {
        return true;
    }
    cli_complain(view->command, "--after '%s' is not a record: say CHAIN/NUMBER", text);
    return false;
}

static enum audit_order
order_of(const struct audit_choices *choices)
{
    if (choices->is_newest_first) {
        return AUDIT_ORDER_NEWEST_FIRST;
    }
    return choices->is_oldest_first || choices->after != NULL ? AUDIT_ORDER_OLDEST_FIRST
                                                              : AUDIT_ORDER_NEWEST_LAST;
}

static int
run_search(struct run *run)
{
    uint64_t n = AUDIT_SEARCH_DEFAULT;
    struct audit_index_query query;
    struct audit_view *const view = &run->view;

    if (audit_choices.is_newest_first && audit_choices.is_oldest_first) {
        cli_complain(view->command, "--newest-first and --oldest-first exclude each other");
        return CLI_USAGE;
    }
    if (!expect_no_more(run) || !read_count(view, &n) ||
        !read_filter(view, run->config, INT64_MIN, run->arena, &query) ||
        !read_after(view, &query.after)) {
        return CLI_USAGE;
    }
    query.limit = (size_t)n;
    run->access.patients = &query.patients;
    return (int)(audit_choices.is_count ? audit_count(view, &query)
                                        : audit_search(view, &query, order_of(&audit_choices)));
}

static int
run_disclosures(struct run *run)
{
    struct audit_view *const view = &run->view;
    struct audit_index_query query;
    const int64_t since_us = clock_wall_us(clock_system()) - AUDIT_YEARS_DEFAULT * YEAR_US;

    if (audit_choices.filter.patients.n == 0 || (audit_choices.is_csv && audit_choices.is_json)) {
        cli_complain(view->command, audit_choices.filter.patients.n == 0
                                        ? "--patient is required: ID^^^&OID&ISO"
                                        : "--json and --csv exclude each other");
        return CLI_USAGE;
    }
    if (audit_choices.is_all && audit_choices.is_accountable) {
        cli_complain(view->command, "--all and --accountable exclude each other");
        return CLI_USAGE;
    }
    if (!expect_no_more(run) || !read_filter(view, run->config, since_us, run->arena, &query)) {
        return CLI_USAGE;
    }
    query.limit = DISCLOSURES_MAX;
    const struct disclosure_form form = {
        .style = audit_choices.is_csv            ? DISCLOSURE_CSV
                 : view->form == AUDIT_FORM_JSON ? DISCLOSURE_JSON
                                                 : DISCLOSURE_TEXT,
        .community = view->source.source_id,
        .patients = &query.patients,
        .since_us = query.since_us,
        .until_us = query.until_us,
        .is_accountable = audit_choices.is_accountable,
        .config = run->config,
    };
    run->access.patients = &query.patients;
    return (int)audit_disclosures(view, &query, &form);
}

static bool
read_form(const struct audit_view *view, const char *text, enum audit_export_form *form)
{
    static const struct {
        const char *name;
        enum audit_export_form form;
    } forms[] = {
        {"json", AUDIT_EXPORT_JSON},
        {"xml", AUDIT_EXPORT_XML},
        {"csv", AUDIT_EXPORT_CSV},
        {"fhir", AUDIT_EXPORT_FHIR},
    };

    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (text == NULL || strcmp(text, forms[i].name) == 0) {
            *form = forms[i].form;
            return true;
        }
    }
    cli_complain(view->command, "--format '%s': expected json, xml, fhir or csv", text);
    return false;
}

static int
run_export(struct run *run)
{
    struct audit_view *const view = &run->view;
    struct audit_index_query query;
    struct audit_export export = {
        .path = audit_choices.output,
        .is_proven = audit_choices.is_proven,
        .is_forced = audit_choices.is_forced,
    };

    if (export.path == NULL || export.path[0] == '\0') {
        cli_complain(view->command, "-o PATH is required: the file to make, or with --proof the "
                                    "folder");
        return CLI_USAGE;
    }
    if (!expect_no_more(run) || !read_form(view, audit_choices.format, &export.form) ||
        !read_filter(view, run->config, INT64_MIN, run->arena, &query)) {
        return CLI_USAGE;
    }
    export.asked = run->asked.n == 0 ? "everything" : run->asked.p;
    run->access.patients = &query.patients;
    return (int)audit_export(view, &query, &export);
}

static int
run_index(struct run *run)
{
    return expect_no_more(run) ? (int)audit_make_index(&run->view, audit_choices.is_rebuilding)
                               : CLI_USAGE;
}

/* ---- the others ---- */

static volatile sig_atomic_t is_interrupted;

static void
interrupt(int number)
{
    (void)number;
    is_interrupted = 1;
}

static bool
wait_a_little(void *arg)
{
    const struct timespec time = {0, FOLLOW_MS * 1000000L};
    (void)arg;
    (void)nanosleep(&time, NULL);
    return is_interrupted == 0;
}

/* Following ends in order, so that it is recorded how much was shown. */
static void
catch_interrupts(void)
{
    const struct sigaction action = {.sa_handler = interrupt};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

static int
run_tail(struct run *run)
{
    uint64_t n = AUDIT_TAIL_DEFAULT;
    struct audit_view *const view = &run->view;
    struct audit_index_query query;

    if (!expect_no_more(run) || !read_count(view, &n) ||
        !read_filter(view, run->config, INT64_MIN, run->arena, &query)) {
        return CLI_USAGE;
    }
    view->has_access = audit_choices.has_access;
    view->filter = run->asked.n > 0 || query.patients.n > 0 ? &query : NULL;
    run->access.patients = &query.patients;
    if (audit_choices.is_following) {
        catch_interrupts();
    }
    return (int)audit_view_tail(view, n, audit_choices.is_following ? wait_a_little : NULL, NULL);
}

static int
run_show(struct run *run)
{
    if (run->rest.n != 1) {
        cli_complain(run->view.command, "one RECORD is expected, %zu were given", run->rest.n);
        return CLI_USAGE;
    }
    run->access.asked = span_of_cstr(run->rest.items[0]);
    return (int)audit_view_show(&run->view, run->rest.items[0]);
}

static const struct verb {
    const char *name;
    const struct cli_command *command;
    int (*run)(struct run *run);
} verbs[] = {
    {"tail", &audit_command_tail, run_tail},
    {"show", &audit_command_show, run_show},
    {"search", &audit_command_search, run_search},
    {"disclosures", &audit_command_disclosures, run_disclosures},
    {"export", &audit_command_export, run_export},
    {"index", &audit_command_index, run_index},
};

static struct status
prepare(struct run *run, const struct verb *verb, struct diag *diag)
{
    const struct config *const config = run->config;

    run->arena = arena_new(ARENA_ROOM);
    if (run->arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the command");
    }
    buf_init(&run->asked, ASKED_ROOM);
    TRY(audit_filter_describe(&audit_choices.filter, &run->asked, diag));
    run->view = (struct audit_view){
        .command = verb->command,
        .place = cli_journal_place(config),
        .source = {config->community_name != NULL ? config->community_name : config->community,
                   config->community},
        .form = audit_choices.is_json   ? AUDIT_FORM_JSON
                : audit_choices.is_xml  ? AUDIT_FORM_XML
                : audit_choices.is_fhir ? AUDIT_FORM_FHIR
                                        : AUDIT_FORM_TEXT,
        .out = stdout,
        .access = &run->access,
    };
    run->view.is_encrypted = config->audit.keys.n > 0; /* or was, in part */
    run->rules = (struct journal_rules){
        .wait_us = config->audit.wait_us,
        .disk_limit_percent = config->audit.disk_limit_percent,
    };
    run->access = (struct audit_access){
        .may_go_on = config->audit.is_degrading,
        .rules = &run->rules,
        .command = verb->command,
        .place = &run->view.place,
        .signer = config->checkpoints.credential,
        .community = config->community,
        .verb = verb->name,
        .asker = audit_choices.by,
        .reason = audit_choices.reason,
        .asked = buf_span(&run->asked),
    };
    return OK;
}

static int
run_verb(const struct verb *verb, int argc, char **argv)
{
    static struct run run; /* its list of arguments is long */
    int exit_code = CLI_DONE;
    struct diag diag = {0};
    audit_choices = (struct audit_choices){0};
    run = (struct run){0};
    if (!cli_parse(verb->command, argc, argv, &run.rest, &exit_code)) {
        return exit_code;
    }
    if (audit_choices.is_json + audit_choices.is_xml + audit_choices.is_fhir > 1) {
        cli_complain(verb->command, "--json, --xml and --fhir exclude each other");
        return CLI_USAGE;
    }
    run.config = cli_config(verb->command, audit_choices.config);
    if (run.config == NULL) {
        return CLI_FAILED;
    }
    if (is_ok(prepare(&run, verb, &diag))) {
        exit_code = verb->run(&run);
    } else {
        cli_error(verb->command, &diag);
        exit_code = CLI_FAILED;
    }
    buf_done(&run.asked);
    arena_free(run.arena);
    config_unref(run.config);
    return exit_code;
}

int
cmd_audit(int argc, char **argv)
{
    struct cli_values rest;
    int exit_code = CLI_USAGE;
    if (argc > 1 && strcmp(argv[1], "verify") == 0) {
        return audit_verify_command(argc - 1, argv + 1);
    }
    for (size_t i = 0; argc > 1 && i < ARRAY_LEN(verbs); i++) {
        if (strcmp(argv[1], verbs[i].name) == 0) {
            return run_verb(&verbs[i], argc - 1, argv + 1);
        }
    }
    if (argc > 1 && argv[1][0] != '-') {
        cli_complain(&audit_command,
                     "unknown verb '%s'; there are tail, show, search, disclosures, export, index "
                     "and verify",
                     argv[1]);
        return CLI_USAGE;
    }
    if (cli_parse(&audit_command, argc, argv, &rest, &exit_code)) { /* --help, or nothing */
        cli_complain(&audit_command, "say tail, show, search, disclosures, export, index or "
                                     "verify; 'isthmus audit --help' explains");
        exit_code = CLI_USAGE;
    }
    return exit_code;
}
