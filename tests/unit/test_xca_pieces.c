/*
 * Answers read in pieces say what they say as one tree: messages made to show a difference, samples
 * of other systems, long lists; and memory goes with what is kept, not with what comes.
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "answer_dump.h"
#include "base/mem.h"
#include "soap/envelope.h"
#include "soap/regrep.h"
#include "soap/regrep_payload.h"
#include "soap/security.h"
#include "soap/xml_pieces.h"
#include "soap_support.h"
#include "unit.h"

#define ENVELOPE(header, body)                                                                     \
    "<s:Envelope xmlns:s='" NS_SOAP12 "' xmlns:a='" NS_WSA "'><s:Header>"                          \
    "<a:Action>urn:ihe:iti:2007:CrossGatewayQueryResponse</a:Action>" header                       \
    "</s:Header><s:Body>" body "</s:Body></s:Envelope>"
#define ANSWER(x)                                                                                  \
    "<q:AdhocQueryResponse xmlns:q='" NS_QUERY "' xmlns='" NS_RIM "' xmlns:rs='" NS_RS             \
    "' status='urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success'>" x                     \
    "</q:AdhocQueryResponse>"
#define LIST(x) "<RegistryObjectList>" x "</RegistryObjectList>"
#define BODY(x) ENVELOPE("", ANSWER(x))
#define OBJECT                                                                                     \
    "<ExtrinsicObject id='urn:uuid:1' home='urn:oid:2.999.1'>"                                     \
    "<Slot name='size'><ValueList><Value>7</Value></ValueList></Slot>"                             \
    "<Name><LocalizedString value='n&amp;m'/></Name></ExtrinsicObject>"
#define IN_OBJECT(x)                                                                               \
    "<ExtrinsicObject id='urn:uuid:3' lid='l' home='h' objectType='t' status='s' mimeType='m'>" x  \
    "</ExtrinsicObject>"
#define REFERENCE "<ObjectRef id='urn:uuid:2' home='urn:oid:2.999.1'/>"
#define SIGNED    "<w:Security xmlns:w='" NS_WSSE "'><d:Signature xmlns:d='" NS_DS "'/></w:Security>"

static const char *const long_value_parts[] = {
    "<s:Envelope xmlns:s='" NS_SOAP12 "' xmlns:a='" NS_WSA "'><s:Header>"
    "<a:Action>urn:ihe:iti:2007:CrossGatewayQueryResponse</a:Action></s:Header><s:Body>"
    "<q:AdhocQueryResponse xmlns:q='" NS_QUERY "' xmlns='" NS_RIM
    "' status='urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success'><RegistryObjectList>"
    "<ExtrinsicObject id='1'><Slot name='URI'><ValueList><Value>",
    "</Value></ValueList></Slot></ExtrinsicObject></RegistryObjectList></q:AdhocQueryResponse>"
    "</s:Body></s:Envelope>",
};

static bool
check_same(struct span envelope, enum err want, const char *what)
{
    struct buf tree, pieces;
    enum err code = ERR_NONE;
    bool is_same;

    buf_init(&tree, ANSWER_DUMP_MAX);
    buf_init(&pieces, ANSWER_DUMP_MAX);
    is_same = answer_read_twice(envelope, &tree, &pieces, &code) && code == want;
    CU_ASSERT(is_same);
    if (!is_same) {
        printf("      %s\n--- tree (%s; wanted %s)\n%.*s\n--- pieces\n%.*s\n", what, err_name(code),
               err_name(want), SPAN_PRINT(buf_span(&tree)), SPAN_PRINT(buf_span(&pieces)));
    }
    buf_done(&tree);
    buf_done(&pieces);
    return is_same;
}

static const struct {
    const char *xml;
    enum err want;
} made_to_differ[] = {
    {BODY(LIST("<x/>") LIST("")), ERR_PARTNER_ANSWER},
    {BODY(LIST(OBJECT) LIST(OBJECT)), ERR_PARTNER_ANSWER},
    {BODY(LIST(OBJECT "text")), ERR_PARTNER_ANSWER},
    {BODY(LIST("text" OBJECT)), ERR_PARTNER_ANSWER},
    {BODY(LIST(OBJECT "te<!-- x -->xt" OBJECT)), ERR_PARTNER_ANSWER},
    {BODY(LIST(OBJECT "<![CDATA[text]]>")), ERR_PARTNER_ANSWER},
    {BODY(LIST("<Name/><!-- --><Name/>")), ERR_PARTNER_ANSWER},
    {BODY(LIST("<Name/>" OBJECT "<Name/>")), ERR_PARTNER_ANSWER},
    {BODY(LIST("<i:Include xmlns:i='" NS_XOP "' href='cid:a'/>")), ERR_XOP},
    {BODY(LIST("<ExtrinsicObject id='1'>x<Name/></ExtrinsicObject>")), ERR_PARTNER_ANSWER},
    {BODY(LIST(OBJECT "<?pi?>")), ERR_SOAP_STRUCTURE},
    {BODY(LIST("<ExtrinsicObject><?pi?></ExtrinsicObject>")), ERR_SOAP_STRUCTURE},
    {BODY(LIST(OBJECT "<p:x/>")), ERR_XML_SYNTAX},
    {BODY(LIST("<x xmlns:p='a&amp;b'/>")), ERR_XML_SYNTAX},
    {BODY(LIST(OBJECT "<x>")), ERR_XML_SYNTAX},
    {BODY(LIST(OBJECT) "<unknown/>") "x", ERR_XML_SYNTAX},
    {ENVELOPE("", ANSWER(LIST(OBJECT)) "<second/>"), ERR_SOAP_STRUCTURE},
    /* taken */
    {BODY(""), ERR_NONE},
    {BODY(LIST("")), ERR_NONE},
    {BODY(LIST("only text")), ERR_NONE},
    {BODY(LIST("te<!-- -->xt")), ERR_NONE},
    {BODY(LIST(OBJECT)), ERR_NONE},
    {BODY(LIST(" \n " OBJECT "\n\n\t" REFERENCE " " OBJECT "\n")), ERR_NONE},
    {BODY(LIST(" \n <!-- a -->\n" OBJECT "\n <!-- b --><!-- c -->  " REFERENCE)), ERR_NONE},
    {BODY(LIST(REFERENCE "<Organization id='x'><Parent/><Parent/></Organization>" REFERENCE)),
     ERR_NONE},
    {BODY(LIST("<f:x xmlns:f='urn:x'><ExtrinsicObject id='hidden'/></f:x>" OBJECT)), ERR_NONE},
    {BODY(LIST("<x xml:id='a'/><y xml:id='b'/>" OBJECT)), ERR_NONE},
    {BODY("<rs:RegistryErrorList><rs:RegistryError errorCode='e' codeContext='c'/>"
          "</rs:RegistryErrorList>" LIST(OBJECT)),
     ERR_NONE},
    /* in an object */
    {BODY(LIST(IN_OBJECT("<Slot name='a'><ValueList><Value>x<!-- --></Value></ValueList>"
                         "</Slot>"))),
     ERR_PARTNER_ANSWER},
    {BODY(LIST(IN_OBJECT("<Slot name='a'><ValueList/><ValueList/></Slot>"))), ERR_PARTNER_ANSWER},
    {BODY(LIST(IN_OBJECT("<Classification><Name/><Slot/><Name/></Classification>"))),
     ERR_PARTNER_ANSWER},
    {BODY(LIST(IN_OBJECT("<ExternalIdentifier>x<Name/></ExternalIdentifier>"))),
     ERR_PARTNER_ANSWER},
    {BODY(LIST(IN_OBJECT("<Slot><i:Include xmlns:i='" NS_XOP "' href='cid:a'/></Slot>"))), ERR_XOP},
    {BODY(LIST(IN_OBJECT("<Slot><Slot><ValueList>x<Value/></ValueList></Slot></Slot>"))),
     ERR_PARTNER_ANSWER},
    {BODY(LIST(IN_OBJECT("<Slot><Document xmlns='" NS_XDSB "'>x<y/></Document></Slot>"))),
     ERR_NONE},
    {BODY(LIST(IN_OBJECT("<Slot/><Slot name=''/><Slot name='a'><ValueList/></Slot>"
                         "<Slot name='b'><ValueList><Value/><Value> x\n</Value><x/>"
                         "<Value>a<![CDATA[<b>]]>&amp;c</Value></ValueList></Slot>"))),
     ERR_NONE},
    {BODY(LIST(IN_OBJECT("<x:Slot xmlns:x='urn:x' name='no'/><Slot xmlns='" NS_RS "' name='no'/>"
                         "<Slot xmlns:x='urn:x' x:name='no' xml:id='no'/>"))),
     ERR_NONE},
    {BODY(LIST(IN_OBJECT("<Description><LocalizedString value=' d '/><LocalizedString "
                         "value='second'/></Description><Name/>"))),
     ERR_NONE},
    {BODY(LIST(IN_OBJECT(
         "<Classification id='c' classificationScheme='urn:uuid:f0306f51-975f-434e-a61c-"
         "c59651d33983' classifiedObject='o' nodeRepresentation='n'><Name><LocalizedString "
         "value='t'/></Name><Slot name='codingScheme'><ValueList><Value>2.999</Value>"
         "</ValueList></Slot><Classification nodeRepresentation='inner'/></Classification>"
         "<ExternalIdentifier id='e' registryObject='o' identificationScheme='urn:uuid:"
         "2e82c1f6-a085-4c72-9da3-8640a32e42ab' value='v'><Name><x/></Name>"
         "</ExternalIdentifier>"))),
     ERR_NONE},
    /* lists that are no answer's */
    {BODY("<x>" LIST("a" OBJECT) "</x>"), ERR_NONE},
    {BODY(LIST(LIST(OBJECT) OBJECT)), ERR_NONE},
    {ENVELOPE("<x xmlns='urn:x'>" ANSWER(LIST(OBJECT)) "</x>", ANSWER(LIST(OBJECT))), ERR_NONE},
    /* signed: one tree */
    {ENVELOPE(SIGNED, ANSWER(LIST(OBJECT REFERENCE))), ERR_NONE},
    {ENVELOPE(SIGNED, ANSWER(LIST(OBJECT "text"))), ERR_PARTNER_ANSWER},
};

