/*
 * The canonicaliser of the profile engine. Called by profile.c twice a signature: for what is
 * signed, and for SignedInfo. Walks the tree without recursion; all state is one struct on the
 * stack, and the bytes go to the caller in blocks.
 */
#include "soap/c14n.h"

#include <string.h>

#define LEVELS_MAX     ((size_t)256)
#define NAMES_MAX      ((size_t)256)
#define ATTRIBUTES_MAX ((size_t)256)
#define BLOCK_BYTES    ((size_t)4096)

struct canon {
    const struct c14n *c14n;
    bool is_good;
    /* Namespace declarations that were written and are in force, the nearest last; for each open
     * element, how many there were before it. */
    const xmlNs *names[NAMES_MAX];
    size_t names_n;
    size_t levels[LEVELS_MAX];
    size_t depth;
    size_t n; /* bytes of the block */
    char block[BLOCK_BYTES];
};

/* ---- bytes ---- */

static void
flush(struct canon *canon)
{
    if (canon->is_good && canon->n > 0) {
        canon->is_good = canon->c14n->take(canon->c14n->arg, span_of(canon->block, canon->n));
    }
    canon->n = 0;
}

static void
put_long(struct canon *canon, const char *bytes, size_t n)
{
    flush(canon);
    if (n >= BLOCK_BYTES) {
        canon->is_good = canon->is_good && canon->c14n->take(canon->c14n->arg, span_of(bytes, n));
        return;
    }
    memcpy(canon->block, bytes, n);
    canon->n = n;
}

static inline void
put(struct canon *canon, const char *bytes, size_t n)
{
    if (n > BLOCK_BYTES - canon->n) {
        put_long(canon, bytes, n);
        return;
    }
    memcpy(canon->block + canon->n, bytes, n);
    canon->n += n;
}

/* Names: most are shorter than what it takes to ask for their length. */
static void
put_cstr(struct canon *canon, const char *text)
{
    char *const start = canon->block + canon->n;
    const size_t room = BLOCK_BYTES - canon->n;
    for (size_t i = 0; i < room; i++) {
        if (text[i] == '\0') {
            canon->n += i;
            return;
        }
        start[i] = text[i];
    }
    put(canon, text, strlen(text));
}

