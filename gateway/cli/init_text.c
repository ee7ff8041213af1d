/*
 * The files that `isthmus init` writes, as text: complete, commented for the operator who will edit
 * them, and with nothing in them that was neither asked for nor a documented default. Called by
 * cmd_init.c.
 */
#include "cli/init.h"

#include "base/span.h"

/* A double-quoted YAML scalar: the name of an organisation may hold anything. */
static struct status
append_quoted(struct buf *out, const char *text, struct diag *diag)
{
    TRY(buf_append_char(out, '"', diag));
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\') {
            TRY(buf_append_char(out, '\\', diag));
        }
        TRY(buf_append_char(out, *p, diag));
    }
    return buf_append_char(out, '"', diag);
}

static struct status
append_key(struct buf *out, const char *key, const char *text, struct diag *diag)
{
    if (text == NULL) {
        return OK;
    }
    TRY(buf_printf(out, diag, "  %s: ", key));
    TRY(append_quoted(out, text, diag));
    return buf_append_char(out, '\n', diag);
}

/* ---- isthmus.yaml ---- */

static struct status
write_community(const struct init_plan *plan, struct buf *out, struct diag *diag)
{
    TRY(buf_append_cstr(
        out,
        "# Configuration of one Isthmus node, written by `isthmus init`.\n"
        "# Every key is described in gateway/config/README.md. Check it after each change:\n"
        "#     isthmus check -c isthmus.yaml\n"
        "# Paths are relative to this file.\n\n"
        "# Who this node is. The homeCommunityId is an OID; ids of patients and of the embedded\n"
        "# repository are given out under OIDs of their own.\n"
        "community:\n",
        diag));
    TRY(buf_printf(out, diag, "  id: %s\n", plan->community));
    TRY(append_key(out, "name", plan->name, diag));
    TRY(buf_printf(out, diag, "  patient_authority: %s.1\n", plan->community));
    return buf_printf(out, diag, "  repository: %s.2\n\n", plan->community);
}

/* Who asks on the local listener can be said only when there is all that must be asserted. */
static bool
can_assert(const struct init_plan *plan)
{
    return plan->organization != NULL && plan->organization_id != NULL && plan->user != NULL &&
           plan->role != NULL && plan->purpose != NULL;
}

static struct status
write_listen(const struct init_plan *plan, struct buf *out, struct diag *diag)
{
    TRY(buf_printf(out, diag,
                   "listen:\n"
                   "  # Partners: mutual TLS and signed assertions, always. Partners address their "
                   "questions to\n"
                   "  # url; it is the audience of their assertions.\n"
                   "  network:\n"
                   "    address: \"%s\"\n"
                   "    url: \"%s\"\n"
                   "    credential: node\n"
                   "    trust: partners\n",
                   plan->listen, plan->url));
    if (plan->local != NULL) {
        TRY(buf_printf(out, diag,
                       "  # Systems of this community. Only loopback or a unix socket without TLS; "
                       "to open it, add\n"
                       "  # credential and trust.\n"
                       "  local:\n"
                       "    address: \"%s\"\n"
                       "    # Who asks there: an entry of systems. Without one every request is "
                       "refused.\n"
                       "    %ssystem: local\n",
                       plan->local, can_assert(plan) ? "" : "# "));
    }
    if (plan->admin != NULL) {
        TRY(buf_printf(out, diag,
                       "  # /metrics, /livez and /readyz\n"
                       "  admin:\n"
                       "    address: \"%s\"\n",
                       plan->admin));
    }
    return buf_append_cstr(out, "\n", diag);
}

static bool
has_asserts(const struct init_plan *plan)
{
    return plan->organization != NULL || plan->organization_id != NULL || plan->user != NULL ||
           plan->role != NULL || plan->role_display != NULL || plan->purpose != NULL ||
           plan->npi != NULL;
}

static struct status
write_asserts(const struct init_plan *plan, struct buf *out, struct diag *diag)
{
    TRY(buf_append_cstr(
        out,
        "# What this node's own assertions say when it asks: organization, organization_id, user,\n"
        "# role, role_display, purpose, purpose_system, npi. What is not here must be given with\n"
        "# each question (--user, --role, --purpose); nothing is invented.\n",
        diag));
    TRY(buf_append_cstr(out, has_asserts(plan) ? "asserts:\n" : "asserts: {}\n", diag));
    TRY(append_key(out, "organization", plan->organization, diag));
    TRY(append_key(out, "organization_id", plan->organization_id, diag));
    TRY(append_key(out, "user", plan->user, diag));
    TRY(append_key(out, "role", plan->role, diag));
    TRY(append_key(out, "role_display", plan->role_display, diag));
    TRY(append_key(out, "purpose", plan->purpose, diag));
    TRY(append_key(out, "npi", plan->npi, diag));
    return buf_append_char(out, '\n', diag);
}

