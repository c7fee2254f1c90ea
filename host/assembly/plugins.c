/* plugins.c: see plugins.h. */
#include "host/assembly/plugins.h"

#include "host/isolate/isolate.h"
#include "host/profile/secret.h"
#include "host/schedule/spec.h"
#include "plugins/memory/memory.h"
#include "plugins/rocksdb/rocksdb.h"
#include "worker/base/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *provider; /* as the profile names it */
    const char *id;
    pawl_plugin_entry_fn entry;
} built_in[] = {
    {"memory", "pawl.memory", pawl_memory_plugin},
    {"rocksdb", "pawl.rocksdb", pawl_rocksdb_plugin},
};
#define BUILT_IN_COUNT (sizeof built_in / sizeof *built_in)

static pawl_status no_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while loading plugins");
}

static const pawl_host_root *make_root(void *context, const char *plugin_id)
{
    return pawl_roots_add(&((pawl_host *)context)->roots, plugin_id);
}

static void left_out(void *context, const pawl_plugin_request *request, const pawl_error *why)
{
    const pawl_host *host = context;
    pawl_log_write(&host->log, PAWL_LOG_WARN, "optional plugin left out", "plugin",
                   request->path == NULL ? "(linked in)" : request->path, "code", why->code, "why", why->message,
                   (char *)NULL);
}

/* The first that is isolated brings what all of them need. */
static pawl_status isolate(void *context, const pawl_plugin_request *request, const pawl_plugin *plugin,
                           struct pawl_isolated **ret, pawl_error *error)
{
    pawl_host *host = context;
    const pawl_profile *profile = host->profile;
    const pawl_isolation_config config = {.log = &host->log,
                                          .threads = profile->worker.effect_threads,
                                          .output_max = profile->limits.value_bytes,
                                          .grace_ns = profile->timeouts.cancel_grace_ns};
    const pawl_isolated_request wanted = {.manifest = plugin->manifest,
                                          .subject = plugin->path,
                                          .copy_path = plugin->copy_path,
                                          .profile = request->isolation,
                                          .host = plugin->host};
    pawl_status status = host->isolation == NULL ? pawl_isolation_create(&config, &host->isolation, error) : PAWL_OK;
    return status == PAWL_OK ? pawl_isolated_open(host->isolation, &wanted, ret, error) : status;
}

static void end_isolated(void *context, struct pawl_isolated *isolated)
{
    (void)context;
    (void)pawl_isolated_close(isolated);
}

static pawl_loader_options loader_options(pawl_host *host)
{
    pawl_loader_options options = {.file_bytes_max = host->profile->limits.plugin_file_bytes,
                                   .root_for = make_root,
                                   .root_context = host,
                                   .left_out = left_out,
                                   .left_out_context = host,
                                   .isolate = isolate,
                                   .end_isolated = end_isolated,
                                   .isolate_context = host};
    return options;
}

static bool uses_provider(const pawl_profile *profile, const char *provider)
{
    for (uint32_t facet = 0; facet < PAWL_FACET_COUNT; facet++)
        if (strcmp(profile->facets[facet].store->provider, provider) == 0)
            return true;
    return false;
}

pawl_status pawl_plugins_load_built_in(pawl_host *host, pawl_error *error)
{
    pawl_plugin_request requests[BUILT_IN_COUNT] = {0};
    size_t count = 0;
    for (size_t i = 0; i < BUILT_IN_COUNT; i++)
        if (uses_provider(host->profile, built_in[i].provider))
            requests[count++].entry = built_in[i].entry;
    pawl_loader_options options = loader_options(host);
    return pawl_loader_load(requests, count, host->profile->data, host->root, &options, &host->built_in, error);
}

/* ---- what is declared ---- */

static void declare_linked_in(pawl_declared *declared, pawl_plugin_entry_fn entry)
{
    declared->entry = entry;
    const pawl_plugin_root *root = entry == NULL ? NULL : entry();
    if (root == NULL || !PAWL_HAS(root, pawl_plugin_root, manifest_json) || root->manifest_json.data == NULL)
        return;
    if (pawl_manifest_parse(root->manifest_json, &declared->linked_in, NULL) == PAWL_OK)
        declared->manifest = declared->linked_in;
}

