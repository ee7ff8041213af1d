/* See cli_kit.h. */
#include "cli_kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/span.h"
#include "unit.h"

#define ARGUMENTS_MAX 40

struct cli_output cli_output;

static int
redirect(int fd, const char *name)
{
    char path[512];
    const int saved = dup(fd);

    snprintf(path, sizeof(path), "%s/%s", unit_temp_dir(), name);
    const int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    CU_ASSERT_FATAL(saved >= 0 && file >= 0 && dup2(file, fd) == fd);
    close(file);
    return saved;
}

static void
restore(int fd, int saved, char *ret_text, size_t size)
{
    CU_ASSERT_FATAL(lseek(fd, 0, SEEK_SET) == 0);
    const ssize_t n = read(fd, ret_text, size - 1);

    CU_ASSERT_FATAL(n >= 0);
    ret_text[n] = '\0';
    CU_ASSERT_FATAL(dup2(saved, fd) == fd);
    close(saved);
}

void
cli_run(int (*command)(int, char **), const char *line)
{
    static char room[4096];
    char *argv[ARGUMENTS_MAX + 1];
    int argc = 0;
    size_t used = 0;
    struct span rest = span_of_cstr(line), word;

    while (span_split(&rest, '|', &word)) {
        CU_ASSERT_FATAL(argc < ARGUMENTS_MAX);
        argv[argc++] = room + used;
        if (span_starts_with(word, SPAN("DIR"))) {
            used += (size_t)snprintf(room + used, sizeof(room) - used, "%s%.*s", unit_temp_dir(),
                                     SPAN_PRINT(span_slice(word, 3, word.n)));
        } else {
            used += (size_t)snprintf(room + used, sizeof(room) - used, "%.*s", SPAN_PRINT(word));
        }
        used++;
        CU_ASSERT_FATAL(used < sizeof(room));
    }
    argv[argc] = NULL;
    fflush(stdout);
    fflush(stderr);
    const int saved_out = redirect(STDOUT_FILENO, "out"),
              saved_err = redirect(STDERR_FILENO, "err");

    cli_output.exit_code = command(argc, argv);
    fflush(stdout);
    fflush(stderr);
    restore(STDOUT_FILENO, saved_out, cli_output.out, sizeof(cli_output.out));
    restore(STDERR_FILENO, saved_err, cli_output.err, sizeof(cli_output.err));
}

void
cli_check_exit(const char *what, int want)
{
    if (cli_output.exit_code != want) {
        fprintf(stderr, "%s: wanted exit %d, got %d\n%s%s", what, want, cli_output.exit_code,
                cli_output.out, cli_output.err);
        CU_FAIL("another exit code");
    }
}

void
cli_check_says(const char *text, const char *want)
{
    if (strstr(text, want) == NULL) {
        fprintf(stderr, "--- wanted '%s' in\n%s", want, text);
        CU_FAIL("another output");
    }
}