/* What stands for a character (Canonical XML 1.0, section 2.3). */
enum place { PLACE_TEXT, PLACE_ATTRIBUTE, PLACE_INSTRUCTION, PLACE_COUNT };
static const char *const escapes[PLACE_COUNT]['>' + 1] = {
    [PLACE_TEXT] = {['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['\r'] = "&#xD;"},
    [PLACE_ATTRIBUTE] = {['&'] = "&amp;",
                         ['<'] = "&lt;",
                         ['"'] = "&quot;",
                         ['\t'] = "&#x9;",
                         ['\n'] = "&#xA;",
                         ['\r'] = "&#xD;"},
    [PLACE_INSTRUCTION] = {['\r'] = "&#xD;"},
};

/* Where a run of plain characters ends, by place; one look-up, because in base64 no branch on the
 * kind of a character can be foreseen. */
static const unsigned char ends_run[256] = {
    ['\0'] = 7, ['\t'] = 1 << PLACE_ATTRIBUTE, ['\n'] = 1 << PLACE_ATTRIBUTE,
    ['\r'] = 7, ['"'] = 1 << PLACE_ATTRIBUTE,  ['&'] = 3,
    ['<'] = 3,  ['>'] = 1 << PLACE_TEXT,
};

static void
put_escaped(struct canon *canon, const xmlChar *text, enum place place)
{
    const unsigned ends = 1U << place;
    const xmlChar *at = text;
    for (;;) {
        const xmlChar *const start = at;
        while ((ends_run[*at] & ends) == 0) {
            at++;
        }
        put(canon, (const char *)start, (size_t)(at - start));
        if (*at == '\0') {
            return;
        }
        put_cstr(canon, escapes[place][*at++]);
    }
}

static const char *
prefix_of(const xmlNs *ns)
{
    return ns->prefix == NULL ? "" : (const char *)ns->prefix;
}

static void
put_qname(struct canon *canon, const xmlNs *ns, const xmlChar *local)
{
    if (ns != NULL && prefix_of(ns)[0] != '\0') {
        put_cstr(canon, prefix_of(ns));
        put(canon, ":", 1);
    }
    put_cstr(canon, (const char *)local);
}

/* ---- namespaces ---- */

static const char *
href_of(const xmlNs *ns)
{
    return ns->href == NULL ? "" : (const char *)ns->href;
}

/* Is what was written last for its prefix the same? Without any, that is no default namespace. */
static bool
is_in_force(const struct canon *canon, const xmlNs *ns)
{
    for (size_t i = canon->names_n; i > 0; i--) {
        const xmlNs *const other = canon->names[i - 1];
        if (other == ns) {
            return true;
        }
        if (strcmp(prefix_of(other), prefix_of(ns)) == 0) {
            return strcmp(href_of(other), href_of(ns)) == 0;
        }
    }
    return prefix_of(ns)[0] == '\0' && href_of(ns)[0] == '\0';
}

/* In the order in which they are written: that of their prefixes, from <first> on. */
static void
use_namespace(struct canon *canon, size_t first, const xmlNs *ns)
{
    if (xmlStrEqual(ns->prefix, (const xmlChar *)"xml") || is_in_force(canon, ns)) {
        return;
    }
    if (canon->names_n == NAMES_MAX) {
        canon->is_good = false;
        return;
    }
    size_t at = canon->names_n++;
    for (; at > first && strcmp(prefix_of(canon->names[at - 1]), prefix_of(ns)) > 0; at--) {
        canon->names[at] = canon->names[at - 1];
    }
    canon->names[at] = ns;
}

/* An element without a prefix: what undeclares the default namespace is a declaration, too. Where
 * none is in scope none can have been written around it, in a tree that was parsed. */
static void
use_default(struct canon *canon, size_t first, const xmlNode *node)
{
    static const xmlNs nothing = {.type = XML_NAMESPACE_DECL};
    const xmlNs *const ns = xmlSearchNs(node->doc, (xmlNode *)node, NULL);
    if (ns != NULL) {
        use_namespace(canon, first, ns);
    } else {
        canon->is_good = canon->is_good && is_in_force(canon, &nothing);
    }
}

static void
use_inclusive(struct canon *canon, size_t first, const xmlNode *node)
{
    const struct c14n_prefixes *const inclusive = canon->c14n->inclusive;
    for (size_t i = 0; i < inclusive->n; i++) {
        const xmlNs *const ns =
            xmlSearchNs(node->doc, (xmlNode *)node, (const xmlChar *)inclusive->items[i]);
        if (ns != NULL) {
            use_namespace(canon, first, ns);
        }
    }
}

/* What the element and its attributes use, and what is listed as inclusive. */
static void
write_namespaces(struct canon *canon, const xmlNode *node)
{
    const size_t first = canon->names_n;
    use_inclusive(canon, first, node);
    if (node->ns != NULL) {
        use_namespace(canon, first, node->ns);
    } else {
        use_default(canon, first, node);
    }
    for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
        if (attr->ns != NULL) {
            use_namespace(canon, first, attr->ns);
        }
    }
    for (size_t i = first; i < canon->names_n; i++) {
        const char *const prefix = prefix_of(canon->names[i]);
        put_cstr(canon, prefix[0] == '\0' ? " xmlns" : " xmlns:");
        put_cstr(canon, prefix);
        put(canon, "=\"", 2);
        put_cstr(canon, href_of(canon->names[i])); /* plain */
        put(canon, "\"", 1);
    }
}

/* ---- attributes ---- */

/* Those without namespace first, then by the name of the namespace, then by their own. */
static int
compare_attributes(const xmlAttr *a, const xmlAttr *b)
{
    if (a->ns != b->ns) {
        const int order =
            strcmp(a->ns == NULL ? "" : href_of(a->ns), b->ns == NULL ? "" : href_of(b->ns));
        if (order != 0) {
            return order;
        }
    }
    return strcmp((const char *)a->name, (const char *)b->name);
}

static void
write_attribute(struct canon *canon, const xmlAttr *attr)
{
    const xmlNode *const value = attr->children;
    put(canon, " ", 1);
    put_qname(canon, attr->ns, attr->name);
    put(canon, "=\"", 2);
    if (value != NULL && (value->type != XML_TEXT_NODE || value->next != NULL)) {
        canon->is_good = false;
    } else if (value != NULL && value->content != NULL) {
        put_escaped(canon, value->content, PLACE_ATTRIBUTE);
    }
    put(canon, "\"", 1);
}

static void
write_attributes(struct canon *canon, const xmlNode *node)
{
    const xmlAttr *sorted[ATTRIBUTES_MAX];
    size_t n = 0;
    for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
        if (n == ATTRIBUTES_MAX) {
            canon->is_good = false;
            return;
        }
        size_t at = n++;
        for (; at > 0 && compare_attributes(sorted[at - 1], attr) > 0; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = attr;
    }
    for (size_t i = 0; i < n; i++) {
        write_attribute(canon, sorted[i]);
    }
}

/* ---- nodes ---- */

static void
open_element(struct canon *canon, const xmlNode *node)
{
    if (canon->depth == LEVELS_MAX || !c14n_has_plain_names(node)) {
        canon->is_good = false;
        return;
    }
    canon->levels[canon->depth++] = canon->names_n;
    put(canon, "<", 1);
    put_qname(canon, node->ns, node->name);
    write_namespaces(canon, node);
    if (node->properties != NULL) {
        write_attributes(canon, node);
    }
    put(canon, ">", 1);
}

static void
close_element(struct canon *canon, const xmlNode *node)
{
    put(canon, "</", 2);
    put_qname(canon, node->ns, node->name);
    put(canon, ">", 1);
    canon->names_n = canon->levels[--canon->depth];
}

static void
write_instruction(struct canon *canon, const xmlNode *node)
{
    put(canon, "<?", 2);
    put_cstr(canon, (const char *)node->name);
    if (node->content != NULL && node->content[0] != '\0') {
        put(canon, " ", 1);
        put_escaped(canon, node->content, PLACE_INSTRUCTION);
    }
    put(canon, "?>", 2);
}

/* Anything but the start of an element: what it is, is written. */
static void
write_leaf(struct canon *canon, const xmlNode *node)
{
    switch (node->type) {
    case XML_TEXT_NODE:
        if (node->content != NULL) {
            put_escaped(canon, node->content, PLACE_TEXT);
        }
        break;
    case XML_PI_NODE:
        write_instruction(canon, node);
        break;
    case XML_COMMENT_NODE:
        break;
    default: /* CDATA sections, references to entities: xml_parse makes none */
        canon->is_good = false;
        break;
    }
}

/* The node behind all that is in <node>; NULL at the end. Closes what ends there. */
static const xmlNode *
leave(struct canon *canon, const xmlNode *node)
{
    while (node != canon->c14n->top) {
        if (node->next != NULL) {
            return node->next;
        }
        node = node->parent;
        close_element(canon, node);
    }
    return NULL;
}

static void
write_subtree(struct canon *canon)
{
    const xmlNode *node = canon->c14n->top;
    while (node != NULL && canon->is_good) {
        if (node == canon->c14n->without) {
            node = leave(canon, node);
        } else if (node->type != XML_ELEMENT_NODE) {
            write_leaf(canon, node);
            node = leave(canon, node);
        } else {
            open_element(canon, node);
            if (node->children != NULL) {
                node = node->children;
            } else if (canon->is_good) {
                close_element(canon, node);
                node = leave(canon, node);
            }
        }
    }
}

bool
c14n_write(const struct c14n *c14n)
{
    struct canon canon;
    canon.c14n = c14n;
    canon.is_good = c14n->top->type == XML_ELEMENT_NODE && c14n->top != c14n->without;
    canon.names_n = 0;
    canon.depth = 0;
    canon.n = 0;
    write_subtree(&canon);
    flush(&canon);
    return canon.is_good;
}

/* ---- names of namespaces ---- */

#define PLAIN_SCHEME 1 /* RFC 3986: scheme; the first one is a letter */
#define PLAIN_HOST   2 /* unreserved */
#define PLAIN_PATH   4 /* and ':' and '/' */

/* clang-format off */
static const unsigned char plain[256] = {
    ['A'] = 7, ['B'] = 7, ['C'] = 7, ['D'] = 7, ['E'] = 7, ['F'] = 7, ['G'] = 7, ['H'] = 7,
    ['I'] = 7, ['J'] = 7, ['K'] = 7, ['L'] = 7, ['M'] = 7, ['N'] = 7, ['O'] = 7, ['P'] = 7,
    ['Q'] = 7, ['R'] = 7, ['S'] = 7, ['T'] = 7, ['U'] = 7, ['V'] = 7, ['W'] = 7, ['X'] = 7,
    ['Y'] = 7, ['Z'] = 7, ['a'] = 7, ['b'] = 7, ['c'] = 7, ['d'] = 7, ['e'] = 7, ['f'] = 7,
    ['g'] = 7, ['h'] = 7, ['i'] = 7, ['j'] = 7, ['k'] = 7, ['l'] = 7, ['m'] = 7, ['n'] = 7,
    ['o'] = 7, ['p'] = 7, ['q'] = 7, ['r'] = 7, ['s'] = 7, ['t'] = 7, ['u'] = 7, ['v'] = 7,
    ['w'] = 7, ['x'] = 7, ['y'] = 7, ['z'] = 7, ['0'] = 7, ['1'] = 7, ['2'] = 7, ['3'] = 7,
    ['4'] = 7, ['5'] = 7, ['6'] = 7, ['7'] = 7, ['8'] = 7, ['9'] = 7, ['-'] = 7, ['.'] = 7,
    ['_'] = 6, ['~'] = 6, [':'] = 4, ['/'] = 4, ['+'] = 1,
};
/* clang-format on */

static bool
is_plain(char c, unsigned char set)
{
    return (plain[(unsigned char)c] & set) != 0;
}

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 3986: scheme ":" "//" host path-abempty, or scheme ":" path-rootless; then "#" fragment or
 * none. Narrower than that: only characters that stand for themselves everywhere. */
static bool
is_plain_name(const char *at)
{
    if (!is_letter(*at)) {
        return false;
    }
    while (is_plain(*at, PLAIN_SCHEME)) {
        at++;
    }
    if (*at++ != ':') {
        return false;
    }
    if (at[0] == '/') {
        if (at[1] != '/' || !is_plain(at[2], PLAIN_HOST)) {
            return false;
        }
        for (at += 2; is_plain(*at, PLAIN_HOST); at++) {
        }
        if (*at != '/' && *at != '#') {
            return *at == '\0';
        }
    } else if (!is_plain(*at, PLAIN_HOST)) {
        return false;
    }
    for (; is_plain(*at, PLAIN_PATH); at++) {
    }
    if (*at == '#') {
        for (at++; is_plain(*at, PLAIN_PATH); at++) {
        }
    }
    return *at == '\0';
}

bool
c14n_has_plain_names(const xmlNode *node)
{
    for (const xmlNs *ns = node->nsDef; ns != NULL; ns = ns->next) {
        const char *const href = href_of(ns);
        if (href[0] != '\0' && !is_plain_name(href)) {
            return false;
        }
    }
    return true;
}

/* ---- PrefixList ---- */

bool
c14n_read_prefixes(struct span list, struct c14n_prefixes *prefixes)
{
    prefixes->n = 0;
    if (list.n >= sizeof(prefixes->text)) {
        return false;
    }
    memcpy(prefixes->text, list.p, list.n);
    prefixes->text[list.n] = '\0';
    for (char *at = prefixes->text; at != NULL;) {
        char *const blank = strchr(at, ' ');
        if (blank != NULL) {
            *blank = '\0';
        }
        if (*at == '\0' || strpbrk(at, "\t\n\r") != NULL || prefixes->n == C14N_PREFIXES_MAX) {
            return false;
        }
        prefixes->items[prefixes->n++] = strcmp(at, "#default") == 0 ? NULL : at;
        at = blank == NULL ? NULL : blank + 1;
    }
    return true;
}
