/*
 * What our side writes in tests, kept for tests/wire/validate: when ISTHMUS_KEEP names a folder,
 * each message that a node writes and each audit event that it records is appended to
 * <folder>/<program>.kept. Who keeps: the scenes (scene.c: what a node asks and answers, before a
 * test changes anything of it) and tests/wire/isthmus, the program with keeping.c linked in.
 * Messages that tests make themselves, right or wrong, never come here. Without ISTHMUS_KEEP
 * nothing happens. Thread: any.
 *
 * A record is one line, "<kind> <bytes> <content type>", the bytes, and a line feed. It is written
 * at once (O_APPEND), so that threads and processes may share a file. Nothing here allocates with
 * base/mem.h but keep_audit: tests count allocations and let them fail.
 */
#ifndef WIRE_KEEP_H
#define WIRE_KEEP_H

#include "audit/event.h"
#include "base/body.h"

#define KEEP_REQUEST "request"
#define KEEP_ANSWER  "answer" /* or a fault */
#define KEEP_AUDIT   "audit"
#define KEEP_PAYLOAD "payload" /* alone: of the codecs' tests (payloads.c) */

bool keep_is_on(void);
/* Plain text and empty answers (HTTP's own refusals) are no messages and not kept. A message that
 * cannot be kept ends the test program: counting would be wrong without it. */
void keep_message(const char *kind, const char *content_type, const struct body *body);
void keep_text(const char *kind, const char *content_type, struct span bytes);
/* The AuditMessage of an event. */
void keep_audit(const struct audit_event *event);
/* While allocations are counted or fail, events are not rendered. */
void keep_pause_audit(bool is_paused);

#endif
