/*
 * A local system that asks for people: red has five called Jones (Isabella, Anna Maria, Bert, Carl,
 * Dora) and one Smith-Nowak, all but Isabella with a hospital number (PEOPLE_MRN, m-1 to m-5). One
 * scene at a time, in <people>.
 */
#ifndef PEOPLE_KIT_H
#define PEOPLE_KIT_H

#include "local_kit.h"
#include "soap/pdq.h"

#define PEOPLE_QUERY "2.999.55" /* root of ids of messages and queries */
#define PEOPLE_MRN   "2.999.1.77"
#define PEOPLE_OTHER "2.999.1.78" /* nobody's */

struct people {
    struct scene scene;
    struct scene_reply reply;
    struct arena *arena;
    struct config_system *ehr;
    struct buf whole; /* the text of the reply */
};
extern struct people people;

void people_open(void);
void people_close(void);
struct place *people_red(void);
struct config *people_config(void);

struct person_row {
    const char *family, *given, *birth, *sex, *mrn, *telecom, *city;
};

/* ITI-47. What is NULL is not asked for. */
struct question {
    const char *family, *given, *use, *birth, *sex, *id_root, *id, *telecom, *city, *domain;
    unsigned most;
    const char *query_id; /* NULL: "7" */
    const char *receiver;
};
void people_send_question(const struct question *q);
void people_send_payload(enum soap_transaction transaction, struct span payload);
/* Of a 200 answer. */
const struct message *people_read_message(void);
struct xcpd_answer people_read_answer(const char *query_id);
/* Query "7" was refused inside the protocol with that code; a record says why. */
void people_check_refused(enum err cause, const char *code);

/* `discovery:` of a place; and what its store would know had <partner> answered about <local>. */
struct config_discovery *people_discovery(const char *place);
void people_learn(struct store *store, const struct ident *local, const char *partner,
                  const char *community, const char *root, const char *extension, int64_t for_us);

#endif
