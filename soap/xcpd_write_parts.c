/*
 * Writes the HL7 V3 pieces that the XCPD question and answer share. Called by the writers of
 * ITI-55, 47 and 45; any thread; owns nothing. A value of @use that the schema does not know
 * is left out: what a document once said must not make our message invalid.
 */
#include "base/ids.h"
#include "soap/xcpd_parts.h"

static const char *const name_uses[] = {"L", "P", "C", "A", "I", "R", "ABC", "SYL", "IDE", NULL};
/* With that of a name to be searched for, ITI-47 only. */
static const char *const pattern_uses[] = {"SRCH", "L", "P", "C", "A", "I", NULL};
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

/* What the schema takes as a code. */
static bool
is_one_word(struct span code)
{
    for (size_t i = 0; i < code.n; i++) {
        if ((unsigned char)code.p[i] <= ' ') {
            return false;
        }
    }
    return code.n > 0;
}

void
xcpd_write_coded(struct xmlw *w, const char *element, const struct code *code)
{
    xmlw_start(w, element);
    if (!is_one_word(code->value)) {
        xmlw_attr_cstr(w, "nullFlavor", "UNK");
        xmlw_end(w);
        return;
    }
    xmlw_attr(w, "code", code->value);
    if (oid_is_valid(code->scheme)) {
        xmlw_attr(w, "codeSystem", code->scheme);
    }
    if (code->display.n > 0) {
        xmlw_attr(w, "displayName", code->display);
    }
    xmlw_end(w);
}

void
xcpd_write_value(struct xmlw *w, const char *element, struct span value)
{
    xmlw_start(w, element);
    xmlw_attr(w, "value", value);
    xmlw_end(w);
}

void
xcpd_start_classed(struct xmlw *w, const char *element, const char *class_code, const char *mood)
{
    xmlw_start(w, element);
    xmlw_attr_cstr(w, "classCode", class_code);
    if (mood != NULL) {
        xmlw_attr_cstr(w, "moodCode", mood);
    }
}

void
xcpd_start_typed(struct xmlw *w, const char *element, const char *type_code)
{
    xmlw_start(w, element);
    xmlw_attr_cstr(w, "typeCode", type_code);
}

void
xcpd_start_organization(struct xmlw *w, const char *element)
{
    xcpd_start_classed(w, element, "ORG", NULL);
    xmlw_attr_cstr(w, "determinerCode", "INSTANCE");
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

static void
write_name(struct xmlw *w, const char *element, const struct person_name *name,
           const char *const *uses)
{
    xmlw_start(w, element);
    if (!xcpd_name_is_usable(name)) {
        xmlw_attr_cstr(w, "nullFlavor", "NA");
        xmlw_end(w);
        return;
    }
    write_use(w, name->use, uses);
    write_part(w, "prefix", name->prefix);
    for (size_t i = 0; i < name->given.n; i++) {
        write_part(w, "given", name->given.items[i]);
    }
    write_part(w, "family", name->family);
    write_part(w, "suffix", name->suffix);
    xmlw_end(w);
}

void
xcpd_write_name(struct xmlw *w, const char *element, const struct person_name *name)
{
    write_name(w, element, name, name_uses);
}

void
xcpd_write_pattern(struct xmlw *w, const char *element, const struct person_name *name)
{
    write_name(w, element, name, pattern_uses);
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
