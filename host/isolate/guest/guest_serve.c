/* guest_serve.c: the host's wishes, one after the other, and the calls side by side. See guest.h for who reads. */
#include "guest.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the end of a call ---- */

static void forget(guest_call *call)
{
    guest *g = call->owner;
    pthread_mutex_lock(&g->lock);
    if (call->before == NULL)
        g->calls = call->next;
    else
        call->before->next = call->next;
    if (call->next != NULL)
        call->next->before = call->before;
    if (g->calls == NULL)
        pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
    pawl_cancel_finish(&call->cancel);
    pawl_failure_finish(&call->why);
    free(call);
}

static void tell(guest_call *call, pawl_status status, pawl_bytes output, const pawl_sink *out)
{
    wire_end end = {.status = status, .output = output};
    if (out != NULL)
        end.flags = (out->over ? WIRE_OVER : 0u) | (out->no_memory ? WIRE_NO_MEMORY : 0u);
    pawl_wire_take_failure(&end, &call->why);
    pawl_guest_tell_end(call->owner, WIRE_END, call->id, &end);
    forget(call);
}

/* The ABI's complete() of an asynchronous call. */
static void complete(pawl_completion *completion, pawl_status status, pawl_bytes result, const pawl_failure *failure)
{
    guest_call *call = (guest_call *)completion;
    pawl_sink out = {.over = false};
    if (status != PAWL_OK || result.data == NULL)
        result = (pawl_bytes){"", 0};
    if (status != PAWL_OK && failure != NULL)
        pawl_failure_tell(&call->why, failure);
    out.over = result.size > call->owner->hello.output_max;
    if (out.over)
        result.size = 0;
    tell(call, status, result, &out);
}

/* ---- a call ---- */

static pawl_status invoke(guest_call *call, pawl_sink *out)
{
    const contract_tables *t = &call->owner->tables;
    if (call->instance != WIRE_EFFECTS) {
        pawl_connector *instance = call->owner->instances[call->instance];
        if (call->deed == WIRE_EXECUTE && t->connector.invoke != NULL)
            return t->connector.invoke(instance, &call->abi, out, &call->why);
        if (call->deed == WIRE_START && t->connector.start != NULL)
            return t->connector.start(instance, &call->abi, &call->completion, &call->why);
        if (call->deed == WIRE_RECONCILE && t->connector.reconcile != NULL)
            return t->connector.reconcile(instance, &call->abi, out, &call->why);
        return PAWL_E_UNSUPPORTED;
    }
    if (call->deed == WIRE_EXECUTE && t->effect.execute != NULL)
        return t->effect.execute(&call->abi, out, &call->why);
    if (call->deed == WIRE_START && t->effect.start != NULL)
        return t->effect.start(&call->abi, &call->completion, &call->why);
    if (call->deed == WIRE_RECONCILE && t->effect.reconcile != NULL)
        return t->effect.reconcile(&call->abi, out, &call->why);
    return PAWL_E_UNSUPPORTED;
}

static void run(guest_call *call)
{
    bool starts = call->deed == WIRE_START;
    pawl_sink out;
    pawl_sink_init(&out, call->owner->hello.output_max);
    pawl_status status = invoke(call, &out);
    if (!starts || status != PAWL_PENDING) /* pending: it may have ended, and be gone */
        tell(call, status, pawl_sink_bytes(&out), &out);
    pawl_sink_finish(&out);
}

static pawl_bytes take(uint8_t **room, pawl_bytes from)
{
    pawl_bytes copy = {*room, from.size};
    if (from.size > 0)
        memcpy(*room, from.data, from.size);
    *room += from.size;
    return copy;
}

/* NULL: no memory, or no such instance; then the host was told. */
static guest_call *make_call(guest *g, const wire_message *message)
{
    wire_call wire;
    bool good = pawl_wire_read_call(message->payload, &wire) &&
                (wire.instance == WIRE_EFFECTS || wire.instance < g->instance_count);
    guest_call *call = good ? calloc(1, sizeof *call + message->payload.size) : NULL;
    if (call == NULL) {
        const wire_end end = {.status = good ? PAWL_E_NOMEM : PAWL_E_UNSUPPORTED};
        pawl_guest_tell_end(g, WIRE_END, message->id, &end);
        return NULL;
    }
    uint8_t *room = (uint8_t *)(call + 1);
    call->completion.complete = complete;
    call->owner = g;
    call->id = message->id;
    call->instance = wire.instance;
    call->deed = wire.deed;
    call->abi = (pawl_effect_call){.struct_size = sizeof call->abi,
                                   .attempt = wire.attempt,
                                   .host = &g->root,
                                   .context = (const pawl_call_context *)(const void *)call,
                                   .deadline_mono_ns = wire.deadline_mono_ns,
                                   .cancel = &call->cancel};
    call->abi.operation = take(&room, wire.operation);
    call->abi.input = take(&room, wire.input);
    call->abi.idempotency_key = take(&room, wire.key);
    call->abi.trace_context = take(&room, wire.trace);
    pawl_cancel_init(&call->cancel);
    pawl_failure_init(&call->why);
    return call;
}

