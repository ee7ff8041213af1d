/*
 * `synth compare`: what `isthmus gather` wrote against the truth.
 */
#ifndef SYNTH_COMPARE_H
#define SYNTH_COMPARE_H

#include <stdio.h>

#include "base/diag.h"
#include "base/span.h"

struct compare_options {
    const char *truth;     /* truth.json */
    const char *index;     /* index.json of gather */
    const char *documents; /* the folder that the index's paths are relative to */
    struct span question;  /* its case, or its number from 0; empty: the first */
    struct span withhold;  /* confidentiality codes that the policy withholds: "R,V", or empty */
};

struct compare_result {
    size_t differences;
    size_t matches, documents, duplicates; /* that the truth wants, without the asker's own */
};

/* Prints a line per difference to <out>. Fails only when the truth or the index cannot be read.
 *
 * The asking community may be in the index or not; when it is, it is held against the truth too.
 * All others must be there exactly once. */
MUST_CHECK struct status compare(const struct compare_options *options, FILE *out,
                                 struct diag *diag, struct compare_result *ret_result);

/* The question that options->question means; ERR_NOT_FOUND names those there are. */
struct truth;
struct truth_question;
MUST_CHECK struct status compare_find_question(const struct truth *truth, struct span question,
                                               struct diag *diag,
                                               const struct truth_question **ret_question);

#endif
