/*
 * store_ask: every stored query over one shelf of sets, documents, folders and associations of ann,
 * and one document of bob. A row is a question and the names of what is found, by kind.
 */
#include "tests/unit/registry_kit.h"

#include <stdio.h>
#include <string.h>

/* Names: sets S1 S2 S3, documents A (stable, in folder F), B (replaces A, so in F, too), C
 * (appended to B, R-confidential, format g), O (on-demand), T (snapshot of O); folders F, G;
 * associations are told by their type's last word and ends, as in "RPLC:B>A". */
#define UUIDS_MAX 16
struct named {
    const char *name;
    struct span uuid;
};
struct world {
    struct shelf shelf;
    struct named named[UUIDS_MAX];
    size_t n;
};

static void
name(struct world *world, const char *name, struct span uuid)
{
    CU_ASSERT_FATAL(world->n < UUIDS_MAX);
    world->named[world->n++] = (struct named){name, uuid};
}

static struct span
uuid_of(const struct world *world, const char *name)
{
    for (size_t i = 0; i < world->n; i++) {
        if (strcmp(world->named[i].name, name) == 0) {
            return world->named[i].uuid;
        }
    }
    return span_of_cstr(name);
}

static const char *
name_of(const struct world *world, struct span uuid)
{
    for (size_t i = 0; i < world->n; i++) {
        if (span_eq(world->named[i].uuid, uuid)) {
            return world->named[i].name;
        }
    }
    return "?";
}

static void
first_submission(struct world *world)
{
    struct shelf *shelf = &world->shelf;
    struct kit kit;
    struct diag diag = {0};

    kit_begin(&kit, shelf);
    kit_set(&kit)->submission_time = SPAN("20240101");
    kit_set(&kit)->unique_id = SPAN("2.999.40.1");
    struct document_entry *a = kit_document(&kit, "A", "2.999.41.1", "A");
    a->creation_time = SPAN("2020");
    CHECK_OK(&diag, ARENA_PUSH(shelf->arena, &diag, &a->reference_ids, SPAN("r1^^^^urn:x")));
    CHECK_OK(&diag, ARENA_PUSH(shelf->arena, &diag, &a->reference_ids, SPAN("r2^^^^urn:x")));
    (void)kit_folder(&kit, "F", "2.999.42.1");
    kit_associate(&kit, ASSOCIATION_HAS_MEMBER, "F", "A")->entry_uuid = SPAN("F>A");
    (void)kit_associate(&kit, ASSOCIATION_HAS_MEMBER, "set", "F>A");
    const struct registry_objects stored = kit_store(&kit);

    name(world, "S1", stored.submission_sets.items[0].entry_uuid);
    name(world, "A", stored.documents.items[0].entry_uuid);
    name(world, "F", stored.folders.items[0].entry_uuid);
    for (size_t i = 0; i < stored.associations.n; i++) {
        if (span_eq(stored.associations.items[i].source, uuid_of(world, "F"))) {
            name(world, "FA", stored.associations.items[i].entry_uuid);
        }
    }
}

