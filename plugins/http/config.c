/* config.c: the HTTP connector's configuration. See connector.h. Messages name keys, never values that may be secret.
 */
#include "plugins/http/connector.h"

#include "plugins/connector/text.h"
#include "plugins/http/headers.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#define SECRET_BYTES_MIN ((size_t)4) /* shorter ones cannot be replaced without harming the text around them */

static const pawl_connector_field fields[] = {
    {"base_url", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"headers", PAWL_CONNECTOR_TEXTS, false, 0, 0},
    {"auth", PAWL_CONNECTOR_OBJECT, false, 0, 0},
    {"tls", PAWL_CONNECTOR_OBJECT, false, 0, 0},
    {"redirects", PAWL_CONNECTOR_INTEGER, false, 0, 20},
    {"connect_timeout_ms", PAWL_CONNECTOR_INTEGER, false, 1, 3600000},
    {"timeout_ms", PAWL_CONNECTOR_INTEGER, false, 0, 86400000},
    {"max_response", PAWL_CONNECTOR_INTEGER, false, 0, (int64_t)64 << 20},
    {"max_saved", PAWL_CONNECTOR_INTEGER, false, 0, INT64_MAX},
    {"idempotency_header", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"success", PAWL_CONNECTOR_ARRAY, false, 0, 0},
    {"unix_socket", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"proxy", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"allow_other_hosts", PAWL_CONNECTOR_BOOLEAN, false, 0, 0},
};
static const pawl_connector_field auth_fields[] = {
    {"bearer", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"basic", PAWL_CONNECTOR_OBJECT, false, 0, 0},
};
static const pawl_connector_field basic_fields[] = {
    {"user", PAWL_CONNECTOR_TEXT, true, 0, 0},
    {"password", PAWL_CONNECTOR_TEXT, true, 0, 0},
};
static const pawl_connector_field tls_fields[] = {
    {"ca_file", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"cert_file", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"key_file", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"verify", PAWL_CONNECTOR_BOOLEAN, false, 0, 0},
};

/* One reading of a configuration. */
typedef struct reading {
    pawl_connector *connector;
    pawl_connector_error *error;
    char where[512];
} reading;