static void
test_made_to_differ(void)
{

    for (size_t i = 0; i < ARRAY_LEN(made_to_differ); i++) {
        check_same(span_of_cstr(made_to_differ[i].xml), made_to_differ[i].want,
                   made_to_differ[i].xml);
    }
}

/* One value as long as may be, and a byte longer. */
static void
test_long_values(void)
{
    for (size_t more = 0; more < 2; more++) {
        static char text[REGREP_TEXT_MAX + 1];
        struct diag diag;
        struct buf xml;

        memset(text, 'x', sizeof(text));
        diag_clear(&diag);
        buf_init(&xml, ANSWER_DUMP_MAX);
        CHECK_OK(&diag, buf_printf(&xml, &diag, "%s%.*s%s", long_value_parts[0],
                                   (int)(REGREP_TEXT_MAX + more), text, long_value_parts[1]));
        check_same(buf_span(&xml), more == 0 ? ERR_NONE : ERR_PARTNER_ANSWER, "a long value");
        buf_done(&xml);
    }
}

/* What is handed out has its namespaces, hangs in its place, and is gone afterwards. */
struct seen {
    size_t taken, lists;
    bool is_wrong;
};

static bool
is_any_list(void *arg, const xmlNode *element)
{
    (void)arg;
    return xml_is(element, "urn:l", "list");
}

