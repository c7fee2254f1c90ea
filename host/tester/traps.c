/* traps.c: see traps.h. Must let through whatever it does not know, and everything while no program runs: plugins have
 * effects too, and those may do as they like. */
#include "traps.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#define RELOCATION_OF_CALL R_X86_64_JUMP_SLOT
#define RELOCATION_OF_DATA R_X86_64_GLOB_DAT
#elif defined(__aarch64__)
#define RELOCATION_OF_CALL R_AARCH64_JUMP_SLOT
#define RELOCATION_OF_DATA R_AARCH64_GLOB_DAT
#else
#define RELOCATION_OF_CALL 0xffffffffu /* unknown machine: no traps */
#define RELOCATION_OF_DATA 0xffffffffu
#endif

#define SEGMENTS_MAX ((size_t)8)
#define DAY_NS       UINT64_C(86400000000000)
#define ODD_NS       UINT64_C(12345678901)

typedef struct segment {
    volatile uint8_t *at;
    uint8_t *copy;
    size_t size;
} segment;

/* In the order of `traps_of`. */
enum { TRAPS_MAX = 64 };

struct pawl_traps {
    uint64_t now_unix_ns;
    uint64_t draws; /* of this activation */
    uint32_t how;
    pawl_trap_call calls[TRAPS_MAX];
    size_t count;
    segment segments[SEGMENTS_MAX];
    size_t segment_count;
    bool changed; /* static variables were seen to differ */
};

/* The trapped functions get no context of ours. Set while a program runs, and only then. */
static _Thread_local pawl_traps *trapped;

/* True: a program has called it, and is to get our answer. */
static bool caught(const char *name, uint32_t kind)
{
    pawl_traps *t = trapped;
    if (t == NULL)
        return false;
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->calls[i].name, name) == 0) {
            t->calls[i].count++;
            return true;
        }
    if (t->count < TRAPS_MAX)
        t->calls[t->count++] = (pawl_trap_call){name, kind, 1};
    return true;
}

/* ---- clocks ---- */

static uint64_t shown_ns(void)
{
    return trapped->now_unix_ns + trapped->how * (DAY_NS + ODD_NS);
}

static time_t trap_time(time_t *at)
{
    if (!caught("time", PAWL_TRAP_CLOCK))
        return time(at);
    time_t now = (time_t)(shown_ns() / 1000000000);
    if (at != NULL)
        *at = now;
    return now;
}

static int trap_clock_gettime(clockid_t clock, struct timespec *at)
{
    if (!caught("clock_gettime", PAWL_TRAP_CLOCK))
        return clock_gettime(clock, at);
    *at = (struct timespec){(time_t)(shown_ns() / 1000000000), (long)(shown_ns() % 1000000000)};
    return 0;
}

static int trap_gettimeofday(struct timeval *at, void *zone)
{
    if (!caught("gettimeofday", PAWL_TRAP_CLOCK))
        return gettimeofday(at, zone);
    *at = (struct timeval){(time_t)(shown_ns() / 1000000000), (suseconds_t)(shown_ns() % 1000000000 / 1000)};
    return 0;
}

static clock_t trap_clock(void)
{
    return caught("clock", PAWL_TRAP_CLOCK) ? (clock_t)(shown_ns() / 1000 % 1000000000) : clock();
}

/* ---- chance ---- */

static uint64_t draw(void)
{
    uint64_t x = (++trapped->draws + trapped->how * UINT64_C(0x632BE59BD9B4E019)) * UINT64_C(0x9E3779B97F4A7C15);
    x ^= x >> 30;
    x *= UINT64_C(0xBF58476D1CE4E5B9);
    return x ^ (x >> 27);
}

static int trap_rand(void)
{
    return caught("rand", PAWL_TRAP_CHANCE) ? (int)(draw() & RAND_MAX) : rand();
}

static long trap_random(void)
{
    return caught("random", PAWL_TRAP_CHANCE) ? (long)(draw() & RAND_MAX) : random();
}

