/* arena.c: see arena.h. A list of malloc'ed blocks, each at least as large as all before it together (up to a limit),
 * so that a small user stays small and a large one makes few calls. Must never hand out a pointer that a later
 * allocation moves. */
#include "arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MIN ((size_t)512)
#define BLOCK_MAX ((size_t)64 * 1024) /* of a block made for growth; a larger single request gets its own size */
#define ALIGNMENT alignof(max_align_t)

struct pawl_arena_block {
    pawl_arena_block *next;
    size_t room; /* bytes in data */
    size_t used;
    alignas(max_align_t) unsigned char data[];
};

static pawl_arena_block *block_new(pawl_arena *arena, size_t size)
{
    size_t room = arena->used < BLOCK_MIN ? BLOCK_MIN : arena->used;
    if (room > BLOCK_MAX)
        room = BLOCK_MAX;
    if (room < size)
        room = size;
    if (room > SIZE_MAX - sizeof(pawl_arena_block))
        return NULL;
    pawl_arena_block *block = malloc(sizeof *block + room);
    if (block == NULL)
        return NULL;
    *block = (pawl_arena_block){.next = arena->blocks, .room = room};
    arena->blocks = block;
    return block;
}

void *pawl_arena_alloc(pawl_arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT)
        return NULL;
    size_t rounded = size == 0 ? ALIGNMENT : (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    pawl_arena_block *block = arena->blocks;
    if (block == NULL || block->room - block->used < rounded)
        block = block_new(arena, rounded);
    if (block == NULL)
        return NULL;
    void *memory = block->data + block->used;
    block->used += rounded;
    arena->used += rounded;
    return memset(memory, 0, rounded);
}

int pawl_arena_copy(pawl_arena *arena, pawl_bytes from, pawl_bytes *ret_to)
{
    void *memory = pawl_arena_alloc(arena, from.size);
    if (memory == NULL)
        return 0;
    if (from.size > 0)
        memcpy(memory, from.data, from.size);
    *ret_to = (pawl_bytes){memory, from.size};
    return 1;
}

void pawl_arena_reset(pawl_arena *arena)
{
    /* The largest block of ordinary size is worth keeping; one made for a giant request is not. */
    pawl_arena_block *kept = NULL;
    for (pawl_arena_block *block = arena->blocks, *next; block != NULL; block = next) {
        next = block->next;
        if (block->room <= BLOCK_MAX && (kept == NULL || kept->room < block->room)) {
            free(kept);
            kept = block;
        } else {
            free(block);
        }
    }
    if (kept != NULL) {
        kept->next = NULL;
        kept->used = 0;
    }
    *arena = (pawl_arena){.blocks = kept};
}

void pawl_arena_finish(pawl_arena *arena)
{
    for (pawl_arena_block *block = arena->blocks, *next; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    *arena = (pawl_arena){0};
}

size_t pawl_arena_held(const pawl_arena *arena)
{
    size_t held = 0;
    for (const pawl_arena_block *block = arena->blocks; block != NULL; block = block->next)
        held += sizeof *block + block->room;
    return held;
}
