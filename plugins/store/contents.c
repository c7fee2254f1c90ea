/* contents.c: see contents.h. */
#include "contents.h"

#include <stdio.h>
#include <stdlib.h>

pawl_status pawl_store_contents_open(pawl_store *store, pawl_fault *fault)
{
    pawl_store_contents *contents = calloc(1, sizeof *contents);
    if (contents == NULL)
        return pawl_fault_nomem(fault);
    for (size_t i = 0; i < STORE_STRIPES; i++)
        pthread_mutex_init(&contents->stripes[i], NULL);
    pthread_mutex_init(&contents->lock, NULL);
    LIST_INIT(&contents->uploads);
    store->contents = contents;
    return PAWL_OK;
}

void pawl_store_contents_close(pawl_store *store)
{
    if (store->contents == NULL)
        return;
    for (size_t i = 0; i < STORE_STRIPES; i++)
        pthread_mutex_destroy(&store->contents->stripes[i]);
    pthread_mutex_destroy(&store->contents->lock);
    free(store->contents);
    store->contents = NULL;
}

pthread_mutex_t *pawl_store_digest_lock(pawl_store *store, const uint8_t *digest)
{
    return &store->contents->stripes[digest[0] % STORE_STRIPES];
}

const char *pawl_store_digest_text(const uint8_t *digest, char *text)
{
    char hex[17];
    snprintf(text, 32, "sha256:%s...", pawl_fault_hex((pawl_bytes){digest, 8}, hex, sizeof hex));
    return text;
}
