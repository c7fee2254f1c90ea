/* facets.h: the four storage roles of a host: which provider plays each, how durable it is, and the open stores. Owns
 * the open stores. Never opens one before every facet has been judged, and never lets a facet below its tier through:
 * all that fail are named at once. [loader] */
#ifndef PAWL_HOST_FACETS_H
#define PAWL_HOST_FACETS_H

#include "host/loader/loader.h"
#include "host/profile/profile.h"
#include "worker/base/sink.h"

/** The least tier that everything asks for, and who asks for it. */
typedef struct pawl_tier_need {
    uint32_t tier;
    const char *type; /* a process type; NULL: the profile. Borrowed */
} pawl_tier_need;

/** Raise the need to that of the process types of a plugin. */
void pawl_tier_need_raise(pawl_tier_need *need, const pawl_manifest *manifest);

/** Who plays a facet, as far as it is known now. */
typedef struct pawl_facet_provider {
    const pawl_plugin *plugin;     /* loaded: its tier() is asked; or NULL */
    const pawl_manifest *manifest; /* not loaded yet: what it declares at best; or NULL: not known, not judged now */
} pawl_facet_provider;

/** Ask and judge. Opens nothing. Errors: code "durable_store_required:<facet>" of the first that fails, in the order
 *  attachment, artifact, session, process_registry, with a message that names every one; "facet.not_offered" when a
 *  provider lacks a facet; what tier() gives (bad configuration). */
pawl_status pawl_facets_judge(const pawl_profile *profile, const pawl_tier_need *need,
                              const pawl_facet_provider providers[PAWL_FACET_COUNT], uint32_t tiers[PAWL_FACET_COUNT],
                              pawl_error *error);

/** An open store. */
typedef struct pawl_open_store {
    const pawl_profile_store *profile;
    const pawl_plugin *plugin;
    pawl_store *store; /* NULL: no facet uses it, it is not open */
} pawl_open_store;

typedef struct pawl_facets {
    pawl_open_store *stores; /* as in the profile */
    size_t store_count;
    const pawl_open_store *facet[PAWL_FACET_COUNT];
    uint32_t tiers[PAWL_FACET_COUNT];
} pawl_facets;

/** Open every store that a facet uses, all or none. */
pawl_status pawl_facets_open(const pawl_profile *profile, const pawl_facet_provider providers[PAWL_FACET_COUNT],
                             const uint32_t tiers[PAWL_FACET_COUNT], pawl_facets *ret, pawl_error *error);
/** Close them, the last one first. Harmless when never opened. */
void pawl_facets_close(pawl_facets *facets);

/** The settings of a store as text, secrets filled in; pawl_secret_forget_text frees it. */
pawl_status pawl_facets_config(const pawl_profile *profile, const pawl_profile_store *store, char **ret, size_t *size,
                               pawl_error *error);
/** What a provider said, with the store's name and place in front. */
pawl_status pawl_facets_failed(const pawl_profile *profile, const pawl_profile_store *store,
                               const pawl_failure_slot *why, pawl_status status, pawl_error *error);

/** "attachment", "artifact", "session", "process_registry". */
const char *pawl_facet_name(uint32_t facet);

#endif
