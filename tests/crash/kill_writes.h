/* kill_writes.h: a program over one RocksDB store that is killed at its n-th write, in front of it, half-way or behind
 * it, and run again. The program is a function in a child process; what it tells comes through a pipe. */
#ifndef PAWL_KILL_WRITES_H
#define PAWL_KILL_WRITES_H

#include <pawl/pawl.h>

#include <jansson.h>
#include <stdbool.h>

#define KILL_SPAN_NS UINT64_C(60000000000)

/** In the child: ends it, with the message, unless status is PAWL_OK. */
void kill_check_ok(pawl_status status, const pawl_error *error, const char *what);
/** A host over the store of this directory with this plugin; a worker or none. */
pawl_host *kill_open(const char *directory, pawl_plugin_entry_fn plugin, bool worker);
/** JSON of a text, which is freed. */
json_t *kill_json(pawl_text *text);
/** In the child: tell the test one byte. */
void kill_tell(uint8_t byte);
/** In the child: from here on count writes, and die at this one; 0: never. */
void kill_arm(int dies_at);

/** Run a program that opens the store, arms the death and comes to its end. heard: how often each byte was told.
 *  @return it came to its end */
bool kill_child(void (*program)(const char *directory, int dies_at), const char *directory, int dies_at,
                unsigned heard[256]);
/** The store passes its check. */
void kill_check_store(const char *directory);

/** Die at every stride-th write of the program, until it comes to its end unharmed: after each death, run it to its end
 *  and call check. @return how many writes there were */
int kill_everywhere(void (*program)(const char *directory, int dies_at), int stride,
                    void (*check)(const char *directory, const unsigned heard[256]));

#endif
