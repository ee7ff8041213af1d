/*
 * The certificates behind the audit's signed statements: who signs for the node, and whom
 * verification believes. Between audit/ (which knows no X.509) and certs/. Thread: any.
 */
#ifndef CLI_AUDIT_JUDGE_H
#define CLI_AUDIT_JUDGE_H

#include "audit/statement.h"
#include "certs/credential.h"
#include "certs/trust.h"

/* Whose signatures are believed; each may be NULL. Borrowed. */
struct audit_judge {
    const struct certificate *own; /* of audit.checkpoints.credential */
    const struct trust *trust;     /* audit.checkpoints.trust, or a file of certificates */
};
/* <arg> of the result is <judge>. Without both its check is NULL. */
struct statement_judge audit_judge_make(const struct audit_judge *judge);

/* What a statement_signer does, with this credential. */
MUST_CHECK struct status audit_judge_sign(const struct credential *credential, struct span text,
                                          struct buf *certificate, char *algorithm,
                                          struct buf *signature, struct diag *diag);

#endif
