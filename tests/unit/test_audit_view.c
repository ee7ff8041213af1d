/*
 * What `isthmus audit` prints, over real journals: lines, explanations, JSON, XML, verification,
 * and that nothing which a partner wrote can play with the operator's terminal.
 */
#include "cli/audit_verify.h"
#include "cli/audit_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "audit/chain.h"
#include "cli/audit_text.h"
#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

#define START INT64_C(1795343400250000)

static const struct cli_command command = {.name = "audit test", .usage = "-c FILE"};

/* Runs <call> with a view of <dir>; what it printed is in <out>. */
struct printed {
    struct audit_view view;
    char text[65536];
};

static void
begin(struct printed *printed, const char *dir, enum audit_form form)
{
    memset(printed->text, 0, sizeof(printed->text));
    printed->view = (struct audit_view){.command = &command,
                                        .place = {.dir = dir},
                                        .source = {"Red HIE", "2.999.1"},
                                        .form = form,
                                        .out = tmpfile()};
    CU_ASSERT_PTR_NOT_NULL_FATAL(printed->view.out);
}

static void
end(struct printed *printed)
{
    rewind(printed->view.out);
    const size_t n = fread(printed->text, 1, sizeof(printed->text) - 1, printed->view.out);
    printed->text[n] = '\0';
    (void)fclose(printed->view.out);
}

/* What complaints say: standard error, for as long as a test wants it. */
static FILE *complaints;
static int real_stderr = -1;

static void
catch_complaints(void)
{
    (void)fflush(stderr);
    complaints = tmpfile();
    CU_ASSERT_PTR_NOT_NULL_FATAL(complaints);
    real_stderr = dup(STDERR_FILENO);
    (void)dup2(fileno(complaints), STDERR_FILENO);
}

static void
check_complaint(const char *says)
{
    char text[8192];
    (void)fflush(stderr);
    (void)dup2(real_stderr, STDERR_FILENO);
    (void)close(real_stderr);
    rewind(complaints);
    const size_t n = fread(text, 1, sizeof(text) - 1, complaints);
    text[n] = '\0';
    (void)fclose(complaints);
    if (strstr(text, says) == NULL) {
        printf("\n    complaint '%s', wanted '%s'\n", text, says);
        CU_FAIL("the complaint");
    }
}

static struct document_ref documents[] = {
    {{"urn:oid:2.999.2", 15}, {"2.999.2.2", 9}, {"2.999.2.3.1", 11}},
    {{NULL, 0}, {NULL, 0}, {"2.999.2.3.2", 11}},
};
static struct span patients[] = {{"p1^^^&2.999.1&ISO", 17}};

static struct audit_event
make_event(void)
{
    return (struct audit_event){
        .type = AUDIT_ITI_39,
        .side = AUDIT_INITIATING,
        .phase = AUDIT_OUTCOME,
        .outcome = AUDIT_MINOR,
        .outcome_text = SPAN("UNKNOWN_DOCUMENT: one of two"),
        .time_us = START,
        .transaction_id = SPAN("t-1"),
        .message_id = SPAN("urn:uuid:1"),
        .partner = SPAN("blue"),
        .source_id = SPAN("https://red.example"),
        .source_address = SPAN("127.0.0.1"),
        .destination_id = SPAN("https://blue.example"),
        .process_id = 4711,
        .user_id = SPAN("N\xC3\xBA\xC3\xB1"
                        "ez"),
        .user_name = SPAN("<red@CN=Red>"),
        .role = {SPAN("112247003"), SPAN("2.16.840.1.113883.6.96"), SPAN("Medical doctor")},
        .organization = SPAN("Red HIE"),
        .delegator = SPAN("Organization/2.999.7"),
        .purpose = {SPAN("T-TREAT"), SPAN("2.999.9"), SPAN_EMPTY},
        .community = SPAN("2.999.2"),
        .query_id = SPAN("q-1"),
        .query = SPAN("<q>\n  <x/>\n</q>"),
        .patients = {patients, 1, 1},
        .documents = {documents, 2, 2},
        .policy_rule = SPAN("treatment"),
    };
}

