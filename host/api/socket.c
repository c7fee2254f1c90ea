/* socket.c: see socket.h. Never removes a file that is not a socket, nor a socket that somebody answers at. */
#include "host/api/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "worker/base/error.h"

#define BACKLOG 512

static pawl_status socket_failed(pawl_error *error, const char *path, const char *what)
{
    return pawl_error_set(error, errno == EACCES || errno == EPERM ? PAWL_E_INVALID : PAWL_E_IO, "api.socket",
                          "cannot %s the API socket %s: %s", what, path, strerror(errno));
}

/* Held while a path is judged and taken, so that two servers starting at once cannot both find it free. */
static int lock_directory(const char *path)
{
    char copy[sizeof((pawl_api_socket *)0)->path];
    snprintf(copy, sizeof copy, "%s", path);
    int directory = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (directory >= 0 && flock(directory, LOCK_EX) != 0) {
        if (errno == EINTR)
            continue;
        close(directory);
        return -1;
    }
    return directory;
}

static int somebody_answers(const struct sockaddr_un *address)
{
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0)
        return 1; /* cannot tell: rather refuse than steal */
    int connected = connect(descriptor, (const struct sockaddr *)address, sizeof *address);
    /* EAGAIN: a listener whose backlog is full. */
    int answers = connected == 0 || (errno != ECONNREFUSED && errno != ENOENT);
    close(descriptor);
    return answers;
}

static pawl_status clear_path(const struct sockaddr_un *address, pawl_error *error)
{
    struct stat found;
    if (lstat(address->sun_path, &found) != 0)
        return errno == ENOENT ? PAWL_OK : socket_failed(error, address->sun_path, "look at");
    if (!S_ISSOCK(found.st_mode))
        return pawl_error_set(error, PAWL_E_INVALID, "api.socket_not_a_socket",
                              "the API socket cannot be made: %s is there and is not a socket; move it away or name "
                              "another `socket` in the profile",
                              address->sun_path);
    if (somebody_answers(address))
        return pawl_error_set(error, PAWL_E_BUSY, "api.socket_taken",
                              "another server answers at %s; stop it first, or name another `socket` in the profile",
                              address->sun_path);
    if (unlink(address->sun_path) != 0 && errno != ENOENT)
        return socket_failed(error, address->sun_path, "remove the stale file of");
    return PAWL_OK;
}

static pawl_status bind_and_listen(const struct sockaddr_un *address, pawl_api_socket *ret, pawl_error *error)
{
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0)
        return socket_failed(error, address->sun_path, "make");
    struct stat made;
    /* The mode of the unbound socket becomes that of the file, so it never exists with a wider one. */
    if (fchmod(descriptor, 0600) != 0 || bind(descriptor, (const struct sockaddr *)address, sizeof *address) != 0 ||
        lstat(address->sun_path, &made) != 0 || listen(descriptor, BACKLOG) != 0) {
        pawl_status status = socket_failed(error, address->sun_path, "listen at");
        close(descriptor);
        return status;
    }
    ret->descriptor = descriptor;
    ret->device = made.st_dev;
    ret->inode = made.st_ino;
    return PAWL_OK;
}

pawl_status pawl_api_socket_open(const char *path, pawl_api_socket *ret, pawl_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    ret->descriptor = -1;
    if (path[0] == '\0' || strlen(path) >= sizeof address.sun_path)
        return pawl_error_set(error, PAWL_E_INVALID, "api.socket_path",
                              "the API socket's path has %zu bytes; wanted 1 to %zu: %s", strlen(path),
                              sizeof address.sun_path - 1, path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    snprintf(ret->path, sizeof ret->path, "%s", path);
    int directory = lock_directory(path);
    if (directory < 0)
        return pawl_error_set(error, PAWL_E_INVALID, "api.socket_path",
                              "the directory of the API socket %s cannot be used: %s", path, strerror(errno));
    pawl_status status = clear_path(&address, error);
    if (status == PAWL_OK)
        status = bind_and_listen(&address, ret, error);
    close(directory);
    return status;
}

void pawl_api_socket_remove(const pawl_api_socket *listening)
{
    if (listening->inode == 0)
        return;
    int directory = lock_directory(listening->path);
    struct stat found;
    if (lstat(listening->path, &found) == 0 && found.st_dev == listening->device && found.st_ino == listening->inode)
        unlink(listening->path);
    if (directory >= 0)
        close(directory);
}
