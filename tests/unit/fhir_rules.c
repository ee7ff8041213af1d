/*
 * FHIR R4 as tables (see fhir_rules.h). The tables were written from the specification's structure
 * definitions: element, type, minimum, maximum, required binding. What is not in a table may not
 * stand there.
 */
#include "tests/unit/fhir_rules.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define PATH_BYTES 256
#define MANY       0 /* maximum: "*" */

struct element {
    const char *type; /* the structure that it belongs to */
    const char *name;
    const char *of; /* its own type */
    int min, max;
    const char *required; /* codes of a required value set, each between blanks; NULL: any */
};

/* clang-format off */
static const struct element elements[] = {
    {"AuditEvent", "resourceType", "code", 1, 1, " AuditEvent "},
    {"AuditEvent", "id", "id", 0, 1, NULL},
    {"AuditEvent", "type", "Coding", 1, 1, NULL},
    {"AuditEvent", "subtype", "Coding", 0, MANY, NULL},
    {"AuditEvent", "action", "code", 0, 1, " C R U D E "},
    {"AuditEvent", "period", "Period", 0, 1, NULL},
    {"AuditEvent", "recorded", "instant", 1, 1, NULL},
    {"AuditEvent", "outcome", "code", 0, 1, " 0 4 8 12 "},
    {"AuditEvent", "outcomeDesc", "string", 0, 1, NULL},
    {"AuditEvent", "purposeOfEvent", "CodeableConcept", 0, MANY, NULL},
    {"AuditEvent", "agent", "Agent", 1, MANY, NULL},
    {"AuditEvent", "source", "Source", 1, 1, NULL},
    {"AuditEvent", "entity", "Entity", 0, MANY, NULL},
    {"Agent", "type", "CodeableConcept", 0, 1, NULL},
    {"Agent", "role", "CodeableConcept", 0, MANY, NULL},
    {"Agent", "who", "Reference", 0, 1, NULL},
    {"Agent", "altId", "string", 0, 1, NULL},
    {"Agent", "name", "string", 0, 1, NULL},
    {"Agent", "requestor", "boolean", 1, 1, NULL},
    {"Agent", "location", "Reference", 0, 1, NULL},
    {"Agent", "policy", "uri", 0, MANY, NULL},
    {"Agent", "media", "Coding", 0, 1, NULL},
    {"Agent", "network", "Network", 0, 1, NULL},
    {"Agent", "purposeOfUse", "CodeableConcept", 0, MANY, NULL},
    {"Network", "address", "string", 0, 1, NULL},
    {"Network", "type", "code", 0, 1, " 1 2 3 4 5 "},
    {"Source", "site", "string", 0, 1, NULL},
    {"Source", "observer", "Reference", 1, 1, NULL},
    {"Source", "type", "Coding", 0, MANY, NULL},
    {"Entity", "what", "Reference", 0, 1, NULL},
    {"Entity", "type", "Coding", 0, 1, NULL},
    {"Entity", "role", "Coding", 0, 1, NULL},
    {"Entity", "lifecycle", "Coding", 0, 1, NULL},
    {"Entity", "securityLabel", "Coding", 0, MANY, NULL},
    {"Entity", "name", "string", 0, 1, NULL},
    {"Entity", "description", "string", 0, 1, NULL},
    {"Entity", "query", "base64Binary", 0, 1, NULL},
    {"Entity", "detail", "Detail", 0, MANY, NULL},
    {"Detail", "type", "string", 1, 1, NULL},
    {"Detail", "valueString", "string", 0, 1, NULL},
    {"Detail", "valueBase64Binary", "base64Binary", 0, 1, NULL},
    {"CodeableConcept", "coding", "Coding", 0, MANY, NULL},
    {"CodeableConcept", "text", "string", 0, 1, NULL},
    {"Coding", "system", "uri", 0, 1, NULL},
    {"Coding", "version", "string", 0, 1, NULL},
    {"Coding", "code", "code", 0, 1, NULL},
    {"Coding", "display", "string", 0, 1, NULL},
    {"Coding", "userSelected", "boolean", 0, 1, NULL},
    {"Reference", "reference", "string", 0, 1, NULL},
    {"Reference", "type", "uri", 0, 1, NULL},
    {"Reference", "identifier", "Identifier", 0, 1, NULL},
    {"Reference", "display", "string", 0, 1, NULL},
    {"Identifier", "use", "code", 0, 1, " usual official temp secondary old "},
    {"Identifier", "type", "CodeableConcept", 0, 1, NULL},
    {"Identifier", "system", "uri", 0, 1, NULL},
    {"Identifier", "value", "string", 0, 1, NULL},
    {"Period", "start", "instant", 0, 1, NULL},
    {"Period", "end", "instant", 0, 1, NULL},
    {"Bundle", "resourceType", "code", 1, 1, " Bundle "},
    {"Bundle", "type", "code", 1, 1, " batch transaction batch-response transaction-response "},
    {"Bundle", "entry", "Entry", 0, MANY, NULL},
    {"Entry", "fullUrl", "uri", 0, 1, NULL},
    {"Entry", "resource", "AuditEvent", 0, 1, NULL},
    {"Entry", "request", "Request", 0, 1, NULL},
    {"Request", "method", "code", 1, 1, " GET HEAD POST PUT DELETE PATCH "},
    {"Request", "url", "uri", 1, 1, NULL},
};

