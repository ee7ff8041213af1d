/*
 * The pre-scan: first every byte is checked to be part of an XML character, then the markup is
 * walked tag by tag. Called by xml_parse before libxml2, on whichever thread reads a message; it
 * owns nothing.
 */
#include "soap/prescan.h"

#include <string.h>

#include "base/text.h"

#define REFERENCE_BYTES_MAX ((size_t)12) /* "&#x10FFFF;" and leading zeros */

struct scan {
    const char *p;
    size_t n;
    size_t at;
    size_t depth;
    size_t roots;
    size_t nodes;
    const struct message_limits *limits;
    struct diag *diag;
    struct prescan_counts counts;
};

static struct status
syntax(struct scan *scan, const char *what)
{
    return FAIL(scan->diag, ERR_XML_SYNTAX, "XML at byte %zu: %s", scan->at + 1, what);
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_at(const struct scan *scan, const char *literal)
{
    const size_t n = strlen(literal);
    return scan->n - scan->at >= n && memcmp(scan->p + scan->at, literal, n) == 0;
}

/* Where <literal> begins at or after <from>, or SPAN_MISSING. */
static size_t
find(const struct scan *scan, size_t from, struct span literal)
{
    while (from < scan->n) {
        const char *const found = memchr(scan->p + from, literal.p[0], scan->n - from);
        if (found == NULL || (size_t)(scan->p + scan->n - found) < literal.n) {
            break;
        }
        if (memcmp(found, literal.p, literal.n) == 0) {
            return (size_t)(found - scan->p);
        }
        from = (size_t)(found - scan->p) + 1;
    }
    return SPAN_MISSING;
}

static struct status
count_nodes(struct scan *scan, size_t n)
{
    scan->nodes += n;
    if (scan->nodes > scan->limits->nodes) {
        return FAIL(
            scan->diag, ERR_LIMIT_XML,
            "XML at byte %zu: more than %zu nodes (elements, texts and comments count once, "
            "attributes twice)",
            scan->at + 1, scan->limits->nodes);
    }
    return OK;
}

/* ---- characters (XML 1.0 section 2.2) ---- */

/* How many bytes at the front are certainly 0x20 to 0x7f: eight at a time. */
static size_t
count_plain(struct span bytes)
{
    const uint64_t high = UINT64_C(0x8080808080808080);
    size_t n = 0;
    for (; bytes.n - n >= sizeof(uint64_t); n += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, bytes.p + n, sizeof(word));
        /* A byte below 0x20 borrows from its high bit; a byte that borrows from its neighbour only
         * makes the answer too small. */
        if (((word | (word - UINT64_C(0x2020202020202020))) & high) != 0) {
            break;
        }
    }
    return n;
}

static struct status
check_characters(struct scan *scan)
{
    struct span rest = span_of(scan->p, scan->n);
    while (rest.n > 0) {
        const size_t plain = count_plain(rest);
        rest.p += plain;
        rest.n -= plain;
        if (rest.n == 0) {
            break;
        }
        const unsigned char byte = (unsigned char)*rest.p;
        if (byte >= 0x20 && byte < 0x80) {
            rest.p++;
            rest.n--;
            continue;
        }
        scan->at = scan->n - rest.n;
        uint32_t c = 0;
        (void)text_take_char(&rest, &c);
        if (c == TEXT_MALFORMED || c == 0) {
            return FAIL(scan->diag, ERR_XML_ENCODING,
                        "byte %zu (0x%02x) is not UTF-8 text; only UTF-8 is accepted", scan->at + 1,
                        byte);
        }
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0xFFFE || c == 0xFFFF) {
            return FAIL(scan->diag, ERR_XML_SYNTAX,
                        "XML at byte %zu: the character U+%04X is not allowed", scan->at + 1,
                        (unsigned)c);
        }
    }
    scan->at = 0;
    return OK;
}

/* ---- the XML declaration ---- */