static pawl_status refuse(reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static pawl_status refuse(reading *r, const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return pawl_connector_fail(r->error, PAWL_TERMINAL, "http.config", "%s: %s", r->where, message);
}

static pawl_status check_part(reading *r, const json_t *object, const char *name, const pawl_connector_field *table,
                              size_t count)
{
    char where[600];
    snprintf(where, sizeof where, "%s.%s", r->where, name);
    return object == NULL ? PAWL_OK : pawl_connector_check(object, table, count, where, "http.config", r->error);
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return has;
}

static pawl_status read_base(reading *r, const json_t *config)
{
    pawl_connector *c = r->connector;
    const char *text = pawl_connector_text(config, "base_url", NULL);
    if (text == NULL)
        return c->allow_other_hosts
                   ? PAWL_OK
                   : refuse(r, "\"base_url\" is missing; it is required unless \"allow_other_hosts\" is true");
    c->base = curl_url();
    if (c->base == NULL)
        return pawl_connector_fail_memory(r->error);
    char *scheme = NULL;
    if (curl_url_set(c->base, CURLUPART_URL, text, 0) != CURLUE_OK ||
        curl_url_get(c->base, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
        return refuse(r, "\"base_url\" is not a URL");
    bool http = strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0;
    curl_free(scheme);
    if (!http)
        return refuse(r, "\"base_url\" is neither http nor https");
    if (has_part(c->base, CURLUPART_USER) || has_part(c->base, CURLUPART_PASSWORD))
        return refuse(r, "\"base_url\" holds a user; use \"auth\"");
    if (has_part(c->base, CURLUPART_QUERY) || has_part(c->base, CURLUPART_FRAGMENT))
        return refuse(r, "\"base_url\" holds a query or a fragment");
    return PAWL_OK;
}

static pawl_status keep_secret(reading *r, const char *text)
{
    if (strlen(text) < SECRET_BYTES_MIN)
        return PAWL_OK;
    return json_array_append_new(r->connector->secrets, json_string(text)) == 0 ? PAWL_OK
                                                                                : pawl_connector_fail_memory(r->error);
}

static pawl_status read_basic(reading *r, const json_t *basic, char **value)
{
    if (check_part(r, basic, "auth.basic", basic_fields, PAWL_CONNECTOR_COUNT(basic_fields)) != PAWL_OK)
        return r->error->status;
    const char *user = pawl_connector_text(basic, "user", ""), *password = pawl_connector_text(basic, "password", "");
    if (strchr(user, ':') != NULL)
        return refuse(r, "auth.basic: \"user\" holds a colon");
    char *pair = NULL;
    if (asprintf(&pair, "%s:%s", user, password) < 0)
        return pawl_connector_fail_memory(r->error);
    char *encoded = pawl_connector_base64_encode(pair, strlen(pair));
    free(pair);
    if (encoded == NULL || asprintf(value, "Basic %s", encoded) < 0)
        *value = NULL;
    else if (keep_secret(r, password) == PAWL_OK)
        keep_secret(r, encoded);
    free(encoded);
    return *value == NULL ? pawl_connector_fail_memory(r->error) : r->error->status;
}

static pawl_status read_auth(reading *r, const json_t *auth)
{
    if (auth == NULL)
        return PAWL_OK;
    if (check_part(r, auth, "auth", auth_fields, PAWL_CONNECTOR_COUNT(auth_fields)) != PAWL_OK)
        return r->error->status;
    const char *bearer = pawl_connector_text(auth, "bearer", NULL);
    const json_t *basic = json_object_get(auth, "basic");
    if ((bearer == NULL) == (basic == NULL))
        return refuse(r, "\"auth\" needs either \"bearer\" or \"basic\"");
    char *value = NULL;
    if (basic != NULL && read_basic(r, basic, &value) != PAWL_OK) {
        free(value);
        return r->error->status;
    }
    if (bearer != NULL && (keep_secret(r, bearer) != PAWL_OK || asprintf(&value, "Bearer %s", bearer) < 0))
        return pawl_connector_fail_memory(r->error);
    r->connector->authorization = value;
    return pawl_http_is_header_value(value) ? PAWL_OK : refuse(r, "\"auth\" holds a control character");
}

static pawl_status read_headers(reading *r, const json_t *headers)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)headers, name, value)
    {
        if (!pawl_http_is_header_name(name) || pawl_http_is_reserved_header(name))
            return refuse(r, "\"headers\" may not set \"%s\"", name);
        if (!pawl_http_is_header_value(json_string_value(value)))
            return refuse(r, "\"headers\": the value of \"%s\" holds a control character", name);
        if (strcasecmp(name, "authorization") == 0 && r->connector->authorization != NULL)
            return refuse(r, "both \"auth\" and the header \"%s\" are given", name);
        if (keep_secret(r, json_string_value(value)) != PAWL_OK)
            return r->error->status;
    }
    r->connector->headers = headers;
    return PAWL_OK;
}

static pawl_status read_tls(reading *r, const json_t *tls)
{
    pawl_connector *c = r->connector;
    if (check_part(r, tls, "tls", tls_fields, PAWL_CONNECTOR_COUNT(tls_fields)) != PAWL_OK)
        return r->error->status;
    const char *const keys[] = {"ca_file", "cert_file", "key_file"};
    const char **const targets[] = {&c->ca_file, &c->cert_file, &c->key_file};
    for (size_t i = 0; i < PAWL_CONNECTOR_COUNT(keys); i++) {
        *targets[i] = pawl_connector_text(tls, keys[i], NULL);
        if (*targets[i] != NULL && access(*targets[i], R_OK) != 0)
            return refuse(r, "tls: \"%s\" is \"%s\", which cannot be read: %s", keys[i], *targets[i], strerror(errno));
    }
    c->verify = pawl_connector_boolean(tls, "verify", true);
    return PAWL_OK;
}

static bool read_range(const json_t *value, pawl_http_range *range)
{
    if (json_is_integer(value)) {
        json_int_t number = json_integer_value(value);
        range->first = range->last = number < 0 || number > 999 ? 0 : (long)number;
    } else if (json_is_string(value)) {
        char rest = '\0';
        if (sscanf(json_string_value(value), "%3ld-%3ld%c", &range->first, &range->last, &rest) != 2)
            return false;
    } else {
        return false;
    }
    return range->first >= 200 && range->last <= 599 && range->first <= range->last;
}

