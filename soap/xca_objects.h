/*
 * Inside soap/ only: from the objects of a RegistryObjectList to records, each with its own text,
 * and from records back to such a list. What we decide on is read from the same node that the text
 * is made of. Used by answers (one tree or in pieces) and submissions. Thread: whoever owns the
 * arenas.
 */
#ifndef SOAP_XCA_OBJECTS_H
#define SOAP_XCA_OBJECTS_H

#include "soap/rim_record.h"
#include "soap/xca.h"

struct object_taker {
    struct arena *facts;   /* records and texts */
    struct arena *scratch; /* what does not outlive the call */
    struct diag *diag;
    enum err code;
    const struct query_reading *reading; /* never NULL */
    bool is_strict; /* a submission: what an answer drops is refused, and nothing is taken out */
    struct registry_objects objects;
    struct rim_classification_list classifications; /* of objects, beside them; in <facts> */
    size_t dropped;
};

/* One object that is neither Classification nor ObjectRef; <object> NULL: RIM_OTHER. */
MUST_CHECK struct status objects_take(struct object_taker *t, const xmlNode *node,
                                      enum rim_kind kind, struct rim_object *object);
/* A classification that stands beside its object: applied by objects_finish. */
MUST_CHECK struct status objects_take_classification(struct object_taker *t, const xmlNode *node,
                                                     const struct rim_classification *from);
/* All of a list whose typed records gSOAP read from the same tree; ObjectRefs are the caller's. */
MUST_CHECK struct status objects_take_list(struct object_taker *t, const xmlNode *list,
                                           const struct rim_list *records);
/* Once, behind the last object. A strict taker refuses two objects with one id. */
MUST_CHECK struct status objects_finish(struct object_taker *t);

/* All objects as the content of a RegistryObjectList that declares the prefix rim: each from its
 * <xml> where there is one, with its home in it. <is_answer>: home is required of all, of
 * Associations with a text apart, and lid is the id where there is none. ERR_INTERNAL: no id, no
 * home, an Association without type or ends, a text that is no element. */
MUST_CHECK struct status objects_write(const struct registry_objects *objects, bool is_answer,
                                       struct arena *scratch, struct buf *out, struct diag *diag);

/* gSOAP wrote the message with an empty RegistryObjectList: *ret_head is all of it up to what
 * belongs into the list, *ret_tail the rest. */
MUST_CHECK struct status objects_split(struct span message, struct diag *diag,
                                       struct span *ret_head, struct span *ret_tail);

#endif
