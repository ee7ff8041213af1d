/*
 * import: what `isthmus import` costs for a document, beside reading it, libxml2's parse, a SHA-1
 * and one write that is synced to the disk. Each round has a folder of its own, because a document
 * is imported once.
 */
#include "tests/bench/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libxml/parser.h>

#include "base/digest.h"

#define DOCUMENT_MAX ((size_t)16 * 1024 * 1024)

/* The program's CPU for the whole folder. */
static struct status
import_folder(const struct load *load, const char *folder, struct diag *diag, double *ret_us,
              double *ret_wall_us)
{
    struct rusage used;
    int status = 0;
    const int64_t started_us = meter_now_us();
    const pid_t pid = fork();
    if (pid == 0) {
        const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(nowhere, STDOUT_FILENO);
        (void)execl(load->program, load->program, "import", "-c", load->config_path, folder,
                    (char *)NULL);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &used) != pid || status != 0) {
        return FAIL(diag, ERR_IO, "isthmus import %s: status %d", folder, status);
    }
    *ret_wall_us = (double)(meter_now_us() - started_us);
    *ret_us = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
              (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    return OK;
}

static struct status
write_synced(int fd, struct span bytes, struct diag *diag)
{
    return write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n && fdatasync(fd) == 0
               ? OK
               : FAIL(diag, ERR_IO, "the floor's file: %s", strerror(errno));
}

static struct status
floor_of_file(const char *path, int fd, struct diag *diag)
{
    char digest[SHA1_HEX];
    struct buf content;
    buf_init(&content, DOCUMENT_MAX);
    struct status st = buf_read_file(&content, path, diag);
    if (is_ok(st)) {
        xmlDoc *const doc = xmlReadMemory(content.p, (int)content.n, NULL, NULL, XML_PARSE_NONET);
        st = doc == NULL ? FAIL(diag, ERR_IO, "%s cannot be parsed", path) : OK;
        xmlFreeDoc(doc);
    }
    if (is_ok(st)) {
        st = digest_sha1_hex(buf_span(&content), diag, digest);
    }
    if (is_ok(st)) {
        st = write_synced(fd, buf_span(&content), diag);
    }
    buf_done(&content);
    return st;
}

static struct status
floor_of_folder(const char *folder, int fd, struct diag *diag, size_t *ret_n)
{
    char path[PATH_MAX];
    DIR *const entries = opendir(folder);
    size_t n = 0;
    struct status st = OK;
    if (entries == NULL) {
        return FAIL(diag, ERR_IO, "%s: %s", folder, strerror(errno));
    }
    for (const struct dirent *entry = readdir(entries); is_ok(st) && entry != NULL;
         entry = readdir(entries)) {
        if (entry->d_name[0] != '.') {
            (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
            st = floor_of_file(path, fd, diag);
            n++;
        }
    }
    (void)closedir(entries);
    *ret_n = n;
    return st;
}

struct lists {
    struct meter_list us, floor_us, ratios, wall_us;
};

static struct status
measure_round(const struct load *load, size_t round, int fd, struct lists *lists, size_t *total,
              struct diag *diag)
{
    char folder[PATH_MAX];
    double us = 0;
    double wall_us = 0;
    size_t n = 0;
    (void)snprintf(folder, sizeof(folder), "%s/%zu", load->log_path, round + 1);
    const int64_t before_ns = meter_self_cpu_ns();
    TRY(floor_of_folder(folder, fd, diag, &n));
    const double floor_us = (double)(meter_self_cpu_ns() - before_ns) / 1000;
    TRY(import_folder(load, folder, diag, &us, &wall_us));
    meter_list_add(&lists->us, us / (double)n);
    meter_list_add(&lists->floor_us, floor_us / (double)n);
    meter_list_add(&lists->ratios, us / floor_us);
    meter_list_add(&lists->wall_us, wall_us / (double)n);
    *total += n;
    return OK;
}

static void
show(const struct load *load, struct lists *lists, size_t total)
{
    char name[LOAD_NAME_MAX];
    meter_row(&(struct meter_row){.name = load_row_name(load, "CPU of a document", name),
                                  .value = meter_percentile(&lists->us, 0.5),
                                  .unit = "us",
                                  .floor = meter_percentile(&lists->floor_us, 0.5),
                                  .ratio = meter_percentile(&lists->ratios, 0.5),
                                  .n = total});
    meter_row(&(struct meter_row){.name = load_row_name(load, "documents a second", name),
                                  .value = 1e6 / meter_percentile(&lists->wall_us, 0.5),
                                  .unit = "/s",
                                  .n = total});
}

struct status
load_import(struct load *load, struct diag *diag)
{
    struct lists lists = {.us = {0}};
    char path[PATH_MAX];
    size_t total = 0;
    if (load->log_path == NULL || load->program == NULL) {
        return FAIL(diag, ERR_USAGE, "import wants --log, the folder of folders, and --program");
    }
    (void)snprintf(path, sizeof(path), "%s/floor.tmp", load->log_path);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct status st = fd < 0 ? FAIL(diag, ERR_IO, "%s: %s", path, strerror(errno)) : OK;
    for (size_t i = 0; is_ok(st) && i < load->rounds; i++) {
        st = measure_round(load, i, fd, &lists, &total, diag);
    }
    if (is_ok(st)) {
        show(load, &lists, total);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    meter_list_done(&lists.us);
    meter_list_done(&lists.floor_us);
    meter_list_done(&lists.ratios);
    meter_list_done(&lists.wall_us);
    return st;
}