static void declare_file(pawl_declared *declared, const pawl_profile_plugin *profile,
                         const pawl_loader_options *options)
{
    declared->profile = profile;
    if (pawl_loader_inspect(profile->path, options, &declared->facts, NULL) == PAWL_OK)
        declared->manifest = declared->facts.manifest;
}

static pawl_status check_ids(const pawl_declared_list *list, pawl_error *error)
{
    for (size_t i = 0; i < list->count; i++)
        for (size_t j = 0; j < BUILT_IN_COUNT; j++)
            if (list->items[i].manifest != NULL && strcmp(list->items[i].manifest->id, built_in[j].id) == 0)
                return pawl_error_set(error, PAWL_E_CONFLICT, "loader.duplicate_plugin",
                                      "%s: its id \"%s\" belongs to the storage linked into Pawl; it needs another id",
                                      list->items[i].profile == NULL ? "(linked in)" : list->items[i].profile->path,
                                      built_in[j].id);
    return PAWL_OK;
}

pawl_status pawl_plugins_declare(pawl_host *host, const pawl_host_options *options, pawl_declared_list *ret,
                                 pawl_error *error)
{
    const pawl_profile *profile = host->profile;
    pawl_loader_options loader = loader_options(host);
    pawl_declared_list list = {0};
    list.items = calloc(options->static_plugin_count + profile->plugin_count + 1, sizeof *list.items);
    if (list.items == NULL)
        return no_memory(error);
    for (size_t i = 0; i < options->static_plugin_count; i++)
        declare_linked_in(&list.items[list.count++], options->static_plugins[i]);
    for (size_t i = 0; i < profile->plugin_count; i++)
        declare_file(&list.items[list.count++], &profile->plugins[i], &loader);
    pawl_status status = check_ids(&list, error);
    if (status == PAWL_OK)
        *ret = list;
    else
        pawl_plugins_forget(&list);
    return status;
}

void pawl_plugins_forget(pawl_declared_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].profile != NULL)
            pawl_plugin_facts_finish(&list->items[i].facts);
        pawl_manifest_destroy(list->items[i].linked_in);
    }
    free(list->items);
    *list = (pawl_declared_list){0};
}

/* ---- loading ---- */

typedef struct requests {
    pawl_plugin_request *items;
    char **configs;
    size_t *sizes;
    char (*places)[300];
    size_t count;
} requests;

static void forget_requests(requests *list)
{
    for (size_t i = 0; list->configs != NULL && i < list->count; i++)
        pawl_secret_forget_text(list->configs[i], list->sizes[i]);
    free(list->items);
    free(list->configs);
    free(list->sizes);
    free(list->places);
}

static pawl_status request_file(pawl_host *host, const pawl_profile_plugin *plugin, requests *list, size_t i,
                                pawl_error *error)
{
    pawl_profile_place_text(host->profile, plugin->place, list->places[i], sizeof list->places[i]);
    pawl_status status = pawl_secret_resolve_text(plugin->config, &list->configs[i], &list->sizes[i], error);
    if (status != PAWL_OK) {
        (void)pawl_error_wrap(error, "%s: plugin %s", list->places[i], plugin->path);
        return status;
    }
    list->items[i] = (pawl_plugin_request){.path = plugin->path,
                                           .sha256 = plugin->sha256,
                                           .dev = plugin->dev,
                                           .optional = plugin->optional,
                                           .current = plugin->current,
                                           .config_json = list->configs[i],
                                           .place = list->places[i],
                                           .isolation = plugin->isolation == PAWL_ISOLATION_PROCESS ? plugin : NULL};
    return PAWL_OK;
}

static pawl_status make_requests(pawl_host *host, const pawl_declared_list *declared, requests *list, pawl_error *error)
{
    list->count = declared->count;
    list->items = calloc(list->count + 1, sizeof *list->items);
    list->configs = calloc(list->count + 1, sizeof *list->configs);
    list->sizes = calloc(list->count + 1, sizeof *list->sizes);
    list->places = calloc(list->count + 1, sizeof *list->places);
    if (list->items == NULL || list->configs == NULL || list->sizes == NULL || list->places == NULL)
        return no_memory(error);
    pawl_status status = PAWL_OK;
    for (size_t i = 0; status == PAWL_OK && i < list->count; i++) {
        if (declared->items[i].profile == NULL)
            list->items[i].entry = declared->items[i].entry;
        else
            status = request_file(host, declared->items[i].profile, list, i, error);
    }
    return status;
}

