/*
 * FindDocuments and GetDocuments of the store: every filter, over five documents of one patient and
 * one of another. Each row is a filter in a short spelling and the wanted titles.
 */
#include "store/store.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/store_fixture.h"

#define SCHEME "2.999.9"

/* A document: "title|creation|start|stop|class|type|format|facility|practice|confidentiality+...
 * |events+...|authors+..."; each of class to events is a code in SCHEME. */
static const char *const documents[] = {
    "A|2005|||c1|t1|f1|h1|p1|N|e1+e2|^Seven^Henry^^^Dr",
    "B|20130701103445|20130601|20130630|c1|t2|f1|h1|p1|R||^Khan^Samir+^Jones^Ann",
    "C|20130701103446|20130630235959|20130701|c2|t2|f2|h1|p2|N+R|e2|^seven%up^Henry",
    "D|201307|201401|201301|c2|t3|f2|h2|p2|V|e3|",
    "E|20140101000000||20140101|c3|t1|f1|h2|p1|N|e1|^Seven^Henrietta",
};

#define FIELDS_N 12

static void
push_codes(struct arena *arena, struct span codes, struct code_list *list)
{
    struct diag diag = {0};
    struct code code = {SPAN_EMPTY, SPAN(SCHEME), SPAN("display")};

    while (codes.n > 0 && span_split(&codes, '+', &code.value)) {
        CHECK_OK(&diag, ARENA_PUSH(arena, &diag, list, code));
    }
}

static struct document_entry
read_document(struct arena *arena, const char *text)
{
    struct document_entry entry = fixture_entry(arena);
    struct span rest = span_of_cstr(text), fields[FIELDS_N] = {SPAN_EMPTY}, item;
    struct diag diag = {0};

    for (size_t i = 0; i < FIELDS_N; i++) {
        (void)span_split(&rest, '|', &fields[i]);
    }
    entry.title = fields[0];
    entry.creation_time = fields[1];
    entry.service_start = fields[2];
    entry.service_stop = fields[3];
    entry.class_code.value = fields[4];
    entry.type_code.value = fields[5];
    entry.format_code.value = fields[6];
    entry.facility_type.value = fields[7];
    entry.practice_setting.value = fields[8];
    entry.confidentiality.n = 0;
    push_codes(arena, fields[9], &entry.confidentiality);
    push_codes(arena, fields[10], &entry.event_codes);
    while (fields[11].n > 0 && span_split(&fields[11], '+', &item)) {
        const struct author author = {.person = item, .role = SPAN("role")};

        CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &entry.authors, author));
    }
    return entry;
}

struct shelf {
    struct arena *arena;
    struct store *store;
    struct ident patient, other;
};

static struct store_put_result
put(struct shelf *shelf, const struct patient *patient, const char *text)
{
    const struct document_entry entry = read_document(shelf->arena, text);
    const struct store_document document = {
        .patient = patient, .entry = &entry, .bytes = span_of_cstr(text)};
    struct store_put_result result = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, store_put_document(shelf->store, &document, shelf->arena, &diag, &result));
    return result;
}

static void
fill_shelf(struct shelf *shelf)
{
    char path[512];
    struct store_put_result result = {0};
    struct diag diag = {0};

    shelf->arena = arena_new(ARENA_LIMIT_DEFAULT);
    CU_ASSERT_FATAL(shelf->arena != NULL);
    shelf->store = fixture_open(fixture_path(path), NULL);
    const struct patient ann = fixture_patient(shelf->arena, "Jones,Ann", "19470501", "F", NULL);
    const struct patient bob = fixture_patient(shelf->arena, "Jones,Bob", "19470501", "M", NULL);

    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        result = put(shelf, &ann, documents[i]);
    }
    CHECK_OK(&diag, ident_read_cx(result.patient_id, &diag, &shelf->patient));
    result = put(shelf, &bob, "X|2013|||c1|t1|f1|h1|p1|N||");
    CHECK_OK(&diag, ident_read_cx(result.patient_id, &diag, &shelf->other));
}

static void
empty_shelf(struct shelf *shelf)
{
    store_close(shelf->store);
    arena_free(shelf->arena);
}

/* ---- filters ---- */

/* "key=value+value;key=value": codes take SCHEME unless written code@scheme. A repeated event or
 * conf is a repeated slot. */
