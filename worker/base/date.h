/* date.h: times as text. [any] */
#ifndef PAWL_BASE_DATE_H
#define PAWL_BASE_DATE_H

#include <stdbool.h>
#include <stdint.h>

/** "2026-02-03T10:00:00Z", with a fraction of up to nine digits and any offset. False when it is something else. */
bool pawl_time_read(const char *text, int64_t *ret_unix_ns);

#endif
