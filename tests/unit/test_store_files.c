/* Large documents of the store: files beside it that are whole before their row is, checked while
 * they are read, and cleared away when a crash left them without one. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/store_fixture.h"

#define KB    ((size_t)1024)
#define LARGE (600 * KB)

static char bytes[LARGE];

struct world {
    char path[512];
    struct store *store;
    struct arena *arena;
};

static void
world_init(struct world *world)
{
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)((i * 2654435761U) >> 12);
    }
    world->store = fixture_open(fixture_path(world->path), NULL);
    world->arena = arena_new(ARENA_LIMIT_DEFAULT);
}

static void
world_done(struct world *world)
{
    store_close(world->store);
    arena_free(world->arena);
}

static void
reopen(struct world *world)
{
    store_close(world->store);
    world->store = fixture_open(world->path, NULL);
}

static struct store_put_result
put(struct world *world, size_t n)
{
    const struct patient patient =
        fixture_patient(world->arena, "Ibarra,Nuria", "19700102", "F", NULL);
    const struct document_entry entry = fixture_entry(world->arena);
    const struct body body = body_over(span_of(bytes, n));
    const struct store_document document = {.patient = &patient, .entry = &entry, .content = &body};
    struct store_put_result result = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, store_put_document(world->store, &document, world->arena, &diag, &result));
    return result;
}

static struct status
get(struct world *world, struct span unique_id, struct diag *diag, struct body *ret_body)
{
    const struct document_ref ref = {SPAN("urn:oid:" FIXTURE_COMMUNITY), SPAN(FIXTURE_REPOSITORY),
                                     unique_id};
    struct document_entry entry = {0};
    enum answer answer = ANSWER_LATER;

    return store_retrieve(world->store, &ref, NULL, world->arena, diag, &answer, &entry, ret_body);
}

/* The one file in a folder beside the store; its name goes to <ret_path>. */
static size_t
files_in(const struct world *world, const char *folder, char ret_path[1400])
{
    char path[600];
    size_t n = 0;

    (void)snprintf(path, sizeof(path), "%s.documents%s", world->path, folder);
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return 0;
    }
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "new") != 0) {
            (void)snprintf(ret_path, 1400, "%s/%s", path, entry->d_name);
            n++;
        }
    }
    (void)closedir(dir);
    return n;
}

static bool
is_as_stored(const struct body *body, size_t n)
{
    struct buf scratch;
    struct span all = SPAN_EMPTY;
    struct diag diag = {0};

    buf_init(&scratch, LARGE);
    CHECK_OK(&diag, body_span(body, &scratch, &diag, &all));
    const bool is_same = span_eq(all, span_of(bytes, n));
    buf_done(&scratch);
    return is_same;
}

static void
test_sizes(void)
{
    static const struct {
        size_t n;
        enum body_kind want;
    } rows[] = {
        {1, BODY_MEMORY}, {256 * KB - 1, BODY_MEMORY}, {256 * KB, BODY_FILE}, {LARGE, BODY_FILE}};
    struct world world;
    char path[1400];

    world_init(&world);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct store_put_result result = put(&world, rows[i].n);
        struct body body;
        struct diag diag = {0};

        CU_ASSERT(result.kind == STORE_PUT_NEW);
        CU_ASSERT(put(&world, rows[i].n).kind == STORE_PUT_KNOWN);
        if (CHECK_OK(&diag, get(&world, result.unique_id, &diag, &body))) {
            CU_ASSERT(body.kind == rows[i].want && is_as_stored(&body, rows[i].n));
            body_done(&body);
        }
        CU_ASSERT(files_in(&world, "/new", path) == 0);
    }
    CU_ASSERT(files_in(&world, "", path) == 2);
    world_done(&world);
}

/* What a disk may do to a file: each is a failure with a name, and never other bytes. */
static void
test_damage(void)
{
    static const enum { LOST, SHORT, LONG, OTHER } rows[] = {LOST, SHORT, LONG, OTHER};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world world;
        struct body body;
        struct buf scratch;
        struct span all = SPAN("none");
        struct diag diag = {0};
        char path[1400];

        world_init(&world);
        const struct store_put_result result = put(&world, LARGE);
        CU_ASSERT_FATAL(files_in(&world, "", path) == 1);
        const int fd = open(path, O_RDWR | O_CLOEXEC);
        CU_ASSERT_FATAL(fd != -1);
        switch (rows[i]) {
        case LOST:
            CU_ASSERT(unlink(path) == 0);
            break;
        case SHORT:
            CU_ASSERT(ftruncate(fd, LARGE - 1) == 0);
            break;
        case LONG:
            CU_ASSERT(pwrite(fd, "x", 1, LARGE) == 1);
            break;
        case OTHER:
            CU_ASSERT(pwrite(fd, "\377\0", 2, LARGE / 2) == 2);
            break;
        }
        (void)close(fd);
        if (rows[i] != OTHER) {
            CHECK_ERR(&diag, ERR_STORE, get(&world, result.unique_id, &diag, &body));
        } else if (CHECK_OK(&diag, get(&world, result.unique_id, &diag, &body))) {
            buf_init(&scratch, LARGE);
            CHECK_ERR(&diag, ERR_IO, body_span(&body, &scratch, &diag, &all));
            CHECK_SPAN(all, "none");
            buf_done(&scratch);
            body_done(&body);
        }
        world_done(&world);
    }
}

