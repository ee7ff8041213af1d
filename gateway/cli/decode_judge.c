/*
 * What the gateway would answer to a captured request, by the functions that it answers with.
 * Called by decode_tell.c on the main thread. The TLS connection cannot be captured: it is assumed
 * to have been that of one partner, and everything else is computed. What is not decided by one
 * message alone (replay, the store) is said to be open.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/decode.h"
#include "soap/envelope.h"
#include "soap/idtoken.h"
#include "soap/xca.h"
#include "soap/xcpd.h"
#include "soap/xdr.h"
#include "txn/binding.h"
#include "txn/inbound.h"

#define FAULT_MAX ((size_t)64 * 1024)

/* ---- the peer ---- */

/* A certificate with nothing but what a partner's record looks for. */
static struct status
assume_peer(const struct partner *partner, struct arena *arena, struct diag *diag,
            const struct certificate **ret_peer)
{
    struct certificate *peer = NULL;
    struct span name = SPAN_EMPTY;

    *ret_peer = NULL;
    if (partner == NULL) {
        return OK;
    }
    TRY(ARENA_NEW(arena, diag, &peer));
    peer->subject = (char *)"assumed";
    if (partner->identity == PARTNER_IDENTITY_CERTIFICATE && partner->tls_sha256.n > 0) {
        (void)snprintf(peer->sha256, sizeof(peer->sha256), "%s", partner->tls_sha256.items[0]);
    } else if (partner->tls_names.n > 0) {
        TRY(arena_dup(arena, span_of_cstr(partner->tls_names.items[0]), diag, &name));
        peer->dns[0] = (char *)name.p;
        peer->dns_n = 1;
    }
    *ret_peer = peer;
    return OK;
}

/* ---- after the proof ---- */

static struct status
read_payload(const struct proof *proof, const struct idtoken_claims *claims, struct arena *arena,
             struct diag *diag)
{
    struct xcpd_query discovery;
    struct stored_query query;
    struct document_ref_list refs = {0};
    struct provide_request request;

    switch (proof->transaction) {
    case SOAP_ITI_38:
    case SOAP_ITI_18:
        return stored_query_read(proof->message, arena, diag, &query);
    case SOAP_ITI_39:
    case SOAP_ITI_43:
        return retrieve_query_read(proof->message, arena, diag, &refs);
    case SOAP_ITI_41:
    case SOAP_ITI_80:
        TRY(provide_request_read(proof->message, arena, diag, &request));
        provide_request_done(&request);
        return OK;
    case SOAP_ITI_55:
    case SOAP_ITI_55_DEFERRED:
        break;
    case SOAP_ITI_55_RESPONSE:
    case SOAP_ITI_56:
    case SOAP_ITI_47:
    case SOAP_ITI_47_CONTINUE:
    case SOAP_ITI_47_CANCEL:
    case SOAP_ITI_45:
    case SOAP_TRANSACTION_COUNT:
        return FAIL(diag, ERR_WSA_ACTION, "%s is not answered here",
                    soap_transaction(proof->transaction)->name);
    }
    TRY(xcpd_query_read(proof->message, arena, diag, &discovery));
    TRY(xcpd_query_check_mode(&discovery, SOAP_ITI_55, diag));
    return claims == NULL ? OK : idtoken_compare(claims, &discovery.subject, arena, diag);
}

static struct status
decide(const struct question *question, struct arena *arena, struct diag *diag,
       struct outcome *outcome)
{
    struct inbound *in = NULL;

    TRY(ARENA_NEW(arena, diag, &in));
    in->proof = outcome->proof;
    const struct policy_facts facts = inbound_policy_facts(in);
    outcome->decision = policy_decide(question->config->policy, &facts);
    outcome->is_decided = true;
    return outcome->decision.verdict == POLICY_PERMIT
               ? OK
               : FAIL(diag, ERR_POLICY_DENIED, "rule '%s': %s", outcome->decision.rule,
                      outcome->decision.reason);
}

/* In the order of inbound.c. */
static struct status
run(const struct question *question, int64_t now_us, struct arena *arena, struct diag *diag,
    struct outcome *outcome)
{
    const struct idtoken_claims *claims = NULL;
    struct proof_request request = {.path = question->path,
                                    .content_type = question->capture->content_type,
                                    .body = question->capture->body};

