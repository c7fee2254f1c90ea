/* store.h: one open store: what the four facets share. The engine is behind the seam (kv.h), the facets' tables are in
 * facets.h. Owns the engine once it is open. No state outside the struct: any number may be open in a program. */
#ifndef PAWL_STORE_STORE_H
#define PAWL_STORE_STORE_H

#include "config.h"
#include "kv.h"
#include "limits.h"

#include <pthread.h>

#define STORE_STRIPES 64u

typedef struct pawl_store_registry pawl_store_registry;
typedef struct pawl_store_contents pawl_store_contents;

/* Numbers that only ever grow, over crashes too, without a write for each: the epoch is raised durably whenever the
 * store is opened (and when the counter is used up), and is the upper half of every number given out under it. */
typedef struct pawl_store_tickets {
    pthread_mutex_t lock; /* guards epoch and counter; held over the write that raises the epoch */
    uint32_t epoch;
    uint32_t counter;
} pawl_store_tickets;

struct pawl_store {
    const pawl_host_root *host;
    pawl_core core;                   /* our copy: absent members are NULL */
    pawl_registry_host registry_host; /* likewise */
    pawl_kv *kv;
    uint64_t value_bytes_max;
    uint64_t journal_bytes_max;
    pawl_store_tickets tickets;
    pawl_store_registry *registry;
    pawl_store_contents *contents;                /* attachments and artifacts */
    pthread_mutex_t session_locks[STORE_STRIPES]; /* each guards read-check-write of the sessions that hash to it */
};

/** Open a store over an engine, which belongs to the store from here on, also when this fails. [loader] */
pawl_status pawl_store_open(const pawl_host_root *host, const pawl_store_config *config, pawl_kv *kv,
                            pawl_store **store, pawl_fault *fault);
void pawl_store_close(pawl_store *store);                                                    /* [loader] */
pawl_status pawl_store_describe(pawl_store *store, pawl_sink *json, pawl_failure_sink *why); /* [any] */

/** The host's tables a store works with, as copies; PAWL_E_UNSUPPORTED when one is missing. */
pawl_status pawl_store_take_host(const pawl_host_root *host, pawl_core *core, pawl_registry_host *registry_host,
                                 pawl_fault *fault);

/** The next number that only grows. PAWL_E_LIMIT "store.tickets_exhausted" when there will never be another. */
pawl_status pawl_store_ticket(pawl_store *store, uint64_t *ticket, pawl_fault *fault);
pawl_status pawl_store_tickets_open(pawl_store *store, pawl_fault *fault);

static inline uint64_t pawl_store_unix_now(const pawl_store *store)
{
    return store->core.unix_now_ns(store->host);
}

static inline uint64_t pawl_store_mono_now(const pawl_store *store)
{
    return store->core.mono_now_ns(store->host);
}

/** Log one line about this store; the format makes the message. */
void pawl_store_log(const pawl_store *store, uint32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** PAWL_E_LIMIT naming what was found and what is allowed. */
pawl_status pawl_store_limit(pawl_fault *fault, const char *what, uint64_t found, uint64_t allowed);

/** Bytes a caller gave: 1..max of them. Empty is PAWL_E_INVALID, more is PAWL_E_LIMIT. */
pawl_status pawl_store_check_name(const char *what, pawl_bytes bytes, uint64_t max, pawl_fault *fault);
/** The same, and empty is fine. */
pawl_status pawl_store_check_size(const char *what, pawl_bytes bytes, uint64_t max, pawl_fault *fault);
pawl_status pawl_store_check_fingerprint(pawl_bytes fingerprint, pawl_fault *fault);

#endif
