/*
 * Applies the edits of edits.h that change a tree's structure. Nodes that are taken out are kept
 * until the end of all edits, because others may still name their namespaces.
 */
#include "fuzz/edits_parts.h"

static void
list_nodes(struct edit_work *work)
{
    xmlNode *node = work->top;
    work->n = 0;
    while (node != NULL && work->n < EDIT_NODES_MAX) {
        if (node->type == XML_ELEMENT_NODE) {
            work->nodes[work->n++] = node;
        }
        if (node->children != NULL && node->type == XML_ELEMENT_NODE) {
            node = node->children;
            continue;
        }
        while (node != work->top && node->next == NULL) {
            node = node->parent;
        }
        node = node == work->top ? NULL : node->next;
    }
}

const xmlNode *
edit_nth_element(const xmlNode *top, unsigned n)
{
    /* Twice: first to count. */
    const xmlNode *found = NULL;
    size_t count = 0, wanted = SIZE_MAX;
    for (int round = 0; round < 2 && found == NULL; round++) {
        size_t at = 0;
        const xmlNode *node = top;
        while (node != NULL) {
            if (node->type == XML_ELEMENT_NODE) {
                found = at == wanted ? node : found;
                at++;
            }
            if (node->children != NULL && node->type == XML_ELEMENT_NODE) {
                node = node->children;
                continue;
            }
            while (node != top && node->next == NULL) {
                node = node->parent;
            }
            node = node == top ? NULL : node->next;
        }
        count = at;
        wanted = count == 0 ? SIZE_MAX : n % count;
    }
    return found;
}

static bool
is_inside(const xmlNode *node, const xmlNode *ancestor)
{
    while (node != NULL && node != ancestor) {
        node = node->parent;
    }
    return node != NULL;
}

void
edit_take_out(struct edit_work *work, xmlNode *node)
{
    xmlUnlinkNode(node);
    node->next = work->taken;
    work->taken = node;
}

static void
free_taken(struct edit_work *work)
{
    while (work->taken != NULL) {
        xmlNode *const node = work->taken;
        work->taken = node->next;
        node->next = NULL;
        xmlFreeNode(node);
    }
}

/* First or last child of <at>, or before or after it. Text nodes are never given: they would be
 * merged and freed. */
void
edit_put(const struct edit_work *work, xmlNode *node, xmlNode *at, unsigned place)
{
    if (at == work->top && place % 4 >= 2) {
        place = 0;
    }
    if (place % 4 == 0 && at->children != NULL) {
        (void)xmlAddPrevSibling(at->children, node);
    } else if (place % 4 <= 1) {
        (void)xmlAddChild(at, node);
    } else if (place % 4 == 2) {
        (void)xmlAddPrevSibling(at, node);
    } else {
        (void)xmlAddNextSibling(at, node);
    }
    (void)xmlReconciliateNs(work->doc, node);
}

xmlNs *
edit_space(const struct edit_work *work, xmlNode *node, const char *href)
{
    xmlNs *const found = xmlSearchNsByHref(work->doc, node, (const xmlChar *)href);
    if (found != NULL || href[0] == '\0') {
        return found;
    }
    char prefix[4] = "e0";
    for (prefix[1] = '0'; prefix[1] < '9'; prefix[1]++) {
        xmlNs *const made = xmlNewNs(node, (const xmlChar *)href, (const xmlChar *)prefix);
        if (made != NULL) {
            return made;
        }
    }
    return NULL;
}

/* ---- edits of structure ---- */

static void
edit_graft(struct edit_work *work, const struct edit_scene *scene, const struct edit *edit,
           xmlNode *node)
{
    if (scene->donors_n == 0) {
        return;
    }
    xmlDoc *const donor = scene->donors[edit->detail % scene->donors_n];
    const xmlNode *const from = edit_nth_element(xmlDocGetRootElement(donor), edit->other);
    xmlNode *const copy = xmlDocCopyNode((xmlNode *)from, work->doc, 1);
    if (copy == NULL) {
        return;
    }
    edit_put(work, copy, node, edit->kind == EDIT_REPLACE ? 2 : edit->place);
    if (edit->kind == EDIT_REPLACE && node != work->top) {
        edit_take_out(work, node);
    }
}

