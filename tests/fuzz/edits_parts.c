/*
 * The edit that knows what a signed message is made of: takes any set of parts of another message
 * (Timestamp, signatures, assertion, what the assertion says) in place of, before, behind or inside
 * ours, and then makes the references fit again, as an attacker would. Random edits would need a
 * dozen right guesses at once for that.
 */
#include "fuzz/edits_parts.h"

#include <string.h>

#define RELINK_TOKEN     1 /* the message's signature names the first assertion */
#define RELINK_LAST      2 /* ... the last one */
#define RELINK_REFERENCE 4 /* the assertion's signature refers to the element that it is in */
#define KEEP_ID          8 /* what is taken gets the id of ours */

static const char *const paths[] = {
    "Header/Security/Timestamp",         "Header/Security/Signature",
    "Header/Security/Assertion",         "Header/Security/Assertion/Signature",
    "Header/Security/Signature/KeyInfo", "Header/Security/Assertion/AttributeStatement",
    "Header/Security/Assertion/Subject", "Header/Security/Assertion/Conditions",
};

static xmlNode *
part_of(xmlDoc *doc, const char *path)
{
    xmlNode *node = xmlDocGetRootElement(doc);
    struct span rest = span_of_cstr(path);
    struct span name;
    while (node != NULL && span_split(&rest, '/', &name)) {
        node = xmlFirstElementChild(node);
        while (node != NULL && !span_eq_cstr(name, (const char *)node->name)) {
            node = xmlNextElementSibling(node);
        }
    }
    return node;
}

static xmlAttr *
id_of(const xmlNode *node)
{
    xmlAttr *attr = node == NULL ? NULL : node->properties;
    while (attr != NULL && strcmp((const char *)attr->name, "ID") != 0 &&
           strcmp((const char *)attr->name, "Id") != 0) {
        attr = attr->next;
    }
    return attr;
}

static void
copy_id(const xmlNode *from, const xmlNode *to)
{
    const xmlAttr *const source = id_of(from);
    xmlAttr *const target = id_of(to);
    if (source != NULL && target != NULL) {
        xmlChar *const value = xmlNodeListGetString(from->doc, source->children, 1);
        edit_set_attribute(target, value == NULL ? "" : (const char *)value);
        xmlFree(value);
    }
}

static void
take_part(struct edit_work *work, const struct edit *edit, const char *path, xmlDoc *donor)
{
    xmlNode *const ours = part_of(work->doc, path);
    xmlNode *const theirs = part_of(donor, path);
    const unsigned place = edit->place % 6;
    if (ours == NULL || theirs == NULL || (ours == work->top && place >= 4)) {
        return;
    }
    xmlNode *const copy = xmlDocCopyNode(theirs, work->doc, 1);
    if (copy == NULL) {
        return;
    }
    if ((edit->other & KEEP_ID) != 0) {
        copy_id(ours, copy);
    }
    edit_put(work, copy, ours, place >= 4 ? 2 : place);
    if (place == 4) { /* instead of ours */
        edit_take_out(work, ours);
    } else if (place == 5) { /* around ours */
        xmlUnlinkNode(ours);
        edit_put(work, ours, copy, edit->node);
    }
}

static void
relink_token(struct edit_work *work, bool is_last)
{
    xmlNode *assertion = part_of(work->doc, "Header/Security/Assertion");
    xmlNode *const key_info = part_of(work->doc, "Header/Security/Signature/KeyInfo");
    for (xmlNode *next = assertion; is_last && next != NULL; next = xmlNextElementSibling(next)) {
        assertion = strcmp((const char *)next->name, "Assertion") == 0 ? next : assertion;
    }
    const xmlAttr *const id = id_of(assertion);
    xmlNode *const reference = key_info == NULL ? NULL : xmlFirstElementChild(key_info);
    xmlNode *const identifier = reference == NULL ? NULL : xmlFirstElementChild(reference);
    if (id != NULL && identifier != NULL && identifier->children != NULL) {
        xmlChar *const value = xmlNodeListGetString(work->doc, id->children, 1);
        edit_set_text(work, identifier, value == NULL ? "" : (const char *)value);
        xmlFree(value);
    }
}

static void
relink_reference(const struct edit_work *work)
{
    const xmlAttr *const id = id_of(part_of(work->doc, "Header/Security/Assertion"));
    xmlNode *const reference =
        part_of(work->doc, "Header/Security/Assertion/Signature/SignedInfo/Reference");
    xmlChar *const value = id == NULL ? NULL : xmlNodeListGetString(work->doc, id->children, 1);
    if (reference != NULL && value != NULL) {
        xmlChar *const uri = xmlStrncatNew((const xmlChar *)"#", value, -1);
        (void)xmlSetProp(reference, (const xmlChar *)"URI", uri);
        xmlFree(uri);
    }
    xmlFree(value);
}

void
edit_take_parts(struct edit_work *work, const struct edit_scene *scene, const struct edit *edit)
{
    xmlDoc *const donor =
        scene->donors_n == 0 ? NULL : scene->donors[edit->detail % scene->donors_n];
    for (size_t i = 0; donor != NULL && i < ARRAY_LEN(paths); i++) {
        if ((edit->choice & (1U << i)) != 0) {
            take_part(work, edit, paths[i], donor);
        }
    }
    if ((edit->other & (RELINK_TOKEN | RELINK_LAST)) != 0) {
        relink_token(work, (edit->other & RELINK_LAST) != 0);
    }
    if ((edit->other & RELINK_REFERENCE) != 0) {
        relink_reference(work);
    }
}
