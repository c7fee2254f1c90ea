/* contents.h: what is addressed by its digest: attachments and artifacts. Large contents are cut into chunks; a chunk
 * is a sealed row, so that damage is found before a byte of it is handed out. */
#ifndef PAWL_STORE_CONTENTS_H
#define PAWL_STORE_CONTENTS_H

#include "store.h"

pawl_status store_contents_open(pawl_store *store, pawl_fault *fault);
void store_contents_close(pawl_store *store);

#endif
