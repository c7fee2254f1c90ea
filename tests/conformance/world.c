/* world.c: why it exists: each test gets a store that nothing else has touched, and leaves nothing behind. It must
 * never reach around the plugin root, and never keep state outside of a world. */
#include "world.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "step.h"
#include "view.h"

pawl_bytes text_bytes(const char *text)
{
    return bytes_of(text, text ? strlen(text) : 0);
}

static int remove_entry(const char *path, const struct stat *facts, int kind, struct FTW *walk)
{
    (void)facts;
    (void)kind;
    (void)walk;
    return remove(path);
}

char *world_make_config(const pawl_conformance_provider *provider, const char *directory)
{
    char *config = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&config, &size);
    if (!out)
        abort();
    for (const char *at = provider->config_template; *at;) {
        if (strncmp(at, "%DIR%", 5) == 0) {
            fputs(directory, out);
            at += 5;
        } else {
            fputc(*at++, out);
        }
    }
    fclose(out);
    return config;
}

static const void *facet_table(struct world *world, uint32_t facet, const char *factory, bool *good)
{
    if (!(world->provider->facets & (1u << facet)))
        return NULL;
    const void *table = world->root->get_factory(factory);
    bool offered = table && (world->storage->facets & (1u << facet));
    if (!offered)
        fprintf(stderr, "%s must offer %s and does not\n", world->provider->name, factory);
    *good = *good && offered;
    return table;
}

static bool find_tables(struct world *world)
{
    bool good = true;
    world->storage = world->root->get_factory(PAWL_FACTORY_STORAGE);
    if (!world->storage) {
        fprintf(stderr, "%s does not offer %s\n", world->provider->name, PAWL_FACTORY_STORAGE);
        return false;
    }
    world->registry = facet_table(world, PAWL_FACET_REGISTRY, PAWL_FACTORY_REGISTRY, &good);
    world->session = facet_table(world, PAWL_FACET_SESSION, PAWL_FACTORY_SESSION, &good);
    world->attachment = facet_table(world, PAWL_FACET_ATTACHMENT, PAWL_FACTORY_ATTACHMENT, &good);
    world->artifact = facet_table(world, PAWL_FACET_ARTIFACT, PAWL_FACTORY_ARTIFACT, &good);
    return good;
}

struct world *world_create(const struct world_options *options, const char *directory)
{
    struct world *world = calloc(1, sizeof(*world));
    if (!world)
        abort();
    world->options = options;
    world->provider = options->provider;
    world->host = host_create(options->real_time);
    pthread_mutex_init(&world->mutex, NULL);
    if (directory) {
        snprintf(world->directory, sizeof(world->directory), "%s", directory);
    } else {
        const char *base = getenv("TMPDIR");
        snprintf(world->directory, sizeof(world->directory), "%s/pawl-conformance-XXXXXX", base ? base : "/tmp");
        if (!mkdtemp(world->directory))
            abort();
    }
    world->config = world_make_config(world->provider, world->directory);
    world->root = world->provider->root();
    pawl_status status = world->root->init(&world->host->root, text_bytes("{}"), &world->why);
    if (status != PAWL_OK)
        fprintf(stderr, "init of %s: %d %s\n", world->provider->name, status, world->why.message);
    world->initialised = status == PAWL_OK;
    if (!world->initialised || !find_tables(world)) {
        world_destroy(world, directory == NULL);
        return NULL;
    }
    return world;
}

