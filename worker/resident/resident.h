/* resident.h: a process while this worker holds it: what is to be done next, given its activation, its running calls
 * and what has been committed. Used by the shard's thread only. Never calls the registry's commit twice at once for one
 * process, never starts an effect before the records it depends on are durable. */
#ifndef PAWL_RESIDENT_H
#define PAWL_RESIDENT_H

#include "worker/shard.h"

/** Facts of a claimed process, copied. */
typedef struct pawl_claimed {
    uint64_t number, token;
    uint32_t revision, run;
    pawl_bytes id, type, plugin, digest, session; /* plugin, digest: what it is pinned to, with revision */
    pawl_bytes profile;                           /* that it was registered under; empty: any */
    bool returning;                               /* it was put away until now */
    pawl_bytes document;                          /* its stored status document, if known */
    pawl_bytes parent_note;
    pawl_bytes attributes; /* its stored search attributes */
    pawl_bytes key;        /* as it was registered, like the next */
    uint32_t priority;
} pawl_claimed;

/** Make a resident and send it to its shard. False (and the lease given back) when out of memory. [any] */
bool pawl_resident_admit(pawl_worker *worker, const pawl_claimed *claimed);

/** An event of the worker session. [any][nonblock] */
void pawl_resident_event(pawl_worker *worker, const pawl_registry_event *event);

/** The stop mode changed: look at every resident again. Sent by the worker to each shard. */
void pawl_resident_stop_all(pawl_shard *shard);

/** Forget every resident whose lease came from an expired worker session. [shard] */
void pawl_resident_lose_all(pawl_shard *shard);

/** Put on record in their journals which processes were being run when earlier workers died. Errors: what the store
 * gives; then they are tried again at the next start. Before anything is claimed. [loader], blocks */
pawl_status pawl_resident_report_victims(pawl_worker *worker, pawl_error *error);

/** Timers of residents that are due; called by the shard's loop. */
void pawl_resident_due(pawl_shard *shard, pawl_timer *timer);

/** What holds calls back may have changed: look again at those that were held back. Sent by the worker to each shard.
 */
void pawl_resident_look_all(pawl_shard *shard);

/** Warn when the shard has been running one piece of code for longer than activation_warn_ns. [the heart] */
void pawl_resident_watch(pawl_shard *shard, uint64_t now_mono_ns);
/** See pawl_worker_explain. [any] */
bool pawl_resident_explain(pawl_shard *shard, uint64_t number, char *text, size_t room);

#endif
