/* read.h: the steps from a tree to a checked profile. Room of host/profile*.c only; one thread. */
#ifndef PAWL_HOST_PROFILE_READ_H
#define PAWL_HOST_PROFILE_READ_H

#include "host/profile/schema.h"
#include "host/profile/tree.h"

/** What the steps share. */
typedef struct pawl_profile_reader {
    pawl_profile *profile;
    pawl_profile_memory *memory;
    pawl_problem_list *problems;
    const pawl_tree_node *root;
    uint32_t flags;                             /* PAWL_PROFILE_* */
    const char *facet_stores[PAWL_FACET_COUNT]; /* names, until the stores are known */
} pawl_profile_reader;

#define PAWL_WHERE 256 /* bytes for "connectors.shop.config.headers", as messages name a value */

/** Fill the profile from the tree: types, ranges, names, defaults. Members that are wrong keep their default. */
void pawl_profile_read_tree(pawl_profile_reader *reader);

/** A `config` as JSON, an object, kept by the memory; an empty one for NULL or nothing. NULL when out of memory.
 * Secrets are checked for form and their files made absolute. */
json_t *pawl_profile_read_config(pawl_profile_reader *reader, const pawl_tree_node *node, const char *where);

/** What no single key can tell: facets, pins, files, doubles, and members that must agree; fills the computed defaults.
 */
void pawl_profile_check_all(pawl_profile_reader *reader);

/** The part of that about guards. */
void pawl_profile_check_guards(pawl_profile_reader *reader);
/** The part of that about schedules. (check_schedules.c) */
void pawl_profile_check_schedules(pawl_profile_reader *reader);

/** Absolute and without empty or "." parts; NULL when out of memory. */
const char *pawl_profile_absolute(pawl_profile_memory *memory, const char *directory, const char *path);

/** Is there a problem at this very value already? Then what depends on it is not judged. */
bool pawl_profile_troubled(const pawl_profile_reader *reader, const pawl_tree_node *node);

#endif
