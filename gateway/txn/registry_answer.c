/*
 * What the answers to stored queries have in common. Called by the steps of iti38.c and
 * local_iti38.c on workers. Source: ITI TF-2 3.18.4.1.2, 3.38.4.1.3; ITI TF-3 4.2.4.
 */
#include "txn/registry_answer.h"

/* ---- whose ---- */

/* Once each; a copy, because what an answer was read from goes before its record is made. */
static struct status
note_patient(struct inbound *in, struct span id)
{
    struct span_list *patients = &in->outcomes[0].patients;
    struct span copy;

    for (size_t i = 0; i < patients->n; i++) {
        if (span_eq(patients->items[i], id)) {
            return OK;
        }
    }
    if (id.n == 0) { /* limited metadata may leave it out */
        return OK;
    }
    TRY(arena_dup(in->txn.arena, id, &in->txn.diag, &copy));
    return ARENA_PUSH(in->txn.arena, &in->txn.diag, patients, copy);
}

static struct status
note_patients(struct inbound *in, const struct registry_objects *objects)
{
    for (size_t i = 0; i < objects->documents.n; i++) {
        TRY(note_patient(in, objects->documents.items[i].patient_id));
    }
    for (size_t i = 0; i < objects->submission_sets.n; i++) {
        TRY(note_patient(in, objects->submission_sets.items[i].patient_id));
    }
    for (size_t i = 0; i < objects->folders.n; i++) {
        TRY(note_patient(in, objects->folders.items[i].patient_id));
    }
    return OK;
}

/* ---- references ---- */

static struct status
add_ref(struct inbound *in, struct span home, struct span entry_uuid, struct query_answer *answer)
{
    const struct document_ref ref = {.home = home, .unique_id = entry_uuid};

    return ARENA_PUSH(in->txn.arena, &in->txn.diag, &answer->refs, ref);
}

/* REQ: SQ-object-ref */
static struct status
make_refs(struct inbound *in, struct query_answer *answer)
{
    const struct registry_objects *objects = &answer->objects;

    for (size_t i = 0; i < objects->submission_sets.n; i++) {
        const struct submission_set *set = &objects->submission_sets.items[i];

        TRY(add_ref(in, set->home, set->entry_uuid, answer));
    }
    for (size_t i = 0; i < objects->documents.n; i++) {
        const struct document_entry *entry = &objects->documents.items[i];

        TRY(add_ref(in, entry->home, entry->entry_uuid, answer));
    }
    for (size_t i = 0; i < objects->folders.n; i++) {
        const struct folder *folder = &objects->folders.items[i];

        TRY(add_ref(in, folder->home, folder->entry_uuid, answer));
    }
    for (size_t i = 0; i < objects->associations.n; i++) {
        const struct association *association = &objects->associations.items[i];

        TRY(add_ref(in, association->home, association->entry_uuid, answer));
    }
    answer->objects = (struct registry_objects){0};
    return OK;
}

struct status
registry_answer_shape(struct inbound *in, const struct stored_query *query,
                      const struct stored_question *question, struct query_answer *answer)
{
    if (!question->is_by_patient) {
        TRY(note_patients(in, &answer->objects));
    }
    /* REQ: SQ-leaf-class */
    if (!query->wants_leaf_class) {
        return make_refs(in, answer);
    }
    if (!question->is_by_patient && in->outcomes[0].patients.n > 1) {
        return FAIL(&in->txn.diag, ERR_NOT_SINGLE_PATIENT,
                    "the result belongs to several patients; ask with ObjectRef or one by one");
    }
    return OK;
}

/* ---- refusal ---- */

static struct status
write_context(struct inbound *in, enum err code, const struct stored_question *question,
              struct span *ret_context)
{
    const char *text = err_public_text(code);

    if (question != NULL && question->param != NULL) {
        return arena_printf(in->txn.arena, &in->txn.diag, ret_context, "%s: %s", question->param,
                            text);
    }
    if (question != NULL && code == ERR_UNKNOWN_PATIENT) {
        *ret_context = question->patient;
        return OK;
    }
    *ret_context = span_of_cstr(text);
    return OK;
}

/* REQ: ITI38-error-location */
struct status
registry_answer_refuse(struct inbound *in, enum err code, const struct stored_question *question)
{
    struct txn *txn = &in->txn;
    struct query_answer answer = {.status = REGISTRY_FAILURE};
    struct registry_error error = {
        .code =
            span_of_cstr(err_ihe_code(code)[0] == '\0' ? "XDSRegistryError" : err_ihe_code(code)),
    };

    TRY(write_context(in, code, question, &error.context));
    /* ITI TF-2 3.38.4.1.3: location names the community that the error comes from */
    TRY(arena_printf(txn->arena, &txn->diag, &error.location, "urn:oid:%s",
                     in->node->config->community));
    TRY(ARENA_PUSH(txn->arena, &txn->diag, &answer.errors, error));
    return query_answer_write(&answer, txn->arena, &in->payload, &txn->diag);
}
