/*
 * A scanner over the bytes of a message that knows just enough of XML to tell the text of a
 * Document element from everything else. Called by message_read_body on whichever thread reads the
 * message, for one that is too large to be parsed as it is. It decides nothing about the message:
 * all but the moved texts reaches the pre-scan and the parser as it was.
 */
#include "soap/inline_documents.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/spool.h"

#define NAME_MAX_BYTES    ((size_t)256)       /* of an element that could be called Document */
#define DECODE_CHARACTERS ((size_t)16 * 1024) /* of base64 at a time; a multiple of four */
#define REFERENCE_MAX     8                   /* characters of a reference to white space */

enum place {
    PLACE_TEXT,    /* between tags */
    PLACE_OPEN,    /* behind '<' */
    PLACE_TAG,     /* in a tag */
    PLACE_QUOTED,  /* in an attribute's value */
    PLACE_SPECIAL, /* comment, CDATA section, processing instruction: until its end */
    PLACE_DOCUMENT /* in the text of a Document */
};

struct scanner {
    struct buf *out;
    struct arena *arena;
    struct diag *diag;
    struct spool *spool;
    enum err code;        /* for what is no base64 */
    uint64_t limit_bytes; /* of a Document: never reached, as text is longer than what it says */
    struct inline_documents *documents;
    enum place place;
    char quote;
    char name[NAME_MAX_BYTES]; /* of the tag, or how the special thing begins */
    size_t name_n;
    bool is_name_over;
    char last;        /* of the tag, before '>' */
    const char *end;  /* of the special thing */
    char tail[3];     /* the last characters of it */
    struct buf text;  /* of a Document, as it was, while it is short */
    struct buf group; /* base64 characters that are not decoded yet */
    struct buf bytes; /* what was decoded */
    char reference[REFERENCE_MAX];
    size_t reference_n; /* 0: not in one */
    bool is_moving;
    bool is_padded; /* a group ended with padding: nothing may follow */
    struct sink sink;
    size_t window; /* bytes that are looked at together */
};

/* ---- tags ---- */

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_document(const struct scanner *s)
{
    const struct span name = span_of(s->name, s->name_n);
    const size_t colon = span_find_char(name, ':');
    return s->last != '/' &&
           span_eq(span_slice(name, colon == SPAN_MISSING ? 0 : colon + 1, SIZE_MAX),
                   SPAN("Document"));
}

static void
begin_tag(struct scanner *s)
{
    s->place = PLACE_OPEN;
    s->name_n = 0;
    s->is_name_over = false;
    s->last = '\0';
}

/* Behind '<': what begins here? */
static void
take_opening(struct scanner *s, char c)
{
    static const struct {
        const char *start, *end;
    } specials[] = {{"!--", "-->"}, {"![CDATA[", "]]>"}, {"?", "?>"}};
    s->name[s->name_n++] = c;
    for (size_t i = 0; i < ARRAY_LEN(specials); i++) {
        const size_t n = strlen(specials[i].start);
        const size_t both = s->name_n < n ? s->name_n : n;
        if (memcmp(s->name, specials[i].start, both) == 0) {
            if (both == n) {
                s->place = PLACE_SPECIAL;
                s->end = specials[i].end;
                memset(s->tail, 0, sizeof(s->tail));
            }
            return;
        }
    }
    s->place = PLACE_TAG;
    s->is_name_over = is_space(c) || c == '>' || c == '/' || c == '!';
    s->last = c;
    if (c == '>') {
        s->place = PLACE_TEXT;
    }
}

static void
end_tag(struct scanner *s)
{
    s->place = PLACE_TEXT;
    if (is_document(s)) {
        s->place = PLACE_DOCUMENT;
        buf_reset(&s->text);
        buf_reset(&s->group);
        s->reference_n = 0;
        s->is_moving = s->is_padded = false;
    }
}

static void
take_in_tag(struct scanner *s, char c)
{
    if (c == '>') {
        end_tag(s);
        return;
    }
    if (c == '"' || c == '\'') {
        s->place = PLACE_QUOTED;
        s->quote = c;
    }
    s->is_name_over = s->is_name_over || is_space(c) || c == '/';
    if (!s->is_name_over && s->name_n < sizeof(s->name)) {
        s->name[s->name_n++] = c;
    }
    s->last = c;
}

static void
take_special(struct scanner *s, char c)
{
    const size_t n = strlen(s->end);
    memmove(s->tail, s->tail + 1, sizeof(s->tail) - 1);
    s->tail[sizeof(s->tail) - 1] = c;
    if (memcmp(s->tail + sizeof(s->tail) - n, s->end, n) == 0) {
        s->place = PLACE_TEXT;
    }
}

/* ---- the text of a Document ---- */

