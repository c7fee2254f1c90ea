/* beneath.h: opening a path that cannot leave a directory, whatever symbolic links and ".." it meets, also while others
 * rename things. Owns no descriptor after it returns. Never follows a link to an absolute path, a link out of the root
 * or a magic link of /proc. [any] */
#ifndef PAWL_CONNECTOR_BENEATH_H
#define PAWL_CONNECTOR_BENEATH_H

#include <sys/types.h>

/** Open a path relative to the directory root, confined to it. flags and mode as for open(2); O_CLOEXEC is added. An
 * empty path is the root itself. Gives a descriptor, or -1 and errno: EXDEV when the path leads out of the root. */
int pawl_connector_open_beneath(int root, const char *path, int flags, mode_t mode);

/** The same for kernels without openat2: component by component. Called by the former; here for the tests. */
int pawl_connector_walk_beneath(int root, const char *path, int flags, mode_t mode);

#endif
