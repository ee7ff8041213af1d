/*
 * The frame of the subcommands: one table of commands (main.c), one file per command
 * (cmd_<name>.c), one way to declare options, so that --help is complete because it is made from
 * what is parsed. Thread: the program's main thread.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdio.h>

#include "base/diag.h"

enum cli_exit { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_PARTIAL = 3 };

#define CLI_VALUES_MAX 4096 /* what a shell makes of *.xml */

/* What an option's argument becomes. */
struct cli_values {
    const char *items[CLI_VALUES_MAX];
    size_t n;
};

struct cli_option {
    const char *name;     /* long name without dashes, or one letter for a short option */
    const char *argument; /* "FILE" in the help; NULL: a flag */
    const char *help;
    const char **value;        /* one of these three is set: last one wins, ... */
    struct cli_values *values; /* ... may be repeated, ... */
    bool *flag;                /* ... or a flag */
};

struct cli_command {
    const char *name;
    const char *usage; /* "-c FILE PATH..." */
    const char *text;  /* paragraph for `isthmus NAME --help`; what it does, exit codes */
    const struct cli_option *options;
    size_t options_n;
};

/* Parses options anywhere among the arguments ("--" ends them); what is left goes to <ret_rest>.
 * Returns false when the command must end now with *ret_exit: --help was printed (CLI_DONE) or
 * usage was wrong (CLI_USAGE, said on standard error with the nearest valid name). */
bool cli_parse(const struct cli_command *command, int argc, char **argv,
               struct cli_values *ret_rest, int *ret_exit);

/* The same for a command that takes options only: any other argument is wrong usage. */
bool cli_parse_options(const struct cli_command *command, int argc, char **argv, int *ret_exit);

/* "isthmus NAME: <text>" on standard error, then the diag's text. */
void cli_error(const struct cli_command *command, const struct diag *diag);
void cli_complain(const struct cli_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Loads the configuration; on failure prints every error with its place and returns NULL. */
struct config;
const struct config *cli_config(const struct cli_command *command, const char *path);
/* The same for what talks to partners: revocation lists that are to be fetched (`crl_urls`) are
 * fetched first, for at most half a minute. The caller may let the process forget them
 * (crl_held_clear) at its end. */
const struct config *cli_config_online(const struct cli_command *command, const char *path);

/* The subcommands: argv[0] is the subcommand's name; the result is the exit code. */
int cmd_audit(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_decode(int argc, char **argv);
int cmd_discover(int argc, char **argv);
int cmd_gather(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_init(int argc, char **argv);
int cmd_partners(int argc, char **argv);
int cmd_policy(int argc, char **argv);
int cmd_locate(int argc, char **argv);
int cmd_query(int argc, char **argv);
int cmd_retrieve(int argc, char **argv);
int cmd_send(int argc, char **argv);
int cmd_serve(int argc, char **argv);

#endif
