/*
 * Reads the question of ITI-55 and ITI-47, PRPA_IN201305UV02. Called by the answering side on the
 * thread that owns the message; facts are copied to the caller's arena. What decides who asks
 * (sender) and what is echoed (id, queryId, queryByParameter) must be there exactly once. Source:
 * ITI TF-2 3.55.4.1, 3.47.4.1.
 */
#include "base/ids.h"
#include "soap/message_internal.h"
#include "soap/pdq.h"
#include "soap/xcpd_parts.h"

/* ---- the frame ---- */

static struct status
read_authorities(const struct xcpd_reader *reader, const xmlNode *act, struct span_list *roots)
{
    for (const xmlNode *author = xcpd_child(act, "authorOrPerformer"); author != NULL;
         author = xcpd_next(author, "authorOrPerformer")) {
        const xmlNode *const device = xcpd_child(author, "assignedDevice");
        struct span root = xcpd_attr(xcpd_child(device, "id"), "root");
        if (root.n == 0) {
            continue; /* a person who asks, or nobody */
        }
        if (!oid_is_valid(root) || roots->n == XCPD_VALUES_MAX) {
            return FAIL(reader->diag, reader->code,
                        "authorOrPerformer %zu: assignedDevice/id@root must be an OID, and at most "
                        "%zu are taken",
                        roots->n + 1, XCPD_VALUES_MAX);
        }
        TRY(xcpd_keep(reader, root, &root));
        TRY(ARENA_PUSH(reader->arena, reader->diag, roots, root));
    }
    return OK;
}

static struct status
read_control(const struct xcpd_reader *reader, const xmlNode *message, struct xcpd_query *query)
{
    const xmlNode *act = NULL;
    const xmlNode *control = NULL;
    const xmlNode *node = NULL;
    TRY(xcpd_child_one(reader, message, "controlActProcess", &act));
    TRY(read_authorities(reader, act, &query->reverse_authorities));
    TRY(xcpd_child_one(reader, act, "queryByParameter", &control));
    TRY(xcpd_child_one(reader, control, "queryId", &node));
    TRY(xcpd_read_ident(reader, node, &query->query_id));
    if (query->query_id.root.n == 0) {
        return FAIL(reader->diag, reader->code, "queryId has no root");
    }
    TRY(xcpd_child_optional(reader, control, "responsePriorityCode", &node));
    query->is_deferred = span_eq_cstr(xcpd_attr(node, "code"), "D");
    return xcpd_keep_xml(reader, control, &query->query_xml);
}

static struct status
read_frame(const struct xcpd_reader *reader, const struct message *message,
           struct xcpd_query *ret_query)
{
    const xmlNode *payload = NULL;
    struct xcpd_wrapper wrapper;
    TRY(xcpd_payload(reader, message, XCPD_QUERY_ELEMENT, &payload));
    TRY(xcpd_read_wrapper(reader, payload, &wrapper));
    struct xcpd_query query = {
        .id = wrapper.id,
        .sender_device = wrapper.sender_device,
        .sender_home = wrapper.sender_home,
        .receiver_home = wrapper.receiver_home,
        .creation_us = wrapper.creation_us,
        .respond_to = wrapper.respond_to,
    };
    TRY(read_control(reader, payload, &query));
    *ret_query = query;
    return OK;
}

struct status
xcpd_query_frame(const struct message *message, struct arena *arena, struct diag *diag,
                 struct xcpd_query *ret_query)
{
    const struct xcpd_reader reader = {.arena = arena, .diag = diag, .code = ERR_MESSAGE_CONTENT};
    return read_frame(&reader, message, ret_query);
}

/* REQ: ITI55-deferred-request */
struct status
xcpd_query_check_mode(const struct xcpd_query *query, enum soap_transaction transaction,
                      struct diag *diag)
{
    if (query->is_deferred == (transaction == SOAP_ITI_55_DEFERRED)) {
        return OK;
    }
    return FAIL(diag, ERR_UNSUPPORTED_MODE,
                "responsePriorityCode is %s, and wsa:Action that of the %s mode; expected both of "
                "one mode",
                query->is_deferred ? "D" : "not D", query->is_deferred ? "immediate" : "deferred");
}

