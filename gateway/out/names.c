/*
 * Names become addresses here and nowhere else: asked of the system (getaddrinfo) on a few threads
 * of their own, so that a name service that does not answer delays only who needs it; held for a
 * while; judged for each partner; and given to curl, which resolves nothing itself. A name whose
 * answer changes under us (DNS rebinding) is judged anew each time, and a connection is opened to
 * no address that was not judged.
 *
 * What is held belongs to the engine's thread; a name that is being asked for belongs to the thread
 * that asks until its letter arrives. Threads that do not come back in time at the end are left
 * behind: they own what they use.
 */
#include "out/names.h"

#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"
#include "out/parts.h"

#define THREADS_MAX  4
#define NAMES_MAX    1024
#define FRESH_US     (60 * US_PER_S)
#define USABLE_US    (600 * US_PER_S) /* while the name service does not answer */
#define FAILED_US    (5 * US_PER_S)   /* so long a failure is the answer to all */
#define STOP_WAIT_US (1 * US_PER_S)

/* One host. */
struct name {
    struct letter letter; /* first member */
    struct names *names;
    struct name *next, *next_job;
    char host[HOST_MAX + 1];
    /* the engine's thread */
    struct ip ips[IPS_MAX];
    size_t ips_n;
    int error;                               /* of getaddrinfo, when ips_n is 0 */
    int64_t fresh_until_us, usable_until_us; /* mono */
    bool is_asked, is_doubted;
    struct transfer *waiting;
    /* of the thread that asks */
    struct ip found[IPS_MAX];
    size_t found_n;
    int found_error;
};

struct names {
    atomic_uint references; /* the engine's, and one per thread */
    struct mailbox *mailbox;
    const struct clock *clock;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t changed;
    struct name *first_job, *last_job, *orphans;
    size_t threads_n, idle_n;
    bool is_stopping;
    /* the engine's thread */
    struct name *items;
    size_t items_n;
};

/* ---- threads ---- */

static void
unref(struct names *names)
{
    if (atomic_fetch_sub(&names->references, 1) == 1) {
        while (names->orphans != NULL) {
            struct name *name = names->orphans;
            names->orphans = name->next_job;
            mem_free(name);
        }
        mailbox_unref(names->mailbox);
        (void)pthread_cond_destroy(&names->changed);
        (void)pthread_mutex_destroy(&names->lock);
        mem_free(names);
    }
}

static void
look_up(struct name *name)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    name->found_n = 0;
    name->found_error = getaddrinfo(name->host, NULL, &hints, &found);
    if (name->found_error != 0) {
        return;
    }
    for (struct addrinfo *at = found; at != NULL && name->found_n < IPS_MAX; at = at->ai_next) {
        struct ip *ip = &name->found[name->found_n];
        name->found_n +=
            ip_of_socket_address(at->ai_addr, at->ai_addrlen, at->ai_family, ip) ? 1 : 0;
    }
    freeaddrinfo(found);
    name->found_error = name->found_n == 0 ? EAI_NONAME : 0;
}

/* The lock is held. NULL: the end. */
static struct name *
take_job(struct names *names)
{
    while (names->first_job == NULL && !names->is_stopping) {
        names->idle_n++;
        (void)pthread_cond_wait(&names->changed, &names->lock);
        names->idle_n--;
    }
    struct name *name = names->is_stopping ? NULL : names->first_job;
    if (name != NULL) {
        names->first_job = name->next_job;
        names->last_job = names->first_job == NULL ? NULL : names->last_job;
    }
    return name;
}

static void *
run(void *arg)
{
    struct names *names = arg;
    struct name *name = NULL;
    (void)pthread_mutex_lock(&names->lock);
    while ((name = take_job(names)) != NULL) {
        (void)pthread_mutex_unlock(&names->lock);
        look_up(name);
        const bool is_wanted = mailbox_post(names->mailbox, &name->letter);
        (void)pthread_mutex_lock(&names->lock);
        if (!is_wanted) { /* the engine has ended; who leaves last frees it */
            name->next_job = names->orphans;
            names->orphans = name;
        }
    }
    names->threads_n--;
    (void)pthread_cond_broadcast(&names->changed);
    (void)pthread_mutex_unlock(&names->lock);
    unref(names);
    return NULL;
}

/* The lock is held. Signals are the main thread's. */
static void
start_thread(struct names *names)
{
    pthread_t thread;
    (void)atomic_fetch_add(&names->references, 1);
    if (thread_start(&thread, run, names) == 0) {
        (void)pthread_detach(thread);
        names->threads_n++;
    } else {
        (void)atomic_fetch_sub(&names->references, 1); /* never the last */
    }
}

