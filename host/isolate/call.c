/* call.c: calls of isolated plugins, from the worker's request to the one end that each is told. What was not sent has
 * not begun: it outlives the death of a process, and can be taken back. */
#include "isolate_internal.h"

#include "worker/effect/cancel.h"
#include "worker/effect/core_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_MASK (ISOLATE_CALLS_MAX - 1)

/* ---- the table ---- */

static bool grow(pawl_isolated *plugin)
{
    uint32_t count = plugin->slot_count == 0 ? 64 : plugin->slot_count * 2;
    if (count > ISOLATE_CALLS_MAX)
        return false;
    isolated_call **slots = realloc(plugin->slots, count * sizeof *slots);
    if (slots == NULL)
        return false;
    plugin->slots = slots;
    uint32_t *free_slots = realloc(plugin->free_slots, count * sizeof *free_slots);
    if (free_slots == NULL)
        return false;
    plugin->free_slots = free_slots;
    for (uint32_t i = count; i-- > plugin->slot_count;) {
        slots[i] = NULL;
        free_slots[plugin->free_count++] = i;
    }
    plugin->slot_count = count;
    return true;
}

static bool enter(pawl_isolated *plugin, isolated_call *call)
{
    if (plugin->free_count == 0 && !grow(plugin))
        return false;
    uint32_t slot = plugin->free_slots[--plugin->free_count];
    plugin->slots[slot] = call;
    call->id = ++plugin->generation * ISOLATE_CALLS_MAX + slot;
    return true;
}

isolated_call *pawl_isolated_find(const pawl_isolated *plugin, uint64_t id)
{
    uint32_t slot = (uint32_t)(id & SLOT_MASK);
    isolated_call *call = slot < plugin->slot_count ? plugin->slots[slot] : NULL;
    return call != NULL && call->id == id ? call : NULL;
}

static bool blocks(const isolated_call *call)
{
    return call->deed != WIRE_START;
}

static void push(pawl_isolated *plugin, isolated_call *call)
{
    call_list *list = &plugin->pending[blocks(call)];
    call->pending = true;
    call->next = NULL;
    if (list->first == NULL)
        list->first = call;
    else
        list->last->next = call;
    list->last = call;
    plugin->pending_count++;
}

static void unlist(pawl_isolated *plugin, isolated_call *call)
{
    call_list *list = &plugin->pending[blocks(call)];
    isolated_call *before = NULL;
    for (isolated_call *at = list->first; at != call; at = at->next)
        before = at;
    if (before == NULL)
        list->first = call->next;
    else
        before->next = call->next;
    if (list->last == call)
        list->last = before;
    call->pending = false;
    plugin->pending_count--;
}

void pawl_isolated_take(pawl_isolated *plugin, isolated_call *call)
{
    uint32_t slot = (uint32_t)(call->id & SLOT_MASK);
    plugin->slots[slot] = NULL;
    plugin->free_slots[plugin->free_count++] = slot;
    if (call->pending)
        unlist(plugin, call);
    if (call->guest != NULL) {
        call->guest->running--;
        call->guest->blocking -= blocks(call);
        call->guest->has_ended_one = true;
    }
    if (call->uploads > 0)
        pawl_relay_abandon(plugin, call->id);
}

/* ---- sending ---- */

static guest *choose(pawl_isolated *plugin, bool blocking)
{
    guest *best = NULL;
    for (uint32_t i = 0; i < plugin->guest_count; i++) {
        guest *g = &plugin->guests[i];
        bool free = g->state == GUEST_READY && (!blocking || g->blocking < plugin->isolation->config.threads);
        if (free && (best == NULL || g->running < best->running))
            best = g;
    }
    return best;
}

static void send_cancel(const isolated_call *call)
{
    pawl_isolated *plugin = call->guest->plugin;
    pawl_wire_bare(&plugin->scratch, WIRE_CANCEL, call->id, (pawl_bytes){"", 0});
    pawl_guest_send(call->guest, (pawl_bytes){"", 0});
}

static void send_call(guest *g, isolated_call *call)
{
    const pawl_effect_call *abi = call->abi;
    const wire_call wire = {.instance = call->instance,
                            .deed = call->deed,
                            .attempt = abi->attempt,
                            .deadline_mono_ns = abi->deadline_mono_ns,
                            .operation = abi->operation,
                            .key = abi->idempotency_key,
                            .trace = abi->trace_context,
                            .input = abi->input};
    call->guest = g;
    g->running++;
    g->blocking += blocks(call);
    pawl_wire_call(&g->plugin->scratch, call->id, &wire);
    pawl_guest_send(g, wire.input);
}

