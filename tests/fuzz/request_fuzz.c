/* request_fuzz.c: one request to the API: "METHOD TARGET\n", then the body. Through the same steps as in the server,
 * in front of a host that checks what it is asked (request_host.h). Every request gets one reply; an error has a code
 * and a message; JSON is JSON; a path segment survives encoding. */
#include "fuzz.h"
#include "request_host.h"

#include <openssl/evp.h>
#include <string.h>

#include "host/api/values.h"

static void check_segments(const pawl_uri *uri)
{
    for (size_t i = 0; i < uri->segment_count; i++) {
        pawl_error error = {0};
        pawl_uri again = {0};
        char *encoded = pawl_uri_encode(uri->segments[i]);
        FUZZ_CHECK(encoded != NULL);
        char *target = malloc(strlen(encoded) + 2);
        FUZZ_CHECK(target != NULL);
        snprintf(target, strlen(encoded) + 2, "/%s", encoded);
        if (uri->segments[i][0] != '\0') {
            FUZZ_CHECK(pawl_uri_parse(target, &again, &error) == PAWL_OK && again.segment_count == 1);
            FUZZ_CHECK(strcmp(again.segments[0], uri->segments[i]) == 0);
        }
        pawl_uri_finish(&again);
        free(target);
        free(encoded);
    }
}

/* Content that is given in base64 means exactly one sequence of bytes: written again it has the same characters, but
 * for bits that padding leaves over. */
static void check_base64(const char *body, size_t size)
{
    pawl_error error = {0};
    pawl_bytes bytes = {0};
    json_t *object = json_loadb(body, size, 0, NULL);
    const char *text = json_string_value(json_object_get(object, "input_base64"));
    if (text != NULL && json_object_size(object) == 1 &&
        pawl_value_content(object, "input", &bytes, &error) == PAWL_OK && bytes.size > 0) {
        size_t padding = (3 - bytes.size % 3) % 3;
        char *again = malloc(bytes.size / 3 * 4 + 5);
        FUZZ_CHECK(again != NULL);
        FUZZ_CHECK(EVP_EncodeBlock((unsigned char *)again, bytes.data, (int)bytes.size) == (int)strlen(text));
        FUZZ_CHECK(strncmp(again, text, strlen(text) - padding - (padding > 0)) == 0);
        FUZZ_CHECK(memcmp(again + strlen(text) - padding, text + strlen(text) - padding, padding) == 0);
        free(again);
    }
    free((void *)(uintptr_t)bytes.data);
    json_decref(object);
}

static void check_reply(const pawl_exchange *exchange)
{
    FUZZ_CHECK(exchange->reply_status >= 200 && exchange->reply_status <= 599);
    bool is_stream = exchange->reply_type != NULL && strcmp(exchange->reply_type, "application/x-ndjson") == 0;
    FUZZ_CHECK(exchange->reply_status == 204 || exchange->reply != NULL || is_stream);
    if (exchange->reply_type == NULL || strcmp(exchange->reply_type, "application/json") != 0)
        return;
    json_t *reply = json_loadb(exchange->reply, exchange->reply_size, JSON_DECODE_ANY, NULL);
    FUZZ_CHECK(reply != NULL);
    if (exchange->reply_status >= 400) {
        const json_t *error = json_object_get(reply, "error");
        FUZZ_CHECK(json_string_length(json_object_get(error, "code")) > 0);
        FUZZ_CHECK(json_string_length(json_object_get(error, "message")) > 0);
    }
    json_decref(reply);
}

static void answer(pawl_exchange *exchange, const char *method)
{
    pawl_error error = {0};
    pawl_status status = pawl_uri_parse(exchange->raw_uri, &exchange->uri, &error);
    if (status == PAWL_OK) {
        check_segments(&exchange->uri);
        status = pawl_route_find(method, &exchange->uri, &exchange->route, &exchange->allow, &error);
    }
    request_begin();
    if (status != PAWL_OK)
        pawl_exchange_error(exchange, &error);
    else if (!exchange->route->step(exchange))
        request_finish(exchange);
}

/* Up to a character or the end; a text of its own. */
static char *take_until(const uint8_t **data, size_t *size, char end)
{
    const uint8_t *at = *size > 0 ? memchr(*data, end, *size) : NULL;
    size_t length = at == NULL ? *size : (size_t)(at - *data);
    char *text = malloc(length + 1);
    FUZZ_CHECK(text != NULL);
    if (length > 0)
        memcpy(text, *data, length);
    text[length] = '\0';
    size_t taken = length + (at != NULL);
    *data += taken;
    *size -= taken;
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *method = take_until(&data, &size, ' ');
    pawl_exchange exchange = {.raw_uri = take_until(&data, &size, '\n')};
    exchange.body = malloc(size > 0 ? size : 1);
    FUZZ_CHECK(exchange.body != NULL);
    if (size > 0)
        memcpy(exchange.body, data, size);
    exchange.body_size = size;
    check_base64(exchange.body, exchange.body_size);
    answer(&exchange, method);
    check_reply(&exchange);
    if (exchange.work_free != NULL)
        exchange.work_free(exchange.work);
    pawl_uri_finish(&exchange.uri);
    free(exchange.reply);
    free(exchange.body);
    free(exchange.raw_uri);
    free(method);
    return 0;
}
