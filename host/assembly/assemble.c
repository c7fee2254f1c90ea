/* assemble.c: see assemble.h. */
#include "host/assembly/assemble.h"

#include "host/builtin/builtin.h"
#include "host/isolate/isolate.h"
#include "host/profile/secret.h"
#include "host/schedule/program.h"
#include "host/schedule/spec.h"
#include "worker/base/clock.h"
#include "worker/base/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 600u /* of "instance.operation"; a manifest's names are shorter */

static pawl_status no_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while assembling the host");
}

/* Of every version of a plugin its own. */
static pawl_status add_contract(const pawl_profile *profile, const pawl_manifest_operation *operation,
                                pawl_assembly *assembly, pawl_effect *effect, pawl_error *error)
{
    pawl_effect_rules *rules;
    pawl_status status = pawl_effect_rules_make(operation, profile->schemas == PAWL_SCHEMAS_ENFORCE, &rules, error);
    if (status != PAWL_OK) {
        (void)pawl_error_wrap(error, "plugin %s", effect->plugin);
        return status;
    }
    if (rules == NULL)
        return PAWL_OK;
    effect->contract = &rules->contract;
    rules->next = assembly->effect_rules;
    assembly->effect_rules = rules;
    return PAWL_OK;
}

/* Everything about an operation that does not depend on who runs it. */
static pawl_status fill(const pawl_profile *profile, const pawl_manifest_operation *operation, const char *name,
                        const pawl_instance *own, pawl_assembly *assembly, pawl_effect *effect, pawl_error *error)
{
    pawl_catalog *catalog = assembly->catalog;
    const pawl_effect *version = pawl_catalog_effect(catalog, pawl_bytes_text(name));
    const pawl_profile_effect *over = pawl_profile_find_effect(profile, name);
    uint32_t set = over == NULL ? 0 : over->set;
    effect->name = name;
    effect->operation = operation->name;
    if (effect->runs == 0)
        effect->runs = operation->runs;
    effect->outcome = operation->outcome;
    effect->local = operation->local;
    effect->timeout_ns = profile->timeouts.call_ns;
    if (operation->timeout_ms != 0)
        effect->timeout_ns = operation->timeout_ms * PAWL_NS_PER_MS;
    if ((set & PAWL_SET_TIMEOUT) != 0)
        effect->timeout_ns = over->timeout_ns;
    effect->deadline_ns = operation->deadline_ms * PAWL_NS_PER_MS;
    if ((set & PAWL_SET_DEADLINE) != 0)
        effect->deadline_ns = over->deadline_ns;
    effect->retry = profile->retry;
    pawl_manifest_retry(operation, &effect->retry);
    if (over != NULL)
        pawl_profile_retry_apply(&effect->retry, &over->retry, set);
    pawl_status status = add_contract(profile, operation, assembly, effect, error);
    if (status != PAWL_OK)
        return status;
    if (version != NULL) { /* of the same plugin, or it is refused: what limits one limits both */
        effect->bulkhead = version->bulkhead;
        effect->guards = version->guards;
        effect->gate = version->gate;
        return PAWL_OK;
    }
    /* An instance that takes one call at a time keeps its own bulkhead; any other gives way to a limit of the
     * operation. */
    bool serial = effect->bulkhead != NULL && effect->bulkhead->limit == 1;
    if (effect->bulkhead == NULL || ((set & PAWL_SET_CONCURRENCY) != 0 && !serial)) {
        effect->bulkhead = pawl_catalog_bulkhead(catalog, (set & PAWL_SET_CONCURRENCY) != 0 ? over->concurrency : 0);
        if (effect->bulkhead == NULL)
            return no_memory(error);
    }
    effect->gate = own == NULL ? NULL : &own->gate;
    status = pawl_guards_of_effect(&assembly->guards, own == NULL ? NULL : &own->guards,
                                   own == NULL ? NULL : &own->profile->guards, over,
                                   own != NULL && effect->bulkhead != own->bulkhead, &effect->guards);
    return status == PAWL_OK ? PAWL_OK : no_memory(error);
}

