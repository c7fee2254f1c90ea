/* text.c: see text.h. */
#include "plugins/connector/text.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *pawl_connector_base64_encode(const void *data, size_t size)
{
    const uint8_t *in = data;
    char *text = malloc((size + 2) / 3 * 4 + 1);
    if (text == NULL)
        return NULL;
    char *at = text;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t left = size - i >= 3 ? 3 : (uint32_t)(size - i);
        uint32_t group = (uint32_t)in[i] << 16;
        if (left > 1)
            group |= (uint32_t)in[i + 1] << 8;
        if (left > 2)
            group |= (uint32_t)in[i + 2];
        *at++ = alphabet[group >> 18 & 63];
        *at++ = alphabet[group >> 12 & 63];
        *at++ = left > 1 ? alphabet[group >> 6 & 63] : '=';
        *at++ = left > 2 ? alphabet[group & 63] : '=';
    }
    *at = '\0';
    return text;
}

/* -1: not a character of the alphabet. */
static int digit(char c)
{
    const char *at = c == '\0' ? NULL : strchr(alphabet, c);
    return at == NULL ? -1 : (int)(at - alphabet);
}

bool pawl_connector_base64_decode(const char *text, size_t size, void **data, size_t *data_size, bool *memory)
{
    *memory = false;
    size_t pad = size >= 2 && text[size - 1] == '=' ? (text[size - 2] == '=' ? 2 : 1) : 0;
    if (size % 4 != 0)
        return false;
    uint8_t *out = malloc(size / 4 * 3 + 1);
    if (out == NULL) {
        *memory = true;
        return false;
    }
    size_t used = 0;
    for (size_t i = 0; i < size; i += 4) {
        size_t digits = i + 4 == size ? 4 - pad : 4;
        uint32_t group = 0;
        for (size_t k = 0; k < 4; k++) {
            int value = k < digits ? digit(text[i + k]) : 0;
            if (value < 0) {
                free(out);
                return false;
            }
            group = group << 6 | (uint32_t)value;
        }
        out[used++] = (uint8_t)(group >> 16);
        if (digits > 2)
            out[used++] = (uint8_t)(group >> 8);
        if (digits > 3)
            out[used++] = (uint8_t)group;
        /* Bits that padding cuts off must be zero: one content has one spelling. */
        if ((digits == 2 && (group & 0xFFFF) != 0) || (digits == 3 && (group & 0xFF) != 0)) {
            free(out);
            return false;
        }
    }
    *data = out;
    *data_size = used;
    return true;
}

bool pawl_connector_is_text(const void *data, size_t size)
{
    if (size == 0)
        return true;
    if (memchr(data, '\0', size) != NULL)
        return false;
    json_t *text = json_stringn(data, size); /* refuses what is not UTF-8 */
    json_decref(text);
    return text != NULL;
}
