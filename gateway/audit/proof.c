/*
 * Making and checking proofs of single records. Made on the thread of whoever exports (blocking
 * reads), from one segment and the checkpoint that covers it; checked from the proof's text alone.
 */
#include "audit/proof.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "audit/chain.h"
#include "audit/merkle.h"
#include "base/jsonw.h"
#include "base/mem.h"

#define PROOF_FORMAT    "isthmus-audit-proof-1"
#define PROOF_BYTES_MAX ((size_t)32 * 1024 * 1024)

struct leaf {
    uint64_t offset;
    uint8_t hash[SHA256_BYTES];
};

struct journal_prover {
    struct journal_place place;
    char chain[JOURNAL_CHAIN_MAX + 1]; /* of the segment that is held; "": none */
    uint64_t first;                    /* its first sequence */
    struct leaf *leaves;               /* its records */
    size_t n, capacity;
    struct segment segment; /* for reading one of them */
    struct merkle_table table;
    struct checkpoint checkpoint; /* over the first table.n of them; sequence 0: none */
    struct buf statement;         /* the payload of its record */
    struct buf record;
};

/* ---- what is held of a segment ---- */

static void
forget(struct journal_prover *prover)
{
    prover->chain[0] = '\0';
    prover->n = 0;
    prover->checkpoint.sequence = 0;
    merkle_table_done(&prover->table);
    segment_close(&prover->segment);
}

static struct status
add_leaf(struct journal_prover *prover, const struct chain *chain, struct diag *diag)
{
    if (prover->n == prover->capacity) {
        const size_t wanted = prover->capacity == 0 ? 4096 : prover->capacity * 2;
        struct leaf *leaves = mem_resize(prover->leaves, wanted * sizeof(*leaves));
        if (leaves == NULL) {
            return FAIL(diag, ERR_NO_MEMORY, "no memory for %zu records of a segment", wanted);
        }
        prover->leaves = leaves;
        prover->capacity = wanted;
    }
    struct leaf *leaf = &prover->leaves[prover->n++];
    leaf->offset = chain->offset - chain->record.n;
    memcpy(leaf->hash, chain->previous, SHA256_BYTES);
    return OK;
}

/* A checkpoint over more of the segment than the one before is kept. What does not read as one is
 * for `verify` to say. */
static struct status
take_statement(struct journal_prover *prover, const struct chain *chain, struct diag *diag)
{
    struct checkpoint read;
    struct statement statement;
    struct diag ignored = {0};
    const struct span payload = chain_statement(chain);
    struct arena *arena = arena_new(2 * RECORD_PAYLOAD_MAX);
    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to read a checkpoint");
    }
    struct status st = OK;
    if (is_ok(statement_decode(payload, arena, &ignored, &statement)) &&
        is_ok(checkpoint_read(statement.text, &ignored, &read)) && read.segment == prover->first &&
        read.sequence < prover->first + prover->n) {
        prover->checkpoint = read;
        buf_reset(&prover->statement);
        st = buf_append(&prover->statement, payload, diag);
    } else if (ignored.code == ERR_NO_MEMORY) {
        st = FAIL(diag, ERR_NO_MEMORY, "%s", ignored.text);
    }
    arena_free(arena);
    return st;
}

/* The records of the segment, then what follows until the checkpoint of the whole is found. */
static struct status
walk(struct journal_prover *prover, struct chain *chain, uint64_t sequence, struct diag *diag)
{
    bool has = true;
    while (!prover->checkpoint.is_final || prover->checkpoint.sequence == 0) {
        TRY(chain_next(chain, diag, &has));
        if (!has) {
            return OK;
        }
        const bool is_inside = chain->segment.head.first_sequence == prover->first;
        if (is_inside) {
            TRY(add_leaf(prover, chain, diag));
        } else if (sequence >= prover->first + prover->n) {
            return OK;
        }
        if (chain->head.type == RECORD_STATEMENT) {
            TRY(take_statement(prover, chain, diag));
        }
    }
    return OK;
}

