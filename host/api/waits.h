/* waits.h: waits for the end of a process that have a time limit. Owns one thread and an ordered list of deadlines; a
 * wait costs a list entry, never a thread. */
#ifndef PAWL_API_WAITS_H
#define PAWL_API_WAITS_H

#include <pawl/pawl.h>
#include <stdbool.h>
#include <sys/queue.h>

typedef struct pawl_waits pawl_waits;
typedef struct pawl_timed_wait pawl_timed_wait;

/** One wait; the caller's memory, zeroed, untouched until done was called. */
struct pawl_timed_wait {
    void (*done)(pawl_timed_wait *wait); /* once, from any thread, when status is set; the wait is the caller's again */
    void *context;
    bool is_event;          /* it waits for an event and not for the end; its JSON is the output of `outcome` */
    const char *event_type; /* NULL: any; the caller's */
    uint64_t event_after;
    pawl_status status;   /* PAWL_OK, PAWL_E_DEADLINE, PAWL_E_CLOSED, or what the host said */
    pawl_error error;     /* when status is negative */
    pawl_outcome outcome; /* PAWL_OK: its bytes are malloc()ed; pawl_timed_wait_finish frees them */
    /* the rest belongs to waits.c */
    pawl_waits *waits;
    pawl_wait *handle;
    uint64_t deadline_mono_ns;
    bool begun, ended, listed, expired;
    TAILQ_ENTRY(pawl_timed_wait) link;
};

pawl_status pawl_waits_open(pawl_host *host, pawl_waits **ret, pawl_error *error);
/** Wait at most timeout_ns. Whatever happens, done is called once; perhaps before this returns. */
void pawl_waits_begin(pawl_waits *waits, const char *id, uint64_t timeout_ns, pawl_timed_wait *wait);
/** End all waits with PAWL_E_CLOSED, and every one that begins later. */
void pawl_waits_end_all(pawl_waits *waits);
/** After the last done. NULL allowed; returns NULL. */
pawl_waits *pawl_waits_close(pawl_waits *waits);
void pawl_timed_wait_finish(pawl_timed_wait *wait);

#endif
