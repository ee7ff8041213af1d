/* People in the store: who is found, who is joined, which ids are believed. */
#include "store/store.h"

#include <string.h>

#include "base/ids.h"
#include "tests/unit/store_fixture.h"

static struct arena *
new_arena(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);

    CU_ASSERT_FATAL(arena != NULL);
    return arena;
}

static enum store_match
match(struct store *store, struct arena *arena, const char *name, const char *birth_date,
      const char *sex, const char *id, struct store_match_result *ret_result)
{
    const struct patient query = fixture_patient(arena, name, birth_date, sex, id);
    enum answer answer = ANSWER_LATER;
    struct diag diag = {0};

    CHECK_OK(&diag, store_match_patient(store, &query, NULL, arena, &diag, &answer, ret_result));
    CU_ASSERT(answer == ANSWER_NOW);
    CU_ASSERT(ret_result->rule != NULL);
    return ret_result->kind;
}

static void
people_are_found_or_not(void)
{
    char path[512];
    struct arena *arena = new_arena();
    struct store *store = fixture_open(fixture_path(path), NULL);
    const struct patient ann = fixture_patient(arena, "Jones,Ann+Q", "19470501", "F", "2.999.5:1");
    const struct patient kari = fixture_patient(arena, "Kidd,Kari", "20001022", "F", "2.999.5:2");
    const struct patient karl = fixture_patient(arena, "Kidd,Karl", "20001022", "M", "2.999.5:3");
    struct store_match_result result;

    (void)fixture_put(store, arena, &ann, "ann");
    (void)fixture_put(store, arena, &kari, "kari");
    (void)fixture_put(store, arena, &karl, "karl");
    CU_ASSERT(fixture_count(store).patients == 3);
    CU_ASSERT(match(store, arena, "Jones,Eve", "19470501", "F", NULL, &result) == STORE_MATCH_NONE);
    CU_ASSERT(strstr(result.rule, "first given name") != NULL);
    CU_ASSERT(match(store, arena, "Smith,Ann", "19470501", "F", NULL, &result) == STORE_MATCH_NONE);
    CU_ASSERT(strstr(result.rule, "nobody") != NULL);
    CU_ASSERT(match(store, arena, "Jones,Ann", "1947", "F", NULL, &result) == STORE_MATCH_NONE);
    CU_ASSERT(match(store, arena, ",", "19470501", "F", NULL, &result) == STORE_MATCH_NONE);
    CU_ASSERT(match(store, arena, "Jones,Ann+R", "19470501", "F", NULL, &result) ==
              STORE_MATCH_NONE);
    CU_ASSERT(match(store, arena, "Jones,Ann", "19470501", "F", "2.999.5:9", &result) ==
              STORE_MATCH_NONE);
    CU_ASSERT(strstr(result.rule, "identifiers") != NULL);
    CU_ASSERT(match(store, arena, "Kidd,Karl", "20001022", "F", NULL, &result) == STORE_MATCH_NONE);

    CU_ASSERT(match(store, arena, "JONES,ann+Quentin", "19470501", "", "2.999.6:9", &result) ==
              STORE_MATCH_ONE);
    CU_ASSERT_FATAL(result.patient.ids.n == 2);
    CHECK_SPAN(result.patient.ids.items[0].root, FIXTURE_AUTHORITY);
    CU_ASSERT(uuid_is_valid(result.patient.ids.items[0].extension));
    CHECK_SPAN(result.patient.ids.items[1].extension, "1");
    CHECK_SPAN(result.patient.names.items[0].given.items[1], "Q");
    CHECK_SPAN(result.patient.sex, "F");
    CU_ASSERT(match(store, arena, "Kidd,Karl", "20001022", "", NULL, &result) == STORE_MATCH_ONE);
    CHECK_SPAN(result.patient.sex, "M");
    store_close(store);
    arena_free(arena);
}

