/*
 * HL7 v2 spelling inside XDS metadata (CX, XCN, XON, XTN, PID fields): the delimiters of its syntax
 * may not stand in a value (HL7 v2.5.1 chapter 2.7.1). Thread: any.
 */
#ifndef BASE_HL7V2_H
#define BASE_HL7V2_H

#include "base/arena.h"

/* | ^ & ~ and \ become their escape sequences, control characters a space. Text without any of them
 * is returned as it is, not copied. */
MUST_CHECK struct status hl7v2_escape(struct arena *arena, struct span text, struct diag *diag,
                                      struct span *ret_escaped);
/* The reverse: the five sequences become their characters, others stay as they are. Text without a
 * backslash is returned as it is, not copied. */
MUST_CHECK struct status hl7v2_unescape(struct arena *arena, struct span text, struct diag *diag,
                                        struct span *ret_text);

#endif