static void
note_piece(void *arg, const xmlNode *piece)
{
    struct seen *seen = arg;

    seen->taken++;
    seen->is_wrong = seen->is_wrong || !xml_is(piece->parent, "urn:l", "list") ||
                     piece->prev != NULL || !xml_is(xml_first(piece), "urn:p", "inner") ||
                     xml_attr_text(piece, "n").n == 0;
}

static void
test_pieces(void)
{
    static const char xml[] = "<l:top xmlns:l='urn:l' xmlns:p='urn:p'><l:list>"
                              "<p:a n='1'><p:inner/></p:a><!-- --><p:a n='2'><p:inner>t</p:inner>"
                              "</p:a></l:list><l:list/><l:list><p:a n='3'><p:inner/></p:a>"
                              "</l:list><l:rest>x</l:rest></l:top>";
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct message_limits limits = message_limits_answer();
    struct seen seen = {0};
    struct xml_pieces pieces = {
        .is_list = is_any_list, .take = note_piece, .arg = &seen, .live_nodes = 100};
    struct diag diag = {0};
    xmlDoc *doc = NULL;

    limits.pieces = &pieces;
    if (CHECK_OK(&diag, xml_parse(SPAN(xml), &limits, arena, &diag, &doc))) {
        CU_ASSERT(seen.taken == 3 && !seen.is_wrong);
        CU_ASSERT(pieces.elements == 6 && pieces.lists == 3);
        CU_ASSERT(!pieces.has_text && !pieces.has_instruction && !pieces.is_odd);
        CU_ASSERT_PTR_NULL(xml_first(xml_first(xml_root(doc))));
        CU_ASSERT_EQUAL(xml_count(xml_root(doc), "urn:l", "list"), 3);
        CU_ASSERT_EQUAL(xml_count(xml_root(doc), "urn:l", "rest"), 1);
    }
    arena_free(arena);
}

