/*
 * Writes a RegRep or XDS.b payload from the tree as the text that gSOAP reads (why: the header).
 * Called by the xca_*.c readers on the thread that owns the message; the caller owns the buffer.
 */
#include "soap/regrep_payload.h"

#include <assert.h>
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

/* Everything that it declares as an element. */
struct element_row {
    const char *name;
    bool is_single; /* a parent has one at most; gSOAP would read the first and skip the rest */
    bool has_text;
};
static const struct element_row elements[] = {
    {"AdhocQueryRequest", false, false},
    {"ResponseOption", true, false},
    {"AdhocQuery", true, false},
    {"Slot", false, false},
    {"ValueList", true, false},
    {"Value", false, true},
    {"AdhocQueryResponse", false, false},
    {"RegistryErrorList", true, false},
    {"RegistryError", false, false},
    {"RegistryObjectList", true, false},
    {"ObjectRef", false, false},
    {"ExtrinsicObject", false, false},
    {"Name", true, false},
    {"Description", true, false},
    {"LocalizedString", false, false},
    {"Classification", false, false},
    {"ExternalIdentifier", false, false},
    {"RetrieveDocumentSetRequest", false, false},
    {"DocumentRequest", false, false},
    {"RetrieveDocumentSetResponse", false, false},
    {"RegistryResponse", true, false},
    {"DocumentResponse", false, false},
    {"HomeCommunityId", true, true},
    {"RepositoryUniqueId", true, true},
    {"DocumentUniqueId", true, true},
    {"mimeType", true, true},
    {"Document", true, false},
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

static const char *const namespaces[] = {NS_RIM, NS_RS, NS_QUERY, NS_XDSB};

static const char *
known_namespace(const xmlNode *node)
{
    return find_name(xml_namespace(node), namespaces, ARRAY_LEN(namespaces));
}

/* NULL: not ours to read, whatever is in it. */
static const struct element_row *
find_row(const xmlNode *node)
{
    const struct span name = xml_local_name(node);
    if (known_namespace(node) == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(elements); i++) {
        if (span_eq_cstr(name, elements[i].name)) {
            return &elements[i];
        }
    }
    return NULL;
}

static struct status
check_single(const struct walk *walk, const xmlNode *node, const struct element_row *row)
{
    if (row->is_single && xml_next_named(node, known_namespace(node), row->name) != NULL) {
        return FAIL(walk->diag, walk->code, "<%s> stands twice in <%s>; expected once", row->name,
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
start_element(struct walk *walk, const xmlNode *node, const struct element_row *row,
              const char *outer_ns)
{
    const char *ns = known_namespace(node);
    xmlw_start(&walk->w, row->name);
    if (ns != outer_ns) {
        xmlw_attr_cstr(&walk->w, "xmlns", ns);
    }
    write_attributes(walk, node);
}

/* The Document's bytes stay where they are: gSOAP gets their index. */
static struct status
write_document(struct walk *walk, const xmlNode *node)
{
    char index[24];
    (void)snprintf(index, sizeof(index), "%zu", walk->documents.n);
    TRY(ARENA_PUSH(walk->arena, walk->diag, &walk->documents, node));
    xmlw_start(&walk->w, "Include");
    xmlw_attr_cstr(&walk->w, "xmlns", NS_XOP);
    xmlw_attr_cstr(&walk->w, "href", index);
    xmlw_end(&walk->w);
    return OK;
}

static struct status
write_text(struct walk *walk, const xmlNode *node, const struct element_row *row)
{
    struct span text = SPAN_EMPTY;
    if (xml_child(node, NS_XOP, "Include") != NULL) {
        return FAIL(walk->diag, ERR_XOP,
                    "xop:Include in <%s>; only the Document of a DocumentResponse may have one",
                    row->name);
    }
    if (row->has_text) {
        TRY(xml_text(node, walk->code, walk->arena, walk->diag, &text));
        xmlw_text(&walk->w, text);
    } else if (xml_first(node) != NULL && !xml_has_element_content(node)) {
        return FAIL(walk->diag, walk->code, "<%s> holds text between its elements", row->name);
    }
    return OK;
}

/* Depth is bounded by the parse and again by the writer. */
static struct status
write_element(struct walk *walk, const xmlNode *node, const struct element_row *row,
              const char *outer_ns)
{
    start_element(walk, node, row, outer_ns);
    if (xml_is(node, NS_XDSB, "Document")) {
        TRY(write_document(walk, node));
        xmlw_end(&walk->w);
        return OK;
    }
    TRY(write_text(walk, node, row));
    for (const xmlNode *child = xml_first(node); child != NULL; child = xml_next(child)) {
        const struct element_row *child_row = find_row(child);
        if (child_row != NULL) {
            TRY(check_single(walk, child, child_row));
            TRY(write_element(walk, child, child_row, known_namespace(node)));
        }
    }
    xmlw_end(&walk->w);
    return OK;
}

struct status
regrep_payload_write(const xmlNode *payload, enum err code, struct arena *arena, struct buf *out,
                     struct diag *diag, struct document_node_list *ret_documents)
{
    struct walk walk = {.code = code, .arena = arena, .diag = diag};
    const struct element_row *row = find_row(payload);
    if (row == NULL) {
        return FAIL(diag, code, "the Body holds <%.*s>, which is no RegRep or XDS.b message",
                    SPAN_PRINT(span_slice(xml_local_name(payload), 0, 80)));
    }
    xmlw_init(&walk.w, out, diag);
    TRY(write_element(&walk, payload, row, NULL));
    TRY(xmlw_finish(&walk.w));
    *ret_documents = walk.documents;
    return OK;
}

/* ---- in pieces ---- */

static_assert(ARRAY_LEN(elements) * ARRAY_LEN(namespaces) <= REGREP_ONCE_MAX,
              "every element of every namespace has a place");

/* check_single where the siblings are gone. */
static struct status
check_once(const struct walk *walk, const xmlNode *piece, const struct element_row *row,
           struct regrep_once *once)
{
    size_t at = (size_t)(row - elements) * ARRAY_LEN(namespaces);
    while (namespaces[at % ARRAY_LEN(namespaces)] != known_namespace(piece)) {
        at++;
    }
    if (row->is_single && once->is_seen[at]) {
        return FAIL(walk->diag, walk->code, "<%s> stands twice in <%s>; expected once", row->name,
                    (const char *)piece->parent->name);
    }
    once->is_seen[at] = true;
    return OK;
}

struct status
regrep_piece_write(const xmlNode *piece, enum err code, struct arena *arena,
                   struct regrep_once *once, struct buf *out, struct diag *diag)
{
    struct walk walk = {.code = code, .arena = arena, .diag = diag};
    const struct element_row *row = find_row(piece);
    if (xml_is(piece, NS_XOP, "Include")) {
        return FAIL(diag, ERR_XOP,
                    "xop:Include in <%s>; only the Document of a DocumentResponse may have one",
                    (const char *)piece->parent->name);
    }
    if (row == NULL) {
        return OK;
    }
    TRY(check_once(&walk, piece, row, once));
    xmlw_init(&walk.w, out, diag);
    TRY(write_element(&walk, piece, row, NULL));
    return xmlw_finish(&walk.w);
}
