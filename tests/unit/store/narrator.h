/* narrator.h: tells what happens in a store's lease protocol, one line an event: time, who, what, outcome. Drives the
 * real registry facet through the fixture, in virtual time: nothing here waits for a clock. The text is compared to a
 * committed file (golden/), which is also how a newcomer may read the protocol. It never judges an outcome: the golden
 * files do.
 *
 * Belongs to one test and its thread. Actors are made by their name on first use. */
#ifndef PAWL_TEST_STORE_NARRATOR_H
#define PAWL_TEST_STORE_NARRATOR_H

#include "fixture.h"

typedef struct narrator narrator;

/** Open a store and begin a text with what it is about. on_disk: a store that survives reopens(). */
narrator *narrator_open(bool on_disk, const char *about);
/** Compare with golden/NAME.txt and close; the test fails, showing the difference, unless they are the same. */
void narrator_close(narrator *n, const char *name);
/** From now on golden files are written instead of compared, and every test that writes one fails. */
void narrator_regenerate(void);

/** A remark for the reader, on a line of its own. */
void remark(narrator *n, const char *text);

/* ---- the store and its clocks ---- */

void passes(narrator *n, double seconds);           /**< both clocks move on */
void wall_clock_jumps(narrator *n, double seconds); /**< the wall clock alone; also backwards */
void reopens(narrator *n);                          /**< as after a crash: nobody said goodbye */
void shows(narrator *n, const char *id);            /**< what anybody can read about a process */

/* ---- workers ---- */

void begins(narrator *n, const char *who, unsigned ttl_s);
void heartbeats(narrator *n, const char *who);
void leaves(narrator *n, const char *who); /**< ends its session */
void claims(narrator *n, const char *who, const char *id);
void claims_any(narrator *n, const char *who); /**< whatever is claimable, one process */
void appends(narrator *n, const char *who, const char *id);
/** seen: the last sequence it knows. wake_s: seconds of the trace's time; 0: never. */
void suspends(narrator *n, const char *who, const char *id, uint64_t seen, double wake_s);
void completes(narrator *n, const char *who, const char *id, uint64_t seen, uint32_t status);
void parks(narrator *n, const char *who, const char *id, uint64_t seen);
void releases(narrator *n, const char *who, const char *id);
/** Wait for a cancel request behind `seen`: the outcome is told when it comes. */
void watches_for_cancel(narrator *n, const char *who, const char *id, uint64_t seen);

/* ---- outside ---- */

void registers(narrator *n, const char *id);
void posts(narrator *n, uint32_t kind, const char *id, const char *post_id);
void terminates(narrator *n, const char *id);

#endif
