/*
 * Edits of an XML message as data: a fuzz input is a list of records of EDIT_BYTES, and each is one
 * change to the tree: move, copy, graft from another message, rename, other ids, other algorithms,
 * comments, namespaces, texts. The same records make the same change to every message of the same
 * shape, so that inputs can be kept although keys and signatures are made anew in each process.
 * Thread: one.
 */
#ifndef FUZZ_EDITS_H
#define FUZZ_EDITS_H

#include <libxml/tree.h>

#include "fuzz/fuzz.h"

#define EDIT_BYTES 8
#define EDITS_MAX  24 /* records of one input that are applied */

/* <top>: what may be changed (and everything below it); the root of <doc> itself stays. <donors>:
 * messages to graft from; each is used as a whole. */
struct edit_scene {
    xmlDoc *doc;
    xmlNode *top;
    xmlDoc *const *donors;
    size_t donors_n;
};
void edits_apply(const struct edit_scene *scene, struct span records);

/* A mutator for inputs of <head> bytes and then records: adds, removes, copies, swaps and changes
 * whole records, so that most inputs mean something. The size of the new input. */
size_t edits_mutate(uint8_t *bytes, size_t n, size_t max, size_t head, unsigned seed);

/* A mutator for inputs that are XML: most often edits of the tree, else libFuzzer's own. */
size_t edits_mutate_xml(uint8_t *bytes, size_t n, size_t max, unsigned seed);

/* The bytes of the tree, in the arena. */
struct span edits_serialise(xmlDoc *doc, struct arena *arena);

#endif
