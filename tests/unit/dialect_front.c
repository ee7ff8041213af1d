/* See dialect_front.h. */
#include "dialect_front.h"

#include <stdio.h>
#include <string.h>

#include "soap/envelope.h"

#define HUB           "2.999.99"
#define GREEN_OID     "2.999.2"
#define RED_OID       "2.999.1"
#define ASKER_OID     "2.999.1.77"
#define UUID_UPPER    "6FA459EA-EE8A-3CA4-894E-DB77E160355"
#define UUID_LOWER    "urn:uuid:6fa459ea-ee8a-3ca4-894e-db77e160355"
#define BYTES_MAX     ((size_t)4 * 1024 * 1024)
#define HAS(trait)    ((traits & TRAIT(trait)) != 0)
#define IS_FOUND(at)  ((at) != SPAN_MISSING)
#define SAYS(text, s) IS_FOUND(span_find(text, span_of_cstr(s)))

static struct span
keep(struct buf *bytes, struct arena *arena)
{
    struct diag diag = {0};
    struct span copy = SPAN_EMPTY;

    CHECK_OK(&diag, arena_dup(arena, buf_span(bytes), &diag, &copy));
    buf_done(bytes);
    return copy;
}

struct span
front_replace(struct span text, const char *from, const char *to, struct arena *arena)
{
    const struct span what = span_of_cstr(from);
    struct diag diag = {0};
    struct buf changed;
    size_t at;

    if (!SAYS(text, from)) {
        return text;
    }
    buf_init(&changed, BYTES_MAX);
    while (IS_FOUND(at = span_find(text, what))) {
        CHECK_OK(&diag, buf_append(&changed, span_slice(text, 0, at), &diag));
        CHECK_OK(&diag, buf_append_cstr(&changed, to, &diag));
        text = span_slice(text, at + what.n, text.n);
    }
    CHECK_OK(&diag, buf_append(&changed, text, &diag));
    return keep(&changed, arena);
}

static const struct message *
read_message(struct span bytes, struct span content_type, struct arena *arena)
{
    const struct message_limits limits = message_limits_answer();
    struct message *message = NULL;
    struct diag diag = {0};

    CHECK_OK(&diag, message_read(bytes, content_type, &limits, arena, &diag, &message));
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    return message;
}

/* ---- what is refused ---- */

static const char *
judge_assertion(uint64_t traits, struct span bytes)
{
    if (HAS(BEARER) && SAYS(bytes, "cm:holder-of-key")) {
        return "this partner knows bearer assertions only";
    }
    if (HAS(SHA1) && !SAYS(bytes, "#ecdsa-sha1\"")) {
        return "this partner knows SHA-1 only";
    }
    if (HAS(SHA512) && !SAYS(bytes, "xmlenc#sha512\"")) {
        return "this partner wants SHA-512";
    }
    if (HAS(ATTRIBUTES_2010) && SAYS(bytes, "urn:ihe:iti:xca:2010:homeCommunityId")) {
        return "this partner does not know an attribute";
    }
    return NULL;
}

static const char *
judge_discovery(uint64_t traits, const struct message *message, struct span bytes,
                struct arena *arena)
{
    struct xcpd_query query = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, xcpd_query_read(message, arena, &diag, &query));
    if (HAS(DEFAULT_NAMESPACE) && !SAYS(bytes, "<PRPA_IN201305UV02")) {
        return "this partner reads no prefixes";
    }
    if (HAS(PREFIXED_NAMESPACE) && SAYS(bytes, "<PRPA_IN201305UV02")) {
        return "this partner reads prefixes only";
    }
    if (HAS(SENDER_COMMUNITY) && !span_eq_cstr(query.sender_device.root, RED_OID)) {
        return "the sender is not the gateway";
    }
    if (HAS(SENDER_ASKER) && !span_eq_cstr(query.sender_home, ASKER_OID)) {
        return "the sender is not the initiator";
    }
    if (HAS(RECEIVER_HUB) && !span_eq_cstr(query.receiver_home, HUB)) {
        return "the receiver is not this hub";
    }
    return NULL;
}

static bool
has_range(const struct stored_query *query, const char *what)
{
    bool has_from = false, has_to = false;
    char from[64], to[64];

    snprintf(from, sizeof(from), "$XDSDocumentEntry%sTimeFrom", what);
    snprintf(to, sizeof(to), "$XDSDocumentEntry%sTimeTo", what);
    for (size_t i = 0; i < query->params.n; i++) {
        has_from = has_from || span_eq_cstr(query->params.items[i].name, from);
        has_to = has_to || span_eq_cstr(query->params.items[i].name, to);
    }
    return has_from && has_to;
}

