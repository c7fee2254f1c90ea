/* load.c: the order of events: everything that can be known without running code first, for all plugins; then the
 * probes; then the code itself. See loader.h. It must never leave half of a set initialised, or unmap a plugin. */
#include "contract.h"
#include "elf_image.h"
#include "loader.h"
#include "probe.h"
#include "refuse.h"
#include "trust.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINKED_IN "(linked in)"

/* A plugin on its way in, and afterwards. */
typedef struct {
    pawl_plugin plugin; /* what the host sees; its pointers lead into the rest */
    pawl_plugin_request request;
    bool left_out;
    bool initialised;
    char *path;
    char *subject; /* what messages call it: the path, or the id of a linked-in one */
    char *copy_path;
    elf_image image;
    pawl_manifest *manifest;
    pawl_plugin_entry_fn entry;
    pawl_plugin_root root;
    contract_tables tables;
} candidate;

struct pawl_plugin_set {
    candidate *candidates; /* in order of the requests */
    size_t candidate_count;
    const pawl_plugin **plugins; /* those that were not left out */
    size_t count;
    void (*end_isolated)(void *context, struct pawl_isolated *isolated);
    void *isolate_context;
};

/* What all steps need. */
typedef struct {
    pawl_plugin_set *set;
    const char *data_dir;
    const pawl_host_root *host;
    pawl_loader_options options;
} loading;

typedef pawl_status (*loading_step)(const loading *l, candidate *c, pawl_error *error);

static pawl_status out_of_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "loader.nomem", "out of memory");
}

static const char *config_of(const candidate *c)
{
    return c->request.config_json == NULL ? "{}" : c->request.config_json;
}

/* ---- before any code runs -----------------------------------------------------------------------------------------
 */

static pawl_status check_request(const candidate *c, const char *data_dir, pawl_error *error)
{
    const char *pin = c->request.sha256;
    if (c->request.path == NULL || c->request.path[0] == '\0')
        return pawl_loader_refuse(error, "loader.request", "plugin",
                                  "has neither a path nor an entry; wanted one of them");
    if (data_dir == NULL)
        return pawl_loader_refuse(error, "loader.request", c->path,
                                  "needs a data directory for its copy; none was given");
    if (pin == NULL && !c->request.dev)
        return pawl_loader_refuse(
            error, "loader.unpinned", c->path,
            "has no sha256; wanted the 64 hex digits that `sha256sum` gives (or dev: true while it "
            "is being developed)");
    if (pin != NULL && (strlen(pin) != 64 || strspn(pin, "0123456789abcdefABCDEF") != 64))
        return pawl_loader_refuse(error, "loader.request", c->path, "has the sha256 \"%.80s\"; wanted 64 hex digits",
                                  pin);
    return PAWL_OK;
}

static pawl_status copy_file(const loading *l, candidate *c, pawl_error *error)
{
    uint64_t most = l->options.file_bytes_max == 0 ? PAWL_FILE_BYTES_MAX_DEFAULT : l->options.file_bytes_max;
    int fd = -1;
    pawl_status status = check_request(c, l->data_dir, error);
    if (status == PAWL_OK)
        status = pawl_trust_open(c->path, c->request.dev, most, &fd, error);
    if (status != PAWL_OK)
        return status;
    status = pawl_trust_copy(fd, c->path, c->request.sha256, l->data_dir, most, c->plugin.digest, &c->copy_path, error);
    close(fd);
    c->plugin.copy_path = c->copy_path;
    return status;
}

static pawl_status read_image(candidate *c, pawl_error *error)
{
    int fd = -1;
    pawl_status status = pawl_trust_open(c->copy_path, true, UINT64_MAX, &fd, error);
    if (status != PAWL_OK)
        return status;
    status = pawl_elf_image_read(fd, &c->image, error);
    close(fd);
    if (status == PAWL_OK)
        status = pawl_elf_image_judge(&c->image, c->path, error);
    return status;
}

static pawl_status read_manifest(candidate *c, pawl_bytes text, pawl_error *error)
{
    pawl_status status = pawl_manifest_parse(text, &c->manifest, error);
    if (status != PAWL_OK)
        return pawl_error_wrap(error, "%s", c->subject);
    c->plugin.manifest = c->manifest;
    return PAWL_OK;
}

