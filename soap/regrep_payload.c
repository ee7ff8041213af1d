/*
 * Writes a RegRep or XDS.b payload from the tree as the text that gSOAP reads (why: the header).
 * Called by the xca_*.c readers on the thread that owns the message; the caller owns the buffer.
 */
#include "soap/regrep_payload.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/xmlw.h"
#include "soap/regrep.h"

#define NAME(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

/* Everything that regrep.gsoap.h declares as an attribute. */
static const struct name {
    const char *text;
    size_t n;
} attributes[] = {
    NAME("id"),
    NAME("home"),
    NAME("name"),
    NAME("value"),
    NAME("returnType"),
    NAME("lid"),
    NAME("objectType"),
    NAME("status"),
    NAME("mimeType"),
    NAME("registryObject"),
    NAME("identificationScheme"),
    NAME("classificationScheme"),
    NAME("severity"),
    NAME("location"),
    NAME("errorCode"),
    NAME("codeContext"),
    NAME("classifiedObject"),
    NAME("nodeRepresentation"),
    NAME("highestSeverity"),
    NAME("sourceObject"),
    NAME("targetObject"),
    NAME("associationType"),
    NAME("classificationNode"),
    NAME("returnComposedObjects"),
};

/* Everything that it declares as an element. */
struct element_row {
    struct name name;
    bool is_single; /* a parent has one at most; gSOAP would read the first and skip the rest */
    bool has_text;
};
static const struct element_row elements[] = {
    {NAME("AdhocQueryRequest"), false, false},
    {NAME("ResponseOption"), true, false},
    {NAME("AdhocQuery"), true, false},
    {NAME("Slot"), false, false},
    {NAME("ValueList"), true, false},
    {NAME("Value"), false, true},
    {NAME("AdhocQueryResponse"), false, false},
    {NAME("RegistryErrorList"), true, false},
    {NAME("RegistryError"), false, false},
    {NAME("RegistryObjectList"), true, false},
    {NAME("ObjectRef"), false, false},
    {NAME("ExtrinsicObject"), false, false},
    {NAME("Name"), true, false},
    {NAME("Description"), true, false},
    {NAME("LocalizedString"), false, false},
    {NAME("Classification"), false, false},
    {NAME("ExternalIdentifier"), false, false},
    {NAME("RetrieveDocumentSetRequest"), false, false},
    {NAME("DocumentRequest"), false, false},
    {NAME("RetrieveDocumentSetResponse"), false, false},
    {NAME("RegistryResponse"), true, false},
    {NAME("DocumentResponse"), false, false},
    {NAME("HomeCommunityId"), true, true},
    {NAME("RepositoryUniqueId"), true, true},
    {NAME("DocumentUniqueId"), true, true},
    {NAME("mimeType"), true, true},
    {NAME("NewRepositoryUniqueId"), true, true},
    {NAME("NewDocumentUniqueId"), true, true},
    {NAME("Document"), true, false}, /* but in a submission */
    {NAME("RegistryPackage"), false, false},
    {NAME("Association"), false, false},
    {NAME("ProvideAndRegisterDocumentSetRequest"), false, false},
    {NAME("SubmitObjectsRequest"), true, false},
    {NAME("RequestSlotList"), true, false},
};

struct walk {
    enum err code;
    struct arena *arena;
    struct diag *diag;
    struct xmlw w;
    struct document_node_list documents;
};

static bool
is_name(struct span name, const struct name *wanted)
{
    return name.n == wanted->n && memcmp(name.p, wanted->text, wanted->n) == 0;
}

/* The program's own literal for a name of a list, or NULL. */
static const char *
find_name(struct span name, const struct name *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_name(name, &list[i])) {
            return list[i].text;
        }
    }
    return NULL;
}

static const struct name namespaces[] = {NAME(NS_RIM), NAME(NS_RS), NAME(NS_QUERY), NAME(NS_XDSB),
                                         NAME(NS_LCM)};

static const char *
known_namespace(const xmlNode *node)
{
    return find_name(xml_namespace(node), namespaces, ARRAY_LEN(namespaces));
}

/* NULL: not ours to read, whatever is in it. */
static const struct element_row *
find_row(const xmlNode *node, const char **ret_ns)
{
    const struct span name = xml_local_name(node);
    *ret_ns = known_namespace(node);
    for (size_t i = 0; *ret_ns != NULL && i < ARRAY_LEN(elements); i++) {
        if (is_name(name, &elements[i].name)) {
            return &elements[i];
        }
    }
    return NULL;
}

