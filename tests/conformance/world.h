/* world.h: what one conformance test runs in: a host, a fresh directory, one open store and its tables.
 *
 * In the reopen variant, world_settle() closes and opens the store and compares everything that is stored before and
 * after; the step helpers call it after every change, so that every scenario is also a test of what survives.
 *
 * Thread tag: the test's own thread, unless said otherwise.
 */
#ifndef PAWL_CONFORMANCE_WORLD_H
#define PAWL_CONFORMANCE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host.h"
#include "provider.h"

#define WORKER_TTL_NS (30 * HOST_SECOND_NS)
#define TRACKED_MAX   16

/* What the command line chose. Read-only while tests run. */
struct world_options {
    const pawl_conformance_provider *provider;
    bool reopen;
    bool real_time;
    uint64_t seed;
    uint32_t steps;      /* of the randomised test */
    uint32_t iterations; /* of the races */
    uint32_t threads;
    bool own_mounts; /* what a test mounts, nobody else sees */
    int argument_count;
    char **arguments; /* to start this program again */
};

struct step;

struct world {
    const struct world_options *options;
    const pawl_conformance_provider *provider;
    struct host *host;
    const pawl_plugin_root *root;
    const pawl_storage_table *storage;
    const pawl_registry_table *registry; /* each NULL when the provider need not offer it */
    const pawl_session_table *session;
    const pawl_attachment_table *attachment;
    const pawl_artifact_table *artifact;
    bool initialised;
    char directory[256];
    char *config;
    pawl_store *store;    /* NULL while closed */
    uint64_t worker;      /* a worker session that is always there; a new one after each reopening */
    struct listener *ear; /* its listener */
    unsigned reopenings;
    pawl_failure_sink why;       /* of the last read or synchronous call */
    pthread_mutex_t mutex;       /* guards steps and listeners */
    struct listener **listeners; /* every one ever made: the log refers to them */
    size_t listener_count;
    struct step *steps;             /* everything ever submitted that was not freed early */
    char sessions[TRACKED_MAX][64]; /* beside the registry, compared when reopening */
    size_t session_count;
    char scopes[TRACKED_MAX][64];
    size_t scope_count;
    uint8_t artifacts[TRACKED_MAX][32];
    size_t artifact_count;
};

/* A test of a group: in a world of its own. main fills in the initial state. */
#define CASE(function)                                                                                                 \
    {                                                                                                                  \
#function, function, world_setup, world_teardown, NULL                                                         \
    }
#define GROUP(group, needed_facets)                                                                                    \
    {                                                                                                                  \
#group, group##_tests, sizeof(group##_tests) / sizeof(group##_tests[0]), (needed_facets)                       \
    }

int world_setup(void **state);
int world_teardown(void **state);

/** Make a world without cmocka: for a child program. directory: an existing one to use, or NULL for a fresh one.
 *  @return NULL when the provider lacks something; the reason is printed */
struct world *world_create(const struct world_options *options, const char *directory);
void world_destroy(struct world *world, bool remove_directory);

/** Open the store with the world's configuration. The failure, if any, is in world->why. */
pawl_status world_open(struct world *world);
/** Close it. end_worker: the worker session is closed first, as a graceful host would. */
void world_close(struct world *world, bool end_worker);
/** Open another store with this configuration. Not the world's own. */
pawl_status world_open_other(struct world *world, const char *config, pawl_store **store);
/** The provider's configuration for a directory. The caller frees it. */
char *world_make_config(const pawl_conformance_provider *provider, const char *directory);

/** Begin a worker session; its listener lives as long as the world. Any thread. */
uint64_t world_worker(struct world *world, const char *name, uint64_t ttl_ns, struct listener **listener);
/** End it and mark its listener closed. Any thread. */
void world_worker_close(struct world *world, uint64_t session, struct listener *listener);

/** Close, open, and see the same. Only for a provider that survives it. The worker session is a new one. */
void world_reopen(struct world *world);
/** world_reopen in the reopen variant, else nothing. */
void world_settle(struct world *world);

void world_track_session(struct world *world, const char *name);
void world_track_scope(struct world *world, const char *name);
void world_track_artifact(struct world *world, const uint8_t digest[32]);

static inline pawl_bytes bytes_of(const void *data, size_t size)
{
    pawl_bytes bytes = {data, size};
    return bytes;
}

pawl_bytes text_bytes(const char *text); /* NULL: empty */

#endif