static void
second_submission(struct world *world)
{
    const struct code restricted = {SPAN("R"), SPAN("2.16.840.1.113883.5.25"), SPAN_EMPTY};
    const struct code other = {SPAN("b"), SPAN("2.999.9"), SPAN_EMPTY};
    struct shelf *shelf = &world->shelf;
    struct kit kit;
    struct diag diag = {0};

    kit_begin(&kit, shelf);
    kit_set(&kit)->submission_time = SPAN("20240201");
    kit_set(&kit)->source_id = SPAN("2.999.66");
    kit_set(&kit)->content_type = other;
    kit_set(&kit)->authors.items[0].person = SPAN("^Khan^Samir");
    struct document_entry *b = kit_document(&kit, "B", "2.999.41.2", "B");
    b->creation_time = SPAN("2021");
    CHECK_OK(&diag, ARENA_PUSH(shelf->arena, &diag, &b->reference_ids, SPAN("r2^^^^urn:x")));
    (void)kit_associate(&kit, ASSOCIATION_REPLACE, "B", uuid_of(world, "A").p);
    struct registry_objects stored = kit_store(&kit);
    name(world, "S2", stored.submission_sets.items[0].entry_uuid);
    name(world, "B", stored.documents.items[0].entry_uuid);

    kit_begin(&kit, shelf);
    kit_set(&kit)->submission_time = SPAN("20240301");
    struct document_entry *c = kit_document(&kit, "C", "2.999.41.3", "C");
    c->creation_time = SPAN("2022");
    c->format_code.value = SPAN("g");
    c->confidentiality.n = 0;
    CHECK_OK(&diag, ARENA_PUSH(shelf->arena, &diag, &c->confidentiality, restricted));
    struct document_entry *o = kit_document(&kit, "O", "2.999.41.4", NULL);
    o->object_type = SPAN(DOCUMENT_ON_DEMAND);
    o->creation_time = SPAN_EMPTY;
    kit_document(&kit, "T", "2.999.41.5", "T")->creation_time = SPAN("2023");
    struct folder *g = kit_folder(&kit, "G", "2.999.42.2");
    CHECK_OK(&diag, ARENA_PUSH(shelf->arena, &diag, &g->codes, other));
    (void)kit_associate(&kit, ASSOCIATION_APPEND, "C", uuid_of(world, "B").p);
    (void)kit_associate(&kit, ASSOCIATION_SNAPSHOT, "T", "O");
    (void)kit_associate(&kit, ASSOCIATION_HAS_MEMBER, "G", "C");
    stored = kit_store(&kit);
    name(world, "S3", stored.submission_sets.items[0].entry_uuid);
    name(world, "C", stored.documents.items[0].entry_uuid);
    name(world, "O", stored.documents.items[1].entry_uuid);
    name(world, "T", stored.documents.items[2].entry_uuid);
    name(world, "G", stored.folders.items[0].entry_uuid);
}

static void
open_world(struct world *world)
{
    struct shelf *shelf = &world->shelf;

    memset(world, 0, sizeof(*world));
    kit_open(shelf);
    first_submission(world);
    second_submission(world);
    /* what was imported is not in the rows */
    kit_sql(shelf->path, "DELETE FROM associations WHERE source IN (SELECT entry_uuid FROM packages"
                         " WHERE source_id = '" FIXTURE_REPOSITORY "');"
                         "DELETE FROM contents WHERE document < 3; "
                         "DELETE FROM document_codes WHERE document < 3;"
                         "DELETE FROM documents WHERE id < 3;"
                         "DELETE FROM package_codes WHERE package < 3;"
                         "DELETE FROM packages WHERE id < 3");
}

/* ---- questions ---- */

static void
push(struct world *world, struct span_list *list, struct span text)
{
    struct diag diag = {0};

    CHECK_OK(&diag, ARENA_PUSH(world->shelf.arena, &diag, list, text));
}

static void
push_code_list(struct world *world, struct span codes, struct code_list_set *set)
{
    struct code_list list = {0};
    struct code code = {SPAN_EMPTY, SPAN("2.999.9"), SPAN_EMPTY};
    struct diag diag = {0};

    while (codes.n > 0 && span_split(&codes, '+', &code.value)) {
        code.scheme = span_eq_cstr(code.value, "R") || span_eq_cstr(code.value, "N")
                          ? SPAN("2.16.840.1.113883.5.25")
                          : SPAN("2.999.9");
        CHECK_OK(&diag, ARENA_PUSH(world->shelf.arena, &diag, &list, code));
    }
    CHECK_OK(&diag, ARENA_PUSH(world->shelf.arena, &diag, set, list));
}

