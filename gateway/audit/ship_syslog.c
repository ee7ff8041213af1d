/*
 * Syslog as a way to an audit repository. The sender is made by whoever starts shipping, and
 * belongs to its shipping thread from then on; sockets and TLS are in out/syslog.c.
 */
#include "audit/ship_syslog.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/datetime.h"
#include "base/mem.h"
#include "out/syslog.h"

#define PRI_NOTICE        85 /* facility 10 (security), severity 5 */
#define PRI_WARNING       84
#define HOSTNAME_MAX      255 /* RFC 5424 6.2.4 */
#define MESSAGE_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define KEEP_BYTES        ((size_t)1024 * 1024) /* a larger buffer is given back after use */

struct syslog_sender {
    struct ship_sender sender; /* first member */
    const struct config *config;
    struct syslog_line *line;
    struct audit_source source;
    char hostname[HOSTNAME_MAX + 1];
    struct buf message;
};

/* ---- the message ---- */

/* REQ: ITI20-syslog */
struct status
ship_syslog_write(const struct ship_record *record, const struct audit_source *source,
                  const char *hostname, struct buf *out, struct diag *diag)
{
    const struct audit_event *event = record->event;
    char time[DATETIME_MAX];
    datetime_write_xs(event->time_us, time);
    TRY(buf_printf(out, diag, "<%d>1 %s %s isthmus %s-%" PRIu64 " IHE+RFC-3881 - ",
                   event->outcome == AUDIT_SUCCESS ? PRI_NOTICE : PRI_WARNING, time, hostname,
                   record->chain, record->sequence));
    return audit_message_write(event, source, out, diag);
}

/* "-" when the machine has no name that syslog can carry. */
static void
find_hostname(char ret_name[HOSTNAME_MAX + 1])
{
    if (gethostname(ret_name, HOSTNAME_MAX) != 0) {
        ret_name[0] = '\0';
    }
    ret_name[HOSTNAME_MAX] = '\0';
    for (const char *c = ret_name; *c != '\0'; c++) {
        if (*c <= ' ' || *c >= 0x7f) {
            ret_name[0] = '\0';
            break;
        }
    }
    if (ret_name[0] == '\0') {
        (void)snprintf(ret_name, HOSTNAME_MAX, "-");
    }
}

/* ---- the sender ---- */

static struct status
line_open(struct ship_sender *sender, const struct out_wait *wait, struct diag *diag)
{
    return syslog_line_open(((struct syslog_sender *)sender)->line, wait, diag);
}

/* A record that has no form here is refused; one that this machine has no room for is tried again.
 */
static struct status
send_record(struct syslog_sender *syslog, const struct out_wait *wait,
            const struct ship_record *record, struct diag *diag)
{
    struct diag why = {0};
    buf_reset(&syslog->message);
    struct status st =
        ship_syslog_write(record, &syslog->source, syslog->hostname, &syslog->message, &why);
    if (is_ok(st)) {
        st = syslog_line_send(syslog->line, wait, buf_span(&syslog->message), &why);
    } else if (st.code != ERR_NO_MEMORY) {
        st.code = ERR_LIMIT_BUFFER;
    }
    if (st.code == ERR_LIMIT_BUFFER) {
        ship_refuse(&syslog->sender, record, &why);
        return OK;
    }
    return is_ok(st) ? OK : FAIL(diag, st.code, "%s", why.text);
}

static struct status
line_send(struct ship_sender *sender, const struct out_wait *wait,
          const struct ship_record *records, size_t n, struct diag *diag, size_t *ret_taken)
{
    struct syslog_sender *syslog = (struct syslog_sender *)sender;
    struct status st = OK;
    *ret_taken = 0;
    for (size_t i = 0; i < n && is_ok(st); i++) {
        st = send_record(syslog, wait, &records[i], diag);
        if (is_ok(st)) {
            (*ret_taken)++;
        }
    }
    if (is_ok(st)) {
        st = syslog_line_flush(syslog->line, wait, diag);
    }
    if (syslog->message.capacity > KEEP_BYTES) {
        buf_done(&syslog->message);
    }
    sender->sent_bytes = syslog_line_bytes(syslog->line);
    return st;
}

static struct status
line_check(struct ship_sender *sender, struct diag *diag)
{
    return syslog_line_check(((struct syslog_sender *)sender)->line, diag);
}

static int
line_fd(const struct ship_sender *sender)
{
    return syslog_line_fd(((const struct syslog_sender *)sender)->line);
}

static bool
line_close(struct ship_sender *sender, const struct out_wait *wait, bool is_clean)
{
    struct syslog_sender *syslog = (struct syslog_sender *)sender;
    const bool is_answered = syslog_line_close(syslog->line, wait, is_clean);
    sender->sent_bytes = syslog_line_bytes(syslog->line);
    return is_answered;
}

static void
line_free(struct ship_sender *sender)
{
    struct syslog_sender *syslog = (struct syslog_sender *)sender;
    syslog_line_free(syslog->line);
    buf_done(&syslog->message);
    config_unref(syslog->config);
    mem_free(syslog);
}

struct audit_source
ship_source(const struct config *config)
{
    return (struct audit_source){config->community_name != NULL ? config->community_name
                                                                : config->community,
                                 config->community};
}

struct status
ship_syslog_new(const struct config *config, const struct config_audit_repository *repository,
                struct diag *diag, struct ship_sender **ret_sender)
{
    const struct syslog_target target = {repository->host, repository->port, repository->trust,
                                         repository->credential, repository->certificate_name};
    struct syslog_sender *syslog = mem_alloc(sizeof(*syslog));
    if (syslog == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the audit repository '%s'",
                    repository->name);
    }
    const bool is_udp = repository->kind == CONFIG_AUDIT_SYSLOG_UDP;
    syslog->sender = (struct ship_sender){.kind = is_udp ? "syslog-udp" : "syslog-tls",
                                          .connect = line_open,
                                          .send = line_send,
                                          .check = line_check,
                                          .fd = line_fd,
                                          .close = line_close,
                                          .free = line_free};
    syslog->config = config_ref(config);
    syslog->source = ship_source(config);
    find_hostname(syslog->hostname);
    buf_init_secret(&syslog->message, MESSAGE_BYTES_MAX);
    const struct status st = syslog_line_new(&target, diag, &syslog->line);
    if (!is_ok(st)) {
        line_free(&syslog->sender);
        return st;
    }
    *ret_sender = &syslog->sender;
    return OK;
}
