/* outcome.h: what the end of a transfer means: whether it may be tried again, and when. The rules stand in
 * docs/connectors.md; nothing else decides them. */
#ifndef PAWL_HTTP_OUTCOME_H
#define PAWL_HTTP_OUTCOME_H

#include "plugins/http/transfer.h"

/** Fill the call's error for an end that is not a response. */
pawl_status pawl_http_fail_end(const pawl_http_transfer *transfer, pawl_http_end end);
/** Fill the call's error for a response whose status is no success. */
pawl_status pawl_http_fail_status(const pawl_http_transfer *transfer);

/** Nanoseconds from now that a Retry-After header asks for: seconds or a date; 0: none or nonsense. [pure] */
uint64_t pawl_http_retry_after_ns(const char *value, uint64_t unix_now_ns);

#endif
