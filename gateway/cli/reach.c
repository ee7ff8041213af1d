/*
 * Probes of all partners at once through an outbound engine of its own. Called by cmd_partners.c
 * and cmd_check.c on the main thread, which waits; the engine's thread fills in the answers.
 */
#include "cli/reach.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/datetime.h"
#include "base/mem.h"
#include "cli/show.h"

#define ENDPOINTS 4

struct reach {
    pthread_mutex_t lock; /* for <left> and the answers */
    pthread_cond_t changed;
    size_t left;
    struct reach_place *places;
    size_t n;
};

/* ---- places ---- */

/* host:port of https://host:port/path. */
static struct span
authority_of(const char *url)
{
    const struct span text = span_of_cstr(url);
    const size_t scheme = span_find_char(text, ':') + strlen("://");
    const struct span rest = span_slice(text, scheme, text.n);
    const size_t slash = span_find_char(rest, '/');

    return slash == SPAN_MISSING ? rest : span_slice(rest, 0, slash);
}

static struct reach_place *
place_of(struct reach *reach, size_t first, const struct partner *partner, const char *url)
{
    for (size_t i = first; i < reach->n; i++) {
        if (span_eq(authority_of(reach->places[i].url), authority_of(url))) {
            return &reach->places[i];
        }
    }
    struct reach_place *place = &reach->places[reach->n++];

    *place = (struct reach_place){.partner = partner, .url = url, .reach = reach};
    body_init(&place->answer.body);
    return place;
}

static void
add_source(struct reach *reach, const struct config_source *source)
{
    const size_t first = reach->n;

    if (source->supplier_url != NULL) {
        place_of(reach, first, source->partner, source->supplier_url)->has_patients = true;
    }
    if (source->registry_url != NULL) {
        place_of(reach, first, source->partner, source->registry_url)->has_query = true;
    }
    for (size_t i = 0; i < source->repositories_n; i++) {
        place_of(reach, first, source->partner, source->repositories[i].url)->has_retrieve = true;
    }
}

static size_t
places_max(const struct config *config)
{
    size_t n = config->partners_n * ENDPOINTS;

    for (size_t i = 0; i < config->sources_n; i++) {
        const struct config_source *source = &config->sources[i];

        n += source->is_embedded                       ? 0
             : source->engine == CONFIG_ENGINE_GATEWAY ? ENDPOINTS
                                                       : 1 + source->repositories_n;
    }
    return n;
}

static void
add_places(struct reach *reach, const struct partner *partner)
{
    const size_t first = reach->n;

    if (partner->source != NULL && !partner_is_behind(partner)) {
        add_source(reach, partner->source);
    }
    if (partner->xcpd_url != NULL) {
        place_of(reach, first, partner, partner->xcpd_url)->has_xcpd = true;
    }
    if (partner->query_url != NULL) {
        place_of(reach, first, partner, partner->query_url)->has_query = true;
    }
    if (partner->retrieve_url != NULL) {
        place_of(reach, first, partner, partner->retrieve_url)->has_retrieve = true;
    }
    if (partner->xcdr_url != NULL) {
        place_of(reach, first, partner, partner->xcdr_url)->has_xcdr = true;
    }
}

size_t
reach_places(const struct reach *reach, const struct reach_place **ret_places)
{
    *ret_places = reach->places;
    return reach->n;
}

size_t
reach_failed(const struct reach *reach)
{
    size_t failed = 0;

    for (size_t i = 0; i < reach->n; i++) {
        failed += reach->places[i].answer.error == ERR_NONE ? 0 : 1;
    }
    return failed;
}

/* ---- asking ---- */

static void
take_answer(void *arg, struct out_answer *answer)
{
    struct reach_place *place = arg;
    struct reach *reach = place->reach;

    pthread_mutex_lock(&reach->lock);
    body_done(&answer->body); /* a probe has none */
    place->answer = *answer;
    body_init(&place->answer.body);
    reach->left--;
    pthread_cond_broadcast(&reach->changed);
    pthread_mutex_unlock(&reach->lock);
}

/* Every probe ends by itself: the engine keeps the partner's timeout. */
static void
ask_all(struct reach *reach, struct out *out)
{
    reach->left = reach->n;
    for (size_t i = 0; i < reach->n; i++) {
        struct out_request request;

        out_request_init(&request);
        request.partner = reach->places[i].partner;
        request.url = reach->places[i].url;
        request.deadline_us = INT64_MAX;
        request.is_probe = true;
        out->submit(out, &request, take_answer, &reach->places[i]);
    }
    pthread_mutex_lock(&reach->lock);
    while (reach->left > 0) {
        pthread_cond_wait(&reach->changed, &reach->lock);
    }
    pthread_mutex_unlock(&reach->lock);
}