/* Two people whom a question fits: neither is given. A document that fits both is a third. */
static void
ambiguity_is_never_a_guess(void)
{
    char path[512];
    struct arena *arena = new_arena();
    struct store *store = fixture_open(fixture_path(path), NULL);
    const struct patient one =
        fixture_patient(arena, "Everyman,Adam", "19621022", "M", "2.999.5:26604");
    const struct patient two =
        fixture_patient(arena, "Everyman,Adam+TOC", "19621022", "M", "2.999.5:26620");
    const struct patient three = fixture_patient(arena, "Everyman,Adam", "19621022", "M", NULL);
    struct store_match_result result;

    (void)fixture_put(store, arena, &one, "one");
    (void)fixture_put(store, arena, &two, "two");
    CU_ASSERT(fixture_count(store).patients == 2);
    CU_ASSERT(match(store, arena, "Everyman,Adam", "19621022", "M", NULL, &result) ==
              STORE_MATCH_AMBIGUOUS);
    CU_ASSERT(result.patient.ids.n == 0);
    CU_ASSERT(strstr(result.rule, "several") != NULL);
    CU_ASSERT(match(store, arena, "Everyman,Adam", "19621022", "M", "2.999.5:26620", &result) ==
              STORE_MATCH_ONE);
    CU_ASSERT(fixture_put(store, arena, &three, "three").is_new_patient);
    CU_ASSERT(fixture_count(store).patients == 3);
    CU_ASSERT(fixture_count(store).unreliable_ids == 0);
    store_close(store);
    arena_free(arena);
}

/* What a second document says of a person is joined, and is found afterwards. */
static void
documents_of_one_person_are_joined(void)
{
    char path[512];
    struct arena *arena = new_arena();
    struct store *store = fixture_open(fixture_path(path), NULL);
    const struct patient first = fixture_patient(arena, "Smith,Ann", "19470501", "", "2.999.5:1");
    struct patient second = fixture_patient(arena, "SMITH,Ann", "19470501", "F", "2.999.6:7");
    const struct person_name married = {.family = SPAN("Jones"),
                                        .given = second.names.items[0].given};
    const struct telecom telecom = {SPAN("tel:+15550100"), SPAN("HP")};
    struct address address = {.city = SPAN("Portland"), .state = SPAN("OR")};
    const struct span lines[] = {SPAN("1 High Street"), SPAN("Flat 2")};
    struct store_match_result result;
    struct diag diag = {0};

    address.street = (struct span_list){(struct span *)lines, 2, 2};
    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &second.names, married));
    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &second.telecoms, telecom));
    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &second.telecoms, telecom));
    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &second.addresses, address));
    (void)fixture_put(store, arena, &first, "first");
    CU_ASSERT(!fixture_put(store, arena, &second, "second").is_new_patient);
    CU_ASSERT(fixture_count(store).patients == 1);
    CU_ASSERT(match(store, arena, "Jones,Ann", "19470501", "F", NULL, &result) == STORE_MATCH_ONE);
    CU_ASSERT(result.patient.ids.n == 3);
    CU_ASSERT(result.patient.names.n == 2);
    CU_ASSERT(result.patient.telecoms.n == 1);
    CU_ASSERT_FATAL(result.patient.addresses.n == 1);
    CU_ASSERT_FATAL(result.patient.addresses.items[0].street.n == 2);
    CHECK_SPAN(result.patient.addresses.items[0].street.items[1], "Flat 2");
    CHECK_SPAN(result.patient.sex, "F");
    store_close(store);
    arena_free(arena);
}

