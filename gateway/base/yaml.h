/*
 * YAML files, read strictly (libfyaml lives in yaml.c only).
 *
 * Every scalar is text: our schema types it, YAML never does (an OID is not a float). Refused:
 * aliases, anchors, tags, duplicate keys (both places are named), several documents in one file.
 * Every node knows its line and column; a mapping's or sequence's position is its key's. Errors are
 * collected in a struct yaml_report, so an operator sees all of them at once; a syntax error alone
 * ends the reading of its file. Owner: the reader of the tree; everything lives until yaml_free.
 * Thread: one at a time.
 */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include "base/arena.h"
#include "base/buf.h"

#define YAML_ERRORS_MAX 50 /* printed; more are counted */

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_node {
    enum yaml_kind kind;
    const char *file;
    int line, column; /* from 1; of the value (scalar) or of its key (collection) */
    struct span key;  /* when it is a value of a mapping */
    int key_line, key_column;
    struct span scalar;         /* YAML_SCALAR */
    struct yaml_node *children; /* YAML_SEQUENCE, YAML_MAPPING: first child */
    struct yaml_node *next;
    bool is_known;   /* marked by yaml_get: what stays unmarked is an unknown key */
    bool is_refused; /* reported already (an alias, a tag): yaml_error says nothing more about it */
};

/* Errors found so far, in order of appearance: "file:line:column: error: text". */
struct yaml_report {
    struct buf text; /* one line per error */
    int errors;
};
void yaml_report_init(struct yaml_report *report);
void yaml_report_done(struct yaml_report *report);
/* Bytes that would break the line are shown as '?'. */
void yaml_report_add(struct yaml_report *report, const char *file, int line, int column,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));
void yaml_report_vadd(struct yaml_report *report, const char *file, int line, int column,
                      const char *format, va_list arguments) __attribute__((format(printf, 5, 0)));
/* At a scalar's value or at a collection's key. Nothing when the node is refused already. */
void yaml_error(struct yaml_report *report, const struct yaml_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The root (a mapping; an empty file is an empty mapping). ERR_IO, or ERR_CONFIG_SYNTAX with the
 * place in <report>. Strings live in <arena>. */
MUST_CHECK struct status yaml_read_file(const char *path, struct arena *arena,
                                        struct yaml_report *report, struct diag *diag,
                                        struct yaml_node **ret_root);
/* The same for text that is no file; <name> stands for one in what is said about it. */
MUST_CHECK struct status yaml_read_text(const char *name, struct span text, struct arena *arena,
                                        struct yaml_report *report, struct diag *diag,
                                        struct yaml_node **ret_root);
/* The value of <key>, marked as known; NULL when absent (or <mapping> is NULL). */
struct yaml_node *yaml_get(struct yaml_node *mapping, const char *key);
/* Reports every key of the mapping that is not among <names>, with the nearest of them
 * ("unknown key 'endpont'; did you mean 'endpoint'?"). */
void yaml_check_keys(struct yaml_report *report, const struct yaml_node *mapping,
                     const char *const *names, size_t n);
/* For "did you mean": the nearest of <names>, or NULL when none is near. */
const char *yaml_nearest(struct span word, const char *const *names, size_t n);
/* "a, b, c", cut at <size> bytes. */
void yaml_list_names(const char *const *names, size_t n, char *ret_list, size_t size);

#endif
