/*
 * The program: finds the subcommand and runs it. One binary serves, asks, imports and explains.
 */
#include <locale.h>
#include <signal.h>
#include <string.h>

#include "config.h"

#ifdef HAVE_MI_DECOMMIT_DELAY
#include <mimalloc.h>
#endif

#include "base/text.h"
#include "certs/tls.h"
#include "cli/cli.h"

struct command_row {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
};

/* In the order in which an operator meets them. */
static const struct command_row commands[] = {
    {"init", "make a new node's configuration, folders and development certificates", cmd_init},
    {"check", "check the configuration, keys, certificates and policies", cmd_check},
    {"import", "put C-CDA and other documents into the embedded repository", cmd_import},
    {"serve", "run the node in the foreground", cmd_serve},
    {"discover", "ask partners who knows a patient (ITI-55)", cmd_discover},
    {"locate", "ask a partner which other communities know a patient (ITI-56)", cmd_locate},
    {"query", "ask partners for a patient's documents (ITI-38)", cmd_query},
    {"retrieve", "fetch documents by name (ITI-39)", cmd_retrieve},
    {"send", "deliver documents to a community (ITI-80)", cmd_send},
    {"gather", "discover, query and retrieve from everyone, deduplicated", cmd_gather},
    {"partners", "who the partners are, their certificates, what is relaxed for them",
     cmd_partners},
    {"audit", "the audit: tail, search, show, disclosures, export, verify", cmd_audit},
    {"decode", "explain a captured message: who signed what, each check, what we would answer",
     cmd_decode},
    {"policy", "explain what the policy allows and why", cmd_policy},
};

static void
print_commands(FILE *to)
{
    fprintf(to,
            "isthmus %s: a gateway node between a health community and the national network "
            "(TEFCA, IHE XCPD and XCA)\n\nusage: isthmus COMMAND [options]\n\n",
            PACKAGE_VERSION);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
    }
    fprintf(to, "\n'isthmus COMMAND --help' explains a command. Exit codes: 0 done, 1 refused or "
                "failed, 2 usage, 3 partial.\n");
}

static int
unknown_command(const char *name)
{
    const char *nearest = NULL;
    size_t least = 3;

    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        const size_t distance =
            text_distance(span_of_cstr(name), span_of_cstr(commands[i].name), 3);

        if (distance < least) {
            least = distance;
            nearest = commands[i].name;
        }
    }
    fprintf(stderr, "isthmus: unknown command '%s'", name);
    if (nearest != NULL) {
        fprintf(stderr, "; did you mean '%s'?", nearest);
    }
    fprintf(stderr, "\nTry 'isthmus --help'.\n");
    return CLI_USAGE;
}

/* Freed memory goes back to the kernel after a second, not after 25 ms: the next message needs it
 * again, and pages that the kernel has to clear anew cost a broker a quarter of its time. What the
 * environment says (MIMALLOC_DECOMMIT_DELAY) goes first. */
static void
keep_freed_memory(void)
{
#ifdef HAVE_MI_DECOMMIT_DELAY
    mi_option_set_default(mi_option_decommit_delay, 1000);
#endif
}

int
main(int argc, char **argv)
{
    struct diag diag = {0};

    keep_freed_memory();
    setlocale(LC_CTYPE, "C.UTF-8");
    signal(SIGPIPE, SIG_IGN);
    if (!is_ok(tls_start_library(&diag))) {
        fprintf(stderr, "isthmus: %s\n", diag.text);
        return CLI_FAILED;
    }
    if (argc < 2) {
        print_commands(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_commands(stdout);
        return CLI_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("isthmus %s\n", PACKAGE_VERSION);
        return CLI_DONE;
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    return unknown_command(argv[1]);
}
