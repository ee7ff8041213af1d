/* What the files of the explanation share; nobody else includes it. */
#ifndef SOAP_EXPLAIN_PARTS_H
#define SOAP_EXPLAIN_PARTS_H

#include "soap/explain.h"
#include "soap/security_parts.h"

#define EXPLAIN_LIST_MAX 100 /* entries of one list that are told; further ones are counted */

struct explanation {
    struct arena *arena;
    const struct message *message; /* NULL: it cannot be read as one; <problem> says why */
    const xmlNode *root;           /* NULL: no XML either */
    struct diag problem;
    struct span body;
    /* Of the Security header for us, or what looks most like it; may be NULL. */
    const xmlNode *security, *timestamp, *assertion;
};

/* "{namespace}local" would be long: the local name. */
struct span explain_name(const xmlNode *node);
/* The part of a URI behind its last '/'; the whole when there is none. */
struct span explain_short(struct span uri);
/* Text of an element for display, also when comments cut it; pieces joined. */
struct span explain_text(const struct explanation *explanation, const xmlNode *node);
/* The certificate of a ds:KeyInfo (or what holds one), to be freed by the caller; NULL: none, or it
 * cannot be decoded. */
struct certificate *explain_carried(const xmlNode *within);
/* Of an id_token: its header, and which claims it has. */
void explain_token(struct span text, struct arena *arena, struct notes *notes, struct note *parent);

#endif