/* Takes ' name = "value"' from the front; false when it is not there. */
static bool
take_pseudo_attribute(struct span *rest, const char *name, struct span *ret_value)
{
    struct span in = span_trim(*rest);
    struct span part;
    if (rest->n == 0 || !is_blank(rest->p[0]) || !span_take(&in, strlen(name), &part) ||
        !span_eq_cstr(part, name)) {
        return false;
    }
    in = span_trim(in);
    if (!span_take(&in, 1, &part) || part.p[0] != '=') {
        return false;
    }
    in = span_trim(in);
    if (!span_take(&in, 1, &part) || (part.p[0] != '"' && part.p[0] != '\'')) {
        return false;
    }
    const size_t end = span_find_char(in, part.p[0]);
    if (end == SPAN_MISSING || !span_take(&in, end, ret_value) || !span_take(&in, 1, &part)) {
        return false;
    }
    *rest = in;
    return true;
}

/* <?xml version="1.0" encoding="UTF-8" standalone="yes"?>; libxml2 takes any 1.x and any encoding
 * that iconv knows. */
static struct status
scan_declaration(struct scan *scan)
{
    if (!is_at(scan, "<?xml") || scan->n - scan->at < 6 || !is_blank(scan->p[scan->at + 5])) {
        return OK;
    }
    const size_t end = find(scan, scan->at, SPAN("?>"));
    if (end == SPAN_MISSING) {
        return syntax(scan, "the XML declaration does not end");
    }
    struct span rest = span_of(scan->p + scan->at + 5, end - scan->at - 5);
    struct span value;
    if (!take_pseudo_attribute(&rest, "version", &value) || !span_eq_cstr(value, "1.0")) {
        return syntax(scan, "version=\"1.0\" is expected in the XML declaration");
    }
    if (take_pseudo_attribute(&rest, "encoding", &value) && !span_eq_nocase(value, SPAN("UTF-8"))) {
        return FAIL(scan->diag, ERR_XML_ENCODING,
                    "encoding '%.*s' is declared; only UTF-8 is accepted",
                    SPAN_PRINT(span_slice(value, 0, 40)));
    }
    (void)take_pseudo_attribute(&rest, "standalone", &value);
    if (span_trim(rest).n > 0) {
        return syntax(scan, "the XML declaration is malformed");
    }
    scan->at = end + 2;
    return OK;
}

/* ---- text and attribute values ---- */

static bool
is_digit(char c, bool is_hex)
{
    return (c >= '0' && c <= '9') || (is_hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
}

static bool
is_reference(struct span name)
{
    static const char *const predefined[] = {"lt", "gt", "amp", "quot", "apos"};
    if (name.n == 0 || name.p[0] != '#') {
        size_t i = 0;
        while (i < ARRAY_LEN(predefined) && !span_eq_cstr(name, predefined[i])) {
            i++;
        }
        return i < ARRAY_LEN(predefined);
    }
    const bool is_hex = name.n > 1 && name.p[1] == 'x';
    const size_t first = is_hex ? 2 : 1;
    size_t i = first;
    while (i < name.n && is_digit(name.p[i], is_hex)) {
        i++;
    }
    return i == name.n && i > first;
}

/* Every & between scan->at and <to> opens a reference that needs no declaration. */
static struct status
check_references(struct scan *scan, size_t to)
{
    while (scan->at < to) {
        const char *const found = memchr(scan->p + scan->at, '&', to - scan->at);
        if (found == NULL) {
            break;
        }
        scan->at = (size_t)(found - scan->p);
        const struct span name =
            span_slice(span_of(found + 1, to - scan->at - 1), 0, REFERENCE_BYTES_MAX);
        const size_t end = span_find_char(name, ';');
        if (end == SPAN_MISSING || !is_reference(span_of(name.p, end))) {
            return syntax(scan, "& opens no character reference and none of XML's five entities");
        }
        scan->at += end + 2;
    }
    scan->at = to;
    return OK;
}

static struct status
scan_text(struct scan *scan)
{
    const char *const found = memchr(scan->p + scan->at, '<', scan->n - scan->at);
    const size_t end = found == NULL ? scan->n : (size_t)(found - scan->p);
    if (scan->depth > 0) {
        TRY(count_nodes(scan, 1));
        return check_references(scan, end);
    }
    for (; scan->at < end; scan->at++) {
        if (!is_blank(scan->p[scan->at])) {
            return syntax(scan, "text outside of the document's element");
        }
    }
    return OK;
}

/* ---- tags ---- */

static bool
is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
           (unsigned char)c >= 0x80;
}

