/* snapshot.h: what belongs to the whole program and may not be changed by a plugin, and what a plugin may hold but must
 * give back: signals, environment, directory, locale, limits; descriptors, threads, children. Only looks. One thread.
 */
#ifndef PAWL_HOST_CHECKER_SNAPSHOT_H
#define PAWL_HOST_CHECKER_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define SNAPSHOT_FDS_MAX 4096

typedef struct snapshot snapshot;

/** NULL: out of memory. */
snapshot *lab_snapshot_take(void);
void lab_snapshot_free(snapshot *s);
/** Each difference in what belongs to the program is told: "the signal 13 (Broken pipe) has another handler". The
 *  number of differences. */
unsigned lab_snapshot_compare(const snapshot *before, const snapshot *after,
                              void (*tell)(void *context, const char *difference), void *context);

/** Descriptors that are open after and were not before; each told with what it is. not_inherited: those alone that a
 *  program started by another plugin would inherit. */
unsigned lab_snapshot_descriptors(const snapshot *before, const snapshot *after, bool not_inherited,
                                  void (*tell)(void *context, const char *difference), void *context);
/** Threads, now; children, now (running, or ended and not reaped). */
unsigned lab_count_threads(void);
/** The same, but waits up to a second for there to be no more than this: a thread that was joined may be seen a
 * moment longer. */
unsigned lab_count_threads_until(unsigned wanted);
unsigned lab_count_children(void);
/** Open descriptors, now. */
unsigned lab_count_descriptors(void);
/** Bytes that malloc has given out and not taken back. 0 under a sanitizer: not to be known. */
size_t lab_count_memory(void);
bool lab_can_count_memory(void);

#endif
