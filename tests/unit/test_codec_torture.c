/*
 * Every allocation of the codecs fails once: the caller gets ERR_NO_MEMORY, results are untouched
 * and nothing leaks (the sanitizers' run shows that).
 */
#include <string.h>

#include "base/mem.h"
#include "soap/envelope.h"
#include "soap/mcci.h"
#include "soap/pdq.h"
#include "soap/pix.h"
#include "soap/plq.h"
#include "soap/xca.h"
#include "soap/xcpd.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

#define ROUNDS_MAX 5000

/* What every step works on: read messages and records, made before anything fails. */
struct bench {
    struct arena *arena;
    struct message *xcpd_query, *xcpd_answer, *query, *answer, *retrieve, *retrieved;
    struct message *pdq_query, *pdq_answer, *pix_query, *pix_answer, *plq_answer;
    struct xcpd_query question;
};

#define XCPD_QUERY                                                                                 \
    "<PRPA_IN201305UV02 xmlns='urn:hl7-org:v3'><id root='2.999.1'/><sender><device><asAgent>"      \
    "<representedOrganization><id root='2.999.1'/></representedOrganization></asAgent></device>"   \
    "</sender><controlActProcess><queryByParameter><queryId root='2.999.5'/><parameterList>"       \
    "<livingSubjectName><value><given>A</given><family>B</family><family>C</family></value>"       \
    "</livingSubjectName><livingSubjectBirthTime><value value='1970'/></livingSubjectBirthTime>"   \
    "<livingSubjectId><value root='2.999' "                                                        \
    "extension='1'/></livingSubjectId><patientAddress><value>"                                     \
    "<city>D</city><streetAddressLine>E</streetAddressLine></value></patientAddress>"              \
    "<patientTelecom><value value='tel:1'/></patientTelecom></parameterList></queryByParameter>"   \
    "</controlActProcess></PRPA_IN201305UV02>"
#define XCPD_ANSWER                                                                                \
    "<PRPA_IN201306UV02 xmlns='urn:hl7-org:v3'><acknowledgement><typeCode code='AA'/>"             \
    "</acknowledgement><controlActProcess><subject><registrationEvent><subject1><patient>"         \
    "<id root='2.999' "                                                                            \
    "extension='1'/><patientPerson><name><family>A</family></name></patientPerson>"                \
    "</patient></subject1><custodian><assignedEntity><id root='2.999.2'/></assignedEntity>"        \
    "</custodian></registrationEvent></subject><queryAck><queryId root='2.999.5'/></queryAck>"     \
    "</controlActProcess></PRPA_IN201306UV02>"
#define RIM    "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
#define QUERY  "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
#define STATUS "status='urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success'"
#define SLOT(name, value)                                                                          \
    "<Slot name='" name "'><ValueList><Value>" value "</Value></ValueList></Slot>"
#define ADHOC_QUERY                                                                                \
    "<q:AdhocQueryRequest xmlns:q='" QUERY "' xmlns='" RIM "'><q:ResponseOption "                  \
    "returnType='LeafClass'/><AdhocQuery id='1' home='2'>" SLOT(                                   \
        "$a", "('1','2')") "</AdhocQuery></q:AdhocQueryRequest>"
#define ADHOC_ANSWER                                                                               \
    "<q:AdhocQueryResponse xmlns:q='" QUERY "' xmlns='" RIM "' " STATUS "><RegistryObjectList>"    \
    "<ExtrinsicObject id='1' home='2'>" SLOT("size", "1") SLOT(                                    \
        "URI",                                                                                     \
        "2") "<Name>"                                                                              \
             "<LocalizedString value='n'/></Name><Classification id='3' nodeRepresentation='c' "   \
             "classificationScheme='urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f'>" SLOT(         \
                 "codingScheme",                                                                   \
                 "s") "</Classification><ExternalIdentifier id='4' value='v' "                     \
                      "identificationScheme='urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab'/></"   \
                      "ExtrinsicObject>"                                                           \
                      "<ObjectRef id='5'/></RegistryObjectList></q:AdhocQueryResponse>"
