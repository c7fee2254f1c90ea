/* view_host.c: the host itself, for operators: what it was made of and how it is. */
#include "host/care/upkeep.h"
#include "host/view/view.h"

#include "host/isolate/isolate.h"

#include "worker/base/sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DESCRIBE_BYTES_MAX ((size_t)64 * 1024) /* of what a plugin says of its instance */

json_t *pawl_view_digest(pawl_bytes digest)
{
    char text[65] = "";
    const uint8_t *bytes = digest.data;
    for (size_t i = 0; i < digest.size && i < 32; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return json_string(text);
}

static json_t *view_operations(const pawl_manifest_operation *operations, size_t count)
{
    json_t *list = json_array();
    bool made = true;
    for (size_t i = 0; made && i < count; i++)
        made = json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:b}", "name", operations[i].name, "runs",
                                                     pawl_manifest_runs_name(operations[i].runs), "outcome",
                                                     pawl_manifest_outcome_name(operations[i].outcome), "local",
                                                     (int)operations[i].local)) == 0;
    if (made)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *view_processes(const pawl_manifest *manifest)
{
    json_t *list = json_array();
    for (size_t i = 0; i < manifest->process_count; i++) {
        const pawl_manifest_process *process = &manifest->processes[i];
        json_t *json = json_pack("{s:s, s:I}", "name", process->name, "revision", (json_int_t)process->revision);
        if (process->tier_given)
            (void)pawl_view_set(json, "tier", json_string(pawl_manifest_tier_name(process->tier)));
        (void)json_array_append_new(list, json);
    }
    return list;
}

static json_t *view_facets_offered(const pawl_manifest *manifest)
{
    json_t *list = json_array();
    for (uint32_t facet = 0; facet < PAWL_FACET_COUNT; facet++)
        if ((manifest->facets & (1u << facet)) != 0)
            (void)json_array_append_new(list, json_pack("{s:s, s:s}", "facet", pawl_facet_name(facet), "tier",
                                                        pawl_manifest_tier_name(manifest->tiers[facet])));
    return list;
}

static json_t *view_kinds(uint32_t kinds)
{
    static const char *const names[] = {"effect", "connector", "process", "storage", "middleware", "observer"};
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((kinds & (1u << i)) != 0)
            (void)json_array_append_new(list, json_string(names[i]));
    return list;
}

bool pawl_view_manifest(json_t *object, const pawl_manifest *manifest)
{
    bool made = pawl_view_set(object, "id", json_string(manifest->id)) &&
                pawl_view_set(object, "version", json_string(manifest->version)) &&
                pawl_view_set(object, "abi",
                              json_pack("{s:I, s:I}", "major", (json_int_t)manifest->abi_major, "minor",
                                        (json_int_t)manifest->abi_minor)) &&
                pawl_view_set(object, "kinds", view_kinds(manifest->kinds));
    if (made && manifest->effect_count > 0)
        made = pawl_view_set(object, "effects", view_operations(manifest->effects, manifest->effect_count));
    if (made && manifest->operation_count > 0)
        made = pawl_view_set(object, "operations", view_operations(manifest->operations, manifest->operation_count));
    if (made && manifest->process_count > 0)
        made = pawl_view_set(object, "processes", view_processes(manifest));
    if (made && manifest->facets != 0)
        made = pawl_view_set(object, "facets", view_facets_offered(manifest));
    return made;
}

static bool add_plugins(json_t *list, const pawl_plugin_set *set)
{
    bool made = true;
    for (size_t i = 0; made && i < pawl_plugin_set_count(set); i++) {
        const pawl_plugin *plugin = pawl_plugin_set_at(set, i);
        json_t *json = json_object();
        made = pawl_view_manifest(json, plugin->manifest) &&
               pawl_view_set(json, "path", pawl_view_text(pawl_bytes_text(plugin->path)));
        made = made && pawl_view_set(json, "current", json_boolean(plugin->current));
        if (made && plugin->isolated != NULL)
            made = pawl_view_set(json, "isolation", pawl_isolated_view(plugin->isolated));
        if (made && !plugin->linked_in)
            made = pawl_view_set(json, "digest", pawl_view_digest((pawl_bytes){plugin->digest, 32}));
        made = json_array_append_new(list, json) == 0 && made;
    }
    return made;
}

json_t *pawl_view_plugins(const pawl_host *host)
{
    json_t *list = json_array();
    if (add_plugins(list, host->built_in) && add_plugins(list, host->plugins))
        return list;
    json_decref(list);
    return NULL;
}

