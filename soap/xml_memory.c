/*
 * libxml2's door to memory. Its functions are put in place before main, because what libxml2 got
 * without them could not be given back to them; they are called on whichever thread uses libxml2.
 * In front of each piece stands whose it is.
 */
#include "soap/xml_memory.h"

#include <stdlib.h>
#include <string.h>

#include <libxml/catalog.h>
#include <libxml/globals.h>

#include "base/mem.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HEAP_ALWAYS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HEAP_ALWAYS 1
#endif
#ifndef HEAP_ALWAYS
#define HEAP_ALWAYS 0
#endif

#define CHUNK_BYTES ((size_t)64 * 1024)
#define CHUNKS_MOST ((size_t)16)   /* of one parse; beyond them memory must be used again */
#define PIECE_MOST  ((size_t)2048) /* what is larger may grow, or go long before the tree */

struct chunk {
    struct chunk *next;
    char bytes[];
};

struct xml_memory {
    struct chunk *chunks;
    size_t chunks_n;
    char *room;
    size_t room_bytes;
};

/* libxml2 wants what a pointer needs. */
struct piece {
    uint32_t bytes; /* of one that was cut; 0: from the heap */
    uint32_t unused;
    char content[];
};
_Static_assert(sizeof(struct piece) == sizeof(void *), "pieces are aligned for pointers");

static _Thread_local struct xml_memory *in_use;

static struct piece *
piece_of(void *content)
{
    return (struct piece *)(void *)((char *)content - sizeof(struct piece));
}

static void *
from_heap(size_t n)
{
    struct piece *const piece =
        n > SIZE_MAX - sizeof(*piece) ? NULL : mem_resize_for_library(NULL, sizeof(*piece) + n);
    if (piece == NULL) {
        return NULL;
    }
    piece->bytes = 0;
    return piece->content;
}

static bool
add_chunk(struct xml_memory *memory)
{
    struct chunk *const chunk =
        memory->chunks_n == CHUNKS_MOST ? NULL : mem_resize_for_library(NULL, CHUNK_BYTES);
    if (chunk == NULL) {
        return false;
    }
    memory->chunks_n++;
    chunk->next = memory->chunks;
    memory->chunks = chunk;
    memory->room = chunk->bytes;
    memory->room_bytes = CHUNK_BYTES - sizeof(*chunk);
    return true;
}

static void *
take(size_t n)
{
    struct xml_memory *const memory = in_use;
    if (memory == NULL || n > PIECE_MOST || n == 0) {
        return from_heap(n);
    }
    const size_t bytes =
        sizeof(struct piece) + (n + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
    if (bytes > memory->room_bytes && !add_chunk(memory)) {
        return from_heap(n);
    }
    struct piece *const piece = (struct piece *)(void *)memory->room;
    memory->room += bytes;
    memory->room_bytes -= bytes;
    piece->bytes = (uint32_t)n;
    return piece->content;
}

static void
give_back(void *content)
{
    if (content != NULL && piece_of(content)->bytes == 0) {
        mem_free(piece_of(content));
    }
}

static void *
resize(void *content, size_t n)
{
    if (content == NULL) {
        return take(n);
    }
    struct piece *const piece = piece_of(content);
    if (piece->bytes == 0) {
        struct piece *const larger = n > SIZE_MAX - sizeof(*piece)
                                         ? NULL
                                         : mem_resize_for_library(piece, sizeof(*piece) + n);
        return larger == NULL ? NULL : larger->content;
    }
    void *const copy = n <= piece->bytes ? content : take(n);
    if (copy != NULL && copy != content) {
        memcpy(copy, content, piece->bytes);
    }
    return copy;
}

static char *
copy_text(const char *text)
{
    const size_t n = strlen(text) + 1;
    char *const copy = take(n);
    return copy == NULL ? NULL : memcpy(copy, text, n);
}

static bool
is_heap_wanted(void)
{
    const char *const value = getenv("ISTHMUS_ARENA_DEBUG");
    return HEAP_ALWAYS || (value != NULL && strcmp(value, "1") == 0);
}

/* No document may make libxml2 look for catalogs, which it would keep for the whole process. */
__attribute__((constructor)) static void
take_over(void)
{
    xmlCatalogSetDefaults(XML_CATA_ALLOW_NONE);
    if (!is_heap_wanted()) {
        (void)xmlMemSetup(give_back, take, resize, copy_text);
    }
}

static void
release(void *object)
{
    const struct xml_memory *const memory = object;
    for (struct chunk *chunk = memory->chunks; chunk != NULL;) {
        struct chunk *const next = chunk->next;
        mem_free(chunk);
        chunk = next;
    }
}

struct status
xml_memory_new(struct arena *arena, struct diag *diag, struct xml_memory **ret_memory)
{
    struct xml_memory *memory = NULL;
    TRY(ARENA_NEW(arena, diag, &memory));
    TRY(arena_defer(arena, release, memory, diag));
    *ret_memory = memory;
    return OK;
}

void
xml_memory_use(struct xml_memory *memory)
{
    in_use = memory;
}
