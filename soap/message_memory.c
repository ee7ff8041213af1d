/*
 * How much memory a message's tree takes, for whoever holds many of them. Called by the asking side
 * on a worker; counts what libxml2 allocates for nodes, without its allocator's own overhead.
 */
#include <string.h>

#include "soap/message_internal.h"

static size_t
attributes_memory(const xmlNode *node)
{
    size_t n = 0;

    for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
        n += sizeof(xmlAttr) + sizeof(xmlNode) + xml_attr_value(attr).n + 1;
    }
    for (const xmlNs *ns = node->nsDef; ns != NULL; ns = ns->next) {
        n += sizeof(xmlNs) + strlen((const char *)ns->href) + 1;
    }
    return n;
}

size_t
message_memory(const struct message *message)
{
    size_t n = 0;

    for (const xmlNode *node = message->envelope; node != NULL;
         node = xml_walk(node, message->envelope)) {
        n += sizeof(xmlNode) + attributes_memory(node);
        for (const xmlNode *child = node->children; child != NULL; child = child->next) {
            if (child->type != XML_ELEMENT_NODE) {
                n += sizeof(xmlNode) +
                     (child->content == NULL ? 0 : strlen((const char *)child->content) + 1);
            }
        }
    }
    return n;
}
