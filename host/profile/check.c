/* check.c: what members of a profile must be to each other, and to the file system. Looks only (stat): creates
 * nothing, opens nothing. A member that is wrong by itself has been reported; nothing that depends on it is judged. */
#include "host/profile/read.h"
#include "host/profile/value.h"
#include "worker/attributes.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const facet_names[PAWL_FACET_COUNT] = {[PAWL_FACET_ATTACHMENT] = "attachment",
                                                          [PAWL_FACET_ARTIFACT] = "artifact",
                                                          [PAWL_FACET_SESSION] = "session",
                                                          [PAWL_FACET_REGISTRY] = "registry"};

/* The place of section.key, or of the nearest thing around it that is written. key may be NULL. */
static pawl_place place_of(const pawl_profile_reader *r, const char *section, const char *key)
{
    const pawl_tree_entry *outer = pawl_tree_find(r->root, section);
    const pawl_tree_node *value = outer && key ? pawl_tree_get(outer->value, key) : NULL;
    return value ? value->place : outer ? outer->key->place : r->root->place;
}

static const pawl_tree_node *value_of(const pawl_profile_reader *r, const char *section, const char *key)
{
    return pawl_tree_get(pawl_tree_get(r->root, section), key);
}

/* May a and b of a section be compared: was neither found wrong already? */
static bool comparable(const pawl_profile_reader *r, const char *section, const char *a, const char *b)
{
    return !pawl_profile_troubled(r, value_of(r, section, a)) && !pawl_profile_troubled(r, value_of(r, section, b));
}

/* ---- stores and facets ---- */

static const pawl_profile_store *find_store(const pawl_profile *p, const char *name)
{
    for (size_t i = 0; i < p->store_count; i++)
        if (strcmp(p->stores[i].name, name) == 0)
            return &p->stores[i];
    return NULL;
}

static const char *closest_store(pawl_profile_reader *r, const char *name)
{
    const pawl_profile *p = r->profile;
    const char **names = pawl_profile_memory_array(r->memory, p->store_count + 1, sizeof(*names));
    for (size_t i = 0; names && i < p->store_count; i++)
        names[i] = p->stores[i].name;
    return names ? pawl_closest(name, names) : NULL;
}

static void check_facet(pawl_profile_reader *r, size_t which)
{
    pawl_profile *p = r->profile;
    pawl_profile_facet *facet = &p->facets[which];
    const char *name = r->facet_stores[which];
    if (name) {
        facet->store = find_store(p, name);
        if (facet->store)
            return;
        const char *closest = closest_store(r, name);
        pawl_problems_add(r->problems, facet->place, "profile.unknown_store",
                          "facets.%s: no store is named \"%s\"%s%s%s", facet_names[which], name,
                          closest ? "; did you mean \"" : "", closest ? closest : "", closest ? "\"?" : "");
        return;
    }
    if (value_of(r, "facets", facet_names[which]))
        return; /* written, but wrong */
    if (p->store_count == 1)
        facet->store = p->stores;
    else if (p->store_count > 1)
        pawl_problems_add(r->problems, place_of(r, "facets", NULL), "profile.missing_key",
                          "facets.%s is required when there is more than one store", facet_names[which]);
}

static bool is_rocksdb(const pawl_profile_store *store)
{
    return store->provider && strcmp(store->provider, "rocksdb") == 0;
}

