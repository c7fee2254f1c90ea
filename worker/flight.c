/* flight.c: see flight.h. The file: a head, victims of earlier lives, then one slot for each thread. A slot's `running`
 * is set last and cleared first, so that whoever reads the file after a death never sees half a name as whole. It must
 * never be read by the threads that write it, nor trusted: every length is checked. */
#include "flight.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC        "PAWLFLT1"
#define BOOT_ID_SIZE 40u
#define VICTIMS_MAX  PAWL_FLIGHT_SLOTS_MAX

/* One line of the file. */
struct pawl_flight_slot {
    atomic_uint_fast32_t running;
    uint8_t what_size;
    uint16_t id_size;
    char id[PAWL_FLIGHT_ID_MAX];
    char what[PAWL_FLIGHT_WHAT_MAX];
    uint64_t flight; /* of a victim: which life */
    uint32_t slot;   /* of a victim: its place there */
};

typedef struct head {
    char magic[8];
    uint32_t slot_size; /* sizeof(pawl_flight_slot) as whoever wrote it knew it */
    uint32_t slot_count;
    uint32_t victim_count;
    uint32_t reserved;
    uint64_t begun_unix_ns;
    char boot_id[BOOT_ID_SIZE];
} head;

struct pawl_flight {
    int file;
    size_t size;
    head *head;              /* mapped */
    pawl_flight_slot *slots; /* mapped: victims first, then the threads' */
    atomic_uint_fast32_t taken;
    pawl_flight_victim *victims;
    pawl_flight_slot *kept; /* the victims' bytes */
};

static void read_boot_id(char boot_id[BOOT_ID_SIZE])
{
    memset(boot_id, 0, BOOT_ID_SIZE);
    int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return; /* then every life is of the same machine's life */
    ssize_t got = read(file, boot_id, BOOT_ID_SIZE - 1);
    (void)got;
    close(file);
}

static bool slot_is_whole(const pawl_flight_slot *slot)
{
    return atomic_load(&slot->running) == 1 && slot->id_size > 0 && slot->id_size <= PAWL_FLIGHT_ID_MAX &&
           slot->what_size <= PAWL_FLIGHT_WHAT_MAX;
}

/* Is it the file of an earlier life of this machine, in a format that we write? */
static bool head_is_ours(const head *found, size_t size, const char *boot_id)
{
    return size >= sizeof *found && memcmp(found->magic, MAGIC, sizeof found->magic) == 0 &&
           found->slot_size == sizeof(pawl_flight_slot) && found->slot_count <= PAWL_FLIGHT_SLOTS_MAX &&
           found->victim_count <= VICTIMS_MAX &&
           size == sizeof *found + ((size_t)found->victim_count + found->slot_count) * sizeof(pawl_flight_slot) &&
           memcmp(found->boot_id, boot_id, BOOT_ID_SIZE) == 0;
}

/* The victims of earlier lives, and of the last one, into flight->kept. */
static uint32_t collect(pawl_flight *flight, const char *old, size_t old_size, const char *boot_id)
{
    head found;
    uint32_t count = 0;
    if (old_size < sizeof found)
        return 0;
    memcpy(&found, old, sizeof found);
    if (!head_is_ours(&found, old_size, boot_id))
        return 0;
    for (uint32_t i = 0; i < found.victim_count + found.slot_count && count < VICTIMS_MAX; i++) {
        pawl_flight_slot *to = &flight->kept[count];
        memcpy(to, old + sizeof found + i * sizeof *to, sizeof *to);
        if (!slot_is_whole(to))
            continue;
        if (i >= found.victim_count) {
            to->flight = found.begun_unix_ns;
            to->slot = i - found.victim_count;
        }
        count++;
    }
    return count;
}

static pawl_status read_old(pawl_flight *flight, const char *path, const char *boot_id, uint32_t *victims,
                            pawl_error *error)
{
    struct stat facts;
    if (fstat(flight->file, &facts) != 0)
        return pawl_error_set(error, PAWL_E_IO, "flight.unreadable", "%s: %s", path, strerror(errno));
    size_t most = sizeof(head) + ((size_t)VICTIMS_MAX + PAWL_FLIGHT_SLOTS_MAX) * sizeof(pawl_flight_slot);
    size_t size = facts.st_size < 0 || (size_t)facts.st_size > most ? 0 : (size_t)facts.st_size;
    char *old = malloc(size + 1);
    flight->kept = calloc(VICTIMS_MAX, sizeof *flight->kept);
    if (old == NULL || flight->kept == NULL) {
        free(old);
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for the flight recorder");
    }
    ssize_t got = size == 0 ? 0 : pread(flight->file, old, size, 0);
    *victims = got == (ssize_t)size ? collect(flight, old, size, boot_id) : 0;
    free(old);
    return PAWL_OK;
}

static pawl_status map(pawl_flight *flight, const char *path, pawl_error *error)
{
    /* Blocks are taken now: a full disk must show here, not as a signal in the middle of a step. */
    int failed = posix_fallocate(flight->file, 0, (off_t)flight->size);
    if (failed == 0 && ftruncate(flight->file, (off_t)flight->size) != 0)
        failed = errno;
    void *at = failed != 0 ? MAP_FAILED : mmap(NULL, flight->size, PROT_READ | PROT_WRITE, MAP_SHARED, flight->file, 0);
    if (at == MAP_FAILED)
        return pawl_error_set(error, PAWL_E_IO, "flight.unwritable", "%s: %s", path,
                              strerror(failed != 0 ? failed : errno));
    flight->head = at;
    flight->slots = (pawl_flight_slot *)(void *)((char *)at + sizeof(head));
    return PAWL_OK;
}

