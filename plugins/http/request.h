/* request.h: one request, made from a checked input and the instance's configuration. Owns its URL, headers and
 * content. Where it may go is decided here: to the origin of base_url, or anywhere when the configuration says so, and
 * then without anything of the configuration that could be a secret. */
#ifndef PAWL_HTTP_REQUEST_H
#define PAWL_HTTP_REQUEST_H

#include "plugins/http/connector.h"

#define PAWL_HTTP_METHOD_BYTES_MAX 16u

typedef struct pawl_http_request {
    const pawl_connector *connector;
    pawl_connector_call *call;
    char method[PAWL_HTTP_METHOD_BYTES_MAX + 1];
    bool safe;            /* the first method changes nothing */
    bool idempotent;      /* the first method may be repeated */
    bool keyed;           /* it carries an idempotency key */
    bool own;             /* it goes to the origin of base_url */
    bool redirected_away; /* an origin other than the input's */
    bool save;            /* the response goes to an attachment */
    CURLU *url;
    struct curl_slist *headers;
    pawl_connector_source body;
} pawl_http_request;

/** Make it. On failure the call's error is set; close it in either case. */
pawl_status pawl_http_request_open(pawl_http_request *request, const pawl_connector *connector,
                                   pawl_connector_call *call);
/** Turn it to where a response with this status pointed it to. */
pawl_status pawl_http_request_redirect(pawl_http_request *request, long status, const char *location);
void pawl_http_request_close(pawl_http_request *request);

#endif
