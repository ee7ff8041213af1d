/*
 * The front of an emulated partner (dialect_kit.h): judges a question, and packs an answer. Pure
 * but for the arena.
 */
#ifndef DIALECT_FRONT_H
#define DIALECT_FRONT_H

#include "dialect_kit.h"

struct front_names {
    const char *unique_ids[DIALECT_DOCUMENTS]; /* of green's store */
};

/* Why the partner refuses a question, or NULL. */
const char *front_judge(uint64_t traits, enum soap_transaction transaction,
                        struct span content_type, struct span bytes, struct arena *arena);
/* The question as green's own gateway understands it. */
struct span front_translate(uint64_t traits, const struct front_names *names, struct span bytes,
                            struct arena *arena);
/* The partner's refusal: AE, a RegistryError, or a fault for what is about security. */
struct span front_refuse(enum soap_transaction transaction, const char *why, bool is_fault,
                         struct span question, struct span content_type, struct arena *arena);
/* The answer as the partner gives it; ret_content_type is changed where its way is another. */
struct span front_pack(uint64_t traits, const struct front_names *names,
                       enum soap_transaction transaction, struct span bytes, struct arena *arena,
                       char ret_content_type[512]);

struct span front_replace(struct span text, const char *from, const char *to, struct arena *arena);

#endif
