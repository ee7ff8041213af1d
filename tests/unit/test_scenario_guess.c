/*
 * Whoever guesses the uniqueId of a withheld document learns what he would learn of a document that
 * does not exist: each question is asked for both, with every repository and home that may be
 * tried, and the answers are compared. Fake clock, no sockets; the registries are played by the
 * test.
 */
#include <stdio.h>
#include <string.h>

#include "source_kit.h"

#define OF_HOSPITAL        "2.999.30.5" /* restricted */
#define NOT_AT_HOSPITAL    "2.999.30.6"
#define NOBODYS_HOME       "urn:oid:2.999.98"
#define NOBODYS_REPOSITORY "2.999.97"
#define OWN_REPOSITORY     "" /* green's, which the scene makes */

/* Inbound and local alike: Treatment, less what is restricted. */
#define RULE(direction)                                                                            \
    "  - name: " direction "\n    effect: permit\n    reason: a test\n    direction: " direction   \
    "\n    partners: any\n    purposes: [T-TREAT]\n"
#define OPEN_RULES "rules:\n" RULE("inbound") RULE("local") RULE("outbound")
#define LESS_R     "    withhold: {confidentiality: [R]}\n"
#define RULES      "rules:\n" RULE("inbound") LESS_R RULE("local") LESS_R RULE("outbound")

enum asker { BY_PARTNER, BY_SYSTEM_39, BY_SYSTEM_43, ASKERS };

/* Everything that an answer says, the document's own name taken out. */
struct told {
    char text[2048];
    size_t n;
    size_t bytes;     /* of the whole answer */
    size_t questions; /* to others */
};

static struct scene_stored restricted; /* in green's store */
static char absent[80];                /* as long, and nobody's */

static void
open_all(const char *sources)
{
    static struct config_system system;
    struct config *config;

    sources_open(sources);
    config = (struct config *)(uintptr_t)sources_green()->config;
    system = (struct config_system){.name = "ehr", .asserts = config->asserts};
    config->systems = config->local_system = &system;
    config->systems_n = 1;
    restricted =
        kit_add(sources_green(), "Isabella", "R", "<ClinicalDocument>r</ClinicalDocument>");
    const size_t n = strlen(restricted.unique_id);
    memcpy(absent, restricted.unique_id, n + 1);
    absent[n - 1] = absent[n - 1] == '7' ? '8' : '7';
    kit_set_policy(sources_green(), RULES);
}

static void
set_rules(const char *rules)
{
    kit_restore_policy(sources_green());
    kit_set_policy(sources_green(), rules);
}

static void
close_all(void)
{
    kit_restore_policy(sources_green());
    sources_close();
}

static void
send(enum asker asker, const struct document_ref *ref)
{
    struct document_ref one = *ref;
    const struct document_ref_list refs = {&one, 1, 1};
    struct local_request request = {
        .transaction = asker == BY_SYSTEM_43 ? SOAP_ITI_43 : SOAP_ITI_39, .to = sources_green()};
    struct diag diag = {0};
    struct buf payload;

    if (asker == BY_PARTNER) {
        kit_send_retrieve(&sources_scene, &refs, &sources_reply);
        return;
    }
    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, retrieve_query_write(&refs, sources_arena, &payload, &diag));
    request.payload = buf_span(&payload);
    local_send(&sources_scene, &request, &sources_reply);
    buf_done(&payload);
}

/* The hospital's registry says what it has under that name; its repository is never asked. */
static void
answer_hospital(size_t before, const char *unique_id)
{
    static const struct given has[] = {{OF_HOSPITAL, HOSPITAL, OWN_ID, "R", NULL}};

    if (sources_count("hospital") > before) {
        sources_answer("hospital", has, strcmp(unique_id, OF_HOSPITAL) == 0 ? 1 : 0);
        CU_ASSERT_EQUAL(sources_count("hospital"), before + 1);
    }
}

static void
append(struct told *told, struct span text, const char *unique_id)
{
    const size_t at = span_find(text, span_of_cstr(unique_id));
    const struct span head = span_slice(text, 0, at == SPAN_MISSING ? text.n : at);
    const struct span tail =
        at == SPAN_MISSING ? SPAN_EMPTY : span_slice(text, at + strlen(unique_id), text.n);

    told->n += (size_t)snprintf(told->text + told->n, sizeof(told->text) - told->n, "%.*s%s%.*s | ",
                                SPAN_PRINT(head), at == SPAN_MISSING ? "" : "ID", SPAN_PRINT(tail));
    CU_ASSERT_FATAL(told->n < sizeof(told->text));
}

