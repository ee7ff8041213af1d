/*
 * What the asking commands share: their options, the node's parts in this process (configuration,
 * store, a journal chain of their own, outbound engine, one worker), and the wait for an asking
 * transaction. Thread: the program's main thread.
 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "cli/cli.h"
#include "txn/asking.h"
#include "txn/waiting.h"

/* The options that every asking command takes. */
struct client_options {
    const char *config;
    const char *user, *role, *purpose, *organization, *organization_id, *npi;
    const char *timeout;
    const char *delegator, *id_token, *resource_id;
    struct cli_values acp, iacp;
    struct cli_values to;
    bool is_json;
};

/* Rows of a command's option table; <o> is a struct client_options. */
#define CLIENT_OPTIONS(o)                                                                          \
    {"c", "FILE", "the node's configuration", &(o).config, NULL, NULL},                            \
        {"to", "OID", "ask this community only (may be repeated)", NULL, &(o).to, NULL},           \
        {"purpose", "CODE", "purpose of use, e.g. T-TREAT", &(o).purpose, NULL, NULL},             \
        {"user", "NAME", "who asks: the person's name", &(o).user, NULL, NULL},                    \
        {"role", "CODE", "that person's role (SNOMED CT)", &(o).role, NULL, NULL},                 \
        {"organization", "NAME", "that person's organization", &(o).organization, NULL, NULL},     \
        {"organization-id", "URN", "its id (urn:oid:...)", &(o).organization_id, NULL, NULL},      \
        {"npi", "NUMBER", "that person's NPI", &(o).npi, NULL, NULL},                              \
        {"on-behalf-of", "NAME", "in whose name it is asked (QueryAuthGrantor)",                   \
         &(o).delegator, NULL,   NULL},                                                            \
        {"consent", "OID", "access consent policy (may be repeated)", NULL, &(o).acp, NULL},       \
        {"consent-document", "OID", "the patient's own consent (may be repeated)", NULL,           \
         &(o).iacp,          NULL},                                                                \
        {"resource-id",    "CX", "the patient's id here, 'ID^^^&OID&ISO'",                         \
         &(o).resource_id, NULL, NULL},                                                            \
        {"id-token", "FILE", "the individual's id_token (T-IAS)", &(o).id_token, NULL, NULL},      \
        {"timeout", "TIME", "deadline of the whole command, e.g. 20s", &(o).timeout, NULL, NULL},  \
    {                                                                                              \
        "json", NULL, "print JSON", NULL, NULL, &(o).is_json                                       \
    }

/* The options that describe a person. */
struct client_person {
    const char *family, *birth_date, *sex;
    struct cli_values given;
    struct cli_values ids; /* CX */
    const char *street, *city, *state, *postal_code, *phone;
};
#define CLIENT_PERSON_OPTIONS(p)                                                                   \
    {"family", "NAME", "the patient's family name", &(p).family, NULL, NULL},                      \
        {"given", "NAME", "given name; repeat for further ones", NULL, &(p).given, NULL},          \
        {"birth-date", "DATE", "YYYY-MM-DD or YYYYMMDD", &(p).birth_date, NULL, NULL},             \
        {"sex", "CODE", "M, F or UN", &(p).sex, NULL, NULL},                                       \
        {"id", "CX", "an id of the patient, 'ID^^^&OID&ISO'", NULL, &(p).ids, NULL},               \
        {"street", "TEXT", "street and number", &(p).street, NULL, NULL},                          \
        {"city", "TEXT", "city", &(p).city, NULL, NULL},                                           \
        {"state", "TEXT", "state", &(p).state, NULL, NULL},                                        \
        {"postal-code", "TEXT", "postal code", &(p).postal_code, NULL, NULL},                      \
    {                                                                                              \
        "phone", "NUMBER", "telephone number", &(p).phone, NULL, NULL                              \
    }

struct client {
    const struct cli_command *command;
    const struct config *config;
    struct store *store;
    struct journal *journal;
    struct journal_sink sink;
    struct spool *spool; /* NULL: none */
    struct out *out;
    struct runner *runner;
    struct waiting waiting; /* answers that the serving node takes for us */
    struct node node;
    struct arena *arena; /* of the order */
};

/* The person that the options describe. Says what is wrong and returns false. */
bool client_person(struct client *client, const struct client_person *person,
                   struct patient *ret_patient);
/* A whole asking command: opens the node's parts, makes the order (<complete> adds what is the
 * command's own, says what is wrong and returns false), asks, shows the answers on standard output
 * and, with a <folder>, puts the documents there. The exit code: 0 every asked partner answered
 * all, 3 some failed or answered in part, 1 none answered, 2 the order was refused. */
typedef bool (*client_complete)(struct client *client, struct asking_order *order);
int client_run(const struct cli_command *command, const struct client_options *options,
               client_complete complete, const char *folder);

#endif
