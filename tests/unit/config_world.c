/*
 * Makes, changes and loads the files of config_world.h.
 */
#include "config_world.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/devpki.h"
#include "unit.h"

/* A good configuration; the tests replace one line of it. */
static const char *const main_lines[] = {
    /* 1 */ "community: {id: 2.999.1, name: Red HIE}",
    /* 2 */ "listen:",
    /* 3 */ "  network: {address: 127.0.0.1:8443, credential: node, trust: partners}",
    /* 4 */ "  local: {address: 127.0.0.1:8080}",
    /* 5 */ "  admin: {address: 127.0.0.1:9090}",
    /* 6 */ "asserts: {organization: Red HIE, purpose: T-TREAT}",
    /* 7 */ "credentials:",
    /* 8 */ "  node: {certificate: red/node.pem, key: red/node.key}",
    /* 9 */ "  signing: {certificate: red/signing.pem, key: red/signing.key}",
    /* 10 */ "trust:",
    /* 11 */ "  partners: {anchors: red/ca.pem, crl: red/crl.pem}",
    /* 12 */ "partners: [partners.d/*.yaml]",
    /* 13 */ "store: {engine: sqlite, path: var/isthmus.db}",
    /* 14 */ "sources: []",
    /* 15 */ "audit: {journal: var/audit, repositories: []}",
    /* 16 */ "policies: [policy.yaml]",
    /* 17 */ "# the end",
};

static const char *const blue_lines[] = {
    /* 1 */ "id: blue",
    /* 2 */ "name: Blue HIE",
    /* 3 */ "communities: [2.999.2, 2.999.2.7]",
    /* 4 */ "endpoints:",
    /* 5 */ "  xcpd: https://localhost:8453/xcpd",
    /* 6 */ "  query: https://localhost:8453/xca/query",
    /* 7 */ "tls: {identity: san, names: [Blue.example]}",
    /* 8 */ "signing: {certificates: [../blue/signing.pem]}",
    /* 9 */ "confirmation: [holder-of-key]",
    /* 10 */ "timeout: 10s",
};

static const char *const gold_lines[] = {
    /* 1 */ "id: gold",
    /* 2 */ "communities: [2.999.4]",
    /* 3 */ "tls: {names: [gold.example]}",
    /* 4 */ "signing: {certificates: [../gold/signing.pem]}",
};

struct config_world world;

/* ---- files ---- */

const char *
path_of(const char *name)
{
    static char paths[8][512];
    static size_t next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", world.dir, name);
    return path;
}

void
write_text(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");

    CU_ASSERT_FATAL(file != NULL);
    CU_ASSERT(fputs(text, file) >= 0);
    CU_ASSERT(fclose(file) == 0);
}

/* The lines, with line <change> (from 1) replaced by <instead>; 0 changes nothing. */
static void
write_lines(const char *name, const char *const *lines, size_t n, size_t change,
            const char *instead)
{
    char text[8192] = "";
    size_t used = 0;

    for (size_t i = 0; i < n; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\n",
                                 i + 1 == change ? instead : lines[i]);
    }
    CU_ASSERT_FATAL(used < sizeof(text));
    write_text(name, text);
}

void
write_main(size_t change, const char *instead)
{
    write_lines("isthmus.yaml", main_lines, ARRAY_LEN(main_lines), change, instead);
}

void
write_blue(size_t change, const char *instead)
{
    write_lines("partners.d/blue.yaml", blue_lines, ARRAY_LEN(blue_lines), change, instead);
}

void
write_gold(size_t change, const char *instead)
{
    write_lines("partners.d/gold.yaml", gold_lines, ARRAY_LEN(gold_lines), change, instead);
}

static void
make_node(const char *name, const char *ca)
{
    struct diag diag = {0};
    char host[64];
    const struct devpki_node node = {.name = name, .host = host, .key = DEVPKI_P256};

    snprintf(host, sizeof(host), "%s.example", name);
    CHECK_OK(&diag, devpki_make_node(path_of(name), path_of(ca), &node, world.now_us, &diag));
}

void
test_make_world(void)
{
    struct diag diag = {0};

    snprintf(world.dir, sizeof(world.dir), "%s", unit_temp_dir());
    world.now_us = clock_wall_us(clock_system());
    fake_clock_init(&world.clock, world.now_us);
    CHECK_OK(&diag, devpki_make_ca(path_of("ca"), "Test", world.now_us, &diag));
    CHECK_OK(&diag, devpki_make_ca(path_of("other-ca"), "Other", world.now_us, &diag));
    make_node("red", "ca");
    make_node("blue", "ca");
    make_node("gold", "ca");
    make_node("green", "other-ca");
    CU_ASSERT(mkdir(path_of("partners.d"), 0700) == 0);
    CU_ASSERT(mkdir(path_of("var"), 0700) == 0);
    write_text("policy.yaml", "rules:\n"
                              "  - name: treatment\n"
                              "    effect: permit\n"
                              "    reason: treatment\n"
                              "    partners: [blue]\n"
                              "    purposes: [T-TREAT]\n");
    write_text("idp.json", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
                           "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                           "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}");
    write_text("bad.json", "{\"keys\":[");
    write_text("secret.json", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}");
    CU_ASSERT(symlink("node.key", path_of("red/link.key")) == 0);
    write_text("red/open.key", "");
    CU_ASSERT(chmod(path_of("red/open.key"), 0644) == 0);
}

/* ---- loading ---- */

void
load(struct loaded *loaded)
{
    memset(loaded, 0, sizeof(*loaded));
    yaml_report_init(&loaded->report);
    loaded->status = config_load(path_of("isthmus.yaml"), &world.clock.clock, &loaded->report,
                                 &loaded->diag, &loaded->config);
}

void
unload(struct loaded *loaded)
{
    config_unref(loaded->config);
    yaml_report_done(&loaded->report);
}

/* The report without the test's folder. */
static void
short_report(const struct yaml_report *report, char *ret_text, size_t size)
{
    const size_t folder = strlen(world.dir);
    const char *p = report->text.p == NULL ? "" : report->text.p;
    size_t n = 0;

    while (*p != '\0' && n + 1 < size) {
        if (strncmp(p, world.dir, folder) == 0) {
            p += folder + 1;
        } else {
            ret_text[n++] = *p++;
        }
    }
    ret_text[n] = '\0';
}

void
check_report(const char *what, const struct yaml_report *report, const char *want)
{
    char got[16384];

    short_report(report, got, sizeof(got));
    if (strcmp(got, want) != 0) {
        fprintf(stderr, "%s\n--- wanted\n%s--- got\n%s", what, want, got);
        CU_FAIL("another report");
    }
}

void
check_refused(const char *what, const char *want)
{
    struct loaded loaded;

    load(&loaded);
    CHECK_ERR(&loaded.diag, ERR_CONFIG, loaded.status);
    check_report(what, &loaded.report, want);
    CU_ASSERT(loaded.config == NULL);
    unload(&loaded);
}
