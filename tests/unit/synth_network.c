/*
 * The shared network of the synth tests. Called by their programs' one thread.
 */
#include "tests/unit/synth_network.h"

#include "tests/synth/compare.h"
#include "tests/synth/generate.h"

static struct arena *arena;

const char *
network_temp(const char *name)
{
    struct diag diag = {0};
    struct span path = SPAN_EMPTY;

    CHECK_OK(&diag, arena_printf(arena, &diag, &path, "%s/%s", unit_temp_dir(), name));
    return path.p;
}

struct status
network_make(uint64_t seed, const char *out, const char *communities, size_t people,
             struct diag *diag)
{
    const struct generate_options options = {
        .seed = seed, .out = out, .communities = span_of_cstr(communities), .people = people};
    struct generate_counts counts;

    return generate(&options, diag, &counts);
}

const char *
network_path(void)
{
    static const char *path;
    struct diag diag = {0};

    if (path == NULL) {
        path = network_temp("network");
        CHECK_OK(&diag, network_make(7, path, NETWORK_COMMUNITIES, 5, &diag));
    }
    return path;
}

void
network_read_truth(const char *dir, struct truth *ret_truth)
{
    struct diag diag = {0};
    struct span path = SPAN_EMPTY;

    CHECK_OK(&diag, arena_printf(arena, &diag, &path, "%s/truth.json", dir));
    CHECK_OK(&diag, truth_read(path.p, arena, &diag, ret_truth));
}

const struct truth_question *
network_question(const struct truth *truth, const char *name)
{
    const struct truth_question *question = NULL;
    struct diag diag = {0};

    CHECK_OK(&diag, compare_find_question(truth, span_of_cstr(name), &diag, &question));
    return question;
}

int
network_main(const char *suite, const struct unit_test *tests, size_t n)
{
    arena = arena_new((size_t)1024 * 1024 * 1024);
    const int result = unit_main(suite, tests, n);

    arena_free(arena);
    return result;
}

struct arena *
network_arena(void)
{
    return arena;
}
