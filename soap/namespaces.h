/* The namespaces of SOAP, WS-Addressing, WS-Security, SAML and XML Signature, as they are compared
 * and written. */
#ifndef SOAP_NAMESPACES_H
#define SOAP_NAMESPACES_H

/* clang-format off */
#define NS_SOAP12 "http://www.w3.org/2003/05/soap-envelope"
#define NS_WSA    "http://www.w3.org/2005/08/addressing"
#define NS_WSSE   "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
#define NS_WSSE11 "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
#define NS_WSU    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
#define NS_DS     "http://www.w3.org/2000/09/xmldsig#"
#define NS_DSIG11 "http://www.w3.org/2009/xmldsig11#"
#define NS_SAML2  "urn:oasis:names:tc:SAML:2.0:assertion"
#define NS_SAML1  "urn:oasis:names:tc:SAML:1.0:assertion"
#define NS_HL7    "urn:hl7-org:v3"
#define NS_XCPD   "urn:ihe:iti:xcpd:2009"
#define NS_XSI    "http://www.w3.org/2001/XMLSchema-instance"
#define NS_XOP    "http://www.w3.org/2004/08/xop/include"
/* clang-format on */

#endif
