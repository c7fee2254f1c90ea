/* care.h: what checking, backing up and restoring share: a host that is only as much as its storage providers, and
 * the walk over the stores of a profile. Used by care.c and backup.c alone. */
#ifndef PAWL_HOST_CARE_H
#define PAWL_HOST_CARE_H

#include "host/assembly/open.h"

#include <jansson.h>

/** The providers of a profile and its stores that a facet uses. */
typedef struct pawl_care {
    pawl_host *host;
    pawl_facet_provider providers[PAWL_FACET_COUNT];
} pawl_care;

/** On failure there is nothing to close. */
pawl_status pawl_care_open(pawl_care *care, const pawl_host_options *options, pawl_error *error);
void pawl_care_close(pawl_care *care);

/** Who has this store; NULL: no facet uses it. */
const pawl_plugin *pawl_care_provider(const pawl_care *care, const pawl_profile_store *store);

/** A provider's facts, in a sink, as an object; an empty one when they are no JSON. */
json_t *pawl_care_facts(pawl_sink *sink);

/** PAWL_E_UNSUPPORTED: "store "x" (memory): its provider does not offer ...". */
pawl_status pawl_care_not_offered(const pawl_profile *profile, const pawl_profile_store *store, const char *what,
                                  pawl_error *error);

#endif
