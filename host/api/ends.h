/* ends.h: who is told over the API of every process that ends. Owns the listeners, their buffers and one thread for
 * heartbeats, which sleeps while nobody listens. A buffer is bounded: a listener that does not keep up loses ends, is
 * told how many, and never holds up a worker. The last ends are kept for those who come back (ends_recent.h). */
#ifndef PAWL_API_ENDS_H
#define PAWL_API_ENDS_H

#include <microhttpd.h>
#include <pawl/pawl.h>
#include <stdbool.h>
#include <sys/types.h>

/** Listeners at once, and what may wait for one of them to be read. */
#define PAWL_API_LISTENERS_MAX      64u
#define PAWL_API_LISTENER_BYTES_MAX ((size_t)1024 * 1024)
#define PAWL_API_HEARTBEAT_MS       15000u
#define PAWL_API_HEARTBEAT_MS_LEAST 100u
#define PAWL_API_HEARTBEAT_MS_MOST  30000u

typedef struct pawl_ends pawl_ends;
typedef struct pawl_listener pawl_listener;

typedef struct pawl_listener_options {
    struct MHD_Connection *connection; /* suspended while there is nothing to send */
    const char *type;                  /* NULL: all; like session and prefix (of the id). Borrowed while it listens */
    const char *session;
    const char *prefix;
    const char *after; /* a position that an earlier line named: go on behind it. NULL: from now on. Borrowed */
    uint64_t heartbeat_ms;
} pawl_listener_options;

pawl_status pawl_ends_open(pawl_host *host, pawl_ends **ret, pawl_error *error);
/** From now on it is told. Its first line is a heartbeat; with `after` what is kept from behind there comes before it,
 * at first the line "gap" when that is not all. Errors: api.busy, api.closing, api.no_memory. [any] */
pawl_status pawl_ends_listen(pawl_ends *ends, const pawl_listener_options *options, pawl_listener **ret,
                             pawl_error *error);
/** An MHD_ContentReaderCallback whose context is a listener. */
ssize_t pawl_listener_read(void *listener, uint64_t position, char *to, size_t room);
/** NULL allowed. After the last read. */
void pawl_listener_close(void *listener);
/** Tell all listeners that the server stops, and accept no more. */
void pawl_ends_end_all(pawl_ends *ends);
/** After the last listener has been closed. NULL allowed; returns NULL. */
pawl_ends *pawl_ends_close(pawl_ends *ends);

#endif
