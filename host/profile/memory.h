/* memory.h: the memory of one profile: everything allocated here lives until the whole is freed at once.
 * Running out of memory is remembered, so that a reader may go on and say so once, at the end. Room of host/profile*.c
 * only. */
#ifndef PAWL_HOST_PROFILE_MEMORY_H
#define PAWL_HOST_PROFILE_MEMORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct pawl_profile_memory pawl_profile_memory;

/** NULL when out of memory. */
pawl_profile_memory *pawl_profile_memory_create(void);
/** Frees everything and drops the references to kept JSON. NULL allowed. */
void pawl_profile_memory_destroy(pawl_profile_memory *memory);

/** Zeroed; NULL when out of memory (remembered). count or size 0 gives a valid, empty place. */
void *pawl_profile_memory_array(pawl_profile_memory *memory, size_t count, size_t size);
/** A NUL-terminated copy of bytes. */
char *pawl_profile_memory_copy(pawl_profile_memory *memory, const char *text, size_t size);
char *pawl_profile_memory_format(pawl_profile_memory *memory, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Takes over a reference; NULL counts as out of memory. Returns the value, borrowed, or NULL. */
json_t *pawl_profile_memory_keep(pawl_profile_memory *memory, json_t *value);

void pawl_profile_memory_fail(pawl_profile_memory *memory);
bool pawl_profile_memory_failed(const pawl_profile_memory *memory);

#endif
