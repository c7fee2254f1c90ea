/* client.c: see client.h. Never retries by itself: whether asking again is safe, only the caller knows. */
#include "host/api/client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/api/status.h"
#include "host/api/uri.h"
#include "worker/base/error.h"

#define REPLY_BYTES_MAX ((size_t)1024 * 1024 * 1024)

struct pawl_client {
    CURL *curl;
    struct curl_slist *headers;
    char *socket_path;
    char *profile;
};

typedef struct received {
    char *text;
    size_t size;
    size_t capacity;
} received;

static pawl_status no_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "client.no_memory", "out of memory for a request");
}

static size_t on_data(char *data, size_t one, size_t count, void *context)
{
    received *into = context;
    size_t size = one * count;
    if (size > REPLY_BYTES_MAX - into->size)
        return 0;
    if (into->size + size + 1 > into->capacity) {
        size_t capacity = (into->size + size + 1) * 2;
        char *larger = realloc(into->text, capacity);
        if (larger == NULL)
            return 0;
        into->text = larger;
        into->capacity = capacity;
    }
    memcpy(into->text + into->size, data, size);
    into->size += size;
    into->text[into->size] = '\0';
    return size;
}

pawl_status pawl_client_open(const char *socket_path, const char *profile, pawl_client **ret, pawl_error *error)
{
    pawl_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return no_memory(error);
    client->curl = curl_easy_init();
    client->socket_path = strdup(socket_path);
    client->profile = strdup(profile == NULL ? "" : profile);
    client->headers = curl_slist_append(NULL, "Content-Type: application/json");
    struct curl_slist *more = client->headers == NULL ? NULL : curl_slist_append(client->headers, "Expect:");
    if (client->curl == NULL || client->socket_path == NULL || client->profile == NULL || more == NULL) {
        pawl_client_close(client);
        return no_memory(error);
    }
    *ret = client;
    return PAWL_OK;
}

pawl_client *pawl_client_close(pawl_client *client)
{
    if (client == NULL)
        return NULL;
    curl_easy_cleanup(client->curl);
    curl_slist_free_all(client->headers);
    free(client->socket_path);
    free(client->profile);
    free(client);
    return NULL;
}