/* Ids that different people carry: neither given out nor used, from the second person on. */
static void
shared_ids_are_not_believed(void)
{
    char path[512];
    struct arena *arena = new_arena();
    struct store *store = fixture_open(fixture_path(path), NULL);
    const struct patient myra =
        fixture_patient(arena, "Jones,Myra", "19470501", "F", "2.16.840.1.113883.4.1:123-101-5230");
    const struct patient isabella = fixture_patient(arena, "Jones,Isabella", "19470501", "F",
                                                    "2.16.840.1.113883.4.1:1231015230");
    struct store_match_result result;

    (void)fixture_put(store, arena, &myra, "myra");
    CU_ASSERT(match(store, arena, "Jones,Myra", "19470501", "F", NULL, &result) == STORE_MATCH_ONE);
    CU_ASSERT(result.patient.ids.n == 2);
    CU_ASSERT(match(store, arena, "Jones,Myra", "19470501", "F",
                    "2.16.840.1.113883.4.1:999-99-9998", &result) == STORE_MATCH_NONE);
    /* ... but what is nobody's number contradicts nobody's. */
    CU_ASSERT(match(store, arena, "Jones,Myra", "19470501", "F",
                    "2.16.840.1.113883.4.1:999-99-9999", &result) == STORE_MATCH_ONE);

    (void)fixture_put(store, arena, &isabella, "isabella");
    CU_ASSERT(fixture_count(store).patients == 2);
    CU_ASSERT(fixture_count(store).unreliable_ids == 1);
    CU_ASSERT(match(store, arena, "Jones,Myra", "19470501", "F",
                    "2.16.840.1.113883.4.1:999-99-9998", &result) == STORE_MATCH_ONE);
    CU_ASSERT(result.patient.ids.n == 1);
    CU_ASSERT(match(store, arena, "Jones,Isabella", "19470501", "F",
                    "2.16.840.1.113883.4.1:123101-5230", &result) == STORE_MATCH_ONE);
    CU_ASSERT(result.patient.ids.n == 1);
    store_close(store);
    arena_free(arena);
}

/* Two records of what may be one person do not make an id doubtful. */
static void
an_ambiguous_record_does_not_spoil_an_id(void)
{
    char path[512];
    struct arena *arena = new_arena();
    struct store *store = fixture_open(fixture_path(path), NULL);
    const struct patient q = fixture_patient(arena, "Jones,Ann+Q", "19470501", "F", NULL);
    const struct patient r = fixture_patient(arena, "Jones,Ann+R", "19470501", "F", "2.999.5:7");
    const struct patient ann = fixture_patient(arena, "Jones,Ann", "19470501", "F", "2.999.5:7");
    const struct patient initial = fixture_patient(arena, "Jones,A", "19470501", "F", "2.999.5:7");

    (void)fixture_put(store, arena, &q, "q");
    (void)fixture_put(store, arena, &r, "r");
    CU_ASSERT(fixture_put(store, arena, &ann, "ann").is_new_patient);
    CU_ASSERT(fixture_put(store, arena, &initial, "initial").is_new_patient);
    CU_ASSERT(fixture_count(store).patients == 4);
    CU_ASSERT(fixture_count(store).unreliable_ids == 0);
    store_close(store);
    arena_free(arena);
}

static void
only_our_own_ids_are_known(void)
{
    char path[512];
    struct arena *arena = new_arena();
    struct store *store = fixture_open(fixture_path(path), NULL);
    const struct patient ann = fixture_patient(arena, "Jones,Ann", "19470501", "F", "2.999.5:1");
    const struct store_put_result put = fixture_put(store, arena, &ann, "ann");
    struct ident own = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, ident_read_cx(put.patient_id, &diag, &own));
    const struct {
        struct ident id;
        bool want;
    } rows[] = {
        {{SPAN("2.999.5"), SPAN("1"), SPAN_EMPTY}, false},
        {{SPAN(FIXTURE_AUTHORITY), SPAN("1"), SPAN_EMPTY}, false},
        {{SPAN(FIXTURE_AUTHORITY), SPAN_EMPTY, SPAN_EMPTY}, false},
        {{SPAN("2.999.5"), own.extension, SPAN_EMPTY}, false},
        {own, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum answer answer = ANSWER_LATER;
        bool is_known = !rows[i].want;

        CHECK_OK(&diag, store_knows_patient(store, &rows[i].id, NULL, &diag, &answer, &is_known));
        CU_ASSERT(is_known == rows[i].want);
    }
    store_close(store);
    arena_free(arena);
}

static const struct unit_test tests[] = {
    {"people are found or not", people_are_found_or_not},
    {"ambiguity is never a guess", ambiguity_is_never_a_guess},
    {"documents of one person are joined", documents_of_one_person_are_joined},
    {"shared ids are not believed", shared_ids_are_not_believed},
    {"an ambiguous record does not spoil an id", an_ambiguous_record_does_not_spoil_an_id},
    {"only our own ids are known", only_our_own_ids_are_known},
};

UNIT_MAIN("store-people", tests)
