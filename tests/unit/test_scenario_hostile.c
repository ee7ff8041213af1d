/*
 * Submissions of a partner that are made to harm: ids that collide, documents that are not there or
 * come twice, lies about size and hash, other people's records, paths, other communities. Each is
 * refused by its code, and nothing is stored; the same without the lie is taken. Fake clock, no
 * sockets.
 */
#include <stdio.h>
#include <string.h>

#include "submission_kit.h"

#define INCLUDE(href)   "<i:Include xmlns:i='http://www.w3.org/2004/08/xop/include' href='" href "'/>"
#define BEFORE_LANGUAGE "<r:Slot name='languageCode'>"
#define BEFORE_TIME     "<r:Slot name='submissionTime'>"
#define UNIQUE_ID       "value='2.999.81.7'"

/* What of a right submission is replaced by what; the code that refuses it, or NULL: a fault does.
 * Places: GREEN, a stored document's id, CAPITALS, the same, and UNIQUE, its uniqueId. */
/* clang-format off */
static const struct attack {
    const char *name, *from, *to, *code;
} attacks[] = {
    {"two objects with one id", "id='set'", "id='doc'", NULL},
    {"no id", "id='set'", "", NULL},
    {"the id of a stored document", "'set'", "'@GREEN@'", "XDSRepositoryMetadataError"},
    {"the same in capitals", "'set'", "'@CAPITALS@'", "XDSRepositoryMetadataError"},
    {"a path as id", "'set'", "'urn:uuid:../../../etc/passwd'", "XDSRepositoryMetadataError"},
    {"a path as uniqueId", UNIQUE_ID, "value='../../../etc/passwd'", "XDSRepositoryMetadataError"},
    {"a long path behind an OID", UNIQUE_ID, "value='2.999.81.7^../../../../../etc/passwd'",
     "XDSRepositoryMetadataError"},
    {"the uniqueId of a stored document", UNIQUE_ID, "value='@UNIQUE@'", "XDSNonIdenticalSize"},
    {"a size that is a lie", BEFORE_LANGUAGE, SLOT("size", V("1")) BEFORE_LANGUAGE,
     "XDSNonIdenticalSize"},
    {"a hash that is a lie", BEFORE_LANGUAGE,
     SLOT("hash", V("da39a3ee5e6b4b0d3255bfef95601890afd80709")) BEFORE_LANGUAGE,
     "XDSNonIdenticalHash"},
    {"somebody else's entry", "98427' value='@PATIENT@'", "98427' value='x^^^&amp;2.999.2.1&amp;ISO'",
     "XDSPatientIdDoesNotMatch"},
    {"a patient of nobody", "@PATIENT@", "x^^^&amp;2.999.2.1&amp;ISO", "XDSUnknownPatientId"},
    {"the home of another community", "id='doc' mime", "home='urn:oid:2.999.3' id='doc' mime",
     "XDSUnknownCommunity"},
    {"for another community", BEFORE_TIME,
     SLOT("homeCommunityId", V("urn:oid:2.999.3")) BEFORE_TIME, "XDSUnknownCommunity"},
    {"for two communities", BEFORE_TIME,
     SLOT("homeCommunityId", V("urn:oid:2.999.2") V("urn:oid:2.999.3")) BEFORE_TIME, NULL},
    {"the repository of somebody else", BEFORE_LANGUAGE,
     SLOT("repositoryUniqueId", V("2.999.3.2")) BEFORE_LANGUAGE, "XDSUnknownRepositoryId"},
    {"an entry without its document", "<x:Document id='doc'>", "<x:Document id='other'>",
     "XDSMissingDocument"},
    {"a document more", "</x:Document>", "</x:Document><x:Document id='more'>AA==</x:Document>",
     "XDSMissingDocumentMetadata"},
    {"two documents of one entry", "</x:Document>",
     "</x:Document><x:Document id='doc'>AA==</x:Document>", NULL},
    {"a part that is not there", BYTES_BASE64, INCLUDE("cid:nobody"), NULL},
    {"a part that is a file", BYTES_BASE64, INCLUDE("file:///etc/passwd"), NULL},
    {"bytes and a part", BYTES_BASE64, BYTES_BASE64 INCLUDE("cid:nobody"), NULL},
    {"no base64", BYTES_BASE64, "../../etc/passwd", NULL},
    {"an object in an object", "</r:ExtrinsicObject>",
     "<r:ExtrinsicObject id='inner'/></r:ExtrinsicObject>", NULL},
    {"two uniqueIds", "</r:ExtrinsicObject>",
     IDENTIFIER("39", "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab", "2.999.81.8", "u")
     "</r:ExtrinsicObject>", NULL},
    {"a change of metadata", "'/></r:RegistryObjectList>",
     "'>" SLOT("PreviousVersion", V("1")) "</r:Association></r:RegistryObjectList>",
     "XDSRepositoryMetadataError"},
    {"a member of somebody else's package", "sourceObject='set'", "sourceObject='@GREEN@'",
     "PartialFolderContentNotProcessed"},
};
/* clang-format on */

static struct span
capitals(struct span uuid)
{
    struct span copy = SPAN_EMPTY;
    struct diag diag = {0};

    CHECK_OK(&diag, arena_dup(kept_arena, uuid, &diag, &copy));
    for (size_t i = strlen("urn:uuid:"); i < copy.n; i++) {
        if (copy.p[i] >= 'a' && copy.p[i] <= 'f') {
            ((char *)copy.p)[i] = (char)(copy.p[i] - 'a' + 'A');
        }
    }
    return copy;
}