/* One for all revisions of a type. NULL: out of memory. */
static pawl_gate *type_gate(pawl_assembly *assembly, const char *name)
{
    for (pawl_type_gate *at = assembly->type_gates; at != NULL; at = at->next)
        if (strcmp(at->gate.name, name) == 0)
            return &at->gate;
    pawl_type_gate *made = calloc(1, sizeof *made);
    if (made == NULL)
        return NULL;
    made->gate.name = name;
    made->next = assembly->type_gates;
    assembly->type_gates = made;
    return &made->gate;
}

/* Schedules are processes like any other. */
static pawl_status add_schedules(pawl_assembly *assembly, pawl_error *error)
{
    pawl_type type = {.name = PAWL_SCHEDULE_TYPE,
                      .revision = PAWL_SCHEDULE_REVISION,
                      .plugin = "pawl",
                      .program = pawl_schedule_program(),
                      .gate = type_gate(assembly, PAWL_SCHEDULE_TYPE)};
    return type.gate == NULL ? no_memory(error) : pawl_catalog_add_type(assembly->catalog, &type, error);
}

/* What every host offers by itself. */
static pawl_status add_builtins(const pawl_profile *profile, pawl_assembly *assembly, pawl_error *error)
{
    size_t count;
    const pawl_manifest_operation *operations = pawl_builtin_operations(&count);
    for (size_t i = 0; i < count; i++) {
        pawl_effect effect = {.plugin = "pawl", .effect = pawl_builtin_table()};
        pawl_status status = fill(profile, &operations[i], operations[i].name, NULL, assembly, &effect, error);
        if (status == PAWL_OK)
            status = pawl_catalog_add_effect(assembly->catalog, &effect, error);
        if (status != PAWL_OK)
            return status;
    }
    return add_schedules(assembly, error);
}

/* Its calls are sent away, and end when an answer comes. */
static void go_elsewhere(pawl_effect *effect, pawl_connector *instance)
{
    effect->effect = NULL;
    effect->connector = pawl_isolated_table();
    effect->instance = instance;
    effect->runs = PAWL_RUNS_ASYNC;
}

/* What has no limit of its own and holds a thread there shares the threads that are there. */
static pawl_status share_threads(const pawl_plugin *plugin, const pawl_manifest_operation *operation,
                                 pawl_assembly *assembly, pawl_effect *effect, pawl_error *error)
{
    if (plugin->isolated == NULL || operation->runs == PAWL_RUNS_ASYNC || effect->bulkhead->limit != 0)
        return PAWL_OK;
    pawl_elsewhere *at = assembly->elsewhere;
    while (at != NULL && at->isolated != plugin->isolated)
        at = at->next;
    if (at == NULL) {
        at = calloc(1, sizeof *at);
        if (at == NULL)
            return no_memory(error);
        at->isolated = plugin->isolated;
        at->bulkhead = pawl_catalog_bulkhead(assembly->catalog, pawl_isolated_threads(plugin->isolated));
        at->next = assembly->elsewhere;
        assembly->elsewhere = at;
    }
    effect->bulkhead = at->bulkhead;
    return at->bulkhead == NULL ? no_memory(error) : PAWL_OK;
}

static pawl_status add_effects(const pawl_profile *profile, const pawl_plugin *plugin, pawl_assembly *assembly,
                               pawl_error *error)
{
    for (size_t i = 0; i < plugin->manifest->effect_count; i++) {
        const pawl_manifest_operation *operation = &plugin->manifest->effects[i];
        pawl_effect effect = {
            .plugin = plugin->manifest->id, .rank = plugin->rank, .host = plugin->host, .effect = plugin->effect};
        if (plugin->isolated != NULL)
            go_elsewhere(&effect, pawl_isolated_effects(plugin->isolated));
        memcpy(effect.digest, plugin->digest, sizeof effect.digest);
        pawl_status status = fill(profile, operation, operation->name, NULL, assembly, &effect, error);
        if (status == PAWL_OK)
            status = share_threads(plugin, operation, assembly, &effect, error);
        if (status == PAWL_OK)
            status = pawl_catalog_add_effect(assembly->catalog, &effect, error);
        if (status != PAWL_OK)
            return status;
    }
    return PAWL_OK;
}

