/* trust.h: may this file be believed, and a copy of it that nobody else can change. Owns DATA/plugins/: the copies
 * (named by digest) and the quarantine marks beside them. Internal to the loader. [loader]
 * Never: follows a symbolic link for the file itself, runs anything, writes outside DATA/plugins. */
#ifndef PAWL_HOST_LOADER_TRUST_H
#define PAWL_HOST_LOADER_TRUST_H

#include "worker/base/error.h"

#include <stdbool.h>

#define PAWL_FILE_BYTES_MAX_DEFAULT ((uint64_t)256 << 20)
#define PAWL_DIGEST_TEXT            65 /* 64 hex digits and a NUL */

/** Open a file that only root or this user can have written: every directory on the way, and every symbolic link among
 *  them, is checked; the file itself may not be a link.
 *  @param dev a directory or file may also be writable by this program's own group
 *  @param[out] ret_fd the caller's; set only on success
 *  Errors: loader.not_found, unreadable, symlink, not_regular, owner, writable, parent_owner, parent_writable,
 * too_large */
pawl_status pawl_trust_open(const char *path, bool dev, uint64_t bytes_max, int *ret_fd, pawl_error *error);

/** SHA-256 of an open file, from its start. Errors: loader.unreadable, loader.too_large. */
pawl_status pawl_trust_digest(int fd, const char *path, uint64_t bytes_max, uint8_t digest[32], uint64_t *ret_size,
                              pawl_error *error);

/** Copy an open file into DATA/plugins/<digest>.so, hashing the very bytes that are written.
 *  @param pin 64 hex digits that the digest must equal, or NULL
 *  @param[out] ret_copy path of the copy, malloc'ed; set only on success
 *  Errors: loader.digest (nothing is left behind), loader.copy, loader.too_large, loader.unreadable */
pawl_status pawl_trust_copy(int fd, const char *path, const char *pin, const char *data_dir, uint64_t bytes_max,
                            uint8_t digest[32], char **ret_copy, pawl_error *error);

/** Is this digest under quarantine? PAWL_OK, or loader.quarantined with the reason it was put there for. */
pawl_status pawl_quarantine_check(const char *data_dir, const uint8_t digest[32], const char *path, pawl_error *error);
/** Put it under quarantine; a failure to write the mark is reported, as loader.copy. */
pawl_status pawl_quarantine_set(const char *data_dir, const uint8_t digest[32], const char *reason, pawl_error *error);
void pawl_quarantine_lift(const char *data_dir, const uint8_t digest[32]);

void pawl_digest_text(const uint8_t digest[32], char text[PAWL_DIGEST_TEXT]);

#endif
