/*
 * Reading all chains of a folder as one journal: merged by time, followed, searched.
 * Called by the command line and by tests, on the caller's thread; no locks are taken.
 */
#include "audit/journal.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/chain.h"
#include "base/mem.h"

struct source {
    char name[JOURNAL_CHAIN_MAX + 1];
    uint64_t last;       /* begin with the last so many records */
    uint64_t from;       /* of a scope: begin with this one; 0 with the first */
    struct chain *chain; /* NULL: not opened yet */
    bool has_record;     /* chain->record was read and not yet given */
    struct span payload; /* of it */
    bool is_at_end;      /* asked again only when every chain is */
    bool is_broken;
};

struct journal_reader {
    char dir[PATH_MAX];
    struct journal_place place; /* <dir>, and the caller's keys */
    struct journal_scope scope; /* without functions: everything */
    struct source *sources;     /* in order of names */
    size_t n, capacity;
};

/* ---- the chains of a folder ---- */

static bool
has_source(const struct journal_reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->n; i++) {
        if (strcmp(reader->sources[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static struct status
reserve_source(struct journal_reader *reader, struct diag *diag)
{
    if (reader->n < reader->capacity) {
        return OK;
    }
    const size_t wanted = reader->capacity == 0 ? 16 : reader->capacity * 2;
    struct source *sources = mem_resize(reader->sources, wanted * sizeof(*sources));
    if (sources == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to read %zu chains", wanted);
    }
    reader->sources = sources;
    reader->capacity = wanted;
    return OK;
}

static struct status
add_source(struct journal_reader *reader, const char *name, uint64_t last, struct diag *diag)
{
    TRY(reserve_source(reader, diag));
    size_t at = reader->n;
    while (at > 0 && strcmp(reader->sources[at - 1].name, name) > 0) {
        reader->sources[at] = reader->sources[at - 1];
        at--;
    }
    struct source source = {.last = last};
    if (reader->scope.from != NULL) {
        source.from = reader->scope.from(reader->scope.arg, name);
    }
    (void)snprintf(source.name, sizeof(source.name), "%.*s", JOURNAL_CHAIN_MAX, name);
    reader->sources[at] = source;
    reader->n++;
    return OK;
}

static bool
is_chain(const char *dir, const char *name)
{
    char path[PATH_MAX];
    struct diag ignored = {0};
    struct stat info;
    return journal_chain_is_valid(span_of_cstr(name)) &&
           is_ok(journal_path(path, dir, name, &ignored)) && stat(path, &info) == 0 &&
           S_ISDIR(info.st_mode);
}

static struct status
add_new_sources(struct journal_reader *reader, DIR *folder, uint64_t last, struct diag *diag)
{
    const struct dirent *entry = NULL;
    while ((entry = readdir(folder)) != NULL) {
        if (!has_source(reader, entry->d_name) && is_chain(reader->dir, entry->d_name)) {
            TRY(add_source(reader, entry->d_name, last, diag));
        }
    }
    return OK;
}

static struct status
find_chains(struct journal_reader *reader, uint64_t last, struct diag *diag)
{
    char why[64];
    DIR *folder = opendir(reader->dir);
    if (folder == NULL) {
        return FAIL(diag, ERR_JOURNAL, "cannot read the journal's folder %s: %s", reader->dir,
                    journal_errno(why));
    }
    const struct status st = add_new_sources(reader, folder, last, diag);
    (void)closedir(folder);
    return st;
}

static struct status
open_source(const struct journal_place *place, struct source *source, struct diag *diag)
{
    return source->from == 0
               ? chain_open_last(place, source->name, source->last, diag, &source->chain)
               : chain_open(place, source->name, source->from, diag, &source->chain);
}

/* "The last records" are those of now. What cannot be opened is tried, and said, by the first read.
 */
static void
open_sources(struct journal_reader *reader)
{
    for (size_t i = 0; i < reader->n; i++) {
        struct source *source = &reader->sources[i];
        struct diag ignored = {0};
        (void)is_ok(open_source(&reader->place, source, &ignored));
    }
}

static struct status
open_reader(const struct journal_place *place, uint64_t last, const struct journal_scope *scope,
            struct diag *diag, struct journal_reader **ret_reader)
{
    struct journal_reader *reader = mem_alloc(sizeof(*reader));
    if (reader == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to read a journal");
    }
    struct status st = OK;
    if (scope != NULL) {
        reader->scope = *scope;
    }
    if (snprintf(reader->dir, sizeof(reader->dir), "%s", place->dir) >= PATH_MAX) {
        st = FAIL(diag, ERR_JOURNAL, "the path of the journal is longer than %d bytes",
                  PATH_MAX - 1);
    }
    reader->place = (struct journal_place){reader->dir, place->keys};
    if (is_ok(st)) {
        st = find_chains(reader, last, diag);
    }
    if (!is_ok(st)) {
        journal_reader_close(reader);
        return st;
    }
    open_sources(reader);
    *ret_reader = reader;
    return OK;
}

struct status
journal_reader_open(const struct journal_place *place, uint64_t last, struct diag *diag,
                    struct journal_reader **ret_reader)
{
    return open_reader(place, last, NULL, diag, ret_reader);
}

struct status
journal_reader_open_scoped(const struct journal_place *place, const struct journal_scope *scope,
                           struct diag *diag, struct journal_reader **ret_reader)
{
    return open_reader(place, UINT64_MAX, scope, diag, ret_reader);
}

void
journal_reader_close(struct journal_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    for (size_t i = 0; i < reader->n; i++) {
        chain_close(reader->sources[i].chain);
    }
    mem_free(reader->sources);
    mem_free(reader);
}

/* ---- merging ---- */

static struct status
read_event_record(const struct journal_place *place, struct source *source, struct diag *diag)
{
    if (source->chain == NULL) {
        TRY(open_source(place, source, diag));
    }
    bool has = true;
    do {
        TRY(chain_next(source->chain, diag, &has));
    } while (has && source->chain->head.type != RECORD_EVENT);
    if (has) {
        TRY(chain_payload(source->chain, diag, &source->payload));
    }
    source->has_record = has;
    source->is_at_end = !has;
    return OK;
}

/* Every chain that may have one has its next record read. */
static struct status
fill(struct journal_reader *reader, struct diag *diag)
{
    for (size_t i = 0; i < reader->n; i++) {
        struct source *source = &reader->sources[i];
        if (source->has_record || source->is_at_end || source->is_broken) {
            continue;
        }
        const struct status st = read_event_record(&reader->place, source, diag);
        if (!is_ok(st)) {
            source->is_broken = true;
            return st;
        }
    }
    return OK;
}

static bool
may_be_given(const struct journal_reader *reader, const struct source *source)
{
    return reader->scope.until == NULL ||
           source->chain->head.sequence <= reader->scope.until(reader->scope.arg, source->name);
}

static struct source *
earliest(struct journal_reader *reader)
{
    struct source *found = NULL;
    for (size_t i = 0; i < reader->n; i++) {
        struct source *source = &reader->sources[i];
        if (source->has_record && may_be_given(reader, source) &&
            (found == NULL || source->chain->head.wall_us < found->chain->head.wall_us)) {
            found = source;
        }
    }
    return found;
}

static void
describe(const struct chain *chain, struct span payload, struct journal_record *ret_record)
{
    *ret_record = (struct journal_record){
        .chain = chain->name,
        .sequence = chain->head.sequence,
        .time_us = chain->head.wall_us,
        .payload = payload,
    };
    hex_encode(chain->previous, SHA256_BYTES, ret_record->hash);
}

/* The chain's current record; *ret_goes_on: whether more are wanted. */
static struct status
give(struct chain *chain, journal_visit visit, void *arg, struct diag *diag, bool *ret_goes_on)
{
    struct journal_record record;
    struct span payload;
    TRY(chain_payload(chain, diag, &payload));
    describe(chain, payload, &record);
    *ret_goes_on = visit(arg, &record);
    return OK;
}

static void
ask_all_again(struct journal_reader *reader)
{
    for (size_t i = 0; i < reader->n; i++) {
        reader->sources[i].is_at_end = false;
    }
}

struct status
journal_reader_next(struct journal_reader *reader, struct diag *diag, bool *ret_has,
                    struct journal_record *ret_record)
{
    *ret_has = false;
    TRY(fill(reader, diag));
    struct source *source = earliest(reader);
    if (source == NULL) {
        ask_all_again(reader);
        return find_chains(reader, UINT64_MAX, diag);
    }
    describe(source->chain, source->payload, ret_record);
    source->has_record = false; /* its bytes stay until the next call reads on */
    *ret_has = true;
    return OK;
}

struct status
journal_reader_sync(struct journal_reader *reader, const char *chain, struct diag *diag)
{
    for (size_t i = 0; i < reader->n; i++) {
        const struct source *source = &reader->sources[i];
        if (source->chain != NULL && source->chain->segment.fd != -1 &&
            strcmp(source->name, chain) == 0) {
            return segment_sync(&reader->sources[i].chain->segment, diag);
        }
    }
    return FAIL(diag, ERR_NOT_FOUND, "chain '%s' is not being read", chain);
}

struct status
journal_read(const struct journal_place *place, journal_visit visit, void *arg, struct diag *diag)
{
    struct journal_reader *reader = NULL;
    TRY(journal_reader_open(place, UINT64_MAX, diag, &reader));
    struct status st = OK;
    bool has = true;
    while (is_ok(st) && has) {
        struct journal_record record;
        st = journal_reader_next(reader, diag, &has, &record);
        has = is_ok(st) && has && visit(arg, &record);
    }
    journal_reader_close(reader);
    return st;
}

struct status
journal_read_chain(const struct journal_place *place, const char *chain, uint64_t from,
                   journal_visit visit, void *arg, struct diag *diag)
{
    struct chain *opened = NULL;
    bool has = true;
    TRY(chain_open(place, chain, from, diag, &opened));
    struct status st = OK;
    while (is_ok(st) && has) {
        st = chain_next(opened, diag, &has);
        if (is_ok(st) && has && opened->head.type == RECORD_EVENT) {
            st = give(opened, visit, arg, diag, &has);
        }
    }
    chain_close(opened);
    return st;
}

struct status
journal_chains(const struct journal_place *place,
               struct status (*visit)(void *arg, const char *chain), void *arg, struct diag *diag)
{
    struct journal_reader *reader = NULL;
    TRY(journal_reader_open(place, 0, diag, &reader));
    struct status st = OK;
    for (size_t i = 0; i < reader->n && is_ok(st); i++) {
        st = visit(arg, reader->sources[i].name);
    }
    journal_reader_close(reader);
    return st;
}

struct status
journal_find(const struct journal_place *place, const char *chain, uint64_t sequence,
             journal_visit visit, void *arg, struct diag *diag)
{
    struct chain *opened = NULL;
    bool has = false;
    if (!is_chain(place->dir, chain)) {
        return FAIL(diag, ERR_NOT_FOUND, "there is no chain '%s' in %s", chain, place->dir);
    }
    TRY(chain_open(place, chain, sequence, diag, &opened));
    struct status st = chain_next(opened, diag, &has);
    if (is_ok(st) && has && opened->head.sequence == sequence) {
        st = give(opened, visit, arg, diag, &has);
    } else if (is_ok(st)) {
        st = FAIL(diag, ERR_NOT_FOUND, "chain '%s' has no record %llu", chain,
                  (unsigned long long)sequence);
    }
    chain_close(opened);
    return st;
}
