/*
 * See xua_kit.h.
 */
#include "xua_kit.h"

#include <stdio.h>
#include <string.h>

#include "certs/issue.h"
#include "soap/envelope.h"
#include "soap/xcpd.h"

struct scene scene; /* large; one at a time */
struct scene_reply reply;
struct config_assertions believed;
struct config_system *ehr;
static struct credential signers[SIGNERS];
static struct certificate *keys[2];
static const char *const audiences[] = {GATEWAY};
static const char *const issuers[] = {STS};

/* ---- the world ---- */

static void
make_signer(enum signer who, const char *name)
{
    const int64_t now_us = clock_wall_us(&scene.clock.clock);
    const struct issue_request request = {
        .kind = ISSUE_SIGNING,
        .organization = "Hospital",
        .common_name = name,
        .not_before_us = now_us - 3600 * US_PER_S,
        .not_after_us = now_us + 86400 * US_PER_S,
        .digest = "SHA256",
    };
    struct diag diag = {0};
    X509 *x509 = NULL;

    CHECK_OK(&diag, issue_key("ec:P-256", &diag, &signers[who].key));
    CHECK_OK(&diag,
             issue_certificate(&request, signers[who].key, NULL, signers[who].key, &diag, &x509));
    CHECK_OK(&diag, certificate_from_x509(x509, &diag, &signers[who].leaf));
    X509_free(x509);
}

/* red's system "ehr" brings bearer assertions of the token service. */
void
open_world(void)
{
    ehr = local_kit_open(&scene);
    make_signer(THE_STS, "token service");
    make_signer(A_HOLDER, "ehr");
    make_signer(A_STRANGER, "stranger");
    keys[0] = signers[THE_STS].leaf;
    keys[1] = signers[A_HOLDER].leaf;
    believed = (struct config_assertions){
        .keys = keys,
        .keys_n = 2,
        .holders_n = 1,
        .issuers = {issuers, 1},
        .audiences = {audiences, 1},
        .may_use_bearer = true,
        .relaxed = DIALECT_BIT(RELAX_HOME_COMMUNITY),
    };
    ehr->assertions = &believed;
    ehr->asserts.npi = "1987654326";
}

void
close_world(void)
{
    local_kit_close(&scene);
    for (size_t i = 0; i < SIGNERS; i++) {
        certificate_free(signers[i].leaf);
        EVP_PKEY_free(signers[i].key);
        signers[i] = (struct credential){.leaf = NULL};
    }
}

/* ---- messages ---- */

static void
write_security(const struct variant *variant, const struct credential *signer, struct arena *arena,
               struct buf *security)
{
    const int64_t now_us = clock_wall_us(&scene.clock.clock);
    const struct assertion_order order = {
        .signer = signer,
        .now_us = now_us + variant->shift_us,
        .lifetime_us = 300 * US_PER_S,
        .audience = variant->audience == NULL ? GATEWAY "/pdq" : variant->audience,
        .subject_id = "Ada Asserted",
        .organization = "Ward 7",
        .organization_id =
            variant->organization_id == NULL ? "urn:oid:2.999.1.7" : variant->organization_id,
        .home_community = variant->home_community == NULL ? "2.999.1" : variant->home_community,
        .role = "224535009",
        .role_display = "Registered nurse",
        .purpose = variant->purpose == NULL ? "T-TREAT" : variant->purpose,
        .purpose_system = POLICY_PURPOSE_SYSTEM_TEFCA,
        .npi = "1234567893",
        .delegator = variant->delegator == NULL ? SPAN_EMPTY : span_of_cstr(variant->delegator),
        .style.is_bearer = !variant->is_holder_of_key,
    };
    struct signed_timestamp timestamp;
    struct diag diag = {0};

    CHECK_OK(&diag, timestamp_sign(signer, DIALECT_SHA256, now_us, 60 * US_PER_S, arena, &diag,
                                   &timestamp));
    CHECK_OK(&diag, security_write(&order, &timestamp, security, &diag));
}

static const char *
discovery(struct arena *arena)
{
    const struct xcpd_query query = {
        .id = {.root = SPAN("2.999.55")},
        .query_id = {.root = SPAN("2.999.55"), .extension = SPAN("7")},
        .sender_home = SPAN("2.999.1"),
        .receiver_home = SPAN("2.999.2"),
        .creation_us = clock_wall_us(&scene.clock.clock),
        .subject = scene_order(ASKING_DISCOVER, ISABELLA).who,
    };
    struct diag diag = {0};
    struct span query_xml, copy = SPAN("");
    struct buf payload;

    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, xcpd_query_write(&query, arena, &payload, &diag, &query_xml));
    CHECK_OK(&diag, arena_dup(arena, buf_span(&payload), &diag, &copy));
    buf_done(&payload);
    return copy.p;
}

void
set_text(xmlDoc *doc, const char *path, const char *text)
{
    xmlNodeSetContent(kit_at(doc, path), (const xmlChar *)text);
}

void
sign_assertion(xmlDoc *doc, enum signer signer)
{
    const struct kit_signing how = {.key = signers[signer].key, .digest = "SHA256"};

    kit_sign(kit_at(doc, ASSERTION "/Signature"), kit_at(doc, ASSERTION), &how);
}

xmlDoc *
open_message(const struct variant *variant, enum signer signer, struct arena *arena)
{
    struct buf security;
    xmlDoc *doc;

    buf_init(&security, (size_t)1024 * 1024);
    write_security(variant, &signers[signer], arena, &security);
    doc = kit_open(kit_envelope(buf_span(&security), discovery(arena), arena));
    buf_done(&security);
    set_text(doc, "Header/To", GATEWAY "/pdq");
    return doc;
}

struct span
close_message(xmlDoc *doc, struct arena *arena)
{
    char uuid[UUID_TEXT], message_id[64];

    uuid_new(uuid);
    snprintf(message_id, sizeof(message_id), "urn:uuid:%s", uuid);
    set_text(doc, "Header/MessageID", message_id);
    return kit_close(doc, arena);
}

struct span
make_message(const struct variant *variant, struct arena *arena)
{
    xmlDoc *doc = open_message(variant, variant->signer, arena);

    if (!variant->keeps_issuer) {
        xmlNode *issuer = kit_at(doc, ASSERTION "/Issuer");

        xmlNodeSetContent(issuer, (const xmlChar *)STS);
        kit_set(issuer, "Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:entity");
    }
    set_text(doc, ASSERTION "/Subject/NameID", NAME_ID);
    if (variant->without != NULL) {
        kit_remove_attribute(doc, variant->without);
    }
    if (variant->is_left_unsigned) {
        sign_assertion(doc, variant->signer);
    }
    for (size_t i = 0; i < ARRAY_LEN(variant->edits); i++) {
        kit_apply(doc, &variant->edits[i]);
    }
    if (!variant->is_left_unsigned) {
        sign_assertion(doc, variant->signer);
    }
    return close_message(doc, arena);
}

void
send_bytes(struct span xml)
{
    scene_send_local(&scene, scene_place(&scene, "red"), NULL, "/pdq", SOAP_CONTENT_TYPE, xml,
                     &reply);
}

void
send_variant(const struct variant *variant)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);

    send_bytes(make_message(variant, arena));
    arena_free(arena);
}
