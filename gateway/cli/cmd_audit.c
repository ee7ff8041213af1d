/*
 * `isthmus audit tail|show|search|disclosures|verify`: options and help. Called by main.c on the
 * program's only thread; the work is in audit_view.c and audit_search.c.
 */
#include "cli/cli.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/datetime.h"
#include "cli/audit_disclosure.h"
#include "cli/audit_search.h"
#include "cli/audit_verify.h"
#include "config/config.h"

#define FOLLOW_MS        200
#define TAIL_DEFAULT     20
#define SEARCH_DEFAULT   1000
#define DISCLOSURES_MAX  AUDIT_TAIL_MAX
#define YEAR_US          (INT64_C(366) * 24 * 3600 * US_PER_S)
#define YEARS_DEFAULT    6 /* that an accounting of disclosures goes back: 45 CFR 164.528(a)(1) */
#define DIGITS(number)   DIGITS_OF(number)
#define DIGITS_OF(value) #value

struct choices {
    const char *config;
    const char *count;
    const char *patient, *document, *user, *organization, *partner, *purpose, *type, *outcome;
    const char *since, *until;
    bool is_following, is_json, is_xml, is_csv;
};
static struct choices chosen;

static const struct cli_option tail_options[] = {
    {.name = "c", .argument = "FILE", .help = "the node's configuration", .value = &chosen.config},
    {.name = "n",
     .argument = "N",
     .help = "how many records (default " DIGITS(TAIL_DEFAULT) ")",
     .value = &chosen.count},
    {.name = "f", .help = "go on: print records as they come", .flag = &chosen.is_following},
    {.name = "json", .help = "one JSON object per record", .flag = &chosen.is_json},
    {.name = "xml", .help = "one DICOM AuditMessage per record", .flag = &chosen.is_xml},
};
static const struct cli_option show_options[] = {
    {.name = "c", .argument = "FILE", .help = "the node's configuration", .value = &chosen.config},
    {.name = "json", .help = "the record as JSON", .flag = &chosen.is_json},
    {.name = "xml", .help = "the record as a DICOM AuditMessage", .flag = &chosen.is_xml},
};
#define PATIENT_OPTION                                                                             \
    {                                                                                              \
        .name = "patient", .argument = "ID", .help = "ID^^^&OID&ISO, or ID^^^&OID",                \
        .value = &chosen.patient                                                                   \
    }
#define TIME_OPTIONS                                                                               \
    {.name = "since",                                                                              \
     .argument = "TIME",                                                                           \
     .help = "from then on: 2026-11-22, or 2026-11-22T10:30:00Z",                                  \
     .value = &chosen.since},                                                                      \
    {                                                                                              \
        .name = "until", .argument = "TIME", .help = "before then", .value = &chosen.until         \
    }
