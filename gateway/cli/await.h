/*
 * Answers that come later, as the asking commands offer them: `--awaited` lists the questions that
 * wait and those whose answers have come, `--collect ID` reads one (txn/asking_collect.c); and
 * `discover --forget`, which throws away what communities had answered before. Thread: the
 * program's main thread.
 */
#ifndef CLI_AWAIT_H
#define CLI_AWAIT_H

#include "cli/client.h"

struct await_options {
    const char *collect;
    bool is_list;
};
#define AWAIT_OPTIONS(o)                                                                           \
    {"collect", "ID", "show the answer that came later, once", &(o).collect, NULL, NULL},          \
    {                                                                                              \
        "awaited", NULL, "list the questions whose answers come later", NULL, NULL, &(o).is_list   \
    }

/* --awaited: prints the list on standard output, every transaction's; an exit code. The list names
 * no patient, and is not audited. */
int await_list(const struct cli_command *command, const struct client_options *options);

struct forget_options {
    const char *patient; /* CX of ours, or "all" */
    const char *partner; /* id; NULL: everyone's */
};
/* --forget, --forget-partner: recorded first, then done; says how many on standard output. An exit
 * code. */
int await_forget(const struct cli_command *command, const struct client_options *options,
                 const struct forget_options *what);

#endif