/* REQ: ITI55-query-reverse */
const struct ident *
xcpd_query_reverse_id(const struct xcpd_query *query)
{
    for (size_t i = 0; i < query->reverse_authorities.n; i++) {
        for (size_t k = 0; k < query->subject.ids.n; k++) {
            const struct ident *const id = &query->subject.ids.items[k];
            if (id->extension.n > 0 && span_eq(id->root, query->reverse_authorities.items[i])) {
                return id;
            }
        }
    }
    return NULL;
}

/* ---- the parameters ---- */

/* Calls what follows for each value of each parameter <name>: both may be repeated. */
#define FOR_EACH_VALUE(list, name, value)                                                          \
    for (const xmlNode *parameter = xcpd_child((list), (name)); parameter != NULL;                 \
         parameter = xcpd_next(parameter, (name)))                                                 \
        for (const xmlNode *value = xcpd_child(parameter, "value"); value != NULL;                 \
             value = xcpd_next(value, "value"))

/* What the answer could not take into account (ITI TF-2 3.55.4.1.2.1, 3.47.4.1.2). */
/* REQ: ITI55-query-absent */
static struct status
check_absent(const struct xcpd_reader *reader, const xmlNode *parent, const char *const *names,
             size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (xcpd_child(parent, names[i]) != NULL) {
            return FAIL(reader->diag, reader->code,
                        "<%s> is not part of this transaction and would be passed over; leave it "
                        "out",
                        names[i]);
        }
    }
    return OK;
}

static struct status
check_foreign(const struct xcpd_reader *reader, const xmlNode *control, const xmlNode *list)
{
    static const char *const of_control[] = {"modifyCode", "responseElementGroupId",
                                             "executionAndDeliveryTime", "sortControl"};
    static const char *const of_criteria[] = {"id", "matchWeight"};
    static const char *const of_list[] = {"patientStatusCode", "livingSubjectDeceasedTime",
                                          "principalCareProvisionId",
                                          "otherIDsScopingOrganization"};
    TRY(check_absent(reader, control, of_control, ARRAY_LEN(of_control)));
    TRY(check_absent(reader, xcpd_child(control, "matchCriterionList"), of_criteria,
                     ARRAY_LEN(of_criteria)));
    return check_absent(reader, list, of_list, ARRAY_LEN(of_list) - (reader->is_pdq ? 1 : 0));
}

static struct status
too_many(const struct xcpd_reader *reader, const char *what)
{
    return FAIL(reader->diag, reader->code, "more than %zu values of <%s>", XCPD_VALUES_MAX, what);
}

/* @use is a set of words. */
static bool
is_pattern(struct span use)
{
    struct span word;
    while (span_split(&use, ' ', &word)) {
        if (span_eq_cstr(word, "SRCH")) {
            return true;
        }
    }
    return false;
}

/* REQ: ITI55-query-names */
static struct status
read_names(const struct xcpd_reader *reader, const xmlNode *list, const char *name,
           struct name_list *names)
{
    FOR_EACH_VALUE(list, name, value)
    {
        if (!reader->is_pdq && is_pattern(xml_attr_text(value, "use"))) {
            return FAIL(reader->diag, reader->code,
                        "<%s> is a pattern (use=\"SRCH\"); this transaction wants whole names",
                        name);
        }
        TRY(xcpd_add_name(reader, value, names));
        if (names->n > XCPD_VALUES_MAX) {
            return too_many(reader, name);
        }
    }
    return OK;
}

static struct status
read_idents(const struct xcpd_reader *reader, const xmlNode *list, const char *name,
            struct ident_list *ids)
{
    FOR_EACH_VALUE(list, name, value)
    {
        TRY(xcpd_add_ident(reader, value, ids));
        if (ids->n > XCPD_VALUES_MAX) {
            return too_many(reader, name);
        }
    }
    return OK;
}

static struct status
read_addresses(const struct xcpd_reader *reader, const xmlNode *list, const char *name,
               struct address_list *addresses)
{
    FOR_EACH_VALUE(list, name, value)
    {
        TRY(xcpd_add_address(reader, value, addresses));
        if (addresses->n > XCPD_VALUES_MAX) {
            return too_many(reader, name);
        }
    }
    return OK;
}

