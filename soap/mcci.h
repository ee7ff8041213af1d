/*
 * MCCI_IN000002UV01, the acknowledgement of HL7 V3: how a request is answered whose real answer
 * comes later (the deferred mode of ITI-55), or not at all (a cancelled query of ITI-47). Source:
 * HL7 V3 NE2008 MCCI_MT000200UV01; ITI TF-2 3.55.6.2. Thread: whoever owns the arena.
 */
#ifndef SOAP_MCCI_H
#define SOAP_MCCI_H

#include "base/buf.h"
#include "soap/hl7.h"
#include "soap/message.h"

struct mcci {
    struct ident id;                 /* of this message; writing: no root makes a new one */
    struct span sender_home;         /* bare OIDs, may be empty */
    struct span receiver_home;       /* */
    struct ident receiver_device;    /* writing: no root: the receiver's community */
    int64_t creation_us;             /* 0 when not said */
    struct hl7_acknowledgement said; /* of which message, and what of it */
};

/* CA: taken note of, the answer follows. The caller fills <target> and the homes. */
#define MCCI_ACCEPT "CA"
/* AE: as the profile's example refuses (ITI TF-2 3.55.6.2); CE and CR are read the same. */
#define MCCI_REFUSE "AE"

/* Writes the MCCI_IN000002UV01 element. ERR_INTERNAL: no type code, no target, no sender. */
MUST_CHECK struct status mcci_write(const struct mcci *mcci, struct buf *out, struct diag *diag);
/* ERR_PARTNER_ANSWER: another element, no acknowledgement or several, no type code. Everything is
 * copied to <arena>. Whether it is the answer to our message is message_check_answer's; <target>
 * may name it once more, and is compared when <of> has a root (NULL: not compared). */
MUST_CHECK struct status mcci_read(const struct message *message, const struct ident *of,
                                   struct arena *arena, struct diag *diag, struct mcci *ret_mcci);
/* The refusal of a mode of processing that nobody here serves: AE with NS250. */
MUST_CHECK struct status mcci_unsupported_mode(struct arena *arena, struct diag *diag,
                                               struct hl7_acknowledgement *ret_said);

#endif
