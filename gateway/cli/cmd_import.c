/*
 * isthmus import: files and folders into the embedded store. Says what became of each refused file
 * and sums up; --json lists every file. Runs on the program's main thread; a node may serve from
 * the same store meanwhile.
 */
#include <string.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/import.h"
#include "config/config.h"

#define JSON_FILE_BYTES  ((size_t)1024 * 1024) /* of one file's object */
#define PROGRESS_COLUMNS 60                    /* of a path */

static struct import_arguments {
    const char *config_path;
    bool is_json;
} given;

static const struct cli_option options[] = {
    {"c", "FILE", "the configuration", &given.config_path, NULL, NULL},
    {"json", NULL, "for programs: one object a file, and a summary", NULL, NULL, &given.is_json},
};

static const struct cli_command command = {
    .name = "import",
    .usage = "-c FILE [--json] PATH...",
    .text = "Each PATH is a document or a folder of documents. C-CDA documents describe themselves;"
            "\nanything else needs a sidecar, a YAML file of the same name with .yaml at its end\n"
            "(gateway/store/README.md has its keys). Each document goes in whole or not at all;\n"
            "one that is stored already (the same bytes) is left as it is, so an import may be\n"
            "repeated.\n"
            "Exit codes: 0 all are in; 1 none is, or the store failed; 2 usage; 3 some were "
            "refused.",
    .options = options,
    .options_n = ARRAY_LEN(options),
};

/* ---- people ---- */

struct human {
    struct import_listener listener; /* first member */
    bool is_terminal;                /* standard error: progress is shown */
};

static void
clear_line(const struct human *human)
{
    if (human->is_terminal) {
        (void)fputs("\r\033[K", stderr);
    }
}

static void
show_start(struct import_listener *listener, const char *path, size_t number, size_t total)
{
    const struct human *human = (const struct human *)listener;
    const size_t n = strlen(path);
    const char *tail = n > PROGRESS_COLUMNS ? path + (n - PROGRESS_COLUMNS) : path;

    if (human->is_terminal) {
        (void)fprintf(stderr, "\r\033[K[%zu/%zu] %s%s", number, total, tail == path ? "" : "...",
                      tail);
    }
}

/* Each line of the reason, so that a sidecar's errors stand under each other. */
static void
show_file(struct import_listener *listener, const struct import_file *file)
{
    struct span rest = file->reason, line;

    if (file->outcome != IMPORT_REFUSED) {
        return;
    }
    clear_line((const struct human *)listener);
    (void)fprintf(stderr, "%s: refused\n", file->path);
    while (rest.n > 0 && span_split(&rest, '\n', &line)) {
        (void)fprintf(stderr, "    %.*s\n", SPAN_PRINT(line));
    }
}

static void
print_summary(const struct import_summary *summary, const struct store_counts *counts)
{
    const struct {
        const char *name;
        uint64_t n;
    } rows[] = {
        {"files", summary->files},
        {"new documents", summary->new_documents},
        {"already known", summary->known_documents},
        {"refused", summary->refused},
        {"new patients", summary->new_patients},
        {"document ids made", summary->made_ids},
        {"documents in the store", counts->documents},
        {"patients in the store", counts->patients},
        {"unreliable patient ids", counts->unreliable_ids},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        printf("  %-24s %8llu\n", rows[i].name, (unsigned long long)rows[i].n);
    }
}

/* ---- programs ---- */

struct machine {
    struct import_listener listener; /* first member */
    struct buf buf;
    struct jsonw json;
    struct diag diag;
    struct status status; /* of writing */
};

/* What is written so far goes out, so that memory does not grow with the number of files. */
static void
flush(struct machine *machine)
{
    if (machine->buf.n > 0 && fwrite(machine->buf.p, 1, machine->buf.n, stdout) != machine->buf.n &&
        is_ok(machine->status)) {
        machine->status = FAIL(&machine->diag, ERR_IO, "standard output cannot be written");
    }
    buf_reset(&machine->buf);
}

static void
list_file(struct import_listener *listener, const struct import_file *file)
{
    static const char *const outcomes[] = {
        [IMPORT_NEW] = "new", [IMPORT_KNOWN] = "known", [IMPORT_REFUSED] = "refused"};
    struct machine *machine = (struct machine *)listener;
    struct jsonw *w = &machine->json;

    jsonw_object(w);
    jsonw_key_text(w, "path", span_of_cstr(file->path));
    jsonw_key_text(w, "status", span_of_cstr(outcomes[file->outcome]));
    jsonw_key_text(w, "unique_id", file->unique_id);
    jsonw_key_text(w, "patient_id", file->patient_id);
    if (file->outcome == IMPORT_REFUSED) {
        jsonw_key_text(w, "reason", file->reason);
    } else {
        jsonw_key_bool(w, "new_patient", file->is_new_patient);
        jsonw_key_bool(w, "made_id", file->is_unique_id_made);
        jsonw_key(w, "assumed");
        jsonw_array(w);
        for (size_t i = 0; i < file->assumed.n; i++) {
            jsonw_string(w, file->assumed.items[i]);
        }
        jsonw_close(w);
    }
    jsonw_close(w);
    flush(machine);
}

