/*
 * What a request said, as far as the gateway would believe it: every fact that a decision, an audit
 * record or an answer is made from, as JSON. Thread: one.
 */
#ifndef ATTACK_FACTS_H
#define ATTACK_FACTS_H

#include "base/jsonw.h"
#include "txn/proof.h"

/* Reads the payload with the codec of its transaction, as the responder does. */
struct facts_payload;
MUST_CHECK struct status facts_read_payload(const struct proof *proof, struct arena *arena,
                                            struct diag *diag,
                                            const struct facts_payload **ret_payload);

/* Members "facts": {...} of an open JSON object. Names are those of struct saml_facts and struct
 * addressing; "content" is a list of "name=value". */
void facts_write(struct jsonw *w, const struct proof *proof, const struct facts_payload *payload,
                 struct arena *arena, struct diag *diag);

/* An open JSON array of "name=value", and the arena in which those are made. */
struct facts_writer {
    struct jsonw *w;
    struct arena *arena;
    struct diag *diag;
};
/* One of them; an empty value is left out. */
void facts_item(const struct facts_writer *to, const char *name, struct span value);

#endif