struct status
reach_ask(const struct config *config, struct diag *diag, struct reach **ret_reach)
{
    struct reach *reach = mem_alloc(sizeof(*reach));
    struct out *out = NULL;

    if (reach == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for probes");
    }
    pthread_mutex_init(&reach->lock, NULL);
    pthread_cond_init(&reach->changed, NULL);
    reach->places = mem_alloc(places_max(config) * sizeof(*reach->places));
    const struct status st =
        reach->places == NULL
            ? FAIL(diag, ERR_NO_MEMORY, "no memory for %zu partners", config->reached_n)
            : out_start(config, clock_system(), diag, &out);

    if (!is_ok(st)) {
        reach_free(reach);
        return st;
    }
    for (size_t i = 0; i < config->reached_n; i++) {
        add_places(reach, &config->partners[i]);
    }
    ask_all(reach, out);
    out_stop(out);
    *ret_reach = reach;
    return OK;
}

void
reach_free(struct reach *reach)
{
    if (reach == NULL) {
        return;
    }
    pthread_cond_destroy(&reach->changed);
    pthread_mutex_destroy(&reach->lock);
    mem_free(reach->places);
    mem_free(reach);
}

/* ---- telling ---- */

void
reach_names(const struct reach_place *place, char ret_names[REACH_NAMES_MAX])
{
    const struct {
        bool is_there;
        const char *name;
    } endpoints[] = {
        {place->has_xcpd, "xcpd"},         {place->has_query, "query"},
        {place->has_retrieve, "retrieve"}, {place->has_xcdr, "xcdr"},
        {place->has_patients, "patients"},
    };
    size_t n = 0;

    ret_names[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
        if (endpoints[i].is_there) {
            n += (size_t)snprintf(ret_names + n, REACH_NAMES_MAX - n, "%s%s", n == 0 ? "" : ", ",
                                  endpoints[i].name);
        }
    }
}

static void
print_good(const struct reach_place *place, const char *names, int64_t now_us)
{
    const struct out_answer *answer = &place->answer;
    char text[SHOW_DATE_MAX];

    if (place->partner->is_plain) {
        printf("good: %s at %s, without TLS\n", names, answer->peer_address);
        return;
    }
    show_expiry(answer->tls.expires_us, now_us, text);
    printf("good: %s at %s%s, %s, %s, its certificate %s, %lld ms\n", names,
           answer->peer_address[0] == '\0' ? "its proxy" : "",
           answer->peer_address[0] == '\0' ? place->partner->proxy_url : answer->peer_address,
           answer->tls.version, answer->tls.suite, text,
           (long long)(answer->tls.handshake_us / US_PER_MS));
}

void
reach_print(const struct reach *reach, const struct partner *partner, int64_t now_us)
{
    const char *label = "probe";

    for (size_t i = 0; i < reach->n; i++) {
        const struct reach_place *place = &reach->places[i];
        char names[REACH_NAMES_MAX];

        if (place->partner != partner) {
            continue;
        }
        reach_names(place, names);
        printf("  %-12s ", label);
        label = "";
        if (place->answer.error == ERR_NONE) {
            print_good(place, names, now_us);
        } else {
            printf("FAILED: %s: %s: %s\n", names, err_name(place->answer.error),
                   place->answer.detail);
        }
    }
}

static void
write_place(const struct reach_place *place, struct jsonw *json)
{
    const struct out_answer *answer = &place->answer;
    char names[REACH_NAMES_MAX], text[DATETIME_MAX];

    reach_names(place, names);
    jsonw_object(json);
    jsonw_key_text(json, "url", span_of_cstr(place->url));
    jsonw_key_text(json, "endpoints", span_of_cstr(names));
    jsonw_key_bool(json, "good", answer->error == ERR_NONE);
    jsonw_key_text(json, "address", span_of_cstr(answer->peer_address));
    if (answer->tls.version[0] != '\0') {
        datetime_write_xs(answer->tls.expires_us, text);
        jsonw_key_text(json, "tls", span_of_cstr(answer->tls.version));
        jsonw_key_text(json, "suite", span_of_cstr(answer->tls.suite));
        jsonw_key_text(json, "not_after", span_of_cstr(text));
        jsonw_key_int(json, "handshake_us", answer->tls.handshake_us);
    }
    if (answer->error != ERR_NONE) {
        jsonw_key_text(json, "error", span_of_cstr(err_name(answer->error)));
        jsonw_key_text(json, "detail", span_of_cstr(answer->detail));
    }
    jsonw_close(json);
}

void
reach_write(const struct reach *reach, const struct partner *partner, struct jsonw *json)
{
    jsonw_key(json, "probes");
    jsonw_array(json);
    for (size_t i = 0; i < reach->n; i++) {
        if (reach->places[i].partner == partner) {
            write_place(&reach->places[i], json);
        }
    }
    jsonw_close(json);
}
