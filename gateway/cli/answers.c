/*
 * Rows from the legs of an asking transaction. Called by the commands when the transaction has
 * ended; everything lives in its arena.
 */
#include "cli/answers.h"

#include <string.h>

static bool
is_same(const struct leg *leg, const char *partner, struct span community)
{
    const char *id = leg->partner == NULL ? "" : leg->partner->id;

    return strcmp(id, partner) == 0 && span_eq(leg->community, community);
}

/* Why a leg failed, or what its answer lacks; with the partner's own words. */
static struct status
error_of(struct answers *answers, const struct leg *leg, struct diag *diag, struct span *error)
{
    if (leg->diag.code == ERR_NONE || error->n > 0) {
        return OK;
    }
    return arena_printf(answers->asking->txn.arena, diag, error, "%s: %s%s%.*s",
                        err_name(leg->diag.code), leg->diag.text,
                        leg->said.n > 0 ? "; it said: " : "", SPAN_PRINT(leg->said));
}

/* The community's, which in ITI-56 is another than the partner that told of it. */
static const char *
name_of(const struct config *config, const struct leg *leg, struct span community)
{
    const struct partner *partner = leg->partner;

    if (leg->transaction == SOAP_ITI_56 && config_is_own_community(config, community)) {
        partner = NULL;
    } else if (leg->transaction == SOAP_ITI_56) {
        partner = config_partner_of_community(config, community);
        if (partner == NULL) {
            return "no partner of ours";
        }
    }
    return partner == NULL ? config->community_name : partner->name;
}

static struct status
row_of(struct answers *answers, const struct leg *leg, struct span community, const char *status,
       struct diag *diag)
{
    struct asking *asking = answers->asking;
    struct answer_row row = {
        .community = community,
        .partner = leg->partner == NULL ? "" : leg->partner->id,
        .name = name_of(asking->node->config, leg, community),
        .status = status,
        .is_remembered = leg->is_remembered,
        .collect = leg->is_owed || leg->is_awaited ? leg->message_id : NULL,
        .elapsed_us = leg->elapsed_us,
    };

    TRY(error_of(answers, leg, diag, &row.error));
    return ARENA_PUSH(asking->txn.arena, diag, &answers->rows, row);
}

static size_t
matches_of(const struct leg *leg, struct span home)
{
    size_t n = 0;

    for (size_t i = 0; i < leg->matches.n; i++) {
        n += span_eq(leg->matches.items[i].home, home) ? 1 : 0;
    }
    return n;
}

static bool
has_row(const struct answers *answers, const struct leg *leg, struct span home)
{
    for (size_t i = 0; i < answers->rows.n; i++) {
        const struct answer_row *row = &answers->rows.items[i];

        if (span_eq(row->community, home) &&
            strcmp(row->partner, leg->partner == NULL ? "" : leg->partner->id) == 0) {
            return true;
        }
    }
    return false;
}

/* An id that a partner made up so that nobody can ask about it is that row's error. */
static struct status
note_patient_id(struct answers *answers, const struct ident *id, struct answer_row *row,
                struct diag *diag)
{
    struct arena *arena = answers->asking->txn.arena;
    struct diag why = {0};

    if (is_ok(ident_write_cx(arena, id, &why, &row->patient_id)) || row->error.n > 0) {
        return OK;
    }
    return arena_printf(arena, diag, &row->error, "%s: the patient id cannot be asked about: %s",
                        err_name(why.code), why.text);
}

static struct status
rows_of_matches(struct answers *answers, const struct leg *leg, struct diag *diag)
{
    for (size_t i = 0; i < leg->matches.n; i++) {
        const struct xcpd_match *match = &leg->matches.items[i];
        struct answer_row *row;

        if (has_row(answers, leg, match->home)) {
            continue;
        }
        if (matches_of(leg, match->home) > 1) {
            TRY(row_of(answers, leg, match->home, "ambiguous", diag));
            continue;
        }
        TRY(row_of(answers, leg, match->home, "match", diag));
        answers->matches++;
        row = &answers->rows.items[answers->rows.n - 1];
        TRY(note_patient_id(answers, &match->patient.ids.items[0], row, diag));
    }
    return OK;
}

