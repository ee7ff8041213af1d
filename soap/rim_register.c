/*
 * See the header. Called within a store's submission, on the worker of the transaction: each text
 * is parsed into a tree of its own, which nobody else ever sees and which is therefore changed in
 * place, and written again. What was judged is the record; it was read from the same text.
 */
#include "soap/rim_register.h"

#include "base/ids.h"
#include "base/mem.h"
#include "soap/rim_record.h"
#include "soap/xml.h"

#define OBJECT_TEXT_MAX ((size_t)32 * 1024 * 1024)

/* A Classification that stands beside its object. */
struct beside {
    struct span object;
    xmlNode *node;
};
struct beside_list {
    struct beside *items;
    size_t n, capacity;
};

struct editor {
    const struct rim_layout *layout;
    const struct beside_list *beside;
    struct rim_object object; /* as registered */
    struct span submitted_id;
    xmlDoc *doc;
    xmlNode *root;
    bool is_full; /* libxml2 had no memory for a change */
    struct arena *scratch;
    struct diag *diag;
};

static struct message_limits
text_limits(void)
{
    struct message_limits limits = message_limits_answer();
    /* A text has the declarations of all elements that it stood in: those were counted there. */
    limits.attributes = 8192;
    limits.start_tag_bytes = (size_t)4 * 1024 * 1024;
    return limits;
}

/* ---- changes ---- */

/* What libxml2 takes: with a NUL. */
static const xmlChar *
text_of(struct editor *e, struct span text)
{
    struct span copy = SPAN_EMPTY;
    e->is_full |= !is_ok(arena_dup(e->scratch, text, e->diag, &copy));
    return (const xmlChar *)(copy.p == NULL ? "" : copy.p);
}

static void
set_attribute(struct editor *e, xmlNode *node, const char *name, struct span value)
{
    e->is_full |= xmlSetProp(node, (const xmlChar *)name, text_of(e, value)) == NULL;
}

static void
drop_attribute(xmlNode *node, const char *name)
{
    xmlAttr *const attr = xmlHasNsProp(node, (const xmlChar *)name, NULL);
    if (attr != NULL) {
        (void)xmlRemoveProp(attr);
    }
}

static void
drop_node(xmlNode *node)
{
    xmlUnlinkNode(node);
    xmlFreeNode(node);
}

/* Places of children in rim.xsd's RegistryObjectType; what follows them, and what is foreign, is
 * last.
 */
static size_t
rank_of(const xmlNode *node)
{
    static const char *const order[] = {"Slot",        "Name",           "Description",
                                        "VersionInfo", "Classification", "ExternalIdentifier"};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        if (xml_is(node, NS_RIM, order[i])) {
            return i;
        }
    }
    return ARRAY_LEN(order);
}

static void
insert_in_order(struct editor *e, xmlNode *parent, xmlNode *node)
{
    xmlNode *before = parent->children;
    while (before != NULL &&
           (before->type != XML_ELEMENT_NODE || rank_of(before) <= rank_of(node))) {
        before = before->next;
    }
    xmlNode *const added =
        before == NULL ? xmlAddChild(parent, node) : xmlAddPrevSibling(before, node);
    if (added == NULL) {
        e->is_full = true;
        xmlFreeNode(node);
    }
}

/* In the namespace of the object, as it writes it. NULL: no memory. */
static xmlNode *
new_node(struct editor *e, const char *name)
{
    xmlNode *const node = xmlNewDocNode(e->doc, e->root->ns, (const xmlChar *)name, NULL);
    e->is_full |= node == NULL;
    return node;
}

static xmlNode *
add_child(struct editor *e, xmlNode *parent, const char *name)
{
    xmlNode *const node = new_node(e, name);
    return node == NULL ? NULL : xmlAddChild(parent, node);
}

/* ---- slots ---- */