static pawl_status add_rules(const pawl_profile *profile, const pawl_plugin *plugin,
                             const pawl_manifest_process *process, pawl_assembly *assembly, pawl_type *type,
                             pawl_error *error)
{
    pawl_type_rules *rules;
    pawl_status status = pawl_type_rules_make(process, profile->schemas == PAWL_SCHEMAS_ENFORCE, &rules, error);
    if (status != PAWL_OK) {
        (void)pawl_error_wrap(error, "plugin %s", plugin->manifest->id);
        return status;
    }
    type->rules = rules;
    type->contract = rules == NULL || rules->input == NULL ? NULL : &rules->contract;
    if (rules != NULL) {
        rules->next = assembly->rules;
        assembly->rules = rules;
    }
    return PAWL_OK;
}

static pawl_status add_types(const pawl_profile *profile, const pawl_plugin *plugin, pawl_assembly *assembly,
                             pawl_error *error)
{
    for (size_t i = 0; i < plugin->manifest->process_count; i++) {
        const pawl_manifest_process *process = &plugin->manifest->processes[i];
        pawl_type type = {.name = process->name,
                          .revision = process->revision,
                          .plugin = plugin->manifest->id,
                          .rank = plugin->rank,
                          .compatible = process->compatible,
                          .compatible_count = process->compatible_count,
                          .pinned = process->pinned,
                          .recovery = process->recovery,
                          .recovery_attempts = process->recovery_attempts,
                          .program = plugin->process};
        memcpy(type.digest, plugin->digest, sizeof type.digest);
        type.gate = type_gate(assembly, process->name);
        if (type.gate == NULL)
            return no_memory(error);
        pawl_status status = add_rules(profile, plugin, process, assembly, &type, error);
        if (status == PAWL_OK)
            status = pawl_catalog_add_type(assembly->catalog, &type, error);
        if (status != PAWL_OK)
            return status;
    }
    return PAWL_OK;
}

static pawl_status wrap_connector(const pawl_profile *profile, const pawl_profile_connector *connector,
                                  pawl_status status, pawl_error *error)
{
    char place[300];
    pawl_profile_place_text(profile, connector->place, place, sizeof place);
    (void)pawl_error_wrap(error, "%s: connector \"%s\" (%s)", place, connector->name, connector->plugin);
    return status;
}

static pawl_status create_instance(const pawl_profile *profile, pawl_instance *own, pawl_error *error)
{
    if (own->plugin->isolated != NULL) {
        pawl_status made = pawl_isolated_instance(own->plugin->isolated, own->profile->name, own->profile->config,
                                                  &own->instance, error);
        return made == PAWL_OK ? made : wrap_connector(profile, own->profile, made, error);
    }
    char *config = NULL;
    size_t size = 0;
    pawl_status status = pawl_secret_resolve_text(own->profile->config, &config, &size, error);
    if (status != PAWL_OK)
        return wrap_connector(profile, own->profile, status, error);
    pawl_failure_slot why;
    pawl_failure_init(&why);
    status = own->plugin->connector->create(own->plugin->host, pawl_bytes_text(own->profile->name),
                                            (pawl_bytes){config, size}, &own->instance, &why);
    pawl_secret_forget_text(config, size);
    if (status != PAWL_OK) {
        own->instance = NULL;
        if (status > 0)
            status = PAWL_E_FAILED;
        status = wrap_connector(profile, own->profile, pawl_failure_error(&why, status, error), error);
    }
    pawl_failure_finish(&why);
    return status;
}

static pawl_status add_operations(const pawl_profile *profile, const pawl_instance *own, pawl_assembly *assembly,
                                  pawl_error *error)
{
    const pawl_manifest *manifest = own->plugin->manifest;
    for (size_t i = 0; i < manifest->operation_count; i++) {
        const pawl_manifest_operation *operation = &manifest->operations[i];
        char name[NAME_MAX_BYTES];
        snprintf(name, sizeof name, "%s.%s", own->profile->name, operation->name);
        pawl_effect effect = {.plugin = manifest->id,
                              .host = own->plugin->host,
                              .connector = own->plugin->connector,
                              .instance = own->instance,
                              .bulkhead = own->bulkhead};
        if (own->plugin->isolated != NULL)
            go_elsewhere(&effect, own->instance);
        pawl_status status = fill(profile, operation, name, own, assembly, &effect, error);
        if (status == PAWL_OK)
            status = share_threads(own->plugin, operation, assembly, &effect, error);
        if (status == PAWL_OK)
            status = pawl_catalog_add_effect(assembly->catalog, &effect, error);
        if (status != PAWL_OK)
            return wrap_connector(profile, own->profile, status, error);
    }
    return PAWL_OK;
}

