/* entry.c: processes in memory; see registry.h. An entry is in use (leased, watched, staged, returned or pinned), or
 * kept as a cache, oldest out first. Evicting loses nothing but the count of claims, which is a hint. */
#include "row.h"

#include <assert.h>
#include <stdlib.h>

static int compare_numbers(const pawl_store_entry *a, const pawl_store_entry *b)
{
    return a->number < b->number ? -1 : a->number > b->number;
}

static int compare_ids(const pawl_store_entry *a, const pawl_store_entry *b)
{
    if (a->id_hash != b->id_hash)
        return a->id_hash < b->id_hash ? -1 : 1;
    return pawl_bytes_compare(a->identity.id, b->identity.id);
}

RB_GENERATE_INTERNAL(pawl_store_number_tree, pawl_store_entry, number_link, compare_numbers,
                     static __attribute__((unused)))
RB_GENERATE_INTERNAL(pawl_store_id_tree, pawl_store_entry, id_link, compare_ids, static __attribute__((unused)))

pawl_store_entry *pawl_store_entry_find(pawl_store_registry *registry, uint64_t number)
{
    for (pawl_store_entry *entry = RB_ROOT(&registry->by_number); entry != NULL;) {
        if (entry->number == number)
            return entry;
        entry = number < entry->number ? RB_LEFT(entry, number_link) : RB_RIGHT(entry, number_link);
    }
    return NULL;
}

static pawl_store_entry *find_id(pawl_store_registry *registry, pawl_bytes id)
{
    pawl_store_entry wanted = {.id_hash = pawl_store_hash(id), .identity = {.id = id}};
    return RB_FIND(pawl_store_id_tree, &registry->by_id, &wanted);
}

pawl_store_entry *pawl_store_entry_create(uint64_t number, pawl_store_type *type, pawl_bytes encoded)
{
    pawl_store_entry *entry = calloc(1, sizeof *entry + encoded.size);
    if (entry == NULL)
        return NULL;
    memcpy(entry->encoded, encoded.data, encoded.size);
    bool fits = pawl_store_identity_decode((pawl_bytes){entry->encoded, encoded.size}, &entry->identity);
    assert(fits);
    (void)fits;
    entry->number = number;
    entry->type = type;
    entry->id_hash = pawl_store_hash(entry->identity.id);
    LIST_INIT(&entry->watches);
    return entry;
}

void pawl_store_entry_insert(pawl_store_registry *registry, pawl_store_entry *entry)
{
    RB_INSERT(pawl_store_number_tree, &registry->by_number, entry);
    pawl_store_entry_list(registry, entry);
    registry->entry_count++;
}

void pawl_store_entry_list(pawl_store_registry *registry, pawl_store_entry *entry)
{
    if (!entry->listed)
        entry->listed = RB_INSERT(pawl_store_id_tree, &registry->by_id, entry) == NULL;
}

static bool in_use(const pawl_store_entry *entry)
{
    return entry->pins > 0 || entry->stage != NULL || entry->worker != NULL || entry->returned ||
           !LIST_EMPTY(&entry->watches);
}

static void leave_idle(pawl_store_registry *registry, pawl_store_entry *entry)
{
    if (!entry->idle)
        return;
    TAILQ_REMOVE(&registry->idle, entry, idle_link);
    entry->idle = false;
    registry->idle_count--;
}

static void detach(pawl_store_registry *registry, pawl_store_entry *entry)
{
    if (entry->gone)
        return;
    RB_REMOVE(pawl_store_number_tree, &registry->by_number, entry);
    if (entry->listed)
        RB_REMOVE(pawl_store_id_tree, &registry->by_id, entry);
    entry->listed = false;
    registry->entry_count--;
    entry->gone = true;
}

static void evict(pawl_store_registry *registry)
{
    while (registry->loading == 0 && registry->idle_count > PAWL_STORE_IDLE_ENTRIES_MAX) {
        pawl_store_entry *oldest = TAILQ_FIRST(&registry->idle);
        // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): leave_idle() took the one before out of the queue
        assert(oldest->idle);
        leave_idle(registry, oldest);
        detach(registry, oldest);
        free(oldest);
    }
}

void pawl_store_entry_settle(pawl_store_registry *registry, pawl_store_entry *entry)
{
    if (in_use(entry)) {
        leave_idle(registry, entry);
        return;
    }
    if (entry->gone) {
        free(entry);
        return;
    }
    if (!entry->idle) {
        TAILQ_INSERT_TAIL(&registry->idle, entry, idle_link);
        entry->idle = true;
        registry->idle_count++;
    }
    evict(registry);
}

