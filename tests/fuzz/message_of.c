/*
 * Puts an input into an envelope (see the header). The envelope is written by our own writer.
 */
#include "fuzz/message_of.h"

#include "soap/envelope.h"
#include "soap/security.h"

void
message_library_init(void)
{
    struct diag diag = {0};
    FUZZ_MUST(is_ok(soap_library_init(&diag)), "%s", diag.text);
}

/* An envelope cannot stand around an XML declaration. */
static struct span
without_declaration(struct span xml)
{
    const size_t end = span_find(xml, SPAN("?>"));
    return span_starts_with(xml, SPAN("<?xml")) && end != SPAN_MISSING
               ? span_slice(xml, end + 2, xml.n)
               : xml;
}

struct message *
message_of(struct span payload, bool is_answer, struct arena *arena)
{
    const struct envelope_request request = {
        .action = SPAN("urn:test"),
        .to = SPAN("https://test.example"),
        .message_id = SPAN("urn:uuid:00000000-0000-4000-8000-000000000001"),
        .payload = without_declaration(payload),
    };
    const struct message_limits limits =
        is_answer ? message_limits_answer() : message_limits_request((size_t)1024 * 1024);
    struct diag diag = {0};
    struct message *message = NULL;
    struct span xml = SPAN_EMPTY;
    struct buf out;
    buf_init(&out, (size_t)2 * 1024 * 1024);
    FUZZ_MUST(is_ok(envelope_write_request(&request, &out, &diag)) &&
                  is_ok(arena_dup(arena, buf_span(&out), &diag, &xml)),
              "%s", diag.text);
    buf_done(&out);
    const struct status st =
        message_read(xml, SPAN(SOAP_CONTENT_TYPE), &limits, arena, &diag, &message);
    fuzz_check_refusal(st, &diag);
    return is_ok(st) ? message : NULL;
}

struct message *
message_again(const struct buf *out, bool is_answer, struct arena *arena)
{
    struct message *const message = message_of(buf_span(out), is_answer, arena);
    FUZZ_MUST(message != NULL, "what we write is no payload\n%.*s", SPAN_PRINT(buf_span(out)));
    return message;
}

int
message_each(const uint8_t *bytes, size_t n, bool is_answer,
             void (*check)(const struct message *message, struct arena *arena))
{
    struct arena *const arena = fuzz_arena();
    const struct message *const message =
        message_of(span_of((const char *)bytes, n), is_answer, arena);
    if (message != NULL) {
        check(message, arena);
    }
    arena_free(arena);
    return 0;
}
