/* fixture.h: what tests of the loader share: a directory of their own, copies of the plugins built for them, a host
 * root with the worker's real core table. A failed step ends the test. */
#ifndef PAWL_TESTS_LOADER_FIXTURE_H
#define PAWL_TESTS_LOADER_FIXTURE_H

#include "host/loader/loader.h"

#include <limits.h>

typedef struct fixture {
    char directory[PATH_MAX]; /* removed by fixture_close */
    char data[PATH_MAX];      /* the host's data directory in it */
    pawl_error error;
} fixture;

void fixture_open(fixture *f);
void fixture_close(fixture *f);

/** A host root with the real core table and this name. Static; lives for ever. */
const pawl_host_root *fixture_host(void);

/** Path of a plugin as it was built ("well_behaved"). The text is one of a few static ones, reused in turn. */
const char *fixture_built(const char *name);
/** Copy a built plugin to DIRECTORY/as; the path, as above. */
const char *fixture_copy(fixture *f, const char *name, const char *as);
/** Copy any file there. */
const char *fixture_copy_of(fixture *f, const char *from, const char *as);
/** DIRECTORY/name, as above. */
const char *fixture_path(const fixture *f, const char *name);
/** Replace every occurrence of some bytes in a file by others of the same length; the number of replacements. */
size_t fixture_patch(const char *path, const void *from, const void *to, size_t size);
/** Write a file. */
void fixture_write(const char *path, const char *text);
/** The file's SHA-256 as 64 hex digits, as above. */
const char *fixture_sha256(const char *path);

/** Load one plugin, unpinned, with this config (NULL: none), and close it again when it loads. The error is f->error.
 */
pawl_status fixture_try(fixture *f, const char *path, const char *config);

/** Run an effect of a loaded plugin; the result is written to text, NUL-terminated. */
pawl_status fixture_execute(const pawl_plugin *plugin, const char *input, size_t limit, char *text, size_t room,
                            pawl_error *error);

/** The error has this code, and its message contains this (NULL: anything), the rule and its number. */
void fixture_assert_refused(const fixture *f, pawl_status status, const char *code, const char *fragment);

#endif
