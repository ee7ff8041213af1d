/*
 * See brokered.h. Steps of a partner's request, on workers; what is here lives in its arena, the
 * asking ends with it.
 */
#include "txn/brokered.h"

#include "txn/behind.h"

bool
brokered_is_needed(const struct inbound *in)
{
    return config_has_external(in->node->config);
}

bool
brokered_may_see(const struct inbound *in, struct span community)
{
    const struct policy_facts facts = inbound_policy_facts(in);

    return behind_is_visible(in->node->config, &facts, community);
}

void
brokered_own_errors(struct registry_error_list *errors, const char *code)
{
    for (size_t i = 0; i < errors->n; i++) {
        if (span_eq_cstr(errors->items[i].code, "XDSUnavailableCommunity")) {
            errors->items[i].code = span_of_cstr(code);
        }
    }
}

static void
release(struct inbound *in)
{
    awaited_done(&in->brokered->awaited);
}

/* NULL when the assertion does not say it. */
static struct status
take_text(struct inbound *in, struct span from, const char **ret_text)
{
    struct span copy;

    if (from.n == 0) {
        return OK;
    }
    TRY(arena_dup(in->txn.arena, from, &in->txn.diag, &copy));
    *ret_text = copy.p;
    return OK;
}

static bool
may_open(const void *arg, struct span patient_id)
{
    return inbound_may_open(arg, patient_id);
}

/* A source that wants an assertion hears from us who asked us. */
static struct status
take_asker(struct inbound *in, struct asking_order *order)
{
    const struct saml_facts *saml = &in->proof.saml;

    TRY(take_text(in, saml->subject_id, &order->user));
    TRY(take_text(in, saml->role.value, &order->role));
    TRY(take_text(in, saml->role.display, &order->role_display));
    TRY(take_text(in, saml->purpose.value, &order->purpose));
    TRY(take_text(in, saml->purpose.scheme, &order->purpose_system));
    TRY(take_text(in, saml->organization, &order->organization));
    TRY(take_text(in, saml->organization_id, &order->organization_id));
    TRY(take_text(in, saml->npi, &order->npi));
    order->acp = saml->acp;
    order->iacp = saml->iacp;
    order->delegator = saml->delegator;
    order->resource_id = saml->resource_id;
    order->id_token = saml->id_token;
    return OK;
}

/* So that nothing goes back to where it came from. */
static struct status
take_way(struct inbound *in, struct asking_order *order)
{
    order->passed = in->passed;
    order->asker_home = in->proof.saml.home_community;
    order->asker_names = in->proof.partner->tls_names;
    return ARENA_PUSH(in->txn.arena, &in->txn.diag, &order->passed, order->asker_home);
}

struct status
brokered_begin(struct inbound *in, struct brokered **ret_brokered)
{
    const int64_t left_us = in->txn.deadline_us - clock_mono_us(in->node->clock);
    struct brokered *brokered;

    TRY(ARENA_NEW(in->txn.arena, &in->txn.diag, &brokered));
    brokered->facts = inbound_policy_facts(in);
    brokered->order = (struct asking_order){
        .timeout_us = left_us > 0 ? left_us : 0,
        .is_own_only = true,
        .is_brokered = true,
        .is_complete = true,
        .facts = &brokered->facts,
        .decision = &in->decision,
        .may_open = in->individual == NULL ? NULL : may_open,
        .may_open_arg = in,
    };
    TRY(take_asker(in, &brokered->order));
    TRY(take_way(in, &brokered->order));
    awaited_init(&brokered->awaited, in);
    in->brokered = brokered;
    in->release = release;
    *ret_brokered = brokered;
    return OK;
}

enum txn_verdict
brokered_ask(struct brokered *brokered)
{
    return awaited_ask(&brokered->awaited, &brokered->order);
}