static void
list_summary(struct machine *machine, const struct import_summary *summary,
             const struct store_counts *counts)
{
    struct jsonw *w = &machine->json;

    jsonw_close(w);
    jsonw_key(w, "summary");
    jsonw_object(w);
    jsonw_key_int(w, "files", (int64_t)summary->files);
    jsonw_key_int(w, "new", (int64_t)summary->new_documents);
    jsonw_key_int(w, "known", (int64_t)summary->known_documents);
    jsonw_key_int(w, "refused", (int64_t)summary->refused);
    jsonw_key_int(w, "new_patients", (int64_t)summary->new_patients);
    jsonw_key_int(w, "made_ids", (int64_t)summary->made_ids);
    jsonw_key_int(w, "documents", (int64_t)counts->documents);
    jsonw_key_int(w, "patients", (int64_t)counts->patients);
    jsonw_key_int(w, "unreliable_ids", (int64_t)counts->unreliable_ids);
    jsonw_close(w);
    jsonw_close(w);
}

/* ---- the command ---- */

static struct status
import_for_people(struct store *store, const struct cli_values *paths, struct diag *diag,
                  struct import_summary *summary)
{
    struct human human = {{show_start, show_file}, isatty(STDERR_FILENO) == 1};
    struct store_counts counts = {0};
    const struct status st =
        import_paths(store, paths->items, paths->n, &human.listener, diag, summary);

    clear_line(&human);
    TRY(st);
    TRY(store_count(store, diag, &counts));
    print_summary(summary, &counts);
    return OK;
}

static struct status
import_for_programs(struct store *store, const struct cli_values *paths, struct diag *diag,
                    struct import_summary *summary)
{
    struct machine machine = {.listener = {NULL, list_file}, .status = OK};
    struct store_counts counts = {0};

    buf_init(&machine.buf, JSON_FILE_BYTES);
    jsonw_init(&machine.json, &machine.buf, true, &machine.diag);
    jsonw_object(&machine.json);
    jsonw_key(&machine.json, "files");
    jsonw_array(&machine.json);
    struct status st =
        import_paths(store, paths->items, paths->n, &machine.listener, diag, summary);

    if (is_ok(st)) {
        st = store_count(store, diag, &counts);
    }
    list_summary(&machine, summary, &counts);
    const struct status written = jsonw_finish(&machine.json);

    flush(&machine);
    (void)putchar('\n');
    buf_done(&machine.buf);
    if (is_ok(st) && (!is_ok(written) || !is_ok(machine.status))) {
        *diag = machine.diag;
        return is_ok(written) ? machine.status : written;
    }
    return st;
}

static int
exit_of(const struct import_summary *summary)
{
    if (summary->files == 0) {
        cli_complain(&command, "there is no file at any PATH");
        return CLI_FAILED;
    }
    if (summary->refused == summary->files) {
        return CLI_FAILED;
    }
    return summary->refused > 0 ? CLI_PARTIAL : CLI_DONE;
}

static int
import_into(const struct config *config, const struct cli_values *paths)
{
    const struct store_options store_options = {
        .path = config->store_path,
        .community = config->community,
        .patient_authority = config->patient_authority,
        .repository = config->repository,
        .clock = clock_system(),
    };
    struct import_summary summary = {0};
    struct store *store = NULL;
    struct diag diag = {0};
    struct status st = store_open(&store_options, &diag, &store);

    if (is_ok(st)) {
        st = given.is_json ? import_for_programs(store, paths, &diag, &summary)
                           : import_for_people(store, paths, &diag, &summary);
    }
    store_close(store);
    if (!is_ok(st)) {
        cli_error(&command, &diag);
        if (summary.new_documents > 0) {
            cli_complain(&command, "%zu documents are in; repeat the import when this is mended",
                         summary.new_documents);
        }
        return CLI_FAILED;
    }
    return exit_of(&summary);
}

int
cmd_import(int argc, char **argv)
{
    struct cli_values paths;
    int result = CLI_DONE;

    if (!cli_parse(&command, argc, argv, &paths, &result)) {
        return result;
    }
    if (paths.n == 0) {
        cli_complain(&command, "no PATH: name documents or folders of documents");
        return CLI_USAGE;
    }
    const struct config *config = cli_config(&command, given.config_path);

    if (config == NULL) {
        return CLI_FAILED;
    }
    result = import_into(config, &paths);
    config_unref(config);
    return result;
}
