/*
 * Submissions: checks before anything is stored or sent, and the way into our own store. Called by
 * iti80.c and local_iti41.c on the transaction's worker; owns nothing.
 */
#include "txn/provide.h"

#include <stdio.h>

#include "base/ids.h"
#include "soap/rim_register.h"
#include "txn/iti39.h"

#define CONTEXT_ID_MAX ((size_t)80) /* bytes of an id in our texts */

struct status
provide_add_error(struct arena *arena, struct diag *diag, struct registry_error_list *errors,
                  struct span code, struct span context, struct span location)
{
    const struct registry_error error = {.code = code, .context = context, .location = location};

    return ARENA_PUSH(arena, diag, errors, error);
}

bool
provide_has_failed(const struct registry_error_list *errors)
{
    for (size_t i = 0; i < errors->n; i++) {
        if (!errors->items[i].is_warning) {
            return true;
        }
    }
    return false;
}

const struct submission_set *
provide_set(const struct provide_request *request)
{
    return request->objects.submission_sets.n == 1 ? &request->objects.submission_sets.items[0]
                                                   : NULL;
}

/* ---- structure ---- */

static struct status
add_each(struct arena *arena, struct diag *diag, struct registry_error_list *errors,
         struct span code, const char *context, const struct span_list *ids)
{
    for (size_t i = 0; i < ids->n; i++) {
        TRY(provide_add_error(arena, diag, errors, code, span_of_cstr(context),
                              span_slice(ids->items[i], 0, CONTEXT_ID_MAX)));
    }
    return OK;
}

/* REQ: ITI41-missing-document */
struct status
provide_check(const struct provide_request *request, struct arena *arena, struct diag *diag,
              struct registry_error_list *errors)
{
    const size_t sets = request->objects.submission_sets.n;
    struct span text;

    if (sets != 1) {
        TRY(arena_printf(arena, diag, &text, "expected one SubmissionSet, got %zu", sets));
        TRY(provide_add_error(arena, diag, errors, SPAN("XDSRepositoryMetadataError"), text,
                              SPAN_EMPTY));
    }
    TRY(add_each(arena, diag, errors, SPAN("XDSMissingDocument"),
                 "a DocumentEntry has no Document with its id",
                 &request->entries_without_document));
    TRY(add_each(arena, diag, errors, SPAN("XDSMissingDocumentMetadata"),
                 "a Document has no DocumentEntry with its id", &request->documents_without_entry));
    return add_each(arena, diag, errors, SPAN("XDSMissingDocumentMetadata"),
                    "no Document names this MIME part", &request->parts_without_document);
}

/* ---- whose it may be ---- */

struct own_check {
    const struct config *config;
    struct arena *arena;
    struct diag *diag;
    struct registry_error_list *errors;
};

static struct status
check_home(const struct own_check *check, struct span home, struct span id)
{
    struct span oid;

    if (home.n == 0 ||
        (home_community_oid(home, &oid) && span_eq_cstr(oid, check->config->community))) {
        return OK;
    }
    return provide_add_error(check->arena, check->diag, check->errors, SPAN("XDSUnknownCommunity"),
                             SPAN("an object has the home of another community"),
                             span_slice(id, 0, CONTEXT_ID_MAX));
}

/* REQ: ITI41-missing-metadata */
static struct status
check_documents(const struct own_check *check, const struct document_list *documents)
{
    for (size_t i = 0; i < documents->n; i++) {
        const struct document_entry *entry = &documents->items[i];

        TRY(check_home(check, entry->home, entry->entry_uuid));
        if (entry->repository.n > 0 &&
            !span_eq_cstr(entry->repository, check->config->repository)) {
            TRY(provide_add_error(check->arena, check->diag, check->errors,
                                  SPAN("XDSUnknownRepositoryId"),
                                  SPAN("a DocumentEntry has the repository of somebody else"),
                                  span_slice(entry->entry_uuid, 0, CONTEXT_ID_MAX)));
        }
    }
    return OK;
}

struct status
provide_check_own(const struct config *config, const struct provide_request *request,
                  struct arena *arena, struct diag *diag, struct registry_error_list *errors)
{
    const struct own_check check = {config, arena, diag, errors};
    const struct registry_objects *objects = &request->objects;

    if (!config->asks_store) {
        return provide_add_error(arena, diag, errors, SPAN("UnavailableRecipient"),
                                 SPAN("the community's own registries are not written to by this "
                                      "gateway"),
                                 SPAN_EMPTY);
    }
    TRY(check_documents(&check, &objects->documents));
    for (size_t i = 0; i < objects->submission_sets.n; i++) {
        const struct submission_set *set = &objects->submission_sets.items[i];

        TRY(check_home(&check, set->home, set->entry_uuid));
    }
    for (size_t i = 0; i < objects->folders.n; i++) {
        const struct folder *folder = &objects->folders.items[i];

        TRY(check_home(&check, folder->home, folder->entry_uuid));
    }
    for (size_t i = 0; i < objects->associations.n; i++) {
        const struct association *association = &objects->associations.items[i];

        TRY(check_home(&check, association->home, association->entry_uuid));
    }
    return OK;
}