/* The first slot of that name (NULL: none); the others go. */
static xmlNode *
only_slot(const struct editor *e, const char *name)
{
    xmlNode *first = NULL;
    for (xmlNode *node = e->root->children, *next; node != NULL; node = next) {
        next = node->next;
        if (!xml_is(node, NS_RIM, "Slot") || !span_eq_cstr(xml_attr_text(node, "name"), name)) {
            continue;
        }
        if (first == NULL) {
            first = node;
        } else {
            drop_node(node);
        }
    }
    return first;
}

static const struct rim_slot *
registered_slot(const struct editor *e, const char *name)
{
    for (size_t i = 0; i < e->object.slots.n; i++) {
        if (span_eq_cstr(e->object.slots.items[i].name, name)) {
            return &e->object.slots.items[i];
        }
    }
    return NULL;
}

static void
fill_slot(struct editor *e, xmlNode *slot, const struct rim_slot *from)
{
    while (slot->children != NULL) {
        drop_node(slot->children);
    }
    xmlNode *const list = add_child(e, slot, "ValueList");
    for (size_t i = 0; list != NULL && i < from->values.n; i++) {
        xmlNode *const value = add_child(e, list, "Value");
        if (value != NULL) {
            xmlNodeAddContent(value, text_of(e, from->values.items[i]));
        }
    }
}

static bool
has_values(const xmlNode *slot, const struct rim_slot *from)
{
    const xmlNode *value = xml_child(xml_child(slot, NS_RIM, "ValueList"), NS_RIM, "Value");
    size_t i = 0;
    for (; value != NULL && i < from->values.n; value = xml_next_named(value, NS_RIM, "Value")) {
        const xmlNode *const text = value->children;
        if (text == NULL || text->next != NULL || text->type != XML_TEXT_NODE ||
            !span_eq_cstr(span_trim(from->values.items[i++]), (const char *)text->content)) {
            return false;
        }
    }
    return value == NULL && i == from->values.n;
}

/* The record's values in the first slot of that name, which keeps the rest of itself; no other. */
static void
put_slot(struct editor *e, const char *name)
{
    const struct rim_slot *const from = registered_slot(e, name);
    xmlNode *slot = only_slot(e, name);
    if (from == NULL) {
        if (slot != NULL) {
            drop_node(slot);
        }
        return;
    }
    if (slot != NULL && has_values(slot, from)) {
        return; /* as it was written */
    }
    if (slot == NULL) {
        slot = new_node(e, "Slot");
        if (slot == NULL) {
            return;
        }
        set_attribute(e, slot, "name", span_of_cstr(name));
        insert_in_order(e, e->root, slot);
    }
    fill_slot(e, slot, from);
}

/* REQ: ITI41-registry-attributes */
static void
put_slots(struct editor *e)
{
    static const char *const of_document[] = {"sourcePatientInfo", "sourcePatientId", "size",
                                              "hash", "repositoryUniqueId"};
    if (e->layout == &rim_document) {
        for (size_t i = 0; i < ARRAY_LEN(of_document); i++) {
            put_slot(e, of_document[i]);
        }
    } else if (e->layout == &rim_association) {
        put_slot(e, "SubmissionSetStatus");
    } else if (e->layout == &rim_folder) {
        xmlNode *const slot = only_slot(e, "lastUpdateTime");
        if (slot != NULL) {
            drop_node(slot);
        }
    }
}

/* ---- children with ids ---- */

/* What is within the object is named by UUIDs, too, once it is registered (ITI TF-3 4.2.1.5). */
static void
put_child_id(struct editor *e, xmlNode *child)
{
    const struct span id = xml_attr_text(child, "id");
    struct span lid;
    char uuid[sizeof("urn:uuid:") + UUID_TEXT] = "urn:uuid:";
    if (!span_starts_with(id, SPAN("urn:uuid:")) ||
        !uuid_is_valid(span_slice(id, sizeof("urn:uuid:") - 1, SIZE_MAX))) {
        uuid_new(uuid + sizeof("urn:uuid:") - 1);
        set_attribute(e, child, "id", span_of_cstr(uuid));
        if (xml_attr(child, NULL, "lid", &lid)) {
            set_attribute(e, child, "lid", span_of_cstr(uuid));
        }
    }
}

