/* open.c: see open.h. The order is the promise of pawl_host_open: everything that can be judged is judged
 * before anything is opened, and nothing is claimed before everything is open. */
#include "host/assembly/open.h"

#include "host/assembly/plugins.h"
#include "host/care/upkeep.h"
#include "host/isolate/isolate.h"
#include "host/operation/return.h"
#include "host/operation/schedule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STOP_PATIENCE_PAUSES 200 /* of 5 ms */
#define KILL_PATIENCE_PAUSES                                                                                           \
    1000 /* until the ends of isolated plugins that were killed are known, on a busy machine                           \
          */

static pawl_status profile_error(const pawl_problem_list *problems, pawl_status status, pawl_error *error)
{
    char *text = pawl_problems_text(problems);
    const char *code = problems->count > 0 ? problems->items[0].code : "profile.invalid";
    size_t size = text == NULL ? 0 : strlen(text);
    if (size > 0 && text[size - 1] == '\n')
        text[size - 1] = '\0';
    (void)pawl_error_set(error, status, code, "%s", text == NULL ? "out of memory" : text);
    free(text);
    return status;
}

static pawl_status read_profile(pawl_host *host, const pawl_host_options *options, pawl_error *error)
{
    if ((options->profile_path == NULL) == (options->profile_text == NULL))
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "give either profile_path or profile_text");
    pawl_problem_list problems = {0};
    pawl_status status = options->profile_path != NULL
                             ? pawl_profile_load(options->profile_path, &host->profile, &problems)
                             : pawl_profile_parse(options->profile_text, strlen(options->profile_text), "(profile)",
                                                  NULL, 0, &host->profile, &problems);
    if (status != PAWL_OK)
        status = profile_error(&problems, status, error);
    pawl_problems_free(&problems);
    return status;
}

static void begin_log(pawl_host *host, const pawl_host_options *options)
{
    host->log = (pawl_log){.level = host->profile->log.level,
                           .json = host->profile->log.json,
                           .line = options->log,
                           .context = options->log_context};
}

