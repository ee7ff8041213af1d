/*
 * The SQLite engine's table: each store call takes a connection, runs its part in one transaction
 * and answers now. Called through store.c on the caller's thread; waits only for the disk and, when
 * writing, for other writers. The store owns its options' copies and the pool of connections.
 */
#include "store/sqlite.h"

#include <assert.h>

#include "base/mem.h"
#include "store/replay_memory.h"
#include "store/sqlite_files.h"
#include "store/sqlite_learn.h"
#include "store/sqlite_submit.h"

#define BUSY_TIMEOUT_MS 10000

static void
close_store(struct store *store)
{
    struct sqlite_store *sqlite = sqlite_of(store);

    replay_memory_close(sqlite->replay);
    db_close(sqlite->db);
    mem_free(sqlite->path);
    mem_free(sqlite->community);
    mem_free(sqlite->patient_authority);
    mem_free(sqlite->repository);
    mem_free(sqlite);
}

static struct status
fill(struct sqlite_store *store, const struct store_options *options, struct diag *diag)
{
    const struct db_options db = {options->path, options->is_read_only, BUSY_TIMEOUT_MS};
    CLEANUP(db_give_p) struct db_conn *conn = NULL;

    store->store.engine = &store_engine_sqlite;
    store->clock = options->clock;
    store->path = mem_strdup(options->path);
    store->community = mem_strdup(options->community);
    store->patient_authority = mem_strdup(options->patient_authority);
    store->repository = mem_strdup(options->repository);
    if (store->path == NULL || store->community == NULL || store->patient_authority == NULL ||
        store->repository == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the store");
    }
    TRY(db_open(&db, diag, &store->db));
    TRY(db_take(store->db, diag, &conn));
    TRY(sqlite_schema_open(store, conn, options->is_read_only, diag));
    if (options->is_read_only || !sqlite_files_are_left(store)) {
        return OK;
    }
    TRY(db_begin_write(conn, diag));
    return db_finish(conn, sqlite_files_clear(store, conn, diag), diag);
}

static struct status
open_store(const struct store_options *options, struct diag *diag, struct store **ret_store)
{
    struct sqlite_store *store = mem_alloc(sizeof(*store));

    if (store == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the store");
    }
    const struct status st = fill(store, options, diag);

    if (!is_ok(st)) {
        diag_prefix(diag, "%s", options->path);
        close_store(&store->store);
        return st;
    }
    *ret_store = &store->store;
    return OK;
}

static struct status
put_content(struct sqlite_store *store, const struct store_document *document,
            const struct body *body, struct sqlite_content *content, struct arena *arena,
            struct diag *diag, struct store_put_result *ret_result)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    struct store_put_result result = {0};

    TRY(db_take(store->db, diag, &conn));
    TRY(db_begin_write(conn, diag));
    TRY(db_finish(conn,
                  sqlite_document_put(store, conn, document, body, content, arena, diag, &result),
                  diag));
    *ret_result = result;
    return OK;
}

static struct status
put_document(struct store *store, const struct store_document *document, struct arena *arena,
             struct diag *diag, struct store_put_result *ret_result)
{
    CLEANUP(buf_done) struct buf scratch;
    struct body over = body_over(document->bytes);
    const struct body *body = document->content == NULL ? &over : document->content;
    struct sqlite_content content;
    struct span bytes;

    buf_init_secret(&scratch, SQLITE_FILE_LEAST);
    TRY(sqlite_document_check(document, body, diag));
    if (body->size < SQLITE_FILE_LEAST) { /* read once: a file may change meanwhile */
        TRY(body_span(body, &scratch, diag, &bytes));
        over = body_over(bytes);
        body = &over;
    }
    struct status st = sqlite_content_prepare(sqlite_of(store), body, diag, &content);

    if (is_ok(st)) {
        st = put_content(sqlite_of(store), document, body, &content, arena, diag, ret_result);
    }
    sqlite_content_done(&content, is_ok(st));
    return st;
}

