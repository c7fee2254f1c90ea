/* exchange.h: one call of the HTTP connector: the request, the redirects it may follow, and its outcome. */
#ifndef PAWL_HTTP_EXCHANGE_H
#define PAWL_HTTP_EXCHANGE_H

#include "plugins/http/connector.h"

pawl_status pawl_http_exchange(pawl_connector *connector, pawl_connector_call *call);

#endif
