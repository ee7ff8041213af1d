/*
 * The store's one entrance: checks what does not depend on the engine and dispatches to it. Called
 * by transactions (worker threads) and by `isthmus import` (main thread). Owns nothing; the engine
 * owns the store.
 */
#include "store/store.h"

#include <assert.h>

#include "base/ids.h"
#include "base/mem.h"
#include "store/person_text.h"
#include "store/store_engine.h"

struct status
store_open(const struct store_options *options, struct diag *diag, struct store **ret_store)
{
    const struct {
        const char *name, *value;
    } oids[] = {{"community", options->community},
                {"patient authority", options->patient_authority},
                {"repository", options->repository}};

    for (size_t i = 0; i < ARRAY_LEN(oids); i++) {
        if (!oid_is_valid(span_of_cstr(oids[i].value))) {
            return FAIL(diag, ERR_STORE, "the store's %s must be a bare OID, got '%s'",
                        oids[i].name, oids[i].value == NULL ? "" : oids[i].value);
        }
    }
    return store_engine_sqlite.open(options, diag, ret_store);
}

void
store_close(struct store *store)
{
    if (store != NULL) {
        store->engine->close(store);
    }
}

struct status
store_put_document(struct store *store, const struct store_document *document, struct arena *arena,
                   struct diag *diag, struct store_put_result *ret_result)
{
    STORE_VISIT(store);

    return store->engine->put_document(store, document, arena, diag, ret_result);
}

struct status
store_match_patient(struct store *store, const struct patient *query, struct park *park,
                    struct arena *arena, struct diag *diag, enum answer *ret_answer,
                    struct store_match_result *ret_result)
{
    STORE_VISIT(store);

    return store->engine->match_patient(store, query, park, arena, diag, ret_answer, ret_result);
}

struct status
store_knows_patient(struct store *store, const struct ident *id, struct park *park,
                    struct diag *diag, enum answer *ret_answer, bool *ret_known)
{
    STORE_VISIT(store);

    return store->engine->knows_patient(store, id, park, diag, ret_answer, ret_known);
}

struct status
store_learn_person(struct store *store, const struct store_person *person, struct park *park,
                   struct arena *arena, struct diag *diag, enum answer *ret_answer,
                   enum store_learned *ret_learned)
{
    STORE_VISIT(store);

    return store->engine->learn_person(store, person, park, arena, diag, ret_answer, ret_learned);
}

struct status
store_ask(struct store *store, const struct store_question *question, struct park *park,
          struct arena *arena, struct diag *diag, enum answer *ret_answer,
          struct registry_objects *ret_objects)
{
    assert(question->kind < STORE_QUESTION_KINDS);
    STORE_VISIT(store);

    return store->engine->ask(store, question, park, arena, diag, ret_answer, ret_objects);
}

struct status
store_find_documents(struct store *store, const struct store_filter *filter, struct park *park,
                     struct arena *arena, struct diag *diag, enum answer *ret_answer,
                     struct document_list *ret_documents)
{
    const struct store_question question = {.kind = STORE_FIND_DOCUMENTS, .filter = *filter};
    struct registry_objects objects = {0};

    assert(filter->status.n > 0);
    TRY(store_ask(store, &question, park, arena, diag, ret_answer, &objects));
    *ret_documents = objects.documents;
    return OK;
}

struct status
store_get_documents(struct store *store, const struct span_list *entry_uuids,
                    const struct span_list *unique_ids, struct park *park, struct arena *arena,
                    struct diag *diag, enum answer *ret_answer, struct document_list *ret_documents)
{
    const struct store_question question = {
        .kind = STORE_GET_DOCUMENTS, .entry_uuids = *entry_uuids, .unique_ids = *unique_ids};
    struct registry_objects objects = {0};

    TRY(store_ask(store, &question, park, arena, diag, ret_answer, &objects));
    *ret_documents = objects.documents;
    return OK;
}

struct status
store_members(struct store *store, const struct span_list *entry_uuids, struct park *park,
              struct arena *arena, struct diag *diag, enum answer *ret_answer,
              struct store_member_list *ret_members)
{
    return store->engine->members(store, entry_uuids, park, arena, diag, ret_answer, ret_members);
}

