/*
 * The truth about a network of communities: for each question, what each community must answer and
 * which documents must be gathered. Written as JSON by `synth generate` and `synth popular`, read
 * by `synth compare`; no node reads it. Everything lives in an arena.
 *
 * {"format": "isthmus-truth-1", "source": "generate", "seed": 1,
 *  "communities": [{"name": "red", "id": "2.999.1", "files": 31}, ...],
 *  "questions": [{"case": "scattered", "note": "...", "asker": "2.999.1", "asker_name": "red",
 *    "family": "...", "given": ["..."], "birth_date": "19620314", "sex": "F",
 *    "expected": [{"community": "2.999.2", "name": "green", "status": "match",
 *      "documents": [{"sha256": "...", "bytes": 9123, "type": "34133-9", "title": "...",
 *                     "confidentiality": "N", "files": ["green/0a1b2c3d.xml"]}]}]}]}
 */
#ifndef SYNTH_TRUTH_H
#define SYNTH_TRUTH_H

#include "tests/synth/rules.h"

#define TRUTH_FORMAT "isthmus-truth-1"

#define TRUTH_LIST(type)                                                                           \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t n, capacity;                                                                        \
    }

struct truth_document {
    struct span sha256; /* of the bytes, lower-case hexadecimal */
    uint64_t bytes;
    struct span type;              /* LOINC code of the header, or empty: not compared */
    struct span title;             /* or empty: not compared */
    struct span confidentiality;   /* code of the header, or empty */
    TRUTH_LIST(struct span) files; /* where in this community the bytes lie */
};

struct truth_expected {
    size_t community; /* index in the truth's list */
    enum rules_answer answer;
    TRUTH_LIST(struct truth_document) documents; /* each sha256 once */
};

struct truth_question {
    struct span name, note;
    size_t asker; /* index of a community */
    struct rules_name who;
    struct span birth, sex;
    TRUTH_LIST(struct truth_expected) expected; /* one per community, the asker's own too */
};

struct truth_community {
    struct span name, oid;
    uint64_t files;
};

struct truth {
    struct span source; /* "generate" or "popular" */
    uint64_t seed;
    TRUTH_LIST(struct truth_community) communities;
    TRUTH_LIST(struct truth_question) questions;
};

/* One file of a community, and whom it is about. */
struct truth_item {
    struct rules_subject subject; /* prepared */
    size_t person;                /* equal for the files of one person in this community */
    struct span path;
    struct truth_document document; /* without its files */
};
struct truth_items {
    struct truth_item *items;
    size_t n, capacity;
};

/* What a community that holds these files must answer. */
MUST_CHECK struct status truth_expect(const struct truth_items *items, size_t community,
                                      const struct truth_question *question, struct arena *arena,
                                      struct diag *diag, struct truth_expected *ret_expected);

MUST_CHECK struct status truth_write(const struct truth *truth, const char *path,
                                     struct diag *diag);
MUST_CHECK struct status truth_read(const char *path, struct arena *arena, struct diag *diag,
                                    struct truth *ret_truth);

/* The whole content of <buf> as a file that must not exist yet, or may (<is_new> false). */
MUST_CHECK struct status truth_write_file(const char *path, bool is_new, struct span content,
                                          struct diag *diag);

#endif
