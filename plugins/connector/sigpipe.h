/* sigpipe.h: writing to a pipe or socket whose reader may be gone, in a program whose signal settings are not ours to
 * change. Holds SIGPIPE back for the calling thread and swallows one that came meanwhile. */
#ifndef PAWL_CONNECTOR_SIGPIPE_H
#define PAWL_CONNECTOR_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

typedef struct pawl_connector_sigpipe {
    sigset_t before;
    bool was_pending;
} pawl_connector_sigpipe;

/** Hold it back for this thread. [any] */
void pawl_connector_sigpipe_hold(pawl_connector_sigpipe *held);
/** On the same thread: as it was before. */
void pawl_connector_sigpipe_release(const pawl_connector_sigpipe *held);

#endif
