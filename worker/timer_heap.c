/* timer_heap.c: see timer_heap.h. */
#include "timer_heap.h"

#include <stdlib.h>

void pawl_timer_heap_finish(pawl_timer_heap *heap)
{
    free(heap->items);
    *heap = (pawl_timer_heap){NULL, 0, 0};
}

static void put(pawl_timer_heap *heap, size_t place, pawl_timer *timer)
{
    heap->items[place - 1] = timer;
    timer->place = place;
}

static void rise(pawl_timer_heap *heap, pawl_timer *timer)
{
    size_t place = timer->place;
    while (place > 1 && heap->items[place / 2 - 1]->due_ns > timer->due_ns) {
        put(heap, place, heap->items[place / 2 - 1]);
        place /= 2;
    }
    put(heap, place, timer);
}

static void sink(pawl_timer_heap *heap, pawl_timer *timer)
{
    size_t place = timer->place;
    for (;;) {
        size_t child = place * 2;
        if (child > heap->count)
            break;
        if (child < heap->count && heap->items[child]->due_ns < heap->items[child - 1]->due_ns)
            child++;
        if (heap->items[child - 1]->due_ns >= timer->due_ns)
            break;
        put(heap, place, heap->items[child - 1]);
        place = child;
    }
    put(heap, place, timer);
}

bool pawl_timer_set(pawl_timer_heap *heap, pawl_timer *timer, uint64_t due_ns)
{
    if (timer->place == 0) {
        if (heap->count == heap->room) {
            size_t room = heap->room == 0 ? 64 : heap->room * 2;
            pawl_timer **items = realloc(heap->items, room * sizeof(pawl_timer *));
            if (items == NULL)
                return false;
            heap->items = items;
            heap->room = room;
        }
        heap->count++;
        put(heap, heap->count, timer);
    }
    timer->due_ns = due_ns;
    rise(heap, timer);
    sink(heap, timer);
    return true;
}

void pawl_timer_clear(pawl_timer_heap *heap, pawl_timer *timer)
{
    if (timer->place == 0)
        return;
    size_t place = timer->place;
    pawl_timer *last = heap->items[heap->count - 1];
    heap->count--;
    timer->place = 0;
    if (last != timer) {
        put(heap, place, last);
        rise(heap, last);
        sink(heap, last);
    }
}

pawl_timer *pawl_timer_first(const pawl_timer_heap *heap)
{
    return heap->count == 0 ? NULL : heap->items[0];
}
