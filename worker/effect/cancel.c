/* cancel.c: see cancel.h. The flag is set before the descriptor is looked at, and the descriptor is published before
 * the flag is looked at: whichever comes second sees the other, so no wish is lost. A listener is published in the same
 * way. */
#include "cancel.h"

#include <sys/eventfd.h>
#include <unistd.h>

void pawl_cancel_init(pawl_cancel_token *token)
{
    atomic_init(&token->asked, 0);
    atomic_init(&token->fd, -1);
    atomic_init(&token->listened, 0);
}

void pawl_cancel_finish(pawl_cancel_token *token)
{
    int fd = atomic_exchange(&token->fd, -1);
    if (fd >= 0)
        close(fd);
}

static void wake(int fd)
{
    uint64_t one = 1;
    /* It can only fail when the counter is full, and then it is readable already. */
    ssize_t written = write(fd, &one, sizeof one);
    (void)written;
}

void pawl_cancel_ask(pawl_cancel_token *token)
{
    if (atomic_exchange(&token->asked, 1) != 0)
        return;
    int fd = atomic_load(&token->fd);
    if (fd >= 0)
        wake(fd);
    if (atomic_load(&token->listened) != 0)
        token->listener(token->context, token->id);
}

bool pawl_cancel_listen(pawl_cancel_token *token, pawl_cancel_listener listener, void *context, uint64_t id)
{
    token->listener = listener;
    token->context = context;
    token->id = id;
    atomic_store(&token->listened, 1);
    return atomic_load(&token->asked) != 0;
}

int32_t pawl_cancel_is_asked(const pawl_cancel_token *token)
{
    return token != NULL && atomic_load(&((pawl_cancel_token *)token)->asked) != 0;
}

int32_t pawl_cancel_fd(const pawl_cancel_token *token)
{
    if (token == NULL)
        return -1;
    pawl_cancel_token *own = (pawl_cancel_token *)token; /* making the descriptor does not change what it says */
    int fd = atomic_load(&own->fd);
    if (fd >= 0)
        return fd;
    int made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (made < 0)
        return -1;
    int none = -1;
    if (!atomic_compare_exchange_strong(&own->fd, &none, made)) {
        close(made);
        made = none; /* another thread was first: this is its descriptor */
    }
    if (atomic_load(&own->asked) != 0)
        wake(made);
    return made;
}
