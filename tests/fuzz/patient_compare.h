/*
 * What two patients have in common, for targets that read, write and read again. Thread: any.
 */
#ifndef FUZZ_PATIENT_COMPARE_H
#define FUZZ_PATIENT_COMPARE_H

#include "base/patient.h"

/* The name of what differs, or NULL. Uses are not compared: not all may be written. */
const char *patient_difference(const struct patient *a, const struct patient *b);
const char *name_difference(const struct person_name *a, const struct person_name *b);

#endif
