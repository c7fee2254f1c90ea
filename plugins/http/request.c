/* request.c: see request.h. */
#include "plugins/http/request.h"

#include "plugins/http/headers.h"

#include <ctype.h>

static const pawl_connector_field fields[] = {
    {"method", PAWL_CONNECTOR_TEXT, false, 0, 0},     {"path", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"url", PAWL_CONNECTOR_TEXT, false, 0, 0},        {"query", PAWL_CONNECTOR_OBJECT, false, 0, 0},
    {"headers", PAWL_CONNECTOR_TEXTS, false, 0, 0},   {"json", PAWL_CONNECTOR_ANY, false, 0, 0},
    {"text", PAWL_CONNECTOR_TEXT, false, 0, 0},       {"base64", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"attachment", PAWL_CONNECTOR_TEXT, false, 0, 0}, {"save", PAWL_CONNECTOR_BOOLEAN, false, 0, 0},
};

static pawl_status invalid_url(pawl_connector_call *call, const char *what)
{
    return pawl_connector_call_fail_as(call, PAWL_E_INVALID, PAWL_TERMINAL, "invalid_url", "%s", what);
}

static bool one_of(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], text) == 0)
            return true;
    return false;
}

static pawl_status take_method(pawl_http_request *r)
{
    static const char *const safe[] = {"GET", "HEAD", "OPTIONS", "TRACE"};
    static const char *const idempotent[] = {"PUT", "DELETE"};
    pawl_connector_call *call = r->call;
    bool general = pawl_is(call->abi->operation, "request");
    const char *given = pawl_connector_text(call->input, "method", NULL);
    if (general != (given != NULL))
        return pawl_connector_call_fail(call, PAWL_TERMINAL, "invalid_input",
                                        general ? "\"method\" is missing; it is required"
                                                : "\"method\" is for the operation \"request\" only");
    if (general && (given[0] == '\0' || strlen(given) > PAWL_HTTP_METHOD_BYTES_MAX ||
                    strspn(given, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != strlen(given) || strcmp(given, "CONNECT") == 0))
        return pawl_connector_call_fail(call, PAWL_TERMINAL, "invalid_input",
                                        "\"method\" is not 1 to %u capital letters, or is CONNECT",
                                        PAWL_HTTP_METHOD_BYTES_MAX);
    /* The name of every other operation is its method in small letters. */
    const char *name = general ? given : call->abi->operation.data;
    size_t size = general ? strlen(given) : call->abi->operation.size;
    for (size_t i = 0; i < size && i < PAWL_HTTP_METHOD_BYTES_MAX; i++)
        r->method[i] = (char)toupper((unsigned char)name[i]);
    r->safe = one_of(r->method, safe, PAWL_CONNECTOR_COUNT(safe));
    r->idempotent = r->safe || one_of(r->method, idempotent, PAWL_CONNECTOR_COUNT(idempotent));
    return PAWL_OK;
}

/* ---- where it goes ---- */

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
    char *x = NULL, *y = NULL;
    unsigned flags = part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0;
    bool same = curl_url_get(a, part, &x, flags) == CURLUE_OK && curl_url_get(b, part, &y, flags) == CURLUE_OK &&
                strcasecmp(x, y) == 0;
    curl_free(x);
    curl_free(y);
    return same;
}

static bool same_origin(CURLU *a, CURLU *b)
{
    return a != NULL && b != NULL && same_part(a, b, CURLUPART_SCHEME) && same_part(a, b, CURLUPART_HOST) &&
           same_part(a, b, CURLUPART_PORT);
}

/* Parse a URL given from outside of the configuration. NULL: not one that may be used. */
static CURLU *parse_url(const char *text)
{
    CURLU *url = curl_url();
    char *scheme = NULL, *user = NULL;
    bool good = url != NULL && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
                curl_url_get(url, CURLUPART_USER, &user, 0) != CURLUE_OK &&
                curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK;
    curl_free(scheme);
    curl_free(user);
    if (good)
        return url;
    curl_url_cleanup(url);
    return NULL;
}

/* "." and "..", also percent-encoded, would leave the path of base_url. */
static bool has_dot_segment(const char *path)
{
    while (*path != '\0') {
        size_t dots = 0;
        const char *at = path;
        for (;; dots++) {
            if (*at == '.')
                at++;
            else if (at[0] == '%' && at[1] == '2' && (at[2] == 'e' || at[2] == 'E'))
                at += 3;
            else
                break;
        }
        if ((*at == '/' || *at == '\\' || *at == '\0') && (dots == 1 || dots == 2))
            return true;
        at += strcspn(at, "/\\");
        path = *at == '\0' ? at : at + 1;
    }
    return false;
}

/* base/path with one slash in between. What cannot stand in a URL is encoded; "%" is left alone: it may be encoded
 * already. */
