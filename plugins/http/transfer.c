/* transfer.c: see transfer.h. */
#include "plugins/http/transfer.h"

#include "plugins/connector/text.h"
#include "plugins/http/headers.h"

#include <ctype.h>
#include <fcntl.h>
#include <sys/socket.h>

#define HEADER_BYTES_MAX  ((size_t)256 * 1024)  /* of all response headers */
#define EXCERPT_BYTES_MAX ((uint64_t)16 * 1024) /* of the body of a response that is no success */
#define LOOK_AGAIN_MS     20                    /* where a cancel cannot be polled for */
#define LONGEST_NAP_MS    1000                  /* the host's clock may be set by a test: look at it now and then */

/* ---- libcurl's callbacks ---- */

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)context;
    (void)purpose;
    /* No program that the host starts meanwhile may inherit the connection. */
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t give_content(char *buffer, size_t size, size_t count, void *context)
{
    pawl_http_transfer *t = context;
    size_t got = 0;
    if (pawl_connector_source_read(&t->request->body, t->upload_at, buffer, size * count, &got) != PAWL_OK) {
        t->broken = true;
        return CURL_READFUNC_ABORT;
    }
    t->upload_at += got;
    return got;
}

static int rewind_content(void *context, curl_off_t offset, int origin)
{
    pawl_http_transfer *t = context;
    if (origin != SEEK_SET || offset < 0)
        return CURL_SEEKFUNC_CANTSEEK;
    t->upload_at = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static void add_header(pawl_http_transfer *t, const char *line, size_t size)
{
    char name[132];
    const char *colon = memchr(line, ':', size);
    size_t name_size = colon == NULL ? 0 : (size_t)(colon - line);
    if (name_size == 0 || name_size >= sizeof name)
        return;
    for (size_t i = 0; i < name_size; i++)
        name[i] = (char)tolower((unsigned char)line[i]);
    name[name_size] = '\0';
    const char *value = colon + 1, *end = line + size;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && isspace((unsigned char)end[-1]))
        end--;
    size_t value_size = (size_t)(end - value);
    if (!pawl_http_is_header_name(name) || !pawl_connector_is_text(value, value_size))
        return; /* cannot stand in a result */
    const json_t *before = json_object_get(t->headers, name);
    json_t *text = before == NULL ? json_stringn(value, value_size)
                                  : json_sprintf("%s, %.*s", json_string_value(before), (int)value_size, value);
    json_object_set_new(t->headers, name, text);
}

static size_t take_header(char *line, size_t size, size_t count, void *context)
{
    pawl_http_transfer *t = context;
    size *= count;
    t->header_bytes += size;
    if (t->header_bytes > HEADER_BYTES_MAX) {
        t->too_large = true;
        return 0;
    }
    if (size >= 5 && strncmp(line, "HTTP/", 5) == 0)
        json_object_clear(t->headers); /* 100 Continue and the like came before */
    else
        add_header(t, line, size);
    return size;
}

/* The first bytes of a body, or its end: now the status says where it goes. */
static pawl_status open_body(pawl_http_transfer *t)
{
    const pawl_connector *connector = t->request->connector;
    (void)curl_easy_getinfo(t->lane->easy, CURLINFO_RESPONSE_CODE, &t->status);
    t->body_opened = true;
    t->failing = !pawl_http_is_success(connector, t->status);
    bool save = t->request->save && !t->failing;
    pawl_connector_body_open(&t->body, t->request->call,
                             t->failing ? EXCERPT_BYTES_MAX
                             : save     ? connector->saved_bytes_max
                                        : connector->body_bytes_max);
    if (!save)
        return PAWL_OK;
    const char *type = pawl_http_transfer_header(t, "content-type");
    return pawl_connector_body_save(&t->body, type == NULL ? "application/octet-stream" : type, "");
}

static size_t take_content(char *data, size_t size, size_t count, void *context)
{
    pawl_http_transfer *t = context;
    size *= count;
    if (!t->body_opened && open_body(t) != PAWL_OK) {
        t->broken = true;
        return 0;
    }
    pawl_status status = pawl_connector_body_write(&t->body, data, size);
    if (status == PAWL_OK)
        return size;
    t->enough = t->failing && t->body.over;
    t->too_large = !t->failing && t->body.over;
    t->broken = !t->body.over;
    return 0;
}

