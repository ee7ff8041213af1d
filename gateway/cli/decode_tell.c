/*
 * Everything that `isthmus decode` has to say, in notes: what the file is, what the message says,
 * each check, and the verdict. Called by cmd_decode.c on the main thread.
 */
#include <stdio.h>
#include <string.h>

#include "base/datetime.h"
#include "cli/decode.h"

#define SKEW_US     (60 * US_PER_S) /* without a configuration: its defaults */
#define LIFETIME_US (3600 * US_PER_S)

/* ---- the file ---- */

static void
tell_capture(const struct decode *decode, struct notes *notes)
{
    static const char *const kinds[] = {[CAPTURE_BARE] = "a message without HTTP",
                                        [CAPTURE_REQUEST] = "an HTTP request",
                                        [CAPTURE_ANSWER] = "an HTTP answer"};
    const struct capture *const capture = &decode->capture;
    struct note *const section = note_object(notes, &notes->top, "file");

    note_cstr(notes, section, "holds", kinds[capture->kind]);
    note_text(notes, section, "first_line", span_slice(capture->first_line, 0, 200));
    note_text(notes, section, "content_type", span_slice(capture->content_type, 0, 300));
    if (capture->is_type_guessed) {
        note_cstr(notes, section, "content_type_from", "a guess: the file has none");
    }
    if (capture->is_chunked) {
        note_bool(notes, section, "chunked", true);
    }
    note_int(notes, section, "body_bytes", (int64_t)capture->body.n);
    note_text(notes, section, "problem", capture->note);
}

/* ---- whose keys, and who it may be ---- */

static struct status
collect_keys(const struct config *config, struct arena *arena, struct diag *diag,
             struct explain_key **ret_keys, size_t *ret_n)
{
    size_t n = 0;

    *ret_keys = NULL;
    *ret_n = 0;
    for (size_t i = 0; config != NULL && i < config->partners_n; i++) {
        n += config->partners[i].signing_n;
    }
    if (n == 0) {
        return OK;
    }
    TRY(ARENA_ARRAY(arena, n, diag, ret_keys));
    for (size_t i = 0; i < config->partners_n; i++) {
        for (size_t k = 0; k < config->partners[i].signing_n; k++) {
            (*ret_keys)[(*ret_n)++] =
                (struct explain_key){config->partners[i].signing[k], config->partners[i].id};
        }
    }
    return OK;
}

static void
find_partner(struct decode *decode)
{
    const struct explain_claims claims = explain_claims(decode->explanation);

    if (decode->config == NULL || decode->partner != NULL) {
        decode->why_partner = decode->partner != NULL ? "as you say" : NULL;
        return;
    }
    if (decode->signer != NULL) {
        decode->partner = config_partner_of_id(decode->config, span_of_cstr(decode->signer->owner));
        decode->why_partner = "its key signed the assertion";
    }
    if (decode->partner == NULL && claims.community.n > 0) {
        decode->partner = config_partner_of_community(decode->config, claims.community);
        decode->why_partner = "the assertion names its community";
    }
}

/* ---- checks ---- */

static struct status
tell_checks_alone(const struct decode *decode, struct notes *notes, struct diag *diag)
{
    const struct security_rules rules = {
        .now_us = decode->now_us, .clock_skew_us = SKEW_US, .max_lifetime_us = LIFETIME_US};
    struct note *const list = note_list(notes, &notes->top, "checks");
    const char *const needs = "needs a configuration: say -c FILE";

    explain_unchecked(notes, list, "TLS certificate", needs);
    const struct diag *const problem = explain_problem(decode->explanation);
    explain_check(notes, list, "message",
                  (struct status){problem == NULL ? ERR_NONE : problem->code}, problem);
    TRY(explain_checks(decode->explanation, &rules, needs, notes, list, diag));
    explain_unchecked(notes, list, "partner's record", needs);
    explain_unchecked(notes, list, "policy", needs);
    return OK;
}

