/*
 * The configuration: YAML, the main file, a partner's file and a policy. A file is refused with at
 * least one complaint that names it, or gives a configuration.
 *
 * Input: one byte that chooses which file it is, then the file. The other files are good ones.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "unit/config_world.h"

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    test_make_world();
    return 0;
}

static void
write_file(const char *name, struct span content)
{
    FILE *const file = fopen(path_of(name), "w");
    FUZZ_MUST(file != NULL && fwrite(content.p, 1, content.n, file) == content.n &&
                  fclose(file) == 0,
              "cannot write %s", name);
}

static void
count_nodes(const struct yaml_node *node, int depth)
{
    FUZZ_MUST(depth < 1000 && node->line > 0 && node->column > 0, "depth %d, %d:%d", depth,
              node->line, node->column);
    for (const struct yaml_node *child = node->children; child != NULL; child = child->next) {
        FUZZ_MUST(node->kind != YAML_SCALAR, "a scalar with children");
        count_nodes(child, depth + 1);
    }
}

static void
check_yaml(struct span text)
{
    struct arena *const arena = fuzz_arena();
    struct yaml_report report;
    struct yaml_node *root = NULL;
    struct diag diag = {0};
    write_file("input.yaml", text);
    yaml_report_init(&report);
    const struct status st = yaml_read_file(path_of("input.yaml"), arena, &report, &diag, &root);
    fuzz_check_refusal(st, &diag);
    if (is_ok(st)) {
        FUZZ_MUST(root->kind == YAML_MAPPING, "the root is no mapping");
        count_nodes(root, 0);
    } else {
        FUZZ_MUST(report.errors > 0 || st.code != ERR_CONFIG_SYNTAX, "no complaint");
    }
    yaml_report_done(&report);
    arena_free(arena);
}

static void
check_config(void)
{
    struct loaded loaded;
    load(&loaded);
    fuzz_check_refusal(loaded.status, &loaded.diag);
    FUZZ_MUST(is_ok(loaded.status) == (loaded.config != NULL), "a result after a failure");
    FUZZ_MUST(is_ok(loaded.status) || loaded.report.errors > 0, "refused without a complaint: %s",
              loaded.diag.text);
    FUZZ_MUST(!is_ok(loaded.status) || loaded.report.errors == 0, "loaded with complaints");
    unload(&loaded);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct span input = span_of((const char *)bytes, n);
    static const char *const names[] = {"isthmus.yaml", "partners.d/blue.yaml", "policy.yaml"};
    static const char policy[] = "rules:\n  - {name: t, effect: permit, reason: treatment}\n";
    const uint8_t which = fuzz_take_u8(&input) % 4;
    if (which == 3) {
        check_yaml(input);
        return 0;
    }
    write_main(0, NULL);
    write_blue(0, NULL);
    write_gold(0, NULL);
    write_text("policy.yaml", policy);
    write_file(names[which], input);
    check_config();
    return 0;
}
