/*
 * Objects of a RegistryObjectList: from the tree to records, and from records to text in the form
 * that gSOAP writes (schema order, attributes sorted, what is required also when it is empty).
 * Called by the xca_*.c files on the thread that owns the message; nothing is owned.
 */
#include "soap/regrep_object.h"

#include "base/xmlw.h"

enum rim_kind
regrep_kind_of(const xmlNode *element)
{
    static const struct {
        const char *name;
        enum rim_kind kind;
    } rows[] = {
        {"ExtrinsicObject", RIM_DOCUMENT},      {"ObjectRef", RIM_REF},
        {"Association", RIM_ASSOCIATION},       {"RegistryPackage", RIM_PACKAGE},
        {"Classification", RIM_CLASSIFICATION},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (xml_is(element, NS_RIM, rows[i].name)) {
            return rows[i].kind;
        }
    }
    return RIM_OTHER;
}

/* ---- reading ---- */

static struct status
take(const struct regrep_reader *reader, const xmlNode *node, struct span text, struct span *to)
{
    if (text.n > REGREP_TEXT_MAX) {
        return FAIL(reader->diag, reader->code,
                    "a value of <%s> has %zu bytes; at most %zu are expected",
                    (const char *)node->name, text.n, REGREP_TEXT_MAX);
    }
    *to = text;
    return OK;
}

static struct status
take_attr(const struct regrep_reader *reader, const xmlNode *node, const char *name,
          struct span *to)
{
    return take(reader, node, xml_attr_text(node, name), to);
}

/* The first LocalizedString. */
static struct status
take_string(const struct regrep_reader *reader, const xmlNode *string, struct span *to)
{
    return take_attr(reader, xml_child(string, NS_RIM, "LocalizedString"), "value", to);
}

static struct status
take_slot(const struct regrep_reader *reader, const xmlNode *node, struct rim_slot_list *slots)
{
    struct rim_slot slot = {.name = SPAN_EMPTY};
    const xmlNode *value = xml_child(xml_child(node, NS_RIM, "ValueList"), NS_RIM, "Value");
    TRY(take_attr(reader, node, "name", &slot.name));
    for (; value != NULL; value = xml_next_named(value, NS_RIM, "Value")) {
        struct span text;
        TRY(xml_text(value, reader->code, reader->arena, reader->diag, &text));
        TRY(take(reader, value, text, &text));
        TRY(ARENA_PUSH(reader->arena, reader->diag, &slot.values, text));
    }
    return ARENA_PUSH(reader->arena, reader->diag, slots, slot);
}

struct status
regrep_classification_read(const struct regrep_reader *reader, const xmlNode *node,
                           struct rim_classification_list *list)
{
    struct rim_classification c = {.id = SPAN_EMPTY};
    TRY(take_attr(reader, node, "id", &c.id));
    TRY(take_attr(reader, node, "classificationScheme", &c.scheme));
    TRY(take_attr(reader, node, "classifiedObject", &c.object));
    TRY(take_attr(reader, node, "nodeRepresentation", &c.node));
    TRY(take_attr(reader, node, "classificationNode", &c.class_node));
    for (const xmlNode *child = xml_first(node); child != NULL; child = xml_next(child)) {
        if (xml_is(child, NS_RIM, "Slot")) {
            TRY(take_slot(reader, child, &c.slots));
        } else if (xml_is(child, NS_RIM, "Name")) {
            TRY(take_string(reader, child, &c.name));
        }
    }
    return ARENA_PUSH(reader->arena, reader->diag, list, c);
}

static struct status
take_identifier(const struct regrep_reader *reader, const xmlNode *node,
                struct rim_identifier_list *list)
{
    struct rim_identifier identifier = {.id = SPAN_EMPTY};
    TRY(take_attr(reader, node, "id", &identifier.id));
    TRY(take_attr(reader, node, "registryObject", &identifier.object));
    TRY(take_attr(reader, node, "identificationScheme", &identifier.scheme));
    TRY(take_attr(reader, node, "value", &identifier.value));
    TRY(take_string(reader, xml_child(node, NS_RIM, "Name"), &identifier.name));
    return ARENA_PUSH(reader->arena, reader->diag, list, identifier);
}

static struct status
take_child(const struct regrep_reader *reader, const xmlNode *child, struct rim_object *object)
{
    if (xml_is(child, NS_RIM, "Slot")) {
        return take_slot(reader, child, &object->slots);
    }
    if (xml_is(child, NS_RIM, "Classification")) {
        return regrep_classification_read(reader, child, &object->classifications);
    }
    if (xml_is(child, NS_RIM, "ExternalIdentifier")) {
        return take_identifier(reader, child, &object->identifiers);
    }
    if (xml_is(child, NS_RIM, "Name")) {
        return take_string(reader, child, &object->name);
    }
    if (xml_is(child, NS_RIM, "Description")) {
        return take_string(reader, child, &object->description);
    }
    return OK;
}

