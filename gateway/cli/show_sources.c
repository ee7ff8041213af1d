/*
 * The sources of `sources:`, for `isthmus partners` and `isthmus check`: where they are, whose
 * documents they have, and how they are asked. Runs on the program's main thread.
 */
#include <stdio.h>

#include "cli/reach.h"
#include "cli/show.h"

/* ---- for people ---- */

static void
print_places(const struct config_source *source)
{
    const struct partner *partner = source->partner;

    if (source->is_gateway) {
        printf("  %-12s %s\n  %-12s %s\n  %-12s %s\n", "xcpd", partner->xcpd_url, "query",
               partner->query_url, "retrieve", partner->retrieve_url);
        return;
    }
    printf("  %-12s %s\n", "registry", source->registry_url);
    for (size_t i = 0; i < source->repositories_n; i++) {
        printf("  %-12s %s at %s\n", i == 0 ? "repositories" : "", source->repositories[i].id,
               source->repositories[i].url);
    }
}

static const char *
kind_of(const struct config_source *source)
{
    return source->is_embedded  ? "the embedded store"
           : source->is_gateway ? "a gateway behind us"
                                : "an XDS registry";
}

static void
print_communities(const struct config_source *source)
{
    if (source->is_gateway) {
        printf("  %-12s ", "communities");
        show_strings(&source->partner->communities);
    } else {
        printf("  %-12s %s\n", "community", source->community);
    }
}

static void
print_source(const struct config_source *source, const struct reach *reach, int64_t now_us)
{
    const struct partner *partner = source->partner;

    printf("%s  source, %s\n", source->name, kind_of(source));
    print_communities(source);
    if (!source->is_embedded) {
        print_places(source);
        printf("  %-12s of %s\n", "patient ids",
               source->patient_authority == NULL ? "any authority" : source->patient_authority);
        printf("  %-12s %s%s\n", "security", source->wants_assertion ? "assertion" : "none",
               source->asserts_asker ? ", of the asker's community" : "");
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
    const struct partner *partner = source->partner;

    if (source->is_gateway) {
        show_strings_json(json, "communities", &partner->communities);
        jsonw_key_text(json, "xcpd", span_of_cstr(partner->xcpd_url));
        jsonw_key_text(json, "query", span_of_cstr(partner->query_url));
        jsonw_key_text(json, "retrieve", span_of_cstr(partner->retrieve_url));
        jsonw_key_text(json, "asserts_home", source->asserts_asker ? SPAN("asker") : SPAN("own"));
        return;
    }
    jsonw_key_text(json, "registry", span_of_cstr(source->registry_url));
    jsonw_key(json, "repositories");
    jsonw_object(json);
    for (size_t i = 0; i < source->repositories_n; i++) {
        jsonw_key_text(json, source->repositories[i].id, span_of_cstr(source->repositories[i].url));
    }
    jsonw_close(json);
}

static void
write_source(struct jsonw *json, const struct config_source *source, const struct reach *reach)
{
    jsonw_object(json);
    jsonw_key_text(json, "name", span_of_cstr(source->name));
    jsonw_key_text(json, "engine",
                   source->is_embedded  ? SPAN("embedded")
                   : source->is_gateway ? SPAN("gateway")
                                        : SPAN("xds"));
    jsonw_key_text(json, "community", span_of_cstr(source->community));
    if (!source->is_embedded) {
        write_places(json, source);
        if (source->patient_authority != NULL) {
            jsonw_key_text(json, "patient_authority", span_of_cstr(source->patient_authority));
        }
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