/* Its path: absolute, DATA/store when not given, of no other store. */
static void check_rocksdb_path(pawl_profile_reader *r, pawl_profile_store *store)
{
    const pawl_tree_node *config = pawl_tree_get(value_of(r, "stores", store->name), "config");
    const pawl_tree_node *node = pawl_tree_get(config, "path");
    const json_t *given = json_object_get(store->config, "path");
    const char *path = NULL;
    if (!given) {
        if (!r->profile->data)
            return;
        path = pawl_profile_absolute(r->memory, r->profile->data, "store");
    } else if (json_string_length(given) > 0 && strlen(json_string_value(given)) == json_string_length(given)) {
        path = pawl_profile_absolute(r->memory, r->profile->directory, json_string_value(given));
    } else {
        pawl_problems_add(r->problems, node ? node->place : store->place, "profile.path",
                          "stores.%s.config.path: expected a path, found %s", store->name,
                          json_is_string(given) ? "an empty one" : "another kind of value");
        return;
    }
    if (!path || json_object_set_new(store->config, "path", json_string(path)) != 0) {
        pawl_profile_memory_fail(r->memory);
        return;
    }
    for (const pawl_profile_store *other = r->profile->stores; other < store; other++) {
        const char *theirs = is_rocksdb(other) ? json_string_value(json_object_get(other->config, "path")) : NULL;
        if (theirs && strcmp(theirs, path) == 0)
            pawl_problems_add(r->problems, node ? node->place : store->place, "profile.duplicate",
                              "stores.%s and stores.%s (at %s:%u:%u) have the same path %s", store->name, other->name,
                              r->problems->path, other->place.line, other->place.column, path);
    }
}

static void check_stores(pawl_profile_reader *r)
{
    const pawl_tree_entry *stores = pawl_tree_find(r->root, "stores");
    if (stores && r->profile->store_count == 0 && !pawl_profile_troubled(r, stores->value))
        pawl_problems_add(r->problems, stores->key->place, "profile.missing_key",
                          "stores: at least one store is required");
    for (size_t i = 0; i < r->profile->store_count; i++)
        if (is_rocksdb(&r->profile->stores[i]))
            check_rocksdb_path(r, &r->profile->stores[i]);
    for (size_t i = 0; i < PAWL_FACET_COUNT; i++)
        check_facet(r, i);
}

/* ---- plugins ---- */

static const pawl_tree_node *plugin_value(const pawl_profile_reader *r, size_t i, const char *key)
{
    const pawl_tree_node *list = pawl_tree_get(r->root, "plugins");
    return list && i < list->count ? pawl_tree_get(list->entries[i].value, key) : NULL;
}

static void check_plugin_file(pawl_profile_reader *r, size_t i, pawl_place place)
{
    const pawl_profile_plugin *plugin = &r->profile->plugins[i];
    struct stat found;
    if (stat(plugin->path, &found) != 0) {
        if (!(plugin->optional && (errno == ENOENT || errno == ENOTDIR)))
            pawl_problems_add(r->problems, place, "profile.file", "plugins[%zu].path: cannot find the file %s: %s", i,
                              plugin->path, strerror(errno));
    } else if (!S_ISREG(found.st_mode)) {
        pawl_problems_add(r->problems, place, "profile.file", "plugins[%zu].path: %s is %s; expected a file", i,
                          plugin->path, S_ISDIR(found.st_mode) ? "a directory" : "not a regular file");
    }
}

/* Limits of a plugin that nothing limits: those of the schema stand in every description, and say nothing. */
static void check_limits(pawl_profile_reader *r, size_t i)
{
    const pawl_profile_plugin *plugin = &r->profile->plugins[i];
    const pawl_profile_isolation *limits = &plugin->limits;
    const pawl_tree_node *node = plugin_value(r, i, "limits");
    bool says_nothing = limits->memory_bytes == UINT64_C(256) << 20 && limits->cpu_ns == UINT64_C(30000000000) &&
                        limits->open_files == 64 && limits->processes == 0 && limits->user == NULL &&
                        limits->seccomp == PAWL_SECCOMP_STRICT && limits->workers == 1;
    if (node && plugin->isolation == PAWL_ISOLATION_NONE && !says_nothing && !pawl_profile_troubled(r, node) &&
        !pawl_profile_troubled(r, plugin_value(r, i, "isolation")))
        pawl_problems_add(r->problems, node->place, "profile.inconsistent",
                          "plugins[%zu].limits: nothing limits a plugin that runs inside the host; add isolation: "
                          "process, or leave them out",
                          i);
}

