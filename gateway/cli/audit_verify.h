/*
 * `isthmus audit verify`: chains, archives and single proofs, to a stream. The result is the exit
 * code; what went wrong is said on standard error. Thread: the program's.
 */
#ifndef CLI_AUDIT_VERIFY_H
#define CLI_AUDIT_VERIFY_H

#include <stdio.h>

#include "audit/verify.h"
#include "cli/audit_judge.h"
#include "cli/cli.h"

struct audit_verify {
    const struct cli_command *command; /* who complains */
    struct journal_place place;
    struct audit_judge judge;
    int64_t every_us; /* audit.checkpoints; 0: none are wanted */
    uint64_t every_records;
    bool is_json;
    FILE *out;
};

/* CLI_FAILED when a chain does not hold. <against>: files with checkpoints that were kept
 * elsewhere; NULL: none. */
enum cli_exit audit_verify_journal(const struct audit_verify *verify,
                                   const struct cli_values *against);
enum cli_exit audit_verify_archive(const struct audit_verify *verify, const char *dir);
/* A file of proofs, one a line. CLI_FAILED when one does not hold, or there is none. */
enum cli_exit audit_verify_proof(const struct audit_verify *verify, const char *path);

/* The whole command: its own options. */
int audit_verify_command(int argc, char **argv);

#endif
