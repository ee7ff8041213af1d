/*
 * Requests of a local system and their answers, on top of the network of scene_kit.h.
 */
#ifndef LOCAL_KIT_H
#define LOCAL_KIT_H

#include "scene_kit.h"
#include "soap/envelope.h"

/* red's configuration gets the local system "ehr", which asks without TLS; it asserts its own user
 * "Ehr User", the rest is red's. Until local_kit_close. */
struct config_system *local_kit_open(struct scene *scene);
void local_kit_close(struct scene *scene);

/* Whom a payload is sent as; all but <transaction> may be zero. */
struct local_request {
    enum soap_transaction transaction;
    struct span payload;
    const struct certificate *peer;
    struct place *to;     /* NULL: red */
    const char *path;     /* NULL: the transaction's */
    struct span security; /* a Security header */
    const struct mtom_part *parts;
    size_t parts_n;
};
void local_send(struct scene *scene, const struct local_request *request,
                struct scene_reply *reply);
/* FindDocuments of approved documents, LeafClass; <home> may be NULL: everybody. */
void local_send_query(struct scene *scene, const char *patient_id, const char *home,
                      struct scene_reply *reply);
void local_send_query_to(struct scene *scene, struct place *to, const char *patient_id,
                         const char *home, struct scene_reply *reply);
void local_send_stored(struct scene *scene, const struct stored_query *query,
                       struct scene_reply *reply);
void local_send_retrieve(struct scene *scene, const struct document_ref *refs, size_t n,
                         struct scene_reply *reply);
/* The same with ITI-18 and ITI-43. */
void local_send_registry(struct scene *scene, const struct stored_query *query,
                         struct scene_reply *reply);
void local_send_registry_find(struct scene *scene, const char *patient_id, const char *home,
                              struct scene_reply *reply);
void local_send_repository(struct scene *scene, const struct document_ref *refs, size_t n,
                           struct scene_reply *reply);
/* For Isabella; <receiver> (bare OID) may be empty. */
void local_send_discovery(struct scene *scene, struct span receiver, struct scene_reply *reply);
/* The system goes. */
void local_leave(struct scene *scene, struct scene_reply *reply);

/* Of a 200 answer, as kit_read_query_answer. */
void local_read_discovery(const struct scene_reply *reply, struct arena *arena,
                          struct xcpd_answer *ret_answer);
/* The one error of that community ("urn:oid:2.999.3"); NULL when there is none, or another number.
 */
const struct registry_error *local_error_of(const struct registry_error_list *errors,
                                            const char *community);

#endif
