/* contents.h: what attachments and artifacts share: contents addressed by SHA-256 and cut into chunks. A chunk is a
 * sealed row, so that damage is found before a byte of it is handed out. */
#ifndef PAWL_STORE_CONTENTS_H
#define PAWL_STORE_CONTENTS_H

#include "store.h"

#include <sys/queue.h>

struct pawl_store_contents {
    pthread_mutex_t stripes[STORE_STRIPES];      /* each guards check-and-write of the digests that hash to it */
    pthread_mutex_t lock;                        /* guards the uploads */
    LIST_HEAD(, pawl_attachment_upload) uploads; /* running: not to be collected */
};

pawl_status pawl_store_contents_open(pawl_store *store, pawl_fault *fault);
void pawl_store_contents_close(pawl_store *store);

/** The lock of a digest's stripe. */
pthread_mutex_t *pawl_store_digest_lock(pawl_store *store, const uint8_t *digest);
/** "sha256:" and the first digits, for messages. @return text, which has room for 32 */
const char *pawl_store_digest_text(const uint8_t *digest, char *text);

#endif
