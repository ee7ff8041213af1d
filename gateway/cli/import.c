/*
 * Imports files into a store, one transaction each. Called by cmd_import.c and by tests, on one
 * thread. Each file has an arena of its own, so that a large import needs no more memory than its
 * largest document.
 */
#include "cli/import.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/import_files.h"
#include "cli/sidecar.h"
#include "soap/ccda.h"

#define SIDECAR_SUFFIX ".yaml"

struct import {
    struct store *store;
    struct import_listener *listener;
    struct import_summary summary;
};

/* The file itself is at fault, and the next one may be good. */
static bool
is_refusal(enum err code)
{
    switch (code) {
    case ERR_STORE:
    case ERR_STORE_BUSY:
    case ERR_NO_MEMORY:
    case ERR_INTERNAL:
    case ERR_CRYPTO:
        return false;
    default:
        return true;
    }
}

static struct status
describe_by_sidecar(const char *path, struct arena *arena, struct diag *diag,
                    struct import_description *description, struct span *ret_reason)
{
    struct yaml_report report;
    struct sidecar sidecar;

    yaml_report_init(&report);
    struct status st = sidecar_read(path, arena, &report, diag, &sidecar);

    if (is_ok(st)) {
        description->patient = sidecar.patient;
        description->entry = sidecar.entry;
        description->header_id = sidecar.header_id;
    } else if (report.errors > 0) {
        const struct status copied =
            arena_dup(arena, span_trim(buf_span(&report.text)), diag, ret_reason);

        st = is_ok(copied) ? st : copied;
    }
    yaml_report_done(&report);
    return st;
}

static struct status
describe_by_header(struct span bytes, struct arena *arena, struct diag *diag,
                   struct import_description *description)
{
    struct ccda ccda;

    if (!ccda_is_recognised(bytes)) {
        return FAIL(diag, ERR_DOCUMENT,
                    "expected a C-CDA document (root element ClinicalDocument); describe anything "
                    "else in a file of the same name with " SIDECAR_SUFFIX " at its end");
    }
    TRY(ccda_read(bytes, arena, diag, &ccda));
    description->patient = ccda.patient;
    description->entry = ccda.entry;
    description->header_id = ccda.header_id;
    description->assumed = ccda.assumed;
    return OK;
}

/* A document whose patient nobody can ask for would lie in the store unseen. */
static struct status
check_patient(const struct patient *patient, struct diag *diag)
{
    bool has_name = false, is_date = patient->birth_time.n >= 8;

    for (size_t i = 0; i < patient->names.n; i++) {
        has_name |= patient->names.items[i].family.n > 0 && patient->names.items[i].given.n > 0;
    }
    for (size_t i = 0; is_date && i < 8; i++) {
        is_date = patient->birth_time.p[i] >= '0' && patient->birth_time.p[i] <= '9';
    }
    if (!has_name) {
        return FAIL(diag, ERR_DOCUMENT,
                    "the patient has no name with family and given parts, so nobody could ask for "
                    "the document; a sidecar can give one");
    }
    if (!is_date) {
        return FAIL(diag, ERR_DOCUMENT,
                    "the patient's birthTime has no full date (YYYYMMDD), so nobody could ask for "
                    "the document; a sidecar can give one");
    }
    return OK;
}

struct status
import_describe(const char *path, struct arena *arena, struct diag *diag,
                struct import_description *description, struct body *ret_body,
                struct span *ret_reason)
{
    CLEANUP(buf_done) struct buf bytes;
    struct span sidecar;

    buf_init(&bytes, CCDA_BYTES_MAX);
    TRY(arena_printf(arena, diag, &sidecar, "%s" SIDECAR_SUFFIX, path));
    if (access(sidecar.p, F_OK) == 0) {
        const int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd == -1) {
            return FAIL(diag, ERR_IO, "%s: %s", path, strerrordesc_np(errno));
        }
        TRY(body_from_fd(ret_body, fd, diag));
    } else {
        TRY(buf_read_file(&bytes, path, diag));
        body_from_buf(ret_body, &bytes);
    }
    if (ret_body->size == 0) {
        return FAIL(diag, ERR_DOCUMENT, "the file is empty; expected a document");
    }
    TRY(ret_body->kind == BODY_FILE
            ? describe_by_sidecar(sidecar.p, arena, diag, description, ret_reason)
            : describe_by_header(buf_span(&ret_body->memory), arena, diag, description));
    return check_patient(&description->patient, diag);
}

static struct status
put_file(struct store *store, const char *path, struct arena *arena, struct diag *diag,
         struct import_file *file)
{
    CLEANUP(body_done) struct body body;
    struct import_description description = {0};
    struct store_put_result result = {0};

    body_init(&body);
    TRY(import_describe(path, arena, diag, &description, &body, &file->reason));
    const struct store_document document = {
        .patient = &description.patient,
        .entry = &description.entry,
        .header_id = description.header_id,
        .content = &body,
    };

    TRY(store_put_document(store, &document, arena, diag, &result));
    file->outcome = result.kind == STORE_PUT_NEW ? IMPORT_NEW : IMPORT_KNOWN;
    file->unique_id = result.unique_id;
    file->patient_id = result.patient_id;
    file->is_new_patient = result.is_new_patient;
    file->is_unique_id_made = result.is_unique_id_made;
    file->assumed = description.assumed;
    return OK;
}

static void
tell(struct import *import, const struct import_file *file)
{
    struct import_summary *summary = &import->summary;

    summary->new_documents += file->outcome == IMPORT_NEW;
    summary->known_documents += file->outcome == IMPORT_KNOWN;
    summary->refused += file->outcome == IMPORT_REFUSED;
    summary->new_patients += file->outcome == IMPORT_NEW && file->is_new_patient;
    summary->made_ids += file->outcome == IMPORT_NEW && file->is_unique_id_made;
    import->listener->on_file(import->listener, file);
}

static struct status
import_one(struct import *import, const struct import_found *found, struct diag *diag)
{
    struct import_file file = {.path = found->path, .outcome = IMPORT_REFUSED};
    struct diag reason = {0};
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to import a file");
    }
    if (found->reason[0] != '\0') {
        file.reason = span_of_cstr(found->reason);
    } else {
        const struct status st = put_file(import->store, found->path, arena, &reason, &file);

        if (!is_ok(st) && !is_refusal(st.code)) {
            *diag = reason;
            arena_free(arena);
            return st;
        }
        if (!is_ok(st) && file.reason.n == 0) {
            file.reason = span_of_cstr(reason.text);
        }
    }
    tell(import, &file);
    arena_free(arena);
    return OK;
}

struct status
import_paths(struct store *store, const char *const *paths, size_t n,
             struct import_listener *listener, struct diag *diag,
             struct import_summary *ret_summary)
{
    CLEANUP(import_files_done) struct import_files files = {0};
    struct import import = {store, listener, {0}};
    struct status st = OK;

    TRY(import_files_find(paths, n, diag, &files));
    import.summary.files = files.n;
    for (size_t i = 0; i < files.n && is_ok(st); i++) {
        if (listener->on_start != NULL) {
            listener->on_start(listener, files.items[i].path, i + 1, files.n);
        }
        st = import_one(&import, &files.items[i], diag);
    }
    *ret_summary = import.summary;
    return st;
}