/* clang-format off */
/* Characters of which names mostly consist; none of them ends or begins anything. */
static const bool name_parts[256] = {
    ['A'] = true, ['B'] = true, ['C'] = true, ['D'] = true, ['E'] = true, ['F'] = true,
    ['G'] = true, ['H'] = true, ['I'] = true, ['J'] = true, ['K'] = true, ['L'] = true,
    ['M'] = true, ['N'] = true, ['O'] = true, ['P'] = true, ['Q'] = true, ['R'] = true,
    ['S'] = true, ['T'] = true, ['U'] = true, ['V'] = true, ['W'] = true, ['X'] = true,
    ['Y'] = true, ['Z'] = true, ['a'] = true, ['b'] = true, ['c'] = true, ['d'] = true,
    ['e'] = true, ['f'] = true, ['g'] = true, ['h'] = true, ['i'] = true, ['j'] = true,
    ['k'] = true, ['l'] = true, ['m'] = true, ['n'] = true, ['o'] = true, ['p'] = true,
    ['q'] = true, ['r'] = true, ['s'] = true, ['t'] = true, ['u'] = true, ['v'] = true,
    ['w'] = true, ['x'] = true, ['y'] = true, ['z'] = true, ['0'] = true, ['1'] = true,
    ['2'] = true, ['3'] = true, ['4'] = true, ['5'] = true, ['6'] = true, ['7'] = true,
    ['8'] = true, ['9'] = true, [':'] = true,
};
/* clang-format on */

static bool
is_name_part(char c)
{
    return name_parts[(unsigned char)c];
}

static void
skip_name(struct scan *scan)
{
    while (scan->at < scan->n && is_name_part(scan->p[scan->at])) {
        scan->at++;
    }
}

/* At an opening quote: goes behind the closing one. */
static struct status
scan_value(struct scan *scan, size_t start, size_t *attributes)
{
    TRY(count_nodes(scan, 2));
    const char quote = scan->p[scan->at++];
    const char *const found = memchr(scan->p + scan->at, quote, scan->n - scan->at);
    if (found == NULL) {
        return syntax(scan, "an attribute value does not end");
    }
    const size_t end = (size_t)(found - scan->p);
    if (end - start > scan->limits->start_tag_bytes) {
        return FAIL(scan->diag, ERR_LIMIT_XML, "a start tag at byte %zu is longer than %zu bytes",
                    start + 1, scan->limits->start_tag_bytes);
    }
    if (memchr(scan->p + scan->at, '<', end - scan->at) != NULL) {
        return syntax(scan, "'<' in an attribute value");
    }
    if (++*attributes > scan->limits->attributes) {
        return FAIL(scan->diag, ERR_LIMIT_XML,
                    "the start tag at byte %zu has more than %zu attributes", start + 1,
                    scan->limits->attributes);
    }
    TRY(check_references(scan, end));
    scan->at++;
    return OK;
}

/* At the first byte of the name: goes behind the '>'. */
static struct status
scan_to_tag_end(struct scan *scan, size_t start, bool *ret_is_empty)
{
    size_t attributes = 0;
    for (;;) {
        if (scan->at - start >= scan->limits->start_tag_bytes) {
            return FAIL(scan->diag, ERR_LIMIT_XML,
                        "a start tag at byte %zu is longer than %zu bytes", start + 1,
                        scan->limits->start_tag_bytes);
        }
        if (scan->at == scan->n) {
            return syntax(scan, "a start tag does not end");
        }
        const char c = scan->p[scan->at];
        if (is_name_part(c)) {
            skip_name(scan);
            continue;
        }
        if (c == '"' || c == '\'') {
            TRY(scan_value(scan, start, &attributes));
            continue;
        }
        if (c == '<' || c == '&' || (c == '/' && !is_at(scan, "/>"))) {
            return syntax(scan, "a start tag is malformed");
        }
        scan->at++;
        if (c == '>') {
            *ret_is_empty = scan->p[scan->at - 2] == '/';
            scan->counts.attributes += attributes;
            return OK;
        }
    }
}

