/*
 * The FHIR feed against a repository that does as a script says: everything arrives, in order,
 * once, or again with the same bytes where an answer was lost; what is refused holds up nothing;
 * nothing is told to a server that does not prove who it is.
 */
#include "audit/ship_fhir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/arr_kit.h"
#include "tests/unit/ship_kit.h"

#define OUTCOME                                                                                    \
    "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"error\",\"code\":"          \
    "\"required\"}]}"

/* ---- what a test has ---- */

struct world {
    char dir[PATH_MAX];
    struct journal *journal; /* chain "serve" */
    struct arr arr;
    char url[64];
    struct ship_fhir_options feed;
    struct ship_options options;
    struct ship *ship;
};

static void
begin(struct world *world, const char *name)
{
    const struct fixture_pki *pki = fixture_pki();
    memset(world, 0, sizeof(*world));
    kit_disk_reset();
    (void)snprintf(world->dir, sizeof(world->dir), "%s", kit_folder(name));
    world->journal = kit_open(world->dir, KIT_SIZES);
    world->options = kit_ship_options(world->dir, world->journal);
    world->feed = (struct ship_fhir_options){.url = world->url,
                                             .certificate_name = "127.0.0.1",
                                             .credential = pki->client,
                                             .trust = pki->trust,
                                             .source = {"Red HIE", "2.999.1"}};
}

static void
listen_as(struct world *world, const struct credential *credential)
{
    CU_ASSERT_FATAL(arr_start(&world->arr, credential, 0));
    (void)snprintf(world->url, sizeof(world->url), "https://127.0.0.1:%u/fhir/", world->arr.port);
}

static void
follow(struct world *world, const struct arr_step *script, size_t n)
{
    world->arr.script = script;
    world->arr.script_n = n;
    listen_as(world, fixture_pki()->server);
}

static void
append(struct world *world, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        struct diag diag = {0};
        CHECK_OK(&diag, kit_append_wait(world->journal, i, 0, &diag));
    }
}

static void
ship(struct world *world)
{
    struct diag diag = {0};
    struct ship_sender *sender = NULL;
    CHECK_OK(&diag, ship_fhir_new(&world->feed, &diag, &sender));
    CU_ASSERT_PTR_NOT_NULL_FATAL(sender);
    world->ship = kit_ship(&world->options, sender);
}

static struct ship_state
state_of(const struct world *world)
{
    struct ship_state state;
    ship_read_state(world->ship, &state);
    return state;
}

/* Everything was answered, for good or ill. */
static bool
wait_for_rest(const struct world *world, uint64_t delivered)
{
    unsigned looks = 0;
    while (state_of(world).waiting > 0 || state_of(world).delivered < delivered) {
        if (!unit_wait(&looks)) {
            return false;
        }
    }
    return true;
}

static bool
wait_for_failures(const struct world *world, uint64_t n)
{
    unsigned looks = 0;
    while (state_of(world).failures < n) {
        if (!unit_wait(&looks)) {
            return false;
        }
    }
    return true;
}

static void
end(struct world *world)
{
    if (world->ship != NULL) {
        kit_ship_cut(world->ship);
    }
    arr_stop(&world->arr);
    arr_done(&world->arr);
    journal_close(world->journal);
}

/* ---- every way in which a repository answers ---- */

#define SAYS(status)                                                                               \
    {                                                                                              \
        ARR_SAYS, status, NULL, NULL, NULL                                                         \
    }

struct manner {
    const char *name;
    struct arr_step script[3];
    size_t script_n;
    size_t records;
    bool has_no_batch;
    size_t requests, refused, copies; /* what must come of it */
    const char *order;                /* NULL: 1 to <records> */
};

