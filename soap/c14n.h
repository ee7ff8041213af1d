/*
 * Exclusive canonical XML (W3C xml-exc-c14n, without comments) of one element and what is in it,
 * given piece by piece to whoever digests it: no node set, no tree of visible nodes, no copy.
 *
 * The bytes are exactly those of libxml2's xmlC14NExecute for the same element, for every tree that
 * xml_parse makes; tests and a fuzz target compare both. What this does not know it does not guess:
 * it says so, and the caller asks libxml2. Pure; thread: whoever owns the tree.
 */
#ifndef SOAP_C14N_H
#define SOAP_C14N_H

#include "soap/xml.h"

#define C14N_PREFIXES_MAX 64 /* as SIG_PREFIXES_MAX */

/* An InclusiveNamespaces PrefixList. */
struct c14n_prefixes {
    const char *items[C14N_PREFIXES_MAX]; /* NULL: #default */
    size_t n;
    char text[512];
};
/* Splits the list at single blanks, as xmlsec does. False for a list that readers could split in
 * different ways (other or repeated white space) or that is too long. */
bool c14n_read_prefixes(struct span list, struct c14n_prefixes *ret_prefixes);

struct c14n {
    const xmlNode *top;
    const xmlNode *without; /* left out with all that is in it; NULL: nothing */
    const struct c14n_prefixes *inclusive;
    bool (*take)(void *arg, struct span bytes); /* false: it failed, and so does the whole */
    void *arg;
};
/* False when <take> failed, or the element has something whose form is not known here: nodes that
 * xml_parse does not make, namespaces whose names are not plain, more than 256 levels, 256
 * namespaces in force or 256 attributes of one element. What was taken is worth nothing then. */
MUST_CHECK bool c14n_write(const struct c14n *c14n);

/* Are the names of all namespaces that this one element declares plain: an absolute URI of
 * unreserved characters, colons and slashes, with a fragment or without? libxml2 parses the name of
 * each and fails for what is no URI. */
bool c14n_has_plain_names(const xmlNode *node);

#endif