static void
write_event(const char *dir, const struct audit_event *event)
{
    struct diag diag = {0};
    struct journal *journal = kit_open(dir, KIT_SIZES);
    CHECK_OK(&diag, journal_append_wait(journal, event, &diag));
    journal_close(journal);
}

/* ---- lines ---- */

static void
test_lines(void)
{
    char dir[PATH_MAX];
    struct printed printed;
    struct audit_event event = make_event();
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("lines"));
    write_event(dir, &event);
    event = (struct audit_event){.type = AUDIT_NODE_STOP, .phase = AUDIT_OUTCOME, .time_us = START};
    write_event(dir, &event);
    event = (struct audit_event){.type = AUDIT_ITI_55,
                                 .side = AUDIT_INITIATING,
                                 .phase = AUDIT_INTENT,
                                 .time_us = START,
                                 .partner = SPAN("a-partner-with-a-long-name"),
                                 .user_name = SPAN("<only@this>")};
    write_event(dir, &event);
    event = (struct audit_event){.type = AUDIT_AUTHENTICATION_FAILURE,
                                 .side = AUDIT_RESPONDING,
                                 .phase = AUDIT_OUTCOME,
                                 .outcome = AUDIT_MAJOR,
                                 .time_us = START};
    write_event(dir, &event);
    begin(&printed, dir, AUDIT_FORM_TEXT);
    CU_ASSERT_EQUAL(audit_view_tail(&printed.view, 10, NULL, NULL), CLI_DONE);
    end(&printed);
    CU_ASSERT_STRING_EQUAL(
        printed.text,
        "TIME (UTC)               WHAT     SIDE     OUTCOME PARTNER      USER                     "
        "PURPOSE    PATIENTS DOCUMENTS RECORD\n"
        "2026-11-22T10:30:00.250Z ITI-39   asked    minor   blue         N\xC3\xBA\xC3\xB1"
        "ez                    T-TREAT           1         2 serve/1\n"
        "2026-11-22T10:30:00.250Z stop     -        ok      -            -                        "
        "-                 0         0 serve/2\n"
        "2026-11-22T10:30:00.250Z ITI-55   asked    intent  a-partner-with-a-long-name <only@this>"
        "              -                 0         0 serve/3\n"
        "2026-11-22T10:30:00.250Z security answered major   -            -                        "
        "-                 0         0 serve/4\n");
    begin(&printed, dir, AUDIT_FORM_TEXT);
    CU_ASSERT_EQUAL(audit_view_tail(&printed.view, 1, NULL, NULL), CLI_DONE);
    end(&printed);
    CU_ASSERT_PTR_NOT_NULL(strstr(printed.text, "serve/4"));
    CU_ASSERT_PTR_NULL(strstr(printed.text, "serve/3"));
}

static void
test_hostile_text(void)
{
    char dir[PATH_MAX];
    struct printed printed;
    struct audit_event event = make_event();
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("hostile"));
    event.partner = SPAN("x\x1B[2J\n\x07y");
    event.user_id = SPAN("\xE2\x80\xAEtxt\xC2\x9B\xFF\x7F");
    event.outcome_text = SPAN("a\x1B]0;title\x07");
    write_event(dir, &event);
    begin(&printed, dir, AUDIT_FORM_TEXT);
    CU_ASSERT_EQUAL(audit_view_tail(&printed.view, 1, NULL, NULL), CLI_DONE);
    end(&printed);
    CU_ASSERT_PTR_NOT_NULL(strstr(printed.text, "x?[2J ?y"));
    CU_ASSERT_PTR_NOT_NULL(strstr(printed.text, "?txt???"));
    begin(&printed, dir, AUDIT_FORM_TEXT);
    CU_ASSERT_EQUAL(audit_view_show(&printed.view, "serve/1"), CLI_DONE);
    end(&printed);
    CU_ASSERT_PTR_NOT_NULL(strstr(printed.text, "a?]0;title?"));
    CU_ASSERT_PTR_NULL(strchr(printed.text, '\x1B'));
}

