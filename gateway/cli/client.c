/*
 * The node's parts inside an asking command. The command keeps a journal chain of its own
 * ("cli-N"), so it works beside a running node; its records are read together with the node's.
 */
#include "cli/client.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/datetime.h"
#include "base/ids.h"
#include "base/mem.h"
#include "base/thread.h"
#include "certs/crl_held.h"
#include "cli/answers.h"
#include "cli/journal.h"
#include "cli/sent.h"

#define ORDER_ARENA      ((size_t)1024 * 1024)
#define INTENTS_SINCE_US (24 * 3600 * US_PER_S) /* --timeout of a command that was killed */
#define SHOW_LIMIT       ((size_t)64 * 1024 * 1024)

/* The configuration, and memory for the order. Says what went wrong and returns false; close_parts
 * is then still due. */
static bool
open_config(struct client *client, const struct cli_command *command, const char *config_path)
{
    *client = (struct client){.command = command};
    waiting_init(&client->waiting);
    client->config = cli_config_online(command, config_path);
    if (client->config == NULL) {
        return false;
    }
    log_configure(LOG_LEVEL_ERROR, client->config->log_format, 2);
    client->arena = arena_new(ORDER_ARENA);
    if (client->arena == NULL) {
        cli_complain(command, "no memory for the order");
        return false;
    }
    return true;
}

/* As open_config. */
/* Without one, answers are kept in memory, to limits.answers: enough for most commands. */
static struct status
open_spool(struct client *client, struct diag *diag)
{
    struct diag why = {0};
    const struct status st = config_open_spool(client->config, &why, &client->spool);

    if (is_ok(st)) {
        return OK;
    }
    if (!client->config->spool.is_default) {
        return FAIL(diag, st.code, "%s", why.text);
    }
    cli_complain(client->command, "warning: large documents are kept in memory: %s", why.text);
    return OK;
}

static bool
open_parts(struct client *client)
{
    struct diag diag = {0};
    size_t ended = 0;
    uint64_t missing = 0;
    const struct journal_place place = cli_journal_place(client->config);
    const struct store_options options = {
        .path = client->config->store_path,
        .community = client->config->community,
        .patient_authority = client->config->patient_authority,
        .repository = client->config->repository,
        .clock = clock_system(),
    };

    if (!is_ok(soap_library_init(&diag)) || !is_ok(store_open(&options, &diag, &client->store)) ||
        !is_ok(open_spool(client, &diag)) ||
        !is_ok(cli_journal_open(client->config, &diag, &client->journal)) ||
        !is_ok(journal_end_intents(client->journal, &place, INTENTS_SINCE_US, &diag, &ended)) ||
        !is_ok(cli_journal_missing(client->journal, client->config, &diag, &missing)) ||
        !is_ok(out_start(client->config, clock_system(), &diag, &client->out)) ||
        !is_ok(runner_new(clock_system(), 1, &diag, &client->runner))) {
        cli_error(client->command, &diag);
        return false;
    }
    if (ended > 0) {
        cli_complain(client->command,
                     "warning: an earlier command was killed while it asked; %zu of its questions "
                     "are recorded as ended with an unknown outcome",
                     ended);
    }
    journal_sink_init(&client->sink, client->journal);
    client->node = (struct node){.config = client->config,
                                 .clock = clock_system(),
                                 .store = client->store,
                                 .audit = &client->sink.sink,
                                 .out = client->out,
                                 .spool = client->spool,
                                 .runner = client->runner,
                                 .waiting = &client->waiting};
    return true;
}

static void
close_parts(struct client *client)
{
    if (client->out != NULL) {
        out_stop(client->out);
    }
    runner_free(client->runner);
    waiting_done(&client->waiting);
    if (client->journal != NULL) {
        const struct journal_place place = cli_journal_place(client->config);

        cli_journal_close(client->journal, &place, client->config->checkpoints.credential);
    }
    store_close(client->store);
    arena_free(client->arena);
    spool_unref(client->spool);
    config_unref(client->config);
    crl_held_clear();
    soap_library_done();
}

static bool
take_communities(struct client *client, const struct cli_values *to, struct span_list *list,
                 struct diag *diag)
{
    for (size_t i = 0; i < to->n; i++) {
        struct span oid;

        if (!home_community_oid(span_of_cstr(to->items[i]), &oid)) {
            cli_complain(client->command,
                         "--to %s: expected a homeCommunityId, e.g. 2.999.2 or urn:oid:2.999.2",
                         to->items[i]);
            return false;
        }
        if (!is_ok(ARENA_PUSH(client->arena, diag, list, oid))) {
            cli_error(client->command, diag);
            return false;
        }
    }
    return true;
}

