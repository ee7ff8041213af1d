/*
 * Writes the answer of ITI-55 and ITI-47, PRPA_IN201306UV02, in schema order: the cases of ITI TF-2
 * 3.55.4.2.3 and 3.47.4.2.3. Called by the answering side; any thread; owns nothing. In ITI-55
 * there is exactly one id per patient, and the custodian is the homeCommunityId as a bare OID;
 * queryByParameter is the asker's own text.
 */
#include <stdio.h>

#include "soap/pdq.h"
#include "soap/xcpd_parts.h"

#define ANSWER_ROOM ((size_t)4096) /* for one match, beside the asker's own text */

/* One answer being written. */
struct reply {
    const struct xcpd_query *query;
    const struct xcpd_answer *answer;
    struct span home; /* ours */
    bool is_pdq;
};

/* The schema wants the provider's organization with a contact; what we may know of it is its id. */
static void
write_provider(struct xmlw *w, const struct xcpd_match *match, struct span home)
{
    const struct ident id = {.root = home};
    xcpd_start_organization(w, "providerOrganization");
    xcpd_write_ident(w, "id", match->provider.root.n > 0 ? &match->provider : &id);
    if (match->provider_name.n > 0) {
        xmlw_element(w, "name", match->provider_name);
    }
    xcpd_start_classed(w, "contactParty", "CON", NULL);
    xmlw_end(w);
    xmlw_end(w);
}

/* The schema wants an observation in any case; a degree that we do not know is null. */
static void
write_degree(struct xmlw *w, int degree)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", degree);
    xmlw_start(w, "subjectOf1");
    xcpd_start_classed(w, "queryMatchObservation", "OBS", "EVN");
    xcpd_write_code(w, "code", SPAN("IHE_PDQ"), NULL);
    xmlw_start(w, "value");
    xmlw_attr_cstr(w, "xmlns:xsi", NS_XSI);
    xmlw_attr_cstr(w, "xsi:type", "INT");
    xmlw_attr_cstr(w, degree >= 0 ? "value" : "nullFlavor", degree >= 0 ? text : "UNK");
    xmlw_end(w);
    xmlw_end(w);
    xmlw_end(w);
}

/* REQ: ITI55-answer-custodian */
static void
write_custodian(struct xmlw *w, const struct reply *reply, const struct xcpd_match *match,
                struct span home)
{
    const struct ident id = {.root = home};
    xcpd_start_typed(w, "custodian", "CST");
    xcpd_start_classed(w, "assignedEntity", "ASSIGNED", NULL);
    xcpd_write_ident(w, "id", &id);
    if (!reply->is_pdq) {
        xcpd_write_code(w, "code",
                        match->is_health_data_locator ? SPAN("SupportsHealthDataLocator")
                                                      : SPAN("NotHealthDataLocator"),
                        XCPD_LOCATOR_SYSTEM);
    }
    xmlw_end(w);
    xmlw_end(w);
}

static size_t
own_ids(const struct reply *reply, const struct xcpd_match *match)
{
    return reply->is_pdq && match->own_ids > 1 ? match->own_ids : 1;
}

static void
write_patient(struct xmlw *w, const struct reply *reply, const struct xcpd_match *match,
              struct span home)
{
    static const struct span_list none;
    const size_t own = own_ids(reply, match);
    xcpd_start_classed(w, "patient", "PAT", NULL);
    for (size_t i = 0; i < own && i < match->patient.ids.n; i++) {
        xcpd_write_ident(w, "id", &match->patient.ids.items[i]);
    }
    xcpd_write_code(w, "statusCode", SPAN("active"), NULL);
    xcpd_write_person(w, &match->patient, own, reply->is_pdq ? &match->missing_domains : &none);
    write_provider(w, match, home);
    write_degree(w, match->degree);
    xmlw_end(w);
}

/* REQ: ITI55-answer-event */
static void
write_match(struct xmlw *w, const struct reply *reply, const struct xcpd_match *match)
{
    static const struct ident no_id;
    const struct span home = match->home.n > 0 ? match->home : reply->home;
    if (match->written.n > 0) {
        xmlw_raw(w, match->written);
        return;
    }
    xcpd_start_typed(w, "subject", "SUBJ");
    xmlw_attr_cstr(w, "contextConductionInd", "false");
    xcpd_start_classed(w, "registrationEvent", "REG", "EVN");
    xcpd_write_ident(w, "id", &no_id);
    xcpd_write_code(w, "statusCode", SPAN("active"), NULL);
    xcpd_start_typed(w, "subject1", "SBJ");
    write_patient(w, reply, match, home);
    xmlw_end(w);
    write_custodian(w, reply, match, home);
    xmlw_end(w);
    xmlw_end(w);
}

/* triggerFor/actOrderRequired: what would help; mitigatedBy/detectedIssueManagement: why not. */
static void
write_issue(struct xmlw *w, struct span code, bool is_trigger)
{
    xcpd_start_typed(w, is_trigger ? "triggerFor" : "mitigatedBy", is_trigger ? "TRIG" : "MITGT");
    xcpd_start_classed(w, is_trigger ? "actOrderRequired" : "detectedIssueManagement", "ACT",
                       is_trigger ? "RQO" : "EVN");
    xcpd_write_code(w, "code", code, is_trigger ? XCPD_TRIGGER_SYSTEM : XCPD_MITIGATE_SYSTEM);
    xmlw_end(w);
    xmlw_end(w);
}