/* The entry of a plugin that is part of this program may be called at any time. */
static pawl_status look_at_linked(candidate *c, pawl_error *error)
{
    const pawl_plugin_root *root = c->request.entry();
    pawl_status status = pawl_contract_glance_at_root(root, c->subject, error);
    if (status != PAWL_OK)
        return status;
    c->entry = c->request.entry;
    c->plugin.linked_in = true;
    status = read_manifest(c, root->manifest_json, error);
    if (status != PAWL_OK)
        return status;
    char *subject = NULL;
    if (asprintf(&subject, "%s %s", c->manifest->id, LINKED_IN) < 0)
        return out_of_memory(error);
    free(c->subject);
    c->subject = subject;
    return PAWL_OK;
}

static bool is_isolated(const candidate *c)
{
    return c->request.isolation != NULL;
}

static pawl_status check_isolation(const loading *l, const candidate *c, pawl_error *error)
{
    if (!is_isolated(c))
        return PAWL_OK;
    if (l->options.isolate == NULL)
        return pawl_loader_refuse(error, "loader.isolation_kind", c->subject,
                                  "isolation: process is not to be had here; wanted a host");
    return pawl_loader_check_isolation(c->manifest, c->subject, error);
}

static pawl_status look(const loading *l, candidate *c, pawl_error *error)
{
    const char *path = c->request.entry != NULL ? LINKED_IN : c->request.path == NULL ? "plugin" : c->request.path;
    c->path = strdup(path);
    c->subject = strdup(path);
    c->plugin.path = c->path;
    if (c->path == NULL || c->subject == NULL)
        return out_of_memory(error);
    if (c->request.entry != NULL)
        return look_at_linked(c, error);
    pawl_status status = copy_file(l, c, error);
    if (status == PAWL_OK)
        status = read_image(c, error);
    if (status != PAWL_OK)
        return status;
    pawl_bytes note = {c->image.manifest, c->image.manifest_size};
    status = read_manifest(c, note, error);
    return status == PAWL_OK ? check_isolation(l, c, error) : status;
}

static bool have_effect(const pawl_manifest *manifest, const char *name)
{
    for (size_t i = 0; i < manifest->effect_count; i++)
        if (strcmp(manifest->effects[i].name, name) == 0)
            return true;
    return false;
}

static bool have_type(const pawl_manifest *manifest, const char *name)
{
    for (size_t i = 0; i < manifest->process_count; i++)
        if (strcmp(manifest->processes[i].name, name) == 0)
            return true;
    return false;
}

/* Two files of one plugin: allowed when it is another binary, and nothing that is there once for all. */
static pawl_status compare_versions(const candidate *c, const candidate *earlier, pawl_error *error)
{
    const pawl_manifest *mine = c->manifest;
    const pawl_manifest *theirs = earlier->manifest;
    if (c->plugin.linked_in || earlier->plugin.linked_in || ((mine->kinds | theirs->kinds) & PAWL_KIND_STORAGE) != 0)
        return pawl_loader_refuse(
            error, "loader.duplicate_plugin", c->subject,
            "has the id \"%s\" (version %s), which %s (version %s) has already; wanted each id once, but for "
            "versions of a plugin that are files and no storage",
            mine->id, mine->version, earlier->subject, theirs->version);
    if (memcmp(c->plugin.digest, earlier->plugin.digest, sizeof c->plugin.digest) == 0)
        return pawl_loader_refuse(
            error, "loader.duplicate_plugin", c->subject,
            "has the id \"%s\" (version %s), and is the same file as %s; wanted each version once", mine->id,
            mine->version, earlier->subject);
    if (c->request.current && earlier->request.current)
        return pawl_loader_refuse(
            error, "loader.duplicate_plugin", c->subject,
            "plugin %s is marked as current, and so is %s%s%s; wanted one of its versions at most", mine->id,
            earlier->subject, earlier->request.place == NULL ? "" : " at ",
            earlier->request.place == NULL ? "" : earlier->request.place);
    return PAWL_OK;
}

