/*
 * What the HL7 V3 messages of patient discovery (ITI-55, ITI-47, ITI-45 and their acknowledgements)
 * share: who sent what to whom, how a receiver says what was wrong with it, and the domains of
 * identifiers that are asked about. Source: HL7 V3 NE2008 MCCI_MT000200UV01, MCCI_MT000300UV01; ITI
 * TF-2 3.45, 3.47, 3.55. All spans live in the arena of who read or made them. Thread: its owner.
 */
#ifndef SOAP_HL7_H
#define SOAP_HL7_H

#include "base/patient.h"

/* acknowledgementDetail: one thing that is wrong with the acknowledged message. */
struct hl7_detail {
    struct code code;     /* NS250, 204, ...; empty when not said */
    struct span text;     /* for people */
    struct span location; /* XPath of what is wrong in the acknowledged message; may be empty */
};
struct hl7_detail_list {
    struct hl7_detail *items;
    size_t n, capacity;
};

/* NS250 and INTERR are values of AcknowledgementDetailCode (NE2008, coreschemas/voc.xsd:
 * AcknowledgementDetailNotSupportedCode has NS250). The schemas name no code system by its OID;
 * this one is that vocabulary's in HL7's registry of OIDs. 204 is not of it, but of HL7 V2 table
 * 0357 (unknown key identifier), which ITI TF-2 3.45.4.2.3 asks for; it goes without a code system.
 */
#define HL7_DETAIL_SYSTEM           "2.16.840.1.113883.5.1100"
#define HL7_DETAIL_UNSUPPORTED_MODE "NS250" /* displayName "Unsupported processing mode" */
#define HL7_DETAIL_INTERNAL         "INTERR"
#define HL7_DETAIL_UNKNOWN_KEY      "204"

/* An assigning authority that a question names (otherIDsScopingOrganization, dataSource), and
 * where: the <element>-th such parameter's <value>-th value, from 1. */
struct hl7_domain {
    struct span root; /* OID */
    unsigned element, value;
};
struct hl7_domain_list {
    struct hl7_domain *items;
    size_t n, capacity;
};

/* Before a question of ours is written: ERR_MESSAGE_CONTENT when one is no OID. */
MUST_CHECK struct status hl7_check_domains(const struct hl7_domain_list *domains,
                                           struct diag *diag);

/* XPath of that value, for hl7_detail.location. ITI TF-2 3.45.4.2.3 wants an XPath, without saying
 * how prefixes are bound; NE2008 has it as text (MCCI_MT000200UV01 acknowledgementDetail.location),
 * and no published sample has one. So it is complete from the root: <message> is the root element,
 * <parameter> the parameter's element; hl7: stands for urn:hl7-org:v3. */
MUST_CHECK struct status hl7_domain_location(const char *message, const char *parameter,
                                             const struct hl7_domain *domain, struct arena *arena,
                                             struct diag *diag, struct span *ret_location);

/* acknowledgement */
struct hl7_acknowledgement {
    struct span type_code; /* AA AE AR (of an application), CA CE CR (of a receiver) */
    struct ident target;   /* id of the acknowledged message; no root when not said */
    struct hl7_detail_list details;
};
/* AE, AR, CE, CR. */
bool hl7_is_error(struct span type_code);

#endif
