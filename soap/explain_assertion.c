/*
 * What the assertion of a captured message says, with the values decoded. Called by `isthmus
 * decode`. Read from the tree and not from a verified view, because people want to see what an
 * assertion that is refused says; so nothing of it may decide anything.
 */
#include "base/clock.h"
#include "base/datetime.h"
#include "certs/certificate.h"
#include "soap/explain_parts.h"
#include "soap/saml_names.h"
#include "soap/samlrules.h"

#define ATTRIBUTES_MAX 64

/* Attributes whose values are told; those of all others may be about a patient. */
static const char *const open_attributes[] = {
    SAML_ORGANIZATION, SAML_ORGANIZATION_ID, SAML_COMMUNITY_IHE, SAML_COMMUNITY_NHIN, SAML_ROLE,
    SAML_PURPOSE,      SAML_NPI_1_0,         SAML_NPI_2_0,       SAML_PROVIDER_ID,    SAML_ACP,
    SAML_ACP_EVIDENCE, SAML_DELEGATOR,       SAML_JURISDICTION,
};

static bool
is_open(struct span name)
{
    for (size_t i = 0; i < ARRAY_LEN(open_attributes); i++) {
        if (span_eq_cstr(name, open_attributes[i])) {
            return true;
        }
    }
    return false;
}

/* ---- values ---- */

/* <Role code codeSystem displayName/>, <id root extension/>. */
static void
note_coded(const xmlNode *value, bool is_told, struct notes *notes, struct note *row)
{
    static const char *const names[] = {
        "code", "codeSystem", "codeSystemName",        "displayName",
        "root", "extension",  "assigningAuthorityName"};

    note_text(notes, row, "element", explain_name(value));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct span text = xml_attr_text(value, names[i]);

        if (is_told) {
            note_text(notes, row, names[i], text);
        } else {
            note_private(notes, row, names[i], text);
        }
    }
}

static void
note_value(const struct explanation *explanation, const xmlNode *attribute, const xmlNode *value,
           struct notes *notes, struct note *list)
{
    const struct span name = xml_attr_text(attribute, "Name");
    struct note *const row = note_row(notes, list);
    const bool is_told = is_open(name);

    note_text(notes, row, "attribute", name);
    if (span_eq(name, SPAN(SAML_ID_TOKEN))) {
        explain_token(span_trim(explain_text(explanation, value)), explanation->arena, notes, row);
    } else if (xml_first(value) != NULL) {
        note_coded(xml_first(value), is_told, notes, row);
    } else if (is_told) {
        note_text(notes, row, "value", span_trim(explain_text(explanation, value)));
    } else {
        note_private(notes, row, "value", span_trim(explain_text(explanation, value)));
    }
}

static void
note_attributes(const struct explanation *explanation, struct notes *notes, struct note *section)
{
    const xmlNode *const top = explanation->assertion;
    struct note *const list = note_list(notes, section, "attributes");
    size_t n = 0;

    for (const xmlNode *node = top; node != NULL; node = xml_walk(node, top)) {
        if (!xml_is(node, NS_SAML2, "Attribute")) {
            continue;
        }
        for (const xmlNode *value = xml_child(node, NS_SAML2, "AttributeValue"); value != NULL;
             value = xml_next_named(value, NS_SAML2, "AttributeValue")) {
            if (n++ < ATTRIBUTES_MAX) {
                note_value(explanation, node, value, notes, list);
            }
        }
    }
    if (n > ATTRIBUTES_MAX) {
        note_int(notes, section, "further_attributes", (int64_t)(n - ATTRIBUTES_MAX));
    }
}

/* ---- times ---- */

static void
note_instant(const xmlNode *node, const char *name, const char *key, int64_t now_us,
             struct notes *notes, struct note *parent)
{
    const struct span text = span_trim(xml_attr_text(node, name));
    int64_t us = 0;

    if (text.n > 0 && datetime_read_xs(text, &us)) {
        explain_time(notes, parent, key, us, now_us);
    } else {
        note_text(notes, parent, key, text.n > 0 ? text : SPAN("absent"));
    }
}

static void
note_timestamp(const struct explanation *explanation, int64_t now_us, struct notes *notes,
               struct note *section)
{
    static const struct {
        const char *name, *key;
    } rows[] = {{"Created", "timestamp_created"}, {"Expires", "timestamp_expires"}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const xmlNode *const node = xml_child(explanation->timestamp, NS_WSU, rows[i].name);
        const struct span text = span_trim(explain_text(explanation, node));
        int64_t us = 0;

        if (datetime_read_xs(text, &us)) {
            explain_time(notes, section, rows[i].key, us, now_us);
        } else {
            note_text(notes, section, rows[i].key, text.n > 0 ? text : SPAN("absent"));
        }
    }
}

