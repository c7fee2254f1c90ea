/* load.c: the plugin under test, loaded by the rules of `pawl plugin probe`: from a copy, after its checks, once a
 * child process has survived it. Its effects are never called. */
#include "tester_internal.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *walk)
{
    (void)facts;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void drop_line(void *context, uint32_t level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
}

static const pawl_host_root *root_for(void *context, const char *plugin_id)
{
    return pawl_roots_add(context, plugin_id);
}

static pawl_status load_from(pawl_tester *t, const char *data_dir, pawl_error *error)
{
    const pawl_plugin_request request = {.path = t->request->plugin, .dev = true, .config_json = t->request->config};
    const pawl_loader_options options = {.root_for = root_for, .root_context = &t->roots};
    return pawl_loader_load(&request, 1, data_dir, NULL, &options, &t->set, error);
}

pawl_status pawl_tester_load(pawl_tester *t, const char *type, pawl_error *error)
{
    const char *base = getenv("TMPDIR");
    char made[512];
    if (base == NULL || base[0] != '/' || strlen(base) > sizeof made - 32)
        base = "/tmp";
    snprintf(made, sizeof made, "%s/pawl-test-XXXXXX", base);
    if (mkdtemp(made) == NULL)
        return pawl_error_set(error, PAWL_E_IO, "data.unwritable", "no temporary directory %s: %s", made,
                              strerror(errno));
    t->log = (pawl_log){.level = PAWL_LOG_ERROR, .line = drop_line};
    pawl_status status = pawl_roots_init(&t->roots, pawl_clock_system(), &t->log, error);
    if (status == PAWL_OK)
        status = load_from(t, made, error);
    (void)nftw(made, remove_one, 8, FTW_DEPTH | FTW_PHYS); /* what is loaded stays mapped */
    if (status != PAWL_OK)
        return status;
    t->plugin = pawl_plugin_set_at(t->set, 0);
    if (t->plugin->process == NULL)
        return pawl_error_set(error, PAWL_E_INVALID, "test.no_process", "%s has no process types", t->request->plugin);
    if (t->request->journal_count == 0)
        status = pawl_tester_find_type(t, type, t->request->revision, error);
    return status;
}

pawl_status pawl_tester_find_type(pawl_tester *t, const char *type, uint32_t revision, pawl_error *error)
{
    const pawl_manifest *manifest = t->plugin->manifest;
    const pawl_manifest_process *found = NULL;
    char all[512] = "";
    for (size_t i = 0; i < manifest->process_count; i++) {
        const pawl_manifest_process *one = &manifest->processes[i];
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s/%u", i == 0 ? "" : ", ", one->name, one->revision);
        bool named = type != NULL ? strcmp(one->name, type) == 0 : found == NULL || strcmp(found->name, one->name) == 0;
        if (!named && type == NULL)
            return pawl_error_set(error, PAWL_E_INVALID, "test.which_type",
                                  "%s has several process types: say which one with --type", t->request->plugin);
        bool fits = named && (revision == 0 || one->revision == revision);
        if (fits && (found == NULL || one->revision > found->revision))
            found = one;
    }
    if (found == NULL)
        return pawl_error_set(error, PAWL_E_NOT_FOUND, "test.no_type", "%s has no process type %s%s; it has %s",
                              t->request->plugin, type == NULL ? "" : type, revision == 0 ? "" : " of that revision",
                              all);
    t->process = found;
    return PAWL_OK;
}

void pawl_tester_unload(pawl_tester *t)
{
    t->traps = pawl_traps_free(t->traps);
    t->set = pawl_plugin_set_close(t->set);
    pawl_roots_finish(&t->roots);
}
