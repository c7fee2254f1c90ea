/* cancel.h: what running code sees of a wish that it stop: a flag, and a descriptor made only when asked for. One token
 * belongs to one effect call. [any] */
#ifndef PAWL_CANCEL_H
#define PAWL_CANCEL_H

#include "pawl_abi.h"

#include <stdatomic.h>

struct pawl_cancel_token {
    atomic_int asked;
    atomic_int fd; /* -1: none yet */
};

void pawl_cancel_init(pawl_cancel_token *token);
void pawl_cancel_finish(pawl_cancel_token *token); /* no call uses it any more */
void pawl_cancel_ask(pawl_cancel_token *token);    /* sets the flag, wakes the descriptor */
int32_t pawl_cancel_is_asked(const pawl_cancel_token *token);
int32_t pawl_cancel_fd(const pawl_cancel_token *token);

#endif
