/*
 * The hard cases of patient matching, each a small story: people are made, clerks in five roles
 * write them down, and a question with its planned answer by role follows ('M' match, '-' none, 'A'
 * ambiguous: two people there fit). A role is another community in each case. Called by generate.c,
 * which also checks every plan against the stated rules (rules.h).
 */
#include <string.h>

#include "tests/synth/world.h"

static size_t
at(const struct world *world, size_t role)
{
    return world->roles[role];
}

static size_t
some(struct world *world)
{
    return (size_t)random_between(&world->random, 1, 3);
}

/* A birth date whose day may be read as a month, and is not the same. */
static struct span
short_birth(struct world *world, int *ret_month, int *ret_day, int *ret_year)
{
    *ret_year = random_between(&world->random, 1935, 2012);
    *ret_month = random_between(&world->random, 1, 11);
    *ret_day = random_between(&world->random, *ret_month + 1, 12);
    return world_text(world, "%04d%02d%02d", *ret_year, *ret_month, *ret_day);
}

/* Accents, hyphen, capitals, a middle name in three forms, an unknown sex, and every kind of
 * document that is hard to keep apart. */
static void
case_scattered(struct world *world)
{
    static const char *const left[] = {"Núñez", "Ibáñez", "Peña", "Muñoz", "Gutiérrez"};
    static const char *const right[] = {"Ibarra", "Soto", "Vega", "Rincón", "Olmedo"};
    static const char *const given[] = {"María", "Inés", "Lucía", "Sofía", "Belén"};
    static const char *const further[] = {"Luisa", "Teresa", "Pilar", "Dolores"};
    struct world_identity who = world_person(world, 'F');

    who.family = world_text(world, "%s-%s", RANDOM_PICK(&world->random, left),
                            RANDOM_PICK(&world->random, right));
    who.given = span_of_cstr(RANDOM_PICK(&world->random, given));
    struct world_identity plain = who, capitals = who, decomposed = who, other = who;
    const struct span middle = span_of_cstr(RANDOM_PICK(&world->random, further));

    world_register(world, &who, at(world, 0), 1);

    plain.further = middle;
    const size_t first = world_register(world, &plain, at(world, 1), 3);

    world_copy(world, first, at(world, 1));

    capitals.family =
        world_spell(world, world_spell(world, who.family, SPELLING_ASCII), SPELLING_SPACED);
    capitals.family = world_spell(world, capitals.family, SPELLING_UPPER);
    capitals.given = world_spell(world, who.given, SPELLING_UPPER);
    capitals.further = world_text(world, "%c.", middle.p[0]);
    capitals.sex = SPAN_EMPTY;
    world_register(world, &capitals, at(world, 2), 2);
    world_copy(world, first + 1, at(world, 2));

    decomposed.family = world_spell(world, who.family, SPELLING_DECOMPOSED);
    decomposed.given = world_spell(world, who.given, SPELLING_DECOMPOSED);
    const size_t hard = world_register(world, &decomposed, at(world, 3), 5);

    world_document(world, hard + 1)->id_root = world_document(world, hard)->id_root;
    world_document(world, hard + 1)->id_extension = world_document(world, hard)->id_extension;
    world_document(world, hard + 2)->id_root = SPAN("8F14E45F-CEEA-467F-A9E6-3C2B7D5A1E90");
    world_document(world, hard + 2)->id_extension = SPAN_EMPTY;
    world_document(world, hard + 3)->id_extension = SPAN("LONGER-THAN-SIXTEEN-CHARACTERS");
    world_document(world, hard + 4)->confidentiality = "R";

    other = world_sibling(world, &who);
    other.ssn = SPAN_EMPTY;
    other.birth = world_text(world, "%.*s%02d", 6, who.birth.p,
                             (who.birth.p[6] - '0') * 10 + (who.birth.p[7] - '0') - 1);
    world_register(world, &other, at(world, 4), 2);
    world_ask(world, "scattered",
              "accents, hyphen, capitals and middle name differ; a namesake is born a day before",
              0, &who, "MMMM-");
}

