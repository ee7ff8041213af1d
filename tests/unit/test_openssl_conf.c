/*
 * A hostile openssl.cnf (OPENSSL_CONF) changes nothing: this program runs itself with one. First it
 * shows that the file bites where nobody defends; then that it is not even read after
 * tls_start_library; then that contexts prepared by us are what they must be although it was read.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "certs/tls.h"
#include "certs_world.h"
#include "tls_shake.h"
#include "unit.h"

extern char **environ;

static const char hostile[] = "openssl_conf = start\n"
                              "[start]\n"
                              "ssl_conf = protocols\n"
                              "[protocols]\n"
                              "system_default = everything\n"
                              "[everything]\n"
                              "MinProtocol = TLSv1\n"
                              "MaxProtocol = TLSv1.1\n"
                              "CipherString = ALL:aNULL:eNULL:@SECLEVEL=0\n"
                              "Options = UnsafeLegacyRenegotiation,UnsafeLegacyServerConnect\n"
                              "VerifyMode = Once\n";

enum child_exit { CHILD_UNTOUCHED = 40, CHILD_TOUCHED, CHILD_BROKEN };

static int
look_at_plain_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());

    if (context == NULL) {
        return CHILD_BROKEN;
    }
    const bool is_touched =
        SSL_CTX_get_min_proto_version(context) != 0 ||
        SSL_CTX_get_max_proto_version(context) != 0 || SSL_CTX_get_security_level(context) == 0 ||
        (SSL_CTX_get_options(context) & SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION) != 0;

    SSL_CTX_free(context);
    return is_touched ? CHILD_TOUCHED : CHILD_UNTOUCHED;
}

static bool
is_as_it_must_be(SSL_CTX *context, int verify_mode)
{
    return SSL_CTX_get_min_proto_version(context) == TLS1_2_VERSION &&
           SSL_CTX_get_max_proto_version(context) == TLS1_3_VERSION &&
           SSL_CTX_get_security_level(context) == 2 &&
           SSL_CTX_get_verify_mode(context) == verify_mode &&
           (SSL_CTX_get_options(context) &
            (SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION | SSL_OP_LEGACY_SERVER_CONNECT)) == 0;
}

/* Runs in the child, as a suite of its own. */
static void
test_prepared_contexts(void)
{
    SSL_CTX *server = tls_shake_server(world.red, world.trust, 1);
    SSL_CTX *client = tls_shake_client(world.blue, world.trust);

    CU_ASSERT(is_as_it_must_be(server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT));
    CU_ASSERT(is_as_it_must_be(client, SSL_VERIFY_PEER));
    CU_ASSERT(tls_shake(client, server).is_done);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

static struct status
start_library(void)
{
    struct diag diag = {0};

    return tls_start_library(&diag);
}

/* ---- the parent ---- */

static int
run_child(const char *mode)
{
    const char *const arguments[] = {"test_openssl_conf", mode, NULL};
    /* Not /proc/self/exe: that is valgrind where valgrind runs us. */
    const char *const self = program_invocation_name;
    pid_t pid = 0;
    int result = 0;

    CU_ASSERT_FATAL(
        posix_spawn(&pid, self, NULL, NULL, (char *const *)(uintptr_t)arguments, environ) == 0);
    CU_ASSERT_FATAL(waitpid(pid, &result, 0) == pid);
    CU_ASSERT(WIFEXITED(result));
    return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
}

static void
test_write_hostile(void)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/openssl.cnf", unit_temp_dir());
    FILE *file = fopen(path, "w");

    CU_ASSERT_FATAL(file != NULL);
    CU_ASSERT(fputs(hostile, file) >= 0 && fclose(file) == 0);
    CU_ASSERT(setenv("OPENSSL_CONF", path, 1) == 0);
}

static void
test_it_bites(void)
{
    CU_ASSERT(run_child("naked") == CHILD_TOUCHED);
}

static void
test_not_read(void)
{
    CU_ASSERT(run_child("started") == CHILD_UNTOUCHED);
}

static void
test_prepared(void)
{
    CU_ASSERT(run_child("prepared") == EXIT_SUCCESS);
}

static const struct unit_test tests[] = {
    {"write a hostile openssl.cnf", test_write_hostile},
    {"it bites who does not defend", test_it_bites},
    {"it is not read after our start", test_not_read},
    {"our contexts are what they must be although it was read", test_prepared},
};

static const struct unit_test prepared[] = {
    {"make the network's certificates", test_make_world},
    {"contexts", test_prepared_contexts},
    {"free the network's certificates", test_free_world},
};

int
main(int argc, char **argv)
{
    if (argc == 1) {
        return unit_main("openssl configuration", tests, ARRAY_LEN(tests));
    }
    if (strcmp(argv[1], "prepared") == 0) {
        return unit_main("under a hostile openssl.cnf", prepared, ARRAY_LEN(prepared));
    }
    if (strcmp(argv[1], "started") == 0 && !is_ok(start_library())) {
        return CHILD_BROKEN;
    }
    return look_at_plain_context();
}
