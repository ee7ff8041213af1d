/*
 * ITI-55 Cross Gateway Patient Discovery: PRPA_IN201305UV02 and PRPA_IN201306UV02 (HL7 V3 NE2008),
 * read and written over libxml2 and xmlw. Reading is lenient within limits (prefixes, orders,
 * nullFlavors); writing is in schema order. Source: ITI TF-2 3.55. Thread: whoever owns the arena.
 */
#ifndef SOAP_XCPD_H
#define SOAP_XCPD_H

#include "base/buf.h"
#include "base/patient.h"
#include "soap/message.h"

struct xcpd_query {
    struct ident id; /* of the message */
    struct ident query_id;
    struct span sender_home;   /* homeCommunityId of the asker, bare OID; empty when not given */
    struct span receiver_home; /* of the asked, bare OID; may be empty */
    int64_t creation_us;
    struct patient subject; /* names, ids, birth_time, sex, addresses, telecoms asked for */
    struct person_name mothers_maiden_name;
    struct span query_xml; /* reading: queryByParameter as sent, self-contained XML (for the
                              answer's echo and the audit record) */
};

/* ERR_MESSAGE_CONTENT: no queryByParameter, neither (name and birth time) nor an id, deferred mode,
 * a birth time that is none, a sender's homeCommunityId that is no OID, and whatever may stand once
 * twice. A range of birth times is not usable: absent. principalCareProviderId and the match
 * criteria are passed over. All texts are copied to <arena>. */
MUST_CHECK struct status xcpd_query_read(const struct message *message, struct arena *arena,
                                         struct diag *diag, struct xcpd_query *ret_query);
/* ERR_MESSAGE_CONTENT: too little to ask about, no sender_home, text that XML cannot hold. Writes
 * the PRPA_IN201305UV02 element; ret_query_xml (arena) is the queryByParameter alone, for
 * the audit record. */
MUST_CHECK struct status xcpd_query_write(const struct xcpd_query *query, struct arena *arena,
                                          struct buf *out, struct diag *diag,
                                          struct span *ret_query_xml);

/* ITI TF-2 3.55.4.2.3: the five result cases. */
enum xcpd_result { XCPD_MATCH, XCPD_AMBIGUOUS, XCPD_NONE, XCPD_ERROR };

struct xcpd_match {
    struct patient patient; /* ids[0]: the id to use in ITI-38 */
    struct span home;       /* custodian: homeCommunityId, bare OID; reading: empty when the
                               answer names none; writing: empty is us */
    int degree;             /* queryMatchObservation 0..100, -1 when absent */
};
struct xcpd_match_list {
    struct xcpd_match *items;
    size_t n, capacity;
};
struct xcpd_answer {
    enum xcpd_result result;
    struct xcpd_match_list matches;
    struct span_list issues; /* codes: what would help (triggerFor) or why not (mitigatedBy) */
    struct span error_text;  /* acknowledgementDetail of the partner, when it sent one */
};

/* Writes the PRPA_IN201306UV02 element for <query>, from us (<home>, bare OID). XCPD_AMBIGUOUS asks
 * for the attributes in issues; XCPD_ERROR writes AE with mitigatedBy issues (default
 * InternalError). ERR_INTERNAL: XCPD_MATCH without a match, a match without an id. */
MUST_CHECK struct status xcpd_answer_write(const struct xcpd_query *query,
                                           const struct xcpd_answer *answer, struct span home,
                                           int64_t now_us, struct buf *out, struct diag *diag);
/* <query_id>: ours; an answer to another query is ERR_PARTNER_ANSWER. Each RegistrationEvent is one
 * match with its own custodian; events without a patient id are left out, and an answer that has
 * only such is refused. All texts are copied to <arena>. */
MUST_CHECK struct status xcpd_answer_read(const struct message *message,
                                          const struct ident *query_id, struct arena *arena,
                                          struct diag *diag, struct xcpd_answer *ret_answer);

#endif