static const struct cli_option search_options[] = {
    {.name = "c", .argument = "FILE", .help = "the node's configuration", .value = &chosen.config},
    PATIENT_OPTION,
    {.name = "document", .argument = "ID", .help = "uniqueId", .value = &chosen.document},
    {.name = "user", .argument = "TEXT", .help = "part of name or id", .value = &chosen.user},
    {.name = "organization",
     .argument = "TEXT",
     .help = "part of its name",
     .value = &chosen.organization},
    {.name = "partner",
     .argument = "ID",
     .help = "its id, or its community's OID",
     .value = &chosen.partner},
    {.name = "purpose", .argument = "CODE", .help = "such as T-TREAT", .value = &chosen.purpose},
    {.name = "type",
     .argument = "TYPE",
     .help = "such as ITI-55 or node-start",
     .value = &chosen.type},
    {.name = "outcome",
     .argument = "HOW",
     .help = "success, minor, serious, major or intent",
     .value = &chosen.outcome},
    TIME_OPTIONS,
    {.name = "n",
     .argument = "N",
     .help = "the newest so many (default " DIGITS(SEARCH_DEFAULT) ")",
     .value = &chosen.count},
    {.name = "json", .help = "one JSON object per record", .flag = &chosen.is_json},
    {.name = "xml", .help = "one DICOM AuditMessage per record", .flag = &chosen.is_xml},
};
static const struct cli_option disclosure_options[] = {
    {.name = "c", .argument = "FILE", .help = "the node's configuration", .value = &chosen.config},
    PATIENT_OPTION,
    TIME_OPTIONS,
    {.name = "json", .help = "one JSON object per disclosure", .flag = &chosen.is_json},
    {.name = "csv", .help = "for a spreadsheet (RFC 4180)", .flag = &chosen.is_csv},
};
static const struct cli_command command_audit = {
    .name = "audit",
    .usage = "tail|show|search|disclosures|verify -c FILE ...",
    .text =
        "  isthmus audit tail -c FILE [-n N] [-f] [--json|--xml]\n"
        "      the last records, one line each\n"
        "  isthmus audit show -c FILE RECORD [--json|--xml]\n"
        "      one record explained\n"
        "  isthmus audit search -c FILE [--patient ID] [--user TEXT] [--since TIME] ...\n"
        "      the records that fit, oldest first\n"
        "  isthmus audit disclosures -c FILE --patient ID [--csv|--json]\n"
        "      who received what about a patient, when and why\n"
        "  isthmus audit verify -c FILE [--against FILE] [--archive DIR] [--proof FILE] [--json]\n"
        "      whether every record of the journal is there and unchanged\n\n"
        "'isthmus audit VERB --help' says more. All of them read beside a running node.",
};
static const struct cli_command command_tail = {
    .name = "audit tail",
    .usage = "-c FILE [-n N] [-f] [--json|--xml]",
    .text = "Prints the last records of all chains of the journal, merged by time, one line each:\n"
            "when, which transaction, asked by this node or answered by it, how it ended (intent:\n"
            "written before a question left), partner, user, purpose, how many patients and\n"
            "documents, and the record's name for 'isthmus audit show'. Records are verified as\n"
            "they are read; a damaged chain is reported on standard error and hides no other.\n\n"
            "Exit code: 0; 1 when something could not be read.",
    .options = tail_options,
    .options_n = ARRAY_LEN(tail_options),
};
static const struct cli_command command_show = {
    .name = "audit show",
    .usage = "-c FILE RECORD [--json|--xml]",
    .text =
        "Explains one record (CHAIN/NUMBER, as 'isthmus audit tail' prints it): what happened,\n"
        "who asked for what, whom it concerned and how it ended. With --xml only the DICOM\n"
        "AuditMessage, with --json only the record as the journal holds it.\n\n"
        "Exit code: 0; 1 when there is no such record or it cannot be read.",
    .options = show_options,
    .options_n = ARRAY_LEN(show_options),
};
static const struct cli_command command_search = {
    .name = "audit search",
    .usage = "-c FILE [--patient ID] [--user TEXT] ... [--since TIME] [--until TIME] [-n N]",
    .text =
        "Prints the records for which everything that is given holds, as 'isthmus audit tail'\n"
        "does. An index beside the journal (" AUDIT_INDEX_NAME
        ") is brought up to date first; the\n"
        "records themselves are read, and verified, from the journal. The index may be removed\n"
        "at any time: the next search makes it again.\n\n"
        "Exit code: 0, also when nothing fits; 1 when something could not be read.",
    .options = search_options,
    .options_n = ARRAY_LEN(search_options),
};
static const struct cli_command command_disclosures = {
    .name = "audit disclosures",
    .usage = "-c FILE --patient ID [--since TIME] [--until TIME] [--csv|--json]",
    .text =
        "Accounting of disclosures (45 CFR 164.528): what this node told whom about a patient,\n"
        "when, and for which purpose; of the last " DIGITS(
            YEARS_DEFAULT) " years when --since is not given. Answers\n"
                           "count when they told something; questions and deliveries count from "
                           "the moment in\n"
                           "which they were about to leave. What was for treatment, payment or "
                           "operations is\n"
                           "marked as exempt and not left out.\n\n"
                           "Exit code: 0; 1 when something could not be read, and the list may "
                           "lack rows.",
    .options = disclosure_options,
    .options_n = ARRAY_LEN(disclosure_options),
};
static bool
wait_a_little(void *arg)
{
    const struct timespec time = {0, FOLLOW_MS * 1000000L};
    (void)arg;
    (void)nanosleep(&time, NULL);
    return true;
}