static struct status
scan_start_tag(struct scan *scan)
{
    const size_t start = scan->at++;
    if (scan->depth == 0 && ++scan->roots > 1) {
        return syntax(scan, "a second root element");
    }
    if (scan->depth == scan->limits->depth) {
        return FAIL(scan->diag, ERR_LIMIT_XML, "XML at byte %zu: nested deeper than %zu elements",
                    start + 1, scan->limits->depth);
    }
    scan->counts.elements++;
    bool is_empty = false;
    TRY(scan_to_tag_end(scan, start, &is_empty));
    scan->depth += is_empty ? 0 : 1;
    return OK;
}

static struct status
scan_end_tag(struct scan *scan)
{
    const size_t end = find(scan, scan->at + 2, SPAN(">"));
    if (end == SPAN_MISSING || scan->depth == 0) {
        return syntax(scan, "an end tag that closes nothing or does not end");
    }
    if (memchr(scan->p + scan->at + 2, '<', end - scan->at - 2) != NULL) {
        return syntax(scan, "an end tag is malformed");
    }
    scan->depth--;
    scan->at = end + 1;
    return OK;
}

/* ---- everything else that begins with '<' ---- */

static struct status
scan_comment(struct scan *scan)
{
    const size_t end = find(scan, scan->at + 4, SPAN("--"));
    if (end == SPAN_MISSING || end + 2 >= scan->n || scan->p[end + 2] != '>') {
        return syntax(scan, "a comment does not end, or has -- inside");
    }
    scan->at = end + 3;
    return OK;
}

static struct status
scan_cdata(struct scan *scan)
{
    const size_t end = find(scan, scan->at + 9, SPAN("]]>"));
    if (end == SPAN_MISSING || scan->depth == 0) {
        return syntax(scan, "a CDATA section does not end, or stands outside of an element");
    }
    scan->at = end + 3;
    return OK;
}

static struct status
scan_instruction(struct scan *scan)
{
    const size_t end = find(scan, scan->at + 2, SPAN("?>"));
    if (end == SPAN_MISSING || scan->n - scan->at < 3 || !is_name_start(scan->p[scan->at + 2])) {
        return syntax(scan, "a processing instruction is malformed");
    }
    scan->counts.instructions++;
    scan->at = end + 2;
    return OK;
}

/* "<!" */
/* REQ: WS-no-dtd */
static struct status
scan_declared(struct scan *scan)
{
    if (is_at(scan, "<!--")) {
        return scan_comment(scan);
    }
    if (is_at(scan, "<![CDATA[")) {
        return scan_cdata(scan);
    }
    return FAIL(scan->diag, ERR_XML_DTD,
                "XML at byte %zu: document type and entity declarations are not accepted",
                scan->at + 1);
}

static struct status
scan_markup(struct scan *scan)
{
    const char next = scan->at + 1 < scan->n ? scan->p[scan->at + 1] : '\0';
    if (next == '/') {
        return scan_end_tag(scan);
    }
    TRY(count_nodes(scan, 1));
    if (is_name_start(next)) {
        return scan_start_tag(scan);
    }
    if (next == '!') {
        return scan_declared(scan);
    }
    if (next == '?') {
        return scan_instruction(scan);
    }
    return syntax(scan, "'<' opens no markup");
}

struct status
prescan(struct span bytes, const struct message_limits *limits, struct diag *diag,
        struct prescan_counts *ret_counts)
{
    struct scan scan = {.p = bytes.p, .n = bytes.n, .limits = limits, .diag = diag};
    if (bytes.n > limits->root_part_bytes) {
        return FAIL(diag, ERR_LIMIT_XML, "XML of %zu bytes; at most %zu are accepted", bytes.n,
                    limits->root_part_bytes);
    }
    TRY(check_characters(&scan));
    if (is_at(&scan, "\xEF\xBB\xBF")) {
        scan.at = 3;
    }
    TRY(scan_declaration(&scan));
    while (scan.at < scan.n) {
        if (scan.p[scan.at] == '<') {
            TRY(scan_markup(&scan));
        } else {
            TRY(scan_text(&scan));
        }
    }
    if (scan.depth > 0 || scan.roots == 0) {
        return syntax(&scan, scan.roots == 0 ? "there is no element" : "an element is not closed");
    }
    *ret_counts = scan.counts;
    return OK;
}
