/*
 * Inside soap/ only: the HL7 V3 pieces that the XCPD question and answer share, written and read.
 * Source of the shapes: NE2008 datatypes-base.xsd, MCCI_MT000100UV01, MCCI_MT000300UV01; ITI TF-2
 * 3.55.4. Thread: whoever owns the arena.
 */
#ifndef SOAP_XCPD_PARTS_H
#define SOAP_XCPD_PARTS_H

#include "base/xmlw.h"
#include "soap/namespaces.h"
#include "soap/xcpd.h"
#include "soap/xml.h"

#define XCPD_QUERY_ELEMENT   "PRPA_IN201305UV02"
#define XCPD_ANSWER_ELEMENT  "PRPA_IN201306UV02"
#define HL7_INTERACTION_ROOT "2.16.840.1.113883.1.6"
#define HL7_GENDER_SYSTEM    "2.16.840.1.113883.5.1"
#define SSN_ROOT             "2.16.840.1.113883.4.1"
#define XCPD_ISSUE_CODE      "_ActAdministrativeDetectedIssueManagementCode"
#define XCPD_ISSUE_SYSTEM    "2.16.840.1.113883.5.4"
#define XCPD_TRIGGER_SYSTEM  "1.3.6.1.4.1.19376.1.2.27.1"
#define XCPD_LOCATOR_SYSTEM  "1.3.6.1.4.1.19376.1.2.27.2"
#define XCPD_MITIGATE_SYSTEM "1.3.6.1.4.1.19376.1.2.27.3"

/* ---- writing; failures are sticky in <w> ---- */

/* <element code="..." [codeSystem="..."]/>; an empty code is nullFlavor="UNK". */
void xcpd_write_code(struct xmlw *w, const char *element, struct span code, const char *system);
/* II: root, extension when there is one; no root is nullFlavor="NA". */
void xcpd_write_ident(struct xmlw *w, const char *element, const struct ident *id);
/* EN: prefix, given, family, suffix; a name without parts is nullFlavor="NA". */
void xcpd_write_name(struct xmlw *w, const char *element, const struct person_name *name);
void xcpd_write_address(struct xmlw *w, const char *element, const struct address *address);
void xcpd_write_telecom(struct xmlw *w, const char *element, const struct telecom *telecom);
/* True when the name has a family or a given name to write. */
bool xcpd_name_is_usable(const struct person_name *name);

/* What stands at the top of both messages: id to acceptAckCode, receiver and sender with their
 * communities (bare OIDs, empty ones are left out). The message element is left open. */
struct xcpd_wrapper {
    const char *element; /* also the interaction's name */
    struct ident id;
    int64_t creation_us;
    const char *accept_ack; /* "AL", "NE" */
    struct span receiver_home, sender_home;
};
void xcpd_write_wrapper(struct xmlw *w, const struct xcpd_wrapper *wrapper);

/* ---- reading; what is found is copied to the reader's arena ---- */

/* One reading: where facts go, and what a wrong message is called (ERR_MESSAGE_CONTENT for a
 * question, ERR_PARTNER_ANSWER for an answer). */
struct xcpd_reader {
    struct arena *arena;
    struct diag *diag;
    enum err code;
    bool is_lenient; /* an answer: a birth time that is none is absent, not an error */
};

/* The first child in the HL7 namespace, or NULL; the next sibling of that name. */
const xmlNode *xcpd_child(const xmlNode *parent, const char *name);
const xmlNode *xcpd_next(const xmlNode *node, const char *name);
/* A child at most once; the same and at least once. */
MUST_CHECK struct status xcpd_child_optional(const struct xcpd_reader *reader,
                                             const xmlNode *parent, const char *name,
                                             const xmlNode **ret_child);
MUST_CHECK struct status xcpd_child_one(const struct xcpd_reader *reader, const xmlNode *parent,
                                        const char *name, const xmlNode **ret_child);
/* A trimmed attribute of an element that has no nullFlavor; else the empty span. In the tree. */
struct span xcpd_attr(const xmlNode *node, const char *name);

/* These leave out what is null or says nothing (no root, no name part, no value). */
MUST_CHECK struct status xcpd_read_ident(const struct xcpd_reader *reader, const xmlNode *node,
                                         struct ident *ret_id);
MUST_CHECK struct status xcpd_add_ident(const struct xcpd_reader *reader, const xmlNode *node,
                                        struct ident_list *ids);
MUST_CHECK struct status xcpd_add_name(const struct xcpd_reader *reader, const xmlNode *node,
                                       struct name_list *names);
MUST_CHECK struct status xcpd_add_address(const struct xcpd_reader *reader, const xmlNode *node,
                                          struct address_list *addresses);
MUST_CHECK struct status xcpd_add_telecom(const struct xcpd_reader *reader, const xmlNode *node,
                                          struct telecom_list *telecoms);
/* TS or IVL<TS>: the value, or the day that low and high both name; else the empty span. */
MUST_CHECK struct status xcpd_read_birth_time(const struct xcpd_reader *reader, const xmlNode *node,
                                              struct span *ret_time);
/* M, F or UN; anything else is the empty span. */
struct span xcpd_read_sex(const xmlNode *node);
/* receiver or sender of a message: its homeCommunityId as a bare OID, empty when there is none. */
MUST_CHECK struct status xcpd_read_home(const struct xcpd_reader *reader, const xmlNode *message,
                                        const char *party, struct span *ret_home);

#endif
