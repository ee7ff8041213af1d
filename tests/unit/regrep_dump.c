/*
 * What a RegRep or XDS.b message says, written out as text in two ways (see the header).
 */
#include "tests/unit/regrep_dump.h"

#include <string.h>

#include "soap/regrep.h"
#include "soap/regrep_payload.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

/* One fact: "name=value", with the value's length so that nothing can be run together. */
static void
dump(struct buf *out, const char *name, struct span value)
{
    struct diag diag;
    diag_clear(&diag);
    CHECK_OK(&diag, buf_printf(out, &diag, "%s=%zu:%.*s\n", name, value.n, SPAN_PRINT(value)));
}

/* ---- what gSOAP read ---- */

static void
dump_slots(struct buf *out, const struct rim_slot_list *slots)
{
    for (size_t i = 0; i < slots->n; i++) {
        dump(out, "slot", slots->items[i].name);
        for (size_t k = 0; k < slots->items[i].values.n; k++) {
            dump(out, "value", slots->items[i].values.items[k]);
        }
    }
}

static void
dump_response(struct buf *out, const struct rs_response *response)
{
    dump(out, "status", response->status);
    dump(out, "highestSeverity", response->highest_severity);
    for (size_t i = 0; i < response->errors.n; i++) {
        dump(out, "errorCode", response->errors.items[i].code);
        dump(out, "codeContext", response->errors.items[i].context);
        dump(out, "location", response->errors.items[i].location);
        dump(out, "severity", response->errors.items[i].severity);
    }
}

static void
dump_classification(struct buf *out, const struct rim_classification *c)
{
    dump(out, "id", c->id);
    dump(out, "classificationScheme", c->scheme);
    dump(out, "classifiedObject", c->object);
    dump(out, "nodeRepresentation", c->node);
    dump(out, "classificationNode", c->class_node);
    dump(out, "Name", c->name);
    dump_slots(out, &c->slots);
}

static void
dump_object(struct buf *out, const struct rim_object *object)
{
    dump(out, "id", object->id);
    dump(out, "home", object->home);
    dump(out, "lid", object->lid);
    dump(out, "objectType", object->object_type);
    dump(out, "status", object->status);
    dump(out, "mimeType", object->mime_type);
    dump(out, "associationType", object->association_type);
    dump(out, "sourceObject", object->source);
    dump(out, "targetObject", object->target);
    dump(out, "Name", object->name);
    dump(out, "Description", object->description);
    dump_slots(out, &object->slots);
    for (size_t i = 0; i < object->classifications.n; i++) {
        dump_classification(out, &object->classifications.items[i]);
    }
    for (size_t i = 0; i < object->identifiers.n; i++) {
        const struct rim_identifier *e = &object->identifiers.items[i];
        dump(out, "id", e->id);
        dump(out, "registryObject", e->object);
        dump(out, "identificationScheme", e->scheme);
        dump(out, "value", e->value);
        dump(out, "Name", e->name);
    }
}

static void
dump_list(struct buf *out, const struct rim_list *list)
{
    const struct rim_object_list *const kinds[] = {&list->documents, &list->packages,
                                                   &list->associations};
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        for (size_t i = 0; i < kinds[k]->n; i++) {
            dump_object(out, &kinds[k]->items[i]);
        }
    }
    for (size_t i = 0; i < list->classifications.n; i++) {
        dump_classification(out, &list->classifications.items[i]);
    }
    for (size_t i = 0; i < list->refs.n; i++) {
        dump(out, "id", list->refs.items[i].id);
        dump(out, "home", list->refs.items[i].home);
    }
}

static void
dump_documents(struct buf *out, const struct xdsb_document_list *list, bool is_answer)
{
    for (size_t i = 0; i < list->n; i++) {
        dump(out, "HomeCommunityId", list->items[i].home);
        dump(out, "RepositoryUniqueId", list->items[i].repository);
        dump(out, "DocumentUniqueId", list->items[i].unique_id);
        if (is_answer) {
            dump(out, "NewRepositoryUniqueId", list->items[i].new_repository);
            dump(out, "NewDocumentUniqueId", list->items[i].new_unique_id);
            dump(out, "mimeType", list->items[i].mime_type);
        }
    }
}

