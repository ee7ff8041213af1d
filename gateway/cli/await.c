/*
 * See await.h. Opens the configuration and the store, beside a node that runs; what is thrown away
 * is recorded in a chain of the journal's before it goes. Owns what it opens.
 */
#include "cli/await.h"

#include <stdio.h>
#include <string.h>

#include "base/datetime.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/journal.h"
#include "store/correlation.h"
#include "store/pending.h"

#define LIST_ARENA ((size_t)4 * 1024 * 1024) /* PENDING_LIST_MAX questions */
#define LIST_TEXT  ((size_t)4 * 1024 * 1024)

struct desk {
    const struct cli_command *command;
    const struct config *config;
    struct store *store;
    struct arena *arena;
};

static void
close_desk(struct desk *desk)
{
    arena_free(desk->arena);
    store_close(desk->store);
    config_unref(desk->config);
}

static struct status
open_store(struct desk *desk, struct diag *diag)
{
    const struct store_options options = {
        .path = desk->config->store_path,
        .community = desk->config->community,
        .patient_authority = desk->config->patient_authority,
        .repository = desk->config->repository,
        .clock = clock_system(),
    };

    desk->arena = arena_new(LIST_ARENA);
    if (desk->arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory for a list");
    }
    return store_open(&options, diag, &desk->store);
}

/* Says what is wrong and returns false; close_desk is due in any case. */
static bool
open_desk(struct desk *desk, const struct cli_command *command, const char *config_path)
{
    struct diag diag = {0};

    *desk = (struct desk){.command = command, .config = cli_config(command, config_path)};
    if (desk->config == NULL) {
        return false;
    }
    if (!is_ok(open_store(desk, &diag))) {
        cli_error(command, &diag);
        return false;
    }
    return true;
}

static struct status
print(const struct buf *text, struct diag *diag)
{
    if (fwrite(text->p, 1, text->n, stdout) != text->n || fflush(stdout) != 0) {
        return FAIL(diag, ERR_IO, "cannot write to standard output");
    }
    return OK;
}

/* ---- the list ---- */

static const char *
command_of(const struct pending *question)
{
    return span_eq_cstr(question->transaction, "ITI-38")   ? "query"
           : span_eq_cstr(question->transaction, "ITI-39") ? "retrieve"
                                                           : "discover";
}

static const char *
state_of(const struct pending *question)
{
    return question->answered_us != 0 ? "answered" : "waits";
}

static void
write_time(struct jsonw *w, const char *key, int64_t us)
{
    char text[DATETIME_MAX];

    datetime_write_xs(us, text);
    jsonw_key_text(w, key, us == 0 ? SPAN_EMPTY : span_of_cstr(text));
}

static struct status
write_json(const struct pending_list *list, struct buf *out, struct diag *diag)
{
    struct jsonw w;

    jsonw_init(&w, out, true, diag);
    jsonw_object(&w);
    jsonw_key(&w, "questions");
    jsonw_array(&w);
    for (size_t i = 0; i < list->n; i++) {
        const struct pending *question = &list->items[i];

        jsonw_object(&w);
        jsonw_key_text(&w, "id", question->message_id);
        jsonw_key_text(&w, "state", span_of_cstr(state_of(question)));
        jsonw_key_text(&w, "transaction", question->transaction);
        jsonw_key_text(&w, "mode",
                       question->kind == PENDING_DEFERRED ? SPAN("deferred")
                                                          : SPAN("asynchronous"));
        jsonw_key_text(&w, "command", span_of_cstr(command_of(question)));
        jsonw_key_text(&w, "partner", question->partner);
        jsonw_key_text(&w, "community", question->community);
        jsonw_key_text(&w, "user", question->user);
        write_time(&w, "asked", question->created_us);
        write_time(&w, "answered", question->answered_us);
        write_time(&w, "until", question->expires_us);
        jsonw_close(&w);
    }
    jsonw_close(&w);
    jsonw_close(&w);
    TRY(jsonw_finish(&w));
    return buf_append_char(out, '\n', diag);
}

/* To the second, in UTC. */
static struct status
put_time(struct buf *out, int64_t us, struct diag *diag)
{
    char text[DATETIME_MAX];

    datetime_write_xs(us, text);
    return buf_printf(out, diag, "%.19sZ  ", text);
}

static struct status
put_question(const struct pending *question, struct buf *out, struct diag *diag)
{
    TRY(put_time(out, question->created_us, diag));
    TRY(buf_printf(out, diag, "%-8s  ", state_of(question)));
    TRY(put_time(out, question->expires_us, diag));
    TRY(text_show(question->partner, out, diag));
    TRY(buf_append_cstr(out, "  ", diag));
    TRY(text_show(question->user, out, diag));
    TRY(buf_printf(out, diag, "  isthmus %s --collect ", command_of(question)));
    TRY(text_show(question->message_id, out, diag));
    return buf_append_char(out, '\n', diag);
}