static void
case_apostrophe(struct world *world)
{
    static const char *const names[] = {"Brien", "Connor", "Hara", "Malley", "Neill"};
    const char *name = RANDOM_PICK(&world->random, names);
    struct world_identity who = world_person(world, 'M');

    who.family = world_text(world, "O'%s", name);
    struct world_identity curly = who, capitals = who, longer = who;

    curly.family = world_text(world, "O\xe2\x80\x99%s", name);
    world_register(world, &curly, at(world, 1), some(world));
    capitals.family =
        world_spell(world, world_spell(world, who.family, SPELLING_JOINED), SPELLING_UPPER);
    capitals.further = SPAN("J");
    world_register(world, &capitals, at(world, 3), some(world));
    longer.further = SPAN("James");
    world_document(world, world_register(world, &longer, at(world, 4), 2))->confidentiality = "V";
    world_ask(world, "apostrophe", "three kinds of apostrophe; a very restricted document", 2, &who,
              "-M-MM");
}

/* Same day, same sex, same home, same telephone; the clerk even copied the security number. */
static void
case_twins(struct world *world)
{
    static const char *const pairs[][2] = {
        {"Jana", "Jane"}, {"Marisol", "Marisel"}, {"Erin", "Eryn"}, {"Carina", "Karina"}};
    const char *const *pair = RANDOM_PICK(&world->random, pairs);
    struct world_identity one = world_person(world, 'F');

    one.given = span_of_cstr(pair[0]);
    one.ssn = world_text(world, "666-11-%04d", random_between(&world->random, 1, 9999));
    struct world_identity two = world_sibling(world, &one);

    two.given = span_of_cstr(pair[1]);
    world_register(world, &one, at(world, 0), some(world));
    world_register(world, &two, at(world, 0), some(world));
    world_register(world, &one, at(world, 1), some(world));
    world_register(world, &two, at(world, 2), some(world));
    world_ask(world, "twin", "her twin is one letter apart", 3, &one, "MM---");
    world_ask(world, "other-twin", "the same from the other side", 4, &two, "M-M--");
}

static void
case_brother_and_sister(struct world *world)
{
    struct world_identity girl = world_person(world, 'F');

    girl.given = SPAN("Kari");
    struct world_identity boy = world_sibling(world, &girl);

    boy.given = SPAN("Karl");
    boy.sex = SPAN("M");
    world_register(world, &boy, at(world, 1), some(world));
    world_register(world, &girl, at(world, 1), some(world));
    world_register(world, &boy, at(world, 4), some(world));
    world_ask(world, "sister", "her twin brother is one letter apart", 0, &girl, "-M---");
    world_ask(world, "brother", "the same from the other side", 0, &boy, "-M--M");
}

/* The town is not compared: each town's own community matches the one that it knows, and a
 * community that knows both cannot tell. */
static void
case_two_towns(struct world *world)
{
    struct world_identity one = world_person(world, 'M');
    struct world_identity two = world_person(world, 'M');

    two.family = one.family;
    two.given = one.given;
    two.birth = one.birth;
    world_register(world, &one, at(world, 0), some(world));
    world_register(world, &two, at(world, 1), some(world));
    world_register(world, &one, at(world, 2), some(world));
    world_register(world, &two, at(world, 2), some(world));
    world_ask(world, "two-towns", "two people with one name and birth date; one community has both",
              3, &one, "MMA--");
}

static void
case_maiden_name(struct world *world)
{
    struct world_identity maiden = world_person(world, 'F');
    struct world_identity married = maiden, both;
    const struct world_identity husband = world_person(world, 'M');

    married.family = husband.family;
    both = married;
    both.birth_family = maiden.family;
    world_register(world, &both, at(world, 0), some(world));
    world_register(world, &maiden, at(world, 1), some(world));
    world_register(world, &married, at(world, 2), some(world));
    world_register(world, &maiden, at(world, 3), 1);
    world_register(world, &both, at(world, 3), some(world));
    world_ask(world, "married-name", "communities know her by one name, by the other, or by both",
              4, &married, "M-MM-");
    world_ask(world, "maiden-name", "the same woman by her maiden name", 4, &maiden, "MM-M-");
}

