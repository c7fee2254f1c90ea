/* roots.c: see roots.h. */
#include "host/care/roots.h"

#include "host/session/attachments.h"
#include "worker/activation/process_host.h"
#include "worker/base/sink.h"
#include "worker/registry.h"

#include <pawl/pawl.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN_MAX 64u /* ids remembered: a plugin that asks for ever new ones costs nothing */

pawl_status pawl_roots_init(pawl_roots *roots, const pawl_clock *clock, const pawl_log *log, pawl_error *error)
{
    *roots = (pawl_roots){.clock = clock, .log = log};
    roots->unknown = json_object();
    if (roots->unknown == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while opening the host");
    pthread_mutex_init(&roots->lock, NULL);
    return PAWL_OK;
}

void pawl_roots_finish(pawl_roots *roots)
{
    if (roots->unknown == NULL)
        return;
    for (pawl_root *root = roots->first, *next; root != NULL; root = next) {
        next = root->next;
        free(root);
    }
    json_decref(roots->unknown);
    pthread_mutex_destroy(&roots->lock);
    *roots = (pawl_roots){0};
}

/* True when this plugin asked for this id for the first time. */
static bool remember(pawl_roots *roots, const char *source, const char *id)
{
    bool first = false;
    pthread_mutex_lock(&roots->lock);
    json_t *who = json_object_get(roots->unknown, id);
    if (who == NULL && json_object_size(roots->unknown) < UNKNOWN_MAX) {
        who = json_array();
        if (json_object_set_new(roots->unknown, id, who) != 0)
            who = NULL;
    }
    bool there = false;
    size_t index;
    json_t *plugin;
    json_array_foreach(who, index, plugin) there = there || strcmp(json_string_value(plugin), source) == 0;
    if (who != NULL && !there)
        first = json_array_append_new(who, json_string(source)) == 0;
    pthread_mutex_unlock(&roots->lock);
    return first;
}

static const void *PAWL_CALL get_extension(const pawl_host_root *host, const char *id)
{
    if (host == NULL || id == NULL)
        return NULL;
    if (strcmp(id, PAWL_EXT_CORE) == 0)
        return pawl_core_table();
    if (strcmp(id, PAWL_EXT_ATTACHMENTS) == 0)
        return pawl_attachments_table();
    if (strcmp(id, PAWL_EXT_PROCESS_HOST) == 0)
        return pawl_process_host_table();
    if (strcmp(id, PAWL_EXT_REGISTRY_HOST) == 0)
        return pawl_registry_host_table();
    pawl_root *own = host->host_data;
    if (remember(own->owner, own->source, id))
        pawl_log_write(own->owner->log, PAWL_LOG_DEBUG, "extension not offered", "extension", id, "plugin", own->source,
                       (char *)NULL);
    return NULL;
}

const pawl_host_root *pawl_roots_add(pawl_roots *roots, const char *source)
{
    size_t size = strlen(source) + 1;
    pawl_root *root = calloc(1, sizeof *root + size);
    if (root == NULL)
        return NULL;
    memcpy(root->source, source, size);
    root->data = (pawl_host_data){.clock = roots->clock, .log = roots->log, .source = root->source};
    root->owner = roots;
    root->root = (pawl_host_root){.struct_size = sizeof root->root,
                                  .abi_major = PAWL_ABI_MAJOR,
                                  .abi_minor = PAWL_ABI_MINOR,
                                  .name = "pawl",
                                  .version = pawl_library_version(),
                                  .host_data = root,
                                  .get_extension = get_extension};
    pthread_mutex_lock(&roots->lock);
    root->next = roots->first;
    roots->first = root;
    pthread_mutex_unlock(&roots->lock);
    return &root->root;
}

pawl_roots *pawl_roots_of(const pawl_host_root *root)
{
    if (root == NULL || root->get_extension != get_extension)
        return NULL;
    return ((pawl_root *)root->host_data)->owner;
}

json_t *pawl_roots_unknown(pawl_roots *roots)
{
    pthread_mutex_lock(&roots->lock);
    json_t *copy = json_deep_copy(roots->unknown);
    pthread_mutex_unlock(&roots->lock);
    return copy;
}
