/* new_id.h: ids for what comes without one: version 7 uuids (RFC 9562). They grow with time, so that a store writes
 * the ids of one moment side by side and looks for them in one place. Owns a supply of random bytes, fetched a page at
 * a time. Never gives the same id twice, whatever the clock does: 74 bits of each are random. */
#ifndef PAWL_HOST_NEW_ID_H
#define PAWL_HOST_NEW_ID_H

#include "worker/base/clock.h"

#include <pthread.h>
#include <stddef.h>

#define PAWL_NEW_ID_SIZE 37u /* with the NUL */

typedef struct pawl_new_ids {
    pthread_mutex_t lock; /* guards the rest */
    size_t left;          /* unused bytes at the end of random */
    uint8_t random[4000];
} pawl_new_ids;

void pawl_new_ids_init(pawl_new_ids *ids);
void pawl_new_ids_finish(pawl_new_ids *ids);
/** Write a new id, lower case, NUL-terminated. [any] */
void pawl_new_id(pawl_new_ids *ids, const pawl_clock *clock, char text[PAWL_NEW_ID_SIZE]);

#endif