/* False: nobody is there to ask. */
static bool
post_job(struct names *names, struct name *name)
{
    (void)pthread_mutex_lock(&names->lock);
    name->next_job = NULL;
    if (names->idle_n == 0 && names->threads_n < THREADS_MAX) {
        start_thread(names);
    }
    const bool is_posted = names->threads_n > 0;
    if (is_posted) {
        if (names->last_job == NULL) {
            names->first_job = name;
        } else {
            names->last_job->next_job = name;
        }
        names->last_job = name;
        (void)pthread_cond_signal(&names->changed);
    }
    (void)pthread_mutex_unlock(&names->lock);
    return is_posted;
}

/* ---- start and stop ---- */

struct status
names_new(struct mailbox *mailbox, const struct clock *clock, struct diag *diag,
          struct names **ret_names)
{
    struct names *names = mem_alloc(sizeof(*names));
    if (names == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for names");
    }
    atomic_init(&names->references, 1);
    names->mailbox = mailbox_ref(mailbox);
    names->clock = clock;
    (void)pthread_mutex_init(&names->lock, NULL);
    thread_cond_init(&names->changed);
    *ret_names = names;
    return OK;
}

/* What no thread has taken yet is ours again. */
static void
take_jobs_back(struct names *names)
{
    while (names->first_job != NULL) {
        struct name *name = names->first_job;
        names->first_job = name->next_job;
        name->is_asked = false;
    }
    names->last_job = NULL;
}

void
names_free(struct names *names)
{
    if (names == NULL) {
        return;
    }
    const int64_t until_us = clock_mono_us(clock_system()) + STOP_WAIT_US;
    (void)pthread_mutex_lock(&names->lock);
    names->is_stopping = true;
    take_jobs_back(names);
    (void)pthread_cond_broadcast(&names->changed);
    (void)pthread_mutex_unlock(&names->lock);
    while (names->items != NULL) {
        struct name *name = names->items;
        names->items = name->next;
        if (!name->is_asked) {
            mem_free(name);
        }
    }
    (void)pthread_mutex_lock(&names->lock);
    bool is_early = true;
    while (names->threads_n > 0 && is_early) {
        is_early = thread_wait_until(&names->changed, &names->lock, until_us);
    }
    (void)pthread_mutex_unlock(&names->lock);
    unref(names);
}

/* ---- what is held ---- */

/* Only what the configurations name gets here; still, nothing may grow without end. */
static void
make_room(struct names *names, int64_t at_us)
{
    struct name **link = &names->items;
    while (names->items_n >= NAMES_MAX && *link != NULL) {
        struct name *name = *link;
        if (name->is_asked || name->waiting != NULL || name->fresh_until_us > at_us) {
            link = &name->next;
            continue;
        }
        *link = name->next;
        names->items_n--;
        mem_free(name);
    }
}

static struct name *
find(struct names *names, const char *host)
{
    struct name *name = names->items;
    while (name != NULL && strcmp(name->host, host) != 0) {
        name = name->next;
    }
    return name;
}

static void deliver(struct letter *letter);

static struct name *
add(struct names *names, const char *host, int64_t at_us)
{
    make_room(names, at_us);
    struct name *name = names->items_n >= NAMES_MAX ? NULL : mem_alloc(sizeof(*name));
    if (name == NULL) {
        return NULL;
    }
    name->letter.deliver = deliver;
    name->names = names;
    (void)snprintf(name->host, sizeof(name->host), "%s", host);
    name->next = names->items;
    names->items = name;
    names->items_n++;
    return name;
}

/* ---- judging ---- */

static enum reach
allowed_reach(const struct transfer *transfer)
{
    static const enum reach reaches[] = {
        [PARTNER_ADDRESSES_PUBLIC] = REACH_PUBLIC,
        [PARTNER_ADDRESSES_PRIVATE] = REACH_PRIVATE,
        [PARTNER_ADDRESSES_LOCAL] = REACH_LOCAL,
    };
    const struct partner *partner = transfer->request.partner;
    /* The operator's own proxy, and what a URL says literally, is what was meant. */
    return partner->proxy_url != NULL || transfer->site.is_literal ? REACH_LOCAL
                                                                   : reaches[partner->addresses];
}

