/*
 * isthmus decode on what was not made for it: garbage, genuine messages with bytes changed, and the
 * samples of the test data. It must explain each, and neither crash nor print broken JSON.
 */
#include <dirent.h>
#include <string.h>

#include "cli/cli.h"
#include "decode_kit.h"

static void
test_garbage(void)
{
    static const char *const rows[] = {
        "<",
        "--",
        "-- ",
        "HTTP/",
        "HTTP/1.1 200",
        "POST / HTTP/1.1",
        "POST / HTTP/1.1\r\n\r\n",
        "GET  HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "\n",
        "\r\n\r\n",
        ":",
        "Content-Type: multipart/related\r\n\r\nx",
        "--b\r\n\r\n--b--",
        "<a/>",
        "<a xmlns='urn:x'><b/>",
        "\xff\xfe\x00",
        "Content-Length: 99999999999999999999\r\n\r\n<a/>",
        "<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Body><a/></e:Body>"
        "</e:Envelope>",
        "<s:Assertion xmlns:s='urn:oasis:names:tc:SAML:2.0:assertion'><d:Signature "
        "xmlns:d='http://www.w3.org/2000/09/xmldsig#'/></s:Assertion>",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *const file = decode_write_file("garbage", span_of_cstr(rows[i]));
        const struct decode_run_result alone = decode_run(file, "--json");
        const struct decode_run_result full = decode_run(file, "--json -c CONFIG --as-partner red");

        CU_ASSERT_EQUAL(alone.exit_code, CLI_DONE);
        CU_ASSERT_EQUAL(full.exit_code, CLI_DONE);
        json_decref(decode_load(&alone));
        json_decref(decode_load(&full));
    }
    CU_ASSERT_EQUAL(decode_run(decode_write_file("empty", SPAN_EMPTY), "").exit_code, CLI_FAILED);
    CU_ASSERT_EQUAL(decode_run("/nonexistent/file", "").exit_code, CLI_FAILED);
    CU_ASSERT_EQUAL(decode_run("-c", "").exit_code, CLI_USAGE);
}

static void
check_damaged(struct span body, size_t at, bool is_signed)
{
    const struct decode_run_result run =
        decode_run(decode_write_file("damaged", body), "--json -c CONFIG --as-partner red");
    json_auto_t *root = decode_load(&run);
    const json_t *const verdict = json_object_get(root, "verdict");
    const bool is_refused = strcmp(decode_json_text(verdict, "verdict"), "refused") == 0;

    CU_ASSERT_EQUAL(run.exit_code, CLI_DONE);
    CU_ASSERT(decode_agrees(root));
    CU_ASSERT(is_refused || !is_signed);
    if (!decode_agrees(root) || (is_signed && !is_refused)) {
        printf("byte %zu:\n%.*s\n", at, SPAN_PRINT(run.out));
    }
}

/* One byte changed, at a fixed pace through a genuine message: the checks agree with the verdict,
 * and what is damaged inside of the assertion is refused. (Not so in its signature's KeyInfo, which
 * is a hint and not signed: a certificate of other bytes around the registered key is as good.) */
static void
test_damage_everywhere(void)
{
    const struct span body = decode_net.sent[SOAP_ITI_55].body;
    const size_t start = span_find(body, SPAN("<saml2:Assertion"));
    const size_t end = span_find(body, SPAN("</saml2:Assertion>"));
    const size_t hint = span_find(body, SPAN("<ds:KeyInfo"));
    const size_t hint_end = span_find(body, SPAN("</ds:KeyInfo>"));
    char *const bytes = (char *)decode_keep(body).p;

    CU_ASSERT_FATAL(start < hint && hint < hint_end && hint_end < end && end != SPAN_MISSING);
    for (size_t at = 7; at < body.n; at += body.n / 60) {
        const char kept = bytes[at];

        bytes[at] = (char)(kept ^ 0x15);
        const bool is_hint = at >= hint && at < hint_end;
        check_damaged(span_of(bytes, body.n), at, at >= start && at < end && !is_hint);
        bytes[at] = kept;
    }
}

static void
decode_samples(const char *folder, size_t *n)
{
    const char *const dir = unit_data_path(folder);
    DIR *const open = dir == NULL ? NULL : opendir(dir);
    struct dirent *entry;

    while (open != NULL && (entry = readdir(open)) != NULL) {
        const struct span path = decode_text("%s/%s", dir, entry->d_name);

        if (span_ends_with(path, SPAN(".xml"))) {
            const struct decode_run_result run = decode_run(path.p, "--json -c CONFIG");

            CU_ASSERT_EQUAL(run.exit_code, CLI_DONE);
            json_decref(decode_load(&run));
            *n += 1;
        }
    }
    if (open != NULL) {
        (void)closedir(open);
    }
}

static void
test_samples_of_the_test_data(void)
{
    size_t n = 0;

    if (unit_data_path("ihe/samples") == NULL) {
        return;
    }
    decode_samples("ihe/samples/epr-by-example", &n);
    decode_samples("ihe/samples/ipf", &n);
    decode_samples("ihe/samples/sds-ehdsi", &n);
    decode_samples("ihe/samples/ipf-hl7v3/iti55", &n);
    CU_ASSERT(n >= 50);
}

#define TEST(name)                                                                                 \
    {                                                                                              \
#name, test_##name                                                                         \
    }
static const struct unit_test tests[] = {
    {"make_network", decode_open},   TEST(garbage),
    TEST(damage_everywhere),         TEST(samples_of_the_test_data),
    {"close_network", decode_close},
};
UNIT_MAIN("decode_hostile", tests)
