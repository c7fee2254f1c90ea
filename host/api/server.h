/* server.h: JSON over HTTP on a Unix socket, in front of one host. Owns the socket, the connections and a few threads;
 * knows of the host only what <pawl/pawl.h> offers. A request that waits (for a commit, for the end of a process) holds
 * a connection, never a thread. Close the server before the host. */
#ifndef PAWL_API_SERVER_H
#define PAWL_API_SERVER_H

#include <pawl/pawl.h>

/** Requests that wait for the end of a process do not count as requests; this is their own limit. */
#define PAWL_API_WAITS_MAX 4096u
/** The longest that one wait request is held; a client asks again. */
#define PAWL_API_WAIT_MS_MAX     60000u
#define PAWL_API_WAIT_MS_DEFAULT 30000u
/** Processes in one batch. */
#define PAWL_API_BATCH_MAX 1000u

typedef struct pawl_api_server pawl_api_server;

typedef struct pawl_api_server_options {
    pawl_host *host;         /**< outlives the server */
    const char *socket_path; /**< NULL: the host's own */
    pawl_log_line log;       /**< of the HTTP library's own complaints; NULL: dropped */
    void *log_context;
} pawl_api_server_options;

/** Listen and answer. Errors: those of socket.h, and api.start. */
pawl_status pawl_api_server_open(const pawl_api_server_options *options, pawl_api_server **ret, pawl_error *error);

/** Where it listens. */
const char *pawl_api_server_socket(const pawl_api_server *server);

/** Take no new connection, end waits with 503, let other requests finish, remove the socket. NULL allowed; returns
 *  NULL. */
pawl_api_server *pawl_api_server_close(pawl_api_server *server);

#endif
