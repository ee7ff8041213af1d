/* What the tests of the store share: a store in a fresh file, people and documents in a line. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include "store/store.h"
#include "tests/unit/unit.h"

#define FIXTURE_COMMUNITY  "2.999.1"
#define FIXTURE_AUTHORITY  "2.999.1.1"
#define FIXTURE_REPOSITORY "2.999.1.2"

/* Path of a file that no test has used, in the test's folder. */
const char *fixture_path(char ret_path[512]);
struct store *fixture_open(const char *path, const struct clock *clock);

/* "Family,Given[+Given]" with birth date and sex; <id> is "root:extension" or NULL. */
struct patient fixture_patient(struct arena *arena, const char *name, const char *birth_date,
                               const char *sex, const char *id);
/* All that XDS requires, from a fictitious type code. */
struct document_entry fixture_entry(struct arena *arena);

/* Puts <bytes> with the fixture's entry; checks that it works. */
struct store_put_result fixture_put(struct store *store, struct arena *arena,
                                    const struct patient *patient, const char *bytes);

struct store_counts fixture_count(struct store *store);

#endif
