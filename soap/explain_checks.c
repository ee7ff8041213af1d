/*
 * What each check of security_verify thinks of a captured message, in its order, going on after a
 * failure. Called by `isthmus decode`. To go on after an assertion's signature that is not right,
 * a view is made here that is not proven; it never leaves this file, and nothing comes out of here
 * but notes.
 */
#include <stdio.h>

#include "certs/certificate.h"
#include "soap/explain_parts.h"
#include "soap/samlrules.h"
#include "soap/sigrules.h"

#define OWN_PROVES_NOTHING "proves nothing: the key came with the message"

/* What a check stands on. */
enum need {
    NEED_KEYS = 1,
    NEED_SECURITY = 2,
    NEED_HEADER = 4,
    NEED_TIMESTAMP = 8,
    NEED_ASSERTION = 16,
    NEED_UNIQUE = 32, /* ids */
    NEED_SHAPE = 64,  /* of the assertion */
    NEED_VIEW = 128,
    NEED_CONFIRMED = 256 /* how the subject is confirmed is known */
};

static const struct {
    enum need need;
    const char *what;
} need_names[] = {
    {NEED_KEYS, "a key to verify with"},
    {NEED_SECURITY, "one wsse:Security header for us"},
    {NEED_HEADER, "a wsse:Security header of the right structure"},
    {NEED_TIMESTAMP, "a wsu:Timestamp"},
    {NEED_ASSERTION, "an assertion"},
    {NEED_UNIQUE, "ids that are there once"},
    {NEED_SHAPE, "an assertion of the right structure"},
    {NEED_VIEW, "an assertion to read"},
    {NEED_CONFIRMED, "a confirmation of the subject that is accepted"},
};

struct walk {
    const struct explanation *explanation;
    const struct security_rules *rules;
    struct arena *arena;
    unsigned has; /* set of enum need */
    struct sig_keys keys;
    const xmlNode *security;
    struct security_header header;
    struct verified_view *view;
};

/* ---- the checks ---- */

static struct status
run_headers(struct walk *walk, struct diag *diag)
{
    return message_check_headers(walk->explanation->message, diag);
}

static struct status
run_keys(struct walk *walk, struct diag *diag)
{
    TRY(security_read_keys(walk->rules, diag, &walk->keys));
    walk->has |= NEED_KEYS;
    return OK;
}

static struct status
run_find(struct walk *walk, struct diag *diag)
{
    TRY(security_find_header(walk->explanation->message, diag, &walk->security));
    walk->has |= NEED_SECURITY;
    return OK;
}

static struct status
run_read(struct walk *walk, struct diag *diag)
{
    TRY(security_read_header(walk->security, diag, &walk->header));
    walk->has |= NEED_HEADER;
    walk->has |= walk->header.timestamp != NULL ? NEED_TIMESTAMP : 0;
    walk->has |= walk->header.assertion != NULL ? NEED_ASSERTION : 0;
    return OK;
}

static struct status
run_ids(struct walk *walk, struct diag *diag)
{
    TRY(sig_check_document(walk->explanation->message->envelope, walk->arena, diag));
    walk->has |= NEED_UNIQUE;
    return OK;
}

static struct status
run_presence(struct walk *walk, struct diag *diag)
{
    return security_check_presence(&walk->header, walk->rules, diag);
}

static struct status
run_single(struct walk *walk, struct diag *diag)
{
    return security_check_single(walk->explanation->message->envelope, walk->header.assertion,
                                 diag);
}

static struct status
run_timestamp(struct walk *walk, struct diag *diag)
{
    int64_t created_us = 0;
    int64_t expires_us = 0;

    return security_check_timestamp(walk->header.timestamp, walk->rules, walk->arena, diag,
                                    &created_us, &expires_us);
}

static struct status
run_shape(struct walk *walk, struct diag *diag)
{
    TRY(saml_check_shape(walk->header.assertion, walk->rules, diag));
    walk->has |= NEED_SHAPE;
    return OK;
}

static struct status
run_assertion_signature(struct walk *walk, struct diag *diag)
{
    struct verified_view *view = NULL;
    struct diag other = {0};
    const struct status st =
        sigverify_assertion(walk->header.assertion, &walk->keys, walk->arena, diag, &view);

    if (!is_ok(st)) {
        if (!is_ok(ARENA_NEW(walk->arena, &other, &view))) {
            return st;
        }
        view->assertion = walk->header.assertion; /* not proven: to go on, here only */
    }
    view->relaxed = walk->rules->relaxed;
    view->community = walk->rules->community;
    walk->view = view;
    walk->has |= NEED_VIEW;
    return st;
}

static struct status
run_conditions(struct walk *walk, struct diag *diag)
{
    return saml_check_conditions(walk->view, walk->rules, walk->arena, diag);
}

static struct status
run_authz(struct walk *walk, struct diag *diag)
{
    return saml_check_authz(walk->view, walk->rules, diag);
}

/* The confirmation alone, so that it can be told apart from the signature, which it is a part of
 * in security_verify. */
static struct status
run_confirmation(struct walk *walk, struct diag *diag)
{
    uint32_t confirmed = 0;

    TRY(saml_check_confirmation(walk->view, walk->rules, diag, &walk->view->is_holder_of_key,
                                &confirmed));
    walk->has |= NEED_CONFIRMED;
    return OK;
}

static struct status
run_message_signature(struct walk *walk, struct diag *diag)
{
    return security_check_signature(&walk->header, &walk->keys, walk->rules, walk->arena, diag,
                                    walk->view);
}

