/* groups.h: the groups of the suite, one file each. A group is a table of cmocka tests and where it ends. */
#ifndef PAWL_CONFORMANCE_GROUPS_H
#define PAWL_CONFORMANCE_GROUPS_H

#include "world.h"

struct group {
    const char *name;
    const struct CMUnitTest *tests;
    size_t count;
    uint32_t facets; /* that the provider must offer for this group */
};

#define FACET_BIT(facet) (1u << (facet))
/* Every group but those of the other facets looks at the world through the registry. */
#define REGISTRY_BIT FACET_BIT(PAWL_FACET_REGISTRY)

extern const struct group registration_group;
extern const struct group journal_group;
extern const struct group post_group;
extern const struct group family_group;
extern const struct group waiting_group;
extern const struct group deadline_group;
extern const struct group lease_group;
extern const struct group claim_group;
extern const struct group scheduling_group;
extern const struct group list_group;
extern const struct group prune_group;
extern const struct group runs_group;
extern const struct group queue_group;
extern const struct group queue_wait_group;
extern const struct group together_group;
extern const struct group session_group;
extern const struct group attachment_group;
extern const struct group artifact_group;
extern const struct group lifecycle_group;
extern const struct group damage_group;
extern const struct group concurrent_group;
extern const struct group model_group;

/** What a second program does to the store for a test of this one. @return its exit status */
int child_main(const struct world_options *options, const char *scenario, const char *directory);

#endif
