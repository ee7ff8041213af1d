/*
 * Contents of documents, and those of them that are too large for a row: files in a folder beside
 * the database, named by their SHA-256. Called by the store's calls on their own threads.
 *
 *   <store>.documents/new/<sha256>-XXXXXX   being stored; its writer holds a lock on it
 *   <store>.documents/<sha256>              stored
 *
 * A file is complete and synced before the row that needs it is committed. It keeps its name under
 * new/ until the commit is done: what a crash leaves there tells the next start which file may have
 * no row. Publishing and clearing away happen inside write transactions, one at a time.
 */
#include "store/sqlite_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- names ---- */

static struct status
failed(const char *what, const char *path, int error, struct diag *diag)
{
    return FAIL(diag, ERR_STORE, "cannot %s %s: %s", what, path, strerrordesc_np(error));
}

static struct status
path_of(const struct sqlite_store *store, const char *folder, const char *name, struct diag *diag,
        char ret_path[PATH_MAX])
{
    const int n = snprintf(ret_path, PATH_MAX, "%s.documents%s%s%s", store->path, folder,
                           name[0] == '\0' ? "" : "/", name);

    return n >= 0 && n < PATH_MAX
               ? OK
               : FAIL(diag, ERR_STORE, "the path of the store's folder of documents is too long");
}

static struct status
stored_path(const struct sqlite_store *store, const uint8_t sha256[SHA256_BYTES], struct diag *diag,
            char ret_path[PATH_MAX])
{
    char hex[SHA256_HEX];

    hex_encode(sha256, SHA256_BYTES, hex);
    return path_of(store, "", hex, diag, ret_path);
}

/* A name in a folder is as lasting as the folder. */
static struct status
sync_folder(const char *path, struct diag *diag)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_good = fd != -1 && fsync(fd) == 0;
    const int error = errno;

    if (fd != -1) {
        (void)close(fd);
    }
    return is_good ? OK : failed("sync", path, error, diag);
}

static struct status
make_folder(const char *path, struct diag *diag)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST ? OK : failed("make", path, errno, diag);
}

static struct status
make_folders(const struct sqlite_store *store, struct diag *diag)
{
    char path[PATH_MAX], parent[PATH_MAX];

    TRY(path_of(store, "", "", diag, path));
    TRY(make_folder(path, diag));
    (void)snprintf(parent, sizeof(parent), "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash != NULL) {
        slash[slash == parent ? 1 : 0] = '\0';
    }
    TRY(sync_folder(slash == NULL ? "." : parent, diag));
    TRY(path_of(store, "/new", "", diag, path));
    return make_folder(path, diag);
}

/* ---- digests, and the copy ---- */

struct copy {
    struct digest_stream *sha256, *sha1;
    int fd; /* -1: no copy */
    const char *path;
};

static struct status
write_all(const struct copy *copy, struct span bytes, struct diag *diag)
{
    struct span left = bytes;

    while (copy->fd != -1 && left.n > 0) {
        const ssize_t n = write(copy->fd, left.p, left.n);

        if (n == -1 && errno != EINTR) {
            return failed("write", copy->path, errno, diag);
        }
        left = span_slice(left, n == -1 ? 0 : (size_t)n, SIZE_MAX);
    }
    return OK;
}

static struct status
take_piece(void *arg, struct span piece, struct diag *diag)
{
    const struct copy *copy = arg;

    TRY(digest_stream_add(copy->sha256, piece, diag));
    TRY(digest_stream_add(copy->sha1, piece, diag));
    return write_all(copy, piece, diag);
}

static struct status
read_through(const struct body *body, int fd, const char *path, struct diag *diag,
             struct sqlite_content *content)
{
    CLEANUP(digest_stream_free_p) struct digest_stream *sha256 = NULL;
    CLEANUP(digest_stream_free_p) struct digest_stream *sha1 = NULL;
    char hex[SHA256_HEX];

    TRY(digest_stream_new(DIGEST_SHA256, diag, &sha256));
    TRY(digest_stream_new(DIGEST_SHA1, diag, &sha1));
    struct copy copy = {sha256, sha1, fd, path};

