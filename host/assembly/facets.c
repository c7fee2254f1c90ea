/* facets.c: see facets.h. */
#include "host/assembly/facets.h"

#include "host/profile/secret.h"
#include "worker/base/sink.h"

#include <stdlib.h>
#include <string.h>

const char *pawl_facet_name(uint32_t facet)
{
    static const char *const names[PAWL_FACET_COUNT] = {"attachment", "artifact", "session", "process_registry"};
    return facet < PAWL_FACET_COUNT ? names[facet] : "?";
}

void pawl_tier_need_raise(pawl_tier_need *need, const pawl_manifest *manifest)
{
    for (size_t i = 0; i < manifest->process_count; i++) {
        const pawl_manifest_process *process = &manifest->processes[i];
        if (process->tier_given && process->tier > need->tier)
            *need = (pawl_tier_need){process->tier, process->name};
    }
}

static pawl_status wrap_store(const pawl_profile *profile, const pawl_profile_store *store, pawl_status status,
                              pawl_error *error)
{
    char place[300];
    pawl_profile_place_text(profile, store->place, place, sizeof place);
    (void)pawl_error_wrap(error, "%s: store \"%s\" (%s)", place, store->name, store->provider);
    return status;
}

static bool offers(const pawl_plugin *plugin, uint32_t facet)
{
    if (plugin->storage == NULL || (plugin->storage->facets & (1u << facet)) == 0)
        return false;
    const void *const tables[PAWL_FACET_COUNT] = {plugin->attachment, plugin->artifact, plugin->session,
                                                  plugin->registry};
    return tables[facet] != NULL;
}

static pawl_status not_offered(const pawl_profile *profile, uint32_t facet, pawl_error *error)
{
    const pawl_profile_store *store = profile->facets[facet].store;
    (void)pawl_error_set(error, PAWL_E_UNSUPPORTED, "facet.not_offered",
                         "its provider does not offer the %s facet; give that facet to another store",
                         pawl_facet_name(facet));
    return wrap_store(profile, store, PAWL_E_UNSUPPORTED, error);
}

/* What a loaded provider says, but never more than its manifest promises. */
static pawl_status ask(const pawl_profile *profile, uint32_t facet, const pawl_plugin *plugin, uint32_t *ret,
                       pawl_error *error)
{
    const pawl_profile_store *store = profile->facets[facet].store;
    if (!offers(plugin, facet))
        return not_offered(profile, facet, error);
    char *config = NULL;
    size_t size = 0;
    pawl_status status = pawl_secret_resolve_text(store->config, &config, &size, error);
    if (status != PAWL_OK)
        return wrap_store(profile, store, status, error);
    pawl_failure_slot why;
    pawl_failure_init(&why);
    uint32_t tier = PAWL_TIER_INLINE;
    status = plugin->storage->tier((pawl_bytes){config, size}, facet, &tier, &why);
    if (status < 0)
        status = wrap_store(profile, store, pawl_failure_error(&why, status, error), error);
    pawl_failure_finish(&why);
    pawl_secret_forget_text(config, size);
    uint32_t promised = plugin->manifest->tiers[facet];
    *ret = tier < promised ? tier : promised;
    return status < 0 ? status : PAWL_OK;
}

static void refuse(const pawl_profile *profile, const pawl_tier_need *need, const uint32_t tiers[PAWL_FACET_COUNT],
                   const bool judged[PAWL_FACET_COUNT], pawl_error *error)
{
    pawl_sink text;
    char code[64] = "";
    pawl_sink_init(&text, sizeof error->message);
    for (uint32_t facet = 0; facet < PAWL_FACET_COUNT; facet++) {
        if (!judged[facet] || tiers[facet] >= need->tier)
            continue;
        const pawl_profile_store *store = profile->facets[facet].store;
        const char *const parts[] = {text.size == 0 ? "" : "; ",
                                     "facet ",
                                     pawl_facet_name(facet),
                                     ": store \"",
                                     store->name,
                                     "\" (",
                                     store->provider,
                                     ") gives ",
                                     pawl_manifest_tier_name(tiers[facet]),
                                     ", required is ",
                                     pawl_manifest_tier_name(need->tier)};
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            (void)pawl_sink_write(&text, parts[i], strlen(parts[i]));
        if (code[0] == '\0')
            snprintf(code, sizeof code, "durable_store_required:%s", pawl_facet_name(facet));
    }
    (void)pawl_error_set(error, PAWL_E_UNSUPPORTED, code,
                         "%s (by %s%s). Use a store that keeps this promise, or lower the tier", pawl_sink_text(&text),
                         need->type == NULL ? "the profile" : "process type ", need->type == NULL ? "" : need->type);
    pawl_sink_finish(&text);
}

