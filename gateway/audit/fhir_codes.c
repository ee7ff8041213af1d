/*
 * The names of code systems in FHIR. Called by fhir.c, on its caller's thread; pure tables.
 * Sources: FHIR R4 terminologies-systems.html, valuesets of AuditEvent; HL7 terminology (THO).
 */
#include "audit/fhir_codes.h"

#include <stdio.h>
#include <string.h>

#include "base/ids.h"

static const struct {
    const char *name;
    const char *system;
} systems[] = {
    {"DCM", FHIR_SYSTEM_DCM},
    {"IHE Transactions", "urn:ihe:event-type-code"},
    {"IHE XDS Metadata", FHIR_SYSTEM_URI}, /* its codes are URNs */
    {"RFC-3881", "urn:ietf:rfc:3881"},
    {"Isthmus", "urn:isthmus:audit"},
    {"2.16.840.1.113883.5.8", "http://terminology.hl7.org/CodeSystem/v3-ActReason"},
    {"2.16.840.1.113883.6.1", "http://loinc.org"},
    {"2.16.840.1.113883.6.96", "http://snomed.info/sct"},
    {"2.16.840.1.113883.6.101", "http://nucc.org/provider-taxonomy"},
};

static const struct {
    const char *system;
    const char *code;
    const char *display;
} displays[] = {
    {FHIR_SYSTEM_ENTITY_TYPE, "1", "Person"},
    {FHIR_SYSTEM_ENTITY_TYPE, "2", "System Object"},
    {FHIR_SYSTEM_ENTITY_TYPE, "3", "Organization"},
    {FHIR_SYSTEM_ENTITY_TYPE, "4", "Other"},
    {FHIR_SYSTEM_OBJECT_ROLE, "1", "Patient"},
    {FHIR_SYSTEM_OBJECT_ROLE, "2", "Location"},
    {FHIR_SYSTEM_OBJECT_ROLE, "3", "Report"},
    {FHIR_SYSTEM_OBJECT_ROLE, "4", "Domain Resource"},
    {FHIR_SYSTEM_OBJECT_ROLE, "5", "Master file"},
    {FHIR_SYSTEM_OBJECT_ROLE, "6", "User"},
    {FHIR_SYSTEM_OBJECT_ROLE, "12", "Data Repository"},
    {FHIR_SYSTEM_OBJECT_ROLE, "13", "Security Resource"},
    {FHIR_SYSTEM_OBJECT_ROLE, "20", "Job"},
    {FHIR_SYSTEM_OBJECT_ROLE, "21", "Job Stream"},
    {FHIR_SYSTEM_OBJECT_ROLE, "24", "Query"},
    {FHIR_SYSTEM_SOURCE_TYPE, "4", "Application Server"},
    {FHIR_SYSTEM_PARTICIPATION, "AUT", "author (originator)"},
    {FHIR_SYSTEM_PARTICIPATION, "IRCP", "information recipient"},
    {FHIR_SYSTEM_ROLE_CLASS, "PROV", "healthcare provider"},
};

/* FHIR's type uri allows no white space; without a scheme it would be read as relative. */
static bool
is_uri(struct span text)
{
    const size_t colon = span_find_char(text, ':');
    if (colon == SPAN_MISSING || colon == 0) {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        const char c = text.p[i];
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool is_more = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        if (c <= ' ' || c == 0x7F || (i < colon && !is_letter && (i == 0 || !is_more))) {
            return false;
        }
    }
    return true;
}

bool
fhir_write_system(struct jsonw *w, struct span name)
{
    char urn[OID_URN];
    for (size_t i = 0; i < ARRAY_LEN(systems); i++) {
        if (span_eq_cstr(name, systems[i].name)) {
            jsonw_key_text(w, "system", span_of_cstr(systems[i].system));
            return true;
        }
    }
    if (oid_is_valid(name)) {
        (void)snprintf(urn, sizeof(urn), "urn:oid:%.*s", SPAN_PRINT(name));
        jsonw_key_text(w, "system", span_of_cstr(urn));
        return true;
    }
    if (is_uri(name)) {
        jsonw_key_text(w, "system", name);
        return true;
    }
    return false;
}

static bool
is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* FHIR R4 datatypes.html#code: [^\s]+(\s[^\s]+)* */
bool
fhir_is_code(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        const bool is_edge = i == 0 || i + 1 == text.n;
        if (is_white(text.p[i]) && (is_edge || is_white(text.p[i - 1]))) {
            return false;
        }
    }
    return text.n > 0;
}

const char *
fhir_display(const char *system, struct span code)
{
    for (size_t i = 0; i < ARRAY_LEN(displays); i++) {
        if (strcmp(displays[i].system, system) == 0 && span_eq_cstr(code, displays[i].code)) {
            return displays[i].display;
        }
    }
    return NULL;
}

void
fhir_write_coding(struct jsonw *w, const char *system, struct span code, const char *display)
{
    const char *known = fhir_display(system, code);
    jsonw_object(w);
    jsonw_key_text(w, "system", span_of_cstr(system));
    jsonw_key_text(w, "code", code);
    jsonw_key_text(w, "display", span_of_cstr(known != NULL ? known : display));
    jsonw_close(w);
}
