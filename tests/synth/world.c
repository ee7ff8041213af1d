/*
 * Builds the world: people, registrations, documents, files, questions. Called by cases.c and
 * generate.c. After the first failure the functions change nothing and return something that may be
 * used, so cases read as stories.
 */
#include "tests/synth/world.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "tests/synth/ccda.h"

#define TEXT_MAX 256

static bool
is_fine(struct world *world, struct status st)
{
    if (is_ok(world->status)) {
        world->status = st;
    }
    return is_ok(world->status);
}

struct span
world_text(struct world *world, const char *format, ...)
{
    char text[TEXT_MAX];
    struct span kept = SPAN("-");
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (is_ok(world->status)) {
        (void)is_fine(world, arena_dup(world->arena, span_of_cstr(text), world->diag, &kept));
    }
    return kept;
}

struct span
world_spell(struct world *world, struct span name, enum spelling spelling)
{
    struct span written = name;

    if (is_ok(world->status)) {
        (void)is_fine(world, spelling_write(world->arena, name, spelling, world->diag, &written));
    }
    return written;
}

static bool
is_folder_name(struct span name)
{
    for (size_t i = 0; i < name.n; i++) {
        const char c = name.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
            return false;
        }
    }
    return name.n > 0;
}

static struct status
add_community(struct world *world, struct span name)
{
    struct world_community *community = &world->communities[world->communities_n];

    if (!is_folder_name(name)) {
        return FAIL(world->diag, ERR_USAGE,
                    "community '%.*s': a name is small letters, digits and '-'", SPAN_PRINT(name));
    }
    for (size_t i = 0; i < world->communities_n; i++) {
        if (span_eq(world->communities[i].name, name)) {
            return FAIL(world->diag, ERR_USAGE, "community '%.*s' is named twice",
                        SPAN_PRINT(name));
        }
    }
    if (world->communities_n == WORLD_COMMUNITIES_MAX) {
        return FAIL(world->diag, ERR_USAGE, "more than %d communities", WORLD_COMMUNITIES_MAX);
    }
    TRY(arena_dup(world->arena, name, world->diag, &community->name));
    world->communities_n++;
    community->oid = world_text(world, "2.999.%zu", world->communities_n);
    community->next_document = 1000 + random_below(&world->random, 9000);
    community->next_record = 100000 + random_below(&world->random, 800000);
    return OK;
}

void
world_init(struct world *world, struct arena *arena, uint64_t seed, struct span names,
           struct diag *diag)
{
    struct span name;

    *world = (struct world){.arena = arena, .diag = diag, .status = OK, .seed = seed};
    random_init(&world->random, seed);
    while (is_ok(world->status) && span_split(&names, ',', &name)) {
        (void)is_fine(world, add_community(world, name));
    }
    if (is_ok(world->status) && world->communities_n < WORLD_ROLES) {
        world->status = FAIL(diag, ERR_USAGE, "%zu communities; the hard cases need at least %d",
                             world->communities_n, WORLD_ROLES);
    }
    assert(names_family_n <= ARRAY_LEN(world->family_order));
    for (size_t i = 0; i < names_family_n; i++) {
        world->family_order[i] = i;
    }
    random_shuffle(&world->random, world->family_order, names_family_n);
    for (size_t i = 0; i < WORLD_COMMUNITIES_MAX; i++) {
        world->roles[i] = i;
    }
}

void
world_deal(struct world *world)
{
    random_shuffle(&world->random, world->roles, world->communities_n);
}

static struct span
social_security_number(struct world *world)
{
    /* Area 666 is never given to anybody. */
    return world_text(world, "666-%02d-%04d", random_between(&world->random, 1, 99),
                      random_between(&world->random, 1, 9999));
}

static void
move_in(struct world *world, struct world_identity *who)
{
    const size_t street = random_below(&world->random, names_street_n);

    who->street =
        world_text(world, "%d %s", random_between(&world->random, 1, 980), names_street[street]);
    who->town = &names_towns[random_below(&world->random, names_towns_n)];
    /* 555-0100 to 555-0199 is for fiction. */
    who->phone = world_text(world, "tel:+1(555)555-01%02d", random_between(&world->random, 0, 99));
}

struct world_identity
world_person(struct world *world, char sex)
{
    struct world_identity who = {.person = world->persons++};
    const size_t round = world->families_used / names_family_n;
    const size_t family = world->family_order[world->families_used % names_family_n];
    const char *const *given = sex == 'F' ? names_female : names_male;
    const size_t given_n = sex == 'F' ? names_female_n : names_male_n;

    world->families_used++;
    who.family = span_of_cstr(names_family[family]);
    who.given = span_of_cstr(given[random_below(&world->random, given_n)]);
    /* Namesakes of a later round differ in the birth year. */
    who.birth = world_text(
        world, "%04d%02d%02d", 1931 + (int)(round % 10) + 10 * random_between(&world->random, 0, 7),
        random_between(&world->random, 1, 12), random_between(&world->random, 13, 28));
    who.sex = sex == 'F' ? SPAN("F") : SPAN("M");
    if (random_chance(&world->random, 60)) {
        who.ssn = social_security_number(world);
    }
    move_in(world, &who);
    return who;
}

