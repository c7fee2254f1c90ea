/* config.h: a store's settings from its `config` JSON object. Strict: an unknown key, a wrong type or a number out of
 * range is refused by name, so that a typing mistake never silently becomes a default. [any] */
#ifndef PAWL_STORE_CONFIG_H
#define PAWL_STORE_CONFIG_H

#include "fault.h"

#include <stdbool.h>

/** How an engine with files is opened. Said by who opens it, never by the config's text. */
typedef enum pawl_store_access {
    PAWL_STORE_CREATE = 0, /**< as it is, or new */
    PAWL_STORE_EXISTING,   /**< PAWL_E_NOT_FOUND when it is not there */
    PAWL_STORE_READ,       /**< likewise, and no row can be written */
} pawl_store_access;

typedef struct pawl_store_config {
    char *path;                  /**< owned; NULL for an engine without files */
    bool sync;                   /**< flush to the device before anything is reported done */
    uint64_t value_bytes_max;    /**< of a record body, a session value, a document */
    uint64_t journal_bytes_max;  /**< of the bodies of one journal */
    uint64_t write_buffer_bytes; /**< engine memory for rows not yet in files */
    pawl_store_access access;
    uint64_t block_cache_bytes; /**< engine memory for rows read from files */
} pawl_store_config;

/** Read a config. on_disk: the keys path (required), sync, write_buffer_bytes and block_cache_bytes are allowed.
 *  An empty text is an empty object. On failure nothing is to be freed. */
pawl_status pawl_store_config_read(pawl_store_config *config, pawl_bytes json, bool on_disk, pawl_fault *fault);
void pawl_store_config_finish(pawl_store_config *config);

#endif
