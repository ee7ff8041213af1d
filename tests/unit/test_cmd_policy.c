/*
 * isthmus policy explain, run as the program runs it: a real configuration with keys, a partner and
 * the shipped rules; what it prints and its exit code.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/clock.h"
#include "certs/devpki.h"
#include "cli/cli.h"
#include "policies/policy.h"
#include "tests/unit/unit.h"

#define ARGUMENTS_MAX 16
#define OUTPUT_MAX    16384

static const char *
path_of(const char *name)
{
    static char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/%s", unit_temp_dir(), name);
    return path;
}

static void
write_text(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_TRUE(fputs(text, file) >= 0);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void
make_node(const char *name, const char *host)
{
    const struct devpki_node node = {.name = name, .host = host, .key = DEVPKI_P256};
    const int64_t now_us = clock_wall_us(clock_system());
    struct diag diag = {0};
    char ca[PATH_MAX];

    (void)snprintf(ca, sizeof(ca), "%s", path_of("ca"));
    CHECK_OK(&diag, devpki_make_node(path_of(name), ca, &node, now_us, &diag));
}

static void
write_configuration(const char *policy)
{
    char text[PATH_MAX + 1024];

    (void)snprintf(text, sizeof(text),
                   "community: {id: 2.999.1, name: Red HIE}\n"
                   "listen:\n"
                   "  network: {address: 127.0.0.1:8443, credential: node, trust: partners}\n"
                   "credentials:\n"
                   "  node: {certificate: red/node.pem, key: red/node.key}\n"
                   "  signing: {certificate: red/signing.pem, key: red/signing.key}\n"
                   "trust:\n"
                   "  partners: {anchors: red/ca.pem, crl: red/crl.pem}\n"
                   "partners: [partners.d/*.yaml]\n"
                   "store: {engine: sqlite, path: var/isthmus.db}\n"
                   "audit: {journal: var/audit}\n"
                   "policies: [%s]\n",
                   policy);
    write_text("isthmus.yaml", text);
}

static void
test_make_node(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const int64_t now_us = clock_wall_us(clock_system());
    struct span policy = SPAN_EMPTY;
    struct diag diag = {0};

    CHECK_OK(&diag, devpki_make_ca(path_of("ca"), "Test", now_us, &diag));
    make_node("red", "red.example");
    make_node("blue", "blue.example");
    CU_ASSERT_EQUAL(mkdir(path_of("partners.d"), 0755), 0);
    CU_ASSERT_EQUAL(mkdir(path_of("var"), 0755), 0);
    write_text("partners.d/blue.yaml", "id: blue\n"
                                       "name: Blue HIE\n"
                                       "communities: [2.999.2, 2.999.2.7]\n"
                                       "endpoints: {xcpd: \"https://localhost:8453/xcpd\"}\n"
                                       "tls: {identity: san, names: [blue.example]}\n"
                                       "signing: {certificates: [../blue/signing.pem]}\n");
    CHECK_OK(&diag, policy_find_shipped("tefca.yaml", arena, &diag, &policy));
    write_configuration(policy.p);
    arena_free(arena);
}

struct run {
    int exit_code;
    char out[OUTPUT_MAX], err[OUTPUT_MAX];
};

static int
redirect(int fd, const char *name)
{
    const int kept = dup(fd);

    CU_ASSERT_FATAL(kept != -1);
    FILE *file = fopen(path_of(name), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_NOT_EQUAL(dup2(fileno(file), fd), -1);
    CU_ASSERT_EQUAL(fclose(file), 0);
    return kept;
}

static void
restore(int fd, int kept, const char *name, char text[OUTPUT_MAX])
{
    CU_ASSERT_NOT_EQUAL(dup2(kept, fd), -1);
    (void)close(kept);
    FILE *file = fopen(path_of(name), "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    text[fread(text, 1, OUTPUT_MAX - 1, file)] = '\0';
    (void)fclose(file);
}

/* Runs `isthmus policy <words>`; "CONFIG" stands for the configuration's path. */
static void
run_policy(const char *words, struct run *ret_run)
{
    static char config[PATH_MAX];
    char line[1024];
    char *argv[ARGUMENTS_MAX + 1] = {"policy"}, *rest = NULL;
    int argc = 1;

    (void)snprintf(config, sizeof(config), "%s", path_of("isthmus.yaml"));
    (void)snprintf(line, sizeof(line), "%s", words);
    for (char *word = strtok_r(line, " ", &rest); word != NULL && argc < ARGUMENTS_MAX;
         word = strtok_r(NULL, " ", &rest)) {
        argv[argc++] = strcmp(word, "CONFIG") == 0 ? config : word;
    }
    (void)fflush(stdout);
    (void)fflush(stderr);
    const int out = redirect(STDOUT_FILENO, "out");
    const int err = redirect(STDERR_FILENO, "err");

    ret_run->exit_code = cmd_policy(argc, argv);
    (void)fflush(stdout);
    (void)fflush(stderr);
    restore(STDOUT_FILENO, out, "out", ret_run->out);
    restore(STDERR_FILENO, err, "err", ret_run->err);
}

