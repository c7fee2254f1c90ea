/* outcome.c: see outcome.h. */
#include "plugins/http/outcome.h"

#include <errno.h>
#include <time.h>

#define SECOND_NS       1000000000ull
#define RETRY_AFTER_MAX (7ull * 24 * 3600) /* seconds; what a server may ask for at most */

uint64_t pawl_http_retry_after_ns(const char *value, uint64_t unix_now_ns)
{
    if (value == NULL || value[0] == '\0')
        return 0;
    uint64_t seconds;
    if (strspn(value, "0123456789") == strlen(value)) {
        errno = 0;
        seconds = strtoull(value, NULL, 10); /* saturates */
    } else {
        time_t at = curl_getdate(value, NULL);
        uint64_t now = unix_now_ns / SECOND_NS;
        if (at <= 0 || (uint64_t)at <= now)
            return 0;
        seconds = (uint64_t)at - now;
    }
    return (seconds < RETRY_AFTER_MAX ? seconds : RETRY_AFTER_MAX) * SECOND_NS;
}

/* After the request has left it may have been done: doing it again is harmless only for some methods. */
static uint32_t class_after(const pawl_http_transfer *t)
{
    return !t->sent || t->request->idempotent ? PAWL_RETRYABLE : PAWL_UNKNOWN_OUTCOME;
}

static const char *name_of_result(const pawl_http_transfer *t)
{
    switch (t->result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return "dns";
    case CURLE_COULDNT_CONNECT:
        return "connect";
    case CURLE_OPERATION_TIMEDOUT:
        return "timeout";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CRL_BADFILE:
        return "tls";
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return "reset";
    case CURLE_UNSUPPORTED_PROTOCOL: /* a response that is not HTTP */
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return "protocol";
    default:
        return "transport";
    }
}

static pawl_status fail_result(const pawl_http_transfer *t)
{
    pawl_connector_call *call = t->request->call;
    const char *said = t->problem[0] != '\0' ? t->problem : curl_easy_strerror(t->result);
    char *shown = pawl_http_redact(t->request->connector, said);
    pawl_connector_call_fail(call, class_after(t), name_of_result(t), "%s%s", shown == NULL ? "" : shown,
                             t->sent ? " (after the request was sent)" : "");
    free(shown);
    return call->error.status;
}

pawl_status pawl_http_fail_end(const pawl_http_transfer *transfer, pawl_http_end end)
{
    const pawl_http_transfer *t = transfer;
    pawl_connector_call *call = t->request->call;
    switch (end) {
    case PAWL_HTTP_CANCELLED:
        return pawl_connector_call_fail_as(call, PAWL_E_CANCELLED, class_after(t), "cancelled", "cancelled on request");
    case PAWL_HTTP_DEADLINE:
        return pawl_connector_call_fail_as(call, PAWL_E_DEADLINE, class_after(t), "timeout", "the deadline has passed");
    case PAWL_HTTP_TIMEOUT:
        return pawl_connector_call_fail(call, class_after(t), "timeout",
                                        "no answer within timeout_ms of its configuration");
    case PAWL_HTTP_TOO_LARGE:
        return pawl_connector_call_fail_as(call, PAWL_E_LIMIT, PAWL_TERMINAL, "too_large",
                                           "the response with status %ld is larger than allowed", t->status);
    case PAWL_HTTP_BROKEN:
        return pawl_connector_call_fail(call, class_after(t), "transport", "the transfer could not go on");
    default:
        return fail_result(t);
    }
}

static uint32_t class_of_status(const pawl_http_transfer *t)
{
    const pawl_http_request *r = t->request;
    switch (t->status) {
    case 429: /* refused for now: it certainly did not happen */
        return PAWL_RETRYABLE;
    case 408:
    case 502:
    case 503:
    case 504:
        return r->idempotent || r->keyed ? PAWL_RETRYABLE : PAWL_UNKNOWN_OUTCOME;
    default:
        if (t->status >= 500)
            return r->idempotent ? PAWL_RETRYABLE : PAWL_UNKNOWN_OUTCOME;
        return PAWL_TERMINAL;
    }
}

/* What the server said, for programs: never in the message. Details are a help, not a duty. */
static void add_detail(const pawl_http_transfer *t)
{
    pawl_connector_call *call = t->request->call;
    json_t *detail = json_pack("{s:i}", "status", (int)t->status);
    if (detail == NULL)
        return;
    if (t->body.size > 0) {
        size_t size = t->body.size;
        for (int i = 0; i < 4 && t->body.over && size > 0; i++) { /* the limit may have cut a character */
            json_t *whole = json_stringn(t->body.data, size);
            if (whole != NULL) {
                json_decref(whole);
                break;
            }
            size--;
        }
        char *text = strndup(t->body.data, size);
        char *shown = text == NULL ? NULL : pawl_http_redact(t->request->connector, text);
        if (shown != NULL && strlen(text) == size) /* not for a body with a NUL: it is not text */
            json_object_set_new(detail, "body", json_string(shown));
        free(shown);
        free(text);
    }
    json_decref(call->error.detail);
    call->error.detail = detail;
}

pawl_status pawl_http_fail_status(const pawl_http_transfer *transfer)
{
    const pawl_http_transfer *t = transfer;
    pawl_connector_call *call = t->request->call;
    char name[16];
    uint32_t klass = class_of_status(t);
    snprintf(name, sizeof name, "%ld", t->status);
    pawl_connector_call_fail(call, klass, name, "%s was answered with status %ld", t->request->method, t->status);
    if (klass != PAWL_TERMINAL)
        call->error.retry_after_ns = pawl_http_retry_after_ns(pawl_http_transfer_header(t, "retry-after"),
                                                              call->core->unix_now_ns(call->abi->host));
    add_detail(t);
    return call->error.status;
}
