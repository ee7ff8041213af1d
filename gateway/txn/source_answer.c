/*
 * What a registry of ours answered, made ours: see sources.h. Called while a leg's answer is read,
 * on a worker; lists and texts are the leg's, in its arena, and are changed in place.
 */
#include "base/ids.h"
#include "txn/sources.h"
#include "txn/withheld.h"

struct adopter {
    struct asking *asking;
    struct leg *leg;
    struct span home; /* urn:oid:... */
};

/* ---- patients ---- */

static bool
is_patient(struct span cx, const struct ident *wanted)
{
    struct diag ignored = {0};
    struct ident id = {0};

    return is_ok(ident_read_cx(cx, &ignored, &id)) && ident_eq(&id, wanted);
}

/* The patient of an object, exchanged; false when it is another's. */
static bool
take_patient(const struct adopter *adopter, struct span *patient_id, struct span *xml)
{
    const struct leg *leg = adopter->leg;

    if (leg->patient_id.root.n == 0 || span_eq(*patient_id, leg->given_patient)) {
        return true; /* sources_step_owners, or while it was read */
    }
    if (!is_patient(*patient_id, &leg->patient_id)) {
        return false;
    }
    *patient_id = leg->given_patient;
    *xml = SPAN_EMPTY; /* has the registry's own spelling in it */
    return true;
}

static void
take_home(const struct adopter *adopter, struct span *home)
{
    *home = home->n == 0 ? adopter->home : *home;
}

/* ---- objects ---- */

static bool
take_document(struct adopter *adopter, struct document_entry *entry)
{
    const struct asking *asking = adopter->asking;
    struct leg *leg = adopter->leg;

    if (config_source_repository(leg->partner->source, entry->repository) == NULL) {
        leg_drop(asking, leg, "named repository %.*s, which is not among its repositories",
                 SPAN_PRINT(span_slice(entry->repository, 0, OID_TEXT)));
        return false;
    }
    if (!take_patient(adopter, &entry->patient_id, &entry->xml)) {
        leg_drop(asking, leg, "named a document of another patient than was asked about");
        return false;
    }
    take_home(adopter, &entry->home);
    return leg_may_disclose(asking, leg, &entry->confidentiality);
}

static struct status
take_documents(struct adopter *adopter, struct document_list *documents)
{
    struct leg *leg = adopter->leg;
    size_t kept = 0;

    for (size_t i = 0; i < documents->n; i++) {
        if (take_document(adopter, &documents->items[i])) {
            documents->items[kept++] = documents->items[i];
        } else {
            TRY(withheld_add_document(&leg->withheld, &documents->items[i], leg->arena,
                                      &leg->diag));
        }
    }
    documents->n = kept;
    return OK;
}

static struct status
take_submission_sets(struct adopter *adopter, struct submission_set_list *sets)
{
    size_t kept = 0;

    for (size_t i = 0; i < sets->n; i++) {
        struct submission_set *set = &sets->items[i];

        if (!take_patient(adopter, &set->patient_id, &set->xml)) {
            leg_drop(adopter->asking, adopter->leg,
                     "named a SubmissionSet of another patient than was asked about");
            TRY(withheld_add(&adopter->leg->withheld, set->entry_uuid, adopter->leg->arena,
                             &adopter->leg->diag));
            continue;
        }
        take_home(adopter, &set->home);
        sets->items[kept++] = *set;
    }
    sets->n = kept;
    return OK;
}

static struct status
take_folders(struct adopter *adopter, struct folder_list *folders)
{
    size_t kept = 0;

    for (size_t i = 0; i < folders->n; i++) {
        struct folder *folder = &folders->items[i];

        if (!take_patient(adopter, &folder->patient_id, &folder->xml)) {
            leg_drop(adopter->asking, adopter->leg,
                     "named a Folder of another patient than was asked about");
            TRY(withheld_add(&adopter->leg->withheld, folder->entry_uuid, adopter->leg->arena,
                             &adopter->leg->diag));
            continue;
        }
        take_home(adopter, &folder->home);
        folders->items[kept++] = *folder;
    }
    folders->n = kept;
    return OK;
}

static void
take_associations(const struct adopter *adopter, struct association_list *associations)
{
    for (size_t i = 0; i < associations->n; i++) {
        take_home(adopter, &associations->items[i].home);
    }
}

/* Nobody here knows where patient ids are in them: they are given only where none is exchanged. */
static void
drop_others(struct adopter *adopter, struct span_list *others)
{
    const struct query_reading *reading = adopter->leg->reads_as;

    if (reading->patient_from.n > 0 && span_eq(reading->patient_from, reading->patient_to)) {
        return;
    }
    for (size_t i = 0; i < others->n; i++) {
        leg_drop(adopter->asking, adopter->leg, "gave an object of an unknown kind");
    }
    *others = (struct span_list){0};
}

struct status
source_reading(struct leg *leg, const struct query_reading **ret_reading)
{
    struct query_reading *reading;

    TRY(ARENA_NEW(leg->reading, &leg->diag, &reading));
    TRY(arena_printf(leg->reading, &leg->diag, &reading->home, "urn:oid:%.*s",
                     SPAN_PRINT(leg->community)));
    if (leg->patient_id.root.n > 0) {
        TRY(ident_write_cx(leg->reading, &leg->patient_id, &leg->diag, &reading->patient_from));
        reading->patient_to = leg->given_patient;
    }
    *ret_reading = reading;
    return OK;
}

struct status
source_adopt(struct asking *asking, struct leg *leg, struct registry_objects *objects)
{
    struct adopter adopter = {.asking = asking, .leg = leg};

    TRY(arena_printf(leg->arena, &leg->diag, &adopter.home, "urn:oid:%.*s",
                     SPAN_PRINT(leg->community)));
    TRY(take_documents(&adopter, &objects->documents));
    TRY(take_submission_sets(&adopter, &objects->submission_sets));
    TRY(take_folders(&adopter, &objects->folders));
    take_associations(&adopter, &objects->associations);
    drop_others(&adopter, &objects->others);
    return OK;
}