#define RETRIEVE                                                                                   \
    "<RetrieveDocumentSetRequest xmlns='urn:ihe:iti:xds-b:2007'><DocumentRequest>"                 \
    "<RepositoryUniqueId>1</RepositoryUniqueId><DocumentUniqueId>2</DocumentUniqueId>"             \
    "</DocumentRequest></RetrieveDocumentSetRequest>"
#define RETRIEVED                                                                                  \
    "<RetrieveDocumentSetResponse xmlns='urn:ihe:iti:xds-b:2007'><RegistryResponse "               \
    "xmlns='urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0' " STATUS "/><DocumentResponse>"            \
    "<RepositoryUniqueId>1</RepositoryUniqueId><DocumentUniqueId>2</DocumentUniqueId><mimeType>m"  \
    "</mimeType><Document>AAAA</Document></"                                                       \
    "DocumentResponse><DocumentResponse><RepositoryUniqueId>"                                      \
    "1</RepositoryUniqueId><DocumentUniqueId>3</DocumentUniqueId><mimeType>m</mimeType>"           \
    "<Document>AAAA</Document></DocumentResponse></RetrieveDocumentSetResponse>"

#define PDQ_QUERY                                                                                  \
    "<PRPA_IN201305UV02 xmlns='urn:hl7-org:v3'><id root='2.999.1'/><sender><device>"               \
    "<id root='2.999.7'/></device></sender><controlActProcess><queryByParameter>"                  \
    "<queryId root='2.999.5'/><matchCriterionList><matchAlgorithm><value>x</value>"                \
    "</matchAlgorithm></matchCriterionList><parameterList><livingSubjectBirthTime><value>"         \
    "<low value='1970'/><high value='1971'/></value></livingSubjectBirthTime>"                     \
    "<mothersMaidenName><value><family>M</family></value></mothersMaidenName>"                     \
    "<livingSubjectBirthPlaceName><value>P</value></livingSubjectBirthPlaceName>"                  \
    "<principalCareProviderId><value root='2.999' extension='1'/></principalCareProviderId>"       \
    "<otherIDsScopingOrganization><value root='2.999.4'/></otherIDsScopingOrganization>"           \
    "</parameterList></queryByParameter></controlActProcess></PRPA_IN201305UV02>"
#define PDQ_ANSWER                                                                                 \
    "<PRPA_IN201306UV02 xmlns='urn:hl7-org:v3'><acknowledgement><typeCode code='AA'/>"             \
    "</acknowledgement><controlActProcess><subject><registrationEvent><subject1><patient>"         \
    "<id root='2.999' extension='1'/><patientPerson><name><family>A</family></name>"               \
    "<deceasedTime value='2020'/><raceCode code='r' codeSystem='2.999'/><asOtherIDs "              \
    "classCode='EMP'><id root='2.999.8' extension='8'/><scopingOrganization>"                      \
    "<id root='2.999.9'/></scopingOrganization></asOtherIDs><asOtherIDs><id nullFlavor='NA'/>"     \
    "<scopingOrganization><id root='2.999.4'/></scopingOrganization></asOtherIDs>"                 \
    "<personalRelationship><code code='MTH'/><relationshipHolder1><name><family>M</family>"        \
    "</name></relationshipHolder1></personalRelationship><birthPlace><addr><city>C</city></addr>"  \
    "<birthplace><name>P</name></birthplace></birthPlace></patientPerson></patient></subject1>"    \
    "</registrationEvent></subject><queryAck><queryId root='2.999.5'/></queryAck>"                 \
    "</controlActProcess></PRPA_IN201306UV02>"
#define PIX_QUERY                                                                                  \
    "<PRPA_IN201309UV02 xmlns='urn:hl7-org:v3'><id root='2.999.1'/><controlActProcess>"            \
    "<queryByParameter><queryId root='2.999.5'/><parameterList><dataSource>"                       \
    "<value root='2.999.4'/></dataSource><patientIdentifier><value root='2.999.3' extension='1'/>" \
    "</patientIdentifier></parameterList></queryByParameter></controlActProcess>"                  \
    "</PRPA_IN201309UV02>"
