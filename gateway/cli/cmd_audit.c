/*
 * `isthmus audit tail|show|verify`: options and help. Called by main.c on the program's only
 * thread; the work is in audit_view.c.
 */
#include "cli/cli.h"

#include <string.h>
#include <time.h>

#include "cli/audit_view.h"
#include "config/config.h"

#define FOLLOW_MS        200
#define TAIL_DEFAULT     20
#define DIGITS(number)   DIGITS_OF(number)
#define DIGITS_OF(value) #value

struct choices {
    const char *config;
    const char *count;
    bool is_following, is_json, is_xml;
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
static const struct cli_option verify_options[] = {
    {.name = "c", .argument = "FILE", .help = "the node's configuration", .value = &chosen.config},
    {.name = "json", .help = "the result as JSON", .flag = &chosen.is_json},
};

static const struct cli_command command_audit = {
    .name = "audit",
    .usage = "tail|show|verify -c FILE ...",
    .text = "  isthmus audit tail -c FILE [-n N] [-f] [--json|--xml]\n"
            "      the last records, one line each\n"
            "  isthmus audit show -c FILE RECORD [--json|--xml]\n"
            "      one record explained\n"
            "  isthmus audit verify -c FILE [--json]\n"
            "      whether every record of the journal is there and unchanged\n\n"
            "'isthmus audit VERB --help' says more. All three read beside a running node.",
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
static const struct cli_command command_verify = {
    .name = "audit verify",
    .usage = "-c FILE [--json]",
    .text =
        "Walks every chain of the journal from its first record: length, CRC-32C, sequence and\n"
        "the SHA-256 of the record before. Says per chain how many records there are, from\n"
        "when to when, and where the chain breaks if it does. Records that were cut off at a\n"
        "chain's end together with everything behind them leave no trace in the journal itself:\n"
        "compare the last record with a copy kept elsewhere.\n\n"
        "Exit code: 0 when everything holds, else 1.",
    .options = verify_options,
    .options_n = ARRAY_LEN(verify_options),
};

static bool
wait_a_little(void *arg)
{
    const struct timespec time = {0, FOLLOW_MS * 1000000L};
    (void)arg;
    (void)nanosleep(&time, NULL);
    return true;
}

static int
run_tail(const struct audit_view *view, const struct cli_values *rest)
{
    uint64_t n = TAIL_DEFAULT;
    if (rest->n > 0) {
        cli_complain(view->command, "'%s' is not expected here", rest->items[0]);
        return CLI_USAGE;
    }
    if (chosen.count != NULL && !span_to_u64(span_of_cstr(chosen.count), AUDIT_TAIL_MAX, &n)) {
        cli_complain(view->command, "-n '%s' is not a number from 0 to %d", chosen.count,
                     AUDIT_TAIL_MAX);
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

static int
run_verify(const struct audit_view *view, const struct cli_values *rest)
{
    if (rest->n > 0) {
        cli_complain(view->command, "'%s' is not expected here", rest->items[0]);
        return CLI_USAGE;
    }
    return (int)audit_view_verify(view);
}

static const struct verb {
    const char *name;
    const struct cli_command *command;
    int (*run)(const struct audit_view *view, const struct cli_values *rest);
} verbs[] = {
    {"tail", &command_tail, run_tail},
    {"show", &command_show, run_show},
    {"verify", &command_verify, run_verify},
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
        .dir = config->journal_dir,
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
    for (size_t i = 0; argc > 1 && i < ARRAY_LEN(verbs); i++) {
        if (strcmp(argv[1], verbs[i].name) == 0) {
            return run_verb(&verbs[i], argc - 1, argv + 1);
        }
    }
    if (argc > 1 && argv[1][0] != '-') {
        cli_complain(&command_audit, "unknown verb '%s'; there are tail, show and verify", argv[1]);
        return CLI_USAGE;
    }
    if (cli_parse(&command_audit, argc, argv, &rest, &exit_code)) { /* --help, or nothing */
        cli_complain(&command_audit, "say tail, show or verify; 'isthmus audit --help' explains");
        exit_code = CLI_USAGE;
    }
    return exit_code;
}