static json_t *view_facets(const pawl_host *host)
{
    json_t *list = json_array();
    for (uint32_t facet = 0; facet < PAWL_FACET_COUNT; facet++) {
        const pawl_open_store *open = host->facets.facet[facet];
        (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "facet", pawl_facet_name(facet), "store",
                                                    open->profile->name, "provider", open->profile->provider, "tier",
                                                    pawl_manifest_tier_name(host->facets.tiers[facet])));
    }
    return list;
}

static void view_gate(pawl_host *host, json_t *json, uint32_t kind, const char *name)
{
    uint64_t since;
    char reason[256];
    if (pawl_pauses_look(&host->pauses, kind, name, strlen(name), &since, reason))
        (void)pawl_view_set_pause(json, since, pawl_bytes_text(reason));
}

static json_t *view_connectors(pawl_host *host)
{
    json_t *list = json_array();
    for (size_t i = 0; i < host->assembly.instance_count; i++) {
        const pawl_instance *own = &host->assembly.instances[i];
        json_t *json = json_pack("{s:s, s:s, s:b}", "name", own->profile->name, "plugin", own->profile->plugin,
                                 "available", (int)(own->plugin != NULL));
        if (own->bulkhead != NULL)
            (void)pawl_view_set(json, "concurrency", json_integer(own->bulkhead->limit));
        view_gate(host, json, PAWL_PAUSE_CONNECTOR, own->profile->name);
        (void)json_array_append_new(list, json);
    }
    return list;
}

static void view_circuit(json_t *json, const pawl_guard_view *view)
{
    (void)pawl_view_set(json, "state", json_string(pawl_circuit_state_name(view->state)));
    (void)pawl_view_set(json, "open_left_ns", json_integer((json_int_t)view->open_left_ns));
    (void)pawl_view_set(json, "calls", json_integer(view->calls));
    (void)pawl_view_set(json, "failed", json_integer(view->failed));
    (void)pawl_view_set(json, "slow", json_integer(view->slow));
    (void)pawl_view_set(json, "transitions",
                        json_pack("{s:I, s:I, s:I}", "closed", (json_int_t)view->transitions[PAWL_CIRCUIT_CLOSED],
                                  "open", (json_int_t)view->transitions[PAWL_CIRCUIT_OPEN], "half_open",
                                  (json_int_t)view->transitions[PAWL_CIRCUIT_HALF_OPEN]));
}

/* What a plugin says of its instance: whatever it is, if it is JSON. */
static void view_said(json_t *json, bool said, const pawl_sink *text)
{
    if (said && text->size > 0 && !text->over)
        (void)pawl_view_value(json, "detail", pawl_sink_bytes(text));
}

static void view_middleware(json_t *json, pawl_guard *guard, const pawl_guard_view *view)
{
    pawl_sink text;
    pawl_sink_init(&text, DESCRIBE_BYTES_MAX);
    (void)pawl_view_set(json, "plugin", json_string(view->plugin));
    (void)pawl_view_set(json, "longest_ns", json_integer((json_int_t)view->longest_ns));
    view_said(json, pawl_guard_describe(guard, &text), &text);
    pawl_sink_finish(&text);
}

static json_t *view_observers(const pawl_host *host)
{
    const pawl_observers *observers = host->assembly.around.observers;
    json_t *list = json_array();
    for (size_t i = 0; observers != NULL && i < observers->count; i++) {
        const pawl_observer_entry *entry = &observers->entries[i];
        pawl_observer_view view;
        pawl_sink text;
        pawl_sink_init(&text, DESCRIBE_BYTES_MAX);
        pawl_observer_look(entry, &view);
        json_t *json = json_pack("{s:s, s:b, s:I, s:I, s:I, s:I}", "plugin", entry->plugin, "left_out",
                                 (int)view.left_out, "told", (json_int_t)view.told, "slow", (json_int_t)view.slow,
                                 "total_ns", (json_int_t)view.total_ns, "longest_ns", (json_int_t)view.longest_ns);
        view_said(json, pawl_observer_describe(entry, &text), &text);
        pawl_sink_finish(&text);
        (void)json_array_append_new(list, json);
    }
    return list;
}

