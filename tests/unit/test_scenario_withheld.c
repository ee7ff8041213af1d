/*
 * What answers to stored queries may tell of documents that are not given: of a source's, which our
 * rules withhold, by Associations, packages and what was found through them; and in objects of
 * kinds that nobody here knows. Fake clock, no sockets; the registries are played by the test.
 */
#include <stdio.h>
#include <string.h>

#include "source_kit.h"

#define URN(text)  "urn:uuid:" text
#define PLAIN      URN("00000000-0000-4000-8000-00000000000a")
#define RESTRICTED URN("00000000-0000-4000-8000-00000000000b")
#define SET_PLAIN  URN("00000000-0000-4000-8000-00000000000c")
#define SET_HIDDEN URN("00000000-0000-4000-8000-00000000000d")
#define FOLDER     URN("00000000-0000-4000-8000-00000000000e")
#define MEMBERS    4

/* ---- what the hospital's registry has ---- */

/* A set and a folder of both documents would be shown; a set of the restricted one would not. */
static struct association members[MEMBERS];
static struct submission_set sets[2];
static struct folder folders[1];
static struct document_entry entries[2];

static struct association
member(const char *id, const char *source, const char *target)
{
    return (struct association){.entry_uuid = span_of_cstr(id),
                                .home = SPAN(NO_HOME),
                                .type = SPAN(ASSOCIATION_HAS_MEMBER),
                                .source = span_of_cstr(source),
                                .target = span_of_cstr(target),
                                .status = SPAN(DOCUMENT_APPROVED)};
}

static struct submission_set
set_of(const char *id, const char *unique_id)
{
    return (struct submission_set){.entry_uuid = span_of_cstr(id),
                                   .unique_id = span_of_cstr(unique_id),
                                   .home = SPAN(NO_HOME),
                                   .source_id = SPAN("2.999.30"),
                                   .patient_id = SPAN(OWN_ID),
                                   .submission_time = SPAN("20260102030405"),
                                   .status = SPAN(DOCUMENT_APPROVED),
                                   .content_type = {SPAN("c"), SPAN("2.999.5"), SPAN("c")}};
}

static void
fill_registry(void)
{
    static const struct given plain = {"2.999.30.1", HOSPITAL, OWN_ID, NULL, NULL};
    static const struct given restricted = {"2.999.30.5", HOSPITAL, OWN_ID, "R", NULL};

    entries[0] = sources_entry(&plain, PLAIN);
    entries[1] = sources_entry(&restricted, RESTRICTED);
    members[0] = member(URN("00000000-0000-4000-8000-0000000000a1"), SET_PLAIN, PLAIN);
    members[1] = member(URN("00000000-0000-4000-8000-0000000000a2"), SET_HIDDEN, RESTRICTED);
    members[2] = member(URN("00000000-0000-4000-8000-0000000000a3"), FOLDER, PLAIN);
    members[3] = member(URN("00000000-0000-4000-8000-0000000000a4"), FOLDER, RESTRICTED);
    sets[0] = set_of(SET_PLAIN, "2.999.30.11");
    sets[1] = set_of(SET_HIDDEN, "2.999.30.12");
    folders[0] = (struct folder){.entry_uuid = SPAN(FOLDER),
                                 .unique_id = SPAN("2.999.30.13"),
                                 .home = SPAN(NO_HOME),
                                 .patient_id = SPAN(OWN_ID),
                                 .status = SPAN(DOCUMENT_APPROVED)};
}

/* Which of them an answer has: bits, in the order above. */
struct parts {
    unsigned entries, sets, folders, members;
};
#define BIT(n) (1u << (n))

static struct registry_objects
pick(const struct parts *parts)
{
    struct registry_objects objects = {0};
    struct diag diag = {0};

    for (unsigned i = 0; i < MEMBERS; i++) {
        if ((parts->entries & BIT(i)) != 0) {
            CHECK_OK(&diag, ARENA_PUSH(sources_arena, &diag, &objects.documents, entries[i]));
        }
        if ((parts->sets & BIT(i)) != 0) {
            CHECK_OK(&diag, ARENA_PUSH(sources_arena, &diag, &objects.submission_sets, sets[i]));
        }
        if ((parts->folders & BIT(i)) != 0) {
            CHECK_OK(&diag, ARENA_PUSH(sources_arena, &diag, &objects.folders, folders[i]));
        }
        if ((parts->members & BIT(i)) != 0) {
            CHECK_OK(&diag, ARENA_PUSH(sources_arena, &diag, &objects.associations, members[i]));
        }
    }
    return objects;
}