/* What is signed is proven over the tree, so all of it has to be there. */
static void
test_signed_is_one_tree(void)
{
    static const struct {
        const char *xml;
        size_t lists;
    } rows[] = {{ENVELOPE("", ANSWER(LIST(OBJECT))), 1},
                {ENVELOPE("<w:Security xmlns:w='" NS_WSSE "'/>", ANSWER(LIST(OBJECT))), 1},
                {ENVELOPE(SIGNED, ANSWER(LIST(OBJECT))), 0}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct message_limits limits = message_limits_answer();
        struct message *message = NULL;
        struct query_answer answer = {0};
        struct diag diag = {0};

        CHECK_OK(&diag, query_answer_pieces(arena, arena, &diag, &limits.pieces));
        CHECK_OK(&diag, message_read(span_of_cstr(rows[i].xml), SPAN(SOAP_CONTENT_TYPE), &limits,
                                     arena, &diag, &message));
        CHECK_OK(&diag, query_answer_read(message, arena, &diag, &answer));
        CU_ASSERT_EQUAL(limits.pieces->lists, rows[i].lists);
        CU_ASSERT_EQUAL(answer.objects.documents.n, 1);
        arena_free(arena);
    }
}

static void
test_samples(void)
{
    static const char *const files[] = {"ihe/samples/epr-by-example/ITI-18_response_raw.xml"};

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct arena *arena = arena_new((size_t)64 * 1024 * 1024);
        struct span file;

        if (support_data(files[i], arena, &file)) {
            check_same(file, ERR_NONE, files[i]);
        }
        arena_free(arena);
    }
}

/* ---- long lists ---- */

struct long_list {
    const char *before, *item, *after;
    size_t n;
};

static void
write_long(const struct long_list *list, struct buf *out)
{
    struct diag diag = {0};

    buf_init(out, (size_t)40 * 1024 * 1024);
    CHECK_OK(&diag, buf_append_cstr(out, list->before, &diag));
    for (size_t i = 0; i < list->n; i++) {
        if (!is_ok(buf_append_cstr(out, list->item, &diag))) {
            break;
        }
    }
    CHECK_OK(&diag, buf_append_cstr(out, list->after, &diag));
}

#define BEFORE                                                                                     \
    "<s:Envelope xmlns:s='" NS_SOAP12 "'><s:Body><q:AdhocQueryResponse xmlns:q='" NS_QUERY         \
    "' xmlns='" NS_RIM "' status='urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success'>"
#define AFTER "</q:AdhocQueryResponse></s:Body></s:Envelope>"

