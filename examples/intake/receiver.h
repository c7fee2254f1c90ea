/* receiver.h: the outside service of the intake example: a real HTTP server on loopback that takes items, remembers
 * every idempotency key it ever saw, and says to Pawl, by a signal, that it accepted an item. It does each thing once
 * for a key, and knows when a key came twice. */
#ifndef INTAKE_RECEIVER_H
#define INTAKE_RECEIVER_H

#include <stddef.h>
#include <stdint.h>

typedef struct receiver receiver;

/** One arrival of a request, whether or not its key was new. */
typedef struct delivery {
    char key[320];
    char process[260];
    uint64_t unix_ns;
    int repeated; /* the key had come before */
} delivery;

/** Listen on 127.0.0.1, any port. socket: of `pawl serve`, for the signals. NULL with a line on stderr on failure. */
receiver *receiver_start(const char *socket);
unsigned receiver_port(const receiver *r);
/** Stop and free. NULL is allowed. */
void receiver_stop(receiver *r);
/** All arrivals so far, in order; valid until the receiver stops, which nothing may add to meanwhile. */
const delivery *receiver_deliveries(const receiver *r, size_t *ret_count);

#endif
