/* hear.c: what a guest says, and what follows from it. Everything it says is checked against what was asked of it: an
 * answer to nothing, or in the wrong order, is garbage. */
#include "isolate_internal.h"

#include "host/profile/secret.h"
#include "worker/effect/core_table.h"

#include <stdio.h>
#include <string.h>

static void be_garbage(guest *g, const char *what)
{
    pawl_guest_kill(g, "plugin.protocol", "sent %s, and was killed", what);
}

/* ---- starting ---- */

static void fail_opening(guest *g, pawl_status status, const char *code, pawl_bytes message)
{
    pawl_isolated *plugin = g->plugin;
    if (plugin->failed)
        return;
    plugin->failed = plugin->opening;
    (void)pawl_error_set(&plugin->error, status < 0 ? status : PAWL_E_FAILED, code, "%.*s", (int)message.size,
                         (const char *)message.data);
}

/* Secrets are filled in for the message alone. */
static bool send_create(guest *g, const pawl_connector *instance)
{
    char *config = NULL;
    size_t size = 0;
    pawl_error error = {.status = PAWL_OK};
    if (pawl_secret_resolve_text(instance->config, &config, &size, &error) != PAWL_OK) {
        fail_opening(g, error.status, error.code, pawl_bytes_text(error.message));
        pawl_guest_kill(g, "plugin.crashed", "could not be given its config (%.300s)", error.message);
        return false;
    }
    const wire_create wire = {pawl_bytes_text(instance->name), {config, size}};
    pawl_sink *scratch = &g->plugin->scratch;
    pawl_wire_create(scratch, instance->number, &wire);
    pawl_guest_send(g, (pawl_bytes){"", 0});
    if (scratch->data != NULL)
        memset(scratch->data, 0, scratch->room);
    pawl_secret_forget_text(config, size);
    return true;
}

void pawl_guest_welcome(guest *g)
{
    pawl_isolated *plugin = g->plugin;
    g->state = GUEST_CREATING;
    if (g->created + 1 < plugin->instance_count) { /* one by one: the first that fails is the one to name */
        if (send_create(g, plugin->instances[g->created + 1]))
            snprintf(g->stage, sizeof g->stage, "create of \"%.60s\"", plugin->instances[g->created + 1]->name);
        return;
    }
    g->state = GUEST_READY;
    snprintf(g->stage, sizeof g->stage, "serving");
    g->look_mono_ns = pawl_isolate_now() + ISOLATE_LOOK_BUSY_NS;
    g->cpu_mark_ns = pawl_guest_cpu_ns(g);
    pthread_cond_broadcast(&plugin->changed);
    pawl_isolated_dispatch(plugin);
}

static void hear_created(guest *g, const wire_message *message)
{
    wire_end end;
    if (g->state != GUEST_CREATING || message->id != g->created + 1 || !pawl_wire_read_end(message->payload, &end)) {
        be_garbage(g, "an instance that nobody asked for");
        return;
    }
    if (end.status == PAWL_OK) {
        g->created++;
        pawl_guest_welcome(g);
        return;
    }
    pawl_failure failure;
    pawl_error error = {.status = PAWL_OK};
    (void)pawl_error_from_failure(&error, end.status, pawl_wire_failure(&end, &failure) ? &failure : NULL);
    fail_opening(g, error.status, error.code, pawl_bytes_text(error.message));
    pawl_guest_kill(g, "plugin.crashed", "refused to make the instance \"%.60s\" (%.300s)",
                    g->plugin->instances[g->created + 1]->name, error.message);
}

static void hear_refused(guest *g, const wire_message *message)
{
    wire_end end;
    char code[64];
    if (g->state != GUEST_STARTING || !pawl_wire_read_end(message->payload, &end)) {
        be_garbage(g, "a refusal that was not its turn");
        return;
    }
    snprintf(code, sizeof code, "%.*s", (int)end.code.size, (const char *)end.code.data);
    fail_opening(g, end.status, code, end.message);
    pawl_guest_kill(g, "plugin.crashed", "did not start (%.*s)", end.message.size > 400 ? 400 : (int)end.message.size,
                    (const char *)end.message.data);
}

