/*
 * The sources of `sources:`, for `isthmus partners` and `isthmus check`: where they are, whose
 * documents they have, and how they are asked. Runs on the program's main thread.
 */
#include <stdio.h>

#include "cli/reach.h"
#include "cli/show.h"

/* ---- for people ---- */

static const struct {
    const char *name, *what;
} engines[] = {
    [CONFIG_ENGINE_XDS] = {"xds", "an XDS registry"},
    [CONFIG_ENGINE_EMBEDDED] = {"embedded", "the embedded store"},
    [CONFIG_ENGINE_PDQ] = {"pdq", "a supplier of demographics"},
    [CONFIG_ENGINE_PIX] = {"pix", "a manager of cross-references"},
    [CONFIG_ENGINE_GATEWAY] = {"gateway", "a gateway behind us"},
};

static const char *
home_of(const struct config_source *source)
{
    return source->asserts_asker ? "the asker's community" : "our own community";
}

static void
print_communities(const struct config_source *source)
{
    if (source->engine == CONFIG_ENGINE_GATEWAY) {
        printf("  %-12s ", "communities");
        show_strings(&source->partner->communities);
    } else {
        printf("  %-12s %s\n", "community", source->community);
    }
}

static void
print_places(const struct config_source *source)
{
    if (source->supplier_url != NULL) {
        printf("  %-12s %s\n", "url", source->supplier_url);
    }
    if (source->engine == CONFIG_ENGINE_PIX) {
        printf("  %-12s %lld s\n", "remember", (long long)(source->remember_us / US_PER_S));
    }
    if (source->engine == CONFIG_ENGINE_GATEWAY) {
        printf("  %-12s %s\n  %-12s %s\n  %-12s %s\n  %-12s %s\n", "xcpd",
               source->partner->xcpd_url, "query", source->partner->query_url, "retrieve",
               source->partner->retrieve_url, "asserts", home_of(source));
    }
    if (source->registry_url == NULL) {
        return;
    }
    printf("  %-12s %s\n", "registry", source->registry_url);
    for (size_t i = 0; i < source->repositories_n; i++) {
        printf("  %-12s %s at %s\n", i == 0 ? "repositories" : "", source->repositories[i].id,
               source->repositories[i].url);
    }
}

static void
print_source(const struct config_source *source, const struct reach *reach, int64_t now_us)
{
    const struct partner *partner = source->partner;

    printf("%s  source, %s\n", source->name, engines[source->engine].what);
    print_communities(source);
    if (!source->is_embedded) {
        print_places(source);
        if (source->patient_authority != NULL) {
            printf("  %-12s of %s\n", "patient ids", source->patient_authority);
        }
        printf("  %-12s %s\n", "security", source->wants_assertion ? "assertion" : "none");
        if (partner->is_plain) {
            printf("  %-12s WARNING: none, on this machine\n", "tls");
        } else {
            printf("  %-12s certificate with the name ", "tls");
            show_strings(&partner->tls_names);
        }
        printf("  %-12s %lld ms\n", "timeout", (long long)(partner->timeout_us / US_PER_MS));
        if (reach != NULL) {
            reach_print(reach, partner, now_us);
        }
    }
    putchar('\n');
}

void
show_sources(const struct config *config, const struct reach *reach, int64_t now_us)
{
    for (size_t i = 0; i < config->sources_n; i++) {
        print_source(&config->sources[i], reach, now_us);
    }
}

/* ---- for programs ---- */

static void
write_places(struct jsonw *json, const struct config_source *source)
{
    if (source->supplier_url != NULL) {
        jsonw_key_text(json, "url", span_of_cstr(source->supplier_url));
    }
    if (source->engine == CONFIG_ENGINE_PIX) {
        jsonw_key_int(json, "remember_ms", source->remember_us / US_PER_MS);
    }
    if (source->engine == CONFIG_ENGINE_GATEWAY) {
        show_strings_json(json, "communities", &source->partner->communities);
        jsonw_key_text(json, "xcpd", span_of_cstr(source->partner->xcpd_url));
        jsonw_key_text(json, "query", span_of_cstr(source->partner->query_url));
        jsonw_key_text(json, "retrieve", span_of_cstr(source->partner->retrieve_url));
        jsonw_key_text(json, "asserts_home", source->asserts_asker ? SPAN("asker") : SPAN("own"));
    }
    if (source->registry_url != NULL) {
        jsonw_key_text(json, "registry", span_of_cstr(source->registry_url));
        jsonw_key(json, "repositories");
        jsonw_object(json);
        for (size_t i = 0; i < source->repositories_n; i++) {
            jsonw_key_text(json, source->repositories[i].id,
                           span_of_cstr(source->repositories[i].url));
        }
        jsonw_close(json);
    }
    if (source->patient_authority != NULL) {
        jsonw_key_text(json, "patient_authority", span_of_cstr(source->patient_authority));
    }
}

static void
write_source(struct jsonw *json, const struct config_source *source, const struct reach *reach)
{
    jsonw_object(json);
    jsonw_key_text(json, "name", span_of_cstr(source->name));
    jsonw_key_text(json, "engine", span_of_cstr(engines[source->engine].name));
    jsonw_key_text(json, "community", span_of_cstr(source->community));
    if (!source->is_embedded) {
        write_places(json, source);
        jsonw_key_text(json, "security",
                       source->wants_assertion ? SPAN("assertion") : SPAN("none"));
        jsonw_key_bool(json, "tls", !source->partner->is_plain);
        show_strings_json(json, "names", &source->partner->tls_names);
        jsonw_key_int(json, "timeout_ms", source->partner->timeout_us / US_PER_MS);
        if (reach != NULL) {
            reach_write(reach, source->partner, json);
        }
    }
    jsonw_close(json);
}

void
show_sources_json(struct jsonw *json, const struct config *config, const struct reach *reach)
{
    jsonw_key(json, "sources");
    jsonw_array(json);
    for (size_t i = 0; i < config->sources_n; i++) {
        write_source(json, &config->sources[i], reach);
    }
    jsonw_close(json);
}
