/* response.h: a response that is a success, as the result of the call. */
#ifndef PAWL_HTTP_RESPONSE_H
#define PAWL_HTTP_RESPONSE_H

#include "plugins/http/transfer.h"

/** Write {status, headers, json|text|base64 or attachment and size}. */
pawl_status pawl_http_answer(pawl_http_transfer *transfer);

#endif