/* Several batches: in order, none lost. */
static void
test_batches(void)
{
    const struct long_list list = {BEFORE "<RegistryObjectList>", OBJECT "\n" REFERENCE,
                                   "</RegistryObjectList>" AFTER, 3000};
    struct buf xml;

    write_long(&list, &xml);
    check_same(buf_span(&xml), ERR_NONE, "3000 objects");
    buf_done(&xml);
}

static struct status
read_in_pieces(struct span xml, struct diag *diag, size_t *ret_refs)
{
    struct arena *arena = arena_new((size_t)16 * 1024 * 1024);
    struct message_limits limits = message_limits_answer();
    struct query_answer answer = {0};
    struct message *message = NULL;
    struct status st = query_answer_pieces(arena, arena, diag, &limits.pieces);

    if (is_ok(st)) {
        st = message_read(xml, SPAN(SOAP_CONTENT_TYPE), &limits, arena, diag, &message);
    }
    if (is_ok(st)) {
        st = query_answer_read(message, arena, diag, &answer);
    }
    *ret_refs = answer.refs.n;
    arena_free(arena);
    return st;
}

static long
peak_kb(void)
{
    struct rusage usage = {0};

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* Nearly 32 MB each, of up to four million nodes: as one tree they would take a gigabyte. What is
 * passed over costs nothing; what is kept, unknown objects included, is bounded by the arena; what
 * is one huge object is refused. */
static void
test_memory(void)
{
    static const struct {
        struct long_list list;
        enum err want;
    } rows[] = {
        {{BEFORE "<RegistryObjectList>", "<q:a/>", "</RegistryObjectList>" AFTER, 3900000},
         ERR_NONE},
        {{BEFORE "<RegistryObjectList>", "<a/>", "</RegistryObjectList>" AFTER, 300000},
         ERR_LIMIT_ARENA},
        {{BEFORE "<RegistryObjectList>", "<q:a b='' c='' d=''><e/></q:a>",
          "</RegistryObjectList>" AFTER, 480000},
         ERR_NONE},
        {{BEFORE "<RegistryObjectList>", "<!---->", "</RegistryObjectList>" AFTER, 3900000},
         ERR_NONE},
        {{BEFORE "<RegistryObjectList>", REFERENCE, "</RegistryObjectList>" AFTER, 600000},
         ERR_LIMIT_ARENA},
        {{BEFORE "<RegistryObjectList><ExtrinsicObject>", "<a/>",
          "</ExtrinsicObject></RegistryObjectList>" AFTER, 3900000},
         ERR_LIMIT_XML},
        {{BEFORE, "<a/>", "<RegistryObjectList/>" AFTER, 3900000}, ERR_LIMIT_XML},
        {{BEFORE "<RegistryObjectList>", "<?a?>", "</RegistryObjectList>" AFTER, 3900000},
         ERR_LIMIT_XML},
    };
    const long before_kb = peak_kb();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag = {0};
        struct buf xml;
        size_t refs = 0;

        write_long(&rows[i].list, &xml);
        CHECK_ERR(&diag, rows[i].want, read_in_pieces(buf_span(&xml), &diag, &refs));
        buf_done(&xml);
        printf("%s%ld MB", i == 0 ? " peak beside 40 MB of text: " : ", ",
               (peak_kb() - before_kb) / 1024);
    }
    printf(" ");
    CU_ASSERT(!unit_is_memory_plain() || peak_kb() - before_kb < 160 * 1024);
}

static void
test_start(void)
{
    struct diag diag = {0};

    CHECK_OK(&diag, soap_library_init(&diag));
}

static const struct unit_test tests[] = {
    {"the library starts", test_start},
    /* REQ: ITI38-lossless */
    {"pieces of a tree", test_pieces},
    {"messages made to show a difference", test_made_to_differ},
    {"one value as long as may be, and longer", test_long_values},
    {"what is signed is one tree", test_signed_is_one_tree},
    {"samples of other systems", test_samples},
    {"many batches", test_batches},
    {"memory goes with what is kept", test_memory},
};
UNIT_MAIN("xca_pieces", tests)