static long trap_lrand48(void)
{
    return caught("lrand48", PAWL_TRAP_CHANCE) ? (long)(draw() & 0x7fffffff) : lrand48();
}

static double trap_drand48(void)
{
    return caught("drand48", PAWL_TRAP_CHANCE) ? (double)(draw() >> 11) / 9007199254740992.0 : drand48();
}

static void fill(void *data, size_t size)
{
    uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)draw();
}

static ssize_t trap_getrandom(void *data, size_t size, unsigned flags)
{
    if (!caught("getrandom", PAWL_TRAP_CHANCE))
        return getrandom(data, size, flags);
    fill(data, size);
    return (ssize_t)size;
}

static int trap_getentropy(void *data, size_t size)
{
    if (!caught("getentropy", PAWL_TRAP_CHANCE))
        return getentropy(data, size);
    fill(data, size);
    return 0;
}

static uint32_t trap_arc4random(void)
{
    return caught("arc4random", PAWL_TRAP_CHANCE) ? (uint32_t)draw() : arc4random();
}

/* ---- surroundings ---- */

static char *trap_getenv(const char *name)
{
    (void)caught("getenv", PAWL_TRAP_SURROUNDINGS);
    return getenv(name);
}

static pid_t trap_getpid(void)
{
    return caught("getpid", PAWL_TRAP_SURROUNDINGS) ? (pid_t)(1000 + trapped->how) : getpid();
}

static pid_t trap_gettid(void)
{
    return caught("gettid", PAWL_TRAP_SURROUNDINGS) ? (pid_t)(1000 + trapped->how) : gettid();
}

static int trap_gethostname(char *name, size_t size)
{
    if (!caught("gethostname", PAWL_TRAP_SURROUNDINGS))
        return gethostname(name, size);
    snprintf(name, size, "worker-%u", trapped->how);
    return 0;
}

/* ---- the outside ---- */

/* Let through, and written down. */
#define OUTSIDE(type, function, parameters, arguments)                                                                 \
    static type trap_##function parameters                                                                             \
    {                                                                                                                  \
        (void)caught(#function, PAWL_TRAP_OUTSIDE);                                                                    \
        return function arguments;                                                                                     \
    }

OUTSIDE(int, open, (const char *path, int flags, mode_t mode), (path, flags, mode))
OUTSIDE(int, open64, (const char *path, int flags, mode_t mode), (path, flags, mode))
OUTSIDE(int, openat, (int at, const char *path, int flags, mode_t mode), (at, path, flags, mode))
OUTSIDE(int, creat, (const char *path, mode_t mode), (path, mode))
OUTSIDE(FILE *, fopen, (const char *path, const char *mode), (path, mode))
OUTSIDE(FILE *, fopen64, (const char *path, const char *mode), (path, mode))
OUTSIDE(FILE *, popen, (const char *command, const char *mode), (command, mode))
OUTSIDE(int, system, (const char *command), (command))
OUTSIDE(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
OUTSIDE(int, connect, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size))
OUTSIDE(ssize_t, send, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags))
OUTSIDE(ssize_t, sendto,
        (int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t to_size),
        (fd, data, size, flags, to, to_size))
