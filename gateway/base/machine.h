/*
 * What this machine gives the process: for defaults that fit a small virtual machine and a large
 * server. Thread: any.
 */
#ifndef BASE_MACHINE_H
#define BASE_MACHINE_H

#include <stdint.h>

/* Physical memory, or what the control group of the process may use when that is less (containers,
 * systemd's MemoryMax=). Never 0. */
uint64_t machine_memory_bytes(void);
/* The same of a machine whose /proc and /sys are under <root> ("" for this one) and that has
 * <physical> bytes: for tests. */
uint64_t machine_memory_under(const char *root, uint64_t physical);

unsigned machine_cores(void); /* 1 to 64 */

#endif
