/* See dialect_kit.h. */
#include "dialect_kit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/datetime.h"
#include "dialect_front.h"
#include "soap/envelope.h"

#define HAS(trait)     ((traits & TRAIT(trait)) != 0)
#define CONFIGS_MAX    256
#define DISCOVERY_US   (45 * US_PER_S)
#define RETRIEVE_US    (100 * US_PER_S)
#define ROUNDS_MAX     64 /* of the loop that delivers */
#define ASKER          "urn:oid:2.999.1.77"
#define FILE_BYTES_MAX ((size_t)64 * 1024)

static const struct config
    *loaded[CONFIGS_MAX]; /* replaced ones: strings of theirs may be in use */
static size_t loaded_n;
static struct front_names names;
static struct scene_stored stored[DIALECT_DOCUMENTS];
static struct scene_reply reply; /* large */
static const struct dialect_wire *wire;
static bool is_strict;     /* while dialect_use_strictly is at work */
static char wire_why[512]; /* of the last question that got no answer */

const char *
dialect_step_name(enum dialect_step step)
{
    static const char *const step_names[] = {[STEP_NONE] = "none",
                                             [STEP_DISCOVER] = "discovery",
                                             [STEP_NOBODY] = "discovery of nobody",
                                             [STEP_QUERY] = "query",
                                             [STEP_RETRIEVE] = "retrieve"};

    return step_names[step];
}

static void
document_bytes(size_t i, char ret_text[64])
{
    snprintf(ret_text, 64, "<ClinicalDocument>%zu</ClinicalDocument>", i);
}

/* What a real partner of any kind might accept. */
static void
accept_everything(struct scene *scene)
{
    const struct config *config = scene_place(scene, "green")->config;
    struct partner *red = (struct partner *)config_partner_of_community(config, SPAN("2.999.1"));

    red->may_use_bearer = true;
    red->sha1_until_us = INT64_MAX;
}

/* ---- files ---- */

