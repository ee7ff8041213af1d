/*
 * Messages from any thread to the one thread that owns an event loop: how an answer gets back to
 * its connection and a question to the outbound engine.
 *
 * The owner watches mailbox_fd and calls mailbox_deliver; everybody else posts. A letter is a
 * member of the object that it is about, so posting allocates nothing and cannot fail for lack of
 * memory. The object crosses the thread with the letter: from the post on it is the receiver's.
 */
#ifndef BASE_MAILBOX_H
#define BASE_MAILBOX_H

#include "base/diag.h"

struct letter {
    struct letter *next;
    void (*deliver)(struct letter *letter); /* called on the owner's thread */
};

struct mailbox;

/* Starts with one reference. ERR_NO_MEMORY, ERR_IO (no descriptor left). */
MUST_CHECK struct status mailbox_new(struct diag *diag, struct mailbox **ret_mailbox);
struct mailbox *mailbox_ref(struct mailbox *mailbox); /* any thread */
void mailbox_unref(struct mailbox *mailbox);          /* any thread; NULL is fine */

/* Any thread; letters of one thread arrive in its order. False when the mailbox is closed: the
 * letter is the caller's as before. */
MUST_CHECK bool mailbox_post(struct mailbox *mailbox, struct letter *letter);

/* The owner's thread only. */
int mailbox_fd(const struct mailbox *mailbox); /* readable while there is mail; borrowed */
void mailbox_deliver(struct mailbox *mailbox); /* everything that is there now */
void mailbox_close(struct mailbox *mailbox);   /* refuses new letters, delivers the last ones */

#endif