static void check_plugins(pawl_profile_reader *r)
{
    const pawl_profile *p = r->profile;
    for (size_t i = 0; i < p->plugin_count; i++) {
        const pawl_profile_plugin *plugin = &p->plugins[i];
        const pawl_tree_node *dev = plugin_value(r, i, "dev");
        const pawl_tree_node *list = pawl_tree_get(r->root, "plugins");
        if (list && i < list->count && list->entries[i].value->kind != PAWL_TREE_MAPPING)
            continue;
        if (!plugin->dev && !plugin_value(r, i, "sha256") && !pawl_profile_troubled(r, dev))
            pawl_problems_add(
                r->problems, plugin->place, "profile.unpinned",
                "plugins[%zu]: sha256 is required (sha256sum FILE prints it); only with dev: true may it be "
                "left out",
                i);
        check_limits(r, i);
        if (!plugin->path)
            continue;
        const pawl_tree_node *node = plugin_value(r, i, "path");
        pawl_place place = node ? node->place : plugin->place;
        for (size_t j = 0; j < i; j++)
            if (p->plugins[j].path && strcmp(p->plugins[j].path, plugin->path) == 0)
                pawl_problems_add(r->problems, place, "profile.duplicate",
                                  "plugins[%zu] and plugins[%zu] (at %s:%u:%u) "
                                  "are the same file %s",
                                  i, j, r->problems->path, p->plugins[j].place.line, p->plugins[j].place.column,
                                  plugin->path);
        if (!(r->flags & PAWL_PROFILE_NO_FILES))
            check_plugin_file(r, i, place);
    }
}

/* ---- numbers that must agree ---- */

static void check_order(pawl_profile_reader *r, const char *section, const char *low, uint64_t low_value,
                        const char *high, uint64_t high_value, void (*format)(uint64_t, char *))
{
    char low_text[PAWL_VALUE_TEXT];
    char high_text[PAWL_VALUE_TEXT];
    if (low_value <= high_value || !comparable(r, section, low, high))
        return;
    format(low_value, low_text);
    format(high_value, high_text);
    const char *written = value_of(r, section, low) ? low : high;
    pawl_problems_add(r->problems, place_of(r, section, written), "profile.inconsistent",
                      "%s.%s is %s, more than %s.%s, which is %s", section, low, low_text, section, high, high_text);
}

static void check_lease(pawl_profile_reader *r)
{
    uint64_t ttl = r->profile->worker.lease_ttl_ns;
    uint64_t heartbeat = r->profile->worker.heartbeat_ns;
    if (ttl / 3 >= heartbeat || !comparable(r, "worker", "lease_ttl", "heartbeat"))
        return;
    char ttl_text[PAWL_VALUE_TEXT];
    char heartbeat_text[PAWL_VALUE_TEXT];
    char least[PAWL_VALUE_TEXT];
    pawl_format_duration(ttl, ttl_text);
    pawl_format_duration(heartbeat, heartbeat_text);
    pawl_format_duration(3 * heartbeat, least);
    const char *written = value_of(r, "worker", "lease_ttl") ? "lease_ttl" : "heartbeat";
    pawl_problems_add(
        r->problems, place_of(r, "worker", written), "profile.lease",
        "worker.lease_ttl is %s with a heartbeat of %s; expected at least three heartbeats (%s), so that a "
        "late one does not cost the lease",
        ttl_text, heartbeat_text, least);
}

static void check_effect_retries(pawl_profile_reader *r)
{
    const pawl_profile *p = r->profile;
    for (size_t i = 0; i < p->effect_count; i++) {
        const pawl_profile_effect *e = &p->effects[i];
        uint32_t both = PAWL_SET_FIRST_DELAY | PAWL_SET_MAX_DELAY;
        if ((e->set & both) != both || e->retry.first_delay_ns <= e->retry.delay_max_ns)
            continue;
        const pawl_tree_node *retry = pawl_tree_get(value_of(r, "effects", e->name), "retry");
        const pawl_tree_node *first = pawl_tree_get(retry, "first_delay");
        char first_text[PAWL_VALUE_TEXT];
        char most_text[PAWL_VALUE_TEXT];
        pawl_format_duration(e->retry.first_delay_ns, first_text);
        pawl_format_duration(e->retry.delay_max_ns, most_text);
        pawl_problems_add(r->problems, first ? first->place : e->place, "profile.inconsistent",
                          "effects.%.80s.retry.first_delay is %s, more than max_delay, which is %s", e->name,
                          first_text, most_text);
    }
}

