/*
 * What `isthmus audit verify` prints, and its options. Called by cmd_audit.c on the program's only
 * thread. The work is audit/verify.h's and audit/proof.h's; here it becomes lines or JSON.
 */
#include "cli/audit_verify.h"

#include <inttypes.h>
#include <string.h>

#include "audit/proof.h"
#include "base/datetime.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "cli/audit_access.h"
#include "cli/journal.h"
#include "config/config.h"

#define OUT_BYTES_MAX   ((size_t)64 * 1024 * 1024)
#define PROOF_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define SPARE_US        (60 * US_PER_S) /* a start, a slow token */
#define SPARE_RECORDS   10000

/* ---- reports ---- */

struct output {
    const struct audit_verify *verify;
    struct buf out;
    struct diag diag;
    struct jsonw json;
    struct status status;
    uint64_t records;
    unsigned chains, broken;
};

static void
say(struct output *output, struct status st)
{
    output->status = is_ok(output->status) ? st : output->status;
}

#define SAY(output, ...) say((output), buf_printf(&(output)->out, &(output)->diag, __VA_ARGS__))

static void
text_of_checkpoints(struct output *output, const struct journal_chain_report *report)
{
    char time[DATETIME_MAX];
    if (report->removed_by != 0) {
        SAY(output,
            "    records before %" PRIu64 " were removed, as signed record %" PRIu64 " says\n",
            report->first, report->removed_by);
    }
    if (report->checkpoints > 0) {
        datetime_write_xs(report->covered.time_us, time);
        SAY(output,
            "    %" PRIu64 " signed checkpoint%s%s; the last, of %s, covers record %" PRIu64
            "; %" PRIu64 " records follow it\n",
            report->checkpoints, report->checkpoints == 1 ? "" : "s",
            output->verify->judge.own == NULL && output->verify->judge.trust == NULL
                ? " (whose signatures nobody here can judge)"
                : "",
            time, report->covered.sequence, report->uncovered);
    }
    if (report->compared > 0) {
        SAY(output, "    %" PRIu64 " checkpoint%s kept elsewhere fit\n", report->compared,
            report->compared == 1 ? "" : "s");
    }
}

static void
report_as_text(struct output *output, const struct journal_chain_report *report)
{
    char from[DATETIME_MAX] = "";
    char to[DATETIME_MAX] = "";
    if (report->records == 0) {
        SAY(output, "%-16s no records", report->chain);
    } else {
        datetime_write_xs(report->first_time_us, from);
        datetime_write_xs(report->last_time_us, to);
        SAY(output, "%-16s %" PRIu64 " records, %" PRIu64 " (%s) to %" PRIu64 " (%s)",
            report->chain, report->records, report->first, from, report->last, to);
    }
    if (report->problem != NULL) {
        SAY(output, ": BROKEN\n    %s\n", report->problem);
    } else if (report->is_torn) {
        SAY(output, ": OK; an unfinished write follows (one is under way, or a crash cut it "
                    "short)\n");
    } else {
        SAY(output, ": OK\n");
    }
    text_of_checkpoints(output, report);
}

/* The payload is JSON already: it goes where a member was begun. */
static void
json_of_checkpoints(struct output *output, const struct journal_chain_report *report)
{
    struct jsonw *w = &output->json;
    char time[DATETIME_MAX];
    if (report->removed_by != 0) {
        jsonw_key_int(w, "removed_by", (int64_t)report->removed_by);
    }
    jsonw_key_int(w, "checkpoints", (int64_t)report->checkpoints);
    jsonw_key_int(w, "uncovered", (int64_t)report->uncovered);
    jsonw_key_int(w, "compared", (int64_t)report->compared);
    if (report->checkpoints > 0) {
        datetime_write_xs(report->covered.time_us, time);
        jsonw_key_int(w, "covered", (int64_t)report->covered.sequence);
        jsonw_key_text(w, "covered_time", span_of_cstr(time));
        jsonw_key_text(w, "checkpoint", report->statement);
    }
}

