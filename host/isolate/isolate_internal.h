/* isolate_internal.h: what an isolated plugin consists of, for the files of this room.
 *
 * plugin->lock guards every member that does not say otherwise, of the plugin, its guests and its calls. The reader of
 * a guest belongs to the listening thread. A call that was taken out of the table belongs to who took it, who tells its
 * end without the lock. */
#ifndef PAWL_HOST_ISOLATE_INTERNAL_H
#define PAWL_HOST_ISOLATE_INTERNAL_H

#include "isolate.h"
#include "wire.h"

#include <pthread.h>
#include <sys/types.h>

#define ISOLATE_RAPID_NS     UINT64_C(10000000000) /* who dies earlier after its start has died rapidly */
#define ISOLATE_RAPID_MAX    5u                    /* after so many in a row calls fail at once */
#define ISOLATE_START_NS     UINT64_C(15000000000) /* from its start until it serves */
#define ISOLATE_STOP_NS      UINT64_C(2000000000)  /* from being told to stop until it is killed */
#define ISOLATE_BACK_OFF_NS  UINT64_C(100000000)   /* between the second death in a row and the next start; doubles */
#define ISOLATE_BACK_OFF_MAX UINT64_C(30000000000)
#define ISOLATE_CALLS_MAX    (1u << 20)           /* of one plugin at once */
#define ISOLATE_LOOK_BUSY_NS UINT64_C(1000000000) /* how often the CPU time of one that has calls is looked at */
#define ISOLATE_LOOK_IDLE_NS UINT64_C(5000000000)
#define ISOLATE_LOG_MAX      1000u /* lines that one guest may log in a second; the rest is counted */
#define ISOLATE_QUESTIONS    256u  /* open at once, beyond one for each thread */
#define ISOLATE_UPLOADS_MAX  1000u /* open at once, of one call */
#define ISOLATE_WHY          512u

typedef enum guest_state {
    GUEST_DOWN = 0,     /* no process; the next starts at `due` */
    GUEST_STARTING = 1, /* was told how; says READY before `due`, or is killed */
    GUEST_CREATING = 2, /* makes the instances; the same */
    GUEST_READY = 3,
    GUEST_STOPPING = 4, /* was told to stop, or is killed at `due` */
    GUEST_KILLED = 5    /* its end has not been seen yet */
} guest_state;

struct guest;
/** What an event of the listening thread is about. */
typedef struct guest_watch {
    struct guest *guest;
    bool is_end; /* of the process; else its socket */
} guest_watch;

/** One process of a plugin. */
typedef struct guest {
    pawl_isolated *plugin;
    guest_watch socket_watch, end_watch;
    guest_state state;
    pid_t pid;
    int socket, end; /* -1: none */
    bool deaf;       /* nothing more is read from it */
    wire_reader in;  /* the listening thread's */
    uint8_t *out;    /* what the socket did not take */
    size_t out_at, out_size, out_room;
    uint32_t running, blocking; /* calls; of those, that hold a thread */
    uint32_t created;           /* instances */
    uint32_t questions;         /* not answered yet */
    uint64_t log_from_mono_ns;  /* these three are the listening thread's: of this second */
    uint32_t logged, unlogged;
    uint64_t due_mono_ns;
    uint64_t began_mono_ns;
    uint32_t rapid;     /* deaths in a row, each soon after its start */
    bool has_ended_one; /* a call, since the CPU time was looked at */
    uint64_t cpu_mark_ns, look_mono_ns;
    char stage[80];
    char code[32];         /* of the death to come, when the host decided it; "" else */
    char why[ISOLATE_WHY]; /* why the last one died: "was ended by signal 11 (...)" */
} guest;

/** A call on its way. */
typedef struct isolated_call {
    struct isolated_call *next; /* pending, or taken out */
    uint64_t id;
    guest *guest; /* NULL: not sent */
    const pawl_effect_call *abi;
    pawl_completion *done; /* NULL: somebody waits for it */
    uint32_t instance, deed;
    bool pending;
    uint64_t stop_by_mono_ns; /* 0: nobody asked it to stop */
    uint32_t relays;          /* of its questions, that are being answered */
    uint32_t uploads;         /* begun and not ended */
    char fallen_code[32];     /* its guest died, amid a question: what is to be told then; "" else */
    char *fallen;
    /* of somebody who waits */
    pthread_cond_t over;
    bool is_over;
    pawl_status status;
    pawl_sink *out;
    pawl_failure_sink *why;
} isolated_call;

typedef struct call_list {
    isolated_call *first, *last;
} call_list;

