/*
 * The list of refused records (see ship_refused.h). Called by ship.c on the destination's thread;
 * opens and closes the file each time, since refusals are rare and an operator may move it.
 */
#include "audit/ship_refused.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/segment.h"
#include "base/datetime.h"

#define LINE_MAX_BYTES (DIAG_TEXT_MAX + 256)

static struct status
write_line(int fd, const char *path, struct span line, struct diag *diag)
{
    char error[64];
    const ssize_t n = write(fd, line.p, line.n);
    if (n != (ssize_t)line.n || fsync(fd) == -1) {
        return FAIL(diag, ERR_JOURNAL, "%s: cannot note a refused record: %s", path,
                    n == (ssize_t)line.n || n == -1 ? journal_errno(error) : "no room");
    }
    return OK;
}

static struct status
open_list(const char *dir, const char *destination, struct diag *diag, char path[PATH_MAX],
          int *ret_fd)
{
    char folder[PATH_MAX];
    char name[SHIP_NAME_MAX + sizeof(".refused")];
    char error[64];
    (void)snprintf(name, sizeof(name), "%s.refused", destination);
    TRY(journal_path(folder, dir, SHIP_CURSOR_FOLDER, diag));
    TRY(journal_path(path, folder, name, diag));
    if (mkdir(folder, 0700) == -1 && errno != EEXIST) {
        return FAIL(diag, ERR_JOURNAL, "%s: cannot be made: %s", folder, journal_errno(error));
    }
    const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd == -1) {
        return FAIL(diag, ERR_JOURNAL, "%s: cannot be opened: %s", path, journal_errno(error));
    }
    *ret_fd = fd;
    return OK;
}

struct status
ship_refused_note(const char *dir, const char *destination, const struct ship_record *record,
                  int64_t now_us, const struct diag *why, struct diag *diag)
{
    char path[PATH_MAX];
    char line[LINE_MAX_BYTES];
    char time[DATETIME_MAX];
    int fd = -1;
    TRY(open_list(dir, destination, diag, path, &fd));
    datetime_write_xs(now_us, time);
    const int n = snprintf(line, sizeof(line), "%s %s %" PRIu64 " %s %s %s\n", time, record->chain,
                           record->sequence, record->hash, err_name(why->code), why->text);
    const struct status st = write_line(
        fd, path, span_of(line, n < LINE_MAX_BYTES ? (size_t)n : LINE_MAX_BYTES - 1), diag);
    (void)close(fd);
    return st;
}
