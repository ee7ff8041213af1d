/*
 * isthmus retrieve: ITI-39, documents by name, into a folder.
 */
#include "cli/await.h"

static struct client_options options;
static struct await_options await;
static struct cli_values documents;
static const char *folder;

static const struct cli_option rows[] = {
    CLIENT_OPTIONS(options),
    AWAIT_OPTIONS(await),
    {"document", "HCID/REPO/UNIQUEID", "a document, as 'isthmus query' prints it (repeat)", NULL,
     &documents, NULL},
    {"o", "DIR", "where the documents and the index go", &folder, NULL, NULL}};

static const struct cli_command command = {
    .name = "retrieve",
    .usage = "-c FILE --document HCID/REPO/UNIQUEID... -o DIR",
    .text =
        "Fetches documents from the communities that hold them, writes them below DIR with\n"
        "index.json and index.txt, and marks those whose bytes are equal.\n"
        "What partners with 'asynchronous: true' have not answered at the deadline stays awaited:\n"
        "--collect writes it to DIR, once, for the user who asked; --awaited lists it.\n"
        "Exit codes: 0 every asked community answered, 3 some failed, 1 none answered, 2 usage.",
    .options = rows,
    .options_n = ARRAY_LEN(rows),
};

static bool
take_document(struct client *client, const char *text, struct asking_order *order)
{
    struct span rest = span_of_cstr(text);
    struct document_ref ref = {0};
    struct span oid;
    struct diag diag = {0};

    if (!span_split(&rest, '/', &ref.home) || !span_split(&rest, '/', &ref.repository) ||
        !home_community_oid(ref.home, &oid) || !oid_is_valid(ref.repository) || rest.n == 0) {
        cli_complain(&command,
                     "--document %s: expected HOMECOMMUNITYID/REPOSITORYUNIQUEID/UNIQUEID", text);
        return false;
    }
    ref.unique_id = rest;
    if (!is_ok(arena_printf(client->arena, &diag, &ref.home, "urn:oid:%.*s", SPAN_PRINT(oid))) ||
        !is_ok(ARENA_PUSH(client->arena, &diag, &order->documents, ref))) {
        cli_error(&command, &diag);
        return false;
    }
    return true;
}

static bool
complete_order(struct client *client, struct asking_order *order)
{
    order->goal = ASKING_RETRIEVE;
    order->is_collectable = true;
    order->collect = span_of_cstr(await.collect);
    if (folder == NULL || (documents.n == 0) == (await.collect == NULL)) {
        cli_complain(&command, "say which documents (--document), or which answer (--collect), and "
                               "where to put them (-o DIR)");
        return false;
    }
    for (size_t i = 0; i < documents.n; i++) {
        if (!take_document(client, documents.items[i], order)) {
            return false;
        }
    }
    return true;
}

int
cmd_retrieve(int argc, char **argv)
{
    int exit_code;

    if (!cli_parse_options(&command, argc, argv, &exit_code)) {
        return exit_code;
    }
    if (await.is_list) {
        return await_list(&command, &options);
    }
    return client_run(&command, &options, complete_order, folder);
}