/** What the worker calls its pawl_connector. */
struct pawl_connector {
    pawl_isolated *plugin;
    uint32_t number; /* WIRE_EFFECTS for the plugin's own effects */
    const char *name;
    const json_t *config;
};

struct isolate_relay;

struct pawl_isolated {
    pawl_isolated *next; /* the listening thread's */
    pawl_isolation *isolation;
    pawl_isolated_request request;
    uint32_t uid, gid;
    bool change_user;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    guest *guests;
    uint32_t guest_count;
    bool opening; /* a death is an error of who opens */
    bool failed;
    pawl_error error;
    bool ending, gone;
    pawl_connector effects;
    pawl_connector **instances; /* the first is &effects */
    uint32_t instance_count;
    isolated_call **slots;
    uint32_t slot_count;
    uint32_t *free_slots;
    uint32_t free_count;
    uint64_t generation;
    call_list pending[2]; /* calls that start something, calls that block */
    uint32_t pending_count;
    pawl_sink scratch;          /* a message on its way out */
    uint64_t stop_look_mono_ns; /* the earliest stop_by of a call; UINT64_MAX: none */
    uint64_t calls_total, deaths, starts;
    struct isolate_relay *relay; /* NULL: nothing was ever asked */
};

struct pawl_isolation {
    pawl_isolation_config config;
    char program[4096];
    int poll, wake;
    pthread_t listener;
    pthread_mutex_t lock; /* guards the list's head and `stopping` */
    pawl_isolated *plugins;
    bool stopping;
};

uint64_t pawl_isolate_now(void); /* CLOCK_MONOTONIC */
void pawl_isolate_wake(pawl_isolation *isolation);

/* ---- guest.c: a process ---- */

/** Locked. Its start has failed when it is DOWN afterwards; why says so. */
void pawl_guest_start(guest *g);
/** Locked. It will die; code and why (may be NULL: as it died) are what its calls are told. */
void pawl_guest_kill(guest *g, const char *code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/** Locked. It has ended: collect it, say in `why` how. */
void pawl_guest_collect(guest *g);
/** Locked. CPU time of the process so far. */
uint64_t pawl_guest_cpu_ns(const guest *g);

/* ---- link.c: what goes over its socket ---- */

/** Locked. Send what is in plugin->scratch and the tail; never waits. */
void pawl_guest_send(guest *g, pawl_bytes tail);
/** Locked. The socket takes more. */
void pawl_guest_flush(guest *g);
/** The listening thread. False: nothing more will come. */
bool pawl_guest_read(guest *g);

/* ---- hear.c: what a guest says ---- */

void pawl_guest_hear(guest *g, const wire_message *message); /* the listening thread */
/** Locked. It may take calls from now on, or makes the instances first. */
void pawl_guest_welcome(guest *g);

/* ---- call.c ---- */

/** Locked. Send what waits and can be sent. */
void pawl_isolated_dispatch(pawl_isolated *plugin);
/** Locked. Is there no use in waiting? */
bool pawl_isolated_is_unavailable(const pawl_isolated *plugin);
/** Locked. NULL: unknown. */
isolated_call *pawl_isolated_find(const pawl_isolated *plugin, uint64_t id);
/** Locked. Out of the table: it is the caller's, to be told its end. */
void pawl_isolated_take(pawl_isolated *plugin, isolated_call *call);
/** Tell, and free. */
void pawl_isolated_end(pawl_isolated *plugin, isolated_call *call, const wire_end *end);
void pawl_isolated_fail(pawl_isolated *plugin, isolated_call *call, uint32_t klass, const char *code,
                        uint64_t retry_after_ns, const char *message);
/** Locked. Of a guest that died: all its calls, and when nothing is left to wait for those not yet sent; to be told
 *  once unlocked, with pawl_isolated_tell_fallen. */
isolated_call *pawl_isolated_fell(guest *g);
void pawl_isolated_tell_fallen(pawl_isolated *plugin, isolated_call *list, const guest *g);
/** Locked. Kill those whose calls do not end; the next moment to look. */
uint64_t pawl_isolated_stop_late(pawl_isolated *plugin, uint64_t now_mono_ns);

/* ---- relay.c: pawl.attachments/1 for a plugin ---- */

/** Locked; the listening thread. False: this makes no sense. */
bool pawl_relay_take(guest *g, uint64_t request, const wire_ask *ask);
/** Locked. A call ends: what it began to upload is given up. */
void pawl_relay_abandon(pawl_isolated *plugin, uint64_t call);
/** No call is there any more. */
void pawl_relay_stop(pawl_isolated *plugin);

#endif
