/*
 * Why something failed, for the log, the audit record and the operator; never for the partner.
 *
 * A diag belongs to one thread at a time (a transaction's diag to whoever runs its step). The
 * lowest function that understands a failure records it once with FAIL; the first record wins, so
 * failures of clean-up never hide the cause. Text says what was expected, what came, and where. It
 * must hold no patient data and no secret.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include "base/status.h"

#define DIAG_TEXT_MAX 512

struct diag {
    enum err code; /* ERR_NONE until the first failure */
    int line;
    const char *file;
    char text[DIAG_TEXT_MAX]; /* NUL-terminated, cut with "..." when longer, control characters as
                                 '?' */
};

void diag_clear(struct diag *diag);

/* Record a failure unless one is recorded already. Returns {code} in any case. */
struct status diag_fail(struct diag *diag, enum err code, const char *file, int line,
                        const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Put "<prefix>: " before the recorded text (to name the file or partner that failed). */
void diag_prefix(struct diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define FAIL(diag, code, ...) diag_fail((diag), (code), __FILE__, __LINE__, __VA_ARGS__)

#endif
