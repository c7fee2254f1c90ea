/* probe.h: try a plugin in a child process before its code may run here. Owns the child: it is gone when a call
 * returns. The child is a small program of its own (pawl-probe), since forking a program that has threads is not safe
 * and an embedding program is not ours to start again. Internal to the loader. [loader] */
#ifndef PAWL_HOST_LOADER_PROBE_H
#define PAWL_HOST_LOADER_PROBE_H

#include "worker/base/error.h"

#include <stdbool.h>

#define PROBE_TIMEOUT_MS_DEFAULT 5000u
#define PROBE_CHANNEL            3 /* the child's descriptor: the config comes in, the report goes out */

typedef struct probe_request {
    const char *program;   /* NULL: of the build tree or the installation */
    const char *copy_path; /* what is loaded */
    const char *subject;   /* what messages call it */
    const char *config_json;
    uint32_t timeout_ms; /* 0: the default */
} probe_request;

/** Run the probe. PAWL_OK: the child loaded, initialised, described and ended. Otherwise what stopped it:
 *  loader.probe_crash (*ret_crashed is set), probe_hang, probe_exit, probe_missing, or a refusal that the child found.
 */
pawl_status pawl_probe_run(const probe_request *request, bool *ret_crashed, pawl_error *error);

#endif
