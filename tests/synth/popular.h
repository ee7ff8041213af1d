/*
 * `synth popular`: the truth about a folder with one sub-folder of real documents per community.
 */
#ifndef SYNTH_POPULAR_H
#define SYNTH_POPULAR_H

#include <stdio.h>

#include "base/diag.h"
#include "base/span.h"

struct popular_options {
    const char *dir;
    struct span patient; /* "FAMILY,GIVEN,BIRTHDATE,SEX"; empty: whoever occurs in most folders */
    struct span asker;   /* folder that asks; empty: the first that does not know the patient */
    const char *truth;   /* where the truth is written; NULL: nowhere */
};

/* Prints "FAMILY,GIVEN,BIRTHDATE,SEX" to <out>; what is not settled by the rules to <notes>.
 * Communities are 2.999.1, 2.999.2, ... in the order of the folders' names. Files that are no C-CDA
 * documents are noted and left out. */
MUST_CHECK struct status popular(const struct popular_options *options, FILE *out, FILE *notes,
                                 struct diag *diag);

#endif
