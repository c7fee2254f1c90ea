/* resident/watch.c: what holds up a shard right now, for the watchdog: which process, whose code, since when. Written
 * by the shard with plain stores, read by the heart; must never make a shard wait for more than a look at its table. */
#include "internal.h"

#include <stdio.h>

void pawl_resident_runs(pawl_resident *r, const char *plugin)
{
    pawl_shard *shard = r->shard;
    atomic_store_explicit(&shard->running_number, r->number, memory_order_relaxed);
    atomic_store_explicit(&shard->running_plugin, plugin, memory_order_relaxed);
    atomic_store_explicit(&shard->running_since_mono_ns, resident_mono_now(r), memory_order_relaxed);
}

void pawl_resident_ran(pawl_resident *r)
{
    atomic_store_explicit(&r->shard->running_since_mono_ns, 0, memory_order_relaxed);
}

/* The id of what runs; its number when it is not held any more. */
static void name_process(pawl_shard *shard, uint64_t number, char *text, size_t room)
{
    pthread_mutex_lock(&shard->table_lock);
    const pawl_resident *r = *pawl_resident_find(shard, number);
    if (r != NULL)
        snprintf(text, room, "%.*s", (int)r->id.size, (const char *)r->id.data);
    else
        snprintf(text, room, "number %llu", (unsigned long long)number);
    pthread_mutex_unlock(&shard->table_lock);
}

void pawl_resident_watch(pawl_shard *shard, uint64_t now_mono_ns)
{
    const pawl_worker_config *config = &shard->worker->config;
    uint64_t since = atomic_load_explicit(&shard->running_since_mono_ns, memory_order_relaxed);
    if (since == 0 || now_mono_ns < since || now_mono_ns - since < config->activation_warn_ns)
        return;
    const char *plugin = atomic_load_explicit(&shard->running_plugin, memory_order_relaxed);
    char id[257], seconds[32];
    name_process(shard, atomic_load_explicit(&shard->running_number, memory_order_relaxed), id, sizeof id);
    snprintf(seconds, sizeof seconds, "%.1f", (double)(now_mono_ns - since) / 1e9);
    pawl_log_write(config->log, PAWL_LOG_WARN, "process code or an inline effect runs too long and holds up its shard",
                   "process", id, "plugin", plugin == NULL ? "?" : plugin, "seconds", seconds, (char *)NULL);
}
