/*
 * Audit events as DICOM AuditMessages (PS3.15 A.5; schema order of dicom2017c.xsd): the event, who
 * took part, who reports. The objects are in message_objects.c. Called by the command line now and
 * by the shippers later, on their threads; it owns nothing but scratch memory.
 */
#include "audit/event.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/message_rows.h"
#include "base/datetime.h"
#include "base/text.h"

/* PS3.15 CID 401: somebody wanted what he may not have. */
static const struct audit_code type_denied = {"110132", "DCM", "Use of Restricted Function"};
static const struct audit_code role_source = {"110153", "DCM", "Source Role ID"};
static const struct audit_code role_destination = {"110152", "DCM", "Destination Role ID"};
static const struct audit_code role_application = {"110150", "DCM", "Application"};
static const struct audit_code role_launcher = {"110151", "DCM", "Application Launcher"};
static const struct audit_code source_type = {"4", "DCM", "Application Server Process or Thread"};

/* ---- values ---- */

static bool
is_xml_char(uint32_t c)
{
    return c != TEXT_MALFORMED && (c >= 0x20 || c == '\t' || c == '\n' || c == '\r') &&
           c != 0xFFFE && c != 0xFFFF;
}

static bool
is_xml_text(struct span text)
{
    uint32_t c = 0;
    while (text_take_char(&text, &c)) {
        if (!is_xml_char(c)) {
            return false;
        }
    }
    return true;
}

/* <text>, or a copy in the scratch buffer with U+FFFD for what XML 1.0 cannot hold: a partner's
 * odd byte must never keep an audit record from being shown or shipped. */
static struct span
cleaned(struct message *m, struct span text)
{
    uint32_t c = 0;
    if (is_xml_text(text)) {
        return text;
    }
    buf_reset(m->scratch);
    while (is_ok(m->w->status)) {
        const char *at = text.p;
        if (!text_take_char(&text, &c)) {
            break;
        }
        m->w->status = buf_append(
            m->scratch, is_xml_char(c) ? span_of(at, (size_t)(text.p - at)) : SPAN("\xEF\xBF\xBD"),
            m->diag);
    }
    return buf_span(m->scratch);
}

void
message_attr(struct message *m, const char *name, struct span value)
{
    xmlw_attr(m->w, name, cleaned(m, value));
}

void
message_code(struct message *m, const char *element, const struct audit_code *code)
{
    xmlw_start(m->w, element);
    xmlw_attr_cstr(m->w, "csd-code", code->code);
    xmlw_attr_cstr(m->w, "codeSystemName", code->system);
    xmlw_attr_cstr(m->w, "originalText", code->text);
    xmlw_end(m->w);
}

/* A code that came in an assertion. The schema wants originalText; the code stands in for it. */
static void
write_foreign_code(struct message *m, const char *element, const struct code *code)
{
    if (code->value.n == 0) {
        return;
    }
    xmlw_start(m->w, element);
    message_attr(m, "csd-code", code->value);
    message_attr(m, "codeSystemName", code->scheme);
    message_attr(m, "originalText", code->display.n > 0 ? code->display : code->value);
    if (code->display.n > 0) {
        message_attr(m, "displayName", code->display);
    }
    xmlw_end(m->w);
}

/* ---- EventIdentification ---- */

/* REQ: ITI20-denied */
static void
write_types(struct message *m, const struct message_kind *kind)
{
    if (kind->type.code != NULL) {
        message_code(m, "EventTypeCode", &kind->type);
    }
    if (message_is_denial(m->event)) {
        message_code(m, "EventTypeCode", &type_denied);
    }
}

/* An intent is rendered too: its description says that it is one, since DICOM has no place for it.
 */
static void
write_outcome_text(struct message *m)
{
    const struct audit_event *event = m->event;
    if (event->phase == AUDIT_OUTCOME && event->outcome_text.n == 0) {
        return;
    }
    xmlw_start(m->w, "EventOutcomeDescription");
    if (event->phase == AUDIT_INTENT) {
        xmlw_text_cstr(m->w, "about to be sent; another record has the outcome");
    }
    if (event->phase == AUDIT_INTENT && event->outcome_text.n > 0) {
        xmlw_text_cstr(m->w, ": ");
    }
    xmlw_text(m->w, cleaned(m, event->outcome_text));
    xmlw_end(m->w);
}

