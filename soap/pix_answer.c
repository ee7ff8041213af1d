/*
 * The answer of ITI-45 PIX V3 Query, PRPA_IN201310UV02, written and read: the cases of ITI TF-2
 * 3.45.4.2.3. Called by both sides; any thread; what is read is copied to the caller's arena.
 */
#include "soap/message_internal.h"
#include "soap/pix_parts.h"

/* ---- writing ---- */

static void
write_patient(struct xmlw *w, const struct pix_query *query, const struct pix_answer *answer,
              struct span home)
{
    static const struct span_list none;
    const struct patient person = {.names = answer->names};
    const struct ident provider = {.root = home};
    xcpd_start_classed(w, "patient", "PAT", NULL);
    for (size_t i = 0; i < answer->ids.n; i++) {
        if (!ident_eq(&answer->ids.items[i], &query->patient)) {
            xcpd_write_ident(w, "id", &answer->ids.items[i]);
        }
    }
    xcpd_write_code(w, "statusCode", SPAN("active"), NULL);
    xcpd_write_person(w, &person, 0, &none);
    xcpd_start_organization(w, "providerOrganization");
    xcpd_write_ident(w, "id", &provider);
    xcpd_start_classed(w, "contactParty", "CON", NULL);
    xmlw_end(w);
    xmlw_end(w);
    xmlw_end(w);
}

static void
write_event(struct xmlw *w, const struct pix_query *query, const struct pix_answer *answer,
            struct span home)
{
    static const struct ident no_id;
    const struct ident custodian = {.root = home};
    xcpd_start_typed(w, "subject", "SUBJ");
    xmlw_attr_cstr(w, "contextConductionInd", "false");
    xcpd_start_classed(w, "registrationEvent", "REG", "EVN");
    xcpd_write_ident(w, "id", &no_id);
    xcpd_write_code(w, "statusCode", SPAN("active"), NULL);
    xcpd_start_typed(w, "subject1", "SBJ");
    write_patient(w, query, answer, home);
    xmlw_end(w);
    xcpd_start_typed(w, "custodian", "CST");
    xcpd_start_classed(w, "assignedEntity", "ASSIGNED", NULL);
    xcpd_write_ident(w, "id", &custodian);
    xmlw_end(w);
    xmlw_end(w);
    xmlw_end(w);
    xmlw_end(w);
}

static struct status
add_unknown(struct arena *arena, struct diag *diag, const char *parameter,
            const struct hl7_domain *place, struct hl7_detail_list *details)
{
    struct hl7_detail detail = {
        .code = {.value = SPAN(HL7_DETAIL_UNKNOWN_KEY), .display = SPAN("Unknown key identifier")}};
    TRY(hl7_domain_location(PIX_QUERY_ELEMENT, parameter, place, arena, diag, &detail.location));
    return ARENA_PUSH(arena, diag, details, detail);
}

/* REQ: ITI45-unknown */
static struct status
find_details(const struct pix_query *query, const struct pix_answer *answer, struct arena *arena,
             struct diag *diag, struct hl7_detail_list *details)
{
    const struct hl7_domain only = {.element = 1, .value = 1};
    if (answer->result == PIX_UNKNOWN_PATIENT) {
        return add_unknown(arena, diag, PIX_PATIENT, &only, details);
    }
    for (size_t i = 0; answer->result == PIX_UNKNOWN_SOURCE && i < answer->unknown_n; i++) {
        TRY(add_unknown(arena, diag, PIX_SOURCE, &query->sources.items[answer->unknown[i]],
                        details));
    }
    for (size_t i = 0; answer->result == PIX_ERROR && i < answer->details.n; i++) {
        TRY(ARENA_PUSH(arena, diag, details, answer->details.items[i]));
    }
    return OK;
}

static size_t
count_others(const struct pix_query *query, const struct pix_answer *answer)
{
    size_t n = 0;
    for (size_t i = 0; i < answer->ids.n; i++) {
        n += ident_eq(&answer->ids.items[i], &query->patient) ? 0 : 1;
    }
    return n;
}

static struct status
check_answer(const struct pix_query *query, const struct pix_answer *answer, struct span home,
             struct diag *diag)
{
    if (home.n == 0) {
        return FAIL(diag, ERR_INTERNAL, "a PIX answer needs our homeCommunityId");
    }
    if (answer->result == PIX_FOUND && count_others(query, answer) == 0) {
        return FAIL(diag, ERR_INTERNAL, "a PIX answer says 'found' without another id");
    }
    if (answer->result == PIX_UNKNOWN_SOURCE && answer->unknown_n == 0) {
        return FAIL(diag, ERR_INTERNAL, "a PIX answer says 'unknown source' without one");
    }
    for (size_t i = 0; i < answer->unknown_n; i++) {
        if (answer->unknown[i] >= query->sources.n) {
            return FAIL(diag, ERR_INTERNAL, "a PIX answer names source %zu of %zu",
                        answer->unknown[i], query->sources.n);
        }
    }
    return OK;
}

static void
write_act(struct xmlw *w, const struct pix_query *query, const struct pix_answer *answer,
          struct span home)
{
    const bool is_error = answer->result != PIX_FOUND && answer->result != PIX_NONE;
    const struct xcpd_query_ack ack = {.response = is_error                      ? SPAN("AE")
                                                   : answer->result == PIX_FOUND ? SPAN("OK")
                                                                                 : SPAN("NF")};
    xcpd_start_act(w, "PRPA_TE201310UV02");
    if (answer->result == PIX_FOUND) {
        write_event(w, query, answer, home);
    }
    xcpd_write_query_ack(w, &query->query_id, &ack);
    xmlw_raw(w, query->query_xml);
    xmlw_end(w);
}