static struct status
check_single(const struct walk *walk, const xmlNode *node, const struct element_row *row,
             const char *ns)
{
    const bool is_provided =
        xml_is(node->parent, NS_XDSB, "ProvideAndRegisterDocumentSetRequest") &&
        xml_is(node, NS_XDSB, "Document");
    if (row->is_single && !is_provided && xml_next_named(node, ns, row->name.text) != NULL) {
        return FAIL(walk->diag, walk->code, "<%s> stands twice in <%s>; expected once",
                    row->name.text, (const char *)node->parent->name);
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
start_element(struct walk *walk, const xmlNode *node, const struct element_row *row, const char *ns,
              const char *outer_ns)
{
    xmlw_start(&walk->w, row->name.text);
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

/* What an element holds besides elements; *ret_text is empty unless it may hold text. */
static struct status
read_content(const struct walk *walk, const xmlNode *node, const struct element_row *row,
             struct span *ret_text)
{
    *ret_text = SPAN_EMPTY;
    if (xml_child(node, NS_XOP, "Include") != NULL) {
        return FAIL(walk->diag, ERR_XOP, "xop:Include in <%s>; only a Document may have one",
                    row->name.text);
    }
    if (row->has_text) {
        return xml_text(node, walk->code, walk->arena, walk->diag, ret_text);
    }
    if (xml_first(node) != NULL && !xml_has_element_content(node)) {
        return FAIL(walk->diag, walk->code, "<%s> holds text between its elements", row->name.text);
    }
    return OK;
}

static struct status
write_text(struct walk *walk, const xmlNode *node, const struct element_row *row)
{
    struct span text;
    TRY(read_content(walk, node, row, &text));
    if (row->has_text) {
        xmlw_text(&walk->w, text);
    }
    return OK;
}

/* Depth is bounded by the parse and again by the writer. */
static struct status
write_element(struct walk *walk, const xmlNode *node, const struct element_row *row, const char *ns,
              const char *outer_ns)
{
    start_element(walk, node, row, ns, outer_ns);
    if (xml_is(node, NS_XDSB, "Document")) {
        TRY(write_document(walk, node));
        xmlw_end(&walk->w);
        return OK;
    }
    TRY(write_text(walk, node, row));
    for (const xmlNode *child = xml_first(node); child != NULL; child = xml_next(child)) {
        const char *child_ns = NULL;
        const struct element_row *child_row = find_row(child, &child_ns);
        if (child_row != NULL) {
            TRY(check_single(walk, child, child_row, child_ns));
            TRY(write_element(walk, child, child_row, child_ns, ns));
        }
    }
    xmlw_end(&walk->w);
    return OK;
}

struct status
document_node_find(const struct document_node_list *nodes, struct span href, struct diag *diag,
                   const xmlNode **ret_node)
{
    uint64_t index = 0;
    if (!span_to_u64(href, SIZE_MAX, &index) || index >= nodes->n) {
        return FAIL(diag, ERR_INTERNAL, "Document '%.*s' of %zu", SPAN_PRINT(href), nodes->n);
    }
    *ret_node = nodes->items[index];
    return OK;
}

struct status
regrep_payload_check_count(const xmlNode *payload, const char *local, size_t most,
                           struct diag *diag)
{
    const struct span name = span_of_cstr(local);
    size_t n = 0;
    for (const xmlNode *node = payload; node != NULL; node = xml_walk(node, payload)) {
        n += span_eq(xml_local_name(node), name) ? 1 : 0;
    }
    if (n > most) {
        return FAIL(diag, ERR_LIMIT_ITEMS,
                    "the request has %zu <%s>; at most %zu are taken at once: ask in parts", n,
                    local, most);
    }
    return OK;
}

struct status
regrep_payload_write(const xmlNode *payload, enum err code, struct arena *arena, struct buf *out,
                     struct diag *diag, struct document_node_list *ret_documents)
{
    struct walk walk = {.code = code, .arena = arena, .diag = diag};
    const char *ns = NULL;
    const struct element_row *row = find_row(payload, &ns);
    if (row == NULL) {
        return FAIL(diag, code, "the Body holds <%.*s>, which is no RegRep or XDS.b message",
                    SPAN_PRINT(span_slice(xml_local_name(payload), 0, 80)));
    }
    xmlw_init(&walk.w, out, diag);
    TRY(write_element(&walk, payload, row, ns, NULL));
    TRY(xmlw_finish(&walk.w));
    *ret_documents = walk.documents;
    return OK;
}

/* ---- what other readers would read differently ---- */

static const struct name objects[] = {
    NAME("ExtrinsicObject"), NAME("RegistryPackage"),    NAME("Association"),
    NAME("ObjectRef"),       NAME("RegistryObjectList"),
};

/* Ours to write, in an envelope of ours: nobody else's to put there. */
static const struct name foreign_to_objects[] = {NAME(NS_SOAP12), NAME(NS_WSSE), NAME(NS_WSU),
                                                 NAME(NS_DS), NAME(NS_XOP)};

static bool
has_odd_attribute(const xmlNode *node)
{
    for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
        const struct span name = span_of_cstr((const char *)attr->name);
        const struct span ns =
            attr->ns == NULL ? SPAN_EMPTY : span_of_cstr((const char *)attr->ns->href);
        if (ns.n > 0 && (find_name(name, attributes, ARRAY_LEN(attributes)) != NULL ||
                         find_name(ns, foreign_to_objects, ARRAY_LEN(foreign_to_objects)) != NULL ||
                         (span_eq_cstr(ns, NS_XSI) && span_eq_cstr(name, "nil")))) {
            return true;
        }
    }
    return false;
}

static bool
is_element_name(struct span name)
{
    for (size_t i = 0; i < ARRAY_LEN(elements); i++) {
        if (is_name(name, &elements[i].name)) {
            return true;
        }
    }
    return false;
}

bool
regrep_object_is_odd(const xmlNode *object)
{
    for (const xmlNode *node = object; node != NULL; node = xml_walk(node, object)) {
        const struct span name = xml_local_name(node);
        const bool is_rim = span_eq_cstr(xml_namespace(node), NS_RIM);
        if (has_odd_attribute(node) ||
            find_name(xml_namespace(node), foreign_to_objects, ARRAY_LEN(foreign_to_objects)) !=
                NULL ||
            (node != object && is_rim && find_name(name, objects, ARRAY_LEN(objects)) != NULL) ||
            (!is_rim && is_element_name(name))) {
            return true;
        }
    }
    return false;
}

/* ---- in pieces ---- */

static_assert(ARRAY_LEN(elements) * ARRAY_LEN(namespaces) <= REGREP_ONCE_MAX,
              "every element of every namespace has a place");

/* check_single where the siblings are gone. */
static struct status
check_once(const struct walk *walk, const xmlNode *piece, const struct element_row *row,
           const char *ns, struct regrep_once *once)
{
    size_t at = (size_t)(row - elements) * ARRAY_LEN(namespaces);
    while (namespaces[at % ARRAY_LEN(namespaces)].text != ns) {
        at++;
    }
    if (row->is_single && once->is_seen[at]) {
        return FAIL(walk->diag, walk->code, "<%s> stands twice in <%s>; expected once",
                    row->name.text, (const char *)piece->parent->name);
    }
    once->is_seen[at] = true;
    return OK;
}

/* What write_element refuses, and no more siblings than gSOAP takes (regrep_io.c). */
static struct status
check_element(const struct walk *walk, const xmlNode *node, const struct element_row *row)
{
    struct span text;
    size_t n = 0;
    if (xml_is(node, NS_XDSB, "Document")) {
        return OK;
    }
    TRY(read_content(walk, node, row, &text));
    for (const xmlNode *child = xml_first(node); child != NULL; child = xml_next(child)) {
        const char *ns = NULL;
        const struct element_row *child_row = find_row(child, &ns);
        if (child_row != NULL) {
            TRY(check_single(walk, child, child_row, ns));
            TRY(check_element(walk, child, child_row));
        }
        if (n++ == REGREP_SIBLINGS_MAX) {
            return FAIL(walk->diag, walk->code, "<%s> holds more than %zu elements", row->name.text,
                        REGREP_SIBLINGS_MAX);
        }
    }
    return OK;
}

struct status
regrep_piece_check(const xmlNode *piece, enum err code, struct arena *arena,
                   struct regrep_once *once, struct diag *diag)
{
    const struct walk walk = {.code = code, .arena = arena, .diag = diag};
    const char *ns = NULL;
    const struct element_row *row = find_row(piece, &ns);
    if (xml_is(piece, NS_XOP, "Include")) {
        return FAIL(diag, ERR_XOP, "xop:Include in <%s>; only a Document may have one",
                    (const char *)piece->parent->name);
    }
    if (row == NULL) {
        return OK;
    }
    TRY(check_once(&walk, piece, row, ns, once));
    return check_element(&walk, piece, row);
}
