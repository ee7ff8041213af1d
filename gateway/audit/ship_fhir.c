/*
 * The FHIR feed's sender (see ship_fhir.h). Called by ship.c on the destination's thread. It owns
 * the client, one buffer for what is sent, and the list of records that were answered out of order:
 * shipping takes only a first part of a batch, so whoever was accepted behind one that was not is
 * remembered here and not sent a second time.
 */
#include "audit/ship_fhir.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/fhir_answer.h"
#include "audit/ship_queue.h"
#include "base/mem.h"
#include "out/post.h"

#define BODY_BYTES_MAX  ((size_t)96 * 1024 * 1024) /* a record of 8 MiB, every byte escaped */
#define BATCH_BYTES     ((size_t)2 * 1024 * 1024)  /* a Bundle is closed when it has so many */
#define ANSWER_BYTES    ((size_t)4 * 1024 * 1024)
#define RETRY_AFTER_MAX (3600 * US_PER_S) /* a repository that asks for more is asked before */
#define URL_MAX         1024
#define SINGLES         1000 /* records, then a repository that took no batch gets one again */

#define BATCH_START "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":["
#define BATCH_END   "]}"

struct feed {
    struct ship_sender sender; /* first member */
    struct poster *poster;
    char *url; /* without a slash at its end */
    char *source_id, *enterprise_site;
    struct audit_source source;
    enum audit_fhir_ids ids;
    int64_t not_before_us; /* mono: the repository asked for a pause until then */
    size_t singles;        /* so many of the next records go one by one: a batch was not taken */
    struct buf body;
    /* answered, but behind one that was not */
    struct ship_mark done[SHIP_BATCH_RECORDS];
    size_t done_n;
};

/* The records of one request. */
struct batch {
    size_t at[SHIP_BATCH_RECORDS]; /* their places among what send was given */
    size_t n;
};

/* ---- what is answered ---- */

static bool
is_mark_of(const struct ship_mark *mark, const struct ship_record *record)
{
    return mark->sequence == record->sequence && strcmp(mark->chain, record->chain) == 0 &&
           strcmp(mark->hash, record->hash) == 0;
}

static size_t
find_done(const struct feed *feed, const struct ship_record *record)
{
    size_t i = 0;
    while (i < feed->done_n && !is_mark_of(&feed->done[i], record)) {
        i++;
    }
    return i;
}

static bool
is_done(const struct feed *feed, const struct ship_record *record)
{
    return find_done(feed, record) < feed->done_n;
}

static void
forget(struct feed *feed, size_t at)
{
    feed->done_n--;
    memmove(&feed->done[at], &feed->done[at + 1], (feed->done_n - at) * sizeof(feed->done[0]));
}

static void
note_done(struct feed *feed, const struct ship_record *record)
{
    if (is_done(feed, record)) {
        return;
    }
    if (feed->done_n == SHIP_BATCH_RECORDS) { /* the oldest was never asked for again */
        forget(feed, 0);
    }
    struct ship_mark *mark = &feed->done[feed->done_n++];
    (void)snprintf(mark->chain, sizeof(mark->chain), "%s", record->chain);
    (void)snprintf(mark->hash, sizeof(mark->hash), "%s", record->hash);
    mark->sequence = record->sequence;
}

/* So many of the first are answered; they need not be remembered. */
static size_t
take_first(struct feed *feed, const struct ship_record *records, size_t n)
{
    size_t taken = 0;
    while (taken < n) {
        const size_t at = find_done(feed, &records[taken]);
        if (at == feed->done_n) {
            break;
        }
        forget(feed, at);
        taken++;
    }
    return taken;
}

/* ---- what is sent ---- */

static struct status
append_resource(struct feed *feed, const struct ship_record *record, struct diag *diag)
{
    const struct audit_record_id id = {record->chain, record->sequence, record->hash};
    return audit_fhir_write(record->event, &feed->source, &id, feed->ids, &feed->body, diag);
}

static struct status
append_entry(struct feed *feed, const struct ship_record *record, bool is_first, struct diag *diag)
{
    const struct audit_record_id id = {record->chain, record->sequence, record->hash};
    const bool is_put = feed->ids == AUDIT_FHIR_PUT;
    char uuid[UUID_TEXT];
    TRY(audit_fhir_uuid(&id, diag, uuid));
    TRY(buf_printf(&feed->body, diag,
                   "%s{\"fullUrl\":\"urn:uuid:%s\",\"resource\":", is_first ? "" : ",", uuid));
    TRY(append_resource(feed, record, diag));
    return buf_printf(&feed->body, diag,
                      ",\"request\":{\"method\":\"%s\",\"url\":\"AuditEvent%s%s\"}}",
                      is_put ? "PUT" : "POST", is_put ? "/" : "", is_put ? uuid : "");
}

