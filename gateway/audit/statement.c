/*
 * Statements: their texts, and the JSON that carries text and signature. Written by the sealer,
 * read by verification and proofs; on the caller's thread, into the caller's buffers and arena.
 */
#include "audit/statement.h"

#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "base/datetime.h"
#include "base/jsonw.h"
#include "base/mem.h"

#define CHECKPOINT_TITLE "isthmus audit checkpoint 1"
#define REMOVAL_TITLE    "isthmus audit removal 1"
#define SEGMENT_KEY      "segment: "

/* ---- writing ---- */

struct status
checkpoint_write(const struct checkpoint *checkpoint, struct buf *out, struct diag *diag)
{
    char hash[SHA256_HEX];
    char root[SHA256_HEX];
    char time[DATETIME_MAX];
    hex_encode(checkpoint->hash, SHA256_BYTES, hash);
    hex_encode(checkpoint->root, SHA256_BYTES, root);
    datetime_write_xs(checkpoint->time_us, time);
    return buf_printf(out, diag,
                      CHECKPOINT_TITLE "\nchain: %s\nsequence: %" PRIu64
                                       "\nhash: %s\nsegment: %" PRIu64
                                       "\nroot: %s\nfinal: %s\ntime: %s\n",
                      checkpoint->chain, checkpoint->sequence, hash, checkpoint->segment, root,
                      checkpoint->is_final ? "yes" : "no", time);
}

struct status
removal_write(const struct removal *removal, struct buf *out, struct diag *diag)
{
    char previous[SHA256_HEX];
    char time[DATETIME_MAX];
    hex_encode(removal->previous, SHA256_BYTES, previous);
    datetime_write_xs(removal->time_us, time);
    TRY(buf_printf(out, diag,
                   REMOVAL_TITLE "\nchain: %s\nbegins: %" PRIu64 "\nprevious: %s\ntime: %s\n",
                   removal->chain, removal->begins, previous, time));
    return buf_append(out, removal->segments, diag);
}

struct status
removal_add_segment(const struct removal_segment *segment, struct buf *lines, struct diag *diag)
{
    char hash[SHA256_HEX];
    char root[SHA256_HEX];
    hex_encode(segment->hash, SHA256_BYTES, hash);
    hex_encode(segment->root, SHA256_BYTES, root);
    return buf_printf(lines, diag, SEGMENT_KEY "%" PRIu64 " %" PRIu64 " %s %s %s\n", segment->first,
                      segment->last, hash, root, segment->is_archived ? "archived" : "deleted");
}

/* ---- reading ---- */

struct lines {
    struct span rest;
    struct diag *diag;
};

static struct status
wrong(struct diag *diag, const char *key, const char *expected)
{
    return FAIL(diag, ERR_JOURNAL, "a signed statement of the audit: line '%s' is not %s", key,
                expected);
}

/* The next line, without its end; every line has one. */
static bool
take_line(struct span *rest, struct span *ret_line)
{
    const size_t end = span_find_char(*rest, '\n');
    return end != SPAN_MISSING && span_take(rest, end, ret_line) &&
           span_take(rest, 1, &(struct span){NULL, 0});
}

/* "key: value" */
static struct status
take(struct lines *in, const char *key, struct span *ret_value)
{
    struct span line;
    const struct span name = span_of_cstr(key);
    if (!take_line(&in->rest, &line) || !span_starts_with(line, name) ||
        !span_starts_with(span_slice(line, name.n, line.n), SPAN(": "))) {
        return wrong(in->diag, key, "there");
    }
    *ret_value = span_slice(line, name.n + 2, line.n);
    return OK;
}

static struct status
take_number(struct lines *in, const char *key, uint64_t *ret_value)
{
    struct span value;
    TRY(take(in, key, &value));
    return span_to_u64(value, INT64_MAX, ret_value) && *ret_value > 0
               ? OK
               : wrong(in->diag, key, "a number from 1 on");
}

static struct status
take_hash(struct lines *in, const char *key, uint8_t ret_hash[SHA256_BYTES])
{
    struct span value;
    TRY(take(in, key, &value));
    return hex_decode(value, ret_hash, SHA256_BYTES)
               ? OK
               : wrong(in->diag, key, "64 hexadecimal digits");
}

static struct status
take_time(struct lines *in, const char *key, int64_t *ret_us)
{
    struct span value;
    TRY(take(in, key, &value));
    return datetime_read_xs(value, ret_us) ? OK : wrong(in->diag, key, "a time");
}

