/*
 * A search for people by what a local system knows of them (ITI-47): everybody of whom everything
 * holds that was asked for. This is not the matcher (match.h), which says who it is: a search finds
 * candidates for somebody who looks at them, and so is for our own community only.
 *
 * What holds:
 *   - an id: one of the person's believable ones is one of those that were asked for;
 *   - a name: some name has the family name (or a part of it), and the given names in their order,
 *     an initial agreeing with a name; in a pattern (use="SRCH"), and in a part that ends in '*',
 *     it begins so;
 *   - a birth time: the day, or a day of the range;
 *   - sex; an address, every part that is given; a telecom; the mother's maiden name; the place of
 *     birth; the care provider: equal, folded.
 * Several values of one kind are alternatives. What a record does not say does not hold.
 *
 * Pure; the arena of search_prepare owns what it makes. Thread: any.
 */
#ifndef STORE_SEARCH_H
#define STORE_SEARCH_H

#include "store/match.h"

/* The text of a pattern holds for everybody when it is shorter than this. */
#define SEARCH_PATTERN_LEAST 2

struct search_name {
    struct folded_name folded; /* family or given may be empty: any */
    bool is_family_prefix, is_given_prefix;
};
struct search {
    const struct patient *asked;
    struct match_person person; /* what of it can be compared; its names are not used */
    struct {
        struct search_name *items;
        size_t n, capacity;
    } names;
};

/* ERR_MESSAGE_CONTENT: a '*' that is not the end of a part, a pattern of less than
 * SEARCH_PATTERN_LEAST letters, more values of one kind than are compared. <is_unreliable> as in
 * match_prepare. */
MUST_CHECK struct status search_prepare(const struct patient *asked, const bool *is_unreliable,
                                        struct arena *arena, struct diag *diag,
                                        struct search *ret_search);
/* <person>: prepared by match_prepare, with match_person_own. */
bool search_holds(const struct search *search, const struct match_person *person);

#endif
