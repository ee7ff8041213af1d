/*
 * What the readers of YAML trees share: the list of errors with their places, and the look-up and
 * judging of keys. Called by the configuration and the policies while they load, on one thread.
 */
#include <stdio.h>

#include "base/text.h"
#include "base/yaml.h"

#define YAML_REPORT_MAX ((size_t)256 * 1024)
#define YAML_LINE_MAX   1024

void
yaml_report_init(struct yaml_report *report)
{
    buf_init(&report->text, YAML_REPORT_MAX);
    report->errors = 0;
}

void
yaml_report_done(struct yaml_report *report)
{
    buf_done(&report->text);
}

/* One line per error, whatever bytes a key or value had. */
void
yaml_report_vadd(struct yaml_report *report, const char *file, int line, int column,
                 const char *format, va_list arguments)
{
    char text[YAML_LINE_MAX];
    struct diag ignored = {0};

    report->errors++;
    if (report->errors > YAML_ERRORS_MAX) {
        return;
    }
    vsnprintf(text, sizeof(text), format, arguments);
    for (char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            *p = '?';
        }
    }
    /* A line that finds no room is still counted: the load fails either way. */
    if (!is_ok(buf_printf(&report->text, &ignored, "%s:%d:%d: error: %s\n", file, line, column,
                          text))) {
        return;
    }
}

void
yaml_report_add(struct yaml_report *report, const char *file, int line, int column,
                const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    yaml_report_vadd(report, file, line, column, format, arguments);
    va_end(arguments);
}

void
yaml_error(struct yaml_report *report, const struct yaml_node *at, const char *format, ...)
{
    va_list arguments;

    if (at->is_refused) {
        return;
    }
    va_start(arguments, format);
    yaml_report_vadd(report, at->file, at->line, at->column, format, arguments);
    va_end(arguments);
}

struct yaml_node *
yaml_get(struct yaml_node *mapping, const char *key)
{
    if (mapping == NULL || mapping->kind != YAML_MAPPING) {
        return NULL;
    }
    for (struct yaml_node *child = mapping->children; child != NULL; child = child->next) {
        if (span_eq_cstr(child->key, key)) {
            child->is_known = true;
            return child;
        }
    }
    return NULL;
}

const char *
yaml_nearest(struct span word, const char *const *names, size_t n)
{
    /* A third of the letters may be wrong, but never all of a short word. */
    const size_t most = word.n < 4 ? 1 : (word.n < 7 ? 2 : 3);
    const char *nearest = NULL;
    size_t least = most + 1;

    for (size_t i = 0; i < n; i++) {
        const size_t distance = text_distance(word, span_of_cstr(names[i]), most);

        if (distance < least) {
            least = distance;
            nearest = names[i];
        }
    }
    return nearest;
}

void
yaml_list_names(const char *const *names, size_t n, char *ret_list, size_t size)
{
    size_t used = 0;

    ret_list[0] = '\0';
    for (size_t i = 0; i < n && used < size; i++) {
        const int more =
            snprintf(ret_list + used, size - used, "%s%s", i == 0 ? "" : ", ", names[i]);

        used += more < 0 ? 0 : (size_t)more;
    }
}

void
yaml_check_keys(struct yaml_report *report, const struct yaml_node *mapping,
                const char *const *names, size_t n)
{
    if (mapping == NULL || mapping->kind != YAML_MAPPING) {
        return;
    }
    for (const struct yaml_node *child = mapping->children; child != NULL; child = child->next) {
        bool is_name = false;

        for (size_t i = 0; i < n && !is_name; i++) {
            is_name = span_eq_cstr(child->key, names[i]);
        }
        if (is_name) {
            continue;
        }
        const char *nearest = yaml_nearest(child->key, names, n);
        char list[512];

        if (nearest != NULL) {
            yaml_report_add(report, child->file, child->key_line, child->key_column,
                            "unknown key '%.*s'; did you mean '%s'?", SPAN_PRINT(child->key),
                            nearest);
        } else {
            yaml_list_names(names, n, list, sizeof(list));
            yaml_report_add(report, child->file, child->key_line, child->key_column,
                            "unknown key '%.*s'; expected one of: %s", SPAN_PRINT(child->key),
                            list);
        }
    }
}