/* ---- subject and conditions ---- */

static void
note_confirmation(const xmlNode *confirmation, int64_t now_us, struct notes *notes,
                  struct note *list)
{
    const xmlNode *const data = xml_child(confirmation, NS_SAML2, "SubjectConfirmationData");
    struct note *const item = note_object(notes, list, NULL);
    struct certificate *const certificate = explain_carried(data);

    note_text(notes, item, "method", xml_attr_text(confirmation, "Method"));
    note_text(notes, item, "recipient", xml_attr_text(data, "Recipient"));
    if (xml_attr_text(data, "NotOnOrAfter").n > 0) {
        note_instant(data, "NotOnOrAfter", "not_on_or_after", now_us, notes, item);
    }
    if (certificate != NULL) {
        note_printf(notes, item, "key", "%s, SHA-256 %s", certificate->subject,
                    certificate->sha256);
        certificate_free(certificate);
    } else if (xml_child(data, NS_DS, "KeyInfo") != NULL) {
        note_cstr(notes, item, "key", "a KeyInfo without a certificate");
    }
}

static void
note_subject(const struct explanation *explanation, int64_t now_us, struct notes *notes,
             struct note *section)
{
    const xmlNode *const subject = xml_child(explanation->assertion, NS_SAML2, "Subject");
    const xmlNode *const name_id = xml_child(subject, NS_SAML2, "NameID");
    struct note *const list = note_list(notes, section, "confirmations");

    note_private(notes, section, "name_id", span_trim(explain_text(explanation, name_id)));
    note_text(notes, section, "name_id_format", xml_attr_text(name_id, "Format"));
    const xmlNode *confirmation = xml_child(subject, NS_SAML2, "SubjectConfirmation");
    for (size_t n = 0; confirmation != NULL && n < EXPLAIN_LIST_MAX; n++) {
        note_confirmation(confirmation, now_us, notes, list);
        confirmation = xml_next_named(confirmation, NS_SAML2, "SubjectConfirmation");
    }
}

static void
note_conditions(const struct explanation *explanation, int64_t now_us, struct notes *notes,
                struct note *section)
{
    const xmlNode *const conditions = xml_child(explanation->assertion, NS_SAML2, "Conditions");
    size_t n = 0;

    note_instant(conditions, "NotBefore", "not_before", now_us, notes, section);
    note_instant(conditions, "NotOnOrAfter", "not_on_or_after", now_us, notes, section);
    for (const xmlNode *node = conditions; node != NULL && n < EXPLAIN_LIST_MAX;
         node = xml_walk(node, conditions)) {
        if (xml_is(node, NS_SAML2, "Audience")) {
            note_word(notes, section, "audience", span_trim(explain_text(explanation, node)));
            n++;
        }
    }
    if (xml_child(conditions, NS_SAML2, "OneTimeUse") != NULL) {
        note_bool(notes, section, "one_time_use", true);
    }
}

static void
note_authn(const struct explanation *explanation, int64_t now_us, struct notes *notes,
           struct note *section)
{
    const xmlNode *const statement = xml_child(explanation->assertion, NS_SAML2, "AuthnStatement");
    const xmlNode *const context = xml_child(statement, NS_SAML2, "AuthnContext");
    const xmlNode *const class = xml_child(context, NS_SAML2, "AuthnContextClassRef");

    if (statement != NULL) {
        note_instant(statement, "AuthnInstant", "authenticated", now_us, notes, section);
        note_text(notes, section, "authn_context", span_trim(explain_text(explanation, class)));
    }
}

struct status
explain_assertion(const struct explanation *explanation, int64_t now_us, struct notes *notes,
                  struct diag *diag)
{
    const xmlNode *const assertion = explanation->assertion;
    const xmlNode *const issuer = xml_child(assertion, NS_SAML2, "Issuer");

    if (assertion == NULL && explanation->timestamp == NULL) {
        return OK;
    }
    struct note *const section = note_object(notes, &notes->top, "assertion");
    note_timestamp(explanation, now_us, notes, section);
    if (assertion != NULL) {
        note_cstr(notes, section, "standing", "as it says; what is proven of it is under checks");
        note_text(notes, section, "id", xml_attr_text(assertion, "ID"));
        note_text(notes, section, "issuer", span_trim(explain_text(explanation, issuer)));
        note_text(notes, section, "issuer_format", xml_attr_text(issuer, "Format"));
        note_instant(assertion, "IssueInstant", "issued", now_us, notes, section);
        note_conditions(explanation, now_us, notes, section);
        note_subject(explanation, now_us, notes, section);
        note_authn(explanation, now_us, notes, section);
        note_attributes(explanation, notes, section);
    }
    return is_ok(notes->status) ? OK : FAIL(diag, notes->status.code, "memory of the notes");
}
