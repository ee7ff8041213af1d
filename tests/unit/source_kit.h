/*
 * The node green with other sources than its store, and the registries and repositories that a test
 * plays for it, on top of the network of scene_kit.h.
 */
#ifndef SOURCE_KIT_H
#define SOURCE_KIT_H

#include "local_kit.h"

#define OWN_ID       "H-1^^^&2.999.77&ISO" /* as the hospital knows Isabella */
#define HOSPITAL     "2.999.30"
#define CLINIC       "2.999.31"
#define CLINIC_HOME  "urn:oid:2.999.5"
#define HOSPITAL_URL "https://xds.hospital.example/registry"
#define CLINIC_URL   "https://xds.clinic.example/registry"
#define OWN_SOURCE   "  - {name: own, engine: embedded}\n"
#define HOSPITAL_SOURCE                                                                            \
    "  - name: hospital\n"                                                                         \
    "    registry: {url: '" HOSPITAL_URL "'}\n"                                                    \
    "    repositories: {" HOSPITAL ": 'https://xds.hospital.example/repository'}\n"                \
    "    patient_authority: 2.999.77\n"
#define CLINIC_SOURCE                                                                              \
    "  - name: clinic\n"                                                                           \
    "    community: 2.999.5\n"                                                                     \
    "    security: assertion\n"                                                                    \
    "    registry: {url: '" CLINIC_URL "'}\n"                                                      \
    "    repositories: {" CLINIC ": 'https://xds.clinic.example/repository'}\n"
#define NO_HOME "urn:oid:2.999.99.99"
#define ONE_OF_HOSPITAL                                                                            \
    {                                                                                              \
        "2.999.30.1", HOSPITAL, OWN_ID, NULL, NULL                                                 \
    }

extern struct scene sources_scene;  /* large; one at a time */
extern struct arena *sources_arena; /* of the scene */
extern struct scene_reply sources_reply;
extern struct scene_stored sources_isabella; /* her document in green's store */

/* An entry of a registry. */
struct given {
    const char *unique_id, *repository, *patient;
    const char *confidentiality; /* NULL: N */
    const char *home;            /* NULL: none */
};

/* Green with <sources> (YAML) in its file. */
void sources_open(const char *sources);
void sources_close(void);
/* A reload between two questions: from now on green has these (text that stays). */
void sources_change(const char *sources);
struct place *sources_green(void);

/* The newest question to a source; does it have that text; how many there are. */
size_t sources_question(const char *source);
bool sources_was_asked(size_t question, const char *text);
size_t sources_count(const char *source);
/* The source's registry answers with these entries, its repository with that document. */
void sources_answer(const char *source, const struct given *given, size_t n);
/* The same with any objects; homes are NO_HOME. An entry of that id. */
void sources_answer_objects(const char *source, const struct registry_objects *objects);
void sources_answer_question(size_t question, const struct registry_objects *objects);
/* Any other payload, as the answer to a question. */
void sources_answer_payload(size_t question, enum soap_transaction transaction,
                            const struct buf *payload);
struct document_entry sources_entry(const struct given *given, const char *entry_uuid);
void sources_give(const char *source, const char *unique_id, const char *repository,
                  const char *bytes);

/* Red's FindDocuments for Isabella to green; <home> may be NULL. Green's answer, and an entry of it
 * (NULL: none). */
void sources_ask_green(const char *home);
struct query_answer sources_answer_of_green(void);
const struct document_entry *sources_find(const struct query_answer *got, const char *unique_id);

#endif
