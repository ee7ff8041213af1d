/*
 * Signing the audit's statements and judging their signatures. Called by the sealer of a node, by
 * `isthmus audit verify`, and by tests; keeps nothing.
 */
#include "cli/audit_judge.h"

#include <stdio.h>

#include "base/datetime.h"
#include "base/mem.h"
#include "certs/bytes.h"

/* ---- signing ---- */

struct status
audit_judge_sign(const struct credential *credential, struct span text, struct buf *certificate,
                 char *algorithm, struct buf *signature, struct diag *diag)
{
    TRY(certificate_write_der(credential->leaf, certificate, diag));
    (void)snprintf(algorithm, STATEMENT_ALGORITHM_MAX, "%s", bytes_algorithm(credential->key));
    return bytes_sign(credential, text, signature, diag);
}

/* ---- judging ---- */

static struct status
check_validity(const struct certificate *certificate, int64_t time_us, struct diag *diag)
{
    char made[DATETIME_MAX];
    char from[DATETIME_MAX];
    char until[DATETIME_MAX];
    if (time_us >= certificate->not_before_us && time_us <= certificate->not_after_us) {
        return OK;
    }
    datetime_write_xs(time_us, made);
    datetime_write_xs(certificate->not_before_us, from);
    datetime_write_xs(certificate->not_after_us, until);
    return FAIL(diag, ERR_JOURNAL,
                "it was signed at %s, when its certificate '%s' was not valid (%s to %s)", made,
                certificate->subject, from, until);
}

static struct status
check_trust(const struct audit_judge *judge, struct certificate *certificate, int64_t time_us,
            struct diag *diag)
{
    struct diag why = {0};
    TRY(check_validity(certificate, time_us, diag));
    if (judge->own != NULL &&
        span_eq(span_of_cstr(judge->own->sha256), span_of_cstr(certificate->sha256))) {
        return OK;
    }
    if (judge->trust == NULL) {
        return FAIL(diag, ERR_JOURNAL,
                    "it was signed with certificate '%s' (SHA-256 %s), which is not the one of "
                    "audit.checkpoints.credential, and there is no audit.checkpoints.trust",
                    certificate->subject, certificate->sha256);
    }
    const struct status st = trust_verify(judge->trust, certificate, time_us, &why);
    if (is_ok(st) || st.code == ERR_NO_MEMORY) {
        return is_ok(st) ? OK : FAIL(diag, st.code, "%s", why.text);
    }
    return FAIL(diag, ERR_JOURNAL,
                "it was signed with certificate '%s' (SHA-256 %s), which is not trusted for this: "
                "%s",
                certificate->subject, certificate->sha256, why.text);
}

static struct status
check_signature(const struct certificate *certificate, const struct statement *statement,
                struct diag *diag)
{
    struct diag why = {0};
    if (!span_eq_cstr(statement->algorithm, bytes_algorithm(certificate->key))) {
        return FAIL(diag, ERR_JOURNAL, "its signature is said to be %.*s, and its key signs %s",
                    SPAN_PRINT(span_slice(statement->algorithm, 0, STATEMENT_ALGORITHM_MAX)),
                    bytes_algorithm(certificate->key));
    }
    const struct status st = bytes_check(certificate, statement->text, statement->signature, &why);
    if (is_ok(st)) {
        return OK;
    }
    return FAIL(diag, st.code == ERR_SIG_INVALID ? ERR_JOURNAL : st.code,
                "the signed statement was changed or is forged: %s", why.text);
}

static struct status
check(void *arg, const struct statement *statement, int64_t time_us, struct diag *diag)
{
    const struct audit_judge *judge = arg;
    struct certificate *certificate = NULL;
    struct diag why = {0};
    struct status st = certificate_from_der(statement->certificate, &why, &certificate);
    if (!is_ok(st)) {
        return FAIL(diag, st.code == ERR_CREDENTIAL ? ERR_JOURNAL : st.code,
                    "the certificate of the signed statement cannot be read: %s", why.text);
    }
    st = check_signature(certificate, statement, diag);
    if (is_ok(st)) {
        st = check_trust(judge, certificate, time_us, diag);
    }
    certificate_free(certificate);
    return st;
}

struct statement_judge
audit_judge_make(const struct audit_judge *judge)
{
    const bool can_judge = judge->own != NULL || judge->trust != NULL;
    struct audit_judge *arg = (struct audit_judge *)(uintptr_t)judge; /* only read */
    return (struct statement_judge){.arg = arg, .check = can_judge ? check : NULL};
}
