/* auditor_internal.h: what the two halves of the auditor share: auditor.c looks at the end, auditor_replay.c goes
 * through the events in their order. Nobody else includes it. */
#ifndef PAWL_TEST_FLEET_AUDITOR_INTERNAL_H
#define PAWL_TEST_FLEET_AUDITOR_INTERNAL_H

#include "auditor.h"

typedef unsigned long long wide; /* for printf */

/** By number; NULL: the store did not show one. */
const fleet_process *auditor_process(const fleet_history *history, uint64_t number);
void auditor_replay(const fleet_history *history, auditor_report *report);

#endif
