/*
 * Both engines of dsig.h side by side. A program that is linked with -Wl,--wrap=dsig_verify has
 * each signature that reaches the arithmetic computed by both, whoever asked, and what they
 * digested and said compared. Thread: one (the counts are the process's).
 */
#ifndef ENGINES_H
#define ENGINES_H

#include "soap/profile.h"

#define ENGINES_SEEN_MAX 16

struct engines {
    bool is_idle; /* nothing is compared: only what the caller asked for is computed */
    size_t jobs;  /* signatures since the last reset */
    size_t known; /* ... which the profile engine has judged */
    size_t bytes; /* that both digested */
    enum profile_verdict verdicts[ENGINES_SEEN_MAX]; /* of the first ones */
    char difference[200];                            /* the first one; empty: there is none */
};
extern struct engines engines;
void engines_reset(void);

/* Compares the engines over one job, counts it, and gives what the reference said. */
struct status engines_compare(const struct dsig_job *job, struct diag *diag);

#endif