#define PIX_ANSWER                                                                                 \
    "<PRPA_IN201310UV02 xmlns='urn:hl7-org:v3'><id root='2.999.2'/><acknowledgement>"              \
    "<typeCode code='AE'/><acknowledgementDetail><code code='204'/><location>patientIdentifier"    \
    "</location></acknowledgementDetail></acknowledgement></PRPA_IN201310UV02>"
#define PLQ_ANSWER                                                                                 \
    "<PatientLocationQueryResponse xmlns='urn:ihe:iti:xcpd:2009'><PatientLocationResponse>"        \
    "<HomeCommunityId>2.999.2</HomeCommunityId><CorrespondingPatientId root='2.999.4' "            \
    "extension='2'/><RequestedPatientId root='2.999.3' extension='1'/></PatientLocationResponse>"  \
    "</PatientLocationQueryResponse>"

typedef struct status step(const struct bench *bench, struct arena *arena, struct buf *out,
                           struct diag *diag);

static struct status
do_xcpd_query(const struct bench *bench, struct arena *arena, struct buf *out, struct diag *diag)
{
    struct xcpd_query query;
    struct span asked;
    TRY(xcpd_query_read(bench->xcpd_query, arena, diag, &query));
    return xcpd_query_write(&query, arena, out, diag, &asked);
}

static struct status
do_xcpd_answer(const struct bench *bench, struct arena *arena, struct buf *out, struct diag *diag)
{
    const struct ident id = {.root = SPAN("2.999.5")};
    struct xcpd_answer answer;
    TRY(xcpd_answer_read(bench->xcpd_answer, &id, arena, diag, &answer));
    return xcpd_answer_write(&bench->question, &answer, SPAN("2.999.2"), 0, out, diag);
}

static struct status
do_query(const struct bench *bench, struct arena *arena, struct buf *out, struct diag *diag)
{
    struct stored_query query;
    struct span sent;
    TRY(stored_query_read(bench->query, arena, diag, &query));
    return stored_query_write(&query, arena, out, diag, &sent);
}

static struct status
do_answer(const struct bench *bench, struct arena *arena, struct buf *out, struct diag *diag)
{
    struct query_answer answer;
    TRY(query_answer_read(bench->answer, arena, diag, &answer));
    answer.refs.n = 0;
    return query_answer_write(&answer, arena, out, diag);
}

static struct status
do_retrieve(const struct bench *bench, struct arena *arena, struct buf *out, struct diag *diag)
{
    struct document_ref_list refs;
    TRY(retrieve_query_read(bench->retrieve, arena, diag, &refs));
    return retrieve_query_write(&refs, arena, out, diag);
}

static struct status
do_retrieved(const struct bench *bench, struct arena *arena, struct buf *out, struct diag *diag)
{
    struct retrieve_answer answer;
    struct buf packed;
    char type[512];
    TRY(retrieve_answer_read(bench->retrieved, arena, diag, &answer));
    struct status st = retrieve_answer_write(&answer, arena, out, diag);
    buf_init(&packed, 100000);
    if (is_ok(st)) {
        const struct mtom_part part = {.content_id = answer.documents.items[0].content_id,
                                       .mime_type = SPAN("a/b"),
                                       .body = &answer.documents.items[0].body};
        st = mtom_write(buf_span(out), &part, 1, SPAN_EMPTY, &packed, diag, type);
    }
    buf_done(&packed);
    retrieve_answer_done(&answer);
    return st;
}

static struct status
do_envelopes(const struct bench *bench, struct arena *arena, struct buf *out, struct diag *diag)
{
    (void)bench;
    (void)arena;
    const struct envelope_request request = {.action = SPAN("a"), .message_id = SPAN("b")};
    const struct envelope_answer answer = {
        .action = SPAN("a"), .message_id = SPAN("b"), .request_signature = SPAN("c")};
    TRY(envelope_write_request(&request, out, diag));
    TRY(envelope_write_answer(&answer, out, diag));
    TRY(envelope_write_refusal(ERR_SOAP_MUST_UNDERSTAND, bench->query, SPAN("t"), out, diag));
    TRY(envelope_write_refusal(ERR_WSA_HEADER, bench->query, SPAN("t"), out, diag));
    return envelope_write_fault(ERR_SIG_INVALID, SPAN("r"), SPAN("t"), out, diag);
}

