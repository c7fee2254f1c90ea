/* arena.h: memory that is freed all at once. One owner thread at a time. Never gives memory back piecemeal, never
 * aborts: out of memory is NULL. */
#ifndef PAWL_BASE_ARENA_H
#define PAWL_BASE_ARENA_H

#include "pawl_abi.h"

typedef struct pawl_arena_block pawl_arena_block;
typedef struct pawl_arena {
    pawl_arena_block *blocks; /* newest first */
    size_t used;              /* bytes handed out, all blocks together */
} pawl_arena;

/** A zeroed arena is an empty one; there is no init. */

/** Zeroed memory aligned for any type; size 0 gives a valid pointer. NULL when out of memory. */
void *pawl_arena_alloc(pawl_arena *arena, size_t size);
/** A copy of the bytes (data is never NULL on success, so that empty is not "absent"). False when out of memory. */
int pawl_arena_copy(pawl_arena *arena, pawl_bytes from, pawl_bytes *ret_to);
/** Forget everything but keep one block for reuse. */
void pawl_arena_reset(pawl_arena *arena);
/** Free everything; the arena is empty and usable again. */
void pawl_arena_finish(pawl_arena *arena);
/** Bytes taken from the system, used or not. */
size_t pawl_arena_held(const pawl_arena *arena);

#endif