static struct status
make_table(struct journal_prover *prover, struct diag *diag)
{
    const size_t n = (size_t)(prover->checkpoint.sequence - prover->first + 1);
    uint8_t(*hashes)[SHA256_BYTES] = mem_alloc(n * SHA256_BYTES);
    if (hashes == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the hashes of %zu records", n);
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(hashes[i], prover->leaves[i].hash, SHA256_BYTES);
    }
    const struct status st =
        merkle_table_make((const uint8_t(*)[SHA256_BYTES])hashes, n, diag, &prover->table);
    mem_free(hashes);
    TRY(st);
    if (memcmp(merkle_table_root(&prover->table), prover->checkpoint.root, SHA256_BYTES) != 0) {
        return FAIL(diag, ERR_JOURNAL,
                    "chain %s, segment %" PRIu64 ": its records do not give the root that the "
                    "checkpoint over record %" PRIu64 " names; 'isthmus audit verify' says more",
                    prover->chain, prover->first, prover->checkpoint.sequence);
    }
    return OK;
}

/* The segment that holds <sequence>: begins with *ret_first. */
static struct status
find_segment(const struct journal_prover *prover, const char *chain, uint64_t sequence,
             struct diag *diag, uint64_t *ret_first)
{
    char folder[PATH_MAX];
    struct segment_list list;
    uint64_t first = 0;
    if (!journal_chain_is_valid(span_of_cstr(chain))) {
        return FAIL(diag, ERR_NOT_FOUND, "'%s' is no chain's name", chain);
    }
    TRY(journal_path(folder, prover->place.dir, chain, diag));
    TRY(segment_list_read(folder, diag, &list));
    for (size_t i = 0; i < list.n && list.items[i] <= sequence; i++) {
        first = list.items[i];
    }
    segment_list_done(&list);
    if (first == 0) {
        return FAIL(diag, ERR_NOT_FOUND, "chain '%s' has no record %" PRIu64, chain, sequence);
    }
    *ret_first = first;
    return OK;
}

static struct status
read_segment(struct journal_prover *prover, struct chain *chain, uint64_t sequence,
             struct diag *diag)
{
    TRY(walk(prover, chain, sequence, diag));
    if (sequence >= prover->first + prover->n) {
        return FAIL(diag, ERR_NOT_FOUND, "chain '%s' has no record %" PRIu64, prover->chain,
                    sequence);
    }
    if (prover->checkpoint.sequence < sequence) {
        return FAIL(diag, ERR_JOURNAL,
                    "no signed checkpoint covers record %s/%" PRIu64
                    " yet: they are written as audit.checkpoints of the configuration says",
                    prover->chain, sequence);
    }
    TRY(make_table(prover, diag));
    return segment_open(chain->folder, prover->chain, prover->first, false, diag, &prover->segment);
}

static struct status
load(struct journal_prover *prover, const char *name, uint64_t sequence, struct diag *diag)
{
    uint64_t first = 0;
    struct chain *chain = NULL;
    TRY(find_segment(prover, name, sequence, diag, &first));
    forget(prover);
    TRY(chain_open(&prover->place, name, first, diag, &chain));
    (void)snprintf(prover->chain, sizeof(prover->chain), "%s", name);
    prover->first = first;
    const struct status st = read_segment(prover, chain, sequence, diag);
    chain_close(chain);
    if (!is_ok(st)) {
        forget(prover);
    }
    return st;
}

static bool
holds(const struct journal_prover *prover, const char *chain, uint64_t sequence)
{
    return strcmp(prover->chain, chain) == 0 && sequence >= prover->first &&
           sequence <= prover->checkpoint.sequence;
}

/* ---- making ---- */

struct status
journal_prover_open(const struct journal_place *place, struct diag *diag,
                    struct journal_prover **ret_prover)
{
    struct journal_prover *prover = mem_alloc(sizeof(*prover));
    if (prover == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to prove records");
    }
    prover->place = *place;
    prover->segment.fd = -1;
    buf_init(&prover->statement, RECORD_PAYLOAD_MAX);
    buf_init_secret(&prover->record, RECORD_HEAD_BYTES + RECORD_PAYLOAD_MAX);
    *ret_prover = prover;
    return OK;
}

void
journal_prover_close(struct journal_prover *prover)
{
    if (prover == NULL) {
        return;
    }
    forget(prover);
    mem_free(prover->leaves);
    buf_done(&prover->statement);
    buf_done(&prover->record);
    mem_free(prover);
}

static struct status
read_record(struct journal_prover *prover, size_t index, struct diag *diag)
{
    enum record_verdict verdict = RECORD_GOOD;
    struct record_head head;
    TRY(segment_read(&prover->segment, prover->leaves[index].offset, &prover->record, diag,
                     &verdict, &head));
    if (verdict != RECORD_GOOD) {
        return FAIL(diag, ERR_JOURNAL, "segment %s, offset %" PRIu64 ": %s", prover->segment.path,
                    prover->leaves[index].offset, record_verdict_text(verdict));
    }
    return OK;
}