static void
read_file(const char *path, char *ret_text, size_t size)
{
    FILE *file = fopen(path, "r");
    size_t n;

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    n = fread(ret_text, 1, size - 1, file);
    ret_text[n] = '\0';
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT(fputs(text, file) >= 0);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void
path_of_partner(const struct place *place, const char *partner, char *ret_path, size_t size)
{
    const char *slash = strrchr(place->config->path, '/');

    snprintf(ret_path, size, "%.*s/partners.d/%s.yaml", (int)(slash - place->config->path),
             place->config->path, partner);
}

static void
reload(struct scene *scene, struct place *place)
{
    const struct config *config = NULL;
    struct yaml_report report;
    struct diag diag = {0};

    yaml_report_init(&report);
    if (!CHECK_OK(&diag,
                  config_load(place->config->path, &scene->clock.clock, &report, &diag, &config))) {
        fprintf(stderr, "%.*s", SPAN_PRINT(buf_span(&report.text)));
    }
    yaml_report_done(&report);
    CU_ASSERT_FATAL(config != NULL && loaded_n < CONFIGS_MAX);
    loaded[loaded_n++] = place->config;
    place->config = config;
    place->node.config = config;
}

void
dialect_set_wire(const struct dialect_wire *use)
{
    wire = use;
}

/* The file's one line of TLS. */
static void
replace_tls(char *text, size_t size, const char *tls)
{
    char *line = strstr(text, "\ntls: ");
    char changed[8192];

    CU_ASSERT_PTR_NOT_NULL_FATAL(line);
    snprintf(changed, sizeof(changed), "%.*s\ntls: {%s}%s", (int)(line - text), text, tls,
             strchr(line + 1, '\n'));
    CU_ASSERT_FATAL(strlen(changed) < size);
    memcpy(text, changed, strlen(changed) + 1);
}

void
dialect_use(struct scene *scene, const char *node, const char *partner, const char *profiles)
{
    dialect_use_tls(scene, node, partner, NULL, profiles);
}

void
dialect_use_strictly(struct scene *scene, const char *node, const char *partner,
                     const char *profiles)
{
    is_strict = true;
    dialect_use(scene, node, partner, profiles);
    is_strict = false;
}

void
dialect_use_tls(struct scene *scene, const char *node, const char *partner, const char *tls,
                const char *profiles)
{
    struct place *place = scene_place(scene, node);
    const char *day_at = strstr(profiles, "DAY");
    char path[512], text[8192], more[1024], day[DATETIME_MAX];
    char *before;

    path_of_partner(place, partner, path, sizeof(path));
    read_file(path, text, sizeof(text));
    before = strstr(text, "\nprofiles: ");
    if (before != NULL) {
        before[1] = '\0';
    }
    if (tls != NULL) {
        replace_tls(text, sizeof(text), tls);
    }
    datetime_write_xs(clock_wall_us(&scene->clock.clock) + 10 * INT64_C(86400) * US_PER_S, day);
    if (profiles[0] != '\0') {
        snprintf(more, sizeof(more), "profiles: [%.*s%.*s%s]\n",
                 day_at == NULL ? (int)strlen(profiles) : (int)(day_at - profiles), profiles,
                 day_at == NULL ? 0 : 10, day, day_at == NULL ? "" : day_at + 3);
        CU_ASSERT_FATAL(strlen(text) + strlen(more) < sizeof(text));
        memcpy(text + strlen(text), more, strlen(more) + 1);
    }
    write_file(path, text);
    reload(scene, place);
    if (strcmp(node, "red") == 0) {
        ((struct config *)place->config)->asserts.organization_id = ASKER;
    } else if (!is_strict) {
        accept_everything(scene);
    }
}

/* green knows the organization that red asks for, too. */
static void
list_asker(struct scene *scene)
{
    char path[512], text[8192];
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct span changed;

    path_of_partner(scene_place(scene, "green"), "red", path, sizeof(path));
    read_file(path, text, sizeof(text));
    changed = front_replace(span_of_cstr(text), "communities: [2.999.1]",
                            "communities: [2.999.1, 2.999.1.77]", arena);
    CU_ASSERT(changed.n > strlen(text));
    snprintf(text, sizeof(text), "%.*s", SPAN_PRINT(changed));
    write_file(path, text);
    arena_free(arena);
}

void
dialect_open(struct scene *scene)
{
    static const char *const two[] = {"red", "green"};

    scene_open(scene, two, 2);
    loaded_n = 0;
    for (size_t i = 0; i < DIALECT_DOCUMENTS; i++) {
        char text[64];

        document_bytes(i, text);
        stored[i] = kit_add(scene_place(scene, "green"), "Isabella", "N", text);
        names.unique_ids[i] = stored[i].unique_id;
    }
    list_asker(scene);
    dialect_use(scene, "green", "red", "");
}

void
dialect_close(struct scene *scene)
{
    scene_close(scene);
    while (loaded_n > 0) {
        config_unref(loaded[--loaded_n]);
    }
}

/* ---- the front at work ---- */

static enum soap_transaction
transaction_of(const struct scene_question *question)
{
    static const enum soap_transaction all[] = {SOAP_ITI_55, SOAP_ITI_38, SOAP_ITI_39};

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (span_ends_with(span_of_cstr(question->url),
                           span_of_cstr(soap_transaction(all[i])->path))) {
            return all[i];
        }
    }
    CU_FAIL_FATAL("a question of another transaction");
    return SOAP_TRANSACTION_COUNT;
}

/* Is it the first of its kind since scene_forget? */
static bool
is_first(const struct scene *scene, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (strcmp(scene->questions[k].url, scene->questions[i].url) == 0) {
            return false;
        }
    }
    return true;
}