/* What stands in front of calls, and how it is now. */
static json_t *view_guards(const pawl_host *host)
{
    json_t *list = json_array();
    const pawl_guard_set *set = &host->assembly.guards;
    for (size_t i = 0; i < set->count; i++) {
        pawl_guard_view view;
        pawl_guard_look(set->items[i], host->clock->mono_ns(host->clock), &view);
        json_t *json =
            json_pack("{s:s, s:s, s:I, s:I, s:I}", "of", view.of, "guard", pawl_guard_kind_name(view.kind), "passed",
                      (json_int_t)view.passed, "held", (json_int_t)view.held, "refused", (json_int_t)view.refused);
        if (view.kind == PAWL_GUARD_RATE) {
            (void)pawl_view_set(json, "tokens", json_integer(view.tokens));
            (void)pawl_view_set(json, "burst", json_integer(view.burst));
        } else if (view.kind == PAWL_GUARD_PLACES) {
            (void)pawl_view_set(json, "limit", json_integer(view.limit));
            (void)pawl_view_set(json, "taken", json_integer(view.taken));
            (void)pawl_view_set(json, "waiting", json_integer(view.waiting));
        } else if (view.kind == PAWL_GUARD_MIDDLEWARE) {
            view_middleware(json, set->items[i], &view);
        } else {
            view_circuit(json, &view);
        }
        (void)json_array_append_new(list, json);
    }
    return list;
}

static bool set_some(json_t *json, const char *key, uint64_t value)
{
    return value == 0 || pawl_view_set(json, key, json_integer((json_int_t)value));
}

/* NULL: none. */
static json_t *view_rate(const pawl_profile_rate *rate)
{
    if (!rate->written)
        return NULL;
    return json_pack("{s:I, s:I, s:I}", "rate", (json_int_t)rate->rate, "per_ns", (json_int_t)rate->per_ns, "burst",
                     (json_int_t)(rate->burst == 0 ? rate->rate : rate->burst));
}

static void put_type_limits(json_t *json, const pawl_profile_type_limits *limits)
{
    (void)set_some(json, "concurrency", limits->concurrency);
    if (limits->rate_limit.written)
        (void)pawl_view_set(json, "rate_limit", view_rate(&limits->rate_limit));
}

/* What the profile says of a type, as far as it says anything. */
static void view_type_limits(const pawl_host *host, json_t *json, const char *name)
{
    const pawl_profile_type *type = pawl_profile_find_type(host->profile, name);
    json_t *per_key = json_object();
    if (type != NULL) {
        put_type_limits(json, &type->whole);
        put_type_limits(per_key, &type->per_key);
        (void)set_some(json, "deadline_ns", type->deadline_ns);
        if (type->exclusive)
            (void)pawl_view_set(json, "exclusive", json_true());
    }
    if (json_object_size(per_key) > 0)
        (void)pawl_view_set(json, "per_key", json_incref(per_key));
    json_decref(per_key);
}

static json_t *view_limits(const pawl_host *host)
{
    const pawl_profile *profile = host->profile;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "value_bytes",
                     (json_int_t)profile->limits.value_bytes, "input_bytes", (json_int_t)profile->limits.input_bytes,
                     "attachment_bytes", (json_int_t)profile->limits.attachment_bytes, "journal_warn_bytes",
                     (json_int_t)profile->limits.journal_warn_bytes, "journal_max_bytes",
                     (json_int_t)profile->limits.journal_max_bytes, "resident", (json_int_t)profile->limits.resident,
                     "effects_queued", (json_int_t)profile->limits.effects_queued, "requests",
                     (json_int_t)profile->limits.requests, "plugin_file_bytes",
                     (json_int_t)profile->limits.plugin_file_bytes);
}

static json_t *view_types(pawl_host *host)
{
    const pawl_type *const *types;
    size_t count = pawl_catalog_types(host->assembly.catalog, &types);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *json = json_pack("{s:s, s:I, s:s}", "name", types[i]->name, "revision", (json_int_t)types[i]->revision,
                                 "plugin", types[i]->plugin);
        view_type_limits(host, json, types[i]->name);
        view_gate(host, json, PAWL_PAUSE_TYPE, types[i]->name);
        (void)json_array_append_new(list, json);
    }
    return list;
}

static json_t *view_effects(const pawl_host *host)
{
    const pawl_effect *const *effects;
    size_t count = pawl_catalog_effects(host->assembly.catalog, &effects);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "name", effects[i]->name, "plugin",
                            effects[i]->plugin, "runs", pawl_manifest_runs_name(effects[i]->runs), "outcome",
                            pawl_manifest_outcome_name(effects[i]->outcome), "timeout_ns",
                            (json_int_t)effects[i]->timeout_ns, "deadline_ns", (json_int_t)effects[i]->deadline_ns,
                            "attempts_max", (json_int_t)effects[i]->retry.attempts_max));
    return list;
}

