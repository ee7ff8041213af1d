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
/* The same with use="SRCH", which only ITI-47 has. */
void xcpd_write_pattern(struct xmlw *w, const char *element, const struct person_name *name);
void xcpd_write_address(struct xmlw *w, const char *element, const struct address *address);
void xcpd_write_telecom(struct xmlw *w, const char *element, const struct telecom *telecom);
/* True when the name has a family or a given name to write. */
bool xcpd_name_is_usable(const struct person_name *name);

/* A code with its system and what it displays; an empty one is nullFlavor="UNK". */
void xcpd_write_coded(struct xmlw *w, const char *element, const struct code *code);
/* Opened with @classCode (and @moodCode, NULL: none); with @typeCode; an ORG of determiner
 * INSTANCE.
 */
void xcpd_start_classed(struct xmlw *w, const char *element, const char *class_code,
                        const char *mood);
void xcpd_start_typed(struct xmlw *w, const char *element, const char *type_code);
void xcpd_start_organization(struct xmlw *w, const char *element);
/* <element value="..."/>. */
void xcpd_write_value(struct xmlw *w, const char *element, struct span value);
/* patientPerson: everything that <patient> says, but the first <own_ids> of its ids, which are the
 * Patient.id. <missing>: domains without an id. */
void xcpd_write_person(struct xmlw *w, const struct patient *patient, size_t own_ids,
                       const struct span_list *missing);

/* What stands at the top of all messages: id to acceptAckCode, receiver, respondTo and sender with
 * their communities (bare OIDs, empty ones are left out). The message element is left open.
 * Reading: element and accept_ack are not set. */
struct xcpd_wrapper {
    const char *element;
    const char *interaction; /* NULL: the element's name */
    struct ident id;
    int64_t creation_us;
    const char *accept_ack;                      /* "AL", "NE" */
    struct ident receiver_device, sender_device; /* no root: the community is the device */
    struct span receiver_home, sender_home;
    struct span respond_to; /* telecom of the deferred mode; empty: none */
};
/* On the first element: HL7's namespace as the default one, or with the writer's prefix. */
#define XCPD_PREFIX "urn"
void xcpd_declare(struct xmlw *w);
void xcpd_write_wrapper(struct xmlw *w, const struct xcpd_wrapper *wrapper);
/* The wrapper of an answer of ours (<home>, bare OID), with an id of its own, to who asked. */
void xcpd_write_answer_wrapper(struct xmlw *w, const char *element,
                               const struct ident *asker_device, struct span asker_home,
                               struct span home, int64_t now_us);
/* controlActProcess is left open behind its code. */
void xcpd_start_act(struct xmlw *w, const char *trigger);
/* <first_text>: a detail of text alone before the others; empty: none. */
void xcpd_write_acknowledgement(struct xmlw *w, const struct hl7_acknowledgement *said,
                                struct span first_text);

/* queryAck. */
struct xcpd_query_ack {
    struct span response; /* OK, NF, AE, ... */
    bool has_query_id;    /* reading */
    bool has_total;       /* the three numbers are there */
    unsigned total, current, remaining;
};
void xcpd_write_query_ack(struct xmlw *w, const struct ident *query_id,
                          const struct xcpd_query_ack *ack);

/* ---- reading; what is found is copied to the reader's arena ---- */

/* One reading: where facts go, and what a wrong message is called (ERR_MESSAGE_CONTENT for a
 * question, ERR_PARTNER_ANSWER for an answer). */
