/*
 * isthmus gather: everything that everyone has of one patient, in one folder.
 */
#include "cli/client.h"

static struct client_options options;
static struct client_person person;
static const char *folder;
static bool is_fresh;

static const struct cli_option rows[] = {
    CLIENT_OPTIONS(options),
    CLIENT_PERSON_OPTIONS(person),
    {"o", "DIR", "where the documents and the index go", &folder, NULL, NULL},
    {"fresh", NULL, "use nothing remembered: ask everybody anew", NULL, NULL, &is_fresh}};

static const struct cli_command command = {
    .name = "gather",
    .usage = "-c FILE --family NAME --given NAME --birth-date DATE [--sex CODE] -o DIR",
    .text =
        "Asks every partner and our own store for a patient, then for the patient's documents,\n"
        "then for the documents; all in parallel and within one deadline. Writes them below DIR\n"
        "with index.json and index.txt: which community, which document, when; documents with\n"
        "equal bytes are marked. A partner that fails is named and does not hold up the others.\n"
        "Exit codes: 0 every asked community answered, 3 some failed, 1 none answered, 2 usage.",
    .options = rows,
    .options_n = ARRAY_LEN(rows),
};

static bool
complete_order(struct client *client, struct asking_order *order)
{
    if (folder == NULL) {
        cli_complain(&command, "where to put the documents? say -o DIR");
        return false;
    }
    order->goal = ASKING_GATHER;
    order->is_fresh = is_fresh;
    return client_person(client, &person, &order->who);
}

int
cmd_gather(int argc, char **argv)
{
    int exit_code;

    if (!cli_parse_options(&command, argc, argv, &exit_code)) {
        return exit_code;
    }
    return client_run(&command, &options, complete_order, folder);
}