static struct status
take_chain(struct lines *in, char ret_chain[JOURNAL_CHAIN_MAX + 1])
{
    struct span value;
    TRY(take(in, "chain", &value));
    if (!journal_chain_is_valid(value)) {
        return wrong(in->diag, "chain", "a chain's name");
    }
    memcpy(ret_chain, value.p, value.n);
    ret_chain[value.n] = '\0';
    return OK;
}

static bool
begins_with_line(struct span text, const char *title)
{
    struct span line;
    return take_line(&text, &line) && span_eq_cstr(line, title);
}

struct status
statement_kind_of(struct span text, struct diag *diag, enum statement_kind *ret_kind)
{
    if (begins_with_line(text, CHECKPOINT_TITLE)) {
        *ret_kind = STATEMENT_CHECKPOINT;
    } else if (begins_with_line(text, REMOVAL_TITLE)) {
        *ret_kind = STATEMENT_REMOVAL;
    } else {
        return FAIL(diag, ERR_JOURNAL,
                    "a signed statement of the audit: its first line is neither '%s' nor '%s'",
                    CHECKPOINT_TITLE, REMOVAL_TITLE);
    }
    return OK;
}

static struct status
begin(struct span text, enum statement_kind wanted, struct diag *diag, struct lines *ret_lines)
{
    enum statement_kind kind = STATEMENT_CHECKPOINT;
    struct span title;
    TRY(statement_kind_of(text, diag, &kind));
    if (kind != wanted) {
        return FAIL(diag, ERR_JOURNAL, "a signed statement of the audit: it is %s",
                    kind == STATEMENT_REMOVAL ? "about a removal, not a checkpoint"
                                              : "a checkpoint, not about a removal");
    }
    *ret_lines = (struct lines){text, diag};
    (void)take_line(&ret_lines->rest, &title);
    return OK;
}

struct status
checkpoint_read(struct span text, struct diag *diag, struct checkpoint *ret_checkpoint)
{
    struct checkpoint read = {.is_final = false};
    struct lines in;
    struct span final;
    TRY(begin(text, STATEMENT_CHECKPOINT, diag, &in));
    TRY(take_chain(&in, read.chain));
    TRY(take_number(&in, "sequence", &read.sequence));
    TRY(take_hash(&in, "hash", read.hash));
    TRY(take_number(&in, "segment", &read.segment));
    TRY(take_hash(&in, "root", read.root));
    TRY(take(&in, "final", &final));
    TRY(take_time(&in, "time", &read.time_us));
    read.is_final = span_eq_cstr(final, "yes");
    if (!read.is_final && !span_eq_cstr(final, "no")) {
        return wrong(diag, "final", "yes or no");
    }
    if (read.segment > read.sequence) {
        return wrong(diag, "segment", "at most the sequence");
    }
    if (in.rest.n != 0) {
        return wrong(diag, "time", "the last");
    }
    *ret_checkpoint = read;
    return OK;
}

bool
removal_next_segment(struct span *lines, struct removal_segment *ret_segment)
{
    struct removal_segment read = {0};
    struct span line;
    struct span parts[5];
    struct span rest = *lines;
    if (!take_line(&rest, &line) || !span_starts_with(line, SPAN(SEGMENT_KEY))) {
        return false;
    }
    line = span_slice(line, sizeof(SEGMENT_KEY) - 1, line.n);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (!span_split(&line, ' ', &parts[i])) {
            return false;
        }
    }
    read.is_archived = span_eq_cstr(parts[4], "archived");
    if (line.p != NULL || !span_to_u64(parts[0], INT64_MAX, &read.first) ||
        !span_to_u64(parts[1], INT64_MAX, &read.last) ||
        !hex_decode(parts[2], read.hash, SHA256_BYTES) ||
        !hex_decode(parts[3], read.root, SHA256_BYTES) ||
        (!read.is_archived && !span_eq_cstr(parts[4], "deleted"))) {
        return false;
    }
    *lines = rest;
    *ret_segment = read;
    return true;
}

struct status
removal_read(struct span text, struct diag *diag, struct removal *ret_removal)
{
    struct removal read = {.begins = 0};
    struct removal_segment segment = {0};
    struct lines in;
    TRY(begin(text, STATEMENT_REMOVAL, diag, &in));
    TRY(take_chain(&in, read.chain));
    TRY(take_number(&in, "begins", &read.begins));
    TRY(take_hash(&in, "previous", read.previous));
    TRY(take_time(&in, "time", &read.time_us));
    read.segments = in.rest;
    while (removal_next_segment(&in.rest, &segment)) {
    }
    if (in.rest.n != 0 || segment.last + 1 != read.begins ||
        memcmp(segment.hash, read.previous, SHA256_BYTES) != 0) {
        return wrong(diag, "segment", "one that ends before the chain begins");
    }
    *ret_removal = read;
    return OK;
}