static pawl_status add_instance(const pawl_profile *profile, const pawl_plugin_set *plugins, const pawl_log *log,
                                pawl_instance *own, pawl_assembly *assembly, pawl_error *error)
{
    own->plugin = pawl_plugin_set_find(plugins, own->profile->plugin);
    if (own->plugin == NULL) {
        pawl_log_write(log, PAWL_LOG_WARN, "connector left out: its optional plugin is not there", "connector",
                       own->profile->name, "plugin", own->profile->plugin, (char *)NULL);
        return PAWL_OK;
    }
    if ((own->plugin->manifest->kinds & PAWL_KIND_CONNECTOR) == 0) {
        (void)pawl_error_set(error, PAWL_E_UNSUPPORTED, "connector.not_offered",
                             "the plugin has no connector; name one that has");
        return wrap_connector(profile, own->profile, PAWL_E_UNSUPPORTED, error);
    }
    own->gate.name = own->profile->name;
    own->bulkhead =
        pawl_catalog_bulkhead(assembly->catalog, own->plugin->manifest->shared ? own->profile->concurrency : 1);
    if (own->bulkhead == NULL ||
        pawl_guards_of_instance(&assembly->guards, own->profile, own->bulkhead->limit, &own->guards) != PAWL_OK)
        return no_memory(error);
    pawl_status status = create_instance(profile, own, error);
    return status == PAWL_OK ? add_operations(profile, own, assembly, error) : status;
}

pawl_status pawl_assemble(const pawl_profile *profile, const pawl_plugin_set *plugins, const pawl_clock *clock,
                          const pawl_log *log, pawl_assembly *ret, pawl_error *error)
{
    pawl_assembly assembly = {.catalog = pawl_catalog_create(), .instance_count = profile->connector_count};
    assembly.instances = calloc(profile->connector_count + 1, sizeof *assembly.instances);
    pawl_status status = PAWL_OK;
    if (assembly.catalog == NULL || assembly.instances == NULL)
        status = no_memory(error);
    if (status == PAWL_OK)
        status = pawl_around_make(profile, plugins, clock, log, &assembly.guards, &assembly.around, error);
    if (status == PAWL_OK)
        status = add_builtins(profile, &assembly, error);
    for (size_t i = 0; status == PAWL_OK && i < pawl_plugin_set_count(plugins); i++) {
        const pawl_plugin *plugin = pawl_plugin_set_at(plugins, i);
        status = add_effects(profile, plugin, &assembly, error);
        if (status == PAWL_OK)
            status = add_types(profile, plugin, &assembly, error);
    }
    for (size_t i = 0; status == PAWL_OK && i < profile->connector_count; i++) {
        assembly.instances[i].profile = &profile->connectors[i];
        status = add_instance(profile, plugins, log, &assembly.instances[i], &assembly, error);
    }
    if (status != PAWL_OK)
        pawl_assembly_finish(&assembly);
    else
        *ret = assembly;
    return status;
}

void pawl_assembly_finish(pawl_assembly *assembly)
{
    if (assembly->instances != NULL)
        for (size_t i = assembly->instance_count; i-- > 0;)
            if (assembly->instances[i].instance != NULL && assembly->instances[i].plugin->connector != NULL &&
                assembly->instances[i].plugin->connector->destroy != NULL)
                assembly->instances[i].plugin->connector->destroy(assembly->instances[i].instance);
    free(assembly->instances);
    pawl_catalog_destroy(assembly->catalog);
    pawl_guard_set_finish(&assembly->guards);
    pawl_around_finish(&assembly->around);
    pawl_type_rules_finish(assembly->rules);
    pawl_effect_rules_finish(assembly->effect_rules);
    for (pawl_elsewhere *at = assembly->elsewhere, *next; at != NULL; at = next) {
        next = at->next;
        free(at);
    }
    for (pawl_type_gate *at = assembly->type_gates, *next; at != NULL; at = next) {
        next = at->next;
        free(at);
    }
    *assembly = (pawl_assembly){0};
}
