/* assemble_around.c: see assemble_around.h. */
#include "host/assembly/assemble_around.h"

#include "host/profile/secret.h"
#include "worker/base/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KINDS_KNOWN (((UINT64_C(1) << (PAWL_OBSERVED_LEASE_LOST + 1)) - 1) & ~UINT64_C(1))

static pawl_status no_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while assembling the host");
}

/* Where in the profile, and what: in front of a reason. */
static pawl_status wrap(const pawl_profile *profile, pawl_place place, const char *what, const char *plugin,
                        pawl_status status, pawl_error *error)
{
    char text[300];
    pawl_profile_place_text(profile, place, text, sizeof text);
    (void)pawl_error_wrap(error, "%s: %s (%s)", text, what, plugin);
    return status;
}

/* What a create() said, as the status and error of a host. */
static pawl_status judge(pawl_status status, bool made, const pawl_failure_slot *why, pawl_error *error)
{
    if (status == PAWL_OK && made)
        return PAWL_OK;
    if (status == PAWL_OK)
        return pawl_error_set(error, PAWL_E_INVALID, "plugin.contract", "its create gave nothing; wanted an instance");
    return pawl_failure_error(why, status > 0 ? PAWL_E_FAILED : status, error);
}

/* ---- middleware ---- */

static bool is_named(const pawl_profile_guards *guards, const char *name)
{
    for (size_t i = 0; guards->order != NULL && guards->order[i] != NULL; i++)
        if (strcmp(guards->order[i], name) == 0)
            return true;
    return false;
}

static bool is_used(const pawl_profile *profile, const char *name)
{
    bool used = false;
    for (size_t i = 0; i < profile->connector_count; i++)
        used = used || is_named(&profile->connectors[i].guards, name);
    for (size_t i = 0; i < profile->effect_count; i++)
        used = used || is_named(&profile->effects[i].guards, name);
    return used;
}

static pawl_status create_middleware(const pawl_profile_middleware *from, const pawl_plugin *plugin,
                                     pawl_around_middleware *own, pawl_error *error)
{
    char *config = NULL;
    size_t size = 0;
    pawl_status status = pawl_secret_resolve_text(from->config, &config, &size, error);
    if (status != PAWL_OK)
        return status;
    pawl_failure_slot why;
    pawl_failure_init(&why);
    own->table = plugin->middleware;
    status =
        own->table->create(plugin->host, pawl_bytes_text(from->name), (pawl_bytes){config, size}, &own->instance, &why);
    pawl_secret_forget_text(config, size);
    if (status != PAWL_OK)
        own->instance = NULL;
    status = judge(status, own->instance != NULL, &why, error);
    pawl_failure_finish(&why);
    return status;
}

static pawl_status add_middleware(const pawl_profile *profile, const pawl_profile_middleware *from,
                                  const pawl_plugin_set *plugins, const pawl_log *log, pawl_guard_set *guards,
                                  pawl_around_middleware *own, pawl_error *error)
{
    const pawl_plugin *plugin = pawl_plugin_set_find(plugins, from->plugin);
    char what[128];
    snprintf(what, sizeof what, "middleware \"%s\"", from->name);
    bool used = is_used(profile, from->name);
    if (plugin == NULL && used) {
        pawl_status status = pawl_error_set(error, PAWL_E_NOT_FOUND, "middleware.unavailable",
                                            "its optional plugin was left out, and an order names it: no call may pass "
                                            "without it; take it out of the order, or make the plugin load");
        return wrap(profile, from->place, what, from->plugin, status, error);
    }
    if (plugin == NULL || !used)
        pawl_log_write(log, PAWL_LOG_WARN,
                       plugin == NULL ? "middleware left out: its optional plugin is not there"
                                      : "middleware stands in front of nothing: no order names it",
                       "middleware", from->name, "plugin", from->plugin, (char *)NULL);
    if (plugin == NULL)
        return PAWL_OK;
    pawl_status status = plugin->middleware == NULL
                             ? pawl_error_set(error, PAWL_E_UNSUPPORTED, "middleware.not_offered",
                                              "the plugin has no middleware; name one that has")
                             : create_middleware(from, plugin, own, error);
    if (status != PAWL_OK)
        return wrap(profile, from->place, what, from->plugin, status, error);
    return pawl_guards_add_middleware(guards, from->name, plugin->manifest->id, own->table, own->instance) == PAWL_OK
               ? PAWL_OK
               : no_memory(error);
}

