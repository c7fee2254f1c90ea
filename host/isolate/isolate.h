/* isolate.h: plugins that run in processes of their own. To the worker their effects and connector instances are
 * asynchronous ones, whose calls go over a socket to pawl-plugin-host. Owns those processes: starts them, ends them,
 * starts others when they die, and tells every call how it ended, also when nobody else is left to tell. Never runs
 * code of such a plugin in this program, never calls out under a lock, never leaves a process behind.
 *
 * One thread of its own for all plugins of a host listens; calls are sent by who makes them. */
#ifndef PAWL_HOST_ISOLATE_H
#define PAWL_HOST_ISOLATE_H

#include "host/loader/manifest.h"
#include "host/profile/profile.h"
#include "worker/base/log.h"

typedef struct pawl_isolation pawl_isolation;
typedef struct pawl_isolated pawl_isolated; /* one plugin */

/** Borrowed for as long as the isolation is. */
typedef struct pawl_isolation_config {
    const pawl_log *log;
    const char *program; /* pawl-plugin-host; NULL: of the build tree or the installation */
    uint32_t threads;    /* blocking calls at once in each process */
    uint64_t output_max; /* bytes of a result */
    uint64_t grace_ns;   /* how long a call may go on once it was asked to stop */
} pawl_isolation_config;

/** Errors: PAWL_E_NOMEM, PAWL_E_IO. [loader] */
pawl_status pawl_isolation_create(const pawl_isolation_config *config, pawl_isolation **ret, pawl_error *error);
/** After all its plugins are closed. NULL is allowed; returns NULL. [loader] */
pawl_isolation *pawl_isolation_destroy(pawl_isolation *isolation);
/** End every process that still has a call: all calls end now. [any] */
void pawl_isolation_abort(pawl_isolation *isolation);

/** What a plugin is started with. Everything outlives it. */
typedef struct pawl_isolated_request {
    const pawl_manifest *manifest;
    const char *subject;   /* what messages call it: its path */
    const char *copy_path; /* the checked copy that is loaded */
    const pawl_profile_plugin *profile;
    const pawl_host_root *host; /* whose log its lines go to */
} pawl_isolated_request;

/** Start its processes and wait until all of them serve. Errors: loader.* as of a probe, isolation.*, secret.*.
 *  [loader] */
pawl_status pawl_isolated_open(pawl_isolation *isolation, const pawl_isolated_request *request, pawl_isolated **ret,
                               pawl_error *error);
/** Its calls have ended. NULL is allowed; returns NULL. [loader] */
pawl_isolated *pawl_isolated_close(pawl_isolated *plugin);

/** The table of all isolated plugins, and what to give it: for the plugin's own effects, and for a connector. */
const pawl_connector_table *pawl_isolated_table(void);
pawl_connector *pawl_isolated_effects(pawl_isolated *plugin);
/** name and config outlive the plugin; secrets are filled in whenever a process starts. Errors: what create() gives.
 *  [loader] before the first call */
pawl_status pawl_isolated_instance(pawl_isolated *plugin, const char *name, const json_t *config, pawl_connector **ret,
                                   pawl_error *error);

/** Calls that hold a thread there: so many run at once, in all its processes together. [any] */
uint32_t pawl_isolated_threads(const pawl_isolated *plugin);

/** How it is: {"state", "workers": [...], ...}; a new object, or NULL. [any] */
json_t *pawl_isolated_view(pawl_isolated *plugin);

#endif
