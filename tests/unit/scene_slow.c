/*
 * A store that answers nothing at once, in scenes (scene_kit.h).
 */
#include "scene_kit.h"
#include "store/store_engine.h"

struct slow_store {
    struct store store; /* first member */
    struct store *inner;
    struct park *parked;
    bool is_ready; /* the call after the wake is answered */
};

static struct slow_store slow_stores[SCENE_PLACES];

/* True when the call is to be answered now. */
static bool
is_slow_ready(struct store *store, struct park *park, enum answer *ret_answer)
{
    struct slow_store *slow = (struct slow_store *)store;

    CU_ASSERT_PTR_NULL(slow->parked);
    if (slow->is_ready) {
        slow->is_ready = false;
        return true;
    }
    slow->parked = park;
    *ret_answer = ANSWER_LATER;
    return false;
}

#define INNER(store) (((struct slow_store *)(store))->inner)

static struct status
slow_match(struct store *store, const struct patient *query, struct park *park, struct arena *arena,
           struct diag *diag, enum answer *ret_answer, struct store_match_result *ret_result)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_match_patient(INNER(store), query, park, arena, diag, ret_answer, ret_result)
               : OK;
}

static struct status
slow_knows(struct store *store, const struct ident *id, struct park *park, struct diag *diag,
           enum answer *ret_answer, bool *ret_known)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_knows_patient(INNER(store), id, park, diag, ret_answer, ret_known)
               : OK;
}

static struct status
slow_ask(struct store *store, const struct store_question *question, struct park *park,
         struct arena *arena, struct diag *diag, enum answer *ret_answer,
         struct registry_objects *ret_objects)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_ask(INNER(store), question, park, arena, diag, ret_answer, ret_objects)
               : OK;
}

static struct status
slow_members(struct store *store, const struct span_list *entry_uuids, struct park *park,
             struct arena *arena, struct diag *diag, enum answer *ret_answer,
             struct store_member_list *ret_members)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_members(INNER(store), entry_uuids, park, arena, diag, ret_answer,
                               ret_members)
               : OK;
}

static struct status
slow_retrieve(struct store *store, const struct document_ref *ref, struct park *park,
              struct arena *arena, struct diag *diag, enum answer *ret_answer,
              struct document_entry *ret_entry, struct body *ret_body)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_retrieve(INNER(store), ref, park, arena, diag, ret_answer, ret_entry,
                                ret_body)
               : OK;
}

static struct status
slow_remember(struct store *store, const struct replay_message *message, struct park *park,
              struct diag *diag, enum answer *ret_answer, struct replay_result *ret_result)
{
    return is_slow_ready(store, park, ret_answer)
               ? replay_remember(INNER(store), message, park, diag, ret_answer, ret_result)
               : OK;
}

static struct status
slow_learn(struct store *store, const struct correlation *correlations, size_t n, struct park *park,
           struct diag *diag, enum answer *ret_answer)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_learn_correlations(INNER(store), correlations, n, park, diag, ret_answer)
               : OK;
}

static struct status
slow_find_correlation(struct store *store, const struct correlation_key *key, struct park *park,
                      struct arena *arena, struct diag *diag, enum answer *ret_answer,
                      bool *ret_is_known, struct correlation *ret_found)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_find_correlation(INNER(store), key, park, arena, diag, ret_answer,
                                        ret_is_known, ret_found)
               : OK;
}

static struct status
slow_correlated(struct store *store, const struct ident *local, struct park *park,
                struct arena *arena, struct diag *diag, enum answer *ret_answer,
                struct correlation_match_list *ret_matches)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_correlated_ids(INNER(store), local, park, arena, diag, ret_answer,
                                      ret_matches)
               : OK;
}

static struct status
slow_learn_person(struct store *store, const struct store_person *person, struct park *park,
                  struct arena *arena, struct diag *diag, enum answer *ret_answer,
                  enum store_learned *ret_learned)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_learn_person(INNER(store), person, park, arena, diag, ret_answer,
                                    ret_learned)
               : OK;
}

static struct status
slow_patient_ids(struct store *store, const struct ident *id, struct park *park,
                 struct arena *arena, struct diag *diag, enum answer *ret_answer,
                 struct ident_list *ret_ids)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_patient_ids(INNER(store), id, park, arena, diag, ret_answer, ret_ids)
               : OK;
}

static struct status
slow_claim(struct store *store, struct span message_id, struct park *park, struct diag *diag,
           enum answer *ret_answer)
{
    return is_slow_ready(store, park, ret_answer)
               ? pending_claim(INNER(store), message_id, park, diag, ret_answer)
               : OK;
}

static struct status
slow_fetch(struct store *store, struct span message_id, struct arena *arena, struct diag *diag,
           struct buf *answer, struct pending *ret_pending)
{
    return pending_fetch(INNER(store), message_id, arena, diag, answer, ret_pending);
}

static struct status
slow_find_people(struct store *store, const struct patient *asked, size_t most, struct park *park,
                 struct arena *arena, struct diag *diag, enum answer *ret_answer,
                 struct store_people *ret_people)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_find_people(INNER(store), asked, most, NULL, arena, diag, ret_answer,
                                   ret_people)
               : OK;
}

static struct status
slow_known_patient(struct store *store, const struct ident *id, struct park *park,
                   struct arena *arena, struct diag *diag, enum answer *ret_answer,
                   struct known_patient *ret_known)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_known_patient(INNER(store), id, NULL, arena, diag, ret_answer, ret_known)
               : OK;
}

static struct status
slow_knows_domains(struct store *store, const struct span *roots, size_t n, struct park *park,
                   struct diag *diag, enum answer *ret_answer, bool *ret_is_known)
{
    return is_slow_ready(store, park, ret_answer)
               ? store_knows_domains(INNER(store), roots, n, NULL, diag, ret_answer, ret_is_known)
               : OK;
}

void
kit_slow_store(struct place *place)
{
    static const struct pending_engine awaited = {.fetch = slow_fetch, .claim = slow_claim};
    static const struct store_engine engine = {.name = "slow",
                                               .pending = &awaited,
                                               .learn_correlations = slow_learn,
                                               .find_correlation = slow_find_correlation,
                                               .correlated_ids = slow_correlated,
                                               .match_patient = slow_match,
                                               .knows_patient = slow_knows,
                                               .learn_person = slow_learn_person,
                                               .patient_ids = slow_patient_ids,
                                               .ask = slow_ask,
                                               .members = slow_members,
                                               .retrieve = slow_retrieve,
                                               .remember = slow_remember,
                                               .find_people = slow_find_people,
                                               .known_patient = slow_known_patient,
                                               .knows_domains = slow_knows_domains};
    struct slow_store *slow = &slow_stores[place - place->scene->places];

    *slow = (struct slow_store){{.engine = &engine}, place->store, NULL, false};
    place->node.store = &slow->store;
}

bool
kit_wake_store(struct place *place)
{
    struct slow_store *slow = &slow_stores[place - place->scene->places];
    struct park *park = slow->parked;

    if (park == NULL) {
        return false;
    }
    slow->parked = NULL;
    slow->is_ready = true;
    park_wake(park);
    scene_run(place->scene);
    slow->is_ready = false; /* it need not ask again */
    return true;
}

void
kit_wake_store_all(struct place *place)
{
    int wakes = 0;

    while (kit_wake_store(place)) {
        CU_ASSERT_FATAL(++wakes < 100);
    }
}
