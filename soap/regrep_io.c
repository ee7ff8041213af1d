/*
 * gSOAP as an in-memory codec: its input comes from a span, its output goes to a buffer. Called by
 * regrep_gsoap.c on any thread; each thread has one struct soap (164 KB), made at its first call
 * and destroyed when the thread ends. It is used within one call only.
 */
#include "soap/regrep_io.h"

#include <pthread.h>
#include <string.h>

#include <stdsoap2.h>

/* gSOAP's own limits are 10000 levels (a crash on a small stack), 100000 elements of one kind and
 * strings without end. */
#define LEVELS_MAX 64
#define OCCURS_MAX 50000
#define STRING_MAX (1024L * 1024L)

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
        return FAIL(call->diag, ERR_NO_MEMORY, "a codec for RegRep messages");
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