static struct status
refuse(const struct transfer *transfer, const struct ip *ip, struct diag *diag)
{
    const enum reach reach = ip_reach(ip);
    char text[IP_TEXT_MAX];
    ip_write(ip, text);
    if (reach == REACH_NEVER) {
        return FAIL(diag, ERR_PARTNER_UNREACHABLE,
                    "partner '%s': host '%s' leads to %s, %s, where no partner can be; correct the "
                    "host in its record or its entry in the name service",
                    transfer->request.partner->id, transfer->site.host, text, reach_name(reach));
    }
    return FAIL(diag, ERR_PARTNER_UNREACHABLE,
                "partner '%s': expected host '%s' to have a public address, got %s, %s; if that is "
                "meant, write 'addresses: %s' into its file",
                transfer->request.partner->id, transfer->site.host, text, reach_name(reach),
                reach == REACH_LOCAL ? "local" : "private");
}

/* Of several, those that may be asked; of none, why the first may not. */
static struct status
take_allowed(struct transfer *transfer, const struct ip *ips, size_t n, struct diag *diag)
{
    const enum reach allowed = allowed_reach(transfer);
    transfer->site.ips_n = 0;
    for (size_t i = 0; i < n; i++) {
        if (ip_reach(&ips[i]) <= allowed) {
            transfer->site.ips[transfer->site.ips_n++] = ips[i];
        }
    }
    return transfer->site.ips_n > 0 ? OK : refuse(transfer, &ips[0], diag);
}

static struct status
take_from(struct transfer *transfer, const struct name *name, struct diag *diag)
{
    if (name->ips_n > 0) {
        return take_allowed(transfer, name->ips, name->ips_n, diag);
    }
    return FAIL(diag, ERR_PARTNER_UNREACHABLE,
                "partner '%s': host '%s' has no address: %s; check the host in its record and this "
                "machine's name service",
                transfer->request.partner->id, transfer->site.host, gai_strerror(name->error));
}

/* ---- asking ---- */

static void
begin_waiting(struct transfer *transfer, struct name *name)
{
    transfer->name = name;
    transfer->name_previous = NULL;
    transfer->name_next = name->waiting;
    if (name->waiting != NULL) {
        name->waiting->name_previous = transfer;
    }
    name->waiting = transfer;
}

void
names_leave(struct transfer *transfer)
{
    if (transfer->name == NULL) {
        return;
    }
    if (transfer->name_previous != NULL) {
        transfer->name_previous->name_next = transfer->name_next;
    } else {
        transfer->name->waiting = transfer->name_next;
    }
    if (transfer->name_next != NULL) {
        transfer->name_next->name_previous = transfer->name_previous;
    }
    transfer->name = NULL;
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
    struct transfer *transfer = arg;
    char text[DIAG_TEXT_MAX];
    (void)fd;
    (void)what;
    (void)snprintf(text, sizeof(text),
                   "partner '%s': the name service did not say within the time of the exchange "
                   "which addresses '%.200s' has",
                   transfer->request.partner->id, transfer->site.host);
    transfer_fail(transfer, ERR_PARTNER_TIMEOUT, text);
}

/* A refresh that fails keeps what there was for a while. */
static void
take_result(struct name *name, int64_t at_us)
{
    name->is_asked = name->is_doubted = false;
    if (name->found_n == 0 && name->ips_n > 0 && name->usable_until_us > at_us) {
        name->fresh_until_us = at_us + FAILED_US;
        return;
    }
    memcpy(name->ips, name->found, name->found_n * sizeof(name->ips[0]));
    name->ips_n = name->found_n;
    name->error = name->found_error;
    name->fresh_until_us = at_us + (name->ips_n > 0 ? FRESH_US : FAILED_US);
    name->usable_until_us = name->ips_n > 0 ? at_us + USABLE_US : name->fresh_until_us;
}

static void
deliver(struct letter *letter)
{
    struct name *name = (struct name *)letter;
    struct transfer *transfer = NULL;
    take_result(name, clock_mono_us(name->names->clock));
    while ((transfer = name->waiting) != NULL) {
        struct diag diag = {.code = ERR_NONE};
        names_leave(transfer);
        transfer_go_on(transfer);
        if (is_ok(take_from(transfer, name, &diag))) {
            transfer_connect(transfer);
        } else {
            transfer_fail(transfer, diag.code, diag.text);
        }
    }
}