static void
report_as_json(struct output *output, const struct journal_chain_report *report)
{
    struct jsonw *w = &output->json;
    jsonw_object(w);
    jsonw_key_text(w, "chain", span_of_cstr(report->chain));
    jsonw_key_bool(w, "ok", report->problem == NULL);
    jsonw_key_int(w, "records", (int64_t)report->records);
    if (report->records > 0) {
        char time[DATETIME_MAX];
        jsonw_key_int(w, "first", (int64_t)report->first);
        jsonw_key_int(w, "last", (int64_t)report->last);
        datetime_write_xs(report->first_time_us, time);
        jsonw_key_text(w, "first_time", span_of_cstr(time));
        datetime_write_xs(report->last_time_us, time);
        jsonw_key_text(w, "last_time", span_of_cstr(time));
        jsonw_key_text(w, "last_hash", span_of_cstr(report->last_hash));
    }
    json_of_checkpoints(output, report);
    jsonw_key_bool(w, "unfinished_write", report->is_torn);
    jsonw_key_text(w, "problem", span_of_cstr(report->problem));
    jsonw_close(w);
}

static void
take_report(void *arg, const struct journal_chain_report *report)
{
    struct output *output = arg;
    output->chains++;
    output->records += report->records;
    output->broken += report->problem == NULL ? 0 : 1;
    if (output->verify->is_json) {
        report_as_json(output, report);
    } else {
        report_as_text(output, report);
    }
}

static void
begin(struct output *output, const struct audit_verify *verify)
{
    *output = (struct output){.verify = verify, .status = OK};
    buf_init(&output->out, OUT_BYTES_MAX);
    if (verify->is_json) {
        jsonw_init(&output->json, &output->out, true, &output->diag);
        jsonw_object(&output->json);
        jsonw_key(&output->json, "chains");
        jsonw_array(&output->json);
    }
}

static void
summarize(struct output *output, const char *noun)
{
    if (output->verify->is_json) {
        jsonw_close(&output->json);
        jsonw_key_int(&output->json, "records", (int64_t)output->records);
        jsonw_key_bool(&output->json, "ok", output->broken == 0);
        jsonw_close(&output->json);
        say(output, jsonw_finish(&output->json));
        SAY(output, "\n");
    } else {
        SAY(output, "%u %s%s, %" PRIu64 " records: %s\n", output->chains, noun,
            output->chains == 1 ? "" : "s", output->records,
            output->broken == 0 ? "everything holds" : "NOT everything holds");
    }
}

/* <st>: of the verification; its failures are in output->diag. */
static enum cli_exit
end(struct output *output, struct status st, const char *noun)
{
    const struct audit_verify *verify = output->verify;
    if (is_ok(st)) {
        summarize(output, noun);
        st = output->status;
    }
    if (!is_ok(st)) {
        cli_error(verify->command, &output->diag);
    } else if (fwrite(output->out.p, 1, output->out.n, verify->out) != output->out.n ||
               fflush(verify->out) != 0) {
        cli_complain(verify->command, "cannot write the output");
        st.code = ERR_IO;
    }
    buf_done(&output->out);
    return is_ok(st) && output->broken == 0 ? CLI_DONE : CLI_FAILED;
}

/* ---- journal and archive ---- */

static struct status
read_against(const struct audit_verify *verify, const struct cli_values *files,
             const struct statement_judge *judge, struct verify_list *list, struct diag *diag)
{
    for (size_t i = 0; files != NULL && i < files->n; i++) {
        size_t ignored = 0;
        TRY(verify_list_read(files->items[i], judge, list, diag, &ignored));
        if (ignored > 0) {
            cli_complain(verify->command,
                         "%s: %zu that look like checkpoints are not signed as audit.checkpoints "
                         "says, and are ignored",
                         files->items[i], ignored);
        }
    }
    return OK;
}

enum cli_exit
audit_verify_journal(const struct audit_verify *verify, const struct cli_values *against)
{
    struct output output;
    struct verify_list list = {.n = 0};
    const struct verify_rules rules = {
        .judge = audit_judge_make(&verify->judge),
        .uncovered_us = verify->every_us == 0 ? 0 : 2 * verify->every_us + SPARE_US,
        .uncovered_records = 2 * verify->every_records + SPARE_RECORDS,
        .against = &list,
    };
    begin(&output, verify);
    struct status st = read_against(verify, against, &rules.judge, &list, &output.diag);
    if (is_ok(st)) {
        st = journal_verify(&verify->place, &rules, take_report, &output, &output.diag);
    }
    verify_list_done(&list);
    return end(&output, st, "chain");
}

enum cli_exit
audit_verify_archive(const struct audit_verify *verify, const char *dir)
{
    struct output output;
    const struct statement_judge judge = audit_judge_make(&verify->judge);
    begin(&output, verify);
    const struct status st =
        journal_verify_archive(dir, &judge, take_report, &output, &output.diag);
    return end(&output, st, "segment");
}

