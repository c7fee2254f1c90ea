/* link.c: bytes to and from a guest. Nothing here ever waits for it: what its socket does not take at once is kept
 * until it does, so that a plugin which stops reading holds up nobody but its own calls. */
#include "isolate_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define READ_ROUND ((size_t)1 << 20) /* of one guest, before the others have their turn */

static void watch_socket(guest *g)
{
    struct epoll_event event = {.events = g->out_size > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = &g->socket_watch};
    (void)epoll_ctl(g->plugin->isolation->poll, EPOLL_CTL_MOD, g->socket, &event);
}

static bool keep(guest *g, const void *data, size_t size)
{
    if (size == 0)
        return true;
    if (g->out_at > 0 && g->out_at + g->out_size + size > g->out_room) {
        memmove(g->out, g->out + g->out_at, g->out_size);
        g->out_at = 0;
    }
    size_t wanted = g->out_at + g->out_size + size;
    if (wanted > g->out_room) {
        size_t room = wanted < 65536 ? 65536 : wanted + wanted / 2;
        uint8_t *out = realloc(g->out, room);
        if (out == NULL)
            return false;
        g->out = out;
        g->out_room = room;
    }
    memcpy(g->out + g->out_at + g->out_size, data, size);
    g->out_size += size;
    return true;
}

/* How much the socket took; what fails for good is left to the guest's end. */
static size_t try_send(const guest *g, struct iovec *parts, size_t count)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    ssize_t sent;
    do
        sent = sendmsg(g->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? 0 : (size_t)sent;
}

void pawl_guest_send(guest *g, pawl_bytes tail)
{
    static char nothing[1];
    pawl_sink *scratch = &g->plugin->scratch;
    bool good = !scratch->no_memory;
    struct iovec parts[2] = {{scratch->data, scratch->size},
                             {tail.size == 0 ? nothing : (void *)(uintptr_t)tail.data, tail.size}};
    if (good && g->socket >= 0) {
        bool waits = g->out_size > 0;
        size_t sent = waits ? 0 : try_send(g, parts, 2);
        for (size_t i = 0; i < 2 && good; i++) {
            size_t skip = sent < parts[i].iov_len ? sent : parts[i].iov_len;
            good = keep(g, (const char *)parts[i].iov_base + skip, parts[i].iov_len - skip);
            sent -= skip;
        }
        if (!waits && g->out_size > 0)
            watch_socket(g);
    }
    if (!good) /* half a message would be something else */
        pawl_guest_kill(g, "plugin.crashed", "could not be sent a message for want of memory, and was killed");
    scratch->size = 0;
    scratch->no_memory = false;
}

void pawl_guest_flush(guest *g)
{
    if (g->socket < 0 || g->out_size == 0)
        return;
    struct iovec part = {g->out + g->out_at, g->out_size};
    size_t sent = try_send(g, &part, 1);
    g->out_at += sent;
    g->out_size -= sent;
    if (g->out_size == 0) {
        free(g->out);
        g->out = NULL;
        g->out_at = g->out_room = 0;
        watch_socket(g);
    }
}

/* False: it is no message. */
static bool hear_all(guest *g)
{
    wire_message message;
    for (;;) {
        wire_result result = pawl_wire_next(&g->in, &message);
        if (result != WIRE_GOT)
            return result == WIRE_NEED_MORE;
        pawl_guest_hear(g, &message);
        if (g->deaf)
            return true;
    }
}

bool pawl_guest_read(guest *g)
{
    for (size_t round = 0; round < READ_ROUND && !g->deaf;) {
        size_t room = 0;
        void *space = pawl_wire_space(&g->in, &room);
        ssize_t size = space == NULL ? -1 : recv(g->socket, space, room, MSG_DONTWAIT);
        if (size < 0 && space != NULL && errno == EINTR)
            continue;
        if (size < 0 && space != NULL && errno == EAGAIN)
            return true;
        if (size <= 0)
            return false;
        round += (size_t)size;
        pawl_wire_took(&g->in, (size_t)size);
        if (!hear_all(g)) {
            pthread_mutex_lock(&g->plugin->lock);
            pawl_guest_kill(g, "plugin.protocol", "sent what is no message, and was killed");
            pthread_mutex_unlock(&g->plugin->lock);
        }
        if ((size_t)size < room && !g->deaf)
            return true;
    }
    return !g->deaf;
}