static pawl_status compare_with(const candidate *c, const candidate *earlier, pawl_error *error)
{
    const pawl_manifest *mine = c->manifest;
    const pawl_manifest *theirs = earlier->manifest;
    if (strcmp(mine->id, theirs->id) == 0)
        return compare_versions(c, earlier, error);
    for (size_t i = 0; i < mine->effect_count; i++)
        if (have_effect(theirs, mine->effects[i].name))
            return pawl_loader_refuse(
                error, "loader.duplicate_effect", c->subject,
                "plugin %s offers the effect \"%s\", which plugin %s (%s) offers already; wanted each "
                "name once",
                mine->id, mine->effects[i].name, theirs->id, earlier->subject);
    for (size_t i = 0; i < mine->process_count; i++)
        if (have_type(theirs, mine->processes[i].name))
            return pawl_loader_refuse(error, "loader.duplicate_type", c->subject,
                                      "plugin %s offers the process type \"%s\", which plugin %s (%s) offers already; "
                                      "wanted each name once",
                                      mine->id, mine->processes[i].name, theirs->id, earlier->subject);
    return PAWL_OK;
}

static pawl_status find_duplicates(const loading *l, candidate *c, pawl_error *error)
{
    pawl_status status = PAWL_OK;
    for (const candidate *earlier = l->set->candidates; earlier < c && status == PAWL_OK; earlier++)
        if (!earlier->left_out)
            status = compare_with(c, earlier, error);
    return status;
}

/* ---- in a child process -------------------------------------------------------------------------------------------
 */

static pawl_status run_probe(const loading *l, candidate *c, pawl_error *error)
{
    pawl_error local = {.status = PAWL_OK};
    pawl_error *why = error == NULL ? &local : error;
    bool crashed = false;
    const probe_request request = {.program = l->options.probe_path,
                                   .copy_path = c->copy_path,
                                   .subject = c->path,
                                   .config_json = config_of(c),
                                   .timeout_ms = l->options.probe_timeout_ms};
    pawl_status status = pawl_probe_run(&request, &crashed, why);
    pawl_error unmarked = {.status = PAWL_OK};
    if (crashed && pawl_quarantine_set(l->data_dir, c->plugin.digest, why->message, &unmarked) != PAWL_OK)
        pawl_error_wrap(why, "(%s)", unmarked.message);
    return status;
}

static pawl_status probe(const loading *l, candidate *c, pawl_error *error)
{
    if (c->plugin.linked_in || is_isolated(c)) /* its first start is its probe */
        return PAWL_OK;
    pawl_status status = pawl_quarantine_check(l->data_dir, c->plugin.digest, c->path, error);
    return status == PAWL_OK ? run_probe(l, c, error) : status;
}

/* ---- in this program ----------------------------------------------------------------------------------------------
 */