/* ---- one proof ---- */

static struct status
print_proven(const struct audit_verify *verify, const struct journal_proven *proven,
             struct diag *diag)
{
    char recorded[DATETIME_MAX];
    char signed_at[DATETIME_MAX];
    datetime_write_xs(proven->time_us, recorded);
    datetime_write_xs(proven->checkpoint.time_us, signed_at);
    const int n = fprintf(
        verify->out,
        verify->is_json
            ? "{\"ok\": true, \"record\": \"%s/%" PRIu64 "\", \"recorded\": \"%s\", \"hash\": "
              "\"%s\", \"covered_by\": %" PRIu64 ", \"signed\": \"%s\"}\n"
            : "record %s/%" PRIu64 ", written at %s, SHA-256 %s\nis in the chain that the "
              "checkpoint over record %" PRIu64 " signed at %s: it holds\n",
        proven->checkpoint.chain, proven->sequence, recorded, proven->hash,
        proven->checkpoint.sequence, signed_at);
    return n > 0 && fflush(verify->out) == 0 ? OK : FAIL(diag, ERR_IO, "cannot write the output");
}

static struct status
check_proof(const struct audit_verify *verify, struct span proof, struct diag *diag)
{
    struct journal_proven proven;
    const struct statement_judge judge = audit_judge_make(&verify->judge);
    struct arena *arena = arena_new(8 * PROOF_BYTES_MAX);
    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to check a proof");
    }
    struct status st = journal_proof_check(proof, &judge, arena, diag, &proven);
    if (is_ok(st)) {
        st = print_proven(verify, &proven, diag);
    }
    arena_free(arena);
    return st;
}

/* The rest of a line into <line>; *ret_has false: the file ended before it. */
static struct status
read_line(FILE *file, struct buf *line, struct diag *diag, bool *ret_has)
{
    int c = 0;
    buf_reset(line);
    while ((c = getc(file)) != EOF && c != '\n') {
        TRY(buf_append_char(line, (char)c, diag));
    }
    *ret_has = c != EOF || line->n > 0;
    return ferror(file) != 0 ? FAIL(diag, ERR_IO, "it cannot be read") : OK;
}

/* Each line is a proof; one that does not hold is said, and the others are checked. */
static bool
check_lines(const struct audit_verify *verify, FILE *file, const char *path)
{
    CLEANUP(buf_done) struct buf line;
    bool has = true;
    bool is_whole = true;
    uint64_t proofs = 0;
    buf_init_secret(&line, PROOF_BYTES_MAX);
    for (uint64_t number = 1; has; number++) {
        struct diag diag = {0};
        struct status st = read_line(file, &line, &diag, &has);
        const bool is_read = is_ok(st);
        if (is_read && line.n > 0) {
            proofs++;
            st = check_proof(verify, buf_span(&line), &diag);
        }
        if (!is_ok(st)) {
            diag_prefix(&diag, "%s, line %" PRIu64, path, number);
            cli_error(verify->command, &diag);
            is_whole = false;
            has = has && is_read;
        }
    }
    if (proofs == 0) {
        cli_complain(verify->command, "%s holds no proof", path);
    }
    return is_whole && proofs > 0;
}

enum cli_exit
audit_verify_proof(const struct audit_verify *verify, const char *path)
{
    if (audit_judge_make(&verify->judge).check == NULL) {
        cli_complain(verify->command,
                     "nobody can judge the proof's signature: give --certificate, or a "
                     "configuration with audit.checkpoints");
        return CLI_FAILED;
    }
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        cli_complain(verify->command, "cannot open %s", path);
        return CLI_FAILED;
    }
    const bool is_whole = check_lines(verify, file, path);
    (void)fclose(file);
    return is_whole ? CLI_DONE : CLI_FAILED;
}

/* ---- the command ---- */

static struct {
    const char *config, *archive, *proof, *certificate;
    struct cli_values against;
    bool is_json;
} chosen;