static const struct {
    const char *filter, *want; /* titles in the order of creation times */
} rows[] = {
    {"", "ADBCE"},
    {"class=c1", "AB"},
    {"class=c1+c3", "ABE"},
    {"class=c9", ""},
    {"class=c1@2.999.8", ""},
    {"class=c1@", "AB"}, /* no scheme asked: any */
    {"class=C1", ""},
    {"class=c1' OR '1'='1", ""},
    {"class=c1;type=t1", "A"},
    {"type=t1+t2", "ABCE"},
    {"format=f2", "DC"},
    {"facility=h2", "DE"},
    {"practice=p2", "DC"},
    {"practice=p1;facility=h2", "E"},
    {"conf=N", "ACE"},
    {"conf=N+R", "ABCE"},
    {"conf=N;conf=R", "C"},
    {"conf=N+V;conf=V+R", "DC"},
    {"conf=N;conf=N;conf=N", "ACE"},
    {"event=e1", "AE"},
    {"event=e1+e3", "ADE"},
    {"event=e1;event=e2", "A"},
    {"event=e1;event=e3", ""},
    {"event=", "ADBCE"}, /* a slot without values */
    {"author=^Seven%", "ACE"},
    {"author=%Henry%", "AC"},
    {"author=^Khan^%+^Jones^%", "B"},
    {"author=^Seven^Henry^^^Dr", "A"},
    {"author=%^_nn", "B"},
    {"author=%", "ABCE"}, /* whoever has an author */
    {"author=nobody", ""},
    {"created>=2005", "ADBCE"},
    {"created>=200501010000", "ADBCE"},
    {"created>=2013", "DBCE"},
    {"created>=20130701103445", "BCE"},
    {"created>=20130701103446", "CE"},
    {"created<20130701103446", "ADB"},
    {"created<2005", ""},
    {"created>=201307;created<201308", "DBC"},
    {"created>=2014;created<2013", ""},
    {"start>=20130602", "ADCE"}, /* A and E have none: not excluded */
    {"start<20130602", "ABE"},
    {"start>=20130601;start<20130601", "AE"},
    {"stop>=20130701", "ACE"},
    {"stop<20130701", "ADB"},
    {"stop>=2015", "A"},
    {"status=urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated", ""},
    {"status=urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated+" DOCUMENT_APPROVED, "ADBCE"},
    {"object=" DOCUMENT_ON_DEMAND, ""},
    {"object=" DOCUMENT_ON_DEMAND "+" DOCUMENT_STABLE, "ADBCE"},
    {"patient=other", "X"},
    {"patient=unknown", ""},
    {"patient=foreign", ""},
    {"class=c2;type=t2;format=f2;facility=h1;practice=p2;conf=R;event=e2;author=%Henry;"
     "created>=2013;created<2014;start>=2013;start<2014;stop>=2013;stop<2014",
     "C"},
};

static void
add_code(struct arena *arena, struct span value, struct code_list *list)
{
    struct diag diag = {0};
    struct code code = {.scheme = SPAN(SCHEME)};

    if (span_find_char(value, '@') != SPAN_MISSING) {
        (void)span_split(&value, '@', &code.value);
        code.scheme = value;
    } else {
        code.value = value;
    }
    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, list, code));
}

static void
add_codes(struct arena *arena, struct span values, struct code_list *list)
{
    struct span value;

    while (values.n > 0 && span_split(&values, '+', &value)) {
        add_code(arena, value, list);
    }
}

static void
add_slot(struct arena *arena, struct span values, struct code_list_set *set)
{
    struct diag diag = {0};
    struct code_list list = {0};

    add_codes(arena, values, &list);
    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, set, list));
}

static void
add_texts(struct arena *arena, struct span values, struct span_list *list)
{
    struct diag diag = {0};
    struct span value;

    while (values.n > 0 && span_split(&values, '+', &value)) {
        CHECK_OK(&diag, ARENA_PUSH(arena, &diag, list, value));
    }
}

static void
set_patient(const struct shelf *shelf, struct span who, struct ident *patient)
{
    if (span_eq(who, SPAN("other"))) {
        *patient = shelf->other;
    } else if (span_eq(who, SPAN("foreign"))) {
        patient->root = SPAN("2.999.77");
    } else {
        patient->extension = SPAN("nobody");
    }
}