/* REQ: ITI55-answer-issues */
static void
write_reason(struct xmlw *w, const struct xcpd_answer *answer)
{
    const bool is_trigger = answer->result == XCPD_AMBIGUOUS;
    xcpd_start_typed(w, "reasonOf", "RSON");
    xcpd_start_classed(w, "detectedIssueEvent", "ALRT", "EVN");
    xcpd_write_code(w, "code", SPAN(XCPD_ISSUE_CODE), XCPD_ISSUE_SYSTEM);
    for (size_t i = 0; i < answer->issues.n; i++) {
        write_issue(w, answer->issues.items[i], is_trigger);
    }
    if (answer->issues.n == 0 && !is_trigger) {
        write_issue(w, SPAN(XCPD_WHY_INTERNAL), false);
    }
    xmlw_end(w);
    xmlw_end(w);
}

static void
write_acknowledgement(struct xmlw *w, const struct reply *reply)
{
    const struct xcpd_answer *const answer = reply->answer;
    const bool is_error = answer->result == XCPD_ERROR;
    struct hl7_acknowledgement said = {
        .type_code = is_error ? SPAN("AE") : SPAN("AA"),
        .target = reply->query->id,
    };
    if (is_error) {
        said.details = answer->details;
    }
    xcpd_write_acknowledgement(w, &said, is_error ? answer->error_text : SPAN_EMPTY);
}

static void
write_query_ack(struct xmlw *w, const struct reply *reply)
{
    static const char *const codes[] = {
        [XCPD_MATCH] = "OK", [XCPD_AMBIGUOUS] = "OK", [XCPD_NONE] = "NF", [XCPD_ERROR] = "AE"};
    const struct xcpd_query_ack ack = {
        .response = span_of_cstr(codes[reply->answer->result]),
        .has_total = reply->is_pdq && reply->answer->quantities.is_known,
        .total = reply->answer->quantities.total,
        .current = reply->answer->quantities.current,
        .remaining = reply->answer->quantities.remaining,
    };
    xcpd_write_query_ack(w, &reply->query->query_id, &ack);
}

static void
write_act(struct xmlw *w, const struct reply *reply)
{
    const struct xcpd_answer *const answer = reply->answer;
    const bool has_reason =
        answer->result == XCPD_AMBIGUOUS || (answer->result == XCPD_ERROR && !reply->is_pdq);
    xcpd_start_act(w, "PRPA_TE201306UV02");
    if (answer->result == XCPD_MATCH) {
        for (size_t i = 0; i < answer->matches.n; i++) {
            write_match(w, reply, &answer->matches.items[i]);
        }
    }
    if (has_reason) {
        write_reason(w, answer);
    }
    write_query_ack(w, reply);
    xmlw_raw(w, reply->query->query_xml);
    xmlw_end(w);
}

/* What the caller must have seen to: a match has an id, an answer with matches has some. */
static struct status
check_answer(const struct reply *reply, struct diag *diag)
{
    const struct xcpd_answer *const answer = reply->answer;
    if (reply->home.n == 0) {
        return FAIL(diag, ERR_INTERNAL, "an XCPD answer needs our homeCommunityId");
    }
    if (reply->is_pdq && answer->result == XCPD_AMBIGUOUS) {
        return FAIL(diag, ERR_INTERNAL, "ITI-47 cannot ask for more attributes");
    }
    if (answer->result != XCPD_MATCH) {
        return OK;
    }
    if (answer->matches.n == 0) {
        return FAIL(diag, ERR_INTERNAL, "an XCPD answer says 'match' without one");
    }
    for (size_t i = 0; i < answer->matches.n; i++) {
        if (answer->matches.items[i].patient.ids.n == 0 &&
            answer->matches.items[i].written.n == 0) {
            return FAIL(diag, ERR_INTERNAL, "match %zu of an XCPD answer has no patient id", i + 1);
        }
    }
    return OK;
}

struct status
xcpd_write_reply(const struct xcpd_query *query, const struct xcpd_answer *answer, bool is_pdq,
                 struct span home, int64_t now_us, struct buf *out, struct diag *diag)
{
    const struct reply reply = {query, answer, home, is_pdq};
    TRY(check_answer(&reply, diag));
    struct xmlw w;
    char *room = NULL;
    TRY(buf_reserve(out, query->query_xml.n + ANSWER_ROOM, diag,
                    &room)); /* so that most need not grow */
    xmlw_init(&w, out, diag);
    xcpd_write_answer_wrapper(&w, XCPD_ANSWER_ELEMENT, &query->sender_device, query->sender_home,
                              home, now_us);
    write_acknowledgement(&w, &reply);
    write_act(&w, &reply);
    xmlw_end(&w);
    return xmlw_finish(&w);
}

struct status
xcpd_answer_write(const struct xcpd_query *query, const struct xcpd_answer *answer,
                  struct span home, int64_t now_us, struct buf *out, struct diag *diag)
{
    return xcpd_write_reply(query, answer, false, home, now_us, out, diag);
}

struct status
pdq_answer_write(const struct xcpd_query *query, const struct xcpd_answer *answer, struct span home,
                 int64_t now_us, struct buf *out, struct diag *diag)
{
    return xcpd_write_reply(query, answer, true, home, now_us, out, diag);
}

struct status
pdq_match_write(const struct xcpd_match *match, struct span home, struct buf *out,
                struct diag *diag)
{
    const struct reply reply = {.home = home, .is_pdq = true};
    struct xmlw w;
    if (match->patient.ids.n == 0 || home.n == 0) {
        return FAIL(diag, ERR_INTERNAL,
                    "a match of an answer has no patient id, or we no community");
    }
    xmlw_init(&w, out, diag);
    write_match(&w, &reply, match);
    return xmlw_finish(&w);
}
