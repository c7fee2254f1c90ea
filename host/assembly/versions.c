/* versions.c: versions of plugins: who is pinned to which, and what of those that are not loaded is kept. Counts
 * are made by looking at live processes, a page at a time, so that a start costs no count. Must never remove what a
 * live process is pinned to or what is loaded: nothing begins with what is not loaded, so what nobody was pinned to
 * when it was looked at stays so. */
#include "host/host_internal.h"

#include "host/view/view.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_ROWS     1000u
#define ROWS_DEFAULT  UINT64_C(100000)
#define VERSIONS_MAX  1000u /* told apart in one answer */
#define DIGEST_DIGITS 64u

typedef struct version {
    char plugin[PAWL_ID_BYTES_MAX + 1];
    char digest[DIGEST_DIGITS + 1]; /* "": linked in */
    uint64_t processes;
    bool told;
} version;

typedef struct tally {
    version *items;
    size_t count;
    uint64_t looked_at;
    bool complete;
    const char *wanted; /* stop at the first that is pinned to this digest; NULL: count all */
    char holder[PAWL_ID_BYTES_MAX + 1];
} tally;

static void hex_of(pawl_bytes digest, char text[DIGEST_DIGITS + 1])
{
    text[0] = '\0';
    for (size_t i = 0; i < digest.size && i < DIGEST_DIGITS / 2; i++)
        snprintf(text + 2 * i, 3, "%02x", ((const uint8_t *)digest.data)[i]);
}

static version *find(tally *all, pawl_bytes plugin, const char *digest)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->items[i].digest, digest) == 0 && strlen(all->items[i].plugin) == plugin.size &&
            memcmp(all->items[i].plugin, plugin.data, plugin.size) == 0)
            return &all->items[i];
    if (all->count == VERSIONS_MAX || plugin.size > PAWL_ID_BYTES_MAX) {
        all->complete = false;
        return NULL;
    }
    version *made = &all->items[all->count++];
    *made = (version){.processes = 0};
    if (plugin.size > 0)
        memcpy(made->plugin, plugin.data, plugin.size);
    snprintf(made->digest, sizeof made->digest, "%s", digest);
    return made;
}

/* Of a type that the host itself brings (schedules): there is no other version, and nothing to load. */
static bool is_own(const pawl_process_row *row)
{
    static const char own[] = "pawl";
    return row->digest.size == 0 && row->plugin.size == sizeof own - 1 &&
           memcmp(row->plugin.data, own, sizeof own - 1) == 0;
}

static int32_t PAWL_CALL look(void *context, const pawl_process_row *row)
{
    tally *all = context;
    char digest[DIGEST_DIGITS + 1];
    all->looked_at++;
    if (row->external != 0 || is_own(row))
        return 0;
    hex_of(row->digest, digest);
    if (all->wanted != NULL) {
        if (strcmp(digest, all->wanted) != 0)
            return 0;
        snprintf(all->holder, sizeof all->holder, "%.*s", (int)row->id.size, (const char *)row->id.data);
        return 1;
    }
    version *found = find(all, row->plugin, digest);
    if (found != NULL)
        found->processes++;
    return 0;
}

/* By pages, so that the host can close in between. */
static pawl_status look_at_all(pawl_host *host, uint64_t rows_max, tally *all, pawl_error *error)
{
    pawl_list list = {.struct_size = sizeof list, .limit = PAGE_ROWS};
    pawl_status status = pawl_view_status_mask("live", &list.status_mask, error);
    uint64_t next = 0;
    do {
        if (status == PAWL_OK)
            status = pawl_host_usable(host, error);
        if (status != PAWL_OK)
            return status;
        pawl_failure_slot why;
        pawl_failure_init(&why);
        pawl_host_entered(host);
        status = host->registry.table.list(host->registry.store, &list, look, all, &next, &why);
        if (status != PAWL_OK)
            (void)pawl_failure_error(&why, status, error);
        pawl_host_left(host);
        pawl_failure_finish(&why);
        list.after_number = next;
        if (status != PAWL_OK || all->holder[0] != '\0')
            return status;
    } while (next != 0 && all->looked_at < rows_max);
    all->complete = all->complete && next == 0;
    return status;
}

