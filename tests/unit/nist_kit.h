/*
 * What the replays of NIST's XDS Toolkit share: its messages with our ids in them, sent to green as
 * a Responding Gateway and to red as an Initiating Gateway, and submissions of documents.
 */
#ifndef NIST_KIT_H
#define NIST_KIT_H

#include "local_kit.h"

#define NIST_TOOLKIT "ihe/testkit/nist-toolkit/"
#define NIST_TESTS   NIST_TOOLKIT "xca-tests/"

/* local_kit_open, and a document of Nuria Nist at green. */
struct scene_stored nist_open(struct scene *scene);

/* A mark in the toolkit's message and what stands there instead; XML is escaped. */
struct nist_value {
    const char *mark, *value;
};
/* The toolkit's message; false when the data is not here. <file> may be a test plan: then what
 * stands in its Metadata. Slots, and values in them, whose marks nobody replaced are taken
 * out, as the toolkit does (CleanParams). */
bool nist_payload(const char *file, const struct nist_value *values, size_t n, struct arena *arena,
                  struct span *ret_payload);
/* As a partner (red) to green. */
void nist_ask_responder(struct scene *scene, enum soap_transaction transaction, struct span payload,
                        struct scene_reply *reply);
/* As a local system to red, which asks its partners. */
void nist_ask_initiator(struct scene *scene, enum soap_transaction transaction, struct span payload,
                        struct scene_reply *reply);

/* An answer with one document of green, with the ids of the request, as the toolkit asserts; its
 * bytes. <new_unique_id>: of a snapshot; may be empty. */
struct span nist_read_document(const struct scene_reply *reply, const char *unique_id,
                               const char *new_unique_id, const char *repository,
                               struct arena *arena);

/* ---- what a registry holds ---- */

/* A complete DocumentEntry, or SubmissionSet, of <patient_id>, with symbolic ids. */
struct document_entry nist_entry(const char *id, const char *unique_id, struct span patient_id);
struct submission_set nist_set(const char *unique_id, struct span patient_id);
/* "set" has <id> as an original member. */
struct association nist_member(const char *id, const char *target);
/* Straight into a node's store, which must take it; <contents>: bytes of each document that has
 * some, by its symbolic id. Gives the objects with their ids. */
struct nist_content {
    const char *id, *bytes;
};
struct registry_objects nist_store(struct place *place, const struct registry_objects *objects,
                                   const struct nist_content *contents, size_t n,
                                   struct arena *arena);

#endif