/* What the configuration would refuse under asserts, the command line refuses, too. */
static bool
check_asserts(const struct client *client, const struct client_options *options)
{
    const struct {
        const char *option, *value;
        bool (*is_good)(struct span);
        const char *expected;
    } rows[] = {
        {"organization-id", options->organization_id, config_is_organization_id,
         "urn:oid:OID or a URL"},
        {"role", options->role, config_is_code, "a code (SNOMED CT)"},
        {"purpose", options->purpose, config_is_code, "a code such as T-TREAT"},
        {"npi", options->npi, config_is_npi, "ten digits with a valid check digit"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].value != NULL && !rows[i].is_good(span_of_cstr(rows[i].value))) {
            cli_complain(client->command, "--%s %s: expected %s", rows[i].option, rows[i].value,
                         rows[i].expected);
            return false;
        }
    }
    return true;
}

/* ---- what assertions say besides ---- */

/* OIDs, bare or urn:oid:, as assertions have them. */
static struct status
take_consents(struct client *client, const char *option, const struct cli_values *oids,
              struct span_list *list, struct diag *diag)
{
    for (size_t i = 0; i < oids->n; i++) {
        struct span oid, urn;

        if (!home_community_oid(span_of_cstr(oids->items[i]), &oid)) {
            return FAIL(diag, ERR_USAGE, "--%s %s: expected an OID such as 2.999.5", option,
                        oids->items[i]);
        }
        TRY(arena_printf(client->arena, diag, &urn, "urn:oid:%.*s", SPAN_PRINT(oid)));
        TRY(ARENA_PUSH(client->arena, diag, list, urn));
    }
    return OK;
}

static struct status
take_resource_id(const char *text, struct span *ret_cx, struct diag *diag)
{
    struct ident id;

    if (text == NULL) {
        return OK;
    }
    if (!is_ok(ident_read_cx(span_of_cstr(text), diag, &id))) {
        diag_prefix(diag, "--resource-id");
        return (struct status){diag->code};
    }
    *ret_cx = span_of_cstr(text);
    return OK;
}

/* A compact JWS: three parts of base64url (RFC 7515 7.1). */
static bool
is_compact_jws(struct span text)
{
    int dots = 0;

    for (size_t i = 0; i < text.n; i++) {
        const char c = text.p[i];
        const bool is_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '_';

        if (!is_digit && c != '.') {
            return false;
        }
        dots += c == '.';
    }
    return dots == 2;
}

/* The text of the token stays out of complaints: whoever has it is taken for the individual. */
static struct status
take_id_token(struct client *client, const char *file, struct span *ret_token, struct diag *diag)
{
    CLEANUP(buf_done) struct buf text;

    buf_init_secret(&text, SAML_ID_TOKEN_MAX + 2);
    if (file == NULL) {
        return OK;
    }
    TRY(buf_read_file(&text, file, diag));
    const struct span token = span_trim(buf_span(&text));

    if (token.n > SAML_ID_TOKEN_MAX || !is_compact_jws(token)) {
        return FAIL(diag, ERR_USAGE,
                    "--id-token %s: expected one compact JWS (three parts with dots between), at "
                    "most %zu bytes",
                    file, SAML_ID_TOKEN_MAX);
    }
    return arena_dup(client->arena, token, diag, ret_token);
}

static bool
read_extras(struct client *client, const struct client_options *options, struct asking_order *order)
{
    struct diag diag = {0};

    order->delegator = span_of_cstr(options->delegator);
    if (!is_ok(take_consents(client, "consent", &options->acp, &order->acp, &diag)) ||
        !is_ok(take_consents(client, "consent-document", &options->iacp, &order->iacp, &diag)) ||
        !is_ok(take_resource_id(options->resource_id, &order->resource_id, &diag)) ||
        !is_ok(take_id_token(client, options->id_token, &order->id_token, &diag))) {
        cli_error(client->command, &diag);
        return false;
    }
    return true;
}

/* The order's common part. Says what is wrong and returns false. */
static bool
read_order(struct client *client, const struct client_options *options,
           struct asking_order *ret_order)
{
    struct diag diag = {0};
    struct asking_order order = {
        .timeout_us = client->config->timeout_us,
        .user = options->user,
        .role = options->role,
        .purpose = options->purpose,
        .organization = options->organization,
        .organization_id = options->organization_id,
        .npi = options->npi,
    };

