/*
 * `isthmus init`: the folders, configuration, development certificates and card of a new node.
 * Everything that was asked for is judged before the first file is written; the configuration is
 * written last, so a folder that has one is complete. Runs on the program's main thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/init.h"
#include "config/config.h"

#define FILE_MAX ((size_t)256 * 1024)

static struct init_plan plan;

static const struct cli_option options[] = {
    {"community", "OID", "homeCommunityId of this node (required)", &plan.community, NULL, NULL},
    {"name", "NAME", "name of the organisation (required)", &plan.name, NULL, NULL},
    {"id", "ID", "short label (default: made of the name)", &plan.id, NULL, NULL},
    {"listen", "ADDR:PORT", "for partners (default 127.0.0.1:8443)", &plan.listen, NULL, NULL},
    {"url", "URL", "how partners reach it (default https://ADDR:PORT)", &plan.url, NULL, NULL},
    {"host", "NAME", "DNS name in its TLS certificate (default: of the URL, or ID.localhost)",
     &plan.host, NULL, NULL},
    {"local", "ADDR:PORT", "a listener for local systems", &plan.local, NULL, NULL},
    {"admin", "ADDR:PORT", "a listener for metrics and health", &plan.admin, NULL, NULL},
    {"dev-pki", NULL, "make development certificates (never for real patients)", NULL, NULL,
     &plan.has_pki},
    {"key", "TYPE", "rsa2048 (default) or p256, with --dev-pki", &plan.key_text, NULL, NULL},
    {"ca", "DIR", "development authority to share; made there when missing", &plan.ca_dir, NULL,
     NULL},
    {"policy", "NAME", "shipped rules to copy (default tefca; see policies/)", &plan.policy, NULL,
     NULL},
    {"organization", "TEXT", "asserts: organisation that asks", &plan.organization, NULL, NULL},
    {"organization-id", "URN", "asserts: its id, urn:oid:OID", &plan.organization_id, NULL, NULL},
    {"user", "TEXT", "asserts: person who asks", &plan.user, NULL, NULL},
    {"role", "CODE", "asserts: the person's role, SNOMED CT code", &plan.role, NULL, NULL},
    {"role-display", "TEXT", "asserts: the role in words", &plan.role_display, NULL, NULL},
    {"purpose", "CODE", "asserts: purpose of use, such as T-TREAT", &plan.purpose, NULL, NULL},
    {"npi", "NUMBER", "asserts: National Provider Identifier", &plan.npi, NULL, NULL},
};

static const struct cli_command command = {
    .name = "init",
    .usage = "DIR --community OID --name NAME [OPTION]...",
    .text =
        "Writes DIR/isthmus.yaml, the folders partners.d, policies, pki, var and card, and with\n"
        "--dev-pki the node's certificates. DIR/card holds what partners put into their own\n"
        "partners.d to know this node. An existing configuration is never replaced.\n"
        "Exit codes: 0 done, 1 failed, 2 usage.",
    .options = options,
    .options_n = ARRAY_LEN(options),
};

/* ---- files ---- */

static struct status
join(char ret_path[PATH_MAX], const char *name, struct diag *diag)
{
    const int n = snprintf(ret_path, PATH_MAX, "%s/%s", plan.dir, name);

    return n < 0 || n >= PATH_MAX ? FAIL(diag, ERR_IO, "%s/%s: path too long", plan.dir, name) : OK;
}

static struct status
make_folder(const char *path, mode_t mode, struct diag *diag)
{
    struct stat facts;

    if (mkdir(path, mode) == 0) {
        return OK;
    }
    if (errno == EEXIST && stat(path, &facts) == 0 && S_ISDIR(facts.st_mode)) {
        return OK;
    }
    return FAIL(diag, ERR_IO, "cannot make folder %s: %s", path, strerror(errno));
}

