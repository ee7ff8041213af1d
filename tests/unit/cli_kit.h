/*
 * Runs a subcommand's own function with its arguments, and keeps what it prints.
 */
#ifndef CLI_KIT_H
#define CLI_KIT_H

struct cli_output {
    int exit_code;
    char out[65536], err[65536];
};
extern struct cli_output cli_output; /* of the last one */

/* Arguments in one line, separated by '|'; DIR at their start stands for the test's folder. */
void cli_run(int (*command)(int, char **), const char *line);
void cli_check_exit(const char *what, int want);
void cli_check_says(const char *text, const char *want);

#endif
