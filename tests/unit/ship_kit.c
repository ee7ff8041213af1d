/* See ship_kit.h. */
#include "tests/unit/ship_kit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* ---- the scripted repository ---- */

static struct status
kit_connect(struct ship_sender *sender, const struct out_wait *wait, struct diag *diag)
{
    struct kit_sender *kit = (struct kit_sender *)sender;
    (void)wait;
    atomic_fetch_add(&kit->connects, 1);
    if (atomic_load(&kit->fail_connects) > 0) {
        atomic_fetch_sub(&kit->fail_connects, 1);
        return FAIL(diag, ERR_PARTNER_UNREACHABLE, "the script says so");
    }
    atomic_store(&kit->is_gone, false);
    return OK;
}

static void
take(struct kit_sender *kit, const struct ship_record *record)
{
    (void)pthread_mutex_lock(&kit->lock);
    const size_t used = strlen(kit->text);
    (void)snprintf(kit->text + used, sizeof(kit->text) - used, "%s%s/%" PRIu64,
                   used == 0 ? "" : " ", record->chain, record->sequence);
    (void)pthread_mutex_unlock(&kit->lock);
    kit->sender.sent_bytes += 100;
    atomic_fetch_add(&kit->taken, 1);
}

static struct status
kit_send(struct ship_sender *sender, const struct out_wait *wait, const struct ship_record *records,
         size_t n, struct diag *diag, size_t *ret_taken)
{
    struct kit_sender *kit = (struct kit_sender *)sender;
    *ret_taken = 0;
    while (atomic_load(&kit->is_stalled)) {
        TRY(out_wait_for(wait, -1, 0, diag));
    }
    for (size_t i = 0; i < n; i++) {
        const int left = atomic_load(&kit->fail_after);
        if (left == 0) {
            atomic_store(&kit->fail_after, -1);
            return FAIL(diag, ERR_PARTNER_UNREACHABLE, "the script breaks it");
        }
        if (left > 0) {
            atomic_fetch_sub(&kit->fail_after, 1);
        }
        take(kit, &records[i]);
        (*ret_taken)++;
    }
    atomic_store(&kit->is_gone, atomic_load(&kit->is_dropping));
    return OK;
}

static struct status
kit_check(struct ship_sender *sender, struct diag *diag)
{
    struct kit_sender *kit = (struct kit_sender *)sender;
    return atomic_load(&kit->is_gone) ? FAIL(diag, ERR_PARTNER_UNREACHABLE, "the script closed it")
                                      : OK;
}

static int
kit_fd(const struct ship_sender *sender)
{
    (void)sender;
    return -1;
}

static bool
kit_close(struct ship_sender *sender, const struct out_wait *wait, bool is_clean)
{
    struct kit_sender *kit = (struct kit_sender *)sender;
    (void)wait;
    atomic_fetch_add(is_clean ? &kit->farewells : &kit->closes, 1);
    return is_clean && !atomic_load(&kit->is_deaf);
}

static void
kit_free(struct ship_sender *sender)
{
    atomic_fetch_add(&((struct kit_sender *)sender)->frees, 1);
}

void
kit_sender_init(struct kit_sender *kit, bool has_answers)
{
    memset(kit, 0, sizeof(*kit));
    kit->sender = (struct ship_sender){.kind = "kit",
                                       .has_answers = has_answers,
                                       .connect = kit_connect,
                                       .send = kit_send,
                                       .check = kit_check,
                                       .fd = kit_fd,
                                       .close = kit_close,
                                       .free = kit_free};
    atomic_store(&kit->fail_after, -1);
    (void)pthread_mutex_init(&kit->lock, NULL);
}

const char *
kit_sender_text(struct kit_sender *kit)
{
    static char text[sizeof(kit->text)];
    (void)pthread_mutex_lock(&kit->lock);
    memcpy(text, kit->text, sizeof(text));
    (void)pthread_mutex_unlock(&kit->lock);
    return text;
}

bool
kit_sender_wait(struct kit_sender *kit, unsigned taken)
{
    unsigned looks = 0;
    while (atomic_load(&kit->taken) < taken) {
        if (!unit_wait(&looks)) {
            return false;
        }
    }
    return true;
}

/* ---- ships ---- */

struct ship_options
kit_ship_options(const char *dir, struct journal *journal)
{
    return (struct ship_options){.place = {.dir = dir},
                                 .name = "arr",
                                 .clock = clock_system(),
                                 .limits = KIT_LIMITS,
                                 .journal = journal};
}

struct ship *
kit_ship(const struct ship_options *options, struct ship_sender *sender)
{
    struct ship *ship = NULL;
    struct diag diag = {0};
    if (!CHECK_OK(&diag, ship_start(options, sender, &diag, &ship))) {
        abort();
    }
    return ship;
}

void
kit_ship_end(struct ship *ship)
{
    ship_stop(ship, clock_mono_us(clock_system()) + UNIT_PATIENCE_S * US_PER_S);
    ship_free(ship);
}

void
kit_ship_cut(struct ship *ship)
{
    ship_free(ship);
}
