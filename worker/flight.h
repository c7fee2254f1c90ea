/* flight.h: the flight recorder: which process each thread is running at this instant, kept in a small file that is
 * mapped into memory, so that it outlives a worker that dies in the middle of it (a plugin that crashes, kill -9, the
 * kernel's out-of-memory killer). The next worker reads there whose code was running. Owns the file while it is open.
 *
 * It is evidence, not truth: nothing of it is flushed, after a restart of the machine it is forgotten, and correctness
 * never depends on it. Writing costs two copies of some bytes into memory, and no system call. */
#ifndef PAWL_FLIGHT_H
#define PAWL_FLIGHT_H

#include "base/error.h"

#include <stdbool.h>

#define PAWL_FLIGHT_ID_MAX    256u
#define PAWL_FLIGHT_WHAT_MAX  120u /* longer ones are cut */
#define PAWL_FLIGHT_SLOTS_MAX 1024u

typedef struct pawl_flight pawl_flight;
typedef struct pawl_flight_slot pawl_flight_slot;

/** A process whose code was running when an earlier worker died. Lives as long as the recorder. */
typedef struct pawl_flight_victim {
    uint64_t flight; /* which worker's life: its start, in nanoseconds since 1970 */
    uint32_t slot;   /* its thread; with flight it names this death */
    pawl_bytes id;   /* of the process */
    pawl_bytes what; /* "its program", "call bank.charge, attempt 2" */
} pawl_flight_victim;

/** Open or create the file for so many threads. A file that somebody else has open gives PAWL_E_BUSY; one that is not a
 * flight recorder's, or damaged, is begun anew.
 * @param path        of the file
 * @param slots       threads that will record; at most PAWL_FLIGHT_SLOTS_MAX
 * @param now_unix_ns names this worker's life
 * @param[out] ret    closed with pawl_flight_close
 * @param[out] error  why not
 * @return PAWL_OK, PAWL_E_BUSY, PAWL_E_IO, PAWL_E_INVALID or PAWL_E_NOMEM. [loader] */
pawl_status pawl_flight_open(const char *path, uint32_t slots, uint64_t now_unix_ns, pawl_flight **ret,
                             pawl_error *error);

/** Those who were running when earlier workers died and have not been forgotten. [loader] */
size_t pawl_flight_victims(const pawl_flight *flight, const pawl_flight_victim **ret);
/** They are on record elsewhere. [loader] */
void pawl_flight_forget(pawl_flight *flight);

/** A slot for one thread, for as long as the recorder is open. NULL when flight is NULL or all are taken: then nothing
 * is recorded. [any] */
pawl_flight_slot *pawl_flight_take(pawl_flight *flight);
/** The thread begins to run something of this process. NULL slots are allowed. [the slot's thread] */
void pawl_flight_begin(pawl_flight_slot *slot, pawl_bytes id, pawl_bytes what);
/** It came back. */
void pawl_flight_end(pawl_flight_slot *slot);

/** The worker has stopped in order: nothing was running. NULL is allowed; returns NULL. [loader] */
pawl_flight *pawl_flight_close(pawl_flight *flight);

#endif
