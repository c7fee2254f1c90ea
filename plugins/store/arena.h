/* arena.h: memory for one group commit, given back all at once. Belongs to the committer's thread. */
#ifndef PAWL_STORE_ARENA_H
#define PAWL_STORE_ARENA_H

#include <stddef.h>

typedef struct store_arena_block store_arena_block;
typedef struct store_arena {
    store_arena_block *blocks; /* the newest first */
    size_t used;               /* of the newest */
} store_arena;

/** Zeroed memory, aligned for anything; NULL when out of memory. */
void *store_arena_take(store_arena *arena, size_t size);
/** Give everything back; one block is kept for the next round. */
void store_arena_clear(store_arena *arena);
void store_arena_finish(store_arena *arena);

#endif