    TRY(body_each(body, take_piece, &copy, diag));
    TRY(digest_stream_end(sha256, diag, content->sha256));
    TRY(digest_stream_end_hex(sha1, diag, hex));
    memcpy(content->sha1, hex, sizeof(content->sha1));
    content->size = body->size;
    return OK;
}

/* A new name for it, which says what it is for. The lock stays with the descriptor. */
static struct status
name_by_digest(const struct sqlite_store *store, struct diag *diag, struct sqlite_content *content)
{
    const char *suffix = strrchr(content->path, '-');
    char hex[SHA256_HEX], name[SHA256_HEX + 16], path[PATH_MAX];

    hex_encode(content->sha256, SHA256_BYTES, hex);
    (void)snprintf(name, sizeof(name), "%s%.7s", hex, suffix == NULL ? "" : suffix);
    TRY(path_of(store, "/new", name, diag, path));
    if (rename(content->path, path) == -1) {
        return failed("rename", content->path, errno, diag);
    }
    memcpy(content->path, path, sizeof(path));
    TRY(path_of(store, "/new", "", diag, path));
    return sync_folder(path, diag);
}

static struct status
copy_to_file(const struct sqlite_store *store, const struct body *body, struct diag *diag,
             struct sqlite_content *content)
{
    TRY(make_folders(store, diag));
    TRY(path_of(store, "/new", "-XXXXXX", diag, content->path));
    content->fd = mkostemp(content->path, O_CLOEXEC);
    if (content->fd == -1) {
        return failed("make", content->path, errno, diag);
    }
    if (flock(content->fd, LOCK_EX | LOCK_NB) == -1) { /* nobody but a cleaner could have it */
        return FAIL(diag, ERR_STORE_BUSY, "another process clears away what is being stored");
    }
    TRY(read_through(body, content->fd, content->path, diag, content));
    if (fsync(content->fd) == -1) {
        return failed("sync", content->path, errno, diag);
    }
    return name_by_digest(store, diag, content);
}

struct status
sqlite_content_prepare(const struct sqlite_store *store, const struct body *body, struct diag *diag,
                       struct sqlite_content *ret_content)
{
    *ret_content = (struct sqlite_content){.fd = -1, .is_file = body->size >= SQLITE_FILE_LEAST};
    if (!ret_content->is_file) {
        return read_through(body, -1, "", diag, ret_content);
    }
    return copy_to_file(store, body, diag, ret_content);
}

static struct status
publish(const struct sqlite_store *store, struct sqlite_content *content, struct diag *diag)
{
    char path[PATH_MAX], folder[PATH_MAX];

    TRY(stored_path(store, content->sha256, diag, path));
    /* One that is there has no row: a crash left it, and nobody knows whether it is whole. */
    if (unlink(path) == -1 && errno != ENOENT) {
        return failed("remove", path, errno, diag);
    }
    if (link(content->path, path) == -1) {
        return failed("link", path, errno, diag);
    }
    content->is_published = true;
    TRY(path_of(store, "", "", diag, folder));
    return sync_folder(folder, diag);
}

/* A small one that is in a file was not kept in memory meanwhile: it is read again. */
static struct status
insert_bytes(struct db_conn *conn, int64_t row, const struct body *body,
             const struct sqlite_content *content, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};
    CLEANUP(buf_done) struct buf scratch;
    struct span bytes = SPAN_EMPTY;
    uint8_t sha256[SHA256_BYTES];

    buf_init_secret(&scratch, SQLITE_FILE_LEAST);
    TRY(body_span(body, &scratch, diag, &bytes));
    TRY(digest_sha256(bytes, diag, sha256));
    if (memcmp(sha256, content->sha256, SHA256_BYTES) != 0) {
        return FAIL(diag, ERR_STORE, "a document changed while it was stored");
    }
    db_prepare(conn, "INSERT INTO contents (document, bytes) VALUES (?, ?)", &query);
    db_int(&query, row);
    db_blob(&query, bytes);
    return db_run(&query, diag);
}