/* ---- the profile's names against what is offered ---- */

typedef struct names {
    pawl_arena arena;
    const char **items; /* NULL-terminated */
    size_t count;
    size_t room;
    bool failed;
} names;

static void add_name(names *list, const char *first, const char *second)
{
    if (list->count + 2 > list->room) {
        size_t room = list->room == 0 ? 32 : list->room * 2;
        const char **items = realloc(list->items, room * sizeof *items);
        if (items == NULL) {
            list->failed = true;
            return;
        }
        list->items = items;
        list->room = room;
    }
    size_t size = strlen(first) + strlen(second) + 2;
    char *name = pawl_arena_alloc(&list->arena, size);
    list->failed = list->failed || name == NULL;
    if (name == NULL)
        return;
    snprintf(name, size, "%s%s%s", first, second[0] == '\0' ? "" : ".", second);
    list->items[list->count++] = name;
    list->items[list->count] = NULL;
}

static void finish_names(names *list)
{
    pawl_arena_finish(&list->arena);
    free(list->items);
}

/* What plugins can offer that a profile names: providers, connectors, effects, types, middleware, observers. */
#define OFFERS 6

static void add_offers(const pawl_profile *profile, const pawl_manifest *manifest, names lists[OFFERS])
{
    if ((manifest->kinds & PAWL_KIND_MIDDLEWARE) != 0)
        add_name(&lists[4], manifest->id, "");
    if ((manifest->kinds & PAWL_KIND_OBSERVER) != 0)
        add_name(&lists[5], manifest->id, "");
    if ((manifest->kinds & PAWL_KIND_STORAGE) != 0)
        add_name(&lists[0], manifest->id, "");
    if ((manifest->kinds & PAWL_KIND_CONNECTOR) != 0)
        add_name(&lists[1], manifest->id, "");
    for (size_t i = 0; i < manifest->effect_count; i++)
        add_name(&lists[2], manifest->effects[i].name, "");
    for (size_t i = 0; i < profile->connector_count; i++)
        if (strcmp(profile->connectors[i].plugin, manifest->id) == 0)
            for (size_t j = 0; j < manifest->operation_count; j++)
                add_name(&lists[2], profile->connectors[i].name, manifest->operations[j].name);
    for (size_t i = 0; i < manifest->process_count; i++)
        add_name(&lists[3], manifest->processes[i].name, "");
}

/* Against what is declared, so that a name of an optional plugin that was left out is not called unknown. */
static pawl_status check_names(pawl_host *host, const pawl_declared_list *declared, pawl_error *error)
{
    static const char *const none[] = {NULL};
    names lists[OFFERS] = {0};
    const char *const *offers[OFFERS];
    bool failed = false;
    for (size_t i = 0; i < declared->count; i++)
        if (declared->items[i].manifest != NULL)
            add_offers(host->profile, declared->items[i].manifest, lists);
    add_name(&lists[3], PAWL_SCHEDULE_TYPE, "");
    for (size_t i = 0; i < OFFERS; i++) {
        failed = failed || lists[i].failed;
        offers[i] = lists[i].items == NULL ? none : (const char *const *)lists[i].items;
    }
    pawl_profile_known known = {offers[0], offers[1], offers[2], offers[3], offers[4], offers[5]};
    pawl_problem_list problems = {0};
    pawl_status status = failed ? no_memory(error) : pawl_profile_check_known(host->profile, &known, &problems);
    if (!failed && status != PAWL_OK) {
        char *text = pawl_problems_text(&problems);
        (void)pawl_error_set(error, status, problems.count > 0 ? problems.items[0].code : "profile.invalid", "%s",
                             text == NULL ? "the profile names what no plugin offers" : text);
        free(text);
    }
    pawl_problems_free(&problems);
    for (size_t i = 0; i < OFFERS; i++)
        finish_names(&lists[i]);
    return status;
}

