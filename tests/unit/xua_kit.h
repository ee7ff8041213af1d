/*
 * Messages of red's local system "ehr" with assertions about its users (ITI-40), on top of
 * local_kit.h: those of a token service that its entry believes, and every change of them.
 */
#ifndef XUA_KIT_H
#define XUA_KIT_H

#include "local_kit.h"
#include "soap_kit.h"

#define GATEWAY   "https://gateway.example:9443"
#define STS       "urn:example:sts"
#define ASSERTION "Header/Security/Assertion"
#define NAME_ID   "CN=ada,O=Hospital"
#define ROLE_NAME "urn:oasis:names:tc:xacml:2.0:subject:role"

enum signer { THE_STS, A_HOLDER, A_STRANGER, SIGNERS };

extern struct scene scene;
extern struct scene_reply reply;
extern struct config_assertions believed; /* of the entry */
extern struct config_system *ehr;

/* red's system "ehr" brings bearer assertions of the token service; its entry's user has an npi. */
void open_world(void);
void close_world(void);

/* How a message differs from the right one; zero: it is right. */
struct variant {
    const char *name;
    struct kit_edit edits[3];
    enum signer signer;
    bool is_left_unsigned; /* after the edits; else the assertion is signed again */
    bool is_holder_of_key;
    bool keeps_issuer; /* our writer's: the key's subject */
    int64_t shift_us;  /* of the assertion, not of the Timestamp */
    const char *audience;
    const char *home_community;
    const char *organization_id;
    const char *delegator, *purpose;
    const char *without; /* the assertion's attributes of this name are left out */
    enum err want;
    const char *says; /* in the record */
};

/* As our writer made it, signed by <signer>; to be changed, and freed by close_message. */
xmlDoc *open_message(const struct variant *variant, enum signer signer, struct arena *arena);
/* With a MessageID of its own. */
struct span close_message(xmlDoc *doc, struct arena *arena);
struct span make_message(const struct variant *variant, struct arena *arena);
void set_text(xmlDoc *doc, const char *path, const char *text);
void sign_assertion(xmlDoc *doc, enum signer signer);
void send_bytes(struct span xml); /* to /pdq; the answer is in <reply> */
void send_variant(const struct variant *variant);

#endif
