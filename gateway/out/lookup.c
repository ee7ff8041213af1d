/*
 * One question to the system's resolver (getaddrinfo) on a thread of its own. Called by blocking
 * senders when they connect. The question belongs to both threads, by references: whoever leaves
 * last frees it, so a resolver that hangs keeps its own few bytes and nobody waiting.
 */
#include "out/lookup.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"

#define HOST_MAX 256
#define PORT_MAX 8

struct question {
    atomic_uint references;
    int done_fd;         /* readable: it is done */
    atomic_bool is_done; /* what follows is there */
    char host[HOST_MAX];
    char port[PORT_MAX];
    int error; /* of getaddrinfo */
    struct lookup_addresses found;
};

static void
leave(struct question *question)
{
    if (atomic_fetch_sub(&question->references, 1) == 1) {
        if (question->done_fd != -1) {
            (void)close(question->done_fd);
        }
        mem_free(question);
    }
}

static int
ask(const char *host, const char *port, int flags, struct lookup_addresses *found)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM, /* one entry per address */
                                   .ai_flags = flags | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    const int error = getaddrinfo(host, port, &hints, &list);
    if (error != 0) {
        return error;
    }
    found->n = 0;
    for (const struct addrinfo *at = list; at != NULL && found->n < LOOKUP_ADDRESSES_MAX;
         at = at->ai_next) {
        struct lookup_address *address = &found->items[found->n++];
        memcpy(&address->address, at->ai_addr, at->ai_addrlen);
        address->n = at->ai_addrlen;
        address->family = at->ai_family;
    }
    freeaddrinfo(list);
    return 0;
}

static void *
run(void *arg)
{
    const uint64_t one = 1;
    struct question *question = arg;
    question->error = ask(question->host, question->port, 0, &question->found);
    atomic_store(&question->is_done, true);
    (void)!write(question->done_fd, &one, sizeof(one));
    leave(question);
    return NULL;
}

static struct status
start_thread(struct question *question, struct diag *diag)
{
    pthread_t thread;
    atomic_fetch_add(&question->references, 1);
    const int error = thread_start(&thread, run, question);
    if (error != 0) {
        atomic_fetch_sub(&question->references, 1);
        return FAIL(diag, ERR_IO, "cannot start a thread that asks for a name: error %d", error);
    }
    (void)pthread_detach(thread);
    return OK;
}

static struct status
tell(const char *host, int error, struct diag *diag)
{
    return FAIL(diag, ERR_PARTNER_UNREACHABLE,
                "host %s has no address (%s); check it in the configuration, and this machine's "
                "name service",
                host, gai_strerror(error));
}

static struct status
ask_aside(struct question *question, const struct out_wait *wait, struct diag *diag,
          struct lookup_addresses *ret_addresses)
{
    question->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (question->done_fd == -1) {
        return FAIL(diag, ERR_IO, "no descriptor to ask for a name: error %d", errno);
    }
    TRY(start_thread(question, diag));
    TRY(out_wait_for(wait, question->done_fd, POLLIN, diag));
    if (!atomic_load(&question->is_done)) {
        return FAIL(diag, ERR_INTERNAL, "the question for a name ended without an answer");
    }
    if (question->error != 0) {
        return tell(question->host, question->error, diag);
    }
    *ret_addresses = question->found;
    return OK;
}

struct status
lookup_host(const char *host, uint16_t port, const struct out_wait *wait, struct diag *diag,
            struct lookup_addresses *ret_addresses)
{
    char port_text[PORT_MAX];
    (void)snprintf(port_text, sizeof(port_text), "%u", (unsigned)port);
    const int error = ask(host, port_text, AI_NUMERICHOST, ret_addresses);
    if (error == 0) {
        return OK;
    }
    if (error != EAI_NONAME || strlen(host) >= HOST_MAX) {
        return tell(host, error, diag);
    }
    struct question *question = mem_alloc(sizeof(*question));
    if (question == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to ask for a name");
    }
    atomic_init(&question->references, 1);
    question->done_fd = -1;
    (void)snprintf(question->host, sizeof(question->host), "%s", host);
    memcpy(question->port, port_text, sizeof(question->port));
    const struct status st = ask_aside(question, wait, diag, ret_addresses);
    leave(question);
    return st;
}