static void
read_condition(const struct shelf *shelf, struct span text, struct store_filter *filter)
{
    const struct {
        const char *key;
        struct code_list *codes;
        struct code_list_set *slots;
        struct span_list *texts;
        struct span *time;
    } keys[] = {
        {"class=", &filter->class_codes, NULL, NULL, NULL},
        {"type=", &filter->type_codes, NULL, NULL, NULL},
        {"format=", &filter->format_codes, NULL, NULL, NULL},
        {"facility=", &filter->facility_types, NULL, NULL, NULL},
        {"practice=", &filter->practice_settings, NULL, NULL, NULL},
        {"conf=", NULL, &filter->confidentiality, NULL, NULL},
        {"event=", NULL, &filter->event_codes, NULL, NULL},
        {"author=", NULL, NULL, &filter->authors, NULL},
        {"status=", NULL, NULL, &filter->status, NULL},
        {"object=", NULL, NULL, &filter->object_types, NULL},
        {"created>=", NULL, NULL, NULL, &filter->creation_from},
        {"created<", NULL, NULL, NULL, &filter->creation_to},
        {"start>=", NULL, NULL, NULL, &filter->service_start_from},
        {"start<", NULL, NULL, NULL, &filter->service_start_to},
        {"stop>=", NULL, NULL, NULL, &filter->service_stop_from},
        {"stop<", NULL, NULL, NULL, &filter->service_stop_to},
        {"patient=", NULL, NULL, NULL, NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const size_t n = strlen(keys[i].key);
        const struct span value = span_slice(text, n, text.n);

        if (!span_starts_with(text, span_of_cstr(keys[i].key))) {
            continue;
        }
        if (keys[i].codes != NULL) {
            add_codes(shelf->arena, value, keys[i].codes);
        } else if (keys[i].slots != NULL) {
            add_slot(shelf->arena, value, keys[i].slots);
        } else if (keys[i].texts != NULL) {
            add_texts(shelf->arena, value, keys[i].texts);
        } else if (keys[i].time != NULL) {
            *keys[i].time = value;
        } else {
            set_patient(shelf, value, &filter->patient_id);
        }
        return;
    }
    CU_FAIL("a row has an unknown key");
}

static struct store_filter
read_filter(const struct shelf *shelf, const char *text)
{
    struct store_filter filter = {.patient_id = shelf->patient};
    struct span rest = span_of_cstr(text), condition;

    while (rest.n > 0 && span_split(&rest, ';', &condition)) {
        read_condition(shelf, condition, &filter);
    }
    if (filter.status.n == 0) {
        add_texts(shelf->arena, SPAN(DOCUMENT_APPROVED), &filter.status);
    }
    return filter;
}

static void
filters_restrict(void)
{
    struct shelf shelf;

    fill_shelf(&shelf);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct store_filter filter = read_filter(&shelf, rows[i].filter);
        struct document_list found = {0};
        enum answer answer = ANSWER_LATER;
        struct diag diag = {0};
        char titles[16] = "";

        CHECK_OK(&diag, store_find_documents(shelf.store, &filter, NULL, shelf.arena, &diag,
                                             &answer, &found));
        CU_ASSERT(answer == ANSWER_NOW);
        for (size_t k = 0; k < found.n && k + 1 < sizeof(titles); k++) {
            titles[k] = found.items[k].title.p[0];
        }
        if (strcmp(titles, rows[i].want) != 0) {
            printf("\n    '%s': wanted %s, got %s\n", rows[i].filter, rows[i].want, titles);
        }
        CU_ASSERT(strcmp(titles, rows[i].want) == 0);
    }
    empty_shelf(&shelf);
}

static void
wrong_times_are_refused(void)
{
    static const char *const filters[] = {"created>=yesterday", "created<2013-07-01", "start>=201",
                                          "start<20131301",     "stop>=2013Z",        "stop<x"};
    struct shelf shelf;

    fill_shelf(&shelf);
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        const struct store_filter filter = read_filter(&shelf, filters[i]);
        struct document_list found = {0};
        enum answer answer = ANSWER_LATER;
        struct diag diag = {0};

        CHECK_ERR(
            &diag, ERR_MESSAGE_CONTENT,
            store_find_documents(shelf.store, &filter, NULL, shelf.arena, &diag, &answer, &found));
        CU_ASSERT(found.n == 0);
    }
    empty_shelf(&shelf);
}

/* A pattern made to take long is refused or quick, never slow. */
static void
like_patterns_are_bounded(void)
{
    static char pattern[4096];
    struct shelf shelf;

    fill_shelf(&shelf);
    memset(pattern, '%', sizeof(pattern) - 1);
    struct store_filter filter = read_filter(&shelf, "");
    struct document_list found = {0};
    enum answer answer = ANSWER_LATER;
    struct diag diag = {0};

    add_texts(shelf.arena, span_of_cstr(pattern), &filter.authors);
    CHECK_ERR(
        &diag, ERR_STORE,
        store_find_documents(shelf.store, &filter, NULL, shelf.arena, &diag, &answer, &found));
    empty_shelf(&shelf);
}

/* ---- whole entries ---- */

static void
get(struct shelf *shelf, struct span_list *uuids, struct span_list *unique_ids,
    struct document_list *found)
{
    enum answer answer = ANSWER_LATER;
    struct diag diag = {0};