static struct status
decode_group(struct scanner *s)
{
    struct diag why = {.code = ERR_NONE};
    if (s->group.n == 0) {
        return OK;
    }
    if (s->is_padded) {
        return FAIL(s->diag, s->code, "Document: base64 goes on behind its end");
    }
    buf_reset(&s->bytes);
    struct status st = base64_decode(buf_span(&s->group), &s->bytes, &why);
    if (!is_ok(st)) {
        return FAIL(s->diag, st.code == ERR_MESSAGE_CONTENT ? s->code : st.code, "Document: %s",
                    why.text);
    }
    s->is_padded = s->group.p[s->group.n - 1] == '=';
    buf_reset(&s->group);
    st = sink_append(&s->sink, buf_span(&s->bytes), &why);
    if (!is_ok(st)) {
        return FAIL(s->diag, st.code == ERR_LIMIT_BUFFER ? s->code : st.code, "Document: %s",
                    why.text);
    }
    return OK;
}

/* White space apart, everything is taken; what may not stand there is found when it is decoded. */
static struct status
take_base64(struct scanner *s, struct span run)
{
    char *to = NULL;
    size_t at = 0;
    while (at < run.n) {
        TRY(buf_reserve(&s->group, DECODE_CHARACTERS - s->group.n, s->diag, &to));
        const size_t room = DECODE_CHARACTERS - s->group.n;
        size_t n = 0;
        for (; at < run.n && n < room; at++) {
            to[n] = run.p[at];
            n += is_space(run.p[at]) ? 0 : 1;
        }
        s->group.n += n;
        if (s->group.n == DECODE_CHARACTERS) {
            TRY(decode_group(s));
        }
    }
    return OK;
}

/* The text is no base64, or short: it stays what it was. */
static struct status
leave_text(struct scanner *s)
{
    s->place = PLACE_TEXT;
    return buf_append(s->out, buf_span(&s->text), s->diag);
}

static bool
is_base64(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
}

/* Long enough: what has come so far is decoded, and what follows. */
static struct status
start_moving(struct scanner *s)
{
    s->is_moving = true;
    sink_done(&s->sink);
    sink_init(&s->sink, s->spool, s->limit_bytes);
    struct span rest = buf_span(&s->text);
    while (rest.n > 0) {
        const size_t reference = span_find_char(rest, '&');
        TRY(take_base64(s, span_slice(rest, 0, reference)));
        rest = span_slice(rest, reference, SIZE_MAX);
        const size_t end = span_find_char(rest, ';');
        rest = span_slice(rest, end == SPAN_MISSING ? rest.n : end + 1, SIZE_MAX);
    }
    buf_reset(&s->text);
    return OK;
}

static struct status
end_moving(struct scanner *s)
{
    struct body document;
    TRY(decode_group(s));
    TRY(sink_finish(&s->sink, s->diag, &document));
    const struct status st = ARENA_PUSH(s->arena, s->diag, s->documents, document);
    if (!is_ok(st)) {
        body_done(&document);
        return st;
    }
    s->place = PLACE_TEXT;
    return buf_printf(s->out, s->diag, "%s#%zu", s->documents->token, s->documents->n - 1);
}

/* In a reference: only those to white space are known here. */
static bool
take_reference(struct scanner *s, char c)
{
    static const char *const known[] = {"&#13;", "&#10;", "&#9;",  "&#32;", "&#xD;",
                                        "&#xA;", "&#xd;", "&#xa;", "&#x9;", "&#x20;"};
    s->reference[s->reference_n++] = c;
    const struct span text = span_of(s->reference, s->reference_n);
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (span_eq_cstr(text, known[i])) {
            s->reference_n = 0;
            return true;
        }
        if (span_starts_with(span_of_cstr(known[i]), text)) {
            return true;
        }
    }
    return false;
}

static struct status
refuse_character(const struct scanner *s)
{
    return FAIL(s->diag, s->code, "Document: a character that is not base64 after %llu bytes",
                (unsigned long long)s->sink.size);
}

static struct status
take_document(struct scanner *s, char c)
{
    const bool is_reference = s->reference_n > 0 || c == '&';
    const bool is_good = is_reference ? take_reference(s, c) : is_base64(c) || is_space(c);
    if (s->is_moving) {
        return !is_good ? refuse_character(s) : is_reference ? OK : take_base64(s, span_of(&c, 1));
    }
    TRY(buf_append_char(&s->text, c, s->diag));
    if (!is_good) {
        return leave_text(s);
    }
    return s->text.n >= INLINE_LEAST && s->reference_n == 0 ? start_moving(s) : OK;
}

static struct status
end_document(struct scanner *s)
{
    if (!s->is_moving) {
        return leave_text(s);
    }
    return s->reference_n > 0 ? refuse_character(s) : end_moving(s);
}