void world_destroy(struct world *world, bool remove_directory)
{
    if (world->store)
        world_close(world, true);
    if (world->initialised)
        world->root->deinit(&world->host->root);
    step_free_all(world);
    if (remove_directory)
        nftw(world->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    for (size_t i = 0; i < world->listener_count; i++)
        free(world->listeners[i]);
    free(world->listeners);
    host_destroy(world->host);
    pthread_mutex_destroy(&world->mutex);
    free(world->config);
    free(world);
}

pawl_status world_open(struct world *world)
{
    failure_reset(&world->why);
    pawl_store *store = NULL;
    pawl_status status = world->storage->open(&world->host->root, text_bytes(world->config), &store, &world->why);
    if (status == PAWL_OK) {
        world->store = store;
        if (world->registry)
            world->worker = world_worker(world, "conformance", WORKER_TTL_NS, &world->ear);
    }
    return status;
}

pawl_status world_open_other(struct world *world, const char *config, pawl_store **store)
{
    failure_reset(&world->why);
    return world->storage->open(&world->host->root, text_bytes(config), store, &world->why);
}

void world_close(struct world *world, bool end_worker)
{
    if (end_worker && world->registry)
        world_worker_close(world, world->worker, world->ear);
    world->storage->close(world->store);
    for (size_t i = 0; i < world->listener_count; i++) {
        pthread_mutex_lock(&world->host->mutex);
        world->listeners[i]->closed = true; /* nothing may be heard from a closed store */
        pthread_mutex_unlock(&world->host->mutex);
    }
    world->store = NULL;
    world->worker = 0;
}

static struct listener *new_listener(struct world *world)
{
    struct listener *made = calloc(1, sizeof(*made));
    pthread_mutex_lock(&world->mutex);
    size_t size = (world->listener_count + 1) * sizeof(*world->listeners);
    struct listener **grown = realloc(world->listeners, size);
    if (!made || !grown)
        abort();
    made->host = world->host;
    world->listeners = grown;
    world->listeners[world->listener_count++] = made;
    pthread_mutex_unlock(&world->mutex);
    return made;
}

uint64_t world_worker(struct world *world, const char *name, uint64_t ttl_ns, struct listener **listener)
{
    struct listener *made = new_listener(world);
    uint64_t session = 0;
    pawl_failure_sink why = {0};
    pawl_status status = world->registry->worker_open(world->store, text_bytes(name), ttl_ns, made, &session, &why);
    if (status != PAWL_OK || session == 0)
        host_violation(world->host, "worker_open: status %d, session %llu, %s\n", status, (unsigned long long)session,
                       why.message);
    if (listener)
        *listener = made;
    return session;
}

void world_worker_close(struct world *world, uint64_t session, struct listener *listener)
{
    world->registry->worker_close(world->store, session);
    pthread_mutex_lock(&world->host->mutex);
    listener->closed = true;
    pthread_mutex_unlock(&world->host->mutex);
}

int world_setup(void **state)
{
    struct world *world = world_create(*state, NULL);
    if (!world)
        return -1;
    if (world_open(world) != PAWL_OK) {
        fprintf(stderr, "open %s: %s %s\n", world->config, world->why.code, world->why.message);
        world_destroy(world, true);
        return -1;
    }
    *state = world;
    return 0;
}

int world_teardown(void **state)
{
    struct world *world = *state;
    if (world->store)
        world_close(world, true);
    char violations[sizeof(world->host->violations)];
    memcpy(violations, world->host->violations, sizeof(violations));
    world_destroy(world, true);
    if (violations[0])
        fprintf(stderr, "breaches of the contract:\n%s", violations);
    return violations[0] ? -1 : 0;
}

void world_reopen(struct world *world)
{
    char *before = view_dump(world);
    bool graceful = (world->reopenings & 1u) != 0;
    world_close(world, graceful);
    world->reopenings++;
    pawl_status status = world_open(world);
    if (status != PAWL_OK)
        fail_msg("reopening failed: %d %s %s", status, world->why.code, world->why.message);
    char *after = view_dump(world);
    /* A provider whose worker sessions outlive a closed store may keep leases until they expire. */
    if (!graceful)
        host_advance_mono(world->host, WORKER_TTL_NS);
    bool same = strcmp(before, after) == 0;
    if (!same)
        view_print_difference(before, after);
    free(before);
    free(after);
    if (!same)
        fail_msg("the store is not the same after reopening");
    if (!graceful && world->registry && world->registry->heartbeat(world->store, world->worker) != PAWL_OK)
        world->worker = world_worker(world, "conformance", WORKER_TTL_NS, &world->ear);
}

void world_settle(struct world *world)
{
    if (world->options->reopen)
        world_reopen(world);
}

static void track(char names[][64], size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(names[i], name) == 0)
            return;
    if (*count == TRACKED_MAX)
        fail_msg("too many names are tracked");
    snprintf(names[(*count)++], 64, "%s", name);
}

void world_track_session(struct world *world, const char *name)
{
    track(world->sessions, &world->session_count, name);
}

void world_track_scope(struct world *world, const char *name)
{
    track(world->scopes, &world->scope_count, name);
}

void world_track_artifact(struct world *world, const uint8_t digest[32])
{
    for (size_t i = 0; i < world->artifact_count; i++)
        if (memcmp(world->artifacts[i], digest, 32) == 0)
            return;
    if (world->artifact_count == TRACKED_MAX)
        fail_msg("too many artifacts are tracked");
    memcpy(world->artifacts[world->artifact_count++], digest, 32);
}