static void
case_transposed_date(struct world *world)
{
    int year, month, day;
    struct world_identity who = world_person(world, 'F');

    who.birth = short_birth(world, &month, &day, &year);
    struct world_identity transposed = who;

    transposed.birth = world_text(world, "%04d%02d%02d", year, day, month);
    world_register(world, &who, at(world, 0), some(world));
    world_register(world, &transposed, at(world, 1), some(world));
    world_register(world, &who, at(world, 2), some(world));
    world_ask(world, "transposed", "one clerk wrote the month for the day", 3, &who, "M-M--");
    world_ask(world, "transposed-asked", "asked with the wrong date", 3, &transposed, "-M---");
}

/* Numbers that were typed where none was known: they belong to nobody. */
static void
case_shared_numbers(struct world *world)
{
    const struct span ssn =
        world_text(world, "666-00-%04d", random_between(&world->random, 1, 9999));
    struct world_identity one = world_person(world, 'M');
    struct world_identity two = world_person(world, 'F');
    struct world_identity three = world_person(world, 'M');

    one.ssn = two.ssn = three.ssn = ssn;
    world_register(world, &one, at(world, 0), some(world));
    world_register(world, &two, at(world, 0), some(world));
    world_register(world, &three, at(world, 0), some(world));
    world_register(world, &one, at(world, 1), some(world));
    world_register(world, &three, at(world, 1), some(world));
    one.record_number = two.record_number = SPAN("998991");
    world_register(world, &one, at(world, 3), some(world));
    world_register(world, &two, at(world, 3), some(world));
    world_ask(world, "shared-ssn", "several people carry his social security and record numbers", 2,
              &one, "MM-M-");
}

static void
case_middle_names(struct world *world)
{
    struct world_identity one = world_person(world, 'M');
    struct world_identity two = world_person(world, 'M');

    two.family = one.family;
    two.given = one.given;
    two.birth = one.birth;
    struct world_identity asked = one, initial = one, none = one;

    one.further = SPAN("Robert");
    two.further = SPAN("Michael");
    initial.further = SPAN("R.");
    world_register(world, &one, at(world, 0), some(world));
    world_register(world, &two, at(world, 0), some(world));
    world_register(world, &initial, at(world, 1), some(world));
    world_register(world, &two, at(world, 2), some(world));
    world_register(world, &none, at(world, 3), some(world));
    world_ask(world, "no-middle-name", "asked without the name that tells two people apart", 4,
              &asked, "AMMM-");
    world_ask(world, "middle-name", "asked with it", 4, &one, "MM-M-");
}

static void
case_same_name_other_sex(struct world *world)
{
    struct world_identity she = world_person(world, 'F');
    struct world_identity he = world_person(world, 'M');

    she.given = he.given = SPAN("Robin");
    he.family = she.family;
    he.birth = she.birth;
    struct world_identity unknown = she;

    unknown.sex = SPAN_EMPTY;
    world_register(world, &she, at(world, 0), some(world));
    world_register(world, &he, at(world, 0), some(world));
    world_register(world, &he, at(world, 1), some(world));
    world_register(world, &unknown, at(world, 2), some(world));
    world_ask(world, "sex", "a man and a woman share name and birth date; one sex is unknown", 3,
              &she, "M-M--");
}

static void
case_transliterated(struct world *world)
{
    struct world_identity who = world_person(world, 'M');

    who.family = SPAN("Müller");
    struct world_identity letters = who, capitals = who, sharp;

    letters.family = SPAN("Mueller");
    capitals.family = world_spell(world, who.family, SPELLING_UPPER);
    world_register(world, &who, at(world, 0), some(world));
    world_register(world, &letters, at(world, 1), some(world));
    world_register(world, &capitals, at(world, 2), some(world));
    who.family = SPAN("Muller");
    world_ask(world, "umlaut", "an accent is folded, a spelled-out umlaut is another name", 4, &who,
              "M-M--");

    sharp = world_person(world, 'M');
    sharp.family = SPAN("Groß");
    world_register(world, &sharp, at(world, 0), some(world));
    sharp.family = world_spell(world, sharp.family, SPELLING_UPPER);
    world_register(world, &sharp, at(world, 1), some(world));
    world_ask(world, "sharp-s", "ß is SS in capitals", 2, &sharp, "MM---");
}