/* ---- one transfer ---- */

static bool set_content(pawl_http_transfer *t, CURL *easy, struct curl_slist **extra)
{
    const pawl_http_request *r = t->request;
    bool good = curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method) == CURLE_OK;
    bool takes_content =
        strcmp(r->method, "POST") == 0 || strcmp(r->method, "PUT") == 0 || strcmp(r->method, "PATCH") == 0;
    if (strcmp(r->method, "HEAD") == 0) {
        good = good && curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
    } else if (r->body.present) {
        good = good && curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_content) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_READDATA, t) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, rewind_content) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_SEEKDATA, t) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->body.size) == CURLE_OK;
    } else if (takes_content) { /* with a length of zero, as servers want to be told */
        good = good && curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "") == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method) == CURLE_OK;
        if (!pawl_http_has_header(r->headers, "content-type")) {
            *extra = curl_slist_append(*extra, "Content-Type:");
            good = good && *extra != NULL;
        }
    }
    return good;
}

static bool set_tls(const pawl_connector *c, CURL *easy)
{
    bool good = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, c->verify ? 1L : 0L) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, c->verify ? 2L : 0L) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
    if (c->ca_file != NULL)
        good = good && curl_easy_setopt(easy, CURLOPT_CAINFO, c->ca_file) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK;
    return good;
}

/* The client certificate is a credential: it goes to the configured origin only. */
static bool set_own(const pawl_connector *c, CURL *easy)
{
    bool good = true;
    if (c->cert_file != NULL)
        good = curl_easy_setopt(easy, CURLOPT_SSLCERT, c->cert_file) == CURLE_OK;
    if (c->key_file != NULL)
        good = good && curl_easy_setopt(easy, CURLOPT_SSLKEY, c->key_file) == CURLE_OK;
    if (c->unix_socket != NULL)
        good = good && curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, c->unix_socket) == CURLE_OK;
    return good;
}

static bool set_options(pawl_http_transfer *t, struct curl_slist **extra)
{
    CURL *easy = t->lane->easy;
    const pawl_http_request *r = t->request;
    const pawl_connector *c = r->connector;
    curl_easy_reset(easy);
    bool good = curl_easy_setopt(easy, CURLOPT_CURLU, r->url) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_PROXY, c->proxy) == CURLE_OK && /* never from the environment */
                curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, c->connect_timeout_ms) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->problem) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_HEADERDATA, t) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_content) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_WRITEDATA, t) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK && set_tls(c, easy) &&
                (!r->own || set_own(c, easy)) && set_content(t, easy, extra);
    /* A resolver thread that hangs must not hold a cancelled call. Older libraries lack it. */
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    /* libcurl sends a request again by itself when a kept connection turns out to be dead; without a key that could
     * do it twice. */
    if (!r->idempotent && !r->keyed)
        good = good && curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK;
    *extra = curl_slist_append(*extra, "Expect:"); /* no waiting for 100 Continue */
    for (const struct curl_slist *h = r->headers; good && *extra != NULL && h != NULL; h = h->next) {
        struct curl_slist *longer = curl_slist_append(*extra, h->data);
        good = longer != NULL;
        if (good)
            *extra = longer;
    }
    return good && *extra != NULL && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *extra) == CURLE_OK;
}