static struct status
write_systems(const struct init_plan *plan, struct buf *out, struct diag *diag)
{
    if (plan->local == NULL) {
        return OK;
    }
    return buf_printf(
        out, diag,
        "# Local systems that ask through this node. What an entry's own asserts leave out is that "
        "of\n"
        "# asserts above; all must be there. With TLS on the local listener a system is known by\n"
        "# certificate_names.\n"
        "%s\n\n",
        can_assert(plan) ? "systems:\n  local: {}"
                         : "# systems:\n#   local: {asserts: {user: \"...\", role: \"...\"}}");
}

static struct status
write_trust(struct buf *out, struct diag *diag)
{
    return buf_append_cstr(
        out,
        "# PEM files: the node's own certificate first, then intermediates. Keys belong to their\n"
        "# owner alone (mode 0600).\n"
        "credentials:\n"
        "  # TLS, both directions\n"
        "  node: {certificate: pki/node.pem, key: pki/node.key}\n"
        "  # assertions and Timestamps\n"
        "  signing: {certificate: pki/signing.pem, key: pki/signing.key}\n\n"
        "# Whose certificates are believed. With crl, every certificate needs a current "
        "revocation\n"
        "# list of its issuer.\n"
        "trust:\n"
        "  partners: {anchors: pki/ca.pem, crl: pki/crl.pem}\n\n"
        "# One file per partner: what its `isthmus init` wrote into its card folder.\n"
        "partners:\n"
        "  - partners.d/*.yaml\n\n",
        diag);
}

static struct status
write_rest(const struct init_plan *plan, struct buf *out, struct diag *diag)
{
    TRY(buf_append_cstr(out,
                        "# The embedded registry, repository and patient index.\n"
                        "store:\n"
                        "  engine: sqlite\n"
                        "  path: var/isthmus.db\n"
                        "sources: []\n\n"
                        "# Every question and answer is recorded here before it leaves.\n"
                        "audit:\n"
                        "  journal: var/audit\n"
                        "  repositories: []\n"
                        "  # signs every minute where the journal stands; keeps it for six years\n"
                        "  checkpoints: {credential: signing}\n\n"
                        "# What is allowed. What no rule permits is denied.\n"
                        "policies:\n",
                        diag));
    TRY(buf_printf(out, diag, "  - policies/%s.yaml\n\n", plan->policy));
    return buf_append_cstr(out,
                           "security:\n"
                           "  clock_skew: 60s      # how far partners' clocks may differ\n"
                           "  max_lifetime: 1h     # of assertions and Timestamps\n\n"
                           "limits:\n"
                           "  timeout: 20s         # of one transaction\n"
                           "  body: 64MB           # of one request\n"
                           "  root_part: 1MB       # of its SOAP part\n\n"
                           "log:\n"
                           "  level: info          # debug, info, warning, error\n"
                           "  format: text         # text, json\n",
                           diag);
}

struct status
init_write_config(const struct init_plan *plan, struct buf *out, struct diag *diag)
{
    TRY(write_community(plan, out, diag));
    TRY(write_listen(plan, out, diag));
    TRY(write_asserts(plan, out, diag));
    TRY(write_systems(plan, out, diag));
    TRY(write_trust(out, diag));
    return write_rest(plan, out, diag);
}

/* ---- the card ---- */

struct status
init_write_card(const struct init_plan *plan, struct buf *out, struct diag *diag)
{
    TRY(buf_printf(
        out, diag,
        "# Partner file of one Isthmus node, for its partners: put it and %s-signing.pem\n"
        "# into the folder partners.d beside your isthmus.yaml.\n"
        "id: %s\n"
        "name: ",
        plan->id, plan->id));
    TRY(append_quoted(out, plan->name, diag));
    TRY(buf_printf(out, diag, "\ncommunities: [%s]\n", plan->community));
    TRY(buf_printf(out, diag,
                   "endpoints:\n"
                   "  xcpd: \"%s/xcpd\"\n"
                   "  query: \"%s/xca/query\"\n"
                   "  retrieve: \"%s/xca/retrieve\"\n"
                   "  xcdr: \"%s/xcdr\"\n",
                   plan->url, plan->url, plan->url, plan->url));
    TRY(buf_printf(out, diag,
                   "# The name that its TLS certificate carries, and the keys that it signs with.\n"
                   "tls: {identity: san, names: [\"%s\"]}\n"
                   "signing: {certificates: [%s-signing.pem]}\n",
                   plan->host, plan->id));
    return buf_append_cstr(out, "confirmation: [holder-of-key]\n", diag);
}

/* ---- policy ---- */

struct status
init_write_deny_policy(struct buf *out, struct diag *diag)
{
    return buf_append_cstr(
        out,
        "# Everything is denied, in both directions: the rule files that come with Isthmus were "
        "not\n"
        "# found when this was written: copy tefca.yaml from the folder policies of the sources\n"
        "# over it. The language is described in the README.md there.\n"
        "rules:\n"
        "  - name: deny-everything\n"
        "    effect: deny\n"
        "    reason: this node has no rules yet\n",
        diag);
}
