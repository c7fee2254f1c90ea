/* witness.h: writes a fleet's history: what passes between workers and store while it runs, and at the end what the
 * effects noted, the journals and the headers. Owns the history.
 *
 * Thread tag: the observer [any]; the rest the test's thread. */
#ifndef PAWL_TEST_FLEET_WITNESS_H
#define PAWL_TEST_FLEET_WITNESS_H

#include "auditor.h"
#include "tests/integration/worker/lab.h"

typedef struct witness {
    unruly_observer observer; /* first: the observer is its witness */
    lab *own;
    fleet_history history;
} witness;

void witness_init(witness *w, lab *own);
void witness_finish(witness *w);
/** Read what the store and the effects hold now. traits_of: what is known of a process by its id. */
void witness_load(witness *w, uint32_t (*traits_of)(const char *id));
/** One journal, by number; the caller frees. */
pawl_status witness_read_journal(lab *own, uint64_t number, fleet_process *ret);
/** Compare header and journal of one process now (I4). */
void witness_look(lab *own, const char *id, auditor_report *report);

#endif