static bool add_counts(json_t *plugins, tally *all)
{
    size_t i;
    json_t *plugin;
    bool made = true;
    json_array_foreach(plugins, i, plugin)
    {
        const char *digest = json_string_value(json_object_get(plugin, "digest"));
        const char *id = json_string_value(json_object_get(plugin, "id"));
        version *found = find(all, pawl_bytes_text(id), digest == NULL ? "" : digest);
        made = made && pawl_view_set(plugin, "loaded", json_true()) &&
               pawl_view_set(plugin, "processes", json_integer(found == NULL ? 0 : (json_int_t)found->processes));
        if (found != NULL)
            found->told = true;
    }
    return made;
}

/* One that is not loaded: what its kept copy, if there is one, says of itself, and what is known of it here. */
static json_t *view_unloaded(const pawl_host *host, const char *plugin, const char *digest, uint64_t processes)
{
    char path[4096];
    pawl_plugin_facts facts;
    json_t *json = json_object();
    snprintf(path, sizeof path, "%s/plugins/%.64s.so", host->profile->data, digest);
    bool made = json != NULL && pawl_view_set(json, "id", pawl_view_text(pawl_bytes_text(plugin)));
    if (made && digest[0] != '\0' && pawl_loader_inspect(path, NULL, &facts, NULL) == PAWL_OK) {
        made = (facts.manifest == NULL || pawl_view_manifest(json, facts.manifest)) &&
               pawl_view_set(json, "path", pawl_view_text(pawl_bytes_text(path)));
        pawl_plugin_facts_finish(&facts);
    }
    made = made && pawl_view_set(json, "digest", json_stringn(digest, strnlen(digest, DIGEST_DIGITS))) &&
           pawl_view_set(json, "loaded", json_false()) && pawl_view_set(json, "current", json_false()) &&
           pawl_view_set(json, "processes", json_integer((json_int_t)processes));
    if (made)
        return json;
    json_decref(json);
    return NULL;
}

static bool add_missing(const pawl_host *host, json_t *plugins, const tally *all)
{
    bool made = true;
    for (size_t i = 0; i < all->count; i++) {
        const version *item = &all->items[i];
        if (!item->told)
            made =
                json_array_append_new(plugins, view_unloaded(host, item->plugin, item->digest, item->processes)) == 0 &&
                made;
    }
    return made;
}

/* The copies that were loaded at some time and are kept. */
static bool add_kept(const pawl_host *host, json_t *plugins, const tally *all)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/plugins", host->profile->data);
    DIR *directory = opendir(path);
    bool made = true;
    for (const struct dirent *item; directory != NULL && (item = readdir(directory)) != NULL;) {
        const char *name = item->d_name;
        if (strspn(name, "0123456789abcdef") != DIGEST_DIGITS || strcmp(name + DIGEST_DIGITS, ".so") != 0)
            continue;
        bool known = false;
        for (size_t i = 0; i < all->count; i++)
            known = known || strncmp(all->items[i].digest, name, DIGEST_DIGITS) == 0;
        if (!known)
            made = json_array_append_new(plugins, view_unloaded(host, "", name, 0)) == 0 && made;
    }
    if (directory != NULL)
        closedir(directory);
    return made;
}

