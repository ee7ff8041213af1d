/*
 * The audit sink of a scene: it notes what it gets, and becomes durable at once, when the test says
 * so, or never.
 */
#include "scene.h"

#include <stdio.h>

#include "tests/wire/keep.h"

#define NOTE_TEXT(to, span) snprintf((to), sizeof(to), "%.*s", SPAN_PRINT(span))

scene_watch scene_watcher;

static void
note_event(const struct audit_event *event, struct scene_event *seen)
{
    seen->type = event->type;
    seen->side = event->side;
    seen->phase = event->phase;
    seen->outcome = event->outcome;
    NOTE_TEXT(seen->partner, event->partner);
    NOTE_TEXT(seen->reason, event->outcome_text);
    NOTE_TEXT(seen->patient, event->patients.n > 0 ? event->patients.items[0] : SPAN_EMPTY);
    NOTE_TEXT(seen->source, event->source_id);
    NOTE_TEXT(seen->destination, event->destination_id);
    NOTE_TEXT(seen->delegator, event->delegator);
    NOTE_TEXT(seen->user, event->user_name);
    NOTE_TEXT(seen->role, event->role.value);
    NOTE_TEXT(seen->purpose, event->purpose.value);
    NOTE_TEXT(seen->community, event->community);
    NOTE_TEXT(seen->message_id, event->message_id);
    seen->patients_n = event->patients.n;
    seen->documents_n = event->documents.n;
    seen->query_n = event->query.n;
}

static struct status
take_event(struct audit_sink *audit, const struct audit_event *event, struct park *park,
           struct diag *diag, struct journal_ticket *ret_ticket)
{
    struct scene_sink *sink = (struct scene_sink *)audit;
    struct scene_event *seen;

    if (sink->n == SCENE_EVENTS || (sink->refused_at > 0 && sink->n + 1 >= sink->refused_at)) {
        return FAIL(diag, ERR_JOURNAL, "the scene's sink takes no more");
    }
    seen = &sink->events[sink->n];
    keep_audit(event);
    note_event(event, seen);
    if (scene_watcher != NULL) {
        scene_watcher(sink, event);
    }
    ret_ticket->sequence = sink->n++;
    if (sink->is_held) {
        sink->waiting[sink->waiting_n++] = park;
        return OK;
    }
    seen->is_durable = !sink->is_broken;
    park_wake(park);
    return OK;
}

static struct status
check_event(struct audit_sink *audit, const struct journal_ticket *ticket, struct diag *diag)
{
    struct scene_sink *sink = (struct scene_sink *)audit;

    if (!sink->events[ticket->sequence].is_durable) {
        return FAIL(diag, ERR_JOURNAL, "the scene's sink is broken");
    }
    return OK;
}

void
scene_sink_init(struct scene_sink *sink)
{
    sink->sink = (struct audit_sink){take_event, check_event};
}

void
scene_commit(struct place *place)
{
    struct scene_sink *sink = &place->sink;
    const size_t n = sink->waiting_n;

    for (size_t i = 0; i < sink->n; i++) {
        sink->events[i].is_durable = !sink->is_broken;
    }
    sink->waiting_n = 0;
    for (size_t i = 0; i < n; i++) {
        park_wake(sink->waiting[i]);
    }
}

size_t
scene_undurable(const struct scene_sink *sink)
{
    size_t n = 0;

    for (size_t i = 0; i < sink->n; i++) {
        n += sink->events[i].is_durable ? 0 : 1;
    }
    return n;
}

const struct scene_event *
scene_event(const struct place *place, size_t n)
{
    return n < place->sink.n ? &place->sink.events[place->sink.n - 1 - n] : NULL;
}

size_t
scene_count_events(const struct place *place, enum audit_type type, enum audit_side side,
                   enum audit_phase phase, bool is_success)
{
    size_t n = 0;

    for (size_t i = 0; i < place->sink.n; i++) {
        const struct scene_event *event = &place->sink.events[i];

        if (event->type == type && event->side == side && event->phase == phase &&
            (event->outcome == AUDIT_SUCCESS) == is_success) {
            n++;
        }
    }
    return n;
}