/* ---- the rest ---- */

/* Cleaned of what would break a line. */
static void take_stage(guest *g, pawl_bytes text)
{
    size_t size = text.size < sizeof g->stage ? text.size : sizeof g->stage - 1;
    for (size_t i = 0; i < size; i++) {
        char c = ((const char *)text.data)[i];
        g->stage[i] = c < ' ' || c == 0x7f ? ' ' : c;
    }
    g->stage[size] = '\0';
}

/* A flood of lines must not hold up those who share the thread, or fill the host's log. */
static bool may_log(guest *g, const pawl_host_data *data)
{
    uint64_t now = pawl_isolate_now();
    if (now - g->log_from_mono_ns >= UINT64_C(1000000000)) {
        char count[32];
        snprintf(count, sizeof count, "%u", g->unlogged);
        if (g->unlogged > 0)
            pawl_log_write(data->log, PAWL_LOG_WARN, "lines of an isolated plugin were dropped: too many in a second",
                           "plugin", data->source, "lines", count, (char *)NULL);
        g->log_from_mono_ns = now;
        g->logged = g->unlogged = 0;
    }
    if (g->logged < ISOLATE_LOG_MAX) {
        g->logged++;
        return true;
    }
    g->unlogged++;
    return false;
}

static void hear_log(guest *g, pawl_bytes payload)
{
    wire_log line;
    const pawl_host_data *data = g->plugin->request.host->host_data;
    if (!pawl_wire_read_log(payload, &line) || !may_log(g, data))
        return;
    pawl_log_plugin(data->log, line.level, data->source, line.message, line.fields);
}

static void hear_end(guest *g, const wire_message *message)
{
    pawl_isolated *plugin = g->plugin;
    wire_end end;
    bool good = pawl_wire_read_end(message->payload, &end);
    pthread_mutex_lock(&plugin->lock);
    isolated_call *call = good ? pawl_isolated_find(plugin, message->id) : NULL;
    if (call != NULL && (call->guest != g || call->relays > 0))
        call = NULL;
    if (call != NULL) {
        pawl_isolated_take(plugin, call);
        pawl_isolated_dispatch(plugin);
    } else {
        be_garbage(g, "the end of a call that it does not have");
    }
    pthread_mutex_unlock(&plugin->lock);
    if (call != NULL)
        pawl_isolated_end(plugin, call, &end);
}

static void hear_ask(guest *g, const wire_message *message)
{
    wire_ask ask;
    if (!pawl_wire_read_ask(message->payload, &ask) || !pawl_relay_take(g, message->id, &ask))
        be_garbage(g, "a question about a call that it does not have, or too many");
}

void pawl_guest_hear(guest *g, const wire_message *message)
{
    if (message->kind == WIRE_END) {
        hear_end(g, message);
        return;
    }
    if (message->kind == WIRE_LOG) {
        hear_log(g, message->payload);
        return;
    }
    pthread_mutex_lock(&g->plugin->lock);
    if (g->state == GUEST_KILLED)
        ; /* nothing it says matters any more */
    else if (message->kind == WIRE_STAGE)
        take_stage(g, message->payload);
    else if (message->kind == WIRE_READY && g->state == GUEST_STARTING)
        pawl_guest_welcome(g);
    else if (message->kind == WIRE_REFUSED)
        hear_refused(g, message);
    else if (message->kind == WIRE_CREATED)
        hear_created(g, message);
    else if (message->kind == WIRE_ASK)
        hear_ask(g, message);
    else
        be_garbage(g, "a message out of turn");
    pthread_mutex_unlock(&g->plugin->lock);
}