static struct status
write_head(struct journal_prover *prover, size_t index, struct buf *out, struct diag *diag)
{
    CLEANUP(buf_done) struct buf record;
    struct jsonw w;
    buf_init_secret(&record, PROOF_BYTES_MAX);
    TRY(base64_encode(buf_span(&prover->record), &record, diag));
    jsonw_init(&w, out, false, diag);
    jsonw_object(&w);
    jsonw_key_text(&w, "format", SPAN(PROOF_FORMAT));
    jsonw_key_text(&w, "chain", span_of_cstr(prover->chain));
    jsonw_key_int(&w, "sequence", (int64_t)(prover->first + index));
    jsonw_key_text(&w, "record", buf_span(&record));
    jsonw_key_int(&w, "segment", (int64_t)prover->first);
    jsonw_key_int(&w, "records", (int64_t)prover->table.n);
    struct merkle_path path;
    merkle_table_path(&prover->table, index, &path);
    jsonw_key(&w, "path");
    jsonw_array(&w);
    for (size_t i = 0; i < path.n; i++) {
        char hex[SHA256_HEX];
        hex_encode(path.steps[i], SHA256_BYTES, hex);
        jsonw_string(&w, span_of_cstr(hex));
    }
    jsonw_close(&w);
    jsonw_close(&w);
    return jsonw_finish(&w);
}

struct status
journal_prover_write(struct journal_prover *prover, const char *chain, uint64_t sequence,
                     struct buf *out, struct diag *diag)
{
    if (!holds(prover, chain, sequence)) {
        TRY(load(prover, chain, sequence, diag));
    }
    const size_t index = (size_t)(sequence - prover->first);
    CLEANUP(buf_done) struct buf head;
    buf_init_secret(&head, PROOF_BYTES_MAX);
    TRY(read_record(prover, index, diag));
    TRY(write_head(prover, index, &head, diag));
    /* The checkpoint as it stands in the chain, in place of the closing brace. */
    TRY(buf_append(out, span_slice(buf_span(&head), 0, head.n - 1), diag));
    TRY(buf_append_cstr(out, ",\"checkpoint\":", diag));
    TRY(buf_append(out, buf_span(&prover->statement), diag));
    return buf_append_char(out, '}', diag);
}

struct status
journal_prove(const struct journal_place *place, const char *chain, uint64_t sequence,
              struct buf *out, struct diag *diag)
{
    struct journal_prover *prover = NULL;
    TRY(journal_prover_open(place, diag, &prover));
    const struct status st = journal_prover_write(prover, chain, sequence, out, diag);
    journal_prover_close(prover);
    return st;
}

/* ---- checking ---- */

struct proof {
    const json_t *root;
    struct arena *arena;
    struct diag *diag;
};

static struct status
wrong(const struct proof *proof, const char *name, const char *expected)
{
    return FAIL(proof->diag, ERR_JOURNAL, "the proof's member '%s' is not %s", name, expected);
}

static struct span
text_of(const json_t *value)
{
    return json_is_string(value) ? span_of(json_string_value(value), json_string_length(value))
                                 : SPAN_EMPTY;
}

static struct status
read_number(const struct proof *proof, const char *name, uint64_t *ret_value)
{
    const json_t *value = json_object_get(proof->root, name);
    if (!json_is_integer(value) || json_integer_value(value) < 1) {
        return wrong(proof, name, "a number from 1 on");
    }
    *ret_value = (uint64_t)json_integer_value(value);
    return OK;
}

static struct status
read_path(const struct proof *proof, struct merkle_path *ret_path)
{
    const json_t *array = json_object_get(proof->root, "path");
    if (!json_is_array(array) || json_array_size(array) > MERKLE_DEPTH_MAX) {
        return wrong(proof, "path", "a list of at most 64 hashes");
    }
    ret_path->n = json_array_size(array);
    for (size_t i = 0; i < ret_path->n; i++) {
        if (!hex_decode(text_of(json_array_get(array, i)), ret_path->steps[i], SHA256_BYTES)) {
            return wrong(proof, "path", "a list of 64 hexadecimal digits each");
        }
    }
    return OK;
}

