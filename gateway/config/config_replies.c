/*
 * Reads whether and how answers come later between a partner and us: where its own are to be sent,
 * how many may wait and for how long, and whether we ask it so. Called while the configuration
 * loads, after listen: and asserts:, on the loading thread.
 */
#include "config/config_reader.h"

#define QUEUE_DEFAULT  ((size_t)1000)
#define QUEUE_MAX      ((size_t)100000)
#define AGE_DEFAULT_US (INT64_C(24) * 3600 * US_PER_S)
#define AGE_MIN_US     (60 * US_PER_S)
#define AGE_MAX_US     (INT64_C(720) * 3600 * US_PER_S)
#define URLS_MAX       8

static bool
read_true(struct config_reader *reader, struct yaml_node *root, const char *key)
{
    static const char *const answers[] = {"false", "true"};
    size_t which = 0;

    (void)config_choice(reader, yaml_get(root, key), answers, ARRAY_LEN(answers), &which);
    return which == 1;
}

static struct status
add_url(struct config_reader *reader, const struct yaml_node *item, struct config_string_list *urls)
{
    const char *url = NULL;

    config_url(reader, item, &url);
    return url == NULL ? OK : ARENA_PUSH(reader->arena, reader->diag, urls, url);
}

/* One URL, or a list of them: some systems take each transaction's answers somewhere else. */
static struct status
read_urls(struct config_reader *reader, const struct yaml_node *node, struct config_strings *ret)
{
    struct config_string_list urls = {0};
    size_t n = 0;

    if (node == NULL) {
        return OK;
    }
    if (node->kind == YAML_SCALAR) {
        TRY(add_url(reader, node, &urls));
    } else if (config_is_list(reader, node, "a URL or a list of URLs")) {
        for (const struct yaml_node *item = node->children; item != NULL; item = item->next) {
            if (++n > URLS_MAX) {
                yaml_error(reader->report, item, "asynchronous: expected at most %d URLs",
                           URLS_MAX);
                return OK;
            }
            TRY(add_url(reader, item, &urls));
        }
    }
    ret->items = urls.items;
    ret->n = urls.n;
    return OK;
}

/* An answer that leaves by itself carries an assertion of this node, which must have something to
 * say. */
static void
check_asserts(struct config_reader *reader, const struct yaml_node *node)
{
    const struct config_asserts *asserts = &reader->config->asserts;

    if (asserts->user == NULL || asserts->role == NULL || asserts->organization == NULL ||
        asserts->organization_id == NULL) {
        yaml_error(reader->report, node,
                   "replies: answers that leave later carry an assertion of this node; set user, "
                   "role, organization and organization_id under asserts");
    }
}

/* Whoever answers later must be able to reach us. */
static void
check_reachable(struct config_reader *reader, const struct yaml_node *node, const char *key)
{
    if (reader->config->base_url == NULL) {
        yaml_error(reader->report, node,
                   "%s: its answers come to the network listener, and there is none; add "
                   "listen.network",
                   key);
    }
}

struct status
config_read_replies(struct config_reader *reader, struct yaml_node *root, struct partner *partner)
{
    static const char *const names[] = {"asynchronous", "deferred", "queue", "age"};
    struct yaml_node *node = config_section(reader, root, "replies", names, ARRAY_LEN(names));
    struct partner_replies *replies = &partner->replies;

    replies->queue = QUEUE_DEFAULT;
    replies->age_us = AGE_DEFAULT_US;
    TRY(read_urls(reader, yaml_get(node, "asynchronous"), &replies->asynchronous));
    config_url(reader, yaml_get(node, "deferred"), &replies->deferred_url);
    config_count(reader, yaml_get(node, "queue"), 1, QUEUE_MAX, &replies->queue);
    config_duration(reader, yaml_get(node, "age"), AGE_MIN_US, AGE_MAX_US, &replies->age_us);
    if (replies->asynchronous.n > 0 || replies->deferred_url != NULL) {
        check_asserts(reader, node);
    }
    partner->is_asynchronous = read_true(reader, root, "asynchronous");
    partner->is_deferred = read_true(reader, root, "deferred");
    if (partner->is_asynchronous) {
        check_reachable(reader, yaml_get(root, "asynchronous"), "asynchronous");
    }
    if (partner->is_deferred) {
        check_reachable(reader, yaml_get(root, "deferred"), "deferred");
    }
    return OK;
}

bool
partner_takes_replies(const struct partner *partner, struct span url)
{
    for (size_t i = 0; i < partner->replies.asynchronous.n; i++) {
        if (span_eq_cstr(url, partner->replies.asynchronous.items[i])) {
            return true;
        }
    }
    return false;
}
