/*
 * The stored queries of ITI TF-2 3.18.4.1.2.3.7 in the SQLite engine: each is put together from
 * documents, packages and associations that are found by a filter or by ids. Called within the read
 * transaction of one store call, on its thread; the arena owns what is found.
 *
 * Where the text leaves room:
 *  - $XDSDocumentEntryType absent is "stable only" wherever a query has that parameter;
 * GetDocuments, GetDocumentsAndAssociations and GetFoldersForDocument have none and give both.
 *  - GetSubmissionSetAndContents, GetFolderAndContents: the filters are for documents. An
 *    association that makes a filtered document a member goes with it; others stay, also when they
 *    name what is not in the answer (the document that another one replaces).
 *  - GetRelatedDocuments: the document that is asked about is in the answer, whatever its type, as
 *    soon as one association is; the filter is for the documents at the other ends.
 *  - GetAll: associations that have an object of the answer at one end.
 */
#include "store/sqlite_registry.h"

struct asking {
    struct sqlite_store *store;
    struct db_conn *conn;
    const struct store_question *question;
    struct arena *arena;
    struct diag *diag;
    struct registry_objects found;
};

static const struct span_list none = {0};

/* ---- parts ---- */

static struct status
push_uuid(struct asking *asking, struct span uuid, struct span_list *uuids)
{
    return ARENA_PUSH(asking->arena, asking->diag, uuids, uuid);
}

static bool
has_uuid(const struct span_list *uuids, struct span uuid)
{
    for (size_t i = 0; i < uuids->n; i++) {
        if (span_eq(uuids->items[i], uuid)) {
            return true;
        }
    }
    return false;
}

static bool
has_document(const struct document_list *documents, struct span uuid)
{
    for (size_t i = 0; i < documents->n; i++) {
        if (span_eq(documents->items[i].entry_uuid, uuid)) {
            return true;
        }
    }
    return false;
}

static struct status
push_documents(struct asking *asking, struct span_list *uuids)
{
    for (size_t i = 0; i < asking->found.documents.n; i++) {
        TRY(push_uuid(asking, asking->found.documents.items[i].entry_uuid, uuids));
    }
    return OK;
}

static struct status
push_packages(struct asking *asking, struct span_list *uuids)
{
    for (size_t i = 0; i < asking->found.submission_sets.n; i++) {
        TRY(push_uuid(asking, asking->found.submission_sets.items[i].entry_uuid, uuids));
    }
    for (size_t i = 0; i < asking->found.folders.n; i++) {
        TRY(push_uuid(asking, asking->found.folders.items[i].entry_uuid, uuids));
    }
    return OK;
}

static struct status
named_documents(struct asking *asking, struct document_list *ret_documents)
{
    const struct store_question *question = asking->question;

    return sqlite_get_documents(asking->store, asking->conn, &question->entry_uuids,
                                &question->unique_ids, asking->arena, asking->diag, ret_documents);
}

static struct status
packages_of(struct asking *asking, enum sqlite_package_kind kind, const struct span_list *uuids,
            const struct span_list *unique_ids)
{
    struct sqlite_packages packages = {asking->found.submission_sets, asking->found.folders};

    TRY(sqlite_get_packages(asking->store, asking->conn, kind, uuids, unique_ids, asking->arena,
                            asking->diag, &packages));
    asking->found.submission_sets = packages.sets;
    asking->found.folders = packages.folders;
    return OK;
}

static struct status
associations_of(struct asking *asking, enum sqlite_end end, const struct span_list *uuids,
                const struct span_list *types, struct association_list *associations)
{
    return sqlite_get_associations(asking->store, asking->conn, end, uuids, types, asking->arena,
                                   asking->diag, associations);
}

static struct status
members_of(struct asking *asking, enum sqlite_end end, const struct span_list *uuids,
           struct association_list *associations)
{
    struct span has_member = SPAN(ASSOCIATION_HAS_MEMBER);
    const struct span_list types = {&has_member, 1, 1};

    return associations_of(asking, end, uuids, &types, associations);
}