void pawl_isolated_dispatch(pawl_isolated *plugin)
{
    for (int kind = 0; kind < 2; kind++)
        while (plugin->pending[kind].first != NULL) {
            guest *g = choose(plugin, kind == 1);
            if (g == NULL)
                break;
            isolated_call *call = plugin->pending[kind].first;
            unlist(plugin, call);
            send_call(g, call);
        }
}

bool pawl_isolated_is_unavailable(const pawl_isolated *plugin)
{
    for (uint32_t i = 0; i < plugin->guest_count; i++) {
        const guest *g = &plugin->guests[i];
        if (g->state == GUEST_READY || (g->rapid < ISOLATE_RAPID_MAX && !plugin->ending))
            return false;
    }
    return true;
}

/* ---- ends ---- */

static void tell(isolated_call *call, pawl_status status, pawl_bytes output, const pawl_failure *failure,
                 pawl_isolated *plugin)
{
    if (call->done != NULL) {
        call->done->complete(call->done, status, output, failure);
        free(call);
        return;
    }
    if (status == PAWL_OK && call->out != NULL)
        (void)pawl_sink_write(call->out, output.data, output.size);
    else if (status != PAWL_OK && failure != NULL && call->why != NULL)
        pawl_failure_tell(call->why, failure);
    pthread_mutex_lock(&plugin->lock);
    call->status = status;
    call->is_over = true;
    pthread_cond_signal(&call->over);
    pthread_mutex_unlock(&plugin->lock);
}

void pawl_isolated_fail(pawl_isolated *plugin, isolated_call *call, uint32_t klass, const char *code,
                        uint64_t retry_after_ns, const char *message)
{
    pawl_failure failure = {.struct_size = sizeof failure,
                            .klass = klass,
                            .code = pawl_bytes_text(code),
                            .message = pawl_bytes_text(message),
                            .retry_after_ns = retry_after_ns};
    tell(call, PAWL_E_FAILED, (pawl_bytes){"", 0}, &failure, plugin);
}

void pawl_isolated_end(pawl_isolated *plugin, isolated_call *call, const wire_end *end)
{
    char message[300];
    pawl_failure failure;
    pawl_status status = end->status;
    bool said = pawl_wire_failure(end, &failure);
    if (status == PAWL_OK && (end->flags & WIRE_OVER) != 0) {
        snprintf(message, sizeof message, "plugin %s, %.*s: the result is larger than the limit of %llu bytes",
                 plugin->request.manifest->id, (int)call->abi->operation.size, (const char *)call->abi->operation.data,
                 (unsigned long long)plugin->isolation->config.output_max);
        failure = (pawl_failure){.struct_size = sizeof failure,
                                 .klass = PAWL_TERMINAL,
                                 .code = pawl_bytes_text("effect.output_too_large"),
                                 .message = pawl_bytes_text(message)};
        status = PAWL_E_LIMIT;
        said = true;
    } else if (status == PAWL_OK && (end->flags & WIRE_NO_MEMORY) != 0) {
        failure = (pawl_failure){.struct_size = sizeof failure,
                                 .klass = PAWL_UNKNOWN_OUTCOME,
                                 .code = pawl_bytes_text("effect.no_memory"),
                                 .message = pawl_bytes_text("no memory for the effect's result")};
        status = PAWL_E_NOMEM;
        said = true;
    }
    tell(call, status, end->output, said ? &failure : NULL, plugin);
}

static const char *code_of(const guest *g)
{
    return g->code[0] == '\0' ? "plugin.crashed" : g->code;
}

isolated_call *pawl_isolated_fell(guest *g)
{
    pawl_isolated *plugin = g->plugin;
    bool hopeless = pawl_isolated_is_unavailable(plugin);
    isolated_call *list = NULL;
    for (uint32_t i = 0; i < plugin->slot_count; i++) {
        isolated_call *call = plugin->slots[i];
        if (call == NULL || (call->guest != g && !(hopeless && call->pending)))
            continue;
        if (call->relays > 0) { /* who answers its question still looks at it */
            if (asprintf(&call->fallen, "plugin %s %s while it ran this call", plugin->request.manifest->id, g->why) <
                0)
                call->fallen = NULL;
            snprintf(call->fallen_code, sizeof call->fallen_code, "%s", code_of(g));
            g->running--;
            g->blocking -= blocks(call);
            call->guest = NULL;
            continue;
        }
        pawl_isolated_take(plugin, call);
        call->next = list;
        list = call;
    }
    return list;
}