/* ---- one record ---- */

static void
test_explanation(void)
{
    char dir[PATH_MAX];
    struct printed printed;
    struct audit_event event = make_event();
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("explained"));
    write_event(dir, &event);
    begin(&printed, dir, AUDIT_FORM_TEXT);
    CU_ASSERT_EQUAL(audit_view_show(&printed.view, "serve/1"), CLI_DONE);
    end(&printed);
    static const char want[] =
        "At 2026-11-22T10:30:00.250Z this node asked partner blue to send documents (Cross Gateway "
        "Retrieve, ITI-39).\n"
        "It was asked by N\xC3\xBA\xC3\xB1"
        "ez, Medical doctor, of Red HIE in the name of Organization/2.999.7 for the purpose "
        "T-TREAT.\n"
        "It was about patient p1^^^&2.999.1&ISO and 2 documents.\n"
        "The policy's rule 'treatment' decided.\n"
        "It failed (minor failure): UNKNOWN_DOCUMENT: one of two.\n"
        "  outcome       minor failure\n"
        "  reason        UNKNOWN_DOCUMENT: one of two\n"
        "  policy rule   treatment\n"
        "  user          N\xC3\xBA\xC3\xB1"
        "ez\n"
        "  asserted as   <red@CN=Red>\n"
        "  role          112247003, Medical doctor (code system 2.16.840.1.113883.6.96)\n"
        "  organization  Red HIE\n"
        "  on behalf of  Organization/2.999.7\n"
        "  purpose       T-TREAT (code system 2.999.9)\n"
        "  asked by      https://red.example at 127.0.0.1\n"
        "  answered by   https://blue.example\n"
        "  community     2.999.2\n"
        "  patient       p1^^^&2.999.1&ISO\n"
        "  document      2.999.2.3.1 in repository 2.999.2.2 of community urn:oid:2.999.2\n"
        "  document      2.999.2.3.2 in repository unknown\n"
        "  query id      q-1\n"
        "  query         <q>   <x/> </q>\n"
        "  transaction   t-1\n"
        "  message       urn:uuid:1\n"
        "  record        serve/1, SHA-256 ";
    CU_ASSERT_NSTRING_EQUAL(printed.text, want, strlen(want));
    CU_ASSERT_PTR_NOT_NULL(strstr(printed.text, ", written by process 4711\n"));
}

/* What else was recorded of the same transaction; an intent says that there is such a record. */
static void
test_related(void)
{
    char dir[PATH_MAX];
    struct printed printed;
    struct audit_event event = make_event();
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("related"));
    event.phase = AUDIT_INTENT;
    write_event(dir, &event);
    event.transaction_id = SPAN("t-2");
    write_event(dir, &event);
    event.transaction_id = SPAN("t-1");
    event.phase = AUDIT_OUTCOME;
    write_event(dir, &event);
    begin(&printed, dir, AUDIT_FORM_TEXT);
    CU_ASSERT_EQUAL(audit_view_show(&printed.view, "serve/1"), CLI_DONE);
    end(&printed);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(printed.text, "How it ended stands in another record of this transaction.\n"));
    const char *const others = strstr(printed.text, "\n  Of the same transaction:\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(others);
    CU_ASSERT_PTR_NOT_NULL(strstr(others, " serve/3\n"));
    CU_ASSERT_PTR_NULL(strstr(others, " serve/1\n"));
    CU_ASSERT_PTR_NULL(strstr(others, " serve/2\n"));
    begin(&printed, dir, AUDIT_FORM_TEXT);
    CU_ASSERT_EQUAL(audit_view_show(&printed.view, "serve/2"), CLI_DONE);
    end(&printed);
    CU_ASSERT_PTR_NULL(strstr(printed.text, "Of the same transaction"));
}