static void
answer_parts(const struct parts *parts)
{
    const struct registry_objects objects = pick(parts);

    sources_answer_objects("hospital", &objects);
}

/* All questions from this one on: of the documents that they may be about. */
static void
answer_documents(size_t from)
{
    const struct registry_objects objects = pick(&(const struct parts){.entries = BIT(0) | BIT(1)});

    for (size_t i = from; i < sources_scene.questions_n; i++) {
        CU_ASSERT(sources_was_asked(i, XCA_GET_DOCUMENTS));
        sources_answer_question(i, &objects);
    }
}

/* ---- questions ---- */

struct question {
    const char *id, *param;
    const char *value;
    bool is_by_patient;
};

static void
ask_green(const struct question *question, bool wants_leaf_class)
{
    struct span values[2] = {span_of_cstr(question->value), SPAN(DOCUMENT_APPROVED)};
    struct query_param params[2] = {
        {.name = span_of_cstr(question->param), .values = {values, 1, 1}},
        {.name = SPAN("$XDSSubmissionSetStatus"),
         .values = {&values[1], 1, 1},
         .is_multiple = true}};
    const struct stored_query query = {
        .id = span_of_cstr(question->id),
        .home = SPAN(GREEN),
        .wants_leaf_class = wants_leaf_class,
        .params = {params, question->is_by_patient ? 2 : 1, 2},
    };

    params[0].is_multiple = !question->is_by_patient;
    if (question->is_by_patient) {
        values[0] = span_of_cstr(sources_isabella.patient_id);
    }
    kit_send_query(&sources_scene, &query, &sources_reply);
}

#define FIND_SETS   URN("f26abbcb-ac74-4422-8a30-edb644bbc1a9")
#define ASSOCIATED  URN("a7ae438b-4bc2-4642-93e9-be891f7bb155")
#define GET_SETS    URN("51224314-5390-4169-9b91-b1980040715a")
#define GET_FOLDERS URN("5737b14c-8a1a-4539-b659-e03a34a5e1e4")
#define FOLDERS_FOR URN("10cae35a-c7f9-4cf5-b61e-fc3278ffb578")
#define WITH_ENTRY  URN("bab9529a-4a10-40b3-a01f-f68a615d247a")

static const struct row {
    const char *what;
    struct question question;
    struct parts found, members, shown;
} rows[] = {
    {"Associations of a folder",
     {ASSOCIATED, "$uuid", FOLDER, false},
     {.members = BIT(2) | BIT(3)},
     {.members = BIT(0) | BIT(1) | BIT(2) | BIT(3)},
     {.members = BIT(2)}},
    {"Associations of a withheld document",
     {ASSOCIATED, "$uuid", RESTRICTED, false},
     {.members = BIT(1) | BIT(3)},
     {.members = BIT(1) | BIT(2) | BIT(3)},
     {0}},
    {"SubmissionSets of a patient",
     {FIND_SETS, "$XDSSubmissionSetPatientId", NULL, true},
     {.sets = BIT(0) | BIT(1)},
     {.members = BIT(0) | BIT(1)},
     {.sets = BIT(0)}},
    {"the SubmissionSet of a withheld document",
     {GET_SETS, "$uuid", RESTRICTED, false},
     {.sets = BIT(1), .members = BIT(1)},
     {.members = BIT(1)},
     {0}},
    {"the SubmissionSet of another",
     {GET_SETS, "$uuid", PLAIN, false},
     {.sets = BIT(0), .members = BIT(0)},
     {.members = BIT(0)},
     {.sets = BIT(0), .members = BIT(0)}},
    {"a Folder with both",
     {GET_FOLDERS, "$XDSFolderEntryUUID", FOLDER, false},
     {.folders = BIT(0)},
     {.members = BIT(2) | BIT(3)},
     {.folders = BIT(0)}},
    {"a Folder with the withheld one only",
     {GET_FOLDERS, "$XDSFolderEntryUUID", FOLDER, false},
     {.folders = BIT(0)},
     {.members = BIT(3)},
     {0}},
    {"Folders of a withheld document",
     {FOLDERS_FOR, "$XDSDocumentEntryEntryUUID", RESTRICTED, false},
     {.folders = BIT(0)},
     {.members = BIT(2) | BIT(3)},
     {0}},
    {"Folders of another",
     {FOLDERS_FOR, "$XDSDocumentEntryUniqueId", "2.999.30.1", false},
     {.folders = BIT(0)},
     {.members = BIT(2) | BIT(3)},
     {.folders = BIT(0)}},
    {"a withheld document and its Associations",
     {WITH_ENTRY, "$XDSDocumentEntryEntryUUID", RESTRICTED, false},
     {.entries = BIT(1), .members = BIT(1) | BIT(3)},
     {.members = BIT(1) | BIT(2) | BIT(3)},
     {0}},
};