#define ASK "explain -c CONFIG --transaction ITI-55 --partner blue"

static void
test_wrong_usage(void)
{
    static const struct {
        const char *words;
        int exit_code;
        const char *err;
    } rows[] = {
        {"", CLI_USAGE, "say what to do"},
        {"explain more", CLI_USAGE, "say what to do"},
        {"test", CLI_USAGE, "--policy is 'test'"},
        {"explain", CLI_USAGE, "--transaction is missing"},
        {"explain --transaction ITI-55 --purpose X", CLI_USAGE, "--partner is missing"},
        {ASK, CLI_USAGE, "--purpose is missing"},
        {"explain --transaction ITI-99 --partner blue --purpose X", CLI_USAGE,
         "--transaction is 'ITI-99'; expected one of: ITI-18, ITI-38, ITI-39, ITI-41, ITI-43, "
         "ITI-55, ITI-80"},
        {ASK " --purpose X --direction sideways", CLI_USAGE,
         "--direction is 'sideways'; expected one of: inbound, outbound"},
        {ASK " --purpose X --community red", CLI_USAGE, "--community is 'red'; expected an OID"},
        {ASK " --purpose X --purpose-system 9", CLI_USAGE,
         "--purpose-system is '9'; expected an OID"},
        {ASK " --purpos X", CLI_USAGE, "did you mean '--purpose'?"},
        {"explain --transaction ITI-55 --partner blue --purpose X", CLI_FAILED, "no configuration"},
        {"explain -c /nonexistent --transaction ITI-55 --partner blue --purpose X", CLI_FAILED,
         "/nonexistent"},
        {"explain -c CONFIG --transaction ITI-55 --partner bleu --purpose X", CLI_FAILED,
         "no partner has the id 'bleu'"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct run run;

        run_policy(rows[i].words, &run);
        const bool is_good = run.exit_code == rows[i].exit_code &&
                             strstr(run.err, rows[i].err) != NULL && run.out[0] == '\0';

        if (!is_good) {
            printf("\n    policy %s: wanted %d and '%s', got %d and\n%s%s", rows[i].words,
                   rows[i].exit_code, rows[i].err, run.exit_code, run.err, run.out);
        }
        CU_ASSERT(is_good);
    }
}

static void
test_for_people(void)
{
    static const struct {
        const char *words;
        const char *out[5];
    } rows[] = {
        {ASK " --purpose T-TREAT",
         {"verdict   permit\nrule      treatment-inbound\n",
          "withhold  documents with confidentiality R, V\n", "   deny   push-only-purposes (",
          "purposes: T-TREAT is not among T-PH-ECR, T-PH-ELR\n", "-> permit treatment-inbound ("}},
        {ASK " --purpose T-PH-ECR",
         {"verdict   deny\nrule      push-only-purposes\n", "withhold  nothing\n",
          "-> deny   push-only-purposes (", "direction: inbound is not among outbound\n", NULL}},
        {ASK " --purpose T-IAS",
         {"verdict   deny\nrule      default\nreason    no rule permits it\n",
          "purposes: T-IAS is not among T-TREAT, T-TRTMNT\n", NULL}},
        {ASK " --purpose T-TREAT --purpose-system 2.999.5",
         {"verdict   deny\n", "purpose_system: 2.999.5 is not among " POLICY_PURPOSE_SYSTEM_TEFCA,
          NULL}},
        {ASK " --purpose T-TREAT --on-behalf-of Organization/7",
         {"verdict   deny\nrule      default\n",
          "delegators: Organization/7, and the rule says nothing of it\n", NULL}},
        {ASK " --purpose T-TREAT --direction outbound",
         {"rule      treatment-outbound\n", "withhold  nothing\n", NULL}},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct run run;

        run_policy(rows[i].words, &run);
        CU_ASSERT_EQUAL(run.exit_code, CLI_DONE);
        CU_ASSERT_STRING_EQUAL(run.err, "");
        for (size_t j = 0; j < ARRAY_LEN(rows[i].out) && rows[i].out[j] != NULL; j++) {
            const bool is_there = strstr(run.out, rows[i].out[j]) != NULL;

            if (!is_there) {
                printf("\n    policy %s: wanted '%s', got\n%s", rows[i].words, rows[i].out[j],
                       run.out);
            }
            CU_ASSERT(is_there);
        }
    }
}

static const char *
member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

static void
test_for_programs(void)
{
    struct run run;

    run_policy(ASK " --purpose T-TREAT --role 112247003 --json", &run);
    json_t *root = json_loads(run.out, JSON_REJECT_DUPLICATES, NULL);

    CU_ASSERT_EQUAL(run.exit_code, CLI_DONE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_STRING_EQUAL(member(root, "verdict"), "permit");
    CU_ASSERT_STRING_EQUAL(member(root, "rule"), "treatment-inbound");
    const json_t *facts = json_object_get(root, "facts");

    CU_ASSERT_STRING_EQUAL(member(facts, "direction"), "inbound");
    CU_ASSERT_STRING_EQUAL(member(facts, "community"), "2.999.2");
    CU_ASSERT_STRING_EQUAL(member(facts, "role"), "112247003");
    CU_ASSERT_PTR_NULL(json_object_get(facts, "confidentiality"));
    const json_t *withhold = json_object_get(json_object_get(root, "withhold"), "confidentiality");

    CU_ASSERT_EQUAL(json_array_size(withhold), 2);
    const json_t *rules = json_object_get(root, "rules");

    CU_ASSERT_EQUAL_FATAL(json_array_size(rules), 7);
    CU_ASSERT_TRUE(json_is_false(json_object_get(json_array_get(rules, 0), "applies")));
    CU_ASSERT_TRUE(json_is_true(json_object_get(json_array_get(rules, 1), "decides")));
    const json_t *failed = json_object_get(json_array_get(rules, 2), "failed");

    CU_ASSERT_EQUAL_FATAL(json_array_size(failed), 1);
    CU_ASSERT_STRING_EQUAL(member(json_array_get(failed, 0), "condition"), "direction");
    CU_ASSERT_STRING_EQUAL(member(json_array_get(failed, 0), "got"), "inbound");
    json_decref(root);
    run_policy(ASK " --purpose T-TREAT --direction outbound --json", &run);
    root = json_loads(run.out, 0, NULL);
    CU_ASSERT_STRING_EQUAL(member(json_object_get(root, "facts"), "community"), "2.999.1");
    json_decref(root);
}

static void
test_wrong_rules(void)
{
    struct run run;

    write_text("wrong.yaml", "rules:\n  - {name: a, effect: allow, reason: r}\n");
    write_configuration("wrong.yaml");
    run_policy(ASK " --purpose T-TREAT", &run);
    CU_ASSERT_EQUAL(run.exit_code, CLI_FAILED);
    CU_ASSERT_STRING_EQUAL(run.out, "");
    CU_ASSERT_PTR_NOT_NULL(strstr(run.err, "wrong.yaml:2:23: error: unknown effect 'allow'"));
}

static void
test_help(void)
{
    struct run run;

    run_policy("--help", &run);
    CU_ASSERT_EQUAL(run.exit_code, CLI_DONE);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.out, "usage: isthmus policy explain -c FILE"));
    CU_ASSERT_PTR_NOT_NULL(strstr(run.out, "--purpose-system OID"));
}

static const struct unit_test tests[] = {
    {"make a node", test_make_node},   {"wrong usage", test_wrong_usage},
    {"for people", test_for_people},   {"for programs", test_for_programs},
    {"wrong rules", test_wrong_rules}, {"help", test_help},
};

UNIT_MAIN("cmd_policy", tests)