static bool is_done(pawl_http_transfer *t)
{
    int left;
    const CURLMsg *message;
    while ((message = curl_multi_info_read(t->lane->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE) {
            t->result = message->data.result;
            return true;
        }
    return false;
}

/* Time until the nearer of the two ends; *own: it is the configuration's. */
static uint64_t time_left_ns(const pawl_http_transfer *t, bool *own)
{
    const pawl_connector_call *call = t->request->call;
    uint64_t left = pawl_call_time_left_ns(call->core, call->abi);
    *own = false;
    if (t->until_mono_ns == 0)
        return left;
    uint64_t now = call->core->mono_now_ns(call->abi->host);
    uint64_t mine = now >= t->until_mono_ns ? 0 : t->until_mono_ns - now;
    *own = mine < left;
    return *own ? mine : left;
}

static pawl_http_end drive(pawl_http_transfer *t)
{
    const pawl_connector_call *call = t->request->call;
    int cancel = call->abi->cancel == NULL ? -1 : call->core->cancel_fd(call->abi->cancel);
    for (;;) {
        int running = 0;
        bool own;
        if (pawl_call_cancelled(call->core, call->abi))
            return PAWL_HTTP_CANCELLED;
        uint64_t left = time_left_ns(t, &own);
        if (left == 0)
            return own ? PAWL_HTTP_TIMEOUT : PAWL_HTTP_DEADLINE;
        if (curl_multi_perform(t->lane->multi, &running) != CURLM_OK) {
            t->result = CURLE_FAILED_INIT;
            return PAWL_HTTP_FAILED;
        }
        if (is_done(t))
            return t->result == CURLE_OK ? PAWL_HTTP_ANSWERED : PAWL_HTTP_FAILED;
        uint64_t nap = cancel < 0 && call->abi->cancel != NULL ? LOOK_AGAIN_MS : LONGEST_NAP_MS;
        uint64_t left_ms = left / 1000000u + 1u;
        struct curl_waitfd extra = {cancel, CURL_WAIT_POLLIN, 0};
        (void)curl_multi_poll(t->lane->multi, &extra, cancel < 0 ? 0 : 1, (int)(left_ms < nap ? left_ms : nap), NULL);
    }
}

static void forget_response(pawl_http_transfer *t)
{
    pawl_connector_body_close(&t->body);
    t->body = (pawl_connector_body){.call = t->request->call};
    t->body_opened = t->failing = t->enough = false;
    t->header_bytes = 0;
    t->upload_at = 0;
    t->status = 0;
    t->problem[0] = '\0';
    json_object_clear(t->headers);
}

static pawl_http_end sort_out(pawl_http_transfer *t, pawl_http_end end)
{
    if (t->broken)
        return PAWL_HTTP_BROKEN;
    if (t->too_large)
        return PAWL_HTTP_TOO_LARGE;
    if (end == PAWL_HTTP_FAILED && t->enough)
        end = PAWL_HTTP_ANSWERED;
    if (end == PAWL_HTTP_ANSWERED && !t->body_opened && open_body(t) != PAWL_OK)
        return PAWL_HTTP_BROKEN;
    return end;
}

pawl_http_end pawl_http_transfer_run(pawl_http_transfer *transfer)
{
    pawl_http_transfer *t = transfer;
    CURL *easy = t->lane->easy;
    struct curl_slist *extra = NULL;
    forget_response(t);
    if (t->headers == NULL || !set_options(t, &extra) || curl_multi_add_handle(t->lane->multi, easy) != CURLM_OK) {
        curl_slist_free_all(extra);
        pawl_connector_fail_memory(&t->request->call->error);
        return PAWL_HTTP_BROKEN;
    }
    pawl_http_end end = drive(t);
    long sent_bytes = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
    t->sent = t->sent || sent_bytes > 0;
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &t->status);
    end = sort_out(t, end);
    (void)curl_multi_remove_handle(t->lane->multi, easy);
    curl_slist_free_all(extra);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    return end;
}

void pawl_http_transfer_open(pawl_http_transfer *transfer, pawl_http_request *request, pawl_http_lane *lane)
{
    *transfer = (pawl_http_transfer){.request = request, .lane = lane, .body = {.call = request->call}};
    transfer->headers = json_object();
    const pawl_connector_call *call = request->call;
    if (request->connector->timeout_ns != 0)
        transfer->until_mono_ns = call->core->mono_now_ns(call->abi->host) + request->connector->timeout_ns;
}

void pawl_http_transfer_close(pawl_http_transfer *transfer)
{
    pawl_connector_body_close(&transfer->body);
    json_decref(transfer->headers);
}

const char *pawl_http_transfer_header(const pawl_http_transfer *transfer, const char *name)
{
    return json_string_value(json_object_get(transfer->headers, name));
}
