/*
 * See demographics.h. Source: ITI TF-2 3.47.4.2.
 */
#include "txn/demographics.h"

#include "txn/iti55.h"

struct continued_key
demographics_key(const struct local *local, const struct ident *query_id)
{
    return (struct continued_key){.system = span_of_cstr(local->system->name),
                                  .user = local->in.event.user_name,
                                  .query_id = *query_id};
}

/* REQ: ITI47-quantities */
struct status
demographics_write(struct inbound *in, const struct demographics *asked,
                   const struct continued_query *part, size_t total)
{
    struct txn *txn = &in->txn;
    struct xcpd_answer answer = {
        .result = part->items.n > 0 ? XCPD_MATCH : XCPD_NONE,
        .quantities = {.is_known = true,
                       .total = (unsigned)total,
                       .current = (unsigned)part->items.n,
                       .remaining = (unsigned)(total - part->next)},
    };

    for (size_t i = 0; i < part->items.n; i++) {
        const struct continued_item *item = &part->items.items[i];
        const struct xcpd_match match = {.written = item->written};

        TRY(ARENA_PUSH(txn->arena, &txn->diag, &answer.matches, match));
        TRY(item->patient.n == 0
                ? OK
                : ARENA_PUSH(txn->arena, &txn->diag, &in->outcomes[0].patients, item->patient));
    }
    return pdq_answer_write(&asked->query, &answer, span_of_cstr(in->node->config->community),
                            clock_wall_us(in->node->clock), &in->payload, &txn->diag);
}

static struct status
add_unknown_domains(struct inbound *in, const struct demographics *asked,
                    struct hl7_detail_list *details)
{
    struct txn *txn = &in->txn;

    for (size_t i = 0; asked->is_known != NULL && i < asked->query.domains.n; i++) {
        struct hl7_detail detail;

        if (!asked->is_known[i]) {
            TRY(pdq_unknown_domain(&asked->query.domains.items[i], txn->arena, &txn->diag,
                                   &detail));
            TRY(ARENA_PUSH(txn->arena, &txn->diag, details, detail));
        }
    }
    return OK;
}

struct status
demographics_refuse(struct inbound *in, enum err code)
{
    const struct demographics *asked = in->work;
    struct txn *txn = &in->txn;
    struct xcpd_answer answer = {.result = XCPD_ERROR};

    if (asked == NULL) {
        return FAIL(&txn->diag, code, "no query to answer");
    }
    if (code == ERR_UNKNOWN_DOMAIN) {
        TRY(add_unknown_domains(in, asked, &answer.details));
    } else {
        const bool is_unknown = code == ERR_UNKNOWN_CONTINUATION;
        const struct hl7_detail detail = {
            .code = {.value = is_unknown ? SPAN(HL7_DETAIL_UNKNOWN_KEY) : SPAN(HL7_DETAIL_INTERNAL),
                     .scheme = is_unknown ? SPAN_EMPTY : SPAN(HL7_DETAIL_SYSTEM)},
            .text = span_of_cstr(err_public_text(code)),
        };

        TRY(ARENA_PUSH(txn->arena, &txn->diag, &answer.details, detail));
    }
    return pdq_answer_write(&asked->query, &answer, span_of_cstr(in->node->config->community),
                            clock_wall_us(in->node->clock), &in->payload, &txn->diag);
}

/* ---- our own store ---- */

/* REQ: ITI47-matches */
struct status
demographics_ask_store(struct asking *asking, struct leg *leg, enum answer *ret_answer)
{
    struct store_people people = {0};

    TRY(store_find_people(asking->node->store, &asking->order.who, STORE_PEOPLE_MAX,
                          &asking->txn.park, leg->arena, &leg->diag, ret_answer, &people));
    for (size_t i = 0; *ret_answer == ANSWER_NOW && i < people.n; i++) {
        const struct xcpd_match match = {.home = span_of_cstr(asking->node->config->community),
                                         .patient = people.items[i],
                                         .degree = -1};

        TRY(ARENA_PUSH(leg->arena, &leg->diag, &leg->matches, match));
    }
    leg->result = leg->matches.n > 0 ? XCPD_MATCH : XCPD_NONE;
    return OK;
}
