/* activation/mirror.c: the containers of the mirror: commands by ordinal, names by hash, open calls and timers in
 * order. Must never move what it has handed out: commands, names and open calls keep their address while they live. */
#include "mirror.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

void pawl_mirror_digest(pawl_bytes bytes, uint8_t ret[16])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.size == 0 ? "" : bytes.data, bytes.size));
    memcpy(ret, canonical.digest, 16);
}

bool pawl_mirror_bytes_equal(pawl_bytes left, pawl_bytes right)
{
    return left.size == right.size && (left.size == 0 || memcmp(left.data, right.data, left.size) == 0);
}

void pawl_mirror_put_fixed(uint8_t at[8], uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* ---- commands ---- */

struct command *pawl_mirror_command(const pawl_activation *mirror, uint64_t ordinal)
{
    uint64_t chunk = (ordinal - 1) / COMMANDS_PER_CHUNK;
    if (chunk >= mirror->chunk_count || mirror->chunks[chunk] == NULL)
        return NULL;
    return &mirror->chunks[chunk][(ordinal - 1) % COMMANDS_PER_CHUNK];
}

struct command *pawl_mirror_command_make(pawl_activation *mirror, uint64_t ordinal)
{
    size_t chunk = (size_t)((ordinal - 1) / COMMANDS_PER_CHUNK);
    if (chunk >= mirror->chunk_count) {
        size_t count = mirror->chunk_count == 0 ? 4 : mirror->chunk_count * 2;
        if (count <= chunk)
            count = chunk + 1;
        struct command **chunks = realloc(mirror->chunks, count * sizeof(struct command *));
        if (chunks == NULL)
            return NULL;
        memset(chunks + mirror->chunk_count, 0, (count - mirror->chunk_count) * sizeof(struct command *));
        mirror->chunks = chunks;
        mirror->chunk_count = count;
    }
    if (mirror->chunks[chunk] == NULL)
        mirror->chunks[chunk] = pawl_arena_alloc(&mirror->arena, COMMANDS_PER_CHUNK * sizeof(struct command));
    if (mirror->chunks[chunk] == NULL)
        return NULL;
    return &mirror->chunks[chunk][(ordinal - 1) % COMMANDS_PER_CHUNK];
}

/* ---- names ---- */

static bool grow_buckets(pawl_activation *mirror)
{
    size_t count = mirror->bucket_count == 0 ? 8 : mirror->bucket_count * 2;
    struct name **buckets = calloc(count, sizeof(struct name *));
    if (buckets == NULL)
        return false;
    for (size_t i = 0; i < mirror->bucket_count; i++) {
        for (struct name *name = mirror->buckets[i], *next; name != NULL; name = next) {
            next = name->next_in_bucket;
            struct name **bucket = &buckets[name->hash & (count - 1)];
            name->next_in_bucket = *bucket;
            *bucket = name;
            mirror->effort++;
        }
    }
    free(mirror->buckets);
    mirror->buckets = buckets;
    mirror->bucket_count = count;
    return true;
}

struct name *pawl_mirror_name(pawl_activation *mirror, pawl_bytes text)
{
    uint64_t hash = XXH3_64bits(text.size == 0 ? "" : text.data, text.size);
    if (mirror->bucket_count > 0) {
        for (struct name *name = mirror->buckets[hash & (mirror->bucket_count - 1)]; name != NULL;
             name = name->next_in_bucket) {
            mirror->effort++;
            if (name->hash == hash && pawl_mirror_bytes_equal(name->text, text))
                return name;
        }
    }
    if (mirror->name_count == mirror->bucket_count && !grow_buckets(mirror))
        return NULL;
    struct name *name = pawl_arena_alloc(&mirror->arena, sizeof *name);
    if (name == NULL || !pawl_arena_copy(&mirror->arena, text, &name->text))
        return NULL;
    struct name **bucket = &mirror->buckets[hash & (mirror->bucket_count - 1)];
    name->hash = hash;
    name->next_in_bucket = *bucket;
    *bucket = name;
    mirror->name_count++;
    return name;
}

/* ---- open calls ---- */

struct open_call *pawl_mirror_call_before(pawl_activation *mirror, uint64_t ordinal)
{
    struct open_call *open = mirror->last_call;
    for (; open != NULL && open->call.ordinal >= ordinal; open = open->previous)
        mirror->effort++;
    return open;
}

static struct open_call *next_call(const struct open_call *open)
{
    return (struct open_call *)open->call.next; /* the visible part is its first member */
}

struct open_call *pawl_mirror_call_open(pawl_activation *mirror, uint64_t ordinal, struct command *command,
                                        struct open_call *after)
{
    struct open_call *open = mirror->spare_calls;
    if (open != NULL)
        mirror->spare_calls = next_call(open);
    else
        open = pawl_arena_alloc(&mirror->arena, sizeof *open);
    if (open == NULL)
        return NULL;
    struct open_call *next = after == NULL ? mirror->first_call : next_call(after);
    *open = (struct open_call){.previous = after};
    open->call.next = next == NULL ? NULL : &next->call;
    open->call.ordinal = ordinal;
    open->call.name = command->name->text;
    open->call.input = (pawl_bytes){"", 0};
    open->call.child = pawl_mirror_is_child(open->call.name);
    memcpy(open->call.digest, command->of.digest, sizeof open->call.digest);
    if (after == NULL)
        mirror->first_call = open;
    else
        after->call.next = &open->call;
    *(next == NULL ? &mirror->last_call : &next->previous) = open;
    command->open.call = open;
    return open;
}

void pawl_mirror_call_close(pawl_activation *mirror, struct command *command)
{
    struct open_call *open = command->open.call;
    if (open == NULL)
        return;
    struct open_call *next = next_call(open);
    if (open->previous == NULL)
        mirror->first_call = next;
    else
        open->previous->call.next = open->call.next;
    *(next == NULL ? &mirror->last_call : &next->previous) = open->previous;
    mirror->input_bytes -= open->call.input.size;
    free(open->input);
    open->call.next = mirror->spare_calls == NULL ? NULL : &mirror->spare_calls->call;
    mirror->spare_calls = open;
    command->open.call = NULL;
}

/* ---- open timers ---- */

struct open_timer *pawl_mirror_timer_before(pawl_activation *mirror, uint64_t ordinal)
{
    struct open_timer *open = mirror->last_timer;
    for (; open != NULL && open->timer.ordinal >= ordinal; open = open->previous)
        mirror->effort++;
    return open;
}

static struct open_timer *next_timer(const struct open_timer *open)
{
    return (struct open_timer *)open->timer.next;
}

struct open_timer *pawl_mirror_timer_open(pawl_activation *mirror, uint64_t ordinal, struct command *command,
                                          struct open_timer *after)
{
    struct open_timer *open = mirror->spare_timers;
    if (open != NULL)
        mirror->spare_timers = next_timer(open);
    else
        open = pawl_arena_alloc(&mirror->arena, sizeof *open);
    if (open == NULL)
        return NULL;
    struct open_timer *next = after == NULL ? mirror->first_timer : next_timer(after);
    *open = (struct open_timer){.previous = after};
    open->timer.next = next == NULL ? NULL : &next->timer;
    open->timer.ordinal = ordinal;
    open->timer.after_ns = command->of.after_ns;
    if (after == NULL)
        mirror->first_timer = open;
    else
        after->timer.next = &open->timer;
    *(next == NULL ? &mirror->last_timer : &next->previous) = open;
    command->open.timer = open;
    return open;
}

void pawl_mirror_timer_close(pawl_activation *mirror, struct command *command)
{
    struct open_timer *open = command->open.timer;
    if (open == NULL)
        return;
    struct open_timer *next = next_timer(open);
    if (open->previous == NULL)
        mirror->first_timer = next;
    else
        open->previous->timer.next = open->timer.next;
    *(next == NULL ? &mirror->last_timer : &next->previous) = open->previous;
    open->timer.next = mirror->spare_timers == NULL ? NULL : &mirror->spare_timers->timer;
    mirror->spare_timers = open;
    command->open.timer = NULL;
}
