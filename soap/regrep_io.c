/*
 * gSOAP as an in-memory codec: its input comes from a span, its output goes to a buffer. Called by
 * regrep_gsoap.c on any thread; each thread has one struct soap (164 KB), made at its first call
 * and destroyed when the thread ends. It is used within one call only.
 */
#include "soap/regrep_io.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

#include <stdsoap2.h>

#include "base/text.h"
#include "soap/regrep_payload.h"

/* gSOAP's own limits are 10000 levels (a crash on a small stack), 100000 elements of one kind and
 * strings without end. */
#define LEVELS_MAX 64
#define OCCURS_MAX ((int)REGREP_SIBLINGS_MAX)
#define STRING_MAX ((long)REGREP_TEXT_MAX)

#define SCRATCH_MAX ((size_t)512 * 1024 * 1024)

/* UTF-8 in char* (else gSOAP recodes to Latin-1); no id/href graphs; output as exclusive
 * canonicalisation would have it: namespaces where they are first used, no xsi attributes. */
#define SOAP_MODE (SOAP_C_UTFSTRING | SOAP_XML_TREE | SOAP_XML_CANONICAL | SOAP_XML_NOTYPE)

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

static void
free_soap(void *soap)
{
    soap_destroy(soap);
    soap_end(soap);
    soap_free(soap);
}

static void
make_key(void)
{
    has_key = pthread_key_create(&key, free_soap) == 0;
}

static struct soap *
thread_soap(void)
{
    (void)pthread_once(&key_once, make_key);
    if (!has_key) {
        return NULL;
    }
    struct soap *soap = pthread_getspecific(key);
    if (soap == NULL) {
        soap = soap_new1(SOAP_MODE);
        if (soap != NULL && pthread_setspecific(key, soap) != 0) {
            free_soap(soap);
            soap = NULL;
        }
    }
    return soap;
}

struct status
regrep_scratch_new(struct diag *diag, struct arena **ret_scratch)
{
    struct arena *scratch = arena_new(SCRATCH_MAX);
    if (scratch == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a RegRep message");
    }
    *ret_scratch = scratch;
    return OK;
}

void
regrep_scratch_free(struct arena **scratch)
{
    arena_free(*scratch);
    *scratch = NULL;
}

static size_t
on_receive(struct soap *soap, char *to, size_t n)
{
    struct regrep_call *call = soap->user;
    struct span part;
    if (!span_take(&call->in, n < call->in.n ? n : call->in.n, &part) || part.n == 0) {
        return 0;
    }
    memcpy(to, part.p, part.n);
    return part.n;
}

static int
on_send(struct soap *soap, const char *bytes, size_t n)
{
    struct regrep_call *call = soap->user;
    call->status = buf_append(call->out, span_of(bytes, n), call->diag);
    return is_ok(call->status) ? SOAP_OK : SOAP_EOF;
}

struct status
regrep_call_begin(struct regrep_call *call)
{
    struct soap *soap = thread_soap();
    call->soap = soap;
    call->status = OK;
    if (soap == NULL) {
        return FAIL(call->diag, ERR_NO_MEMORY, "no memory for a codec for RegRep messages");
    }
    soap->user = call;
    soap->frecv = on_receive;
    soap->fsend = on_send;
    soap->prolog = "";
    soap->maxlevel = LEVELS_MAX;
    soap->maxoccurs = OCCURS_MAX;
    soap->maxlength = STRING_MAX;
    soap_begin(soap);
    return OK;
}

void
regrep_call_end(struct regrep_call *call)
{
    if (call->soap != NULL) {
        call->soap->user = NULL;
        soap_destroy(call->soap);
        soap_end(call->soap);
        call->soap = NULL;
    }
}

struct status
regrep_call_read_failed(const struct regrep_call *call, enum err code, const char *element)
{
    const int error = call->soap->error;
    return FAIL(call->diag, error == SOAP_EOM ? ERR_NO_MEMORY : code,
                "reading %s: gSOAP error %d at <%.60s>, level %u", element, error, call->soap->tag,
                call->soap->level);
}

struct status
regrep_call_write_failed(const struct regrep_call *call, const char *element)
{
    TRY(call->status);
    const int error = call->soap->error;
    return FAIL(call->diag, error == SOAP_EOM ? ERR_NO_MEMORY : ERR_INTERNAL,
                "writing %s: gSOAP error %d", element, error);
}

/* ---- texts and records ---- */

struct status
regrep_keep(const struct regrep_reader *reader, const char *text, struct span *ret_text)
{
    if (text == NULL) {
        *ret_text = SPAN_EMPTY;
        return OK;
    }
    return arena_dup(reader->arena, span_of_cstr(text), reader->diag, ret_text);
}

struct status
regrep_keep_all(const struct regrep_reader *reader, const struct regrep_kept *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        TRY(regrep_keep(reader, pairs[i].from, pairs[i].to));
    }
    return OK;
}

void *
regrep_room(struct regrep_writer *w, size_t n, size_t size)
{
    if (!is_ok(w->status) || n == 0) {
        return NULL;
    }
    void *memory = n > INT_MAX / size ? NULL : soap_malloc(w->call.soap, n * size);
    if (memory == NULL) {
        w->status =
            FAIL(w->call.diag, ERR_NO_MEMORY, "no memory for %zu records of a RegRep message", n);
        return NULL;
    }
    memset(memory, 0, n * size);
    return memory;
}

static bool
is_writable(struct span text)
{
    struct span rest = text;
    uint32_t c = 0;
    while (text_take_char(&rest, &c)) {
        const bool is_space = c == '\t' || c == '\n' || c == '\r';
        if (c == TEXT_MALFORMED || (c < ' ' && !is_space) || c == 0xFFFE || c == 0xFFFF) {
            return false;
        }
    }
    return true;
}

char *
regrep_required(struct regrep_writer *w, struct span text)
{
    if (is_ok(w->status) && !is_writable(text)) {
        w->status = FAIL(w->call.diag, ERR_MESSAGE_CONTENT,
                         "a value of %zu bytes is not UTF-8 text that XML 1.0 can hold", text.n);
    }
    char *copy = regrep_room(w, text.n + 1, 1);
    if (copy != NULL && text.n > 0) {
        memcpy(copy, text.p, text.n);
    }
    return copy;
}

char *
regrep_optional(struct regrep_writer *w, struct span text)
{
    return text.n == 0 ? NULL : regrep_required(w, text);
}