void pawl_isolated_tell_fallen(pawl_isolated *plugin, isolated_call *list, const guest *g)
{
    char message[ISOLATE_WHY + 300];
    const char *id = plugin->request.manifest->id;
    uint64_t now = pawl_isolate_now();
    uint64_t later = g->due_mono_ns > now ? g->due_mono_ns - now : 0;
    for (isolated_call *next; list != NULL; list = next) {
        next = list->next;
        if (list->guest == NULL) {
            snprintf(message, sizeof message,
                     "plugin %s does not stay up: the last time it %s; it is started again in %llu ms", id, g->why,
                     (unsigned long long)(later / 1000000));
            pawl_isolated_fail(plugin, list, PAWL_RETRYABLE, "plugin.unavailable", later, message);
        } else {
            snprintf(message, sizeof message, "plugin %s %s while it ran this call; whether it happened is not known",
                     id, g->why);
            pawl_isolated_fail(plugin, list, PAWL_UNKNOWN_OUTCOME, code_of(g), 0, message);
        }
    }
}

/* ---- the wish to stop ---- */

/* The listener of a call's token. */
static void told(void *context, uint64_t id)
{
    pawl_isolated *plugin = context;
    isolated_call *unbegun = NULL;
    bool wake = false;
    pthread_mutex_lock(&plugin->lock);
    isolated_call *call = pawl_isolated_find(plugin, id);
    if (call != NULL && call->pending) {
        pawl_isolated_take(plugin, call);
        unbegun = call;
    } else if (call != NULL && call->guest != NULL && call->stop_by_mono_ns == 0) {
        call->stop_by_mono_ns = pawl_isolate_now() + plugin->isolation->config.grace_ns;
        if (call->stop_by_mono_ns < plugin->stop_look_mono_ns) {
            plugin->stop_look_mono_ns = call->stop_by_mono_ns;
            wake = true;
        }
        send_cancel(call);
    }
    pthread_mutex_unlock(&plugin->lock);
    if (wake)
        pawl_isolate_wake(plugin->isolation);
    if (unbegun != NULL) {
        pawl_failure failure = {.struct_size = sizeof failure,
                                .klass = PAWL_RETRYABLE,
                                .code = pawl_bytes_text("effect.not_begun"),
                                .message = pawl_bytes_text("it was asked to stop before it was begun")};
        tell(unbegun, PAWL_E_CANCELLED, (pawl_bytes){"", 0}, &failure, plugin);
    }
}

uint64_t pawl_isolated_stop_late(pawl_isolated *plugin, uint64_t now_mono_ns)
{
    if (plugin->stop_look_mono_ns > now_mono_ns)
        return plugin->stop_look_mono_ns;
    uint64_t next = UINT64_MAX;
    for (uint32_t i = 0; i < plugin->slot_count; i++) {
        const isolated_call *call = plugin->slots[i];
        if (call == NULL || call->guest == NULL || call->stop_by_mono_ns == 0)
            continue;
        if (call->stop_by_mono_ns <= now_mono_ns)
            pawl_guest_kill(call->guest, "plugin.hung",
                            "did not end a call (%.*s) within %llu ms of being asked to, and was killed",
                            (int)call->abi->operation.size, (const char *)call->abi->operation.data,
                            (unsigned long long)(plugin->isolation->config.grace_ns / 1000000));
        else if (call->stop_by_mono_ns < next)
            next = call->stop_by_mono_ns;
    }
    plugin->stop_look_mono_ns = next;
    return next;
}

/* ---- the worker's side ---- */

static uint32_t deed_of(const pawl_connector *instance, pawl_bytes operation)
{
    const pawl_manifest *manifest = instance->plugin->request.manifest;
    bool own = instance->number == WIRE_EFFECTS;
    const pawl_manifest_operation *operations = own ? manifest->effects : manifest->operations;
    size_t count = own ? manifest->effect_count : manifest->operation_count;
    for (size_t i = 0; i < count; i++)
        if (strlen(operations[i].name) == operation.size &&
            memcmp(operations[i].name, operation.data, operation.size) == 0)
            return operations[i].runs == PAWL_RUNS_ASYNC ? WIRE_START : WIRE_EXECUTE;
    return WIRE_EXECUTE;
}

