/* watch.h: which functions of the C library did process code call that it may not: clocks, chance, files, sockets,
 * threads, the environment. The program stands before the C library in the search for symbols, so that calls of a
 * plugin and of the libraries it needs come here first, and are handed on. Counts only on the thread that watches,
 * between begin and end. Not under a sanitizer, whose own interceptors stand there. */
#ifndef PAWL_HOST_CHECKER_WATCH_H
#define PAWL_HOST_CHECKER_WATCH_H

#include <stdbool.h>
#include <stddef.h>

bool lab_can_watch(void);
void lab_watch_begin(void);
void lab_watch_end(void);
/** What was called since the process began, each once, as "time, rand"; "" when nothing was. */
const char *lab_watch_seen(char *text, size_t room);

#endif