static bool
read_count(const struct audit_view *view, uint64_t *count)
{
    if (chosen.count == NULL || span_to_u64(span_of_cstr(chosen.count), AUDIT_TAIL_MAX, count)) {
        return true;
    }
    cli_complain(view->command, "-n '%s' is not a number from 0 to %d", chosen.count,
                 AUDIT_TAIL_MAX);
    return false;
}

static bool
expect_no_more(const struct audit_view *view, const struct cli_values *rest)
{
    if (rest->n > 0) {
        cli_complain(view->command, "'%s' is not expected here", rest->items[0]);
    }
    return rest->n == 0;
}

static int
run_tail(const struct audit_view *view, const struct cli_values *rest)
{
    uint64_t n = TAIL_DEFAULT;
    if (!expect_no_more(view, rest) || !read_count(view, &n)) {
        return CLI_USAGE;
    }
    return (int)audit_view_tail(view, n, chosen.is_following ? wait_a_little : NULL, NULL);
}

static int
run_show(const struct audit_view *view, const struct cli_values *rest)
{
    if (rest->n != 1) {
        cli_complain(view->command, "one RECORD is expected, %zu were given", rest->n);
        return CLI_USAGE;
    }
    return (int)audit_view_show(view, rest->items[0]);
}

/* ---- what is searched for ---- */

/* A day is its first moment. */
static bool
read_time(const struct audit_view *view, const char *option, const char *text, int64_t *ret_us)
{
    char whole[DATETIME_MAX];

    (void)snprintf(whole, sizeof(whole), "%.10sT00:00:00Z", text);
    if (datetime_read_xs(span_of_cstr(strlen(text) == 10 ? whole : text), ret_us)) {
        return true;
    }
    cli_complain(view->command,
                 "--%s '%s' is no time; write 2026-11-22, or 2026-11-22T10:30:00Z with its zone",
                 option, text);
    return false;
}

static bool
read_times(const struct audit_view *view, int64_t since_us, struct audit_index_query *query)
{
    query->since_us = since_us;
    query->until_us = INT64_MAX;
    return (chosen.since == NULL || read_time(view, "since", chosen.since, &query->since_us)) &&
           (chosen.until == NULL || read_time(view, "until", chosen.until, &query->until_us));
}

static bool
read_type(const struct audit_view *view, struct audit_index_query *query)
{
    query->type = span_of_cstr(chosen.type);
    for (int type = 0; type < AUDIT_TYPE_COUNT && chosen.type != NULL; type++) {
        if (span_eq_cstr(query->type, audit_type_code((enum audit_type)type))) {
            return true;
        }
    }
    if (chosen.type != NULL) {
        cli_complain(view->command,
                     "--type '%s' is no type of records; 'isthmus audit tail --json'"
                     " shows them, such as ITI-55, ITI-38, node-start",
                     chosen.type);
    }
    return chosen.type == NULL;
}

static bool
read_outcome(const struct audit_view *view, struct audit_index_query *query)
{
    static const struct {
        const char *name, *phase;
        int outcome;
    } names[] = {
        {"intent", "intent", -1},          {"success", "outcome", AUDIT_SUCCESS},
        {"minor", "outcome", AUDIT_MINOR}, {"serious", "outcome", AUDIT_SERIOUS},
        {"major", "outcome", AUDIT_MAJOR},
    };

    query->outcome = -1;
    for (size_t i = 0; i < ARRAY_LEN(names) && chosen.outcome != NULL; i++) {
        if (strcmp(chosen.outcome, names[i].name) == 0) {
            query->phase = span_of_cstr(names[i].phase);
            query->outcome = names[i].outcome;
            return true;
        }
    }
    if (chosen.outcome != NULL) {
        cli_complain(view->command,
                     "--outcome '%s': expected success, minor, serious, major or intent",
                     chosen.outcome);
    }
    return chosen.outcome == NULL;
}

