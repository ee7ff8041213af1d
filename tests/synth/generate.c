/*
 * Builds a world, writes its documents, works out the truth by the stated rules and holds it
 * against what each case planned. Called by synth.c; memory lives in one arena until the end.
 */
#include "tests/synth/generate.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "tests/synth/ccda.h"
#include "tests/synth/truth.h"

#define WORLD_ARENA_BYTES ((size_t)512 * 1024 * 1024)
#define SSN_ROOT          SPAN("2.16.840.1.113883.4.1")

struct job {
    struct world world;
    struct truth truth;
    struct truth_items items[WORLD_COMMUNITIES_MAX];
    struct span *contents; /* one per document */
    struct arena *arena;
    struct diag *diag;
};

/* ---- documents ---- */

static struct status
write_content(struct job *job, size_t index)
{
    struct world_document *document = &job->world.documents.items[index];
    struct buf out;

    buf_init(&out, CCDA_MOST_BYTES);
    struct status st = ccda_write(&job->world, document, &out, job->diag);

    if (is_ok(st)) {
        st = digest_sha256_hex(buf_span(&out), job->diag, document->sha256);
    }
    if (is_ok(st)) {
        document->bytes = out.n;
        st = arena_dup(job->arena, buf_span(&out), job->diag, &job->contents[index]);
    }
    buf_done(&out);
    if (is_ok(st) && document->bytes < CCDA_LEAST_BYTES) {
        return FAIL(job->diag, ERR_INTERNAL, "document %zu has only %zu bytes", index,
                    document->bytes);
    }
    return st;
}

static struct status
write_contents(struct job *job)
{
    const size_t n = job->world.documents.n;

    TRY(ARENA_ARRAY(job->arena, n, job->diag, &job->contents));
    for (size_t i = 0; i < n; i++) {
        TRY(write_content(job, i));
    }
    return OK;
}

static struct status
make_folder(const char *path, bool is_new, struct diag *diag)
{
    if (mkdir(path, 0755) == 0 || (errno == EEXIST && !is_new)) {
        return OK;
    }
    return FAIL(diag, ERR_IO, "%s: folder cannot be made: %s%s", path, strerror(errno),
                errno == EEXIST ? "; give a new --out, or remove it" : "");
}

static struct status
write_files(struct job *job, const struct generate_options *options)
{
    struct span path;

    TRY(make_folder(options->out, false, job->diag));
    for (size_t i = 0; i < job->world.communities_n; i++) {
        TRY(arena_printf(job->arena, job->diag, &path, "%s/%.*s", options->out,
                         SPAN_PRINT(job->world.communities[i].name)));
        TRY(make_folder(path.p, true, job->diag));
    }
    for (size_t i = 0; i < job->world.files.n; i++) {
        const struct world_file *file = &job->world.files.items[i];

        TRY(arena_printf(job->arena, job->diag, &path, "%s/%.*s", options->out,
                         SPAN_PRINT(file->path)));
        TRY(truth_write_file(path.p, true, job->contents[file->document], job->diag));
    }
    return OK;
}

/* ---- truth ---- */

static struct rules_name
name_of(const struct world_identity *who, struct span family)
{
    struct rules_name name = {.family = family, .given_n = 1};

    name.given[0] = who->given;
    if (who->further.n > 0) {
        name.given[name.given_n++] = who->further;
    }
    return name;
}

static struct status
subject_of(struct job *job, const struct world_registration *registration,
           struct rules_subject *ret_subject)
{
    const struct world_identity *who = &registration->identity;
    const struct world_community *community = &job->world.communities[registration->community];
    struct rules_subject subject = {.birth = who->birth, .sex = who->sex};
    struct rules_id id = {.extension = who->record_number};

    subject.names[subject.names_n++] = name_of(who, who->family);
    if (who->birth_family.n > 0) {
        subject.names[subject.names_n++] = name_of(who, who->birth_family);
    }
    TRY(arena_printf(job->arena, job->diag, &id.root, "%.*s.10", SPAN_PRINT(community->oid)));
    subject.ids[subject.ids_n++] = id;
    if (who->ssn.n > 0) {
        subject.ids[subject.ids_n++] = (struct rules_id){SSN_ROOT, who->ssn};
    }
    TRY(rules_prepare(job->arena, &subject, job->diag));
    *ret_subject = subject;
    return OK;
}

static struct status
list_items(struct job *job)
{
    for (size_t i = 0; i < job->world.files.n; i++) {
        const struct world_file *file = &job->world.files.items[i];
        const struct world_document *document = &job->world.documents.items[file->document];
        const struct world_registration *registration =
            &job->world.registrations.items[document->registration];
        const struct ccda_kind *kind = &ccda_kinds[document->kind];
        struct truth_item item = {.person = registration->identity.person, .path = file->path};

        item.document.sha256 = span_of_cstr(document->sha256);
        item.document.bytes = document->bytes;
        item.document.type = span_of_cstr(kind->code);
        item.document.title = span_of_cstr(kind->title);
        item.document.confidentiality = span_of_cstr(document->confidentiality);
        TRY(subject_of(job, registration, &item.subject));
        TRY(ARENA_PUSH(job->arena, job->diag, &job->items[file->community], item));
    }
    return OK;
}

