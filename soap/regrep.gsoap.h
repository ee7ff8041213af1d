/*
 * The ebXML RegRep 3.0 and XDS.b vocabulary of ITI-18, 38, 39, 41, 43 and 80, for soapcpp2 (run by
 * the build, see soap/local.mk). Hand-written from rim.xsd, rs.xsd, query.xsd, lcm.xsd and
 * IHEXDSB.xsd: only what our records hold, members in schema order, because that is the order in
 * which they are written.
 *
 * elementForm, not form: with "form: qualified" soapcpp2 would qualify attributes too. A member's
 * name without a prefix lies in the namespace of its struct; "@" is an attribute; a "__size" member
 * counts the array after it. gSOAP enforces "1" (required) in its strict mode only, which we do not
 * use: every pointer may be NULL after reading. clang-format would break the directives: it is off.
 */
/* clang-format off */

//gsoap query service name: regrep
//gsoap query schema namespace:   urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0
//gsoap query schema elementForm: qualified
//gsoap rim   schema namespace:   urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0
//gsoap rim   schema elementForm: qualified
//gsoap lcm   schema namespace:   urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0
//gsoap lcm   schema elementForm: qualified
//gsoap rs    schema namespace:   urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0
//gsoap rs    schema elementForm: qualified
//gsoap xdsb  schema namespace:   urn:ihe:iti:xds-b:2007
//gsoap xdsb  schema elementForm: qualified
//gsoap xop   schema namespace:   http://www.w3.org/2004/08/xop/include
//gsoap xop   schema elementForm: qualified

/* ---- rim.xsd ---- */

struct rim__ValueListType {
    int __sizeValue;
    char **Value;
};

struct rim__SlotType {
    @char *name 1;
    struct rim__ValueListType *ValueList 1;
};

struct rim__LocalizedStringType {
    @char *value 1;
};

struct rim__InternationalStringType {
    int __sizeLocalizedString;
    struct rim__LocalizedStringType *LocalizedString;
};

struct rim__ClassificationType {
    @char *id 1;
    @char *classificationScheme;
    @char *classifiedObject 1;
    @char *classificationNode;
    @char *nodeRepresentation;
    int __sizeSlot;
    struct rim__SlotType *Slot;
    struct rim__InternationalStringType *Name;
};

struct rim__ExternalIdentifierType {
    @char *id 1;
    @char *registryObject 1;
    @char *identificationScheme 1;
    @char *value 1;
    struct rim__InternationalStringType *Name;
};

/* One type for ExtrinsicObject, RegistryPackage and Association: they differ in attributes, and
 * those that are absent are not written. */
struct rim__RegistryObjectType {
    @char *id 1;
    @char *home;
    @char *lid;
    @char *objectType;
    @char *status;
    @char *mimeType;
    @char *associationType;
    @char *sourceObject;
    @char *targetObject;
    int __sizeSlot;
    struct rim__SlotType *Slot;
    struct rim__InternationalStringType *Name;
    struct rim__InternationalStringType *Description;
    int __sizeClassification;
    struct rim__ClassificationType *Classification;
    int __sizeExternalIdentifier;
    struct rim__ExternalIdentifierType *ExternalIdentifier;
};

struct rim__ObjectRefType {
    @char *id 1;
    @char *home;
};

struct rim__RegistryObjectListType {
    int __sizeExtrinsicObject;
    struct rim__RegistryObjectType *ExtrinsicObject;
    int __sizeRegistryPackage;
    struct rim__RegistryObjectType *RegistryPackage;
    int __sizeAssociation;
    struct rim__RegistryObjectType *Association;
    int __sizeClassification;
    struct rim__ClassificationType *Classification;
    int __sizeObjectRef;
    struct rim__ObjectRefType *ObjectRef;
};

struct rim__AdhocQueryType {
    @char *id 1;
    @char *home;
    int __sizeSlot;
    struct rim__SlotType *Slot;
};
/* ---- query.xsd, rs.xsd ---- */

struct query__ResponseOptionType {
    @char *returnType;
    @char *returnComposedObjects;
};

struct _query__AdhocQueryRequest {
    struct query__ResponseOptionType *ResponseOption 1;
    struct rim__AdhocQueryType *rim__AdhocQuery 1;
};

struct _rs__RegistryError {
    @char *errorCode 1;
    @char *codeContext 1;
    @char *location;
    @char *severity;
};

struct _rs__RegistryErrorList {
    @char *highestSeverity;
    int __sizeRegistryError;
    struct _rs__RegistryError *rs__RegistryError;
};

struct _query__AdhocQueryResponse {
    @char *status 1;
    struct _rs__RegistryErrorList *rs__RegistryErrorList;
    struct rim__RegistryObjectListType *rim__RegistryObjectList 1;
};

struct _rs__RegistryResponse {
    @char *status 1;
    struct _rs__RegistryErrorList *rs__RegistryErrorList;
};

struct rim__SlotListType {
    int __sizeSlot;
    struct rim__SlotType *Slot;
};

/* ---- lcm.xsd ---- */

struct _lcm__SubmitObjectsRequest {
    struct rim__SlotListType *rs__RequestSlotList;
    struct rim__RegistryObjectListType *rim__RegistryObjectList 1;
};
/* ---- IHEXDSB.xsd, xop-include ---- */

struct xdsb__DocumentRequestType {
    char *HomeCommunityId;
    char *RepositoryUniqueId 1;
    char *DocumentUniqueId 1;
};

struct _xdsb__RetrieveDocumentSetRequest {
    int __sizeDocumentRequest;
    struct xdsb__DocumentRequestType *DocumentRequest 1;
};

struct xop__IncludeType {
    @char *href 1;
};

/* Document bytes never pass through gSOAP: Include is what it reads and writes (see
 * regrep_payload.h). */
struct xdsb__DocumentType {
    @char *id; /* of a submission's */
    struct xop__IncludeType *xop__Include;
};

struct _xdsb__ProvideAndRegisterDocumentSetRequest {
    struct _lcm__SubmitObjectsRequest *lcm__SubmitObjectsRequest 1;
    int __sizeDocument;
    struct xdsb__DocumentType *Document;
};

struct xdsb__DocumentResponseType {
    char *HomeCommunityId;
    char *RepositoryUniqueId 1;
    char *DocumentUniqueId 1;
    char *NewRepositoryUniqueId;
    char *NewDocumentUniqueId;
    char *mimeType 1;
    struct xdsb__DocumentType *Document 1;
};

struct _xdsb__RetrieveDocumentSetResponse {
    struct _rs__RegistryResponse *rs__RegistryResponse 1;
    int __sizeDocumentResponse;
    struct xdsb__DocumentResponseType *DocumentResponse;
};
