/*
 * What the tests of soap/'s codecs share: payloads become messages, made messages are validated
 * with xmllint against the schemas of the test data.
 */
#ifndef SOAP_SUPPORT_H
#define SOAP_SUPPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "soap/message_internal.h"

#define XDS_SCHEMA(name) "ihe/schema/xds/schema/" name
#define HL7_SCHEMA(name) "ihe/schema/hl7v3/schema/HL7V3/NE2008/multicacheschemas/" name ".xsd"
#define SOAP_SCHEMA      "ihe/schema/hl7v3/schema/soap-1.2-envelope.xsd"

/* An envelope around <payload>, read as a message that lives in <arena>. */
MUST_CHECK struct status support_message(struct span payload, struct arena *arena,
                                         struct diag *diag, struct message **ret_message);
/* The same for a whole envelope, or, when the root is something else, for a payload. */
MUST_CHECK struct status support_envelope(struct span xml, struct arena *arena, struct diag *diag,
                                          struct message **ret_message);
/* The same, and which of the two it was; an XML declaration is passed over. */
MUST_CHECK struct status support_any(struct span xml, struct arena *arena, struct diag *diag,
                                     struct message **ret_message, bool *ret_is_envelope);
/* A file of the test data: an envelope or a bare payload. False when the data is not there. */
bool support_sample(const char *relative, struct arena *arena, struct message **ret_message);
/* The content of a file of the test data, in the arena; false when the data is not there. */
bool support_data(const char *relative, struct arena *arena, struct span *ret_content);
/* Each <from> in <text> replaced by <to>. */
struct span support_replace(struct arena *arena, struct span text, const char *from,
                            const char *to);

/* True when xmllint finds <xml> valid, and when there is no data or no xmllint (printed). Else it
 * prints what xmllint says. A schema error fails the running CUnit test. */
bool support_check_schema(const char *schema, struct span xml);
/* A payload that we wrote: valid, and read as a message that lives in <arena>; else the running
 * test has failed. */
bool support_read_written(const char *schema, const struct buf *payload, struct arena *arena,
                          struct message **ret_message);
/* True as support_check_schema, with IHEXDSB.xsd, whose folder libxml2 cannot use as it is. */
bool support_check_xdsb(struct span xml);

#endif
