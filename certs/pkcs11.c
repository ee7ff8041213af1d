/*
 * Keys in tokens. Called by credential.c while the configuration loads, on the main thread. The
 * engine and the module are loaded with the first such key and stay until the process ends, since
 * every key holds on to them.
 */
#include "certs/pkcs11.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/mem.h"
#include "certs/key.h"
#include "certs/openssl_error.h"

/* OpenSSL 3 calls the ENGINE interface deprecated; Debian has no PKCS#11 provider for 3.0. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

#define PKCS11_SCHEME "pkcs11:"
#define URI_MAX       1024

static ENGINE *engine;             /* NULL until the first key */
static char module_path[PATH_MAX]; /* of it */

bool
pkcs11_is_uri(const char *key)
{
    return span_starts_with(span_of_cstr(key), SPAN(PKCS11_SCHEME));
}

/* ---- the URI ---- */

/* What we take out of it: the engine gets the URI without, and the PIN from us. */
struct uri {
    char text[URI_MAX];
    char pin_path[PATH_MAX]; /* empty: none */
};

static struct status
copy_text(struct span text, char *ret_text, size_t size, struct diag *diag)
{
    if (text.n >= size) {
        return FAIL(diag, ERR_CREDENTIAL, "a PKCS#11 URI or path of %zu bytes; at most %zu", text.n,
                    size - 1);
    }
    memcpy(ret_text, text.p, text.n);
    ret_text[text.n] = '\0';
    return OK;
}

static struct status
take_attribute(struct span attribute, struct uri *uri, struct diag *diag)
{
    const struct span source = SPAN("pin-source=file:");

    if (span_starts_with(attribute, SPAN("pin-value="))) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "a PIN must not be in the configuration (pin-value); write "
                    "pin-source=file:/path or passphrase_file");
    }
    if (!span_starts_with(attribute, SPAN("pin-source="))) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "a PKCS#11 URI's query may have pin-source=file:/path only; for the module "
                    "there is pkcs11_module");
    }
    if (!span_starts_with(attribute, source) || attribute.n <= source.n ||
        attribute.p[source.n] != '/' || span_find_char(attribute, '%') != SPAN_MISSING) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "expected pin-source=file:/absolute/path without '%%' in a PKCS#11 URI");
    }
    return copy_text(span_slice(attribute, source.n, attribute.n), uri->pin_path,
                     sizeof(uri->pin_path), diag);
}

static struct status
read_uri(const char *text, struct diag *diag, struct uri *ret_uri)
{
    struct span rest = span_of_cstr(text), path = SPAN_EMPTY, attribute;

    *ret_uri = (struct uri){0};
    (void)span_split(&rest, '?', &path);
    if (span_find(path, SPAN("pin-value=")) != SPAN_MISSING ||
        span_find(path, SPAN("pin-source=")) != SPAN_MISSING) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "a PKCS#11 URI's pin-source comes after '?': "
                    "pkcs11:token=T;object=O?pin-source=file:/path");
    }
    TRY(copy_text(path, ret_uri->text, sizeof(ret_uri->text), diag));
    while (rest.n > 0 && span_split(&rest, '&', &attribute)) {
        TRY(take_attribute(attribute, ret_uri, diag));
    }
    return OK;
}

/* ---- the engine ---- */

static struct status
configure(ENGINE *candidate, const char *module, struct diag *diag)
{
    if (ENGINE_ctrl_cmd_string(candidate, "MODULE_PATH", module, 0) != 1) {
        return FAIL(diag, ERR_CREDENTIAL, "%s: cannot be a PKCS#11 module: %s", module,
                    openssl_error_take());
    }
    if (ENGINE_init(candidate) != 1) {
        return FAIL(diag, ERR_CREDENTIAL, "%s: the PKCS#11 module does not start: %s", module,
                    openssl_error_take());
    }
    return OK;
}

static struct status
open_engine(const char *module, struct diag *diag)
{
    if (engine != NULL) {
        return strcmp(module, module_path) == 0
                   ? OK
                   : FAIL(diag, ERR_CREDENTIAL,
                          "expected one PKCS#11 module for all keys, got %s beside %s", module,
                          module_path);
    }
    if (access(module, R_OK) != 0) { /* the engine would only fail later, and not say so */
        return FAIL(diag, ERR_CREDENTIAL, "%s: this PKCS#11 module is not there", module);
    }
    ENGINE_load_dynamic();
    ENGINE *candidate = ENGINE_by_id("pkcs11");

    if (candidate == NULL) {
        ERR_clear_error();
        return FAIL(diag, ERR_CREDENTIAL,
                    "OpenSSL's engine for PKCS#11 is not installed: apt-get install "
                    "libengine-pkcs11-openssl");
    }
    struct status st = configure(candidate, module, diag);

    if (is_ok(st)) {
        st = copy_text(span_of_cstr(module), module_path, sizeof(module_path), diag);
    }
    if (is_ok(st)) {
        engine = candidate; /* holds both references until the process ends */
    } else {
        ENGINE_free(candidate);
    }
    return st;
}

/* ---- the key ---- */

static struct status
load_with_pin(const struct uri *uri, struct span pin, struct diag *diag, EVP_PKEY **ret_key)
{
    struct buf text; /* the engine wants a C string */

    buf_init_secret(&text, KEY_PASSPHRASE_MAX + 1);
    struct status st = buf_append(&text, pin, diag);

    if (is_ok(st) && ENGINE_ctrl_cmd_string(engine, "PIN", text.p, 0) != 1) {
        st = FAIL(diag, ERR_CREDENTIAL, "%s: the PIN cannot be set: %s", uri->text,
                  openssl_error_take());
    }
    buf_done(&text);
    TRY(st);
    EVP_PKEY *key = ENGINE_load_private_key(engine, uri->text, NULL, NULL);

    if (key == NULL) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "%s: no such private key, or the PIN is wrong: %s; is the token there, and "
                    "what does 'pkcs11-tool --login --list-objects' show?",
                    uri->text, openssl_error_take());
    }
    ERR_clear_error();
    *ret_key = key;
    return OK;
}

struct status
pkcs11_load_key(const char *uri_text, const char *module, struct span pin, struct diag *diag,
                enum credential_file *ret_culprit, EVP_PKEY **ret_key)
{
    struct uri uri;
    struct buf own_pin;

    TRY(read_uri(uri_text, diag, &uri));
    ERR_clear_error();
    if (module == NULL) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "a key in a token needs pkcs11_module, the path of its shared object");
    }
    if (pin.n > 0 && uri.pin_path[0] != '\0') {
        return FAIL(diag, ERR_CREDENTIAL, "expected one PIN, got pin-source and a passphrase");
    }
    if (pin.n == 0 && uri.pin_path[0] == '\0') {
        return FAIL(diag, ERR_CREDENTIAL,
                    "a key in a token needs its PIN: ?pin-source=file:/path, passphrase_file or "
                    "passphrase_env");
    }
    *ret_culprit = CREDENTIAL_FILE_MODULE;
    TRY(open_engine(module, diag));
    *ret_culprit = CREDENTIAL_FILE_KEY;
    key_passphrase_init(&own_pin);
    struct status st = pin.n > 0 ? OK : key_read_passphrase(uri.pin_path, NULL, &own_pin, diag);

    if (is_ok(st)) {
        st = load_with_pin(&uri, pin.n > 0 ? pin : buf_span(&own_pin), diag, ret_key);
    }
    buf_done(&own_pin);
    return st;
}
