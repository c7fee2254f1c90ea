/* loader.h: from a list of files in a profile to plugins that may be called: trust, copy, facts, probe, load, init.
 *
 * Owns the loaded set and the copies under DATA/plugins/. A plugin is loaded from a copy named by its digest, never
 * from the path in the profile, and is never unloaded: closing a set calls deinit and keeps the code mapped. Never:
 * runs plugin code in this program before a child process has survived it, changes anything but DATA/plugins, calls a
 * plugin while holding a lock (there is none), logs.
 *
 * Threads: every function is [loader]: one thread at a time for one set. Sets of different hosts are independent.
 *
 * Every refusal has its own stable code ("loader.digest") and a message that names the file, the rule of
 * docs/abi-rules.md, what was found, what was wanted and what to do. */
#ifndef PAWL_HOST_LOADER_H
#define PAWL_HOST_LOADER_H

#include "manifest.h"
#include "worker/base/error.h"

#include <stdbool.h>

/** One plugin to load. Everything is borrowed for the call. */
typedef struct pawl_plugin_request {
    const char *path;           /**< of the shared object; NULL for a plugin linked into the program */
    const char *sha256;         /**< pin, 64 hex digits; NULL only with dev */
    bool dev;                   /**< may be unpinned; directories may be writable by this program's own group */
    bool current;               /**< of several versions of a plugin, the one for what begins now; else the last */
    bool optional;              /**< a refusal leaves it out instead of refusing all */
    const char *config_json;    /**< for init: a JSON object, secrets filled in; NULL: "{}" */
    const char *place;          /**< "profile.yaml:12:5", for messages; may be NULL */
    pawl_plugin_entry_fn entry; /**< linked in: its entry; path, sha256, dev are not used then */
    const void *isolation;      /**< not NULL: never run here; handed to the options' isolate */
} pawl_plugin_request;

struct pawl_plugin;
struct pawl_isolated;

/** Zero is the default of every member; a NULL pointer to options is all zeros. */
typedef struct pawl_loader_options {
    const char *probe_path;    /**< the pawl-probe program; NULL: of the build tree or the installation */
    uint32_t probe_timeout_ms; /**< 0: 5000 */
    uint64_t file_bytes_max;   /**< 0: 256 MiB */
    /** The host root that a plugin gets; NULL: the one given to pawl_loader_load serves all. Must live until the set is
     *  closed. NULL as a result: out of memory. */
    const pawl_host_root *(*root_for)(void *context, const char *plugin_id);
    void *root_context;
    /** Told once for each optional plugin that was left out; may be NULL. */
    void (*left_out)(void *context, const pawl_plugin_request *request, const pawl_error *why);
    void *left_out_context;
    /** Run a plugin whose request has an isolation, elsewhere: in place of probe, dlopen and init; and end that. The
     *  plugin's facts, copy and host are there. NULL: such a plugin is refused. */
    pawl_status (*isolate)(void *context, const pawl_plugin_request *request, const struct pawl_plugin *plugin,
                           struct pawl_isolated **ret, pawl_error *error);
    void (*end_isolated)(void *context, struct pawl_isolated *isolated);
    void *isolate_context;
} pawl_loader_options;

/** A plugin that may be called. Read-only. The tables are copies, zero where the plugin's are shorter than this host's;
 *  NULL where the plugin does not declare the kind. */
typedef struct pawl_plugin {
    const pawl_plugin_root *root; /**< a copy */
    const pawl_manifest *manifest;
    const pawl_host_root *host; /**< what init got */
    const char *path;           /**< as asked for; "(linked in)" otherwise */
    const char *copy_path;      /**< what was loaded; NULL when linked in */
    uint8_t digest[32];         /**< SHA-256 of the file; zeros when linked in */
    bool linked_in;
    bool current;  /**< of several versions with this id, the one for what begins now */
    uint32_t rank; /**< larger than that of the versions in front of it; that of the current one is the largest */
    struct pawl_isolated *isolated; /**< it runs elsewhere: no root, no table; NULL: here */
    const pawl_effect_table *effect;
    const pawl_connector_table *connector;
    const pawl_process_table *process;
    const pawl_middleware_table *middleware;
    const pawl_observer_table *observer;
    const pawl_storage_table *storage;
    const pawl_storage_care_table *care; /**< NULL also when a storage plugin does not offer it */
    const pawl_session_table *session;
    const pawl_attachment_table *attachment;
    const pawl_artifact_table *artifact;
    const pawl_registry_table *registry;
} pawl_plugin;