struct status
sqlite_content_put(const struct sqlite_store *store, struct db_conn *conn, int64_t row,
                   const struct body *body, struct sqlite_content *content, struct diag *diag)
{
    return content->is_file ? publish(store, content, diag)
                            : insert_bytes(conn, row, body, content, diag);
}

void
sqlite_content_done(struct sqlite_content *content, bool is_committed)
{
    /* Published and not committed: the name under new/ tells the next start. */
    if (content->fd != -1 && (is_committed || !content->is_published)) {
        (void)unlink(content->path);
    }
    if (content->fd != -1) {
        (void)close(content->fd);
    }
    content->fd = -1;
}

/* ---- reading ---- */

struct status
sqlite_content_open(const struct sqlite_store *store, const uint8_t sha256[SHA256_BYTES],
                    uint64_t size, struct diag *diag, struct body *ret_body)
{
    char path[PATH_MAX];

    TRY(stored_path(store, sha256, diag, path));
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1) {
        return FAIL(diag, ERR_STORE,
                    "the file of a stored document cannot be read: %s; restore the folder beside "
                    "the store from a backup",
                    strerrordesc_np(errno));
    }
    TRY(body_from_fd(ret_body, fd, diag));
    const struct status st =
        ret_body->size == size
            ? body_expect(ret_body, sha256, diag)
            : FAIL(diag, ERR_STORE,
                   "the file of a stored document has %llu bytes, not %llu; restore the folder "
                   "beside the store from a backup",
                   (unsigned long long)ret_body->size, (unsigned long long)size);
    if (!is_ok(st)) {
        body_done(ret_body);
    }
    return st;
}

/* ---- what a crash left ---- */

struct status
sqlite_content_find(struct db_conn *conn, const uint8_t sha256[SHA256_BYTES], struct diag *diag,
                    bool *ret_is_known)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn, "SELECT 1 FROM documents WHERE sha256 = ?", &query);
    db_blob(&query, span_of((const char *)sha256, SHA256_BYTES));
    return db_step(&query, diag, ret_is_known);
}

/* A file under new/ that nobody has locked is nobody's any more. */
static struct status
clear_one(const struct sqlite_store *store, struct db_conn *conn, const char *name,
          struct diag *diag)
{
    uint8_t sha256[SHA256_BYTES];
    char path[PATH_MAX], published[PATH_MAX];
    bool is_needed = true;

    TRY(path_of(store, "/new", name, diag, path));
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd == -1) {
        return OK; /* its writer was faster */
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
        (void)close(fd);
        return OK;
    }
    struct status st = OK;
    if (hex_decode(span_slice(span_of_cstr(name), 0, SHA256_HEX - 1), sha256, SHA256_BYTES)) {
        st = sqlite_content_find(conn, sha256, diag, &is_needed);
    }
    if (is_ok(st) && !is_needed) {
        st = stored_path(store, sha256, diag, published);
        if (is_ok(st)) {
            (void)unlink(published);
        }
    }
    if (is_ok(st)) {
        (void)unlink(path);
    }
    (void)close(fd);
    return st;
}

struct status
sqlite_files_clear(const struct sqlite_store *store, struct db_conn *conn, struct diag *diag)
{
    char path[PATH_MAX];
    struct status st = OK;

    TRY(path_of(store, "/new", "", diag, path));
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return OK; /* no large document was ever stored */
    }
    for (const struct dirent *entry = readdir(dir); is_ok(st) && entry != NULL;
         entry = readdir(dir)) {
        if (entry->d_name[0] != '.') {
            st = clear_one(store, conn, entry->d_name, diag);
        }
    }
    (void)closedir(dir);
    return st;
}

bool
sqlite_files_are_left(const struct sqlite_store *store)
{
    char path[PATH_MAX];
    struct diag diag = {0};
    bool are_left = false;

    if (!is_ok(path_of(store, "/new", "", &diag, path))) {
        return false;
    }
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return false;
    }
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        are_left = are_left || entry->d_name[0] != '.';
    }
    (void)closedir(dir);
    return are_left;
}