/* Answers with what is held if it may still be used; then it is asked for anew beside. */
static struct status
resolve_name(struct transfer *transfer, struct diag *diag, bool *ret_is_here)
{
    struct names *names = transfer->engine->names;
    const int64_t at_us = clock_mono_us(names->clock);
    struct name *name = find(names, transfer->site.host);
    if (name == NULL) {
        name = add(names, transfer->site.host, at_us);
    }
    if (name == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the name of partner '%s'",
                    transfer->request.partner->id);
    }
    if (name->fresh_until_us <= at_us && !name->is_asked) {
        name->is_asked = post_job(names, name);
    }
    if (name->usable_until_us > at_us && !(name->is_doubted && name->is_asked)) {
        *ret_is_here = true;
        return take_from(transfer, name, diag);
    }
    if (!name->is_asked) {
        return FAIL(diag, ERR_NO_MEMORY, "no thread to look up the host of partner '%s'",
                    transfer->request.partner->id);
    }
    if (!transfer_wait(transfer, on_late)) {
        return FAIL(diag, ERR_PARTNER_TIMEOUT, "no time left to look up the host of partner '%s'",
                    transfer->request.partner->id);
    }
    begin_waiting(transfer, name);
    *ret_is_here = false;
    return OK;
}

/* As curl itself reads the URL, so that nothing is judged under one name and asked at another. */
static bool
read_site(const char *url, struct site *ret_site)
{
    char *host = NULL, *port = NULL;
    CURLU *parts = curl_url();
    const bool is_read =
        parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
        strlen(host) <= HOST_MAX;
    if (is_read) {
        (void)snprintf(ret_site->host, sizeof(ret_site->host), "%s", host);
        (void)snprintf(ret_site->port, sizeof(ret_site->port), "%s", port);
        for (char *c = ret_site->host; *c != '\0'; c++) {
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
        }
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
    return is_read;
}

struct status
names_resolve(struct transfer *transfer, struct diag *diag, bool *ret_is_here)
{
    const struct partner *partner = transfer->request.partner;
    struct site *site = &transfer->site;
    struct ip ip;
    if (!read_site(partner->proxy_url == NULL ? transfer->request.url : partner->proxy_url, site)) {
        return FAIL(
            diag, ERR_PARTNER_UNREACHABLE,
            "partner '%s': expected https://host[:port]/path; correct the URL in its record",
            partner->id);
    }
    site->is_numeric = ip_read(site->host, &ip);
    site->is_literal = site->is_numeric || strcmp(site->host, "localhost") == 0;
    if (site->is_numeric) {
        *ret_is_here = true;
        return take_allowed(transfer, &ip, 1, diag);
    }
    return resolve_name(transfer, diag, ret_is_here);
}

void
names_doubt(const struct transfer *transfer)
{
    struct name *name =
        transfer->site.is_numeric ? NULL : find(transfer->engine->names, transfer->site.host);
    if (name != NULL) {
        name->fresh_until_us = 0;
        name->is_doubted = true;
    }
}

/* ---- for curl ---- */

struct status
names_pin(struct transfer *transfer, struct diag *diag)
{
    const struct site *site = &transfer->site;
    char text[HOST_MAX + 16 + IPS_MAX * IP_TEXT_MAX];
    if (site->is_numeric) {
        return OK;
    }
    int n = snprintf(text, sizeof(text), "%s:%s:", site->host, site->port);
    for (size_t i = 0; i < site->ips_n; i++) {
        char ip[IP_TEXT_MAX];
        ip_write(&site->ips[i], ip);
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%s", i == 0 ? "" : ",", ip);
    }
    return out_add_header(&transfer->pins, text)
               ? OK
               : FAIL(diag, ERR_NO_MEMORY, "no memory for the address of partner '%s'",
                      transfer->request.partner->id);
}

curl_socket_t
names_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = arg;
    struct ip ip;
    bool is_judged = false;
    (void)purpose;
    /* struct sockaddr is shorter than curl's address; it keeps the whole one there */
    if (ip_of_socket_address((const char *)address + offsetof(struct curl_sockaddr, addr),
                             address->addrlen, address->family, &ip)) {
        for (size_t i = 0; i < transfer->site.ips_n && !is_judged; i++) {
            const struct ip *known = &transfer->site.ips[i];
            is_judged =
                known->is_v6 == ip.is_v6 && memcmp(known->bytes, ip.bytes, ip.is_v6 ? 16 : 4) == 0;
        }
    }
    if (!is_judged) {
        const struct status st = FAIL(&transfer->diag, ERR_PARTNER_UNREACHABLE,
                                      "partner '%s': a connection to an address that its host '%s' "
                                      "does not have was not opened",
                                      transfer->request.partner->id, transfer->site.host);
        (void)st;
        return CURL_SOCKET_BAD;
    }
    return pool_open_socket(transfer, address);
}
