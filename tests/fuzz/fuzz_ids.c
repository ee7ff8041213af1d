/*
 * OIDs, UUIDs, homeCommunityIds, CX, documentUniqueIds and the escape of HL7 v2: against regular
 * expressions that say the same in another language, and read back after writing.
 *
 * Input: a text.
 */
#include <regex.h>
#include <string.h>

#include "base/document.h"
#include "base/hl7v2.h"
#include "base/ids.h"
#include "fuzz/fuzz.h"

#define TEXT_MAX 4096

static bool
matches(const char *pattern, struct span text)
{
    char copy[TEXT_MAX + 1];
    regex_t regex;
    if (text.n > TEXT_MAX || (text.n > 0 && memchr(text.p, '\0', text.n) != NULL)) {
        return false;
    }
    memcpy(copy, text.n > 0 ? text.p : "", text.n);
    copy[text.n] = '\0';
    FUZZ_MUST(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) == 0, "%s", pattern);
    const bool is_match = regexec(&regex, copy, 0, NULL, 0) == 0;
    regfree(&regex);
    return is_match;
}

static void
check_oids(struct span text)
{
    struct span oid = SPAN_EMPTY;
    const bool is_oid = oid_is_valid(text);
    FUZZ_MUST(is_oid == (text.n < OID_TEXT && matches("^[0-2](\\.(0|[1-9][0-9]*))+$", text)),
              "an OID or not: we say %d", is_oid);
    FUZZ_MUST(uuid_is_valid(text) ==
                  matches("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", text),
              "a UUID or not: we say %d", uuid_is_valid(text));
    if (home_community_oid(text, &oid)) {
        FUZZ_MUST(oid_is_valid(oid), "the OID inside is none");
        FUZZ_MUST(span_ends_with(text, oid) && (text.n == oid.n || text.n == oid.n + 8),
                  "the OID stands elsewhere");
    } else {
        FUZZ_MUST(!is_oid, "a bare OID is a homeCommunityId");
    }
    FUZZ_MUST(!is_oid || document_unique_id_is_legal(text), "an OID is a documentUniqueId");
}

static void
check_cx(struct span text, struct arena *arena)
{
    struct diag diag = {0};
    struct ident id = {.root = SPAN_EMPTY}, again = {.root = SPAN_EMPTY};
    struct span cx = SPAN_EMPTY;
    const struct status st = ident_read_cx(text, &diag, &id);
    fuzz_check_refusal(st, &diag);
    if (is_ok(st)) {
        FUZZ_MUST(id.extension.n > 0 && oid_is_valid(id.root), "neither id nor authority");
        FUZZ_MUST(is_ok(ident_write_cx(arena, &id, &diag, &cx)), "%s", diag.text);
        FUZZ_MUST(is_ok(ident_read_cx(cx, &diag, &again)), "%s", diag.text);
        FUZZ_MUST(ident_eq(&id, &again), "another id");
    }
}

static void
check_escape(struct span text, struct arena *arena)
{
    struct diag diag = {0};
    struct span escaped = SPAN_EMPTY;
    const struct status st = hl7v2_escape(arena, text, &diag, &escaped);
    fuzz_check_refusal(st, &diag);
    for (size_t i = 0; is_ok(st) && i < escaped.n; i++) {
        FUZZ_MUST(strchr("|^&~", escaped.p[i]) == NULL || escaped.p[i] == '\0',
                  "a delimiter is left");
        FUZZ_MUST((unsigned char)escaped.p[i] >= ' ', "a control character is left");
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const struct span text = span_of((const char *)bytes, n < TEXT_MAX ? n : TEXT_MAX);
    struct arena *const arena = fuzz_arena();
    check_oids(text);
    check_cx(text, arena);
    check_escape(text, arena);
    (void)document_unique_id_is_legal(text);
    arena_free(arena);
    return 0;
}
