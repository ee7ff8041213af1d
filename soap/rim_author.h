/*
 * Inside soap/ only: the slots of an author's classification (ITI TF-3 4.2.3.1.4), and names that
 * both directions of rim_from.c and rim_to.c write and read.
 */
#ifndef SOAP_RIM_AUTHOR_H
#define SOAP_RIM_AUTHOR_H

#include "soap/rim_record.h"

#define RIM_SLOT_SIZE   "size"
#define RIM_SLOT_SCHEME "codingScheme"

struct rim_author_row {
    const char *slot;
    size_t offset; /* of a span in struct author: the first value */
    size_t more;   /* of a span_list: the others; RIM_NONE: there can be one only */
};
#define RIM_AUTHOR_ROWS 5
extern const struct rim_author_row rim_author_rows[RIM_AUTHOR_ROWS];

#endif