struct xcpd_reader {
    struct arena *arena;
    struct diag *diag;
    enum err code;
    bool is_lenient; /* an answer: a birth time that is none is absent, not an error */
    bool is_pdq;     /* ITI-47 */
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
/* TS, the empty span when it is null. One that is none is an error, or, leniently, absent. */
MUST_CHECK struct status xcpd_read_time(const struct xcpd_reader *reader, const xmlNode *node,
                                        struct span *ret_time);
/* IVL<TS> of a question: its @value or center as a time, or low and high, as a range; ends of the
 * same day are that day. */
MUST_CHECK struct status xcpd_read_birth(const struct xcpd_reader *reader, const xmlNode *node,
                                         struct patient *subject);
/* @value of an INT that is 0 to 1,000,000; false when there is none. */
bool xcpd_read_number(const xmlNode *node, unsigned *ret_number);
/* CE: code, codeSystem, displayName; all empty when it is null. */
MUST_CHECK struct status xcpd_read_code(const struct xcpd_reader *reader, const xmlNode *node,
                                        struct code *ret_code);
/* A copy in the arena; the empty span stays empty. */
MUST_CHECK struct status xcpd_keep(const struct xcpd_reader *reader, struct span text,
                                   struct span *ret_copy);
/* Text of a name or address part, trimmed; empty when it is null. */
MUST_CHECK struct status xcpd_read_part(const struct xcpd_reader *reader, const xmlNode *node,
                                        struct span *ret_text);
/* patientPerson (NULL: nothing is known); ids of asOtherIDs are added behind those that <patient>
 * has. Domains that are named without an id go to <missing>. */
MUST_CHECK struct status xcpd_read_person(const struct xcpd_reader *reader, const xmlNode *person,
                                          struct patient *patient, struct span_list *missing);
/* id, creationTime, receiver, respondTo and sender. An id without root is an error in a question.
 */
MUST_CHECK struct status xcpd_read_wrapper(const struct xcpd_reader *reader, const xmlNode *message,
                                           struct xcpd_wrapper *ret_wrapper);
/* The element as text of its own, for the echo and the audit record. */
MUST_CHECK struct status xcpd_keep_xml(const struct xcpd_reader *reader, const xmlNode *node,
                                       struct span *ret_xml);
/* The payload, when it is that element of HL7. */
MUST_CHECK struct status xcpd_payload(const struct xcpd_reader *reader,
                                      const struct message *message, const char *element,
                                      const xmlNode **ret_payload);
MUST_CHECK struct status xcpd_read_acknowledgement(const struct xcpd_reader *reader,
                                                   const xmlNode *message,
                                                   struct hl7_acknowledgement *ret_said);
/* Text, else what the code displays, else the code. */
struct span xcpd_detail_text(const struct hl7_detail *detail);
/* Of controlActProcess; a queryId of another query is an error. */
MUST_CHECK struct status xcpd_read_query_ack(const struct xcpd_reader *reader, const xmlNode *act,
                                             const struct ident *query_id,
                                             struct xcpd_query_ack *ret_ack);
/* Adds each value of each <parameter> of <list>, an OID each. */
MUST_CHECK struct status xcpd_read_domains(const struct xcpd_reader *reader, const xmlNode *list,
                                           const char *parameter, struct hl7_domain_list *domains);

/* ---- the messages of ITI-55 and ITI-47, which differ by reader->is_pdq, or <is_pdq> ---- */

MUST_CHECK struct status xcpd_read_parameters(const struct xcpd_reader *reader,
                                              const struct message *message,
                                              struct xcpd_query *query);
MUST_CHECK struct status xcpd_write_question(const struct xcpd_query *query, bool is_pdq,
                                             struct arena *arena, struct buf *out,
                                             struct diag *diag, struct span *ret_query_xml);
MUST_CHECK struct status xcpd_write_reply(const struct xcpd_query *query,
                                          const struct xcpd_answer *answer, bool is_pdq,
                                          struct span home, int64_t now_us, struct buf *out,
                                          struct diag *diag);
MUST_CHECK struct status xcpd_read_reply(const struct xcpd_reader *reader,
                                         const struct message *message,
                                         const struct ident *query_id,
                                         struct xcpd_answer *ret_answer);

/* M, F or UN; anything else is the empty span. */
struct span xcpd_read_sex(const xmlNode *node);
/* receiver or sender of a message: its homeCommunityId as a bare OID, empty when there is none. */
MUST_CHECK struct status xcpd_read_home(const struct xcpd_reader *reader, const xmlNode *message,
                                        const char *party, struct span *ret_home);

#endif
