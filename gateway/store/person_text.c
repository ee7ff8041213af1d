/*
 * A person as one text (see the header). Called by the store's correlations, on the thread of that
 * call. A record begins with its letter.
 */
#include "store/person_text.h"

#define PART   '\x1f'
#define RECORD '\x1e'

/* ---- writing ---- */

struct writer {
    struct buf *out;
    struct diag *diag;
};

static struct status
put(const struct writer *w, struct span part)
{
    if (span_find_char(part, PART) != SPAN_MISSING ||
        span_find_char(part, RECORD) != SPAN_MISSING) {
        return FAIL(w->diag, ERR_MESSAGE_CONTENT,
                    "a text about a person holds a control character (U+001E or U+001F)");
    }
    TRY(buf_append_char(w->out, PART, w->diag));
    return buf_append(w->out, part, w->diag);
}

static struct status
put_record(const struct writer *w, char letter, const struct span *parts, size_t n,
           const struct span_list *more)
{
    TRY(buf_append_char(w->out, letter, w->diag));
    for (size_t i = 0; i < n; i++) {
        TRY(put(w, parts[i]));
    }
    for (size_t i = 0; more != NULL && i < more->n; i++) {
        TRY(put(w, more->items[i]));
    }
    return buf_append_char(w->out, RECORD, w->diag);
}

static struct status
put_ids(const struct writer *w, char letter, const struct ident_list *ids)
{
    for (size_t i = 0; i < ids->n; i++) {
        const struct span parts[] = {ids->items[i].root, ids->items[i].extension};

        TRY(put_record(w, letter, parts, ARRAY_LEN(parts), NULL));
    }
    return OK;
}

static struct status
put_names(const struct writer *w, char letter, const struct name_list *names)
{
    for (size_t i = 0; i < names->n; i++) {
        const struct person_name *name = &names->items[i];
        const struct span parts[] = {name->family, name->prefix, name->suffix, name->use};

        TRY(put_record(w, letter, parts, ARRAY_LEN(parts), &name->given));
    }
    return OK;
}

static struct status
put_addresses(const struct writer *w, char letter, const struct address_list *addresses)
{
    for (size_t i = 0; i < addresses->n; i++) {
        const struct address *a = &addresses->items[i];
        const struct span parts[] = {a->city, a->state, a->postal_code, a->country, a->use};

        TRY(put_record(w, letter, parts, ARRAY_LEN(parts), &a->street));
    }
    return OK;
}

struct status
person_text_write(const struct patient *person, struct buf *out, struct diag *diag)
{
    const struct writer w = {out, diag};
    const struct time_range *range = &person->birth_range;
    const struct span birth[] = {person->birth_time,
                                 range->low,
                                 range->high,
                                 range->is_low_excluded ? SPAN("1") : SPAN("0"),
                                 range->is_high_excluded ? SPAN("1") : SPAN("0"),
                                 person->sex};

    TRY(put_record(&w, 'B', birth, ARRAY_LEN(birth), NULL));
    TRY(put_ids(&w, 'I', &person->ids));
    TRY(put_names(&w, 'N', &person->names));
    TRY(put_addresses(&w, 'A', &person->addresses));
    for (size_t i = 0; i < person->telecoms.n; i++) {
        const struct span parts[] = {person->telecoms.items[i].value,
                                     person->telecoms.items[i].use};

        TRY(put_record(&w, 'T', parts, ARRAY_LEN(parts), NULL));
    }
    TRY(put_names(&w, 'M', &person->mothers_maiden_names));
    for (size_t i = 0; i < person->birth_place_names.n; i++) {
        TRY(put_record(&w, 'P', &person->birth_place_names.items[i], 1, NULL));
    }
    TRY(put_addresses(&w, 'Q', &person->birth_place_addresses));
    return put_ids(&w, 'C', &person->care_providers);
}

/* ---- reading ---- */

struct reader {
    struct arena *arena;
    struct diag *diag;
    struct patient person;
};

/* The next part, or empty when there is none. */
static struct span
take(struct span *rest)
{
    struct span part = SPAN_EMPTY;

    return rest->n > 0 && span_split(rest, PART, &part) ? part : SPAN_EMPTY;
}

static struct status
take_all(struct reader *r, struct span *rest, struct span_list *parts)
{
    while (rest->n > 0) {
        TRY(ARENA_PUSH(r->arena, r->diag, parts, take(rest)));
    }
    return OK;
}

static struct status
read_birth(struct reader *r, struct span rest)
{
    r->person.birth_time = take(&rest);
    r->person.birth_range.low = take(&rest);
    r->person.birth_range.high = take(&rest);
    r->person.birth_range.is_low_excluded = span_eq_cstr(take(&rest), "1");
    r->person.birth_range.is_high_excluded = span_eq_cstr(take(&rest), "1");
    r->person.sex = take(&rest);
    return OK;
}

static struct status
read_id(struct reader *r, struct span rest, struct ident_list *ids)
{
    struct ident id = {.root = take(&rest)};

    id.extension = take(&rest);
    return ARENA_PUSH(r->arena, r->diag, ids, id);
}

static struct status
read_name(struct reader *r, struct span rest, struct name_list *names)
{
    struct person_name name = {.family = take(&rest)};

    name.prefix = take(&rest);
    name.suffix = take(&rest);
    name.use = take(&rest);
    TRY(take_all(r, &rest, &name.given));
    return ARENA_PUSH(r->arena, r->diag, names, name);
}

static struct status
read_address(struct reader *r, struct span rest, struct address_list *addresses)
{
    struct address address = {.city = take(&rest)};

    address.state = take(&rest);
    address.postal_code = take(&rest);
    address.country = take(&rest);
    address.use = take(&rest);
    TRY(take_all(r, &rest, &address.street));
    return ARENA_PUSH(r->arena, r->diag, addresses, address);
}

static struct status
read_telecom(struct reader *r, struct span rest)
{
    struct telecom telecom = {.value = take(&rest)};

    telecom.use = take(&rest);
    return ARENA_PUSH(r->arena, r->diag, &r->person.telecoms, telecom);
}

static struct status
read_record(struct reader *r, char letter, struct span rest)
{
    switch (letter) {
    case 'B':
        return read_birth(r, rest);
    case 'I':
        return read_id(r, rest, &r->person.ids);
    case 'N':
        return read_name(r, rest, &r->person.names);
    case 'A':
        return read_address(r, rest, &r->person.addresses);
    case 'T':
        return read_telecom(r, rest);
    case 'M':
        return read_name(r, rest, &r->person.mothers_maiden_names);
    case 'P':
        return ARENA_PUSH(r->arena, r->diag, &r->person.birth_place_names, take(&rest));
    case 'Q':
        return read_address(r, rest, &r->person.birth_place_addresses);
    case 'C':
        return read_id(r, rest, &r->person.care_providers);
    default:
        return FAIL(r->diag, ERR_STORE, "a person in the store begins a record with '%c'", letter);
    }
}

struct status
person_text_read(struct span text, struct arena *arena, struct diag *diag,
                 struct patient *ret_person)
{
    struct reader r = {.arena = arena, .diag = diag};
    struct span record;

    while (text.n > 0 && span_split(&text, RECORD, &record)) {
        if (record.n < 2 || record.p[1] != PART) {
            return FAIL(diag, ERR_STORE, "a person in the store has a record of %zu bytes",
                        record.n);
        }
        TRY(read_record(&r, record.p[0], span_slice(record, 2, record.n)));
    }
    *ret_person = r.person;
    return OK;
}
