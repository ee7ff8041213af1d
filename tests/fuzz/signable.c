/*
 * Is there still something to sign? Called by the targets that sign a message again after it was
 * changed, before kit_resign, which aborts when there is not.
 */
#include "fuzz/signable.h"

#include <string.h>

#include <libxml/c14n.h>

static xmlNode *
child_of(xmlNode *node, const char *name)
{
    xmlNode *child = node == NULL ? NULL : xmlFirstElementChild(node);
    while (child != NULL && strcmp((const char *)child->name, name) != 0) {
        child = xmlNextElementSibling(child);
    }
    return child;
}

static bool
is_signature(xmlNode *signature)
{
    xmlNode *const info = child_of(signature, "SignedInfo");
    return child_of(signature, "SignatureValue") != NULL &&
           child_of(child_of(info, "Reference"), "DigestValue") != NULL;
}

/* libxml2 refuses to write relative namespaces, for one. */
static bool
is_canonical(xmlNode *node)
{
    xmlDoc *const doc = xmlNewDoc((const xmlChar *)"1.0");
    xmlNode *const copy = xmlDocCopyNode(node, doc, 1);
    xmlChar *text = NULL;
    (void)xmlDocSetRootElement(doc, copy);
    const int n = xmlC14NDocDumpMemory(doc, NULL, XML_C14N_EXCLUSIVE_1_0, NULL, 0, &text);
    xmlFree(text);
    xmlFreeDoc(doc);
    return n >= 0;
}

bool
may_sign_again(xmlDoc *doc)
{
    xmlNode *const root = xmlDocGetRootElement(doc);
    xmlNode *const security = child_of(child_of(root, "Header"), "Security");
    xmlNode *const assertion = child_of(security, "Assertion");
    const xmlNode *signature = assertion;
    while (signature != NULL && strcmp((const char *)signature->name, "Signature") != 0) {
        signature = signature->next;
    }
    return assertion != NULL && is_signature(child_of(assertion, "Signature")) &&
           is_canonical(assertion) && (signature == NULL || is_signature((xmlNode *)signature)) &&
           child_of(security, "Timestamp") != NULL;
}
