/*
 * `isthmus partners` and `isthmus check` about profiles: what each set, what was relaxed by which,
 * and what the partner's own file overrules.
 */
#include "cli/cli.h"
#include "cli_kit.h"
#include "config_world.h"
#include "unit.h"

static const char partner_lines[] =
    "profiles: [{sha1-until: 2020-06-30}, legacy-tls, bearer, lean-assertions, slow-answers,\n"
    "  one-document-per-retrieve]\n"
    "limits: {documents_per_request: 3}";

static void
test_mistakes(void)
{
    write_main(0, NULL);
    write_blue(10, "profiles: [sha512, {sha1-until: 2020-06-30}, barer]");
    cli_run(cmd_check, "check|-c|DIR/isthmus.yaml");
    cli_check_exit("mistakes", CLI_FAILED);
    cli_check_says(cli_output.err, "partners.d/blue.yaml:10:20: error: profiles 'sha512' and "
                                   "'sha1-until' contradict each other: writes.digest is 'sha512' "
                                   "at profiles/sha512.yaml:3:20");
    cli_check_says(cli_output.err, "partners.d/blue.yaml:10:46: error: no profile 'barer'; did you "
                                   "mean 'bearer'?");
}

/* What was relaxed by which profile, and what the partner's own file overrules. */
static void
test_profiles(void)
{
    write_main(0, NULL);
    write_blue(10, partner_lines);
    cli_run(cmd_partners, "partners|-c|DIR/isthmus.yaml");
    cli_check_exit("profiles", CLI_DONE);
    cli_check_says(cli_output.out,
                   "  profiles     sha1-until 2020-06-30: sha1_until 2020-06-30, "
                   "writes.digest sha1\n"
                   "               legacy-tls: tls.suites legacy, "
                   "writes.legacy_renegotiation yes\n"
                   "               bearer: confirmation bearer, writes.confirmation "
                   "bearer\n");
    cli_check_says(cli_output.out,
                   "  one-document-per-retrieve: nothing, its own file says it all\n");
    cli_check_says(cli_output.out, "their time has ended 2020-06-30: remove sha1_until (profile "
                                   "sha1-until)\n");
    cli_check_says(cli_output.out,
                   "WARNING: connections to its server may have no forward secrecy or no "
                   "AEAD (profile legacy-tls)\n");
    cli_check_says(cli_output.out, "accepted: assertions without AudienceRestriction (profile "
                                   "lean-assertions)\n");
    cli_check_says(cli_output.out,
                   "  timeout      20000 ms; discovery 60000 ms, query 120000 ms, retrieve "
                   "120000 ms\n");
    cli_run(cmd_partners, "partners|-c|DIR/isthmus.yaml|--json");
    cli_check_exit("profiles", CLI_DONE);
    cli_check_says(cli_output.out, "\"name\": \"sha1-until\"");
    cli_check_says(cli_output.out, "\"key\": \"writes.digest\"");
    cli_run(cmd_check, "check|-c|DIR/isthmus.yaml");
    cli_check_exit("profiles", CLI_DONE);
    cli_check_says(cli_output.out,
                   "note: partner 'blue': bearer assertions accepted: whoever holds one "
                   "may use it (profile bearer)\n");
    cli_check_says(cli_output.out,
                   "note: partner 'blue': may take 120 s, but a transaction ends after 20 s "
                   "(limits.timeout)\n");
}

static void
test_shipped_profiles(void)
{
    cli_run(cmd_partners, "partners|--profiles");
    cli_check_exit("shipped", CLI_DONE);
    cli_check_says(cli_output.out, "date-range-required\n  about: refuses FindDocuments without");
    cli_check_says(cli_output.out, "\n    writes: {date_range: creation}\n");
    cli_check_says(cli_output.out, " profiles\n");
}

static const struct unit_test tests[] = {
    {"make files and certificates", test_make_world},
    {"mistakes", test_mistakes},
    {"profiles", test_profiles},
    {"shipped profiles", test_shipped_profiles},
};
UNIT_MAIN("isthmus partners", tests)
