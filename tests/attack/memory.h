/*
 * How many bytes of the heap the process holds, and the most that it held since a mark: of every
 * allocation, our own and the libraries'. With AddressSanitizer its hooks tell; without, the
 * program brings malloc and its relatives itself, in front of the C library's. Thread: the judge
 * has one.
 */
#ifndef ATTACK_MEMORY_H
#define ATTACK_MEMORY_H

#include <stddef.h>

/* Before any other call. */
void memory_init(void);
/* From now on: the peak is counted from what is held now. */
void memory_mark(void);
/* Bytes beyond those at the mark: the most since then, and what is still held. */
size_t memory_peak(void);
size_t memory_held(void);
/* "sanitizer hooks" or "malloc wrapped", for the report. */
const char *memory_method(void);

#endif
