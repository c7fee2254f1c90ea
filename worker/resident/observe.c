/* resident/observe.c: what observers are told of a process, in the words of pawl.observer/1. Changes nothing of it, and
 * keeps nothing. */
#include "internal.h"

bool pawl_resident_observed(const pawl_resident *r, uint32_t kind)
{
    return pawl_observers_want(r->worker->config.observers, kind);
}

void pawl_resident_tell(pawl_resident *r, pawl_observation *what)
{
    what->struct_size = sizeof *what;
    what->time_unix_ns = resident_unix_now(r);
    what->process = r->id;
    what->type = r->type;
    what->session = r->session;
    if (what->run == 0)
        what->run = r->run;
    pawl_shard *shard = r->shard; /* for the watchdog, as if it were an inline effect */
    const char *inside = atomic_load_explicit(&shard->running_plugin, memory_order_relaxed);
    bool runs = atomic_load_explicit(&shard->running_since_mono_ns, memory_order_relaxed) != 0;
    if (!runs)
        pawl_resident_runs(r, NULL);
    pawl_observers_tell(r->worker->config.observers, what, &shard->running_plugin);
    if (runs)
        atomic_store_explicit(&shard->running_plugin, inside, memory_order_relaxed);
    else
        pawl_resident_ran(r);
}

void pawl_resident_tell_plain(pawl_resident *r, uint32_t kind)
{
    pawl_observation what = {.kind = kind};
    if (pawl_resident_observed(r, kind))
        pawl_resident_tell(r, &what);
}

void pawl_resident_tell_ran(pawl_resident *r, uint64_t began_mono_ns)
{
    uint64_t now = resident_mono_now(r);
    pawl_observation what = {.kind = PAWL_OBSERVED_ACTIVATED,
                             .duration_ns = now > began_mono_ns ? now - began_mono_ns : 0};
    if (r->result.kind == PAWL_RUN_SUSPENDED) {
        what.status = PAWL_SUSPEND;
    } else if (r->result.kind == PAWL_RUN_STUCK ||
               (r->result.kind == PAWL_RUN_ENDED && r->result.status != PAWL_COMPLETED)) {
        what.status = PAWL_E_FAILED;
        what.failure = r->result.kind == PAWL_RUN_ENDED ? &r->result.failure : NULL;
    }
    pawl_resident_tell(r, &what);
}

void pawl_resident_tell_begun(pawl_resident *r, const pawl_call *call)
{
    pawl_observation what = {.kind = PAWL_OBSERVED_CALL_BEGAN,
                             .attempt = call->abi.attempt,
                             .ordinal = call->ordinal,
                             .effect = pawl_bytes_text(call->effect->name),
                             .flags = call->reconcile ? PAWL_OBSERVED_RECONCILE : 0};
    if (pawl_resident_observed(r, what.kind))
        pawl_resident_tell(r, &what);
}

void pawl_resident_tell_call_ended(pawl_resident *r, const pawl_shard *shard, const pawl_call *call)
{
    const pawl_worker_config *config = &shard->worker->config;
    if (!pawl_observers_want(config->observers, PAWL_OBSERVED_CALL_ENDED))
        return;
    uint64_t started = atomic_load(&call->started_mono_ns), now = config->clock->mono_ns(config->clock);
    pawl_observation what = {.struct_size = sizeof what,
                             .kind = PAWL_OBSERVED_CALL_ENDED,
                             .attempt = call->abi.attempt,
                             .ordinal = call->ordinal,
                             .effect = pawl_bytes_text(call->effect->name),
                             .duration_ns = started != 0 && now > started ? now - started : 0,
                             .status = call->status,
                             .failure = call->why.set ? &call->why.failure : NULL,
                             .flags = call->reconcile ? PAWL_OBSERVED_RECONCILE : 0};
    if (r != NULL) {
        pawl_resident_tell(r, &what);
        return;
    }
    what.process = call->context.process;
    what.time_unix_ns = config->clock->unix_ns(config->clock);
    pawl_observers_tell(config->observers, &what, NULL);
}

void pawl_resident_tell_retry(pawl_resident *r, const pawl_open_call *open, uint32_t attempt,
                              const pawl_failure *failure, uint64_t due_unix_ns)
{
    pawl_observation what = {.kind = PAWL_OBSERVED_RETRY,
                             .attempt = attempt,
                             .ordinal = open->ordinal,
                             .effect = open->name,
                             .due_unix_ns = due_unix_ns,
                             .failure = failure};
    if (pawl_resident_observed(r, what.kind))
        pawl_resident_tell(r, &what);
}

/* What an operation has made durable, before anything of the process is forgotten. */
void pawl_resident_tell_committed(pawl_resident *r, const pawl_registry_op *op)
{
    bool whole = op->status == PAWL_OK && (op->flags & PAWL_RESULT_MORE) == 0;
    pawl_failure parked = {.struct_size = sizeof parked,
                           .klass = PAWL_TERMINAL,
                           .code = pawl_bytes_text(r->park_code),
                           .message = pawl_bytes_text(r->park_reason)};
    pawl_observation what = {.kind = 0};
    if (op->kind == PAWL_OP_COMPLETE && whole) {
        what.kind = PAWL_OBSERVED_ENDED;
        what.process_status = r->commit.status;
        what.failure = r->commit.status == PAWL_COMPLETED ? NULL : &r->result.failure;
    } else if (op->kind == PAWL_OP_SUSPEND && whole) {
        what.kind = PAWL_OBSERVED_SUSPENDED;
        what.due_unix_ns = r->commit.wake_unix_ns;
    } else if (op->kind == PAWL_OP_CONTINUE && whole) {
        what.kind = PAWL_OBSERVED_CONTINUED;
        what.run = r->run + 1;
    } else if (op->kind == PAWL_OP_PARK && op->status == PAWL_OK) {
        what.kind = PAWL_OBSERVED_PARKED;
        what.failure = &parked;
    }
    if (what.kind != 0 && pawl_resident_observed(r, what.kind))
        pawl_resident_tell(r, &what);
}
