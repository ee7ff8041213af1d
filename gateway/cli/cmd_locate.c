/*
 * isthmus locate: ITI-56 to partners that keep track of where patients are known.
 */
#include "cli/client.h"

static struct client_options options;
static const char *patient;

static const struct cli_option rows[] = {CLIENT_OPTIONS(options),
                                         {"patient", "CX",
                                          "the id that the asked community gave, 'ID^^^&OID&ISO'",
                                          &patient, NULL, NULL}};

static const struct cli_command command = {
    .name = "locate",
    .usage = "-c FILE --patient 'ID^^^&OID&ISO' --to OID [--to OID]...",
    .text =
        "Asks a community that gave an id of a patient ('isthmus discover' prints it) which\n"
        "communities know this patient, and by which ids (Patient Location Query). Prints one row\n"
        "for each. What it says is hearsay: nobody is asked because of it, and those who are no\n"
        "partners of ours cannot be; 'isthmus query --to' asks one that is.\n"
        "Exit codes: 0 every asked community answered, 3 some failed, 1 none answered, 2 usage.",
    .options = rows,
    .options_n = ARRAY_LEN(rows),
};

static bool
complete_order(struct client *client, struct asking_order *order)
{
    struct diag diag = {0};

    (void)client;
    order->goal = ASKING_LOCATE;
    if (patient == NULL || order->to.n == 0) {
        cli_complain(&command, patient == NULL
                                   ? "which patient? say --patient 'ID^^^&OID&ISO'"
                                   : "an id means something to the community that gave it only: "
                                     "say which (--to OID)");
        return false;
    }
    if (!is_ok(ident_read_cx(span_of_cstr(patient), &diag, &order->patient_id))) {
        diag_prefix(&diag, "--patient");
        cli_error(&command, &diag);
        return false;
    }
    return true;
}

int
cmd_locate(int argc, char **argv)
{
    int exit_code;

    return cli_parse_options(&command, argc, argv, &exit_code)
               ? client_run(&command, &options, complete_order, NULL)
               : exit_code;
}
