/*
 * What scenario tests share on top of the network of scene.h: the three communities with their
 * documents, signed requests of red to green with any payload, and answers read back.
 */
#ifndef SCENE_KIT_H
#define SCENE_KIT_H

#include "scene.h"

#define ISABELLA "Jones", "Isabella", "19470501", "F"
#define GREEN    "urn:oid:2.999.2"

/* red, green and blue know Isabella; green has two documents of hers, blue one that green has too
 * and one of Myra. */
void kit_open_three(struct scene *scene);
/* The same, and an arena for what green is asked and answers; kit_close_green frees both. */
struct arena *kit_open_green(struct scene *scene);
void kit_close_green(struct scene *scene, struct arena *arena);
/* One more document of somebody Jones, born on Isabella's day. */
struct scene_stored kit_add(struct place *place, const char *given, const char *confidentiality,
                            const char *bytes);

struct kit_request {
    enum soap_transaction transaction;
    const char *from; /* NULL: red */
    struct span payload;
    const char *purpose;  /* NULL: as configured */
    struct span id_token; /* of T-IAS; may be empty */
    bool is_bearer;
    struct span delegator; /* QueryAuthGrantor; may be empty */
    /* What the test makes of the envelope before it is sent; NULL: nothing. */
    struct span (*edit)(const void *arg, struct span envelope, struct arena *arena);
    const void *edit_arg;
};
/* Signed by <from>, over its TLS connection, to green. */
void kit_send(struct scene *scene, const struct kit_request *request, struct scene_reply *reply);
/* From now on queries and retrieves are sent with this purpose and id_token; NULL: as configured.
 */
void kit_set_purpose(const char *purpose, struct span id_token);
void kit_send_query(struct scene *scene, const struct stored_query *query,
                    struct scene_reply *reply);
void kit_send_retrieve(struct scene *scene, const struct document_ref_list *refs,
                       struct scene_reply *reply);

/* A 200 answer with that message in it; all of it lives in <arena>, but for the bodies of
 * documents: retrieve_answer_done. */
void kit_read_query_answer(const struct scene_reply *reply, struct arena *arena,
                           struct query_answer *ret_answer);
void kit_read_retrieve_answer(const struct scene_reply *reply, struct arena *arena,
                              struct retrieve_answer *ret_answer);

/* The newest question to a partner; SIZE_MAX when it was not asked. */
size_t kit_question_to(const struct scene *scene, const char *partner);
/* The leg of a round (0: discover) to a partner; NULL when there is none. */
const struct leg *kit_leg_of(const struct asking *asking, int round, const char *partner);
/* How many documents came from a partner. */
size_t kit_documents_from(const struct asking *asking, const char *partner);
/* Genuine bytes of green's answer to the newest question of red, taken without delivering it. */
const struct scene_reply *kit_answer_of_green(struct scene *scene);

/* From now on the node's store answers nothing at once: whoever asks is parked, and asks again
 * after kit_wake_store. Asking while parked is a failure of the test. */
void kit_slow_store(struct place *place);
/* Wakes who is parked and runs what is ready; false when nobody is. */
bool kit_wake_store(struct place *place);
/* Until nobody is parked any more. */
void kit_wake_store_all(struct place *place);

/* The node's rules are those of this text (a policy file; NULL: no rule, so all is denied) until
 * kit_restore_policy. */
void kit_set_policy(struct place *place, const char *text);
void kit_restore_policy(struct place *place);

#endif
