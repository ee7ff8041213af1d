/*
 * ITI-47 Patient Demographics Query of a local system: everybody of our own sources of whom what is
 * asked for holds, and, where the system's entry says so, whom the partners know by it. One
 * RegistrationEvent for each, its custodian the community whose ids it has. Steps of local.c, on
 * workers. Source: ITI TF-2 3.47.
 *
 * An answer of more than initialQuantity is given in parts (continued.h).
 */
#include <string.h>

#include "base/mem.h"
#include "store/correlation.h"
#include "txn/demographics.h"

#define SUBJECT_BYTES ((size_t)4 * 1024 * 1024)

/* ---- the question ---- */

static bool
is_whole_text(struct span text)
{
    return span_trim(text).n > 0 && span_find_char(text, '*') == SPAN_MISSING;
}

static bool
is_whole_name(const struct person_name *name)
{
    return is_whole_text(name->family) && name->given.n > 0 &&
           is_whole_text(name->given.items[0]) &&
           span_find(name->use, SPAN("SRCH")) == SPAN_MISSING;
}

/* What ITI-55 needs, which is about one person: the whole name and the birth date. Partners are
 * told of nobody for less. */
/* REQ: ITI47-partners */
static bool
is_about_one(const struct patient *subject)
{
    for (size_t i = 0; i < subject->names.n; i++) {
        if (!is_whole_name(&subject->names.items[i])) {
            return false;
        }
    }
    return subject->names.n > 0 && subject->birth_time.n >= strlen("YYYYMMDD");
}

static enum txn_verdict
read_query(struct inbound *in)
{
    struct local *local = (struct local *)in;
    struct txn *txn = &in->txn;
    struct demographics *asked;

    TXN_TRY(ARENA_NEW(txn->arena, &txn->diag, &asked));
    TXN_TRY(xcpd_query_frame(in->proof.message, txn->arena, &txn->diag, &asked->query));
    in->work = asked; /* a refusal can name it */
    TXN_TRY(records_query_id(txn->arena, &asked->query.query_id, &txn->diag, &in->event.query_id));
    in->event.query = asked->query.query_xml;
    TXN_TRY(pdq_query_read(in->proof.message, txn->arena, &txn->diag, &asked->query));
    if (asked->query.receiver_home.n > 0 &&
        !config_is_own_community(in->node->config, asked->query.receiver_home)) {
        (void)FAIL(&txn->diag, ERR_UNKNOWN_COMMUNITY,
                   "the receiver of the query is community '%.*s', which is not ours",
                   SPAN_PRINT(asked->query.receiver_home));
        return TXN_FAILED;
    }
    local->order.goal = ASKING_DISCOVER;
    local->order.is_search = true;
    local->order.who = asked->query.subject;
    local->order.is_own_only =
        !local->system->asks_partners_47 || !is_about_one(&asked->query.subject);
    return TXN_DONE;
}

/* ---- the domains ---- */

static bool
is_of_source(const struct config *config, struct span root)
{
    for (size_t i = 0; i < config->sources_n; i++) {
        if (config->sources[i].patient_authority != NULL &&
            span_eq_cstr(root, config->sources[i].patient_authority)) {
            return true;
        }
    }
    return false;
}

static struct status
judge_domains(struct inbound *in, struct demographics *asked, bool *is_known)
{
    const struct hl7_domain_list *domains = &asked->query.domains;
    size_t unknown = 0;

    for (size_t i = 0; i < domains->n; i++) {
        is_known[i] = is_known[i] || is_of_source(in->node->config, domains->items[i].root);
        unknown += is_known[i] ? 0 : 1;
    }
    asked->is_known = is_known;
    return unknown == 0 ? OK
                        : FAIL(&in->txn.diag, ERR_UNKNOWN_DOMAIN,
                               "%zu of %zu otherIDsScopingOrganization values are no assigning "
                               "authority of any identifier known here",
                               unknown, domains->n);
}

/* REQ: ITI47-unknown-domain */
static enum txn_verdict
check_domains(struct inbound *in)
{
    struct txn *txn = &in->txn;
    struct demographics *asked = in->work;
    const size_t n = asked->query.domains.n;
    enum txn_verdict verdict = n == 0 ? TXN_DONE : txn_may_ask(txn);
    enum answer answer = ANSWER_NOW;
    struct span *roots;
    bool *is_known;
    struct status st;

    if (n == 0 || verdict != TXN_DONE) {
        return verdict;
    }
    TXN_TRY(ARENA_ARRAY(txn->arena, n, &txn->diag, &roots));
    TXN_TRY(ARENA_ARRAY(txn->arena, n, &txn->diag, &is_known));
    for (size_t i = 0; i < n; i++) {
        roots[i] = asked->query.domains.items[i].root;
    }
    txn_expect(txn);
    st = store_knows_domains(in->node->store, roots, n, &txn->park, &txn->diag, &answer, is_known);
    verdict = txn_settle(txn, st, answer);
    if (verdict == TXN_DONE) {
        TXN_TRY(judge_domains(in, asked, is_known));
    }
    return verdict;
}

/* ---- the answer ---- */

static bool
is_wanted(const struct hl7_domain_list *domains, struct span root)
{
    for (size_t i = 0; i < domains->n; i++) {
        if (span_eq(domains->items[i].root, root)) {
            return true;
        }
    }
    return domains->n == 0;
}

static bool
has_id_of(const struct ident_list *ids, struct span root)
{
    for (size_t i = 0; i < ids->n; i++) {
        if (span_eq(ids->items[i].root, root)) {
            return true;
        }
    }
    return false;
}

