/* tree.h: YAML text as a tree in which every value knows its place. Aliases are followed and merge keys merged,
 * so a reader sees plain mappings, lists and scalars, with every key once. Room of host/profile*.c only. Never: a tree
 * deeper than PAWL_PROFILE_DEPTH_MAX, or one whose walk meets more than PAWL_PROFILE_NODES_MAX values. */
#ifndef PAWL_HOST_PROFILE_TREE_H
#define PAWL_HOST_PROFILE_TREE_H

#include "host/profile/memory.h"
#include "host/profile/profile.h"

enum { PAWL_TREE_SCALAR, PAWL_TREE_LIST, PAWL_TREE_MAPPING };

typedef struct pawl_tree_node pawl_tree_node;

typedef struct pawl_tree_entry {
    pawl_tree_node *key; /* a scalar; NULL in a list */
    pawl_tree_node *value;
} pawl_tree_entry;

struct pawl_tree_node {
    int kind;
    bool plain;  /* scalar: written without quotes and not as a block, so its look gives its type */
    bool broken; /* an alias that leads nowhere; already reported */
    pawl_place place;
    const char *text; /* scalar: NUL-terminated, but may hold NULs too */
    size_t size;
    const char *tag; /* as resolved ("tag:yaml.org,2002:str"), or NULL */
    pawl_tree_entry *entries;
    size_t count;
    uint32_t depth;  /* 1 for a scalar */
    uint32_t weight; /* values in it, itself included */
};

/** Read one YAML document. NULL when there is none to read further, with the reasons in problems (or memory failed);
 *  otherwise problems may still have been added (duplicate keys, unknown aliases ...). */
const pawl_tree_node *pawl_profile_tree_read(const char *text, size_t size, pawl_profile_memory *memory,
                                             pawl_problem_list *problems);

/** The value of a key, or NULL; also when node is NULL or no mapping. */
const pawl_tree_node *pawl_tree_get(const pawl_tree_node *node, const char *key);
/** The entry of a key, or NULL. */
const pawl_tree_entry *pawl_tree_find(const pawl_tree_node *node, const char *key);

#endif
