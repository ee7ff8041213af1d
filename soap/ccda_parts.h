/*
 * The parts of the C-CDA reader among themselves: ccda_xml.c makes the header's tree, the others
 * read their elements of it. All run inside one call of ccda_read; what they return is in its
 * arena. Nobody outside of soap/ccda*.c includes this. Thread: ccda_read's.
 */
#ifndef SOAP_CCDA_PARTS_H
#define SOAP_CCDA_PARTS_H

#include <libxml/tree.h>

#include "soap/ccda.h"

/* ---- ccda_xml.c: the tree and the ways in it ---- */
struct ccda_tree {
    xmlDoc *doc;          /* the header; component elements of the root are left out */
    bool is_unstructured; /* the body is a nonXMLBody */
};
MUST_CHECK struct status ccda_tree_parse(struct span bytes, struct diag *diag,
                                         struct ccda_tree *ret_tree);
void ccda_tree_done(struct ccda_tree *tree);

/* What the readers share. Their first failure (of memory) is sticky: reading goes on with empty
 * values, ccda_read asks at the end. */
struct ccda_reader {
    struct arena *arena;
    struct diag *diag;
    struct status status;
};
void ccda_note(struct ccda_reader *r, struct status st);

/* First child element of this name in the HL7 namespace that has no nullFlavor; NULL when there is
 * none, or <node> is NULL. ccda_next: the next sibling of the same name. */
const xmlNode *ccda_child(const xmlNode *node, const char *name);
const xmlNode *ccda_next(const xmlNode *node);
/* As ccda_child, in the namespace of the extensions of CDA (urn:hl7-org:sdtc). */
const xmlNode *ccda_extension(const xmlNode *node, const char *name);
/* ccda_child of ccda_child of ...; the path ends with NULL. */
const xmlNode *ccda_path(const xmlNode *node, ...) __attribute__((sentinel));
/* Attribute without namespace, white space trimmed; empty when absent or <node> is NULL. */
struct span ccda_attribute(struct ccda_reader *r, const xmlNode *node, const char *name);
/* Text of the element and what is in it, each run of white space one space. */
struct span ccda_text(struct ccda_reader *r, const xmlNode *node);
struct span ccda_child_text(struct ccda_reader *r, const xmlNode *node, const char *name);
/* code, codeSystem, displayName of a child that is a CD/CE/CV, or of its first translation; all
 * empty unless it has code and codeSystem. */
struct code ccda_code(struct ccda_reader *r, const xmlNode *parent, const char *name);
/* The same of the element itself, without translations. */
struct code ccda_read_code(struct ccda_reader *r, const xmlNode *node);
/* II as root or root^extension; empty when it has no root. */
struct span ccda_id(struct ccda_reader *r, const xmlNode *node);
/* TS to DTM; empty when it is not one. */
struct span ccda_dtm(struct ccda_reader *r, struct span ts);
struct span ccda_printf(struct ccda_reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct span ccda_escape(struct ccda_reader *r, struct span text); /* for HL7 v2 fields */
#define CCDA_PUSH(r, list, item) ccda_note((r), ARENA_PUSH((r)->arena, (r)->diag, (list), (item)))

/* ---- ccda_person.c ---- */
/* Appends the name or names that one name element gives. */
void ccda_names(struct ccda_reader *r, const xmlNode *name, struct name_list *names);
/* A family name that this name says to be the one at birth (qualifier BR); empty when none is. */
struct span ccda_birth_family(struct ccda_reader *r, const xmlNode *name);
/* The given names, without those that somebody is only called by (qualifier CL). */
void ccda_given_names(struct ccda_reader *r, const xmlNode *name, struct span_list *given);
/* id elements that have a root, each once; addr elements that say something. */
void ccda_ids(struct ccda_reader *r, const xmlNode *parent, struct ident_list *ids);
void ccda_addresses(struct ccda_reader *r, const xmlNode *parent, struct address_list *addresses);
void ccda_patient(struct ccda_reader *r, const xmlNode *patient_role, struct patient *patient);

/* ---- ccda_details.c ---- */
/* What few headers say of the patient of <root>, and nobody is found by alone: birth, death,
 * mother's maiden name, principal care providers, and the codes for people. */
void ccda_details(struct ccda_reader *r, const xmlNode *root, struct patient *patient);

/* ---- ccda_author.c ---- */
void ccda_authors(struct ccda_reader *r, const xmlNode *root, struct document_entry *entry);
struct span ccda_legal_authenticator(struct ccda_reader *r, const xmlNode *root);
void ccda_source_patient_info(struct ccda_reader *r, const struct patient *patient,
                              struct span_list *fields);

/* ---- ccda_codes.c ---- */
void ccda_codes(struct ccda_reader *r, const xmlNode *root, bool is_unstructured,
                struct ccda *ccda);

#endif
