/*
 * What envelope.c and fault.c share; nobody else includes this. Thread: any.
 */
#ifndef SOAP_ENVELOPE_PARTS_H
#define SOAP_ENVELOPE_PARTS_H

#include "soap/envelope.h"
#include "soap/message_internal.h"

/* Opens Envelope and Header (prefixes env and wsa) and writes the Action. */
void envelope_start(struct xmlw *w, struct span action);
void envelope_header_unless_empty(struct xmlw *w, const char *qname, struct span value);

#endif
