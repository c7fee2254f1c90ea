/* transfer.h: one request and its response over a lane: libcurl's non-blocking side, waiting together for the network,
 * a cancel and the deadline. Decides nothing about what an answer means. */
#ifndef PAWL_HTTP_TRANSFER_H
#define PAWL_HTTP_TRANSFER_H

#include "plugins/http/request.h"

typedef enum pawl_http_end {
    PAWL_HTTP_ANSWERED, /* a whole response is there, or enough of one that is no success */
    PAWL_HTTP_FAILED,   /* libcurl says why in result */
    PAWL_HTTP_CANCELLED,
    PAWL_HTTP_DEADLINE,  /* of the call */
    PAWL_HTTP_TIMEOUT,   /* of the configuration */
    PAWL_HTTP_TOO_LARGE, /* the response */
    PAWL_HTTP_BROKEN     /* the call's error is set */
} pawl_http_end;

typedef struct pawl_http_transfer {
    pawl_http_request *request;
    pawl_http_lane *lane;
    uint64_t until_mono_ns; /* end of the configuration's timeout; 0: none */
    bool sent;              /* some of a request has left; stays so over redirects */
    CURLcode result;
    char problem[CURL_ERROR_SIZE];
    long status;     /* 0: no response yet */
    json_t *headers; /* of the response, names in lower case; owned */
    size_t header_bytes;
    pawl_connector_body body;
    bool body_opened;
    bool failing; /* the status is no success: the body is an excerpt */
    bool too_large, broken, enough;
    uint64_t upload_at; /* bytes of the request's content handed over */
} pawl_http_transfer;

void pawl_http_transfer_open(pawl_http_transfer *transfer, pawl_http_request *request, pawl_http_lane *lane);
/** One request, no redirects followed. May be called again after the request was redirected. */
pawl_http_end pawl_http_transfer_run(pawl_http_transfer *transfer);
void pawl_http_transfer_close(pawl_http_transfer *transfer);

/** A response header, or NULL. */
const char *pawl_http_transfer_header(const pawl_http_transfer *transfer, const char *name);

#endif