    outcome->stage = "HTTP";
    if (question->capture->http.code != ERR_NONE) {
        return FAIL(diag, question->capture->http.code, "%s", question->capture->http.text);
    }
    outcome->stage = "proof";
    TRY(assume_peer(question->partner, arena, diag, &request.peer));
    TRY(proof_take(&outcome->proof, question->config, &request, now_us, arena, diag));
    outcome->stage = "individual";
    TRY(individual_prove(question->config, &outcome->proof.saml, now_us, arena, diag, &claims));
    outcome->stage = "payload";
    TRY(read_payload(&outcome->proof, claims, arena, diag));
    outcome->stage = "policy";
    return decide(question, arena, diag, outcome);
}

/* ---- how it would be answered ---- */

/* The fault as it is written, read as partners read it. */
static struct status
read_fault_code(const struct outcome *outcome, struct arena *arena, struct diag *diag,
                char ret_code[64])
{
    const struct message_limits limits = message_limits_answer();
    CLEANUP(buf_done) struct buf envelope;
    struct message *fault = NULL;
    struct span code;
    struct span reason;
    struct span copy;

    buf_init(&envelope, FAULT_MAX);
    TRY(envelope_write_refusal(outcome->status.code, outcome->proof.message, SPAN("decode"),
                               &envelope, diag));
    TRY(arena_dup(arena, buf_span(&envelope), diag, &copy));
    TRY(message_read(copy, SPAN(SOAP_CONTENT_TYPE), &limits, arena, diag, &fault));
    message_fault(fault, &code, &reason);
    (void)snprintf(ret_code, 64, "%.*s", SPAN_PRINT(span_slice(code, 0, 63)));
    return OK;
}

static struct status
find_answer(struct arena *arena, struct diag *diag, struct outcome *outcome)
{
    const enum err code = outcome->status.code;

    outcome->fault_code[0] = '\0';
    if (code == ERR_NONE || inbound_is_answered_inside(&outcome->proof, code)) {
        outcome->http_status = 200;
        outcome->answered = code == ERR_NONE ? "by the transaction" : "inside the protocol";
        return OK;
    }
    if (err_fault(code) == ERR_FAULT_PLAIN) {
        outcome->http_status = err_http_status(code);
        outcome->answered = "one line of text";
        return OK;
    }
    outcome->http_status = inbound_fault_status(outcome->proof.partner, code);
    outcome->answered = "SOAP fault";
    return read_fault_code(outcome, arena, diag, outcome->fault_code);
}

struct status
judge_request(const struct question *question, int64_t now_us, struct diag *diag,
              struct outcome *ret_outcome)
{
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct outcome outcome = {.stage = ""};

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of the verdict");
    }
    outcome.status = run(question, now_us, arena, &outcome.diag, &outcome);
    const struct status st = outcome.status.code == ERR_NO_MEMORY
                                 ? FAIL(diag, ERR_NO_MEMORY, "%s", outcome.diag.text)
                                 : find_answer(arena, diag, &outcome);
    arena_free(arena);
    *ret_outcome = outcome;
    return st;
}

/* ---- relaxations ---- */

static struct status
name_relaxations(const struct partner *partner, const struct saml_facts *facts, int64_t now_us,
                 struct arena *arena, struct diag *diag, struct span *ret_text)
{
    struct span text = SPAN_EMPTY;

    for (size_t i = 0; i < RELAX_COUNT; i++) {
        const uint32_t bit = DIALECT_BIT(i);

        if ((facts->omitted & bit) != 0 && (partner->relaxed & bit) == 0) {
            TRY(arena_printf(
                arena, diag, &text, "%.*s%s%s", SPAN_PRINT(text),
                text.n > 0 ? ", " : "may_omit: ", dialect_name((enum dialect_relaxation)i)));
        }
    }
    if (!facts->is_holder_of_key && !partner->may_use_bearer) {
        TRY(arena_printf(arena, diag, &text, "%.*s%sconfirmation: [holder-of-key, bearer]",
                         SPAN_PRINT(text), text.n > 0 ? "; " : ""));
    }
    if (facts->has_sha1 && !partner_may_sha1(partner, now_us)) {
        TRY(arena_printf(arena, diag, &text, "%.*s%ssha1_until: a date to come", SPAN_PRINT(text),
                         text.n > 0 ? "; " : ""));
    }
    *ret_text = text;
    return OK;
}

