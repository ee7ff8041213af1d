/*
 * What the cases of the gSOAP client share: the client, its questions, and saying what is wrong.
 * One thread; all memory is gSOAP's and lives until the end of the program.
 */
#ifndef PEERS_GSOAP_PEER_H
#define PEERS_GSOAP_PEER_H

#include <stdbool.h>

#include "soapH.h"

#define FIND_DOCUMENTS "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"
#define GET_DOCUMENTS  "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"
#define APPROVED       "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
#define SECURITY_FILES 8
#define DOCUMENTS_MAX  64

/* Whom it asks, and as whom: a partner, or a local system without a Security header. */
struct side {
    const char *url, *community, *patient;
    int expected; /* documents */
    const char *query_path, *query_action, *retrieve_path, *retrieve_action;
    bool is_secured;
};

struct options {
    const char *pem, *ca;
    struct side partner, local;
    const char *const *security; /* SECURITY_FILES paths */
    int security_n;
};

struct entry {
    const char *id, *unique_id, *repository, *hash;
    int size;
};

struct client {
    struct options options;
    struct soap *soap;
    const struct side *side;
    const char *home;  /* urn:oid:<its community> */
    int security_used; /* files that were sent */
    struct entry entries[DOCUMENTS_MAX];
    int entries_n;
    const char *message_id; /* of the last question */
    char why[1024];         /* of the case that failed */
};

/* Always false; the text is for the case's line. */
__attribute__((format(printf, 2, 3))) bool wrong(struct client *client, const char *format, ...);
bool equal(struct client *client, const char *what, const char *wanted, const char *got);
bool equal_numbers(struct client *client, const char *what, int wanted, int got);

/* <format> with one %s, in gSOAP's memory. */
char *text(struct client *client, const char *format, const char *value);

void ask_as(struct client *client, const struct side *side);

/* The header of the next question; <is_secured> false leaves the Security header out, else the next
 * file's is sent where the side needs one. */
bool prepare_query(struct client *client);
bool prepare_retrieve(struct client *client, bool is_secured);

void set_slot(struct client *client, struct rim__SlotType1 *slot, const char *name,
              const char *value);
/* ITI-38 or ITI-18, after prepare_query. False when the call failed or the answer's header is
 * wrong. */
bool query(struct client *client, const char *id, struct rim__SlotType1 *slots, int n, bool is_leaf,
           struct _query__AdhocQueryResponse *ret_answer);
bool find_documents(struct client *client, bool is_leaf,
                    struct _query__AdhocQueryResponse *ret_answer);
/* ITI-39 or ITI-43 of all known entries (<has_known>), and of <unknown> unless it is NULL; after
 * prepare_retrieve. */
bool retrieve(struct client *client, bool has_known, const char *unknown,
              struct ihe__RetrieveDocumentSetResponseType *ret_answer);

#endif