/* REQ: ITI20-purpose */
static void
write_event(struct message *m)
{
    const struct message_kind kind = message_kind_of(m->event);
    char time[DATETIME_MAX];
    char outcome[16];
    datetime_write_xs(m->event->time_us, time);
    (void)snprintf(outcome, sizeof(outcome), "%d", (int)m->event->outcome);
    xmlw_start(m->w, "EventIdentification");
    xmlw_attr_cstr(m->w, "EventActionCode", kind.action);
    xmlw_attr_cstr(m->w, "EventDateTime", time);
    xmlw_attr_cstr(m->w, "EventOutcomeIndicator", outcome);
    message_code(m, "EventID", kind.event);
    write_types(m, &kind);
    write_outcome_text(m);
    write_foreign_code(m, "PurposeOfUse", &m->event->purpose);
    xmlw_end(m->w);
}

/* ---- ActiveParticipant ---- */

struct participant {
    struct span id;
    struct span address;
    bool is_requestor;
    bool is_self; /* the node that writes this: carries its process id */
    const struct audit_code *role;
};

/* NetworkAccessPointTypeCode: 2 is an IP address, 1 a machine's name. */
static const char *
access_point_type(struct span address)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char binary[sizeof(struct in6_addr)];
    if (address.n >= sizeof(text)) {
        return "1";
    }
    (void)snprintf(text, sizeof(text), "%.*s", SPAN_PRINT(address));
    return inet_pton(AF_INET, text, binary) == 1 || inet_pton(AF_INET6, text, binary) == 1 ? "2"
                                                                                           : "1";
}

/* REQ: ITI20-access-points */
struct span
audit_access_point(struct span id, struct span address)
{
    struct span rest = id, scheme, host;
    size_t n = 0;

    if (span_eq_cstr(address, "unix")) { /* a socket of this machine */
        return SPAN("localhost");
    }
    if (address.n > 0) {
        return address;
    }
    if (!span_split(&rest, ':', &scheme) || !span_starts_with(rest, SPAN("//"))) {
        return SPAN_EMPTY; /* urn:oid:..., a name */
    }
    host = span_slice(rest, 2, rest.n - 2);
    const bool is_v6 = host.n > 0 && host.p[0] == '[';

    while (n < host.n && strchr(is_v6 ? "]" : ":/?#", host.p[n]) == NULL) {
        n++;
    }
    return is_v6 ? span_slice(host, 1, n - 1) : span_slice(host, 0, n);
}

static void
write_participant(struct message *m, const struct participant *participant)
{
    struct span id = participant->id;
    const struct span point = audit_access_point(id, participant->address);
    if (id.n == 0) {
        id = participant->address.n > 0 ? participant->address : SPAN("unknown");
    }
    xmlw_start(m->w, "ActiveParticipant");
    message_attr(m, "UserID", id);
    if (participant->is_self && m->event->process_id != 0) {
        char process[24];
        (void)snprintf(process, sizeof(process), "%" PRId64, m->event->process_id);
        xmlw_attr_cstr(m->w, "AlternativeUserID", process);
    }
    xmlw_attr_cstr(m->w, "UserIsRequestor", participant->is_requestor ? "true" : "false");
    if (point.n > 0) {
        message_attr(m, "NetworkAccessPointID", point);
        xmlw_attr_cstr(m->w, "NetworkAccessPointTypeCode", access_point_type(point));
    }
    if (participant->role != NULL) {
        message_code(m, "RoleIDCode", participant->role);
    }
    xmlw_end(m->w);
}

/* The human of the assertion (ITI TF-2 3.40.4.2): who really asked. */
static void
write_human(struct message *m, bool is_requestor, const struct audit_code *role)
{
    const struct audit_event *event = m->event;
    if (event->user_name.n == 0 && event->user_id.n == 0) {
        return;
    }
    xmlw_start(m->w, "ActiveParticipant");
    message_attr(m, "UserID", event->user_id.n > 0 ? event->user_id : event->user_name);
    if (event->user_name.n > 0) {
        message_attr(m, "UserName", event->user_name);
    }
    xmlw_attr_cstr(m->w, "UserIsRequestor", is_requestor ? "true" : "false");
    if (role != NULL) {
        message_code(m, "RoleIDCode", role);
    }
    write_foreign_code(m, "RoleIDCode", &event->role);
    xmlw_end(m->w);
}