/* EN: a place's name is text; some write it as the parts of a name. */
static struct status
read_birth_places(const struct xcpd_reader *reader, const xmlNode *list, struct span_list *names)
{
    FOR_EACH_VALUE(list, "livingSubjectBirthPlaceName", value)
    {
        struct span text = SPAN_EMPTY;
        TRY(xcpd_read_part(reader, xml_first(value) == NULL ? value : xml_first(value), &text));
        if (text.n > 0) {
            TRY(ARENA_PUSH(reader->arena, reader->diag, names, text));
        }
        if (names->n > XCPD_VALUES_MAX) {
            return too_many(reader, "livingSubjectBirthPlaceName");
        }
    }
    return OK;
}

/* The one value of a parameter that may stand once; NULL when it is not there. */
static struct status
one_value(const struct xcpd_reader *reader, const xmlNode *list, const char *name,
          const xmlNode **ret_value)
{
    const xmlNode *parameter = NULL;
    TRY(xcpd_child_optional(reader, list, name, &parameter));
    return xcpd_child_optional(reader, parameter, "value", ret_value);
}

static struct status
read_who(const struct xcpd_reader *reader, const xmlNode *list, struct patient *subject)
{
    const xmlNode *gender = NULL;
    const xmlNode *birth = NULL;
    TRY(one_value(reader, list, "livingSubjectAdministrativeGender", &gender));
    TRY(one_value(reader, list, "livingSubjectBirthTime", &birth));
    subject->sex = xcpd_read_sex(gender);
    TRY(xcpd_read_birth(reader, birth, subject));
    TRY(read_names(reader, list, "livingSubjectName", &subject->names));
    TRY(read_names(reader, list, "mothersMaidenName", &subject->mothers_maiden_names));
    TRY(read_idents(reader, list, "livingSubjectId", &subject->ids));
    return read_idents(reader, list, "principalCareProviderId", &subject->care_providers);
}

static struct status
read_where(const struct xcpd_reader *reader, const xmlNode *list, struct patient *subject)
{
    TRY(read_birth_places(reader, list, &subject->birth_place_names));
    TRY(read_addresses(reader, list, "livingSubjectBirthPlaceAddress",
                       &subject->birth_place_addresses));
    TRY(read_addresses(reader, list, "patientAddress", &subject->addresses));
    FOR_EACH_VALUE(list, "patientTelecom", value)
    {
        TRY(xcpd_add_telecom(reader, value, &subject->telecoms));
        if (subject->telecoms.n > XCPD_VALUES_MAX) {
            return too_many(reader, "patientTelecom");
        }
    }
    return OK;
}

/* An INT or REAL, at most 100; what a responder may pass over is no reason to refuse. */
static struct status
read_criteria(const struct xcpd_reader *reader, const xmlNode *control, struct xcpd_query *query)
{
    const xmlNode *list = NULL;
    TRY(xcpd_child_optional(reader, control, "matchCriterionList", &list));
    const xmlNode *const degree = xcpd_child(xcpd_child(list, "minimumDegreeMatch"), "value");
    const xmlNode *const algorithm = xcpd_child(xcpd_child(list, "matchAlgorithm"), "value");
    unsigned number = 0;
    if (xcpd_read_number(degree, &number)) {
        if (number > 100) {
            return FAIL(reader->diag, reader->code, "minimumDegreeMatch is %u; expected 0 to 100",
                        number);
        }
        query->minimum_degree = number;
    }
    return algorithm == NULL || xml_first(algorithm) != NULL
               ? OK
               : xcpd_read_part(reader, algorithm, &query->match_algorithm);
}

static bool
has_birth(const struct patient *subject)
{
    return subject->birth_time.n > 0 || subject->birth_range.low.n > 0 ||
           subject->birth_range.high.n > 0;
}