static bool
is_patient_identifier(const struct editor *e, const xmlNode *node)
{
    const struct rim_rows *const rows = &e->layout->identifiers;
    return rows->n > 0 &&
           span_eq_cstr(xml_attr_text(node, "identificationScheme"), rows->items[0].key);
}

/* Of a patient whose id was left out (limited metadata), too. */
static void
put_patient(struct editor *e)
{
    const struct rim_identifier *from = NULL;
    bool is_there = false;
    for (size_t i = 0; e->layout->identifiers.n > 0 && i < e->object.identifiers.n; i++) {
        const struct rim_identifier *const item = &e->object.identifiers.items[i];
        from = span_eq_cstr(item->scheme, e->layout->identifiers.items[0].key) ? item : from;
    }
    if (from == NULL) {
        return;
    }
    for (xmlNode *node = e->root->children; node != NULL; node = node->next) {
        if (xml_is(node, NS_RIM, "ExternalIdentifier") && is_patient_identifier(e, node)) {
            set_attribute(e, node, "value", from->value);
            is_there = true;
        }
    }
    xmlNode *const node = is_there ? NULL : new_node(e, "ExternalIdentifier");
    if (node != NULL) {
        set_attribute(e, node, "id", from->id);
        set_attribute(e, node, "identificationScheme", from->scheme);
        set_attribute(e, node, "registryObject", e->object.id);
        set_attribute(e, node, "value", from->value);
        xmlNode *const name = add_child(e, node, "Name");
        xmlNode *const string = name == NULL ? NULL : add_child(e, name, "LocalizedString");
        if (string != NULL) {
            set_attribute(e, string, "value", from->name);
        }
        insert_in_order(e, e->root, node);
    }
}

static void
put_children(struct editor *e)
{
    for (xmlNode *node = e->root->children; node != NULL; node = node->next) {
        if (xml_is(node, NS_RIM, "Classification")) {
            set_attribute(e, node, "classifiedObject", e->object.id);
            put_child_id(e, node);
        } else if (xml_is(node, NS_RIM, "ExternalIdentifier")) {
            set_attribute(e, node, "registryObject", e->object.id);
            put_child_id(e, node);
        } else if (xml_is(node, NS_RIM, "VersionInfo")) {
            set_attribute(e, node, "versionName", SPAN("1"));
        }
    }
}

/* Those that stood beside the object become its own. */
static void
take_beside(struct editor *e)
{
    for (size_t i = 0; i < e->beside->n; i++) {
        if (!span_eq(e->beside->items[i].object, e->submitted_id)) {
            continue;
        }
        xmlNode *const copy = xmlDocCopyNode(e->beside->items[i].node, e->doc, 1);
        e->is_full |= copy == NULL;
        if (copy != NULL) {
            insert_in_order(e, e->root, copy);
        }
    }
}

static bool
is_classified(const struct editor *e)
{
    const xmlNode *node = xml_child(e->root, NS_RIM, "Classification");
    for (; node != NULL; node = xml_next_named(node, NS_RIM, "Classification")) {
        if (span_eq_cstr(span_trim(xml_attr_text(node, "classificationNode")),
                         e->layout->class_node)) {
            return true;
        }
    }
    return false;
}

/* What the sender's identifiers alone say: that it is a SubmissionSet, or a Folder. */
static void
put_class(struct editor *e)
{
    xmlNode *const node =
        e->layout->class_node == NULL || is_classified(e) ? NULL : new_node(e, "Classification");
    if (node != NULL) {
        set_attribute(e, node, "classificationNode", span_of_cstr(e->layout->class_node));
        insert_in_order(e, e->root, node); /* put_children gives it an id */
    }
}

/* ---- the object ---- */