static struct status
push_ends(struct asking *asking, const struct association_list *associations, enum sqlite_end end,
          struct span_list *uuids)
{
    for (size_t i = 0; i < associations->n; i++) {
        const struct association *a = &associations->items[i];

        TRY(push_uuid(asking, end == SQLITE_END_SOURCE ? a->source : a->target, uuids));
    }
    return OK;
}

static struct status
filter_documents(struct asking *asking, const struct span_list *uuids)
{
    return sqlite_filter_documents(asking->store, asking->conn, uuids, &asking->question->filter,
                                   asking->arena, asking->diag, &asking->found.documents);
}

/* ---- queries by a patient ---- */

static struct status
ask_documents(struct asking *asking)
{
    const struct store_question *question = asking->question;
    const struct span_list_set no_references = {0};
    const bool is_by_reference = question->kind == STORE_FIND_BY_REFERENCE_ID;

    return sqlite_find_documents(asking->store, asking->conn, &question->filter,
                                 is_by_reference ? &question->reference_ids : &no_references,
                                 asking->arena, asking->diag, &asking->found.documents);
}

static struct status
find_packages(struct asking *asking, enum sqlite_package_kind kind,
              const struct sqlite_package_filter *filter)
{
    struct sqlite_packages packages = {asking->found.submission_sets, asking->found.folders};

    TRY(sqlite_find_packages(asking->store, asking->conn, kind, filter, asking->arena, asking->diag,
                             &packages));
    asking->found.submission_sets = packages.sets;
    asking->found.folders = packages.folders;
    return OK;
}

static struct status
ask_submission_sets(struct asking *asking)
{
    const struct store_question *question = asking->question;
    const struct sqlite_package_filter filter = {
        .patient_id = question->filter.patient_id,
        .status = question->set_status,
        .source_ids = question->source_ids,
        .from = question->submitted_from,
        .to = question->submitted_to,
        .author = question->set_author,
        .codes = &question->content_types,
        .codes_n = 1,
    };

    return find_packages(asking, SQLITE_PACKAGE_SET, &filter);
}

static struct status
ask_folders(struct asking *asking)
{
    const struct store_question *question = asking->question;
    const struct sqlite_package_filter filter = {
        .patient_id = question->filter.patient_id,
        .status = question->folder_status,
        .from = question->updated_from,
        .to = question->updated_to,
        .codes = question->folder_codes.items,
        .codes_n = question->folder_codes.n,
    };

    return find_packages(asking, SQLITE_PACKAGE_FOLDER, &filter);
}

static struct status
ask_all(struct asking *asking)
{
    const struct store_question *question = asking->question;
    const struct store_filter documents = {
        .patient_id = question->filter.patient_id,
        .status = question->filter.status,
        .object_types = question->filter.object_types,
        .format_codes = question->filter.format_codes,
        .confidentiality = question->filter.confidentiality,
    };
    const struct sqlite_package_filter sets = {.patient_id = question->filter.patient_id,
                                               .status = question->set_status};
    const struct sqlite_package_filter folders = {.patient_id = question->filter.patient_id,
                                                  .status = question->folder_status};
    const struct span_list_set no_references = {0};
    struct span_list uuids = {0};

    TRY(sqlite_find_documents(asking->store, asking->conn, &documents, &no_references,
                              asking->arena, asking->diag, &asking->found.documents));
    TRY(find_packages(asking, SQLITE_PACKAGE_SET, &sets));
    TRY(find_packages(asking, SQLITE_PACKAGE_FOLDER, &folders));
    TRY(push_documents(asking, &uuids));
    TRY(push_packages(asking, &uuids));
    return associations_of(asking, SQLITE_END_EITHER, &uuids, &none, &asking->found.associations);
}

/* ---- queries by ids ---- */

static struct status
ask_named_documents(struct asking *asking)
{
    return named_documents(asking, &asking->found.documents);
}

static struct status
ask_named_folders(struct asking *asking)
{
    return packages_of(asking, SQLITE_PACKAGE_FOLDER, &asking->question->entry_uuids,
                       &asking->question->unique_ids);
}

