/* blobs.h: "pawl.attachments/1" kept in memory, for plugins under check. What is stored in one call can be read in
 * another. Owns the content until the process ends. [any] */
#ifndef PAWL_HOST_CHECKER_BLOBS_H
#define PAWL_HOST_CHECKER_BLOBS_H

#include "pawl_abi.h"

const pawl_attachments *lab_blobs_table(void);
/** Uploads that were begun and neither committed nor aborted. */
unsigned lab_blobs_open(void);

#endif