/* With everything relaxed: what was needed of it is what the facts say. */
struct status
judge_relaxations(const struct question *question, int64_t now_us, struct arena *arena,
                  struct diag *diag, struct span *ret_text)
{
    struct config config = *question->config;
    struct question relaxed = *question;
    struct partner *partners = NULL;
    struct outcome outcome;

    *ret_text = SPAN_EMPTY;
    if (question->partner == NULL) {
        return OK;
    }
    const size_t at = (size_t)(question->partner - config.partners);
    TRY(ARENA_ARRAY(arena, config.partners_n, diag, &partners));
    memcpy(partners, config.partners, config.partners_n * sizeof(*partners));
    partners[at].relaxed = UINT32_MAX;
    partners[at].may_use_bearer = true;
    partners[at].sha1_until_us = INT64_MAX;
    config.partners = partners;
    relaxed.config = &config;
    relaxed.partner = &partners[at];
    TRY(judge_request(&relaxed, now_us, diag, &outcome));
    return is_ok(outcome.status) ? name_relaxations(question->partner, &outcome.proof.saml, now_us,
                                                    arena, diag, ret_text)
                                 : OK;
}

/* ---- one by one ---- */

struct checker {
    const struct question *question;
    int64_t now_us;
    struct arena *arena;
    struct notes *notes;
    struct note *list;
    struct proof proof;
};

static void
check_http(const struct checker *checker)
{
    const struct capture *const capture = checker->question->capture;

    if (capture->kind != CAPTURE_REQUEST) {
        explain_unchecked(checker->notes, checker->list, "HTTP", "needs the head of the request");
    } else if (capture->has_bare_lf) {
        explain_unchecked(checker->notes, checker->list, "HTTP",
                          "the file's line ends are not those of HTTP: saved as text");
    } else {
        explain_check(checker->notes, checker->list, "HTTP", (struct status){capture->http.code},
                      &capture->http);
    }
}

static struct status
check_peer(struct checker *checker, struct diag *diag)
{
    const struct certificate *peer = NULL;
    struct diag why = {0};

    if (checker->question->partner == NULL) {
        explain_unchecked(checker->notes, checker->list, "TLS certificate",
                          "needs a partner: say --as-partner");
        return OK;
    }
    TRY(assume_peer(checker->question->partner, checker->arena, diag, &peer));
    const struct status st = proof_peer(&checker->proof, checker->question->config, peer, &why);
    if (is_ok(st)) {
        explain_unchecked(checker->notes, checker->list, "TLS certificate",
                          "a capture does not hold it: the partner's is assumed");
    } else {
        explain_check(checker->notes, checker->list, "TLS certificate", st, &why);
    }
    return OK;
}

static void
check_message(struct checker *checker)
{
    const struct question *const question = checker->question;
    const struct body body = body_over(question->capture->body);
    struct diag why = {0};
    const struct status st = proof_message(&checker->proof, question->config, NULL, &body,
                                           question->capture->content_type, checker->arena, &why);

    explain_check(checker->notes, checker->list, "message", st, &why);
    if (!is_ok(st)) {
        explain_unchecked(checker->notes, checker->list, "transaction", "needs a message");
        explain_unchecked(checker->notes, checker->list, "address", "needs a message");
        return;
    }
    diag_clear(&why);
    const struct partner *const partner = question->partner;
    const struct message_replies replies = {
        partner == NULL ? NULL : partner->replies.asynchronous.items,
        partner == NULL ? 0 : partner->replies.asynchronous.n,
    };
    const struct status route =
        message_transaction_replying(checker->proof.message, question->path, &replies, &why,
                                     &checker->proof.transaction, &checker->proof.reply_to);
    explain_check(checker->notes, checker->list, "transaction", route, &why);
    diag_clear(&why);
    const struct status to = binding_check_to(
        question->config, message_addressing(checker->proof.message)->to, question->path, &why);
    explain_check(checker->notes, checker->list, "address", to, &why);
    checker->proof.is_routed = is_ok(route) && is_ok(to);
}

/* The rows of soap/, under the partner's rules, or under the node's alone. */
static struct status
check_security(struct checker *checker, const struct explanation *explanation, struct diag *diag)
{
    const struct config *const config = checker->question->config;
    const struct partner nobody = {.id = "nobody"};
    const struct partner *const partner =
        checker->question->partner == NULL ? &nobody : checker->question->partner;
    struct security_rules rules;

    TRY(binding_rules(config, partner, checker->now_us, checker->arena, diag, &rules));
    return explain_checks(explanation, &rules,
                          checker->question->partner == NULL ? "needs a partner: say --as-partner"
                                                             : "the partner has no key registered",
                          checker->notes, checker->list, diag);
}

