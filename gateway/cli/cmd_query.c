/*
 * isthmus query: ITI-38 FindDocuments to partners and to our own registry.
 */
#include "cli/await.h"

static struct client_options options;
static struct await_options await;
static const char *patient;
static struct cli_values types;

static const struct cli_option rows[] = {
    CLIENT_OPTIONS(options),
    AWAIT_OPTIONS(await),
    {"patient", "CX", "the id that the asked community knows, 'ID^^^&OID&ISO'", &patient, NULL,
     NULL},
    {"type", "CODE", "only this typeCode, 'code^^system' (may be repeated)", NULL, &types, NULL}};

static const struct cli_command command = {
    .name = "query",
    .usage = "-c FILE --patient 'ID^^^&OID&ISO' [--to OID]... [--type CODE]...",
    .text =
        "Asks communities which documents they have for a patient whose id they gave ('isthmus\n"
        "discover' prints it). Without --to everyone is asked, though an id means something to\n"
        "the community that gave it only. Prints each document as\n"
        "COMMUNITY/REPOSITORY/UNIQUEID, which 'isthmus retrieve --document' takes.\n"
        "Asked by our own id of the patient, communities that asked us about the same one, or\n"
        "answered about it, are asked by theirs (discovery.remember).\n"
        "What partners with 'asynchronous: true' have not answered at the deadline stays awaited:\n"
        "--collect shows it, once, to the user who asked; --awaited lists it.\n"
        "Exit codes: 0 every asked community answered, 3 some failed, 1 none answered, 2 usage.",
    .options = rows,
    .options_n = ARRAY_LEN(rows),
};

static bool
is_type(struct span text)
{
    const size_t carets = span_find(text, SPAN("^^"));

    return carets != SPAN_MISSING && carets > 0 && carets + 2 < text.n;
}

static bool
complete_order(struct client *client, struct asking_order *order)
{
    struct diag diag = {0};

    order->goal = ASKING_QUERY;
    order->is_collectable = true;
    order->collect = span_of_cstr(await.collect);
    if (await.collect != NULL) {
        return true;
    }
    if (patient == NULL) {
        cli_complain(&command, "whose documents? say --patient 'ID^^^&OID&ISO'");
        return false;
    }
    if (!is_ok(ident_read_cx(span_of_cstr(patient), &diag, &order->patient_id))) {
        diag_prefix(&diag, "--patient");
        cli_error(&command, &diag);
        return false;
    }
    for (size_t i = 0; i < types.n; i++) {
        if (!is_type(span_of_cstr(types.items[i]))) {
            cli_complain(&command,
                         "--type %s: expected 'code^^system', e.g. "
                         "34133-9^^2.16.840.1.113883.6.1",
                         types.items[i]);
            return false;
        }
        if (!is_ok(ARENA_PUSH(client->arena, &diag, &order->types, span_of_cstr(types.items[i])))) {
            cli_error(&command, &diag);
            return false;
        }
    }
    return true;
}

int
cmd_query(int argc, char **argv)
{
    int exit_code;

    if (!cli_parse_options(&command, argc, argv, &exit_code)) {
        return exit_code;
    }
    if (await.is_list) {
        return await_list(&command, &options);
    }
    return client_run(&command, &options, complete_order, NULL);
}