static pawl_status set_up(pawl_client *client, const char *method, const char *path, const char *body,
                          uint64_t timeout_ms, received *into, pawl_error *error)
{
    char *url = malloc(strlen(path) + sizeof "http://pawl");
    if (url == NULL)
        return no_memory(error);
    sprintf(url, "http://pawl%s", path);
    CURL *curl = client->curl;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, client->socket_path);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L); /* an id may be ".." */
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, into);
    CURLcode set = curl_easy_setopt(curl, CURLOPT_URL, url);
    if (strcmp(method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    free(url);
    return set == CURLE_OK ? PAWL_OK : no_memory(error);
}

static pawl_status transfer_failed(const pawl_client *client, CURLcode code, pawl_error *error)
{
    const char *at = client->socket_path;
    switch (code) {
    case CURLE_COULDNT_CONNECT:
        return pawl_error_set(error, PAWL_E_CLOSED, "client.no_server",
                              "no pawl serve listens at %s%s%s%s; start it with: pawl serve%s%s", at,
                              client->profile[0] != '\0' ? " (profile " : "", client->profile,
                              client->profile[0] != '\0' ? ")" : "", client->profile[0] != '\0' ? " --profile " : "",
                              client->profile);
    case CURLE_OPERATION_TIMEDOUT:
        return pawl_error_set(error, PAWL_E_DEADLINE, "client.timeout", "the server at %s did not answer in time", at);
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        return pawl_error_set(error, PAWL_E_CLOSED, "client.no_server",
                              "the server at %s closed the connection without an answer: it is stopping or has died",
                              at);
    default:
        return pawl_error_set(error, PAWL_E_IO, "client.io", "asking the server at %s failed: %s", at,
                              curl_easy_strerror(code));
    }
}

/* What the server says went wrong; in its own words when they can be read. */
static pawl_status refused(long http_status, const json_t *json, pawl_error *error)
{
    const json_t *body = json_object_get(json, "error");
    const char *name = json_string_value(json_object_get(body, "status"));
    const char *code = json_string_value(json_object_get(body, "code"));
    const char *message = json_string_value(json_object_get(body, "message"));
    if (name == NULL || code == NULL || message == NULL)
        return pawl_error_set(error, PAWL_E_FAILED, "client.reply", "the server answered with HTTP status %ld",
                              http_status);
    return pawl_error_set(error, pawl_api_status_named(name), code, "%s", message);
}

pawl_status pawl_client_call(pawl_client *client, const char *method, const char *path, const json_t *body,
                             uint64_t timeout_ms, pawl_client_reply *ret, pawl_error *error)
{
    memset(ret, 0, sizeof *ret);
    char *sent = body == NULL ? strdup("") : json_dumps(body, JSON_COMPACT);
    received into = {calloc(1, 1), 0, 1};
    pawl_status status = path == NULL || sent == NULL || into.text == NULL ? no_memory(error) : PAWL_OK;
    if (status == PAWL_OK)
        status = set_up(client, method, path, sent, timeout_ms, &into, error);
    if (status == PAWL_OK) {
        CURLcode code = curl_easy_perform(client->curl);
        if (code != CURLE_OK)
            status = transfer_failed(client, code, error);
    }
    free(sent);
    if (status == PAWL_OK) {
        curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &ret->http_status);
        ret->json = json_loadb(into.text, into.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        if (ret->http_status / 100 != 2)
            status = refused(ret->http_status, ret->json, error);
    }
    ret->text = into.text;
    ret->size = into.size;
    if (status != PAWL_OK)
        pawl_client_reply_finish(ret);
    return status;
}

typedef struct stream {
    received rest; /* the beginning of a line */
    CURL *curl;
    bool (*on_line)(void *context, const char *line, size_t size);
    void *context;
    bool enough;
} stream;

static size_t on_stream_data(char *data, size_t one, size_t count, void *context)
{
    stream *s = context;
    long http_status = 0;
    if (on_data(data, one, count, &s->rest) != one * count)
        return 0;
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &http_status);
    if (http_status / 100 != 2)
        return one * count; /* an error, to be read whole */
    char *line = s->rest.text;
    char *end;
    while (!s->enough && (end = memchr(line, '\n', s->rest.size - (size_t)(line - s->rest.text))) != NULL) {
        *end = '\0';
        s->enough = !s->on_line(s->context, line, (size_t)(end - line));
        line = end + 1;
    }
    s->rest.size -= (size_t)(line - s->rest.text);
    memmove(s->rest.text, line, s->rest.size);
    return s->enough ? 0 : one * count;
}

pawl_status pawl_client_stream(pawl_client *client, const char *path,
                               bool (*on_line)(void *context, const char *line, size_t size), void *context,
                               pawl_error *error)
{
    stream s = {.curl = client->curl, .on_line = on_line, .context = context};
    pawl_status status = set_up(client, "GET", path, "", 0, &s.rest, error);
    if (status != PAWL_OK)
        return status;
    curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, on_stream_data);
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &s);
    CURLcode code = curl_easy_perform(client->curl);
    long http_status = 0;
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &http_status);
    if (code != CURLE_OK && !s.enough) {
        status = transfer_failed(client, code, error);
    } else if (http_status / 100 != 2) {
        json_t *json =
            s.rest.text == NULL ? NULL : json_loadb(s.rest.text, s.rest.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        status = refused(http_status, json, error);
        json_decref(json);
    }
    free(s.rest.text);
    return status;
}

/* ---- content that is larger than memory ---- */

typedef struct content {
    CURL *curl;
    received rest; /* an answer that is none of the content */
    long (*on_more)(void *context, char *to, size_t room);
    bool (*on_bytes)(void *context, const char *data, size_t size);
    void *context;
    bool given_up;
} content;

static size_t on_want(char *to, size_t one, size_t count, void *context)
{
    content *own = context;
    long size = own->on_more(own->context, to, one * count);
    own->given_up = size < 0;
    return size < 0 ? CURL_READFUNC_ABORT : (size_t)size;
}

static size_t on_content(char *data, size_t one, size_t count, void *context)
{
    content *own = context;
    long http_status = 0;
    curl_easy_getinfo(own->curl, CURLINFO_RESPONSE_CODE, &http_status);
    if (http_status / 100 != 2)
        return on_data(data, one, count, &own->rest);
    own->given_up = !own->on_bytes(own->context, data, one * count);
    return own->given_up ? 0 : one * count;
}

