/*
 * Dialects of what partners send us: red's real messages, changed on the way as some partners' are,
 * and green's file for red with profiles and without. What needs no profile is accepted without;
 * what needs one is refused without it, for its reason, and accepted with it.
 */
#include <stdio.h>
#include <string.h>

#include "base/ids.h"
#include "dialect_front.h"
#include "dialect_kit.h"

/* How its messages differ. */
enum manner {
    AS_WRITTEN,
    WITH_LF,         /* LF for CRLF in MIME */
    WITHOUT_TYPES,   /* parts without Content-Type */
    WITHOUT_PACKAGE, /* says multipart/related, and is the root part */
    AS_TEXT_XML,     /* text/xml, as of SOAP 1.1 */
    TWICE            /* each message a second time, with another MessageID */
};

struct row {
    const char *name;
    enum manner manner;
    const char *red;   /* profiles of red's file for green: how red writes */
    const char *green; /* profiles of green's file for red */
    const char *delegator;
    enum soap_transaction refused; /* the first that is; SOAP_TRANSACTION_COUNT: none */
    enum err why;
};

#define ALL_PASS SOAP_TRANSACTION_COUNT, ERR_NONE
#define GRANTOR  "Organization/2.999.7"

static const struct row rows[] = {
    /* nothing needs to be agreed for these */
    {"as we write", AS_WRITTEN, "", "", NULL, ALL_PASS},
    {"prefixes in discovery", AS_WRITTEN, "prefixed-namespace", "", NULL, ALL_PASS},
    {"no prefixes in discovery", AS_WRITTEN, "default-namespace", "", NULL, ALL_PASS},
    {"SHA-512", AS_WRITTEN, "sha512", "", NULL, ALL_PASS},
    {"attributes of 2010", AS_WRITTEN, "xspa-2010", "", NULL, ALL_PASS},
    {"retrieves as plain SOAP", AS_WRITTEN, "plain-soap-retrieve", "", NULL, ALL_PASS},
    {"the asking organization as sender", AS_WRITTEN, "asker-as-sender", "", NULL, ALL_PASS},
    {"ranges of times", AS_WRITTEN, "date-range-required", "", NULL, ALL_PASS},

    {"bearer", AS_WRITTEN, "bearer", "", NULL, SOAP_ITI_55, ERR_SAML_CONFIRMATION},
    {"bearer", AS_WRITTEN, "bearer", "bearer", NULL, ALL_PASS},
    {"SHA-1", AS_WRITTEN, "{sha1-until: DAY}", "", NULL, SOAP_ITI_55, ERR_SIG_ALGORITHM},
    {"SHA-1, over", AS_WRITTEN, "{sha1-until: DAY}", "{sha1-until: 2020-01-31}", NULL, SOAP_ITI_55,
     ERR_SIG_ALGORITHM},
    {"SHA-1", AS_WRITTEN, "{sha1-until: DAY}", "{sha1-until: DAY}", NULL, ALL_PASS},
    {"LF in MIME", WITH_LF, "", "", NULL, SOAP_ITI_39, ERR_MIME},
    {"LF in MIME", WITH_LF, "", "loose-packages", NULL, ALL_PASS},
    {"parts without types", WITHOUT_TYPES, "", "", NULL, SOAP_ITI_39, ERR_MIME},
    {"parts without types", WITHOUT_TYPES, "", "loose-packages", NULL, ALL_PASS},
    {"no package", WITHOUT_PACKAGE, "", "", NULL, SOAP_ITI_39, ERR_MIME},
    {"no package", WITHOUT_PACKAGE, "", "loose-packages", NULL, ALL_PASS},
    {"text/xml", AS_TEXT_XML, "", "", NULL, SOAP_ITI_55, ERR_HTTP_MEDIA_TYPE},
    {"text/xml", AS_TEXT_XML, "", "loose-packages", NULL, ALL_PASS},
    {"one Timestamp for two messages", TWICE, "", "", NULL, SOAP_ITI_55, ERR_REPLAY},
    {"one Timestamp for two messages", TWICE, "", "shared-timestamp", NULL, ALL_PASS},
    {"in another's name", AS_WRITTEN, "", "", GRANTOR, SOAP_ITI_55, ERR_PEER_BINDING},
    {"in another's name", AS_WRITTEN, "", "{delegated-requests: Organization/2.999.8}", GRANTOR,
     SOAP_ITI_55, ERR_PEER_BINDING},
    {"in another's name", AS_WRITTEN, "", "{delegated-requests: " GRANTOR "}", GRANTOR, ALL_PASS},
    /* together */
    {"bearer, SHA-1, LF", WITH_LF, "bearer, {sha1-until: DAY}",
     "bearer, {sha1-until: DAY}, loose-packages", NULL, ALL_PASS},
    {"bearer, SHA-1, LF", WITH_LF, "bearer, {sha1-until: DAY}", "bearer, {sha1-until: DAY}", NULL,
     SOAP_ITI_39, ERR_MIME},
};

/* Delegated requests need a rule of their own. */
static const char rules[] =
    "rules:\n"
    "  - {name: all, effect: permit, reason: treatment, partners: any, purposes: any,\n"
    "     delegators: any}\n";

static struct scene scene; /* large; one at a time */
static struct scene_reply reply;

struct result {
    enum soap_transaction refused;
    enum err why;
};

/* ---- on the way ---- */