static void
edit_wrap(struct edit_work *work, const struct edit *edit, xmlNode *node)
{
    if (node == work->top) {
        return;
    }
    xmlNode *const wrapper =
        xmlNewDocNode(work->doc, NULL, (const xmlChar *)edit_name(edit->choice), NULL);
    (void)xmlAddPrevSibling(node, wrapper);
    xmlSetNs(wrapper, edit_space(work, wrapper, edit_space_name(edit->detail)));
    xmlUnlinkNode(node);
    (void)xmlAddChild(wrapper, node);
    (void)xmlReconciliateNs(work->doc, node);
}

static void
edit_unwrap(struct edit_work *work, xmlNode *node)
{
    if (node == work->top) {
        return;
    }
    for (xmlNode *child = xmlFirstElementChild(node); child != NULL;
         child = xmlFirstElementChild(node)) {
        xmlUnlinkNode(child);
        (void)xmlAddPrevSibling(node, child);
        (void)xmlReconciliateNs(work->doc, child);
    }
    edit_take_out(work, node);
}

static void
edit_swap(const struct edit_work *work, xmlNode *node, xmlNode *other)
{
    if (node == work->top || other == work->top || is_inside(node, other) ||
        is_inside(other, node)) {
        return;
    }
    xmlNode *const mark = xmlNewDocNode(work->doc, NULL, (const xmlChar *)"mark", NULL);
    (void)xmlAddPrevSibling(node, mark);
    xmlUnlinkNode(node);
    (void)xmlAddPrevSibling(other, node);
    xmlUnlinkNode(other);
    (void)xmlAddPrevSibling(mark, other);
    xmlUnlinkNode(mark);
    xmlFreeNode(mark);
    (void)xmlReconciliateNs(work->doc, node);
    (void)xmlReconciliateNs(work->doc, other);
}

static bool
apply_structure(struct edit_work *work, const struct edit_scene *scene, const struct edit *edit,
                xmlNode *node, xmlNode *other)
{
    xmlNode *copy;
    switch (edit->kind) {
    case EDIT_MOVE:
        if (node != work->top && !is_inside(other, node)) {
            xmlUnlinkNode(node);
            edit_put(work, node, other, edit->place);
        }
        return true;
    case EDIT_COPY:
        copy = xmlDocCopyNode(node, work->doc, 1);
        if (copy != NULL) {
            edit_put(work, copy, other, edit->place);
        }
        return true;
    case EDIT_GRAFT:
    case EDIT_REPLACE:
        edit_graft(work, scene, edit, node);
        return true;
    case EDIT_REMOVE:
        if (node != work->top) {
            edit_take_out(work, node);
        }
        return true;
    case EDIT_WRAP:
        edit_wrap(work, edit, node);
        return true;
    case EDIT_UNWRAP:
        edit_unwrap(work, node);
        return true;
    case EDIT_SWAP:
        edit_swap(work, node, other);
        return true;
    case EDIT_PARTS:
        edit_take_parts(work, scene, edit);
        return true;
    default:
        return false;
    }
}

/* ---- the list ---- */

static struct edit
take_edit(struct span *records)
{
    struct edit edit;
    edit.kind = (enum edit_kind)(fuzz_take_u8(records) % EDIT_KINDS);
    edit.node = fuzz_take_u16(records);
    edit.other = fuzz_take_u16(records);
    edit.choice = fuzz_take_u8(records);
    edit.detail = fuzz_take_u8(records);
    edit.place = fuzz_take_u8(records);
    return edit;
}

void
edits_apply(const struct edit_scene *scene, struct span records)
{
    struct edit_work work = {.doc = scene->doc, .top = scene->top};
    for (size_t i = 0; i < EDITS_MAX && records.n >= EDIT_BYTES; i++) {
        const struct edit edit = take_edit(&records);
        list_nodes(&work);
        if (work.n == EDIT_NODES_MAX) {
            break;
        }
        xmlNode *const node = work.nodes[edit.node % work.n];
        xmlNode *const other = work.nodes[edit.other % work.n];
        if (!apply_structure(&work, scene, &edit, node, other)) {
            edit_apply_value(&work, scene, &edit, node, other);
        }
    }
    free_taken(&work);
}

struct span
edits_serialise(xmlDoc *doc, struct arena *arena)
{
    struct diag diag = {0};
    struct span copy = SPAN_EMPTY;
    xmlChar *text = NULL;
    int n = 0;
    xmlDocDumpMemory(doc, &text, &n);
    if (text != NULL) {
        FUZZ_MUST(is_ok(arena_dup(arena, span_of((const char *)text, (size_t)n), &diag, &copy)),
                  "%s", diag.text);
    }
    xmlFree(text);
    return copy;
}