static const struct manner manners[] = {
    {"takes", {{0}}, 0, 5, false, 1, 0, 0, NULL},
    {"fails once", {SAYS(500)}, 1, 5, false, 2, 0, 0, NULL},
    {"fails three times", {SAYS(503), SAYS(502), SAYS(401)}, 3, 5, false, 4, 0, 0, NULL},
    {"asks for a pause",
     {{ARR_SAYS, 429, NULL, "Retry-After: 1\r\n", NULL}},
     1,
     5,
     false,
     2,
     0,
     0,
     NULL},
    {"redirects",
     {{ARR_SAYS, 301, NULL, "Location: https://127.0.0.1/elsewhere\r\n", NULL}},
     1,
     5,
     false,
     2,
     0,
     0,
     NULL},
    {"breaks its answer off", {{.manner = ARR_CUTS}}, 1, 5, false, 2, 0, 5, NULL},
    {"gives no answer", {{.manner = ARR_DROPS}}, 1, 5, false, 2, 0, 5, NULL},
    {"takes some",
     {{.manner = ARR_MIXES, .statuses = "201 400 201 500 201"}},
     1,
     5,
     false,
     2,
     1,
     0,
     "serve/1 serve/3 serve/5 serve/4"},
    {"takes one after the other",
     {{.manner = ARR_MIXES, .statuses = "500 500 500 500 200"},
      {.manner = ARR_MIXES, .statuses = "500 429 500 201"},
      {.manner = ARR_MIXES, .statuses = "201 500 201"}},
     3,
     5,
     false,
     4,
     0,
     0,
     "serve/5 serve/4 serve/1 serve/3 serve/2"},
    {"refuses all",
     {{.manner = ARR_MIXES, .statuses = "400 422 409 413 412"}},
     1,
     5,
     false,
     1,
     5,
     0,
     ""},
    {"refuses the batch", {{ARR_SAYS, 400, NULL, NULL, OUTCOME}}, 1, 5, false, 6, 0, 0, NULL},
    {"refuses the batch, and one of it",
     {{ARR_SAYS, 422, NULL, NULL, OUTCOME},
      {.manner = ARR_TAKES},
      {ARR_SAYS, 400, NULL, NULL, OUTCOME}},
     3,
     5,
     false,
     6,
     1,
     0,
     "serve/1 serve/3 serve/4 serve/5"},
    {"knows no batches", {{0}}, 0, 5, true, 6, 0, 0, NULL},
    {"answers something else", {{ARR_SAYS, 200, NULL, NULL, "{}"}}, 1, 5, false, 6, 0, 0, NULL},
    {"answers too few",
     {{ARR_SAYS, 200, NULL, NULL,
       "{\"resourceType\":\"Bundle\",\"type\":\"batch-response\",\"entry\":[]}"}},
     1,
     5,
     false,
     6,
     0,
     0,
     NULL},
    {"one: fails", {SAYS(500), SAYS(404)}, 2, 1, false, 3, 0, 0, NULL},
    {"one: a proxy's 400", {{ARR_SAYS, 400, NULL, NULL, "<html/>"}}, 1, 1, false, 2, 0, 0, NULL},
    {"one: refused", {{ARR_SAYS, 400, NULL, NULL, OUTCOME}}, 1, 1, false, 1, 1, 0, ""},
    {"one: too large", {SAYS(413)}, 1, 1, false, 1, 1, 0, ""},
    {"one: no answer", {{.manner = ARR_DROPS}}, 1, 1, false, 2, 0, 1, NULL},
};

static void
list_order(size_t n, char text[256])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 1; i <= n; i++) {
        used += (size_t)snprintf(text + used, 256 - used, "%sserve/%zu", i == 1 ? "" : " ", i);
    }
}

static void
check_manner(const struct manner *manner)
{
    struct world world;
    char order[256];
    begin(&world, manner->name);
    world.arr.has_no_batch = manner->has_no_batch;
    follow(&world, manner->script, manner->script_n);
    append(&world, manner->records);
    ship(&world);
    bool is_well = wait_for_rest(&world, manner->records);
    list_order(manner->records, order);
    is_well = CHECK_SPAN(span_of_cstr(arr_order(&world.arr)),
                         manner->order == NULL ? order : manner->order) &&
              is_well;
    const size_t requests = atomic_load(&world.arr.requests);
    const size_t copies = atomic_load(&world.arr.copies);
    is_well = is_well && requests == manner->requests && copies == manner->copies &&
              atomic_load(&world.arr.differing) == 0 && state_of(&world).refused == manner->refused;
    if (!is_well) {
        printf("\n    '%s': %zu requests, %zu copies, %u refused", manner->name, requests, copies,
               (unsigned)state_of(&world).refused);
        CU_FAIL("something else came of it");
    }
    end(&world);
}

