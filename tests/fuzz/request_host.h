/* request_host.h: what stands behind the API's routes when they are fuzzed: a host without processes that checks what
 * it is asked, and the parts of the server that a step uses, without sockets or threads. Whatever a step hands on is
 * done by request_finish, on the same thread, never from inside the call that asked for it. One request at a time. */
#ifndef PAWL_FUZZ_REQUEST_HOST_H
#define PAWL_FUZZ_REQUEST_HOST_H

#include "host/api/routes.h"

/** Before a step: forget the last request. */
void request_begin(void);
/** After a step that gave false: do what is owed until the reply is set. */
void request_finish(pawl_exchange *exchange);

#endif
