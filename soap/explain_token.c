/*
 * What an individual's id_token in a captured message looks like: its header, and the names of its
 * claims; the values are about a patient. Called by `isthmus decode`. Nothing is verified here.
 */
#include "certs/strict_json.h"
#include "soap/explain_parts.h"
#include "soap/jws.h"

static struct status
note_claims(const struct jws *jws, struct arena *arena, struct notes *notes, struct note *parent,
            struct diag *why)
{
    json_auto_t *claims = NULL;
    uint8_t *bytes = NULL;
    const char *name;
    json_t *value;
    size_t n = 0;
    size_t told = 0;

    TRY(ARENA_ARRAY(arena, BASE64URL_ROOM(jws->payload.n), why, &bytes));
    if (!base64url_decode(jws->payload, bytes, BASE64URL_ROOM(jws->payload.n), &n)) {
        return FAIL(why, ERR_JWS_STRUCTURE, "the payload is not base64url");
    }
    TRY(strict_json_read(span_of((const char *)bytes, n), "the token's payload", ERR_JWS_STRUCTURE,
                         why, &claims));
    json_object_foreach(claims, name, value)
    {
        struct span copy = SPAN_EMPTY;

        if (told++ == EXPLAIN_LIST_MAX) {
            break;
        }
        TRY(arena_dup(arena, span_of_cstr(name), why, &copy));
        note_word(notes, parent, "claims", copy);
    }
    return OK;
}

void
explain_token(struct span text, struct arena *arena, struct notes *notes, struct note *parent)
{
    struct diag why = {0};
    struct jws jws;
    struct status st = jws_read(text, arena, &why, &jws);

    if (is_ok(st)) {
        note_cstr(notes, parent, "algorithm", jwk_algorithm_name(jws.algorithm));
        note_text(notes, parent, "kid", jws.kid);
        note_text(notes, parent, "typ", jws.type);
        st = note_claims(&jws, arena, notes, parent, &why);
    }
    if (!is_ok(st)) {
        note_printf(notes, parent, "problem", "%s: %s", err_name(st.code), why.text);
    }
}