static void
test_manners(void)
{
    for (size_t i = 0; i < ARRAY_LEN(manners); i++) {
        check_manner(&manners[i]);
    }
}

/* A repository that takes the question and says nothing is left after the time for it. */
static void
test_silence(void)
{
    static const struct arr_step script[] = {{.manner = ARR_HANGS}};
    struct world world;
    begin(&world, "silence");
    world.options.limits.timeout_us = 5 * US_PER_S;
    follow(&world, script, 1);
    append(&world, 3);
    ship(&world);
    CU_ASSERT(wait_for_rest(&world, 3));
    CHECK_SPAN(span_of_cstr(arr_order(&world.arr)), "serve/1 serve/2 serve/3");
    CU_ASSERT_EQUAL(atomic_load(&world.arr.hanging), 1);
    CU_ASSERT(state_of(&world).failures >= 1);
    end(&world);
}

/* A stop does not wait for such a one. */
static void
test_stop_within(void)
{
    static const struct arr_step script[] = {{.manner = ARR_HANGS}};
    struct world world;
    begin(&world, "stop");
    world.options.limits.timeout_us = 24 * 3600 * US_PER_S;
    follow(&world, script, 1);
    append(&world, 3);
    ship(&world);
    CU_ASSERT(arr_wait_requests(&world.arr, 1));
    end(&world);
    CU_ASSERT_EQUAL(atomic_load(&world.arr.requests), 1);
}

/* While the pause lasts nothing is asked. */
static void
test_pause(void)
{
    static const struct arr_step script[] = {{ARR_SAYS, 503, NULL, "Retry-After: 3600\r\n", NULL}};
    struct world world;
    begin(&world, "pause");
    follow(&world, script, 1);
    append(&world, 3);
    ship(&world);
    CU_ASSERT(wait_for_failures(&world, 4));
    CU_ASSERT_PTR_NOT_NULL(strstr(state_of(&world).why, "PARTNER_BUSY"));
    CU_ASSERT_EQUAL(atomic_load(&world.arr.requests), 1);
    end(&world);
}

/* An answer without an end is not read to it. */
static void
test_flood(void)
{
    struct arr_step script[] = {{.manner = ARR_SAYS, .status = 200}};
    const size_t n = (size_t)5 * 1024 * 1024;
    char *flood = calloc(1, n + 1);
    struct world world;
    CU_ASSERT_PTR_NOT_NULL_FATAL(flood);
    memset(flood, ' ', n);
    script[0].body = flood;
    begin(&world, "flood");
    follow(&world, script, 1);
    append(&world, 2);
    ship(&world);
    CU_ASSERT(wait_for_rest(&world, 2));
    CHECK_SPAN(span_of_cstr(arr_order(&world.arr)), "serve/1 serve/2");
    CU_ASSERT_EQUAL(state_of(&world).failures, 1);
    end(&world);
    free(flood);
}

/* ---- who is told ---- */

