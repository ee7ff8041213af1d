/*
 * The replay memory's part that no engine needs to repeat. Called by the Responding Gateway's steps
 * and by whoever starts a node.
 */
#include "store/replay.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/store_engine.h"

const char *
replay_kind_name(enum replay_kind kind)
{
    static const char *const names[] = {[REPLAY_MESSAGE_ID] = "wsa:MessageID",
                                        [REPLAY_TIMESTAMP] = "Timestamp signature",
                                        [REPLAY_ASSERTION] = "assertion"};

    return names[kind];
}

struct status
replay_remember(struct store *store, const struct replay_message *message, struct park *park,
                struct diag *diag, enum answer *ret_answer, struct replay_result *ret_result)
{
    assert(message->keys_n > 0 && message->keys_n <= REPLAY_KEYS_MAX);
    assert(message->keys_max >= REPLAY_KEYS_MAX);
    STORE_VISIT(store);

    return store->engine->remember(store, message, park, diag, ret_answer, ret_result);
}

struct status
replay_start(struct store *store, const char *boot_id, struct diag *diag, bool *ret_is_lossy)
{
    STORE_VISIT(store);

    return store->engine->replay_start(store, boot_id, diag, ret_is_lossy);
}

struct status
replay_stop(struct store *store, struct diag *diag)
{
    STORE_VISIT(store);

    return store->engine->replay_stop(store, diag);
}

bool
replay_boot_id(char ret_id[REPLAY_BOOT_ID_MAX])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    bool is_read = false;

    if (file != NULL) {
        is_read = fgets(ret_id, REPLAY_BOOT_ID_MAX, file) != NULL;
        (void)fclose(file);
    }
    if (is_read) {
        ret_id[strcspn(ret_id, "\n")] = '\0';
    }
    return is_read && ret_id[0] != '\0';
}
