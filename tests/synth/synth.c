/*
 * synth: makes the synthetic communities of the demonstration, and compares what was gathered from
 * them with the truth. One thread; no part of the product.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/synth/compare.h"
#include "tests/synth/generate.h"
#include "tests/synth/popular.h"
#include "tests/synth/truth.h"

#define TRUTH_ARENA_BYTES   ((size_t)256 * 1024 * 1024)
#define COMMUNITIES_DEFAULT "red,green,blue,amber,violet"
#define PEOPLE_DEFAULT      "30"

enum { EXIT_SAME = 0, EXIT_DIFFERENT = 1, EXIT_USAGE = 2 };

static const char usage[] =
    "usage: synth generate --seed N --out DIR [--communities red,green,...] [--people N]\n"
    "           writes DIR/<community>/*.xml and DIR/truth.json. Communities are 2.999.1, ... in\n"
    "           the order given, at least five (default " COMMUNITIES_DEFAULT ");\n"
    "           --people: so many besides those of the hard cases (default " PEOPLE_DEFAULT ")\n"
    "       synth person --truth FILE [--person K] [--list]\n"
    "           prints the question K (its case or number; default the first), one value per "
    "line:\n"
    "           family, given (further names after a space), birth date, sex, asking community's\n"
    "           OID, its name, case. --list: number, case, asker and note of every question\n"
    "       synth compare --truth FILE --index FILE --documents DIR [--person K] [--withhold R,V]\n"
    "           prints every difference between what was gathered and the truth; exit 1 when "
    "there\n"
    "           is one. --withhold: confidentiality codes that the policy withholds\n"
    "       synth popular DIR [--patient FAMILY,GIVEN,BIRTHDATE,SEX] [--asker FOLDER] [--out "
    "FILE]\n"
    "           DIR has a folder of C-CDA documents per community: prints the patient whose\n"
    "           demographics occur in most of them, and writes the truth about that patient\n";

struct arguments {
    const char *seed, *out, *communities, *people, *truth, *index, *documents, *person, *withhold,
        *patient, *asker;
    bool is_list;
};

static int
wrong_usage(const char *text)
{
    fprintf(stderr, "synth: %s\n%s", text, usage);
    return EXIT_USAGE;
}

static bool
parse(int argc, char **argv, struct arguments *arguments)
{
    const char **const values[] = {
        &arguments->seed,     &arguments->out,     &arguments->communities, &arguments->people,
        &arguments->truth,    &arguments->index,   &arguments->documents,   &arguments->person,
        &arguments->withhold, &arguments->patient, &arguments->asker,
    };
    static const struct option options[] = {
        {"seed", required_argument, NULL, 0},
        {"out", required_argument, NULL, 1},
        {"communities", required_argument, NULL, 2},
        {"people", required_argument, NULL, 3},
        {"truth", required_argument, NULL, 4},
        {"index", required_argument, NULL, 5},
        {"documents", required_argument, NULL, 6},
        {"person", required_argument, NULL, 7},
        {"withhold", required_argument, NULL, 8},
        {"patient", required_argument, NULL, 9},
        {"asker", required_argument, NULL, 10},
        {"list", no_argument, NULL, 'l'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'l') {
            arguments->is_list = true;
        } else if (option >= 0 && option < (int)ARRAY_LEN(values)) {
            *values[option] = optarg;
        } else {
            return false;
        }
    }
    return true;
}

static int
failed(const struct diag *diag)
{
    fprintf(stderr, "synth: %s [%s]\n", diag->text, err_name(diag->code));
    return diag->code == ERR_USAGE ? EXIT_USAGE : EXIT_DIFFERENT;
}

static int
run_generate(const struct arguments *arguments)
{
    struct generate_options options = {.out = arguments->out,
                                       .communities = span_of_cstr(arguments->communities)};
    struct generate_counts counts;
    struct diag diag = {0};
    uint64_t people;

    if (arguments->seed == NULL || arguments->out == NULL) {
        return wrong_usage("generate needs --seed and --out");
    }
    if (!span_to_u64(span_of_cstr(arguments->seed), INT64_MAX, &options.seed)) {
        return wrong_usage("--seed must be a whole number");
    }
    if (!span_to_u64(span_of_cstr(arguments->people), GENERATE_PEOPLE_MAX, &people)) {
        return wrong_usage("--people must be a whole number, at most 1000");
    }
    options.people = (size_t)people;
    if (!is_ok(generate(&options, &diag, &counts))) {
        return failed(&diag);
    }
    printf("%zu people in %zu communities, %zu documents (%" PRIu64 " KB), %zu questions\n",
           counts.people, counts.communities, counts.files, counts.bytes / 1024, counts.questions);
    return EXIT_SAME;
}

static int
run_compare(const struct arguments *arguments)
{
    const struct compare_options options = {.truth = arguments->truth,
                                            .index = arguments->index,
                                            .documents = arguments->documents,
                                            .question = span_of_cstr(arguments->person),
                                            .withhold = span_of_cstr(arguments->withhold)};
    struct compare_result result;
    struct diag diag = {0};

    if (options.truth == NULL || options.index == NULL || options.documents == NULL) {
        return wrong_usage("compare needs --truth, --index and --documents");
    }
    if (!is_ok(compare(&options, stdout, &diag, &result))) {
        return failed(&diag);
    }
    printf("%s: %zu matches, %zu documents, %zu of them duplicates",
           result.differences == 0 ? "as the truth says" : "the truth says", result.matches,
           result.documents, result.duplicates);
    if (result.differences > 0) {
        printf("; %zu differences", result.differences);
    }
    putchar('\n');
    return result.differences == 0 ? EXIT_SAME : EXIT_DIFFERENT;
}

static int
run_popular(const struct arguments *arguments, const char *dir)
{
    const struct popular_options options = {.dir = dir,
                                            .patient = span_of_cstr(arguments->patient),
                                            .asker = span_of_cstr(arguments->asker),
                                            .truth = arguments->out};
    struct diag diag = {0};

    if (dir == NULL) {
        return wrong_usage("popular needs a folder");
    }
    if (!is_ok(popular(&options, stdout, stderr, &diag))) {
        return failed(&diag);
    }
    return EXIT_SAME;
}

static void
print_question(const struct truth *truth, const struct truth_question *question)
{
    const struct truth_community *asker = &truth->communities.items[question->asker];

    printf("%.*s\n", SPAN_PRINT(question->who.family));
    for (size_t i = 0; i < question->who.given_n; i++) {
        printf("%s%.*s", i == 0 ? "" : " ", SPAN_PRINT(question->who.given[i]));
    }
    printf("\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s\n", SPAN_PRINT(question->birth),
           SPAN_PRINT(question->sex), SPAN_PRINT(asker->oid), SPAN_PRINT(asker->name),
           SPAN_PRINT(question->name));
}

static void
list_questions(const struct truth *truth)
{
    for (size_t i = 0; i < truth->questions.n; i++) {
        const struct truth_question *question = &truth->questions.items[i];

        printf("%3zu  %-18.*s %-8.*s %.*s\n", i, SPAN_PRINT(question->name),
               SPAN_PRINT(truth->communities.items[question->asker].name),
               SPAN_PRINT(question->note));
    }
}

static int
run_person(const struct arguments *arguments)
{
    struct arena *arena = arena_new(TRUTH_ARENA_BYTES);
    const struct truth_question *question = NULL;
    struct truth truth;
    struct diag diag = {0};

    if (arguments->truth == NULL) {
        arena_free(arena);
        return wrong_usage("person needs --truth");
    }
    struct status st = truth_read(arguments->truth, arena, &diag, &truth);

    if (is_ok(st)) {
        st = compare_find_question(&truth, span_of_cstr(arguments->person), &diag, &question);
    }
    if (is_ok(st) && arguments->is_list) {
        list_questions(&truth);
    } else if (is_ok(st)) {
        print_question(&truth, question);
    }
    arena_free(arena);
    return is_ok(st) ? EXIT_SAME : failed(&diag);
}

int
main(int argc, char **argv)
{
    struct arguments arguments = {.communities = COMMUNITIES_DEFAULT, .people = PEOPLE_DEFAULT};

    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_SAME;
    }
    if (argc < 2 || !parse(argc - 1, argv + 1, &arguments)) {
        return wrong_usage("say what to do");
    }
    const int rest = optind + 1; /* argv was taken from its second word */

    if (strcmp(argv[1], "generate") == 0) {
        return run_generate(&arguments);
    }
    if (strcmp(argv[1], "person") == 0) {
        return run_person(&arguments);
    }
    if (strcmp(argv[1], "compare") == 0) {
        return run_compare(&arguments);
    }
    if (strcmp(argv[1], "popular") == 0) {
        return run_popular(&arguments, rest < argc ? argv[rest] : NULL);
    }
    return wrong_usage("unknown command");
}
