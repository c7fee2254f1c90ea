/* guest.h: the program pawl-plugin-host: one plugin in a process of its own, fenced in before any of its code runs,
 * that does what the host on the other end of its one socket says. Owns the plugin, its instances, and the calls that
 * run. Must never trust the plugin more than the host does: whatever it does ends this process, not the host.
 *
 * Threads take turns: whoever holds the turn reads the next message and, when it is a call, gives the turn on and runs
 * it. The first thread is also the plugin's [loader] thread. */
#ifndef PAWL_HOST_ISOLATE_GUEST_H
#define PAWL_HOST_ISOLATE_GUEST_H

#include "host/isolate/wire.h"
#include "host/loader/contract.h"
#include "worker/effect/cancel.h"
#include "worker/effect/core_table.h"

#include <pthread.h>

#define GUEST_STACK_BYTES   ((size_t)1 << 21) /* the ABI promises at least 1 MiB */
#define GUEST_SPARE_THREADS 2u                /* one that reads, one that starts what ends later */

typedef struct guest guest;

/** A call that runs. What a plugin has as its completion and its context, too. */
typedef struct guest_call {
    pawl_completion completion; /* first */
    struct guest_call *next, *before;
    guest *owner;
    uint64_t id;
    uint32_t instance, deed;
    pawl_effect_call abi; /* its bytes lie behind the struct */
    pawl_cancel_token cancel;
    pawl_failure_slot why;
} guest_call;

/** The answer that a plugin's call to the host waits for. */
typedef struct guest_question {
    struct guest_question *next;
    uint64_t id;
    bool answered;
    uint8_t *payload; /* a copy; `end` points into it */
    wire_end end;
} guest_question;

struct guest {
    pawl_host_data data; /* first: host_data of the root points here */
    pawl_host_root root;
    pawl_core core;
    wire_hello hello; /* its bytes belong to `hello_bytes` */
    uint8_t *hello_bytes;
    char *host_version;
    /* the plugin */
    pawl_plugin_root plugin;
    contract_tables tables;
    pawl_connector **instances;
    uint32_t instance_count;
    /* the turn: guards the reader and `stopping` */
    pthread_mutex_t turn;
    wire_reader reader;
    bool stopping;
    pthread_mutex_t writing; /* one message after the other */
    pthread_mutex_t lock;    /* guards what follows */
    pthread_cond_t changed;
    guest_call *calls;
    guest_question *questions;
    uint64_t last_question;
    uint32_t threads; /* that exist, the first one included */
    uint32_t takers;  /* of those, that wait for the turn or have it */
};

/* ---- guest_talk.c ---- */

/** Send what is in the sink, and the tail behind it; the sink is emptied. Ends the program when the host is gone. [any]
 */
void pawl_guest_send(guest *g, pawl_sink *message, pawl_bytes tail);
void pawl_guest_say(guest *g, uint32_t kind, uint64_t id, const char *text);
void pawl_guest_tell_end(guest *g, uint32_t kind, uint64_t id, const wire_end *end);
/** The next message. Ends the program when the host is gone or does not make sense. Whoever has the turn. */
void pawl_guest_receive(guest *g, wire_message *ret);

/* ---- guest_fence.c, guest_filter.c ---- */

/** Limits and the user, then the filter: from here on nothing can be taken back. The error names what was not possible.
 */
pawl_status pawl_guest_fence(const wire_hello *hello, pawl_error *error);
pawl_status pawl_guest_filter(const wire_hello *hello, pawl_error *error);

/* ---- guest_core.c ---- */

/** Fill the root that the plugin gets. */
void pawl_guest_root_init(guest *g);
const pawl_attachments *pawl_guest_attachments(void);

/* ---- guest_serve.c ---- */

/** Do what the host says until it says stop and no call runs any more. */
void pawl_guest_serve(guest *g);

#endif