struct status
store_submit(struct store *store, const struct store_submission *submission, struct park *park,
             struct arena *arena, struct diag *diag, enum answer *ret_answer,
             struct store_submitted *ret_submitted)
{
    STORE_VISIT(store);

    return store->engine->submit(store, submission, park, arena, diag, ret_answer, ret_submitted);
}

struct status
store_patient_ids(struct store *store, const struct ident *id, struct park *park,
                  struct arena *arena, struct diag *diag, enum answer *ret_answer,
                  struct ident_list *ret_ids)
{
    STORE_VISIT(store);

    return store->engine->patient_ids(store, id, park, arena, diag, ret_answer, ret_ids);
}

struct status
store_find_people(struct store *store, const struct patient *asked, size_t most, struct park *park,
                  struct arena *arena, struct diag *diag, enum answer *ret_answer,
                  struct store_people *ret_people)
{
    STORE_VISIT(store);

    return store->engine->find_people(store, asked, most, park, arena, diag, ret_answer,
                                      ret_people);
}

struct status
store_known_patient(struct store *store, const struct ident *id, struct park *park,
                    struct arena *arena, struct diag *diag, enum answer *ret_answer,
                    struct known_patient *ret_known)
{
    STORE_VISIT(store);

    return store->engine->known_patient(store, id, park, arena, diag, ret_answer, ret_known);
}

struct status
store_knows_domains(struct store *store, const struct span *roots, size_t n, struct park *park,
                    struct diag *diag, enum answer *ret_answer, bool *ret_is_known)
{
    STORE_VISIT(store);

    return store->engine->knows_domains(store, roots, n, park, diag, ret_answer, ret_is_known);
}

struct status
store_retrieve(struct store *store, const struct document_ref *ref, struct park *park,
               struct arena *arena, struct diag *diag, enum answer *ret_answer,
               struct document_entry *ret_entry, struct body *ret_body)
{
    STORE_VISIT(store);

    return store->engine->retrieve(store, ref, park, arena, diag, ret_answer, ret_entry, ret_body);
}

struct status
correlation_digest(const struct patient *question, const struct span_list *asker, struct diag *diag,
                   char ret_digest[SHA256_HEX])
{
    CLEANUP(buf_done) struct buf text;

    buf_init_secret(&text, (size_t)1024 * 1024);
    TRY(person_text_write(question, &text, diag));
    for (size_t i = 0; i < asker->n; i++) {
        TRY(buf_append(&text, asker->items[i], diag));
        TRY(buf_append_char(&text, '\n', diag));
    }
    return digest_sha256_hex(buf_span(&text), diag, ret_digest);
}

struct status
store_learn_correlations(struct store *store, const struct correlation *correlations, size_t n,
                         struct park *park, struct diag *diag, enum answer *ret_answer)
{
    STORE_VISIT(store);

    return store->engine->learn_correlations(store, correlations, n, park, diag, ret_answer);
}

struct status
store_find_correlation(struct store *store, const struct correlation_key *key, struct park *park,
                       struct arena *arena, struct diag *diag, enum answer *ret_answer,
                       bool *ret_is_known, struct correlation *ret_found)
{
    STORE_VISIT(store);

    return store->engine->find_correlation(store, key, park, arena, diag, ret_answer, ret_is_known,
                                           ret_found);
}

struct status
store_correlated_ids(struct store *store, const struct ident *local, struct park *park,
                     struct arena *arena, struct diag *diag, enum answer *ret_answer,
                     struct correlation_match_list *ret_matches)
{
    STORE_VISIT(store);

    return store->engine->correlated_ids(store, local, park, arena, diag, ret_answer, ret_matches);
}

struct status
store_forget_correlations(struct store *store, const struct correlation_forget *what,
                          struct diag *diag, uint64_t *ret_forgotten)
{
    STORE_VISIT(store);

    return store->engine->forget_correlations(store, what, diag, ret_forgotten);
}

struct status
store_count(struct store *store, struct diag *diag, struct store_counts *ret_counts)
{
    STORE_VISIT(store);

    return store->engine->count(store, diag, ret_counts);
}
