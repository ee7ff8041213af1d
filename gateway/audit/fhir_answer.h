/*
 * What a FHIR repository says to AuditEvents: one status each, which decides whether the record is
 * there, will never be taken, or is to be sent again later (ITI RESTful ATNA 3.20.4.2.3; FHIR R4
 * http.html#create, #transaction-response). Pure functions. Thread: any.
 */
#ifndef AUDIT_FHIR_ANSWER_H
#define AUDIT_FHIR_ANSWER_H

#include "base/buf.h"

enum fhir_verdict {
    FHIR_TAKEN,   /* 2xx */
    FHIR_REFUSED, /* this record is not taken in this form, however often it is sent */
    FHIR_LATER    /* the repository, its address or our right to write is at fault */
};
#define FHIR_ISSUE_MAX 40

struct fhir_answer {
    enum fhir_verdict verdict;
    int status;
    char issue[FHIR_ISSUE_MAX]; /* OperationOutcome.issue.code, a word of FHIR's; "" when unknown */
};

/* The answer to a create or update of one resource. A 400 counts as a refusal only when it is
 * FHIR's own (with an OperationOutcome): a proxy's says nothing about the record. */
void fhir_read_one(int status, struct span body, struct fhir_answer *ret_answer);

/* The answer to a batch of <n>, whose status was 2xx. ERR_PARTNER_ANSWER: not a batch-response with
 * <n> entries that have a status each. No text of the answer gets into <diag>: it may repeat
 * patient data. */
MUST_CHECK struct status fhir_read_batch(struct span body, size_t n, struct diag *diag,
                                         struct fhir_answer *ret_answers);

#endif
