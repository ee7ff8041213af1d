/* People of suppliers of demographics: who is joined, who is new, who is refused. */
#include <stdio.h>

#include "store/registry.h"
#include "tests/unit/store_fixture.h"

#define MPI "2.999.50"

static char path[512];
static struct arena *arena;
static struct store *store;

static void
open_store(void)
{
    arena = arena_new(ARENA_LIMIT_DEFAULT);
    CU_ASSERT_FATAL(arena != NULL);
    store = fixture_open(fixture_path(path), NULL);
}

static void
close_store(void)
{
    store_close(store);
    arena_free(arena);
}

static enum store_learned
learn(const struct patient *patient, size_t own_ids)
{
    const struct store_person person = {patient, own_ids};
    enum store_learned learned = STORE_LEARNED_NOT;
    enum answer answer = ANSWER_LATER;
    struct diag diag = {0};

    CHECK_OK(&diag, store_learn_person(store, &person, NULL, arena, &diag, &answer, &learned));
    CU_ASSERT_EQUAL(answer, ANSWER_NOW);
    return learned;
}

static struct patient
person(const char *name, const char *birth_date, const char *id)
{
    return fixture_patient(arena, name, birth_date, "M", id);
}

static void
add_id(struct patient *patient, const char *root, const char *extension)
{
    const struct ident id = {.root = span_of_cstr(root), .extension = span_of_cstr(extension)};
    struct diag diag = {0};

    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &patient->ids, id));
}

static struct ident_list
ids_of(const char *root, const char *extension)
{
    const struct ident id = {.root = span_of_cstr(root), .extension = span_of_cstr(extension)};
    struct ident_list ids = {0};
    enum answer answer;
    struct diag diag = {0};

    CHECK_OK(&diag, store_patient_ids(store, &id, NULL, arena, &diag, &answer, &ids));
    return ids;
}

static void
test_what_is_refused(void)
{
    static const struct {
        const char *what, *name, *birth_date, *id;
        size_t own_ids;
    } rows[] = {
        {"no id", "Berg,Otto", "19600202", NULL, 0},
        {"no id of its own", "Berg,Otto", "19600202", MPI ":M-1", 0},
        {"an id of ours alone", "Berg,Otto", "19600202", FIXTURE_AUTHORITY ":M-1", 1},
        {"no birth date", "Berg,Otto", "1960", MPI ":M-1", 1},
        {"no given name", "Berg,", "19600202", MPI ":M-1", 1},
        {"a newborn without a name", "Berg,Baby+Boy", "19600202", MPI ":M-1", 1},
    };

    open_store();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct patient patient = person(rows[i].name, rows[i].birth_date, rows[i].id);

        if (learn(&patient, rows[i].own_ids) != STORE_LEARNED_NOT) {
            CU_FAIL("learned");
            printf("\n%s\n", rows[i].what);
        }
    }
    CU_ASSERT_EQUAL(fixture_count(store).patients, 0);
    close_store();
}

/* Told twice is known once, however often, and also when others fit as well. */
static void
test_the_same_is_learned_once(void)
{
    struct patient otto, first, second;

    open_store();
    first = person("Berg,Otto", "19600202", "2.999.60:A-1");
    second = person("Berg,Otto", "19600202", "2.999.60:A-2");
    (void)fixture_put(store, arena, &first, "<a/>");
    (void)fixture_put(store, arena, &second, "<b/>");
    CU_ASSERT_EQUAL(fixture_count(store).patients, 2);
    otto = person("Berg,Otto", "19600202", MPI ":M-1");
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(learn(&otto, 1), STORE_LEARNED_PERSON);
        CU_ASSERT_EQUAL(fixture_count(store).patients, 3); /* which of the two he is nobody knows */
    }
    close_store();
}