static void
ask(enum asker asker, const char *home, const char *repository, const char *unique_id,
    struct told *told)
{
    const size_t before = sources_count("hospital"), questions = sources_scene.questions_n;
    const struct document_ref ref = {
        .home = home == NULL ? SPAN_EMPTY : span_of_cstr(home),
        .repository =
            span_of_cstr(*repository == '\0' ? sources_green()->config->repository : repository),
        .unique_id = span_of_cstr(unique_id)};
    struct retrieve_answer got;

    *told = (struct told){0};
    send(asker, &ref);
    answer_hospital(before, unique_id);
    scene_deliver_all(&sources_scene, NULL);
    CU_ASSERT_FATAL(sources_reply.is_here);
    kit_read_retrieve_answer(&sources_reply, sources_arena, &got);
    CU_ASSERT_EQUAL(got.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL(got.documents.n, 0);
    for (size_t i = 0; i < got.errors.n; i++) {
        append(told, got.errors.items[i].code, unique_id);
        append(told, got.errors.items[i].context, unique_id);
        append(told, got.errors.items[i].location, unique_id);
    }
    retrieve_answer_done(&got);
    told->bytes = sources_reply.n;
    told->questions = sources_scene.questions_n - questions;
}

struct guess {
    const char *what, *home, *repository;
    const char *codes[ASKERS];
};

/* Both are asked for; false when anything differs, or the code is another one. */
static bool
is_alike(enum asker asker, const struct guess *guess, const char *hidden, const char *nothing)
{
    struct told of_hidden, of_nothing;

    ask(asker, guess->home, guess->repository, hidden, &of_hidden);
    ask(asker, guess->home, guess->repository, nothing, &of_nothing);
    if (strcmp(of_hidden.text, of_nothing.text) == 0 && of_hidden.bytes == of_nothing.bytes &&
        of_hidden.questions == of_nothing.questions &&
        strncmp(of_hidden.text, guess->codes[asker], strlen(guess->codes[asker])) == 0) {
        return true;
    }
    printf("\n      %s, %d: wanted %s\n      withheld: %s%zu bytes\n      absent:   %s%zu bytes",
           guess->what, (int)asker, guess->codes[asker], of_hidden.text, of_hidden.bytes,
           of_nothing.text, of_nothing.bytes);
    return false;
}

#define ALL(code)                                                                                  \
    {                                                                                              \
        code, code, code                                                                           \
    }
#define NO_DOCUMENT   "XDSDocumentUniqueIdError |"
#define NO_REPOSITORY "XDSUnknownRepositoryId |"
#define NO_COMMUNITY  "XDSUnknownCommunity |"
#define NO_HOME_GIVEN "XDSMissingHomeCommunityId |"

static void
check_all(const struct guess *guesses, size_t n, const char *hidden, const char *nothing)
{
    for (size_t i = 0; i < n; i++) {
        for (int asker = 0; asker < ASKERS; asker++) {
            if (!is_alike((enum asker)asker, &guesses[i], hidden, nothing)) {
                CU_FAIL("something is told");
            }
        }
    }
}

/* The store alone. */
static void
test_a_guess_in_the_store(void)
{
    static const struct guess guesses[] = {
        {"its place", GREEN, OWN_REPOSITORY, ALL(NO_DOCUMENT)},
        {"another repository", GREEN, HOSPITAL, ALL(NO_REPOSITORY)},
        {"nobody's repository", GREEN, NOBODYS_REPOSITORY, ALL(NO_REPOSITORY)},
        {"a partner's home",
         "urn:oid:2.999.3",
         OWN_REPOSITORY,
         {NO_COMMUNITY, NO_REPOSITORY, NO_REPOSITORY}},
        {"nobody's home", NOBODYS_HOME, OWN_REPOSITORY, ALL(NO_COMMUNITY)},
        {"no home", NULL, OWN_REPOSITORY, {NO_HOME_GIVEN, NO_HOME_GIVEN, NO_DOCUMENT}},
    };

    open_all("sources:\n" OWN_SOURCE);
    check_all(guesses, ARRAY_LEN(guesses), restricted.unique_id, absent);
    CU_ASSERT_EQUAL(sources_count("hospital"), 0);
    close_all();
}

/* The store beside other sources: their repositories and homes are tried, too. */
static void
test_a_guess_in_the_store_beside_sources(void)
{
    static const struct guess guesses[] = {
        {"its place", GREEN, OWN_REPOSITORY, ALL(NO_DOCUMENT)},
        {"a source's repository", GREEN, HOSPITAL, ALL(NO_DOCUMENT)},
        {"a source of another home", GREEN, CLINIC, ALL(NO_REPOSITORY)},
        {"nobody's repository", GREEN, NOBODYS_REPOSITORY, ALL(NO_REPOSITORY)},
        {"the home of another source", CLINIC_HOME, OWN_REPOSITORY, ALL(NO_REPOSITORY)},
        {"nobody's home", NOBODYS_HOME, OWN_REPOSITORY, ALL(NO_COMMUNITY)},
        {"no home", NULL, OWN_REPOSITORY, {NO_HOME_GIVEN, NO_HOME_GIVEN, NO_DOCUMENT}},
    };

    open_all("sources:\n" OWN_SOURCE HOSPITAL_SOURCE CLINIC_SOURCE);
    check_all(guesses, ARRAY_LEN(guesses), restricted.unique_id, absent);
    close_all();
}

/* What a registry of ours has and green withholds. */
static void
test_a_guess_at_a_source(void)
{
    static const struct guess guesses[] = {
        {"its place", GREEN, HOSPITAL, ALL(NO_DOCUMENT)},
        {"the store's repository", GREEN, OWN_REPOSITORY, ALL(NO_DOCUMENT)},
        {"a source of another home", GREEN, CLINIC, ALL(NO_REPOSITORY)},
        {"the home of another source", CLINIC_HOME, HOSPITAL, ALL(NO_REPOSITORY)},
        {"a partner's home",
         "urn:oid:2.999.3",
         HOSPITAL,
         {NO_COMMUNITY, NO_REPOSITORY, NO_REPOSITORY}},
        {"nobody's home", NOBODYS_HOME, HOSPITAL, ALL(NO_COMMUNITY)},
        {"no home", NULL, HOSPITAL, {NO_HOME_GIVEN, NO_HOME_GIVEN, NO_DOCUMENT}},
    };

    open_all("sources:\n" OWN_SOURCE HOSPITAL_SOURCE CLINIC_SOURCE);
    check_all(guesses, ARRAY_LEN(guesses), OF_HOSPITAL, NOT_AT_HOSPITAL);
    close_all();
}

/* What is guessed at above is there: nothing but the rules keeps it. */
static void
test_what_is_guessed_at_is_there(void)
{
    static const struct given has[] = {{OF_HOSPITAL, HOSPITAL, OWN_ID, "R", NULL}};

    open_all("sources:\n" OWN_SOURCE HOSPITAL_SOURCE);
    set_rules(OPEN_RULES);
    const struct document_ref refs[] = {{SPAN(GREEN),
                                         span_of_cstr(sources_green()->config->repository),
                                         span_of_cstr(restricted.unique_id)},
                                        {SPAN(GREEN), SPAN(HOSPITAL), SPAN(OF_HOSPITAL)}};

    for (int asker = 0; asker < ASKERS; asker++) {
        for (size_t i = 0; i < ARRAY_LEN(refs); i++) {
            struct retrieve_answer got;

            send((enum asker)asker, &refs[i]);
            if (i == 1) {
                sources_answer("hospital", has, 1);
                sources_give("hospital", OF_HOSPITAL, HOSPITAL, "<a>restricted</a>");
            }
            CU_ASSERT_FATAL(sources_reply.is_here);
            kit_read_retrieve_answer(&sources_reply, sources_arena, &got);
            CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
            CU_ASSERT_EQUAL(got.documents.n, 1);
            retrieve_answer_done(&got);
        }
    }
    close_all();
}

static const struct unit_test tests[] = {
    {"what is guessed at is there", test_what_is_guessed_at_is_there},
    {"a guess in the store", test_a_guess_in_the_store},
    {"a guess in the store beside sources", test_a_guess_in_the_store_beside_sources},
    {"a guess at a source", test_a_guess_at_a_source},
};

UNIT_MAIN("guess", tests)
