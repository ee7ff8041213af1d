/*
 * How our messages to a partner are written, and which profiles its file names, for `isthmus
 * partners`. Called on the main thread.
 */
#include <stdio.h>
#include <string.h>

#include "cli/show.h"
#include "config/profiles.h"

/* How our messages to it are written; is_set: not as by default. */
struct style_row {
    const char *key, *value;
    bool is_set;
};

static const char *
digest_name(enum dialect_digest digest)
{
    static const char *const names[] = {[DIALECT_SHA256] = "sha256",
                                        [DIALECT_SHA384] = "sha384",
                                        [DIALECT_SHA512] = "sha512",
                                        [DIALECT_SHA1] = "sha1"};

    return names[digest];
}

static const char *
community_name(enum dialect_community community)
{
    static const char *const names[] = {[DIALECT_COMMUNITY_BOTH] = "both",
                                        [DIALECT_COMMUNITY_IHE] = "ihe",
                                        [DIALECT_COMMUNITY_NHIN] = "nhin"};

    return names[community];
}

static const char *
range_name(enum dialect_range range)
{
    static const char *const names[] = {[DIALECT_RANGE_NONE] = "none",
                                        [DIALECT_RANGE_CREATION] = "creation",
                                        [DIALECT_RANGE_SERVICE] = "service"};

    return names[range];
}

#define STYLE_ROWS 14

static void
list_style(const struct partner *partner, struct style_row ret_rows[STYLE_ROWS])
{
    const struct dialect_style *writes = &partner->writes;
    const struct dialect_form *form = &partner->form;
    const struct style_row rows[STYLE_ROWS] = {
        {"confirmation", writes->is_bearer ? "bearer" : "holder-of-key", writes->is_bearer},
        {"digest", digest_name(writes->digest), writes->digest != DIALECT_SHA256},
        {"subject_id_format", writes->is_subject_id_basic ? "basic" : "uri",
         writes->is_subject_id_basic},
        {"home_community", community_name(writes->community),
         writes->community != DIALECT_COMMUNITY_BOTH},
        {"npi_2_0", writes->has_npi_2_0 ? "yes" : "no", writes->has_npi_2_0},
        {"authz_decision", writes->has_authz_decision ? "yes" : "no", writes->has_authz_decision},
        {"error_location", partner->wants_short_location ? "community" : "both",
         partner->wants_short_location},
        {"legacy_renegotiation", partner->may_connect_legacy ? "yes" : "no",
         partner->may_connect_legacy},
        {"date_range", range_name(form->range), form->range != DIALECT_RANGE_NONE},
        {"document_id", form->has_urn_ids ? "urn-uuid" : "as-is", form->has_urn_ids},
        {"hl7_namespace", form->is_prefixed ? "prefixed" : "default", form->is_prefixed},
        {"retrieve", form->is_plain_retrieve ? "soap" : "mtom", form->is_plain_retrieve},
        {"sender", form->is_sender_organization ? "organization" : "community",
         form->is_sender_organization},
        {"receiver", form->receiver == NULL ? "" : form->receiver, form->receiver != NULL},
    };

    for (size_t i = 0; i < STYLE_ROWS; i++) {
        ret_rows[i] = rows[i];
    }
}

void
show_style(const struct partner *partner)
{
    struct style_row rows[STYLE_ROWS];
    const char *separator = "";

    list_style(partner, rows);
    printf("  %-12s ", "writes");
    for (size_t i = 0; i < STYLE_ROWS; i++) {
        if (rows[i].is_set) {
            printf("%s%s %s", separator, rows[i].key, rows[i].value);
            separator = ", ";
        }
    }
    printf("%s\n", separator[0] == '\0' ? "as the specification says" : "");
}

void
show_style_json(struct jsonw *json, const struct partner *partner)
{
    struct style_row rows[STYLE_ROWS];

    list_style(partner, rows);
    jsonw_key(json, "writes");
    jsonw_object(json);
    for (size_t i = 0; i < STYLE_ROWS; i++) {
        jsonw_key_text(json, rows[i].key, span_of_cstr(rows[i].value));
    }
    jsonw_close(json);
}

/* ---- profiles ---- */

static bool
is_of(const struct partner_setting *setting, const struct partner_profile *profile)
{
    return strcmp(setting->profile->name, profile->name) == 0;
}

/* "  profiles     sha1-until 2027-06-30: sha1_until 2027-06-30, writes.digest sha1" */
static void
print_profile(const struct partner *partner, const struct partner_profile *profile, bool is_first)
{
    const char *separator = ": ";

    printf("  %-12s %s%s%s", is_first ? "profiles" : "", profile->name,
           profile->parameter == NULL ? "" : " ",
           profile->parameter == NULL ? "" : profile->parameter);
    for (size_t i = 0; i < partner->settings_n; i++) {
        if (is_of(&partner->settings[i], profile)) {
            printf("%s%s %s", separator, partner->settings[i].key, partner->settings[i].value);
            separator = ", ";
        }
    }
    printf("%s\n", strcmp(separator, ": ") == 0 ? ": nothing, its own file says it all" : "");
}

void
show_profiles(const struct partner *partner)
{
    for (size_t i = 0; i < partner->profiles_n; i++) {
        print_profile(partner, &partner->profiles[i], i == 0);
    }
}

void
show_profiles_json(struct jsonw *json, const struct partner *partner)
{
    jsonw_key(json, "profiles");
    jsonw_array(json);
    for (size_t i = 0; i < partner->profiles_n; i++) {
        const struct partner_profile *profile = &partner->profiles[i];

        jsonw_object(json);
        jsonw_key_text(json, "name", span_of_cstr(profile->name));
        jsonw_key_text(json, "about", span_of_cstr(profile->about));
        jsonw_key_text(json, "value", span_of_cstr(profile->parameter));
        jsonw_key(json, "sets");
        jsonw_array(json);
        for (size_t s = 0; s < partner->settings_n; s++) {
            const struct partner_setting *setting = &partner->settings[s];

            if (is_of(setting, profile)) {
                jsonw_object(json);
                jsonw_key_text(json, "key", span_of_cstr(setting->key));
                jsonw_key_text(json, "value", span_of_cstr(setting->value));
                jsonw_close(json);
            }
        }
        jsonw_close(json);
        jsonw_close(json);
    }
    jsonw_close(json);
}

/* The files speak for themselves. */
void
show_shipped_profiles(void)
{
    for (size_t i = 0; i < config_shipped_profiles_n; i++) {
        struct span rest = span_of_cstr(config_shipped_profiles[i].text);
        struct span line;

        printf("%s\n", config_shipped_profiles[i].name);
        while (rest.n > 0 && span_split(&rest, '\n', &line)) {
            if (line.n > 0) {
                printf("  %.*s\n", SPAN_PRINT(line));
            }
        }
        putchar('\n');
    }
    printf("%zu profiles\n", config_shipped_profiles_n);
}