/* The SubmissionSet, or a Folder that is new. */
static bool
has_package(const struct registry_objects *objects, struct span id)
{
    for (size_t i = 0; i < objects->submission_sets.n; i++) {
        if (span_eq(objects->submission_sets.items[i].entry_uuid, id)) {
            return true;
        }
    }
    for (size_t i = 0; i < objects->folders.n; i++) {
        if (span_eq(objects->folders.items[i].entry_uuid, id)) {
            return true;
        }
    }
    return false;
}

/* What a partner's association would change of what we have; empty: nothing. */
static struct span
foreign_change(const struct registry_objects *objects, const struct association *association,
               struct span *ret_context)
{
    if (association->previous_version.n > 0) {
        *ret_context = SPAN("metadata that is registered is not changed by other communities");
        return SPAN("XDSRepositoryMetadataError");
    }
    if (span_eq(association->type, SPAN(ASSOCIATION_HAS_MEMBER)) &&
        !has_package(objects, association->source)) {
        *ret_context = SPAN("a folder that is registered is not added to by other communities");
        return SPAN("PartialFolderContentNotProcessed");
    }
    return SPAN_EMPTY;
}

struct status
provide_check_foreign(const struct provide_request *request, struct arena *arena, struct diag *diag,
                      struct registry_error_list *errors)
{
    const struct association_list *associations = &request->objects.associations;

    for (size_t i = 0; i < associations->n; i++) {
        const struct association *association = &associations->items[i];
        struct span context = SPAN_EMPTY;
        const struct span code = foreign_change(&request->objects, association, &context);

        if (code.n > 0) {
            TRY(provide_add_error(arena, diag, errors, code, context,
                                  span_slice(association->entry_uuid, 0, CONTEXT_ID_MAX)));
        }
    }
    return OK;
}

/* ---- whom it is for ---- */

/* The <n>th component (1: the first); empty when there are fewer. */
static struct span
component_of(struct span field, size_t n)
{
    struct span component = SPAN_EMPTY;

    for (size_t at = 0; at < n; at++) {
        if (!span_split(&field, '^', &component)) {
            return SPAN_EMPTY;
        }
    }
    return component;
}

/* The universal id of a hierarchic designator (namespace&universal id&type). */
static struct span
authority_of(struct span designator)
{
    struct span namespace_id, authority = SPAN_EMPTY;

    (void)span_split(&designator, '&', &namespace_id);
    (void)span_split(&designator, '&', &authority);
    return authority;
}

/* Of XON|XCN|XTN (ITI TF-3 Table 4.2.3.3-1): the id of the organization (XON.10) when it is an OID,
 * else the authority that numbers it (XON.6.2); where only a person is named, the authority that
 * numbers the person (XCN.9.2), which is the organization that has him. Empty: there is none. */
static struct span
organization_of(struct span recipient)
{
    struct span rest = recipient, xon = SPAN_EMPTY, xcn = SPAN_EMPTY;

    (void)span_split(&rest, '|', &xon);
    (void)span_split(&rest, '|', &xcn);
    const struct span id = component_of(xon, 10), authority = authority_of(component_of(xon, 6));

    return oid_is_valid(id) ? id : authority.n > 0 ? authority : authority_of(component_of(xcn, 9));
}

/* What `recipients:` says of one recipient, beside what it says of those before. */
/* REQ: ITI80-recipient */
static struct status
take_recipient(const struct config *config, struct span recipient, struct arena *arena,
               struct diag *diag, struct registry_error_list *errors, struct span *community)
{
    const struct span organization = organization_of(recipient);
    const struct span location = span_slice(organization, 0, CONTEXT_ID_MAX);
    const char *found = config_community_of_recipient(config, organization);

    if (found == NULL) {
        return provide_add_error(arena, diag, errors, SPAN("UnknownRecipient"),
                                 SPAN("an intendedRecipient is not known here"), location);
    }
    if (community->n > 0 && !span_eq_cstr(*community, found)) {
        return provide_add_error(
            arena, diag, errors, SPAN("UnknownRecipient"),
            SPAN("the intendedRecipients belong to several communities; send one submission each"),
            location);
    }
    *community = span_of_cstr(found);
    return OK;
}

struct status
provide_community(const struct config *config, const struct provide_request *request,
                  struct arena *arena, struct diag *diag, struct registry_error_list *errors,
                  struct span *ret_community)
{
    const struct submission_set *set = provide_set(request);
    struct span community = SPAN_EMPTY;

    if (request->target_home.n > 0) {
        if (!home_community_oid(request->target_home, &community)) {
            TRY(provide_add_error(arena, diag, errors, SPAN("XDSUnknownCommunity"),
                                  SPAN("slot homeCommunityId is no homeCommunityId"), SPAN_EMPTY));
            community = SPAN_EMPTY;
        }
        *ret_community = community;
        return OK;
    }
    for (size_t i = 0; set != NULL && config->recipients_n > 0 && i < set->intended_recipients.n;
         i++) {
        TRY(take_recipient(config, set->intended_recipients.items[i], arena, diag, errors,
                           &community));
    }
    *ret_community = community;
    return OK;
}