static struct status
write_message(const struct pix_query *query, const struct pix_answer *answer, struct span home,
              int64_t now_us, struct arena *arena, struct buf *out, struct diag *diag)
{
    const bool is_error = answer->result != PIX_FOUND && answer->result != PIX_NONE;
    struct hl7_acknowledgement said = {.type_code = is_error ? SPAN("AE") : SPAN("AA"),
                                       .target = query->id};
    struct xmlw w;
    TRY(find_details(query, answer, arena, diag, &said.details));
    xmlw_init(&w, out, diag);
    xcpd_write_answer_wrapper(&w, PIX_ANSWER_ELEMENT, &query->sender_device, query->sender_home,
                              home, now_us);
    xcpd_write_acknowledgement(&w, &said, SPAN_EMPTY);
    write_act(&w, query, answer, home);
    xmlw_end(&w);
    return xmlw_finish(&w);
}

/* REQ: ITI45-answer */
struct status
pix_answer_write(const struct pix_query *query, const struct pix_answer *answer, struct span home,
                 int64_t now_us, struct buf *out, struct diag *diag)
{
    TRY(check_answer(query, answer, home, diag));
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of an answer");
    }
    const struct status st = write_message(query, answer, home, now_us, arena, out, diag);
    arena_free(arena);
    return st;
}

/* ---- reading ---- */

static struct status
add_other(const struct xcpd_reader *reader, const struct pix_query *query, const struct ident *id,
          struct ident_list *ids)
{
    return ident_list_has(ids, id) || ident_eq(id, &query->patient)
               ? OK
               : ARENA_PUSH(reader->arena, reader->diag, ids, *id);
}

static struct status
read_patient(const struct xcpd_reader *reader, const struct pix_query *query,
             const xmlNode *patient, struct pix_answer *answer)
{
    const xmlNode *person = NULL;
    struct patient said = {.birth_order = 0};
    for (const xmlNode *id = xcpd_child(patient, "id"); id != NULL; id = xcpd_next(id, "id")) {
        TRY(xcpd_add_ident(reader, id, &said.ids));
    }
    TRY(xcpd_child_optional(reader, patient, "patientPerson", &person));
    TRY(xcpd_read_person(reader, person, &said, NULL));
    if (said.ids.n > PIX_IDS_MAX) {
        return FAIL(reader->diag, reader->code, "the answer has %zu ids; at most %zu are taken",
                    said.ids.n, PIX_IDS_MAX);
    }
    for (size_t i = 0; i < said.ids.n; i++) {
        TRY(add_other(reader, query, &said.ids.items[i], &answer->ids));
    }
    answer->names = said.names;
    return OK;
}

/* At most one event (ITI TF-2 3.45.4.2.2): two people would be nobody's cross-reference. */
static struct status
read_event(const struct xcpd_reader *reader, const struct pix_query *query, const xmlNode *act,
           struct pix_answer *answer)
{
    const xmlNode *node = NULL;
    TRY(xcpd_child_optional(reader, act, "subject", &node));
    TRY(xcpd_child_optional(reader, node, "registrationEvent", &node));
    TRY(xcpd_child_optional(reader, node, "subject1", &node));
    TRY(xcpd_child_optional(reader, node, "patient", &node));
    return node == NULL ? OK : read_patient(reader, query, node, answer);
}

static enum pix_result
error_of(const struct hl7_detail_list *details)
{
    for (size_t i = 0; i < details->n; i++) {
        const struct hl7_detail *const detail = &details->items[i];
        if (!span_eq_cstr(detail->code.value, HL7_DETAIL_UNKNOWN_KEY)) {
            continue;
        }
        if (span_find(detail->location, SPAN(PIX_SOURCE)) != SPAN_MISSING) {
            return PIX_UNKNOWN_SOURCE;
        }
        if (span_find(detail->location, SPAN(PIX_PATIENT)) != SPAN_MISSING) {
            return PIX_UNKNOWN_PATIENT;
        }
    }
    return PIX_ERROR;
}

static struct status
read_answer(const struct xcpd_reader *reader, const struct pix_query *query, const xmlNode *message,
            struct pix_answer *answer)
{
    const xmlNode *act = NULL;
    struct hl7_acknowledgement said;
    struct xcpd_query_ack ack;
    TRY(xcpd_read_acknowledgement(reader, message, &said));
    answer->details = said.details;
    TRY(xcpd_child_optional(reader, message, "controlActProcess", &act));
    TRY(xcpd_read_query_ack(reader, act, &query->query_id, &ack));
    if (hl7_is_error(said.type_code) || span_eq_cstr(ack.response, "AE") ||
        span_eq_cstr(ack.response, "QE")) {
        answer->result = error_of(&said.details);
        return OK;
    }
    if (!ack.has_query_id) {
        return FAIL(reader->diag, reader->code, "the answer does not say which query it answers");
    }
    TRY(read_event(reader, query, act, answer));
    answer->result = answer->ids.n > 0 ? PIX_FOUND : PIX_NONE;
    return OK;
}

struct status
pix_answer_read(const struct message *message, const struct pix_query *query, struct arena *arena,
                struct diag *diag, struct pix_answer *ret_answer)
{
    const struct xcpd_reader reader = {
        .arena = arena, .diag = diag, .code = ERR_PARTNER_ANSWER, .is_lenient = true};
    const xmlNode *payload = NULL;
    struct pix_answer answer = {.result = PIX_NONE};
    TRY(xcpd_payload(&reader, message, PIX_ANSWER_ELEMENT, &payload));
    TRY(read_answer(&reader, query, payload, &answer));
    *ret_answer = answer;
    return OK;
}
