/* care.c: checking the closed stores of a profile, and what looking after stores needs of a host. See
 * include/pawl/pawl.h for what pawl_care_check promises. */
#include "host/care/care.h"

#include "host/profile/secret.h"
#include "host/view/view.h"
#include "worker/base/sink.h"

#include <stdlib.h>

pawl_status pawl_care_open(pawl_care *care, const pawl_host_options *given, pawl_error *error)
{
    pawl_host_options options;
    *care = (pawl_care){0};
    if (!pawl_take_struct(&options, sizeof options, given))
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "options.struct_size is not set");
    care->host = calloc(1, sizeof *care->host);
    if (care->host == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while looking after a store");
    care->host->clock = pawl_clock_system();
    pawl_status status = pawl_host_assemble_providers(care->host, &options, care->providers, error);
    if (status != PAWL_OK)
        pawl_care_close(care);
    return status;
}

void pawl_care_close(pawl_care *care)
{
    if (care->host != NULL)
        pawl_host_dismantle(care->host);
    free(care->host);
    care->host = NULL;
}

const pawl_plugin *pawl_care_provider(const pawl_care *care, const pawl_profile_store *store)
{
    for (uint32_t facet = 0; facet < PAWL_FACET_COUNT; facet++)
        if (care->host->profile->facets[facet].store == store)
            return care->providers[facet].plugin;
    return NULL;
}

json_t *pawl_care_facts(pawl_sink *sink)
{
    pawl_bytes bytes = pawl_sink_bytes(sink);
    json_t *facts = bytes.size == 0 ? NULL : json_loadb(bytes.data, bytes.size, 0, NULL);
    if (json_is_object(facts))
        return facts;
    json_decref(facts);
    return json_object();
}

pawl_status pawl_care_not_offered(const pawl_profile *profile, const pawl_profile_store *store, const char *what,
                                  pawl_error *error)
{
    (void)profile;
    return pawl_error_set(error, PAWL_E_UNSUPPORTED, "store.not_offered",
                          "store \"%s\": its provider, %s, does not offer %s", store->name, store->provider, what);
}

/* ---- check ---- */

typedef struct checking {
    const char *store;
    pawl_on_finding found;
    void *context;
} checking;

static int32_t pass_on(void *context, const pawl_care_finding *theirs)
{
    const checking *own = context;
    pawl_care_finding finding;
    if (own->found == NULL || !pawl_take_struct(&finding, sizeof finding, theirs))
        return 0;
    finding.struct_size = sizeof finding;
    return own->found(own->context, own->store, &finding);
}

static pawl_status check_store(const pawl_care *care, const pawl_profile_store *store, const pawl_plugin *plugin,
                               uint32_t flags, checking *own, json_t *list, pawl_error *error)
{
    const pawl_profile *profile = care->host->profile;
    char *config = NULL;
    size_t size = 0;
    if (plugin->care == NULL || plugin->care->check == NULL)
        return pawl_care_not_offered(profile, store, "a check", error);
    pawl_status status = pawl_facets_config(profile, store, &config, &size, error);
    if (status != PAWL_OK)
        return status;
    pawl_sink sink;
    pawl_failure_slot why;
    pawl_sink_init(&sink, 1u << 20);
    pawl_failure_init(&why);
    own->store = store->name;
    status = plugin->care->check(plugin->host, (pawl_bytes){config, size}, flags, pass_on, own, &sink, &why);
    pawl_secret_forget_text(config, size);
    if (status == PAWL_OK) {
        json_t *facts = pawl_care_facts(&sink);
        (void)pawl_view_set(facts, "store", json_string(store->name));
        (void)pawl_view_set(facts, "provider", json_string(store->provider));
        (void)json_array_append_new(list, facts);
    } else {
        status = pawl_facets_failed(profile, store, &why, status, error);
    }
    if (status == PAWL_E_BUSY)
        (void)pawl_error_wrap(error, "a store is checked while nothing has it open. Stop `pawl serve` first, or "
                                     "back it up (pawl backup DIR) and check what is restored from that");
    pawl_failure_finish(&why);
    pawl_sink_finish(&sink);
    return status;
}

static json_int_t sum_of(const json_t *list, const char *key)
{
    json_int_t sum = 0;
    for (size_t i = 0; i < json_array_size(list); i++)
        sum += json_integer_value(json_object_get(json_array_get(list, i), key));
    return sum;
}

pawl_status pawl_care_check(const pawl_host_options *options, uint32_t flags, pawl_on_finding found, void *context,
                            pawl_text *ret_json, pawl_error *error)
{
    pawl_care care;
    checking own = {.found = found, .context = context};
    pawl_status status = pawl_care_open(&care, options, error);
    if (status != PAWL_OK)
        return status;
    json_t *list = json_array();
    for (size_t i = 0; status == PAWL_OK && i < care.host->profile->store_count; i++) {
        const pawl_profile_store *store = &care.host->profile->stores[i];
        const pawl_plugin *plugin = pawl_care_provider(&care, store);
        if (plugin != NULL)
            status = check_store(&care, store, plugin, flags, &own, list, error);
    }
    pawl_care_close(&care);
    if (status == PAWL_OK)
        status = pawl_view_give(json_pack("{s:O, s:I, s:I}", "stores", list, "problems", sum_of(list, "problems"),
                                          "repaired", sum_of(list, "repaired")),
                                ret_json, error);
    json_decref(list);
    return status;
}
