/* text.h: is this text at all? Pure. Room of host/profile*.c only. */
#ifndef PAWL_HOST_PROFILE_TEXT_H
#define PAWL_HOST_PROFILE_TEXT_H

#include "host/profile/profile.h"

/** Is it UTF-8 throughout? */
bool pawl_text_is_valid(const char *text, size_t size);

/** Is it UTF-8 of characters that may stand in YAML? Adds a problem at the first one that may not. */
bool pawl_text_check(const char *text, size_t size, pawl_problem_list *problems);

#endif
