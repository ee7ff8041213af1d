/*
 * What the tests of merges share.
 */
#include "merge_kit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct partner somebody = {.id = "somebody"};

static struct span
word(struct span *rest)
{
    struct span text = SPAN_EMPTY;

    (void)span_split(rest, ' ', &text);
    return span_eq(text, SPAN("-")) ? SPAN_EMPTY : text;
}

static void
add_error(struct world *world, struct leg *leg, const char *text)
{
    struct span rest = span_of_cstr(text[0] == '!' ? text + 1 : text);
    struct registry_error error = {.is_warning = text[0] == '!'};
    struct diag diag = {0};

    error.code = word(&rest);
    error.location = word(&rest);
    error.context = rest;
    CHECK_OK(&diag, ARENA_PUSH(world->arena, &diag, &leg->errors, error));
}

struct document_ref
ref_of(struct span *rest)
{
    struct document_ref ref;

    ref.home = word(rest);
    ref.repository = word(rest);
    ref.unique_id = word(rest);
    return ref;
}

static void
add_match(struct world *world, struct leg *leg, struct span rest)
{
    struct xcpd_match match = {.home = word(&rest)};
    struct ident id = {.root = word(&rest)};
    uint64_t degree = 0;
    struct diag diag = {0};

    id.extension = word(&rest);
    CU_ASSERT(span_to_u64(word(&rest), 100, &degree));
    match.degree = (int)degree;
    CHECK_OK(&diag, ARENA_PUSH(world->arena, &diag, &match.patient.ids, id));
    CHECK_OK(&diag, ARENA_PUSH(world->arena, &diag, &leg->matches, match));
}

/* "set HOME UNIQUEID UUID", "folder HOME UNIQUEID UUID", "association HOME SOURCE TARGET UUID",
 * "other TEXT": false when it is none of them. */
static bool
add_object(struct world *world, struct leg *leg, struct span rest)
{
    struct registry_objects *objects = &leg->objects;
    const struct span kind = word(&rest);
    struct diag diag = {0};

    if (span_eq_cstr(kind, "set")) {
        struct submission_set set = {.home = word(&rest), .title = leg->community};

        set.unique_id = word(&rest);
        set.entry_uuid = word(&rest);
        CHECK_OK(&diag, ARENA_PUSH(world->arena, &diag, &objects->submission_sets, set));
    } else if (span_eq_cstr(kind, "folder")) {
        struct folder folder = {.home = word(&rest), .title = leg->community};

        folder.unique_id = word(&rest);
        folder.entry_uuid = word(&rest);
        CHECK_OK(&diag, ARENA_PUSH(world->arena, &diag, &objects->folders, folder));
    } else if (span_eq_cstr(kind, "association")) {
        struct association association = {.home = word(&rest), .type = leg->community};

        association.source = word(&rest);
        association.target = word(&rest);
        association.entry_uuid = word(&rest);
        CHECK_OK(&diag, ARENA_PUSH(world->arena, &diag, &objects->associations, association));
    } else if (span_eq_cstr(kind, "other")) {
        CHECK_OK(&diag, ARENA_PUSH(world->arena, &diag, &objects->others, rest));
    } else {
        return false;
    }
    return true;
}

static void
add_item(struct world *world, struct leg *leg, const char *text)
{
    struct span rest = span_of_cstr(text);
    struct diag diag = {0};

    if (leg->transaction == SOAP_ITI_38 && add_object(world, leg, rest)) {
        return;
    }
    if (leg->transaction == SOAP_ITI_55) {
        add_match(world, leg, rest);
    } else if (leg->transaction == SOAP_ITI_38) {
        const struct document_ref ref = ref_of(&rest);
        const struct document_entry entry = {.home = ref.home,
                                             .repository = ref.repository,
                                             .unique_id = ref.unique_id,
                                             .entry_uuid = word(&rest),
                                             .title = leg->community};

        CHECK_OK(&diag, ARENA_PUSH(world->arena, &diag, &leg->objects.documents, entry));
    } else {
        struct retrieved_document document = {.ref = ref_of(&rest), .mime_type = leg->community};

        body_init(&document.body);
        CHECK_OK(&diag, ARENA_PUSH(world->arena, &diag, &leg->retrieved, document));
    }
}

