/* step.h: registry operations for tests: prepared, handed over, waited for.
 *
 * A step owns its operation, its request and a copy of all bytes in it, and lives until the world is destroyed (or
 * step_free), so that a failed assertion never leaves the provider with dangling memory. Preparing, submitting and
 * waiting may be done by any thread; asserting helpers (step_ok, lease_*) only by the test's own.
 */
#ifndef PAWL_CONFORMANCE_STEP_H
#define PAWL_CONFORMANCE_STEP_H

#include "world.h"

#define KIND_NOTE 7u /* a record kind of the worker's, meaningless here */

struct step {
    pawl_registry_op op;
    struct pending pending;
    pawl_failure_sink why;
    union {
        pawl_register registration;
        pawl_commit commit;
        pawl_post post;
        pawl_watch watch;
        pawl_prune prune;
        pawl_post_all post_all;
        pawl_queue_wait queue_wait;
    } request;
    pawl_record records[8];
    size_t record_count;
    pawl_bytes document;
    void *copies[32];
    size_t copy_count;
    struct world *world;
    struct step *next;
    struct step **link; /* what points to this one */
};

/* A process that this test holds. After a reopening it is claimed again, with a larger token. */
struct lease {
    char id[64];
    uint64_t number;
    uint64_t token;
    uint64_t seen; /* last sequence known to the holder */
    unsigned reopenings;
};

/** Prepare. Texts may be NULL for empty; the fingerprint is made from the content. Fields of request may be changed
 *  before step_submit (bytes put there must outlive the step: see step_keep). */
struct step *step_register(struct world *world, const char *id, const char *type, const char *input);
struct step *step_commit(struct world *world, uint32_t kind, uint64_t number, uint64_t token, uint64_t seen);
struct step *step_post(struct world *world, uint32_t kind, const char *id, const char *post_id, const char *body);
struct step *step_watch(struct world *world, const char *id, uint64_t after, uint64_t kinds);
struct step *step_prune(struct world *world, uint64_t ended_before_unix_ns, uint32_t limit);
/* A cancel request to each of these (NULL-terminated), and this value under "mark" in the session. */
struct step *step_cancel_all(struct world *world, const char *const *ids, const char *session, const char *mark);
struct step *step_queue_wait(struct world *world, const char *id, const char *session, const char *body);

/** An APPEND of one note. */
struct step *step_append(struct world *world, uint64_t number, uint64_t token, const char *body);
/** A SUSPEND without records. */
struct step *step_suspend(struct world *world, uint64_t number, uint64_t token, uint64_t seen, uint64_t wake_unix_ns);
/** A COMPLETE with its ENDED record. */
struct step *step_complete(struct world *world, uint64_t number, uint64_t token, uint64_t seen, uint32_t status,
                           const char *outcome);
/** A PARK with its PARKED record. */
struct step *step_park(struct world *world, uint64_t number, uint64_t token, const char *reason);
/** An ENDED post that forces. */
struct step *step_force(struct world *world, const char *id, const char *post_id, uint32_t status, const char *body);

/** Copy bytes into the step. */
pawl_bytes step_keep(struct step *step, pawl_bytes bytes);
/** Add a record to a commit. */
void step_record(struct step *step, uint32_t kind, pawl_bytes body);
/** Set the commit's status document. */
void step_document(struct step *step, const char *document);

void step_submit(struct step *step);
/** Wait for the completion. @return the status, or PAWL_E_DEADLINE (and a violation noted) when it never came */
pawl_status step_wait(struct step *step);
/** Submit and wait. */
pawl_status step_run(struct step *step);
/** Submit, wait, assert PAWL_OK, settle. @return the finished step, for its results */
const struct step *step_ok(struct step *step);
/** Submit, wait, assert this status and, for a failure, that nothing readable changed; settle. */
const struct step *step_refused(struct step *step, pawl_status expected);
void step_free(struct step *step);
void step_free_all(struct world *world);

/** 16 bytes that differ when the content differs. */
void fingerprint_of(pawl_bytes a, pawl_bytes b, uint8_t fingerprint[16]);

/* ---- a held process ---- */

/** Register and claim by id. */
struct lease lease_new(struct world *world, const char *id, const char *type);
/** Claim by id, for the world's worker session. */
struct lease lease_claim(struct world *world, const char *id);
/** After a reopening, claim again; checks that the token grew. */
void lease_regain(struct world *world, struct lease *lease);
/** Append one note; the lease's seen moves on. @return its sequence */
uint64_t lease_append(struct world *world, struct lease *lease, const char *body);
/** Suspend, assert that it was done. */
void lease_suspend(struct world *world, struct lease *lease, uint64_t wake_unix_ns);
void lease_complete(struct world *world, struct lease *lease, uint32_t status, const char *outcome);
void lease_park(struct world *world, struct lease *lease, const char *reason);

#endif
