/* arena.c: see arena.h. */
#include "arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (64u << 10)

struct pawl_store_arena_block {
    pawl_store_arena_block *older;
    size_t capacity;
    alignas(max_align_t) unsigned char data[];
};

void *pawl_store_arena_take(pawl_store_arena *arena, size_t size)
{
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (arena->blocks == NULL || arena->blocks->capacity - arena->used < size) {
        size_t capacity = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        pawl_store_arena_block *block = malloc(sizeof *block + capacity);
        if (block == NULL)
            return NULL;
        block->older = arena->blocks;
        block->capacity = capacity;
        arena->blocks = block;
        arena->used = 0;
    }
    void *memory = arena->blocks->data + arena->used;
    arena->used += size;
    return memset(memory, 0, size);
}

void pawl_store_arena_clear(pawl_store_arena *arena)
{
    while (arena->blocks != NULL && (arena->blocks->older != NULL || arena->blocks->capacity > BLOCK_BYTES)) {
        pawl_store_arena_block *block = arena->blocks;
        arena->blocks = block->older;
        free(block);
    }
    arena->used = 0;
}

void pawl_store_arena_finish(pawl_store_arena *arena)
{
    while (arena->blocks != NULL) {
        pawl_store_arena_block *block = arena->blocks;
        arena->blocks = block->older;
        free(block);
    }
    arena->used = 0;
}