static const char *
judge_query(uint64_t traits, const struct message *message, struct arena *arena)
{
    struct stored_query query = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, stored_query_read(message, arena, &diag, &query));
    if (HAS(CREATION_RANGE) && !has_range(&query, "Creation")) {
        return "a range of creation times is required";
    }
    if (HAS(SERVICE_RANGE) && !has_range(&query, "ServiceStart")) {
        return "a range of service times is required";
    }
    return NULL;
}

static const char *
judge_retrieve(uint64_t traits, const struct message *message, struct arena *arena)
{
    struct document_ref_list refs = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, retrieve_query_read(message, arena, &diag, &refs));
    if (HAS(ONE_DOCUMENT) && refs.n > 1) {
        return "one document at a time";
    }
    if (HAS(FIVE_DOCUMENTS) && refs.n > 5) {
        return "five documents at a time";
    }
    for (size_t i = 0; HAS(URN_IDS) && i < refs.n; i++) {
        if (!span_starts_with(refs.items[i].unique_id, SPAN(UUID_LOWER))) {
            return "no document of that name";
        }
    }
    return NULL;
}

const char *
front_judge(uint64_t traits, enum soap_transaction transaction, struct span content_type,
            struct span bytes, struct arena *arena)
{
    const struct message *message = read_message(bytes, content_type, arena);
    const char *why = judge_assertion(traits, bytes);

    if (why != NULL) {
        return why;
    }
    switch (transaction) {
    case SOAP_ITI_55:
        return judge_discovery(traits, message, bytes, arena);
    case SOAP_ITI_38:
        return judge_query(traits, message, arena);
    default:
        return judge_retrieve(traits, message, arena);
    }
}

struct span
front_translate(uint64_t traits, const struct front_names *names, struct span bytes,
                struct arena *arena)
{
    if (HAS(RECEIVER_HUB)) {
        bytes = front_replace(bytes, "root=\"" HUB "\"", "root=\"" GREEN_OID "\"", arena);
    }
    if (HAS(SERVICE_RANGE)) { /* its documents say when the service was */
        bytes = front_replace(bytes, "ServiceStartTime", "CreationTime", arena);
    }
    for (size_t i = 0; HAS(URN_IDS) && i < DIALECT_DOCUMENTS; i++) {
        char urn[64];

        snprintf(urn, sizeof(urn), UUID_LOWER "%zu", i);
        bytes = front_replace(bytes, urn, names->unique_ids[i], arena);
    }
    return bytes;
}

/* ---- refusals ---- */

static struct status
write_refusal(enum soap_transaction transaction, const char *why, const struct message *question,
              struct arena *arena, struct buf *payload, struct diag *diag)
{
    struct registry_error error = {.code = transaction == SOAP_ITI_38 ? SPAN("XDSRegistryError")
                                                                      : SPAN("XDSRepositoryError"),
                                   .context = span_of_cstr(why),
                                   .location = SPAN("urn:oid:" GREEN_OID)};
    struct query_answer query = {.status = REGISTRY_FAILURE, .errors = {&error, 1, 1}};
    struct retrieve_answer retrieve = {.status = REGISTRY_FAILURE, .errors = {&error, 1, 1}};
    struct xcpd_answer discovery = {.result = XCPD_ERROR, .error_text = span_of_cstr(why)};
    struct xcpd_query asked = {0};

    switch (transaction) {
    case SOAP_ITI_55:
        TRY(xcpd_query_read(question, arena, diag, &asked));
        return xcpd_answer_write(&asked, &discovery, SPAN(GREEN_OID), 0, payload, diag);
    case SOAP_ITI_38:
        return query_answer_write(&query, arena, payload, diag);
    default:
        return retrieve_answer_write(&retrieve, arena, payload, diag);
    }
}

static const char fault_text[] =
    "<env:Fault xmlns:env=\"http://www.w3.org/2003/05/soap-envelope\"><env:Code>"
    "<env:Value>env:Sender</env:Value></env:Code><env:Reason>"
    "<env:Text xml:lang=\"en\">%s</env:Text></env:Reason></env:Fault>";

struct span
front_refuse(enum soap_transaction transaction, const char *why, bool is_fault,
             struct span question, struct span content_type, struct arena *arena)
{
    const struct message *message = read_message(question, content_type, arena);
    struct envelope_answer answer = {
        .action = is_fault ? SPAN("http://www.w3.org/2005/08/addressing/soap/fault")
                           : span_of_cstr(soap_transaction(transaction)->response_action),
        .relates_to = message_addressing(message)->message_id};
    struct diag diag = {0};
    struct buf payload, envelope;

    buf_init(&payload, BYTES_MAX);
    buf_init(&envelope, BYTES_MAX);
    if (is_fault) {
        CHECK_OK(&diag, buf_printf(&payload, &diag, fault_text, why));
    } else {
        CHECK_OK(&diag, write_refusal(transaction, why, message, arena, &payload, &diag));
    }
    answer.payload = buf_span(&payload);
    CHECK_OK(&diag, envelope_write_answer(&answer, &envelope, &diag));
    buf_done(&payload);
    return keep(&envelope, arena);
}