static struct status
do_demographics(const struct bench *bench, struct arena *arena, struct buf *out, struct diag *diag)
{
    const struct ident id = {.root = SPAN("2.999.5")};
    struct xcpd_query query;
    struct xcpd_answer answer;
    struct hl7_detail detail;
    struct span asked;
    TRY(pdq_query_read(bench->pdq_query, arena, diag, &query));
    TRY(pdq_query_write(&query, arena, out, diag, &asked));
    TRY(pdq_unknown_domain(&query.domains.items[0], arena, diag, &detail));
    TRY(pdq_answer_read(bench->pdq_answer, &id, arena, diag, &answer));
    return pdq_answer_write(&query, &answer, SPAN("2.999.2"), 0, out, diag);
}

static struct status
do_references(const struct bench *bench, struct arena *arena, struct buf *out, struct diag *diag)
{
    struct pix_query query;
    struct pix_answer answer;
    struct mcci mcci = {.sender_home = SPAN("2.999.2")};
    struct span asked;
    TRY(pix_query_read(bench->pix_query, arena, diag, &query));
    TRY(pix_query_write(&query, arena, out, diag, &asked));
    TRY(pix_answer_read(bench->pix_answer, &query, arena, diag, &answer));
    TRY(pix_answer_write(&query, &answer, SPAN("2.999.2"), 0, out, diag));
    TRY(mcci_unsupported_mode(arena, diag, &mcci.said));
    mcci.said.target = query.id;
    return mcci_write(&mcci, out, diag);
}

static struct status
do_locations(const struct bench *bench, struct arena *arena, struct buf *out, struct diag *diag)
{
    const struct ident patient = {.root = SPAN("2.999.3"), .extension = SPAN("1")};
    struct plq_location_list locations;
    TRY(plq_answer_read(bench->plq_answer, &patient, arena, diag, &locations));
    return plq_answer_write(&patient, &locations, out, diag);
}

/* Fails the first, the second, ... allocation, until the step needs no more. */
static void
torture(const struct bench *bench, step *run)
{
    size_t rounds = 0;
    bool is_done = false;
    for (; !is_done && rounds < ROUNDS_MAX; rounds++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct buf out;
        diag_clear(&diag);
        buf_init(&out, 100000);
        mem_fail_after(rounds);
        const struct status st = run(bench, arena, &out, &diag);
        mem_fail_after(UINT64_MAX);
        is_done = is_ok(st);
        if (!is_done) {
            CHECK_ERR(&diag, ERR_NO_MEMORY, st);
        }
        buf_done(&out);
        arena_free(arena);
    }
    CU_ASSERT(is_done);
    CU_ASSERT(rounds > 1);
}

static void
test_all(void)
{
    static step *const steps[] = {do_xcpd_query, do_xcpd_answer, do_query,     do_answer,
                                  do_retrieve,   do_retrieved,   do_envelopes, do_demographics,
                                  do_references, do_locations};
    struct bench bench = {.arena = arena_new(ARENA_LIMIT_DEFAULT)};
    const struct {
        const char *xml;
        struct message **to;
    } messages[] = {
        {XCPD_QUERY, &bench.xcpd_query}, {XCPD_ANSWER, &bench.xcpd_answer},
        {ADHOC_QUERY, &bench.query},     {ADHOC_ANSWER, &bench.answer},
        {RETRIEVE, &bench.retrieve},     {RETRIEVED, &bench.retrieved},
        {PDQ_QUERY, &bench.pdq_query},   {PDQ_ANSWER, &bench.pdq_answer},
        {PIX_QUERY, &bench.pix_query},   {PIX_ANSWER, &bench.pix_answer},
        {PLQ_ANSWER, &bench.plq_answer},
    };
    struct diag diag;
    diag_clear(&diag);
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        CHECK_OK(&diag, support_message(span_of_cstr(messages[i].xml), bench.arena, &diag,
                                        messages[i].to));
    }
    CHECK_OK(&diag, xcpd_query_read(bench.xcpd_query, bench.arena, &diag, &bench.question));
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        torture(&bench, steps[i]);
    }
    arena_free(bench.arena);
}

static const struct unit_test tests[] = {
    {"every allocation fails once", test_all},
};
UNIT_MAIN("codec_torture", tests)