/* The record's bytes must be exactly one good record. */
static struct status
read_proven(const struct proof *proof, struct record_head *ret_head, struct span *ret_record)
{
    const struct span text = text_of(json_object_get(proof->root, "record"));
    uint8_t *bytes = NULL;
    size_t n = 0;
    TRY(arena_alloc(proof->arena, text.n + 1, proof->diag, (void **)&bytes));
    if (!base64_decode_into(text, bytes, text.n, &n) || n < RECORD_HEAD_BYTES) {
        return wrong(proof, "record", "a record in base64");
    }
    const struct span record = span_of((const char *)bytes, n);
    const enum record_verdict verdict = record_check(record, ret_head);
    if (verdict != RECORD_GOOD || n != RECORD_HEAD_BYTES + (size_t)ret_head->length) {
        return wrong(proof, "record", "one whole record: its length or its CRC-32C does not fit");
    }
    *ret_record = record;
    return OK;
}

static struct status
read_checkpoint(const struct proof *proof, const struct statement_judge *judge,
                struct checkpoint *ret_checkpoint)
{
    struct statement statement;
    TRY(statement_from_json(json_object_get(proof->root, "checkpoint"), proof->arena, proof->diag,
                            &statement));
    TRY(checkpoint_read(statement.text, proof->diag, ret_checkpoint));
    return judge->check(judge->arg, &statement, ret_checkpoint->time_us, proof->diag);
}

static struct status
check_place(const struct proof *proof, const struct record_head *head,
            const struct checkpoint *checkpoint)
{
    uint64_t sequence = 0;
    uint64_t segment = 0;
    uint64_t records = 0;
    TRY(read_number(proof, "sequence", &sequence));
    TRY(read_number(proof, "segment", &segment));
    TRY(read_number(proof, "records", &records));
    if (!span_eq_cstr(text_of(json_object_get(proof->root, "chain")), checkpoint->chain)) {
        return wrong(proof, "chain", "that of its checkpoint");
    }
    if (sequence != head->sequence) {
        return wrong(proof, "sequence", "that of its record");
    }
    if (segment != checkpoint->segment) {
        return wrong(proof, "segment", "that of its checkpoint");
    }
    if (records != checkpoint->sequence - checkpoint->segment + 1) {
        return wrong(proof, "records", "the number that its checkpoint covers of the segment");
    }
    if (sequence < segment || sequence > checkpoint->sequence) {
        return wrong(proof, "sequence", "one that its checkpoint covers");
    }
    return OK;
}

static struct status
check_root(const struct proof *proof, const struct statement_judge *judge,
           struct journal_proven *ret_proven)
{
    struct journal_proven proven = {0};
    struct record_head head = {0};
    struct span record;
    struct merkle_path path;
    uint8_t hash[SHA256_BYTES];
    if (!span_eq_cstr(text_of(json_object_get(proof->root, "format")), PROOF_FORMAT)) {
        return wrong(proof, "format", PROOF_FORMAT);
    }
    TRY(read_proven(proof, &head, &record));
    TRY(read_path(proof, &path));
    TRY(read_checkpoint(proof, judge, &proven.checkpoint));
    TRY(check_place(proof, &head, &proven.checkpoint));
    TRY(digest_sha256(record, proof->diag, hash));
    TRY(merkle_check(&path, proven.checkpoint.sequence - proven.checkpoint.segment + 1,
                     head.sequence - proven.checkpoint.segment, hash, proven.checkpoint.root,
                     proof->diag));
    proven.sequence = head.sequence;
    proven.time_us = head.wall_us;
    proven.type = head.type;
    proven.payload = span_slice(record, RECORD_HEAD_BYTES, record.n);
    hex_encode(hash, SHA256_BYTES, proven.hash);
    *ret_proven = proven;
    return OK;
}

struct status
journal_proof_check(struct span text, const struct statement_judge *judge, struct arena *arena,
                    struct diag *diag, struct journal_proven *ret_proven)
{
    json_error_t error;
    json_t *root = json_loadb(text.p == NULL ? "" : text.p, text.n, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        return FAIL(diag, ERR_JOURNAL, "the proof is not one JSON object; wrong at byte %d of %zu",
                    error.position, text.n);
    }
    const struct proof proof = {root, arena, diag};
    const struct status st = check_root(&proof, judge, ret_proven);
    json_decref(root);
    return st;
}
