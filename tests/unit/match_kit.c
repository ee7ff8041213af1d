/*
 * Reads people and cases of matching from their table (see the header). For unit tests; one thread.
 */
#include "tests/unit/match_kit.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define FILE_MAX ((size_t)256 * 1024)

struct reader {
    struct arena *arena;
    struct diag diag;
    unsigned line;
    bool is_bad;
};

static void
complain(struct reader *r, struct span text, const char *what)
{
    printf("\n    line %u: %s: '%.*s'\n", r->line, what, SPAN_PRINT(text));
    r->is_bad = true;
}

/* ARENA_PUSH, where a failure ends the reading. */
#define PUSH(r, list, item)                                                                        \
    ((r)->is_bad |= !is_ok(ARENA_PUSH((r)->arena, &(r)->diag, (list), (item))))

/* Takes the next part before <separator>, without blanks around it; empty at the end. */
static struct span
take(struct span *rest, char separator)
{
    struct span part = SPAN_EMPTY;

    return rest->n > 0 && span_split(rest, separator, &part) ? span_trim(part) : SPAN_EMPTY;
}

static struct span
digits_of(struct reader *r, struct span text)
{
    struct span digits = SPAN_EMPTY, part;

    while (text.n > 0 && span_split(&text, '-', &part)) {
        r->is_bad |= !is_ok(arena_printf(r->arena, &r->diag, &digits, "%.*s%.*s",
                                         SPAN_PRINT(digits), SPAN_PRINT(part)));
    }
    return digits;
}

static void
read_name(struct reader *r, struct span text, struct match_described *person)
{
    struct person_name name = {.family = take(&text, ',')};
    struct span given = take(&text, ','), word;

    name.suffix = take(&text, ',');
    name.use = text;
    if (span_starts_with(span_trim(text), SPAN("use "))) {
        name.use = span_slice(span_trim(text), 4, text.n);
    }
    while (given.n > 0 && span_split(&given, ' ', &word)) {
        if (word.n > 0) {
            PUSH(r, &name.given, word);
        }
    }
    PUSH(r, &person->patient.names, name);
}

static void
read_birth(struct reader *r, struct span text, struct match_described *person)
{
    const size_t dots = span_find(text, SPAN(".."));

    if (dots == SPAN_MISSING) { /* as a system sends it: 19540323000000.000-0600 */
        person->patient.birth_time = text.n > 10 ? text : digits_of(r, text);
        return;
    }
    person->patient.birth_range.low = digits_of(r, span_slice(text, 0, dots));
    person->patient.birth_range.high = digits_of(r, span_slice(text, dots + 2, text.n));
}

static void
add_id(struct reader *r, struct ident id, struct match_described *person)
{
    const size_t at = person->patient.ids.n;

    if (at == MATCH_CASE_IDS) {
        complain(r, id.extension, "too many ids");
        return;
    }
    if (span_ends_with(id.extension, SPAN("!"))) {
        id.extension.n--;
        person->is_unreliable[at] = true;
    }
    PUSH(r, &person->patient.ids, id);
}

static void
read_id(struct reader *r, struct span text, struct match_described *person)
{
    struct ident id = {.root = take(&text, ':')};

    id.extension = text;
    add_id(r, id, person);
}

static void
read_ssn(struct reader *r, struct span text, struct match_described *person)
{
    add_id(r, (struct ident){SPAN("2.16.840.1.113883.4.1"), text, SPAN_EMPTY}, person);
}

static void
read_own(struct reader *r, struct span text, struct match_described *person)
{
    (void)r;
    person->own = text;
}

static void
read_sex(struct reader *r, struct span text, struct match_described *person)
{
    (void)r;
    person->patient.sex = text;
}

static void
read_home(struct reader *r, struct span text, struct match_described *person)
{
    const struct span street = take(&text, ',');
    struct address address = {.city = take(&text, ',')};

    address.state = take(&text, ',');
    address.postal_code = span_trim(text);
    PUSH(r, &address.street, street);
    PUSH(r, &person->patient.addresses, address);
}

