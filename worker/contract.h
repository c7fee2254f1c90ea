/* contract.h: what the values of an effect or a process type must be like, as a worker sees it: a question to ask. What
 * a rule is, and how it is checked, is the host's. Owns nothing. */
#ifndef PAWL_CONTRACT_H
#define PAWL_CONTRACT_H

#include "base/error.h"

/** What values must be like, as their plugin declares it. The host fills it, and it outlives the catalog. */
typedef struct pawl_contract {
    /** Does the value fit this rule? PAWL_E_INVALID says at which place it does not, what was found and wanted. [any]
     */
    pawl_status (*check)(const void *rule, pawl_bytes value, pawl_error *error);
    const void *input; /* NULL: anything */
    const void *output;
} pawl_contract;

#endif