/* One "key=value+value". */
static void
read_pair(struct world *world, struct span key, struct span values, struct store_question *q)
{
    struct code_list_set codes = {0};
    struct span_list texts = {0};
    struct span rest = values, text;
    struct diag diag = {0};

    while (rest.n > 0 && span_split(&rest, '+', &text)) {
        push(world, &texts,
             span_eq_cstr(text, "A!")       ? SPAN(DOCUMENT_APPROVED)
             : span_eq_cstr(text, "D!")     ? SPAN(DOCUMENT_DEPRECATED)
             : span_eq_cstr(text, "stable") ? SPAN(DOCUMENT_STABLE)
             : span_eq_cstr(text, "demand")
                 ? SPAN(DOCUMENT_ON_DEMAND)
                 : uuid_of(world, kit_span(&world->shelf, "%.*s", SPAN_PRINT(text)).p));
    }
    push_code_list(world, values, &codes);
    if (span_eq_cstr(key, "id")) {
        q->entry_uuids = texts;
    } else if (span_eq_cstr(key, "unique")) {
        q->unique_ids = texts;
    } else if (span_eq_cstr(key, "status")) {
        q->filter.status = texts;
    } else if (span_eq_cstr(key, "types")) {
        q->filter.object_types = texts;
    } else if (span_eq_cstr(key, "format")) {
        q->filter.format_codes = codes.items[0];
    } else if (span_eq_cstr(key, "conf")) {
        CHECK_OK(&diag,
                 ARENA_PUSH(world->shelf.arena, &diag, &q->filter.confidentiality, codes.items[0]));
    } else if (span_eq_cstr(key, "created>")) {
        q->filter.creation_from = values;
    } else if (span_eq_cstr(key, "created<")) {
        q->filter.creation_to = values;
    } else if (span_eq_cstr(key, "reference")) {
        CHECK_OK(&diag, ARENA_PUSH(world->shelf.arena, &diag, &q->reference_ids, texts));
    } else if (span_eq_cstr(key, "set")) {
        q->set_status = texts;
    } else if (span_eq_cstr(key, "source")) {
        q->source_ids = texts;
    } else if (span_eq_cstr(key, "submitted>")) {
        q->submitted_from = values;
    } else if (span_eq_cstr(key, "submitted<")) {
        q->submitted_to = values;
    } else if (span_eq_cstr(key, "author")) {
        q->set_author = values;
    } else if (span_eq_cstr(key, "content")) {
        q->content_types = codes.items[0];
    } else if (span_eq_cstr(key, "folder")) {
        q->folder_status = texts;
    } else if (span_eq_cstr(key, "updated>")) {
        q->updated_from = values;
    } else if (span_eq_cstr(key, "updated<")) {
        q->updated_to = values;
    } else if (span_eq_cstr(key, "code")) {
        CHECK_OK(&diag, ARENA_PUSH(world->shelf.arena, &diag, &q->folder_codes, codes.items[0]));
    } else if (span_eq_cstr(key, "assoc")) {
        q->association_types = texts;
    } else {
        CU_FAIL("a row has an unknown key");
    }
}

/* "documents | sets | folders | associations", each in the answer's order. */
static void
tell(const struct world *world, const struct registry_objects *found, char *text, size_t size)
{
    size_t n = 0;

#define TELL(...) n += (size_t)snprintf(text + n, size - n, __VA_ARGS__)
    text[0] = '\0';
    for (size_t i = 0; i < found->documents.n; i++) {
        TELL("%s ", name_of(world, found->documents.items[i].entry_uuid));
    }
    TELL("|");
    for (size_t i = 0; i < found->submission_sets.n; i++) {
        TELL(" %s", name_of(world, found->submission_sets.items[i].entry_uuid));
    }
    TELL(" |");
    for (size_t i = 0; i < found->folders.n; i++) {
        TELL(" %s", name_of(world, found->folders.items[i].entry_uuid));
    }
    TELL(" |");
    for (size_t i = 0; i < found->associations.n; i++) {
        const struct association *a = &found->associations.items[i];
        const char *type = strrchr(a->type.p, ':') + 1;

        TELL(" %s%s%s>%s", strcmp(type, "HasMember") == 0 ? "" : type,
             strcmp(type, "HasMember") == 0 ? "" : ":", name_of(world, a->source),
             name_of(world, a->target));
        CHECK_SPAN(a->home, "urn:oid:" FIXTURE_COMMUNITY);
    }
#undef TELL
}