static const char *
status_of(const struct leg *leg)
{
    switch (leg->state) {
    case LEG_DENIED:
        return "denied";
    case LEG_ANSWERED:
        break;
    default:
        return "failed";
    }
    if (leg->is_owed) {
        return "deferred";
    }
    if (leg->transaction != SOAP_ITI_55 && leg->transaction != SOAP_ITI_56) {
        return "answered";
    }
    if (leg->quarantined.n > 0) {
        return "quarantined";
    }
    return leg->result == XCPD_AMBIGUOUS ? "ambiguous" : "no-match";
}

static struct status
rows_of_round(struct answers *answers, const struct leg_list *legs, struct diag *diag)
{
    for (size_t i = 0; i < legs->n; i++) {
        const struct leg *leg = &legs->items[i];

        if (leg->state == LEG_ANSWERED && leg->matches.n > 0) {
            TRY(rows_of_matches(answers, leg, diag));
        } else {
            TRY(row_of(answers, leg, leg->community, status_of(leg), diag));
        }
    }
    return OK;
}

/* What later rounds cost and where they failed belongs to the row of the same community. */
static struct status
add_round(struct answers *answers, const struct leg_list *legs, struct diag *diag)
{
    for (size_t i = 0; i < legs->n; i++) {
        const struct leg *leg = &legs->items[i];

        for (size_t r = 0; r < answers->rows.n; r++) {
            struct answer_row *row = &answers->rows.items[r];

            if (!is_same(leg, row->partner, row->community)) {
                continue;
            }
            row->elapsed_us += leg->elapsed_us;
            TRY(error_of(answers, leg, diag, &row->error));
        }
    }
    return OK;
}

static void
count_document(struct answers *answers, const struct partner *partner, struct span home)
{
    const char *id = partner == NULL ? "" : partner->id;
    struct span oid;

    for (size_t r = 0; r < answers->rows.n; r++) {
        struct answer_row *row = &answers->rows.items[r];

        if (home_community_oid(home, &oid) && span_eq(row->community, oid) &&
            strcmp(row->partner, id) == 0) {
            row->documents++;
            return;
        }
    }
}

/* Documents that came; of a query, which fetches none, those that were found. */
static void
count_documents(struct answers *answers)
{
    const struct asking *asking = answers->asking;

    for (size_t i = 0; i < asking->documents.n; i++) {
        const struct asking_document *document = &asking->documents.items[i];

        answers->documents++;
        answers->duplicates += document->duplicate_of != SIZE_MAX ? 1 : 0;
        count_document(answers, document->partner, document->ref.home);
    }
    for (size_t i = 0; asking->order.goal == ASKING_QUERY && i < asking->legs[1].n; i++) {
        const struct leg *leg = &asking->legs[1].items[i];

        for (size_t d = 0; d < leg->objects.documents.n; d++) {
            count_document(answers, leg->partner, leg->objects.documents.items[d].home);
        }
    }
}

struct status
answers_collect(struct asking *asking, struct diag *diag, struct answers *ret_answers)
{
    struct answers answers = {.asking = asking};
    size_t first = 0;

    while (first < ASKING_ROUNDS && asking->legs[first].n == 0) {
        first++;
    }
    if (first < ASKING_ROUNDS) {
        TRY(rows_of_round(&answers, &asking->legs[first], diag));
    }
    for (size_t r = first + 1; r < ASKING_ROUNDS; r++) {
        TRY(add_round(&answers, &asking->legs[r], diag));
    }
    count_documents(&answers);
    for (size_t i = 0; i < answers.rows.n; i++) {
        answers.failed_partners += answers.rows.items[i].error.n > 0 ? 1 : 0;
    }
    *ret_answers = answers;
    return OK;
}
