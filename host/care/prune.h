/* prune.h: forgetting ended processes, a slice at a time: what pruning on demand and the upkeep of a host share.
 */
#ifndef PAWL_HOST_PRUNE_H
#define PAWL_HOST_PRUNE_H

#include <pawl/pawl.h>
#include <stdbool.h>

#define PAWL_PRUNE_SLICE 500u /* processes looked at between two writes */

/** Which of the ended ones go, of those that a cursor leads to. */
typedef struct pawl_prune_rule {
    pawl_host *host;
    const char *type;     /* of this type only; NULL: all */
    uint64_t now_unix_ns; /* not 0: those that the profile's retention does not keep as of now, whatever the type */
} pawl_prune_rule;

/** What was done so far. */
typedef struct pawl_prune_tally {
    uint64_t looked;
    uint64_t pruned;
    uint64_t attachments;
    bool more; /* behind the cursor */
} pawl_prune_tally;

/** One slice from the cursor on, which moves behind what was looked at. from->limit: at most PAWL_PRUNE_SLICE. [worker]
 */
pawl_status pawl_prune_slice(const pawl_prune_rule *rule, pawl_ended *from, bool dry_run, pawl_prune_tally *ret,
                             pawl_error *error);
/** PAWL_E_UNSUPPORTED when the registry of this host cannot prune so. */
pawl_status pawl_prune_offered(const pawl_host *host, pawl_error *error);

#endif
