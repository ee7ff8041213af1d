/* Names of SAML attributes as they are compared and written: ITI TF-2 3.40.4.1.2, and those of the
 * US networks beside IHE's. */
#ifndef SOAP_SAML_NAMES_H
#define SOAP_SAML_NAMES_H

/* clang-format off */
#define SAML_SUBJECT_ID       "urn:oasis:names:tc:xspa:1.0:subject:subject-id"
#define SAML_ORGANIZATION     "urn:oasis:names:tc:xspa:1.0:subject:organization"
#define SAML_ORGANIZATION_ID  "urn:oasis:names:tc:xspa:1.0:subject:organization-id"
#define SAML_COMMUNITY_IHE    "urn:ihe:iti:xca:2010:homeCommunityId"
#define SAML_COMMUNITY_NHIN   "urn:nhin:names:saml:homeCommunityId"
#define SAML_ROLE             "urn:oasis:names:tc:xacml:2.0:subject:role"
#define SAML_PURPOSE          "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"
#define SAML_NPI_1_0          "urn:oasis:names:tc:xspa:1.0:subject:npi"
#define SAML_NPI_2_0          "urn:oasis:names:tc:xspa:2.0:subject:npi"
#define SAML_PROVIDER_ID      "urn:ihe:iti:xua:2017:subject:provider-identifier"
#define SAML_RESOURCE_ID      "urn:oasis:names:tc:xacml:2.0:resource:resource-id"
#define SAML_ACP              "urn:ihe:iti:xua:2012:acp"
#define SAML_IACP             "urn:ihe:iti:bppc:2007:docid"
#define SAML_ACP_EVIDENCE     "AccessConsentPolicy"
#define SAML_IACP_EVIDENCE    "InstanceAccessConsentPolicy"
#define SAML_DELEGATOR        "QueryAuthGrantor"
#define SAML_JURISDICTION     "PHAJurisdiction"
#define SAML_ID_TOKEN         "urn:ietf:params:oauth:token-type:id_token"

#define SAML_NAME_FORMAT_URI   "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
#define SAML_NAME_FORMAT_BASIC "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
#define SAML_NAME_FORMAT_NHIN  "http://www.hhs.gov/healthit/nhin"
/* clang-format on */

#endif
