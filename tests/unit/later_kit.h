/*
 * What the tests of answers that leave or come later share: red asks green asynchronously, and
 * green has red's address for answers, on top of the network of scene_kit.h.
 */
#ifndef LATER_KIT_H
#define LATER_KIT_H

#include "scene_kit.h"
#include "store/jobs.h"
#include "store/pending.h"

#define RED_REPLIES "https://127.0.0.1:8441/deferred"

/* kit_open_three, with that agreement between red and green. */
void later_open(struct scene *scene);
/* kit_open_three, with deferred ITI-55 agreed between red and green instead. */
void later_open_deferred(struct scene *scene);
/* A node's record of another. */
struct partner *later_record(struct scene *scene, const char *of, const char *about);
/* red asks for Isabella; *asking is set when it has ended. The question to green. */
size_t later_discover(struct scene *scene, struct asking **asking);
/* How many answers a node owes. */
uint64_t later_owed(struct scene *scene, const char *place);
/* How many answers a node waits for. */
uint64_t later_awaited(struct scene *scene, const char *place);
/* The clock goes on, and every node looks at what it owes. */
void later_advance(struct scene *scene, int64_t us);
/* A node's last record. */
const struct scene_event *later_last(struct scene *scene, const char *place);
/* <text> must stand in the reason that it gives. */
void later_expect_reason(struct scene *scene, const char *place, const char *text);
/* What stands between <start> and the next <end> in a question that left. */
struct span later_text(const struct scene_question *question, const char *start, const char *end);
/* Sends a question's bytes to red's /deferred as the holder of <from>'s TLS certificate. */
void later_send_to_red(struct scene *scene, const char *from, size_t question,
                       struct scene_reply *reply);

#endif
