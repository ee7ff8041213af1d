/*
 * What the files of the matcher share. Inside store/match*.c only.
 */
#ifndef STORE_MATCH_PARTS_H
#define STORE_MATCH_PARTS_H

#include "store/match.h"

bool match_is_among(struct span text, const char *const *texts, size_t n);
bool match_are_digits(struct span text);       /* one at least, and nothing else */
bool match_is_one_character(struct span text); /* two at least, all the same */
/* Is <key> the last four digits of a social security number: "2330", "xxxxx2330", "000002330"? */
bool match_id_is_last_four(struct span root, struct span key);
/* Fills birth_low and birth_high from a birth time of less than eight digits or from a range, when
 * it is one that can be used. */
void match_read_range(const struct patient *patient, struct match_person *person);

#endif