static void check_numbers(pawl_profile_reader *r)
{
    const pawl_profile *p = r->profile;
    check_lease(r);
    check_order(r, "retry", "first_delay", p->retry.first_delay_ns, "max_delay", p->retry.delay_max_ns,
                pawl_format_duration);
    check_order(r, "limits", "input", p->limits.input_bytes, "value", p->limits.value_bytes, pawl_format_size);
    check_order(r, "limits", "value", p->limits.value_bytes, "journal_max", p->limits.journal_max_bytes,
                pawl_format_size);
    check_order(r, "limits", "journal_warn", p->limits.journal_warn_bytes, "journal_max", p->limits.journal_max_bytes,
                pawl_format_size);
    check_effect_retries(r);
}

/* ---- attributes ---- */

/* Its words would be read as something else in an expression. */
static void check_attributes(pawl_profile_reader *r)
{
    static const char *const words[] = {"and", "or", "not", "in", "starts", "with", "true", "false", "null", NULL};
    const pawl_profile *p = r->profile;
    if (p->attribute_count > PAWL_ATTRIBUTES_MAX)
        pawl_problems_add(r->problems, p->attributes[PAWL_ATTRIBUTES_MAX].place, "profile.range",
                          "attributes: %zu search attributes; expected at most %u", p->attribute_count,
                          PAWL_ATTRIBUTES_MAX);
    for (size_t i = 0; i < p->attribute_count; i++)
        for (const char *const *word = words; *word; word++)
            if (strcmp(p->attributes[i].name, *word) == 0)
                pawl_problems_add(r->problems, p->attributes[i].place, "profile.name",
                                  "attributes.%s: this word means something in an expression; expected another name",
                                  p->attributes[i].name);
}

/* ---- paths and names of the host ---- */

static void check_data(pawl_profile_reader *r)
{
    const char *data = r->profile->data;
    struct stat found;
    if (data && !(r->flags & PAWL_PROFILE_NO_FILES) && stat(data, &found) == 0 && !S_ISDIR(found.st_mode))
        pawl_problems_add(r->problems, pawl_tree_get(r->root, "data")->place, "profile.file",
                          "data: %s is not a directory", data);
}

static void check_socket(pawl_profile_reader *r)
{
    pawl_profile *p = r->profile;
    const pawl_tree_node *written = pawl_tree_get(r->root, "socket");
    if (!written && p->data)
        p->socket = pawl_profile_absolute(r->memory, p->data, "pawl.sock");
    const size_t most = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
    if (!p->socket || strlen(p->socket) <= most)
        return;
    const pawl_tree_node *data = pawl_tree_get(r->root, "data");
    pawl_problems_add(r->problems,
                      written ? written->place
                      : data  ? data->place
                              : r->root->place,
                      "profile.path", "socket: %s has %zu bytes; the system allows %zu%s", p->socket, strlen(p->socket),
                      most, written ? "" : "; set a shorter socket, or a shorter data");
}

static void fill_worker_name(pawl_profile_reader *r)
{
    char name[256];
    if (r->profile->worker.name)
        return;
    if (gethostname(name, sizeof(name)) != 0 || !name[0])
        (void)snprintf(name, sizeof(name), "localhost");
    name[sizeof(name) - 1] = 0;
    r->profile->worker.name = pawl_profile_memory_copy(r->memory, name, strlen(name));
}

void pawl_profile_check_all(pawl_profile_reader *r)
{
    check_data(r);
    check_socket(r);
    check_stores(r);
    check_plugins(r);
    check_numbers(r);
    pawl_profile_check_guards(r);
    pawl_profile_check_schedules(r);
    check_attributes(r);
    fill_worker_name(r);
}