/* An answer: what it says of itself. That it answers our question, only the question could tell. */
static struct status
tell_checks_of_answer(const struct decode *decode, struct arena *arena, struct notes *notes,
                      struct diag *diag)
{
    const struct explain_claims claims = explain_claims(decode->explanation);
    const struct message_limits limits = message_limits_answer();
    struct note *const list = note_list(notes, &notes->top, "checks");
    struct message *message = NULL;
    struct diag why = {0};
    struct status st = message_read(decode->capture.body, decode->capture.content_type, &limits,
                                    arena, &why, &message);

    if (st.code == ERR_NO_MEMORY) {
        return FAIL(diag, st.code, "%s", why.text);
    }
    explain_check(notes, list, "message", st, &why);
    if (is_ok(st) && claims.has_transaction) {
        const struct answer_check check = {
            .transaction = claims.transaction,
            .request_message_id = message_addressing(message)->relates_to,
            .now_us = decode->now_us,
            .clock_skew_us = decode->config == NULL ? SKEW_US : decode->config->clock_skew_us,
        };
        st = message_check_answer(message, &check, arena, &why);
        explain_check(notes, list, "action, payload, times", st, &why);
    }
    explain_unchecked(notes, list, "it answers our request", "needs the request");
    explain_unchecked(notes, list, "SignatureConfirmation", "needs the request");
    explain_unchecked(notes, list, "TLS certificate",
                      "a capture does not hold it; of an answer it proves who sent it");
    return OK;
}

/* ---- the verdict ---- */

static void
note_outcome(const struct outcome *outcome, struct notes *notes, struct note *section)
{
    const enum err code = outcome->status.code;

    note_cstr(notes, section, "verdict", code == ERR_NONE ? "accepted" : "refused");
    if (code != ERR_NONE) {
        note_cstr(notes, section, "error", err_name(code));
        note_printf(notes, section, "reason", "%s", outcome->diag.text);
        note_cstr(notes, section, "refused_at", outcome->stage);
        note_cstr(notes, section, "public_text", err_public_text(code));
    }
    note_cstr(notes, section, "answered", outcome->answered);
    note_int(notes, section, "http_status", outcome->http_status);
    note_printf(notes, section, "fault_code", "%s", outcome->fault_code);
    if (outcome->is_decided) {
        note_cstr(notes, section, "policy",
                  outcome->decision.verdict == POLICY_PERMIT ? "permit" : "deny");
        note_printf(notes, section, "policy_rule", "%s", outcome->decision.rule);
        note_printf(notes, section, "policy_reason", "%s", outcome->decision.reason);
        for (size_t i = 0; i < outcome->decision.withhold_n; i++) {
            note_word(notes, section, "withheld",
                      span_of_cstr(outcome->decision.withhold_confidentiality[i]));
        }
    }
}

/* Age: what would have been said when the Timestamp was made. */
static struct status
tell_age(const struct decode *decode, const struct question *question, struct notes *notes,
         struct note *section, struct diag *diag, int64_t *ret_judged_us)
{
    const struct explain_claims claims = explain_claims(decode->explanation);
    struct outcome before;

    if (!claims.has_created || claims.created_us == decode->now_us) {
        return OK;
    }
    TRY(judge_request(question, claims.created_us, diag, &before));
    struct note *const then = note_object(notes, section, "when_it_was_made");
    explain_time(notes, then, "time", claims.created_us, decode->now_us);
    note_outcome(&before, notes, then);
    if (is_ok(before.status)) {
        note_cstr(notes, section, "only_its_age",
                  "nothing but its age is wrong: it was acceptable when it was made");
    }
    *ret_judged_us = claims.created_us;
    return OK;
}

static struct status
tell_relaxations(const struct question *question, int64_t at_us, struct notes *notes,
                 struct note *section, struct diag *diag)
{
    struct outcome outcome;
    struct span text = SPAN_EMPTY;

    TRY(judge_request(question, at_us, diag, &outcome));
    if (is_ok(outcome.status) || question->partner == NULL) {
        return OK;
    }
    TRY(judge_relaxations(question, at_us, notes->arena, diag, &text));
    note_text(notes, section, "would_be_accepted_with",
              text.n > 0 ? text : SPAN("nothing that can be relaxed in the partner's file"));
    return OK;
}

