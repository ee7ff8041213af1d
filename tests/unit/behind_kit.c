/*
 * What the scenario tests of gateways behind us share: see the header.
 */
#include "behind_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scene behind_scene;
struct arena *behind_arena;
struct scene_reply behind_reply;
struct scene_stored behind_isabella[4];

#define NO_SOURCES "sources: []\n"
#define RELOADS    16

static const struct config *replaced[RELOADS];
static size_t replaced_n;
static size_t delivered; /* questions */

struct place *
behind_place(const char *node)
{
    return scene_place(&behind_scene, node);
}

/* ---- files ---- */

static void
read_text(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    (void)fclose(file);
}

static void
change_file(const char *path, const char *before, const char *now)
{
    char text[32768], *at;
    FILE *file;

    read_text(path, text, sizeof(text));
    at = strstr(text, before);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    (void)fprintf(file, "%.*s%s%s", (int)(at - text), text, now, at + strlen(before));
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void
partner_file(const char *node, const char *partner, char *path, size_t size)
{
    const char *config = behind_place(node)->config->path;
    const char *slash = strrchr(config, '/');

    CU_ASSERT_PTR_NOT_NULL_FATAL(slash);
    snprintf(path, size, "%.*s/partners.d/%s.yaml", (int)(slash - config), config, partner);
}

void
behind_write_sources(const char *node, const char *before, const char *sources)
{
    change_file(behind_place(node)->config->path, before == NULL ? NO_SOURCES : before, sources);
}

void
behind_remove_partner(const char *node, const char *partner)
{
    char path[512];

    partner_file(node, partner, path, sizeof(path));
    CU_ASSERT_EQUAL_FATAL(unlink(path), 0);
}

void
behind_change_partner(const char *node, const char *partner, const char *before, const char *now)
{
    char path[512];

    partner_file(node, partner, path, sizeof(path));
    change_file(path, before, now);
}

void
behind_add_partner(const char *node, const char *partner)
{
    const char *config = behind_place(node)->config->path;
    const char *slash = strrchr(config, '/');
    char command[1100];

    CU_ASSERT_PTR_NOT_NULL_FATAL(slash);
    snprintf(command, sizeof(command), "cp %.*s/../%s/card/* %.*s/partners.d/",
             (int)(slash - config), config, partner, (int)(slash - config), config);
    CU_ASSERT_EQUAL_FATAL(system(command), 0);
}

void
behind_reload(const char *node)
{
    struct place *place = behind_place(node);
    const struct config *config = NULL;
    struct yaml_report report;
    struct diag diag = {0};

    yaml_report_init(&report);
    if (!CHECK_OK(&diag,
                  config_load(place->config->path, clock_system(), &report, &diag, &config))) {
        printf("\n%.*s", SPAN_PRINT(buf_span(&report.text)));
    }
    yaml_report_done(&report);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    CU_ASSERT_FATAL(replaced_n < RELOADS);
    replaced[replaced_n++] = place->config;
    place->config = place->node.config = config;
}

/* ---- the network ---- */

static void
add_isabella(void)
{
    static const char *const nodes[] = {"red", "green", "blue", "gold"};

    for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
        char bytes[64];

        snprintf(bytes, sizeof(bytes), "<ClinicalDocument>%s</ClinicalDocument>", nodes[i]);
        behind_isabella[i] = kit_add(behind_place(nodes[i]), "Isabella", "N", bytes);
    }
}

/* A participant knows its QHIN; whom that speaks for is not its partner. */
static void
know_qhin_only(const char *node, const char *other)
{
    behind_remove_partner(node, other);
    behind_remove_partner(node, "red");
    behind_reload(node);
}

