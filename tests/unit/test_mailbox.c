/* Letters between threads: order, wakes, and what happens once nobody is at home. */
#include <poll.h>
#include <pthread.h>

#include "base/mailbox.h"
#include "base/mem.h"
#include "tests/unit/unit.h"

#define SENDERS 4
#define LETTERS 2000

struct note {
    struct letter letter; /* first member */
    unsigned sender, number;
    struct room *room;
};

struct room {
    struct mailbox *mailbox;
    unsigned next[SENDERS]; /* number expected from each sender; the owner's */
    unsigned delivered;
    bool is_disordered;
};

struct sender {
    struct room *room;
    unsigned index;
    struct note notes[LETTERS];
    unsigned refused;
};

static void
receive(struct letter *letter)
{
    struct note *note = (struct note *)letter;
    struct room *room = note->room;
    room->is_disordered |= room->next[note->sender] != note->number;
    room->next[note->sender] = note->number + 1;
    room->delivered++;
}

static void *
send_all(void *arg)
{
    struct sender *sender = arg;
    for (unsigned i = 0; i < LETTERS; i++) {
        sender->notes[i] = (struct note){{NULL, receive}, sender->index, i, sender->room};
        if (!mailbox_post(sender->room->mailbox, &sender->notes[i].letter)) {
            sender->refused++;
        }
    }
    mailbox_unref(sender->room->mailbox);
    return NULL;
}

static bool
has_mail(const struct mailbox *mailbox, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = mailbox_fd(mailbox), .events = POLLIN};
    return poll(&poll_fd, 1, timeout_ms) == 1;
}

static void
start_senders(struct room *room, struct sender *senders, pthread_t *threads)
{
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i].room = room;
        senders[i].index = i;
        (void)mailbox_ref(room->mailbox);
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
    }
}

static unsigned
join_senders(const struct sender *senders, const pthread_t *threads)
{
    unsigned refused = 0;
    for (unsigned i = 0; i < SENDERS; i++) {
        CU_ASSERT_EQUAL(pthread_join(threads[i], NULL), 0);
        refused += senders[i].refused;
    }
    return refused;
}

/* Nothing is lost, nothing overtakes, and no wake is missed. */
static void
test_order(void)
{
    struct diag diag = {.code = ERR_NONE};
    struct room room = {.mailbox = NULL};
    struct sender *senders = mem_alloc(sizeof(*senders) * SENDERS);
    pthread_t threads[SENDERS];
    CHECK_OK(&diag, mailbox_new(&diag, &room.mailbox));
    start_senders(&room, senders, threads);
    while (room.delivered < SENDERS * LETTERS) {
        if (!has_mail(room.mailbox, 10000)) {
            CU_FAIL("no wake within 10 s");
            break;
        }
        mailbox_deliver(room.mailbox);
    }
    CU_ASSERT_EQUAL(join_senders(senders, threads), 0);
    CU_ASSERT_FALSE(room.is_disordered);
    CU_ASSERT_FALSE(has_mail(room.mailbox, 0));
    mailbox_close(room.mailbox);
    mailbox_unref(room.mailbox);
    mem_free(senders);
}

/* While others post: each letter is either delivered or given back, and the last to let go frees.
 */
static void
test_close(void)
{
    struct diag diag = {.code = ERR_NONE};
    struct room room = {.mailbox = NULL};
    struct sender *senders = mem_alloc(sizeof(*senders) * SENDERS);
    pthread_t threads[SENDERS];
    CHECK_OK(&diag, mailbox_new(&diag, &room.mailbox));
    start_senders(&room, senders, threads);
    (void)has_mail(room.mailbox, 10000);
    mailbox_deliver(room.mailbox);
    mailbox_close(room.mailbox);
    mailbox_unref(room.mailbox);
    const unsigned refused = join_senders(senders, threads);
    CU_ASSERT_EQUAL(room.delivered + refused, SENDERS * LETTERS);
    mem_free(senders);
}

static void
test_closed_refuses(void)
{
    struct diag diag = {.code = ERR_NONE};
    struct room room = {.mailbox = NULL};
    struct note note = {{NULL, receive}, 0, 0, &room};
    CHECK_OK(&diag, mailbox_new(&diag, &room.mailbox));
    CU_ASSERT_TRUE(mailbox_post(room.mailbox, &note.letter));
    mailbox_close(room.mailbox);
    CU_ASSERT_EQUAL(room.delivered, 1);
    CU_ASSERT_FALSE(mailbox_post(room.mailbox, &note.letter));
    mailbox_unref(room.mailbox);
    mailbox_unref(NULL);
}

static struct status
make_one(struct diag *diag)
{
    struct mailbox *mailbox = NULL;
    TRY(mailbox_new(diag, &mailbox));
    mailbox_unref(mailbox);
    return OK;
}

static void
test_no_memory(void)
{
    unit_torture(make_one);
}

static const struct unit_test tests[] = {
    {"a closed one refuses", test_closed_refuses},
    {"no memory", test_no_memory},
    {"closing while others post", test_close},
    {"order", test_order},
};
UNIT_MAIN("mailbox", tests)
