/* host_internal.h: what an open host consists of, for the files host*.c and view*.c that implement include/pawl/pawl.h.
 * Everything but the members under `lock` is set while opening and read-only until closing. */
#ifndef PAWL_HOST_INTERNAL_H
#define PAWL_HOST_INTERNAL_H

#include "host/assembly/assemble.h"
#include "host/assembly/callbacks.h"
#include "host/assembly/facets.h"
#include "host/care/roots.h"
#include "host/operation/new_id.h"
#include "host/operation/pause.h"
#include "host/operation/watch.h"
#include "host/session/attachments.h"
#include "host/session/handles.h"
#include "worker/base/arena.h"
#include "worker/journal.h"
#include "worker/worker.h"

#include <pawl/pawl.h>
#include <stdatomic.h>

#define PAWL_ID_BYTES_MAX           256u
#define PAWL_TYPE_BYTES_MAX         256u
#define PAWL_SESSION_BYTES_MAX      256u
#define PAWL_FAIRNESS_KEY_BYTES_MAX 256u

struct pawl_host {
    const pawl_clock *clock;
    pawl_log log;
    pawl_profile *profile;
    pawl_roots roots;
    const pawl_host_root *root;       /* the host's own */
    pawl_attribute_schema attributes; /* its array belongs to the host */
    pawl_plugin_set *built_in;        /* storage that is linked into Pawl */
    pawl_plugin_set *plugins;         /* all others */
    struct pawl_isolation *isolation; /* NULL: no plugin runs in a process of its own */
    pawl_facets facets;
    pawl_attachment_facet attachments;
    pawl_registry registry;
    pawl_assembly assembly;
    pawl_pauses pauses;
    pawl_handles handles;
    pawl_worker *worker;        /* NULL: none here */
    pawl_worker_limits *limits; /* of the profile's types, for the worker */
    const char *no_worker_because;
    char worker_name[320];
    struct pawl_upkeep *upkeep;    /* NULL: nothing is put away by itself */
    struct pawl_return *returning; /* NULL: no worker here */
    char flight_path[4096];
    pawl_callbacks *callbacks;
    pawl_run_watches watches;
    pawl_new_ids new_ids;
    atomic_bool closing;
    pthread_mutex_t lock; /* guards the members below */
    pthread_cond_t idle;
    size_t in_flight; /* requests whose callback has not returned */
    pawl_wait *waits; /* doubly linked */
    atomic_uint follow_count;
    pthread_mutex_t follow_lock; /* guards the list and who is being told */
    pthread_cond_t follow_told;
    pawl_follow *follows;
    pthread_mutex_t queue_lock; /* guards queue_changes */
    pthread_cond_t queue_changed;
    uint64_t queue_changes; /* raised when something may be claimable in a queue that was not */
};

/* ---- host.c ---- */

/** PAWL_OK, or PAWL_E_CLOSED once closing. */
pawl_status pawl_host_usable(const pawl_host *host, pawl_error *error);
/** A request is on its way; its end must be told with pawl_host_left. */
void pawl_host_entered(pawl_host *host);
void pawl_host_left(pawl_host *host);

/* ---- post.c ---- */

/** Post a record that means the same however often it is sent under this id. */
pawl_status pawl_host_post_entry(pawl_host *host, const char *id, const char *post_id, const pawl_entry *entry,
                                 pawl_error *error);

/* ---- check.c: what callers hand in. Codes: missing_process_id, invalid_process_id, ... ---- */

