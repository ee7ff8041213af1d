/*
 * ITI-55 Cross Gateway Patient Discovery: PRPA_IN201305UV02 and PRPA_IN201306UV02 (HL7 V3 NE2008),
 * read and written over libxml2 and xmlw. Reading is lenient within limits (prefixes, orders,
 * nullFlavors); writing is in schema order. Source: ITI TF-2 3.55. Thread: whoever owns the arena.
 */
#ifndef SOAP_XCPD_H
#define SOAP_XCPD_H

#include "base/buf.h"
#include "base/patient.h"
#include "soap/hl7.h"
#include "soap/message.h"

struct xcpd_query {
    struct ident id; /* of the message */
    struct ident query_id;
    struct ident sender_device; /* reading: as it came; writing: no root: the community is it */
    struct span sender_home;    /* homeCommunityId of the asker, bare OID; empty when not given */
    struct span receiver_home;  /* of the asked, bare OID; may be empty */
    int64_t creation_us;
    /* Who is asked for: names, ids, birth_time or birth_range, sex, addresses, telecoms, mothers'
     * maiden names, birth places, care providers. Several of one kind mean any of them. */
    struct patient subject;
    /* authorOrPerformer: authorities (OIDs) among the subject's ids in which the responder may ask
     * the asker about the same person (ITI TF-2 3.55.4.1.2.4). */
    struct span_list reverse_authorities;
    unsigned minimum_degree;     /* 1 to 100; 0: not said */
    struct span match_algorithm; /* may be passed over; empty: not said */
    bool is_prefixed;            /* writing: elements have the prefix of HL7's namespace */
    bool is_deferred;            /* responsePriorityCode D: the answer comes later */
    struct span respond_to;      /* deferred: URL for the answer, as it came: is only to be compared
                                    with what the configuration says of the asker */
    /* ITI-47 only (pdq.h). */
    struct hl7_domain_list domains; /* otherIDsScopingOrganization; none: all */
    unsigned initial_quantity;      /* 0: not said */
    struct span query_xml; /* reading: queryByParameter as sent, self-contained XML (for the
                              answer's echo and the audit record) */
};

/* More values of one kind than this ask for nobody: ERR_MESSAGE_CONTENT. */
#define XCPD_VALUES_MAX ((size_t)64)

/* Both halves of reading: what is needed to answer at all (ids, who asks whom, the mode, the echo),
 * and the parameters, which may be refused then inside the protocol.
 *
 * xcpd_query_frame: ERR_MESSAGE_CONTENT: another element, no id, queryId or queryByParameter, or
 * several; a sender's or receiver's homeCommunityId that is no OID.
 *
 * xcpd_query_parameters adds to a framed query. ERR_MESSAGE_CONTENT: neither (name and birth time)
 * nor an id; a birth time that is none, or ends before it begins, or is given by its width; a name
 * marked as a pattern (use="SRCH"); the deferred mode without respondTo; whatever may stand once
 * twice; and what is not part of the transaction (ITI TF-2 3.55.4.1.2.1: patientStatusCode,
 * livingSubjectDeceasedTime, otherIDsScopingOrganization, principalCareProvisionId, sortControl,
 * modifyCode, matchWeight, executionAndDeliveryTime, responseElementGroupId): an answer must not
 * pass over what was asked. initialQuantity is passed over, as that section wants. On failure
 * <query> is as before.
 *
 * All texts are copied to <arena>. */
MUST_CHECK struct status xcpd_query_frame(const struct message *message, struct arena *arena,
                                          struct diag *diag, struct xcpd_query *ret_query);
MUST_CHECK struct status xcpd_query_parameters(const struct message *message, struct arena *arena,
                                               struct diag *diag, struct xcpd_query *query);
/* Both at once. */
MUST_CHECK struct status xcpd_query_read(const struct message *message, struct arena *arena,
                                         struct diag *diag, struct xcpd_query *ret_query);
/* ERR_UNSUPPORTED_MODE unless the query's priority is its transaction's: D comes with the actions
 * of the deferred mode, and only with them. */
MUST_CHECK struct status xcpd_query_check_mode(const struct xcpd_query *query,
                                               enum soap_transaction transaction,
                                               struct diag *diag);
/* The subject's id in which the asker may be asked back; NULL: none. */
const struct ident *xcpd_query_reverse_id(const struct xcpd_query *query);
/* ERR_MESSAGE_CONTENT: too little to ask about, no sender_home, deferred without respond_to, text
 * that XML cannot hold. Writes the PRPA_IN201305UV02 element; ret_query_xml (arena) is the
 * queryByParameter alone, for the audit record. Names marked as patterns lose the mark. */
MUST_CHECK struct status xcpd_query_write(const struct xcpd_query *query, struct arena *arena,
                                          struct buf *out, struct diag *diag,
                                          struct span *ret_query_xml);

