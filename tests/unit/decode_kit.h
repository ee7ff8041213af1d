/*
 * What the tests of `isthmus decode` share: a network of nodes whose messages are kept as they are
 * sent, files of them, and the command, run each time in a process of its own, so that a crash is a
 * failure of that run.
 */
#ifndef DECODE_KIT_H
#define DECODE_KIT_H

#include <limits.h>

#include <jansson.h>

#include "scene_kit.h"

/* Those that a gathering has: ITI-55, ITI-38, ITI-39. */
#define DECODE_TRANSACTIONS (SOAP_ITI_39 + 1)

/* A request that red sent to green, and what green answered. */
struct decode_sent {
    struct span body, path, content_type;
    struct span answer, answer_type;
    bool is_there;
};

extern struct decode_net {
    struct scene scene;
    struct arena *arena; /* of all that the kit gives out */
    struct decode_sent sent[DECODE_TRANSACTIONS];
    char config[PATH_MAX]; /* green's */
} decode_net;

void decode_open(void); /* red has gathered from green and blue */
void decode_close(void);

struct decode_run_result {
    int exit_code; /* 1000 and the signal when it crashed */
    struct span out, err;
};
/* `isthmus decode <file> <words>`; "CONFIG" stands for green's configuration. */
struct decode_run_result decode_run(const char *file, const char *words);
/* Does the output have <text>, or, unless <is_wanted>, not? */
bool decode_check_says(const char *what, const struct decode_run_result *run, const char *text,
                       bool is_wanted);
/* With green's configuration: the verdict is this error's name (empty: accepted), and so is the
 * first refusal among the checks. */
void decode_check_verdict(const char *what, const char *file, const char *words, const char *error);
/* Do the checks, of which the first refusal counts, and the verdict say the same? */
bool decode_agrees(const json_t *root);
json_t *decode_load(const struct decode_run_result *run); /* its JSON; NULL is a failure */
const char *decode_json_text(const json_t *object, const char *name); /* "" when absent */

const char *decode_write_file(const char *name, struct span bytes);
/* As an HTTP request to where <request> was sent. */
const char *decode_write_request(const char *name, const struct decode_sent *request,
                                 struct span body);
struct span decode_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
struct span decode_keep(struct span bytes);

#endif
