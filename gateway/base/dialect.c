/*
 * Names and meanings of the relaxations. Used by config/ to read a partner's file and by the
 * commands that show what is relaxed.
 */
#include "base/dialect.h"

#include "base/mem.h"

struct dialect_row {
    const char *name;
    const char *meaning;
};

static const struct dialect_row rows[RELAX_COUNT] = {
#define DIALECT_ROW(name, text, meaning) [RELAX_##name] = {text, meaning},
    DIALECT_TABLE(DIALECT_ROW)
#undef DIALECT_ROW
};

const char *
dialect_name(enum dialect_relaxation relaxation)
{
    return rows[relaxation].name;
}

const char *
dialect_meaning(enum dialect_relaxation relaxation)
{
    return rows[relaxation].meaning;
}

bool
dialect_find(struct span name, enum dialect_relaxation *ret_relaxation)
{
    for (enum dialect_relaxation i = 0; i < RELAX_COUNT; i++) {
        if (span_eq_cstr(name, rows[i].name)) {
            *ret_relaxation = i;
            return true;
        }
    }
    return false;
}