static const struct {
    enum store_question_kind kind;
    const char *question, *want;
} rows[] = {
    /* nothing that is there */
    {STORE_GET_DOCUMENTS, "", "| | |"},
    {STORE_GET_DOCUMENTS, "id=x", "| | |"},
    {STORE_GET_DOCUMENTS, "id=F", "| | |"},
    {STORE_GET_FOLDERS, "id=A", "| | |"},
    {STORE_GET_FOLDERS, "unique=2.999.40.1", "| | |"},
    {STORE_GET_ASSOCIATIONS, "id=x", "| | |"},
    {STORE_GET_SUBMISSION_SETS, "id=x", "| | |"},
    {STORE_GET_SUBMISSION_SET_AND_CONTENTS, "id=F", "| | |"},
    {STORE_GET_FOLDER_AND_CONTENTS, "id=S1", "| | |"},
    {STORE_GET_FOLDERS_FOR_DOCUMENT, "id=O", "| | |"},
    {STORE_GET_RELATED_DOCUMENTS, "id=A;assoc=" ASSOCIATION_APPEND, "| | |"},
    {STORE_GET_RELATED_DOCUMENTS, "id=A;assoc=" ASSOCIATION_HAS_MEMBER, "| | |"},
    /* by patient */
    {STORE_FIND_DOCUMENTS, "status=A!", "B C T | | |"},
    {STORE_FIND_DOCUMENTS, "status=A!+D!", "A B C T | | |"},
    {STORE_FIND_DOCUMENTS, "status=D!", "A | | |"},
    {STORE_FIND_DOCUMENTS, "status=A!;types=demand", "O | | |"},
    {STORE_FIND_DOCUMENTS, "status=A!;types=demand+stable", "O B C T | | |"},
    {STORE_FIND_DOCUMENTS, "status=A!;types=demand;created>=2022", "O | | |"},
    {STORE_FIND_DOCUMENTS, "status=A!;created>=2022", "C T | | |"},
    {STORE_FIND_DOCUMENTS, "status=A!;created>=2021;created<=2022", "B | | |"},
    {STORE_FIND_DOCUMENTS, "status=A!;reference=r9^^^^urn:x", "B C T | | |"}, /* not looked at */
    {STORE_FIND_BY_REFERENCE_ID, "status=A!+D!;reference=r2^^^^urn:x", "A B | | |"},
    {STORE_FIND_BY_REFERENCE_ID, "status=A!+D!;reference=r1^^^^urn:x+r2^^^^urn:x", "A B | | |"},
    {STORE_FIND_BY_REFERENCE_ID, "status=A!+D!;reference=r1^^^^urn:x;reference=r2^^^^urn:x",
     "A | | |"},
    {STORE_FIND_BY_REFERENCE_ID, "status=A!+D!;reference=r1", "| | |"},
    {STORE_FIND_BY_REFERENCE_ID, "status=A!;reference=r1^^^^urn:x", "| | |"},
    {STORE_FIND_SUBMISSION_SETS, "set=A!", "| S1 S2 S3 | |"},
    {STORE_FIND_SUBMISSION_SETS, "set=D!", "| | |"},
    {STORE_FIND_SUBMISSION_SETS, "set=A!;source=2.999.66", "| S2 | |"},
    {STORE_FIND_SUBMISSION_SETS, "set=A!;source=2.999.66+2.999.6", "| S1 S2 S3 | |"},
    {STORE_FIND_SUBMISSION_SETS, "set=A!;submitted>=20240201", "| S2 S3 | |"},
    {STORE_FIND_SUBMISSION_SETS, "set=A!;submitted<=202402", "| S1 | |"},
    {STORE_FIND_SUBMISSION_SETS, "set=A!;submitted>=2024;submitted<=20240301", "| S1 S2 | |"},
    {STORE_FIND_SUBMISSION_SETS, "set=A!;author=%Khan%", "| S2 | |"},
    {STORE_FIND_SUBMISSION_SETS, "set=A!;author=Khan", "| | |"},
    {STORE_FIND_SUBMISSION_SETS, "set=A!;content=b", "| S2 | |"},
    {STORE_FIND_SUBMISSION_SETS, "set=A!;content=a+b", "| S1 S2 S3 | |"},
    {STORE_FIND_SUBMISSION_SETS, "set=A!;content=N", "| | |"},
    {STORE_FIND_FOLDERS, "folder=A!", "| | F G |"},
    {STORE_FIND_FOLDERS, "folder=D!", "| | |"},
    {STORE_FIND_FOLDERS, "folder=A!;code=b", "| | G |"},
    {STORE_FIND_FOLDERS, "folder=A!;code=a;code=b", "| | G |"},
    {STORE_FIND_FOLDERS, "folder=A!;code=a+b", "| | F G |"},
    {STORE_FIND_FOLDERS, "folder=A!;updated>=2100", "| | |"},
    {STORE_FIND_FOLDERS, "folder=A!;updated<=2020", "| | |"},
    {STORE_GET_ALL, "status=A!;set=A!;folder=A!",
     "B C T | S1 S2 S3 | F G | S1>A S1>F F>A S1>FA S2>B RPLC:B>A F>B S3>C S3>O S3>T S3>G APND:C>B "
     "IsSnapshotOf:T>O G>C"},
    {STORE_GET_ALL, "status=A!;set=D!;folder=D!;format=g", "C | | | S3>C APND:C>B G>C"},
    {STORE_GET_ALL, "status=A!;set=D!;folder=D!;conf=R", "C | | | S3>C APND:C>B G>C"},
    {STORE_GET_ALL, "status=A!;set=D!;folder=D!;types=demand", "O | | | S3>O IsSnapshotOf:T>O"},
    {STORE_GET_ALL, "status=D!;set=D!;folder=D!;author=x;created>=2100",
     "A | | | S1>A F>A RPLC:B>A"}, /* members that it does not name are not looked at */
    /* by ids */
    {STORE_GET_DOCUMENTS, "id=A+O+x", "A O | | |"},
    {STORE_GET_DOCUMENTS, "unique=2.999.41.2+2.999.41.1", "A B | | |"},
    {STORE_GET_FOLDERS, "id=F+G", "| | F G |"},
    {STORE_GET_FOLDERS, "unique=2.999.42.2", "| | G |"},
    {STORE_GET_ASSOCIATIONS, "id=B", "| | | S2>B RPLC:B>A F>B APND:C>B"},
    {STORE_GET_ASSOCIATIONS, "id=FA", "| | | S1>FA"},
    {STORE_GET_DOCUMENTS_AND_ASSOCIATIONS, "id=A", "A | | | S1>A F>A RPLC:B>A"},
    {STORE_GET_DOCUMENTS_AND_ASSOCIATIONS, "unique=2.999.41.4", "O | | | S3>O IsSnapshotOf:T>O"},
    {STORE_GET_SUBMISSION_SETS, "id=A", "| S1 | | S1>A"},
    {STORE_GET_SUBMISSION_SETS, "id=A+B+G", "| S1 S2 S3 | | S1>A S2>B S3>G"},
    {STORE_GET_SUBMISSION_SETS, "id=FA", "| S1 | | S1>FA"},
    {STORE_GET_SUBMISSION_SET_AND_CONTENTS, "id=S1", "A | S1 | F | S1>A S1>F S1>FA F>A"},
    {STORE_GET_SUBMISSION_SET_AND_CONTENTS, "unique=2.999.40.1",
     "A | S1 | F | S1>A S1>F S1>FA F>A"},
    {STORE_GET_SUBMISSION_SET_AND_CONTENTS, "id=S1;format=g", "| S1 | F | S1>F S1>FA"},
    {STORE_GET_SUBMISSION_SET_AND_CONTENTS, "id=S3", "C T | S3 | G | S3>C S3>T S3>G"},
    {STORE_GET_SUBMISSION_SET_AND_CONTENTS, "id=S3;types=demand", "O | S3 | G | S3>O S3>G"},
    {STORE_GET_SUBMISSION_SET_AND_CONTENTS, "id=S3;conf=R", "C | S3 | G | S3>C S3>G"},
    {STORE_GET_SUBMISSION_SET_AND_CONTENTS, "id=S3;conf=R;conf=N", "| S3 | G | S3>G"},
    {STORE_GET_FOLDER_AND_CONTENTS, "id=F", "A B | | F | F>A F>B"},
    {STORE_GET_FOLDER_AND_CONTENTS, "unique=2.999.42.2", "C | | G | G>C"},
    {STORE_GET_FOLDER_AND_CONTENTS, "id=G;conf=N", "| | G |"},
    {STORE_GET_FOLDERS_FOR_DOCUMENT, "id=B", "| | F |"},
    {STORE_GET_FOLDERS_FOR_DOCUMENT, "unique=2.999.41.3", "| | G |"},
    {STORE_GET_RELATED_DOCUMENTS, "id=B;assoc=" ASSOCIATION_REPLACE, "A B | | | RPLC:B>A"},
    {STORE_GET_RELATED_DOCUMENTS, "unique=2.999.41.1;assoc=" ASSOCIATION_REPLACE,
     "B A | | | RPLC:B>A"},
    {STORE_GET_RELATED_DOCUMENTS, "id=B;assoc=" ASSOCIATION_REPLACE "+" ASSOCIATION_APPEND,
     "A C B | | | RPLC:B>A APND:C>B"},
    {STORE_GET_RELATED_DOCUMENTS, "id=O;assoc=" ASSOCIATION_SNAPSHOT, "T O | | | IsSnapshotOf:T>O"},
    {STORE_GET_RELATED_DOCUMENTS, "id=T;assoc=" ASSOCIATION_SNAPSHOT, "| | |"},
    {STORE_GET_RELATED_DOCUMENTS, "id=T;types=demand;assoc=" ASSOCIATION_SNAPSHOT,
     "O T | | | IsSnapshotOf:T>O"},
};