static void
put_attributes(struct editor *e)
{
    const struct {
        const char *name;
        struct span value;
    } rows[] = {{"id", e->object.id},
                {"home", e->object.home},
                {"lid", e->object.lid},
                {"objectType", e->object.object_type},
                {"sourceObject", e->object.source},
                {"targetObject", e->object.target}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].value.n > 0) {
            set_attribute(e, e->root, rows[i].name, rows[i].value);
        }
    }
    if (e->object.lid.n == 0) {
        drop_attribute(e->root, "lid"); /* of an Association: the sender's symbolic id */
    }
    drop_attribute(e->root, "status");
}

static struct status
edit(struct editor *e, struct span xml, struct arena *arena, struct span *ret_xml)
{
    const struct message_limits limits = text_limits();
    CLEANUP(buf_done) struct buf text;
    buf_init_secret(&text, OBJECT_TEXT_MAX);
    TRY(xml_parse(xml, &limits, e->scratch, e->diag, &e->doc));
    e->root = xmlDocGetRootElement(e->doc);
    put_attributes(e);
    put_slots(e);
    take_beside(e);
    put_class(e);
    put_children(e);
    put_patient(e);
    if (e->is_full) {
        return FAIL(e->diag, ERR_NO_MEMORY, "memory for the text of a %s", e->layout->what);
    }
    TRY(xml_serialise(e->root, &text, e->diag));
    return arena_dup(arena, buf_span(&text), e->diag, ret_xml);
}

static struct status
register_one(const struct rim_layout *layout, const struct beside_list *beside, const void *from,
             void *to, struct arena *arena, struct diag *diag)
{
    const struct span *const xml = rim_member(from, layout->xml);
    const struct span *const id = rim_member(from, layout->id);
    CLEANUP(regrep_scratch_free) struct arena *scratch = NULL;
    if (xml->n == 0) {
        return OK; /* made by us: `isthmus send`, tests */
    }
    TRY(regrep_scratch_new(diag, &scratch));
    struct editor e = {.layout = layout,
                       .beside = beside,
                       .submitted_id = span_trim(*id),
                       .scratch = scratch,
                       .diag = diag};
    TRY(rim_from_record(layout, to, scratch, diag, &e.object));
    return edit(&e, *xml, arena, rim_member_of(to, layout->xml));
}

/* Each is parsed once, however many objects there are. */
static struct status
list_beside(const struct registry_objects *submitted, struct arena *scratch, struct diag *diag,
            struct beside_list *list)
{
    const struct message_limits limits = text_limits();
    for (size_t i = 0; i < submitted->classifications.n; i++) {
        struct beside beside;
        xmlDoc *doc = NULL;
        TRY(xml_parse(submitted->classifications.items[i], &limits, scratch, diag, &doc));
        beside.node = xmlDocGetRootElement(doc);
        beside.object = span_trim(xml_attr_text(beside.node, "classifiedObject"));
        TRY(ARENA_PUSH(scratch, diag, list, beside));
    }
    return OK;
}

struct status
rim_register(const struct registry_objects *submitted, struct registry_objects *registered,
             struct arena *arena, struct diag *diag)
{
    CLEANUP(regrep_scratch_free) struct arena *scratch = NULL;
    struct beside_list beside = {.items = NULL};
    TRY(regrep_scratch_new(diag, &scratch));
    TRY(list_beside(submitted, scratch, diag, &beside));
    for (size_t i = 0; i < submitted->documents.n; i++) {
        TRY(register_one(&rim_document, &beside, &submitted->documents.items[i],
                         &registered->documents.items[i], arena, diag));
    }
    for (size_t i = 0; i < submitted->submission_sets.n; i++) {
        TRY(register_one(&rim_submission_set, &beside, &submitted->submission_sets.items[i],
                         &registered->submission_sets.items[i], arena, diag));
    }
    for (size_t i = 0; i < submitted->folders.n; i++) {
        TRY(register_one(&rim_folder, &beside, &submitted->folders.items[i],
                         &registered->folders.items[i], arena, diag));
    }
    for (size_t i = 0; i < submitted->associations.n; i++) {
        TRY(register_one(&rim_association, &beside, &submitted->associations.items[i],
                         &registered->associations.items[i], arena, diag));
    }
    return OK;
}
