/*
 * Inside soap/ only: what the answers of ITI-38 and ITI-39 share: status and RegistryErrorList
 * (ITI TF-3 4.2.4). Thread: any.
 */
#ifndef SOAP_XCA_RESPONSE_H
#define SOAP_XCA_RESPONSE_H

#include "soap/regrep.h"
#include "soap/xca.h"

/* Texts are borrowed. */
MUST_CHECK struct status response_write(enum registry_status status,
                                        const struct registry_error_list *errors,
                                        struct arena *arena, struct diag *diag,
                                        struct rs_response *ret_response);
/* Texts are copied. ERR_PARTNER_ANSWER: a status that is none of the three. */
MUST_CHECK struct status response_read(const struct rs_response *response, struct arena *arena,
                                       struct diag *diag, enum registry_status *ret_status,
                                       struct registry_error_list *ret_errors);

extern const struct query_reading query_reading_as_it_is;

/* Copied to <arena>. */
MUST_CHECK struct status answer_add_ref(const struct rim_ref *from,
                                        const struct query_reading *reading, struct arena *arena,
                                        struct diag *diag, struct document_ref_list *refs);
/* What was read of a RegistryObjectList in pieces (xca_pieces.c); it went to <arena>. */
MUST_CHECK struct status answer_take_pieces(struct xml_pieces *pieces, const struct arena *arena,
                                            struct diag *diag, struct query_answer *answer);

#endif
