/* socket.h: the socket file that an API server listens on. Owns who may take a path: a file nobody answers at is
 * replaced, a living server never is. Between programs the decision is serialised by a lock on the directory. [any] */
#ifndef PAWL_API_SOCKET_H
#define PAWL_API_SOCKET_H

#include <pawl/error.h>
#include <sys/types.h>

typedef struct pawl_api_socket {
    int descriptor; /* listening, non-blocking, close-on-exec; -1: none */
    char path[108];
    dev_t device; /* of the socket file, so that close never removes another server's */
    ino_t inode;
} pawl_api_socket;

/** Listen at path. The file is never more open than mode 0600, not even for a moment.
 *  Errors: api.socket_path (too long, or no such directory), api.socket_taken (PAWL_E_BUSY: a server answers there),
 *  api.socket_not_a_socket (another kind of file is in the way), api.socket. */
pawl_status pawl_api_socket_open(const char *path, pawl_api_socket *ret, pawl_error *error);

/** Remove the file if it is still ours. The descriptor is the caller's to close before or after. */
void pawl_api_socket_remove(const pawl_api_socket *listening);

#endif
