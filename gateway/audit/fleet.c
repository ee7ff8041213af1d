/*
 * Starting, changing and ending the ships of a node. Called by `isthmus serve` at its start, at
 * each reload and at its end, on the main thread; the admin listener's threads read states. The
 * lock guards the list, and is never held while a ship ends.
 */
#include "audit/fleet.h"

#include <pthread.h>
#include <string.h>

#include "audit/ship_fhir.h"
#include "audit/ship_syslog.h"
#include "base/mem.h"

#define LEAVE_US (2 * US_PER_S)

struct fleet {
    struct fleet_options options;
    pthread_mutex_t lock; /* of what follows */
    struct ship *ships[CONFIG_AUDIT_MAX];
    size_t n;
};

/* ---- one destination ---- */

static struct status
make_fhir(const struct config *config, const struct config_audit_repository *repository,
          struct diag *diag, struct ship_sender **ret_sender)
{
    const struct ship_fhir_options options = {
        .url = repository->url,
        .certificate_name = repository->certificate_name,
        .credential = repository->credential,
        .trust = repository->trust,
        .config = config,
        .source = ship_source(config),
        .ids = repository->is_put ? AUDIT_FHIR_PUT : AUDIT_FHIR_POST,
    };
    return ship_fhir_new(&options, diag, ret_sender);
}

static struct status
make_sender(const struct config *config, const struct config_audit_repository *repository,
            struct diag *diag, struct ship_sender **ret_sender)
{
    return repository->kind == CONFIG_AUDIT_FHIR
               ? make_fhir(config, repository, diag, ret_sender)
               : ship_syslog_new(config, repository, diag, ret_sender);
}

static struct ship_limits
limits_of(const struct config_audit_repository *repository)
{
    struct ship_limits limits = SHIP_LIMITS_DEFAULT;
    limits.resend_age_us = repository->resend_age_us;
    limits.resend_bytes = repository->resend_bytes;
    limits.alarm_us = repository->alarm_us;
    limits.timeout_us = repository->timeout_us;
    return limits;
}

static struct status
begin(const struct fleet *fleet, const struct config_audit_repository *repository,
      struct ship_sender *sender, struct diag *diag, struct ship **ret_ship)
{
    const struct ship_options options = {
        .place = *fleet->options.place,
        .name = repository->name,
        .clock = fleet->options.clock,
        .limits = limits_of(repository),
        .journal = fleet->options.journal,
        .on_alarm = fleet->options.on_alarm,
        .alarm_arg = fleet->options.alarm_arg,
    };
    return ship_start(&options, sender, diag, ret_ship);
}

/* ---- the list ---- */

static bool
is_called(struct ship *ship, const char *name)
{
    return strcmp(ship_name(ship), name) == 0;
}

/* Takes it out of <ships>; NULL: there is none. */
static struct ship *
take(struct ship **ships, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (ships[i] != NULL && is_called(ships[i], name)) {
            struct ship *found = ships[i];
            ships[i] = NULL;
            return found;
        }
    }
    return NULL;
}

static void
end_all(struct ship **ships, size_t n, int64_t until_us)
{
    for (size_t i = 0; i < n; i++) {
        if (ships[i] != NULL) {
            ship_stop(ships[i], until_us);
        }
    }
    for (size_t i = 0; i < n; i++) {
        ship_free(ships[i]);
    }
}

/* The ship of an entry: the one that is there with another sender, or a new one. */
static struct status
settle(const struct fleet *fleet, const struct config *config,
       const struct config_audit_repository *repository, struct ship *there, struct diag *diag,
       struct ship **ret_ship)
{
    struct ship_sender *sender = NULL;
    const struct status st = make_sender(config, repository, diag, &sender);
    *ret_ship = there; /* goes on as it was, when there is no other */
    TRY(st);
    if (there == NULL) {
        return begin(fleet, repository, sender, diag, ret_ship);
    }
    const struct ship_limits limits = limits_of(repository);
    ship_replace(there, sender, &limits);
    return OK;
}

struct status
fleet_set(struct fleet *fleet, const struct config *config, struct diag *diag)
{
    struct ship *before[CONFIG_AUDIT_MAX];
    struct ship *after[CONFIG_AUDIT_MAX];
    const size_t before_n = fleet->n;
    size_t n = 0;
    struct status st = OK;
    memcpy(before, fleet->ships, sizeof(before));
    for (size_t i = 0; i < config->audit_repositories_n; i++) {
        const struct config_audit_repository *repository = &config->audit_repositories[i];
        struct ship *there = take(before, before_n, repository->name);
        struct ship *ship = NULL;
        const struct status set = settle(fleet, config, repository, there, diag, &ship);
        st = is_ok(st) ? set : st;
        if (ship != NULL) {
            after[n++] = ship;
        }
    }
    (void)pthread_mutex_lock(&fleet->lock);
    memcpy(fleet->ships, after, n * sizeof(*after));
    fleet->n = n;
    (void)pthread_mutex_unlock(&fleet->lock);
    end_all(before, before_n, clock_mono_us(fleet->options.clock) + LEAVE_US);
    return st;
}

size_t
fleet_read(struct fleet *fleet, struct ship_state ret_states[CONFIG_AUDIT_MAX])
{
    (void)pthread_mutex_lock(&fleet->lock);
    const size_t n = fleet->n;
    for (size_t i = 0; i < n; i++) {
        ship_read_state(fleet->ships[i], &ret_states[i]);
    }
    (void)pthread_mutex_unlock(&fleet->lock);
    return n;
}

/* ---- start and end ---- */

struct status
fleet_new(const struct fleet_options *options, struct diag *diag, struct fleet **ret_fleet)
{
    struct fleet *fleet = mem_alloc(sizeof(*fleet));
    if (fleet == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for audit repositories");
    }
    fleet->options = *options;
    (void)pthread_mutex_init(&fleet->lock, NULL);
    *ret_fleet = fleet;
    return OK;
}

void
fleet_stop(struct fleet *fleet, int64_t until_us)
{
    struct ship *ships[CONFIG_AUDIT_MAX];
    (void)pthread_mutex_lock(&fleet->lock);
    const size_t n = fleet->n;
    memcpy(ships, fleet->ships, sizeof(ships));
    fleet->n = 0;
    (void)pthread_mutex_unlock(&fleet->lock);
    end_all(ships, n, until_us);
}

void
fleet_free(struct fleet *fleet)
{
    if (fleet != NULL) {
        fleet_stop(fleet, clock_mono_us(fleet->options.clock));
        (void)pthread_mutex_destroy(&fleet->lock);
        mem_free(fleet);
    }
}