void
behind_open(const char *sources)
{
    static const char *const nodes[] = {"red", "green", "blue", "gold"};

    behind_arena = arena_new(ARENA_LIMIT_DEFAULT);
    CU_ASSERT_PTR_NOT_NULL_FATAL(behind_arena);
    scene_open(&behind_scene, nodes, ARRAY_LEN(nodes));
    delivered = 0;
    add_isabella();
    behind_remove_partner("green", "blue");
    behind_remove_partner("green", "gold");
    behind_write_sources("green", NULL, sources);
    behind_reload("green");
    know_qhin_only("blue", "gold");
    know_qhin_only("gold", "blue");
    behind_remove_partner("red", "blue");
    behind_remove_partner("red", "gold");
    behind_change_partner("red", "green", "communities: [2.999.2]",
                          "communities: [2.999.2, 2.999.3, 2.999.4]");
    behind_reload("red");
}

void
behind_close(void)
{
    arena_free(behind_arena);
    scene_close(&behind_scene);
    while (replaced_n > 0) {
        config_unref(replaced[--replaced_n]);
    }
}

/* ---- questions and answers ---- */

void
behind_deliver(const char *silent)
{
    for (; delivered < behind_scene.questions_n; delivered++) {
        const struct scene_question *question = &behind_scene.questions[delivered];

        if (!question->is_answered && (silent == NULL || strcmp(question->to->id, silent) != 0)) {
            scene_deliver(&behind_scene, delivered);
        }
    }
}

struct asking *
behind_discover(const char *silent)
{
    const struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    static struct asking *asking; /* set when it ends */

    asking = NULL;
    scene_ask(behind_place("red"), &order, &asking);
    behind_deliver(silent);
    if (silent != NULL) {
        CU_ASSERT_PTR_NULL(asking);
        scene_fail(&behind_scene, kit_question_to(&behind_scene, silent), ERR_PARTNER_TIMEOUT);
        behind_deliver(NULL);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    return asking;
}

const struct leg *
behind_leg(const struct asking *asking)
{
    const struct leg *leg = kit_leg_of(asking, 0, "green");

    CU_ASSERT_PTR_NOT_NULL_FATAL(leg);
    return leg;
}

const struct xcpd_match *
behind_match(const struct asking *asking, const char *community)
{
    const struct leg *leg = behind_leg(asking);
    const struct xcpd_match *found = NULL;

    for (size_t i = 0; i < leg->matches.n; i++) {
        if (span_eq_cstr(leg->matches.items[i].home, community)) {
            CU_ASSERT_PTR_NULL(found); /* at most one */
            found = &leg->matches.items[i];
        }
    }
    return found;
}

struct query_answer
behind_find(const char *patient_id, const char *home)
{
    struct span patient[1] = {span_of_cstr(patient_id)};
    struct span status[1] = {SPAN(DOCUMENT_APPROVED)};
    struct query_param params[2] = {
        {.name = SPAN("$XDSDocumentEntryPatientId"), .values = {patient, 1, 1}},
        {.name = SPAN("$XDSDocumentEntryStatus"), .values = {status, 1, 1}, .is_multiple = true},
    };
    const struct stored_query query = {
        .id = SPAN(XCA_FIND_DOCUMENTS),
        .home = home == NULL ? SPAN_EMPTY : span_of_cstr(home),
        .wants_leaf_class = true,
        .params = {params, 2, 2},
    };
    struct query_answer got;

    kit_send_query(&behind_scene, &query, &behind_reply);
    behind_deliver(NULL);
    CU_ASSERT_FATAL(behind_reply.is_here);
    kit_read_query_answer(&behind_reply, behind_arena, &got);
    return got;
}

size_t
behind_count(const char *source)
{
    size_t n = 0;

    for (size_t i = 0; i < behind_scene.questions_n; i++) {
        n += strcmp(behind_scene.questions[i].to->id, source) == 0 ? 1 : 0;
    }
    return n;
}

bool
behind_question_has(size_t question, const char *text)
{
    CU_ASSERT_FATAL(question < behind_scene.questions_n);
    return span_find(buf_span(&behind_scene.questions[question].body), span_of_cstr(text)) !=
           SPAN_MISSING;
}
