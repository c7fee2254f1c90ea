/* arena.h: memory for one group commit, given back all at once. Belongs to the committer's thread. */
#ifndef PAWL_STORE_ARENA_H
#define PAWL_STORE_ARENA_H

#include <stddef.h>

typedef struct pawl_store_arena_block pawl_store_arena_block;
typedef struct pawl_store_arena {
    pawl_store_arena_block *blocks; /* the newest first */
    size_t used;                    /* of the newest */
} pawl_store_arena;

/** Zeroed memory, aligned for anything; NULL when out of memory. */
void *pawl_store_arena_take(pawl_store_arena *arena, size_t size);
/** Give everything back; one block is kept for the next round. */
void pawl_store_arena_clear(pawl_store_arena *arena);
void pawl_store_arena_finish(pawl_store_arena *arena);

#endif
