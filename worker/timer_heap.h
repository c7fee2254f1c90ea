/* timer_heap.h: what is due next: a binary heap of intrusive timers by due time. One thread. */
#ifndef PAWL_TIMER_HEAP_H
#define PAWL_TIMER_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pawl_timer {
    uint64_t due_ns;
    size_t place; /* 1 and up in the heap; 0: not in it */
} pawl_timer;

typedef struct pawl_timer_heap {
    pawl_timer **items;
    size_t count, room;
} pawl_timer_heap;

void pawl_timer_heap_finish(pawl_timer_heap *heap);
/** Put in, or move. False when out of memory (only when putting in). */
bool pawl_timer_set(pawl_timer_heap *heap, pawl_timer *timer, uint64_t due_ns);
void pawl_timer_clear(pawl_timer_heap *heap, pawl_timer *timer); /* harmless when not in the heap */
pawl_timer *pawl_timer_first(const pawl_timer_heap *heap);       /* NULL: empty */

#endif
