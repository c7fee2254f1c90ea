/* exchange.c: see exchange.h. Redirects are followed here and not by libcurl, because each one must be checked against
 * the configuration before anything is sent. */
#include "plugins/http/exchange.h"

#include "plugins/connector/sigpipe.h"
#include "plugins/http/outcome.h"
#include "plugins/http/response.h"

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* PAWL_OK: the request has been turned to its next place. */
static pawl_status follow(pawl_http_transfer *t, int followed)
{
    pawl_connector_call *call = t->request->call;
    char *location = NULL;
    if (followed == t->request->connector->redirects)
        return pawl_connector_call_fail(call, PAWL_TERMINAL, "too_many_redirects", "redirected more than %d times",
                                        followed);
    (void)curl_easy_getinfo(t->lane->easy, CURLINFO_REDIRECT_URL, &location);
    return pawl_http_request_redirect(t->request, t->status, location);
}

static pawl_status run(pawl_http_transfer *t)
{
    const pawl_connector *connector = t->request->connector;
    for (int followed = 0;; followed++) {
        pawl_http_end end = pawl_http_transfer_run(t);
        if (end != PAWL_HTTP_ANSWERED)
            return pawl_http_fail_end(t, end);
        if (pawl_http_is_success(connector, t->status))
            return pawl_http_answer(t);
        if (connector->redirects == 0 || !is_redirect(t->status))
            return pawl_http_fail_status(t);
        if (follow(t, followed) != PAWL_OK)
            return t->request->call->error.status;
    }
}

pawl_status pawl_http_exchange(pawl_connector *connector, pawl_connector_call *call)
{
    pawl_http_request request;
    pawl_status status = pawl_http_request_open(&request, connector, call);
    pawl_http_lane *lane = status == PAWL_OK ? pawl_http_lane_take(connector) : NULL;
    if (status == PAWL_OK && lane == NULL)
        status = pawl_connector_fail_memory(&call->error);
    if (lane != NULL) {
        pawl_http_transfer transfer;
        pawl_connector_sigpipe held;
        pawl_connector_sigpipe_hold(&held);
        pawl_http_transfer_open(&transfer, &request, lane);
        status = run(&transfer);
        pawl_http_transfer_close(&transfer);
        pawl_http_lane_give(connector, lane);
        pawl_connector_sigpipe_release(&held);
    }
    pawl_http_request_close(&request);
    return status;
}
