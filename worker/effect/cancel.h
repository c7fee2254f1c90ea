/* cancel.h: what running code sees of a wish that it stop: a flag, and a descriptor made only when asked for. One token
 * belongs to one effect call. [any] */
#ifndef PAWL_CANCEL_H
#define PAWL_CANCEL_H

#include "pawl_abi.h"

#include <stdatomic.h>
#include <stdbool.h>

/** Told once or twice that the token was asked, on the thread that asked, without a lock of the token's. */
typedef void (*pawl_cancel_listener)(void *context, uint64_t id);

struct pawl_cancel_token {
    atomic_int asked;
    atomic_int fd; /* -1: none yet */
    atomic_int listened;
    pawl_cancel_listener listener; /* set before `listened` is */
    void *context;
    uint64_t id;
};

void pawl_cancel_init(pawl_cancel_token *token);
void pawl_cancel_finish(pawl_cancel_token *token); /* no call uses it any more */
void pawl_cancel_ask(pawl_cancel_token *token);    /* sets the flag, wakes the descriptor */
int32_t pawl_cancel_is_asked(const pawl_cancel_token *token);
int32_t pawl_cancel_fd(const pawl_cancel_token *token);
/** For who cannot wait on a descriptor of each call: at most once for each token. True: it was asked already, and the
 * listener may not be told; the caller acts itself. The context outlives the token. */
bool pawl_cancel_listen(pawl_cancel_token *token, pawl_cancel_listener listener, void *context, uint64_t id);

#endif
