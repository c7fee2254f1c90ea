/* lab_effect.c: effects that do what their script says, and the notes of what was executed. Runs on threads of workers
 * and on its own; asserts nothing. */
#include "lab_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#define LOOK_NS (2 * PAWL_NS_PER_MS) /* how often a held effect looks whether it should stop */

/* What an execution comes to. */
typedef struct answer {
    pawl_status status;
    pawl_failure failure;
    size_t output_size;
    char text[512];
} answer;

void lab_lock(lab *own)
{
    pthread_mutex_lock(&own->lock);
}

void lab_unlock(lab *own)
{
    pthread_cond_broadcast(&own->changed);
    pthread_mutex_unlock(&own->lock);
}

/* ---- notes ---- */

static void copy_text(char *to, size_t room, pawl_bytes from)
{
    snprintf(to, room, "%.*s", (int)from.size, (const char *)from.data);
}

/* NULL: its worker is dead, so that this never happened. Locked. A note never moves: the array is made once. */
static lab_execution *note(lab_effect *effect, const pawl_effect_call *call, bool reconcile)
{
    lab *own = effect->own;
    const lab_worker *worker =
        (const lab_worker *)(const void *)((const char *)call->host - offsetof(lab_worker, root));
    if (worker->crashed)
        return NULL;
    if (own->execution_count == LAB_EXECUTIONS_MAX)
        abort(); /* a test that outgrew the lab */
    lab_execution *execution = &own->executions[own->execution_count++];
    copy_text(execution->effect, sizeof execution->effect, pawl_bytes_text(effect->name));
    copy_text(execution->key, sizeof execution->key, call->idempotency_key);
    execution->attempt = call->attempt;
    execution->reconcile = reconcile;
    execution->begin_unix_ns = lab_unix_ns(own);
    execution->worker = worker->index;
    execution->input_hash = XXH3_64bits(call->input.size == 0 ? "" : call->input.data, call->input.size);
    execution->begin_order = lab_order(own);
    /* After that: who is not told yet has begun before whatever comes after it is told. */
    execution->told_at_once = pawl_core_table()->cancel_requested(call->cancel) != 0;
    execution->deadline_mono_ns = call->deadline_mono_ns;
    if (reconcile)
        effect->reconciles++;
    else
        effect->executions++;
    effect->running++;
    if (effect->running > effect->running_peak)
        effect->running_peak = effect->running;
    return execution;
}

static void note_end(lab_effect *effect, lab_execution *execution)
{
    execution->ended = true;
    execution->end_unix_ns = lab_unix_ns(effect->own);
    execution->end_order = lab_order(effect->own);
    effect->running--;
    pthread_cond_broadcast(&effect->own->changed);
}

/* ---- what it comes to ---- */

static void fail_as(answer *ret, const lab_effect *effect, uint32_t klass, const char *code)
{
    ret->status = PAWL_E_FAILED;
    ret->failure = (pawl_failure){.struct_size = sizeof ret->failure,
                                  .klass = klass,
                                  .code = pawl_bytes_text(code),
                                  .message = pawl_bytes_text("as scripted"),
                                  .retry_after_ns = effect->retry_after_ns};
}

/* Wait at the gate, unless told to stop. True: told. Locked. */
static bool at_gate(lab_effect *effect, const pawl_effect_call *call, lab_execution *execution)
{
    lab *own = effect->own;
    const pawl_core *core = pawl_core_table();
    pthread_cond_broadcast(&own->changed);
    while (effect->held) {
        execution->told_to_stop = core->cancel_requested(call->cancel) != 0;
        if (execution->told_to_stop && !effect->deaf)
            return true;
        lab_wait(&own->changed, &own->lock, LOOK_NS);
    }
    execution->told_to_stop = core->cancel_requested(call->cancel) != 0;
    return false;
}

static void decide(lab_effect *effect, const pawl_effect_call *call, lab_execution *execution, answer *ret)
{
    *ret = (answer){.status = PAWL_OK, .output_size = effect->output_size};
    snprintf(ret->text, sizeof ret->text, "%s(%.*s)", effect->name, (int)call->input.size,
             (const char *)call->input.data);
    pthread_mutex_lock(&effect->own->lock);
    if (at_gate(effect, call, execution)) {
        fail_as(ret, effect, effect->klass == 0 ? PAWL_RETRYABLE : effect->klass, "lab.stopped");
        ret->status = PAWL_E_CANCELLED;
    } else if (effect->fail_times > 0) {
        effect->fail_times--;
        fail_as(ret, effect, effect->klass == 0 ? PAWL_RETRYABLE : effect->klass,
                effect->code == NULL ? "lab.failed" : effect->code);
    } else if (effect->answer != 0) {
        ret->status = effect->answer;
    }
    note_end(effect, execution);
    pthread_mutex_unlock(&effect->own->lock);
}

static lab_effect *of_instance(pawl_connector *instance)
{
    return (lab_effect *)(void *)instance;
}

static pawl_status write_out(const answer *what, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_table();
    if (what->status != PAWL_OK) {
        if (what->failure.struct_size != 0)
            core->fail(why, &what->failure);
        return what->status;
    }
    if (what->output_size == 0) {
        core->sink_write(out, what->text, strlen(what->text));
        return PAWL_OK;
    }
    char block[1024];
    memset(block, 'x', sizeof block);
    for (size_t left = what->output_size; left > 0;) {
        size_t size = left < sizeof block ? left : sizeof block;
        core->sink_write(out, block, size);
        left -= size;
    }
    return PAWL_OK;
}