    CHECK_OK(&diag, store_get_documents(shelf->store, uuids, unique_ids, NULL, shelf->arena, &diag,
                                        &answer, found));
    CU_ASSERT(answer == ANSWER_NOW);
}

static void
documents_are_got_by_their_ids(void)
{
    struct shelf shelf;
    struct span_list uuids = {0}, unique_ids = {0}, none = {0};
    struct document_list all = {0}, found = {0};
    enum answer answer = ANSWER_LATER;
    struct diag diag = {0};

    fill_shelf(&shelf);
    const struct store_filter filter = read_filter(&shelf, "");

    CHECK_OK(&diag,
             store_find_documents(shelf.store, &filter, NULL, shelf.arena, &diag, &answer, &all));
    CU_ASSERT_FATAL(all.n == ARRAY_LEN(documents));
    get(&shelf, &none, &none, &found);
    CU_ASSERT(found.n == 0);
    add_texts(shelf.arena, SPAN("urn:uuid:00000000-0000-0000-0000-000000000000"), &uuids);
    add_texts(shelf.arena, all.items[4].entry_uuid, &uuids);
    add_texts(shelf.arena, all.items[1].entry_uuid, &uuids);
    add_texts(shelf.arena, all.items[1].entry_uuid, &uuids);
    get(&shelf, &uuids, &none, &found);
    CU_ASSERT(found.n == 2); /* unknown and repeated ones add nothing */
    add_texts(shelf.arena, SPAN("2.999.404"), &unique_ids);
    add_texts(shelf.arena, all.items[2].unique_id, &unique_ids);
    get(&shelf, &none, &unique_ids, &found);
    CU_ASSERT_FATAL(found.n == 1);
    CHECK_SPAN(found.items[0].title, "B");
    empty_shelf(&shelf);
}

static void
an_entry_comes_back_whole(void)
{
    struct shelf shelf;
    struct document_list found = {0};
    enum answer answer = ANSWER_LATER;
    struct diag diag = {0};

    fill_shelf(&shelf);
    const struct store_filter filter = read_filter(&shelf, "type=t2;class=c1");

    CHECK_OK(&diag,
             store_find_documents(shelf.store, &filter, NULL, shelf.arena, &diag, &answer, &found));
    CU_ASSERT_FATAL(found.n == 1);
    const struct document_entry *entry = &found.items[0];

    CU_ASSERT(span_starts_with(entry->entry_uuid, SPAN("urn:uuid:")));
    CHECK_SPAN(entry->home, "urn:oid:" FIXTURE_COMMUNITY);
    CHECK_SPAN(entry->repository, FIXTURE_REPOSITORY);
    CHECK_SPAN(entry->status, DOCUMENT_APPROVED);
    CHECK_SPAN(entry->object_type, DOCUMENT_STABLE);
    CHECK_SPAN(entry->mime_type, "text/xml");
    CHECK_SPAN(entry->creation_time, "20130701103445");
    CHECK_SPAN(entry->service_start, "20130601");
    CHECK_SPAN(entry->service_stop, "20130630");
    CHECK_SPAN(entry->language, "en-US");
    CHECK_SPAN(entry->format_code.value, "f1");
    CHECK_SPAN(entry->format_code.scheme, SCHEME);
    CHECK_SPAN(entry->format_code.display, "Format");
    CU_ASSERT(entry->has_size && entry->size == strlen(documents[1]));
    CU_ASSERT(span_ends_with(entry->patient_id, SPAN("^^^&" FIXTURE_AUTHORITY "&ISO")));
    CU_ASSERT(span_eq(entry->source_patient_id, entry->patient_id));
    CU_ASSERT_FATAL(entry->authors.n == 2);
    CHECK_SPAN(entry->authors.items[1].person, "^Jones^Ann");
    CHECK_SPAN(entry->authors.items[1].role, "role");
    CU_ASSERT(entry->event_codes.n == 0);
    CU_ASSERT_FATAL(entry->confidentiality.n == 1);
    CHECK_SPAN(entry->confidentiality.items[0].value, "R");
    empty_shelf(&shelf);
}

static const struct unit_test tests[] = {
    /* REQ: SQ-dates */
    {"wrong times are refused", wrong_times_are_refused},
    /* REQ: SQ-like */
    {"LIKE patterns are bounded", like_patterns_are_bounded},
    /* REQ: ITI38-find-documents, SQ-codes, SQ-like, SQ-and-or, SQ-dates, SQ-dates-absent */
    /* REQ: SQ-find-documents */
    {"filters restrict", filters_restrict},
    /* REQ: ITI38-get-documents */
    {"documents are got by their ids", documents_are_got_by_their_ids},
    {"an entry comes back whole", an_entry_comes_back_whole},
};

UNIT_MAIN("store-find", tests)
