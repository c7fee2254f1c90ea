/* open.h: opening a host, step by step: profile, tiers, plugins, stores, artifacts, catalog, worker. Owns only
 * what it needs on the way. Used by host.c alone. [loader] */
#ifndef PAWL_HOST_OPEN_H
#define PAWL_HOST_OPEN_H

#include "host/host_internal.h"

/** Fill a zeroed host. On failure the host holds what was made so far, for pawl_host_dismantle. */
pawl_status pawl_host_assemble(pawl_host *host, const pawl_host_options *options, pawl_error *error);

/** Fill a zeroed host as far as its storage providers: nothing is opened, and no other plugin is loaded unless a
 *  provider is one. For looking after stores. On failure as above. */
pawl_status pawl_host_assemble_providers(pawl_host *host, const pawl_host_options *options,
                                         pawl_facet_provider providers[PAWL_FACET_COUNT], pawl_error *error);

/** Take a host apart, whatever of it is there, in the reverse order. */
void pawl_host_dismantle(pawl_host *host);

#endif