static pawl_status map(const loading *l, candidate *c, pawl_error *error)
{
    (void)l;
    if (is_isolated(c))
        return PAWL_OK;
    if (!c->plugin.linked_in) {
        void *library = dlopen(c->copy_path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (library == NULL)
            return pawl_loader_refuse_load(error, c->path, dlerror());
        void *symbol = dlsym(library, PAWL_PLUGIN_ENTRY_SYMBOL);
        if (symbol == NULL)
            return pawl_loader_refuse(error, "loader.no_entry", c->path, "does not export the function %s",
                                      PAWL_PLUGIN_ENTRY_SYMBOL);
        memcpy(&c->entry, &symbol, sizeof symbol);
    }
    pawl_bytes note = {c->image.manifest, c->image.manifest_size};
    c->plugin.root = &c->root;
    return pawl_contract_take_root(c->entry(), c->manifest, note, c->subject, &c->root, error);
}

static void show_tables(candidate *c)
{
    const contract_tables *tables = &c->tables;
    pawl_plugin *plugin = &c->plugin;
    plugin->effect = (tables->kinds & PAWL_KIND_EFFECT) != 0 ? &tables->effect : NULL;
    plugin->connector = (tables->kinds & PAWL_KIND_CONNECTOR) != 0 ? &tables->connector : NULL;
    plugin->process = (tables->kinds & PAWL_KIND_PROCESS) != 0 ? &tables->process : NULL;
    plugin->middleware = (tables->kinds & PAWL_KIND_MIDDLEWARE) != 0 ? &tables->middleware : NULL;
    plugin->observer = (tables->kinds & PAWL_KIND_OBSERVER) != 0 ? &tables->observer : NULL;
    plugin->storage = (tables->kinds & PAWL_KIND_STORAGE) != 0 ? &tables->storage : NULL;
    plugin->care = tables->care.struct_size != 0 ? &tables->care : NULL;
    plugin->session = (tables->facets & (1u << PAWL_FACET_SESSION)) != 0 ? &tables->session : NULL;
    plugin->attachment = (tables->facets & (1u << PAWL_FACET_ATTACHMENT)) != 0 ? &tables->attachment : NULL;
    plugin->artifact = (tables->facets & (1u << PAWL_FACET_ARTIFACT)) != 0 ? &tables->artifact : NULL;
    plugin->registry = (tables->facets & (1u << PAWL_FACET_REGISTRY)) != 0 ? &tables->registry : NULL;
}

static void end(const pawl_plugin_set *set, candidate *c)
{
    if (c->plugin.isolated != NULL && set->end_isolated != NULL)
        set->end_isolated(set->isolate_context, c->plugin.isolated);
    else if (c->initialised)
        c->root.deinit(c->plugin.host);
    c->plugin.isolated = NULL;
    c->initialised = false;
}

static pawl_status initialise(const loading *l, candidate *c, pawl_error *error)
{
    c->plugin.host =
        l->options.root_for == NULL ? l->host : l->options.root_for(l->options.root_context, c->manifest->id);
    if (c->plugin.host == NULL)
        return out_of_memory(error);
    if (is_isolated(c))
        return l->options.isolate(l->options.isolate_context, &c->request, &c->plugin, &c->plugin.isolated, error);
    pawl_status status = pawl_contract_init(&c->root, c->plugin.host, config_of(c), c->subject, error);
    if (status != PAWL_OK)
        return status;
    c->initialised = true;
    status = pawl_contract_take_tables(&c->root, c->manifest, c->subject, &c->tables, error);
    if (status == PAWL_OK)
        show_tables(c);
    else
        end(l->set, c);
    return status;
}

/* ---- all or none --------------------------------------------------------------------------------------------------
 */

static pawl_status step_all(const loading *l, loading_step step, pawl_error *error)
{
    pawl_error local = {.status = PAWL_OK};
    pawl_error *why = error == NULL ? &local : error;
    for (size_t i = 0; i < l->set->candidate_count; i++) {
        candidate *c = &l->set->candidates[i];
        if (c->left_out)
            continue;
        pawl_status status = step(l, c, why);
        if (status == PAWL_OK)
            continue;
        if (c->request.place != NULL)
            pawl_error_wrap(why, "%s", c->request.place);
        if (!c->request.optional || status == PAWL_E_NOMEM)
            return status;
        c->left_out = true;
        if (l->options.left_out != NULL)
            l->options.left_out(l->options.left_out_context, &c->request, why);
    }
    return PAWL_OK;
}

static pawl_status run_steps(const loading *l, pawl_error *error)
{
    static const loading_step steps[] = {look, find_duplicates, probe, map, initialise};
    pawl_status status = PAWL_OK;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && status == PAWL_OK; i++)
        status = step_all(l, steps[i], error);
    return status;
}

static pawl_plugin_set *create_set(const pawl_plugin_request *requests, size_t count)
{
    pawl_plugin_set *set = calloc(1, sizeof *set);
    if (set == NULL)
        return NULL;
    set->candidates = calloc(count == 0 ? 1 : count, sizeof *set->candidates);
    set->plugins = calloc(count == 0 ? 1 : count, sizeof *set->plugins);
    if (set->candidates == NULL || set->plugins == NULL)
        return pawl_plugin_set_close(set);
    set->candidate_count = count;
    for (size_t i = 0; i < count; i++)
        set->candidates[i].request = requests[i];
    return set;
}

/* What was borrowed for the call is forgotten, what can be called is listed. */
static void publish(pawl_plugin_set *set)
{
    for (size_t i = 0; i < set->candidate_count; i++) {
        candidate *c = &set->candidates[i];
        c->plugin.rank = c->request.current ? UINT32_MAX : (uint32_t)i + 1;
        c->request = (pawl_plugin_request){.path = NULL};
        if (!c->left_out)
            set->plugins[set->count++] = &c->plugin;
    }
    for (size_t i = 0; i < set->candidate_count; i++)
        set->candidates[i].plugin.current =
            !set->candidates[i].left_out &&
            pawl_plugin_set_find(set, set->candidates[i].manifest->id) == &set->candidates[i].plugin;
}

