/*
 * What the files of the AuditMessage and AuditEvent renderers share; nobody else includes this.
 * Rows follow ITI TF-2 3.55.5, 3.38.5, 3.39.5 and DICOM PS3.15 A.5.3. Thread: one at a time.
 */
#ifndef AUDIT_MESSAGE_ROWS_H
#define AUDIT_MESSAGE_ROWS_H

#include "audit/event.h"
#include "base/xmlw.h"

/* A coded value of DICOM's CID 400 to 405, RFC 3881 or IHE. */
struct audit_code {
    const char *code;
    const char *system; /* "DCM", "RFC-3881", "IHE Transactions" */
    const char *text;
};

/* Who takes part, and how: the tables of PS3.15 A.5.3. */
enum message_shape {
    MESSAGE_EXCHANGE, /* an asker and an answerer: IHE's transactions */
    MESSAGE_ALERT,    /* this node reports what another one did */
    MESSAGE_ACTIVITY, /* this node reports what it did itself */
    MESSAGE_LOG_USED  /* somebody read the journal */
};
struct message_kind {
    const struct audit_code *event; /* EventID */
    const char *action;             /* EventActionCode: C, R, U, D, E */
    struct audit_code type;         /* EventTypeCode; code NULL: none */
    enum message_shape shape;
};
struct message_kind message_kind_of(const struct audit_event *event);
/* A rule refused what was asked: the message has a second type, and the rule as an object. */
bool message_is_denial(const struct audit_event *event);
#define MESSAGE_SCRATCH_MAX ((size_t)64 * 1024 * 1024) /* bytes of one value */

struct message {
    struct xmlw *w; /* bytes, or a sink: fhir.c takes the parts */
    const struct audit_event *event;
    const struct audit_source *source;
    struct buf *scratch; /* one value at a time: base64, cleaned text */
    struct diag *diag;
};

/* The whole AuditMessage element. */
void message_write(struct message *m);
void message_code(struct message *m, const char *element, const struct audit_code *code);
/* As xmlw_attr, but what XML cannot hold is written as U+FFFD. */
void message_attr(struct message *m, const char *name, struct span value);
/* Every ParticipantObjectIdentification of the event, in the order of its table. */
void message_objects(struct message *m);

#endif