static void
test_sentences(void)
{
    static const struct {
        enum audit_type type;
        enum audit_side side;
        enum audit_phase phase;
        const char *partner;
        const char *says;
    } cases[] = {
        {AUDIT_ITI_55, AUDIT_INITIATING, AUDIT_INTENT, "blue",
         "this node was about to ask partner blue whether it knows a patient"},
        {AUDIT_ITI_55, AUDIT_RESPONDING, AUDIT_OUTCOME, "",
         "the host 10.0.0.1 asked this node whether it knows a patient"},
        {AUDIT_ITI_38, AUDIT_RESPONDING, AUDIT_OUTCOME, "blue",
         "partner blue asked this node which documents it has about a patient"},
        {AUDIT_ITI_39, AUDIT_RESPONDING, AUDIT_OUTCOME, "blue",
         "partner blue asked this node to send documents"},
        {AUDIT_LOCAL_ACCESS, AUDIT_INITIATING, AUDIT_OUTCOME, "",
         "the operator asked the community's own store."},
        {AUDIT_AUTHENTICATION_FAILURE, AUDIT_RESPONDING, AUDIT_OUTCOME, "",
         "a message from the host 10.0.0.1 did not prove what it must, and was refused."},
        {AUDIT_AUTHENTICATION_FAILURE, AUDIT_INITIATING, AUDIT_OUTCOME, "blue",
         "the answer of partner blue did not prove what it must, and was not used."},
        {AUDIT_NODE_START, AUDIT_INITIATING, AUDIT_OUTCOME, "", "the node started."},
        {AUDIT_NODE_STOP, AUDIT_INITIATING, AUDIT_OUTCOME, "", "the node stopped."},
        {AUDIT_CONFIGURATION_CHANGED, AUDIT_INITIATING, AUDIT_OUTCOME, "",
         "the node took another configuration."},
        {AUDIT_EMERGENCY_ACCESS, AUDIT_RESPONDING, AUDIT_OUTCOME, "blue",
         "partner blue was let in in an emergency, past what consent withholds."},
        {AUDIT_LOG_USED, AUDIT_INITIATING, AUDIT_OUTCOME, "", "the audit journal was read."},
        {AUDIT_CHECKPOINT, AUDIT_RESPONDING, AUDIT_OUTCOME, "",
         "the node signed where its audit journal stood."},
        {AUDIT_RECORDS_MISSING, AUDIT_RESPONDING, AUDIT_OUTCOME, "",
         "the node found that it could not record everything: records are missing."},
        {AUDIT_DELIVERY, AUDIT_RESPONDING, AUDIT_OUTCOME, "",
         "an audit repository takes records again."},
        {AUDIT_RETENTION, AUDIT_RESPONDING, AUDIT_OUTCOME, "",
         "old audit records were removed, as the configuration asks."},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct audit_event event = {.type = cases[i].type,
                                          .side = cases[i].side,
                                          .phase = cases[i].phase,
                                          .partner = span_of_cstr(cases[i].partner),
                                          .source_address = SPAN("10.0.0.1")};
        const struct journal_record record = {.chain = "c", .sequence = 1};
        struct diag diag = {0};
        struct buf text;
        buf_init(&text, 65536);
        CHECK_OK(&diag, audit_text_explain(&record, &event, &text, &diag));
        if (span_find(buf_span(&text), span_of_cstr(cases[i].says)) == SPAN_MISSING) {
            printf("\n    '%.*s', wanted '%s'\n", SPAN_PRINT(buf_span(&text)), cases[i].says);
            CU_FAIL("the sentence");
        }
        buf_done(&text);
    }
}