/* ---- under a signature ---- */

static void
write_base64(struct jsonw *w, const char *key, struct span bytes)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, 2 * bytes.n + 8);
    const struct status st = base64_encode(bytes, &text, w->diag);
    if (is_ok(st)) {
        jsonw_key_text(w, key, buf_span(&text));
    } else if (is_ok(w->status)) {
        w->status = st;
    }
}

struct status
statement_encode(const struct statement *statement, struct buf *payload, struct diag *diag)
{
    struct jsonw w;
    char fingerprint[SHA256_HEX];
    TRY(digest_sha256_hex(statement->certificate, diag, fingerprint));
    jsonw_init(&w, payload, false, diag);
    jsonw_object(&w);
    jsonw_key_text(&w, "statement", statement->text);
    jsonw_key_text(&w, "algorithm", statement->algorithm);
    write_base64(&w, "signature", statement->signature);
    jsonw_key_text(&w, "certificate_sha256", span_of_cstr(fingerprint));
    write_base64(&w, "certificate", statement->certificate);
    jsonw_close(&w);
    return jsonw_finish(&w);
}

struct status
statement_sign(const struct statement_signer *signer, struct span text, struct buf *payload,
               struct diag *diag)
{
    CLEANUP(buf_done) struct buf certificate;
    CLEANUP(buf_done) struct buf signature;
    char algorithm[STATEMENT_ALGORITHM_MAX] = "";
    buf_init(&certificate, 64 * 1024);
    buf_init(&signature, STATEMENT_SIGNATURE_MAX);
    TRY(signer->sign(signer->arg, text, &certificate, algorithm, &signature, diag));
    const struct statement statement = {
        .text = text,
        .certificate = buf_span(&certificate),
        .algorithm = span_of_cstr(algorithm),
        .signature = buf_span(&signature),
    };
    return statement_encode(&statement, payload, diag);
}

static struct status
read_member(const json_t *root, const char *name, struct arena *arena, struct diag *diag,
            struct span *ret_text)
{
    const json_t *value = json_object_get(root, name);
    if (!json_is_string(value) || json_string_length(value) == 0) {
        return FAIL(diag, ERR_JOURNAL, "a signed statement of the audit: member '%s' is no text",
                    name);
    }
    return arena_dup(arena, span_of(json_string_value(value), json_string_length(value)), diag,
                     ret_text);
}

static struct status
read_base64(const json_t *root, const char *name, struct arena *arena, struct diag *diag,
            struct span *ret_bytes)
{
    struct span text;
    uint8_t *bytes = NULL;
    size_t n = 0;
    TRY(read_member(root, name, arena, diag, &text));
    TRY(arena_alloc(arena, text.n, diag, (void **)&bytes));
    if (!base64_decode_into(text, bytes, text.n, &n)) {
        return FAIL(diag, ERR_JOURNAL, "a signed statement of the audit: member '%s' is no base64",
                    name);
    }
    *ret_bytes = span_of((const char *)bytes, n);
    return OK;
}

struct status
statement_from_json(const json_t *root, struct arena *arena, struct diag *diag,
                    struct statement *ret_statement)
{
    struct statement read;
    struct span fingerprint;
    char actual[SHA256_HEX];
    TRY(read_member(root, "statement", arena, diag, &read.text));
    TRY(read_member(root, "algorithm", arena, diag, &read.algorithm));
    TRY(read_base64(root, "signature", arena, diag, &read.signature));
    TRY(read_base64(root, "certificate", arena, diag, &read.certificate));
    TRY(read_member(root, "certificate_sha256", arena, diag, &fingerprint));
    TRY(digest_sha256_hex(read.certificate, diag, actual));
    if (!span_eq_cstr(fingerprint, actual)) {
        return FAIL(diag, ERR_JOURNAL,
                    "a signed statement of the audit: 'certificate_sha256' is not that of its "
                    "certificate");
    }
    *ret_statement = read;
    return OK;
}

struct status
statement_decode(struct span payload, struct arena *arena, struct diag *diag,
                 struct statement *ret_statement)
{
    json_error_t error;
    json_t *root =
        json_loadb(payload.p == NULL ? "" : payload.p, payload.n, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        return FAIL(diag, ERR_JOURNAL,
                    "a signed statement of the audit: not one JSON object; wrong at byte %d of %zu",
                    error.position, payload.n);
    }
    const struct status st = statement_from_json(root, arena, diag, ret_statement);
    json_decref(root);
    return st;
}