static void remember(guest_call *call)
{
    guest *g = call->owner;
    pthread_mutex_lock(&g->lock);
    call->next = g->calls;
    if (call->next != NULL)
        call->next->before = call;
    g->calls = call;
    pthread_mutex_unlock(&g->lock);
}

/* ---- the host's other wishes ---- */

static void cancel(guest *g, uint64_t id)
{
    pthread_mutex_lock(&g->lock);
    guest_call *call = g->calls;
    while (call != NULL && call->id != id)
        call = call->next;
    if (call != NULL)
        pawl_cancel_ask(&call->cancel);
    pthread_mutex_unlock(&g->lock);
}

static void answer(guest *g, const wire_message *message)
{
    uint8_t *copy = malloc(message->payload.size + 1);
    if (copy == NULL)
        _exit(EXIT_FAILURE); /* who asked would wait for ever */
    memcpy(copy, message->payload.data, message->payload.size);
    pthread_mutex_lock(&g->lock);
    guest_question *question = g->questions;
    while (question != NULL && question->id != message->id)
        question = question->next;
    if (question != NULL && pawl_wire_read_end((pawl_bytes){copy, message->payload.size}, &question->end)) {
        question->payload = copy;
        question->answered = true;
        copy = NULL;
        pthread_cond_broadcast(&g->changed);
    }
    pthread_mutex_unlock(&g->lock);
    free(copy);
}

static pawl_connector **instance_place(guest *g, uint64_t id)
{
    if (id >= g->instance_count) {
        pawl_connector **grown = realloc(g->instances, (size_t)(id + 1) * sizeof *grown);
        if (grown == NULL)
            return NULL;
        memset(grown + g->instance_count, 0, (size_t)(id + 1 - g->instance_count) * sizeof *grown);
        g->instances = grown;
        g->instance_count = (uint32_t)id + 1;
    }
    return &g->instances[id];
}

/* Before the first call, so on the first thread, and nothing runs meanwhile. */
static void create(guest *g, const wire_message *message)
{
    wire_create wire;
    pawl_failure_slot why;
    wire_end end = {.status = PAWL_E_INVALID};
    pawl_failure_init(&why);
    pawl_connector **place =
        message->id < 65536 && pawl_wire_read_create(message->payload, &wire) ? instance_place(g, message->id) : NULL;
    if (place != NULL && g->tables.connector.create != NULL)
        end.status = g->tables.connector.create(&g->root, wire.name, wire.config, place, &why);
    pawl_wire_take_failure(&end, &why);
    pawl_guest_tell_end(g, WIRE_CREATED, message->id, &end);
    pawl_failure_finish(&why);
}

/* What the message says, but for calls: those are given back, to be run without the turn. */
static guest_call *obey(guest *g, const wire_message *message)
{
    guest_call *call = NULL;
    switch (message->kind) {
    case WIRE_CREATE:
        create(g, message);
        break;
    case WIRE_CALL:
        call = make_call(g, message);
        if (call != NULL)
            remember(call);
        break;
    case WIRE_CANCEL:
        cancel(g, message->id);
        break;
    case WIRE_ANSWER:
        answer(g, message);
        break;
    case WIRE_STOP:
        g->stopping = true;
        break;
    default:
        _exit(EXIT_FAILURE); /* this program is not of that host */
    }
    return call;
}

/* ---- threads ---- */

static void *take_turns(void *argument);

/* Somebody must always be there to read: a call that nobody can stop any more would be lost. Locked. */
static void grow(guest *g)
{
    pthread_t thread;
    pthread_attr_t attributes;
    if (g->takers > 0 || g->threads >= g->hello.threads + GUEST_SPARE_THREADS)
        return;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, GUEST_STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, take_turns, g) == 0) {
        g->threads++;
        g->takers++;
    }
    pthread_attr_destroy(&attributes);
}

static void run_beside(guest *g, guest_call *call)
{
    pthread_mutex_lock(&g->lock);
    g->takers--;
    grow(g);
    pthread_mutex_unlock(&g->lock);
    run(call);
    pthread_mutex_lock(&g->lock);
    g->takers++;
    pthread_mutex_unlock(&g->lock);
}

static void *take_turns(void *argument)
{
    guest *g = argument;
    bool stopping = false;
    while (!stopping) {
        wire_message message;
        guest_call *call = NULL;
        pthread_mutex_lock(&g->turn);
        if (!g->stopping) {
            pawl_guest_receive(g, &message);
            call = obey(g, &message);
        }
        stopping = g->stopping;
        pthread_mutex_unlock(&g->turn);
        if (call != NULL)
            run_beside(g, call);
    }
    pthread_mutex_lock(&g->lock);
    g->threads--;
    g->takers--;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

void pawl_guest_serve(guest *g)
{
    g->threads = 1;
    g->takers = 1;
    (void)take_turns(g);
    pthread_mutex_lock(&g->lock);
    while (g->threads > 0 || g->calls != NULL)
        pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
    for (uint32_t i = g->instance_count; i-- > 1;)
        if (g->tables.connector.destroy != NULL)
            g->tables.connector.destroy(g->instances[i]);
}
