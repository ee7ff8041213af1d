/*
 * A locked list and an eventfd that wakes its owner. Posted to by workers, the journal and
 * whoever asks the network for something; delivered on the owner's loop thread. The lock is never
 * held while a letter is delivered.
 */
#include "base/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

struct mailbox {
    atomic_uint references;
    int fd;
    pthread_mutex_t lock; /* for what follows */
    struct letter *first;
    struct letter **end; /* where the next letter is linked */
    bool is_closed;
};

struct status
mailbox_new(struct diag *diag, struct mailbox **ret_mailbox)
{
    struct mailbox *mailbox = mem_alloc(sizeof(*mailbox));
    if (mailbox == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a mailbox");
    }
    mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mailbox->fd < 0) {
        mem_free(mailbox);
        return FAIL(diag, ERR_IO, "no eventfd: %s", strerrordesc_np(errno));
    }
    (void)pthread_mutex_init(&mailbox->lock, NULL); /* cannot fail on Linux without attributes */
    atomic_init(&mailbox->references, 1);
    mailbox->end = &mailbox->first;
    *ret_mailbox = mailbox;
    return OK;
}

struct mailbox *
mailbox_ref(struct mailbox *mailbox)
{
    (void)atomic_fetch_add_explicit(&mailbox->references, 1, memory_order_relaxed);
    return mailbox;
}

void
mailbox_unref(struct mailbox *mailbox)
{
    if (mailbox == NULL ||
        atomic_fetch_sub_explicit(&mailbox->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    assert(mailbox->first == NULL); /* a letter that nobody would deliver */
    (void)pthread_mutex_destroy(&mailbox->lock);
    (void)close(mailbox->fd);
    mem_free(mailbox);
}

bool
mailbox_post(struct mailbox *mailbox, struct letter *letter)
{
    (void)pthread_mutex_lock(&mailbox->lock);
    const bool is_taken = !mailbox->is_closed;
    /* One wake for a row of letters: the owner empties the descriptor before the list. */
    const bool must_wake = is_taken && mailbox->first == NULL;
    if (is_taken) {
        letter->next = NULL;
        *mailbox->end = letter;
        mailbox->end = &letter->next;
    }
    if (must_wake) {
        const uint64_t one = 1;
        const ssize_t n = write(mailbox->fd, &one, sizeof(one));
        assert(n == (ssize_t)sizeof(one)); /* fails only when the counter is about to overflow */
        (void)n;
    }
    (void)pthread_mutex_unlock(&mailbox->lock);
    return is_taken;
}

int
mailbox_fd(const struct mailbox *mailbox)
{
    return mailbox->fd;
}

static void
deliver_all(struct mailbox *mailbox, bool closes)
{
    (void)pthread_mutex_lock(&mailbox->lock);
    struct letter *letter = mailbox->first;
    mailbox->first = NULL;
    mailbox->end = &mailbox->first;
    mailbox->is_closed = mailbox->is_closed || closes;
    (void)pthread_mutex_unlock(&mailbox->lock);
    while (letter != NULL) {
        struct letter *next = letter->next; /* delivery gives the letter away */
        letter->deliver(letter);
        letter = next;
    }
}

void
mailbox_deliver(struct mailbox *mailbox)
{
    uint64_t count = 0;
    const ssize_t n = read(mailbox->fd, &count, sizeof(count));
    (void)n; /* EAGAIN when another delivery was faster: the list says what there is */
    deliver_all(mailbox, false);
}

void
mailbox_close(struct mailbox *mailbox)
{
    deliver_all(mailbox, true);
}