static char *join(const char *base, const char *path)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t kept = strlen(base);
    while (kept > 0 && base[kept - 1] == '/')
        kept--;
    path += strspn(path, "/");
    char *joined = malloc(kept + 1 + 3 * strlen(path) + 1);
    if (joined == NULL)
        return NULL;
    memcpy(joined, base, kept);
    char *at = joined + kept;
    *at++ = '/';
    for (const unsigned char *p = (const unsigned char *)path; *p != '\0'; p++) {
        if (*p > 0x20 && *p < 0x7f && strchr("\"<>\\^`{|}", *p) == NULL) {
            *at++ = (char)*p;
        } else {
            *at++ = '%';
            *at++ = hex[*p >> 4];
            *at++ = hex[*p & 15];
        }
    }
    *at = '\0';
    return joined;
}

static pawl_status take_path(pawl_http_request *r, const char *path)
{
    if (strpbrk(path, "?#") != NULL)
        return invalid_url(r->call, "\"path\" holds a \"?\" or \"#\"; give a query as \"query\"");
    if (has_dot_segment(path))
        return invalid_url(r->call, "\"path\" holds a \".\" or \"..\" segment");
    r->url = curl_url_dup(r->connector->base);
    char *base = NULL;
    if (r->url == NULL || curl_url_get(r->url, CURLUPART_PATH, &base, 0) != CURLUE_OK)
        return pawl_connector_fail_memory(&r->call->error);
    pawl_status status = PAWL_OK;
    if (path[0] != '\0') {
        char *joined = join(base, path);
        if (joined == NULL)
            status = pawl_connector_fail_memory(&r->call->error);
        else if (curl_url_set(r->url, CURLUPART_PATH, joined, 0) != CURLUE_OK)
            status = invalid_url(r->call, "\"path\" cannot stand in a URL");
        free(joined);
    }
    curl_free(base);
    return status;
}

static pawl_status take_url(pawl_http_request *r)
{
    const char *url = pawl_connector_text(r->call->input, "url", NULL);
    const char *path = pawl_connector_text(r->call->input, "path", NULL);
    if (url != NULL && path != NULL)
        return pawl_connector_call_fail(r->call, PAWL_TERMINAL, "invalid_input", "both \"url\" and \"path\" are given");
    if (url == NULL && r->connector->base == NULL)
        return pawl_connector_call_fail(r->call, PAWL_TERMINAL, "invalid_input",
                                        "\"url\" is missing; its configuration has no \"base_url\"");
    if (url == NULL) {
        r->own = true;
        return take_path(r, path == NULL ? "" : path);
    }
    r->url = parse_url(url);
    if (r->url == NULL)
        return invalid_url(r->call, "\"url\" is not an http or https URL without a user");
    r->own = same_origin(r->url, r->connector->base);
    if (r->own || r->connector->allow_other_hosts)
        return PAWL_OK;
    return pawl_connector_call_fail(
        r->call, PAWL_TERMINAL, "other_host",
        "\"url\" is not of the origin of \"base_url\"; its configuration does not allow others");
}

static pawl_status add_query(pawl_http_request *r, const char *name, const json_t *value)
{
    char number[32];
    const char *text = json_string_value(value);
    if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
        text = number;
    } else if (json_is_real(value)) {
        snprintf(number, sizeof number, "%.17g", json_real_value(value));
        text = number;
    } else if (json_is_boolean(value)) {
        text = json_is_true(value) ? "true" : "false";
    }
    if (text == NULL)
        return pawl_connector_call_fail(r->call, PAWL_TERMINAL, "invalid_input",
                                        "\"query\": \"%s\" is not a text, number, boolean or an array of these", name);
    char *key = curl_easy_escape(NULL, name, (int)strlen(name));
    char *escaped = curl_easy_escape(NULL, text, (int)strlen(text));
    char *pair = NULL;
    bool good = key != NULL && escaped != NULL && asprintf(&pair, "%s=%s", key, escaped) >= 0 &&
                curl_url_set(r->url, CURLUPART_QUERY, pair, CURLU_APPENDQUERY) == CURLUE_OK;
    curl_free(key);
    curl_free(escaped);
    free(pair);
    return good ? PAWL_OK : pawl_connector_fail_memory(&r->call->error);
}

static pawl_status take_query(pawl_http_request *r)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(r->call->input, "query"), name, value)
    {
        size_t count = json_is_array(value) ? json_array_size(value) : 1;
        for (size_t i = 0; i < count; i++)
            if (add_query(r, name, json_is_array(value) ? json_array_get(value, i) : value) != PAWL_OK)
                return r->call->error.status;
    }
    return PAWL_OK;
}

/* ---- headers ---- */

static bool travels(const char *name)
{
    static const char *const names[] = {"accept", "accept-language", "content-type", "user-agent"};
    for (size_t i = 0; i < PAWL_CONNECTOR_COUNT(names); i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}

static pawl_status add_given(pawl_http_request *r)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(r->call->input, "headers"), name, value)
    {
        bool authorization = strcasecmp(name, "authorization") == 0 && r->connector->authorization != NULL;
        if (!pawl_http_is_header_name(name) || pawl_http_is_reserved_header(name) || authorization)
            return pawl_connector_call_fail(r->call, PAWL_TERMINAL, "invalid_header", "\"headers\" may not set \"%s\"",
                                            name);
        if (!pawl_http_is_header_value(json_string_value(value)))
            return pawl_connector_call_fail(r->call, PAWL_TERMINAL, "invalid_header",
                                            "\"headers\": the value of \"%s\" holds a control character", name);
        if (r->redirected_away && !travels(name))
            continue;
        if (!pawl_http_add_header(&r->headers, name, json_string_value(value)))
            return pawl_connector_fail_memory(&r->call->error);
    }
    return PAWL_OK;
}