/* Something that is no answer, for the first question of each kind; false: it is answered. */
static bool
fail_first(struct scene *scene, size_t i, uint64_t traits)
{
    if (!is_first(scene, i)) {
        return false;
    }
    if (HAS(FAILS_FIRST)) {
        scene_fail(scene, i, ERR_PARTNER_UNREACHABLE);
    } else if (HAS(EMPTY_FIRST)) {
        scene_answer(scene, i, 200, "", SPAN_EMPTY);
    } else if (HAS(BUSY_FIRST)) {
        scene_answer(scene, i, 503, "text/html", SPAN("<html>later</html>"));
    }
    return scene->questions[i].is_answered;
}

/* The partner takes its time; false: nobody waited so long. */
static bool
take_time(struct scene *scene, size_t i, uint64_t traits, enum soap_transaction transaction)
{
    const int64_t time_us = !HAS(SLOW)                   ? 0
                            : transaction == SOAP_ITI_39 ? RETRIEVE_US
                                                         : DISCOVERY_US;
    const int64_t waits_us = scene->questions[i].timeout_us;

    fake_clock_advance(&scene->clock, time_us < waits_us ? time_us : waits_us);
    if (time_us <= waits_us) {
        return true;
    }
    scene_fail(scene, i, ERR_PARTNER_TIMEOUT);
    return false;
}

static void
answer(struct scene *scene, size_t i, uint64_t traits, enum soap_transaction transaction,
       struct arena *arena)
{
    const struct scene_question *question = &scene->questions[i];
    struct place *green = scene_place(scene, "green");
    const struct span asked = front_translate(traits, &names, buf_span(&question->body), arena);
    struct span bytes;
    char content_type[512];
    enum err error = ERR_NONE;

    scene_send(scene, green, question->from->config->node->leaf,
               soap_transaction(transaction)->path, question->content_type, asked, &reply);
    CU_ASSERT_FATAL(reply.is_here);
    if (!take_time(scene, i, traits, transaction)) {
        return;
    }
    bytes = span_of(reply.text, reply.n);
    if (reply.http_status != 200) { /* green is not what is emulated: the test wants to know */
        fprintf(stderr, "green answers HTTP %d: %s\n", reply.http_status,
                scene_event(green, 0)->reason);
    }
    snprintf(content_type, sizeof(content_type), "%s", reply.content_type);
    if (HAS(EMPTY_NOBODY) && transaction == SOAP_ITI_55 &&
        span_find(bytes, SPAN("code=\"NF\"")) != SPAN_MISSING) {
        scene_answer(scene, i, 200, "", SPAN_EMPTY);
        return;
    }
    if (reply.http_status == 200) {
        bytes = front_pack(traits, &names, transaction, bytes, arena, content_type);
    }
    if (wire != NULL && !wire->carry(wire->arg, question, reply.http_status, content_type, bytes,
                                     &error, wire_why)) {
        scene_fail(scene, i, error);
        return;
    }
    scene_answer(scene, i, reply.http_status, content_type, bytes);
}

static void
deliver(struct scene *scene, size_t i, uint64_t traits)
{
    const struct scene_question *question = &scene->questions[i];
    const enum soap_transaction transaction = transaction_of(question);
    const struct span bytes = buf_span(&question->body);
    const struct span content_type = span_of_cstr(question->content_type);
    const bool is_fault = HAS(BEARER) || HAS(SHA1) || HAS(SHA512) || HAS(ATTRIBUTES_2010);
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const char *why;

    CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
    if (fail_first(scene, i, traits)) {
        arena_free(arena);
        return;
    }
    if (HAS(NO_MTOM) && span_starts_with(content_type, SPAN("multipart/"))) {
        scene_answer(scene, i, 415, "text/plain", SPAN("Unsupported Media Type"));
        arena_free(arena);
        return;
    }
    why = front_judge(traits, transaction, content_type, bytes, arena);
    if (why != NULL) {
        const struct span refusal =
            front_refuse(transaction, why, is_fault, bytes, content_type, arena);

        scene_answer(scene, i, is_fault ? 500 : 200, SOAP_CONTENT_TYPE, refusal);
    } else {
        answer(scene, i, traits, transaction, arena);
    }
    arena_free(arena);
}