/* When a guest will be tried next; 0: one is being tried now. */
static uint64_t next_start(const pawl_isolated *plugin, uint64_t now_mono_ns)
{
    uint64_t later = UINT64_MAX;
    for (uint32_t i = 0; i < plugin->guest_count; i++) {
        const guest *g = &plugin->guests[i];
        uint64_t due = g->state == GUEST_DOWN && g->due_mono_ns > now_mono_ns ? g->due_mono_ns - now_mono_ns : 0;
        later = due < later ? due : later;
    }
    return later;
}

static pawl_status refuse(pawl_isolated *plugin, pawl_failure_sink *why, bool full)
{
    uint64_t later = full ? 0 : next_start(plugin, pawl_isolate_now());
    char message[ISOLATE_WHY + 300];
    if (full)
        snprintf(message, sizeof message, "plugin %s: no memory for one more call, or %u are under way",
                 plugin->request.manifest->id, ISOLATE_CALLS_MAX);
    else
        snprintf(message, sizeof message,
                 "plugin %s does not stay up: the last time it %s; it is started again in %llu ms",
                 plugin->request.manifest->id, plugin->guests[0].why, (unsigned long long)(later / 1000000));
    pawl_failure failure = {.struct_size = sizeof failure,
                            .klass = PAWL_RETRYABLE,
                            .code = pawl_bytes_text("plugin.unavailable"),
                            .message = pawl_bytes_text(message),
                            .retry_after_ns = later};
    pawl_failure_tell(why, &failure);
    return PAWL_E_FAILED;
}

/* Begin it, or let it wait for a process. Not PENDING: it is not in the table, and was told why. */
static pawl_status begin(pawl_isolated *plugin, isolated_call *call, pawl_failure_sink *why)
{
    /* The context's token is the host's own; it calls without a lock of its own. */
    pawl_cancel_token *token = (pawl_cancel_token *)(uintptr_t)call->abi->cancel;
    pthread_mutex_lock(&plugin->lock);
    bool unavailable = pawl_isolated_is_unavailable(plugin);
    bool full = !unavailable && !enter(plugin, call);
    if (unavailable || full) {
        pawl_status status = refuse(plugin, why, full);
        pthread_mutex_unlock(&plugin->lock);
        return status;
    }
    plugin->calls_total++;
    guest *g = choose(plugin, blocks(call));
    if (g != NULL)
        send_call(g, call);
    else
        push(plugin, call);
    uint64_t id = call->id;
    bool asked = token != NULL && pawl_cancel_listen(token, told, plugin, id);
    pthread_mutex_unlock(&plugin->lock);
    if (asked)
        told(plugin, id);
    return PAWL_PENDING;
}

static pawl_status PAWL_CALL isolated_start(pawl_connector *instance, const pawl_effect_call *abi,
                                            pawl_completion *done, pawl_failure_sink *why)
{
    isolated_call *call = calloc(1, sizeof *call);
    if (call == NULL)
        return PAWL_E_NOMEM;
    call->abi = abi;
    call->done = done;
    call->instance = instance->number;
    call->deed = deed_of(instance, abi->operation);
    pawl_status status = begin(instance->plugin, call, why);
    if (status != PAWL_PENDING)
        free(call);
    return status;
}

static pawl_status PAWL_CALL isolated_reconcile(pawl_connector *instance, const pawl_effect_call *abi, pawl_sink *out,
                                                pawl_failure_sink *why)
{
    pawl_isolated *plugin = instance->plugin;
    isolated_call call = {.abi = abi, .instance = instance->number, .deed = WIRE_RECONCILE, .out = out, .why = why};
    pthread_cond_init(&call.over, NULL);
    pawl_status status = begin(plugin, &call, why);
    if (status == PAWL_PENDING) {
        pthread_mutex_lock(&plugin->lock);
        while (!call.is_over)
            pthread_cond_wait(&call.over, &plugin->lock);
        pthread_mutex_unlock(&plugin->lock);
        status = call.status;
    }
    pthread_cond_destroy(&call.over);
    return status;
}

const pawl_connector_table *pawl_isolated_table(void)
{
    static const pawl_connector_table table = {
        .struct_size = sizeof table, .start = isolated_start, .reconcile = isolated_reconcile};
    return &table;
}