static void
case_other_given_name(struct world *world)
{
    struct world_identity who = world_person(world, 'F');

    who.given = SPAN("Katherine");
    struct world_identity variant = who, short_form = who;

    variant.given = SPAN("Kathryn");
    short_form.given = SPAN("Kate");
    world_register(world, &who, at(world, 0), some(world));
    world_register(world, &variant, at(world, 1), some(world));
    world_register(world, &short_form, at(world, 2), some(world));
    world_ask(world, "given-name", "variants and short forms are other names", 3, &who, "M----");
}

static void
case_swapped_names(struct world *world)
{
    struct world_identity who = world_person(world, 'M');
    struct world_identity swapped = who;

    swapped.family = who.given;
    swapped.given = who.family;
    world_register(world, &who, at(world, 0), some(world));
    world_register(world, &swapped, at(world, 1), some(world));
    world_ask(world, "swapped", "one clerk swapped family and given name", 4, &who, "M----");
}

static void
case_hyphenated_given(struct world *world)
{
    struct world_identity who = world_person(world, 'M');

    who.given = SPAN("Jean-Luc");
    struct world_identity capitals = who, joined = who, cut = who;

    capitals.given = world_spell(world, who.given, SPELLING_UPPER);
    joined.given = SPAN("Jeanluc");
    cut.given = SPAN("Jean");
    world_register(world, &who, at(world, 0), some(world));
    world_register(world, &capitals, at(world, 1), some(world));
    world_register(world, &joined, at(world, 2), some(world));
    world_register(world, &cut, at(world, 3), some(world));
    world_ask(world, "hyphenated-given", "a hyphen is folded, half a name is another", 4, &who,
              "MMM--");
}

/* Birth dates with time and zone count by their first eight digits; a year alone is no date. */
static void
case_birth_times(struct world *world)
{
    struct world_identity who = world_person(world, 'F');
    struct world_identity timed = who, zoned = who, year = who;

    timed.birth = world_text(world, "%.8s0830", who.birth.p);
    zoned.birth = world_text(world, "%.8s000000.000-0600", who.birth.p);
    year.birth = world_text(world, "%.4s", who.birth.p);
    world_register(world, &who, at(world, 0), some(world));
    world_register(world, &timed, at(world, 1), some(world));
    world_register(world, &zoned, at(world, 2), some(world));
    world_register(world, &year, at(world, 3), 1);
    world_register(world, &timed, at(world, 4), some(world));
    world_ask(world, "birth-time", "with time, with zone, and the year alone", 0, &who, "MMM-M");
}

static void
case_everywhere_and_nowhere(struct world *world)
{
    struct world_identity who = world_person(world, 'M');

    for (size_t role = 0; role < WORLD_ROLES; role++) {
        world_register(world, &who, at(world, role), some(world));
    }
    world_ask(world, "everywhere", "everybody knows him", 0, &who, "MMMMM");
    who = world_person(world, 'F');
    world_ask(world, "nowhere", "nobody knows her", 0, &who, "-----");
}

void
cases_make(struct world *world)
{
    static void (*const cases[])(struct world *) = {
        case_scattered,       case_apostrophe,
        case_twins,           case_brother_and_sister,
        case_two_towns,       case_maiden_name,
        case_transposed_date, case_shared_numbers,
        case_middle_names,    case_same_name_other_sex,
        case_transliterated,  case_other_given_name,
        case_swapped_names,   case_hyphenated_given,
        case_birth_times,     case_everywhere_and_nowhere,
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        world_deal(world);
        cases[i](world);
    }
}

void
cases_fill(struct world *world, size_t people)
{
    for (size_t i = 0; i < people; i++) {
        const struct world_identity who =
            world_person(world, random_chance(&world->random, 50) ? 'F' : 'M');
        const size_t n = 1 + random_below(&world->random, 3);

        world_deal(world);
        for (size_t role = 0; role < n; role++) {
            world_register(world, &who, at(world, role), 1 + random_below(&world->random, 2));
        }
    }
}