/* A record that cannot be rendered will never be. */
static bool
is_never(struct status st)
{
    return st.code == ERR_LIMIT_BUFFER || st.code == ERR_LIMIT_ARENA;
}

static void
refuse(struct feed *feed, const struct ship_record *record, const struct diag *why)
{
    ship_refuse(&feed->sender, record, why);
    note_done(feed, record);
}

/* Adds <at> to the batch; what was half written is taken back. */
static struct status
add_entry(struct feed *feed, const struct ship_record *records, size_t at, struct batch *batch,
          struct diag *diag)
{
    struct diag why = {0};
    const size_t before = feed->body.n;
    const struct status st = append_entry(feed, &records[at], batch->n == 0, &why);
    if (is_ok(st)) {
        batch->at[batch->n++] = at;
        return OK;
    }
    feed->body.n = before;
    if (is_never(st)) {
        refuse(feed, &records[at], &why);
        return OK;
    }
    return FAIL(diag, st.code, "%s", why.text);
}

static struct status
make_batch(struct feed *feed, const struct ship_record *records, size_t n, struct batch *batch,
           struct diag *diag)
{
    const size_t most = feed->singles > 0 ? 1 : SHIP_BATCH_RECORDS;
    buf_reset(&feed->body);
    batch->n = 0;
    TRY(buf_append_cstr(&feed->body, BATCH_START, diag));
    for (size_t i = 0; i < n && batch->n < most && feed->body.n < BATCH_BYTES; i++) {
        if (!is_done(feed, &records[i])) {
            TRY(add_entry(feed, records, i, batch, diag));
        }
    }
    return buf_append_cstr(&feed->body, BATCH_END, diag);
}

static struct status
ask(struct feed *feed, const struct out_wait *wait, const char *method, const char *url,
    struct diag *diag, struct post_answer *answer)
{
    static const char *const headers[] = {"Content-Type: application/fhir+json; charset=utf-8",
                                          "Accept: application/fhir+json",
                                          "Prefer: return=minimal"};
    const struct post_request request = {.method = method,
                                         .url = url,
                                         .headers = headers,
                                         .headers_n = ARRAY_LEN(headers),
                                         .body = buf_span(&feed->body)};
    ship_allow_time(&feed->sender);
    const struct status st = poster_ask(feed->poster, wait, &request, diag, answer);
    feed->sender.sent_bytes = poster_sent_bytes(feed->poster);
    if (is_ok(st) && answer->retry_after_us > 0 && answer->status >= 400) {
        const int64_t pause_us =
            answer->retry_after_us < RETRY_AFTER_MAX ? answer->retry_after_us : RETRY_AFTER_MAX;
        feed->not_before_us = clock_mono_us(wait->clock) + pause_us;
    }
    return st;
}

/* ---- what came ---- */

static const char *
advice_for(int status)
{
    switch (status) {
    case 401:
    case 403:
        return "may this node's certificate write there?";
    case 404:
    case 405:
    case 501:
        return "is the URL the base of a FHIR server that takes AuditEvents?";
    default:
        return "see the repository's log; it is tried again";
    }
}

static struct status
fail_later(const struct feed *feed, const struct fhir_answer *answer, struct diag *diag)
{
    if (answer->status >= 300 && answer->status <= 399) {
        return FAIL(diag, ERR_PARTNER_HTTP,
                    "expected 2xx from %s, got %d: redirects are not followed; correct the URL",
                    feed->url, answer->status);
    }
    return FAIL(diag, ERR_PARTNER_HTTP, "expected 2xx from %s, got %d%s%s; %s", feed->url,
                answer->status, answer->issue[0] == '\0' ? "" : " ", answer->issue,
                advice_for(answer->status));
}

