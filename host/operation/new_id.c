/* new_id.c: see new_id.h. */
#include "host/operation/new_id.h"

#include <string.h>
#include <sys/random.h>

#define RANDOM_BYTES 10u

void pawl_new_ids_init(pawl_new_ids *ids)
{
    pthread_mutex_init(&ids->lock, NULL);
    ids->left = 0;
}

void pawl_new_ids_finish(pawl_new_ids *ids)
{
    pthread_mutex_destroy(&ids->lock);
}

/* getrandom with these flags fails for no reason but a signal, and gives at most what was asked for. */
static void fetch(pawl_new_ids *ids)
{
    for (size_t have = 0; have < sizeof ids->random;) {
        ssize_t got = getrandom(ids->random + have, sizeof ids->random - have, 0);
        have += got > 0 ? (size_t)got : 0;
    }
    ids->left = sizeof ids->random;
}

void pawl_new_id(pawl_new_ids *ids, const pawl_clock *clock, char text[PAWL_NEW_ID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];
    uint64_t ms = clock->unix_ns(clock) / PAWL_NS_PER_MS;
    for (size_t i = 0; i < 6; i++)
        bytes[i] = (uint8_t)(ms >> (8 * (5 - i)));
    pthread_mutex_lock(&ids->lock);
    if (ids->left < RANDOM_BYTES)
        fetch(ids);
    memcpy(bytes + 6, ids->random + sizeof ids->random - ids->left, RANDOM_BYTES);
    ids->left -= RANDOM_BYTES;
    pthread_mutex_unlock(&ids->lock);
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x70); /* version 7 */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80); /* variant 1 */
    char *at = text;
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    *at = '\0';
}
