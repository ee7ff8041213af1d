/*
 * Inside soap/ only: a DocumentEntry as an ebRIM ExtrinsicObject and back (ITI TF-3 4.2.3.2,
 * 4.2.5). Thread: any.
 */
#ifndef SOAP_XCA_ENTRY_H
#define SOAP_XCA_ENTRY_H

#include "base/document.h"
#include "soap/regrep.h"

/* Texts are borrowed, new ones go to the arena. Absent metadata is left out. ERR_INTERNAL: no home
 * or no entryUUID, which every object of an XCA answer has (ITI TF-2 3.38.4.1.3). */
MUST_CHECK struct status entry_to_object(const struct document_entry *entry, struct arena *arena,
                                         struct diag *diag, struct rim_object *ret_object);
/* Texts are copied to the arena. Metadata that we do not know is passed over; a size that is no
 * number is absent. */
MUST_CHECK struct status entry_from_object(const struct rim_object *object, struct arena *arena,
                                           struct diag *diag, struct document_entry *ret_entry);

#endif
