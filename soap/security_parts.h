/*
 * The single checks of security_verify, in its order; internal to soap/. security.c decides with
 * them, and explain_checks.c says what each of them thinks of a message. Nobody else calls them: a
 * message is accepted by security_verify or not at all. Thread: whoever owns the arena.
 */
#ifndef SOAP_SECURITY_PARTS_H
#define SOAP_SECURITY_PARTS_H

#include "soap/message_internal.h"
#include "soap/security.h"
#include "soap/sigverify.h"

/* The children of the one wsse:Security that is for us. */
struct security_header {
    const xmlNode *timestamp;
    const xmlNode *assertion;
    const xmlNode *signature; /* NULL when there is none */
    const xmlNode *token;     /* a BinarySecurityToken, or NULL */
};

/* The registered keys whose certificates are valid now: ERR_SIG_NO_TRUST when there is none. */
MUST_CHECK struct status security_read_keys(const struct security_rules *rules, struct diag *diag,
                                            struct sig_keys *ret_keys);
MUST_CHECK struct status security_find_header(const struct message *message, struct diag *diag,
                                              const xmlNode **ret_security);
/* <header> is all NULL before; what is not there stays so. */
MUST_CHECK struct status security_read_header(const xmlNode *security, struct diag *diag,
                                              struct security_header *header);
/* Timestamp (where rules and confirmation need one) and assertion are there. */
MUST_CHECK struct status security_check_presence(const struct security_header *header,
                                                 const struct security_rules *rules,
                                                 struct diag *diag);
MUST_CHECK struct status security_check_single(const xmlNode *envelope, const xmlNode *assertion,
                                               struct diag *diag);
MUST_CHECK struct status security_check_timestamp(const xmlNode *timestamp,
                                                  const struct security_rules *rules,
                                                  struct arena *arena, struct diag *diag,
                                                  int64_t *ret_created_us, int64_t *ret_expires_us);
/* The subject's confirmation and the signature over the Timestamp. */
MUST_CHECK struct status security_check_signature(const struct security_header *header,
                                                  const struct sig_keys *registered,
                                                  const struct security_rules *rules,
                                                  struct arena *arena, struct diag *diag,
                                                  struct verified_view *view);

#endif
