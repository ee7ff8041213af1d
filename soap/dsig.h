/*
 * The arithmetic of one XML signature: did this key sign these nodes? Nothing about trust, about
 * which element must be signed, or about which algorithms are welcome is decided here; sigverify.c
 * has done that before it asks. Two engines stand behind the one function: ours for the shape that
 * partners send (profile.h), and xmlsec, the reference, for every other. They must never differ.
 * Thread: whoever owns the tree.
 */
#ifndef SOAP_DSIG_H
#define SOAP_DSIG_H

#include <openssl/types.h>

#include "soap/xml.h"

enum dsig_engine {
    DSIG_PROFILE_FIRST, /* xmlsec computes only what the profile engine does not know */
    DSIG_REFERENCE      /* xmlsec computes everything */
};

/* For tests: what went into the two digests. The buffers are the caller's. */
struct dsig_digested {
    struct buf target, info;
};

struct dsig_job {
    const xmlNode *signature; /* ds:Signature of the shape that sig_read accepts */
    const xmlNode *target;    /* the element that its Reference names: its parent, or a sibling */
    const xmlAttr *id;        /* the id attribute of <target> */
    EVP_PKEY *key;            /* the public key, of the kind that the method needs */
    bool may_use_sha1;        /* else the engine has no SHA-1 */
    enum dsig_engine engine;
    struct dsig_digested *digested; /* NULL: nobody wants to know */
};
/* ERR_SIG_INVALID when the digest or the value is not right, or anything does not compute. */
MUST_CHECK struct status dsig_verify(const struct dsig_job *job, struct diag *diag);

/* Once per process, before threads; part of soap_library_init, after xml_library_init. */
MUST_CHECK struct status dsig_library_init(struct diag *diag);
void dsig_library_done(void);

#endif