struct status
sqlite_patient_present(const struct sqlite_store *store, const struct sqlite_patient *stored,
                       struct arena *arena, struct diag *diag, struct patient *ret_patient)
{
    struct patient patient = stored->patient;
    const struct ident own = {span_of_cstr(store->patient_authority), stored->public_id,
                              SPAN_EMPTY};

    patient.ids = (struct ident_list){0};
    TRY(ARENA_PUSH(arena, diag, &patient.ids, own));
    for (size_t i = 0; i < stored->patient.ids.n; i++) {
        const struct ident *id = &stored->patient.ids.items[i];

        if (!stored->is_unreliable[i] && id->extension.n > 0) {
            TRY(ARENA_PUSH(arena, diag, &patient.ids, *id));
        }
    }
    /* The authority's text is the store's: the result must outlive it. */
    TRY(arena_dup(arena, own.root, diag, &patient.ids.items[0].root));
    *ret_patient = patient;
    return OK;
}

static struct status
add_candidate(const struct sqlite_store *store, struct db_conn *conn, int64_t row,
              enum match_rule rule, struct arena *arena, struct diag *diag,
              struct store_candidate_list *candidates)
{
    struct store_candidate candidate = {.degree = match_rule_degree(rule)};
    struct sqlite_patient stored;

    TRY(sqlite_patient_load(conn, row, arena, diag, &stored));
    TRY(sqlite_patient_present(store, &stored, arena, diag, &candidate.patient));
    return ARENA_PUSH(arena, diag, candidates, candidate);
}

static struct status
match_inside(struct sqlite_store *store, struct db_conn *conn, const struct patient *query,
             struct arena *arena, struct diag *diag, struct store_match_result *ret_result)
{
    struct store_match_result result = {.kind = STORE_MATCH_NONE};
    struct store_candidate_list agreeing = {0};
    struct sqlite_answer answer;

    TRY(sqlite_patient_answer(store, conn, query, arena, diag, &answer));
    result.rule = match_rule_text(answer.decision.rule);
    result.rule_name = match_rule_name(answer.decision.rule);
    for (size_t i = 0; i < answer.rows_n; i++) {
        if (match_rule_verdict(answer.rules[i]) == MATCH_SAME) {
            TRY(add_candidate(store, conn, answer.rows[i], answer.rules[i], arena, diag,
                              &agreeing));
        }
    }
    if (answer.decision.outcome == MATCH_ONE) {
        result.kind = STORE_MATCH_ONE;
        result.patient = agreeing.items[0].patient;
        result.degree = agreeing.items[0].degree;
        result.is_plain = match_rule_is_plain(answer.decision.rule);
    } else if (answer.decision.outcome == MATCH_AMBIGUOUS) {
        result.kind = STORE_MATCH_AMBIGUOUS;
        result.hints = answer.decision.hints;
        result.candidates = agreeing;
    }
    *ret_result = result;
    return OK;
}

