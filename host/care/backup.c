/* backup.c: copying the stores of a host, open or closed, into a directory, and making stores from one. A backup
 * is there whole or not at all: it is filled under another name, and `pawl.backup.json` is written last. See
 * include/pawl/pawl.h. */
#include "host/care/care.h"

#include "host/profile/secret.h"
#include "host/view/view.h"
#include "plugins/store/copy.h"
#include "worker/base/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST_NAME    "pawl.backup.json"
#define MANIFEST_VERSION 1
#define STORE_PREFIX     "store."
#define PATH_BYTES_MAX   4096

static pawl_status fault_error(const pawl_fault *fault, pawl_error *error)
{
    return pawl_error_set(error, fault->status, fault->code, "%s", fault->message);
}

static pawl_status io_error(const char *what, const char *path, pawl_error *error)
{
    pawl_status status = errno == ENOSPC || errno == EDQUOT ? PAWL_E_FULL : PAWL_E_IO;
    return pawl_error_set(error, status, status == PAWL_E_FULL ? "backup.full" : "backup.io", "%s %s: %s", what, path,
                          strerror(errno));
}

static pawl_status check_directory(const char *directory, pawl_error *error)
{
    if (directory == NULL || directory[0] != '/' || strlen(directory) > PATH_BYTES_MAX / 2)
        return pawl_error_set(error, PAWL_E_INVALID, "backup.directory",
                              "the directory of a backup is \"%.200s\"; wanted an absolute path of at most %d bytes",
                              directory == NULL ? "" : directory, PATH_BYTES_MAX / 2);
    return PAWL_OK;
}

/* ---- backup ---- */

static pawl_status backup_store(const pawl_profile *profile, const pawl_open_store *open, const char *partial,
                                json_t *list, pawl_error *error)
{
    char path[PATH_BYTES_MAX];
    const pawl_storage_care_table *care = open->plugin->care;
    if (care == NULL || care->backup == NULL)
        return pawl_care_not_offered(profile, open->profile, "backups", error);
    snprintf(path, sizeof path, "%s/" STORE_PREFIX "%s", partial, open->profile->name);
    pawl_sink sink;
    pawl_failure_slot why;
    pawl_sink_init(&sink, 1u << 20);
    pawl_failure_init(&why);
    pawl_status status = care->backup(open->store, pawl_bytes_text(path), &sink, &why);
    if (status == PAWL_OK) {
        json_t *facts = pawl_care_facts(&sink);
        (void)pawl_view_set(facts, "store", json_string(open->profile->name));
        (void)pawl_view_set(facts, "provider", json_string(open->profile->provider));
        (void)json_array_append_new(list, facts);
    } else {
        status = pawl_facets_failed(profile, open->profile, &why, status, error);
    }
    pawl_failure_finish(&why);
    pawl_sink_finish(&sink);
    return status;
}

static pawl_status write_manifest(const char *partial, const json_t *manifest, pawl_error *error)
{
    char path[PATH_BYTES_MAX];
    snprintf(path, sizeof path, "%s/" MANIFEST_NAME, partial);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return io_error("cannot create", path, error);
    char *text = json_dumps(manifest, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    size_t size = text == NULL ? 0 : strlen(text);
    bool written = text != NULL && write(file, text, size) == (ssize_t)size && write(file, "\n", 1) == 1;
    pawl_status status = written && fsync(file) == 0 ? PAWL_OK : io_error("cannot write", path, error);
    free(text);
    close(file);
    return status;
}

static json_t *make_manifest(const pawl_host *host, json_t *list)
{
    json_t *manifest = json_pack("{s:i, s:s, s:s}", "pawl_backup", MANIFEST_VERSION, "version", pawl_library_version(),
                                 "profile", host->profile->name == NULL ? "" : host->profile->name);
    (void)pawl_view_time(manifest, "made", host->clock->unix_ns(host->clock));
    (void)pawl_view_set(manifest, "stores", json_incref(list));
    return manifest;
}

static pawl_status fill(const pawl_host *host, const pawl_facets *facets, const char *partial, json_t **ret,
                        pawl_error *error)
{
    pawl_status status = PAWL_OK;
    json_t *list = json_array();
    json_t *manifest = NULL;
    for (size_t i = 0; i < facets->store_count && status == PAWL_OK; i++)
        if (facets->stores[i].store != NULL)
            status = backup_store(host->profile, &facets->stores[i], partial, list, error);
    if (status == PAWL_OK) {
        manifest = make_manifest(host, list);
        status = write_manifest(partial, manifest, error);
    }
    json_decref(list);
    if (status == PAWL_OK)
        *ret = manifest;
    else
        json_decref(manifest);
    return status;
}

static pawl_status backup(const pawl_host *host, const pawl_facets *facets, const char *directory, pawl_text *ret_json,
                          pawl_error *error)
{
    pawl_fault fault = {0};
    pawl_copy copy = {0};
    json_t *manifest = NULL;
    for (size_t i = 0; i < facets->store_count; i++) /* before anything is made */
        if (facets->stores[i].store != NULL &&
            (facets->stores[i].plugin->care == NULL || facets->stores[i].plugin->care->backup == NULL))
            return pawl_care_not_offered(host->profile, facets->stores[i].profile, "backups", error);
    if (pawl_store_copy_begin(&copy, directory, &fault) != PAWL_OK)
        return fault_error(&fault, error);
    pawl_status status = fill(host, facets, copy.partial, &manifest, error);
    if (status == PAWL_OK && pawl_store_copy_place(&copy, &fault) != PAWL_OK)
        status = fault_error(&fault, error);
    pawl_store_copy_finish(&copy);
    if (status == PAWL_OK)
        return pawl_view_give(manifest, ret_json, error);
    json_decref(manifest);
    return status;
}

pawl_status pawl_host_backup(pawl_host *host, const char *directory, pawl_text *ret_json, pawl_error *error)
{
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK)
        status = check_directory(directory, error);
    if (status != PAWL_OK)
        return status;
    pawl_host_entered(host);
    status = backup(host, &host->facets, directory, ret_json, error);
    pawl_host_left(host);
    return status;
}