static struct status
ask(struct world *world, const struct store_question *question, struct diag *diag,
    struct registry_objects *ret_found)
{
    enum answer answer = ANSWER_LATER;
    const struct status st =
        store_ask(world->shelf.store, question, NULL, world->shelf.arena, diag, &answer, ret_found);

    CU_ASSERT(!is_ok(st) || answer == ANSWER_NOW);
    return st;
}

static struct store_question
read_question(struct world *world, enum store_question_kind kind, const char *text)
{
    struct store_question question = {.kind = kind, .filter = {.patient_id = world->shelf.ann_id}};
    struct span rest = span_of_cstr(text), pair;

    while (rest.n > 0 && span_split(&rest, ';', &pair)) {
        const size_t equals = span_find_char(pair, '=');

        read_pair(world, span_slice(pair, 0, equals), span_slice(pair, equals + 1, SIZE_MAX),
                  &question);
    }
    return question;
}

static void
every_question(void)
{
    struct world world;

    open_world(&world);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct store_question question =
            read_question(&world, rows[i].kind, rows[i].question);
        struct registry_objects found = {.documents = {0}};
        char text[600];
        struct diag diag = {0};

        CHECK_OK(&diag, ask(&world, &question, &diag, &found));
        tell(&world, &found, text, sizeof(text));
        if (strcmp(text, rows[i].want) != 0) {
            (void)printf("      %d '%s': wanted %s, got %s\n", (int)rows[i].kind, rows[i].question,
                         rows[i].want, text);
        }
        CU_ASSERT_STRING_EQUAL(text, rows[i].want);
    }
    kit_close(&world.shelf);
}

