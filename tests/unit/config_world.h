/*
 * A good configuration in files that the tests of config/ change line by line: node red, partners
 * blue and gold, certificates of one authority, green under another.
 */
#ifndef CONFIG_WORLD_H
#define CONFIG_WORLD_H

#include "config/config.h"

#define DAY_US (INT64_C(86400) * US_PER_S)

struct config_world {
    char dir[256];
    int64_t now_us;
    struct fake_clock clock; /* what config_load is given */
};
extern struct config_world world;

/* The first test of a suite. */
void test_make_world(void);

/* <name> in the world's folder; a few of the results are valid at a time. */
const char *path_of(const char *name);
void write_text(const char *name, const char *text);
/* A good file with line <change> (from 1) replaced by <instead>; 0 changes nothing. */
void write_main(size_t change, const char *instead);
void write_blue(size_t change, const char *instead);
void write_gold(size_t change, const char *instead);

struct loaded {
    struct yaml_report report;
    struct diag diag;
    const struct config *config;
    struct status status;
};
void load(struct loaded *loaded);
void unload(struct loaded *loaded);
/* The whole report, without the world's folder. */
void check_report(const char *what, const struct yaml_report *report, const char *want);
/* Loads, and wants a refusal with this report. */
void check_refused(const char *what, const char *want);

/* One line changed, and what is said about it. */
struct mistake {
    size_t line;
    const char *instead;
    const char *report;
};

#endif
