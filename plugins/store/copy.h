/* copy.h: making a directory of files so that it is there whole or not at all: it is filled beside its place under
 * another name, flushed, and renamed. What an interrupted attempt left is found by that name and cleared by the next
 * one. Follows no symbolic links, goes into no directories: a store and its copies have none. [any] */
#ifndef PAWL_STORE_COPY_H
#define PAWL_STORE_COPY_H

#include "fault.h"

#include <stdbool.h>

/** A directory in the making: `path` with ".partial" behind it, locked so that no second attempt clears it. */
typedef struct pawl_copy {
    char *path;    /**< where it will be */
    char *partial; /**< where it is until then */
    int lock;
} pawl_copy;

/** Make or take over the partial directory, empty. PAWL_E_CONFLICT "store.exists" when there is something at path that
 * is no empty directory; PAWL_E_BUSY when somebody else is at it. On failure there is nothing to finish. */
pawl_status pawl_store_copy_begin(pawl_copy *copy, const char *path, pawl_fault *fault);
/** Flush it and everything in it, and put it in its place. */
pawl_status pawl_store_copy_place(pawl_copy *copy, pawl_fault *fault);
/** Let go. What was not placed is removed. Harmless on zeros. */
void pawl_store_copy_finish(pawl_copy *copy);

/** Copy the files of a directory into another one, but for those that belong to who had it open. Flushes each. */
pawl_status pawl_store_copy_files(const char *from, const char *to, pawl_fault *fault);
/** Flush the files of a directory, and itself. */
pawl_status pawl_store_copy_flush(const char *directory, pawl_fault *fault);
/** Remove a directory and the files in it. */
void pawl_store_copy_remove(const char *directory);

#endif