static void
test_json_and_xml(void)
{
    char dir[PATH_MAX];
    struct printed printed;
    struct audit_event event = make_event();
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("forms"));
    write_event(dir, &event);
    begin(&printed, dir, AUDIT_FORM_JSON);
    CU_ASSERT_EQUAL(audit_view_show(&printed.view, "serve/1"), CLI_DONE);
    end(&printed);
    json_t *root = json_loads(printed.text, JSON_REJECT_DUPLICATES, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "record")), "serve/1");
    CU_ASSERT_EQUAL(json_string_length(json_object_get(root, "hash")), 64);
    const json_t *inner = json_object_get(root, "event");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(inner, "policy_rule")), "treatment");
    json_decref(root);
    begin(&printed, dir, AUDIT_FORM_XML);
    CU_ASSERT_EQUAL(audit_view_tail(&printed.view, 1, NULL, NULL), CLI_DONE);
    end(&printed);
    CU_ASSERT_PTR_EQUAL(strstr(printed.text, "<?xml version=\"1.0\""), printed.text);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(printed.text, "AuditEnterpriseSiteID=\"2.999.1\" AuditSourceID=\"Red HIE\""));
    CU_ASSERT_STRING_EQUAL(strstr(printed.text, "</AuditMessage>"), "</AuditMessage>\n");
}

static void
test_records_that_are_not_there(void)
{
    static const struct {
        const char *record;
        enum cli_exit want;
        const char *says;
    } cases[] = {
        {"serve", CLI_USAGE, "say CHAIN/NUMBER"},    {"serve/", CLI_USAGE, "say CHAIN/NUMBER"},
        {"/1", CLI_USAGE, "say CHAIN/NUMBER"},       {"serve/x", CLI_USAGE, "say CHAIN/NUMBER"},
        {"serve/-1", CLI_USAGE, "say CHAIN/NUMBER"}, {"serve/99", CLI_FAILED, "no record 99"},
        {"other/1", CLI_FAILED, "no chain 'other'"}, {"../serve/1", CLI_FAILED, "no chain"},
    };
    char dir[PATH_MAX];
    struct printed printed;
    struct audit_event event = make_event();
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("absent"));
    write_event(dir, &event);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        begin(&printed, dir, AUDIT_FORM_TEXT);
        catch_complaints();
        CU_ASSERT_EQUAL(audit_view_show(&printed.view, cases[i].record), cases[i].want);
        check_complaint(cases[i].says);
        end(&printed);
        CU_ASSERT_STRING_EQUAL(printed.text, "");
    }
}

/* ---- following ---- */

struct follower {
    const char *dir;
    unsigned rounds;
};

static bool
write_one_more(void *arg)
{
    struct follower *follower = arg;
    if (follower->rounds == 0) {
        return false;
    }
    const struct audit_event event = make_event();
    write_event(follower->dir, &event);
    follower->rounds--;
    return true;
}

static void
test_following(void)
{
    char dir[PATH_MAX];
    struct printed printed;
    struct audit_event event = make_event();
    struct follower follower = {.dir = dir, .rounds = 3};
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("followed"));
    write_event(dir, &event);
    write_event(dir, &event);
    begin(&printed, dir, AUDIT_FORM_TEXT);
    CU_ASSERT_EQUAL(audit_view_tail(&printed.view, 1, write_one_more, &follower), CLI_DONE);
    end(&printed);
    CU_ASSERT_PTR_NULL(strstr(printed.text, "serve/1\n"));
    for (unsigned i = 2; i <= 5; i++) {
        char want[32];
        (void)snprintf(want, sizeof(want), "serve/%u\n", i);
        CU_ASSERT_PTR_NOT_NULL(strstr(printed.text, want));
    }
}

