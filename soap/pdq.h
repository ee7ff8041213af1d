/*
 * ITI-47 PDQ V3: the messages of ITI-55 (xcpd.h) with other rules, and the continuation of a query
 * (QUQI_IN000003UV01). Source: ITI TF-2 3.47. Thread: whoever owns the arena.
 *
 * What differs from ITI-55:
 *   - any one parameter is enough to ask with;
 *   - a name may be marked as a pattern (use="SRCH");
 *   - otherIDsScopingOrganization (query.domains) and initialQuantity are part of the question;
 *   - a patient has one id or several (match.own_ids), and a domain that was asked for and has none
 *     is named as such (match.missing_domains);
 *   - the answer may be a part of the matches (answer.quantities), and has no homeCommunityId of
 *     its own: the custodian is the supplier.
 */
#ifndef SOAP_PDQ_H
#define SOAP_PDQ_H

#include "soap/xcpd.h"

/* As xcpd_query_read. Also ERR_MESSAGE_CONTENT: a domain that is no OID, an initialQuantity that is
 * no number from 1 on, the deferred mode. patientStatusCode, livingSubjectDeceasedTime, sortControl
 * and whatever else ITI TF-2 3.47.4.1.2 leaves out are refused, as everywhere: an answer must not
 * pass over what was asked. */
MUST_CHECK struct status pdq_query_read(const struct message *message, struct arena *arena,
                                        struct diag *diag, struct xcpd_query *ret_query);
MUST_CHECK struct status pdq_query_write(const struct xcpd_query *query, struct arena *arena,
                                         struct buf *out, struct diag *diag,
                                         struct span *ret_query_xml);
/* As xcpd_answer_write; XCPD_AMBIGUOUS is not a result of ITI-47 (ERR_INTERNAL): a supplier gives
 * its candidates. Unknown domains: XCPD_ERROR with details made by pdq_unknown_domain. */
MUST_CHECK struct status pdq_answer_write(const struct xcpd_query *query,
                                          const struct xcpd_answer *answer, struct span home,
                                          int64_t now_us, struct buf *out, struct diag *diag);
/* One match alone, for xcpd_match.written: an answer that is given in parts. ERR_INTERNAL as there.
 */
MUST_CHECK struct status pdq_match_write(const struct xcpd_match *match, struct span home,
                                         struct buf *out, struct diag *diag);
MUST_CHECK struct status pdq_answer_read(const struct message *message,
                                         const struct ident *query_id, struct arena *arena,
                                         struct diag *diag, struct xcpd_answer *ret_answer);
/* Code 204 with the XPath of that domain (ITI TF-2 3.47.4.2.3 case 3). */
MUST_CHECK struct status pdq_unknown_domain(const struct hl7_domain *domain, struct arena *arena,
                                            struct diag *diag, struct hl7_detail *ret_detail);

/* The trigger code that the next two write is PRPA_TE000003UV01, as several public implementations
 * do (others write QUQI_TE000003UV01): QUQI_MT000001UV01 has a CD of any value there, neither IHE's
 * schemas nor its samples name one, and so none is compared when it is read.
 *
 * QUQI_IN000003UV01: give the next ones of a query (waitContinuedQueryResponse), or forget it
 * (QUQI_IN000003UV01_Cancel, aborted). */
struct pdq_continuation {
    struct ident id; /* of the message */
    struct ident query_id;
    struct ident sender_device;
    struct span sender_home, receiver_home;
    int64_t creation_us;
    bool is_cancel;
    unsigned start;    /* startResultNumber, from 1; 0: where the last answer ended */
    unsigned quantity; /* continuationQuantity; 0: as many as before */
};
/* ERR_MESSAGE_CONTENT: another element, no id or queryId, a number that is none, a statusCode that
 * contradicts the element. */
MUST_CHECK struct status pdq_continuation_read(const struct message *message, struct arena *arena,
                                               struct diag *diag,
                                               struct pdq_continuation *ret_continuation);
MUST_CHECK struct status pdq_continuation_write(const struct pdq_continuation *continuation,
                                                struct buf *out, struct diag *diag);

#endif
