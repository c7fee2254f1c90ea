/* files.h: what tests do to the files below a store's directory: measure, copy, damage. Only while the store is closed,
 * but for files_total. */
#ifndef PAWL_CONFORMANCE_FILES_H
#define PAWL_CONFORMANCE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILES_MAX 512

struct file_list {
    size_t count;
    char paths[FILES_MAX][512];
    uint64_t sizes[FILES_MAX];
};

/** Regular files below a directory, sorted by path. suffix: only names that end so; NULL: all. More than FILES_MAX
 *  end the program. */
void files_list(const char *directory, const char *suffix, struct file_list *list);
/** The sum of their sizes; files whose name starts with `except` (NULL: none) do not count. */
uint64_t files_total(const char *directory, const char *except);
/** Copy a directory tree. @return false when something could not be copied */
bool files_copy(const char *from, const char *to);
void files_remove(const char *directory);
/** Flip one bit of a file. */
bool files_flip(const char *path, uint64_t offset, unsigned bit);
/** Cut a file at this size. */
bool files_cut(const char *path, uint64_t size);

#endif
