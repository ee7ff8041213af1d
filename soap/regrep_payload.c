/*
 * Writes a RegRep or XDS.b payload from the tree as the text that gSOAP reads (why: the header).
 * Called by the xca_*.c readers on the thread that owns the message; the caller owns the buffer.
 */
#include "soap/regrep_payload.h"

#include <stdio.h>

#include "base/xmlw.h"
#include "soap/regrep.h"

/* Everything that regrep.gsoap.h declares as an attribute. */
static const char *const attributes[] = {
    "id",
    "home",
    "name",
    "value",
    "returnType",
    "lid",
    "objectType",
    "status",
    "mimeType",
    "registryObject",
    "identificationScheme",
    "classificationScheme",
    "severity",
    "location",
    "errorCode",
    "codeContext",
    "classifiedObject",
    "nodeRepresentation",
    "highestSeverity",
    "returnComposedObjects",
};

/* Elements of which a parent has one at most. gSOAP would read the first and pass over the rest. */
static const char *const singles[] = {
    "ResponseOption",  "AdhocQuery",          "ValueList",          "Name",
    "Description",     "RegistryErrorList",   "RegistryObjectList", "RegistryResponse",
    "HomeCommunityId", "RepositoryUniqueId",  "DocumentUniqueId",   "NewRepositoryUniqueId",
    "mimeType",        "NewDocumentUniqueId", "Document",
};

/* Elements that hold text. */
static const char *const texts[] = {
    "Value",
    "HomeCommunityId",
    "RepositoryUniqueId",
    "DocumentUniqueId",
    "NewRepositoryUniqueId",
    "NewDocumentUniqueId",
    "mimeType",
};

struct walk {
    enum err code;
    struct arena *arena;
    struct diag *diag;
    struct xmlw w;
    struct document_node_list documents;
};

/* The program's own literal for a name of a list, or NULL. */
static const char *
find_name(struct span name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (span_eq_cstr(name, list[i])) {
            return list[i];
        }
    }
    return NULL;
}

static const char *
known_namespace(const xmlNode *node)
{
    static const char *const known[] = {NS_RIM, NS_RS, NS_QUERY, NS_XDSB};
    return find_name(xml_namespace(node), known, ARRAY_LEN(known));
}

static bool
is_document(const xmlNode *node)
{
    return xml_is(node, NS_XDSB, "Document");
}

static struct status
check_single(const struct walk *walk, const xmlNode *node, const char *ns)
{
    const char *name = find_name(xml_local_name(node), singles, ARRAY_LEN(singles));
    if (name != NULL && xml_next_named(node, ns, name) != NULL) {
        return FAIL(walk->diag, walk->code, "<%s> stands twice in <%s>; expected once", name,
                    (const char *)node->parent->name);
    }
    return OK;
}

static void
write_attributes(struct walk *walk, const xmlNode *node)
{
    for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
        const char *name =
            find_name(span_of_cstr((const char *)attr->name), attributes, ARRAY_LEN(attributes));
        if (name != NULL && attr->ns == NULL) {
            xmlw_attr(&walk->w, name, xml_attr_value(attr));
        }
    }
}

/* The default namespace is declared wherever it changes. */
static void
start_element(struct walk *walk, const xmlNode *node, const char *ns, const char *outer_ns)
{
    xmlw_start(&walk->w, (const char *)node->name);
    if (ns != outer_ns) {
        xmlw_attr_cstr(&walk->w, "xmlns", ns);
    }
    write_attributes(walk, node);
}

static struct status
write_document(struct walk *walk, const xmlNode *node, const char *ns, const char *outer_ns)
{
    char index[24];
    (void)snprintf(index, sizeof(index), "%zu", walk->documents.n);
    TRY(ARENA_PUSH(walk->arena, walk->diag, &walk->documents, node));
    start_element(walk, node, ns, outer_ns);
    xmlw_start(&walk->w, "Include");
    xmlw_attr_cstr(&walk->w, "xmlns", NS_XOP);
    xmlw_attr_cstr(&walk->w, "href", index);
    xmlw_end(&walk->w);
    xmlw_end(&walk->w);
    return OK;
}

static struct status
write_text(struct walk *walk, const xmlNode *node)
{
    struct span text = SPAN_EMPTY;
    if (xml_child(node, NS_XOP, "Include") != NULL) {
        return FAIL(walk->diag, ERR_XOP,
                    "xop:Include in <%s>; only the Document of a DocumentResponse may have one",
                    (const char *)node->name);
    }
    if (find_name(xml_local_name(node), texts, ARRAY_LEN(texts)) != NULL) {
        TRY(xml_text(node, walk->code, walk->arena, walk->diag, &text));
        xmlw_text(&walk->w, text);
    } else if (xml_first(node) != NULL && !xml_has_element_content(node)) {
        return FAIL(walk->diag, walk->code, "<%s> holds text between its elements",
                    (const char *)node->name);
    }
    return OK;
}

/* Depth is bounded by the parse and again by the writer. */
static struct status
write_element(struct walk *walk, const xmlNode *node, const char *ns, const char *outer_ns)
{
    start_element(walk, node, ns, outer_ns);
    TRY(write_text(walk, node));
    for (const xmlNode *child = xml_first(node); child != NULL; child = xml_next(child)) {
        const char *child_ns = known_namespace(child);
        if (child_ns == NULL) {
            continue;
        }
        TRY(check_single(walk, child, child_ns));
        if (!is_document(child)) {
            TRY(write_element(walk, child, child_ns, ns));
        } else if (xml_is(node, NS_XDSB, "DocumentResponse")) {
            TRY(write_document(walk, child, child_ns, ns));
        }
        /* A Document elsewhere (an extension puts one into ExtrinsicObject) is not ours to read. */
    }
    xmlw_end(&walk->w);
    return OK;
}

struct status
regrep_payload_write(const xmlNode *payload, enum err code, struct arena *arena, struct buf *out,
                     struct diag *diag, struct document_node_list *ret_documents)
{
    struct walk walk = {.code = code, .arena = arena, .diag = diag};
    const char *ns = known_namespace(payload);
    if (ns == NULL) {
        return FAIL(diag, code, "the Body holds <%.*s> of a foreign namespace",
                    SPAN_PRINT(xml_local_name(payload)));
    }
    xmlw_init(&walk.w, out, diag);
    TRY(write_element(&walk, payload, ns, NULL));
    TRY(xmlw_finish(&walk.w));
    *ret_documents = walk.documents;
    return OK;
}
