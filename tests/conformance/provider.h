/* provider.h: how the conformance suite is told what to test.
 *
 * A provider is a plugin root and a way to make its configuration for a fresh directory. First-party providers are
 * linked in and listed in provider_list.c; any other one is a shared object that the program loads by path, with a
 * configuration template from the command line. The suite reaches a provider only through its root, never through
 * anything else of it; the facts below are what it is held to.
 *
 * Thread tag: [loader]; a provider description is read-only once the suite runs.
 */
#ifndef PAWL_CONFORMANCE_PROVIDER_H
#define PAWL_CONFORMANCE_PROVIDER_H

#include <stdbool.h>

#include "pawl_abi.h"

/** One provider with one kind of configuration. */
typedef struct pawl_conformance_provider {
    const char *name;                      /**< "rocksdb": given on the command line, printed in results */
    const pawl_plugin_root *(*root)(void); /**< the plugin's entry */
    /** The configuration, a JSON object in which every "%DIR%" stands for an empty directory made for one test. */
    const char *config_template;
    uint32_t facets; /**< bit (1u << PAWL_FACET_x) for each facet that it must offer; groups for others are not run */
    bool survives_reopen;   /**< what is acknowledged is there after close and open of the same directory */
    bool files;             /**< the store lives in files below %DIR%, so that they can be damaged and removed */
    const char *log_suffix; /**< ".log": the end of the names of write-ahead logs below %DIR%; NULL: none */
    bool strict_config;     /**< refuses configuration keys that it does not know, naming them */
    uint32_t tier[PAWL_FACET_COUNT]; /**< the tier that each facet must report with this configuration */
} pawl_conformance_provider;

/** Find a linked-in provider. @return NULL when there is none of this name. */
const pawl_conformance_provider *pawl_conformance_find(const char *name);

/** Print the names of the linked-in providers, one a line. */
void pawl_conformance_print_names(void);

#endif