pawl_status pawl_plugins_load(pawl_host *host, const pawl_declared_list *declared, pawl_error *error)
{
    requests list = {0};
    pawl_loader_options options = loader_options(host);
    pawl_status status = make_requests(host, declared, &list, error);
    if (status == PAWL_OK)
        status =
            pawl_loader_load(list.items, list.count, host->profile->data, host->root, &options, &host->plugins, error);
    forget_requests(&list);
    return status == PAWL_OK ? check_names(host, declared, error) : status;
}

void pawl_plugins_providers(const pawl_host *host, const pawl_declared_list *declared,
                            pawl_facet_provider ret[PAWL_FACET_COUNT])
{
    for (uint32_t facet = 0; facet < PAWL_FACET_COUNT; facet++) {
        const char *id = host->profile->facets[facet].store->provider;
        ret[facet] = (pawl_facet_provider){0};
        for (size_t i = 0; i < BUILT_IN_COUNT; i++)
            if (strcmp(id, built_in[i].provider) == 0)
                ret[facet].plugin = pawl_plugin_set_find(host->built_in, built_in[i].id);
        if (ret[facet].plugin == NULL && host->plugins != NULL)
            ret[facet].plugin = pawl_plugin_set_find(host->plugins, id);
        for (size_t i = 0; ret[facet].plugin == NULL && i < declared->count; i++)
            if (declared->items[i].manifest != NULL && strcmp(declared->items[i].manifest->id, id) == 0)
                ret[facet].manifest = declared->items[i].manifest;
    }
}

/* ---- artifacts ---- */

static pawl_status read_file(const char *path, pawl_sink *into, pawl_error *error)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return pawl_error_set(error, PAWL_E_IO, "plugin.unreadable", "%s: %s", path, strerror(errno));
    char chunk[65536];
    pawl_status status = PAWL_OK;
    for (size_t size; status == PAWL_OK && (size = fread(chunk, 1, sizeof chunk, file)) > 0;)
        status = pawl_sink_write(into, chunk, size);
    if (status != PAWL_OK || ferror(file))
        status = pawl_error_set(error, status == PAWL_OK ? PAWL_E_IO : status, "plugin.unreadable",
                                "%s: it could not be read whole", path);
    fclose(file);
    return status;
}

static pawl_status keep_one(pawl_host *host, const pawl_plugin *plugin, pawl_error *error)
{
    const pawl_open_store *open = host->facets.facet[PAWL_FACET_ARTIFACT];
    const pawl_artifact_table *table = open->plugin->artifact;
    pawl_sink content;
    pawl_sink_init(&content, SIZE_MAX);
    pawl_status status = read_file(plugin->copy_path, &content, error);
    pawl_failure_slot why;
    pawl_failure_init(&why);
    uint8_t digest[32];
    if (status == PAWL_OK) {
        status = table->put(open->store, pawl_bytes_text("plugin"), pawl_sink_bytes(&content), digest, &why);
        if (status == PAWL_OK)
            status = table->hold(open->store, digest, pawl_bytes_text(host->profile->name), &why);
        if (status != PAWL_OK)
            status = pawl_failure_error(&why, status < 0 ? status : PAWL_E_FAILED, error);
        else if (memcmp(digest, plugin->digest, sizeof digest) != 0)
            status = pawl_error_set(error, PAWL_E_CORRUPT, "artifact.digest",
                                    "the copy is not what was loaded; remove it and start again");
    }
    if (status != PAWL_OK)
        (void)pawl_error_wrap(error, "keeping plugin %s as an artifact", plugin->path);
    pawl_failure_finish(&why);
    pawl_sink_finish(&content);
    return status;
}

pawl_status pawl_plugins_keep(pawl_host *host, pawl_error *error)
{
    for (size_t i = 0; i < pawl_plugin_set_count(host->plugins); i++) {
        const pawl_plugin *plugin = pawl_plugin_set_at(host->plugins, i);
        pawl_status status = plugin->copy_path == NULL ? PAWL_OK : keep_one(host, plugin, error);
        if (status != PAWL_OK)
            return status;
    }
    return PAWL_OK;
}
