/*
 * The name formats of SAML Issuer and NameID (SAML 2.0 core 8.3) and the syntax of their values.
 * Pure. Thread: any.
 */
#ifndef SOAP_SAMLNAME_H
#define SOAP_SAMLNAME_H

#include "soap/saml_attributes.h"

#define SAML_X509_SUBJECT "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"

/* Where a name stands decides which formats it may have. */
enum saml_name_use {
    SAML_NAME_ISSUER, /* X509SubjectName, emailAddress, WindowsDomainQualifiedName, entity */
    SAML_NAME_HOLDER, /* NameID with holder-of-key: the first three */
    SAML_NAME_BEARER  /* NameID with bearer: also unspecified (no Format), persistent, transient */
};
/* Format attribute of <node> and the syntax that it asks of <value>; else <code>. Relaxed by
 * RELAX_ISSUER_FORMAT (an Issuer without Format) and RELAX_NAME_SYNTAX (any value of a known
 * Format); empty names are never accepted. */
MUST_CHECK struct status saml_name_check(const struct saml_reader *reader, const xmlNode *node,
                                         struct span value, enum saml_name_use use, enum err code);

#endif
