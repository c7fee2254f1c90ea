/* resident/explain.c: what a process that this worker holds is doing now, in words. Under the shard's table_lock, for
 * others ask while the shard's thread works; looks, and changes nothing. */
#include "internal.h"

#include <stdio.h>

static void explain_calls(const pawl_resident *r, char *text, size_t room)
{
    uint64_t now = resident_mono_now(r);
    size_t count = 0;
    for (const pawl_running *running = r->calls; running != NULL; running = running->next)
        count++;
    const pawl_call *call = r->calls->call;
    uint64_t started = atomic_load(&call->started_mono_ns);
    uint64_t undoes = atomic_load_explicit(&r->undoes, memory_order_relaxed);
    if (undoes >> 32 != 0) {
        int used = snprintf(text, room, "undoes step %u of %u: ", (unsigned)(undoes >> 32), (unsigned)undoes);
        size_t skip = used > 0 && (size_t)used < room ? (size_t)used : 0;
        text += skip;
        room -= skip;
    }
    if (started == 0) {
        snprintf(text, room, "waits for a thread to run %s (attempt %u)", call->effect->name, call->abi.attempt);
        return;
    }
    uint64_t since = now > started ? now - started : 0;
    bool late = call->timeout_ns != 0 && since > call->timeout_ns;
    int used = snprintf(text, room, "%s %s, attempt %u, for %.1f s%s", call->reconcile ? "reconciles" : "runs",
                        call->effect->name, call->abi.attempt, (double)since / 1e9,
                        late ? " (past its deadline, and it has not stopped)" : "");
    if (count > 1 && used > 0 && (size_t)used < room)
        snprintf(text + used, room - (size_t)used, ", and %zu more", count - 1);
}

bool pawl_resident_explain(pawl_shard *shard, uint64_t number, char *text, size_t room)
{
    pthread_mutex_lock(&shard->table_lock);
    pawl_resident *r = *pawl_resident_find(shard, number);
    uint32_t children = r == NULL ? 0 : atomic_load_explicit(&r->waits_children, memory_order_relaxed);
    if (r != NULL && r->calls != NULL)
        explain_calls(r, text, room);
    else if (r != NULL && pawl_resident_is_paused(r))
        snprintf(text, room, "is paused, and is being put away");
    else if (r != NULL && r->held[0] != '\0')
        snprintf(text, room, "waits for %s", r->held);
    else if (children > 0)
        snprintf(text, room, "waits for %u of its children to end, and then ends as cancelled", children);
    else if (r != NULL && r->foreign)
        snprintf(text, room, "was registered under host profile %s and is left alone here",
                 (const char *)r->profile.data);
    else if (r != NULL && atomic_load_explicit(&r->recovery.back_off_unix_ns, memory_order_relaxed) != 0)
        snprintf(text, room, "backs off: %u workers in a row died while they ran it, the last one in %s",
                 atomic_load_explicit(&r->recovery.deaths, memory_order_relaxed), r->recovery.what);
    else if (r != NULL)
        snprintf(text, room, "is being activated or written");
    pthread_mutex_unlock(&shard->table_lock);
    return r != NULL;
}