struct status
dump_by_gsoap(const xmlNode *payload, struct arena *arena, struct diag *diag, struct buf *out)
{
    const struct regrep_reader reader = {.arena = arena, .diag = diag, .code = ERR_MESSAGE_CONTENT};
    struct document_node_list nodes;
    struct regrep_query query = {.id = SPAN_EMPTY};
    struct regrep_answer answer = {.list = {.refs = {.items = NULL}}};
    struct xdsb_document_list requests = {.items = NULL};
    struct xdsb_answer retrieved = {.documents = {.items = NULL}};
    struct xdsb_submission submission = {.slots = {.items = NULL}};
    struct rs_response response = {.status = SPAN_EMPTY};
    struct buf xml;
    buf_init(&xml, REGREP_PAYLOAD_MAX);
    struct status st = regrep_payload_write(payload, reader.code, arena, &xml, diag, &nodes);
    if (is_ok(st) && xml_is(payload, NS_QUERY, "AdhocQueryRequest")) {
        st = regrep_read_query(&reader, buf_span(&xml), &query);
        dump(out, "returnType", query.return_type);
        dump(out, "id", query.id);
        dump(out, "home", query.home);
        dump_slots(out, &query.slots);
    } else if (is_ok(st) && xml_is(payload, NS_QUERY, "AdhocQueryResponse")) {
        st = regrep_read_answer(&reader, buf_span(&xml), &answer);
        dump_response(out, &answer.response);
        dump_list(out, &answer.list);
    } else if (is_ok(st) && xml_is(payload, NS_XDSB, "ProvideAndRegisterDocumentSetRequest")) {
        st = regrep_read_submission(&reader, buf_span(&xml), &submission);
        dump_slots(out, &submission.slots);
        dump_list(out, &submission.list);
        for (size_t i = 0; i < submission.documents.n; i++) {
            dump(out, "Document", submission.documents.items[i].id);
        }
    } else if (is_ok(st) && xml_is(payload, NS_RS, "RegistryResponse")) {
        st = regrep_read_response(&reader, buf_span(&xml), &response);
        dump_response(out, &response);
    } else if (is_ok(st) && xml_is(payload, NS_XDSB, "RetrieveDocumentSetRequest")) {
        st = regrep_read_retrieve(&reader, buf_span(&xml), &requests);
        dump_documents(out, &requests, false);
    } else if (is_ok(st)) {
        st = regrep_read_retrieved(&reader, buf_span(&xml), &retrieved);
        dump_response(out, &retrieved.response);
        dump_documents(out, &retrieved.documents, true);
    }
    buf_done(&xml);
    return st;
}

/* ---- what the tree says ---- */

static struct span
content(const xmlNode *node)
{
    static char text[100000];
    xmlChar *all = node == NULL ? NULL : xmlNodeGetContent(node);
    const size_t n = all == NULL ? 0 : strlen((const char *)all);
    CU_ASSERT_FATAL(n < sizeof(text));
    if (n > 0) {
        memcpy(text, all, n);
    }
    xmlFree(all);
    return span_of(text, n);
}

static void
walk_attrs(struct buf *out, const xmlNode *node, const char *const *names)
{
    for (; *names != NULL; names++) {
        dump(out, *names, xml_attr_text(node, *names));
    }
}

static void
walk_slots(struct buf *out, const xmlNode *parent)
{
    for (const xmlNode *slot = xml_child(parent, NS_RIM, "Slot"); slot != NULL;
         slot = xml_next_named(slot, NS_RIM, "Slot")) {
        const xmlNode *list = xml_child(slot, NS_RIM, "ValueList");
        dump(out, "slot", xml_attr_text(slot, "name"));
        for (const xmlNode *value = xml_child(list, NS_RIM, "Value"); value != NULL;
             value = xml_next_named(value, NS_RIM, "Value")) {
            dump(out, "value", content(value));
        }
    }
}

static void
walk_string(struct buf *out, const xmlNode *parent, const char *name)
{
    const xmlNode *string = xml_child(xml_child(parent, NS_RIM, name), NS_RIM, "LocalizedString");
    dump(out, name, xml_attr_text(string, "value"));
}

static void
walk_response(struct buf *out, const xmlNode *node)
{
    static const char *const error_attrs[] = {"errorCode", "codeContext", "location", "severity",
                                              NULL};
    const xmlNode *list = xml_child(node, NS_RS, "RegistryErrorList");
    dump(out, "status", xml_attr_text(node, "status"));
    dump(out, "highestSeverity", xml_attr_text(list, "highestSeverity"));
    for (const xmlNode *error = xml_child(list, NS_RS, "RegistryError"); error != NULL;
         error = xml_next_named(error, NS_RS, "RegistryError")) {
        walk_attrs(out, error, error_attrs);
    }
}