static pawl_status PAWL_CALL invoke(pawl_connector *instance, const pawl_effect_call *call, pawl_sink *out,
                                    pawl_failure_sink *why)
{
    lab_effect *effect = of_instance(instance);
    answer what;
    pthread_mutex_lock(&effect->own->lock);
    lab_execution *execution = note(effect, call, false);
    pthread_mutex_unlock(&effect->own->lock);
    if (execution == NULL)
        return PAWL_E_CANCELLED;
    decide(effect, call, execution, &what);
    return write_out(&what, out, why);
}

/* ---- asynchronous ---- */

typedef struct started {
    lab_effect *effect;
    const pawl_effect_call *call;
    pawl_completion *done;
    lab_execution *execution;
} started;

static void *completing(void *argument)
{
    started *own = argument;
    lab *place = own->effect->own;
    answer what;
    decide(own->effect, own->call, own->execution, &what);
    pawl_bytes result = {what.text, strlen(what.text)};
    char *big = NULL;
    if (what.output_size > 0 && (big = calloc(1, what.output_size)) != NULL)
        result = (pawl_bytes){big, what.output_size};
    pawl_core_table()->complete(own->done, what.status, result, what.failure.struct_size != 0 ? &what.failure : NULL);
    free(big);
    free(own);
    pthread_mutex_lock(&place->lock);
    place->asynchronous--;
    pthread_cond_broadcast(&place->changed);
    pthread_mutex_unlock(&place->lock);
    return NULL;
}

static pawl_status PAWL_CALL start(pawl_connector *instance, const pawl_effect_call *call, pawl_completion *done,
                                   pawl_failure_sink *why)
{
    (void)why;
    lab_effect *effect = of_instance(instance);
    started *own = calloc(1, sizeof *own);
    if (own == NULL)
        return PAWL_E_NOMEM;
    pthread_mutex_lock(&effect->own->lock);
    *own = (started){effect, call, done, note(effect, call, false)};
    bool dead = own->execution == NULL;
    if (!dead)
        effect->own->asynchronous++;
    pthread_mutex_unlock(&effect->own->lock);
    if (dead) {
        free(own);
        return PAWL_E_CANCELLED;
    }
    pthread_t thread;
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &detached, completing, own) != 0)
        abort();
    pthread_attr_destroy(&detached);
    return PAWL_PENDING;
}

static pawl_status PAWL_CALL reconcile(pawl_connector *instance, const pawl_effect_call *call, pawl_sink *out,
                                       pawl_failure_sink *why)
{
    lab_effect *effect = of_instance(instance);
    answer what = {.status = PAWL_OK};
    snprintf(what.text, sizeof what.text, "reconciled(%.*s)", (int)call->input.size, (const char *)call->input.data);
    pthread_mutex_lock(&effect->own->lock);
    lab_execution *execution = note(effect, call, true);
    if (execution == NULL)
        what.status = PAWL_E_CANCELLED;
    else if (effect->reconcile == LAB_DID_NOT_HAPPEN)
        what.status = PAWL_E_NOT_FOUND;
    else if (effect->reconcile == LAB_CANNOT_TELL)
        fail_as(&what, effect, PAWL_RETRYABLE, "lab.cannot_tell");
    if (execution != NULL)
        note_end(effect, execution);
    pthread_mutex_unlock(&effect->own->lock);
    return write_out(&what, out, why);
}

const pawl_connector_table *lab_effect_table(bool with_reconcile)
{
    static const pawl_connector_table full = {
        .struct_size = sizeof full, .invoke = invoke, .start = start, .reconcile = reconcile};
    static const pawl_connector_table plain = {.struct_size = sizeof plain, .invoke = invoke, .start = start};
    return with_reconcile ? &full : &plain;
}

/* ---- the test's side ---- */

lab_effect *lab_add(lab *own, const lab_effect *script)
{
    assert_true(own->effect_count < LAB_EFFECTS_MAX);
    lab_effect *effect = &own->effects[own->effect_count++];
    *effect = *script;
    effect->own = own;
    if (effect->retry.attempts_max == 0)
        effect->retry = (pawl_retry_policy){.attempts_max = 5,
                                            .first_delay_ns = PAWL_NS_PER_MS,
                                            .factor = 1,
                                            .delay_max_ns = PAWL_NS_PER_SECOND,
                                            .elapsed_max_ns = 3600 * PAWL_NS_PER_SECOND,
                                            .pause_when_exhausted = script->retry.pause_when_exhausted};
    return effect;
}

void lab_let_go(lab_effect *effect)
{
    LAB_SCRIPT(effect, held = false);
}

static uint32_t read_count(lab_effect *effect, const uint32_t *count)
{
    pthread_mutex_lock(&effect->own->lock);
    uint32_t value = *count;
    pthread_mutex_unlock(&effect->own->lock);
    return value;
}

uint32_t lab_executions(lab_effect *effect)
{
    return read_count(effect, &effect->executions);
}

uint32_t lab_running(lab_effect *effect)
{
    return read_count(effect, &effect->running);
}

void lab_wait_executions(lab_effect *effect, uint32_t count)
{
    LAB_UNTIL(effect->own, lab_executions(effect) >= count);
}

void lab_wait_running(lab_effect *effect, uint32_t count)
{
    LAB_UNTIL(effect->own, lab_running(effect) == count);
}

lab_execution lab_execution_of(lab_effect *effect, uint32_t index)
{
    lab *own = effect->own;
    lab_execution found = {0};
    bool is = false;
    pthread_mutex_lock(&own->lock);
    for (size_t i = 0; i < own->execution_count && !is; i++)
        if (strcmp(own->executions[i].effect, effect->name) == 0 && index-- == 0) {
            found = own->executions[i];
            is = true;
        }
    pthread_mutex_unlock(&own->lock);
    if (!is)
        fail_msg("%s was not executed that often", effect->name);
    return found;
}
