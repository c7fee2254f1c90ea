/* coroutine.c: see coroutine.h. Switching is left to the C library; the sanitizers are told of every switch, for they
 * keep books about stacks. */
#include "coroutine.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define STACK_BYTES ((size_t)8 << 20)

#if defined(__SANITIZE_ADDRESS__)
#define TELLS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TELLS_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define TELLS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TELLS_TSAN 1
#endif
#endif

#ifdef TELLS_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef TELLS_TSAN
#include <sanitizer/tsan_interface.h>
#endif

struct pawl_coroutine {
    void (*body)(void *context);
    void *context;
    ucontext_t inside, outside;
    uint8_t *memory; /* a page that nobody may touch, and the stack above it */
    size_t page;
    bool ended;
    const void *outside_stack; /* of whoever resumed it; for the sanitizers */
    size_t outside_size;
    void *inside_fiber, *outside_fiber;
};

/* About to leave for a stack; own: where to note what belongs to this one, NULL when it will not be used again. */
static void leave(pawl_coroutine *c, bool inwards, void **own)
{
    (void)c;
    (void)inwards;
    (void)own;
#ifdef TELLS_ASAN
    __sanitizer_start_switch_fiber(own, inwards ? c->memory + c->page : c->outside_stack,
                                   inwards ? STACK_BYTES : c->outside_size);
#endif
#ifdef TELLS_TSAN
    if (inwards)
        c->outside_fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(inwards ? c->inside_fiber : c->outside_fiber, 0);
#endif
}

/* Arrived on a stack; own: what was noted when it was left. */
static void arrive(pawl_coroutine *c, bool inwards, void *own)
{
    (void)c;
    (void)inwards;
    (void)own;
#ifdef TELLS_ASAN
    __sanitizer_finish_switch_fiber(own, inwards ? &c->outside_stack : NULL, inwards ? &c->outside_size : NULL);
#endif
}

/* makecontext passes ints; a pointer is two of them. */
static void enter(unsigned high, unsigned low)
{
    pawl_coroutine *c = (pawl_coroutine *)(((uintptr_t)high << 32) | low);
    arrive(c, true, NULL);
    c->body(c->context);
    c->ended = true;
    leave(c, false, NULL);
    setcontext(&c->outside);
}

/* Make the stack ready to be entered. */
static __attribute__((noinline)) bool set_up(pawl_coroutine *c)
{
    if (mprotect(c->memory, c->page, PROT_NONE) != 0 || getcontext(&c->inside) != 0)
        return false;
    c->inside.uc_stack.ss_sp = c->memory + c->page;
    c->inside.uc_stack.ss_size = STACK_BYTES;
    c->inside.uc_link = NULL;
    uintptr_t self = (uintptr_t)c;
    makecontext(&c->inside, (void (*)(void))enter, 2, (unsigned)(self >> 32), (unsigned)(self & UINT32_MAX));
    return true;
}

pawl_coroutine *pawl_coroutine_create(void (*body)(void *context), void *context)
{
    pawl_coroutine *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->body = body;
    c->context = context;
    c->page = (size_t)sysconf(_SC_PAGESIZE);
    void *memory = mmap(NULL, c->page + STACK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) {
        free(c);
        return NULL;
    }
    c->memory = memory;
    if (!set_up(c))
        return pawl_coroutine_destroy(c);
#ifdef TELLS_TSAN
    c->inside_fiber = __tsan_create_fiber(0);
#endif
    return c;
}

pawl_coroutine *pawl_coroutine_destroy(pawl_coroutine *c)
{
    if (c == NULL)
        return NULL;
#ifdef TELLS_TSAN
    if (c->inside_fiber != NULL)
        __tsan_destroy_fiber(c->inside_fiber);
#endif
    munmap(c->memory, c->page + STACK_BYTES);
    free(c);
    return NULL;
}

bool pawl_coroutine_resume(pawl_coroutine *c)
{
    void *own = NULL;
    leave(c, true, &own);
    swapcontext(&c->outside, &c->inside);
    arrive(c, false, own);
    return c->ended;
}

void pawl_coroutine_yield(pawl_coroutine *c)
{
    void *own = NULL;
    leave(c, false, &own);
    swapcontext(&c->inside, &c->outside);
    arrive(c, true, own);
}