static void
walk_classifications(struct buf *out, const xmlNode *parent)
{
    static const char *const attrs[] = {"id",
                                        "classificationScheme",
                                        "classifiedObject",
                                        "nodeRepresentation",
                                        "classificationNode",
                                        NULL};
    for (const xmlNode *c = xml_child(parent, NS_RIM, "Classification"); c != NULL;
         c = xml_next_named(c, NS_RIM, "Classification")) {
        walk_attrs(out, c, attrs);
        walk_string(out, c, "Name");
        walk_slots(out, c);
    }
}

static void
walk_object(struct buf *out, const xmlNode *object)
{
    static const char *const object_attrs[] = {"id",
                                               "home",
                                               "lid",
                                               "objectType",
                                               "status",
                                               "mimeType",
                                               "associationType",
                                               "sourceObject",
                                               "targetObject",
                                               NULL};
    static const char *const id_attrs[] = {"id", "registryObject", "identificationScheme", "value",
                                           NULL};
    walk_attrs(out, object, object_attrs);
    walk_string(out, object, "Name");
    walk_string(out, object, "Description");
    walk_slots(out, object);
    walk_classifications(out, object);
    for (const xmlNode *e = xml_child(object, NS_RIM, "ExternalIdentifier"); e != NULL;
         e = xml_next_named(e, NS_RIM, "ExternalIdentifier")) {
        walk_attrs(out, e, id_attrs);
        walk_string(out, e, "Name");
    }
}

static void
walk_list(struct buf *out, const xmlNode *list)
{
    static const char *const kinds[] = {"ExtrinsicObject", "RegistryPackage", "Association"};
    static const char *const ref_attrs[] = {"id", "home", NULL};
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        for (const xmlNode *object = xml_child(list, NS_RIM, kinds[k]); object != NULL;
             object = xml_next_named(object, NS_RIM, kinds[k])) {
            walk_object(out, object);
        }
    }
    walk_classifications(out, list);
    for (const xmlNode *ref = xml_child(list, NS_RIM, "ObjectRef"); ref != NULL;
         ref = xml_next_named(ref, NS_RIM, "ObjectRef")) {
        walk_attrs(out, ref, ref_attrs);
    }
}

static void
walk_submission(struct buf *out, const xmlNode *payload)
{
    const xmlNode *submit = xml_child(payload, NS_LCM, "SubmitObjectsRequest");
    walk_slots(out, xml_child(submit, NS_RS, "RequestSlotList"));
    walk_list(out, xml_child(submit, NS_RIM, "RegistryObjectList"));
    for (const xmlNode *document = xml_child(payload, NS_XDSB, "Document"); document != NULL;
         document = xml_next_named(document, NS_XDSB, "Document")) {
        dump(out, "Document", xml_attr_text(document, "id"));
    }
}

static void
walk_documents(struct buf *out, const xmlNode *payload, const char *name, bool is_answer)
{
    static const char *const parts[] = {"HomeCommunityId",     "RepositoryUniqueId",
                                        "DocumentUniqueId",    "NewRepositoryUniqueId",
                                        "NewDocumentUniqueId", "mimeType"};
    for (const xmlNode *node = xml_child(payload, NS_XDSB, name); node != NULL;
         node = xml_next_named(node, NS_XDSB, name)) {
        for (size_t i = 0; i < (is_answer ? ARRAY_LEN(parts) : 3U); i++) {
            dump(out, parts[i], content(xml_child(node, NS_XDSB, parts[i])));
        }
    }
}

void
dump_by_walk(const xmlNode *payload, struct buf *out)
{
    static const char *const query_attrs[] = {"id", "home", NULL};
    if (xml_is(payload, NS_QUERY, "AdhocQueryRequest")) {
        const xmlNode *query = xml_child(payload, NS_RIM, "AdhocQuery");
        dump(out, "returnType",
             xml_attr_text(xml_child(payload, NS_QUERY, "ResponseOption"), "returnType"));
        walk_attrs(out, query, query_attrs);
        walk_slots(out, query);
    } else if (xml_is(payload, NS_QUERY, "AdhocQueryResponse")) {
        walk_response(out, payload);
        walk_list(out, xml_child(payload, NS_RIM, "RegistryObjectList"));
    } else if (xml_is(payload, NS_XDSB, "ProvideAndRegisterDocumentSetRequest")) {
        walk_submission(out, payload);
    } else if (xml_is(payload, NS_RS, "RegistryResponse")) {
        walk_response(out, payload);
    } else if (xml_is(payload, NS_XDSB, "RetrieveDocumentSetRequest")) {
        walk_documents(out, payload, "DocumentRequest", false);
    } else {
        walk_response(out, xml_child(payload, NS_RS, "RegistryResponse"));
        walk_documents(out, payload, "DocumentResponse", true);
    }
}