/* False: to be sent later. */
static bool
settle(struct feed *feed, const struct ship_record *record, const struct fhir_answer *answer)
{
    struct diag why = {0};
    if (answer->verdict == FHIR_REFUSED) {
        const struct status st =
            FAIL(&why, ERR_PARTNER_HTTP, "%s refused it: %d%s%s", feed->url, answer->status,
                 answer->issue[0] == '\0' ? "" : " ", answer->issue);
        (void)st;
        refuse(feed, record, &why);
    } else if (answer->verdict == FHIR_TAKEN) {
        note_done(feed, record);
    }
    return answer->verdict != FHIR_LATER;
}

/* One resource, to its type's own address. */
static struct status
send_one(struct feed *feed, const struct out_wait *wait, const struct ship_record *record,
         struct diag *diag)
{
    const struct audit_record_id id = {record->chain, record->sequence, record->hash};
    const bool is_put = feed->ids == AUDIT_FHIR_PUT;
    char uuid[UUID_TEXT];
    char url[URL_MAX];
    struct post_answer answer;
    struct fhir_answer got = {0};
    TRY(audit_fhir_uuid(&id, diag, uuid));
    (void)snprintf(url, sizeof(url), "%s/AuditEvent%s%s", feed->url, is_put ? "/" : "",
                   is_put ? uuid : "");
    buf_reset(&feed->body);
    TRY(append_resource(feed, record, diag));
    post_answer_init(&answer);
    const struct status st = ask(feed, wait, is_put ? "PUT" : "POST", url, diag, &answer);
    if (is_ok(st)) {
        fhir_read_one(answer.status, buf_span(&answer.body), &got);
    }
    post_answer_done(&answer);
    TRY(st);
    if (!settle(feed, record, &got)) {
        return fail_later(feed, &got, diag);
    }
    feed->singles -= feed->singles > 0 ? 1 : 0;
    return OK;
}

/* Something in this batch is wrong, or it is too large: its records are sent one by one, so that
 * the one which is at fault is found. */
static bool
is_about_content(int status)
{
    return status == 400 || status == 409 || status == 412 || status == 413 || status == 422;
}

/* Or the server takes no batches at all. */
static bool
is_against_batch(int status)
{
    return is_about_content(status) || status == 404 || status == 405 || status == 415 ||
           status == 501;
}

/* The first entry that is to be sent later says why. */
static struct status
settle_all(struct feed *feed, const struct ship_record *records, const struct batch *batch,
           const struct fhir_answer *answers, struct diag *diag)
{
    const struct fhir_answer *later = NULL;
    for (size_t i = 0; i < batch->n; i++) {
        if (!settle(feed, &records[batch->at[i]], &answers[i]) && later == NULL) {
            later = &answers[i];
        }
    }
    return later == NULL ? OK : fail_later(feed, later, diag);
}

static struct status
read_batch(struct feed *feed, const struct ship_record *records, const struct batch *batch,
           const struct post_answer *answer, struct diag *diag)
{
    struct fhir_answer answers[SHIP_BATCH_RECORDS];
    struct fhir_answer got = {0};
    if (is_against_batch(answer->status)) {
        feed->singles = is_about_content(answer->status) ? batch->n : SINGLES;
        return OK;
    }
    if (answer->status < 200 || answer->status > 299) {
        fhir_read_one(answer->status, buf_span(&answer->body), &got);
        return fail_later(feed, &got, diag);
    }
    const struct status st = fhir_read_batch(buf_span(&answer->body), batch->n, diag, answers);
    if (!is_ok(st)) {
        feed->singles = SINGLES; /* who answers oddly may do better with single ones */
        return st;
    }
    return settle_all(feed, records, batch, answers, diag);
}

static struct status
send_batch(struct feed *feed, const struct out_wait *wait, const struct ship_record *records,
           const struct batch *batch, struct diag *diag)
{
    struct post_answer answer;
    post_answer_init(&answer);
    struct status st = ask(feed, wait, "POST", feed->url, diag, &answer);
    if (is_ok(st)) {
        st = read_batch(feed, records, batch, &answer, diag);
    }
    post_answer_done(&answer);
    return st;
}

static struct status
send_some(struct feed *feed, const struct out_wait *wait, const struct ship_record *records,
          size_t n, struct diag *diag)
{
    struct batch batch;
    TRY(make_batch(feed, records, n, &batch, diag));
    if (batch.n > 1) {
        return send_batch(feed, wait, records, &batch, diag);
    }
    return batch.n == 1 ? send_one(feed, wait, &records[batch.at[0]], diag) : OK;
}

/* ---- what shipping calls ---- */