/* ---- observers ---- */

static pawl_status create_observer(const pawl_profile_observer *from, const pawl_plugin *plugin,
                                   pawl_observers *observers, pawl_error *error)
{
    char *config = NULL;
    size_t size = 0;
    pawl_status status = pawl_secret_resolve_text(from->config, &config, &size, error);
    if (status != PAWL_OK)
        return status;
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_observer *observer = NULL;
    uint64_t kinds = KINDS_KNOWN;
    status = plugin->observer->create(plugin->host, (pawl_bytes){config, size}, &kinds, &observer, &why);
    pawl_secret_forget_text(config, size);
    status = judge(status, observer != NULL, &why, error);
    pawl_failure_finish(&why);
    if (status == PAWL_OK && !pawl_observers_add(observers, plugin->observer, observer, plugin->manifest->id,
                                                 kinds & KINDS_KNOWN, from->slow_ns)) {
        plugin->observer->destroy(observer); /* the profile's own check allows no more of them */
        status =
            pawl_error_set(error, PAWL_E_LIMIT, "observer.limit", "there are %u observers already", PAWL_OBSERVERS_MAX);
    }
    return status;
}

static pawl_status add_observer(const pawl_profile *profile, size_t index, const pawl_plugin_set *plugins,
                                const pawl_log *log, pawl_observers *observers, pawl_error *error)
{
    const pawl_profile_observer *from = &profile->observers[index];
    const pawl_plugin *plugin = pawl_plugin_set_find(plugins, from->plugin);
    char what[64];
    if (plugin == NULL) {
        pawl_log_write(log, PAWL_LOG_WARN, "observer left out: its optional plugin is not there", "plugin",
                       from->plugin, (char *)NULL);
        return PAWL_OK;
    }
    pawl_status status = plugin->observer == NULL ? pawl_error_set(error, PAWL_E_UNSUPPORTED, "observer.not_offered",
                                                                   "the plugin has no observer; name one that has")
                                                  : create_observer(from, plugin, observers, error);
    snprintf(what, sizeof what, "observers[%zu]", index);
    return status == PAWL_OK ? PAWL_OK : wrap(profile, from->place, what, from->plugin, status, error);
}

/* ---- both ---- */

pawl_status pawl_around_make(const pawl_profile *profile, const pawl_plugin_set *plugins, const pawl_clock *clock,
                             const pawl_log *log, pawl_guard_set *guards, pawl_around *ret, pawl_error *error)
{
    pawl_status status = PAWL_OK;
    ret->middleware = calloc(profile->middleware_count + 1, sizeof *ret->middleware);
    if (ret->middleware == NULL)
        return no_memory(error);
    ret->middleware_count = profile->middleware_count;
    for (size_t i = 0; status == PAWL_OK && i < profile->middleware_count; i++)
        status = add_middleware(profile, &profile->middleware[i], plugins, log, guards, &ret->middleware[i], error);
    if (status != PAWL_OK || profile->observer_count == 0)
        return status;
    ret->observers = calloc(1, sizeof *ret->observers);
    if (ret->observers == NULL)
        return no_memory(error);
    ret->observers->clock = clock;
    ret->observers->log = log;
    for (size_t i = 0; status == PAWL_OK && i < profile->observer_count; i++)
        status = add_observer(profile, i, plugins, log, ret->observers, error);
    return status;
}

bool pawl_observer_describe(const pawl_observer_entry *entry, pawl_sink *json)
{
    return entry->table->describe != NULL && entry->table->describe(entry->observer, json) == PAWL_OK;
}

void pawl_around_finish(pawl_around *around)
{
    for (size_t i = around->observers == NULL ? 0 : around->observers->count; i-- > 0;)
        around->observers->entries[i].table->destroy(around->observers->entries[i].observer);
    for (size_t i = around->middleware_count; i-- > 0;)
        if (around->middleware[i].instance != NULL)
            around->middleware[i].table->destroy(around->middleware[i].instance);
    free(around->observers);
    free(around->middleware);
    *around = (pawl_around){0};
}
