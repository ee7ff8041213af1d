/*
 * Inside soap/ only: DocumentEntry, SubmissionSet, Folder and Association as ebRIM objects and back
 * (ITI TF-3 4.2.1, 4.2.3, 4.2.5). What stands where is in one table a kind (rim_layout.c), used in
 * both directions. Thread: any.
 */
#ifndef SOAP_RIM_RECORD_H
#define SOAP_RIM_RECORD_H

#include "base/registry.h"
#include "soap/regrep_object.h"

enum rim_shape { RIM_ONE, RIM_LIST };

/* A slot's name, or the UUID of a classification scheme or identification scheme, and the member
 * that it is: struct span or span_list, struct code or code_list. */
struct rim_row {
    const char *key;
    size_t offset;
    enum rim_shape shape;
    const char *name; /* of an ExternalIdentifier */
};
struct rim_rows {
    const struct rim_row *items;
    size_t n;
};

#define RIM_NONE SIZE_MAX /* an offset: the record has no such member */

struct rim_layout {
    enum rim_kind kind;
    const char *what;         /* "DocumentEntry" */
    const char *object_type;  /* NULL: the record's */
    const char *class_node;   /* what makes a RegistryPackage one of these; NULL: nothing */
    const char *limited_node; /* NULL: there is no limited metadata of it */
    const char *author_scheme;
    struct rim_rows attributes; /* keys are members of rim_attributes */
    struct rim_rows slots, codes, identifiers;
    size_t id, home, xml;                    /* of spans */
    size_t authors, extra, is_limited, size; /* <size>: of a uint64_t, has_size follows from it */
};
extern const struct rim_layout rim_document, rim_submission_set, rim_folder, rim_association;

/* A member of a record by its offset in a table. */
const void *rim_member(const void *record, size_t offset);
void *rim_member_of(void *record, size_t offset);
/* Of a rim_object, by the key of an attributes' row. */
struct span *rim_attribute(struct rim_object *object, const char *key);

/* The kind of a RegistryPackage, from what classifies it, or else from its identifiers. NULL: it is
 * neither SubmissionSet nor Folder, or both. */
const struct rim_layout *rim_package_layout(const struct rim_object *object);

/* Texts are borrowed, new ones go to the arena. Absent metadata is left out. */
MUST_CHECK struct status rim_from_record(const struct rim_layout *layout, const void *record,
                                         struct arena *arena, struct diag *diag,
                                         struct rim_object *ret_object);
/* <record> is zeroed before. Texts are copied to the arena; of several values of what can have one
 * the first counts; a size that is no number is absent; slots that are not known are <extra>. */
MUST_CHECK struct status rim_to_record(const struct rim_layout *layout,
                                       const struct rim_object *object, struct arena *arena,
                                       struct diag *diag, void *record);
/* A classification that stood beside its object. */
MUST_CHECK struct status rim_add_classification(const struct rim_layout *layout,
                                                const struct rim_classification *classification,
                                                struct arena *arena, struct diag *diag,
                                                void *record);

#endif
