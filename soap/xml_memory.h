/*
 * Memory of one parse: libxml2 asks for some 1,500 small pieces while it reads a message, and gives
 * them back together. So during a parse small pieces are cut one behind the other from chunks,
 * giving one back does nothing, and the chunks go when the tree has gone. Outside of a parse, and
 * for large pieces, and after a megabyte, libxml2's memory comes from the heap as ever; each piece
 * knows which it is.
 *
 * Off (everything is the heap's) where memory is looked at: with AddressSanitizer, and when
 * ISTHMUS_ARENA_DEBUG=1 (valgrind). Thread: any; a memory is in use on one thread.
 */
#ifndef SOAP_XML_MEMORY_H
#define SOAP_XML_MEMORY_H

#include "base/arena.h"

struct xml_memory;

/* Belongs to the arena: objects that were made of it must be deferred to the same arena, later. */
MUST_CHECK struct status xml_memory_new(struct arena *arena, struct diag *diag,
                                        struct xml_memory **ret_memory);
/* This thread's libxml2 cuts its pieces from <memory> from now on; NULL: takes them from the heap.
 */
void xml_memory_use(struct xml_memory *memory);

#endif