static void
make_file(const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    CU_ASSERT_FATAL(fd != -1);
    CU_ASSERT(write(fd, "left", 4) == 4);
    (void)close(fd);
}

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* A process that died: before its file had a name, before its row was committed, after it. */
static void
test_left_by_a_crash(void)
{
    struct world world;
    struct body body;
    struct diag diag = {0};
    char stored[1400], path[1500], published[600], locked[600];

    world_init(&world);
    const struct store_put_result result = put(&world, LARGE);
    CU_ASSERT_FATAL(files_in(&world, "", stored) == 1);
    /* committed, and died before its second name went */
    (void)snprintf(path, sizeof(path), "%s.documents/new/%s-abcdef", world.path,
                   strrchr(stored, '/') + 1);
    CU_ASSERT(link(stored, path) == 0);
    /* published without a row */
    (void)snprintf(published, sizeof(published), "%s.documents/" HEX, world.path);
    make_file(published);
    (void)snprintf(path, sizeof(path), "%s.documents/new/" HEX "-abcdef", world.path);
    make_file(path);
    /* in the middle of the copy */
    (void)snprintf(path, sizeof(path), "%s.documents/new/-uvwxyz", world.path);
    make_file(path);
    /* and one that is at work */
    (void)snprintf(locked, sizeof(locked), "%s.documents/new/-living", world.path);
    make_file(locked);
    const int living = open(locked, O_RDONLY | O_CLOEXEC);
    CU_ASSERT(flock(living, LOCK_EX) == 0);

    reopen(&world);
    CU_ASSERT(access(published, F_OK) != 0);
    CU_ASSERT(files_in(&world, "/new", path) == 1 && access(locked, F_OK) == 0);
    CU_ASSERT(access(stored, F_OK) == 0);
    if (CHECK_OK(&diag, get(&world, result.unique_id, &diag, &body))) {
        CU_ASSERT(is_as_stored(&body, LARGE));
        body_done(&body);
    }
    (void)close(living);
    reopen(&world);
    CU_ASSERT(files_in(&world, "/new", path) == 0);
    world_done(&world);
}

/* Bytes of an import that was cut stand where the file is to be: they are replaced. */
static void
test_left_bytes_are_replaced(void)
{
    struct world world;
    struct body body;
    struct diag diag = {0};
    char path[1400], sha256[SHA256_HEX];

    world_init(&world);
    (void)put(&world, 300 * KB); /* the folder is there */
    CHECK_OK(&diag, digest_sha256_hex(span_of(bytes, LARGE), &diag, sha256));
    (void)snprintf(path, sizeof(path), "%s.documents/%s", world.path, sha256);
    make_file(path);
    const struct store_put_result result = put(&world, LARGE);
    CU_ASSERT(result.kind == STORE_PUT_NEW);
    if (CHECK_OK(&diag, get(&world, result.unique_id, &diag, &body))) {
        CU_ASSERT(is_as_stored(&body, LARGE));
        body_done(&body);
    }
    world_done(&world);
}

static void
test_folder_that_cannot_be(void)
{
    struct world world;
    const struct body body = body_over(span_of(bytes, LARGE));
    struct store_put_result result = {0};
    struct diag diag = {0};
    char path[600];

    world_init(&world);
    (void)snprintf(path, sizeof(path), "%s.documents", world.path);
    make_file(path);
    const struct patient patient =
        fixture_patient(world.arena, "Ibarra,Nuria", "19700102", "F", NULL);
    const struct document_entry entry = fixture_entry(world.arena);
    const struct store_document document = {.patient = &patient, .entry = &entry, .content = &body};
    CHECK_ERR(&diag, ERR_STORE,
              store_put_document(world.store, &document, world.arena, &diag, &result));
    CU_ASSERT(fixture_count(world.store).documents == 0);
    world_done(&world);
}

static const struct unit_test tests[] = {
    {"what a disk does to a file", test_damage},
    {"a folder that cannot be made", test_folder_that_cannot_be},
    {"rows and files by size", test_sizes},
    {"what a crash left", test_left_by_a_crash},
    {"left bytes are replaced", test_left_bytes_are_replaced},
};

UNIT_MAIN("store_files", tests)