/* Opening a store makes it if it is not there, and an empty backup is what nobody asked for. */
static pawl_status check_there(const pawl_care *care, pawl_error *error)
{
    const pawl_profile *profile = care->host->profile;
    for (size_t i = 0; i < profile->store_count; i++) {
        const char *path = json_string_value(json_object_get(profile->stores[i].config, "path"));
        if (path != NULL && pawl_care_provider(care, &profile->stores[i]) != NULL && access(path, F_OK) != 0)
            return pawl_error_set(error, PAWL_E_NOT_FOUND, "store.not_found", "there is no store in %s", path);
    }
    return PAWL_OK;
}

pawl_status pawl_care_backup(const pawl_host_options *options, const char *directory, pawl_text *ret_json,
                             pawl_error *error)
{
    pawl_care care;
    const uint32_t tiers[PAWL_FACET_COUNT] = {0};
    pawl_status status = check_directory(directory, error);
    if (status == PAWL_OK)
        status = pawl_care_open(&care, options, error);
    if (status != PAWL_OK)
        return status;
    status = check_there(&care, error);
    if (status == PAWL_OK)
        status = pawl_facets_open(care.host->profile, care.providers, tiers, &care.host->facets, error);
    if (status == PAWL_OK)
        status = backup(care.host, &care.host->facets, directory, ret_json, error);
    pawl_care_close(&care);
    return status;
}

/* ---- restore ---- */

typedef struct restoring {
    const char *directory;
    uint32_t flags;
    const char *store; /* at hand */
    pawl_on_finding found;
    void *context;
    json_t *manifest;
    json_t *list; /* what was restored */
} restoring;

static int32_t pass_on(void *context, const pawl_care_finding *theirs)
{
    const restoring *own = context;
    pawl_care_finding finding;
    if (own->found == NULL || !pawl_take_struct(&finding, sizeof finding, theirs))
        return 0;
    finding.struct_size = sizeof finding;
    return own->found(own->context, own->store, &finding);
}

static pawl_status read_manifest(restoring *own, pawl_error *error)
{
    char path[PATH_BYTES_MAX];
    struct stat facts;
    json_error_t why;
    snprintf(path, sizeof path, "%s/" MANIFEST_NAME, own->directory);
    if (stat(path, &facts) != 0)
        return pawl_error_set(error, PAWL_E_NOT_FOUND, "backup.not_found",
                              "there is no backup in %s: it has no file %s", own->directory, MANIFEST_NAME);
    own->manifest = json_load_file(path, 0, &why);
    json_int_t version = json_integer_value(json_object_get(own->manifest, "pawl_backup"));
    if (version > MANIFEST_VERSION)
        return pawl_error_set(error, PAWL_E_UNSUPPORTED, "backup.newer",
                              "%s has version %lld; this one knows versions up to %d: use the newer Pawl", path,
                              (long long)version, MANIFEST_VERSION);
    if (version < 1 || !json_is_array(json_object_get(own->manifest, "stores")))
        return pawl_error_set(error, PAWL_E_CORRUPT, "backup.manifest", "%s does not say what the backup holds", path);
    return PAWL_OK;
}

