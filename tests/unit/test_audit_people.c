/* The other ids of a patient, by whom the journal is searched, too. */
#include <stdio.h>

#include "cli/audit_people.h"
#include "tests/unit/store_fixture.h"

#define MPI  "2.999.50"
#define MPI2 "2.999.51"

static char path[512];
static struct arena *arena;
static struct store *store;

static void
add_id(struct patient *patient, const char *root, const char *extension)
{
    const struct ident id = {.root = span_of_cstr(root), .extension = span_of_cstr(extension)};
    struct diag diag = {0};

    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &patient->ids, id));
}

/* Somebody whom two sources know, and somebody else of the same name. */
static void
open_store(void)
{
    arena = arena_new(ARENA_LIMIT_DEFAULT);
    CU_ASSERT_FATAL(arena != NULL);
    store = fixture_open(fixture_path(path), NULL);
    for (int i = 0; i < 2; i++) {
        struct patient patient =
            fixture_patient(arena, "Ibarra,Nuria", i == 0 ? "19700102" : "19700201", "F", MPI ":0");
        const struct store_person person = {&patient, 2};
        enum store_learned learned = STORE_LEARNED_NOT;
        enum answer answer = ANSWER_LATER;
        struct diag diag = {0};

        patient.ids.n = 0;
        add_id(&patient, MPI, i == 0 ? "7" : "8");
        add_id(&patient, MPI2, i == 0 ? "seven" : "eight");
        CHECK_OK(&diag, store_learn_person(store, &person, NULL, arena, &diag, &answer, &learned));
        CU_ASSERT_EQUAL(learned, STORE_LEARNED_PERSON);
    }
}

static void
close_store(void)
{
    store_close(store);
    arena_free(arena);
}

static bool
has(const struct span_list *patients, const char *cx)
{
    for (size_t i = 0; i < patients->n; i++) {
        if (span_eq_cstr(patients->items[i], cx)) {
            return true;
        }
    }
    return false;
}

static struct span_list
find(const char *cx, enum err wanted)
{
    struct span_list patients = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &patients, span_of_cstr(cx)));
    if (wanted == ERR_NONE) {
        CHECK_OK(&diag, audit_people_find(store, arena, &diag, &patients));
    } else {
        CHECK_ERR(&diag, wanted, audit_people_find(store, arena, &diag, &patients));
    }
    return patients;
}

/* An id alone could be several people's. */
static void
test_without_authority(void)
{
    open_store();
    (void)find("7", ERR_MESSAGE_CONTENT);
    (void)find("7^^^&2.999.x&ISO", ERR_MESSAGE_CONTENT);
    close_store();
}

static void
test_unknown(void)
{
    open_store();
    const struct span_list patients = find("9^^^&" MPI "&ISO", ERR_NONE);
    CU_ASSERT_EQUAL(patients.n, 1);
    CU_ASSERT_TRUE(has(&patients, "9^^^&" MPI "&ISO"));
    close_store();
}

static void
test_ids(void)
{
    static const char *const asked[] = {"7^^^&" MPI "&ISO", "7^^^&" MPI, "seven^^^&" MPI2 "&ISO"};

    open_store();
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        const struct span_list patients = find(asked[i], ERR_NONE);

        CU_ASSERT_TRUE(has(&patients, asked[i]));
        CU_ASSERT_TRUE(has(&patients, "7^^^&" MPI "&ISO"));
        CU_ASSERT_TRUE(has(&patients, "seven^^^&" MPI2 "&ISO"));
        CU_ASSERT_FALSE(has(&patients, "8^^^&" MPI "&ISO"));
        CU_ASSERT_FALSE(has(&patients, "eight^^^&" MPI2 "&ISO"));
        CU_ASSERT_TRUE(patients.n >= 3); /* and ours */
    }
    close_store();
}

static const struct unit_test tests[] = {
    {"an id without its authority", test_without_authority},
    {"nobody whom the store knows", test_unknown},
    {"the other ids of the same person", test_ids},
};
UNIT_MAIN("audit people", tests)
