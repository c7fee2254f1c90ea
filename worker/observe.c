/* observe.c: see observe.h. Whoever is told is trusted with the thread for a moment; this is what takes it back from an
 * observer that keeps it. It must never let one observer's trouble keep another from being told. */
#include "observe.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>

#define WARN_AGAIN_NS (10 * PAWL_NS_PER_SECOND)

static void find_wanted(pawl_observers *observers)
{
    uint64_t wanted = 0;
    for (size_t i = 0; i < observers->count; i++)
        if (!atomic_load_explicit(&observers->entries[i].left_out, memory_order_relaxed))
            wanted |= observers->entries[i].wants;
    atomic_store_explicit(&observers->wanted, wanted, memory_order_relaxed);
}

bool pawl_observers_add(pawl_observers *observers, const pawl_observer_table *table, pawl_observer *observer,
                        const char *plugin, uint64_t wants, uint64_t slow_ns)
{
    if (observers->count == PAWL_OBSERVERS_MAX)
        return false;
    pawl_observer_entry *entry = &observers->entries[observers->count++];
    entry->table = table;
    entry->observer = observer;
    entry->plugin = plugin;
    entry->wants = wants;
    entry->slow_ns = slow_ns;
    find_wanted(observers);
    return true;
}

static void leave_out(pawl_observers *observers, pawl_observer_entry *entry)
{
    char slow[24], told[24];
    if (atomic_exchange(&entry->left_out, true))
        return;
    find_wanted(observers);
    snprintf(slow, sizeof slow, "%" PRIu64, (uint64_t)atomic_load(&entry->slow));
    snprintf(told, sizeof told, "%" PRIu64, (uint64_t)atomic_load(&entry->told));
    pawl_log_write(observers->log, PAWL_LOG_ERROR,
                   "an observer was too slow too often: it is told nothing more until the host starts again", "plugin",
                   entry->plugin, "slow_calls", slow, "calls", told, (char *)NULL);
}

static void report(pawl_observers *observers, pawl_observer_entry *entry, uint64_t now_mono_ns, uint64_t took_ns)
{
    uint64_t last = atomic_load_explicit(&entry->warned_mono_ns, memory_order_relaxed);
    bool due = last == 0 || now_mono_ns - last >= WARN_AGAIN_NS;
    if (!due || !atomic_compare_exchange_strong(&entry->warned_mono_ns, &last, now_mono_ns == 0 ? 1 : now_mono_ns))
        return;
    char took[32], most[32];
    snprintf(took, sizeof took, "%.3f", (double)took_ns / 1e6);
    snprintf(most, sizeof most, "%.3f", (double)entry->slow_ns / 1e6);
    pawl_log_write(observers->log, PAWL_LOG_WARN, "an observer is slow, and holds up the worker", "plugin",
                   entry->plugin, "milliseconds", took, "at_most", most, (char *)NULL);
}

static void judge(pawl_observers *observers, pawl_observer_entry *entry, uint64_t now_mono_ns, uint64_t took_ns)
{
    atomic_fetch_add_explicit(&entry->told, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&entry->total_ns, took_ns, memory_order_relaxed);
    uint64_t longest = atomic_load_explicit(&entry->longest_ns, memory_order_relaxed);
    while (took_ns > longest && !atomic_compare_exchange_weak(&entry->longest_ns, &longest, took_ns)) {
    }
    if (took_ns > entry->slow_ns) {
        atomic_fetch_add_explicit(&entry->slow, 1, memory_order_relaxed);
        report(observers, entry, now_mono_ns, took_ns);
        if (atomic_fetch_add(&entry->strikes, 1) + 1 >= PAWL_OBSERVER_STRIKES)
            leave_out(observers, entry);
        return;
    }
    unsigned strikes = atomic_load_explicit(&entry->strikes, memory_order_relaxed);
    if (strikes == 0 || atomic_fetch_add_explicit(&entry->quick, 1, memory_order_relaxed) % PAWL_OBSERVER_FORGIVEN !=
                            PAWL_OBSERVER_FORGIVEN - 1)
        return;
    (void)atomic_compare_exchange_strong(&entry->strikes, &strikes, strikes - 1); /* else: another time */
}

void pawl_observers_tell(pawl_observers *observers, const pawl_observation *observation, const char *_Atomic *naming)
{
    for (size_t i = 0; i < observers->count; i++) {
        pawl_observer_entry *entry = &observers->entries[i];
        if ((entry->wants >> observation->kind & 1) == 0 ||
            atomic_load_explicit(&entry->left_out, memory_order_relaxed))
            continue;
        if (naming != NULL)
            atomic_store_explicit(naming, entry->plugin, memory_order_relaxed);
        uint64_t begun = observers->clock->mono_ns(observers->clock);
        entry->table->observe(entry->observer, observation);
        uint64_t now = observers->clock->mono_ns(observers->clock);
        judge(observers, entry, now, now > begun ? now - begun : 0);
    }
}

void pawl_observer_look(const pawl_observer_entry *entry, pawl_observer_view *ret)
{
    *ret = (pawl_observer_view){.told = atomic_load(&entry->told),
                                .slow = atomic_load(&entry->slow),
                                .total_ns = atomic_load(&entry->total_ns),
                                .longest_ns = atomic_load(&entry->longest_ns),
                                .left_out = atomic_load(&entry->left_out)};
}
