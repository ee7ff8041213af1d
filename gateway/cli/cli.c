/*
 * Options and complaints that all subcommands share. Called by main.c and cmd_*.c on the program's
 * main thread, before any other thread exists.
 */
#include "cli/cli.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "config/config.h"
#include "out/crl_feed.h"

#define FETCH_WAIT_US (30 * US_PER_S)

static const struct cli_option *
find_option(const struct cli_command *command, const char *name, size_t n)
{
    for (size_t i = 0; i < command->options_n; i++) {
        if (strlen(command->options[i].name) == n &&
            memcmp(command->options[i].name, name, n) == 0) {
            return &command->options[i];
        }
    }
    return NULL;
}

static const char *
nearest_option(const struct cli_command *command, const char *name, size_t n)
{
    const char *nearest = NULL;
    size_t least = 3;

    for (size_t i = 0; i < command->options_n; i++) {
        const size_t distance =
            text_distance(span_of(name, n), span_of_cstr(command->options[i].name), 3);

        if (distance < least) {
            least = distance;
            nearest = command->options[i].name;
        }
    }
    return nearest;
}

static void
print_help(const struct cli_command *command)
{
    printf("usage: isthmus %s %s\n\n%s\n\nOptions:\n", command->name, command->usage,
           command->text);
    for (size_t i = 0; i < command->options_n; i++) {
        const struct cli_option *option = &command->options[i];
        char left[64];

        snprintf(left, sizeof(left), "%s%s%s%s", strlen(option->name) == 1 ? "-" : "--",
                 option->name, option->argument == NULL ? "" : " ",
                 option->argument == NULL ? "" : option->argument);
        printf("  %-24s %s\n", left, option->help);
    }
    printf("  %-24s %s\n", "--help", "this text");
}

static bool
wrong_usage(const struct cli_command *command, int *ret_exit)
{
    fprintf(stderr, "usage: isthmus %s %s\nTry 'isthmus %s --help'.\n", command->name,
            command->usage, command->name);
    *ret_exit = CLI_USAGE;
    return false;
}

static bool
unknown_option(const struct cli_command *command, const char *argument, const char *name, size_t n,
               int *ret_exit)
{
    const char *nearest = nearest_option(command, name, n);

    if (nearest != NULL) {
        cli_complain(command, "unknown option '%s'; did you mean '%s%s'?", argument,
                     strlen(nearest) == 1 ? "-" : "--", nearest);
    } else {
        cli_complain(command, "unknown option '%s'", argument);
    }
    return wrong_usage(command, ret_exit);
}

static bool
set_option(const struct cli_command *command, const struct cli_option *option, const char *value,
           int *ret_exit)
{
    if (option->argument == NULL) {
        *option->flag = true;
        return true;
    }
    if (option->value != NULL) {
        *option->value = value;
        return true;
    }
    if (option->values->n == CLI_VALUES_MAX) {
        cli_complain(command, "option '%s' is given more than %d times", option->name,
                     CLI_VALUES_MAX);
        return wrong_usage(command, ret_exit);
    }
    option->values->items[option->values->n++] = value;
    return true;
}

/* One option at argv[*at], with its argument after '=' or in the next word. */
static bool
take_option(const struct cli_command *command, int argc, char **argv, int *at, int *ret_exit)
{
    const char *argument = argv[*at];
    const char *name = argument + (argument[1] == '-' ? 2 : 1);
    const char *equals = strchr(name, '=');
    const size_t n = equals == NULL ? strlen(name) : (size_t)(equals - name);
    const struct cli_option *option = find_option(command, name, n);

    if (option == NULL) {
        return unknown_option(command, argument, name, n, ret_exit);
    }
    if (option->argument == NULL && equals != NULL) {
        cli_complain(command, "option '%s' takes no argument", option->name);
        return wrong_usage(command, ret_exit);
    }
    if (option->argument == NULL) {
        return set_option(command, option, NULL, ret_exit);
    }
    if (equals != NULL) {
        return set_option(command, option, equals + 1, ret_exit);
    }
    if (*at + 1 >= argc) {
        cli_complain(command, "option '%s' needs an argument: %s", argument, option->argument);
        return wrong_usage(command, ret_exit);
    }
    (*at)++;
    return set_option(command, option, argv[*at], ret_exit);
}

bool
cli_parse(const struct cli_command *command, int argc, char **argv, struct cli_values *ret_rest,
          int *ret_exit)
{
    bool is_rest = false;

    ret_rest->n = 0;
    for (int i = 1; i < argc; i++) {
        if (!is_rest && strcmp(argv[i], "--help") == 0) {
            print_help(command);
            *ret_exit = CLI_DONE;
            return false;
        }
        if (!is_rest && strcmp(argv[i], "--") == 0) {
            is_rest = true;
        } else if (!is_rest && argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!take_option(command, argc, argv, &i, ret_exit)) {
                return false;
            }
        } else if (ret_rest->n == CLI_VALUES_MAX) {
            cli_complain(command, "more than %d arguments", CLI_VALUES_MAX);
            return wrong_usage(command, ret_exit);
        } else {
            ret_rest->items[ret_rest->n++] = argv[i];
        }
    }
    return true;
}

bool
cli_parse_options(const struct cli_command *command, int argc, char **argv, int *ret_exit)
{
    struct cli_values rest;

    if (!cli_parse(command, argc, argv, &rest, ret_exit)) {
        return false;
    }
    if (rest.n > 0) {
        cli_complain(command, "unexpected argument '%s'", rest.items[0]);
        return wrong_usage(command, ret_exit);
    }
    return true;
}

void
cli_complain(const struct cli_command *command, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "isthmus %s: ", command->name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

void
cli_error(const struct cli_command *command, const struct diag *diag)
{
    cli_complain(command, "%s [%s]", diag->text, err_name(diag->code));
}

const struct config *
cli_config(const struct cli_command *command, const char *path)
{
    struct yaml_report report;
    struct diag diag = {0};
    const struct config *config = NULL;

    if (path == NULL) {
        cli_complain(command, "no configuration: say -c FILE (isthmus init makes one)");
        return NULL;
    }
    yaml_report_init(&report);
    if (!is_ok(config_load(path, clock_system(), &report, &diag, &config))) {
        if (report.errors > 0) {
            fprintf(stderr, "%.*s", SPAN_PRINT(buf_span(&report.text)));
        }
        cli_error(command, &diag);
    }
    yaml_report_done(&report);
    return config;
}

const struct config *
cli_config_online(const struct cli_command *command, const char *path)
{
    const struct config *config = cli_config(command, path);

    if (config == NULL || !config_awaits_crl(config) ||
        !crl_feed_once(config, clock_system(), FETCH_WAIT_US)) {
        return config;
    }
    config_unref(config);
    return cli_config(command, path);
}