/* The rules must see the people that were made: a case that they cannot settle tests nothing. */
static struct status
check_people(struct job *job, size_t community)
{
    const struct truth_items *items = &job->items[community];
    struct rules_subject *subjects = NULL;
    size_t *persons = NULL;
    bool is_clear = false;

    TRY(ARENA_ARRAY(job->arena, items->n + 1, job->diag, &subjects));
    TRY(ARENA_ARRAY(job->arena, items->n + 1, job->diag, &persons));
    for (size_t i = 0; i < items->n; i++) {
        subjects[i] = items->items[i].subject;
    }
    TRY(rules_group(job->arena, subjects, items->n, job->diag, persons, &is_clear));
    if (!is_clear) {
        return FAIL(job->diag, ERR_INTERNAL, "the rules do not settle who is who in community %zu",
                    community);
    }
    for (size_t i = 0; i < items->n; i++) {
        for (size_t j = 0; j < i; j++) {
            if ((persons[i] == persons[j]) != (items->items[i].person == items->items[j].person)) {
                return FAIL(job->diag, ERR_INTERNAL, "the rules confuse %.*s and %.*s",
                            SPAN_PRINT(items->items[i].path), SPAN_PRINT(items->items[j].path));
            }
        }
    }
    return OK;
}

static struct status
check_plan(struct job *job, const struct world_question *question, size_t community,
           enum rules_answer answer)
{
    static const char letters[] = {
        [RULES_NO_MATCH] = '-', [RULES_MATCH] = 'M', [RULES_AMBIGUOUS] = 'A'};

    if (question->plan[community] != letters[answer]) {
        return FAIL(job->diag, ERR_INTERNAL,
                    "case %s was made for '%c' in community %zu, the rules say %s", question->name,
                    question->plan[community], community, rules_answer_name(answer));
    }
    return OK;
}

static struct status
answer_question(struct job *job, const struct world_question *asked)
{
    struct truth_question question = {
        .name = span_of_cstr(asked->name),
        .note = span_of_cstr(asked->note),
        .asker = asked->asker,
        .who = name_of(&asked->who, asked->who.family),
        .birth = span_slice(asked->who.birth, 0, 8),
        .sex = asked->who.sex,
    };

    for (size_t i = 0; i < job->world.communities_n; i++) {
        struct truth_expected expected;

        TRY(truth_expect(&job->items[i], i, &question, job->arena, job->diag, &expected));
        TRY(check_plan(job, asked, i, expected.answer));
        TRY(ARENA_PUSH(job->arena, job->diag, &question.expected, expected));
    }
    return ARENA_PUSH(job->arena, job->diag, &job->truth.questions, question);
}

static struct status
find_truth(struct job *job)
{
    job->truth.source = SPAN("generate");
    job->truth.seed = job->world.seed;
    TRY(list_items(job));
    for (size_t i = 0; i < job->world.communities_n; i++) {
        const struct truth_community community = {.name = job->world.communities[i].name,
                                                  .oid = job->world.communities[i].oid,
                                                  .files = job->items[i].n};

        TRY(ARENA_PUSH(job->arena, job->diag, &job->truth.communities, community));
        TRY(check_people(job, i));
    }
    for (size_t i = 0; i < job->world.questions.n; i++) {
        TRY(answer_question(job, &job->world.questions.items[i]));
    }
    return OK;
}

static struct status
run(struct job *job, const struct generate_options *options)
{
    struct span path;

    world_init(&job->world, job->arena, options->seed, options->communities, job->diag);
    if (is_ok(job->world.status)) {
        cases_make(&job->world);
        cases_fill(&job->world, options->people);
    }
    TRY(job->world.status);
    TRY(write_contents(job));
    TRY(find_truth(job));
    TRY(write_files(job, options));
    TRY(arena_printf(job->arena, job->diag, &path, "%s/truth.json", options->out));
    return truth_write(&job->truth, path.p, job->diag);
}

static void
count(const struct job *job, struct generate_counts *ret_counts)
{
    struct generate_counts counts = {.communities = job->world.communities_n,
                                     .people = job->world.persons,
                                     .files = job->world.files.n,
                                     .questions = job->world.questions.n};

    for (size_t i = 0; i < job->world.files.n; i++) {
        counts.bytes += job->world.documents.items[job->world.files.items[i].document].bytes;
    }
    *ret_counts = counts;
}

struct status
generate(const struct generate_options *options, struct diag *diag,
         struct generate_counts *ret_counts)
{
    struct arena *arena = arena_new(WORLD_ARENA_BYTES);
    struct job *job = NULL;

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the world");
    }
    struct status st = ARENA_NEW(arena, diag, &job);

    if (is_ok(st)) {
        job->arena = arena;
        job->diag = diag;
        st = run(job, options);
    }
    if (is_ok(st)) {
        count(job, ret_counts);
    }
    arena_free(arena);
    return st;
}