static void
deliver_all(struct scene *scene, uint64_t traits)
{
    bool is_progress = true;

    for (size_t round = 0; is_progress && round < ROUNDS_MAX; round++) {
        is_progress = false;
        for (size_t i = 0; i < scene->questions_n; i++) {
            if (!scene->questions[i].is_answered) {
                deliver(scene, i, traits);
                is_progress = true;
            }
        }
    }
    CU_ASSERT_FALSE(is_progress);
}

/* ---- steps ---- */

static void
note(struct dialect_outcome *outcome, enum dialect_step step, const struct leg *leg)
{
    if (outcome->failed != STEP_NONE) {
        return;
    }
    outcome->failed = step;
    snprintf(outcome->why, sizeof(outcome->why), "%s: %s; %.*s%s",
             leg == NULL ? "not asked" : err_name(leg->diag.code),
             leg == NULL ? "" : leg->diag.text, leg == NULL ? 0 : (int)leg->said.n,
             leg == NULL ? "" : leg->said.p, wire == NULL ? "" : wire_why);
}

static struct asking *
ask(struct scene *scene, uint64_t traits, const char *family, enum asking_goal goal)
{
    struct asking_order order = scene_order(goal, family, "Isabella", "19470501", "F");
    struct asking *asking = NULL;

    order.timeout_us = 1000 * US_PER_S;
    scene_ask(scene_place(scene, "red"), &order, &asking);
    deliver_all(scene, traits);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    return asking;
}

static bool
has_document(const struct asking *asking, size_t i)
{
    char want[64], got[128];
    struct diag diag = {0};
    size_t n = 0;

    document_bytes(i, want);
    for (size_t d = 0; d < asking->documents.n; d++) {
        const struct asking_document *document = &asking->documents.items[d];

        CHECK_OK(&diag, body_read(&document->body, 0, got, sizeof(got), &diag, &n));
        if (span_eq_cstr(span_of(got, n), want)) {
            return true;
        }
    }
    return false;
}

static const struct leg *
failed_leg(const struct asking *asking, int round)
{
    for (size_t i = 0; i < asking->legs[round].n; i++) {
        const struct leg *leg = &asking->legs[round].items[i];

        if (leg->partner != NULL && leg->diag.code != ERR_NONE) {
            return leg;
        }
    }
    return NULL;
}

static void
judge_gather(const struct asking *asking, struct dialect_outcome *outcome)
{
    const struct leg *found = kit_leg_of(asking, 0, "green");
    const struct leg *queried = kit_leg_of(asking, 1, "green");

    if (found == NULL || found->state != LEG_ANSWERED || found->matches.n != 1) {
        note(outcome, STEP_DISCOVER, found);
        return;
    }
    if (queried == NULL || queried->state != LEG_ANSWERED ||
        queried->objects.documents.n != DIALECT_DOCUMENTS) {
        note(outcome, STEP_QUERY, queried);
        return;
    }
    for (size_t i = 0; i < DIALECT_DOCUMENTS; i++) {
        if (!has_document(asking, i)) {
            note(outcome, STEP_RETRIEVE, failed_leg(asking, 2));
            return;
        }
    }
}

void
dialect_run(struct scene *scene, uint64_t traits, struct dialect_outcome *ret_outcome)
{
    struct asking *asking;
    const struct leg *leg;

    *ret_outcome = (struct dialect_outcome){.failed = STEP_NONE};
    asking = ask(scene, traits, "Jones", ASKING_GATHER);
    judge_gather(asking, ret_outcome);
    asking_free(asking);
    ret_outcome->questions = scene->questions_n;
    scene_forget(scene);
    asking = ask(scene, traits, "Nobody", ASKING_DISCOVER);
    leg = kit_leg_of(asking, 0, "green");
    if (leg == NULL || leg->state != LEG_ANSWERED || leg->matches.n != 0) {
        note(ret_outcome, STEP_NOBODY, leg);
    }
    asking_free(asking);
    scene_forget(scene);
}
