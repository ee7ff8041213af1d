/*
 * See passed.h. Called for requests of partners and local systems, on workers; owns nothing.
 */
#include "soap/passed.h"

#include "base/ids.h"
#include "soap/message_internal.h"

/* The only text of a block; empty when there is anything else in it. */
static struct span
text_of(const xmlNode *block)
{
    const xmlNode *text = block->children;

    return text == NULL || text->next != NULL || text->type != XML_TEXT_NODE
               ? SPAN_EMPTY
               : span_trim(span_of_cstr((const char *)text->content));
}

/* One more than PASSED_MAX is kept, so that too many can be told from many. */
struct status
message_passed(const struct message *message, struct arena *arena, struct diag *diag,
               struct span_list *ret_communities)
{
    const xmlNode *block = xml_child(message->header, PASSED_NAMESPACE, "Passed");
    struct span_list communities = {0};
    struct span rest, word, oid, copy;

    if (block == NULL || xml_next_named(block, PASSED_NAMESPACE, "Passed") != NULL) {
        return OK;
    }
    rest = text_of(block);
    while (communities.n <= PASSED_MAX && span_split(&rest, ' ', &word)) {
        if (home_community_oid(word, &oid)) {
            TRY(arena_dup(arena, oid, diag, &copy));
            TRY(ARENA_PUSH(arena, diag, &communities, copy));
        }
    }
    *ret_communities = communities;
    return OK;
}