/* ---- against the plugins' manifests ---- */

static bool listed(const char *const *list, const char *name)
{
    for (; *list; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

static bool check_id(pawl_problem_list *problems, const char *const *known, const char *id, pawl_place place,
                     const char *code, const char *what, const char *of)
{
    if (!known || !id || listed(known, id))
        return true;
    const char *closest = pawl_closest(id, known);
    pawl_problems_add(problems, place, code, "%s: no plugin of this profile offers %s \"%.128s\"%s%s%s", of, what, id,
                      closest ? "; did you mean \"" : "", closest ? closest : "", closest ? "\"?" : "");
    return false;
}

static bool check_provider(const pawl_profile_store *store, const pawl_profile_known *known,
                           pawl_problem_list *problems)
{
    static const char *const built_in[] = {"rocksdb", "memory", NULL};
    char of[PAWL_WHERE];
    if (!known->providers || listed(built_in, store->provider) || listed(known->providers, store->provider))
        return true;
    (void)snprintf(of, sizeof(of), "stores.%s.provider", store->name);
    const char *closest = pawl_closest(store->provider, built_in);
    if (!closest)
        return check_id(problems, known->providers, store->provider, store->provider_place, "profile.unknown_provider",
                        "the storage provider", of);
    pawl_problems_add(problems, store->provider_place, "profile.unknown_provider",
                      "%s: no storage provider is named \"%s\"; did you mean \"%s\"?", of, store->provider, closest);
    return false;
}

pawl_status pawl_profile_check_known(const pawl_profile *profile, const pawl_profile_known *known,
                                     pawl_problem_list *problems)
{
    bool good = true;
    char of[PAWL_WHERE];
    if (!problems->path && !(problems->path = strdup(profile->path)))
        return PAWL_E_NOMEM;
    for (size_t i = 0; i < profile->store_count; i++)
        good &= check_provider(&profile->stores[i], known, problems);
    for (size_t i = 0; i < profile->connector_count; i++) {
        const pawl_profile_connector *c = &profile->connectors[i];
        (void)snprintf(of, sizeof(of), "connectors.%s.plugin", c->name);
        good &= check_id(problems, known->connectors, c->plugin, c->plugin_place, "profile.unknown_plugin",
                         "the connector", of);
    }
    for (size_t i = 0; i < profile->middleware_count; i++) {
        const pawl_profile_middleware *m = &profile->middleware[i];
        (void)snprintf(of, sizeof(of), "middleware.%s.plugin", m->name);
        good &= check_id(problems, known->middleware, m->plugin, m->plugin_place, "profile.unknown_plugin",
                         "the middleware", of);
    }
    for (size_t i = 0; i < profile->observer_count; i++) {
        const pawl_profile_observer *o = &profile->observers[i];
        (void)snprintf(of, sizeof(of), "observers[%zu].plugin", i);
        good &= check_id(problems, known->observers, o->plugin, o->plugin_place, "profile.unknown_plugin",
                         "the observer", of);
    }
    for (size_t i = 0; i < profile->effect_count; i++)
        good &= check_id(problems, known->effects, profile->effects[i].name, profile->effects[i].place,
                         "profile.unknown_effect", "the effect or operation", "effects");
    for (size_t i = 0; i < profile->type_count; i++)
        good &= check_id(problems, known->types, profile->types[i].name, profile->types[i].place,
                         "profile.unknown_type", "the process type", "types");
    for (size_t i = 0; i < profile->schedule_count; i++) {
        const pawl_profile_schedule *own = &profile->schedules[i];
        (void)snprintf(of, sizeof(of), "schedules.%s.type", own->name);
        good &= check_id(problems, known->types, json_string_value(json_object_get(own->spec, "type")), own->type_place,
                         "profile.unknown_type", "the process type", of);
    }
    return good ? PAWL_OK : PAWL_E_INVALID;
}