/* All occurrences; there must be one. */
static struct span
replace(struct span text, const char *from, const char *to)
{
    struct span replaced = SPAN_EMPTY;
    struct diag diag = {0};
    struct buf out;
    size_t at;

    buf_init(&out, (size_t)64 * 1024 * 1024);
    CU_ASSERT_NOT_EQUAL(span_find(text, span_of_cstr(from)), SPAN_MISSING);
    while ((at = span_find(text, span_of_cstr(from))) != SPAN_MISSING) {
        CHECK_OK(&diag, buf_append(&out, span_slice(text, 0, at), &diag));
        CHECK_OK(&diag, buf_append_cstr(&out, to, &diag));
        text = span_slice(text, at + strlen(from), SIZE_MAX);
    }
    CHECK_OK(&diag, buf_append(&out, text, &diag));
    CHECK_OK(&diag, arena_dup(kept_arena, buf_span(&out), &diag, &replaced));
    buf_done(&out);
    return replaced;
}

/* A right submission, but for the patient. */
static struct span
make_right(void)
{
    const struct place_text ids[] = {
        {"N", SPAN("7")}, {"ID", SPAN("x")}, {"PATIENT", SPAN("@PATIENT@")}, {NULL, SPAN_EMPTY}};
    const struct place_text places[] = {
        {"OBJECTS", kept_format("@A@@B@", kept_fill(SMALL_ENTRY, ids), kept_fill(SMALL_SET, ids))},
        {"DOCUMENT", SPAN("doc")},
        {NULL, SPAN_EMPTY}};

    return kept_fill(SUBMISSION, places);
}

static void
send(struct span text)
{
    const struct place_text places[] = {{"PATIENT", kept_escape(span_of_cstr(of_green.patient_id))},
                                        {"GREEN", span_of_cstr(of_green.entry_uuid)},
                                        {"CAPITALS", capitals(span_of_cstr(of_green.entry_uuid))},
                                        {"UNIQUE", span_of_cstr(of_green.unique_id)},
                                        {NULL, SPAN_EMPTY}};

    kept_send(NULL, kept_fill(text.p, places));
}

static uint64_t
documents(void)
{
    struct store_counts counts = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, store_count(kept_green()->store, &diag, &counts));
    return counts.documents;
}

static void
check_refused(const char *name, const char *code, uint64_t before)
{
    const bool is_refused = code == NULL
                                ? strstr(reply.text, "ResponseStatusType:Success") == NULL
                                : strstr(reply.text, code) != NULL && reply.http_status == 200;

    if (!is_refused) {
        printf("      %s: wanted %s in %.2000s\n", name, code == NULL ? "a refusal" : code,
               reply.text);
        CU_FAIL("not refused as it should be");
    }
    CU_ASSERT_EQUAL(scene_event(kept_green(), 0)->outcome, AUDIT_SERIOUS);
    CU_ASSERT_EQUAL(documents(), before);
}

/* REQ: ITI41-all-or-nothing */
static void
test_each_lie_is_refused(void)
{
    kept_open();
    const uint64_t before = documents();

    for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
        send(replace(make_right(), attacks[i].from, attacks[i].to));
        check_refused(attacks[i].name, attacks[i].code, before);
        scene_forget(&scene);
    }
    CHECK_SPAN(kept_entry(of_green.unique_id).status, DOCUMENT_APPROVED);
    send(make_right());
    kept_check_reply("ResponseStatusType:Success");
    CU_ASSERT_EQUAL(documents(), before + 1);
    kept_close();
}

/* <text> so often. */
static const char *
many(const char *text, size_t n)
{
    struct span repeated = SPAN_EMPTY;
    struct diag diag = {0};
    struct buf out;

    buf_init(&out, (size_t)64 * 1024 * 1024);
    for (size_t i = 0; i < n; i++) {
        CHECK_OK(&diag, buf_append_cstr(&out, text, &diag));
    }
    CHECK_OK(&diag, arena_dup(kept_arena, buf_span(&out), &diag, &repeated));
    buf_done(&out);
    return repeated.p;
}

/* Costs nothing but its bytes: refused before anything is made of it. */
static void
test_too_much_is_refused(void)
{
    static const struct {
        const char *name, *at, *text;
        size_t n;
    } rows[] = {
        {"slots", "<r:Slot name='creationTime'>", "<r:Slot name='s'/>", 100000},
        {"values", "</r:ValueList>", "<r:Value>v</r:Value>", 12000},
        {"objects", "</r:RegistryObjectList>", "<r:ObjectRef id='x'/>", 1001},
        {"documents", "</x:ProvideAndRegister", "<x:Document id='m'>AA==</x:Document>", 201},
        {"base64", "</x:Document>", "AAAA                                        ", 40000},
    };

    kept_open();
    const uint64_t before = documents();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span right = make_right();
        const size_t at = span_find(right, span_of_cstr(rows[i].at));
        const struct place_text parts[] = {{"A", span_slice(right, 0, at)},
                                           {"B", span_of_cstr(many(rows[i].text, rows[i].n))},
                                           {"C", span_slice(right, at, SIZE_MAX)},
                                           {NULL, SPAN_EMPTY}};

        send(kept_fill("@A@@B@@C@", parts));
        check_refused(rows[i].name, NULL, before);
        scene_forget(&scene);
    }
    kept_close();
}

static const struct unit_test tests[] = {
    {"each lie is refused", test_each_lie_is_refused},
    {"too much is refused", test_too_much_is_refused},
};

UNIT_MAIN("hostile", tests)