static bool
says_anything(const struct patient *subject)
{
    return subject->names.n > 0 || has_birth(subject) || subject->sex.n > 0 ||
           subject->addresses.n > 0 || subject->telecoms.n > 0 ||
           subject->mothers_maiden_names.n > 0 || subject->birth_place_names.n > 0 ||
           subject->birth_place_addresses.n > 0 || subject->care_providers.n > 0;
}

static struct status
check_is_enough(const struct xcpd_reader *reader, const struct patient *subject)
{
    const bool is_enough =
        subject->ids.n > 0 ||
        (reader->is_pdq ? says_anything(subject) : subject->names.n > 0 && has_birth(subject));
    if (!is_enough) {
        return FAIL(reader->diag, reader->code,
                    "the question has %zu usable names, %s usable birth time and no id; expected "
                    "%s",
                    subject->names.n, has_birth(subject) ? "a" : "no",
                    reader->is_pdq ? "at least one parameter"
                                   : "a name and a birth time, or an id");
    }
    return OK;
}

/* What only ITI-47 asks. */
static struct status
read_demands(const struct xcpd_reader *reader, const xmlNode *control, const xmlNode *list,
             struct xcpd_query *query)
{
    const xmlNode *quantity = NULL;
    TRY(xcpd_child_optional(reader, control, "initialQuantity", &quantity));
    if (quantity != NULL && xml_attr_text(quantity, "nullFlavor").n == 0 &&
        (!xcpd_read_number(quantity, &query->initial_quantity) || query->initial_quantity == 0)) {
        return FAIL(reader->diag, reader->code, "initialQuantity must be a number from 1 on");
    }
    return xcpd_read_domains(reader, list, "otherIDsScopingOrganization", &query->domains);
}

struct status
xcpd_read_parameters(const struct xcpd_reader *reader, const struct message *message,
                     struct xcpd_query *query)
{
    const xmlNode *const act = xcpd_child(message_payload(message), "controlActProcess");
    const xmlNode *const control = xcpd_child(act, "queryByParameter");
    const xmlNode *list = NULL;
    struct xcpd_query read = *query;
    TRY(xcpd_child_one(reader, control, "parameterList", &list));
    TRY(check_foreign(reader, control, list));
    TRY(read_criteria(reader, control, &read));
    TRY(read_who(reader, list, &read.subject));
    TRY(read_where(reader, list, &read.subject));
    if (reader->is_pdq) {
        TRY(read_demands(reader, control, list, &read));
    }
    TRY(check_is_enough(reader, &read.subject));
    if (read.is_deferred && read.respond_to.n == 0) {
        return FAIL(reader->diag, reader->code,
                    "responsePriorityCode is D, and no respondTo/telecom says where the answer is "
                    "to go");
    }
    *query = read;
    return OK;
}

struct status
xcpd_query_parameters(const struct message *message, struct arena *arena, struct diag *diag,
                      struct xcpd_query *query)
{
    const struct xcpd_reader reader = {.arena = arena, .diag = diag, .code = ERR_MESSAGE_CONTENT};
    return xcpd_read_parameters(&reader, message, query);
}

static struct status
read_both(const struct xcpd_reader *reader, const struct message *message,
          struct xcpd_query *ret_query)
{
    struct xcpd_query query;
    TRY(read_frame(reader, message, &query));
    TRY(xcpd_read_parameters(reader, message, &query));
    *ret_query = query;
    return OK;
}

struct status
xcpd_query_read(const struct message *message, struct arena *arena, struct diag *diag,
                struct xcpd_query *ret_query)
{
    const struct xcpd_reader reader = {.arena = arena, .diag = diag, .code = ERR_MESSAGE_CONTENT};
    return read_both(&reader, message, ret_query);
}

/* REQ: ITI47-query */
struct status
pdq_query_read(const struct message *message, struct arena *arena, struct diag *diag,
               struct xcpd_query *ret_query)
{
    const struct xcpd_reader reader = {
        .arena = arena, .diag = diag, .code = ERR_MESSAGE_CONTENT, .is_pdq = true};
    struct xcpd_query query;
    TRY(read_both(&reader, message, &query));
    TRY(xcpd_query_check_mode(&query, SOAP_ITI_47, diag));
    *ret_query = query;
    return OK;
}
