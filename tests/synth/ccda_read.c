/*
 * Reads the demographics of the first recordTarget. Called by popular.c for real documents.
 */
#include "tests/synth/ccda_read.h"

#include <limits.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#define HL7 "urn:hl7-org:v3"

struct reader {
    struct arena *arena;
    struct diag *diag;
    struct rules_subject subject;
};

static bool
is_element(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && node->ns != NULL &&
           strcmp((const char *)node->ns->href, HL7) == 0 &&
           strcmp((const char *)node->name, name) == 0;
}

/* The first child element of that name at or after <node>. */
static xmlNode *
next_element(xmlNode *node, const char *name)
{
    while (node != NULL && !is_element(node, name)) {
        node = node->next;
    }
    return node;
}

static xmlNode *
child(xmlNode *parent, const char *name)
{
    return parent == NULL ? NULL : next_element(parent->children, name);
}

static struct status
take(struct reader *r, xmlChar *text, struct span *ret_text)
{
    struct status st = OK;

    *ret_text = SPAN_EMPTY;
    if (text != NULL) {
        st = arena_dup(r->arena, span_trim(span_of_cstr((const char *)text)), r->diag, ret_text);
    }
    xmlFree(text);
    return st;
}

static struct status
attribute(struct reader *r, xmlNode *node, const char *name, struct span *ret_text)
{
    *ret_text = SPAN_EMPTY;
    return node == NULL ? OK : take(r, xmlGetNoNsProp(node, (const xmlChar *)name), ret_text);
}

static struct status
read_ids(struct reader *r, xmlNode *role)
{
    for (xmlNode *id = child(role, "id"); id != NULL; id = next_element(id->next, "id")) {
        struct rules_id read;

        TRY(attribute(r, id, "root", &read.root));
        TRY(attribute(r, id, "extension", &read.extension));
        if (read.root.n > 0 && r->subject.ids_n < RULES_IDS_MAX) {
            r->subject.ids[r->subject.ids_n++] = read;
        }
    }
    return OK;
}

/* Several family parts are one family name. */
static struct status
read_family(struct reader *r, xmlNode *name, struct span *ret_family)
{
    struct span family = SPAN_EMPTY, part;

    for (xmlNode *node = child(name, "family"); node != NULL;
         node = next_element(node->next, "family")) {
        TRY(take(r, xmlNodeGetContent(node), &part));
        TRY(arena_printf(r->arena, r->diag, &family, "%.*s %.*s", SPAN_PRINT(family),
                         SPAN_PRINT(part)));
    }
    *ret_family = span_trim(family);
    return OK;
}

static struct status
read_names(struct reader *r, xmlNode *patient)
{
    for (xmlNode *node = child(patient, "name"); node != NULL;
         node = next_element(node->next, "name")) {
        struct rules_name name = {0};

        TRY(read_family(r, node, &name.family));
        for (xmlNode *given = child(node, "given"); given != NULL && name.given_n < RULES_GIVEN_MAX;
             given = next_element(given->next, "given")) {
            TRY(take(r, xmlNodeGetContent(given), &name.given[name.given_n]));
            name.given_n++;
        }
        if (name.family.n > 0 && r->subject.names_n < RULES_NAMES_MAX) {
            r->subject.names[r->subject.names_n++] = name;
        }
    }
    return OK;
}

static struct status
read_document(struct reader *r, xmlNode *root, const char *path, struct span *ret_confidentiality)
{
    xmlNode *role = child(child(root, "recordTarget"), "patientRole");
    xmlNode *patient = child(role, "patient");

    if (root == NULL || !is_element(root, "ClinicalDocument") || patient == NULL) {
        return FAIL(r->diag, ERR_DOCUMENT, "%s: no ClinicalDocument with a patient", path);
    }
    TRY(read_ids(r, role));
    TRY(read_names(r, patient));
    TRY(attribute(r, child(patient, "birthTime"), "value", &r->subject.birth));
    TRY(attribute(r, child(patient, "administrativeGenderCode"), "code", &r->subject.sex));
    return attribute(r, child(root, "confidentialityCode"), "code", ret_confidentiality);
}

struct status
ccda_read(struct span bytes, const char *path, struct arena *arena, struct diag *diag,
          struct ccda_facts *ret_facts)
{
    struct reader reader = {.arena = arena, .diag = diag};
    struct span confidentiality = SPAN_EMPTY;

    if (bytes.n > INT_MAX) {
        return FAIL(diag, ERR_DOCUMENT, "%s: too long", path);
    }
    xmlDoc *doc = xmlReadMemory(bytes.p, (int)bytes.n, path, NULL,
                                XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);

    if (doc == NULL) {
        return FAIL(diag, ERR_DOCUMENT, "%s: not well-formed XML", path);
    }
    const struct status st =
        read_document(&reader, xmlDocGetRootElement(doc), path, &confidentiality);

    xmlFreeDoc(doc);
    if (is_ok(st)) {
        *ret_facts = (struct ccda_facts){reader.subject, confidentiality};
    }
    return st;
}