/* With its parents. */
static struct status
make_folders(const char *path, struct diag *diag)
{
    char part[PATH_MAX];
    const size_t n = strlen(path);

    if (n >= sizeof(part)) {
        return FAIL(diag, ERR_IO, "%s: path too long", path);
    }
    for (size_t i = 1; i <= n; i++) {
        if (path[i] == '/' || path[i] == '\0') {
            memcpy(part, path, i);
            part[i] = '\0';
            TRY(make_folder(part, 0755, diag));
        }
    }
    return OK;
}

static struct status
write_all(int fd, const char *path, struct span bytes, struct diag *diag)
{
    while (bytes.n > 0) {
        const ssize_t n = write(fd, bytes.p, bytes.n);

        if (n < 0 && errno != EINTR) {
            return FAIL(diag, ERR_IO, "cannot write %s: %s", path, strerror(errno));
        }
        bytes = span_slice(bytes, n < 0 ? 0 : (size_t)n, bytes.n);
    }
    return OK;
}

/* A file that must not exist. */
static struct status
write_file(const char *name, const struct buf *text, struct diag *diag)
{
    char path[PATH_MAX];

    TRY(join(path, name, diag));
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    if (fd < 0) {
        return FAIL(diag, ERR_IO, "cannot make %s: %s", path, strerror(errno));
    }
    const struct status st = write_all(fd, path, buf_span(text), diag);

    if (close(fd) != 0 && is_ok(st)) {
        return FAIL(diag, ERR_IO, "cannot write %s: %s", path, strerror(errno));
    }
    return st;
}

static struct status
make_tree(struct diag *diag)
{
    static const struct {
        const char *name;
        mode_t mode;
    } folders[] = {{"partners.d", 0755},
                   {"policies", 0755},
                   {"card", 0755},
                   {"pki", 0700},  /* private keys */
                   {"var", 0700}}; /* patients */
    char path[PATH_MAX];

    TRY(make_folders(plan.dir, diag));
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        TRY(join(path, folders[i].name, diag));
        TRY(make_folder(path, folders[i].mode, diag));
    }
    return OK;
}

static struct status
make_authority(const char *ca_dir, const char *name, int64_t now_us, struct diag *diag)
{
    char path[PATH_MAX];
    const int n = snprintf(path, sizeof(path), "%s/ca.key", ca_dir);

    if (n < 0 || n >= (int)sizeof(path)) {
        return FAIL(diag, ERR_IO, "%s: path too long", ca_dir);
    }
    if (access(path, F_OK) == 0) {
        return OK;
    }
    TRY(make_folders(ca_dir, diag));
    return devpki_make_ca(ca_dir, name, now_us, diag);
}

static struct status
make_pki(struct diag *diag)
{
    const int64_t now_us = clock_wall_us(clock_system());
    const struct devpki_node node = {
        .name = plan.name, .host = plan.host, .address = plan.address, .key = plan.key};
    char pki[PATH_MAX], own_ca[PATH_MAX];

    TRY(join(pki, "pki", diag));
    TRY(join(own_ca, "pki/ca", diag));
    const char *ca_dir = plan.ca_dir == NULL ? own_ca : plan.ca_dir;

    TRY(make_authority(ca_dir, plan.ca_dir == NULL ? plan.name : "Development network", now_us,
                       diag));
    return devpki_make_node(pki, ca_dir, &node, now_us, diag);
}

/* The shipped rules; without them, rules that deny everything. */
static struct status
read_policy(struct arena *arena, struct buf *policy, struct diag *diag)
{
    char file[128];
    struct span path;
    struct diag reason = {0};

    snprintf(file, sizeof(file), "%s.yaml", plan.policy);
    const struct status st = policy_find_shipped(file, arena, &reason, &path);

    if (st.code == ERR_NOT_FOUND && strcmp(plan.policy, "tefca") == 0) {
        plan.denies_all = true;
        return init_write_deny_policy(policy, diag);
    }
    if (!is_ok(st)) {
        return FAIL(diag, st.code, "%s", reason.text);
    }
    return buf_read_file(policy, path.p, diag);
}

