/*
 * See continued.h. Each entry lives in an arena of its own, which its release wipes. Called by
 * transactions of local systems, on workers; the lock is held for copying only.
 */
#include "txn/continued.h"

#include "base/mem.h"

#define ENTRY_BYTES ((size_t)64 * 1024 * 1024)

struct continued_entry {
    struct continued_entry *next;
    struct arena *arena; /* of what follows */
    struct continued_key key;
    struct continued_query query;
    int64_t until_us; /* mono */
    size_t bytes;
};

void
continued_init(struct continued *continued)
{
    *continued = (struct continued){0};
    pthread_mutex_init(&continued->lock, NULL);
}

/* Patients' data does not stay in memory that is given back. */
static void
wipe(struct span text)
{
    if (text.n > 0) {
        mem_wipe((char *)text.p, text.n);
    }
}

static void
free_entry(struct continued_entry *entry)
{
    for (size_t i = 0; i < entry->query.items.n; i++) {
        wipe(entry->query.items.items[i].written);
        wipe(entry->query.items.items[i].patient);
    }
    wipe(entry->query.query_xml);
    arena_free(entry->arena);
    mem_free(entry);
}

/* The one that *place points to. */
static void
drop(struct continued *continued, struct continued_entry **place)
{
    struct continued_entry *entry = *place;

    *place = entry->next;
    continued->bytes -= entry->bytes;
    free_entry(entry);
}

void
continued_done(struct continued *continued)
{
    while (continued->entries != NULL) {
        drop(continued, &continued->entries);
    }
    pthread_mutex_destroy(&continued->lock);
}

static void
expire(struct continued *continued, int64_t now_us)
{
    struct continued_entry **place = &continued->entries;

    while (*place != NULL) {
        if ((*place)->until_us <= now_us) {
            drop(continued, place);
        } else {
            place = &(*place)->next;
        }
    }
}

void
continued_expire(struct continued *continued, int64_t now_us)
{
    pthread_mutex_lock(&continued->lock);
    expire(continued, now_us);
    pthread_mutex_unlock(&continued->lock);
}

static bool
is_same_key(const struct continued_key *a, const struct continued_key *b)
{
    return span_eq(a->system, b->system) && span_eq(a->user, b->user) &&
           ident_eq(&a->query_id, &b->query_id);
}

static struct continued_entry **
find(struct continued *continued, const struct continued_key *key)
{
    struct continued_entry **place = &continued->entries;

    while (*place != NULL && !is_same_key(&(*place)->key, key)) {
        place = &(*place)->next;
    }
    return place;
}

/* ---- keeping ---- */

static struct status
copy_items(const struct continued_item_list *from, size_t at, size_t n, struct arena *arena,
           struct diag *diag, struct continued_item_list *ret_items)
{
    struct continued_item_list items = {.n = n, .capacity = n};

    TRY(ARENA_ARRAY(arena, n, diag, &items.items));
    for (size_t i = 0; i < n; i++) {
        TRY(arena_dup(arena, from->items[at + i].written, diag, &items.items[i].written));
        TRY(arena_dup(arena, from->items[at + i].patient, diag, &items.items[i].patient));
    }
    *ret_items = items;
    return OK;
}

static struct status
copy_key(const struct continued_key *key, struct arena *arena, struct diag *diag,
         struct continued_key *ret_key)
{
    struct continued_key copy = {0};

    TRY(arena_dup(arena, key->system, diag, &copy.system));
    TRY(arena_dup(arena, key->user, diag, &copy.user));
    TRY(arena_dup(arena, key->query_id.root, diag, &copy.query_id.root));
    TRY(arena_dup(arena, key->query_id.extension, diag, &copy.query_id.extension));
    *ret_key = copy;
    return OK;
}

static struct status
fill(struct continued_entry *entry, const struct continued_key *key,
     const struct continued_query *query, struct diag *diag)
{
    entry->arena = arena_new(ENTRY_BYTES);
    if (entry->arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of an answer that is given in parts");
    }
    entry->query = (struct continued_query){.next = query->next, .quantity = query->quantity};
    TRY(copy_key(key, entry->arena, diag, &entry->key));
    TRY(arena_dup(entry->arena, query->query_xml, diag, &entry->query.query_xml));
    TRY(copy_items(&query->items, 0, query->items.n, entry->arena, diag, &entry->query.items));
    entry->bytes = sizeof(*entry) + arena_used(entry->arena);
    return OK;
}

