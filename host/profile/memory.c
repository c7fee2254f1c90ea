/* memory.c: a chain of blocks, each one allocation. A profile has a few thousand small things at most, so the
 * simplest chain will do. Never frees a single block. */
#include "host/profile/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct block {
    struct block *next;
    max_align_t content[];
} block;

typedef struct kept {
    struct kept *next;
    json_t *value;
} kept;

struct pawl_profile_memory {
    block *blocks;
    kept *kept;
    bool failed;
};

pawl_profile_memory *pawl_profile_memory_create(void)
{
    return calloc(1, sizeof(pawl_profile_memory));
}

void pawl_profile_memory_destroy(pawl_profile_memory *memory)
{
    if (!memory)
        return;
    for (kept *k = memory->kept; k; k = k->next)
        json_decref(k->value);
    for (block *b = memory->blocks; b;) {
        block *next = b->next;
        free(b);
        b = next;
    }
    free(memory);
}

void *pawl_profile_memory_array(pawl_profile_memory *memory, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || __builtin_add_overflow(bytes, sizeof(block), &bytes)) {
        memory->failed = true;
        return NULL;
    }
    block *b = calloc(1, bytes);
    if (!b) {
        memory->failed = true;
        return NULL;
    }
    b->next = memory->blocks;
    memory->blocks = b;
    return b->content;
}

char *pawl_profile_memory_copy(pawl_profile_memory *memory, const char *text, size_t size)
{
    char *copy = pawl_profile_memory_array(memory, size + 1, 1);
    if (copy && size)
        memcpy(copy, text, size);
    return copy;
}

char *pawl_profile_memory_format(pawl_profile_memory *memory, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0) {
        memory->failed = true;
        return NULL;
    }
    char *text = pawl_profile_memory_array(memory, (size_t)size + 1, 1);
    if (!text)
        return NULL;
    va_start(args, format);
    (void)vsnprintf(text, (size_t)size + 1, format, args);
    va_end(args);
    return text;
}

json_t *pawl_profile_memory_keep(pawl_profile_memory *memory, json_t *value)
{
    kept *k = value ? pawl_profile_memory_array(memory, 1, sizeof(kept)) : NULL;
    if (!k) {
        memory->failed = true;
        json_decref(value);
        return NULL;
    }
    k->value = value;
    k->next = memory->kept;
    memory->kept = k;
    return value;
}

void pawl_profile_memory_fail(pawl_profile_memory *memory)
{
    memory->failed = true;
}

bool pawl_profile_memory_failed(const pawl_profile_memory *memory)
{
    return memory->failed;
}
