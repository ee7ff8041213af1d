/*
 * Inside soap/ only: how a stored query writes the values of a parameter into rim:Value elements
 * (ITI TF-2 3.18.4.1.2.3.5): strings in single quotes with quotes doubled, lists in parentheses,
 * one list possibly over several Values. Thread: whoever owns the arena.
 */
#ifndef SOAP_XCA_VALUE_H
#define SOAP_XCA_VALUE_H

#include "soap/regrep.h"
#include "soap/xca.h"

/* The longest rim:Value of the schema (LongName). A list is broken before it gets longer; one value
 * alone may be. */
#define RIM_VALUE_MAX 256

/* ERR_MESSAGE_CONTENT: an open quote, text after a closing quote, an open parenthesis, a comma
 * without values around it. ERR_LIMIT_ITEMS: more than XCA_VALUES_MAX values. A value without
 * quotes is taken as it stands. */
MUST_CHECK struct status query_values_read(const struct rim_slot *slot, struct arena *arena,
                                           struct diag *diag, struct query_param *ret_param);
MUST_CHECK struct status query_values_write(const struct query_param *param, struct arena *arena,
                                            struct diag *diag, struct rim_slot *ret_slot);

#endif