struct status
regrep_object_read(const struct regrep_reader *reader, const xmlNode *element,
                   struct rim_object *ret_object)
{
    struct rim_object object = {.id = SPAN_EMPTY};
    TRY(take_attr(reader, element, "id", &object.id));
    TRY(take_attr(reader, element, "home", &object.home));
    TRY(take_attr(reader, element, "lid", &object.lid));
    TRY(take_attr(reader, element, "objectType", &object.object_type));
    TRY(take_attr(reader, element, "status", &object.status));
    TRY(take_attr(reader, element, "mimeType", &object.mime_type));
    TRY(take_attr(reader, element, "associationType", &object.association_type));
    TRY(take_attr(reader, element, "sourceObject", &object.source));
    TRY(take_attr(reader, element, "targetObject", &object.target));
    for (const xmlNode *child = xml_first(element); child != NULL; child = xml_next(child)) {
        TRY(take_child(reader, child, &object));
    }
    *ret_object = object;
    return OK;
}

struct status
regrep_ref_read(const struct regrep_reader *reader, const xmlNode *element, struct rim_ref *ret_ref)
{
    struct rim_ref ref = {.id = SPAN_EMPTY};
    TRY(take_attr(reader, element, "id", &ref.id));
    TRY(take_attr(reader, element, "home", &ref.home));
    *ret_ref = ref;
    return OK;
}

/* ---- writing ---- */

static void
put_optional(struct xmlw *w, const char *name, struct span value)
{
    if (value.n > 0) {
        xmlw_attr(w, name, value);
    }
}

static void
put_string(struct xmlw *w, const char *name, struct span text)
{
    if (text.n > 0) {
        xmlw_start(w, name);
        xmlw_start(w, "rim:LocalizedString");
        xmlw_attr(w, "value", text);
        xmlw_end(w);
        xmlw_end(w);
    }
}

static void
put_slots(struct xmlw *w, const struct rim_slot_list *slots)
{
    for (size_t i = 0; i < slots->n; i++) {
        const struct span_list *values = &slots->items[i].values;
        xmlw_start(w, "rim:Slot");
        xmlw_attr(w, "name", slots->items[i].name);
        xmlw_start(w, "rim:ValueList");
        for (size_t k = 0; k < values->n; k++) {
            xmlw_element(w, "rim:Value", values->items[k]);
        }
        xmlw_end(w);
        xmlw_end(w);
    }
}

static void
put_classifications(struct xmlw *w, const struct rim_classification_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct rim_classification *const c = &list->items[i];
        xmlw_start(w, "rim:Classification");
        if (c->class_node.n > 0) {
            xmlw_attr(w, "classificationNode", c->class_node);
        } else {
            xmlw_attr(w, "classificationScheme", c->scheme);
        }
        xmlw_attr(w, "classifiedObject", c->object);
        xmlw_attr(w, "id", c->id);
        if (c->class_node.n == 0) {
            xmlw_attr(w, "nodeRepresentation", c->node);
        }
        put_slots(w, &c->slots);
        put_string(w, "rim:Name", c->name);
        xmlw_end(w);
    }
}

static void
put_identifiers(struct xmlw *w, const struct rim_identifier_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct rim_identifier *const identifier = &list->items[i];
        xmlw_start(w, "rim:ExternalIdentifier");
        xmlw_attr(w, "id", identifier->id);
        xmlw_attr(w, "identificationScheme", identifier->scheme);
        xmlw_attr(w, "registryObject", identifier->object);
        xmlw_attr(w, "value", identifier->value);
        put_string(w, "rim:Name", identifier->name);
        xmlw_end(w);
    }
}

struct status
regrep_object_write(enum rim_kind kind, const struct rim_object *object, struct buf *out,
                    struct diag *diag)
{
    struct xmlw w;
    xmlw_init(&w, out, diag);
    xmlw_start(&w, kind == RIM_DOCUMENT  ? "rim:ExtrinsicObject"
                   : kind == RIM_PACKAGE ? "rim:RegistryPackage"
                                         : "rim:Association");
    put_optional(&w, "associationType", object->association_type);
    put_optional(&w, "home", object->home);
    xmlw_attr(&w, "id", object->id);
    put_optional(&w, "lid", object->lid);
    put_optional(&w, "mimeType", object->mime_type);
    put_optional(&w, "objectType", object->object_type);
    put_optional(&w, "sourceObject", object->source);
    put_optional(&w, "status", object->status);
    put_optional(&w, "targetObject", object->target);
    put_slots(&w, &object->slots);
    put_string(&w, "rim:Name", object->name);
    put_string(&w, "rim:Description", object->description);
    put_classifications(&w, &object->classifications);
    put_identifiers(&w, &object->identifiers);
    xmlw_end(&w);
    return xmlw_finish(&w);
}