bool
provide_may_go(const struct config *config, struct span community)
{
    return span_eq_cstr(community, config->community) ||
           config_partner_of_community(config, community) != NULL;
}

/* ---- the record ---- */

struct status
provide_note(const struct provide_request *request, struct arena *arena, struct diag *diag,
             struct audit_event *event)
{
    const struct submission_set *set = provide_set(request);

    if (set != NULL) {
        event->submission_set = set->unique_id;
    }
    if (set != NULL && set->patient_id.n > 0) {
        TRY(ARENA_PUSH(arena, diag, &event->patients, set->patient_id));
    }
    for (size_t i = 0; i < request->objects.documents.n; i++) {
        const struct document_entry *entry = &request->objects.documents.items[i];
        const struct document_ref ref = {entry->home, entry->repository, entry->unique_id};

        TRY(ARENA_PUSH(arena, diag, &event->documents, ref));
    }
    return OK;
}

/* ---- our own store ---- */

/* A Document Recipient has a repository's form of the codes that come in two (ITI TF-3 Table
 * 4.2.4.1-2). */
static struct span
repository_code(struct span code)
{
    static const char *const twins[][2] = {
        {"XDSRegistryError", "XDSRepositoryError"},
        {"XDSRegistryBusy", "XDSRepositoryBusy"},
        {"XDSRegistryOutOfResources", "XDSRepositoryOutOfResources"},
        {"XDSRegistryMetadataError", "XDSRepositoryMetadataError"},
        {"XDSRegistryDuplicateUniqueIdInMessage", "XDSRepositoryDuplicateUniqueIdInMessage"},
    };

    for (size_t i = 0; i < ARRAY_LEN(twins); i++) {
        if (span_eq_cstr(code, twins[i][0])) {
            return span_of_cstr(twins[i][1]);
        }
    }
    return code;
}

struct status
provide_store(struct store *store, const struct provide_request *request, const struct span *sender,
              struct park *park, struct arena *arena, struct diag *diag, enum answer *ret_answer,
              struct registry_error_list *errors)
{
    const struct submission_set *set = provide_set(request);
    struct submitted_document *documents;
    struct store_submission submission = {.objects = &request->objects,
                                          .documents_n = request->documents.n,
                                          .patients = set->is_limited ? STORE_PATIENTS_SOURCE
                                                                      : STORE_PATIENTS_KNOWN,
                                          .is_foreign = sender != NULL,
                                          .sender = sender == NULL ? SPAN_EMPTY : *sender,
                                          .write_texts = rim_register};
    struct store_submitted submitted = {0};

    TRY(ARENA_ARRAY(arena, request->documents.n + 1, diag, &documents));
    for (size_t i = 0; i < request->documents.n; i++) {
        documents[i].entry_id = request->documents.items[i].entry_id;
        documents[i].content = &request->documents.items[i].body;
    }
    submission.documents = documents;
    TRY(store_submit(store, &submission, park, arena, diag, ret_answer, &submitted));
    if (*ret_answer == ANSWER_LATER) {
        return OK;
    }
    for (size_t i = 0; i < submitted.errors.n; i++) {
        struct registry_error error = submitted.errors.items[i];

        error.code = repository_code(error.code);
        TRY(ARENA_PUSH(arena, diag, errors, error));
    }
    return OK;
}

/* ---- the answer ---- */

struct span
provide_error_code(enum err code)
{
    if ((err_class(code) == ERR_CLASS_PARTNER && code != ERR_PARTNER_REFUSED) ||
        err_class(code) == ERR_CLASS_CONFIG) { /* no endpoint: it cannot be reached */
        return SPAN("UnavailableRecipient");
    }
    return repository_code(iti39_error_code(code));
}

struct status
provide_write_answer(const struct registry_error_list *errors, struct buf *out, struct diag *diag)
{
    const struct registry_response response = {
        .status = provide_has_failed(errors) ? REGISTRY_FAILURE : REGISTRY_SUCCESS,
        .errors = *errors,
    };

    return registry_response_write(&response, out, diag);
}

struct status
provide_refuse(const struct registry_error_list *errors, struct diag *diag)
{
    char codes[160] = "";
    size_t n = 0, shown = 0;

    for (size_t i = 0; i < errors->n && n + 60 < sizeof(codes); i++) {
        const struct registry_error *error = &errors->items[i];

        if (!error->is_warning) {
            n += (size_t)snprintf(codes + n, sizeof(codes) - n, "%s%.*s", shown == 0 ? "" : ", ",
                                  SPAN_PRINT(span_slice(error->code, 0, 50)));
            shown++;
        }
    }
    return FAIL(diag, ERR_SUBMISSION, "the submission was refused whole: %s%s", codes,
                shown < errors->n ? " (and more)" : "");
}