static void
test_ids_are_learned_but_never_ours(void)
{
    struct patient otto;
    struct ident_list ids;

    open_store();
    otto = person("Berg,Otto", "19600202", MPI ":M-1");
    add_id(&otto, "2.999.77", "H-1");
    add_id(&otto, FIXTURE_AUTHORITY, "forged");
    CU_ASSERT_EQUAL(learn(&otto, 1), STORE_LEARNED_PERSON);
    ids = ids_of("2.999.77", "H-1");
    CU_ASSERT_EQUAL_FATAL(ids.n, 3);
    CHECK_SPAN(ids.items[0].root, FIXTURE_AUTHORITY);
    CU_ASSERT(!span_eq_cstr(ids.items[0].extension, "forged"));
    CHECK_SPAN(ids.items[1].extension, "M-1");
    CHECK_SPAN(ids.items[2].extension, "H-1");
    close_store();
}

/* Who has the id already stays who he is, and his id is believed as before. */
static void
test_contradictions_change_nothing(void)
{
    static const struct {
        const char *name, *birth_date;
    } others[] = {
        {"Kant,Emma", "19700303"}, /* somebody else */
        {"Berg,Otto", "19600203"}, /* perhaps corrected: nobody here knows */
        {"Kant,Otto", "19610202"},
    };
    struct patient otto;

    open_store();
    otto = person("Berg,Otto", "19600202", MPI ":M-1");
    CU_ASSERT_EQUAL(learn(&otto, 1), STORE_LEARNED_PERSON);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        const struct patient other = person(others[i].name, others[i].birth_date, MPI ":m 1");

        CU_ASSERT_EQUAL(learn(&other, 1), STORE_LEARNED_CONTRADICTION);
    }
    CU_ASSERT_EQUAL(fixture_count(store).patients, 1);
    CU_ASSERT_EQUAL(fixture_count(store).unreliable_ids, 0);
    CU_ASSERT_EQUAL(ids_of(MPI, "M-1").n, 2);
    close_store();
}

/* A name by marriage, under the same id, is the same person and is kept beside the old one. */
static void
test_a_changed_name_is_learned(void)
{
    struct store_match_result found;
    struct patient otto, changed, asked;
    enum answer answer;
    struct diag diag = {0};

    open_store();
    otto = person("Berg,Otto", "19600202", MPI ":M-1");
    changed = person("Kant,Otto", "19600202", MPI ":M-1");
    asked = person("Kant,Otto", "19600202", NULL);
    CU_ASSERT_EQUAL(learn(&otto, 1), STORE_LEARNED_PERSON);
    CU_ASSERT_EQUAL(learn(&changed, 1), STORE_LEARNED_PERSON);
    CU_ASSERT_EQUAL(fixture_count(store).patients, 1);
    CHECK_OK(&diag, store_match_patient(store, &asked, NULL, arena, &diag, &answer, &found));
    CU_ASSERT_EQUAL(found.kind, STORE_MATCH_ONE);
    close_store();
}

static struct patient tortured;

static struct status
torture(struct diag *diag)
{
    struct arena *own = arena_new(ARENA_LIMIT_DEFAULT);
    enum store_learned learned;
    enum answer answer;
    struct status st;

    if (own == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the test");
    }
    st = store_learn_person(store, &(struct store_person){&tortured, 1}, NULL, own, diag, &answer,
                            &learned);
    arena_free(own);
    return st;
}

static void
test_failed_allocations(void)
{
    open_store();
    tortured = person("Berg,Otto", "19600202", MPI ":M-1");
    unit_torture(torture);
    CU_ASSERT_EQUAL(fixture_count(store).patients, 1);
    close_store();
}

static const struct unit_test tests[] = {
    {"what is refused", test_what_is_refused},
    {"contradictions change nothing", test_contradictions_change_nothing},
    {"the same is learned once", test_the_same_is_learned_once},
    {"ids are learned, but never ours", test_ids_are_learned_but_never_ours},
    {"a changed name is learned", test_a_changed_name_is_learned},
    {"every failed allocation is survived", test_failed_allocations},
};

UNIT_MAIN("store, people of suppliers", tests)
