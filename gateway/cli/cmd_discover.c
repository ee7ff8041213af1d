/*
 * isthmus discover: ITI-55 to partners and to our own patient index.
 */
#include "cli/await.h"

static struct client_options options;
static struct client_person person;
static struct await_options await;
static struct forget_options forget;
static bool is_fresh;
static bool is_deferred;

static const struct cli_option rows[] = {
    CLIENT_OPTIONS(options),
    CLIENT_PERSON_OPTIONS(person),
    {"fresh", NULL, "use nothing remembered: ask everybody anew", NULL, NULL, &is_fresh},
    {"deferred", NULL, "partners may answer later, where that is agreed", NULL, NULL, &is_deferred},
    AWAIT_OPTIONS(await),
    {"forget", "CX", "forget what was answered about our patient, or 'all'", &forget.patient, NULL,
     NULL},
    {"forget-partner", "ID", "forget what this partner answered", &forget.partner, NULL, NULL}};

static const struct cli_command command = {
    .name = "discover",
    .usage = "-c FILE --family NAME --given NAME --birth-date DATE [--sex CODE] [--to OID]...",
    .text =
        "Asks every partner (or those named by --to) and our own store, in parallel and with\n"
        "one deadline, whether they know a patient. Prints one row per community. Whom one\n"
        "returns is held against whom you ask for: what contradicts is shown as quarantined,\n"
        "and not used. What our assertion says comes from the options or from 'asserts:' in\n"
        "the configuration; nothing is invented.\n"
        "With --deferred, partners whose file says 'deferred: true' only take note, and answer to\n"
        "the serving node later. Partners whose file says 'asynchronous: true' answer to it, too;\n"
        "what has not come at the deadline stays awaited. --collect with the ID that was printed\n"
        "shows such an answer, once, to the user who asked; --awaited lists them all.\n"
        "What partners allow is remembered (discovery.remember); --forget throws it away.\n"
        "Exit codes: 0 every asked community answered, 3 some failed, 1 none answered, 2 usage.",
    .options = rows,
    .options_n = ARRAY_LEN(rows),
};

static bool
complete_order(struct client *client, struct asking_order *order)
{
    order->goal = ASKING_DISCOVER;
    order->is_fresh = is_fresh;
    order->is_deferred = is_deferred;
    order->is_collectable = true;
    order->collect = span_of_cstr(await.collect);
    if (await.collect != NULL) {
        return true;
    }
    return client_person(client, &person, &order->who);
}

int
cmd_discover(int argc, char **argv)
{
    int exit_code;

    if (!cli_parse_options(&command, argc, argv, &exit_code)) {
        return exit_code;
    }
    if (forget.patient != NULL || forget.partner != NULL) {
        return await_forget(&command, &options, &forget);
    }
    if (await.is_list) {
        return await_list(&command, &options);
    }
    return client_run(&command, &options, complete_order, NULL);
}