static void
add_telecom(struct reader *r, const char *scheme, struct span text, struct match_described *person)
{
    struct telecom telecom = {.value = SPAN_EMPTY};

    r->is_bad |= !is_ok(
        arena_printf(r->arena, &r->diag, &telecom.value, "%s%.*s", scheme, SPAN_PRINT(text)));
    PUSH(r, &person->patient.telecoms, telecom);
}

static void
read_tel(struct reader *r, struct span text, struct match_described *person)
{
    add_telecom(r, "tel:", text, person);
}

static void
read_mail(struct reader *r, struct span text, struct match_described *person)
{
    add_telecom(r, "mailto:", text, person);
}

static void
read_mother(struct reader *r, struct span text, struct match_described *person)
{
    const struct person_name name = {.family = text};

    PUSH(r, &person->patient.mothers_maiden_names, name);
}

static void
read_birthplace(struct reader *r, struct span text, struct match_described *person)
{
    PUSH(r, &person->patient.birth_place_names, text);
}

static void
read_birthaddr(struct reader *r, struct span text, struct match_described *person)
{
    struct address address = {.city = take(&text, ',')};

    address.state = take(&text, ',');
    address.country = span_trim(text);
    PUSH(r, &person->patient.birth_place_addresses, address);
}

static void
read_doctor(struct reader *r, struct span text, struct match_described *person)
{
    const struct ident id = {SPAN("2.16.840.1.113883.4.6"), text, SPAN_EMPTY};

    PUSH(r, &person->patient.care_providers, id);
}

static void
read_twin(struct reader *r, struct span text, struct match_described *person)
{
    uint64_t order = 0;

    if (!span_to_u64(text, 16, &order)) {
        complain(r, text, "no order of birth");
    }
    person->patient.multiple_birth = PATIENT_YES;
    person->patient.birth_order = (unsigned)order;
}

static void
read_item(struct reader *r, struct span item, struct match_described *person)
{
    static const struct {
        const char *key;
        void (*read)(struct reader *r, struct span text, struct match_described *person);
    } readers[] = {{"name", read_name},     {"born", read_birth},
                   {"sex", read_sex},       {"ssn", read_ssn},
                   {"id", read_id},         {"own", read_own},
                   {"home", read_home},     {"tel", read_tel},
                   {"mail", read_mail},     {"mother", read_mother},
                   {"doctor", read_doctor}, {"birthplace", read_birthplace},
                   {"twin", read_twin},     {"birthaddr", read_birthaddr}};
    struct span rest = item, key = SPAN_EMPTY;

    (void)span_split(&rest, ' ', &key);
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        if (span_eq_cstr(key, readers[i].key)) {
            readers[i].read(r, span_trim(rest), person);
            return;
        }
    }
    complain(r, item, "says nothing that is known of people");
}

static void
read_person(struct reader *r, struct span text, struct match_described *person)
{
    while (text.n > 0) {
        const struct span item = take(&text, ';');

        if (item.n > 0) {
            read_item(r, item, person);
        }
    }
}

/* ---- results ---- */

static bool
find_rule(struct span name, enum match_rule *ret_rule)
{
    for (enum match_rule rule = 0; rule < MATCH_RULE_COUNT; rule++) {
        if (span_eq_cstr(name, match_rule_name(rule))) {
            *ret_rule = rule;
            return true;
        }
    }
    return false;
}

static void
read_hints(struct reader *r, struct span text, struct match_decision *want)
{
    static const char *const hints[MATCH_HINT_COUNT] = {
        [MATCH_HINT_SEX] = "sex",
        [MATCH_HINT_ADDRESS] = "address",
        [MATCH_HINT_TELECOM] = "telecom",
        [MATCH_HINT_BIRTH_PLACE_NAME] = "birthplace",
        [MATCH_HINT_BIRTH_PLACE_ADDRESS] = "birthaddr",
        [MATCH_HINT_MOTHERS_MAIDEN_NAME] = "mother"};

    while (text.n > 0) {
        const struct span word = take(&text, ' ');
        unsigned found = 0;

        for (enum match_hint hint = 0; hint < MATCH_HINT_COUNT; hint++) {
            found |= span_eq_cstr(word, hints[hint]) ? 1U << hint : 0;
        }
        want->hints |= found;
        if (found == 0) {
            complain(r, word, "is no hint");
        }
    }
}

