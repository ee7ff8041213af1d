/*
 * A person as one text, for a column of a store and for a digest: what is said of him, in the order
 * in which it is said. Parts are separated by U+001F and records by U+001E, which nothing that came
 * in XML can hold; a person that has them is refused. Thread: any.
 */
#ifndef STORE_PERSON_TEXT_H
#define STORE_PERSON_TEXT_H

#include "base/buf.h"
#include "base/patient.h"

/* ids, names, birth time or range, sex, addresses, telecoms, mothers' maiden names, birth places,
 * care providers; nothing else. ERR_MESSAGE_CONTENT: a separator is in it. */
MUST_CHECK struct status person_text_write(const struct patient *person, struct buf *out,
                                           struct diag *diag);
/* Spans of the result are in <text>. ERR_STORE when it is none. */
MUST_CHECK struct status person_text_read(struct span text, struct arena *arena, struct diag *diag,
                                          struct patient *ret_person);

#endif