/* What a proven assertion allows; proven at this time, or at the Timestamp's. */
static struct status
check_binding(const struct checker *checker, const struct saml_facts *facts)
{
    struct diag why = {0};
    const struct status st =
        binding_check_assertion(checker->question->config, checker->proof.partner, facts, &why);

    explain_check(checker->notes, checker->list, "partner's record", st, &why);
    return st;
}

static struct status
check_after(struct checker *checker, const struct saml_facts *facts, struct diag *diag)
{
    const struct config *const config = checker->question->config;
    const struct idtoken_claims *claims = NULL;
    struct diag why = {0};
    struct outcome outcome = {.proof = checker->proof};

    explain_unchecked(checker->notes, checker->list, "replay",
                      "one message alone cannot tell whether it came before");
    const struct status who =
        individual_prove(config, facts, checker->now_us, checker->arena, &why, &claims);
    explain_check(checker->notes, checker->list, "individual's id_token", who, &why);
    if (!checker->proof.is_routed) {
        explain_unchecked(checker->notes, checker->list, "payload", "needs a transaction");
        explain_unchecked(checker->notes, checker->list, "policy", "needs a transaction");
        return OK;
    }
    diag_clear(&why);
    const struct status read = read_payload(&checker->proof, claims, checker->arena, &why);
    explain_check(checker->notes, checker->list, "payload", read, &why);
    diag_clear(&why);
    outcome.proof.saml = *facts;
    const struct status allowed = decide(checker->question, checker->arena, &why, &outcome);
    explain_check(checker->notes, checker->list, "policy", allowed, &why);
    return who.code == ERR_NO_MEMORY || read.code == ERR_NO_MEMORY
               ? FAIL(diag, ERR_NO_MEMORY, "memory of the checks")
               : OK;
}

static void
skip_after(const struct checker *checker)
{
    static const char *const names[] = {"partner's record", "replay", "individual's id_token",
                                        "payload", "policy"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        explain_unchecked(checker->notes, checker->list, names[i],
                          "needs a proven assertion of a known partner");
    }
}

/* Facts are those of a verified assertion only: now, or, when it has expired, as it was when the
 * Timestamp was made. */
static struct status
find_facts(struct checker *checker, const struct explanation *explanation, struct diag *diag,
           struct saml_facts *ret_facts, bool *ret_has_facts)
{
    const struct explain_claims claims = explain_claims(explanation);
    const int64_t times[] = {checker->now_us, claims.created_us};

    *ret_has_facts = false;
    for (size_t i = 0; i < (claims.has_created ? 2U : 1U) && !*ret_has_facts; i++) {
        const struct verified_view *view = NULL;
        struct security_rules rules;
        struct diag why = {0};

        if (checker->proof.partner == NULL || checker->proof.message == NULL) {
            return OK;
        }
        TRY(binding_rules(checker->question->config, checker->proof.partner, times[i],
                          checker->arena, diag, &rules));
        *ret_has_facts =
            is_ok(security_verify(checker->proof.message, &rules, checker->arena, &why, &view)) &&
            is_ok(saml_read(view, checker->arena, &why, ret_facts));
        checker->now_us = *ret_has_facts ? times[i] : checker->now_us;
    }
    return OK;
}

struct status
judge_tell_checks(const struct question *question, const struct explanation *explanation,
                  int64_t now_us, struct notes *notes, struct diag *diag)
{
    struct checker checker = {
        .question = question,
        .now_us = now_us,
        .arena = notes->arena,
        .notes = notes,
        .list = note_list(notes, &notes->top, "checks"),
    };
    struct saml_facts facts;
    bool has_facts = false;

    check_http(&checker);
    TRY(check_peer(&checker, diag));
    check_message(&checker);
    TRY(check_security(&checker, explanation, diag));
    TRY(find_facts(&checker, explanation, diag, &facts, &has_facts));
    if (!has_facts) {
        skip_after(&checker);
        return OK;
    }
    (void)check_binding(&checker, &facts);
    return check_after(&checker, &facts, diag);
}
