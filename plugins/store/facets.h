/* facets.h: the facet tables, the same for every engine. Static. */
#ifndef PAWL_STORE_FACETS_H
#define PAWL_STORE_FACETS_H

#include "pawl_abi.h"

extern const pawl_registry_table pawl_store_registry_table;
extern const pawl_session_table pawl_store_session_table;
extern const pawl_attachment_table pawl_store_attachment_table;
extern const pawl_artifact_table pawl_store_artifact_table;

#define PAWL_STORE_FACETS                                                                                              \
    (1u << PAWL_FACET_ATTACHMENT | 1u << PAWL_FACET_ARTIFACT | 1u << PAWL_FACET_SESSION | 1u << PAWL_FACET_REGISTRY)

/** The table of a facet factory by id, or NULL. [any] */
const void *pawl_store_facet(const char *factory_id);

#endif