static json_t *view_worker(const pawl_host *host)
{
    if (host->worker == NULL)
        return json_pack("{s:b, s:s}", "running", 0, "why", host->no_worker_because);
    static const char *const modes[] = {"no", "graceful", "cancel", "abort"};
    pawl_worker_stats stats;
    pawl_worker_get_stats(host->worker, &stats);
    return json_pack("{s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "running",
                     (int)(stats.stop_mode == 0), "name", host->worker_name, "stopping",
                     modes[stats.stop_mode > 3 ? 3 : stats.stop_mode], "claimed", (json_int_t)stats.claimed,
                     "activations", (json_int_t)stats.activations, "steps", (json_int_t)stats.steps, "retries",
                     (json_int_t)stats.retries, "commits", (json_int_t)stats.commits, "lost_leases",
                     (json_int_t)stats.lost_leases, "resident", (json_int_t)stats.resident, "resident_max",
                     (json_int_t)host->profile->limits.resident, "effects_running", (json_int_t)stats.effects_running,
                     "effects_queued", (json_int_t)stats.effects_queued);
}

static json_t *view_counts(pawl_host *host)
{
    static const uint32_t shown[] = {PAWL_READY,     PAWL_RUNNING, PAWL_WAITING,   PAWL_STUCK,
                                     PAWL_COMPLETED, PAWL_FAILED,  PAWL_CANCELLED, PAWL_TERMINATED};
    uint64_t counts[PAWL_TERMINATED + 1] = {0};
    pawl_status status = host->registry.table.count(host->registry.store, counts, sizeof counts / sizeof *counts, NULL);
    if (status < 0)
        return json_null();
    json_t *json = json_object();
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        (void)pawl_view_set(json, pawl_view_status(shown[i]), json_integer((json_int_t)counts[shown[i]]));
    return json;
}

static json_t *view_store(const pawl_open_store *open)
{
    json_t *json = json_pack("{s:s}", "provider", open->profile->provider);
    if (open->plugin->storage->describe == NULL)
        return json;
    pawl_sink text;
    pawl_sink_init(&text, 1024 * 1024);
    if (open->plugin->storage->describe(open->store, &text, NULL) == PAWL_OK)
        (void)pawl_view_value(json, "facts", pawl_sink_bytes(&text));
    pawl_sink_finish(&text);
    return json;
}

static json_t *view_stores(const pawl_host *host)
{
    json_t *json = json_object();
    for (size_t i = 0; i < host->facets.store_count; i++)
        if (host->facets.stores[i].store != NULL)
            (void)pawl_view_set(json, host->facets.stores[i].profile->name, view_store(&host->facets.stores[i]));
    return json;
}

/* {"customer": "keyword"}: so that a client can tell what to send. */
static json_t *view_attributes(const pawl_host *host)
{
    json_t *json = json_object();
    for (size_t i = 0; i < host->attributes.count; i++)
        (void)pawl_view_set(json, host->attributes.attributes[i].name,
                            json_string(pawl_attribute_type_name(host->attributes.attributes[i].type)));
    return json;
}

json_t *pawl_view_host(pawl_host *host)
{
    json_t *json = json_object();
    bool made =
        pawl_view_set(json, "version", json_string(pawl_library_version())) &&
        pawl_view_set(json, "profile", json_string(host->profile->name)) &&
        pawl_view_set(json, "tier", json_string(pawl_manifest_tier_name(host->profile->tier))) &&
        pawl_view_set(json, "facets", view_facets(host)) && pawl_view_set(json, "plugins", pawl_view_plugins(host)) &&
        pawl_view_set(json, "connectors", view_connectors(host)) && pawl_view_set(json, "types", view_types(host)) &&
        pawl_view_set(json, "attributes", view_attributes(host)) && pawl_view_set(json, "limits", view_limits(host)) &&
        pawl_view_set(json, "effects", view_effects(host)) && pawl_view_set(json, "guards", view_guards(host)) &&
        pawl_view_set(json, "observers", view_observers(host)) && pawl_view_set(json, "worker", view_worker(host)) &&
        pawl_view_set(json, "counts", view_counts(host)) &&
        pawl_view_set(json, "upkeep", pawl_upkeep_view(host->upkeep)) &&
        pawl_view_set(json, "stores", view_stores(host)) &&
        pawl_view_set(json, "unknown_extensions", pawl_roots_unknown(&host->roots));
    if (made)
        return json;
    json_decref(json);
    return NULL;
}

pawl_status pawl_host_describe(pawl_host *host, pawl_text *ret_json, pawl_error *error)
{
    pawl_status status = pawl_host_usable(host, error);
    if (status != PAWL_OK)
        return status;
    pawl_host_entered(host);
    status = pawl_view_give(pawl_view_host(host), ret_json, error);
    pawl_host_left(host);
    return status;
}
