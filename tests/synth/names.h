/*
 * Names, streets and towns of people who do not exist: common given names and family names,
 * combined by chance, and towns nobody lives in.
 */
#ifndef SYNTH_NAMES_H
#define SYNTH_NAMES_H

#include <stddef.h>

extern const char *const names_female[];
extern const size_t names_female_n;
extern const char *const names_male[];
extern const size_t names_male_n;
extern const char *const names_family[];
extern const size_t names_family_n;
extern const char *const names_street[];
extern const size_t names_street_n;

struct names_town {
    const char *city, *state, *postal_code;
};
extern const struct names_town names_towns[];
extern const size_t names_towns_n;

#endif