static struct status
ask_associations(struct asking *asking)
{
    return associations_of(asking, SQLITE_END_EITHER, &asking->question->entry_uuids, &none,
                           &asking->found.associations);
}

static struct status
ask_documents_and_associations(struct asking *asking)
{
    struct span_list uuids = {0};

    TRY(named_documents(asking, &asking->found.documents));
    TRY(push_documents(asking, &uuids));
    return associations_of(asking, SQLITE_END_EITHER, &uuids, &none, &asking->found.associations);
}

/* Sets that have one of the objects as a member, and the associations that say so. */
static struct status
ask_sets_of(struct asking *asking)
{
    struct association_list members = {0};
    struct span_list sources = {0};

    TRY(members_of(asking, SQLITE_END_TARGET, &asking->question->entry_uuids, &members));
    TRY(push_ends(asking, &members, SQLITE_END_SOURCE, &sources));
    if (sources.n > 0) {
        TRY(packages_of(asking, SQLITE_PACKAGE_SET, &sources, &none));
    }
    sources = (struct span_list){0};
    TRY(push_packages(asking, &sources)); /* without folders, which have members, too */
    for (size_t i = 0; i < members.n; i++) {
        if (has_uuid(&sources, members.items[i].source)) {
            TRY(ARENA_PUSH(asking->arena, asking->diag, &asking->found.associations,
                           members.items[i]));
        }
    }
    return OK;
}

/* Is it a member that is a document, and is the document not in the answer? */
static bool
is_filtered_out(const struct asking *asking, const struct association *association,
                const struct document_list *all)
{
    return span_eq_cstr(association->type, ASSOCIATION_HAS_MEMBER) &&
           has_document(all, association->target) &&
           !has_document(&asking->found.documents, association->target);
}

static struct status
push_contents(struct asking *asking, const struct association_list *associations,
              const struct document_list *all)
{
    for (size_t i = 0; i < associations->n; i++) {
        if (!is_filtered_out(asking, &associations->items[i], all)) {
            TRY(ARENA_PUSH(asking->arena, asking->diag, &asking->found.associations,
                           associations->items[i]));
        }
    }
    return OK;
}

/* A package's members: what it names, and how. */
static struct status
ask_contents(struct asking *asking, enum sqlite_package_kind kind)
{
    struct association_list members = {0}, inner = {0};
    struct document_list all = {0};
    struct span_list uuids = {0}, targets = {0}, inner_targets = {0};

    TRY(packages_of(asking, kind, &asking->question->entry_uuids, &asking->question->unique_ids));
    TRY(push_packages(asking, &uuids));
    TRY(members_of(asking, SQLITE_END_SOURCE, &uuids, &members));
    TRY(push_ends(asking, &members, SQLITE_END_TARGET, &targets));
    if (targets.n == 0) {
        return OK;
    }
    TRY(filter_documents(asking, &targets));
    if (kind == SQLITE_PACKAGE_SET) {
        TRY(packages_of(asking, SQLITE_PACKAGE_FOLDER, &targets, &none));
        TRY(associations_of(asking, SQLITE_END_SELF, &targets, &none, &inner));
        TRY(push_ends(asking, &inner, SQLITE_END_TARGET, &inner_targets));
        for (size_t i = 0; i < inner_targets.n; i++) {
            TRY(push_uuid(asking, inner_targets.items[i], &targets));
        }
    }
    TRY(sqlite_get_documents(asking->store, asking->conn, &targets, &none, asking->arena,
                             asking->diag, &all));
    TRY(push_contents(asking, &members, &all));
    return push_contents(asking, &inner, &all);
}

static struct status
ask_set_and_contents(struct asking *asking)
{
    return ask_contents(asking, SQLITE_PACKAGE_SET);
}

static struct status
ask_folder_and_contents(struct asking *asking)
{
    return ask_contents(asking, SQLITE_PACKAGE_FOLDER);
}