OUTSIDE(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
OUTSIDE(int, unlink, (const char *path), (path))
OUTSIDE(int, rename, (const char *from, const char *to), (from, to))
OUTSIDE(pid_t, fork, (void), ())
OUTSIDE(int, pthread_create,
        (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *context),
        (thread, attributes, start, context))
OUTSIDE(unsigned, sleep, (unsigned seconds), (seconds))
OUTSIDE(int, usleep, (useconds_t span), (span))
OUTSIDE(int, nanosleep, (const struct timespec *span, struct timespec *left), (span, left))

/* ---- the table ---- */

typedef void (*any_function)(void);
#define TRAP(function)                                                                                                 \
    {                                                                                                                  \
#function, (any_function)trap_##function                                                                       \
    }

static const struct {
    const char *name;
    any_function trap;
} traps_of[] = {
    TRAP(time),    TRAP(clock_gettime), TRAP(gettimeofday),   TRAP(clock),      TRAP(rand),      TRAP(random),
    TRAP(lrand48), TRAP(drand48),       TRAP(getrandom),      TRAP(getentropy), TRAP(getenv),    TRAP(arc4random),
    TRAP(getpid),  TRAP(gettid),        TRAP(gethostname),    TRAP(open),       TRAP(open64),    TRAP(openat),
    TRAP(creat),   TRAP(fopen),         TRAP(fopen64),        TRAP(popen),      TRAP(system),    TRAP(socket),
    TRAP(connect), TRAP(send),          TRAP(sendto),         TRAP(write),      TRAP(unlink),    TRAP(rename),
    TRAP(fork),    TRAP(sleep),         TRAP(pthread_create), TRAP(usleep),     TRAP(nanosleep),
};

static any_function trap_of(const char *name)
{
    for (size_t i = 0; i < sizeof traps_of / sizeof *traps_of; i++)
        if (strcmp(traps_of[i].name, name) == 0)
            return traps_of[i].trap;
    return NULL;
}

static void replace(uintptr_t slot, any_function by)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = slot & ~(page - 1), to = (slot + sizeof by + page - 1) & ~(page - 1);
    if (mprotect((void *)from, to - from, PROT_READ | PROT_WRITE) == 0)
        memcpy((void *)slot, &by, sizeof by);
}

struct table {
    const ElfW(Rela) * calls, *data;
    size_t calls_size, data_size;
    const ElfW(Sym) * symbols;
    const char *names;
};

static struct table table_of(const struct link_map *map)
{
    struct table table = {0};
    for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
        const void *at = (const void *)d->d_un.d_ptr;
        switch (d->d_tag) {
        case DT_JMPREL:
            table.calls = at;
            break;
        case DT_PLTRELSZ:
            table.calls_size = d->d_un.d_val;
            break;
        case DT_RELA:
            table.data = at;
            break;
        case DT_RELASZ:
            table.data_size = d->d_un.d_val;
            break;
        case DT_SYMTAB:
            table.symbols = at;
            break;
        case DT_STRTAB:
            table.names = at;
            break;
        default:
            break;
        }
    }
    return table;
}

static void set_in(const struct link_map *map, const struct table *table, const ElfW(Rela) * list, size_t size)
{
    for (size_t i = 0; list != NULL && i < size / sizeof *list; i++) {
        uint32_t type = (uint32_t)ELF64_R_TYPE(list[i].r_info);
        if (type != RELOCATION_OF_CALL && type != RELOCATION_OF_DATA)
            continue;
        any_function trap = trap_of(table->names + table->symbols[ELF64_R_SYM(list[i].r_info)].st_name);
        if (trap != NULL)
            replace(map->l_addr + list[i].r_offset, trap);
    }
}

/* ---- static variables ---- */

struct search {
    pawl_traps *traps;
    uintptr_t base;
};

static void add_segment(pawl_traps *traps, uintptr_t from, uintptr_t to)
{
    if (from >= to || traps->segment_count == SEGMENTS_MAX)
        return;
    segment *made = &traps->segments[traps->segment_count];
    made->copy = malloc(to - from);
    if (made->copy == NULL)
        return;
    made->at = (volatile uint8_t *)from;
    made->size = to - from;
    traps->segment_count++;
}

static int find_segments(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    const struct search *search = context;
    uintptr_t fixed_from = 0, fixed_to = 0;
    if (info->dlpi_addr != search->base)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO) {
            uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
            fixed_from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            fixed_to = (fixed_from + info->dlpi_phdr[i].p_memsz + page - 1) & ~(page - 1);
        }
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD || (header->p_flags & PF_W) == 0)
            continue;
        uintptr_t from = info->dlpi_addr + header->p_vaddr, to = from + header->p_memsz;
        bool overlaps = fixed_from < to && from < fixed_to;
        add_segment(search->traps, from, overlaps ? fixed_from : to);
        if (overlaps)
            add_segment(search->traps, fixed_to, to);
    }
    return 1;
}

