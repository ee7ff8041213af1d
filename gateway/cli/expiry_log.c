/*
 * Writes the log lines of expiry_log.h.
 */
#include "cli/expiry_log.h"

#include "base/log.h"
#include "config/config_expiry.h"

static void
log_one(void *arg, const struct config_expiry *found)
{
    const int64_t now_us = *(const int64_t *)arg;
    const bool is_list = found->subject[0] == '\0' &&
                         span_starts_with(span_of_cstr(found->what), SPAN("revocation"));
    char text[EXPIRY_TEXT_MAX];

    expiry_write(found->until_us, now_us, text);
    LOG_EVENT(expiry_is_urgent(found->expiry.level) ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
              is_list ? "crl-expiry" : "certificate-expiry", LOG_ID("what", found->what),
              LOG_ID("name", found->name), LOG_ID("subject", found->subject), LOG_ID("when", text));
}

void
expiry_log_withheld(const struct config *config)
{
    for (size_t i = 0; i < config->partners_n; i++) {
        const struct partner *partner = &config->partners[i];

        for (size_t k = 0; k < partner->withheld_n; k++) {
            LOG_EVENT(LOG_LEVEL_WARNING, "signing-certificate-withheld",
                      LOG_ID("partner", partner->id),
                      LOG_ID("subject", partner->withheld[k].certificate->subject),
                      LOG_ID("why", partner->withheld[k].why),
                      LOG_INT("left", (int64_t)partner->signing_n));
        }
    }
}

void
expiry_log(const struct config *config, int64_t now_us)
{
    expiry_log_withheld(config);
    (void)config_expiry_walk(config, now_us, log_one, &now_us);
}
