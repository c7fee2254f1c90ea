/* handle_key.h: how the rights of sessions on processes are written down: as keys of a session that the host keeps for
 * itself, without values. The host writes them; the audit of a store checks that both halves of a right are there.
 *
 * A seam that every floor may see, and that sees none of them. It must never do more than read and write such a key.
 *
 *   p N process session    the session holds a handle of the process (N: the size of the first name, three digits)
 *   s N session process    the same, the other way round: always written together
 *   x N process session    the session, to which the process belongs, has given it up
 *   d session              the session is being deleted */
#ifndef PAWL_SEAM_HANDLE_KEY_H
#define PAWL_SEAM_HANDLE_KEY_H

#include <stdbool.h>
#include <stddef.h>

#define PAWL_HANDLE_SESSION "pawl:handles"
#define PAWL_HANDLE_DIGITS  3u   /* of the size */
#define PAWL_HANDLE_NAME    256u /* bytes of a name, at most */

/** Where the two names of a "p", "s" or "x" key begin; false when it is none. key[0] says which. */
static inline bool pawl_handle_key_read(const char *key, size_t size, size_t *first_size, size_t *second_size)
{
    const size_t head = 1u + PAWL_HANDLE_DIGITS;
    size_t first = 0;
    if (size <= head || (key[0] != 'p' && key[0] != 's' && key[0] != 'x'))
        return false;
    for (size_t i = 1; i < head; i++) {
        if (key[i] < '0' || key[i] > '9')
            return false;
        first = first * 10 + (size_t)(key[i] - '0');
    }
    if (first == 0 || first > PAWL_HANDLE_NAME || size - head <= first || size - head - first > PAWL_HANDLE_NAME)
        return false;
    *first_size = first;
    *second_size = size - head - first;
    return true;
}

#endif
