/* programs.h: what a fleet runs: process types of every kind (in sequence, side by side, waiting, failing, tidying up,
 * never ending well, ended from outside) and the effects they call. What is known of each is in its traits, for the
 * auditor. The type of a process is the part of its id in front of '-'. */
#ifndef PAWL_TEST_FLEET_PROGRAMS_H
#define PAWL_TEST_FLEET_PROGRAMS_H

#include "tests/integration/worker/lab.h"

#define PROGRAM_SIGNALS 3 /* how many a listener waits for */

/** Add all types and effects to a lab; failing: how often the unreliable effects fail at first.
 *  slow: gets those that a test may hold for a while. */
#define PROGRAM_SLOW 3
void programs_add(lab *own, uint32_t failing, lab_effect *slow[PROGRAM_SLOW]);
uint32_t programs_traits(const char *id); /* FLEET_* */
/** A type of many or few of which there should be one: NULL beyond the last. */
const char *programs_type(uint32_t index);
bool programs_is(const char *id, const char *type);
/** The effect that pauses its process until it is resumed often enough. */
bool programs_needs_resuming(const char *id);

#endif