/* The store of the backup that becomes this one: the one with its name, or, where both have one alone, that one. */
static const char *source_of(const restoring *own, const pawl_care *care, const pawl_profile_store *store)
{
    const json_t *stores = json_object_get(own->manifest, "stores");
    size_t used = 0;
    for (size_t i = 0; i < care->host->profile->store_count; i++)
        used += pawl_care_provider(care, &care->host->profile->stores[i]) != NULL;
    for (size_t i = 0; i < json_array_size(stores); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(stores, i), "store"));
        if (name != NULL && strchr(name, '/') == NULL &&
            (strcmp(name, store->name) == 0 || (used == 1 && json_array_size(stores) == 1)))
            return name;
    }
    return NULL;
}

static pawl_status restore_store(restoring *own, const pawl_care *care, const pawl_profile_store *store,
                                 const pawl_plugin *plugin, pawl_error *error)
{
    char path[PATH_BYTES_MAX];
    char *config = NULL;
    size_t size = 0;
    const pawl_profile *profile = care->host->profile;
    const char *source = source_of(own, care, store);
    if (source == NULL)
        return pawl_error_set(error, PAWL_E_NOT_FOUND, "backup.no_store",
                              "the backup holds no store \"%s\", which the profile has", store->name);
    snprintf(path, sizeof path, "%s/" STORE_PREFIX "%s", own->directory, source);
    pawl_status status = pawl_facets_config(profile, store, &config, &size, error);
    if (status != PAWL_OK)
        return status;
    pawl_sink sink;
    pawl_failure_slot why;
    pawl_sink_init(&sink, 1u << 20);
    pawl_failure_init(&why);
    own->store = store->name;
    status = plugin->care->restore(plugin->host, (pawl_bytes){config, size}, pawl_bytes_text(path), own->flags, pass_on,
                                   own, &sink, &why);
    pawl_secret_forget_text(config, size);
    if (status == PAWL_OK) {
        json_t *facts = pawl_care_facts(&sink);
        (void)pawl_view_set(facts, "store", json_string(store->name));
        (void)json_array_append_new(own->list, facts);
    } else {
        status = pawl_facets_failed(profile, store, &why, status, error);
        if (json_array_size(own->list) > 0)
            (void)pawl_error_wrap(error,
                                  "%zu of the stores of this profile were restored before this one; move them "
                                  "away before you try again",
                                  json_array_size(own->list));
    }
    pawl_failure_finish(&why);
    pawl_sink_finish(&sink);
    return status;
}

static pawl_status restore_all(restoring *own, const pawl_care *care, pawl_error *error)
{
    const pawl_profile *profile = care->host->profile;
    pawl_status status = PAWL_OK;
    for (size_t i = 0; i < profile->store_count; i++) { /* before anything is made */
        const pawl_plugin *plugin = pawl_care_provider(care, &profile->stores[i]);
        if (plugin != NULL && (plugin->care == NULL || plugin->care->restore == NULL))
            return pawl_care_not_offered(profile, &profile->stores[i], "to be restored", error);
    }
    for (size_t i = 0; status == PAWL_OK && i < profile->store_count; i++) {
        const pawl_plugin *plugin = pawl_care_provider(care, &profile->stores[i]);
        if (plugin != NULL)
            status = restore_store(own, care, &profile->stores[i], plugin, error);
    }
    return status;
}

pawl_status pawl_care_restore(const pawl_host_options *options, const char *directory, uint32_t flags,
                              pawl_on_finding found, void *context, pawl_text *ret_json, pawl_error *error)
{
    pawl_care care;
    restoring own = {.directory = directory, .flags = flags, .found = found, .context = context};
    pawl_status status = check_directory(directory, error);
    if (status == PAWL_OK)
        status = read_manifest(&own, error);
    if (status == PAWL_OK)
        status = pawl_care_open(&care, options, error);
    if (status == PAWL_OK) {
        own.list = json_array();
        status = restore_all(&own, &care, error);
        pawl_care_close(&care);
    }
    if (status == PAWL_OK)
        status = pawl_view_give(json_pack("{s:O, s:O}", "stores", own.list, "backup", own.manifest), ret_json, error);
    json_decref(own.list);
    json_decref(own.manifest);
    return status;
}
