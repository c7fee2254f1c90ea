/* filter.h: what a list asks of search attributes: checked once, told of each row whether it fulfils it, and which
 * index rows lead to all that could. [any], one thread */
#ifndef PAWL_STORE_FILTER_H
#define PAWL_STORE_FILTER_H

#include "attribute.h"

typedef struct pawl_store_filter pawl_store_filter;

/** Check the conditions of a list. NULL and PAWL_OK when there are none. PAWL_E_INVALID, PAWL_E_LIMIT. */
pawl_status pawl_store_filter_make(const pawl_list *list, pawl_store_filter **ret, pawl_fault *fault);
void pawl_store_filter_free(pawl_store_filter *filter); /**< NULL is allowed */

/** Are the attributes of this row what was asked for? PAWL_E_CORRUPT when they cannot be read. */
pawl_status pawl_store_filter_fits(const pawl_store_filter *filter, const pawl_process_row *row, bool *ret,
                                   pawl_fault *fault);

/** Rows from lower on and before upper, in the family of relations; equal: all have one value, so that they are sorted
 *  by process number. */
typedef struct pawl_store_range {
    bool equal;
    pawl_key lower;
    pawl_key upper;
} pawl_store_range;

/** Which index rows lead to every process that could fulfil the filter, by a guess at what is fewest:
 * ranges[0..*count), at most PAWL_STORE_CONDITION_VALUES_MAX of them, all of them equal or a single one that is not.
 * *count 0: no index helps. *few: so few rows that all of them may be read. */
pawl_status pawl_store_filter_plan(const pawl_store_filter *filter, pawl_kv *kv, pawl_store_range *ranges,
                                   size_t *count, bool *few, pawl_fault *fault);

#endif
