/* uri.c: see uri.h. Never decodes twice and never decodes before splitting. */
#include "host/api/uri.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/base/error.h"

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* In place; the text only gets shorter. plus_is_space: in a query "+" stands for a blank. */
static pawl_status decode(char *text, int plus_is_space, pawl_error *error)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from == '+' && plus_is_space) {
            *to++ = ' ';
            continue;
        }
        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        int high = hex_value(from[1]);
        int low = high < 0 ? -1 : hex_value(from[2]);
        if (low < 0 || (high == 0 && low == 0))
            return pawl_error_set(
                error, PAWL_E_INVALID, "api.uri",
                "the request's target has a bad escape at \"%.12s\": wanted %%XX with two hex digits, "
                "not %%00",
                from);
        *to++ = (char)(high * 16 + low);
        from += 2;
    }
    *to = '\0';
    return PAWL_OK;
}

static pawl_status add_query(pawl_uri *uri, char *pair, pawl_error *error)
{
    char *value = strchr(pair, '=');
    if (value != NULL)
        *value++ = '\0';
    else
        value = pair + strlen(pair);
    if (uri->query_count == PAWL_URI_QUERY_MAX)
        return pawl_error_set(error, PAWL_E_INVALID, "api.uri", "the query has more than %u keys", PAWL_URI_QUERY_MAX);
    pawl_status status = decode(pair, 1, error);
    if (status == PAWL_OK)
        status = decode(value, 1, error);
    if (status != PAWL_OK)
        return status;
    if (pawl_uri_query(uri, pair) != NULL)
        return pawl_error_set(error, PAWL_E_INVALID, "api.query_twice", "the query has the key \"%.64s\" twice", pair);
    uri->query[uri->query_count].key = pair;
    uri->query[uri->query_count].value = value;
    uri->query_count++;
    return PAWL_OK;
}

static pawl_status split(pawl_uri *uri, pawl_error *error)
{
    char *query = strchr(uri->memory, '?');
    if (query != NULL)
        *query++ = '\0';
    char *rest = uri->memory + 1;
    while (rest != NULL) {
        char *segment = rest;
        rest = strchr(segment, '/');
        if (rest != NULL)
            *rest++ = '\0';
        if (uri->segment_count == PAWL_URI_SEGMENTS_MAX)
            return pawl_error_set(error, PAWL_E_NOT_FOUND, "api.no_route", "the path has more than %u segments",
                                  PAWL_URI_SEGMENTS_MAX);
        pawl_status status = decode(segment, 0, error);
        if (status != PAWL_OK)
            return status;
        uri->segments[uri->segment_count++] = segment;
    }
    while (query != NULL && *query != '\0') {
        char *pair = query;
        query = strchr(pair, '&');
        if (query != NULL)
            *query++ = '\0';
        pawl_status status = *pair == '\0' ? PAWL_OK : add_query(uri, pair, error);
        if (status != PAWL_OK)
            return status;
    }
    return PAWL_OK;
}

pawl_status pawl_uri_parse(const char *raw, pawl_uri *ret, pawl_error *error)
{
    memset(ret, 0, sizeof *ret);
    if (raw[0] != '/')
        return pawl_error_set(error, PAWL_E_INVALID, "api.uri",
                              "the request's target \"%.64s\" does not start with \"/\"", raw);
    ret->memory = strdup(raw);
    if (ret->memory == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "api.no_memory", "out of memory for a request's target");
    pawl_status status = split(ret, error);
    if (status != PAWL_OK)
        pawl_uri_finish(ret);
    return status;
}

void pawl_uri_finish(pawl_uri *uri)
{
    free(uri->memory);
    memset(uri, 0, sizeof *uri);
}

const char *pawl_uri_query(const pawl_uri *uri, const char *key)
{
    for (size_t i = 0; i < uri->query_count; i++)
        if (strcmp(uri->query[i].key, key) == 0)
            return uri->query[i].value;
    return NULL;
}

pawl_status pawl_uri_number(const pawl_uri *uri, const char *key, uint64_t least, uint64_t most, uint64_t fallback,
                            uint64_t *ret, pawl_error *error)
{
    const char *text = pawl_uri_query(uri, key);
    if (text == NULL) {
        *ret = fallback;
        return PAWL_OK;
    }
    char *end = NULL;
    errno = 0;
    unsigned long long value = isdigit((unsigned char)text[0]) ? strtoull(text, &end, 10) : 0;
    if (end == NULL || *end != '\0' || errno != 0 || value < least || value > most)
        return pawl_error_set(error, PAWL_E_INVALID, "api.query_value",
                              "the query has %s=%.64s; wanted a whole number from %llu to %llu", key, text,
                              (unsigned long long)least, (unsigned long long)most);
    *ret = value;
    return PAWL_OK;
}

char *pawl_uri_encode(const char *text)
{
    char *encoded = malloc(strlen(text) * 3 + 1);
    if (encoded == NULL)
        return NULL;
    char *to = encoded;
    for (const unsigned char *from = (const unsigned char *)text; *from != '\0'; from++) {
        if (isalnum(*from) || strchr("-._~", *from) != NULL)
            *to++ = (char)*from;
        else
            to += sprintf(to, "%%%02X", *from);
    }
    *to = '\0';
    return encoded;
}
