/*
 * People and cases of matching as a table spells them: tests/unit/match_cases.txt says how at its
 * top. Everything lives in the arena given.
 */
#ifndef MATCH_KIT_H
#define MATCH_KIT_H

#include "store/match.h"

#define MATCH_CASE_PEOPLE 8
#define MATCH_CASE_IDS    8

struct match_described {
    struct patient patient;
    bool is_unreliable[MATCH_CASE_IDS];
    struct span own; /* an id that we gave out, or empty */
};

struct match_case {
    struct span name;
    struct match_described asked, known[MATCH_CASE_PEOPLE];
    size_t known_n;
    struct match_decision want;
    unsigned line; /* of the file */
};
struct match_case_list {
    struct match_case *items;
    size_t n, capacity;
};

#define MATCH_OWN_ROOT "2.999.77"

/* False, and printed why, when the file is not there or a line of it cannot be read. */
bool match_cases_read(const char *path, struct arena *arena, struct match_case_list *ret_cases);
/* <is_asked>: as a question. */
bool match_described_prepare(const struct match_described *described, bool is_asked,
                             struct arena *arena, struct match_person *ret_person);

#endif