static struct status
tell_verdict(const struct decode *decode, const struct question *question, struct notes *notes,
             struct diag *diag)
{
    struct note *const section = note_object(notes, &notes->top, "verdict");
    int64_t judged_us = decode->now_us;
    struct outcome outcome;

    TRY(judge_request(question, decode->now_us, diag, &outcome));
    explain_time(notes, section, "time_of_check", decode->now_us, decode->now_us);
    note_cstr(notes, section, "partner", decode->partner == NULL ? "unknown" : decode->partner->id);
    note_cstr(notes, section, "partner_because",
              decode->partner == NULL ? "no key and no community fits; say --as-partner OID"
                                      : decode->why_partner);
    if (decode->signer != NULL && decode->partner != NULL &&
        strcmp(decode->signer->owner, decode->partner->id) != 0) {
        note_printf(notes, section, "beware", "partner '%s' signed the assertion, and not '%s'",
                    decode->signer->owner, decode->partner->id);
    }
    note_outcome(&outcome, notes, section);
    if (!is_ok(outcome.status)) {
        TRY(tell_age(decode, question, notes, section, diag, &judged_us));
        TRY(tell_relaxations(question, judged_us, notes, section, diag));
    }
    return OK;
}

static struct status
tell_no_verdict(const struct decode *decode, const char *why, struct notes *notes)
{
    struct note *const section = note_object(notes, &notes->top, "verdict");

    explain_time(notes, section, "time_of_check", decode->now_us, decode->now_us);
    note_cstr(notes, section, "verdict", "open");
    note_cstr(notes, section, "reason", why);
    return OK;
}

/* ---- all together ---- */

static struct question
ask(const struct decode *decode)
{
    const struct explain_claims claims = explain_claims(decode->explanation);
    struct question question = {
        .config = decode->config,
        .partner = decode->partner,
        .capture = &decode->capture,
        .path = decode->capture.path,
    };

    if (question.path.n == 0 && claims.has_transaction) {
        question.path = span_of_cstr(soap_transaction(claims.transaction)->path);
    }
    return question;
}

static bool
is_answer(const struct decode *decode)
{
    const struct explain_claims claims = explain_claims(decode->explanation);

    return decode->capture.kind == CAPTURE_ANSWER || claims.kind == EXPLAIN_ANSWER ||
           claims.kind == EXPLAIN_FAULT;
}

struct status
decode_tell(struct decode *decode, struct arena *arena, struct notes *notes, struct diag *diag)
{
    struct explain_key *keys = NULL;
    size_t keys_n = 0;

    TRY(explain_read(decode->capture.body, decode->capture.content_type, arena, diag,
                     &decode->explanation));
    TRY(collect_keys(decode->config, arena, diag, &keys, &keys_n));
    tell_capture(decode, notes);
    explain_shape(decode->explanation, notes);
    TRY(explain_signatures(decode->explanation, keys, keys_n, notes, diag, &decode->signer));
    find_partner(decode);
    const struct question question = ask(decode);
    if (is_answer(decode)) {
        TRY(tell_checks_of_answer(decode, arena, notes, diag));
    } else if (decode->config == NULL) {
        TRY(tell_checks_alone(decode, notes, diag));
    } else {
        TRY(judge_tell_checks(&question, decode->explanation, decode->now_us, notes, diag));
    }
    TRY(explain_assertion(decode->explanation, decode->now_us, notes, diag));
    TRY(explain_payload(decode->explanation, notes, diag));
    if (is_answer(decode)) {
        return tell_no_verdict(decode, "only with its request can an answer be judged", notes);
    }
    if (decode->config == NULL) {
        return tell_no_verdict(decode,
                               "without a configuration (-c FILE) nobody's keys are known; what "
                               "the message brings itself proves nothing",
                               notes);
    }
    return tell_verdict(decode, &question, notes, diag);
}