/* FHIR R4 datatypes.html: primitive types. */
static const struct {
    const char *type;
    const char *pattern;
} primitives[] = {
    {"code", "^[^[:space:]]+([[:space:]][^[:space:]]+)*$"},
    {"id", "^[A-Za-z0-9.-]{1,64}$"},
    {"uri", "^[^[:space:]]+$"},
    {"string", "^[ \r\n\t[:graph:]\x80-\xFF]+$"},
    {"instant", "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:"
                "([0-5][0-9]|60)(\\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$"},
    {"base64Binary", "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"},
};
/* clang-format on */

static void
say(struct buf *wrong, const char *path, const char *what)
{
    struct diag diag = {0};
    CU_ASSERT(is_ok(buf_printf(wrong, &diag, "%s: %s\n", path, what)));
}

static bool
matches(const char *pattern, const char *text)
{
    regex_t regex;
    const int made = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB);
    CU_ASSERT_EQUAL_FATAL(made, 0);
    const bool fits = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return fits;
}

/* False when <type> is no primitive one. */
static bool
check_primitive(const char *type, const json_t *value, const char *path, struct buf *wrong)
{
    if (strcmp(type, "boolean") == 0) {
        if (!json_is_boolean(value)) {
            say(wrong, path, "not a boolean");
        }
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(primitives); i++) {
        if (strcmp(primitives[i].type, type) != 0) {
            continue;
        }
        const char *text = json_string_value(value);
        if (text == NULL) {
            say(wrong, path, "not a string");
        } else if (strlen(text) != json_string_length(value)) {
            say(wrong, path, "a NUL within");
        } else if (!matches(primitives[i].pattern, text)) {
            say(wrong, path, primitives[i].type);
        }
        return true;
    }
    return false;
}

static const struct element *
element_of(const char *type, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(elements); i++) {
        if (strcmp(elements[i].type, type) == 0 && strcmp(elements[i].name, name) == 0) {
            return &elements[i];
        }
    }
    return NULL;
}

static void check_structure(const char *type, const json_t *object, const char *path,
                            struct buf *wrong);

static void
check_value(const struct element *element, const json_t *value, const char *path, struct buf *wrong)
{
    char wanted[64];
    if (!check_primitive(element->of, value, path, wrong)) {
        check_structure(element->of, value, path, wrong);
        return;
    }
    if (element->required != NULL && json_is_string(value)) {
        (void)snprintf(wanted, sizeof(wanted), " %.60s ", json_string_value(value));
        if (strstr(element->required, wanted) == NULL) {
            say(wrong, path, "not in its value set");
        }
    }
}

static void
check_member(const struct element *element, const json_t *value, const char *path,
             struct buf *wrong)
{
    if (element->max != MANY) {
        check_value(element, value, path, wrong);
        return;
    }
    if (!json_is_array(value) || json_array_size(value) == 0) {
        say(wrong, path, "not an array with something in it");
        return;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        char item[PATH_BYTES];
        (void)snprintf(item, sizeof(item), "%.200s[%zu]", path, i);
        check_value(element, json_array_get(value, i), item, wrong);
    }
}

/* Invariants: what tables of elements cannot say. */
static void
check_together(const char *type, const json_t *object, const char *path, struct buf *wrong)
{
    const bool has_name = json_object_get(object, "name") != NULL;
    const bool has_text = json_object_get(object, "valueString") != NULL;
    const bool has_bytes = json_object_get(object, "valueBase64Binary") != NULL;
    if (strcmp(type, "Entity") == 0 && has_name && json_object_get(object, "query") != NULL) {
        say(wrong, path, "sev-1: a name or a query, not both");
    }
    if (strcmp(type, "Detail") == 0 && has_text == has_bytes) {
        say(wrong, path, "exactly one value[x]");
    }
    if (strcmp(type, "Entry") == 0 && json_object_get(object, "request") == NULL) {
        say(wrong, path, "bdl-3: a request in a batch");
    }
}

static void
check_structure(const char *type, const json_t *object, const char *path, struct buf *wrong)
{
    const char *name = NULL;
    json_t *value = NULL;
    if (!json_is_object(object) || json_object_size(object) == 0) {
        say(wrong, path, "not an object with something in it");
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        char member[PATH_BYTES];
        const struct element *element = element_of(type, name);
        (void)snprintf(member, sizeof(member), "%.190s.%.60s", path, name);
        if (element == NULL) {
            say(wrong, member, "no such element");
        } else {
            check_member(element, value, member, wrong);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(elements); i++) {
        if (strcmp(elements[i].type, type) == 0 && elements[i].min > 0 &&
            json_object_get(object, elements[i].name) == NULL) {
            char member[PATH_BYTES];
            (void)snprintf(member, sizeof(member), "%.190s.%.60s", path, elements[i].name);
            say(wrong, member, "missing");
        }
    }
    check_together(type, object, path, wrong);
}

void
fhir_rules_check(const json_t *resource, struct buf *wrong)
{
    const char *type = json_string_value(json_object_get(resource, "resourceType"));
    const bool is_bundle = type != NULL && strcmp(type, "Bundle") == 0;
    check_structure(is_bundle ? "Bundle" : "AuditEvent", resource,
                    is_bundle ? "Bundle" : "AuditEvent", wrong);
}