pawl_status pawl_check_id(const char *id, pawl_error *error);
/** Also that it is no name that Pawl keeps for itself. */
pawl_status pawl_check_session(const char *session, pawl_error *error);
/** PAWL_E_NOT_FOUND, "unknown_session", unless somebody has committed to it. Blocks. */
pawl_status pawl_check_known_session(pawl_host *host, const char *session, pawl_error *error);
pawl_status pawl_check_text(const char *what, const char *text, size_t bytes_max, pawl_error *error);
pawl_status pawl_check_bytes(const char *what, pawl_bytes bytes, uint64_t bytes_max, pawl_error *error);
/** "no process type x here; close ones: ..." */
pawl_status pawl_unknown_type(const pawl_host *host, const char *type, pawl_error *error);
/** What a store says of an id that it does not know, in the words of the API, whatever the provider; other errors (and
 * one that is no longer retained) stay as they are. Returns the status. */
pawl_status pawl_unknown_process(const char *id, pawl_status status, pawl_error *error);
/** Copy a versioned options struct of the caller into a whole one. False when it is NULL or its size is absurd. */
bool pawl_take_struct(void *to, size_t size, const void *from);

/* ---- look.c ---- */

#define PAWL_ROW_DOCUMENT 1u
#define PAWL_ROW_OUTCOME  2u
/** A copy of a row, whole; its bytes are in the arena. Of the large ones only those wanted: PAWL_ROW_*. */
pawl_status pawl_row_copy(pawl_arena *arena, const pawl_process_row *row, uint32_t parts_wanted, pawl_process_row *ret);
/** Read a row by id. */
pawl_status pawl_host_row(pawl_host *host, const char *id, pawl_arena *arena, pawl_process_row *ret, pawl_error *error);

/* ---- post.c ---- */

/** Send what comes from outside (the kind is the entry's), and put what the store says into words that name the
 * process. ret_replayed may be NULL. */
pawl_status pawl_host_post(pawl_host *host, const char *id, pawl_post *body, const pawl_entry *entry,
                           uint32_t *ret_replayed, pawl_error *error);

/** The request that pawl_host_cancel would send to the process of this row, for a batch; all of it in the arena. */
pawl_status pawl_host_cancel_post(pawl_arena *arena, const pawl_process_row *row, const char *reason,
                                  const pawl_post **ret, pawl_error *error);

/* ---- prune.c ---- */

/** Let go of all attachments of a scope; *dropped is raised by their number. */
pawl_status pawl_host_drop_attachments(pawl_host *host, pawl_bytes scope, uint64_t *dropped);

/* ---- follow.c ---- */

void pawl_follows_init(pawl_host *host);
void pawl_follows_finish(pawl_host *host);
/** Tell who follows the ends of an end that the worker recorded; context is the host. [any][nonblock] */
void pawl_follows_tell(void *context, const pawl_worker_end *end);
/** Likewise of one that was posted: its type and session are read if anybody follows. [any], blocks */
void pawl_follows_tell_posted(pawl_host *host, const pawl_post *post);

/* ---- post.c ---- */

#define PAWL_UPDATE_ID_SIZE 257
/** Send an update; durable when this returns PAWL_OK. own_id: the id that it has, given or made. *ret_sequence: of its
 * record, the first time. */
pawl_status pawl_host_post_update(pawl_host *host, const char *id, const char *name, pawl_bytes payload,
                                  const char *update_id, char own_id[PAWL_UPDATE_ID_SIZE], uint64_t *ret_sequence,
                                  pawl_error *error);

/* ---- event.c, queue.c ---- */

/** What the type of a process declares, in the version that it is pinned to; NULL: nothing. */
const struct pawl_type_rules *pawl_host_rules_of(const pawl_host *host, const pawl_process_row *row);
/** An event as JSON; a new object or NULL. */
json_t *pawl_event_json(const pawl_entry *entry);
/** Whoever waits for an item of a queue is to look again. [any] */
void pawl_host_queue_changed(pawl_host *host);
/** The queues of the store that holds the registry. "queue.unsupported" */
pawl_status pawl_host_queue_table(const pawl_host *host, const pawl_queue_table **ret, pawl_error *error);

/* ---- wait.c ---- */

/** End all asynchronous waits. */
void pawl_host_end_waits(pawl_host *host);

#endif
