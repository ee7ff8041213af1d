/*
 * Suppliers of demographics and managers of cross-references that a test plays for green, on top of
 * source_kit.h; and red's discovery of anybody.
 */
#ifndef SUPPLIER_KIT_H
#define SUPPLIER_KIT_H

#include "soap/pdq.h"
#include "soap/pix.h"
#include "source_kit.h"

#define MPI "2.999.50" /* authority of the supplier's own ids */
#define MPI_SOURCE                                                                                 \
    "  - {name: mpi, engine: pdq, url: 'https://mpi.example/pdq', patient_authority: " MPI "}\n"
#define XREF_SOURCE                                                                                \
    "  - {name: xref, engine: pix, url: 'https://xref.example/pix', patient_authority: 2.999.77, " \
    "remember: 10m}\n"
#define FAR "2.999.78" /* authority of a registry whose ids our index does not have */
#define FAR_SOURCE                                                                                 \
    "  - name: far\n"                                                                              \
    "    registry: {url: 'https://far.example/r'}\n"                                               \
    "    repositories: {2.999.35: 'https://far.example/p'}\n"                                      \
    "    patient_authority: " FAR "\n"
#define OTTO "Berg", "Otto", "19600202", "M"

/* Somebody whom a supplier knows. */
struct supplied {
    const char *id; /* of MPI */
    const char *family, *given, *birth_date, *sex;
    const char *hospital_id; /* of 2.999.77, too; NULL: none */
    const char *city;        /* NULL: no address */
};

/* Red asks green; the answer when it has come. */
void supplier_discover(const char *family, const char *given, const char *birth_date,
                       const char *sex, struct scene_reply *reply);
void supplier_discover_patient(const struct patient *who, struct scene_reply *reply);
struct xcpd_answer supplier_discovered(const struct scene_reply *reply);

/* What the newest question to a supplier asks. */
struct xcpd_query supplier_asked(const char *source);
/* It knows these, and <left> more. */
void supplier_answer(const char *source, const struct supplied *people, size_t n, unsigned left);
/* It refuses (AE). */
void supplier_refuse(const char *source);

/* What the newest question to a manager asks; its answer (of ids: those of <answer>). */
struct pix_query supplier_asked_ids(const char *source);
void supplier_say_ids(const char *source, const struct pix_answer *answer);
/* PIX_FOUND: these ids, "ROOT EXTENSION" each. */
void supplier_give_ids(const char *source, const char *const *ids, size_t n);

#endif