/* Of a transfer of content: what it came to. */
static pawl_status ended(pawl_client *client, content *own, CURLcode code, long *http_status, json_t **json,
                         pawl_error *error)
{
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, http_status);
    if (own->given_up)
        return pawl_error_set(error, PAWL_E_CANCELLED, "client.given_up", "the transfer was given up");
    if (code != CURLE_OK)
        return transfer_failed(client, code, error);
    *json = own->rest.text == NULL ? NULL
                                   : json_loadb(own->rest.text, own->rest.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    return *http_status / 100 == 2 ? PAWL_OK : refused(*http_status, *json, error);
}

pawl_status pawl_client_send(pawl_client *client, const char *path, uint64_t size,
                             long (*on_more)(void *context, char *to, size_t room), void *context,
                             pawl_client_reply *ret, pawl_error *error)
{
    content own = {.curl = client->curl, .on_more = on_more, .context = context};
    memset(ret, 0, sizeof *ret);
    own.rest = (received){calloc(1, 1), 0, 1};
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/octet-stream");
    struct curl_slist *more = headers == NULL ? NULL : curl_slist_append(headers, "Expect:");
    pawl_status status = path == NULL || more == NULL || own.rest.text == NULL ? no_memory(error) : PAWL_OK;
    if (status == PAWL_OK)
        status = set_up(client, "GET", path, "", 0, &own.rest, error);
    if (status == PAWL_OK) {
        curl_easy_setopt(client->curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(client->curl, CURLOPT_CUSTOMREQUEST, "POST");
        curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(client->curl, CURLOPT_READFUNCTION, on_want);
        curl_easy_setopt(client->curl, CURLOPT_READDATA, &own);
        curl_easy_setopt(client->curl, CURLOPT_INFILESIZE_LARGE,
                         size == PAWL_CLIENT_SIZE_UNKNOWN ? (curl_off_t)-1 : (curl_off_t)size);
        status = ended(client, &own, curl_easy_perform(client->curl), &ret->http_status, &ret->json, error);
    }
    curl_slist_free_all(headers);
    ret->text = own.rest.text;
    ret->size = own.rest.size;
    if (status != PAWL_OK)
        pawl_client_reply_finish(ret);
    return status;
}

pawl_status pawl_client_fetch(pawl_client *client, const char *path, const char *range,
                              bool (*on_bytes)(void *context, const char *data, size_t size), void *context,
                              pawl_error *error)
{
    content own = {.curl = client->curl, .on_bytes = on_bytes, .context = context};
    json_t *json = NULL;
    long http_status = 0;
    pawl_status status = path == NULL ? no_memory(error) : set_up(client, "GET", path, "", 0, &own.rest, error);
    if (status == PAWL_OK) {
        curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, on_content);
        curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &own);
        curl_easy_setopt(client->curl, CURLOPT_RANGE, range);
        status = ended(client, &own, curl_easy_perform(client->curl), &http_status, &json, error);
    }
    json_decref(json);
    free(own.rest.text);
    return status;
}

void pawl_client_reply_finish(pawl_client_reply *reply)
{
    free(reply->text);
    json_decref(reply->json);
    memset(reply, 0, sizeof *reply);
}

char *pawl_client_path(const char *collection, const char *name, const char *suffix)
{
    char *escaped = pawl_uri_encode(name);
    size_t room = strlen(collection) + strlen(suffix) + sizeof "/v1//";
    char *path = escaped == NULL ? NULL : malloc(room + strlen(escaped));
    if (path != NULL)
        sprintf(path, "/v1/%s/%s%s", collection, escaped, suffix);
    free(escaped);
    return path;
}

char *pawl_client_process_path(const char *id, const char *suffix)
{
    return pawl_client_path("processes", id, suffix);
}

char *pawl_client_query(char *path, const char *key, const char *value)
{
    if (path == NULL || value == NULL)
        return path;
    char *escaped = pawl_uri_encode(value);
    char *longer = escaped == NULL ? NULL : malloc(strlen(path) + strlen(key) + strlen(escaped) + 3);
    if (longer != NULL)
        sprintf(longer, "%s%c%s=%s", path, strchr(path, '?') == NULL ? '?' : '&', key, escaped);
    free(escaped);
    free(path);
    return longer;
}