static void
test_beliefs(void)
{
    const struct fixture_pki *pki = fixture_pki();
    const struct {
        const char *name;
        const struct credential *server, *client;
        const char *certificate_name;
        const char *why; /* NULL: it is believed */
    } cases[] = {
        {"another authority", pki->stranger, pki->client, "127.0.0.1", "PARTNER_TLS"},
        {"another name", pki->client, pki->client, "127.0.0.1", "PARTNER_TLS"},
        {"another name, by name", pki->server, pki->client, "other.example", "PARTNER_TLS"},
        {"another name, a part", pki->server, pki->client, "example", "PARTNER_TLS"},
        {"we are a stranger", pki->server, pki->stranger, "127.0.0.1", "PARTNER_"},
        {"its address", pki->server, pki->client, "127.0.0.1", NULL},
        {"its name", pki->server, pki->client, "server.example", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world world;
        begin(&world, cases[i].name);
        world.feed.credential = cases[i].client;
        world.feed.certificate_name = cases[i].certificate_name;
        listen_as(&world, cases[i].server);
        append(&world, 2);
        ship(&world);
        const bool has_come =
            cases[i].why == NULL ? wait_for_rest(&world, 2) : wait_for_failures(&world, 2);
        const bool is_told = atomic_load(&world.arr.requests) > 0;
        const bool says_why =
            cases[i].why == NULL || strstr(state_of(&world).why, cases[i].why) != NULL;
        if (!has_come || is_told != (cases[i].why == NULL) || !says_why) {
            printf("\n    '%s': told %d, %s", cases[i].name, is_told, state_of(&world).why);
            CU_FAIL("another verdict");
        }
        end(&world);
    }
}

/* ---- order, cursor, requests ---- */

static void
test_many(void)
{
    struct world world;
    char name[32];
    size_t at = 0;
    begin(&world, "many");
    follow(&world, NULL, 0);
    append(&world, 300);
    ship(&world);
    CU_ASSERT(wait_for_rest(&world, 300));
    const char *order = arr_order(&world.arr);
    for (size_t i = 1; i <= 300; i++) {
        (void)snprintf(name, sizeof(name), "serve/%zu%s", i, i == 300 ? "" : " ");
        CU_ASSERT_EQUAL(strncmp(order + at, name, strlen(name)), 0);
        at += strlen(name);
    }
    CU_ASSERT_EQUAL(atomic_load(&world.arr.taken), 300);
    CU_ASSERT(atomic_load(&world.arr.requests) <= 10); /* in batches */
    CU_ASSERT_EQUAL(atomic_load(&world.arr.connections), 1);
    /* the next start sends what came since */
    kit_ship_end(world.ship);
    append(&world, 1);
    ship(&world);
    CU_ASSERT(wait_for_rest(&world, 1));
    CU_ASSERT_EQUAL(atomic_load(&world.arr.taken), 301);
    CU_ASSERT_EQUAL(atomic_load(&world.arr.copies), 0);
    end(&world);
}

/* Who was refused stands in a file beside the cursor, with what names the record. */
static void
test_refused(void)
{
    static const struct arr_step script[] = {{.manner = ARR_MIXES, .statuses = "201 422 201"}};
    struct world world;
    struct buf list;
    struct diag diag = {0};
    char path[PATH_MAX];
    begin(&world, "refused");
    follow(&world, script, 1);
    append(&world, 3);
    ship(&world);
    CU_ASSERT(wait_for_rest(&world, 3));
    buf_init(&list, 4096);
    CU_ASSERT(snprintf(path, sizeof(path), "%.3000s/.delivered/arr.refused", world.dir) > 0);
    CHECK_OK(&diag, buf_read_file(&list, path, &diag));
    const struct span text = buf_span(&list);
    CU_ASSERT_NOT_EQUAL(span_find(text, SPAN(" serve 2 ")), SPAN_MISSING);
    CU_ASSERT_NOT_EQUAL(span_find(text, SPAN("422 invalid\n")), SPAN_MISSING);
    CU_ASSERT_EQUAL(span_find_char(text, '\n'), text.n - 1);
    buf_done(&list);
    end(&world);
}

/* The repository goes, and comes back. */
static void
test_restart(void)
{
    struct world world;
    begin(&world, "restart");
    follow(&world, NULL, 0);
    append(&world, 3);
    ship(&world);
    CU_ASSERT(wait_for_rest(&world, 3));
    arr_stop(&world.arr);
    append(&world, 3);
    CU_ASSERT(wait_for_failures(&world, 1));
    CU_ASSERT_FATAL(arr_start(&world.arr, fixture_pki()->server, world.arr.port));
    CU_ASSERT(wait_for_rest(&world, 6));
    CHECK_SPAN(span_of_cstr(arr_order(&world.arr)),
               "serve/1 serve/2 serve/3 serve/4 serve/5 serve/6");
    CU_ASSERT_EQUAL(atomic_load(&world.arr.differing), 0);
    end(&world);
}

static void
test_requests(void)
{
    struct world world;
    begin(&world, "requests");
    follow(&world, NULL, 0);
    append(&world, 1);
    ship(&world);
    CU_ASSERT(wait_for_rest(&world, 1));
    kit_ship_end(world.ship);
    append(&world, 2);
    ship(&world);
    CU_ASSERT(wait_for_rest(&world, 2));
    CHECK_SPAN(span_of_cstr(world.arr.urls), "POST /fhir/AuditEvent POST /fhir");
    end(&world);
}

/* With ids of ours a resource is put at its own address, and twice is once. */
static void
test_put(void)
{
    static const struct arr_step script[] = {{.manner = ARR_DROPS}};
    struct world world;
    begin(&world, "put");
    world.feed.ids = AUDIT_FHIR_PUT;
    follow(&world, script, 1);
    append(&world, 1);
    ship(&world);
    CU_ASSERT(wait_for_rest(&world, 1));
    const char *urls = world.arr.urls;
    CU_ASSERT_EQUAL_FATAL(strlen(urls), 2 * strlen("PUT /fhir/AuditEvent/") + 72 + 1);
    CU_ASSERT_EQUAL(strncmp(urls, "PUT /fhir/AuditEvent/", 21), 0);
    CU_ASSERT(uuid_is_valid(span_of(urls + 21, 36)));
    CU_ASSERT_EQUAL(strncmp(urls, urls + 58, 57), 0);
    append(&world, 2);
    CU_ASSERT(wait_for_rest(&world, 3));
    CU_ASSERT(strstr(world.arr.texts[1], "\"id\":") != NULL);
    end(&world);
}

/* ---- making one ---- */

static struct status
make_sender(struct diag *diag)
{
    const struct fixture_pki *pki = fixture_pki();
    const struct ship_fhir_options options = {.url = "https://arr.example/fhir",
                                              .certificate_name = "arr.example",
                                              .credential = pki->client,
                                              .trust = pki->trust,
                                              .source = {"Red HIE", NULL}};
    struct ship_sender *sender = NULL;
    TRY(ship_fhir_new(&options, diag, &sender));
    sender->free(sender);
    return OK;
}

static void
test_without_memory(void)
{
    unit_torture(make_sender);
}

static void
test_long_url(void)
{
    static char url[2048] = "https://arr.example/";
    const struct ship_fhir_options options = {.url = url,
                                              .certificate_name = "arr.example",
                                              .credential = fixture_pki()->client,
                                              .trust = fixture_pki()->trust,
                                              .source = {"Red HIE", NULL}};
    struct ship_sender *sender = NULL;
    struct diag diag = {0};
    memset(url + strlen(url), 'a', sizeof(url) - strlen(url) - 1);
    CHECK_ERR(&diag, ERR_CONFIG, ship_fhir_new(&options, &diag, &sender));
}

static const struct unit_test tests[] = {
    {"a URL that is too long", test_long_url},
    {"every failed allocation is survived", test_without_memory},
    /* REQ: ITI20-fhir-feed */
    {"who is told", test_beliefs},
    {"every way to answer", test_manners},
    {"a repository that says nothing", test_silence},
    {"a stop within a request", test_stop_within},
    {"a pause that was asked for", test_pause},
    {"an endless answer", test_flood},
    {"one or several", test_requests},
    {"order and cursor", test_many},
    {"who was refused", test_refused},
    {"away and back", test_restart},
    {"ids of ours", test_put},
};

int
main(void)
{
    const int result = unit_main("ship_fhir", tests, ARRAY_LEN(tests));
    fixture_pki_done();
    return result;
}