pawl_status pawl_loader_load(const pawl_plugin_request *requests, size_t count, const char *data_dir,
                             const pawl_host_root *host, const pawl_loader_options *options, pawl_plugin_set **ret_set,
                             pawl_error *error)
{
    loading l = {.data_dir = data_dir, .host = host};
    if (options != NULL)
        l.options = *options;
    if (host == NULL && l.options.root_for == NULL)
        return pawl_loader_refuse(error, "loader.request", "plugins", "no host root was given for them");
    l.set = create_set(requests, count);
    if (l.set == NULL)
        return out_of_memory(error);
    l.set->end_isolated = l.options.end_isolated;
    l.set->isolate_context = l.options.isolate_context;
    pawl_status status = run_steps(&l, error);
    if (status != PAWL_OK) {
        pawl_plugin_set_close(l.set);
        return status;
    }
    publish(l.set);
    *ret_set = l.set;
    return PAWL_OK;
}

pawl_plugin_set *pawl_plugin_set_close(pawl_plugin_set *set)
{
    if (set == NULL)
        return NULL;
    for (size_t i = set->candidate_count; i-- > 0;)
        end(set, &set->candidates[i]);
    for (size_t i = 0; i < set->candidate_count; i++) {
        candidate *c = &set->candidates[i];
        pawl_manifest_destroy(c->manifest);
        pawl_elf_image_finish(&c->image);
        free(c->path);
        free(c->subject);
        free(c->copy_path);
    }
    free(set->candidates);
    free(set->plugins);
    free(set);
    return NULL;
}

#define ELSEWHERE ((uint32_t)(PAWL_KIND_EFFECT | PAWL_KIND_CONNECTOR))

/* What needs this host's memory, and often, cannot be done from elsewhere. */
pawl_status pawl_loader_check_isolation(const pawl_manifest *manifest, const char *subject, pawl_error *error)
{
    if ((manifest->kinds | ELSEWHERE) == ELSEWHERE)
        return PAWL_OK;
    return pawl_loader_refuse(
        error, "loader.isolation_kind", subject,
        "plugin %s offers process types, storage or what else runs inside the host; wanted only effects and a "
        "connector "
        "for isolation: process. Put those into a plugin of their own, or load it without isolation",
        manifest->id);
}

size_t pawl_plugin_set_count(const pawl_plugin_set *set)
{
    return set == NULL ? 0 : set->count;
}

const pawl_plugin *pawl_plugin_set_at(const pawl_plugin_set *set, size_t index)
{
    return index < pawl_plugin_set_count(set) ? set->plugins[index] : NULL;
}

const pawl_plugin *pawl_plugin_set_find(const pawl_plugin_set *set, const char *id)
{
    const pawl_plugin *found = NULL;
    for (size_t i = 0; i < pawl_plugin_set_count(set); i++)
        if (strcmp(set->plugins[i]->manifest->id, id) == 0 && (found == NULL || set->plugins[i]->rank > found->rank))
            found = set->plugins[i];
    return found;
}

/* ---- trying one ---------------------------------------------------------------------------------------------------
 */

static pawl_status probe_again(const loading *l, candidate *c, pawl_error *error)
{
    pawl_status status = run_probe(l, c, error);
    if (status == PAWL_OK)
        pawl_quarantine_lift(l->data_dir, c->plugin.digest);
    return status;
}

pawl_status pawl_loader_probe(const pawl_plugin_request *request, const char *data_dir,
                              const pawl_loader_options *options, pawl_error *error)
{
    loading l = {.data_dir = data_dir};
    if (options != NULL)
        l.options = *options;
    if (request->entry != NULL)
        return pawl_loader_refuse(error, "loader.request", LINKED_IN, "cannot be probed; wanted a file");
    pawl_plugin_request needed = *request;
    needed.optional = false;
    l.set = create_set(&needed, 1);
    if (l.set == NULL)
        return out_of_memory(error);
    pawl_status status = step_all(&l, look, error);
    if (status == PAWL_OK)
        status = step_all(&l, probe_again, error);
    pawl_plugin_set_close(l.set);
    return status;
}
