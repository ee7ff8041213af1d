/*
 * From objects as they were submitted (ITI-41, ITI-80) to objects as they are registered: the
 * sender's own text with what the registry decides put in, so that later answers lose nothing:
 * foreign slots, Classifications and ExternalIdentifiers, further languages, other namespaces.
 * Source: ITI TF-3 4.2.3 (which attributes are the registry's), ITI TF-2 3.42.4.1.3. Thread: any.
 */
#ifndef SOAP_RIM_REGISTER_H
#define SOAP_RIM_REGISTER_H

#include "base/registry.h"

/* Sets <xml> of the registered objects, which are the submitted ones in the same order and perhaps
 * more (those keep none). From the record come ids and ends, lid, home, objectType, version 1,
 * patientId, and the slots that are the registry's: repositoryUniqueId, hash, size,
 * sourcePatientId, sourcePatientInfo, SubmissionSetStatus. Symbolic ids of children become UUIDs;
 * Classifications that stood beside their object are in it. status and lastUpdateTime are left out:
 * they change, and query_answer_write puts them in. Texts are made in <arena>. ERR_NO_MEMORY,
 * ERR_LIMIT_XML. */
MUST_CHECK struct status rim_register(const struct registry_objects *submitted,
                                      struct registry_objects *registered, struct arena *arena,
                                      struct diag *diag);

#endif
