/* fixture.h: what the tests of profiles share: a profile that is right, temporary directories, reading of files. */
#ifndef PAWL_TESTS_PROFILE_FIXTURE_H
#define PAWL_TESTS_PROFILE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/profile/profile.h"

/* The shortest profile without a mistake; four lines, so what a test adds begins at line 5. */
#define HEAD                                                                                                           \
    "profile: shop\n"                                                                                                  \
    "tier: inline\n"                                                                                                   \
    "data: d\n"                                                                                                        \
    "stores: {main: {provider: memory}}\n"

/** Parse in directory /base, without looking at files. */
pawl_status parse(const char *text, pawl_profile **ret, pawl_problem_list *problems);

/** A profile that must be right; for the caller to pawl_profile_free. */
pawl_profile *parse_good(const char *text);

/** A fresh directory; for remove_directory, which frees the name. */
char *make_directory(void);
void remove_directory(char *path);

/** Write a file in directory with a mode. Returns its path, heap. */
char *write_file(const char *directory, const char *name, const char *content, size_t size, unsigned mode);
/** Whole content, NUL-terminated, heap. */
char *read_whole_file(const char *path, size_t *ret_size);

#endif
