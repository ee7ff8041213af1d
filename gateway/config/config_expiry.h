/*
 * Everything in a configuration that ends some day: our own certificates and their chains,
 * partners' signing certificates, anchors, revocation lists. For `isthmus check`, `isthmus
 * partners` and the log. Thread: any.
 */
#ifndef CONFIG_CONFIG_EXPIRY_H
#define CONFIG_CONFIG_EXPIRY_H

#include "certs/expiry.h"
#include "config/config.h"

struct config_expiry {
    const char *what;    /* "credential", "signing certificate of partner", "anchor of trust",
                            "revocation lists of trust" */
    const char *name;    /* of the credential, the partner, the trust store */
    const char *subject; /* the certificate's; "" for lists */
    int64_t until_us;
    struct expiry expiry;
};
typedef void config_expiry_visit(void *arg, const struct config_expiry *expiry);

/* Visits what has a warning due (level not EXPIRY_FAR), in the order of the file; gives how many.
 */
size_t config_expiry_walk(const struct config *config, int64_t now_us, config_expiry_visit *visit,
                          void *arg);
/* Visits everything, however far away its end is. */
void config_expiry_walk_all(const struct config *config, int64_t now_us, config_expiry_visit *visit,
                            void *arg);

#endif
