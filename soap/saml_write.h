/*
 * Writers of our own assertions; the order and the header around them are in security.h. What they
 * write is in exclusive canonical form: namespaces where they are first used, attributes sorted.
 * Internal to soap/. Thread: any.
 */
#ifndef SOAP_SAML_WRITE_H
#define SOAP_SAML_WRITE_H

#include "base/ids.h"
#include "base/xmlw.h"
#include "soap/security.h"

#define SAML_ID_TEXT (UUID_TEXT + 1) /* an id for XML must not begin with a digit */
/* Receivers refuse an assertion that begins a moment ahead of their clock. */
#define SAML_BEGINS_BEFORE_US INT64_C(5000000)

void saml_new_id(char ret_id[SAML_ID_TEXT]);
void saml_write_instant_attr(struct xmlw *w, const char *name, int64_t us);
void saml_write_name(struct xmlw *w, const char *qname, const char *subject); /* X509SubjectName */
/* AttributeStatement, and AuthzDecisionStatement when style and consents ask for it. */
void saml_write_statements(struct xmlw *w, const struct assertion_order *order);
/* The signed assertion. */
MUST_CHECK struct status saml_write_assertion(const struct assertion_order *order, const char *id,
                                              struct buf *out, struct diag *diag);

#endif
