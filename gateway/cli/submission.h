/*
 * A submission made of files (ITI TF-3 4.2.1.3): each described by its own header or sidecar, as an
 * import would, in one new SubmissionSet. Thread: the command's.
 */
#ifndef CLI_SUBMISSION_H
#define CLI_SUBMISSION_H

#include "soap/xdr.h"

struct submission_order {
    struct span source_id;   /* OID: who sends */
    struct span target;      /* the community it is for, bare OID */
    struct span patient_id;  /* CX: the patient, as the target knows the person; empty: it does not,
                                and gets limited metadata with the id and description of ours */
    struct span institution; /* XON; empty: not said */
    struct span_list recipients; /* XON|XCN|XTN */
    int64_t now_us;              /* wall */
};

/* *ret_request is the caller's to release (provide_request_done), also after a failure.
 * ERR_DOCUMENT and what import_describe refuses: the text begins with the file. Without a
 * patient_id all files must be about one patient: by the first id that each gives. */
MUST_CHECK struct status submission_make(const struct submission_order *order,
                                         const char *const *paths, size_t n, struct arena *arena,
                                         struct diag *diag, struct provide_request *ret_request);

#endif
