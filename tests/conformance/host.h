/* host.h: a host as a storage provider sees it, small enough to be obviously right.
 *
 * It owns: the host root with pawl.core/1 and pawl.registry-host/1, a clock that stands still until it is moved (or
 * runs in real time), byte and failure sinks, and one log of everything that a provider told it, in order. It also
 * watches over the provider's manners (an operation completed twice or from inside submit, an event for a closed
 * session) and keeps what it saw as text. It never calls a provider and never asserts: callbacks run on the
 * provider's threads.
 *
 * Thread tag: [any], but create and destroy.
 */
#ifndef PAWL_CONFORMANCE_HOST_H
#define PAWL_CONFORMANCE_HOST_H

#include <pthread.h>
#include <stdbool.h>

#include "pawl_abi.h"

#define HOST_SECOND_NS     UINT64_C(1000000000)
#define HOST_START_MONO_NS (UINT64_C(1000) * HOST_SECOND_NS)
#define HOST_START_UNIX_NS (UINT64_C(1800000000) * HOST_SECOND_NS)
/* How long a wait may take before the provider is said to hang. Generous: sanitizers, a busy machine, slow disks. */
#define HOST_WAIT_S 60

/* Bytes from a provider. Zero-initialise (limit 0: none); sink_reset frees. */
struct pawl_sink {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t limit;
};

/* A failure from a provider, as text. Zero-initialise. */
struct pawl_failure_sink {
    bool set;
    uint32_t klass;
    char code[129];
    char message[4097];
    char detail[1024];
};

struct host;

/* A worker session's ear. Zero-initialise, set host. The log refers to it by address. */
struct listener {
    struct host *host;
    bool closed; /* set after worker_close returned: nothing may come any more */
};

/* The caller's part of an operation: op->host_data points to it. */
struct pending {
    struct host *host;
    bool done;
    uint64_t order; /* position in the log once done */
};

#define HOST_LOG_COMPLETED 100u /* beside PAWL_EVENT_* */
struct log_entry {
    uint32_t what; /* HOST_LOG_COMPLETED or PAWL_EVENT_* */
    const struct listener *listener;
    const pawl_registry_op *op; /* COMPLETED */
    uint64_t number;
    uint64_t token;
    uint64_t sequence; /* of the POSTED record, or of the completed op */
    uint32_t kind;     /* of the POSTED record */
    uint8_t body[64];  /* the beginning of its body */
    size_t body_size;
    char text[64]; /* ENDED: "id type session status" */
};

struct host {
    pawl_host_root root; /* first: the provider's pointer to it is a pointer to this */
    bool real_time;
    uint64_t mono_ns; /* atomic, like unix_ns */
    uint64_t unix_ns;
    uint32_t clock_delay_us;  /* atomic; a thread that reads the clock is held up so long: widens races */
    pthread_key_t submitting; /* set on a thread while it is inside submit */
    pthread_mutex_t mutex;    /* guards all below, and every pending and listener of this host */
    pthread_cond_t changed;
    struct log_entry *log;
    size_t log_size;
    size_t log_capacity;
    char violations[2048]; /* what the provider must not have done; "" when it behaved */
};

struct host *host_create(bool real_time);
void host_destroy(struct host *host);

uint64_t host_mono_ns(const struct host *host);
uint64_t host_unix_ns(const struct host *host);
/** Move both clocks on. No effect in real time. */
void host_advance(struct host *host, uint64_t span_ns);
/** Move the monotonic clock alone on. No effect in real time. */
void host_advance_mono(struct host *host, uint64_t span_ns);
/** Move the wall clock alone on. No effect in real time. */
void host_advance_unix(struct host *host, uint64_t span_ns);
/** Set the wall clock, also backwards. No effect in real time. */
void host_set_unix(struct host *host, uint64_t unix_ns);

/** Hold up every thread that reads the monotonic clock, as a busy machine might; 0: no more. */
void host_delay_clock(struct host *host, uint32_t delay_us);

/** Note a breach of contract; the test that is running fails at its end. */
void host_violation(struct host *host, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Hand operations over and remember meanwhile that this thread is inside submit. */
void host_submit(struct host *host, const pawl_registry_table *registry, pawl_store *store,
                 pawl_registry_op *const *ops, size_t count);

/** Wait until an operation has been completed. @return false after HOST_WAIT_S. */
bool host_wait(struct host *host, const struct pending *pending);
bool host_is_done(struct host *host, const struct pending *pending);

/** Wait for an entry at or after *position that has this kind, listener (NULL: any) and number (0: any).
 *  @param position where to look from; moved behind the entry that was found
 *  @param found receives a copy; may be NULL
 *  @return false after HOST_WAIT_S */
bool host_wait_event(struct host *host, uint32_t what, const struct listener *listener, uint64_t number,
                     size_t *position, struct log_entry *found);
/** The same, for what is there already. */
bool host_has_event(struct host *host, uint32_t what, const struct listener *listener, uint64_t number,
                    size_t *position, struct log_entry *found);
/** How long the log is now. */
size_t host_log_size(struct host *host);

void sink_reset(pawl_sink *sink);
void failure_reset(pawl_failure_sink *why);
/** Does the failure's code, message or detail contain this text? */
bool failure_mentions(const pawl_failure_sink *why, const char *text);

#endif