typedef struct pawl_plugin_set pawl_plugin_set;

/** Load all plugins, in order, or none (but for optional ones). No code of any runs before every file has passed its
 *  checks and no effect name or process type is there twice (but in versions of one plugin, which differ in their
 * digest); no code runs in this program before all were probed. When one fails, those before it are deinited in reverse
 * order.
 *  @param data_dir the host's data directory, absolute; DATA/plugins is created in it, mode 0700
 *  @param host given to init; must live until the set is closed. May be NULL with options->root_for
 *  @param options may be NULL
 *  @param[out] ret_set closed with pawl_plugin_set_close; set only on success
 *  Errors: see docs/abi-rules.md; the message begins with the request's place and path. */
pawl_status pawl_loader_load(const pawl_plugin_request *requests, size_t count, const char *data_dir,
                             const pawl_host_root *host, const pawl_loader_options *options, pawl_plugin_set **ret_set,
                             pawl_error *error);

size_t pawl_plugin_set_count(const pawl_plugin_set *set);
const pawl_plugin *pawl_plugin_set_at(const pawl_plugin_set *set, size_t index); /* in order of the requests */
/** By id, the current one of several versions; NULL: not loaded. */
const pawl_plugin *pawl_plugin_set_find(const pawl_plugin_set *set, const char *id);

/** deinit in reverse order, free the set. Everything made by the plugins must be gone. NULL is allowed; returns NULL.
 */
pawl_plugin_set *pawl_plugin_set_close(pawl_plugin_set *set);

/** What can be known of a file without running its code. */
typedef struct pawl_plugin_facts {
    uint8_t digest[32];
    uint64_t size;
    char machine[32];      /**< "x86-64" or the number */
    char glibc_needed[16]; /**< "2.34"; "" when it needs none */
    char *needed;          /**< libraries it needs, separated by spaces; never NULL */
    char *run_path;        /**< DT_RUNPATH or DT_RPATH; "" when it has none */
    pawl_manifest *manifest;
    pawl_bytes manifest_text; /**< the note's bytes */
    pawl_error trust;         /**< status PAWL_OK, or why the file would be refused where it lies now */
    pawl_error image; /**< status PAWL_OK, or why the file would be refused for what it is (manifest still set if
                           it could be read) */
} pawl_plugin_facts;

/** Read a file's facts; runs none of its code and writes nothing. Fails only when the file cannot be read at all; what
 *  would be refused is in the facts. Freed with pawl_plugin_facts_finish. */
pawl_status pawl_loader_inspect(const char *path, const pawl_loader_options *options, pawl_plugin_facts *ret,
                                pawl_error *error);
void pawl_plugin_facts_finish(pawl_plugin_facts *facts);

/** Check one plugin as pawl_loader_load would, up to and including the probe in a child process, but load nothing here.
 *  A quarantine of its digest is lifted when the probe passes and set when it crashes. */
pawl_status pawl_loader_probe(const pawl_plugin_request *request, const char *data_dir,
                              const pawl_loader_options *options, pawl_error *error);

/** May a plugin with this manifest run in a process of its own? Errors: loader.isolation_kind. [any] */
pawl_status pawl_loader_check_isolation(const pawl_manifest *manifest, const char *subject, pawl_error *error);

/** The number of the rule in docs/abi-rules.md that a refusal code stands for ("loader.digest" -> "A-20"); NULL when it
 *  is not one of the loader's. [any] */
const char *pawl_loader_rule(const char *code);

#endif