/* Byte by byte: between variables there may be what a checking build forbids others to touch. */
__attribute__((no_sanitize("address"))) static void save(segment *one)
{
    for (size_t i = 0; i < one->size; i++)
        one->copy[i] = one->at[i];
}

__attribute__((no_sanitize("address"))) bool pawl_traps_statics_changed(pawl_traps *traps)
{
    for (size_t s = 0; traps != NULL && s < traps->segment_count && !traps->changed; s++)
        for (size_t i = 0; i < traps->segments[s].size; i++)
            if (traps->segments[s].copy[i] != traps->segments[s].at[i])
                traps->changed = true;
    return traps != NULL && traps->changed;
}

__attribute__((no_sanitize("address"))) void pawl_traps_statics_restore(pawl_traps *traps)
{
    for (size_t s = 0; traps != NULL && s < traps->segment_count; s++)
        for (size_t i = 0; i < traps->segments[s].size; i++)
            if (traps->segments[s].at[i] != traps->segments[s].copy[i]) {
                traps->segments[s].at[i] = traps->segments[s].copy[i];
                traps->changed = true;
            }
}

/* ---- life ---- */

pawl_traps *pawl_traps_set(const void *inside)
{
    Dl_info info;
    struct link_map *map = NULL;
    pawl_traps *traps = calloc(1, sizeof *traps);
    if (traps == NULL || dladdr1(inside, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 || map == NULL)
        return pawl_traps_free(traps);
    const struct table table = table_of(map);
    if (table.symbols == NULL || table.names == NULL)
        return pawl_traps_free(traps);
    set_in(map, &table, table.calls, table.calls_size);
    set_in(map, &table, table.data, table.data_size);
    struct search search = {traps, map->l_addr};
    (void)dl_iterate_phdr(find_segments, &search);
    for (size_t i = 0; i < traps->segment_count; i++)
        save(&traps->segments[i]);
    return traps;
}

pawl_traps *pawl_traps_free(pawl_traps *traps)
{
    for (size_t i = 0; traps != NULL && i < traps->segment_count; i++)
        free(traps->segments[i].copy);
    free(traps);
    return NULL;
}

void pawl_traps_enter(pawl_traps *traps, uint64_t now_unix_ns)
{
    trapped = traps;
    if (traps == NULL)
        return;
    traps->now_unix_ns = now_unix_ns;
    traps->draws = 0;
}

void pawl_traps_leave(pawl_traps *traps)
{
    (void)traps;
    trapped = NULL;
}

static int by_address(const void *left, const void *right)
{
    uintptr_t a = *(const uintptr_t *)left, b = *(const uintptr_t *)right;
    return a < b ? -1 : a > b;
}

/* The allocator gives back first what was freed last: so the next blocks of each size come in rising or falling order.
 */
static void order_memory(bool falling)
{
    enum { BLOCKS = 8, SMALLEST = 16, LARGEST = 512 };
    for (size_t size = SMALLEST; size <= LARGEST; size += 16) {
        uintptr_t blocks[BLOCKS];
        for (size_t i = 0; i < BLOCKS; i++)
            blocks[i] = (uintptr_t)malloc(size - 8);
        qsort(blocks, BLOCKS, sizeof *blocks, by_address);
        for (size_t i = 0; i < BLOCKS; i++)
            free((void *)blocks[falling ? i : BLOCKS - 1 - i]);
    }
}

void pawl_traps_disturb(pawl_traps *traps, uint32_t how)
{
    if (traps == NULL)
        return;
    traps->how = how;
    if (how != 0)
        order_memory(how % 2 == 1);
}

size_t pawl_traps_calls(const pawl_traps *traps, const pawl_trap_call **ret)
{
    *ret = traps == NULL ? NULL : traps->calls;
    return traps == NULL ? 0 : traps->count;
}
