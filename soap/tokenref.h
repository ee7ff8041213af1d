/*
 * wsse:SecurityTokenReference in the KeyInfo of the message's signature (WSS SAML token profile 1.1
 * section 3.4, WSS X.509 token profile 1.1 section 3.2): what it points to. It is never a source of
 * keys: those come from the configuration and from the assertion's confirmation. Pure. Thread:
 * whoever owns the arena.
 */
#ifndef SOAP_TOKENREF_H
#define SOAP_TOKENREF_H

#include "soap/namespaces.h"
#include "soap/xml.h"

/* Accepted: no reference at all (the KeyInfo says it in another way); KeyIdentifier of type SAMLID
 * with the assertion's ID, with '#' or without; Reference to "#<ID of the assertion>" or to the
 * BinarySecurityToken beside it (<token>, may be NULL); X.509 identifiers, which name nothing here.
 * ERR_SIG_REFERENCE: another assertion or anything else is meant. ERR_SIG_STRUCTURE: two
 * references, an Embedded token, other forms. */
MUST_CHECK struct status tokenref_check(const xmlNode *signature, const xmlNode *assertion,
                                        const xmlNode *token, struct arena *arena,
                                        struct diag *diag);

#endif
