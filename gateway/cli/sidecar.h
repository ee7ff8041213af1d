/*
 * The sidecar: a YAML file beside a document that says what the document itself does not say, whose
 * it is and what it is. Keys are described in gateway/store/README.md. Thread: one; the arena owns
 * the result.
 */
#ifndef CLI_SIDECAR_H
#define CLI_SIDECAR_H

#include "base/document.h"
#include "base/yaml.h"

struct sidecar {
    struct patient patient;
    struct document_entry entry; /* unique_id as given when it is legal, else empty */
    struct span header_id;       /* unique_id as given */
};

/* Every error of the file is in <report>, with file:line:column; ERR_DOCUMENT when there was one,
 * ERR_IO when it cannot be read. */
MUST_CHECK struct status sidecar_read(const char *path, struct arena *arena,
                                      struct yaml_report *report, struct diag *diag,
                                      struct sidecar *ret_sidecar);

#endif