/* Nobody's id, a source's, another patient's: nothing of ann's. */
static void
other_patients(void)
{
    static const enum store_question_kind kinds[] = {
        STORE_FIND_DOCUMENTS, STORE_FIND_SUBMISSION_SETS, STORE_FIND_FOLDERS, STORE_GET_ALL};
    struct world world;
    struct ident ids[3] = {{SPAN(FIXTURE_AUTHORITY), SPAN("x"), SPAN_EMPTY}};
    struct diag diag = {0};

    open_world(&world);
    ids[1] = world.shelf.ann_source;
    CHECK_OK(&diag, ident_read_cx(world.shelf.bob, &diag, &ids[2]));
    for (size_t i = 0; i < ARRAY_LEN(kinds) * ARRAY_LEN(ids); i++) {
        const struct store_question question = {
            .kind = kinds[i / ARRAY_LEN(ids)],
            .filter = {.patient_id = ids[i % ARRAY_LEN(ids)]},
        };
        struct registry_objects found = {.documents = {0}};

        CHECK_OK(&diag, ask(&world, &question, &diag, &found));
        CU_ASSERT(found.documents.n == 0 && found.submission_sets.n == 0 && found.folders.n == 0 &&
                  found.associations.n == 0);
    }
    kit_close(&world.shelf);
}

