/*
 * Submissions as text, for scenarios: objects with places in them (@NAME@) that a test fills in,
 * and their way from a partner to green. On top of scene_kit.h; memory is kept_arena's.
 */
#ifndef SUBMISSION_KIT_H
#define SUBMISSION_KIT_H

#include "scene_kit.h"
#include "soap/regrep.h"

/* clang-format off */
#define URN(text)    "urn:uuid:" text
#define MEMBER       "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
#define SOURCE_ID    "S-7^^^&amp;2.999.88&amp;ISO"
#define BYTES_BASE64 "PENsaW5pY2FsRG9jdW1lbnQ+a2VwdDwvQ2xpbmljYWxEb2N1bWVudD4="

#define SLOT(name, values) "<r:Slot name='" name "'><r:ValueList>" values "</r:ValueList></r:Slot>"
#define V(value)           "<r:Value>" value "</r:Value>"
#define CODE(id, scheme, code)                                                                     \
    "<r:Classification id='" URN("00000000-0000-4000-8000-0000000000" id)                          \
    "' classifiedObject='@ID@' classificationScheme='" scheme "' nodeRepresentation='" code "'>"   \
    SLOT("codingScheme", V("2.999.9")) "</r:Classification>"
#define IDENTIFIER(id, scheme, value, name)                                                        \
    "<r:ExternalIdentifier id='" URN("00000000-0000-4000-8000-0000000000" id)                      \
    "' registryObject='@ID@' identificationScheme='" scheme "' value='" value "'>"                 \
    "<r:Name><r:LocalizedString value='" name "'/></r:Name></r:ExternalIdentifier>"
#define NAMESPACES "xmlns:r='" NS_RIM "' xmlns:f='urn:foreign' "
#define PLAIN_ASSOCIATION(id, from, to)                                                            \
    "<r:Association " NAMESPACES "id='" id "' associationType='" MEMBER "' sourceObject='" from    \
    "' targetObject='" to "'/>"

/* A DocumentEntry "doc" and a SubmissionSet "set" that has it; places PATIENT, N (of the uniqueIds).
 */
#define SMALL_ENTRY                                                                                \
    "<r:ExtrinsicObject id='doc' mimeType='text/xml' objectType='" DOCUMENT_STABLE "'>"            \
    SLOT("creationTime", V("20260103")) SLOT("languageCode", V("en"))                              \
    SLOT("sourcePatientId", V(SOURCE_ID))                                                          \
    CODE("31", "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a", "c")                               \
    CODE("32", "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f", "N")                               \
    CODE("33", "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d", "f")                               \
    CODE("34", "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1", "h")                               \
    CODE("35", "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead", "p")                               \
    CODE("36", "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983", "t")                               \
    IDENTIFIER("37", "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427", "@PATIENT@", "p")            \
    IDENTIFIER("38", "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab", "2.999.81.@N@", "u")         \
    "</r:ExtrinsicObject>"
#define SMALL_SET                                                                                  \
    "<r:RegistryPackage id='set'>" SLOT("submissionTime", V("20260103030405"))                     \
    "<r:Classification id='c1' classifiedObject='set' classificationNode='" SUBMISSION_SET_NODE    \
    "'/>" CODE("41", "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500", "c")                         \
    IDENTIFIER("43", "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446", "@PATIENT@", "p")            \
    IDENTIFIER("44", "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832", "2.999.88", "s")             \
    IDENTIFIER("45", "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8", "2.999.82.@N@", "u")         \
    "</r:RegistryPackage>" PLAIN_ASSOCIATION("a1", "set", "doc")
/* Places OBJECTS, DOCUMENT. */
#define SUBMISSION                                                                                 \
    "<x:ProvideAndRegisterDocumentSetRequest xmlns:x='" NS_XDSB "' xmlns:l='" NS_LCM "' "          \
    "xmlns:r='" NS_RIM "'><l:SubmitObjectsRequest><r:RegistryObjectList>@OBJECTS@"                 \
    "</r:RegistryObjectList></l:SubmitObjectsRequest><x:Document id='@DOCUMENT@'>" BYTES_BASE64    \
    "</x:Document></x:ProvideAndRegisterDocumentSetRequest>"
/* clang-format on */

extern struct scene scene; /* large; one at a time */
extern struct scene_reply reply;
extern struct arena *kept_arena;
extern struct scene_stored of_green; /* a document of green's own, of the patient */

void kept_open(void);
void kept_close(void);
struct place *kept_green(void);

struct place_text {
    const char *name; /* NULL: the end */
    struct span text;
};
/* What has no row is left out. */
struct span kept_fill(const char *text, const struct place_text *places);
/* Places A and B. */
struct span kept_format(const char *text, struct span a, struct span b);
/* A CX in an attribute. */
struct span kept_escape(struct span cx);

/* From a partner (NULL: red) to green; the answer is in <reply>. */
void kept_send(const char *from, struct span payload);
/* Prints what was answered instead. */
void kept_check_reply(const char *part);
/* What green answers red to a stored query with one parameter. */
struct query_answer kept_ask(const char *query_id, const char *name, struct span value);
struct document_entry kept_entry(const char *unique_id);

#endif