static struct participant
asking_side(const struct audit_event *event)
{
    return (struct participant){.id = event->source_id,
                                .address = event->source_address,
                                .is_self = event->side == AUDIT_INITIATING};
}

static struct participant
answering_side(const struct audit_event *event)
{
    return (struct participant){.id = event->destination_id,
                                .address = event->destination_address,
                                .is_self = event->side == AUDIT_RESPONDING};
}

/* Whoever asks is the requestor. Queries and submissions flow from the asker, documents that are
 * retrieved to it: for ITI-39 and ITI-43 the answering side is the Source (ITI TF-2 3.39.5). */
/* REQ: ITI20-import, ITI20-export */
static void
write_exchange(struct message *m)
{
    struct participant asking = asking_side(m->event);
    struct participant answering = answering_side(m->event);
    const bool is_transfer = m->event->type == AUDIT_ITI_39 || m->event->type == AUDIT_ITI_43;
    asking.is_requestor = true;
    asking.role = is_transfer ? &role_destination : &role_source;
    answering.role = is_transfer ? &role_source : &role_destination;
    write_participant(m, is_transfer ? &answering : &asking);
    write_human(m, true, NULL);
    write_participant(m, is_transfer ? &asking : &answering);
}

/* PS3.15 A.5.3.11: the reporting process is the requestor, the others performed what it reports. */
/* REQ: ITI20-failures */
static void
write_alert(struct message *m)
{
    const bool is_responding = m->event->side == AUDIT_RESPONDING;
    struct participant self = is_responding ? answering_side(m->event) : asking_side(m->event);
    const struct participant peer =
        is_responding ? asking_side(m->event) : answering_side(m->event);
    self.is_requestor = true;
    write_participant(m, &self);
    if (peer.id.n > 0 || peer.address.n > 0) {
        write_participant(m, &peer);
    }
    if (m->event->type == AUDIT_EMERGENCY_ACCESS) { /* of a message that failed nobody is proven */
        write_human(m, false, NULL);
    }
}

/* PS3.15 A.5.3.1: the application, and who launched it. */
/* REQ: ITI20-start-stop */
static void
write_activity(struct message *m)
{
    const struct participant self = {.id = m->event->source_id,
                                     .address = m->event->source_address,
                                     .is_self = true,
                                     .role = &role_application};
    write_participant(m, &self);
    write_human(m, true, &role_launcher);
}

/* PS3.15 A.5.3.2: the person or process that reads the log. */
static void
write_reader(struct message *m)
{
    const struct participant self = {.id = m->event->source_id,
                                     .address = m->event->source_address,
                                     .is_self = true,
                                     .is_requestor =
                                         m->event->user_name.n == 0 && m->event->user_id.n == 0};
    write_human(m, true, NULL);
    write_participant(m, &self);
}

static void
write_participants(struct message *m)
{
    switch (message_kind_of(m->event).shape) {
    case MESSAGE_EXCHANGE:
        write_exchange(m);
        break;
    case MESSAGE_ALERT:
        write_alert(m);
        break;
    case MESSAGE_ACTIVITY:
        write_activity(m);
        break;
    case MESSAGE_LOG_USED:
        write_reader(m);
        break;
    }
}

/* ---- the message ---- */

static void
write_source(struct message *m)
{
    xmlw_start(m->w, "AuditSourceIdentification");
    if (m->source->enterprise_site != NULL) {
        message_attr(m, "AuditEnterpriseSiteID", span_of_cstr(m->source->enterprise_site));
    }
    message_attr(m, "AuditSourceID", span_of_cstr(m->source->source_id));
    message_code(m, "AuditSourceTypeCode", &source_type);
    xmlw_end(m->w);
}

/* REQ: ITI20-schema */
void
message_write(struct message *m)
{
    xmlw_start(m->w, "AuditMessage");
    write_event(m);
    write_participants(m);
    write_source(m);
    message_objects(m);
    xmlw_end(m->w);
}

struct status
audit_message_write(const struct audit_event *event, const struct audit_source *source,
                    struct buf *out, struct diag *diag)
{
    struct xmlw w;
    struct buf scratch;
    struct message m = {
        .w = &w, .event = event, .source = source, .scratch = &scratch, .diag = diag};
    buf_init_secret(&scratch, MESSAGE_SCRATCH_MAX);
    xmlw_init(&w, out, diag);
    xmlw_declaration(&w);
    message_write(&m);
    buf_done(&scratch);
    return xmlw_finish(&w);
}