    if (options->timeout != NULL &&
        !config_read_duration(span_of_cstr(options->timeout), &order.timeout_us)) {
        cli_complain(client->command, "--timeout %s: expected a time with unit, e.g. 20s or 1m",
                     options->timeout);
        return false;
    }
    if (!check_asserts(client, options) ||
        !take_communities(client, &options->to, &order.to, &diag) ||
        !read_extras(client, options, &order)) {
        return false;
    }
    *ret_order = order;
    return true;
}

/* ---- the person ---- */

/* YYYY-MM-DD or YYYYMMDD, of a day that there is. */
static bool
read_date(const char *text, char ret_digits[9])
{
    const size_t n = strlen(text);
    int64_t us;
    int digits;

    if (n == 10 && text[4] == '-' && text[7] == '-') {
        snprintf(ret_digits, 9, "%.4s%.2s%.2s", text, text + 5, text + 8);
    } else if (n == 8) {
        snprintf(ret_digits, 9, "%s", text);
    } else {
        return false;
    }
    return datetime_read_hl7(span_of(ret_digits, 8), &us, &digits) && digits == 8;
}

static bool
take_birth_date(struct client *client, const char *text, struct diag *diag, struct patient *patient)
{
    char digits[9];

    if (!read_date(text, digits)) {
        (void)FAIL(diag, ERR_USAGE,
                   "--birth-date: expected a day of the calendar, as YYYY-MM-DD or YYYYMMDD");
        return false;
    }
    return is_ok(arena_dup(client->arena, span_of_cstr(digits), diag, &patient->birth_time));
}

static bool
take_name(struct client *client, const struct client_person *person, struct diag *diag,
          struct patient *patient)
{
    struct person_name name = {.family = span_of_cstr(person->family)};

    for (size_t i = 0; i < person->given.n; i++) {
        if (!is_ok(ARENA_PUSH(client->arena, diag, &name.given,
                              span_of_cstr(person->given.items[i])))) {
            return false;
        }
    }
    return is_ok(ARENA_PUSH(client->arena, diag, &patient->names, name));
}

static bool
take_ids(struct client *client, const struct cli_values *ids, struct diag *diag,
         struct patient *patient)
{
    for (size_t i = 0; i < ids->n; i++) {
        struct ident id;

        if (!is_ok(ident_read_cx(span_of_cstr(ids->items[i]), diag, &id))) {
            diag_prefix(diag, "--id");
            return false;
        }
        if (!is_ok(ARENA_PUSH(client->arena, diag, &patient->ids, id))) {
            return false;
        }
    }
    return true;
}

static bool
take_address(struct client *client, const struct client_person *person, struct diag *diag,
             struct patient *patient)
{
    struct address address = {.city = span_of_cstr(person->city),
                              .state = span_of_cstr(person->state),
                              .postal_code = span_of_cstr(person->postal_code)};
    struct telecom phone = {0};

    if (person->street != NULL &&
        !is_ok(ARENA_PUSH(client->arena, diag, &address.street, span_of_cstr(person->street)))) {
        return false;
    }
    if ((address.street.n > 0 || address.city.n > 0 || address.state.n > 0 ||
         address.postal_code.n > 0) &&
        !is_ok(ARENA_PUSH(client->arena, diag, &patient->addresses, address))) {
        return false;
    }
    if (person->phone == NULL) {
        return true;
    }
    return is_ok(arena_printf(client->arena, diag, &phone.value, "tel:%s", person->phone)) &&
           is_ok(ARENA_PUSH(client->arena, diag, &patient->telecoms, phone));
}

static bool
is_sex(const char *code)
{
    return strcmp(code, "M") == 0 || strcmp(code, "F") == 0 || strcmp(code, "UN") == 0;
}

static bool
is_missing(const char *value)
{
    return value == NULL || value[0] == '\0';
}

bool
client_person(struct client *client, const struct client_person *person,
              struct patient *ret_patient)
{
    struct patient patient = {.sex = span_of_cstr(person->sex)};
    struct diag diag = {0};

    if (is_missing(person->family) || person->given.n == 0 || is_missing(person->given.items[0]) ||
        is_missing(person->birth_date)) {
        cli_complain(client->command,
                     "a patient needs --family, --given and --birth-date (and --sex, where known)");
        return false;
    }
    if (person->sex != NULL && !is_sex(person->sex)) {
        cli_complain(client->command, "--sex %s: expected M, F or UN", person->sex);
        return false;
    }
    if (!take_birth_date(client, person->birth_date, &diag, &patient) ||
        !take_name(client, person, &diag, &patient) ||
        !take_ids(client, &person->ids, &diag, &patient) ||
        !take_address(client, person, &diag, &patient)) {
        cli_error(client->command, &diag);
        return false;
    }
    *ret_patient = patient;
    return true;
}

