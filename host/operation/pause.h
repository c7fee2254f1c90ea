/* pause.h: what an operator keeps still on this host: process types and connector instances. Owns the gates of
 * both and what is stored of them, in a session of the host's own; a process that is paused by itself is the
 * registry's. A pause is durable before anybody is told. */
#ifndef PAWL_HOST_PAUSE_H
#define PAWL_HOST_PAUSE_H

#include "host/assembly/assemble.h"
#include "host/session/attachments.h"

#include <pawl/pawl.h>
#include <pthread.h>

#define PAWL_HOST_SCOPE "pawl:" /* sessions whose name begins so are the host's own */

/** Something that can be paused as a whole. */
typedef struct pawl_pausable {
    uint32_t kind; /* PAWL_PAUSE_TYPE or _CONNECTOR */
    const char *name;
    pawl_gate *gate;
    uint64_t since_unix_ns; /* while it is paused */
    char reason[256];       /* cut */
} pawl_pausable;

typedef struct pawl_pauses {
    pthread_mutex_t lock; /* guards since and reason of all; held while one is stored */
    pawl_pausable *items;
    size_t count;
} pawl_pauses;

/** Make the list from what was assembled, and shut the gates that are stored as shut. Before a worker starts. */
pawl_status pawl_pauses_open(pawl_host *host, pawl_error *error);
/** Harmless on zeros. */
void pawl_pauses_close(pawl_pauses *pauses);
/** Is it paused? Then why and since when are set; reason has 256 bytes. [any] */
bool pawl_pauses_look(pawl_pauses *pauses, uint32_t kind, const char *name, size_t name_size,
                      uint64_t *ret_since_unix_ns, char *reason);

#endif