static void
read_result(struct reader *r, struct span text, struct match_decision *want)
{
    const struct span outcome = take(&text, ' ');
    uint64_t at = 0;

    if (span_eq_cstr(outcome, "match")) {
        want->outcome = MATCH_ONE;
        if (!span_to_u64(take(&text, ' '), MATCH_CASE_PEOPLE, &at) || at == 0) {
            complain(r, text, "names no known person");
            return;
        }
        want->at = (size_t)at - 1;
    } else if (span_eq_cstr(outcome, "ambiguous")) {
        want->outcome = MATCH_AMBIGUOUS;
    } else if (!span_eq_cstr(outcome, "nobody")) {
        complain(r, outcome, "is no result");
    }
    if (!find_rule(take(&text, ' '), &want->rule)) {
        complain(r, text, "names no rule");
    }
    read_hints(r, text, want);
}

/* ---- the file ---- */

static void
read_line(struct reader *r, struct span line, struct match_case_list *cases)
{
    struct span rest = line, key = SPAN_EMPTY;
    struct match_case *current = cases->n == 0 ? NULL : &cases->items[cases->n - 1];

    (void)span_split(&rest, ':', &key);
    rest = span_trim(rest);
    if (span_eq_cstr(key, "case")) {
        const struct match_case fresh = {
            .name = rest, .line = r->line, .want = {.rule = MATCH_RULE_COUNT}};

        PUSH(r, cases, fresh);
    } else if (current == NULL) {
        complain(r, line, "belongs to no case");
    } else if (span_eq_cstr(key, "asked")) {
        read_person(r, rest, &current->asked);
    } else if (span_eq_cstr(key, "known") && current->known_n < MATCH_CASE_PEOPLE) {
        read_person(r, rest, &current->known[current->known_n++]);
    } else if (span_eq_cstr(key, "result")) {
        read_result(r, rest, &current->want);
    } else {
        complain(r, line, "is no line of a case");
    }
}

bool
match_cases_read(const char *path, struct arena *arena, struct match_case_list *ret_cases)
{
    struct reader r = {.arena = arena};
    FILE *file = path == NULL ? NULL : fopen(path, "r");
    char *bytes = NULL;
    struct span rest, line;

    if (file == NULL || !is_ok(ARENA_ARRAY(arena, FILE_MAX, &r.diag, &bytes))) {
        printf("\n    the table of cases cannot be read\n");
        return false;
    }
    rest = span_of(bytes, fread(bytes, 1, FILE_MAX, file));
    r.is_bad = ferror(file) != 0 || rest.n == FILE_MAX;
    fclose(file);
    while (rest.n > 0 && span_split(&rest, '\n', &line)) {
        r.line++;
        line = span_trim(line);
        if (line.n > 0 && line.p[0] != '#') {
            read_line(&r, line, ret_cases);
        }
    }
    return !r.is_bad;
}

bool
match_described_prepare(const struct match_described *described, bool is_asked, struct arena *arena,
                        struct match_person *ret_person)
{
    struct diag diag = {0};
    const struct status st =
        is_asked ? match_prepare_question(&described->patient, described->is_unreliable, arena,
                                          &diag, ret_person)
                 : match_prepare(&described->patient, described->is_unreliable, arena, &diag,
                                 ret_person);

    return is_ok(st) &&
           (described->own.n == 0 || is_ok(match_person_own(ret_person, SPAN(MATCH_OWN_ROOT),
                                                            described->own, arena, &diag)));
}
