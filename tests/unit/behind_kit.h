/*
 * A federated QHIN for scenario tests: red is its partner, green the QHIN, blue and gold are
 * gateways of participants behind green. All four are real nodes of scene.h; all know Isabella,
 * each under its own id, and each has a document of hers.
 */
#ifndef BEHIND_KIT_H
#define BEHIND_KIT_H

#include "local_kit.h"

#define BEHIND_OWN "  - {name: own, engine: embedded}\n"
/* Entry <name> of `sources:`: the node at <port>, which speaks for <communities>. */
#define BEHIND_GATEWAY(name, port, communities, more)                                              \
    "  - name: " name "\n    engine: gateway\n    communities: " communities "\n"                  \
    "    xcpd: https://127.0.0.1:" port "/xcpd\n"                                                  \
    "    query: https://127.0.0.1:" port "/xca/query\n"                                            \
    "    retrieve: https://127.0.0.1:" port "/xca/retrieve\n" more
#define BEHIND_BLUE BEHIND_GATEWAY("blue", "8443", "[2.999.3]", "")
#define BEHIND_GOLD BEHIND_GATEWAY("gold", "8444", "[2.999.4]", "")
#define BEHIND_BOTH "sources:\n" BEHIND_OWN BEHIND_BLUE BEHIND_GOLD

#define BEHIND_BLUE_HOME "urn:oid:2.999.3"
#define BEHIND_GOLD_HOME "urn:oid:2.999.4"

extern struct scene behind_scene;  /* large; one at a time */
extern struct arena *behind_arena; /* of the scene */
extern struct scene_reply behind_reply;
/* Isabella's documents, in this order: red's, green's, blue's, gold's. */
extern struct scene_stored behind_isabella[4];

/* Green with <sources> (YAML) in its file. Red's file of green says that green answers for 2.999.2
 * to 2.999.4; green's partner is red alone. */
void behind_open(const char *sources);
void behind_close(void);
/* <sources> in the file of a node, in the place of what it said; the node has not got it yet. */
void behind_write_sources(const char *node, const char *before, const char *sources);
/* One partner's file less, one more. */
void behind_remove_partner(const char *node, const char *partner);
void behind_change_partner(const char *node, const char *partner, const char *before,
                           const char *now);
void behind_add_partner(const char *node, const char *partner);
/* A reload between two questions. */
void behind_reload(const char *node);
struct place *behind_place(const char *node);

/* Each question that is out to the node that it is for, once: a node that asks others answers when
 * these have. Not those to <silent> (may be NULL). */
void behind_deliver(const char *silent);
/* Red asks who knows Isabella; <silent> (may be NULL) gives no answer. What red has then of green's
 * answer. The asking is the test's. */
struct asking *behind_discover(const char *silent);
const struct leg *behind_leg(const struct asking *asking);
/* The match of that community; NULL: none. */
const struct xcpd_match *behind_match(const struct asking *asking, const char *community);

/* Red's FindDocuments to green; <home> may be NULL. What green answers when all is delivered. */
struct query_answer behind_find(const char *patient_id, const char *home);
/* Delivers what is out to a source of green; how many questions it got in all. */
size_t behind_count(const char *source);
bool behind_question_has(size_t question, const char *text);

#endif