static struct status
write_card(struct buf *text, struct diag *diag)
{
    char name[128], path[PATH_MAX];

    TRY(init_write_card(&plan, text, diag));
    snprintf(name, sizeof(name), "card/%s.yaml", plan.id);
    TRY(write_file(name, text, diag));
    if (!plan.has_pki) {
        return OK;
    }
    buf_reset(text);
    TRY(join(path, "pki/signing.pem", diag));
    TRY(buf_read_file(text, path, diag));
    snprintf(name, sizeof(name), "card/%s-signing.pem", plan.id);
    return write_file(name, text, diag);
}

static struct status
refuse_existing(struct diag *diag)
{
    char path[PATH_MAX];
    struct stat facts;

    TRY(join(path, "isthmus.yaml", diag));
    if (lstat(path, &facts) == 0) {
        return FAIL(diag, ERR_CONFIG, "%s exists already; nothing was changed", path);
    }
    return OK;
}

static struct status
write_files(const struct buf *policy, struct buf *text, struct diag *diag)
{
    char name[128];

    TRY(make_tree(diag));
    if (plan.has_pki) {
        TRY(make_pki(diag));
    }
    snprintf(name, sizeof(name), "policies/%s.yaml", plan.policy);
    TRY(write_file(name, policy, diag));
    TRY(write_card(text, diag));
    buf_reset(text);
    TRY(init_write_config(&plan, text, diag));
    return write_file("isthmus.yaml", text, diag);
}

static struct status
make_node(struct diag *diag)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct buf policy, text;

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the options of init");
    }
    buf_init(&policy, FILE_MAX);
    buf_init(&text, FILE_MAX);
    struct status st = refuse_existing(diag);

    if (is_ok(st)) {
        st = read_policy(arena, &policy, diag);
    }
    if (is_ok(st)) {
        st = write_files(&policy, &text, diag);
    }
    buf_done(&policy);
    buf_done(&text);
    arena_free(arena);
    return st;
}

/* ---- the command ---- */

static void
say_what_next(void)
{
    printf("%s/isthmus.yaml   the configuration of %s (%s)\n", plan.dir, plan.name, plan.community);
    if (!plan.has_pki) {
        printf("Put certificates and keys where it names them (%s/pki), copy signing.pem to\n"
               "%s/card/%s-signing.pem, then: isthmus check -c %s/isthmus.yaml\n",
               plan.dir, plan.dir, plan.id, plan.dir);
    } else {
        printf("%s/pki            development certificates: for trying, never for real patients\n",
               plan.dir);
    }
    printf("%s/card           for its partners: they put these files into their partners.d\n"
           "%s/partners.d     put your partners' cards here\n",
           plan.dir, plan.dir);
    if (plan.denies_all) {
        printf(
            "%s/policies       NOTHING is allowed: the rule files that come with Isthmus were\n"
            "not found from here; copy tefca.yaml from the folder policies of its sources there\n",
            plan.dir);
    } else {
        printf("%s/policies       what is allowed (%s)\n", plan.dir, plan.policy);
    }
}

/* What was written must be good: the options were judged, but this is the reader that counts. */
static int
check_result(void)
{
    char path[PATH_MAX];
    struct diag diag = {0};

    if (!plan.has_pki) {
        return CLI_DONE;
    }
    if (!is_ok(join(path, "isthmus.yaml", &diag))) {
        cli_error(&command, &diag);
        return CLI_FAILED;
    }
    const struct config *config = cli_config(&command, path);

    config_unref(config);
    return config == NULL ? CLI_FAILED : CLI_DONE;
}

int
cmd_init(int argc, char **argv)
{
    struct cli_values rest;
    struct diag diag = {0};
    int exit_code = CLI_DONE;

    plan = (struct init_plan){0};
    if (!cli_parse(&command, argc, argv, &rest, &exit_code)) {
        return exit_code;
    }
    if (!init_settle(&command, &rest, &plan)) {
        return CLI_USAGE;
    }
    if (!is_ok(make_node(&diag))) {
        cli_error(&command, &diag);
        return CLI_FAILED;
    }
    exit_code = check_result();
    if (exit_code == CLI_DONE) {
        say_what_next();
    }
    return exit_code;
}