static struct status
ask_folders_for_document(struct asking *asking)
{
    struct association_list members = {0};
    struct document_list documents = {0};
    struct span_list uuids = {0}, sources = {0};

    TRY(named_documents(asking, &documents));
    for (size_t i = 0; i < documents.n; i++) {
        TRY(push_uuid(asking, documents.items[i].entry_uuid, &uuids));
    }
    TRY(members_of(asking, SQLITE_END_TARGET, &uuids, &members));
    TRY(push_ends(asking, &members, SQLITE_END_SOURCE, &sources));
    return sources.n > 0 ? packages_of(asking, SQLITE_PACKAGE_FOLDER, &sources, &none) : OK;
}

/* ---- related documents ---- */

static struct status
push_other_ends(struct asking *asking, const struct association_list *associations,
                const struct span_list *named, struct span_list *others)
{
    for (size_t i = 0; i < associations->n; i++) {
        const struct association *a = &associations->items[i];

        if (!has_uuid(named, a->source)) {
            TRY(push_uuid(asking, a->source, others));
        }
        if (!has_uuid(named, a->target)) {
            TRY(push_uuid(asking, a->target, others));
        }
    }
    return OK;
}

static struct status
ask_related(struct asking *asking)
{
    struct association_list associations = {0};
    struct document_list documents = {0};
    struct span_list named = {0}, others = {0};

    TRY(named_documents(asking, &documents));
    for (size_t i = 0; i < documents.n; i++) {
        TRY(push_uuid(asking, documents.items[i].entry_uuid, &named));
    }
    TRY(associations_of(asking, SQLITE_END_EITHER, &named, &asking->question->association_types,
                        &associations));
    TRY(push_other_ends(asking, &associations, &named, &others));
    TRY(filter_documents(asking, &others));
    others = (struct span_list){0};
    TRY(push_documents(asking, &others));
    for (size_t i = 0; i < associations.n; i++) {
        const struct association *a = &associations.items[i];

        if ((has_uuid(&named, a->source) || has_uuid(&others, a->source)) &&
            (has_uuid(&named, a->target) || has_uuid(&others, a->target))) {
            TRY(ARENA_PUSH(asking->arena, asking->diag, &asking->found.associations, *a));
        }
    }
    for (size_t i = 0; asking->found.associations.n > 0 && i < documents.n; i++) {
        TRY(ARENA_PUSH(asking->arena, asking->diag, &asking->found.documents, documents.items[i]));
    }
    return OK;
}

/* ---- */

static struct status (*const asks[STORE_QUESTION_KINDS])(struct asking *asking) = {
    [STORE_FIND_DOCUMENTS] = ask_documents,
    [STORE_FIND_BY_REFERENCE_ID] = ask_documents,
    [STORE_FIND_SUBMISSION_SETS] = ask_submission_sets,
    [STORE_FIND_FOLDERS] = ask_folders,
    [STORE_GET_ALL] = ask_all,
    [STORE_GET_DOCUMENTS] = ask_named_documents,
    [STORE_GET_FOLDERS] = ask_named_folders,
    [STORE_GET_ASSOCIATIONS] = ask_associations,
    [STORE_GET_DOCUMENTS_AND_ASSOCIATIONS] = ask_documents_and_associations,
    [STORE_GET_SUBMISSION_SETS] = ask_sets_of,
    [STORE_GET_SUBMISSION_SET_AND_CONTENTS] = ask_set_and_contents,
    [STORE_GET_FOLDER_AND_CONTENTS] = ask_folder_and_contents,
    [STORE_GET_FOLDERS_FOR_DOCUMENT] = ask_folders_for_document,
    [STORE_GET_RELATED_DOCUMENTS] = ask_related,
};

struct status
sqlite_ask(struct sqlite_store *store, struct db_conn *conn, const struct store_question *question,
           struct arena *arena, struct diag *diag, struct registry_objects *ret_objects)
{
    struct asking asking = {
        .store = store, .conn = conn, .question = question, .arena = arena, .diag = diag};

    TRY(asks[question->kind](&asking));
    TRY(sqlite_results_check(asking.found.documents.n + asking.found.submission_sets.n +
                                 asking.found.folders.n + asking.found.associations.n,
                             diag));
    *ret_objects = asking.found;
    return OK;
}