static struct status
run_attributes(struct walk *walk, struct diag *diag)
{
    struct saml_facts facts;

    return saml_read(walk->view, walk->arena, diag, &facts);
}

#define NEED_ALL                                                                                   \
    (NEED_TIMESTAMP | NEED_VIEW | NEED_SHAPE | NEED_KEYS | NEED_UNIQUE | NEED_CONFIRMED)

static const struct {
    const char *name;
    unsigned needs;
    bool uses_key;
    struct status (*run)(struct walk *walk, struct diag *diag);
} checks[] = {
    {"mandatory headers", 0, false, run_headers},
    {"registered keys", 0, true, run_keys},
    {"security header", 0, false, run_find},
    {"security header's children", NEED_SECURITY, false, run_read},
    {"ids are there once", 0, false, run_ids},
    {"Timestamp and assertion", NEED_HEADER, false, run_presence},
    {"only one assertion", NEED_ASSERTION, false, run_single},
    {"Timestamp", NEED_TIMESTAMP, false, run_timestamp},
    {"assertion's structure", NEED_ASSERTION, false, run_shape},
    {"assertion's signature", NEED_ASSERTION | NEED_UNIQUE | NEED_KEYS, true,
     run_assertion_signature},
    {"assertion's conditions", NEED_VIEW | NEED_SHAPE, false, run_conditions},
    {"authorisation decisions", NEED_VIEW | NEED_SHAPE, false, run_authz},
    {"subject's confirmation", NEED_VIEW | NEED_SHAPE | NEED_KEYS, true, run_confirmation},
    {"message's signature", NEED_ALL, true, run_message_signature},
    {"attributes", NEED_VIEW | NEED_SHAPE, false, run_attributes},
};

static const char *
missing_need(unsigned missing)
{
    size_t i = 0;

    while ((missing & need_names[i].need) == 0) {
        i++;
    }
    return need_names[i].what;
}

/* A view is there for whatever comes after the signature, also when that cannot be looked at. */
static struct status
provide_view(struct walk *walk, struct diag *diag)
{
    if (walk->view == NULL && walk->header.assertion != NULL) {
        TRY(ARENA_NEW(walk->arena, diag, &walk->view));
        walk->view->assertion = walk->header.assertion;
        walk->view->relaxed = walk->rules->relaxed;
        walk->view->community = walk->rules->community;
        walk->has |= NEED_VIEW;
    }
    return OK;
}

static void
note_own(struct notes *notes, struct note *list, const char *name, const char *needs)
{
    struct note *const row = note_row(notes, list);

    note_cstr(notes, row, "verdict", "ok");
    note_cstr(notes, row, "check", name);
    note_printf(notes, row, "reason", OWN_PROVES_NOTHING " (%s)", needs);
}

static struct status
run_checks(struct walk *walk, bool is_own, const char *needs, struct notes *notes,
           struct note *list, struct diag *diag)
{
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        struct diag why = {0};

        if (checks[i].run == run_conditions) {
            TRY(provide_view(walk, diag));
        }
        const unsigned missing = checks[i].needs & ~walk->has;
        if (missing != 0) {
            char text[128];

            (void)snprintf(text, sizeof(text), "needs %s", missing_need(missing));
            explain_unchecked(notes, list, checks[i].name, text);
            continue;
        }
        const struct status st = checks[i].run(walk, &why);
        if (st.code == ERR_NO_MEMORY) {
            return FAIL(diag, st.code, "%s", why.text);
        }
        if (is_own && checks[i].uses_key && is_ok(st)) {
            note_own(notes, list, checks[i].name, needs);
        } else if (is_own && checks[i].run == run_keys) {
            explain_unchecked(notes, list, checks[i].name, needs);
        } else {
            explain_check(notes, list, checks[i].name, st, &why);
        }
    }
    return OK;
}

/* ---- with what the message brings ---- */

static struct span
own_audience(const struct explanation *explanation)
{
    const xmlNode *const conditions = xml_child(explanation->assertion, NS_SAML2, "Conditions");
    const xmlNode *const restriction = xml_child(conditions, NS_SAML2, "AudienceRestriction");

    return span_trim(explain_text(explanation, xml_child(restriction, NS_SAML2, "Audience")));
}

static struct status
check_with_own(const struct explanation *explanation, struct walk *walk, const char *needs,
               struct notes *notes, struct note *list, struct diag *diag)
{
    struct certificate *own[1] = {explain_carried(explanation->assertion)};
    struct security_rules rules = *walk->rules;
    const char *audiences[1];
    struct span audience;

    rules.keys = own;
    rules.keys_n = own[0] == NULL ? 0 : 1;
    struct status st = arena_dup(walk->arena, own_audience(explanation), diag, &audience);
    if (is_ok(st)) {
        audiences[0] = audience.n == 0 ? "" : audience.p;
        if (rules.audiences_n == 0) {
            rules.audiences = audiences;
            rules.audiences_n = 1;
            explain_unchecked(notes, list, "audience", needs);
        }
        walk->rules = &rules;
        st = run_checks(walk, true, needs, notes, list, diag);
    }
    certificate_free(own[0]);
    return st;
}

struct status
explain_checks(const struct explanation *explanation, const struct security_rules *rules,
               const char *needs, struct notes *notes, struct note *list, struct diag *diag)
{
    struct walk walk = {.explanation = explanation, .rules = rules, .arena = explanation->arena};

    if (explanation->message == NULL) {
        explain_unchecked(notes, list, "security", "needs a SOAP message");
        return OK;
    }
    return rules->keys_n == 0 ? check_with_own(explanation, &walk, needs, notes, list, diag)
                              : run_checks(&walk, false, needs, notes, list, diag);
}
