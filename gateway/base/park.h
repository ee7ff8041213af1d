/*
 * How a call that cannot answer now (a partner, the journal's group commit, a database) gives the
 * transaction back later, without knowing what a transaction is.
 *
 * A call that may take time gets a struct park and says ANSWER_NOW or ANSWER_LATER. After
 * ANSWER_LATER the callee calls park_wake exactly once, from any thread, possibly before the call
 * has returned; then the caller asks again or reads the result where the callee's header says. The
 * park outlives the wake: its owner waits for every wake that is due before it goes away.
 */
#ifndef BASE_PARK_H
#define BASE_PARK_H

#include <stddef.h>

struct park {
    void (*wake)(struct park *park);
    /* Several at once, of those that have this function; NULL: one after the other. A park may be
     * among them more than once. */
    void (*wake_all)(struct park *const *parks, size_t n);
};

enum answer { ANSWER_NOW, ANSWER_LATER };

static inline void
park_wake(struct park *park)
{
    park->wake(park);
}

#endif
