/*
 * What an AuditMessage (XML) and an AuditEvent (JSON) say, as lines of text that can be compared:
 * each form is read by a reader of its own, which shares nothing with the renderers.
 */
#ifndef AUDIT_FACTS_H
#define AUDIT_FACTS_H

#include <jansson.h>

#include "audit/event.h"

#define FACTS_MAX ((size_t)1024 * 1024)

/* Renders the event as an AuditMessage and appends its lines. */
void facts_of_message(const struct audit_event *event, const struct audit_source *source,
                      struct buf *facts);
/* Appends the lines of an AuditEvent, without what stands in no AuditMessage: the agents of the
 * organisation and the community, and the last <ours> entities (transaction, record). */
void facts_of_resource(const json_t *resource, size_t ours, struct buf *facts);

/* A member's text; empty when it is none. */
struct span facts_text(const json_t *object, const char *name);
/* The identifier of a Reference. */
const json_t *facts_identifier(const json_t *object, const char *reference);
/* The code of an agent's type. */
struct span facts_agent_type(const json_t *agent);

#endif
