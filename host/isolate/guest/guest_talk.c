/* guest_talk.c: the plugin's end of the socket. The host is trusted and its end means the end of this process. */
#include "guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* The plugin's exit handlers are nobody's concern when the host is gone. */
static void leave(int code) __attribute__((noreturn));
static void leave(int code)
{
    _exit(code);
}

static void write_all(struct iovec parts[2])
{
    while (parts[0].iov_len + parts[1].iov_len > 0) {
        ssize_t written = writev(WIRE_CHANNEL, parts, 2);
        if (written < 0 && errno != EINTR)
            leave(EXIT_FAILURE);
        for (size_t i = 0; i < 2 && written > 0; i++) {
            size_t part = (size_t)written < parts[i].iov_len ? (size_t)written : parts[i].iov_len;
            parts[i].iov_base = (char *)parts[i].iov_base + part;
            parts[i].iov_len -= part;
            written -= (ssize_t)part;
        }
    }
}

void pawl_guest_send(guest *g, pawl_sink *message, pawl_bytes tail)
{
    static char nothing[1];
    if (message->no_memory)
        leave(EXIT_FAILURE); /* half a message would say something else */
    struct iovec parts[2] = {{message->data, message->size},
                             {tail.size == 0 ? nothing : (void *)(uintptr_t)tail.data, tail.size}};
    pthread_mutex_lock(&g->writing);
    write_all(parts);
    pthread_mutex_unlock(&g->writing);
    message->size = 0;
}

void pawl_guest_say(guest *g, uint32_t kind, uint64_t id, const char *text)
{
    pawl_sink message;
    pawl_sink_init(&message, SIZE_MAX);
    pawl_wire_bare(&message, kind, id, pawl_bytes_text(text));
    pawl_guest_send(g, &message, (pawl_bytes){"", 0});
    pawl_sink_finish(&message);
}

void pawl_guest_tell_end(guest *g, uint32_t kind, uint64_t id, const wire_end *end)
{
    pawl_sink message;
    pawl_sink_init(&message, SIZE_MAX);
    pawl_wire_end(&message, kind, id, end);
    pawl_guest_send(g, &message, end->output);
    pawl_sink_finish(&message);
}

void pawl_guest_receive(guest *g, wire_message *ret)
{
    for (;;) {
        wire_result result = pawl_wire_next(&g->reader, ret);
        if (result == WIRE_GOT)
            return;
        size_t room = 0;
        void *space = result == WIRE_NEED_MORE ? pawl_wire_space(&g->reader, &room) : NULL;
        if (space == NULL)
            leave(EXIT_FAILURE);
        ssize_t size = read(WIRE_CHANNEL, space, room);
        if (size == 0 || (size < 0 && errno != EINTR))
            leave(EXIT_SUCCESS);
        if (size > 0)
            pawl_wire_took(&g->reader, (size_t)size);
    }
}
