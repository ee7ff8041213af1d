/*
 * Inside soap/ only: from the one tree to the text that gSOAP reads.
 *
 * Only the elements and attributes of the RegRep and XDS.b vocabulary that we read are
 * written, in one fixed form (default namespaces, no prefixes, no comments). So nothing that gSOAP
 * treats in its own way (href, id, xsi:type, xsi:nil, prefixed attributes, QNames) can make it read
 * something else than is in the tree. The bytes of documents stay in the tree: Document is written
 * as an xop:Include whose href is its index in <documents>. Thread: whoever owns the arena.
 */
#ifndef SOAP_REGREP_PAYLOAD_H
#define SOAP_REGREP_PAYLOAD_H

#include "soap/xml.h"

/* The most text that a payload may become: answers of partners are at most as long. */
#define REGREP_PAYLOAD_MAX ((size_t)64 * 1024 * 1024)

#define REGREP_ONCE_MAX 256

#define REGREP_SIBLINGS_MAX ((size_t)50000)       /* elements in one element */
#define REGREP_TEXT_MAX     ((size_t)1024 * 1024) /* bytes of one value */

/* ERR_LIMIT_ITEMS: the payload has more than <most> elements of that local name. For requests,
 * before anything else is done with them. */
MUST_CHECK struct status regrep_payload_check_count(const xmlNode *payload, const char *local,
                                                    size_t most, struct diag *diag);

struct document_node_list {
    const xmlNode **items;
    size_t n, capacity;
};

/* The Document that gSOAP's href stands for. */
MUST_CHECK struct status document_node_find(const struct document_node_list *nodes,
                                            struct span href, struct diag *diag,
                                            const xmlNode **ret_node);

/* Refuses (<code>): text between elements, a comment inside text, an element twice that can only
 * stand once. xop:Include anywhere but in a Document is ERR_XOP. */
MUST_CHECK struct status regrep_payload_write(const xmlNode *payload, enum err code,
                                              struct arena *arena, struct buf *out,
                                              struct diag *diag,
                                              struct document_node_list *ret_documents);

/* Would a reader that is less exact than we are find something else in this object of a
 * RegistryObjectList: an attribute or element of our vocabulary in another namespace (gSOAP, and
 * who strips prefixes, take it for ours), an object inside of it, xsi:nil; or something that means
 * what only our own envelope may say (SOAP, WS-Security, XML Signature, XOP)? Such an object is not
 * passed on: what we decided on would not be what is read. */
bool regrep_object_is_odd(const xmlNode *object);

/* Which elements that may stand once a list has had already. Zeroed before its first piece. */
struct regrep_once {
    bool is_seen[REGREP_ONCE_MAX];
};
/* One child element of a list that is read in pieces: refuses what regrep_payload_write would
 * refuse in it. */
MUST_CHECK struct status regrep_piece_check(const xmlNode *piece, enum err code,
                                            struct arena *arena, struct regrep_once *once,
                                            struct diag *diag);

#endif