/* The oldest ones of the system, as many as are too many with one more. */
static void
make_room(struct continued *continued, struct span system, size_t each)
{
    struct continued_entry **place = &continued->entries;
    size_t n = 0;

    while (*place != NULL) {
        if (span_eq((*place)->key.system, system) && ++n >= each) {
            drop(continued, place);
        } else {
            place = &(*place)->next;
        }
    }
}

static struct status
add(struct continued *continued, struct continued_entry *entry,
    const struct continued_limits *limits, struct diag *diag)
{
    struct continued_entry **same = find(continued, &entry->key);

    if (*same != NULL) {
        drop(continued, same);
    }
    make_room(continued, entry->key.system, limits->each);
    if (entry->bytes > limits->bytes || continued->bytes > limits->bytes - entry->bytes) {
        return FAIL(diag, ERR_LIMIT_QUEUE,
                    "an answer that is given in parts takes %zu bytes, %zu of %zu are taken "
                    "(limits: continued)",
                    entry->bytes, continued->bytes, limits->bytes);
    }
    entry->next = continued->entries;
    continued->entries = entry;
    continued->bytes += entry->bytes;
    return OK;
}

struct status
continued_keep(struct continued *continued, const struct continued_key *key,
               const struct continued_query *query, const struct continued_limits *limits,
               int64_t now_us, struct diag *diag)
{
    struct continued_entry *entry = mem_alloc(sizeof(*entry));
    struct status st;

    if (entry == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of an answer that is given in parts");
    }
    *entry = (struct continued_entry){.until_us = now_us + limits->time_us};
    st = fill(entry, key, query, diag);
    if (is_ok(st)) {
        pthread_mutex_lock(&continued->lock);
        expire(continued, now_us);
        st = add(continued, entry, limits, diag);
        pthread_mutex_unlock(&continued->lock);
    }
    if (!is_ok(st)) {
        free_entry(entry);
    }
    return st;
}

/* ---- the next part ---- */

static struct status
fail_unknown(struct diag *diag)
{
    return FAIL(diag, ERR_UNKNOWN_CONTINUATION,
                "no query of this system and user with that queryId is open: it was never asked, "
                "cancelled, or its time is over (limits: continued_time)");
}

static struct status
take(struct continued_entry *entry, size_t start, size_t quantity, struct arena *arena,
     struct diag *diag, struct continued_query *ret_query)
{
    const struct continued_query *query = &entry->query;
    const size_t total = query->items.n;
    const size_t wanted = quantity > 0 ? quantity : query->quantity;
    const size_t from = start > 0 ? start - 1 : query->next;
    const size_t at = from < total ? from : total;
    const size_t n = wanted < total - at ? wanted : total - at;
    struct continued_query part = {.next = at + n, .quantity = wanted};

    TRY(arena_dup(arena, query->query_xml, diag, &part.query_xml));
    TRY(copy_items(&query->items, at, n, arena, diag, &part.items));
    entry->query.next = at + n;
    entry->query.quantity = wanted;
    *ret_query = part;
    return OK;
}

struct status
continued_take(struct continued *continued, const struct continued_key *key, size_t start,
               size_t quantity, int64_t now_us, struct arena *arena, struct diag *diag,
               struct continued_query *ret_query, size_t *ret_total)
{
    struct continued_entry *entry;
    struct status st;

    pthread_mutex_lock(&continued->lock);
    expire(continued, now_us);
    entry = *find(continued, key);
    if (entry == NULL) {
        st = fail_unknown(diag);
    } else {
        st = take(entry, start, quantity, arena, diag, ret_query);
        *ret_total = is_ok(st) ? entry->query.items.n : *ret_total;
    }
    pthread_mutex_unlock(&continued->lock);
    return st;
}

struct status
continued_cancel(struct continued *continued, const struct continued_key *key, int64_t now_us,
                 struct diag *diag)
{
    struct continued_entry **place;
    struct status st = OK;

    pthread_mutex_lock(&continued->lock);
    expire(continued, now_us);
    place = find(continued, key);
    if (*place == NULL) {
        st = fail_unknown(diag);
    } else {
        drop(continued, place);
    }
    pthread_mutex_unlock(&continued->lock);
    return st;
}
