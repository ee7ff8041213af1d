/*
 * The record of reading the journal: who read it, what was asked for and how many records were
 * shown (DICOM "Audit Log Used"). It is durable before anything is shown, in chains of its own
 * (`access-0`, `access-1`...), so that reading does not mix with what is read. Thread: the
 * program's.
 */
#ifndef CLI_AUDIT_ACCESS_H
#define CLI_AUDIT_ACCESS_H

#include "audit/journal.h"
#include "certs/credential.h"
#include "cli/cli.h"

struct audit_access {
    const struct cli_command *command;
    const struct journal_place *place;
    const struct credential *signer;   /* of a checkpoint behind it; NULL: none */
    const char *community;             /* source of the record: own homeCommunityId, bare OID */
    const char *verb;                  /* "search" */
    const char *asker;                 /* who says that he asks (--by); NULL: the unix user alone */
    const char *reason;                /* --reason; NULL: not said */
    struct span asked;                 /* the filters, in words */
    const struct span_list *patients;  /* that were asked for */
    const struct journal_rules *rules; /* NULL: the disk is waited for */
    bool may_go_on;                    /* when the record cannot be written: say so and show */
};

/* ERR_JOURNAL: it cannot be written, nothing may be shown. */
MUST_CHECK struct status audit_access_record(const struct audit_access *access, uint64_t records,
                                             struct diag *diag);

#endif