static bool
is_listed(const struct span_list *list, struct span root)
{
    for (size_t i = 0; i < list->n; i++) {
        if (span_eq(list->items[i], root)) {
            return true;
        }
    }
    return false;
}

static struct status
note_missing(struct txn *txn, const struct hl7_domain_list *domains, struct xcpd_match *match)
{
    for (size_t i = 0; i < domains->n; i++) {
        const struct span root = domains->items[i].root;

        if (!has_id_of(&match->patient.ids, root) && !is_listed(&match->missing_domains, root)) {
            TRY(ARENA_PUSH(txn->arena, &txn->diag, &match->missing_domains, root));
        }
    }
    return OK;
}

/* Only ids of the domains that were asked for, and which of these have none. Who has none at all is
 * given without: somebody may look for the demographics. */
/* REQ: ITI47-domains */
static struct status
restrict_ids(struct txn *txn, const struct hl7_domain_list *domains, struct xcpd_match *match)
{
    const struct patient all = match->patient;
    const struct ident none = {0};

    if (domains->n == 0) {
        return OK;
    }
    match->patient.ids = (struct ident_list){0};
    match->patient.scopes = (struct id_scope_list){0};
    for (size_t i = 0; i < all.ids.n; i++) {
        if (is_wanted(domains, all.ids.items[i].root)) {
            TRY(ARENA_PUSH(txn->arena, &txn->diag, &match->patient.ids, all.ids.items[i]));
        }
    }
    TRY(note_missing(txn, domains, match));
    return match->patient.ids.n > 0 ? OK
                                    : ARENA_PUSH(txn->arena, &txn->diag, &match->patient.ids, none);
}

static struct status
write_item(struct inbound *in, const struct demographics *asked, const struct xcpd_match *match,
           struct continued_item *ret_item)
{
    struct txn *txn = &in->txn;
    CLEANUP(buf_done) struct buf subject;
    struct xcpd_match shown = *match;
    struct continued_item item = {0};
    struct diag ignored = {0}; /* an id that CX cannot write is no reason to keep the answer */

    buf_init_secret(&subject, SUBJECT_BYTES);
    TRY(restrict_ids(txn, &asked->query.domains, &shown));
    TRY(pdq_match_write(&shown, span_of_cstr(in->node->config->community), &subject, &txn->diag));
    TRY(arena_dup(txn->arena, buf_span(&subject), &txn->diag, &item.written));
    if (!is_ok(ident_write_cx(txn->arena, &match->patient.ids.items[0], &ignored, &item.patient))) {
        item.patient = SPAN_EMPTY;
    }
    *ret_item = item;
    return OK;
}

/* A question that our own sources cannot answer is not answered by partners alone: who asks could
 * not know what is missing. */
static struct status
check_own(const struct local *local, bool is_nothing, struct diag *diag)
{
    const struct leg_list *legs = &local->awaited.asking->legs[ASKING_DISCOVER];

    for (size_t i = 0; i < legs->n; i++) {
        const struct leg *leg = &legs->items[i];

        if (leg->diag.code != ERR_NONE && (leg->partner == NULL || is_nothing)) {
            return FAIL(diag, leg->diag.code, "%s", leg->diag.text);
        }
    }
    return OK;
}

/* What is left waits for the continuation. */
/* REQ: ITI47-initial-quantity */
static struct status
keep_rest(struct local *local, const struct demographics *asked,
          const struct continued_query *answer)
{
    const struct inbound *in = &local->in;
    const struct config_continued *continued = &in->node->config->continued;
    const struct continued_limits limits = {continued->queries, continued->bytes,
                                            continued->time_us};
    const struct continued_key key = demographics_key(local, &asked->query.query_id);

    if (in->node->continued == NULL) {
        return FAIL(&local->in.txn.diag, ERR_LIMIT_RESULTS,
                    "the answer has %zu patients, initialQuantity is %u, and this process gives no "
                    "further parts",
                    answer->items.n, asked->query.initial_quantity);
    }
    return continued_keep(in->node->continued, &key, answer, &limits,
                          clock_mono_us(in->node->clock), &local->in.txn.diag);
}

static enum txn_verdict
write_answer(struct inbound *in)
{
    struct local *local = (struct local *)in;
    const struct demographics *asked = in->work;
    const unsigned most = asked->query.initial_quantity;
    struct txn *txn = &in->txn;
    struct continued_query given = {.query_xml = asked->query.query_xml, .quantity = most};
    struct registry_error_list errors;
    struct xcpd_answer found;
    size_t total;

    TXN_TRY(merge_people(asking_merged(local->awaited.asking), &txn->diag, &found, &errors));
    TXN_TRY(check_own(local, found.result == XCPD_ERROR, &txn->diag));
    TXN_TRY(local_note_shortfall(local, false, NULL));
    for (size_t i = 0; i < found.matches.n; i++) {
        struct continued_item item;

        TXN_TRY(write_item(in, asked, &found.matches.items[i], &item));
        TXN_TRY(ARENA_PUSH(txn->arena, &txn->diag, &given.items, item));
    }
    total = given.items.n;
    given.next = most > 0 && most < total ? most : total;
    if (given.next < total) {
        TXN_TRY(keep_rest(local, asked, &given));
    }
    given.items.n = given.next;
    TXN_TRY(demographics_write(in, asked, &given, total));
    return TXN_DONE;
}

const struct responder local_iti47 = {AUDIT_ITI_47, read_query, check_domains, write_answer,
                                      demographics_refuse};