static bool add_configured(pawl_http_request *r)
{
    const char *name;
    json_t *value;
    if (!r->own)
        return true;
    json_object_foreach((json_t *)r->connector->headers, name, value)
    {
        if (!pawl_http_add_header(&r->headers, name, json_string_value(value)))
            return false;
    }
    return r->connector->authorization == NULL ||
           pawl_http_add_header(&r->headers, "Authorization", r->connector->authorization);
}

/* The key holds a process id, which may hold anything: what cannot stand in a header is percent-encoded. */
static bool add_key(pawl_http_request *r)
{
    pawl_bytes key = r->call->abi->idempotency_key;
    const unsigned char *from = key.data;
    r->keyed = r->connector->key_header[0] != '\0' && !r->safe && key.size > 0;
    if (!r->keyed)
        return true;
    char *text = malloc(3 * key.size + 1);
    if (text == NULL)
        return false;
    size_t at = 0;
    for (size_t i = 0; i < key.size; i++) {
        if (from[i] > 0x20 && from[i] < 0x7f && from[i] != '%')
            text[at++] = (char)from[i];
        else
            at += (size_t)sprintf(text + at, "%%%02X", from[i]);
    }
    text[at] = '\0';
    bool added = pawl_http_add_header(&r->headers, r->connector->key_header, text);
    free(text);
    return added;
}

static bool add_trace(pawl_http_request *r)
{
    char text[64];
    pawl_bytes trace = r->call->abi->trace_context;
    if (trace.size == 0 || trace.size >= sizeof text)
        return true;
    memcpy(text, trace.data, trace.size);
    text[trace.size] = '\0';
    if (strspn(text, "0123456789abcdef-") != trace.size)
        return true;
    return pawl_http_add_header(&r->headers, "traceparent", text);
}

static pawl_status make_headers(pawl_http_request *r)
{
    curl_slist_free_all(r->headers);
    r->headers = NULL;
    if (add_given(r) != PAWL_OK)
        return r->call->error.status;
    bool good = add_configured(r) && add_key(r) && add_trace(r) &&
                pawl_http_add_header(&r->headers, "User-Agent", "pawl-http/1.0.0");
    if (good && r->body.present)
        good = pawl_http_add_header(&r->headers, "Content-Type", r->body.media_type);
    return good ? PAWL_OK : pawl_connector_fail_memory(&r->call->error);
}

/* ---- the whole ---- */

pawl_status pawl_http_request_open(pawl_http_request *request, const pawl_connector *connector,
                                   pawl_connector_call *call)
{
    *request = (pawl_http_request){.connector = connector, .call = call, .body = {.call = call}};
    if (pawl_connector_call_check(call, fields, PAWL_CONNECTOR_COUNT(fields)) != PAWL_OK ||
        take_method(request) != PAWL_OK || take_url(request) != PAWL_OK || take_query(request) != PAWL_OK ||
        pawl_connector_source_open(&request->body, call, call->input) != PAWL_OK)
        return call->error.status;
    if (request->body.present && (strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0))
        return pawl_connector_call_fail(call, PAWL_TERMINAL, "invalid_input", "%s takes no content", request->method);
    request->save = pawl_connector_boolean(call->input, "save", false);
    return make_headers(request);
}

pawl_status pawl_http_request_redirect(pawl_http_request *request, long status, const char *location)
{
    CURLU *url = location == NULL ? NULL : parse_url(location);
    if (url == NULL)
        return pawl_connector_call_fail(request->call, PAWL_TERMINAL, "redirect",
                                        "redirected with status %ld to no http URL", status);
    bool own = same_origin(url, request->connector->base);
    request->redirected_away = request->redirected_away || !same_origin(url, request->url);
    curl_url_cleanup(request->url);
    request->url = url;
    request->own = own;
    if (!own && !request->connector->allow_other_hosts)
        return pawl_connector_call_fail(request->call, PAWL_TERMINAL, "other_host",
                                        "redirected with status %ld to an origin other than that of \"base_url\"",
                                        status);
    bool to_get = status == 303 || ((status == 301 || status == 302) && strcmp(request->method, "POST") == 0);
    if (to_get && strcmp(request->method, "HEAD") != 0) {
        strcpy(request->method, "GET");
        pawl_connector_source_close(&request->body);
        request->body = (pawl_connector_source){.call = request->call};
    }
    return make_headers(request);
}

void pawl_http_request_close(pawl_http_request *request)
{
    curl_url_cleanup(request->url);
    curl_slist_free_all(request->headers);
    pawl_connector_source_close(&request->body);
}
