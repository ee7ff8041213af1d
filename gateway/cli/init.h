/*
 * What `isthmus init` was asked for, and the texts that it writes. Internal to cli/ (cmd_init.c,
 * init_plan.c, init_text.c). Thread: the program's main thread.
 */
#ifndef CLI_INIT_H
#define CLI_INIT_H

#include <arpa/inet.h>

#include "base/buf.h"
#include "base/ids.h"
#include "certs/devpki.h"
#include "cli/cli.h"

#define INIT_ID_MAX 32

struct init_plan {
    const char *dir;
    const char *community; /* bare OID */
    const char *name;      /* of the organisation */
    const char *id;        /* label: file names, log, policy */
    const char *listen, *local, *admin;
    const char *url;     /* how partners reach it: https://host[:port] */
    const char *host;    /* the name that partners look for in its TLS certificate */
    const char *address; /* numeric, for the certificate; NULL when partners use a name */
    const char *policy;  /* a shipped policy file's name without .yaml */
    bool denies_all;     /* it was not found where this program is */
    bool has_pki;
    const char *key_text; /* --key, settled to: */
    enum devpki_key key;
    const char *ca_dir; /* NULL: an authority of its own */
    /* asserts: what the options gave, the rest is NULL */
    const char *organization, *organization_id, *user, *role, *role_display, *purpose, *npi;
    /* room for what was settled */
    char label[INIT_ID_MAX + 1], oid[OID_TEXT], url_room[512], default_host[64];
    char reached[256]; /* the URL's host */
    char listen_host[INET6_ADDRSTRLEN];
};

/* Settles what the options left open. False, and said on standard error, when an option is wrong.
 */
bool init_settle(const struct cli_command *command, const struct cli_values *rest,
                 struct init_plan *plan);

MUST_CHECK struct status init_write_config(const struct init_plan *plan, struct buf *out,
                                           struct diag *diag);
/* The partner file that this node's partners put into their partners.d. */
MUST_CHECK struct status init_write_card(const struct init_plan *plan, struct buf *out,
                                         struct diag *diag);
/* When no shipped policy file is found. */
MUST_CHECK struct status init_write_deny_policy(struct buf *out, struct diag *diag);

#endif