void pawl_store_entry_remove(pawl_store_registry *registry, pawl_store_entry *entry)
{
    leave_idle(registry, entry);
    detach(registry, entry);
    registry->removals++;
    if (!in_use(entry))
        free(entry);
}

void pawl_store_entry_pin(pawl_store_registry *registry, pawl_store_entry *entry)
{
    entry->pins++;
    leave_idle(registry, entry);
}

void pawl_store_entry_unpin(pawl_store_registry *registry, pawl_store_entry *entry)
{
    assert(entry->pins > 0);
    entry->pins--;
    pawl_store_entry_settle(registry, entry);
}

/* Read header and tail into a new entry that is in no table. */
static pawl_status read_entry(pawl_store_registry *registry, uint64_t number, pawl_store_entry **entry,
                              pawl_fault *fault)
{
    pawl_kv *kv = registry->store->kv;
    pawl_buffer header_buffer = {0};
    pawl_buffer tail_buffer = {0};
    pawl_store_header header;
    pawl_store_record tail;
    pawl_store_type *type = NULL;
    pawl_status status = pawl_store_read_process(kv, number, &header_buffer, &header, &tail_buffer, &tail, fault);
    if (status == PAWL_OK) {
        pthread_mutex_lock(&registry->lock);
        type = pawl_store_type_by_id(registry, header.identity.type);
        pthread_mutex_unlock(&registry->lock);
        if (type == NULL)
            status = pawl_fault_set(fault, PAWL_E_CORRUPT, "store.corrupt",
                                    "stored data is damaged: process number %llu has the unknown type number %u",
                                    (unsigned long long)number, header.identity.type);
    }
    if (status == PAWL_OK) {
        *entry = pawl_store_entry_create(number, type, header.identity.encoded);
        if (*entry == NULL) {
            status = pawl_fault_nomem(fault);
        } else {
            (*entry)->state = header.state;
            (*entry)->token = header.state.token;
            pawl_store_state_advance(&(*entry)->state, &tail);
        }
    }
    pawl_buffer_finish(&header_buffer);
    pawl_buffer_finish(&tail_buffer);
    return status;
}

/* Put what was read into the table, unless someone else brought it in meanwhile and perhaps changed it: theirs counts.
 * Under lock. */
static pawl_store_entry *adopt(pawl_store_registry *registry, uint64_t number, pawl_store_entry **read)
{
    pawl_store_entry *found = pawl_store_entry_find(registry, number);
    if (found != NULL)
        return found;
    found = *read;
    *read = NULL;
    pawl_store_entry_insert(registry, found);
    return found;
}

pawl_status pawl_store_entry_by_number(pawl_store_registry *registry, uint64_t number, pawl_store_entry **entry,
                                       pawl_fault *fault)
{
    pawl_status status = PAWL_OK;
    pthread_mutex_lock(&registry->lock);
    pawl_store_entry *found = pawl_store_entry_find(registry, number);
    while (found == NULL && status == PAWL_OK) {
        uint64_t removals = registry->removals;
        pawl_store_entry *read = NULL;
        registry->loading++;
        pthread_mutex_unlock(&registry->lock);
        status = read_entry(registry, number, &read, fault);
        pthread_mutex_lock(&registry->lock);
        registry->loading--;
        if (status == PAWL_OK && registry->removals == removals)
            found = adopt(registry, number, &read);
        free(read);
    }
    if (found != NULL)
        pawl_store_entry_pin(registry, found);
    pthread_mutex_unlock(&registry->lock);
    if (found == NULL)
        return status;
    *entry = found;
    return PAWL_OK;
}

pawl_status pawl_store_entry_by_id(pawl_store_registry *registry, pawl_bytes id, pawl_store_entry **entry,
                                   pawl_fault *fault)
{
    pthread_mutex_lock(&registry->lock);
    pawl_store_entry *found = find_id(registry, id);
    if (found != NULL)
        pawl_store_entry_pin(registry, found);
    pthread_mutex_unlock(&registry->lock);
    if (found != NULL) {
        *entry = found;
        return PAWL_OK;
    }
    uint64_t number;
    pawl_status status = pawl_store_read_ident(registry->store->kv, id, &number, fault);
    if (status != PAWL_OK)
        return status;
    return pawl_store_entry_by_number(registry, number, entry, fault);
}

void pawl_store_entries_finish(pawl_store_registry *registry)
{
    pawl_store_entry *entry;
    while ((entry = RB_MIN(pawl_store_number_tree, &registry->by_number)) != NULL) {
        RB_REMOVE(pawl_store_number_tree, &registry->by_number, entry);
        free(entry);
    }
}