static void
make_leg(struct world *world, enum soap_transaction transaction, const struct leg_text *text)
{
    struct leg *leg = &world->legs[world->n++];

    *leg = (struct leg){.transaction = transaction,
                        .state = text->state,
                        .abandoned = text->abandoned,
                        .partner = text->is_own ? NULL : &somebody,
                        .community = span_of_cstr(text->community),
                        .diag.code = text->failure,
                        .status = text->status,
                        .dropped = text->dropped,
                        .dropped_homeless = text->homeless,
                        .result = text->result};
    for (size_t i = 0; i < ITEMS_MAX; i++) {
        struct span rest = span_of_cstr(text->refs[i]);
        struct diag diag = {0};

        if (text->errors[i] != NULL) {
            add_error(world, leg, text->errors[i]);
        }
        if (text->items[i] != NULL) {
            add_item(world, leg, text->items[i]);
        }
        if (text->refs[i] != NULL) {
            CHECK_OK(&diag, ARENA_PUSH(world->arena, &diag, &leg->refs, ref_of(&rest)));
        }
    }
}

void
merge_kit_world(struct world *world, enum soap_transaction transaction,
                const struct leg_text *texts)
{
    *world = (struct world){.arena = arena_new(ARENA_LIMIT_DEFAULT)};
    for (size_t i = 0; i < LEGS_MAX && texts[i].community != NULL; i++) {
        make_leg(world, transaction, &texts[i]);
    }
}

/* ---- answers as text ---- */

__attribute__((format(printf, 2, 3))) void
say(struct text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text->n +=
        (size_t)vsnprintf(text->bytes + text->n, sizeof(text->bytes) - text->n, format, arguments);
    va_end(arguments);
    CU_ASSERT_FATAL(text->n < sizeof(text->bytes));
}

void
say_errors(struct text *text, const struct registry_error_list *errors)
{
    for (size_t i = 0; i < errors->n; i++) {
        const struct registry_error *error = &errors->items[i];

        say(text, "%s%.*s [%.*s] %.*s\n", error->is_warning ? "!" : "", SPAN_PRINT(error->code),
            SPAN_PRINT(error->location), SPAN_PRINT(error->context));
    }
}

/* ---- every order ---- */

static bool
next_order(size_t order[], size_t n)
{
    size_t i = n - 1, j = n - 1;

    while (i > 0 && order[i - 1] >= order[i]) {
        i--;
    }
    if (i == 0) {
        return false;
    }
    while (order[j] <= order[i - 1]) {
        j--;
    }
    const size_t swapped = order[i - 1];
    order[i - 1] = order[j];
    order[j] = swapped;
    for (size_t a = i, b = n - 1; a < b; a++, b--) {
        const size_t kept = order[a];
        order[a] = order[b];
        order[b] = kept;
    }
    return true;
}

void
merge_kit_check(enum soap_transaction transaction, const struct leg_text *texts, say_answer say_it,
                const char *want)
{
    size_t order[LEGS_MAX] = {0, 1, 2, 3, 4};
    size_t orders = 0;
    bool is_another = true;

    while (is_another) {
        struct text text = {.n = 0};
        struct world world;
        struct merge *merge = NULL;
        struct diag diag = {0};

        merge_kit_world(&world, transaction, texts);
        CHECK_OK(&diag, merge_new(world.arena, transaction, world.legs, world.n, &diag, &merge));
        for (size_t i = 0; i < world.n; i++) {
            merge_add(merge, order[i]);
        }
        CU_ASSERT_EQUAL(merge_progress(merge).over, world.n);
        say_it(&text, merge);
        if (strcmp(text.bytes, want) != 0) {
            fprintf(stderr, "order %zu: wanted\n%sgot\n%s", orders, want, text.bytes);
            CU_FAIL("another answer");
        }
        is_another = world.n > 1 && next_order(order, world.n);
        orders++;
        arena_free(world.arena);
    }
}
