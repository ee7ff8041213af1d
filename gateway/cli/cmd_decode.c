/*
 * `isthmus decode`: explains a captured message. Asks nobody but for revocation lists that the
 * configuration fetches, and changes nothing. Runs on the program's main thread.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/datetime.h"
#include "base/ids.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/decode.h"

#define INPUT_MAX      ((size_t)300 * 1024 * 1024)
#define ARENA_MAX      ((size_t)1024 * 1024 * 1024)
#define OUTPUT_MAX     ((size_t)256 * 1024 * 1024)
#define BODY_UNLIMITED INPUT_MAX

static struct decode_arguments {
    const char *config_path, *partner, *at, *path, *content_type;
    bool is_json, shows_patient;
} given;

static const struct cli_option options[] = {
    {"c", "FILE", "the configuration: partners, their keys, the policy", &given.config_path, NULL,
     NULL},
    {"as-partner", "OID",
     "assume the TLS connection of this partner (a community, or the id of its file)",
     &given.partner, NULL, NULL},
    {"at", "TIME", "the time of the check, e.g. 2026-11-22T10:30:00Z (default: now)", &given.at,
     NULL, NULL},
    {"path", "PATH", "the path that it was sent to (default: as in the file, or the right one)",
     &given.path, NULL, NULL},
    {"content-type", "TYPE", "its Content-Type (default: as in the file, or a guess)",
     &given.content_type, NULL, NULL},
    {"show-patient", NULL, "do not redact what may be about a patient", NULL, NULL,
     &given.shows_patient},
    {"json", NULL, "the same for programs", NULL, NULL, &given.is_json},
};

static const struct cli_command command = {
    .name = "decode",
    .usage = "FILE [-c FILE] [--as-partner OID] [options]",
    .text =
        "Explains a captured message: an HTTP request or answer, a MIME body or a SOAP envelope\n"
        "('-': from standard input). Prints what it is and how it is built, who signed what with\n"
        "which key, each check of the gateway with its verdict and reason, what the assertion and\n"
        "the payload say, and what the gateway would answer; for the last it asks the functions\n"
        "that answer partners. Checks go on after a failure; the first that refuses decides.\n"
        "Without -c nobody's keys are known, and what is computed proves nothing. Without\n"
        "--as-partner the partner is the one whose key signed the assertion, else the one that\n"
        "the assertion names. A message that is only too old is said to be just that.\n"
        "Names, birth dates, ids, addresses and documents are redacted unless --show-patient.\n"
        "Exit codes: 0 explained, whatever the verdict; 1 the file or the configuration cannot be\n"
        "read; 2 usage.",
    .options = options,
    .options_n = ARRAY_LEN(options),
};

/* ---- what was given ---- */

static bool
is_usable(const struct cli_values *rest, int64_t *now_us)
{
    if (rest->n != 1) {
        cli_complain(&command, "expected: isthmus decode %s", command.usage);
        return false;
    }
    if (given.at != NULL && !datetime_read_xs(span_of_cstr(given.at), now_us)) {
        cli_complain(&command, "--at is '%s'; expected a time with a zone: 2026-11-22T10:30:00Z",
                     given.at);
        return false;
    }
    if (given.partner != NULL && given.config_path == NULL) {
        cli_complain(&command, "--as-partner needs the configuration: say -c FILE");
        return false;
    }
    return true;
}

static const struct partner *
find_partner(const struct config *config)
{
    struct span oid;

    for (size_t i = 0; i < config->partners_n; i++) {
        if (strcmp(config->partners[i].id, given.partner) == 0) {
            return &config->partners[i];
        }
    }
    const struct partner *const partner = home_community_oid(span_of_cstr(given.partner), &oid)
                                              ? config_partner_of_community(config, oid)
                                              : NULL;
    if (partner == NULL) {
        cli_complain(&command,
                     "no partner has the community or id '%s'; isthmus partners -c %s lists them",
                     given.partner, given.config_path);
    }
    return partner;
}

static struct status
read_input(const char *path, struct buf *input, struct diag *diag)
{
    size_t n;

    if (strcmp(path, "-") != 0) {
        return buf_read_file(input, path, diag);
    }
    do {
        char *room = NULL;

        TRY(buf_reserve(input, 65536, diag, &room));
        n = fread(room, 1, 65536, stdin);
        input->n += n;
    } while (n > 0);
    return ferror(stdin) != 0 ? FAIL(diag, ERR_IO, "standard input cannot be read") : OK;
}

/* ---- the command ---- */

static struct status
explain(struct decode *decode, struct span bytes, struct arena *arena, struct diag *diag)
{
    const size_t body_limit = decode->config == NULL ? BODY_UNLIMITED : decode->config->body_limit;
    CLEANUP(buf_done) struct buf text;
    struct notes notes;

    if (bytes.n == 0) {
        return FAIL(diag, ERR_DOCUMENT, "the file is empty; expected a message");
    }
    notes_init(&notes, arena, given.shows_patient, diag);
    TRY(capture_read(bytes, span_of_cstr(given.path), span_of_cstr(given.content_type), body_limit,
                     arena, diag, &decode->capture));
    TRY(decode_tell(decode, arena, &notes, diag));
    buf_init(&text, OUTPUT_MAX);
    TRY(given.is_json ? notes_write_json(&notes, &text, diag)
                      : notes_write_text(&notes, &text, diag));
    printf("%.*s%s", SPAN_PRINT(buf_span(&text)), given.is_json ? "\n" : "");
    return OK;
}

static int
run(struct decode *decode, const char *path)
{
    CLEANUP(buf_done) struct buf input;
    struct diag diag = {0};

    buf_init_secret(&input, INPUT_MAX);
    struct arena *const arena = arena_new(ARENA_MAX);
    struct status st =
        arena == NULL ? FAIL(&diag, ERR_NO_MEMORY, "memory") : read_input(path, &input, &diag);
    if (is_ok(st)) {
        st = soap_library_init(&diag);
    }
    if (is_ok(st)) {
        st = explain(decode, buf_span(&input), arena, &diag);
        arena_free(arena);
        soap_library_done();
    } else {
        arena_free(arena);
    }
    if (!is_ok(st)) {
        cli_error(&command, &diag);
    }
    return is_ok(st) ? CLI_DONE : CLI_FAILED;
}

int
cmd_decode(int argc, char **argv)
{
    struct decode decode = {.now_us = clock_wall_us(clock_system())};
    struct cli_values rest = {0};
    int exit_code = CLI_FAILED;

    given = (struct decode_arguments){.config_path = NULL};
    if (!cli_parse(&command, argc, argv, &rest, &exit_code)) {
        return exit_code;
    }
    if (!is_usable(&rest, &decode.now_us)) {
        return CLI_USAGE;
    }
    if (given.config_path != NULL) {
        decode.config = cli_config_online(&command, given.config_path);
        if (decode.config == NULL) {
            return CLI_FAILED;
        }
    }
    if (given.partner != NULL) {
        decode.partner = find_partner(decode.config);
    }
    exit_code =
        given.partner != NULL && decode.partner == NULL ? CLI_FAILED : run(&decode, rest.items[0]);
    config_unref(decode.config);
    return exit_code;
}