static void
times_that_are_none(void)
{
    static const struct {
        enum store_question_kind kind;
        const char *question;
    } bad[] = {{STORE_FIND_SUBMISSION_SETS, "submitted>=x"},
               {STORE_FIND_SUBMISSION_SETS, "submitted<=202"},
               {STORE_FIND_FOLDERS, "updated>=20241301"},
               {STORE_FIND_FOLDERS, "updated<=2024-01"},
               {STORE_FIND_DOCUMENTS, "status=A!;created>=1"}};
    struct world world;

    open_world(&world);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const struct store_question question = read_question(&world, bad[i].kind, bad[i].question);
        struct registry_objects found = {.documents = {0}};
        struct diag diag = {0};

        CHECK_ERR(&diag, ERR_MESSAGE_CONTENT, ask(&world, &question, &diag, &found));
    }
    kit_close(&world.shelf);
}

/* More than one answer holds: an error, and the last that fits does. */
static void
too_many(void)
{
    static const char fill[] =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
        " INSERT INTO packages (kind, patient, entry_uuid, lid, unique_id, source_id, time,"
        " time_key, status, title, comments, target_home, is_limited, has_slots, added_us)"
        " SELECT 1, (SELECT min(id) FROM patients), 'u' || %d || '.' || i, '', '', '', '', '', 'A',"
        " '', '', '', 0, 0, 0 FROM n";
    struct world world;
    struct registry_objects found = {.documents = {0}};
    struct diag diag = {0};
    char sql[1000];

    open_world(&world);
    const struct store_question question = read_question(&world, STORE_FIND_SUBMISSION_SETS, "");
    (void)snprintf(sql, sizeof(sql), fill, 1997, 0); /* with S1, S2, S3: 2000 */
    kit_sql(world.shelf.path, sql);
    CHECK_OK(&diag, ask(&world, &question, &diag, &found));
    CU_ASSERT_EQUAL(found.submission_sets.n, 2000);
    (void)snprintf(sql, sizeof(sql), fill, 1, 1);
    kit_sql(world.shelf.path, sql);
    CHECK_ERR(&diag, ERR_LIMIT_RESULTS, ask(&world, &question, &diag, &found));
    CHECK_SPAN(span_of_cstr(err_ihe_code(ERR_LIMIT_RESULTS)), "XDSTooManyResults");
    kit_close(&world.shelf);
}

/* What is imported is in a SubmissionSet of its own. */
static void
imports_have_a_set(void)
{
    struct shelf shelf;
    struct registry_objects found = {.documents = {0}};
    enum answer answer = ANSWER_LATER;
    struct diag diag = {0};

    kit_open(&shelf);
    const struct store_question all = {.kind = STORE_GET_ALL,
                                       .filter = {.patient_id = shelf.ann_id}};
    CHECK_OK(&diag, store_ask(shelf.store, &all, NULL, shelf.arena, &diag, &answer, &found));
    CU_ASSERT_FATAL(found.documents.n == 1 && found.submission_sets.n == 1 &&
                    found.associations.n == 1);
    CHECK_SPAN(found.submission_sets.items[0].source_id, FIXTURE_REPOSITORY);
    CHECK_SPAN(found.submission_sets.items[0].content_type.value, "c");
    CHECK_SPAN(found.associations.items[0].submission_set_status, "Original");
    CU_ASSERT(
        span_eq(found.associations.items[0].source, found.submission_sets.items[0].entry_uuid));
    CU_ASSERT(span_eq(found.associations.items[0].target, found.documents.items[0].entry_uuid));
    kit_close(&shelf);
}

static const struct unit_test tests[] = {
    {"times that are none", times_that_are_none},
    {"too many", too_many},
    {"other patients", other_patients},
    /* REQ: SQ-find-submission-sets, SQ-get-all, SQ-get-related-documents, SQ-on-demand */
    {"every question", every_question},
    {"imports have a set", imports_have_a_set},
};

UNIT_MAIN("registry_ask", tests)
