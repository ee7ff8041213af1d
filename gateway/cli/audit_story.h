/*
 * An audit event told in sentences: in whose name, for what, about whom, who decided and how it
 * ended. Text that came from partners is made harmless for terminals. Thread: any.
 */
#ifndef CLI_AUDIT_STORY_H
#define CLI_AUDIT_STORY_H

#include "audit/event.h"

/* Appends sentences, a line each; none for what the event does not say. */
MUST_CHECK struct status audit_story_write(const struct audit_event *event, struct buf *out,
                                           struct diag *diag);

#endif
