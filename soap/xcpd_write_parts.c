/*
 * Writes the HL7 V3 pieces that the XCPD question and answer share. Called by xcpd_query_write.c
 * and xcpd_answer_write.c; any thread; owns nothing. A value of @use that the schema does not know
 * is left out: what a document once said must not make our message invalid.
 */
#include "base/datetime.h"
#include "soap/xcpd_parts.h"

static const char *const name_uses[] = {"L", "P", "C", "A", "I", "R", "ABC", "SYL", "IDE", NULL};
static const char *const address_uses[] = {"H",   "HP",  "HV",  "WP",   "DIR", "PUB",
                                           "BAD", "TMP", "PST", "PHYS", NULL};
static const char *const telecom_uses[] = {"H",   "HP", "HV", "WP", "DIR", "PUB", "BAD",
                                           "TMP", "AS", "EC", "PG", "MC",  NULL};

static bool
is_listed(struct span value, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (span_eq_cstr(value, *list)) {
            return true;
        }
    }
    return false;
}

/* @use is a set: every one of its words must be known. */
static void
write_use(struct xmlw *w, struct span use, const char *const *list)
{
    struct span rest = use;
    struct span word;
    while (span_split(&rest, ' ', &word)) {
        if (!is_listed(word, list)) {
            return;
        }
    }
    if (use.n > 0) {
        xmlw_attr(w, "use", use);
    }
}

static void
write_part(struct xmlw *w, const char *element, struct span text)
{
    if (text.n > 0) {
        xmlw_element(w, element, text);
    }
}

void
xcpd_write_code(struct xmlw *w, const char *element, struct span code, const char *system)
{
    xmlw_start(w, element);
    if (code.n == 0) {
        xmlw_attr_cstr(w, "nullFlavor", "UNK");
    } else {
        xmlw_attr(w, "code", code);
        if (system != NULL) {
            xmlw_attr_cstr(w, "codeSystem", system);
        }
    }
    xmlw_end(w);
}

void
xcpd_write_ident(struct xmlw *w, const char *element, const struct ident *id)
{
    xmlw_start(w, element);
    if (id->root.n == 0) {
        xmlw_attr_cstr(w, "nullFlavor", "NA");
    } else {
        xmlw_attr(w, "root", id->root);
        if (id->extension.n > 0) {
            xmlw_attr(w, "extension", id->extension);
        }
        if (id->authority.n > 0) {
            xmlw_attr(w, "assigningAuthorityName", id->authority);
        }
    }
    xmlw_end(w);
}

bool
xcpd_name_is_usable(const struct person_name *name)
{
    return name->family.n > 0 || name->given.n > 0;
}

void
xcpd_write_name(struct xmlw *w, const char *element, const struct person_name *name)
{
    xmlw_start(w, element);
    if (!xcpd_name_is_usable(name)) {
        xmlw_attr_cstr(w, "nullFlavor", "NA");
        xmlw_end(w);
        return;
    }
    write_use(w, name->use, name_uses);
    write_part(w, "prefix", name->prefix);
    for (size_t i = 0; i < name->given.n; i++) {
        write_part(w, "given", name->given.items[i]);
    }
    write_part(w, "family", name->family);
    write_part(w, "suffix", name->suffix);
    xmlw_end(w);
}

void
xcpd_write_address(struct xmlw *w, const char *element, const struct address *address)
{
    xmlw_start(w, element);
    write_use(w, address->use, address_uses);
    for (size_t i = 0; i < address->street.n; i++) {
        write_part(w, "streetAddressLine", address->street.items[i]);
    }
    write_part(w, "city", address->city);
    write_part(w, "state", address->state);
    write_part(w, "postalCode", address->postal_code);
    write_part(w, "country", address->country);
    xmlw_end(w);
}

void
xcpd_write_telecom(struct xmlw *w, const char *element, const struct telecom *telecom)
{
    xmlw_start(w, element);
    write_use(w, telecom->use, telecom_uses);
    xmlw_attr(w, "value", telecom->value);
    xmlw_end(w);
}

/* receiver or sender: the device's id is its community's, and so is the organization's, which is
 * where ITI TF-2 3.55.4.1.2.4 puts the homeCommunityId. */
static void
write_party(struct xmlw *w, const char *element, const char *type_code, struct span home)
{
    const struct ident id = {.root = home};
    xmlw_start(w, element);
    xmlw_attr_cstr(w, "typeCode", type_code);
    xmlw_start(w, "device");
    xmlw_attr_cstr(w, "classCode", "DEV");
    xmlw_attr_cstr(w, "determinerCode", "INSTANCE");
    xcpd_write_ident(w, "id", &id);
    if (home.n > 0) {
        xmlw_start(w, "asAgent");
        xmlw_attr_cstr(w, "classCode", "AGNT");
        xmlw_start(w, "representedOrganization");
        xmlw_attr_cstr(w, "classCode", "ORG");
        xmlw_attr_cstr(w, "determinerCode", "INSTANCE");
        xcpd_write_ident(w, "id", &id);
        xmlw_end(w);
        xmlw_end(w);
    }
    xmlw_end(w);
    xmlw_end(w);
}

void
xcpd_write_wrapper(struct xmlw *w, const struct xcpd_wrapper *wrapper)
{
    char created[DATETIME_MAX];
    datetime_write_hl7(wrapper->creation_us, created);
    const struct ident interaction = {.root = SPAN(HL7_INTERACTION_ROOT),
                                      .extension = span_of_cstr(wrapper->element)};
    xmlw_start(w, wrapper->element);
    xmlw_attr_cstr(w, "xmlns", NS_HL7);
    xmlw_attr_cstr(w, "ITSVersion", "XML_1.0");
    xcpd_write_ident(w, "id", &wrapper->id);
    xmlw_start(w, "creationTime");
    xmlw_attr_cstr(w, "value", created);
    xmlw_end(w);
    xcpd_write_ident(w, "interactionId", &interaction);
    xcpd_write_code(w, "processingCode", SPAN("P"), NULL);
    xcpd_write_code(w, "processingModeCode", SPAN("T"), NULL);
    xcpd_write_code(w, "acceptAckCode", span_of_cstr(wrapper->accept_ack), NULL);
    write_party(w, "receiver", "RCV", wrapper->receiver_home);
    write_party(w, "sender", "SND", wrapper->sender_home);
}
