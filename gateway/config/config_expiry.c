/*
 * Walks over what ends. Called at start, once a day by the node, and by commands that show it.
 */
#include "config/config_expiry.h"

struct walk {
    int64_t now_us;
    config_expiry_visit *visit;
    void *arg;
    bool wants_all;
    size_t n;
};

static void
judge(struct walk *walk, enum expiry_kind kind, const struct config_expiry *found)
{
    struct config_expiry judged = *found;

    judged.expiry = expiry_judge(kind, found->until_us, walk->now_us);
    if (walk->wants_all || judged.expiry.level != EXPIRY_FAR) {
        walk->visit(walk->arg, &judged);
        walk->n++;
    }
}

static void
judge_certificate(struct walk *walk, const char *what, const char *name,
                  const struct certificate *certificate)
{
    judge(walk, EXPIRY_CERTIFICATE,
          &(struct config_expiry){.what = what,
                                  .name = name,
                                  .subject = certificate->subject,
                                  .until_us = certificate->not_after_us});
}

/* The leaf, and an intermediate of its chain that ends before it does. */
static void
walk_credential(struct walk *walk, const struct config_credential *entry)
{
    const struct credential *credential = entry->credential;

    judge_certificate(walk, "credential", entry->name, credential->leaf);
    if (credential_chain_end_us(credential) < credential->leaf->not_after_us) {
        judge(walk, EXPIRY_CERTIFICATE,
              &(struct config_expiry){.what = "chain of credential",
                                      .name = entry->name,
                                      .subject = "",
                                      .until_us = credential_chain_end_us(credential)});
    }
}

static void
walk_trust(struct walk *walk, const struct config_trust *entry)
{
    for (size_t i = 0; i < trust_anchors(entry->trust); i++) {
        judge_certificate(walk, "anchor of trust", entry->name, trust_anchor(entry->trust, i));
    }
    judge(walk, EXPIRY_REVOCATION_LIST,
          &(struct config_expiry){.what = "revocation lists of trust",
                                  .name = entry->name,
                                  .subject = "",
                                  .until_us = trust_crl_next_update_us(entry->trust)});
}

static void
walk_config(struct walk *walk, const struct config *config)
{
    for (size_t i = 0; i < config->credentials_n; i++) {
        walk_credential(walk, &config->credentials[i]);
    }
    for (size_t i = 0; i < config->trusts_n; i++) {
        walk_trust(walk, &config->trusts[i]);
    }
    for (size_t i = 0; i < config->partners_n; i++) {
        const struct partner *partner = &config->partners[i];

        for (size_t k = 0; k < partner->signing_n; k++) {
            judge_certificate(walk, "signing certificate of partner", partner->id,
                              partner->signing[k]);
        }
    }
    for (size_t i = 0; i < config->systems_n; i++) {
        const struct config_assertions *assertions = config->systems[i].assertions;

        for (size_t k = 0; assertions != NULL && k < assertions->keys_n; k++) {
            judge_certificate(walk, "assertion certificate of system", config->systems[i].name,
                              assertions->keys[k]);
        }
    }
}

size_t
config_expiry_walk(const struct config *config, int64_t now_us, config_expiry_visit *visit,
                   void *arg)
{
    struct walk walk = {.now_us = now_us, .visit = visit, .arg = arg};

    walk_config(&walk, config);
    return walk.n;
}

void
config_expiry_walk_all(const struct config *config, int64_t now_us, config_expiry_visit *visit,
                       void *arg)
{
    struct walk walk = {.now_us = now_us, .visit = visit, .arg = arg, .wants_all = true};

    walk_config(&walk, config);
}
