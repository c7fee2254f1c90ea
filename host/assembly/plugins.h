/* plugins.h: which plugins a host has: the storage linked into Pawl, those linked into the embedding program, and
 * the files of the profile. Owns what is known of them before they are loaded. Runs none of their code before the tiers
 * that they declare were judged. Used by open.c alone. [loader] */
#ifndef PAWL_HOST_PLUGINS_H
#define PAWL_HOST_PLUGINS_H

#include "host/host_internal.h"

/** A plugin that will be loaded, and what it declares, as far as that can be read without running it. */
typedef struct pawl_declared {
    pawl_plugin_facts facts;            /* of a file */
    pawl_manifest *linked_in;           /* of a linked-in one; owned */
    const pawl_manifest *manifest;      /* of either; NULL: unreadable, which loading will report */
    const pawl_profile_plugin *profile; /* of a file */
    pawl_plugin_entry_fn entry;         /* of a linked-in one */
} pawl_declared;

typedef struct pawl_declared_list {
    pawl_declared *items;
    size_t count;
} pawl_declared_list;

/** Load the storage linked into Pawl that the profile uses. */
pawl_status pawl_plugins_load_built_in(pawl_host *host, pawl_error *error);

/** Read what the others declare. Their manifests are not judged here. */
pawl_status pawl_plugins_declare(pawl_host *host, const pawl_host_options *options, pawl_declared_list *ret,
                                 pawl_error *error);
void pawl_plugins_forget(pawl_declared_list *list);

/** Load them all into host->plugins, or none. Then check the profile's names against what they offer. */
pawl_status pawl_plugins_load(pawl_host *host, const pawl_declared_list *declared, pawl_error *error);

/** Who plays each facet, as far as it is loaded or declared. */
void pawl_plugins_providers(const pawl_host *host, const pawl_declared_list *declared,
                            pawl_facet_provider ret[PAWL_FACET_COUNT]);

/** Keep the loaded files in the artifact facet, held by the profile's name. */
pawl_status pawl_plugins_keep(pawl_host *host, pawl_error *error);

#endif