static struct status
match_patient(struct store *store, const struct patient *query, struct park *park,
              struct arena *arena, struct diag *diag, enum answer *ret_answer,
              struct store_match_result *ret_result)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    struct store_match_result result;

    (void)park;
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(db_begin_read(conn, diag));
    TRY(db_finish(conn, match_inside(sqlite_of(store), conn, query, arena, diag, &result), diag));
    *ret_result = result;
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
knows_patient(struct store *store, const struct ident *id, struct park *park, struct diag *diag,
              enum answer *ret_answer, bool *ret_known)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    int64_t row = 0;

    (void)park;
    if (span_eq_cstr(id->root, sqlite_of(store)->patient_authority)) {
        TRY(db_take(sqlite_of(store)->db, diag, &conn));
        TRY(sqlite_patient_find(conn, id->extension, diag, &row));
    }
    *ret_known = row != 0;
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
learn_person(struct store *store, const struct store_person *person, struct park *park,
             struct arena *arena, struct diag *diag, enum answer *ret_answer,
             enum store_learned *ret_learned)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    enum store_learned learned = STORE_LEARNED_NOT;

    (void)park;
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(db_begin_write(conn, diag));
    TRY(db_finish(conn, sqlite_person_learn(sqlite_of(store), conn, person, arena, diag, &learned),
                  diag));
    *ret_learned = learned;
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
ask(struct store *store, const struct store_question *question, struct park *park,
    struct arena *arena, struct diag *diag, enum answer *ret_answer,
    struct registry_objects *ret_objects)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    struct registry_objects objects = {0};

    (void)park;
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(db_begin_read(conn, diag));
    TRY(db_finish(conn, sqlite_ask(sqlite_of(store), conn, question, arena, diag, &objects), diag));
    *ret_objects = objects;
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
members(struct store *store, const struct span_list *entry_uuids, struct park *park,
        struct arena *arena, struct diag *diag, enum answer *ret_answer,
        struct store_member_list *ret_members)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    struct store_member_list list = {0};

    (void)park;
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(db_begin_read(conn, diag));
    TRY(db_finish(conn, sqlite_members(sqlite_of(store), conn, entry_uuids, arena, diag, &list),
                  diag));
    *ret_members = list;
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
submit(struct store *store, const struct store_submission *submission, struct park *park,
       struct arena *arena, struct diag *diag, enum answer *ret_answer,
       struct store_submitted *ret_submitted)
{
    (void)park;
    TRY(sqlite_submit(sqlite_of(store), submission, arena, diag, ret_submitted));
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
ids_inside(struct sqlite_store *store, struct db_conn *conn, const struct ident *id,
           struct arena *arena, struct diag *diag, struct ident_list *ret_ids)
{
    struct sqlite_patient stored;
    struct patient patient = {0};
    int64_t row = 0;

    TRY(sqlite_patient_of_id(store, conn, id, arena, diag, &row));
    if (row != 0) {
        TRY(sqlite_patient_load(conn, row, arena, diag, &stored));
        TRY(sqlite_patient_present(store, &stored, arena, diag, &patient));
    }
    *ret_ids = patient.ids;
    return OK;
}

static struct status
patient_ids(struct store *store, const struct ident *id, struct park *park, struct arena *arena,
            struct diag *diag, enum answer *ret_answer, struct ident_list *ret_ids)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    struct ident_list ids = {0};

    (void)park;
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(db_begin_read(conn, diag));
    TRY(db_finish(conn, ids_inside(sqlite_of(store), conn, id, arena, diag, &ids), diag));
    *ret_ids = ids;
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
find_people(struct store *store, const struct patient *asked, size_t most, struct park *park,
            struct arena *arena, struct diag *diag, enum answer *ret_answer,
            struct store_people *ret_people)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    struct store_people people = {0};

    (void)park;
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(db_begin_read(conn, diag));
    TRY(db_finish(conn, sqlite_search(sqlite_of(store), conn, asked, most, arena, diag, &people),
                  diag));
    *ret_people = people;
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
known_patient(struct store *store, const struct ident *id, struct park *park, struct arena *arena,
              struct diag *diag, enum answer *ret_answer, struct known_patient *ret_known)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    struct known_patient known = {0};

    (void)park;
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(db_begin_read(conn, diag));
    TRY(db_finish(conn, sqlite_known_patient(sqlite_of(store), conn, id, arena, diag, &known),
                  diag));
    *ret_known = known;
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
knows_domains(struct store *store, const struct span *roots, size_t n, struct park *park,
              struct diag *diag, enum answer *ret_answer, bool *ret_is_known)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;

    (void)park;
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(db_begin_read(conn, diag));
    TRY(db_finish(conn, sqlite_knows_domains(sqlite_of(store), conn, roots, n, diag, ret_is_known),
                  diag));
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
retrieve(struct store *store, const struct document_ref *ref, struct park *park,
         struct arena *arena, struct diag *diag, enum answer *ret_answer,
         struct document_entry *ret_entry, struct body *ret_body)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    CLEANUP(body_done) struct body body;
    struct document_entry entry = {0};

    (void)park;
    body_init(&body);
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(db_begin_read(conn, diag));
    TRY(db_finish(conn, sqlite_retrieve(sqlite_of(store), conn, ref, arena, diag, &entry, &body),
                  diag));
    *ret_entry = entry;
    body_move(ret_body, &body);
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
remember(struct store *store, const struct replay_message *message, struct park *park,
         struct diag *diag, enum answer *ret_answer, struct replay_result *ret_result)
{
    struct replay_result result = {0};

