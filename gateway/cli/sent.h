/*
 * What `isthmus send` shows: whether the community took the submission, and why not. Thread: the
 * program's main thread.
 */
#ifndef CLI_SENT_H
#define CLI_SENT_H

#include "base/buf.h"
#include "txn/asking.h"

MUST_CHECK struct status sent_write_json(const struct asking *asking, struct buf *out,
                                         struct diag *diag);
/* A line for the community, one per document and one per error. */
MUST_CHECK struct status sent_write_text(const struct asking *asking, struct buf *out,
                                         struct diag *diag);

#endif
