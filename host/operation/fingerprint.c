/* fingerprint.c: see fingerprint.h. Every part goes into the hash with its length before it, so that no two lists of
 * parts can run together into the same bytes. */
#include "host/operation/fingerprint.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Beyond this a double no longer holds every integer, and turning one into the other would make unequal things equal.
 */
#define EXACT_MAX 9007199254740992.0

/* A number with a fraction or exponent that is whole becomes an integer, everywhere below *value. False: out of memory;
 * *value is valid all the same. */
static bool whole_numbers(json_t **value)
{
    if (json_is_real(*value)) {
        double number = json_real_value(*value);
        if (number < -EXACT_MAX || number > EXACT_MAX || (double)(json_int_t)number != number)
            return true;
        json_t *integer = json_integer((json_int_t)number);
        if (integer != NULL) {
            json_decref(*value);
            *value = integer;
        }
        return integer != NULL;
    }
    for (size_t i = 0; i < json_array_size(*value); i++) {
        json_t *item = json_incref(json_array_get(*value, i));
        bool done = whole_numbers(&item);
        if (json_array_set_new(*value, i, item) != 0 || !done)
            return false;
    }
    for (void *at = json_object_iter(*value); at != NULL; at = json_object_iter_next(*value, at)) {
        json_t *item = json_incref(json_object_iter_value(at));
        bool done = whole_numbers(&item);
        if (json_object_iter_set_new(*value, at, item) != 0 || !done)
            return false;
    }
    return true;
}

char *pawl_canonical_json(pawl_bytes text, size_t *ret_size)
{
    if (text.size == 0)
        return NULL;
    json_t *value = json_loadb(text.data, text.size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    if (value == NULL)
        return NULL;
    char *canonical = whole_numbers(&value) ? json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL;
    json_decref(value);
    if (canonical != NULL)
        *ret_size = strlen(canonical);
    return canonical;
}

static bool add(EVP_MD_CTX *hash, const void *data, size_t size)
{
    uint8_t length[8];
    for (size_t i = 0; i < sizeof length; i++)
        length[i] = (uint8_t)((uint64_t)size >> (56 - 8 * i));
    return EVP_DigestUpdate(hash, length, sizeof length) == 1 && (size == 0 || EVP_DigestUpdate(hash, data, size) == 1);
}

pawl_status pawl_fingerprint(const char *domain, const pawl_bytes *parts, size_t part_count, pawl_bytes content,
                             uint8_t ret[PAWL_FINGERPRINT_SIZE], pawl_error *error)
{
    size_t size = content.size;
    char *canonical = pawl_canonical_json(content, &size);
    const char *form = canonical == NULL ? "bytes" : "json";
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    bool done = hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1;
    done = done && add(hash, domain, strlen(domain)) && add(hash, form, strlen(form));
    for (size_t i = 0; done && i < part_count; i++)
        done = add(hash, parts[i].data, parts[i].size);
    done = done && add(hash, canonical == NULL ? content.data : canonical, size);
    done = done && EVP_DigestFinal_ex(hash, ret, NULL) == 1;
    EVP_MD_CTX_free(hash);
    free(canonical);
    if (!done)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while hashing a request");
    return PAWL_OK;
}