/* ---- everything ---- */

static struct status
take_markup(struct scanner *s, char c)
{
    switch (s->place) {
    case PLACE_OPEN:
        take_opening(s, c);
        break;
    case PLACE_TAG:
        take_in_tag(s, c);
        break;
    case PLACE_QUOTED:
        if (c == s->quote) {
            s->place = PLACE_TAG;
        }
        break;
    case PLACE_SPECIAL:
        take_special(s, c);
        break;
    case PLACE_TEXT:
    case PLACE_DOCUMENT:
        break;
    }
    return buf_append_char(s->out, c, s->diag);
}

static struct status
take_character(struct scanner *s, char c)
{
    if (c == '<' && s->place == PLACE_DOCUMENT) {
        TRY(end_document(s));
    }
    if (c == '<' && s->place == PLACE_TEXT) {
        begin_tag(s);
        return buf_append_char(s->out, c, s->diag);
    }
    return s->place == PLACE_DOCUMENT ? take_document(s, c) : take_markup(s, c);
}

/* How much of <rest> is of one kind and can be taken at once; 0: take a character. */
static size_t
length_of_run(const struct scanner *s, struct span rest)
{
    if (s->place == PLACE_TEXT) {
        return span_find_char(rest, '<');
    }
    if (s->place != PLACE_DOCUMENT || !s->is_moving || s->reference_n > 0) {
        return 0;
    }
    const size_t end = span_find_char(rest, '<');
    const size_t reference = span_find_char(span_slice(rest, 0, end), '&');
    return reference == SPAN_MISSING ? end : reference;
}

static struct status
take_piece(void *arg, struct span piece, struct diag *diag)
{
    struct scanner *s = arg;
    struct span rest = piece;
    (void)diag;
    while (rest.n > 0) {
        const struct span run = span_slice(rest, 0, length_of_run(s, rest));
        if (run.n == 0) {
            TRY(take_character(s, rest.p[0]));
            rest = span_slice(rest, 1, SIZE_MAX);
            continue;
        }
        TRY(s->place == PLACE_TEXT ? buf_append(s->out, run, s->diag) : take_base64(s, run));
        rest = span_slice(rest, run.n, SIZE_MAX);
    }
    return OK;
}

static struct status
take_windows(void *arg, struct span piece, struct diag *diag)
{
    const struct scanner *s = arg;
    for (struct span rest = piece; rest.n > 0; rest = span_slice(rest, s->window, SIZE_MAX)) {
        TRY(take_piece(arg, span_slice(rest, 0, s->window), diag));
    }
    return OK;
}

static void
release(void *documents)
{
    struct inline_documents *const list = documents;
    for (size_t i = 0; i < list->n; i++) {
        body_done(&list->items[i]);
    }
    list->n = 0;
}

struct status
inline_documents_move(const struct body *xml, enum err code, struct spool *spool,
                      struct arena *arena, struct diag *diag, struct buf *out,
                      struct inline_documents *documents)
{
    return inline_documents_move_window(xml, SIZE_MAX, code, spool, arena, diag, out, documents);
}

struct status
inline_documents_move_window(const struct body *xml, size_t window, enum err code,
                             struct spool *spool, struct arena *arena, struct diag *diag,
                             struct buf *out, struct inline_documents *documents)
{
    struct scanner s = {.out = out,
                        .arena = arena,
                        .diag = diag,
                        .spool = spool,
                        .code = code,
                        .limit_bytes = xml->size,
                        .window = window,
                        .documents = documents};
    *documents = (struct inline_documents){.items = NULL};
    uuid_new(documents->token);
    TRY(arena_defer(arena, release, documents, diag));
    buf_init_secret(&s.text, INLINE_LEAST + REFERENCE_MAX);
    buf_init_secret(&s.group, DECODE_CHARACTERS);
    buf_init_secret(&s.bytes, DECODE_CHARACTERS);
    sink_init(&s.sink, NULL, 0);
    struct status st = body_each(xml, take_windows, &s, diag);
    if (is_ok(st) && s.place == PLACE_DOCUMENT && !s.is_moving) {
        st = leave_text(&s); /* the parser says that the end is missing */
    }
    sink_done(&s.sink);
    buf_done(&s.bytes);
    buf_done(&s.group);
    buf_done(&s.text);
    return st;
}

const struct body *
inline_documents_find(const struct inline_documents *documents, struct span text)
{
    struct span rest = text, token;
    uint64_t index = 0;
    if (documents->n == 0 || !span_split(&rest, '#', &token) ||
        !span_eq_cstr(token, documents->token) || !span_to_u64(rest, documents->n - 1, &index)) {
        return NULL;
    }
    return &documents->items[index];
}
