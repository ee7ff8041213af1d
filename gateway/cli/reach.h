/*
 * Are the partners and sources there? A probe for every place that their records name: connects,
 * shakes hands, proves the partner as a question would, and sees whether it takes our certificate;
 * asks nothing. For `isthmus partners --probe` and `isthmus check --connect`. Thread: the program's
 * main one.
 */
#ifndef CLI_REACH_H
#define CLI_REACH_H

#include "base/jsonw.h"
#include "out/out.h"

/* One host and port of a partner. */
struct reach;

struct reach_place {
    const struct partner *partner;
    const char *url;                                  /* the first that names it */
    bool has_xcpd, has_query, has_retrieve, has_xcdr; /* what is asked there: of a source its
                                               registry and its repositories, */
    bool has_patients;                                /* or whom and by which ids it knows */
    struct reach *reach;
    struct out_answer answer;
};

/* Asks all at once and waits for all, each at most its partner's timeout. ERR_NO_MEMORY, and as
 * out_start. */
MUST_CHECK struct status reach_ask(const struct config *config, struct diag *diag,
                                   struct reach **ret_reach);
void reach_free(struct reach *reach); /* NULL is fine */
/* In the order of the configuration's partners. */
size_t reach_places(const struct reach *reach, const struct reach_place **ret_places);
size_t reach_failed(const struct reach *reach);

/* Lines of a partner for people, and `probes` as a member of the open object. */
void reach_print(const struct reach *reach, const struct partner *partner, int64_t now_us);
void reach_write(const struct reach *reach, const struct partner *partner, struct jsonw *json);
/* "xcpd, query" */
#define REACH_NAMES_MAX 48
void reach_names(const struct reach_place *place, char ret_names[REACH_NAMES_MAX]);

#endif