/* ---- answers ---- */

/* Lines of part headers that begin so are left out: in a head there is nothing else. */
static struct span
without_types(struct span text, struct arena *arena)
{
    struct diag diag = {0};
    struct buf changed;
    struct span line;
    bool is_head = false;

    buf_init(&changed, BYTES_MAX);
    while (text.n > 0) {
        const size_t at = span_find(text, SPAN("\r\n"));
        const size_t n = IS_FOUND(at) ? at + 2 : text.n;

        line = span_slice(text, 0, n);
        text = span_slice(text, n, text.n);
        is_head = span_starts_with(line, SPAN("--isthmus-")) || (is_head && line.n > 2);
        if (!is_head || !span_starts_with(line, SPAN("Content-Type:"))) {
            CHECK_OK(&diag, buf_append(&changed, line, &diag));
        }
    }
    return keep(&changed, arena);
}

static void
append_base64(struct buf *out, struct span bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct diag diag = {0};

    for (size_t i = 0; i < bytes.n; i += 3) {
        uint32_t group = 0;
        char four[4];

        for (size_t b = 0; b < 3; b++) {
            group = group << 8 | (i + b < bytes.n ? (unsigned char)bytes.p[i + b] : 0);
        }
        for (size_t d = 0; d < 4; d++) {
            four[d] = i + d > bytes.n ? '=' : digits[group >> (18 - 6 * d) & 63];
        }
        CHECK_OK(&diag, buf_append(out, span_of(four, 4), &diag));
    }
}

/* The root part, and each xop:Include in it is its document in base64. */
static struct span
inlined(struct span bytes, struct span content_type, struct arena *arena)
{
    const struct message *message = read_message(bytes, content_type, arena);
    struct retrieve_answer answer = {0};
    struct diag diag = {0};
    struct buf out;
    size_t at;

    CHECK_OK(&diag, retrieve_answer_read(message, arena, &diag, &answer));
    bytes = span_slice(bytes, span_find(bytes, SPAN("\r\n\r\n")) + 4, bytes.n);
    bytes = span_slice(bytes, 0, span_find(bytes, SPAN("\r\n--isthmus-")));
    buf_init(&out, BYTES_MAX);
    for (size_t i = 0; i < answer.documents.n; i++) {
        char text[4096];
        size_t n = 0;

        CHECK_OK(&diag,
                 body_read(&answer.documents.items[i].body, 0, text, sizeof(text), &diag, &n));
        at = span_find(bytes, SPAN("<xop:Include"));
        CU_ASSERT_FATAL(IS_FOUND(at));
        CHECK_OK(&diag, buf_append(&out, span_slice(bytes, 0, at), &diag));
        append_base64(&out, span_of(text, n));
        bytes = span_slice(bytes, at, bytes.n);
        at = span_find(bytes, SPAN("</xop:Include>"));
        bytes = IS_FOUND(at) ? span_slice(bytes, at + strlen("</xop:Include>"), bytes.n)
                             : span_slice(bytes, span_find(bytes, SPAN("/>")) + 2, bytes.n);
    }
    CHECK_OK(&diag, buf_append(&out, bytes, &diag));
    retrieve_answer_done(&answer);
    return keep(&out, arena);
}

static struct span
name_documents(const struct front_names *names, enum soap_transaction transaction,
               struct span bytes, struct arena *arena)
{
    for (size_t i = 0; i < DIALECT_DOCUMENTS; i++) {
        char name[64];

        snprintf(name, sizeof(name), "%s%zu", transaction == SOAP_ITI_38 ? UUID_UPPER : UUID_LOWER,
                 i);
        bytes = front_replace(bytes, names->unique_ids[i], name, arena);
    }
    return bytes;
}

struct span
front_pack(uint64_t traits, const struct front_names *names, enum soap_transaction transaction,
           struct span bytes, struct arena *arena, char ret_content_type[512])
{
    const bool is_package = strncmp(ret_content_type, "multipart/", 10) == 0;

    if (HAS(URN_IDS) && transaction != SOAP_ITI_55) {
        bytes = name_documents(names, transaction, bytes, arena);
    }
    if (!is_package) {
        return bytes;
    }
    if (HAS(NO_PACKAGE) || HAS(INLINE_SOAP)) {
        bytes = inlined(bytes, span_of_cstr(ret_content_type), arena);
        if (HAS(INLINE_SOAP)) {
            snprintf(ret_content_type, 512, "%s", SOAP_CONTENT_TYPE);
        }
        return bytes;
    }
    if (HAS(NO_TYPES)) {
        bytes = without_types(bytes, arena);
    }
    return HAS(LF) ? front_replace(bytes, "\r\n", "\n", arena) : bytes;
}
