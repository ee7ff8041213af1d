/*
 * Audit records as syslog messages (ITI TF-2 3.20.4.1.1.1: RFC 5424 over TLS or UDP), and the
 * sender that brings them to a collector (ship.h).
 */
#ifndef AUDIT_SHIP_SYSLOG_H
#define AUDIT_SHIP_SYSLOG_H

#include "audit/ship.h"
#include "config/config.h"

/* One message: PRI 85 (security, notice) or 84 (warning) when the event is no success, the event's
 * time, APP-NAME isthmus, PROCID <chain>-<sequence>, MSGID IHE+RFC-3881, no STRUCTURED-DATA, the
 * AuditMessage without a BOM. The same record gives the same bytes. <hostname>: visible ASCII, or
 * "-". Appends to <out>. */
MUST_CHECK struct status ship_syslog_write(const struct ship_record *record,
                                           const struct audit_source *source, const char *hostname,
                                           struct buf *out, struct diag *diag);

/* Who we are in AuditMessages. */
struct audit_source ship_source(const struct config *config);

/* For a repository of <config> of kind SYSLOG_TLS or SYSLOG_UDP; keeps a reference to <config>.
 * ERR_NO_MEMORY, ERR_CRYPTO. */
MUST_CHECK struct status ship_syslog_new(const struct config *config,
                                         const struct config_audit_repository *repository,
                                         struct diag *diag, struct ship_sender **ret_sender);

#endif
