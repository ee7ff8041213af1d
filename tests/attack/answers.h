/*
 * The other direction: is a message the answer to a question of ours, and what does it say? What
 * the asking side does with an answer before it believes anything of it. Thread: one.
 */
#ifndef ATTACK_ANSWERS_H
#define ATTACK_ANSWERS_H

#include "base/jsonw.h"
#include "config/config.h"
#include "soap/message.h"

/* Our question. */
struct answer_order {
    const char *transaction; /* "ITI-55" */
    struct span message_id;
    struct span signature; /* SignatureValue over its Timestamp, base64; empty: bearer */
    struct span query_root, query_extension;
};

struct answer_facts;
MUST_CHECK struct status answer_judge(const struct config *config, const struct answer_order *order,
                                      struct span body, struct span content_type, int64_t now_us,
                                      struct arena *arena, struct diag *diag,
                                      const struct answer_facts **ret_facts);
/* Members "facts": {...} of an open JSON object. */
void answer_write(struct jsonw *w, const struct answer_facts *facts, struct arena *arena,
                  struct diag *diag);

#endif
