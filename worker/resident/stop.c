/* resident/stop.c: attempts that are to end before they do so by themselves: because of a cancel, a timeout or
 * deadline, or because their process goes. It only asks: how they ended is told like any other end. Must never take a
 * call for over that a plugin still has. */
#include "internal.h"

/* One that has not begun ends now, and its end comes as a message like any other. */
static void stop_call(pawl_worker *worker, pawl_running *running)
{
    pawl_cancel_ask(&running->call->cancel);
    (void)pawl_effect_pool_withdraw(worker->pool, running->call);
}

void pawl_resident_cancel_calls(pawl_resident *r)
{
    for (pawl_running *running = r->calls; running != NULL; running = running->next) {
        running->stop_asked = true;
        stop_call(r->worker, running);
    }
}

void pawl_resident_cancel_program_calls(pawl_resident *r)
{
    uint64_t last = pawl_activation_program_ordinal(r->activation);
    for (pawl_running *running = r->calls; running != NULL; running = running->next) {
        if (running->call->ordinal > last)
            continue;
        running->stop_asked = true;
        stop_call(r->worker, running);
    }
}

void pawl_resident_detach_calls(pawl_resident *r)
{
    pthread_mutex_lock(&r->shard->table_lock);
    pawl_running *running = r->calls;
    r->calls = NULL;
    pthread_mutex_unlock(&r->shard->table_lock);
    while (running != NULL) {
        pawl_running *next = running->next;
        running->next = NULL;
        running->resident = NULL;
        stop_call(r->worker, running);
        running = next;
    }
}

/* One whose thread has not come is over as soon as its own deadline is. UINT64_MAX: it has none. */
static uint64_t deadline_of_running(const pawl_call *call, uint64_t now_mono_ns)
{
    uint64_t started = atomic_load(&call->started_mono_ns), deadline = UINT64_MAX;
    if (call->timeout_ns != 0) /* not begun: look again then */
        deadline = (started == 0 ? now_mono_ns : started) + call->timeout_ns;
    return call->until_mono_ns != 0 && call->until_mono_ns < deadline ? call->until_mono_ns : deadline;
}

uint64_t pawl_resident_call_deadlines(pawl_resident *r, uint64_t now_mono_ns)
{
    uint64_t next = UINT64_MAX;
    for (pawl_running *running = r->calls; running != NULL; running = running->next) {
        if (running->deadline_told)
            continue;
        uint64_t deadline = deadline_of_running(running->call, now_mono_ns);
        if (deadline <= now_mono_ns) {
            running->deadline_told = true;
            stop_call(r->worker, running);
        } else if (deadline < next) {
            next = deadline;
        }
    }
    return next;
}