/* REQ: ITI20-fhir-feed */
static struct status
feed_send(struct ship_sender *sender, const struct out_wait *wait,
          const struct ship_record *records, size_t n, struct diag *diag, size_t *ret_taken)
{
    struct feed *feed = (struct feed *)sender;
    struct status st = OK;
    size_t taken = 0;
    while (taken < n && is_ok(st)) {
        st = send_some(feed, wait, records + taken, n - taken, diag);
        taken += take_first(feed, records + taken, n - taken);
    }
    *ret_taken = taken;
    return st;
}

/* The first request connects; before, only a pause that was asked for is kept. */
static struct status
feed_connect(struct ship_sender *sender, const struct out_wait *wait, struct diag *diag)
{
    struct feed *feed = (struct feed *)sender;
    const int64_t left_us = feed->not_before_us - clock_mono_us(wait->clock);
    if (left_us > 0) {
        return FAIL(diag, ERR_PARTNER_BUSY, "%s asked for a pause; it ends in %" PRId64 " s",
                    feed->url, left_us / US_PER_S + 1);
    }
    return OK;
}

static int
feed_fd(const struct ship_sender *sender)
{
    (void)sender;
    return -1;
}

/* Every answer was one, so nothing is in doubt. */
static bool
feed_close(struct ship_sender *sender, const struct out_wait *wait, bool is_clean)
{
    struct feed *feed = (struct feed *)sender;
    (void)wait;
    (void)is_clean;
    poster_hang_up(feed->poster);
    return true;
}

static void
feed_free(struct ship_sender *sender)
{
    struct feed *feed = (struct feed *)sender;
    poster_close(feed->poster);
    buf_done(&feed->body);
    mem_free(feed->url);
    mem_free(feed->source_id);
    mem_free(feed->enterprise_site);
    mem_free(feed);
}

/* ---- its beginning ---- */

static struct status
copy_texts(struct feed *feed, const struct ship_fhir_options *options, struct diag *diag)
{
    feed->url = mem_strdup(options->url);
    feed->source_id = mem_strdup(options->source.source_id);
    feed->enterprise_site = options->source.enterprise_site == NULL
                                ? NULL
                                : mem_strdup(options->source.enterprise_site);
    if (feed->url == NULL || feed->source_id == NULL ||
        (feed->enterprise_site == NULL && options->source.enterprise_site != NULL)) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the feed to %s", options->url);
    }
    for (size_t n = strlen(feed->url); n > 0 && feed->url[n - 1] == '/'; n--) {
        feed->url[n - 1] = '\0';
    }
    feed->source = (struct audit_source){feed->source_id, feed->enterprise_site};
    return OK;
}

/* What is put behind it needs room, too. */
static struct status
check_url(const struct ship_fhir_options *options, struct diag *diag)
{
    return strlen(options->url) + sizeof("/AuditEvent/") + UUID_TEXT <= URL_MAX
               ? OK
               : FAIL(diag, ERR_CONFIG, "the URL of an audit repository is longer than %d bytes",
                      URL_MAX - 64);
}

static struct status
fill(struct feed *feed, const struct ship_fhir_options *options, struct diag *diag)
{
    const struct poster_options poster = {.server = options->url,
                                          .certificate_name = options->certificate_name,
                                          .credential = options->credential,
                                          .trust = options->trust,
                                          .config = options->config,
                                          .answer_max = ANSWER_BYTES};
    TRY(check_url(options, diag));
    TRY(copy_texts(feed, options, diag));
    return poster_open(&poster, diag, &feed->poster);
}

struct status
ship_fhir_new(const struct ship_fhir_options *options, struct diag *diag,
              struct ship_sender **ret_sender)
{
    struct feed *feed = mem_alloc(sizeof(*feed));
    if (feed == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the feed to %s", options->url);
    }
    feed->sender = (struct ship_sender){.kind = "fhir",
                                        .has_answers = true,
                                        .connect = feed_connect,
                                        .send = feed_send,
                                        .fd = feed_fd,
                                        .close = feed_close,
                                        .free = feed_free};
    feed->ids = options->ids;
    buf_init_secret(&feed->body, BODY_BYTES_MAX);
    const struct status st = fill(feed, options, diag);
    if (!is_ok(st)) {
        feed_free(&feed->sender);
        return st;
    }
    *ret_sender = &feed->sender;
    return OK;
}
