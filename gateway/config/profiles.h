/*
 * Partner profiles: what partners of one kind need, as data. Inside config/, but for the list of
 * those that are shipped.
 *
 * A profile is a YAML file: `about` says whom it is for, `sets` holds keys of a partner's file, and
 * `parameter` (when there is one) is an example of the value that the partner's file gives with the
 * name; it takes the place of each `$` under `sets`. Those that are shipped are compiled in from
 * profiles/, so that a program always has exactly those that it was tested with; an operator's own
 * lie in the folder that `profiles` of the main file names.
 *
 * A partner's file names profiles in its `profiles`. What the file says itself wins, but lists are
 * joined, its own as well; where two profiles set a key differently and the file does not set it,
 * both places are an error. After this the partner's file is read as if it had said it all.
 * Thread: the one that loads.
 */
#ifndef CONFIG_PROFILES_H
#define CONFIG_PROFILES_H

#include "config/config_reader.h"

struct config_shipped_profile {
    const char *name;
    const char *text; /* of its file */
};
/* In order of their names; made from profiles/ by profiles.sh. */
extern const struct config_shipped_profile config_shipped_profiles[];
extern const size_t config_shipped_profiles_n;

struct config_profile {
    const char *name;
    const char *about;
    const char *parameter;        /* an example of its value; NULL: it takes none */
    const struct yaml_node *sets; /* NULL: the file had mistakes, which are reported */
};

/* By name; a shipped one is read when it is asked for first. NULL: there is none, reported at <at>,
 * or it has mistakes. */
MUST_CHECK struct status config_find_profile(struct config_reader *reader,
                                             const struct yaml_node *at, struct span name,
                                             const struct config_profile **ret_profile);

#endif