static size_t
count(unsigned bits)
{
    size_t n = 0;

    for (; bits != 0; bits >>= 1) {
        n += bits & 1u;
    }
    return n;
}

static void
check_shown(const struct row *row, bool is_leaf_class)
{
    const struct query_answer got = sources_answer_of_green();
    const size_t all = count(row->shown.entries) + count(row->shown.sets) +
                       count(row->shown.folders) + count(row->shown.members);
    /* the store's own: the import's set of Isabella's document and those of kit_open_three */
    const size_t own_sets = row->question.is_by_patient ? 3 : 0;

    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    if (is_leaf_class ? got.objects.documents.n != count(row->shown.entries) ||
                            got.objects.submission_sets.n != count(row->shown.sets) + own_sets ||
                            got.objects.folders.n != count(row->shown.folders) ||
                            got.objects.associations.n != count(row->shown.members)
                      : got.refs.n != all + own_sets) {
        printf("      %s: got %zu documents, %zu sets, %zu folders, %zu associations, %zu refs\n",
               row->what, got.objects.documents.n, got.objects.submission_sets.n,
               got.objects.folders.n, got.objects.associations.n, got.refs.n);
        CU_FAIL("another number of objects");
    }
    CU_ASSERT(strstr(sources_reply.text, RESTRICTED) == NULL);
    CU_ASSERT(strstr(sources_reply.text, "2.999.30.5") == NULL);
}

static void
test_nothing_tells_of_what_is_withheld(void)
{
    for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i / 2];

        sources_open("sources:\n" OWN_SOURCE HOSPITAL_SOURCE);
        fill_registry();
        ask_green(&row->question, i % 2 == 0);
        answer_parts(&row->found);
        /* with the withheld document itself in the answer, all of it is gone at once */
        CU_ASSERT_EQUAL(sources_reply.is_here, row->found.entries != 0);
        if (!sources_reply.is_here) {
            CU_ASSERT(sources_was_asked(sources_question("hospital"), ASSOCIATED));
            answer_parts(&row->members);
            CU_ASSERT(!sources_reply.is_here);
            answer_documents(2);
        }
        check_shown(row, i % 2 == 0);
        /* what the source was asked is recorded, all of it */
        CU_ASSERT_EQUAL(scene_count_events(sources_green(), AUDIT_ITI_18, AUDIT_INITIATING,
                                           AUDIT_OUTCOME, true),
                        sources_count("hospital"));
        sources_close();
    }
}

/* A registry that does not say what its answer is about: nothing of it is given. */
static void
test_without_metadata_nothing_is_given(void)
{
    for (size_t failing = 1; failing <= 2; failing++) {
        struct query_answer got;

        sources_open("sources:\n" OWN_SOURCE HOSPITAL_SOURCE);
        fill_registry();
        ask_green(&rows[0].question, true);
        answer_parts(&rows[0].found);
        if (failing == 2) {
            answer_parts(&rows[0].members);
        }
        scene_fail(&sources_scene, sources_question("hospital"), ERR_PARTNER_TIMEOUT);
        if (failing == 1) {
            answer_documents(2);
        }
        got = sources_answer_of_green();
        CU_ASSERT_EQUAL(got.objects.associations.n, 0);
        CU_ASSERT_EQUAL_FATAL(got.errors.n, 1);
        CHECK_SPAN(got.errors.items[0].code, "XDSRegistryError");
        sources_close();
    }
}

/* Queries that give documents only are answered at once, as before. */
static void
test_documents_need_no_second_look(void)
{
    static const struct parts both = {.entries = BIT(0) | BIT(1)};
    struct query_answer got;

    sources_open("sources:\n" OWN_SOURCE HOSPITAL_SOURCE);
    fill_registry();
    sources_ask_green(NULL);
    answer_parts(&both);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(sources_count("hospital"), 1);
    CU_ASSERT_EQUAL(got.objects.documents.n, 4);
    sources_close();
}

static const struct unit_test tests[] = {
    /* REQ: ITI18-source-withheld, SQ-withheld-packages */
    {"nothing tells of what is withheld", test_nothing_tells_of_what_is_withheld},
    {"without metadata nothing is given", test_without_metadata_nothing_is_given},
    {"documents need no second look", test_documents_need_no_second_look},
};

UNIT_MAIN("withheld", tests)