/* ---- asking ---- */

struct client_wait {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    struct asking *asking;
};

static void
note_end(void *arg, struct asking *asking)
{
    struct client_wait *wait = arg;

    pthread_mutex_lock(&wait->lock);
    wait->asking = asking;
    pthread_cond_signal(&wait->ended);
    pthread_mutex_unlock(&wait->lock);
}

#define LOOK_US (100 * US_PER_MS)

/* Runs the order to its end; the caller frees it. What goes wrong is said on standard error:
 * CLI_USAGE when the order was refused, CLI_FAILED when it could not be carried out. */
static int
ask(struct client *client, const struct asking_order *order, struct asking **ret_asking)
{
    struct client_wait wait = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct diag diag = {0};

    thread_cond_init(&wait.ended);
    if (!is_ok(asking_start(&client->node, order, note_end, &wait, &diag))) {
        cli_error(client->command, &diag);
        return diag.code == ERR_USAGE ? CLI_USAGE : CLI_FAILED;
    }
    pthread_mutex_lock(&wait.lock);
    while (wait.asking == NULL) {
        (void)thread_wait(&wait.ended, &wait.lock, LOOK_US);
        /* Answers that come later are taken by the serving node, which tells nobody. */
        if (wait.asking == NULL) {
            waiting_note_all(&client->waiting);
        }
    }
    pthread_mutex_unlock(&wait.lock);
    /* The worker may still be between its last step and the transaction's end. */
    (void)runner_drain(client->runner, INT64_MAX);
    if (wait.asking->txn.diag.code != ERR_NONE) {
        cli_error(client->command, &wait.asking->txn.diag);
        asking_free(wait.asking);
        return CLI_FAILED;
    }
    *ret_asking = wait.asking;
    return CLI_DONE;
}

static int
exit_code_of(const struct asking *asking)
{
    if (asking_failed(asking) == 0) {
        return CLI_DONE;
    }
    if (asking->order.goal == ASKING_PROVIDE) { /* all or nothing */
        return CLI_FAILED;
    }
    return asking_answered(asking) > 0 ? CLI_PARTIAL : CLI_FAILED;
}

static struct status
print(const struct buf *text, struct diag *diag)
{
    if (fwrite(text->p, 1, text->n, stdout) != text->n || fflush(stdout) != 0) {
        return FAIL(diag, ERR_IO, "cannot write to standard output");
    }
    return OK;
}

static struct status
show(struct asking *asking, bool is_json, const char *folder, struct diag *diag)
{
    struct answers answers;
    CLEANUP(buf_done) struct buf text;

    buf_init_secret(&text, SHOW_LIMIT);
    if (asking->order.goal == ASKING_PROVIDE) {
        TRY(is_json ? sent_write_json(asking, &text, diag) : sent_write_text(asking, &text, diag));
        return print(&text, diag);
    }
    TRY(answers_collect(asking, diag, &answers));
    if (folder != NULL) {
        TRY(answers_write_folder(&answers, folder, diag));
    }
    TRY(is_json ? answers_write_json(&answers, &text, diag)
                : answers_write_text(&answers, &text, diag));
    return print(&text, diag);
}

static int
ask_and_show(struct client *client, const struct asking_order *order, bool is_json,
             const char *folder)
{
    struct asking *asking = NULL;
    struct diag diag = {0};
    int exit_code = ask(client, order, &asking);

    if (exit_code != CLI_DONE) {
        return exit_code;
    }
    exit_code = exit_code_of(asking);
    if (!is_ok(show(asking, is_json, folder, &diag))) {
        cli_error(client->command, &diag);
        exit_code = CLI_FAILED;
    }
    asking_free(asking);
    return exit_code;
}

/* Seen to before anybody is asked: what is asked discloses something already. */
static bool
prepare_folder(const struct client *client, const char *folder)
{
    struct diag diag = {0};

    if (folder == NULL || is_ok(answers_prepare_folder(folder, &diag))) {
        return true;
    }
    cli_error(client->command, &diag);
    return false;
}

int
client_run(const struct cli_command *command, const struct client_options *options,
           client_complete complete, const char *folder)
{
    struct client client = {0};
    struct asking_order order;
    int exit_code = CLI_FAILED;

    if (open_config(&client, command, options->config)) {
        if (!read_order(&client, options, &order) || !complete(&client, &order)) {
            exit_code = CLI_USAGE;
        } else if (prepare_folder(&client, folder) && open_parts(&client)) {
            exit_code = ask_and_show(&client, &order, options->is_json, folder);
        }
    }
    close_parts(&client);
    return exit_code;
}