pawl_status pawl_facets_judge(const pawl_profile *profile, const pawl_tier_need *need,
                              const pawl_facet_provider providers[PAWL_FACET_COUNT], uint32_t tiers[PAWL_FACET_COUNT],
                              pawl_error *error)
{
    bool judged[PAWL_FACET_COUNT] = {false};
    bool failed = false;
    for (uint32_t facet = 0; facet < PAWL_FACET_COUNT; facet++) {
        const pawl_facet_provider *provider = &providers[facet];
        tiers[facet] = PAWL_TIER_INLINE;
        judged[facet] = provider->plugin != NULL || provider->manifest != NULL;
        if (provider->plugin != NULL) {
            pawl_status status = ask(profile, facet, provider->plugin, &tiers[facet], error);
            if (status != PAWL_OK)
                return status;
        } else if (provider->manifest != NULL) {
            if ((provider->manifest->facets & (1u << facet)) == 0)
                return not_offered(profile, facet, error);
            tiers[facet] = provider->manifest->tiers[facet];
        }
        failed = failed || (judged[facet] && tiers[facet] < need->tier);
    }
    if (!failed)
        return PAWL_OK;
    refuse(profile, need, tiers, judged, error);
    return PAWL_E_UNSUPPORTED;
}

#define RECORD_FRAME_BYTES (64u << 10) /* what a record may hold beside its value: names, digests, a failure */

/* The settings of a store. Pawl's own providers get the profile's limits, unless the store says otherwise: a limit that
 * one room allows and the next refuses would be a trap. NULL: out of memory. */
static json_t *config_of(const pawl_profile *profile, const pawl_profile_store *store)
{
    json_t *config = store->config == NULL ? json_object() : json_copy(store->config);
    if (strcmp(store->provider, "rocksdb") != 0 && strcmp(store->provider, "memory") != 0)
        return config;
    const struct {
        const char *key;
        uint64_t bytes;
    } limits[] = {{"value_bytes_max", profile->limits.value_bytes + RECORD_FRAME_BYTES},
                  {"journal_bytes_max", profile->limits.journal_max_bytes}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (json_object_get(config, limits[i].key) == NULL)
            (void)json_object_set_new(config, limits[i].key, json_integer((json_int_t)limits[i].bytes));
    return config;
}

pawl_status pawl_facets_config(const pawl_profile *profile, const pawl_profile_store *store, char **ret, size_t *size,
                               pawl_error *error)
{
    json_t *wanted = config_of(profile, store);
    pawl_status status = pawl_secret_resolve_text(wanted, ret, size, error);
    json_decref(wanted);
    return status == PAWL_OK ? status : wrap_store(profile, store, status, error);
}

pawl_status pawl_facets_failed(const pawl_profile *profile, const pawl_profile_store *store,
                               const pawl_failure_slot *why, pawl_status status, pawl_error *error)
{
    return wrap_store(profile, store, pawl_failure_error(why, status < 0 ? status : PAWL_E_FAILED, error), error);
}

static pawl_status open_store(const pawl_profile *profile, pawl_open_store *open, pawl_error *error)
{
    char *config = NULL;
    size_t size = 0;
    pawl_status status = pawl_facets_config(profile, open->profile, &config, &size, error);
    if (status != PAWL_OK)
        return status;
    pawl_failure_slot why;
    pawl_failure_init(&why);
    status = open->plugin->storage->open(open->plugin->host, (pawl_bytes){config, size}, &open->store, &why);
    pawl_secret_forget_text(config, size);
    if (status != PAWL_OK || open->store == NULL) {
        open->store = NULL;
        status = pawl_facets_failed(profile, open->profile, &why, status, error);
    }
    pawl_failure_finish(&why);
    return status;
}

pawl_status pawl_facets_open(const pawl_profile *profile, const pawl_facet_provider providers[PAWL_FACET_COUNT],
                             const uint32_t tiers[PAWL_FACET_COUNT], pawl_facets *ret, pawl_error *error)
{
    pawl_facets facets = {.store_count = profile->store_count};
    facets.stores = calloc(profile->store_count, sizeof *facets.stores);
    if (facets.stores == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while opening the stores");
    memcpy(facets.tiers, tiers, sizeof facets.tiers);
    for (size_t i = 0; i < profile->store_count; i++)
        facets.stores[i].profile = &profile->stores[i];
    for (uint32_t facet = 0; facet < PAWL_FACET_COUNT; facet++) {
        pawl_open_store *open = &facets.stores[profile->facets[facet].store - profile->stores];
        open->plugin = providers[facet].plugin;
        facets.facet[facet] = open;
        if (open->store != NULL)
            continue;
        pawl_status status = open_store(profile, open, error);
        if (status != PAWL_OK) {
            pawl_facets_close(&facets);
            return status;
        }
    }
    *ret = facets;
    return PAWL_OK;
}

void pawl_facets_close(pawl_facets *facets)
{
    for (size_t i = facets->store_count; i-- > 0;)
        if (facets->stores[i].store != NULL)
            facets->stores[i].plugin->storage->close(facets->stores[i].store);
    free(facets->stores);
    *facets = (pawl_facets){0};
}