    (void)park;
    if (sqlite_of(store)->replay == NULL) {
        return FAIL(diag, ERR_STORE, "no node has started to accept messages with this store");
    }
    TRY(replay_memory_remember(sqlite_of(store)->replay, message, diag, &result));
    *ret_result = result;
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
start_replay(struct store *store, const char *boot_id, struct diag *diag, bool *ret_is_lossy)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;

    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    return sqlite_replay_start(sqlite_of(store), conn, boot_id, diag, ret_is_lossy);
}

static struct status
stop_replay(struct store *store, struct diag *diag)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;

    if (sqlite_of(store)->replay == NULL) {
        return FAIL(diag, ERR_STORE, "no node has started to accept messages with this store");
    }
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    return sqlite_replay_stop(sqlite_of(store), conn, diag);
}

static struct status
learn_inside(struct sqlite_store *store, struct db_conn *conn,
             const struct correlation *correlations, size_t n, struct diag *diag)
{
    for (size_t i = 0; i < n; i++) {
        TRY(sqlite_correlation_learn(store, conn, &correlations[i], diag));
    }
    return OK;
}

static struct status
learn_correlations(struct store *store, const struct correlation *correlations, size_t n,
                   struct park *park, struct diag *diag, enum answer *ret_answer)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;

    (void)park;
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(db_begin_write(conn, diag));
    TRY(db_finish(conn, learn_inside(sqlite_of(store), conn, correlations, n, diag), diag));
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
find_correlation(struct store *store, const struct correlation_key *key, struct park *park,
                 struct arena *arena, struct diag *diag, enum answer *ret_answer,
                 bool *ret_is_known, struct correlation *ret_found)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;

    (void)park;
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(sqlite_correlation_find(sqlite_of(store), conn, key, arena, diag, ret_is_known, ret_found));
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
correlated_ids(struct store *store, const struct ident *local, struct park *park,
               struct arena *arena, struct diag *diag, enum answer *ret_answer,
               struct correlation_match_list *ret_matches)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;

    (void)park;
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(sqlite_correlation_ids(sqlite_of(store), conn, local, arena, diag, ret_matches));
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
forget_correlations(struct store *store, const struct correlation_forget *what, struct diag *diag,
                    uint64_t *ret_forgotten)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;

    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(db_begin_write(conn, diag));
    return db_finish(conn, sqlite_correlation_forget(conn, what, diag, ret_forgotten), diag);
}

static struct status
count(struct store *store, struct diag *diag, struct store_counts *ret_counts)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    db_prepare(conn,
               "SELECT (SELECT count(*) FROM patients), (SELECT count(*) FROM documents),"
               " (SELECT count(*) FROM (SELECT DISTINCT root, extension_key FROM identifiers"
               "  WHERE unreliable = 1))",
               &query);
    TRY(db_step(&query, diag, &has_row));
    assert(has_row);
    *ret_counts = (struct store_counts){(uint64_t)db_column_int(&query, 0),
                                        (uint64_t)db_column_int(&query, 1),
                                        (uint64_t)db_column_int(&query, 2)};
    return OK;
}

const struct store_engine store_engine_sqlite = {
    .name = "sqlite",
    .open = open_store,
    .close = close_store,
    .put_document = put_document,
    .match_patient = match_patient,
    .knows_patient = knows_patient,
    .learn_person = learn_person,
    .ask = ask,
    .members = members,
    .submit = submit,
    .patient_ids = patient_ids,
    .find_people = find_people,
    .known_patient = known_patient,
    .knows_domains = knows_domains,
    .retrieve = retrieve,
    .remember = remember,
    .replay_start = start_replay,
    .replay_stop = stop_replay,
    .learn_correlations = learn_correlations,
    .find_correlation = find_correlation,
    .correlated_ids = correlated_ids,
    .forget_correlations = forget_correlations,
    .count = count,
    .jobs = &sqlite_jobs,
    .pending = &sqlite_pending,
};