static pawl_status read_success(reading *r, const json_t *list)
{
    pawl_connector *c = r->connector;
    c->success[0] = (pawl_http_range){200, 299};
    c->success_count = 1;
    if (list == NULL)
        return PAWL_OK;
    size_t count = json_array_size(list);
    if (count == 0 || count > PAWL_HTTP_RANGES_MAX)
        return refuse(r, "\"success\" has %zu entries, expected 1 to %u", count, PAWL_HTTP_RANGES_MAX);
    for (size_t i = 0; i < count; i++)
        if (!read_range(json_array_get(list, i), &c->success[i]))
            return refuse(r, "\"success\": entry %zu is neither a status (404) nor a range (\"200-299\") in 200 to 599",
                          i + 1);
    c->success_count = count;
    return PAWL_OK;
}

static pawl_status read_numbers_and_names(reading *r, const json_t *config)
{
    pawl_connector *c = r->connector;
    c->redirects = (int)pawl_connector_integer(config, "redirects", 0);
    c->connect_timeout_ms = (long)pawl_connector_integer(config, "connect_timeout_ms", 10000);
    c->timeout_ns = (uint64_t)pawl_connector_integer(config, "timeout_ms", 0) * 1000000u;
    c->body_bytes_max = (uint64_t)pawl_connector_integer(config, "max_response", 1 << 20);
    c->saved_bytes_max = (uint64_t)pawl_connector_integer(config, "max_saved", (int64_t)1 << 30);
    c->key_header = pawl_connector_text(config, "idempotency_header", "Idempotency-Key");
    c->unix_socket = pawl_connector_text(config, "unix_socket", NULL);
    c->proxy = pawl_connector_text(config, "proxy", "");
    if (c->key_header[0] != '\0' &&
        (!pawl_http_is_header_name(c->key_header) || pawl_http_is_reserved_header(c->key_header)))
        return refuse(r, "\"idempotency_header\" is \"%s\", which is not a header that may be set", c->key_header);
    if (c->unix_socket != NULL && (c->unix_socket[0] != '/' || strlen(c->unix_socket) > 107))
        return refuse(r, "\"unix_socket\" is not an absolute path of at most 107 bytes");
    return PAWL_OK;
}

pawl_status pawl_http_configure(pawl_connector *connector, pawl_bytes config, pawl_connector_error *error)
{
    reading r = {.connector = connector, .error = error};
    snprintf(r.where, sizeof r.where, "http connector \"%s\": config", connector->name);
    connector->secrets = json_array();
    if (connector->secrets == NULL)
        return pawl_connector_fail_memory(error);
    if (pawl_connector_parse(config, r.where, "http.config", &connector->config, error) != PAWL_OK ||
        pawl_connector_check(connector->config, fields, PAWL_CONNECTOR_COUNT(fields), r.where, "http.config", error) !=
            PAWL_OK)
        return error->status;
    const json_t *object = connector->config;
    connector->allow_other_hosts = pawl_connector_boolean(object, "allow_other_hosts", false);
    if (read_base(&r, object) != PAWL_OK || read_auth(&r, json_object_get(object, "auth")) != PAWL_OK ||
        read_headers(&r, json_object_get(object, "headers")) != PAWL_OK ||
        read_tls(&r, json_object_get(object, "tls")) != PAWL_OK ||
        read_success(&r, json_object_get(object, "success")) != PAWL_OK)
        return error->status;
    return read_numbers_and_names(&r, object);
}

bool pawl_http_is_success(const pawl_connector *connector, long status)
{
    for (size_t i = 0; i < connector->success_count; i++)
        if (status >= connector->success[i].first && status <= connector->success[i].last)
            return true;
    return false;
}

/* Replace in place: what is put in is never longer than what it stands for. */
static void replace_all(char *text, const char *secret)
{
    size_t size = strlen(secret);
    for (char *at = strstr(text, secret); at != NULL; at = strstr(at + 3, secret)) {
        memcpy(at, "***", 3);
        memmove(at + 3, at + size, strlen(at + size) + 1);
    }
}

char *pawl_http_redact(const pawl_connector *connector, const char *text)
{
    char *copy = strdup(text);
    for (size_t i = 0; copy != NULL && i < json_array_size(connector->secrets); i++)
        replace_all(copy, json_string_value(json_array_get(connector->secrets, i)));
    return copy;
}
