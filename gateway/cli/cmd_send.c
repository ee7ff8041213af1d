/*
 * isthmus send: ITI-80, documents to one community. Runs on the program's main thread.
 */
#include "base/hl7v2.h"
#include "base/ids.h"
#include "cli/client.h"
#include "cli/submission.h"

static struct client_options options;
static struct cli_values recipients, paths;
static const char *patient;
static struct provide_request request;

static const struct cli_option rows[] = {
    CLIENT_OPTIONS(options),
    {"patient", "CX", "the id under which that community knows the patient, 'ID^^^&OID&ISO'",
     &patient, NULL, NULL},
    {"recipient", "XON|XCN|XTN", "whom it is for in that community (may be repeated)", NULL,
     &recipients, NULL}};

static const struct cli_command command = {
    .name = "send",
    .usage = "-c FILE --to OID [--patient CX] [--recipient XON|XCN|XTN]... FILE...",
    .text =
        "Delivers documents about one patient to a community, all or none of them. Each FILE is a\n"
        "C-CDA document, or anything with a sidecar, as for 'isthmus import'. Without --patient\n"
        "the community gets the patient's id and description as the documents have them, and the\n"
        "metadata is labelled as limited. A submission is sent once: when the answer does not\n"
        "come, it may have been taken all the same.\n"
        "Exit codes: 0 the community took them, 1 it did not, or nobody knows, 2 usage.",
    .options = rows,
    .options_n = ARRAY_LEN(rows),
};

/* XON: the organization that our assertions name. */
static struct status
write_institution(struct client *client, const struct asking_order *order, struct diag *diag,
                  struct span *ret_xon)
{
    const struct config_asserts *asserts = &client->config->asserts;
    const char *name = order->organization != NULL ? order->organization : asserts->organization;
    const char *id =
        order->organization_id != NULL ? order->organization_id : asserts->organization_id;
    struct span escaped, oid;

    if (name == NULL || id == NULL || !home_community_oid(span_of_cstr(id), &oid)) {
        return OK;
    }
    TRY(hl7v2_escape(client->arena, span_of_cstr(name), diag, &escaped));
    return arena_printf(client->arena, diag, ret_xon, "%.*s^^^^^^^^^%.*s", SPAN_PRINT(escaped),
                        SPAN_PRINT(oid));
}

static void
release_request(void *made)
{
    provide_request_done(made);
}

static struct status
make(struct client *client, struct asking_order *order, struct diag *diag)
{
    struct submission_order submission = {
        .source_id = span_of_cstr(client->config->community),
        .target = order->to.items[0],
        .patient_id = span_of_cstr(patient),
        .now_us = clock_wall_us(clock_system()),
    };
    struct ident id;

    if (patient != NULL && !is_ok(ident_read_cx(submission.patient_id, diag, &id))) {
        diag_prefix(diag, "--patient");
        return (struct status){diag->code};
    }
    for (size_t i = 0; i < recipients.n; i++) {
        TRY(ARENA_PUSH(client->arena, diag, &submission.recipients,
                       span_of_cstr(recipients.items[i])));
    }
    TRY(write_institution(client, order, diag, &submission.institution));
    TRY(arena_defer(client->arena, release_request, &request, diag));
    return submission_make(&submission, paths.items, paths.n, client->arena, diag, &request);
}

static bool
complete_order(struct client *client, struct asking_order *order)
{
    struct diag diag = {0};

    if (order->to.n != 1 || paths.n == 0) {
        cli_complain(&command, "say to which community (--to OID, once), and which files");
        return false;
    }
    if (!is_ok(make(client, order, &diag))) {
        cli_error(&command, &diag);
        return false;
    }
    order->goal = ASKING_PROVIDE;
    order->provide = &request;
    return true;
}

int
cmd_send(int argc, char **argv)
{
    int exit_code;

    if (!cli_parse(&command, argc, argv, &paths, &exit_code)) {
        return exit_code;
    }
    return client_run(&command, &options, complete_order, NULL);
}
