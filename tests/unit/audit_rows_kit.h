/*
 * The AuditMessages that scenarios make, as rows that people read and tests compare: one line per
 * element, every attribute, base64 decoded, against a file that holds what ITI TF-2 asks for. Each
 * message is checked against DICOM's schema, too. One scene at a time; one thread.
 *
 * A file of rows: lines that begin with '#' are remarks; "== NAME" begins a scenario; then each
 * message that its nodes recorded, in order: "-- PLACE, intent", and its elements:
 *   event   EventID, types, action, outcome, text, purpose
 *   who     UserID, then the other attributes and roles
 *   source  the node that reports
 *   object  ParticipantObjectID, then type, role, id type, query, details
 * A coded value is CODE^SYSTEM^TEXT. What is new in each run stands as {uuid}, {oid}.
 */
#ifndef AUDIT_ROWS_KIT_H
#define AUDIT_ROWS_KIT_H

#include "scene.h"

/* <file>: below tests/unit. From now on what the nodes record is rendered. Outside of tests. */
void rows_open(const char *file);
/* Was every scenario of the file compared? Else it says so. */
bool rows_close(void);

/* What was recorded before is no matter. */
void rows_begin(const struct scene *scene);
/* What was recorded since then is what the file says. */
void rows_check(const char *scenario);

#endif