/* What would help to tell candidates apart (ITI TF-2 3.55.4.2.2.6), and why there is no answer
 * (3.55.4.2.2.7). */
#define XCPD_ASK_SEX                 "LivingSubjectAdministrativeGenderRequested"
#define XCPD_ASK_ADDRESS             "PatientAddressRequested"
#define XCPD_ASK_TELECOM             "PatientTelecomRequested"
#define XCPD_ASK_BIRTH_PLACE_NAME    "LivingSubjectBirthPlaceNameRequested"
#define XCPD_ASK_BIRTH_PLACE_ADDRESS "LivingSubjectBirthPlaceAddressRequested"
#define XCPD_ASK_MAIDEN_NAME         "MothersMaidenNameRequested"
#define XCPD_WHY_BUSY                "ResponderBusy"
#define XCPD_WHY_NOT_AVAILABLE       "AnswerNotAvailable"
#define XCPD_WHY_INTERNAL            "InternalError"

/* ITI TF-2 3.55.4.2.3: the five result cases. */
enum xcpd_result { XCPD_MATCH, XCPD_AMBIGUOUS, XCPD_NONE, XCPD_ERROR };

struct xcpd_match {
    struct patient patient;      /* ids[0]: the id to use in ITI-38 */
    struct span home;            /* custodian: homeCommunityId, bare OID; reading: empty when the
                                    answer names none; writing: empty is us */
    int degree;                  /* queryMatchObservation 0..100, -1 when absent */
    bool is_health_data_locator; /* the custodian answers ITI-56 about this patient */
    struct ident provider;       /* providerOrganization; writing: no root: the custodian's */
    struct span provider_name;
    /* ITI-47 only (pdq.h). */
    size_t own_ids; /* reading: how many of patient.ids are the supplier's own (Patient.id); the
                       rest are asOtherIDs; writing: 0 is 1 */
    struct span written; /* writing: what pdq_match_write wrote of it; the rest is not looked at */
    struct span_list missing_domains; /* asked for, and the patient has no id there */
};
struct xcpd_match_list {
    struct xcpd_match *items;
    size_t n, capacity;
};
struct xcpd_answer {
    enum xcpd_result result;
    struct xcpd_match_list matches;
    struct span_list issues; /* codes: what would help (triggerFor) or why not (mitigatedBy) */
    struct span error_text; /* acknowledgementDetail: the first one's text, or what its code says */
    struct hl7_detail_list details; /* all of them; writing: after error_text */
    /* ITI-47 only (pdq.h): how many match, are here, and are left. */
    struct {
        bool is_known;
        unsigned total, current, remaining;
    } quantities;
};

/* Writes the PRPA_IN201306UV02 element for <query>, from us (<home>, bare OID). A patient's first
 * id is Patient.id, the others are asOtherIDs. XCPD_AMBIGUOUS asks for the attributes in issues;
 * XCPD_ERROR writes AE with mitigatedBy issues (default InternalError). ERR_INTERNAL: XCPD_MATCH
 * without a match, a match without an id. */
MUST_CHECK struct status xcpd_answer_write(const struct xcpd_query *query,
                                           const struct xcpd_answer *answer, struct span home,
                                           int64_t now_us, struct buf *out, struct diag *diag);
/* <query_id>: ours; an answer to another query is ERR_PARTNER_ANSWER. Each RegistrationEvent is one
 * match with its own custodian; events without a patient id are left out, and an answer that has
 * only such is refused. All texts are copied to <arena>. */
MUST_CHECK struct status xcpd_answer_read(const struct message *message,
                                          const struct ident *query_id, struct arena *arena,
                                          struct diag *diag, struct xcpd_answer *ret_answer);
/* Its message's id, of an answer that comes as a request of its own and is acknowledged.
 * ERR_MESSAGE_CONTENT: it has none. */
MUST_CHECK struct status xcpd_answer_id(const struct message *message, struct arena *arena,
                                        struct diag *diag, struct ident *ret_id);

/* ---- the SOAP header xcpd:CorrelationTimeToLive (ITI TF-2 3.55.4.1.2.5, 3.55.4.2.2.8) ---- */

/* How long what a question or an answer says about a person may be kept; false: not at all (none
 * given, or it is no xs:duration, or a negative one). A month counts 28 days and a year 365, so
 * that nothing is kept longer than was allowed. envelope_write_request and envelope_write_answer
 * write it. */
bool xcpd_time_to_live(const struct message *message, int64_t *ret_us);
/* xs:duration, 0 to 100 years; whole seconds. */
bool xcpd_duration_read(struct span text, int64_t *ret_us);
#define XCPD_DURATION_MAX 32
void xcpd_duration_write(int64_t us, char ret_text[XCPD_DURATION_MAX]);

#endif