struct world_identity
world_sibling(struct world *world, const struct world_identity *of)
{
    struct world_identity who = *of;

    who.person = world->persons++;
    who.record_number = SPAN_EMPTY;
    return who;
}

/* The record number that this community gave this person, or its next. */
static struct span
record_number(struct world *world, size_t person, size_t community)
{
    for (size_t i = 0; i < world->registrations.n; i++) {
        const struct world_registration *other = &world->registrations.items[i];

        if (other->community == community && other->identity.person == person) {
            return other->identity.record_number;
        }
    }
    world->communities[community].next_record += 1 + random_below(&world->random, 40);
    return world_text(world, "%zu", world->communities[community].next_record);
}

static void
add_file(struct world *world, size_t document, size_t community)
{
    struct world_file file = {.document = document, .community = community};
    const struct span folder = world->communities[community].name;

    /* A name without meaning: what is in a file must come from its bytes. */
    file.path = world_text(world, "%.*s/%08x.xml", SPAN_PRINT(folder),
                           (unsigned)(random_next(&world->random) >> 32));
    for (size_t i = 0; i < world->files.n; i++) {
        if (span_eq(world->files.items[i].path, file.path)) {
            add_file(world, document, community);
            return;
        }
    }
    (void)is_fine(world, ARENA_PUSH(world->arena, world->diag, &world->files, file));
}

static size_t
least_bytes(struct world *world)
{
    /* Most documents are small, some are long. */
    const int kilobytes = random_chance(&world->random, 75)
                              ? random_between(&world->random, 9, 24)
                              : random_between(&world->random, 25, 54);

    return (size_t)kilobytes * 1024;
}

static void
add_document(struct world *world, size_t registration, size_t community)
{
    struct world_community *at = &world->communities[community];
    struct world_document document = {
        .registration = registration,
        .kind = random_below(&world->random, ccda_kinds_n),
        .confidentiality = "N",
        .year = random_between(&world->random, 2018, 2025),
        .month = random_between(&world->random, 1, 12),
        .day = random_between(&world->random, 1, 28),
        .least_bytes = least_bytes(world),
        .seed = random_next(&world->random),
    };

    at->next_document += 1 + random_below(&world->random, 9);
    if (random_chance(&world->random, 50)) {
        document.id_root = world_text(world, "%.*s.20", SPAN_PRINT(at->oid));
        document.id_extension = world_text(world, "%zu", at->next_document);
    } else {
        document.id_root = world_text(world, "%.*s.20.%zu", SPAN_PRINT(at->oid), at->next_document);
    }
    if (is_fine(world, ARENA_PUSH(world->arena, world->diag, &world->documents, document))) {
        add_file(world, world->documents.n - 1, community);
    }
}

size_t
world_register(struct world *world, const struct world_identity *as, size_t community, size_t n)
{
    struct world_registration registration = {.community = community, .identity = *as};
    const size_t first = world->documents.n;

    if (!is_ok(world->status)) {
        return 0;
    }
    if (as->record_number.n == 0) {
        registration.identity.record_number = record_number(world, as->person, community);
    }
    if (is_fine(world,
                ARENA_PUSH(world->arena, world->diag, &world->registrations, registration))) {
        for (size_t i = 0; i < n; i++) {
            add_document(world, world->registrations.n - 1, community);
        }
    }
    return first;
}

struct world_document *
world_document(struct world *world, size_t index)
{
    static struct world_document nowhere; /* after a failure */

    return index < world->documents.n ? &world->documents.items[index] : &nowhere;
}

void
world_copy(struct world *world, size_t document, size_t community)
{
    if (is_ok(world->status)) {
        add_file(world, document, community);
    }
}

void
world_ask(struct world *world, const char *name, const char *note, size_t asker_role,
          const struct world_identity *who, const char plan[WORLD_ROLES + 1])
{
    struct world_question question = {.name = name, .note = note, .who = *who};

    question.asker = world->roles[asker_role];
    memset(question.plan, '-', sizeof(question.plan));
    for (size_t i = 0; i < WORLD_ROLES; i++) {
        question.plan[world->roles[i]] = plan[i];
    }
    if (is_ok(world->status)) {
        (void)is_fine(world, ARENA_PUSH(world->arena, world->diag, &world->questions, question));
    }
}
