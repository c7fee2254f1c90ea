/* metrics.h: a host's numbers as Prometheus text. Label values come only from fixed sets and from the profile, so that
 * their number is bounded. [any] */
#ifndef PAWL_API_METRICS_H
#define PAWL_API_METRICS_H

#include <jansson.h>

#include "host/api/exchange.h"

/** description: what pawl_host_describe gave. free() the text; NULL when out of memory. */
char *pawl_metrics_text(const json_t *description, const pawl_api_numbers *server, size_t *ret_size);

#endif
