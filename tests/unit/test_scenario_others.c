/*
 * Objects of kinds that nobody here knows, in a partner's answer to a stored query. Fake clock, no
 * sockets.
 */
#include <stdio.h>
#include <string.h>

#include "local_kit.h"

#define GET_ALL "urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3"

static struct scene scene; /* large; one at a time */
static struct scene_reply reply;

#define END_OF_LIST "</rim:RegistryObjectList>"
#define ODD(attributes, content)                                                                   \
    "<rim:Organization xmlns:f=\"urn:f\" id=\"o1\"" attributes ">" content "</rim:Organization>"
#define FOREIGN_ID "urn:uuid:99999999-0000-4000-8000-000000000001"
#define FOREIGN                                                                                    \
    "<rim:ExtrinsicObject id=\"" FOREIGN_ID "\" home=\"urn:oid:2.999.3\"></rim:ExtrinsicObject>"

/* What nobody here knows passes as it is, unless it is another community's, or names a document
 * that was not taken. */
static void
test_objects_of_unknown_kinds_are_guarded(void)
{
    static const struct {
        const char *added, *mark;
        bool is_given;
    } cases[] = {
        {ODD(" f:x=\"y\"", "<f:kept>z</f:kept>"), "<f:kept>z</f:kept>", true},
        {ODD(" home=\"" GREEN "\"", ""), "o1", true},
        {ODD(" home=\"urn:oid:2.999.3\"", ""), "o1", false},
        {ODD(" home=\"somewhere\"", ""), "o1", false},
        {ODD("", "<f:inner home=\"urn:oid:2.999.3\"></f:inner>"), "o1", false},
        {ODD("", "<rim:Slot name=\"homeCommunityId\"><rim:ValueList><rim:Value>" GREEN
                 "</rim:Value></rim:ValueList></rim:Slot>"),
         "o1", true},
        {ODD("", "<rim:Slot name=\"homeCommunityId\"><rim:ValueList><rim:Value>" GREEN
                 "</rim:Value><rim:Value>urn:oid:2.999.1</rim:Value></rim:ValueList></rim:Slot>"),
         "o1", false},
        {FOREIGN ODD("", "<f:of>see " FOREIGN_ID ", please</f:of>"), "o1", false},
        {FOREIGN ODD(" f:of=\"URN:UUID:99999999-0000-4000-8000-000000000001\"", ""), "o1", false},
        {FOREIGN ODD("", "<f:of>" FOREIGN_ID "2</f:of>"), "o1", true},
        {FOREIGN "<rim:Association id=\"urn:uuid:odd\" associationType=\"" ASSOCIATION_HAS_MEMBER
                 "\" sourceObject=\"urn:uuid:b\" targetObject=\"" FOREIGN_ID
                 "\"></rim:Association>",
         "urn:uuid:odd", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char forged[2000];

        struct span values[2] = {SPAN_EMPTY, SPAN(DOCUMENT_APPROVED)};
        struct query_param params[4] = {
            {.name = SPAN("$patientId"), .values = {values, 1, 1}},
            {.name = SPAN("$XDSDocumentEntryStatus"),
             .values = {&values[1], 1, 1},
             .is_multiple = true},
            {.name = SPAN("$XDSSubmissionSetStatus"),
             .values = {&values[1], 1, 1},
             .is_multiple = true},
            {.name = SPAN("$XDSFolderStatus"), .values = {&values[1], 1, 1}, .is_multiple = true}};
        const struct stored_query query = {.id = SPAN(GET_ALL),
                                           .home = SPAN(GREEN),
                                           .wants_leaf_class = true,
                                           .params = {params, 4, 4}};
        struct scene_stored stored;

        (void)local_kit_open(&scene);
        stored = kit_add(scene_place(&scene, "green"), "Isabella", "N", "<ClinicalDocument/>");
        values[0] = span_of_cstr(stored.patient_id);
        local_send_registry(&scene, &query, &reply);
        (void)snprintf(forged, sizeof(forged), "%s" END_OF_LIST, cases[i].added);
        scene_deliver_forged(&scene, 0, END_OF_LIST, forged);
        CU_ASSERT_FATAL(reply.is_here);
        if ((strstr(reply.text, cases[i].mark) != NULL) != cases[i].is_given) {
            printf("      case %zu: %s\n      %s\n", i, cases[i].added, reply.text);
            CU_FAIL("given, or not");
        }
        CU_ASSERT_PTR_NULL(strstr(reply.text, "ExtrinsicObject id=\"" FOREIGN_ID "\""));
        CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, stored.unique_id)); /* the rest is there */
        local_kit_close(&scene);
    }
}

static const struct unit_test tests[] = {
    /* REQ: ITI38-others-guarded */
    {"objects of unknown kinds are guarded", test_objects_of_unknown_kinds_are_guarded},
};

UNIT_MAIN("others", tests)