static int
run_search(const struct audit_view *view, const struct cli_values *rest)
{
    uint64_t n = SEARCH_DEFAULT;
    struct audit_index_query query = {
        .patient = span_of_cstr(chosen.patient),
        .document = span_of_cstr(chosen.document),
        .user = span_of_cstr(chosen.user),
        .organization = span_of_cstr(chosen.organization),
        .partner = span_of_cstr(chosen.partner),
        .purpose = span_of_cstr(chosen.purpose),
    };
    if (!expect_no_more(view, rest) || !read_count(view, &n) || !read_type(view, &query) ||
        !read_outcome(view, &query) || !read_times(view, INT64_MIN, &query)) {
        return CLI_USAGE;
    }
    query.limit = (size_t)n;
    return (int)audit_search(view, &query);
}

static int
run_disclosures(const struct audit_view *view, const struct cli_values *rest)
{
    struct audit_index_query query = {
        .patient = span_of_cstr(chosen.patient), .outcome = -1, .limit = DISCLOSURES_MAX};
    const struct disclosure_form form = {
        .style = chosen.is_csv                   ? DISCLOSURE_CSV
                 : view->form == AUDIT_FORM_JSON ? DISCLOSURE_JSON
                                                 : DISCLOSURE_TEXT,
        .community = view->source.source_id,
        .patient = query.patient,
    };
    if (query.patient.n == 0 || (chosen.is_csv && chosen.is_json)) {
        cli_complain(view->command, query.patient.n == 0 ? "--patient is required: ID^^^&OID&ISO"
                                                         : "--json and --csv exclude each other");
        return CLI_USAGE;
    }
    if (!expect_no_more(view, rest) ||
        !read_times(view, clock_wall_us(clock_system()) - YEARS_DEFAULT * YEAR_US, &query)) {
        return CLI_USAGE;
    }
    return (int)audit_disclosures(view, &query, &form);
}

static const struct verb {
    const char *name;
    const struct cli_command *command;
    int (*run)(const struct audit_view *view, const struct cli_values *rest);
} verbs[] = {
    {"tail", &command_tail, run_tail},
    {"show", &command_show, run_show},
    {"search", &command_search, run_search},
    {"disclosures", &command_disclosures, run_disclosures},
};

static int
run_verb(const struct verb *verb, int argc, char **argv)
{
    struct cli_values rest;
    int exit_code = CLI_DONE;
    chosen = (struct choices){0};
    if (!cli_parse(verb->command, argc, argv, &rest, &exit_code)) {
        return exit_code;
    }
    if (chosen.is_json && chosen.is_xml) {
        cli_complain(verb->command, "--json and --xml exclude each other");
        return CLI_USAGE;
    }
    const struct config *config = cli_config(verb->command, chosen.config);
    if (config == NULL) {
        return CLI_FAILED;
    }
    const struct audit_view view = {
        .command = verb->command,
        .place = {.dir = config->journal_dir},
        .source = {config->community_name != NULL ? config->community_name : config->community,
                   config->community},
        .form = chosen.is_json  ? AUDIT_FORM_JSON
                : chosen.is_xml ? AUDIT_FORM_XML
                                : AUDIT_FORM_TEXT,
        .out = stdout,
    };
    exit_code = verb->run(&view, &rest);
    config_unref(config);
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
        cli_complain(&command_audit,
                     "unknown verb '%s'; there are tail, show, search, disclosures and verify",
                     argv[1]);
        return CLI_USAGE;
    }
    if (cli_parse(&command_audit, argc, argv, &rest, &exit_code)) { /* --help, or nothing */
        cli_complain(
            &command_audit,
            "say tail, show, search, disclosures or verify; 'isthmus audit --help' explains");
        exit_code = CLI_USAGE;
    }
    return exit_code;
}
