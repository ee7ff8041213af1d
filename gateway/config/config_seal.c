/*
 * Reads of `audit:` what makes the journal provable and how long it is kept: `checkpoints`,
 * `retention`, `archive`. Called while the configuration loads, after credentials: and trust:.
 */
#include <string.h>

#include "config/config_reader.h"

#define DAY_US         (INT64_C(24) * 3600 * US_PER_S)
#define YEAR_US        (366 * DAY_US) /* never shorter than a year */
#define RETENTION_US   (6 * YEAR_US)  /* 45 CFR 164.316(b)(2)(i) */
#define RETENTION_MOST 1000

/* "6y", "90d", "never". */
static void
read_retention(struct config_reader *reader, const struct yaml_node *node, int64_t *ret_us)
{
    const char *text = NULL;
    uint64_t number = 0;

    if (!config_text(reader, node, "a time such as 6y or 90d", &text)) {
        return;
    }
    const struct span all = span_of_cstr(text);
    const char unit = all.p[all.n - 1];

    if (strcmp(text, "never") == 0) {
        *ret_us = 0;
    } else if ((unit == 'd' || unit == 'y') &&
               span_to_u64(span_slice(all, 0, all.n - 1),
                           unit == 'y' ? RETENTION_MOST : RETENTION_MOST * 366, &number) &&
               number > 0) {
        *ret_us = (int64_t)number * (unit == 'y' ? YEAR_US : DAY_US);
    } else {
        config_expected(reader, node, "a time such as 6y or 90d, at most 1000y, or never");
    }
}

static void
read_checkpoints(struct config_reader *reader, struct yaml_node *audit)
{
    static const char *const names[] = {"credential", "every", "records", "trust"};
    struct yaml_node *node = config_section(reader, audit, "checkpoints", names, ARRAY_LEN(names));
    struct config_checkpoints *checkpoints = &reader->config->checkpoints;

    checkpoints->every_us = 60 * US_PER_S;
    checkpoints->records = 10000;
    if (node == NULL) {
        return;
    }
    checkpoints->credential =
        config_find_credential(reader, config_need(reader, node, "credential"));
    checkpoints->trust = config_find_trust(reader, yaml_get(node, "trust"));
    config_duration(reader, yaml_get(node, "every"), US_PER_S, 24 * 3600 * US_PER_S,
                    &checkpoints->every_us);
    config_count(reader, yaml_get(node, "records"), 1, 1000 * 1000, &checkpoints->records);
}

/* What is removed is signed for, so nothing is removed without a key. */
static void
check_signed(struct config_reader *reader, struct yaml_node *audit, const char *key)
{
    const struct yaml_node *node = yaml_get(audit, key);

    if (node != NULL && yaml_get(audit, "checkpoints") == NULL) {
        yaml_error(reader->report, node,
                   "'%s' needs audit.checkpoints: before old records are removed the journal says "
                   "so under a signature",
                   key);
    }
}

struct status
config_read_seal(struct config_reader *reader, struct yaml_node *audit)
{
    struct config *config = reader->config;
    const struct yaml_node *archive = yaml_get(audit, "archive");

    read_checkpoints(reader, audit);
    config->retention_us = yaml_get(audit, "checkpoints") == NULL ? 0 : RETENTION_US;
    read_retention(reader, yaml_get(audit, "retention"), &config->retention_us);
    check_signed(reader, audit, "retention");
    check_signed(reader, audit, "archive");
    TRY(config_path(reader, archive, &config->archive));
    return config->archive == NULL ? OK : config_check_parent(reader, archive, config->archive);
}