static const struct cli_option options[] = {
    {.name = "c", .argument = "FILE", .help = "the node's configuration", .value = &chosen.config},
    {.name = "against",
     .argument = "FILE",
     .help = "checkpoints that were kept elsewhere: what this command printed with --json, or "
             "AuditMessages; may be repeated",
     .values = &chosen.against},
    {.name = "archive",
     .argument = "DIR",
     .help = "the segments in an archive instead of the journal",
     .value = &chosen.archive},
    {.name = "proof",
     .argument = "FILE",
     .help = "records' proofs, a line each, as 'isthmus audit export --proof' writes them",
     .value = &chosen.proof},
    {.name = "certificate",
     .argument = "FILE",
     .help = "who signed (PEM: certificates or their authorities), instead of what the "
             "configuration says",
     .value = &chosen.certificate},
    {.name = "json", .help = "the result as JSON", .flag = &chosen.is_json},
};
static const struct cli_command command = {
    .name = "audit verify",
    .usage =
        "-c FILE [--against FILE] [--archive DIR] [--json] | --proof FILE [--certificate FILE]",
    .text =
        "Walks every chain of the journal from its first record: length, CRC-32C, sequence, the\n"
        "SHA-256 of the record before, and the signed checkpoints (audit.checkpoints). Says per\n"
        "chain how many records there are, from when to when, how far checkpoints cover them, and\n"
        "where the chain breaks if it does.\n\n"
        "Records that were cut off at a chain's end together with everything behind them leave no\n"
        "trace in the journal itself: --against compares it with checkpoints that were kept\n"
        "elsewhere, such as an earlier --json of this command or what an audit repository "
        "holds.\n\n"
        "Exit code: 0 when everything holds, else 1.",
    .options = options,
    .options_n = ARRAY_LEN(options),
};

static enum cli_exit
run(const struct audit_verify *verify)
{
    return chosen.proof != NULL     ? audit_verify_proof(verify, chosen.proof)
           : chosen.archive != NULL ? audit_verify_archive(verify, chosen.archive)
                                    : audit_verify_journal(verify, &chosen.against);
}

/* Whether the journal holds must be told even when it cannot be written. */
static void
record_access(const struct config *config, const struct audit_verify *verify)
{
    struct diag diag = {0};
    const struct audit_access access = {
        .command = verify->command,
        .place = &verify->place,
        .signer = config->checkpoints.credential,
        .community = config->community,
        .verb = "verify",
        .may_go_on = true,
    };
    if (!is_ok(audit_access_record(&access, 0, &diag))) {
        cli_error(verify->command, &diag);
    }
}

static int
run_with_config(struct audit_verify *verify, const struct trust *trust)
{
    const struct config *config = cli_config(&command, chosen.config);
    if (config == NULL) {
        return CLI_FAILED;
    }
    const struct config_checkpoints *checkpoints = &config->checkpoints;
    verify->place = cli_journal_place(config);
    if (checkpoints->credential != NULL) {
        verify->every_us = checkpoints->every_us;
        verify->every_records = checkpoints->records;
    }
    if (trust == NULL) {
        verify->judge.own = checkpoints->credential == NULL ? NULL : checkpoints->credential->leaf;
        verify->judge.trust = checkpoints->trust;
    }
    if (chosen.proof == NULL && chosen.archive == NULL) {
        record_access(config, verify);
    }
    const enum cli_exit exit_code = run(verify);
    config_unref(config);
    return (int)exit_code;
}

static int
run_with(struct trust *trust)
{
    struct audit_verify verify = {
        .command = &command,
        .judge = {.trust = trust},
        .is_json = chosen.is_json,
        .out = stdout,
    };
    if (chosen.config == NULL && trust != NULL &&
        (chosen.proof != NULL || chosen.archive != NULL)) {
        return (int)run(&verify);
    }
    return run_with_config(&verify, trust);
}

int
audit_verify_command(int argc, char **argv)
{
    int exit_code = CLI_DONE;
    struct trust *trust = NULL;
    struct diag diag = {0};
    memset(&chosen, 0, sizeof(chosen));
    if (!cli_parse_options(&command, argc, argv, &exit_code)) {
        return exit_code;
    }
    if ((chosen.proof != NULL) + (chosen.archive != NULL) + (chosen.against.n > 0) > 1) {
        cli_complain(&command, "--proof, --archive and --against exclude each other");
        return CLI_USAGE;
    }
    if (chosen.certificate != NULL && !is_ok(trust_load(chosen.certificate, NULL, &diag, &trust))) {
        cli_error(&command, &diag);
        return CLI_FAILED;
    }
    exit_code = run_with(trust);
    trust_free(trust);
    return exit_code;
}
