/*
 * Reads what `audit:` says about the journal's writing: encryption, what happens when it cannot be
 * written, how full its disk may get. Called while the configuration loads.
 */
#include <string.h>

#include "base/mem.h"
#include "certs/key.h"
#include "config/config_reader.h"

#define KEYS_MAX     64
#define KEY_FILE_MAX ((size_t)8 * 1024)
#define DISK_LEAST   50 /* per cent */
#define DISK_MOST    99
#define DISK_DEFAULT 90
#define WAIT_LEAST   (100 * US_PER_MS)
#define WAIT_MOST    (600 * US_PER_S)
#define WAIT_DEFAULT (5 * US_PER_S)

/* ---- keys ---- */

static void
wipe_keys(void *object)
{
    struct journal_keys *keys = object;

    mem_wipe(keys->items, keys->n * sizeof(*keys->items));
}

static void
check_new(struct config_reader *reader, const struct yaml_node *node,
          const struct journal_keys *keys)
{
    const struct journal_key *key = &keys->items[keys->n];

    if (journal_keys_find(keys, key->id) != NULL) {
        yaml_error(reader->report, node, "%.*s holds a key that is listed already; list it once",
                   SPAN_PRINT(node->scalar));
    }
}

/* One more key; a mistake in its file is reported where it is named. */
static struct status
read_key(struct config_reader *reader, const struct yaml_node *node, struct journal_keys *keys)
{
    const char *path = NULL;
    struct diag why = {0};
    struct buf text;

    TRY(config_path(reader, node, &path));
    if (path == NULL) {
        return OK;
    }
    if (keys->n == KEYS_MAX) {
        yaml_error(reader->report, node, "more than %d keys", KEYS_MAX);
        return OK;
    }
    buf_init_secret(&text, KEY_FILE_MAX);
    struct status st = key_read_private_file(path, "key", &text, &why);
    if (is_ok(st)) {
        st = journal_key_read(buf_span(&text), &why, &keys->items[keys->n]);
        if (!is_ok(st)) {
            diag_prefix(&why, "%s", path);
        }
    }
    buf_done(&text);
    if (is_ok(st)) {
        check_new(reader, node, keys);
        keys->n++;
    } else if (st.code == ERR_NO_MEMORY || st.code == ERR_CRYPTO) {
        return FAIL(reader->diag, st.code, "%s", why.text);
    } else {
        yaml_error(reader->report, node, "%s", why.text);
    }
    return OK;
}

static struct status
read_encryption(struct config_reader *reader, struct yaml_node *audit)
{
    static const char *const names[] = {"key", "old_keys"};
    struct yaml_node *node = config_section(reader, audit, "encryption", names, ARRAY_LEN(names));
    struct yaml_node *key = yaml_get(node, "key"), *old = yaml_get(node, "old_keys");
    struct journal_keys *keys = &reader->config->audit.keys;

    if (node == NULL) {
        return OK;
    }
    TRY(ARENA_ARRAY(reader->arena, KEYS_MAX, reader->diag, &keys->items));
    TRY(arena_defer(reader->arena, wipe_keys, keys, reader->diag));
    if (key != NULL) {
        TRY(read_key(reader, key, keys));
        keys->is_writing = keys->n == 1;
    }
    if (!config_is_list(reader, old, "a list of paths")) {
        return OK;
    }
    for (const struct yaml_node *item = old->children; item != NULL; item = item->next) {
        TRY(read_key(reader, item, keys));
    }
    return OK;
}

/* ---- what happens when it cannot be written ---- */

static void
read_disk_limit(struct config_reader *reader, const struct yaml_node *node, unsigned *ret_percent)
{
    const char *text = NULL;
    uint64_t percent = 0;

    if (!config_text(reader, node, "a share such as 90%", &text)) {
        return;
    }
    if (!span_ends_with(node->scalar, SPAN("%")) ||
        !span_to_u64(span_slice(node->scalar, 0, node->scalar.n - 1), DISK_MOST, &percent) ||
        percent < DISK_LEAST) {
        config_expected(reader, node, "a share of the disk from 50% to 99%");
        return;
    }
    *ret_percent = (unsigned)percent;
}

struct status
config_read_journal(struct config_reader *reader, struct yaml_node *audit)
{
    static const char *const answers[] = {"refuse", "degrade"};
    struct config_audit *settings = &reader->config->audit;
    size_t answer = 0;

    settings->disk_limit_percent = DISK_DEFAULT;
    settings->wait_us = WAIT_DEFAULT;
    (void)config_choice(reader, yaml_get(audit, "on_unavailable"), answers, ARRAY_LEN(answers),
                        &answer);
    settings->is_degrading = answer == 1;
    read_disk_limit(reader, yaml_get(audit, "disk_limit"), &settings->disk_limit_percent);
    config_duration(reader, yaml_get(audit, "wait"), WAIT_LEAST, WAIT_MOST, &settings->wait_us);
    return read_encryption(reader, audit);
}
