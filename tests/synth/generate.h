/*
 * `synth generate`: writes a network of synthetic communities and the truth about it.
 */
#ifndef SYNTH_GENERATE_H
#define SYNTH_GENERATE_H

#include "base/diag.h"
#include "base/span.h"

#define GENERATE_PEOPLE_MAX 1000

struct generate_options {
    uint64_t seed; /* at most INT64_MAX */
    const char *out;
    struct span communities; /* "red,green,blue,amber,violet" */
    size_t people;           /* besides those of the hard cases */
};

struct generate_counts {
    size_t communities, people, files, questions;
    uint64_t bytes;
};

/* Makes <out>/<community>/ *.xml and <out>/truth.json. Refuses a folder of a community that is
 * there already, because older documents in it would make the truth wrong. ERR_INTERNAL when the
 * people turned out other than the cases planned: then the generator is wrong. */
MUST_CHECK struct status generate(const struct generate_options *options, struct diag *diag,
                                  struct generate_counts *ret_counts);

#endif
