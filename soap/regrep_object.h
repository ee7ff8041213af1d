/*
 * Inside soap/ only: objects of a registry without gSOAP. Nearly all that an ITI-38 answer holds is
 * objects, and a broker reads and writes those of all communities: through the typed codec
 * they cost half of its time. regrep_gsoap.c stays the reference: what is read here is what it
 * reads of the same tree, what is written here is what it writes, byte for byte; tests compare
 * both. Thread: whoever owns the arena.
 */
#ifndef SOAP_REGREP_OBJECT_H
#define SOAP_REGREP_OBJECT_H

#include "soap/regrep.h"
#include "soap/regrep_payload.h"

enum rim_kind {
    RIM_DOCUMENT, /* ExtrinsicObject */
    RIM_PACKAGE,  /* RegistryPackage */
    RIM_ASSOCIATION,
    RIM_CLASSIFICATION, /* of an object, beside it */
    RIM_REF,            /* ObjectRef */
    RIM_OTHER
};
enum rim_kind regrep_kind_of(const xmlNode *element);

/* Of an element that regrep_piece_check has let pass; texts are borrowed from the tree.
 * reader->code: a value is longer than REGREP_TEXT_MAX. */
MUST_CHECK struct status regrep_object_read(const struct regrep_reader *reader,
                                            const xmlNode *element, struct rim_object *ret_object);
MUST_CHECK struct status regrep_classification_read(const struct regrep_reader *reader,
                                                    const xmlNode *element,
                                                    struct rim_classification_list *list);
MUST_CHECK struct status regrep_ref_read(const struct regrep_reader *reader, const xmlNode *element,
                                         struct rim_ref *ret_ref);

/* As inside of a RegistryObjectList, which declares the prefix rim. ERR_MESSAGE_CONTENT: text that
 * XML cannot hold. */
MUST_CHECK struct status regrep_object_write(enum rim_kind kind, const struct rim_object *object,
                                             struct buf *out, struct diag *diag);

#endif