static enum soap_transaction
transaction_of(const struct scene_question *question)
{
    static const enum soap_transaction all[] = {SOAP_ITI_55, SOAP_ITI_38, SOAP_ITI_39};

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (span_ends_with(span_of_cstr(question->url),
                           span_of_cstr(soap_transaction(all[i])->path))) {
            return all[i];
        }
    }
    return SOAP_TRANSACTION_COUNT;
}

static struct span
root_part(struct span bytes)
{
    bytes = span_slice(bytes, span_find(bytes, SPAN("\r\n\r\n")) + 4, bytes.n);
    return span_slice(bytes, 0, span_find(bytes, SPAN("\r\n--isthmus-")));
}

static struct span
change(enum manner manner, struct span bytes, char content_type[512], struct arena *arena)
{
    const bool is_package = strncmp(content_type, "multipart/", 10) == 0;

    switch (manner) {
    case WITH_LF:
        return is_package ? front_replace(bytes, "\r\n", "\n", arena) : bytes;
    case WITHOUT_TYPES:
        return is_package
                   ? front_pack(TRAIT(NO_TYPES), NULL, SOAP_ITI_55, bytes, arena, content_type)
                   : bytes;
    case WITHOUT_PACKAGE:
        return is_package ? root_part(bytes) : bytes;
    case AS_TEXT_XML:
        if (!is_package) {
            snprintf(content_type, 512, "text/xml; charset=UTF-8");
        }
        return bytes;
    default:
        return bytes;
    }
}

static struct span
with_another_id(struct span bytes, struct arena *arena)
{
    const size_t at = span_find(bytes, SPAN("<wsa:MessageID>urn:uuid:"));
    const struct span old = span_slice(bytes, at + strlen("<wsa:MessageID>urn:uuid:"),
                                       at + strlen("<wsa:MessageID>urn:uuid:") + UUID_TEXT - 1);
    char before[UUID_TEXT], uuid[UUID_TEXT];

    CU_ASSERT_FATAL(at != SPAN_MISSING);
    snprintf(before, sizeof(before), "%.*s", SPAN_PRINT(old));
    uuid_new(uuid);
    return front_replace(bytes, before, uuid, arena);
}

static void
send_bytes(size_t i, struct span bytes, const char *content_type, struct result *result)
{
    const struct scene_question *question = &scene.questions[i];
    const enum soap_transaction transaction = transaction_of(question);

    scene_send(&scene, scene_place(&scene, "green"), question->from->config->node->leaf,
               soap_transaction(transaction)->path, content_type, bytes, &reply);
    CU_ASSERT_FATAL(reply.is_here);
    CU_ASSERT_EQUAL(reply.http_status == 200, reply.cause == ERR_NONE);
    if (reply.cause != ERR_NONE && result->why == ERR_NONE) {
        *result = (struct result){transaction, reply.cause};
    }
}

static void
deliver(size_t i, enum manner manner, struct result *result)
{
    const struct scene_question *question = &scene.questions[i];
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    char content_type[512];
    struct span bytes;

    CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
    snprintf(content_type, sizeof(content_type), "%s", question->content_type);
    bytes = change(manner, buf_span(&question->body), content_type, arena);
    send_bytes(i, bytes, content_type, result);
    if (manner == TWICE && result->why == ERR_NONE) {
        send_bytes(i, with_another_id(bytes, arena), content_type, result);
    }
    if (manner == TWICE) { /* the second answer relates to the other id */
        scene_fail(&scene, i, ERR_PARTNER_UNREACHABLE);
    } else {
        scene_answer(&scene, i, reply.http_status, reply.content_type,
                     span_of(reply.text, reply.n));
    }
    arena_free(arena);
}

/* ---- rows ---- */

static struct result
run(const struct row *row)
{
    struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    struct result result = {SOAP_TRANSACTION_COUNT, ERR_NONE};
    struct asking *asking = NULL;

    dialect_use_strictly(&scene, "green", "red", row->green);
    dialect_use(&scene, "red", "green", row->red);
    if (row->delegator != NULL) {
        order.delegator = span_of_cstr(row->delegator);
        kit_set_policy(scene_place(&scene, "red"), rules);
        kit_set_policy(scene_place(&scene, "green"), rules);
    }
    scene_ask(scene_place(&scene, "red"), &order, &asking);
    for (size_t i = 0; i < scene.questions_n; i++) { /* more come while these are delivered */
        deliver(i, row->manner, &result);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    if (result.why == ERR_NONE && row->manner != TWICE) {
        CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), DIALECT_DOCUMENTS);
    }
    asking_free(asking);
    if (row->delegator != NULL) {
        kit_restore_policy(scene_place(&scene, "red"));
        kit_restore_policy(scene_place(&scene, "green"));
    }
    scene_forget(&scene);
    return result;
}

static void
test_what_is_sent_to_us(void)
{
    dialect_open(&scene);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct result result = run(&rows[i]);

        if (result.refused != rows[i].refused || result.why != rows[i].why) {
            fprintf(stderr, "%s, profiles [%s]: %s at %s\n", rows[i].name, rows[i].green,
                    err_name(result.why),
                    result.refused == SOAP_TRANSACTION_COUNT
                        ? "nothing"
                        : soap_transaction(result.refused)->name);
            CU_FAIL("another outcome");
        }
    }
    dialect_close(&scene);
}

static const struct unit_test tests[] = {
    {"what partners send, with and without their profiles", test_what_is_sent_to_us},
};
UNIT_MAIN("dialects of what partners send", tests)