/* Make a directory and those above it, readable by this user only. */
static pawl_status make_directory(const char *path, pawl_error *error)
{
    char *copy = strdup(path);
    if (copy == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while opening the host");
    pawl_status status = PAWL_OK;
    for (char *at = copy + 1; status == PAWL_OK; at++) {
        char end = *at;
        if (end != '/' && end != '\0')
            continue;
        *at = '\0';
        if (mkdir(copy, 0700) != 0 && errno != EEXIST)
            status = pawl_error_set(error, PAWL_E_IO, "data.unwritable", "data directory %s: cannot make %s: %s", path,
                                    copy, strerror(errno));
        *at = end;
        if (end == '\0')
            break;
    }
    free(copy);
    return status;
}

static bool needs_data(const pawl_profile *profile)
{
    bool needed = profile->plugin_count > 0;
    for (uint32_t facet = 0; facet < PAWL_FACET_COUNT; facet++)
        needed = needed || strcmp(profile->facets[facet].store->provider, "memory") != 0;
    return needed;
}

/* First what is declared is judged, then the plugins are loaded, then what they say of themselves is judged. */
static pawl_status load(pawl_host *host, const pawl_host_options *options, pawl_facet_provider *providers,
                        uint32_t *tiers, pawl_error *error)
{
    pawl_declared_list declared = {0};
    pawl_tier_need need = {host->profile->tier, NULL};
    pawl_status status = pawl_plugins_load_built_in(host, error);
    if (status == PAWL_OK)
        status = pawl_plugins_declare(host, options, &declared, error);
    for (size_t i = 0; status == PAWL_OK && i < declared.count; i++) {
        const pawl_declared *plugin = &declared.items[i];
        bool certain = plugin->profile == NULL || !plugin->profile->optional;
        if (plugin->manifest != NULL && certain)
            pawl_tier_need_raise(&need, plugin->manifest);
    }
    if (status == PAWL_OK) {
        pawl_plugins_providers(host, &declared, providers);
        status = pawl_facets_judge(host->profile, &need, providers, tiers, error);
    }
    if (status == PAWL_OK && needs_data(host->profile))
        status = make_directory(host->profile->data, error);
    if (status == PAWL_OK)
        status = pawl_plugins_load(host, &declared, error);
    if (status == PAWL_OK) {
        for (size_t i = 0; i < pawl_plugin_set_count(host->plugins); i++)
            pawl_tier_need_raise(&need, pawl_plugin_set_at(host->plugins, i)->manifest);
        pawl_plugins_providers(host, &declared, providers);
        status = pawl_facets_judge(host->profile, &need, providers, tiers, error);
    }
    for (uint32_t facet = 0; status == PAWL_OK && facet < PAWL_FACET_COUNT; facet++)
        if (providers[facet].plugin == NULL)
            status = pawl_error_set(error, PAWL_E_NOT_FOUND, "facet.no_provider",
                                    "the %s facet has no provider: plugin \"%s\" was left out", pawl_facet_name(facet),
                                    host->profile->facets[facet].store->provider);
    pawl_plugins_forget(&declared);
    return status;
}

static pawl_status open_stores(pawl_host *host, const pawl_facet_provider *providers, const uint32_t *tiers,
                               pawl_error *error)
{
    pawl_status status = pawl_facets_open(host->profile, providers, tiers, &host->facets, error);
    if (status != PAWL_OK)
        return status;
    const pawl_open_store *registry = host->facets.facet[PAWL_FACET_REGISTRY];
    host->registry = (pawl_registry){.table = *registry->plugin->registry, .store = registry->store};
    const pawl_open_store *attachment = host->facets.facet[PAWL_FACET_ATTACHMENT];
    const pawl_open_store *session = host->facets.facet[PAWL_FACET_SESSION];
    pawl_attachments_open(&host->attachments, attachment->plugin->attachment, attachment->store,
                          session->plugin->session, session->store);
    return PAWL_OK;
}

static uint64_t interval_of(const pawl_profile_rate *rate)
{
    uint64_t interval = rate->written ? rate->per_ns / rate->rate : 0;
    return rate->written && interval == 0 ? 1 : interval;
}

static uint32_t burst_of(const pawl_profile_rate *rate)
{
    return !rate->written ? 0 : rate->burst == 0 ? rate->rate : rate->burst;
}

/* NULL: out of memory. */
static pawl_worker_limits *make_limits(const pawl_profile *profile, size_t *count)
{
    pawl_worker_limits *made = calloc(profile->type_count + 1, sizeof *made);
    for (size_t i = 0; made != NULL && i < profile->type_count; i++) {
        const pawl_profile_type *from = &profile->types[i];
        made[i].type = from->name;
        made[i].limits = (pawl_type_limits){.struct_size = sizeof made[i].limits,
                                            .concurrency = from->whole.concurrency,
                                            .rate_interval_ns = interval_of(&from->whole.rate_limit),
                                            .rate_burst = burst_of(&from->whole.rate_limit),
                                            .key_concurrency = from->per_key.concurrency,
                                            .key_rate_interval_ns = interval_of(&from->per_key.rate_limit),
                                            .key_rate_burst = burst_of(&from->per_key.rate_limit)};
    }
    *count = profile->type_count;
    return made;
}

/* Where the worker notes what it runs, beside what the host keeps; NULL when this host keeps nothing. */
static const char *flight_path(pawl_host *host)
{
    int size = snprintf(host->flight_path, sizeof host->flight_path, "%s/flight", host->profile->data);
    bool whole = size > 0 && (size_t)size < sizeof host->flight_path;
    return needs_data(host->profile) && whole ? host->flight_path : NULL;
}

static pawl_status start_worker(pawl_host *host, const pawl_host_options *options, pawl_error *error)
{
    const pawl_profile *profile = host->profile;
    if (options->no_worker != 0 || !profile->worker.enabled) {
        host->no_worker_because = options->no_worker != 0 ? "this host was opened without a worker"
                                                          : "this host's worker is turned off (worker.enabled)";
        return PAWL_OK;
    }
    size_t limit_count = 0;
    host->limits = make_limits(profile, &limit_count);
    if (host->limits == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while opening the host");
    snprintf(host->worker_name, sizeof host->worker_name, "%s:%ld", profile->worker.name, (long)getpid());
    pawl_worker_config config = {.name = host->worker_name,
                                 .profile = host->profile->name,
                                 .registry = &host->registry,
                                 .flight_path = flight_path(host),
                                 .catalog = host->assembly.catalog,
                                 .attributes = &host->attributes,
                                 .host = host->root,
                                 .clock = host->clock,
                                 .log = &host->log,
                                 .shards = profile->worker.shards,
                                 .effect_threads = profile->worker.effect_threads,
                                 .resident_max = profile->limits.resident,
                                 .effects_queued_max = profile->limits.effects_queued,
                                 .lease_ttl_ns = profile->worker.lease_ttl_ns,
                                 .heartbeat_ns = profile->worker.heartbeat_ns,
                                 .cancel_grace_ns = profile->timeouts.cancel_grace_ns,
                                 .activation_warn_ns = profile->timeouts.activation_warn_ns,
                                 .value_bytes_max = profile->limits.value_bytes,
                                 .journal_warn_bytes = profile->limits.journal_warn_bytes,
                                 .on_end = pawl_follows_tell,
                                 .on_end_context = host,
                                 .observers = host->assembly.around.observers,
                                 .journal_max_bytes = profile->limits.journal_max_bytes,
                                 .limits = host->limits,
                                 .limit_count = limit_count};
    return pawl_worker_start(&config, &host->worker, error);
}

/* The schema of the profile, where a registry keeps such attributes. */
static pawl_status take_attributes(pawl_host *host, pawl_error *error)
{
    const pawl_profile *profile = host->profile;
    if (profile->attribute_count == 0)
        return PAWL_OK;
    if ((host->registry.table.features & PAWL_REGISTRY_ATTRIBUTES) == 0) {
        const pawl_profile_store *store = profile->facets[PAWL_FACET_REGISTRY].store;
        return pawl_error_set(error, PAWL_E_UNSUPPORTED, "store.not_offered",
                              "the profile has search attributes, and store \"%s\" keeps none: its provider, %s, does "
                              "not offer it",
                              store->name, store->provider);
    }
    pawl_attribute *attributes = calloc(profile->attribute_count, sizeof *attributes);
    if (attributes == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while opening the host");
    for (size_t i = 0; i < profile->attribute_count; i++)
        attributes[i] = (pawl_attribute){profile->attributes[i].name, profile->attributes[i].type};
    host->attributes = (pawl_attribute_schema){attributes, profile->attribute_count};
    return PAWL_OK;
}

/* What everything else stands on: profile, log, roots. */
static pawl_status begin(pawl_host *host, const pawl_host_options *options, pawl_error *error)
{
    pawl_status status = read_profile(host, options, error);
    if (status != PAWL_OK)
        return status;
    begin_log(host, options);
    status = pawl_roots_init(&host->roots, host->clock, &host->log, error);
    if (status != PAWL_OK)
        return status;
    host->roots.attachments = &host->attachments;
    host->root = pawl_roots_add(&host->roots, "host");
    if (host->root == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while opening the host");
    return PAWL_OK;
}

pawl_status pawl_host_assemble_providers(pawl_host *host, const pawl_host_options *options,
                                         pawl_facet_provider providers[PAWL_FACET_COUNT], pawl_error *error)
{
    const pawl_declared_list none = {0};
    uint32_t tiers[PAWL_FACET_COUNT];
    pawl_status status = begin(host, options, error);
    if (status == PAWL_OK)
        status = pawl_plugins_load_built_in(host, error);
    if (status != PAWL_OK)
        return status;
    pawl_plugins_providers(host, &none, providers);
    bool all = true;
    for (uint32_t facet = 0; facet < PAWL_FACET_COUNT; facet++)
        all = all && providers[facet].plugin != NULL;
    if (all) /* a connector that does not load must not keep anybody from looking after a store */
        return needs_data(host->profile) ? make_directory(host->profile->data, error) : PAWL_OK;
    host->built_in = pawl_plugin_set_close(host->built_in);
    return load(host, options, providers, tiers, error);
}

pawl_status pawl_host_assemble(pawl_host *host, const pawl_host_options *options, pawl_error *error)
{
    pawl_facet_provider providers[PAWL_FACET_COUNT];
    uint32_t tiers[PAWL_FACET_COUNT];
    pawl_status status = begin(host, options, error);
    if (status == PAWL_OK)
        status = load(host, options, providers, tiers, error);
    if (status == PAWL_OK)
        status = open_stores(host, providers, tiers, error);
    if (status == PAWL_OK)
        status = take_attributes(host, error);
    if (status == PAWL_OK)
        status = pawl_plugins_keep(host, error);
    if (status == PAWL_OK)
        status = pawl_assemble(host->profile, host->plugins, host->clock, &host->log, &host->assembly, error);
    if (status == PAWL_OK)
        status = pawl_pauses_open(host, error);
    if (status == PAWL_OK)
        status = pawl_callbacks_create(&host->callbacks, error);
    if (status == PAWL_OK)
        status = start_worker(host, options, error);
    if (status == PAWL_OK)
        status = pawl_handles_open(host, error);
    if (status == PAWL_OK)
        status = pawl_upkeep_start(host, &host->upkeep, error);
    if (status == PAWL_OK)
        status = pawl_return_start(host, &host->returning, error);
    if (status == PAWL_OK)
        status = pawl_schedules_apply(host, error);
    return status;
}

/* Stop the worker. False when an effect would not return: its plugin, and whatever else it was given, is still used. */
static bool stop_worker(pawl_host *host)
{
    const struct timespec pause = {0, 5 * 1000 * 1000};
    pawl_worker_stats stats;
    if (host->worker == NULL)
        return true;
    pawl_worker_stop(host->worker, PAWL_STOP_ABORT, host->clock->mono_ns(host->clock));
    pawl_worker_get_stats(host->worker, &stats);
    int patience = STOP_PATIENCE_PAUSES + (host->isolation == NULL ? 0 : KILL_PATIENCE_PAUSES);
    for (int i = 0; i < patience && (stats.effects_running > 0 || stats.resident > 0); i++) {
        if (i == STOP_PATIENCE_PAUSES / 2)
            pawl_isolation_abort(host->isolation);
        nanosleep(&pause, NULL); /* it was told to stop, and nobody tells us when it has */
        pawl_worker_get_stats(host->worker, &stats);
    }
    host->worker = pawl_worker_destroy(host->worker);
    return stats.effects_running == 0 && stats.resident == 0;
}

void pawl_host_dismantle(pawl_host *host)
{
    host->returning = pawl_return_stop(host->returning);
    host->upkeep = pawl_upkeep_stop(host->upkeep);
    bool stopped = stop_worker(host);
    host->callbacks = pawl_callbacks_destroy(host->callbacks);
    pawl_attachments_close(&host->attachments);
    if (!stopped) {
        pawl_log_write(&host->log, PAWL_LOG_ERROR,
                       "an effect does not return: its plugin and the stores stay open until the program ends",
                       (char *)NULL);
        return;
    }
    pawl_handles_close(&host->handles);
    pawl_pauses_close(&host->pauses);
    pawl_assembly_finish(&host->assembly);
    pawl_facets_close(&host->facets);
    pawl_attachments_finish(&host->attachments);
    host->plugins = pawl_plugin_set_close(host->plugins);
    host->isolation = pawl_isolation_destroy(host->isolation);
    host->built_in = pawl_plugin_set_close(host->built_in);
    pawl_roots_finish(&host->roots);
    free((void *)(uintptr_t)host->attributes.attributes);
    host->attributes = (pawl_attribute_schema){0};
    host->profile = pawl_profile_free(host->profile);
}