static pawl_status take_victims(pawl_flight *flight, uint32_t count, pawl_error *error)
{
    flight->victims = calloc(count == 0 ? 1 : count, sizeof *flight->victims);
    if (flight->victims == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for the flight recorder");
    for (uint32_t i = 0; i < count; i++) {
        const pawl_flight_slot *from = &flight->kept[i];
        flight->victims[i] = (pawl_flight_victim){.flight = from->flight,
                                                  .slot = from->slot,
                                                  .id = {from->id, from->id_size},
                                                  .what = {from->what, from->what_size}};
    }
    return PAWL_OK;
}

static pawl_status begin_life(pawl_flight *flight, const char *path, uint32_t slots, uint64_t now_unix_ns,
                              pawl_error *error)
{
    char boot_id[BOOT_ID_SIZE];
    uint32_t victims = 0;
    read_boot_id(boot_id);
    pawl_status status = read_old(flight, path, boot_id, &victims, error);
    if (status == PAWL_OK)
        status = take_victims(flight, victims, error);
    flight->size = sizeof(head) + ((size_t)victims + slots) * sizeof(pawl_flight_slot);
    if (status == PAWL_OK)
        status = map(flight, path, error);
    if (status != PAWL_OK)
        return status;
    memset(flight->head, 0, flight->size);
    memcpy(flight->slots, flight->kept, victims * sizeof *flight->slots);
    *flight->head = (head){.slot_size = sizeof(pawl_flight_slot),
                           .slot_count = slots,
                           .victim_count = victims,
                           .begun_unix_ns = now_unix_ns};
    memcpy(flight->head->boot_id, boot_id, sizeof boot_id);
    atomic_thread_fence(memory_order_seq_cst);
    memcpy(flight->head->magic, MAGIC, sizeof flight->head->magic); /* from here on the file counts */
    return PAWL_OK;
}

pawl_status pawl_flight_open(const char *path, uint32_t slots, uint64_t now_unix_ns, pawl_flight **ret,
                             pawl_error *error)
{
    if (slots == 0 || slots > PAWL_FLIGHT_SLOTS_MAX)
        return pawl_error_set(error, PAWL_E_INVALID, "flight.slots", "a flight recorder for %u threads; wanted 1 to %u",
                              slots, PAWL_FLIGHT_SLOTS_MAX);
    pawl_flight *flight = calloc(1, sizeof *flight);
    if (flight == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for the flight recorder");
    flight->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    pawl_status status = PAWL_OK;
    if (flight->file < 0)
        status = pawl_error_set(error, PAWL_E_IO, "flight.unwritable", "%s: %s", path, strerror(errno));
    else if (flock(flight->file, LOCK_EX | LOCK_NB) != 0)
        status = pawl_error_set(error, PAWL_E_BUSY, "flight.busy", "%s: another worker has it open", path);
    else
        status = begin_life(flight, path, slots, now_unix_ns, error);
    if (status == PAWL_OK) {
        *ret = flight;
        return PAWL_OK;
    }
    if (flight->file >= 0)
        close(flight->file);
    free(flight->victims);
    free(flight->kept);
    free(flight);
    return status;
}

size_t pawl_flight_victims(const pawl_flight *flight, const pawl_flight_victim **ret)
{
    *ret = flight->victims;
    return flight->head->victim_count;
}

void pawl_flight_forget(pawl_flight *flight)
{
    for (uint32_t i = 0; i < flight->head->victim_count; i++)
        atomic_store(&flight->slots[i].running, 0);
}

pawl_flight_slot *pawl_flight_take(pawl_flight *flight)
{
    if (flight == NULL)
        return NULL;
    uint32_t place = (uint32_t)atomic_fetch_add(&flight->taken, 1);
    return place < flight->head->slot_count ? &flight->slots[flight->head->victim_count + place] : NULL;
}

void pawl_flight_begin(pawl_flight_slot *slot, pawl_bytes id, pawl_bytes what)
{
    if (slot == NULL)
        return;
    size_t id_size = id.size < sizeof slot->id ? id.size : sizeof slot->id;
    size_t what_size = what.size < sizeof slot->what ? what.size : sizeof slot->what;
    memcpy(slot->id, id.data, id_size);
    memcpy(slot->what, what.data, what_size);
    slot->id_size = (uint16_t)id_size;
    slot->what_size = (uint8_t)what_size;
    /* Only this thread's own order matters: what a dead program had stored is all there. */
    atomic_signal_fence(memory_order_release);
    atomic_store_explicit(&slot->running, 1, memory_order_relaxed);
}

void pawl_flight_end(pawl_flight_slot *slot)
{
    if (slot != NULL)
        atomic_store_explicit(&slot->running, 0, memory_order_relaxed);
}

pawl_flight *pawl_flight_close(pawl_flight *flight)
{
    if (flight == NULL)
        return NULL;
    for (uint32_t i = 0; i < flight->head->slot_count; i++)
        atomic_store(&flight->slots[flight->head->victim_count + i].running, 0);
    munmap(flight->head, flight->size);
    close(flight->file); /* and with it the lock */
    free(flight->victims);
    free(flight->kept);
    free(flight);
    return NULL;
}