pawl_status pawl_host_versions(pawl_host *host, uint64_t rows_max, pawl_text *ret_json, pawl_error *error)
{
    tally all = {.items = calloc(VERSIONS_MAX, sizeof *all.items), .complete = true};
    pawl_status status = all.items == NULL ? pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory",
                                                            "out of memory while counting processes")
                                           : look_at_all(host, rows_max == 0 ? ROWS_DEFAULT : rows_max, &all, error);
    if (status == PAWL_OK) {
        json_t *plugins = pawl_view_plugins(host);
        bool made = plugins != NULL && add_counts(plugins, &all) && add_missing(host, plugins, &all) &&
                    add_kept(host, plugins, &all);
        json_t *json = made ? json_pack("{s:O, s:I, s:b}", "plugins", plugins, "looked_at", (json_int_t)all.looked_at,
                                        "complete", (int)all.complete)
                            : NULL;
        json_decref(plugins);
        status = pawl_view_give(json, ret_json, error);
    }
    free(all.items);
    return status;
}

/* ---- forgetting one ---- */

static pawl_status check_unused(pawl_host *host, const char *digest, pawl_error *error)
{
    for (size_t i = 0; i < pawl_plugin_set_count(host->plugins); i++) {
        const pawl_plugin *plugin = pawl_plugin_set_at(host->plugins, i);
        char loaded[DIGEST_DIGITS + 1] = "";
        if (!plugin->linked_in)
            hex_of((pawl_bytes){plugin->digest, sizeof plugin->digest}, loaded);
        if (strcmp(loaded, digest) == 0)
            return pawl_error_set(error, PAWL_E_BUSY, "plugin.loaded",
                                  "plugin %s version %s (%.16s) is loaded: take it out of the profile and restart",
                                  plugin->manifest->id, plugin->manifest->version, digest);
    }
    tally all = {.wanted = digest, .complete = true};
    pawl_status status = look_at_all(host, UINT64_MAX, &all, error);
    if (status == PAWL_OK && all.holder[0] != '\0')
        return pawl_error_set(error, PAWL_E_BUSY, "plugin.pinned",
                              "process \"%s\" is pinned to binary %.16s: it is kept until no live process is "
                              "(pawl ps --digest %.16s)",
                              all.holder, digest, digest);
    return status;
}

static pawl_status remove_artifact(pawl_host *host, const char *digest, pawl_error *error)
{
    const pawl_open_store *open = host->facets.facet[PAWL_FACET_ARTIFACT];
    const pawl_artifact_table *table = open->plugin->artifact;
    uint8_t bytes[DIGEST_DIGITS / 2];
    for (size_t i = 0; i < sizeof bytes; i++) {
        const char pair[3] = {digest[2 * i], digest[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_bytes holder = pawl_bytes_text(host->profile->name);
    pawl_status status = table->release(open->store, bytes, holder, &why);
    if (status == PAWL_OK) {
        status = table->remove(open->store, bytes, &why);
        if (status == PAWL_E_BUSY) /* somebody else's: as it was */
            (void)table->hold(open->store, bytes, holder, NULL);
    }
    if (status != PAWL_OK)
        status = pawl_failure_error(&why, status < 0 ? status : PAWL_E_FAILED, error);
    pawl_failure_finish(&why);
    return status;
}

pawl_status pawl_host_forget_version(pawl_host *host, const char *digest, pawl_error *error)
{
    pawl_status status = pawl_host_usable(host, error);
    if (status != PAWL_OK)
        return status;
    if (digest == NULL || strlen(digest) != DIGEST_DIGITS || strspn(digest, "0123456789abcdef") != DIGEST_DIGITS)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_digest",
                              "the digest is \"%.80s\"; wanted 64 hex digits in lower case, as pawl plugin list --json "
                              "shows them",
                              digest == NULL ? "" : digest);
    status = check_unused(host, digest, error);
    if (status != PAWL_OK)
        return status;
    char path[4096];
    snprintf(path, sizeof path, "%s/plugins/%s.so", host->profile->data, digest);
    bool kept = access(path, F_OK) == 0;
    pawl_host_entered(host);
    status = remove_artifact(host, digest, error);
    pawl_host_left(host);
    if (status == PAWL_OK || (status == PAWL_E_NOT_FOUND && kept)) {
        (void)unlink(path);
        return PAWL_OK;
    }
    return status;
}
