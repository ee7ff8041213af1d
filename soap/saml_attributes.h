/*
 * Attributes of a verified assertion, by name: values over all statements and repetitions. Internal
 * to soap/. Thread: whoever owns the arena.
 */
#ifndef SOAP_SAML_ATTRIBUTES_H
#define SOAP_SAML_ATTRIBUTES_H

#include "soap/view.h"

/* The Attributes of an assertion, in order. */
struct saml_names {
    struct saml_name {
        struct span name;
        const xmlNode *attribute;
    } * items;
    size_t n, capacity;
};

struct saml_reader {
    const xmlNode *assertion; /* out of a verified view */
    uint32_t relaxed;         /* set of enum dialect_relaxation */
    bool may_omit_purpose;
    uint32_t *omitted; /* grows by what of it was needed */
    struct arena *arena;
    struct diag *diag;
    struct saml_names names; /* of <assertion>: saml_read_names */
};
/* Before anything is asked by name. */
MUST_CHECK struct status saml_read_names(struct saml_reader *reader);

/* What describes a person may be repeated and the first value counts; what decides something must
 * be one and the same. */
enum saml_repeat { SAML_REPEAT_FIRST, SAML_REPEAT_EQUAL };

/* All failures are ERR_SAML_ATTRIBUTE, but for want of memory. */

/* The next AttributeValue of that name; <after> NULL: the first one. NULL at the end. */
const xmlNode *saml_next_value(const struct saml_reader *reader, const char *name,
                               const xmlNode *after);
/* Adds all text values that are not empty, each once. */
MUST_CHECK struct status saml_read_texts(const struct saml_reader *reader, const char *name,
                                         struct span_list *list);
/* One text value; empty when absent. */
MUST_CHECK struct status saml_read_text(const struct saml_reader *reader, const char *name,
                                        enum saml_repeat repeat, struct span *ret_text);
/* The same; absent ones are refused unless <relaxation> is allowed. */
MUST_CHECK struct status saml_read_required(const struct saml_reader *reader, const char *name,
                                            enum saml_repeat repeat,
                                            enum dialect_relaxation relaxation,
                                            struct span *ret_text);
/* HL7 CE: the one child <elements[0]> or <elements[1]> of the value, with code and codeSystem. */
MUST_CHECK struct status saml_read_code(const struct saml_reader *reader, const char *name,
                                        const xmlNode *value, const char *const elements[2],
                                        struct code *ret_code);
/* HL7 II: the one child <id> of the value, with root and perhaps extension. */
MUST_CHECK struct status saml_read_ident(const struct saml_reader *reader, const char *name,
                                         const xmlNode *value, struct ident *ret_ident);
struct status saml_attribute_missing(const struct saml_reader *reader, const char *name);

#endif