static struct status
write_text(const struct pending_list *list, struct buf *out, struct diag *diag)
{
    if (list->n == 0) {
        return buf_append_cstr(out, "No answer is awaited, and none is there.\n", diag);
    }
    TRY(buf_printf(out, diag, "%-20s  %-8s  %-20s  PARTNER  ASKED BY  TO READ THE ANSWER, ONCE\n",
                   "ASKED", "STATE", "UNTIL"));
    for (size_t i = 0; i < list->n; i++) {
        TRY(put_question(&list->items[i], out, diag));
    }
    return OK;
}

static struct status
show_list(struct desk *desk, bool is_json, struct diag *diag)
{
    CLEANUP(buf_done) struct buf text;
    struct pending_list list;

    buf_init(&text, LIST_TEXT);
    TRY(pending_list(desk->store, clock_wall_us(clock_system()), desk->arena, diag, &list));
    TRY(is_json ? write_json(&list, &text, diag) : write_text(&list, &text, diag));
    return print(&text, diag);
}

int
await_list(const struct cli_command *command, const struct client_options *options)
{
    struct desk desk;
    struct diag diag = {0};
    int exit_code = CLI_FAILED;

    if (open_desk(&desk, command, options->config)) {
        if (is_ok(show_list(&desk, options->is_json, &diag))) {
            exit_code = CLI_DONE;
        } else {
            cli_error(command, &diag);
        }
    }
    close_desk(&desk);
    return exit_code;
}

/* ---- forgetting ---- */

static struct status
read_what(const struct desk *desk, const struct forget_options *options,
          struct correlation_forget *ret_what, struct diag *diag)
{
    struct correlation_forget what = {.partner = span_of_cstr(options->partner)};

    if (options->patient != NULL && strcmp(options->patient, "all") != 0 &&
        !is_ok(ident_read_cx(span_of_cstr(options->patient), diag, &what.local))) {
        diag_prefix(diag, "--forget: expected 'all', or the patient's id here");
        return (struct status){diag->code};
    }
    if (options->partner != NULL &&
        config_partner_of_id(desk->config, span_of_cstr(options->partner)) == NULL) {
        return FAIL(diag, ERR_USAGE,
                    "--forget-partner %s: no partner of the configuration has this id; isthmus "
                    "partners lists them",
                    options->partner);
    }
    *ret_what = what;
    return OK;
}

/* Who does it, and whose answers; before it is done. */
static struct status
record(const struct desk *desk, const struct client_options *options,
       const struct forget_options *asked, struct diag *diag)
{
    const struct config *config = desk->config;
    struct journal *journal = NULL;
    struct audit_event event = {
        .type = AUDIT_LOCAL_ACCESS,
        .side = AUDIT_INITIATING,
        .phase = AUDIT_OUTCOME,
        .query_id = SPAN("forget-correlations"),
        .outcome_text = SPAN("what communities had answered about patients is forgotten"),
        .user_id = span_of_cstr(options->user != NULL ? options->user : config->asserts.user),
        .organization = span_of_cstr(config->asserts.organization),
        .community = span_of_cstr(config->community),
        .partner = span_of_cstr(asked->partner),
    };
    struct status st;

    TRY(arena_printf(desk->arena, diag, &event.source_id, "urn:oid:%s", config->community));
    event.user_name = event.user_id;
    if (asked->patient != NULL && strcmp(asked->patient, "all") != 0) {
        TRY(ARENA_PUSH(desk->arena, diag, &event.patients, span_of_cstr(asked->patient)));
    }
    TRY(cli_journal_open(config, diag, &journal));
    st = journal_append_wait(journal, &event, diag);
    const struct journal_place place = cli_journal_place(config);
    cli_journal_close(journal, &place, config->checkpoints.credential);
    return st;
}

static struct status
forget(struct desk *desk, const struct client_options *options, const struct forget_options *asked,
       struct diag *diag)
{
    CLEANUP(buf_done) struct buf text;
    struct correlation_forget what;
    uint64_t n = 0;

    buf_init(&text, 256);
    TRY(read_what(desk, asked, &what, diag));
    TRY(record(desk, options, asked, diag));
    TRY(store_forget_correlations(desk->store, &what, diag, &n));
    TRY(buf_printf(&text, diag,
                   options->is_json ? "{\"forgotten\": %llu}\n" : "%llu remembered forgotten\n",
                   (unsigned long long)n));
    return print(&text, diag);
}

int
await_forget(const struct cli_command *command, const struct client_options *options,
             const struct forget_options *what)
{
    struct desk desk;
    struct diag diag = {0};
    int exit_code = CLI_FAILED;

    if (open_desk(&desk, command, options->config)) {
        if (is_ok(forget(&desk, options, what, &diag))) {
            exit_code = CLI_DONE;
        } else {
            cli_error(command, &diag);
            exit_code = diag.code == ERR_USAGE ? CLI_USAGE : CLI_FAILED;
        }
    }
    close_desk(&desk);
    return exit_code;
}