static void
test_closed_output(void)
{
    struct audit_event event = make_event();
    struct audit_view view = {.command = &command,
                              .place = {.dir = kit_folder("followed")},
                              .source = {"Red", NULL},
                              .out = fopen("/dev/full", "w")};
    kit_disk_reset();
    write_event(view.place.dir, &event);
    CU_ASSERT_PTR_NOT_NULL_FATAL(view.out);
    catch_complaints();
    CU_ASSERT_EQUAL(audit_view_tail(&view, 1, NULL, NULL), CLI_FAILED);
    check_complaint("cannot write the output");
    (void)fclose(view.out);
}

/* ---- verification ---- */

static enum cli_exit
verify(const struct audit_view *view)
{
    const struct audit_verify verify = {.command = view->command,
                                        .place = view->place,
                                        .is_json = view->form == AUDIT_FORM_JSON,
                                        .out = view->out};
    return audit_verify_journal(&verify, NULL);
}

static void
test_verify(void)
{
    char dir[PATH_MAX];
    struct printed printed;
    struct audit_event event = make_event();
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("verified"));
    catch_complaints();
    begin(&printed, dir, AUDIT_FORM_TEXT);
    CU_ASSERT_EQUAL(verify(&printed.view), CLI_FAILED);
    end(&printed);
    check_complaint("cannot read the journal's folder");
    write_event(dir, &event);
    write_event(dir, &event);
    begin(&printed, dir, AUDIT_FORM_TEXT);
    CU_ASSERT_EQUAL(verify(&printed.view), CLI_DONE);
    end(&printed);
    CU_ASSERT_PTR_EQUAL(strstr(printed.text, "serve            2 records, 1 ("), printed.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(printed.text, "): OK\n1 chain, 2 records: everything holds\n"));
}

static void
test_verify_broken(void)
{
    struct kit_image image;
    struct printed printed;
    kit_image_make(&image, "broken", true);
    image.bytes.p[image.offsets[2] + RECORD_HEAD_BYTES] ^= 1;
    kit_write_file(image.path, buf_span(&image.bytes));
    begin(&printed, image.dir, AUDIT_FORM_TEXT);
    CU_ASSERT_EQUAL(verify(&printed.view), CLI_FAILED);
    end(&printed);
    CU_ASSERT_PTR_NOT_NULL(strstr(printed.text, ": BROKEN\n    chain serve, segment "));
    CU_ASSERT_PTR_NOT_NULL(strstr(printed.text, "record 3: its CRC-32C does not fit"));
    CU_ASSERT_PTR_NOT_NULL(strstr(printed.text, "1 chain, 2 records: NOT everything holds\n"));
    begin(&printed, image.dir, AUDIT_FORM_JSON);
    CU_ASSERT_EQUAL(verify(&printed.view), CLI_FAILED);
    end(&printed);
    json_t *root = json_loads(printed.text, JSON_REJECT_DUPLICATES, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_TRUE(json_is_false(json_object_get(root, "ok")));
    const json_t *chain = json_array_get(json_object_get(root, "chains"), 0);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(chain, "last")), 2);
    CU_ASSERT_TRUE(json_is_string(json_object_get(chain, "problem")));
    json_decref(root);
    begin(&printed, image.dir, AUDIT_FORM_TEXT);
    catch_complaints();
    CU_ASSERT_EQUAL(audit_view_tail(&printed.view, 100, NULL, NULL), CLI_FAILED);
    check_complaint("record 3: its CRC-32C does not fit");
    end(&printed);
    CU_ASSERT_PTR_NOT_NULL(strstr(printed.text, "serve/2\n"));
    buf_done(&image.bytes);
}

static const struct unit_test tests[] = {
    {"one line per event", test_lines},
    {"text that plays with terminals", test_hostile_text},
    {"a record explained", test_explanation},
    {"the others of its transaction", test_related},
    {"a sentence for every kind", test_sentences},
    {"JSON and XML", test_json_and_xml},
    {"records that are not there", test_records_that_are_not_there},
    {"following", test_following},
    {"output that is closed", test_closed_output},
    {"verifying", test_verify},
    {"verifying what is broken", test_verify_broken},
};
UNIT_MAIN("audit view", tests)
